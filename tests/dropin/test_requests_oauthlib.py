"""`watchword.dropin.requests_oauthlib`: `OAuth2Session` and `OAuth2`, against token endpoints and APIs on loopback."""

from __future__ import annotations

import json
import sys
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import ModuleType
from urllib.parse import parse_qs, parse_qsl

import pytest
import requests
from requests.auth import HTTPBasicAuth

from tests.clients.origin import ok, origin
from watchword import ConfigurationError
from watchword.core.rejection import CredentialsUnavailable
from watchword.dropin.requests_oauthlib import (
    BackendApplicationClient, InsecureOAuthWarning, OAuth2, OAuth2Session, UnsupportedGrant, errors,
)  # fmt: skip

BASIC = "Basic " + b64encode(b"robot:s3cret").decode()
GRANT = {"grant_type": "client_credentials"}
TOKEN = {"access_token": "given", "token_type": "Bearer"}


def issuing(lifetime=3600, **more):
    issued = []

    def answer(seen):
        issued.append(seen)
        content = {"access_token": f"tok{len(issued)}", "token_type": "Bearer", "expires_in": lifetime, **more}
        return 200, [("Content-Type", "application/json")], json.dumps(content).encode()

    return answer


def session(**options):
    it = OAuth2Session("robot", **{"client_secret": "s3cret", **options})
    it.trust_env = False
    return it


def backend(**options):
    it = OAuth2Session(client=BackendApplicationClient("robot", scope=["read"]), **options)
    it.trust_env = False
    return it


def form_of(seen):
    return dict(parse_qsl(seen.body.decode(), keep_blank_values=True))


# ---- a token by the client credentials grant ----


@pytest.mark.parametrize("scope", ["read write", ["read", "write"], ("read", "write")])
def test_a_token_is_fetched_and_attached(scope):
    with origin(issuing(scope="read write")) as issuer, origin(ok) as api, session(scope=scope) as it:
        token = it.fetch_token(issuer.url + "/token")
        assert token["access_token"] == "tok1"
        assert token["token_type"] == "Bearer"
        assert token["scope"] == ["read", "write"]
        assert 3590 <= token["expires_in"] <= 3600
        assert token["expires_at"] == pytest.approx(time.time() + 3600, abs=20)
        assert it.authorized
        assert it.access_token == "tok1"
        assert it.get(api.url + "/a").content == it.post(api.url + "/b", data=b"x").content == b"fine"
        (asked,) = issuer.seen
        assert parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["read write"]}
        assert asked.field("authorization") == BASIC
        assert asked.field("accept") == "application/json"
        assert [seen.field("authorization") for seen in api.seen] == ["Bearer tok1"] * 2


@pytest.mark.parametrize(
    ("given", "form", "authorization"),
    [
        ({"client_secret": "s3cret"}, {}, BASIC),
        ({"client_secret": "s3cret", "include_client_id": False}, {}, BASIC),
        ({"client_secret": "s3cret", "client_id": "robot"}, {}, BASIC),
        ({"auth": ("robot", "s3cret")}, {}, BASIC),
        ({"auth": HTTPBasicAuth("robot", "s3cret")}, {}, BASIC),
        ({"auth": ("robot", "s3cret"), "include_client_id": True}, {"client_id": "robot"}, BASIC),
        ({"client_secret": "s3cret", "include_client_id": True}, {"client_id": "robot", "client_secret": "s3cret"}, None),
        ({"client_secret": "s3cret", "audience": "orders"}, {"audience": "orders"}, BASIC),
        ({"client_secret": "s3cret", "scope": ["write", "admin"]}, {"scope": "write admin"}, BASIC),
        ({"client_secret": "s3cret", "body": "resource=a&scope=x"}, {"resource": "a"}, BASIC),
        ({"headers": {"Authorization": "Custom abc"}}, {}, "Custom abc"),
        ({"include_client_id": True, "client_assertion": "a.b.c"}, {"client_id": "robot", "client_assertion": "a.b.c"}, None),
        ({"client_secret": "s3cret", "code": None, "authorization_response": None, "username": None}, {}, BASIC),
    ],
)  # fmt: skip
def test_each_form_of_the_arguments_proves_the_client(given, form, authorization):
    with origin(issuing()) as issuer, backend() as it:
        assert it.fetch_token(token_url=issuer.url, **given)["access_token"] == "tok1"
        (asked,) = issuer.seen
        assert form_of(asked) == {**GRANT, "scope": "read", **form}
        assert asked.field("authorization") == authorization


