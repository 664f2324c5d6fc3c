"""OAuth 1.0a with oauthlib, requests-oauthlib and Authlib, both ways, over sockets: every method, every placement, three legs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import ClassVar
from urllib.parse import parse_qs, quote
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx2
import pytest
import requests
from authlib.integrations.requests_client import OAuth1Session as AuthlibSession
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from oauthlib.oauth1 import RequestValidator, WebApplicationServer
from requests_oauthlib import OAuth1, OAuth1Session

from tests.clients.origin import guarded as answering
from tests.clients.origin import origin
from watchword import (
    ConfigurationError,
    CredentialsUnavailable,
    Guard,
    OAuth1Auth,
    OAuth1Endpoints,
    OAuth1Verifier,
    Policy,
    PublicURL,
)
from watchword.clients.httpx2 import adapt as for_httpx2
from watchword.clients.requests import adapt
from watchword.effects import Ask
from watchword.servers.wsgi import identity, protect
from watchword.stores import MemoryStore

# Their validator wants keys, tokens and nonces of 20 to 30 letters and digits.
KEY, SECRET = "photoPrinter0123456789", "cl1ent s3cret & more"
TOKEN, TOKEN_SECRET = "token0123456789abcdef", "t0ken s3cret=~"
METHODS = ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512")
PLACES = {"header": "AUTH_HEADER", "query": "QUERY", "form": "BODY"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TARGET = "/a%20b/~c?x=1&y=%C3%A9&y=&z=a%2Bb"
BODY = "c2=&a3=2%20q&%C3%BC=%26"


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@cache
def pair() -> tuple[str, str]:
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.decode(), key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def records() -> MemoryStore:
    store = MemoryStore()
    store.add_oauth1_client(KEY, secret=SECRET, public_key=pair()[1])
    store.add_oauth1_token(TOKEN, TOKEN_SECRET, client_key=KEY, subject="jane")
    return store


@contextmanager
def serving(app: Callable) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def body_of(environ: dict) -> bytes:
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def who(environ, start_response):
    body_of(environ)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{identity(environ).subject} by oauth1".encode()]


@contextmanager
def guarded(policy: Policy | None = None, **options: object) -> Iterator[str]:
    """Our server, which says who it was; it has the target as it was sent."""
    options = {"methods": METHODS, "placements": tuple(PLACES), **options}
    with origin(answering(Guard([OAuth1Verifier(**options)], records(), policy=policy or Policy()))) as server:
        yield server.url


def theirs(method: str, place: str = "header", **options: object) -> OAuth1:
    """requests-oauthlib, which is oauthlib's client."""
    key = {"rsa_key": pair()[0]} if method.startswith("RSA") else {}
    return OAuth1(
        KEY, SECRET, TOKEN, TOKEN_SECRET, signature_method=method, signature_type=PLACES[place], **key, **options
    )


def ours(method: str, place: str = "header", **options: object) -> OAuth1Auth:
    key = {"rsa_key": pair()[0]} if method.startswith("RSA") else {}
    return OAuth1Auth(
        KEY, SECRET, token=TOKEN, token_secret=TOKEN_SECRET, signature_method=method, placement=place, **key, **options
    )


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        yield made


# ---- their clients, our server ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", METHODS)
def test_requests_oauthlib_is_admitted_and_not_twice(session, method: str, place: str) -> None:
    with guarded() as url:
        prepared = session.prepare_request(
            requests.Request("POST", url + TARGET, data=BODY, headers=FORM, auth=theirs(method, place))
        )
        answers = [session.send(prepared, timeout=300) for _ in range(2)]
        assert [(answer.status_code, answer.text) for answer in answers] == [(200, "jane by oauth1"), (401, "refused")]
        assert session.get(url + TARGET, auth=theirs(method), timeout=300).text == "jane by oauth1"


@pytest.mark.parametrize("method", METHODS)
def test_their_body_hash_is_sha1_whatever_the_method(session, method: str) -> None:
    """oauthlib hashes JSON by SHA-1 under every method; under a better one that has to be allowed."""
    asked = {"data": b'{"a": 1}', "headers": {"Content-Type": "application/json"}, "timeout": 20}
    with guarded() as url:
        status = session.post(url, auth=theirs(method, force_include_body=True), **asked).status_code
        assert status == (200 if method.endswith("SHA1") else 401)
    with guarded(allow_sha1_body_hash=True) as url:
        assert session.post(url, auth=theirs(method, force_include_body=True), **asked).text == "jane by oauth1"


def test_a_body_that_they_leave_out_is_refused_unless_allowed(session) -> None:
    asked = {"data": b'{"a": 1}', "headers": {"Content-Type": "application/json"}, "timeout": 20}
    with guarded() as url:
        assert session.post(url, auth=theirs("HMAC-SHA256"), **asked).status_code == 401
    with guarded(allow_unsigned_body=True) as url:
        assert session.post(url, auth=theirs("HMAC-SHA256"), **asked).text == "jane by oauth1"


