"""The line against a model of it that keeps plain lists and looks through all of them, in any order of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from watchword.structures.line import Place, WaitingLine
from watchword.structures.room import Bounds, LineFull, NetworkFull

LEASE = 60.0
ONE_48 = "2001:db8:a::/48"
NETWORKS = [
    ("192.0.2.1",),
    ("192.0.2.2",),
    ("",),
    *[(ONE_48, f"2001:db8:a:{wide}00::/56", f"2001:db8:a:{wide}0{n}::/64") for wide in (1, 2) for n in (1, 2)],
    ("2001:db8:b::/48", "2001:db8:b::/56", "2001:db8:b::/64"),
]
ROOMY = Bounds(99, 99, 99, 99, 99, 99, 1)
TIGHT = Bounds(in_all=7, strangers=5, known=5, widest=4, wide=3, address=2, followers=0)
FOLLOWED = Bounds(in_all=5, strangers=4, known=4, widest=3, wide=2, address=1, followers=1)


@dataclass(eq=False)
class Turn:
    known: bool
    networks: tuple[str, ...]
    flight: bytes | None
    number: int
    places: list[Place] = field(default_factory=list)
    passed: int = 0
    may_be_passed: int | None = None


class Model:
    """The holder's turn is not among `waiting`. `rank` says since when a group of networks is last of its level."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.now = self.until = 0.0
        self.waiting: list[Turn] = []
        self.holder: Turn | None = None
        self.was_known = False
        self.rank: dict[tuple[bool, Sequence[str]], int] = {}
        self.number = 0

    def turns(self) -> list[Turn]:
        return self.waiting if self.holder is None else [self.holder, *self.waiting]

    def groups(self, turn: Turn) -> list[tuple[bool, Sequence[str]]]:
        return [(turn.known, turn.networks[:depth]) for depth in range(1, len(turn.networks) + 1)]

    def members(self, group: tuple[bool, Sequence[str]]) -> list[Turn]:
        return [turn for turn in self.waiting if group in self.groups(turn)]

    def next_number(self) -> int:
        self.number += 1
        return self.number

    def reclaim(self) -> None:
        if self.holder is not None and self.now >= self.until:
            self.end()

    def followed(self, known: bool, networks: tuple[str, ...], flight: bytes | None) -> Turn | None:
        for turn in self.turns():
            if flight is not None and (turn.known, turn.networks, turn.flight) == (known, networks, flight):
                return turn
        return None

    def refusal(self, known: bool, networks: tuple[str, ...], follows: bool) -> type[Exception] | None:
        """By the words of Bounds, of every place and, for a place that does not follow, of every turn."""
        bounds = self.bounds
        places = [turn for turn in self.turns() for _ in turn.places]
        for counted, factor in ((places, 1 + bounds.followers), (self.turns(), 1)):
            if counted is not places and follows:
                continue
            kind = [turn for turn in counted if turn.known == known]
            limits = dict(zip(networks[::-1], (bounds.address, bounds.wide, bounds.widest), strict=False))
            if known:
                limits = dict.fromkeys(networks, bounds.known)
            elif networks == ("",):
                limits = {"": bounds.strangers}
            if any(sum(n in turn.networks for turn in kind) >= limit * factor for n, limit in limits.items()):
                return NetworkFull
            if networks != ("",) and any(
                sum(n in turn.networks for turn in counted) >= bounds.known * factor for n in networks
            ):
                return NetworkFull
            if len(counted) >= bounds.in_all * factor or (not known and len(kind) >= bounds.strangers * factor):
                return LineFull
        return None

    def join(self, known: bool, networks: tuple[str, ...], flight: bytes | None, place: Place) -> None:
        turn = self.followed(known, networks, flight)
        if turn is not None:
            turn.places.append(place)
            return
        turn = Turn(known, networks, flight, self.next_number(), [place])
        if self.holder is None:
            self.grant(turn)
            return
        if not self.members(self.groups(turn)[0]):
            turn.may_be_passed = len({other.networks[0] for other in self.waiting if other.known == known})
        for group in self.groups(turn):
            if not self.members(group):
                self.rank[group] = self.next_number()
        self.waiting.append(turn)

    def leave(self, place: Place) -> None:
        for turn in self.turns():
            if place not in turn.places:
                continue
            if turn is self.holder and turn.places[0] is place:
                self.end()
                return
            turn.places.remove(place)
            if not turn.places:
                self.waiting.remove(turn)
            return

    def end(self) -> None:
        self.holder = None
        if not self.waiting:
            return
        kinds = {turn.known for turn in self.waiting}
        known = not self.was_known if len(kinds) == 2 else kinds.pop()
        candidates = [turn for turn in self.waiting if turn.known == known]
        depth = 0
        while any(len(turn.networks) > depth for turn in candidates):
            group = min((self.groups(turn)[depth] for turn in candidates), key=self.rank.__getitem__)
            candidates = [turn for turn in candidates if group in self.groups(turn)]
            depth += 1
        turn = min(candidates, key=lambda turn: turn.number)
        self.waiting.remove(turn)
        for group in self.groups(turn):
            self.rank[group] = self.next_number()
        self.grant(turn)

    def grant(self, turn: Turn) -> None:
        self.holder = turn
        self.until = self.now + LEASE
        self.was_known = turn.known
        for other in self.waiting:
            other.passed += other.known == turn.known

    def state(self, place: Place) -> tuple[bool, bool, bool]:
        for turn in self.turns():
            if place in turn.places:
                leads = turn.places[0] is place
                holds = leads and turn is self.holder
                return holds, not holds, not leads
        return False, False, False


