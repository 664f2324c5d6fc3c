"""Every field on which something depends, changed, taken out or put in on its way, in either direction: no answer is believed.

The untouched answer is, for each of the same fields.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.attacks.sealed_between import (
    ALICE, ANSWER_FIELDS, BODY, BOB, CHANGES, CONTENT, KEYS, MADE_BY_THE_CLIENT, NOW, REQUEST_FIELDS, Fields, ask, tampered,
    value_of,
)  # fmt: skip
from watchword import Key, Reason, Request, Response
from watchword.transport.flow import ClientContext
from watchword.crypto.digests import digest
from watchword.fields.content_digest import digest_field
from watchword.schemes.signatures.consequential import CREDENTIALS
from watchword.schemes.signatures.credentials_digest import credentials_digest, wanting
from watchword.schemes.signatures.responses import ResponsePolicy
from watchword.schemes.signatures.seal import SignatureSeal
from watchword.schemes.signatures.sealed import ResponseUnproven, SealedAuth
from watchword.schemes.signatures.wire import read_signatures

pytestmark = pytest.mark.sweep

keys = pytest.mark.parametrize("key", list(KEYS))


def unproven(*arguments: Any, **settings: Any) -> Reason:
    with pytest.raises(ResponseUnproven) as error:
        ask(*arguments, **settings)
    return error.value.unproven.rejection.reason


def field_of_request(name: str, change: str) -> tuple[Fields, Any]:
    """What the caller sends so that the field is there, or isn't; and its auth."""
    if name == "authorization":
        return [], None if change == "added" else ALICE
    there = change != "added" and name not in MADE_BY_THE_CLIENT
    return [(name.encode(), value_of(name))] if there else [], ALICE


ALWAYS_SENT = ("accept-encoding", "want-content-digest")
OF_THE_APPLICATION = "x-tenant"
"""Nobody but the application knows it; where it was never sent, nobody misses it. `request_components` can name it."""


@keys
@pytest.mark.parametrize(
    ("name", "change"),
    [
        (name, change)
        for name in REQUEST_FIELDS
        for change in CHANGES
        if change != "added" or name not in (*ALWAYS_SENT, OF_THE_APPLICATION)
    ],
)
def test_the_answer_to_a_request_that_was_changed_on_the_way_is_not_believed(key, name, change):
    sent, auth = field_of_request(name, change)
    assert unproven(key, sent, [], auth=auth, on_request=tampered(name, change)) in (
        Reason.WRONG_SIGNATURE, Reason.MISSING_COMPONENT, Reason.NOT_COVERED, Reason.BINDING_MISMATCH,
        Reason.MALFORMED_CREDENTIALS,
    )  # fmt: skip


@keys
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("status", [200, 304, 401])
@pytest.mark.parametrize("name", ANSWER_FIELDS)
def test_an_answer_that_was_changed_on_the_way_is_not_believed(key, name, change, status):
    plain = [] if change == "added" else [(name.encode(), value_of(name))]
    reason = unproven(key, [], plain, status=status, on_answer=tampered(name, change))
    expected = {"changed": Reason.WRONG_SIGNATURE, "removed": Reason.MISSING_COMPONENT, "added": Reason.NOT_COVERED}
    assert reason is expected[change]


@keys
def test_the_untouched_answer_is_believed(key):
    for name in REQUEST_FIELDS:
        sent, auth = field_of_request(name, "removed")
        assert ask(key, sent, [], auth=auth).response.status == (401 if name == "x-api-key" else 200)
    for name in ANSWER_FIELDS:
        for status in (200, 206, 304, 401, 500):
            assert ask(key, [], [(name.encode(), value_of(name))], status=status).response.status == status
    everything = [
        (name.encode(), value_of(name)) for name in REQUEST_FIELDS if name not in ("authorization", "x-api-key")
    ]
    answer = [(name.encode(), value_of(name)) for name in ANSWER_FIELDS]
    assert ask(key, everything, answer).response.status == 200


VALUES = {
    "ISO 8859-1": b"/caf\xe9",
    "UTF-8": "/café".encode(),
    "a line break": b"/a\r\n b",
    "nothing": b"",
}


@keys
@pytest.mark.parametrize("value", list(VALUES))
def test_values_that_do_not_fit_a_base_are_covered_all_the_same(key, value):
    for name in ("location", "etag", "set-cookie", "www-authenticate"):
        plain = [(name.encode(), VALUES[value])]
        assert ask(key, [], plain).response.status == 200
        for change in ("changed", "removed"):
            assert unproven(key, [], plain, on_answer=tampered(name, change)) in (
                Reason.WRONG_SIGNATURE, Reason.MISSING_COMPONENT,
            )  # fmt: skip
    for name in ("range", "if-none-match", "cookie", "x-tenant"):
        sent = [(name.encode(), VALUES[value])]
        assert ask(key, sent, []).response.status == 200
        for change in ("changed", "removed"):
            assert unproven(key, sent, [], on_request=tampered(name, change))


COOKIES: Fields = [(b"set-cookie", b"a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"), (b"set-cookie", b"b=2")]


