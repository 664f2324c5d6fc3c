"""A store of either kind, called; and the records that its promises are tried with."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from watchword.core.records import Found, Once, Outcome, Ref, Write

__all__ = ["CalledStore", "Hidden", "Note"]


@dataclass(frozen=True, slots=True)
class Note:
    """A record without secrets, with every type of field that a record may have."""

    text: str
    octets: bytes = b""
    tags: tuple[str, ...] = ()
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Hidden:
    """A record with a secret."""

    sensitive: ClassVar[bool] = True

    secret: str


class CalledStore:
    """A `Store` or an `AsyncStore`, called alike: the verbs of one that is awaited run on an event loop of its own."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self._runner = asyncio.Runner()

    def wait(self, answer: Any) -> Any:
        """The answer, awaited on the store's loop if it has to be."""
        if not inspect.isawaitable(answer):
            return answer

        async def wait() -> Any:
            return await answer

        return self._runner.run(wait())

    def fetch(self, refs: Sequence[Ref[Any]]) -> Found:
        """As the store's."""
        found: Found = self.wait(self.store.fetch(refs))
        return found

    def commit(self, *writes: Write) -> Outcome:
        """As the store's, of these writes."""
        outcome: Outcome = self.wait(self.store.commit(writes))
        return outcome

    def get(self, kind: type, *key: str) -> Any:
        """The record of this class and key, or None."""
        ref: Ref[Any] = Ref(kind, key)
        return self.fetch([ref]).get(ref)

    def version(self, kind: type, *key: str) -> int:
        """The version of that record, or 0."""
        ref: Ref[Any] = Ref(kind, key)
        return self.fetch([ref]).version(ref)

    def is_used(self, once: Once) -> bool:
        """Whether the store says that this mark was made."""
        return once.is_used(self.fetch(once.refs))

    def close(self) -> None:
        """Closes the store, and those that it is combined of, where they have a method for that; then the loop."""
        for one in (self.store, *getattr(self.store, "parts", ())):
            if hasattr(one, "close"):
                self.wait(one.close())
        self._end()

    def _end(self) -> None:
        self._runner.close()
