"""Weibo names no type of its tokens, and reads them in the query."""

from __future__ import annotations

from typing import Any

from watchword.dropin.requests_oauthlib.compliance_fixes._answers import fix_answers

__all__ = ["weibo_compliance_fix"]


def weibo_compliance_fix(session: Any) -> Any:
    """Takes tokens for bearer tokens, and sends them in the query, which is warned of at each request."""
    session._client.default_token_placement = "query"  # noqa: SLF001 -- of our own session
    return fix_answers(session, lambda token: {**token, "token_type": "Bearer"})
