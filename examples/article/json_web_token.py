"""The article's JWT example, with a key that is long enough and a server that verifies."""

from __future__ import annotations

import time

import requests

from examples.article.local_server import serving
from watchword import Guard, JWTVerifier, Key
from watchword.dropin import jwt


def main() -> None:
    try:
        jwt.encode({"username": "user123"}, "your_secret_key", algorithm="HS256")
    except jwt.InvalidKeyError as refused_key:
        print("the article's key:", refused_key)

    secret_key = "your_secret_key, made longer: thirty-two octets at least"
    guard = Guard([JWTVerifier(Key.from_secret(secret_key, algorithm="HS256"))])
    claims = {"sub": "user123", "username": "user123", "exp": int(time.time()) + 300}
    token = jwt.encode(claims, secret_key, algorithm="HS256")
    assert jwt.decode(token, secret_key, algorithms=["HS256"])["username"] == "user123"
    with serving(guard) as address:
        url = f"http://{address}/protected_resource"
        response = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        print(response.status_code, response.text)
        assert response.status_code == 200

        header, _, signature = token.split(".")
        admin = jwt.encode({**claims, "sub": "admin"}, "another key, as long: thirty-two octets at least", algorithm="HS256")
        forged = ".".join((header, admin.split(".")[1], signature))
        refused = requests.get(url, headers={"Authorization": f"Bearer {forged}"}, timeout=10)
        print(refused.status_code, "refused other claims under the same signature")
        assert refused.status_code == 401


if __name__ == "__main__":
    main()
