"""Keys found by key id in one look-up, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from watchword.structures.in_process import InProcess
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.algorithms import algorithm_named
from watchword.crypto.keys.jwk_set import Skipped, read_jwks
from watchword.crypto.keys.key import Key

__all__ = ["NO_KEYS", "KeySet"]


class KeySet(InProcess):
    """Keys found by key id in one look-up, however many there are; immutable.

    Args:
        keys: the keys.
        skipped: what `from_jwks` passed over.

    Raises:
        ConfigurationError: it is empty, or two keys of one algorithm have the same key id.

    >>> keys = KeySet([Key.from_secret(bytes(32), algorithm="HS256", key_id="2026")])
    >>> keys.candidates("HS256", "2026")
    (Key(HS256, key_id='2026', secret),)
    """

    __slots__ = ("_by_algorithm", "_by_name", "_nameless", "keys", "skipped")

    MAX_TRIES: Final = 8
    """How many keys are tried for a token that names none."""

    def __init__(self, keys: Iterable[Key], skipped: Iterable[Skipped] = ()) -> None:
        self._fill(keys, skipped)
        if not self.keys:
            raise ConfigurationError("a KeySet needs at least one key, for example KeySet([Key.generate('HS256')])")

    def _fill(self, keys: Iterable[Key], skipped: Iterable[Skipped]) -> None:
        self.keys = tuple(keys)
        self.skipped = tuple(skipped)
        self._by_name: dict[str, tuple[Key, ...]] = {}
        self._nameless: dict[str, tuple[Key, ...]] = {}
        self._by_algorithm: dict[str, tuple[Key, ...]] = {}
        for key in self.keys:
            if not isinstance(key, Key):
                raise ConfigurationError(f"a KeySet holds Keys, not {type(key).__name__}: make them with Key.from_…")
            self._by_algorithm[key.algorithm] = (*self._by_algorithm.get(key.algorithm, ()), key)
            if key.key_id is None:
                self._nameless[key.algorithm] = (*self._nameless.get(key.algorithm, ()), key)
                continue
            same = self._by_name.get(key.key_id, ())
            if any(other.algorithm == key.algorithm for other in same):
                raise ConfigurationError(f"two {key.algorithm} keys have the key id {key.key_id!r}")
            self._by_name[key.key_id] = (*same, key)

    @classmethod
    def from_jwks(cls, data: Mapping[str, Any] | str | bytes, *, algorithms: Iterable[str] | None = None) -> KeySet:
        """The keys of a JWK set (RFC 7517 §5); those that can't be used are listed in `skipped`, with the reason.

        Args:
            data: the set, parsed or as JSON.
            algorithms: those that are permitted. A key that names none is bound to the one of these that fits its type
                and curve, and skipped if two fit. None: every key has to name its own.

        Raises:
            ConfigurationError: not a JWK set, or none of its keys can be used.

        >>> keys = KeySet([Key.generate("ES256", key_id="1")]).to_jwks()["keys"]
        >>> keys.append({"kty": "EC", "crv": "P-256", "use": "enc", "kid": "2"})
        >>> KeySet.from_jwks({"keys": keys}, algorithms=["ES256"]).skipped
        (Skipped(key_id='2', reason='this JWK is not for signatures (RFC 7517 §4.2)'),)
        """
        return cls(*read_jwks(data, algorithms))

    def to_jwks(self, *, private: bool = False) -> dict[str, list[dict[str, str]]]:
        """The JWK set to publish: public parts only, shared secrets left out; `private` says to show everything."""
        shown = [key for key in self.keys if private or not key.is_secret]
        return {"keys": [key.to_jwk(private=private and key.is_private) for key in shown]}

    def holds(self, key_id: str) -> bool:
        """Whether a key has this key id."""
        return key_id in self._by_name

    def candidates(self, algorithm: str, key_id: str | None) -> tuple[Key, ...]:
        """The keys that may have made a signature with this algorithm and key id (None: it named none).

        A key without a key id may answer to any. `algorithm` only ever excludes keys.

        Raises:
            Rejected: WRONG_ALGORITHM or UNKNOWN_KEY, or no key id where that leaves more than `MAX_TRIES`.
        """
        permitted = self._by_algorithm.get(algorithm)
        if permitted is None:
            raise Rejected(Reason.WRONG_ALGORITHM, "no key here is for the algorithm that is named", where="alg")
        if key_id is None:
            found = permitted
        elif key_id in self._by_name:
            found = tuple(key for key in self._by_name[key_id] if key.algorithm == algorithm)
            if not found:
                raise Rejected(Reason.WRONG_ALGORITHM, "the key that is named is for another algorithm", where="alg")
        else:
            found = self._nameless.get(algorithm, ())
        if not found:
            raise Rejected(Reason.UNKNOWN_KEY, "no key here has the key id that is named", where="kid")
        if len(found) > self.MAX_TRIES:
            raise Rejected(Reason.UNKNOWN_KEY, f"{len(found)} keys may fit and no key id says which", where="kid")
        return found

    def only(self, algorithms: Iterable[str]) -> KeySet:
        """The keys for these algorithms.

        Raises:
            ConfigurationError: an unknown algorithm, or none of the keys is for any of them.
        """
        names = {algorithm_named(name).name for name in algorithms}
        kept = [key for key in self.keys if key.algorithm in names]
        if not kept:
            held = ", ".join(sorted(self._by_algorithm))
            raise ConfigurationError(f"algorithms={sorted(names)} leaves no key: the keys are for {held}")
        return KeySet(kept)

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        return f"KeySet({list(self.keys)!r})"


def _no_keys() -> KeySet:
    empty = object.__new__(KeySet)
    empty._fill((), ())
    return empty


NO_KEYS: Final = _no_keys()
"""The set of those whose keys are still to come; by the constructor an empty set would be a mistake."""
