"""The names of fields that may carry a credential of their own."""

from __future__ import annotations

import re
from typing import Final

from watchword.core.rejection import ConfigurationError

__all__ = ["field_named"]

_FIELD: Final = re.compile(r"[!#$%&'*+.^`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2, without "_"
# Fields that say something else: to the guard, to HTTP, or to whoever stands between.
_TAKEN: Final = frozenset({
    "accept", "connection", "content-length", "content-type", "cookie", "date", "early-data", "expect", "forwarded",
    "host", "keep-alive", "origin", "proxy-authorization", "proxy-connection", "range", "referer", "te", "trailer",
    "transfer-encoding", "upgrade", "user-agent", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
})  # fmt: skip


def field_named(header: object, what: str) -> bytes:
    """The name of a field, in lower case, if it can carry `what`, a key or a token.

    Raises:
        ConfigurationError: it can't.

    >>> field_named("X-API-Key", "a key")
    b'x-api-key'
    """
    if not isinstance(header, str) or not _FIELD.fullmatch(header):
        raise ConfigurationError(
            f"{str(header)[:64]!r} can't carry {what}: a field name has letters, digits and '-', as in X-API-Key; one with "
            "'_' is dropped or confused with another by many servers"
        )
    name = header.lower()
    if name in _TAKEN:
        raise ConfigurationError(f"{header} has a meaning of its own: use X-API-Key, or Authorization")
    return name.encode()
