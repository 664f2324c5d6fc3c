"""WSGI: `protect(app, guard)` (PEP 3333).

The request target is exact only where the server hands the request line out (`RAW_URI`, `REQUEST_URI`); elsewhere it is
rebuilt from decoded parts. WSGI joins repeated fields with a comma and cannot tell `X_Foo` from `X-Foo`: have the proxy
drop field names with underscores.
"""

from watchword.servers.wsgi.admitted import demand, identity, identity_or_none, requires
from watchword.servers.wsgi.guarding import protect

__all__ = ["demand", "identity", "identity_or_none", "protect", "requires"]
