"""The line for slow work: its order, its bounds, and that nobody who leaves it leaves a trace."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType

import pytest

from watchword.structures.line import ClientGone, Place, WaitingLine
from watchword.structures.room import FOR_TASKS, FOR_THREADS, Bounds, LineFull, NetworkFull

BOUNDLESS = Bounds(*[1_000_000] * 7)
NEWCOMER = ("2001:db8:ffff::/48", "2001:db8:ffff::/56", "2001:db8:ffff::/64")
UNKNOWN = ("",)
HOME = ("192.0.2.1",)
AWAY = ("192.0.2.2",)


def v6(number: int, *, wide: int = 0, narrow: int = 0) -> tuple[str, str, str]:
    """The networks of an address in the /48 of this number, its /56 and /64 by theirs."""
    widest = f"2001:db8:{number:x}"
    return f"{widest}::/48", f"{widest}:{wide:02x}00::/56", f"{widest}:{wide:02x}{narrow:02x}::/64"


def join(
    line: WaitingLine, networks: Sequence[str] = HOME, *, known: bool = False, flight: bytes | None = None
) -> Place:
    return line.join(known, networks, flight, BOUNDLESS)


def busy() -> tuple[WaitingLine, Place]:
    """A line, and a stranger of its own network who holds it."""
    line = WaitingLine()
    return line, line.join(False, ("198.51.100.1",), None, BOUNDLESS)


def refusal(call: Callable[[], object]) -> Exception:
    with pytest.raises((NetworkFull, LineFull)) as caught:
        call()
    return caught.value


def refused(call: Callable[[], object]) -> type[Exception]:
    return type(refusal(call))


def served(line: WaitingLine, holder: Place, waiting: dict[str, Place]) -> list[str]:
    """The names in the order in which the line is granted; the work of each is over at once."""
    order = []
    line.leave(holder)
    while held := [name for name, place in waiting.items() if place.holds]:
        (name,) = held
        order.append(name)
        line.leave(waiting[name])
    return order


def works_before(line: WaitingLine, place: Place, everybody: Sequence[Place]) -> int:
    """How many others finish their work before the turn of `place` comes."""
    works = 0
    while not place.holds:
        assert place.waits
        holder = line._holder
        assert holder is not None and holder in everybody
        line.leave(holder)
        works += 1
    return works


# ---- joining and leaving ---------------------------------------------------------------------------------------------


def test_an_empty_line_is_held_at_once_and_again_after_the_holder_has_left() -> None:
    line = WaitingLine()
    for _ in range(2):
        place = line.join(False, HOME)
        assert (place.granted, place.holds, place.waits, place.follows) == (None, True, False, False)
        line.leave(place)
        assert (place.holds, place.waits) == (False, False)


def test_the_line_is_handed_on_when_its_holder_leaves() -> None:
    line, holder = busy()
    place = join(line)
    assert place.granted is not None
    assert (place.holds, place.waits, place.granted.done()) == (False, True, False)
    line.leave(holder)
    assert (place.holds, place.waits, place.granted.done()) == (True, False, True)


def test_to_leave_twice_is_to_leave_once() -> None:
    line, holder = busy()
    first, second = join(line), join(line)
    for _ in range(2):
        line.leave(holder)
        assert (first.holds, second.holds) == (True, False)


def test_a_place_that_was_left_is_passed_over() -> None:
    line, holder = busy()
    first, second, third = (join(line) for _ in range(3))
    line.leave(first)
    assert not first.waits
    assert served(line, holder, {"second": second, "third": third}) == ["second", "third"]
    assert not first.holds
    assert first.granted is not None and not first.granted.done()


def test_a_line_that_nobody_waits_in_keeps_nothing() -> None:
    line, holder = busy()
    for known in (True, False):
        for number in range(3):
            leader = join(line, v6(number), known=known, flight=b"same")
            follower = join(line, v6(number), known=known, flight=b"same")
            line.leave(follower)
            line.leave(leader)
    line.leave(holder)
    assert not line._flights and not line._waiting[True] and not line._waiting[False]
    assert not line._turns._counts and not line._places._counts
    assert line._holder is None


def test_nothing_heavy_is_loaded_until_somebody_has_to_wait() -> None:
    program = (
        "import sys\n"
        "from watchword.structures.line import WaitingLine\n"
        "line = WaitingLine()\n"
        "line.wait(line.join(False, ('',)), 1)\n"
        "assert not {'asyncio', 'concurrent.futures', 'logging'} & set(sys.modules)\n"
        "line.join(False, ('',))\n"
        "assert 'concurrent.futures' in sys.modules and 'asyncio' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# ---- the order -------------------------------------------------------------------------------------------------------


def test_who_comes_from_one_address_is_served_in_the_order_of_coming() -> None:
    line, holder = busy()
    waiting = {name: join(line) for name in "abc"}
    assert served(line, holder, waiting) == ["a", "b", "c"]


def test_addresses_take_turns() -> None:
    line, holder = busy()
    waiting = {f"home {n}": join(line) for n in range(3)} | {f"away {n}": join(line, AWAY) for n in range(2)}
    assert served(line, holder, waiting) == ["home 0", "away 0", "home 1", "away 1", "home 2"]


def test_the_addresses_of_one_network_share_its_turns() -> None:
    line, holder = busy()
    waiting = {f"near {n}": join(line, v6(1, narrow=n)) for n in range(3)}
    waiting |= {f"wide {n}": join(line, v6(1, wide=7, narrow=n)) for n in range(2)}
    waiting |= {f"far {n}": join(line, v6(2)) for n in range(2)}
    assert served(line, holder, waiting) == ["near 0", "far 0", "wide 0", "far 1", "near 1", "wide 1", "near 2"]


def test_known_pairs_go_first_but_never_twice_in_a_row_while_a_stranger_waits() -> None:
    line, holder = busy()
    waiting = {f"stranger {n}": join(line, v6(n)) for n in range(2)}
    waiting |= {f"known {n}": join(line, v6(3), known=True) for n in range(4)}
    order = ["known 0", "stranger 0", "known 1", "stranger 1", "known 2", "known 3"]
    assert served(line, holder, waiting) == order


def test_a_known_pair_that_held_the_line_from_the_start_counts_as_the_last_one_served() -> None:
    line = WaitingLine()
    holder = join(line, known=True)
    waiting = {"known": join(line, known=True), "stranger": join(line)}
    assert served(line, holder, waiting) == ["stranger", "known"]


def test_known_pairs_take_turns_by_network_too() -> None:
    line, holder = busy()
    waiting = {f"home {n}": join(line, known=True) for n in range(2)} | {"away": join(line, AWAY, known=True)}
    assert served(line, holder, waiting) == ["home 0", "away", "home 1"]


# ---- the bounds ------------------------------------------------------------------------------------------------------

TIGHT = Bounds(in_all=9, strangers=6, known=5, widest=4, wide=3, address=2, followers=0)


def admitted(
    line: WaitingLine, networks: Sequence[Sequence[str]], bounds: Bounds, *, known: bool = False
) -> list[Place]:
    places = []
    for each in networks:
        try:
            places.append(line.join(known, each, None, bounds))
        except (NetworkFull, LineFull):
            continue
    return places


@pytest.mark.parametrize(
    ("networks", "room"),
    [
        ([HOME] * 9, 2),
        ([v6(1)] * 9, 2),
        ([v6(1, narrow=n) for n in range(9)], 3),
        ([v6(1, wide=n) for n in range(9)], 4),
    ],
    ids=["IPv4 address", "/64", "/56", "/48"],
)
def test_each_network_has_a_bound_of_its_own(networks: Sequence[Sequence[str]], room: int) -> None:
    line = WaitingLine()
    assert len(admitted(line, networks, TIGHT)) == room
    rejected = refusal(lambda: line.join(False, networks[-1], None, TIGHT))
    assert isinstance(rejected, NetworkFull)
    assert line.join(False, AWAY, None, TIGHT).waits
    assert line.join(True, networks[-1], None, TIGHT).waits  # known pairs are counted apart


def test_all_strangers_together_leave_room_for_known_pairs() -> None:
    line = WaitingLine()
    assert len(admitted(line, [v6(n) for n in range(9)], TIGHT)) == 6
    rejected = refusal(lambda: line.join(False, NEWCOMER, None, TIGHT))
    assert isinstance(rejected, LineFull)
    assert len(admitted(line, [v6(n) for n in range(9)], TIGHT, known=True)) == 3
    assert refused(lambda: line.join(True, v6(2), None, TIGHT)) is LineFull


def test_the_known_pairs_of_one_network_leave_room_for_others() -> None:
    line = WaitingLine()
    assert len(admitted(line, [HOME] * 9, TIGHT, known=True)) == 5
    assert refused(lambda: line.join(True, HOME, None, TIGHT)) is NetworkFull
    assert len(admitted(line, [AWAY] * 3, TIGHT, known=True)) == 3
    assert line.join(False, NEWCOMER, None, TIGHT).waits


@pytest.mark.parametrize("bounds", [FOR_THREADS, FOR_TASKS, TIGHT], ids=["threads", "tasks", "tight"])
@pytest.mark.parametrize("network", [HOME, v6(1)], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("first", [True, False], ids=["known pairs first", "strangers first"])
def test_the_strangers_and_the_known_pairs_of_one_network_leave_room_for_others_together(
    bounds: Bounds, network: Sequence[str], first: bool
) -> None:
    line = WaitingLine()
    taken = [len(admitted(line, [network] * 99, bounds, known=known)) for known in (first, not first)]
    assert sum(taken) == bounds.known
    assert taken[1] == (0 if first else bounds.known - bounds.address)
    for known in (True, False):
        assert refused(partial(line.join, known, network, None, bounds)) is NetworkFull
    assert len(admitted(line, [NEWCOMER] * 2, bounds)) == min(2, bounds.in_all - bounds.known)


def test_an_unknown_address_may_be_anybodys_so_it_is_bounded_as_all_strangers_are() -> None:
    line = WaitingLine()
    assert len(admitted(line, [UNKNOWN] * 9, TIGHT)) == 6


def test_a_place_that_is_left_makes_room_and_one_that_is_refused_takes_none() -> None:
    line = WaitingLine()
    holder, waiting = admitted(line, [HOME] * 9, TIGHT)
    for place in (waiting, holder):
        line.leave(place)
        assert len(admitted(line, [HOME] * 9, TIGHT)) == 1


@pytest.mark.parametrize("bounds", [FOR_THREADS, FOR_TASKS], ids=["threads", "tasks"])
def test_the_bounds_leave_room_for_others_at_every_level(bounds: Bounds) -> None:
    assert 0 < bounds.address < bounds.wide < bounds.widest < bounds.strangers < bounds.in_all
    assert bounds.widest < bounds.known < bounds.in_all


def test_threads_that_wait_are_fewer_than_a_usual_pool_has_even_if_they_follow() -> None:
    line = WaitingLine()
    places = []
    for number in range(100):
        for known in (False, True):
            try:
                places.append(line.join(known, (f"192.0.2.{number // 2}",), b"same", FOR_THREADS))
            except (NetworkFull, LineFull):
                continue
    assert len(places) == 7


# ---- followers -------------------------------------------------------------------------------------------------------


def test_a_flight_takes_one_turn_and_its_followers_are_out_of_the_line_when_it_ends() -> None:
    line, holder = busy()
    leader, *followers = (join(line, flight=b"same") for _ in range(4))
    other = join(line, flight=b"other")
    assert [place.follows for place in (leader, *followers, other)] == [False, True, True, True, False]
    line.leave(holder)
    assert leader.holds
    assert all(place.waits for place in followers)
    line.leave(leader)
    assert other.holds
    for place in followers:
        assert place.granted is not None and place.granted.done()
        assert not (place.holds or place.waits or place.follows)


def test_one_who_joins_while_the_flight_works_follows_it() -> None:
    line = WaitingLine()
    leader = join(line, flight=b"same")
    follower = join(line, flight=b"same")
    line.leave(leader)
    assert not (follower.waits or follower.holds)
    assert join(line, flight=b"same").holds  # a new flight


def test_a_follower_that_leaves_changes_nothing_for_the_others() -> None:
    line, holder = busy()
    leader, first, second = (join(line, flight=b"same") for _ in range(3))
    line.leave(first)
    line.leave(holder)
    assert leader.holds
    assert second.waits
    line.leave(second)
    assert leader.holds
    line.leave(leader)
    assert join(line).holds


def test_the_first_follower_takes_the_turn_of_a_leader_that_left() -> None:
    line, holder = busy()
    leader, first, second = (join(line, flight=b"same") for _ in range(3))
    behind = join(line)
    line.leave(leader)
    assert (first.follows, second.follows) == (False, True)
    assert served(line, holder, {"first": first, "behind": behind}) == ["first", "behind"]
    assert not second.waits


def test_a_place_follows_only_within_its_network_and_kind() -> None:
    line, holder = busy()
    places = [join(line, flight=b"same"), join(line, AWAY, flight=b"same"), join(line, known=True, flight=b"same")]
    assert not any(place.follows for place in places)
    line.leave(holder)
    assert places[2].holds


def test_followers_are_counted_but_need_no_turn() -> None:
    bounds = TIGHT._replace(followers=2)
    line = WaitingLine()
    places = [line.join(False, HOME, b"same", bounds) for _ in range(5)]
    assert line.join(False, HOME, b"other", bounds).waits
    assert refused(lambda: line.join(False, HOME, b"same", bounds)) is NetworkFull
    line.leave(places[4])
    assert refused(lambda: line.join(False, HOME, b"third", bounds)) is NetworkFull  # no turn is left
    assert line.join(False, HOME, b"same", bounds).follows


def test_a_hundred_first_requests_of_one_client_wait_for_one_hash() -> None:
    line = WaitingLine()
    leader, *followers = (line.join(False, HOME, b"same", FOR_TASKS) for _ in range(100))
    line.leave(leader)
    assert not any(place.waits for place in followers)


# ---- the lease -------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_holder_that_outstays_its_lease_loses_the_line_and_its_place() -> None:
    clock = Clock()
    line = WaitingLine(lease=60.0, clock=clock)
    hung = line.join(False, HOME, b"same", TIGHT)
    follower = line.join(False, HOME, b"same", TIGHT)
    clock.now = 59.9
    assert line.join(False, AWAY, None, TIGHT).waits
    clock.now = 60.0
    newcomer = line.join(False, NEWCOMER, None, TIGHT)
    assert newcomer.waits
    assert line._holder is not None and line._holder.networks == AWAY
    assert not (hung.holds or follower.waits)
    line.leave(hung)  # wakes up at last: the line is somebody else's
    assert line._holder.networks == AWAY
    assert len(admitted(line, [HOME] * 9, TIGHT)) == 2


def test_each_holder_has_a_lease_of_its_own() -> None:
    clock = Clock()
    line = WaitingLine(lease=60.0, clock=clock)
    first, second = line.join(False, HOME), line.join(False, HOME)
    clock.now = 50.0
    line.leave(first)
    clock.now = 109.0
    assert line.join(False, AWAY).waits
    assert second.holds


def test_a_thread_that_waits_gets_the_line_when_the_lease_of_a_hung_holder_ends() -> None:
    clock = Clock()
    line = WaitingLine(lease=60.0, clock=clock)
    hung, place = line.join(False, HOME), line.join(False, HOME)
    clock.now = 60.0
    line.wait(place, 30)
    assert place.holds and not hung.holds


def test_a_task_that_waits_gets_the_line_when_the_lease_of_a_hung_holder_ends() -> None:
    clock = Clock()
    line = WaitingLine(lease=60.0, clock=clock)
    hung, place = line.join(False, HOME), line.join(False, HOME)
    clock.now = 60.0
    asyncio.run(line.wait_async(place, 30))
    assert place.holds and not hung.holds


# ---- waiting ---------------------------------------------------------------------------------------------------------


def by_thread(line: WaitingLine, place: Place, patience: float) -> None:
    line.wait(place, patience)


def by_task(line: WaitingLine, place: Place, patience: float) -> None:
    asyncio.run(line.wait_async(place, patience))


BOTH = pytest.mark.parametrize("wait", [by_thread, by_task])


@BOTH
def test_to_wait_for_a_line_that_one_holds_is_no_waiting(wait: Callable[[WaitingLine, Place, float], None]) -> None:
    line = WaitingLine()
    place = line.join(False, HOME)
    wait(line, place, 0.0)
    assert place.holds


@BOTH
def test_patience_ends(wait: Callable[[WaitingLine, Place, float], None]) -> None:
    line, holder = busy()
    place, behind = join(line), join(line)
    rejected = refusal(lambda: wait(line, place, 0.0))
    assert isinstance(rejected, LineFull)
    line.leave(holder)
    assert behind.holds and not place.waits


def run_threads(*targets: Callable[[], object]) -> None:
    threads = [threading.Thread(target=target, daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    """Threads are interrupted in the midst of nearly everything."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("frequent_switches")
