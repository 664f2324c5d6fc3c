"""eBay calls its tokens by names of its own."""

from __future__ import annotations

from typing import Any

from watchword.dropin.requests_oauthlib.compliance_fixes._answers import fix_answers

__all__ = ["ebay_compliance_fix"]


def ebay_compliance_fix(session: Any) -> Any:
    """Takes eBay's application and user tokens for the bearer tokens that they are."""

    def fix(token: dict[str, Any]) -> dict[str, Any]:
        bearer = token.get("token_type") in ("Application Access Token", "User Access Token")
        return {**token, "token_type": "Bearer"} if bearer else token

    return fix_answers(session, fix, refreshed=True)
