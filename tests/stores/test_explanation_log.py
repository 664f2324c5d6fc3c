"""`ExplanationLog`: explanations are made beside the answers, within a budget, and are found by request id."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from watchword import (
    AsyncGuard, BasicVerifier, ConfigurationError, Guard, HMACAuth, HMACVerifier, JWTVerifier, Key, Policy, Reason, Rejected,
    Request, StoreUnavailable,
)  # fmt: skip
from watchword.core.message import Peer, Response
from watchword.core.records import Found, Ref
from watchword.core.scheme import Check
from watchword.effects import Received
from watchword.schemes.explaining.program import Explanation
from watchword.stores import ExplanationLog, MemoryStore, explanation_log
from watchword.stores.explanation_files import MAX_SIZE, ExplanationFiles, KeptExplanation
from watchword.transport.flow import ClientContext, run

NOW = 1_700_000_000.0
SECRET = "a secret that no output may show, 32+"
KEY = Key.from_secret(SECRET, algorithm="HS256", key_id="robot-1")
ID = "order-7.a_b"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path) -> ExplanationLog:
    return ExplanationLog(tmp_path / "log", per_minute=600)


def store(clock: Clock) -> MemoryStore:
    made = MemoryStore(clock=clock)
    made.add_key("robot", KEY)
    return made


def policy(log: ExplanationLog, clock: Clock, **more: Any) -> Policy:
    return Policy(explanations=log, clock=clock, **more)


def signed(path: str = "/orders", body: bytes = b"", **fields: str) -> Request:
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    lengths = {"Content-Length": str(len(body))} if body else {}
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    request = Request("POST", "https", "api.example", "/orders", {**lengths, **named})
    run(HMACAuth(KEY), request, send, ClientContext(lambda: body, now=lambda: NOW))
    made = sent[-1]
    return Request.raw("POST", "https", "api.example", path.encode(), made.headers, Peer("192.0.2.7"), True)


def bare(path: str = "/", address: str = "192.0.2.7", **fields: str) -> Request:
    """Without credentials: its explanation costs little."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return Request("GET", "https", "api.example", path, named, Peer(address))


def refused(guard: Guard, request: Request, body: bytes = b"") -> str:
    """The request id of the refusal."""
    with pytest.raises(Rejected) as caught:
        guard.verify(request, body)
    assert caught.value.refusal is not None
    (request_id,) = caught.value.refusal.response().values(b"x-request-id")
    return request_id.decode()


def test_an_explanation_is_found_by_the_id_that_the_request_had(log: ExplanationLog, clock: Clock) -> None:
    guard = Guard([HMACVerifier()], store(clock), policy=policy(log, clock))
    assert refused(guard, signed("/orders/", X_Request_ID=ID)) == ID
    log.flush()
    (kept,) = log.read(ID)
    assert (kept.request_id, kept.at, kept.reason) == (ID, NOW, Reason.WRONG_SIGNATURE)
    assert (kept.address, kept.method, kept.path, kept.note) == ("192.0.2.7", "POST", "/orders/", "")
    cause = kept.explanation.causes[0]
    assert (cause.component, cause.expected, cause.received) == ("@path", "/orders", "/orders/")
    assert str(kept).startswith("2023-11-14T22:13:20Z POST /orders/ from 192.0.2.7: wrong_signature\nrefused by hmac: ")
    assert json.loads(kept.to_json())["explanation"]["causes"][0]["component"] == "@path"
    assert log.read("another") == []


@pytest.mark.parametrize("given", [None, "", "../../etc/passwd", ".hidden", "a b", "a/b", "x" * 129, "a\nb", "é"])
def test_an_id_that_is_no_name_is_replaced_by_one_of_our_own(
    log: ExplanationLog, clock: Clock, given: str | None
) -> None:
    guard = Guard([JWTVerifier(KEY)], policy=policy(log, clock))
    fields = [] if given is None else [("X-Request-ID", given)]
    request_id = refused(guard, Request("GET", "https", "api.example", "/", fields))
    assert len(request_id) == 32
    assert int(request_id, 16)
    log.flush()
    assert log.read(request_id)[0].explanation.reason is Reason.NO_CREDENTIALS


def test_two_ids_are_none(log: ExplanationLog, clock: Clock) -> None:
    guard = Guard([JWTVerifier(KEY)], policy=policy(log, clock))
    two = [("X-Request-ID", "one"), ("X-Request-ID", "two")]
    assert refused(guard, Request("GET", "https", "api.example", "/", two)) not in ("one", "two")


