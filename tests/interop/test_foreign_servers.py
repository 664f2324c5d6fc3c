"""Our clients against other people's servers."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
import requests

from watchword import BasicAuth, DigestAuth
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests

ALICE = ("alice", "open sesame")


def by_requests(auth, url, n=1):
    """The answers to n requests in one session."""
    adapted = for_requests.adapt(auth)
    with requests.Session() as session:
        session.trust_env = False
        return [session.get(url, auth=adapted, timeout=300) for _ in range(n)]


def by_httpx2(auth, url, n=1):
    adapted = for_httpx2.adapt(auth)
    with httpx2.Client(auth=adapted, trust_env=False) as client:
        return [client.get(url) for _ in range(n)]


def by_async_httpx2(auth, url, n=1):
    adapted = for_httpx2.adapt(auth)

    async def main():
        async with httpx2.AsyncClient(auth=adapted, trust_env=False) as client:
            return [await client.get(url) for _ in range(n)]

    return asyncio.run(main())


CLIENTS = [by_requests, by_httpx2, by_async_httpx2]


@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize(("auth", "path"), [(DigestAuth, "/digest"), (BasicAuth, "/basic")])
def test_flask_httpauth_admits_us(flask_url, ask, auth, path):
    """Its Digest nonce lives in a session cookie, which has to come back with the answer to the challenge."""
    answers = ask(auth(*ALICE), flask_url + path, 3)
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "hello alice")] * 3


@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize(("auth", "path"), [(DigestAuth, "/digest"), (BasicAuth, "/basic")])
def test_flask_httpauth_refuses_another_password(flask_url, ask, auth, path):
    (answer,) = ask(auth("alice", "another"), flask_url + path)
    assert answer.status_code == 401


def test_flask_httpauth_admits_a_posted_body(flask_url):
    adapted = for_requests.adapt(DigestAuth(*ALICE))
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(flask_url + "/digest", data=b"an order", auth=adapted, timeout=300)
    assert (answer.status_code, answer.text) == (200, "hello alice an order")


@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize(("auth", "path"), [(DigestAuth, "/digest"), (BasicAuth, "/basic")])
def test_apache_admits_us(apache_url, ask, auth, path):
    answers = ask(auth(*ALICE), apache_url + path, 3)
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "hello from apache\n")] * 3


@pytest.mark.parametrize("ask", CLIENTS)
@pytest.mark.parametrize(("auth", "path"), [(DigestAuth, "/digest"), (BasicAuth, "/basic")])
def test_apache_refuses_another_password(apache_url, ask, auth, path):
    (answer,) = ask(auth("alice", "another"), apache_url + path)
    assert answer.status_code == 401


def test_apache_admits_a_target_with_a_query(apache_url):
    """mod_auth_digest compares the uri parameter with the target, query and escapes included."""
    (answer,) = by_requests(DigestAuth(*ALICE), apache_url + "/digest?a=b%20c&d=%22e%22")
    assert answer.status_code == 200


@pytest.mark.parametrize("ask", CLIENTS)
def test_nginx_admits_us_and_reads_the_password_as_utf8(nginx_url, ask):
    (answer,) = ask(BasicAuth("alice", "open sésame"), nginx_url + "/basic")
    assert (answer.status_code, answer.text) == (200, "hello from nginx\n")
    (answer,) = ask(BasicAuth("alice", "open sesame"), nginx_url + "/basic")
    assert answer.status_code == 401
