"""Web Bot Auth: the drafts' vectors, both halves, and both forms of Signature-Agent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from tests.schemes.bot_world import BOT, KEYS, NOW, PLACE, Web, reason, signed
from tests.schemes.signature_world import URL, key_for, sign, store_with
from watchword import ConfigurationError, Guard, Key, KeySet, Policy, Reason, Rejected, Request, Response, explain
from watchword import SignatureAuth, SignaturePolicy, SignatureVerifier
from watchword.schemes.signatures.accept import read_accept_signature
from watchword.schemes.signatures.agents import MAX_AGENTS, WELL_KNOWN, Agent, agent_field, agent_of, read_agents
from watchword.schemes.signatures.bots import TAG, WebBotAuth, WebBotVerifier, named_by_thumbprint, profile
from watchword.schemes.signatures.components import components_of
from watchword.schemes.signatures.directory import MEDIA_TYPE, KeyDirectory, check_proofs, directory_keys
from watchword.schemes.signatures.wire import read_signatures
from watchword.stores import MemoryStore

VECTORS = Path(__file__).parents[1] / "vectors" / "web-bot-auth"
REQUESTS = json.loads((VECTORS / "requests.json").read_text("utf-8"))
DIRECTORY = json.loads((VECTORS / "directory.json").read_text("utf-8"))
ALGORITHMS = {"RSA": "PS512", "OKP": "EdDSA"}


def vector_guard(case: dict, agent: str = "https://signature-agent.test") -> Guard:
    key = Key.from_jwk(case["key"], algorithm=ALGORITHMS[case["key"]["kty"]])
    return Guard([WebBotVerifier({agent: KeySet([key])})], policy=Policy(clock=lambda: REQUESTS["now"]))


def vector_request(case: dict) -> Request:
    named = {"signature-agent": case["signature_agent"], "signature-input": case["signature_input"]}
    fields = {name: value for name, value in named.items() if value is not None}
    return Request(*REQUESTS["target"], {**fields, "signature": case["signature"]})


# ---- the drafts' vectors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", REQUESTS["good"], ids=lambda case: case["name"])
def test_the_requests_of_the_draft_are_genuine(case):
    who = vector_guard(case).verify(vector_request(case))
    assert who.subject == "https://signature-agent.test" + WELL_KNOWN
    assert who.claims["agent"] == "https://signature-agent.test"
    assert who.key_id == Key.from_jwk(case["key"], algorithm=ALGORITHMS[case["key"]["kty"]]).thumbprint()


@pytest.mark.parametrize("case", REQUESTS["good"], ids=lambda case: case["name"])
def test_a_changed_request_of_the_draft_is_not(case):
    request = vector_request(case)
    assert (
        reason(vector_guard(case), Request("GET", "https", "example.org", "/", request.headers))[0] == "wrong_signature"
    )
    swapped = case["signature_agent"].replace("signature-agent.test", "evil.test")
    other = request.with_headers(((b"signature-agent", swapped.encode()),))
    assert reason(vector_guard(case), other) == ("unknown_issuer", "signature-agent")
    assert reason(vector_guard(case, "https://evil.test"), other)[0] == "wrong_signature"


@pytest.mark.parametrize("case", REQUESTS["unnamed"], ids=lambda case: case["name"])
def test_a_request_that_names_no_agent_is_refused(case):
    assert reason(vector_guard(case), vector_request(case)) == ("not_covered", "signature-agent")


@pytest.mark.parametrize("lines", DIRECTORY["answers"], ids=["draft", "library"])
def test_the_directories_of_the_draft_are_proven(lines):
    body, now = DIRECTORY["body"].encode(), DIRECTORY["now"]
    with pytest.raises(ConfigurationError, match="no key"):
        directory_keys(body, now)
    keys = directory_keys(body, now, allow_test_keys=True)
    asked = Request("GET", "https", DIRECTORY["authority"], WELL_KNOWN)
    response = Response(200, [tuple(line) for line in lines])
    assert check_proofs(keys, asked, response, body, now, required=True) == keys
    for wrong in ((Request("GET", "https", "evil.test", WELL_KNOWN), body), (asked, body + b" ")):
        with pytest.raises(Rejected):
            check_proofs(keys, wrong[0], response, wrong[1], now)


# ---- both halves -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "PS512", "RS256"])
def test_what_a_bot_signs_is_accepted_in_the_name_of_its_directory(algorithm, legacy, rsa_keys):
    key = rsa_keys[algorithm] if algorithm in rsa_keys else Key.generate(algorithm)
    web = Web(bot=[key])
    who = web.guard().verify(signed(key, legacy=legacy))
    assert (who.subject, who.scheme, who.key_id) == (PLACE, "signature", key.thumbprint())
    assert web.fetched == [PLACE]


@pytest.fixture(scope="module")
def rsa_keys():
    pem = Key.generate("RS256")
    jwk = {name: value for name, value in pem.to_jwk(private=True).items() if name != "alg"}
    return {name: Key.from_jwk(jwk, algorithm=name) for name in ("RS256", "PS512")}


def test_what_goes_out():
    request = signed()
    assert request.values(b"signature-agent") == [b'sig1="https://bot.example"']
    (one,) = read_signatures(request.headers)
    assert [str(each) for each in one.covered.components] == [
        '"@method"', '"@authority"', '"@path"', '"@query"', '"signature-agent";key="sig1"',
    ]  # fmt: skip
    assert one.covered.params["tag"] == "web-bot-auth"
    assert one.covered.params["keyid"] == KEYS["bot"].thumbprint()
    assert one.covered.params["expires"] - one.covered.params["created"] == 300
    legacy = signed(legacy=True)
    assert legacy.values(b"signature-agent") == [b'"https://bot.example"']
    assert '"signature-agent"' in [str(each) for each in read_signatures(legacy.headers)[0].covered.components]


def test_a_body_is_covered_and_checked():
    web = Web(bot=[KEYS["bot"]])
    request = signed(request=Request("POST", "https", "site.example", "/form"), body=b"a=b")
    assert reason(web.guard(), request, b"a=b") == ("", "")
    assert reason(web.guard(), request, b"a=c")[0] == "wrong_body"


def test_a_signature_covers_the_authority_alone_if_that_is_wanted():
    web = Web(bot=[KEYS["bot"]])
    request = signed(components=("@authority",))
    elsewhere = Request("DELETE", "https", "site.example", "/other", request.headers)
    assert reason(web.guard(), elsewhere) == ("", "")
    strict = profile(components=("@method", "@authority", "@path"))
    assert reason(web.guard(policy=strict), elsewhere) == ("not_covered", '"@method"')
    assert reason(web.guard(policy=strict), signed()) == ("", "")


def test_the_canonical_string_is_the_same_on_both_sides():
    web, request = Web(bot=[KEYS["bot"]]), signed()
    explanation = explain(request, web.guard())
    assert explanation.accepted
    assert explanation.canonical == WebBotAuth(KEYS["bot"], agent=BOT).canonical(request)


def test_explain_names_the_agent_and_what_is_wrong():
    web = Web(bot=[KEYS["bot"]])
    request = signed()
    explanation = explain(Request("POST", "https", "site.example", "/page?a=b", request.headers), web.guard())
    assert explanation.reason is Reason.WRONG_SIGNATURE
    assert explanation.checks[0].received == PLACE
    assert explanation.causes[0].component


def test_time_is_minded():
    web = Web(bot=[KEYS["bot"]])
    request = signed(lifetime=60)
    for now, expected in ((NOW - 31, "not_yet_valid"), (NOW - 30, ""), (NOW + 59, ""), (NOW + 60, "expired")):
        web.clock.now = now
        assert reason(web.guard(), request)[0] == expected


def test_nonces_are_good_once_where_they_are_demanded():
    web = Web(bot=[KEYS["bot"]])
    verifier = WebBotVerifier(web.directories(), policy=profile(nonce=True))
    assert verifier.single_use
    guard = Guard([verifier], MemoryStore(clock=web.clock), policy=Policy(clock=web.clock))
    assert [reason(guard, signed())[0] for _ in range(2)] == ["", "replayed"]
    with pytest.raises(ConfigurationError, match="needs a store"):
        Guard([verifier])


def test_a_request_of_no_bot_is_not_for_the_verifier():
    web = Web(bot=[KEYS["bot"]])
    assert reason(web.guard(), Request("GET", "https", "site.example", "/"))[0] == "no_credentials"
    refusal = web.guard().refuse(Rejected(Reason.NO_CREDENTIALS))
    assert b'tag="web-bot-auth"' in dict(refusal.headers)[b"accept-signature"]


def test_other_signers_members_stay_and_each_signature_names_its_own():
    first = signed()
    both = signed(KEYS["other"], "https://browser.example", request=first, label="browser")
    assert both.values(b"signature-agent") == [b'sig1="https://bot.example", browser="https://browser.example"']
    web = Web(bot=[KEYS["bot"]], browser=[KEYS["other"]])
    assert web.guard().verify(both).subject == PLACE
    browsers = web.guard(web.directories(["https://browser.example"]))
    assert browsers.verify(both).subject == "https://browser.example" + WELL_KNOWN
    assert reason(web.guard(web.directories([BOT, "https://browser.example"])), both) == (
        "ambiguous",
        "signature-agent",
    )


def test_any_key_set_may_be_named():
    web = Web()
    named = named_by_thumbprint(KEYS["bot"])
    from watchword.transport.get import Answer

    jwks = json.dumps({"keys": [{**named.to_jwk(), "kid": "as I like"}]}).encode()
    web.served["bot.example"] = Answer(200, ((b"content-type", b"application/json"),), jwks)
    request = signed(agent="https://bot.example/keys.json?v=2", type="jwks_uri")
    agent = Agent.of("https://bot.example/keys.json?v=2", "jwks_uri")
    who = web.guard(web.directories([agent])).verify(request)
    assert who.subject == "https://bot.example/keys.json"
    assert web.fetched == ["https://bot.example/keys.json?v=2"]
    assert reason(web.guard(), request) == ("unknown_issuer", "signature-agent")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"agent": "http://bot.example"}, "https"),
        ({"agent": "https://bot.example/keys"}, "origin"),
        ({"agent": "https://user@bot.example"}, "https"),
        ({"agent": "https://bot.example:99999"}, "https"),
        ({"agent": "https://b\u00f6t.example"}, "https"),
        ({"agent": BOT, "type": "cimd"}, "jwks_uri"),
        ({"agent": BOT, "lifetime": 86_401}, "day"),
        ({"agent": BOT, "components": ("@method",)}, "@authority"),
        ({"agent": BOT, "label": "Sig"}, "dictionary key|label"),
    ],
)
def test_a_bot_that_nobody_would_believe_is_a_configuration_error(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        WebBotAuth(KEYS["bot"], **arguments)


@pytest.mark.parametrize("key", [Key.generate("HS256"), Key.generate("A256KW"), "key"], ids=["secret", "enc", "text"])
def test_a_key_that_is_no_pair_is_a_configuration_error(key):
    with pytest.raises(ConfigurationError, match="key pair"):
        WebBotAuth(key, agent=BOT)
    with pytest.raises(ConfigurationError, match="key pair"):
        KeyDirectory([key], agent=BOT)


@pytest.mark.parametrize("agents", [{}, None, "https://bot.example"])
def test_a_verifier_without_agents_is_a_configuration_error(agents):
    with pytest.raises(ConfigurationError, match="needs agents"):
        WebBotVerifier(agents)


def test_a_policy_for_other_tags_is_a_configuration_error():
    from watchword import SignaturePolicy

    with pytest.raises(ConfigurationError, match="one tag"):
        WebBotVerifier({BOT: KeySet([KEYS["bot"]])}, policy=SignaturePolicy())


# ---- Signature-Agent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'"https://Bot.Example/"', BOT),
        (b'sig1="https://bot.example:443"', BOT),
        (b'sig1="https://bot.example";type=directory', BOT),
        (b'sig1="https://[2001:db8::1]:8443"', "https://[2001:db8::1]:8443"),
    ],
)
def test_both_forms_are_read(value, expected):
    agents = read_agents([value])
    agent = agents["sig1"] if isinstance(agents, dict) else agents
    assert agent.origin == expected


@pytest.mark.parametrize(
    "value",
    [
        b'sig1="http://bot.example"', b'sig1="bot.example"', b"sig1=bot", b"sig1", b'sig1=("https://bot.example")',
        b'sig1="https://bot.example/path"', b'sig1="https://bot.example";type=cimd', b'sig1="https://bot.example";type="directory"',
        b'sig1="https://a@bot.example"', b'sig1="data:text/plain,x"', b'sig1="https://bot.example#x"', b'sig1="https://"',
        b'sig1="https://bot.example:0x1"', b'sig1="https://' + b"b" * 2000 + b'"', b'sig1="https://bot.example?x"', b'other="https://bot.example"',
    ],
)  # fmt: skip
def test_an_agent_that_cannot_be_resolved_speaks_for_nobody(value):
    covered = components_of(('signature-agent;key="sig1"',))
    with pytest.raises(Rejected) as refused:
        agent_of(read_agents([value]), "sig1", covered)
    assert refused.value.reason is Reason.MALFORMED_CREDENTIALS


def test_more_agents_than_are_read_are_refused():
    value = b", ".join(agent_field(f"s{n}", BOT) for n in range(MAX_AGENTS + 1))
    with pytest.raises(Rejected):
        read_agents([value])


@given(st.binary(max_size=60))
@examples(200)
def test_arbitrary_octets_name_agents_or_are_rejected(value):
    web = Web(bot=[KEYS["bot"]])
    request = signed().with_headers(((b"signature-agent", value),))
    assert reason(web.guard(), request)[0] in {
        "malformed_credentials",
        "missing_component",
        "wrong_signature",
        "unknown_issuer",
        "unknown_key",
    }


# ---- the directory ---------------------------------------------------------------------------------------------------


def test_a_directory_shows_public_keys_under_their_thumbprints_and_proves_each():
    directory = KeyDirectory([KEYS["bot"], KEYS["next"]], agent=BOT, clock=lambda: NOW)
    asked = Request("GET", "https", "bot.example", WELL_KNOWN)
    answer = directory.answer(asked)
    shown = json.loads(answer.body)["keys"]
    assert [jwk["kid"] for jwk in shown] == [KEYS[name].thumbprint() for name in ("bot", "next")]
    assert all(set(jwk) == {"kty", "crv", "x", "kid", "use"} for jwk in shown)
    assert answer.response.values(b"content-type") == [MEDIA_TYPE.encode()]
    assert answer.response.values(b"cache-control") == [b"public, max-age=86400"]
    keys = directory_keys(answer.body, NOW)
    assert check_proofs(keys, asked, answer.response, answer.body, NOW, required=True) == keys


def test_what_a_directory_answers_to_other_requests():
    directory = KeyDirectory([KEYS["bot"]], agent=BOT, clock=lambda: NOW)

    def ask(method="GET", target=WELL_KNOWN, authority="bot.example", **headers):
        return directory.answer(Request(method, "https", authority, target, headers))

    (tag,) = ask().response.values(b"etag")
    assert ask(**{"if-none-match": tag.decode()}).response.status == 304
    assert ask(**{"if-none-match": f'"x", W/{tag.decode()}'}).response.status == 304
    head = ask("HEAD")
    assert (head.response.status, head.body) == (200, b"")
    assert head.response.values(b"content-length") == ask().response.values(b"content-length")
    assert ask("POST").response.status == 405
    assert ask(target="/").response.status == 404
    assert ask(target=WELL_KNOWN + "?x").response.status == 200
    assert ask(authority="").response.status == 200


def test_keys_that_cannot_be_used_are_passed_over():
    def jwk(key, **more):
        return {**named_by_thumbprint(key).to_jwk(), **more}

    good = jwk(KEYS["bot"])
    bad = [
        jwk(KEYS["next"], kid="mine"), jwk(KEYS["next"], exp=NOW), jwk(KEYS["next"], nbf=NOW + 1), jwk(KEYS["next"], exp="soon"),
        jwk(KEYS["next"], use="enc"), {"kty": "oct", "k": "A" * 43}, {"kty": 1}, {"kty": ["OKP"]}, "key", {"kty": "EC", "crv": "P-521"},
        {"kty": "OKP", "crv": "Ed25519", "x": "short"},
    ]  # fmt: skip
    keys = directory_keys(json.dumps({"keys": [*bad, good]}).encode(), NOW)
    assert [key.key_id for key in keys] == [KEYS["bot"].thumbprint()]
    private = {**KEYS["bot"].to_jwk(private=True), "kid": KEYS["bot"].thumbprint()}
    (key,) = directory_keys(json.dumps({"keys": [private]}).encode(), NOW)
    assert not key.is_private


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": 1}',
        b'{"keys": []}',
        b'{"keys": [1], "keys": []}',
        b"\xff",
        b'{"keys":[' + b"{}," * 16 + b"{}]}",
    ],
)
def test_what_is_no_directory_is_refused(body):
    with pytest.raises(ConfigurationError):
        directory_keys(body, NOW)


@pytest.mark.parametrize(
    "arguments",
    [
        {"keys": []},
        {"keys": [KEYS["bot"]] * 17},
        {"agent": "http://bot.example"},
        {"lifetime": 0},
        {"max_age": 10**7},
        {"keys": [Key.from_jwk(KEYS["bot"].to_jwk())]},
    ],
)
def test_a_directory_that_proves_nothing_is_a_configuration_error(arguments):
    with pytest.raises(ConfigurationError):
        KeyDirectory(**{"keys": [KEYS["bot"]], "agent": BOT, **arguments})


# ---- beside other signatures -----------------------------------------------------------------------------------------


def shared(web: Web, first: str, *, tags: Sequence[str | None] = (None,), **policy: Any) -> Guard:
    """A guard of bots and of keys that it has itself."""
    bots: Any = WebBotVerifier(web.directories())
    own: Any = SignatureVerifier(policy=SignaturePolicy(tags=tags, **policy))
    listed = [bots, own] if first == "bots" else [own, bots]
    return Guard(listed, store_with(ROBOT, now=web.clock), policy=Policy(clock=web.clock))


ROBOT = key_for("ed25519")
AN_APP: Sequence[str | None] = ("app", "another app", "an App?")


@pytest.mark.parametrize("first", ["bots", "own"])
@pytest.mark.parametrize("tag", [None, *AN_APP])
def test_bots_and_ones_own_clients_share_a_guard_and_are_told_apart_by_tag(first: str, tag: str | None) -> None:
    guard = shared(Web(bot=[KEYS["bot"]]), first, tags=(None, *AN_APP))
    assert guard.verify(signed()).subject == PLACE
    assert guard.verify(sign(SignatureAuth(ROBOT, tag=tag), Request("GET", *URL))).subject == "robot"


@pytest.mark.parametrize("first", ["bots", "own"])
def test_a_bot_is_never_taken_for_a_client_nor_a_client_for_a_bot(first: str) -> None:
    guard = shared(Web(bot=[KEYS["bot"]]), first)
    assert reason(guard, sign(SignatureAuth(ROBOT, tag=TAG), Request("GET", *URL)))[0] == "not_covered"
    stranger = signed(KEYS["other"])
    assert reason(guard, stranger)[0] == "unknown_key"
    untagged = stranger.values(b"signature-input")[0].replace(b';tag="web-bot-auth"', b"")
    assert reason(guard, stranger.with_headers([(b"signature-input", untagged)]))[0] == "unknown_key"


@pytest.mark.parametrize("first", ["bots", "own"])
def test_both_are_asked_for_under_labels_of_their_own(first: str) -> None:
    guard = shared(Web(bot=[KEYS["bot"]]), first, tags=(None, *AN_APP))
    with pytest.raises(Rejected) as refused:
        guard.verify(Request("GET", *URL))
    assert refused.value.refusal is not None
    lines = refused.value.refusal.response().values(b"accept-signature")
    assert {one.text("tag") for one in read_accept_signature(lines)} == {None, *AN_APP, TAG}
