"""Early data is early however the field spells it: several or other values count as 1 (RFC 8470 §5.1)."""

from __future__ import annotations

import io

import pytest

from watchword import Guard, JWTVerifier, Key, Reason, Rejected, Request
from watchword.crypto import jose
from watchword.servers import wsgi

KEY = Key.generate("HS256")
GUARD = Guard([JWTVerifier(KEY)])
TOKEN = "Bearer " + jose.sign(b'{"sub":"alice"}', KEY)


@pytest.mark.parametrize(
    "lines", [["1"], ["0"], ["1", "1"], ["0", "1"], ["1, 1"], ["0,1"], ["01"], ["1;x"], [""], ["\t1"]]
)
def test_credentials_that_can_be_replayed_are_refused(lines: list[str]) -> None:
    fields = [("Authorization", TOKEN), *(("Early-Data", line) for line in lines)]
    with pytest.raises(Rejected) as caught:
        GUARD.verify(Request("GET", "https", "api.example", "/", fields))
    assert caught.value.reason is Reason.EARLY_DATA


def test_two_lines_that_a_wsgi_server_joins_are_early_too() -> None:
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET", "RAW_URI": "/", "HTTP_HOST": "api.example", "HTTP_AUTHORIZATION": TOKEN,
        "HTTP_EARLY_DATA": "0,1", "wsgi.input": io.BytesIO(),
    }  # fmt: skip

    def app(environ: object, start_response: object) -> list[bytes]:
        raise AssertionError("admitted")

    wsgi.protect(app, GUARD)(environ, lambda status, headers: statuses.append(status))
    assert statuses == ["425 Too Early"]
