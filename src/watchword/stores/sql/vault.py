"""Records as they lie in a database: JSON, sealed if their class is sensitive."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from watchword.structures.bounded import Bounded
from watchword.core.records import Counter, Found, Ref, Spent
from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.crypto.sealing import KEY_SIZE, Sealer
from watchword.stores.sql.queries import key_text

__all__ = ["Sealed", "Vault", "check_secrets", "sensitive"]

T = TypeVar("T")


class Sealed(Protocol):
    """What a vault asks of a database: the key that its secrets are sealed with."""

    @property
    def in_memory(self) -> bool:
        """Whether it ends with the process, and its key with it."""
        ...

    def sealer(self, given: bytes | None, *, create: bool) -> Sealer | None:
        """The key, the given one or its own; None if it has none, and none is to be made."""
        ...


_MOST = 1024  # records whose last reading is kept


def sensitive(kind: type) -> bool:
    """Whether records of this class hold something from which an impostor could make credentials."""
    return bool(getattr(kind, "sensitive", False))


def check_secrets(secrets: object) -> None:
    """Nothing, if `secrets` can be the key of a store; before anything is made of it or of the database.

    Raises:
        ConfigurationError: it can't. The message holds nothing of it.

    >>> check_secrets("text")
    Traceback (most recent call last):
        ...
    watchword.core.rejection.ConfigurationError: secrets is one key of 32 octets or more, as bytes, not str: a text is
    made octets as it was meant, for example base64.b64decode(text) or text.encode()
    """
    if secrets is None:
        return
    if not isinstance(secrets, bytes):
        text = "a text is made octets as it was meant, for example base64.b64decode(text) or text.encode()"
        mend = text if isinstance(secrets, str) else f"secrets=os.urandom({KEY_SIZE}), kept safe"
        raise ConfigurationError(
            f"secrets is one key of {KEY_SIZE} octets or more, as bytes, not {type(secrets).__name__[:64]}: {mend}"
        )
    Sealer(secrets)


class Vault:
    """Turns records into what is stored, and back.

    Args:
        database: the file has its key beside it; one in memory gets a key that ends with it.
        secrets: the key instead, 32 octets or more (`check_secrets`); a database without a key has this one from now on.
        allow_plaintext: store sensitive records in the clear.

    Raises:
        ConfigurationError: the key is too short, missing, or another database's.
    """

    def __init__(self, database: Sealed, secrets: bytes | None, *, allow_plaintext: bool) -> None:
        self._database = database
        self._given = secrets
        self._allow_plaintext = allow_plaintext
        self._kinds: dict[str, tuple[type, msgspec.json.Decoder[Any]]] = {}
        self._latest: Bounded[Ref[Any], tuple[bytes, int, Any]] = Bounded(_MOST)
        self._sealer: Sealer | None = None
        if database.in_memory:
            self._sealer = None if allow_plaintext else Sealer(secrets or os.urandom(KEY_SIZE))
        else:
            # A given key is the database's at once: else whoever comes without it would make a file, and be the first.
            self._sealer = database.sealer(secrets, create=secrets is not None and not allow_plaintext)

    def ready(self, kinds: Iterable[type]) -> bool:
        """Whether records of these kinds can be turned without asking the database for its key."""
        return self._sealer is not None or self._allow_plaintext or not any(map(sensitive, kinds))

    def open(self) -> None:
        """Fetches the key, which is made if there never was one."""
        if not self._database.in_memory and not self._allow_plaintext:
            self._sealer = self._database.sealer(self._given, create=True)

    def encode(self, record: Any, kind: str, key: str) -> tuple[bytes, bool]:
        """A record's bytes and whether they are sealed."""
        self._decoder(type(record), kind)
        try:
            plain = msgspec.json.encode(record)
        except (TypeError, ValueError, msgspec.MsgspecError):  # its words, and its cause, hold the record
            raise ConfigurationError(
                f"a {kind} record can't be stored: its fields hold something else than text, numbers, octets and tuples"
            ) from None
        if not sensitive(type(record)) or self._allow_plaintext:
            return plain, False
        if self._sealer is None:
            self.open()
        assert self._sealer is not None
        return self._sealer.seal(plain, _identity(kind, key)), True

    def found(self, refs: Sequence[Ref[Any]], rows: Sequence[Sequence[Any]]) -> Found:
        """The rows of `queries.fetching(refs, …)`, as records."""
        counts = False
        records: dict[Ref[Any], tuple[Any, int]] = {}
        for place, version, data, sealed, owner, value, until in rows:
            ref = refs[place]
            if ref.kind is Spent:
                records[ref] = (Spent(until, owner), 1)
            elif ref.kind is Counter:
                counts = True
                records[ref] = (Counter(value, until), 1)
            else:
                records[ref] = (self._known(ref, data, sealed), version)
        return Found(records, counts=counts)

    def _known(self, ref: Ref[Any], data: bytes, sealed: int) -> Any:
        """The record, the same object as last time if it was stored as the same octets: most are read again and again."""
        known = self._latest.get(ref)
        if known is not None and known[0] == data and known[1] == sealed:
            return known[2]
        record = self._decode(ref.kind, ref.kind.__name__, key_text(ref.key), data, sealed)
        self._latest.put(ref, (data, sealed, record))
        return record

    def listed(self, kind: type[T], rows: Sequence[Sequence[Any]]) -> list[tuple[tuple[str, ...], T]]:
        """The rows of a listing of `kind`, as keys and records in the order of the keys."""
        name = kind.__name__
        records = {tuple(json.loads(key)): self._decode(kind, name, key, data, sealed) for key, data, sealed in rows}
        return sorted(records.items(), key=lambda entry: entry[0])

    def _decode(self, kind: type, name: str, key: str, data: bytes, sealed: int) -> Any:
        if sealed:
            if self._sealer is None and not self._database.in_memory:
                self._sealer = self._database.sealer(self._given, create=False)
            if self._sealer is None:
                raise ConfigurationError(f"a {name} record is sealed: give the store the key that sealed it, secrets=…")
            data = self._sealer.open(data, _identity(name, key))
        elif sensitive(kind) and not self._allow_plaintext:
            # Else whoever can write to the database, but has not the key, could plant a secret of their own.
            raise StoreUnavailable(
                f"a {name} record is stored in the clear: add it again, or allow_plaintext_secrets=True"
            )
        decoder = self._decoder(kind, name)
        try:
            return decoder.decode(data)
        except (ValueError, msgspec.MsgspecError):
            raise StoreUnavailable(f"a stored {name} record does not fit its class") from None

    def _decoder(self, kind: type, name: str) -> msgspec.json.Decoder[Any]:
        known = self._kinds.get(name)
        if known is None:
            try:
                known = (kind, msgspec.json.Decoder(kind))
            except (TypeError, NameError) as error:
                raise ConfigurationError(f"{name} can't be a record: {error}") from None
            self._kinds[name] = known
        if known[0] is not kind:
            raise ConfigurationError(f"two record classes are called {name}, which is how they are stored: rename one")
        return known[1]


def _identity(kind: str, key: str) -> bytes:
    return f"{kind}:{key}".encode()
