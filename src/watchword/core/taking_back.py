"""Marks that stand only if the application succeeds, taken back where it failed (`Decision.provisional`)."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Any

from watchword.core.admission import Admission
from watchword.core.io import IO, done
from watchword.core.plan import Plan
from watchword.core.records import Committed, Once, Outcome, TakeBack, Write

__all__ = ["commit_or_leave_none", "remove", "take_back"]


async def take_back(plan: Plan, io: IO[Any, Any], admission: Admission) -> None:
    """Removes the provisional marks of an admission, once."""
    marks, admission.provisional = admission.provisional, ()
    await remove(plan, io, marks)


async def remove(plan: Plan, io: IO[Any, Any], marks: Sequence[Once]) -> None:
    """Removes marks; what fails is logged, since the answer is another matter.

    A mark that has ended stays: it may have been made anew meanwhile, for another request.
    """
    if not marks:
        return
    now = plan.clock()
    writes = [TakeBack(mark.key, mark.owner) for mark in marks if now < mark.until]
    if not writes:
        return
    try:
        await done(io.commit(writes))
    except Exception:  # whatever a store of somebody's own raises: the application's failure is the news
        from logging import getLogger  # noqa: PLC0415 -- only where something failed

        getLogger("watchword").exception(
            "a mark could not be taken back: until it ends, the request is refused as replayed"
        )


async def commit_or_leave_none(
    plan: Plan, io: IO[Any, Any], writes: Sequence[Write], provisional: Sequence[Once]
) -> Outcome:
    """Commits; a request that is cancelled meanwhile, which no application will see, leaves none of its provisional marks.

    A store goes on with a commit whose request is cancelled, and only its outcome tells whether the marks are this request's.
    """
    outcome = io.commit(writes)
    if isinstance(outcome, tuple):  # an `Outcome`, at once
        return outcome
    from asyncio import CancelledError, ensure_future, shield  # noqa: PLC0415 -- `import watchword` must not load asyncio

    commit = ensure_future(outcome)
    try:
        return await shield(commit)
    except CancelledError:
        # In a task of its own: whatever has cancelled the request may do so again.
        await shield(ensure_future(_undo(plan, io, commit, provisional)))
        raise


async def _undo(plan: Plan, io: IO[Any, Any], commit: Awaitable[Outcome], marks: Sequence[Once]) -> None:
    with suppress(Exception):  # then nothing was committed, and nobody is there to be told
        if isinstance(await commit, Committed):
            await remove(plan, io, marks)
