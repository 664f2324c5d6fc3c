"""The verdict on the signatures of a request (RFC 9421 §3.2): key, algorithm, coverage, signature, body, time, nonce."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from watchword.core.identity import Identity
from watchword.core.message import Request
from watchword.core.records import Add, Found, Once, Ref
from watchword.core.rejection import Reason, Rejected, StoreUnavailable
from watchword.core.scheme import STREAM, UNUSED, WHOLE, Body, BodyNeed, Check, Decision, Digests, More, Random
from watchword.crypto.digests import compare, hmac_sha256
from watchword.schemes.key_source import PublishedKeys
from watchword.schemes.signatures.content import (
    DigestStream,
    Expected,
    check_digests,
    digests_need,
    expected_digests,
    uncovered,
)
from watchword.schemes.signatures.holders import Holder, key_refs
from watchword.schemes.signatures.message import Message
from watchword.schemes.signatures.reading import Presented

if TYPE_CHECKING:
    from watchword.schemes.signatures.scheme import SignatureVerifier

__all__ = ["KEPT", "SignatureClaim"]

KEPT: Final = 300.0
"""Seconds for which a nonce is kept at least: another verifier of the store may accept what this one finds too old."""


class SignatureClaim:
    """The signatures of a request that this verifier judges, not yet verified."""

    __slots__ = ("body", "expected", "message", "needs", "presented", "verifier")

    reserve: ClassVar[Sequence[Add]] = ()

    def __init__(self, verifier: SignatureVerifier, request: Request, presented: Sequence[Presented]) -> None:
        self.verifier = verifier
        self.presented = presented
        self.message = Message(request, types=verifier.policy.types)
        expected: tuple[Expected, ...] = ()
        for one in presented:
            if one.plan.digests:
                one.expected = expected_digests(one.plan.digests, self.message)
                expected += one.expected
        self.expected = expected
        self.needs: Sequence[Ref[Any]] = (
            key_refs([one.key_id for one in presented]) if verifier.records is not None else ()
        )
        self.body: BodyNeed | Digests = self._body_need()

    def _body_need(self) -> BodyNeed | Digests:
        if self.verifier.stream:
            return STREAM if self.expected or self.verifier.policy.body else UNUSED
        if self.expected:
            return digests_need(self.expected)
        return WHOLE if self.verifier.policy.body else UNUSED

    def slow(self, found: Found) -> bool:
        """Never: a signature takes a tenth of a millisecond at most."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        """One verdict: every signature that this verifier has a key for is good, and they name one subject.

        What is said about a body or a time is said of a genuine signature.
        """
        verifier = self.verifier
        judged = self.judged(found, now)
        if isinstance(judged, More):
            return judged
        for one, holder in judged:
            self.check_signature(one, holder)
        stream = None
        if self.verifier.stream:
            stream = self._stream([one for one, _ in judged])
        else:
            for one, _ in judged:
                self.check_body(one, body)
        writes: list[Once] = []
        for one, holder in judged:
            self.check_time(one, now)
            if holder.record is not None and holder.record.expires is not None:
                holder.record.check_current(now, "keyid")
            once = self.once(one, holder)
            if once is not None:
                writes.append(once)
        one, holder = judged[0]
        if len(judged) > 1 and len({holder.subject for _, holder in judged}) > 1:
            raise Rejected(
                Reason.AMBIGUOUS, "the signatures are of different subjects: name a label or tags", where="keyid"
            )
        for known in judged:
            verifier.remember(*known)
        record = holder.record
        rotated = record is not None and record.superseded_by is not None
        identity = Identity(holder.subject, verifier.scheme, one.key_id, holder.scopes, one.claims, rotated)
        return Decision(identity, writes, stream=stream)

    def judged(self, found: Found, now: float) -> list[tuple[Presented, Holder]] | More:
        """The signatures whose keys this verifier has, or what it needs to know them.

        Raises:
            Rejected: UNKNOWN_KEY: it has none of them.
            StoreUnavailable: published keys are not there, or too old.
        """
        source = self.verifier.source
        if source is None:
            known = self._known(found)
        else:
            asked: list[Ref[Any]] = [Ref(PublishedKeys, (source.name, one.key_id or "")) for one in self.presented[:1]]
            told = found.get(asked[0]) is not None
            if now >= source.good_until and not told:
                return More(asks=((source, asked),))
            try:
                self.verifier.follow()
                known = self._known(found)
            except StoreUnavailable:
                if told:
                    raise
                known = []
            if not known and not told:
                return More(asks=((source, asked),))
        if known:
            return known
        self._spend()
        raise Rejected(Reason.UNKNOWN_KEY, "no key is known by the key id, or none is named", where="keyid")

    def _known(self, found: Found) -> list[tuple[Presented, Holder]]:
        known = []
        for one in self.presented:
            holder = self.verifier.holder(one, found)
            if holder is not None:
                known.append((one, holder))
        return known

    def _spend(self) -> None:
        """An unknown key id costs what a known one's MAC does."""
        one = self.presented[0]
        try:
            base = one.plan.base.base(self.message, one.params)
        except Rejected:
            return
        compare(hmac_sha256(bytes(32), base), one.signature)

    def check_signature(self, one: Presented, holder: Holder) -> None:
        """Algorithm, coverage, parameters, and the signature itself.

        Raises:
            Rejected: WRONG_ALGORITHM, NOT_COVERED, MISSING_COMPONENT, MALFORMED_CREDENTIALS, WRONG_SIGNATURE.
        """
        if one.alg is not None and one.alg != holder.alias:
            raise Rejected(Reason.WRONG_ALGORITHM, "the key is for another algorithm than alg names", where="alg")
        self.check_coverage(one)
        holder.verify(one.plan.base.base(self.message, one.params), one.signature)

    def check_coverage(self, one: Presented) -> None:
        """That the signature covers and says what the policy demands, the body apart.

        Raises:
            Rejected: NOT_COVERED.
        """
        policy = self.verifier.policy
        assert self.message.request is not None
        policy.check_coverage(one.plan.covered, self.message.request)
        if one.created is None and policy.created:
            raise _undated("created")
        if one.nonce is None and policy.nonce:
            raise _undated("nonce")
        if one.expires is None and policy.expires:
            raise _undated("expires")

    def check_body(self, one: Presented, body: Body) -> None:
        """That the body is the one that was signed.

        Raises:
            Rejected: WRONG_BODY, or NOT_COVERED.
        """
        if one.expected:
            check_digests(one.expected, body)
        elif body.data and self.verifier.policy.body:
            raise uncovered()

    def _stream(self, judged: Sequence[Presented]) -> DigestStream | None:
        """What checks the body as it passes: against a digest of each signature, or that there is none."""
        demanded = self.verifier.policy.body
        if demanded and not all(one.expected for one in judged):
            return DigestStream(())
        expected = [each for one in judged for each in one.expected]
        return DigestStream(expected) if expected or demanded else None

    def check_time(self, one: Presented, now: float) -> None:
        """That the signature is good now (RFC 9421 §3.2).

        Raises:
            Rejected: NOT_YET_VALID, EXPIRED.
        """
        verifier = self.verifier
        if one.created is not None:
            age = now - one.created
            if age < -verifier.skew:
                detail = f"created {-age:.0f} s in the future"
                raise Rejected(Reason.NOT_YET_VALID, detail, where="created", genuine=True)
            if verifier.max_age is not None and age >= verifier.max_age:
                raise Rejected(Reason.EXPIRED, f"created {age:.0f} s ago", where="created", genuine=True)
        if one.expires is not None and now >= one.expires:
            detail = f"{now - one.expires:.0f} s past its end"
            raise Rejected(Reason.EXPIRED, detail, where="expires", genuine=True)

    def once(self, one: Presented, holder: Holder) -> Once | None:
        """The nonce of a signature, for as long as it may be good, here and at a laxer verifier of the same store."""
        verifier = self.verifier
        if one.nonce is None or not verifier.policy.nonce:
            return None
        if one.created is not None and verifier.max_age is not None:
            until = one.created + max(verifier.max_age, KEPT)
        else:
            until = float(one.expires or 0)
        return Once(("signature", one.key_id or holder.subject, one.nonce), until)

    def explain(self, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
        """Key, algorithm, coverage, signature (and what would have made it fit), body, time."""
        from watchword.schemes.signatures.explanation import explain_signature  # noqa: PLC0415 -- only when asked why

        return explain_signature(self, found, body, now)

    def __repr__(self) -> str:
        return f"SignatureClaim(labels={[one.label for one in self.presented]!r})"


def _undated(name: str) -> Rejected:
    return Rejected(Reason.NOT_COVERED, "the signature does not have the parameter", where=name)
