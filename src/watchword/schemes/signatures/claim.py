"""The verdict on the signatures of a request (RFC 9421 §3.2): key, algorithm, coverage, signature, body, time, nonce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from watchword.core.identity import Identity
from watchword.core.message import Request
from watchword.core.records import Found, Once, Ref
from watchword.core.rejection import Reason, Rejected, StoreUnavailable
from watchword.core.scheme import STREAM, UNUSED, WHOLE, Body, BodyNeed, Decision, Digests, More, Random
from watchword.schemes.freshness import check_end
from watchword.schemes.key_source import KeySource, PublishedKeys, check_form
from watchword.schemes.signatures.content import (
    SHA256, DigestStream, Expected, check_digests, digests_need, expected_digests, is_digest_of, may_be_usual, uncovered,
)  # fmt: skip
from watchword.schemes.signatures.key_owners import KeyOwner, Signers, key_refs
from watchword.schemes.signatures.message import Fields
from watchword.schemes.signatures.reading import ParsedCredentials, PresentedCredentials, Reader
from watchword.schemes.signatures.settings import Settings

__all__ = ["SignatureClaim"]


class SignatureClaim:
    """The signatures of a request that this verifier judges, not yet verified."""

    __slots__ = (
        "_expected",
        "_single",
        "_usual",
        "body",
        "needs",
        "presented",
        "reader",
        "request",
        "settings",
        "signers",
    )

    def __init__(
        self,
        settings: Settings,
        signers: Signers,
        reader: Reader,
        request: Request,
        presented: Sequence[PresentedCredentials],
        single: Mapping[bytes, bytes] | None = None,
    ) -> None:
        self.settings = settings
        self.signers = signers
        self.reader = reader
        self.request = request
        self.presented = presented
        self._single = single
        self._expected: dict[int, tuple[Expected, ...]] | None = None
        self.needs: Sequence[Ref[Any]] = ()
        if signers.records is not None:
            if len(presented) == 1:
                self.needs = signers.records.refs(presented[0].key_id)
            else:
                self.needs = tuple(dict.fromkeys(ref for one in presented for ref in key_refs(one.key_id)))
        self._usual: bytes | None = None
        self.body: BodyNeed | Digests = SHA256
        if single is not None and len(presented) == 1 and presented[0].plan.content and not settings.stream:
            value = single.get(b"content-digest")
            if value is not None and may_be_usual(value):
                self._usual = value
                return
        self.body = self._body_need()

    def _body_need(self) -> BodyNeed | Digests:
        demanded = self.settings.policy.body
        expected = [each for one in self.presented for each in self.expected(one)]
        if self.settings.stream:
            return STREAM if expected or demanded else UNUSED
        if expected:
            return digests_need(expected)
        return WHOLE if demanded else UNUSED

    @property
    def fields(self) -> Fields:
        """The fields of the request, read anew: for all that is not the short way."""
        return Fields(self.request.headers)

    def expected(self, one: PresentedCredentials) -> tuple[Expected, ...]:
        """The digests that a signature covers.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, WRONG_ALGORITHM.
        """
        if self._expected is None:
            fields = self.fields
            self._expected = {id(each): expected_digests(each.plan.digests, fields) for each in self.presented}
        return self._expected[id(one)]

    def slow(self, found: Found) -> bool:
        """Never: a signature takes a tenth of a millisecond at most."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        """One verdict: every signature that this verifier has a key for is good, and they name one subject.

        What is said about a body or a time is said of a genuine signature, or of one whose key would have to be fetched.
        """
        one = self.presented[0]
        key_owner = self.signers.named.get(one.key_id or "") if len(self.presented) == 1 else None
        if key_owner is not None:
            judged = [(one, key_owner)]
        else:
            answer = self.judged(found, body, now)
            if isinstance(answer, More):
                return answer
            judged = answer
            one, key_owner = judged[0]
        if len(judged) == 1:
            writes = self._judge(one, key_owner, body, now)
            new = not one.suffices or key_owner.record is not None
        else:
            writes, new = self._judge_all(judged, body, now), True
        record = key_owner.record
        rotated = record is not None and record.superseded_by is not None
        identity = Identity(key_owner.subject, "signature", one.key_id, key_owner.scopes, one.claims, rotated)
        stream = self._stream([one for one, _ in judged]) if self.settings.stream else None
        return Decision(identity, writes, stream=stream, learn=partial(self._remember, judged) if new else None)

    def _judge_all(
        self, judged: Sequence[tuple[PresentedCredentials, KeyOwner]], body: Body, now: float
    ) -> tuple[Once, ...]:
        onces = [once for one, key_owner in judged for once in self._judge(one, key_owner, body, now)]
        if len({key_owner.subject for _, key_owner in judged}) > 1:
            raise Rejected(
                Reason.AMBIGUOUS, "the signatures are of different subjects: name a label or tags", where="keyid"
            )
        return tuple(onces)

    def _judge(self, one: PresentedCredentials, key_owner: KeyOwner, body: Body, now: float) -> tuple[Once, ...]:
        """One signature; marks its nonce, for as long as it may be good, here and at a laxer verifier of the same store.

        Raises:
            Rejected: why it is no good.
        """
        settings, request, created, expires = self.settings, self.request, one.created, one.expires
        if one.alg is not None and one.alg != key_owner.alias:
            raise Rejected(Reason.WRONG_ALGORITHM, "the key is for another algorithm than alg names", where="alg")
        if not one.suffices or request.target[:1] != b"/":
            self.check_coverage(one)
        base = one.plan.base.of_request(request, self._single, one.params, settings.policy.types)
        try:
            key_owner.verify(base, one.signature)
        except Rejected:
            self.signers.spend(one.key_id, key_owner)
            raise
        if not settings.stream and not (self._usual is not None and is_digest_of(self._usual, body)):
            self.check_body(one, body)
        if created is not None:
            settings.freshness.check(created, now, "created")
        if expires is not None:
            check_end(expires, now, "expires")
        if key_owner.record is not None and key_owner.record.expires is not None:
            key_owner.record.check_current(now, "keyid")
        if one.nonce is None or not settings.policy.nonce:
            return ()
        if created is None or settings.freshness.max_age is None:
            until = float(expires or 0)
        else:
            until = created + settings.freshness.retention
        owner = key_owner.marks_as
        mark = Once(("signature", one.key_id or key_owner.subject, one.nonce), until, owner)
        if one.key_id or not key_owner.subject:
            return (mark,)
        # It names no key, so another verifier may have another name for this one.
        return (mark, Once(("signature", "", one.nonce), until, owner))

    def judged(self, found: Found, body: Body, now: float) -> list[tuple[PresentedCredentials, KeyOwner]] | More:
        """The signatures whose keys this verifier has, or what it needs to know them.

        Raises:
            Rejected: UNKNOWN_KEY: it has none of them. Or the keys would have to be asked for, and something else is wrong
                with all of the signatures.
            StoreUnavailable: published keys are not there, or too old.
        """
        source = self.signers.source
        if source is None:
            if len(self.presented) == 1:
                key_owner = self._key_owner(self.presented[0], found, self.needs)
                known = [] if key_owner is None else [(self.presented[0], key_owner)]
            else:
                known = self._known(found)
        else:
            asked = [Ref(PublishedKeys, (source.name, one.key_id or "")) for one in self.presented]
            told = next((record for ref in asked if (record := found.get(ref)) is not None), None)
            if now >= source.good_until and told is None:
                return self._ask(source, asked, body, now)
            try:
                if told is None:
                    self.signers.use_current_keys()
                else:
                    self.signers.use(told.keys)
                known = self._known(found)
            except StoreUnavailable:
                known = []
            if not known and told is None:
                return self._ask(source, asked, body, now)
        if known:
            return known
        self._spend()
        raise Rejected(Reason.UNKNOWN_KEY, "no key is known by the key id, or none is named", where="keyid")

    def _ask(self, source: KeySource, asked: Sequence[Ref[PublishedKeys]], body: Body, now: float) -> More:
        """Asks for the keys, if one of the signatures may be good.

        Raises:
            Rejected: what is wrong with the first, if none may.
        """
        fault: Rejected | None = None
        for one in self.presented:
            try:
                self.check_without_key(source, one, body, now)
            except Rejected as rejected:
                fault = fault or rejected
            else:
                return More(asks=((source, asked),))
        assert fault is not None
        raise fault

    def check_without_key(self, source: KeySource, one: PresentedCredentials, body: Body, now: float) -> None:
        """All that can be judged of a signature before its key is there, so that nobody else is asked for what proves nothing.

        Raises:
            Rejected: why it is no good, whoever made it.
        """
        settings = self.settings
        self.check_coverage(one)
        check_form(source, len(one.signature), one.alg, alias=True)
        self.base(one)
        if not settings.stream:
            self.check_body(one, body)
        if one.created is not None:
            settings.freshness.check(one.created, now, "created", genuine=False)
        if one.expires is not None:
            check_end(one.expires, now, "expires", genuine=False)

    def _known(self, found: Found) -> list[tuple[PresentedCredentials, KeyOwner]]:
        known = []
        for one in self.presented:
            key_owner = self._key_owner(one, found, key_refs(one.key_id))
            if key_owner is not None:
                known.append((one, key_owner))
        return known

    def _key_owner(self, one: PresentedCredentials, found: Found, refs: Sequence[Ref[Any]]) -> KeyOwner | None:
        return self.signers.find(one.key_id, one.alg, found, refs)

    def _remember(self, judged: Sequence[tuple[PresentedCredentials, KeyOwner]]) -> None:
        """Keeps what the next signatures of this kind are verified with; called once good ones are committed."""
        for one, key_owner in judged:
            if type(one) is ParsedCredentials:
                self.reader.remember(one)
            self.signers.keep(one.key_id, key_owner)

    def _spend(self) -> None:
        """An unknown key id costs what a known shared key does, whether that was kept or not."""
        one, nobody = self.presented[0], self.signers.nobody()
        try:
            if not one.suffices or self.request.target[:1] != b"/":
                self.check_coverage(one)
            nobody.verify(self.base(one), one.signature)
        except Rejected:
            return

    def base(self, one: PresentedCredentials) -> bytes:
        """The signature base of this request (RFC 9421 §2.5).

        Raises:
            Rejected: MISSING_COMPONENT, MALFORMED_CREDENTIALS.
        """
        return one.plan.base.of_request(self.request, self._single, one.params, self.settings.policy.types)

    def check_coverage(self, one: PresentedCredentials) -> None:
        """That the signature covers and says what the policy demands, the body apart.

        Raises:
            Rejected: NOT_COVERED.
        """
        policy = self.settings.policy
        policy.check_coverage(one.plan.covered, self.request)
        if one.created is None and policy.created:
            raise _undated("created")
        if one.nonce is None and policy.nonce:
            raise _undated("nonce")
        if one.expires is None and policy.expires:
            raise _undated("expires")

    def check_body(self, one: PresentedCredentials, body: Body) -> None:
        """That the body is the one that was signed.

        Raises:
            Rejected: WRONG_BODY, or NOT_COVERED.
        """
        expected = self.expected(one)
        if expected:
            check_digests(expected, body)
        elif body.data and self.settings.policy.body:
            raise uncovered()

    def _stream(self, judged: Sequence[PresentedCredentials]) -> DigestStream | None:
        """What checks the body as it passes: against a digest of each signature, or that there is none."""
        demanded = self.settings.policy.body
        if demanded and not all(map(self.expected, judged)):
            return DigestStream(())
        expected = [each for one in judged for each in self.expected(one)]
        return DigestStream(expected) if expected or demanded else None

    def __repr__(self) -> str:
        return f"SignatureClaim(labels={[one.label for one in self.presented]!r})"


def _undated(name: str) -> Rejected:
    return Rejected(Reason.NOT_COVERED, "the signature does not have the parameter", where=name)
