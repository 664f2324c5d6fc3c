"""The article's HMAC example: first as it stands, verified at last, with what it lacks; then the way that can't be replayed."""

from __future__ import annotations

import hashlib
import hmac

import requests

from examples.article.local_server import serving
from watchword import ConfigurationError, Guard, HMACAuth, HMACVerifier, Key, ReplayableBodyHMACVerifier
from watchword.clients.requests import adapt
from watchword.stores import MemoryStore


def main() -> None:
    try:
        Key.from_secret("your_secret_key", algorithm="HS256")
    except ConfigurationError as refused_key:
        print("the article's key:", refused_key)

    secret_key = "your_secret_key, made longer: thirty-two octets at least"
    key = Key.from_secret(secret_key, algorithm="HS256", key_id="partner-1")
    message = "this is the message"
    as_in_the_article(secret_key, key, message)
    as_it_should_be(key, message)


def as_in_the_article(secret_key: str, key: Key, message: str) -> None:
    """X-HMAC over the body: a forgery is refused, a replay can't be."""
    with serving(Guard([ReplayableBodyHMACVerifier(key, subject="partner")])) as address:
        url = f"http://{address}/protected_resource"
        signature = hmac.new(secret_key.encode(), message.encode(), hashlib.sha256).digest()
        headers = {"X-HMAC": signature.hex()}
        response = requests.post(url, data=message, headers=headers, timeout=10)
        print(response.status_code, response.text)
        assert response.status_code == 200
        refused = requests.post(url, data="another message", headers=headers, timeout=10)
        print(refused.status_code, "refused another body")
        assert refused.status_code == 401
        again = requests.post(url, data=message, headers=headers, timeout=10)
        print(again.status_code, "accepted again: X-HMAC can be replayed, hence its loud name")
        assert again.status_code == 200


def as_it_should_be(key: Key, message: str) -> None:
    """Method, authority, target, body, time and a nonce are signed; the second sending is refused."""
    store = MemoryStore()
    store.add_key("partner", key)
    with serving(Guard([HMACVerifier()], store)) as address:
        url = f"http://{address}/protected_resource"
        response = requests.post(url, data=message, auth=adapt(HMACAuth(key)), timeout=10)
        print(response.status_code, response.text)
        assert response.status_code == 200
        captured = response.request.headers["Authorization"]
        refused = requests.post(url, data=message, headers={"Authorization": captured}, timeout=10)
        print(refused.status_code, "refused the replay")
        assert refused.status_code == 401


if __name__ == "__main__":
    main()
