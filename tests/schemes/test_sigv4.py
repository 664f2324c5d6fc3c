"""SigV4, both halves: what is covered, where credentials arrive, time, scope, temporary credentials."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.examples_of import examples
from tests.schemes.sigv4_world import (
    ECDSA,
    KEY_ID,
    NOW,
    ORIGIN,
    SECRET,
    TOKEN,
    ask,
    auth,
    changed,
    guard,
    presigned,
    verdict,
)
from watchword import ConfigurationError, Guard, Identity, Policy, Reason, Rejected, Request, Response, SigV4Auth
from watchword import SigV4Verifier, explain
from watchword.clients.requests import adapt
from watchword.transport.flow import ClientContext, run
from watchword.core.message import NOBODY
from watchword.effects import Received, Send
from watchword.schemes.sigv4 import AccessKey, PathRules, Payload
from watchword.schemes.sigv4.access_key import SigningKeys
from watchword.schemes.sigv4.canonical import paths, queries
from watchword.schemes.sigv4.claim import matches
from watchword.schemes.sigv4.credentials import epoch, read_query
from watchword.stores import MemoryStore, from_callables

BOTH = pytest.mark.parametrize("algorithm", ["AWS4-HMAC-SHA256", ECDSA])


def accepted(judge: Guard, request: Request, body: bytes = b"") -> None:
    who = verdict(judge, request, body)
    assert isinstance(who, Identity), who
    assert (who.subject, who.scheme, who.key_id) == ("alice", "sigv4", KEY_ID)


# ---- round trips -----------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("service", ["orders", "s3"])
@pytest.mark.parametrize(
    "target",
    [
        "/", "/a%20b", "/a//b", "/./a/../b/", "/a;b=c,d:e@f!$'()*", "/%E1%88%B4", "/a%2Fb", "/a%252Fb", "/?", "/?a", "/?a=",
        "/?b=2&a=1&a=0&A=3", "/?a=%20+%2B&c=d=e&&", "/?a=b/c?d:e@f", "/?%e1%88%b4=x&~-._=y", "/?=x&a==",
    ],
)  # fmt: skip
def test_a_signed_request_is_accepted_whatever_its_target(algorithm: str, service: str, target: str) -> None:
    client, judge = auth(service=service, algorithm=algorithm), guard(service=service)
    accepted(judge, client.sign(ask(target, "POST"), b"body", now=NOW), b"body")
    accepted(judge, presigned(client.presign("GET", ORIGIN + target, now=NOW)))


@BOTH
def test_method_target_host_fields_and_body_are_covered(algorithm: str) -> None:
    judge = guard()
    signed = auth(algorithm=algorithm).sign(
        ask(method="POST", Content_Type="text/plain", X_Own="a  b"), b"body", now=NOW
    )
    accepted(judge, signed, b"body")
    accepted(judge, changed(signed, x_own=" a b "), b"body")
    for other in (
        changed(signed, method="PUT"), changed(signed, target=b"/orders?id=8"), changed(signed, target=b"/orders"),
        changed(signed, target=b"/Orders?id=7"), changed(signed, authority="evil.example"), changed(signed, x_own="a,b"),
        changed(signed, content_type="text/html"), changed(signed, x_amz_date="20231114T221321Z"),
    ):  # fmt: skip
        assert verdict(judge, other, b"body") is Reason.WRONG_SIGNATURE
    for body in (b"", b"Body", b"body\n"):
        assert verdict(judge, signed, body) is Reason.WRONG_SIGNATURE


def test_a_body_whose_hash_is_in_a_field_is_compared_with_it() -> None:
    signed = auth(service="s3").sign(ask(method="PUT"), b"body", now=NOW)
    assert signed.values(b"x-amz-content-sha256")
    accepted(guard(service="s3"), signed, b"body")
    assert verdict(guard(service="s3"), signed, b"bodY") is Reason.WRONG_BODY


def test_the_flow_signs_what_the_adapters_send() -> None:
    import requests

    client = requests.Request("POST", ORIGIN + "/a b?c=d e", data=b"body", auth=adapt(auth()), headers={"X-Own": "1"})
    prepared = client.prepare()
    headers = [(name, value) for name, value in prepared.headers.items()]
    request = Request("POST", "https", "api.example", prepared.path_url, headers)
    assert b"x-own" in request.values(b"authorization")[0]
    now = epoch(request.values(b"x-amz-date")[0], "")[0]
    accepted(guard(now=now), request, b"body")


@pytest.mark.parametrize("form", ["signed", "unsigned", "chunked"])
def test_the_flow_sends_content_of_its_own_only_in_chunks(form: str) -> None:
    sent: list[Send] = []

    def send(effect: Send) -> Received:
        sent.append(effect)
        return Received(Response(200))

    run(auth(payload=Payload(form)), ask(method="PUT"), send, ClientContext(lambda: b"body", now=lambda: NOW))
    (only,) = sent
    assert (only.content is None) is (form != "chunked")
    accepted(guard(allow_unsigned_payload=True), only.request, only.content or b"body")


def test_a_request_without_a_body_is_never_sent_in_chunks() -> None:
    sent: list[Send] = []

    def send(effect: Send) -> Received:
        sent.append(effect)
        return Received(Response(200))

    run(auth(payload=Payload("chunked", "crc32")), ask(), send, ClientContext(bytes, now=lambda: NOW))
    assert sent[0].content is None
    accepted(guard(), sent[0].request)


def test_fields_that_libraries_and_proxies_write_are_not_signed() -> None:
    signed = auth().sign(ask(User_Agent="x", Connection="close", Accept="*/*", Accept_Encoding="gzip"), now=NOW)
    names = signed.values(b"authorization")[0].partition(b"SignedHeaders=")[2].partition(b",")[0]
    assert names == b"accept;host;x-amz-date"
    accepted(guard(), changed(signed, user_agent="y", connection="", accept_encoding="br"))


def test_two_lines_of_a_field_are_one_value_with_a_comma() -> None:
    two = Request("GET", "https", "api.example", "/", [("x-own", " a "), ("x-own", "b\r\n  c")])
    signed = auth().sign(two, now=NOW)
    joined = Request("GET", "https", "api.example", "/", [*((n, v) for n, v in signed.headers if n != b"x-own"), ("x-own", "a,b c")])  # fmt: skip
    accepted(guard(), signed)
    accepted(guard(), joined)
    swapped = [(n, v) for n, v in signed.headers if n != b"x-own"] + [(b"x-own", b"b c"), (b"x-own", b"a")]
    assert verdict(guard(), Request("GET", "https", "api.example", "/", swapped)) is Reason.WRONG_SIGNATURE


def test_the_target_may_be_in_absolute_form() -> None:
    signed = auth().sign(ask("/a?b=c"), now=NOW)
    accepted(guard(), changed(signed, target=b"https://api.example/a?b=c"))
    assert verdict(guard(), changed(signed, target=b"https://evil.example/a?b=c")) is Reason.TARGET_REFUSED
    assert verdict(guard(), changed(signed, target=b"*", method="OPTIONS")) is Reason.TARGET_REFUSED


def test_a_rebuilt_target_with_encoded_octets_is_refused() -> None:
    signed = auth().sign(ask("/a%20b"), now=NOW)
    rebuilt = Request.raw("GET", "https", "api.example", signed.target, signed.headers, NOBODY, False)
    assert verdict(guard(), rebuilt) is Reason.TARGET_NOT_EXACT


# ---- canonical forms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "rules", "expected"),
    [
        (b"/a/../../b", PathRules(), [b"/b"]),
        (b"/a/..", PathRules(), [b"/"]),
        (b"/a/.", PathRules(), [b"/a"]),
        (b"//a//b//", PathRules(), [b"/a/b/"]),
        (b"/.a/..b", PathRules(), [b"/.a/..b"]),
        (b"/%2e%2e/a", PathRules(), [b"/%252e%252e/a"]),
        (b"/a%20b", PathRules(False, False), [b"/a%20b"]),
        (b"/a+b/%2f/%41", PathRules(False, False), [b"/a+b/%2f/%41", b"/a%2Bb/%2F/%41"]),
        (b"/a%", PathRules(False, False), [b"/a%", b"/a%25"]),
    ],
)
def test_paths(path: bytes, rules: PathRules, expected: list[bytes]) -> None:
    assert paths(path, rules) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"b&a=2&a=10&A", [b"A=&a=10&a=2&b="]),
        (b"a-b=1&a=2", [b"a=2&a-b=1"]),
        (b"a=%7e&b=%41", [b"a=%7e&b=%41", b"a=%7E&b=%41"]),
        (b"a=b=c", [b"a=b=c", b"a=b%3Dc"]),
        (b"a&&b", [b"=&a=&b="]),
        (b"=a", [b"=a"]),
    ],
)
def test_queries(query: bytes, expected: list[bytes]) -> None:
    assert queries(query) == expected


@given(st.binary(max_size=40), st.booleans(), st.booleans())
def test_any_path_and_query_have_canonical_forms(octets: bytes, double: bool, normal: bool) -> None:
    for path in paths(b"/" + octets, PathRules(double, normal)):
        assert path[:1] == b"/"
    assert 1 <= len(queries(octets)) <= 2


# ---- presigned URLs --------------------------------------------------------------------------------------------------


def test_a_presigned_url_is_good_until_it_expires_and_covers_method_host_and_every_parameter() -> None:
    url = auth().presign("GET", ORIGIN + "/a?x=1", now=NOW, expires=60)
    good = presigned(url)
    accepted(guard(now=NOW + 59), good)
    assert verdict(guard(now=NOW + 60), good) is Reason.EXPIRED
    assert verdict(guard(now=NOW - 901), good) is Reason.NOT_YET_VALID
    assert verdict(guard(), changed(good, method="DELETE")) is Reason.WRONG_SIGNATURE
    assert verdict(guard(), changed(good, authority="evil.example")) is Reason.WRONG_SIGNATURE
    for old, new in (
        (b"x=1", b"x=2"),
        (b"Expires=60", b"Expires=61"),
        (b"x=1", b"x=1&y=2"),
        (b"T221320Z", b"T221321Z"),
    ):
        assert verdict(guard(), changed(good, target=good.target.replace(old, new))) is Reason.WRONG_SIGNATURE


def test_the_verifier_may_shorten_the_life_of_presigned_urls() -> None:
    good = presigned(auth().presign("GET", ORIGIN, now=NOW, expires=604_800))
    accepted(guard(now=NOW + 604_799), good)
    assert verdict(guard(now=NOW + 60, max_expires=60), good) is Reason.EXPIRED


def test_fields_may_be_covered_by_a_presigned_url() -> None:
    url = auth().presign("PUT", ORIGIN + "/a", now=NOW, headers=[(b"content-type", b"text/plain")], body=b"x")
    accepted(guard(), presigned(url, "PUT", Content_Type="text/plain"), b"x")
    assert verdict(guard(), presigned(url, "PUT", Content_Type="text/html"), b"x") is Reason.WRONG_SIGNATURE
    assert verdict(guard(), presigned(url, "PUT"), b"x") is Reason.MISSING_COMPONENT


METHODS = ["GET", "HEAD", "DELETE", "POST", "PUT", "PATCH", "OPTIONS", "PROPFIND"]
FRAMINGS: list[dict[str, str]] = [
    {},
    {"Content_Length": "0"},
    {"Content_Length": "4"},
    {"Transfer_Encoding": "chunked"},
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("framing", FRAMINGS, ids=str)
@pytest.mark.parametrize("form", ["field", "presigned", "presigned-s3"])
def test_what_says_that_its_body_is_unsigned_is_accepted_without_one(
    method: str, framing: dict[str, str], form: str
) -> None:
    service = "s3" if form == "presigned-s3" else "orders"
    client, judge = auth(service=service, payload=Payload("unsigned")), guard(service=service)
    if form == "field":
        signed = client.sign(ask(method=method), now=NOW)
        signed = changed(signed, **framing)
    else:
        signed = presigned(client.presign(method, ORIGIN + "/key", now=NOW), method, **framing)
    accepted(judge, signed)
    assert verdict(judge, signed, b"body") is Reason.NOT_COVERED
    accepted(guard(service=service, allow_unsigned_payload=True), signed, b"body")


@pytest.mark.parametrize("presign", [False, True])
def test_an_unsigned_body_is_refused_before_it_is_asked_for(presign: bool) -> None:
    client = auth(service="s3", payload=Payload("unsigned"))
    told = {"Expect": "100-continue", "Content_Length": "4"}
    if presign:
        signed = presigned(client.presign("PUT", ORIGIN + "/key", now=NOW), "PUT", **told)
    else:
        signed = client.sign(ask(method="PUT", **told), now=NOW)

    def read() -> bytes:
        raise AssertionError("the body was asked for")

    with pytest.raises(Rejected) as refused:
        guard(service="s3").admit(signed, read)
    assert refused.value.reason is Reason.NOT_COVERED


# ---- one to a form decoder -------------------------------------------------------------------------------------------

SEGMENTS = st.lists(st.text("ab+=&%2B0c/~", max_size=6), max_size=4).map("&".join)


def form(query: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(query, keep_blank_values=True))


def near(query: str) -> list[str]:
    """Queries that a proxy, a client or an attacker might make of it."""
    swaps = [
        ("+", "%20"),
        ("%20", "+"),
        ("+", "%2B"),
        ("%2B", "+"),
        ("&&", "&=&"),
        ("&", "&="),
        ("=", "%3D"),
        ("%2b", "+"),
    ]
    swaps += [
        ("&", "&&"),
        ("&&", "&"),
        ("=&", "&"),
        ("%26", "&"),
        ("%", "%25"),
        ("%25", "%"),
        ("/", "%2F"),
        ("a", "%61"),
    ]
    made = [query.replace(old, new) for old, new in swaps] + [
        f"{query}&=",
        f"={query}",
        "=" if not query else query + "&",
    ]
    return [other for other in made if other != query]


@given(SEGMENTS, st.sampled_from(["orders", "s3"]))
def test_no_two_queries_that_a_form_decoder_tells_apart_fit_one_signature(query: str, service: str) -> None:
    try:
        signed = auth(service=service).sign(ask(f"/a?{query}"), now=NOW)
    except ConfigurationError:
        assert "=" in query.split("&")
        return
    judge = guard(service=service)
    judge.verify(signed)
    for other in near(query):
        if form(other) != form(query):
            with pytest.raises(Rejected):
                judge.verify(changed(signed, target=f"/a?{other}".encode()))


@given(SEGMENTS, SEGMENTS)
def test_queries_with_a_common_canonical_form_are_one_to_a_form_decoder(one: str, other: str) -> None:
    if "=" in one.split("&") or "=" in other.split("&"):
        return
    if set(queries(one.encode())) & set(queries(other.encode())):
        assert form(one) == form(other)


def test_plus_is_a_space_and_never_what_2b_is() -> None:
    judge = guard()
    signed = auth().sign(ask("/a?q=b%20c"), now=NOW)
    accepted(judge, changed(signed, target=b"/a?q=b+c"))
    assert verdict(judge, changed(signed, target=b"/a?q=b%2Bc")) is Reason.WRONG_SIGNATURE
    signed = auth().sign(ask("/a?q=b%2Bc"), now=NOW)
    assert verdict(judge, changed(signed, target=b"/a?q=b+c")) is Reason.WRONG_SIGNATURE
    assert verdict(judge, changed(auth().sign(ask("/a?b&"), now=NOW), target=b"/a?b&=")) is Reason.TARGET_REFUSED
    with pytest.raises(ConfigurationError, match="without name and value"):
        auth().sign(ask("/a?="), now=NOW)


# ---- services and hosts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [Payload(), Payload("unsigned")])
def test_opensearch_serverless_gets_the_hash_in_a_field_and_no_signed_length(payload: Payload) -> None:
    client, judge = auth(service="aoss", payload=payload), guard(service="aoss", allow_unsigned_payload=True)
    signed = client.sign(ask(method="POST", Content_Length="4"), b"body", now=NOW)
    assert signed.values(b"x-amz-content-sha256") != []
    covered = signed.values(b"authorization")[0].partition(b"SignedHeaders=")[2].partition(b",")[0].split(b";")
    assert b"content-length" not in covered and b"x-amz-content-sha256" in covered
    accepted(judge, signed, b"body")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://API.Example:443/a", "api.example"), ("HTTPS://api.example/a", "api.example"), ("http://api.example:80/a", "api.example"),
        ("https://api.example:8443/a", "api.example:8443"), ("http://API.example:443/a", "api.example:443"),
        ("https://[2001:DB8::1]:443/a", "[2001:db8::1]"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("library", ["requests", "httpx"])
def test_a_presigned_url_covers_the_host_as_clients_send_it(url: str, host: str, library: str) -> None:
    made = auth().presign("GET", url, now=NOW)
    sent = requests.Request("GET", made).prepare().url if library == "requests" else str(httpx.URL(made))
    assert sent is not None
    parts = urlsplit(sent)
    assert parts.netloc == host
    accepted(guard(), Request("GET", parts.scheme, parts.netloc, f"{parts.path}?{parts.query}"))


@pytest.mark.parametrize("url", ["https://alice@api.example/", "https://api.example:99999/", "https://api example/"])
def test_a_host_that_is_none_can_not_be_presigned(url: str) -> None:
    with pytest.raises(ConfigurationError, match="absolute URL"):
        auth().presign("GET", url, now=NOW)


@pytest.mark.parametrize(
    ("url", "options", "mend"),
    [
        ("api.example/a", {}, "absolute"), ("https:///a", {}, "absolute"), ("https://api.example/a#b", {}, "fragment"),
        ("https://api.example/", {"expires": 0}, "604800"), ("https://api.example/", {"expires": 604_801}, "604800"),
        ("https://api.example/?X-Amz-Signature=a", {}, "take them out"), ("https://api.example/a\nb", {}, "percent-encode"),
    ],
)  # fmt: skip
def test_what_can_not_be_presigned_says_why(url: str, options: dict[str, int], mend: str) -> None:
    with pytest.raises(ConfigurationError, match=mend):
        auth().presign("GET", url, now=NOW, **options)


# ---- time, scope, keys -----------------------------------------------------------------------------------------------


def test_a_request_is_good_for_the_skew_both_ways() -> None:
    signed = auth().sign(ask(), now=NOW)
    accepted(guard(now=NOW + 899), signed)
    accepted(guard(now=NOW - 900), signed)
    assert verdict(guard(now=NOW + 900), signed) is Reason.EXPIRED
    assert verdict(guard(now=NOW - 901), signed) is Reason.NOT_YET_VALID
    assert verdict(guard(now=NOW + 60, skew=60), signed) is Reason.EXPIRED


def test_the_scope_has_to_be_of_the_days_time() -> None:
    midnight = NOW - NOW % 86400
    yesterday = auth()
    yesterday.sign(ask(), now=midnight - 1)
    for now in (midnight - 1, midnight):
        accepted(guard(now=midnight), yesterday.sign(ask(), now=now))
    late = resigned(midnight, b"20231113")
    assert verdict(guard(now=midnight), late) is Reason.EXPIRED
    assert verdict(guard(now=midnight), resigned(midnight, b"20231115")) is Reason.NOT_YET_VALID


def resigned(now: int, date: bytes) -> Request:
    """Signed by the key of another day than the time's."""
    from watchword.schemes.sigv4.access_key import hmac_signing
    from watchword.schemes.sigv4.canonical import EMPTY, canonical_request, string_to_sign
    from watchword.schemes.sigv4.credentials import text_of_time

    time, scope = text_of_time(now), date + b"/eu-central-1/orders/aws4_request"
    names = [b"host", b"x-amz-date"]
    canonical = canonical_request("GET", b"/orders", b"", names, [b"api.example", time], EMPTY)
    signature = hmac_signing(SECRET, scope).sign(string_to_sign(b"AWS4-HMAC-SHA256", time, scope, canonical))
    value = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope.decode()},SignedHeaders=host;x-amz-date,Signature={signature.decode()}"
    return ask("/orders", X_Amz_Date=time.decode(), Authorization=value)


