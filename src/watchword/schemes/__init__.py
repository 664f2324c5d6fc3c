"""The schemes: one module each, both halves. `SCHEMES` is the one table of them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SCHEMES", "Scheme"]


class Scheme(NamedTuple):
    """What a scheme promises; the conformance kit tries every attack on every row.

    Args:
        name: `Identity.scheme` and `Verifier.scheme`.
        module: the module below `watchword.schemes` that holds both halves; that of OAuth holds the server half alone.
        auth: the client half's class, a public name of `watchword`.
        verifier: the server half's class.
        covers: which parts of the request can't be changed: "method", "target" (or "path" alone), "headers", "body".
        single_use: the same credentials are never accepted twice.
        expires: credentials end by themselves, whoever made them (an API key may be given an end, or not).
        explanation: the module below `watchword.schemes` whose `EXPLAINERS` account for its claims.
    """

    name: str
    module: str
    auth: str
    verifier: str
    covers: frozenset[str]
    single_use: bool
    expires: bool
    explanation: str


SCHEMES: tuple[Scheme, ...] = (
    Scheme("basic", "basic", "BasicAuth", "BasicVerifier", frozenset(), False, False, "basic_explain"),
    Scheme(
        "digest", "digest", "DigestAuth", "DigestVerifier", frozenset({"method", "target"}), True, True, "digest.explanation",
    ),
    Scheme("jwt", "jwt", "JWTAuth", "JWTVerifier", frozenset(), False, True, "jwt.explanation"),
    Scheme("oauth", "oauth2", "OAuth2Auth", "OAuth2Verifier", frozenset(), False, True, "jwt.explanation"),
    Scheme("dpop", "dpop", "DPoPAuth", "DPoPVerifier", frozenset({"method", "path"}), True, True, "dpop.explanation"),
    Scheme("token", "opaque_token", "BearerAuth", "TokenVerifier", frozenset(), False, False, "opaque_token_explain"),
    Scheme(
        "hmac", "hmac_header", "HMACAuth", "HMACVerifier", frozenset({"method", "target", "body"}), True, True, "hmac_explain",
    ),
    Scheme(
        "oauth1", "oauth1", "OAuth1Auth", "OAuth1Verifier", frozenset({"method", "target", "body"}), True, True,
        "oauth1.explanation",
    ),
    Scheme(
        "sigv4", "sigv4", "SigV4Auth", "SigV4Verifier", frozenset({"method", "target", "body"}), False, True,
        "sigv4.explanation",
    ),
    Scheme("api_key", "api_key", "APIKeyAuth", "APIKeyVerifier", frozenset(), False, False, "api_key_explain"),
    Scheme(
        "replayable_body_hmac", "body_hmac", "ReplayableBodyHMACAuth", "ReplayableBodyHMACVerifier",
        frozenset({"body"}), False, False, "body_hmac_explain",
    ),
    Scheme(
        "webhook", "webhooks", "WebhookAuth", "WebhookVerifier", frozenset({"body"}), True, True, "webhooks.explanation",
    ),
    Scheme(
        "signature", "signatures", "SignatureAuth", "SignatureVerifier", frozenset({"method", "target", "body"}), True, True,
        "signatures.explanation",
    ),
)  # fmt: skip