def test_a_secret_is_sent_as_it_is_and_in_utf_8():
    with origin(issuing()) as issuer, session(client_secret="a+b/c=é") as it:
        it.fetch_token(issuer.url)
        assert issuer.seen[0].field("authorization") == "Basic " + b64encode("robot:a+b/c=é".encode()).decode()


@pytest.mark.parametrize("given", [{"method": "GET"}, {"method": "get"}, {"force_querystring": True}])
def test_the_parameters_go_into_the_query_if_the_program_says_so(given):
    with origin(issuing()) as issuer, backend() as it:
        it.fetch_token(issuer.url + "/t?x=1", client_secret="s3cret", **given)
        (asked,) = issuer.seen
        assert asked.target == "/t?x=1&grant_type=client_credentials&scope=read"
        assert asked.method == given.get("method", "POST").upper()


def test_the_settings_of_the_call_reach_the_transport():
    sent = []

    def send(request, **settings):
        sent.append(settings)
        answer = requests.Response()
        answer.status_code, answer._content = 200, b'{"access_token": "t", "token_type": "Bearer"}'
        return answer

    it = session()
    it.send = send
    it.fetch_token(
        "https://id.example/t", timeout=(1, 2), verify="ca.pem", cert=("c.pem", "k.pem"), proxies={"https": "http://p"}
    )
    it.fetch_token("https://id.example/t")
    assert {**sent[0], "proxies": dict(sent[0]["proxies"])} == {
        "timeout": (1, 2), "verify": "ca.pem", "cert": ("c.pem", "k.pem"), "proxies": {"https": "http://p"}, "stream": True,
        "allow_redirects": False,
    }  # fmt: skip
    assert sent[1]["timeout"] == 30


def test_a_certificate_proves_the_client():
    it = OAuth2Session("robot")
    it.send = lambda request, **settings: answer_of(b'{"access_token": "t"}')
    assert it.fetch_token("https://id.example/t", include_client_id=True, cert="c.pem") == {"access_token": "t"}


def answer_of(content, status=200):
    answer = requests.Response()
    answer.status_code, answer._content = status, content
    return answer


def test_the_session_s_scope_goes_before_the_client_s():
    with origin(issuing()) as issuer, backend(scope="write") as it:
        it.fetch_token(issuer.url, client_secret="s3cret")
        assert form_of(issuer.seen[0])["scope"] == "write"
        it.scope = None
        assert it.scope == ["read"]


def test_the_client_s_name_may_come_with_fetch_token():
    with origin(issuing()) as issuer, OAuth2Session() as it:
        it.fetch_token(issuer.url, client_id="robot", client_secret="s3cret")
        assert issuer.seen[0].field("authorization") == BASIC


@pytest.mark.parametrize(
    "given", [{}, {"client_secret": ""}, {"include_client_id": True}, {"include_client_id": True, "client_secret": ""}]
)
def test_a_client_that_proves_nothing_is_not_sent(given):
    with origin(issuing()) as issuer, OAuth2Session("robot") as it:
        with pytest.raises(ConfigurationError, match="client_secret="):
            it.fetch_token(issuer.url, **given)
        assert not issuer.seen


def test_the_secret_may_come_with_fetch_token_and_must_come():
    with origin(issuing()) as issuer, session(client_secret=None) as it:
        with pytest.raises(ConfigurationError, match="client_secret="):
            it.fetch_token(issuer.url)
        assert not issuer.seen
        assert it.fetch_token(issuer.url, client_secret="other")["access_token"] == "tok1"
        assert "s3cret" not in repr(vars(it))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"method": "PUT"}, "POST or GET"),
        ({"auth": "robot:s3cret"}, "auth= is a pair"),
        ({"body": "grant_type=password"}, "another grant_type"),
    ],
)
def test_arguments_that_can_t_be_used_are_named(given, words):
    with session() as it, pytest.raises(ConfigurationError, match=words):
        it.fetch_token("https://id.example/t", **given)


