"""PyJWT's `encode` and `decode`: replace `import jwt` by `from watchword.dropin import jwt`.

What differs on purpose: a secret shorter than its hash is refused, not warned about; so are `none`, a public key as a
secret, an unknown `crit`, a member name that occurs twice, and a token that is bound to a key (`cnf`).
"""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.algorithms import algorithm_named
from watchword.crypto.encoding import parse_object
from watchword.crypto.keys import Key
from watchword.schemes import claims as checks

__all__ = [
    "DecodeError", "ExpiredSignatureError", "ImmatureSignatureError", "InvalidAlgorithmError", "InvalidAudienceError",
    "InvalidIssuedAtError", "InvalidIssuerError", "InvalidKeyError", "InvalidSignatureError", "InvalidSubjectError",
    "InvalidTokenError", "MissingRequiredClaimError", "PyJWTError", "decode", "decode_complete", "encode",
    "get_unverified_header",
]  # fmt: skip

AnyKey = str | bytes | Key


class PyJWTError(Exception):
    """The ancestor of all errors here."""


class InvalidTokenError(PyJWTError):
    """The token is refused."""


class DecodeError(InvalidTokenError):
    """It can't be read."""


class InvalidSignatureError(DecodeError):
    """The signature is not this key's."""


class ExpiredSignatureError(InvalidTokenError):
    """`exp` has passed."""


class ImmatureSignatureError(InvalidTokenError):
    """`nbf` or `iat` lies in the future."""


class InvalidAudienceError(InvalidTokenError):
    """`aud` names somebody else."""


class InvalidIssuerError(InvalidTokenError):
    """`iss` names somebody else."""


class InvalidIssuedAtError(InvalidTokenError):
    """`iat` is no date."""


class InvalidSubjectError(InvalidTokenError):
    """`sub` is no text."""


class InvalidAlgorithmError(InvalidTokenError):
    """The header names an algorithm that is not permitted."""


class MissingRequiredClaimError(InvalidTokenError):
    """A claim that has to be there is not; `claim` is its name."""

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim

    def __str__(self) -> str:
        return f'Token is missing the "{self.claim}" claim'


class InvalidKeyError(PyJWTError, ConfigurationError):
    """The key is too short, or not for this algorithm; the message says what to do."""


def encode(
    payload: Mapping[str, Any], key: AnyKey, algorithm: str = "HS256", headers: Mapping[str, Any] | None = None
) -> str:
    """A signed token.

    Args:
        payload: the claims; `exp`, `iat` and `nbf` may be datetimes.
        key: a secret, a private key in PEM, or a `Key`.
        algorithm: JOSE's name; "none" is refused.
        headers: further header members; `kid`, `typ`.

    Raises:
        InvalidKeyError: too short, or not for this algorithm.
        InvalidAlgorithmError: unknown, or "none".
        TypeError: claims that JSON can't say.

    >>> encode({"sub": "alice"}, "your_secret_key")
    Traceback (most recent call last):
    ...
    watchword.dropin.jwt.InvalidKeyError: HS256 needs a secret of at least 32 bytes (RFC 7518 §3.2), this one has 15;
    make one with Key.generate("HS256")
    """
    if not isinstance(payload, Mapping):
        raise TypeError("the payload is a mapping of claims")
    signer = _key(key, algorithm)
    claims = {name: _date(value) if name in ("exp", "iat", "nbf") else value for name, value in payload.items()}
    members = {"typ": "JWT", **(headers or {})}
    if members["typ"] is None:  # PyJWT's way to leave it out
        del members["typ"]
    try:
        return jose.sign(msgspec.json.encode(claims), signer, header=members)
    except ConfigurationError as error:
        raise InvalidKeyError(str(error)) from None


def decode(
    jwt: str | bytes,
    key: AnyKey = "",
    algorithms: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    audience: str | Iterable[str] | None = None,
    issuer: str | Iterable[str] | None = None,
    subject: str | None = None,
    leeway: float | timedelta = 0,
) -> dict[str, Any]:
    """The claims of a token, if it is genuine and good now.

    Args:
        jwt: the token.
        key: the secret, the public key in PEM, or a `Key`.
        algorithms: what the header may name; without it everything is refused.
        options: "require", a list of claims; "verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss",
            "verify_sub", "verify_signature", each True unless said otherwise.
        audience: one of these must be in `aud`.
        issuer: `iss` must be one of these.
        subject: `sub` must be this.
        leeway: seconds by which clocks may differ.

    Raises:
        InvalidTokenError: one of its subclasses says why.
        InvalidKeyError: too short, or for none of the algorithms.

    >>> secret = "at least thirty-two octets of secret"
    >>> decode(encode({"sub": "alice"}, secret), secret, algorithms=["HS256"])
    {'sub': 'alice'}
    """
    found: dict[str, Any] = decode_complete(
        jwt, key, algorithms, options, audience=audience, issuer=issuer, subject=subject, leeway=leeway
    )["payload"]
    return found


def decode_complete(
    jwt: str | bytes,
    key: AnyKey = "",
    algorithms: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    audience: str | Iterable[str] | None = None,
    issuer: str | Iterable[str] | None = None,
    subject: str | None = None,
    leeway: float | timedelta = 0,
) -> dict[str, Any]:
    """`decode`, with the header and the signature: {"payload", "header", "signature"}."""
    chosen = dict(options or {})
    trusted = bool(chosen.get("verify_signature", True))
    slack = leeway.total_seconds() if isinstance(leeway, timedelta) else leeway
    try:
        header, payload, signature = _opened(jwt, key, algorithms if trusted else None, trusted)
        claims = _claims(payload)
        for check in _policy(chosen, trusted, audience, issuer, subject, slack):
            check(claims, time.time())
    except Rejected as rejected:
        raise _translated(rejected) from None
    return {"payload": claims, "header": header, "signature": signature}


