"""Nothing moves between a webhook's id, time and body, whatever stands between them; nothing escapes a digest in the URL."""

from __future__ import annotations

import re
import hashlib

import pytest

from tests.webhook_senders import SENDERS, Sender
from watchword import ConfigurationError, Reason, Rejected, Request, WebhookAuth, WebhookVerifier
from watchword.transport.flow import ClientContext, Drive
from watchword.schemes.webhooks.profiles import WebhookProfile

NOW = 1_700_000_000
SECRET = "an old oak by the quiet river bends"


def profile(content: str) -> WebhookProfile:
    return WebhookProfile(
        name="mine",
        signature="x-signature",
        content=content,
        id="x-id",
        timestamp="x-time" * ("{timestamp}" in content),
    )


@pytest.mark.parametrize(
    "content",
    ["{id}:{timestamp}:{body}", "{id}-{timestamp}-{body}", "{timestamp}/{id}/{body}", "v1={id}|{timestamp}|{body}"],
)
def test_no_id_holds_what_ends_it(content: str) -> None:
    """Else id "a" with a body "17…:evil" is id "a:17…" with the later time and the body "evil"."""
    row = profile(content)
    between = content[content.index("{id}") + 4]
    later = NOW + 5_000
    headers = WebhookAuth(SECRET, row).sign(f"{later}{between}evil".encode(), message_id="a", now=NOW)
    moved = {**headers, "x-id": f"a{between}{NOW}", "x-time": str(later)}
    with pytest.raises(Rejected) as caught:
        WebhookVerifier(SECRET, row).verify_at(moved, b"evil", later)
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS
    with pytest.raises(ConfigurationError, match="can't be signed"):
        WebhookAuth(SECRET, row).sign(b"evil", message_id=f"a{between}b", now=NOW)


@pytest.mark.parametrize("content", ["{id}{body}", "{id}{timestamp}.{body}", "{timestamp}{id}.{body}", "{body}{id}"])
def test_an_id_with_nothing_beside_it_is_no_content(content: str) -> None:
    with pytest.raises(ConfigurationError, match="nothing between"):
        profile(content)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("body", [b"", b"&", b"=&=", b'{"amount": 8}'])
def test_a_digest_in_the_url_covers_every_body(kind: str, body: bytes) -> None:
    """Twilio's bodySHA256: neither an empty body nor one that is called a form escapes it."""
    genuine = b'{"amount": 7}'
    url = f"https://hooks.example/sms?bodySHA256={hashlib.sha256(genuine).hexdigest()}"
    headers = WebhookAuth(SECRET, "twilio").sign(
        genuine, message_id="", now=NOW, url=url, content_type="application/json"
    )
    verifier = WebhookVerifier(SECRET, "twilio")
    assert (
        verifier.verify_at({**headers, "content-type": "application/json"}, genuine, NOW, url=url).subject == "twilio"
    )
    with pytest.raises(Rejected) as caught:
        verifier.verify_at({**headers, "content-type": kind}, body, NOW, url=url)
    assert caught.value.reason is Reason.WRONG_BODY


def test_half_a_surrogate_pair_is_malformed() -> None:
    fields = {"webhook-signature": "v1,\ud800", "webhook-id": "a", "webhook-timestamp": str(NOW)}
    with pytest.raises(Rejected):
        WebhookVerifier(SECRET.encode()).verify_at(fields, b"", NOW)


@pytest.mark.parametrize("content", ["{id}-{timestamp}-{body}", "{id}_{timestamp}_{body}", "{id}.{timestamp}.{body}"])
def test_our_own_ids_never_hold_it(content: str) -> None:
    row = profile(content)
    for number in range(200):
        context = ClientContext(lambda: b"{}", now=lambda: NOW, random=lambda n, number=number: bytes([number]) * n)
        request = Request("POST", "https", "hooks.example", "/")
        signed = Drive(WebhookAuth(SECRET, row), request, context).advance().request
        assert WebhookVerifier(SECRET, row).verify_at(signed.headers, b"{}", NOW).subject == "mine"


BARE = [
    sender
    for sender in SENDERS.values()
    if re.search(r"\{timestamp\}\{body\}|\{body\}\{timestamp\}", sender.row.content)
]


@pytest.mark.parametrize("sender", BARE, ids=[sender.profile for sender in BARE])
def test_between_a_time_and_a_body_with_nothing_between_them_the_clock_stands(sender: Sender) -> None:
    """Ten digits are one time; a digit more or less makes another, centuries or decades away."""
    row, url = sender.row, "https://hooks.example/"
    first = "{timestamp}{body}" in row.content
    for body in (b"0", b"7", b"1234567890", b"1700000000"):
        fields = WebhookAuth(sender.signing, row).sign(body, now=NOW, url=url)
        stamp = fields[row.timestamp].encode()
        verifier = WebhookVerifier(sender.verifying, row)
        assert verifier.verify_at(fields, body, NOW, url=url).subject == sender.profile
        together = stamp + body if first else body + stamp
        for cut in range(len(together) + 1):
            one, two = together[:cut], together[cut:]
            moved, rest = (one, two) if first else (two, one)
            if moved == stamp:
                continue
            with pytest.raises(Rejected) as caught:
                verifier.verify_at({**fields, row.timestamp: moved.decode()}, rest, NOW, url=url)
            assert caught.value.reason in (Reason.EXPIRED, Reason.NOT_YET_VALID, Reason.MALFORMED_CREDENTIALS)
