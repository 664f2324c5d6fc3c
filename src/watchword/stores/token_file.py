"""`TokenFile`: tokens in a file, for the programs of one person or the processes of one host.

The file is written whole and put in the place of the one before, so that whoever reads it sees the one or the other. Locks
are the kernel's (flock): one that is held by a process that was killed is free at once, and one that is held by a
process that was stopped is nobody else's.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.oauth.tokens import NO_RECORD, Record, TokenKey
from watchword.structures.in_process import InProcess

fcntl: Any
try:
    import fcntl
except ImportError:  # no POSIX
    fcntl = None

__all__ = ["TokenFile"]

_FORM: Final = 1
"""The number of the file's form, which later ones will differ in."""
_ANYBODY: Final = 0o077
"""The permissions that nobody but the owner may have."""


class _Content(msgspec.Struct):
    form: int
    tokens: dict[str, Record]


class TokenFile(InProcess):
    """Keeps tokens in a file that only its owner may read: `OAuth2Auth(…, tokens=TokenFile("~/.config/shop/tokens.json"))`.

    Any number of threads, tasks and processes of one host may share it. Beside it are files that end in `.lock`.

    Args:
        path: the file; its folder is there already. `~` is the home of whoever runs the program.

    Raises:
        ConfigurationError: no path, no such folder, or a system without flock.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tokens = TokenFile(f"{folder}/tokens.json")
    ...     tokens.load(TokenKey("https://id.example", "robot"))
    Record(version=0)
    """

    __slots__ = ("__weakref__", "_path")

    blocking = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if fcntl is None:
            raise ConfigurationError("TokenFile needs flock, which this system has not: use TokenMemory()")
        self._path = Path(path).expanduser().absolute()
        if not self._path.parent.is_dir():
            raise ConfigurationError(
                f"there is no folder {self._path.parent}: make it, for its owner alone (mode 0700)"
            )

    def lease(self, key: TokenKey, /) -> _FileLease:
        """A lease among all processes, which isn't taken yet."""
        return _FileLease(self._beside(key.name))

    def load(self, key: TokenKey, /) -> Record:
        """What is kept.

        Raises:
            ConfigurationError: others may read the file.
            StoreUnavailable: it can't be read, or is no file of ours.
        """
        return self._read().get(key.text, NO_RECORD)

    def save(self, key: TokenKey, record: Record, /) -> bool:
        """Keeps `record` if it follows on what is there; it is on the disk then.

        Raises:
            ConfigurationError, StoreUnavailable: as `load`; or it can't be written.
        """
        with self._writing():
            tokens = self._read()
            if record.version != tokens.get(key.text, NO_RECORD).version + 1:
                return False
            self._write(tokens | {key.text: record})
            return True

    def kept(self) -> list[TokenKey]:
        """What there are tokens for.

        Raises:
            ConfigurationError, StoreUnavailable: as `load`.
        """
        return [
            msgspec.json.decode(text, type=TokenKey)
            for text, record in self._read().items()
            if record.token is not None
        ]

    def __repr__(self) -> str:
        return f"TokenFile({str(self._path)!r})"

    def _beside(self, name: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{name}.lock")

    def _read(self) -> dict[str, Record]:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreUnavailable(f"{self._path} can't be read: {error.strerror}") from None
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_mode & _ANYBODY:
                raise ConfigurationError(
                    f"others than its owner may read or write {self._path}: chmod 600, and take its tokens back"
                )
            octets = file.read()
        content = _decoded(octets)
        if content is None or content.form != _FORM:
            raise StoreUnavailable(f"{self._path} is no file of tokens, or of a later version: move it away")
        tokens: dict[str, Record] = content.tokens
        return tokens

    def _write(self, tokens: dict[str, Record]) -> None:
        octets = msgspec.json.encode(_Content(_FORM, tokens))
        new = self._path.with_name(f"{self._path.name}.new")  # one at a time writes
        try:
            with suppress(FileNotFoundError):
                new.unlink()
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StoreUnavailable(f"{self._path} can't be written: {error.strerror}") from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Alone among all who write; that takes as long as a write does."""
        lock = self._path.with_name(f"{self._path.name}.lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"{lock} can't be made: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            _let_go(descriptor)


class _FileLease:
    """One flow's lease. `take` may run in a thread that nobody waits for any more; what it takes after `close` it gives back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._descriptor: int | None = None
        self._closed = False

    def take(self) -> bool:
        with self._mutex:
            if self._closed:
                return False
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise StoreUnavailable(f"{self._path} can't be made: {error.strerror}") from None
            if _locked(descriptor, self._path):
                self._descriptor = descriptor
                return True
            os.close(descriptor)
            return False

    def close(self) -> None:
        with self._mutex:
            self._closed = True
            if self._descriptor is not None:
                with suppress(OSError):
                    self._path.unlink()
                _let_go(self._descriptor)
                self._descriptor = None


def _locked(descriptor: int, path: Path) -> bool:
    """Whether the lock is ours, of the file that still has this name: whoever had it before has removed the other."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), os.stat(path))  # noqa: PTH116 -- as the other
    except OSError:
        return False


def _let_go(descriptor: int) -> None:
    """Unlocks and closes: a process that was forked meanwhile has the same lock open."""
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _decoded(octets: bytes) -> Any:
    try:
        return msgspec.json.decode(octets, type=_Content)
    except ValueError:  # whose text may show a token
        return None
