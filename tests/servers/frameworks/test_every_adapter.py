"""The rules that every adapter keeps: one test for each, in all of them."""

from __future__ import annotations

from tests.servers.frameworks.adapters import ADAPTERS  # first: Django's views need its settings

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.core.fakes import FakeVerifier
from tests.servers.frameworks.credentials import (
    ORDER, SEALING, SIGNING, WRONG, bearer, digest, hook, known, once, signed, signing, tokens,
)  # fmt: skip
from tests.servers.frameworks.made import LEFT, VERSION
from tests.servers.streamed_worlds import BODY, SCHEMES, TAMPERINGS
from watchword import (
    BasicAuth, BasicVerifier, BearerAuth, ConfigurationError, DigestAuth, DigestVerifier, Guard, HMACAuth, Policy,
    SealedAuth, SignatureSeal, StoreUnavailable,
)  # fmt: skip
from watchword.core.attempts import AttemptPolicy, Window
from watchword.core.scheme import WHOLE
from watchword.servers import asgi
from watchword.stores.callables import from_callables

PROBLEM = "application/problem+json"
CASES = [(name, prefix) for name, row in ADAPTERS.items() for prefix in row.prefixes]


def those(which: Callable, cases=CASES):
    """Parametrises a test with the rows of which `which` is true."""
    rows = [case for case in cases if which(ADAPTERS[case[0]])]
    return pytest.mark.parametrize("case", rows, ids=["".join(case[:2]) for case in rows])


@pytest.fixture(params=CASES, ids="".join)
def case(request):
    return request.param


@pytest.fixture
def row(case):
    return ADAPTERS[case[0]]


@pytest.fixture
def make(row):
    return row.make


@pytest.fixture
def prefix(case):
    return case[1]


def refused(row, got, status):
    """Whether the answer is the one refusal that there is of its status."""
    assert got.status == status
    if row.problem:
        assert got.values("content-type") == [PROBLEM]
        assert list(json.loads(got.content)) == ["type", "title", "status"]
        assert json.loads(got.content)["status"] == status
    else:
        assert got.content == b""
    return True


# ---- what passes ------------------------------------------------------------------------------------------------------


def test_good_wrong_and_insufficient_credentials(row, make, prefix):
    made = make(tokens())
    assert made.ask(prefix + "/whoami", headers=bearer())[::2] == (200, b"alice")
    wrong = made.ask(prefix + "/whoami", headers=WRONG)
    assert refused(row, wrong, 401)
    assert 'error="invalid_token"' in wrong.values("www-authenticate")[0]
    assert wrong.values("cache-control") == ["no-store"]
    insufficient = made.ask(prefix + "/orders", b"[1]", bearer(scope="orders:read"))
    assert refused(row, insufficient, 403)
    assert 'error="insufficient_scope", scope="orders:write"' in insufficient.values("www-authenticate")[0]
    assert made.ran == ["whoami"]
    written = made.ask(prefix + "/orders", b"[1]", bearer(scope="orders:write"))
    assert (written.status, json.loads(written.content)) == (200, {"size": 1})


@those(lambda row: row.public)
def test_a_public_route_is_judged_by_nobody(make, prefix):
    seen = []
    made = make(tokens(observe=seen.append))
    for body in (b"", b"[1]"):
        got = made.ask(prefix + "/public", body, WRONG)
        assert (got.status, got.content, seen, got.values("cache-control")) == (200, b"everybody", [], [])
    assert made.ask(prefix + "/nowhere", headers=WRONG).status == 404
    assert seen == []


def test_optional_lets_nobody_through_and_no_wrong_credentials(make, prefix):
    made = make(tokens())
    assert made.ask(prefix + "/maybe")[::2] == (200, b"nobody")
    assert made.ask(prefix + "/maybe", headers=bearer())[::2] == (200, b"alice")
    assert made.ask(prefix + "/maybe", headers=WRONG).status == 401
    assert made.ran == ["maybe"] * 2


ORDERS = [(name, order) for name, row in ADAPTERS.items() for order in row.orders]


