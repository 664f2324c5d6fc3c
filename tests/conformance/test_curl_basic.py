"""curl's own cases about Basic: every Authorization and Proxy-Authorization that curl must send, made and read by us.

A case is decided by the credentials that it must send; what else it is about (redirects, proxies, netrc, connections) is the
HTTP client's business, not the scheme's. Cases that name Basic and send none, and what we refuse on purpose, are in the
tables with their reasons; an entry that isn't needed is a failure.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from urllib.parse import unquote_to_bytes

import pytest

from watchword import BasicAuth, BasicVerifier, ConfigurationError, Guard, Password, Reason, Rejected, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send
from watchword.crypto.precis import MAX_USERNAME
from watchword.fields.auth_params import parse_challenges
from watchword.stores import from_callables

from .conftest import vectors

DIGEST = "the server offers Basic too; curl takes Digest"
NO_CREDENTIALS = {
    "72": DIGEST, "154": DIGEST, "1030": DIGEST, "1071": DIGEST, "1072": DIGEST, "1412": DIGEST,
    "1418": "the server offers Basic too; curl takes NTLM, then nothing", "1966": DIGEST,
}  # fmt: skip

CONTROL = "a line break or a tab, which RFC 7617 §2 forbids; curl sends them"
REFUSED = {"478-1": CONTROL, "679-1": CONTROL, "1296-1": CONTROL, "1910-1": CONTROL}


def files() -> dict[str, str]:
    texts = {
        path.name.removeprefix("test"): path.read_text("latin-1") for path in vectors("curl-tests", "data").iterdir()
    }
    return {number: filled(text) for number, text in texts.items() if "basic" in text.lower()}


def filled(text: str) -> str:
    text = re.sub(r"%repeat\[(\d+) x (.)\]%", lambda match: match[2] * int(match[1]), text.replace("%CR", ""))
    return re.sub(r"%b64\[(.*?)\]b64%", lambda match: b64encode(unquote_to_bytes(match[1])).decode(), text)


FILES = files()


def cases() -> dict[str, tuple[bytes, str]]:
    """The value, and the field that it is in, by number and order; each once per file."""
    found: dict[str, tuple[bytes, str]] = {}
    for number, text in FILES.items():
        lines = re.findall(r"^((?:Proxy-)?Authorization): *(Basic .*?)\r?$", text, re.MULTILINE | re.IGNORECASE)
        for order, (field, value) in enumerate(dict.fromkeys(lines), 1):
            found[f"{number}-{order}"] = (value.encode("latin-1"), field.lower())
    return found


CASES = cases()
CARRIED = [name for name in CASES if name not in REFUSED]
TOO_LONG = [name for name in CARRIED if len(b64decode(CASES[name][0][6:]).partition(b":")[0]) > MAX_USERNAME]
"""Names of a thousand characters, with which curl tests its buffers: our server half takes 256."""


def pair(value: bytes) -> tuple[str, str]:
    username, _, password = b64decode(value[6:]).decode().partition(":")
    return username, password


@pytest.mark.parametrize("name", CARRIED)
def test_our_client_half_sends_what_curl_sends(name: str) -> None:
    value, _ = CASES[name]
    sent = []

    def server(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(BasicAuth(*pair(value)), Request("GET", "https", "api.example", "/"), server, ClientContext(bytes))
    assert [request.values(b"authorization") for request in sent] == [[value]]


@pytest.mark.parametrize("name", [name for name in CARRIED if name not in TOO_LONG])
def test_our_server_half_accepts_what_curl_sends_and_nothing_like_it(name: str) -> None:
    value, field = CASES[name]
    username, password = pair(value)
    record = Password("{SHA}" + b64encode(hashlib.sha1(password.encode()).digest()).decode())
    users = from_callables(password={username: record}.get)
    guard = Guard([BasicVerifier(realm="x")], users, proxy=field == "proxy-authorization")
    asked = Request("GET", "https", "api.example", "/", [(field.encode(), value)])
    assert guard.verify(asked).subject == username
    other = b"Basic " + b64encode(b64decode(value[6:]) + b"x")
    with pytest.raises(Rejected) as caught:
        guard.verify(Request("GET", "https", "api.example", "/", [(field.encode(), other)]))
    assert caught.value.reason is Reason.WRONG_SECRET


@pytest.mark.parametrize("name", TOO_LONG)
def test_our_server_half_refuses_a_name_of_a_thousand_characters_before_any_work_on_it(name: str) -> None:
    with pytest.raises(Rejected, match="more than 256 characters") as caught:
        BasicVerifier(realm="x").read(Request("GET", "https", "api.example", "/", [(b"authorization", CASES[name][0])]))
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_credentials_may_hold_is_refused_on_both_sides(name: str) -> None:
    value, _ = CASES[name]
    with pytest.raises(ConfigurationError, match="control characters"):
        BasicAuth(*pair(value))
    with pytest.raises(Rejected) as caught:
        BasicVerifier(realm="x").read(Request("GET", "https", "api.example", "/", [(b"authorization", value)]))
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


@pytest.mark.parametrize("number", FILES)
def test_the_challenges_that_curl_reads_are_read_as_basic_with_their_realm(number: str) -> None:
    fields = re.findall(r"^(?:WWW|Proxy)-Authenticate: *(.*Basic.*?)\r?$", FILES[number], re.MULTILINE | re.IGNORECASE)
    for value in fields:
        realms = re.findall(r'(?:^|, *)Basic(?: +realm="?([^",]*))?', value, re.IGNORECASE)
        ours = [one for one in parse_challenges([value.encode("latin-1")]) if one.scheme == "basic"]
        assert [dict(one.params).get("realm") for one in ours] == [realm or None for realm in realms]


def test_every_case_is_decided_and_every_entry_needed() -> None:
    decided = {name.partition("-")[0] for name in CASES}
    assert FILES.keys() - decided == NO_CREDENTIALS.keys()
    assert REFUSED.keys() <= CASES.keys()
    assert len(CASES) > 110
