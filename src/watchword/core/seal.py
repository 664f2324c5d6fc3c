"""The seal of a guard: it proves every answer that leaves the guard, a refusal and an anonymous answer like any other.

A scheme may prove the answers to whom it accepted (`Decision.seal`: Digest's rspauth). A guard's seal goes round that, and
round all that has no scheme: it is made for the request, before anything is known of it, so that the answer can be bound
to what was asked.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from watchword.core.answer import Random, Refusal, Seal
from watchword.core.body import check_declared
from watchword.core.dispatch import Case
from watchword.core.io import IO
from watchword.core.message import Headers, Request, Response
from watchword.core.plan import Plan
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.core.scheme import NO_BODY, WHOLE, Decision
from watchword.structures.streams import BodyStream

__all__ = ["Failing", "around", "as_proxy", "checked_content", "failure", "has_content", "seal_for", "sealed"]

_WITHOUT: Final = frozenset({204, 304})


class Failing(Protocol):
    """A guard, which gives the answer that a server would give by itself where something failed."""

    def failure(self, request: Request, /) -> Refusal:
        """500, sealed."""
        ...


def has_content(method: str, status: int) -> bool:
    """Whether an answer has content at all, be it empty (RFC 9110 §6.4.1).

    >>> has_content("GET", 404), has_content("HEAD", 200), has_content("GET", 304)
    (True, False, False)
    """
    return method != "HEAD" and status >= 200 and status not in _WITHOUT


def seal_for(plan: Plan, request: Request) -> Seal | None:
    """The guard's seal for the answer to a request as the server saw it; None if the guard has none."""
    if plan.seal is None:
        return None
    if plan.public_url is not None:
        try:
            request = plan.public_url(request)
        except Rejected:
            pass  # it is refused for that; the refusal is bound to what was seen
    return plan.seal.seal(request)


async def checked_content(
    plan: Plan,
    io: IO[Any, Any],
    request: Request,
    case: Case | None,
    decision: Decision | None,
    receive: Any,
    seal: Seal,
) -> tuple[bytes | None, BodyStream | None]:
    """The request's body, if it was read for it, once it is what the guard's seal will say of it; else the check to come.

    A body that no scheme wants to see pass is read and checked before anybody acts on it, unless it says that it is too long for
    that, or comes in chunks. Such a body is checked as it passes.

    Raises:
        Rejected: it is not that.
    """
    assert seal.check is not None
    read = None if case is None or case.body is NO_BODY else case.body.data
    check = seal.check()
    if read is None:
        if not _is_short(request, plan.limits.body) or (decision is not None and decision.stream is not None):
            return None, check
        read = (await io.read(receive, WHOLE, plan.limits.body)).data
    check.feed(read)
    check.end()
    return read, None


def _is_short(request: Request, limit: int) -> bool:
    try:
        check_declared(request, limit)
    except Rejected:
        return False
    return not request.values(b"transfer-encoding")


def around(lines: Headers, own: Seal | None, outer: Seal, method: str, proxy: bool) -> Seal:
    """The fields that a decision adds, its own seal and then the guard's over all of them, as one seal."""

    def headers(response: Response, body: bytes | None, now: float, random: Random) -> Headers:
        if not has_content(method, response.status):
            body = b""  # whatever the application wrote, none of it is sent
        added = lines
        if own is not None:
            added = (*added, *own.headers(response, body if own.needs_body else None, now, random))
        if proxy:
            added = as_proxy(added)
        return (*added, *outer.headers(response.with_more(added), body if outer.needs_body else None, now, random))

    return Seal(outer.needs_body or (own is not None and own.needs_body), headers)


def as_proxy(lines: Headers) -> Headers:
    """Schemes know one field only, so what they prove to the client gets a proxy's name here (RFC 9110 §11.7.3)."""
    return tuple(
        (b"proxy-authentication-info" if name == b"authentication-info" else name, value) for name, value in lines
    )


def sealed(plan: Plan, refusal: Refusal, seal: Seal | None) -> Refusal:
    """The refusal with the guard's seal on it, if the guard has one.

    Raises:
        ConfigurationError: the guard has one, but nobody said to which request this is the answer.
    """
    if plan.seal is None:
        return refusal
    if seal is None:
        raise ConfigurationError("a guard with a seal answers a request: guard.refuse(rejected, request)")
    return refusal._replace(sealing=lambda answer, content: seal.headers(answer, content, plan.clock(), plan.random))


def failure(plan: Plan, request: Request) -> Refusal:
    """The answer where a guard with a seal, or what it guards, failed altogether: 500, and nothing said of why."""
    return sealed(plan, Refusal(500), seal_for(plan, request))
