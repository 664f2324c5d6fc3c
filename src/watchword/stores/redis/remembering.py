"""What both Redis stores are made of: the conversations of their verbs, and how records are sealed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from watchword.core.attempts import KnownPair
from watchword.core.records import Counter, Found, Outcome, Ref, Spent, Write
from watchword.core.rejection import ConfigurationError
from watchword.crypto.sealing import KEY_SIZE, Sealer
from watchword.stores.redis.server import Server, handshake
from watchword.stores.sql.vault import Vault, check_secrets
from watchword.structures.in_process import InProcess

__all__ = ["Remembering", "suited_kinds"]

T = TypeVar("T")

Files = tuple[str | Path | None, str | Path | None, str | Path | None]


def suited_kinds() -> frozenset[type]:
    """Records that pass, of which there are many: marks of use, attempts, and whatever is committed together with them."""
    from watchword.schemes.digest import FirstCnonce  # noqa: PLC0415 -- few guards need it

    return frozenset((Spent, Counter, KnownPair, FirstCnonce))


class _Seal:
    """Stands where a vault looks for the key of its database: the server keeps no key, so it has to be given."""

    in_memory = False

    def __init__(self, sealer: Sealer | None) -> None:
        self._sealer = sealer

    def sealer(self, given: bytes | None, *, create: bool) -> Sealer | None:
        """The key; `create` where a secret is to be sealed."""
        if self._sealer is None and create:
            raise ConfigurationError(
                f"a record with secrets needs the key that seals it: RedisStore(url, secrets=…), {KEY_SIZE} random octets that all "
                "processes share and that are kept safe; or keep such records elsewhere, combine(SQLStore(…), RedisStore(…))"
            )
        return self._sealer


class Remembering(InProcess):
    """The verbs as conversations; nothing is sent here.

    Args:
        url: of the server.
        prefix: of all keys.
        kinds: of records that it holds; None: any.
        secrets: the key that seals secrets, or None.
        allow_plaintext: store them in the clear.
        max_counters: of attempts.
        timeout: seconds.
        most_connections: at one time.
        files: of TLS: authorities, the client's certificate, its key.
        clock: seconds since the epoch; None: the server's.
    """

    def __init__(
        self,
        url: str,
        prefix: str,
        kinds: Collection[type] | None,
        secrets: bytes | None,
        allow_plaintext: bool,
        max_counters: int,
        timeout: float,
        most_connections: int,
        files: Files,
        clock: Callable[[], float] | None,
    ) -> None:
        ca, certificate, key = files
        self.server = Server(url, timeout=timeout, ca=ca, certificate=certificate, key=key)
        from watchword.stores.redis import commands  # noqa: PLC0415 -- needs the extra, which Server has found

        if not prefix or not prefix.isascii() or not prefix.isprintable() or len(prefix) > _LONGEST_PREFIX:
            raise ConfigurationError(
                f"prefix={prefix[: 2 * _LONGEST_PREFIX]!r}: 1 to {_LONGEST_PREFIX} printable ASCII characters; each costs an octet a key"
            )
        for name, number in (("max_counters", max_counters), ("max_connections", most_connections)):
            if number < 1:
                raise ConfigurationError(f"{name}={number}: at least 1")
        check_secrets(secrets)
        self.kinds = None if kinds is None else frozenset(kinds)
        if self.kinds is not None and not (self.kinds and all(isinstance(kind, type) for kind in self.kinds)):
            raise ConfigurationError("kinds are the classes of the records that this store holds, or None for any")
        self._commands = commands
        self._layout = commands.Layout(prefix)
        self._sealer = None if secrets is None or allow_plaintext else Sealer(secrets)
        self._vault = Vault(_Seal(self._sealer), secrets, allow_plaintext=allow_plaintext)
        self._room = max_counters
        self._clock = clock
        self.most_connections = most_connections
        self._told = False

    def greeting(self) -> Generator[Any, Any, None]:
        """What each connection begins with. The first that finds the server without its append-only file says so."""
        survives = yield from handshake(self._layout.key_check, self._sealer)
        if not survives and not self._told:
            self._told = True
            from logging import getLogger  # noqa: PLC0415 -- only where there is something to tell

            getLogger("watchword").warning(
                "%r keeps no append-only file: what was used once is accepted again when it restarts (appendonly yes)",
                self.server,
            )

    def checking(self) -> Generator[Any, Any, None]:
        """Asks for something that there may be or not."""
        return self._commands.checking(self._layout)

    def fetching(self, refs: Sequence[Ref[Any]]) -> Generator[Any, Any, Found]:
        """The records that exist among `refs`."""
        rows = yield from self._commands.fetching(self._layout, refs, self._now())
        return self._vault.found(refs, rows)

    def committing(self, writes: Sequence[Write]) -> Generator[Any, Any, Outcome]:
        """All writes or none."""
        return self._commands.committing(self._layout, writes, self._now(), self._room, self._vault.encode)

    def listing(self, kind: type[T], most: int | None) -> Generator[Any, Any, list[tuple[tuple[str, ...], T]]]:
        """Every record of `kind` with its key, or `most` of them."""
        rows = yield from self._commands.listing(self._layout, kind, most)
        return self._vault.listed(kind, rows)

    def _now(self) -> float | None:
        return None if self._clock is None else self._clock()


_LONGEST_PREFIX = 64
