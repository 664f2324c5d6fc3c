from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

from tests.patience import PATIENCE
from watchword import ConfigurationError, Request, Response
from watchword.transport.flow import AsyncDrive, ClientContext, Drive, arun, run
from watchword.structures.lock import _LOCKS, lock_of
from watchword.core.records import COMMITTED, Found, Put, Ref, Spent
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Ask, Hold, Load, Received, Release, Save, Send, Sleep

REQUEST = Request("GET", "https", "api.example", "/")
TOKEN = Request("POST", "https", "id.example", "/token")
OK = Received(Response(200))


class Scripted:
    """An Auth whose flow is the given generator function."""

    def __init__(self, script):
        self.script = script

    def flow(self, request, context):
        return self.script(request, context)


def context():
    return ClientContext(lambda: b"")


def both(auth, send, **settings):
    """The flow's answer through the sync and the async driver, which must agree."""
    answer = run(auth, REQUEST, send, context(), **settings)

    async def asend(effect):
        return send(effect)

    assert asyncio.run(arun(auth, REQUEST, asend, context(), **settings)).response.status == answer.response.status
    return answer


class Records:
    """A store that holds one record."""

    kinds = None
    blocking = False

    def __init__(self):
        self.writes = []
        self.threads = []

    def fetch(self, refs):
        self.threads.append(threading.get_ident())
        return Found({ref: (Spent(7.0), 1) for ref in refs})

    def commit(self, writes):
        self.writes += writes
        return COMMITTED


class AsyncRecords(Records):
    async def fetch(self, refs):
        return super().fetch(refs)

    async def commit(self, writes):
        return super().commit(writes)


REF = Ref(Spent, ("a",))


def stored(request, context):
    assert context.stored
    found = yield Load((REF,))
    assert found.get(REF) == Spent(7.0)
    assert (yield Save((Put(REF, Spent(8.0)),))) == COMMITTED
    yield Send(request)


def test_the_answer_is_that_to_the_callers_request_whatever_else_was_sent():
    def script(request, context):
        token = yield Send(TOKEN, b"grant", want=True)
        yield Send(request.with_headers(((b"authorization", token.body),)))

    def send(effect):
        if effect.body is None:
            assert effect.request.values(b"authorization") == [b"tok"]
            return Received(Response(204))
        return Received(Response(200), b"tok")

    assert both(Scripted(script), send).response.status == 204


def test_a_flow_that_ends_with_a_request_of_its_own_gives_no_answer():
    def script(request, context):
        yield Send(request)
        yield Send(TOKEN, b"grant")

    with pytest.raises(CredentialsUnavailable, match="without the answer"):
        both(Scripted(script), lambda effect: OK)

    with pytest.raises(CredentialsUnavailable):
        both(Scripted(lambda request, context: iter_nothing()), lambda effect: OK)


def iter_nothing():
    yield from ()


def test_load_and_save_are_answered_by_the_store():
    store = Records()
    assert both(Scripted(stored), lambda effect: OK, store=store) == OK
    assert store.writes == [Put(REF, Spent(8.0))] * 2


def test_the_async_driver_awaits_an_async_store():
    store = AsyncRecords()

    async def send(effect):
        return OK

    assert asyncio.run(arun(Scripted(stored), REQUEST, send, context(), store=store)) == OK
    assert len(store.writes) == 1


def test_a_store_that_blocks_is_kept_off_the_event_loop():
    store = Records()
    store.blocking = True

    async def main():
        await AsyncDrive(Scripted(stored), REQUEST, context(), store=store).advance()
        return threading.get_ident()

    assert asyncio.run(main()) not in store.threads


def test_the_sync_driver_refuses_an_async_store():
    with pytest.raises(ConfigurationError, match="AsyncStore"):
        run(Scripted(stored), REQUEST, lambda effect: OK, context(), store=AsyncRecords())


