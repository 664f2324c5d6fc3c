"""Interleaved timing: every contender in every round, in shuffled order, and ratios taken inside the round.

A shared machine is now fast, now slow; two contenders that run within the same tenth of a second meet the same machine.
What others do on it meanwhile is not counted: the clock is the processor time of this process, and a round consists of
short turns, of which each contender's quickest counts, the one in which it found its caches undisturbed.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple, Protocol

TURNS = 8
"""Turns of a round."""
# Where the time of the process comes in ticks (Windows), it can't be used for short turns.
_CLOCK = time.process_time if time.get_clock_info("process_time").resolution < 1e-6 else time.perf_counter

__all__ = ["Figure", "Interleaved", "Row", "Supply", "Unfit", "table"]

Supply = Callable[[], object]
"""Makes what one operation is done with."""


class Unfit(Exception):
    """A contender does not do the work, so its time means nothing."""


class Figure(NamedTuple):
    """What one contender achieved.

    Args:
        name: the contender.
        amount: its median over the rounds, in `unit`.
        unit: "µs", "requests/s".
        low, middle, high: its ratio to the limit over the rounds.
        note: what is to be known about it: a missing peer says so here, with `amount` 0.
    """

    name: str
    amount: float
    unit: str
    low: float
    middle: float
    high: float
    note: str = ""


class Row(Protocol):
    """One comparison: a title, and `measure`, which checks that the contenders do the work and then times them."""

    @property
    def title(self) -> str: ...
    def measure(self, rounds: int) -> Sequence[Figure]:
        """The figures of all contenders, the limit first.

        Raises:
            Unfit: a contender accepts what it must refuse, or refuses what it must accept.
        """
        ...


class Interleaved:
    """Callables that work in this process, most of them for microseconds, timed against the first of them, the limit.

    Args:
        title: what is compared.
        contenders: each does the operation once; the first is the limit. They are given nothing, or what `supply` gives.
        prove: checks before the timing that all of them do the work; raises `Unfit`.
        missing: peers that can't take part, and why.
        batch: seconds for which each contender runs in each round, in `TURNS` turns; in one, if a call takes longer than a
            turn.
        supply: makes what one operation is done with, before the clock starts: requests that are good only once. A mapping
            makes something else for each contender; those that it leaves out are given nothing.
    """

    def __init__(
        self,
        title: str,
        contenders: Mapping[str, Callable[..., object]],
        prove: Callable[[], None],
        missing: Mapping[str, str] | None = None,
        batch: float = 0.008,
        supply: Supply | Mapping[str, Supply] | None = None,
    ) -> None:
        self.title = title
        self._contenders = dict(contenders)
        self._prove = prove
        self._missing = dict(missing or {})
        self._batch = batch
        self._supplies = supply if isinstance(supply, Mapping) else dict.fromkeys(contenders, supply)

    def measure(self, rounds: int) -> list[Figure]:
        """The figures of all contenders, the limit first."""
        times = self.times(rounds)
        return [*self._figures(times), *(Figure(name, 0, "", 0, 0, 0, why) for name, why in self._missing.items())]

    def times(self, rounds: int) -> dict[str, list[float]]:
        """Seconds per operation of each contender, one figure for each round.

        Raises:
            Unfit: as `measure`.
        """
        self._prove()
        turn, supplies = self._batch / TURNS, self._supplies
        sizes = {name: _turn_size(work, turn, supplies.get(name)) for name, work in self._contenders.items()}
        turns = TURNS if all(seconds < 2 * turn for _, seconds in sizes.values()) else 1
        times: dict[str, list[float]] = {name: [] for name in self._contenders}
        order = list(self._contenders)
        gc.collect()
        gc.disable()
        try:
            for _ in range(rounds):
                taken: dict[str, list[float]] = {name: [] for name in order}
                for _ in range(turns):
                    random.shuffle(order)
                    for name in order:
                        taken[name].append(_timed(self._contenders[name], sizes[name][0], supplies.get(name)))
                for name in order:
                    times[name].append(min(taken[name]))
        finally:
            gc.enable()
        return times

    def _figures(self, times: Mapping[str, Sequence[float]]) -> list[Figure]:
        limit = next(iter(times.values()))
        figures = []
        for name, taken in times.items():
            ratios = [mine / least for mine, least in zip(taken, limit, strict=True)]
            figures.append(Figure(name, median(taken) * 1e6, "µs", min(ratios), median(ratios), max(ratios)))
        return figures


def _timed(work: Callable[..., object], count: int, supply: Supply | None) -> float:
    """Seconds per call."""
    clock = _CLOCK
    repeat = range(count)
    if supply is not None:
        supplied = [supply() for _ in repeat]
        start = clock()
        for one in supplied:
            work(one)
        return (clock() - start) / count
    start = clock()
    for _ in repeat:
        work()
    return (clock() - start) / count


def _turn_size(work: Callable[..., object], seconds: float, supply: Supply | None) -> tuple[int, float]:
    """So many calls take about `seconds`, and how long one does; the calls made here warm everything up."""
    count = 1
    while True:
        each = _timed(work, count, supply)
        if each * count > seconds / 2:
            return max(1, round(seconds / each)), each
        count *= 4


def table(title: str, figures: Sequence[Figure]) -> str:
    """The figures as text: median amount, and the median, least and greatest ratio to the limit."""
    width = max(len(figure.name) for figure in figures)
    lines = [title]
    for figure in figures:
        if figure.amount:
            ratios = f"{figure.middle:6.2f}   {figure.low:.2f} - {figure.high:.2f}"
            lines.append(
                f"  {figure.name:<{width}}  {figure.amount:12,.1f} {figure.unit:<10} {ratios}  {figure.note}".rstrip()
            )
        else:
            lines.append(f"  {figure.name:<{width}}  not measured: {figure.note}")
    return "\n".join(lines)