def test_whoever_repeats_an_id_overwrites_nothing(log: ExplanationLog, clock: Clock) -> None:
    guard = Guard([JWTVerifier(KEY)], policy=policy(log, clock))
    for path in ("/first", "/second"):
        clock.now += 0.5
        refused(guard, bare(path, X_Request_ID=ID))
    log.flush()
    assert [kept.path for kept in log.read(ID)] == ["/first", "/second"]


def test_an_accepted_request_and_a_guard_without_a_log_have_no_id(
    log: ExplanationLog, clock: Clock, tmp_path: Path
) -> None:
    guard = Guard([HMACVerifier()], store(clock), policy=policy(log, clock))
    guard.verify(signed(X_Request_ID=ID))
    log.flush()
    assert not (tmp_path / "log").exists()
    with pytest.raises(Rejected) as caught:
        Guard([JWTVerifier(KEY)]).verify(Request("GET", "https", "api.example", "/", {"X-Request-ID": ID}))
    assert caught.value.refusal is not None
    assert not caught.value.refusal.response().values(b"x-request-id")


# ---- the body -----------------------------------------------------------------------------------------------------------


def test_the_body_that_the_guard_read_is_explained(log: ExplanationLog, clock: Clock) -> None:
    guard = Guard([HMACVerifier()], store(clock), policy=policy(log, clock))
    refused(guard, signed(body=b'{"a": 1}', X_Request_ID=ID), b'{"a":1}')
    log.flush()
    assert log.read(ID)[0].explanation.causes[0].component == "body"


def chunks(*parts: bytes) -> Any:
    left = [*parts, b""]
    return lambda: left.pop(0)


def test_a_short_body_that_the_guard_had_no_need_of_is_read_for_it(log: ExplanationLog, clock: Clock) -> None:
    """As adapters read it in any case, before they refuse."""
    guard = Guard([HMACVerifier(stream=True)], store(clock), policy=policy(log, clock))
    left = chunks(b"he", b"llo")
    with pytest.raises(Rejected):
        guard.admit(signed("/orders/", body=b"hello", X_Request_ID=ID), left)
    log.flush()
    kept = log.read(ID)[0]
    assert kept.note == ""
    assert [cause.component for cause in kept.explanation.causes] == ["@path"]


@pytest.mark.parametrize(
    "fields",
    [{"Content-Length": "65537"}, {"Transfer-Encoding": "chunked"}, {"Content-Length": "5", "Expect": "100-continue"}, {"Content-Length": "x"}],
    ids=["long", "chunked", "only if asked for", "no number"],
)  # fmt: skip
def test_of_a_body_that_is_not_known_nothing_is_said(log: ExplanationLog, clock: Clock, fields: dict[str, str]) -> None:
    guard = Guard([HMACVerifier(stream=True)], store(clock), policy=policy(log, clock))

    def never() -> bytes:
        raise AssertionError("nobody asked the client for it")

    request = signed("/orders/", X_Request_ID=ID)
    more = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    with pytest.raises(Rejected) as caught:
        guard.admit(request.with_headers(more), never)
    log.flush()
    kept = log.read(ID)[0]
    assert "the body was not read" in kept.note
    assert kept.explanation.causes[0].name == caught.value.reason.value
    assert len(kept.explanation.checks) == 1


def test_a_body_that_breaks_off_is_not_known(log: ExplanationLog, clock: Clock) -> None:
    guard = Guard([HMACVerifier(stream=True)], store(clock), policy=policy(log, clock))

    def broken() -> bytes:
        raise Rejected(Reason.MALFORMED_REQUEST, "it broke off")

    with pytest.raises(Rejected) as caught:
        guard.admit(signed("/orders/", body=b"hello", X_Request_ID=ID), broken)
    assert caught.value.reason is Reason.WRONG_SIGNATURE
    log.flush()
    assert "not read" in log.read(ID)[0].note


# ---- bounds -------------------------------------------------------------------------------------------------------------


