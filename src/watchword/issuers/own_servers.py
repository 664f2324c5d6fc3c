"""Authorization servers that issue access tokens for APIs of one's own: Keycloak, Auth0, Okta."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from watchword.core.rejection import ConfigurationError, Reason
from watchword.issuers.recipe import (
    IssuerRecipe, VerifierArguments, claim_is, host, https_url, named, no_id_token, of_client, texts_of,
)  # fmt: skip

__all__ = ["auth0", "keycloak", "okta"]


def keycloak(
    url: str,
    realm: str,
    *,
    audience: str | Sequence[str],
    clients: Collection[str] | None = None,
    realm_roles: bool = False,
    client_roles: str | None = None,
) -> IssuerRecipe:
    """Access tokens of a Keycloak realm. An ID token, a refresh token or a logout token is refused by its claim `typ`.

    A token has this API in `aud` only if its client has an audience mapper for it.

    Args:
        url: where Keycloak is, "https://id.example", with its path if it has one.
        realm: the realm's name.
        audience: this API's client id.
        clients: the clients to which tokens may have been issued (`azp`); None: any of the realm.
        realm_roles: the scopes are the realm's roles, in place of `scope`.
        client_roles: the scopes are the roles of this client, in place of `scope`.

    >>> keycloak("https://id.example", "acme", audience="orders").jwks_url
    'https://id.example/realms/acme/protocol/openid-connect/certs'
    """
    if realm_roles and client_roles is not None:
        raise ConfigurationError(
            "roles of the realm and of a client may have one name: choose realm_roles= or client_roles="
        )
    issuer = f"{https_url(url, 'url')}/realms/{named(realm, 'realm')}"
    checks = [claim_is("typ", ["Bearer"], Reason.WRONG_TYPE), no_id_token]
    arguments: VerifierArguments = {
        "issuer": [issuer], "audience": texts_of(audience, "audience"), "typ": ["JWT", "at+jwt"], "required": ["exp"],
        "checks": [*checks, of_client(["azp"], clients)],
    }  # fmt: skip
    if realm_roles:
        arguments["scopes"] = _roles_of_realm
    elif client_roles is not None:
        arguments["scopes"] = partial(_roles_of_client, client_roles)
    return IssuerRecipe(f"{issuer}/protocol/openid-connect/certs", ("RS256", "ES256", "PS256"), arguments)


def _roles_of_realm(claims: Mapping[str, Any]) -> Collection[str]:
    return _roles(claims.get("realm_access", {}))


def _roles_of_client(client: str, claims: Mapping[str, Any]) -> Collection[str]:
    return _roles(claims.get("resource_access", {}).get(client, {}))


def _roles(access: Mapping[str, Any]) -> Collection[str]:
    roles = access.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise TypeError("roles are a list of texts")  # a wrong claim, as whoever calls this makes of it
    return roles


def auth0(
    domain: str,
    *,
    audience: str | Sequence[str],
    clients: Collection[str] | None = None,
    organizations: Collection[str] | None = None,
    permissions: bool = False,
) -> IssuerRecipe:
    """Access tokens of an Auth0 tenant for an API, of either profile. ID tokens name no client and are refused.

    Args:
        domain: the tenant's, or your own: "acme.eu.auth0.com".
        audience: the API's identifier, never a client id.
        clients: the applications to which tokens may have been issued (`azp`, `client_id`); None: any of the tenant.
        organizations: the organizations whose members are accepted (`org_id`); None: `org_id` is not looked at.
        permissions: the scopes are the API's permissions (RBAC), in place of `scope`.

    >>> auth0("acme.eu.auth0.com", audience="https://orders.example").arguments["issuer"]
    ['https://acme.eu.auth0.com/']
    """
    issuer = f"https://{host(domain, 'domain')}/"
    checks = [of_client(["azp", "client_id"], clients), no_id_token]
    if organizations is not None:
        checks.append(claim_is("org_id", texts_of(organizations, "organizations")))
    arguments: VerifierArguments = {
        "issuer": [issuer], "audience": texts_of(audience, "audience"), "typ": ["JWT", "at+jwt"], "required": ["exp"],
        "checks": checks,
    }  # fmt: skip
    if permissions:
        arguments["scopes"] = "permissions"
    return IssuerRecipe(f"{issuer}.well-known/jwks.json", ("RS256", "PS256"), arguments)


def okta(
    domain: str,
    *,
    audience: str | Sequence[str],
    server: str = "default",
    clients: Collection[str] | None = None,
    groups: bool = False,
) -> IssuerRecipe:
    """Access tokens of an Okta custom authorization server. Those of the organization's own server are for Okta alone.

    Args:
        domain: the organization's: "acme.okta.com".
        audience: the server's audience: "api://default".
        server: the authorization server's id.
        clients: the clients to which tokens may have been issued (`cid`); None: any.
        groups: the scopes are those of the claim `groups`, in place of `scp`.

    >>> okta("acme.okta.com", audience="api://default").jwks_url
    'https://acme.okta.com/oauth2/default/v1/keys'
    """
    issuer = f"https://{host(domain, 'domain')}/oauth2/{named(server, 'server')}"
    arguments: VerifierArguments = {
        "issuer": [issuer], "audience": texts_of(audience, "audience"), "required": ["exp"],
        "scopes": "groups" if groups else "scp", "checks": [of_client(["cid"], clients), no_id_token],
    }  # fmt: skip
    return IssuerRecipe(f"{issuer}/v1/keys", ("RS256",), arguments)