class LineAndModel(RuleBasedStateMachine):
    @initialize(bounds=st.sampled_from([ROOMY, TIGHT, FOLLOWED]))
    def begin(self, bounds: Bounds) -> None:
        self.model = Model(bounds)
        self.line = WaitingLine(LEASE, lambda: self.model.now)
        self.places: list[Place] = []
        self.left: set[Place] = set()

    @rule(
        known=st.booleans(),
        networks=st.sampled_from(NETWORKS),
        flight=st.sampled_from([None, None, b"one", b"two"]),
        times=st.integers(1, 3),
    )
    def join(self, known: bool, networks: tuple[str, ...], flight: bytes | None, times: int) -> None:
        for _ in range(times):
            self.model.reclaim()
            follows = self.model.followed(known, networks, flight) is not None
            expected = self.model.refusal(known, networks, follows)
            try:
                place = self.line.join(known, networks, flight, self.model.bounds)
            except (NetworkFull, LineFull) as rejected:
                assert type(rejected) is expected
            else:
                assert expected is None
                assert (place.granted is None) == (self.model.holder is None)
                self.model.join(known, networks, flight, place)
                self.places.append(place)

    @precondition(lambda self: self.places)
    @rule(which=st.integers(0, 10_000))
    def leave(self, which: int) -> None:
        """Any place, whether it holds, waits, follows or is out already."""
        place = self.places[which % len(self.places)]
        self.model.leave(place)
        self.line.leave(place)
        self.left.add(place)

    @precondition(lambda self: self.model.holder is not None)
    @rule(times=st.integers(1, 4))
    def finish_the_work(self, times: int) -> None:
        for _ in range(times):
            if self.model.holder is not None:
                place = self.model.holder.places[0]
                self.model.leave(place)
                self.line.leave(place)
                self.left.add(place)

    @rule(seconds=st.sampled_from([1.0, 29.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.model.now += seconds

    @precondition(lambda self: any(place.waits for place in self.places))
    @rule()
    def a_waiter_looks_at_the_lease(self) -> None:
        place = next(place for place in self.places if place.waits)
        self.model.reclaim()
        left = self.line._time_left(place, self.model.now + 1_000)
        assert left == (0.0 if self.model.holder is None else self.model.until - self.model.now)

    @invariant()
    def every_place_is_where_the_model_has_it(self) -> None:
        for place in self.places:
            assert (place.holds, place.waits, place.follows) == self.model.state(place)
            if place.granted is not None and place not in self.left:
                assert place.granted.done() != place.waits

    @invariant()
    def one_place_at_most_holds_the_line(self) -> None:
        assert sum(place.holds for place in self.places) <= 1
        assert any(place.holds for place in self.places) or not any(place.waits for place in self.places)

    @invariant()
    def the_first_of_a_network_is_passed_once_at_most_by_each_of_the_others(self) -> None:
        for turn in self.model.waiting:
            assert turn.may_be_passed is None or turn.passed <= turn.may_be_passed

    @invariant()
    def nothing_is_kept_of_those_who_are_out(self) -> None:
        networks = {n for turn in self.model.turns() for n in turn.networks}
        for counts in (self.line._turns._counts, self.line._places._counts):
            assert {network for _, network in counts} - {None} == networks
        assert len(self.line._flights) == sum(turn.flight is not None for turn in self.model.turns())

    def teardown(self) -> None:
        for place in getattr(self, "places", []):
            self.line.leave(place)
        if hasattr(self, "line"):
            assert self.line._holder is None
            assert not self.line._places._counts and not self.line._waiting[True] and not self.line._waiting[False]


TestTheLineIsItsModel = LineAndModel.TestCase
TestTheLineIsItsModel.settings = settings(stateful_step_count=50)
