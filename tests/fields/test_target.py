"""The target: what is always refused, how two are compared, and which proxies' words make the public URL."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Guard, Limits, Peer, Policy, PublicURL, Reason, Rejected, Request
from watchword.core.scheme import Address
from watchword.fields.target import (
    Target, check_exact, check_target, default_port, normal_authority, split_target,
)  # fmt: skip


def refusal(call: Any, *args: Any) -> Reason:
    with pytest.raises(Rejected) as caught:
        call(*args)
    return caught.value.reason


# ---- what is always refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "/", "//", "//evil.example/x", "/a/../b", "/a/./b", "/%2e%2E/b", "/a%2fb", "/a;b=c", "/a//b", "/%", "/%zz", "/%00",
        "/a?b=c&d", "/?", "/??", "/a?../..//;%2e%2f", "/a?u=https://x@y", "/@", "/user@host", '/"<>^`{|}', "/" + "a" * 9999,
        "https://api.example/x", "HTTPS://API.EXAMPLE:443/x?y", "https://api.example", "https://api.example?x",
    ],
)  # fmt: skip
def test_targets_are_taken_exactly_as_sent(target: str) -> None:
    check_target(Request("GET", "https", "api.example", target))
    check_target(Request("GET", "wss", "api.example:443", target))


@pytest.mark.parametrize(
    "target",
    [
        b"", b"a", b"*", b"api.example:443", b"?x", b"%2f", b"https:/x", b"https:x", b"://x", b"mailto:a@b",
        b"/a\\b", b"/\\evil.example", b"/a?b\\c", b"/a#b", b"#", b"/a?b#c", b"/a b", b"/a?b c", b" /", b"/ ", b"/a\tb",
        b"/a\0", b"/a\r\nX: y", b"/a\n", b"/\x7f", b"/?\x1f", b"/\xc3\xa4", b"/?\xc3\xa4", b"/\x80", b"/\xff",
        b"http://api.example/", b"ftp://api.example/", b"https://evil.example/", b"https://api.example:8443/",
        b"https://user@api.example/", b"https://user:pw@api.example/", b"https://api.example@evil.example/", b"https:///x",
        b"https://@api.example/", b"https://api.example:99999/", b"https://api.example:4x/", b"https://api.example.evil/",
        b"https://api.example,evil.example/", b"https://[::1/", b"https://api.example:443:443/",
    ],
)  # fmt: skip
def test_targets_that_programs_read_in_two_ways_are_refused(target: bytes) -> None:
    assert refusal(check_target, Request("GET", "https", "api.example", target)) is Reason.TARGET_REFUSED


@pytest.mark.parametrize("octet", [n for n in range(256) if not 0x20 < n < 0x7F or chr(n) in "#\\"])
def test_no_octet_outside_a_uri_is_taken_anywhere(octet: int) -> None:
    for target in (b"/a%cb", b"/a?b%cc", b"https://api.example/%c"):
        assert refusal(check_target, Request("GET", "https", "api.example", target % octet)) is Reason.TARGET_REFUSED


@pytest.mark.parametrize(
    "authority",
    ["user@api.example", "user:pw@api.example", "@", "api.example/", "api.example\\", "a b", "a,b", "api.example:x", ":80",
     "[::1", "::1", "a?b", "a#b", "ä.example", "api.example\r\nX: y", "api.example:443:443", "api.example\n", "[v1.x]"],
)  # fmt: skip
def test_an_authority_that_is_not_host_and_port_is_refused(authority: str) -> None:
    assert refusal(check_target, Request("GET", "https", authority, "/")) is Reason.TARGET_REFUSED
    assert refusal(normal_authority, "https", authority) is Reason.TARGET_REFUSED
    assert refusal(split_target, b"/", "https", authority) is Reason.TARGET_REFUSED


@pytest.mark.parametrize(
    "authority", ["", "localhost", "API.example:8443", "127.0.0.1:0", "[2001:db8::1]:443", "a_b.c", "h:"]
)
def test_a_host_with_or_without_port_is_taken(authority: str) -> None:
    check_target(Request("GET", "https", authority, "/"))


def test_asterisk_is_for_options_only() -> None:
    check_target(Request("OPTIONS", "https", "api.example", "*"))
    for method in ("GET", "options", "CONNECT"):
        assert refusal(check_target, Request(method, "https", "api.example", "*")) is Reason.TARGET_REFUSED


def test_authority_form_is_for_connect_only() -> None:
    check_target(Request("CONNECT", "https", "API.example:443", "api.EXAMPLE:443"))
    check_target(Request("CONNECT", "https", "", "[::1]:443"))
    check_target(Request("CONNECT", "https", "api.example", "/chat"))  # RFC 8441
    for target in ("evil.example:443", "api.example", "api.example:", "u@api.example:443", "https://api.example:443/"):
        assert refusal(check_target, Request("CONNECT", "https", "api.example:443", target)) is Reason.TARGET_REFUSED


@given(
    st.sampled_from(["GET", "OPTIONS", "CONNECT"]),
    st.one_of(st.text(max_size=20), st.sampled_from(["", "h", "h:80"])),
    st.one_of(st.binary(), st.from_regex(rb"\A(https?://|/)[a-z:/?@\[\]%#\\ ]*\Z")),
)
def test_any_target_is_taken_or_refused(method: str, authority: str, target: bytes) -> None:
    request = Request(method, "http", authority, target)
    try:
        check_target(request)
        split_target(target, "http", authority)
    except Rejected as rejected:
        reason = rejected.reason
    else:
        assert re.fullmatch(rb"[!-~]+", target)
        return
    assert reason is Reason.TARGET_REFUSED


# ---- comparing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "authority", "normal"),
    [
        ("https", "API.Example", "api.example"), ("https", "api.example:443", "api.example"), ("wss", "h:443", "h"),
        ("http", "api.example:443", "api.example:443"), ("http", "h:80", "h"), ("ws", "h:80", "h"), ("https", "h:80", "h:80"),
        ("https", "h:", "h"), ("https", "h:0443", "h"), ("https", "h:08443", "h:8443"), ("https", "[2001:DB8::1]:443", "[2001:db8::1]"),
        ("https", "h.", "h."), ("ftp", "h:21", "h:21"), ("https", "", ""),
    ],
)  # fmt: skip
def test_the_normal_authority_is_lower_case_without_a_default_port(scheme: str, authority: str, normal: str) -> None:
    assert normal_authority(scheme, authority) == normal


def test_a_port_above_65535_has_no_normal_form() -> None:
    assert refusal(normal_authority, "https", "h:65536") is Reason.TARGET_REFUSED


def test_default_ports_are_those_of_http() -> None:
    assert [default_port(scheme) for scheme in ("http", "https", "ws", "wss", "gopher")] == [80, 443, 80, 443, None]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/a?b", Target("https", "h", b"/a?b")),
        (b"//evil/x", Target("https", "h", b"//evil/x")),
        (b"/http://evil/", Target("https", "h", b"/http://evil/")),
        (b"*", Target("https", "h", b"*")),
        (b"h:443", Target("https", "h", b"h:443")),
        (b"HTTPS://OTHER:443/A%2e?B", Target("https", "other", b"/A%2e?B")),
        (b"wss://h", Target("https", "h", b"/")),
        (b"http://h:8080?x", Target("http", "h:8080", b"/?x")),
        (b"http://h//x", Target("http", "h", b"//x")),
        (b"x://h/\n", Target("x", "h", b"/\n")),
        (b"", Target("https", "h", b"")),
    ],
)
def test_a_target_is_split_into_what_can_be_compared(target: bytes, expected: Target) -> None:
    assert split_target(target, "wss", "H:443") == expected


@pytest.mark.parametrize("other", [b"/a?B", b"/A?b", b"/a", b"/a?b&", b"/%61?b", b"/./a?b", b"/a/?b", b"http://h/a?b"])
def test_targets_that_only_some_servers_call_equal_are_not(other: bytes) -> None:
    assert split_target(b"/a?b", "https", "h") != split_target(other, "https", "h")


def test_userinfo_in_an_absolute_uri_is_refused() -> None:
    assert refusal(split_target, b"https://user@h/", "https", "h") is Reason.TARGET_REFUSED


# ---- a configured origin ----------------------------------------------------------------------------------------------


def seen(target: str = "/", *, peer: str = "10.0.0.2", scheme: str = "http", **fields: str) -> Request:
    headers = [(name.replace("_", "-"), value) for name, value in fields.items()]
    return Request("GET", scheme, "app.internal:8000", target, headers, Peer(peer, b"certificate"))


def public(url: PublicURL, request: Request) -> tuple[str, str, str, str]:
    result = url(request)
    assert (result.method, result.headers, result.exact) == (request.method, request.headers, request.exact)
    return result.scheme, result.authority, result.target.decode(), result.peer.address


SPOOFED = {
    "Forwarded": "for=6.6.6.6;proto=http;host=evil.example",
    "X_Forwarded_For": "6.6.6.6", "X_Forwarded_Proto": "http", "X_Forwarded_Host": "evil.example",
    "X_Forwarded_Port": "666", "X_Forwarded_Prefix": "/evil",
}  # fmt: skip


def test_a_configured_origin_is_the_origin_whatever_anyone_says() -> None:
    url = PublicURL("https://API.example")
    assert public(url, seen("/a?b", **SPOOFED)) == ("https", "api.example", "/a?b", "10.0.0.2")
    assert public(url, seen("https://api.example:443/a")) == (
        "https",
        "api.example",
        "https://api.example:443/a",
        "10.0.0.2",
    )
    assert url(seen()).peer == seen().peer


def test_a_websocket_stays_one() -> None:
    assert url_scheme(PublicURL("https://api.example"), "ws") == "wss"
    assert url_scheme(PublicURL("http://api.example"), "ws") == "ws"
    assert url_scheme(PublicURL("http://api.example"), "https") == "http"


def url_scheme(url: PublicURL, scheme: str) -> str:
    return url(seen(scheme=scheme)).scheme


def test_an_absolute_target_must_name_the_public_origin() -> None:
    url = PublicURL("https://api.example")
    for target in ("http://app.internal:8000/", "http://api.example/", "https://evil.example/"):
        assert refusal(url, seen(target)) is Reason.TARGET_REFUSED


@pytest.mark.parametrize("target", ["/a\\b", "/a#b", "/a b", "/\x01"])
def test_what_is_always_refused_is_refused_by_every_policy(target: str) -> None:
    for url in (PublicURL("https://api.example"), PublicURL(prefix="/api"), PublicURL(forwarded="Forwarded", hops=1)):
        assert refusal(url, seen(target)) is Reason.TARGET_REFUSED


# ---- a rewritten path -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "target", "expected"),
    [
        (PublicURL(prefix="/api"), "/orders?id=7", "/api/orders?id=7"),
        (PublicURL(prefix="/api"), "/", "/api/"),
        (PublicURL(prefix="/api"), "/?", "/api/?"),
        (PublicURL(prefix="/api/v1"), "/a%20b?//;%2e", "/api/v1/a%20b?//;%2e"),
        (PublicURL(prefix="/api"), "*", "*"),
        (PublicURL(strip="/in"), "/in/orders?x", "/orders?x"),
        (PublicURL(strip="/in"), "/in", "/"),
        (PublicURL(strip="/in"), "/in?x=/in", "/?x=/in"),
        (PublicURL(strip="/in"), "/in/in/x", "/in/x"),
        (PublicURL(strip="/in", prefix="/out"), "/in/x", "/out/x"),
    ],
)
def test_a_path_is_rewritten_to_what_the_client_sent(url: PublicURL, target: str, expected: str) -> None:
    method = "OPTIONS" if target == "*" else "GET"
    assert url(Request(method, "http", "h", target)).target == expected.encode()


AMBIGUOUS = [
    "//a",
    "/a//b",
    "/a/",
    "/a;b",
    "/..",
    "/../a",
    "/a/./b",
    "/a/.",
    "/%2e%2e/a",
    "/a%2Eb",
    "/a%2fb",
    "/%2F",
    "/%5c",
]


@pytest.mark.parametrize("path", [path for path in AMBIGUOUS if path != "/a/"])
def test_a_path_that_a_proxy_may_have_changed_is_refused_where_it_is_rewritten_and_only_there(path: str) -> None:
    for url, target in ((PublicURL(prefix="/api"), path), (PublicURL(strip="/in"), "/in" + path)):
        assert refusal(url, seen(target)) is Reason.TARGET_REFUSED
    assert PublicURL("https://api.example")(seen(path)).target == path.encode()
    assert PublicURL(prefix="/api")(seen("/a?" + path)).target == b"/api/a?" + path.encode()


@pytest.mark.parametrize("target", ["/", "/inside", "/x/in/y", "/IN/x", "http://app.internal:8000/in/x"])
def test_a_path_without_the_proxys_prefix_did_not_come_through_it(target: str) -> None:
    for url in (PublicURL(strip="/in"), PublicURL(strip="/in", prefix="/out")):
        assert refusal(url, seen(target)) is Reason.TARGET_REFUSED


# ---- believed proxies -------------------------------------------------------------------------------------------------

NET = ("10.0.0.0/8", "2001:db8:a::/48")
BY_FIELD = PublicURL(forwarded="Forwarded", trusted=NET)
BY_X = PublicURL(forwarded="X-Forwarded", trusted=NET, believe=("for", "proto", "host"))
AS_SEEN = ("http", "app.internal:8000", "/", "10.0.0.2")


def test_a_trusted_peers_word_counts() -> None:
    expected = ("https", "api.example", "/", "192.0.2.7")
    assert public(BY_FIELD, seen(Forwarded="for=192.0.2.7;proto=https;host=API.example")) == expected
    fields = {"X_Forwarded_For": "192.0.2.7", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "API.example"}
    assert public(BY_X, seen(**fields)) == expected


@pytest.mark.parametrize("peer", ["192.0.2.66", "11.0.0.2", "2001:db8:b::1", "", "unix", "10.0.0.2:80"])
def test_an_untrusted_peers_fields_are_not_looked_at(peer: str) -> None:
    malformed = dict.fromkeys(SPOOFED, "@@@")
    for fields in (SPOOFED, malformed):
        for url in (BY_FIELD, BY_X):
            assert public(url, seen(peer=peer, **fields)) == ("http", "app.internal:8000", "/", peer)
            assert url(seen(peer=peer, **fields)).peer.client_certificate == b"certificate"


def test_a_peer_on_a_dual_stack_socket_is_the_same_peer() -> None:
    assert BY_FIELD(seen(peer="::ffff:10.0.0.2", Forwarded="for=192.0.2.7")).peer.address == "192.0.2.7"
    assert BY_FIELD(seen(peer="::ffff:11.0.0.2", Forwarded="for=192.0.2.7")).peer.address == "::ffff:11.0.0.2"


def test_a_trusted_peer_that_says_nothing_leaves_the_request_as_seen() -> None:
    assert public(BY_FIELD, seen()) == AS_SEEN
    assert public(BY_X, seen()) == AS_SEEN
    assert public(BY_FIELD, seen(Forwarded="by=_proxy")) == AS_SEEN


def test_the_proxys_certificate_is_not_the_clients() -> None:
    assert BY_FIELD(seen(Forwarded="for=192.0.2.7")).peer.client_certificate is None


@pytest.mark.parametrize("node", ["unknown", "_hidden", '"_hidden:_port"'])
def test_a_client_without_an_address_has_none(node: str) -> None:
    assert BY_FIELD(seen(Forwarded=f"for={node};proto=https")).peer == Peer("")


def test_an_ipv6_client_with_a_port_is_its_address() -> None:
    assert BY_FIELD(seen(Forwarded='for="[2001:DB8::7]:4711"')).peer.address == "2001:db8::7"


INNER = "for=10.9.9.9;proto=http;host=inner.example"
OUTER = "for=192.0.2.7;proto=https;host=outer.example"
FORGED = "for=10.1.1.1;proto=https;host=evil.example"


@pytest.mark.parametrize(
    ("field", "authority", "client"),
    [
        # The outermost trusted proxy speaks for the request.
        (f"{OUTER}, {INNER}", "outer.example", "192.0.2.7"),
        # What the client wrote before that is its own invention.
        (f"{FORGED}, {OUTER}", "outer.example", "192.0.2.7"),
        (f"{FORGED}, {OUTER}, {INNER}", "outer.example", "192.0.2.7"),
        (f"{FORGED}, {FORGED}, {OUTER}", "outer.example", "192.0.2.7"),
        (f"for=unknown;host=evil.example, {OUTER}", "outer.example", "192.0.2.7"),
        # A quoted string can't swallow or fake an element.
        (f'for=_x;a="{OUTER}, ", {OUTER}', "outer.example", "192.0.2.7"),
        (f'for=_x;a="\\", {FORGED}", {OUTER}', "outer.example", "192.0.2.7"),
        # A trusted proxy that hides its peer ends the walk.
        (f"{FORGED}, for=_hidden;host=outer.example", "outer.example", ""),
        (f"{FORGED}, for=unknown;host=outer.example", "outer.example", ""),
        (f"{FORGED}, host=outer.example", "outer.example", "10.0.0.2"),
        # A client inside the trusted network is the first entry at most.
        (INNER, "inner.example", "10.9.9.9"),
    ],
)
def test_only_what_trusted_proxies_wrote_counts(field: str, authority: str, client: str) -> None:
    result = BY_FIELD(seen(Forwarded=field))
    assert (result.authority, result.peer.address) == (authority, client)


@pytest.mark.parametrize(
    "forged", ['for="', 'for="_a, ', "for=_a;", "for=10.1.1.1;;host", "@", 'for=_a;x="\\', "for=1.2.3.4:5"]
)
def test_a_field_that_the_client_broke_is_refused_never_half_believed(forged: str) -> None:
    reason = None
    try:
        result = BY_FIELD(seen(Forwarded=f"{forged}, {OUTER}"))
    except Rejected as rejected:
        reason = rejected.reason
    else:
        assert (result.authority, result.peer.address) == ("outer.example", "192.0.2.7")
    assert reason in {None, Reason.MALFORMED_REQUEST}
    assert reason is not None or forged == "for=_a;"


def test_lines_of_a_field_are_read_in_order() -> None:
    request = Request("GET", "http", "h", "/", [("Forwarded", FORGED), ("Forwarded", OUTER)], Peer("10.0.0.2"))
    assert BY_FIELD(request).authority == "outer.example"


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ("192.0.2.7", "192.0.2.7"), ("6.6.6.6, 192.0.2.7", "192.0.2.7"), ("10.6.6.6, 192.0.2.7, 10.0.0.3", "192.0.2.7"),
        ("192.0.2.7, 2001:db8:a::1, 10.0.0.3:99", "192.0.2.7"), ("192.0.2.7, unknown", ""), ("10.0.0.4, 10.0.0.3", "10.0.0.4"),
    ],
)  # fmt: skip
def test_x_forwarded_for_is_walked_from_the_right(forwarded_for: str, client: str) -> None:
    assert BY_X(seen(X_Forwarded_For=forwarded_for)).peer.address == client


def test_x_forwarded_fields_are_believed_by_name() -> None:
    fields = {**SPOOFED, "X_Forwarded_Proto": "https"}
    url = PublicURL(forwarded="X-Forwarded", trusted=NET)
    assert public(url, seen(**fields)) == ("https", "app.internal:8000", "/", "6.6.6.6")
    url = PublicURL(forwarded="X-Forwarded", trusted=NET, believe=("proto",))
    assert public(url, seen(**fields)) == ("https", "app.internal:8000", "/", "10.0.0.2")
    url = PublicURL(forwarded="Forwarded", trusted=NET, believe=("for",))
    assert public(url, seen(**fields)) == ("http", "app.internal:8000", "/", "6.6.6.6")
    url = PublicURL(forwarded="Forwarded", trusted=NET, believe=("proto", "host"))
    assert public(url, seen(Forwarded=f"{FORGED}, {INNER}")) == ("http", "inner.example", "/", "10.0.0.2")


@pytest.mark.parametrize(
    ("proto", "host", "port", "authority"),
    [
        ("https", "api.example", "443", "api.example"), ("https", "api.example", "8443", "api.example:8443"),
        ("http", "api.example:9", "443", "api.example:443"), ("https", "[::1]:9", "8443", "[::1]:8443"),
        ("https", "x.example, api.example", "9, 8443", "api.example:8443"),
    ],
)  # fmt: skip
def test_a_forwarded_port_replaces_the_hosts(proto: str, host: str, port: str, authority: str) -> None:
    url = PublicURL(forwarded="X-Forwarded", trusted=NET, believe=("proto", "host", "port"))
    result = url(seen(X_Forwarded_Proto=proto, X_Forwarded_Host=host, X_Forwarded_Port=port))
    assert (result.scheme, result.authority) == (proto, authority)


def test_a_forwarded_prefix_rewrites_the_path() -> None:
    url = PublicURL(forwarded="X-Forwarded", trusted=NET, believe=("prefix",))
    assert url(seen("/a", X_Forwarded_Prefix="/api")).target == b"/api/a"
    assert url(seen("/a", X_Forwarded_Prefix="/api/")).target == b"/api/a"
    assert url(seen("/../a", X_Forwarded_Prefix="/")).target == b"/../a"
    assert url(seen("/a", peer="192.0.2.1", X_Forwarded_Prefix="/api")).target == b"/a"
    for prefix, target in (("/api", "/../a"), ("/api/..", "/a"), ("/a;b", "/c"), ("/%2e%2e", "/c")):
        assert refusal(url, seen(target, X_Forwarded_Prefix=prefix)) is Reason.TARGET_REFUSED


@pytest.mark.parametrize("proto", ["ftp", "javascript", "httpx"])
def test_a_scheme_that_is_not_https_is_refused(proto: str) -> None:
    assert refusal(BY_FIELD, seen(Forwarded=f"proto={proto}")) is Reason.TARGET_REFUSED
    assert refusal(BY_X, seen(X_Forwarded_Proto=proto)) is Reason.TARGET_REFUSED


def test_a_forwarded_scheme_of_a_websocket_is_one() -> None:
    for proto in ("https", "wss"):
        assert BY_X(seen(scheme="ws", X_Forwarded_Proto=proto)).scheme == "wss"
        assert BY_X(seen(X_Forwarded_Proto=proto)).scheme == "https"


@pytest.mark.parametrize("field", ["X_Forwarded_For", "X_Forwarded_Proto", "X_Forwarded_Host"])
def test_a_trusted_peers_malformed_field_is_malformed(field: str) -> None:
    assert refusal(BY_X, seen(**{field: "user@evil"})) is Reason.MALFORMED_REQUEST


def test_a_port_on_an_authority_that_is_none_is_refused() -> None:
    url = PublicURL(forwarded="X-Forwarded", trusted=NET, believe=("port",))
    request = Request("GET", "http", "user@h", "/", {"X-Forwarded-Port": "81"}, Peer("10.0.0.2"))
    assert refusal(url, request) is Reason.TARGET_REFUSED


# As proxies write them: (the fields, in order; what is believed; scheme, authority, client).
AS_WRITTEN: list[tuple[list[tuple[str, str]], tuple[str, ...], tuple[str, str, str]]] = [
    # haproxy: a line of its own after the client's.
    ([("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https")],
     ("for", "proto"), ("https", "app.internal:8000", "192.0.2.7")),
    # Envoy: no space after the comma.
    ([("x-forwarded-for", "6.6.6.6,192.0.2.7"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example")],
     ("for", "proto"), ("https", "app.internal:8000", "192.0.2.7")),
    # AWS's load balancer with the client's port, and a port that is the scheme's own.
    ([("X-Forwarded-For", "6.6.6.6, 192.0.2.7:46532"), ("X-Forwarded-Port", "443"), ("X-Forwarded-Proto", "https")],
     ("for", "proto", "port"), ("https", "app.internal", "192.0.2.7")),
    ([("X-Forwarded-For", "[2001:db8::7]:46532"), ("X-Forwarded-Port", "8443"), ("X-Forwarded-Proto", "https")],
     ("for", "proto", "port"), ("https", "app.internal:8443", "2001:db8::7")),
    # Apache: appended to the client's.
    ([("X-Forwarded-For", "6.6.6.6, 192.0.2.7"), ("X-Forwarded-Host", "evil.example, api.example:8443")],
     ("for", "host"), ("http", "api.example:8443", "192.0.2.7")),
    # Caddy: IPv6 without brackets.
    ([("X-Forwarded-For", "2001:db8::7"), ("X-Forwarded-Host", "[2001:db8::1]:8443"), ("X-Forwarded-Proto", "https")],
     ("for", "host", "proto"), ("https", "[2001:db8::1]:8443", "2001:db8::7")),
    # Traefik: everything, a WebSocket's own scheme, and a port beside the host's.
    ([("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Host", "API.example:8443"), ("X-Forwarded-Port", "8443"),
      ("X-Forwarded-Proto", "wss"), ("X-Forwarded-Server", "edge"), ("X-Real-Ip", "192.0.2.7")],
     ("for", "host", "port", "proto"), ("https", "api.example:8443", "192.0.2.7")),
    # Spring Cloud Gateway, of a proxy before it and itself.
    ([("X-Forwarded-For", "192.0.2.7,10.0.0.9"), ("X-Forwarded-Host", "api.example,inner"), ("X-Forwarded-Port", "443,80"),
      ("X-Forwarded-Proto", "https,http")], ("for", "host", "port", "proto"), ("https", "api.example", "192.0.2.7")),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "believe", "expected"), AS_WRITTEN)
def test_fields_are_read_as_proxies_write_them(
    fields: list[tuple[str, str]], believe: tuple[str, ...], expected: tuple[str, str, str]
) -> None:
    url = PublicURL(forwarded="X-Forwarded", trusted=NET, believe=believe)
    result = url(Request("GET", "http", "app.internal:8000", "/", fields, Peer("10.0.0.2")))
    assert (result.scheme, result.authority, result.peer.address) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('proto=https;host="api.example:8443";by="[2001:db8::1]:443";for="[2001:db8::7]:4711"',
         ("https", "api.example:8443", "2001:db8::7")),  # haproxy
        ("by=10.0.0.1;for=192.0.2.7;host=api.example;proto=https", ("https", "api.example", "192.0.2.7")),  # AWS's gateway
        ('For="192.0.2.7:4711";Proto=HTTPS;Host="API.example"', ("https", "api.example", "192.0.2.7")),
        # nginx appends to nothing.
        (', for=192.0.2.7;proto=https;host="api.example:8443"', ("https", "api.example:8443", "192.0.2.7")),
    ],
)  # fmt: skip
def test_forwarded_is_read_as_proxies_write_it(line: str, expected: tuple[str, str, str]) -> None:
    result = BY_FIELD(Request("GET", "http", "app.internal:8000", "/", {"Forwarded": line}, Peer("10.0.0.2")))
    assert (result.scheme, result.authority, result.peer.address) == expected


# ---- hops -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hops", "field", "authority"),
    [
        (1, f"{FORGED}, {OUTER}", "outer.example"), (2, f"{FORGED}, {OUTER}, {INNER}", "outer.example"),
        (2, f"for=_a, {FORGED}, {OUTER}, host=inner.example", "outer.example"),
        # Fewer entries than proxies: it did not come through all of them.
        (2, FORGED, "app.internal:8000"), (3, f"{FORGED}, {FORGED}", "app.internal:8000"), (1, "", "app.internal:8000"),
    ],
)  # fmt: skip
def test_a_count_of_proxies_is_counted_from_the_right(hops: int, field: str, authority: str) -> None:
    url = PublicURL(forwarded="Forwarded", hops=hops)
    assert url(seen(peer="", Forwarded=field)).authority == authority


def test_networks_and_a_count_both_limit_what_is_believed() -> None:
    url = PublicURL(forwarded="Forwarded", trusted=NET, hops=1)
    assert url(seen(Forwarded=f"{FORGED}, {INNER}")).authority == "inner.example"
    assert url(seen(Forwarded=INNER)).authority == "inner.example"
    assert url(seen(peer="192.0.2.1", Forwarded=INNER)).authority == "app.internal:8000"


def test_a_count_works_with_x_forwarded_fields() -> None:
    url = PublicURL(forwarded="X-Forwarded", hops=2)
    fields = {"X_Forwarded_For": "6.6.6.6, 192.0.2.7, 10.0.0.3", "X_Forwarded_Proto": "https"}
    assert public(url, seen(peer="", **fields)) == ("https", "app.internal:8000", "/", "192.0.2.7")
    assert public(url, seen(X_Forwarded_For="6.6.6.6", X_Forwarded_Proto="https")) == AS_SEEN


def test_an_origin_and_proxies_give_the_origin_and_the_clients_address() -> None:
    url = PublicURL("https://api.example", forwarded="Forwarded", trusted=NET)
    assert public(url, seen(Forwarded=INNER)) == ("https", "api.example", "/", "10.9.9.9")


@given(st.lists(st.tuples(st.sampled_from(list(SPOOFED)), st.one_of(st.binary(), st.just(OUTER.encode()))), max_size=4))
def test_any_fields_give_a_request_or_a_rejection(fields: list[tuple[str, bytes]]) -> None:
    pairs = [(name.replace("_", "-"), value) for name, value in fields]
    x_all = ("for", "proto", "host", "port", "prefix")
    for url in (BY_FIELD, BY_X, PublicURL(forwarded="X-Forwarded", hops=2, believe=x_all)):
        try:
            result = url(Request("GET", "http", "app", "/", pairs, Peer("10.0.0.2")))
        except Rejected as rejected:
            reason = rejected.reason
        else:
            check_target(result)
            continue
        assert reason in {Reason.MALFORMED_REQUEST, Reason.TARGET_REFUSED}


# ---- configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        ({}, "give an origin"),
        ({"origin": "api.example"}, "begins with https://"), ({"origin": "ftp://api.example"}, "begins with https://"),
        ({"origin": "https://api.example/"}, "prefix="), ({"origin": "https://api.example/api"}, "prefix="),
        ({"origin": "https://"}, "scheme://host"), ({"origin": "https://u@h"}, "scheme://host"),
        ({"origin": "https://h:70000"}, "scheme://host"), ({"origin": "https://h?x"}, "scheme://host"),
        ({"prefix": "api"}, "such as"), ({"prefix": "/"}, "such as"), ({"prefix": "/api/"}, "such as"),
        ({"prefix": "/a/../b"}, "such as"), ({"prefix": "/a//b"}, "such as"), ({"strip": "/%2e"}, "such as"),
        ({"strip": "/a?b"}, "such as"),
        ({"forwarded": "Forwarded"}, "trusted="), ({"forwarded": "forwarded", "hops": 1}, '"X-Forwarded"'),
        ({"origin": "https://h", "trusted": NET}, "forwarded="), ({"origin": "https://h", "hops": 1}, "forwarded="),
        ({"origin": "https://h", "believe": ("for",)}, "forwarded="),
        ({"forwarded": "Forwarded", "hops": 0}, "1 or more"), ({"forwarded": "Forwarded", "trusted": NET, "hops": -1}, "1 or more"),
        ({"forwarded": "Forwarded", "trusted": "10.0.0.0/8"}, "trusted=('10.0.0.0/8',)"),
        ({"forwarded": "Forwarded", "trusted": ("10.0.0.1/8",)}, "host bits"), ({"forwarded": "Forwarded", "trusted": ("x",)}, "network"),
        ({"forwarded": "Forwarded", "trusted": ("0.0.0.0/0",)}, "hops=1"), ({"forwarded": "Forwarded", "trusted": ("::/0",)}, "hops=1"),
        ({"forwarded": "Forwarded", "hops": 1, "believe": ("port",)}, "some of"),
        ({"forwarded": "X-Forwarded", "hops": 1, "believe": ()}, "some of"),
        ({"forwarded": "X-Forwarded", "hops": 1, "believe": "for"}, "some of"),
        ({"forwarded": "X-Forwarded", "hops": 1, "believe": ("prefix",), "prefix": "/api"}, "drop prefix="),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_an_error_that_names_the_mend(arguments: dict[str, Any], mend: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(mend)):
        PublicURL(**arguments)


# ---- in a guard -------------------------------------------------------------------------------------------------------


class Recorder:
    """A verifier that keeps the request that it is asked about."""

    scheme = "recorder"
    single_use = False
    rank = 0
    realm = None
    kinds = always_needed = ()
    addresses = (Address(b"x-key"),)

    def read(self, request: Request) -> None:
        self.request = request

    def refuse(self, *_: object) -> Any:
        from watchword.core.scheme import Refusal

        return Refusal(401)


def test_a_guard_judges_the_public_request() -> None:
    recorder = Recorder()
    guard = Guard([recorder], policy=Policy(public_url=PublicURL("https://api.example", prefix="/api")))
    assert refusal(guard.verify, seen("/a", X_Key="k")) is Reason.NO_CREDENTIALS
    assert (recorder.request.authority, recorder.request.target) == ("api.example", b"/api/a")
    assert refusal(guard.verify, seen("//a", X_Key="k")) is Reason.TARGET_REFUSED


def test_a_guard_gives_its_limits_to_its_public_url() -> None:
    def verdict(limits: Limits, name: str, member: str) -> Reason:
        url = PublicURL(forwarded="Forwarded" if name == "Forwarded" else "X-Forwarded", trusted=("10.0.0.0/8",))
        guard = Guard([Recorder()], policy=Policy(public_url=url, limits=limits))
        headers = {name: ", ".join([member] * 3)}
        return refusal(guard.verify, Request("GET", "http", "app", "/", headers, Peer("10.0.0.2")))

    for name, member in (
        ("Forwarded", "for=192.0.2.1"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-Proto", "https"),
    ):
        assert verdict(Limits(hops=3), name, member) is Reason.NO_CREDENTIALS
        assert verdict(Limits(hops=2), name, member) is Reason.MALFORMED_REQUEST
        assert verdict(Limits(field=9), name, member) is Reason.HEADER_TOO_LARGE


def test_a_guard_that_reads_fewer_members_than_there_are_proxies_is_an_error() -> None:
    url = PublicURL(forwarded="Forwarded", hops=3)
    with pytest.raises(ConfigurationError, match="raise the limit"):
        Guard([Recorder()], policy=Policy(public_url=url, limits=Limits(hops=2)))


@pytest.mark.parametrize(
    ("target", "signed", "exact", "refused"),
    [
        ("/a/b?c=%2F", None, False, False),  # the query comes through as it was sent
        ("/a%2Fb", None, False, True),
        ("/a%2Fb", None, True, False),
        ("/a/b", b"/a%2Fb", False, True),
        ("/a/b", b"/a%2Fb", True, False),
        ("/a/b", b"/a/b", False, False),
        ("/a/b", b"/a/c", False, False),  # another resource, however it was written
        ("/a/b?c=%2F", b"/a/b?c=/", False, False),
    ],
)
def test_a_rebuilt_target_with_lost_escapes_is_refused_where_they_count(target, signed, exact, refused):
    request = Request("GET", "https", "api.example", target, exact=exact)
    if not refused:
        check_exact(request, signed, "authorization uri")
        return
    with pytest.raises(Rejected) as caught:
        check_exact(request, signed, "authorization uri")
    assert (caught.value.reason, caught.value.rejection.where) == (Reason.TARGET_NOT_EXACT, "authorization uri")
