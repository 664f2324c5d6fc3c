"""`OAuth1` and `OAuth1Session` of `watchword.dropin.requests_oauthlib`: judged by our own verifier, and octet by octet."""

from __future__ import annotations

import hashlib
import hmac
import re
import warnings
from base64 import b64decode, b64encode
from functools import cache
from urllib.parse import parse_qsl, unquote

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.clients.origin import guarded, ok, origin
from watchword import ConfigurationError, Guard, OAuth1Verifier
from watchword.dropin.requests_oauthlib import InsecureOAuthWarning, OAuth1, OAuth1Session, errors
from watchword.dropin.requests_oauthlib.oauth1_client import Client
from watchword.dropin.requests_oauthlib.oauth1_session import TokenMissing, TokenRequestDenied, VerifierMissing
from watchword.stores import MemoryStore

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CREDENTIALS = ("printer", "cl1ent s3cret", "t0ken", "t0ken s3cret=~")
MOMENT = {"nonce": "abc", "timestamp": "123"}
METHODS = ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT")


@cache
def pair():
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def judging(**options):
    store = MemoryStore()
    store.add_oauth1_client("printer", secret=CREDENTIALS[1], public_key=pair()[1])
    store.add_oauth1_token("t0ken", CREDENTIALS[3], client_key="printer", subject="jane")
    methods = [method for method in METHODS if method != "PLAINTEXT"]
    verifier = OAuth1Verifier(methods=methods, placements=("header", "query", "form"), **options)
    return guarded(Guard([verifier], store))


def prepared(auth, method="POST", url="https://api.example/", **more):
    return requests.Request(method, url, auth=auth, **more).prepare()


def member(request, name):
    field = request.headers["Authorization"].decode()
    return unquote(re.search(rf'{name}="([^"]*)"', field)[1])


# ---- signatures ----


@pytest.mark.parametrize("place", ["AUTH_HEADER", "QUERY", "BODY", "query"])
@pytest.mark.parametrize("method", METHODS[:-1])
def test_each_method_and_type_is_admitted_by_our_verifier(method, place):
    key = pair()[0] if method.startswith("RSA") else None
    with (
        origin(judging()) as api,
        OAuth1Session(*CREDENTIALS, signature_method=method, signature_type=place, rsa_key=key) as it,
    ):
        it.trust_env = False
        sent = [it.post(f"{api.url}/a%20b/~c?x=1&y=%C3%A9&y=&z=a%2Bb", data={"c2": "", "a3": "2 q", "ü": "&"})]
        if place != "BODY":
            sent += [it.get(f"{api.url}/?q=a+b"), it.post(api.url, data="a=b&c")]
        assert [answer.text for answer in sent] == ["jane by oauth1"] * len(sent)
        assert it.authorized


def test_the_header_is_the_one_that_requests_oauthlib_writes():
    auth = OAuth1(
        "key & more",
        "secret",
        "token",
        "token secret",
        callback_uri="https://a.example/?b=c",
        verifier="v",
        realm="Photos",
        **MOMENT,
    )
    request = prepared(auth, url="http://EXAMPLE.com:80/a?b=%20c", data="d=e+f", headers=FORM)
    parameters = "b=%20c&d=e%20f&oauth_callback=https%3A%2F%2Fa.example%2F%3Fb%3Dc&oauth_consumer_key=key%20%26%20more&oauth_nonce=abc&oauth_signature_method=HMAC-SHA1&oauth_timestamp=123&oauth_token=token&oauth_verifier=v&oauth_version=1.0"
    escaped = parameters.replace("%", "%25").replace("=", "%3D").replace("&", "%26")
    base = f"POST&http%3A%2F%2Fexample.com%2Fa&{escaped}"
    signature = (
        b64encode(hmac.digest(b"secret&token%20secret", base.encode(), hashlib.sha1))
        .decode()
        .replace("+", "%2B")
        .replace("/", "%2F")
        .replace("=", "%3D")
    )
    assert (
        request.headers["Authorization"]
        == (
            'OAuth realm="Photos", oauth_nonce="abc", oauth_timestamp="123", oauth_version="1.0", oauth_signature_method="HMAC-SHA1", '
            'oauth_consumer_key="key%20%26%20more", oauth_token="token", oauth_callback="https%3A%2F%2Fa.example%2F%3Fb%3Dc", '
            f'oauth_verifier="v", oauth_signature="{signature}"'
        ).encode()
    )
    assert request.headers["Content-Type"] == b"application/x-www-form-urlencoded"
    assert request.body == b"d=e+f"


