"""What the formats of password hashes have in common: the computations, their ceilings, and what a format is.

Ceilings are checked by reading the numbers, before any work: a row that somebody wrote must not hold a thread for minutes or
take all memory. argon2 comes from `cryptography`, scrypt and PBKDF2 from hashlib, bcrypt from the extra `passwords`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Any, Final, NamedTuple

from watchword.core.rejection import ConfigurationError, StoreUnavailable

__all__ = [
    "ARGON2", "BCRYPT_SALT", "MAX_SECRET", "Cost", "Fields", "Format", "Random", "Scrypt", "alphanumeric_salt", "argon2_fault",
    "argon2_matches", "base64_fault", "bcrypt_fault", "bcrypt_hash", "bcrypt_matches", "bcrypt_salt", "extra", "hash_argon2id",
    "matches_tag", "no_fault", "octets_of", "one_cost", "pbkdf2", "pbkdf2_fault", "refuse_bcrypts_limits", "refuse_nul_at_the_end", "scrypt",
    "scrypt_cost", "scrypt_fault", "whole",
]  # fmt: skip

MAX_SECRET: Final = 4096
"""Octets of a secret that are hashed at most; a longer one is refused unread."""

Fields = dict[str, str]
Cost = tuple[int, ...]
Random = Callable[[int], bytes]


class Format(NamedTuple):
    """One way to store a password.

    Args:
        name: "argon2id", "bcrypt", ...
        pattern: the whole stored text, with named groups.
        fault: what is wrong with these fields, or above the ceilings; None: nothing.
        cost: what a verification takes; of two hashes of one format the dearer one has the greater numbers.
        matches: does the work.
        renew: a new hash of a secret, with the parameters that these fields have; None: nobody should make one.
        reads: octets of a secret that the format looks at.
    """

    name: str
    pattern: re.Pattern[str]
    fault: Callable[[Fields], str | None]
    cost: Callable[[Fields], Cost]
    matches: Callable[[Fields, str, bytes], bool]
    renew: Callable[[Fields, bytes, Random], str] | None = None
    reads: int = MAX_SECRET


def whole(pattern: str) -> re.Pattern[str]:
    """The pattern, for ASCII."""
    return re.compile(pattern, re.ASCII)


def no_fault(fields: Fields) -> str | None:
    """Of a format in which the pattern says all."""
    return None


def one_cost(fields: Fields) -> Cost:
    """Of a format without parameters."""
    return (1,)


# ---- argon2 (RFC 9106) -----------------------------------------------------------------------------------------------

ARGON2: Final = (
    r"\$v=19\$m=(?P<m>[1-9][0-9]{0,7}),t=(?P<t>[1-9][0-9]{0,4}),p=(?P<p>[1-9][0-9]?)"
    r"\$(?P<salt>[A-Za-z0-9+/]{11,86})\$(?P<tag>[A-Za-z0-9+/]{22,86})"  # base64 of 8 to 64 and of 16 to 64 octets
)
"""A PHC string after the name of its variant."""

# RFC 9106 §4's first recommended option (m=2^21 KiB, t=1) passes.
_MAX_MEMORY_KIB = 2**21
_MAX_WORK_KIB = 2**22  # memory times passes
_MAX_LANES = 16

# OpenSSL hands out its threads to all hashes of a process together. Two hashes of several lanes each can take some and wait
# for the rest for ever (cryptography 50, OpenSSL 4.0), so one runs at a time: by itself it uses as many cores as it has lanes.
_ONE_AT_A_TIME = Lock()
# A child that was forked meanwhile must not find it locked by a thread that it doesn't have.
os.register_at_fork(
    before=_ONE_AT_A_TIME.acquire, after_in_parent=_ONE_AT_A_TIME.release, after_in_child=_ONE_AT_A_TIME.release
)

_NO_ARGON2 = "cryptography has no {} here: install its newest wheel, or build it with OpenSSL 3.2 or later"
_NO_MEMORY = "no memory to hash a password in"


def hash_argon2id(secret: bytes, salt: bytes, memory: int, passes: int, lanes: int, length: int = 32) -> str:
    """The PHC string with a tag of `length` octets.

    Raises:
        ConfigurationError: this host has no argon2id.
        StoreUnavailable: there is no memory for it now.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 -- loaded at first use
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415 -- loaded at first use

    try:
        with _ONE_AT_A_TIME:
            return Argon2id(
                salt=salt, length=length, iterations=passes, lanes=lanes, memory_cost=memory
            ).derive_phc_encoded(secret)
    except MemoryError:
        raise StoreUnavailable(_NO_MEMORY) from None
    except UnsupportedAlgorithm:
        raise ConfigurationError(_NO_ARGON2.format("argon2id")) from None


