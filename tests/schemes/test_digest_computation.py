"""The published examples, through the computation and through the client half; and what names and records promise."""

from __future__ import annotations

import json
from binascii import a2b_base64
from pathlib import Path
from typing import Any

import pytest

from tests.schemes.digest_world import ask, params, request
from watchword import ConfigurationError, DigestAuth, Response
from watchword.effects import Received, Send
from watchword.schemes.digest import DigestSecret, NonceKey, ha1
from watchword.schemes.digest.computation import (
    ALGORITHMS, algorithm_named, checked_algorithms, hash_a1, hash_a2, response, session_key,
)  # fmt: skip
from watchword.schemes.digest.credentials import read_offers

CASES = json.loads((Path(__file__).parents[1] / "vectors/digest/rfc.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_computation_gives_the_responses_of_the_rfcs(case: dict[str, Any]) -> None:
    (offer,) = read_offers([case["challenge"].encode()])
    assert offer.algorithm.name == case["algorithm"]
    secret = hash_a1(offer.algorithm, case["username"].encode(), offer.realm, case["password"].encode())
    a2 = hash_a2(offer.algorithm, case["method"].encode(), case["uri"].encode())
    got = response(offer.algorithm, secret, offer.nonce, b"00000001", case["cnonce"].encode(), b"auth", a2)
    assert got.decode() == case["response"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_client_half_sends_the_credentials_of_the_rfcs(case: dict[str, Any]) -> None:
    sent = []

    def server(effect: Send) -> Received:
        sent.append(effect.request)
        unasked = not effect.request.values(b"authorization")
        return Received(Response(401, {"WWW-Authenticate": case["challenge"]}) if unasked else Response(200))

    auth = DigestAuth(case["username"], case["password"])
    ask(auth, server, request(case["uri"], case["method"]), random=lambda n: a2b_base64(case["cnonce"]))
    (value,) = sent[1].values(b"authorization")
    expected = request(headers={"authorization": case["authorization"]})
    if case["same"] == "bytes":
        assert value.decode() == case["authorization"]
    elif case["same"] == "parameters":
        assert params(sent[1]) == params(expected)
    else:
        assert params(sent[1])["response"] == params(expected)["response"]


def test_a_session_secret_takes_in_nonce_and_cnonce() -> None:
    md5 = algorithm_named("md5-sess")
    assert md5 is not None
    base = hash_a1(md5, b"USER", b"Baztastic", b"123")
    assert base.decode() == ha1("MD5", "USER", "Baztastic", "123") == ha1("MD5-sess", "USER", "Baztastic", "123")
    assert len({base, session_key(md5, base, b"n", b"c"), session_key(md5, base, b"n", b"d")}) == 3


def test_algorithms_are_ordered_strongest_first_whatever_order_they_are_named_in() -> None:
    rows = checked_algorithms(["md5", "SHA-512-256", "Sha-256", "MD5"])
    assert [row.name for row in rows] == ["SHA-512-256", "SHA-256", "MD5"]
    assert [row.strength for row in ALGORITHMS] == sorted((row.strength for row in ALGORITHMS), reverse=True)


@pytest.mark.parametrize("names", [[], ["SHA-1"], ["SHA-256", "awezum"], "SHA-256", [""]])
def test_unusable_algorithms_are_a_configuration_error(names: Any) -> None:
    with pytest.raises(ConfigurationError, match="Digest algorithm|is a list"):
        checked_algorithms(names)


def test_ha1_refuses_text_that_has_no_octets() -> None:
    with pytest.raises(ConfigurationError, match="surrogate"):
        ha1("MD5", "\ud800", "realm", "password")


def test_records_hide_what_they_hold() -> None:
    assert "939e" not in repr(DigestSecret("939e7578ed9e3c518a452acee763bce9"))
    assert repr(NonceKey(b"secret")) == "NonceKey()"
    assert DigestSecret.sensitive and NonceKey.sensitive
