"""What an adapter adds to a warm request of a client, beside what the client's own Digest adds to it.

The server is a process of its own, so that its time doesn't count: the clock is the processor time of this process. Each client
keeps its connection and knows its nonce. The limit is what its own auth adds to a request without any.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

import aiohttp
import httpx
import httpx2
import requests

from bench.harness import Figure, Interleaved, Unfit
from watchword import DigestAuth
from watchword.clients import aiohttp as for_aiohttp
from watchword.clients import httpx as for_httpx
from watchword.clients import httpx2 as for_httpx2
from watchword.clients import requests as for_requests

USER, PASSWORD = "alice", "open sesame"
CHALLENGE = b'Digest realm="orders", nonce="bm9uY2U", qop="auth", algorithm=SHA-256'
OPEN, CLOSED = "/open", "/orders"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSED = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " + CHALLENGE + b"\r\nContent-Length: 0\r\n\r\n"

Get = Callable[[str], int]
"""Sends a request to a path; the status."""


class Added:
    """What the client's own Digest adds to a request, and what ours does, in the same rounds."""

    def __init__(self, name: str, bare: Get, own: Get, ours: Get) -> None:
        self.title = f"Added to a request of {name}"
        self._gets = {"own": own, "ours": ours}
        contenders = {"bare": lambda: bare(OPEN), "own": lambda: own(CLOSED), "ours": lambda: ours(CLOSED)}
        self._timing = Interleaved(self.title, contenders, self._prove, batch=0.4)  # a difference of large times

    def _prove(self) -> None:
        """Each is admitted where the other half is asked for; the second request is the warm one."""
        for name, get in self._gets.items():
            if [get(CLOSED), get(CLOSED)] != [200, 200]:
                raise Unfit(f"{self.title}: {name} is not admitted")

    def measure(self, rounds: int) -> list[Figure]:
        """What the client's own auth adds first."""
        times = self._timing.times(rounds)
        added = {
            name: [mine - bare for mine, bare in zip(times[name], times["bare"], strict=True)] for name in self._gets
        }
        least = median(added["own"])
        figures = []
        for name, title in (("own", "its own Digest"), ("ours", "watchword's Digest")):
            # Of differences that are small beside the times, one round's ratio says nothing; that of the medians does.
            low, middle, high = min(added[name]), median(added[name]), max(added[name])
            figures.append(Figure(title, middle * 1e6, "µs", low / least, middle / least, high / least))
        return figures


def rows() -> Iterable[Added]:
    """requests, httpx and httpx2, sync; aiohttp."""
    with served() as url, ExitStack() as stack:
        yield Added("requests", *by_requests(stack, url))
        yield Added("httpx", *by_httpx(stack, url, httpx, for_httpx.adapt))
        yield Added("httpx2", *by_httpx(stack, url, httpx2, for_httpx2.adapt))
        yield Added("aiohttp", *by_aiohttp(stack, url))


def by_requests(stack: ExitStack, url: str) -> Sequence[Get]:
    """Sessions without auth, with its own and with ours."""
    auths = (None, requests.auth.HTTPDigestAuth(USER, PASSWORD), for_requests.adapt(DigestAuth(USER, PASSWORD)))

    def get_by(auth: Any) -> Get:
        session = stack.enter_context(requests.Session())
        session.trust_env, session.auth = False, auth
        return lambda path: session.get(url + path).status_code

    return [get_by(auth) for auth in auths]


def by_httpx(stack: ExitStack, url: str, library: Any, adapt: Callable[[Any], Any]) -> Sequence[Get]:
    """Clients without auth, with its own and with ours."""
    auths = (None, library.DigestAuth(USER, PASSWORD), adapt(DigestAuth(USER, PASSWORD)))

    def get_by(auth: Any) -> Get:
        client = stack.enter_context(library.Client(auth=auth, trust_env=False))
        return lambda path: int(client.get(url + path).status_code)

    return [get_by(auth) for auth in auths]


def by_aiohttp(stack: ExitStack, url: str) -> Sequence[Get]:
    """Sessions without middleware, with its own and with ours, on one event loop, whose turns count with each of them."""
    middlewares: Sequence[Any] = (
        [],
        [aiohttp.DigestAuthMiddleware(USER, PASSWORD)],
        [for_aiohttp.adapt(DigestAuth(USER, PASSWORD))],
    )
    run = stack.enter_context(asyncio.Runner()).get_loop().run_until_complete

    async def opened(middleware: Sequence[Any]) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(middlewares=middleware)

    async def get(session: aiohttp.ClientSession, path: str) -> int:
        async with session.get(url + path) as response:
            await response.read()
            return response.status

    def get_by(middleware: Sequence[Any]) -> Get:
        session = run(opened(middleware))
        stack.callback(lambda: run(session.close()))
        return lambda path: run(get(session, path))

    return [get_by(middleware) for middleware in middlewares]


@contextmanager
def served() -> Any:
    """The URL of a server in a process of its own."""
    with subprocess.Popen([sys.executable, "-m", "bench.clients"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def serve() -> None:
    """Answers one connection after the other, each in a thread; who asks for more than OPEN has to have credentials."""
    import threading

    def answer(connection: socket.socket) -> None:
        with connection:
            waiting = b""
            while data := connection.recv(65536):
                head, end, rest = (waiting + data).partition(b"\r\n\r\n")
                waiting = rest if end else head
                if end:
                    admitted = head.startswith(f"GET {OPEN} ".encode()) or b"\r\nauthorization: digest " in head.lower()
                    connection.sendall(OK if admitted else REFUSED)

    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


if __name__ == "__main__":
    serve()
