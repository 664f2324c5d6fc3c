"""FastAPI: `Authenticate`, a guard as a dependency, which judges a request before its body is parsed and describes itself."""

from __future__ import annotations

from watchword.core.rejection import not_installed

try:
    import fastapi as _  # noqa: F401 -- the modules below import it
except ImportError:
    raise not_installed("fastapi") from None

from watchword.servers.fastapi.authenticate import Authenticate
from watchword.servers.fastapi.refusing import Refused

__all__ = ["Authenticate", "Refused"]
