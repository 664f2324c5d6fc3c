"""SigV4: what an attacker adds, takes away or moves where the signature doesn't look. Every such request is refused."""

from __future__ import annotations

import pytest

from tests.schemes.sigv4_world import KEY_ID, NOW, ORIGIN, SECRET, TOKEN, ask, auth, changed, guard, presigned, verdict
from watchword import Guard, Identity, JWTVerifier, Key, Policy, Reason, Request, SigV4Verifier
from watchword.schemes.sigv4.access_key import hmac_signing
from watchword.schemes.sigv4.canonical import EMPTY, canonical_request, string_to_sign
from watchword.stores import MemoryStore

TIME, SCOPE = b"20231114T221320Z", b"20231114/eu-central-1/orders/aws4_request"


def signed_over(names: list[bytes], values: list[bytes], request: Request) -> Request:
    """A genuine signature over just these fields, as a careless client makes it."""
    canonical = canonical_request(request.method, request.path, b"", names, values, EMPTY)
    signature = hmac_signing(SECRET, SCOPE).sign(string_to_sign(b"AWS4-HMAC-SHA256", TIME, SCOPE, canonical))
    line = b"AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
        KEY_ID.encode(), SCOPE, b";".join(names), signature,
    )  # fmt: skip
    return request.with_headers(((b"authorization", line),))


def test_a_signature_that_leaves_the_host_out_is_good_for_no_host() -> None:
    request = signed_over([b"x-amz-date"], [TIME], ask("/", X_Amz_Date=TIME.decode()))
    assert verdict(guard(), request) is Reason.NOT_COVERED


def test_a_signature_that_leaves_the_time_out_never_ends() -> None:
    for field in ({"X_Amz_Date": TIME.decode()}, {"Date": TIME.decode()}):
        request = signed_over([b"host"], [b"api.example"], ask("/", **field))
        assert verdict(guard(), request) is Reason.NOT_COVERED


@pytest.mark.parametrize("name", ["x_amz_acl", "x_amz_meta_role", "x_amz_copy_source", "x_amz_date2", "x_amz_target"])
def test_an_aws_field_that_is_added_is_refused(name: str) -> None:
    signed = auth().sign(ask(), now=NOW)
    url = presigned(auth().presign("GET", ORIGIN, now=NOW))
    for request in (signed, url):
        assert isinstance(verdict(guard(), request), Identity)
        assert verdict(guard(), changed(request, **{name: EMPTY.decode()})) is Reason.NOT_COVERED


def test_the_hash_of_the_body_is_covered_even_where_its_field_is_not() -> None:
    """aws-requests-auth sends it unsigned: it is the last line of the canonical request all the same."""
    signed = auth().sign(ask(method="PUT"), b"genuine", now=NOW)
    digest = "6d7f9bc4c8b39a4cf21a9a31b5b5ae8fb0e4b29ee8e7c0a5ea1bb8be6a4b7e0d"
    for value in (digest, EMPTY.decode(), "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"):
        for body in (b"genuine", b"forged", b""):
            judge = guard(allow_unsigned_payload=True)
            assert isinstance(verdict(judge, changed(signed, x_amz_content_sha256=value), body), Reason)


def test_a_second_line_of_a_signed_field_is_refused() -> None:
    signed = auth().sign(ask(X_Own="1"), now=NOW)
    for name in (b"x-own", b"x-amz-date"):
        more = Request("GET", "https", "api.example", signed.target, [*signed.headers, (name, b"2")])
        assert verdict(guard(), more) in (Reason.WRONG_SIGNATURE, Reason.MALFORMED_CREDENTIALS)


def test_a_field_that_has_to_be_signed_by_policy_is_refused_unsigned() -> None:
    plain = auth().sign(ask(method="POST"), b"{}", now=NOW)
    typed = changed(plain, content_type="application/json")
    assert isinstance(verdict(guard(), typed, b"{}"), Identity)
    assert verdict(guard(require=["Content-Type"]), typed, b"{}") is Reason.NOT_COVERED
    covered = auth().sign(ask(method="POST", Content_Type="application/json"), b"{}", now=NOW)
    assert isinstance(verdict(guard(require=["Content-Type"]), covered, b"{}"), Identity)


