"""Judging one request by both guards, with look-ups that are plain functions and coroutine functions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from watchword import AsyncGuard, Guard, Identity, Policy, Rejected, Request, StoreUnavailable
from watchword.core.scheme import Verifier

__all__ = ["Judge", "challenge_of", "judges", "request_with"]

Verdict = Identity | Rejected | StoreUnavailable


class Judge(Protocol):
    """What a guard of one kind says of a request."""

    __name__: str

    def __call__(
        self, verifiers: Sequence[Verifier], request: Request, policy: Policy = ..., *, store: Any = None
    ) -> Verdict: ...


def request_with(*lines: tuple[bytes, bytes], method: str = "GET", scheme: str = "https") -> Request:
    """A request with these field lines."""
    return Request(method, scheme, "api.example", "/orders", lines)


def challenge_of(rejected: Rejected) -> str:
    """The one challenge of a refusal."""
    assert rejected.refusal is not None
    (value,) = rejected.refusal.response().values(b"www-authenticate")
    return value.decode()


def judges() -> list[Judge]:
    """Both guards, and the one on the event loop over a look-up that is awaited."""
    return [in_the_callers_thread, on_the_event_loop, awaiting_the_look_up]


def in_the_callers_thread(
    verifiers: Sequence[Verifier], request: Request, policy: Policy = Policy(), *, store: Any = None
) -> Verdict:
    try:
        return Guard(verifiers, store, policy=policy).verify(request)
    except (Rejected, StoreUnavailable) as error:
        return error


def on_the_event_loop(
    verifiers: Sequence[Verifier], request: Request, policy: Policy = Policy(), *, store: Any = None
) -> Verdict:
    try:
        return asyncio.run(AsyncGuard(verifiers, store, policy=policy).verify(request))
    except (Rejected, StoreUnavailable) as error:
        return error


def awaiting_the_look_up(
    verifiers: Sequence[Verifier], request: Request, policy: Policy = Policy(), *, store: Any = None
) -> Verdict:
    for verifier in verifiers:
        lookup: Any = getattr(verifier, "lookup", None)
        if lookup is not None and not lookup.awaited:
            ask = lookup._ask

            async def asked(name: str, ask: Any = ask) -> Any:
                await asyncio.sleep(0)
                return ask(name)

            lookup._ask, lookup.awaited = asked, True
    return on_the_event_loop(verifiers, request, policy, store=store)
