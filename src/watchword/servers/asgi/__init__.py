"""ASGI: `protect(app, guard)` for http and websocket scopes (ASGI 3.0).

The request target is taken from `raw_path`, where the server gives it. An empty query can't be told from none there, nor
an absolute target (RFC 9112 §3.2.2) from a plain one.
"""

from watchword.servers.asgi.admitted import demand, identity, identity_or_none, requires
from watchword.servers.asgi.guarding import protect

__all__ = ["demand", "identity", "identity_or_none", "protect", "requires"]