def argon2_matches(encoded: str, secret: bytes) -> bool:
    """Whether a PHC string of argon2id or argon2i is that of the secret.

    Raises:
        ConfigurationError: this host has no such argon2.
        StoreUnavailable: there is no memory for it now.
    """
    from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm  # noqa: PLC0415 -- loaded at first use
    from cryptography.hazmat.primitives.kdf import argon2  # noqa: PLC0415 -- loaded at first use

    name = "argon2id" if encoded.startswith("$argon2id$") else "argon2i"
    # Older ones of cryptography have Argon2id alone.
    variant: Any = getattr(argon2, name.capitalize(), None)
    if variant is None:
        raise ConfigurationError(_NO_ARGON2.format(name))
    try:
        with _ONE_AT_A_TIME:
            variant.verify_phc_encoded(secret, encoded)
    except InvalidKey:
        return False
    except MemoryError:
        raise StoreUnavailable(_NO_MEMORY) from None
    except UnsupportedAlgorithm:
        raise ConfigurationError(_NO_ARGON2.format(name)) from None
    return True


def argon2_fault(fields: Fields) -> str | None:
    """What is wrong with m, t and p, or with salt and tag."""
    memory, passes, lanes = (int(fields[name]) for name in "mtp")
    if memory > _MAX_MEMORY_KIB:
        return f"m={memory} KiB of memory are above the ceiling of {_MAX_MEMORY_KIB}"
    if memory * passes > _MAX_WORK_KIB:
        return f"m={memory} KiB times t={passes} passes are above the ceiling of {_MAX_WORK_KIB}"
    if lanes > _MAX_LANES:
        return f"p={lanes} lanes are above the ceiling of {_MAX_LANES}"
    if memory < 8 * lanes:  # RFC 9106 §3.1
        return f"m={memory} is below 8 KiB for each of p={lanes} lanes"
    return base64_fault(fields)


# ---- scrypt (RFC 7914) and PBKDF2 (RFC 8018) -------------------------------------------------------------------------

# Both key an HMAC with the secret, which pads it with NULs (RFC 2104 §2): a secret that ends with NUL would match as the one
# without it, so none is taken.
_MAX_SCRYPT_OCTETS = 2**30
_MAX_SCRYPT_WORK = 2**24  # N r p: four times what is usual for p=1
_MAX_ITERATIONS = 10_000_000


class Scrypt(NamedTuple):
    """The parameters of RFC 7914 §2."""

    n: int
    r: int
    p: int


def scrypt_fault(cost: Scrypt) -> str | None:
    """What is wrong with the parameters."""
    n, r, p = cost
    if 128 * n * r > _MAX_SCRYPT_OCTETS:
        return f"scrypt's N={n}, r={r} take more memory than the ceiling of {_MAX_SCRYPT_OCTETS} octets"
    if n * r * p > _MAX_SCRYPT_WORK:
        return f"scrypt's N={n} times r={r} times p={p} is above the ceiling of {_MAX_SCRYPT_WORK}"
    if n < 2 or n & (n - 1) or (r < 4 and n >= 1 << 16 * r):
        return f"scrypt's N={n} is no power of two between 2 and 2^(16 r) (RFC 7914 §2)"
    return None


def scrypt_cost(cost: Scrypt) -> Cost:
    """Memory first, then work."""
    return cost.n * cost.r, cost.n * cost.r * cost.p


def scrypt(secret: bytes, salt: bytes, cost: Scrypt, length: int) -> bytes:
    """The tag.

    Raises:
        StoreUnavailable: there is no memory for it now.
    """
    n, r, p = cost
    memory = 128 * r * (n + p + 2) + 2**16
    try:
        return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=length)
    except MemoryError:
        raise StoreUnavailable(_NO_MEMORY) from None


def pbkdf2_fault(iterations: int) -> str | None:
    """What is wrong with their number."""
    if iterations > _MAX_ITERATIONS:
        return f"{iterations} iterations are above the ceiling of {_MAX_ITERATIONS}"
    return None


