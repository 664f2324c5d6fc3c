"""`Forwarded` (RFC 7239) and `X-Forwarded-*`, by the letter: what is off the grammar is malformed, never half-read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import Limits, Reason, Rejected
from watchword.fields.forwarded import (
    Hop,
    Node,
    XForwarded,
    parse_forwarded,
    parse_node,
    parse_x_for,
    parse_x_host,
    parse_x_port,
    parse_x_prefix,
    parse_x_proto,
)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([b""], []),
        ([b" , ,"], []),
        # RFC 7239 §4 and §7.1
        ([b'for="_gazonk"'], [Hop(Node("_gazonk"))]),
        ([b'For="[2001:db8:cafe::17]:4711"'], [Hop(Node("2001:db8:cafe::17", "4711"))]),
        (
            [b"for=192.0.2.60;proto=http;by=203.0.113.43"],
            [Hop(Node("192.0.2.60"), Node("203.0.113.43"), proto="http")],
        ),
        ([b"for=192.0.2.43, for=198.51.100.17"], [Hop(Node("192.0.2.43")), Hop(Node("198.51.100.17"))]),
        (
            [b'for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown'],
            [Hop(Node("192.0.2.43")), Hop(Node("2001:db8:cafe::17")), Hop(Node("unknown"))],
        ),
        # Lines are one list.
        ([b"for=_a", b"for=_b,for=_c"], [Hop(Node("_a")), Hop(Node("_b")), Hop(Node("_c"))]),
        # A quoted string holds commas and semicolons.
        (
            [b'for=_a;secret="x, for=_b;proto=https\\"", for=_c'],
            [Hop(Node("_a"), extensions={"secret": 'x, for=_b;proto=https"'}), Hop(Node("_c"))],
        ),
        ([b'HOST="API.example:8443";PROTO=HTTPS'], [Hop(host="API.example:8443", proto="https")]),
        ([b";for=_a;;proto=http;"], [Hop(Node("_a"), proto="http")]),
        ([b'for="UNKNOWN:80"'], [Hop(Node("unknown", "80"))]),
        ([b'for="192.0.2.1:_port"'], [Hop(Node("192.0.2.1", "_port"))]),
        ([b'for="[::ffff:192.0.2.1]"'], [Hop(Node("192.0.2.1"))]),
        ([b'for="\\[::1\\]"'], [Hop(Node("::1"))]),
    ],
)
def test_forwarded_is_one_hop_an_element(lines: Sequence[bytes], expected: list[Hop]) -> None:
    assert parse_forwarded(lines) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"for", b"for=", b"=_a", b"192.0.2.1", b"for =_a", b"for= _a", b"for=_a ;proto=http", b"for=_a; proto=http",
        b"for=_a for=_b", b'for="_a', b'for="_a\\"', b'for="_a"x', b'for="_a"by=_b', b"for=_a;for=_b", b"for=_a;FOR=_b",
        # Values with ":" or "[" are quoted strings.
        b"for=192.0.2.1:80", b"for=[::1]", b"host=api.example:80",
        b'for="::1"', b'for="[::1"', b'for="[192.0.2.1]"', b'for="[::1%25eth0]"', b'for="[12345::]"', b'for="[::1]x"',
        b"for=256.0.0.1", b"for=1.2.3", b"for=010.0.0.1", b"for=localhost", b'for=""', b"for=_", b'for="_a b"',
        b'for="192.0.2.1:"', b'for="192.0.2.1:123456"', b'for="192.0.2.1:65536"', b'for="192.0.2.1:-1"',
        b'for="192.0.2.1:_"', b"by=nobody", b'host=""', b'host="a b"', b'host="user@h"', b'host="a,b"', b'host="h/p"',
        b'host="h:1x"', b'host="h:123456"', b"proto=9p", b'proto="http://"', b'proto=""', b"proto=ht_tp",
        b"for=_a\0", b"for=_a\r\n", b'for="_a\x7f"', b"for=_\xe4", b"for=_a;\xa0by=_b", b"for=_a,\x0bfor=_b",
        # One broken element spoils the field: nobody can say what else it hides.
        b"for=_a, for=192.0.2.1;@, for=_b", b'for="_a, for=192.0.2.1;proto=https', b'for="_a, for="192.0.2.1"',
    ],
)  # fmt: skip
def test_forwarded_off_the_grammar_is_malformed(line: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        parse_forwarded([b"for=_first", line])
    assert caught.value.reason is Reason.MALFORMED_REQUEST


addresses = st.one_of(st.ip_addresses(v=4), st.integers(1 << 48, (1 << 128) - 1).map(IPv6Address))
hidden = st.from_regex(r"_[A-Za-z0-9._-]{1,9}", fullmatch=True)
ports = st.one_of(st.none(), st.integers(0, 65535).map(str), hidden)
nodes = st.builds(Node, st.one_of(addresses.map(str), hidden, st.just("unknown")), ports)


def written(node: Node) -> str:
    name = f"[{node.name}]" if ":" in node.name else node.name
    return name if node.port is None else f"{name}:{node.port}"


@given(nodes)
def test_a_node_that_was_written_reads_the_same(node: Node) -> None:
    assert parse_node(written(node)) == node


@given(st.lists(st.tuples(nodes, st.sampled_from(["http", "https"])), max_size=4), st.booleans())
def test_hops_that_were_written_read_the_same(sent: list[tuple[Node, str]], one_line: bool) -> None:
    elements = [f'for="{written(node)}";proto={proto}'.encode() for node, proto in sent]
    hops = parse_forwarded([b", ".join(elements)] if one_line else elements)
    assert hops == [Hop(node, proto=proto) for node, proto in sent]


@given(st.lists(st.tuples(nodes, st.just("http")), min_size=1, max_size=3), st.binary(max_size=40))
def test_what_a_client_writes_before_them_never_changes_the_last_hops(
    trusted: list[tuple[Node, str]], forged: bytes
) -> None:
    elements = b", ".join(f'for="{written(node)}";proto={proto}'.encode() for node, proto in trusted)
    try:
        hops = parse_forwarded([forged + b", " + elements])
    except Rejected as rejected:
        reason = rejected.reason
    else:
        assert hops[-len(trusted) :] == [Hop(node, proto=proto) for node, proto in trusted]
        return
    assert reason is Reason.MALFORMED_REQUEST


PARSERS: list[Callable[[Sequence[bytes]], object]] = [
    parse_forwarded, parse_x_for, parse_x_proto, parse_x_host, parse_x_port, parse_x_prefix,
]  # fmt: skip
noise = st.text(' \t,;:="\\[]_.ahforp@1\0\r\n\x80', max_size=40).map(lambda text: text.encode("latin-1"))


@pytest.mark.parametrize("parse", PARSERS)
@given(lines=st.lists(st.one_of(st.binary(), noise), max_size=3))
def test_any_octets_are_hops_or_malformed(parse: Callable[[Sequence[bytes]], object], lines: list[bytes]) -> None:
    try:
        parse(lines)
    except Rejected as rejected:
        reason = rejected.reason
    else:
        return
    assert reason is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("node", ["192.0.2.1", "2001:db8::1"])
def test_the_address_of_a_node_is_text_that_ipaddress_reads(node: str) -> None:
    address = parse_node(f"[{node}]" if ":" in node else node).address
    assert address == str(IPv6Address(node) if ":" in node else IPv4Address(node))


@pytest.mark.parametrize("node", ["unknown", "_hidden", "_SEVKISEK:_port"])
def test_a_node_without_an_address_has_an_empty_one(node: str) -> None:
    assert parse_node(node).address == ""


# ---- X-Forwarded-* ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parse", "lines", "expected"),
    [
        (parse_x_for, [b"192.0.2.1"], [Node("192.0.2.1")]),
        (parse_x_for, [b" 192.0.2.1:5000 ,\t2001:DB8::1", b"[::1]:80,unknown,_x"],
         [Node("192.0.2.1", "5000"), Node("2001:db8::1"), Node("::1", "80"), Node("unknown"), Node("_x")]),
        (parse_x_for, [b"", b"192.0.2.1"], [Node("192.0.2.1")]),
        (parse_x_proto, [b"HTTPS, http", b"wss"], ["https", "http", "wss"]),
        (parse_x_host, [b"Api.example:8443,[::1]"], ["Api.example:8443", "[::1]"]),
        (parse_x_port, [b"443, 65535"], [443, 65535]),
        (parse_x_prefix, [b"/api, /a/b/", b"/"], ["/api", "/a/b/", "/"]),
    ],
)  # fmt: skip
def test_x_forwarded_fields_are_lists(
    parse: Callable[[Sequence[bytes]], object], lines: list[bytes], expected: list[object]
) -> None:
    assert parse(lines) == expected


@pytest.mark.parametrize(
    ("parse", "line"),
    [
        (parse_x_for, b"192.0.2.1,"), (parse_x_for, b",192.0.2.1"), (parse_x_for, b"192.0.2.1,,192.0.2.2"),
        (parse_x_for, b"localhost"), (parse_x_for, b'"192.0.2.1"'), (parse_x_for, b"192.0.2.1 192.0.2.2"),
        (parse_x_for, b"1:2"), (parse_x_for, b"::1:70000"), (parse_x_for, b"[::1"), (parse_x_for, b"fe80::1%eth0"),
        (parse_x_for, b"\xb2.0.0.1"), (parse_x_for, b"for=192.0.2.1"),
        (parse_x_proto, b"https://"), (parse_x_proto, b"http https"), (parse_x_proto, b"https,"), (parse_x_proto, b"\xff"),
        (parse_x_host, b"user@api.example"), (parse_x_host, b"api.example/x"), (parse_x_host, b"a b"),
        (parse_x_host, b"api.example:x"), (parse_x_host, b"[::1"), (parse_x_host, b"api.example\\"),
        (parse_x_port, b"0"), (parse_x_port, b"65536"), (parse_x_port, b"-1"), (parse_x_port, b"\xb2"),
        (parse_x_port, b"9" * 5000),
        (parse_x_prefix, b"api"), (parse_x_prefix, b"//evil"), (parse_x_prefix, b"/a//b"), (parse_x_prefix, b"/a?b"),
        (parse_x_prefix, b"/a b"), (parse_x_prefix, b"https://evil"), (parse_x_prefix, b"/a\\b"),
    ],
)  # fmt: skip
def test_x_forwarded_members_off_their_form_are_malformed(
    parse: Callable[[Sequence[bytes]], object], line: bytes
) -> None:
    with pytest.raises(Rejected) as caught:
        parse([line])
    assert caught.value.reason is Reason.MALFORMED_REQUEST


FIELDS = {
    "for": "192.0.2.1, 192.0.2.2, 192.0.2.3",
    "proto": "https",
    "host": "outer.example, inner.example",
    "port": "8443",
    "prefix": "/api",
}


def test_a_hop_takes_each_list_from_the_right_and_a_lone_member_for_all() -> None:
    fields = XForwarded.of({name: [value.encode()] for name, value in FIELDS.items()})
    assert fields.hop(1) == Hop(Node("192.0.2.3"), None, "inner.example", "https", 8443, "/api")
    assert fields.hop(2) == Hop(Node("192.0.2.2"), None, "outer.example", "https", 8443, "/api")


def test_a_list_that_is_too_short_for_the_hop_is_malformed() -> None:
    fields = XForwarded.of({name: [value.encode()] for name, value in FIELDS.items()})
    with pytest.raises(Rejected) as caught:
        fields.hop(3)
    assert (caught.value.reason, caught.value.rejection.where) == (Reason.MALFORMED_REQUEST, "x-forwarded-host")


def test_a_field_that_is_not_given_has_no_members() -> None:
    assert XForwarded.of({"proto": [b"https"]}) == XForwarded([], ["https"], [], [], [])


# ---- how much is read -------------------------------------------------------------------------------------------------

LISTS: list[tuple[Callable[..., Sequence[object]], bytes]] = [
    (parse_forwarded, b"for=_a"),
    (parse_x_for, b"192.0.2.1"),
    (parse_x_proto, b"https"),
    (parse_x_host, b"h"),
    (parse_x_port, b"80"),
    (parse_x_prefix, b"/a"),
]


@pytest.mark.parametrize(("parse", "member"), LISTS)
@pytest.mark.parametrize("lines", [1, 3, 32])
def test_a_list_has_as_many_members_as_the_limit_says_in_all_lines_together(
    parse: Callable[..., Sequence[object]], member: bytes, lines: int
) -> None:
    def spread(count: int) -> list[bytes]:
        return [b",".join([member] * len(range(line, count, lines))) for line in range(lines)]

    assert len(parse(spread(32))) == 32
    with pytest.raises(Rejected) as caught:
        parse(spread(33))
    assert caught.value.reason is Reason.MALFORMED_REQUEST
    assert len(parse(spread(33), Limits(hops=33))) == 33


@pytest.mark.parametrize(("parse", "member"), LISTS)
def test_a_list_that_is_longer_than_the_limit_is_refused_by_its_size(
    parse: Callable[..., Sequence[object]], member: bytes
) -> None:
    with pytest.raises(Rejected) as caught:
        parse([member, b" " * 9000, b" " * 9000])
    assert caught.value.reason is Reason.HEADER_TOO_LARGE
    with pytest.raises(Rejected) as caught:
        parse([member + b" "], Limits(field=len(member)))
    assert caught.value.reason is Reason.HEADER_TOO_LARGE


def test_an_element_has_a_bounded_number_of_parameters() -> None:
    def element(count: int) -> bytes:
        return b";".join(b"a%d=b" % number for number in range(count))

    assert len(parse_forwarded([element(256)])[0].extensions) == 256
    for hostile in (element(257), b";" * 256, b"for=_a" + b";" * 16_000):
        with pytest.raises(Rejected) as caught:
            parse_forwarded([hostile])
        assert caught.value.reason is Reason.MALFORMED_REQUEST
