"""An octet that moves from one part of a signed request into the one beside it must change what is signed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.attacks.signed_worlds import ED25519, FORM, MAC, WORLDS, Signed, World
from watchword.schemes.webhooks import PROFILES
from watchword import Rejected, Request, SignatureAuth, SignaturePolicy, SignatureVerifier

# What a scheme's signature says nothing about, by its own specification.
UNSIGNED_ID = {f"webhook-{row.name}" for row in PROFILES.values() if row.id and "id" not in row.covers}
TARGETS = "/orders/x?id=7&b=c&d=ef"
BODY = b"name=value&other=more"
# Values in a field: quoted, or up to a separator.
VALUE = re.compile(rb'(?<==)"?([A-Za-z0-9+/\-._]{2,})')


def moved(text: bytes, boundary: int, end: int) -> bytes:
    """The octet before `boundary` put behind the separator that ends at `end`."""
    return text[: boundary - 1] + text[boundary:end] + text[boundary - 1 : boundary] + text[end:]


def in_target(target: bytes) -> Iterator[bytes]:
    """Across "?", "&", "=" and "/", both ways."""
    for separator in re.finditer(rb"[?&=/]", target[1:]):
        at, end = separator.start() + 1, separator.end() + 1
        yield moved(target, at, end)
        yield target[:at] + target[end : end + 1] + target[at:end] + target[end + 1 :]


def in_field(value: bytes) -> Iterator[bytes]:
    """Between neighbouring values of a field, both ways."""
    spans = [match.span(1) for match in VALUE.finditer(value)]
    for (_, end), (begin, _) in pairwise(spans):
        yield moved(value, end, begin)
        yield value[:end] + value[begin : begin + 1] + value[end:begin] + value[begin + 1 :]


def changes(world: World, signed: Signed) -> Iterator[tuple[str, Request, bytes]]:
    request, body = signed

    def other(
        target: bytes | None = None, headers: list[tuple[bytes, bytes]] | None = None, authority: str | None = None
    ) -> Request:
        return Request(
            request.method, request.scheme, authority or request.authority, target or request.target,
            headers or request.headers,
        )  # fmt: skip

    for target in in_target(request.target):
        yield "target", other(target), body
    # From the host into the path, from the target into the body, and back.
    yield "authority", other(b"/e" + request.target, authority=request.authority[:-1]), body
    yield "authority", other(authority=request.authority + "/"), body
    yield "query-body", other(request.target + body[:1]), body[1:]
    yield "query-body", other(request.target[:-1]), request.target[-1:] + body
    for at in range(1, len(body), 3):
        yield "body", request, moved(body, at, at + 1)
    for index, (name, value) in enumerate(request.headers):
        for changed in in_field(value):
            yield (
                f"field {name!r}",
                other(headers=[*request.headers[:index], (name, changed), *request.headers[index + 1 :]]),
                body,
            )
        if index:
            before, previous = request.headers[index - 1]
            headers = [
                *request.headers[: index - 1],
                (before, previous[:-1]),
                (name, previous[-1:] + value),
                *request.headers[index + 1 :],
            ]
            yield f"from {before!r} to {name!r}", other(headers=headers), body


def is_covered(scheme: str, what: str, original: Signed, request: Request, body: bytes) -> bool:
    """Whether the scheme's own specification covers this change."""
    row = PROFILES.get(scheme.removeprefix("webhook-"))
    if row is not None and "url" not in row.covers and what in ("target", "authority", "query-body"):
        return body != original.body
    if row is not None and "{url}{body}" in row.content and what == "query-body":
        return False  # nor between URL and body: docs/limitations.md
    if scheme == "webhook-twilio" and what in ("body", "query-body"):
        return False  # nothing stands between names, values and URL: tests/attacks/test_webhook_twilio.py
    return not (scheme in UNSIGNED_ID and what.startswith(("field", "from")))


@pytest.mark.parametrize("scheme", WORLDS)
def test_no_octet_moves_between_neighbouring_parts(scheme: str) -> None:
    world = WORLDS[scheme]
    signed = world.sign(TARGETS, BODY, headers={"X-One": "first value", "X-Two": "second value"})
    guard = world.guard()
    assert guard.verify(*signed).scheme
    tried = 0
    for what, request, body in changes(world, signed):
        if (request.target, request.headers, request.authority, body) == (
            signed.request.target, signed.request.headers, signed.request.authority, signed.body,
        ):  # fmt: skip
            continue
        outcome = world.verify(request, body)
        if is_covered(scheme, what, signed, request, body) and relevant(world, scheme, what):
            assert isinstance(outcome, Rejected), (what, request.target, request.headers, body)
            tried += 1
    assert tried >= 5


def relevant(world: World, scheme: str, what: str) -> bool:
    """Whether a field is one that this world's signature covers."""
    if not what.startswith(("field", "from")):
        return True
    return any(f"b'{name}'" in what for name in world.fields if name != "content-type")


@pytest.mark.parametrize("scheme", ["signature", "signature-ed25519"])
def test_no_octet_moves_between_covered_fields(scheme: str) -> None:
    """RFC 9421 §2.5: one line for each, which no value can end."""
    key = MAC if scheme == "signature" else ED25519
    components = ("@method", "@authority", "@path", "@query", "x-one", "x-two", "content-digest")
    covering = World(
        lambda: SignatureAuth(key, components=components),
        lambda: SignatureVerifier(key, policy=SignaturePolicy(components=components)),
        WORLDS[scheme].fields,
    )
    signed = covering.sign(TARGETS, BODY, headers={"X-One": "ab", "X-Two": "cd"})
    assert covering.guard().verify(*signed).subject
    for one, two in ((b"a", b"bcd"), (b"abc", b"d"), (b'ab\n"x-two": cd', b"cd"), (b"ab, cd", b""), (b"", b"abcd")):
        headers = [(n, {b"x-one": one, b"x-two": two}.get(n, v)) for n, v in signed.request.headers]
        request = Request("POST", "https", "api.example", TARGETS, headers)
        assert isinstance(covering.verify(request, signed.body), Rejected)


@pytest.mark.parametrize("scheme", ["sigv4", "sigv4-s3", "sigv4a"])
def test_no_octet_moves_between_signed_fields_of_sigv4(scheme: str) -> None:
    world = WORLDS[scheme]
    signed = world.sign(TARGETS, BODY, headers={"X-One": "ab", "X-Two": "cd"})
    for one, two in ((b"a", b"bcd"), (b"abc", b"d"), (b"ab\nx-two:cd", b"cd"), (b"ab,cd", b""), (b"", b"abcd")):
        headers = [(n, {b"x-one": one, b"x-two": two}.get(n, v)) for n, v in signed.request.headers]
        request = Request("POST", "https", "api.example", TARGETS, headers)
        assert isinstance(world.verify(request, signed.body), Rejected)


@pytest.mark.parametrize("moved_to", ["header", "name", "value"])
def test_no_parameter_of_oauth1_becomes_another(moved_to: str) -> None:
    """RFC 5849 §3.4.1.3 signs the parameters of field, query and form together; the field takes only the protocol's own."""
    world = WORLDS["oauth1-header"]
    request, body = world.sign("/orders?amount=5&to=bob")
    (value,) = request.values(b"authorization")
    target, value = {
        "header": (b"/orders?to=bob", value + b', amount="5"'),
        "name": (b"/orders?amountt=5&o=bob", value),
        "value": (b"/orders?amount=&5to=bob", value),
    }[moved_to]
    changed = Request("POST", "https", "api.example", target, {**FORM, "Authorization": value.decode()})
    assert isinstance(world.verify(changed, body), Rejected)
