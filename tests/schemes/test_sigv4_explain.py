"""Why a SigV4 request is refused: the first cause that `explain` names is the true one."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import pytest

from tests.schemes.sigv4_world import ECDSA, KEY_ID, NOW, ORIGIN, SECRET, TOKEN, ask, auth, changed, guard, presigned
from watchword import Guard, Request, explain
from watchword.schemes.sigv4 import PathRules

SIGNED = auth().sign(
    ask("/orders/a%20b/?id=7&b=x%20y", "POST", Content_Type="text/plain", X_Own="a, b"), b"body", now=NOW
)
LINE = SIGNED.values(b"authorization")[0].decode()


def first(request: Request, body: bytes = b"body", judge: Guard | None = None) -> tuple[str, str]:
    """Component and mend of the first cause."""
    explanation = explain(request, judge or guard(), body)
    assert not explanation.accepted
    assert explanation.causes, str(explanation)
    text = str(explanation) + explanation.to_json()
    assert SECRET not in text
    assert TOKEN not in text
    cause = explanation.causes[0]
    assert cause.mend
    return cause.component, cause.mend


def test_a_genuine_request_has_no_cause_and_both_halves_show_the_same_text() -> None:
    explanation = explain(SIGNED, guard(), b"body")
    assert explanation.accepted
    assert not explanation.causes
    assert explanation.canonical == auth().canonical(SIGNED, b"body")
    url = presigned(auth().presign("GET", ORIGIN + "/a?b=c", now=NOW))
    assert explain(url, guard()).canonical == auth().canonical(url)


@pytest.mark.parametrize(
    ("change", "component"),
    [
        (lambda r: changed(r, method="PUT"), "@method"),
        (lambda r: changed(r, authority="api.example:8080"), "@authority"),
        (lambda r: changed(r, target=b"/orders/a b/?id=7&b=x%20y".replace(b" ", b"+")), "@path"),
        (lambda r: changed(r, target=b"/api" + r.target), "@path"),
        (lambda r: changed(r, target=b"/orders/a%20b?id=7&b=x%20y"), "@path"),
        (lambda r: changed(r, target=b"/orders/a%2520b/?id=7&b=x%20y"), "@path"),
        (lambda r: changed(r, target=b"/orders/a%20b/?id=7&b=x%20y&utm_source=mail"), "@query"),
        (lambda r: changed(r, target=b"/orders/a%20b/?id=7&b=x+y&"), "@query"),
        (lambda r: changed(r, content_type="text/plain; charset=utf-8"), "header content-type"),
        (lambda r: changed(r, content_type=""), "header content-type"),
        (lambda r: changed(r, x_own="b, a"), "header x-own"),
        (lambda r: changed(r, x_amz_acl="public-read"), "header x-amz-acl"),
        (lambda r: changed(r, authorization=LINE.replace("eu-central-1", "eu-west-1")), "authorization Credential region"),
        (lambda r: changed(r, authorization=LINE.replace("/orders/", "/billing/")), "authorization Credential service"),
        (lambda r: changed(r, authorization=LINE.replace("20231114", "20231113")), "authorization Credential date"),
        (lambda r: changed(r, authorization=LINE.replace(KEY_ID, "AKALICF")), "authorization Credential"),
        (lambda r: changed(r, authorization=LINE[:-1] + ("0" if LINE[-1] != "0" else "1")), "signature"),
    ],
)  # fmt: skip
def test_what_was_changed_on_the_way_is_named(change: Callable[[Request], Request], component: str) -> None:
    assert first(change(SIGNED))[0] == component


@pytest.mark.parametrize("body", [b"body\n", b"Body", b"", b"bod"])
def test_a_body_that_changed_is_named_whether_its_hash_is_in_a_field_or_not(body: bytes) -> None:
    if body == b"body\n":  # otherwise nobody can know what it was
        assert first(SIGNED, body)[0] == "body"
    in_field = auth(service="s3").sign(ask(method="PUT"), b"body", now=NOW)
    assert first(in_field, body, guard(service="s3"))[0] == "body"


@pytest.mark.parametrize(
    ("secret", "component"),
    [(SECRET + "\n", "key"), (SECRET.encode().hex(), "key"), ("another", "signature")],
)
def test_a_secret_in_another_spelling_is_named(secret: str, component: str) -> None:
    assert first(auth(secret).sign(ask(), now=NOW), b"")[0] == component


def test_the_key_of_another_day_region_or_service_is_named() -> None:
    for options in ({"region": "eu-west-1"}, {"service": "billing"}):
        genuine = auth(**options).sign(ask(), now=NOW)
        assert first(genuine, b"")[0].startswith("authorization Credential")


@pytest.mark.parametrize(
    ("options", "mend"),
    [({"paths": PathRules(False, False)}, "encoded once"), ({"paths": PathRules(True, False)}, "not normalised")],
)
def test_another_rule_for_paths_is_named(options: dict[str, PathRules], mend: str) -> None:
    component, said = first(auth(**options).sign(ask("/a%20b//c"), now=NOW), b"")
    assert component == "@path"
    if "encoded once" in mend:
        assert mend in said
    component, said = first(auth(**options).sign(ask("/a//b"), now=NOW), b"")
    assert component == "@path"


def test_a_clock_that_is_off_is_named() -> None:
    assert first(auth().sign(ask(), now=NOW - 3600), b"")[0] == "header x-amz-date"
    assert first(auth().sign(ask(), now=NOW + 3600), b"")[0] == "header x-amz-date"
    component, mend = first(presigned(auth().presign("GET", ORIGIN, now=NOW - 100, expires=60)), b"")
    assert component == "query X-Amz-Expires"
    assert "presign anew" in mend


@pytest.mark.parametrize(
    ("old", "new", "component"),
    [
        (b"x=1", b"x=2&y=3", "@query"), (b"/a?", b"/a/?", "@path"), (b"T221320Z", b"T221330Z", "query X-Amz-Date"),
    ],
)  # fmt: skip
def test_a_changed_presigned_url_is_explained(old: bytes, new: bytes, component: str) -> None:
    url = presigned(auth().presign("GET", ORIGIN + "/a?x=1", now=NOW))
    if component == "@query":  # a parameter that was added
        new = b"x=1&utm_source=mail"
    assert first(changed(url, target=url.target.replace(old, new)), b"")[0] == component


@pytest.mark.parametrize(
    ("written", "words"), [(b"&amp;", "HTML"), (b"\\u0026", "JSON"), (b"%26", "percent-encoded"), (b";", "; for &")]
)
def test_a_presigned_url_whose_ampersands_became_something_else_is_named(written: bytes, words: str) -> None:
    url = presigned(auth().presign("GET", ORIGIN + "/a?x=1", now=NOW))
    told = explain(changed(url, target=url.target.replace(b"&", written)), guard())
    assert told.causes[0].component == "query"
    assert words in told.causes[0].received


@pytest.mark.parametrize("value", ["", "undefined"])
def test_a_presigned_query_that_was_signed_with_a_place_for_the_signature_is_named(value: str) -> None:
    url = presigned(auth().presign("GET", ORIGIN + "/a", now=NOW))
    canonical, _, string = auth().canonical(url).partition("\n\nAWS4-HMAC-SHA256\n")
    canonical = canonical.replace("&X-Amz-SignedHeaders", f"&X-Amz-Signature={value}&X-Amz-SignedHeaders")
    key = f"AWS4{SECRET}".encode()
    for part in ("20231114", "eu-central-1", "orders", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "AWS4-HMAC-SHA256\n" + string.rpartition("\n")[0] + "\n" + hashlib.sha256(canonical.encode()).hexdigest()
    wrong = hmac.new(key, text.encode(), "sha256").hexdigest()
    target = url.target.decode().partition("&X-Amz-Signature=")[0] + f"&X-Amz-Signature={wrong}"
    component, mend = first(changed(url, target=target.encode()), b"")
    assert component == "query X-Amz-Signature"
    assert "not part of what is signed" in mend


def test_an_expired_url_is_said_to_have_expired() -> None:
    url = presigned(auth().presign("GET", ORIGIN + "/a", now=NOW - 100, expires=60))
    assert "has expired: it was good for 60 s" in first(url, b"")[1]


def test_a_payload_hash_in_another_form_is_not_said_to_lack_parameters_of_authorization() -> None:
    wrong = changed(SIGNED, x_amz_content_sha256="I+1QprR3TWFvDIR2SrxeIA==")
    told = explain(wrong, guard(), b"body")
    assert told.causes[0].component.endswith("x-amz-content-sha256")
    assert "Credential" not in str(told.causes[0])


def test_session_tokens_and_unsigned_bodies_are_named() -> None:
    judge = guard(token=TOKEN)
    assert first(auth().sign(ask(), now=NOW), b"", judge)[0] == "header x-amz-security-token"
    assert first(auth(session_token="other").sign(ask(), now=NOW), b"", judge)[0] == "header x-amz-security-token"
    url = presigned(auth(service="s3").presign("PUT", ORIGIN + "/key", now=NOW), "PUT")
    component, mend = first(url, b"body", guard(service="s3"))
    assert component == "body"
    assert "allow_unsigned_payload" in mend


def test_sigv4a_is_explained_too() -> None:
    genuine = auth(algorithm=ECDSA).sign(ask("/a?x=1"), now=NOW)
    assert explain(genuine, guard()).accepted
    assert first(changed(genuine, method="PUT"), b"")[0] == "@method"
    assert first(changed(genuine, target=b"/a/?x=1"), b"")[0] == "@path"
    other = auth(algorithm=ECDSA, region="us-*").sign(ask(), now=NOW)
    assert first(other, b"")[0] == "authorization Credential region"


def test_a_presigned_life_that_was_made_longer_is_named() -> None:
    url = auth().presign("GET", ORIGIN + "/a?b=c", now=NOW, expires=600)
    longer = presigned(url.replace("X-Amz-Expires=600", "X-Amz-Expires=86400"))
    component, mend = first(longer, b"")
    assert component == "query X-Amz-Expires"
    assert "presign anew" in mend


def test_a_date_that_a_proxy_wrote_anew_is_named() -> None:
    signed = auth().sign(ask("/a", Date="Tue, 14 Nov 2023 22:13:20 GMT"), now=NOW)
    assert first(changed(signed, date="Tue, 14 Nov 2023 22:13:23 GMT"), b"")[0] == "header date"


def test_a_field_that_is_signed_and_not_named_or_named_and_not_signed_is_told() -> None:
    fields = LINE.partition("SignedHeaders=")[2].partition(",")[0]
    unnamed = LINE.replace(fields, fields.replace(";x-own", ""))
    component, mend = first(changed(SIGNED, authorization=unnamed))
    assert component == "SignedHeaders"
    assert "x-own was signed" in mend
    asked = ask("/a", "POST", Content_Type="text/plain")
    few = auth().sign(asked, b"body", now=NOW).with_headers(((b"x-own", b"a"),))
    named = few.values(b"authorization")[0].decode()
    fields = named.partition("SignedHeaders=")[2].partition(",")[0]
    more = ";".join(sorted([*fields.split(";"), "x-own"]))
    component, mend = first(changed(few, authorization=named.replace(fields, more)))
    assert component == "SignedHeaders"
    assert "x-own is named and was not signed" in mend
