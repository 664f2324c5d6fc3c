"""Credentials that no verifier reads as they came: whatever the scheme, the mistake is named, and no secret is shown.

The mistakes are a table and the schemes are a table; each mistake is tried on genuine credentials of each scheme that it can be made
with. The worlds are those of `bench.explain`.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from base64 import a85encode, b32encode, b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from bench.explain import leaks
from bench.explain_worlds import (
    Draft, Maker, World, api_key_world, basic_world, body_hmac_world, digest_world, draft, hmac_world, jwt_world, longer_hash_world, oauth1_world,
    shared_signature_world, sigv4_world, standard_webhook_world, vendor,
)  # fmt: skip
from watchword import APIKeyVerifier, BasicVerifier, Guard, Key, Reason, Request, explain
from watchword.core.records import Put, Ref
from watchword.crypto import jose
from watchword.schemes.api_key_text import APIKey, hash_key, make_key
from watchword.schemes.explaining.report import Explanation
from watchword.stores import MemoryStore

pytestmark = pytest.mark.sweep

AUTHORIZATION = b"authorization"


MAKERS: Sequence[Maker] = (
    hmac_world, longer_hash_world, body_hmac_world, shared_signature_world, oauth1_world, sigv4_world, standard_webhook_world,
    vendor("github"), vendor("stripe"), basic_world, digest_world, api_key_world, jwt_world,
)  # fmt: skip


class Genuine(NamedTuple):
    """A request that is admitted, and where its credentials are."""

    world: World
    draft: Draft
    field: bytes
    value: bytes
    secrets: list[bytes]

    def explained(self) -> Explanation:
        told = explain(self.draft.request(), self.world.guard, self.draft.body)
        assert not [check for check in told.checks if check.name == "account"], "a search or an account failed"
        return told

    @property
    def bare(self) -> bytes:
        """Without the scheme word."""
        return self.value.partition(b" ")[2] if self.field == AUTHORIZATION else self.value


def genuine(number: int, text: str) -> Genuine:
    rng = random.Random(f"{number} {text}")
    world = MAKERS[number](rng)
    unsigned = draft(rng)
    unsigned.method, unsigned.query = "POST", b"id=7"
    signed = Draft(world.sign(unsigned, rng), unsigned.body)
    added = [name for name, _ in signed.headers if name not in {name for name, _ in unsigned.headers}]
    field = AUTHORIZATION if AUTHORIZATION in added else next(
        (name for name in added if name in (b"signature", b"x-api-key", b"x-hmac")), added[-1]
    )  # fmt: skip
    value = signed.values(field)[0]
    parts = [part.strip(b'"') for part in value.replace(b",", b" ").split() for part in part.split(b"=", 1)[-1:]]
    proofs = [part for part in parts if len(part) > 30]
    return Genuine(
        world, signed, field, value, [*world.secrets, *(proofs if world.name in ("basic", "jwt", "api_key") else [])]
    )


# ---- the tables of mistakes ----------------------------------------------------------------------------------------------

Change = Callable[[Genuine], None]


def moved(name: bytes) -> Change:
    def change(case: Genuine) -> None:
        case.draft.field(case.field)
        case.draft.field(name, case.value)

    return change


def into_query(name: bytes) -> Change:
    def change(case: Genuine) -> None:
        case.draft.field(case.field)
        case.draft.query = b"id=7&" + name + b"=" + case.bare

    return change


def into_cookie(case: Genuine) -> None:
    case.draft.field(case.field)
    case.draft.field(b"cookie", b"theme=dark; session=" + case.bare + b"; lang=en")


def into_body(case: Genuine) -> None:
    case.draft.field(case.field)
    case.draft.body = json.dumps({"id": 7, "authorization": case.value.decode()}).encode()


def word(case: Genuine) -> bytes:
    return case.value.partition(b" ")[0]


WORDS = {
    "missing": lambda case: case.bare,
    "doubled": lambda case: word(case) + b" " + case.value,
    "with a colon": lambda case: word(case) + b": " + case.bare,
    "with an equals sign": lambda case: word(case) + b"=" + case.bare,
    "misspelled": lambda case: word(case)[:-2] + word(case)[-1:] + word(case)[-2:-1] + b" " + case.bare,
    "Token": lambda case: b"Token " + case.bare,
    "of the whole line": lambda case: b"Authorization: " + case.value,
}
GRAMMAR = {
    "in quotes": lambda case: b'"' + case.value + b'"',
    "in single quotes": lambda case: b"'" + case.value + b"'",
    "a bytes literal": lambda case: b"b'" + case.value + b"'",
    "an escaped line end": lambda case: case.value + b"\\n",
    "percent-encoded": lambda case: b"".join(
        b"%%%02X" % octet if octet in b' ="/+,:;' else bytes([octet]) for octet in case.value
    ),
    "twice": lambda case: case.value + b", " + case.value,
    "in base64 once more": lambda case: b64encode(case.value),
}
PLACES: dict[str, Change] = {
    "X-Authorization": moved(b"x-authorization"),
    "Authorisation": moved(b"authorisation"),
    "Proxy-Authorization": moved(b"proxy-authorization"),
    "Authentication": moved(b"authentication"),
    "query": into_query(b"access_token"),
    "cookie": into_cookie,
    "body": into_body,
}
IN_AUTHORIZATION = [n for n in range(len(MAKERS)) if genuine(n, "field").field == AUTHORIZATION]
BY_BEARING = [n for n in range(len(MAKERS)) if genuine(n, "field").world.name in ("basic", "jwt", "api_key")]


def check(case: Genuine, names: Sequence[str]) -> None:
    told = case.explained()
    assert not told.accepted
    first = told.causes[0]
    assert first.name in names, told
    assert first.component.removeprefix("header ").startswith(case.field.decode()), told
    assert first.expected
    assert first.received
    assert first.mend
    assert not leaks(told, case.secrets)


@pytest.mark.parametrize("number", IN_AUTHORIZATION)
@pytest.mark.parametrize("mistake", WORDS)
def test_a_wrong_scheme_word_is_named(number: int, mistake: str) -> None:
    case = genuine(number, mistake)
    case.draft.field(case.field, WORDS[mistake](case))
    check(case, ["scheme word"])


@pytest.mark.parametrize("number", range(len(MAKERS)))
@pytest.mark.parametrize("mistake", GRAMMAR)
def test_what_was_put_around_credentials_is_named(number: int, mistake: str) -> None:
    case = genuine(number, mistake)
    case.draft.field(case.field, GRAMMAR[mistake](case))
    if case.explained().accepted:  # a signature given twice is one that is good, and hexadecimal digits need no escapes
        assert mistake == "twice" or case.draft.values(case.field) == [case.value]
        return
    check(case, ["grammar", "scheme word", "signature"])


# Nobody puts a list of parameters into a query or a cookie, and a signature that covers the query or the body is good no more.
@pytest.mark.parametrize(
    ("mistake", "number"),
    [
        (each, n)
        for each in PLACES
        for n in IN_AUTHORIZATION
        if n in BY_BEARING or each not in ("query", "cookie", "body")
    ],
)
def test_credentials_in_another_place_are_found_there(mistake: str, number: int) -> None:
    case = genuine(number, mistake)
    PLACES[mistake](case)
    check(case, ["place"])


@pytest.mark.parametrize("number", range(len(MAKERS)))
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"undefined",
        b"null",
        b"None",
        b"[object Object]",
        b"${TOKEN}",
        b"$TOKEN",
        b"{{token}}",
        b"<token>",
        b"%TOKEN%",
        b"YOUR_API_KEY",
    ],
)
def test_an_unset_variable_is_named_and_shown(number: int, text: bytes) -> None:
    case = genuine(number, "unset")
    case.draft.field(case.field, word(case) + b" " + text if case.field == AUTHORIZATION else text)
    told = case.explained()
    assert "not set" in told.causes[0].mend
    assert text.decode() in told.causes[0].received


BASIC = {
    "as plain text": b"alice:open sesame",
    "without padding": b64encode(b"alice:open sesame").rstrip(b"="),
    "encoded twice": b64encode(b64encode(b"alice:open sesame")),
    "in hex": b"alice:open sesame".hex().encode(),
    "with the line end of echo": b64encode(b"alice:open sesame\n"),
    "the name only": b64encode(b"alice"),
    "another separator": b64encode(b"alice|open sesame"),
    "percent-encoded": b64encode(b"alice%3Aopen%20sesame"),
    "UTF-16": b64encode("alice:open sesame".encode("utf-16")),
    "UTF-16 without a mark": b64encode("alice:open sesame".encode("utf-16-le")),
    "Latin-1": b64encode("bob:pässwörd".encode("latin-1")),
    "base64url": urlsafe_b64encode(b"carol:???>>>~~"),
    "as parameters": b'username="alice", password="open sesame"',
    "as JSON": b'{"username": "alice", "password": "open sesame"}',
    "as a tuple": b"('alice', 'open sesame')",
    "as one parameter of several": b'realm="orders", credentials="%b"' % b64encode(b"alice:open sesame"),
    "in base32": b32encode(b"alice:open sesame"),
    "in Ascii85": a85encode(b"alice:open sesame"),
    "cut": b64encode(b"alice:open sesame")[:-3],
    "with a byte order mark": b64encode(b"\xef\xbb\xbfalice:open sesame"),
}


@pytest.fixture(scope="module")
def basic_guard() -> Guard:
    store = MemoryStore()
    for name, password in (("alice", "open sesame"), ("bob", "pässwörd"), ("carol", "???>>>~~")):
        store.add_user(name, password)
    return Guard([BasicVerifier(realm="orders")], store)


@pytest.mark.parametrize("mistake", BASIC)
def test_what_is_wrong_with_the_encoding_of_a_pair_is_named(basic_guard: Guard, mistake: str) -> None:
    told = explain(Request("GET", "https", "h", "/", {"Authorization": b"Basic " + BASIC[mistake]}), basic_guard)
    assert told.reason is Reason.MALFORMED_CREDENTIALS
    assert (told.causes[0].name, told.causes[0].component) == ("grammar", "authorization")
    assert "<base64 of username:password>" in told.causes[0].expected
    assert not leaks(told, [b"open sesame", "pässwörd".encode(), b"???>>>~~"])


def test_credentials_of_another_scheme_are_not_taken_for_a_mistake_of_this_one(basic_guard: Guard) -> None:
    key = Key.generate("HS256")
    token = jose.sign(b'{"sub":"alice"}', key)
    told = explain(Request("GET", "https", "h", "/", {"Authorization": f"Bearer {token}"}), basic_guard)
    assert told.causes[0].name == "scheme word"
    assert told.causes[0].received.startswith("Bearer and ")
    assert "Basic" in told.causes[0].expected


KEYS: dict[str, Callable[[str], str]] = {
    "without its prefix": lambda key: key[3:],
    "in the other case": str.swapcase,
    "with a character mistyped": lambda key: key[:20] + ("a" if key[20] != "a" else "b") + key[21:],
    "with two characters exchanged": lambda key: key[:20] + key[21] + key[20] + key[22:],
    "with a character lost": lambda key: key[:20] + key[21:],
    "with a character too many": lambda key: key[:20] + "x" + key[20:],
    "with more after it": lambda key: key + "/orders",
    "several times, joined by a comma": lambda key: f"{key},{key}",
    "so long is a key id alone": lambda key: key[3:15],
    "so long are a key's secret and checksum alone": lambda key: key[16:],
    "it was cut": lambda key: key[:-6],
    "starred out": lambda key: key[:15] + "*" * 38,
    "shortened with dots": lambda key: key[:20] + "...",
    "its case is lost": str.upper,
    "the form of a hash": lambda key: hashlib.sha256(key.encode()).hexdigest(),
    "in the opposite order": lambda key: key[::-1],
    "as decimal numbers": lambda key: ",".join(map(str, key.encode())),
}


@pytest.mark.parametrize("what", KEYS)
def test_what_became_of_an_api_key_is_named(what: str) -> None:
    store = MemoryStore()
    key = make_key(random.Random(7).randbytes)
    store.commit([Put(Ref(APIKey, (key[3:15],)), APIKey(hash_key(key), "billing"))])
    guard = Guard([APIKeyVerifier()], store)
    assert explain(Request("GET", "https", "h", "/", {"X-API-Key": key}), guard).accepted
    told = explain(Request("GET", "https", "h", "/", {"X-API-Key": KEYS[what](key)}), guard)
    assert told.reason is Reason.MALFORMED_CREDENTIALS
    assert (told.causes[0].name, told.causes[0].component) == ("grammar", "x-api-key")
    assert what in told.causes[0].received
    assert not leaks(told, [key[16:].encode()])


@pytest.mark.parametrize("text", [b"x", b"gzip, deflate", b"a" * 3000, b"\xff\x00\x1b", b"a:b", b"12345"])
def test_a_value_that_means_nothing_is_described_and_not_explained_away(text: bytes) -> None:
    for number in range(len(MAKERS)):
        case = genuine(number, "nothing")
        case.draft.field(case.field, text)
        told = case.explained()
        assert not told.accepted
        assert told.causes[0].name != "place"
        assert told.causes[0].received


# ---- one value of many, spelled otherwise --------------------------------------------------------------------------------


def octets_of(proof: bytes) -> bytes:
    if re.fullmatch(rb"[0-9a-f]+", proof):
        return bytes.fromhex(proof.decode())
    return b64decode(
        proof.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=") + b"=" * (-len(proof.rstrip(b"=")) % 4)
    )


PROOFS = {
    "hex": lambda proof: octets_of(proof).hex().encode(),
    "capital hex": lambda proof: octets_of(proof).hex().upper().encode(),
    "base64": lambda proof: b64encode(octets_of(proof)),
    "base64url": lambda proof: urlsafe_b64encode(octets_of(proof)).rstrip(b"="),
    "base64 without padding": lambda proof: b64encode(octets_of(proof)).rstrip(b"="),
    "in quotes within": lambda proof: b"'" + proof + b"'",
    "with a blank": lambda proof: proof[:9] + b" " + proof[9:],
}
TIMES = {
    "in milliseconds": lambda text: text + b"123",
    "with a fraction": lambda text: text + b".25",
    "as a date": lambda text: datetime.fromtimestamp(int(text), UTC).isoformat().encode(),
    "with a sign": lambda text: b"+" + text,
    "with separators": lambda text: b",".join((text[:1], text[1:4], text[4:7], text[7:])),
}
LISTS = {
    "single quotes": lambda value: value.replace(b'"', b"'"),
    "semicolons": lambda value: re.sub(rb",\s*(?=[A-Za-z])", b"; ", value),
    "no commas": lambda value: re.sub(rb",\s*(?=[A-Za-z])", b" ", value),
    "colons": lambda value: re.sub(rb'([A-Za-z])=(["\w])', rb"\1: \2", value),
    "names in capitals": lambda value: re.sub(rb"[a-z_]+(?==\")", lambda match: match[0].upper(), value),
    "no quotes": lambda value: value.replace(b'"', b""),
    "quotes around all": lambda value: re.sub(rb'=([^",\s=]+)', rb'="\1"', value),
    "a comma at its end": lambda value: value + b",",
    "a comma after the word": lambda value: value.replace(b" ", b", ", 1),
}
PROOF = re.compile(
    rb'(?:mac|response|signature|v1|sha256)=:?"?([A-Za-z0-9+/_-]{40,}=*)|(?<=v1,)(.{40,})|^([0-9a-f]{64})$|^([A-Za-z0-9+/]{43}=)$',
    re.IGNORECASE,
)
# That of OAuth 1 is percent-encoded besides, so it may have no 40 characters in a row.
SIGNING = [n for n in range(len(MAKERS)) if MAKERS[n] is not oauth1_world and PROOF.search(genuine(n, "proof").value)]
TIMED = [n for n in range(len(MAKERS)) if b"1700" in genuine(n, "time").value]
LISTED = [n for n in range(len(MAKERS)) if genuine(n, "list").value.count(b",") > 2]


def named_or_admitted(case: Genuine, names: Sequence[str]) -> None:
    """What a verifier takes as well is no mistake."""
    told = case.explained()
    if told.accepted:
        return
    first = told.causes[0]
    assert first.name in names, told
    assert case.field.decode() in first.component or case.world.name.startswith(("oauth1", "sigv4")), told
    assert first.expected != first.received
    assert not leaks(told, case.secrets)


@pytest.mark.parametrize("number", SIGNING)
@pytest.mark.parametrize("spelling", PROOFS)
def test_a_proof_in_another_encoding_is_named(number: int, spelling: str) -> None:
    case = genuine(number, spelling)
    match = PROOF.search(case.value)
    assert match is not None
    start, end = match.span(match.lastindex or 0)
    case.draft.field(case.field, case.value[:start] + PROOFS[spelling](case.value[start:end]) + case.value[end:])
    named_or_admitted(case, ["grammar", "signature", "mac", "response"])


@pytest.mark.parametrize("number", TIMED)
@pytest.mark.parametrize("spelling", TIMES)
def test_a_time_in_another_unit_or_form_is_named(number: int, spelling: str) -> None:
    case = genuine(number, spelling)
    case.draft.field(case.field, re.sub(rb"1700\d{6}", lambda match: TIMES[spelling](match[0]), case.value, count=1))
    named_or_admitted(case, ["grammar", "signature"])  # of numbers with commas between them the first may be the time


@pytest.mark.parametrize("number", LISTED)
@pytest.mark.parametrize("spelling", LISTS)
def test_a_list_of_parameters_off_the_grammar_is_named_with_the_first_octet_that_differs(
    number: int, spelling: str
) -> None:
    case = genuine(number, spelling)
    case.draft.field(case.field, LISTS[spelling](case.value))
    if case.draft.values(case.field) == [case.value]:
        return
    named_or_admitted(case, ["grammar", "scheme word", "signature"])
