"""Recipes for issuers: their own tokens are accepted; ID tokens in the place of access tokens, and others' tokens, are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from watchword import ConfigurationError, Guard, JWTVerifier, Key, Policy, Reason, Rejected, Request, explain, issuers
from watchword.crypto import jose
from watchword.issuers import IssuerRecipe
from watchword.stores import RemoteKeySet

VECTORS = Path(__file__).parents[1] / "vectors" / "issuers"
SHAPES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("*.json"))
}
RECIPES = sorted(name for name in issuers.__all__ if name.islower())
KEY = Key.generate("ES256", key_id="k1")
NOW = 1_760_000_001


def recipe_of(shape: dict[str, Any], more: dict[str, Any] | None = None) -> IssuerRecipe:
    made: IssuerRecipe = getattr(issuers, shape["recipe"])(**{**shape["arguments"], **(more or {})})
    return made


def signed(case: dict[str, Any]) -> str:
    return jose.sign(json.dumps(case["claims"]).encode(), KEY, header=case["header"])


def verifier_of(shape: dict[str, Any], case: dict[str, Any]) -> JWTVerifier:
    return JWTVerifier(KEY, clock=lambda: NOW, **recipe_of(shape, case.get("arguments")).arguments)


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(shape, case, id=f"{name}: {case['name']}")
        for name, shape in SHAPES.items()
        for case in shape[kind]
    ]


def test_every_recipe_has_shapes_and_every_shape_a_recipe() -> None:
    assert sorted(shape["recipe"] for shape in SHAPES.values()) == RECIPES
    for shape in SHAPES.values():
        assert shape["accepted"]
        assert len(shape["refused"]) >= 3


@pytest.mark.parametrize(("shape", "case"), cases("accepted"))
def test_a_genuine_token_is_accepted(shape: dict[str, Any], case: dict[str, Any]) -> None:
    who = verifier_of(shape, case).verify(signed(case))
    assert (who.subject, sorted(who.scopes)) == (case["subject"], case["scopes"])


@pytest.mark.parametrize(("shape", "case"), cases("refused"))
def test_an_id_token_another_tenants_token_and_the_like_are_refused(
    shape: dict[str, Any], case: dict[str, Any]
) -> None:
    with pytest.raises(Rejected) as caught:
        verifier_of(shape, case).verify(signed(case))
    assert caught.value.reason is Reason(case["reason"]), str(caught.value)


@pytest.mark.parametrize(("shape", "case"), cases("refused"))
def test_an_explanation_names_the_claim(shape: dict[str, Any], case: dict[str, Any]) -> None:
    guard = Guard([verifier_of(shape, case)], policy=Policy(clock=lambda: NOW))
    field = guard.plan.verifiers[0].addresses[0].field.decode()
    value = signed(case) if field != "authorization" else f"Bearer {signed(case)}"
    explained = explain(Request("GET", "https", "api.example", "/", {field: value}), guard)
    assert explained.causes
    assert not [check for check in explained.checks if check.name == "account"]


@pytest.mark.parametrize(("shape", "case"), cases("accepted"))
def test_no_claim_of_a_wrong_type_passes_for_a_right_one_or_is_an_error(
    shape: dict[str, Any], case: dict[str, Any]
) -> None:
    how = verifier_of(shape, case)
    genuine = how.verify(signed(case))
    for name in case["claims"]:
        for wrong in (None, 7, True, [], {}, "", [case["claims"][name]], {"a": 1}):
            try:
                who = how.verify(signed({**case, "claims": {**case["claims"], name: wrong}}))
            except Rejected:
                continue
            assert (who.subject, who.scopes <= genuine.scopes) == (genuine.subject, True), (name, wrong)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_keys_are_where_the_issuer_publishes_them_and_nothing_is_fetched(shape: dict[str, Any]) -> None:
    recipe = recipe_of(shape)
    assert recipe.jwks_url == shape["jwks_url"]
    keys = RemoteKeySet(recipe.jwks_url, algorithms=recipe.algorithms)
    JWTVerifier(keys, **recipe.arguments)
    assert keys.state == "empty"


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_issuers_can_be_told_apart_in_one_guard(shape: dict[str, Any]) -> None:
    others = [each for each in SHAPES.values() if each is not shape]
    Guard([JWTVerifier(KEY, **recipe_of(each).arguments) for each in (shape, *others)])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("entra_id", {"audience": "a"}),
        ("entra_id", {"audience": "a", "tenants": []}),
        ("entra_id", {"audience": "a", "tenants": ["common"]}),
        ("entra_id", {"audience": "a", "tenants": ["acme.onmicrosoft.com"]}),
        ("entra_id", {"audience": "a", "tenants": ["11111111-2222-3333-4444-555555555555"], "any_tenant": True}),
        ("google", {"audience": "a"}),
        ("google", {"audience": "a", "hosted_domains": ["a"], "anybody": True}),
        ("google", {"audience": "a", "hosted_domains": []}),
        ("cognito", {"pool": "eu-central-1", "clients": ["a"]}),
        ("cognito", {"pool": "eu-central-1_a/../b", "clients": ["a"]}),
        ("cognito", {"pool": "eu-central-1_Ab12", "clients": []}),
        ("github_actions", {"audience": "a"}),
        ("github_actions", {"audience": "a", "refs": ["refs/heads/main"]}),
        ("github_actions", {"audience": "a", "repositories": ["acme"]}),
        ("github_actions", {"audience": "a", "owners": []}),
        ("kubernetes", {"issuer": "https://k.example", "audience": "a"}),
        ("kubernetes", {"issuer": "https://k.example", "audience": "a", "namespaces": ["a"], "service_accounts": ["a/b"]}),
        ("kubernetes", {"issuer": "https://k.example", "audience": "a", "service_accounts": ["b"]}),
        ("kubernetes", {"issuer": "k.example", "audience": "a", "namespaces": ["a"]}),
        ("keycloak", {"url": "id.example", "realm": "a", "audience": "a"}),
        ("keycloak", {"url": "https://id.example", "realm": "a/b", "audience": "a"}),
        ("keycloak", {"url": "https://id.example", "realm": "a", "audience": ""}),
        ("keycloak", {"url": "https://id.example", "realm": "a", "audience": "a", "realm_roles": True, "client_roles": "b"}),
        ("auth0", {"domain": "https://acme.auth0.com", "audience": "a"}),
        ("auth0", {"domain": "acme.auth0.com/x", "audience": "a"}),
        ("auth0", {"domain": "acme.auth0.com", "audience": "a", "clients": []}),
        ("okta", {"domain": "acme.okta.com", "audience": []}),
        ("firebase", {"project": "a/b"}),
        ("supabase", {"url": "abc"}),
        ("cloudflare_access", {"team": "acme.evil.example/", "audience": "a"}),
        ("google_iap", {"audience": None}),
    ],
)  # fmt: skip
def test_what_can_not_be_meant_is_refused(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        getattr(issuers, name)(**arguments)


def test_one_text_is_one_client() -> None:
    arguments = issuers.auth0("acme.auth0.com", audience="orders", clients="shop").arguments
    claims = {"iss": "https://acme.auth0.com/", "aud": "orders", "sub": "a", "exp": NOW + 9, "azp": "s"}
    how = JWTVerifier(KEY, clock=lambda: NOW, **arguments)
    with pytest.raises(Rejected):
        how.verify(jose.sign(json.dumps(claims).encode(), KEY, header={"typ": "JWT"}))
    assert (
        how.verify(jose.sign(json.dumps({**claims, "azp": "shop"}).encode(), KEY, header={"typ": "JWT"})).subject == "a"
    )
