"""An impostor that accepts whatever it is sent can't say that it knows the password (RFC 7616 §3.5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.schemes.digest_world import PASSWORD, USER, World, ask, params, request
from watchword import DigestAuth, Response
from watchword.effects import Received, Send
from watchword.fields.auth_params import parse_auth_info
from watchword.schemes.digest import ServerUnproven

Forge = Callable[[dict[str, str], dict[str, str]], str]


@pytest.mark.parametrize(
    "forge",
    [
        lambda sent, genuine: sent["response"],  # reflected: A2 has no method in the server's direction
        lambda sent, genuine: "0" * 64,
        lambda sent, genuine: genuine["rspauth"][:-1],
        lambda sent, genuine: genuine["rspauth"] + "0",
        lambda sent, genuine: genuine["rspauth"][:32],
    ],
)
def test_a_forged_proof_is_refused(forge: Forge) -> None:
    world = World()

    def impostor(effect: Send) -> Received:
        received = world.send(effect)
        if received.response.status == 401:
            return received
        genuine = parse_auth_info(received.response.values(b"authentication-info")[0])
        proof = forge(params(effect.request), genuine)
        return Received(Response(200, {"Authentication-Info": f'rspauth="{proof}", qop=auth'}))

    with pytest.raises(ServerUnproven, match="wrong proof"):
        ask(DigestAuth(USER, PASSWORD, require_mutual=True), impostor, request())


def test_the_proof_of_another_request_is_refused() -> None:
    """Recorded from the genuine server: it covers nonce, count, client nonce and uri."""
    world, recorded = World(), []

    def impostor(effect: Send) -> Received:
        received = world.send(effect)
        lines = received.response.values(b"authentication-info")
        recorded.extend(lines)
        return Received(Response(200, {"Authentication-Info": recorded[0]})) if lines else received

    auth = DigestAuth(USER, PASSWORD, require_mutual=True)
    assert ask(auth, impostor, request()).status == 200
    with pytest.raises(ServerUnproven, match="wrong proof"):
        ask(auth, impostor, request())
