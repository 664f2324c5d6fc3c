"""A program of python-jose on the drop-in, as both type checkers have to take it: run by nobody, checked by mypy and pyright."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from watchword import Key
from watchword.dropin import install, uninstall
from watchword.dropin.jose import ExpiredSignatureError, JOSEError, JWSError, JWTError, jwe, jwk, jws, jwt
from watchword.dropin.jose.backends import RSAKey
from watchword.dropin.jose.backends.base import Key as Base
from watchword.dropin.jose.constants import ALGORITHMS
from watchword.dropin.jose.exceptions import JWKError, JWTClaimsError
from watchword.dropin.jose.utils import base64url_decode, calculate_at_hash


def login(claims: dict[str, Any], secret: str) -> str:
    """As tutorials of FastAPI have it."""
    token = jwt.encode({**claims, "exp": datetime.now(UTC) + timedelta(minutes=15)}, secret, algorithm=ALGORITHMS.HS256)
    return assert_type(token, str)


def current_user(token: str, secret: str) -> str | None:
    try:
        payload = jwt.decode(token, secret, algorithms=[ALGORITHMS.HS256], options={"require_sub": True})
    except (ExpiredSignatureError, JWTClaimsError):
        return None
    except JWTError:
        return None
    assert_type(payload, dict[str, Any])
    return str(payload["sub"])


def by_hand(token: str, keys: list[dict[str, Any]], access_token: str) -> dict[str, Any]:
    """As guides to an issuer's tokens have it."""
    header = assert_type(jwt.get_unverified_header(token), dict[str, Any])
    key = jwk.construct(next(key for key in keys if key["kid"] == header["kid"]))
    message, _, signature = token.rpartition(".")
    if not key.verify(message.encode(), base64url_decode(signature.encode())):
        raise JWTError
    assert_type(key.public_key().to_pem(), bytes)
    assert_type(calculate_at_hash(access_token, ALGORITHMS.HASHES["RS256"]), str)
    return jwt.decode(token, {"keys": keys}, "RS256", audience="orders", issuer=["https://issuer.example"])


class InKMS(RSAKey):
    """A key of one's own."""

    def sign(self, msg: str | bytes) -> bytes:
        return b""


def octets(key: Key, pem: bytes) -> bytes:
    install("jose")
    uninstall("jose")
    jwk.register_key("RS256", InKMS)
    assert_type(jwk.get_key("RS256"), type[Base] | None)
    try:
        assert_type(jws.verify(jws.sign(b"payload", key), key, ["HS256"]), bytes)
        assert_type(RSAKey(pem, "RS256").public_key(), RSAKey)
    except (JWSError, JWKError, JOSEError):
        return b""
    return assert_type(jwe.decrypt(jwe.encrypt("text", pem, ALGORITHMS.A256GCM, ALGORITHMS.RSA_OAEP_256), pem), bytes)