def test_one_of_many_threads_works_at_a_time_while_others_come_and_go() -> None:
    line, working, done = WaitingLine(), [], []

    def work(number: int) -> None:
        for attempt in range(20):
            place = line.join(number % 3 == 0, v6(number % 4), bytes([number, attempt]), BOUNDLESS)
            line.leave(join(line, v6(attempt % 4), flight=b"who leaves at once"))
            try:
                line.wait(place, 60)
                working.append(number)
                done.append(working == [number])
                working.remove(number)
            finally:
                line.leave(place)

    run_threads(*[lambda number=number: work(number) for number in range(12)])
    assert done == [True] * 240
    assert line._holder is None


def test_threads_that_follow_are_woken_with_their_leader() -> None:
    line, holder = busy()
    joined = threading.Barrier(9)
    works = []

    def log_in() -> None:
        place = join(line, flight=b"same")
        joined.wait(60)
        try:
            line.wait(place, 60)
            if place.holds:
                works.append(place)
        finally:
            line.leave(place)

    def release() -> None:
        joined.wait(60)
        line.leave(holder)

    run_threads(*[log_in] * 8, release)
    assert len(works) == 1
    assert join(line).holds


def test_one_of_many_tasks_works_at_a_time_also_on_several_loops() -> None:
    line, working, done = WaitingLine(), [], []

    async def work(number: int) -> None:
        place = join(line, v6(number % 4), known=number % 3 == 0)
        try:
            await line.wait_async(place, 60)
            working.append(number)
            await asyncio.sleep(0)
            done.append(working == [number])
            working.remove(number)
        finally:
            line.leave(place)

    async def everybody() -> None:
        await asyncio.gather(*[work(number) for number in range(40)])

    run_threads(*[lambda: asyncio.run(everybody())] * 3)
    assert done == [True] * 120
    assert line._holder is None


