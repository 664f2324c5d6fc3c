"""The guard's seal: on every answer, whoever makes it, and never twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.core.fakes import FakeStore, FakeVerifier, Note
from watchword.core.io import once, once_async
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.message import Request, Response
from watchword.core.limits import Limits
from watchword.core.plan import Policy
from watchword.core.records import Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import STREAM, WHOLE, Decision, Seal
from watchword.core.seal import has_content
from watchword.crypto.jose import sign
from watchword.crypto.keys import Key
from watchword.schemes.jwt import JWTVerifier
from watchword.schemes.token_cache import TokenCache


class Wax:
    """Says of each answer to what request it is, with which fields, and what it was given of the content."""

    def __init__(self, needs_body: bool = True) -> None:
        self.needs_body = needs_body

    def seal(self, request: Request) -> Seal:
        def headers(response: Response, body: bytes | None, now: float, random: Any) -> list[tuple[bytes, bytes]]:
            names = b" ".join(name for name, _ in response.headers)
            return [
                (
                    b"x-wax",
                    b"%s %s %d [%s] %r" % (request.target, request.authority.encode(), response.status, names, body),
                )
            ]

        return Seal(self.needs_body, headers)


def request(credentials: str | None = None, method: str = "GET", target: str = "/a", **headers: str) -> Request:
    lines = {"authorization": credentials} if credentials else {}
    return Request(method, "https", "api.example", target, {**lines, **headers})


def own(body: bool) -> Seal:
    return Seal(body, lambda response, content, now, random: [(b"authentication-info", b"%r" % content)])


def decides(**parts: Any) -> Any:
    return lambda *_: Decision(Identity("alice", "fake", scopes=frozenset({"read"})), **parts)


def guard(sealer: Any = None, **settings: Any) -> Guard:
    verifiers = [
        FakeVerifier("plain", scopes=frozenset({"read"})),
        FakeVerifier("whole", body=WHOLE),
        FakeVerifier("info", decision=decides(response_headers=[(b"x-info", b"1")], seal=own(False))),
        FakeVerifier("sealbody", decision=decides(seal=own(True))),
        FakeVerifier("stream", body=STREAM, decision=decides(stream=Failing())),
        FakeVerifier("down", kinds=(Note,), needs=[Ref(Note, ("x",))]),
    ]
    policy = Policy(limits=Limits(body=10), public_url=settings.pop("public_url", None))
    return Guard(verifiers, FakeStore(down="fetch"), policy=policy, seal=sealer or Wax(), **settings)


class Failing:
    def feed(self, chunk: bytes) -> bytes:
        raise Rejected(Reason.WRONG_BODY)

    def end(self) -> bytes:
        raise Rejected(Reason.WRONG_BODY)


def refused(guard: Guard, asked: Request, body: bytes = b"", optional: bool = False) -> list[bytes]:
    """The seal on what the client gets; both guards say the same."""

    async def by_async() -> Response:
        try:
            await AsyncGuard.of(guard).admit(asked, once_async(body), optional=optional)
        except (Rejected, StoreUnavailable) as error:
            return error.refusal.response()
        raise AssertionError

    with pytest.raises((Rejected, StoreUnavailable)) as error:
        guard.admit(asked, once(body), optional=optional)
    response = error.value.refusal.response()
    other = asyncio.run(by_async())
    assert (response.status, response.headers) == (other.status, other.headers)
    return response.values(b"x-wax")


@pytest.mark.parametrize(
    ("credentials", "body", "status"),
    [
        (None, b"", 401),
        ("plain wrong", b"", 401),
        ("plain malformed", b"", 401),
        ("other x", b"", 401),
        ("whole alice", b"x" * 11, 413),
        ("down alice", b"", 503),
    ],
)
def test_every_refusal_is_sealed_once_with_all_its_fields(credentials, body, status):
    (wax,) = refused(guard(), request(credentials), body)
    assert wax.startswith(b"/a api.example %d [" % status)
    assert wax.endswith(b"cache-control content-length] b''")
    assert (b"www-authenticate" in wax) is (status != 503)


def test_two_lines_of_authorization_are_refused_under_seal():
    asked = Request("GET", "https", "api.example", "/a", [("authorization", "plain a"), ("authorization", "plain b")])
    (wax,) = refused(guard(), asked)
    assert b" 400 [" in wax


def test_bad_credentials_are_refused_under_seal_where_they_are_optional_too():
    (wax,) = refused(guard(), request("plain wrong"), optional=True)
    assert b" 401 [" in wax


def answered(
    guard: Guard, asked: Request, response: Response, body: bytes | None = b"content", **settings: Any
) -> list[bytes]:
    admission = guard.admit(asked, once(b""), **settings)
    return [value for name, value in admission.answer_headers(guard.plan, response, body) if name == b"x-wax"]


def test_what_the_application_answers_is_sealed_for_whoever_asked():
    plain = Response(200, {"content-type": "text/plain"})
    expected = [b"/a api.example 200 [content-type] b'content'"]
    assert answered(guard(), request("plain alice"), plain) == expected
    assert answered(guard(), request(), plain, optional=True) == expected


def test_the_seal_goes_over_what_the_scheme_adds():
    assert answered(guard(), request("info alice"), Response(200)) == [
        b"/a api.example 200 [x-info authentication-info] b'content'"
    ]


def test_each_seal_gets_the_content_only_if_it_asked_for_it():
    admission = guard(Wax(needs_body=False)).admit(request("sealbody alice"), once(b""))
    lines = dict(admission.answer_headers(guard().plan, Response(200), b"content"))
    assert admission.holds_back
    assert lines[b"authentication-info"] == b"b'content'"
    assert lines[b"x-wax"].endswith(b"] None")
    admission = guard().admit(request("info alice"), once(b""))
    lines = dict(admission.answer_headers(guard().plan, Response(200), b"content"))
    assert lines[b"authentication-info"] == b"None"
    assert lines[b"x-wax"].endswith(b"] b'content'")


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 101)])
def test_an_answer_without_content_is_sealed_without_whatever_the_application_wrote(method, status):
    (wax,) = answered(guard(), request("plain alice", method), Response(status))
    assert wax.endswith(b"] b''")
    assert not has_content(method, status)


def test_a_proxys_fields_are_sealed_under_the_names_that_go_out():
    sealing = guard(proxy=True)
    asked = Request("GET", "https", "api.example", "/a", {"proxy-authorization": "info alice"})
    (wax,) = answered(sealing, asked, Response(200))
    assert b"[x-info proxy-authentication-info]" in wax
    (wax,) = refused(sealing, request())
    assert b" 407 [proxy-authenticate " in wax


def test_the_seal_knows_the_request_as_the_client_sent_it():
    def public(seen: Request) -> Request:
        return Request(seen.method, "https", "public.example", b"/app" + seen.target, seen.headers)

    behind = guard(public_url=public)
    assert answered(behind, request("plain alice"), Response(200))[0].startswith(b"/app/a public.example 200 ")
    (wax,) = refused(behind, request("plain wrong"))
    assert wax.startswith(b"/app/a public.example 401 ")


def test_a_request_that_the_public_url_refuses_is_refused_under_the_seal_of_what_was_seen():
    def refuses(seen: Request) -> Request:
        raise Rejected(Reason.TARGET_REFUSED)

    (wax,) = refused(guard(public_url=refuses), request())
    assert wax.startswith(b"/a api.example 400 ")


@pytest.mark.parametrize(("credentials", "status"), [("plain alice", 403), (None, 401)])
def test_missing_scopes_are_refused_under_seal_without_saying_the_request_again(credentials, status):
    sealing = guard()
    rejected = sealing.admit(request(credentials), once(b""), optional=True).missing_scopes(["write"])
    assert rejected is not None
    (wax,) = sealing.refuse(rejected).response().values(b"x-wax")
    assert wax.startswith(b"/a api.example %d [" % status)
    (wax,) = asyncio.run(AsyncGuard.of(sealing).refuse(rejected)).response().values(b"x-wax")
    assert wax.startswith(b"/a api.example %d [" % status)


def test_what_the_application_refuses_by_itself_is_sealed_for_the_request_that_it_names():
    (wax,) = guard().refuse(Rejected(Reason.NO_CREDENTIALS), request(target="/b")).response().values(b"x-wax")
    assert wax.startswith(b"/b api.example 401 ")


def test_a_guard_with_a_seal_never_refuses_without_it():
    with pytest.raises(ConfigurationError, match=r"guard.refuse\(rejected, request\)"):
        guard().refuse(Rejected(Reason.NO_CREDENTIALS))


def test_a_guard_without_a_seal_refuses_as_ever():
    plain = Guard([FakeVerifier("plain")])
    refusal = plain.refuse(Rejected(Reason.NO_CREDENTIALS))
    assert refusal == plain.refuse(Rejected(Reason.NO_CREDENTIALS), request())
    assert refusal.sealing is None
    assert plain.admit(request("plain alice"), once(b"")).seal is None


def test_a_body_that_fails_after_the_decision_is_refused_under_seal():
    with pytest.raises(Rejected) as error:
        guard().verify(request("stream alice"), b"x")
    (wax,) = error.value.refusal.response().values(b"x-wax")
    assert wax.startswith(b"/a api.example 401 ")


def test_a_failure_and_an_answer_that_is_too_long_are_500_under_seal():
    sealing = guard()
    response = sealing.failure(request()).response()
    assert (response.status, len(response.values(b"x-wax"))) == (500, 1)
    oversized = sealing.admit(request("sealbody alice"), once(b"")).oversized(sealing.plan)
    assert (oversized.status, oversized.values(b"content-length")) == (500, [b"0"])
    assert oversized.values(b"x-wax") == [b"/a api.example 500 [cache-control content-length authentication-info] b''"]


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_no_short_cut_goes_round_the_seal(kind):
    """A token that was verified before is known again, and the answer is sealed all the same."""
    key = Key.from_secret(bytes(32), algorithm="HS256")
    cache = TokenCache()
    guard = kind([JWTVerifier(key, cache=cache)], seal=Wax(needs_body=False), policy=Policy(clock=lambda: 0.0))
    token = sign(b'{"sub":"alice","exp":4000000000}', key)
    for known in (0, 1, 1):
        assert len(cache) == known
        admitted = guard.admit(request(f"Bearer {token}"), once(b"") if kind is Guard else once_async(b""))
        if kind is AsyncGuard:
            admitted = asyncio.run(admitted)
        ((name, value),) = admitted.answer_headers(guard.plan, Response(200), None)
        assert (admitted.identity.subject, name) == ("alice", b"x-wax")
        assert value == b"/a api.example 200 [] None"


@pytest.mark.parametrize("wrong", ["seal", object(), 7])
def test_what_is_no_seal_is_a_configuration_error(wrong):
    with pytest.raises(ConfigurationError, match="SignatureSeal"):
        Guard([FakeVerifier("plain")], seal=wrong)