@pytest.mark.parametrize("value", ["Tue, 14 Nov 2023 22:13:20 GMT", "20231114T221320Z"])
def test_the_time_may_be_in_date_if_that_is_signed(value: str) -> None:
    from watchword.schemes.sigv4.access_key import hmac_signing
    from watchword.schemes.sigv4.canonical import EMPTY, canonical_request, string_to_sign

    scope = b"20231114/eu-central-1/orders/aws4_request"
    values = [value.encode(), b"api.example"]
    for names, expected in (([b"date", b"host"], None), ([b"host"], Reason.NOT_COVERED)):
        canonical = canonical_request("GET", b"/", b"", names, values[-len(names) :], EMPTY)
        signature = hmac_signing(SECRET, scope).sign(
            string_to_sign(b"AWS4-HMAC-SHA256", b"20231114T221320Z", scope, canonical)
        )
        line = b"AWS4-HMAC-SHA256 Signature=%s, SignedHeaders=%s, Credential=AKALICE/%s" % (
            signature,
            b";".join(names),
            scope,
        )
        request = ask("/", Date=value, Authorization=line.decode())
        assert verdict(guard(), request) is expected if expected else isinstance(verdict(guard(), request), Identity)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None), ({"region": None, "service": None}, None), ({"region": "eu-west-1"}, Reason.WRONG_AUDIENCE),
        ({"service": "s3"}, Reason.WRONG_AUDIENCE),
    ],
)  # fmt: skip
def test_the_scope_has_to_be_this_region_and_service(options: dict[str, str], expected: Reason | None) -> None:
    who = verdict(guard(**options), auth().sign(ask(), now=NOW))
    assert who is expected if expected else isinstance(who, Identity)


