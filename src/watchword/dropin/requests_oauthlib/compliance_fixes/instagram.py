"""Instagram read its tokens in the query."""

from __future__ import annotations

from typing import Any

from watchword.dropin.requests_oauthlib.compliance_fixes._urls import in_query, with_parameter

__all__ = ["instagram_compliance_fix"]


def instagram_compliance_fix(session: Any) -> Any:
    """Sends the token in the query as well, unless the URL has one."""

    def hook(url: str, headers: Any, data: Any) -> tuple[str, Any, Any]:
        if not in_query(url, "access_token"):
            url = with_parameter(url, "access_token", session.access_token)
        return url, headers, data

    session.register_compliance_hook("protected_request", hook)
    return session
