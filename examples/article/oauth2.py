"""The article's OAuth example. Its call raised; here it fetches a token by the client credentials grant and uses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import requests

from watchword import Guard, Key, OAuth2Verifier
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.dropin.requests_oauthlib import OAuth2Session
from watchword.servers.endpoint import wsgi_endpoint
from watchword.servers.wsgi import identity, protect
from watchword.stores import MemoryStore


class Quiet(WSGIRequestHandler):
    """Says nothing: the example does the talking."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def authorization_server_and_api() -> Iterator[str]:
    """Both in one WSGI application: `/token` and `/protected_resource`."""
    store = MemoryStore()
    store.add_client("your_client_id", "your_client_secret", scopes=("read", "write"))
    key = Key.generate("HS256")
    issuer, audience = "https://id.example", "https://api.example"
    token = wsgi_endpoint(TokenEndpoint(key, issuer=issuer, audience=audience), store)

    def resource(environ, start_response):  # type: ignore[no-untyped-def]
        who = identity(environ)
        assert who is not None
        body = f"{who.subject} may {' and '.join(sorted(who.scopes))}".encode()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    guarded = protect(resource, Guard([OAuth2Verifier(key, issuer=issuer, audience=audience)]))

    def app(environ, start_response):  # type: ignore[no-untyped-def]
        return (token if environ["PATH_INFO"] == "/token" else guarded)(environ, start_response)

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def main() -> None:
    with authorization_server_and_api() as base:
        client_id = "your_client_id"
        client_secret = "your_client_secret"
        with OAuth2Session(client_id, client_secret=client_secret, scope="read write") as oauth:
            token = oauth.fetch_token(f"{base}/token")
            response = oauth.get(f"{base}/protected_resource")
        print(response.status_code, response.text, "- for", token["expires_in"], "s")
        assert response.status_code == 200

        # The last character of the signature changed.
        forged = token["access_token"][:-1] + ("A" if token["access_token"][-1] != "A" else "E")
        refused = requests.get(
            f"{base}/protected_resource", headers={"Authorization": f"Bearer {forged}"}, timeout=10
        )
        print(refused.status_code, "refused a forged token; challenge:", refused.headers["WWW-Authenticate"])
        assert refused.status_code == 401


if __name__ == "__main__":
    main()
