"""The attack list: each attack with the advisory that it replays."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from watchword.testing.attacks import believed, browsers, captured, forged_tokens, rights, strangers, telling
from watchword.testing.attacks.trial import Trial

__all__ = ["ATTACKS", "PUBLIC", "Attack"]


class Attack(NamedTuple):
    """One attack.

    Args:
        name: what pytest shows before the route in brackets.
        run: does it; returns if everything was refused.
        advisory: an advisory on somebody who was open to it, or the rule where there is none.
    """

    name: str
    run: Callable[[Trial], None]
    advisory: str


ATTACKS: tuple[Attack, ...] = (
    Attack("genuine_request", strangers.genuine_request, "RFC 9110 §15.5.1: a 400 says nothing of who may ask"),
    Attack(
        "no_credentials", strangers.no_credentials, "CVE-2025-3248 (Langflow), CVE-2026-39987 (marimo, a WebSocket)"
    ),
    Attack("decorator_in_vain", strangers.decorator_in_vain, "CVE-2025-3248 (Langflow), CWE-696"),
    Attack("garbage", strangers.garbage, "CVE-2026-49852 (joserfc), CWE-287"),
    Attack("methods", strangers.methods, "CVE-2024-40627 (OPA middleware for FastAPI)"),
    Attack(
        "path_spellings", strangers.path_spellings, "GHSA-x732-6j76-qmhm (rou3, Better Auth), CVE-2021-29492 (Envoy)"
    ),
    Attack("host_field", strangers.host_field, "CVE-2026-48710 (Starlette), GHSA-94f4-hr76-p5j6 (vLLM)"),
    Attack("believed_identity", believed.believed_identity, "CVE-2025-64484 (OAuth2-Proxy)"),
    Attack("believed_addresses", believed.believed_addresses, "GHSA-2qvv-vjq9-g5r4 (voicemode)"),
    Attack("believed_urls", believed.believed_urls, "CVE-2018-14773 (Symfony)"),
    Attack("another_identity", believed.another_identity, "CVE-2025-64484 (OAuth2-Proxy)"),
    Attack("missing_scope", rights.missing_scope, "CWE-862, RFC 6750 §3.1"),
    Attack("unsigned_token", forged_tokens.unsigned, "CVE-2015-9235 (jsonwebtoken), CVE-2026-28802 (Authlib)"),
    Attack("confused_algorithm", forged_tokens.confused_algorithm, "CVE-2022-29217 (PyJWT), CVE-2024-37568 (Authlib)"),
    Attack("own_key", forged_tokens.own_key, "CVE-2018-0114 (node-jose), CVE-2026-27962 (Authlib)"),
    Attack("another_service", forged_tokens.another_service, "python-jose issue 407, RFC 8725 §3.9"),
    Attack("another_issuer", forged_tokens.another_issuer, "CVE-2024-53861 (PyJWT), CVE-2025-30144 (fast-jwt)"),
    Attack("expired_token", forged_tokens.expired, "RFC 7519 §4.1.4"),
    Attack("token_without_end", forged_tokens.without_end, "RFC 8725 §3.10, RFC 9068 §2.2"),
    Attack("wrong_kind_of_token", forged_tokens.wrong_kind, "RFC 8725 §3.11, RFC 9068 §5"),
    Attack("replay", captured.replay, "CVE-2013-4346 (python-oauth2)"),
    Attack("stale", captured.stale, "RFC 9421 §7.2.2"),
    Attack("tampered", captured.tampered, "RFC 9421 §7.2.8; requests-http-signature issue 10"),
    Attack("cross_site_request", browsers.cross_site_request, "CVE-2021-32677 (FastAPI)"),
    Attack("foreign_websocket", browsers.foreign_websocket, "GHSA-p773-8mf4-rjm5 (farm), CWE-1385"),
    Attack("credentials_in_query", rights.another_place, "CVE-2026-26196 (Gogs)"),
    Attack("secrets_told", telling.secrets_told, "CVE-2025-65015 (joserfc), CWE-209"),
    Attack("names_of_users", telling.names_of_users, "CVE-2024-24766 (CasaOS)"),
)

PUBLIC: tuple[Attack, ...] = (Attack("public_route", strangers.public_routes, "CWE-755"),)
"""For the routes that are named in `public=`; whether they are is known only when the fixture is."""
