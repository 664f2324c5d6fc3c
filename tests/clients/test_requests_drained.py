"""Of an answer that the caller doesn't get, requests' adapter reads a bounded part: a 401 may be packed, or have no end."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest
import requests
import urllib3

from watchword import DigestAuth
from watchword.clients._exchange import LIMIT
from watchword.clients.requests import adapt

CHALLENGE = 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'


class Counted(io.RawIOBase):
    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        count = self._file.readinto(buffer)
        self.taken += count
        return count


class Challenging(requests.adapters.HTTPAdapter):
    """Answers 401 with this content, and 200 to credentials."""

    def __init__(self, content: bytes, fields: dict[str, str]) -> None:
        super().__init__()
        self.body = Counted(content)
        self._fields = fields

    def send(self, request: Any, *_: Any, **__: Any) -> Any:
        if "Authorization" in request.headers:
            raw = urllib3.HTTPResponse(body=io.BytesIO(b"done"), status=200, preload_content=False)
        else:
            fields = {**self._fields, "WWW-Authenticate": CHALLENGE}
            raw = urllib3.HTTPResponse(body=self.body, headers=fields, status=401, preload_content=False)
        return self.build_response(request, raw)


@pytest.mark.parametrize(
    ("content", "fields", "most"),
    [
        (b"refused", {}, 7),
        (bytes(8 * LIMIT), {}, LIMIT + 2 * 65536),
        (gzip.compress(bytes(64 * LIMIT)), {"Content-Encoding": "gzip"}, LIMIT + 2 * 65536),
    ],
    ids=["short", "long", "packed"],
)
def test_a_challenge_is_read_as_far_as_the_bound_and_answered(
    content: bytes, fields: dict[str, str], most: int
) -> None:
    with requests.Session() as session:
        adapter = Challenging(content, fields)
        session.mount("https://", adapter)
        answer = session.get("https://api.example/", auth=adapt(DigestAuth("alice", "open sesame")))
    assert (answer.status_code, answer.content) == (200, b"done")
    assert adapter.body.taken <= most
    if content == b"refused":
        assert answer.history[0].content == content
