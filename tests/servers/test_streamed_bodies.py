"""No application acts on octets of a streamed body, or on their absence, that were not proven (STREAM): every scheme and server."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

from tests.attacks.signed_worlds import MAC
from tests.servers.apps import SEALING
from tests.servers.streamed_drivers import BEHAVIOURS, DONE, READING, by_asgi, by_http_server, by_wsgi
from tests.servers.streamed_worlds import (
    BODY, LIMIT, SCHEMES, TAMPERINGS, Case, Outcome, Seen, cases, framed, guard, sign,
)  # fmt: skip
from watchword import Guard, HMACAuth, HMACVerifier, Reason, Request, SignatureSeal
from watchword.servers import asgi, wsgi

pytestmark = pytest.mark.sweep

HMAC = SCHEMES["hmac"]
SERVERS = {"asgi": by_asgi, "wsgi": by_wsgi, "http.server": by_http_server}


def served(server: str, case: Case) -> bool:
    """Whether it is a request that this server can take, whose body arrives as it was sent."""
    if case.length is not None and case.chunked:
        return server == "wsgi" and case.octets[: case.length] == case.sent  # two lengths: WSGI goes by the first
    return case.intact and not (case.chunked and server == "http.server")


def check(case: Case, body: bytes, behaviour: str, seen: Seen, outcome: Outcome, genuine: bool) -> None:
    if genuine:
        assert outcome.statuses == [204 if behaviour == "no content" else 200]
        assert outcome.content == (b"" if behaviour == "no content" else DONE)
        assert seen.acted == ([body] if behaviour in READING else [])
        return
    assert seen.acted == []
    assert all(status in (400, 401, 411) for status in outcome.statuses)
    assert len(outcome.statuses) == 1 or case.name == "cut off"
    assert DONE[:2] not in outcome.content
    if not case.octets[: None if case.chunked else case.length or 0]:
        assert not seen.ran, "nothing was to come"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("body", [BODY, b""])
def test_whatever_an_application_does_it_acts_on_nothing_unproven_and_says_so_to_nobody(scheme, server, body):
    guard, tried = SCHEMES[scheme].guard(), 0
    for behaviour in BEHAVIOURS:
        for case in cases(SCHEMES[scheme], body):
            seen, outcome = SERVERS[server](case, guard, behaviour)
            try:
                check(case, body, behaviour, seen, outcome, served(server, case))
            except AssertionError as error:
                raise AssertionError(f"{behaviour}: {case.name}: {outcome}, {vars(seen)}") from error
            tried += 1
    assert tried == 17 * len(BEHAVIOURS)


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("digest", ["sha-256", None])
def test_a_seal_changes_nothing_of_that(server, digest):
    judge = guard(HMACVerifier(stream=True), seal=SignatureSeal(SEALING, digest=digest))
    for behaviour in BEHAVIOURS:
        if server == "http.server" and behaviour == "clings":
            continue  # an answer written by hand is not sealed, so it is a 500 in any case
        for each in cases(HMAC, BODY):
            seen, outcome = SERVERS[server](each, judge, behaviour)
            check(each, BODY, behaviour, seen, outcome, served(server, each))


def test_chunks_that_a_wsgi_server_does_not_join_are_refused_before_the_application_runs():
    for name, scheme in SCHEMES.items():
        for each in cases(scheme, BODY):
            if each.name == "intact, chunked":
                seen, outcome = by_wsgi(each, scheme.guard(), "all", terminated=False)
                assert (seen.ran, outcome.statuses) == (False, [400]), name


# ---- answers that begin before the body has come -----------------------------------------------------------------------


def hmac(octets: bytes, tampering: str = "intact", chunked: bool = False, **fields: str) -> Case:
    request, sent = HMAC.sign(octets)
    arriving = TAMPERINGS[tampering](sent)
    made = framed("", request, sent, arriving, None if chunked else len(arriving), chunked)
    more = [(name.encode(), value.encode()) for name, value in fields.items()]
    return made._replace(request=made.request.with_headers(more))


@pytest.mark.parametrize("server", SERVERS)
def test_a_refusal_of_the_application_gives_way_to_that_of_a_wrong_body(server):
    assert SERVERS[server](hmac(BODY), HMAC.guard(), "denies")[1].statuses == [404]
    assert SERVERS[server](hmac(BODY, "changed"), HMAC.guard(), "denies")[1].statuses == [401]


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    ("behaviour", "status"),
    [("all", 200), ("late", 200), ("part, then all", 200), ("ignores", 413), ("meanwhile", 413), ("denies", 404)],
)
def test_of_what_the_application_leaves_the_guards_limit_is_read_and_no_success_comes_after_that(
    server, behaviour, status
):
    """What the application reads by itself has no limit; a refusal of its own claims nothing."""
    seen, outcome = SERVERS[server](hmac(bytes(3 * LIMIT)), HMAC.guard(), behaviour)
    assert outcome.statuses == [status]
    assert seen.acted == ([bytes(3 * LIMIT)] if status == 200 else [])


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("left", [LIMIT, LIMIT + 1])
def test_the_limit_counts_what_is_left_exactly(server, left):
    first = 7 if server == "asgi" else 0  # one message tells that there is a body
    outcome = SERVERS[server](hmac(bytes(first + left)), HMAC.guard(), "ignores")[1]
    assert outcome.statuses == [200 if left == LIMIT else 413]


def test_wsgi_reads_a_body_without_a_length_under_the_guards_limit():
    seen, outcome = by_wsgi(hmac(bytes(LIMIT), chunked=True), HMAC.guard(), "length")
    assert (outcome.statuses, seen.acted) == ([200], [bytes(LIMIT)])
    seen, outcome = by_wsgi(hmac(bytes(LIMIT + 1), chunked=True), HMAC.guard(), "length")
    assert (outcome.statuses, seen.ran) == ([413], False)


@pytest.mark.parametrize("server", SERVERS)
def test_a_client_that_waits_to_be_asked_is_asked_for_an_answer_that_claims_something(server):
    """RFC 9110 §10.1.1: it sends its body after 100 Continue. An application may refuse it without."""
    for behaviour, final, asked in (("denies", 404, False), ("ignores", 200, True), ("all", 200, True)):
        seen, outcome = SERVERS[server](hmac(BODY, expect="100-continue"), HMAC.guard(), behaviour)
        assert (outcome.statuses[-1], seen.asked) == (final, asked)
    seen, outcome = SERVERS[server](hmac(BODY, "changed", expect="100-continue"), HMAC.guard(), "ignores")
    assert outcome.statuses[-1] == 401
    seen, outcome = SERVERS[server](hmac(BODY, "emptied", expect="100-continue"), HMAC.guard(), "denies")
    assert (outcome.statuses[-1], seen.ran) == (401, False)


@pytest.mark.parametrize("server", SERVERS)
def test_an_endless_answer_is_stopped_where_the_body_is_wrong(server):
    assert SERVERS[server](hmac(BODY, "changed"), HMAC.guard(), "endless")[1].statuses == [401]


@pytest.mark.parametrize("cut", [1, 8, 100])
def test_asgi_judges_the_same_in_any_cut(cut):
    for behaviour in BEHAVIOURS:
        for each in cases(HMAC, BODY):
            check(each, BODY, behaviour, *by_asgi(each, HMAC.guard(), behaviour, cut), served("asgi", each))


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_http_2_needs_no_field_to_say_that_a_body_comes(tampering):
    """RFC 9113 §8.1: the end of the stream ends the body."""
    made = hmac(BODY, tampering, chunked=True)
    lines = [(name, value) for name, value in made.request.headers if name != b"transfer-encoding"]
    request = Request("POST", "https", "api.example", made.request.target, lines)
    for behaviour in BEHAVIOURS:
        seen, outcome = by_asgi(made._replace(request=request), HMAC.guard(), behaviour)
        assert outcome.statuses == ([204 if behaviour == "no content" else 200] if tampering == "intact" else [401])
        assert seen.acted == ([BODY] if tampering == "intact" and behaviour in READING else [])
        assert seen.ran is (tampering != "emptied")


# ---- connections that break, and those that are something else -----------------------------------------------------------


class Broken(io.BytesIO):
    """An input whose client has gone after its first octets, or whose next chunk is none; `error` says so in the server's way."""

    def __init__(self, error: Exception) -> None:
        super().__init__(BODY)
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise self.error
        return super().read(3)


