"""The article's JWT example, with a key that is long enough and a server that verifies."""

from __future__ import annotations

import threading
import time
from http.server import ThreadingHTTPServer

import requests

from watchword import Guard, JWTVerifier, Key
from watchword.dropin import jwt
from watchword.dropin.http_server import WhoAmIHandler
from watchword.servers.http_server import protect


def main() -> None:
    """The article's key is refused; with a longer one, a token is accepted and a forged one refused."""
    strict = jwt.PyJWT(options={"enforce_minimum_key_length": True})  # else it is warned of
    try:
        strict.encode({"username": "user123"}, "your_secret_key", algorithm="HS256")
    except jwt.InvalidKeyError as too_short:
        print("the article's key:", too_short)

    secret_key = "your_secret_key, made longer: thirty-two octets at least"
    claims = {"sub": "user123", "username": "user123", "exp": int(time.time()) + 300}
    token = jwt.encode(claims, secret_key, algorithm="HS256")
    assert jwt.decode(token, secret_key, algorithms=["HS256"])["username"] == "user123"

    guard = Guard([JWTVerifier(Key.from_secret(secret_key, algorithm="HS256"))])
    with ThreadingHTTPServer(("127.0.0.1", 0), protect(WhoAmIHandler, guard)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/protected_resource"
        response = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        print(response.status_code, response.text.strip())
        assert response.status_code == 200

        other_key = "somebody else's key: thirty-two octets, too"
        admin = jwt.encode({**claims, "sub": "admin"}, other_key, algorithm="HS256")
        header, _, signature = token.split(".")
        for forged in (admin, ".".join((header, admin.split(".")[1], signature))):
            refused = requests.get(url, headers={"Authorization": f"Bearer {forged}"}, timeout=10)
            print(refused.status_code, "refused a forged token")
            assert refused.status_code == 401
        server.shutdown()


if __name__ == "__main__":
    main()
