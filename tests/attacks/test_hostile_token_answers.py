"""Whatever a token endpoint answers, the client gets a token or `CredentialsUnavailable`, and no error holds the answer."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import CredentialsUnavailable, OAuth2Auth, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send

NOW = 1_700_000_000.0
TOKEN = "t0ken-of-somebody"
START = f'{{"access_token":"{TOKEN}","token_type":"bearer"'.encode()


def ask(body: bytes, status: int = 200) -> list[bytes]:
    """The Authorization lines of the caller's request once the endpoint answered like this."""
    sent: list[bytes] = []

    def send(effect: Send) -> Received:
        if effect.want:
            return Received(Response(status), body)
        sent.extend(effect.request.values(b"authorization"))
        return Received(Response(200))

    auth = OAuth2Auth("https://id.example/token", "robot", "s3cret")
    run(auth, Request("GET", "https", "api.example", "/"), send, ClientContext(bytes, now=lambda: NOW))
    return sent


@pytest.mark.parametrize(
    "body",
    [
        START + b',"x":"\xff"}',  # not UTF-8: the decoder's own error would hold the answer
        b'{"access_token":"' + TOKEN.encode() + b'\xff","token_type":"bearer"}',
        START + b',"x":' + b"[" * 100_000,
        b'{"a":' * 5_000,
        START.replace(TOKEN.encode(), TOKEN.encode() + b"\\r\\nX-Admin: 1") + b"}",
        START.replace(TOKEN.encode(), TOKEN.encode() + b"\\u0000") + b"}",
    ],
)
def test_an_answer_that_is_none_is_the_typed_error(body: bytes) -> None:
    with pytest.raises(CredentialsUnavailable) as caught:
        ask(body)
    error: BaseException | None = caught.value
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    while error is not None:  # what a logger that follows every context would find
        assert TOKEN not in repr(error) + repr(vars(error)) and TOKEN.encode() not in getattr(error, "object", b"")
        error = error.__context__


@pytest.mark.parametrize(
    "lifetime", [b"9" * 400, b"1e308", b"-1", b"1e-300", b'"' + b"9" * 400 + b'"', b"true", b"null", b"{}"]
)
def test_a_strange_lifetime_gives_a_token_all_the_same(lifetime: bytes) -> None:
    assert ask(START + b',"expires_in":' + lifetime + b"}") == [f"Bearer {TOKEN}".encode()]


@given(
    st.one_of(st.binary(max_size=200), st.builds(lambda rest: START + rest, st.binary(max_size=50))),
    st.integers(100, 599),
)
def test_any_octets_give_a_token_or_the_typed_error(body: bytes, status: int) -> None:
    try:
        sent = ask(body, status)
    except CredentialsUnavailable as error:
        assert str(error).isprintable()
    else:
        assert all(line.startswith(b"Bearer ") and line.decode("latin-1").isprintable() for line in sent)