@pytest.mark.parametrize(
    ("regions", "good"),
    [("eu-central-1", True), ("us-east-1,eu-*", True), ("*", True), ("eu-*-1", True), ("eu-west-1", False), ("eu", False), ("*-2", False)],
)  # fmt: skip
def test_sigv4a_is_good_in_every_region_of_its_set(regions: str, good: bool) -> None:
    client = auth(algorithm=ECDSA, region=regions)
    for request in (client.sign(ask(), now=NOW), presigned(client.presign("GET", ORIGIN, now=NOW))):
        who = verdict(guard(), request)
        assert isinstance(who, Identity) if good else who is Reason.WRONG_AUDIENCE


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_a_region_pattern_matches_as_a_regular_expression_would(pattern: str, region: str) -> None:
    import re

    expected = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), region) is not None
    assert matches(pattern.encode(), region.encode()) is expected


def test_unknown_keys_wrong_secrets_and_keys_that_ended() -> None:
    signed = auth().sign(ask(), now=NOW)
    assert verdict(guard(), SigV4Auth("AKBOB", SECRET, region="eu-central-1", service="orders").sign(ask(), now=NOW)) is Reason.UNKNOWN_KEY  # fmt: skip
    assert verdict(guard(), auth("another").sign(ask(), now=NOW)) is Reason.WRONG_SIGNATURE
    assert verdict(guard(key={"expires": NOW}), signed) is Reason.EXPIRED
    assert isinstance(verdict(guard(key={"expires": NOW + 1}), signed), Identity)
    old = verdict(guard(key={"superseded_by": "AKALICE2", "scopes": ["read"]}), signed)
    assert isinstance(old, Identity)
    assert old.rotated
    assert old.scopes == {"read"}


