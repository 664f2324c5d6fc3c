"""What adapters make late: once, and only for who asks; and what has changed since."""

from __future__ import annotations

import pytest

from watchword.core.message import Peer, Request
from watchword.transport.deferred import Deferred, DeferredResponse, changed_since


def request(target="/a?b=c", headers=()):
    return Request("GET", "https", "api.example", target, headers)


class Late(Deferred):
    """A request whose field lines and peer are made late; `asked` has the name of each that was."""

    __slots__ = ("asked",)

    def __init__(self):
        plain = request(headers=[("A", "1")])
        self.method, self.scheme, self.authority = plain.method, plain.scheme, plain.authority
        self.target, self.exact, self._lines, self.asked = plain.target, plain.exact, None, []

    def _make_headers(self):
        self.asked.append("headers")
        return [(b"a", b"1"), (b"b", b"2")]

    def _make_peer(self):
        self.asked.append("peer")
        return Peer("::1")


def test_a_deferred_request_makes_lines_and_peer_once_and_only_for_who_asks():
    late = Late()
    signed = late.with_headers([(b"authorization", b"x")])
    assert (signed.values(b"authorization"), list(changed_since(signed, late)), late.asked) == (
        [b"x"],
        [b"authorization"],
        [],
    )
    assert signed.headers == ((b"a", b"1"), (b"b", b"2"), (b"authorization", b"x"))
    assert (signed.peer.address, late.values(b"a"), late.peer.address) == ("::1", [b"1"], "::1")
    assert late.asked == ["headers", "peer"]
    with pytest.raises(AttributeError, match="header"):
        _ = late.header


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        (lambda plain: plain, []),
        (lambda plain: plain.with_headers([(b"c", b"3")]), [b"c"]),
        (lambda plain: plain.with_headers([(b"c", b"3")]).with_headers([(b"a", b"4"), (b"c", b"5")]), [b"a", b"c"]),
        (lambda plain: request(headers=[("A", "1"), ("B", "other"), ("C", "3")]), [b"b", b"c"]),
        (lambda plain: request(headers=[("A", "1")]), [b"b"]),
        (lambda plain: request(headers=[("A", "1")]).with_headers([(b"c", b"3")]), [b"b", b"c"]),
        (lambda plain: request(headers=[("A", "1"), ("A", "6"), ("B", "2")]), [b"a"]),
    ],
)
def test_what_has_changed_since_is_known_by_name(changed, names):
    plain = request(headers=[("A", "1"), ("B", "2")])
    assert sorted(changed_since(changed(plain), plain)) == names


def test_a_deferred_response_makes_its_lines_once():
    made = []

    class LateResponse(DeferredResponse):
        def _make_headers(self):
            made.append(self.status)
            return [(b"a", b"1")]

    late = LateResponse.__new__(LateResponse)
    late.status = 200
    assert (late.values(b"a"), late.headers, made) == ([b"1"], [(b"a", b"1")], [200])
    with pytest.raises(AttributeError, match="reason"):
        _ = late.reason
