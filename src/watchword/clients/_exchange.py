"""What the adapters share: which fields a flow changed, which cookies a retry carries, how far an answer is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from watchword.core.message import Headers, Request
from watchword.transport.deferred import DeferredResponse, changed_since
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.effects import Send

__all__ = [
    "LIMIT", "TIMEOUT", "Head", "Replacements", "as_sent", "capped", "changes", "differs", "field_lines", "limited", "made",
    "merged_cookies", "misadapted", "octets", "oversized", "url_of", "waiting",
]  # fmt: skip

LIMIT: Final = 1024 * 1024
"""Octets of an answer to a flow's own request that are read."""
TIMEOUT: Final = 30.0
"""Seconds that a flow's own request waits to connect and between octets."""

Replacements = dict[bytes, list[bytes]]
"""The field lines by which those of the same name are replaced; no lines: the field is removed."""


def changes(before: Request, after: Request) -> Replacements:
    """The fields that differ between two requests.

    >>> bare = Request("GET", "https", "api.example", "/", {"Accept": "*/*"})
    >>> changes(bare, bare.with_headers(((b"authorization", b"Basic YTpi"),)))
    {b'authorization': [b'Basic YTpi']}
    """
    return {name: after.values(name) for name in changed_since(after, before)}


def differs(before: Request, send: Send) -> bool:
    """Whether a flow sends the caller's request otherwise than it is: other fields, another target, another body."""
    return bool(changes(before, send.request)) or send.request.target != before.target or send.content is not None


def merged_cookies(sent: str, fresh: str) -> str:
    """A Cookie field with `fresh` cookies in it, instead of those of the same name that it had (RFC 6265 §5.4).

    >>> merged_cookies("theme=dark; session=1", "session=2")
    'theme=dark; session=2'
    """
    names = {cookie.partition("=")[0].strip() for cookie in fresh.split(";")}
    kept = [cookie.strip() for cookie in sent.split(";") if cookie.partition("=")[0].strip() not in names]
    return "; ".join(cookie for cookie in (*kept, fresh) if cookie)


def limited(chunks: Iterable[bytes]) -> bytes:
    """All chunks as one.

    Raises:
        CredentialsUnavailable: they are more than `LIMIT` octets.
    """
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > LIMIT:
            raise oversized()
    return bytes(body)


def capped(chunks: Iterable[bytes], limit: int) -> bytes | None:
    """All chunks as one; None, and no more of them asked for, once they are more than `limit` octets."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


class Head(DeferredResponse):
    """Status and field lines of an answer, whose names the library has left as they came."""

    __slots__ = ("_lines",)

    def __init__(self, status: int, lines: Headers) -> None:
        self.status = status
        self._lines = lines

    def _make_headers(self) -> Headers:
        return [(name.lower(), value) for name, value in self._lines]

    def values(self, name: bytes) -> list[bytes]:
        return [value for field, value in self._lines if field.lower() == name]


def as_sent(send: Send, lines: Iterable[tuple[str | bytes, str | bytes]]) -> Request:
    """The request of `send` with the field lines that the library has sent: it may have put cookies into it."""
    headers = tuple((octets(name).lower(), octets(value)) for name, value in lines)
    made = send.request
    return Request.raw(made.method, made.scheme, made.authority, made.target, headers, made.peer, made.exact)


def oversized() -> CredentialsUnavailable:
    """The error of an answer that is too long."""
    return CredentialsUnavailable(f"the answer to a request for credentials has more than {LIMIT} octets")


def field_lines(lines: Iterable[tuple[str, str | bytes]]) -> Headers:
    """Field lines as the core takes them, from libraries that decode them as ISO 8859-1."""
    return [(octets(name).lower(), octets(value)) for name, value in lines]


def octets(text: str | bytes) -> bytes:
    """A field name or value as it is sent."""
    return text.encode("latin-1", "replace") if isinstance(text, str) else text


def url_of(request: Request) -> str:
    """The URL of a request of the flow's own."""
    return f"{request.scheme}://{request.authority}{request.target.decode('latin-1')}"


def waiting(seconds: Any) -> Any:
    """How long a flow's own request waits where the caller's waits for `seconds`, None meaning for ever."""
    return TIMEOUT if seconds is None else seconds


def misadapted(library: str) -> ConfigurationError:
    """The error of an adapted auth in the hands of another library than that for which it was adapted."""
    return ConfigurationError(
        f"this auth is adapted to {library}: adapt it with the module in watchword.clients that is called like your library"
    )


def made(auth: Any) -> Any:
    """`auth`, if it is a client half that was made of its credentials.

    Raises:
        ConfigurationError: it is something else.
    """
    if isinstance(auth, type):
        raise ConfigurationError(f"adapt takes an Auth with its credentials, adapt({auth.__name__}(…)), not the class")
    if not callable(getattr(auth, "flow", None)):
        kind = type(auth).__name__
        mend = (
            "clients take the other half, XAuth"
            if hasattr(auth, "refuse")
            else "for example BasicAuth('alice', password)"
        )
        raise ConfigurationError(f"adapt takes an Auth, not {kind}: {mend}")
    return auth