@keys
@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [line for line in lines if line != COOKIES[0]],
        lambda lines: [line for line in lines if line != COOKIES[1]],
        lambda lines: [*lines, (b"set-cookie", b"c=3")],
        lambda lines: [*(line for line in lines if line not in COOKIES), *reversed(COOKIES)],
        lambda lines: [
            *(line for line in lines if line not in COOKIES), (b"set-cookie", b", ".join(value for _, value in COOKIES)),
        ],
    ],
    ids=["without the first", "without the last", "with another", "the other way round", "joined"],
)  # fmt: skip
def test_each_of_several_cookies_is_covered_by_itself(key, change):
    assert ask(key, [], COOKIES).response.values(b"set-cookie") == [value for _, value in COOKIES]
    assert unproven(key, [], COOKIES, on_answer=change) is Reason.WRONG_SIGNATURE


@keys
def test_the_answer_to_somebody_else_is_not_believed(key):
    """Whoever has credentials of his own puts them in the place of the client's: the balance is his."""
    theirs = next(BOB.flow(Request("GET", "https", "bank.example", "/"), ClientContext(bytes))).request.headers

    def another(lines: Fields) -> Fields:
        return [line for line in lines if line[0] != b"authorization"] + list(theirs)

    for auth in (ALICE, None):
        assert unproven(key, [], [], auth=auth, on_request=another) is Reason.BINDING_MISMATCH


@keys
def test_the_answer_to_another_body_is_not_believed(key):
    """With the digest that it has, the guard refuses it; with its own, it is not the request that was sent."""

    def with_its_digest(lines: Fields) -> Fields:
        value = digest_field({"sha-256": digest("sha-256", b'{"pay": "eve"}')})
        return [*(line for line in lines if line[0] != b"content-digest"), (b"content-digest", value)]

    refused = ask(key, [], [], on_body=lambda _: b'{"pay": "eve"}')
    assert refused.response.status == 401
    assert refused.body != CONTENT
    assert (
        unproven(key, [], [], on_body=lambda _: b'{"pay": "eve"}', on_request=with_its_digest) is Reason.WRONG_SIGNATURE
    )
    assert (
        unproven(key, [], [], on_body=lambda _: b"", on_request=tampered("content-digest", "removed"))
        is Reason.NOT_COVERED
    )
    assert unproven(key, [], [], body=b"", on_body=lambda _: b'{"pay": "eve"}', on_request=with_its_digest) in (
        Reason.WRONG_SIGNATURE, Reason.MISSING_COMPONENT,
    )  # fmt: skip


@keys
def test_the_answer_to_a_body_that_somebody_gave_a_request_without_one_is_not_believed(key):
    """An application that takes its order from a body does not ask whether the client meant to send one."""

    def answer(**settings: Any) -> int:
        return ask(key, [], [], body=b"", on_body=lambda _: BODY, **settings).response.status

    assert ask(key, [], [], body=b"").response.status == 200
    assert answer() == 401  # the guard's: the application was not asked
    with pytest.raises(ResponseUnproven) as error:
        answer(on_request=tampered("content-digest", "removed"))
    assert error.value.unproven.rejection.reason is Reason.NOT_COVERED


@keys
@pytest.mark.parametrize("status", [204, 304])
def test_content_that_somebody_gave_an_answer_without_any_is_not_believed(key, status):
    """It has no digest. HTTP/1.1 has no room for it, but frames have."""
    assert ask(key, [], [], status=status).body == b""
    assert unproven(key, [], [], status=status, on_content=lambda _: b'{"balance": 8}') is Reason.WRONG_BODY


@keys
@pytest.mark.parametrize("fields", [True, False])
def test_the_digest_of_credentials_that_somebody_made_himself_is_not_believed(key, fields):
    """Its key is sent openly. He takes the wish for it out, so that the server makes none, and makes one for the client."""
    theirs = next(BOB.flow(Request("GET", "https", "bank.example", "/"), ClientContext(bytes))).request.headers
    asked: Fields = []

    def on_request(lines: Fields) -> Fields:
        asked[:] = lines
        kept = [line for line in lines if line[0] not in (b"authorization", b"want-credentials-digest")]
        return [*kept, *theirs]

    def on_answer(lines: Fields) -> Fields:
        value = credentials_digest(asked, CREDENTIALS)
        assert value is not None
        return [*lines, (b"credentials-digest", value)]

    sealed = SealedAuth(KEYS[key], ALICE, policy=ResponsePolicy(fields=fields))
    assert unproven(key, [], [], sealed=sealed, on_request=on_request, on_answer=on_answer) is Reason.NOT_COVERED


def test_a_request_gets_a_digest_of_its_body_unless_it_has_one():
    def sent(policy: ResponsePolicy | None, body: bytes, **fields: str) -> list[bytes]:
        flow = SealedAuth(KEYS["ed25519"], ALICE, policy=policy).flow(
            Request(
                "POST", "https", "bank.example", "/", {name.replace("_", "-"): value for name, value in fields.items()}
            ),
            ClientContext(lambda: body, now=lambda: NOW),
        )
        return next(flow).request.values(b"content-digest")

    assert sent(None, BODY) == [digest_field({"sha-256": digest("sha-256", BODY)})]
    assert sent(None, b"") == [digest_field({"sha-256": digest("sha-256", b"")})]
    assert sent(ResponsePolicy(request_content=False), BODY) == []
    own = digest_field({"sha-512": digest("sha-512", BODY)}).decode()
    assert sent(None, BODY, content_digest=own) == [own.encode()]


