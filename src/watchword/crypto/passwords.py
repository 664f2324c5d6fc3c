"""Passwords: hashing, verifying, and the record that keeps a hash.

Secrets are hashed as their UTF-8 octets. Hashing takes a good part of a tenth of a second and 64 MiB, on purpose:
callers run it off the event loop and limit how many run at once. `crypto.password_formats` has the formats.
"""

from __future__ import annotations

import hashlib
import os
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.crypto import precis
from watchword.crypto.password_formats import MAX_SECRET, Fields, Format, Unusable, extra, hash_argon2id, recognise

__all__ = [
    "DUMMY", "MAX_SECRET", "PROFILES", "Decoy", "Password", "decoy_for", "fault_of", "hash_password", "is_outdated",
    "verify_password",
]  # fmt: skip

DEFAULT: Final = "rfc9106-low-memory"

DUMMY: Final = "$argon2id$v=19$m=65536,t=3,p=4$ZHVtbXktc2FsdC0xNi1ieQ$d2F0Y2h3b3JkOiBubyBzZWNyZXQgaGFzaGVzIHRvIGk"
"""A hash of the usual cost that belongs to nobody: verify an unknown user's secret against it, then refuse as well.

A constant, not computed at first use: else the first unknown user would take twice as long as a known one.
"""


@dataclass(frozen=True, slots=True)
class Password:
    """A user's password, hashed; at `Ref(Password, (username,))`, the username in its one form (`crypto.precis`).

    Args:
        encoded: an argon2id PHC string, or a hash in another format that `verify_password` knows.
        scopes: what the user may do.
        subject: who the user is to the application; None: the username.
        disabled: the right password is refused too, as if it were wrong.

    >>> Password.hash("correct horse battery staple", scopes=["read"])
    Password(scopes=('read',), subject=None, disabled=False)
    """

    encoded: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    subject: str | None = None
    disabled: bool = False

    @staticmethod
    def hash(
        secret: str | bytes,
        *,
        scopes: Sequence[str] = (),
        subject: str | None = None,
        profile: str = DEFAULT,
        random: Callable[[int], bytes] = os.urandom,
    ) -> Password:
        """The record for `secret`; see `hash_password`. Text is put into its one form first, as `BasicVerifier` does.

        Raises:
            ConfigurationError: as `hash_password`; more than 512 characters, which no guard reads by default.
        """
        if isinstance(scopes, str):
            raise ConfigurationError(f"scopes is a list: scopes={scopes.split()!r}")
        if isinstance(secret, str):
            secret = in_one_form(secret)
        else:
            check_password_length(secret.decode("utf-8", "replace"))
        return Password(hash_password(secret, profile=profile, random=random), tuple(scopes), subject)


@dataclass(frozen=True, slots=True)
class Decoy:
    """A hash that costs what the store's passwords cost, for users that it doesn't know; at `Ref(Decoy, ("password",))`.

    A store may declare one (`HtpasswdStore` does), or be given one by `Put`; without it `DUMMY` is taken. Whether a secret
    matches it is never asked.
    """

    encoded: str = field(repr=False)


class Profile(NamedTuple):
    """A named choice of format and parameters: `cost` as the format counts it, `hash(octets, random)`."""

    format: str
    cost: tuple[int, ...]
    hash: Callable[[bytes, Callable[[int], bytes]], str]


def _argon2id(memory: int, passes: int, lanes: int) -> Profile:
    return Profile(
        "argon2id",
        (memory * passes, memory),
        lambda octets, random: hash_argon2id(octets, random(16), memory, passes, lanes),
    )


def _bcrypt(cost: int) -> Profile:
    def hashed(octets: bytes, random: Callable[[int], bytes]) -> str:
        bcrypt = extra("bcrypt")
        if b"\0" in octets:
            raise ConfigurationError("bcrypt can't tell some passwords that hold NUL from others: remove it")
        if len(octets) > 72:
            raise ConfigurationError("bcrypt reads 72 octets of a password, this one has more: use an argon2id profile")
        salt = b2a_base64(random(16), newline=False)[:22].translate(_TO_BCRYPT)
        encoded: bytes = bcrypt.hashpw(octets, b"$2b$%02d$%b" % (cost, salt))
        return encoded.decode()

    return Profile("bcrypt", (cost,), hashed)


