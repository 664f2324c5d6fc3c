"""python-jose's `jose.jwe`: encrypted octets in the compact form (RFC 7516 §7.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from watchword.core.rejection import Reason, Rejected
from watchword.crypto.algorithms import Algorithm, algorithm_named
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.jose import DecryptionPolicy, content, decryption
from watchword.crypto.keys import Key as NativeKey
from watchword.dropin import _compact
from watchword.dropin._octets import force_bytes
from watchword.dropin.jose import constants, jwk
from watchword.dropin.jose._reading import BoundKey, bound_for
from watchword.dropin.jose.backends import native
from watchword.dropin.jose.backends.base import Key
from watchword.dropin.jose.constants import ALGORITHMS, ZIPS
from watchword.dropin.jose.exceptions import (
    JWEAlgorithmUnsupportedError, JWEError, JWEInvalidAuth, JWEKeyError, JWEParseError, JWKError,
)  # fmt: skip

__all__ = ["decrypt", "encrypt", "get_unverified_header"]

_SEGMENTS: Final = 5


def encrypt(
    plaintext: str | bytes,
    key: Any,
    encryption: str = ALGORITHMS.A256GCM,
    algorithm: str = ALGORITHMS.DIR,
    zip: str | None = None,  # noqa: A002 -- python-jose's name
    cty: str | None = None,
    kid: str | None = None,
) -> bytes:
    """A compact JWE of `plaintext`.

    Args:
        plaintext: text or octets.
        key: the recipient's: a secret, a public key in PEM, a certificate, a JWK, or a `Key`.
        encryption: the content encryption (`enc`).
        algorithm: how the recipient gets its key (`alg`); "dir": `key` encrypts the content itself.
        zip: "DEF" compresses first, as python-jose does, in zlib's format (RFC 1950): nobody else reads that. What an attacker can
            mix into the plaintext then shows in its length (RFC 8725 §3.6).
        cty: what is encrypted: "JWT", for one.
        kid: the name of the key.

    Raises:
        JWEError: the key is not for this algorithm (`JWEKeyError`), or there is no such algorithm or compression.

    >>> decrypt(encrypt("hello", bytes(32)), bytes(32))
    b'hello'
    """
    for name in (algorithm, encryption):
        if name not in ALGORITHMS.SUPPORTED:
            raise JWEAlgorithmUnsupportedError(f"Algorithm {str(name)[:32]} not supported.")
    if encryption not in ALGORITHMS.AES_JWE_ENC or zip not in ZIPS.SUPPORTED:
        raise JWEAlgorithmUnsupportedError(
            "encryption= is one of ALGORITHMS.AES_JWE_ENC, and zip= one of ZIPS.SUPPORTED"
        )
    row = algorithm_named(encryption)
    optional = {"zip": zip, "cty": cty, "kid": kid}
    header = {"alg": algorithm, "enc": encryption, **{name: value for name, value in optional.items() if value}}
    head = b64url_encode(json.dumps(header, separators=(",", ":"), sort_keys=True).encode())
    cek, encrypted_key = _content_key(key, algorithm, row)
    iv = native.get_random_bytes(content.iv_size(row))
    octets = force_bytes(plaintext)
    ciphertext, tag = content.seal(row, cek, iv, content.deflate(octets, zlib_header=True) if zip else octets, head)
    return b".".join([head, *(b64url_encode(part) for part in (encrypted_key, iv, ciphertext, tag))])


def decrypt(jwe_str: str | bytes, key: Any) -> bytes:
    """What a JWE says.

    Args:
        jwe_str: the JWE.
        key: a secret, a private key in PEM, a JWK, or a `Key`, which decrypts what is encrypted by its own algorithm alone.

    Raises:
        JWEError: `JWEParseError` if it can't be read, `JWEKeyError` if the key is not for it, `JWEInvalidAuth` for whatever goes wrong
            with a secret.
    """
    limit = constants.JWE_SIZE_LIMIT
    token = _octets(jwe_str)
    if len(token) > limit:
        raise JWEError(f"JWE string {len(token)} bytes exceeds {limit} bytes")
    header = _header(_split(token)[0])
    alg, enc = header.get("alg"), header.get("enc")
    if not isinstance(alg, str) or not isinstance(enc, str):
        raise JWEParseError("alg and enc headers are required!")
    for name in (alg, enc):
        if name not in ALGORITHMS.SUPPORTED:
            raise JWEAlgorithmUnsupportedError(f"Algorithm {name[:32]} not supported.")
    policy = DecryptionPolicy(max_inflated=limit, allow_rsa1_5=True, max_token=limit)
    try:
        opened = decryption.unseal(token, _recipient(key, alg, enc), policy=policy).plaintext
    except Rejected as error:
        raise _refusal(error) from None
    return _inflated(opened, limit) if "zip" in header else opened


def get_unverified_header(jwe_str: str | bytes) -> dict[str, Any]:
    """The header, not verified: to choose a key by `kid`, never to be believed.

    Raises:
        JWEParseError: it can't be read.
    """
    return _header(_split(_octets(jwe_str))[0])


def _octets(token: str | bytes) -> bytes:
    try:
        return force_bytes(token)
    except (TypeError, ValueError) as error:
        raise JWEParseError(str(error)) from None


def _split(token: bytes) -> list[bytes]:
    parts = token.split(b".", _SEGMENTS)
    if len(parts) != _SEGMENTS:
        raise JWEParseError("Not enough segments" if len(parts) < _SEGMENTS else "Too many segments")
    return parts


def _header(head: bytes) -> dict[str, Any]:
    try:
        return _compact.read_header(head)
    except _compact.Unreadable as error:
        raise JWEParseError(str(error)) from None


def _content_key(key: Any, algorithm: str, row: Algorithm) -> tuple[bytes, bytes]:
    """The content encryption key, and what of it is sent."""
    try:
        if algorithm == ALGORITHMS.DIR:
            return _direct(key, row.name).secret_bytes(), b""
        cek = native.get_random_bytes(row.minimum)
        return cek, (key if isinstance(key, Key) else jwk.construct(key, algorithm)).wrap_key(cek)
    except JWKError as error:
        raise JWEKeyError(str(error)) from None
    except NotImplementedError:
        raise JWEKeyError(f"a key for {algorithm} encrypts no other key") from None


def _recipient(key: Any, alg: str, enc: str) -> NativeKey:
    try:
        return _direct(key, enc) if alg == ALGORITHMS.DIR else _native(bound_for(getattr(key, "bound", key), alg), alg)
    except JWKError as error:
        raise JWEKeyError(str(error)) from None


def _direct(key: Any, enc: str) -> NativeKey:
    """The key that encrypts content itself: it is for one content encryption."""
    key = getattr(key, "bound", key)
    if isinstance(key, Key):  # a DIRKey
        key = {name: value for name, value in key.to_dict().items() if name != "alg"}
    if isinstance(key, Mapping):
        key = {name: value for name, value in key.items() if (name, value) != ("alg", ALGORITHMS.DIR)}
    return _native(bound_for(key, enc), enc)


def _native(key: BoundKey, algorithm: str) -> NativeKey:
    if not isinstance(key, NativeKey):
        raise JWKError(f"this key is not for {algorithm}")
    return key


def _refusal(error: Rejected) -> JWEError:
    where, detail = error.rejection.where, error.rejection.detail
    if error.reason is Reason.WRONG_SIGNATURE:
        return JWEInvalidAuth(f"Invalid JWE Auth Tag: {detail}")
    if error.reason in (Reason.WRONG_ALGORITHM, Reason.UNKNOWN_CRITICAL):
        return JWEAlgorithmUnsupportedError(f"{detail}: {where}")
    if error.reason is Reason.UNKNOWN_KEY:
        return JWEKeyError(detail)
    return JWEParseError(f"{detail}: {where}")


def _inflated(compressed: bytes, limit: int) -> bytes:
    """What was compressed as RFC 7516 §4.1.3 says, or in python-jose's way."""
    refusal = ""
    for zlib_header in (True, False):
        try:
            return content.inflate(compressed, limit, zlib_header=zlib_header)
        except Rejected as error:
            if error.reason is Reason.HEADER_TOO_LARGE:
                raise JWEError(f"Decompressed JWE string exceeds {limit} bytes") from None
            refusal = error.rejection.detail
    raise JWEError(refusal)