def test_fields_of_the_way_may_be_changed():
    """Proxies do, and a client that refused that would believe nothing behind one."""

    def by_a_proxy(lines: Fields) -> Fields:
        changed = {b"user-agent": b"proxy", b"connection": b"close"}
        return [(name, changed.get(name, value)) for name, value in lines] + [
            (b"via", b"1.1 proxy"), (b"x-forwarded-for", b"192.0.2.1"), (b"x-request-id", b"7"),
        ]  # fmt: skip

    def back(lines: Fields) -> Fields:
        return [*lines, (b"date", b"now"), (b"via", b"1.1 proxy"), (b"age", b"0"), (b"server", b"proxy")]

    sent = [(b"user-agent", b"client"), (b"connection", b"keep-alive")]
    assert ask("ed25519", sent, [], on_request=by_a_proxy, on_answer=back).response.status == 200


@pytest.mark.parametrize("name", ["authorization", "proxy-authorization", "cookie", "x-api-key"])
def test_credentials_are_never_covered_bare_whoever_asks_for_it(name):
    """A signature that anybody can verify is one by which anybody can try passwords."""
    guard = SignatureSeal(KEYS["ed25519"]).covering({b"x-api-key"})
    asking = f'seal=("@status" "{name}";req "{name}";req;bs "{name}";req;sf);created;nonce="n"'
    request = Request("GET", "https", "bank.example", "/", {name: "Basic YTpi", "accept-signature": asking})
    (signature,) = read_signatures(guard.seal(request).headers(Response(200), b"", NOW, bytes))
    assert name not in {one.name for one in signature.covered.components}


def test_a_seal_of_our_kind_without_credentials_in_the_digest_is_not_enough():
    """A server that looks at fewer fields than the client has credentials in proves nothing of the others."""
    sent = [(b"x-session", b"alice's")]
    assert ask("ed25519", sent, []).response.status == 200  # covered by itself, as it was asked for
    assert unproven("ed25519", sent, [], on_request=tampered("x-session", "changed")) is Reason.WRONG_SIGNATURE


def test_a_key_that_nobody_knows_seals_nothing():
    stranger = SealedAuth(Key.generate("ed25519", key_id="seal-1"), ALICE)
    assert unproven("ed25519", [], [], sealed=stranger) is Reason.WRONG_SIGNATURE


def another_key(lines: Fields) -> Fields:
    return [(name, wanting(bytes(32)) if name == b"want-credentials-digest" else value) for name, value in lines]


def appended(name: bytes, value: bytes) -> Any:
    return lambda lines: [*lines, (name, value)]


@keys
def test_no_answer_is_believed_whose_asking_was_changed(key):
    """The fields by which the client asks for the proof are the first that somebody in between would take out."""
    for change in (
        another_key,
        tampered("want-credentials-digest", "changed"),
        tampered("want-credentials-digest", "removed"),
        appended(b"want-credentials-digest", wanting(bytes(32))),
        tampered("accept-signature", "changed"),
        tampered("accept-signature", "removed"),
    ):
        assert unproven(key, [], [], on_request=change) in (
            Reason.WRONG_SIGNATURE, Reason.NOT_COVERED, Reason.BINDING_MISMATCH,
        )  # fmt: skip


@keys
def test_no_answer_is_believed_whose_digest_of_credentials_was_changed(key):
    for change in ("changed", "removed"):
        assert unproven(key, [], [], on_answer=tampered("credentials-digest", change)) in (
            Reason.WRONG_SIGNATURE, Reason.MISSING_COMPONENT,
        )  # fmt: skip
    for value in (b"hmac-sha-256=:AAAA:", b"", b"x=1"):
        assert unproven(key, [], [], on_answer=appended(b"credentials-digest", value)) is Reason.WRONG_SIGNATURE
    assert unproven(key, [], [(b"credentials-digest", b"hmac-sha-256=:AAAA:")]) is Reason.MALFORMED_CREDENTIALS


@keys
def test_an_answer_to_a_condition_or_a_range_that_somebody_put_in_is_not_believed(key):
    """A 304 would call a stale copy current, a 206 would pass a part for the whole: both are the server's own, and sealed."""
    for status, name in ((304, "if-none-match"), (304, "if-modified-since"), (206, "range"), (412, "if-match")):
        assert unproven(key, [], [], status=status, on_request=tampered(name, "added")) is Reason.MISSING_COMPONENT
        asked = [(name.encode(), b"one")]
        assert ask(key, asked, [], status=status).response.status == status
        assert unproven(key, asked, [], status=status, on_request=tampered(name, "changed")) is Reason.WRONG_SIGNATURE