_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BCRYPT = bytes.maketrans(_STANDARD, b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def _scrypt(log_n: int) -> Profile:
    def hashed(octets: bytes, random: Callable[[int], bytes]) -> str:
        _check_end(octets)
        salt = random(16)
        tag = hashlib.scrypt(octets, salt=salt, n=1 << log_n, r=8, p=1, maxmem=2**28, dklen=32)
        return f"$scrypt$ln={log_n},r=8,p=1${_base64(salt)}${_base64(tag)}"

    return Profile("scrypt", (8 << log_n, 8 << log_n), hashed)


def _pbkdf2(iterations: int) -> Profile:
    def hashed(octets: bytes, random: Callable[[int], bytes]) -> str:
        _check_end(octets)
        salt = random(16)
        tag = hashlib.pbkdf2_hmac("sha256", octets, salt, iterations)
        return f"$pbkdf2-sha256${iterations}${_base64(salt)}${_base64(tag)}".replace("+", ".")

    return Profile("pbkdf2", (256, iterations), hashed)


def _check_end(octets: bytes) -> None:
    if octets.endswith(b"\0"):
        raise ConfigurationError(
            "scrypt and PBKDF2 can't tell a password that ends with NUL from one without: remove it"
        )


def _base64(octets: bytes) -> str:
    return b2a_base64(octets, newline=False).rstrip(b"=").decode()


PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        # RFC 9106 §4: the second recommended option, for hosts with little memory, and the first, which takes 2 GiB.
        "rfc9106-low-memory": _argon2id(64 * 1024, 3, 4),
        "rfc9106-high-memory": _argon2id(2**21, 1, 4),
        "bcrypt": _bcrypt(12),
        "scrypt": _scrypt(17),
        "pbkdf2-sha256": _pbkdf2(600_000),
    }
)
"""What `hash_password(…, profile=)` knows. All but the first two are for hosts that must, such as under FIPS 140."""


def profile_named(name: str) -> Profile:
    """The profile of that name.

    Raises:
        ConfigurationError: there is none.
    """
    profile = PROFILES.get(name)
    if profile is None:
        raise ConfigurationError(f"no password profile is called {name!r}: use one of {', '.join(PROFILES)}")
    return profile


def hash_password(secret: str | bytes, *, profile: str = DEFAULT, random: Callable[[int], bytes] = os.urandom) -> str:
    """The text to store for `secret`; by default an argon2id PHC string (RFC 9106 §4, second option: 64 MiB, 3 passes).

    Args:
        secret: the password; text is taken as UTF-8. 1 to 4096 octets, 72 for bcrypt.
        profile: of `PROFILES`.
        random: gives the salt.

    Raises:
        ConfigurationError: the secret is empty, too long or not UTF-8, there is no such profile, or this host lacks
            what it needs.

    >>> hash_password("s3cret").rpartition("$")[0].rpartition("$")[0]
    '$argon2id$v=19$m=65536,t=3,p=4'
    """
    chosen = profile_named(profile)
    octets = _octets(secret)
    if octets is None:
        raise ConfigurationError(f"the password is longer than {MAX_SECRET} octets or not UTF-8: choose another")
    if not octets:
        raise ConfigurationError("the password is empty: choose one")
    return chosen.hash(octets, random)


