"""16 KiB of the worst octets in any part of a signed request take some calls for each octet: nothing grows with the square.

What C does in one call is not counted: of 16 KiB its square would take less than a second.
"""

from __future__ import annotations


import pytest

from tests.attacks.signed_worlds import WORLDS
from tests.counting import steps
from watchword import Request

pytestmark = pytest.mark.sweep

SIZE = 16 * 1024
CALLS = 24 * SIZE  # SigV4 takes 15 for each octet of a query of ampersands
PIECES = [
    b'"', b",", b";", b"=", b"(", b" ", b"\\", b"%", b"%41", b"\xff", b"&", b"a=&", b"a=b,", b'a="b",', b"v1,a ", b"t=1,", b'"a" ',
    b'a=("a"),', b";a=1", b"A", b'\\"', b"\r\n ", b"/", b"/../", b"+", b'oauth_a="b",', b'%"a"', b"a,",
]  # fmt: skip


@pytest.mark.parametrize("scheme", WORLDS)
def test_no_part_takes_more_than_some_calls_for_each_octet(scheme: str) -> None:
    world = WORLDS[scheme]
    request, body = world.sign(body=b'{"a":1}')
    for where in (*world.fields, "target", "query", "body"):
        for piece in PIECES:
            fill = (piece * SIZE)[:SIZE]
            headers, target, content = list(request.headers), request.target, body
            if where == "target":
                target = b"/" + fill
            elif where == "query":
                target += b"&" + fill
            elif where == "body":
                content += fill
            else:
                headers = [
                    (n, v[: len(v) // 2] + fill + v[len(v) // 2 :]) if n == where.encode() else (n, v)
                    for n, v in headers
                ]
            hostile = Request.raw("POST", "https", "api.example", target, headers, request.peer, True)
            work = steps(lambda: world.verify(hostile, content))  # noqa: B023 -- called at once
            assert work < CALLS, (where, piece)
