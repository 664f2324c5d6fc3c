"""The article's Digest example. Its `set_digest_auth` did not exist in http.server; here it does."""

from __future__ import annotations

import threading

import requests

from watchword import DigestAuth
from watchword.clients.requests import adapt
from watchword.dropin import http_server


def main() -> None:
    """Asks as a user, then sends what was captured once more, and to another path."""
    with http_server.HTTPServer(("localhost", 0)) as server:
        server.set_digest_auth("username", "password")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://localhost:{server.server_port}"
        response = requests.get(f"{base}/path", auth=adapt(DigestAuth("username", "password")), timeout=10)
        print(response.status_code, response.text.strip())
        assert response.status_code == 200

        captured = {"Authorization": response.request.headers["Authorization"]}
        for path in ("/path", "/other"):
            refused = requests.get(base + path, headers=captured, timeout=10)
            print(refused.status_code, "refused the captured digest on", path)
            assert refused.status_code in (400, 401)
        server.shutdown()


if __name__ == "__main__":
    main()
