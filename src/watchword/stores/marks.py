"""Replay marks in memory: of each the hash of its key and the time of its end, many in one string of octets.

A string of octets costs little more than what is in it, and the cyclic garbage collector doesn't look inside. Each string
is a small bucket, so no step takes long: a mark goes in, and those of the bucket that have ended go out. The buckets are as many
from the beginning as a full store needs, so nothing is ever moved to make them grow.
"""

from __future__ import annotations

import sys
from os import urandom
from struct import Struct
from typing import Final

import msgspec

from watchword.crypto.digests import keyed_state

__all__ = ["Marks"]

_PLACE: Final = 16
_ENTRY: Final = _PLACE + 8
_MEAN: Final = 32  # marks in a bucket of a full store
_MOST: Final = 1 << 16  # buckets; the collector goes through the list of them
_STEP: Final = 256  # buckets that one commit looks through where there is no room

_TIME: Final = Struct("<d")
_write = _TIME.pack
_read = _TIME.unpack_from
_encode = msgspec.msgpack.Encoder().encode  # says where each part of a key ends


class Marks:
    """Which keys are marked, for whom, and until when. `size` is how many marks are kept, those included that have ended and not gone.

    A mark has a place, 16 octets: the hash of its key and owner under a secret of this object. So nobody can choose keys
    that share a place or crowd a bucket. Two marks with one place would be one, so the later would be refused; a million
    marks have such a pair once in 10^26 times.

    Times are in seconds since the epoch. What ended before `past` is as if it weren't there.

    Args:
        room: for how many marks. More are kept too, only slower.

    >>> marks = Marks(1000)
    >>> marks.mark(("nonce", "1"), None, until=1060.0, past=1000.0) is None
    False
    >>> marks.mark(("nonce", "1"), None, until=1060.0, past=1000.0) is None  # it is marked
    True
    """

    __slots__ = ("_buckets", "_mask", "_state", "_swept", "size")

    def __init__(self, room: int) -> None:
        self._state = keyed_state(urandom(32))
        count = min(1 << (room // _MEAN).bit_length(), _MOST)
        self._buckets = [b""] * count  # in each the marks in the order in which they end
        self._mask = count - 1
        self._swept = 0
        self.size = 0

    def mark(self, key: tuple[str, ...], owner: str | None, until: float, past: float) -> bytes | None:
        """Marks `key` for its owner, or for everybody; None if it was marked so already, else the place of the mark."""
        state, buckets, mask = self._state(), self._buckets, self._mask
        state.update(_text(key))
        place = state.digest()
        number = hash(place) & mask
        bucket = buckets[number]
        if bucket.find(place) >= 0 and self.until(place, past) is not None:
            return None
        if owner is not None:
            state.update(_text(owner))
            place = state.digest()
            number = hash(place) & mask
            bucket = buckets[number]
            if bucket.find(place) >= 0 and self.until(place, past) is not None:
                return None
        if bucket:
            if _read(bucket, _PLACE)[0] <= past:
                bucket = self._living(bucket, past)
            if bucket and _read(bucket, len(bucket) - 8)[0] > until:
                bucket, later = _parted(bucket, until)
                buckets[number] = b"".join((bucket, place, _write(until), later))
                self.size += 1
                return place
        buckets[number] = bucket + place + _write(until)
        self.size += 1
        return place

    def place(self, key: tuple[str, ...], owner: str | None = None) -> bytes:
        """Where the mark of `key` is, if there is one."""
        state = self._state()
        state.update(_text(key))
        if owner is not None:
            state.update(_text(owner))
        return state.digest()

    def until(self, place: bytes, past: float) -> float | None:
        """When the mark there ends; None: there is none."""
        bucket = self._buckets[hash(place) & self._mask]
        at = bucket.find(place)
        return None if at < 0 or _end(bucket, at) <= past else _end(bucket, at)

    def remove(self, place: bytes) -> float | None:
        """Removes the mark there; when it would have ended, None: there was none."""
        number = hash(place) & self._mask
        bucket = self._buckets[number]
        at = bucket.find(place)
        if at < 0:
            return None
        self._buckets[number] = bucket[:at] + bucket[at + _ENTRY :]
        self.size -= 1
        return _end(bucket, at)

    def put_back(self, place: bytes, until: float) -> None:
        """Undoes `remove`."""
        number = hash(place) & self._mask
        sooner, later = _parted(self._buckets[number], until)
        self._buckets[number] = b"".join((sooner, place, _write(until), later))
        self.size += 1

    def sweep(self, past: float, most: int) -> bool:
        """Removes marks that ended before `past`, beginning where it left off, until no more than `most` are kept.

        It gives up after some hundred buckets, so that nobody waits long; whether it got so far.
        """
        buckets = self._buckets
        for _ in range(min(_STEP, len(buckets))):
            number = self._swept = (self._swept + 1) & self._mask
            bucket = buckets[number]
            if bucket and _end(bucket, 0) <= past:
                buckets[number] = self._living(bucket, past)
                if self.size <= most:
                    return True
        return False

    def _living(self, bucket: bytes, past: float) -> bytes:
        """What stays of a bucket when those that ended before `past` go, which are no longer counted."""
        at = 0
        while at < len(bucket) and _end(bucket, at) <= past:
            at += _ENTRY
        self.size -= at // _ENTRY
        return bucket[at:]

    def octets(self) -> int:
        """All memory that the marks take, as `sys.getsizeof` counts it."""
        return sys.getsizeof(self._buckets) + sum(map(sys.getsizeof, filter(None, self._buckets)))


def _end(bucket: bytes, at: int) -> float:
    end: float = _read(bucket, at + _PLACE)[0]
    return end


def _parted(bucket: bytes, until: float) -> tuple[bytes, bytes]:
    """Those that end no later than `until`, and the others."""
    at = len(bucket)
    while at and _end(bucket, at - _ENTRY) > until:
        at -= _ENTRY
    return bucket[:at], bucket[at:]


def _text(named: tuple[str, ...] | str) -> bytes:
    """A key, or an owner, as octets that no other one has."""
    try:
        return _encode(named)
    except (TypeError, UnicodeEncodeError):  # a subclass of str, or half of a surrogate pair
        plain = str.__str__(named) if isinstance(named, str) else tuple(map(str.__str__, named))
    try:
        return _encode(plain)
    except UnicodeEncodeError:
        return ascii(plain).encode()
