"""What the Redis stores send, and how they read the answers. Nothing is sent here.

A conversation yields one command at a time and is sent its answer, an error of the server too. Keys are the prefix and then

| key | holds |
|---|---|
| `m` and 16 octets, a hash | a mark: 1, or until when by a clock that isn't the server's, in ticks of 2^-22 s |
| `r:`, the class's name, `:`, the key as JSON | a record: version, `s` (sealed) or `p` (plain), its octets |
| `c` | every counter, by 16 octets, a hash: value, rank, until when |
| `c0` … `c4`, `ce` | the counters of each rank in their order; all of them by their ends |
| `key` | what tells whether the stores' `secrets` are the same |

Everything that a script touches is among its KEYS.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, NamedTuple

from redis.exceptions import NoScriptError

from watchword.core.records import (
    COMMITTED, Add, Conflict, Counter, Exceeded, Once, Outcome, Put, Ref, Replayed, Spent, Take, TakeBack, Write,
)  # fmt: skip
from watchword.core.rejection import StoreUnavailable
from watchword.crypto.digests import digest, keyed_digest
from watchword.stores.counting import KEPT, most_kept, no_room_to_keep, share_of_a_rank
from watchword.stores.sql.queries import counter_key, key_text
from watchword.stores.writes import GRACE, check_once, check_ref, check_until

__all__ = [
    "Answer",
    "Command",
    "Conversation",
    "Layout",
    "Row",
    "checking",
    "committing",
    "fetching",
    "is_alive",
    "listing",
    "packed",
]

Command = tuple[str | bytes | int, ...]
Answer = Any
Conversation = Generator[Command, Answer, Any]
Row = tuple[int, int | None, bytes | None, bool | None, None, int | None, float | None]
"""(index of the reference, version, data, sealed, owner, value, until), as `Vault.found` reads them."""

_TICKS: Final = 2.0**22
_LATEST: Final = 2.0**40  # seconds; a mark that would last longer lasts until then, 34,000 years from now
_SCANNED: Final = 1000  # keys looked at, and records read, at a time


def packed(command: Command) -> list[bytes]:
    r"""A command as it is sent, an array of strings (RESP2): the client's own packing takes three times as long.

    >>> packed(("GET", b"ww:key"))
    [b'*2\r\n$3\r\nGET\r\n$6\r\nww:key\r\n']
    """
    words = [word if type(word) is bytes else str(word).encode() for word in command]
    return [b"".join([b"*%d\r\n" % len(words), *[b"$%d\r\n%b\r\n" % (len(word), word) for word in words]])]


class _Script(NamedTuple):
    text: bytes
    name: str

    @classmethod
    def load(cls, file: str) -> _Script:
        text = pkgutil.get_data(__name__, file)
        assert text is not None
        return cls(text, digest("sha-1", text).hex())

    def run(self, keys: Sequence[bytes], arguments: Sequence[str | bytes | int]) -> Conversation:
        """Called by its hash; sent whole where the server doesn't have it (any more), which says that it ran nothing."""
        answer = yield ("EVALSHA", self.name, len(keys), *keys, *arguments)
        if isinstance(answer, NoScriptError):
            answer = yield ("EVAL", self.text, len(keys), *keys, *arguments)
        return answer


_COMMIT: Final = _Script.load("commit.lua")
_FETCH: Final = _Script.load("fetch.lua")


class Layout:
    """Where things are: the keys under one prefix.

    >>> Layout("ww:").record("Password", '["alice"]')
    b'ww:r:Password:["alice"]'
    """

    __slots__ = ("_mark", "counting", "key_check", "prefix")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix.encode("ascii")
        self._mark = self.prefix + b"m"
        names = (b"c", *(b"c%d" % rank for rank in range(KEPT + 1)), b"ce")
        self.counting = tuple(self.prefix + name for name in names)
        """The keys of the counters, in the order in which `commit.lua` takes them; the first holds them all."""
        self.key_check = self.prefix + b"key"

    def mark(self, place: tuple[str, ...]) -> bytes:
        """The key of a mark. What is marked can't be read there; it is compared by 128 bits."""
        return self._mark + keyed_digest(b"watchword mark", key_text.__wrapped__(place).encode())

    def record(self, kind: str, key: str) -> bytes:
        """The key of a record."""
        return self.prefix + f"r:{kind}:{key}".encode()