def test_without_decoding_all_stays_text():
    request = prepared(OAuth1(*CREDENTIALS, decoding=None), data="a=b", headers=FORM)
    assert request.headers["Authorization"].startswith('OAuth oauth_nonce="')
    assert request.body == "a=b"


def test_every_request_has_a_nonce_and_a_time_of_its_own():
    auth = OAuth1(*CREDENTIALS)
    nonces = {member(prepared(auth), "oauth_nonce") for _ in range(3)}
    assert len(nonces) == 3
    assert all(re.fullmatch(r"[0-9a-f]{30}", nonce) for nonce in nonces)


@pytest.mark.parametrize(
    ("data", "headers", "kind"),
    [
        ("a=b&c=%C3%A9", {}, b"application/x-www-form-urlencoded"),
        (b"a", {}, b"application/x-www-form-urlencoded"),
        ("a=b", {"Content-Type": "Application/X-WWW-form-urlencoded; charset=utf-8"}, b"application/x-www-form-urlencoded"),
        ("not a form", {}, None),
        ("a=%zz", {}, None),
        ('{"a":1}', {}, None),
        ("a=b", {"Content-Type": "text/plain"}, b"text/plain"),
        (None, {}, None),
    ],
)  # fmt: skip
def test_a_body_is_a_form_if_its_type_says_so_or_it_looks_like_one(data, headers, kind):
    request = prepared(OAuth1(*CREDENTIALS), data=data, headers=headers)
    assert request.headers.get("Content-Type") == kind


def test_files_are_not_covered():
    first = prepared(OAuth1("a", "b", **MOMENT), files={"file": b"one"})
    assert first.headers["Authorization"] == prepared(OAuth1("a", "b", **MOMENT)).headers["Authorization"]


@pytest.mark.parametrize(("method", "hashed"), [("HMAC-SHA1", "sha1"), ("HMAC-SHA512", "sha512")])
def test_a_body_that_is_no_form_is_covered_if_the_program_says_so(method, hashed):
    auth = OAuth1(*CREDENTIALS, signature_method=method, force_include_body=True)
    request = prepared(auth, json={"a": "é"})
    assert b64decode(member(request, "oauth_body_hash")) == hashlib.new(hashed, request.body).digest()
    with origin(judging(allow_sha1_body_hash=True)) as api:
        assert requests.post(api.url, json={"a": 1}, auth=auth, timeout=30).text == "jane by oauth1"
        assert requests.post(api.url, json={"a": 1}, auth=OAuth1(*CREDENTIALS), timeout=30).status_code == 401


@pytest.mark.parametrize("decoding", ["utf-8", None])
@pytest.mark.parametrize("headers", [{"Content-Type": "image/png"}, FORM])
def test_octets_of_a_body_stay_as_they_are(decoding, headers):
    auth = OAuth1(*CREDENTIALS, decoding=decoding, force_include_body=True)
    assert prepared(auth, data=b"a=\x89PNG\xff", headers=headers).body == b"a=\x89PNG\xff"


def test_credentials_go_into_a_body_that_is_empty():
    request = prepared(OAuth1(*CREDENTIALS, signature_type="BODY"))
    assert dict(parse_qsl(request.body.decode()))["oauth_consumer_key"] == "printer"
    assert request.headers["Content-Length"] == str(len(request.body))
    assert "Authorization" not in request.headers
    with pytest.raises(ConfigurationError, match="form"):
        prepared(OAuth1(*CREDENTIALS, signature_type="BODY"), json={})


def test_credentials_that_are_octets_are_decoded():
    auth = OAuth1(b"printer", b"secret", b"token", "é".encode())
    assert (auth.client.client_key, auth.client.resource_owner_secret) == ("printer", "é")


def test_credentials_can_be_set_anew():
    auth = OAuth1("a", "b")
    auth.client.resource_owner_key, auth.client.resource_owner_secret = "t", "s"
    assert member(prepared(auth), "oauth_token") == "t"


def test_a_class_of_the_program_s_own_signs():
    class Marked(Client):
        def sign(self, uri, http_method="GET", body=None, headers=None, realm=None):
            url, fields, content = super().sign(uri + "?mark=1", http_method, body, headers, realm)
            return url, {**fields, b"X-Mark": b"1"}, content

    class Ours(OAuth1):
        client_class = Marked

    for auth in (OAuth1("a", "b", client_class=Marked), Ours("a", "b")):
        request = prepared(auth)
        assert request.url == "https://api.example/?mark=1"
        assert request.headers["X-Mark"] == b"1"
    assert type(OAuth1("a", "b").client) is Client