def test_moving_an_octet_between_neighbours_changes_what_is_signed() -> None:
    """Names, values, path and query are separate lines, and none of them can hold a line end."""
    signed = auth().sign(ask("/a?b=c&d=e", A="1", B="2"), now=NOW)
    for other in (
        changed(signed, target=b"/a?b=c&d=e="), changed(signed, target=b"/a?b=cd&=e"), changed(signed, target=b"/ab=c?d=e"),
        changed(signed, target=b"/a?b=c%26d=e"), changed(signed, a="1 b:2", b=""), changed(signed, a="1\nb:2", b=""),
        changed(signed, a="12", b=" "), changed(signed, target=b"/a?b=c&d=e&"), changed(signed, target=b"/a%3Fb=c&d=e"),
    ):  # fmt: skip
        assert isinstance(verdict(guard(), other), Reason), other.target


@pytest.mark.parametrize("service", ["orders", "s3"])
def test_a_path_that_is_encoded_once_more_or_less_is_another_path(service: str) -> None:
    client, judge = auth(service=service), guard(service=service)
    for path, others in (
        ("/a%2Fb", ("/a/b", "/a%252Fb", "/a%2fb")), ("/a%2E%2E/b", ("/a../b", "/a%252E%252E/b")), ("/a%20b", ("/a%2520b",)),
        ("/%2e%2e/x", ("/../x", "/x")),
    ):  # fmt: skip
        signed = client.sign(ask(path), now=NOW)
        assert isinstance(verdict(judge, signed), Identity)
        for other in others:
            if service == "s3" and other == "/a%2fb":
                continue  # the same octets: AWS's UriEncode writes them in capitals
            assert verdict(judge, changed(signed, target=other.encode())) is Reason.WRONG_SIGNATURE, (path, other)


def test_an_s3_key_is_never_normalised_and_others_are_exact_if_asked_to() -> None:
    from watchword.schemes.sigv4 import PathRules

    for options in ({"service": "s3"}, {"paths": PathRules(normalize=False)}):
        signed = auth(**options).sign(ask("/public/x"), now=NOW)
        for path in (b"/admin/../public/x", b"//public/x", b"/./public/x", b"/public//x", b"/public/x/"):
            assert verdict(guard(**options), changed(signed, target=path)) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("name", ["Signature", "Credential", "SignedHeaders", "Date", "Expires", "Algorithm"])
def test_a_credential_parameter_twice_is_refused_whichever_is_genuine(name: str) -> None:
    url = auth().presign("GET", ORIGIN + "/a", now=NOW)
    path, _, query = url.removeprefix(ORIGIN).partition("?")
    value = next(pair.partition("=")[2] for pair in query.split("&") if pair.startswith(f"X-Amz-{name}="))
    for extra in (value, "x", ""):
        for pair in (f"{query}&X-Amz-{name}={extra}", f"X-Amz-{name}={extra}&{query}"):
            assert verdict(guard(), ask(f"{path}?{pair}")) is Reason.MALFORMED_CREDENTIALS


def test_a_parameter_that_is_added_to_a_presigned_url_is_refused_however_it_is_written() -> None:
    url = auth().presign("GET", ORIGIN + "/a?x=1", now=NOW).removeprefix(ORIGIN)
    for more in (
        "&x=2",
        "&",
        "&response-content-type=text/html",
        "&X%2DAmz-Signature=1",
        "&x-amz-signature=1",
        "&x=1",
        "#a",
    ):
        assert isinstance(verdict(guard(), ask(url + more)), Reason), more


def test_credentials_in_the_field_and_in_the_query_are_ambiguous() -> None:
    url = auth().presign("GET", ORIGIN, now=NOW).removeprefix(ORIGIN)
    signed = auth().sign(ask("/"), now=NOW).values(b"authorization")[0].decode()
    assert verdict(guard(), ask(url, Authorization=signed)) is Reason.AMBIGUOUS
    store = MemoryStore()
    store.add_access_key("alice", KEY_ID, SECRET)
    both = Guard([SigV4Verifier(), JWTVerifier(Key.generate("HS256"))], store, policy=Policy(clock=lambda: NOW))
    assert verdict(both, ask(url, Authorization="Bearer a.b.c")) in (Reason.AMBIGUOUS, Reason.MALFORMED_CREDENTIALS)


