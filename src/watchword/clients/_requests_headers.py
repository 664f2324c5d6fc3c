"""Header fields of a prepared request that are made anew whenever urllib3 writes them once more."""

from __future__ import annotations

from collections.abc import Callable, ItemsView
from typing import Any

from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool

from watchword.clients._route import calls

__all__ = ["Lines", "RenewedHeaders"]

Lines = CaseInsensitiveDict[Any]


class RenewedHeaders(Lines):
    """Read like any headers.

    What urllib3 repeats by itself (its `Retry`, which an adapter of requests has) it writes with the fields that it got
    first; a signature that a server takes once would be refused. It asks nobody before it does. But it reads the fields
    for each attempt, from this mapping or from copies of it, so those of ours are made anew then.

    Args:
        plain: the fields.
        renew: puts fields that are made anew into the mapping that it is given.
    """

    def __init__(self, plain: Lines, renew: Callable[[Lines], None]) -> None:
        super().__init__()
        self._store: Any = plain._store.copy()  # type: ignore[attr-defined]  # noqa: SLF001 -- what `copy` of requests reads
        self._renew = renew
        self._written: list[bool] = []  # shared by all copies

    def copy(self) -> RenewedHeaders:
        """As in requests."""
        twin = RenewedHeaders(self, self._renew)
        twin._written = self._written
        return twin

    def items(self) -> ItemsView[str, Any]:
        """As in requests; where urllib3 asks, it writes what it gets."""
        if next(calls(HTTPConnectionPool.urlopen), None) is not None:
            if self._written:
                self._renew(self)
            self._written.append(True)
        return super().items()
