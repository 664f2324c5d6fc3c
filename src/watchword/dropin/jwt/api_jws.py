"""PyJWT's `PyJWS`: signed octets in the compact form (RFC 7515 §7.1), also detached and unencoded (RFC 7797)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.encoding import b64url_decode, b64url_encode
from watchword.dropin import _compact
from watchword.dropin.jwt import algorithms as families
from watchword.dropin.jwt._keys import AnyKey, UnsupportedAlgorithm, WeakKey, row_named
from watchword.dropin.jwt.api_jwk import PyJWK
from watchword.dropin.jwt.exceptions import (
    DecodeError, InvalidAlgorithmError, InvalidKeyError, InvalidSignatureError, InvalidTokenError,
)  # fmt: skip
from watchword.dropin.jwt.warnings import InsecureKeyLengthWarning, RemovedInPyjwt3Warning
from watchword.structures.bounded import Bounded

__all__ = [
    "UNSAID", "PyJWS", "decode", "decode_complete", "encode", "get_algorithm_by_name", "get_unverified_header",
    "register_algorithm", "unregister_algorithm", "warn_of",
]  # fmt: skip

UNSAID: Final[Any] = object()
"""No algorithm was given: a PyJWK's own, or else HS256."""
KEPT: Final = 64
"""Keys whose preparation an object remembers, and headers of genuine tokens."""
MAX_KNOWN: Final = 512
"""Octets of a header that is remembered."""
_ENFORCE: Final = "enforce_minimum_key_length"


class _Bound(NamedTuple):
    """A key with its algorithm; `verify` raises `Rejected`, and `shortness` says that the key is too short."""

    sign: Callable[[bytes], bytes]
    verify: Callable[[bytes, bytes], None]
    shortness: str | None


