"""What popular issuers write into their tokens, as arguments of a `JWTVerifier`: one function for each. None fetches anything.

>>> recipe = auth0("acme.eu.auth0.com", audience="https://orders.example")
>>> recipe.jwks_url
'https://acme.eu.auth0.com/.well-known/jwks.json'
"""

from __future__ import annotations

from watchword.issuers.gateways import cloudflare_access, google_iap
from watchword.issuers.hosted import cognito, entra_id, firebase, google, supabase
from watchword.issuers.own_servers import auth0, keycloak, okta
from watchword.issuers.recipe import IssuerRecipe, VerifierArguments
from watchword.issuers.workloads import github_actions, kubernetes

__all__ = [
    "IssuerRecipe", "VerifierArguments", "auth0", "cloudflare_access", "cognito", "entra_id", "firebase", "github_actions", "google",
    "google_iap", "keycloak", "kubernetes", "okta", "supabase",
]  # fmt: skip
