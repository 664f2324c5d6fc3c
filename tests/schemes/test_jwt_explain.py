"""Why a JWT is refused: how its signature was made instead, how a claim or a name came; each said only where it fits."""

from __future__ import annotations

import json
import random
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.explain import leaks
from tests.counting import calls
from tests.examples_of import examples
from watchword import Guard, JWTVerifier, Key, KeySet, Policy, Request, explain
from watchword.crypto import jose
from watchword.crypto.digests import digest, hmac_digest
from watchword.crypto.usual_hashes import keyed
from watchword.issuers import keycloak
from watchword.schemes.explaining.report import Explanation
from watchword.schemes.explaining.computation import Computation, Leaf
from watchword.schemes.explaining.deviations import deviations
from watchword.schemes.explaining.search import MAX_STEPS
from watchword.schemes.jwt.claim_mistakes import claim_mistake
from watchword.schemes.jwt.description import HASHES, described
from watchword.schemes.jwt.signing_mistakes import signing_mistakes

pytestmark = pytest.mark.sweep

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


def compact(value: object, **style: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), **style).encode()  # type: ignore[arg-type]


SIGNATURES = {
    ("header", "leaves the header out"): encoded(mac(BODY)),
    ("signature", "by nothing"): encoded(mac(HEAD + BODY)),
    ("signature", "as raw octets"): encoded(mac(compact(HEADER) + b"." + compact(CLAIMS))),
    ("signature", "header and payload as base64"): encoded(mac(b64encode(compact(HEADER)) + b"." + b64encode(compact(CLAIMS)))),
    ("signature", "ends the signing input with a line feed"): encoded(mac(INPUT + b"\n")),
    ("signature", "of its hex digits"): encoded(mac(INPUT).hex().encode()),
    ("signature", "as hex digits"): mac(INPUT).hex().encode(),
    ("signature", "of its base64"): encoded(b64encode(mac(INPUT))),
    ("signature", "in hex with dashes"): mac(INPUT).hex("-").encode(),
    ("header alg", "by blake2s, a hash with a key"): encoded(keyed("blake2s", SECRET, INPUT)),
    ("key", "as a line of JSON"): encoded(mac(INPUT, b'"%b",' % SECRET)),
    ("signature", "cut to 16 of its 32 octets"): encoded(mac(INPUT)[:16]),
    ("header alg", "HMAC-sha512"): encoded(mac(INPUT, name="sha512")),
    ("signature", "a plain hash (sha256) of key and message"): encoded(digest("sha-256", SECRET + INPUT)),
    ("signature", "exchanges key and message"): encoded(mac(SECRET, INPUT)),
    ("signature", "hashes the message by sha256 first"): encoded(mac(digest("sha-256", INPUT))),
    ("key", "in hex"): encoded(mac(INPUT, SECRET.hex().encode())),
    ("key", "with a line break at its end"): encoded(mac(INPUT, SECRET + b"\n")),
    ("payload", "its JSON was written anew"): encoded(mac(HEAD + b"." + encoded(json.dumps(CLAIMS).encode()))),
    ("payload", "another order, white space"): encoded(mac(HEAD + b"." + encoded(compact(CLAIMS, sort_keys=True)))),
    ("payload", "without 'sub'"): encoded(mac(HEAD + b"." + encoded({name: value for name, value in CLAIMS.items() if name != "sub"}))),
    ("payload", "with an 'exp' of"): encoded(mac(HEAD + b"." + encoded({**CLAIMS, "exp": NOW + 300 - 3600}))),
    ("header", "without 'kid'"): encoded(mac(encoded({"alg": "HS256", "typ": "JWT"}) + b"." + BODY)),
    ("header", "with alg HS512"): encoded(mac(encoded({**HEADER, "alg": "HS512"}) + b"." + BODY)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kid", "component", "said"), [("orders-1 ", "header kid", "blanks"), (1, "header kid", "text")]
)
def test_how_a_key_id_came_is_told(kid: object, component: str, said: str) -> None:
    head = encoded({**HEADER, "kid": kid})
    first = explained(head + b"." + BODY + b"." + encoded(mac(head + b"." + BODY))).causes[0]
    assert first.component == component
    assert said in first.mend


@pytest.mark.parametrize(("component", "what"), SIGNATURES)
def test_what_the_signer_did_is_named(component: str, what: str) -> None:
    first = explained(INPUT + b"." + SIGNATURES[component, what]).causes[0]
    assert (first.name, first.component) == ("signature", component)
    assert what in first.mend
    assert first.expected
    assert first.received


@pytest.mark.parametrize(
    ("held", "used", "said"),
    [
        (SECRET, b64encode(SECRET), "in base64"), (SECRET, encoded(SECRET), "without padding"), (SECRET, SECRET.hex().encode(), "in hex"),
        (SECRET, SECRET + b"\n", "line break"), (b64encode(SECRET), SECRET, "decoded from base64"), (encoded(bytes([251]) * 32), bytes([251]) * 32, "decoded from base64url"),
        (SECRET.hex().encode(), SECRET, "decoded from hex"), (SECRET + b" \n", SECRET, "white space"),
    ],
)  # fmt: skip
def test_a_secret_that_the_two_sides_spell_differently(held: bytes, used: bytes, said: str) -> None:
    key = Key.from_secret(held, algorithm="HS256", key_id="k")
    cause = signing_mistakes([key], "HS256", "k", (HEAD, BODY, encoded(mac(INPUT, used))))[0]
    assert cause.component == "key"
    assert said in cause.mend
    for octets in (held, used):
        assert octets.decode("latin-1") not in str(cause)


@pytest.mark.parametrize(
    ("signature", "components"),
    [
        (encoded(mac(BODY).hex().encode()), ["header", "signature"]),
        (encoded(mac(BODY, SECRET.hex().encode())), ["key", "header"]),
    ],
)
def test_two_mistakes_are_two_causes(signature: bytes, components: list[str]) -> None:
    causes = explained(INPUT + b"." + signature).causes
    assert sorted(cause.component for cause in causes) == sorted(components)


def test_a_secret_that_is_read_in_base64_on_one_side_is_named() -> None:
    head = encoded({**HEADER, "kid": "text"})
    first = explained(head + b"." + BODY + b"." + encoded(mac(head + b"." + BODY)), TEXT_KEY).causes[0]
    assert first.component == "key"
    assert "decoded from base64" in first.received


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("payload", "leaves the header out"), ("hex", "writes the signature in hex"), ("halves", "its halves (r and s) exchanged"),
        ("end", "with a line feed"), ("alg", "with alg ES384"),
    ],
)  # fmt: skip
def test_signatures_of_public_keys_are_looked_at_too(what: str, said: str) -> None:
    key = Key.generate("ES256", key_id="e")
    head = encoded({"alg": "ES256", "kid": "e"})
    signed = {
        "payload": BODY,
        "end": head + b"." + BODY + b"\n",
        "alg": encoded({"alg": "ES384", "kid": "e"}) + b"." + BODY,
    }
    signature = key.sign(signed.get(what, head + b"." + BODY))
    if what == "halves":
        signature = signature[32:] + signature[:32]
    tail = signature.hex().encode() if what == "hex" else encoded(signature)
    assert said in explained(head + b"." + BODY + b"." + tail, key).causes[0].mend