class PyJWS:
    """Signs and verifies octets.

    Args:
        algorithms: the only ones to use; None: all.
        options: "verify_signature", True unless said otherwise; "enforce_minimum_key_length": keys that RFC 7518 calls too
            short are refused, not warned of.
    """

    header_typ = "JWT"

    def __init__(self, algorithms: Sequence[str] | None = None, options: Mapping[str, Any] | None = None) -> None:
        self.options = {"verify_signature": True, _ENFORCE: False, **(options or {})}
        self._headers: Bounded[bytes, dict[str, Any]] = Bounded(KEPT)
        self._keys: Bounded[tuple[object, str | bytes], _Bound] = Bounded(KEPT)
        known = families.get_default_algorithms()
        self._algorithms = known if algorithms is None else {name: known[name] for name in algorithms if name in known}

    def register_algorithm(self, alg_id: str, alg_obj: families.Algorithm) -> None:
        """Adds an algorithm of one's own, for this object.

        Raises:
            ValueError: there is one of this name already, or the name is "none".
            TypeError: no `Algorithm`.
        """
        if alg_id in self._algorithms or alg_id.lower() == "none":
            raise ValueError("Algorithm already has a handler.")
        if not isinstance(alg_obj, families.Algorithm):
            raise TypeError("Object is not of type `Algorithm`")
        self._algorithms[alg_id] = alg_obj

    def unregister_algorithm(self, alg_id: str) -> None:
        """Takes an algorithm away, for this object.

        Raises:
            KeyError: there is none of this name.
        """
        if alg_id not in self._algorithms:
            raise KeyError("The specified algorithm could not be removed because it is not registered.")
        del self._algorithms[alg_id]

    def get_algorithms(self) -> list[str]:
        """The names of the algorithms that are used."""
        return list(self._algorithms)

    def get_algorithm_by_name(self, alg_name: str) -> families.Algorithm:
        """The object of an algorithm.

        Raises:
            NotImplementedError: there is none, or it is not to be used.
        """
        if alg_name not in self._algorithms:
            raise UnsupportedAlgorithm("Algorithm not supported")
        return self._algorithms[alg_name]

    def encode(
        self,
        payload: bytes,
        key: AnyKey,
        algorithm: str | None = UNSAID,
        headers: Mapping[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        is_payload_detached: bool = False,
        sort_headers: bool = True,
    ) -> str:
        """A compact JWS of `payload`.

        Args:
            payload: any octets.
            key: a secret, a private key in PEM, a PyJWK, a `Key`, or a key of `cryptography`.
            algorithm: JOSE's name; HS256, or a PyJWK's or `Key`'s own, unless said otherwise.
            headers: further header members; an `alg` in them goes before `algorithm`, and `b64` False detaches the payload.
            json_encoder: writes the header.
            is_payload_detached: leave the payload out, unencoded (RFC 7797): whoever verifies has it from elsewhere.
            sort_headers: write the members of the header in alphabetical order.

        Raises:
            InvalidKeyError: not for this algorithm, a public key, or too short where that is enforced.
            TypeError: nothing that could be a key.
            InvalidAlgorithmError: unknown, "none", or another one than the key's.
            InvalidTokenError: header members that can't be.
        """
        more = dict(headers or {})
        name = more.get("alg") or _algorithm_of(key, algorithm)
        detached = is_payload_detached or more.get("b64") is False
        header = _header({"typ": self.header_typ, "alg": name, **more}, detached=detached)
        head = json.dumps(header, separators=(",", ":"), cls=json_encoder, sort_keys=sort_headers, allow_nan=False)
        encoded = b64url_encode(head.encode())
        signing_input = encoded + b"." + (payload if detached else b64url_encode(payload))
        signer = self._bound(self.get_algorithm_by_name(name), key, self.options).sign
        try:
            signature = b64url_encode(signer(signing_input))
        except ConfigurationError as error:
            raise InvalidKeyError(str(error)) from None
        return (encoded + b".." + signature if detached else signing_input + b"." + signature).decode()

    def decode_complete(
        self,
        jwt: str | bytes,
        key: AnyKey = "",
        algorithms: Iterable[str] | None = None,
        options: Mapping[str, Any] | None = None,
        detached_payload: bytes | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """{"payload", "header", "signature"} of a genuine JWS.

        Args:
            jwt: the token.
            key: as in `encode`, or a public key.
            algorithms: what the header may name; without it everything is refused, unless the key is a PyJWK.
            options: as in the constructor, for this call.
            detached_payload: the payload, where the token does not carry it (`b64` False, RFC 7797).
            **kwargs: does nothing, and is warned of.

        Raises:
            InvalidTokenError: one of its subclasses says why.
            InvalidKeyError: for none of the algorithms, or too short where that is enforced.
            TypeError: nothing that could be a key.
        """
        warn_of(kwargs)
        return self.opened(jwt, key, algorithms, {**self.options, **(options or {})}, detached_payload)

    def opened(
        self,
        jwt: str | bytes,
        key: AnyKey,
        algorithms: Iterable[str] | None,
        options: Mapping[str, Any],
        detached_payload: bytes | None,
    ) -> dict[str, Any]:
        """`decode_complete` with options that are all there; for `PyJWT`."""
        trusted = options["verify_signature"]
        if isinstance(algorithms, str):
            algorithms = [algorithms]
        if trusted and not algorithms:
            if not isinstance(key, PyJWK):
                raise DecodeError(
                    'It is required that you pass in a value for the "algorithms" argument when calling decode().'
                )
            algorithms = [key.algorithm_name]
        payload, signing_input, header, signature, unknown = self._load(jwt)
        _check_read(header)
        if header.get("b64", True) is False:
            payload, signing_input = _detached(header, signing_input, detached_payload)
        elif detached_payload is not None:
            raise DecodeError(
                'It is only valid to pass "detached_payload" when the protected header has "b64" set to false.'
            )
        if trusted:
            self._verify_signature(signing_input, header, signature, key, algorithms or (), options)
            if unknown:
                self._remember(unknown, header)
        return {"payload": payload, "header": header.copy(), "signature": signature}

    def _remember(self, head: bytes, header: dict[str, Any]) -> None:
        """Of a genuine token, so that its header is not decoded again: the tokens of one issuer share it."""
        if len(head) <= MAX_KNOWN and not any(isinstance(value, (dict, list)) for value in header.values()):
            self._headers.put(head, header)  # its copies share nothing that somebody could change

    def decode(
        self,
        jwt: str | bytes,
        key: AnyKey = "",
        algorithms: Iterable[str] | None = None,
        options: Mapping[str, Any] | None = None,
        detached_payload: bytes | None = None,
        **kwargs: Any,
    ) -> Any:
        """The payload of a genuine JWS; raises what `decode_complete` raises."""
        warn_of(kwargs)
        return self.decode_complete(jwt, key, algorithms, options, detached_payload)["payload"]

    def get_unverified_header(self, jwt: str | bytes) -> dict[str, Any]:
        """The header, not verified: to choose a key by `kid`, never to be believed.

        Raises:
            DecodeError: it can't be read.
        """
        header = self._load(jwt)[2]
        _check_read(header)
        return header.copy()

    def _load(self, jwt: str | bytes) -> tuple[bytes, bytes, dict[str, Any], bytes, bytes]:
        """Payload, signing input, header and signature, and the header's segment if it is not known; nothing is verified."""
        try:
            head, body, tail, signing_input = _compact.split(jwt)
            header, unknown = self._headers.get(head), b""
            if header is None:
                unknown = head
                header = _compact.read_header(head)
            if header.get("b64", True) is not False:
                payload = self._decode_base64url_segment(body, "payload")
            elif body:
                raise DecodeError("Payload segment must be empty when 'b64' is false.")
            else:
                payload = b""
            return payload, signing_input, header, self._decode_base64url_segment(tail, "crypto"), unknown
        except _compact.Unreadable as error:
            raise DecodeError(str(error)) from None

    @staticmethod
    def _decode_base64url_segment(segment: bytes, name: str) -> bytes:
        try:
            return b64url_decode(segment)  # nearly always
        except ValueError:
            pass
        try:
            return _compact.segment(segment, name)
        except _compact.Unreadable as error:
            raise DecodeError(str(error)) from None

    def _verify_signature(
        self,
        signing_input: bytes,
        header: Mapping[str, Any],
        signature: bytes,
        key: AnyKey,
        permitted: Iterable[str],
        options: Mapping[str, Any],
    ) -> None:
        if "alg" not in header:
            raise InvalidAlgorithmError("Algorithm not specified")
        name = header["alg"]
        if not isinstance(name, str) or name not in permitted:
            raise InvalidAlgorithmError("The specified alg value is not allowed")
        if isinstance(key, PyJWK) and key.algorithm_name != name:
            raise InvalidAlgorithmError(
                f"Token algorithm {name!r} does not match the key's algorithm {key.algorithm_name!r}"
            )
        bound = self._bound(self._algorithms.get(name) or self.get_algorithm_by_name(name), key, options)
        try:
            bound.verify(signing_input, signature)  # whatever kid is named: the caller has chosen the key
        except Rejected:
            raise InvalidSignatureError("Signature verification failed") from None

    def _bound(self, algorithm: families.Algorithm, key: AnyKey, options: Mapping[str, Any]) -> _Bound:
        """What signs and what verifies with this key; made once for a key that is a text.

        Raises:
            InvalidKeyError: it is not for this algorithm, or too short where that is enforced.
        """
        kept = isinstance(key, (str, bytes))
        bound = self._keys.get((algorithm, key)) if kept else None
        if bound is None:
            bound = _bound(algorithm, key)
            if kept:
                self._keys.put((algorithm, key), bound)
        if bound.shortness is not None:
            if options.get(_ENFORCE):
                raise InvalidKeyError(bound.shortness)
            warnings.warn(bound.shortness, InsecureKeyLengthWarning, stacklevel=4)
        return bound


def _bound(algorithm: families.Algorithm, key: AnyKey) -> _Bound:
    if isinstance(algorithm, families.Family):
        bound = algorithm.bound(key)
        return _Bound(bound.sign, bound.verify, bound.shortness if isinstance(bound, WeakKey) else None)
    if isinstance(algorithm, families.NoneAlgorithm):
        row_named("none")
    prepared = algorithm.prepare_key(key.key if isinstance(key, PyJWK) else key)

    def verify(data: bytes, signature: bytes) -> None:
        if not algorithm.verify(data, prepared, signature):
            raise Rejected(Reason.WRONG_SIGNATURE)

    return _Bound(lambda data: algorithm.sign(data, prepared), verify, algorithm.check_key_length(prepared))


def warn_of(kwargs: Mapping[str, Any]) -> None:
    """Warns of arguments that do nothing, as PyJWT does."""
    if kwargs:
        warnings.warn(f"these arguments do nothing: {tuple(kwargs)}", RemovedInPyjwt3Warning, stacklevel=3)


def _algorithm_of(key: AnyKey, algorithm: object) -> Any:
    if algorithm is UNSAID:
        own = getattr(key, "algorithm_name", None) or getattr(key, "algorithm", None)
        return own if isinstance(own, str) else "HS256"
    if algorithm is None:
        return key.algorithm_name if isinstance(key, PyJWK) else "none"
    return algorithm


def _header(header: dict[str, Any], *, detached: bool) -> dict[str, Any]:
    """The members as they are written."""
    if "kid" in header and not isinstance(header["kid"], str):
        raise InvalidTokenError("Key ID header parameter must be a string")
    if not header["typ"]:  # PyJWT's way to leave it out
        del header["typ"]
    if detached:  # RFC 7797 §6: whoever does not know b64 must not take the payload for base64
        crit = header.get("crit", [])
        if not isinstance(crit, list):
            raise InvalidTokenError("Invalid 'crit' header: must be a list")
        header["b64"] = False
        header["crit"] = crit if "b64" in crit else [*crit, "b64"]
    else:
        header.pop("b64", None)
    return header


def _detached(header: Mapping[str, Any], signing_input: bytes, payload: bytes | None) -> tuple[bytes, bytes]:
    """Payload and signing input of a token that does not carry its payload."""
    if "b64" not in (header.get("crit") or ()):
        raise InvalidTokenError("The 'b64' header parameter requires 'b64' to be listed in 'crit'.")
    if payload is None:
        raise DecodeError(
            'It is required that you pass in a value for the "detached_payload" argument to decode a message having the b64 '
            "header set to false."
        )
    return payload, signing_input.rpartition(b".")[0] + b"." + payload


def _check_read(header: Mapping[str, Any]) -> None:
    if "kid" in header and not isinstance(header["kid"], str):
        raise InvalidTokenError("Key ID header parameter must be a string")
    if "crit" not in header:
        return
    crit = header["crit"]
    if not isinstance(crit, list) or not crit:
        raise InvalidTokenError("Invalid 'crit' header: must be a non-empty list")
    for name in crit:
        if not isinstance(name, str):
            raise InvalidTokenError("Invalid 'crit' header: values must be strings")
        if name != "b64":
            raise InvalidTokenError(f"Unsupported critical extension: {name[:64]}")
        if name not in header:
            raise InvalidTokenError(f"Critical extension '{name}' is missing from headers")


_SHARED: Final = PyJWS()
encode = _SHARED.encode
decode = _SHARED.decode
decode_complete = _SHARED.decode_complete
get_algorithm_by_name = _SHARED.get_algorithm_by_name
get_unverified_header = _SHARED.get_unverified_header
register_algorithm = _SHARED.register_algorithm
unregister_algorithm = _SHARED.unregister_algorithm