def test_a_minute_has_a_budget_of_which_one_kind_of_refusal_has_a_third(tmp_path: Path) -> None:
    log = ExplanationLog(tmp_path, per_minute=6)
    kinds = [Rejected(reason) for reason in (Reason.WRONG_SECRET, Reason.WRONG_SIGNATURE)]
    one = [log.has_room("192.0.2.7", kinds[0], NOW + at) for at in range(4)]
    assert one == [True, True, False, False]
    assert [log.has_room("192.0.2.7", kinds[1], NOW + 5) for _ in range(3)] == [True, True, False]
    assert [log.has_room("192.0.2.8", kinds[0], NOW + 6) for _ in range(3)] == [True, True, False]
    assert not log.has_room("192.0.2.9", kinds[0], NOW + 59), "the minute's budget is spent, whoever comes"
    assert log.dropped == 5
    assert log.has_room("192.0.2.7", kinds[0], NOW + 60)
    assert log.has_room("192.0.2.7", kinds[0], NOW - 3600), "a clock that was set back"


def test_a_network_of_ipv6_is_one_client(tmp_path: Path) -> None:
    log = ExplanationLog(tmp_path, per_minute=3)
    kind = Rejected(Reason.WRONG_SECRET)
    assert [log.has_room(f"2001:db8::{host}", kind, NOW) for host in "123"] == [True, False, False]


@pytest.mark.parametrize("reason", [Reason.TOO_MANY_ATTEMPTS, Reason.TOO_BUSY, Reason.STALE_NONCE])
def test_what_has_no_cause_takes_nothing_of_the_budget(log: ExplanationLog, reason: Reason) -> None:
    assert not log.has_room("", Rejected(reason), NOW)
    assert log.dropped == 0