def test_nothing_is_said_where_nothing_fits() -> None:
    first = explained(INPUT + b"." + encoded(bytes(32))).causes[0]
    assert (first.name, first.component) == ("signature", "signature")
    assert first.received == "the signature, 43 characters, by no key that is known here"
    assert "none of the usual changes" in first.mend


def test_the_search_is_bounded_and_says_where_it_was_cut() -> None:
    keys = [Key.from_secret(bytes([number]) * 32, algorithm="HS256", key_id=str(number)) for number in range(64)]
    parts = HEAD, BODY, encoded(bytes(32))
    work = calls(lambda: signing_mistakes(keys, "HS256", None, parts))
    assert sum(count for name, count in work.items() if name in ("hmac_digest", "digest")) <= MAX_STEPS
    assert "cut after" in signing_mistakes(keys, "HS256", None, parts, steps=100)[0].mend


# ---- each step of the computation ------------------------------------------------------------------------------------------

RFC_7515_A_1 = (
    b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
    b"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
)


def test_the_description_is_the_computation_of_rfc_7515_a_1() -> None:
    head, payload, tail, secret = RFC_7515_A_1
    key = Key.from_secret(urlsafe_b64decode(secret + "=="), algorithm="HS256")
    root = described(head, payload).signature("HS256", key, [])
    assert Computation(root).value(root) == tail


