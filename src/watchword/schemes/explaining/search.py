"""The search for the mistake: which deviation of a computation, or which two, give what was received.

Single ones come first, the likeliest first, then pairs of the likeliest. A try recomputes what lies between the changed node
and the root, no more. The outermost encoding costs nothing: what was received is decoded once, in every alphabet that it fits.

Whoever sends the request chooses how long that takes, so it is bounded in counted steps, a step being one node made anew from
at most a kibioctet: `MAX_STEPS` in all, whatever is in the request. A search that ends there says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.core.scheme import Check
from watchword.schemes.diagnosis import PARTS, Guess, causes, request_guesses, show
from watchword.schemes.diagnosis.change import in_turn
from watchword.schemes.diagnosis.text_axes import spellings
from watchword.schemes.explaining.computation import (
    FORMS,
    Computation,
    Encoding,
    Join,
    Leaf,
    Mac,
    Node,
    Of,
    Parameters,
    Source,
    all_under,
)
from watchword.schemes.explaining.received import LEAST, Received, damaged
from watchword.schemes.explaining.times import near_times, within_second
from watchword.schemes.explaining.deviations import Deviation, constant, deviations
from watchword.schemes.explaining.wrong_hashes import everywhere
from watchword.schemes.explaining.wrong_leaves import with_origin

__all__ = ["DEAR", "MAX_STEPS", "Asked", "Fit", "Outcome", "empty", "look_for", "unexplained"]

MAX_STEPS: Final = 1_000_000
"""Steps of one search."""
DEAR: Final = 100
"""Steps that a signature by a public key counts for: it takes so much longer."""
MAX_PAIRED: Final = 320
"""Single deviations, the likeliest, of which pairs are made."""
MAX_APART: Final = 240
"""Near times that are tried for each of several leaves alone."""
INNER: Final = 0.4
"""What it costs more that parts within a part are joined wrongly: of a line less is written by hand than of the whole."""
MAX_PAIRED_GUESSES: Final = 48
"""Changes of the request that are paired with deviations of the client."""
Fit = Callable[[bytes], str | None]
"""Whether the value of the root fits: "" if it does, else in which words it was written, None if it doesn't."""


class Asked(NamedTuple):
    """What is looked through.

    Args:
        name: of the checks that come of it.
        root: the computation.
        fits: what its result is compared with.
        request: as it came.
        body: its body.
        headers: the fields that are covered, in lower case.
        parts: of the request, those that are covered, of `diagnosis.PARTS`.
        pool: parts that are at hand, and no part of the computation.
        advice: what to do, and where it is said.
        price: steps that one comparison costs more.
        more: deviations that only this scheme has, such as credentials that belong together.
    """

    name: str
    root: Node
    fits: Fit
    request: Request
    body: bytes = b""
    headers: Collection[bytes] = ()
    parts: Collection[str] = PARTS
    pool: Sequence[Leaf] = ()
    advice: str = "do it as the scheme's specification says"
    price: int = 0
    more: Sequence[Deviation] = ()


class Outcome(NamedTuple):
    """The causes, none if nothing fits; and whether the search was cut before it was through."""

    causes: Sequence[Check]
    cut: bool


def look_for(*asked: Asked, steps: int = MAX_STEPS) -> Outcome:
    """The mistake that explains what was received, under one of several computations that would each have been right."""
    budget = _Budget(steps)
    searches = [_Search(each, budget) for each in asked]
    for phase in (_Search.as_written, _Search.singles, _Search.pairs_of_request, _Search.near_times, _Search.pairs):
        for search in searches:
            if found := phase(search):
                return Outcome(found, False)
    return Outcome((), any(search.cut for search in searches))


def empty(name: str, component: str, expected: str) -> Check:
    """The check of a proof of which no octet came."""
    mend = "the value is empty: nothing was signed, or what failed on the client left it out"
    return Check(name, False, component, expected, "an empty value", mend)


def unexplained(outcome: Outcome, compare_what: str) -> str:
    """What is said where nothing fits: that the search was cut, if it was; and what a person may compare."""
    if outcome.cut:
        return f"no usual mistake was found before the search was cut after {MAX_STEPS} steps, so one may be left: {compare_what}"
    return f"none of the usual changes explains it: {compare_what}"


# ---- the search ---------------------------------------------------------------------------------------------------------


class _Try(NamedTuple):
    """One deviation of the client, or one change of the request, ready to be tried."""

    cost: float
    changes: dict[Node, Callable[[Of], bytes]]
    said: Deviation | Guess


