"""Somebody between client and server, who sees all and may change all, gets no answer believed that the server did not give."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.clients.kinds import KINDS
from tests.clients.origin import Answer, Seen, origin
from tests.clients.sealed_origin import sealing
from watchword import BearerAuth, Guard, JWTAuth, JWTVerifier, Key, Reason
from watchword.crypto.digests import digest
from watchword.fields.content_digest import digest_field
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.schemes.signatures.sealed import ResponseUnproven, SealedAuth

KEY = Key.from_secret("s" * 32, algorithm="hmac-sha256", key_id="seal-1")
ANOTHER = Key.from_secret("t" * 32, algorithm="hmac-sha256", key_id="seal-1")
TOKENS = Key.from_secret("u" * 32, algorithm="HS256")
AUTH = JWTAuth(TOKENS, claims={"sub": "alice"})


def content(seen: Seen) -> Answer:
    return 200, [("Content-Type", "text/plain")], b"owes 7 to " + seen.target.encode()


def guard(key: Key = KEY) -> Guard:
    return Guard([JWTVerifier(TOKENS)], seal=SignatureSeal(key))


def changed(name: str, change: Any) -> Any:
    """The answer with one field changed, or without it."""

    def tamper(seen: Seen, answer: Answer) -> Answer:
        status, lines, body = answer
        return (
            status,
            [(n, change(v)) if n == name else (n, v) for n, v in lines if n != name or change is not None],
            body,
        )

    return tamper


def swapped_body(seen: Seen, answer: Answer) -> Answer:
    return answer[0], answer[1], answer[2].replace(b"7", b"8")


def swapped_body_with_its_digest(seen: Seen, answer: Answer) -> Answer:
    status, lines, body = swapped_body(seen, answer)
    fresh = digest_field({"sha-256": digest("sha-256", body)}).decode()
    return status, [(n, fresh if n == "content-digest" else v) for n, v in lines], body


def stripped(seen: Seen, answer: Answer) -> Answer:
    return answer[0], [(n, v) for n, v in answer[1] if not n.startswith("signature")], answer[2]


def another_digest_in_front(seen: Seen, answer: Answer) -> Answer:
    status, lines, _ = answer
    body = b"owes 8"
    return status, [("content-digest", digest_field({"sha-512": digest("sha-512", body)}).decode()), *lines], body


def of_nobodys_key(seen: Seen, answer: Answer) -> Answer:
    return sealing(guard(ANOTHER), content)(seen)


ATTACKS = {
    "the status is swapped": (lambda seen, answer: (201, answer[1], answer[2]), Reason.WRONG_SIGNATURE),
    "the body is swapped": (swapped_body, Reason.WRONG_BODY),
    "the body is swapped with its digest": (swapped_body_with_its_digest, Reason.WRONG_SIGNATURE),
    "a digest is put in front": (another_digest_in_front, Reason.WRONG_SIGNATURE),
    "the body is cut off": (lambda seen, answer: (answer[0], answer[1], answer[2][:4]), Reason.WRONG_BODY),
    "the body is left out": (lambda seen, answer: (answer[0], answer[1], b""), Reason.WRONG_BODY),
    "the content type is swapped": (changed("content-type", lambda _: "text/html"), Reason.WRONG_SIGNATURE),
    "the content type is taken away": (changed("content-type", None), Reason.MISSING_COMPONENT),
    "the digest is taken away": (changed("content-digest", None), Reason.MISSING_COMPONENT),
    "the signature is stripped": (stripped, Reason.NO_CREDENTIALS),
    "the signature is emptied": (changed("signature", lambda _: "seal=::"), Reason.WRONG_SIGNATURE),
    "the signature is garbage": (changed("signature", lambda _: "seal=garbage"), Reason.MALFORMED_CREDENTIALS),
    "a label is swapped": (changed("signature", lambda v: v.replace("seal", "other")), Reason.MALFORMED_CREDENTIALS),
    "the coverage is narrowed": (
        changed("signature-input", lambda v: re.sub(r"\(.*\)", '("@status")', v)), Reason.WRONG_SIGNATURE,
    ),
    "nothing is covered": (changed("signature-input", lambda v: re.sub(r"\(.*\)", "()", v)), Reason.WRONG_SIGNATURE),
    "the nonce is swapped": (changed("signature-input", lambda v: re.sub('nonce="[^"]*"', 'nonce="x"', v)), Reason.WRONG_SIGNATURE),
    "the key is another of that name": (of_nobodys_key, Reason.WRONG_SIGNATURE),
    "the key id is swapped": (changed("signature-input", lambda v: v.replace("seal-1", "seal-2")), Reason.UNKNOWN_KEY),
    "the algorithm is swapped": (changed("signature-input", lambda v: v + ';alg="ed25519"'), Reason.WRONG_ALGORITHM),
    "the expiry is put off": (
        changed("signature-input", lambda v: re.sub(r"expires=\d+", "expires=99999999999", v)), Reason.WRONG_SIGNATURE,
    ),
    "the answer is of before the expiry": (
        changed("signature-input", lambda v: re.sub(r"created=\d+", "created=1", v)), Reason.WRONG_SIGNATURE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_what_is_changed_on_the_way_is_not_believed(attack):
    tamper, reason = ATTACKS[attack]
    with origin(sealing(guard(), content, tamper)) as server, pytest.raises(ResponseUnproven) as unproven:
        KINDS["requests"].send("GET", server.url + "/alice", KINDS["requests"].adapt(SealedAuth(KEY, AUTH)))
    assert unproven.value.unproven.rejection.reason is reason


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (stripped, Reason.NO_CREDENTIALS),
        (lambda seen, answer: (200, answer[1], answer[2]), Reason.WRONG_SIGNATURE),
        (lambda seen, answer: (401, [("WWW-Authenticate", 'Basic realm="phish"')], b""), Reason.NO_CREDENTIALS),
        (changed("www-authenticate", lambda _: 'Basic realm="phish"'), Reason.WRONG_SIGNATURE),
        (lambda seen, answer: (500, [], b"oops"), Reason.NO_CREDENTIALS),
        (lambda seen, answer: (302, [("Location", "https://evil.example/")], b""), Reason.NO_CREDENTIALS),
    ],
)
def test_a_refusal_is_proven_like_any_answer(kind, tamper, reason):
    kind = KINDS[kind]
    with origin(sealing(guard(), content, tamper)) as server, pytest.raises(ResponseUnproven) as unproven:
        kind.send("GET", server.url + "/a", kind.adapt(SealedAuth(KEY, BearerAuth("wrong"))), follow=False)
    assert unproven.value.unproven.rejection.reason is reason


def test_an_answer_to_another_request_is_not_believed():
    """One that was asked for at the same time, of another target, or of the same: each has a nonce of its own."""
    taped: list[Answer] = []

    def tape(seen: Seen, answer: Answer) -> Answer:
        taped.append(answer)
        return answer

    send, auth = KINDS["requests"].send, KINDS["requests"].adapt(SealedAuth(KEY, AUTH))
    with origin(sealing(guard(), content, tape)) as server:
        assert send("GET", server.url + "/alice", auth).status == 200
        server.answer = lambda seen: taped[0]
        for method, target, reason in (
            ("GET", "/alice", Reason.BINDING_MISMATCH),
            ("GET", "/bob", Reason.WRONG_SIGNATURE),
            ("GET", "/alice?all=1", Reason.WRONG_SIGNATURE),
            ("DELETE", "/alice", Reason.WRONG_SIGNATURE),
        ):
            with pytest.raises(ResponseUnproven) as unproven:
                send(method, server.url + target, auth)
            assert unproven.value.unproven.rejection.reason is reason


def test_the_answer_to_what_somebody_else_was_asked_is_not_believed():
    """Whoever may ask the server himself gets it to sign for his request, not for that of another."""

    def asks_himself(seen: Seen) -> Answer:
        fields = {**seen.fields, "host": ["127.0.0.1:1"]}
        return sealing(guard(), content)(Seen(seen.method, seen.target, fields, seen.body))

    with origin(asks_himself) as server, pytest.raises(ResponseUnproven, match="wrong_signature"):
        KINDS["requests"].send("GET", server.url + "/alice", KINDS["requests"].adapt(SealedAuth(KEY, AUTH)))


def test_a_nonce_of_the_client_is_not_taken_from_the_answer():
    def asked_for_less(seen: Seen) -> Answer:
        fields = {**seen.fields, "accept-signature": ['seal=("@status");nonce="mine"']}
        return sealing(guard(), content)(Seen(seen.method, seen.target, fields, seen.body))

    with origin(asked_for_less) as server, pytest.raises(ResponseUnproven, match="binding_mismatch"):
        KINDS["requests"].send("GET", server.url + "/alice", KINDS["requests"].adapt(SealedAuth(KEY, AUTH)))


def test_the_seals_key_signs_for_no_other_purpose_however_it_is_asked():
    """A tag that the client names says what a signature is for: one for key directories, or for bots, is never given."""
    for tag in ("http-message-signatures-directory", "web-bot-auth"):
        with origin(sealing(guard(), content, optional=True)) as server:
            asked = {"Accept-Signature": f'x=("content-digest" "@authority";req);created;expires;tag="{tag}"'}
            got = KINDS["requests"].send("GET", server.url + "/a", None, headers=asked)
        assert tag not in got.response.headers["signature-input"]
