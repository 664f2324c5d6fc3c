"""A key: it carries exactly one algorithm, and one explicit constructor reads each format."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from watchword.structures.in_process import InProcess
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.algorithms import AGREEMENT_CURVES, Algorithm, algorithm_named
from watchword.crypto.digests import keyed_hmac
from watchword.crypto.encoding import b64url_decode
from watchword.crypto.keys.jwk import jwk_of, permitted_operations, row_of, thumbprint_of
from watchword.crypto.public_spellings import refuse_key_files

__all__ = ["Key", "check_key"]

Sign = Callable[[bytes], bytes]
Check = Callable[[bytes, bytes], None]


class Key(InProcess):
    """A key for one algorithm; immutable. Made by `generate` or by the constructor for what it is kept in.

    `algorithm` is JOSE's name, `use` "sig" or "enc": a key for signatures never decrypts, one for encryption never
    verifies. `operations` are those of "sign", "verify", "encrypt", "decrypt" that it may and can do; `can_sign` says
    whether the first is among them. `key_id` may be None. `verifier` and `signer` are the prepared operations behind
    `verify` and `sign`, for callers who do nothing else all day.

    >>> key = Key.from_secret(bytes(32), algorithm="HS256", key_id="k1")
    >>> key
    Key(HS256, key_id='k1', secret)
    >>> key.verify(b"data", key.sign(b"data"))
    >>> key.verify(b"other", key.sign(b"data"))
    Traceback (most recent call last):
    ...
    watchword.core.rejection.Rejected: wrong_signature at signature: the signature does not fit
    """

    __slots__ = (
        "_material", "_secret", "algorithm", "can_sign", "key_id", "operations", "signer", "use", "verifier",
    )  # fmt: skip

    algorithm: str
    key_id: str | None
    use: str
    operations: frozenset[str]
    can_sign: bool
    verifier: Check
    signer: Sign
    _secret: bytes | None
    _material: tuple[Any, Any] | None

    def __init__(self) -> None:
        raise ConfigurationError(
            "make a key with Key.from_secret, from_pem, from_der, from_jwk, from_certificate or generate"
        )

    @classmethod
    def from_secret(cls, secret: str | bytes, *, algorithm: str, key_id: str | None = None) -> Key:
        """A shared secret, for HMAC (RFC 7518 §3.2), AES (§4.4, §4.7, §5) or PBES2 (§4.8).

        Args:
            secret: its octets; text is encoded as UTF-8, not decoded from base64 or hex.
            algorithm: "HS256" ("hmac-sha256" is the same), "A256KW", "PBES2-HS256+A128KW", …; "A256GCM" and the other
                content encryptions for a key that is used directly.
            key_id: the name by which peers refer to it.

        Raises:
            ConfigurationError: of the wrong length, a public or private key in any spelling, or not such an algorithm.

        >>> Key.from_secret("your_secret_key", algorithm="HS256")
        Traceback (most recent call last):
        ...
        watchword.core.rejection.ConfigurationError: HS256 needs a secret of at least 32 bytes (RFC 7518 §3.2), this one
        has 15; make one with Key.generate("HS256")
        """
        row = algorithm_named(algorithm)
        if row.key_type != "oct":
            raise ConfigurationError(
                f"{row.name} needs a {row.key_type} key, not a secret: use Key.from_pem, Key.from_jwk or Key.generate"
            )
        octets = _octets(secret, "a secret")
        refuse_key_files(octets)
        return cls.from_checked(octets, row, key_id)

    @classmethod
    def from_checked(cls, octets: bytes, row: Algorithm, key_id: str | None) -> Key:
        """`from_secret` of octets that are known to be no key in a file; for records, which look when they are made.

        Raises:
            ConfigurationError: of the wrong length.
        """
        exact = row.family.startswith("AES")
        if len(octets) < row.minimum or (exact and len(octets) != row.minimum):
            section = {"HMAC": "§3.2", "PBES2": "§8.8"}.get(row.family, "§4.4, §5")
            raise ConfigurationError(
                f"{row.name} needs a secret of {'exactly' if exact else 'at least'} {row.minimum} bytes "
                f'(RFC 7518 {section}), this one has {len(octets)}; make one with Key.generate("{row.name}")'
            )
        return cls._made(row, key_id, secret=octets)

    @classmethod
    def from_pem(
        cls, pem: str | bytes, *, algorithm: str, key_id: str | None = None, password: str | bytes | None = None
    ) -> Key:
        r"""A public or private key in PEM (RFC 7468), or in OpenSSH's forms: a line of a public key, a private key's file.

        Args:
            pem: the text. Line ends may be spelt as "\n" and quotes may be around it, as in a `.env`; certificates may be there
                too, if one is the key's.
            algorithm: the one that the key is for.
            key_id: the name by which peers refer to it.
            password: of an encrypted private key.

        Raises:
            ConfigurationError: no such key or several, encrypted, too small, or not for this algorithm.
        """
        row = _asymmetric_row(algorithm)
        from watchword.crypto import asymmetric, key_texts  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        public, private = key_texts.read_pem(_octets(pem, "a PEM"), _password(password))
        return cls._pair(row, key_id, asymmetric.checked(row, public), private)

    @classmethod
    def from_der(
        cls, der: bytes, *, algorithm: str, key_id: str | None = None, password: str | bytes | None = None
    ) -> Key:
        """A public or private key in DER: SubjectPublicKeyInfo (RFC 5280 §4.1), PKCS #8 (RFC 5958), PKCS #1 or SEC 1.

        Args:
            der: its octets.
            algorithm: the one that the key is for.
            key_id: the name by which peers refer to it.
            password: of an encrypted private key.

        Raises:
            ConfigurationError: not such a key, encrypted, too small, or not for this algorithm.
        """
        row = _asymmetric_row(algorithm)
        if not isinstance(der, bytes):
            raise ConfigurationError(f"DER is bytes, not {type(der).__name__}; text is read by Key.from_pem")
        from watchword.crypto import asymmetric, key_texts  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        public, private = key_texts.read_der(der, _password(password))
        return cls._pair(row, key_id, asymmetric.checked(row, public), private)

    @classmethod
    def from_certificate(cls, certificate: str | bytes, *, algorithm: str, key_id: str | None = None) -> Key:
        """The public key of an X.509 certificate (RFC 5280), in PEM or DER.

        You say that the certificate is to be trusted: its chain, its dates and what else it holds are not looked at.

        Raises:
            ConfigurationError: not one certificate, or its key is too small or not for this algorithm.
        """
        row = _asymmetric_row(algorithm)
        from watchword.crypto import asymmetric, key_texts  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        public = key_texts.read_certificate(_octets(certificate, "a certificate"))
        return cls._pair(row, key_id, asymmetric.checked(row, public), None)

    @classmethod
    def from_openssl(cls, key: object, *, algorithm: str, key_id: str | None = None) -> Key:
        """A public or private key that is loaded already: an object of `cryptography`.

        Raises:
            ConfigurationError: not such an object, too small, or not for this algorithm.
        """
        row = _asymmetric_row(algorithm)
        from watchword.crypto import asymmetric  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        return cls._pair(row, key_id, *asymmetric.load_object(row, key))

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any], *, algorithm: str | None = None) -> Key:
        """A key in a JWK (RFC 7517 §4), with the key id that it names; certificates in it (`x5c`, `x5u`) are ignored.

        Args:
            jwk: the members, parsed.
            algorithm: needed if the JWK has no `alg`, which else must say the same.

        Raises:
            ConfigurationError: malformed, meant for something else (`use`, `key_ops`), or not for this algorithm.

        >>> Key.from_jwk({"kty": "oct", "k": "A" * 43, "alg": "HS256", "kid": "k1"})
        Key(HS256, key_id='k1', secret)
        """
        row = row_of(jwk, algorithm)
        permitted = permitted_operations(jwk, row)
        key_id = jwk.get("kid")
        if key_id is not None and not isinstance(key_id, str):
            raise ConfigurationError("a JWK's kid is a text (RFC 7517 §4.5)")
        if row.key_type == "oct":
            value = jwk.get("k")
            try:
                octets = b64url_decode(value.encode()) if isinstance(value, str) else b""
            except ValueError:
                raise ConfigurationError("a JWK's k is base64url without padding (RFC 7518 §6.4.1)") from None
            return cls.from_secret(octets, algorithm=row.name, key_id=key_id)._only(permitted)  # noqa: SLF001 -- our own
        from watchword.crypto import asymmetric  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        return cls._pair(row, key_id, *asymmetric.load_jwk(row, jwk))._only(permitted)  # noqa: SLF001 -- our own

    @classmethod
    def generate(
        cls,
        algorithm: str,
        *,
        key_id: str | None = None,
        curve: str | None = None,
        random: Callable[[int], bytes] | None = None,
    ) -> Key:
        """A new key of the least size that its algorithm allows.

        Args:
            algorithm: any of the table's.
            key_id: the name by which peers refer to it.
            curve: for ECDH-ES, whose keys may be on "P-256" (so if None), "P-384", "P-521", "X25519" or "X448".
            random: n unpredictable bytes, for secrets; OpenSSL makes the others from its own.

        Raises:
            ConfigurationError: unknown algorithm, or `curve` or `random` for one that can't use it.
        """
        row = algorithm_named(algorithm)
        if curve is not None and (row.family != "ECDH-ES" or curve not in AGREEMENT_CURVES):
            raise ConfigurationError(f"{row.name} has no choice of a curve {curve[:16]!r}: leave curve= out")
        if row.key_type == "oct":
            return cls.from_secret((random or os.urandom)(row.minimum), algorithm=row.name, key_id=key_id)
        if random is not None:
            raise ConfigurationError(f"{row.name} keys are made by OpenSSL from its own randomness: leave random= out")
        from watchword.crypto import asymmetric  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

        return cls._pair(row, key_id, *asymmetric.generate(row, curve or ""))

    @classmethod
    def _pair(cls, row: Algorithm, key_id: str | None, public: Any, private: Any) -> Key:
        return cls._made(row, key_id, material=(public, private))

    @classmethod
    def _made(
        cls,
        row: Algorithm,
        key_id: str | None,
        *,
        secret: bytes | None = None,
        material: tuple[Any, Any] | None = None,
    ) -> Key:
        if key_id is not None and not isinstance(key_id, str):
            raise ConfigurationError("a key id is a text")
        self = object.__new__(cls)
        self.algorithm = row.name
        self.use = row.use
        self.key_id = key_id
        self._secret = secret
        self._material = material
        public, private = ("verify", "sign") if row.use == "sig" else ("encrypt", "decrypt")
        self.operations = frozenset((public, private) if self.is_private else (public,))
        self.verifier, self.signer = _not_for_signatures, _cannot_sign
        if row.use == "sig":
            self._prepare(row)
        self.can_sign = "sign" in self.operations
        return self

    def _prepare(self, row: Algorithm) -> None:
        """Makes what verifies and signs, once."""
        if self._secret is not None:
            self.signer, self.verifier = keyed_hmac(row.hash, self._secret)
        elif self._material is not None:
            from watchword.crypto import asymmetric  # noqa: PLC0415 -- loaded already: it made the material

            public, private = self._material
            self.verifier = asymmetric.verifier(row, public)
            if private is not None:
                self.signer = asymmetric.signer(row, private)

    def _only(self, permitted: frozenset[str]) -> Key:
        """Gives up what its JWK doesn't permit (RFC 7517 §4.3); called while it is made."""
        self.operations &= permitted
        if self.use == "sig" and "verify" not in permitted:
            self.verifier = _may_not_verify
        if "sign" not in permitted:
            self.signer = _cannot_sign
        self.can_sign = "sign" in self.operations
        return self

    @property
    def is_secret(self) -> bool:
        """Whether it is a shared secret."""
        return self._secret is not None

    @property
    def is_private(self) -> bool:
        """Whether there is anything secret in it: a shared secret or a private part."""
        return self._secret is not None or (self._material is not None and self._material[1] is not None)

    def sign(self, data: bytes) -> bytes:
        """The signature or MAC of `data`, as JWS has it: r || s for ECDSA (RFC 7518 §3.4).

        Raises:
            ConfigurationError: this is a public key, or none for signatures.
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

    def openssl_pair(self) -> tuple[Any, Any]:
        """OpenSSL's public and private key, as `cryptography` has them; the second is None for a public key.

        Raises:
            ConfigurationError: this key is a shared secret.
        """
        if self._material is None:
            raise ConfigurationError(f"a key for {self.algorithm} is a shared secret, not a pair")
        return self._material

    def to_jwk(self, *, private: bool = False) -> dict[str, str]:
        """The key as the members of a JWK (RFC 7517 §4); of its private part or secret only if `private` says so.

        Raises:
            ConfigurationError: a shared secret without `private`, or a public key with it.

        >>> Key.generate("EdDSA", key_id="k1").to_jwk().keys()
        dict_keys(['kty', 'crv', 'x', 'alg', 'use', 'kid'])
        """
        return jwk_of(self.algorithm, self.key_id, self._secret, self._material, private)

    def thumbprint(self) -> str:
        """What names this key wherever it is: SHA-256 over its public members, in base64url (RFC 7638).

        Of a secret it is a hash of the secret: don't publish it (RFC 7638 §7).
        """
        return thumbprint_of(self.to_jwk(private=self._secret is not None))

    def __repr__(self) -> str:
        kind = "secret" if self._secret is not None else "private" if self.is_private else "public"
        return f"Key({self.algorithm}, key_id={self.key_id!r}, {kind})"


def check_key(key: object) -> None:
    """Nothing, if it is a `Key`: what merely has the methods of one has none of its promises.

    Raises:
        ConfigurationError: it is something else.
    """
    if not isinstance(key, Key):
        raise ConfigurationError(f"a Key is needed, not {type(key).__name__}: make one with Key.from_…")


def _octets(value: object, what: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:  # its text would show the secret
            raise ConfigurationError(f"{what} holds a lone surrogate, which has no UTF-8") from None
    raise ConfigurationError(f"{what} is str or bytes, not {type(value).__name__}")


def _password(password: str | bytes | None) -> bytes | None:
    return None if password is None else _octets(password, "a password")


def _cannot_sign(data: bytes) -> NoReturn:
    raise ConfigurationError(
        "a public key can't sign, nor can one that is for encryption or only for verifying: load the private key"
    )


def _not_for_signatures(data: bytes, signature: bytes) -> NoReturn:
    raise Rejected(Reason.WRONG_ALGORITHM, "the key is for encryption (RFC 7517 §4.2)", where="alg")


def _may_not_verify(data: bytes, signature: bytes) -> NoReturn:
    raise Rejected(Reason.UNKNOWN_KEY, "the key may sign, not verify (RFC 7517 §4.3)", where="kid")


def _asymmetric_row(algorithm: str) -> Algorithm:
    row = algorithm_named(algorithm)
    if row.key_type == "oct":
        raise ConfigurationError(f"{row.name} takes a shared secret: use Key.from_secret or Key.generate")
    return row
