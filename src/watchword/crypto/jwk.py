"""JSON Web Keys and sets of them (RFC 7517), thumbprints (RFC 7638), and which one algorithm a JWK is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec.json

from watchword.core.rejection import ConfigurationError
from watchword.crypto.algorithms import ALGORITHMS, ENCRYPTION_ALGORITHMS, Algorithm, algorithm_named, fits
from watchword.crypto.digests import digest
from watchword.crypto.encoding import b64url_encode, parse_object

if TYPE_CHECKING:
    from watchword.crypto.keys import Key

__all__ = ["Skipped", "jwk_of", "permitted_operations", "read_jwks", "row_of", "thumbprint_of"]

# What identifies a key, and nothing else (RFC 7638 §3.2, RFC 8037 §2).
_THUMBPRINT = {
    "oct": ("k", "kty"),
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
}

_USES = {"sig": "signatures", "enc": "encryption"}
_OPERATIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "sig": {"sign": ("sign",), "verify": ("verify",)},
    "enc": {
        "encrypt": ("encrypt",), "wrapKey": ("encrypt",), "decrypt": ("decrypt",), "unwrapKey": ("decrypt",),
        "deriveKey": ("encrypt", "decrypt"), "deriveBits": ("encrypt", "decrypt"),
    },
}  # fmt: skip


class Skipped(NamedTuple):
    """A member of a JWK set that is not used (RFC 7517 §5: such members are passed over).

    Args:
        key_id: the key id that it names, or None.
        reason: why, without anything of the key.
    """

    key_id: str | None
    reason: str


def row_of(jwk: Mapping[str, Any], algorithm: str | None) -> Algorithm:
    """The one algorithm of a JWK, whose type, curve and use must permit it (RFC 7517 §4.1 to §4.4).

    Raises:
        ConfigurationError: it has none, another one, or may not be used for it.
    """
    if not isinstance(jwk, Mapping):
        raise ConfigurationError(f"a JWK is a mapping, not {type(jwk).__name__}: parse its JSON first")
    named = jwk.get("alg")
    if named is None and algorithm is None:
        rows = ENCRYPTION_ALGORITHMS if jwk.get("use") == "enc" else ALGORITHMS
        fitting = ", ".join(row.name for row in rows if _fits(row, jwk))
        raise ConfigurationError(
            f"this JWK names no algorithm: pass algorithm=, one of {fitting or 'those of its type'}"
        )
    row = algorithm_named(algorithm if named is None else named)
    if algorithm is not None and algorithm_named(algorithm) != row:
        raise ConfigurationError(f"this JWK is for {row.name}, not for {algorithm}")
    if not _fits(row, jwk):
        raise ConfigurationError(f"{row.name} needs a JWK of kty {row.key_type} {row.curve}".rstrip())
    if jwk.get("use", row.use) != row.use:
        raise ConfigurationError(f"this JWK is not for {_USES[row.use]} (RFC 7517 §4.2)")
    return row


def permitted_operations(jwk: Mapping[str, Any], row: Algorithm) -> frozenset[str]:
    """Those of "sign" and "verify", or of "encrypt" and "decrypt", that `key_ops` permits (RFC 7517 §4.3).

    Raises:
        ConfigurationError: malformed, or none.
    """
    operations = jwk.get("key_ops", list(_OPERATIONS[row.use]))
    if not isinstance(operations, (list, tuple)) or not all(isinstance(name, str) for name in operations):
        raise ConfigurationError("key_ops is a list of texts (RFC 7517 §4.3)")
    permitted = frozenset[str]().union(*(_OPERATIONS[row.use].get(name, ()) for name in operations))
    # The public key of an agreement has no operation of its own, only a part in one (W3C Web Cryptography).
    if not permitted and not (row.family == "ECDH-ES" and "d" not in jwk):
        doing = "neither sign nor verify" if row.use == "sig" else "neither encrypt nor decrypt"
        raise ConfigurationError(f"this JWK may {doing} (RFC 7517 §4.3)")
    return permitted or frozenset({"encrypt"})


def _fits(row: Algorithm, jwk: Mapping[str, Any]) -> bool:
    return fits(row, jwk.get("kty"), jwk.get("crv"))


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
        try:
            data = parse_object(data.encode() if isinstance(data, str) else data)
        except ValueError:  # a UnicodeEncodeError would show the text
            raise ConfigurationError("this is no JWK set: not a JSON object, or a member name twice in one") from None
    if not isinstance(data, Mapping):
        raise ConfigurationError(f"a JWK set is a mapping or its JSON, not {type(data).__name__}")
    found = data.get("keys")
    if not isinstance(found, (list, tuple)):
        raise ConfigurationError('this is no JWK set: it has no list of "keys" (RFC 7517 §5.1)')
    return found


def _bound(jwk: Any, rows: Sequence[Algorithm] | None, published: bool) -> Key:
    """The key in a member of a set, bound to one algorithm."""
    from watchword.crypto.keys import Key  # noqa: PLC0415 -- keys builds on this module

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
    fitting = list(dict.fromkeys(row for row in rows if _fits(row, jwk)))
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


def jwk_of(key: Key, material: tuple[Any, Any] | None, private: bool) -> dict[str, str]:
    """The members of `key`; its `material` is the pair of OpenSSL's public and private key, None for a secret."""
    row = algorithm_named(key.algorithm)
    members = {"kty": row.key_type}
    if material is None:
        if not private:
            raise ConfigurationError("a shared secret has no public part: to_jwk(private=True) shows it all")
        members["k"] = b64url_encode(key.secret_bytes()).decode()
    else:
        from watchword.crypto import asymmetric  # noqa: PLC0415 -- loaded already: it made the material

        if private and material[1] is None:
            raise ConfigurationError("this key has no private part: leave private= out")
        members |= asymmetric.jwk_members(material[0], material[1] if private else None)
    names = {} if key.key_id is None else {"kid": key.key_id}
    return {**members, "alg": row.name, "use": row.use, **names}


def thumbprint_of(members: Mapping[str, str]) -> str:
    """RFC 7638 §3: SHA-256 of the members that identify the key, in lexicographic order, in base64url."""
    canonical = {name: members[name] for name in _THUMBPRINT[members["kty"]]}
    return b64url_encode(digest("sha-256", msgspec.json.encode(canonical))).decode()
