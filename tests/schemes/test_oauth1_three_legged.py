"""Three legs to a token: what the client asks, what it believes of the answers, and whom it asks only once."""

from __future__ import annotations

import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemes.oauth1_world import KEY, NOW, SECRET, rsa_pair
from watchword import ConfigurationError, CredentialsUnavailable, OAuth1Auth, OAuth1Endpoints, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.effects import Ask, Received, Release, Send
from watchword.schemes.oauth1 import OAuth1AccessToken
from watchword.schemes.oauth1.encoding import header_pairs, unescaped_text
from watchword.stores import MemoryStore

SITE = "https://photos.example"
OOB = OAuth1Endpoints(f"{SITE}/initiate?scope=read", f"{SITE}/authorize?lang=en", f"{SITE}/token")
CALLBACK = OOB._replace(callback="https://printer.example/ready?job=7")
PHOTO = Request("GET", "https", "photos.example", "/photo")


class World:
    """A server that answers what tests say, and an owner who does."""

    def __init__(self) -> None:
        self.answers = {
            "/initiate?scope=read": (200, b"oauth_token=tmp%2F1&oauth_token_secret=tmp%26s&oauth_callback_confirmed=true"),
            "/token": (200, b"oauth_token=tok%20en&oauth_token_secret=s%3Dcret&user_id=7"),
        }  # fmt: skip
        self.says = "c0de"
        self.sent: list[tuple[str, dict[str, str]]] = []
        self.asked: list[Ask] = []

    def send(self, effect: Send) -> Received:
        request = effect.request
        own = {n: unescaped_text(v) for n, v in header_pairs(request.values(b"authorization")[0])}
        self.sent.append((request.target.decode(), own))
        if effect.body is None:
            return Received(Response(200), b"")
        assert (request.method, effect.body, effect.want) == ("POST", b"", True)
        status, body = self.answers[request.target.decode()]
        return Received(Response(status), body)

    def ask(self, ask: Ask) -> str:
        self.asked.append(ask)
        return self.says

    def get(self, who: OAuth1Auth, store: MemoryStore | None = None, request: Request = PHOTO) -> int:
        context = ClientContext(bytes, now=lambda: NOW)
        return run(who, request, self.send, context, store=store, ask=self.ask).response.status


def client(endpoints: OAuth1Endpoints = OOB, **options: object) -> OAuth1Auth:
    return OAuth1Auth(KEY, SECRET, endpoints=endpoints, **options)  # type: ignore[arg-type]


def test_three_legs_and_then_the_request() -> None:
    world, who = World(), client()
    assert world.get(who) == 200
    (first, initiate), (second, token), (third, photo) = world.sent
    assert (first, second, third) == ("/initiate?scope=read", "/token", "/photo")
    assert initiate["oauth_callback"] == "oob"
    assert "oauth_token" not in initiate
    assert (token["oauth_token"], token["oauth_verifier"]) == ("tmp/1", "c0de")
    assert photo["oauth_token"] == "tok en"
    assert {"oauth_callback", "oauth_verifier"}.isdisjoint(photo)
    (ask,) = world.asked
    assert ask.interaction == "oauth1"
    assert parse_qs(urlsplit(ask.url).query) == {"lang": ["en"], "oauth_token": ["tmp/1"]}
    assert who.token == OAuth1AccessToken("tok en", "s=cret")


def test_a_person_is_asked_once_however_many_start_together() -> None:
    world, who = World(), client()
    gate = threading.Barrier(16)

    def work() -> None:
        gate.wait()
        world.get(who)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.asked) == 1
    assert sum(target == "/photo" for target, _ in world.sent) == 16


