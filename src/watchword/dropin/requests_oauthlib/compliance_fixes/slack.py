"""Slack read its tokens in the form."""

from __future__ import annotations

from typing import Any

from watchword.dropin.requests_oauthlib.compliance_fixes._urls import in_query, with_parameter

__all__ = ["slack_compliance_fix"]


def slack_compliance_fix(session: Any) -> Any:
    """Sends the token in the form as well, or in the query where there is another body; unless the program has put one there."""

    def hook(url: str, headers: Any, data: Any) -> tuple[str, Any, Any]:
        if in_query(url, "token") or (isinstance(data, dict) and data.get("token")):
            return url, headers, data
        if not data or isinstance(data, dict):
            return url, headers, {**(data or {}), "token": session.access_token}
        return with_parameter(url, "token", session.access_token), headers, data

    session.register_compliance_hook("protected_request", hook)
    return session
