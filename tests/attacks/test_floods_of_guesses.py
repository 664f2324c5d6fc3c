"""A flood of guesses keeps nobody else waiting: counted is which hashes are judged before a stranger's, never how long it takes.

Each scene is played by tasks and by a pool of eight threads, which is a usual server's, at the guard and at the token
endpoint. No limit on attempts helps in the first scenes: the line alone has to hold.
"""

from __future__ import annotations

import asyncio
import operator
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.attacks.floods import (
    DOORS, STRANGER, Answer, Door, GuardDoor, Hashing, TokenDoor, block_until, one_48, one_address, unrelated_48s, until,
)  # fmt: skip
from tests.patience import PATIENCE
from watchword import AttemptPolicy
from watchword.schemes.password_cache import PasswordCache
from watchword.structures.room import FOR_TASKS, FOR_THREADS

POOL = 8
MOST = 3
"""Hashes from the arrival of a stranger to its verdict: the one that runs, one of the flood's, and its own."""

AT_A_DOOR = pytest.mark.parametrize("make", DOORS.values(), ids=DOORS)
FROM_ONE_NETWORK = pytest.mark.parametrize(
    ("guesses", "address", "tasks", "threads"),
    [
        (1000, one_address, FOR_TASKS.address, FOR_THREADS.address),
        (1500, one_48, FOR_TASKS.widest, FOR_THREADS.widest),
    ],
    ids=["one address", "one /48"],
)


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    made = Hashing(monkeypatch)
    yield made
    made.gate.set()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(POOL) as made:
        yield made


# ---- from one network ------------------------------------------------------------------------------------------------


@AT_A_DOOR
@FROM_ONE_NETWORK
def test_a_stranger_waits_for_two_hashes_while_tasks_guess(
    make: Callable[..., Door], guesses: int, address: Callable[[int], str], tasks: int, threads: int, hashing: Hashing
) -> None:
    door = make(True, None)

    async def scene() -> None:
        flood = [asyncio.create_task(door.ask_async(f"nobody{n}", f"guess{n}", address(n))) for n in range(guesses)]
        await until(lambda: hashing.running == 1 and sum(task.done() for task in flood) == guesses - tasks)
        assert Counter(task.result() for task in flood if task.done()) == {Answer(429, 1): guesses - tasks}
        stranger = asyncio.create_task(door.ask_async("alice", "right", STRANGER))
        await until(lambda: door.waiting == tasks + 1)
        # They come again and again, until the stranger has an answer.
        again = [asyncio.create_task(insist(door, address(n), n, stranger)) for n in range(tasks)]
        hashing.gate.set()
        assert await asyncio.wait_for(stranger, PATIENCE) == Answer(200)
        await asyncio.gather(*flood, *again)

    asyncio.run(scene())
    assert 2 <= hashing.secrets.index("right") + 1 <= MOST
    assert (hashing.most, door.waiting) == (1, 0)


async def insist(door: Door, address: str, number: int, stranger: asyncio.Task[Answer]) -> None:
    while not stranger.done():
        await door.ask_async(f"nobody{number}", "again", address)
        await asyncio.sleep(0)


@AT_A_DOOR
@FROM_ONE_NETWORK
def test_a_stranger_waits_for_two_hashes_while_threads_guess(
    make: Callable[..., Door], guesses: int, address: Callable[[int], str], tasks: int, threads: int, hashing: Hashing,
    pool: ThreadPoolExecutor,
) -> None:  # fmt: skip
    door = make(False, None)
    flood = [pool.submit(door.ask, f"nobody{n}", f"guess{n}", address(n)) for n in range(guesses)]
    block_until(lambda: hashing.running == 1 and done(flood) == guesses - threads)
    assert Counter(answer.result() for answer in flood if answer.done()) == {Answer(429, 1): guesses - threads}
    stranger = pool.submit(door.ask, "alice", "right", STRANGER)  # there is a thread left for it
    block_until(lambda: door.waiting == threads + 1)
    hashing.gate.set()
    assert stranger.result(PATIENCE) == Answer(200)
    assert {answer.result(PATIENCE).status for answer in flood} == {401, 429}
    assert 2 <= hashing.secrets.index("right") + 1 <= MOST
    assert (hashing.most, door.waiting) == (1, 0)


def done(answers: list[Future[Answer]]) -> int:
    return sum(answer.done() for answer in answers)


# ---- from unrelated networks -----------------------------------------------------------------------------------------