@pytest.mark.parametrize(
    "url", ["https://[::1/t", "ftp://id.example/t", "https://u:p@id.example/t", "id.example/t", ""]
)
def test_a_url_that_is_no_token_endpoint_is_refused(url):
    with session() as it, pytest.raises(ConfigurationError, match="token_url is an http"):
        it.fetch_token(url)


def test_what_is_passed_as_client_is_one():
    with pytest.raises(ConfigurationError, match="client_secret=…"):
        OAuth2Session("robot", "s3cret")


# ---- its life ----


def test_a_token_is_renewed_before_it_expires():
    with origin(issuing(lifetime=0)) as issuer, origin(ok) as api, session() as it:
        it.fetch_token(issuer.url)
        it.get(api.url)
        assert api.seen[0].field("authorization") == "Bearer tok2"
        assert it.token["access_token"] == "tok2"


def test_a_refused_token_is_fetched_anew_once():
    def answer(seen):
        return (200, [], b"in") if seen.field("authorization") == "Bearer tok2" else (401, [], b"")

    with origin(issuing()) as issuer, origin(answer) as api, session() as it:
        it.fetch_token(issuer.url, audience="orders")
        assert it.get(api.url).content == b"in"
        assert [form_of(seen)["audience"] for seen in issuer.seen] == ["orders"] * 2
    with origin(issuing()) as issuer, origin(lambda seen: (401, [], b"")) as api, session() as it:
        it.fetch_token(issuer.url)
        assert it.get(api.url).status_code == 401
        assert len(issuer.seen) == len(api.seen) == 2


def test_one_renewal_serves_all_threads():
    with origin(issuing()) as issuer, origin(ok) as api, session() as it:
        it.fetch_token(issuer.url)
        it._take({**it.token, "expires_at": time.time() - 1})
        together = Barrier(8)

        def ask(_):
            together.wait()
            return it.get(api.url).status_code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(ask, range(8))) == {200}
        assert len(issuer.seen) == 2
        assert {seen.field("authorization") for seen in api.seen} == {"Bearer tok2"}


def test_a_failure_to_renew_is_the_caller_s():
    answers = [b'{"access_token": "t", "expires_in": 0}', b'{"error": "invalid_client"}']
    with origin(lambda seen: (200, [], answers.pop(0))) as issuer, origin(ok) as api, session() as it:
        it.fetch_token(issuer.url)
        with pytest.raises(errors.InvalidClientError):
            it.get(api.url)
        assert not api.seen


def test_fetch_token_always_fetches():
    with origin(issuing()) as issuer, session() as it:
        assert it.fetch_token(issuer.url)["access_token"] == "tok1"
        assert it.fetch_token(issuer.url)["access_token"] == "tok2"


def test_a_token_without_an_end_says_nothing_of_it():
    answer = b'{"access_token": "t", "token_type": "bearer"}'
    with origin(lambda seen: (200, [], answer)) as issuer, session() as it:
        assert it.fetch_token(issuer.url) == {"access_token": "t", "token_type": "bearer"}


def test_a_token_that_is_given_is_sent_until_it_ends_and_never_renewed():
    with origin(ok) as api, origin(lambda seen: (401, [], b"")) as refusing, session(token=TOKEN) as it:
        assert it.token == TOKEN
        assert it.authorized
        assert it.get(api.url).content == b"fine"
        assert it.get(refusing.url).status_code == 401
        assert len(refusing.seen) == 1
        for ended in ({"expires_at": time.time() - 1}, {"expires_in": "-1"}, {"expires_at": str(int(time.time()) - 1)}):
            it.token = {**TOKEN, **ended}
            with pytest.raises(errors.TokenExpiredError, match="fetch_token"):
                it.get(api.url)
        it.token = {**TOKEN, "expires_at": time.time() + 2}
        it.get(api.url)
        assert [seen.field("authorization") for seen in api.seen] == ["Bearer given"] * 2