def get_unverified_header(jwt: str | bytes) -> dict[str, Any]:
    """The header, not verified: to choose a key by `kid`, never to be believed.

    Raises:
        DecodeError: it can't be read.
    """
    try:
        return jose.check_header(jose.read_header(jose.split(jwt)[0]))
    except Rejected as rejected:
        raise _translated(rejected) from None


def _opened(
    jwt: str | bytes, key: AnyKey, algorithms: Sequence[str] | None, trusted: bool
) -> tuple[dict[str, Any], bytes, bytes]:
    if trusted and not algorithms:
        raise DecodeError(
            'It is required that you pass in a value for the "algorithms" argument when calling decode().'
        )
    if not isinstance(jwt, (str, bytes)):
        raise DecodeError(f"a token is str or bytes, not {type(jwt).__name__}")
    head, body, tail, signing_input = jose.split(jwt)
    header = jose.check_header(jose.read_header(head))
    signature, payload = jose.decode(tail, "signature"), jose.decode(body, "payload")
    if algorithms is not None:
        if header["alg"] not in algorithms:
            raise InvalidAlgorithmError("The specified alg value is not allowed")
        verifier = _key(key, header["alg"])
        verifier.verify(signing_input, signature)  # whatever kid the token names: the caller has chosen the key
    return header, payload, signature


def _policy(
    options: Mapping[str, Any],
    trusted: bool,
    audience: str | Iterable[str] | None,
    issuer: str | Iterable[str] | None,
    subject: str | None,
    leeway: float,
) -> list[Callable[[Mapping[str, Any], float], None]]:
    """The checks that are asked for; without a signature PyJWT makes only those that are asked for by name."""
    wanted = {name: bool(options.get(f"verify_{name}", trusted)) for name in ("exp", "nbf", "iat", "aud", "iss", "sub")}
    found = [checks.present(tuple(options.get("require", ())))] if options.get("require") else []
    if wanted["iss"] and issuer is not None:
        found.append(checks.issued_by(checks.texts(issuer, "issuer")))
    if wanted["aud"]:
        found.append(checks.audience_is(None if audience is None else checks.texts(audience, "audience")))
    if wanted["exp"]:
        found.append(checks.valid_until(leeway))
    if wanted["nbf"]:
        found.append(checks.valid_from(leeway))
    if wanted["iat"]:
        found.append(checks.issued_since(leeway))
    if trusted:
        found.append(checks.bound_to_nothing)
    calls = [each.check for each in found]
    return [*calls, _subject_is(subject)] if wanted["sub"] else calls


def _subject_is(subject: str | None) -> Callable[[Mapping[str, Any], float], None]:
    def check(claims: Mapping[str, Any], now: float) -> None:
        if "sub" not in claims:
            if subject is not None:
                raise MissingRequiredClaimError("sub")
        elif not isinstance(claims["sub"], str):
            raise InvalidSubjectError("Subject must be a string")
        elif subject is not None and claims["sub"] != subject:
            raise InvalidSubjectError("Invalid subject")

    return check


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        return parse_object(payload)
    except ValueError as error:
        raise DecodeError(f"Invalid payload: {error}") from None


_ERRORS: Final[Mapping[Reason, type[InvalidTokenError]]] = {
    Reason.WRONG_SIGNATURE: InvalidSignatureError,
    Reason.WRONG_ALGORITHM: InvalidAlgorithmError,
    Reason.UNKNOWN_CRITICAL: InvalidTokenError,
    Reason.EXPIRED: ExpiredSignatureError,
    Reason.NOT_YET_VALID: ImmatureSignatureError,
    Reason.WRONG_AUDIENCE: InvalidAudienceError,
    Reason.UNKNOWN_ISSUER: InvalidIssuerError,
    Reason.BINDING_MISSING: InvalidTokenError,
}
_OF_WRONG_TYPE: Final[Mapping[str, type[InvalidTokenError]]] = {
    "aud": InvalidAudienceError,
    "iss": InvalidIssuerError,
    "iat": InvalidIssuedAtError,
}


def _translated(rejected: Rejected) -> InvalidTokenError:
    rejection = rejected.rejection
    if rejection.reason is Reason.MISSING_CLAIM:
        return MissingRequiredClaimError(rejection.where)
    if rejection.reason is Reason.WRONG_CLAIM:
        return _OF_WRONG_TYPE.get(rejection.where, DecodeError)(rejection.detail)
    return _ERRORS.get(rejection.reason, DecodeError)(f"{rejection.detail} ({rejection.where})")


def _key(key: AnyKey, algorithm: str) -> Key:
    if isinstance(key, Key):
        if key.algorithm != algorithm:
            raise InvalidKeyError(f"this key is for {key.algorithm}, not for {algorithm}")
        return key
    try:
        row = algorithm_named(algorithm)
    except ConfigurationError as error:
        raise InvalidAlgorithmError(str(error)) from None
    make = Key.from_secret if row.family == "HMAC" else Key.from_pem
    try:
        return make(key, algorithm=row.name)
    except ConfigurationError as error:
        raise InvalidKeyError(str(error)) from None


def _date(value: object) -> object:
    return timegm(value.utctimetuple()) if isinstance(value, datetime) else value
