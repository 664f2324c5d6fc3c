"""The article's OAuth example. Its call raised; here it fetches a token by the client credentials grant and uses it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.simple_server import make_server

import requests

from watchword import Guard, Key, OAuth2Verifier
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.dropin.requests_oauthlib import OAuth2Session
from watchword.servers.endpoint import wsgi_endpoint
from watchword.servers.wsgi import identity, protect
from watchword.stores import MemoryStore

KEY = Key.generate("HS256")
ISSUER, AUDIENCE = "https://id.example", "https://api.example"
STORE = MemoryStore()
STORE.add_client("your_client_id", "your_client_secret", scopes=("read", "write"))


def resource(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Says what the client may do."""
    who = identity(environ)
    body = f"{who.subject} may {' and '.join(sorted(who.scopes))}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


TOKEN = wsgi_endpoint(TokenEndpoint(KEY, issuer=ISSUER, audience=AUDIENCE), STORE)
RESOURCE = protect(resource, Guard([OAuth2Verifier(KEY, issuer=ISSUER, audience=AUDIENCE)]))


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The authorization server and the API in one."""
    return (TOKEN if environ["PATH_INFO"] == "/token" else RESOURCE)(environ, start_response)


def main() -> None:
    """Fetches a token, uses it, and forges one."""
    with make_server("127.0.0.1", 0, app) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"

        client_id = "your_client_id"
        client_secret = "your_client_secret"
        with OAuth2Session(client_id, client_secret=client_secret, scope="read write") as oauth:
            token = oauth.fetch_token(f"{base}/token")
            response = oauth.get(f"{base}/protected_resource")
        print(response.status_code, response.text, "for", token["expires_in"], "s")
        assert response.status_code == 200

        signed, _, signature = token["access_token"].rpartition(".")
        forged = f"{signed}.{signature[::-1]}"
        headers = {"Authorization": f"Bearer {forged}"}
        refused = requests.get(f"{base}/protected_resource", headers=headers, timeout=10)
        print(refused.status_code, "refused a forged token; the challenge is", refused.headers["WWW-Authenticate"])
        assert refused.status_code == 401
        server.shutdown()


if __name__ == "__main__":
    main()
