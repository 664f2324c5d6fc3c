"""Captured requests: raw, HAR, `curl -v`, `curl --trace`; what the server saw; and what is no request."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from watchword import Guard, HMACAuth, HMACVerifier, Key, Policy, PublicURL, Request, explain
from watchword.cli.captures import (
    Sighting, certificate_der, format_of, peer_address, read_capture, seen_by_the_server,
)  # fmt: skip
from watchword.cli.raw_request import MAX_FIELDS, UnusableRequest
from watchword.core.message import Peer, Response
from watchword.effects import Received
from watchword.stores import MemoryStore
from watchword.transport.flow import ClientContext, run

SECRET = "sEcReT-tOkEn-0123456789"

RAW = (
    f"POST /a%20b?x=1 HTTP/1.1\r\nHost: api.example\r\nAuthorization: Bearer {SECRET}\r\nContent-Length: 5\r\n\r\nhello"
)
CURL = f"""*   Trying 192.0.2.1:443...
* Connected to api.example (192.0.2.1) port 443
* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384
> POST /a%20b?x=1 HTTP/1.1\r
> Host: api.example\r
> Authorization: Bearer {SECRET}\r
> Content-Length: 5\r
>\x20\r
}} [5 bytes data]
* upload completely sent off: 5 bytes
< HTTP/1.1 401 Unauthorized\r
< WWW-Authenticate: Bearer\r
<\x20\r
{{ [0 bytes data]
"""
BRACKETS = f"""* Connected to api.example (192.0.2.1) port 443
* [HTTP/2] [1] OPENED stream for https://api.example/a%20b?x=1
* [HTTP/2] [1] [:method: POST]
* [HTTP/2] [1] [:scheme: https]
* [HTTP/2] [1] [:authority: api.example]
* [HTTP/2] [1] [:path: /a%20b?x=1]
* [HTTP/2] [1] [authorization: Bearer {SECRET}]
* [HTTP/2] [1] [content-length: 5]
}} [5 bytes data]
"""


def trace(head: str, body: bytes, *, digits: bool) -> str:
    """As curl writes it: sixteen octets a line in digits, or text that ends at CR LF or after 64."""
    blocks = ["== Info: Connected to api.example (192.0.2.1) port 443", "== Info: SSL connection using TLSv1.3"]
    for kind, octets in (("header", head.encode()), ("data", body)):
        blocks.append(f"=> Send {kind}, {len(octets)} bytes (0x{len(octets):x})")
        if digits:
            for at in range(0, len(octets), 16):
                row = octets[at : at + 16]
                shown = "".join(f"{octet:02x} " for octet in row).ljust(48)
                blocks.append(f"{at:04x}: {shown}{''.join(chr(o) if 32 <= o < 127 else '.' for o in row)}")
            continue
        at = 0
        while at < len(octets):
            line = octets[at : at + 64].partition(b"\r\n")[0]
            blocks.append(f"{at:04x}: {''.join(chr(o) if 32 <= o < 127 else '.' for o in line)}")
            at += len(line)
            at += 2 if octets[at : at + 2] == b"\r\n" else 0
    blocks.append("<= Recv header, 24 bytes (0x18)\n0000: HTTP/1.1 401 Unauthorized")
    return "\n".join(blocks) + "\n"


METER = "  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
HEAD, BODY = RAW.removesuffix("hello"), b"hello"


def har(**changes: Any) -> str:
    fields = {"Authorization": f"Bearer {SECRET}", "Content-Length": "5"}
    sent: dict[str, Any] = {
        "method": "POST",
        "url": "https://api.example/a%20b?x=1#part",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": name, "value": value} for name, value in fields.items()],
        "postData": {"mimeType": "text/plain", "text": "hello"},
        "bodySize": 5,
        **changes,
    }
    return archive(sent)


def archive(*requests: dict[str, Any], statuses: tuple[int, ...] = ()) -> str:
    answered = [{"response": {"status": status}} for status in statuses] or [{}] * len(requests)
    entries = [{"request": request, **more} for request, more in zip(requests, answered, strict=True)]
    return json.dumps({"log": {"version": "1.2", "entries": entries}}, indent=1)


PSEUDO = [
    {"name": ":method", "value": "POST"},
    {"name": ":authority", "value": "api.example"},
    {"name": ":scheme", "value": "https"},
    {"name": ":path", "value": "/a%20b?x=1"},
    {"name": "authorization", "value": f"Bearer {SECRET}"},
    {"name": "content-length", "value": "5"},
]
ALIKE = {
    "raw": (RAW, "raw"),
    "raw with LF": (RAW.replace("\r", ""), "raw"),
    "curl -v": (CURL, "curl"),
    "curl -v, brackets of HTTP/2": (BRACKETS, "curl"),
    "curl -v, brackets of curl 8.1": (BRACKETS.replace("[HTTP/2] [1] [", "h2 ["), "curl"),
    "curl -v, brackets of curl 7.88": (BRACKETS.replace("[HTTP/2] [1] [", "h2h3 ["), "curl"),
    "curl -v with its progress meter": (
        "  % Total    % Received % Xferd\n" + f"\r{METER}" + CURL.replace("\n> Host", f"\n\r{METER}\r{METER}> Host"),
        "curl",
    ),
    "curl --trace-ascii": (trace(HEAD, BODY, digits=False), "trace"),
    "curl --trace": (trace(HEAD, BODY, digits=True), "trace"),
    "HAR": (har(), "har"),
    "HAR with a byte order mark": ("\ufeff" + har(), "har"),
    "HAR with pseudo fields": (har(headers=PSEUDO, httpVersion="h2"), "har"),
    "HAR in base64": (
        har(postData={"mimeType": "x", "text": b64encode(b"hello").decode(), "encoding": "base64"}),
        "har",
    ),
}


@pytest.mark.parametrize(("text", "form"), ALIKE.values(), ids=ALIKE)
def test_every_format_is_found_by_itself_and_gives_the_same_request(text: str, form: str) -> None:
    data = text.encode()
    assert format_of(data) == form
    for asked in (None, form):
        capture = read_capture(data, asked)
        given = BODY if form == "curl" else None
        request, body = seen_by_the_server(capture, Sighting(body=given))
        assert (request.method, request.scheme, request.authority, request.target, body) == (
            "POST", "https", "api.example", b"/a%20b?x=1", b"hello",
        )  # fmt: skip
        assert request.values(b"authorization") == [f"Bearer {SECRET}".encode()]
        assert not [name for name, _ in request.headers if name.startswith(b":")]


def test_a_body_that_a_capture_does_not_hold_exactly_is_asked_for() -> None:
    dotted = trace(HEAD.replace("5", "6"), b"he\nll.", digits=False)
    for text in (
        CURL,
        BRACKETS,
        dotted,
        har(postData=None),
        har(postData={"params": [{"name": "a", "value": "b"}]}),
        har(bodySize=9, headers=[]),
    ):
        capture = read_capture(text.encode())
        with pytest.raises(UnusableRequest, match="--body"):
            seen_by_the_server(capture, Sighting())
    with pytest.raises(UnusableRequest, match="--body has 6 octets, the request had 5"):
        seen_by_the_server(read_capture(CURL.encode()), Sighting(body=b"hello\n"))


def test_of_a_text_in_har_the_octets_are_those_of_the_declared_size() -> None:
    for size, octets in ((5, "héé".encode()), (3, "héé".encode("latin-1"))):
        text = har(headers=[], bodySize=size, postData={"text": "héé"})
        assert read_capture(text.encode()).body == octets


def test_of_several_entries_the_one_that_was_refused_is_meant_or_the_choice_is_asked_for() -> None:
    one, other = ({"method": "GET", "url": f"https://api.example/{name}?s={SECRET}", "headers": []} for name in "ab")
    assert read_capture(archive(one, other, statuses=(200, 401)).encode()).target.startswith(b"/b")
    both = archive(one, other, statuses=(401, 401)).encode()
    with pytest.raises(UnusableRequest, match="choose one of 2 entries") as caught:
        read_capture(both)
    assert "1: GET https://api.example/a 401" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert read_capture(both, entry=2).target.startswith(b"/b")
    assert read_capture(both, url="/a?").target.startswith(b"/a")
    for choice in ({"entry": 3}, {"entry": 0}, {"url": "/c"}):
        with pytest.raises(UnusableRequest, match="--entry|--url"):
            read_capture(both, **choice)


def test_of_several_requests_of_curl_the_last_is_meant_and_said_so() -> None:
    first = "> GET /first HTTP/1.1\n> Host: api.example\n>\n< HTTP/1.1 401\n<\n"
    text = first + first.replace("first", "second")
    capture = read_capture(text.encode())
    assert (capture.target, "--entry" in capture.note) == (b"/second", True)
    assert read_capture(text.encode(), entry=1).target == b"/first"
    with pytest.raises(UnusableRequest, match="2 requests"):
        read_capture(text.encode(), entry=3)


def test_an_archive_without_credentials_says_that_browsers_leave_them_out() -> None:
    assert "sensitive" in read_capture(har(headers=[]).encode()).note
    assert read_capture(har().encode()).note == ""


BROKEN = {
    "a raw request line": ("hello", "line 1, column 6"),
    "a raw field": ("GET / HTTP/1.1\nHost: a\nno field\n\n", "line 3, column 3"),
    "after blank lines": ("\n\nGET / HTTP/1.1\nHost : a\n\n", "line 4, column 5"),
    "a field of curl": ("> GET / HTTP/1.1\n> Host: a\n> no field\n>\n", "line 3, column 5"),
    "a request line of curl": ("* [HTTP/2] [1] [:method: GET]\n* [HTTP/2] [1] [a: b]\n", "line 1"),
    "JSON": ('{"log":\n  {"version": 1.2,,}}', "line 2, column 19"),
    "no UTF-8": (b'{"log":\n "\xff"}', "line 2, column 3"),
    "JSON that is no archive": ("{}", "log is not an object"),
    "an archive of version 3": ('{"log": {"version": "3"}}', "1.2"),
    "no entries": ('{"log": {"version": "1.2", "entries": []}}', "no entry"),
    "an entry that is none": ('{"log": {"version": "1.2", "entries": [7]}}', r"log.entries\[0\]"),
    "a URL of another kind": (har(url="ftp://a/"), "url"),
    "a field that is none": (har(headers=[{"name": "a"}]), r"headers\[0\].value is not a text"),
    "too many fields": (har(headers=[{"name": "a", "value": "b"}] * (MAX_FIELDS + 1)), "fields"),
    "too many raw fields": ("GET / HTTP/1.1\nHost: a\n" + "a: b\n" * MAX_FIELDS, f"line {MAX_FIELDS + 1}"),
    "base64 that is none": (har(postData={"text": "%", "encoding": "base64"}), "base64"),
    "deep JSON": ('{"log":' * 100_000, "nested|line 1"),
    "a number of too many digits": ('{"log": ' + "9" * 5000 + "}", "number"),
    "a line of a trace": ("=> Send header, 9 bytes (0x9)\nnothing\n", "line 2, column 1"),
    "an offset of a trace": ("=> Send header, 9 bytes (0x9)\n0000: GET\n0009: x\n", "line 3, column 1"),
    "the size of a trace": ("=> Send header, 99 bytes (0x63)\n0000: GET / HTTP/1.1\n", "line 1: 99 octets"),
}


@pytest.mark.parametrize(("text", "place"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named_by_line_and_column_or_member(text: str | bytes, place: str) -> None:
    with pytest.raises(UnusableRequest, match=place) as caught:
        read_capture(text.encode() if isinstance(text, str) else text)
    if place.startswith("line"):
        assert f"line {caught.value.line}" in str(caught.value)


def test_a_format_that_is_named_is_not_guessed_at() -> None:
    with pytest.raises(UnusableRequest):
        read_capture(har().encode(), "raw")
    with pytest.raises(UnusableRequest, match="HAR"):
        read_capture(RAW.encode(), url="x")
    with pytest.raises(UnusableRequest, match="--entry"):
        read_capture(RAW.encode(), entry=2)


@examples(300)
@given(st.data())
def test_a_damaged_capture_is_unusable_or_read_and_nothing_of_it_is_said(data: st.DataObject) -> None:
    text = bytearray(data.draw(st.sampled_from([pair[0] for pair in ALIKE.values()])).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        kind = data.draw(st.sampled_from(["put", "cut", "double"]))
        if kind == "put":
            text[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del text[at : at + data.draw(st.integers(1, 80))]
        else:
            text[at:at] = text[at : at + 40]
        if not text:
            break
    try:
        seen_by_the_server(read_capture(bytes(text)), Sighting(body=b"hello"))
    except UnusableRequest as error:
        said = str(error)
        assert not any(SECRET[start : start + 8] in said for start in range(len(SECRET) - 8))


# ---- what the server saw ------------------------------------------------------------------------------------------------


def test_what_a_proxy_did_is_told_by_options() -> None:
    capture = read_capture(RAW.encode())
    der = b"\x30\x03\x02\x01\x01"
    pem = b"-----BEGIN CERTIFICATE-----\n" + b64encode(der) + b"\n-----END CERTIFICATE-----\n"
    assert certificate_der(pem) == certificate_der(der) == der
    peer = Peer(peer_address("10.0.0.2"), der)
    request, _ = seen_by_the_server(
        capture, Sighting("http", peer, ["X-Forwarded-For: 192.0.2.7"], "http://app:8000/b")
    )
    assert (request.scheme, request.authority, request.target, request.peer) == ("http", "app:8000", b"/b", peer)
    assert request.values(b"x-forwarded-for") == [b"192.0.2.7"]
    request, _ = seen_by_the_server(capture, Sighting(url="http://app:8000"))
    assert (request.scheme, request.authority, request.target) == ("http", "app:8000", b"/a%20b?x=1")


def test_what_no_server_can_have_seen_is_refused() -> None:
    capture = read_capture(RAW.encode())
    for sighting, said in ((Sighting(fields=["nothing"]), "--field"), (Sighting(url="/a"), "--proxied-as")):
        with pytest.raises(UnusableRequest, match=said):
            seen_by_the_server(capture, sighting)
    with pytest.raises(UnusableRequest, match="--peer"):
        peer_address("localhost")
    for data in (b"", b"hello", b"-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----"):
        with pytest.raises(UnusableRequest, match="--client-certificate"):
            certificate_der(data)


def test_a_guard_behind_trusted_proxies_explains_as_in_production() -> None:
    key = Key.generate("HS256", key_id="robot-1")
    store = MemoryStore()
    store.add_key("robot", key)
    url = PublicURL(forwarded="X-Forwarded", trusted=("10.0.0.0/8",), believe=("for", "proto", "host"), prefix="/api")
    guard = Guard([HMACVerifier()], store, policy=Policy(public_url=url))
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(HMACAuth(key), Request("GET", "https", "api.example", "/api/orders"), send, ClientContext(bytes))
    lines = "".join(f"{name.decode()}: {value.decode()}\r\n" for name, value in sent[0].headers)
    capture = read_capture(f"GET /api/orders HTTP/1.1\r\nHost: api.example\r\n{lines}\r\n".encode())
    fields = ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: api.example"]
    for peer, accepted in (("10.0.0.2", True), ("192.0.2.9", False)):
        sighting = Sighting(None, Peer(peer), fields, "http://app:8000/orders")
        request, body = seen_by_the_server(capture, sighting)
        assert explain(request, guard, body).accepted is accepted
