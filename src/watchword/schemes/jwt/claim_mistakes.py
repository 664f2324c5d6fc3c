"""A claim that would have passed in another form: seconds that came as milliseconds, a text as a list, a name as a longer one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from watchword.core.rejection import Rejected

__all__ = ["claim_mistake", "converted"]

_OLDEST: Final = 10**8  # in 1973
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "iss": ("issuer",), "aud": ("audience", "azp", "client_id", "resource"), "sub": ("subject", "user_id", "uid", "username", "user"),
    "exp": ("expires", "expiry", "expires_at", "expiration"), "iat": ("issued_at", "issuedAt"), "nbf": ("not_before", "notBefore"),
    "jti": ("id", "token_id"),
}  # fmt: skip


def claim_mistake(claim: str, claims: Mapping[str, Any], check: Callable[[Mapping[str, Any]], None]) -> str:
    """How the claim came, if `check` passes for another form of it; "" if it passes for none of these.

    Args:
        claim: its name.
        claims: all of the token.
        check: raises `Rejected` for a claim that doesn't pass.

    >>> def seconds(claims):
    ...     if not isinstance(claims.get("exp"), int) or claims["exp"] > 10**11:
    ...         raise Rejected(...)
    >>> claim_mistake("exp", {"exp": 1700000000000}, seconds), claim_mistake("exp", {"expires": 1700000000}, seconds)
    ('exp came in milliseconds', "exp came under the name 'expires'")
    """
    if claim in claims:
        found = ((f"{claim} came {what}", other) for what, other in converted(claims[claim]))
    else:
        folded = [name for name in claims if name.strip().lower() == claim or name in _NAMES.get(claim, ())]
        found = ((f"{claim} came under the name {name!r}", claims[name]) for name in folded)
    for said, other in found:
        try:
            check({**claims, claim: other})
        except Rejected:
            continue
        return said
    return ""


def converted(value: Any) -> Iterator[tuple[str, Any]]:
    """The same value in other types, units and spellings, with how it came instead.

    >>> dict(converted("hs256"))["in another case"]
    'HS256'
    """
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, (int, float)):
        if abs(value) < 1e21:
            for power, unit in ((3, "milliseconds"), (6, "microseconds"), (9, "nanoseconds")):
                if abs(value) >= _OLDEST * 10**power:  # else it is no time of anybody's today
                    yield f"in {unit}", int(value / 10**power)
            yield "as a number, not as a text", str(value)
    elif isinstance(value, str):
        yield from _of_text(value[:1024])
    elif isinstance(value, list):
        if len(value) == 1:
            yield "as a list of one", value[0]
        for at, each in enumerate(value[:16]):
            for what, other in converted(each):
                yield what, [*value[:at], other, *value[at + 1 :]]


def _of_text(text: str) -> Iterator[tuple[str, Any]]:
    yield "with white space around it", text.strip()
    yield "with a slash (/) at its end", text.rstrip("/")
    yield "without a slash (/) at its end", text + "/"
    yield "in another case", text.lower()
    yield "in another case", text.upper()
    yield "without https:// before it", "https://" + text
    if "://" in text:
        scheme, _, rest = text.partition("://")
        yield f"with {scheme}:// before it", rest
        yield f"with {scheme}:// before it", ("http" if scheme == "https" else "https") + "://" + rest
        yield "with a path or query after it", f"{scheme}://{rest.partition('/')[0]}"
    for mark in (" ", ","):
        if mark in text:
            yield "as one text, not as a list", [part.strip() for part in text.split(mark)]
    try:
        number = float(text)
        if abs(number) < 1e18:
            yield "as a text, not as a number", int(number)
            yield "as a text of milliseconds", int(number / 1000)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        yield (
            "as a date, not in seconds since 1970",
            int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()),
        )
    except (ValueError, OverflowError):
        pass
