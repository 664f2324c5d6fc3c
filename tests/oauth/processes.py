"""Programs that share a file of tokens, as processes of their own; the tests of `TokenFile` start them.

`python processes.py together URL FILE`: eight processes, of which each has four threads and 25 tasks, want a token at once.
`python processes.py killed URL FILE PLACE RETRY ROUNDS`: as often as ROUNDS says, a process is killed at PLACE of a refresh, and
another one comes after it. It prints how often somebody had to log in again.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

from watchword import AuthorizationCode, ClientSecret, CredentialsUnavailable, OAuth2Auth, Request, Response, TokenFile
from watchword.clients.direct import perform
from watchword.effects import Received, Send
from watchword.oauth.tokens import Record, TokenKey
from watchword.transport.flow import ClientContext, arun, run

CALLBACK = "http://127.0.0.1:1/callback"
GET = Request("GET", "https", "api.example", "/orders")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(TokenFile):
    """Is killed instead of saving the answer, which comes after the intent."""

    __slots__ = ("saves",)

    def save(self, key: TokenKey, record: Record, /) -> bool:
        self.saves = getattr(self, "saves", 0) + 1
        if self.saves == 2:
            die()
        return super().save(key, record)


def auth_of(url: str, tokens: TokenFile, retry: bool = False) -> OAuth2Auth:
    return OAuth2Auth(
        issuer=url, client=ClientSecret("shop", "a long random secret"), grant=AuthorizationCode(CALLBACK), scope=["read"],
        tokens=tokens, refresh_retry=retry,
    )  # fmt: skip


def log_in(auth: OAuth2Auth) -> None:
    login = perform(auth.begin_login())
    parts = urlsplit(login.url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    callback = connection.getresponse().getheader("Location", "")
    connection.close()
    perform(auth.finish_login(login, callback))


def sent(effect: Send, dying: str = "") -> Received:
    if not effect.want:
        return Received(Response(200))
    request, is_token = effect.request, effect.request.method == "POST"
    if dying == "before sending" and is_token:
        die()
    connection = http.client.HTTPConnection(request.authority)
    lines = {name.decode(): value.decode() for name, value in request.headers}
    connection.request(request.method, request.target.decode(), effect.body, lines)
    if dying == "before the answer" and is_token:
        sock: socket.socket = connection.sock
        sock.recv(1, socket.MSG_PEEK)  # it is under way, so the issuer has done its part
        die()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return Received(Response(answer.status, answer.getheaders()), body)


def together(url: str, path: str) -> None:
    children = []
    for _ in range(8):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                many(url, path)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitpid(child, 0)[1] for child in children]
    assert codes == [0] * 8, codes


def many(url: str, path: str) -> None:
    got: list[object] = []

    def one() -> None:
        got.append(run(auth_of(url, TokenFile(path)), GET, sent, ClientContext(bytes)))

    async def tasks() -> None:
        async def send(effect: Send) -> Received:
            return await asyncio.to_thread(sent, effect)

        auths = [auth_of(url, TokenFile(path)) for _ in range(25)]
        got.extend(await asyncio.gather(*(arun(auth, GET, send, ClientContext(bytes)) for auth in auths)))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    asyncio.run(tasks())
    for thread in threads:
        thread.join()
    assert len(got) == 29, len(got)


def killed(url: str, path: str, place: str, retry: str, rounds: str) -> None:
    again = 0
    log_in(auth_of(url, TokenFile(path)))
    for _ in range(int(rounds)):
        child = os.fork()
        if child == 0:
            tokens: Any = (Dying if place == "before saving" else TokenFile)(path)
            run(auth_of(url, tokens, retry == "retry"), GET, lambda effect: sent(effect, place), ClientContext(bytes))
            os._exit(1)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        auth = auth_of(url, TokenFile(path), retry == "retry")
        try:
            run(auth, GET, sent, ClientContext(bytes))
        except CredentialsUnavailable as error:
            assert "log in again" in str(error), error
            again += 1
            log_in(auth)
    print(again)


if __name__ == "__main__":
    {"together": together, "killed": killed}[sys.argv[1]](*sys.argv[2:])
