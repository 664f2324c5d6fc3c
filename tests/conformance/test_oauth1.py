"""OAuth 1.0a as its specifications, the OAuth wiki and large services published it: made to the octet, and verified."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from watchword import Guard, OAuth1Auth, OAuth1Verifier, Policy, Reason, Rejected, Request
from watchword.schemes.oauth1.credentials import METHODS, load_rsa, signing_key
from watchword.schemes.oauth1.encoding import (
    base_string, base_uri, escape, form_pairs, header_value, is_form, normalized, octets_text,
)  # fmt: skip
from watchword.stores import MemoryStore

from .conftest import load

SUITE = load("oauth1", "oauth1.json")
REQUESTS = {case["id"]: case for case in SUITE["requests"]}
SIGNED = {name: case for name, case in REQUESTS.items() if "signature_base_string" in case}
USED = {"source", "requests", "parameter_encoding", "normalization", "base_strings", "hmac_sha1"}


def escaped(text: str) -> str:
    return escape(octets_text(text))


def body_of(case: dict[str, Any]) -> bytes:
    pairs = case.get("form_body") or []
    return "&".join(
        f"{quote(name, safe='')}={quote(value, safe='').replace('%20', '+')}" for name, value in pairs
    ).encode()


def bare(case: dict[str, Any]) -> Request:
    parts = urlsplit(case["url"])
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if case.get("form_body") else {}
    return Request(case["method"], parts.scheme, parts.netloc, target, kind)


def with_credentials(case: dict[str, Any], request: Request, signature: str) -> Request:
    pairs = [(name, escaped(value)) for name, value in case["oauth"].items()]
    value = header_value("Photos", [*pairs, ("oauth_signature", escaped(signature))])
    return request.with_headers(((b"authorization", value),))


def guard_for(case: dict[str, Any]) -> Guard:
    store = MemoryStore()
    oauth = case["oauth"]
    store.add_oauth1_client(
        oauth["oauth_consumer_key"], secret=case.get("client_secret", ""), public_key=case.get("public_key_pem")
    )
    if "oauth_token" in oauth:
        store.add_oauth1_token(
            oauth["oauth_token"], case["token_secret"], client_key=oauth["oauth_consumer_key"], subject="jane"
        )
    verifier = OAuth1Verifier(methods=tuple(set(METHODS) - {"PLAINTEXT"}), allow_plaintext=True)
    return Guard([verifier], store, policy=Policy(clock=lambda: float(oauth["oauth_timestamp"])))


def test_nothing_of_the_suite_is_left_out() -> None:
    assert set(SUITE) == USED
    assert set(REQUESTS) - set(SIGNED) == {"plaintext"}


@pytest.mark.parametrize("name", SIGNED)
def test_base_strings_and_signatures_are_made_to_the_octet(name: str) -> None:
    case = SIGNED[name]
    request, body = bare(case), body_of(case)
    pairs = [(key, escaped(value)) for key, value in case["oauth"].items()]
    pairs += form_pairs(request.query or b"", "query")
    pairs += form_pairs(body, "body") if is_form(request) else []
    base = base_string(case["method"], base_uri(request), pairs)
    assert base.decode() == case["signature_base_string"]
    method = METHODS[case["oauth"]["oauth_signature_method"]]
    if method.kind == "hmac":
        octets = method.mac(signing_key(case["client_secret"], case["token_secret"]), base)
    else:
        key = load_rsa(method, case["private_key_pem"])
        assert key.signer is not None
        octets = key.signer(base)
    assert b64encode(octets).decode() == case["signature"]


@pytest.mark.parametrize("name", SIGNED)
def test_published_requests_are_accepted_once_and_not_with_a_changed_parameter(name: str) -> None:
    case = SIGNED[name]
    request, body, guard = with_credentials(case, bare(case), case["signature"]), body_of(case), guard_for(case)
    other = Request(
        request.method, request.scheme, request.authority,
        request.target + (b"&" if b"?" in request.target else b"?") + b"x=1", request.headers,
    )  # fmt: skip
    assert reason(guard, other, body) is Reason.WRONG_SIGNATURE
    who = guard.verify(request, body)
    assert who.subject == ("jane" if "oauth_token" in case["oauth"] else case["oauth"]["oauth_consumer_key"])
    assert reason(guard, request, body) is Reason.REPLAYED


@pytest.mark.parametrize("name", SIGNED)
def test_the_client_s_own_canonical_string_is_the_published_one(name: str) -> None:
    case = SIGNED[name]
    auth = OAuth1Auth("any", "secret")
    shown = auth.canonical(with_credentials(case, bare(case), case["signature"]), body_of(case))
    assert shown == case["signature_base_string"]


def test_plaintext_is_accepted_over_tls_only() -> None:
    case = REQUESTS["plaintext"]
    request = with_credentials(case, bare(case), case["signature"])
    assert request.scheme == "http"
    assert reason(guard_for(case), request, b"") is Reason.WRONG_ALGORITHM
    over_tls = Request(request.method, "https", request.authority, request.target, request.headers)
    assert guard_for(case).verify(over_tls).subject == "jane"
    assert signing_key(case["client_secret"], case["token_secret"]).decode() == case["signature"]


@pytest.mark.parametrize("case", SUITE["parameter_encoding"], ids=lambda case: ascii(case["input"]))
def test_parameter_encoding(case: dict[str, str]) -> None:
    assert escaped(case["input"]) == case["output"]


@pytest.mark.parametrize("case", SUITE["normalization"], ids=lambda case: case["output"])
def test_normalization(case: dict[str, Any]) -> None:
    assert normalized([(escaped(name), escaped(value)) for name, value in case["params"]]) == case["output"]


@pytest.mark.parametrize("case", SUITE["base_strings"], ids=lambda case: case["url"])
def test_base_strings(case: dict[str, Any]) -> None:
    pairs = [(escaped(name), escaped(value)) for name, value in case["params"]]
    assert base_string(case["method"], base_uri(bare(case)), pairs).decode() == case["output"]


@pytest.mark.parametrize("case", SUITE["hmac_sha1"], ids=lambda case: case["token_secret"] or "no token")
def test_hmac_sha1(case: dict[str, str]) -> None:
    key = signing_key(case["client_secret"], case["token_secret"])
    mac = METHODS["HMAC-SHA1"].mac(key, case["base_string"].encode())
    assert b64encode(mac).decode() == case["signature"]


def reason(guard: Guard, request: Request, body: bytes) -> Reason:
    with pytest.raises(Rejected) as caught:
        guard.verify(request, body)
    return caught.value.reason
