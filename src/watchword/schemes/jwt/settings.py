"""What a `JWTVerifier` is given: each setting checked, and whether they go together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from watchword.core.rejection import ConfigurationError
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.jwt.checks import YEAR_10000
from watchword.schemes.key_source import NO_KEYS, KeySource
from watchword.schemes.key_source import no_keys
from watchword.schemes.revocation import Revocations
from watchword.schemes.token_cache import TokenCache

__all__ = ["bare_type", "check_memory", "issuers_of", "key_set", "octets", "seconds", "struct_decoder", "texts"]


def issuers_of(source: KeySource | None, issuers: frozenset[str] | None) -> frozenset[str] | None:
    """Whose tokens are accepted: the issuer's that the source belongs to, if any; its keys prove nobody else's.

    Raises:
        ConfigurationError: `issuers` are others.
    """
    if source is None or source.issuer is None:
        return issuers
    if issuers is None or issuers == {source.issuer}:
        return frozenset((source.issuer,))
    raise ConfigurationError(
        f"these keys are those of {source.issuer} and prove no other issuer's tokens: leave issuer= out, and give every "
        "issuer a JWTVerifier of its own (RFC 8725 §3.8)"
    )


def check_memory(single_use: object, revocations: object, cache: object) -> None:
    """Makes the cache this verifier's, if all goes together.

    Raises:
        ConfigurationError: it doesn't.
    """
    if type(single_use) is not bool:
        raise ConfigurationError("single_use= is True or False")
    if revocations is not None and not isinstance(revocations, Revocations):
        raise ConfigurationError("revocations= is a Revocations object: JWTVerifier(…, revocations=Revocations(store))")
    if cache is None:
        return
    if not isinstance(cache, TokenCache):
        raise ConfigurationError("cache= is a TokenCache: JWTVerifier(…, cache=TokenCache())")
    if single_use:
        raise ConfigurationError("a token that is good once needs no cache: leave cache= out, or single_use=")
    if cache.strict and revocations is None:
        raise ConfigurationError("a strict cache asks the revocations for each request: pass revocations= too")
    cache.take()
    if revocations is not None:
        revocations.tell(cache)


def key_set(keys: object, algorithms: Sequence[str] | None) -> KeySet:
    """The keys to begin with.

    Raises:
        ConfigurationError: something else than keys, or none of them is for `algorithms`.
    """
    if isinstance(keys, KeySource):
        if algorithms is not None:
            raise ConfigurationError("say where the keys are bound which are accepted: RemoteKeySet(…, algorithms=[…])")
        return NO_KEYS if keys.keys is None else keys.keys
    if not isinstance(keys, (Key, KeySet)):
        raise no_keys(keys)
    found = KeySet([keys]) if isinstance(keys, Key) else keys
    if found.keys and all(key.use == "enc" for key in found.keys):
        raise ConfigurationError(
            "these keys are for encryption: give those that verify signatures, such as HS256 or ES256"
        )
    if algorithms is None:
        return found
    if isinstance(algorithms, str):
        raise ConfigurationError(f"algorithms= is a sequence, for example [{algorithms!r}]")
    return found.only(algorithms)


def struct_decoder(claims: object) -> msgspec.json.Decoder[Any]:
    """What decodes claims into the caller's type.

    Raises:
        ConfigurationError: not a `msgspec.Struct` type.
    """
    if isinstance(claims, type) and issubclass(claims, msgspec.Struct):
        return msgspec.json.Decoder(claims)
    raise ConfigurationError("claims= is a msgspec.Struct type, for example class Claims(msgspec.Struct): tenant: str")


def bare_type(typ: str) -> str:
    """A `typ` as it is compared: case and a leading "application/" don't matter (RFC 7515 §4.1.9)."""
    return typ.lower().removeprefix("application/")


def texts(value: object, name: str) -> frozenset[str]:
    """One text or several, as a set.

    Raises:
        ConfigurationError: something else, or none.
    """
    found = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else []
    if not found or not all(isinstance(text, str) and text for text in found):
        raise ConfigurationError(f"{name}= is a text or a sequence of texts, none of them empty")
    return frozenset(found)


def octets(value: object, name: str) -> int:
    """A number of octets.

    Raises:
        ConfigurationError: less than 1, or not a whole number.
    """
    if type(value) is not int or value < 1:
        raise ConfigurationError(f"{name}= is a number of octets, 1 or more")
    return value


def seconds(value: object, name: str) -> float:
    """A length of time.

    Raises:
        ConfigurationError: negative, not finite, or not a number.
    """
    if type(value) not in (int, float) or not 0 <= value < YEAR_10000:  # type: ignore[operator]
        raise ConfigurationError(f"{name}= is a number of seconds, 0 or more")
    return value  # type: ignore[return-value]
