"""Adding OAuth 1 clients and tokens: what `Admin` and `AsyncAdmin` offer of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from watchword.core.records import Outcome, Put, Ref, Take, Write
from watchword.core.rejection import ConfigurationError

__all__ = ["AsyncOAuth1Admin", "OAuth1Admin"]


def client_writes(
    client_key: str,
    secret: str,
    public_key: str | bytes | None,
    subject: str | None,
    scopes: Sequence[str],
    methods: Sequence[str],
) -> list[Write]:
    """What registers a client.

    Raises:
        ConfigurationError: as `OAuth1Admin.add_oauth1_client`.
    """
    from watchword.schemes.oauth1.credentials import (  # noqa: PLC0415 -- only stores with such clients need it
        METHODS, OAuth1Client, checked_methods, load_rsa,
    )  # fmt: skip

    _check_name("client key", client_key)
    named = checked_methods(methods, allow_plaintext=True) & set(methods) if methods else frozenset()
    kinds = {METHODS[name].kind for name in named}
    if not secret and public_key is None:
        raise ConfigurationError("a client has a secret, or an RSA public key: add_oauth1_client(…, secret=…)")
    if ("rsa" in kinds and public_key is None) or (kinds - {"rsa"} and not secret):
        raise ConfigurationError("methods names one for which the client has no secret, or no public key")
    pem = ""
    if public_key is not None:
        pem = public_key.decode() if isinstance(public_key, bytes) else public_key
        if "PRIVATE KEY-----" in pem:
            raise ConfigurationError("this is the private key, which only the client may have: give the public one")
        strong = [METHODS[name] for name in named if METHODS[name].algorithm]
        # Without methods named, a key for RSA-SHA1 alone may be shorter; the verifier refuses it for the others.
        load_rsa(strong[0] if strong else METHODS["RSA-SHA1"], pem)
    record = OAuth1Client(subject or client_key, secret, pem, _rights(scopes), tuple(sorted(named)))
    return [Put(Ref(OAuth1Client, (client_key,)), record)]


def token_writes(
    token: str, secret: str, client_key: str, subject: str, scopes: Sequence[str], expires: float | None
) -> list[Write]:
    """What registers token credentials.

    Raises:
        ConfigurationError: as `OAuth1Admin.add_oauth1_token`.
    """
    from watchword.schemes.oauth1.credentials import OAuth1Token  # noqa: PLC0415 -- as above

    _check_name("token", token)
    _check_name("client key", client_key)
    _check_name("subject", subject)
    if expires is not None and not isfinite(expires):
        raise ConfigurationError("expires is a time in seconds since the epoch")
    return [Put(Ref(OAuth1Token, (token,)), OAuth1Token(client_key, subject, secret, _rights(scopes), expires))]


def _token_gone(token: str) -> list[Write]:
    from watchword.schemes.oauth1.credentials import OAuth1Token  # noqa: PLC0415 -- as above

    return [Take(Ref(OAuth1Token, (token,)))]


def _check_name(what: str, name: str) -> None:
    if not name or not name.isprintable():
        raise ConfigurationError(f"the {what} is empty, or holds characters that can't be printed")


def _rights(scopes: Sequence[str]) -> tuple[str, ...]:
    from watchword.stores.admin import checked_scopes  # noqa: PLC0415 -- it inherits from this module

    return checked_scopes(scopes)


class OAuth1Admin:
    """`add_oauth1_client`, `add_oauth1_token` and `remove_oauth1_token` for every store that is called."""

    if TYPE_CHECKING:

        def commit(self, writes: Sequence[Write], /) -> Outcome: ...

    def add_oauth1_client(
        self,
        client_key: str,
        *,
        secret: str = "",
        public_key: str | bytes | None = None,
        subject: str | None = None,
        scopes: Sequence[str] = (),
        methods: Sequence[str] = (),
    ) -> None:
        """Registers a client of OAuth 1 (RFC 5849 §1.1), or replaces it.

        Args:
            client_key: its name, `oauth_consumer_key`.
            secret: the shared secret, for HMAC.
            public_key: its public key as PEM, for RSA.
            subject: who it is when it signs without a token; None: the client key.
            scopes: what it may do then.
            methods: the signature methods that it may use; none: whatever the verifier accepts.

        Raises:
            ConfigurationError: an argument can't be used; the message says why.
            StoreUnavailable: nothing was written.
        """
        self.commit(client_writes(client_key, secret, public_key, subject, scopes, methods))

    def add_oauth1_token(
        self,
        token: str,
        secret: str,
        *,
        client_key: str,
        subject: str,
        scopes: Sequence[str] = (),
        expires: float | None = None,
    ) -> None:
        """Registers token credentials of OAuth 1 (RFC 5849 §1.1), or replaces them.

        Args:
            token: the token's name, `oauth_token`.
            secret: its shared secret; "" only for clients that sign by RSA.
            client_key: the one client that may use it.
            subject: the resource owner.
            scopes: what the client may do on the owner's behalf.
            expires: from then on it is refused, in seconds since the epoch; None: never.

        Raises:
            ConfigurationError: an argument can't be used; the message says why.
            StoreUnavailable: nothing was written.
        """
        self.commit(token_writes(token, secret, client_key, subject, scopes, expires))

    def remove_oauth1_token(self, token: str) -> None:
        """Refuses the token from the next request on. Removing one that isn't there is no error.

        Raises:
            StoreUnavailable: nothing was written.
        """
        self.commit(_token_gone(token))


class AsyncOAuth1Admin:
    """`OAuth1Admin`, awaited."""

    if TYPE_CHECKING:

        async def commit(self, writes: Sequence[Write], /) -> Outcome: ...

    async def add_oauth1_client(
        self,
        client_key: str,
        *,
        secret: str = "",
        public_key: str | bytes | None = None,
        subject: str | None = None,
        scopes: Sequence[str] = (),
        methods: Sequence[str] = (),
    ) -> None:
        """As `OAuth1Admin.add_oauth1_client`."""
        await self.commit(client_writes(client_key, secret, public_key, subject, scopes, methods))

    async def add_oauth1_token(
        self,
        token: str,
        secret: str,
        *,
        client_key: str,
        subject: str,
        scopes: Sequence[str] = (),
        expires: float | None = None,
    ) -> None:
        """As `OAuth1Admin.add_oauth1_token`."""
        await self.commit(token_writes(token, secret, client_key, subject, scopes, expires))

    async def remove_oauth1_token(self, token: str) -> None:
        """As `OAuth1Admin.remove_oauth1_token`."""
        await self.commit(_token_gone(token))
