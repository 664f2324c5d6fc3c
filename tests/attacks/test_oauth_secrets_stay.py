"""Neither a log, a repr nor an exception shows a token, a code, a verifier or a secret, whatever goes wrong on the way."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.oauth_world import CALLBACK, SECRET, World
from watchword import ClientSecret, Request, Response, WatchwordError
from watchword.effects import Received, Send
from watchword.testing import Misbehaviour
from watchword.transport.flow import ClientContext, run

GET = Request("GET", "https", "api.example", "/")


class Watched(World):
    """Collects all that is secret as it passes, and the repr of every effect and answer."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.secrets: set[str] = {SECRET}
        self.shown = ""
        answer = self.issuer.answer

        def watched(request: Request, body: bytes = b"") -> Received:
            received = answer(request, body)
            self.note(body.decode(), (received.body or b"").decode("latin-1"))
            self.shown += repr((request, received))
            return received

        self.issuer.answer = watched  # type: ignore[method-assign]

    def note(self, form: str, answer: str) -> None:
        for name in ("code", "code_verifier", "refresh_token", "client_assertion", "device_code", "token"):
            self.secrets |= set(parse_qs(form).get(name, []))
        for name in ("access_token", "refresh_token", "id_token", "device_code"):
            if f'"{name}":"' in answer:
                self.secrets.add(answer.split(f'"{name}":"')[1].split('"', maxsplit=1)[0])


def everything(error: BaseException) -> str:
    """What a logger could find that follows every context, and shows the locals of no frame."""
    told = "".join(traceback.format_exception(error))
    found: BaseException | None = error
    while found is not None:
        told += repr(found) + repr(vars(found)) + repr(getattr(found, "object", ""))
        found = found.__context__
    return told


GOING_WRONG: dict[str, Callable[[Watched], Any]] = {
    "nothing": lambda world: None,
    "garbage": lambda world: world.issuer.misbehaving(Misbehaviour.GARBAGE, "token"),
    "dropped": lambda world: world.issuer.misbehaving(Misbehaviour.DROPPED, "token"),
    "failing": lambda world: world.issuer.misbehaving(Misbehaviour.FAILING, "token"),
    "redirecting": lambda world: world.issuer.misbehaving(Misbehaviour.REDIRECTING, "token"),
    "huge": lambda world: world.issuer.misbehaving(Misbehaviour.HUGE, "token"),
    "another issuer": lambda world: world.issuer.misbehaving(Misbehaviour.WRONG_ISSUER, "token"),
}


@pytest.mark.parametrize("wrong", GOING_WRONG)
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_from_the_log_in_to_the_end(wrong: str, method: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    long = SECRET + " that is long enough to sign with"
    world = Watched()
    world.secrets.add(long)
    world.issuer.add_client("shop", long, redirect_uris=[CALLBACK])
    auth = world.auth(client=ClientSecret("shop", long, method=method))
    told = ""
    login = world.perform(auth.begin_login())
    world.secrets |= {login.verifier, login.state}
    callback = world.visit(login.url)
    world.secrets |= set(parse_qs(urlsplit(callback).query)["code"])
    hitch = GOING_WRONG[wrong](world)
    try:
        if hitch is not None:
            hitch.__enter__()
        granted = world.perform(auth.finish_login(login, callback))
        told += repr(granted) + repr(granted.token)
        world.clock.advance(299)
        world.perform(auth.log_in())
        world.perform(auth.revoke())
    except (WatchwordError, ConnectionError) as error:
        assert hitch is not None
        told += everything(error)
    finally:
        if hitch is not None:
            hitch.__exit__(None, None, None)
    told += repr((auth, auth.token, login, auth._keeper.store, auth._issuer, world.sent)) + world.shown + caplog.text
    assert len(world.secrets) >= 5
    for secret in world.secrets:
        assert secret not in told, secret[:4]


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_an_endpoint_that_repeats_what_it_got_repeats_it_to_nobody(status: int) -> None:
    world = Watched()
    auth = world.auth()
    world.log_in(auth)
    world.clock.advance(299)

    def send(effect: Send) -> Received:
        body = (effect.body or b"").decode()
        world.note(body, "")
        given = parse_qs(body)
        said = " ".join(values[0] for values in given.values()) + f" {SECRET}"
        return Received(Response(status), f'{{"error":"invalid_grant","error_description":"{said}"}}'.encode())

    with pytest.raises(WatchwordError) as caught:
        run(auth, GET, send, ClientContext(bytes, now=world.clock))
    told = everything(caught.value)
    assert "…" in told
    for secret in world.secrets:
        assert secret not in told