@pytest.mark.parametrize("effect", [Load((REF,)), Save(()), Ask("browser", "https://id.example/")])
def test_a_missing_store_or_asker_is_named_with_its_mend(effect):
    def script(request, context):
        assert not context.stored
        yield effect
        yield Send(request)

    with pytest.raises(ConfigurationError, match="pass "):
        run(Scripted(script), REQUEST, lambda effect: OK, context())

    async def main():
        await AsyncDrive(Scripted(script), REQUEST, context()).advance()

    with pytest.raises(ConfigurationError, match="pass "):
        asyncio.run(main())


def test_ask_is_answered_by_the_asker_and_sleep_by_waiting(monkeypatch):
    waited = []

    async def asleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setattr(asyncio, "sleep", asleep)

    def script(request, context):
        yield Sleep(0.02)
        assert (yield Ask("device", "https://id.example/device", "ABCD")) == "yes"
        yield Send(request)

    assert both(Scripted(script), lambda effect: OK, ask=lambda ask: "yes" if ask.code == "ABCD" else "no") == OK
    assert waited == [0.02, 0.02]


def test_what_the_sender_raises_passes_through_and_frees_the_locks():
    cleaned = []

    def script(request, context):
        try:
            yield Hold("token", 60)
            yield Send(TOKEN, b"grant")
            yield Send(request)
        finally:
            cleaned.append(True)

    auth = Scripted(script)

    def send(effect):
        raise ConnectionResetError

    for _ in range(2):  # the second would wait for a minute if the first kept the lock
        with pytest.raises(ConnectionResetError):
            both(auth, send)
    assert cleaned == [True, True]
    assert lock_of(auth, "token").acquire(1).granted is None


def test_what_a_store_raises_ends_the_flow_and_frees_the_locks():
    def script(request, context):
        yield Hold("token", 60)
        yield Load((REF,))
        yield Send(request)

    class Down(Records):
        def fetch(self, refs):
            raise OSError("down")

    auth = Scripted(script)
    for _ in range(2):
        with pytest.raises(OSError, match="down"):
            both(auth, lambda effect: OK, store=Down())


def test_what_a_flow_raises_frees_its_locks():
    def script(request, context):
        yield Hold("token", 60)
        raise CredentialsUnavailable("no")
        yield

    auth = Scripted(script)
    for _ in range(2):
        with pytest.raises(CredentialsUnavailable):
            both(auth, lambda effect: OK)


def test_no_lock_is_held_while_the_callers_request_is_under_way():
    def script(request, context):
        yield Hold("token", 60)
        yield Send(request)

    auth = Scripted(script)
    drives = [Drive(auth, REQUEST, context()) for _ in range(3)]
    assert all(drive.advance() is not None for drive in drives)


class Flight:
    """Counts how many are between Hold and Release at once, and fetches a token once."""

    def __init__(self):
        self.token = None
        self.fetched = 0
        self.inside = 0
        self.most = 0
        self.order = []

    def flow(self, request, context):
        yield Hold("token", 30)
        self.inside += 1
        self.most = max(self.most, self.inside)
        if self.token is None:
            yield Send(TOKEN, b"grant")
            self.fetched += 1
            self.token = b"tok"
        self.inside -= 1
        yield Release("token")
        yield Send(request.with_headers(((b"authorization", self.token),)))


def test_a_hold_is_single_flight_across_32_threads():
    flight = Flight()
    start = threading.Barrier(32)
    answers = []

    def send(effect):
        time.sleep(0.02 if effect.body is not None else 0)
        return OK

    def work():
        start.wait()
        answers.append(run(flight, REQUEST, send, context()))

    threads = [threading.Thread(target=work) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(answers), flight.fetched, flight.most) == (32, 1, 1)


def test_a_hold_is_single_flight_across_200_tasks_and_32_threads_at_once():
    flight = Flight()
    answers = []

    def send(effect):
        time.sleep(0.01 if effect.body is not None else 0)
        return OK

    async def asend(effect):
        await asyncio.sleep(0.01 if effect.body is not None else 0)
        return OK

    async def main():
        return await asyncio.gather(*(arun(flight, REQUEST, asend, context()) for _ in range(200)))

    threads = [
        threading.Thread(target=lambda: answers.append(run(flight, REQUEST, send, context()))) for _ in range(32)
    ]
    for thread in threads:
        thread.start()
    answers += asyncio.run(main())
    for thread in threads:
        thread.join()
    assert (len(answers), flight.fetched, flight.most) == (232, 1, 1)


