"""Kinds of records that one commit writes together. No two stores can make one commit, so one store has to hold them all."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from watchword.core.records import Counter, Spent

__all__ = ["check_store_of", "committed_together"]


def committed_together(committer: Any) -> frozenset[type]:
    """The kinds that a verifier or an endpoint commits together: what it declares as `committed_together`.

    Of a verifier that declares nothing they are its marks of use, if it makes any.
    """
    declared: Collection[type] | None = getattr(committer, "committed_together", None)
    return frozenset((Spent,)) & frozenset(committer.kinds) if declared is None else frozenset(declared)


def check_store_of(committer: Any, kinds: Collection[type], store: Any, *, counts: bool = False) -> None:
    """Nothing, if `store` can commit these kinds together. Of several stores that are one, `check_together` tells.

    Args:
        committer: whose they are.
        kinds: what it commits together.
        store: where.
        counts: it commits counters of attempts with them.

    Raises:
        ConfigurationError: they fall to different stores. The message says what to move.
    """
    check = getattr(store, "check_together", None)
    together = {*kinds, *((Counter,) if counts else ())}
    if check is not None and len(together) > 1:
        check(type(committer).__name__, together)
