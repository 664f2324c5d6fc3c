"""The exchange of one attempt: the `Answer` of the app, and the calls of its handler that were seen meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from watchword.core.message import Headers

__all__ = ["Answer"]


@dataclass(frozen=True)
class Answer:
    """What came back for one request, or for one WebSocket handshake.

    Args:
        status: the status; 101 for a WebSocket that was opened and stayed open, 403 for one that was closed.
        headers: field lines, names in lower case.
        body: the content, as far as it was read.
        error: the name of the exception that left the app, or "".
        reached: whether the route's own handler ran.
        completed: what the handler returned, one value for each call that ended without an exception.

    >>> Answer(401, [(b"www-authenticate", b"Basic")]).values("WWW-Authenticate")
    ['Basic']
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    error: str = ""
    reached: bool = False
    completed: tuple[Any, ...] = field(default=(), repr=False)

    def values(self, name: str) -> list[str]:
        """The values of the field lines called `name`."""
        wanted = name.lower().encode()
        return [value.decode("latin-1") for line, value in self.headers if line.lower() == wanted]

    @property
    def success(self) -> bool:
        """Whether the status says that the request was served (RFC 9110 §15.3), or that the WebSocket is open."""
        return 200 <= self.status < 300 or self.status == 101
