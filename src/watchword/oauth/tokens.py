"""The tokens that are kept, each by what it is for; and `TokenMemory`, which keeps them in this process.

Whoever refreshes has a lease, and saves by version. So a flow that was stopped for longer than its lease saves nothing over
what another has got meanwhile.
"""

from __future__ import annotations

import threading
from typing import NamedTuple, Protocol

import msgspec

from watchword.crypto.digests import hex_digest
from watchword.oauth.token_response import AccessToken
from watchword.structures.in_process import InProcess

__all__ = ["NO_RECORD", "Intent", "Lease", "Record", "TokenKey", "TokenMemory", "TokenStore"]


class TokenKey(NamedTuple):
    """What a token is for: two that differ in any of it share no token and no lock.

    Args:
        issuer: who issues it: the issuer, or a token endpoint.
        client: to which client.
        target: the resource and audience that it was asked for.
        scopes: those that were asked for, in order.
        owner: on whose behalf; "" for the client's own.
        dpop: the thumbprint of the key that it is bound to; "" for a bearer token.
    """

    issuer: str
    client: str
    target: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    owner: str = ""
    dpop: str = ""

    @property
    def text(self) -> str:
        """The key as one text, which no other key has."""
        return msgspec.json.encode(self).decode()

    @property
    def name(self) -> str:
        """A short name for it, for files."""
        return hex_digest("sha-256", self.text.encode()).decode()[:32]


class Intent(msgspec.Struct, frozen=True):
    """A refresh token is about to be sent, or was: whether the issuer has seen it, its answer would tell.

    Args:
        token_hash: SHA-256 of the refresh token.
        attempt: 1, or 2 for the one repetition that an issuer may permit.
        at: seconds since the epoch.
    """

    token_hash: str
    attempt: int
    at: float


class Record(msgspec.Struct, frozen=True):
    """What is kept under one key. `version` grows with each change, and is 0 where there is nothing."""

    token: AccessToken | None = None
    intent: Intent | None = None
    version: int = 0

    def __repr__(self) -> str:
        return f"Record(version={self.version})"


NO_RECORD = Record()


class Lease(Protocol):
    """The right to refresh under one key, for one flow at a time, whichever process it is in."""

    def take(self) -> bool:
        """Whether it is ours now; never waits."""
        ...

    def close(self) -> None:
        """Gives it back; nothing more is taken by it."""
        ...


class TokenStore(Protocol):
    """Where tokens are kept. `blocking` is True if its verbs may wait, for a disk or a network."""

    @property
    def blocking(self) -> bool: ...

    def lease(self, key: TokenKey, /) -> Lease:
        """A lease that isn't taken yet; only a flow of its own process that holds the lock of `key` takes it."""
        ...

    def load(self, key: TokenKey, /) -> Record:
        """What is kept; `NO_RECORD` if nothing is."""
        ...

    def save(self, key: TokenKey, record: Record, /) -> bool:
        """Keeps `record` if it follows on what is there: its version is one more. Whether it was kept."""
        ...


class _Free:
    """The lease where there is one process: the lock of the key is all that it takes."""

    def take(self) -> bool:
        return True

    def close(self) -> None:
        pass


class TokenMemory(InProcess):
    """Keeps tokens in this process: `OAuth2Auth(…, tokens=TokenMemory())`. Several Auths that share it share tokens.

    >>> tokens = TokenMemory()
    >>> key = TokenKey("https://id.example", "robot")
    >>> tokens.save(key, Record(version=1)), tokens.save(key, Record(version=1)), tokens.load(key)
    (True, False, Record(version=1))
    """

    __slots__ = ("__weakref__", "_mutex", "_records")

    blocking = False

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._records: dict[TokenKey, Record] = {}

    def lease(self, key: TokenKey, /) -> Lease:
        """One that is always there."""
        return _Free()

    def load(self, key: TokenKey, /) -> Record:
        """What is kept."""
        return self._records.get(key, NO_RECORD)

    def save(self, key: TokenKey, record: Record, /) -> bool:
        """Keeps `record` if it follows on what is there."""
        with self._mutex:
            if record.version != self.load(key).version + 1:
                return False
            self._records[key] = record
            return True

    def __repr__(self) -> str:
        return f"TokenMemory({len(self._records)} tokens)"
