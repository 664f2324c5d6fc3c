"""A Flask app on the names of Flask-HTTPAuth: a program of a user's, which type-checks, and which a test runs."""

from typing import assert_type

from flask import Flask

from watchword.dropin import install, uninstall
from watchword.dropin.flask_httpauth import HTTPBasicAuth, HTTPDigestAuth, HTTPTokenAuth, MultiAuth
from watchword.stores import MemoryStore

app = Flask("orders")
by_password = HTTPBasicAuth(realm="orders")
by_digest = HTTPDigestAuth(realm="orders", algorithm="SHA-256", qop=["auth", "auth-int"], store=MemoryStore())
by_token = HTTPTokenAuth("Token")
auth = MultiAuth(by_password, by_digest, by_token)


@by_password.verify_password
def verify_password(username: str, password: str) -> str | None:
    return username if password == "open sesame" else None


@by_digest.get_password
async def get_password(username: str) -> str | None:
    return {"alice": "open sesame"}.get(username)


@by_token.verify_token
def verify_token(token: str) -> bool:
    return token == "t0ken"


@by_token.get_user_roles
@by_password.get_user_roles
def get_user_roles(user: object) -> list[str]:
    return ["admin"] if user == "alice" else []


@by_password.error_handler
def refuse(status: int) -> tuple[str, int]:
    return "no", status


@app.get("/orders/<int:number>")
@auth.login_required
def order(number: int) -> str:
    return f"order {number} of {auth.current_user()}"


@app.get("/admin")
@auth.login_required(role=["admin", ["reader", "auditor"]])
async def admin() -> str:
    return "all orders"


@app.get("/")
@by_token.login_required(optional=True)
def home() -> dict[str, bool]:
    return {"known": by_token.current_user() is not None}


def typed() -> None:
    assert_type(order(7), str)
    assert_type(home(), dict[str, bool])
    assert_type(verify_password("alice", "open sesame"), str | None)
    assert_type(by_digest.generate_ha1("alice", "open sesame"), str)
    assert_type(by_digest.authenticate_header(), str)
    install("flask_httpauth")
    uninstall("flask_httpauth")
