"""Password hashes: argon2id (RFC 9106) in PHC strings, and the record that keeps one.

Secrets are hashed as their UTF-8 octets. Hashing takes a good part of a tenth of a second and 64 MiB, on purpose:
callers run it off the event loop and limit how many run at once.
"""

from __future__ import annotations

import os
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable

__all__ = ["DUMMY", "MAX_SECRET", "Password", "hash_password", "verify_password"]

MAX_SECRET: Final = 4096
"""Octets of a secret that are hashed at most; a longer one is refused unread."""

# RFC 9106 §4, "second recommended option" (the one for hosts with little memory): t=3, p=4, m=2^16 KiB, a salt of 16
# octets, a tag of 32.
_PASSES = 3
_LANES = 4
_MEMORY_KIB = 64 * 1024
_SALT = 16
_TAG = 32

# Ceilings for a stored hash, so that a row that somebody wrote can't hold a thread for minutes or take all memory.
# RFC 9106 §4's first recommended option (m=2^21 KiB, t=1) passes.
_MAX_MEMORY_KIB = 2**21
_MAX_WORK_KIB = 2**22  # memory times passes
_MAX_LANES = 16

_PHC = re.compile(
    r"\$argon2id\$v=19\$m=([1-9][0-9]{0,7}),t=([1-9][0-9]{0,4}),p=([1-9][0-9]?)"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})",  # unpadded base64 of 8 to 64 and of 16 to 64 octets
    re.ASCII,
)

DUMMY: Final = "$argon2id$v=19$m=65536,t=3,p=4$ZHVtbXktc2FsdC0xNi1ieQ$d2F0Y2h3b3JkOiBubyBzZWNyZXQgaGFzaGVzIHRvIGk"
"""A hash of the usual cost that belongs to nobody: verify an unknown user's secret against it, then refuse as well.

A constant, not computed at first use: else the first unknown user would take twice as long as a known one.
"""


@dataclass(frozen=True, slots=True)
class Password:
    """A user's password, hashed; at `Ref(Password, (username,))`.

    Args:
        encoded: an argon2id PHC string.
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
        random: Callable[[int], bytes] = os.urandom,
    ) -> Password:
        """The record for `secret`; see `hash_password`."""
        if isinstance(scopes, str):
            raise ConfigurationError(f"scopes is a list: scopes={scopes.split()!r}")
        return Password(hash_password(secret, random=random), tuple(scopes), subject)


def hash_password(secret: str | bytes, *, random: Callable[[int], bytes] = os.urandom) -> str:
    """The argon2id PHC string of `secret`, with the parameters that RFC 9106 §4 recommends second (64 MiB, 3 passes).

    Args:
        secret: the password; text is taken as UTF-8. 1 to 4096 octets.
        random: gives the salt.

    Raises:
        ConfigurationError: the secret is empty, too long or not UTF-8, or this host has no argon2id.

    >>> hash_password("s3cret").rpartition("$")[0].rpartition("$")[0]
    '$argon2id$v=19$m=65536,t=3,p=4'
    """
    octets = _octets(secret)
    if octets is None:
        raise ConfigurationError(f"the password is longer than {MAX_SECRET} octets or not UTF-8: choose another")
    if not octets:
        raise ConfigurationError("the password is empty: choose one")
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 -- loaded at first use
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415 -- loaded at first use

    salt = random(_SALT)
    try:
        with _ONE_AT_A_TIME:
            return Argon2id(
                salt=salt, length=_TAG, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB
            ).derive_phc_encoded(octets)
    except UnsupportedAlgorithm:
        raise ConfigurationError(_NO_ARGON2) from None


def verify_password(encoded: str, secret: str | bytes) -> None:
    """Returns if `secret` is the one that `encoded` was made of.

    A stored hash that can't be used (another format, parameters above the ceilings) costs as much as a usable one and
    is refused like a wrong secret, with a detail for the operator: the client learns nothing from either.

    Args:
        encoded: an argon2id PHC string, from a store.
        secret: what was presented; text is taken as UTF-8.

    Raises:
        Rejected: WRONG_SECRET.
        StoreUnavailable: there is no memory for it now.
        ConfigurationError: this host has no argon2id.

    >>> stored = hash_password("s3cret")
    >>> verify_password(stored, "s3cret")
    >>> verify_password(stored, "guess")
    Traceback (most recent call last):
    watchword.core.rejection.Rejected: wrong_secret
    """
    octets = _octets(secret)
    if octets is None:
        raise Rejected(Reason.WRONG_SECRET, f"longer than {MAX_SECRET} octets, or not UTF-8")
    fault = _fault(encoded)
    matched = _matches(DUMMY if fault else encoded, octets)
    if fault:
        raise Rejected(Reason.WRONG_SECRET, f"the stored hash can't be used ({fault}): set this password again")
    if not matched:
        raise Rejected(Reason.WRONG_SECRET)


# OpenSSL hands out its threads to all hashes of a process together. Two hashes of several lanes each can take some and wait
# for the rest for ever (cryptography 50, OpenSSL 4.0), so one runs at a time: by itself it uses as many cores as it has lanes.
_ONE_AT_A_TIME = Lock()
# A child that was forked meanwhile must not find it locked by a thread that it doesn't have.
os.register_at_fork(
    before=_ONE_AT_A_TIME.acquire, after_in_parent=_ONE_AT_A_TIME.release, after_in_child=_ONE_AT_A_TIME.release
)

_NO_ARGON2 = "cryptography has no argon2id here: install its wheel, or build it with OpenSSL 3.2 or later"


def _matches(encoded: str, octets: bytes) -> bool:
    from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm  # noqa: PLC0415 -- loaded at first use
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415 -- loaded at first use

    try:
        with _ONE_AT_A_TIME:
            Argon2id.verify_phc_encoded(octets, encoded)
    except InvalidKey:
        return False
    except MemoryError:
        raise StoreUnavailable("no memory to hash a password in") from None
    except UnsupportedAlgorithm:
        raise ConfigurationError(_NO_ARGON2) from None
    return True


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


def _fault(encoded: str) -> str | None:
    """What keeps this PHC string from being used; found by reading it, before any work."""
    match = _PHC.fullmatch(encoded)
    if match is None:
        return "it is not an argon2id PHC string of version 19"
    memory, passes, lanes = (int(number) for number in match.group(1, 2, 3))
    if memory > _MAX_MEMORY_KIB or memory * passes > _MAX_WORK_KIB or lanes > _MAX_LANES:
        return f"m={memory},t={passes},p={lanes} is above the ceilings"
    if memory < 8 * lanes:  # RFC 9106 §3.1
        return f"m={memory} is below 8 KiB for each of p={lanes} lanes"
    if not all(_is_base64(text) for text in match.group(4, 5)):
        return "its salt or its tag is not base64"
    return None


def _is_base64(text: str) -> bool:
    """Whether this is the one unpadded base64 form of some octets (RFC 4648 §3.5: the last bits are zero)."""
    try:
        octets = a2b_base64(text + "=" * (-len(text) % 4))
    except ValueError:
        return False
    return b2a_base64(octets, newline=False).rstrip(b"=") == text.encode()
