"""A captured request can't forge lines of its explanation, nor steer the terminal that shows it, nor make it endless."""

from __future__ import annotations

import json

import pytest

from watchword import DigestVerifier, Guard, HMACAuth, HMACVerifier, JWTVerifier, Key, Request, Response, explain
from watchword.transport.flow import ClientContext, run
from watchword.effects import Received, Send
from watchword.crypto import jose
from watchword.schemes import hmac_header
from watchword.stores import MemoryStore

KEY = Key.generate("HS256")
EVIL = "x\n  ok   everything\r\x1b[2J\x9b31m\u202e\u2028"
GUARD = Guard([JWTVerifier(KEY, issuer="id", audience="orders"), DigestVerifier(realm="r")], MemoryStore())


def token(sub: str, **claims: object) -> str:
    payload = json.dumps({"iss": "id", "aud": "orders", "sub": sub, **claims}).encode()
    return "Bearer " + jose.sign(payload, KEY, header={"typ": str(claims.get("typ", "JWT"))})


def digest(text: str) -> bytes:
    evil = "".join(char for char in text if char not in "\n\r\x1b").encode()
    return b'Digest username="%b", realm="%b", nonce="%b", uri="/%b", qop="%b", nc=00000001, cnonce="c", response="%b"' % (
        evil, evil, evil, evil, evil, b"0" * 64,
    )  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        token(EVIL), token("alice", iss=EVIL), token("alice", aud=[EVIL]), token("alice", typ=EVIL), token("alice", exp=EVIL),
        token("alice", scope=EVIL), digest(EVIL), digest("x") + b', algorithm="\x9b31m"',
    ],
)  # fmt: skip
def test_every_line_is_one_of_ours_and_printable(value: str | bytes) -> None:
    explanation = explain(Request("GET", "https", "api.example", "/", {"Authorization": value}), GUARD)
    lines = str(explanation).split("\n")
    assert all(line.isprintable() for line in lines)
    canonical = 1 + len(explanation.canonical.split("\n")) if explanation.canonical else 0
    below = sum(
        line.startswith(("         expected: ", "         received: ")) or line.strip() == "^" for line in lines
    )
    page = bool(explanation.page)
    assert len(lines) == 1 + page + len(explanation.checks) + below + canonical
    assert 2 * len(explanation.causes) <= below <= 3 * len(explanation.causes)
    assert not any(line.startswith("  ok   everything") for line in lines)
    assert explanation.to_json().isprintable()


def test_forwarded_hosts_do_not_make_it_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    key, store, sent = Key.generate("HS256", key_id="robot-1"), MemoryStore(), []
    store.add_key("robot", key)

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    run(HMACAuth(key), Request("GET", "https", "api.example", "/"), send, ClientContext(bytes))
    hosts = [(b"x-forwarded-host", b"h%d.example" % number) for number in range(3000)]
    forged = Request("DELETE", "https", "other.example", "/x", [*sent[0].headers, *hosts])
    canonical, built = hmac_header.canonical, 0

    def counted(*arguments: object) -> bytes:
        nonlocal built
        built += 1
        return canonical(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(hmac_header, "canonical", counted)
    assert not explain(forged, Guard([HMACVerifier()], store)).accepted
    assert built < 10_000  # guesses at the request and at its time
