"""Flask: `auth = Authenticate(guard)`, `auth.init_app(app)`, `@auth.required("orders:write")`.

A request is judged where a route asks for that: inside the application context, before its body is read, and once for each
guard. Routes that don't ask are public. What refuses a request is an HTTP exception, which the app's error handlers may word.
"""

from watchword.servers.flask.authenticate import Authenticate
from watchword.servers.flask.problem import Problem

__all__ = ["Authenticate", "Problem"]
