"""Mailchimp says that its tokens end at once, and that their scope is null."""

from __future__ import annotations

from typing import Any, Final

from watchword.dropin.requests_oauthlib.compliance_fixes._answers import fix_answers

__all__ = ["mailchimp_compliance_fix"]

LIFETIME: Final = 3600
"""Seconds; Mailchimp's tokens have no end at all."""


def mailchimp_compliance_fix(session: Any) -> Any:
    """Leaves a scope of null out, and makes a lifetime of 0 an hour."""

    def fix(token: dict[str, Any]) -> dict[str, Any]:
        fixed = {name: value for name, value in token.items() if name != "scope" or value is not None}
        return {**fixed, "expires_in": LIFETIME} if fixed.get("expires_in") == 0 else fixed

    return fix_answers(session, fix)
