"""The article's X-HMAC: what it covers is verified, what it doesn't cover is as loud as its name says."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import ConfigurationError, Guard, Key, Reason, Rejected, ReplayableBodyHMACAuth
from watchword import ReplayableBodyHMACVerifier, Request, Response, explain
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send

SECRET = b"your_secret_key, made longer: thirty-two octets at least"
KEY = Key.from_secret(SECRET, algorithm="HS256")
MESSAGE = b"this is the message"
GUARD = Guard([ReplayableBodyHMACVerifier(KEY, subject="partner", scopes=frozenset({"read"}))])


def post(mac: str | bytes) -> Request:
    return Request("POST", "https", "api.example", "/", [("X-HMAC", mac)])


def test_the_articles_own_signature_is_accepted() -> None:
    signature = hmac.new(SECRET, MESSAGE, hashlib.sha256).digest()
    who = GUARD.verify(post(signature.hex()), MESSAGE)
    assert (who.subject, who.scheme, who.scopes) == ("partner", "replayable_body_hmac", {"read"})


def test_the_client_half_sends_what_the_server_half_accepts() -> None:
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(ReplayableBodyHMACAuth(KEY), Request("POST", "https", "api.example", "/"), send, ClientContext(lambda: MESSAGE))
    assert GUARD.verify(sent[0], MESSAGE).subject == "partner"


def test_another_body_or_key_is_refused() -> None:
    for mac, body in ((KEY.sign(MESSAGE), b"other"), (Key.generate("HS256").sign(MESSAGE), MESSAGE)):
        with pytest.raises(Rejected) as caught:
            GUARD.verify(post(mac.hex()), body)
        assert caught.value.reason is Reason.WRONG_SIGNATURE


@given(st.binary(max_size=80))
def test_any_octets_are_judged(value: bytes) -> None:
    with pytest.raises(Rejected):
        GUARD.verify(post(value), MESSAGE)


def test_two_lines_are_refused() -> None:
    line = ("X-HMAC", KEY.sign(MESSAGE).hex())
    with pytest.raises(Rejected) as caught:
        GUARD.verify(Request("POST", "https", "api.example", "/", [line, line]), MESSAGE)
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


def test_explain_finds_a_line_break() -> None:
    assert "added at its end" in explain(post(KEY.sign(MESSAGE).hex()), GUARD, MESSAGE + b"\n").causes[0].mend


def test_explain_finds_a_secret_in_another_spelling_and_a_body_that_was_written_anew() -> None:
    spelled = Key.from_secret(SECRET.hex(), algorithm="HS256")
    first = explain(post(spelled.sign(MESSAGE).hex()), GUARD, MESSAGE).causes[0]
    assert (first.component, first.received) == ("key", "the secret in hex")
    first = explain(post(KEY.sign(b'{"a": 1}').hex()), GUARD, b'{"a":1}').causes[0]
    assert first.component == "body"
    unexplained = explain(post(b"0" * 64), GUARD, MESSAGE)
    assert unexplained.causes[0].component == "x-hmac"
    assert SECRET.decode() not in str(unexplained)


def test_the_client_shows_what_the_server_covers() -> None:
    request = post(KEY.sign(MESSAGE).hex())
    auth = ReplayableBodyHMACAuth(KEY)
    assert auth.canonical(request, MESSAGE) == explain(request, GUARD, MESSAGE).canonical
    with pytest.raises(ConfigurationError, match="no X-HMAC"):
        auth.canonical(Request("GET", "https", "h", "/"))


def test_other_keys_are_refused_at_construction() -> None:
    with pytest.raises(ConfigurationError, match="HS256"):
        ReplayableBodyHMACAuth(Key.generate("HS512"))
