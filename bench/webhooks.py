"""Standard Webhooks v1. The limit is the barest correct composition: three fields, a time, one HMAC, base64, one comparison."""

from __future__ import annotations

import hmac
import json
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import standardwebhooks
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bench.harness import Interleaved, Unfit
from watchword import Rejected, WebhookAuth, WebhookVerifier

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE = a2b_base64("6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==")
BODY = json.dumps(
    {"type": "invoice.paid", "data": {"id": "in_1", "lines": [{"n": n, "sum": n * 100} for n in range(16)]}}
).encode()
OTHERS = {
    "Host": "hooks.example", "User-Agent": "Webhooks/1.0", "Accept": "*/*", "Content-Type": "application/json",
    "Content-Length": str(len(BODY)),
}  # fmt: skip
Judge = Callable[[Mapping[str, str], bytes], object]


def rows() -> Iterable[Interleaved]:
    """Verifying by the plain function, either kind; signing."""
    headers = {**OTHERS, **fields(SECRET)}
    yield verifying("Standard Webhooks verify, v1", headers, [SECRET])
    yield asymmetric("Standard Webhooks verify, v1a (Ed25519)")
    yield signing("Standard Webhooks sign, v1")


def fields(secret: str, message_id: str = "msg_p5jXN8AQM9LWM0D4loKWxJek") -> dict[str, str]:
    signed = WebhookAuth(secret).sign(BODY, message_id=message_id, now=time.time())
    return {name.title(): value for name, value in signed.items()}


def limit() -> Judge:
    """What a handler could write itself: HTTP's names in any case, the time both ways, a comparison in constant time."""
    key, clock, compare = a2b_base64(SECRET[6:]), time.time, hmac.compare_digest

    def judge(headers: Mapping[str, str], body: bytes) -> object:
        lower = {name.lower(): value for name, value in headers.items()}
        message_id, stamp, signature = lower["webhook-id"], lower["webhook-timestamp"], lower["webhook-signature"]
        if abs(clock() - int(stamp)) > 300:
            raise ValueError("time")
        mac = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, "sha256")
        expected = b2a_base64(mac, newline=False)
        for item in signature.split(" "):
            if item.startswith("v1,") and compare(expected, item[3:].encode()):
                return message_id
        raise ValueError("signature")

    return judge


def verifying(title: str, headers: dict[str, str], secrets: list[str]) -> Interleaved:
    """The limit; ours; the reference library, which can't be kept from parsing the time as a date."""
    peer = standardwebhooks.Webhook(SECRET)
    contenders: dict[str, Judge] = {
        "limit": limit(),
        "watchword": WebhookVerifier(secrets).verify,
        "standardwebhooks": lambda headers, body: peer.verify(body, dict(headers), json_parse=False),
    }

    def prove() -> None:
        old = {**headers, "Webhook-Timestamp": "1614265330"}
        for name, judge in contenders.items():
            judge(headers, BODY)
            for bad, body in ((headers, BODY + b" "), (old, BODY), ({**headers, "Webhook-Id": "msg_2"}, BODY)):
                try:
                    judge(bad, body)
                except (Rejected, ValueError, standardwebhooks.WebhookVerificationError):
                    continue
                raise Unfit(f"{name} accepts a forged webhook")

    work: dict[str, Callable[[], object]] = {
        name: lambda judge=judge: judge(headers, BODY) for name, judge in contenders.items()
    }
    return Interleaved(title, work, prove)


def asymmetric(title: str) -> Interleaved:
    """v1a: the limit is the same composition around OpenSSL's Ed25519. The reference libraries have none."""
    seed, public = PRIVATE[:32], PRIVATE[32:]
    assert Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw() == public
    headers = {**OTHERS, **fields("whsk_" + b2a_base64(PRIVATE, newline=False).decode())}
    verify, clock = Ed25519PublicKey.from_public_bytes(public).verify, time.time

    def bare(headers: Mapping[str, str], body: bytes) -> object:
        lower = {name.lower(): value for name, value in headers.items()}
        message_id, stamp, signature = lower["webhook-id"], lower["webhook-timestamp"], lower["webhook-signature"]
        if abs(clock() - int(stamp)) > 300:
            raise ValueError("time")
        content = f"{message_id}.{stamp}.".encode() + body
        for item in signature.split(" "):
            if item.startswith("v1a,"):
                verify(a2b_base64(item[4:], strict_mode=True), content)
                return message_id
        raise ValueError("signature")

    contenders: dict[str, Judge] = {
        "limit": bare,
        "watchword": WebhookVerifier("whpk_" + b2a_base64(public, newline=False).decode()).verify,
    }

    def prove() -> None:
        for name, judge in contenders.items():
            judge(headers, BODY)
            try:
                judge(headers, BODY + b" ")
            except (Rejected, ValueError, InvalidSignature):
                continue
            raise Unfit(f"{name} accepts a forged webhook")

    work: dict[str, Callable[[], object]] = {
        name: lambda judge=judge: judge(headers, BODY) for name, judge in contenders.items()
    }
    return Interleaved(title, work, prove)


def signing(title: str) -> Interleaved:
    """The limit: one HMAC and base64."""
    from datetime import UTC, datetime

    key, auth, peer = a2b_base64(SECRET[6:]), WebhookAuth(SECRET), standardwebhooks.Webhook(SECRET)
    at, text = datetime.fromtimestamp(1614265330, UTC), BODY.decode()

    def bare() -> str:
        mac = hmac.digest(key, b"msg_1.1614265330." + BODY, "sha256")
        return "v1," + b2a_base64(mac, newline=False).decode()

    work: dict[str, Callable[[], Any]] = {
        "limit": bare,
        "watchword": lambda: auth.sign(BODY, message_id="msg_1", now=1614265330)["webhook-signature"],
        "standardwebhooks": lambda: peer.sign("msg_1", at, text),
    }

    def prove() -> None:
        if len({sign() for sign in work.values()}) > 1:
            raise Unfit("the signatures differ")

    return Interleaved(title, work, prove)
