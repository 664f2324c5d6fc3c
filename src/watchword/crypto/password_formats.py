"""The formats of stored password hashes: how each is read, what it may cost at most, how a secret is compared.

Everything here is a pure function of the stored text and of the secret's octets. PHC strings, bcrypt and what htpasswd and
crypt(3) write are here, those of frameworks in `crypto.framework_hashes`; the crypt(3) family needs the extra `passwords`.
"""

from __future__ import annotations

import hashlib
import hmac
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Final, NamedTuple

from watchword.core.rejection import ConfigurationError
from watchword.crypto.framework_hashes import FRAMEWORK_FORMATS
from watchword.crypto.password_primitives import (
    ARGON2, BCRYPT_SALT, Cost, Fields, Format, Random, Scrypt, argon2_fault, argon2_matches, base64_fault, bcrypt_fault,
    bcrypt_hash, bcrypt_matches, bcrypt_salt, extra, hash_argon2id, matches_tag, no_fault, octets_of, one_cost, pbkdf2, pbkdf2_fault,
    refuse_bcrypts_limits, refuse_nul_at_the_end, scrypt, scrypt_cost, scrypt_fault, whole,
)  # fmt: skip

__all__ = ["FORMATS", "Unusable", "recognise"]


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


# ---- PHC strings and bcrypt ------------------------------------------------------------------------------------------


def _base64(octets: bytes) -> str:
    return b2a_base64(octets, newline=False).rstrip(b"=").decode()


def _argon2id_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    memory, passes, lanes = (int(fields[name]) for name in "mtp")
    return hash_argon2id(secret, random(16), memory, passes, lanes)


def _argon2_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    return argon2_matches(encoded, secret)


def _argon2_cost(fields: Fields) -> Cost:
    return int(fields["m"]) * int(fields["t"]), int(fields["m"])


def _scrypt_of(fields: Fields) -> Scrypt:
    return Scrypt(1 << min(int(fields["ln"]), 64), int(fields["r"]), int(fields["p"]))


def _scrypt_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    tag = octets_of(fields["tag"])
    return matches_tag(scrypt(secret, octets_of(fields["salt"]), _scrypt_of(fields), len(tag)), tag, secret)


def _scrypt_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    refuse_nul_at_the_end(secret)
    salt = random(16)
    tag = scrypt(secret, salt, _scrypt_of(fields), 32)
    return f"$scrypt$ln={fields['ln']},r={fields['r']},p={fields['p']}${_base64(salt)}${_base64(tag)}"


_PBKDF2_LENGTHS: Final = {"": 20, "-sha256": 32, "-sha512": 64}


def _pbkdf2_fault(fields: Fields) -> str | None:
    # A shorter tag would be the beginning of the whole one, and match. Two blocks are what RFC 7914 §11 has.
    whole = _PBKDF2_LENGTHS[fields["hash"]]
    if not whole <= len(fields["tag"]) * 3 // 4 <= 2 * whole:
        return f"its tag has not {whole} to {2 * whole} octets"
    return pbkdf2_fault(int(fields["rounds"])) or base64_fault(fields)


def _pbkdf2_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    tag = octets_of(fields["tag"])
    name = fields["hash"].removeprefix("-") or "sha1"
    return matches_tag(pbkdf2(name, secret, octets_of(fields["salt"]), int(fields["rounds"]), len(tag)), tag, secret)


def _pbkdf2_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    refuse_nul_at_the_end(secret)
    salt, kind = random(16), fields["hash"]
    tag = pbkdf2(kind.removeprefix("-") or "sha1", secret, salt, int(fields["rounds"]), _PBKDF2_LENGTHS[kind])
    return f"$pbkdf2{kind}${fields['rounds']}${_base64(salt)}${_base64(tag)}".replace("+", ".")


def _bcrypt_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    return bcrypt_matches(encoded, secret)


def _bcrypt_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    refuse_bcrypts_limits(secret)
    return f"$2{fields['kind']}{bcrypt_hash(secret, int(fields['cost']), bcrypt_salt(random))[3:]}"


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


# ---- the table -------------------------------------------------------------------------------------------------------

_B64 = r"[A-Za-z0-9+/]"
_H64 = r"[A-Za-z0-9./]"

