"""What becomes of a verb when the server, or the way to it, fails: it ends in time, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.stores.faces import Called, Note
from tests.stores.redis.proxy import Proxy
from tests.valkey import Server, shared
from watchword import StoreUnavailable
from watchword.core.records import COMMITTED, Add, Counter, Once, Put, Ref, Replayed, Spent
from watchword.stores import AsyncRedisStore
from watchword.stores.redis.commands import Layout
from watchword.stores.sql.queries import counter_key

Make = Callable[..., Called]
NOTE = Ref(Note, ("n",))


def once(*key: str) -> Once:
    return Once(key, time.time() + 300)


@pytest.fixture
def proxy() -> Any:
    with Proxy(shared().socket) as made:
        yield made


def sent(proxy: Proxy, words: bytes) -> int:
    return sum(words in command for command in proxy.commands)


def test_a_commit_whose_answer_is_lost_is_unavailable_and_never_sent_again(make: Make, proxy: Proxy) -> None:
    """Else the second one would meet the marks of the first, and a genuine request were refused as replayed."""
    store = make(url=f"redis://{proxy.address}")
    first = once("first")
    assert store.commit(first) == COMMITTED
    writes = [once("mark"), Put(NOTE, Note("text"), 0), Add(("counter",), 1, time.time() + 300, 5)]
    before = sent(proxy, b"EVALSHA")
    proxy.lose = b"EVALSHA"
    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.commit(*writes)
    proxy.lose = None
    assert sent(proxy, b"EVALSHA") == before + 1
    assert store.get(Note, "n") == Note("text")
    assert store.get(Counter, "counter").value == 1, "it was carried out, once"
    assert store.commit(writes[0]) == Replayed(writes[0])  # what the next request with these credentials is told


def test_a_lookup_whose_answer_is_lost_is_unavailable(make: Make, proxy: Proxy) -> None:
    store = make(url=f"redis://{proxy.address}")
    store.check()
    proxy.lose = b"MGET"
    with pytest.raises(StoreUnavailable):
        store.get(Note, "n")
    proxy.lose = None
    assert store.get(Note, "n") is None


def test_an_answer_that_drips_ends_with_the_deadline_not_with_the_last_octet(make: Make, proxy: Proxy) -> None:
    make(prefix="drip:").commit(Put(NOTE, Note("x" * 100_000)))
    store = make(url=f"redis://{proxy.address}", prefix="drip:", timeout=1)
    store.check()
    proxy.drip = 0.05  # the answer would take more than an hour
    with pytest.raises(StoreUnavailable):
        store.get(Note, "n")


def test_a_greeting_that_drips_ends_as_well(make: Make, proxy: Proxy) -> None:
    proxy.drip = 0.05
    with pytest.raises(StoreUnavailable):
        make(url=f"redis://{proxy.address}", timeout=1).check()


def test_a_server_that_hangs_is_unavailable_in_time(make: Make, server: Server) -> None:
    store = make(url=server.url, timeout=1)
    store.check()
    server.pause()
    with pytest.raises(StoreUnavailable):
        store.commit(once("mark"))
    server.go_on()
    assert store.get(Note, "n") is None


def test_after_a_restart_idle_connections_and_scripts_are_made_anew(make: Make, server: Server) -> None:
    store = make(url=server.url)
    mark = once("mark")
    assert store.commit(mark) == COMMITTED
    server.kill()
    with pytest.raises(StoreUnavailable):
        store.commit(once("while it is away"))
    server.start()
    assert store.commit(mark) == Replayed(mark), "the scripts are gone, the marks are not"


def test_scripts_that_the_server_forgot_are_sent_whole_over_the_same_connection(make: Make, server: Server) -> None:
    store = make(url=server.url)
    mark, counter = once("mark"), Add(("c",), 2, time.time() + 300, 5)
    store.commit(mark, counter)
    assert store.get(Counter, "c").value == 2
    for _ in range(2):
        server.say("SCRIPT", "FLUSH")
        assert store.commit(mark) == Replayed(mark)
        server.say("SCRIPT", "FLUSH")
        assert store.get(Counter, "c").value == 2
    assert b"total_connections_received:" in server.say("INFO", "stats")


def test_what_the_server_says_stays_in_the_process(make: Make, server: Server) -> None:
    password = "open-sesame"
    server.say("CONFIG", "SET", "requirepass", password)
    for url in (f"redis://:wrong-{password}@127.0.0.1:{server.port}", f"redis://127.0.0.1:{server.port}"):
        with pytest.raises(StoreUnavailable) as caught:
            make(url=url).check()
        words = f"{caught.value} {caught.value.__cause__}"
        assert "Error" in words
        assert password not in words
    assert make(url=f"redis://:{password}@127.0.0.1:{server.port}").check() is None


def test_a_key_that_another_program_uses_is_unavailable_and_nothing_is_written(make: Make, server: Server) -> None:
    store = make(url=server.url, prefix="w:")
    for name in ("w:c", "w:c0", "w:c4", "w:ce"):
        server.say("SET", name, "of another program")
        with pytest.raises(StoreUnavailable):
            store.commit(once("mark"), Put(NOTE, Note("n")), Add(("c",), 1, time.time() + 9))
        assert store.get(Note, "n") is None
        server.say("DEL", name)
    layout = Layout("w:")
    server.say("SET", layout.mark(("m",)), "of another program")
    for verb in (lambda: store.get(Spent, "m"), lambda: store.commit(once("m"))):
        with pytest.raises(StoreUnavailable):
            verb()
    server.say("HSET", "w:c", counter_key(("c",)), "of another program")
    for verb in (lambda: store.get(Counter, "c"), lambda: store.commit(Add(("c",), 1, time.time() + 9))):
        with pytest.raises(StoreUnavailable):
            verb()
    server.say("SET", 'w:r:Note:["n"]', "of another program")
    with pytest.raises(StoreUnavailable, match="unknown form"):
        store.get(Note, "n")


def test_a_server_whose_memory_is_full_writes_nothing_of_a_commit(make: Make, server: Server) -> None:
    store = make(url=server.url)
    store.commit(Put(NOTE, Note("old")))
    server.say("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StoreUnavailable):
        store.commit(once("mark"), Put(NOTE, Note("new")), Add(("c",), 1, time.time() + 300))
    assert store.get(Note, "n") == Note("old")
    server.say("CONFIG", "SET", "maxmemory", "0")
    assert store.get(Counter, "c") is None
    assert store.commit(once("mark")) == COMMITTED


def test_more_threads_than_connections_wait_for_one_and_not_for_ever(server: Server) -> None:
    from watchword.stores import RedisStore

    with RedisStore(server.url, max_connections=1, timeout=1) as store:
        outcomes = []
        threads = [
            threading.Thread(target=lambda n=n: outcomes.append(store.commit([once(str(n))]))) for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes == [COMMITTED] * 20
        server.pause()
        failures: list[str] = []

        def fail() -> None:
            with pytest.raises(StoreUnavailable) as caught:
                store.check()
            failures.append(str(caught.value))

        threads = [threading.Thread(target=fail) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        server.go_on()
        assert len(failures) == 3


def test_a_forked_process_has_connections_of_its_own(server: Server) -> None:
    from watchword.stores import RedisStore

    with RedisStore(server.url) as store:
        mark = once("mark")
        store.check()
        child = os.fork()
        if child == 0:
            os._exit(0 if store.commit([mark]) == COMMITTED else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert store.commit([mark]) == Replayed(mark)


def test_a_commit_whose_caller_is_cancelled_runs_to_its_end_and_a_look_up_leaves_no_answer_to_the_next(
    server: Server,
) -> None:
    async def main() -> None:
        async with AsyncRedisStore(server.url, secrets=bytes(32)) as store:
            await store.commit([Put(NOTE, Note("n")), Put(Ref(Note, ("other",)), Note("other"))])
            for number in range(20):
                mark = once(str(number))
                commit = asyncio.ensure_future(store.commit([mark]))
                look_up = asyncio.ensure_future(store.fetch([NOTE]))
                for _ in range(number):  # until it has sent, or waits for the answer
                    await asyncio.sleep(0)
                commit.cancel()
                look_up.cancel()
                await asyncio.gather(commit, look_up, return_exceptions=True)
                await asyncio.gather(*store._pools[os.getpid()].running)
                other = Ref(Note, ("other",))
                assert (await store.fetch([other])).get(other) == Note("other")
                if number:  # else it had not begun
                    assert await store.commit([mark]) == Replayed(mark)

    asyncio.run(main())