def test_whoever_waited_finds_the_token_before_the_first_one_has_gone_on() -> None:
    """Step by step: the lock is let go only once the token is in use."""
    world, who = World(), client()
    first = who.flow(PHOTO, ClientContext(bytes, now=lambda: NOW))
    effect = next(first)
    while not isinstance(effect, Release):
        answer: object = None
        if isinstance(effect, Send):
            answer = world.send(effect)
        elif isinstance(effect, Ask):
            answer = world.ask(effect)
        effect = first.send(answer)
    assert who.token is not None
    assert isinstance(next(who.flow(PHOTO, ClientContext(bytes))), Send), "it has no reason to wait or to ask"
    first.close()


def test_the_token_is_kept_for_each_account_and_found_again() -> None:
    world, store = World(), MemoryStore()
    for account in ("alice", "alice", "bob"):
        assert world.get(client(account=account), store) == 200
    assert len(world.asked) == 2


@pytest.mark.parametrize(
    "says", ["https://printer.example/ready?job=7&oauth_token=tmp%2F1&oauth_verifier=c0de", " https://printer.example/ready?oauth_verifier=c0de&oauth_token=tmp/1#_=_\n"]
)  # fmt: skip
def test_the_owner_comes_back_to_the_callback(says: str) -> None:
    world = World()
    world.says = says
    assert world.get(client(CALLBACK)) == 200
    assert world.sent[0][1]["oauth_callback"] == CALLBACK.callback
    assert world.sent[1][1]["oauth_verifier"] == "c0de"


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("https://evil.example/ready?oauth_token=tmp%2F1&oauth_verifier=c0de", "not sent back to the callback"),
        ("c0de", "not sent back to the callback"),
        ("https://printer.example/ready?oauth_token=other&oauth_verifier=c0de", "other temporary credentials"),
        ("https://printer.example/ready?oauth_verifier=c0de", "other temporary credentials"),
        ("https://printer.example/ready?oauth_token=other&oauth_token=tmp%2F1&oauth_verifier=c0de", "twice"),
        ("https://printer.example/ready?oauth_token=tmp%2F1&oauth%5Ftoken=tmp%2F1&oauth_verifier=c0de", "twice"),
        ("https://printer.example/ready?oauth_token=tmp%2F1&oauth_verifier=mine&oauth_verifier=c0de", "twice"),
        ("https://printer.example/ready?oauth_token=tmp%2F1&denied=1", "did not authorize"),
        ("https://printer.example/ready?oauth_token=tmp%2F1&oauth_verifier=%00", "did not authorize"),
        ("https://printer.example/ready?oauth_token=%FF&oauth_verifier=c0de", "can't be read"),
        ("https://printer.example/ready?" + "a&" * 1100, "can't be read"),
        ("https://printer.example/ready?\ud800=1", "can't be read"),
        ("https://printer.example/ready?a=" + "a" * 5000, "too long"),
    ],
)
def test_what_comes_back_from_elsewhere_is_not_believed(says: str, words: str) -> None:
    world = World()
    world.says = says
    with pytest.raises(CredentialsUnavailable, match=words):
        world.get(client(CALLBACK))
    assert [target for target, _ in world.sent] == ["/initiate?scope=read"]


@pytest.mark.parametrize("says", ["", " \n", "a\x00b", "\ud800"])
def test_without_a_code_there_is_no_token(says: str) -> None:
    world = World()
    world.says = says
    with pytest.raises(CredentialsUnavailable, match="did not authorize"):
        world.get(client())


