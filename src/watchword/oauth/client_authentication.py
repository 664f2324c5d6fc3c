"""How a client proves itself at an issuer's endpoints: not at all, by a secret, or by a key (RFC 6749 §2.3, RFC 7523 §2.2).

OpenID Connect Core 1.0 §9 names the methods.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from watchword.core.message import Headers
from watchword.core.rejection import ConfigurationError
from watchword.effects import Context
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import Key
from watchword.schemes.client_half import need_text
from watchword.structures.in_process import InProcess

__all__ = ["Client", "ClientSecret", "PrivateKeyJWT", "Proven", "PublicClient"]

_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE: Final = 60
"""Seconds for which an assertion is good: it is sent at once."""
METHODS: Final = ("client_secret_basic", "client_secret_post", "client_secret_jwt")


class Proven(NamedTuple):
    """What a request to an endpoint carries: parameters of the form, field lines, and which of it nobody may repeat."""

    form: tuple[tuple[str, str], ...]
    headers: Headers = ()
    secrets: tuple[str, ...] = ()


class PublicClient(InProcess):
    """A client that has no secret, for it couldn't keep one: a program on a person's machine (RFC 6749 §2.1).

    Args:
        client_id: its name at the issuer.

    Raises:
        ConfigurationError: no name.

    >>> PublicClient("desk")
    PublicClient('desk')
    """

    __slots__ = ("client_id",)

    def __init__(self, client_id: str) -> None:
        self.client_id = _named(client_id)

    def prove(self, context: Context, audience: str) -> Proven:
        """The name alone."""
        return Proven((("client_id", self.client_id),))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.client_id!r})"


class ClientSecret(PublicClient):
    """A client that shares a secret with the issuer.

    Args:
        client_id: its name at the issuer.
        secret: the secret.
        method: "client_secret_basic", the default, sends it in Authorization; "client_secret_post" in the form;
            "client_secret_jwt" doesn't send it, but signs with it (HS256).
        encode: with Basic, encode both as a form has it, as RFC 6749 §2.3.1 wants it, with a space as %20. False: send both
            as they are, for servers that don't decode.

    Raises:
        ConfigurationError: no name or secret, a method that there isn't; a name with a colon in it under `encode=False`, a
            secret that is too short to sign with.

    >>> ClientSecret("robot", "a long random secret", method="client_secret_post")
    ClientSecret('robot')
    """

    __slots__ = ("_encode", "_key", "_method", "_secret")

    def __init__(
        self, client_id: str, secret: str, *, method: str = "client_secret_basic", encode: bool = True
    ) -> None:
        super().__init__(client_id)
        need_text("client_secret", secret)
        if not secret:
            raise ConfigurationError(
                "client_secret is empty: is the environment variable or setting that holds it set?"
            )
        if method not in METHODS:
            raise ConfigurationError(f"method= is one of {', '.join(METHODS)}; for a key there is PrivateKeyJWT")
        if not encode and ":" in client_id:
            raise ConfigurationError("Basic ends a name at its first colon: this client_id needs encode=True")
        self._secret, self._method, self._encode = secret, method, encode
        self._key = Key.from_secret(secret, algorithm="HS256") if method == "client_secret_jwt" else None

    def prove(self, context: Context, audience: str) -> Proven:
        """The secret, or a signature by it."""
        if self._key is not None:
            return _asserted(context, self.client_id, audience, self._key)
        if self._method == "client_secret_post":
            return Proven((("client_id", self.client_id), ("client_secret", self._secret)), (), (self._secret,))
        name, secret = self.client_id, self._secret
        if self._encode:
            name, secret = quote(name, safe=""), quote(secret, safe="")
        pair = b64encode(f"{name}:{secret}".encode())
        return Proven((), ((b"authorization", b"Basic " + pair),), (self._secret, secret, pair.decode()))


class PrivateKeyJWT(PublicClient):
    """A client that signs with a key of its own, of which the issuer knows the public half (RFC 7523 §2.2).

    Args:
        client_id: its name at the issuer.
        key: the key pair; its key id is that under which the issuer knows it.
        audience: whom the signature is for. None: the issuer; some want the URL of their token endpoint.

    Raises:
        ConfigurationError: no name, or a key that can't sign.

    >>> PrivateKeyJWT("robot", Key.generate("ES256", key_id="2026"))
    PrivateKeyJWT('robot')
    """

    __slots__ = ("_audience", "_key")

    def __init__(self, client_id: str, key: Key, *, audience: str | None = None) -> None:
        super().__init__(client_id)
        given: object = key
        if not isinstance(given, Key) or not given.is_private or given.is_secret:
            raise ConfigurationError(
                "key is a key pair: Key.from_pem(…, algorithm='ES256', key_id=…); for a secret there is ClientSecret"
            )
        self._key, self._audience = key, audience

    def prove(self, context: Context, audience: str) -> Proven:
        """A signature that is good for a minute."""
        return _asserted(context, self.client_id, self._audience or audience, self._key)


Client = PublicClient
"""What proves itself: each of them is one."""


def _asserted(context: Context, client_id: str, audience: str, key: Key) -> Proven:
    now = int(context.now())
    claims: dict[str, Any] = {
        "iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + _LIFE,
        "jti": b64url_encode(context.random(16)).decode(),
    }  # fmt: skip
    assertion = jose.sign(msgspec.json.encode(claims), key, header={"typ": "JWT"})
    form = (("client_id", client_id), ("client_assertion_type", _ASSERTION), ("client_assertion", assertion))
    return Proven(form, (), (assertion,))


def _named(client_id: object) -> str:
    need_text("client_id", client_id)
    if not client_id or not isinstance(client_id, str):
        raise ConfigurationError("client_id is empty: is the environment variable or setting that holds it set?")
    return client_id
