"""Users and keys after they were added: programs of steps for `Admin`, `AsyncAdmin` and the command line.

Each judges what it found and writes over exactly that; whoever was faster makes it look again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import Any, Final, TypeVar

from watchword.core.io import IO, done
from watchword.core.records import NOTHING_FOUND, Committed, Found, Put, Ref, Write
from watchword.core.rejection import ConfigurationError, StoreUnavailable, WatchwordError
from watchword.crypto.keys import Key, RegisteredKey, RegisteredPublicKey
from watchword.crypto.passwords import Password, in_one_form
from watchword.schemes.api_key_text import APIKey, hash_key, key_id_of, make_key
from watchword.schemes.digest import DigestSecret, ha1
from watchword.stores.admin import (
    CONTENDED,
    TRIES,
    DigestEnrolment,
    checked_scopes,
    key_writes,
    normal_username,
    user_writes,
)

__all__ = [
    "AdministrationError", "adding_api_key", "adding_user", "changing_password", "disabling_user", "revoking_api_key",
    "rotating_api_key", "rotating_key",
]  # fmt: skip

T = TypeVar("T")
Digests = Sequence[tuple[Ref[DigestSecret], DigestSecret]]
Changed = Iterator[tuple[Ref[Any], Any]]
_ENTROPY: Final = os.urandom
_CLOCK: Final = time.time


class AdministrationError(WatchwordError):
    """What was asked does not fit what the store holds: no such user or key, or there is one already."""


async def _written(
    io: IO[Any, Any],
    refs: Sequence[Ref[Any]],
    change: Callable[[Found], tuple[T, Sequence[Write]]],
    more: Callable[[Found], Sequence[Ref[Any]]] = lambda _: (),
) -> T:
    """Commits what `change` makes of the records (and of those that they lead to), again while others change them."""
    for _ in range(TRIES):
        found = NOTHING_FOUND
        if refs:
            found = await done(io.fetch(refs))
        if further := more(found):
            found = found.merged(await done(io.fetch(further)))
        answer, writes = await io.work(partial(change, found))  # it may hash a password
        if isinstance(await done(io.commit(writes)), Committed):
            return answer
    raise StoreUnavailable(CONTENDED)


# ---- API keys --------------------------------------------------------------------------------------------------------


async def adding_api_key(
    io: IO[Any, Any],
    subject: str,
    *,
    scopes: Sequence[str] = (),
    expires: float | None = None,
    clock: Callable[[], float] = _CLOCK,
    random: Callable[[int], bytes] = _ENTROPY,
) -> str:
    """`Admin.add_api_key`."""
    now = clock()
    _check_subject(subject)
    rights = checked_scopes(scopes)
    for scope in rights:
        if not scope or not scope.isprintable() or " " in scope:
            raise ConfigurationError(f"{scope!r} is no scope: each is one word, so name several one by one")
    if expires is not None and not (isfinite(expires) and expires > now):
        raise ConfigurationError("expires is a time to come, in seconds since the epoch")

    def change(_: Found) -> tuple[str, Sequence[Write]]:
        key = make_key(random)
        record = APIKey(hash_key(key), subject, rights, created=now, expires=expires)
        return key, [Put(Ref(APIKey, (key_id_of(key) or "",)), record, if_version=0)]

    return await _written(io, (), change)


async def rotating_api_key(
    io: IO[Any, Any],
    key_id: str,
    *,
    overlap: float,
    clock: Callable[[], float] = _CLOCK,
    random: Callable[[int], bytes] = _ENTROPY,
) -> str:
    """`Admin.rotate_api_key`."""
    if not (isfinite(overlap) and overlap >= 0):
        raise ConfigurationError("overlap is a number of seconds, 0 to end the old key now")
    ref = Ref(APIKey, (key_id,))

    def change(found: Found) -> tuple[str, Sequence[Write]]:
        now = clock()
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
        key = make_key(random, key_id)
        rotated = replace(record, digest=hash_key(key), former=record.digest, former_until=now + overlap)
        return key, [Put(ref, rotated, if_version=found.version(ref))]

    return await _written(io, [ref], change)


async def revoking_api_key(io: IO[Any, Any], key_id: str, *, clock: Callable[[], float] = _CLOCK) -> None:
    """`Admin.revoke_api_key`."""
    ref = Ref(APIKey, (key_id,))

    def change(found: Found) -> tuple[None, Sequence[Write]]:
        record = _found_key(found, ref)
        revoked = record if record.revoked is not None else replace(record, revoked=clock())
        return None, [Put(ref, revoked, if_version=found.version(ref))]

    await _written(io, [ref], change)


def _found_key(found: Found, ref: Ref[APIKey]) -> APIKey:
    record = found.get(ref)
    if record is None:
        raise AdministrationError(f"there is no API key of the id {ref.key[0]!r}")
    return record


def _check_subject(subject: str) -> None:
    if not subject:
        raise ConfigurationError("the subject is empty: add_api_key('billing')")
    if not subject.isprintable():
        raise ConfigurationError(f"the subject {subject!r} holds characters that can't be printed")


# ---- clients' keys -----------------------------------------------------------------------------------------------------


async def rotating_key(
    io: IO[Any, Any],
    key_id: str,
    successor: Key,
    *,
    overlap: float,
    clock: Callable[[], float] = _CLOCK,
) -> None:
    """`Admin.rotate_key`."""
    if not (isfinite(overlap) and overlap >= 0):
        raise ConfigurationError("overlap is a number of seconds, 0 to end the old key now")
    if successor.key_id == key_id:
        raise ConfigurationError(
            "the new key needs a key id of its own, by which requests tell it from the old one: key_id='robot-2'"
        )
    olds: list[Ref[Any]] = [Ref(kind, (key_id,)) for kind in (RegisteredKey, RegisteredPublicKey)]

    def change(found: Found) -> tuple[None, Sequence[Write]]:
        now = clock()
        old = next((ref for ref in olds if found.get(ref) is not None), olds[0])
        record: RegisteredKey | RegisteredPublicKey | None = found.get(old)
        if record is None:
            raise AdministrationError(f"there is no key of the id {key_id!r}")
        if record.superseded_by is not None:
            raise AdministrationError(f"the key {key_id!r} was replaced before: rotate {record.superseded_by!r}")
        if record.expires is not None and now >= record.expires:
            raise AdministrationError(f"the key {key_id!r} has expired: add another one")
        added = key_writes(record.subject, successor, scopes=record.scopes)[0]
        assert isinstance(added, Put)
        end = now + overlap if record.expires is None else min(now + overlap, record.expires)
        retired: Any = replace(record, superseded_by=successor.key_id, expires=end)
        return None, [added._replace(if_version=0), Put(old, retired, if_version=found.version(old))]

    news: list[Ref[Any]] = [Ref(kind, (successor.key_id or "",)) for kind in (RegisteredKey, RegisteredPublicKey)]

    def taken(found: Found) -> Sequence[Ref[Any]]:
        if any(found.get(ref) is not None for ref in news):
            raise AdministrationError(f"there is a key of the id {successor.key_id!r} already")
        return ()

    await _written(io, [*olds, *news], change, taken)


# ---- users -----------------------------------------------------------------------------------------------------------


async def adding_user(
    io: IO[Any, Any],
    username: str,
    password: str,
    *,
    scopes: Sequence[str] = (),
    realm: str | None = None,
    digest_algorithms: Sequence[str] = (),
) -> None:
    """`Admin.add_user`, but only a user who is not there yet."""
    username = normal_username(username)
    ref = Ref(Password, (username,))

    def change(found: Found) -> tuple[None, Sequence[Write]]:
        if found.get(ref) is not None:
            raise AdministrationError(f"there is a user {username!r} already")
        writes = user_writes(found, username, password, scopes=scopes, realm=realm, digest_algorithms=digest_algorithms)
        first = Put(ref, None, if_version=0)  # over nobody who was faster
        return None, [
            first._replace(record=write.record) if isinstance(write, Put) and write.ref == ref else write
            for write in writes
        ]

    await _written(io, [ref, Ref(DigestEnrolment, (username,))], change)


async def changing_password(io: IO[Any, Any], username: str, password: str) -> None:
    """`Admin.set_password`."""
    username = normal_username(username)
    password = in_one_form(password)

    def change(user: Password, digests: Digests) -> Changed:
        yield Ref(Password, (username,)), replace(user, encoded=Password.hash(password).encoded)
        for ref, secret in digests:
            algorithm, realm, _ = ref.key
            yield ref, replace(secret, ha1=ha1(algorithm, username, realm, password))

    await _changing_user(io, username, change)


async def disabling_user(io: IO[Any, Any], username: str, *, disabled: bool) -> None:
    """`Admin.disable_user`."""
    username = normal_username(username)

    def change(user: Password, digests: Digests) -> Changed:
        yield Ref(Password, (username,)), replace(user, disabled=disabled)
        for ref, secret in digests:
            yield ref, replace(secret, disabled=disabled)

    await _changing_user(io, username, change)


async def _changing_user(io: IO[Any, Any], username: str, change: Callable[[Password, Digests], Changed]) -> None:
    """Changes the user's password record and every Digest secret together, so that none is left behind."""
    ref, enrolment = Ref(Password, (username,)), Ref(DigestEnrolment, (username,))

    def places(found: Found) -> list[Ref[DigestSecret]]:
        enrolled = found.get(enrolment)
        return [] if enrolled is None else [Ref(DigestSecret, (*place, username)) for place in enrolled.places]

    def judge(found: Found) -> tuple[None, Sequence[Write]]:
        user = found.get(ref)
        if user is None:
            raise AdministrationError(f"there is no user {username!r}")
        digests = [(place, secret) for place in places(found) if (secret := found.get(place)) is not None]
        return None, [Put(place, record, found.version(place)) for place, record in change(user, digests)]

    await _written(io, [ref, enrolment], judge, places)
