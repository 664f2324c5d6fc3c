"""An issuer, somebody who logs in there, and a clock; flows that belong to no request are carried out without a socket."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from watchword import AuthorizationCode, ClientSecret, OAuth2Auth, Request
from watchword.effects import Ask, Call, Hold, Release, Send, Sleep
from watchword.testing import Clock, FakeIssuer, SeededRandom
from watchword.transport.flow import ClientContext

CALLBACK = "https://shop.example/callback"
SECRET = "a long random secret"


class World:
    """One issuer with one client, `shop`; `sent` are the requests that were sent, `slept` the seconds that were waited."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.issuer = FakeIssuer(clock=self.clock)
        self.issuer.add_client("shop", SECRET, redirect_uris=[CALLBACK])
        for name, value in settings.items():
            setattr(self.issuer.settings, name, value)
        self.random = SeededRandom(1)
        self.sent: list[Send] = []
        self.slept: list[float] = []
        self.asked: list[Ask] = []

    def auth(self, **options: Any) -> OAuth2Auth:
        usual: dict[str, Any] = {
            "issuer": self.issuer.url, "client": ClientSecret("shop", SECRET), "grant": AuthorizationCode(CALLBACK),
            "scope": ["openid", "read"],
        }  # fmt: skip
        return OAuth2Auth(**{**usual, **options})

    def visit(self, url: str) -> str:
        """Where the issuer sends a browser that comes to `url`."""
        parts = urlsplit(url)
        reply = self.issuer.reply(Request("GET", parts.scheme, parts.netloc, f"{parts.path}?{parts.query}"))
        return dict(reply.headers)[b"location"].decode()

    def perform(self, errand: Any, ask: Callable[[Ask], str] | None = None) -> Any:
        """The result of a flow, each of whose requests the issuer answers."""
        context = ClientContext(bytes, now=self.clock, random=self.random)
        context.asks = ask is not None
        steps = errand.flow(Request("GET", "https", "api.example", "/"), context)
        given: Any = None
        while True:
            try:
                effect = steps.send(given)
            except StopIteration as stop:
                return stop.value
            given = None
            if isinstance(effect, Send):
                self.sent.append(effect)
                given = self.issuer.answer(effect.request, effect.body or b"")
            elif isinstance(effect, Call):
                given = effect.function()
            elif isinstance(effect, Sleep):
                self.slept.append(effect.seconds)
            elif isinstance(effect, Ask):
                assert ask is not None
                self.asked.append(effect)
                given = ask(effect)
            else:
                assert isinstance(effect, (Hold, Release))

    def log_in(self, auth: OAuth2Auth, owner: str | None = None) -> Any:
        login = self.perform(auth.begin_login())
        return self.perform(auth.finish_login(login, self.visit(login.url), owner=owner))


def browse(url: str) -> str:
    """Where a server of this host sends a browser that comes to `url`, over a socket."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        answer.read()
        return answer.getheader("Location", "")
    finally:
        connection.close()