class _Budget:
    """The steps that are left, to all computations together."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps


class _Search:
    """One computation, varied."""

    def __init__(self, asked: Asked, budget: _Budget) -> None:
        self.asked = asked
        self.budget = budget
        self.cut = False
        root = asked.root
        self.top: Encoding | None = None
        if isinstance(root, Encoding) and root.form in FORMS:
            self.top, root = root, root.of
        self.graph = Computation(root)
        self.sources: list[tuple[Node, Source]] = [
            (node, node.source)
            for node in self.graph.nodes
            if isinstance(node, (Leaf, Join, Parameters)) and node.source is not None
        ]
        self._own: list[_Try] | None = None
        self._guesses: list[_Try] = []
        self._guessed = request_guesses(asked.request, asked.body, headers=asked.headers, parts=asked.parts)

    # -- in which order ---------------------------------------------------------------------------------------------------

    def as_written(self) -> list[Check]:
        """The right result, damaged, or written or cut otherwise."""
        value, fits = self.graph.value(self.graph.root), self.asked.fits
        if isinstance(fits, Received) and not fits.text and self.top is not None:
            return [empty(self.asked.name, _named(self.top), self.top.name)]
        if isinstance(fits, Received) and self.top is not None:
            genuine = FORMS[self.top.form](value).decode("latin-1")
            damage = damaged(genuine, fits.text.decode("latin-1"))
            if damage:
                mend = f"{damage}: send it as it was made"
                return [
                    Check(self.asked.name, False, _named(self.top), self.top.name, f"{fits.shown}, nearly that", mend)
                ]
            for each in deviations(self.top, genuine.encode("latin-1")):
                if self._written(each) == fits.text and len(fits.text) >= 2 * LEAST:
                    return self._told(_Try(each.cost, {}, each))
        what = fits(value)
        if not what and isinstance(fits, Received) and self.top is not None and len(fits.text) >= 2 * LEAST:
            what = next((each for each, other in spellings(value) if other == fits.text), "")
        return [self._of_form(what)] if what else []

    def _written(self, each: Deviation) -> bytes | None:
        try:
            return each.make(self.graph.value)
        except ValueError:
            return None

    def singles(self) -> list[Check]:
        """The request on its way, each change for itself; then each deviation of the client."""
        guessed = self._of_request()
        if not self.asked.price:
            return self._first(guessed) or self._first(self._by_cost())
        self.cut = True  # each gets its share of the few
        most = 2 * self.budget.left // (3 * (1 + self.asked.price))
        own = iter(self._by_cost())  # two of these for each of the others: there are more of them
        some = chain(islice(guessed, MAX_PAIRED_GUESSES), in_turn(guessed, own, own))
        return self._first(islice(some, most))

    def pairs_of_request(self) -> list[Check]:
        """Two changes of the request; where tries are dear half of those that are left, the others are for near times."""
        most = self.budget.left // (2 * (1 + self.asked.price)) if self.asked.price else None
        return self._first(islice(self._of_request(pairs=True), most))

    def near_times(self) -> list[Check]:
        """All leaves that say one time, at another that is near."""
        return self._first(self._near_times())

    def pairs(self) -> list[Check]:
        """Two deviations of the client; one of them and a change of the request."""
        own = self._by_cost()[:MAX_PAIRED]
        return self._both(own, own) or self._both(own[:96], self._guesses[:MAX_PAIRED_GUESSES])

    def _first(self, tries: Iterable[_Try]) -> list[Check]:
        for each in tries:
            if self._spent():
                return []
            what = self._fits(each.changes)
            if what is not None:
                return [*self._told(each), *([self._of_form(what)] if what else [])]
        return []

    def _both(self, ones: Sequence[_Try], others: Sequence[_Try]) -> list[Check]:
        """Pairs, those first whose costs together are least."""
        same = ones is others
        for total in range(len(ones) + len(others) - 1):
            for at in range(max(0, total - len(others) + 1), min(total + 1, len(ones))):
                one, two = ones[at], others[total - at]
                if (same and at >= total - at) or one.changes.keys() & two.changes.keys():
                    continue
                if self._spent():
                    return []
                what = self._fits({**one.changes, **two.changes})
                if what is not None:
                    return [*self._told(one), *self._told(two), *([self._of_form(what)] if what else [])]
        return []

    def _spent(self) -> bool:
        spent = self.budget.left < 0
        self.cut |= spent
        return spent

    def _fits(self, changes: dict[Node, Callable[[Of], bytes]]) -> str | None:
        graph, before = self.graph, self.graph.steps
        try:
            value = graph.changed(changes)
        except (ValueError, Rejected, ConfigurationError, OverflowError):  # can't be made of what is there
            return None
        finally:
            self.budget.left -= graph.steps - before + 1 + self.asked.price
        return self.asked.fits(value)

    # -- what is tried ----------------------------------------------------------------------------------------------------

    def _by_cost(self) -> list[_Try]:
        if self._own is None:
            graph = self.graph
            pool = [
                *(node for node in graph.nodes if isinstance(node, Leaf) and node.kind != "literal"),
                *self.asked.pool,
            ]
            outer_first = reversed(graph.nodes)  # of two that give the same, that of the whole is told
            own = [each for node in outer_first for each in deviations(node, graph.value(node), pool)]
            own += [
                each for node in graph.nodes if isinstance(node, Leaf) for each in with_origin(node, self.asked.request)
            ]
            own += (*everywhere(graph.nodes), *self.asked.more)
            self._own = []
            inner = {
                part for node in graph.nodes if isinstance(node, Join) for part in node.parts if isinstance(part, Join)
            }
            for each in sorted(own, key=lambda each: each.cost + (INNER if each.node in inner else 0)):
                changes = {node: make for node, make in ((each.node, each.make), *each.also.items()) if graph.has(node)}
                if changes:
                    self._own.append(_Try(each.cost, changes, each))
        return self._own

    def _of_request(self, *, pairs: bool = False) -> Iterator[_Try]:
        """Single changes; then, where those ended, pairs."""
        for guess in self._guessed if self.sources else ():
            changes = self._changed_by(guess)
            each = _Try(1, changes, guess)
            if guess.second is not None and not pairs:
                self._guessed = chain((guess,), self._guessed)
                return
            if changes:
                if not pairs:
                    self._guesses.append(each)
                yield each

    def _changed_by(self, guess: Guess) -> dict[Node, Callable[[Of], bytes]]:
        changes: dict[Node, Callable[[Of], bytes]] = {}
        for node, source in self.sources:
            try:
                value = source(guess.request, guess.body)
            except (Rejected, ConfigurationError, ValueError):  # it can't be signed, nor written as octets
                return {}
            if value != self.graph.value(node):
                changes[node] = constant(value)
        return changes

    def _near_times(self) -> Iterator[_Try]:
        """All leaves that say one time, at another."""
        leaves = [node for node in self.graph.nodes if isinstance(node, Leaf) and node.kind == "time"]
        for value in dict.fromkeys(leaf.value for leaf in leaves):
            first, *same = [leaf for leaf in leaves if leaf.value == value]
            shown = _shown(value)
            for what, time in within_second(value) if not self.asked.price else ():
                said = Deviation(2, first, f"signs {first.name} {what}", constant(time), shown, _shown(time))
                yield _Try(2, {first: said.make, **dict.fromkeys(same, said.make)}, said)
            for time in near_times(value):
                mend = f"the time was changed after signing{_by(value, time)}: sign anew for every request"
                said = Deviation(3, first, "", constant(time), time.decode(), shown, mend=mend)
                yield _Try(3, {first: said.make, **dict.fromkeys(same, said.make)}, said)
            for leaf in (first, *same) if same else ():
                for time in islice(near_times(value), MAX_APART):
                    mend = f"one time is sent and another is signed here{_by(value, time)}: take the time once, for all places"
                    said = Deviation(3, leaf, "", constant(time), shown, time.decode(), mend=mend)
                    yield _Try(3, {leaf: said.make}, said)

    # -- in words ---------------------------------------------------------------------------------------------------------

    def _told(self, found: _Try) -> list[Check]:
        said = found.said
        if isinstance(said, Guess):
            return causes(self.asked.name, said)
        node = said.node
        component = said.component or _named(node)
        expected, received = said.expected, said.received
        if said.part is not None:
            private = any(map(_private, all_under(said.part)))
            expected = said.part.name if private else show(self.graph.value(said.part), b"")[0]
        elif not expected:
            expected, received = self._values(said)
        mend = said.mend or f"the client {said.did}: {self.asked.advice}"
        if isinstance(node, Leaf) and node.kind == "key" and not said.mend:
            mend = f"the client {said.did}: have both sides read it alike"
        name = "time" if isinstance(node, Leaf) and node.kind == "time" else self.asked.name
        return [Check(name, False, component, expected, received, mend)]

    def _values(self, said: Deviation) -> tuple[str, str]:
        """Both values of the node, unless a secret or a body is in them."""
        node, graph = said.node, self.graph
        theirs = self._written(said)
        if node is self.top or theirs is None:
            return node.name, f"the client {said.did}"
        mine = graph.value(node)
        if (
            isinstance(node, Mac)
            or any(_private(each) for each in all_under(node))
            or len(mine) + len(theirs) > 64 * 1024
        ):
            return f"{node.name}, {len(mine)} octets", f"{node.name}, {len(theirs)} octets: the client {said.did}"
        return show(mine, theirs)

    def _of_form(self, what: str) -> Check:
        top = self.top or self.graph.root
        form = f"{top.form}" if isinstance(top, Encoding) else "as it is made"
        component = _named(top)
        mend = f"the client writes {top.name} {what}: write it as {form}"
        return Check(self.asked.name, False, component, form, what, mend)


def _named(node: Node) -> str:
    return node.component or node.name.removeprefix("the ")


def _by(sent: bytes, signed: bytes) -> str:
    """By how many seconds a time is another."""
    away = int(signed) - int(sent) if sent.isdigit() and signed.isdigit() and len(sent) < 12 else 0
    return f" ({abs(away)} second{'s' * (abs(away) > 1)} {'earlier' if away < 0 else 'later'})" if away else ""


def _shown(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _private(node: Node) -> bool:
    return isinstance(node, Leaf) and (node.kind in ("key", "secret", "body") or node.component == "body")