def test_a_scope_for_another_region_service_or_day_is_refused_even_if_it_is_signed_for() -> None:
    """Confused deputies: a request to one service is no credential at another that knows the same keys."""
    for options in ({"region": "eu-west-1"}, {"service": "billing"}):
        genuine = auth(**options).sign(ask(), now=NOW)
        assert verdict(guard(), genuine) is Reason.WRONG_AUDIENCE
        told = genuine.values(b"authorization")[0].decode()
        lied = told.replace("eu-west-1", "eu-central-1").replace("billing", "orders")
        assert verdict(guard(), changed(genuine, authorization=lied)) is Reason.WRONG_SIGNATURE


def test_the_key_id_of_another_tenant_is_refused() -> None:
    judge = guard()
    judge.plan.store.add_access_key("bob", "AKBOB", "the secret of bob")
    told = auth().sign(ask(), now=NOW)
    lied = told.values(b"authorization")[0].decode().replace(KEY_ID, "AKBOB")
    assert verdict(judge, changed(told, authorization=lied)) is Reason.WRONG_SIGNATURE


def test_a_longer_life_cannot_be_given_to_a_presigned_url() -> None:
    url = auth().presign("GET", ORIGIN, now=NOW, expires=60).removeprefix(ORIGIN)
    late = guard(now=NOW + 100)
    assert verdict(late, ask(url)) is Reason.EXPIRED
    for expires in ("604800", "100000", "61"):
        assert verdict(late, ask(url.replace("Expires=60", f"Expires={expires}"))) is Reason.WRONG_SIGNATURE
    for expires in ("604801", "9999999", "-1", "0", "1e5", "+60", "060", "", "%36%31x"):
        assert verdict(late, ask(url.replace("Expires=60", f"Expires={expires}"))) is Reason.MALFORMED_CREDENTIALS


def test_the_session_token_of_a_key_is_not_optional_and_not_interchangeable() -> None:
    judge = guard(token=TOKEN)
    judge.plan.store.add_access_key("bob", "AKBOB", "the secret of bob", session_token="bobs")
    stolen = auth().sign(ask(), now=NOW)
    assert verdict(judge, stolen) is Reason.MISSING_COMPONENT
    assert verdict(judge, changed(stolen, x_amz_security_token="bobs")) is Reason.WRONG_SECRET
    twice = Request("GET", "https", "api.example", stolen.target, [*stolen.headers, (b"x-amz-security-token", TOKEN.encode()), (b"x-amz-security-token", b"x")])  # fmt: skip
    assert verdict(judge, twice) is Reason.WRONG_SECRET


@pytest.mark.parametrize("payload", ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", EMPTY.decode()])
def test_the_cover_of_a_body_can_not_be_taken_off(payload: str) -> None:
    for judge in (guard(service="s3"), guard(service="s3", allow_unsigned_payload=True)):
        signed = auth(service="s3").sign(ask(method="PUT"), b"genuine", now=NOW)
        other = changed(signed, x_amz_content_sha256=payload, x_amz_trailer="x-amz-checksum-crc32")
        assert isinstance(verdict(judge, other, b"forged"), Reason)
        assert isinstance(verdict(judge, changed(signed, x_amz_content_sha256=""), b"forged"), Reason)


def test_one_signature_is_used_once_also_in_its_other_ecdsa_spelling() -> None:
    """(r, n - s) is as good a signature as (r, s): what is remembered is what was signed."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    judge = guard(single_use=True)
    signed = auth(algorithm="AWS4-ECDSA-P256-SHA256").sign(ask(), now=NOW)
    head, _, signature = signed.values(b"authorization")[0].decode().rpartition("=")
    r, s = decode_dss_signature(bytes.fromhex(signature))
    other = changed(signed, authorization=f"{head}={encode_dss_signature(r, order - s).hex()}")
    assert isinstance(guard().verify(other), Identity)
    assert isinstance(judge.verify(signed), Identity)
    assert verdict(judge, other) is Reason.REPLAYED
