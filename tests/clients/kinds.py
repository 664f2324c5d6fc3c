"""The ways of sending a request that the client tests go through: each library, sync and async."""

from __future__ import annotations

import asyncio
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

import aiohttp
import httpx
import httpx2
import requests
import urllib3

from tests.patience import PATIENCE
from watchword.clients import aiohttp as for_aiohttp
from watchword.clients import httpx as for_httpx
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests
from watchword.clients import urllib3 as for_urllib3
from watchword.clients import urllib_request as for_urllib


CONTEXT = ssl.create_default_context()  # loading the certificates is what a client costs


class Got(NamedTuple):
    status: int
    body: bytes
    history: list[int]
    response: Any


async def in_turn(chunks):
    for chunk in chunks:
        yield chunk


class Kind:
    """One way.

    `keeps_challenges`: the answers that were answered by the adapter are in the history. `chunks`: a body of these chunks
    that is read once. `keeping`: the redirects after which a POST is still one. `unpacks`: content that is packed reaches the
    caller unpacked.
    """

    adapt: Any
    connect_error: type[Exception]
    redirect_error: type[Exception]
    keeps_challenges = True
    keeping: frozenset[int] = frozenset({307, 308})
    unpacks = True
    chunks = staticmethod(iter)

    def challenged(self, *statuses: int) -> list[int]:
        return list(statuses) if self.keeps_challenges else []


class Requests(Kind):
    adapt = staticmethod(for_requests.adapt)
    connect_error = requests.ConnectionError
    redirect_error = requests.TooManyRedirects

    def send(self, method, url, auth, *, content=None, follow=True, headers=None, session=None):
        with requests.Session() if session is None else session as session:
            session.trust_env = False
            response = session.request(
                method, url, auth=auth, data=content, allow_redirects=follow, headers=headers, timeout=PATIENCE
            )
            return Got(response.status_code, response.content, [r.status_code for r in response.history], response)


class Sync(Kind):
    def __init__(self, library, adapter):
        self.library = library
        self.adapt = adapter.adapt
        self.connect_error = library.ConnectError
        self.redirect_error = library.TooManyRedirects

    def send(self, method, url, auth, *, content=None, follow=True, headers=None, **client):
        with self.library.Client(auth=auth, trust_env=False, timeout=PATIENCE, verify=CONTEXT, **client) as client:
            response = client.request(method, url, content=content, follow_redirects=follow, headers=headers)
            return Got(response.status_code, response.content, [r.status_code for r in response.history], response)


class Async(Sync):
    chunks = staticmethod(in_turn)

    def send(self, method, url, auth, *, content=None, follow=True, headers=None, **client):
        async def main():
            async with self.library.AsyncClient(
                auth=auth, trust_env=False, timeout=PATIENCE, verify=CONTEXT, **client
            ) as it:
                response = await it.request(method, url, content=content, follow_redirects=follow, headers=headers)
                return Got(response.status_code, response.content, [r.status_code for r in response.history], response)

        return asyncio.run(main())


class Aiohttp(Kind):
    adapt = staticmethod(for_aiohttp.adapt)
    connect_error = aiohttp.ClientConnectorError
    redirect_error = aiohttp.TooManyRedirects
    keeps_challenges = False
    chunks = staticmethod(in_turn)

    def send(self, method, url, auth, *, content=None, follow=True, headers=None, inside=(), **session):
        async def main():
            jar = aiohttp.CookieJar(unsafe=True)  # which keeps cookies of hosts that are addresses
            waits = aiohttp.ClientTimeout(total=PATIENCE)
            async with (
                aiohttp.ClientSession(middlewares=[auth, *inside], cookie_jar=jar, timeout=waits, **session) as it,
                it.request(method, url, data=content, allow_redirects=follow, headers=headers) as response,
            ):
                return Got(response.status, await response.read(), [r.status for r in response.history], response)

        return asyncio.run(main())


class Urllib3(Kind):
    adapt = staticmethod(for_urllib3.adapt)
    connect_error = urllib3.exceptions.MaxRetryError
    redirect_error = urllib3.exceptions.MaxRetryError
    keeps_challenges = False
    keeping = frozenset({301, 302, 307, 308})

    def send(self, method, url, auth, *, content=None, follow=True, headers=None, pool=None):
        with auth(urllib3.PoolManager(timeout=PATIENCE, retries=9) if pool is None else pool) as http:
            response = http.request(method, url, body=content, redirect=follow, headers=headers)
            return Got(response.status, response.data, [hop.status for hop in response.retries.history], response)


class Following(urllib.request.HTTPRedirectHandler):
    """Also follows 307 and 308 with the body, as programs have to teach it, and says what it has followed."""

    def __init__(self):
        self.history = []

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if code in (307, 308) and req.data is not None:
            new = urllib.request.Request(newurl, req.data, req.headers, method=req.get_method(), unverifiable=True)
        else:
            new = super().redirect_request(req, fp, code, msg, headers, newurl)
        self.history.append(code)
        return new


class Staying(urllib.request.HTTPRedirectHandler):
    history = ()

    def redirect_request(self, *_):
        return None


class Urllib(Kind):
    adapt = staticmethod(for_urllib.adapt)
    connect_error = urllib.error.URLError
    redirect_error = urllib.error.HTTPError
    keeps_challenges = False
    unpacks = False

    def send(self, method, url, auth, *, content=None, follow=True, headers=None, handlers=()):
        redirects = Following() if follow else Staying()
        opener = urllib.request.build_opener(another(auth), redirects, urllib.request.ProxyHandler({}), *handlers)
        request = urllib.request.Request(quoted(url), content, headers or {}, method=method)
        try:
            response = opener.open(request, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            if "infinite loop" in error.msg:
                raise
            response = error
        with response:
            return Got(response.status, response.read(), list(redirects.history), response)


def another(auth):
    """What is adapted to one opener, for another one; anything else as it is."""
    return auth.__class__(auth._auth, **auth._settings) if isinstance(auth, urllib.request.BaseHandler) else auth


def quoted(url):
    """A URL as urllib.request takes it: in ASCII."""
    parts = urllib.parse.urlsplit(url)
    if not parts.netloc.isascii():
        url = parts._replace(netloc=parts.netloc.encode("idna").decode()).geturl()
    return urllib.parse.quote(url, safe="%/:?#[]@!$&'()*+,;=")


KINDS = {
    "requests": Requests(),
    "httpx": Sync(httpx, for_httpx),
    "httpx-async": Async(httpx, for_httpx),
    "httpx2": Sync(httpx2, for_httpx2),
    "httpx2-async": Async(httpx2, for_httpx2),
    "aiohttp": Aiohttp(),
    "urllib3": Urllib3(),
    "urllib.request": Urllib(),
}
HTTPX = {name: kind for name, kind in KINDS.items() if name.startswith("httpx")}
