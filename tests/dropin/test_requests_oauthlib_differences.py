"""Each row of the table in docs/how-to/replace-requests-oauthlib.md is true, and no difference that is tried here lacks a row."""

from __future__ import annotations

import logging
import re
import traceback
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.clients.origin import ok, origin
from tests.dropin.test_requests_oauthlib import TOKEN, backend, form_of, issuing, session
from tests.dropin.test_requests_oauthlib_oauth1 import member, pair, photos, prepared
from watchword import ConfigurationError
from watchword.core.rejection import CredentialsUnavailable
from watchword.dropin.requests_oauthlib import (
    BackendApplicationClient,
    InsecureOAuthWarning,
    OAuth1,
    OAuth1Session,
    OAuth2,
)
from watchword.dropin.requests_oauthlib.errors import InsecureTransportError, TokenExpiredError
from watchword.dropin.requests_oauthlib.oauth1_session import TokenMissing, TokenRequestDenied

PAGE = Path(__file__).parents[2] / "docs/how-to/replace-requests-oauthlib.md"
TRIED: dict[str, Callable[..., None]] = {}


def rows() -> list[str]:
    """The first cell of each row."""
    table = PAGE.read_text("utf-8").partition("## What differs on purpose")[2].partition("\n## ")[0]
    return [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")][1:]


def difference(first_cell: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Says which row a function tries."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        TRIED[first_cell] = function
        return function

    return register


def test_every_row_is_tried() -> None:
    assert rows() == list(TRIED)


@pytest.mark.parametrize("row", TRIED)
def test_the_row_is_true(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    TRIED[row]()


def nobody(request: requests.PreparedRequest, **_: object) -> requests.Response:
    raise AssertionError(f"sent to {request.url}")


@difference("`OAUTHLIB_INSECURE_TRANSPORT` lets secrets travel in the clear")
def _cleartext() -> None:
    it = session(token=TOKEN)
    it.send = nobody
    for call in (lambda: it.get("http://api.example/"), lambda: it.fetch_token("http://id.example/t")):
        with pytest.raises(InsecureTransportError, match="https"):
            call()


@difference("OAuth 1 fetches tokens and sends `PLAINTEXT` over http")
def _cleartext_of_oauth1() -> None:
    it = OAuth1Session("printer", "s")
    it.send = nobody
    with pytest.raises(InsecureTransportError, match="https"):
        it.fetch_request_token("http://photos.example/initiate")
    with pytest.raises(InsecureTransportError, match="https"):
        prepared(OAuth1("printer", "s", signature_method="PLAINTEXT"), url="http://photos.example/")


@difference("a token request follows redirects, secrets with it")
def _redirected_token_requests() -> None:
    with origin(ok) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            with origin(lambda seen, status=status: (status, [("Location", elsewhere.url)], b"")) as server:
                with session() as it, pytest.raises(CredentialsUnavailable, match=f"answered {status}"):
                    it.fetch_token(server.url, include_client_id=True)
                with OAuth1Session("printer", "s") as it, pytest.raises(TokenRequestDenied, match=f"answered {status}"):
                    it.fetch_request_token(server.url)
        assert not elsewhere.seen


@difference("OAuth 1 signs for whatever host a redirect leads to")
def _redirected_signatures() -> None:
    with origin(ok) as elsewhere, origin(lambda seen: (307, [("Location", elsewhere.url)], b"")) as server:
        for place in ("AUTH_HEADER", "QUERY", "BODY"):
            requests.post(server.url, data={"a": "b"}, auth=OAuth1("printer", "s", signature_type=place), timeout=30)
    for seen in elsewhere.seen:
        assert (seen.field("authorization"), seen.target, seen.body) == (None, "/", b"a=b")
    assert len(elsewhere.seen) == 3


@difference("a server need not confirm `callback_uri`")
def _unconfirmed_callback() -> None:
    with origin(photos(initiate=b"oauth_token=tmp&oauth_token_secret=ts")) as server:
        for options in ({"callback_uri": "https://printer.example/"}, {"callback_uri": "oob"}):
            it = OAuth1Session("printer", "s", **options)
            with pytest.raises(TokenRequestDenied, match="allow_unconfirmed_callback=True"):
                it.fetch_request_token(server.url + "/initiate")
            assert it.token == {}
            it = OAuth1Session("printer", "s", **options, allow_unconfirmed_callback=True)
            assert it.fetch_request_token(server.url + "/initiate")["oauth_token"] == "tmp"


@difference("`parse_authorization_response` takes any `oauth_token`")
def _foreign_callback() -> None:
    it = OAuth1Session("printer", "s", resource_owner_key="mine", resource_owner_secret="ts")
    with pytest.raises(TokenMissing, match="other temporary credentials"):
        it.parse_authorization_response("https://printer.example/?oauth_token=theirs&oauth_verifier=v")
    assert it.token == {"oauth_token": "mine", "oauth_token_secret": "ts"}
    assert (
        OAuth1Session("printer", "s").parse_authorization_response("https://a.example/?oauth_token=t")["oauth_token"]
        == "t"
    )


@difference("a callback may bring an `oauth_token_secret`")
def _secret_in_callback() -> None:
    it = OAuth1Session("printer", "s")
    with pytest.raises(TokenMissing, match="whoever wrote this URL"):
        it.parse_authorization_response(
            "https://printer.example/?oauth_token=t&oauth_token_secret=theirs&oauth_verifier=v"
        )
    assert it.token == {}


@difference("of two `oauth_token` in a callback or an answer the last counts")
def _twice() -> None:
    it = OAuth1Session("printer", "s")
    with pytest.raises(TokenMissing, match="twice"):
        it.parse_authorization_response("https://printer.example/?oauth_token=a&oauth_token=b&oauth_verifier=v")
    with origin(photos(initiate=b"oauth_token=a&oauth_token=b")) as server, pytest.raises(TokenMissing, match="twice"):
        it.fetch_request_token(server.url + "/initiate")


@difference("`PLAINTEXT` in URLs and forms")
def _shown_secrets() -> None:
    for place in ("QUERY", "BODY"):
        with pytest.raises(ConfigurationError, match="out of URLs and forms"):
            prepared(OAuth1("printer", "s", signature_method="PLAINTEXT", signature_type=place), data={"a": "b"})


@difference("OAuth 1 signs with no secret at all")
def _no_secret() -> None:
    with pytest.warns(InsecureOAuthWarning, match="no secret at all"):
        assert prepared(OAuth1("printer")).headers["Authorization"]


@difference("a public key may be the `client_secret`")
def _public_secret() -> None:
    public = pair()[1]
    for spelling in (public, public.replace("\n", "\\n"), b64encode(public.encode()).decode()):
        with pytest.raises(ConfigurationError, match="key"):
            prepared(OAuth1("printer", spelling))


@difference("RSA keys of any size")
def _short_keys() -> None:
    key = rsa.generate_private_key(65537, 1024)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert prepared(OAuth1("printer", signature_method="RSA-SHA1", rsa_key=pem)).headers["Authorization"]
    with pytest.raises(ConfigurationError, match="2048"):
        prepared(OAuth1("printer", signature_method="RSA-SHA256", rsa_key=pem))


@difference("`oauth_body_hash` is of SHA-1, whatever the method")
def _body_hash() -> None:
    lengths = {"HMAC-SHA1": 28, "HMAC-SHA256": 44, "HMAC-SHA512": 88}
    for method, length in lengths.items():
        request = prepared(OAuth1("printer", "s", signature_method=method, force_include_body=True), json={})
        assert len(member(request, "oauth_body_hash")) == length


@difference('a token in the URL (`default_token_placement="query"`)')
def _token_in_url() -> None:
    client = BackendApplicationClient("robot", default_token_placement="query")
    with pytest.warns(InsecureOAuthWarning, match=r"RFC 9700 §4\.3\.2"):
        assert prepared(OAuth2(client=client, token=TOKEN)).url == "https://api.example/?access_token=given"


@difference("`OAuth2` sends a token that has ended")
def _ended() -> None:
    with pytest.raises(TokenExpiredError):
        prepared(OAuth2(token={**TOKEN, "expires_at": 1}))


@difference("a request before there is a token goes out without one")
def _no_token() -> None:
    it = session()
    it.send = nobody
    with pytest.raises(ConfigurationError, match="withhold_token=True"):
        it.get("https://api.example/")


@difference("a fetched token ends in `TokenExpiredError`")
def _renewed() -> None:
    with origin(issuing(lifetime=0)) as issuer, origin(ok) as api, backend() as it:
        it.fetch_token(issuer.url, client_secret="s3cret")
        it.get(api.url)
        assert api.seen[0].field("authorization") == "Bearer tok2"


@difference("`scope=` of a session is not sent with `BackendApplicationClient`")
def _scope() -> None:
    with origin(issuing()) as issuer, backend(scope=["write"]) as it:
        it.fetch_token(issuer.url, client_secret="s3cret")
        assert form_of(issuer.seen[0])["scope"] == "write"


@difference("a client without a secret sends an empty one")
def _unproven() -> None:
    it = backend()
    it.send = nobody
    with pytest.raises(ConfigurationError, match="needs a secret"):
        it.fetch_token("https://id.example/t")


@difference("`fetch_token` without `client=` asks for `code=`")
def _default_grant() -> None:
    with origin(issuing()) as issuer, session() as it:
        it.fetch_token(issuer.url)
        assert form_of(issuer.seen[0])["grant_type"] == "client_credentials"


@difference("`MAC` tokens are signed with")
def _mac() -> None:
    with pytest.raises(ConfigurationError, match="Bearer"):
        prepared(
            OAuth2(token={"access_token": "t", "token_type": "MAC", "mac_key": "k", "mac_algorithm": "hmac-sha-1"})
        )


@difference("answers of any size are read")
def _long_answers() -> None:
    two, one = session(), OAuth1Session("printer", "s")
    for limit, kind, call in (
        (2**20, CredentialsUnavailable, two.fetch_token),
        (2**16, TokenRequestDenied, one.fetch_request_token),
    ):
        answer = 200, [], b" " * (limit + 1)
        with origin(lambda seen, answer=answer: answer) as server, pytest.raises(kind, match=str(limit)):
            call(server.url)


@difference("a token request may wait for ever")
def _timeout() -> None:
    waited = []

    def send(request: requests.PreparedRequest, **settings: object) -> requests.Response:
        waited.append(settings["timeout"])
        answer = requests.Response()
        answer.status_code = 200
        answer._content = (
            b"oauth_token=t"
            if "Authorization" in request.headers and b"OAuth" in request.headers["Authorization"]
            else b"access_token=t"
        )
        return answer

    one, two = OAuth1Session("printer", "s"), session(scope=None)
    one.send, two.send = (
        send,
        lambda request, **settings: send(requests.Request("GET", "https://a.example").prepare(), **settings),
    )
    one.fetch_request_token("https://photos.example/initiate")
    two.fetch_token("https://id.example/t")
    one.fetch_request_token("https://photos.example/initiate", timeout=5)
    two.fetch_token("https://id.example/t", timeout=5)
    assert waited == [30, 30, 5, 5]


@difference("tokens and secrets are in debug logs and in the texts of errors")
def _secrets_in_logs() -> None:
    logged: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(f"{record.name} {record.getMessage()}")

    handler, root, level = Kept(), logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with (
            origin(issuing(secret="in-the-answer")) as issuer,
            origin(ok) as api,
            session(client_secret="s3cret") as it,
        ):
            it.fetch_token(issuer.url, include_client_id=True)
            it.get(api.url)
        with origin(photos(initiate=b"oauth_token_secret=in-the-answer", token=b"in-the-answer")) as server:
            one = OAuth1Session("printer", "s3cret", "tmp", "t0ken-secret", verifier="v3rifier")
            texts = []
            for call in (
                lambda: one.fetch_request_token(server.url + "/initiate"),
                lambda: one.fetch_access_token(server.url + "/token"),
            ):
                with pytest.raises(TokenMissing) as caught:
                    call()
                texts += [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value)]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert logged
    for secret in ("s3cret", "in-the-answer", "t0ken-secret", "v3rifier", "tok1"):
        assert not [line for line in (*logged, *texts) if secret in line and not re.search(r"lambda", line)]


@difference("client secrets are ISO 8859-1 inside Basic")
def _utf8() -> None:
    with origin(issuing()) as issuer, session(client_secret="é") as it:
        it.fetch_token(issuer.url)
        assert issuer.seen[0].field("authorization") == "Basic " + b64encode("robot:é".encode()).decode()
