"""The article's Basic example. Its `set_credentials` did not exist in http.client; here it does."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer

from watchword import BasicVerifier, Guard
from watchword.dropin import http_client
from watchword.dropin.http_server import WhoAmIHandler
from watchword.servers.http_server import protect
from watchword.stores import MemoryStore


def main() -> None:
    """Asks with the right password, and with a wrong one."""
    store = MemoryStore()
    store.add_user("username", "password")
    handler = protect(WhoAmIHandler, Guard([BasicVerifier(realm="example")], store))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        genuine(server.server_port)
        forged(server.server_port)
        server.shutdown()


def genuine(port: int) -> None:
    """The article's lines; on a real network it is HTTPSConnection('example.com'), with the same methods."""
    conn = http_client.HTTPConnection("127.0.0.1", port)
    conn.set_credentials("username", "password")
    conn.request("GET", "/path")
    response = conn.getresponse()
    print(response.status, response.read().decode().strip())
    assert response.status == 200
    conn.close()


def forged(port: int) -> None:
    """Somebody guesses."""
    conn = http_client.HTTPConnection("127.0.0.1", port)
    conn.set_credentials("username", "guess")
    conn.request("GET", "/path")
    response = conn.getresponse()
    response.read()
    print(response.status, "refused a wrong password; the challenge is", response.getheader("WWW-Authenticate"))
    assert response.status == 401
    conn.close()


if __name__ == "__main__":
    main()
