"""Digest as the RFCs' examples and Chromium's tests have it.

What is not answered as there, on purpose, is in the tables below with its reason; a difference that isn't there is a
failure, and so is an entry that no longer differs.
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import Any

import pytest

from watchword import DigestAuth, Request, Response
from watchword.core.flow import ClientContext, run
from watchword.core.scheme import Received, Send
from watchword.fields.auth_params import parse_credentials
from watchword.schemes.digest.computation import algorithm_named, hash_a1, hash_a2, response
from watchword.schemes.digest.credentials import read_offers

from .conftest import load

RFC = {case["id"]: case for case in load("digest", "rfc_examples.json")["cases"]}
CHROMIUM = load("digest", "chromium_digest.json")

NO_QOP = "RFC 2069's form, without qop, covers neither count nor client nonce; it is not answered"

NOT_COMPUTED = {"rfc2069-erratum": NO_QOP}

AUTH_INT = "Chromium answers a challenge for auth-int alone in RFC 2069's form; we leave it unanswered"

# The challenge's text -> why it is not answered.
UNANSWERED = {
    'Digest nonce="xyz", realm="Thunder Bluff"': NO_QOP,
    'Digest nonce="xyz", realm=ThunderBluff': NO_QOP,
    'Digest nonce="xyz"': NO_QOP,
    'Digest realm="", nonce="xyz"': NO_QOP,
    'Digest nonce="xyz", realm="foo-å"': NO_QOP,
    'Digest nonce=xyz, realm="Thunder Bluff"': NO_QOP,
    'Digest nonce="xyz", realm="Thunder Bluff", foo="bar"': NO_QOP,
    'Digest nonce="xyz", algorithm="mD5", realm="Oblivion"': NO_QOP,
    'Digest nonce="xyz", algorithm="md5-sess", realm="Oblivion"': NO_QOP,
    'Digest nonce="xyz", realm="Oblivion", qop="auth-int"': AUTH_INT,
    'Digest nonce="xyz", realm="Thunder Bluff", opaque="foobar"': NO_QOP,
    'Digest nonce="xyz", realm="Thunder Bluff", opaque=foobar': NO_QOP,
    'Digest nonce="xyz", realm="Thunder Bluff", domain="http://intranet.example.com/protection"': NO_QOP,
    'Digest nonce="xyz", realm="Thunder Bluff", '
    'domain="http://intranet.example.com/protection http://www.google.com"': NO_QOP,
}

CREDENTIALS = {
    f"{case['username'] or 'nobody'} {case['method']} {case['uri']} {case['nc']} {n}": case
    for n, case in enumerate(CHROMIUM["credentials"])
}
UNANSWERED_CREDENTIALS = {
    "FooBar GET / 00000001 4": NO_QOP,
    "foo  /path/to/resource 00000001 6": NO_QOP,
    "foo CONNECT www.example.com:443 00000001 7": NO_QOP,
    "foo CONNECT www.example.com:80 00000001 8": NO_QOP,
}


@pytest.mark.parametrize("name", RFC)
def test_the_responses_of_the_rfcs(name: str) -> None:
    case = RFC[name]
    if name in NOT_COMPUTED:
        challenge = 'Digest realm="{realm}", nonce="{nonce}"'.format(**case)
        assert case["qop"] is None and read_offers([challenge.encode()]) == []
        return
    algorithm = algorithm_named(case["algorithm"])
    assert algorithm is not None
    octets = {key: value.encode() for key, value in case.items() if isinstance(value, str)}
    secret = hash_a1(algorithm, octets["username"], octets["realm"], octets["password"])
    a2 = hash_a2(algorithm, octets["method"], octets["uri"])
    got = response(algorithm, secret, octets["nonce"], octets["nc"], octets["cnonce"], octets["qop"], a2).decode()
    assert got == case["response"]
    assert got != case.get("as_printed_wrong", {}).get("response")


@pytest.mark.parametrize("case", CHROMIUM["parse"], ids=lambda case: case["value"])
def test_challenges_as_chromium_reads_them(case: dict[str, Any]) -> None:
    offers = read_offers([case["value"].encode("latin-1")])
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


@pytest.mark.parametrize(
    "case", [case for case in CHROMIUM["parse"] if case["value"] in UNANSWERED], ids=lambda case: case["value"]
)
def test_what_is_unanswered_for_its_qop_is_read_as_chromium_reads_it_once_it_has_one(case: dict[str, Any]) -> None:
    """So that the table above hides no other difference."""
    without = case["value"].replace(', qop="auth-int"', "")
    (offer,) = read_offers([f'{without}, qop="auth"'.encode("latin-1")])
    expected = case["expected"]
    assert offer.realm.decode("latin-1") == expected["realm"]
    assert offer.nonce.decode() == expected["nonce"]
    assert offer.algorithm.name == expected.get("algorithm", "MD5")
    assert (offer.opaque or b"").decode() == expected.get("opaque", "")


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
    run(DigestAuth(case["username"], case["password"]), asked, server, ClientContext(bytes, random=random))
    if name in UNANSWERED_CREDENTIALS:
        assert len(sent) == 1
        return
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


def test_the_tables_hold_nothing_that_is_not_in_the_suites() -> None:
    assert NOT_COMPUTED.keys() <= RFC.keys()
    assert UNANSWERED.keys() <= {case["value"] for case in CHROMIUM["parse"]}
    assert UNANSWERED_CREDENTIALS.keys() <= CREDENTIALS.keys()
