"""The hashes that web frameworks write into their user tables: Django's, Werkzeug's, and passlib's bcrypt-sha256.

PHP's are PHC strings and bcrypt, which `crypto.password_formats` has. Where a salt is text, its octets are the salt.
"""

from __future__ import annotations

import hashlib
import hmac
from binascii import b2a_base64
from typing import Final

from watchword.core.rejection import ConfigurationError
from watchword.crypto.password_primitives import (
    ARGON2, BCRYPT_SALT, Cost, Fields, Format, Random, Scrypt, alphanumeric_salt, argon2_fault, argon2_matches, base64_fault,
    bcrypt_fault, bcrypt_hash, bcrypt_matches, bcrypt_salt, hash_argon2id, matches_tag, no_fault, octets_of, one_cost, pbkdf2,
    pbkdf2_fault, refuse_bcrypts_limits, refuse_nul_at_the_end, scrypt, scrypt_cost, scrypt_fault, whole,
)  # fmt: skip

__all__ = ["FRAMEWORK_FORMATS"]

_B64 = "[A-Za-z0-9+/]"
_H64 = "[A-Za-z0-9./]"
_SALT = r"(?P<salt>[ -#%-~]{1,128})"  # printable ASCII but "$"
_ITERATIONS = r"(?P<iterations>[1-9][0-9]{0,9})"
_N, _R, _P = r"(?P<n>[1-9][0-9]{0,19})", r"(?P<r>[1-9][0-9]{0,4})", r"(?P<p>[1-9][0-9]{0,4})"
_BCRYPT = rf"\$2(?P<kind>[aby])\$(?P<cost>0[4-9]|[12][0-9]|3[01])\${BCRYPT_SALT}{_H64}{{31}}"


def _tag_fault(fields: Fields) -> str | None:
    return base64_fault({"tag": fields["tag"]})  # the salt is text


def _base64(octets: bytes) -> str:
    return b2a_base64(octets, newline=False).decode()


# ---- PBKDF2 ----------------------------------------------------------------------------------------------------------

_BITS: Final = {"sha1": 160, "sha224": 224, "sha256": 256, "sha384": 384, "sha512": 512}


