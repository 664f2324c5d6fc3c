"""PyJWT's `PyJWT`, and the functions of its module: `encode`, `decode`, `decode_complete`."""

from __future__ import annotations

import json
import time
import warnings
from calendar import timegm
from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from watchword.dropin import _compact
from watchword.dropin._dates import date_of, seconds_of
from watchword.dropin.jwt._keys import AnyKey
from watchword.dropin.jwt.api_jws import UNSAID, PyJWS, warn_of
from watchword.dropin.jwt.exceptions import (
    DecodeError, ExpiredSignatureError, ImmatureSignatureError, InvalidAudienceError, InvalidIssuedAtError,
    InvalidIssuerError, InvalidJTIError, InvalidSubjectError, InvalidTokenError, MissingRequiredClaimError,
)  # fmt: skip

__all__ = ["PyJWT", "decode", "decode_complete", "encode"]

_ENFORCE: Final = "enforce_minimum_key_length"
_CHECKS: Final = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti", "cnf")


class PyJWT:
    """Signs and verifies claims, with `options` of its own.

    Args:
        options: as in `decode`, for each call that doesn't say otherwise.
    """

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options: dict[str, Any] = {
            "verify_signature": True, **{f"verify_{name}": True for name in _CHECKS},
            "require": [], "strict_aud": False, _ENFORCE: False,
        }  # fmt: skip
        self.options = self._merge_options(options)
        self._jws = PyJWS(options={_ENFORCE: self.options[_ENFORCE]})

    def _merge_options(self, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Without a signature only those checks are made that are asked for by name."""
        if not options:
            return self.options
        chosen = dict(options)
        unchecked = {} if chosen.get("verify_signature", True) else {f"verify_{name}": False for name in _CHECKS}
        return {**self.options, **unchecked, **chosen}

    def encode(
        self,
        payload: Mapping[str, Any],
        key: AnyKey,
        algorithm: str | None = UNSAID,
        headers: Mapping[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
        sort_headers: bool = True,
    ) -> str:
        """A signed token.

        Args:
            payload: the claims; `exp`, `iat` and `nbf` may be datetimes.
            key: a secret, a private key in PEM, a PyJWK, a `Key`, or a key of `cryptography`.
            algorithm: JOSE's name; HS256, or a PyJWK's or `Key`'s own, unless said otherwise.
            headers: further header members: `kid`, `typ`; an `alg` in them goes before `algorithm`.
            json_encoder: writes claims and header.
            sort_headers: write the members of the header in alphabetical order.

        Raises:
            InvalidKeyError: not for this algorithm, a public key, or too short where that is enforced.
            InvalidTokenError: header members that can't be in a JWT.
            InvalidAlgorithmError: unknown, or "none".
            TypeError: claims that JSON can't say; ValueError: numbers that it can't say.

        >>> PyJWT({"enforce_minimum_key_length": True}).encode({"sub": "alice"}, "your_secret_key")
        Traceback (most recent call last):
        ...
        watchword.dropin.jwt.exceptions.InvalidKeyError: The HMAC key is 15 bytes long, which is below the minimum
        recommended length of 32 bytes for SHA256. See RFC 7518 Section 3.2; make one with Key.generate("HS256")
        """
        if not isinstance(payload, Mapping):
            raise TypeError("Expecting a dict object, as JWT only supports JSON objects as payloads.")
        claims = dict(payload)
        for name in ("exp", "iat", "nbf"):
            if isinstance(claims.get(name), datetime):
                claims[name] = timegm(claims[name].utctimetuple())
        if not isinstance(claims.get("iss", ""), str):
            raise TypeError("Issuer (iss) must be a string.")
        _check_header(headers or {})
        octets = self._encode_payload(claims, headers=headers, json_encoder=json_encoder)
        return self._jws.encode(octets, key, algorithm, headers, json_encoder, sort_headers=sort_headers)

    def _encode_payload(
        self,
        payload: dict[str, Any],
        headers: Mapping[str, Any] | None = None,
        json_encoder: type[json.JSONEncoder] | None = None,
    ) -> bytes:
        """The octets to sign; subclasses may encode otherwise."""
        return json.dumps(payload, separators=(",", ":"), cls=json_encoder, allow_nan=False).encode()

    def decode_complete(
        self,
        jwt: str | bytes,
        key: AnyKey = "",
        algorithms: Iterable[str] | None = None,
        options: Mapping[str, Any] | None = None,
        verify: bool | None = None,
        detached_payload: bytes | None = None,
        audience: str | Iterable[str] | None = None,
        issuer: str | Container[str] | None = None,
        subject: str | None = None,
        leeway: float | timedelta = 0,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """`decode`, with the header and the signature: {"payload", "header", "signature"}."""
        if kwargs:
            warn_of(kwargs)
        if verify is not None and verify != bool((options or {}).get("verify_signature", True)):
            warnings.warn(
                'verify= does nothing: say options={"verify_signature": False} if that is meant',
                DeprecationWarning, stacklevel=2,
            )  # fmt: skip
        merged = self._merge_options(options)
        decoded = self._jws.opened(jwt, key, algorithms, merged, detached_payload)
        decoded["payload"] = self._decode_payload(decoded)
        self._validate_claims(
            decoded["payload"], merged, audience=audience, issuer=issuer, subject=subject, leeway=leeway
        )
        return decoded

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        """The claims; subclasses may decode otherwise."""
        try:
            return _compact.read_object(decoded["payload"], "payload")
        except _compact.Unreadable as error:
            raise DecodeError(str(error)) from None

    def decode(
        self,
        jwt: str | bytes,
        key: AnyKey = "",
        algorithms: Iterable[str] | None = None,
        options: Mapping[str, Any] | None = None,
        verify: bool | None = None,
        detached_payload: bytes | None = None,
        audience: str | Iterable[str] | None = None,
        subject: str | None = None,
        issuer: str | Container[str] | None = None,
        leeway: float | timedelta = 0,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The claims of a token, if it is genuine and good now.

        Args:
            jwt: the token.
            key: the secret, the public key in PEM or OpenSSH's spelling, a PyJWK, a `Key`, or a key of `cryptography`.
            algorithms: what the header may name; without it everything is refused, unless the key is a PyJWK.
            options: "require", a list of claims; "verify_signature" and "verify_" with exp, nbf, iat, aud, iss, sub, jti
                and cnf, each True unless said otherwise; "strict_aud": one audience, not a list; "enforce_minimum_key_length":
                keys below RFC 7518's sizes are refused, where they are warned of else. "verify_cnf": False is
                for programs that check themselves that the sender has the key that a token is bound to (RFC 7800).
            verify: does nothing.
            detached_payload: refused; a JWT carries its claims (RFC 7797 §7).
            audience: one of these must be in `aud`.
            subject: `sub` must be this.
            issuer: `iss` must be this, or one of these.
            leeway: seconds by which clocks may differ.
            **kwargs: does nothing, and is warned of.

        Raises:
            InvalidTokenError: one of its subclasses says why.
            InvalidKeyError: for none of the algorithms, or too short where that is enforced.
            TypeError: an audience, leeway or key that is none.

        >>> secret = "at least thirty-two octets of secret"
        >>> decode(encode({"sub": "alice"}, secret), secret, algorithms=["HS256"])
        {'sub': 'alice'}
        """
        if kwargs:
            warn_of(kwargs)
        decoded = self.decode_complete(
            jwt, key, algorithms, options, verify, detached_payload, audience, issuer, subject, leeway
        )
        claims: dict[str, Any] = decoded["payload"]
        return claims

    # ---- the claims, in PyJWT's order, by PyJWT's names: subclasses override them ------------------------------------

    def _validate_claims(
        self,
        payload: dict[str, Any],
        options: Mapping[str, Any],
        audience: str | Iterable[str] | None = None,
        issuer: str | Container[str] | None = None,
        subject: str | None = None,
        leeway: float | timedelta = 0,
    ) -> None:
        slack = 0.0 if leeway == 0 else seconds_of(leeway)
        if audience is not None and not isinstance(audience, str) and not isinstance(audience, Iterable):
            raise TypeError("audience must be a string, iterable or None")
        if required := options["require"]:
            self._validate_required_claims(payload, [required] if isinstance(required, str) else required)
        now = time.time()
        if "iat" in payload and options["verify_iat"]:
            self._validate_iat(payload, now, slack)
        if "nbf" in payload and options["verify_nbf"]:
            self._validate_nbf(payload, now, slack)
        if "exp" in payload and options["verify_exp"]:
            self._validate_exp(payload, now, slack)
        if options["verify_iss"]:
            self._validate_iss(payload, issuer)
        if options["verify_aud"]:
            self._validate_aud(payload, audience, strict=options["strict_aud"])
        if options["verify_sub"]:
            self._validate_sub(payload, subject)
        if options["verify_jti"]:
            self._validate_jti(payload)
        if options["verify_cnf"] and "cnf" in payload:
            raise InvalidTokenError(
                "The token is bound to a key (cnf, RFC 7800), and nothing here proves that its sender has it: "
                'verify it with JWTVerifier, or prove it yourself and say options={"verify_cnf": False}'
            )

    def _validate_required_claims(self, payload: Mapping[str, Any], claims: Iterable[str]) -> None:
        for claim in claims:
            if payload.get(claim) is None:
                raise MissingRequiredClaimError(claim)

    def _validate_iat(self, payload: Mapping[str, Any], now: float, leeway: float) -> None:
        issued = date_of(payload["iat"])
        if issued is None:
            raise InvalidIssuedAtError("Issued At claim (iat) must be an integer.")
        if issued > now + leeway:
            raise ImmatureSignatureError("The token is not yet valid (iat)")

    def _validate_nbf(self, payload: Mapping[str, Any], now: float, leeway: float) -> None:
        start = date_of(payload["nbf"])
        if start is None:
            raise DecodeError("Not Before claim (nbf) must be an integer.")
        if start > now + leeway:
            raise ImmatureSignatureError("The token is not yet valid (nbf)")

    def _validate_exp(self, payload: Mapping[str, Any], now: float, leeway: float) -> None:
        expiry = date_of(payload["exp"])
        if expiry is None:
            raise DecodeError("Expiration Time claim (exp) must be an integer.")
        if expiry <= now - leeway:
            raise ExpiredSignatureError("Signature has expired")

    def _validate_iss(self, payload: Mapping[str, Any], issuer: str | Container[str] | None) -> None:
        if issuer is None:
            return
        if "iss" not in payload:
            raise MissingRequiredClaimError("iss")
        named = payload["iss"]
        if not isinstance(named, str):
            raise InvalidIssuerError("Payload Issuer (iss) must be a string")
        try:  # a text is compared whole, never searched (CVE-2024-53861)
            known = named in ((issuer,) if isinstance(issuer, str) else issuer)
        except TypeError:
            raise InvalidIssuerError('Issuer param must be "str" or "Container[str]"') from None
        if not known:
            raise InvalidIssuerError("Invalid issuer")

    def _validate_aud(
        self, payload: Mapping[str, Any], audience: str | Iterable[str] | None, *, strict: bool = False
    ) -> None:
        named = payload.get("aud") or None
        if audience is None:
            if named is not None:
                raise InvalidAudienceError("Invalid audience")
            return
        if named is None:
            raise MissingRequiredClaimError("aud")
        if strict:
            if not isinstance(audience, str):
                raise InvalidAudienceError("Invalid audience (strict)")
            if not isinstance(named, str):
                raise InvalidAudienceError("Invalid claim format in token (strict)")
            if audience != named:
                raise InvalidAudienceError("Audience doesn't match (strict)")
            return
        if named == audience and isinstance(named, str):  # nearly always
            return
        named = [named] if isinstance(named, str) else named
        if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
            raise InvalidAudienceError("Invalid claim format in token")
        if not any(name in named for name in ([audience] if isinstance(audience, str) else audience)):
            raise InvalidAudienceError("Audience doesn't match")

    def _validate_sub(self, payload: Mapping[str, Any], subject: str | None = None) -> None:
        if "sub" not in payload:
            if subject is not None:
                raise MissingRequiredClaimError("sub")
        elif not isinstance(payload["sub"], str):
            raise InvalidSubjectError("Subject must be a string")
        elif subject is not None and payload["sub"] != subject:
            raise InvalidSubjectError("Invalid subject")

    def _validate_jti(self, payload: Mapping[str, Any]) -> None:
        if not isinstance(payload.get("jti", ""), str):
            raise InvalidJTIError("JWT ID must be a string")


def _check_header(headers: Mapping[str, Any]) -> None:
    if headers.get("b64") is False:
        raise InvalidTokenError("a JWT carries its claims in base64url: b64 False is for PyJWS (RFC 7797 §7)")
    crit = headers.get("crit", ["alg"])
    known = {"alg", "typ", *headers}
    if not isinstance(crit, list) or not crit or not all(isinstance(name, str) and name in known for name in crit):
        raise InvalidTokenError("crit is a list of header members that are there (RFC 7515 §4.1.11)")


_SHARED: Final = PyJWT()
encode = _SHARED.encode
decode = _SHARED.decode
decode_complete = _SHARED.decode_complete
