"""RFC 9421: every test case of appendix B, every example of the text, and an independent transcription of the cases."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from watchword import Guard, Key, KeySet, Policy, Reason, Rejected, Request, Response
from watchword import SignatureAuth, SignaturePolicy, SignatureVerifier
from watchword.transport.flow import ClientContext, run
from watchword.core.message import Headers
from watchword.effects import Received
from watchword.crypto.digests import digest
from watchword.fields.content_digest import read_digests
from watchword.fields.structured import parse_dictionary, parse_item, parse_list, serialize_dictionary
from watchword.schemes.explaining.computation import Computation
from watchword.schemes.signatures.accept import accept_signature, read_accept_signature
from watchword.schemes.signatures.base import component_value, signature_base
from watchword.schemes.signatures.claim import SignatureClaim
from watchword.schemes.signatures.components import FIELD_TYPES, Component, SignatureInput
from watchword.schemes.signatures.description import described
from watchword.schemes.signatures.message import Message
from watchword.schemes.signatures.wire import read_signatures

from .conftest import load, vectors

APPENDIX: Mapping[str, Any] = load("rfc9421", "appendix_b.json")
EXAMPLES: list[dict[str, Any]] = load("rfc9421", "examples.json")["blocks"]
TYPES = {**FIELD_TYPES, "example-dict": "dictionary"}
ALGORITHMS = {
    "test-key-rsa": "rsa-v1_5-sha256", "test-key-rsa-pss": "rsa-pss-sha512", "test-key-ecc-p256": "ecdsa-p256-sha256",
    "test-key-ed25519": "ed25519", "test-shared-secret": "hmac-sha256",
}  # fmt: skip


@cache
def key_of(name: str) -> Key:
    entry = APPENDIX["keys"][name]
    if "base64" in entry:
        return Key.from_secret(b64decode(entry["base64"]), algorithm=ALGORITHMS[name], key_id=name)
    return Key.from_pem(entry["private_pem"], algorithm=ALGORITHMS[name], key_id=name)


def request_of(message: Mapping[str, Any], scheme: str = "https", extra: Headers = ()) -> Request:
    host = next(value for name, value in message["headers"] if name.lower() == "host")
    lines = [*message["headers"], *extra]
    return Request(message["method"], scheme, host, message["target"], lines)


def message_of(case: Mapping[str, Any]) -> Message:
    message = case["message"]
    if "status" in message:
        return Message(None, Response(message["status"], message["headers"]))
    return Message(request_of(message, case["scheme"]))


def lax(covered: SignatureInput) -> SignatureVerifier:
    """Demands what these signatures cover, and no time: they are of 2021."""
    tag = covered.text_param("tag")
    policy = SignaturePolicy(components=(), body=False, created=False, nonce=False, tags=(tag,))
    return SignatureVerifier(KeySet(map(key_of, ALGORITHMS)), policy=policy, max_age=None)


def fields(case: Mapping[str, Any]) -> Headers:
    return ((b"signature-input", case["signature_input"].encode()), (b"signature", case["signature"].encode()))


@pytest.mark.parametrize("case", APPENDIX["cases"], ids=lambda case: case["id"])
def test_the_signature_base_of_appendix_b(case: Mapping[str, Any]) -> None:
    signed = read_signatures(fields(case))[0]
    base = signature_base(signed.covered, message_of(case))
    assert f"{signed.label}={signed.covered}" == case["signature_input"]
    if case["signature_base"] is None:
        assert not case["valid"]
    else:
        assert base.decode() == case["signature_base"]
    if case["valid"]:
        key_of(case["key"]).verify(base, signed.signature)
    else:
        with pytest.raises(Rejected):
            key_of(case["key"]).verify(base, signed.signature)


REQUESTS = [case for case in APPENDIX["cases"] if "method" in case["message"]]


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: case["id"])
def test_a_request_of_appendix_b_is_accepted_exactly_if_it_is_valid(case: Mapping[str, Any]) -> None:
    guard = Guard([lax(read_signatures(fields(case))[0].covered)])
    request = request_of(case["message"], case["scheme"]).with_headers(fields(case))
    if case["valid"]:
        assert guard.verify(request, case["message"]["body"].encode()).key_id == case["key"]
    else:
        with pytest.raises(Rejected) as caught:
            guard.verify(request, case["message"]["body"].encode())
        assert caught.value.reason is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("case", [case for case in REQUESTS if case["valid"]], ids=lambda case: case["id"])
def test_explains_description_of_a_signature_is_the_base_of_appendix_b(case: Mapping[str, Any]) -> None:
    guard = Guard([lax(read_signatures(fields(case))[0].covered)])
    located = guard.plan.explaining.locate(request_of(case["message"], case["scheme"]).with_headers(fields(case)))
    assert located is not None
    claim, body = located.claim, case["message"]["body"].encode()
    assert isinstance(claim, SignatureClaim)
    base = described(claim, claim.presented[0], key_of(case["key"]), (), body).base
    assert Computation(base).value(base).decode() == case["signature_base"]


DETERMINISTIC = [case for case in REQUESTS if case["deterministic"] and case["valid"]]


@pytest.mark.parametrize("case", DETERMINISTIC, ids=lambda case: case["id"])
def test_signing_gives_the_octets_of_appendix_b(case: Mapping[str, Any]) -> None:
    covered = read_signatures(fields(case))[0]
    auth = SignatureAuth(
        key_of(case["key"]), components=tuple(map(str, covered.covered.components)), label=covered.label,
        lifetime=None, nonce=False,
    )  # fmt: skip
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    now = float(covered.covered.created or 0)
    run(auth, request_of(case["message"]), send, ClientContext(case["message"]["body"].encode, now=lambda: now))
    assert sent[0].values(b"signature-input") == [case["signature_input"].encode()]
    assert sent[0].values(b"signature") == [case["signature"].encode()]
    assert auth.canonical(sent[0]) == case["signature_base"]


@pytest.mark.parametrize("case", [case for case in REQUESTS if case["valid"]], ids=lambda case: case["id"])
def test_the_default_policy_refuses_what_is_of_2021_or_covers_too_little(case: Mapping[str, Any]) -> None:
    request = request_of(case["message"]).with_headers(fields(case))
    guard = Guard([SignatureVerifier(KeySet(map(key_of, ALGORITHMS)), policy=SignaturePolicy(tags=(None, "header-example")))],
                  _memory(), policy=Policy(clock=lambda: 1618884500))  # fmt: skip
    with pytest.raises(Rejected) as caught:
        guard.verify(request, case["message"]["body"].encode())
    assert caught.value.reason is Reason.NOT_COVERED


def _memory() -> Any:
    from watchword.stores import MemoryStore

    return MemoryStore(clock=lambda: 1618884500)


# ---- the examples of the text -----------------------------------------------------------------------------------------


def text(number: int) -> str:
    return str(EXAMPLES[number]["text"]).replace("(SP)", " ").replace("\\\n  ", "")


def parsed(number: int, scheme: str = "https", answered: int | None = None) -> Message:
    """A message of the text; fragments without a start line are requests for "/"."""
    head, _, rest = text(number).partition("\n\n")
    lines = head.split("\n")
    start = lines[0].split(" ")
    status = int(start[1]) if start[0].startswith("HTTP/") else None
    has_start = status is not None or (len(start) == 3 and start[2].startswith("HTTP/"))
    method, target = ("GET", "/") if status is not None or not has_start else start[:2]
    joined = re.findall(r"(?m)^([^\s:]+):(.*(?:\n[ \t].*)*)", "\n".join(lines[has_start:]))
    host = next((value.strip() for name, value in joined if name.lower() == "host"), "www.example.com")
    if status is None:
        return Message(Request(method, scheme, host, target, joined), types=TYPES)
    trailers = re.findall(r"(?m)^([A-Za-z-]+): (.*)$", rest) if "chunked" in head else []
    response = Response(status, joined)
    original = None if answered is None else parsed(answered).request
    return Message(
        original, response, tuple((name.lower().encode(), value.encode()) for name, value in trailers), types=TYPES
    )


# Of each example that shows what a message's components look like: the message, and the block with the lines.
LINES = [
    (0, 1), (2, 3), (4, 5), (4, 6), (7, 8), (9, 11), (9, 12), (10, 11), (10, 13), (14, 15), (16, 18), (19, 21), (22, 24),
    (25, 27), (28, 30), (31, 33), (34, 36), (37, 39), (40, 42), (43, 45), (46, 48), (51, 52), (53, 54), (56, 58),
    (85, 87), (86, 87),
]  # fmt: skip
VALUES = [
    (16, 17, "@method"), (19, 20, "@target-uri"), (22, 23, "@authority"), (25, 26, "@scheme"), (28, 29, "@request-target"),
    (31, 32, "@request-target"), (34, 35, "@request-target"), (37, 38, "@request-target"), (40, 41, "@path"),
    (43, 44, "@query"), (46, 47, "@query"), (56, 57, "@status"),
]  # fmt: skip
BASES = [(60, 61, 62), (64, 61, 65), (None, 68, 69), (None, 80, 78), (None, 98, 102), (None, 98, 104), (None, 98, 108),
         (None, 98, 110), (None, 113, 114), (None, 117, 118), (None, 98, 100)]  # fmt: skip
# Signed messages: the block, the request that it answers, the label, the key, and whether the signature is good there.
SIGNED = [
    (63, 60, "reqres", "test-key-ecc-p256", True), (66, 64, "reqres", "test-key-ecc-p256", True),
    (64, None, "sig1", "test-key-rsa-pss", True), (71, None, "sig1", "test-key-rsa-pss", True),
    (76, None, "sig1", "test-key-ecc-p256", True), (77, None, "sig1", "test-key-ecc-p256", False),
    (80, None, "proxy_sig", "test-key-rsa", True), (80, None, "sig1", "test-key-ecc-p256", False),
    (116, None, "ttrp", "test-key-ecc-p256", True), (117, None, "transform", "test-key-ed25519", True),
    (119, None, "transform", "test-key-ed25519", True), (120, None, "transform", "test-key-ed25519", True),
    (121, None, "transform", "test-key-ed25519", True), (122, None, "transform", "test-key-ed25519", False),
    (123, None, "transform", "test-key-ed25519", False),
]  # fmt: skip
# Signature values by themselves, with the block of their base.
DETACHED = [(69, 70, "test-key-rsa-pss"), (78, 79, "test-key-rsa"), (114, 115, "test-key-ecc-p256")]
# Fields of signatures for appendix B's messages, with the block of their base.
FIELDS = [(100, 101, "test-key-rsa-pss"), (102, 103, "test-key-rsa-pss"), (104, 105, "test-key-rsa-pss"),
          (106, 107, "test-key-ecc-p256"), (108, 109, "test-shared-secret"), (110, 111, "test-key-ed25519")]  # fmt: skip
SERIALISATIONS = {59, 74, 75, 81}
# What no implementation computes: grammar, function names, a command, keys (used above), messages without signatures.
ELSEWHERE = {
    67: "ABNF", 72: "a function's signature", 73: "a function's signature", 88: "a command",
    **dict.fromkeys(range(89, 98), "a key"), 99: "another Content-Digest than the base of B.2.4 has (README)",
    112: "not signed",
}  # fmt: skip


@pytest.mark.parametrize(("message", "block"), LINES)
def test_the_lines_of_an_example(message: int, block: int) -> None:
    seen = parsed(message, "http" if message == 25 else "https")
    lines = re.findall(r'^("[^"]+"(?:;[a-z]+(?:="[^"]*")?)*): ?(.*)$', text(block), re.MULTILINE)
    assert len(lines) == len(text(block).splitlines())
    for identifier, value in lines:
        component = Component.of(parse_item(identifier))
        assert component_value(component, seen).decode() == value, identifier
        assert str(component) == identifier


@pytest.mark.parametrize(("message", "block", "component"), VALUES)
def test_the_value_of_an_example(message: int, block: int, component: str) -> None:
    seen = parsed(message, "http" if message == 25 else "https")
    assert component_value(Component(component), seen).decode() == text(block)


def test_the_example_of_an_absent_query() -> None:
    message = Message(Request("GET", "https", "www.example.com", "/path"))
    assert component_value(Component("@query"), message).decode() == text(49)
    assert text(50) == '"@query": ?'


def test_the_example_of_query_parameters_that_are_not_encoded_again_is_not_what_we_give() -> None:
    shown = text(55)
    for name in ("var", "bar"):
        value = component_value(Component("@query-param", (("name", name),)), parsed(53)).decode()
        assert f'"@query-param";name="{name}": {value}' not in shown


def covered_by(base: str) -> SignatureInput:
    params = base.rpartition('"@signature-params": ')[2]
    member = parse_list(params)[0]
    return SignatureInput.of(member, 32)


@pytest.mark.parametrize(("request_block", "message", "block"), BASES)
def test_the_signature_base_of_an_example(request_block: int | None, message: int, block: int) -> None:
    seen = parsed(message, answered=request_block)
    expected = text(block)
    assert signature_base(covered_by(expected), seen).decode() == expected


@pytest.mark.parametrize(("block", "answered", "label", "key", "good"), SIGNED)
def test_a_signed_message_of_an_example(block: int, answered: int | None, label: str, key: str, good: bool) -> None:
    seen = parsed(block, answered=answered)
    own = seen.request if seen.response is None else seen.response
    assert own is not None
    signed = next(one for one in read_signatures(own.headers) if one.label == label)
    base = signature_base(signed.covered, seen)
    if good:
        key_of(key).verify(base, signed.signature)
    else:
        with pytest.raises(Rejected):
            key_of(key).verify(base, signed.signature)


@pytest.mark.parametrize(("base", "signature", "key"), DETACHED)
def test_a_signature_of_an_example(base: int, signature: int, key: str) -> None:
    key_of(key).verify(text(base).encode(), b64decode(text(signature)))


@pytest.mark.parametrize(("base", "signed", "key"), FIELDS)
def test_the_fields_of_an_example(base: int, signed: int, key: str) -> None:
    headers = [line.partition(": ")[::2] for line in text(signed).split("\n")]
    one = read_signatures([(name.lower().encode(), value.encode()) for name, value in headers])[0]
    assert text(base).endswith(f'"@signature-params": {one.covered}')
    key_of(key).verify(text(base).encode(), one.signature)
    if key in ("test-shared-secret", "test-key-ed25519"):
        assert key_of(key).sign(text(base).encode()) == one.signature


def test_the_serialisations_of_fields() -> None:
    assert str(covered_by(text(59))) == text(59)
    _, _, value = text(74).partition(": ")
    label, _, rest = value.partition("=")
    assert f"{label}={covered_by(rest)}" == value
    _, _, value = text(75).partition(": ")
    assert serialize_dictionary(parse_dictionary(value)) == value
    _, _, value = text(81).partition(": ")
    wanted = read_accept_signature([value.encode()])
    assert accept_signature(wanted).decode() == value
    assert wanted[0].params == {"keyid": "test-key-rsa-pss", "created": True, "tag": "app-123"}


def test_the_example_of_a_content_digest() -> None:
    body = text(83).partition("\n\n")[2].encode()
    headers = parsed(83).response
    assert headers is not None
    assert read_digests(headers.values(b"content-digest")) == {"sha-256": digest("sha-256", body)}
    # The example's last line names what is called @signature-params everywhere else; its other lines are compared.
    lines = re.sub(r"\\\n\s*", "", str(EXAMPLES[84]["text"])).split("\n")
    for line in lines[:2]:
        identifier, _, value = line.partition(": ")
        assert component_value(Component.of(parse_item(identifier)), parsed(83)).decode() == value


def test_every_example_is_tried_or_said_to_be_none() -> None:
    tried: set[Any] = set(SERIALISATIONS) | set(ELSEWHERE) | {49, 50, 53, 55, 82, 83, 84}
    tried |= {number for row in (*LINES, *BASES) for number in row if number is not None}
    tried |= {row[number] for row in VALUES for number in (0, 1)} | {row[0] for row in SIGNED}
    tried |= {row[number] for row in (*DETACHED, *FIELDS) for number in (0, 1)}
    assert tried == set(range(len(EXAMPLES)))


# ---- the same cases, transcribed by somebody else ----------------------------------------------------------------------


def transcriptions() -> Iterator[Any]:
    for path in sorted(vectors("rfc9421", "zourzouvillys").glob("b*.json")):
        yield pytest.param(load("rfc9421", "zourzouvillys", path.name), id=path.stem)


def transcribed(message: Mapping[str, Any], answered: Mapping[str, Any] | None = None) -> Message:
    if message["type"] == "response":
        request = None if answered is None else transcribed(answered).request
        return Message(request, Response(message["statusCode"], message["headers"]))
    authority, slash, rest = message["url"].removeprefix("https://").partition("/")
    return Message(Request(message["method"], "https", authority, slash + rest, message["headers"]))


@pytest.mark.parametrize("case", list(transcriptions()))
def test_an_independent_transcription(case: Mapping[str, Any]) -> None:
    _, _, value = case["expectedSignatureInput"].partition("=")
    covered = covered_by(value)
    assert f"{case['signingParams']['label']}={covered}" == case["expectedSignatureInput"]
    base = signature_base(covered, transcribed(case["message"], case.get("requestMessage")))
    assert base.decode() == case["expectedBase"]
    key = key_of(case["signingParams"]["keyId"])
    assert key.algorithm == Key.generate(case["signingParams"]["algorithm"]).algorithm
    if case.get("expectedSignature"):
        assert key.sign(base) == b64decode(case["expectedSignature"])
    if case.get("verifyOnlySignature"):
        key.verify(base, b64decode(case["verifyOnlySignature"]))
