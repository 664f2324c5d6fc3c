"""Which place speaks for a signer is what the signer has signed and whoever runs that place, nobody else's word."""

from __future__ import annotations

import json

import pytest

from tests.attacks.test_web_bot_auth_in_anothers_name import by_hand
from tests.schemes.bot_world import BOT, KEYS, Web, reason, signed
from watchword.schemes.signatures.agents import WELL_KNOWN, Agent
from watchword.schemes.signatures.bots import named_by_thumbprint
from watchword.transport.get import Answer


def published(*names: str, media: bytes = b"application/json") -> Answer:
    jwks = {"keys": [named_by_thumbprint(KEYS[name]).to_jwk() for name in names]}
    return Answer(200, ((b"content-type", media),), json.dumps(jwks).encode())


def test_an_agent_that_is_put_beside_two_covered_ones_speaks_for_nobody():
    """The signer covered two members, neither under the signature's label; somebody adds one under it."""
    web = Web(bot=[KEYS["bot"]])
    web.served["evil.example"] = published("bot", media=b"application/http-message-signatures-directory+json")
    guard = web.guard(web.directories([BOT, "https://evil.example"]))
    covered = ("@authority", 'signature-agent;key="a"', 'signature-agent;key="b"')
    request = by_hand(KEYS["bot"], covered, f'a="{BOT}", b="{BOT}"')
    assert reason(guard, request) == ("malformed_credentials", "signature-agent")
    added = request.with_headers(((b"signature-agent", f'a="{BOT}", b="{BOT}", sig1="https://evil.example"'.encode()),))
    assert reason(guard, added) == ("malformed_credentials", "signature-agent")


def key_set(url: str, name: str = "other"):
    return by_hand(KEYS[name], ("@authority", 'signature-agent;key="sig1"'), f'sig1="{url}";type=jwks_uri')


def test_a_directory_that_is_named_as_a_key_set_is_held_to_the_rules_of_directories():
    """Its media type keeps out what users of a site may upload; its signature, what was copied there."""
    well_known = f"https://site.example{WELL_KNOWN}"
    assert Agent.of(well_known, "jwks_uri") == Agent.of("https://site.example")
    web = Web()
    web.served["site.example"] = published("other")
    guard = web.guard(web.directories((), any_agent=True))
    assert reason(guard, key_set(well_known)) == ("unknown_key", "keyid")


def test_strangers_key_sets_prove_nothing_where_a_proof_is_required():
    web = Web()
    web.served["site.example"] = published("other")
    lax, strict = (web.guard(web.directories((), any_agent=True, require_proof=proof)) for proof in (False, True))
    assert reason(lax, key_set("https://site.example/keys.json")) == ("", "")
    assert reason(strict, key_set("https://site.example/keys.json")) == ("unknown_issuer", "signature-agent")


@pytest.mark.parametrize("url", ["https://site.example/echo?text=keys", f"https://site.example{WELL_KNOWN}?of=mallory"])
def test_a_query_chooses_nobodys_keys(url):
    """It is no part of the agent's name, so whoever asked first, or whoever is echoed, would speak for the place."""
    web = Web()
    web.served["site.example"] = published("other")
    guard = web.guard(web.directories((), any_agent=True))
    assert reason(guard, key_set(url))[1] == "signature-agent"
    assert web.fetched == []


def test_the_query_of_an_agent_that_is_allowed_is_the_one_that_was_configured():
    web = Web()
    web.served["site.example"] = published("bot")
    guard = web.guard(web.directories(["https://site.example/keys?of=bot"]))
    assert reason(guard, key_set("https://site.example/keys?of=mallory")) == ("unknown_key", "keyid")
    assert reason(guard, key_set("https://site.example/keys", "bot")) == ("", "")
    assert set(web.fetched) == {"https://site.example/keys?of=bot"}


def test_whoever_has_a_file_at_a_place_is_not_the_place():
    """`agent` is the origin only of whoever runs its well-known directory."""
    web = Web(bot=[KEYS["bot"]])
    web.served["files.example"] = published("other")
    guard = web.guard(web.directories((), any_agent=True))
    file = "https://files.example/mallory/keys.json"
    assert guard.verify(key_set(file)).claims["agent"] == file
    assert guard.verify(signed()).claims["agent"] == BOT


def test_agents_that_are_made_up_push_out_none_that_has_keys(monkeypatch):
    monkeypatch.setattr("watchword.stores.agents._MAX_TRIED", 4)
    web = Web(bot=[KEYS["bot"]])
    directories = web.directories((), any_agent=True, new_per_minute=200)
    guard = web.guard(directories)
    assert reason(guard, signed()) == ("", "")
    for n in range(100):
        assert reason(guard, signed(KEYS["other"], f"https://made-up-{n}.example"))[0] == "unknown_key"
    assert reason(guard, signed()) == ("", "")
    assert web.fetched.count(f"{BOT}{WELL_KNOWN}") == 1
    assert (len(directories._met), len(directories._tried)) == (1, 4)


def test_of_the_agents_that_have_keys_the_one_in_use_is_not_the_first_to_go(monkeypatch):
    monkeypatch.setattr("watchword.stores.agents._MAX_MET", 4)
    web = Web(bot=[KEYS["bot"]], **{f"evil-{n}": [KEYS["other"]] for n in range(7)})
    guard = web.guard(web.directories((), any_agent=True, new_per_minute=8))
    assert reason(guard, signed()) == ("", "")
    for n in range(7):
        assert reason(guard, signed(KEYS["other"], f"https://evil-{n}.example")) == ("", "")
        assert reason(guard, signed()) == ("", "")
    assert web.fetched.count(f"{BOT}{WELL_KNOWN}") == 1


def test_directories_that_are_never_there_are_asked_no_more_often_than_new_ones():
    """Each of them keeps a request waiting; many strangers, each asked again after its cool-down, would keep all waiting."""
    web = Web(bot=[KEYS["bot"]])
    guard = web.guard(web.directories((), any_agent=True, new_per_minute=4))
    assert reason(guard, signed()) == ("", "")
    strangers = [f"https://slow-{n}.example" for n in range(3)]
    for seconds, fetched in ((0, 3), (31, 3), (30, 6), (31, 7), (31, 10)):
        web.clock.now += seconds
        for agent in strangers:
            assert reason(guard, signed(KEYS["other"], agent, now=web.clock.now))[0] in ("unknown_key", "too_busy")
        assert reason(guard, signed(now=web.clock.now)) == ("", "")
        assert len([url for url in web.fetched if "slow" in url]) == fetched
