"""Litestar: `Authenticate`, a plugin whose guards judge a request before its body is parsed, and which describes itself."""

from __future__ import annotations

from watchword.core.rejection import not_installed

try:
    import litestar as _  # noqa: F401 -- the modules below import it
except ImportError:
    raise not_installed("litestar") from None

from watchword.servers.litestar.authenticate import Authenticate
from watchword.servers.litestar.refusing import Refused

__all__ = ["Authenticate", "Refused"]
