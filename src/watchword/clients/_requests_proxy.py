"""Credentials for a proxy, by an adapter of requests: in each request over http, and in CONNECT before one over https."""

from __future__ import annotations

import http.client
from functools import partial
from typing import Any, ClassVar

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection

from watchword.clients._exchange import changes, field_lines, made
from watchword.clients._repeats import position, rewind
from watchword.clients._requests_answer import drain
from watchword.clients._requests_io import Bare
from watchword.clients._requests_put import put
from watchword.clients._requests_route import through
from watchword.clients._requests_run import Run
from watchword.core.message import Peer, Request, Response
from watchword.effects import Auth, Received
from watchword.structures.in_process import InProcess
from watchword.transport.flow import ClientContext, Drive

__all__ = ["ProxyAdapter"]


class ProxyAdapter(InProcess, HTTPAdapter):
    """Gives an HTTP proxy its credentials; `auth=` of the request stays free for those of the origin.

    A request over http has them with it. One over https goes through a tunnel: they are in the CONNECT that asks for it, and
    nothing of them passes through (RFC 9110 §9.3.6, §11.7). What goes past the proxy has none.

    Args:
        auth: `BasicAuth(…, proxy=True)` or `DigestAuth(…, proxy=True)`.
        settings: as `requests.adapters.HTTPAdapter` has them.

    >>> from watchword import DigestAuth
    >>> adapter = ProxyAdapter(DigestAuth("alice", "open sesame", proxy=True), max_retries=3)
    >>> with requests.Session() as session:
    ...     session.mount("http://", adapter)
    ...     session.mount("https://", adapter)
    """

    connects_alike: ClassVar[bool] = True

    def __init__(self, auth: Auth, **settings: Any) -> None:
        self._drive = partial(Drive, made(auth))
        super().__init__(**settings)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        """As in requests, with pools that answer a proxy that asks before it makes a tunnel."""
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        classes: dict[str, Any] = {**manager.pool_classes_by_scheme, "https": partial(_TunnelPool, self._drive)}
        manager.pool_classes_by_scheme = classes
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """As in requests; a second time if the proxy asks."""
        url, proxies = request.url or "", kwargs.get("proxies") or (args[4] if len(args) > 4 else None)
        proxy = select_proxy(url, proxies)
        if proxy is None or url[:5].lower() != "http:":
            return super().send(request, *args, **kwargs)
        body, start, fields = request.body, position(request.body), set[bytes]()
        run, answer = Run(Bare(request, through(Peer("proxied"), proxy)), start, self._drive), None
        while answer is None or run.goes_on(answer):
            if answer is not None:
                drain(answer)
                rewind(body, start)
            sent = requests.PreparedRequest.copy(request)  # a redirect copies `request`, which stays without them
            put(sent, run, fields)
            answer = super().send(sent, *args, **kwargs)
        answer.request = request
        return answer


class _Tunnel(HTTPSConnection):
    """A connection that keeps what a proxy answered to CONNECT, which http.client throws away."""

    answered: Response | None = None

    def connect(self) -> None:
        self.answered = None
        super().connect()

    def _tunnel(self) -> None:
        library: Any = self
        host = library._tunnel_host  # noqa: SLF001 -- what set_tunnel of http.client has set
        authority = f"[{host}]:{library._tunnel_port}" if ":" in host else f"{host}:{library._tunnel_port}"  # noqa: SLF001
        lines = {"Host": authority, **library._tunnel_headers}  # noqa: SLF001 -- as above
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.sock.sendall(f"CONNECT {authority} HTTP/1.1\r\n{text}\r\n".encode("latin-1"))
        answer = http.client.HTTPResponse(self.sock, method="CONNECT")
        with answer:
            answer.begin()
            self.answered = Response(answer.status, field_lines(answer.headers.items()))
            if 200 <= answer.status < 300:
                return
        self.close()
        raise OSError(f"Tunnel connection failed: {answer.status} {answer.reason}")


class _TunnelPool(HTTPSConnectionPool):
    ConnectionCls: Any = _Tunnel

    def __init__(self, drive: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drive = drive

    def _prepare_proxy(self, conn: Any) -> None:
        assert self.proxy is not None  # urllib3 asks where there is one
        scheme, host = self.proxy.scheme or "http", self._tunnel_host
        authority = f"{host}:{self.port}"
        peer = Peer(self.host, relay="a proxy", relay_host=self.proxy.host or "")
        bare = Request("CONNECT", scheme, authority, authority, peer=peer)
        drive = self._drive(bare, ClientContext(bytes))
        send = drive.advance()
        failure: OSError | None = None
        while send is not None:
            ours = {n.decode().title(): lines[0].decode("latin-1") for n, lines in changes(bare, send.request).items()}
            failure = None
            conn.set_tunnel(scheme=scheme, host=host, port=self.port, headers={**self.proxy_headers, **ours})
            try:
                conn.connect()
            except OSError as error:
                if conn.answered is None or conn.answered.status < 300:
                    drive.close()
                    raise
                failure = error
            send = drive.advance(Received(conn.answered))
        if failure is not None:
            raise failure