def test_a_cancelled_task_leaves_the_queue_and_frees_what_it_holds():
    flight = Flight()
    entered = None

    async def hang(effect):
        entered.set()
        await asyncio.Event().wait()

    async def quick(effect):
        return OK

    async def main():
        nonlocal entered
        entered = asyncio.Event()
        holder = asyncio.create_task(arun(flight, REQUEST, hang, context()))
        await entered.wait()
        queued = asyncio.create_task(arun(flight, REQUEST, quick, context()))
        last = asyncio.create_task(arun(flight, REQUEST, quick, context()))
        await asyncio.sleep(0)
        queued.cancel()
        await asyncio.sleep(0)
        holder.cancel()
        flight.inside = 0
        results = await asyncio.wait_for(asyncio.gather(holder, queued, last, return_exceptions=True), PATIENCE)
        assert [type(result) for result in results] == [asyncio.CancelledError, asyncio.CancelledError, Received]

    asyncio.run(main())
    assert lock_of(flight, "token").acquire(1).granted is None


def test_a_task_cancelled_just_as_it_gets_the_lock_hands_it_on():
    flight = Flight()
    lock = lock_of(flight, "token")

    async def main():
        holder = lock.acquire(30)

        async def quick(effect):
            return OK

        first = asyncio.create_task(arun(flight, REQUEST, quick, context()))
        second = asyncio.create_task(arun(flight, REQUEST, quick, context()))
        await asyncio.sleep(0.01)
        lock.release(holder)  # hands over to `first`, which hasn't run yet
        first.cancel()
        assert await asyncio.wait_for(second, PATIENCE) == OK
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(main())


def holding(lease):
    def script(request, context):
        yield Hold("token", lease)
        yield Send(TOKEN, b"grant")
        yield Send(request)

    return Scripted(script)


def test_waiting_ends_after_the_lease():
    auth = holding(0.05)
    lock = lock_of(auth, "token")
    lock.acquire(60)
    with pytest.raises(CredentialsUnavailable, match="waited 0.05 s for 'token' in vain"):
        run(auth, REQUEST, lambda effect: OK, context())

    async def send(effect):
        return OK

    with pytest.raises(CredentialsUnavailable, match="in vain"):
        asyncio.run(arun(auth, REQUEST, send, context()))


def test_who_outstays_the_lease_loses_the_lock_and_does_not_free_it_for_others():
    auth = holding(1e6)  # the time for which it would wait, if the other's lease did not end
    lock = lock_of(auth, "token")
    hung = lock.acquire(0.05)
    assert run(auth, REQUEST, lambda effect: OK, context()) == OK
    next_one = lock.acquire(60)
    assert next_one.granted is None
    lock.release(hung)
    assert lock.acquire(60).granted is not None


def test_waiters_are_served_in_the_order_in_which_they_came():
    lock = lock_of(holding(1), "token")
    turns = [lock.acquire(60) for _ in range(4)]
    lock.abandon(turns[2])
    for turn, following in ((turns[0], turns[1]), (turns[1], turns[3])):
        assert not following.granted.done()
        lock.release(turn)
        assert following.granted.done()


def test_locks_belong_to_the_object_and_go_with_it():
    class Equal(Flight):
        __hash__ = None

        def __eq__(self, other):
            return True

    one, other = Equal(), Equal()
    assert lock_of(one, "a") is lock_of(one, "a")
    assert lock_of(one, "a") is not lock_of(other, "a")
    known = id(one)
    assert known in _LOCKS
    del one
    gc.collect()
    assert known not in _LOCKS


def test_an_auth_that_can_not_be_referred_to_weakly_is_a_configuration_error():
    class Slotted:
        __slots__ = ()

        def flow(self, request, context):
            yield Hold("token", 1)

    with pytest.raises(ConfigurationError, match="__weakref__"):
        Drive(Slotted(), REQUEST, context()).advance()