def checking(layout: Layout) -> Generator[Command, Answer, None]:
    """Asks whether anything is at a key: over a new connection its greeting comes first."""
    _check((yield ("GET", layout.key_check)))


# ---- fetch -----------------------------------------------------------------------------------------------------------


def fetching(layout: Layout, refs: Sequence[Ref[Any]], now: float | None) -> Generator[Command, Answer, list[Row]]:
    """Reads all of `refs` in one step; `now` None: as of the server's clock."""
    marks: dict[int, bytes] = {}
    records: dict[int, bytes] = {}
    counters: dict[int, bytes] = {}
    for place, (kind, key) in enumerate(refs):
        if kind is Counter:
            counters[place] = counter_key(key)
        elif kind is Spent:
            marks[place] = layout.mark(key)
        else:
            records[place] = layout.record(kind.__name__, key_text(key))
    if marks or counters:
        keys = (*marks.values(), *records.values(), layout.counting[0])
        answer = yield from _FETCH.run(keys, (_when(now), repr(GRACE), len(marks), *counters.values()))
    else:
        answer = yield ("MGET", *records.values())
    _check(answer)
    try:
        found = zip((*marks, *records, *counters), answer, strict=True)
        rows = [_row(place, refs[place].kind, value) for place, value in found if value is not None]
    except ValueError:  # its words hold what is there
        raise StoreUnavailable("what another program has put at one of the store's keys can't be read") from None
    return rows if now is None else [row for row in rows if row[0] not in marks or is_alive(row[6] or 0.0, now)]


def _row(place: int, kind: type, value: bytes) -> Row:
    if kind is Counter:
        count, _, until = value.split(b" ")
        return place, None, None, None, None, int(count), float(until)
    if kind is Spent:
        return place, None, None, None, None, None, int(value) / _TICKS
    version, sealed, data = _parts(value)
    return place, version, data, sealed, None, None, None


def is_alive(until: float, now: float) -> bool:
    """Whether a mark is kept that ends `until`; `commit.lua` says the same."""
    return until + GRACE >= now


_RECORD: Final = re.compile(rb"(\d+)([sp])(.*)", re.DOTALL)


def _parts(value: bytes) -> tuple[int, bool, bytes]:
    fits = _RECORD.fullmatch(value)
    if fits is None:
        raise StoreUnavailable("a stored record has an unknown form")
    return int(fits[1]), fits[2] == b"s", fits[3]


def listing(layout: Layout, kind: type, most: int | None) -> Generator[Command, Answer, list[tuple[str, bytes, bool]]]:
    """Reads every record of `kind`, or `most` of them, as (key, data, sealed): it looks at all keys of the database."""
    begin = layout.record(kind.__name__, "")
    pattern = re.sub(rb"([\[\]*?^\\])", rb"\\\1", begin) + b"*"
    found: dict[bytes, tuple[str, bytes, bool]] = {}
    cursor: bytes | int = 0
    while most is None or len(found) < most:
        answer = yield ("SCAN", cursor, "MATCH", pattern, "COUNT", _SCANNED)
        _check(answer)
        cursor, keys = answer
        values = (yield ("MGET", *keys)) if keys else ()
        _check(values)
        for key, value in zip(keys, values, strict=True):
            if value is not None:
                _, sealed, data = _parts(value)
                found[key] = (key[len(begin) :].decode(), data, sealed)
        if int(cursor) == 0:
            break
    return list(found.values())[:most]


