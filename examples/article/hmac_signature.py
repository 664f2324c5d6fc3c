"""The article's HMAC example: as it stands, verified at last, with what it lacks; then the way that can't be replayed."""

from __future__ import annotations

import hashlib
import hmac
import threading
from http.server import ThreadingHTTPServer

import requests

from watchword import ConfigurationError, Guard, HMACAuth, HMACVerifier, Key, ReplayableBodyHMACVerifier
from watchword.clients.requests import adapt
from watchword.dropin.http_server import WhoAmIHandler
from watchword.servers.http_server import protect
from watchword.stores import MemoryStore


class Messages(WhoAmIHandler):
    """Takes messages by POST, and says whose they are."""

    def do_POST(self) -> None:
        """Reads the message; the guard has seen that it is genuine."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()


def main() -> None:
    """The article's key is refused; with a longer one, both ways of signing."""
    try:
        Key.from_secret("your_secret_key", algorithm="HS256")
    except ConfigurationError as too_short:
        print("the article's key:", too_short)

    secret_key = "your_secret_key, made longer: thirty-two octets at least"
    key = Key.from_secret(secret_key, algorithm="HS256", key_id="partner-1")
    message = "this is the message"
    store = MemoryStore()
    store.add_key("partner", key)
    guards = Guard([ReplayableBodyHMACVerifier(key, subject="partner")]), Guard([HMACVerifier()], store)
    for guard, run in zip(guards, (as_in_the_article, as_it_should_be), strict=True):
        with ThreadingHTTPServer(("127.0.0.1", 0), protect(Messages, guard)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            run(f"http://127.0.0.1:{server.server_port}/protected_resource", secret_key, key, message)
            server.shutdown()


def as_in_the_article(url: str, secret_key: str, key: Key, message: str) -> None:
    """X-HMAC over the body: a forgery is refused, a replay can't be."""
    signature = hmac.new(secret_key.encode(), message.encode(), hashlib.sha256).digest()
    headers = {"X-HMAC": signature.hex()}
    response = requests.post(url, data=message, headers=headers, timeout=10)
    print(response.status_code, response.text.strip())
    assert response.status_code == 200
    refused = requests.post(url, data="another message", headers=headers, timeout=10)
    print(refused.status_code, "refused another body")
    assert refused.status_code == 401
    again = requests.post(url, data=message, headers=headers, timeout=10)
    print(again.status_code, "accepted again: X-HMAC can be replayed, hence its loud name")
    assert again.status_code == 200


def as_it_should_be(url: str, secret_key: str, key: Key, message: str) -> None:
    """Method, authority, target, body, time and a nonce are signed; a second sending is refused."""
    response = requests.post(url, data=message, auth=adapt(HMACAuth(key)), timeout=10)
    print(response.status_code, response.text.strip())
    assert response.status_code == 200
    captured = {"Authorization": response.request.headers["Authorization"]}
    refused = requests.post(url, data=message, headers=captured, timeout=10)
    print(refused.status_code, "refused the replay")
    assert refused.status_code == 401


if __name__ == "__main__":
    main()
