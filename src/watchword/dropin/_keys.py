"""One key out of whatever PyJWT and python-jose take for one: the algorithm decides how it is read, never the text alone.

A key that RFC 7518 calls too short becomes a `WeakKey`, which their functions warn of. It is no `Key`, and no way leads from
it to one: no verifier, key set or signer of ours takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from watchword.core.rejection import ConfigurationError
from watchword.crypto.algorithms import Algorithm
from watchword.crypto.digests import keyed_hmac
from watchword.crypto.encoding import b64url_decode
from watchword.crypto.keys import Key
from watchword.crypto.keys.jwk import permitted_operations, row_of
from watchword.crypto.public_spellings import refuse_key_files
from watchword.dropin._octets import force_bytes

__all__ = ["BoundKey", "InsecureKeyLengthWarning", "WeakKey", "key_for", "key_from_jwk", "secret_for"]

_BLANK: Final = b"\0 \t\r\n"
_LEAST_RSA: Final = 1024
"""Bits. Below that a key is broken, not weak."""
_CURVES: Final = {"P-256": "secp256r1", "P-384": "secp384r1", "P-521": "secp521r1", "secp256k1": "secp256k1"}
"""What OpenSSL calls JOSE's curves."""


class InsecureKeyLengthWarning(UserWarning):
    """A secret or an RSA key is below the sizes of RFC 7518 §3.2 and §3.3: guess it, and sign whatever you like."""


class WeakKey:
    """A secret or an RSA key below the sizes of RFC 7518 §3.2 and §3.3, for the drop-ins' calls alone.

    `shortness` says what is wrong with it, in PyJWT's words, which programs look for.
    """

    __slots__ = ("_pair", "_secret", "algorithm", "shortness", "sign", "verify")

    def __init__(self, row: Algorithm, secret: bytes | None, pair: tuple[Any, Any] | None, shortness: str) -> None:
        self.algorithm = row.name
        self.shortness = shortness
        self._secret, self._pair = secret, pair
        self.sign: Callable[[bytes], bytes]
        self.verify: Callable[[bytes, bytes], None]
        if secret is not None:
            self.sign, self.verify = keyed_hmac(row.hash, secret)
        elif pair is not None:
            from watchword.crypto import asymmetric  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

            public, private = pair
            self.verify = asymmetric.verifier(row, public)
            self.sign = _public if private is None else _with_room(asymmetric.signer(row, private))

    @property
    def is_secret(self) -> bool:
        """Whether it is a shared secret."""
        return self._secret is not None

    def secret_bytes(self) -> bytes:
        """The shared secret, in the clear."""
        assert self._secret is not None
        return self._secret

    def openssl_pair(self) -> tuple[Any, Any]:
        """The public and the private key, as `cryptography` has them; the second may be None."""
        assert self._pair is not None
        return self._pair

    def __repr__(self) -> str:
        return f"WeakKey({self.algorithm})"


BoundKey = Key | WeakKey


def key_for(key: Any, row: Algorithm) -> BoundKey:
    """`key`, for the algorithm of `row`.

    Args:
        key: a `Key`, a text or octets, or a key of `cryptography`.
        row: the algorithm.

    Raises:
        ConfigurationError: not for it.
        TypeError: nothing that could be one.
    """
    if isinstance(key, BoundKey):
        if key.algorithm != row.name:
            raise ConfigurationError(f"this key is for {key.algorithm}, not for {row.name}")
        return key
    if row.key_type == "oct" and row.use == "enc":
        return Key.from_secret(_octets(key), algorithm=row.name)
    if row.family == "HMAC":
        secret = _octets(key)
        _refuse_public(secret)
        return secret_for(secret, row)
    return _pair_for(key, row)


def secret_for(secret: bytes, row: Algorithm) -> BoundKey:
    """A shared secret, for an HMAC.

    Raises:
        ConfigurationError: it is empty.
    """
    if not secret.strip(_BLANK):  # HMAC fills a key up with NUL (RFC 2104 §2), so those say what the empty one says
        raise ConfigurationError("HMAC key must not be empty.")
    if len(secret) >= row.minimum:
        return Key.from_checked(secret, row, None)
    return WeakKey(
        row, secret, None,
        f"The HMAC key is {len(secret)} bytes long, which is below the minimum recommended length of {row.minimum} bytes for "
        f'{row.hash.upper()}. See RFC 7518 Section 3.2; make one with Key.generate("{row.name}")',
    )  # fmt: skip