def _pbkdf2(fields: Fields, salt: str, secret: bytes) -> bytes:
    """The whole output of the hash, which both frameworks take."""
    name = fields["hash"]
    return pbkdf2(name, secret, salt.encode(), int(fields["iterations"]), _BITS[name] // 8)


def _pbkdf2_cost(fields: Fields) -> Cost:
    return _BITS[fields["hash"]], int(fields["iterations"])


def _django_pbkdf2_fault(fields: Fields) -> str | None:
    length = len(fields["tag"]) * 3 // 4 - 1  # one "=" at the end, for SHA-1 and SHA-256 alike
    if length * 8 != _BITS[fields["hash"]]:
        return f"its tag has not the length of {fields['hash']}"
    return pbkdf2_fault(int(fields["iterations"])) or _tag_fault(fields)


def _django_pbkdf2_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    return matches_tag(_pbkdf2(fields, fields["salt"], secret), octets_of(fields["tag"]), secret)


def _django_pbkdf2_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    refuse_nul_at_the_end(secret)
    salt = alphanumeric_salt(random)
    return f"pbkdf2_{fields['hash']}${fields['iterations']}${salt}${_base64(_pbkdf2(fields, salt, secret))}"


def _werkzeug_pbkdf2_fault(fields: Fields) -> str | None:
    if len(fields["tag"]) * 4 != _BITS[fields["hash"]]:
        return f"its tag has not the length of {fields['hash']}"
    return pbkdf2_fault(int(fields["iterations"]))


def _werkzeug_pbkdf2_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    return matches_tag(_pbkdf2(fields, fields["salt"], secret), bytes.fromhex(fields["tag"]), secret)


def _werkzeug_pbkdf2_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    refuse_nul_at_the_end(secret)
    salt = alphanumeric_salt(random)
    return f"pbkdf2:{fields['hash']}:{fields['iterations']}${salt}${_pbkdf2(fields, salt, secret).hex()}"


# ---- scrypt ----------------------------------------------------------------------------------------------------------

_SCRYPT_LENGTH: Final = 64  # octets of a tag, in both frameworks


def _scrypt_of(fields: Fields) -> Scrypt:
    return Scrypt(int(fields["n"]), int(fields["r"]), int(fields["p"]))


def _scrypt(fields: Fields, salt: str, secret: bytes) -> bytes:
    return scrypt(secret, salt.encode(), _scrypt_of(fields), _SCRYPT_LENGTH)


def _django_scrypt_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    return matches_tag(_scrypt(fields, fields["salt"], secret), octets_of(fields["tag"]), secret)


def _django_scrypt_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    refuse_nul_at_the_end(secret)
    salt = alphanumeric_salt(random)
    tag = _base64(_scrypt(fields, salt, secret))
    return f"scrypt${fields['n']}${salt}${fields['r']}${fields['p']}${tag}"


def _werkzeug_scrypt_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    return matches_tag(_scrypt(fields, fields["salt"], secret), bytes.fromhex(fields["tag"]), secret)


def _werkzeug_scrypt_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    refuse_nul_at_the_end(secret)
    salt = alphanumeric_salt(random)
    tag = _scrypt(fields, salt, secret).hex()
    return f"scrypt:{fields['n']}:{fields['r']}:{fields['p']}${salt}${tag}"


# ---- argon2 and bcrypt within Django's spelling ----------------------------------------------------------------------


def _argon2_cost(fields: Fields) -> Cost:
    return int(fields["m"]) * int(fields["t"]), int(fields["m"])


def _django_argon2_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    return argon2_matches(encoded.removeprefix("argon2"), secret)


def _django_argon2_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    memory, passes, lanes = (int(fields[name]) for name in "mtp")
    return "argon2" + hash_argon2id(secret, alphanumeric_salt(random).encode(), memory, passes, lanes)


def _bcrypt_fault(fields: Fields) -> str | None:
    return bcrypt_fault(int(fields["cost"]))


def _bcrypt_cost(fields: Fields) -> Cost:
    return (int(fields["cost"]),)


def _django_bcrypt_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    return bcrypt_matches(encoded.removeprefix("bcrypt$"), secret)


def _django_bcrypt_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    refuse_bcrypts_limits(secret)
    return f"bcrypt$$2{fields['kind']}{bcrypt_hash(secret, int(fields['cost']), bcrypt_salt(random))[3:]}"


def _in_hexadecimal(secret: bytes) -> bytes:
    """What Django's bcrypt_sha256 gives to bcrypt: 64 octets without NUL, so that a password may be longer than 72."""
    return hashlib.sha256(secret).hexdigest().encode()


def _django_bcrypt_sha256_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    return bcrypt_matches(encoded.removeprefix("bcrypt_sha256$"), _in_hexadecimal(secret))


def _django_bcrypt_sha256_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    encoded = bcrypt_hash(_in_hexadecimal(secret), int(fields["cost"]), bcrypt_salt(random))
    return f"bcrypt_sha256$$2{fields['kind']}{encoded[3:]}"


# ---- passlib's bcrypt-sha256 -----------------------------------------------------------------------------------------


def _under_the_salt(salt: str, secret: bytes) -> bytes:
    """What version 2 gives to bcrypt."""
    return b2a_base64(hmac.digest(salt.encode(), secret, "sha256"), newline=False)


def _passlib_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    if fields["version"]:
        key = _under_the_salt(fields["salt"], secret)
    else:
        key = b2a_base64(hashlib.sha256(secret).digest(), newline=False)
    return bcrypt_matches(f"$2b${int(fields['cost']):02}${fields['salt']}{fields['tag']}", key)


def _passlib_renewed(fields: Fields, secret: bytes, random: Random) -> str:
    cost, salt = int(fields["cost"]), bcrypt_salt(random)
    tag = bcrypt_hash(_under_the_salt(salt, secret), cost, salt)[-31:]
    return f"$bcrypt-sha256$v=2,t=2b,r={cost}${salt}${tag}"


# ---- Django's MD5, which its tests use -------------------------------------------------------------------------------


def _django_md5_matches(fields: Fields, encoded: str, secret: bytes) -> bool:
    try:
        tag = hashlib.md5(fields["salt"].encode() + secret).digest()  # noqa: S324 -- theirs
    except ValueError:  # what hashlib says of MD5 under FIPS
        raise ConfigurationError("this host can't verify MD5 hashes: set these passwords again") from None
    return hmac.compare_digest(tag, bytes.fromhex(fields["tag"]))


# ---- the table -------------------------------------------------------------------------------------------------------

FRAMEWORK_FORMATS: Final = (
    Format(
        "Django PBKDF2",
        whole(rf"pbkdf2_(?P<hash>sha1|sha256)\${_ITERATIONS}\${_SALT}\$(?P<tag>{_B64}{{27}}=|{_B64}{{43}}=)"),
        _django_pbkdf2_fault,
        _pbkdf2_cost,
        _django_pbkdf2_matches,
        _django_pbkdf2_renewed,
    ),
    Format(
        "Django scrypt",
        whole(rf"scrypt\${_N}\${_SALT}\${_R}\${_P}\$(?P<tag>{_B64}{{86}}==)"),
        lambda fields: scrypt_fault(_scrypt_of(fields)) or _tag_fault(fields),
        lambda fields: scrypt_cost(_scrypt_of(fields)),
        _django_scrypt_matches,
        _django_scrypt_renewed,
    ),
    Format(
        "Django argon2", whole(rf"argon2\$argon2id{ARGON2}"), argon2_fault, _argon2_cost,
        _django_argon2_matches, _django_argon2_renewed,
    ),
    Format(
        "Django argon2i", whole(rf"argon2\$argon2i{ARGON2}"), argon2_fault, _argon2_cost, _django_argon2_matches,
    ),
    Format(
        "Django bcrypt_sha256", whole(rf"bcrypt_sha256\${_BCRYPT}"), _bcrypt_fault, _bcrypt_cost,
        _django_bcrypt_sha256_matches, _django_bcrypt_sha256_renewed,
    ),
    Format(
        "Django bcrypt", whole(rf"bcrypt\${_BCRYPT}"), _bcrypt_fault, _bcrypt_cost,
        _django_bcrypt_matches, _django_bcrypt_renewed, reads=72,
    ),
    Format(
        "Django MD5", whole(rf"md5\${_SALT}\$(?P<tag>[0-9a-f]{{32}})"), no_fault, one_cost, _django_md5_matches,
    ),
    Format(
        "Werkzeug scrypt",
        whole(rf"scrypt:{_N}:{_R}:{_P}\${_SALT}\$(?P<tag>[0-9a-f]{{128}})"),
        lambda fields: scrypt_fault(_scrypt_of(fields)),
        lambda fields: scrypt_cost(_scrypt_of(fields)),
        _werkzeug_scrypt_matches,
        _werkzeug_scrypt_renewed,
    ),
    Format(
        "Werkzeug PBKDF2",
        whole(rf"pbkdf2:(?P<hash>sha(?:1|224|256|384|512)):{_ITERATIONS}\${_SALT}\$(?P<tag>[0-9a-f]{{40,128}})"),
        _werkzeug_pbkdf2_fault,
        _pbkdf2_cost,
        _werkzeug_pbkdf2_matches,
        _werkzeug_pbkdf2_renewed,
    ),
    *(
        Format(
            name,
            whole(rf"\$bcrypt-sha256\${parameters}\$(?P<salt>{BCRYPT_SALT})\$(?P<tag>{_H64}{{31}})"),
            _bcrypt_fault, _bcrypt_cost, _passlib_matches, renewed,
        )
        for name, parameters, renewed in (
            ("bcrypt-sha256", r"(?P<version>v=2),t=2b,r=(?P<cost>[4-9]|[12][0-9]|3[01])", _passlib_renewed),
            ("bcrypt-sha256 of old", r"(?P<version>)2[ab],(?P<cost>[4-9]|[12][0-9]|3[01])", None),
        )
    ),
)  # fmt: skip
