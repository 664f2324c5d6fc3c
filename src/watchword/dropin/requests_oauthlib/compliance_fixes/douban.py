"""Douban names no type of its tokens, and reads them in the query."""

from __future__ import annotations

from typing import Any

from watchword.dropin.requests_oauthlib.compliance_fixes._answers import fix_answers

__all__ = ["douban_compliance_fix"]


def douban_compliance_fix(session: Any) -> Any:
    """Takes tokens without a type for bearer tokens. They go into the header all the same."""
    return fix_answers(session, lambda token: {"token_type": "Bearer", **token})