def _octets(key: Any) -> bytes:
    try:
        return force_bytes(key)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _refuse_public(secret: bytes) -> None:
    try:
        refuse_key_files(secret)
    except ConfigurationError as error:
        # JSON in UTF-8, -16 or -32, with its mark or without.
        text = secret.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n")
        if text[:1] in (b"{", b"["):
            said = "The specified key looks like a JWK and should not be used directly as an HMAC secret."
        else:
            said = (
                "The specified key is an asymmetric key or x509 certificate and should not be used as an HMAC secret."
            )
        raise ConfigurationError(f"{said} {error}") from None


def _pair_for(key: Any, row: Algorithm) -> BoundKey:
    from watchword.crypto import key_texts  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

    if isinstance(key, (str, bytes)):
        try:
            public, private = key_texts.read_pem(_octets(key))
        except ConfigurationError as error:
            raise ConfigurationError(f"Could not parse the provided public key. {error}") from None
    elif hasattr(key, "private_bytes") or hasattr(key, "public_bytes"):
        public, private = (key, None) if not hasattr(key, "public_key") else (key.public_key(), key)
    elif row.family == "EdDSA":
        raise ConfigurationError(f"Expecting a PEM-formatted key, not {type(key).__name__}.")
    else:
        raise TypeError(f"Expecting a PEM-formatted key, not {type(key).__name__}.")
    weak = _weak_rsa(row, public, private)
    if weak is not None:
        return weak
    curve = getattr(getattr(public, "curve", None), "name", None)
    wanted = _CURVES.get(row.curve or "")
    if curve is not None and wanted not in (None, curve):
        raise ConfigurationError(f"The key is on {curve}, and {row.name} needs one on {wanted} (RFC 7518 Section 3.4)")
    return Key.from_openssl(public if private is None else private, algorithm=row.name)


def _weak_rsa(row: Algorithm, public: Any, private: Any) -> WeakKey | None:
    """The key, if it is one of RSA below RFC 7518's size and nothing else is wrong with it."""
    from watchword.crypto import asymmetric  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

    bits = asymmetric.rsa_bits(public)
    if row.family not in ("RSA", "RSA-PSS") or not _LEAST_RSA <= bits < row.minimum:
        return None
    asymmetric.check_sound(public)
    return WeakKey(
        row, None, (public, private),
        f"The RSA key is {bits} bits long, which is below the minimum recommended size of {row.minimum} bits. "
        f'See NIST SP 800-131A and RFC 7518 Section 3.3; make one with Key.generate("{row.name}")',
    )  # fmt: skip


def key_from_jwk(jwk: Mapping[str, Any], row: Algorithm) -> BoundKey:
    """The key in a JWK (RFC 7517 §4), for one algorithm.

    Raises:
        ConfigurationError: malformed, meant for something else (`use`, `key_ops`, `alg`), or not for this algorithm.
    """
    try:
        row_of(jwk, row.name)
        permitted_operations(jwk, row)
        weak = _weak_in(jwk, row)
        return Key.from_jwk(jwk, algorithm=row.name) if weak is None else weak
    except ValueError as error:  # a ConfigurationError is one
        raise ConfigurationError(f"Unable to construct key from JWK: {error}") from None


def _weak_in(jwk: Mapping[str, Any], row: Algorithm) -> WeakKey | None:
    if row.use != "sig" or row.key_type not in ("oct", "RSA"):
        return None
    value = jwk.get("k" if row.key_type == "oct" else "n")
    if not isinstance(value, str):
        return None  # `Key` says what is wrong
    octets = b64url_decode(value.encode())
    if row.key_type == "oct":
        _refuse_public(octets)
        found = secret_for(octets, row)
        return found if isinstance(found, WeakKey) else None
    if int.from_bytes(octets).bit_length() >= row.minimum:
        return None
    from watchword.crypto import asymmetric  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

    return _weak_rsa(row, *asymmetric.read_jwk(row, jwk))


def _with_room(sign: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def signer(data: bytes) -> bytes:
        try:
            return sign(data)
        except ValueError:
            raise ConfigurationError(
                "this RSA key is too small for the hash of this algorithm (RFC 8017 §9.1.1)"
            ) from None

    return signer


def _public(data: bytes) -> bytes:
    raise ConfigurationError("a public key can't sign: load the private key")
