"""Which claims give the subject and the scopes, and checks of one's own: what is named takes the place of the default."""

from __future__ import annotations

import json
from typing import Any

import pytest

from watchword import (
    AllOf, APIKeyVerifier, ClaimCheck, ConfigurationError, Guard, Identity, JWTVerifier, Key, Policy, Reason, Rejected, Request,
    Revocations, TokenCache, explain,
)  # fmt: skip
from watchword.core.records import Put, Ref
from watchword.crypto import jose
from watchword.schemes.all_of import same_subject
from watchword.schemes.api_key_text import APIKey, hash_key, make_key
from watchword.stores import MemoryStore

NOW = 1_700_000_000.0
KEY = Key.from_secret(bytes(range(32)), algorithm="HS256")
ISSUER = "https://id.example"
GOOD = {"iss": ISSUER, "aud": "orders", "sub": "alice", "exp": NOW + 300, "iat": NOW - 1, "scope": "read"}
RICH = {
    "permissions": ["a"],
    "roles": ["b"],
    "groups": ["c"],
    "realm_access": {"roles": ["d"]},
    "cognito:groups": ["e"],
}


def token(**claims: Any) -> bytes:
    said = {name: value for name, value in {**GOOD, **claims}.items() if value is not ...}
    return jose.sign(json.dumps(said).encode(), KEY).encode()


def verifier(**options: Any) -> JWTVerifier:
    return JWTVerifier(KEY, **{"issuer": ISSUER, "audience": "orders", "clock": lambda: NOW, **options})


def refused(how: JWTVerifier, **claims: Any) -> tuple[Reason, str]:
    with pytest.raises(Rejected) as caught:
        how.verify(token(**claims))
    assert caught.value.__cause__ is None
    return caught.value.reason, caught.value.rejection.where


