"""The formats of stored password hashes: how each is read, what it may cost at most, how a secret is compared.

Everything here is a pure function of the stored text and of the secret's octets. Ceilings are checked by reading the text,
before any work: a row that somebody wrote must not hold a thread for minutes or take all memory. argon2id comes from
`cryptography`, scrypt, PBKDF2 and SHA-1 from hashlib; bcrypt and the crypt(3) family need the extra `passwords`.
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

__all__ = ["FORMATS", "MAX_SECRET", "Format", "Unusable", "hash_argon2id", "recognise"]

MAX_SECRET: Final = 4096
"""Octets of a secret that are hashed at most; a longer one is refused unread."""

Fields = dict[str, str]
Cost = tuple[int, ...]


class Format(NamedTuple):
    """One way to store a password.

    Args:
        name: "argon2id", "bcrypt", ...
        pattern: the whole stored text, with named groups.
        fault: what is wrong with these fields, or above the ceilings; None: nothing.
        cost: what a verification takes; of two hashes of one format the dearer one has the greater numbers.
        matches: does the work.
        reads: octets of a secret that the format looks at.
    """

    name: str
    pattern: re.Pattern[str]
    fault: Callable[[Fields], str | None]
    cost: Callable[[Fields], Cost]
    matches: Callable[[Fields, str, bytes], bool]
    reads: int = MAX_SECRET


class Unusable(NamedTuple):
    """Why a stored text can't be used."""

    fault: str


def recognise(encoded: str) -> tuple[Format, Fields] | Unusable:
    """The format of a stored hash and its fields; `Unusable` if it is in none, or dearer than the ceilings allow.

    >>> recognise("$2y$31$abcdefghijklmnopqrstuu5Lo/g67CiD3M4RpN1BmBb4Crp5w7dbK")
    Unusable(fault='bcrypt of cost 31 takes longer than the ceiling of 16 allows')
    """
    for form in FORMATS:
        match = form.pattern.fullmatch(encoded)
        if match is not None:
            fields = match.groupdict(default="")
            fault = form.fault(fields)
            return (form, fields) if fault is None else Unusable(fault)
    for pattern, fault in _REFUSED:
        if pattern.match(encoded):
            return Unusable(fault)
    return Unusable("it is in no format that is known, or not whole")


# ---- argon2id (RFC 9106), the default --------------------------------------------------------------------------------

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

_NO_ARGON2 = "cryptography has no argon2id here: install its wheel, or build it with OpenSSL 3.2 or later"


