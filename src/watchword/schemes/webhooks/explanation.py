"""Why a webhook was refused: tries what usually goes wrong until a signature fits, and so names the component."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.message import Request
from watchword.core.records import Found
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import Body, Check
from watchword.crypto.digests import compare, keyed_hmac
from watchword.schemes.diagnosis import (
    MAX_BODY, PARTS, affordable, causes, clock_check, damaged, search, secret_guesses, time_guesses,
)  # fmt: skip
from watchword.schemes.diagnosis.change import with_field
from watchword.schemes.webhooks.content import url_of
from watchword.schemes.webhooks.credentials import PresentedCredentials
from watchword.schemes.webhooks.engine import Engine
from watchword.schemes.webhooks.scheme import WebhookClaim

__all__ = ["EXPLAINERS", "explain_webhook"]

MAX_DEAR: Final = 4096
"""Signatures by Ed25519 that are tried while searching."""

_UNKNOWN = (
    "none of the usual changes explains it: is this the secret of this endpoint, and the body exactly as it came in? compare the "
    "canonical string with what the sender signs"
)

_EMPTY = (
    "the body that came here is empty: if something read it before the guard (a framework, a middleware), verify before that; if "
    "the sender signs empty bodies, compare the secrets"
)


def explain_webhook(claim: WebhookClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """The content that this webhook has, and every check."""
    engine, delivery = claim.verifier.engine, claim.delivery
    try:
        contents = claim.contents(body.data)
    except Rejected as rejected:
        return "", (*_uncovered(claim, engine, body.data, rejected), *_time(claim, now))
    signature = list(_signature(claim, engine, delivery, contents, body.data))
    return contents[0].decode("utf-8", "backslashreplace"), (*signature, *_time(claim, now))


def _uncovered(claim: WebhookClaim, engine: Engine, body: bytes, rejected: Rejected) -> Sequence[Check]:
    """Nothing that the signature could be of: something changed the body, or what says which kind of body it is."""
    fits = _Fits(engine, claim.delivery)
    guess = search(claim.request, body, fits, headers=(b"content-type",), parts=PARTS - {"@method"})
    if guess is not None:
        return causes("signature", guess)
    rejection = rejected.rejection
    mend = "send the body as it was signed; a body that is no form needs its digest in the URL"
    where = "@query" if rejection.reason is Reason.NOT_COVERED else rejection.where
    return [Check("body", False, where, "a body that is covered", rejection.detail, mend)]


class _Fits:
    """Whether a request and body are what was signed.

    A signature by Ed25519 takes a hundred times as long to try as a MAC, and whoever sent them chose how many there are.
    """

    __slots__ = ("_dear", "_engine", "_left")

    def __init__(self, engine: Engine, delivery: PresentedCredentials) -> None:
        self._engine = engine
        self._dear = len(delivery.signatures) * sum(secret.key is not None for secret in engine.secrets)
        self._left = MAX_DEAR

    def __call__(self, request: Request, signed: bytes) -> bool:
        self._left -= self._dear
        if self._left < 0:
            return False
        engine = self._engine
        try:
            guessed = engine.layout.read(request.headers)
            url = url_of(request) if engine.contents.url else None
            return engine.matching(guessed, engine.contents.of(guessed, signed, url)) is not None
        except Rejected:
            return False


def _time(claim: WebhookClaim, now: float) -> Iterator[Check]:
    verifier = claim.verifier
    row = verifier.engine.profile
    if row.timed:
        where = f"header {row.timestamp or row.signature}"
        yield clock_check(where, int(claim.delivery.timestamp), now, verifier.freshness)


def _signature(
    claim: WebhookClaim, engine: Engine, delivery: PresentedCredentials, contents: Sequence[bytes], body: bytes
) -> Iterator[Check]:
    where = f"header {engine.profile.signature}"
    index = engine.matching(delivery, contents)
    count = len(engine.secrets)
    if index is not None:
        yield Check("signature", True, where, f"by one of {count} secrets", f"by number {index + 1}")
        return
    if not (delivery.macs and any(secret.mac for secret in engine.secrets)) and not (
        delivery.signatures and any(secret.key for secret in engine.secrets)
    ):
        sent, known = ("Ed25519 (v1a)", "whsec_") if delivery.signatures else ("a shared secret (v1)", "whpk_")
        mend = f"give the verifier the sender's {'whpk_ key' if delivery.signatures else 'whsec_ secret'}"
        yield Check("algorithm", False, where, f"signed for {known}…", f"signed with {sent} alone", mend)
        return
    spelling = _spelling(engine, delivery, contents)
    if spelling is not None:
        mend = (
            f"the sender signs with the secret {spelling}: give the verifier the secret exactly as the sender shows it"
        )
        yield Check("signature", False, "secret", "the secret as it was given", f"the secret {spelling}", mend)
        return
    row = engine.profile
    covered = [
        name.encode() for part, name in (("id", row.id), ("timestamp", row.timestamp)) if part in row.parts and name
    ]
    parts = {"body"} if not engine.contents.url else PARTS - {"@method"}
    fits = _Fits(engine, delivery)
    guess = search(claim.request, body, fits, headers=covered, parts=parts)
    if guess is not None:
        yield from causes("signature", guess)
        return
    time = _moved(claim, engine, delivery, body, fits)
    if time is not None:
        mend = "the time was changed after signing: sign anew for every attempt"
        yield Check("time", False, f"header {row.timestamp or row.signature}", time, delivery.timestamp.decode(), mend)
        return
    shown = (delivery.macs or delivery.signatures)[0][:6].decode("latin-1")
    damage = _damage(engine, delivery, contents)
    mend = f"{damage}: send it as it was made" if damage else _UNKNOWN if body else _EMPTY
    yield Check("signature", False, where, f"by one of {count} secrets", f"{shown}…", mend)


def _moved(claim: WebhookClaim, engine: Engine, delivery: PresentedCredentials, body: bytes, fits: _Fits) -> str | None:
    """The time that was signed, if that is all that was changed."""
    if not engine.profile.timed or len(body) > MAX_BODY:
        return None
    field = engine.profile.timestamp.encode()
    if not any(secret.mac for secret in engine.secrets):  # by Ed25519, as far as what was allowed for is not used up
        for time in islice(time_guesses(int(delivery.timestamp)), affordable(claim.request, body) if field else 0):
            if fits(with_field(claim.request, field, (b"%d" % time,)), body):
                return str(time)
        return None
    url = url_of(claim.request) if engine.contents.url else None
    for time in islice(time_guesses(int(delivery.timestamp)), affordable(claim.request, body)):
        stamp = b"%d" % time
        moved = PresentedCredentials.of(delivery.message_id, stamp, delivery.macs, (), delivery.content_type)
        try:
            if engine.matching(moved, engine.contents.of(moved, body, url)) is not None:
                return stamp.decode()
        except Rejected:
            return None
    return None


def _damage(engine: Engine, delivery: PresentedCredentials, contents: Sequence[bytes]) -> str:
    genuine = [engine.encode(secret.mac(content)) for secret in engine.secrets if secret.mac for content in contents]
    found = (damaged(mac.decode(), sent.decode("latin-1")) for mac in genuine for sent in delivery.macs)
    return next(filter(None, found), "")


def _spelling(engine: Engine, delivery: PresentedCredentials, contents: Sequence[bytes]) -> str | None:
    """How the sender may spell a secret, in words; None if no spelling explains the signature."""
    for secret in engine.secrets:
        if secret.mac is None:
            continue
        guesses = list(secret_guesses(secret.octets))
        if secret.given != secret.octets:
            guesses = [("as text, without decoding it", secret.given), *secret_guesses(secret.given), *guesses]
        for what, octets in guesses:
            mac = keyed_hmac(engine.profile.algorithm, octets)[0]
            if any(compare(engine.encode(mac(content)), sent) for content in contents for sent in delivery.macs):
                return what
    return None


EXPLAINERS: Final[ClaimExplainers] = {WebhookClaim: explain_webhook}
