"""The directories of automated clients as they are fetched: from a real server, once, again, and when they are down."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from wsgiref.simple_server import make_server

import pytest

from tests.schemes.bot_world import BOT, KEYS, PLACE, Web, reason, signed
from tests.servers.conftest import QuietWSGI, ThreadingWSGI
from tests.transport.origin import certificate
from watchword import AsyncGuard, ConfigurationError, Guard, Request
from watchword.schemes.signatures.agents import WELL_KNOWN, Agent
from watchword.schemes.signatures.bots import WebBotVerifier, named_by_thumbprint
from watchword.schemes.signatures.directory import MEDIA_TYPE, KeyDirectory
from watchword.servers.endpoint import asgi_endpoint, wsgi_endpoint
from watchword.stores import AgentDirectories
from watchword.transport.get import Answer


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A directory on TLS, and what trusts it."""
    context, trusted = certificate(tmp_path_factory.mktemp("tls"), "localhost")
    server = make_server("127.0.0.1", 0, None, ThreadingWSGI, QuietWSGI)
    agent = f"https://localhost:{server.server_address[1]}"
    server.set_app(wsgi_endpoint(KeyDirectory([KEYS["bot"]], agent=agent)))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield agent, trusted
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_bot_is_known_by_the_directory_that_it_serves(served):
    agent, trusted = served
    directories = AgentDirectories([agent], allow_private=True, ca_file=trusted, require_proof=True)
    verifier = WebBotVerifier(directories)
    request = signed(agent=agent, now=time.time())
    assert Guard([verifier]).verify(request).subject == agent + WELL_KNOWN
    assert asyncio.run(AsyncGuard([verifier]).verify(request)).subject == agent + WELL_KNOWN
    directories.close()


def test_private_addresses_are_not_asked_unless_that_is_meant(served):
    agent, trusted = served
    directories = AgentDirectories([agent], ca_file=trusted)
    request = signed(agent=agent, now=time.time())
    assert reason(Guard([WebBotVerifier(directories)]), request) == ("unknown_key", "keyid")
    assert "private_address" in str(directories.source(Agent.of(agent)).last_error)
    directories.close()


def test_an_asgi_server_gives_the_same_directory():
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": WELL_KNOWN, "raw_path": WELL_KNOWN.encode(), "query_string": b"",
        "headers": [(b"host", b"bot.example")], "scheme": "https",
    }  # fmt: skip
    asyncio.run(asgi_endpoint(KeyDirectory([KEYS["bot"]], agent=BOT))(scope, receive, send))
    assert sent[0]["status"] == 200
    assert dict(sent[0]["headers"])[b"content-type"] == MEDIA_TYPE.encode()
    assert json.loads(sent[1]["body"])["keys"][0]["kid"] == KEYS["bot"].thumbprint()


def test_a_directory_is_fetched_once_for_many_requests():
    web = Web(bot=[KEYS["bot"]])
    guard = web.guard()
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: reason(guard, signed()), range(24)))
        assert set(outcomes) <= {("", ""), ("too_busy", "")}
        assert set(pool.map(lambda _: reason(guard, signed()), range(24))) == {("", "")}
    assert web.fetched == [PLACE]


def test_a_new_key_is_found_after_the_cool_down_and_a_removed_one_forgotten():
    web = Web(bot=[KEYS["bot"]])
    guard = web.guard()
    assert reason(guard, signed()) == ("", "")
    web.serve("bot.example", [KEYS["next"]])
    fresh = signed(KEYS["next"])
    assert reason(guard, fresh) == ("unknown_key", "keyid")
    web.clock.now += 31
    assert reason(guard, fresh) == ("", "")
    assert reason(guard, signed()) == ("unknown_key", "keyid")
    assert len(web.fetched) == 2


def test_while_a_directory_is_down_its_keys_stay_good_for_a_while():
    web = Web(bot=[KEYS["bot"]])
    guard = web.guard(web.directories(stale=100_000))
    assert reason(guard, signed()) == ("", "")
    web.down = True
    web.clock.now += 86_401
    for _ in range(2):
        assert reason(guard, signed(now=web.clock.now)) == ("", "")
    web.clock.now += 100_000
    assert reason(guard, signed(now=web.clock.now)) == ("unknown_key", "keyid")


