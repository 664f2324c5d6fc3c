"""An issuer on the internet has nobody ask what only this host can reach, by whichever URL it names."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from tests.oauth_world import World
from watchword import (
    AuthorizationCode,
    ClientCredentials,
    ClientSecret,
    CredentialsUnavailable,
    Device,
    OAuth2Auth,
    Request,
)
from watchword.core.message import Peer
from watchword.effects import SendTerms
from watchword.transport import whereto
from watchword.transport.flow import ClientContext, arun, run
from watchword.transport.never_sent import Refused
from watchword.transport.whereto import check_address, may_be_private

GET = Request("GET", "https", "api.example", "/")
INTERNET = {
    "issuer.example": ["93.184.215.14"],
    "id.corp": ["10.1.2.3"],
    "token.corp": ["10.1.2.4"],
    "both.example": ["93.184.215.14", "10.0.0.1"],
}
INSIDE = [
    "127.0.0.1",
    "169.254.169.254",
    "[::1]",
    "10.0.0.1",
    "token.corp",
    "both.example",
    "localhost",
    "[::ffff:10.0.0.1]",
    "2130706433",
    "0",
]


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of the internet, without asking it."""
    real = socket.getaddrinfo

    def look_up(host: str, port: object, *rest: Any, **more: Any) -> Any:
        if host in INTERNET:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in INTERNET[host]]
        if host.endswith(".example"):
            raise socket.gaierror
        return real(host, port, *rest, **more)

    monkeypatch.setattr(whereto.socket, "getaddrinfo", look_up)


def auth_of(world: World, grant: Any) -> OAuth2Auth:
    return world.auth(grant=grant, scope=["openid"])


@pytest.mark.parametrize("host", INSIDE)
@pytest.mark.parametrize(
    ("endpoint", "grant"), [("token_endpoint", ClientCredentials()), ("device_authorization_endpoint", Device())]
)
@pytest.mark.parametrize("on_a_loop", [False, True])
def test_no_request_goes_inside(host: str, endpoint: str, grant: Any, on_a_loop: bool) -> None:
    world = World()
    world.issuer.claimed[endpoint] = f"https://{host}/latest/meta-data"
    asked: list[str] = []

    def send(effect: Any) -> Any:
        asked.append(effect.request.authority)
        return world.issuer.answer(effect.request, effect.body or b"")

    async def send_later(effect: Any) -> Any:
        return send(effect)

    context = ClientContext(bytes, now=world.clock)
    with pytest.raises(Refused, match="is not on the public internet"):
        if on_a_loop:
            asyncio.run(arun(auth_of(world, grant), GET, send_later, context, ask=lambda ask: ""))
        else:
            run(auth_of(world, grant), GET, send, context, ask=lambda ask: "")
    assert asked == ["issuer.example"]


def test_keys_are_not_fetched_inside_either() -> None:
    world = World()
    world.issuer.claimed["jwks_uri"] = "https://169.254.169.254/latest/meta-data"
    auth = auth_of(world, AuthorizationCode("https://shop.example/callback"))
    asked: list[str] = []

    def send(effect: Any) -> Any:
        asked.append(effect.request.authority)
        return world.issuer.answer(effect.request, effect.body or b"")

    with pytest.raises(Refused, match="is not on the public internet"):
        run(auth, GET, send, ClientContext(bytes, now=world.clock), ask=lambda ask: world.visit(ask.url))
    assert set(asked) == {"issuer.example"}


@pytest.mark.parametrize(
    ("own", "host", "taken"),
    [
        ("issuer.example", "issuer.example", True),
        ("issuer.example", "token.corp", False),
        ("id.corp", "token.corp", True),
        ("id.corp", "issuer.example", True),
        ("127.0.0.1", "localhost", True),
        ("both.example", "token.corp", False),
        ("unknown.example", "token.corp", False),
        ("", "token.corp", True),
    ],
)
def test_it_may_be_private_only_where_the_callers_own_url_is(own: str, host: str, taken: bool) -> None:
    request = Request("POST", "https", host, "/token")
    if taken:
        check_address(request, SendTerms(learnt_from=own))
    else:
        with pytest.raises(Refused):
            check_address(request, SendTerms(learnt_from=own))
        assert not may_be_private(SendTerms(learnt_from=own))


def test_what_a_proxy_sends_on_is_the_proxys_to_look_up() -> None:
    check_address(
        Request("POST", "https", "token.corp", "/", (), Peer("", relay="a proxy")),
        SendTerms(learnt_from="issuer.example"),
    )


@pytest.mark.parametrize(
    "url", ["http://issuer.example/token", "http://127.0.0.1/token", "gopher://issuer.example/", "file:///etc/passwd"]
)
def test_an_https_issuer_leads_out_of_https_by_no_url(url: str) -> None:
    world = World()
    world.issuer.claimed["token_endpoint"] = url
    with pytest.raises(
        CredentialsUnavailable, match="token_endpoint in the metadata of https://issuer.example is no https URL"
    ):
        world.perform(auth_of(world, ClientCredentials()).log_in())
    assert [send.request.method for send in world.sent] == ["GET"]


def test_an_issuer_over_http_is_not_asked_at_all_but_on_this_host() -> None:
    with pytest.raises(ValueError, match="in the clear"):
        OAuth2Auth(issuer="http://issuer.example", client=ClientSecret("shop", "s"), grant=ClientCredentials())
