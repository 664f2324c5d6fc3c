"""Sizes that are refused before any work is done on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from watchword.core.message import Request
from watchword.core.rejection import Reason, Rejected

__all__ = ["Limits", "check_target_size", "with_limits"]


class Limits(NamedTuple):
    """The largest request that is judged. A larger one is refused before its parts are parsed or looked up.

    Args:
        field: octets of one field value that carries credentials or forwarding information (431). Servers limit the
            header section as a whole.
        body: octets of a body that a scheme has to see (413).
        target: octets of the request target, path and query (414).
        parameters: parameters of the query (400).
        hops: proxies named by one forwarding field, `Forwarded` or one of `X-Forwarded-*`, all its lines together (400).
        password: characters of a password that Basic presents (401). Stores take passwords of at most 512 characters, so a
            lower limit locks out the users of longer ones; a higher one serves password files that other programs write.

    >>> Limits(body=26 * 1024 * 1024).field
    16384
    """

    field: int = 16 * 1024
    body: int = 1024 * 1024
    target: int = 16 * 1024
    parameters: int = 256
    hops: int = 32
    password: int = 512


def check_target_size(target: bytes, limits: Limits) -> None:
    """Refuses a target that is too long, or has too many query parameters, before anything reads it.

    Raises:
        Rejected: TARGET_TOO_LONG or TOO_MANY_PARAMETERS.

    >>> check_target_size(b"/orders?id=7&page=2", Limits(parameters=2))
    >>> check_target_size(b"/orders?id=7&page=2", Limits(parameters=1))
    Traceback (most recent call last):
    watchword.core.rejection.Rejected: too_many_parameters at query: 2 parameters where at most 1 are read
    """
    size = len(target)
    # A query of n parameters is longer than n octets, so a short target needs no count.
    if size <= limits.parameters and size <= limits.target:
        return
    if size > limits.target:
        detail = f"{size} octets where at most {limits.target} are read"
        raise Rejected(Reason.TARGET_TOO_LONG, detail, where="target")
    # "&" in the path is counted too, which costs less than to look for the query.
    count = target.count(b"&") + 1
    if count > limits.parameters:
        detail = f"{count} parameters where at most {limits.parameters} are read"
        raise Rejected(Reason.TOO_MANY_PARAMETERS, detail, where="query")


def with_limits(public_url: Callable[[Request], Request], limits: Limits) -> Callable[[Request], Request]:
    """`public_url` under the guard's limits, if it has a method `within` to be told them (`PublicURL` has)."""
    within: Callable[[Limits], Callable[[Request], Request]] | None = getattr(public_url, "within", None)
    return public_url if within is None else within(limits)
