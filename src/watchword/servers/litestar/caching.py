"""Litestar's cache of answers (`cache=True`): one answer for each maker of requests, where a guard knows who that is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from litestar import Request
from litestar.config.response_cache import ResponseCacheConfig

from watchword.core.plan import Plan
from watchword.servers.asgi.asking import Exchange
from watchword.servers.judgement import kept

__all__ = ["for_each_identity"]


def for_each_identity(config: ResponseCacheConfig, plan: Plan) -> ResponseCacheConfig:
    """`config`, whose keys also name who made the request; it may serve other apps, so it stays as it is.

    A handler's own `cache_key_builder` is asked as it is.

    Args:
        config: the app's.
        plan: the guard's.
    """

    def key(request: Request[Any, Any, Any]) -> str:
        scope: Any = request.scope
        exchange: Exchange | None = kept(scope, plan)
        made = config.key_builder(request)
        if exchange is None or not exchange.admitted:
            return made
        identity = exchange.identity()
        who = (
            None if identity is None else (identity.scheme, _issuer(identity.claims), identity.subject, identity.key_id)
        )
        return f"{made}{who!r}"

    return replace(config, key_builder=key)


def _issuer(claims: Any) -> Any:
    return claims.get("iss") if hasattr(claims, "get") else getattr(claims, "iss", None)
