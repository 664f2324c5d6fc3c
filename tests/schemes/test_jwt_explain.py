"""Why a JWT is refused: how its signature was made instead, how a claim or a name came; each said only where it fits."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode

import pytest

from bench.explain import leaks
from watchword import Guard, JWTVerifier, Key, KeySet, Policy, Request, explain
from watchword.crypto.digests import digest, hmac_digest
from watchword.schemes.explaining.report import Explanation
from watchword.schemes.jwt.public_key_mistakes import MAX_VERIFICATIONS

NOW = 1_700_000_000
SECRET = bytes(range(100, 140))
KEY = Key.from_secret(SECRET, algorithm="HS256", key_id="orders-1")
TEXT_KEY = Key.from_secret(b64encode(SECRET), algorithm="HS256", key_id="text")
CLAIMS = {"iss": "https://id.example/", "aud": "orders", "sub": "alice", "exp": NOW + 300, "iat": NOW, "u": "a/b é"}
HEADER = {"alg": "HS256", "kid": "orders-1", "typ": "JWT"}


def encoded(value: object) -> bytes:
    text = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return urlsafe_b64encode(text).rstrip(b"=")


HEAD, BODY = encoded(HEADER), encoded(CLAIMS)
INPUT = HEAD + b"." + BODY


def mac(text: bytes, secret: bytes = SECRET, name: str = "sha256") -> bytes:
    return hmac_digest(name, secret, text)


def explained(token: bytes, key: Key | KeySet = KEY) -> Explanation:
    verifier = JWTVerifier(key, issuer="https://id.example/", audience="orders")
    asked = Request("GET", "https", "h", "/", {"Authorization": b"Bearer " + token})
    told = explain(asked, Guard([verifier], policy=Policy(clock=lambda: NOW)))
    assert not told.accepted
    assert not leaks(told, [SECRET, token.rpartition(b".")[2]] if len(token.rpartition(b".")[2]) > 8 else [SECRET])
    return told


SIGNATURES = {
    "the payload alone": ("header", encoded(mac(BODY))),
    "without the dot": ("signing input", encoded(mac(HEAD + BODY))),
    "a line end after it": ("signing input", encoded(mac(INPUT + b"\n"))),
    "in hexadecimal digits": ("signature", encoded(mac(INPUT).hex().encode())),
    "in hexadecimal digits, not in base64url": ("signature", mac(INPUT).hex().encode()),
    "in base64 twice": ("signature", encoded(b64encode(mac(INPUT)))),
    "cut short": ("signature", encoded(mac(INPUT)[:16])),
    "by HS512": ("header alg", encoded(mac(INPUT, name="sha512"))),
    "a hash, not HMAC": ("signature", encoded(digest("sha-256", SECRET + INPUT))),
    "text and secret exchanged": ("signature", encoded(mac(SECRET, INPUT))),
    "of the text's hash": ("signature", encoded(mac(digest("sha-256", INPUT)))),
    "the secret as hex text": ("key", encoded(mac(INPUT, SECRET.hex().encode()))),
    "the secret with a line end": ("key", encoded(mac(INPUT, SECRET + b"\n"))),
    "the payload with white space": ("payload", encoded(mac(HEAD + b"." + encoded(json.dumps(CLAIMS).encode())))),
    "the payload sorted": ("payload", encoded(mac(HEAD + b"." + encoded(json.dumps(CLAIMS, sort_keys=True, separators=(",", ":")).encode())))),
}  # fmt: skip


@pytest.mark.parametrize("what", SIGNATURES)
def test_what_the_signer_did_is_named(what: str) -> None:
    component, tail = SIGNATURES[what]
    first = explained(INPUT + b"." + tail).causes[0]
    assert (first.name, first.component) == ("signature", component)
    assert first.expected != first.received


def test_a_secret_that_is_read_in_base64_on_one_side_is_named() -> None:
    head = encoded({**HEADER, "kid": "text"})
    first = explained(head + b"." + BODY + b"." + encoded(mac(head + b"." + BODY)), TEXT_KEY).causes[0]
    assert first.component == "key"
    assert "decoded from base64" in first.received


@pytest.mark.parametrize(
    "what", ["of the payload alone", "in hexadecimal digits", "with its halves, r and s, exchanged"]
)
def test_signatures_of_public_keys_are_looked_at_too(what: str) -> None:
    key = Key.generate("ES256", key_id="e")
    head = encoded({"alg": "ES256", "kid": "e"})
    signature = key.sign(BODY if what == "of the payload alone" else head + b"." + BODY)
    if "halves" in what:
        signature = signature[32:] + signature[:32]
    tail = signature.hex().encode() if "hex" in what else encoded(signature)
    assert what in explained(head + b"." + BODY + b"." + tail, key).causes[0].received


def test_nothing_is_said_where_nothing_fits() -> None:
    first = explained(INPUT + b"." + encoded(bytes(32))).causes[0]
    assert (first.name, first.component) == ("signature", "signature")
    assert first.received == "43 characters"


def test_verifications_are_few_and_a_search_that_was_cut_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [Key.generate("ed25519", key_id=str(number)) for number in range(40)]
    head = encoded({"alg": "EdDSA", "kid": "7"})
    verified, verify = 0, Key.verify

    def counted(key: Key, data: bytes, signature: bytes) -> None:
        nonlocal verified
        verified += 1
        verify(key, data, signature)

    monkeypatch.setattr(Key, "verify", counted)
    first = explained(head + b"." + BODY + b"." + encoded(bytes(64)), KeySet(keys)).causes[0]
    assert "the search was cut" in first.mend
    assert verified <= MAX_VERIFICATIONS + 2 * len(keys)  # and whether another key, or another algorithm of one, fits


CLAIM_MISTAKES = {
    ("exp", "in milliseconds"): {"exp": (NOW + 300) * 1000},
    ("exp", "as a text, not as a number"): {"exp": str(NOW + 300)},
    ("exp", "as a date, not in seconds since 1970"): {"exp": "2033-01-01T00:00:00Z"},
    ("nbf", "in milliseconds"): {"nbf": NOW * 1000 - 5000},
    ("iss", "without / at its end"): {"iss": "https://id.example"},
    ("iss", "in another case"): {"iss": "HTTPS://ID.EXAMPLE/"},
    ("iss", "with http:// before it"): {"iss": "http://id.example/"},
    ("iss", "as a list of one"): {"iss": ["https://id.example/"]},
    ("aud", "as one text, not as a list"): {"aud": "billing orders"},
    ("aud", "in another case"): {"aud": ["Orders"]},
    ("aud", "under the name 'audience'"): {"aud": None, "audience": "orders"},
    ("iss", "under the name 'issuer'"): {"iss": None, "issuer": "https://id.example/"},
}


@pytest.mark.parametrize(("claim", "what"), CLAIM_MISTAKES)
def test_the_form_in_which_a_claim_came_is_named(claim: str, what: str) -> None:
    claims = {name: value for name, value in {**CLAIMS, **CLAIM_MISTAKES[claim, what]}.items() if value is not None}
    text = HEAD + b"." + encoded(claims)
    first = explained(text + b"." + encoded(mac(text))).causes[0]
    assert (first.name, first.component) == (claim, f"claim {claim}")
    assert f"{claim} came {what}" in first.mend


@pytest.mark.parametrize(
    ("kid", "what"),
    [(" orders-1", "blanks"), ('"orders-1"', "quotes"), ("ORDERS-1", "upper case"), ("b'orders-1'", "bytes literal")],
)
def test_a_key_id_of_another_spelling_is_named(kid: str, what: str) -> None:
    head = encoded({**HEADER, "kid": kid})
    first = explained(head + b"." + BODY + b"." + encoded(mac(head + b"." + BODY))).causes[0]
    assert first.component == "header kid"
    assert what in first.mend or "orders-1" in first.mend


def test_an_algorithm_of_another_spelling_is_named() -> None:
    head = encoded({**HEADER, "alg": "hs256"})
    first = explained(head + b"." + BODY + b"." + encoded(mac(head + b"." + BODY))).causes[0]
    assert first.component == "header alg"
    assert "write 'HS256'" in first.mend


def test_no_algorithm_is_named_by_a_length_that_merely_coincides() -> None:
    first = explained(INPUT + b"." + encoded(bytes(64))).causes[0]
    assert "has another" not in first.mend
    assert "64 octets" not in first.mend or "HS256 has 32" in first.mend
