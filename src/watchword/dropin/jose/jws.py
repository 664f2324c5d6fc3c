"""python-jose's `jose.jws`: signed octets in the compact form (RFC 7515 §7.1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from watchword.core.rejection import Rejected
from watchword.crypto.encoding import b64url_encode, parse_object
from watchword.crypto.jose import check_header
from watchword.dropin import _compact
from watchword.dropin._octets import force_bytes
from watchword.dropin.jose import jwk
from watchword.dropin.jose.backends.base import Key
from watchword.dropin.jose.constants import ALGORITHMS
from watchword.dropin.jose.exceptions import (
    JWKError, JWSAlgorithmError, JWSError, JWSKeyError, JWSSignatureError,
)  # fmt: skip
from watchword.structures.bounded import Bounded

__all__ = ["get_unverified_claims", "get_unverified_header", "get_unverified_headers", "sign", "verify"]

_KEPT: Final = 64
_constructed: Final[Bounded[tuple[object, str, str | bytes], Key]] = Bounded(_KEPT)
"""Keys that were texts, prepared: whoever verifies all day gives the same."""


def sign(
    payload: str | bytes | Mapping[str, Any],
    key: Any,
    headers: Mapping[str, Any] | None = None,
    algorithm: str = ALGORITHMS.HS256,
) -> str:
    """A compact JWS of `payload`.

    Args:
        payload: octets, text, or claims.
        key: a secret, a private key in PEM, a JWK, a `Key` of `jwk`, or ours.
        headers: further header members.
        algorithm: JOSE's name.

    Raises:
        JWSError: the key is not for this algorithm or public (`JWSKeyError`), there is no such algorithm, or `headers` say another
            one or demand an extension.
        TypeError: claims that JSON can't say; ValueError: numbers that it can't say.
    """
    if algorithm not in ALGORITHMS.SUPPORTED:
        raise JWSAlgorithmError(f"Algorithm {str(algorithm)[:32]} not supported.")
    header = {"typ": "JWT", "alg": algorithm, **(headers or {})}
    if header["alg"] != algorithm or "crit" in header or "b64" in header:
        raise JWSError(
            "headers= holds neither another alg than algorithm=, nor crit or b64: who reads it would refuse it"
        )
    octets = _json(payload) if isinstance(payload, Mapping) else force_bytes(payload)
    signing_input = b64url_encode(json.dumps(header, separators=(",", ":"), sort_keys=True, allow_nan=False).encode())
    signing_input += b"." + b64url_encode(octets)
    try:
        signature = (key if isinstance(key, Key) else _key(key, algorithm)).sign(signing_input)
    except JWKError as error:
        raise JWSKeyError(str(error)) from None
    except NotImplementedError:
        raise JWSKeyError(f"a key for {algorithm} signs nothing") from None
    return (signing_input + b"." + b64url_encode(signature)).decode()


def verify(token: str | bytes, key: Any, algorithms: str | Iterable[str] | None, verify: bool = True) -> bytes:
    """The payload of a genuine JWS.

    Args:
        token: the JWS.
        key: a secret, a public key in PEM, a certificate, a JWK, a `Key`; or several: a list, a JWK set, a mapping of names to keys,
            or the JSON of one of these. One of several has to fit.
        algorithms: what the header may name; without it everything is refused.
        verify: False: read it only.

    Raises:
        JWSError: one of its subclasses says why.
    """
    header, payload, signing_input, signature = _load(token)
    if verify:
        _verify_signature(signing_input, header, signature, key, algorithms)
    return payload


def get_unverified_header(token: str | bytes) -> dict[str, Any]:
    """The header, not verified: to choose a key by `kid`, never to be believed.

    Raises:
        JWSError: it can't be read.
    """
    return _load(token)[0]


def get_unverified_headers(token: str | bytes) -> dict[str, Any]:
    """The same as `get_unverified_header`."""
    return get_unverified_header(token)


def get_unverified_claims(token: str | bytes) -> bytes:
    """The payload, not verified: never to be believed.

    Raises:
        JWSError: it can't be read.
    """
    return _load(token)[1]


def _json(claims: Mapping[str, Any]) -> bytes:
    return json.dumps(claims, separators=(",", ":"), allow_nan=False).encode()


def _load(token: str | bytes) -> tuple[dict[str, Any], bytes, bytes, bytes]:
    """Header, payload, signing input and signature; nothing is verified."""
    try:
        head, body, tail, signing_input = _compact.split(token)
        header = _compact.read_header(head)
        return header, _compact.segment(body, "payload"), signing_input, _compact.segment(tail, "crypto")
    except _compact.Unreadable as error:
        raise JWSError(str(error)) from None


def _verify_signature(
    signing_input: bytes,
    header: dict[str, Any],
    signature: bytes,
    key: Any,
    algorithms: str | Iterable[str] | None,
) -> None:
    if algorithms is None:
        raise JWSAlgorithmError(
            'algorithms= is needed: else the token itself says how it is verified. Write algorithms=["RS256"], or what your '
            "issuer signs with (RFC 8725 §3.1)"
        )
    try:
        alg = check_header(header)["alg"]
    except Rejected as error:
        raise JWSError(f"{error.rejection.detail}: {error.rejection.where}") from None
    if alg not in ([algorithms] if isinstance(algorithms, str) else list(algorithms)):
        raise JWSAlgorithmError("The specified alg value is not allowed")
    if alg not in ALGORITHMS.SUPPORTED:
        raise JWSAlgorithmError(f"Invalid or unsupported algorithm: {alg[:32]}")
    if not _sig_matches_keys(_get_keys(key, alg), signing_input, signature, alg):
        raise JWSSignatureError("Signature verification failed.")


def _sig_matches_keys(keys: Iterable[Any], signing_input: bytes, signature: bytes, alg: str) -> bool:
    """Whether one of the keys made the signature.

    Raises:
        JWSKeyError: none of them can be used with this algorithm.
    """
    refusal = JWKError("no key was given")
    usable = False
    for given in keys:
        try:
            key = _made_for(given, alg) if isinstance(given, Key) else _key(given, alg)
        except JWKError as error:  # another kind of key, as a set may hold
            refusal = error
            continue
        usable = True
        try:
            if key.verify(signing_input, signature):
                return True
        except Warning:  # of a short key, where the program makes it an error
            raise
        except Exception:  # noqa: BLE001, S112 -- a key class of the program's own may fail as it likes
            continue
    if not usable:
        raise JWSKeyError(str(refusal))
    return False


def _made_for(key: Key, alg: str) -> Key:
    own = getattr(key, "_algorithm", alg)
    if own != alg:
        raise JWKError(f"this key is for {own}, not for {alg}")
    return key


def _key(given: Any, alg: str) -> Key:
    if not isinstance(given, (str, bytes)):
        return jwk.construct(given, alg)
    name = (jwk.get_key(alg), alg, given)
    found = _constructed.get(name)
    if found is None:
        found = jwk.construct(given, alg)
        _constructed.put(name, found)
    return found


def _get_keys(key: Any, alg: str | None = None) -> Iterable[Any]:
    """The keys that were given, one or several.

    Raises:
        JWSKeyError: a set that is none, or texts by name as secrets: they may be the members of an issuer's message.
    """
    if isinstance(key, (str, bytes)):
        key = _parsed(key)
    if isinstance(key, Mapping):
        if "keys" in key:
            return _several(key["keys"])
        if "kty" in key or not key:
            return (key,)
        if alg in ALGORITHMS.HMAC:
            raise JWSKeyError(
                "a mapping of names to keys holds certificates and public keys: give secrets as JWKs or in a list"
            )
        return tuple(key.values())
    if isinstance(key, Iterable) and not isinstance(key, (str, bytes, Key)):
        return key
    return (key,)


def _several(keys: object) -> Iterable[Any]:
    if not isinstance(keys, (list, tuple)):  # the letters of a text would be keys, or the names of a mapping
        raise JWSKeyError("a JWK set holds a list of keys (RFC 7517 §5.1)")
    return keys


def _parsed(text: str | bytes) -> Any:
    """What a text spells in JSON: a JWK, a set, a list; or the text itself."""
    try:
        octets = force_bytes(text)
        if octets.lstrip(b" \t\r\n")[:1] not in (b"{", b"["):
            return text
        wrapped = parse_object(b'{"":%b}' % octets)  # which is strict, and reads objects alone
    except ValueError:
        return text
    return wrapped[""] if len(wrapped) == 1 else text
