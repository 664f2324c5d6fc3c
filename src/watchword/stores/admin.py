"""Adding users, keys and clients: pure functions from arguments to writes, and the mixins that commit them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword.core.io import Awaited, Direct, drive
from watchword.core.records import Committed, Found, Outcome, Put, Ref, Take, Write
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.stores.access_key_admin import AccessKeyAdmin, AsyncAccessKeyAdmin
from watchword.stores.oauth1_admin import AsyncOAuth1Admin, OAuth1Admin

if TYPE_CHECKING:
    from watchword.crypto.keys import Key

__all__ = ["Admin", "AsyncAdmin", "DigestEnrolment", "client_writes", "key_writes", "user_writes"]

TRIES = 5


@dataclass(frozen=True, slots=True)
class DigestEnrolment:
    """Which `DigestSecret`s a user has, as (algorithm, realm); at `Ref(DigestEnrolment, (username,))`.

    Kept so that a new password leaves no old one behind in another realm or under another algorithm.
    """

    places: tuple[tuple[str, str], ...]


def user_writes(
    found: Found,
    username: str,
    password: str,
    *,
    scopes: Sequence[str] = (),
    realm: str | None = None,
    digest_algorithms: Sequence[str] = (),
) -> list[Write]:
    """What makes `username` a user with this password and no other; `found` holds the user's `DigestEnrolment`.

    Raises:
        ConfigurationError: as `Admin.add_user`.
    """
    from watchword.crypto.passwords import Password, in_one_form  # noqa: PLC0415 -- only stores with users need it
    from watchword.schemes.digest import DigestSecret, UserHash, ha1, user_hash  # noqa: PLC0415 -- as above

    username = normal_username(username)
    password = in_one_form(password)
    rights = checked_scopes(scopes)
    algorithms = _algorithms(realm, digest_algorithms)
    enrolment = Ref(DigestEnrolment, (username,))
    old = found.get(enrolment)
    places = tuple((algorithm, realm) for algorithm in algorithms if realm is not None)
    writes: list[Write] = [Put(Ref(Password, (username,)), Password.hash(password, scopes=rights))]
    for algorithm, where in places:
        secret = DigestSecret(ha1(algorithm, username, where, password), rights)
        writes.append(Put(Ref(DigestSecret, (algorithm, where, username)), secret))
        alias = user_hash(algorithm, username, where)
        writes.append(Put(Ref(UserHash, (algorithm, where, alias)), UserHash(username)))
    if old is None and not places:
        return writes
    gone = [place for place in old.places if place not in places] if old is not None else []
    writes += [Take(Ref(DigestSecret, (algorithm, where, username))) for algorithm, where in gone]
    writes += [
        Take(Ref(UserHash, (algorithm, where, user_hash(algorithm, username, where)))) for algorithm, where in gone
    ]
    writes.append(Put(enrolment, DigestEnrolment(places), if_version=found.version(enrolment)))
    return writes


def key_writes(subject: str, key: Key, *, scopes: Sequence[str] = ()) -> list[Write]:
    """What registers `key` under its key id.

    Raises:
        ConfigurationError: as `Admin.add_key`.
    """
    from watchword.crypto.keys import RegisteredKey, RegisteredPublicKey  # noqa: PLC0415 -- only stores with keys need it

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


def client_writes(
    client_id: str, secret: str, *, scopes: Sequence[str] = (), subject: str | None = None
) -> list[Write]:
    """What registers an OAuth client.

    Raises:
        ConfigurationError: as `Admin.add_client`.
    """
    from watchword.authorization_server.client import Client  # noqa: PLC0415 -- only stores with clients need it
    from watchword.crypto.passwords import check_password_length, hash_password  # noqa: PLC0415 -- as above
    from watchword.crypto.precis import MAX_USERNAME  # noqa: PLC0415 -- as above

    if not 1 <= len(client_id) <= MAX_USERNAME or not (client_id.isascii() and client_id.isprintable()):
        raise ConfigurationError(f"a client id is visible ASCII, 1 to {MAX_USERNAME} characters (RFC 6749 §A.1)")
    check_password_length(secret)
    client = Client(secret=hash_password(secret), scopes=checked_scopes(scopes), subject=subject or client_id)
    return [Put(Ref(Client, (client_id,)), client)]


class Admin(OAuth1Admin, AccessKeyAdmin):
    """`add_user`, `add_key`, `add_api_key`, `add_client` and what changes them, for every store that is called."""

    if TYPE_CHECKING:
        kinds: frozenset[type] | None

        @property
        def blocking(self) -> bool: ...
        def fetch(self, refs: Sequence[Ref[Any]], /) -> Found: ...
        def commit(self, writes: Sequence[Write], /) -> Outcome: ...

    def add_user(
        self,
        username: str,
        password: str,
        *,
        scopes: Sequence[str] = (),
        realm: str | None = None,
        digest_algorithms: Sequence[str] = (),
    ) -> None:
        """Adds a user, or replaces one: afterwards no older password of that user is accepted.

        Args:
            username: a PRECIS username without ":" (RFC 8265 §3.4, RFC 7617 §2), 256 characters at most; kept in its one form,
                case and all.
            password: 1 to 512 characters, without control characters (RFC 8265 §4.2); hashed in its one form.
            scopes: what the user may do.
            realm: the realm of a `DigestVerifier` at which the user may log in too; None: by Basic only.
            digest_algorithms: for that realm; by default SHA-256. Name MD5 for old clients.

        Raises:
            ConfigurationError: an argument can't be used; the message says why.
            StoreUnavailable: nothing was written.
        """
        ref = Ref(DigestEnrolment, (normal_username(username),))
        for _ in range(TRIES):
            writes = user_writes(
                self.fetch([ref]), username, password, scopes=scopes, realm=realm, digest_algorithms=digest_algorithms
            )
            if isinstance(self.commit(writes), Committed):
                return
        raise StoreUnavailable(CONTENDED)

    def add_key(self, subject: str, key: Key, *, scopes: Sequence[str] = ()) -> None:
        """Registers a key with which `subject` signs; replaces the one with the same key id.

        Args:
            subject: whose requests the key proves.
            key: a key for signatures with a key id; of a pair only the public part is kept.
            scopes: what they may do.

        Raises:
            ConfigurationError: the key has no key id, or is for encryption.
            StoreUnavailable: nothing was written.
        """
        self.commit(key_writes(subject, key, scopes=scopes))

    def rotate_key(self, key_id: str, successor: Key, *, overlap: float = 24 * 3600) -> None:
        """Registers `successor` for the same subject and scopes. The old key stays good for `overlap` seconds.

        Args:
            key_id: the old key's.
            successor: a key for signatures with a key id of its own, of whatever kind.
            overlap: 0 ends the old key now.

        Raises:
            AdministrationError: there is no such key, it was replaced before, or the new key id is taken.
            ConfigurationError: a negative overlap, or a key that can't be registered.
            StoreUnavailable: nothing was written.
        """
        from watchword.stores import administration  # noqa: PLC0415 -- needed by few

        drive(administration.rotating_key(Direct(self), key_id, successor, overlap=overlap))

    def add_client(
        self, client_id: str, secret: str, *, scopes: Sequence[str] = (), subject: str | None = None
    ) -> None:
        """Registers a confidential OAuth client (RFC 6749 §2.1), or replaces it.

        Args:
            client_id: visible ASCII, 256 characters at most.
            secret: kept as an argon2id hash only; 512 characters at most.
            scopes: what it may ask for.
            subject: whom its tokens are for; None: the client id.

        Raises:
            ConfigurationError: an argument can't be used; the message says why.
            StoreUnavailable: nothing was written.
        """
        self.commit(client_writes(client_id, secret, scopes=scopes, subject=subject))

    def set_password(self, username: str, password: str) -> None:
        """Gives a user another password, for Basic and for every realm; keeps scopes, subject and whether disabled.

        Raises:
            AdministrationError: there is no such user.
            ConfigurationError: the password can't be used.
            StoreUnavailable: nothing was written.
        """
        from watchword.stores import administration  # noqa: PLC0415 -- needed by few

        drive(administration.changing_password(Direct(self), username, password))

    def disable_user(self, username: str, *, disabled: bool = True) -> None:
        """From now on the user's password is refused as if it were wrong; with `disabled=False` it is good again.

        Tokens that the user was given before are not touched.

        Raises:
            AdministrationError: there is no such user.
            StoreUnavailable: nothing was written.
        """
        from watchword.stores import administration  # noqa: PLC0415 -- as above

        drive(administration.disabling_user(Direct(self), username, disabled=disabled))

    def add_api_key(self, subject: str, *, scopes: Sequence[str] = (), expires: float | None = None) -> str:
        """Makes an API key. The answer is the only time that it is seen: the store keeps a digest.

        Args:
            subject: whose requests the key proves.
            scopes: what they may do.
            expires: from then on it is refused, in seconds since the epoch; None: never.

        Raises:
            ConfigurationError: an argument can't be used; the message says why.
            StoreUnavailable: nothing was written.
        """
        from watchword.stores import administration  # noqa: PLC0415 -- as above

        return drive(administration.adding_api_key(Direct(self), subject, scopes=scopes, expires=expires))

    def rotate_api_key(self, key_id: str, *, overlap: float = 24 * 3600) -> str:
        """Makes another key of the same id, subject, scopes and expiry. The old one stays good for `overlap` seconds.

        Raises:
            AdministrationError: there is no such key, it is revoked, or an overlap is under way and another is asked for.
            ConfigurationError: a negative overlap.
            StoreUnavailable: nothing was written.
        """
        from watchword.stores import administration  # noqa: PLC0415 -- as above

        return drive(administration.rotating_api_key(Direct(self), key_id, overlap=overlap))

    def revoke_api_key(self, key_id: str) -> None:
        """Refuses the key from the next request on, for good, and the one before it. Revoking it again is no error.

        Raises:
            AdministrationError: there is no such key.
            StoreUnavailable: nothing was written.
        """
        from watchword.stores import administration  # noqa: PLC0415 -- as above

        drive(administration.revoking_api_key(Direct(self), key_id))


class AsyncAdmin(AsyncOAuth1Admin, AsyncAccessKeyAdmin):
    """`Admin`, awaited; passwords are hashed in a thread."""

    if TYPE_CHECKING:
        kinds: frozenset[type] | None

        async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found: ...
        async def commit(self, writes: Sequence[Write], /) -> Outcome: ...

    async def add_user(
        self,
        username: str,
        password: str,
        *,
        scopes: Sequence[str] = (),
        realm: str | None = None,
        digest_algorithms: Sequence[str] = (),
    ) -> None:
        """As `Admin.add_user`."""
        ref = Ref(DigestEnrolment, (normal_username(username),))
        found = await self.fetch([ref])
        for _ in range(TRIES):
            writes = await _in_thread(
                user_writes, found, username, password,
                scopes=scopes, realm=realm, digest_algorithms=digest_algorithms,
            )  # fmt: skip
            if isinstance(await self.commit(writes), Committed):
                return
            found = await self.fetch([ref])
        raise StoreUnavailable(CONTENDED)

    async def add_key(self, subject: str, key: Key, *, scopes: Sequence[str] = ()) -> None:
        """As `Admin.add_key`."""
        await self.commit(key_writes(subject, key, scopes=scopes))

    async def rotate_key(self, key_id: str, successor: Key, *, overlap: float = 24 * 3600) -> None:
        """As `Admin.rotate_key`."""
        from watchword.stores import administration  # noqa: PLC0415 -- needed by few

        await administration.rotating_key(Awaited(self), key_id, successor, overlap=overlap)

    async def add_client(
        self, client_id: str, secret: str, *, scopes: Sequence[str] = (), subject: str | None = None
    ) -> None:
        """As `Admin.add_client`."""
        await self.commit(await _in_thread(client_writes, client_id, secret, scopes=scopes, subject=subject))

    async def set_password(self, username: str, password: str) -> None:
        """As `Admin.set_password`."""
        from watchword.stores import administration  # noqa: PLC0415 -- needed by few

        await administration.changing_password(Awaited(self), username, password)

    async def disable_user(self, username: str, *, disabled: bool = True) -> None:
        """As `Admin.disable_user`."""
        from watchword.stores import administration  # noqa: PLC0415 -- as above

        await administration.disabling_user(Awaited(self), username, disabled=disabled)

    async def add_api_key(self, subject: str, *, scopes: Sequence[str] = (), expires: float | None = None) -> str:
        """As `Admin.add_api_key`."""
        from watchword.stores import administration  # noqa: PLC0415 -- as above

        return await administration.adding_api_key(Awaited(self), subject, scopes=scopes, expires=expires)

    async def rotate_api_key(self, key_id: str, *, overlap: float = 24 * 3600) -> str:
        """As `Admin.rotate_api_key`."""
        from watchword.stores import administration  # noqa: PLC0415 -- as above

        return await administration.rotating_api_key(Awaited(self), key_id, overlap=overlap)

    async def revoke_api_key(self, key_id: str) -> None:
        """As `Admin.revoke_api_key`."""
        from watchword.stores import administration  # noqa: PLC0415 -- as above

        await administration.revoking_api_key(Awaited(self), key_id)


CONTENDED = "the record was changed by others at the same time, again and again"


async def _in_thread(function: Callable[..., list[Write]], *args: Any, **options: Any) -> list[Write]:
    from asyncio import to_thread  # noqa: PLC0415 -- sync users must not load asyncio

    return await to_thread(function, *args, **options)


def normal_username(username: str) -> str:
    """The one form of a user's name, under which the user is kept (`crypto.precis`).

    Raises:
        ConfigurationError: it is empty, or has none.
    """
    from watchword.crypto import precis  # noqa: PLC0415 -- only stores with users need it

    if not username:
        raise ConfigurationError("the username is empty")
    if ":" in username:
        raise ConfigurationError(f"the username {username!r} holds a colon, which ends it on the wire (RFC 7617 §2)")
    try:
        return precis.username(username)
    except Rejected as rejected:
        raise ConfigurationError(f"the username {username!r} can't be used: {rejected.rejection.detail}") from None


def checked_scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    """The scopes; `ConfigurationError` for a text that is no list of them."""
    if isinstance(scopes, str):
        raise ConfigurationError(f"scopes is a list: scopes={scopes.split()!r}")
    return tuple(scopes)


def _algorithms(realm: str | None, names: Sequence[str]) -> tuple[str, ...]:
    """The registered names of the algorithms that secrets are kept under, each once."""
    from watchword.schemes.digest.computation import checked_algorithms  # noqa: PLC0415 -- as in user_writes

    if realm is None:
        if names:
            raise ConfigurationError("digest_algorithms needs the realm of the DigestVerifier: add_user(…, realm='…')")
        return ()
    rows = checked_algorithms(names or ("SHA-256",))
    return tuple(dict.fromkeys(row.name.removesuffix("-sess") for row in rows))
