"""The table of fields that are changed on their way, through every client adapter over sockets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.attacks.sealed_between import ANSWER_FIELDS, CHANGES, REQUEST_FIELDS, value_of
from tests.clients.kinds import KINDS
from tests.clients.origin import Answer, Seen, origin
from tests.clients.sealed_origin import sealing
from watchword import (
    APIKeyVerifier, BasicAuth, BasicVerifier, DigestAuth, DigestVerifier, Guard, JWTAuth, JWTVerifier, Key, Rejected, Request,
    ResponseUnproven, SealedAuth, SignatureSeal,
)  # fmt: skip
from watchword.core.io import once
from watchword.stores import MemoryStore

pytestmark = pytest.mark.sweep

KEY = Key.generate("ed25519", key_id="seal-1")
TOKENS = Key.generate("HS256")
ALICE = JWTAuth(TOKENS, claims={"sub": "alice"})
GUARD = Guard([JWTVerifier(TOKENS), APIKeyVerifier(header="X-API-Key")], MemoryStore(), seal=SignatureSeal(KEY))
THERE_ANYHOW = ("accept", "accept-encoding", "want-content-digest", "authorization", "content-type")
NOT_MISSED = ("x-tenant",)


def with_field(lines: list[tuple[str, str]], name: str, change: str) -> list[tuple[str, str]]:
    others = [line for line in lines if line[0] != name]
    return others if change == "removed" else [*others, (name, "another")]


class Between:
    """Somebody who does one thing to a request, or to its answer."""

    def __init__(self, *, optional: bool = True) -> None:
        self.on_request = self.on_answer = ("", "")
        self.plain: list[tuple[str, str]] = []
        self.optional = optional

    def __call__(self, seen: Seen) -> Answer:
        name, change = self.on_request
        if name:
            lines = [(field, value) for field, values in seen.fields.items() for value in values]
            fields: dict[str, list[str]] = {}
            for field, value in with_field(lines, name, change):
                fields.setdefault(field, []).append(value)
            seen = seen._replace(fields=fields)
        status, lines, body = sealing(GUARD, lambda _: (200, self.plain, b"owes 7"), optional=self.optional)(seen)
        name, change = self.on_answer
        return status, with_field(lines, name, change) if name else lines, body


@pytest.mark.parametrize("name", list(KINDS))
def test_no_adapter_believes_an_answer_where_a_field_was_changed_on_its_way(name: str) -> None:
    kind, between = KINDS[name], Between()
    adapted = kind.adapt(SealedAuth(KEY, ALICE))

    def believed(headers: dict[str, str]) -> bool:
        try:
            got = kind.send("POST", server.url + "/pay", adapted, content=b"pay bob", headers=headers)
        except ResponseUnproven:
            return False
        assert got.body == b"owes 7"
        return True

    wrong: list[tuple[str, ...]] = []
    with origin(between) as server:
        for field in REQUEST_FIELDS:
            there = {} if field in ("authorization", "accept-encoding", "x-api-key") else {field: "one"}
            between.on_request = ("", "")
            if not believed(there):
                wrong.append(("request", field, "untouched"))
            for change in CHANGES:
                if change == "added" and field in (*THERE_ANYHOW, *NOT_MISSED):
                    continue
                if change == "removed" and field == "x-api-key":
                    continue
                between.on_request = (field, change)
                if believed({} if change == "added" else there):
                    wrong.append(("request", field, change))
        between.on_request = ("", "")
        for field in ANSWER_FIELDS:
            for change in ("untouched", *CHANGES):
                between.plain = [] if change == "added" else [(field, value_of(field).decode())]
                between.on_answer = (field, change) if change != "untouched" else ("", "")
                if believed({}) is not (change == "untouched"):
                    wrong.append(("answer", field, change))
    assert wrong == []


@pytest.mark.parametrize("name", list(KINDS))
def test_a_cookie_that_a_challenge_sets_is_one_that_the_next_try_sends(name: str) -> None:
    """The library puts it into the request after the flow has made that; the answer is for the request as it went out."""
    kind = KINDS[name]
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm="bank")
    guard = Guard([DigestVerifier(realm="bank")], store, seal=SignatureSeal(KEY))
    seen_cookies: list[str | None] = []

    def answer(seen: Seen) -> Answer:
        seen_cookies.append(seen.field("cookie"))
        if seen.field("authorization") is None:
            lines = [(field, value) for field, values in seen.fields.items() for value in values]
            with pytest.raises(Rejected) as rejected:
                guard.admit(Request(seen.method, "http", seen.field("host") or "", seen.target, lines), once(seen.body))
            refusal = rejected.value.refusal
            assert refusal is not None
            refused = refusal._replace(headers=(*refusal.headers, (b"set-cookie", b"session=1"))).response()
            return refused.status, [(n.decode(), v.decode()) for n, v in refused.headers if n != b"content-length"], b""
        return sealing(guard, lambda _: (200, [], b"owes 7"))(seen)

    with origin(answer) as server:
        adapted = kind.adapt(SealedAuth(KEY, DigestAuth("alice", "open sesame")))
        assert kind.send("GET", server.url + "/", adapted, headers={"Cookie": "theme=dark"}).body == b"owes 7"
    assert seen_cookies == ["theme=dark", "theme=dark; session=1"]


@pytest.mark.parametrize("name", list(KINDS))
def test_a_body_that_was_changed_on_its_way_is_refused_under_seal(name: str) -> None:
    kind, acted = KINDS[name], []

    def content(seen: Seen) -> Answer:
        acted.append(seen.body)
        return 200, [], b"paid"

    def between(seen: Seen) -> Answer:
        body = seen.body.replace(b"bob", b"eve")
        return sealing(GUARD, content)(seen._replace(body=body))

    with origin(between) as server:
        got: Any = kind.send("POST", server.url + "/pay", kind.adapt(SealedAuth(KEY, ALICE)), content=b"pay bob")
        assert got.status == 401
        assert (
            kind.send("POST", server.url + "/pay", kind.adapt(SealedAuth(KEY, ALICE)), content=b"pay ann").body
            == b"paid"
        )
    assert acted == [b"pay ann"]


@pytest.mark.parametrize("name", list(KINDS))
def test_basic_through_every_adapter_shows_its_credentials_in_no_covered_component(name: str) -> None:
    kind, store = KINDS[name], MemoryStore()
    store.add_user("alice", "open sesame")
    guard = Guard([BasicVerifier(realm="bank")], store, seal=SignatureSeal(KEY))
    with origin(sealing(guard, lambda _: (200, [], b"owes 7"))) as server:
        got = kind.send("GET", server.url + "/", kind.adapt(SealedAuth(KEY, BasicAuth("alice", "open sesame"))))
    covered = got.response.headers["signature-input"]
    assert '"authorization"' not in covered
    assert '"credentials-digest"' in covered
    assert '"want-credentials-digest";req' in covered
