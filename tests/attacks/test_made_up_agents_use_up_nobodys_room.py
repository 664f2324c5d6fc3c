"""Requests that name made-up agents, by the hundred, keep no new agent of another network from being asked, and none that was met."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.attacks.floods import STRANGER, Answer, answered, block_until, one_48, one_address, unrelated_48s
from tests.patience import PATIENCE
from tests.schemes.bot_world import BOT, KEYS, NOW, PLACE, Web, signed
from tests.schemes.signature_world import base64
from watchword import Guard, Peer, Rejected, Request, explain
from watchword.schemes.signatures.agents import Agent
from watchword.stores import AgentDirectories
from watchword.transport.get import Answer as Fetched
from watchword.transport.get import Fault, FetchFailed, Get, Terms


def asking(guard: Guard, address: str, agent: str = BOT, key: str = "bot", now: float = NOW) -> Answer:
    """What a request that this agent signed gets."""
    request = Request("GET", "https", "site.example", "/page?a=b", peer=Peer(address))
    return judged(guard, signed(KEYS[key], agent, request, now=now))


def judged(guard: Guard, request: Request) -> Answer:
    try:
        guard.verify(request)
    except Rejected as rejected:
        assert rejected.refusal is not None
        return answered(rejected.refusal.response())
    return Answer(200)


def garbage(agent: str, address: str, created: int = 1, octets: int = 3) -> Request:
    """Nothing but a name: signed in 1970, three octets long."""
    fields = {
        "signature-agent": f'sig1="{agent}"',
        "signature-input": 'sig1=("@authority" "signature-agent";key="sig1")'
        f';created={created};expires={created + 300};keyid="{KEYS["bot"].thumbprint()}";tag="web-bot-auth"',
        "signature": f"sig1=:{base64(bytes(octets))}:",
    }
    return Request("GET", "https", "site.example", "/", fields, peer=Peer(address))


def test_garbage_that_needs_no_key_to_be_refused_uses_up_nothing() -> None:
    web = Web(bot=[KEYS["bot"]])
    directories = web.directories((), any_agent=True)
    guard = web.guard(directories)
    for n in range(600):
        assert judged(guard, garbage(f"https://made-up-{n}.example", unrelated_48s(n))) == (401, None)
    assert web.fetched == []
    assert len(directories._tried) == 0
    assert asking(guard, STRANGER) == (200, None)
    assert web.fetched == [PLACE]


@pytest.mark.parametrize(("address", "asked"), [(one_address, 10), (one_48, 30)], ids=["one address", "one /48"])
def test_one_networks_made_up_agents_leave_room_for_those_of_others(address: Callable[[int], str], asked: int) -> None:
    """These are well-formed, fresh, and cover enough: only the key can tell."""
    web = Web(bot=[KEYS["bot"]])
    guard = web.guard(web.directories((), any_agent=True))
    answers = [judged(guard, garbage(f"https://made-up-{n}.example", address(n), int(NOW), 64)) for n in range(600)]
    assert answers.count(Answer(401)) == asked == len(web.fetched)
    assert answers.count(Answer(429, 60)) == 600 - asked
    assert asking(guard, STRANGER) == (200, None)
    assert asking(guard, address(7)) == (200, None)  # it was met meanwhile
    web.clock.now += 60
    assert judged(guard, garbage("https://next.example", address(0), int(NOW), 64)) == (401, None)


def test_of_all_networks_together_so_many_are_asked_in_a_minute_and_who_was_met_is_known_on() -> None:
    web = Web(bot=[KEYS["bot"]], new=[KEYS["other"]])
    guard = web.guard(web.directories((), any_agent=True))
    assert asking(guard, STRANGER) == (200, None)
    web.clock.now += 20
    answers = [
        judged(guard, garbage(f"https://made-up-{n}.example", unrelated_48s(n), int(NOW), 64)) for n in range(200)
    ]
    assert (answers.count(Answer(401)), answers.count(Answer(503, 40))) == (59, 141)
    assert asking(guard, STRANGER, "https://new.example", "other") == (503, 40)
    assert asking(guard, STRANGER) == (200, None)
    web.clock.now += 40
    assert asking(guard, STRANGER, "https://new.example", "other") == (200, None)


def test_addresses_that_are_everybodys_have_no_bound_of_their_own() -> None:
    """Behind a proxy that tells nobody's address a share of one network would be everybody's share."""
    for address in ("", "127.0.0.1", "::1"):
        web = Web()
        guard = web.guard(web.directories((), any_agent=True, new_per_minute=12))
        for n in range(12):
            assert judged(guard, garbage(f"https://made-up-{n}.example", address, int(NOW), 64)) == (401, None)


def test_explain_says_that_there_was_no_room_and_nothing_of_keys() -> None:
    web = Web(bot=[KEYS["bot"]])
    guard = web.guard(web.directories((), any_agent=True, new_per_minute=12))
    request = Request("GET", "https", "site.example", "/", peer=Peer(one_address(0)))
    for n in range(2):
        assert asking(guard, one_address(n), f"https://made-up-{n}.example") == (401, None)
    explanation = explain(signed(request=request), guard)
    assert [check.name for check in explanation.checks] == ["too_many_attempts"]
    for n in range(10):
        assert asking(guard, unrelated_48s(n), f"https://made-up-too-{n}.example") == (401, None)
    explanation = explain(signed(request=request), guard)
    assert [(check.name, bool(check.mend)) for check in explanation.causes] == [("too_busy", True)]


class Slow(Web):
    """Directories called "slow" stand still until `gate` is set."""

    def __init__(self, **directories: list[object]) -> None:
        super().__init__(**directories)  # type: ignore[arg-type]
        self.gate = threading.Event()
        self.running = 0

    def fetch(self, get: Get, terms: Terms) -> Fetched:
        if "slow" in get.url:
            self.running += 1
            assert self.gate.wait(PATIENCE)
            raise FetchFailed(Fault.UNREACHABLE, "nobody there")
        return super().fetch(get, terms)


def test_slow_directories_of_one_network_leave_room_for_new_agents_of_others() -> None:
    web = Slow(bot=[KEYS["bot"]])
    guard = web.guard(web.directories((), any_agent=True))
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(asking, guard, one_address(n), f"https://slow-{n}.example") for n in range(2)]
        try:
            block_until(lambda: web.running == 2)
            assert asking(guard, one_address(0), "https://slow-9.example") == (429, 60)
            assert asking(guard, STRANGER) == (200, None)
        finally:
            web.gate.set()
        assert {each.result(PATIENCE) for each in slow} == {Answer(401)}


def test_while_strangers_take_all_the_room_the_keys_of_those_who_were_met_are_renewed() -> None:
    web = Slow(bot=[KEYS["bot"]])
    directories = web.directories((), any_agent=True)
    guard = web.guard(directories)
    assert asking(guard, STRANGER) == (200, None)
    web.serve("bot.example", [KEYS["next"]])
    web.clock.now += 86_400  # their time is over
    with ThreadPoolExecutor(4) as pool:
        slow = [
            pool.submit(asking, guard, unrelated_48s(n), f"https://slow-{n}.example", now=web.clock.now)
            for n in range(4)
        ]
        try:
            block_until(lambda: web.running == 4)
            assert asking(guard, STRANGER, "https://other.example", now=web.clock.now) == (503, 60)
            assert asking(guard, STRANGER, key="next", now=web.clock.now) == (200, None)
            assert asking(guard, STRANGER, now=web.clock.now) == (401, None)
        finally:
            web.gate.set()
        assert {each.result(PATIENCE) for each in slow} == {Answer(401)}


def test_where_renewals_have_no_room_the_keys_that_are_known_serve_on() -> None:
    """As while the directory is down, and no longer; nobody waits."""
    web = Web(bot=[KEYS["bot"]])
    directories = web.directories((), any_agent=True, stale=1000)
    guard = web.guard(directories)
    assert asking(guard, STRANGER) == (200, None)
    running = [directories._fetches.begin("", met=True) for _ in range(4)]
    assert None not in running
    web.clock.now += 86_400
    for _ in range(3):
        assert asking(guard, STRANGER, now=web.clock.now) == (200, None)
    keys = directories.source(Agent.of(BOT))
    assert getattr(keys, "last_error", None).fault is Fault.BUSY  # type: ignore[union-attr]
    web.clock.now += 1000
    assert asking(guard, STRANGER, now=web.clock.now) == (401, None)
    for landed in running:
        assert landed is not None
        landed()
    web.clock.now += 31
    assert asking(guard, STRANGER, now=web.clock.now) == (200, None)
    assert len(web.fetched) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    "error", [FetchFailed(Fault.TLS, "no TLS"), ZeroDivisionError(), SystemExit(), GeneratorExit()]
)
def test_however_a_fetch_ends_its_room_is_free_again(error: BaseException) -> None:
    def fetch(get: Get, terms: Terms) -> Fetched:
        raise error

    directories = AgentDirectories(any_agent=True, fetch=fetch, clock=lambda: NOW, timeout=0.01)
    for n in range(8):
        keys = directories.admitted(Agent.of(f"https://made-up-{n}.example"), "")
        assert keys._thread is not None
        keys._thread.join(PATIENCE)
    assert directories._fetches._running._counts == {}


def test_closed_directories_ask_nobody_whether_met_or_not() -> None:
    web = Web(bot=[KEYS["bot"]], other=[KEYS["other"]])
    directories = web.directories((), any_agent=True)
    guard = web.guard(directories)
    assert asking(guard, STRANGER) == (200, None)
    directories.close()
    assert asking(guard, STRANGER, "https://other.example", "other") == (401, None)
    assert asking(guard, STRANGER) == (200, None)
    assert web.fetched == [PLACE]


def test_a_made_up_key_id_of_an_agent_that_was_met_asks_once_in_a_cool_down() -> None:
    web = Web(bot=[KEYS["bot"]])
    guard = web.guard(web.directories((), any_agent=True))
    assert asking(guard, STRANGER) == (200, None)
    web.clock.now += 31
    for _ in range(50):
        assert asking(guard, one_address(0), key="other", now=web.clock.now) == (401, None)
    assert len(web.fetched) == 2
