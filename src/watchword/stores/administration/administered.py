"""A store as the acts of administration use it, and the one way in which they change what it holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from watchword.core.io import IO, done
from watchword.core.records import NOTHING_FOUND, Committed, Found, Ref, Write
from watchword.core.rejection import StoreUnavailable, WatchwordError

__all__ = ["Administered", "AdministrationError"]

T = TypeVar("T")

TRIES: Final = 5


class AdministrationError(WatchwordError):
    """An act does not fit the records of the store: there is no such user or key, or there is one already."""


@dataclass(frozen=True, slots=True)
class Administered:
    """A store under administration.

    Args:
        io: reads and writes its records.
        clock: seconds since the epoch; the store's own clock.
        random: gives so many random octets.
        announce: told the result and the writes of a change before they are committed; where it fails, nothing is written.
    """

    io: IO[Any, Any]
    clock: Callable[[], float] = time.time
    random: Callable[[int], bytes] = os.urandom
    announce: Callable[[Any, Sequence[Write]], None] = lambda *_: None

    async def write(self, writes: Sequence[Write]) -> None:
        """Commits `writes`, none of which depends on a version."""
        await done(self.io.commit(writes))

    async def change(
        self,
        refs: Sequence[Ref[Any]],
        judge: Callable[[Found], tuple[T, Sequence[Write]]],
        more: Callable[[Found], Sequence[Ref[Any]]] = lambda _: (),
    ) -> T:
        """Commits the writes that `judge` derives from the records, and again while others change those records.

        Args:
            refs: the records to be judged.
            judge: gives the act's result and its writes, each over the version that was found. It may take its time.
            more: further records, to which the first ones lead.

        Raises:
            StoreUnavailable: nothing was written; or the records were changed by others each time.
        """
        for _ in range(TRIES):
            found = await done(self.io.fetch(refs)) if refs else NOTHING_FOUND
            if further := more(found):
                found = found.merged(await done(self.io.fetch(further)))
            result, writes = await self.io.work(partial(judge, found))
            self.announce(result, writes)
            if isinstance(await done(self.io.commit(writes)), Committed):
                return result
        raise StoreUnavailable("the record was changed by others at the same time, again and again")
