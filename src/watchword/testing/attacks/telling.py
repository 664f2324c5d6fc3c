"""What refusals tell: nothing that helps to get in, neither a secret nor whether a user exists."""

from __future__ import annotations

import base64
import re

from watchword.core.message import Request
from watchword.testing.attacks.answer import Answer
from watchword.testing.attacks.outcome import NotTried
from watchword.testing.attacks.signing import Signed
from watchword.testing.attacks.trial import Trial

__all__ = ["names_of_users", "secrets_told"]

TRACEBACK = re.compile(rb"Traceback \(most recent call last\)|File \"[^\"]+\", line \d+, in ")
CHANGING = re.compile(rb"[0-9a-fA-F-]{8,}|\d+|[A-Za-z0-9+/_=-]{16,}")
"""What differs from answer to answer by itself: ids, times, nonces."""


def secrets_told(trial: Trial) -> None:
    """Refused and broken requests: their answers hold no secret, no signature that would have been right, and no traceback."""
    for _, signed, _ in trial.each_genuine():
        known = _content(trial.send(signed.plain, signed.plain_body))  # what everybody is told
        secrets = [secret for secret in _secrets(signed) if secret not in known]
        for tried, broken in _broken(signed):
            answer = trial.send(broken.request, broken.body)
            trial.tried += 1
            told = _told(trial, secrets, broken, answer)
            if told:
                raise trial.hole(tried, broken.request, broken.body, answer, why=f"The refusal tells {told}.",
                                 write="Say to clients what the RFCs prescribe, a status and a challenge; keep the reason for the log.")  # fmt: skip


def _broken(signed: Signed) -> list[tuple[str, Signed]]:
    found = []
    for name in signed.fields:
        value = signed.request.values(name)[0]
        label = name.decode("latin-1")
        found.append(
            (
                f"{label} with one letter changed",
                signed.with_field(name, value[:-1] + (b"0" if value[-1:] != b"0" else b"1")),
            )
        )
        found.append((f"half of {label}", signed.with_field(name, value[: len(value) // 2 + 4])))
        found.append(
            (f"{label} with octets that are no text", signed.with_field(name, value[:8] + b"\xff\xfe" + value[8:]))
        )
    return found


def _content(answer: Answer) -> bytes:
    return answer.body + b"\n" + b"\n".join(value for _, value in answer.headers)


def _told(trial: Trial, secrets: list[bytes], broken: Signed, answer: Answer) -> str:
    if trial.let_in(answer):
        return ""
    if TRACEBACK.search(answer.body):
        return "where in the program it failed (a traceback)"
    sent = b"\n".join(value for _, value in broken.request.headers)
    for secret in secrets:
        if secret in _content(answer) and secret not in sent:
            return "a secret of the genuine credentials"
    return ""


def _secrets(signed: Signed) -> list[bytes]:
    found = [text.encode("latin-1") for text in signed.secrets()]
    for value in signed.request.values(b"authorization"):
        word, _, rest = value.partition(b" ")
        if word.lower() == b"basic":
            try:
                found.append(base64.b64decode(rest).partition(b":")[2])
            except ValueError:
                continue
    return [secret for secret in found if len(secret) >= 8]


def names_of_users(trial: Trial) -> None:
    """A known user with a wrong password, and one that there is not: both answers are the same, so that nobody learns who has an account."""
    done = False
    for _, signed, _ in trial.each_genuine():
        name = _username(signed)
        if name is None:
            continue
        done = True
        known, unknown = (_guess(trial, signed, who) for who in (name, b"watchword-nobody"))
        first, second = trial.send(known, signed.body), trial.send(unknown, signed.body)
        trial.tried += 1
        if 429 in (first.status, second.status):
            trial.limited += 1
        elif _form(first, name) != _form(second, b"watchword-nobody"):
            why = f"The answers differ: {first.status} for a user that there is, {second.status} or other words for one that there is not."
            raise trial.hole("a wrong password of a known and of an unknown user", known, signed.body, first, why=why,
                             write="Answer both alike, and take the same time for both: BasicVerifier does.")  # fmt: skip
    if not done:
        raise NotTried("the credentials are no name and password (Basic)")


def _username(signed: Signed) -> bytes | None:
    for value in signed.request.values(b"authorization"):
        word, _, rest = value.partition(b" ")
        if word.lower() == b"basic":
            try:
                return base64.b64decode(rest).partition(b":")[0]
            except ValueError:
                return None
    return None


def _guess(trial: Trial, signed: Signed, name: bytes) -> Request:
    value = b"Basic " + base64.b64encode(name + b":watchword-wrong")
    return signed.with_field(b"authorization", value).changed(peer=trial.stranger()).request


def _form(answer: Answer, name: bytes) -> tuple[int, bytes, tuple[bytes, ...]]:
    fields = tuple(sorted(line for line, _ in answer.headers))
    return answer.status, CHANGING.sub(b"#", answer.body.replace(name, b"NAME")), fields
