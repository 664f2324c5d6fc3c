"""plentymarkets writes the names of the members in camel case."""

from __future__ import annotations

import re
from typing import Any, Final

from watchword.dropin.requests_oauthlib.compliance_fixes._answers import fix_answers

__all__ = ["plentymarkets_compliance_fix"]

_WORD: Final = re.compile(r"(?<=.)([A-Z])")


def plentymarkets_compliance_fix(session: Any) -> Any:
    """Writes the names with underscores."""
    return fix_answers(session, lambda token: {_WORD.sub(r"_\1", name).lower(): value for name, value in token.items()})