def pbkdf2(name: str, secret: bytes, salt: bytes, iterations: int, length: int) -> bytes:
    """The tag."""
    return hashlib.pbkdf2_hmac(name, secret, salt, iterations, length)


def matches_tag(got: bytes, tag: bytes, secret: bytes) -> bool:
    """Whether the tags are equal, and the secret is no other one that only looks alike to HMAC."""
    return hmac.compare_digest(got, tag) and not secret.endswith(b"\0")


def refuse_nul_at_the_end(secret: bytes) -> None:
    """Raises: ConfigurationError: scrypt and PBKDF2 would take another secret for this one."""
    if secret.endswith(b"\0"):
        raise ConfigurationError(
            "scrypt and PBKDF2 can't tell a password that ends with NUL from one without: remove it"
        )


# ---- bcrypt ----------------------------------------------------------------------------------------------------------

BCRYPT_SALT: Final = "[A-Za-z0-9./]{21}[.Oeu]"  # the last character holds two bits

_MAX_BCRYPT_COST = 16

_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BCRYPT = bytes.maketrans(_STANDARD, b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def bcrypt_fault(cost: int) -> str | None:
    """What is wrong with the cost."""
    if cost > _MAX_BCRYPT_COST:
        return f"bcrypt of cost {cost} takes longer than the ceiling of {_MAX_BCRYPT_COST} allows"
    return None


def bcrypt_salt(random: Random) -> str:
    """Sixteen octets in bcrypt's alphabet."""
    return b2a_base64(random(16), newline=False)[:22].translate(_TO_BCRYPT).decode()


def bcrypt_hash(secret: bytes, cost: int, salt: str) -> str:
    """The whole text, which begins with `$2b$`.

    Raises:
        ConfigurationError: this host has no bcrypt.
    """
    encoded: bytes = extra("bcrypt").hashpw(secret, f"$2b${cost:02}${salt}".encode())
    return encoded.decode()


def bcrypt_matches(encoded: str, secret: bytes) -> bool:
    """Whether a bcrypt hash is that of a secret of at most 72 octets; those that are called $2a$ and $2y$ are computed alike.

    Raises:
        ConfigurationError: this host has no bcrypt.
    """
    matched: bool = extra("bcrypt").checkpw(secret, b"$2b$" + encoded[4:].encode())
    # It fills its key with the secret and a NUL, again and again: "a", NUL, "a" would match as "a".
    return matched and b"\0" not in secret


def refuse_bcrypts_limits(secret: bytes) -> None:
    """Raises: ConfigurationError: bcrypt would take another secret for this one."""
    if b"\0" in secret:
        raise ConfigurationError("bcrypt can't tell some passwords that hold NUL from others: remove it")
    if len(secret) > 72:
        raise ConfigurationError("bcrypt reads 72 octets of a password, this one has more: use an argon2id profile")


# ---- salts, tags, modules --------------------------------------------------------------------------------------------

_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def alphanumeric_salt(random: Random) -> str:
    """A salt of letters and digits, as Django and Werkzeug write them: 22 of them hold 128 bits, which Django asks for."""
    number = int.from_bytes(random(24), "big")  # 2^192 is no multiple of 62^22, by a part of 2^-61
    salt = ""
    for _ in range(22):
        number, place = divmod(number, 62)
        salt += _ALPHANUMERIC[place]
    return salt


def octets_of(text: str) -> bytes:
    """What base64 holds, padded or not; passlib writes "." for "+" in PBKDF2's."""
    bare = text.rstrip("=").replace(".", "+")
    return a2b_base64(bare + "=" * (-len(bare) % 4))


def base64_fault(fields: Fields) -> str | None:
    """Whether tag, and salt if there is one, are the one base64 form of some octets (RFC 4648 §3.5: the last bits are zero)."""
    for name in ("salt", "tag"):
        text = fields.get(name, "")
        try:
            octets = octets_of(text)
        except ValueError:
            return f"its {name} is not base64"
        if b2a_base64(octets, newline=False).rstrip(b"=") != text.rstrip("=").replace(".", "+").encode():
            return f"its {name} is not base64"
    return None


def extra(name: str) -> Any:
    """A module of the extra `passwords`.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise ConfigurationError(
            f"a stored password needs {'bcrypt' if name == 'bcrypt' else 'libpass'}: pip install 'watchword[passwords]'"
        ) from None
