"""Who may sign: the keys of a verifier, prepared, found by the key id that a signature names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from watchword.structures.bounded import Bounded
from watchword.core.records import Found, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.algorithms import algorithm_named, signature_alias
from watchword.crypto.keys import Key, KeySet, RegisteredKey, RegisteredPublicKey
from watchword.schemes.key_source import KeySource
from watchword.schemes.mark_owners import owner_of_key

__all__ = ["KeyOwner", "KeyOwners", "RecordedKeyOwners", "Signers", "alias_of", "key_refs"]

MAX_KEY_OWNERS: Final = 1024
"""Keys of the store that are kept prepared."""

Registered = RegisteredKey | RegisteredPublicKey
_NOBODY: Final = RegisteredKey("", "HS256", b"a stand-in for a key that nobody has")


def alias_of(key: Key) -> str:
    """The name of the key's algorithm in HTTP message signatures (RFC 9421 §6.2.2); "" where it has none (§3.3.7)."""
    return signature_alias(algorithm_named(key.algorithm))


class KeyOwner:
    """A key, prepared, and whose it is."""

    __slots__ = ("_marks_as", "alias", "key", "record", "refs", "scopes", "subject", "verify")

    def __init__(self, key: Key, subject: str, scopes: frozenset[str], record: Registered | None = None) -> None:
        self.key = key
        self.verify = key.verifier
        self.alias = alias_of(key)
        self.subject = subject
        self.scopes = scopes
        self.record = record
        self.refs = () if record is None else key_refs(key.key_id)
        self._marks_as = ""

    @property
    def marks_as(self) -> str:
        """The owner of the marks of what it has signed; verifiers may be given other keys of this name."""
        if not self._marks_as:
            self._marks_as = owner_of_key(self.key)
        return self._marks_as


class KeyOwners:
    """The keys of a `KeySet`: each proves the subject that its key id names. `unique` are those whose names say enough.

    Raises:
        ConfigurationError: none of them is for signatures.
    """

    __slots__ = ("_by_name", "_only", "keys", "unique")

    def __init__(self, keys: KeySet) -> None:
        self.keys = keys
        usable = [KeyOwner(key, key.key_id or "", frozenset()) for key in keys.keys if key.use == "sig"]
        if keys.keys and not usable:
            raise ConfigurationError("keys has no key for signatures: those for encryption sign nothing")
        self._only = usable[0] if len(usable) == 1 else None
        self._by_name: dict[str, list[KeyOwner]] = {}
        for key_owner in usable:
            if key_owner.key.key_id is not None:
                self._by_name.setdefault(key_owner.key.key_id, []).append(key_owner)

        self.unique = {name: named[0] for name, named in self._by_name.items() if len(named) == 1}

    def find(self, key_id: str | None, alg: str | None) -> KeyOwner | None:
        """The one key that is meant; None if there is none. `alg` only ever tells two keys of one name apart."""
        if key_id is None:
            return self._only
        key_owner = self.unique.get(key_id)
        if key_owner is None:
            fitting = [each for each in self._by_name.get(key_id, ()) if each.alias == alg]
            key_owner = fitting[0] if len(fitting) == 1 else None
        return key_owner