@AT_A_DOOR
def test_of_1500_unrelated_networks_few_wait_in_tasks_and_a_known_pair_gets_in(
    make: Callable[..., Door], hashing: Hashing
) -> None:
    door = make(True, AttemptPolicy())

    async def scene() -> None:
        hashing.gate.set()
        assert await door.ask_async("alice", "right", STRANGER) == Answer(200)
        hashing.secrets.clear()
        hashing.gate.clear()
        flood = [asyncio.create_task(door.ask_async(f"nobody{n}", f"guess{n}", unrelated_48s(n))) for n in range(1500)]
        most = FOR_TASKS.strangers
        await until(lambda: hashing.running == 1 and sum(task.done() for task in flood) == 1500 - most)
        assert Counter(task.result() for task in flood if task.done()) == {Answer(503, 1): 1500 - most}
        assert door.waiting == most
        # Another stranger is told so at once, and a known pair goes first.
        assert await door.ask_async("bob", "right", "203.0.113.9") == Answer(503, 1)
        known = asyncio.create_task(door.ask_async("alice", "right", STRANGER))
        await until(lambda: door.waiting == most + 1)
        hashing.gate.set()
        assert await asyncio.wait_for(known, PATIENCE) == Answer(200)
        assert [(await task).status for task in flood].count(401) == most

    asyncio.run(scene())
    assert hashing.secrets.index("right") + 1 <= MOST - 1
    assert (len(hashing.secrets), hashing.most, door.waiting) == (FOR_TASKS.strangers + 1, 1, 0)


@AT_A_DOOR
def test_of_1500_unrelated_networks_few_wait_in_threads_and_a_known_pair_gets_in(
    make: Callable[..., Door], hashing: Hashing, pool: ThreadPoolExecutor
) -> None:
    door = make(False, AttemptPolicy())
    hashing.gate.set()
    assert door.ask("alice", "right", STRANGER) == Answer(200)
    hashing.secrets.clear()
    hashing.gate.clear()
    most = FOR_THREADS.strangers
    assert most < FOR_THREADS.in_all < POOL
    flood = [pool.submit(door.ask, f"nobody{n}", f"guess{n}", unrelated_48s(n)) for n in range(1500)]
    block_until(lambda: hashing.running == 1 and done(flood) == 1500 - most)
    assert Counter(answer.result() for answer in flood if answer.done()) == {Answer(503, 1): 1500 - most}
    assert pool.submit(door.ask, "bob", "right", "203.0.113.9").result(PATIENCE) == Answer(503, 1)
    known = pool.submit(door.ask, "alice", "right", STRANGER)
    block_until(lambda: door.waiting == most + 1)
    hashing.gate.set()
    assert known.result(PATIENCE) == Answer(200)
    assert [answer.result(PATIENCE).status for answer in flood].count(401) == most
    assert hashing.secrets.index("right") + 1 <= MOST - 1
    assert (len(hashing.secrets), hashing.most, door.waiting) == (most + 1, 1, 0)


# ---- sent and hung up on ---------------------------------------------------------------------------------------------


@AT_A_DOOR
def test_guesses_that_are_hung_up_on_leave_the_line_and_one_hash_behind(
    make: Callable[..., Door], hashing: Hashing
) -> None:
    door = make(True, None)

    async def scene() -> None:
        for number in range(1000):
            guess = asyncio.create_task(door.ask_async(f"nobody{number}", f"guess{number}", one_address(number)))
            await asyncio.sleep(0)
            if number == 0:
                await until(hashing.begun.is_set)
            guess.cancel()
            with pytest.raises(asyncio.CancelledError):
                await guess
        # The first one's hash runs on, and holds the line; the others have left it.
        assert (hashing.secrets, door.waiting, hash_threads()) == (["guess0"], 1, 1)
        stranger = asyncio.create_task(door.ask_async("alice", "right", STRANGER))
        await until(lambda: door.waiting == 2)
        hashing.gate.set()
        assert await asyncio.wait_for(stranger, PATIENCE) == Answer(200)

    asyncio.run(scene())
    assert (hashing.secrets, hashing.most, door.waiting) == (["guess0", "right"], 1, 0)


