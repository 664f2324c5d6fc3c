"""The `repr` of what a flow or an endpoint passes on shows no secret: debuggers, loggers and assertions print it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from watchword import Key, OAuth2Auth, Request, Response
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.core.flow import ClientContext
from watchword.core.scheme import Body, Received, Send
from watchword.core.steps import Acquire, Commit, Fetch, ReadBody
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


def test_the_answer_of_a_token_endpoint() -> None:
    store = MemoryStore()
    store.add_client("robot", SECRET)
    endpoint = TokenEndpoint(Key.generate("HS256"), issuer="https://id.example", audience="orders")
    body = f"grant_type=client_credentials&client_id=robot&client_secret={SECRET}".encode()
    request = Request("POST", "https", "id.example", "/token", {"Content-Type": "application/x-www-form-urlencoded"})
    steps = endpoint.steps(request)
    shown, answer = "", None
    try:
        while True:
            step = steps.send(answer)
            shown += repr(step)
            match step:
                case ReadBody():
                    answer = Body(body)
                case Fetch():
                    answer = store.fetch(step.refs)
                case Commit():
                    answer = store.commit(step.writes)
                case Acquire():
                    answer = step.lock.acquire(step.lease)
                case _:
                    answer = step.call()
            shown += repr(answer)
    except StopIteration as stop:
        issued = stop.value
    assert issued.response.status == 200
    token = issued.body.split(b'"access_token":"')[1].split(b'"')[0].decode()
    assert SECRET not in shown and token not in repr(issued)
