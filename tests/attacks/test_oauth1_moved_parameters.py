"""What moves between the parts of a request changes what is signed; where RFC 5849 merges them, what can't is written down.

Query and form are one list to it (§3.4.1.3), sorted. So a parameter can go from one to the other, and of two of one name
either may come first: `docs/limitations.md` says so. The field is kept apart, for the application never sees what is there.
"""

from __future__ import annotations

import pytest

from tests.schemes.oauth1_world import FORM, GET, auth, changed, guard, reason, signed
from watchword import Reason

ORDERS = changed(GET, target=b"/orders?id=7&sum=10")


def test_a_parameter_of_the_query_does_not_go_into_the_field() -> None:
    request, _ = signed(auth(), ORDERS)
    value = request.values(b"authorization")[0] + b', sum="10"'
    moved = changed(request, target=b"/orders?id=7").with_headers(((b"authorization", value),))
    assert reason(guard(), moved) is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize(
    "target",
    [b"/orders?id=7&su=m10", b"/orders?id=7%26sum=10", b"/orders?id=7;sum=10", b"/orders?id=7&sum%3D10", b"/orders?id=7&sum=1&0",
     b"/orders?id7=&sum=10", b"/ordersid?=7&sum=10", b"/orders%3Fid=7&sum=10", b"/orders&id=7?sum=10", b"/orders?id=7&sum=10%00",
     b"/orders?id=7&sum=%2510", b"/orders//?id=7&sum=10", b"/./orders?id=7&sum=10", b"/%6Frders?id=7&sum=10"],
)  # fmt: skip
def test_no_octet_moves_within_the_target(target: bytes) -> None:
    request, _ = signed(auth(), ORDERS)
    assert reason(guard(), changed(request, target=target)) is Reason.WRONG_SIGNATURE


def test_no_octet_moves_between_host_and_path() -> None:
    request, _ = signed(auth(), changed(GET, authority="api.example", target=b"/a/b"))
    assert reason(guard(), changed(request, authority="api.example", target=b"/a%2Fb")) is Reason.WRONG_SIGNATURE
    assert reason(guard(), changed(request, authority="api", target=b"/.example/a/b")) is Reason.WRONG_SIGNATURE
    assert reason(guard(), changed(request, authority="api.example/a", target=b"/b")) is Reason.TARGET_REFUSED


def test_what_the_rfc_does_not_tell_apart() -> None:
    request, body = signed(auth(), changed(ORDERS, method="POST", headers=FORM), b"a=1&b=2")
    same = [
        (changed(request, target=b"/orders?sum=10&id=7"), body),
        (changed(request, target=b"/orders?id=7&sum=10&a=1"), b"b=2"),
        (changed(request, target=b"/orders?sum=10"), b"a=1&b=2&id=7"),
    ]
    for other, content in same:
        assert guard().verify(other, content).subject == "alice", "if this is refused now, mend docs/limitations.md"
