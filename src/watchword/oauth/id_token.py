"""Who has logged in: an ID token, checked whole (OpenID Connect Core 1.0 §3.1.3.7, §12.2)."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from typing import Any, Final, NamedTuple

from watchword.core.rejection import ConfigurationError, CredentialsUnavailable, Rejected
from watchword.effects import Context
from watchword.crypto.algorithms import ALGORITHMS
from watchword.crypto.digests import compare, digest
from watchword.crypto.encoding import b64url_encode, parse_object
from watchword.crypto.jose.compact import decode, read_header, split
from watchword.crypto.keys import KeySet
from watchword.oauth.issuer import Issuer
from watchword.oauth.metadata import Metadata
from watchword.oauth.own_requests import get_object, object_of
from watchword.schemes.jwt import JWTVerifier

__all__ = ["Expected", "check_same_person", "identified"]

LEEWAY: Final = 60.0
"""Seconds by which this clock and the issuer's may differ."""
_PUBLISHED: Final = frozenset(row.name for row in ALGORITHMS if row.family != "HMAC" and row.use == "sig")
_HASHES: Final = {"256": "sha-256", "384": "sha-384", "512": "sha-512"}


class Expected(NamedTuple):
    """What an ID token has to say.

    Args:
        nonce: that of the log-in; None where there was none (a refresh, a device).
        max_age: seconds since somebody typed a password, if that was asked for.
        acr: one of these authentication contexts, if any was asked for.
    """

    nonce: str | None = None
    max_age: float | None = None
    acr: Collection[str] = ()


def identified(
    context: Context, issuer: Issuer, members: Mapping[str, Any], expected: Expected
) -> Generator[Any, Any, Mapping[str, Any]]:
    """The effects that fetch the issuer's keys, and the claims of the ID token in a token response.

    Raises:
        CredentialsUnavailable: there is none, or it is not good; the message says which check failed.
    """
    token = members.get("id_token")
    if not isinstance(token, str):
        raise CredentialsUnavailable("the scope openid was asked for, and the token endpoint's answer has no ID token")
    metadata = yield from issuer.metadata(context)
    received = yield from get_object(context, metadata.need("jwks_uri"), issuer.name)
    if received.response.status != 200:
        raise CredentialsUnavailable(f"the key set of {issuer.name} answered {received.response.status}")
    jwks = object_of(received, f"the key set of {issuer.name}")
    try:
        claims = _genuine(token, jwks, metadata, issuer.client.client_id, context.now())
        _check(claims, token, members.get("access_token"), issuer.client.client_id, expected, context.now())
    except Rejected as rejected:
        raise CredentialsUnavailable(f"the ID token is refused: {rejected}") from None
    except ConfigurationError as unusable:
        raise CredentialsUnavailable(f"the key set of {issuer.name} can't be used: {unusable}") from None
    return claims


def check_same_person(token: object, issuer: Issuer, subject: str) -> None:
    """Nothing, if the ID token that came with a refreshed token is about who had logged in (§12.2).

    It came from the token endpoint itself, which §3.1.3.7 takes in place of a signature. So no key has to be fetched before the
    new refresh token is kept.

    Raises:
        CredentialsUnavailable: it is about somebody else, or for another client.
    """
    claims = _unverified(token)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("sub") != subject:
        raise _refused("sub", "is not who had logged in")
    if claims.get("iss") != issuer.name or issuer.client.client_id not in audiences:
        raise _refused("iss or aud", "is another's")


def _unverified(token: object) -> Mapping[str, Any]:
    try:
        return parse_object(decode(split(token if isinstance(token, str) else "")[1], "payload"))
    except (Rejected, ValueError):
        return {}


def _genuine(token: str, jwks: Mapping[str, Any], metadata: Metadata, client_id: str, now: float) -> Mapping[str, Any]:
    """Signature, type, issuer, audience, times. Without a word of the issuer's, it signs by RS256 (Discovery §3)."""
    said = ("RS256",) if metadata.id_token_algorithms is None else metadata.id_token_algorithms
    algorithms = [name for name in said if name in _PUBLISHED]
    if not algorithms:
        raise ConfigurationError("it signs ID tokens by no public-key algorithm that is known here")
    keys = KeySet.from_jwks(jwks, algorithms=algorithms)
    verifier = JWTVerifier(
        keys, issuer=metadata.issuer, audience=client_id, required=("exp", "iat", "aud", "sub"), leeway=LEEWAY
    )
    claims = verifier.verify_at(token, now).claims
    assert isinstance(claims, Mapping)  # no struct was asked for
    return claims


def _check(
    claims: Mapping[str, Any], token: str, access_token: object, client_id: str, expected: Expected, now: float
) -> None:
    """What is only in ID tokens.

    Raises:
        CredentialsUnavailable: which claim is wrong.
    """
    nonce = claims.get("nonce")
    if expected.nonce is not None and not (isinstance(nonce, str) and compare(_octets(nonce), expected.nonce.encode())):
        raise _refused("nonce", "is not that of this log-in: the code is another log-in's")
    party, audience = claims.get("azp"), claims["aud"]
    if party is None and isinstance(audience, list) and len(audience) > 1:
        raise _refused("azp", "is not there, and the token is for several")
    if party is not None and party != client_id:
        raise _refused("azp", "is another client")
    hashed = claims.get("at_hash")
    if hashed is not None and not (
        isinstance(hashed, str)
        and isinstance(access_token, str)
        and compare(_octets(hashed), _half_hash(token, access_token))
    ):
        raise _refused("at_hash", "is not that of the access token that came with it")
    if expected.max_age is not None:
        when = claims.get("auth_time")
        if (
            isinstance(when, bool)
            or not isinstance(when, (int, float))
            or not now - expected.max_age - LEEWAY <= when <= now + LEEWAY
        ):
            raise _refused("auth_time", f"is not there, or longer ago than max_age={expected.max_age:g} s")
    if expected.acr and claims.get("acr") not in expected.acr:
        raise _refused("acr", f"is none of {', '.join(expected.acr)}")


def _half_hash(token: str, access_token: str) -> bytes:
    """The left half of the hash that goes with the token's algorithm (§3.1.3.6)."""
    header = read_header(split(token)[0])
    name = _HASHES.get(str(header["alg"])[-3:], "sha-512")  # EdDSA by Ed25519 has SHA-512
    hashed = digest(name, access_token.encode())
    return b64url_encode(hashed[: len(hashed) // 2])


def _refused(claim: str, why: str) -> CredentialsUnavailable:
    return CredentialsUnavailable(f"the ID token is refused: {claim} {why}")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")
