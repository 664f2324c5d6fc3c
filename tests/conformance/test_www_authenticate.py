"""Challenges as Firefox and Chromium read them: Reschke's list, and the tests of Chromium's tokenizer and Digest handler.

Where our answer differs on purpose the tables below say what it is and why; a difference that isn't there is a failure,
and so is an entry that no longer differs.
"""

from __future__ import annotations

from typing import Any

import pytest

from watchword.core.answer import Challenge
from watchword.fields.auth_params import parse_challenges

from .conftest import load

FIREFOX = load("www-authenticate", "greenbytes_firefox.json")["cases"]
TOKENIZER = load("www-authenticate", "chromium_tokenizer.json")["cases"]
DIGEST = load("digest", "chromium_digest.json")["parse"]

# id -> (our realm, reason)
NOT_AS_FIREFOX: dict[str, tuple[str, str]] = {
    "simplebasictokbs": (
        "\\f\\o\\o",
        "a backslash means nothing outside a quoted string (RFC 9110 §5.6.4), so the octets stay, as in Chromium",
    ),
}

# id -> (our answer, reason)
NOT_AS_CHROMIUM: dict[str, tuple[list[Challenge], str]] = {
    "NoValue": (
        [Challenge("digest", (), "qop=")],
        "by the grammar `qop=` is a token68 (RFC 9110 §11.2); it has no nonce, so the Digest scheme can't use it",
    ),
    "Base64": (
        [Challenge("ntlm", (), "SGVsbG8sIFdvcmxkCg===")],
        "a token68 ends in any number of `=` (RFC 9110 §11.2); what they mean is for the scheme to say",
    ),
}


def _realm(challenges: list[Challenge]) -> str:
    """What a Basic prompt would show: the realm of the first Basic challenge, "" without one."""
    for challenge in challenges:
        if challenge.scheme == "basic":
            return dict(challenge.params).get("realm", "")
    return ""


def _chromium(case: dict[str, Any]) -> list[Challenge]:
    token68 = case.get("token68_chromium")
    return (
        [Challenge(case["scheme"], tuple(map(tuple, case.get("params", ()))), token68)]
        if case.get("valid", True)
        else []
    )


def test_the_suites_are_complete() -> None:
    assert (len(FIREFOX), len(TOKENIZER), len(DIGEST)) == (32, 10, 20)
    assert NOT_AS_FIREFOX.keys() <= {case["id"] for case in FIREFOX}
    assert NOT_AS_CHROMIUM.keys() <= {case["id"] for case in TOKENIZER}


@pytest.mark.parametrize("case", FIREFOX, ids=lambda case: case["id"])
def test_the_realm_is_the_one_that_firefox_shows(case: dict[str, Any]) -> None:
    realm = _realm(parse_challenges([value.encode("latin-1") for value in case["values"]]))
    if case["id"] in NOT_AS_FIREFOX:
        assert realm == NOT_AS_FIREFOX[case["id"]][0] != case["firefox_basic_realm"]
    else:
        assert realm == case["firefox_basic_realm"]


@pytest.mark.parametrize("case", TOKENIZER, ids=lambda case: case["id"])
def test_one_challenge_is_cut_as_chromium_cuts_it(case: dict[str, Any]) -> None:
    answer = parse_challenges([case["value"].encode("latin-1")])
    if case["id"] in NOT_AS_CHROMIUM:
        assert answer == NOT_AS_CHROMIUM[case["id"]][0] != _chromium(case)
    else:
        assert answer == _chromium(case)


@pytest.mark.parametrize("case", DIGEST, ids=lambda case: case["value"])
def test_digest_parameters_are_those_that_chromium_finds(case: dict[str, Any]) -> None:
    """The grammar's part of it: which algorithm or qop a client can use, and that it wants a nonce, is the scheme's."""
    [challenge] = parse_challenges([case["value"].encode("latin-1")])
    params = dict(challenge.params)
    if not case["ok"]:
        # Well formed as challenges; refused for the scheme word, a missing nonce, or an algorithm that nobody knows.
        assert challenge.scheme != "digest" or "nonce" not in params or params.get("algorithm") == "awezum"
        return
    assert challenge.scheme == "digest"
    assert params.get("realm", "") == case["expected"]["realm"]
    for name in ("nonce", "opaque", "domain"):
        assert params.get(name) == case["expected"].get(name)
    assert params.get("algorithm", "").lower() == case["expected"].get("algorithm", "").lower()
    offered = [option.strip().lower() for option in params.get("qop", "").split(",")]
    assert (case["expected"].get("qop") or "") == ("auth" if "auth" in offered else "")