def test_a_redirect_within_the_origin_is_signed_anew_and_one_to_another_is_not():
    judge = judging()
    with origin(ok) as elsewhere, OAuth1Session(*CREDENTIALS) as it:
        it.trust_env = False

        def answer(seen):
            places = {"/near": "/there", "/far": elsewhere.url}
            return (302, [("Location", places[seen.target])], b"") if seen.target in places else judge(seen)

        with origin(answer) as api:
            assert it.get(api.url + "/near").text == "jane by oauth1"
            assert it.get(api.url + "/far").text == "fine"
        assert elsewhere.seen[0].field("authorization") is None


# ---- what can't be signed ----


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"signature_method": "HMAC-MD5"}, "unknown signature method"),
        ({"signature_type": "COOKIE"}, "AUTH_HEADER, QUERY, BODY"),
        ({"signature_method": "RSA-SHA1"}, "private key"),
        ({"signature_method": "RSA-SHA256", "rsa_key": "nonsense"}, "key"),
        ({"signature_method": "PLAINTEXT", "signature_type": "QUERY"}, "out of URLs and forms"),
        ({"signature_method": "PLAINTEXT", "signature_type": "BODY"}, "out of URLs and forms"),
        ({"client_secret": 7}, "client_secret is a text"),
    ],
)
def test_credentials_that_don_t_fit_together_are_refused(options, words):
    with pytest.raises(ConfigurationError, match=words):
        prepared(OAuth1(**{"client_key": "a", "client_secret": "b", **options}))


def test_a_public_key_signs_nothing():
    with pytest.raises(ConfigurationError, match="public key"):
        prepared(OAuth1("a", signature_method="RSA-SHA256", rsa_key=pair()[1]))
    with pytest.raises(ConfigurationError):
        prepared(OAuth1("a", pair()[1]))


def test_a_request_with_parameters_of_oauth_is_refused():
    with pytest.raises(ConfigurationError, match="oauth_token"):
        prepared(OAuth1("a", "b"), url="https://api.example/?oauth_token=x")


def test_plaintext_is_the_secrets_and_goes_over_tls_alone():
    auth = OAuth1("a", "b&", "t", "s", signature_method="PLAINTEXT")
    assert member(prepared(auth), "oauth_signature") == "b%26&s"
    with pytest.raises(errors.InsecureTransportError, match="https"):
        prepared(auth, url="http://api.example/")
    allowed = OAuth1("a", "b", signature_method="PLAINTEXT", allow_cleartext=True)
    assert member(prepared(allowed, url="http://api.example/"), "oauth_signature") == "b&"


