"""Why a SigV4 request was refused: its computation (`description`), varied until it gives the signature that came."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.message import Request
from watchword.core.records import Found, Ref
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import Body, Check
from watchword.crypto.digests import hex_digest
from watchword.schemes.diagnosis import clock_check
from watchword.schemes.explaining.accounts import aside, body_check, signature_check, unknown
from watchword.schemes.explaining.computation import Leaf
from watchword.schemes.explaining.search import DEAR, Asked, Fit
from watchword.schemes.explaining.received import Received
from watchword.schemes.sigv4.access_key import AccessKey, Signing, ecdsa_signing, hmac_signing
from watchword.schemes.sigv4.canonical import EMPTY, UNSIGNED, PathRules, paths, queries, sent_target, without
from watchword.schemes.sigv4.claim import SigV4Claim, covered, payload_of, strings, time_of
from watchword.schemes.sigv4.credentials import SIGNATURE, Plan, credential_of
from watchword.schemes.sigv4.description import WHERE, described, payload_hash

__all__ = ["EXPLAINERS", "canonical_of", "explain_sigv4", "masked"]

MAX_KEYS = 64
"""Other keys that are tried, of those that were found."""
MAX_TREES: Final = 4
"""Canonical requests that would each be right, of which each is varied."""
_ADVICE: Final = 'make it as AWS\'s "Create a signed AWS API request" says'

_TOKEN = re.compile(rb"(?m)(^x-amz-security-token:|X-Amz-Security-Token=)([^&\n]+)")

_COMPARE: Final = (
    "compare the canonical request with the client's (SigV4Auth.canonical), line by line, and then the secrets"
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

    def signing(self, record: AccessKey) -> Signing:
        if self.plan.ecdsa:
            return ecdsa_signing(self.plan.access_key_id, record.secret)
        return hmac_signing(record.secret, self.plan.scope)

    def fits(self, signing: Signing) -> bool:
        claim = self.claim
        made = strings(claim.presented, claim.parts, claim.timestamp, self.payload)
        return any(signing.fits(string, claim.presented.signature) for _, string in made)


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
    scope = _scope(case)  # of another region or service follows another path, and another key
    first = [_known(case), *(() if scope.passed else (scope,)), *(() if follows else (coverage,))]
    checks = [*first, *signature, *((coverage,) if follows else ())]
    if record is not None:
        checks.append(
            _tried("session token", lambda: claim.check_token(record), "send the token that came with the key")
        )
        checks.append(_tried("key time", lambda: record.check_current(now, WHERE), "sign with a current access key"))
    checks += [*((scope,) if scope.passed else ()), _day_of_scope(claim), _age(claim, now), _body(case)]
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
            mend = f"the secret of {name!r} made the signature{aside(name, sent)}: send that id"
            return Check("access key", False, WHERE, name, sent, mend)
    register = "register it with store.add_access_key, or send the id that was registered"
    return unknown(
        "access key",
        WHERE,
        "a known access key",
        sent,
        [name for name, _ in case.others],
        register,
        [other for _, other in case.others],
    )


def _signature(case: _Case) -> Sequence[Check]:
    claim, record = case.claim, case.record
    received = f"{claim.presented.signature[:6].decode()}…"
    if record is None:
        return [Check("signature", None, "signature", "", received, "the access key is unknown")]
    signing = case.signing(record)
    if case.fits(signing):
        return [Check("signature", True, "signature", "the signature of this request", received)]
    expected = "the signature of this request by that key"
    return signature_check("signature", "signature", expected, received, _asked(case, record, signing), _COMPARE)


def _asked(case: _Case, record: AccessKey, signing: Signing) -> Iterator[Asked]:
    claim = case.claim
    names = [name for name in case.plan.names if name not in (b"host", b"x-amz-security-token")]
    parts = ["@method", "@authority", "@path", "@query", *(["body"] if claim.payload is None else [])]
    pool = (Leaf("the body", case.body, "body"), Leaf("the access key id", case.plan.access_key_id.encode()))
    trees = list(described(claim, record, case.body, case.others))[:MAX_TREES]
    fits: Fit = Received(claim.presented.signature, "hex digits")
    if case.plan.ecdsa:
        fits = lambda string: "" if signing.fits(string, claim.presented.signature) else None  # noqa: E731 -- of two kinds
    price = DEAR if case.plan.ecdsa else 0
    for tree in trees:
        root = tree.string if case.plan.ecdsa else tree.signature
        yield Asked("signature", root, fits, claim.request, case.body, names, parts, pool, _ADVICE, price, tree.more)


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
        late = f"the URL has expired: it was good for {claim.freshness.max_age:.0f} s: presign anew, or for longer"
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
    return body_check(claim.request, case.body, claim.payload, payload_hash(case.body), "SHA-256", _ADVICE)


def _pass(case: _Case, record: AccessKey) -> None:
    form = case.claim.form
    assert form is not None
    stream = case.claim.stream(case.signing(record), form)
    stream.feed(case.body)
    stream.end()


EXPLAINERS: Final[ClaimExplainers] = {SigV4Claim: explain_sigv4}
