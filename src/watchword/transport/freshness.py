"""How long an answer is good (RFC 9111 §4.2), read with suspicion: what isn't clear is short-lived."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final

from watchword.core.message import Headers

__all__ = ["lifetime", "while_revalidated"]

_FOREVER: Final = 2**31
"""Seconds; RFC 9111 §1.2.2 lets a cache take anything larger as this."""


def lifetime(headers: Headers) -> float | None:
    """Seconds for which an answer with these fields is good from now on; 0 for not at all, None if it doesn't say.

    This is a private cache: `s-maxage` is not for it. Where fields contradict each other the shortest counts.

    >>> lifetime([(b"cache-control", b"public, max-age=600"), (b"age", b"60")])
    540.0
    """
    directives = _directives(headers)
    if "no-store" in directives or "no-cache" in directives:
        return 0.0
    if "max-age" in directives:
        good = min(_seconds(value) for value in directives["max-age"])
    else:
        until = _expires(headers)
        if until is None:
            return None
        good = until
    ages = [_seconds(value.decode("latin-1")) for name, value in headers if name == b"age"]
    return max(0.0, good - max(ages, default=0.0))


def while_revalidated(headers: Headers) -> float:
    """Seconds after that for which it may be used while it is being fetched anew (RFC 5861 §3); 0 if it doesn't say so clearly.

    >>> while_revalidated([(b"cache-control", b"max-age=15, stale-while-revalidate=30")])
    30.0
    """
    directives = _directives(headers)
    if not directives.keys().isdisjoint(("no-store", "no-cache", "must-revalidate")):
        return 0.0
    return min((_seconds(value) for value in directives.get("stale-while-revalidate", ())), default=0.0)


def _directives(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if name == b"cache-control":
            for part in value.decode("latin-1").split(","):
                directive, _, argument = part.partition("=")
                found.setdefault(directive.strip().lower(), []).append(argument.strip().strip('"'))
    return found


def _seconds(text: str) -> float:
    """delta-seconds (RFC 9111 §1.2.2); what isn't any is 0."""
    text = text.strip()
    if not text.isascii() or not text.isdigit():
        return 0.0
    return float(_FOREVER if len(text) > 10 else min(int(text), _FOREVER))


def _expires(headers: Headers) -> float | None:
    """Expires less Date (RFC 9111 §5.3); a date that can't be read has passed. None without Expires."""
    expires = [value for name, value in headers if name == b"expires"]
    if not expires:
        return None
    dates = [value for name, value in headers if name == b"date"]
    if len(expires) > 1 or len(dates) != 1:
        return 0.0
    try:
        until, since = (parsedate_to_datetime(value.decode("latin-1")) for value in (expires[0], dates[0]))
        return max(0.0, (until - since).total_seconds())
    except (ValueError, TypeError, OverflowError):  # TypeError: one date has a zone, the other none
        return 0.0