@pytest.mark.parametrize(
    ("path", "status", "body", "words"),
    [
        ("/initiate?scope=read", 200, b"oauth_token=a&oauth_token_secret=b", "does not confirm the callback"),
        ("/initiate?scope=read", 200, b"oauth_token=a&oauth_callback_confirmed=false", "does not confirm"),
        ("/initiate?scope=read", 200, b"oauth_token=a&oauth_callback_confirmed=true&oauth_token=b", "twice"),
        ("/initiate?scope=read", 200, b"<html>", "no temporary credentials"),
        ("/initiate?scope=read", 200, b"oauth_token=&oauth_callback_confirmed=true", "no temporary credentials"),
        ("/initiate?scope=read", 200, b"oauth_token=%FF", "no form in UTF-8"),
        ("/initiate?scope=read", 200, b"oauth_token=" + b"a" * 5000, "no temporary credentials"),
        ("/initiate?scope=read", 200, b"a" * 70_000, "too long"),
        ("/initiate?scope=read", 200, b"a&" * 2000, "no form in UTF-8"),
        ("/initiate?scope=read", 401, b"oauth_problem=consumer_key_unknown", "photos.example answered 401"),
        ("/initiate?scope=read", 302, b"", "answered 302"),
        ("/token", 200, b"", "no token credentials"),
        ("/token", 200, b"oauth_token=a%0Ab", "no token credentials"),
        ("/token", 500, b"oauth_token=a&oauth_token_secret=b", "answered 500"),
    ],
)
def test_a_server_s_other_answers_are_not_believed(path: str, status: int, body: bytes, words: str) -> None:
    world, who, store = World(), client(), MemoryStore()
    world.answers[path] = (status, body)
    for _ in range(2):  # and the lock is free again
        with pytest.raises(CredentialsUnavailable, match=words):
            world.get(who, store)
    assert who.token is None


@given(st.binary(max_size=200))
def test_any_answer_gives_credentials_or_the_one_error(body: bytes) -> None:
    world = World()
    world.answers["/initiate?scope=read"] = (200, b"oauth_token=a&oauth_callback_confirmed=true&" + body)
    world.answers["/token"] = (200, body)
    with pytest.raises(CredentialsUnavailable):
        world.get(client())


def test_no_secret_of_an_answer_is_in_the_error() -> None:
    world = World()
    world.answers["/initiate?scope=read"] = (200, b"oauth_token=&oauth_token_secret=hush-hush")
    with pytest.raises(CredentialsUnavailable) as caught:
        world.get(client())
    assert "hush" not in str(caught.getrepr(style="short"))


def test_rsa_clients_dance_without_secrets() -> None:
    world = World()
    world.answers["/token"] = (200, b"oauth_token=token&oauth_token_secret=")
    who = OAuth1Auth(KEY, signature_method="RSA-SHA256", rsa_key=rsa_pair()[0], endpoints=OOB)
    assert world.get(who) == 200
    assert who.token == OAuth1AccessToken("token", "")


@pytest.mark.parametrize("url", ["http://photos.example/x", "ftp://a/b", "photos", "https://u:p@h/", "https://h/#f"])
@pytest.mark.parametrize("leg", ["temporary", "authorize", "token"])
def test_endpoints_are_urls_over_tls_or_loopback(leg: str, url: str) -> None:
    with pytest.raises(ConfigurationError):
        client(OOB._replace(**{leg: url}))
    client(OOB._replace(**{leg: "http://127.0.0.1:8000/x"}))


@pytest.mark.parametrize(
    "callback",
    [
        "http://printer.example/ready", "printer:ready", "com.example.printer://ready", "javascript:alert(1)", "data:text/html,x",
        "file:///ready", "https://u:p@printer.example/", "https://printer.example/#f", "https:///ready", "//printer.example/", "",
        "OOB",
    ],
)  # fmt: skip
def test_a_callback_is_a_url_over_tls_or_loopback(callback: str) -> None:
    with pytest.raises(ConfigurationError):
        client(OOB._replace(callback=callback))
    for good in ("https://printer.example/ready?job=7", "http://127.0.0.1:8000/ready", "http://localhost/ready", "oob"):
        client(OOB._replace(callback=good))


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="either give a token"):
        client(token="t")
    with pytest.raises(ConfigurationError, match="absolute https URL"):
        client(OOB._replace(callback="/ready"))
    with pytest.raises(ConfigurationError, match="no token yet"):
        client().sign(PHOTO, ClientContext(bytes))


def test_nobody_to_ask_is_a_configuration_error() -> None:
    world = World()
    with pytest.raises(ConfigurationError, match="ask"):
        run(client(), PHOTO, world.send, ClientContext(bytes))
