"""Automated clients with their directories, and the verifier that asks them; no sockets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from watchword import Guard, Key, Policy, Rejected, Request
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received
from watchword.core.message import Response
from watchword.schemes.signatures.agents import WELL_KNOWN
from watchword.schemes.signatures.bots import WebBotAuth, WebBotVerifier
from watchword.schemes.signatures.directory import KeyDirectory
from watchword.stores.agents import AgentDirectories
from watchword.transport.get import Answer, Fault, FetchFailed, Get, Terms

NOW = 1_700_000_000.0
KEYS = {name: Key.generate("EdDSA") for name in ("bot", "next", "other")}
BOT = "https://bot.example"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Web:
    """The directories that there are, by authority, and what was fetched from them."""

    def __init__(self, **directories: Iterable[Key]) -> None:
        self.clock = Clock()
        self.fetched: list[str] = []
        self.served: dict[str, Any] = {}
        self.down = False
        for name, keys in directories.items():
            self.serve(f"{name}.example", keys)

    def serve(self, authority: str, keys: Iterable[Key], **settings: Any) -> None:
        self.served[authority] = KeyDirectory(list(keys), agent=f"https://{authority}", clock=self.clock, **settings)

    def fetch(self, get: Get, terms: Terms) -> Answer:
        """In the place of the transport, whose rules are tested where it is."""
        self.fetched.append(get.url)
        authority = get.url.split("/")[2]
        served = self.served.get(authority)
        if self.down or served is None:
            raise FetchFailed(Fault.UNREACHABLE, "nobody there")
        if isinstance(served, Answer):
            return served
        path = "/" + get.url.split("/", 3)[3]
        answered = served.answer(Request("GET", "https", authority, path, {"accept": get.accept}))
        return Answer(answered.response.status, answered.response.headers, answered.body, get.url)

    def directories(self, allow: Iterable[Any] = (BOT,), **settings: Any) -> AgentDirectories:
        return AgentDirectories(allow, fetch=self.fetch, clock=self.clock, **settings)

    def guard(self, agents: Any = None, **settings: Any) -> Guard:
        verifier = WebBotVerifier(self.directories() if agents is None else agents, **settings)
        return Guard([verifier], policy=Policy(clock=self.clock))


def signed(
    key: Key = KEYS["bot"],
    agent: str = BOT,
    request: Request | None = None,
    body: bytes = b"",
    now: float = NOW,
    **settings: Any,
) -> Request:
    """A request as `WebBotAuth` sends it."""
    sent: list[Request] = []

    def send(effect: Any) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    request = request or Request("GET", "https", "site.example", "/page?a=b")
    context = ClientContext(lambda: body, now=lambda: now, random=lambda n: b"\x01" * n)
    run(WebBotAuth(key, agent=agent, **settings), request, send, context)
    return sent[-1]


def reason(guard: Guard, request: Request, body: bytes = b"") -> tuple[str, str]:
    """Why it is refused, and where; ("", "") if it isn't."""
    try:
        guard.verify(request, body)
    except Rejected as rejected:
        return rejected.reason.value, rejected.rejection.where
    return "", ""


PLACE = BOT + WELL_KNOWN
