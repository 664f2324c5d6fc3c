"""An issuer on loopback whose keys a test can change, and a clock that it can turn."""

from __future__ import annotations

import json
import threading

from tests.patience import PATIENCE
from tests.transport.origin import Origin, response
from watchword import Key, KeySet
from watchword.crypto import jose
from watchword.stores import RemoteKeySet


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


def new_key(name, algorithm="ES256"):
    return Key.generate(algorithm, key_id=name)


def jwks(*keys):
    return json.dumps(KeySet(keys).to_jwks()).encode()


class Issuer(Origin):
    """Publishes `keys`; `fields` come with every answer. `gate`, if cleared, holds answers back."""

    def __init__(self, *keys, **fields):
        super().__init__(self._publish)
        self.keys = keys
        self.fields = {"cache_control": "max-age=1000", **fields}
        self.status = 200
        self.body = None
        self.documents = {}
        self.gate = threading.Event()
        self.gate.set()
        self.clock = Clock()
        self.fetches = 0

    def _publish(self, path, fields, connection):
        self.gate.wait(PATIENCE)
        if path in self.documents:
            return response(json.dumps(self.documents[path]).encode())
        if path != "/jwks":
            return response(status=404)
        self.fetches += 1
        tag = self.fields.get("etag")
        if tag and fields.get("if-none-match") == tag:
            return response(status=304, content_length="", **self.fields)
        return response(jwks(*self.keys) if self.body is None else self.body, self.status, **self.fields)

    def remote(self, **options):
        place = {} if "issuer" in options else {"url": self.url()}
        return RemoteKeySet(
            **{
                **place,
                "allow_cleartext": True,
                "allow_private": True,
                "timeout": PATIENCE,
                "clock": self.clock,
                **options,
            }
        )

    def token(self, key, **claims):
        body = {"sub": "alice", "exp": self.clock.now + 3600, **claims}
        return jose.sign(json.dumps(body).encode(), key)


def settle(remote):
    """Waits for the fetch that is under way, if there is one."""
    flight = remote._flight
    if flight is not None:
        flight.landing.result(PATIENCE)
    return remote
