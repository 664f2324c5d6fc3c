"""Header fields of a prepared request that are made anew whenever urllib3 writes them once more."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator
from typing import Any

from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool

from watchword.clients._route import calls, code_of

__all__ = ["Lines", "RenewedHeaders", "stored"]

Lines = CaseInsensitiveDict[Any]


def stored(headers: Lines) -> dict[str, tuple[str, Any]]:
    """What `headers` hold: by each name in lower case, the name as it is sent and the value. To change it changes them."""
    library: Any = headers
    lines: dict[str, tuple[str, Any]] = library._store  # noqa: SLF001 -- what `copy` of requests reads
    return lines


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
        library: Any = self
        library._store = dict(stored(plain))  # noqa: SLF001 -- as above
        self._renew = renew
        self._written: list[bool] = []  # shared by all copies

    def copy(self) -> RenewedHeaders:
        """As in requests."""
        twin = RenewedHeaders(self, self._renew)
        twin._written = self._written
        return twin

    def __iter__(self) -> Iterator[str]:
        return iter(dict(stored(self).values()))

    def items(self) -> ItemsView[str, Any]:
        """As in requests; where urllib3 asks, it writes what it gets."""
        if next(calls(code_of(HTTPConnectionPool.urlopen)), None) is not None:
            if self._written:
                self._renew(self)
            self._written.append(True)
        return dict(stored(self).values()).items()
