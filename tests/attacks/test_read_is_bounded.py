"""Nothing that a stranger sends makes `read` do much, since it comes before any look-up and limit, and on the event loop.

Every verifier reads the largest credentials and the largest target that a guard lets through, in every shape that has ever
been dear: the steps are counted, bounded, and grow no faster than the size. A larger request costs no more than
one that is just too large. `test_patterns_do_not_backtrack` judges the regular expressions, which are one step each here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.attacks.signed_worlds import WORLDS
from tests.counting import instructions
from watchword import (
    APIKeyVerifier, BasicVerifier, DigestVerifier, Guard, InCookie, InField, InSubprotocol, JWTVerifier, Key, KeySet, Limits, OAuth1Verifier, Peer, Policy, PublicURL,
    Reason, Rejected, Request, TokenVerifier, WebBotVerifier,
)  # fmt: skip
from watchword.authorization_server.token_endpoint import TokenError, read_form, read_head
from watchword.core.address import Address
from watchword.core.scheme import Verifier
from watchword.crypto import jose
from watchword.schemes import SCHEMES
from watchword.testing.cases import CASES, CLAIMS, KEY, SECRET

MOST = 200_000
"""Steps: one or two milliseconds."""
LIMITS = Limits()

# What is repeated, and in what it stands.
UNITS = [
    b",", b"a,", b"a=b,", b"a,a=", b"=", b'"', b'"",', b"\\", b'\\"', b"%", b"%41", b"%c3", b"%2F", b"&", b"a=b&", b";", b"a;",
    b"(", b"()", b" ", b"a", b"a b", b'"a" ', b"a=(),", b'a="b",', b"/", b"/.", b"/../", b"-", b"0", b":", b"\xff", b"\xc3\xa9",
    b"{", b'{"a":', b"[", b"+", b"~", b".", b"A=",
]  # fmt: skip
AROUND = [(b"", b""), (b'a="', b'"'), (b"sig1=(", b");a"), (b"sig1=:", b":"), (b"t=1,v1=", b"")]


class Read(NamedTuple):
    """A verifier, and a genuine request for it (None: it is given hostile ones only)."""

    verifier: Verifier
    request: Request | None = None


def _verifiers() -> dict[str, Read]:
    found = {name: Read(case().verifier()) for name, case in CASES.items()}
    found |= {name: Read(world.verifier(), world.sign().request) for name, world in WORLDS.items()}
    found["oauth1-everywhere"] = Read(OAuth1Verifier(placements=("header", "query", "form"), allow_plaintext=True))
    found["digest-everything"] = Read(
        DigestVerifier(realm="orders", userhash=True, qop=("auth", "auth-int"), allow_legacy_rfc2069=True)
    )
    found["api_key-in-authorization"] = Read(APIKeyVerifier(header="Authorization"))
    for place in (InCookie(), InField("X-Ticket"), InSubprotocol("bearer.")):
        found[repr(place)] = Read(TokenVerifier(lambda _: None, place=place))
    found["api_key-of-any-form"] = Read(APIKeyVerifier(lambda _: None))
    found["web_bot"] = Read(WebBotVerifier({"https://bot.example": KeySet([Key.generate("ed25519")])}))
    bearer = f"Bearer {jose.sign(b'{}', KEY)}"
    found["jwt"] = Read(found["jwt"].verifier, Request("GET", "https", "api.example", "/", {"Authorization": bearer}))
    return found


VERIFIERS = _verifiers()


def test_no_scheme_is_left_out() -> None:
    assert {row.name for row in SCHEMES} <= {read.verifier.scheme for read in VERIFIERS.values()}


def filled(unit: bytes, size: int, before: bytes = b"", after: bytes = b"") -> bytes:
    left = size - len(before) - len(after)
    return before + (unit * (left // len(unit) + 1))[:left] + after


def with_credentials(address: Address, size: int, unit: bytes, before: bytes, after: bytes) -> Request:
    """A request whose credentials have `size` octets, as have the other fields that readers look at."""
    words = address.word.encode() + b" " if address.word else address.member
    value = filled(unit, size, words + before, after)
    others = (
        b"signature-input", b"signature", b"content-digest", b"signature-agent", b"webhook-id", b"webhook-timestamp",
        b"x-amz-date", b"x-amz-content-sha256", b"content-type", b"origin", b"sec-websocket-key",
    )  # fmt: skip
    lines = [(name, filled(unit, size, before, after)) for name in others if name != address.field]
    query = b"?a=" + address.query + b"&" + address.query + b"=1" if address.query else b""
    return Request("POST", "https", "api.example", b"/" + query, [(address.field or b"authorization", value), *lines])


def check(read: Any, name: object, small: Request, large: Request) -> None:
    """Few steps, and in proportion to the size."""
    try:
        read(large)  # what is loaded at first use is loaded then
    except Rejected:
        pass
    half, whole = instructions(lambda: read(small)), instructions(lambda: read(large))
    assert whole <= MOST, f"{whole} steps for {name}"
    # Twice is linear, four times quadratic; the shorter one may end within a unit that is simpler than the others.
    assert whole <= 3 * half + 2000, f"{half} steps for half of it and {whole} for {name}"


@pytest.mark.parametrize("name", VERIFIERS)
def test_the_largest_credentials_are_read_in_few_steps(name: str) -> None:
    verifier = VERIFIERS[name].verifier
    for address in verifier.addresses:
        for before, after in AROUND:
            for unit in UNITS:
                small, large = (
                    with_credentials(address, size, unit, before, after) for size in (LIMITS.field // 2, LIMITS.field)
                )
                check(verifier.read, (address, before, unit), small, large)


TARGET_UNITS = [unit for unit in UNITS if not set(unit) & set(b'& "\\\xff\xc3')] + [b"%C3%A9", b"%5c", b"a+"]


def targets(size: int, kept: bytes) -> Iterator[bytes]:
    """Targets of `size` octets that end with the parameters `kept`; in one piece, and in as many parameters as may be."""
    many = LIMITS.parameters - 1 - kept.count(b"&") - bool(kept)
    many = many * size // LIMITS.target
    end = b"&" + kept if kept else b""
    for unit in TARGET_UNITS:
        yield filled(unit, size, b"/", b"?" + kept if kept else b"")
        yield filled(unit, size, b"/?", end)
        yield filled(unit, size, b"/?a=", end)
        part = filled(unit, (size - len(end)) // many - 1)
        yield b"/?" + b"&".join([part] * many) + end
        yield b"/?" + b"&".join([b"%d=" % number + part[4:] for number in range(many)]) + end


COVER_TARGETS = (
    "jwt", "hmac", "signature", "oauth1-header", "oauth1-query", "oauth1-form", "sigv4", "sigv4-s3", "webhook-twilio",
)  # fmt: skip
"""Each reader that looks at the target, once."""


@pytest.mark.parametrize("name", COVER_TARGETS)
def test_the_largest_target_is_read_in_few_steps(name: str) -> None:
    verifier, genuine = VERIFIERS[name]
    assert genuine is not None
    query = genuine.query or b""
    kept = query if b"oauth_" in query or b"X-Amz-" in query else b""

    def asking(target: bytes) -> Request:
        assert genuine is not None
        return Request(genuine.method, genuine.scheme, genuine.authority, target, genuine.headers)

    claims = 0
    for small, large in zip(targets(LIMITS.target // 2, kept), targets(LIMITS.target, kept), strict=True):
        assert len(large) <= LIMITS.target
        assert large.count(b"&") < LIMITS.parameters
        check(verifier.read, large[:40], asking(small), asking(large))
        try:
            claims += verifier.read(asking(large)) is not None
        except Rejected as rejected:
            assert rejected.reason in (Reason.TARGET_REFUSED, Reason.MALFORMED_CREDENTIALS, Reason.AMBIGUOUS)
    assert claims > 100, "the target was not reached"


# ---- names and passwords ----------------------------------------------------------------------------------------------


def basic(username: str, password: str) -> Request:
    value = b"Basic " + b64encode(f"{username}:{password}".encode())
    return Request("GET", "https", "api.example", "/", [(b"authorization", value)])


@pytest.mark.parametrize("character", ["é", "字", "🐎", "\u1100", "\u0301", "e\u0301", "\u0d4d", "\uff41", "\u30fb"])
def test_the_longest_name_and_password_are_read_in_few_steps(character: str) -> None:
    read = BasicVerifier(realm="orders").read
    check(
        read,
        character,
        basic("a", character * (256 // len(character))),
        basic("a", character * (512 // len(character))),
    )
    check(
        read,
        character,
        basic(character * (128 // len(character)), "a"),
        basic(character * (256 // len(character)), "a"),
    )


@pytest.mark.parametrize("character", ["x", "é", "字"])
def test_a_longer_name_or_password_costs_no_more(character: str) -> None:
    read = BasicVerifier(realm="orders").read

    def taken(username: str, password: str) -> int:
        request = basic(username, password)
        with pytest.raises(Rejected):
            read(request)
        return instructions(lambda: read(request))

    assert taken("a", character * 513) == taken("a", character * 2000)
    assert taken(character * 257, "a") == taken(character * 2000, "a")


# ---- before any verifier ----------------------------------------------------------------------------------------------


def guard(public_url: PublicURL | None = None) -> Guard:
    return Guard(
        [JWTVerifier(KEY, issuer=CLAIMS["iss"], audience=CLAIMS["aud"])],
        policy=Policy(public_url=public_url),
    )


@pytest.mark.parametrize("unit", [b"&", b"a=b&", b"%", b"/", b"a"])
def test_a_target_that_is_too_long_costs_no_more_however_long_it_is(unit: bytes) -> None:
    judge = guard().verify
    just, far = (Request("GET", "https", "api.example", filled(unit, size, b"/?")) for size in (16_385, 1_000_000))
    for request in (just, far):
        with pytest.raises(Rejected) as caught:
            judge(request)
        assert caught.value.reason is Reason.TARGET_TOO_LONG
    assert instructions(lambda: judge(just)) == instructions(lambda: judge(far)) < 5000


def forwarded(field: str, value: bytes) -> Request:
    return Request("GET", "http", "app", "/", [(field.encode(), value)], Peer("10.0.0.2"))


HOPS = {
    "forwarded": b'for="[2001:db8::1]:4711";by=10.0.0.3;host="api.example:8443";proto=https;a=b;c=d;e=f;g="\\h"',
    "x-forwarded-for": b"2001:db8::1",
    "x-forwarded-proto": b"https",
    "x-forwarded-host": b"api.example:8443",
    "x-forwarded-port": b"8443",
    "x-forwarded-prefix": b"/api/v1",
}


def public_url(field: str) -> PublicURL:
    if field == "forwarded":
        return PublicURL(forwarded="Forwarded", trusted=("10.0.0.0/8", "2001:db8::/32"))
    believe = ("for", "proto", "host", "port", "prefix")
    return PublicURL(forwarded="X-Forwarded", trusted=("10.0.0.0/8", "2001:db8::/32"), believe=believe)


@pytest.mark.parametrize("field", HOPS)
def test_the_longest_list_of_proxies_is_read_in_few_steps(field: str) -> None:
    url = public_url(field)
    lists = [forwarded(field, b", ".join([HOPS[field]] * count)) for count in (LIMITS.hops // 2, LIMITS.hops)]
    for request in lists:
        url(request)
    check(url, field, *lists)
    for before, after in ((b"", b""), (b'for="', b'"'), (b'for=_a;a="', b'"')):
        for unit in UNITS:
            small, large = (
                forwarded(field, filled(unit, size, before, after)) for size in (LIMITS.field // 2, LIMITS.field)
            )
            check(url, (before, unit), small, large)


@pytest.mark.parametrize("field", HOPS)
@pytest.mark.parametrize("unit", [b",", b"for=_a,", b";", b"a", b'"', b" "])
def test_a_list_of_proxies_that_is_too_long_costs_no_more_however_long_it_is(field: str, unit: bytes) -> None:
    judge = guard(public_url(field)).verify
    just, far = (forwarded(field, filled(unit, size)) for size in (16_385, 1_000_000))
    for request in (just, far):
        with pytest.raises(Rejected) as caught:
            judge(request)
        assert caught.value.reason is Reason.HEADER_TOO_LARGE
    assert instructions(lambda: judge(just)) == instructions(lambda: judge(far)) < 5000


# ---- the token endpoint -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS)
def test_the_largest_token_request_is_read_in_few_steps(unit: bytes) -> None:
    def read(request: Request, body: bytes) -> None:
        try:
            read_form(read_head(request), body)
        except TokenError:
            pass

    def asking(value: bytes) -> Request:
        form = "application/x-www-form-urlencoded"
        return Request(
            "POST", "https", "id.example", "/", [("Content-Type", form), (b"authorization", b"Basic " + value)]
        )

    for before in (b"", b"a:"):
        small, large = (asking(b64encode(filled(unit, size, before))) for size in (6000, 12_000))
        check(lambda request: read(request, b"grant_type=client_credentials"), unit, small, large)
    plain = asking(b64encode(b"robot:" + SECRET.encode()))
    for before in (b"grant_type=client_credentials&", b"grant_type=client_credentials&a=", b""):
        bodies = {size: filled(unit, size, before) for size in (8 * 1024, 16 * 1024)}
        half, whole = (instructions(lambda body=body: read(plain, body)) for body in bodies.values())  # type: ignore[misc]
        assert whole <= min(MOST, 3 * half + 2000)