def test_a_secret_that_is_changed_in_the_store_is_changed_at_once() -> None:
    judge = guard()
    signed = auth().sign(ask(), now=NOW)
    accepted(judge, signed)
    judge.plan.store.add_access_key("alice", KEY_ID, "another")
    assert verdict(judge, signed) is Reason.WRONG_SIGNATURE
    judge.plan.store.remove_access_key(KEY_ID)
    assert verdict(judge, signed) is Reason.UNKNOWN_KEY


@BOTH
def test_temporary_credentials_bring_their_session_token(algorithm: str) -> None:
    client, judge = auth(session_token=TOKEN, algorithm=algorithm), guard(token=TOKEN)
    bare, other = auth(algorithm=algorithm), auth(session_token="other", algorithm=algorithm)
    signed = client.sign(ask(), now=NOW)
    accepted(judge, signed)
    accepted(judge, presigned(client.presign("GET", ORIGIN, now=NOW)))
    assert verdict(judge, bare.sign(ask(), now=NOW)) is Reason.MISSING_COMPONENT
    assert verdict(judge, other.sign(ask(), now=NOW)) is Reason.WRONG_SECRET
    assert verdict(judge, presigned(other.presign("GET", ORIGIN, now=NOW))) is Reason.WRONG_SECRET
    assert verdict(guard(), signed) is Reason.WRONG_SECRET
    added = bare.sign(ask(), now=NOW)
    accepted(judge, changed(added, x_amz_security_token=TOKEN))
    assert verdict(judge, changed(added, x_amz_security_token="x")) is Reason.WRONG_SECRET
    url = bare.presign("GET", ORIGIN, now=NOW) + "&X-Amz-Security-Token=a%2Bsession%2Ftoken%3D%3D"
    accepted(judge, presigned(url))


