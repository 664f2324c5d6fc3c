"""Issuers that serve everybody, so that the tenant has to be named: Entra ID, Google, Cognito, Firebase, Supabase."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.issuers.recipe import (
    IssuerRecipe, VerifierArguments, claim_is, https_url, named, no_id_token, of_client, texts_of,
)  # fmt: skip
from watchword.schemes.jwt.checks import ClaimCheck

__all__ = ["cognito", "entra_id", "firebase", "google", "supabase"]

_GUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ENTRA: Final = "https://login.microsoftonline.com"


def entra_id(
    tenants: str | Collection[str] = (),
    *,
    audience: str | Sequence[str],
    any_tenant: bool = False,
    clients: Collection[str] | None = None,
    roles: bool = False,
) -> IssuerRecipe:
    """Access tokens (v2.0) of Microsoft Entra ID. The tenant that `tid` names must be the one in `iss`.

    Set `requestedAccessTokenVersion` of the API's registration to 2. ID tokens name no client (`azp`) and are refused. Of several
    tenants the keys are those of all of Microsoft's; a verifier for each tenant goes by that tenant's keys alone.

    Args:
        tenants: the ids of the tenants whose users are accepted, as GUIDs in lower case.
        audience: the API's application id (a GUID).
        any_tenant: accept every tenant there is; then `tenants` is left out.
        clients: the applications to which tokens may have been issued (`azp`); None: any.
        roles: the scopes are the application's roles, in place of `scp`.

    >>> entra_id("11111111-2222-3333-4444-555555555555", audience="66666666-7777-8888-9999-000000000000").jwks_url
    'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys'
    """
    listed = () if any_tenant and not tenants else texts_of(tenants, "tenants")
    if any_tenant and listed:
        raise ConfigurationError(
            "any_tenant=True accepts tenants that are not listed: leave tenants out, or any_tenant"
        )
    for tenant in listed:
        named(tenant, "tenants", _GUID)
    checks = [ClaimCheck("tid", " or ".join(listed) or "the tenant in iss", partial(_one_tenant, frozenset(listed)))]
    checks += [claim_is("ver", ["2.0"]), of_client(["azp"], clients), no_id_token]
    arguments: VerifierArguments = {
        "issuer": [f"{_ENTRA}/{tenant}/v2.0" for tenant in listed] or None, "audience": texts_of(audience, "audience"),
        "required": ["iss", "exp"], "scopes": "roles" if roles else "scp", "checks": checks,
    }  # fmt: skip
    keys = listed[0] if len(listed) == 1 else "common"
    return IssuerRecipe(f"{_ENTRA}/{keys}/discovery/v2.0/keys", ("RS256",), arguments)


def _one_tenant(tenants: frozenset[str], claims: Mapping[str, Any], now: float) -> None:
    tenant = claims.get("tid")
    if type(tenant) is not str or not re.fullmatch(_GUID, tenant):
        raise Rejected(Reason.WRONG_CLAIM, "the token names no tenant", where="tid")
    if claims["iss"] != f"{_ENTRA}/{tenant}/v2.0":
        raise Rejected(Reason.WRONG_CLAIM, "another tenant than the one in iss", where="tid")
    if tenants and tenant not in tenants:
        raise Rejected(Reason.WRONG_CLAIM, "a tenant that is not accepted", where="tid")


def google(
    audience: str | Sequence[str],
    *,
    hosted_domains: Collection[str] | None = None,
    service_accounts: Collection[str] | None = None,
    anybody: bool = False,
) -> IssuerRecipe:
    """ID tokens that Google issues for this service: of people who sign in, or of service accounts. Its access tokens are opaque.

    Everybody can have Google issue a token for any audience, so who is accepted has to be said.

    Args:
        audience: the OAuth client id of this application, or the URL of this service.
        hosted_domains: the Workspace organizations whose people are accepted (`hd`).
        service_accounts: the addresses of the service accounts that are accepted (`email`).
        anybody: accept every Google account there is.

    >>> google("1234.apps.googleusercontent.com", hosted_domains=["acme.example"]).jwks_url
    'https://www.googleapis.com/oauth2/v3/certs'
    """
    if [hosted_domains is not None, service_accounts is not None, anybody].count(True) != 1:
        raise ConfigurationError("say who is accepted: hosted_domains=[…], service_accounts=[…], or anybody=True")
    checks = []
    if hosted_domains is not None:
        checks.append(claim_is("hd", texts_of(hosted_domains, "hosted_domains")))
    if service_accounts is not None:
        checks += [
            claim_is("email", texts_of(service_accounts, "service_accounts")),
            ClaimCheck("email_verified", "true", _verified),
        ]
    arguments: VerifierArguments = {
        "issuer": ["https://accounts.google.com", "accounts.google.com"], "audience": texts_of(audience, "audience"),
        "required": ["exp", "iat"], "checks": checks,
    }  # fmt: skip
    return IssuerRecipe("https://www.googleapis.com/oauth2/v3/certs", ("RS256",), arguments)


def _verified(claims: Mapping[str, Any], now: float) -> None:
    if claims.get("email_verified") is not True:
        raise Rejected(Reason.WRONG_CLAIM, "the address was not verified", where="email_verified")


def cognito(pool: str, *, clients: Collection[str], groups: bool = False) -> IssuerRecipe:
    """Access tokens of an Amazon Cognito user pool. They name no audience, so the clients have to be named (`client_id`).

    Args:
        pool: the user pool's id: "eu-central-1_Ab12Cd34E".
        clients: the app clients whose tokens are accepted.
        groups: the scopes are the user's groups (`cognito:groups`), in place of `scope`.

    >>> cognito("eu-central-1_Ab12Cd34E", clients=["1h57kf5cpq17m0eml12EXAMPLE"]).jwks_url
    'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E/.well-known/jwks.json'
    """
    region = named(pool, "pool", r"[a-z]{2}(?:-[a-z]+)+-[0-9]_[0-9A-Za-z]+").partition("_")[0]
    end = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    issuer = f"https://cognito-idp.{region}.{end}/{pool}"
    checks = [claim_is("token_use", ["access"], Reason.WRONG_TYPE), claim_is("client_id", texts_of(clients, "clients"))]
    arguments: VerifierArguments = {"issuer": [issuer], "audience": None, "required": ["exp"], "checks": checks}
    if groups:
        arguments["scopes"] = "cognito:groups"
    return IssuerRecipe(f"{issuer}/.well-known/jwks.json", ("RS256",), arguments)


def firebase(project: str, *, tenant: str | None = None, anonymous: bool = False) -> IssuerRecipe:
    """ID tokens of Firebase Authentication: what its clients send to a backend. It issues no access tokens.

    Args:
        project: the project's id.
        tenant: the Identity Platform tenant whose users are accepted; None: users of no tenant.
        anonymous: accept users who signed in as nobody.

    >>> firebase("acme-orders").arguments["audience"]
    ['acme-orders']
    """
    issuer = f"https://securetoken.google.com/{named(project, 'project')}"
    expected = "users of no tenant" if tenant is None else tenant
    checks = [
        ClaimCheck("firebase", expected, partial(_of_firebase, tenant, anonymous)), ClaimCheck("auth_time", "not in the future", _signed_in),
    ]  # fmt: skip
    arguments: VerifierArguments = {
        "issuer": [issuer], "audience": [project], "required": ["exp", "iat", "auth_time"], "checks": checks,
    }  # fmt: skip
    url = "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"
    return IssuerRecipe(url, ("RS256",), arguments)


def _of_firebase(tenant: str | None, anonymous: bool, claims: Mapping[str, Any], now: float) -> None:
    told = claims["firebase"]
    if told.get("tenant") != tenant:
        raise Rejected(Reason.WRONG_CLAIM, "a user of another tenant", where="firebase")
    if told["sign_in_provider"] == "anonymous" and not anonymous:
        raise Rejected(Reason.WRONG_CLAIM, "signed in as nobody, which anonymous=True would accept", where="firebase")


def _signed_in(claims: Mapping[str, Any], now: float) -> None:
    if claims["auth_time"] > claims["iat"]:
        raise Rejected(Reason.WRONG_CLAIM, "signed in after the token was issued", where="auth_time")


def supabase(url: str, *, clients: Collection[str] = (), anonymous: bool = False) -> IssuerRecipe:
    """Access tokens of a Supabase project's users. The project's API keys, `anon` and `service_role`, are refused.

    Args:
        url: the project's: "https://abcdefghijklmnop.supabase.co".
        clients: the OAuth clients of others whose tokens are accepted too (`client_id`); the project's own tokens name none.
        anonymous: accept users who signed in as nobody.

    >>> supabase("https://abcdefghijklmnop.supabase.co").arguments["issuer"]
    ['https://abcdefghijklmnop.supabase.co/auth/v1']
    """
    issuer = f"{https_url(url, 'url')}/auth/v1"
    allowed = frozenset(texts_of(clients, "clients") if clients else ())
    checks = [
        claim_is("role", ["authenticated"]), ClaimCheck("is_anonymous", "false", partial(_somebody, anonymous)),
        ClaimCheck("client_id", " or ".join(sorted(allowed)) or "absent", partial(_own_client, allowed)), no_id_token,
    ]  # fmt: skip
    arguments: VerifierArguments = {
        "issuer": [issuer], "audience": ["authenticated"], "required": ["exp"], "checks": checks
    }  # fmt: skip
    return IssuerRecipe(f"{issuer}/.well-known/jwks.json", ("ES256", "RS256"), arguments)


def _somebody(anonymous: bool, claims: Mapping[str, Any], now: float) -> None:
    if claims.get("is_anonymous", False) is not False and not anonymous:
        raise Rejected(
            Reason.WRONG_CLAIM, "signed in as nobody, which anonymous=True would accept", where="is_anonymous"
        )


def _own_client(clients: frozenset[str], claims: Mapping[str, Any], now: float) -> None:
    if "client_id" in claims and claims["client_id"] not in clients:
        raise Rejected(Reason.WRONG_CLAIM, "issued to a client that is not accepted", where="client_id")
