"""What `explain` adds to a scheme's own account: a cause for every refusal, other records, masking, two canonical strings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from watchword import (
    AsyncGuard, Guard, HMACAuth, HMACVerifier, Key, Reason, Request, SignatureVerifier, SigV4Verifier, WebhookVerifier, explain, explain_async,
)  # fmt: skip
from watchword.schemes.explaining.program import Explanation, compare
from watchword.core.identity import Identity
from watchword.schemes.explaining.remedies import REMEDIES
from watchword.core.records import Found
from watchword.core.scheme import UNUSED, Address, Body, Check, Decision, Refusal
from watchword.stores import MemoryStore

KEY = Key.generate("HS256", key_id="robot-1")


class Covering:
    """A scheme whose signature covers a field with a token in it, and cookies."""

    scheme, single_use, rank, always_needed, realm, kinds = "fake", True, 1, (), None, ()
    addresses = (Address(b"x-signature"),)
    needs, reserve, body = (), (), UNUSED

    def read(self, request: Request) -> Covering:
        self.request = request
        return self

    def slow(self, found: Found) -> bool:
        return False

    def decide(self, *_: object) -> Decision:
        return Decision(Identity("alice", "fake"))

    def explain(self, claim: Covering, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
        covered = "\n".join(f"{name.decode()}: {value.decode()}" for name, value in self.request.headers)
        return covered, [
            Check("covered", True, "x", "Bearer very-secret-token", "very-secret-token", "sid=very-secret")
        ]

    def refuse(self, rejection: object, *_: object) -> Refusal:
        return Refusal(401)


def covering() -> Explanation:
    fields = {
        "X-Signature": "s", "Cookie": "sid=very-secret", "X-Other": "plain",
        "Proxy-Authorization": "Bearer very-secret-token",
    }  # fmt: skip
    return explain(Request("GET", "https", "h", "/", fields), Guard([Covering()]))


def test_credentials_that_a_signature_covers_are_masked_in_text_and_json() -> None:
    explanation = covering()
    assert explanation.accepted
    assert "very-secret" not in str(explanation) + explanation.to_json() + repr(explanation)
    assert "x-other: plain" in explanation.canonical
    assert "masked" in explanation.canonical


def test_masked_lines_compare_equal_to_the_clients_own() -> None:
    explanation = covering()
    client = "x-signature: s\ncookie: sid=very-secret\nx-other: plain\nproxy-authorization: Bearer very-secret-token"
    assert explanation.compare(client) is None
    other = explanation.compare(client.replace("plain", "plane"))
    assert other is not None
    assert other.component == "line 3, octet 13"
    longer = explanation.compare(client + "x")
    assert longer is not None
    assert longer.component.startswith("line 4")


@pytest.mark.parametrize(
    ("client", "server", "place"),
    [
        ("a\nb\n", "a\nc\n", "line 2, octet 1"),
        ("a\nbc\n", "a\nb\n", "line 2, octet 2"),
        ("a\n", "a\nb", "line 2, octet 1"),
        ("a", "a\nb", "line 2"),
        ("é!", "é?", "line 1, octet 3"),
        ("", "x", "line 1, octet 1"),
    ],
)
def test_two_canonical_strings_are_compared_to_the_octet(client: str, server: str, place: str) -> None:
    check = compare(client, server)
    assert check is not None
    assert (check.component, check.passed) == (place, False)


def test_every_refusal_has_a_cause_with_component_and_mend() -> None:
    guard = Guard([HMACVerifier()], MemoryStore())
    for field, component in (
        ({}, "credentials"),
        ({"Authorization": "HMAC x"}, "authorization"),
        ({"Authorization": "Magic y"}, "authorization"),
    ):
        explanation = explain(Request("GET", "https", "h", "/", field), guard)
        assert not explanation.accepted
        assert explanation.causes[0].component.startswith(component)
        assert explanation.causes[0].mend
        assert json.loads(explanation.to_json())["causes"][0]["component"] == explanation.causes[0].component


def test_every_reason_has_a_mend() -> None:
    assert set(REMEDIES) == set(Reason)
    assert all(mend and not mend.endswith(".") for mend in REMEDIES.values())


class Unlisted:
    """A store that only speaks the two verbs."""

    kinds, blocking = None, False

    def __init__(self, store: MemoryStore) -> None:
        self.fetch, self.commit = store.fetch, store.commit


def signed(key: Key) -> Request:
    from tests.core.signing import signed_by

    return signed_by(HMACAuth(key), Request("GET", "https", "api.example", "/orders"))


def test_credentials_that_are_nowhere_are_said_to_be_missing_by_the_names_of_their_places() -> None:
    store = MemoryStore()
    guard = Guard([HMACVerifier(), SigV4Verifier(region="eu-west-1", service="s3")], store)
    (cause,) = explain(Request("GET", "https", "api.example", "/"), guard).causes
    assert cause.mend.startswith("the field authorization is missing")
    for query, words in ((b"X-Amz-Algorithm=AWS4-HMAC-SHA256", "cut at an &"), (b"x-amz-signature=00", "another case")):
        (cause,) = explain(Request("GET", "https", "api.example", b"/?" + query), guard).causes
        assert cause.component == "query X-Amz-Signature"
        assert words in cause.mend


@pytest.mark.parametrize(
    ("profile", "field", "before", "text", "words"),
    [
        ("github", "X-Hub-Signature-256", "sha256=", b"/hook{}", "the path as one more part"),
        ("github", "X-Hub-Signature-256", "sha256=", b"POST.{}", "the method before"),
        ("stripe", "Stripe-Signature", "t=1700000000,v1=", b"1700000000.POST.{}", "the method as one more part"),
    ],
)
def test_what_a_sender_signs_beside_the_body_is_named(
    profile: str, field: str, before: str, text: bytes, words: str
) -> None:
    mac = Key.from_secret(b"a secret of 32 octets, or of more", algorithm="HS256").sign(text)
    request = Request("POST", "https", "api.example", "/hook?a=b", {field: before + mac.hex()})
    guard = Guard([WebhookVerifier("a secret of 32 octets, or of more", profile)], MemoryStore())
    assert words in explain(request, guard, b"{}", at=1700000000).causes[0].mend


def test_signatures_with_a_tag_that_nobody_asks_for_are_told_by_it() -> None:
    fields = {"Signature-Input": 'sig1=("@method");created=1;keyid="a";tag="web-bot-auth"', "Signature": "sig1=:AAAA:"}
    request = Request("GET", "https", "api.example", "/", fields)
    (cause,) = explain(request, Guard([SignatureVerifier()], MemoryStore())).causes
    assert (cause.component, cause.expected, cause.received) == ("signature-input tag", "none", "web-bot-auth")


@pytest.mark.parametrize("listed", [True, False])
def test_an_unknown_key_id_is_told_from_the_key_that_made_the_mac_where_the_store_can_be_listed(listed: bool) -> None:
    store = MemoryStore()
    for number in range(200):
        store.add_key("other", Key.generate("HS256", key_id=f"other-{number}"))
    store.add_key("robot", KEY)
    guard = Guard([HMACVerifier()], store if listed else Unlisted(store))
    misnamed = Key.from_secret(KEY.secret_bytes(), algorithm="HS256", key_id="robot-one")
    for explanation in (
        explain(signed(misnamed), guard), asyncio.run(explain_async(signed(misnamed), AsyncGuard.of(guard))),
    ):  # fmt: skip
        assert explanation.reason is Reason.UNKNOWN_KEY
        assert explanation.causes[0].component == "authorization keyid"
        assert (explanation.causes[0].expected == "robot-1") is listed


def test_the_secret_of_another_known_key_is_recognised() -> None:
    store = MemoryStore()
    other = Key.generate("HS256", key_id="billing")
    store.add_key("robot", KEY)
    store.add_key("billing", other)
    wrong = Key.from_secret(other.secret_bytes(), algorithm="HS256", key_id="robot-1")
    explanation = explain(signed(wrong), Guard([HMACVerifier()], store))
    assert explanation.causes[0].component == "key"
    assert "'billing'" in explanation.causes[0].received
    assert other.secret_bytes().hex() not in str(explanation)
