"""Why a SigV4 request was refused: tries what usually goes wrong until the signature fits, and so names the component.

In order: what the credentials name, what they cover, the request on its way, the scope, path and payload as clients get them
wrong, the secret in another spelling, another known key; each takes some thousand signatures at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.message import Request
from watchword.core.records import Found, Ref
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import Body, Check
from watchword.crypto.digests import compare, hex_digest
from watchword.schemes.diagnosis import (
    affordable, causes, clock_check, damaged, near, request_guesses, search, secret_guesses, time_guesses,
)  # fmt: skip
from watchword.schemes.diagnosis.change import with_field, with_parts
from watchword.schemes.sigv4.access_key import TERMINATOR, AccessKey, Signing, ecdsa_signing, hmac_signing
from watchword.schemes.sigv4.canonical import (
    EMPTY, UNSIGNED, PathRules, paths, queries, rules_of, sent_target, string_to_sign, without,
)  # fmt: skip
from watchword.schemes.sigv4.claim import SigV4Claim, covered, payload_of, strings, time_of
from watchword.schemes.sigv4.credentials import SIGNATURE, Plan, credential_of, text_of_time

__all__ = ["EXPLAINERS", "canonical_of", "explain_sigv4", "masked"]

MAX_KEYS = 64
"""Other keys that are tried, of those that were found."""
WHERE = "authorization Credential"
DAY = 86400
LIVES = (3600, 900, 600, 300, 60, 1800, 7200, 21600, 43200, 86400, 172800, 604800, 120, 10, 30, 1200, 28800)
"""Seconds for which URLs are usually presigned."""

_TOKEN = re.compile(rb"(?m)(^x-amz-security-token:|X-Amz-Security-Token=)([^&\n]+)")

Cause = tuple[str, str, str, str]  # component, expected, received, mend

_COMPARE = (
    "none of the usual changes explains it: compare the canonical request with the client's (SigV4Auth.canonical), line by "
    "line, and then the secrets"
)


def canonical_of(request: Request, body: bytes, rules: PathRules) -> str:
    """`SigV4Auth.canonical`.

    Raises:
        Rejected: the request carries no such credentials.
    """
    presented = credential_of(request)
    timestamp = time_of(request, presented)[1]
    payload = payload_of(request, presented)
    if payload is None:
        payload = hex_digest("sha-256", body)
    path, query = sent_target(request)
    plain = Request.raw(
        request.method, request.scheme, request.authority, b"/", request.headers, request.peer, request.exact
    )
    parts = covered(plain, presented, rules)._replace(
        paths=paths(path, rules)[-1:], queries=queries(without(query, SIGNATURE))[-1:]
    )
    return _text(*next(strings(presented, parts, timestamp, payload)))


def _text(canonical: bytes, string: bytes) -> str:
    return masked(canonical + b"\n\n" + string).decode("utf-8", "backslashreplace")


def masked(text: bytes) -> bytes:
    """The text with the beginning of each session token's SHA-256 in its place: two can be compared, none is shown.

    >>> masked(b"x-amz-security-token:secret")
    b'x-amz-security-token:(SHA-256 2bb80d537b1da3e3)'
    """
    return _TOKEN.sub(lambda match: match[1] + b"(SHA-256 %s)" % hex_digest("sha-256", match[2])[:16], text)


class _Case(NamedTuple):
    """A claim with the records that it names."""

    claim: SigV4Claim
    record: AccessKey | None
    others: Sequence[tuple[str, AccessKey]]
    body: bytes

    @property
    def plan(self) -> Plan:
        return self.claim.presented.plan

    @property
    def payload(self) -> bytes:
        return self.claim.payload or hex_digest("sha-256", self.body)

    def signing(self, record: AccessKey, scope: bytes | None = None) -> Signing:
        if self.plan.ecdsa:
            return ecdsa_signing(self.plan.access_key_id, record.secret)
        return hmac_signing(record.secret, scope or self.plan.scope)

    def fits(self, signing: Signing, payload: bytes | None = None) -> bool:
        return self.fits_request(signing, self.claim.request, self.body, payload)

    def fits_request(
        self,
        signing: Signing,
        request: Request,
        body: bytes,
        payload: bytes | None = None,
        rules: PathRules | None = None,
    ) -> bool:
        """Whether the presented signature is one of this request and body."""
        claim, presented = self.claim, self.claim.presented
        try:
            timestamp = time_of(request, presented)[1]
            said = payload or payload_of(request, presented) or hex_digest("sha-256", body)
            parts = covered(request, presented, rules or claim.settings.paths or rules_of(self.plan.service))
        except Rejected:
            return False
        signature = presented.signature
        return any(signing.fits(string, signature) for _, string in strings(presented, parts, timestamp, said))

    def fits_string(self, signing: Signing, timestamp: bytes, scope: bytes) -> bool:
        """Whether it is one of this request at another time, or for another scope."""
        claim, plan = self.claim, self.plan
        for canonical, _ in strings(claim.presented, claim.parts, timestamp, self.payload):
            if signing.fits(string_to_sign(plan.algorithm, timestamp, scope, canonical), claim.presented.signature):
                return True
        return False


def explain_sigv4(claim: SigV4Claim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """The canonical request and string to sign that this request has, and every check."""
    plan = claim.presented.plan
    record = found.get(Ref(AccessKey, (plan.access_key_id,)))
    others = [(key[0], other) for key, other in found.of(AccessKey) if key != (plan.access_key_id,)][:MAX_KEYS]
    case = _Case(claim, record, others, body.data)
    canonical = _text(*next(strings(claim.presented, claim.parts, claim.timestamp, case.payload)))
    coverage = _tried("coverage", claim.check_coverage, "sign host, and every x-amz-* field that is sent")
    signature = _signature(case)
    # An unsigned body follows from a method that was changed: then what explains the signature is the cause.
    follows = coverage.component == "body" and any(check.passed is False for check in signature)
    checks = [_known(case), *(() if follows else (coverage,)), *signature, *((coverage,) if follows else ())]
    if record is not None:
        checks.append(
            _tried("session token", lambda: claim.check_token(record), "send the token that came with the key")
        )
        checks.append(_tried("key time", lambda: record.check_current(now, WHERE), "sign with a current access key"))
    checks += [_scope(case), _day_of_scope(claim), _age(claim, now), _body(case)]
    if claim.form is not None and record is not None:
        checks.append(_tried("chunks", lambda: _pass(case, record), "sign each chunk over the signature before it"))
    return canonical, checks


def _tried(name: str, check: object, mend: str) -> Check:
    """A step of the verdict as a check."""
    assert callable(check)
    try:
        check()
    except Rejected as rejected:
        rejection = rejected.rejection
        where = f"header {rejection.where}" if rejection.where.startswith(("x-amz-", "date")) else rejection.where
        if rejection.reason is Reason.MISSING_COMPONENT and name == "coverage":
            mend = "something on the way took the field out: pass it on, or don't sign it"
            where = f"header {rejection.where}"
        elif rejection.reason is Reason.NOT_COVERED and where == "body":
            mend = "sign the body, or say allow_unsigned_payload=True if TLS is enough"
        return Check(name, False, where, "as signed", rejection.detail, mend)
    return Check(name, True, name, "as expected", "as expected")


def _known(case: _Case) -> Check:
    sent = case.plan.access_key_id
    if case.record is not None:
        return Check("access key", True, WHERE, "a known access key", sent)
    for name, other in case.others:
        if case.fits(case.signing(other)):
            return Check(
                "access key", False, WHERE, name, sent, f"the secret of {name!r} made the signature: send that id"
            )
    meant = near(sent, [name for name, _ in case.others])
    mend = f"did the client mean {meant!r}? If not, " if meant else ""
    mend += "register it with store.add_access_key, or send the id that was registered"
    return Check("access key", False, WHERE, meant or "a known access key", sent, mend)


def _signature(case: _Case) -> Sequence[Check]:
    claim, record = case.claim, case.record
    received = f"{claim.presented.signature[:6].decode()}…"
    if record is None:
        return [Check("signature", None, "signature", "", received, "the access key is unknown")]
    signing = case.signing(record)
    if case.fits(signing):
        return [Check("signature", True, "signature", "the signature of this request", received)]
    mistake = next(chain(_of_path(case, signing), _of_payload(case, signing), _of_scope(case, record)), None)
    if mistake is not None:
        return [Check("signature", False, *mistake)]
    names = [name for name in case.plan.names if name not in (b"host", b"x-amz-security-token")]
    parts = ["@method", "@authority", "@path", "@query"]
    if claim.payload is None:
        parts.append("body")
    guess = search(
        claim.request, case.body, lambda request, body: case.fits_request(signing, request, body), headers=names, parts=parts,
    )  # fmt: skip
    if guess is not None:
        return causes("signature", guess)
    found = next(chain(_of_key(case, record), _moved(case, record)), None)
    if found is not None:
        return [Check("signature", False, *found)]
    mend = _COMPARE
    if not case.plan.ecdsa:
        genuine = signing.sign(next(strings(claim.presented, claim.parts, claim.timestamp, case.payload))[1]).decode()
        if damage := damaged(genuine, claim.presented.signature.decode()):
            mend = f"{damage}: send it as it was made"
    return [Check("signature", False, "signature", "the signature of this request by that key", received, mend)]


def _of_path(case: _Case, signing: Signing) -> Iterator[Cause]:
    claim = case.claim
    rules = claim.settings.paths or rules_of(case.plan.service)
    sent = claim.request.path.decode("latin-1")
    names = {
        PathRules(False, False): "encoded once, as S3 has it", PathRules(True, True): "normalised and encoded twice",
        PathRules(True, False): "encoded twice, not normalised", PathRules(False, True): "normalised and encoded once",
    }  # fmt: skip
    for other, what in names.items():
        if other != rules and case.fits_request(signing, claim.request, case.body, rules=other):
            mend = (
                f"the client signs the path {what}; the service {case.plan.service.decode()!r} has it {names[rules]}: "
            )
            yield "@path", names[rules], f"{sent} {what}", mend + "use its rules in the client, or PathRules in both"


def _of_payload(case: _Case, signing: Signing) -> Iterator[Cause]:
    claim = case.claim
    actual = hex_digest("sha-256", case.body)
    for payload, what in ((actual, "the hash of this body"), (EMPTY, "an empty body"), (UNSIGNED, "UNSIGNED-PAYLOAD")):
        if payload != case.payload and case.fits(signing, payload):
            if claim.payload is not None:
                mend = "the field was changed after signing, or is not what the client signed: send what is signed"
                yield "header x-amz-content-sha256", what, claim.payload.decode(), mend
            else:
                yield "body", what, f"a body of {len(case.body)} octets", "the client signs another body than it sends"


def _of_scope(case: _Case, record: AccessKey) -> Iterator[Cause]:
    """Credentials that were changed on the way, or made with other words than they say."""
    claim, plan, settings = case.claim, case.plan, case.claim.settings
    today = claim.timestamp[:8]
    dates = dict.fromkeys((plan.date, today, text_of_time(claim.signed_at - DAY)[:8], text_of_time(claim.signed_at + DAY)[:8]))  # fmt: skip
    regions = dict.fromkeys((plan.region, settings.region or plan.region, b"us-east-1", plan.region.lower()))
    services = dict.fromkeys(
        (plan.service, settings.service or plan.service, b"s3", b"execute-api", plan.service.lower())
    )
    for date in dates:
        for region in regions:
            for service in services:
                words = (date, service, TERMINATOR) if plan.ecdsa else (date, region, service, TERMINATOR)
                scope = b"/".join(words)
                if scope == plan.scope or not all(words):
                    continue
                signing = case.signing(record, scope)
                what = "date" if date != plan.date else "region" if region != plan.region else "service"
                said = (scope.decode(), plan.scope.decode())
                if case.fits_string(signing, claim.timestamp, scope):
                    yield (
                        f"{WHERE} {what}",
                        *said,
                        f"the scope's {what} was changed after signing: send the one that is signed",
                    )
                elif case.fits_string(signing, claim.timestamp, plan.scope):
                    yield (
                        f"{WHERE} {what}",
                        *said,
                        f"the signing key is of another {what}: derive it for the scope that is sent",
                    )


def _of_key(case: _Case, record: AccessKey) -> Iterator[Cause]:
    for what, secret in secret_guesses(record.secret.encode()):
        try:
            other = AccessKey(secret.decode(), record.subject)
        except UnicodeDecodeError:
            continue
        if case.fits(case.signing(other)):
            mend = f"the client signs with the secret {what}: have both sides read it alike"
            yield "key", "the secret access key", f"the secret {what}", mend
    for name, other in case.others:
        if case.fits(case.signing(other)):
            sent = case.plan.access_key_id
            yield "key", f"the secret of {sent!r}", f"the secret of {name!r}", f"give the client the secret of {sent!r}"


def _moved(case: _Case, record: AccessKey) -> Iterator[Cause]:
    """Another time: that of the field, or of a presigned URL."""
    claim, presented = case.claim, case.claim.presented
    if case.plan.ecdsa:
        return
    if presented.expires is None:
        yield from _moved_field(case, case.signing(record))
        return
    signing = case.signing(record)
    life = b"X-Amz-Expires=%d" % presented.expires
    for seconds in LIVES:
        target = claim.request.target.replace(life, b"X-Amz-Expires=%d" % seconds, 1)
        if case.fits_request(signing, with_parts(claim.request, target=target), case.body):
            mend = "the URL's life was changed after signing: presign anew, for as long as it shall be good"
            yield "query X-Amz-Expires", str(seconds), str(presented.expires), mend
            return
    for second in islice(time_guesses(claim.signed_at), affordable(claim.request)):
        text = text_of_time(second)
        target = claim.request.target.replace(b"X-Amz-Date=" + claim.timestamp, b"X-Amz-Date=" + text, 1)
        request = with_parts(claim.request, target=target)
        parts = covered(request, presented, claim.settings.paths or rules_of(case.plan.service))
        if any(
            signing.fits(string, presented.signature) for _, string in strings(presented, parts, text, case.payload)
        ):
            mend = "the time was changed after signing: presign anew"
            yield "query X-Amz-Date", text.decode(), claim.timestamp.decode(), mend
            return


def _moved_field(case: _Case, signing: Signing) -> Iterator[Cause]:
    claim, name = case.claim, b"x-amz-date"
    if not claim.request.values(name):
        return
    for second in islice(time_guesses(claim.signed_at), affordable(claim.request, b"", case.plan.names)):
        text = text_of_time(second)
        if case.fits_request(signing, with_field(claim.request, name, (text,)), case.body):
            mend = "the time was changed after signing: sign anew for every request"
            yield "header x-amz-date", text.decode(), claim.timestamp.decode(), mend
            return


def _scope(case: _Case) -> Check:
    claim, settings, plan = case.claim, case.claim.settings, case.plan
    words = (settings.region or b"any region", settings.service or b"any service")
    expected = " and ".join(word.decode() for word in words)
    received = f"{plan.region.decode() or 'a region set'} and {plan.service.decode()}"
    try:
        claim.check_scope()
    except Rejected as rejected:
        where = rejected.rejection.where
        where = where if where.startswith("x-amz") else f"{WHERE} {where}"
        return Check("scope", False, where, expected, received, "sign for this region and service")
    return Check("scope", True, WHERE, expected, received)


def _day_of_scope(claim: SigV4Claim) -> Check:
    plan, today = claim.presented.plan, claim.timestamp[:8]
    fits = plan.date == today
    mend = "" if fits else "the scope's date is not that of the time: make both of one clock, in UTC"
    return Check("scope date", fits, f"{WHERE} date", today.decode(), plan.date.decode(), mend)


def _age(claim: SigV4Claim, now: float) -> Check:
    where = claim.time_field if claim.presented.expires is not None else f"header {claim.time_field}"
    check = clock_check(where, claim.signed_at, now, claim.freshness)
    if check.passed is False and claim.presented.expires is not None and now >= claim.signed_at:
        late = f"the URL was good for {claim.freshness.max_age:.0f} s: presign anew, or for longer"
        return check._replace(component="query X-Amz-Expires", mend=late)
    return check


def _body(case: _Case) -> Check:
    claim = case.claim
    actual = hex_digest("sha-256", case.body)
    if claim.payload is None:
        return Check("body", True, "body", "covered by the signature", f"SHA-256 {actual.decode()}")
    if claim.form is not None or (claim.payload == UNSIGNED and claim.settings.allow_unsigned_payload):
        return Check("body", True, "body", claim.payload.decode(), f"{len(case.body)} octets")
    if claim.payload == UNSIGNED:
        fits = actual == EMPTY
        mend = "" if fits else "sign the body, or say allow_unsigned_payload=True if TLS is enough"
        return Check("body", fits, "body", "no body, as it is unsigned", f"{len(case.body)} octets", mend)
    if compare(actual, claim.payload):
        return Check("body", True, "body", f"SHA-256 {claim.payload.decode()}", f"SHA-256 {actual.decode()}")
    shown = (f"SHA-256 {claim.payload.decode()}", f"SHA-256 {actual.decode()} of {len(case.body)} octets")
    for guess in request_guesses(claim.request, case.body, parts=("body",)):
        if hex_digest("sha-256", guess.body) == claim.payload:
            return Check("body", False, "body", guess.expected, guess.received, guess.mend)
    mend = "the body changed after it was signed: sign exactly the octets that are sent"
    return Check("body", False, "body", *shown, mend)


def _pass(case: _Case, record: AccessKey) -> None:
    form = case.claim.form
    assert form is not None
    stream = case.claim.stream(case.signing(record), form)
    stream.feed(case.body)
    stream.end()


EXPLAINERS: Final[ClaimExplainers] = {SigV4Claim: explain_sigv4}
