"""Sets of JSON Web Keys (RFC 7517 §5), read: which members are keys that can be used, and why others are passed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from watchword.core.rejection import ConfigurationError
from watchword.crypto.algorithms import ALGORITHMS, Algorithm, algorithm_named
from watchword.crypto.encoding import parse_object
from watchword.crypto.keys.jwk import row_of, row_suits
from watchword.crypto.keys.key import Key

__all__ = ["Skipped", "read_jwks"]


class Skipped(NamedTuple):
    """A member of a JWK set that is not used (RFC 7517 §5: such members are passed over).

    Args:
        key_id: the key id that it names, or None.
        reason: why, without anything of the key.
    """

    key_id: str | None
    reason: str


def read_jwks(
    data: Mapping[str, Any] | str | bytes, algorithms: Iterable[str] | None, *, published: bool = False
) -> tuple[list[Key], list[Skipped]]:
    """The usable keys of a JWK set, and what was passed over (RFC 7517 §5).

    Args:
        data: the set, parsed or as JSON.
        algorithms: those that are permitted; they also bind the keys that name none. None: each key names its own.
        published: it came from somewhere else: secrets and private keys are passed over, since a key that its
            publisher shows around proves nothing.

    Raises:
        ConfigurationError: not a JWK set, or `algorithms` are wrong, or no key can be used.
    """
    if isinstance(algorithms, str):
        raise ConfigurationError(f"algorithms= is a sequence, for example [{algorithms!r}]")
    rows = None if algorithms is None else [algorithm_named(name) for name in algorithms]
    keys: list[Key] = []
    skipped: list[Skipped] = []
    seen: dict[tuple[str, str | None], str] = {}
    for jwk in _members(data):
        key_id = jwk.get("kid") if isinstance(jwk, Mapping) else None
        key_id = key_id if isinstance(key_id, str) else None
        try:
            key = _bound(jwk, rows, published)
            name, print_ = (key.algorithm, key.key_id), key.thumbprint()
            if key.key_id is not None and name in seen:
                same = "the same key" if seen[name] == print_ else "another key, which is kept,"
                raise ConfigurationError(f"{same} came before under this key id (RFC 7517 §4.5)")
            seen[name] = print_
        except ConfigurationError as error:
            skipped.append(Skipped(key_id, str(error)))
        else:
            keys.append(key)
    if not keys:
        reasons = "; ".join(sorted({each.reason for each in skipped})[:4])
        raise ConfigurationError(f"no key of this JWK set can be used: {reasons or 'it is empty'}")
    return keys, skipped


def _members(data: Mapping[str, Any] | str | bytes) -> Sequence[Any]:
    if isinstance(data, (str, bytes)):
        if b"-----BEGIN" in (data.encode("utf-8", "replace") if isinstance(data, str) else data):
            raise ConfigurationError("this is PEM, not a JWK set: KeySet([Key.from_pem(…)])")
        try:
            data = parse_object(data.encode() if isinstance(data, str) else data)
        except ValueError:  # a UnicodeEncodeError would show the text
            raise ConfigurationError("this is no JWK set: not a JSON object, or a member name twice in one") from None
    if not isinstance(data, Mapping):
        raise ConfigurationError(f"a JWK set is a mapping or its JSON, not {type(data).__name__}")
    found = data.get("keys")
    if found is None and "kty" in data:
        raise ConfigurationError("this is one JWK, not a set: KeySet([Key.from_jwk(…)]) (RFC 7517 §5.1)")
    if not isinstance(found, (list, tuple)):
        raise ConfigurationError('this is no JWK set: it has no list of "keys" (RFC 7517 §5.1)')
    return found


def _bound(jwk: Any, rows: Sequence[Algorithm] | None, published: bool) -> Key:
    """The key in a member of a set, bound to one algorithm."""
    if not isinstance(jwk, Mapping):
        raise ConfigurationError("not a JSON object")
    if published:
        _check_public(jwk)
    named = jwk.get("alg")
    if published and named is not None and named not in (known.name for known in ALGORITHMS):
        raise ConfigurationError("it is for an algorithm that is not for signatures, or not known")
    if rows is None:
        if named is None:
            raise ConfigurationError("it names no algorithm: say which are permitted with algorithms=")
        return Key.from_jwk(jwk)
    if named is not None:
        row = row_of(jwk, None)
        if row not in rows:
            raise ConfigurationError(f"{row.name} is not among algorithms=")
        return Key.from_jwk(jwk)
    fitting = list(dict.fromkeys(row for row in rows if row_suits(row, jwk)))
    if len(fitting) != 1:
        names = " and ".join(row.name for row in fitting)
        raise ConfigurationError(
            f"it names no algorithm, and {names} both fit: name one in algorithms="
            if fitting
            else "it names no algorithm, and none of algorithms= is for its type and curve"
        )
    return Key.from_jwk(jwk, algorithm=fitting[0].name)


def _check_public(jwk: Mapping[str, Any]) -> None:
    if jwk.get("kty") == "oct" or "k" in jwk:
        raise ConfigurationError("a shared secret, published: whoever reads it can sign")
    if "d" in jwk:
        raise ConfigurationError("a private key, published: whoever reads it can sign")
    operations = jwk.get("key_ops")
    if isinstance(operations, (list, tuple)) and "sign" in operations and "verify" not in operations:
        raise ConfigurationError("this JWK may not verify (RFC 7517 §4.3)")
