"""The search for what went wrong: what usual changes it undoes, in which order, and that it ends."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from base64 import b64decode
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.counting import steps
from tests.examples_of import examples
from watchword import Request
from watchword.schemes.diagnosis import MAX_GUESSES, Guess, causes, clock_check, request_guesses, search, show
from watchword.schemes.explaining.typed_text import secret_guesses
from watchword.schemes.freshness import Freshness

COVERED = (b"content-type", b"x-list", b"date")
GENUINE = Request(
    "GET", "https", "api.example", "/v1/orders/a%20b~c?id=7&name=x%20y&tag=%C3%A9",
    {"Host": "api.example", "Content-Type": "application/json", "X-List": "a, b, c", "Date": "Mon, 01 Jan 2024 00:00:00 GMT"},
)  # fmt: skip
BODY = '{"b": 1.50, "a": "é/x", "c": [1, {"z": null, "y": true}]}'.encode()


def covered(request: Request, body: bytes) -> tuple[object, ...]:
    fields = tuple(b", ".join(request.values(name)) if request.values(name) else None for name in COVERED)
    return request.method, request.scheme, request.authority, request.target, fields, body


def found(request: Request, body: bytes = BODY, signed: Request = GENUINE, signed_body: bytes = BODY) -> Guess | None:
    truth = covered(signed, signed_body)
    return search(request, body, lambda request, body: covered(request, body) == truth, headers=COVERED)


def changed(**parts: object) -> Request:
    given = {
        name: getattr(GENUINE, name) for name in ("method", "scheme", "authority", "target", "headers", "peer", "exact")
    }
    return Request(**{**given, **parts})  # type: ignore[arg-type]


def with_field(name: str, *lines: str) -> Request:
    kept = [pair for pair in GENUINE.headers if pair[0] != name.encode()]
    return changed(headers=[*kept, *((name.encode(), line.encode("latin-1")) for line in lines)])


@pytest.mark.parametrize(
    ("received", "component"),
    [
        (changed(method="HEAD"), "@method"),
        (changed(method="POST"), "@method"),
        (changed(method="get"), "@method"),
        (changed(scheme="http"), "@scheme"),
        (changed(authority="api.example:443"), "@authority"),
        (changed(authority="API.Example"), "@authority"),
        (changed(authority="api.example."), "@authority"),
        (changed(authority="www.api.example"), "@authority"),
        (changed(target="/v1/orders/a%20b~c/?id=7&name=x%20y&tag=%C3%A9"), "@path"),
        (changed(target="/v1/orders/a b~c?id=7&name=x%20y&tag=%C3%A9"), "@path"),
        (changed(target="/v1/orders/a%20b%7Ec?id=7&name=x%20y&tag=%C3%A9"), "@path"),
        (changed(target="/v1/orders/a+b~c?id=7&name=x%20y&tag=%C3%A9"), "@path"),
        (changed(target="/orders/a%20b~c?id=7&name=x%20y&tag=%C3%A9"), "@path"),
        (changed(target="/gateway/v1/orders/a%20b~c?id=7&name=x%20y&tag=%C3%A9"), "@path"),
        (changed(target="//v1/orders/a%20b~c?id=7&name=x%20y&tag=%C3%A9"), "@path"),
        (changed(target="/v1/./orders/x/../a%20b~c?id=7&name=x%20y&tag=%C3%A9"), "@path"),
        (changed(target="/v1/orders/a%20b~c;jsessionid=1?id=7&name=x%20y&tag=%C3%A9"), "@path"),
        (changed(target="/v1/orders/a%2520b~c?id=7&name=x%20y&tag=%C3%A9"), "@path"),
        (changed(target="/v1/orders/a%20b~c?id=7&tag=%C3%A9&name=x%20y"), "@query"),
        (changed(target="/v1/orders/a%20b~c?id=7&name=x+y&tag=%C3%A9"), "@query"),
        (changed(target="/v1/orders/a%20b~c?id=7&name=x%20y&tag=%c3%a9"), "@query"),
        (changed(target=b"/v1/orders/a%20b~c?id=7&name=x%20y&tag=\xc3\xa9"), "@query"),
        (changed(target="/v1/orders/a%20b~c?id=7&name=x%20y&tag=%C3%A9&utm_source=a&fbclid=b"), "@query"),
        (changed(target="/v1/orders/a%20b~c?trace=1&id=7&name=x%20y&tag=%C3%A9"), "@query"),
        (changed(target="/v1/orders/a%20b~c?id=7&name=x%20y&tag=%C3%A9&"), "@query"),
        (with_field("content-type", "application/json; charset=utf-8"), "header content-type"),
        (with_field("content-type", "Application/JSON"), "header content-type"),
        (with_field("content-type"), "header content-type"),
        (with_field("content-type", "text/plain"), "header content-type"),
        (with_field("x-list", "a,b,c"), "header x-list"),
        (with_field("x-list", "a", "c", "b"), "header x-list"),
        (with_field("x-list", "c, b, a"), "header x-list"),
        (with_field("x-list", "a, b, c, 10.0.0.1"), "header x-list"),
        (with_field("x-list", "a, b, c", "hop"), "header x-list"),
        (with_field("x-list", "a, b, c,"), "header x-list"),
        (with_field("x-list", "a,\r\n b, c"), "header x-list"),
        (with_field("date", "Mon,  01 Jan 2024  00:00:00 GMT"), "header date"),
        (with_field("date", "Mon, 01 Jan 2024 00:00:07 GMT"), "header date"),
        (with_field("content-type", "Application/json"), "header content-type"),
    ],
)
def test_a_usual_change_is_undone_and_its_component_named(received: Request, component: str) -> None:
    guess = found(received)
    assert guess is not None
    assert guess.component == component
    assert guess.second is None
    assert guess.mend
    assert guess.expected != guess.received


@pytest.mark.parametrize(
    "body",
    [
        BODY + b"\n", BODY + b"\r\n", b" " + BODY, b"\xef\xbb\xbf" + BODY, gzip.compress(BODY, mtime=0), BODY.decode().encode("latin-1"),
        b'{"data":' + BODY + b"}", json.dumps(BODY.decode()).encode(),
        BODY + BODY, BODY + b"\n" + BODY, b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), b"payload=" + quote_plus(BODY).encode(),
        BODY.decode().encode("utf-16"), BODY.replace(b'"', b"'").replace(b"null", b"None").replace(b"true", b"True"),
    ],
)  # fmt: skip
def test_a_changed_body_is_undone(body: bytes) -> None:
    guess = found(GENUINE, body)
    assert guess is not None
    assert (guess.component, guess.body) == ("body", BODY)


@pytest.mark.parametrize(
    ("received", "words"),
    [
        (BODY + BODY, "it came twice"), (BODY.decode().encode("utf-16"), "character encoding"),
        (BODY.replace(b'"', b"'").replace(b"null", b"None").replace(b"true", b"True"), "as Python prints it"),
    ],
)  # fmt: skip
def test_what_became_of_json_is_not_taken_for_a_form_or_for_white_space(received: bytes, words: str) -> None:
    guess = found(GENUINE, received)
    assert guess is not None
    assert words in guess.mend


@pytest.mark.parametrize("received", [b'{"a":"1","b":["2.5"],"c":"x"}', b'{"a":1,"b":["2.5"],"c":"x"}'])
def test_numbers_that_came_as_texts_are_read(received: bytes) -> None:
    guess = found(GENUINE, received, signed_body=b'{"a":1,"b":[2.5],"c":"x"}')
    assert guess is not None
    assert "numbers came as texts" in guess.mend


def test_a_member_that_a_proxy_put_before_the_others_of_a_field_is_named() -> None:
    request = with_field("x-list", "Self=1-2;Root=1-1")
    guess = found(request, signed=with_field("x-list", "Root=1-1"))
    assert guess is not None
    assert (guess.component, guess.expected) == ("header x-list", "Root=1-1")


@pytest.mark.parametrize(
    "signed",
    [
        b"", b"{}\n", b'{"a":1,"b":"\\u00e9\\/"}', '{"b": "é/", "a": 1}'.encode(), b'{\n  "a": 1,\n  "b": "\\u00e9/"\n}',
        '{"b":"é/","a":1}\n'.encode(), '{\r\n  "a": 1,\r\n  "b": "é/"\r\n}'.encode(),
        '{"a":"1","b":"é/"}'.encode(), "a=1&b=é/".encode(), b'{"a":1,"b":"',
    ],
)  # fmt: skip
def test_json_that_was_written_anew_is_undone(signed: bytes) -> None:
    received = '{"a":1,"b":"é/"}'.encode() if b"a" in signed else b"{}"
    guess = found(GENUINE, received, signed_body=signed)
    assert guess is not None
    assert (guess.component, guess.body) == ("body", signed)


@pytest.mark.parametrize("signed", [b'{"b":"c"}', b'"c"', b"c", b"[1, 2]"])
def test_one_member_of_json_that_is_signed_alone_is_named(signed: bytes) -> None:
    guess = found(GENUINE, b'{"a":{"b":"c"},"d":[1,2]}', signed_body=signed)
    assert guess is not None
    assert (guess.component, guess.body) == ("body", signed)
    assert "its member" in causes("mac", guess)[0].mend


@pytest.mark.parametrize(
    ("signed", "received"),
    [
        (b"a=1&b=x+y", b"b=x+y&a=1"), (b"a=1&b=x+y", b"a=1&b=x%20y"), (b"a=~", b"a=%7E"), (b"a=1", b"a=1&csrf=x"),
        (b"l1\r\nl2\r\n", b"l1\nl2\n"), (b"l1\nl2", b"l1\r\nl2"),
    ],
)  # fmt: skip
def test_forms_and_line_ends_are_undone(signed: bytes, received: bytes) -> None:
    guess = found(GENUINE, received, signed_body=signed)
    assert guess is not None
    assert (guess.component, guess.body) == ("body", signed)


def test_what_a_proxy_says_of_itself_is_tried() -> None:
    request = changed(
        authority="app:8000", scheme="http", target="/orders/a%20b~c?id=7&name=x%20y&tag=%C3%A9",
        headers=[*GENUINE.headers, (b"x-forwarded-host", b"api.example"), (b"x-forwarded-proto", b"https"),
                 (b"x-forwarded-prefix", b"/v1")],
    )  # fmt: skip
    guess = found(request)
    assert guess is not None
    assert guess.component == "@authority"
    assert "PublicURL" in guess.mend
    assert (guess.request.scheme, guess.request.authority, guess.request.path) == ("https", "api.example", GENUINE.path)


def test_the_original_target_that_a_proxy_gives_is_tried() -> None:
    target = b"/rewritten?q=1"
    request = changed(target=target, headers=[*GENUINE.headers, (b"x-original-uri", GENUINE.target)])
    guess = found(request)
    assert guess is not None
    assert (guess.component, guess.request.target) == ("@path", GENUINE.target)


def test_two_changes_are_found_together_and_are_two_causes() -> None:
    guess = found(changed(method="HEAD", authority="api.example:443"))
    assert guess is not None
    assert [check.component for check in causes("signature", guess)] == ["@authority", "@method"]
    assert all(check.passed is False and check.name == "signature" for check in causes("signature", guess))


def test_with_another_authority_host_is_another_too_and_with_another_body_its_length() -> None:
    request = changed(headers=[(b"host", b"app:8000"), (b"content-length", b"2")], authority="app:8000")
    for guess in request_guesses(request, b"{}"):
        assert guess.request.values(b"host") == [guess.request.authority.encode()]
        if guess.component == "body" and guess.second is None:
            assert guess.request.values(b"content-length") == [b"%d" % len(guess.body)]


def test_what_no_guess_explains_is_none() -> None:
    assert found(changed(target="/entirely/else")) is None
    assert found(GENUINE, b"another body") is None


def test_what_is_not_covered_is_not_guessed_at() -> None:
    guesses = list(request_guesses(GENUINE, BODY, parts=("@path", "body")))
    assert {guess.component for guess in guesses} == {"@path", "body"}
    assert all(guess.request.headers == GENUINE.headers for guess in guesses)


def test_no_guess_is_the_request_itself() -> None:
    for guess in request_guesses(GENUINE, BODY, headers=COVERED):
        assert guess.body != BODY or any(
            getattr(guess.request, part) != getattr(GENUINE, part) for part in ("method", "scheme", "authority", "target", "headers")
        )  # fmt: skip


def test_values_that_are_credentials_are_not_shown() -> None:
    request = Request("GET", "https", "h", "/", {"Authorization": "Bearer s3cr3t,x", "Cookie": "sid=s3cr3t; a"})
    guesses = list(request_guesses(request, b"s3cr3t", headers=(b"authorization", b"cookie"), parts=("body",)))
    assert {guess.component for guess in guesses} == {"header authorization", "header cookie", "body"}
    assert not any("s3cr3t" in text for guess in guesses for text in guess[:4])


HOSTILE = [
    (changed(target=b"/" + b"/%2e" * 2000 + b"?" + b"&" * 4000 + b"a=%25" * 800), b"{" * 4000),
    (
        changed(headers=[(b"x-list", b"a,b " * 2000), *((b"forwarded", b"host=a%d" % n) for n in range(2000))]),
        b"[" * 100_000,
    ),
    (changed(headers=[(b"x-list", b"a, ")] * 5000), b'{"a":' * 60 + b"1" + b"}" * 60),
    (changed(), b"[" + b'"\xc3\xa9/<",' * 10_000 + b"1]"),
    (changed(), b"1" * 120_000),
    (changed(), b"-" * 120_000),
    (changed(), b"[1e999999999,1" + b"0" * 5000 + b".0,-0,NaN]"),
    (changed(), gzip.compress(b"\0" * 50_000_000)),
    (changed(), b"a=1&" * 30_000),
    (changed(), b'"' + b"\\" * 100_000),
    (changed(authority="[::1" + ":" * 300), b"\xff" * 1_000_000),
]


@pytest.mark.parametrize(("request_", "body"), HOSTILE)
def test_a_hostile_request_makes_a_bounded_number_of_guesses_of_bounded_size(request_: Request, body: bytes) -> None:
    count, size = 0, 0

    def guess_all() -> None:
        nonlocal count, size
        for guess in request_guesses(request_, body, headers=[*COVERED, *(b"x-%d" % n for n in range(1000))]):
            count += 1
            size = max(size, *map(len, guess[:4]))
            assert len(guess.body) <= 2 * len(body) + 200_000

    assert steps(guess_all) < 10_000_000
    assert count <= MAX_GUESSES
    assert size < 1000


@examples(60)
@given(
    st.binary(max_size=60), st.binary(max_size=60), st.text(max_size=20), st.binary(max_size=40), st.binary(max_size=40)
)
def test_any_octets_are_guessed_at_without_an_exception(
    target: bytes, body: bytes, authority: str, value: bytes, other: bytes
) -> None:
    headers = [
        (b"x-list", value),
        (b"forwarded", other),
        (b"x-forwarded-host", value),
        (b"x-list", other),
        (b"host", other),
    ]
    request = Request("GET", "https", authority, target, headers)
    for guess in request_guesses(request, body, headers=COVERED):
        assert all(isinstance(text, str) for text in guess[:4])


def test_the_same_request_has_the_same_guesses() -> None:
    first = [guess[:4] for guess in request_guesses(GENUINE, BODY, headers=COVERED)]
    assert first == [guess[:4] for guess in request_guesses(GENUINE, BODY, headers=COVERED)]


@pytest.mark.parametrize(
    ("registered", "used", "words"),
    [
        (b"\x01\xfe", b"01fe", "in hex"),
        (b"\x01\xfe", b"Af4=", "in base64"),
        (b"01fe", b"\x01\xfe", "decoded from hex"),
        (b"Af4=", b"\x01\xfe", "decoded from base64"),
        (b"_-8", b"\xff\xef", "decoded from base64url"),
        (b"secret", b"secret\n", "with a line break at its end"),
        (b"secret\r\n", b"secret", "without its last line break"),
        (b"whsec_Af4=", b"\x01\xfe", "without its prefix and decoded from base64"),
        (b"whsec_Af4=", b64decode(b"v1whsec/Af4="), "with the prefix v1,whsec_, decoded from base64"),
        (b"abc#def", b"abc", "a comment begins"),
        (b"ab$cd/ef", b"ab/ef", "expanded as a variable"),
        (b"QUJDRE", b"ABC", "its incomplete end left out"),
        (b"\x01\xfe", b"1,254", "as decimal numbers"),
        (b"a&b", b"a%26b", "percent-encoded"),
        (b"Secret", b'"Secret",', "as a line of JSON"),
        (b"Secret", b"sECRET", "caps lock"),
        (b"Secret", b"Frperg", "ROT13"),
        (b"Secret", b'\\"Secret\\"', "an escape before each"),
        (b"Secret", b64decode(b"None"), "not set, or a placeholder, decoded"),
        (b"secret", b"", "empty"),
    ],
)
def test_a_secret_in_a_wrong_spelling_is_tried_and_named(registered: bytes, used: bytes, words: str) -> None:
    wanted = hmac.digest(used, b"data", "sha256")
    what = next(what for what, other in secret_guesses(registered) if hmac.digest(other, b"data", "sha256") == wanted)
    assert words in what


@given(st.binary(max_size=80))
def test_any_secret_is_spelled_otherwise_without_an_exception_and_never_named(secret: bytes) -> None:
    guesses = list(secret_guesses(secret))
    assert len(guesses) <= 600
    assert all(other != secret for _, other in guesses)
    words = " ".join(what for what, _ in guesses)
    assert len(secret) < 8 or secret.hex() not in words


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (3600, "another time zone"), (-7200, "another time zone"), (19800 + 7, "330 minutes"), (3600 - 40, "time zone"),
        (1234, "sign anew"), (-500, "set both clocks"), (86400 * 3, "sign anew"),
    ],
)  # fmt: skip
def test_a_time_that_is_off_is_explained(age: float, words: str) -> None:
    check = clock_check("header date", 1.7e9 - age, 1.7e9, Freshness(300, 30))
    assert check.passed is False
    assert check.component == "header date"
    assert words in check.mend


def test_a_time_in_milliseconds_is_recognised_and_a_good_one_passes() -> None:
    assert "milliseconds" in clock_check("t", 1.7e12, 1.7e9, Freshness(300, 30)).mend
    assert "no time" in clock_check("t", float("nan"), 1.7e9, Freshness(300, 30)).mend
    good = clock_check("t", 1.7e9 - 10, 1.7e9, Freshness(300, 30))
    assert (good.passed, good.mend) == (True, "")


def test_long_values_are_cut_to_where_they_begin_to_differ() -> None:
    signed, received = show("a" * 5000 + "X" + "b" * 5000, "a" * 5000 + "Y" + "b" * 5000)
    assert "X" in signed
    assert "Y" in received
    assert "octet 4940" in signed
    assert len(signed) < 200


@pytest.mark.parametrize(
    ("secret", "used"),
    [
        (b"c2VjcmV0+/9zZWNyZXQ=", b"c2VjcmV0-_9zZWNyZXQ="),
        (b"c2VjcmV0+/9zZWNyZXQ=", b"c2VjcmV0 /9zZWNyZXQ="),
        (b"c2VjcmV0-_9zZWNyZXQ=", b"c2VjcmV0+/9zZWNyZXQ="),
        (b"c2VjcmV0+/9zZWNyZXQ=", b"c2VjcmV0+/9zZWNyZXQ"),
        (b"correct horse", b" correct horse"),
        (b"correct horse", "correct horse".encode("utf-16-le")),
        (b"correct horse", hashlib.sha256(b"correct horse").digest()),
        (b"correct horse", hashlib.sha256(b"correct horse").hexdigest().encode()),
    ],
)
def test_secrets_that_were_hashed_or_written_in_another_alphabet_are_among_the_guesses(
    secret: bytes, used: bytes
) -> None:
    assert used in [octets for _, octets in secret_guesses(secret)]


@pytest.mark.parametrize(
    ("signed", "received"),
    [
        (b'{"d":1,"b":{"y":2,"x":3},"a":4,"c":5}', b'{"a":4,"b":{"x":3,"y":2},"c":5,"d":1}'),
        (b'{\n  "d": 1,\n  "a": 2,\n  "c": 3\n}', b'{"a":2,"c":3,"d":1}'),
        (b'{"c": "\\u00e9", "a": 1, "b": 2}', '{"a":1,"b":2,"c":"é"}'.encode()),
        (b"From=%2B49+170&To=a%7Eb", b'{"From": "+49 170", "To": "a~b"}'),
        (b"{'a': None, 'b': True}", b'{"a": null, "b": true}'),
        ("é".encode(), b"e\xcc\x81"),
        (b"text", b"text\0\0"),
    ],
)
def test_bodies_that_were_written_anew_in_two_ways_at_once_are_among_the_guesses(
    signed: bytes, received: bytes
) -> None:
    guesses = request_guesses(Request("POST", "https", "api.example", "/"), received, parts=("body",))
    assert signed in [guess.body for guess in guesses]


@pytest.mark.parametrize(
    ("signed", "received"),
    [
        (b"/docs", b"/docs/index.html"),
        (b"/caf%C3%A9/a%20b", b"/caf%E9/a%20b"),
        (b"/k%3Dv/x;v=1", b"/k%3Dv/x%3Bv%3D1"),
        (b"/a?x=c%2Bd&y=1%2C2", b"/a?x=c+d&y=1,2"),
        (b"/a?t=10:30&name=x%20y&flag", b"/a?t=10%3A30&name=x+y&flag="),
    ],
)
def test_targets_that_servers_complete_or_frameworks_write_anew_are_among_the_guesses(
    signed: bytes, received: bytes
) -> None:
    guesses = request_guesses(Request("GET", "https", "api.example", received), b"", parts=("@path", "@query"))
    assert signed in [guess.request.target for guess in guesses]


def test_host_and_port_that_are_said_in_two_fields_are_put_together() -> None:
    fields = {"X-Forwarded-Host": "api.example", "X-Forwarded-Port": "8443"}
    request = Request("GET", "https", "backend:5000", "/", fields)
    guesses = request_guesses(request, b"", parts=("@authority",))
    assert "api.example:8443" in [guess.request.authority for guess in guesses]
