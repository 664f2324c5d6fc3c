"""Facebook answered with a form, and called its lifetime otherwise."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import requests

from watchword.dropin.requests_oauthlib.compliance_fixes._answers import put_back

__all__ = ["facebook_compliance_fix"]


def facebook_compliance_fix(session: Any) -> Any:
    """Reads an answer of text/plain as a form."""

    def hook(response: requests.Response) -> requests.Response:
        if "text/plain" not in response.headers.get("content-type", "") or response.status_code != 200:
            return response
        token: dict[str, Any] = dict(parse_qsl(response.text, keep_blank_values=True))
        if "expires" in token:
            token["expires_in"] = token["expires"]
        return put_back(response, {**token, "token_type": "Bearer"})

    session.register_compliance_hook("access_token_response", hook)
    return session
