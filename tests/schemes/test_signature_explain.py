"""`explain` on signed requests: the first failed check names what went wrong."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest

from tests.schemes.signature_world import (
    COVERED, KEY, NOW, SECRET, URL, guard_at, hand_signed, key_for, params, signed, store_with,
)  # fmt: skip
from watchword import Key, KeySet, Request, SignaturePolicy, explain
from watchword.schemes.explaining.program import Explanation

BODY = b'{"b": 1, "a": [1, 2]}'


def explained(request: Request, body: bytes = b"", **options: Any) -> Explanation:
    return explain(request, guard_at(**options), body, at=NOW)


def first(request: Request, body: bytes = b"", **options: Any) -> tuple[str, str, str]:
    cause = explained(request, body, **options).causes[0]
    return cause.name, cause.component, cause.mend


def changed(request: Request, **parts: Any) -> Request:
    given = {"method": request.method, "scheme": "https", "authority": URL[1], "target": URL[2], **parts}
    return Request(headers=parts.pop("headers", request.headers), **{k: v for k, v in given.items() if k != "headers"})


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "ed25519"])
@pytest.mark.parametrize(
    ("parts", "component"),
    [
        ({"method": "GET"}, "@method"),
        ({"authority": "api.example:8443"}, "@authority"),
        ({"authority": "10.0.0.1:8000"}, ""),
        ({"target": "/api/orders?id=7"}, "@path"),
        ({"target": "/orders/?id=7"}, "@path"),
    ],
)
def test_a_change_of_the_request_is_named(algorithm: str, parts: dict[str, Any], component: str) -> None:
    key = key_for(algorithm)
    request = changed(signed(key=key), **parts)
    name, found, mend = first(request, store=store_with(key))
    assert (name, found if component else component) == ("signature", component)
    assert mend


def test_a_genuine_request_has_every_check_and_its_base() -> None:
    answer = explained(signed("POST", BODY), BODY)
    assert answer.accepted
    assert not answer.causes
    assert {"key id", "algorithm", "signature", "body", "time", "expires", "key time", "coverage", "single use"} == {
        check.name for check in answer.checks
    }
    assert answer.canonical.startswith('"@method": POST\n')


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"a":[1,2],"b":1}', "JSON"),
        (BODY + b"\n", "line break"),
        (b"", "an empty body came"),
        (b"something else", "exactly the octets"),
    ],
)
def test_a_changed_body_is_named_after_the_signature(body: bytes, words: str) -> None:
    name, component, mend = first(signed("POST", BODY), body)
    assert (name, component) == ("body", "body")
    assert words.lower() in mend.lower()


def test_a_body_that_is_not_covered_says_what_to_cover() -> None:
    assert first(signed("POST"), BODY) == (
        "body",
        "content-digest",
        'cover "content-digest", and send that field (RFC 9530)',
    )


def test_a_covered_field_that_is_gone_is_named() -> None:
    request = hand_signed(f'{COVERED[:-1]} "date"){params()}', Request("POST", *URL, {"Date": "now"}))
    gone = Request("POST", *URL, [pair for pair in request.headers if pair[0] != b"date"])
    name, component, _ = first(gone)
    assert name == "signature"
    assert "date" in component


def test_a_covered_field_that_was_changed_is_named() -> None:
    request = hand_signed(f'{COVERED[:-1]} "accept"){params()}', Request("POST", *URL, {"Accept": "a, b"}))
    assert first(request.with_headers(((b"accept", b"a,b"),)))[1] == "header accept"


def test_keys_time_coverage_and_algorithm_are_named() -> None:
    assert first(signed(key=Key.generate("ed25519", key_id="robot-l")))[:2] == ("key id", "keyid")
    assert first(signed(now=NOW - 3600, lifetime=None))[:2] == ("time", "created")
    assert first(signed(now=NOW - 100, lifetime=50))[:2] == ("expires", "expires")
    assert first(hand_signed(f'("@method"){params()}'))[:2] == ("coverage", '"@authority"')
    assert first(hand_signed(f"{COVERED}{params(nonce=None)}"))[:2] == ("coverage", "nonce")
    assert first(hand_signed(f"{COVERED}{params(alg='ed25519')}"))[:2] == ("algorithm", "alg")


@pytest.mark.parametrize("secret", [SECRET.hex().encode(), SECRET + b"\n"])
def test_the_secret_in_another_spelling_is_recognised_and_not_shown(secret: bytes) -> None:
    request = signed(key=Key.from_secret(secret, algorithm="hmac-sha256", key_id="robot-1"))
    answer = explained(request)
    assert answer.causes[0].component == "key"
    assert SECRET.hex() not in json.dumps(answer.to_json()) + str(answer)


def test_another_known_key_is_recognised() -> None:
    keys = KeySet([key_for("ed25519", "one"), key_for("ed25519", "two")])
    request = hand_signed(f"{COVERED}{params(keyid='one')}", key=keys.keys[1])
    assert "'two'" in first(request, keys=keys)[2]
    unknown = hand_signed(f"{COVERED}{params(keyid='three')}", key=keys.keys[1])
    assert "'two'" in first(unknown, keys=keys)[2]


@pytest.mark.parametrize(
    ("old", "new", "component"),
    [
        (f";created={int(NOW)}", f";created={int(NOW) - 7}", "header signature-input created"),
        (f";created={int(NOW)}", f';created={int(NOW)};alg="hmac-sha256"', "header signature-input alg"),
        ('"@method" "@authority"', '"@authority" "@method"', "header signature-input"),
    ],
)
def test_a_changed_signature_input_is_named(old: str, new: str, component: str) -> None:
    request = signed()
    field = request.values(b"signature-input")[0].decode()
    assert old in field
    tampered = request.with_headers(((b"signature-input", field.replace(old, new).encode()),))
    assert first(tampered)[1] == component


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "ecdsa-p256-sha256"])
@pytest.mark.parametrize("name", ["created", "nonce", "keyid"])
def test_a_last_line_with_one_parameter_alone_is_named(algorithm: str, name: str) -> None:
    key = key_for(algorithm)
    others = {each: None for each in ("created", "nonce", "keyid") if each != name}
    request = hand_signed(f"{COVERED}{params(**others)}", key=key)
    sent = [
        (field, f"sig1={COVERED}{params()}".encode() if field == b"signature-input" else value)
        for field, value in request.headers
    ]
    found = first(changed(request, method="POST", headers=sent), store=store_with(key))
    assert (found[0], f"parameter {name} alone" in found[2]) == ("signature", True), found


def test_a_nonce_that_was_used_is_named() -> None:
    guard, request = guard_at(), signed()
    guard.verify(request)
    answer = explain(request, guard, at=NOW)
    assert [cause.name for cause in answer.causes] == ["single use"]


def test_signatures_of_two_subjects_are_named() -> None:
    from watchword import SignatureAuth
    from tests.schemes.signature_world import sign

    one, two = key_for("ed25519", "one"), key_for("ed25519", "two")
    request = sign(SignatureAuth(two), signed(key=one))
    answer = explain(request, guard_at(store=store_with(one, two)), at=NOW)
    assert answer.causes[-1].name == "subject"
    assert not explain(
        request, guard_at(store=store_with(one, two), policy=SignaturePolicy(label="sig1")), at=NOW
    ).causes
    assert KEY.key_id not in str(answer)


def test_a_demanded_component_that_was_taken_off_the_list_is_named_with_the_list() -> None:
    request = signed()
    fields = [
        (name, value.replace(b' "@path"', b"") if name == b"signature-input" else value)
        for name, value in request.headers
    ]
    _, component, mend = first(changed(request, headers=fields))
    assert component == "header signature-input"
    assert "changed after signing" in mend


def test_another_hash_is_named_though_the_secret_is_too_short_to_be_registered_for_it() -> None:
    request = signed()
    base = explained(request).canonical.encode()
    proof = base64.b64encode(hmac.digest(KEY.secret_bytes(), base, "sha512"))
    fields = [(name, b"sig1=:%b:" % proof if name == b"signature" else value) for name, value in request.headers]
    assert first(changed(request, headers=fields))[1] == "alg"
