"""JSON Web Tokens as attackers write them: any header, any claims, any signature (RFC 7519, RFC 8725)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from watchword.core.rejection import ConfigurationError
from watchword.crypto.digests import hmac_digest
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import Key
from watchword.crypto.wrong_spellings import public_key_spellings
from watchword.testing.attacks.credentials import Credentials, Sign
from watchword.testing.attacks.outcome import NotTried

__all__ = ["Minter", "public_keys", "read", "written", "written_with_secret"]

SHARED = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def read(token: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, unverified.

    Raises:
        NotTried: it is none that can be read.
    """
    try:
        header, claims = (json.loads(_decoded(part)) for part in token.split(b".")[:2])
    except ValueError:
        raise NotTried("the genuine token can't be read: it may be encrypted") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotTried("the genuine token has no claims")
    return header, claims


def _decoded(segment: bytes) -> bytes:
    return base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))


def written(header: dict[str, Any], claims: dict[str, Any], signature: Callable[[bytes], bytes] | bytes = b"") -> bytes:
    """A token with this header, these claims and this signature.

    >>> written({"alg": "none"}, {"sub": "alice"})
    b'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.'
    """
    segments = (b64url_encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    signed = b".".join(segments)
    made = signature if isinstance(signature, bytes) else signature(signed)
    return signed + b"." + b64url_encode(made)


def written_with_secret(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> bytes:
    """A token with an HMAC under any secret, as long or as public as it may be."""
    name = SHARED.get(str(header.get("alg")), "sha256")
    return written(header, claims, lambda data: hmac_digest(name, secret, data))


class Minter:
    """Mints genuine tokens with other claims: by the user's function, the user's key, or the key of a `JWTAuth`."""

    def __init__(self, credentials: Credentials, way: Sign, header: dict[str, Any]) -> None:
        self._mint = credentials.mint
        self._header = header
        self._key: Any = credentials.key if credentials.key is not None else getattr(way, "_key", None)
        if self._mint is None and self._key is None:
            raise NotTried("nothing mints tokens: give key= or mint= to Credentials")

    def __call__(self, claims: dict[str, Any]) -> bytes:
        """A token with these claims, under the header of the genuine one."""
        if self._mint is not None:
            token: Any = self._mint(dict(claims))  # some libraries give octets
            return token if isinstance(token, bytes) else str(token).encode()
        algorithm = str(self._header.get("alg"))
        if not isinstance(self._key, Key) and algorithm in SHARED:
            return written_with_secret(self._header, claims, _octets(self._key))
        return written(self._header, claims, self.key.sign)

    @property
    def key(self) -> Key:
        """The key as one of ours.

        Raises:
            NotTried: it isn't one.
        """
        if isinstance(self._key, Key):
            return self._key
        if self._key is None:
            raise NotTried("nothing mints tokens: give key= to Credentials")
        try:
            return Key.from_pem(self._key, algorithm=str(self._header.get("alg")))
        except ConfigurationError as mistake:
            raise NotTried(f"key= is no key for {self._header.get('alg')}: {mistake}") from None


def _octets(secret: str | bytes) -> bytes:
    return secret.encode() if isinstance(secret, str) else secret


def public_keys(credentials: Credentials, way: Sign, header: dict[str, Any]) -> list[bytes]:
    """The public key that the app verifies with, in each form in which it may pass for a secret.

    Raises:
        NotTried: nobody has given it.
    """
    algorithm = str(header.get("alg"))
    if algorithm in SHARED:
        raise NotTried("the token is signed with a shared secret: there is no public key to confuse it with")
    if credentials.public_key is None:
        return list(public_key_spellings(Minter(credentials, way, header).key))
    given = _octets(credentials.public_key)
    try:
        return [given, *public_key_spellings(Key.from_pem(given, algorithm=algorithm))]
    except ConfigurationError:
        return [given, given.strip()]
