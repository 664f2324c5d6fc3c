"""watchword: authenticate HTTP requests in Python, on both sides of the wire.

The client half of a scheme is `XAuth`, put into any HTTP client by `watchword.clients.<library>.adapt`; the server half
is `XVerifier`, put into a `Guard` and that into any server by `watchword.servers.<server>.protect`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchword.schemes.all_of import AllOf
    from watchword.core.attempts import AttemptPolicy
    from watchword.core.guard import AsyncGuard, Guard
    from watchword.core.identity import Identity
    from watchword.core.limits import Limits
    from watchword.core.message import Peer, Request, Response
    from watchword.core.plan import Policy
    from watchword.core.rejection import (
        ConfigurationError,
        CredentialsUnavailable,
        Reason,
        Rejected,
        StoreUnavailable,
        WatchwordError,
    )
    from watchword.core.verdict import Verdict
    from watchword.crypto.keys import Key, KeySet
    from watchword.crypto.passwords import Password
    from watchword.fields.public_url import PublicURL
    from watchword.oauth.auth import OAuth2Auth
    from watchword.oauth.authorization_code import AuthorizationCode
    from watchword.oauth.client_authentication import ClientSecret, PrivateKeyJWT, PublicClient
    from watchword.oauth.client_credentials import ClientCredentials
    from watchword.oauth.device import Device
    from watchword.oauth.tokens import TokenMemory
    from watchword.schemes.api_key import APIKeyAuth, APIKeyVerifier
    from watchword.schemes.api_key_text import APIKey
    from watchword.schemes.basic import BasicAuth, BasicVerifier
    from watchword.schemes.bearer import BearerAuth
    from watchword.schemes.body_hmac import ReplayableBodyHMACAuth, ReplayableBodyHMACVerifier
    from watchword.schemes.digest import DigestAuth, DigestVerifier
    from watchword.schemes.dpop import DPoPAuth, DPoPVerifier
    from watchword.schemes.explaining import explain, explain_async
    from watchword.schemes.hmac_header import HMACAuth, HMACVerifier
    from watchword.schemes.jwt import JWTAuth, JWTVerifier
    from watchword.schemes.jwt.checks import ClaimCheck
    from watchword.schemes.password_cache import PasswordCache
    from watchword.schemes.oauth1 import OAuth1Auth, OAuth1Endpoints, OAuth1Verifier
    from watchword.schemes.opaque_token import TokenVerifier
    from watchword.schemes.oauth2 import OAuth2Verifier
    from watchword.schemes.registered_token import RegisteredToken
    from watchword.schemes.revocation import Revocations
    from watchword.schemes.signatures import SignatureAuth, SignaturePolicy, SignatureVerifier
    from watchword.schemes.signatures.bots import WebBotAuth, WebBotVerifier
    from watchword.schemes.signatures.directory import KeyDirectory
    from watchword.schemes.signatures.response_policy import ResponsePolicy
    from watchword.schemes.signatures.seal import SignatureSeal
    from watchword.schemes.signatures.sealed import ResponseUnproven, SealedAuth
    from watchword.schemes.sigv4 import RefreshingSigV4Auth, SigV4Auth, SigV4Credentials, SigV4Verifier
    from watchword.schemes.token_cache import TokenCache
    from watchword.schemes.token_cookie import InCookie
    from watchword.schemes.token_places import InField
    from watchword.schemes.token_subprotocol import InSubprotocol
    from watchword.stores.token_file import TokenFile
    from watchword.schemes.webhooks import WebhookAuth, WebhookProfile, WebhookVerifier

__version__ = "0.1.0"

# Where each public name lives; loaded at its first use (PEP 562), so that importing watchword stays cheap.
_HOMES = {
    "APIKey": "schemes.api_key_text",
    "APIKeyAuth": "schemes.api_key",
    "APIKeyVerifier": "schemes.api_key",
    "AllOf": "schemes.all_of",
    "AttemptPolicy": "core.attempts",
    "AsyncGuard": "core.guard",
    "AuthorizationCode": "oauth.authorization_code",
    "BasicAuth": "schemes.basic",
    "BasicVerifier": "schemes.basic",
    "BearerAuth": "schemes.bearer",
    "ClaimCheck": "schemes.jwt.checks",
    "ClientCredentials": "oauth.client_credentials",
    "ClientSecret": "oauth.client_authentication",
    "ConfigurationError": "core.rejection",
    "CredentialsUnavailable": "core.rejection",
    "DPoPAuth": "schemes.dpop",
    "DPoPVerifier": "schemes.dpop",
    "Device": "oauth.device",
    "DigestAuth": "schemes.digest",
    "DigestVerifier": "schemes.digest",
    "Guard": "core.guard",
    "HMACAuth": "schemes.hmac_header",
    "HMACVerifier": "schemes.hmac_header",
    "Identity": "core.identity",
    "InCookie": "schemes.token_cookie",
    "InField": "schemes.token_places",
    "InSubprotocol": "schemes.token_subprotocol",
    "JWTAuth": "schemes.jwt",
    "JWTVerifier": "schemes.jwt",
    "Key": "crypto.keys",
    "KeyDirectory": "schemes.signatures.directory",
    "KeySet": "crypto.keys",
    "Limits": "core.limits",
    "OAuth1Auth": "schemes.oauth1",
    "OAuth1Endpoints": "schemes.oauth1",
    "OAuth1Verifier": "schemes.oauth1",
    "OAuth2Auth": "oauth.auth",
    "OAuth2Verifier": "schemes.oauth2",
    "Password": "crypto.passwords",
    "PasswordCache": "schemes.password_cache",
    "Peer": "core.message",
    "Policy": "core.plan",
    "PrivateKeyJWT": "oauth.client_authentication",
    "PublicClient": "oauth.client_authentication",
    "PublicURL": "fields.public_url",
    "Reason": "core.rejection",
    "RefreshingSigV4Auth": "schemes.sigv4",
    "RegisteredToken": "schemes.registered_token",
    "Rejected": "core.rejection",
    "ReplayableBodyHMACAuth": "schemes.body_hmac",
    "ReplayableBodyHMACVerifier": "schemes.body_hmac",
    "Request": "core.message",
    "Response": "core.message",
    "ResponsePolicy": "schemes.signatures.response_policy",
    "ResponseUnproven": "schemes.signatures.sealed",
    "Revocations": "schemes.revocation",
    "SealedAuth": "schemes.signatures.sealed",
    "SigV4Auth": "schemes.sigv4",
    "SigV4Credentials": "schemes.sigv4",
    "SigV4Verifier": "schemes.sigv4",
    "SignatureAuth": "schemes.signatures",
    "SignaturePolicy": "schemes.signatures",
    "SignatureSeal": "schemes.signatures.seal",
    "SignatureVerifier": "schemes.signatures",
    "StoreUnavailable": "core.rejection",
    "TokenCache": "schemes.token_cache",
    "TokenFile": "stores.token_file",
    "TokenMemory": "oauth.tokens",
    "TokenVerifier": "schemes.opaque_token",
    "Verdict": "core.verdict",
    "WatchwordError": "core.rejection",
    "WebBotAuth": "schemes.signatures.bots",
    "WebBotVerifier": "schemes.signatures.bots",
    "WebhookAuth": "schemes.webhooks",
    "WebhookProfile": "schemes.webhooks",
    "WebhookVerifier": "schemes.webhooks",
    "explain": "schemes.explaining",
    "explain_async": "schemes.explaining",
}

__all__ = [
    "APIKey", "APIKeyAuth", "APIKeyVerifier", "AllOf", "AsyncGuard", "AttemptPolicy", "AuthorizationCode", "BasicAuth", "BasicVerifier",
    "BearerAuth", "ClaimCheck", "ClientCredentials", "ClientSecret", "ConfigurationError", "CredentialsUnavailable", "DPoPAuth", "DPoPVerifier", "Device", "DigestAuth", "DigestVerifier", "Guard",
    "HMACAuth", "HMACVerifier", "Identity", "InCookie", "InField", "InSubprotocol", "JWTAuth", "JWTVerifier", "Key", "KeyDirectory", "KeySet", "Limits", "OAuth1Auth", "OAuth1Endpoints",
    "OAuth1Verifier", "OAuth2Auth",
    "OAuth2Verifier", "Password", "PasswordCache", "Peer", "Policy", "PrivateKeyJWT", "PublicClient", "PublicURL", "Reason", "RefreshingSigV4Auth", "RegisteredToken", "Rejected",
    "ReplayableBodyHMACAuth", "ReplayableBodyHMACVerifier", "Request", "Response", "ResponsePolicy",
    "ResponseUnproven", "Revocations", "SealedAuth",
    "SigV4Auth", "SigV4Credentials", "SigV4Verifier",
    "SignatureAuth", "SignaturePolicy", "SignatureSeal", "SignatureVerifier", "StoreUnavailable", "TokenCache", "TokenFile", "TokenMemory", "TokenVerifier", "Verdict", "WatchwordError", "WebBotAuth",
    "WebBotVerifier", "WebhookAuth", "WebhookProfile",
    "WebhookVerifier", "explain", "explain_async",
]  # fmt: skip


if not TYPE_CHECKING:  # a type checker reads the imports above, and calls a name that is not there an error

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'watchword' has no attribute {name!r}")
        value = getattr(import_module(f"watchword.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