# ---- commit ----------------------------------------------------------------------------------------------------------

Encode = Callable[[Any, str, str], tuple[bytes, bool]]
"""`encode(record, kind, key)` gives its bytes and whether they are sealed."""


def committing(
    layout: Layout, writes: Sequence[Write], now: float | None, room: int, encode: Encode
) -> Generator[Command, Answer, Outcome]:
    """Makes all of `writes` or none; `room` is for how many counters there is."""
    said = _Said(layout, encode)
    for write in writes:
        said.say(write)
    keys = (*said.places, *(layout.counting if said.counts else ()))
    counting = len(layout.counting) if said.counts else 0
    rules = (_when(now), repr(GRACE), counting, room, most_kept(room), share_of_a_rank(room))
    answer = yield from _COMMIT.run(keys, (*rules, *said.words))
    _check(answer)
    return _outcome(answer, writes, room)


def _outcome(answer: Sequence[Any], writes: Sequence[Write], room: int) -> Outcome:
    verdict = answer[0]
    if verdict == b"committed":
        return COMMITTED
    if verdict == b"no room to keep":
        raise no_room_to_keep(room)
    if verdict == b"full":
        raise StoreUnavailable(f"there are {room} counters already (max_counters)")
    write = writes[answer[1]]
    if verdict == b"exceeded":
        assert isinstance(write, Add)
        return Exceeded(write, float(answer[2]))
    if isinstance(write, Once):
        return Replayed(write)
    assert isinstance(write, Put | Take)
    return Conflict(write)


class _Said:
    """Writes as `commit.lua` reads them: their keys, each with its number, and their words."""

    def __init__(self, layout: Layout, encode: Encode) -> None:
        self._layout = layout
        self._encode = encode
        self.places: dict[bytes, int] = {}
        self.words: list[str | bytes | int] = []
        self.counts = False

    def say(self, write: Write) -> None:
        """Adds a write.

        Raises:
            ConfigurationError: it can't be one.
        """
        if isinstance(write, Once):
            check_once(write)
            owned = write.owner is not None
            self._add("o", self._mark(write.key) if owned else 0, self._mark(write.place), _ticks(write.until))
        elif isinstance(write, TakeBack):
            self._add("b", self._mark(write.place))
        elif isinstance(write, Add):
            self._count(write)
        else:
            self._replace(write)

    def _replace(self, write: Put | Take) -> None:
        check_ref(write)
        kind, key = write.ref.kind.__name__, key_text(write.ref.key)
        place = self._place(self._layout.record(kind, key))
        condition = "" if write.if_version is None else write.if_version
        if isinstance(write, Take):
            self._add("t", place, condition)
            return
        if write.until is not None:
            check_until(write.until)
        data, sealed = self._encode(write.record, kind, key)
        self._add("p", place, condition, (b"s" if sealed else b"p") + data, _optional(write.until))

    def _count(self, write: Add) -> None:
        check_until(write.until)
        self.counts = True
        other: tuple[str | bytes | int, ...] = ("", 0, 0)
        if write.after is not None:
            other = (counter_key(write.after.counter), write.after.value, write.after.start)
        limit = "" if write.limit is None else write.limit
        self._add("a", counter_key(write.counter), write.n, repr(float(write.until)), limit, *other)

    def _add(self, *words: str | bytes | int) -> None:
        self.words += words

    def _mark(self, place: tuple[str, ...]) -> int:
        return self._place(self._layout.mark(place))

    def _place(self, key: bytes) -> int:
        return self.places.setdefault(key, len(self.places) + 1)


def _ticks(until: float) -> int:
    return int(max(-_LATEST, min(until, _LATEST)) * _TICKS)


def _when(now: float | None) -> str:
    return "" if now is None else repr(float(now))


def _optional(until: float | None) -> str:
    return "" if until is None else repr(float(until))


def _check(answer: Answer) -> None:
    if isinstance(answer, Exception):
        raise answer
