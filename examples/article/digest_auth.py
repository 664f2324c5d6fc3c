"""The article's Digest example. Its `set_digest_auth` did not exist in http.server; here it does."""

from __future__ import annotations

import requests

from examples.article.local_server import running
from watchword import DigestAuth
from watchword.clients.requests import adapt
from watchword.dropin import http_server


def main() -> None:
    server = http_server.HTTPServer(("localhost", 0))
    server.set_digest_auth("username", "password")
    with running(server) as address:
        url = f"http://{address}/path"
        response = requests.get(url, auth=adapt(DigestAuth("username", "password")), timeout=10)
        print(response.status_code, response.text.strip())
        assert response.status_code == 200

        # The same Authorization again, and on another path: a digest is good for one request.
        captured = response.request.headers["Authorization"]
        for forged in (url, f"http://{address}/other"):
            refused = requests.get(forged, headers={"Authorization": captured}, timeout=10)
            print(refused.status_code, "refused the captured digest on", forged.rpartition("/")[2])
            assert refused.status_code in (400, 401)


if __name__ == "__main__":
    main()
