"""API keys: making them, replacing them with an overlap, revoking them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

from watchword.core.records import Found, Put, Ref, Write
from watchword.core.rejection import ConfigurationError
from watchword.schemes.api_key_text import APIKey, hash_key, key_id_of, make_key
from watchword.stores.administration.administered import Administered, AdministrationError
from watchword.stores.administration.arguments import check_overlap, checked_scopes

__all__ = ["add_api_key", "revoke_api_key", "rotate_api_key"]


async def add_api_key(
    store: Administered, subject: str, *, scopes: Sequence[str] = (), expires: float | None = None
) -> str:
    """Makes an API key. The answer is the only time that it is seen: the store keeps a digest.

    Args:
        subject: whose requests the key proves.
        scopes: what they may do.
        expires: from then on it is refused, in seconds since the epoch by the store's clock; None: never.

    Raises:
        ConfigurationError: an argument can't be used; the message says why.
        StoreUnavailable: nothing was written.

    >>> from watchword.stores import MemoryStore
    >>> MemoryStore().add_api_key("billing", scopes=["invoices"])
    'ww_..._...'
    """
    now = store.clock()
    if not subject:
        raise ConfigurationError("the subject is empty: add_api_key('billing')")
    if not subject.isprintable():
        raise ConfigurationError(f"the subject {subject!r} holds characters that can't be printed")
    rights = checked_scopes(scopes)
    for scope in rights:
        if not scope or not scope.isprintable() or " " in scope:
            raise ConfigurationError(f"{scope!r} is no scope: each is one word, so name several one by one")
    if expires is not None and not (isfinite(expires) and expires > now):
        raise ConfigurationError("expires is a time to come, in seconds since the epoch")

    def judge(_: Found) -> tuple[str, Sequence[Write]]:
        key = make_key(store.random)
        record = APIKey(hash_key(key), subject, rights, created=now, expires=expires)
        return key, [Put(Ref(APIKey, (key_id_of(key) or "",)), record, if_version=0)]

    return await store.change((), judge)


async def rotate_api_key(store: Administered, key_id: str, *, overlap: float = 24 * 3600) -> str:
    """Makes another key of the same id, subject, scopes and expiry. The old one stays good for `overlap` seconds.

    Args:
        key_id: the key's id: its part between `ww_` and the next `_`.
        overlap: 0 ends the old key now.

    Raises:
        AdministrationError: there is no such key, it is revoked, or an overlap is under way and another is asked for.
        ConfigurationError: a negative overlap.
        StoreUnavailable: nothing was written.

    >>> from watchword.stores import MemoryStore
    >>> store = MemoryStore()
    >>> old = store.add_api_key("billing")
    >>> new = store.rotate_api_key(old.split("_")[1], overlap=7 * 24 * 3600)
    """
    check_overlap(overlap)
    ref = Ref(APIKey, (key_id,))

    def judge(found: Found) -> tuple[str, Sequence[Write]]:
        now = store.clock()
        record = _found_key(found, ref)
        if record.revoked is not None:
            raise AdministrationError(f"the key {key_id} is revoked: make another one")
        if record.expires is not None and now >= record.expires:
            raise AdministrationError(f"the key {key_id} has expired: make another one")
        if overlap and now < record.former_until:
            # A third key would end the first one before the time that its users were promised.
            raise AdministrationError(
                f"the key {key_id} was rotated before, and its old key is good for {record.former_until - now:.0f} s more: "
                "wait for that, or rotate with overlap 0, which ends both old ones now"
            )
        key = make_key(store.random, key_id)
        rotated = replace(record, digest=hash_key(key), former=record.digest, former_until=now + overlap)
        return key, [Put(ref, rotated, if_version=found.version(ref))]

    return await store.change([ref], judge)


async def revoke_api_key(store: Administered, key_id: str) -> None:
    """Refuses the key from the next request on, for good, and the one before it. Revoking it again is no error.

    Args:
        key_id: as for `rotate_api_key`.

    Raises:
        AdministrationError: there is no such key.
        StoreUnavailable: nothing was written.

    >>> from watchword.stores import MemoryStore
    >>> store = MemoryStore()
    >>> store.revoke_api_key(store.add_api_key("billing").split("_")[1])
    """
    ref = Ref(APIKey, (key_id,))

    def judge(found: Found) -> tuple[None, Sequence[Write]]:
        record = _found_key(found, ref)
        revoked = record if record.revoked is not None else replace(record, revoked=store.clock())
        return None, [Put(ref, revoked, if_version=found.version(ref))]

    await store.change([ref], judge)


def _found_key(found: Found, ref: Ref[APIKey]) -> APIKey:
    record = found.get(ref)
    if record is None:
        raise AdministrationError(f"there is no API key of the id {ref.key[0]!r}")
    return record