def test_a_signature_by_no_secret_is_warned_of():
    with pytest.warns(InsecureOAuthWarning, match="client_secret="):
        prepared(OAuth1("a"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepared(OAuth1("a", resource_owner_key="t", resource_owner_secret="s"))


def test_no_repr_shows_a_secret():
    it = OAuth1Session("key", "s3cret", "t", "s3cret", rsa_key="s3cret")
    assert "s3cret" not in repr(it._client.client) + repr(vars(it)) + repr(vars(it._client))


# ---- three legs ----


def photos(**answers):
    """A server that gives credentials by the paths of its requests."""
    texts = {
        "/initiate": b"oauth_token=tmp&oauth_token_secret=ts&oauth_callback_confirmed=true&xoauth_more=1\n",
        "/token": b"oauth_token=t0ken&oauth_token_secret=t0ken%20s3cret%3D~",
        **{f"/{name}": text for name, text in answers.items()},
    }
    return lambda seen: (200, [], texts[seen.target])


def test_three_legs_lead_to_a_token():
    with origin(photos()) as server, origin(judging()) as api:
        with OAuth1Session("printer", CREDENTIALS[1], callback_uri="https://printer.example/ready") as it:
            it.trust_env = False
            assert not it.authorized
            token = it.fetch_request_token(server.url + "/initiate", realm=["a", "b"])
            assert token == {
                "oauth_token": "tmp",
                "oauth_token_secret": "ts",
                "oauth_callback_confirmed": "true",
                "xoauth_more": "1",
            }
            assert (
                it.authorization_url("https://photos.example/a?x=1#f", lang="d e")
                == "https://photos.example/a?x=1&lang=d+e&oauth_token=tmp#f"
            )
            answer = it.parse_authorization_response(
                "https://printer.example/ready?oauth_token=tmp&oauth_verifier=v%2B&x="
            )
            assert answer == {"oauth_token": "tmp", "oauth_verifier": "v+", "x": ""}
            assert it.token == {"oauth_token": "tmp", "oauth_token_secret": "ts", "oauth_verifier": "v+"}
            it.fetch_access_token(server.url + "/token")
            assert it.authorized
            assert it.token == {"oauth_token": "t0ken", "oauth_token_secret": "t0ken s3cret=~"}
            assert it.get(api.url).text == "jane by oauth1"
        first, second = (seen.field("authorization") for seen in server.seen)
        assert 'realm="a b"' in first
        assert 'oauth_callback="https%3A%2F%2Fprinter.example%2Fready"' in first
        assert 'oauth_token="tmp"' in second
        assert 'oauth_verifier="v%2B"' in second
        assert "realm" not in second
        assert "oauth_callback" not in second


def test_the_verifier_may_come_with_fetch_access_token():
    with origin(photos()) as server, OAuth1Session("printer", "s", "tmp", "ts") as it:
        it.fetch_access_token(server.url + "/token", verifier="v", timeout=30)
        assert 'oauth_verifier="v"' in server.seen[0].field("authorization")
        with pytest.raises(VerifierMissing, match="No client verifier"):
            it.fetch_access_token(server.url + "/token")


def test_an_answer_may_be_json():
    with (
        origin(photos(initiate=b'{"oauth_token": "tmp", "oauth_token_secret": "ts", "expires": 7}')) as server,
        OAuth1Session("printer", "s") as it,
    ):
        assert it.fetch_request_token(server.url + "/initiate") == {"oauth_token": "tmp", "oauth_token_secret": "ts"}


@pytest.mark.parametrize(
    "text",
    [b"", b"no form", b"oauth_token_secret=s", b"oauth_token=a&oauth_token=b", b"oauth_token=%FF", b"{}", b"[1]"],
)
def test_an_answer_without_a_token_is_an_error_that_shows_none_of_it(text):
    with origin(photos(initiate=text)) as server, OAuth1Session("printer", "s") as it:
        with pytest.raises(TokenMissing) as caught:
            it.fetch_request_token(server.url + "/initiate")
        assert isinstance(caught.value, ValueError)
        assert it.token == {}


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_refusal_is_an_error_with_the_answer(status):
    with origin(lambda seen: (status, [], b"secret words")) as server, OAuth1Session("printer", "s") as it:
        with pytest.raises(TokenRequestDenied, match=f"failed with code {status}") as caught:
            it.fetch_request_token(server.url)
        assert (caught.value.status_code, caught.value.response.text) == (status, "secret words")
        assert "secret words" not in str(caught.value)
        assert isinstance(caught.value, ValueError)


def test_the_realm_is_forgotten_even_if_the_server_refuses():
    with origin(lambda seen: (400, [], b"")) as server, OAuth1Session("printer", "s", callback_uri="oob") as it:
        with pytest.raises(TokenRequestDenied):
            it.fetch_request_token(server.url, realm=["a"])
        assert it._client.client.realm is None
        assert it._client.client.callback_uri == "oob"


def test_an_authorization_url_needs_temporary_credentials():
    with pytest.raises(ConfigurationError, match="fetch_request_token"):
        OAuth1Session("printer", "s").authorization_url("https://photos.example/a")
    assert (
        OAuth1Session("printer", "s").authorization_url("https://photos.example/a", "t&")
        == "https://photos.example/a?oauth_token=t%26"
    )


def test_a_token_can_be_set():
    it = OAuth1Session("printer", "s")
    it.token = {"oauth_token": "t", "oauth_token_secret": "ts", "oauth_verifier": "v"}
    assert it.token == {"oauth_token": "t", "oauth_token_secret": "ts", "oauth_verifier": "v"}
    with pytest.raises(TokenMissing, match="no oauth_token") as caught:
        it.token = {"oauth_verifier": "s3cret"}
    assert "s3cret" not in str(caught.value)


def test_by_rsa_a_session_is_authorized_without_secrets():
    assert not OAuth1Session("printer", signature_method="RSA-SHA256", rsa_key=pair()[0]).authorized
    assert OAuth1Session("printer", resource_owner_key="t", signature_method="RSA-SHA256", rsa_key=pair()[0]).authorized
