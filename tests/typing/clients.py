"""What type checkers make of each client's adapter; as users.py, it is never run."""

from __future__ import annotations

from typing import assert_type
from urllib.request import BaseHandler, build_opener

import aiohttp
import httpx2
import requests
import urllib3

from watchword import BasicAuth, DigestAuth, OAuth2Auth
from watchword.clients import aiohttp as for_aiohttp
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests
from watchword.clients import urllib3 as for_urllib3
from watchword.clients import urllib_request as for_urllib
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
