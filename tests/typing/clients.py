"""What type checkers make of each client's adapter; as users.py, it is never run."""

from __future__ import annotations

from typing import assert_type
from urllib.request import BaseHandler, build_opener

import aiohttp
import httpx2
import requests
import urllib3

from watchword import (
    AuthorizationCode, BasicAuth, ClientSecret, Device, DigestAuth, OAuth2Auth, PublicClient, TokenFile, TokenMemory,
)  # fmt: skip
from watchword.clients import aiohttp as for_aiohttp
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests
from watchword.clients import urllib3 as for_urllib3
from watchword.clients import urllib_request as for_urllib
from watchword.clients.direct import perform, perform_async
from watchword.oauth.authorization_code import Granted, Login
from watchword.oauth.token_response import AccessToken
from watchword.stores import MemoryStore

BASIC = BasicAuth("alice", "open sesame")
ROBOT = OAuth2Auth("https://id.example/token", "robot", "a long random secret")


def with_requests(session: requests.Session) -> str:
    session.auth = for_requests.adapt(BASIC)
    return requests.get("https://api.example/", auth=for_requests.adapt(ROBOT, store=MemoryStore()), timeout=5).text


def with_httpx2() -> str:
    with httpx2.Client(auth=for_httpx2.adapt(BASIC)) as client:
        return client.get("https://api.example/", auth=for_httpx2.adapt(ROBOT)).text


async def with_aiohttp() -> str:
    alice = for_aiohttp.adapt(DigestAuth("alice", "open sesame"), store=MemoryStore(), ask=lambda what: what.url)
    assert_type(alice, aiohttp.ClientMiddlewareType)
    async with (
        aiohttp.ClientSession(middlewares=[alice]) as session,
        session.get("https://api.example/", middlewares=[for_aiohttp.adapt(ROBOT)]) as response,
    ):
        return await response.text()


def with_urllib3() -> bytes:
    alice = for_urllib3.adapt(BASIC)
    with alice(urllib3.PoolManager()) as http:
        assert_type(http, for_urllib3.AuthenticatedPool)
        answer = http.request("GET", "https://api.example/", fields={"a": "b"}, retries=urllib3.Retry(3))
        assert_type(answer, urllib3.BaseHTTPResponse)
    one_host = urllib3.HTTPSConnectionPool("api.example")
    return answer.data + alice(one_host).urlopen("POST", "/", body=b"x", redirect=False).data


def with_urllib() -> None:
    alice = for_urllib.adapt(BASIC)
    assert_type(alice, BaseHandler)
    build_opener(alice).open("https://api.example/")


# An auth that nobody has adapted is an error before the program runs.
requests.get("https://api.example/", auth=BASIC, timeout=5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
httpx2.get("https://api.example/", auth=BASIC)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
aiohttp.ClientSession(middlewares=[BASIC])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
build_opener(BASIC)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
BASIC(urllib3.PoolManager())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def by_oauth2(session: requests.Session) -> str:
    shop = OAuth2Auth(
        issuer="https://id.example", client=ClientSecret("shop", "a long random secret"),
        grant=AuthorizationCode("https://shop.example/callback", max_age=300), scope=["openid"], tokens=TokenFile("tokens.json"),
    )  # fmt: skip
    login = perform(shop.begin_login())
    assert_type(login, Login)
    granted = perform(shop.finish_login(Login.from_text(login.to_text()), "https://shop.example/callback?code=x"))
    assert_type(granted, Granted)
    assert_type(granted.token, AccessToken)
    assert_type(perform(shop.revoke()), None)
    return session.get("https://api.example/", auth=for_requests.adapt(shop.for_owner("alice"))).text


async def by_a_device() -> AccessToken:
    television = OAuth2Auth(
        issuer="https://id.example", client=PublicClient("tv"), grant=Device(), tokens=TokenMemory(), on_token=print
    )
    return await perform_async(television.log_in(), ask=lambda ask: ask.code)