def test_their_plaintext_is_admitted_where_it_is_allowed_over_tls(session) -> None:
    with guarded(allow_plaintext=True) as url:
        assert session.get(url, auth=theirs("PLAINTEXT"), timeout=300).status_code == 401
    over_tls = Policy(public_url=PublicURL("https://photos.example"))
    with guarded(allow_plaintext=True, policy=over_tls) as url:
        assert session.get(url, auth=theirs("PLAINTEXT"), timeout=300).text == "jane by oauth1"


@pytest.mark.parametrize("place", ["HEADER", "QUERY", "BODY"])
@pytest.mark.parametrize("method", ["HMAC-SHA1", "RSA-SHA1"])
def test_authlib_is_admitted(method: str, place: str) -> None:
    key = {"rsa_key": pair()[0]} if method.startswith("RSA") else {}
    with guarded() as url, AuthlibSession(
        KEY, SECRET, TOKEN, TOKEN_SECRET, signature_method=method, signature_type=place, force_include_body=True, **key
    ) as asking:  # fmt: skip
        asking.trust_env = False
        assert asking.post(url + "/a?x=1&y=a%20b", data={"c": "2 q", "d": "&"}, timeout=300).text == "jane by oauth1"


# ---- our client, their server ----------------------------------------------------------------------------------------


class Directory(RequestValidator):
    """What oauthlib's server asks: one client, and tokens as they are issued."""

    enforce_ssl = False
    realms: ClassVar = ["photos"]
    allowed_signature_methods = (*METHODS, "PLAINTEXT")
    dummy_client, dummy_request_token, dummy_access_token = "dummy-client", "dummy-request", "dummy-access"

    def __init__(self, store: MemoryStore | None = None) -> None:
        super().__init__()
        self.store = store
        self.temporary: dict[str, dict] = {}
        self.verifiers: dict[str, str] = {}
        self.tokens = {TOKEN: TOKEN_SECRET}
        self.seen: set[tuple] = set()

    def validate_timestamp_and_nonce(
        self, client_key, timestamp, nonce, request, request_token=None, access_token=None
    ):
        key = (client_key, timestamp, nonce, request_token, access_token)
        fresh = key not in self.seen
        self.seen.add(key)
        return fresh

    def validate_client_key(self, client_key, request):
        return client_key == KEY

    def get_client_secret(self, client_key, request):
        return SECRET

    def get_rsa_key(self, client_key, request):
        return pair()[1]

    def get_default_realms(self, client_key, request):
        return ["photos"]

    def get_realms(self, token, request):
        return ["photos"]

    def verify_realms(self, token, realms, request):
        return True

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def validate_requested_realms(self, client_key, realms, request):
        return True

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri == "oob" or redirect_uri.startswith("https://printer.example/")

    def save_request_token(self, token, request):
        self.temporary[token["oauth_token"]] = {**token, "callback": request.redirect_uri}

    def validate_request_token(self, client_key, token, request):
        return token in self.temporary

    def get_request_token_secret(self, client_key, token, request):
        return self.temporary.get(token, {}).get("oauth_token_secret", "dummy")

    def verify_request_token(self, token, request):
        return token in self.temporary

    def get_redirect_uri(self, token, request):
        return self.temporary[token]["callback"]

    def save_verifier(self, token, verifier, request):
        self.verifiers[token] = verifier["oauth_verifier"]

    def validate_verifier(self, client_key, token, verifier, request):
        return self.verifiers.get(token) == verifier

    def invalidate_request_token(self, client_key, request_token, request):
        self.temporary.pop(request_token, None)

    def save_access_token(self, token, request):
        self.tokens[token["oauth_token"]] = token["oauth_token_secret"]
        if self.store is not None:
            self.store.add_oauth1_token(
                token["oauth_token"], token["oauth_token_secret"], client_key=KEY, subject="jane"
            )

    def validate_access_token(self, client_key, token, request):
        return token in self.tokens

    def get_access_token_secret(self, client_key, token, request):
        return self.tokens.get(token, "dummy")


def provider(directory: Directory, photo: Callable | None = None) -> Callable:
    """A WSGI application of oauthlib's endpoints; `photo` guards /photo instead of theirs."""
    server = WebApplicationServer(directory)

    def app(environ, start_response):
        path = environ["PATH_INFO"]
        if path.startswith("/photo") and photo is not None:
            return photo(environ, start_response)
        uri = url_of(environ)
        headers = {
            name: environ[field]
            for name, field in (("Authorization", "HTTP_AUTHORIZATION"), ("Content-Type", "CONTENT_TYPE"), ("Host", "HTTP_HOST"))
            if environ.get(field)
        }  # fmt: skip
        body, method = body_of(environ).decode(), environ["REQUEST_METHOD"]
        if path == "/initiate":
            fields, content, status = server.create_request_token_response(uri, method, body, headers)
        elif path == "/authorize":
            fields, content, status = server.create_authorization_response(uri, "POST", body, headers, ["photos"])
        elif path == "/token":
            fields, content, status = server.create_access_token_response(uri, method, body, headers)
        else:
            valid, asked = server.validate_protected_resource_request(uri, method, body, headers, ["photos"])
            fields, content, status = {}, asked.client_key if valid else "", 200 if valid else 401
        start_response(f"{status} said", list(fields.items()))
        return [(content or "").encode()]

    return app


