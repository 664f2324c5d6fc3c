"""The password files that Apache, nginx and lighttpd read: htpasswd for Basic, htdigest for Digest.

The file is the truth and other programs write it, often in place. So each fetch looks whether it changed, and a file that
looks half-written is given some time before it is believed.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar

from watchword.core.records import COMMITTED, Found, Outcome, Ref, Write
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.crypto import precis
from watchword.crypto.password_formats import Unusable, recognise
from watchword.crypto.passwords import Decoy, Password, decoy_for
from watchword.schemes.digest import DigestSecret
from watchword.stores.callables import UNWRITABLE

__all__ = ["MAX_FILE", "PATIENCE", "HtdigestStore", "HtpasswdStore"]

MAX_FILE: Final = 64 * 1024 * 1024
"""Octets of a file that are read at most; a larger one is as good as none."""
PATIENCE: Final = 2.0
"""Seconds for which a file that is gone, or looks half-written, is answered for by what it held before."""

_RACY: Final = 100_000_000  # ns: two changes that are closer may leave the same time stamp
_HA1: Final = re.compile(rb"[0-9A-Fa-f]{32}")

R = TypeVar("R")
Stamp = tuple[int, ...]


class _Content(NamedTuple, Generic[R]):
    """What a file held when it was read."""

    records: Mapping[Ref[Any], Any]
    stamp: Stamp | None
    """What `stat` said; None: it was too young to tell a further change by it."""


class _File(Generic[R]):
    """A file of lines, read again when it changes."""

    blocking: ClassVar[bool] = True
    kinds: frozenset[type] | None
    _program: ClassVar[str]

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = Path(path).absolute()  # not resolved: a link may be set to another file
        self._clock = clock
        self._lock = Lock()
        self._doubted: float | None = None  # since when the file is not what it should be
        self._process = os.getpid()
        try:
            data, stamp = self._read()
        except (OSError, ValueError) as error:  # ValueError: a path that no file can have
            raise ConfigurationError(
                f"{self!r}: {_words(error)}; make the file with {self._program}, readable for this process"
            ) from None
        self._content = _Content[R](self._parsed(data), stamp)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        records = self._current()
        return Found({ref: (record, UNWRITABLE) for ref in refs if (record := records.get(ref)) is not None})

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        if writes:
            raise StoreUnavailable(
                f"{self!r} is only read: change it with {self._program}, or combine(…) it with a store"
            )
        return COMMITTED

    def _current(self) -> Mapping[Ref[Any], Any]:
        content = self._content
        if content.stamp is not None and self._doubted is None:
            try:
                if _stamp(self._path.stat()) == content.stamp:
                    return content.records
            except OSError:
                pass  # told below
        if self._process != os.getpid():
            self._lock = Lock()  # a thread that this child doesn't have may have held it
            self._process = os.getpid()
        with self._lock:
            return self._reread()

    def _reread(self) -> Mapping[Ref[Any], Any]:
        try:
            data, stamp = self._read()
        except OSError as error:
            return self._doubt(_words(error))
        if self._doubted is None or self._clock() - self._doubted < PATIENCE:
            # A cut between two lines can't be seen; until the rest is there, the users of the rest are unknown.
            fault = "it is empty" if self._content.records and not data else self._unfinished(data)
            if fault:
                return self._doubt(fault)
        self._doubted = None
        self._content = _Content(self._parsed(data), stamp)
        return self._content.records

    def _doubt(self, fault: str) -> Mapping[Ref[Any], Any]:
        now = self._clock()
        if self._doubted is None:
            self._doubted = now
        if now - self._doubted < PATIENCE:
            return self._content.records
        raise StoreUnavailable(f"{self!r}: {fault}")

    def _read(self) -> tuple[bytes, Stamp | None]:
        """The file's octets; `OSError` if they can't be had, or changed meanwhile."""
        # Without O_NONBLOCK a named pipe would wait for its writer.
        number = os.open(self._path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(number, "rb") as file:  # noqa: PTH123 -- a descriptor
            before = os.fstat(number)
            if not S_ISREG(before.st_mode):
                raise OSError(0, "not a file")
            data = file.read(MAX_FILE + 1)
            after = os.fstat(number)
        if len(data) > MAX_FILE:
            raise OSError(0, f"larger than {MAX_FILE} octets")
        if _stamp(before) != _stamp(after) or len(data) != after.st_size:
            raise OSError(0, "it changed while it was read")
        young = abs(time.time_ns() - after.st_mtime_ns) < _RACY
        return data, None if young else _stamp(after)

    def _parsed(self, data: bytes) -> dict[Ref[Any], Any]:
        """The records by name: first as it is written, then, where that is free, in its PRECIS form."""
        records: dict[Ref[Any], Any] = {}
        entries = [entry for line in _lines(data) if (entry := self._entry(line)) is not None]
        for ref, record in entries:
            records.setdefault(ref, record)
        for ref, record in entries:
            name = ref.key[-1]
            if not name.isascii():
                try:
                    form = precis.username(name)
                except Rejected:
                    continue  # nobody can log in by that name
                records.setdefault(Ref(ref.kind, (*ref.key[:-1], form)), record)
        self._add_more(records)
        return records

    def _unfinished(self, data: bytes) -> str | None:
        """Whether the last line may be the beginning of one."""
        if not data or data.endswith(b"\n"):
            return None
        last = data.rpartition(b"\n")[2].strip()
        if not last or last.startswith(b"#") or self._whole(last):
            return None
        return "its last line is cut off"

    def _entry(self, line: bytes) -> tuple[Ref[Any], R] | None:
        raise NotImplementedError

    def _whole(self, line: bytes) -> bool:
        raise NotImplementedError

    def _add_more(self, records: dict[Ref[Any], Any]) -> None:
        """What is known of all lines together."""


class HtpasswdStore(_File[Password]):
    r"""The users of an htpasswd file, for `BasicVerifier`; only read.

    Lines are `username:hash`, as Apache and nginx take them: what follows a further colon is ignored, so are empty lines,
    those that begin with "#" and those that are not UTF-8; of two lines for one user the first counts. Every format of
    `crypto.passwords` is verified; those that can't be (plain text, DES) are refused like a wrong password, and `explain`
    says so.

    The file is looked at by every fetch and read when it changed. If it is gone, unreadable, suddenly empty or cut off in its
    last line, what it held before holds for `PATIENCE` seconds more, since somebody is probably writing it; from then on it
    is taken as it is, and what can't be read is `StoreUnavailable`.

    Args:
        path: the file.
        clock: seconds, for `PATIENCE`.

    Raises:
        ConfigurationError: the file can't be read.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     _ = file.write(b"# staff\nalice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n") and file.flush()
    ...     HtpasswdStore(file.name).fetch([Ref(Password, ("alice",))]).get(Ref(Password, ("alice",)))
    Password(scopes=(), subject=None, disabled=False)
    """

    kinds: frozenset[type] | None = frozenset({Password, Decoy})
    _program = "htpasswd"

    def _entry(self, line: bytes) -> tuple[Ref[Password], Password] | None:
        username, encoded = _texts(line, 2)
        return (Ref(Password, (username,)), Password(encoded)) if encoded else None

    def _whole(self, line: bytes) -> bool:
        return not isinstance(recognise(_texts(line, 2)[1]), Unusable)

    def _add_more(self, records: dict[Ref[Any], Any]) -> None:
        hashes = [record.encoded for record in records.values()]
        decoy = decoy_for(hashes[:: len(hashes) // 1000 + 1])
        if decoy is not None:
            records[Ref(Decoy, ("password",))] = decoy


class HtdigestStore(_File[DigestSecret]):
    r"""The users of an htdigest file, for `DigestVerifier(algorithms=["MD5"])`; only read.

    Lines are `username:realm:ha1`, where ha1 is MD5 in 32 hexadecimal digits; anything else is ignored as Apache does.
    How it is read, and read again: as `HtpasswdStore`. Digest remembers nonces, so it needs a second store:
    `combine(HtdigestStore(path), MemoryStore())`.

    Args:
        path: the file.
        clock: seconds, for `PATIENCE`.

    Raises:
        ConfigurationError: the file can't be read.

    >>> from tempfile import NamedTemporaryFile
    >>> ref = Ref(DigestSecret, ("MD5", "staff", "alice"))
    >>> with NamedTemporaryFile() as file:
    ...     _ = file.write(b"alice:staff:0123456789abcdef0123456789abcdef\r\n") and file.flush()
    ...     HtdigestStore(file.name).fetch([ref]).get(ref)
    DigestSecret(scopes=(), subject=None, disabled=False)
    """

    kinds: frozenset[type] | None = frozenset({DigestSecret})
    _program = "htdigest"

    def _entry(self, line: bytes) -> tuple[Ref[DigestSecret], DigestSecret] | None:
        if not self._whole(line):
            return None
        username, realm, ha1 = _texts(line, 3)
        return (Ref(DigestSecret, ("MD5", realm, username)), DigestSecret(ha1.lower())) if ha1 else None

    def _whole(self, line: bytes) -> bool:
        parts = line.split(b":")
        return len(parts) > 2 and _HA1.fullmatch(parts[2]) is not None


def _lines(data: bytes) -> Iterator[bytes]:
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        stripped = line.strip(b" \t\r")
        if stripped and not stripped.startswith(b"#"):
            yield stripped


def _texts(line: bytes, count: int) -> list[str]:
    """The first `count` fields; empty ones if there are fewer, or if they are no UTF-8."""
    parts = line.split(b":", count)[:count]
    if len(parts) == count:
        try:
            return [part.decode() for part in parts]
        except UnicodeDecodeError:
            pass
    return [""] * count


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev, status.st_ctime_ns


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
