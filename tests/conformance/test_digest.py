"""Digest as the RFCs' examples and Chromium's tests have it.

What is not answered as there, on purpose, is in the tables below with its reason; a difference that isn't there is a failure.
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import Any

import pytest

from watchword import DigestAuth, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send
from watchword.fields.auth_params import parse_credentials
from watchword.schemes.digest.computation import algorithm_named, hash_a1, hash_a2, legacy_response, response
from watchword.schemes.digest.credentials import read_offers

from .conftest import load

RFC = {case["id"]: case for case in load("digest", "rfc_examples.json")["cases"]}
CHROMIUM = load("digest", "chromium_digest.json")

# The challenge's text -> how it is answered otherwise. Without qop we answer only if asked to (allow_legacy_rfc2069).
ANSWERED_OTHERWISE = {
    'Digest nonce="xyz", realm="Oblivion", qop="auth-int"': "Chromium takes RFC 2069's form; we answer with auth-int",
}
UNANSWERED = {
    'Digest nonce="xyz", algorithm="md5-sess", realm="Oblivion"': "without qop there is no cnonce, which -sess needs",
}

CREDENTIALS = {
    f"{case['username'] or 'nobody'} {case['method']} {case['uri']} {case['nc']} {n}": case
    for n, case in enumerate(CHROMIUM["credentials"])
}


@pytest.mark.parametrize("name", RFC)
def test_the_responses_of_the_rfcs(name: str) -> None:
    case = RFC[name]
    algorithm = algorithm_named(case["algorithm"] or "MD5")
    assert algorithm is not None
    octets = {key: value.encode() for key, value in case.items() if isinstance(value, str)}
    secret = hash_a1(algorithm, octets["username"], octets["realm"], octets["password"])
    a2 = hash_a2(algorithm, octets["method"], octets["uri"])
    if case["qop"] is None:
        got = legacy_response(algorithm, secret, octets["nonce"], a2).decode()
    else:
        got = response(algorithm, secret, octets["nonce"], octets["nc"], octets["cnonce"], octets["qop"], a2).decode()
    assert got == case["response"]
    assert got != case.get("as_printed_wrong", {}).get("response")


@pytest.mark.parametrize("case", CHROMIUM["parse"], ids=lambda case: case["value"])
def test_challenges_as_chromium_reads_them(case: dict[str, Any]) -> None:
    value = case["value"].encode("latin-1")
    offers = read_offers([value], legacy=True)
    if not case["ok"] or case["value"] in UNANSWERED:
        assert offers == []
        return
    (offer,) = offers
    expected = case["expected"]
    assert offer.realm.decode("latin-1") == expected["realm"]
    assert offer.nonce.decode() == expected["nonce"]
    assert offer.algorithm.name == expected.get("algorithm", "MD5")
    assert offer.named == ("algorithm" in expected)
    assert (offer.opaque or b"").decode() == expected.get("opaque", "")
    assert offer.domain == expected.get("domain", "")
    qops = {"auth-int"} if case["value"] in ANSWERED_OTHERWISE else {expected.get("qop")} - {None}
    assert offer.qops >= qops and bool(offer.qops) == bool(qops)
    assert bool(read_offers([value])) == bool(qops), "RFC 2069's form has to be asked for"


@pytest.mark.parametrize("name", CREDENTIALS)
def test_credentials_as_chromium_sends_them(name: str) -> None:
    """Parameter by parameter: Chromium has another order than RFC 7616 §3.9.1."""
    case = CREDENTIALS[name]
    sent = []

    def server(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(401 if len(sent) == 1 else 200, {"WWW-Authenticate": case["challenge"]}))

    def random(n: int) -> bytes:
        """What our client writes as Chromium's client nonce: base64 has all hexadecimal digits."""
        return a2b_base64(case["cnonce"])

    authority = case["uri"] if case["method"] == "CONNECT" else "api.example"
    asked = Request(case["method"], "https", authority, case["uri"])
    auth = DigestAuth(case["username"], case["password"], allow_legacy_rfc2069=True)
    run(auth, asked, server, ClientContext(bytes, random=random))
    (value,) = sent[1].values(b"authorization")
    assert parse_credentials(value) == parse_credentials(case["authorization"].encode())


@pytest.mark.parametrize("case", CHROMIUM["second_challenge_after"]["cases"], ids=lambda case: case["challenge"])
def test_a_second_challenge_as_chromium_takes_it(case: dict[str, str]) -> None:
    """ "stale" is answered again, the others are the caller's answer; the set has no qop, so it is given one.

    Chromium also answers another realm's challenge with the same credentials at once. We don't: nothing says that the
    first answer was right. Its nonce is the same in the stale case, which only a broken server says, so that one is
    given a new nonce.
    """
    qop = ', qop="auth"'
    second = case["challenge"].replace("nonce-value", "other-value") if case["result"] == "stale" else case["challenge"]
    sent = []

    def server(effect: Send) -> Received:
        sent.append(effect.request)
        value = CHROMIUM["second_challenge_after"]["first"] if len(sent) == 1 else second
        return Received(Response(401 if len(sent) < 3 else 200, {"WWW-Authenticate": value + qop}))

    got = run(DigestAuth("foo", "bar"), Request("GET", "https", "api.example", "/"), server, ClientContext(bytes))
    assert got is not None
    assert (got.response.status, len(sent)) == ((200, 3) if case["result"] == "stale" else (401, 2))


def test_the_tables_hold_nothing_that_is_not_in_the_suite() -> None:
    assert ANSWERED_OTHERWISE.keys() | UNANSWERED.keys() <= {case["value"] for case in CHROMIUM["parse"]}
