"""What the fixes have in common: a token response is read, changed and put back, before anybody else reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import requests

from watchword.oauth.own_requests import json_object

__all__ = ["fix_answers", "put_back"]


def put_back(response: requests.Response, members: dict[str, Any]) -> requests.Response:
    """The same answer, with this JSON object as its content."""
    library: Any = response
    library._content = msgspec.json.encode(members)  # noqa: SLF001 -- requests has no other way to change an answer
    return response


def fix_answers(session: Any, fix: Callable[[dict[str, Any]], dict[str, Any]], *, refreshed: bool = False) -> Any:
    """Has `fix` change each token response of the session that is a JSON object.

    Args:
        session: the session, which is given back.
        fix: the object as it shall be.
        refreshed: the answers with refreshed tokens, too.
    """

    def hook(response: requests.Response) -> requests.Response:
        members = json_object(response.text.encode("utf-8", "surrogatepass"))
        return response if members is None else put_back(response, fix(members))

    for kind in ("access_token_response", "refresh_token_response")[: 2 if refreshed else 1]:
        session.register_compliance_hook(kind, hook)
    return session
