"""An automated client can't sign in another's name, nor make a server fetch, keep or believe what it should not."""

from __future__ import annotations

import json
from binascii import b2a_base64

import pytest

from tests.schemes.bot_world import BOT, KEYS, NOW, Web, reason, signed
from watchword import Key, Request, Response, Rejected
from watchword.schemes.signatures.agents import WELL_KNOWN
from watchword.schemes.signatures.bots import named_by_thumbprint
from watchword.schemes.signatures.directory import MEDIA_TYPE, KeyDirectory, check_proofs, directory_keys
from watchword.schemes.signatures.scheme import SignatureAuth
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received
from watchword.transport.get import Answer


def by_hand(key: Key, components: tuple[str, ...], field: str, **settings):
    """Signed by whoever knows RFC 9421 and does as he likes with the profile."""
    sent = []

    def send(effect):
        sent.append(effect.request)
        return Received(Response(200))

    auth = SignatureAuth(named_by_thumbprint(key), components=components, **{"tag": "web-bot-auth", **settings})
    request = Request("GET", "https", "site.example", "/", {"signature-agent": field})
    run(auth, request, send, ClientContext(bytes, now=lambda: NOW, random=bytes))
    return sent[0]


OWN = ("@authority", 'signature-agent;key="sig1"')


def test_a_key_proves_the_agent_in_whose_directory_it_is_and_no_other():
    """The key is known, from its own directory; the agent that is named is another."""
    web = Web(bot=[KEYS["bot"]], evil=[KEYS["other"]])
    guard = web.guard(web.directories([BOT, "https://evil.example"]))
    assert reason(guard, signed(KEYS["other"], "https://evil.example")) == ("", "")
    assert reason(guard, signed()) == ("", "")
    assert reason(guard, signed(KEYS["other"], BOT)) == ("unknown_key", "keyid")


def test_an_agent_that_is_not_covered_speaks_for_nobody():
    web = Web(bot=[KEYS["bot"]])
    genuine = by_hand(KEYS["bot"], ("@authority",), f'sig1="{BOT}"')
    assert reason(web.guard(), genuine) == ("not_covered", "signature-agent")
    assert web.fetched == []


def test_an_agent_beside_the_covered_one_speaks_for_nobody():
    web = Web(bot=[KEYS["bot"]], evil=[KEYS["other"]])
    field = f'sig1="https://evil.example", good="{BOT}"'
    assert reason(web.guard(), by_hand(KEYS["other"], OWN, field)) == ("unknown_issuer", "signature-agent")
    both = (*OWN, 'signature-agent;key="good"')
    assert reason(web.guard(), by_hand(KEYS["other"], both, field)) == ("unknown_issuer", "signature-agent")
    good = ("@authority", 'signature-agent;key="good"')
    assert reason(web.guard(), by_hand(KEYS["other"], good, field)) == ("unknown_key", "keyid")


def test_an_agent_that_is_put_in_front_or_behind_changes_nothing_for_the_signature():
    web = Web(bot=[KEYS["bot"]], evil=[KEYS["other"]])
    request = signed()
    for field in (f'evil="https://evil.example", sig1="{BOT}"', f'sig1="{BOT}", evil="https://evil.example"'):
        assert reason(web.guard(), request.with_headers(((b"signature-agent", field.encode()),))) == ("", "")
    twice = f'sig1="{BOT}", sig1="https://evil.example"'
    assert reason(web.guard(), request.with_headers(((b"signature-agent", twice.encode()),)))[0] == "unknown_issuer"
    as_string = request.with_headers(((b"signature-agent", f'"{BOT}"'.encode()),))
    assert reason(web.guard(), as_string)[0] == "malformed_credentials"


def test_another_tag_is_another_matter():
    web = Web(bot=[KEYS["bot"]])
    for tag in (None, "orders", "http-message-signatures-directory"):
        assert reason(web.guard(), by_hand(KEYS["bot"], OWN, f'sig1="{BOT}"', tag=tag))[0] == "no_credentials"


def test_a_signature_that_never_ends_is_refused():
    web = Web(bot=[KEYS["bot"]])
    assert reason(web.guard(), by_hand(KEYS["bot"], OWN, f'sig1="{BOT}"', lifetime=None)) == ("not_covered", "expires")
    request = by_hand(KEYS["bot"], OWN, f'sig1="{BOT}"', lifetime=10 * 86_400)
    web.clock.now += 86_400
    assert reason(web.guard(), request) == ("expired", "created")


def test_a_signature_for_one_authority_is_none_for_another():
    web = Web(bot=[KEYS["bot"]])
    request = signed(components=("@authority",))
    elsewhere = Request("GET", "https", "other.example", "/", request.headers)
    assert reason(web.guard(), elsewhere) == ("wrong_signature", "signature")


@pytest.mark.parametrize(
    "agent",
    [
        "http://bot.example", "https://127.0.0.1@bot.example", "https://bot.example/../x", "https://bot.example#.evil",
        "file:///etc/passwd", "https://bot.example\\@evil", "//bot.example", "https://bot%2eexample", "https:bot.example",
    ],
)  # fmt: skip
def test_what_is_no_https_origin_is_never_fetched(agent):
    web = Web(bot=[KEYS["bot"]])
    anybody = web.guard(web.directories((), any_agent=True))
    field = f'sig1="{agent}"'.replace("\\", "\\\\")
    assert reason(anybody, by_hand(KEYS["bot"], OWN, field)) == ("malformed_credentials", "signature-agent")
    assert web.fetched == []


