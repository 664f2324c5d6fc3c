"""How the content encryption key reaches the recipient (RFC 7518 §4): one function for each side, by the key's family.

`check` judges everything that a header says before a secret is used. After that nothing fails visibly: `recover` gives
a random key where the real one can't be had, so that only the content's tag tells (RFC 7516 §11.5, RFC 3218 §2.3.2).
Imported when something is encrypted or decrypted, never before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import pbkdf2_hmac
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.algorithms import Algorithm, algorithm_named
from watchword.crypto.asymmetric import HASHES, curve_of, jwk_members, public_jwk
from watchword.crypto.encoding import b64url_decode, b64url_encode
from watchword.crypto.keys import Key

__all__ = ["MIN_ITERATIONS", "Provided", "check", "provide", "recover", "unwrap", "wrap"]

MIN_ITERATIONS = 1000
"""RFC 7518 §4.8.1.2 recommends no fewer."""

_MIN_SALT = 8  # octets, RFC 7518 §4.8.1.1
_GCM_IV, _GCM_TAG = 12, 16
_WRAPPING = 8  # octets that AES key wrap adds (RFC 3394 §2.2.1)

Random = Callable[[int], bytes]


class Provided(NamedTuple):
    """A content encryption key, how it is sent, and the header members that say so."""

    cek: bytes
    encrypted_key: bytes
    members: Mapping[str, object]


def provide(
    key: Key,
    content: Algorithm,
    cek: bytes | None,
    header: Mapping[str, object],
    *,
    iterations: int,
    ephemeral: Key | None,
    random: Random,
) -> Provided:
    """The sender's side.

    Args:
        key: the recipient's.
        content: the row of the content encryption.
        cek: the key that all recipients get; None: one is drawn, or follows from the recipient's.
        header: where `apu` and `apv` may stand.
        iterations: of PBES2.
        ephemeral: the sender's pair for ECDH-ES; None: a new one.
        random: n unpredictable octets.

    Raises:
        ConfigurationError: the key doesn't go with `content` or `cek`.
    """
    row = algorithm_named(key.algorithm)
    if row.family in ("AES-GCM", "AES-CBC-HMAC"):
        if row != content or cek is not None:
            raise ConfigurationError(f"a key used directly is for {row.name} alone, and for one recipient alone")
        return Provided(key.secret_bytes(), b"", {})
    if row.family == "ECDH-ES":
        return _agree(row, key, content, cek, header, ephemeral, random)
    cek = random(content.minimum) if cek is None else cek
    if row.family in ("AES-KW", "RSA-OAEP"):
        return Provided(cek, wrap(row, key, cek), {})
    if row.family == "AES-GCM-KW":
        iv = random(_GCM_IV)
        sealed = AESGCM(key.secret_bytes()).encrypt(iv, cek, None)
        return Provided(cek, sealed[:-_GCM_TAG], {"tag": _text(sealed[-_GCM_TAG:]), "iv": _text(iv)})
    if row.family == "PBES2":
        if iterations < MIN_ITERATIONS:
            raise ConfigurationError(f"iterations= is {MIN_ITERATIONS} or more (RFC 7518 §4.8.1.2)")
        salt = random(16)
        wrapping = _derive(row, key.secret_bytes(), salt, iterations)
        return Provided(cek, aes_key_wrap(wrapping, cek), {"p2s": _text(salt), "p2c": iterations})
    raise ConfigurationError("RSA1_5 is never written, only read where that is allowed: use RSA-OAEP-256")


def wrap(row: Algorithm, key: Key, cek: bytes) -> bytes:
    """A key, encrypted by AES key wrap (RFC 7518 §4.4) or under an RSA key (§4.2, §4.3).

    Raises:
        ConfigurationError: its length is none that AES key wrap takes, or too long for the RSA key.
    """
    try:
        if row.family == "AES-KW":
            return aes_key_wrap(key.secret_bytes(), cek)
        encrypted: bytes = key.openssl_pair()[0].encrypt(cek, _rsa_padding(row))
    except ValueError:
        raise ConfigurationError(f"{row.name} can't encrypt a key of {len(cek)} octets") from None
    return encrypted


def unwrap(row: Algorithm, key: Key, encrypted_key: bytes) -> bytes:
    """What `wrap` encrypted. To decrypt content use `recover`, which tells nobody that a key was wrong.

    Raises:
        ValueError: it is not for this key. Under RSA1_5 wrong padding gives random octets instead: OpenSSL answers it with octets
            of its own (implicit rejection, since 3.2).
    """
    try:
        if row.family == "AES-KW":
            return aes_key_unwrap(key.secret_bytes(), encrypted_key)
        opened: bytes = key.openssl_pair()[1].decrypt(encrypted_key, _rsa_padding(row))
    except (ValueError, InvalidUnwrap):
        raise ValueError("it was not encrypted for this key, or was changed") from None
    return opened


def check(row: Algorithm, content: Algorithm, header: Mapping[str, Any], encrypted_key: bytes, ceiling: int) -> None:
    """Nothing, if the header says what a recipient needs to know and asks for no more work than it may.

    Args:
        row: of the recipient's key.
        content: the row of the content encryption.
        header: all members, protected or not.
        encrypted_key: as sent.
        ceiling: the most iterations of PBES2.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    direct = row.family in ("AES-GCM", "AES-CBC-HMAC") or (row.family == "ECDH-ES" and not row.size)
    if direct and encrypted_key:  # RFC 7516 §5.2, steps 10 and 11
        raise _malformed("encrypted_key", "a key that is used directly is not sent")
    wrapped = content.minimum + (0 if row.family == "AES-GCM-KW" else _WRAPPING)
    if not direct and row.key_type != "RSA" and len(encrypted_key) != wrapped:
        raise _malformed("encrypted_key", f"{len(encrypted_key)} octets where {row.name} makes {wrapped}")
    if row.family == "AES-GCM-KW":
        if len(_octets(header, "iv")) != _GCM_IV or len(_octets(header, "tag")) != _GCM_TAG:
            raise _malformed("iv", "an iv has 96 bits and a tag 128 (RFC 7518 §4.7.1)")
    elif row.family == "ECDH-ES":
        if not isinstance(header.get("epk"), dict):
            raise _malformed("epk", "no ephemeral public key (RFC 7518 §4.6.1.1)")
        _parties(header)
    elif row.family == "PBES2":
        count = header.get("p2c")
        if type(count) is not int or not MIN_ITERATIONS <= count <= ceiling:
            raise _malformed("p2c", f"not a number of iterations from {MIN_ITERATIONS} to {ceiling}")
        if len(_octets(header, "p2s")) < _MIN_SALT:
            raise _malformed("p2s", "a salt of less than 8 octets (RFC 7518 §4.8.1.1)")


