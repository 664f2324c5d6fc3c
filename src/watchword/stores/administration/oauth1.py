"""Clients and tokens of OAuth 1: registering and removing them."""

from __future__ import annotations

from collections.abc import Sequence

from watchword.core.records import Put, Ref, Take
from watchword.core.rejection import ConfigurationError
from watchword.stores.administration.administered import Administered
from watchword.stores.administration.arguments import check_time, checked_scopes

__all__ = ["add_oauth1_client", "add_oauth1_token", "remove_oauth1_token"]


async def add_oauth1_client(
    store: Administered,
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

    >>> from watchword.stores import MemoryStore
    >>> MemoryStore().add_oauth1_client("printer", secret="a long random secret", methods=["HMAC-SHA256"])
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
    record = OAuth1Client(subject or client_key, secret, pem, checked_scopes(scopes), tuple(sorted(named)))
    await store.write([Put(Ref(OAuth1Client, (client_key,)), record)])


async def add_oauth1_token(
    store: Administered,
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

    >>> from watchword.stores import MemoryStore
    >>> MemoryStore().add_oauth1_token("a-token", "its secret", client_key="printer", subject="alice", scopes=["photos"])
    """
    from watchword.schemes.oauth1.credentials import OAuth1Token  # noqa: PLC0415 -- as above

    _check_name("token", token)
    _check_name("client key", client_key)
    _check_name("subject", subject)
    check_time(expires)
    record = OAuth1Token(client_key, subject, secret, checked_scopes(scopes), expires)
    await store.write([Put(Ref(OAuth1Token, (token,)), record)])


async def remove_oauth1_token(store: Administered, token: str) -> None:
    """Refuses the token from the next request on. Removing one that isn't there is no error.

    Args:
        token: the token's name, `oauth_token`.

    Raises:
        StoreUnavailable: nothing was written.

    >>> from watchword.stores import MemoryStore
    >>> MemoryStore().remove_oauth1_token("a-token")
    """
    from watchword.schemes.oauth1.credentials import OAuth1Token  # noqa: PLC0415 -- as above

    await store.write([Take(Ref(OAuth1Token, (token,)))])


def _check_name(what: str, name: str) -> None:
    if not name or not name.isprintable():
        raise ConfigurationError(f"the {what} is empty, or holds characters that can't be printed")
