"""The standard library's http.server: `protect(HandlerClass, guard)`."""

from watchword.servers.http_server.admitted import identity, requires
from watchword.servers.http_server.guarding import protect

__all__ = ["identity", "protect", "requires"]
