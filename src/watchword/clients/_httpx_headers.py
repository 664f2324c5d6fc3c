"""Headers of httpx or httpx2 that no redirect copies."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView
from typing import Any

from watchword.clients._exchange import Replacements

__all__ = ["bound_headers"]


def bound_headers(library: Any) -> Any:  # noqa: C901 -- one class of many short methods
    """The class of such headers, made of that of `library`."""

    class BoundHeaders(library.Headers):  # type: ignore[misc]
        """Read like any headers; but a copy, which is what a redirected request gets, is without the lines that were put in.

        The library drops Authorization on the way to another origin, copies all else, and asks nobody before it does. It
        copies `_list`, and reads all through these methods.

        Args:
            plain: the lines of the caller.
            put: the lines that replace those of the same names. Of these a copy has Content-Length, that of the plain body.
        """

        def __init__(self, plain: Any, put: Replacements) -> None:
            self._encoding = None
            self._list = kept = [line for line in plain._list if line[1] not in put]  # noqa: SLF001 -- see above
            self._sent: Any = library.Headers(self)
            for name, values in put.items():
                for value in values:
                    self._sent._list.append((name.title(), name, value))  # noqa: SLF001 -- see above
            if b"content-length" in put:
                kept += [line for line in plain._list if line[1] == b"content-length"]  # noqa: SLF001 -- see above

        @property
        def raw(self) -> list[tuple[bytes, bytes]]:
            return self._sent.raw  # type: ignore[no-any-return]

        def keys(self) -> KeysView[str]:
            return self._sent.keys()  # type: ignore[no-any-return]

        def values(self) -> ValuesView[str]:
            return self._sent.values()  # type: ignore[no-any-return]

        def items(self) -> ItemsView[str, str]:
            return self._sent.items()  # type: ignore[no-any-return]

        def multi_items(self) -> list[tuple[str, str]]:
            return self._sent.multi_items()  # type: ignore[no-any-return]

        def get_list(self, key: str, split_commas: bool = False) -> list[str]:
            return self._sent.get_list(key, split_commas)  # type: ignore[no-any-return]

        def __getitem__(self, key: str) -> str:
            return self._sent[key]  # type: ignore[no-any-return]

        def __setitem__(self, key: str, value: str) -> None:
            self._sent[key] = value
            super().__setitem__(key, value)

        def __delitem__(self, key: str) -> None:
            del self._sent[key]
            if super().__contains__(key):
                super().__delitem__(key)

        def update(self, headers: Any = None) -> None:
            plain = library.Headers(self)
            for lines in (plain, self._sent):
                lines.update(headers)
            self._list = plain._list  # noqa: SLF001 -- see above

        def __contains__(self, key: object) -> bool:
            return key in self._sent

        def __len__(self) -> int:
            return len(self._sent)

        def __eq__(self, other: Any) -> bool:  # noqa: PYI032 -- a class of the library, which isn't known here
            return bool(self._sent == (library.Headers(other.raw) if isinstance(other, library.Headers) else other))

        __hash__ = None  # type: ignore[assignment]

        def __repr__(self) -> str:
            names = ", ".join(name for name, _ in self.multi_items())
            return f"{type(self).__name__}(fields: {names})"

    return BoundHeaders
