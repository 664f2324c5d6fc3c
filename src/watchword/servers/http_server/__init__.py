"""The standard library's http.server: `protect(HandlerClass, guard)`."""

from watchword.servers.http_server.admitted import identity, identity_or_none, requires
from watchword.servers.http_server.guarding import protect

__all__ = ["identity", "identity_or_none", "protect", "requires"]
