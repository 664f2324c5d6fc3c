"""Clients' keys: registering them, and replacing them with an overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from watchword.core.records import Found, Put, Ref, Take, Write
from watchword.core.rejection import ConfigurationError
from watchword.crypto.keys import Key, RegisteredKey, RegisteredPublicKey
from watchword.stores.administration.administered import Administered, AdministrationError
from watchword.stores.administration.arguments import check_overlap, checked_scopes

__all__ = ["add_key", "key_writes", "rotate_key"]


async def add_key(store: Administered, subject: str, key: Key, *, scopes: Sequence[str] = ()) -> None:
    """Registers a key with which `subject` signs; replaces the one with the same key id.

    Args:
        subject: whose requests the key proves.
        key: a key for signatures with a key id; of a pair only the public part is kept.
        scopes: what they may do.

    Raises:
        ConfigurationError: the key has no key id, or is for encryption.
        StoreUnavailable: nothing was written.

    >>> from watchword import Key
    >>> from watchword.stores import MemoryStore
    >>> MemoryStore().add_key("robot", Key.generate("HS256", key_id="robot-1"), scopes=["read"])
    """
    await store.write(key_writes(subject, key, scopes=scopes))


def key_writes(subject: str, key: Key, *, scopes: Sequence[str] = ()) -> list[Put | Take]:
    """The writes that register `key` under its key id; the first is that of its record.

    Raises:
        ConfigurationError: as `add_key`.
    """
    if not subject:
        raise ConfigurationError("the subject is empty: add_key('alice', key)")
    if not key.key_id:
        raise ConfigurationError(
            "the key has no key id, by which a request names it: Key.from_secret(…, algorithm='HS256', key_id='alice-1')"
        )
    rights = checked_scopes(scopes)
    if key.use != "sig":
        raise ConfigurationError(f"a key for {key.algorithm} is for encryption and signs nothing")
    if key.is_secret:
        return [
            Put(Ref(RegisteredKey, (key.key_id,)), RegisteredKey(subject, key.algorithm, key.secret_bytes(), rights))
        ]
    public = RegisteredPublicKey.of(subject, key, rights)
    # A shared key of the same key id would be preferred to it.
    return [Put(Ref(RegisteredPublicKey, (key.key_id,)), public), Take(Ref(RegisteredKey, (key.key_id,)))]


async def rotate_key(store: Administered, key_id: str, successor: Key, *, overlap: float = 24 * 3600) -> None:
    """Registers `successor` for the same subject and scopes. The old key stays good for `overlap` seconds.

    Args:
        key_id: the old key's.
        successor: a key for signatures with a key id of its own, of whatever kind.
        overlap: 0 ends the old key now.

    Raises:
        AdministrationError: there is no such key, it was replaced before, or the new key id is taken.
        ConfigurationError: a negative overlap, or a key that can't be registered.
        StoreUnavailable: nothing was written.

    >>> from watchword import Key
    >>> from watchword.stores import MemoryStore
    >>> store = MemoryStore()
    >>> store.add_key("robot", Key.generate("HS256", key_id="robot-1"))
    >>> store.rotate_key("robot-1", Key.generate("ed25519", key_id="robot-2"), overlap=7 * 24 * 3600)
    """
    check_overlap(overlap)
    if successor.key_id == key_id:
        raise ConfigurationError(
            "the new key needs a key id of its own, by which requests tell it from the old one: key_id='robot-2'"
        )
    olds: list[Ref[Any]] = [Ref(kind, (key_id,)) for kind in (RegisteredKey, RegisteredPublicKey)]
    news: list[Ref[Any]] = [Ref(kind, (successor.key_id or "",)) for kind in (RegisteredKey, RegisteredPublicKey)]

    def judge(found: Found) -> tuple[None, Sequence[Write]]:
        now = store.clock()
        if any(found.get(ref) is not None for ref in news):
            raise AdministrationError(f"there is a key of the id {successor.key_id!r} already")
        old = next((ref for ref in olds if found.get(ref) is not None), olds[0])
        record: RegisteredKey | RegisteredPublicKey | None = found.get(old)
        if record is None:
            raise AdministrationError(f"there is no key of the id {key_id!r}")
        if record.superseded_by is not None:
            raise AdministrationError(f"the key {key_id!r} was replaced before: rotate {record.superseded_by!r}")
        if record.expires is not None and now >= record.expires:
            raise AdministrationError(f"the key {key_id!r} has expired: add another one")
        added = key_writes(record.subject, successor, scopes=record.scopes)[0]
        end = now + overlap if record.expires is None else min(now + overlap, record.expires)
        retired: Any = replace(record, superseded_by=successor.key_id, expires=end)
        return None, [added._replace(if_version=0), Put(old, retired, if_version=found.version(old))]

    await store.change([*olds, *news], judge)
