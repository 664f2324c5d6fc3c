"""A key: it carries exactly one algorithm, and one explicit constructor reads each format."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from watchword.core.rejection import ConfigurationError
from watchword.crypto.algorithms import Algorithm, algorithm_named
from watchword.crypto.digests import keyed_hmac
from watchword.crypto.encoding import b64url_decode
from watchword.crypto.public_spellings import looks_like_a_key_file

__all__ = ["Key"]

Sign = Callable[[bytes], bytes]
Check = Callable[[bytes, bytes], None]


class Key:
    """A key for one signature algorithm; immutable. Made by `from_secret`, `from_pem`, `from_jwk` or `generate`.

    `algorithm` is JOSE's name, `key_id` may be None, `can_sign` is False for a public key. `verifier` and `signer` are
    the prepared operations behind `verify` and `sign`, for callers who do nothing else all day.

    >>> key = Key.from_secret(bytes(32), algorithm="HS256", key_id="k1")
    >>> key
    Key(HS256, key_id='k1', secret)
    >>> key.verify(b"data", key.sign(b"data"))
    >>> key.verify(b"other", key.sign(b"data"))
    Traceback (most recent call last):
    ...
    watchword.core.rejection.Rejected: wrong_signature at signature: the signature does not fit
    """

    __slots__ = ("_material", "_secret", "algorithm", "can_sign", "key_id", "signer", "verifier")

    algorithm: str
    key_id: str | None
    can_sign: bool
    verifier: Check
    signer: Sign
    _secret: bytes | None
    _material: tuple[Any, Any] | None

    def __init__(self) -> None:
        raise ConfigurationError("make a key with Key.from_secret, Key.from_pem, Key.from_jwk or Key.generate")

    @classmethod
    def from_secret(cls, secret: str | bytes, *, algorithm: str, key_id: str | None = None) -> Key:
        """A shared secret, for the HMAC algorithms (RFC 7518 §3.2).

        Args:
            secret: its octets; text is encoded as UTF-8, not decoded from base64 or hex.
            algorithm: "HS256" ("hmac-sha256" is the same), "HS384" or "HS512".
            key_id: the name by which peers refer to it.

        Raises:
            ConfigurationError: too short, a public or private key in any spelling, or not an HMAC algorithm.

        >>> Key.from_secret("your_secret_key", algorithm="HS256")
        Traceback (most recent call last):
        ...
        watchword.core.rejection.ConfigurationError: HS256 needs a secret of at least 32 bytes (RFC 7518 §3.2), this one
        has 15; make one with Key.generate("HS256")
        """
        row = algorithm_named(algorithm)
        if row.family != "HMAC":
            raise ConfigurationError(
                f"{row.name} needs a {row.key_type} key, not a secret: use Key.from_pem, Key.from_jwk or Key.generate"
            )
        octets = _octets(secret, "a secret")
        if looks_like_a_key_file(octets):
            raise ConfigurationError(
                "this is a public or private key (PEM, DER, SSH or JWK), and a public key is no secret; "
                "load it with Key.from_pem or Key.from_jwk for its own algorithm (RFC 8725 §2.1)"
            )
        if len(octets) < row.minimum:
            raise ConfigurationError(
                f"{row.name} needs a secret of at least {row.minimum} bytes (RFC 7518 §3.2), this one has {len(octets)}; "
                f'make one with Key.generate("{row.name}")'
            )
        sign, check = keyed_hmac(row.hash, octets)
        return cls._made(row, key_id, check, sign, octets)

    @classmethod
    def from_pem(cls, pem: str | bytes, *, algorithm: str, key_id: str | None = None) -> Key:
        """A public or private key in PEM (RFC 7468).

        Raises:
            ConfigurationError: not such a key, encrypted, too small, or not for this algorithm.
        """
        row = _asymmetric_row(algorithm)
        from watchword.crypto import asymmetric  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        return cls._pair(row, key_id, *asymmetric.load_pem(row, _octets(pem, "a PEM")))

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any], *, algorithm: str | None = None) -> Key:
        """A key in a JWK (RFC 7517 §4), with the key id that it names.

        Args:
            jwk: the members, parsed.
            algorithm: needed if the JWK has no `alg`, which else must say the same.

        Raises:
            ConfigurationError: malformed, not for signatures, or not for this algorithm.

        >>> Key.from_jwk({"kty": "oct", "k": "A" * 43, "alg": "HS256", "kid": "k1"})
        Key(HS256, key_id='k1', secret)
        """
        from watchword.crypto.jwk import row_of  # noqa: PLC0415 -- most programs read no JWK

        row = row_of(jwk, algorithm)
        key_id = jwk.get("kid")
        if key_id is not None and not isinstance(key_id, str):
            raise ConfigurationError("a JWK's kid is a text (RFC 7517 §4.5)")
        if row.family == "HMAC":
            value = jwk.get("k")
            try:
                octets = b64url_decode(value.encode()) if isinstance(value, str) else b""
            except ValueError:
                raise ConfigurationError("a JWK's k is base64url without padding (RFC 7518 §6.4.1)") from None
            return cls.from_secret(octets, algorithm=row.name, key_id=key_id)
        from watchword.crypto import asymmetric  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        return cls._pair(row, key_id, *asymmetric.load_jwk(row, jwk))

    @classmethod
    def generate(
        cls, algorithm: str, *, key_id: str | None = None, random: Callable[[int], bytes] | None = None
    ) -> Key:
        """A new key of the least size that its algorithm allows.

        Args:
            algorithm: any of the table's.
            key_id: the name by which peers refer to it.
            random: n unpredictable bytes, for HMAC algorithms; OpenSSL makes the others from its own.

        Raises:
            ConfigurationError: unknown algorithm, or `random` for one that can't use it.
        """
        row = algorithm_named(algorithm)
        if row.family == "HMAC":
            return cls.from_secret((random or os.urandom)(row.minimum), algorithm=row.name, key_id=key_id)
        if random is not None:
            raise ConfigurationError(f"{row.name} keys are made by OpenSSL from its own randomness: leave random= out")
        from watchword.crypto import asymmetric  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        return cls._pair(row, key_id, *asymmetric.generate(row))

    @classmethod
    def _pair(cls, row: Algorithm, key_id: str | None, public: Any, private: Any) -> Key:
        from watchword.crypto import asymmetric  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        sign = None if private is None else asymmetric.signer(row, private)
        return cls._made(row, key_id, asymmetric.verifier(row, public), sign, None, (public, private))

    @classmethod
    def _made(
        cls,
        row: Algorithm,
        key_id: str | None,
        check: Check,
        sign: Sign | None,
        secret: bytes | None,
        material: tuple[Any, Any] | None = None,
    ) -> Key:
        if key_id is not None and not isinstance(key_id, str):
            raise ConfigurationError("a key id is a text")
        self = object.__new__(cls)
        self.algorithm = row.name
        self.key_id = key_id
        self.can_sign = sign is not None
        self.verifier = check
        self.signer = _cannot_sign if sign is None else sign
        self._secret = secret
        self._material = material
        return self

    def sign(self, data: bytes) -> bytes:
        """The signature or MAC of `data`, as JWS has it: r || s for ECDSA (RFC 7518 §3.4).

        Raises:
            ConfigurationError: this is a public key.
        """
        return self.signer(data)

    def verify(self, data: bytes, signature: bytes) -> None:
        """Nothing, if `signature` is this key's for `data`.

        Raises:
            Rejected: WRONG_SIGNATURE.
        """
        self.verifier(data, signature)

    def secret_bytes(self) -> bytes:
        """The shared secret, in the clear.

        Raises:
            ConfigurationError: this key isn't a shared secret.
        """
        if self._secret is None:
            raise ConfigurationError(f"a key for {self.algorithm} is no shared secret")
        return self._secret

    def to_jwk(self, *, private: bool = False) -> dict[str, str]:
        """The key as the members of a JWK (RFC 7517 §4); of its private part or secret only if `private` says so.

        Raises:
            ConfigurationError: a shared secret without `private`, or a public key with it.

        >>> Key.generate("EdDSA", key_id="k1").to_jwk().keys()
        dict_keys(['kty', 'crv', 'x', 'alg', 'use', 'kid'])
        """
        from watchword.crypto.jwk import jwk_of  # noqa: PLC0415 -- as in from_jwk

        return jwk_of(self, self._material, private)

    def thumbprint(self) -> str:
        """What names this key wherever it is: SHA-256 over its public members, in base64url (RFC 7638).

        Of a secret it is a hash of the secret: don't publish it (RFC 7638 §7).
        """
        from watchword.crypto.jwk import thumbprint_of  # noqa: PLC0415 -- as in from_jwk

        return thumbprint_of(self.to_jwk(private=self._secret is not None))

    def __repr__(self) -> str:
        kind = "secret" if self._secret is not None else "private" if self.can_sign else "public"
        return f"Key({self.algorithm}, key_id={self.key_id!r}, {kind})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a key is not pickled or copied: make it anew from its PEM, JWK or secret, or share the object")


def _octets(value: object, what: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:  # its text would show the secret
            raise ConfigurationError(f"{what} holds a lone surrogate, which has no UTF-8") from None
    raise ConfigurationError(f"{what} is str or bytes, not {type(value).__name__}")


def _cannot_sign(data: bytes) -> NoReturn:
    raise ConfigurationError("a public key can't sign: load the private key")


def _asymmetric_row(algorithm: str) -> Algorithm:
    row = algorithm_named(algorithm)
    if row.family == "HMAC":
        raise ConfigurationError(f"{row.name} takes a shared secret: use Key.from_secret or Key.generate")
    return row
