"""Keys that somebody else publishes and may change at any time: what a verifier asks of whoever keeps them up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from watchword.core.records import Source
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.algorithms import ALGORITHMS, may_have, signature_alias
from watchword.crypto.keys import KeySet

__all__ = ["NO_KEYS", "KeySource", "PublishedKeys", "check_form", "no_keys"]


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

    A source that has `algorithms`, names of JOSE's, is asked for no key of others; one that has `asked_from(address)` gives the
    source to ask because of a request from that address, so that it can bound the requests of each network.
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


def check_form(source: object, octets: int, name: str | None, *, alias: bool = False) -> None:
    """That a key of `source` may have made a signature of so many octets: judged before any key is asked for.

    Args:
        source: whose keys are for the algorithms that it names, if it does.
        octets: of the signature.
        name: the algorithm that the signature names, or None.
        alias: whether that is a name of HTTP message signatures (RFC 9421 §6.2.2), not of JOSE.

    Raises:
        Rejected: WRONG_ALGORITHM, or WRONG_SIGNATURE for a length that no such key makes.
    """
    permitted = getattr(source, "algorithms", None)
    rows = [row for row in ALGORITHMS if permitted is None or row.name in permitted]
    if name is not None:
        rows = [row for row in rows if name and name == (signature_alias(row) if alias else row.name)]
    if not rows:
        raise Rejected(Reason.WRONG_ALGORITHM, "no key that may be published here is for this algorithm", where="alg")
    if not any(may_have(row, octets) for row in rows):
        raise Rejected(Reason.WRONG_SIGNATURE, f"no key makes a signature of {octets} octets", where="signature")


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
