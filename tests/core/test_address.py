"""Credentials in the query: who is addressed by a parameter, and what else then holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.core.fakes import FakeClaim, FakeVerifier, RoutableFake, ask
from watchword import AllOf, JWTVerifier, Key, Reason, Request, TokenCache, explain
from watchword.core.address import Address, has_parameter
from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.core.plan import Limits
from watchword.core.rejection import Rejected
from watchword.core.scheme import STREAM, Decision
from watchword.crypto import jose


@dataclass
class InQuery(RoutableFake):
    """`?sig=<subject>`, or `Authorization: fake <subject>`."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    @property
    def addresses(self) -> Sequence[Address]:
        return (Address(word=self.wire), Address.in_query(b"sig"))

    def token(self, request: Request) -> str:
        both = [*request.values(b"authorization"), *(request.query or b"").split(b"&")]
        (value,) = [one for one in both if one.startswith((b"sig=", self.wire.encode()))]
        return value.replace(b"=", b" ").rpartition(b" ")[2].decode()

    def read(self, request: Request) -> FakeClaim | None:
        self.saw("read")
        return FakeClaim(self, self.token(request))

    def route(self, request: Request) -> str:
        return self.token(request)


def get(target: str, authorization: str | None = None) -> Request:
    headers = {} if authorization is None else {"Authorization": authorization}
    return Request("GET", "https", "api.example", target, headers)


@pytest.mark.parametrize("query", ["sig=alice", "a=1&sig=alice", "sig=alice&b", "a=sig&sig=alice"])
def test_a_parameter_addresses_its_verifier(query):
    answer = ask(InQuery(), get("/?" + query))
    assert (answer.subject, answer.scheme) == ("alice", "fake")


@pytest.mark.parametrize("target", ["/", "/?", "/?Sig=a", "/?xsig=a", "/?s%69g=a", "/?a=sig=a", "/sig=a", "/?sigs=a"])
def test_nothing_but_exactly_that_parameter_addresses_it(target):
    assert ask(InQuery(), get(target)).reason is Reason.NO_CREDENTIALS


def test_a_parameter_without_a_value_is_presented_all_the_same():
    assert has_parameter(b"a&sig", b"sig")
    assert has_parameter(b"sig=", b"sig")


def test_credentials_in_the_query_and_in_authorization_of_two_verifiers_are_ambiguous():
    other = FakeVerifier(scheme="other")
    answer = ask([InQuery(), other], get("/?sig=alice", "other bob"))
    assert (answer.reason, answer.status) == (Reason.AMBIGUOUS, 400)


def test_both_places_of_one_verifier_are_its_own_to_judge():
    verifier = InQuery()
    with pytest.raises(ValueError):  # the fake can't; a scheme refuses it
        Guard([verifier]).verify(get("/?sig=alice", "fake alice"))
    assert verifier.trace == ["fake read"]


def test_an_answer_to_credentials_in_the_query_is_private():
    assert ask(InQuery(), get("/?sig=alice")).response_headers == ((b"cache-control", b"private"),)


def test_a_query_with_credentials_is_bounded_and_any_other_is_not():
    limits = Limits(field=50)
    assert ask(InQuery(), get("/?sig=alice&a=" + "b" * 60), limits=limits).reason is Reason.HEADER_TOO_LARGE
    assert ask(InQuery(), get("/?a=" + "b" * 60, "fake alice"), limits=limits).subject == "alice"


def test_verifiers_that_share_both_places_are_routed_in_both():
    verifiers = [InQuery(routes=["alice"]), InQuery(routes=["bob"])]
    assert ask(verifiers, get("/?sig=bob")).subject == "bob"
    assert ask(verifiers, get("/", "fake alice")).subject == "alice"
    assert ask(verifiers, get("/?sig=carol")).reason is Reason.UNKNOWN_ISSUER


def test_all_of_demands_a_part_that_is_in_the_query():
    both = AllOf(InQuery(), FakeVerifier(scheme="other", field=b"x-other"))
    request = Request("GET", "https", "api.example", "/?sig=alice", {"X-Other": "other alice"})
    assert Guard([both]).verify(request).subject == "alice"
    with pytest.raises(Rejected) as caught:
        Guard([both]).verify(get("/?sig=alice"))
    assert caught.value.reason is Reason.BINDING_MISSING


def test_a_token_that_is_known_does_not_hide_credentials_in_the_query():
    key = Key.generate("HS256")
    guard = Guard([JWTVerifier(key, cache=TokenCache()), InQuery()])
    assert guard.verify(get("/", "Bearer " + _token(key))).subject == "alice"
    with pytest.raises(Rejected) as caught:
        guard.verify(get("/?sig=alice", "Bearer " + _token(key)))
    assert caught.value.reason is Reason.AMBIGUOUS
    assert guard.verify(get("/?other=alice", "Bearer " + _token(key))).subject == "alice"


def _token(key: Key) -> str:
    return jose.sign(b'{"sub":"alice","exp":4000000000}', key)


def test_explain_lets_the_body_pass_through_the_stream_too():
    class Nothing:
        def feed(self, chunk: bytes) -> bytes:
            raise Rejected(Reason.WRONG_BODY, "not this one", where="body")

        def end(self) -> bytes:
            return b""

    def decision(*_: Any) -> Decision:
        return Decision(Identity("alice", "fake"), stream=Nothing())

    verifier = FakeVerifier(body=STREAM, decision=decision)
    assert explain(get("/", "fake alice"), Guard([verifier]), b"body").reason is Reason.WRONG_BODY
