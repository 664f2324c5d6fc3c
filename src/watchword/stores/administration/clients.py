"""OAuth 2 clients: registering them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from watchword.authorization_server.client import Client
from watchword.core.records import Put, Ref
from watchword.core.rejection import ConfigurationError
from watchword.crypto.passwords import check_password_length, hash_password
from watchword.crypto.precis import MAX_USERNAME
from watchword.crypto.public_spellings import refuse_key_files
from watchword.stores.administration.administered import Administered
from watchword.stores.administration.arguments import checked_scopes

__all__ = ["add_client"]


async def add_client(
    store: Administered, client_id: str, secret: str, *, scopes: Sequence[str] = (), subject: str | None = None
) -> None:
    """Registers a confidential OAuth client (RFC 6749 §2.1), or replaces it.

    Args:
        client_id: visible ASCII, 256 characters at most.
        secret: kept as an argon2id hash only; 512 characters at most.
        scopes: what it may ask for.
        subject: whom its tokens are for; None: the client id.

    Raises:
        ConfigurationError: an argument can't be used; the message says why.
        StoreUnavailable: nothing was written.

    >>> from watchword.stores import MemoryStore
    >>> MemoryStore().add_client("billing", "a long random secret", scopes=["invoices"])
    """
    if not 1 <= len(client_id) <= MAX_USERNAME or not (client_id.isascii() and client_id.isprintable()):
        raise ConfigurationError(f"a client id is visible ASCII, 1 to {MAX_USERNAME} characters (RFC 6749 §A.1)")
    check_password_length(secret)
    refuse_key_files(secret.encode("utf-8", "surrogatepass"))
    rights = checked_scopes(scopes)
    encoded = await store.io.work(partial(hash_password, secret))
    client = Client(secret=encoded, scopes=rights, subject=subject or client_id)
    await store.write([Put(Ref(Client, (client_id,)), client)])
