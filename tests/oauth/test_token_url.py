"""OAuth client credentials by the token endpoint alone: the flow against a real one in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from watchword import ConfigurationError, CredentialsUnavailable, Guard, Key, OAuth2Auth, OAuth2Verifier, Policy
from watchword import Rejected, Request, Response
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.core.io import Direct, drive, once
from watchword.transport.flow import ClientContext, Drive, run
from watchword.effects import Received, Send
from watchword.stores import MemoryStore

KEY = Key.generate("HS256")
ISSUER, AUDIENCE = "https://id.example", "orders"
GET = Request("GET", "https", "api.example", "/orders")


class World:
    """A token endpoint and an API behind one `send`, with a clock that tests move."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.store = MemoryStore(clock=self.clock)
        self.store.add_client("robot", "s3cret", scopes=("read",))
        self.endpoint = TokenEndpoint(KEY, issuer=ISSUER, audience=AUDIENCE, lifetime=300, clock=self.clock)
        self.guard = Guard([OAuth2Verifier(KEY, issuer=ISSUER, audience=AUDIENCE)], policy=Policy(clock=self.clock))
        self.token_requests = 0
        self.revoked: set[bytes] = set()
        self.random: Callable[[int], bytes] = bytes

    def clock(self) -> float:
        return self.now

    def send(self, effect: Send) -> Received:
        if effect.body is not None:
            self.token_requests += 1
            answer = drive(self.endpoint.respond(effect.request, Direct(self.store), once(effect.body)))
            return Received(answer.response, answer.body)
        if effect.request.values(b"authorization")[0] in self.revoked:
            return Received(Response(401))
        try:
            self.guard.verify(effect.request)
        except Rejected as rejected:
            assert rejected.refusal is not None
            return Received(rejected.refusal.response())
        return Received(Response(200))

    def get(self, auth: OAuth2Auth) -> int:
        answer = run(auth, GET, self.send, ClientContext(bytes, now=self.clock, random=self.random))
        assert answer is not None
        return answer.response.status


def auth(secret: str = "s3cret", **options: object) -> OAuth2Auth:
    return OAuth2Auth("https://id.example/token", "robot", secret, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("in_form", [False, True])
def test_one_token_serves_many_requests_and_is_renewed_before_it_expires(in_form: bool) -> None:
    world, mine = World(), auth(in_form=in_form)
    assert [world.get(mine) for _ in range(5)] == [200] * 5
    assert world.token_requests == 1
    world.now += 269
    assert world.get(mine) == 200
    assert world.token_requests == 1
    world.now += 1  # 30 s before the end
    assert world.get(mine) == 200
    assert world.token_requests == 2


def test_programs_that_began_together_renew_at_different_times() -> None:
    """Up to half of the thirty seconds earlier, by chance."""
    world, mine = World(), auth()
    world.random = lambda n: b"\xff" * n
    assert world.get(mine) == 200
    world.now += 254
    assert (world.get(mine), world.token_requests) == (200, 1)
    world.now += 1
    assert (world.get(mine), world.token_requests) == (200, 2)


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
def test_a_clock_that_jumps_costs_one_token_and_no_more(jump: float) -> None:
    world, mine = World(), auth()
    assert world.get(mine) == 200
    world.now += jump
    assert [world.get(mine) for _ in range(5)] == [200] * 5
    assert world.token_requests == 2


def test_a_401_fetches_one_new_token_and_tries_once_more() -> None:
    world, mine = World(), auth()
    assert world.get(mine) == 200
    assert mine.token is not None
    world.revoked.add(b"Bearer " + mine.token.value.encode())
    assert world.get(mine) == 200
    assert world.token_requests == 2


def test_a_401_that_stays_is_the_callers_answer_after_one_more_try() -> None:
    world = World()
    world.guard = Guard([OAuth2Verifier(Key.generate("HS256"), issuer=ISSUER, audience=AUDIENCE)])
    assert world.get(auth()) == 401
    assert world.token_requests == 2


def test_threads_share_one_token_request() -> None:
    world, mine = World(), auth()
    gate = threading.Barrier(32)
    statuses: list[int] = []

    def work() -> None:
        gate.wait()
        statuses.append(world.get(mine))

    threads = [threading.Thread(target=work) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 32
    assert world.token_requests == 1


def test_a_token_store_spares_another_process_the_token_request() -> None:
    world, tokens = World(), MemoryStore()
    for mine in (auth(), auth()):
        drive = Drive(mine, GET, ClientContext(bytes, now=world.clock), store=tokens)
        effect = drive.advance()
        while effect is not None:
            effect = drive.advance(world.send(effect))
        drive.close()
    assert world.token_requests == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b'{"error":"invalid_client"}', "401: invalid_client"),
        (400, b'{"error":"line\\nbreak"}', "400: no error code"),
        (500, b"<html>", "500 without a JSON object"),
        (200, b"[]", "200 without a JSON object"),
        (200, b'{"access_token":"a"}', "no bearer token"),
        (200, b'{"access_token":1,"token_type":"bearer"}', "no bearer token"),
        (200, b'{"access_token":"a","token_type":"mac"}', "no bearer token"),
    ],
)
def test_a_token_response_that_cannot_be_used_says_why(status: int, body: bytes, said: str) -> None:
    with pytest.raises(CredentialsUnavailable, match=said):
        run(auth(), GET, lambda effect: Received(Response(status), body), ClientContext(bytes))


def test_a_failed_token_request_leaves_the_lock_free() -> None:
    mine = auth()
    for _ in range(2):
        with pytest.raises(CredentialsUnavailable):
            run(mine, GET, lambda effect: Received(Response(500), b""), ClientContext(bytes))
    assert World().get(mine) == 200


@pytest.mark.parametrize(
    ("lifetime", "expires"), [('"3600"', 3600.0), ("3600", 3600.0), ("null", None), ("true", None)]
)
def test_expires_in_may_be_text_or_absent(lifetime: str, expires: float | None) -> None:
    mine = auth()
    body = f'{{"access_token":"a","token_type":"bearer","expires_in":{lifetime}}}'.encode()
    run(mine, GET, lambda effect: Received(Response(200), body), ClientContext(bytes, now=lambda: 0.0))
    assert mine.token is not None
    assert mine.token.expires == expires


def test_secrets_stay_out_of_repr_and_cleartext() -> None:
    world, mine = World(), auth()
    world.get(mine)
    assert mine.token is not None
    assert "s3cret" not in repr(mine)
    assert mine.token.value not in repr(mine) + repr(mine.token)
    for url, error in (
        ("http://id.example/token", "in the clear"), ("ftp://id.example/", "http"), ("https://u@id.example/", "user"),
    ):  # fmt: skip
        with pytest.raises(ConfigurationError, match=error):
            OAuth2Auth(url, "robot", "s3cret")
    with pytest.raises(ConfigurationError, match="list"):
        OAuth2Auth("https://id.example/token", "robot", "s3cret", scope="read write")
    with pytest.raises(ConfigurationError, match="in the clear"):
        run(mine, Request("GET", "http", "api.example", "/"), world.send, ClientContext(bytes, now=world.clock))