def recover(
    row: Algorithm, key: Key, content: Algorithm, header: Mapping[str, Any], encrypted_key: bytes, random: Random
) -> bytes:
    """The recipient's side: the content encryption key, or a random one in its place. `check` has passed.

    Raises:
        Rejected: MALFORMED_CREDENTIALS, for an `epk` that is no key on the curve of ours.
    """
    if row.family in ("AES-GCM", "AES-CBC-HMAC"):
        return key.secret_bytes()
    wrapping = _shared(row, key, content, header) if row.family == "ECDH-ES" else b""
    if row.family == "ECDH-ES" and not row.size:
        return wrapping
    substitute = random(content.minimum)  # always drawn, so that drawing it tells nothing
    try:
        found = _unwrap(row, key, wrapping, header, encrypted_key)
    except (ValueError, InvalidUnwrap, InvalidTag):
        found = b""
    return found if len(found) == content.minimum else substitute


def _unwrap(row: Algorithm, key: Key, wrapping: bytes, header: Mapping[str, Any], encrypted_key: bytes) -> bytes:
    if row.family == "ECDH-ES":
        return aes_key_unwrap(wrapping, encrypted_key)
    if row.family == "AES-GCM-KW":
        return AESGCM(key.secret_bytes()).decrypt(_octets(header, "iv"), encrypted_key + _octets(header, "tag"), None)
    if row.family == "PBES2":
        wrapping = _derive(row, key.secret_bytes(), _octets(header, "p2s"), header["p2c"])
        return aes_key_unwrap(wrapping, encrypted_key)
    return unwrap(row, key, encrypted_key)