FORMATS: Final = (
    Format(
        "argon2id", whole(rf"\$argon2id{ARGON2}"), argon2_fault, _argon2_cost,
        _argon2_matches, _argon2id_renewed,
    ),
    Format(
        "bcrypt",
        whole(rf"\$2(?P<kind>[aby])\$(?P<cost>0[4-9]|[12][0-9]|3[01])\${BCRYPT_SALT}{_H64}{{31}}"),
        lambda fields: bcrypt_fault(int(fields["cost"])),
        lambda fields: (int(fields["cost"]),),
        _bcrypt_matches,
        _bcrypt_renewed,
        reads=72,
    ),
    Format(
        "scrypt",
        whole(
            r"\$scrypt\$ln=(?P<ln>[1-9][0-9]?),r=(?P<r>[1-9][0-9]{0,4}),p=(?P<p>[1-9][0-9]{0,4})"
            rf"\$(?P<salt>{_B64}{{0,86}})\$(?P<tag>{_B64}{{22,86}})"
        ),
        lambda fields: scrypt_fault(_scrypt_of(fields)) or base64_fault(fields),
        lambda fields: scrypt_cost(_scrypt_of(fields)),
        _scrypt_matches,
        _scrypt_renewed,
    ),
    Format(
        "pbkdf2",
        whole(
            r"\$pbkdf2(?P<hash>-sha256|-sha512|)\$(?P<rounds>[1-9][0-9]{0,9})"
            rf"\$(?P<salt>{_H64}{{0,86}})\$(?P<tag>{_H64}{{22,86}})"
        ),
        _pbkdf2_fault,
        lambda fields: (int(fields["hash"][4:] or 1), int(fields["rounds"])),
        _pbkdf2_matches,
        _pbkdf2_renewed,
    ),
    *FRAMEWORK_FORMATS,
    Format(
        "argon2i", whole(rf"\$argon2i{ARGON2}"), argon2_fault, _argon2_cost,
        _argon2_matches,
    ),
    Format(
        "SHA-crypt",
        whole(rf"\$(?P<kind>5)\$(?:rounds=(?P<rounds>[1-9][0-9]{{0,8}})\$)?{_H64}{{0,16}}\${_H64}{{43}}"),
        _sha_crypt_fault,
        lambda fields: (5, int(fields["rounds"] or 5000)),
        _crypt("sha2_crypt", "sha256_crypt"),
    ),
    Format(
        "SHA-crypt",
        whole(rf"\$(?P<kind>6)\$(?:rounds=(?P<rounds>[1-9][0-9]{{0,8}})\$)?{_H64}{{0,16}}\${_H64}{{86}}"),
        _sha_crypt_fault,
        lambda fields: (6, int(fields["rounds"] or 5000)),
        _crypt("sha2_crypt", "sha512_crypt"),
    ),
    Format(
        "apr1", whole(rf"\$apr1\${_H64}{{0,8}}\${_H64}{{22}}"), no_fault, one_cost,
        _crypt("md5_crypt", "apr_md5_crypt"),
    ),
    Format(
        "MD5-crypt", whole(rf"\$1\${_H64}{{0,8}}\${_H64}{{22}}"), no_fault, one_cost,
        _crypt("md5_crypt", "md5_crypt"),
    ),
    Format("SHA", whole(rf"\{{SHA\}}(?P<tag>{_B64}{{27}}=)"), _sha1_fault, one_cost, _sha1_matches),
    Format("SSHA", whole(rf"\{{SSHA\}}(?P<tag>{_B64}{{28,120}}={{0,2}})"), _sha1_fault, one_cost, _sha1_matches),
)  # fmt: skip
"""Tried in this order; no text is in two of them. Only the first is ever written by default."""

# What could be verified, and is not, by the beginning of the stored text.
_REFUSED: Final = (
    (
        whole(r"(argon2)?\$argon2d\$"),
        "argon2d is not verified: what it reads in memory depends on the password (RFC 9106 §1)",
    ),
    (whole(r"(argon2)?\$argon2id?\$"), "it is not a whole PHC string of argon2id or argon2i, version 19"),
    (whole(r"!"), "Django marks so who has no password"),
    (
        whole(r"sha1\$"),
        "sha1$ stood for one thing in Django and for another in Werkzeug, and neither verifies it any more",
    ),
    (whole(r"(pbkdf2_sha(1|256)|argon2|bcrypt(_sha256)?|scrypt|md5)\$"), "it is not a whole hash as Django writes it"),
    (whole(r"(scrypt|pbkdf2):"), "it is not a whole hash as Werkzeug writes it, with all of its parameters"),
    (whole(r"\$bcrypt-sha256\$"), "it is not a whole hash as passlib writes it"),
    (whole(r"\$2x?\$"), "it was made by a bcrypt with a known fault ($2$, $2x$)"),
    (whole(r"\{PLAIN\}|\{CLEAR"), "a password in plain text is not taken"),
    (whole(rf"{_H64}{{13}}$"), "DES crypt reads 8 characters of a password and is broken by trying all of them"),
    (whole(rf"_{_H64}{{19}}$"), "extended DES crypt is not taken"),
)
