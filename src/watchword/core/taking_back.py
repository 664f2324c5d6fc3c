"""Marks that stand only if the application succeeds, taken back where it failed (`Decision.provisional`)."""

from __future__ import annotations

from typing import Any

from watchword.core.admission import Admission
from watchword.core.io import IO, done
from watchword.core.plan import Plan
from watchword.core.records import TakeBack

__all__ = ["take_back"]


async def take_back(plan: Plan, io: IO[Any, Any], admission: Admission) -> None:
    """Removes the provisional marks of an admission, once; what fails is logged, since the answer is another matter.

    A mark that has ended stays: it may have been made anew meanwhile, for another request.
    """
    marks, admission.provisional = admission.provisional, ()
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