def url_of(environ: dict) -> str:
    """The URL as it was sent, which WSGI leaves to be rebuilt."""
    query = environ.get("QUERY_STRING")
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/~")
    return f"http://{environ['HTTP_HOST']}{path}" + (f"?{query}" if query else "")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", METHODS)
def test_oauthlib_admits_us_in_every_placement(session, method: str, place: str) -> None:
    with serving(provider(Directory())) as url:
        answer = session.post(url + TARGET, data=BODY, headers=FORM, auth=adapt(ours(method, place)), timeout=300)
        assert (answer.status_code, answer.text) == (200, KEY)
        wrong = OAuth1Auth(KEY, "guess", token=TOKEN, token_secret=TOKEN_SECRET, signature_method="HMAC-SHA256")
        assert session.post(url + TARGET, data=BODY, headers=FORM, auth=adapt(wrong), timeout=300).status_code == 401


@pytest.mark.parametrize("method", METHODS)
def test_oauthlib_admits_our_body_hash_and_bare_requests(session, method: str) -> None:
    with serving(provider(Directory())) as url:
        json = {"data": b'{"a": 1}', "headers": {"Content-Type": "application/json"}, "timeout": 20}
        assert session.post(url + TARGET, auth=adapt(ours(method)), **json).text == KEY
        assert session.get(url + TARGET, auth=adapt(ours(method, realm="photos")), timeout=300).text == KEY
        with httpx2.Client(trust_env=False, auth=for_httpx2(ours(method))) as client:
            assert client.get(url + TARGET).text == KEY


def test_oauthlib_admits_our_plaintext(session) -> None:
    with serving(provider(Directory())) as url:
        plain = ours("PLAINTEXT", allow_plaintext=True)
        assert session.get(url, auth=adapt(plain), timeout=300).text == KEY
    with pytest.raises(ConfigurationError):
        ours("PLAINTEXT")


# ---- three legs ------------------------------------------------------------------------------------------------------


@contextmanager
def photos() -> Iterator[tuple[str, Directory]]:
    """Their endpoints issue tokens, our guard admits them."""
    store = records()
    directory = Directory(store)
    guard = Guard([OAuth1Verifier(methods=METHODS, placements=tuple(PLACES))], store)
    with serving(provider(directory, protect(who, guard))) as url:
        yield url, directory


def agreed(url: str, callback: str | None) -> Callable[[Ask], str]:
    """An owner who agrees: what is shown, or the URL that the page sends the browser to."""

    def ask(question: Ask) -> str:
        answer = requests.post(question.url, allow_redirects=False, timeout=300)
        assert question.url.startswith(url)
        if callback is None:
            return parse_qs(answer.text)["oauth_verifier"][0]
        return answer.headers["Location"]

    return ask


@pytest.mark.parametrize("callback", [None, "https://printer.example/ready?job=7"])
@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "RSA-SHA256"])
def test_our_dance_against_their_endpoints(session, method: str, callback: str | None) -> None:
    with photos() as (url, directory):
        key = {"rsa_key": pair()[0]} if method.startswith("RSA") else {}
        endpoints = OAuth1Endpoints(f"{url}/initiate", f"{url}/authorize", f"{url}/token", callback or "oob")
        tokens = MemoryStore()
        for _ in range(2):  # the second one finds the token in the store
            mine = OAuth1Auth(KEY, SECRET, signature_method=method, endpoints=endpoints, **key)
            answer = session.get(
                url + "/photo?x=1", auth=adapt(mine, store=tokens, ask=agreed(url, callback)), timeout=300
            )
            assert (answer.status_code, answer.text) == (200, "jane by oauth1")
        assert len(directory.tokens) == 2, "one that was there, and one from the dance"
        assert mine.token is not None
        assert mine.token.secret == directory.tokens[mine.token.value]


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
def test_their_dance_and_our_guard(method: str) -> None:
    with photos() as (url, _), OAuth1Session(KEY, SECRET, callback_uri="oob", signature_method=method) as asking:
        asking.trust_env = False
        asking.fetch_request_token(f"{url}/initiate")
        shown = requests.post(asking.authorization_url(f"{url}/authorize"), timeout=300).text
        asking.fetch_access_token(f"{url}/token", verifier=parse_qs(shown)["oauth_verifier"][0])
        assert asking.get(url + "/photo?x=1", timeout=300).text == "jane by oauth1"


def test_an_owner_who_does_not_agree(session) -> None:
    with photos() as (url, _):
        endpoints = OAuth1Endpoints(f"{url}/initiate", f"{url}/authorize", f"{url}/token")
        mine = OAuth1Auth(KEY, SECRET, endpoints=endpoints)
        with pytest.raises(CredentialsUnavailable, match="answered 401"):
            session.get(url + "/photo", auth=adapt(mine, ask=lambda _: "madeUpVerifier0123456789"), timeout=300)
