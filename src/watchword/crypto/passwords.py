"""Passwords: hashing, verifying, and the record that keeps a hash.

Secrets are hashed as their UTF-8 octets. Hashing takes a good part of a tenth of a second and 64 MiB, on purpose:
callers run it off the event loop and limit how many run at once. `crypto.password_formats` has the formats.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.crypto import precis
from watchword.crypto.password_formats import Unusable, recognise
from watchword.crypto.password_primitives import MAX_SECRET, Fields, Format

__all__ = [
    "DUMMY", "MAX_SECRET", "PROFILES", "Decoy", "Password", "check_can_be_followed", "decoy_for", "fault_of", "hash_password",
    "is_alike", "is_outdated", "verify_password",
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

    Args:
        encoded: the hash.
        pattern: another program reads this table too: what is made anew has this format and these parameters, whatever
            a verifier says.
    """

    encoded: str = field(repr=False)
    pattern: bool = False


_SALT_AND_TAG: Final = DUMMY.split("$")[4:]  # of 16 and 32 octets, as everybody takes them

PROFILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # RFC 9106 §4: the second recommended option, for hosts with little memory, and the first, which takes 2 GiB.
        "rfc9106-low-memory": DUMMY,
        "rfc9106-high-memory": "$".join(["", "argon2id", "v=19", "m=2097152,t=1,p=4", *_SALT_AND_TAG]),
        "bcrypt": "$2b$12$bm8gc2VjcmV0IGhhc2hlcu5Lo/g67CiD3M4RpN1BmBb4Crp5w7dbK",
        "scrypt": "$".join(["", "scrypt", "ln=17,r=8,p=1", *_SALT_AND_TAG]),
        "pbkdf2-sha256": "$".join(["", "pbkdf2-sha256", "600000", *_SALT_AND_TAG]),
    }
)
"""What `hash_password(…, profile=)` knows: each name with a hash of nobody, of the format and parameters that new ones get.

All but the first two are for hosts that must, such as under FIPS 140.
"""


def profile_named(name: str) -> str:
    """The hash that stands for that profile.

    Raises:
        ConfigurationError: there is none of that name.
    """
    profile = PROFILES.get(name)
    if profile is None:
        raise ConfigurationError(f"no password profile is called {name!r}: use one of {', '.join(PROFILES)}")
    return profile


def _wanted(profile: str, like: str | None) -> tuple[Format, Fields]:
    known = recognise(profile_named(profile) if like is None else like)
    if isinstance(known, Unusable):
        raise ConfigurationError(
            f"like= can't be followed ({known.fault}): give a hash as the table's own program makes it"
        )
    return known


def check_can_be_followed(like: str, *, made: bool) -> None:
    """That `like` is a hash whose cost can be spent, and if hashes shall be `made` like it, one that somebody should make.

    Raises:
        ConfigurationError: it isn't.
    """
    form, _ = _wanted(DEFAULT, like)
    if made and form.renew is None:
        raise ConfigurationError(f"no new {form.name} hashes are made: choose another format")


def is_alike(encoded: str, like: str) -> bool:
    """Whether both are hashes of one format, so that who reads the one reads the other.

    >>> is_alike(DUMMY, PROFILES["rfc9106-high-memory"]), is_alike(DUMMY, PROFILES["bcrypt"])
    (True, False)
    """
    one, other = recognise(encoded), recognise(like)
    return not isinstance(one, Unusable) and not isinstance(other, Unusable) and one[0].name == other[0].name


def hash_password(
    secret: str | bytes,
    *,
    profile: str = DEFAULT,
    like: str | None = None,
    random: Callable[[int], bytes] = os.urandom,
) -> str:
    """The text to store for `secret`; by default an argon2id PHC string (RFC 9106 §4, second option: 64 MiB, 3 passes).

    Args:
        secret: the password; text is taken as UTF-8. 1 to 4096 octets, 72 for bcrypt.
        profile: of `PROFILES`.
        like: instead of a profile, a hash whose format and parameters the new one gets: as the program makes them that
            reads the table too. Its salt and its password don't matter.
        random: gives the salt.

    Raises:
        ConfigurationError: the secret is empty, too long or not UTF-8, there is no such profile, no hash should be made
            like that, or this host lacks what it needs.

    >>> hash_password("s3cret").rpartition("$")[0].rpartition("$")[0]
    '$argon2id$v=19$m=65536,t=3,p=4'
    >>> hash_password("s3cret", like="pbkdf2_sha256$1000$anything$" + "A" * 43 + "=").rpartition("$")[0][:19]
    'pbkdf2_sha256$1000$'
    """
    form, fields = _wanted(profile, like)
    if form.renew is None:
        raise ConfigurationError(f"no new {form.name} hashes are made: choose another format")
    octets = _octets(secret)
    if octets is None:
        raise ConfigurationError(f"the password is longer than {MAX_SECRET} octets or not UTF-8: choose another")
    if not octets:
        raise ConfigurationError("the password is empty: choose one")
    return form.renew(fields, octets, random)


def verify_password(encoded: str, secret: str | bytes, *, decoy: str | None = None) -> None:
    """Returns if `secret` is the one that `encoded` was made of.

    Known are argon2, bcrypt, scrypt and PBKDF2 (as PHC, passlib, PHP, Django and Werkzeug write them), and all that
    Apache's htpasswd and nginx use: apr1, MD5-crypt, SHA-crypt, {SHA}, {SSHA}. A stored hash that can't be used (another
    format, parameters above the ceilings, Django's mark of an unusable password) costs as much as a usable one and is
    refused like a wrong secret, with a detail for the operator: the client learns nothing from either. So is a secret of
    more than bcrypt's 72 octets.

    Args:
        encoded: what was stored.
        secret: what was presented; text is taken as UTF-8, as it is.
        decoy: a hash that costs what others in this table cost, computed where the stored one can't be used; None:
            `DUMMY`.

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
        _matches(DUMMY if decoy is None or fault_of(decoy) else decoy, octets)
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


def is_outdated(encoded: str, profile: str = DEFAULT, *, like: str | None = None) -> bool:
    """Whether a stored hash is in another format than `profile` asks for, or cheaper: to be made anew at a log-in.

    Args:
        encoded: what was stored.
        profile: of `PROFILES`.
        like: instead of a profile, as `hash_password`.

    Raises:
        ConfigurationError: there is no such profile, or `like` is no hash that can be used.

    >>> is_outdated("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="), is_outdated(DUMMY), is_outdated(DUMMY, "rfc9106-high-memory")
    (True, False, True)
    """
    wanted, parameters = _wanted(profile, like)
    known = recognise(encoded)
    if isinstance(known, Unusable):
        return True
    form, fields = known
    return form.name != wanted.name or any(
        has < asked for has, asked in zip(form.cost(fields), wanted.cost(parameters), strict=True)
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
