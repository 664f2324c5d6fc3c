"""Starlette: `Authenticate` for some routes, `protect` for all of them, `request.user` and `request.auth` for both.

`starlette.authentication.requires` knows scopes, but it refuses without a challenge, and closes WebSockets without an answer.
`Authenticate.required` does both.
"""

from __future__ import annotations

from watchword.core.rejection import not_installed

try:
    import starlette as _  # noqa: F401 -- the modules below import it
except ImportError:
    raise not_installed("starlette") from None

from watchword.servers.starlette.authenticate import Authenticate
from watchword.servers.starlette.protecting import protect
from watchword.servers.starlette.refusing import Refused
from watchword.servers.starlette.users import User

__all__ = ["Authenticate", "Refused", "User", "protect"]
