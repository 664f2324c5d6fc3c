"""PyJWT's `PyJWS`: signed octets in the compact form (RFC 7515 §7.1), and `get_unverified_header`."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_encode
from watchword.dropin.jwt import algorithms as families
from watchword.dropin.jwt._keys import AnyKey, UnsupportedAlgorithm, key_for, row_named
from watchword.dropin.jwt.api_jwk import PyJWK
from watchword.dropin.jwt.exceptions import (
    DecodeError, InvalidAlgorithmError, InvalidKeyError, InvalidSignatureError, InvalidTokenError,
)  # fmt: skip
from watchword.dropin.jwt.warnings import RemovedInPyjwt3Warning

__all__ = [
    "UNSAID", "PyJWS", "decode", "decode_complete", "encode", "get_algorithm_by_name", "get_unverified_header",
    "warn_of",
]  # fmt: skip

UNSAID: Final[Any] = object()
"""No algorithm was given: a PyJWK's own, or else HS256."""

_ERRORS: Final[Mapping[Reason, type[InvalidTokenError]]] = {
    Reason.WRONG_SIGNATURE: InvalidSignatureError,
    Reason.WRONG_ALGORITHM: InvalidAlgorithmError,
    Reason.UNKNOWN_CRITICAL: InvalidTokenError,
}


class PyJWS:
    """Signs and verifies octets.

    Args:
        algorithms: the only ones to use; None: all.
        options: "verify_signature", True unless said otherwise.
    """

    header_typ = "JWT"

    def __init__(self, algorithms: Sequence[str] | None = None, options: Mapping[str, Any] | None = None) -> None:
        self.options = {"verify_signature": True, "enforce_minimum_key_length": False, **(options or {})}
        known = families.get_default_algorithms()
        self._algorithms = known if algorithms is None else {name: known[name] for name in algorithms if name in known}

    def get_algorithms(self) -> list[str]:
        """The names of the algorithms that are used."""
        return list(self._algorithms)

    def get_algorithm_by_name(self, alg_name: str) -> families.Algorithm:
        """The object of an algorithm.

        Raises:
            NotImplementedError: there is none, or it is not to be used.
        """
        if alg_name not in self._algorithms:
            raise UnsupportedAlgorithm(f"Algorithm not supported: {str(alg_name)[:32]!r}")
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
            headers: further header members; an `alg` in them goes before `algorithm`.
            json_encoder: writes the header.
            is_payload_detached: refused; `watchword.crypto.jose.sign(…, detached=True, b64=False)` does that.
            sort_headers: write the members of the header in alphabetical order.

        Raises:
            InvalidKeyError: too short, not for this algorithm, or a public key.
            InvalidAlgorithmError: unknown, "none", or another one than the key's.
            InvalidTokenError: header members that can't be.
        """
        more = dict(headers or {})
        name = more.get("alg") or _algorithm_of(key, algorithm)
        if name not in self._algorithms:
            row_named(name)  # says what is wrong with it, if it isn't that this object may not use it
            self.get_algorithm_by_name(name)
        if is_payload_detached or more.pop("b64", True) is not True:
            raise InvalidTokenError("detached and unencoded: use watchword.crypto.jose.sign(detached=True, b64=False)")
        header = {"typ": self.header_typ, "alg": name, **more}
        if not header["typ"]:  # PyJWT's way to leave it out
            del header["typ"]
        _check_written(header)
        signer = key_for(key, name)
        head = json.dumps(header, separators=(",", ":"), cls=json_encoder, sort_keys=sort_headers, allow_nan=False)
        signing_input = b64url_encode(head.encode()) + b"." + b64url_encode(payload)
        try:
            return (signing_input + b"." + b64url_encode(signer.sign(signing_input))).decode()
        except ConfigurationError as error:
            raise InvalidKeyError(str(error)) from None

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

        Raises:
            InvalidTokenError: one of its subclasses says why.
            InvalidKeyError: too short, or for none of the algorithms.
        """
        warn_of(kwargs)
        trusted = {**self.options, **(options or {})}["verify_signature"]
        if isinstance(algorithms, str):
            algorithms = [algorithms]
        if trusted and not algorithms:
            if not isinstance(key, PyJWK):
                raise DecodeError(
                    'It is required that you pass in a value for the "algorithms" argument when calling decode().'
                )
            algorithms = [key.algorithm_name]
        payload, signing_input, header, signature = self._load(jwt)
        _check_read(header)
        if detached_payload is not None:
            raise DecodeError("detached payloads: use watchword.crypto.jose.verify(…, payload=…)")
        if trusted:
            self._verify_signature(signing_input, header, signature, key, list(algorithms or ()))
        return {"payload": payload, "header": header, "signature": signature}

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
        return header

    def _load(self, jwt: str | bytes) -> tuple[bytes, bytes, dict[str, Any], bytes]:
        """Payload, signing input, header and signature; nothing is verified."""
        if not isinstance(jwt, (str, bytes)):
            raise DecodeError(f"Invalid token type: a token is str or bytes, not {type(jwt).__name__}")
        try:
            head, body, tail, signing_input = jose.split(jwt)
            header = jose.read_header(head)
            return jose.decode(body, "payload"), signing_input, header, jose.decode(tail, "signature")
        except Rejected as rejected:
            raise _translated(rejected) from None

    def _verify_signature(
        self, signing_input: bytes, header: Mapping[str, Any], signature: bytes, key: AnyKey, permitted: Sequence[str]
    ) -> None:
        if "alg" not in header:
            raise InvalidAlgorithmError("Algorithm not specified")
        name = header["alg"]
        if name not in permitted or name not in self._algorithms:
            raise InvalidAlgorithmError("The specified alg value is not allowed")
        if isinstance(key, PyJWK) and key.algorithm_name != name:
            raise InvalidAlgorithmError(f"The specified alg value is not allowed: this key is for {key.algorithm_name}")
        verifier = key_for(key, name)
        try:
            verifier.verify(signing_input, signature)  # whatever kid is named: the caller has chosen the key
        except Rejected as rejected:
            raise _translated(rejected) from None


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


