"""Guessing a client's secret at the token endpoint: counted before the hash, refused by 429, per client and address."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.patience import PATIENCE
from watchword import AttemptPolicy, ConfigurationError, Key, Peer, Request, StoreUnavailable
from watchword.authorization_server import token_endpoint
from watchword.authorization_server.client import Client
from watchword.authorization_server.token_endpoint import Answer, TokenEndpoint, TokenVerdict
from watchword.core import io as io_module
from watchword.core.attempts import Window
from watchword.core.io import Awaited, Direct, drive, once, once_async
from watchword.structures.line import ClientGone, Place
from watchword.core.records import Put, Ref
from watchword.core.rejection import Reason, Rejected
from watchword.structures.room import FOR_THREADS
from watchword.stores import MemoryStore, SQLStore, from_callables

KEY = Key.generate("HS256")
CLIENT = Client("the hash of s3cret", ("read",), "robot")
POLICY = AttemptPolicy(pair=[Window(3, 60)], subject=[Window(5, 60)], address=[Window(8, 60)])


class Endpoint:
    """An endpoint with a clock of its own, whose hashes cost nothing and are counted."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, store: Any = None, policy: AttemptPolicy | None = POLICY
    ) -> None:
        self.now = 1_700_000_000.0
        self.hashes = 0
        self.verdicts: list[TokenVerdict] = []
        self.store: Any = MemoryStore(clock=lambda: self.now) if store is None else store
        if store is None:
            self.store.commit([Put(Ref(Client, ("robot",)), CLIENT)])
        self.endpoint = TokenEndpoint(
            KEY, issuer="https://id.example", audience="orders", attempts=policy, observe=self.verdicts.append,
            clock=lambda: self.now,
        )  # fmt: skip
        counting = threading.Lock()

        def verify(encoded: str, secret: str) -> None:
            with counting:
                self.hashes += 1
            if (encoded, secret) != (CLIENT.secret, "s3cret"):
                raise Rejected(Reason.WRONG_SECRET)

        monkeypatch.setattr(token_endpoint, "verify_password", verify)

    def request(self, client: str, secret: str, address: str, more: str = "") -> tuple[Request, bytes]:
        fields = {"Content-Type": "application/x-www-form-urlencoded"}
        body = f"grant_type=client_credentials&client_id={client}&client_secret={secret}{more}".encode()
        return Request("POST", "https", "id.example", "/token", fields, peer=Peer(address)), body

    def ask(self, secret: str, client: str = "robot", address: str = "192.0.2.1", more: str = "") -> Answer:
        request, body = self.request(client, secret, address, more)
        return drive(self.endpoint.respond(request, Direct(self.store), once(body)))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    return Endpoint(monkeypatch)


def test_guesses_above_the_policy_get_429_and_retry_after_and_cost_no_hash(world: Endpoint) -> None:
    assert [world.ask(f"guess{n}").response.status for n in range(3)] == [401] * 3
    world.now += 10.5
    answer = world.ask("s3cret")
    assert answer.response.status == 429
    assert json.loads(answer.body) == {"error": "temporarily_unavailable"}
    assert answer.response.values(b"retry-after") == [b"50"]
    assert answer.response.values(b"cache-control") == [b"no-store"]
    assert not answer.response.values(b"www-authenticate")
    assert world.hashes == 3
    assert world.verdicts[-1] == TokenVerdict(
        "temporarily_unavailable", "robot", "too many failed attempts of this pair"
    )
    world.now += 50
    assert world.ask("s3cret").response.status == 200


def test_unknown_clients_are_refused_by_the_same_octets(world: Endpoint) -> None:
    for _ in range(3):
        world.ask("guess", "robot", "192.0.2.1")
        world.ask("guess", "nobody", "192.0.2.2")
    known, unknown = world.ask("x", "robot", "192.0.2.1"), world.ask("x", "nobody", "192.0.2.2")
    assert known.response.status == 429
    assert (known.response.headers, known.body) == (unknown.response.headers, unknown.body)


def test_a_right_secret_is_given_back_though_the_scope_is_not_granted(world: Endpoint) -> None:
    for _ in range(20):
        assert world.ask("s3cret").response.status == 200
        assert world.ask("s3cret", more="&scope=write").response.status == 400


def test_guesses_from_elsewhere_do_not_hold_up_who_succeeded_before(world: Endpoint) -> None:
    assert world.ask("s3cret", address="198.51.100.1").response.status == 200
    for number in range(6):
        world.ask("guess", address=f"192.0.2.{number}")
    assert world.ask("guess", address="203.0.113.9").response.status == 401  # the first from there
    assert world.ask("s3cret", address="203.0.113.9").response.status == 429  # the client is throttled
    assert world.ask("s3cret", address="198.51.100.1").response.status == 200


def test_one_address_may_not_try_all_clients(world: Endpoint) -> None:
    statuses = [world.ask("guess", f"client{n}").response.status for n in range(10)]
    assert statuses == [401] * 8 + [429] * 2