def test_a_flood_of_refusals_makes_no_more_explanations_than_the_budget_has(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    made: list[Request] = []
    explain = explanation_log.explain

    def counted(request: Request, *args: Any, **more: Any) -> Any:
        made.append(request)
        assert more["try_passwords"] is False
        return explain(request, *args, **more)

    monkeypatch.setattr(explanation_log, "explain", counted)
    log = ExplanationLog(tmp_path, per_minute=6)
    guard = Guard([JWTVerifier(KEY)], policy=policy(log, clock))
    for number in range(200):
        refused(guard, bare(address=f"192.0.2.{number}"))
        log.flush()
    assert len(made) == 6
    assert log.dropped == 194


def test_the_thread_has_a_tenth_of_a_core_at_most(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the time that it worked, which is made up here: no clock of this machine decides."""
    rests: list[float] = []
    rested = threading.Semaphore(0)
    worked = iter([0.0, 2.0, 2.0, 2.5, 2.5, 100.0])

    def rest(seconds: float) -> None:
        rests.append(seconds)
        rested.release()

    monkeypatch.setattr(explanation_log, "thread_time", lambda: next(worked))
    monkeypatch.setattr(explanation_log, "sleep", rest)
    guard = Guard([JWTVerifier(KEY)], policy=policy(ExplanationLog(tmp_path, per_minute=600), clock))
    for number in range(3):
        refused(guard, bare(f"/{number}"))
        assert rested.acquire(timeout=PATIENCE)
    assert rests == [18.0, 4.5, explanation_log.MAX_REST]


def test_no_answer_waits_for_an_explanation_and_few_wait_to_be_made(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    go_on = threading.Event()

    def endless(*_: Any, **__: Any) -> Any:
        assert go_on.wait(PATIENCE)
        raise ValueError(SECRET)

    monkeypatch.setattr(explanation_log, "explain", endless)
    log = ExplanationLog(tmp_path, per_minute=600)
    guard = Guard([JWTVerifier(KEY)], policy=policy(log, clock))
    for number in range(40):
        refused(guard, bare(f"/{number}"))
    assert log.dropped >= 40 - explanation_log.WAITING - 2
    go_on.set()
    log.flush()


def test_the_newest_are_kept_and_none_is_large(tmp_path: Path, clock: Clock) -> None:
    log = ExplanationLog(tmp_path, keep=2, per_minute=600)
    guard = Guard([JWTVerifier(KEY)], policy=policy(log, clock))
    long = "\x1b" * 20_000
    told = Explanation(
        False, Reason.WRONG_SIGNATURE, long, long, "hmac", None, long, [Check(long, False, *[long] * 4)] * 90
    )
    ExplanationFiles(tmp_path, 2).write(KeptExplanation("id-0", NOW, Reason.WRONG_SIGNATURE, "", long, long, told))
    assert [path.stat().st_size <= MAX_SIZE for path in tmp_path.iterdir()] == [True]
    assert log.read("id-0")[0].explanation.causes
    for number in (1, 2, 3):
        clock.now = NOW + number
        refused(guard, bare(f"/{number}", X_Request_ID=f"id-{number}"))
    log.flush()
    assert [bool(log.read(f"id-{number}")) for number in range(4)] == [False, False, True, True]
    assert len([*tmp_path.iterdir()]) == 2


def test_a_file_is_for_its_owner_only(log: ExplanationLog, clock: Clock, tmp_path: Path) -> None:
    refused(Guard([JWTVerifier(KEY)], policy=policy(log, clock)), Request("GET", "https", "api.example", "/"))
    log.flush()
    (path,) = (tmp_path / "log").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("options", [{"keep": 0}, {"keep": 10**6}, {"per_minute": 0}, {"per_minute": 601}])
def test_numbers_that_bound_nothing_are_refused(tmp_path: Path, options: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        ExplanationLog(tmp_path, **options)


def test_what_is_no_log_is_refused_when_the_guard_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ExplanationLog"):
        Guard([JWTVerifier(KEY)], policy=Policy(explanations=tmp_path))  # type: ignore[arg-type]


# ---- secrets, failures --------------------------------------------------------------------------------------------------


def test_nothing_that_could_admit_a_request_is_kept(log: ExplanationLog, clock: Clock, tmp_path: Path) -> None:
    guard = Guard([HMACVerifier(), BasicVerifier(realm="orders")], store(clock), policy=policy(log, clock))
    marks = ["marked-cookie-0123456789", "marked-query-0123456789", "marked-password-0123456789"]
    basic = b64encode(f"alice:{marks[2]}".encode()).decode()
    request = Request(
        "GET",
        "https",
        "api.example",
        f"/?token={marks[1]}",
        {"Cookie": f"session={marks[0]}", "Authorization": f"Basic {basic}"},
    )
    refused(guard, request)
    wrong = signed("/other", X_Request_ID=ID)
    refused(guard, wrong)
    log.flush()
    text = b"".join(path.read_bytes() for path in (tmp_path / "log").iterdir()).decode()
    mac = wrong.values(b"authorization")[0].decode().partition('mac="')[2].rstrip('"')
    for secret in (*marks, basic, SECRET, mac):
        assert secret not in text
        assert secret[: len(secret) * 3 // 4] not in text


def test_a_failure_is_logged_by_its_type_and_the_next_one_is_kept(log: ExplanationLog, clock: Clock, tmp_path: Path, caplog: Any) -> None:  # fmt: skip
    (tmp_path / "log").write_text("no directory")
    guard = Guard([JWTVerifier(KEY)], policy=policy(log, clock))
    refused(guard, bare(X_Request_ID=ID))
    log.flush()
    assert [record.getMessage() for record in caplog.records] == ["an explanation could not be kept: FileExistsError"]
    with pytest.raises(StoreUnavailable):
        log.read(ID)
    (tmp_path / "log").unlink()
    refused(guard, bare(X_Request_ID=ID))
    log.flush()
    assert len(log.read(ID)) == 1


def test_a_file_that_somebody_damaged_is_passed_over(log: ExplanationLog, clock: Clock, tmp_path: Path) -> None:
    guard = Guard([JWTVerifier(KEY)], policy=policy(log, clock))
    refused(guard, bare(X_Request_ID=ID))
    log.flush()
    directory = tmp_path / "log"
    for number, text in enumerate(("", "[]", "{", '{"explanation": {}}')):
        (directory / f"{number:020d}-{ID}.json").write_text(text)
    (directory / "README").write_text("ours")
    assert len(log.read(ID)) == 1


# ---- event loops ----------------------------------------------------------------------------------------------------------


class Awaiting:
    """A store that can only be asked on the loop that it was made on."""

    def __init__(self, inner: MemoryStore) -> None:
        self.inner = inner
        self.kinds = inner.kinds
        self.thread = threading.get_ident()

    async def fetch(self, refs: Any) -> Found:
        assert threading.get_ident() == self.thread
        await asyncio.sleep(0)
        return self.inner.fetch([ref for ref in refs if isinstance(ref, Ref)])

    async def commit(self, writes: Any) -> Any:
        return self.inner.commit(writes)


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_store_of_an_event_loop_is_asked_on_it(log: ExplanationLog, clock: Clock, awaiting: bool) -> None:
    async def ask() -> None:
        records = Awaiting(store(clock)) if awaiting else store(clock)
        guard = AsyncGuard([HMACVerifier()], records, policy=policy(log, clock))
        with pytest.raises(Rejected):
            await guard.verify(signed("/orders/", X_Request_ID=ID))
        await asyncio.to_thread(log.flush)

    asyncio.run(ask())
    assert log.read(ID)[0].explanation.causes[0].component == "@path"
