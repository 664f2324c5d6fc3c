"""python-jose's `jose.jwt`: signed claims (RFC 7519)."""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from watchword.dropin import _compact
from watchword.dropin._dates import date_of, seconds_of
from watchword.dropin.jose import jws
from watchword.dropin.jose.constants import ALGORITHMS
from watchword.dropin.jose.exceptions import (
    ExpiredSignatureError, JWKError, JWSAlgorithmError, JWSError, JWTClaimsError, JWTError, JWTKeyError,
)  # fmt: skip
from watchword.dropin.jose.utils import calculate_at_hash

__all__ = ["decode", "encode", "get_unverified_claims", "get_unverified_header", "get_unverified_headers"]

_CHECKED: Final = ("aud", "iat", "exp", "nbf", "iss", "sub", "jti", "at_hash", "cnf")
_DEFAULTS: Final[Mapping[str, Any]] = {
    "verify_signature": True, **{f"verify_{name}": True for name in _CHECKED}, "leeway": 0
}  # fmt: skip


def encode(
    claims: Mapping[str, Any],
    key: Any,
    algorithm: str = ALGORITHMS.HS256,
    headers: Mapping[str, Any] | None = None,
    access_token: str | None = None,
) -> str:
    """A signed token.

    Args:
        claims: the claims, which are not changed; `exp`, `iat` and `nbf` may be datetimes.
        key: a secret, a private key in PEM, a JWK, a `Key` of `jwk`, or ours.
        algorithm: JOSE's name.
        headers: further header members: `kid`, `typ`.
        access_token: the one that is issued beside this ID token; its hash becomes `at_hash`.

    Raises:
        JWSError: the key is not for this algorithm or public, or there is no such algorithm.
        TypeError: claims that JSON can't say; ValueError: numbers that it can't say.

    >>> encode({"a": "b"}, "at least thirty-two octets of secret").split(".")[0]
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9'
    """
    written = dict(claims)
    for name in ("exp", "iat", "nbf"):
        if isinstance(written.get(name), datetime):
            written[name] = timegm(written[name].utctimetuple())
    if access_token:
        if algorithm not in ALGORITHMS.HASHES:
            raise JWSAlgorithmError(f"Algorithm {str(algorithm)[:32]} not supported.")
        written["at_hash"] = calculate_at_hash(access_token, ALGORITHMS.HASHES[algorithm])
    return jws.sign(written, key, headers=headers, algorithm=algorithm)


def decode(
    token: str | bytes,
    key: Any,
    algorithms: str | Iterable[str] | None = None,
    options: Mapping[str, Any] | None = None,
    audience: str | None = None,
    issuer: str | Iterable[str] | None = None,
    subject: str | None = None,
    access_token: str | None = None,
) -> dict[str, Any]:
    """The claims of a token, if it is genuine and good now.

    Args:
        token: the token.
        key: as in `jws.verify`: a secret, a public key in PEM, a certificate, a JWK, a `Key`, or several.
        algorithms: what the header may name; without it everything is refused.
        options: "verify_signature" and "verify_" with aud, iat, exp, nbf, iss, sub, jti, at_hash and cnf, each True unless said
            otherwise; "require_" with the name of a claim that has to be there, and False for `aud` or `sub` that need not be,
            though they are asked for; "leeway", seconds by which clocks may differ. "verify_cnf": False is for programs that
            check themselves that the sender has the key that a token is bound to (RFC 7800).
        audience: this must be in `aud`.
        issuer: `iss` must be this, or one of these.
        subject: `sub` must be this.
        access_token: its hash must be `at_hash`, if there is one.

    Raises:
        JWTError: one of its subclasses says why: `ExpiredSignatureError`, `JWTClaimsError`, `JWTKeyError`.
        TypeError: a leeway that is none.

    >>> secret = "at least thirty-two octets of secret"
    >>> token = encode({"sub": "alice", "aud": "orders"}, secret)
    >>> decode(token, secret, algorithms=["HS256"], audience="orders")["sub"]
    'alice'
    >>> decode(token, secret)
    Traceback (most recent call last):
    ...
    watchword.dropin.jose.exceptions.JWTError: algorithms= is needed: else the token itself says how it is verified. Write
    algorithms=["RS256"], or what your issuer signs with (RFC 8725 §3.1)
    """
    chosen = {**_DEFAULTS, **(options or {})}
    try:
        payload = jws.verify(token, key, algorithms, verify=chosen["verify_signature"])
    except JWKError as error:
        raise JWTKeyError(str(error)) from None
    except JWSError as error:
        raise JWTError(str(error)) from None
    claims = _object(payload, "payload")
    _check(claims, chosen, audience, issuer, subject)
    if chosen["verify_at_hash"] and "at_hash" in claims:  # by the algorithm that the signature was verified by
        _check_at_hash(claims["at_hash"], access_token, jws.get_unverified_header(token).get("alg"))
    return claims