WAYS = {
    "usual": {},
    "several issuers": {"issuer": [ISSUER, "https://b.example"]},
    "no issuer": {"issuer": None},
    "max_age": {"max_age": 60},
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The straight way through the checks, and the others."""
    chosen: dict[str, Any] = request.param
    return chosen


# ---- scopes --------------------------------------------------------------------------------------------------------------


def test_nothing_is_read_from_roles_permissions_or_groups_unless_it_is_named(way: dict[str, Any]) -> None:
    assert verifier(**way).verify(token(**RICH)).scopes == {"read"}
    assert verifier(**way).verify(token(**RICH, scope=...)).scopes == frozenset()


@pytest.mark.parametrize(
    ("scopes", "claims", "expected"),
    [
        ("permissions", {"permissions": ["a:b", "c"]}, {"a:b", "c"}),
        ("groups", {"groups": ["Domain Admins", "Users"]}, {"Domain Admins", "Users"}),
        ("groups", {"groups": "Domain Admins"}, {"Domain Admins"}),
        ("groups", {"groups": []}, set()),
        ("groups", {"groups": None}, set()),
        ("groups", {}, set()),
        ("groups", {"groups": ["Größe", "日本"]}, {"Größe", "日本"}),
        ("https://orders.example/roles", {"https://orders.example/roles": ["x"]}, {"x"}),
        ("realm_access.roles", {"realm_access.roles": ["flat"], **RICH}, {"flat"}),
        ("scope", {"scope": "read write", "scp": ["admin"]}, {"read", "write"}),
        ("scp", {"scope": "read write", "scp": ["admin"]}, {"admin"}),
        ("scp", {"scp": "a b"}, {"a", "b"}),
        (lambda claims: claims["realm_access"]["roles"], RICH, {"d"}),
        (lambda claims: claims["scope"].split(), {"scope": "x y"}, {"x", "y"}),
        (lambda claims: (), RICH, set()),
    ],
)
def test_what_is_named_takes_the_place_of_scope(
    way: dict[str, Any], scopes: Any, claims: dict[str, Any], expected: set[str]
) -> None:
    for cache in (None, TokenCache()):
        how = verifier(scopes=scopes, cache=cache, **way)
        for _ in range(3):
            assert how.verify(token(**claims)).scopes == expected


@pytest.mark.parametrize(
    "value", [7, True, {}, {"a": 1}, [1], ["a", None], ["a", ""], "", ["a", ["b"]], ["\ud83d"], "\ud83d"]
)
def test_scopes_of_another_form_refuse_the_token(way: dict[str, Any], value: Any) -> None:
    assert refused(verifier(scopes="groups", **way), groups=value) == (Reason.WRONG_CLAIM, "groups")


def test_what_a_function_of_the_claims_cannot_read_is_a_wrong_claim(way: dict[str, Any]) -> None:
    how = verifier(scopes=lambda claims: claims["realm_access"]["roles"], **way)
    for claims in ({}, {"realm_access": None}, {"realm_access": ["roles"]}, {"realm_access": {"roles": ["a", ""]}}):
        assert refused(how, **claims) == (Reason.WRONG_CLAIM, "scopes=")
    own = verifier(
        scopes=lambda _: (_ for _ in ()).throw(Rejected(Reason.INSUFFICIENT_SCOPE, "none", where="roles")), **way
    )
    assert refused(own) == (Reason.INSUFFICIENT_SCOPE, "roles")


@pytest.mark.parametrize("returned", ["read write", None, 7, [1], {"a": 1}.items()])
def test_a_function_that_gives_no_texts_is_the_developers_fault(returned: Any) -> None:
    with pytest.raises(ConfigurationError, match="return a list of texts"):
        verifier(scopes=lambda _: returned).verify(token())


# ---- subject -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "claims", "expected"),
    [
        ("user_id", {"user_id": "u-7"}, "u-7"),
        ("user_id", {"user_id": "u-7", "sub": 7}, "u-7"),
        ("user_id", {"user_id": "u-7", "sub": ...}, "u-7"),
        ("user_id", {"user_id": "ü", "sub": None}, "ü"),
        (("sub", int), {"sub": 7}, "7"),
        (("sub", int), {"sub": -7}, "-7"),
        (("uid", int), {"uid": 2**63 - 1}, "9223372036854775807"),
        (("uid", int), {"uid": 0}, "0"),
        (lambda claims: f"{claims['iss']}|{claims['sub']}", {}, f"{ISSUER}|alice"),
        (None, {}, ""),
        (None, {"sub": ...}, ""),
        (None, {"sub": 7, "": "admin"}, ""),
    ],
)
def test_the_subject_is_what_is_named(way: dict[str, Any], subject: Any, claims: dict[str, Any], expected: str) -> None:
    for cache in (None, TokenCache()):
        how = verifier(subject=subject, cache=cache, **way)
        for _ in range(3):
            assert how.verify(token(**claims)).subject == expected


@pytest.mark.parametrize("value", [7, 7.0, True, "", None, [], ["a"], {"a": 1}, "\ud83d"])
def test_a_subject_is_a_text_and_not_an_empty_one(way: dict[str, Any], value: Any) -> None:
    for name in ("sub", "user_id"):
        assert refused(verifier(subject=name, **way), **{name: value}) == (Reason.WRONG_CLAIM, name)


@pytest.mark.parametrize("value", ["7", "", 7.0, 7.5, True, False, None, [7], 2**63, -(2**63) - 1, "alice"])
def test_a_number_is_taken_only_as_a_whole_one(way: dict[str, Any], value: Any) -> None:
    assert refused(verifier(subject=("uid", int), **way), uid=value)[0] is Reason.WRONG_CLAIM


def test_a_number_of_thousands_of_digits_is_refused_like_any_other() -> None:
    said = json.dumps(GOOD)[:-1].encode() + b',"uid":' + b"9" * 5000 + b"}"
    with pytest.raises(Rejected):
        verifier(subject=("uid", int)).verify(jose.sign(said, KEY))


def test_a_claim_that_is_not_there_is_named(way: dict[str, Any]) -> None:
    for subject in ("user_id", ("user_id", int)):
        assert refused(verifier(subject=subject, **way), **{"": "admin"}) == (Reason.MISSING_CLAIM, "user_id")


def test_a_function_finds_a_subject_or_refuses(way: dict[str, Any]) -> None:
    for found in (lambda _: None, lambda _: "", lambda claims: claims["absent"], lambda _: "\ud83d"):
        assert refused(verifier(subject=found, **way)) == (Reason.WRONG_CLAIM, "subject=")
    with pytest.raises(ConfigurationError, match="return a text"):
        verifier(subject=lambda _: 7).verify(token())


@pytest.mark.parametrize("subject", ["", 7, ("sub",), ("sub", str), ("sub", int, 1), (7, int), ["sub"], b"sub", True])
def test_a_subject_that_can_not_be_meant_is_refused_at_construction(subject: Any) -> None:
    with pytest.raises(ConfigurationError, match="subject="):
        verifier(subject=subject)


@pytest.mark.parametrize("scopes", ["", 7, ["permissions"], b"scope", True])
def test_scopes_that_can_not_be_meant_are_refused_at_construction(scopes: Any) -> None:
    with pytest.raises(ConfigurationError, match="scopes="):
        verifier(scopes=scopes)


# ---- where there is no subject -------------------------------------------------------------------------------------------


def test_who_has_no_subject_is_bound_to_nothing() -> None:
    api_key = make_key(lambda n: b"\x07" * n, "alicesapikey")
    store = MemoryStore()
    store.commit([Put(Ref(APIKey, ("alicesapikey",)), APIKey(hash_key(api_key), "alice"))])
    policy = Policy(clock=lambda: NOW)
    request = Request(
        "GET", "https", "api.example", "/", [(b"authorization", b"Bearer " + token()), (b"x-api-key", api_key.encode())]
    )
    assert Guard([AllOf(verifier(), APIKeyVerifier())], store, policy=policy).verify(request).subject == "alice"
    for parts in ((verifier(subject=None), APIKeyVerifier()), (APIKeyVerifier(), verifier(subject=None))):
        with pytest.raises(Rejected) as caught:
            Guard([AllOf(*parts)], store, policy=policy).verify(request)
        assert caught.value.reason is Reason.BINDING_MISMATCH
    both = [Identity("", "jwt"), Identity("", "jwt")]
    with pytest.raises(Rejected):
        same_subject(both)
    bound = AllOf(verifier(subject=None), APIKeyVerifier(), bind=lambda _: None)
    assert Guard([bound], store, policy=policy).verify(request).subject == ""


def test_revocation_by_subject_refuses_a_verifier_without_one() -> None:
    with pytest.raises(ConfigurationError, match="subject=None leaves none"):
        verifier(subject=None, revocations=Revocations(MemoryStore()))


@pytest.mark.parametrize(
    ("subject", "name"), [("user_id", "u-7"), (("uid", int), "7"), (lambda claims: "x" + claims["user_id"], "xu-7")]
)
def test_revocations_follow_the_chosen_claim(subject: Any, name: str) -> None:
    revocations = Revocations(MemoryStore(), clock=lambda: NOW)
    guard = Guard([verifier(subject=subject, revocations=revocations)], policy=Policy(clock=lambda: NOW))
    request = Request(
        "GET", "https", "api.example", "/", [(b"authorization", b"Bearer " + token(user_id="u-7", uid=7))]
    )
    revocations.revoke_subject("alice", issuer=ISSUER)  # what `sub` says
    assert guard.verify(request).subject == name
    revocations.revoke_subject(name, issuer=ISSUER)
    with pytest.raises(Rejected) as caught:
        guard.verify(request)
    assert caught.value.reason is Reason.REVOKED
    assert "revoked" in [check.name for check in explain(request, guard).causes]


def test_a_verdict_on_nobody_names_nobody() -> None:
    verdicts: list[Any] = []
    guard = Guard([verifier(subject=None)], policy=Policy(clock=lambda: NOW), observe=verdicts.append)
    guard.verify(Request("GET", "https", "api.example", "/", [(b"authorization", b"Bearer " + token())]))
    assert (verdicts[0].outcome, verdicts[0].subject) == ("accepted", None)


# ---- checks of one's own -------------------------------------------------------------------------------------------------


def of_blue(claims: Any, now: float) -> None:
    assert now == NOW
    if claims["tenant"] != "blue":
        raise Rejected(Reason.WRONG_AUDIENCE, "another tenant", where="tenant")


BLUE = ClaimCheck("tenant", "blue", of_blue)


def test_a_check_of_ones_own_holds_on_every_way(way: dict[str, Any]) -> None:
    for cache in (None, TokenCache()):
        how = verifier(checks=[BLUE], cache=cache, **way)
        assert how.verify(token(tenant="blue")).subject == "alice"
        assert refused(how, tenant="red") == (Reason.WRONG_AUDIENCE, "tenant")
        assert refused(how) == (Reason.WRONG_CLAIM, "tenant")  # it raised KeyError


def test_no_check_of_ones_own_takes_the_place_of_another(way: dict[str, Any]) -> None:
    how = verifier(checks=[ClaimCheck("any", "anything", lambda claims, now: None)], **way)
    assert refused(how, exp=NOW - 1)[0] is Reason.EXPIRED
    assert refused(how, aud="invoices")[0] is Reason.WRONG_AUDIENCE


@pytest.mark.parametrize("checks", [BLUE, [of_blue], [("tenant", "blue", of_blue)], 7])
def test_what_is_no_check_is_refused_at_construction(checks: Any) -> None:
    with pytest.raises(ConfigurationError, match="checks="):
        verifier(checks=checks)


# ---- why -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "claims", "name", "component"),
    [
        ({"scopes": "groups"}, {"groups": 7}, "scope", "claim groups"),
        ({"scopes": lambda claims: claims["x"]}, {}, "scope", "claim scopes="),
        ({"subject": "user_id"}, {}, "sub", "claim user_id"),
        ({"subject": ("uid", int)}, {"uid": "7"}, "sub", "claim uid"),
        ({"subject": lambda claims: claims["x"]}, {}, "sub", "claim subject="),
        ({"checks": [BLUE]}, {"tenant": "red"}, "tenant", "claim tenant"),
    ],
)
def test_an_explanation_names_the_claim(
    options: dict[str, Any], claims: dict[str, Any], name: str, component: str
) -> None:
    guard = Guard([verifier(**options)], policy=Policy(clock=lambda: NOW))
    request = Request("GET", "https", "api.example", "/", [(b"authorization", b"Bearer " + token(**claims))])
    assert [(check.name, check.component) for check in explain(request, guard).causes] == [(name, component)]
