"""How much of an answer is read before it is believed: its header section first, and then so many octets, in every adapter."""

from __future__ import annotations

import gzip
import http.client
import io
import time
import urllib.request
import urllib.response
import zlib
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
from multidict import CIMultiDict, CIMultiDictProxy

from tests.clients.kinds import KINDS
from watchword import ConfigurationError, Key, Reason, Request, Response, ResponseUnproven, SealedAuth, SignatureSeal
from watchword.transport.flow import ClientContext
from watchword.effects import Received
from watchword.schemes.signatures.responses import ResponsePolicy

KEY = Key.generate("ed25519", key_id="seal-1")
CHUNK = 16 * 1024
LONG = 8 * 1024 * 1024


class Origin:
    """Answers with `content`, sealed or not, and counts the octets of it that anybody takes."""

    def __init__(self, content: bytes, fields: dict[str, str], seal: SignatureSeal | None) -> None:
        self.content, self.fields, self.seal = content, fields, seal
        self.taken = 0

    def head(self, request: Request) -> list[tuple[str, str]]:
        plain = Response(200, {**self.fields, "content-length": str(len(self.content))})
        more = [] if self.seal is None else self.seal.seal(request).headers(plain, self.content, time.time(), bytes)
        return [(name.decode(), value.decode()) for name, value in plain.with_more(more).headers]

    def chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self.content), CHUNK):
            self.taken += len(self.content[start : start + CHUNK])
            yield self.content[start : start + CHUNK]


class Taken(io.RawIOBase):
    """The content as urllib3 reads it."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._file = io.BytesIO(origin.content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        count = self._file.readinto(buffer)
        self._origin.taken += count
        return count


class OverUrllib3(requests.adapters.HTTPAdapter):
    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self._origin = origin

    def send(self, request: Any, *_: Any, **__: Any) -> Any:
        asked = Request("GET", "https", "api.example", "/", list(request.headers.items()))
        headers = urllib3.HTTPHeaderDict(self._origin.head(asked))
        raw = urllib3.HTTPResponse(body=Taken(self._origin), headers=headers, status=200, preload_content=False)
        return self.build_response(request, raw)


class Urllib3Over(urllib3.PoolManager):
    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self._origin = origin

    def urlopen(self, *_: Any, headers: Any, **__: Any) -> Any:
        lines = urllib3.HTTPHeaderDict(
            self._origin.head(Request("GET", "https", "api.example", "/", list(headers.items())))
        )
        return urllib3.HTTPResponse(body=Taken(self._origin), headers=lines, status=200, preload_content=False)


class UrllibOver(urllib.request.HTTPSHandler):
    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self._origin = origin

    def https_open(self, req: Any) -> Any:
        headers = http.client.HTTPMessage()
        for name, value in self._origin.head(Request("GET", "https", "api.example", "/", list(req.header_items()))):
            headers[name] = value
        response: Any = urllib.response.addinfourl(
            io.BufferedReader(Taken(self._origin), 1), headers, req.full_url, 200
        )
        response.msg = "OK"
        return response


def over(library: Any, origin: Origin) -> Any:
    class Stream(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield from origin.chunks()

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for chunk in origin.chunks():
                yield chunk

        async def aclose(self) -> None:
            pass

    def handler(request: Any) -> Any:
        asked = Request("GET", "https", "api.example", "/", [(n.lower(), v) for n, v in request.headers.raw])
        return library.Response(200, headers=origin.head(asked), stream=Stream())

    return library.MockTransport(handler)


class Pulled(aiohttp.StreamReader):
    """The content as aiohttp's parser gives it: unpacked."""

    def __init__(self, origin: Origin, loop: Any) -> None:
        super().__init__(aiohttp.client_proto.ResponseHandler(loop), 2**16, loop=loop)
        packed = origin.fields.get("content-encoding") == "gzip"
        chunks = origin.chunks()
        unpacking = zlib.decompressobj(31)
        self._chunks = (unpacking.decompress(chunk) for chunk in chunks) if packed else chunks

    async def readany(self) -> bytes:
        return next(self._chunks, b"")


def answering(origin: Origin) -> Any:
    """A middleware of aiohttp that stands for the network."""

    async def answer(request: Any, _: Any) -> Any:
        asked = Request("GET", "https", "api.example", "/", list(request.headers.items()))
        response = aiohttp.ClientResponse(
            request.method, request.url, writer=None, continue100=None, timer=None, request_info=request.request_info,
            traces=[], loop=request.loop, session=request.session, stream_writer=aiohttp.http.StreamWriter(None, None),
        )  # fmt: skip
        lines = origin.head(asked)
        response.status, response._headers = 200, CIMultiDictProxy(CIMultiDict(lines))
        response._raw_headers = tuple((name.encode(), value.encode()) for name, value in lines)
        response.content = Pulled(origin, request.loop)
        return response

    return answer


