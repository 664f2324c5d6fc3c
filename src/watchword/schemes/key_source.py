"""Keys that somebody else publishes and may change at any time: what a verifier asks of whoever keeps them up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from watchword.core.records import Source
from watchword.core.rejection import ConfigurationError
from watchword.crypto.keys import KeySet

__all__ = ["NO_KEYS", "KeySource", "PublishedKeys", "no_keys"]


class _NoKeys(KeySet):
    """Stands where the keys of a source are not known yet; permits nothing."""

    __slots__ = ()

    def __init__(self) -> None:
        self.keys = ()
        self.skipped = ()
        self._by_name = self._nameless = self._by_algorithm = {}


NO_KEYS: Final = _NoKeys()


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """What an issuer publishes now, at `Ref(PublishedKeys, (source, key_id))`: asked for because of that key id.

    Args:
        keys: all of them; the key id may be among them or not.
    """

    keys: KeySet


@runtime_checkable
class KeySource(Source, Protocol):
    """Keeps a `KeySet` up to date; `watchword.stores.RemoteKeySet` is one.

    The attributes are read for each token, so they are plain: `keys` is what is known now (None: nothing yet), good from
    `since` until `due`, when `snapshot` wants to be called; from `good_until` on a guard asks (`fetch`) before it goes by
    them. All times are seconds since the epoch.
    """

    name: str
    issuer: str | None
    keys: KeySet | None
    since: float
    due: float
    good_until: float

    def snapshot(self) -> KeySet:
        """The keys that are known now, without waiting; may start to renew them.

        Raises:
            StoreUnavailable: none are known, or they are too old.
        """
        ...

    def missed(self, key_id: str, /) -> None:
        """A token names a key id that isn't known; may start to renew the keys, never waits."""
        ...


def no_keys(given: object) -> ConfigurationError:
    """The error of a verifier that was given something else than keys; it holds nothing of it but a URL's beginning."""
    if isinstance(given, str) and given[:8].lower().startswith(("https://", "http://")):
        return ConfigurationError(
            "keys is a URL: have the keys there fetched and renewed, RemoteKeySet(url) from watchword.stores"
        )
    if given is None:
        return ConfigurationError("keys is None: is the setting that holds the key there?")
    return ConfigurationError(
        f"keys is a Key, a KeySet or a RemoteKeySet, not {type(given).__name__}: make a Key with Key.from_secret, from_pem or from_jwk"
    )
