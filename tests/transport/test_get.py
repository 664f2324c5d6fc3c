"""The steps of a fetch: where it goes, what it refuses. No socket is opened here."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import StoreUnavailable
from watchword.transport.get import (
    Answer,
    Exchange,
    Fault,
    FetchFailed,
    Get,
    Resolve,
    Target,
    Terms,
    getting,
    target_of,
)

PUBLIC = "93.184.215.14"


def run(get, terms=Terms(), *, names=None, answers=()):
    """Drives the steps; gives the answer and every exchange that was asked for."""
    names = names or {}
    answers = iter(answers)
    steps = getting(get, terms)
    asked, reply, failure = [], None, None
    while True:
        try:
            step = steps.send(reply) if failure is None else steps.throw(failure)
        except StopIteration as stop:
            return stop.value, asked
        reply = failure = None
        if isinstance(step, Resolve):
            reply = names.get(step.host, [PUBLIC])
        else:
            asked.append(step)
            reply = next(answers)
            if isinstance(reply, FetchFailed):
                reply, failure = None, reply


def fault(*arguments, **options):
    with pytest.raises(FetchFailed) as caught:
        run(*arguments, **options)
    return caught.value.fault


def ok(body=b"{}", **fields):
    return Answer(200, tuple((name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()), body)


def moved(location, status=302):
    return Answer(status, ((b"location", location.encode()),), b"")


def test_a_fetch_asks_the_resolved_address_for_the_name_and_sends_no_credentials():
    answer, (asked,) = run(Get("https://keys.example:8443/a/jwks?v=2", etag='"1"'), answers=[ok(b"[]")])
    assert (answer.status, answer.body, answer.url) == (200, b"[]", "https://keys.example:8443/a/jwks?v=2")
    assert asked.address == PUBLIC
    assert asked.target == Target("https", "keys.example", 8443, "/a/jwks?v=2")
    assert dict(asked.headers) == {
        "host": "keys.example:8443",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "watchword",
        "connection": "close",
        "if-none-match": '"1"',
    }


def test_a_failure_is_a_store_that_does_not_answer():
    assert issubclass(FetchFailed, StoreUnavailable)


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example/jwks",
        "ftp://keys.example/jwks",
        "file:///etc/passwd",
        "data:,{}",
        "//keys.example/jwks",
        "jwks",
        "",
        "https://",
        "https:///jwks",
        "https://alice:secret@keys.example/jwks",
        "https://@keys.example/jwks",
        "https://keys.example/jwks#1",
        "https://keys.example:0/",
        "https://keys.example:65536/",
        "https://keys.example:x/",
        "https://keys.example/a b",
        "https://keys.example/\r\nx: y",
        "https://keys.example\\@evil.example/",
        "https://schlüssel.example/",
        "https://%6beys.example/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.x]/",
    ],
)
def test_what_is_no_https_url_is_refused_before_anything_is_asked(url):
    assert fault(Get(url)) is Fault.REFUSED_URL


def test_a_refused_url_is_not_shown():
    with pytest.raises(FetchFailed) as caught:
        target_of("https://alice:secret@keys.example/?token=hidden")
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_cleartext_is_fetched_only_when_asked_for():
    answer, (asked,) = run(Get("http://keys.example/"), Terms(allow_cleartext=True), answers=[ok()])
    assert (answer.status, asked.target.port, dict(asked.headers)["host"]) == (200, 80, "keys.example")


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["::1"], [PUBLIC, "127.0.0.1"], ["::ffff:10.0.0.1"], ["64:ff9b::7f00:1"]]
)
def test_a_name_with_any_private_address_is_not_connected_to(addresses):
    assert fault(Get("https://keys.example/"), names={"keys.example": addresses}) is Fault.PRIVATE_ADDRESS


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]"])
def test_the_host_is_judged_by_what_it_resolves_to_however_it_is_written(host):
    name = host.strip("[]")
    assert fault(Get(f"https://{host}/"), names={name: ["127.0.0.1"]}) is Fault.PRIVATE_ADDRESS


def test_private_addresses_are_connected_to_when_asked_for():
    _, (asked,) = run(Get("https://[::1]:8443/"), Terms(allow_private=True), names={"::1": ["::1"]}, answers=[ok()])
    assert (asked.address, dict(asked.headers)["host"]) == ("::1", "[::1]:8443")


def test_a_name_without_addresses_fails():
    steps = getting(Get("https://keys.example/"), Terms())
    next(steps)
    with pytest.raises(FetchFailed, match="unresolved"):
        steps.send([])


def test_the_next_address_is_tried_if_one_cannot_be_reached_and_four_at_most():
    down = FetchFailed(Fault.UNREACHABLE, "down")
    many = [f"93.184.215.{n}" for n in range(9)]
    answer, asked = run(Get("https://keys.example/"), names={"keys.example": many}, answers=[down, down, ok()])
    assert [each.address for each in asked] == many[:3]
    assert answer.status == 200
    with pytest.raises(FetchFailed) as caught:
        run(Get("https://keys.example/"), names={"keys.example": many}, answers=[down] * 4)
    assert caught.value is down


def test_other_failures_are_not_tried_again():
    assert (
        fault(Get("https://keys.example/"), names={"keys.example": [PUBLIC] * 2}, answers=[FetchFailed(Fault.TLS, "")])
        is Fault.TLS
    )


def test_no_redirect_is_followed_by_default():
    assert fault(Get("https://keys.example/"), answers=[moved("https://keys.example/2")]) is Fault.REDIRECTED


@pytest.mark.parametrize(
    "location", ["/2", "//keys.example/2", "https://keys.example/2", "HTTPS://keys.example/2#part"]
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_as_many_redirects_are_followed_as_the_terms_allow(location, status):
    answer, asked = run(Get("https://keys.example/1"), Terms(redirects=1), answers=[moved(location, status), ok()])
    assert [each.target.path for each in asked] == ["/1", "/2"]
    assert answer.url.lower() == "https://keys.example/2"
    assert (
        fault(Get("https://keys.example/1"), Terms(redirects=1), answers=[moved("/2"), moved("/3")]) is Fault.REDIRECTED
    )


@pytest.mark.parametrize("location", ["http://keys.example/", "ftp://x/", "file:///etc/passwd", "javascript:1"])
def test_a_redirect_never_leaves_https(location):
    terms = Terms(redirects=3, allow_cleartext=True)
    assert fault(Get("https://keys.example/"), terms, answers=[moved(location)]) is Fault.REDIRECTED


@pytest.mark.parametrize("location", ["https://u:p@x.example/", "https://[::1", "https://x.example/\x7f"])
def test_a_redirect_to_what_cannot_be_fetched_fails(location):
    assert fault(Get("https://keys.example/"), Terms(redirects=3), answers=[moved(location)]) in {
        Fault.REDIRECTED, Fault.REFUSED_URL,
    }  # fmt: skip


def test_a_redirect_is_judged_like_any_target():
    names = {"inside.example": ["169.254.169.254"]}
    found = fault(
        Get("https://keys.example/"), Terms(redirects=1), names=names, answers=[moved("https://inside.example/")]
    )
    assert found is Fault.PRIVATE_ADDRESS


def test_a_redirect_without_a_place_fails():
    assert fault(Get("https://keys.example/"), Terms(redirects=1), answers=[Answer(302, (), b"")]) is Fault.REDIRECTED


@pytest.mark.parametrize("status", [100, 201, 204, 206, 300, 400, 401, 404, 500, 503])
def test_other_statuses_fail_and_say_which(status):
    with pytest.raises(FetchFailed) as caught:
        run(Get("https://keys.example/"), answers=[Answer(status, (), b"")])
    assert (caught.value.fault, caught.value.status) == (Fault.STATUS, status)


def test_not_modified_is_an_answer_only_to_who_asked():
    answer, _ = run(Get("https://keys.example/", etag='"1"'), answers=[Answer(304, (), b"")])
    assert answer.status == 304
    assert fault(Get("https://keys.example/"), answers=[Answer(304, (), b"")]) is Fault.STATUS


def test_gzip_is_undone_although_it_was_not_asked_for():
    for coding in ("gzip", "x-gzip", " GZIP "):
        answer, _ = run(Get("https://keys.example/"), answers=[ok(gzip.compress(b"{}"), content_encoding=coding)])
        assert answer.body == b"{}"


def test_inflated_octets_count():
    bomb = gzip.compress(bytes(10_000_000))
    assert len(bomb) < 10_000
    assert (
        fault(Get("https://keys.example/"), Terms(max_size=10_000), answers=[ok(bomb, content_encoding="gzip")])
        is Fault.TOO_LARGE
    )
    exact, _ = run(
        Get("https://keys.example/"),
        Terms(max_size=100),
        answers=[ok(gzip.compress(bytes(100)), content_encoding="gzip")],
    )
    assert len(exact.body) == 100


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"{}", "gzip"),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip"),
        (gzip.compress(b"{}", mtime=0) + b"more", "gzip"),
        (zlib.compress(b"{}"), "gzip"),
        (zlib.compress(b"{}"), "deflate"),
        (b"{}", "br"),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "gzip, gzip"),
    ],
)
def test_broken_and_other_codings_are_refused(body, coding):
    assert fault(Get("https://keys.example/"), answers=[ok(body, content_encoding=coding)]) is Fault.BROKEN


@given(st.text() | st.text(alphabet="htps:/@[]#?%.x1\\ ").map(lambda text: "https://" + text))
def test_any_text_is_a_target_or_refused(url):
    try:
        target = target_of(url)
    except FetchFailed as failed:
        assert failed.fault is Fault.REFUSED_URL
    else:
        assert target.scheme == "https"
        assert target.host
        assert 0 < target.port < 65536


@given(st.binary(max_size=60), st.sampled_from(["gzip", "identity", "br", ""]))
def test_any_body_is_an_answer_or_a_failure(body, coding):
    try:
        run(Get("https://keys.example/"), answers=[ok(body, content_encoding=coding)])
    except FetchFailed as failed:
        assert failed.fault in {Fault.BROKEN, Fault.TOO_LARGE}


def test_an_exchange_carries_the_limit():
    _, (asked,) = run(Get("https://keys.example/"), Terms(max_size=77), answers=[ok()])
    assert isinstance(asked, Exchange)
    assert asked.max_size == 77
