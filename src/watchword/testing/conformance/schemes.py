"""The promises of a scheme, tried by both guards."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchword.core.address import Address
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.identity import Identity
from watchword.core.message import Request
from watchword.core.records import Found, Outcome, Ref, Write
from watchword.core.rejection import Reason, Rejected, StoreUnavailable
from watchword.core.scheme import Verifier
from watchword.core.verdict import Verdict
from watchword.schemes.explaining import explain, explain_async
from watchword.testing.cases import SchemeCase
from watchword.testing.setup import SchemeSetup
from watchword.testing.tampering import changed, is_covered, tamperings

__all__ = ["SchemeConformance"]

_BODY = b"pay 10"
_TEXT = 512
"""Characters of a text that a log keeps."""
_LONG = 100_000
"""Seconds after which what expires has expired."""


class SchemeConformance:
    """What a scheme has to do. Subclass it in a test module, under a name that pytest collects, and say what the scheme promises:

    >>> from watchword.testing import case_of
    >>> class TestHMAC(SchemeConformance):
    ...     case = case_of("hmac")  # of yours: SchemeCase("ticket", auth=…, impostor=…, verifier=…, enrol=…, single_use=True)
    """

    case: ClassVar[SchemeCase]

    @pytest.fixture
    def scheme(self) -> SchemeSetup:
        """The scheme, set up; a subclass that is for several schemes has a fixture of this name with `params`."""
        return SchemeSetup(self.case)

    @pytest.fixture(params=[False, True], ids=["sync", "async"])
    def on_a_loop(self, request: pytest.FixtureRequest) -> bool:
        """Whether the verdict is that of the guard on an event loop."""
        return bool(request.param)

    def test_the_verifier_is_what_the_case_says(self, scheme: SchemeSetup) -> None:
        verifier, case = scheme.verifier, scheme.case
        assert verifier.scheme == case.name
        assert verifier.single_use is case.single_use
        assert verifier.ambient is case.ambient
        assert verifier.addresses

    def test_a_genuine_request_is_accepted(self, scheme: SchemeSetup, on_a_loop: bool) -> None:
        who = _verdict(scheme, *scheme.genuine("POST", body=_BODY), on_a_loop=on_a_loop)
        assert isinstance(who, Identity)
        assert (who.subject, who.scheme) == (scheme.case.subject, scheme.case.name)

    def test_a_wrong_secret_is_refused(self, scheme: SchemeSetup, on_a_loop: bool) -> None:
        assert isinstance(_verdict(scheme, *scheme.forged(), on_a_loop=on_a_loop), Reason)

    def test_a_change_is_refused_exactly_where_the_scheme_covers_it(self, scheme: SchemeSetup, on_a_loop: bool) -> None:
        guard = _guard(scheme)
        changes = len(list(tamperings(*scheme.genuine("POST", body=_BODY))))
        for number in range(changes):  # each of a request of its own: what is good once may be accepted once
            genuine = scheme.genuine("POST", body=_BODY)
            tampering = list(tamperings(*genuine))[number]
            verdict = _verdict(scheme, tampering.request, tampering.body, guard=guard, on_a_loop=on_a_loop)
            if _all_presented(scheme, tampering.request) != _all_presented(scheme, genuine.request):
                assert isinstance(verdict, Reason)  # they are in the target, and were changed with it
                continue
            refused = is_covered(tampering.part, scheme.case.covers)
            assert isinstance(verdict, Reason if refused else Identity), tampering

    def test_a_replay_is_refused_exactly_where_the_scheme_is_single_use(
        self, scheme: SchemeSetup, on_a_loop: bool
    ) -> None:
        request = scheme.genuine()
        assert isinstance(_verdict(scheme, *request, on_a_loop=on_a_loop), Identity)
        again = _verdict(scheme, *request, on_a_loop=on_a_loop)
        if scheme.case.single_use:
            assert again is Reason.REPLAYED
        else:
            assert isinstance(again, Identity)

    def test_credentials_expire_exactly_where_the_scheme_says_so(self, scheme: SchemeSetup, on_a_loop: bool) -> None:
        request = scheme.genuine()
        scheme.clock.advance(_LONG)
        verdict = _verdict(scheme, *request, on_a_loop=on_a_loop)
        if scheme.case.expires:
            assert verdict in (Reason.EXPIRED, Reason.STALE_NONCE)
        else:
            assert isinstance(verdict, Identity)

    def test_no_other_request_gets_the_changes_that_an_application_makes_to_an_identity(
        self, scheme: SchemeSetup, on_a_loop: bool
    ) -> None:
        """Whatever is remembered between requests: caches, keys, the sessions of a client."""
        make = scheme.case.remembering or scheme.case.verifier
        guard = _guard(scheme, make())
        once = scheme.genuine()
        seen = []
        for _ in range(4):
            request = scheme.genuine() if scheme.case.single_use else once
            found = _verdict(scheme, *request, guard=guard, on_a_loop=on_a_loop)
            assert isinstance(found, Identity)
            own = {"id", "timestamp"}  # of a message: each has its own
            seen.append({name: value for name, value in found.claims.items() if name not in own})
            assert isinstance(found.scopes, frozenset)
            with pytest.raises(AttributeError):
                found.scopes = frozenset(("admin",))  # type: ignore[misc]
            for claims in (found.claims, *found.claims.values()):
                if isinstance(claims, dict):
                    claims["admin"] = True
                elif isinstance(claims, list):
                    claims.append("admin")
        assert all(claims == seen[0] for claims in seen)

    @pytest.mark.parametrize("long", ["A" * 3000, "%41" * 900, "é" * 900, 'x"' * 900])
    def test_no_text_of_a_verdict_is_long(self, scheme: SchemeSetup, long: str) -> None:
        """Whatever a request says, at any place of its credentials: logs keep the verdict."""
        verdicts: list[Verdict] = []
        guard = _guard(scheme, observe=verdicts.append)
        genuine, body = scheme.genuine("POST", body=_BODY)
        for request in _with_longer_credentials(scheme, genuine, long.encode()):
            with contextlib.suppress(Rejected):
                guard.verify(request, body)
        assert verdicts
        for verdict in verdicts:
            for text in (verdict.detail, verdict.where, verdict.subject or "", verdict.key_id or ""):
                assert len(text) <= _TEXT

    def test_the_scheme_word_is_compared_without_case(self, scheme: SchemeSetup) -> None:
        request, body = scheme.genuine()
        for name, value in request.headers:
            if name == b"authorization":
                word, _, rest = value.partition(b" ")
                other = changed(request, headers=((name, word.swapcase() + b" " + rest),))
                assert isinstance(_verdict(scheme, other, body), Identity)

    def test_too_large_credentials_are_refused_before_any_look_up(self, scheme: SchemeSetup, on_a_loop: bool) -> None:
        genuine, body = scheme.genuine()
        verifier = scheme.verifier
        # A refusal's challenge may need a record: then the store is asked, for that one only.
        store = (
            scheme.store if verifier.always_needed else _Down(AssertionError("looked up before the size was checked"))
        )
        guard = _guard(scheme, verifier, store)
        for address in verifier.addresses:
            huge = _presenting(address, _presented(address, genuine) + b"a" * 20_000, genuine)
            verdict = _verdict(scheme, huge, body, guard=guard, on_a_loop=on_a_loop)
            assert verdict is (Reason.TARGET_TOO_LONG if address.query else Reason.HEADER_TOO_LARGE)

    def test_too_large_a_body_is_refused_where_the_scheme_reads_it(self, scheme: SchemeSetup, on_a_loop: bool) -> None:
        request, _ = scheme.genuine("POST")
        verdict = _verdict(scheme, request, b"a" * (1024 * 1024 + 1), on_a_loop=on_a_loop)
        if "body" in scheme.case.covers:
            assert verdict is Reason.BODY_TOO_LARGE
        else:
            assert isinstance(verdict, Identity)

    def test_explain_agrees_with_the_verdict_commits_nothing_and_tells_no_secret(self, scheme: SchemeSetup) -> None:
        request, body = scheme.genuine()
        explanation = explain(request, scheme.guard, body)
        assert explanation.accepted
        assert not explanation.causes
        assert str(asyncio.run(explain_async(request, scheme.guard, body))) == str(explanation)
        assert isinstance(_verdict(scheme, request, body), Identity)
        forged, body = scheme.forged()
        refused = explain(forged, scheme.guard, body)
        assert not refused.accepted
        assert refused.causes
        said = str(explanation) + explanation.to_json() + str(refused) + refused.to_json()
        assert not any(secret in said for secret in scheme.case.secrets)

    def test_no_secret_in_any_repr(self, scheme: SchemeSetup) -> None:
        auth = scheme.case.auth()
        request, _ = scheme.genuine()
        shown = " ".join(map(repr, (auth, scheme.verifier, request, scheme.verifier.read(request))))
        credentials = [_presented(address, request).decode("latin-1") for address in scheme.verifier.addresses]
        for secret in (*scheme.case.secrets, *filter(None, credentials)):
            assert secret not in shown

    def test_a_store_that_is_down_accepts_nothing(self, scheme: SchemeSetup, on_a_loop: bool) -> None:
        request, body = scheme.genuine()
        guard = _guard(scheme, scheme.verifier, _Down(StoreUnavailable()))
        if not scheme.verifier.kinds:  # it asks none
            assert isinstance(_verdict(scheme, request, body, guard=guard, on_a_loop=on_a_loop), Identity)
            return
        with pytest.raises(StoreUnavailable) as caught:
            asyncio.run(AsyncGuard.of(guard).verify(request, body)) if on_a_loop else guard.verify(request, body)
        assert caught.value.refusal is not None
        assert caught.value.refusal.status == 503

    @settings(
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture, HealthCheck.differing_executors, HealthCheck.too_slow,
        ],
    )  # fmt: skip
    @given(value=st.binary(max_size=120), body=st.binary(max_size=20), target=st.binary(max_size=20))
    def test_any_octets_give_an_identity_or_a_rejection(
        self, scheme: SchemeSetup, value: bytes, body: bytes, target: bytes
    ) -> None:
        guard = _guard(scheme)
        for address in scheme.verifier.addresses:
            before = address.word.encode() + b" " if address.word else address.member
            bare = Request("GET", "https", "api.example", b"/" + target)
            request = _presenting(address, before + value, bare)
            first = _verdict(scheme, request, body, guard=guard)
            assert isinstance(_verdict(scheme, request, body, guard=guard, on_a_loop=True), type(first))


def _guard(
    scheme: SchemeSetup,
    verifier: Verifier | None = None,
    store: Any = None,
    observe: Callable[[Verdict], None] | None = None,
) -> Guard:
    """Another guard of the scheme; it allows any number of guesses."""
    return Guard(
        [scheme.verifier if verifier is None else verifier],
        scheme.store if store is None else store,
        policy=scheme.policy._replace(attempts=None),
        observe=observe,
    )


def _verdict(
    scheme: SchemeSetup, request: Request, body: bytes, *, guard: Guard | None = None, on_a_loop: bool = False
) -> Identity[Any] | Reason:
    """The guard's verdict; what a refusal says is no secret."""
    judge = scheme.guard if guard is None else guard
    try:
        return asyncio.run(AsyncGuard.of(judge).verify(request, body)) if on_a_loop else judge.verify(request, body)
    except Rejected as rejected:
        refused = rejected
    assert refused.refusal is not None
    lines = refused.refusal.response().headers
    said = b"".join(value for _, value in lines).decode("latin-1") + str(refused)
    assert not any(secret in said for secret in scheme.case.secrets)
    return refused.reason