def test_a_replay_is_accepted_in_time_unless_single_use_is_asked_for() -> None:
    signed = auth().sign(ask(), now=NOW)
    replayable = guard()
    assert isinstance(replayable.verify(signed), Identity)
    assert isinstance(replayable.verify(signed), Identity)
    single = guard(single_use=True)
    assert isinstance(single.verify(signed), Identity)
    with pytest.raises(Rejected) as caught:
        single.verify(signed)
    assert caught.value.reason is Reason.REPLAYED
    early = changed(auth().sign(ask("/other"), now=NOW), early_data="1")
    assert isinstance(single.verify(early), Identity)
    assert verdict(replayable, early) is Reason.EARLY_DATA


def test_access_keys_come_from_a_table_of_ones_own() -> None:
    store = from_callables(access_key=lambda key_id: AccessKey(SECRET, "alice") if key_id == KEY_ID else None)
    judge = Guard([SigV4Verifier()], store, policy=Policy(clock=lambda: NOW))
    accepted(judge, auth().sign(ask(), now=NOW))


@pytest.mark.parametrize(
    "arguments",
    [
        ("", KEY_ID, SECRET, {}), ("alice", "", SECRET, {}), ("alice", "a/b", SECRET, {}), ("alice", KEY_ID, "", {}),
        ("alice", KEY_ID, SECRET, {"session_token": "a b"}), ("alice", KEY_ID, SECRET, {"expires": float("nan")}),
    ],
)  # fmt: skip
def test_an_access_key_that_can_not_be_used_is_not_registered(
    arguments: tuple[str, str, str, dict[str, object]],
) -> None:
    *names, options = arguments
    with pytest.raises(ConfigurationError):
        MemoryStore().add_access_key(*names, **options)  # type: ignore[arg-type]