@pytest.mark.parametrize(("adapter", "order"), ORDERS, ids=[": ".join(case) for case in ORDERS])
def test_no_order_of_decorators_dependencies_or_middlewares_answers_without_the_scope(adapter, order):
    make, path = ADAPTERS[adapter].orders[order]
    made = make(tokens())
    found = [made.ask(path + "/x", headers=headers).status for headers in ({}, WRONG, bearer(), bearer(scope="write"))]
    assert found == [401, 401, 403, 200]


# ---- judged once --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["orders:read", "orders:write", ""])
def test_whoever_asks_again_checks_scopes_only_and_all_of_them_count(make, prefix, scope):
    seen = []
    guard, fresh = once(seen)
    made = make(guard)
    assert made.ask(prefix + "/nested", headers=fresh("orders:read orders:write"))[::2] == (200, b"alice")
    assert len(seen) == 1
    assert made.ask(prefix + "/nested", headers=fresh(scope)).status == 403
    assert made.ask(prefix + "/nested").status == 401
    assert len(seen) == 3
    assert made.ran == ["nested"]


def test_credentials_that_can_be_used_once_are_good_for_all_who_ask_of_one_request(make, prefix):
    (answer,) = make(signing()).through(HMACAuth(SIGNING), ("GET", prefix + "/nested", {}))
    assert (answer.status_code, answer.text) == (200, "robot")
    made = make(digest())
    replayed = made.through(DigestAuth("alice", "open sesame"), *[("GET", prefix + "/nested", {})] * 2)
    assert [answer.text for answer in replayed] == ["alice", "alice"]
    assert made.ask(prefix + "/nested", headers=dict(replayed[-1].request.headers)).status == 401


@those(lambda row: row.around)
@pytest.mark.parametrize("sealed", [False, True])
def test_a_guard_that_is_round_the_whole_app_too_judges_once(row, make, prefix, sealed):
    seen = []
    guard, fresh = once(seen, seal=SignatureSeal(SEALING) if sealed else None)
    made = make(guard)
    made = made._replace(app=row.around(made.app, guard, optional=True))
    got = made.ask(prefix + "/orders", b"[1]", fresh("orders:write"))
    assert (got.status, json.loads(got.content)) == (200, {"size": 1})
    assert made.ask(prefix + "/orders", b"[1]", fresh("")).status == 403
    assert len(seen) == 2
    assert made.ask(prefix + "/orders", b"[1]").status == 401
    assert made.ask(prefix + "/maybe")[::2] == (200, b"nobody")


def test_a_handlers_options_are_judged_like_any_request(make, prefix):
    made = make(tokens())
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    assert made.ask(prefix + "/whoami", method="OPTIONS", headers=preflight).status == 401
    assert made.ask(prefix + "/orders", method="OPTIONS", headers=preflight).status in (200, 204, 401, 405)
    assert made.ran == []
    assert made.ask(prefix + "/whoami", method="OPTIONS", headers=preflight | bearer()).status == 200


@those(lambda row: row.cors)
def test_a_preflight_is_answered_by_what_is_round_the_guard_and_by_nothing_inside_of_it(row, make, prefix):
    seen = []
    guard = tokens(observe=seen.append)
    made = make(guard)
    preflight = {
        "origin": "https://shop.example", "access-control-request-method": "GET", "access-control-request-headers": "authorization",
    }  # fmt: skip
    outside = made._replace(app=row.cors(made.app))
    got = outside.ask(prefix + "/whoami", method="OPTIONS", headers=preflight)
    assert (got.status, got.values("access-control-allow-origin"), seen, made.ran) == (200, ["*"], [], [])
    wrong = outside.ask(prefix + "/whoami", headers=WRONG | preflight)
    assert (wrong.status, wrong.values("access-control-allow-origin")) == (401, ["*"])
    inside = made._replace(app=row.around(row.cors(made.app), guard))
    assert inside.ask(prefix + "/whoami", method="OPTIONS", headers=preflight).status == 401
    assert made.ran == []


# ---- before the body, and what a refusal says ------------------------------------------------------------------------------


