"""The applications that `bench.served_wsgi` compares: one Flask application, bare, behind Flask-HTTPAuth and behind a guard."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_httpauth import HTTPBasicAuth, HTTPDigestAuth
from werkzeug.security import check_password_hash, generate_password_hash

from watchword import BasicVerifier, DigestVerifier, Guard, PasswordCache
from watchword.schemes.digest import ha1
from watchword.servers.wsgi import protect
from watchword.stores import MemoryStore

USER, PASSWORD, REALM = "alice", "open sesame", "orders"


def application(guard: Any = None) -> Flask:
    """Says ok, to those whom `guard` (of Flask-HTTPAuth) lets through."""
    made = Flask(__name__)
    made.secret_key = "of the benchmark, known to all"

    def ok() -> str:
        return "ok"

    made.add_url_rule("/", view_func=ok if guard is None else guard.login_required(ok))
    return made


def _store() -> MemoryStore:
    store = MemoryStore()
    store.add_user(USER, PASSWORD, realm=REALM, digest_algorithms=["MD5"])
    return store


bare = application()
basic: Any = application()
basic.wsgi_app = protect(basic.wsgi_app, Guard([BasicVerifier(realm=REALM)], _store()))
strict: Any = application()
_STRICT = PasswordCache(strict=True)
strict.wsgi_app = protect(strict.wsgi_app, Guard([BasicVerifier(realm=REALM, cache=_STRICT)], _store()))
# The algorithm that Flask-HTTPAuth knows, so that both compute the same.
digest: Any = application()
digest.wsgi_app = protect(digest.wsgi_app, Guard([DigestVerifier(realm=REALM, algorithms=("MD5",))], _store()))

_hashed, _in_clear = HTTPBasicAuth(realm=REALM), HTTPBasicAuth(realm=REALM)
_HASHES = {USER: generate_password_hash(PASSWORD)}


@_hashed.verify_password
def _fits(username: str, password: str) -> str | None:
    return username if username in _HASHES and check_password_hash(_HASHES[username], password) else None


@_in_clear.get_password
def _password(username: str) -> str | None:
    return PASSWORD if username == USER else None


_digest = HTTPDigestAuth(realm=REALM, use_ha1_pw=True)
_HA1 = ha1("MD5", USER, REALM, PASSWORD)


@_digest.get_password
def _secret(username: str) -> str | None:
    return _HA1 if username == USER else None


peer_basic_hashed = application(_hashed)
peer_basic_in_clear = application(_in_clear)
peer_digest = application(_digest)
