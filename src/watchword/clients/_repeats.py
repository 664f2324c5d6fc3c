"""What may be sent a second time: one rule for all adapters.

A server that asks for credentials (401) has done nothing yet, so that its answer may be followed by any method. Where
nobody knows what a server has done, because an answer was lost or a server refuses a copy, only a method that may be
repeated is (RFC 9110 §9.2.2), and only with a body that is still there.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

from watchword.core.rejection import ConfigurationError

__all__ = [
    "IDEMPOTENT",
    "MAY_WANT",
    "WANTED",
    "check_repeatable",
    "may_repeat",
    "position",
    "read",
    "rewind",
    "unreplayable",
]

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""The methods that may be repeated (RFC 9110 §9.2.2); their case matters (§9.1)."""
MAY_WANT: Final = "the server may want the body once more"
"""Why a body has to be repeatable before anything is sent."""
WANTED: Final = "the server wants the request with its body once more"
"""Why a body has to be sent again."""


def position(body: Any) -> int | None:
    """The offset of a file; None if `body` is no file, or is not seekable."""
    if body is None or isinstance(body, (str, bytes)):
        return None
    try:
        return int(body.tell()) if body.seekable() else None
    except (AttributeError, OSError):
        return None


def unreplayable(need: str) -> ConfigurationError:
    """The error of a body that would have to be read twice."""
    return ConfigurationError(f"{need}, but it can be read only once: pass bytes or a seekable file")


def check_repeatable(body: Any, start: int | None, need: str = MAY_WANT) -> None:
    """Nothing, if a body can be sent twice: none, octets, text, a file that stood at `start`, or what can be iterated anew.

    Raises:
        ConfigurationError: it can be read only once.

    >>> check_repeatable(iter([b"a"]), None)
    Traceback (most recent call last):
        ...
    watchword.core.rejection.ConfigurationError: the server may want the body once more, but it can be read only once: pass bytes or a seekable file
    """
    if body is None or isinstance(body, (str, bytes, bytearray)) or start is not None:
        return
    if hasattr(body, "read") or hasattr(body, "__next__") or hasattr(body, "__anext__"):
        raise unreplayable(need)


def rewind(body: Any, start: int | None) -> None:
    """Makes a body ready to be sent once more.

    Raises:
        ConfigurationError: it can be read only once.
    """
    check_repeatable(body, start, WANTED)
    if start is not None:
        body.seek(start)


def read(body: Any, start: int | None) -> bytes:
    """The octets of a body, which stays ready to be sent.

    Raises:
        ConfigurationError: it can be read only once.
    """
    if body is None or isinstance(body, (str, bytes, bytearray)):
        return body.encode() if isinstance(body, str) else bytes(body or b"")
    if start is not None:
        body.seek(start)
        content = body.read()
        body.seek(start)
        return content.encode() if isinstance(body, io.TextIOBase) else bytes(content)
    check_repeatable(body, start, "this scheme covers the body")
    return b"".join(body)


def may_repeat(method: str, check: Callable[[], None]) -> bool:
    """Whether a request may go out again though nobody knows what became of it; `check` raises for a body that is gone.

    >>> may_repeat("PUT", lambda: None), may_repeat("POST", lambda: None)
    (True, False)
    """
    if method not in IDEMPOTENT:
        return False
    try:
        check()
    except ConfigurationError:
        return False
    return True
