"""Users: adding them, changing their passwords, disabling them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from watchword.core.records import Found, Put, Ref, Take, Write
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.crypto import precis
from watchword.crypto.passwords import Password, in_one_form
from watchword.stores.administration.administered import Administered, AdministrationError
from watchword.stores.administration.arguments import checked_scopes

if TYPE_CHECKING:
    from watchword.schemes.digest import DigestSecret

    Digests = Sequence[tuple[Ref[DigestSecret], DigestSecret]]
    Changed = Iterator[tuple[Ref[Any], Any]]

__all__ = ["DigestEnrolment", "add_user", "digest_writes", "disable_user", "set_password"]


@dataclass(frozen=True, slots=True)
class DigestEnrolment:
    """Which `DigestSecret`s a user has, as (algorithm, realm); at `Ref(DigestEnrolment, (username,))`.

    Kept so that a new password leaves no old one behind in another realm or under another algorithm.
    """

    places: tuple[tuple[str, str], ...]


async def add_user(
    store: Administered,
    username: str,
    password: str,
    *,
    scopes: Sequence[str] = (),
    realm: str | None = None,
    digest_algorithms: Sequence[str] = (),
    replace: bool = True,
) -> None:
    """Adds a user, or replaces one: afterwards no older password of that user is accepted.

    Args:
        username: a PRECIS username without ":" (RFC 8265 §3.4, RFC 7617 §2), 256 characters at most; kept in its one form,
            case and all.
        password: 1 to 512 characters, without control characters (RFC 8265 §4.2); hashed in its one form.
        scopes: what the user may do.
        realm: the realm of a `DigestVerifier` at which the user may log in too; None: by Basic only.
        digest_algorithms: for that realm; by default SHA-256. Name MD5 for old clients.
        replace: False: only add a user who is not there yet.

    Raises:
        AdministrationError: there is such a user already, and `replace` is False.
        ConfigurationError: an argument can't be used; the message says why.
        StoreUnavailable: nothing was written.

    >>> from watchword.stores import MemoryStore
    >>> MemoryStore().add_user("alice", "open sesame", scopes=["read"], realm="orders")
    """
    username = normal_username(username)
    password = in_one_form(password)
    rights = checked_scopes(scopes)
    places = _places(realm, digest_algorithms)
    user, enrolment = Ref(Password, (username,)), Ref(DigestEnrolment, (username,))

    def judge(found: Found) -> tuple[None, Sequence[Write]]:
        if not replace and found.get(user) is not None:
            raise AdministrationError(f"there is a user {username!r} already")
        record = Put(user, Password.hash(password, scopes=rights), if_version=None if replace else 0)
        return None, [record, *digest_writes(found, username, password, rights, places)]

    await store.change([enrolment] if replace else [user, enrolment], judge)


def digest_writes(
    found: Found, username: str, password: str, scopes: tuple[str, ...], places: Sequence[tuple[str, str]]
) -> list[Write]:
    """The writes after which the user has a `DigestSecret` for this password at `places`, and none elsewhere.

    Args:
        found: holds the user's `DigestEnrolment`, if there is one.
        username: in its one form.
        password: in its one form.
        scopes: what the user may do.
        places: each an algorithm and a realm.
    """
    enrolment = Ref(DigestEnrolment, (username,))
    old = found.get(enrolment)
    if old is None and not places:
        return []
    from watchword.schemes.digest import DigestSecret, UserHash, ha1, user_hash  # noqa: PLC0415 -- few users need it

    writes: list[Write] = []
    for algorithm, realm in places:
        secret = DigestSecret(ha1(algorithm, username, realm, password), scopes)
        writes.append(Put(Ref(DigestSecret, (algorithm, realm, username)), secret))
        alias = user_hash(algorithm, username, realm)
        writes.append(Put(Ref(UserHash, (algorithm, realm, alias)), UserHash(username)))
    for algorithm, realm in old.places if old is not None else ():
        if (algorithm, realm) not in places:
            writes.append(Take(Ref(DigestSecret, (algorithm, realm, username))))
            writes.append(Take(Ref(UserHash, (algorithm, realm, user_hash(algorithm, username, realm)))))
    writes.append(Put(enrolment, DigestEnrolment(tuple(places)), if_version=found.version(enrolment)))
    return writes


async def set_password(store: Administered, username: str, password: str) -> None:
    """Gives a user another password, for Basic and for every realm; keeps scopes, subject and whether disabled.

    Args:
        username: as for `add_user`.
        password: as for `add_user`.

    Raises:
        AdministrationError: there is no such user.
        ConfigurationError: the password can't be used.
        StoreUnavailable: nothing was written.

    >>> from watchword.stores import MemoryStore
    >>> store = MemoryStore()
    >>> store.add_user("alice", "open sesame")
    >>> store.set_password("alice", "a better one")
    """
    from watchword.schemes.digest import ha1  # noqa: PLC0415 -- as above

    username = normal_username(username)
    password = in_one_form(password)

    def change(user: Password, digests: Digests) -> Changed:
        yield Ref(Password, (username,)), replace(user, encoded=Password.hash(password).encoded)
        for ref, secret in digests:
            algorithm, realm, _ = ref.key
            yield ref, replace(secret, ha1=ha1(algorithm, username, realm, password))

    await _change_user(store, username, change)


async def disable_user(store: Administered, username: str, *, disabled: bool = True) -> None:
    """From now on the user's password is refused as if it were wrong; with `disabled=False` it is good again.

    Tokens that the user was given before are not touched.

    Args:
        username: as for `add_user`.
        disabled: False: the password is good again.

    Raises:
        AdministrationError: there is no such user.
        StoreUnavailable: nothing was written.

    >>> from watchword.stores import MemoryStore
    >>> MemoryStore().disable_user("nobody")
    Traceback (most recent call last):
    watchword.stores.administration.administered.AdministrationError: there is no user 'nobody'
    """
    username = normal_username(username)

    def change(user: Password, digests: Digests) -> Changed:
        yield Ref(Password, (username,)), replace(user, disabled=disabled)
        for ref, secret in digests:
            yield ref, replace(secret, disabled=disabled)

    await _change_user(store, username, change)


async def _change_user(store: Administered, username: str, change: Callable[[Password, Digests], Changed]) -> None:
    """Changes the user's password record and every Digest secret together, so that none is left behind."""
    from watchword.schemes.digest import DigestSecret  # noqa: PLC0415 -- as above

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

    await store.change([ref, enrolment], judge, places)


def normal_username(username: str) -> str:
    """The one form of a user's name, under which the user is kept (`crypto.precis`).

    Raises:
        ConfigurationError: it is empty, or has none.
    """
    if not username:
        raise ConfigurationError("the username is empty")
    if ":" in username:
        raise ConfigurationError(f"the username {username!r} holds a colon, which ends it on the wire (RFC 7617 §2)")
    try:
        return precis.username(username)
    except Rejected as rejected:
        raise ConfigurationError(f"the username {username!r} can't be used: {rejected.rejection.detail}") from None


def _places(realm: str | None, names: Sequence[str]) -> list[tuple[str, str]]:
    """Where `DigestSecret`s are kept: under the registered names of the algorithms, each once, in that realm."""
    if realm is None:
        if names:
            raise ConfigurationError("digest_algorithms needs the realm of the DigestVerifier: add_user(…, realm='…')")
        return []
    from watchword.schemes.digest.computation import checked_algorithms  # noqa: PLC0415 -- as above

    rows = checked_algorithms(names or ("SHA-256",))
    return [(name, realm) for name in dict.fromkeys(row.name.removesuffix("-sess") for row in rows)]