def _check_written(header: Mapping[str, Any]) -> None:
    if "kid" in header and not isinstance(header["kid"], str):
        raise InvalidTokenError("Key ID header parameter must be a string")
    crit = header.get("crit", ["alg"])
    if not isinstance(crit, list) or not crit or not all(isinstance(name, str) and name in header for name in crit):
        raise InvalidTokenError("crit is a list of header members that are there (RFC 7515 §4.1.11)")


def _check_read(header: dict[str, Any]) -> None:
    if isinstance(header.get("crit"), list) and header["crit"]:
        raise InvalidTokenError(f"Unsupported critical extension: {str(header['crit'][0])[:64]!r}")
    if "kid" in header and not isinstance(header["kid"], str):
        raise InvalidTokenError("Key ID header parameter must be a string")
    try:
        jose.check_header({"alg": "", **header})  # whether it names an algorithm is asked when it matters
    except Rejected as rejected:
        raise _translated(rejected) from None


def _translated(rejected: Rejected) -> InvalidTokenError:
    rejection = rejected.rejection
    kind = _ERRORS.get(rejection.reason, DecodeError)
    if kind is InvalidSignatureError:
        return InvalidSignatureError("Signature verification failed")
    if rejection.where == "token":
        return DecodeError(f"Not enough segments, or too many: {rejection.detail}")
    return kind(f"Invalid {rejection.where}: {rejection.detail}")


_SHARED: Final = PyJWS()
encode = _SHARED.encode
decode = _SHARED.decode
decode_complete = _SHARED.decode_complete
get_algorithm_by_name = _SHARED.get_algorithm_by_name
get_unverified_header = _SHARED.get_unverified_header