def test_a_thread_that_is_interrupted_while_it_waits_leaves_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line, holder = busy()
    place, behind = join(line), join(line)
    assert place.granted is not None

    def interrupted(timeout: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(place.granted, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        line.wait(place, 60)
    line.leave(holder)
    assert behind.holds and not place.waits


def test_a_thread_that_is_interrupted_as_its_turn_comes_hands_the_line_on(monkeypatch: pytest.MonkeyPatch) -> None:
    line, holder = busy()
    place, behind = join(line), join(line)
    assert place.granted is not None

    def interrupted(timeout: float) -> None:
        line.leave(holder)
        assert place.holds
        raise KeyboardInterrupt

    monkeypatch.setattr(place.granted, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        line.wait(place, 60)
    assert behind.holds and not place.holds


@pytest.mark.parametrize("granted", ["never", "before the cancelling", "after the cancelling"])
def test_a_task_that_is_cancelled_leaves_no_trace(granted: str) -> None:
    async def scene() -> None:
        line, holder = busy()
        place, behind = join(line), join(line)
        task = asyncio.create_task(line.wait_async(place, 60))
        await asyncio.sleep(0)  # it waits now
        if granted == "before the cancelling":
            line.leave(holder)
        task.cancel()
        if granted == "after the cancelling":
            line.leave(holder)
            assert place.holds
        with pytest.raises(asyncio.CancelledError):
            await task
        line.leave(holder)
        assert behind.holds and not place.waits and not place.holds
        line.leave(behind)
        assert not line._places._counts

    asyncio.run(scene())


# ---- clients that have left ------------------------------------------------------------------------------------------


def test_nothing_is_hashed_for_a_client_that_left_before_the_turn_of_its_thread() -> None:
    line, holder = busy()
    places = [join(line) for _ in range(4)]
    line.leave(holder)
    for place in places[:3]:
        assert place.holds
        with pytest.raises(ClientGone):
            line.wait(place, 60, lambda: True)
    assert places[3].holds
    line.wait(places[3], 60, lambda: False)
    assert places[3].holds


def test_a_task_whose_client_leaves_is_dropped_at_once() -> None:
    async def scene() -> None:
        line, holder = busy()
        gone: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        place, behind = join(line), join(line)
        task = asyncio.create_task(line.wait_async(place, 60, gone))
        await asyncio.sleep(0)
        gone.set_result(None)
        with pytest.raises(ClientGone):
            await task
        assert not place.waits
        assert behind.waits
        line.leave(holder)
        assert behind.holds

    asyncio.run(scene())


def test_a_client_that_left_as_its_turn_came_hands_the_line_on() -> None:
    async def scene() -> None:
        line, holder = busy()
        gone: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        place, behind = join(line), join(line)
        gone.set_result(None)
        line.leave(holder)
        with pytest.raises(ClientGone):
            await line.wait_async(place, 60, gone)
        assert behind.holds and not place.holds

    asyncio.run(scene())


def test_the_watch_for_a_client_that_stays_goes_on() -> None:
    async def scene() -> None:
        line, holder = busy()
        gone: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        place = join(line)
        task = asyncio.create_task(line.wait_async(place, 60, gone))
        await asyncio.sleep(0)
        line.leave(holder)
        await task
        assert place.holds and not gone.done()

    asyncio.run(scene())


# ---- left amid another call ------------------------------------------------------------------------------------------


def test_a_place_may_be_left_amid_another_call_of_the_same_thread() -> None:
    """The garbage collector closes a forgotten task wherever it likes, also where the line's mutex is held."""
    leaving: list[Place] = []

    def clock() -> float:
        while leaving:
            line.leave(leaving.pop())
        return 0.0

    line = WaitingLine(clock=clock)
    holder, forgotten = line.join(False, HOME), line.join(False, HOME)
    leaving.append(forgotten)
    last = line.join(False, AWAY)  # reads the clock
    assert not leaving and not forgotten.waits and last.waits
    leaving.append(holder)
    assert line.join(False, AWAY).waits
    assert last.holds and not leaving and not holder.holds


# ---- steps -----------------------------------------------------------------------------------------------------------


@contextmanager
def counting(steps: list[int]) -> Iterator[None]:
    """Counts the calls that watchword's own code makes, of Python's own functions too."""

    def count(frame: FrameType, event: str, _: object) -> None:
        steps[0] += event in ("call", "c_call") and "watchword" in frame.f_code.co_filename

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


def test_no_operation_takes_more_steps_where_more_wait() -> None:
    def cost(waiters: int) -> list[int]:
        line, holder = busy()
        for number in range(waiters):
            join(line, v6(number % 7, wide=number % 5, narrow=number % 3), known=number % 2 == 0)
        costs = []
        steps = [0]
        with counting(steps):
            place = join(line, NEWCOMER)
        costs.append(steps[0])
        with counting(steps):
            line.leave(place)
        costs.append(steps[0])
        with counting(steps):
            line.leave(holder)
        return [*costs, steps[0]]

    few = cost(500)
    assert few[0] > 0
    assert cost(5_000) == few


# ---- floods ----------------------------------------------------------------------------------------------------------

ONE_ADDRESS = [HOME] * 1_000
ONE_48 = [v6(1, wide=number // 256, narrow=number % 256) for number in range(1_500)]
UNRELATED = [v6(number) for number in range(1_500)]


@pytest.mark.parametrize("attack", [ONE_ADDRESS, ONE_48], ids=["one address", "one /48"])
@pytest.mark.parametrize("bounds", [BOUNDLESS, FOR_TASKS, FOR_THREADS], ids=["boundless", "tasks", "threads"])
@pytest.mark.parametrize("known", [False, True], ids=["stranger", "known"])
def test_a_newcomer_waits_for_two_works_at_most(attack: Sequence[Sequence[str]], bounds: Bounds, known: bool) -> None:
    line = WaitingLine()
    guesses = admitted(line, attack, bounds)
    assert bounds is not BOUNDLESS or len(guesses) == len(attack)
    newcomer = line.join(known, NEWCOMER, b"right", bounds)
    assert works_before(line, newcomer, guesses) <= (1 if known else 2)


@pytest.mark.parametrize("attack", [ONE_ADDRESS, ONE_48], ids=["one address", "one /48"])
def test_a_flood_that_never_ends_does_not_change_that(attack: Sequence[Sequence[str]]) -> None:
    """A new guess takes the room of each that is judged, and all of it has come when the newcomer does."""
    line = WaitingLine()
    guesses = admitted(line, attack, FOR_TASKS)
    for _ in range(50):
        newcomer = line.join(False, NEWCOMER, None, FOR_TASKS)
        works = 0
        while not newcomer.holds:
            assert line._holder is not None
            line.leave(line._holder)
            works += 1
            guesses += admitted(line, attack[:100], FOR_TASKS)
        assert works <= 2
        line.leave(newcomer)


@pytest.mark.parametrize("bounds", [FOR_TASKS, FOR_THREADS], ids=["tasks", "threads"])
def test_of_unrelated_networks_a_bounded_number_waits_and_known_pairs_find_room(bounds: Bounds) -> None:
    line = WaitingLine()
    guesses, reasons = [], []
    for networks in UNRELATED:
        try:
            guesses.append(line.join(False, networks, None, bounds))
        except (NetworkFull, LineFull) as rejected:
            reasons.append(type(rejected))
    assert len(guesses) == bounds.strangers
    assert reasons == [LineFull] * (1_500 - bounds.strangers)
    known = line.join(True, NEWCOMER, None, bounds)
    assert works_before(line, known, guesses) == 1


@pytest.mark.parametrize("hang_up", [False, True], ids=["stay", "hang up"])
def test_a_thousand_tasks_of_one_address_keep_a_right_log_in_waiting_for_two_hashes(hang_up: bool) -> None:
    hashes: list[str] = []

    async def log_in(line: WaitingLine, networks: Sequence[str]) -> type[Exception] | None:
        try:
            place = line.join(False, networks, None, FOR_TASKS)
        except (NetworkFull, LineFull) as rejected:
            return type(rejected)
        try:
            await line.wait_async(place, 60)
            hashes.append(networks[-1])
            await asyncio.sleep(0)
        finally:
            line.leave(place)
        return None

    async def scene() -> None:
        line = WaitingLine()
        guesses = [asyncio.create_task(log_in(line, HOME)) for _ in range(1_000)]
        await asyncio.sleep(0)  # all of them have come
        if hang_up:
            for task in guesses[1:]:
                task.cancel()
        assert await log_in(line, NEWCOMER) is None
        assert len(hashes) <= 3 and hashes[-1] == NEWCOMER[-1]
        outcomes = await asyncio.gather(*guesses, return_exceptions=True)
        judged = [outcome for outcome in outcomes if outcome is None]
        if hang_up:
            assert len(judged) == 1
        else:
            assert len(judged) == FOR_TASKS.address
            assert outcomes.count(NetworkFull) == 1_000 - FOR_TASKS.address
        assert not line._places._counts

    asyncio.run(scene())