@AT_A_DOOR
def test_guesses_that_are_hung_up_on_are_counted(make: Callable[..., Door], hashing: Hashing) -> None:
    """By default twenty of one user from one address may fail, also if the client doesn't wait to hear so."""
    door = make(True, AttemptPolicy())

    async def scene() -> None:
        holder = door.line.join(False, ("198.51.100.1",), None, FOR_TASKS)
        statuses = []
        for number in range(30):
            guess = asyncio.create_task(door.ask_async("alice", f"guess{number}", one_address(number)))
            for _ in range(20):
                await asyncio.sleep(0)
            if guess.done():
                statuses.append(guess.result().status)
            guess.cancel()
            await asyncio.wait([guess])
        assert statuses == [429] * 10
        door.line.leave(holder)
        hashing.gate.set()
        assert (await door.ask_async("alice", "right", one_address(0))).status == 429
        assert await door.ask_async("alice", "right", STRANGER) == Answer(200)

    asyncio.run(scene())
    assert hashing.secrets == ["right"]


def hash_threads() -> int:
    return sum(thread.name.startswith("watchword-hash") for thread in threading.enumerate())


@AT_A_DOOR
def test_hung_up_guesses_never_hash_two_at_a_time(make: Callable[..., Door], hashing: Hashing) -> None:
    """Each is cancelled as soon as its thread has been asked for: some have begun by then, and some never will."""
    door = make(True, None)
    hashing.gate.set()

    async def scene() -> None:
        for number in range(300):
            guess = asyncio.create_task(door.ask_async(f"nobody{number}", f"guess{number}", one_address(number)))
            for _ in range(number % 5):
                await asyncio.sleep(0)
            guess.cancel()
            await asyncio.wait([guess])
        await until(lambda: door.waiting == 0)
        assert await door.ask_async("alice", "right", STRANGER) == Answer(200)

    asyncio.run(scene())
    assert hashing.most == 1


# ---- bursts of one user's own ----------------------------------------------------------------------------------------


def test_a_hundred_right_log_ins_at_once_are_one_hash_in_tasks(hashing: Hashing) -> None:
    door = GuardDoor(True, AttemptPolicy(), PasswordCache())

    async def scene() -> None:
        burst = [asyncio.create_task(door.ask_async("alice", "right", STRANGER)) for _ in range(100)]
        await until(lambda: door.waiting == 100)
        hashing.gate.set()
        assert await asyncio.gather(*burst) == [Answer(200)] * 100

    asyncio.run(scene())
    assert (hashing.secrets, door.waiting) == (["right"], 0)


def test_a_hundred_right_log_ins_at_once_are_one_hash_in_threads_and_the_rest_come_again(
    hashing: Hashing, pool: ThreadPoolExecutor
) -> None:
    """A thread that waits is missing elsewhere, so few may: the others are told to come again in a second."""
    door = GuardDoor(False, AttemptPolicy(), PasswordCache())
    burst = [pool.submit(door.ask, "alice", "right", STRANGER) for _ in range(100)]
    wait = FOR_THREADS.address
    block_until(lambda: hashing.running == 1 and done(burst) == 100 - wait)
    assert {answer.result() for answer in burst if answer.done()} == {Answer(429, 1)}
    hashing.gate.set()
    assert [answer.result(PATIENCE) for answer in burst].count(Answer(200)) == wait
    assert list(pool.map(lambda _: door.ask("alice", "right", STRANGER), range(100))) == [Answer(200)] * 100
    assert (hashing.secrets, door.waiting) == (["right"], 0)


def test_a_burst_of_one_clients_token_requests_is_bounded_and_the_rest_come_again(hashing: Hashing) -> None:
    """The token endpoint remembers no secret, so each is hashed; a client needs one token."""
    door = TokenDoor(True, AttemptPolicy())

    async def scene() -> None:
        burst = [asyncio.create_task(door.ask_async("alice", "right", STRANGER)) for _ in range(100)]
        wait = FOR_TASKS.address
        await until(lambda: sum(task.done() for task in burst) == 100 - wait)
        hashing.gate.set()
        answers = Counter(await asyncio.gather(*burst))
        assert answers == {Answer(200): wait, Answer(429, 1): 100 - wait}
        assert await door.ask_async("alice", "right", STRANGER) == Answer(200)

    asyncio.run(scene())


def test_the_documented_places_are_those_of_the_line() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/attempts.md").read_text()
    table = page.partition("| Places in the line for |")[2].partition("\n\n")[0]
    rows = [tuple(int(cell) for cell in row.split("|")[2:4]) for row in table.splitlines()[2:]]
    order = operator.attrgetter("address", "wide", "widest", "strangers", "known", "in_all")
    assert rows == list(zip(order(FOR_TASKS), order(FOR_THREADS), strict=True))
    assert "eight times as many requests as there are places" in page and FOR_TASKS.followers == 7