@examples(100)
@given(
    st.sampled_from(sorted(HASHES)), st.dictionaries(st.text(), st.text() | st.integers()), st.binary(), st.booleans()
)
def test_the_description_is_the_signers_computation(
    algorithm: str, claims: dict[str, object], octets: bytes, as_text: bool
) -> None:
    key = Key.from_secret(bytes(range(64)), algorithm=algorithm)
    head, payload = encoded({"alg": algorithm}), encoded(octets if as_text else json.dumps(claims).encode())
    root = described(head, payload).signature(algorithm, key, [])
    assert Computation(root).value(root) == encoded(key.sign(head + b"." + payload))


def test_whoever_makes_a_step_otherwise_is_told_which() -> None:
    tree = described(HEAD, BODY)
    root = tree.signature("HS256", KEY, [])
    graph = Computation(root)
    pool = [node for node in graph.nodes if isinstance(node, Leaf) and node.kind != "literal"]
    found: dict[bytes, set[str]] = {}
    for each in (*tree.more, *(each for node in graph.nodes for each in deviations(node, graph.value(node), pool))):
        try:
            value = graph.changed({each.node: each.make, **each.also})
        except ValueError:
            continue
        if len(value) >= 16 and b"." not in value:
            name = each.component or each.node.component or each.node.name.removeprefix("the ")
            found.setdefault(value, set()).add(name)
    found.pop(graph.value(root))
    for value in random.Random(1).sample(sorted(found), 60):
        causes = signing_mistakes([KEY], "HS256", "orders-1", (HEAD, BODY, value))
        assert causes[0].component in found[value], (causes, found[value])
        assert causes[0].mend


CLAIM_MISTAKES = {
    ("exp", "in milliseconds"): {"exp": (NOW + 300) * 1000},
    ("exp", "as a text, not as a number"): {"exp": str(NOW + 300)},
    ("exp", "as a date, not in seconds since 1970"): {"exp": "2033-01-01T00:00:00Z"},
    ("nbf", "in milliseconds"): {"nbf": NOW * 1000 - 5000},
    ("iss", "without a slash (/) at its end"): {"iss": "https://id.example"},
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


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_a_time_in_seconds_is_not_said_to_have_come_in_another_unit(claim: str) -> None:
    """A thousandth of it would pass, or fail, as well, and is no time of anybody's today."""
    for value in (NOW - 900, NOW + 900):
        told = claim_mistake(claim, {claim: value}, lambda _: None)
        assert "seconds" not in told


@pytest.mark.parametrize("kind", ["ID", "Refresh", "Logout"])
def test_another_token_of_the_issuers_is_told_from_an_access_token_and_not_by_the_headers_type(kind: str) -> None:
    recipe = keycloak("https://id.example", "acme", audience="orders")
    claims = {
        "iss": "https://id.example/realms/acme",
        "aud": "orders",
        "sub": "alice",
        "azp": "web",
        "exp": 4_000_000_000,
    }
    token = jose.sign(json.dumps({**claims, "typ": kind}).encode(), KEY, header={"typ": "JWT"})
    guard = Guard([JWTVerifier(KEY, **recipe.arguments)])
    first = explain(Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {token}"}), guard).causes[0]
    assert (first.component, first.received) == ("claim typ", kind)
    assert "access token" in first.mend
    assert "typ=" not in first.mend
