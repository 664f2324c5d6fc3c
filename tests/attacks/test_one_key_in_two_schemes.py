"""A key that was registered for two schemes makes no credentials of one out of those of the other.

X-HMAC is the exception, and its module says so: it signs any body, so its key must be used for nothing else.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword import Guard, HMACAuth, HMACVerifier, JWTVerifier, Key, Rejected, Request, Response
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send
from watchword.crypto import jose
from watchword.schemes.hmac_header import PresentedCredentials, canonical, encode
from watchword.stores import MemoryStore

KEY = Key.generate("HS256", key_id="shared")
STORE = MemoryStore()
STORE.add_key("robot", KEY)
GUARD = Guard([HMACVerifier(), JWTVerifier(KEY)], STORE)
TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40)


def signed() -> tuple[Request, PresentedCredentials]:
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(HMACAuth(KEY), Request("GET", "https", "api.example", "/"), send, ClientContext(bytes))
    fields = dict(
        part.split(b"=", 1) for part in sent[0].values(b"authorization")[0].removeprefix(b"HMAC ").split(b", ")
    )
    values = {name.decode(): value.strip(b'"').decode() for name, value in fields.items()}
    return sent[0], PresentedCredentials(*(values[name] for name in ("keyid", "timestamp", "nonce", "digest", "mac")))


def test_the_mac_of_a_request_signs_no_token() -> None:
    request, params = signed()
    covered = canonical(params, request.method, request.authority, request.target)
    for text in (covered, covered.replace(b"\n", b"."), b"e30." + covered):
        with pytest.raises(Rejected):
            JWTVerifier(KEY).verify(text + b"." + params.mac.encode())
    with pytest.raises(Rejected):
        JWTVerifier(KEY).verify(jose.sign(b'{"sub":"alice"}', KEY).rpartition(".")[0] + "." + params.mac)


def test_the_signature_of_a_token_is_the_mac_of_no_request() -> None:
    request, params = signed()
    forged = params._replace(mac=jose.sign(b'{"sub":"robot"}', KEY).rpartition(".")[2])
    with pytest.raises(Rejected):
        GUARD.verify(request.with_headers(((b"authorization", encode(forged)),)))


@given(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT)
def test_no_canonical_string_is_a_signing_input(
    key_id: str, timestamp: str, nonce: str, digest: str, method: str, authority: str, target: str
) -> None:
    """A signing input (RFC 7515 §5.1) has neither spaces nor line ends; every canonical string has both."""
    text = canonical(PresentedCredentials(key_id, timestamp, nonce, digest, ""), method, authority, target.encode())
    assert text.startswith(b"HMAC 1\n") and text.endswith(b"\n")
    with pytest.raises(Rejected):
        JWTVerifier(KEY).verify(text + b"." + jose.sign(b"{}", KEY).rpartition(".")[2].encode())