@those(lambda row: row.before_the_body)
def test_a_refusal_comes_before_any_of_the_body(make, prefix):
    made = make(tokens())
    for path in ("/orders", "/form", "/stream"):
        for kind in ("application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
            got = made.ask(prefix + path, None, {"content-type": kind, **WRONG}, "POST")
            assert (got.status, made.ran) == (401, []), (path, kind)


@those(lambda row: not row.before_the_body)
def test_where_the_framework_receives_the_body_first_the_guard_round_it_refuses_before(row, make, prefix):
    guard = tokens()
    made = make(guard)
    made = made._replace(app=row.around(made.app, guard, optional=True))
    assert made.ask(prefix + "/orders", None, WRONG, "POST").status == 401


@those(lambda row: row.around is asgi.protect and row.before_the_body)
def test_a_client_that_leaves_while_the_guard_reads_reaches_no_handler(make, prefix):
    made = make(Guard([FakeVerifier(body=WHOLE)]))
    gone = made.ask(prefix + "/orders", LEFT, {"authorization": "fake alice"})
    assert (made.ran, gone.status in (0, 400, 500)) == ([], True)  # as without the guard: nobody reads it


def test_malformed_json_is_a_401_first(make, prefix):
    made = make(tokens())
    assert made.ask(prefix + "/orders", b"{", WRONG).status == 401
    assert made.ask(prefix + "/orders", b"{").status == 401
    assert made.ask(prefix + "/orders", b"{", bearer(scope="orders:write")).status in (400, 422)
    assert made.ran == []


def test_refusals_of_one_status_are_equal(row, make, prefix):
    made = make(tokens())
    forged = {"authorization": bearer()["authorization"] + "x"}
    got = [made.ask(prefix + "/whoami", headers=headers) for headers in ({}, WRONG, forged)]
    assert {each.content for each in got} == {
        b'{"type":"about:blank","title":"Unauthorized","status":401}' if row.problem else b""
    }


def test_all_challenges_reach_the_client(make, prefix):
    made = make(Guard([DigestVerifier(realm="r"), BasicVerifier(realm="r")], known()))
    challenges = ", ".join(made.ask(prefix + "/whoami").values("www-authenticate"))
    assert challenges.startswith("Digest ")
    assert ', Basic realm="r"' in challenges


def test_without_the_store_the_answer_is_503(row, make, prefix, caplog):
    def down(_):
        raise StoreUnavailable

    made = make(Guard([BasicVerifier(realm="r")], from_callables(password=down)))
    with caplog.at_level(logging.CRITICAL, "watchword"):
        got = made.ask(prefix + "/whoami", headers={"authorization": "Basic YWxpY2U6b3BlbiBzZXNhbWU="})
    assert refused(row, got, 503)


def test_too_many_attempts_are_answered_with_the_time_to_wait(row, make, prefix):
    policy = Policy(attempts=AttemptPolicy(pair=[Window(1, 60)]))
    made = make(Guard([BasicVerifier(realm="r")], known(), policy=policy))
    wrong = {"authorization": "Basic YWxpY2U6d3Jvbmc="}
    assert made.ask(prefix + "/whoami", headers=wrong).status == 401
    late = made.ask(prefix + "/whoami", headers=wrong)
    assert refused(row, late, 429)
    assert int(late.values("retry-after")[0]) > 0


def test_proxy_refusals_are_407(row, make, prefix):
    got = make(Guard([BasicVerifier(realm="r")], known(), proxy=True)).ask(prefix + "/whoami")
    assert refused(row, got, 407)
    assert got.values("proxy-authenticate")[0].startswith("Basic")


# ---- the whole admission reaches the wire -------------------------------------------------------------------------------


def streamed(made, prefix):
    """A request whose body a handler streams; of what browsers send by themselves REST framework has read it before."""
    return [] if made.fields else [("POST", prefix + "/stream", {"content": ORDER})]


@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_digest_proves_the_server_too(make, prefix, qop):
    made = make(digest(qop=(qop,)))
    answers = made.through(
        DigestAuth("alice", "open sesame", require_mutual=True), ("GET", prefix + "/whoami", {}), ("GET", prefix + "/nested", {}),
        ("POST", prefix + "/orders", {"json": [1, 2]}), *streamed(made, prefix),
    )  # fmt: skip
    assert [answer.text for answer in answers[:2]] == ["alice", "alice"]
    assert answers[2].json() == {"size": 2}
    assert {(answer.status_code, answer.content) for answer in answers[3:]} <= {(200, ORDER)}


def test_every_answer_of_a_guarded_route_is_sealed(row, make, prefix, caplog):
    made = make(Guard([BasicVerifier(realm="r")], known(), seal=SignatureSeal(SEALING)))
    with caplog.at_level(logging.CRITICAL):
        answers = made.through(
            SealedAuth(SEALING, BasicAuth("alice", "open sesame")), ("GET", prefix + "/whoami", {}),
            ("POST", prefix + "/orders", {"json": [1, 2]}), *streamed(made, prefix),
            ("POST", prefix + "/orders", {"content": b"{", "headers": {"content-type": "application/json"}}),
            *[("GET", prefix + "/fail", {})] * row.failures,
        )  # fmt: skip
    *served, malformed, failed = [answer.status_code for answer in answers] + [500] * (not row.failures)
    assert {*served} == {200}
    assert (malformed in (400, 422, 500), failed) == (True, 500)
    (got,) = made.through(SealedAuth(SEALING, BasicAuth("alice", "wrong")), ("GET", prefix + "/whoami", {}))
    assert got.status_code == 401
    made = make(tokens(seal=SignatureSeal(SEALING)))
    token = bearer()["authorization"].partition(" ")[2]
    (got,) = made.through(SealedAuth(SEALING, BearerAuth(token)), ("POST", prefix + "/orders", {"json": [1]}))
    assert got.status_code == 403


@pytest.mark.parametrize("path", ["/stream", "/ignore"])
def test_a_body_that_is_checked_as_it_passes_is_the_one_that_was_signed(row, make, prefix, path, caplog):
    made, path = make(signing(stream=True)), prefix + path
    assert made.ask(path, ORDER, signed(path)).status == 200
    with caplog.at_level(logging.CRITICAL):
        for other in (ORDER[:-1] + b"x", ORDER[:-1], ORDER + b"x", b""):
            assert refused(row, made.ask(path, other, signed(path), "POST"), 401), other


@pytest.mark.parametrize("scheme", SCHEMES)
def test_chunks_and_signatures_of_every_scheme_are_checked_as_they_pass(case, row, scheme, caplog):
    if case[1] in ("", "/rest"):
        made = row.make(SCHEMES[scheme].guard())
        for name, tamper in TAMPERINGS.items():
            request, sent = SCHEMES[scheme].sign(BODY)
            fields = {name.decode(): value.decode() for name, value in request.headers}
            with caplog.at_level(logging.CRITICAL):
                got = made.ask("/upload", tamper(sent), fields, "POST", scheme="https")
            assert got[::2] == (200, BODY) if name == "intact" else got.status in (400, 401), name


def test_a_body_that_the_guard_reads_is_there_for_the_handler(make, prefix):
    made, path = make(signing()), prefix + "/stream"
    assert made.ask(path, ORDER, signed(path))[::2] == (200, ORDER)
    assert made.ask(path, ORDER + b"x", signed(path)).status == 401
    path = prefix + "/orders"
    assert json.loads(made.ask(path, b"[1,2]", signed(path, b"[1,2]")).content) == {"size": 2}
    assert made.ask(path, b"[1,3]", signed(path, b"[1,2]")).status == 401


# ---- as without the guard -------------------------------------------------------------------------------------------------


def test_an_answer_goes_out_as_it_is_made(make, prefix):
    made = make(tokens())
    assert made.ask(prefix + "/ticks", headers=bearer())[::2] == (200, b"ticktock")
    assert made.ran == ["arrived", "tock"]


def test_an_exception_is_what_it_is_without_the_guard(make, prefix, caplog):
    made = make(tokens())
    with caplog.at_level(logging.CRITICAL):
        public, guarded = (
            made.ask(prefix + path, headers={"x-break": "1", **bearer()}) for path in ("/public", "/fail")
        )
    assert made.ran == ["public", "fail"]
    assert (guarded.status, guarded.raised) == (public.status, public.raised) == (500, guarded.raised)


@those(lambda row: row.later)
def test_what_runs_after_the_answer_runs_after_it_and_not_after_a_refusal(make, prefix):
    made = make(tokens())
    assert made.ask(prefix + "/ignore", b"[1]", bearer()).status == 200
    assert made.ask(prefix + "/ignore", b"[1]", WRONG).status == 401
    assert made.ran == ["ignore", "later"]


def test_a_webhooks_mark_is_taken_back_where_the_handler_fails_and_kept_where_it_does_not(make, prefix, caplog):
    guard, deliver = hook()
    made = make(guard)
    with caplog.at_level(logging.CRITICAL):
        found = [deliver(made, prefix + path).status for path in ("/fail", "/fail", "/stream", "/stream")]
    assert found == [500, 500, 200, 401]


@those(lambda row: row.cancels)
def test_a_handler_that_is_cancelled_is_cancelled_and_its_webhook_may_come_again(make, prefix):
    guard, deliver = hook()
    made = make(guard)
    for _ in range(2):
        with suppress(asyncio.CancelledError):
            assert deliver(made, prefix + "/fail", **{"x-cancel": "1"}).status == 500
    assert made.ran == ["fail", "fail"]
    assert deliver(made, prefix + "/stream").status == 200


# ---- what browsers send by themselves ---------------------------------------------------------------------------------------


@those(lambda row: row.csrf)
@pytest.mark.parametrize(("ambient", "status"), [(True, 403), (False, 200)])
def test_the_frameworks_check_of_forgeries_is_lifted_only_for_what_no_browser_sends_by_itself(
    row, prefix, ambient, status
):
    verifier = FakeVerifier()
    verifier.ambient = ambient
    made = row.csrf(Guard([verifier]))
    fake = {"authorization": "fake alice"}
    assert made.ask(prefix + "/stream", b"a", fake).status == status
    assert made.ask(prefix + "/stream", b"a").status in (401, 403)
    assert made.ask(prefix + "/whoami", headers=fake).status == 200


# ---- WebSockets ---------------------------------------------------------------------------------------------------------


@those(lambda row: row.sockets)
@pytest.mark.parametrize("answers", [True, False])
def test_a_handshake_is_judged_before_it_is_accepted(row, make, prefix, answers):
    made = make(tokens())
    got = asyncio.run(shake(made.app, prefix + "/socket", bearer(), answers=answers))
    assert [message["type"] for message in got] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert got[1]["text"] == "alice"
    wrong = asyncio.run(shake(made.app, prefix + "/socket", WRONG, answers=answers))
    assert made.ran == ["socket"]
    if answers:
        start, body = wrong
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
        assert body["type"] == "websocket.http.response.body"
        assert json.loads(body["body"] or '{"status": 401}')["status"] == 401
    else:
        assert [(message["type"], message["code"]) for message in wrong] == [("websocket.close", 1008)]


async def shake(app, path, headers, *, answers):
    scope = {
        "type": "websocket", "asgi": VERSION, "http_version": "1.1", "scheme": "ws", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "client": ("192.0.2.1", 1), "server": ("api.example", 80), "subprotocols": [],
        "headers": [(name.encode(), value.encode()) for name, value in {"host": "api.example", **headers}.items()],
        "extensions": {"websocket.http.response": {}} if answers else {},
    }  # fmt: skip
    sent, waiting = [], [{"type": "websocket.connect"}]

    async def receive():
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect", "code": 1000}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent


# ---- what an adapter can't carry ------------------------------------------------------------------------------------------


def test_what_is_no_guard_is_refused_at_once(make):
    with pytest.raises(ConfigurationError, match="Guard"):
        make(object())


REFUSED = [(name, what) for name, row in ADAPTERS.items() for what in row.refuses]


@pytest.mark.parametrize(("adapter", "what"), REFUSED, ids=[": ".join(case) for case in REFUSED])
def test_what_an_adapter_cannot_carry_is_refused_at_construction(adapter, what):
    said, construct = ADAPTERS[adapter].refuses[what]
    with pytest.raises(ConfigurationError, match=said):
        construct()
