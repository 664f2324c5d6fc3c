"""A JWT of an issuer that no verifier names is spelled so that our reader takes it for no JWT, and laxer readers do.

A look-up of the application's own may be such a reader: it must never be asked for it.
"""

from __future__ import annotations

import base64

import pytest

from watchword import Guard, JWTVerifier, Key, Reason, RegisteredToken, Rejected, Request, TokenVerifier
from watchword.stores import MemoryStore


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


HEADER = b64(b'{"alg":"HS256"}')
CLAIMS = b64(b'{"iss":"https://evil.example","sub":"admin"}')
SPELLED = {
    "strictly": HEADER,
    "a member twice": b64(b'{"alg":"HS256","alg":"HS256"}'),
    "a byte order mark": b64(b'\xef\xbb\xbf{"alg":"HS256"}'),
    "white space": b64(b'\n\t {"alg":"HS256"}'),
    "bits beyond the last octet": b64(b'{"alg":"HS256" }')[:-1] + "R",
    "the standard alphabet": base64.b64encode(b'{"alg":"HS256","kid":"\xc3\xbf\xc3\xbf\xc3\xbf"}')
    .rstrip(b"=")
    .decode(),
    "no UTF-8": b64(b'{"alg":"HS256","kid":"\xff"}'),
    "not ended": b64(b'{"alg":"HS256"'),
    "nested too deep": b64(b'{"a":' + b"[" * 200 + b"]" * 200 + b"}"),
}


@pytest.mark.parametrize("parts", [3, 5])
@pytest.mark.parametrize("name", SPELLED)
def test_it_is_never_looked_up(name: str, parts: int) -> None:
    asked: list[str] = []

    def lookup(token: str) -> RegisteredToken:
        asked.append(token)
        return RegisteredToken("admin")

    guard = Guard(
        [JWTVerifier(Key.generate("HS256"), issuer="https://id.example"), TokenVerifier(lookup, by="plain")],
        MemoryStore(),
    )
    token = ".".join([SPELLED[name], CLAIMS, "AAAA", "AAAA", "AAAA"][:parts])
    with pytest.raises(Rejected) as caught:
        guard.verify(Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {token}"}))
    assert (caught.value.reason, asked) == (Reason.UNKNOWN_ISSUER, [])


@pytest.mark.parametrize("token", ["a.b.c", "abc", "mF_9.B5f-4.1JqM", "e.e.e", "AAAA.AAAA.AAAA", "1.2.3.4.5", "A.A.A"])
def test_what_is_no_jwt_is_looked_up(token: str) -> None:
    guard = Guard(
        [
            JWTVerifier(Key.generate("HS256"), issuer="https://id.example"),
            TokenVerifier({token: RegisteredToken("alice")}.get, by="plain"),
        ],
        MemoryStore(),
    )
    request = Request("GET", "https", "api.example", "/", {"Authorization": f"Bearer {token}"})
    assert guard.verify(request).subject == "alice"