def _with_longer_credentials(scheme: SchemeSetup, genuine: Request, long: bytes) -> Iterator[Request]:
    """The request with `long` at each place of each of its fields, and of its credentials in the target."""
    for number, (name, value) in enumerate(genuine.headers):
        for longer in _longer(value, long):
            lines = [*genuine.headers[:number], (name, longer), *genuine.headers[number + 1 :]]
            yield Request(genuine.method, genuine.scheme, genuine.authority, genuine.target, lines)
    for address in scheme.verifier.addresses:
        if address.query:
            for longer in _longer(_presented(address, genuine), long):
                yield _presenting(address, longer, genuine)


def _longer(value: bytes, long: bytes) -> Iterator[bytes]:
    for at in sorted({0, 5, *(place + 1 for place, octet in enumerate(value) if octet in b'",=;/ .:')}):
        yield value[:at] + long + value[at:]


def _all_presented(scheme: SchemeSetup, request: Request) -> list[bytes]:
    return [_presented(address, request) for address in scheme.verifier.addresses]


def _presented(address: Address, request: Request) -> bytes:
    """The credentials at one of a verifier's places, b"" if there are none."""
    if address.query:
        pairs = [pair.partition(b"=") for pair in (request.query or b"").split(b"&")]
        return next((value for name, _, value in pairs if name == address.query), b"")
    values = request.values(address.field)
    return values[0] if values else b""


def _presenting(address: Address, value: bytes, request: Request) -> Request:
    """The request with these credentials at that place."""
    if not address.query:
        return changed(request, headers=((address.field, value),))
    kept = [pair for pair in (request.query or b"").split(b"&") if pair and pair.partition(b"=")[0] != address.query]
    return changed(request, target=request.path + b"?" + b"&".join([*kept, address.query + b"=" + value]))


class _Down:
    """A store that can't be asked."""

    kinds = None
    blocking = False

    def __init__(self, error: Exception) -> None:
        self._error = error

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        raise self._error

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        raise self._error
