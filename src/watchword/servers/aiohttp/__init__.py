"""aiohttp: `auth = Authenticate(guard)`, `auth.install(app)`, `@auth.required("orders:write")`, `auth.identity(request)`.

A request is judged where a handler asks for that: before its body is read, and once for each guard. Handlers that don't ask are
public.
"""

from watchword.servers.aiohttp.authenticate import Authenticate
from watchword.servers.aiohttp.problem import Problem

__all__ = ["Authenticate", "Problem"]
