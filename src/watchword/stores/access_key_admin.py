"""Adding access keys for SigV4: what `Admin` and `AsyncAdmin` offer of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Final

from watchword.core.records import Outcome, Put, Ref, Take, Write
from watchword.core.rejection import ConfigurationError

__all__ = ["AccessKeyAdmin", "AsyncAccessKeyAdmin"]

_ID: Final = re.compile(r"[!#-+\-.0-~]{1,128}")


def access_key_writes(
    subject: str,
    access_key_id: str,
    secret: str,
    scopes: Sequence[str],
    session_token: str | None,
    expires: float | None,
    superseded_by: str | None,
) -> list[Write]:
    """What registers an access key.

    Raises:
        ConfigurationError: as `AccessKeyAdmin.add_access_key`.
    """
    from watchword.schemes.sigv4.access_key import AccessKey  # noqa: PLC0415 -- only stores with such keys need it
    from watchword.stores.admin import checked_scopes  # noqa: PLC0415 -- it inherits from this module

    if not subject:
        raise ConfigurationError("the subject is empty: add_access_key('alice', access_key_id, secret)")
    if not _ID.fullmatch(access_key_id):
        raise ConfigurationError("an access key id is 1 to 128 visible ASCII characters without slash and comma")
    if not secret:
        raise ConfigurationError("the secret access key is empty: add_access_key('alice', access_key_id, secret)")
    if session_token is not None and not re.fullmatch(r"[!-~]+", session_token):
        raise ConfigurationError("a session token is visible ASCII, at least one character")
    if expires is not None and not isfinite(expires):
        raise ConfigurationError("expires is a time in seconds since the epoch")
    record = AccessKey(secret, subject, checked_scopes(scopes), session_token, expires, superseded_by)
    return [Put(Ref(AccessKey, (access_key_id,)), record)]


def _gone(access_key_id: str) -> list[Write]:
    from watchword.schemes.sigv4.access_key import AccessKey  # noqa: PLC0415 -- as above

    return [Take(Ref(AccessKey, (access_key_id,)))]


class AccessKeyAdmin:
    """`add_access_key` and `remove_access_key` for every store that is called."""

    if TYPE_CHECKING:

        def commit(self, writes: Sequence[Write], /) -> Outcome: ...

    def add_access_key(
        self,
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
        """
        self.commit(access_key_writes(subject, access_key_id, secret, scopes, session_token, expires, superseded_by))

    def remove_access_key(self, access_key_id: str) -> None:
        """Refuses the key from the next request on. Removing one that isn't there is no error.

        Raises:
            StoreUnavailable: nothing was written.
        """
        self.commit(_gone(access_key_id))


class AsyncAccessKeyAdmin:
    """`AccessKeyAdmin`, awaited."""

    if TYPE_CHECKING:

        async def commit(self, writes: Sequence[Write], /) -> Outcome: ...

    async def add_access_key(
        self,
        subject: str,
        access_key_id: str,
        secret: str,
        *,
        scopes: Sequence[str] = (),
        session_token: str | None = None,
        expires: float | None = None,
        superseded_by: str | None = None,
    ) -> None:
        """As `AccessKeyAdmin.add_access_key`."""
        await self.commit(
            access_key_writes(subject, access_key_id, secret, scopes, session_token, expires, superseded_by)
        )

    async def remove_access_key(self, access_key_id: str) -> None:
        """As `AccessKeyAdmin.remove_access_key`."""
        await self.commit(_gone(access_key_id))