def get(name: str, origin: Origin, **policy: Any) -> Any:
    kind = KINDS[name]
    adapted = kind.adapt(SealedAuth(KEY, policy=ResponsePolicy(**policy)))
    if name == "requests":
        session = requests.Session()
        session.mount("https://", OverUrllib3(origin))
        return kind.send("GET", "https://api.example/", adapted, session=session)
    if name == "urllib.request":
        return kind.send("GET", "https://api.example/", adapted, handlers=[UrllibOver(origin)])
    if name == "urllib3":
        return kind.send("GET", "https://api.example/", adapted, pool=Urllib3Over(origin))
    if name == "aiohttp":
        return kind.send("GET", "https://api.example/", adapted, inside=[answering(origin)])
    transport = over(httpx2 if name.startswith("httpx2") else httpx, origin)
    return kind.send("GET", "https://api.example/", adapted, transport=transport)


def refused(name: str, origin: Origin, **policy: Any) -> Reason:
    with pytest.raises(ResponseUnproven) as unproven:
        get(name, origin, **policy)
    return unproven.value.unproven.rejection.reason


kinds = pytest.mark.parametrize("name", list(KINDS))


@cache
def packed() -> bytes:
    return gzip.compress(bytes(200 * 1024 * 1024), 9)


@kinds
def test_content_that_is_packed_is_refused_before_an_octet_of_it_is_read(name):
    """200 KB would become 200 MB, and the digest of what came says nothing of what it is unpacked to."""
    for encoding in ("gzip", "deflate, gzip", "identity, gzip", "br"):
        origin = Origin(packed(), {"content-encoding": encoding}, SignatureSeal(KEY))
        assert refused(name, origin) is Reason.WRONG_BODY
        assert origin.taken == 0


@kinds
def test_an_answer_whose_header_section_proves_nothing_is_not_read(name):
    for seal in (None, SignatureSeal(Key.generate("ed25519", key_id="seal-1")), SignatureSeal(KEY, digest=None)):
        origin = Origin(bytes(LONG), {}, seal)
        assert refused(name, origin) in (Reason.NO_CREDENTIALS, Reason.WRONG_SIGNATURE, Reason.NOT_COVERED)
        assert origin.taken == 0


@kinds
def test_no_more_is_read_than_may_be(name):
    origin = Origin(bytes(LONG), {}, SignatureSeal(KEY))
    assert refused(name, origin, max_content=100_000) is Reason.BODY_TOO_LARGE
    assert 100_000 < origin.taken <= 100_000 + 2 * 65536


@kinds
def test_as_much_is_read_as_may_be(name):
    for size in (0, 99_999, 100_000):
        origin = Origin(bytes(size), {}, SignatureSeal(KEY))
        assert get(name, origin, max_content=100_000).body == bytes(size)
        assert origin.taken == size
    assert refused(name, Origin(bytes(100_001), {}, SignatureSeal(KEY)), max_content=100_000) is Reason.BODY_TOO_LARGE
    assert get(name, Origin(b"", {}, SignatureSeal(KEY)), max_content=0).body == b""


@kinds
def test_content_that_need_not_be_proven_is_the_librarys_to_read(name):
    origin = Origin(gzip.compress(b"content"), {"content-encoding": "gzip"}, SignatureSeal(KEY, digest=None))
    body = get(name, origin, content=False).body
    assert (body if KINDS[name].unpacks else gzip.decompress(body)) == b"content"


def test_who_only_wants_to_know_gets_an_answer_unread_whose_header_section_proves_nothing():
    told: list[Reason] = []
    auth = SealedAuth(KEY, require=False, on_unproven=lambda one: told.append(one.rejection.reason))
    flow = auth.flow(Request("GET", "https", "api.example", "/"), ClientContext(bytes))
    send = next(flow)
    assert send.head is not None
    assert send.head(Received(Response(200))) is None
    with pytest.raises(StopIteration):
        flow.send(Received(Response(200)))
    assert told == [Reason.NO_CREDENTIALS]


def test_the_bound_is_a_number_of_octets():
    for wrong in (-1, float("nan")):
        with pytest.raises(ConfigurationError, match="octets"):
            ResponsePolicy(max_content=wrong)  # type: ignore[arg-type] # on purpose
