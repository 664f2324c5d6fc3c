"""The article's Basic example. Its `set_credentials` did not exist in http.client; here it does."""

from __future__ import annotations

from examples.article.local_server import serving
from watchword import BasicVerifier, Guard
from watchword.dropin import http_client
from watchword.stores import MemoryStore


def main() -> None:
    store = MemoryStore()
    store.add_user("username", "password")
    guard = Guard([BasicVerifier(realm="example")], store)
    with serving(guard) as address:
        # On a real network this is HTTPSConnection('example.com'), with the same methods.
        conn = http_client.HTTPConnection(address)
        conn.set_credentials("username", "password")
        conn.request("GET", "/path")
        response = conn.getresponse()
        print(response.status, response.read().decode())
        assert response.status == 200
        conn.close()

        forger = http_client.HTTPConnection(address)
        forger.set_credentials("username", "guess")
        forger.request("GET", "/path")
        refused = forger.getresponse()
        print(refused.status, "refused a wrong password; challenge:", refused.getheader("WWW-Authenticate"))
        refused.read()
        assert refused.status == 401
        forger.close()


if __name__ == "__main__":
    main()
