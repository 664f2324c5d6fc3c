"""oauthlib's own clients and errors with the drop-in for requests-oauthlib, and programs for requests-oauthlib on both, side by side."""

from __future__ import annotations

import json

import oauthlib.oauth1
import pytest
import requests
import requests_oauthlib as original
from oauthlib import oauth2
from oauthlib.oauth2.rfc6749 import errors as theirs

from tests.clients.origin import guarded, ok, origin
from watchword import Guard, OAuth1Verifier
from watchword.dropin import requests_oauthlib as ours
from watchword.dropin.requests_oauthlib import UnsupportedGrant
from watchword.stores import MemoryStore

TOKEN = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600, "scope": "read"}
TLS = "OAUTHLIB_INSECURE_TRANSPORT"


def issuing(content, status=200):
    return lambda seen: (status, [("Content-Type", "application/json")], json.dumps(content).encode())


def asked(library, monkeypatch, **given):
    """What the endpoint and the API saw of a program, and what it got."""
    monkeypatch.setenv(TLS, "1")  # requests-oauthlib wants it for loopback
    client = oauth2.BackendApplicationClient("robot", scope=["read"])
    with origin(issuing(TOKEN)) as issuer, origin(ok) as api, library.OAuth2Session(client=client) as session:
        session.trust_env = False
        token = session.fetch_token(token_url=issuer.url + "/t", **given)
        session.get(api.url + "/a")
        assert client.access_token == session.access_token == "t0ken"
        assert dict(client.token) == dict(token)
        token = {name: value for name, value in token.items() if name != "expires_at"}
        return [
            (seen.method, seen.target, seen.body, seen.field("authorization"), seen.field("content-type"), seen.field("accept"))
            for seen in (*issuer.seen, *api.seen)
        ], token  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [
        {"client_secret": "s3cret"},
        {"client_id": "robot", "client_secret": "s3cret"},
        {"auth": ("robot", "s3cret")},
        {"auth": requests.auth.HTTPBasicAuth("robot", "s3cret"), "include_client_id": True},
        {"client_secret": "s3cret", "include_client_id": True},
        {"client_secret": "s3cret", "include_client_id": False, "audience": "orders"},
        {"client_secret": "s3cret", "force_querystring": True},
        {"client_secret": "s3cret", "method": "GET"},
        {"client_secret": "s3cret", "headers": {"Accept": "text/plain"}, "body": "a=b"},
        {"client_secret": "s3cret", "timeout": 5, "verify": True, "proxies": {}},
    ],
)
def test_a_program_sends_and_gets_the_same(given, monkeypatch) -> None:
    assert asked(ours, monkeypatch, **given) == asked(original, monkeypatch, **given)


@pytest.mark.parametrize("signature_type", ["AUTH_HEADER", "QUERY", "BODY"])
@pytest.mark.parametrize("signature_method", ["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT"])
def test_a_request_is_signed_octet_by_octet_as_there(signature_method, signature_type) -> None:
    if signature_method == "PLAINTEXT" and signature_type != "AUTH_HEADER":
        return  # refused here, see docs/how-to/replace-requests-oauthlib.md

    def prepared(library, **more):
        auth = library.OAuth1(
            "key&", "secret", "token", "s3cret é", callback_uri="https://a.example/?b", verifier="v", realm="Photos",
            signature_method=signature_method, signature_type=signature_type, nonce="abc", timestamp="123",
        )  # fmt: skip
        request = requests.Request("POST", "https://Photos.example:443/a%20b?x=1&y=%C3%A9", auth=auth, **more).prepare()
        return request.url, request.headers.get("Authorization"), request.body, request.headers["Content-Length"]

    for more in ({"data": {"c2": "", "a3": "2 q", "ü": "&"}}, {"data": "a=b"}, {}):
        if signature_type == "BODY" and not more:
            continue  # there it is None, the text, that is signed
        assert prepared(ours, **more) == prepared(original, **more)


def test_a_client_class_of_oauthlib_signs() -> None:
    class Marked(oauthlib.oauth1.Client):
        def get_oauth_params(self, request):
            return [*super().get_oauth_params(request), ("xoauth_mark", "1")]

    store = MemoryStore()
    store.add_oauth1_client("printer", secret="s3cret")
    with origin(guarded(Guard([OAuth1Verifier(methods=("HMAC-SHA1",))], store))) as api:
        for kind in (Marked, oauthlib.oauth1.Client):
            auth = ours.OAuth1("printer", "s3cret", client_class=kind)
            assert type(auth.client) is kind
            answer = requests.post(api.url + "/?a=b", data={"c": "d e"}, auth=auth, timeout=30)
            assert answer.text == "printer by oauth1"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_client", theirs.InvalidClientError), ("invalid_scope", theirs.InvalidScopeError),
        ("unauthorized_client", theirs.UnauthorizedClientError), ("server_error", theirs.ServerError),
        ("of_theirs", theirs.CustomOAuth2Error),
    ],
)  # fmt: skip
def test_errors_are_caught_as_oauthlib_s(code, kind) -> None:
    with (
        origin(issuing({"error": code, "error_description": "no"}, 400)) as issuer,
        ours.OAuth2Session("robot") as session,
        pytest.raises(kind) as caught,
    ):
        session.fetch_token(issuer.url, client_secret="s3cret")
    assert isinstance(caught.value, theirs.OAuth2Error)
    assert (caught.value.error, caught.value.description, str(caught.value)) == (code, "no", f"({code}) no")
    assert json.loads(caught.value.json) == {"error": code, "error_description": "no"}


def test_a_token_that_has_ended_and_a_secret_in_the_clear_are_caught_as_oauthlib_s() -> None:
    with ours.OAuth2Session("robot", token={**TOKEN, "expires_at": 1}) as session:
        with pytest.raises(oauth2.TokenExpiredError):
            session.get("https://api.example/")
        with pytest.raises(oauth2.InsecureTransportError):
            session.fetch_token("http://id.example/t", client_secret="s3cret")
        with origin(issuing({})) as issuer, pytest.raises(oauth2.MissingTokenError):
            session.fetch_token(issuer.url, client_secret="s3cret")


@pytest.mark.parametrize(
    ("client", "argument"),
    [
        (oauth2.WebApplicationClient("robot", code="c"), "WebApplicationClient"),
        (oauth2.MobileApplicationClient("robot"), "MobileApplicationClient"),
        (oauth2.LegacyApplicationClient("robot"), "LegacyApplicationClient"),
        (oauth2.ServiceApplicationClient("robot"), "ServiceApplicationClient"),
        (oauth2.DeviceClient("robot"), "DeviceClient"),
    ],
)
def test_clients_of_other_grants_are_refused_by_name_and_may_carry_a_token(client, argument) -> None:
    with origin(ok) as api, ours.OAuth2Session(client=client, token=TOKEN) as session:
        session.get(api.url)
        assert api.seen[0].field("authorization") == "Bearer t0ken"
        with pytest.raises(UnsupportedGrant) as caught:
            session.fetch_token(api.url, client_secret="s3cret")
        assert caught.value.argument == argument
        assert len(api.seen) == 1