# ---- construction, grammar, secrets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: SigV4Verifier(skew=0), lambda: SigV4Verifier(skew=901), lambda: SigV4Verifier(skew=float("nan")),
        lambda: SigV4Verifier(max_expires=604_801), lambda: SigV4Verifier(max_chunk=0), lambda: SigV4Verifier(require="host"),
        lambda: auth(algorithm="AWS4-HMAC-SHA1"), lambda: auth(payload=Payload("signed", "crc32")),
        lambda: auth(payload=Payload("chunked", "md5")), lambda: auth(payload=Payload("chunks")), lambda: auth(region="a/b"),
        lambda: auth(payload=Payload("unsigned-chunked")), lambda: auth(payload=Payload("chunked", chunk=0)), lambda: auth(""),
        lambda: auth(session_token="a b"), lambda: auth(service=""), lambda: auth(region="*"), lambda: SigV4Auth("a b", "c", region="a", service="b"),
        lambda: auth(payload=Payload("chunked")).sign(ask(), now=NOW), lambda: auth().chunked(ask(), b"", now=NOW),
        lambda: auth().canonical(ask()), lambda: auth().canonical(ask(Authorization="Bearer a")),
        lambda: auth().sign(ask("*", "OPTIONS"), now=NOW),
        lambda: Guard([SigV4Verifier()]), lambda: Guard([SigV4Verifier(service="a"), SigV4Verifier(service="b")], MemoryStore()),
    ],
)  # fmt: skip
def test_what_can_not_be_meant_is_refused_at_construction(make: object) -> None:
    with pytest.raises(ConfigurationError):
        make()  # type: ignore[operator]