class RecordedKeyOwners:
    """The keys of a store, kept prepared for those who have proven to hold them."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: Bounded[str, KeyOwner] = Bounded(MAX_KEY_OWNERS)

    def find(self, key_id: str, found: Found, refs: Sequence[Ref[Any]]) -> KeyOwner | None:
        """The key that is registered under this key id (`refs` are its two records); None if there is none.

        Raises:
            Rejected: UNKNOWN_KEY: what is registered there can't verify signatures.
        """
        record: Registered | None = found.get(refs[0])
        if record is None:
            record = found.get(refs[1])
            if record is None:
                return None
        kept = self._kept.get(key_id)
        if kept is not None and (kept.record is record or kept.record == record):
            return kept
        return prepared(key_id, record)

    def spend(self, key_id: str, key_owner: KeyOwner) -> None:
        """Prepares a key that was kept once more: what is refused costs the same whether it was kept or not."""
        if key_owner.record is not None and self._kept.get(key_id) is key_owner:
            prepared(key_id, key_owner.record)

    def refs(self, key_id: str | None) -> tuple[Ref[Any], ...]:
        """The records that this key id may name."""
        kept = self._kept.get(key_id) if key_id is not None else None
        return key_refs(key_id) if kept is None else kept.refs

    def keep(self, key_id: str, key_owner: KeyOwner) -> None:
        """For the next signature with this key; called after a good one."""
        if self._kept.get(key_id) is not key_owner:
            self._kept.put(key_id, key_owner)


def prepared(key_id: str, record: Registered) -> KeyOwner:
    """The key of a record, ready to verify.

    Raises:
        Rejected: UNKNOWN_KEY, WRONG_ALGORITHM: it can't verify signatures.
    """
    try:
        key = record.key(key_id)
    except ConfigurationError:
        raise Rejected(Reason.UNKNOWN_KEY, "the key that is registered can't be used", where="keyid") from None
    if key.use != "sig":
        raise Rejected(Reason.WRONG_ALGORITHM, "the key that is registered is for encryption", where="keyid")
    return KeyOwner(key, record.subject, frozenset(record.scopes), record)


class Signers:
    """Those who may sign at one verifier: by keys that are given, that somebody publishes (`source`), or of the guard's store.

    Args:
        keys: those that are known without a store.
        source: what keeps `keys` up to date, or None.
        stored: the keys are the store's.
    """

    __slots__ = ("_key_owners", "_nobody", "named", "records", "source")

    def __init__(self, keys: KeySet, source: KeySource | None, *, stored: bool) -> None:
        self.source = source
        self.records = RecordedKeyOwners() if stored else None
        self._key_owners = KeyOwners(keys)
        self._nobody = prepared("", _NOBODY)
        self.named: Mapping[str, KeyOwner] = {} if source is not None else self._key_owners.unique

    @property
    def keys(self) -> KeySet:
        """The keys that are known without a store."""
        return self._key_owners.keys

    def find(self, key_id: str | None, alg: str | None, found: Found, refs: Sequence[Ref[Any]]) -> KeyOwner | None:
        """Whose key made a signature, by what it says; None, if that is nobody who is known.

        Raises:
            Rejected: UNKNOWN_KEY, WRONG_ALGORITHM: what is registered can't verify signatures.
        """
        if self.records is None:
            return self._key_owners.find(key_id, alg)
        return None if key_id is None else self.records.find(key_id, found, refs)

    def keep(self, key_id: str | None, key_owner: KeyOwner) -> None:
        """For the next signature with this key; called after a good one."""
        if self.records is not None and key_id is not None:
            self.records.keep(key_id, key_owner)

    def spend(self, key_id: str | None, key_owner: KeyOwner) -> None:
        """For what is refused: see `RecordHolders.spend`. A given key is prepared for all, so nothing tells its use."""
        if self.records is not None and key_id is not None:
            self.records.spend(key_id, key_owner)

    def nobody(self) -> KeyOwner:
        """A shared key to try what names an unknown one with, prepared as a known one is."""
        return self._nobody if self.records is None else prepared("", _NOBODY)

    def use_current_keys(self) -> None:
        """Goes by the keys that are published now.

        Raises:
            StoreUnavailable: there are none.
        """
        if self.source is not None:
            self.use(self.source.snapshot())

    def use(self, keys: KeySet) -> None:
        """Goes by these keys."""
        if keys is not self._key_owners.keys:
            self._key_owners = KeyOwners(keys)


def key_refs(key_id: str | None) -> tuple[Ref[Any], ...]:
    """The records that this key id may name."""
    return () if key_id is None else (Ref(RegisteredKey, (key_id,)), Ref(RegisteredPublicKey, (key_id,)))
