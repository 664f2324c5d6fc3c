"""The schemes: one module each, both halves. `SCHEMES` is the one table of them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SCHEMES", "Scheme"]


class Scheme(NamedTuple):
    """What a scheme promises; the conformance kit tries every attack on every row.

    Args:
        name: `Identity.scheme` and `Verifier.scheme`.
        module: the module below `watchword.schemes` that holds both halves.
        auth: the client half's class.
        verifier: the server half's class.
        covers: which parts of the request can't be changed: "method", "target", "headers", "body".
        single_use: the same credentials are never accepted twice.
        expires: credentials end by themselves, whoever made them (an API key may be given an end, or not).
    """

    name: str
    module: str
    auth: str
    verifier: str
    covers: frozenset[str]
    single_use: bool
    expires: bool


SCHEMES: tuple[Scheme, ...] = (
    Scheme("basic", "basic", "BasicAuth", "BasicVerifier", frozenset(), False, False),
    Scheme("digest", "digest", "DigestAuth", "DigestVerifier", frozenset({"method", "target"}), True, True),
    Scheme("jwt", "jwt", "JWTAuth", "JWTVerifier", frozenset(), False, True),
    Scheme("oauth", "oauth2", "OAuth2Auth", "OAuth2Verifier", frozenset(), False, True),
    Scheme("hmac", "hmac_header", "HMACAuth", "HMACVerifier", frozenset({"method", "target", "body"}), True, True),
    Scheme("oauth1", "oauth1", "OAuth1Auth", "OAuth1Verifier", frozenset({"method", "target", "body"}), True, True),
    Scheme("sigv4", "sigv4", "SigV4Auth", "SigV4Verifier", frozenset({"method", "target", "body"}), False, True),
    Scheme("api_key", "api_key", "APIKeyAuth", "APIKeyVerifier", frozenset(), False, False),
    Scheme(
        "replayable_body_hmac", "body_hmac", "ReplayableBodyHMACAuth", "ReplayableBodyHMACVerifier",
        frozenset({"body"}), False, False,
    ),
    Scheme("webhook", "webhooks", "WebhookAuth", "WebhookVerifier", frozenset({"body"}), True, True),
    Scheme(
        "signature", "signatures", "SignatureAuth", "SignatureVerifier", frozenset({"method", "target", "body"}), True, True,
    ),
)  # fmt: skip