@pytest.mark.parametrize("driver", ["threads", "tasks"])
def test_two_hundred_parallel_guesses_cost_no_more_hashes_than_the_policy_allows(world: Endpoint, driver: str) -> None:
    if driver == "threads":
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(world.ask, [f"guess{n}" for n in range(200)]))
    else:

        async def guess(number: int) -> Answer:
            request, body = world.request("robot", f"guess{number}", "192.0.2.1")
            return await world.endpoint.respond(request, Awaited(world.store), once_async(body))

        async def together() -> list[Answer]:
            return await asyncio.gather(*(guess(number) for number in range(200)))

        answers = asyncio.run(together())
    assert sorted(answer.response.status for answer in answers) == [401] * 3 + [429] * 197
    assert world.hashes == 3


def test_without_a_policy_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Endpoint(monkeypatch, policy=None)
    assert {world.ask("guess").response.status for _ in range(30)} == {401}
    assert world.ask("s3cret").response.status == 200


def test_a_store_that_only_looks_up_serves_and_is_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Endpoint(monkeypatch, from_callables(client=lambda name: CLIENT if name == "robot" else None))
    assert {world.ask("guess").response.status for _ in range(30)} == {401}
    assert world.ask("s3cret").response.status == 200


def test_a_store_that_goes_down_while_it_counts_is_503_and_hashes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Down(MemoryStore):
        def commit(self, writes: Any, /) -> Any:
            raise StoreUnavailable

    world = Endpoint(monkeypatch, Down())
    assert world.ask("s3cret").response.status == 503
    assert world.hashes == 0


def test_sqlite_counts_as_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    with SQLStore(f"sqlite:///{tmp_path / 'clients.db'}", clock=lambda: 1_700_000_000.0) as store:
        store.commit([Put(Ref(Client, ("robot",)), CLIENT)])
        world = Endpoint(monkeypatch, store)
        assert [world.ask("guess").response.status for _ in range(4)] == [401, 401, 401, 429]


def hold(world: Endpoint) -> Place:
    """Somebody else's secret is hashed, until `world.endpoint._line.leave` of this."""
    place = world.endpoint._line.join(False, ("203.0.113.9",))
    assert place.holds
    return place


def waiting(world: Endpoint) -> bool:
    return any(world.endpoint._line._waiting.values())


def test_a_client_that_is_removed_while_its_request_waits_gets_nothing(world: Endpoint) -> None:
    first = hold(world)
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(world.ask("s3cret")))
    thread.start()
    while not waiting(world):
        thread.join(0.001)
    world.store._records.clear()
    world.endpoint._line.leave(first)
    thread.join(PATIENCE)
    assert [answer.response.status for answer in answers] == [401]


def test_an_attempt_is_counted_before_it_waits(world: Endpoint) -> None:
    """So whoever hangs up has spent it, and guesses beyond the limit are refused while the others wait."""
    first = hold(world)

    async def scene() -> list[int]:
        def ask(secret: str) -> asyncio.Task[Answer]:
            request, body = world.request("robot", secret, "192.0.2.1")
            return asyncio.create_task(world.endpoint.respond(request, Awaited(world.store), once_async(body)))

        tasks = [ask(f"guess{number}") for number in range(3)]
        for _ in range(20):
            await asyncio.sleep(0)  # as far as they come without the line
        refused = await asyncio.wait_for(ask("s3cret"), PATIENCE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not waiting(world)
        world.endpoint._line.leave(first)
        return [refused.response.status, (await ask("s3cret")).response.status]

    assert asyncio.run(scene()) == [429, 429]
    assert world.hashes == 0


def test_patience_in_the_line_ends_with_503_and_says_when_to_return(
    world: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hold(world)
    with monkeypatch.context() as patched:
        patched.setattr(io_module, "PATIENCE", 0.05)
        answer = world.ask("s3cret")
    assert (answer.response.status, json.loads(answer.body)) == (503, {"error": "temporarily_unavailable"})
    assert answer.response.values(b"retry-after") == [b"1"]
    assert (world.hashes, waiting(world)) == (0, False)
    world.endpoint._line.leave(first)
    assert world.ask("s3cret").response.status == 200


def test_a_network_that_fills_the_line_gets_429_and_others_are_served(world: Endpoint) -> None:
    line = world.endpoint._line
    places = [line.join(False, ("192.0.2.1",)) for _ in range(FOR_THREADS.address)]
    answer = world.ask("s3cret")
    assert (answer.response.status, answer.response.values(b"retry-after")) == (429, [b"1"])
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(world.ask("s3cret", address="192.0.2.2")))
    thread.start()
    while len(line._waiting[False]._groups) < 2:
        thread.join(0.001)
    for place in places:
        line.leave(place)
    thread.join(PATIENCE)
    assert [answer.response.status for answer in answers] == [200]


def test_nothing_is_hashed_for_a_client_that_has_left(world: Endpoint) -> None:
    first = hold(world)
    request, body = world.request("robot", "s3cret", "192.0.2.1")
    raised: list[BaseException] = []
    left = threading.Event()

    def ask() -> None:
        try:
            drive(world.endpoint.respond(request, Direct(world.store), once(body), left.is_set))
        except ClientGone as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not waiting(world):
        thread.join(0.001)
    left.set()
    world.endpoint._line.leave(first)
    thread.join(PATIENCE)
    assert (len(raised), world.hashes, waiting(world)) == (1, 0, False)


def test_a_window_that_can_not_be_kept_is_refused_at_construction() -> None:
    with pytest.raises(ConfigurationError, match="positive"):
        TokenEndpoint(KEY, issuer="i", audience="a", attempts=AttemptPolicy(pair=[Window(0, 60)]))
