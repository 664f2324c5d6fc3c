"""A list of names, and lines of what is named: what is left out, added or moved in both alike, by client or proxy.

RFC 9421 lists components and has a line for each, SigV4 names its signed fields beside their lines. Whoever changes the list after
signing, or sends another than was signed, has both otherwise. What goes wrong in one of them alone is known to `wrong_joins`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from watchword.schemes.explaining.computation import Join, Node, Of, joined
from watchword.schemes.explaining.deviation import MAX_PARTS, Deviation, Make

__all__ = ["Row", "Rows", "of_rows"]


class Row(NamedTuple):
    """One more row that may have been there: what it is called, its line, its name."""

    called: str
    line: bytes
    name: bytes


class Rows(NamedTuple):
    """Two joins, the first parts of which go together.

    Args:
        lines: what is named; more parts may follow, which stay.
        names: the list.
        called: what each row is called.
        others: rows that may have been there.
        component: where the list is said.
        mend: what to do where the list is another than was signed.
        in_order: that the rows are sorted, so that none is moved, and one that is added has its place.
    """

    lines: Join
    names: Join
    called: Sequence[str]
    others: Sequence[Row]
    component: str
    mend: str
    in_order: bool = False


_Order = Sequence[int | Row]


def of_rows(rows: Rows) -> Iterator[Deviation]:
    """Without one, with one more, with one for another, in another order."""
    everything = list(range(len(rows.called)))
    for at, name in enumerate(rows.called[:MAX_PARTS]):
        yield _told(
            rows,
            1.0,
            everything[:at] + everything[at + 1 :],
            f"without {name}",
            f"with {name}",
            f"{name} is named and was not signed: ",
        )
    for row in rows.others:
        with_, without = f"with {row.called}", f"without {row.called}"
        for place in range(len(everything) + 1) if not rows.in_order else (_place(rows, row),):
            cost = 1.1 if place in (0, len(everything)) or rows.in_order else 1.3
            more: list[int | Row] = [*everything[:place], row, *everything[place:]]
            yield _told(rows, cost, more, with_, without, f"{row.called} was signed and is not named: ")
            if place < len(everything) and not rows.in_order:
                name = rows.called[place]
                yield _told(rows, 1.5, more[: place + 1] + more[place + 2 :], f"{row.called} for {name}", name)
    if not rows.in_order:
        by_name = sorted(everything, key=lambda at: rows.called[at])
        yield _told(rows, 1.1, by_name, " ".join(rows.called[at] for at in by_name), " ".join(rows.called))
    for cost, some in _orders(everything[:MAX_PARTS]) if not rows.in_order and len(everything) > 1 else ():
        order = some + everything[MAX_PARTS:]
        said = " ".join(rows.called[at] for at in order)
        yield _told(rows, cost, order, f"the order {said}", " ".join(rows.called))


def _place(rows: Rows, row: Row) -> int:
    return sum(name < row.called for name in rows.called)


def _orders(rows: list[int]) -> Iterator[tuple[float, list[int]]]:
    yield 1.2, rows[::-1]
    for one, two in combinations(range(len(rows)), 2):
        swapped = list(rows)
        swapped[one], swapped[two] = rows[two], rows[one]
        yield 1.2 if two == one + 1 else 1.4, swapped
        if two > one + 1:
            yield 1.4, [*rows[:one], rows[two], *rows[one:two], *rows[two + 1 :]]
            yield 1.4, [*rows[:one], *rows[one + 1 : two + 1], rows[one], *rows[two + 1 :]]


def _told(rows: Rows, cost: float, order: _Order, expected: str, received: str, why: str = "") -> Deviation:
    kept = range(len(rows.called), len(rows.lines.parts))
    also: dict[Node, Make] = {
        rows.names: _made(rows.names, [each if isinstance(each, int) else each.name for each in order])
    }
    lines = [*(each if isinstance(each, int) else each.line for each in order), *kept]
    return Deviation(
        cost, rows.lines, "", _made(rows.lines, lines), expected, received, rows.component, also, why + rows.mend
    )


def _made(node: Join, order: Sequence[int | bytes]) -> Make:
    def make(of: Of) -> bytes:
        return joined(node, [each if isinstance(each, bytes) else of(node.parts[each]) for each in order])

    return make