def _rsa_padding(row: Algorithm) -> padding.AsymmetricPadding:
    """RFC 7518 §4.2, §4.3: OAEP has MGF1 with the same hash, and no label."""
    if row.family == "RSA1_5":
        return padding.PKCS1v15()
    return padding.OAEP(padding.MGF1(HASHES[row.hash]), HASHES[row.hash], None)


def _derive(row: Algorithm, password: bytes, salt: bytes, iterations: int) -> bytes:
    """RFC 7518 §4.8.1.1: the salt is that of the header after the name of the algorithm."""
    return pbkdf2_hmac(row.hash, password, row.name.encode() + b"\0" + salt, iterations, row.size)


def _agree(
    row: Algorithm,
    key: Key,
    content: Algorithm,
    cek: bytes | None,
    header: Mapping[str, object],
    ephemeral: Key | None,
    random: Random,
) -> Provided:
    public = key.openssl_pair()[0]
    curve = curve_of(public)
    pair = (ephemeral or Key.generate("ECDH-ES", curve=curve)).openssl_pair()
    if curve_of(pair[0]) != curve or pair[1] is None:
        raise ConfigurationError(f"ephemeral= is a private key on {curve}, as the recipient's is")
    try:
        parties = _parties(header)
    except Rejected as error:
        raise ConfigurationError(f"apu and apv: {error.rejection.detail}") from None
    agreed = _kdf(row, content, _exchange(pair[1], public), *parties)
    members = {"epk": jwk_members(pair[0], None)}
    if not row.size:
        if cek is not None:
            raise ConfigurationError("ECDH-ES alone agrees on a key with one recipient: use ECDH-ES+A256KW for several")
        return Provided(agreed, b"", members)
    cek = random(content.minimum) if cek is None else cek
    return Provided(cek, aes_key_wrap(agreed, cek), members)


def _shared(row: Algorithm, key: Key, content: Algorithm, header: Mapping[str, Any]) -> bytes:
    public, private = key.openssl_pair()
    try:
        # Refuses another curve, and a point that isn't on it, before our secret is used (RFC 7748 §6, CVE-2017-16007).
        agreed = _exchange(private, public_jwk(curve_of(public), header["epk"]))
    except ValueError:
        raise _malformed("epk", "no public key on the curve of the recipient's key (RFC 7518 §4.6.1.1)") from None
    return _kdf(row, content, agreed, *_parties(header))


def _exchange(private: Any, public: Any) -> bytes:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.exchange(ec.ECDH(), public)
    agreed: bytes = private.exchange(public)  # a ValueError if it is all zeros (RFC 7748 §6.1)
    return agreed


def _kdf(row: Algorithm, content: Algorithm, agreed: bytes, apu: bytes, apv: bytes) -> bytes:
    """RFC 7518 §4.6.2: Concat KDF, for the content key itself or for the one that wraps it."""
    name, size = (row.name, row.size) if row.size else (content.name, content.minimum)
    info = b"".join(len(part).to_bytes(4) + part for part in (name.encode(), apu, apv)) + (size * 8).to_bytes(4)
    return ConcatKDFHash(HASHES["sha256"], size, info).derive(agreed)


def _parties(header: Mapping[str, Any]) -> tuple[bytes, bytes]:
    return tuple(_octets(header, name) if name in header else b"" for name in ("apu", "apv"))  # type: ignore[return-value]


def _octets(header: Mapping[str, Any], name: str) -> bytes:
    value = header.get(name)
    try:
        if isinstance(value, str):
            return b64url_decode(value.encode("ascii"))
    except ValueError:
        pass
    raise _malformed(name, "this header member has to be base64url")


def _text(octets: bytes) -> str:
    return b64url_encode(octets).decode()


def _malformed(where: str, detail: str) -> Rejected:
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=where)