def verify_password(encoded: str, secret: str | bytes) -> None:
    """Returns if `secret` is the one that `encoded` was made of.

    Known are argon2id, bcrypt, scrypt and PBKDF2 (as passlib writes them), and all that Apache's htpasswd and nginx use:
    apr1, MD5-crypt, SHA-crypt, {SHA}, {SSHA}. A stored hash that can't be used (another format, parameters above the
    ceilings) costs as much as a usable one and is refused like a wrong secret, with a detail for the operator: the client
    learns nothing from either. So is a secret of more than bcrypt's 72 octets.

    Args:
        encoded: what was stored.
        secret: what was presented; text is taken as UTF-8, as it is.

    Raises:
        Rejected: WRONG_SECRET.
        StoreUnavailable: there is no memory for it now, or this host lacks what the format needs (the extra
            `passwords`): the record can't be used here, and the message says what to install.

    >>> stored = hash_password("s3cret")
    >>> verify_password(stored, "s3cret")
    >>> verify_password(stored, "guess")
    Traceback (most recent call last):
    watchword.core.rejection.Rejected: wrong_secret
    """
    octets = _octets(secret)
    if octets is None:
        raise Rejected(Reason.WRONG_SECRET, f"longer than {MAX_SECRET} octets, or not UTF-8")
    known = recognise(encoded)
    if isinstance(known, Unusable):
        _matches(DUMMY, octets)
        raise Rejected(Reason.WRONG_SECRET, f"the stored hash can't be used ({known.fault}): set this password again")
    matched = _matches(encoded, octets, known)
    form = known[0]
    if len(octets) > form.reads:
        raise Rejected(
            Reason.WRONG_SECRET,
            f"more than the {form.reads} octets that {form.name} reads: set this password again, in another format",
        )
    if not matched:
        raise Rejected(Reason.WRONG_SECRET)


def _matches(encoded: str, octets: bytes, known: tuple[Format, Fields] | None = None) -> bool:
    """The work itself."""
    found = known or recognise(encoded)
    assert not isinstance(found, Unusable)
    form, fields = found
    try:
        return form.matches(fields, encoded, octets[: form.reads])
    except ConfigurationError as error:  # told by the record, long after the guard was configured
        raise StoreUnavailable(str(error)) from None


def fault_of(encoded: str) -> str | None:
    """Why a stored hash can't be used; None: it can.

    >>> fault_of("rl0uE3wdbBFyU")
    'DES crypt reads 8 characters of a password and is broken by trying all of them'
    """
    known = recognise(encoded)
    return known.fault if isinstance(known, Unusable) else None


def is_outdated(encoded: str, profile: str = DEFAULT) -> bool:
    """Whether a stored hash is in another format than `profile` asks for, or cheaper: to be made anew at a log-in.

    >>> is_outdated("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="), is_outdated(DUMMY), is_outdated(DUMMY, "rfc9106-high-memory")
    (True, False, True)
    """
    wanted = profile_named(profile)
    known = recognise(encoded)
    if isinstance(known, Unusable):
        return True
    form, fields = known
    return form.name != wanted.format or any(
        has < asked for has, asked in zip(form.cost(fields), wanted.cost, strict=True)
    )


def decoy_for(hashes: Sequence[str]) -> Decoy | None:
    """The decoy for a user table: one of its hashes, of the format and cost that most of them have; None if it is empty.

    Unknown users then cost what most known ones do. Nobody gets in by it: what matches a decoy is refused as well.
    """
    counts: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for encoded in hashes:
        known = recognise(encoded)
        if not isinstance(known, Unusable):
            counts.setdefault((known[0].name, known[0].cost(known[1])), []).append(encoded)
    return Decoy(max(counts.values(), key=len)[0]) if counts else None


def in_one_form(secret: str) -> str:
    """`precis.password`, for those who choose a password.

    Raises:
        ConfigurationError: a character that no password may hold, or too many characters.
    """
    check_password_length(secret)
    try:
        return precis.password(secret)
    except Rejected as rejected:
        raise ConfigurationError(f"the password can't be used: {rejected.rejection.detail}") from None


def check_password_length(secret: str) -> None:
    """Raises: ConfigurationError: more characters than are read where the password is presented."""
    if len(secret) > precis.MAX_PASSWORD:
        raise ConfigurationError(f"the password has more than {precis.MAX_PASSWORD} characters: choose a shorter one")


def _octets(secret: str | bytes) -> bytes | None:
    """The secret's octets; None if they are too many, or it is no Unicode text (a lone surrogate)."""
    if len(secret) > MAX_SECRET:
        return None
    if isinstance(secret, bytes):
        return secret
    try:
        octets = secret.encode()
    except UnicodeEncodeError:
        return None
    return octets if len(octets) <= MAX_SECRET else None
