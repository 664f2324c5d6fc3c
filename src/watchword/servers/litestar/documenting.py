"""The security schemes of a guard in Litestar's OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, OAuthFlow, OAuthFlows, SecurityScheme

from watchword.servers.openapi import Demanded, Documentation, requirements

__all__ = ["describe", "with_schemes"]

KEPT = "watchword_demanded"


def with_schemes(config: OpenAPIConfig, told: Documentation) -> OpenAPIConfig:
    """`config` with the Security Scheme Objects of a guard; it may serve other apps, so it stays as it is."""
    added = copy(config)
    before = config.components if isinstance(config.components, list) else [config.components]
    added.components = [*before, Components(security_schemes={n: _object(it) for n, it in told.schemes.items()})]
    return added


def describe(handler: HTTPRouteHandler, demanded: Demanded) -> None:
    """Says of a route what it demands of a guard, besides what it demands of others, and what its own `security` says."""
    own, demands = handler.opt.setdefault(KEPT, (list(handler.security or ()), {}))
    demands[demanded.told.label] = demanded
    handler.security = [*own, *requirements([*demands.values()], roles=True)]


def _object(scheme: Mapping[str, Any]) -> SecurityScheme:
    flows = scheme.get("flows")
    return SecurityScheme(
        type=scheme["type"],
        description=scheme.get("description"),
        name=scheme.get("name"),
        security_scheme_in=scheme.get("in"),
        scheme=scheme.get("scheme"),
        bearer_format=scheme.get("bearerFormat"),
        flows=None if flows is None else OAuthFlows(**{_snake(name): _flow(flow) for name, flow in flows.items()}),
        open_id_connect_url=scheme.get("openIdConnectUrl"),
    )


def _flow(flow: Mapping[str, Any]) -> OAuthFlow:
    return OAuthFlow(**{_snake(name): value for name, value in flow.items()})


def _snake(name: str) -> str:
    """A member's name as Litestar writes it.

    >>> _snake("authorizationUrl")
    'authorization_url'
    """
    return "".join(f"_{it.lower()}" if it.isupper() else it for it in name)
