"""Tokens that are bound to a key (RFC 7800): refused, unless the same request proves possession of that key."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from watchword import (
    AllOf,
    AsyncGuard,
    ConfigurationError,
    Guard,
    Identity,
    JWTVerifier,
    Key,
    Reason,
    Rejected,
    Request,
    explain,
)
from watchword.core.scheme import UNUSED, Address, Bindable, Decision, Proof, Refusal
from watchword.crypto import jose
from watchword.schemes.jwt import JWTClaim

KEY = Key.from_secret(bytes(range(32)), algorithm="HS256", key_id="k1")


class FakeProof:
    """Proves the key whose name is in its field; "forged" is no proof."""

    needs: ClassVar = ()
    reserve: ClassVar = ()
    body: ClassVar = UNUSED
    methods: ClassVar = frozenset({"jkt"})

    def __init__(self, name: str) -> None:
        self.name = name

    def slow(self, found: object) -> bool:
        return False

    def decide(self, *arguments: object) -> Decision:
        if self.name == "forged":
            raise Rejected(Reason.WRONG_SIGNATURE, "no proof", where="proof")
        return Decision(Identity("alice", "fake"))

    def confirm(self, cnf: Any, token: bytes) -> None:
        assert token.count(b".") == 2
        if cnf["jkt"] != self.name:
            raise Rejected(Reason.BINDING_MISMATCH, "bound to another key", where="cnf")


class FakeProofs:
    scheme: ClassVar = "fake"
    single_use: ClassVar = False
    ambient: ClassVar = False
    rank: ClassVar = 50
    kinds: ClassVar = ()
    always_needed: ClassVar = ()
    realm: ClassVar = None

    def __init__(self, field: bytes = b"proof", kind: type[FakeProof] = FakeProof) -> None:
        self.addresses = (Address(field),)
        self.kind = kind

    def read(self, request: Request) -> FakeProof | None:
        values = request.values(self.addresses[0].field)
        return self.kind(values[0].decode()) if values else None

    def refuse(self, rejection: Any, *arguments: object) -> Refusal:
        return Refusal(rejection.reason.status)


class Certificate(FakeProof):
    methods: ClassVar = frozenset({"x5t#S256"})

    def confirm(self, cnf: Any, token: bytes) -> None:
        if cnf["x5t#S256"] != self.name:
            raise Rejected(Reason.BINDING_MISMATCH, "bound to another certificate", where="cnf")


def bearer(proof: str | None = None, certificate: str | None = None, **claims: object) -> Request:
    token = jose.sign(json.dumps({"sub": "alice", **claims}).encode(), KEY)
    fields = {"Authorization": f"Bearer {token}"} | ({} if proof is None else {"Proof": proof})
    return Request("GET", "https", "api.example", "/", fields | ({} if certificate is None else {"Cert": certificate}))


def both(*more: Any) -> Guard:
    return Guard([AllOf(JWTVerifier(KEY), FakeProofs(), *more)])  # type: ignore[arg-type]


def reason(guard: Guard, request: Request) -> Reason:
    with pytest.raises(Rejected) as caught:
        guard.verify(request)
    return caught.value.reason


def test_the_fake_is_a_proof_and_a_jwt_is_bindable():
    assert isinstance(FakeProof("a"), Proof)
    assert isinstance(JWTClaim(JWTVerifier(KEY), b""), Bindable)
    assert not isinstance(JWTClaim(JWTVerifier(KEY), b""), Proof)


@pytest.mark.parametrize("cnf", [{"jkt": "a"}, {}, None, "jkt", [], {"jwk": {}}, False])
def test_without_a_proof_any_cnf_is_refused(cnf):
    token = jose.sign(json.dumps({"sub": "alice", "cnf": cnf}).encode(), KEY)
    with pytest.raises(Rejected) as caught:
        JWTVerifier(KEY).verify(token)
    assert caught.value.reason is Reason.BINDING_MISSING
    assert reason(Guard([JWTVerifier(KEY)]), bearer(cnf=cnf)) is Reason.BINDING_MISSING


def test_a_proof_of_the_named_key_confirms_the_token():
    assert both().verify(bearer("a", cnf={"jkt": "a"})).subject == "alice"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (bearer("b", cnf={"jkt": "a"}), Reason.BINDING_MISMATCH),
        (bearer("forged", cnf={"jkt": "forged"}), Reason.WRONG_SIGNATURE),
        (bearer("a"), Reason.BINDING_MISSING),  # whoever stole an unbound token could add a proof of any key
        (bearer("a", cnf={}), Reason.WRONG_CLAIM),
        (bearer("a", cnf="a"), Reason.WRONG_CLAIM),
        (bearer("a", cnf={"x5t#S256": "a"}), Reason.BINDING_MISSING),
        (bearer("a", cnf={"jkt": "a", "x5t#S256": "c"}), Reason.BINDING_MISSING),
        (bearer(None, cnf={"jkt": "a"}), Reason.BINDING_MISSING),
    ],
)
def test_everything_else_is_refused(request_, expected):
    assert reason(both(), request_) is expected


def test_the_other_checks_of_a_confirmed_token_are_made_as_well():
    assert reason(both(), bearer("a", cnf={"jkt": "a"}, exp=1)) is Reason.EXPIRED
    assert reason(both(), bearer("a", cnf={"jkt": "a"}, aud="else")) is Reason.WRONG_AUDIENCE


def test_two_proofs_confirm_a_token_that_is_bound_to_both_and_no_other():
    guard = both(FakeProofs(b"cert", Certificate))
    whole = {"jkt": "a", "x5t#S256": "c"}
    assert guard.verify(bearer("a", "c", cnf=whole)).subject == "alice"
    assert reason(guard, bearer("a", "d", cnf=whole)) is Reason.BINDING_MISMATCH
    assert reason(guard, bearer("a", "c", cnf={"jkt": "a"})) is Reason.BINDING_MISSING


async def _verify(guard: Guard, request: Request) -> Identity[Any]:
    return await AsyncGuard.of(guard).verify(request)


def test_both_guards_agree():
    import asyncio

    assert asyncio.run(_verify(both(), bearer("a", cnf={"jkt": "a"}))).subject == "alice"
    with pytest.raises(Rejected, match="binding_mismatch"):
        asyncio.run(_verify(both(), bearer("b", cnf={"jkt": "a"})))


def test_explain_judges_the_binding_by_the_proof():
    good = explain(bearer("a", cnf={"jkt": "a"}), both())
    assert good.accepted
    assert {check.name: check.passed for check in good.checks}["cnf"] is True
    bad = explain(bearer("b", cnf={"jkt": "a"}), both())
    assert [check.name for check in bad.causes] == ["cnf"]


def test_a_bound_token_never_comes_out_of_the_cache():
    from watchword import TokenCache

    cache = TokenCache()
    guard = Guard([AllOf(JWTVerifier(KEY, cache=cache), FakeProofs())])  # type: ignore[arg-type]
    request = bearer("a", cnf={"jkt": "a"})
    guard.verify(request)
    assert len(cache) == 0
    assert reason(guard, request.with_headers(((b"proof", b"b"),))) is Reason.BINDING_MISMATCH


def test_a_single_use_token_may_be_bound_too():
    from watchword.stores import MemoryStore

    guard = Guard([AllOf(JWTVerifier(KEY, single_use=True), FakeProofs())], MemoryStore())  # type: ignore[arg-type]
    request = bearer("a", cnf={"jkt": "a"}, jti="1", exp=4_000_000_000)
    guard.verify(request)
    assert reason(guard, request) is Reason.REPLAYED
    with pytest.raises(ConfigurationError, match="needs a store"):
        Guard([AllOf(JWTVerifier(KEY, single_use=True), FakeProofs())])  # type: ignore[arg-type]
