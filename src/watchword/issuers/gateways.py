"""Gateways that write a token into a field of its own: Cloudflare Access, Google's Identity-Aware Proxy."""

from __future__ import annotations

from collections.abc import Sequence

from watchword.core.rejection import Reason
from watchword.issuers.recipe import IssuerRecipe, VerifierArguments, claim_is, named, texts_of
from watchword.schemes.token_places import InField

__all__ = ["cloudflare_access", "google_iap"]


def cloudflare_access(team: str, *, audience: str | Sequence[str]) -> IssuerRecipe:
    """Tokens that Cloudflare Access writes for an application, in `Cf-Access-Jwt-Assertion`.

    Args:
        team: the team's name: "acme" of acme.cloudflareaccess.com.
        audience: the application's audience tag.

    >>> cloudflare_access("acme", audience="4714c1358e65fe4b").jwks_url
    'https://acme.cloudflareaccess.com/cdn-cgi/access/certs'
    """
    issuer = f"https://{named(team, 'team', r'[A-Za-z0-9-]+')}.cloudflareaccess.com"
    arguments: VerifierArguments = {
        "issuer": [issuer], "audience": texts_of(audience, "audience"), "required": ["exp"],
        "checks": [claim_is("type", ["app"], Reason.WRONG_TYPE)], "place": InField("Cf-Access-Jwt-Assertion"),
    }  # fmt: skip
    return IssuerRecipe(f"{issuer}/cdn-cgi/access/certs", ("RS256",), arguments)


def google_iap(audience: str | Sequence[str]) -> IssuerRecipe:
    """Tokens that Google's Identity-Aware Proxy writes for a backend, in `X-Goog-IAP-JWT-Assertion`.

    Args:
        audience: the backend's: "/projects/1234/global/backendServices/5678", or "/projects/1234/apps/acme".

    >>> google_iap("/projects/1234/apps/acme").algorithms
    ('ES256',)
    """
    arguments: VerifierArguments = {
        "issuer": ["https://cloud.google.com/iap"], "audience": texts_of(audience, "audience"), "required": ["exp", "iat"],
        "place": InField("X-Goog-IAP-JWT-Assertion"),
    }  # fmt: skip
    return IssuerRecipe("https://www.gstatic.com/iap/verify/public_key-jwk", ("ES256",), arguments)
