"""OAuth 1 credentials in the header, the query and the form, through every adapter, and where redirects take them."""

from __future__ import annotations

import pytest

from tests.clients.kinds import KINDS
from tests.clients.origin import guarded, ok, origin
from watchword import Guard, OAuth1Auth, OAuth1Verifier
from watchword.stores import MemoryStore

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PLACEMENTS = ("header", "query", "form")


@pytest.fixture(params=list(KINDS))
def kind(request):
    return KINDS[request.param]


def guard():
    store = MemoryStore()
    store.add_oauth1_client("app", secret="s3cret")
    store.add_oauth1_token("token", "hush", client_key="app", subject="alice")
    return Guard([OAuth1Verifier(placements=PLACEMENTS)], store)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_credentials_arrive_in_their_place_and_the_body_is_the_caller_s(kind, placement):
    adapted = kind.adapt(OAuth1Auth("app", "s3cret", token="token", token_secret="hush", placement=placement))
    with origin(guarded(guard())) as server:
        for target in ("/a?b=c%20d&e", "/a"):
            got = kind.send("POST", server.url + target, adapted, content=b"x=1+2&y=%7e", headers=FORM)
            assert (got.status, got.body) == (200, b"alice by oauth1")
            seen = server.seen[-1]
            assert ("authorization" in seen.fields) is (placement == "header")
            assert ("oauth_signature=" in seen.target) is (placement == "query")
            assert (b"oauth_signature=" in seen.body) is (placement == "form")
            assert seen.target.startswith(target)
            assert seen.body.startswith(b"x=1+2&y=%7e")
            assert "transfer-encoding" not in seen.fields


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_redirect_within_the_origin_is_signed_anew_and_one_elsewhere_not_at_all(kind, placement):
    adapted = kind.adapt(OAuth1Auth("app", "s3cret", token="token", token_secret="hush", placement=placement))

    def redirect(seen):
        return (307, [("Location", "/b?d=e")], b"") if seen.target.startswith("/start") else None

    with origin(guarded(guard(), redirect)) as server:
        got = kind.send("POST", server.url + "/start", adapted, content=b"x=1", headers=FORM)
        assert (got.status, got.body) == (200, b"alice by oauth1")
        with origin(ok) as elsewhere:
            server.answer = lambda seen: (307, [("Location", elsewhere.url + "/there")], b"")
            got = kind.send("POST", server.url + "/start", adapted, content=b"x=1", headers=FORM)
            assert got.status == 200
            (seen,) = elsewhere.seen
            assert (seen.target, seen.body, seen.field("content-length")) == ("/there", b"x=1", "3")
            assert "authorization" not in seen.fields


def test_the_dance_goes_through_the_adapter(kind):
    from watchword import OAuth1Endpoints

    asked = []

    def answer(seen):
        if seen.target == "/initiate":
            return 200, [], b"oauth_token=tmp&oauth_token_secret=s&oauth_callback_confirmed=true"
        if seen.target == "/token":
            return 200, [], b"oauth_token=token&oauth_token_secret=hush"
        return None

    def ask(question):
        asked.append(question.url)
        return "c0de"

    with origin(guarded(guard(), answer)) as server:
        endpoints = OAuth1Endpoints(*(f"{server.url}/{name}" for name in ("initiate", "authorize", "token")))
        adapted = kind.adapt(OAuth1Auth("app", "s3cret", endpoints=endpoints), store=MemoryStore(), ask=ask)
        for _ in range(2):
            got = kind.send("POST", server.url + "/a?b=c", adapted, content=b"{}", headers={"Content-Type": "text/x"})
            assert (got.status, got.body) == (200, b"alice by oauth1")
        assert [seen.target for seen in server.seen] == ["/initiate", "/token", "/a?b=c", "/a?b=c"]
        assert asked == [f"{server.url}/authorize?oauth_token=tmp"]
