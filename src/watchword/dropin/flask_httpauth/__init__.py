"""Flask-HTTPAuth's names: replace `from flask_httpauth import …` by `from watchword.dropin.flask_httpauth import …`.

Callbacks, roles, error handlers and challenges are as there. What is refused on purpose is listed in
docs/how-to/replace-flask-httpauth.md, each with what to do: above all, Digest credentials that were used before or were made
for another resource.

>>> import flask
>>> app, auth = flask.Flask("orders"), HTTPBasicAuth()
>>> @auth.verify_password
... def verify_password(username, password):
...     return username if (username, password) == ("alice", "open sesame") else None
>>> @app.get("/orders")
... @auth.login_required
... def orders():
...     return f"orders of {auth.current_user()}"
>>> app.test_client().get("/orders", auth=("alice", "open sesame")).text
'orders of alice'
>>> app.test_client().get("/orders").headers["WWW-Authenticate"]
'Basic realm="Authentication Required"'
"""

from watchword.dropin.flask_httpauth._base import HTTPAuth
from watchword.dropin.flask_httpauth._basic import HTTPBasicAuth
from watchword.dropin.flask_httpauth._digest import HTTPDigestAuth
from watchword.dropin.flask_httpauth._multi import MultiAuth
from watchword.dropin.flask_httpauth._tokens import HTTPTokenAuth

__all__ = ["HTTPAuth", "HTTPBasicAuth", "HTTPDigestAuth", "HTTPTokenAuth", "MultiAuth"]