def test_a_token_set_after_a_fetched_one_is_not_renewed_by_its_secret():
    with origin(issuing()) as issuer, origin(lambda seen: (401, [], b"")) as api, session() as it:
        it.fetch_token(issuer.url)
        it.token = TOKEN
        assert it.get(api.url).status_code == 401
        assert len(issuer.seen) == 1


def test_the_access_token_can_be_set_and_taken_away():
    with origin(ok) as api, OAuth2Session("robot") as it:
        it.access_token = "mine"
        it.get(api.url)
        assert api.seen[0].field("authorization") == "Bearer mine"
        del it.access_token
        assert it.access_token is None
        assert not it.authorized
        it.client_id = "other"
        assert it.client_id == "other"
        del it.client_id
        assert it.client_id is None


def test_a_request_before_there_is_a_token_is_not_sent():
    with origin(ok) as api, session() as it:
        with pytest.raises(ConfigurationError, match="fetch_token"):
            it.get(api.url)
        assert not api.seen
        assert it.get(api.url, auth=("a", "b")).status_code == 200
        assert it.request("GET", api.url, withhold_token=True).status_code == 200
        assert api.seen[1].field("authorization") is None


def test_a_prepared_request_has_the_token_too():
    with origin(ok) as api, session(token=TOKEN) as it:
        it.send(it.prepare_request(requests.Request("GET", api.url)))
        assert api.seen[0].field("authorization") == "Bearer given"


@pytest.mark.parametrize(
    ("token", "words"),
    [({"access_token": "t", "token_type": "mac"}, "token type"), ({"access_token": "t\r\nX: 1"}, "characters")],
)
def test_a_token_that_is_no_bearer_token_is_not_sent(token, words):
    with origin(ok) as api, session(token=token) as it:
        with pytest.raises(ConfigurationError, match=words):
            it.get(api.url)
        assert not api.seen


