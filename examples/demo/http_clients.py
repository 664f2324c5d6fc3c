"""Four HTTP clients that the demo drives: each in its own way for genuine requests, raw for attacks."""

from __future__ import annotations

import http.client
import shutil
import subprocess
from collections.abc import Mapping
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

import httpx2
import requests

from examples.api.settings import Settings
from watchword.clients.httpx2 import adapt as adapt_httpx2
from watchword.clients.requests import adapt as adapt_requests
from watchword.transport.flow import ClientContext, run
from watchword.core.message import Headers, Request, Response
from watchword.effects import ORIGINAL, Auth, Received, Send
from watchword.dropin.http_client import HTTPConnection

TIMEOUT = 20


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Headers
    body: bytes


class Client(Protocol):
    """One HTTP client."""

    name: str

    def genuine(self, scheme: str, auth: Auth, settings: Settings, url: str) -> Answer:
        """A genuine GET, in the way that users of this client write it."""
        ...

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Exactly this request."""
        ...


class HttpClient:
    """The standard library's http.client."""

    name = "http.client"

    def genuine(self, scheme: str, auth: Auth, settings: Settings, url: str) -> Answer:
        if scheme not in ("basic", "digest"):
            return self.send("GET", url, sign(self, auth, "GET", url, b""), b"")
        parts = urlsplit(url)
        connection = HTTPConnection(parts.netloc, timeout=TIMEOUT)
        try:
            connection.set_credentials(settings.username, settings.password, preemptive=scheme == "basic")
            connection.request("GET", parts.path)
            return _read(connection.getresponse())
        finally:
            connection.close()

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)
        try:
            connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, dict(headers))
            return _read(connection.getresponse())
        finally:
            connection.close()


def _read(response: http.client.HTTPResponse) -> Answer:
    return Answer(response.status, Response(0, response.getheaders()).headers, response.read())


class Requests:
    """requests, with an adapted auth."""

    name = "requests"

    def genuine(self, scheme: str, auth: Auth, settings: Settings, url: str) -> Answer:
        with requests.Session() as session:
            return _answer(session.get(url, auth=adapt_requests(auth), timeout=TIMEOUT))

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with requests.Session() as session:
            return _answer(session.request(method, url, headers=dict(headers), data=body, timeout=TIMEOUT))


class Httpx2:
    """httpx2, with an adapted auth."""

    name = "httpx2"

    def genuine(self, scheme: str, auth: Auth, settings: Settings, url: str) -> Answer:
        with httpx2.Client(timeout=TIMEOUT) as client:
            return _answer(client.get(url, auth=adapt_httpx2(auth)))

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with httpx2.Client(timeout=TIMEOUT) as client:
            return _answer(client.request(method, url, headers=dict(headers), content=body))


def _answer(response: requests.Response | httpx2.Response) -> Answer:
    return Answer(response.status_code, Response(0, dict(response.headers)).headers, response.content)


class Curl:
    """The curl command, with its own Basic, Digest and Bearer."""

    name = "curl"

    def genuine(self, scheme: str, auth: Auth, settings: Settings, url: str) -> Answer:
        user = f"{settings.username}:{settings.password}"
        if scheme in ("basic", "digest"):
            return self._curl(url, f"--{scheme}", "--user", user)
        headers = sign(self, auth, "GET", url, b"")
        if scheme in ("jwt", "oauth"):
            return self._curl(url, "--oauth2-bearer", headers["authorization"].removeprefix("Bearer "))
        return self.send("GET", url, headers, b"")

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        options = [option for name, value in headers.items() for option in ("--header", f"{name}: {value}")]
        if body:
            options += ["--data-binary", "@-"]
        return self._curl(url, "--request", method, *options, body=body)

    def _curl(self, url: str, *options: str, body: bytes = b"") -> Answer:
        command = ["curl", "--silent", "--show-error", "--include", "--max-time", str(TIMEOUT), *options, url]
        done = subprocess.run(command, input=body, capture_output=True, check=True)
        output = done.stdout
        while True:  # curl prints the 401 that it answered, too
            head, _, rest = output.partition(b"\r\n\r\n")
            if not rest.startswith(b"HTTP/"):
                break
            output = rest
        lines = head.split(b"\r\n")
        pairs = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines[1:])]
        return Answer(int(lines[0].split()[1]), Response(0, pairs).headers, rest)


class Signed(Exception):
    """Ends a flow at the request that carries credentials."""


def sign(client: Client, auth: Auth, method: str, url: str, body: bytes, *, shift: float = 0) -> dict[str, str]:
    """The field lines that `auth` adds to a request, `shift` seconds from now; challenges and tokens are fetched for it."""
    import time

    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    caught: list[Request] = []

    def send(effect: Send) -> Received:
        if effect.body is ORIGINAL and effect.request.headers:
            caught.append(effect.request)
            raise Signed
        where = f"{effect.request.scheme}://{effect.request.authority}{effect.request.target.decode()}"
        fields = {name.decode(): value.decode() for name, value in effect.request.headers}
        answer = client.send(effect.request.method, where, fields, body if effect.body is ORIGINAL else effect.body)
        return Received(Response(answer.status, answer.headers), answer.body)

    context = ClientContext(lambda: body, now=lambda: time.time() + shift)
    try:
        run(auth, Request(method, parts.scheme, parts.netloc, target), send, context)
    except Signed:
        pass
    return {name.decode(): value.decode() for name, value in caught[0].headers}


def present() -> list[Client]:
    """The clients that this machine has."""
    clients: list[Client] = [HttpClient(), Requests(), Httpx2()]
    if shutil.which("curl"):
        clients.append(Curl())
    return clients
