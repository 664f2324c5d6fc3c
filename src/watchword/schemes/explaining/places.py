"""Where in a request credentials may be: each field, cookie, parameter and member, with the request as it is without it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from watchword.core.address import SUBPROTOCOL, Address
from watchword.core.message import Headers, Request
from watchword.schemes.explaining.masking import sent_by_name

__all__ = ["Source", "pair_of", "resembles", "sources", "with_fields", "written_at"]

SEGMENT: Final = 20
"""Octets from which on a segment of the path may be a key or a token."""
_LIKELY: Final = re.compile(
    rb"(?<![a-z])auth|token|key|secret|passw|pwd|credential|signature|hmac|jwt|bearer|session|login|user|sid$|access|api",
    re.IGNORECASE,
)
_OF_ANOTHER_MEANING: Final = re.compile(
    rb"^(?:user[-_]agent|signature-agent|idempotency-key|sec-.*|access-control-.*)$|[cx]srf|version$", re.IGNORECASE
)
"""Names that any client sends, and that hold no credentials, whatever words are in them."""
_USER, _PASSWORD = (
    re.compile(rb"user(?:_?name|_?id)?|login|email|client_id", re.IGNORECASE),
    re.compile(rb"pass(?:word|wd)?|pwd|(?:client_)?secret", re.IGNORECASE),
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a text stands: `kind` and `name` of the place, and the request without it."""

    kind: str
    name: str
    octets: bytes
    rest: Request
    likely: bool
    repeated: bool = False

    @property
    def place(self) -> str:
        """The place in words."""
        return {
            "field": f"the field {self.name}", "own": f"the field {self.name}", "cookie": f"the cookie {self.name}", "query": f"the query parameter {self.name}",
            "body": f"the body's member {self.name}",
        }.get(self.kind, self.name)  # fmt: skip


def sources(request: Request, body: bytes, field: bytes, addresses: Sequence[Address]) -> Iterator[Source]:
    """The places, the verifiers' own first and then those with a name of credentials."""
    own = {field if address.word else address.field for address in addresses}
    found = list(_places(request, body, own))
    found.sort(key=lambda source: (source.kind != "own", not source.likely))
    yield from found


def _places(request: Request, body: bytes, own: set[bytes]) -> Iterator[Source]:
    for kind, name, value in sent_by_name(request, body):
        shown = name.decode("utf-8", "backslashreplace")
        where = kind.decode()
        if name == b"cookie" or not value or len(value) > 16 * 1024:
            continue
        if kind == b"field":
            rest = _without_field(request, name)
            likely = _is_likely(name)
            repeated = len(request.values(name)) > 1
            yield Source("own" if name in own else where, shown, value, rest, likely or name in own, repeated)
        elif kind == b"query":
            yield Source(where, shown, value, _without_parameter(request, name), _is_likely(name))
        else:
            yield Source(where, shown, value, _without_field(request, b"authorization"), _is_likely(name))
    for segment in request.path.split(b"/"):
        if len(segment) >= SEGMENT:
            yield Source("path", "the path", segment, request, False)
    yield from _pairs(request, body)
    for text in (request.authority, request.target.partition(b"://")[2].partition(b"/")[0].decode("latin-1")):
        if "@" in text:
            user, _, host = text.rpartition("@")
            bare = Request.raw(
                request.method, request.scheme, host, request.target, request.headers, request.peer, request.exact
            )
            yield Source("authority", "the URL's authority, before @", user.encode(), bare, True)


def _is_likely(name: bytes) -> bool:
    return _LIKELY.search(name) is not None and _OF_ANOTHER_MEANING.search(name) is None


def _pairs(request: Request, body: bytes) -> Iterator[Source]:
    """A name and a password in two members, fields or parameters."""
    sent = [each for each in sent_by_name(request, body) if each[2]]
    for kind in dict.fromkeys(kind for kind, _, _ in sent):
        members = [(name.removeprefix(b"x-"), value) for each, name, value in sent if each == kind]
        place = {b"field": "the fields", b"query": "the query parameters", b"body": "the body's members"}.get(
            kind, "the cookies"
        )
        for pair in pair_of(members):
            names = [name for name, value in members if value in pair.partition(b":")[::2]]
            shown = " and ".join(name.decode("utf-8", "replace") for name in names[:2])
            yield Source("pair", f"{place} {shown}", pair, request, True)


def pair_of(members: Sequence[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """`name:password` of members that are called so; at most one.

    >>> list(pair_of([(b"username", b"alice"), (b"id", b"7"), (b"pass", b"sesame")]))
    [b'alice:sesame']
    """
    user = next((value for name, value in members if _USER.fullmatch(name)), None)
    password = next((value for name, value in members if _PASSWORD.fullmatch(name)), None)
    if user is not None and password is not None:
        yield user + b":" + password


def _without_field(request: Request, name: bytes) -> Request:
    return with_fields(request, [pair for pair in request.headers if pair[0] != name])


def _without_parameter(request: Request, name: bytes) -> Request:
    """Without the parameters of that name; those of other spellings stay."""
    kept = [pair for pair in (request.query or b"").split(b"&") if pair.partition(b"=")[0] != name]
    target = request.path + (b"?" + b"&".join(kept) if kept else b"")
    return Request.raw(
        request.method, request.scheme, request.authority, target, request.headers, request.peer, request.exact
    )


def with_fields(request: Request, headers: Headers) -> Request:
    """The request with these field lines instead of its own."""
    return Request.raw(
        request.method, request.scheme, request.authority, request.target, tuple(headers), request.peer, request.exact
    )


def resembles(name: bytes, wanted: bytes) -> bool:
    """Whether one name of a field may be meant for the other.

    >>> resembles(b"x_api_key", b"x-api-key"), resembles(b"accept", b"x-api-key")
    (True, False)
    """
    one, other = (re.sub(r"[^a-z0-9]|^x-|^http[-_]", "", text.decode("latin-1").lower()) for text in (name, wanted))
    return one == other or (len(other) > 5 and SequenceMatcher(None, one, other).ratio() >= 0.85)


def written_at(address: Address, credentials: bytes, word: str) -> tuple[bytes, str]:
    """The value of the field with these credentials in it, and what the place is called.

    >>> written_at(Address(b"cookie", member=b"__Host-token="), b"abc", "")
    (b'__Host-token=abc', 'cookie __Host-token')
    """
    if not address.member:
        return (word.encode() + b" " + credentials if address.word else credentials), ""
    value = address.member + credentials
    named = f"{address.field.decode()} {address.member.decode().rstrip('=')}"
    return (b"another, " + value if address.field == SUBPROTOCOL else value), named