def test_netrc_has_no_part_in_it(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login spam password eggs\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with origin(issuing()) as issuer, origin(ok) as api, OAuth2Session("robot") as it:
        it.fetch_token(issuer.url, client_secret="s3cret", include_client_id=True)
        it.get(api.url)
        it.request("GET", api.url, withhold_token=True)
        assert issuer.seen[0].field("authorization") is None
        assert [seen.field("authorization") for seen in api.seen] == ["Bearer tok1", None]


# ---- answers of the token endpoint ----


@pytest.mark.parametrize(
    ("status", "content", "kind", "words"),
    [
        (400, b'{"error": "invalid_client"}', errors.InvalidClientError, r"\(invalid_client\)"),
        (400, b'{"error": "invalid_scope", "error_description": "not yours"}', errors.InvalidScopeError, "not yours"),
        (400, b'{"error": "of_ours"}', errors.CustomOAuth2Error, "of_ours"),
        (200, b'{"error": "slow\\ndown"}', errors.CustomOAuth2Error, r"^\(\) $"),
        (500, b"<html>", errors.MissingTokenError, "answered 500"),
        (200, b'{"access_token": ""}', errors.MissingTokenError, "Missing access token"),
        (200, b'{"access_token": 7}', errors.MissingTokenError, "Missing access token"),
        (200, b"[]", errors.MissingTokenError, "Missing access token"),
    ],
)
def test_an_answer_that_is_no_token_leaves_the_session_without_one(status, content, kind, words):
    with origin(lambda seen: (status, [], content)) as issuer, session(token=TOKEN) as it:
        with pytest.raises(CredentialsUnavailable, match=words) as caught:
            it.fetch_token(issuer.url)
        assert isinstance(caught.value, kind)
        assert type(caught.value).__name__ == kind.__name__
        assert it.token == {}
        assert not it.authorized


def test_what_the_server_says_of_its_error_is_short_and_printable():
    said = json.dumps(
        {
            "error": "invalid_request",
            "error_description": "no\x1b[31m\n" + "x" * 999,
            "error_uri": "https://id.example/e",
        }
    )
    with origin(lambda seen: (400, [], said.encode())) as issuer, session() as it:
        with pytest.raises(errors.InvalidRequestError) as caught:
            it.fetch_token(issuer.url)
        assert caught.value.description.startswith("no[31mxxx")
        assert len(caught.value.description) == errors.MAX_DESCRIPTION
        assert (caught.value.uri, caught.value.status_code) == ("https://id.example/e", 400)


def test_a_form_is_an_answer_too():
    with origin(lambda seen: (200, [], b"access_token=t&expires_in=60&scope=a+b")) as issuer, session() as it:
        token = it.fetch_token(issuer.url)
        assert token.pop("expires_at") == pytest.approx(time.time() + 60, abs=20)
        assert token == {"access_token": "t", "expires_in": 60, "scope": ["a", "b"]}


@pytest.mark.parametrize("lifetime", [10**400, 1e308, -1, True, None, {}, "x"])
def test_a_strange_lifetime_gives_a_token_all_the_same(lifetime):
    content = json.dumps({"access_token": "t", "expires_in": lifetime}).encode()
    with origin(lambda seen: (200, [], content)) as issuer, session() as it:
        assert it.fetch_token(issuer.url)["access_token"] == "t"


def test_other_scopes_than_were_asked_for_are_an_error_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.delenv("OAUTHLIB_RELAX_TOKEN_SCOPE", raising=False)
    with origin(issuing(scope="read")) as issuer, session(scope="read write") as it:
        with pytest.raises(errors.ScopeChanged, match='from "read write" to "read"') as caught:
            it.fetch_token(issuer.url)
        assert caught.value.token["access_token"] == "tok1"
        assert (caught.value.old_scope, caught.value.new_scope) == (["read", "write"], ["read"])
        assert not it.authorized
        assert it.fetch_token(issuer.url, scope="read")["scope"] == ["read"]
        monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
        assert it.fetch_token(issuer.url)["scope"] == ["read"]


def test_an_answer_without_end_is_not_read_to_its_end():
    with (
        origin(lambda seen: (200, [], b" " * 2**21)) as issuer,
        session() as it,
        pytest.raises(CredentialsUnavailable, match="octets"),
    ):
        it.fetch_token(issuer.url)


def test_errors_are_those_of_oauthlib_as_well_where_it_is_imported(monkeypatch):
    class Theirs(Exception):
        error = "invalid_client"

        def __init__(self, description):
            raise AssertionError("ours words it")

    module = ModuleType("oauthlib.oauth2.rfc6749.errors")
    module.InvalidClientError = Theirs
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with (
        origin(lambda seen: (401, [], b'{"error": "invalid_client", "error_description": "who?"}')) as issuer,
        session() as it,
        pytest.raises(Theirs, match="who") as caught,
    ):
        it.fetch_token(issuer.url)
    assert isinstance(caught.value, errors.InvalidClientError)
    assert type(caught.value).__name__ == "InvalidClientError"


# ---- where secrets don't go ----


def test_a_token_url_in_the_clear_is_refused():
    for given in ({}, {"auth": ("a", "b")}, {"include_client_id": True}):
        with session() as it, pytest.raises(errors.InsecureTransportError, match="https"):
            it.fetch_token("http://id.example/token", **given)


def test_a_token_is_not_sent_in_the_clear(monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    with session(token=TOKEN) as it, pytest.raises(errors.InsecureTransportError, match="https"):
        it.get("http://api.example/")
    sent = []
    with OAuth2Session("robot", token=TOKEN, allow_cleartext=True) as it:
        it.trust_env = False
        it.send = lambda request, **_: sent.append(request)
        it.get("http://api.example/")
    assert sent[0].headers["Authorization"] == "Bearer given"


def test_the_token_does_not_follow_a_redirect_to_another_origin():
    with origin(issuing()) as issuer, origin(ok) as elsewhere, session() as it:
        with origin(lambda seen: (302, [("Location", elsewhere.url)], b"")) as api:
            it.fetch_token(issuer.url)
            assert it.get(api.url).status_code == 200
        assert elsewhere.seen[0].field("authorization") is None


# ---- hooks ----


def test_hooks_change_the_token_request_its_answer_and_the_requests():
    def request_hook(url, headers, arguments):
        assert arguments == {"data": GRANT}
        return (
            url + "/moved",
            {**headers, "X-Client-Secret": "s"},
            {**arguments, "data": {**arguments["data"], "more": "1"}},
        )

    def answer_hook(response):
        response._content = response.content.replace(b"odd", b"Bearer")
        return response

    with origin(issuing(token_type="odd")) as issuer, origin(ok) as api, OAuth2Session("robot") as it:
        it.register_compliance_hook("access_token_request", request_hook)
        it.register_compliance_hook("access_token_response", answer_hook)
        it.register_compliance_hook("protected_request", lambda url, headers, data: (url + "/v2", {"X-A": "1"}, data))
        assert it.fetch_token(issuer.url + "/t")["token_type"] == "Bearer"
        (asked,) = issuer.seen
        assert (asked.target, asked.field("x-client-secret"), form_of(asked)) == (
            "/t/moved",
            "s",
            {**GRANT, "more": "1"},
        )
        it.post(api.url, data="x")
        assert (api.seen[0].target, api.seen[0].field("x-a"), api.seen[0].body) == ("/v2", "1", b"x")
        it.request("GET", api.url + "/bare", withhold_token=True)
        assert api.seen[1].target == "/bare"


def test_a_hook_that_sends_the_secret_elsewhere_in_the_clear_is_refused():
    with session() as it:
        it.register_compliance_hook(
            "access_token_request", lambda url, headers, arguments: ("http://id.example/", headers, arguments)
        )
        with pytest.raises(errors.InsecureTransportError):
            it.fetch_token("https://id.example/t")


def test_a_hook_of_no_known_type_is_refused():
    with session() as it, pytest.raises(ValueError, match="access_token_response"):
        it.register_compliance_hook("access_token", print)


# ---- where the token goes ----


def test_a_token_goes_into_a_form_if_the_client_says_so():
    client = BackendApplicationClient("robot", token={**TOKEN, "access_token": "a+b/="}, default_token_placement="body")
    with origin(ok) as api:
        for data, body in (
            ({"a": "b c"}, b"a=b+c&access_token=a%2Bb%2F%3D"),
            (None, b"access_token=a%2Bb%2F%3D"),
            ("x=1", b"x=1&access_token=a%2Bb%2F%3D"),
        ):
            requests.post(api.url, data=data, auth=OAuth2(client=client), timeout=30)
            assert api.seen[-1].body == body
            assert api.seen[-1].field("content-type") == "application/x-www-form-urlencoded"
            assert api.seen[-1].field("authorization") is None
        with pytest.raises(ConfigurationError, match="is for forms"):
            requests.post(api.url, json={}, auth=OAuth2(client=client), timeout=30)


def test_a_token_in_the_url_is_warned_of():
    client = BackendApplicationClient("robot", default_token_placement="query")
    with pytest.warns(InsecureOAuthWarning, match="RFC 9700"):
        prepared = requests.Request(
            "GET", "https://api.example/a?b=c", auth=OAuth2(client=client, token=TOKEN)
        ).prepare()
    assert prepared.url == "https://api.example/a?b=c&access_token=given"
    client.default_token_placement = "cookie"
    with pytest.raises(ConfigurationError, match="auth_header, body, query"):
        requests.Request("GET", "https://api.example/", auth=OAuth2(client=client, token=TOKEN)).prepare()


def test_an_auth_without_a_token_or_with_one_that_has_ended_is_refused():
    for auth, words in (
        (OAuth2("robot"), "Missing access token"),
        (OAuth2(token={**TOKEN, "expires_at": 1}), "has ended"),
    ):
        with pytest.raises((ConfigurationError, errors.TokenExpiredError), match=words):
            requests.Request("GET", "https://api.example/", auth=auth).prepare()


# ---- grants that are not there ----


class Foreign(BackendApplicationClient):
    """A client of another library, by what it says of itself."""

    def __init__(self, grant_type=None, response_type=None):
        super().__init__("robot")
        if grant_type:
            self.grant_type = grant_type
        if response_type:
            self.response_type, self.grant_type = response_type, None


@pytest.mark.parametrize(
    ("make", "call", "argument", "words"),
    [
        (session, lambda it: it.fetch_token("https://id.example/t", code="c"), "code", "authorization code grant"),
        (session, lambda it: it.fetch_token("https://id.example/t", code=None), "code", "not do yet"),
        (backend, lambda it: it.fetch_token("https://id.example/t", code="c"), "code", "not do yet"),
        (session, lambda it: it.fetch_token("https://id.example/t", authorization_response="https://a/?code=c"), "authorization_response", "not do yet"),
        (session, lambda it: it.authorization_url("https://id.example/a"), "authorization_url", "authorization code grant"),
        (session, lambda it: it.new_state(), "new_state", "not do yet"),
        (lambda: session(pkce="S256"), lambda it: it.fetch_token("https://id.example/t"), "pkce", "not do yet"),
        (lambda: session(redirect_uri="https://a.example/"), lambda it: it.fetch_token("https://id.example/t"), "redirect_uri", "not do yet"),
        (lambda: session(state="s"), lambda it: it.fetch_token("https://id.example/t"), "state", "not do yet"),
        (session, lambda it: it.refresh_token("https://id.example/t"), "refresh_token", "refresh tokens"),
        (lambda: session(token=TOKEN), lambda it: it.get("https://a.example", client_id="a", client_secret="b"), "request(client_id=)", "not do yet"),
        (lambda: session(token=TOKEN), lambda it: it.get("https://a.example", client_secret="b"), "request(client_secret=)", "not do yet"),
        (lambda: session(auto_refresh_url="https://id.example/t"), None, "auto_refresh_url", "refresh tokens"),
        (lambda: session(auto_refresh_kwargs={"a": "b"}), None, "auto_refresh_kwargs", "refresh tokens"),
        (lambda: session(token_updater=print), None, "token_updater", "refresh tokens"),
        (session, lambda it: it.fetch_token("https://id.example/t", username="u", password="p"), "username=", "password grant.*BackendApplicationClient"),
        (session, lambda it: it.fetch_token("https://id.example/t", password="p"), "password=", "password grant"),
        (lambda: OAuth2Session(client=Foreign("password")), lambda it: it.fetch_token("https://id.example/t"), "LegacyApplicationClient", "password grant"),
        (lambda: OAuth2Session(client=Foreign("authorization_code")), lambda it: it.fetch_token("https://id.example/t"), "WebApplicationClient", "not do yet"),
        (lambda: OAuth2Session(client=Foreign("urn:ietf:params:oauth:grant-type:jwt-bearer")), lambda it: it.fetch_token("https://id.example/t"), "ServiceApplicationClient", "not do yet"),
        (lambda: OAuth2Session(client=Foreign(response_type="token")), lambda it: it.fetch_token("https://id.example/t"), "MobileApplicationClient", "implicit grant"),
        (lambda: OAuth2Session(client=Foreign(response_type="token")), lambda it: it.authorization_url("https://id.example/a"), "MobileApplicationClient", "implicit grant"),
        (session, lambda it: it.token_from_fragment("https://a/#access_token=t"), "token_from_fragment", "implicit grant"),
        (lambda: OAuth2Session(client=Foreign("of-ours")), lambda it: it.fetch_token("https://id.example/t"), "Foreign", "no grant 'of-ours'"),
    ],
)  # fmt: skip
def test_another_grant_is_refused_by_the_name_of_its_argument(make, call, argument, words):
    def tried():
        it = make()
        it.send = lambda request, **_: pytest.fail("sent")
        return call(it)

    with pytest.raises(UnsupportedGrant, match=words) as caught:
        tried()
    assert caught.value.argument == argument
    assert str(caught.value).startswith(argument)
