"""The records of clients' keys: shared ones, and public ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.algorithms import algorithm_named
from watchword.crypto.keys.key import Key
from watchword.crypto.public_spellings import refuse_key_files

__all__ = ["RegisteredKey", "RegisteredPublicKey", "Replaceable"]


class Replaceable:
    """A record of a key that another one may replace, and that may end: the base of such dataclasses."""

    __slots__ = ()

    superseded_by: str | None
    expires: float | None

    @property
    def rotated(self) -> bool:
        """Whether another key replaces it: for `Identity(…, rotated=record.rotated)`."""
        return self.superseded_by is not None

    def check_current(self, now: float, where: str) -> None:
        """That the key is still good at `now` (seconds since the epoch); for who has proven to hold it.

        Raises:
            Rejected: EXPIRED, at `where`.
        """
        if self.expires is None or now < self.expires:
            return
        ago = f"until {now - self.expires:.0f} s ago"
        detail = f"the key was good {ago}" if self.superseded_by is None else f"the key was replaced, and good {ago}"
        raise Rejected(Reason.EXPIRED, detail, where=where, genuine=True)


@dataclass(frozen=True, slots=True)
class RegisteredKey(Replaceable):
    """A client's shared key, at `Ref(RegisteredKey, (key_id,))`.

    A rotation (`store.rotate_key`) registers another key of the same subject under a key id of its own, and gives this
    one an end: while they overlap, both are good and the identity of who uses this one is `rotated`.

    Args:
        subject: who signs with it.
        algorithm: its one algorithm, JOSE's name.
        secret: the shared octets.
        scopes: what its holder may do.
        superseded_by: the key id of the key that replaces it; None: none does.
        expires: from then on it is refused, in seconds since the epoch; None: never.

    Raises:
        ConfigurationError: the secret is a public or private key, in any spelling.

    >>> RegisteredKey("alice", "HS256", bytes(32), superseded_by="alice-2", expires=60.0).rotated
    True
    """

    sensitive: ClassVar[bool] = True

    subject: str
    algorithm: str
    secret: bytes = field(repr=False)
    scopes: tuple[str, ...] = ()
    superseded_by: str | None = None
    expires: float | None = None

    def __post_init__(self) -> None:
        refuse_key_files(self.secret)

    def key(self, key_id: str | None = None) -> Key:
        """The key, which verifies and signs.

        Raises:
            ConfigurationError: `algorithm` is not one of shared keys, or the secret too short for it.
        """
        row = algorithm_named(self.algorithm)
        if row.key_type != "oct":
            raise ConfigurationError(f"{row.name} needs a {row.key_type} key, not a secret")
        return Key.from_checked(self.secret, row, key_id)


@dataclass(frozen=True, slots=True)
class RegisteredPublicKey(Replaceable):
    """A client's public key, at `Ref(RegisteredPublicKey, (key_id,))`: who reads the store can't sign with it.

    Args:
        subject: who signs with the private one.
        algorithm: its one algorithm, JOSE's name or RFC 9421's.
        public: the key in PEM, as SubjectPublicKeyInfo (RFC 5280 §4.1).
        scopes: what its holder may do.
        superseded_by: the key id of the key that replaces it; None: none does.
        expires: from then on it is refused, in seconds since the epoch; None: never.

    >>> RegisteredPublicKey.of("alice", Key.generate("ed25519", key_id="alice-1")).key("alice-1")
    Key(EdDSA, key_id='alice-1', public)
    """

    subject: str
    algorithm: str
    public: str
    scopes: tuple[str, ...] = ()
    superseded_by: str | None = None
    expires: float | None = None

    @classmethod
    def of(cls, subject: str, key: Key, scopes: tuple[str, ...] = ()) -> RegisteredPublicKey:
        """The record of the public part of `key`.

        Raises:
            ConfigurationError: a shared secret, or a key for encryption.
        """
        if key.use != "sig":
            raise ConfigurationError(f"a key for {key.algorithm} is for encryption and signs nothing")
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 -- loads OpenSSL's asymmetric half
            Encoding,
            PublicFormat,
        )

        pem: bytes = key.openssl_pair()[0].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(subject, key.algorithm, pem.decode("ascii"), scopes)

    def key(self, key_id: str | None = None) -> Key:
        """The key, which verifies.

        Raises:
            ConfigurationError: `public` is no such key, or not for `algorithm`.
        """
        return Key.from_pem(self.public, algorithm=self.algorithm, key_id=key_id)
