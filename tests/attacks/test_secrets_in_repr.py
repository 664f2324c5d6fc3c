"""The `repr` of what a flow or an endpoint passes on shows no secret: debuggers, loggers and assertions print it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from watchword import BasicVerifier, Guard, Key, OAuth2Auth, PasswordCache, Rejected, Request, Response
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.transport.flow import ClientContext
from watchword.core.admission import Admission
from watchword.core.io import Direct, drive, once
from watchword.core.pipeline import Pipeline
from watchword.effects import Received, Send
from watchword.stores import MemoryStore

SECRET = "s3cret-of-the-client"
TOKEN = "t0ken-of-somebody"


@pytest.mark.parametrize("in_form", [False, True])
def test_the_effects_of_a_token_request(in_form: bool) -> None:
    auth = OAuth2Auth("https://id.example/token", "robot", SECRET, in_form=in_form)
    flow = auth.flow(Request("GET", "https", "api.example", "/"), ClientContext(bytes))
    shown = ""
    answer: Any = None
    for _ in range(4):
        effect = flow.send(answer)
        shown += repr(effect)
        if isinstance(effect, Send) and effect.want:
            answer = Received(Response(200), f'{{"access_token":"{TOKEN}","token_type":"bearer"}}'.encode())
            shown += repr(answer)
        else:
            answer = None
    flow.close()
    assert "Send(" in shown and "Received(" in shown
    for secret in (SECRET, TOKEN, base64.b64encode(f"robot:{SECRET}".encode()).decode()):
        assert secret not in shown


class Showing:
    """An outside that writes down how all shows that passes through it."""

    def __init__(self, store: MemoryStore) -> None:
        self._io = Direct(store)
        self.shown: list[str] = []

    def fetch(self, refs: Any, /) -> Any:
        return self._passed("fetch", refs, self._io.fetch(refs))

    def commit(self, writes: Any, /) -> Any:
        return self._passed("commit", writes, self._io.commit(writes))

    async def ask(self, source: Any, refs: Any, /) -> Any:
        return self._passed("ask", (source, refs), await self._io.ask(source, refs))

    async def read(self, receive: Any, need: Any, limit: int, /) -> Any:
        return self._passed("read", (receive, need, limit), await self._io.read(receive, need, limit))

    async def work(self, call: Any, /) -> Any:
        return self._passed("work", call, await self._io.work(call))

    async def work_apart(self, call: Any, /) -> Any:
        return self._passed("work", call, await self._io.work_apart(call))

    def join(self, *arguments: Any) -> Any:
        return self._passed("join", arguments, self._io.join(*arguments))

    async def wait(self, *arguments: Any) -> Any:
        return self._passed("wait", arguments, await self._io.wait(*arguments))

    def _passed(self, verb: str, given: Any, answer: Any) -> Any:
        self.shown.append(f"{verb} {given!r} {answer!r}")
        return answer

    def verbs(self) -> set[str]:
        return {line.partition(" ")[0] for line in self.shown}


def test_the_answer_of_a_token_endpoint_and_all_that_it_asks_for() -> None:
    store = MemoryStore()
    store.add_client("robot", SECRET)
    io = Showing(store)
    endpoint = TokenEndpoint(Key.generate("HS256"), issuer="https://id.example", audience="orders")
    body = f"grant_type=client_credentials&client_id=robot&client_secret={SECRET}".encode()
    request = Request("POST", "https", "id.example", "/token", {"Content-Type": "application/x-www-form-urlencoded"})
    issued = drive(endpoint.respond(request, io, once(body)))
    assert issued.response.status == 200
    assert io.verbs() == {"read", "fetch", "join", "commit", "work"}
    token = issued.body.split(b'"access_token":"')[1].split(b'"')[0].decode()
    assert SECRET not in "".join(io.shown) and token not in repr(issued)


@pytest.mark.parametrize("strict", [False, True])
def test_all_that_a_guard_asks_for_and_holds_of_a_password(strict: bool) -> None:
    store = MemoryStore()
    store.add_user("alice", SECRET)
    guard = Guard([BasicVerifier(realm="orders", cache=PasswordCache(strict=strict))], store)
    io = Showing(store)
    pipeline = Pipeline(guard.plan, io)
    encoded = base64.b64encode(f"alice:{SECRET}".encode()).decode()
    asked = Request("GET", "https", "api.example", "/", {"Authorization": f"Basic {encoded}"})
    shown = ""
    for _ in range(2):
        case = guard.plan.dispatch.locate(asked)
        answer = pipeline.admit(asked, once(b""), optional=False)
        admitted = answer if isinstance(answer, Admission) else drive(answer)
        shown += repr((case, admitted, answer, admitted.identity))
    assert {"fetch", "join", "commit", "work"} == io.verbs()
    wrong = Request("GET", "https", "api.example", "/", {"Authorization": f"Basic {encoded[:-8]}AAAAAAA="})
    with pytest.raises(Rejected) as caught:
        drive(pipeline.admit(wrong, once(b""), optional=False))  # type: ignore[arg-type]
    shown += repr(caught.value) + str(caught.value) + repr(caught.value.rejection) + repr(caught.value.refusal)
    for secret in (SECRET, encoded, SECRET[:-6]):
        assert secret not in shown + "".join(io.shown)
