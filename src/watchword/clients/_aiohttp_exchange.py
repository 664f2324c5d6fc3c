"""One request of aiohttp with its retries, and the flow's own requests."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import ClientHandlerType
from multidict import CIMultiDict
from yarl import URL

from watchword.clients._aiohttp_answer import answer_to, content_of_own, drain, head_of
from watchword.clients._aiohttp_body import check_repeatable, read, replaced
from watchword.clients._aiohttp_request import Bare
from watchword.clients._aiohttp_route import Call
from watchword.clients._exchange import TIMEOUT, changes, merged_cookies, url_of
from watchword.core.message import Headers, Peer, Request
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.effects import Received, Send
from watchword.transport.flow import HostContext

__all__ = ["Exchange"]


class Exchange(HostContext):
    """One request of the caller, and what its flow may use; `answer` is the last answer to it."""

    def __init__(self, request: aiohttp.ClientRequest, handler: ClientHandlerType, call: Call) -> None:
        self.answer: aiohttp.ClientResponse | None = None
        self._request = request
        self._handler = handler
        self._call = call
        if request.method in request.POST_METHODS and "Content-Type" not in request.skip_auto_headers:
            request.headers.setdefault("Content-Type", "application/octet-stream")  # as aiohttp does, but later
        self._plain = tuple(request.headers.items())
        self._url = request.url
        self.bare = Bare(request, self._plain, call)

    def body(self) -> bytes:
        """The octets of the body, which stays ready to be sent."""
        return read(self._request)

    def check_repeatable(self) -> None:
        """Nothing, if the body can be sent twice; else a `ConfigurationError`."""
        check_repeatable(self._request.body)

    def peer(self, request: Request, /) -> Peer:
        """Who the session connects to for a request of the flow's own."""
        url = URL(url_of(request), encoded=True)
        return self._call.peer_of(url, self._call.proxy_for(url, self._request).url)

    async def send(self, send: Send) -> Received:
        """Sends the caller's request as the flow wants it."""
        request = self._request
        if self.answer is not None:
            await self._prepare_once_more(self.answer)
        for octets, lines in changes(self.bare, send.request).items():
            name = octets.decode().title()
            request.headers.popall(name, None)
            for line in lines:
                request.headers.add(name, _text(line))
        if (target := send.request.target) != self.bare.target:
            request.url = URL(f"{self._url.origin()}{target.decode()}", encoded=True)
        if send.content is None:
            self.answer = await self._handler(request)
        else:
            with replaced(request, send.content):
                self.answer = await self._handler(request)
        return await answer_to(send, request, self.answer) if send.want else head_of(self.answer)

    async def _prepare_once_more(self, refused: aiohttp.ClientResponse) -> None:
        fresh = self._fresh_cookies(refused)
        await drain(refused)
        await self._request.close()  # what is still being sent of the body
        check_repeatable(self._request.body, "the server wants the request with its body once more")
        headers = self._request.headers
        headers.clear()
        headers.extend(self._plain)
        if fresh:
            headers["Cookie"] = merged_cookies(headers.get("Cookie", ""), fresh)
            self._plain = tuple(headers.items())
        self._request.url = self._url
        self._request.update_expect_continue()

    def _fresh_cookies(self, response: aiohttp.ClientResponse) -> str:
        """The cookies that came with an answer, as far as the session keeps them for this request."""
        lines = response.headers.getall("Set-Cookie", ())
        if not lines:
            return ""
        jar = self._call.session.cookie_jar
        jar.update_cookies_from_headers(lines, response.url)
        kept = jar.filter_cookies(self._url)
        return "; ".join(f"{name}={one.coded_value}" for name, one in kept.items() if name in response.cookies)

    async def _sent(self, own: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
        try:
            return await self._handler(own)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as lost:
            # As these errors aiohttp would run the caller's GET once more, and with it this request, which may be a POST.
            raise CredentialsUnavailable("the endpoint for credentials was asked, and its answer was lost") from lost

    async def fetch(self, send: Send) -> Received:
        """Sends a request of the flow's own, as the session would, but with none of its fields and cookies."""
        request, url = self._request, URL(url_of(send.request), encoded=True)
        proxy = self._call.proxy_for(url, request)
        pinned = isinstance(request.ssl, aiohttp.Fingerprint)  # on the certificate of the caller's server
        own = type(request)(
            send.request.method,
            url,
            headers=_own_lines(send.request.headers),
            data=send.body or None,
            version=request.version,
            loop=request.loop,
            response_class=request.response_class,
            session=request.session,
            ssl=True if pinned else request.ssl,
            proxy=proxy.url,
            proxy_auth=proxy.auth,
            proxy_headers=request.proxy_headers,
        )
        # The call's limit is on all that happens in it; where it has none, a flow's own request has.
        async with asyncio.timeout(TIMEOUT if self._call.endless else None):
            response = await self._sent(own)
            try:
                answer = head_of(response)
                if send.want:
                    answer = answer._replace(body=await content_of_own(response))
            except BaseException:
                response.close()
                raise
        response.release()
        return answer


def _own_lines(headers: Headers) -> CIMultiDict[str]:
    lines = CIMultiDict({"Accept-Encoding": "identity"})
    lines.extend((name.decode().title(), _text(value)) for name, value in headers)
    return lines


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ConfigurationError(
            "aiohttp sends fields in UTF-8 only, and this scheme has other octets for one"
        ) from None