GOOD = auth().sign(ask(), now=NOW).values(b"authorization")[0].decode()


@pytest.mark.parametrize(
    "value",
    [
        "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=a", GOOD + ", Extra=1", GOOD + ", Signature=0",
        GOOD.replace("Signature=", "Signature=0"), GOOD.replace("/aws4_request", ""), GOOD.replace("aws4_request", "aws4"),
        GOOD.replace("host;x-amz-date", "x-amz-date;host"), GOOD.replace("host;", "host;host;"), GOOD.replace("host;", "Host;"),
        GOOD.replace("host;", "host;;"), GOOD.replace("SignedHeaders=host;x-amz-date", "SignedHeaders="),
        GOOD.replace("20231114", "20231314"), GOOD.replace("20231114", "00001114"), GOOD.replace("20231114", "2023111"),
        GOOD.replace("AKALICE", ""), GOOD.replace("AKALICE", "a/b"), GOOD.replace("orders", "or ders"),
        GOOD.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), GOOD.swapcase(),
        GOOD[:-64] + GOOD[-64:].upper(), GOOD[:-1],
    ],
)  # fmt: skip
def test_malformed_credentials_are_refused(value: str) -> None:
    signed = auth().sign(ask(), now=NOW)
    assert verdict(guard(), changed(signed, authorization=value)) is Reason.MALFORMED_CREDENTIALS


def test_what_is_malformed_stays_so_once_the_genuine_is_known() -> None:
    judge = guard()
    signed = auth().sign(ask(), now=NOW)
    accepted(judge, signed)
    for value in (
        GOOD + ",",
        GOOD + " ",
        GOOD + ", ",
        GOOD + "0",
        GOOD + ",Signature=" + GOOD[-64:],
        GOOD.replace("Signature=", "Signature=,"),
    ):
        who = verdict(judge, changed(signed, authorization=value))
        fresh = verdict(guard(), changed(signed, authorization=value))
        assert who is fresh if isinstance(fresh, Reason) else isinstance(who, Identity)


