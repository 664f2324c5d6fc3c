"""A delivery that was seen comes again, changed wherever its signature allows that: by every row, it is the same message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.webhook_senders import FORM, JSON, NOW, SENDERS, Sender
from watchword import Guard, Policy, Reason, Rejected, Request, WebhookAuth, WebhookProfile, WebhookVerifier
from watchword.schemes.webhooks.times import TIME_FORMATS
from watchword.stores import MemoryStore
from watchword.transport.flow import ClientContext

TARGET = b"/a%2Fb?q=%3Ax"
FORM_BODY = b"a=1&b=2"
CONTENTS: dict[str, dict[str, Any]] = {
    "{timestamp}.{body}": {},
    "{timestamp}:{body}": {"id": "x-id"},
    "{timestamp};{body}": {"id": "x-id", "separator": ",", "prefix": "v1="},
    "{timestamp}/{body}": {"alias": "another"},
    "{id}.{timestamp}.{body}": {"id": "x-id"},
    "{timestamp}.{url}.{body}": {"ports": True},
    "{method}{url}{body}{timestamp}": {"url_decoded": ":/?@!$'()*,;"},
    "{timestamp}.{url}{form}": {"ports": True, "body_digest": "digest"},
}


def rows() -> Iterator[Sender]:
    yield from (sender for sender in SENDERS.values() if sender.row.timed)


def own(content: str, time_format: str) -> tuple[WebhookProfile, bytes, dict[str, str]]:
    row = WebhookProfile(
        name="mine", signature="x-signature", timestamp="x-time", content=content, time_format=time_format, **CONTENTS[content]
    )  # fmt: skip
    return (row, FORM_BODY, FORM) if "form" in row.parts else (row, b'{"n":1}', JSON)


def changed(sent: Request, body: bytes) -> Iterator[tuple[Request, bytes]]:
    """The delivery, and what it can be changed to."""

    def made(
        method: str = "POST", host: str = "hooks.example", target: bytes = TARGET, lines: Any = sent.headers
    ) -> Request:
        return Request.raw(method, "https", host, target, lines, sent.peer, exact=True)

    yield made(), body
    yield from (
        (made(host=host), body) for host in ("hooks.example:443", "hooks.example:8443", "HOOKS.EXAMPLE", "other")
    )
    yield from (
        (made(target=target), body) for target in (b"/a/b?q=%3Ax", b"/a%2fb?q=%3Ax", b"/a%2Fb?q=:x", b"/a/b?q=:x")
    )
    yield from ((made(method=method), body) for method in ("PUT", "post"))
    for at, (name, value) in enumerate(sent.headers):
        before, after = sent.headers[:at], sent.headers[at + 1 :]
        yield made(lines=(*before, *after)), body
        others = {
            value.upper(), value.lower(), b"0" + value, value + b" ", value.replace(b"Z", b"+00:00"), value.replace(b"Z", b".0Z"),
            value + b"," + value, b"v1=00," + value, b"another",
        } - {value}  # fmt: skip
        yield from ((made(lines=(*before, (name, other), *after)), body) for other in sorted(others))
    if body == FORM_BODY:
        yield from ((made(), other) for other in (b"b=2&a=1", b"a=1&b=2&a=1", b"%61=1&b=2", b"&a=1&&b=2&", b"a1=&b=2"))


def accepted(row: WebhookProfile, signing: str, verifying: str, body: bytes, fields: dict[str, str]) -> int:
    """How many of all those one guard accepts."""
    policy = Policy(clock=lambda: NOW)
    guard = Guard([WebhookVerifier(verifying, row)], MemoryStore(clock=lambda: NOW), policy=policy)
    plain = Request("POST", "https", "hooks.example", TARGET.decode(), fields)
    send = next(WebhookAuth(signing, row).flow(plain, ClientContext(lambda: body, now=lambda: NOW)))
    reasons = []
    for request, content in changed(send.request, body):
        try:
            guard.verify(request, content)
        except Rejected as rejected:
            reasons.append(rejected.reason)
        else:
            reasons.append(None)
    assert reasons[0] is None
    assert Reason.REPLAYED in reasons
    return reasons.count(None)


@pytest.mark.parametrize("sender", list(rows()), ids=lambda sender: sender.profile)
def test_a_changed_delivery_of_a_known_sender_is_the_same_message(sender: Sender) -> None:
    assert accepted(sender.row, sender.signing, sender.verifying, sender.body, sender.headers) == 1


@pytest.mark.parametrize("time_format", list(TIME_FORMATS))
@pytest.mark.parametrize("content", list(CONTENTS))
def test_a_changed_delivery_by_a_row_of_ones_own_is_the_same_message(content: str, time_format: str) -> None:
    row, body, fields = own(content, time_format)
    assert accepted(row, "a shared secret", "a shared secret", body, fields) == 1
