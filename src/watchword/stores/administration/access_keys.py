"""Access keys for SigV4: registering and removing them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from watchword.core.records import Put, Ref, Take
from watchword.core.rejection import ConfigurationError
from watchword.stores.administration.administered import Administered
from watchword.stores.administration.arguments import check_time, checked_scopes

__all__ = ["add_access_key", "remove_access_key"]

_ID: Final = re.compile(r"[!#-+\-.0-~]{1,128}")


async def add_access_key(
    store: Administered,
    subject: str,
    access_key_id: str,
    secret: str,
    *,
    scopes: Sequence[str] = (),
    session_token: str | None = None,
    expires: float | None = None,
    superseded_by: str | None = None,
) -> None:
    """Registers an access key for `SigV4Verifier`, or replaces it.

    Args:
        subject: who signs with it.
        access_key_id: its name, which every request gives.
        secret: the secret access key.
        scopes: what its holder may do.
        session_token: of temporary credentials; every request has to bring it along.
        expires: from then on it is refused, in seconds since the epoch; None: never.
        superseded_by: the access key id that replaces it; whoever still uses this one is `Identity.rotated`.

    Raises:
        ConfigurationError: an argument can't be used; the message says why.
        StoreUnavailable: nothing was written.

    >>> from watchword.stores import MemoryStore
    >>> MemoryStore().add_access_key("robot", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scopes=["read"])
    """
    from watchword.schemes.sigv4.access_key import AccessKey  # noqa: PLC0415 -- only stores with such keys need it

    if not subject:
        raise ConfigurationError("the subject is empty: add_access_key('alice', access_key_id, secret)")
    if not _ID.fullmatch(access_key_id):
        raise ConfigurationError("an access key id is 1 to 128 visible ASCII characters without slash and comma")
    if not secret:
        raise ConfigurationError("the secret access key is empty: add_access_key('alice', access_key_id, secret)")
    if session_token is not None and not re.fullmatch(r"[!-~]+", session_token):
        raise ConfigurationError("a session token is visible ASCII, at least one character")
    check_time(expires)
    record = AccessKey(secret, subject, checked_scopes(scopes), session_token, expires, superseded_by)
    await store.write([Put(Ref(AccessKey, (access_key_id,)), record)])


async def remove_access_key(store: Administered, access_key_id: str) -> None:
    """Refuses the key from the next request on. Removing one that isn't there is no error.

    Args:
        access_key_id: its name.

    Raises:
        StoreUnavailable: nothing was written.

    >>> from watchword.stores import MemoryStore
    >>> MemoryStore().remove_access_key("AKIDEXAMPLE")
    """
    from watchword.schemes.sigv4.access_key import AccessKey  # noqa: PLC0415 -- as above

    await store.write([Take(Ref(AccessKey, (access_key_id,)))])
