"""The example API, as outsiders reach it: by its one line of JSON, with four processes on one SQLite file, and on a Valkey server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests
from requests.auth import HTTPDigestAuth

from tests import valkey
from tests.patience import PATIENCE
from watchword import (
    BasicAuth, BearerAuth, DigestAuth, DPoPAuth, HMACAuth, Key, OAuth1Auth, OAuth2Auth, SignatureAuth, SigV4Auth, WebhookAuth,
)  # fmt: skip
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests
from watchword.effects import Auth

ROOT = Path(__file__).parents[2]
Settings = dict[str, Any]


@pytest.fixture(scope="module", params=["sqlite", "valkey"])
def api(request: pytest.FixtureRequest) -> Iterator[Settings]:
    command = [sys.executable, "-m", "examples.api", "--port", "0", "--json", "--workers", "4"]
    if request.param == "valkey":
        command += ["--store", valkey.shared().tcp_url]
    environment = {**os.environ, "WATCHWORD_SECRETS": "x" * 32}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            yield json.loads(server.stdout.readline())
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE)


def octets(secret: str) -> bytes:
    return urlsafe_b64decode(secret + "=" * (-len(secret) % 4))


def auths(api: Settings) -> dict[str, Auth]:
    oauth, signature, sigv4, oauth1 = (api[name] for name in ("oauth", "signature", "sigv4", "oauth1"))
    shared = Key.from_secret(octets(signature["secret"]), algorithm=signature["algorithm"], key_id=signature["key_id"])
    return {
        "basic": BasicAuth(api["basic"]["username"], api["basic"]["password"]),
        "digest": DigestAuth(api["digest"]["username"], api["digest"]["password"]),
        "jwt": BearerAuth(api["jwt"]["token"]),
        "hmac": HMACAuth(
            Key.from_secret(octets(api["hmac"]["secret"]), algorithm="HS256", key_id=api["hmac"]["key_id"])
        ),
        "oauth": OAuth2Auth(
            oauth["token_url"], oauth["client_id"], oauth["client_secret"], scope=oauth["scope"].split()
        ),
        "signature": SignatureAuth(shared),
        "sigv4": SigV4Auth(sigv4["access_key"], sigv4["secret_key"], region=sigv4["region"], service=sigv4["service"]),
        "oauth1": OAuth1Auth(
            oauth1["client_key"], oauth1["client_secret"], token=oauth1["token"], token_secret=oauth1["token_secret"]
        ),
        "webhook": WebhookAuth(api["webhook"]["secret"]),
        "dpop": DPoPAuth(api["dpop"]["token"], Key.from_jwk(api["dpop"]["private_jwk"])),
    }


NAMES = ("basic", "digest", "jwt", "hmac", "oauth", "signature", "sigv4", "oauth1", "webhook", "dpop")


@pytest.mark.parametrize("name", NAMES)
def test_whoami_and_the_schemes_own_path_say_who_asked(api: Settings, name: str) -> None:
    auth = for_requests.adapt(auths(api)[name])
    for path in ("/whoami", api[name]["path"]):
        answer = requests.get(api["base_url"] + path, auth=auth, timeout=PATIENCE)
        assert answer.status_code == 200, answer.headers
        assert answer.json()["scheme"] == name
        assert answer.json()["scopes"] == ["read", "write"]
    adapted = for_httpx2.adapt(auths(api)[name])
    with httpx2.Client() as client:
        assert client.post(api["base_url"] + "/echo", content=b"hello", auth=adapted).json()["body"] == "hello"


@pytest.mark.parametrize("name", NAMES)
def test_a_path_accepts_only_its_own_scheme(api: Settings, name: str) -> None:
    for other in NAMES:
        if other != name:
            answer = requests.get(
                api["base_url"] + api[other]["path"], auth=for_requests.adapt(auths(api)[name]), timeout=PATIENCE
            )
            assert answer.status_code == 401, (name, other)


def test_other_peoples_digest_clients_work(api: Settings) -> None:
    url = api["base_url"] + api["digest"]["path"]
    user, password = api["digest"]["username"], api["digest"]["password"]
    for where in (url, api["base_url"] + "/whoami"):
        with requests.Session() as session:
            assert (
                session.get(where, auth=HTTPDigestAuth(user, password), timeout=PATIENCE).json()["scheme"] == "digest"
            )
        with httpx2.Client() as client:
            assert client.get(where, auth=httpx2.DigestAuth(user, password)).json()["scheme"] == "digest"


def test_echo_needs_the_scope_write(api: Settings) -> None:
    oauth = api["oauth"]
    reader = OAuth2Auth(oauth["token_url"], oauth["client_id"], oauth["client_secret"], scope=["read"])
    answer = requests.post(api["base_url"] + "/echo", data=b"x", auth=for_requests.adapt(reader), timeout=PATIENCE)
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert requests.post(api["base_url"] + "/echo", data=b"x", timeout=PATIENCE).status_code == 401


@pytest.mark.parametrize("name", ["digest", "hmac", "signature", "oauth1", "webhook", "dpop"])
def test_a_captured_request_is_refused_by_every_process_on_any_path(api: Settings, name: str) -> None:
    url = api["base_url"] + api[name]["path"]
    answer = requests.get(url, auth=for_requests.adapt(auths(api)[name]), timeout=PATIENCE)
    assert answer.status_code == 200
    mine = (
        "authorization",
        "dpop",
        "signature",
        "signature-input",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    )
    captured = {name: value for name, value in answer.request.headers.items() if name.lower() in mine}

    def again(number: int) -> int:
        where = (url, api["base_url"] + "/whoami", url + "?x=1")[number % 3]
        return requests.get(where, headers=captured, timeout=PATIENCE).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(again, range(60))) <= {400, 401}


def test_of_many_simultaneous_sendings_of_one_request_one_is_accepted(api: Settings) -> None:
    url = api["base_url"] + "/hmac"
    from watchword.transport.flow import ClientContext, run
    from watchword.core.message import Request, Response
    from watchword.effects import Received, Send

    caught: list[Request] = []

    def send(effect: Send) -> Received:
        caught.append(effect.request)
        return Received(Response(200))

    authority = api["base_url"].removeprefix("http://")
    run(auths(api)["hmac"], Request("GET", "http", authority, "/hmac"), send, ClientContext(bytes))
    fields = {"Authorization": caught[0].values(b"authorization")[0].decode()}
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: requests.get(url, headers=fields, timeout=PATIENCE).status_code, range(32)))
    assert sorted(statuses) == [200] + [401] * 31


def test_head_is_answered_as_get_without_a_body(api: Settings) -> None:
    user = (api["basic"]["username"], api["basic"]["password"])
    answer = requests.head(api["base_url"] + "/whoami", auth=user, timeout=PATIENCE)
    assert (answer.status_code, answer.content) == (200, b"")


def test_unknown_paths_and_methods_are_named(api: Settings) -> None:
    assert requests.get(api["base_url"] + "/nowhere", timeout=PATIENCE).status_code == 404
    assert requests.delete(api["base_url"] + "/whoami", timeout=PATIENCE).status_code == 405