@pytest.mark.parametrize("length", [str(len(BODY)), ""])
@pytest.mark.parametrize(
    "error", [ConnectionResetError(), OSError("Invalid chunk header"), ValueError("Bad chunk size")]
)
@pytest.mark.parametrize("judge", [HMAC.guard(), guard(HMACVerifier())])
@pytest.mark.parametrize("swallowing", [True, False])
def test_wsgi_answers_no_success_after_an_input_that_broke(swallowing, judge, error, length):
    request = hmac(BODY).request
    started = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        if swallowing:
            try:
                environ["wsgi.input"].read()
            except Exception:
                pass
        start_response("200 OK", [])
        return [DONE]

    environ = {
        "REQUEST_METHOD": "POST", "RAW_URI": "/upload", "wsgi.url_scheme": "https", "HTTP_HOST": "api.example",
        "wsgi.input": Broken(error), "CONTENT_LENGTH": length, "wsgi.input_terminated": True,
        "HTTP_AUTHORIZATION": request.values(b"authorization")[0].decode(),
    }  # fmt: skip
    chunks = wsgi.protect(app, judge)(environ, lambda status, headers, exc=None: started.append(status))
    assert (b"".join(chunks), started) == (b"", ["400 Bad Request"])


def over_asgi(app: Any, judge: Guard, request: Request, kind: str, messages: list[Any]) -> list[Any]:
    scope = {
        "type": kind, "method": "POST", "scheme": "https" if kind == "http" else "wss", "path": request.target.decode(),
        "raw_path": request.target, "query_string": b"", "client": ("192.0.2.1", 1),
        "headers": [(b"host", b"api.example"), *request.headers], "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asgi.protect(app, judge)(scope, receive, send))
    return sent


@pytest.mark.parametrize("seal", [None, SignatureSeal(SEALING)])
def test_asgi_answers_nothing_to_a_client_that_leaves_before_its_body_is_there(seal):
    async def ignores(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": DONE})

    messages = [{"type": "http.request", "body": BODY[:9], "more_body": True}, {"type": "http.disconnect"}]
    judge = guard(HMACVerifier(stream=True), seal=seal)
    assert over_asgi(ignores, judge, hmac(BODY).request, "http", messages) == []


@pytest.mark.parametrize("name", SCHEMES)
def test_no_asgi_application_takes_a_client_that_leaves_for_the_end_of_a_body(name):
    """Many read until a message has no `more_body`, as http.disconnect has none."""
    acted = []

    async def stores(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        acted.append(body)

    for cut in range(len(SCHEMES[name].sign(BODY)[1]) + 1):
        request, octets = SCHEMES[name].sign(BODY)
        messages = [{"type": "http.request", "body": octets[:cut], "more_body": True}] if cut else []
        assert over_asgi(stores, SCHEMES[name].guard(), request, "http", [*messages, {"type": "http.disconnect"}]) == []
    assert acted == []


def test_an_inner_guard_says_of_a_body_what_the_outer_one_said():
    verdicts: list[Any] = []
    inner, outer = guard(HMACVerifier(), observe=verdicts.append), HMAC.guard()
    request, started = HMAC.sign(BODY)[0], []
    environ = {
        "REQUEST_METHOD": "POST", "RAW_URI": "/upload", "wsgi.url_scheme": "https", "HTTP_HOST": "api.example",
        "wsgi.input": io.BytesIO(BODY.swapcase()), "CONTENT_LENGTH": str(len(BODY)),
        "HTTP_AUTHORIZATION": request.values(b"authorization")[0].decode(),
    }  # fmt: skip
    both = wsgi.protect(wsgi.protect(lambda *_: [DONE], inner), outer)
    assert b"".join(both(environ, lambda status, *_: started.append(status))) == b""
    assert (started, [verdict.reason for verdict in verdicts]) == (["401 Unauthorized"], [Reason.WRONG_BODY])


def test_a_websocket_has_no_body_so_one_that_was_signed_is_missed():
    ran = []

    async def accepts(scope: Any, receive: Any, send: Any) -> None:
        ran.append((await receive())["type"])
        await send({"type": "websocket.accept"})

    for body, kind in ((b"", "websocket.accept"), (BODY, "websocket.http.response.start")):
        ran.clear()
        request = signed_handshake(body)
        sent = over_asgi(accepts, HMAC.guard(), request, "websocket", [{"type": "websocket.connect"}])
        assert sent[0]["type"] == kind
        assert ran == ([] if body else ["websocket.connect"])


def signed_handshake(body: bytes) -> Request:
    return sign(HMACAuth(MAC), Request("GET", "https", "api.example", "/chat"), body)[0]


@pytest.mark.parametrize("length", ["0", "3", str(len(BODY))])
def test_asgi_refuses_a_covered_body_of_two_lengths_whether_it_streams_or_not(length):
    """RFC 9112 §6.1: some servers go by Transfer-Encoding and leave Content-Length for the application to go by."""
    for judge in (HMAC.guard(), guard(HMACVerifier())):
        request, sent = HMAC.sign(BODY)
        made = framed("", request, sent, sent, int(length), True)
        seen, outcome = by_asgi(made, judge, "length")
        assert (seen.ran, outcome.statuses) == (False, [400])
