"""Fitbit answers with a list of errors, where RFC 6749 §5.2 has one."""

from __future__ import annotations

from typing import Any

from watchword.dropin.requests_oauthlib.compliance_fixes._answers import fix_answers

__all__ = ["fitbit_compliance_fix"]


def fitbit_compliance_fix(session: Any) -> Any:
    """Makes the first of the errors `error`."""

    def fix(token: dict[str, Any]) -> dict[str, Any]:
        errors = token.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else None
        return {**token, "error": first["errorType"]} if isinstance(first, dict) and "errorType" in first else token

    return fix_answers(session, fix, refreshed=True)
