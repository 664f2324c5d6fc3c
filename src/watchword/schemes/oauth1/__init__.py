"""OAuth 1.0a (RFC 5849): signed requests, with a resource owner's token or by the client alone. Both halves.

Modules, inner ones first: encoding (what is signed), credentials (records, methods, parameters), claim, server, client
with its dance (temporary credentials, authorization, token), and for `explain` mistakes and explanation.
"""

from __future__ import annotations

from watchword.schemes.oauth1.client import OAuth1Auth
from watchword.schemes.oauth1.credentials import OAuth1Client, OAuth1Token
from watchword.schemes.oauth1.three_legged import OAuth1AccessToken, OAuth1Endpoints
from watchword.schemes.oauth1.server import OAuth1Verifier

__all__ = ["OAuth1AccessToken", "OAuth1Auth", "OAuth1Client", "OAuth1Endpoints", "OAuth1Token", "OAuth1Verifier"]
