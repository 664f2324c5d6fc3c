"""Webhooks with other libraries, both ways: standardwebhooks (Python, Node.js), and the senders' own: Stripe, Slack, Twilio."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import slack_sdk.signature
import standardwebhooks
import stripe
import twilio.request_validator

from tests.interop.conftest import PEERS, program
from watchword import Reason, Rejected, WebhookAuth, WebhookVerifier

SECRETS = [
    "whsec_" + base64.b64encode(bytes(range(start, start + size))).decode()
    for start, size in ((0, 24), (1, 32), (2, 64))
]
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
# The peers parse what they have verified.
BODIES = ['{"type":"invoice.paid"}', '{ "a": [1, 2.50, "é", "\\u00e9 \U0001f600"] }\n', "[]", '"' + "x" * 5000 + '"']
MESSAGES = [(secret, body) for secret in SECRETS for body in BODIES]


def node(asked: dict[str, list[Any]]) -> dict[str, list[Any]]:
    done = subprocess.run(
        [program("node"), PEERS / "webhooks.mjs"], input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, list[Any]] = json.loads(done.stdout)
    return answer


def fields(identifier: str, timestamp: int, signature: str) -> dict[str, str]:
    return {"webhook-id": identifier, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


@pytest.mark.parametrize(("secret", "body"), MESSAGES)
def test_the_python_library_verifies_ours_and_we_verify_its(secret: str, body: str) -> None:
    now = int(time.time())
    peer = standardwebhooks.Webhook(secret)
    ours = WebhookAuth([secret, PRIVATE]).sign(body.encode(), message_id="msg_1", now=now)
    assert peer.verify(body.encode(), ours) == json.loads(body)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        peer.verify(body.encode() + b" ", ours)
    theirs = fields("msg_1", now, peer.sign("msg_1", datetime.fromtimestamp(now, UTC), body))
    assert WebhookVerifier(secret).verify(theirs, body.encode()).subject == "standard"
    with pytest.raises(Rejected):
        WebhookVerifier(secret).verify(theirs, body.encode() + b" ")


def test_the_node_library_verifies_ours() -> None:
    now = int(time.time())
    asked, expected = [], []
    for secret, body in [*MESSAGES, *((PUBLIC, body) for body in BODIES)]:
        ours = WebhookAuth([PRIVATE, *SECRETS]).sign(body.encode(), message_id="msg_1", now=now)
        asked += [{"secret": secret, "headers": ours, "body": text} for text in (body, body + " ")]
        expected += [True, False]
    assert node({"verify": asked, "sign": []})["verify"] == expected


def test_we_verify_what_the_node_library_signs() -> None:
    now = int(time.time())
    messages = [*MESSAGES, *((PRIVATE, body) for body in BODIES)]
    asked = [{"secret": secret, "id": "msg_1", "timestamp": now, "body": body} for secret, body in messages]
    signatures = node({"verify": [], "sign": asked})["sign"]
    verifier = WebhookVerifier([*SECRETS, PUBLIC])
    for (secret, body), signature in zip(messages, signatures, strict=True):
        assert signature == WebhookAuth(secret).sign(body.encode(), message_id="msg_1", now=now)["webhook-signature"]
        assert verifier.verify(fields("msg_1", now, signature), body.encode()).claims["id"] == "msg_1"
        with pytest.raises(Rejected):
            verifier.verify(fields("msg_2", now, signature), body.encode())


@pytest.mark.parametrize("body", BODIES)
def test_stripes_own_library_agrees(body: str) -> None:
    now = int(time.time())
    signature = stripe.WebhookSignature
    ours = WebhookAuth(["whsec_old", "whsec_new"], "stripe").sign(body.encode(), message_id="", now=now)[
        "stripe-signature"
    ]
    for secret in ("whsec_old", "whsec_new"):
        assert signature.verify_header(body, ours, secret, tolerance=300)
    with pytest.raises(stripe.SignatureVerificationError):
        signature.verify_header(body + " ", ours, "whsec_old", tolerance=300)
    theirs = signature.generate_signature_header(body, "whsec_new")
    assert (
        WebhookVerifier("whsec_new", "stripe").verify({"Stripe-Signature": theirs}, body.encode()).subject == "stripe"
    )


@pytest.mark.parametrize("body", [*BODIES, "token=a&text=b+c%20d"])
def test_slacks_own_library_agrees(body: str) -> None:
    now = int(time.time())
    peer = slack_sdk.signature.SignatureVerifier("8f742231b10e8888abcd99yyyzzz85a5")
    ours = WebhookAuth("8f742231b10e8888abcd99yyyzzz85a5", "slack").sign(body.encode(), message_id="", now=now)
    assert peer.is_valid_request(body, ours)
    assert not peer.is_valid_request(body + " ", ours)
    theirs = peer.generate_signature(timestamp=str(now), body=body)
    headers = {"X-Slack-Request-Timestamp": str(now), "X-Slack-Signature": str(theirs)}
    assert (
        WebhookVerifier("8f742231b10e8888abcd99yyyzzz85a5", "slack").verify(headers, body.encode()).subject == "slack"
    )


FORMS: list[tuple[bytes, dict[str, str]]] = [
    (b"", {}),
    (b"CallSid=CA1&Digits=12&From=%2B1415", {"CallSid": "CA1", "Digits": "12", "From": "+1415"}),
    (b"b=2&a=1&B=3&Empty=&Text=a+b%20%C3%A9%26", {"b": "2", "a": "1", "B": "3", "Empty": "", "Text": "a b é&"}),
]
URLS = [
    "https://hooks.example/sms?x=1&y=%20", "https://hooks.example:8443/sms", "http://hooks.example:80/", "https://hooks.example:443/",
]  # fmt: skip


@pytest.mark.parametrize(("body", "params"), FORMS)
@pytest.mark.parametrize("url", URLS)
def test_twilios_own_library_agrees(url: str, body: bytes, params: dict[str, str]) -> None:
    peer = twilio.request_validator.RequestValidator("12345")
    form = {"content-type": "application/x-www-form-urlencoded"}
    ours = WebhookAuth("12345", "twilio").sign(body, message_id="", now=0, url=url, content_type=form["content-type"])
    assert peer.validate(url, params, ours["x-twilio-signature"])
    assert not peer.validate(url + "x", params, ours["x-twilio-signature"])
    verifier = WebhookVerifier("12345", "twilio")
    for signed in {url, peer_without_port(url)}:
        theirs = {"X-Twilio-Signature": peer.compute_signature(signed, params), **form}
        assert verifier.verify(theirs, body, url=url).subject == "twilio"
        with pytest.raises(Rejected):
            verifier.verify(theirs, body + b"&x=1", url=url)


def peer_without_port(url: str) -> str:
    """As the peer strips it."""
    return str(twilio.request_validator.remove_port(twilio.request_validator.urlparse(url)))


def test_twilios_own_library_agrees_on_json() -> None:
    peer = twilio.request_validator.RequestValidator("12345")
    body = '{"a": "é"}'
    url = f"https://hooks.example/sms?bodySHA256={peer.compute_hash(body)}"
    theirs = {"X-Twilio-Signature": peer.compute_signature(url, {}), "Content-Type": "application/json"}
    assert WebhookVerifier("12345", "twilio").verify(theirs, body.encode(), url=url).subject == "twilio"
    ours = WebhookAuth("12345", "twilio").sign(
        body.encode(), message_id="", now=0, url=url, content_type="application/json"
    )
    assert peer.validate(url, body, ours["x-twilio-signature"])


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        # What the peers take for genuine and the specification does not.
        ({"webhook-timestamp": ".0"}, Reason.MALFORMED_CREDENTIALS),
        ({"webhook-id": "a.b"}, Reason.MALFORMED_CREDENTIALS),
    ],
)
def test_where_the_peers_are_laxer_than_the_specification(headers: dict[str, str], reason: Reason) -> None:
    now = int(time.time())
    identifier = headers.get("webhook-id", "msg_1")
    peer = standardwebhooks.Webhook(SECRETS[0])
    signed = fields(identifier, now, peer.sign(identifier, datetime.fromtimestamp(now, UTC), "{}"))
    signed["webhook-timestamp"] += headers.get("webhook-timestamp", "")
    assert peer.verify(b"{}", signed) == {}
    with pytest.raises(Rejected) as caught:
        WebhookVerifier(SECRETS[0]).verify(signed, b"{}")
    assert caught.value.reason is reason