def test_parameters_come_in_any_order_and_spacing_and_the_word_in_any_case() -> None:
    signed = auth().sign(ask(), now=NOW)
    word, credential, names, signature = GOOD.replace(",", "").split(" ")
    for value in (f"{word} {signature},{names},{credential}", f"{word.lower()} {names} ,\t{signature} , {credential}"):
        accepted(guard(), changed(signed, authorization=value))


@pytest.mark.parametrize(
    "time", ["", "2023-11-14", "20231114T221320", "20231114T241320Z", "20231114T221320Z ,x", "\xff"]
)
def test_a_malformed_time_is_refused(time: str) -> None:
    signed = auth().sign(ask(), now=NOW)
    assert verdict(guard(), changed(signed, x_amz_date=time)) is Reason.MALFORMED_CREDENTIALS


@examples(20)  # what explain says of any octets is tried in tests/attacks/test_signed_requests_any_octets.py
@given(
    st.binary(max_size=60), st.binary(max_size=60), st.sampled_from([b"x-amz-date", b"x-amz-content-sha256", b"x-amz-trailer", b"x-amz-decoded-content-length", b"x-amz-region-set", b"x-amz-security-token", b"authorization"]),
    st.binary(max_size=40), st.booleans(),
)  # fmt: skip
def test_any_octets_give_an_identity_or_a_rejection(
    value: bytes, query: bytes, name: bytes, field: bytes, streaming: bool
) -> None:
    judge = guard(allow_unsigned_payload=True)
    request = auth().sign(ask(), now=NOW)
    form = b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" if streaming else b"UNSIGNED-PAYLOAD"
    for other in (
        Request("GET", "https", "api.example", b"/?X-Amz-Signature=" + query, [(b"authorization", b"AWS4-HMAC-SHA256 " + value)]),
        Request("GET", "https", "api.example", b"/?" + query, [(n, v) for n, v in request.headers if n != name] + [(name, field)]),
        Request("GET", "https", "api.example", b"/", [*request.headers, (b"x-amz-content-sha256", form), (name, field)]),
        Request("GET", "https", "api.example", presigned(auth().presign("GET", ORIGIN, now=NOW)).target + b"&" + query),
    ):  # fmt: skip
        assert isinstance(verdict(judge, other, value), Identity | Reason)
        assert explain(other, judge, value).accepted in (True, False)


def test_no_secret_is_shown() -> None:
    client = auth(session_token=TOKEN)
    judge = guard(token=TOKEN)
    signed = client.sign(ask(), now=NOW)
    claim = judge.plan.verifiers[0].read(signed)
    shown = [
        repr(client),
        repr(judge.plan.verifiers[0]),
        repr(claim),
        repr(AccessKey(SECRET, "alice", session_token=TOKEN)),
    ]
    url = presigned(client.presign("GET", ORIGIN, now=NOW))
    for request in (signed, url, changed(signed, method="PUT"), changed(signed, x_amz_security_token="another")):
        shown += [str(explain(request, judge)), explain(request, judge).to_json(), client.canonical(request)]
    for text in shown:
        assert SECRET not in text
        assert TOKEN not in text
        assert "a%2Bsession%2Ftoken" not in text


def test_derived_keys_and_parsed_credentials_are_kept_only_if_genuine_and_bounded() -> None:
    judge = guard()
    verifier = judge.plan.verifiers[0]
    verdict(judge, auth("wrong").sign(ask(), now=NOW))
    verdict(judge, changed(auth().sign(ask(), now=NOW), method="PUT"))
    assert len(verifier.proven.keys) == 0
    for _ in range(3):
        accepted(judge, auth().sign(ask(), now=NOW))
    assert len(verifier.proven.keys) == 1
    keys, scope = SigningKeys(3), b"20150830/us-east-1/iam/aws4_request"
    for number in range(10):
        signing, new = keys.get(f"AKID{number}", "s3cret", scope, ecdsa=False)
        assert new
        keys.keep(f"AKID{number}", "s3cret", scope, False, signing)
    assert len(keys) == 3
    assert not any(keys.get(f"AKID{number}", "s3cret", scope, ecdsa=False)[1] for number in (7, 8, 9))


def test_a_presigned_url_that_says_no_end_is_good_for_fifteen_minutes() -> None:
    url = SigV4Auth("AKIDEXAMPLE", "s3cret", region="eu-west-1", service="orders").presign(
        "GET", "https://api.example/a", now=1_700_000_000.0
    )
    query = url.partition("?")[2].encode()
    without = query.replace(b"&X-Amz-Expires=3600", b"")
    assert without != query
    assert (read_query(query).expires, read_query(without).expires) == (3600, 900)
