"""A client proves itself as it is registered, and its secret is encoded as the RFC has it."""

from __future__ import annotations

from base64 import b64decode
from urllib.parse import parse_qs

import pytest

from tests.oauth_world import World
from watchword import ClientCredentials, ClientSecret, ConfigurationError, Key, PrivateKeyJWT, PublicClient
from watchword.effects import Send
from watchword.transport.flow import ClientContext

LONG = "a secret that is long enough to sign with"
PAIR = Key.generate("ES256", key_id="2026")


def sent_by(client: PublicClient) -> Send:
    """The token request of a client that the issuer has given a token."""
    world = World()
    world.issuer.add_client(
        "robot",
        LONG if isinstance(client, ClientSecret) else None,
        key=PAIR if isinstance(client, PrivateKeyJWT) else None,
    )
    assert world.perform(world.auth(client=client, grant=ClientCredentials(), scope=[]).log_in()).value
    return world.sent[-1]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_a_secret_is_sent_or_signed_with(method: str) -> None:
    send = sent_by(ClientSecret("robot", LONG, method=method))
    form = parse_qs((send.body or b"").decode())
    assert ("client_secret" in form) is (method == "client_secret_post")
    assert bool(send.request.values(b"authorization")) is (method == "client_secret_basic")
    assert ("client_assertion" in form) is (method == "client_secret_jwt")


def test_a_key_signs_for_the_issuer_and_for_one_minute() -> None:
    form = parse_qs((sent_by(PrivateKeyJWT("robot", PAIR)).body or b"").decode())
    payload = b64decode(form["client_assertion"][0].split(".")[1] + "==", altchars=b"-_")
    assert b'"aud":"https://issuer.example"' in payload and LONG.encode() not in payload
    sent_by(PrivateKeyJWT("robot", PAIR, audience="https://issuer.example/token"))


def test_basic_has_a_space_as_20_and_encode_false_leaves_all_as_it_is() -> None:
    def basic(**options: bool) -> bytes:
        headers = ClientSecret("a b:c", "p+q %&ü", **options).prove(ClientContext(bytes), "").headers
        return b64decode(headers[0][1].removeprefix(b"Basic "))

    assert basic() == b"a%20b%3Ac:p%2Bq%20%25%26%C3%BC"
    with pytest.raises(ConfigurationError, match="colon"):
        basic(encode=False)
    headers = ClientSecret("a b", "p+q %&ü", encode=False).prove(ClientContext(bytes), "").headers
    assert b64decode(headers[0][1].removeprefix(b"Basic ")) == "a b:p+q %&ü".encode()


def test_what_cannot_be_a_client_says_what_to_change() -> None:
    with pytest.raises(ConfigurationError, match="client_id is empty"):
        PublicClient("")
    with pytest.raises(ConfigurationError, match="client_secret is empty"):
        ClientSecret("robot", "")
    with pytest.raises(ConfigurationError, match="client_secret_basic, client_secret_post, client_secret_jwt"):
        ClientSecret("robot", "x", method="private_key_jwt")
    with pytest.raises(ConfigurationError, match="32 bytes"):
        ClientSecret("robot", "short", method="client_secret_jwt")
    for key in (Key.generate("HS256"), Key.from_jwk(PAIR.to_jwk(), algorithm="ES256")):
        with pytest.raises(ConfigurationError, match="key pair"):
            PrivateKeyJWT("robot", key)
