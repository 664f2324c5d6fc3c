"""curl's own cases about Digest: every Authorization and Proxy-Authorization that curl must send, computed and sent by us.

What a case does not tell is its password where curl's test is a C program; those are in PASSWORDS. Cases without
credentials of Digest, and what we do otherwise on purpose, are in the tables with their reasons; an entry that isn't
needed is a failure.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import NamedTuple

import pytest

from watchword import ConfigurationError, DigestAuth, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send
from watchword.fields.auth_params import parse_challenges, parse_credentials
from watchword.schemes.digest.computation import (
    algorithm_named, hash_a1, hash_a2, legacy_response, response, username_hash,
)  # fmt: skip
from watchword.schemes.digest.credentials import read_credentials

from .conftest import vectors

# Passwords that only the C program of a case knows.
PASSWORDS = {
    "565": ["foo:bar"], "1568": ["testuser:testpass"],
    "2024": ["testuser:testpass", "testuser:wrongpass"], "2026": ["testuser:testpass", "testuser:wrongpass"],
    "2027": ["testuser:testpass", "testuser:wrongpass"], "2028": ["testuser:testpass", "testuser:wrongpass"],
    "2030": ["testuser:testpass", "testuser:wrongpass"],
}  # fmt: skip

NO_CREDENTIALS = {
    "175": "the server asks for nothing of Digest", "177": "the server asks for nothing of Digest",
    "579": "the user's callback fails before the retry", "718": "curl has no password", "1072": "the body can't be rewound",
    "1648": "curl has no password", "3101": "Basic only; Digest is a feature's name",
}  # fmt: skip

OTHERWISE = {
    "1437-1": "of a nonce that a challenge gives twice, curl takes the last and we the first: neither is right",
}
REFUSED = {
    "3221-1": "curl percent-encodes the line breaks of a username in the field but not in the hash; we take no such name"
}
# The suite blanks the response, or its password is in a C program that isn't part of it: all else is compared.
BLANK = {"1286-1", "1286-2", "153-3", "388-3", "1686-1", "1686-2", "1686-3"}


class Case(NamedTuple):
    """One credentials line, the request that it is in, and what the file around it says."""

    name: str
    method: str
    target: str
    proxy: bool
    value: bytes
    challenges: list[bytes]
    passwords: list[str]


def files() -> dict[str, str]:
    texts = {
        path.name.removeprefix("test"): path.read_text("latin-1") for path in vectors("curl-tests", "data").iterdir()
    }
    return {number: filled(text, number) for number, text in texts.items() if "digest" in text.lower()}


def filled(text: str, number: str) -> str:
    text = text.replace("%TESTNUMBER", number).replace("%CR", "").replace("\r", "")
    return re.sub(r"%repeat\[(\d+) x (.)\]%", lambda match: match[2] * int(match[1]), text)


def cases() -> list[Case]:
    found = []
    for number, text in sorted(files().items(), key=lambda item: int(item[0])):
        protocol = "".join(re.findall(r"<(?:protocol|proxy)[ >].*?</(?:protocol|proxy)>", text, re.DOTALL))
        request = ("", "")
        challenges = [
            line.encode("latin-1")
            for line in re.findall(r"^(?:WWW|Proxy)-Authenticate: *(.*)$", text, re.MULTILINE | re.IGNORECASE)
        ]
        passwords = PASSWORDS.get(number, []) + [f"{user}:{word}" for user, word in given(text)]
        seen = set()
        for line in protocol.splitlines():
            if start := re.match(r"(?:<\w+[^>]*>)?([A-Z]+) (\S+) HTTP/1", line):
                request = (start[1], start[2])
            field = re.match(r"(Proxy-)?Authorization: *(Digest .*)", line)
            if field and (request, field[2]) not in seen:
                seen.add((request, field[2]))
                name = f"{number}-{len(seen)}"
                found.append(Case(name, *request, bool(field[1]), field[2].encode("latin-1"), challenges, passwords))
    return found


def given(text: str) -> list[tuple[str, str]]:
    """Names and passwords in options, URLs, arguments and netrc."""
    command = "".join(re.findall(r"<command.*?</command>", text, re.DOTALL)).replace("%5c", "\\").replace("%22", '"')
    pairs = re.findall(r"(?:^|[ =/])([^\s:/=]+):([^\s:/@]+)(?=[@\s<])", command, re.MULTILINE)
    pairs += re.findall(r"login (\S+)\s+password (\S+)", text)
    return list(dict.fromkeys(pairs))


CASES = {case.name: case for case in cases()}
COMPUTED = [name for name in CASES if name not in BLANK | REFUSED.keys()]


def login(case: Case) -> tuple[str, str]:
    """The name and password with which the response is what curl sends; fails if there are none."""
    params = {name: value.encode("latin-1") for name, value in parse_credentials(case.value).params.items()}
    algorithm = algorithm_named(params.get("algorithm", b"MD5").decode())
    assert algorithm is not None
    a2 = hash_a2(algorithm, case.method.encode(), params["uri"])
    for pair in case.passwords:
        user, _, word = pair.partition(":")
        sent = user.encode()
        if params.get("userhash") == b"true":
            sent = username_hash(algorithm, sent, params["realm"])
        secret = hash_a1(algorithm, user.encode(), params["realm"], word.encode())
        if "qop" in params:
            proof = response(algorithm, secret, params["nonce"], params["nc"], params["cnonce"], params["qop"], a2)
        else:
            proof = legacy_response(algorithm, secret, params["nonce"], a2)
        if sent == params["username"] and proof == params["response"]:
            return user, word
    pytest.fail(f"none of {case.passwords} gives {case.value!r} for {case.method}")


@pytest.mark.parametrize("name", COMPUTED)
def test_the_response_that_curl_sends_is_the_one_that_we_compute(name: str) -> None:
    assert login(CASES[name])


@pytest.mark.parametrize("name", COMPUTED)
def test_our_server_half_reads_what_curl_sends(name: str) -> None:
    presented = read_credentials(parse_credentials(CASES[name].value).params)
    assert presented.nonce and presented.response


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_field_should_carry_is_refused_at_construction(name: str) -> None:
    with pytest.raises(ConfigurationError, match="control"):
        DigestAuth("hello\n\r", "there")


@pytest.mark.parametrize("name", [name for name in CASES if name not in REFUSED])
def test_our_client_half_sends_what_curl_sends(name: str) -> None:
    """Parameter by parameter. A proxy's uri is in absolute form with us (RFC 7616 §3.4, the effective request URI)."""
    case = CASES[name]
    expected = parse_credentials(case.value).params
    challenge = next(
        line for line in case.challenges for one in parse_challenges([line])
        if one.scheme == "digest" and (dict(one.params)["nonce"] == expected["nonce"] or name in OTHERWISE)
    )  # fmt: skip
    user, word = (expected["username"], "x") if name in BLANK else login(case)
    sent = []
    status, asks, answers = (407, "Proxy-Authenticate", b"proxy-authorization") if case.proxy else (
        401, "WWW-Authenticate", b"authorization")  # fmt: skip

    def server(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(status if len(sent) == 1 else 200, [(asks, challenge.decode("latin-1"))]))

    def random(n: int) -> bytes:
        return a2b_base64(expected["cnonce"]) if len(expected.get("cnonce", "")) == 8 else bytes(n)

    authority = case.target if case.method == "CONNECT" else "api.example"
    target = case.target if case.method == "CONNECT" else expected["uri"]
    auth = DigestAuth(user, word, allow_legacy_rfc2069=True, proxy=case.proxy)
    run(auth, Request(case.method, "http", authority, target), server, ClientContext(bytes, random=random))
    (value,) = sent[1].values(answers)
    ours = parse_credentials(value).params
    loose = set()
    if case.proxy and case.method != "CONNECT":
        loose = {"uri", "response"}
        assert ours["uri"] == f"http://api.example{expected['uri']}"
    if name in OTHERWISE:
        loose = {"nonce", "response"}
    if name in BLANK:
        loose = {"cnonce", "response", "nc"}
    assert {key: text for key, text in ours.items() if key not in loose} == {
        key: text for key, text in expected.items() if key not in loose
    }
    assert ours.keys() == expected.keys()


def test_every_case_is_decided_and_every_entry_needed() -> None:
    decided = {name.partition("-")[0] for name in CASES}
    assert files().keys() - decided == NO_CREDENTIALS.keys()
    assert PASSWORDS.keys() <= decided
    assert BLANK | OTHERWISE.keys() | REFUSED.keys() <= CASES.keys()
    assert len(CASES) > 70