def hash_argon2id(secret: bytes, salt: bytes, memory: int, passes: int, lanes: int) -> str:
    """The PHC string with a tag of 32 octets.

    Raises:
        ConfigurationError: this host has no argon2id.
        StoreUnavailable: there is no memory for it now.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 -- loaded at first use
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415 -- loaded at first use

    try:
        with _ONE_AT_A_TIME:
            return Argon2id(
                salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory
            ).derive_phc_encoded(secret)
    except MemoryError:
        raise StoreUnavailable(_NO_MEMORY) from None
    except UnsupportedAlgorithm:
        raise ConfigurationError(_NO_ARGON2) from None


_NO_MEMORY = "no memory to hash a password in"


def _argon2id_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm  # noqa: PLC0415 -- loaded at first use
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415 -- loaded at first use

    try:
        with _ONE_AT_A_TIME:
            Argon2id.verify_phc_encoded(secret, encoded)
    except InvalidKey:
        return False
    except MemoryError:
        raise StoreUnavailable(_NO_MEMORY) from None
    except UnsupportedAlgorithm:
        raise ConfigurationError(_NO_ARGON2) from None
    return True


def _argon2id_fault(fields: Fields) -> str | None:
    memory, passes, lanes = (int(fields[name]) for name in "mtp")
    if memory > _MAX_MEMORY_KIB or memory * passes > _MAX_WORK_KIB or lanes > _MAX_LANES:
        return f"m={memory},t={passes},p={lanes} is above the ceilings"
    if memory < 8 * lanes:  # RFC 9106 §3.1
        return f"m={memory} is below 8 KiB for each of p={lanes} lanes"
    return _base64_fault(fields)


# ---- scrypt (RFC 7914) and PBKDF2 (RFC 8018) -------------------------------------------------------------------------

# Both key an HMAC with the secret, which pads it with NULs (RFC 2104 §2): a secret that ends with NUL would match as the one
# without it, so none is taken.
_MAX_SCRYPT_OCTETS = 2**30
_MAX_SCRYPT_WORK = 2**24  # N r p: four times what is usual for p=1
_MAX_ITERATIONS = 10_000_000


def _scrypt_fault(fields: Fields) -> str | None:
    n, r, p = 1 << min(int(fields["ln"]), 64), int(fields["r"]), int(fields["p"])
    if 128 * n * r > _MAX_SCRYPT_OCTETS or n * r * p > _MAX_SCRYPT_WORK:
        return f"ln={fields['ln']},r={r},p={p} is above the ceilings"
    if n < 2:
        return "scrypt needs N of 2 at least (RFC 7914 §2)"
    return _base64_fault(fields)


def _scrypt_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    n, r, p = 1 << int(fields["ln"]), int(fields["r"]), int(fields["p"])
    tag = _octets(fields["tag"])
    try:
        got = hashlib.scrypt(
            secret, salt=_octets(fields["salt"]), n=n, r=r, p=p, maxmem=128 * r * (n + p + 2) + 2**16, dklen=len(tag)
        )
    except MemoryError:
        raise StoreUnavailable(_NO_MEMORY) from None
    return hmac.compare_digest(got, tag) and not secret.endswith(b"\0")


def _pbkdf2_fault(fields: Fields) -> str | None:
    if int(fields["rounds"]) > _MAX_ITERATIONS:
        return f"{fields['rounds']} iterations are above the ceiling of {_MAX_ITERATIONS}"
    return _base64_fault(fields)


def _pbkdf2_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    tag = _octets(fields["tag"])
    name = fields["hash"].removeprefix("-") or "sha1"
    got = hashlib.pbkdf2_hmac(name, secret, _octets(fields["salt"]), int(fields["rounds"]), len(tag))
    return hmac.compare_digest(got, tag) and not secret.endswith(b"\0")


# ---- bcrypt ----------------------------------------------------------------------------------------------------------

_MAX_BCRYPT_COST = 16


def _bcrypt_fault(fields: Fields) -> str | None:
    cost = int(fields["cost"])
    if cost > _MAX_BCRYPT_COST:
        return f"bcrypt of cost {cost} takes longer than the ceiling of {_MAX_BCRYPT_COST} allows"
    return None


def _bcrypt_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    # $2y$ is what htpasswd writes for the same computation.
    matched: bool = extra("bcrypt").checkpw(secret, b"$2b$" + encoded[4:].encode())
    # It fills its key with the secret and a NUL, again and again: "a", NUL, "a" would match as "a".
    return matched and b"\0" not in secret


# ---- what htpasswd wrote before bcrypt, and crypt(3) -----------------------------------------------------------------

_MAX_ROUNDS = 1_000_000


def _sha_crypt_fault(fields: Fields) -> str | None:
    rounds = int(fields["rounds"] or 5000)
    if not 1000 <= rounds <= _MAX_ROUNDS:
        return f"{rounds} rounds of SHA-crypt are not between 1000 and {_MAX_ROUNDS}"
    return None


def _crypt(module: str, handler: str) -> Callable[[Fields, str, bytes], bool]:
    def matches(fields: Fields, encoded: str, secret: bytes) -> bool:
        verify = getattr(extra(f"passlib.handlers.{module}"), handler).verify
        # crypt(3) ends a secret at NUL, so none that holds one is right; it costs as much all the same.
        try:
            matched: bool = verify(secret.replace(b"\0", b"\1"), encoded)
        except ValueError:  # what hashlib says of MD5 under FIPS
            raise ConfigurationError(f"this host can't verify {handler} hashes: set these passwords again") from None
        return matched and b"\0" not in secret

    return matches


def _sha1_fault(fields: Fields) -> str | None:
    try:
        octets = a2b_base64(fields["tag"], strict_mode=True)
    except ValueError:
        return "it is not base64"
    if b2a_base64(octets, newline=False) != fields["tag"].encode():
        return "it is not base64"
    return None if len(octets) >= 20 else "it is shorter than SHA-1"


def _sha1_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    octets = a2b_base64(fields["tag"])
    return hmac.compare_digest(hashlib.sha1(secret + octets[20:]).digest(), octets[:20])  # noqa: S324 -- theirs


def _one_cost(fields: Fields) -> Cost:
    return (1,)


def _nothing(fields: Fields) -> str | None:
    return None


# ---- the table -------------------------------------------------------------------------------------------------------

_B64 = r"[A-Za-z0-9+/]"
_H64 = r"[A-Za-z0-9./]"


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


FORMATS: Final = (
    Format(
        "argon2id",
        _whole(
            r"\$argon2id\$v=19\$m=(?P<m>[1-9][0-9]{0,7}),t=(?P<t>[1-9][0-9]{0,4}),p=(?P<p>[1-9][0-9]?)"
            rf"\$(?P<salt>{_B64}{{11,86}})\$(?P<tag>{_B64}{{22,86}})"  # base64 of 8 to 64 and of 16 to 64 octets
        ),
        _argon2id_fault,
        lambda fields: (int(fields["m"]) * int(fields["t"]), int(fields["m"])),
        _argon2id_matches,
    ),
    Format(
        "bcrypt",
        # The last character of the salt holds two bits.
        _whole(rf"\$2[aby]\$(?P<cost>0[4-9]|[12][0-9]|3[01])\${_H64}{{21}}[.Oeu]{_H64}{{31}}"),
        _bcrypt_fault,
        lambda fields: (int(fields["cost"]),),
        _bcrypt_matches,
        reads=72,
    ),
    Format(
        "scrypt",
        _whole(
            r"\$scrypt\$ln=(?P<ln>[1-9][0-9]?),r=(?P<r>[1-9][0-9]{0,4}),p=(?P<p>[1-9][0-9]{0,4})"
            rf"\$(?P<salt>{_B64}{{0,86}})\$(?P<tag>{_B64}{{22,86}})"
        ),
        _scrypt_fault,
        lambda fields: (int(fields["r"]) << int(fields["ln"]), (int(fields["r"]) * int(fields["p"])) << int(fields["ln"])),
        _scrypt_matches,
    ),
    Format(
        "pbkdf2",
        _whole(
            r"\$pbkdf2(?P<hash>-sha256|-sha512|)\$(?P<rounds>[1-9][0-9]{0,9})"
            rf"\$(?P<salt>{_H64}{{0,86}})\$(?P<tag>{_H64}{{22,86}})"
        ),
        _pbkdf2_fault,
        lambda fields: (int(fields["hash"][4:] or 1), int(fields["rounds"])),
        _pbkdf2_matches,
    ),
    Format(
        "SHA-crypt",
        _whole(rf"\$(?P<kind>5)\$(?:rounds=(?P<rounds>[1-9][0-9]{{0,8}})\$)?{_H64}{{0,16}}\${_H64}{{43}}"),
        _sha_crypt_fault,
        lambda fields: (5, int(fields["rounds"] or 5000)),
        _crypt("sha2_crypt", "sha256_crypt"),
    ),
    Format(
        "SHA-crypt",
        _whole(rf"\$(?P<kind>6)\$(?:rounds=(?P<rounds>[1-9][0-9]{{0,8}})\$)?{_H64}{{0,16}}\${_H64}{{86}}"),
        _sha_crypt_fault,
        lambda fields: (6, int(fields["rounds"] or 5000)),
        _crypt("sha2_crypt", "sha512_crypt"),
    ),
    Format(
        "apr1", _whole(rf"\$apr1\${_H64}{{0,8}}\${_H64}{{22}}"), _nothing, _one_cost,
        _crypt("md5_crypt", "apr_md5_crypt"),
    ),
    Format(
        "MD5-crypt", _whole(rf"\$1\${_H64}{{0,8}}\${_H64}{{22}}"), _nothing, _one_cost,
        _crypt("md5_crypt", "md5_crypt"),
    ),
    Format("SHA", _whole(rf"\{{SHA\}}(?P<tag>{_B64}{{27}}=)"), _sha1_fault, _one_cost, _sha1_matches),
    Format(
        "SSHA", _whole(rf"\{{SSHA\}}(?P<tag>{_B64}{{28,120}}={{0,2}})"), _sha1_fault, _one_cost, _sha1_matches
    ),
)  # fmt: skip
"""Tried in this order; only the first is ever written by default."""

# What could be verified, and is not, by the beginning of the stored text.
_REFUSED: Final = (
    (_whole(r"\$argon2(i|d)\$"), "argon2i and argon2d are not verified: RFC 9106 §4 recommends argon2id"),
    (_whole(r"\$argon2id\$"), "it is not a whole argon2id PHC string of version 19"),
    (_whole(r"\$2x?\$"), "it was made by a bcrypt with a known fault ($2$, $2x$)"),
    (_whole(r"\{PLAIN\}|\{CLEAR"), "a password in plain text is not taken"),
    (_whole(rf"{_H64}{{13}}$"), "DES crypt reads 8 characters of a password and is broken by trying all of them"),
    (_whole(rf"_{_H64}{{19}}$"), "extended DES crypt is not taken"),
)


def extra(name: str) -> Any:
    """A module of the extra `passwords`."""
    try:
        return import_module(name)
    except ImportError:
        raise ConfigurationError(
            f"a stored password needs {'bcrypt' if name == 'bcrypt' else 'libpass'}: pip install 'watchword[passwords]'"
        ) from None


def _octets(text: str) -> bytes:
    """What unpadded base64 holds; passlib writes "." for "+" in PBKDF2's."""
    return a2b_base64(text.replace(".", "+") + "=" * (-len(text) % 4))


def _base64_fault(fields: Fields) -> str | None:
    """Whether salt and tag are the one unpadded base64 form of some octets (RFC 4648 §3.5: the last bits are zero)."""
    for text in (fields["salt"], fields["tag"]):
        try:
            octets = _octets(text)
        except ValueError:
            return "its salt or its tag is not base64"
        if b2a_base64(octets, newline=False).rstrip(b"=") != text.replace(".", "+").encode():
            return "its salt or its tag is not base64"
    return None
