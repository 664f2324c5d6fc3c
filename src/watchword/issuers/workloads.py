"""Issuers whose tokens prove a program: a job of GitHub Actions, a service account of Kubernetes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.issuers.recipe import IssuerRecipe, VerifierArguments, https_url, named, texts_of
from watchword.schemes.jwt.checks import ClaimCheck

__all__ = ["github_actions", "kubernetes"]

GITHUB: Final = "https://token.actions.githubusercontent.com"


def github_actions(
    audience: str | Sequence[str],
    *,
    repositories: Collection[str] | None = None,
    owners: Collection[str] | None = None,
    owner_ids: Collection[str] | None = None,
    refs: Collection[str] | None = None,
    environments: Collection[str] | None = None,
    issuer: str = GITHUB,
) -> IssuerRecipe:
    """Tokens of jobs of GitHub Actions. Everybody on GitHub gets such tokens for any audience, so whose job it is has to be said.

    Args:
        audience: what the job asks for: `core.getIDToken("orders")`.
        repositories: "owner/name", whose jobs are accepted.
        owners: the people and organizations whose jobs are accepted. A name that is given up can be taken by others, its id can't.
        owner_ids: the same by their ids, as texts of digits.
        refs: the refs that are accepted, "refs/heads/main"; None: any, also those of pull requests.
        environments: the deployment environments that are accepted; None: any, or none.
        issuer: that of a GitHub Enterprise Server.

    >>> github_actions("orders", repositories=["acme/orders"], refs=["refs/heads/main"]).jwks_url
    'https://token.actions.githubusercontent.com/.well-known/jwks'
    """
    whose = {"repository": repositories, "repository_owner": owners, "repository_owner_id": owner_ids}
    if all(each is None for each in whose.values()):
        raise ConfigurationError("say whose jobs are accepted: repositories=[…], owners=[…] or owner_ids=[…]")
    demanded = {**whose, "ref": refs, "environment": environments}
    checks = [
        ClaimCheck(
            claim,
            " or ".join(texts_of(values, claim)),
            partial(_one_of, claim, _folded(claim, texts_of(values, claim))),
        )
        for claim, values in demanded.items()
        if values is not None
    ]
    if repositories is not None:
        for repository in texts_of(repositories, "repositories"):
            named(repository, "repositories", r"[\w.-]+/[\w.-]+")
    issuer = https_url(issuer, "issuer")
    arguments: VerifierArguments = {
        "issuer": [issuer], "audience": texts_of(audience, "audience"), "required": ["exp"], "checks": checks
    }  # fmt: skip
    return IssuerRecipe(f"{issuer}/.well-known/jwks", ("RS256",), arguments)


def _folded(claim: str, values: Collection[str]) -> frozenset[str]:
    """GitHub's names of people and repositories have no case; refs and environments have."""
    return frozenset(value.lower() if claim.startswith("repository") else value for value in values)


def _one_of(claim: str, allowed: frozenset[str], claims: Mapping[str, Any], now: float) -> None:
    if claim not in claims:
        raise Rejected(Reason.MISSING_CLAIM, f"the token has no {claim}", where=claim)
    if _folded(claim, [claims[claim]]).isdisjoint(allowed):
        raise Rejected(Reason.WRONG_CLAIM, f"{claim} is none that is accepted", where=claim)


def kubernetes(
    issuer: str,
    *,
    audience: str | Sequence[str],
    namespaces: Collection[str] | None = None,
    service_accounts: Collection[str] | None = None,
    jwks_url: str | None = None,
) -> IssuerRecipe:
    """Projected tokens of Kubernetes service accounts (`serviceAccountToken` with an audience). Tokens for the API server name another.

    Args:
        issuer: the cluster's `--service-account-issuer`.
        audience: that of the projected volume.
        namespaces: those whose service accounts are accepted, all of them.
        service_accounts: "namespace/name", those that are accepted.
        jwks_url: where the keys are, if not at `/openid/v1/jwks` below the issuer (EKS has them at `/keys`).

    >>> kubernetes("https://oidc.example/c1", audience="orders", namespaces=["shop"]).jwks_url
    'https://oidc.example/c1/openid/v1/jwks'
    """
    if (namespaces is None) == (service_accounts is None):
        raise ConfigurationError("say who is accepted: namespaces=[…], or service_accounts=['namespace/name']")
    accepted = (
        texts_of(namespaces, "namespaces") if namespaces is not None else texts_of(service_accounts, "service_accounts")
    )
    for each in accepted:
        named(each, "who is accepted", r"[a-z0-9.-]+" if namespaces is not None else r"[a-z0-9.-]+/[a-z0-9.-]+")
    url = https_url(issuer, "issuer")
    check = ClaimCheck("sub", " or ".join(accepted), partial(_of_account, frozenset(accepted), namespaces is not None))
    arguments: VerifierArguments = {
        "issuer": [issuer], "audience": texts_of(audience, "audience"), "required": ["exp", "sub"], "checks": [check]
    }  # fmt: skip
    keys = f"{url}/openid/v1/jwks" if jwks_url is None else https_url(jwks_url, "jwks_url")
    return IssuerRecipe(keys, ("RS256", "ES256"), arguments)


def _of_account(accepted: frozenset[str], by_namespace: bool, claims: Mapping[str, Any], now: float) -> None:
    """`sub`, and what `kubernetes.io` says beside it."""
    prefix, kind, namespace, name = claims["sub"].split(":")
    told = claims["kubernetes.io"]
    same = (told["namespace"], told["serviceaccount"]["name"]) == (namespace, name)
    if (prefix, kind) != ("system", "serviceaccount") or not same or not namespace or not name:
        raise Rejected(Reason.WRONG_CLAIM, "not a service account, or not the one in kubernetes.io", where="sub")
    if (namespace if by_namespace else f"{namespace}/{name}") not in accepted:
        raise Rejected(Reason.WRONG_CLAIM, "a service account that is not accepted", where="sub")
