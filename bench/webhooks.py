"""Standard Webhooks v1. The limit is the barest correct composition: three fields, a time, one HMAC, base64, one comparison."""

from __future__ import annotations

import hmac
import json
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import standardwebhooks

from bench.harness import Interleaved, Unfit
from watchword import Guard, Rejected, Request, WebhookAuth, WebhookVerifier

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = json.dumps(
    {"type": "invoice.paid", "data": {"id": "in_1", "lines": [{"n": n, "sum": n * 100} for n in range(16)]}}
).encode()
OTHERS = {
    "Host": "hooks.example", "User-Agent": "Webhooks/1.0", "Accept": "*/*", "Content-Type": "application/json",
    "Content-Length": str(len(BODY)),
}  # fmt: skip
Judge = Callable[[Mapping[str, str], bytes], object]


def rows() -> Iterable[Interleaved]:
    """Verifying by the plain function and in a guard; signing."""
    headers = {**OTHERS, **fields(SECRET)}
    yield verifying("Standard Webhooks verify, v1", headers, [SECRET])
    yield guarded("Standard Webhooks verify, v1, in a guard")
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


def guarded(title: str) -> Interleaved:
    """The limit on the guard's own kind of request; a guard that doesn't remember, so that one request can be timed again."""
    request = Request("POST", "https", "hooks.example", "/in", {**OTHERS, **fields(SECRET)})
    judge, guard = limit(), Guard([WebhookVerifier(SECRET, remember=None)])

    def bare() -> object:
        return judge({name.decode(): value.decode() for name, value in request.headers}, BODY)

    def prove() -> None:
        bare()
        guard.verify(request, BODY)
        try:
            guard.verify(request, BODY + b" ")
        except Rejected:
            return
        raise Unfit("watchword accepts a forged webhook")

    return Interleaved(title, {"limit": bare, "watchword": lambda: guard.verify(request, BODY)}, prove)


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