def test_spellings_of_one_agent_are_one_agent():
    web = Web(bot=[KEYS["bot"]])
    guard = web.guard()
    for agent in (BOT, "https://BOT.example", "https://bot.example/", "https://bot.example:443", "HTTPS://bot.example"):
        assert reason(guard, by_hand(KEYS["bot"], OWN, f'sig1="{agent}"')) == ("", "")
    assert len(web.fetched) == 1


def copied(web: Web, body: bytes | None = None, **lines: str) -> None:
    """evil.example serves what bot.example published, signatures and all."""
    taken = KeyDirectory([KEYS["bot"]], agent=BOT, clock=web.clock).answer(
        Request("GET", "https", "bot.example", WELL_KNOWN)
    )
    headers = [
        (name, lines.get(name.decode().replace("-", "_"), value.decode()).encode())
        for name, value in taken.response.headers
    ]
    web.served["evil.example"] = Answer(200, headers, taken.body if body is None else body)


def test_a_directory_that_was_copied_to_another_place_is_none():
    web = Web()
    copied(web)
    guard = web.guard(web.directories(["https://evil.example"]))
    assert reason(guard, signed(KEYS["bot"], "https://evil.example")) == ("unknown_key", "keyid")
    stripped = web.served["evil.example"]
    web.served["evil.example"] = Answer(
        200, [line for line in stripped.headers if not line[0].startswith(b"signature")], stripped.body
    )
    web.clock.now += 31
    strict = web.guard(web.directories(["https://evil.example"], require_proof=True))
    assert reason(strict, signed(KEYS["bot"], "https://evil.example", now=web.clock.now)) == ("unknown_key", "keyid")


def test_a_directory_signs_for_no_other_authority_however_it_is_asked():
    directory = KeyDirectory([KEYS["bot"]], agent=BOT, clock=lambda: NOW)
    asked = Request("GET", "https", "evil.example", WELL_KNOWN)
    answer = directory.answer(asked)
    keys = directory_keys(answer.body, NOW)
    with pytest.raises(Rejected):
        check_proofs(keys, asked, answer.response, answer.body, NOW)
    genuine = Request("GET", "https", "bot.example", WELL_KNOWN)
    assert check_proofs(keys, genuine, answer.response, answer.body, NOW, required=True) == keys


def test_a_key_that_is_slipped_into_a_directory_spoils_it():
    web = Web()
    jwks = {"keys": [{**named_by_thumbprint(KEYS[name]).to_jwk()} for name in ("bot", "other")]}
    copied(web, json.dumps(jwks).encode())
    guard = web.guard(web.directories(["https://evil.example"]))
    for name in ("bot", "other"):
        assert reason(guard, signed(KEYS[name], "https://evil.example")) == ("unknown_key", "keyid")


def test_a_proof_of_an_earlier_draft_binds_its_key_to_its_authority():
    """It covers no content, so another key can be put beside it; that one has to prove itself."""
    asked = Request("GET", "https", "bot.example", WELL_KNOWN)
    key = named_by_thumbprint(KEYS["bot"])
    params = f'("@authority";req);created={NOW:.0f};expires={NOW + 60:.0f};keyid="{key.key_id}";tag="http-message-signatures-directory"'
    base = f'"@authority";req: bot.example\n"@signature-params": {params}'
    signature = b2a_base64(key.sign(base.encode()), newline=False).decode()
    response = Response(200, {"signature-input": f"binding0={params}", "signature": f"binding0=:{signature}:"})
    both = [key, named_by_thumbprint(KEYS["other"])]
    assert check_proofs(both, asked, response, b"", NOW) == both
    assert check_proofs(both, asked, response, b"", NOW, required=True) == [key]
    with pytest.raises(Rejected):
        check_proofs(both, Request("GET", "https", "evil.example", WELL_KNOWN), response, b"", NOW)


def test_proofs_of_the_past_and_of_the_future_are_none():
    asked = Request("GET", "https", "bot.example", WELL_KNOWN)
    answer = KeyDirectory([KEYS["bot"]], agent=BOT, clock=lambda: NOW, lifetime=86_400).answer(asked)
    keys = directory_keys(answer.body, NOW)
    for now in (NOW - 100, NOW + 86_400):
        with pytest.raises(Rejected):
            check_proofs(keys, asked, answer.response, answer.body, now)


def test_shared_secrets_and_keys_that_everybody_has_are_in_no_directory():
    web = Web()
    secret = {"kty": "oct", "k": "A" * 43, "kid": "x", "use": "sig"}
    test_key = {"kty": "OKP", "crv": "Ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}
    everybodys = Key.from_jwk({**test_key, "d": "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU"}, algorithm="EdDSA")
    body = json.dumps({"keys": [secret, test_key]}).encode()
    web.served["bot.example"] = Answer(200, ((b"content-type", MEDIA_TYPE.encode()),), body)
    assert reason(web.guard(), signed(everybodys)) == ("unknown_key", "keyid")
    assert reason(web.guard(web.directories(allow_test_keys=True)), signed(everybodys)) == ("", "")


def test_a_huge_directory_is_not_read():
    web = Web()
    jwk = named_by_thumbprint(KEYS["bot"]).to_jwk()
    body = json.dumps({"keys": [jwk] * 17}).encode()
    web.served["bot.example"] = Answer(200, ((b"content-type", MEDIA_TYPE.encode()),), body)
    assert reason(web.guard(), signed()) == ("unknown_key", "keyid")


def test_many_signatures_cause_one_fetch_at_most():
    web = Web()
    guard = web.guard(web.directories((), any_agent=True))
    request = signed(agent="https://a0.example")
    for n in range(1, 8):
        request = signed(agent=f"https://a{n}.example", request=request, key=Key.generate("EdDSA"), label=f"s{n}")
    assert reason(guard, request)[0] == "ambiguous"
    assert web.fetched == []
