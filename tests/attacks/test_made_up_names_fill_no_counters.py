"""Guesses at names that nobody has must not use up the room for counters: nobody is shut out by them, nor guesses on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.test_lockout_digest_guesses import answer_to, challenge
from tests.core.attempts_world import HASH, HERE, KINDS, THERE, Answer, World, world
from watchword import AttemptPolicy, Key, Peer, Request, StoreUnavailable
from watchword.authorization_server.client import Client
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.core.attempts import KnownPair, Limiter, Window
from watchword.core.io import Awaited, Direct, drive, once, once_async
from watchword.core.records import Counter, Once, Put, Ref, Replayed
from watchword.crypto.digests import subject_key

pytestmark = pytest.mark.sweep

ROOM = 128
LIMIT = 20
POLICY = AttemptPolicy(
    pair=(Window(LIMIT, 60), Window(60, 900), Window(200, 86_400)),
    subject=(Window(100, 60),),
    address=(Window(200, 60),),
)
LATE = 128 * 2 + 16 * 2
"""Rows that an SQL store may have too many: it looks at every 128th commit, and a made-up name leaves two, an address one."""


DOORS = [
    *(("basic", kind) for kind in KINDS if kind != "sql async"),
    ("digest", "memory"), ("digest", "sql"),
    ("token endpoint", "memory async"), ("token endpoint", "sql"),
]  # fmt: skip
"""What is guessed, and where it is counted."""
WITHOUT_AIOSQLITE = [door for door in DOORS if door[1] != "async sql"]
"""For floods of many guesses: the asynchronous store runs the statements of the other one, each through a thread."""


@pytest.fixture(params=DOORS, ids=" in ".join)
def guarded(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    door, kind = request.param
    with flooded(kind, tmp_path, monkeypatch, door) as made:
        yield made


class Flooded:
    """A guard with room for a few counters, and somebody with many addresses who makes up names."""

    def __init__(self, made: World, folder: Path, door: str) -> None:
        self.world = made
        self._ask = {"basic": made.ask, "digest": self._by_digest, "token endpoint": self._for_a_token}[door]
        self._tokens = TokenEndpoint(
            Key.generate("HS256"), issuer="https://id.example", audience="orders", attempts=POLICY,
            clock=lambda: made.now,
        )  # fmt: skip
        for name in ("alice", "bob"):
            made.do(made.store.commit([Put(Ref(Client, (name,)), Client(HASH, (), name))]))
        self.database = folder / "attempts.db"
        self.names = 0
        self.most = 0

    def status(self, *credentials: str) -> int:
        self.world.now += 0.001
        try:
            return self._ask(*credentials).status
        except StoreUnavailable as unavailable:
            assert unavailable.refusal is not None
            return unavailable.refusal.status

    def _by_digest(self, username: str, password: str, address: str = HERE) -> Answer:
        return self.world.send(answer_to(challenge(self.world), username, password), address)

    def _for_a_token(self, client: str, secret: str, address: str = HERE) -> Answer:
        fields = {"Content-Type": "application/x-www-form-urlencoded"}
        body = f"grant_type=client_credentials&client_id={client}&client_secret={secret}".encode()
        request = Request("POST", "https", "id.example", "/token", fields, Peer(address))
        if "async" in self.world.kind:
            given = self.world.do(self._tokens.respond(request, Awaited(self.world.store), once_async(body)))
        else:
            given = drive(self._tokens.respond(request, Direct(self.world.store), once(body)))
        return Answer(given.response.status)

    def flood(self, guesses: int, each: int = 1) -> set[int]:
        """So many guesses, `each` at one name, a hundred from one address; the statuses."""
        seen = set()
        for _ in range(guesses // each):
            self.names += 1
            address = f"198.18.{self.names // 25_000}.{self.names * each // 100 % 250}"
            seen |= {self.status(f"nobody{self.names}", "wrong", address) for _ in range(each)}
            if self.names % 16 == 0:
                self.most = max(self.most, self.counters())
        return seen

    def counters(self) -> int:
        """How many there are."""
        if self.world.kind.startswith("memory"):
            return len(self.world.store._counters)
        with closing(sqlite3.connect(self.database)) as connection:
            (rows,) = connection.execute("SELECT count(*) FROM watchword_counters").fetchone()
            assert connection.execute("SELECT sum(counters) FROM watchword_sizes").fetchall() == [(rows,)]
            return int(rows)

    def found(self, ref: Ref[Any]) -> Any:
        return self.world.do(self.world.store.fetch([ref])).get(ref)

    def pair(self, name: str, where: str) -> list[int]:
        """What each window of a pair has counted."""
        refs = Limiter(POLICY).attempt(subject_key(name), where).refs
        records = [self.found(ref) for ref in refs if ref.kind is Counter and ref.key[1] == "pair"]
        return [0 if record is None else record.value for record in records]


@contextmanager
def flooded(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch, door: str) -> Iterator[Flooded]:
    with world(kind, folder, monkeypatch, POLICY, room=ROOM) as made:
        yield Flooded(made, folder, door)


def test_the_room_is_bounded_and_whoever_is_new_logs_in(guarded: Flooded) -> None:
    assert guarded.flood(256) == {401}
    assert guarded.most <= ROOM + (0 if guarded.world.kind.startswith("memory") else LATE)
    assert guarded.most >= ROOM  # it was a flood
    assert guarded.status("bob", "right", THERE) == 200
    assert guarded.status("alice", "wrong", THERE) == 401
    assert guarded.pair("alice", THERE)[0] == 1  # and whoever is new is counted


def test_a_guess_at_a_made_up_name_leaves_two_counters(guarded: Flooded) -> None:
    guarded.flood(40)
    assert guarded.counters() == 2 * 40 + 1


def test_counters_at_half_of_their_limits_known_pairs_and_marks_outlast_the_flood(guarded: Flooded) -> None:
    do, store = guarded.world.do, guarded.world.store
    mark = Once(("digest", "nonce", "1"), guarded.world.now + 300)
    do(store.commit([mark]))
    assert guarded.status("bob", "right", THERE) == 200
    known = Ref(KnownPair, (subject_key("bob"), THERE))
    record = guarded.found(known)
    assert record is not None
    for number in range(LIMIT // 2):
        assert guarded.status("alice", f"guess{number}", HERE) == 401
    assert guarded.pair("alice", HERE) == [10, 10, 0]
    guarded.flood(256)
    assert guarded.pair("alice", HERE) == [10, 10, 0]
    assert guarded.found(known) == record
    assert do(store.commit([mark])) == Replayed(mark)
    assert [guarded.status("alice", "wrong", HERE) for _ in range(11)] == [401] * 10 + [429]


def test_counters_of_others_that_are_further_than_the_floods_own_outlast_it_too(guarded: Flooded) -> None:
    for _ in range(3):
        guarded.status("alice", "wrong", HERE)
    guarded.flood(256)
    assert guarded.pair("alice", HERE)[0] == 3


@pytest.mark.parametrize("at_once", [1, 3, 9])
@pytest.mark.parametrize("guarded", WITHOUT_AIOSQLITE, indirect=True, ids=" in ".join)
def test_made_up_names_buy_no_more_guesses_than_they_push_out_counters(guarded: Flooded, at_once: int) -> None:
    """Two guesses of twenty are in the lowest rank, and forgotten once a sixteenth of the room was counted after them."""
    guesses = 0
    for _ in range(12):
        statuses = [guarded.status("alice", "wrong", HERE) for _ in range(at_once)]
        guesses += statuses.count(401)
        guarded.flood(20)
    flood = 2 * 12 * 20
    assert guesses <= LIMIT + 2 * (flood // (ROOM // 16) + 1)
    if at_once >= 3:  # these are beyond the lowest rank at once
        assert guesses == LIMIT


@pytest.mark.parametrize("guarded", WITHOUT_AIOSQLITE, indirect=True, ids=" in ".join)
def test_where_kept_counters_fill_their_share_whoever_would_need_one_more_is_refused_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guarded: Flooded
) -> None:
    assert guarded.status("alice", "right", HERE) == 200
    seen = guarded.flood(10 * 100, each=10)
    assert 503 in seen  # a guesser who comes to half of a limit, and can't be counted
    assert guarded.status("bob", "right", THERE) == 200
    assert guarded.status("carol", "wrong", THERE) == 401
    assert guarded.status("alice", "right", HERE) == 200
    statuses = [guarded.status("dave", "wrong", "203.0.113.9") for _ in range(12)]
    assert statuses == [401] * 9 + [503] * 3
    guarded.world.now += 86_400 + 200
    guarded.flood(140)  # what has ended is forgotten by and by
    assert [guarded.status("dave", "wrong", "203.0.113.9") for _ in range(21)] == [401] * 20 + [429]