def test_a_key_is_good_when_its_directory_says_so_whenever_that_was_fetched():
    web = Web()
    now = web.clock.now
    shown = [
        {**named_by_thumbprint(KEYS["bot"]).to_jwk(), "exp": now + 100},
        {**named_by_thumbprint(KEYS["next"]).to_jwk(), "nbf": now + 50},
    ]
    body = json.dumps({"keys": shown}).encode()
    web.served["bot.example"] = Answer(200, ((b"content-type", MEDIA_TYPE.encode()),), body)
    guard = web.guard()
    for later, bot, following in (
        (0, "", "unknown_key"),
        (60, "", ""),
        (100, "unknown_key", ""),
        (90_000, "unknown_key", ""),
    ):
        web.clock.now = now + later
        outcomes = [reason(guard, signed(KEYS[name], now=web.clock.now))[0] for name in ("bot", "next")]
        assert outcomes == [bot, following], later


def test_a_directory_that_cannot_be_had_makes_the_key_unknown_and_is_not_asked_again_at_once():
    web = Web()
    guard = web.guard()
    for _ in range(3):
        assert reason(guard, signed()) == ("unknown_key", "keyid")
    assert web.fetched == [PLACE]
    web.serve("bot.example", [KEYS["bot"]])
    web.clock.now += 31
    assert reason(guard, signed(now=web.clock.now)) == ("", "")


def test_looking_at_the_keys_of_an_agent_that_never_showed_any_fetches_none():
    web = Web()
    directories = web.directories()
    assert reason(web.guard(directories), signed()) == ("unknown_key", "keyid")
    keys = directories.source(Agent.of(BOT))
    web.clock.now += 31
    assert (len(keys.snapshot()), keys.state, web.fetched) == (0, "empty", [PLACE])
    assert keys.waits([])  # whoever asks by it does


@pytest.mark.parametrize("media", ["application/json", "", "text/html"])
def test_a_directory_of_another_media_type_is_none(media):
    web = Web()
    good = KeyDirectory([KEYS["bot"]], agent=BOT, clock=web.clock).answer(
        Request("GET", "https", "bot.example", WELL_KNOWN)
    )
    lines = [(name, value) for name, value in good.response.headers if name != b"content-type"]
    web.served["bot.example"] = Answer(200, (*lines, (b"content-type", media.encode())), good.body)
    assert reason(web.guard(), signed()) == ("unknown_key", "keyid")


def test_who_may_sign_is_said_or_anybody():
    web = Web(bot=[KEYS["bot"]], stranger=[KEYS["other"]])
    stranger = signed(KEYS["other"], "https://stranger.example")
    assert reason(web.guard(), stranger) == ("unknown_issuer", "signature-agent")
    assert web.fetched == []
    anybody = web.guard(web.directories((), any_agent=True))
    assert anybody.verify(stranger).subject == "https://stranger.example" + WELL_KNOWN


def test_strangers_are_asked_at_a_bounded_rate():
    web = Web()
    guard = web.guard(web.directories((), any_agent=True, new_per_minute=3))
    for n in range(6):
        outcome = reason(guard, signed(agent=f"https://s{n}.example"))
        assert outcome[0] == ("unknown_key" if n < 3 else "too_busy")
    assert len(web.fetched) == 3
    web.clock.now += 60
    assert reason(guard, signed(agent="https://s9.example", now=web.clock.now))[0] == "unknown_key"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"allow": ()}, "any_agent"),
        ({"allow": [BOT], "any_agent": True}, "any_agent"),
        ({"allow": BOT}, "sequence"),
        ({"allow": ["http://bot.example"]}, "https"),
        ({"allow": [BOT], "cool_down": 0}, "seconds"),
        ({"any_agent": True, "new_per_minute": 0}, "new_per_minute"),
        ({"allow": [BOT], "at_once": 0}, "at_once"),
        ({"allow": [BOT], "ca_file": "/nowhere.pem"}, "ca_file"),
    ],
)
def test_directories_that_cannot_work_are_a_configuration_error(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        AgentDirectories(**arguments)
