"""Basic (RFC 7617): a username and a password in every request. Both halves."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

import msgspec

from watchword.schemes.sending import reaches_proxy, refuse_cleartext, refuse_cleartext_to_proxy
from watchword.core.identity import Identity
from watchword.core.limits import Limits
from watchword.core.answer import Challenge
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Put, Ref, Write
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection, StoreUnavailable
from watchword.core.scheme import UNUSED, Address, Body, BodyNeed, Changes, Claim, Decision, Random, Refusal, malformed
from watchword.effects import Context, Flow, Send
from watchword.schemes.client_half import ClientHalf, need_text
from watchword.crypto import precis
from watchword.crypto.digests import subject_key
from watchword.crypto.passwords import (
    DEFAULT, DUMMY, Decoy, Password, hash_password, is_outdated, profile_named, verify_password,
)  # fmt: skip
from watchword.fields.auth_params import parse_credentials
from watchword.schemes.password_cache import Arrival, Known, PasswordCache

__all__ = ["BasicAuth", "BasicVerifier", "user_pass"]

MAX_CREDENTIALS: Final = 8 * 1024
"""Octets of user-id, colon and password that are read at most: before any look-up or hash."""

# CTL of RFC 5234 §B.1, which neither username nor password may hold (RFC 7617 §2).
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_OCTET: Final = re.compile(rb"[\x00-\x1f\x7f]")


_DECOY: Final = Ref(Decoy, ("password",))
_OWN: Final = PasswordCache(1, random=bytes)  # stands for "one of the verifier's own"; never filled


class BasicAuth(ClientHalf):
    """Sends username and password with every request, unasked (RFC 7617 §2.2).

    Only over TLS or to loopback: whoever sees such a request has the password.

    Args:
        username: without ":", which ends it (RFC 7617 §2).
        password: any text without control characters.
        allow_cleartext: also send them over http to other hosts.
        proxy: they are for a proxy (Proxy-Authorization) instead of the origin (RFC 9110 §11.7.2). What goes past it or
            through a tunnel that it made has none.

    Raises:
        ConfigurationError: a character that Basic can't carry; or, when sending, a network that would see the password.

    >>> BasicAuth("Aladdin", "open sesame")
    BasicAuth(username='Aladdin')
    """

    __slots__ = ("__weakref__", "_allow_cleartext", "_headers", "_proxy", "_username")

    def __init__(self, username: str, password: str, *, allow_cleartext: bool = False, proxy: bool = False) -> None:
        need_text("the username", username)
        need_text("the password", password)
        if ":" in username:
            raise ConfigurationError("a Basic username can't hold ':', which separates it from the password")
        if _CONTROL.search(username) or _CONTROL.search(password):
            raise ConfigurationError("Basic can't carry control characters in username or password: remove them")
        try:
            pair = f"{username}:{password}".encode()
        except UnicodeEncodeError:
            raise ConfigurationError("username or password holds half of a surrogate pair") from None
        self._username = username
        self._allow_cleartext = allow_cleartext
        self._proxy = proxy
        field = b"proxy-authorization" if proxy else b"authorization"
        self._headers = ((field, b"Basic " + b2a_base64(pair, newline=False)),)

    def __repr__(self) -> str:
        return f"BasicAuth(username={self._username!r})"

    def flow(self, request: Request, context: Context) -> Flow:
        """One Send, with the credentials."""
        if not self._proxy:
            refuse_cleartext(request, self._allow_cleartext)
        elif reaches_proxy(request):
            refuse_cleartext_to_proxy(request, self._allow_cleartext)
        else:
            yield Send(request)
            return
        yield Send(request.with_headers(self._headers))


class BasicVerifier(InProcess):
    """Verifies username and password against `Password` records (`store.add_user`).

    Both are read as UTF-8, as the challenge says, and put into their one form (RFC 7617 §2.1, RFC 8265).

    Args:
        realm: what the user is asked to log in to; no control characters.
        cache: remembers passwords that were right, so that each is hashed once in a while instead of for every request.
            By default a `PasswordCache()` of its own: what another process changes (a new password, a user who is
            disabled) is seen here within its `ttl`, a minute. `PasswordCache(strict=True)` looks up for every request and
            sees it at once; None: hash every time.
        rehash: a profile of `hash_password`: who logs in with a password whose stored hash is in another format, or
            cheaper, gets a new one. A store whose table another program reads too names the format itself
            (`watchword.stores.password_table`), and is obeyed. None: stored hashes stay as they are.

    Raises:
        ConfigurationError: the realm can't be sent, or there is no such profile.

    >>> BasicVerifier(realm="orders").realm
    'orders'
    """

    scheme: str = "basic"
    single_use: bool = False
    ambient: bool = True
    rank: int = 30
    addresses: Sequence[Address] = (Address(word="basic"),)
    kinds: Sequence[type] = (Password,)
    always_needed: Sequence[Ref[Any]] = ()
    guessable: bool = True

    __slots__ = ("cache", "realm", "rehash")

    def __init__(self, *, realm: str, cache: PasswordCache | None = _OWN, rehash: str | None = DEFAULT) -> None:
        need_text("the realm", realm)
        if _CONTROL.search(realm):
            raise ConfigurationError("a realm is a quoted string: remove its control characters")
        try:
            realm.encode()
        except UnicodeEncodeError:
            raise ConfigurationError("the realm holds half of a surrogate pair") from None
        if rehash is not None:
            profile_named(rehash)
        self.realm = realm
        self.rehash = rehash
        self.cache = PasswordCache() if cache is _OWN else cache
        if self.cache is not None:
            self.cache.take()

    def __repr__(self) -> str:
        return f"BasicVerifier(realm={self.realm!r})"

    def reader(
        self, limits: Limits, changes: Changes | None, /, *, remembering: bool
    ) -> Callable[[Request], Claim | None]:
        """As `core.scheme.GuardReader`. Credentials that were right before, octet for octet, are known again.

        A cache that isn't `strict` answers for them without a look-up, where the store tells what changes in it.
        """
        cache = self.cache
        read_in_full = partial(self.read, longest=limits.password)
        if cache is None or not remembering:
            return read_in_full
        tells = None if cache.strict or changes is None or changes(Password) is None else changes

        read_known = None if tells is None else cache.known_reader(tells)
        field_key = cache.field_key

        def read(request: Request) -> Claim:
            field = field_key(request.lines[b"authorization"])
            address = request.peer.address
            if read_known is not None:
                remembered = read_known(field, address)
                if remembered is not None:
                    return remembered
            arrival = None if tells is None else Arrival(field, address, tells, tells(Password), cache.now())
            known = cache.known(field)
            if known is not None:
                return KnownCredentials(known, known.needs, known.guesses, request, cache, read_in_full, arrival)
            claim = read_in_full(request)
            claim.field = field
            claim.arrival = arrival
            if tells is not None:
                cache.forget_user(claim.username)
            return claim

        return read

    def read(self, request: Request, *, longest: int = precis.MAX_PASSWORD) -> BasicClaim:
        """Username and password (RFC 7617 §2).

        Args:
            request: the request.
            longest: characters of a password.

        Raises:
            Rejected: MALFORMED_CREDENTIALS; it never quotes what was sent.
        """
        try:
            text = user_pass(request.values(b"authorization")[0]).decode()
        except UnicodeDecodeError:
            raise malformed("not UTF-8, which the challenge asks for (RFC 7617 §2.1)") from None
        username, _, password = text.partition(":")
        return BasicClaim(precis.username(username), precis.password(password, longest), self)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """The challenge, whatever was wrong: which of username and password it was is not told."""
        status = rejection.reason.status
        if status != 401:
            return Refusal(status)
        return Refusal(status, [Challenge("Basic", (("realm", self.realm), ("charset", "UTF-8")))])


def user_pass(value: bytes) -> bytes:
    """The octets of user-id, colon and password in the value of an Authorization field, as they were sent (RFC 7617 §2).

    Args:
        value: the field value, whatever its scheme word is.

    Raises:
        Rejected: MALFORMED_CREDENTIALS; it never quotes what was sent.

    >>> user_pass(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    b'Aladdin:open sesame'
    """
    token = parse_credentials(value).token68
    if token is None:
        raise malformed("Basic credentials are one base64 text (RFC 7617 §2)")
    if len(token) > MAX_CREDENTIALS * 4 // 3 + 4:
        raise malformed(f"more than {MAX_CREDENTIALS} octets")
    try:
        octets = a2b_base64(token, strict_mode=True)
    except (Base64Error, ValueError):
        raise malformed("not base64 with its padding (RFC 4648 §4)") from None
    if b2a_base64(octets, newline=False) != token.encode():
        # One octet string has one form, else a blocked header could be sent again in another (RFC 4648 §3.5).
        raise malformed("not the canonical base64 of what it holds")
    if _CONTROL_OCTET.search(octets):
        raise malformed("a control character (RFC 7617 §2)")
    if b":" not in octets:
        raise malformed("there is no ':' after the username")
    return octets


def _identity(username: str, record: Password) -> Identity[Any]:
    return Identity(username if record.subject is None else record.subject, "basic", scopes=frozenset(record.scopes))


class KnownCredentials(msgspec.Struct, eq=False):
    """Credentials as they came before, when they were right: only the user's record has to be looked at."""

    _known: Known
    needs: Sequence[Ref[Any]]
    guesses: str
    _request: Request
    _cache: PasswordCache
    _read: Callable[[Request], BasicClaim]
    _arrival: Arrival | None
    body: BodyNeed = UNUSED
    _full: BasicClaim | None = None
    _looked_at: Found | None = None
    _fitting: Password | None = None

    def __repr__(self) -> str:
        return f"KnownCredentials(username={self._known.username!r})"

    @property
    def claimed(self) -> str:
        """The username that was sent."""
        return self._known.username

    @property
    def flight(self) -> bytes:
        """As `BasicClaim.flight`."""
        return self._known.password_key

    def slow(self, found: Found) -> bool:
        """If the password has to be hashed again after all."""
        return self._record(found) is None and self.in_full().slow(found)

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        """Who it is, if the password fitted the stored hash of this moment, lately enough; else as `BasicClaim`."""
        record = self._record(found)
        if record is None:
            return self.in_full().decide(found, body, now, random)
        identity = _identity(self._known.username, record)
        if self._arrival is None:
            return Decision(identity)
        return Decision(identity, learn=partial(self._cache.remember, self._known.username, identity, self._arrival))

    def _record(self, found: Found) -> Password | None:
        """The user's record, if the password is known to fit it. The guard asks twice about the same records."""
        if found is not self._looked_at:
            record: Password | None = found.get(self.needs[0])
            fits = (
                record is not None
                and not record.disabled
                and self._cache.holds(self._known.password_key, record.encoded)
            )
            self._looked_at, self._fitting = found, record if fits else None
        return self._fitting

    def in_full(self) -> BasicClaim:
        """The same credentials with their password."""
        if self._full is None:
            self._full = self._read(self._request)
            self._full.arrival = self._arrival
        return self._full


class BasicClaim:
    """A username and the password that came with it, not yet verified.

    `field` and `arrival` are set where a cache may learn from it.
    """

    __slots__ = (
        "_fits", "_looked_at", "_password", "arrival", "field", "needs", "password_key", "username", "verifier",
    )  # fmt: skip

    body: BodyNeed = UNUSED

    def __init__(self, username: str, password: str, verifier: BasicVerifier) -> None:
        self.username = username
        self._password = password
        self.verifier = verifier
        self.field: bytes | None = None
        self.arrival: Arrival | None = None
        self._looked_at: Found | None = None
        self._fits = False
        self.password_key = None if verifier.cache is None else verifier.cache.password_key(username, password)
        # The decoy too, for whomever: one more look-up for unknown users only would tell who they are.
        self.needs: Sequence[Ref[Any]] = (Ref(Password, (username,)), _DECOY)

    def __repr__(self) -> str:
        return f"BasicClaim(username={self.username!r})"

    @property
    def guesses(self) -> str:
        """Whom it asks for, known or not."""
        return subject_key(self.username)

    @property
    def claimed(self) -> str:
        """The username that was sent."""
        return self.username

    @property
    def flight(self) -> bytes | None:
        """The same for the same username and password, so that a burst of them is hashed once."""
        return self.password_key

    def slow(self, found: Found) -> bool:
        """Unless it is in the cache: a password hash takes a good part of a tenth of a second, for unknown users too."""
        record = found.get(Ref(Password, (self.username,)))
        return record is None or not self._is_cached(found, record)

    def _is_cached(self, found: Found, record: Password) -> bool:
        """One answer for the same records: an entry that ended in between would be a hash outside the line."""
        cache, key = self.verifier.cache, self.password_key
        if cache is None or key is None or record.disabled:  # a right password of theirs must not be told by its haste
            return False
        if found is not self._looked_at:
            self._looked_at, self._fits = found, cache.holds(key, record.encoded)
        return self._fits

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        """Hashes the password and compares; for a user who is not there, with a hash that costs what the others' do.

        Raises:
            Rejected: UNKNOWN_SUBJECT, WRONG_SECRET or DISABLED; to the client they are the same.
        """
        ref = Ref(Password, (self.username,))
        record, decoy = found.get(ref), found.get(_DECOY)
        nobodys = DUMMY if decoy is None else decoy.encoded
        if record is None:
            with suppress(Rejected):  # were it somebody's hash and the password right, that changes nothing
                verify_password(nobodys, self._password)
            raise Rejected(Reason.UNKNOWN_SUBJECT, "no such user", where="authorization username")
        encoded = record.encoded
        notes: Sequence[Write] = ()
        if not self._is_cached(found, record):
            verify_password(encoded, self._password, decoy=nobodys)
            version = found.version(ref)
            if version and not record.disabled and (new := self._rehashed(encoded, decoy, random)) is not None:
                encoded, notes = new, [Put(ref, replace(record, encoded=new), version)]
        if record.disabled:
            # Not `genuine`: an attempt given back would tell that the password was right.
            raise Rejected(Reason.DISABLED, "the user is disabled", where="authorization username")
        identity = _identity(self.username, record)
        return Decision(identity, notes=notes, learn=partial(self._learn, encoded, identity))

    def _learn(self, encoded: str, identity: Identity[Any]) -> None:
        """Lets the cache know which stored hash the password fitted, and how these credentials came."""
        cache, key = self.verifier.cache, self.password_key
        if cache is None or key is None:
            return
        cache.keep(key, encoded)
        if self.field is not None:
            cache.know(self.field, Known(self.username, key, tuple(self.needs), self.guesses))
        if self.arrival is not None:
            cache.remember(self.username, identity, self.arrival)

    def _rehashed(self, encoded: str, decoy: Decoy | None, random: Random) -> str | None:
        """A new hash of this password, which was right, if the stored one is outdated and that can be done here."""
        profile = self.verifier.rehash
        if profile is None:
            return None
        # A table that another program reads too says in which format alone its hashes may be.
        like = decoy.encoded if decoy is not None and decoy.pattern else None
        try:
            if not is_outdated(encoded, profile, like=like):
                return None
            return hash_password(self._password, profile=profile, like=like, random=random)
        except (ConfigurationError, StoreUnavailable):  # empty, too long for bcrypt; no argon2id or no memory here
            return None

    @property
    def exchanged(self) -> Ref[Password]:
        """Whose record it were if username and password were exchanged; for `explain`."""
        return Ref(Password, (self._password[: precis.MAX_USERNAME],))

    def presented_password(self) -> str:
        """The password in its one form; for `explain`, which tries what else was meant."""
        return self._password

    def check_password(self, record: Password, password: str | bytes | None = None) -> None:
        """That the password, or another one, is that of `record`; always hashes, and remembers nothing.

        Raises:
            Rejected: WRONG_SECRET.
            StoreUnavailable: this host can't verify such a hash.
        """
        verify_password(record.encoded, self._password if password is None else password)
