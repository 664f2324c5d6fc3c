"""The senders of webhooks, each computed here by what it documents, and any step of it replaced."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import urllib.parse
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.unlisted.cases import NOW, Case, Steps, host, token, word, world
from bench.unlisted.third.base import b64
from bench.unlisted.third.bodies import json_body
from watchword import Guard, Policy, Request, WebhookVerifier
from watchword.stores import MemoryStore

__all__ = ["SENDERS", "build", "discord_key", "sendgrid_key"]


@dataclass(frozen=True)
class Sender:
    """One sender: where its signature goes, what it covers, and how it is written."""

    field: str
    form: str
    text: str
    secret: str = "text"
    code: str = "hex"
    stamp: str = ""
    id: str = ""
    milli: bool = False
    digest: str = "sha256"


SENDERS = {
    "standard": Sender("webhook-signature", "v1,{mac}", "{id}.{time}.{body}", "whsec", "base64", "webhook-timestamp", "webhook-id"),
    "svix": Sender("svix-signature", "v1,{mac}", "{id}.{time}.{body}", "whsec", "base64", "svix-timestamp", "svix-id"),
    "github": Sender("X-Hub-Signature-256", "sha256={mac}", "{body}", id="X-GitHub-Delivery"),
    "stripe": Sender("Stripe-Signature", "t={time},v1={mac}", "{time}.{body}", "stripe"),
    "slack": Sender("X-Slack-Signature", "v0={mac}", "v0:{time}:{body}", stamp="X-Slack-Request-Timestamp"),
    "zoom": Sender("x-zm-signature", "v0={mac}", "v0:{time}:{body}", stamp="x-zm-request-timestamp"),
    "shopify": Sender("X-Shopify-Hmac-Sha256", "{mac}", "{body}", code="base64", id="X-Shopify-Webhook-Id"),
    "paddle": Sender("Paddle-Signature", "ts={time};h1={mac}", "{time}:{body}"),
    "hubspot": Sender("X-HubSpot-Signature-v3", "{mac}", "{method}{url}{body}{time}", code="base64", stamp="X-HubSpot-Request-Timestamp", milli=True),
    "linear": Sender("Linear-Signature", "{mac}", "{body}"),
    "line": Sender("X-Line-Signature", "{mac}", "{body}", code="base64"),
    "square": Sender("X-Square-HmacSha256-Signature", "{mac}", "{url}{body}", code="base64"),
    "adyen": Sender("HmacSignature", "{mac}", "{body}", "hex", "base64"),
    "twilio": Sender("X-Twilio-Signature", "{mac}", "{url}{form}", code="base64", digest="sha1"),
    "discord": Sender("X-Signature-Ed25519", "{mac}", "{time}{body}", "ed25519", stamp="X-Signature-Timestamp"),
    "sendgrid": Sender("X-Twilio-Email-Event-Webhook-Signature", "{mac}", "{time}{body}", "ecdsa", "base64", "X-Twilio-Email-Event-Webhook-Timestamp"),
    "gitlab-unsigned-token": Sender("X-Gitlab-Token", "{secret}", ""),
}  # fmt: skip


@cache
def discord_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@cache
def sendgrid_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def draw(r: random.Random, name: str) -> Any:
    sender = SENDERS[name]
    text = f"{token(r, 18)}$Q{token(r, 9)}#{token(r, 8)}+{token(r, 5)}/{token(r, 3)}="
    octets = r.randbytes(32)
    shown = {"whsec": "whsec_" + b64(octets), "stripe": "whsec_" + token(r, 32), "hex": octets.hex().upper()}.get(
        sender.secret, text
    )
    body = json_body(r)
    if name == "linear":
        body = body[:-1] + f',"webhookTimestamp":{int(NOW * 1000)}}}'.encode()
    form = f"Body={word(r)}+{word(r)}%21&From=%2B1555{r.randrange(10**6, 10**7)}&MessageSid=SM{token(r, 20)}".encode()
    return world(
        sender=sender, secret=shown, other=shown[:6] + token(r, 40), id=f"msg_{token(r, 20)}", host=host(r), path=f"/hooks/{word(r)}/Z%20{word(r)}",
        query=f"{word(r)}={word(r)}&b={token(r, 5)}&limit=7", body=form if name == "twilio" else body, r=r, name=name, octets=octets,
    )  # fmt: skip


def key_of(sender: Sender, secret: str) -> bytes:
    """The key that the shown secret stands for, so far as it can be read."""
    if sender.secret == "whsec":
        plain = secret.removeprefix("whsec_")
        try:
            return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except ValueError:
            return secret.encode("utf-8", "surrogatepass")
    if sender.secret == "hex":
        try:
            return bytes.fromhex(secret)
        except ValueError:
            return secret.encode("utf-8", "surrogatepass")
    return secret.encode("utf-8", "surrogatepass")


def parameters(body: bytes) -> str:
    return "".join(a + b for a, b in sorted(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)))


def plain_mac(sender: Sender) -> Any:
    if sender.secret == "ed25519":
        return lambda key, text: discord_key().sign(text)
    if sender.secret == "ecdsa":
        return lambda key, text: sendgrid_key().sign(text, ec.ECDSA(hashes.SHA256()))
    return lambda key, text: hmac.digest(key, text, sender.digest)


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    sender: Sender = w.sender
    stamp = step("time", str(int(NOW)) + ("000" if sender.milli else ""))
    url = step(
        "url signed",
        f"https://{step('host signed', w.host)}{step('path signed', w.path)}?{step('query signed', w.query)}",
    )
    body = step("body signed", w.body)
    values = {
        "id": step("id signed", w.id), "time": step("time signed", stamp), "url": url, "method": step("method signed", "POST"),
        "form": step.run("form", parameters, body) if w.name == "twilio" else "",
    }  # fmt: skip
    around = step.run("text", lambda t: t, sender.text).split("{body}")
    text = body.join(part.format(**values).encode("utf-8", "surrogatepass") for part in around)
    text = step("octets", text)
    key = step.run("key octets", lambda s: key_of(sender, s), step("key", w.secret))
    made = step.run("mac", plain_mac(sender), key, text)
    written = step.run("written", b64 if sender.code == "base64" else bytes.hex, made)
    value = step(
        "field", sender.form.format(mac=written, time=step("time sent", stamp), secret=step("token", w.secret))
    )
    fields = [("Content-Type", "application/x-www-form-urlencoded" if w.name == "twilio" else "application/json")]
    if sender.stamp:
        fields.append((sender.stamp, step("time sent", stamp)))
    if sender.id:
        fields.append((sender.id, step("id sent", w.id)))
    headers = step("headers", [*fields, (sender.field, value)])
    target = step("path sent", w.path) + "?" + step("query sent", w.query)
    return (
        Request(step("method sent", "POST"), "https", step("host sent", w.host), target, headers),
        step("body sent", w.body),
        written,
    )


def secret_of(w: Any) -> str:
    if w.sender.secret == "ed25519":
        raw = discord_key().public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return raw.hex()
    if w.sender.secret == "ecdsa":
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return b64(sendgrid_key().public_key().public_bytes(serialization.Encoding.DER, form))
    return str(w.secret)


def build(name: str, r: random.Random, table: dict[str, Any]) -> Case | None:
    w = draw(r, name)
    _, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    store = MemoryStore(clock=lambda: NOW)
    guard = Guard([WebhookVerifier(secret_of(w), name, clock=lambda: NOW)], store, policy=Policy(clock=lambda: NOW))
    public = w.sender.secret in ("ed25519", "ecdsa")
    secrets = [] if public else [w.secret.encode(), key_of(w.sender, w.secret)]
    admits = [] if name == "gitlab-unsigned-token" else [proof.encode()]
    return Case(request, guard, body, NOW, secrets, admits, pairs=step.pairs, sent=step.sent)


def sha(octets: bytes, name: str = "sha256") -> bytes:
    return hashlib.new(name, octets).digest()
