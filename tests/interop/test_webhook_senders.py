"""Webhooks with the senders' own libraries: in Node.js Discord, GitHub, Linear, Shopify, Svix and Zoom; in Python Adyen and SendGrid."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import Adyen.util
import pytest
from sendgrid import EventWebhook

from tests.interop.conftest import PEERS, program
from tests.webhook_senders import SENDERS
from watchword import Reason, Rejected, WebhookAuth, WebhookVerifier

IN_NODE = ("discord", "github", "linear", "shopify", "svix", "zoom")
# The peers parse what they have verified; Zoom's also writes it again, so its JSON has no spaces.
BODIES = [
    '{"type":"invoice.paid","event":"a"}', '{"event":"a","text":"é \U0001f600 <b>"}', '{"event":"' + "x" * 5000 + '"}',
]  # fmt: skip


def node(asked: dict[str, list[Any]]) -> dict[str, list[Any]]:
    done = subprocess.run(
        [program("node"), PEERS / "webhook_senders.mjs"], input=json.dumps(asked), capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, list[Any]] = json.loads(done.stdout)
    return answer


def shaped(profile: str, body: str) -> str:
    """The body as this sender's library wants it."""
    if profile == "zoom":
        return json.dumps({**json.loads(body), "payload": {}}, ensure_ascii=False, separators=(",", ":"))
    if profile == "linear":
        return json.dumps({**json.loads(body), "webhookTimestamp": int(time.time() * 1000)}, separators=(",", ":"))
    return body


def signed(profile: str, body: str, *, secret: str | None = None) -> dict[str, str]:
    auth = WebhookAuth(secret or SENDERS[profile].signing, profile)
    return auth.sign(body.encode(), now=time.time(), message_id="msg_1")


@pytest.mark.parametrize("profile", IN_NODE)
def test_the_senders_own_library_in_node_verifies_ours_and_nothing_else(profile: str) -> None:
    asked, expected = [], []
    sender = SENDERS[profile]
    for body in (shaped(profile, each) for each in BODIES):
        ours = {"peer": profile, "secret": sender.verifying, "headers": signed(profile, body), "body": body}
        other = body.replace('"event":"', '"event":"y')
        assert other != body
        strangers = signed(profile, body, secret=sender.stranger)
        asked += [ours, {**ours, "body": other}, {**ours, "headers": strangers}]
        expected += [True, False, False]
    assert node({"verify": asked, "sign": []})["verify"] == expected


@pytest.mark.parametrize("profile", ["github", "svix"])
def test_we_verify_what_the_senders_own_library_in_node_signs(profile: str) -> None:
    sender, now = SENDERS[profile], int(time.time())
    asked = [{"peer": profile, "secret": sender.signing, "id": "msg_1", "now": now, "body": body} for body in BODIES]
    for body, signature in zip(BODIES, node({"verify": [], "sign": asked})["sign"], strict=True):
        fields = {sender.row.signature: signature}
        if sender.row.timestamp:
            fields |= {sender.row.id: "msg_1", sender.row.timestamp: str(now)}
        verifier = WebhookVerifier(sender.verifying, profile)
        assert verifier.verify(fields, body.encode()).subject == profile
        with pytest.raises(Rejected) as caught:
            verifier.verify(fields, body.encode() + b" ")
        assert caught.value.reason is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("body", BODIES)
def test_adyens_own_library_agrees(body: str) -> None:
    sender = SENDERS["adyen"]
    ours = WebhookAuth(sender.signing, "adyen").sign(body.encode(), now=0)["hmacsignature"]
    assert Adyen.util.is_valid_hmac_payload(ours, sender.verifying, body.encode())
    assert not Adyen.util.is_valid_hmac_payload(ours, sender.verifying, body.encode() + b" ")
    theirs = {"HmacSignature": Adyen.util.generate_payload_sig(body.encode(), sender.signing).decode()}
    assert WebhookVerifier(sender.verifying, "adyen").verify(theirs, body.encode()).subject == "adyen"


@pytest.mark.parametrize("body", BODIES)
def test_sendgrids_own_library_verifies_ours(body: str) -> None:
    sender = SENDERS["sendgrid"]
    peer = EventWebhook(sender.verifying)
    ours = WebhookAuth(sender.signing, "sendgrid").sign(body.encode(), now=time.time())
    signature = ours["x-twilio-email-event-webhook-signature"]
    stamp = ours["x-twilio-email-event-webhook-timestamp"]
    assert peer.verify_signature(body, signature, stamp)
    assert not peer.verify_signature(body + " ", signature, stamp)
    assert not peer.verify_signature(body, signature, str(int(stamp) + 1))