def get_unverified_header(token: str | bytes) -> dict[str, Any]:
    """The header, not verified: to choose a key by `kid`, never to be believed.

    Raises:
        JWTError: it can't be read.
    """
    try:
        return jws.get_unverified_header(token)
    except JWSError:
        raise JWTError("Error decoding token headers.") from None


def get_unverified_headers(token: str | bytes) -> dict[str, Any]:
    """The same as `get_unverified_header`."""
    return get_unverified_header(token)


def get_unverified_claims(token: str | bytes) -> dict[str, Any]:
    """The claims, not verified: never to be believed.

    Raises:
        JWTError: they can't be read.
    """
    try:
        octets = jws.get_unverified_claims(token)
    except JWSError:
        raise JWTError("Error decoding token claims.") from None
    return _object(octets, "claims")


def _object(octets: bytes, name: str) -> dict[str, Any]:
    try:
        return _compact.read_object(octets, name)
    except _compact.Unreadable as error:
        raise JWTError(str(error)) from None


# ---- the claims, in python-jose's order ------------------------------------------------------------------------------


def _check(
    claims: Mapping[str, Any],
    options: dict[str, Any],
    audience: str | None,
    issuer: str | Iterable[str] | None,
    subject: str | None,
) -> None:
    _require(claims, options, {"aud": audience, "sub": subject})
    if not isinstance(audience, (str, type(None))):
        raise JWTError("audience must be a string or None")
    _check_dates(claims, options, seconds_of(options["leeway"]))
    if options["verify_aud"] and "aud" in claims:
        _check_audience(claims["aud"], audience)
    if options["verify_iss"] and issuer is not None:
        named = claims.get("iss")
        if not isinstance(named, str) or named not in ((issuer,) if isinstance(issuer, str) else tuple(issuer)):
            raise JWTClaimsError("Invalid issuer")
    if options["verify_sub"] and "sub" in claims:
        if not isinstance(claims["sub"], str):
            raise JWTClaimsError("Subject must be a string.")
        if subject is not None and claims["sub"] != subject:
            raise JWTClaimsError("Invalid subject")
    if options["verify_jti"] and not isinstance(claims.get("jti", ""), str):
        raise JWTClaimsError("JWT ID must be a string.")
    if options["verify_cnf"] and "cnf" in claims:
        raise JWTClaimsError(
            "The token is bound to a key (cnf, RFC 7800), and nothing here proves that its sender has it: verify it with "
            'JWTVerifier, or prove it yourself and say options={"verify_cnf": False}'
        )


def _require(claims: Mapping[str, Any], options: dict[str, Any], asked: Mapping[str, object]) -> None:
    """That each required claim is there; then it is looked at, whatever else the options say."""
    required = [
        name.removeprefix("require_") for name, wanted in options.items() if name.startswith("require_") and wanted
    ]
    for name in required:
        if name not in claims:
            raise JWTError(f'missing required key "{name}" among claims')
        options[f"verify_{name}"] = True
    for name, value in asked.items():
        if value is not None and name not in claims and options[f"verify_{name}"] and f"require_{name}" not in options:
            raise JWTClaimsError(
                f'The token has no {name}, and one is asked for; options={{"require_{name}": False}} says that none is needed'
            )


def _check_dates(claims: Mapping[str, Any], options: Mapping[str, Any], leeway: float) -> None:
    now = time.time()
    if options["verify_iat"]:
        _date(claims, "iat", "Issued At claim (iat) must be an integer.")
    if options["verify_nbf"]:
        start = _date(claims, "nbf", "Not Before claim (nbf) must be an integer.")
        if start is not None and start > now + leeway:
            raise JWTClaimsError("The token is not yet valid (nbf)")
    if options["verify_exp"]:
        expiry = _date(claims, "exp", "Expiration Time claim (exp) must be an integer.")
        if expiry is not None and expiry <= now - leeway:
            raise ExpiredSignatureError("Signature has expired.")


def _date(claims: Mapping[str, Any], name: str, mistake: str) -> float | None:
    if name not in claims:
        return None
    found = date_of(claims[name])
    if found is None:
        raise JWTClaimsError(mistake)
    return found


def _check_audience(named: object, audience: str | None) -> None:
    named = [named] if isinstance(named, str) else named
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise JWTClaimsError("Invalid claim format in token")
    if audience not in named:
        raise JWTClaimsError("Invalid audience")


def _check_at_hash(claimed: object, access_token: str | None, algorithm: object) -> None:
    if not access_token:
        raise JWTClaimsError("No access_token provided to compare against at_hash claim.")
    hash_of = ALGORITHMS.HASHES.get(algorithm) if isinstance(algorithm, str) else None
    if hash_of is None or not isinstance(access_token, str):
        raise JWTClaimsError("Unable to calculate at_hash to verify against token claims.")
    if claimed != calculate_at_hash(access_token, hash_of):
        raise JWTClaimsError("at_hash claim does not match access_token.")
