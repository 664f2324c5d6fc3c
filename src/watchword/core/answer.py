"""The answer to the client: a `Refusal` with its `Challenge`s, and the `Seal` that proves an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from watchword.core.message import Headers, Request, Response
from watchword.core.records import Write
from watchword.structures.streams import BodyStream

__all__ = ["ACCOUNT_TYPE", "Challenge", "Random", "Refusal", "ResponseSealer", "Seal", "Token"]

Random = Callable[[int], bytes]
"""`random(n)` gives n unpredictable bytes."""


class Token(str):
    """A parameter value that is sent as a token, without quotes (RFC 9110 §5.6.2)."""

    __slots__ = ()


class Challenge(NamedTuple):
    r"""One member of WWW-Authenticate (RFC 9110 §11.3): a scheme word and its parameters in order.

    Values are quoted strings; wrap a value in `Token` where the scheme's RFC wants it bare.

    >>> Challenge("Digest", (("realm", 'a "b"'), ("algorithm", Token("SHA-256")))).encode()
    b'Digest realm="a \\"b\\"", algorithm=SHA-256'
    """

    scheme: str
    params: tuple[tuple[str, str], ...] = ()
    token68: str | None = None

    def encode(self) -> bytes:
        """The field value, UTF-8 inside quoted strings."""
        if self.token68 is not None:
            return f"{self.scheme} {self.token68}".encode()
        params = ", ".join(f"{name}={_value(value)}" for name, value in self.params)
        return f"{self.scheme} {params}".rstrip().encode()


def _value(value: str) -> str:
    if isinstance(value, Token):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Seal(NamedTuple):
    """Proves the response: `headers(response, body, now, random)` are added to it.

    `body` is the whole response body if `needs_body`, else None. `check` makes the check of the request's body, for a seal
    that speaks of it: the guard has it passed before it lets the request through, or as the application reads the body. Once
    it was made, `headers` says nothing of a body that has not passed it to the end.
    """

    needs_body: bool
    headers: Callable[[Response, bytes | None, float, Random], Headers]
    check: Callable[[], BodyStream] | None = None


class ResponseSealer(Protocol):
    """Seals answers: `Guard(…, seal=…)`."""

    def seal(self, request: Request, /) -> Seal:
        """The seal for the answer to `request`; pure. It must not fail, whatever the request looks like.

        `Seal.headers` then gets the answer with all its fields, and its content if `needs_body`: b"" where it has none.
        """
        ...


ACCOUNT_TYPE: Final = b"text/plain; charset=utf-8"
"""The media type of `Refusal.account`."""


class Refusal(NamedTuple):
    """The answer that the client gets. `writes` are committed before it goes out (a first nonce key).

    `sealing` gives what the guard's seal adds to the finished answer and its content, where there is one. `account` is a text
    for whoever develops on this machine (`Policy(explain="development")`), to be sent as the content; b"" everywhere else.
    """

    status: int
    challenges: Sequence[Challenge] = ()
    headers: Headers = ()
    writes: Sequence[Write] = ()
    sealing: Callable[[Response, bytes], Headers] | None = None
    account: bytes = b""

    def fields(self) -> Headers:
        """What every wording of this answer has: one field line per challenge, `headers`, and that it is never cached."""
        name = b"proxy-authenticate" if self.status == 407 else b"www-authenticate"
        lines = tuple((name, challenge.encode()) for challenge in self.challenges)
        return (*lines, *self.headers, (b"cache-control", b"no-store"))

    def response(self, content: bytes = b"", media_type: bytes = b"") -> Response:
        """The head of the answer to send with `content`, sealed where the guard has a seal."""
        described = ((b"content-type", media_type),) if media_type else ()
        lines = (*self.fields(), *described, (b"content-length", str(len(content)).encode()))
        response = Response(self.status, lines)
        return response if self.sealing is None else response.with_more(self.sealing(response, content))
