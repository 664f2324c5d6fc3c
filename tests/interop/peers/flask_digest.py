"""A server of somebody else's: Flask-HTTPAuth's Digest, which keeps its nonce in a session cookie. Prints its port."""

from __future__ import annotations

from flask import Flask, request
from flask_httpauth import HTTPBasicAuth, HTTPDigestAuth
from werkzeug.serving import make_server

app = Flask(__name__)
app.secret_key = "for this process only"
basic = HTTPBasicAuth()
digest = HTTPDigestAuth(realm="flask", qop="auth")


@basic.verify_password
def _check(username: str, password: str) -> str | None:
    return username if (username, password) == ("alice", "open sesame") else None


@digest.get_password
def _password_of(username: str) -> str | None:
    return "open sesame" if username == "alice" else None


@app.route("/basic")
@basic.login_required
def _basic() -> str:
    return f"hello {basic.current_user()}"


@app.route("/digest", methods=["GET", "POST"])
@digest.login_required
def _digest() -> str:
    return f"hello {digest.current_user()} {request.get_data(as_text=True)}".strip()


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()
