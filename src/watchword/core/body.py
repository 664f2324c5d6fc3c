"""Reading a body under its limit, digesting it on the way."""

from __future__ import annotations

from watchword.core.message import Request
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import Body, BodyNeed, Digests

__all__ = ["BodyReader", "check_declared"]


def check_declared(request: Request, limit: float) -> None:
    """Refuses, before any look-up, a body that says itself that it is too large.

    Raises:
        Rejected: BODY_TOO_LARGE, or MALFORMED_REQUEST where Content-Length is not one decimal number.
    """
    lengths = request.values(b"content-length")
    if not lengths:
        return
    if len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > 19:
        raise Rejected(Reason.MALFORMED_REQUEST, "not one decimal number", where="content-length")
    if int(lengths[0]) > limit:
        raise Rejected(
            Reason.BODY_TOO_LARGE, f"{int(lengths[0])} octets where at most {limit:.0f} are read", where="body"
        )


class BodyReader:
    """Collects chunks up to `limit` octets and computes the digests that were asked for.

    >>> from watchword.core.scheme import WHOLE
    >>> reader = BodyReader(WHOLE, limit=5)
    >>> reader.feed(b"hello")
    >>> reader.body().data
    b'hello'
    """

    def __init__(self, need: BodyNeed | Digests, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._chunks: list[bytes] = []
        names = need.algorithms if isinstance(need, Digests) else ()
        self._hashers = {name: need.new(name) for name in names} if isinstance(need, Digests) else {}

    def feed(self, chunk: bytes) -> None:
        """Takes the next chunk.

        Raises:
            Rejected: BODY_TOO_LARGE.
        """
        self._size += len(chunk)
        if self._size > self._limit:
            raise Rejected(Reason.BODY_TOO_LARGE, f"more than {self._limit} octets", where="body")
        self._chunks.append(chunk)
        for hasher in self._hashers.values():
            hasher.update(chunk)

    def body(self) -> Body:
        """All of it, at the end."""
        return Body(b"".join(self._chunks), {name: hasher.digest() for name, hasher in self._hashers.items()})
