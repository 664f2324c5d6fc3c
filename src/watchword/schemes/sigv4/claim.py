"""One SigV4 request as it was presented, and the verdict on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from watchword.core.identity import Identity
from watchword.core.message import Request
from watchword.core.records import Found, Once, Ref
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import STREAM, UNUSED, Body, BodyNeed, Decision, Digests, Random, malformed
from watchword.crypto.digests import compare, hex_digest, new
from watchword.schemes.freshness import Freshness
from watchword.schemes.sigv4.access_key import AccessKey, Signing
from watchword.schemes.sigv4.canonical import (
    EMPTY, S3_SERVICES, UNSIGNED, PathRules, canonical_request, covered_target, paths, queries, rules_of,
    string_to_sign, without,
)  # fmt: skip
from watchword.schemes.sigv4.checksums import ALGORITHMS, PREFIX
from watchword.schemes.sigv4.chunks import STREAMING, ChunkedBody, Form, Seed
from watchword.schemes.sigv4.credentials import SIGNATURE, TOKEN, PresentedCredentials, epoch, read_field
from watchword.schemes.sigv4.settings import MAX_SKEW, ProvenCredentials, Settings

__all__ = ["Covered", "SigV4Claim", "payload_of", "time_of"]

TOKEN_FIELD: Final = b"x-amz-security-token"
CONTENT_FIELD: Final = b"x-amz-content-sha256"
OTHERWISE_PROVEN: Final = frozenset({TOKEN_FIELD, CONTENT_FIELD})
"""AWS fields that need not be among the signed ones: the token is the key's, the other is the canonical request's last line."""
MAX_REGIONS: Final = 64

_HASH = re.compile(rb"[0-9a-f]{64}")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_REGION = re.compile(rb"[A-Za-z0-9*][A-Za-z0-9*\-]{0,63}")
_NAMES = re.compile(rb"[A-Za-z0-9\-]{1,64}(?:[ \t]*+,[ \t]*+[A-Za-z0-9\-]{1,64}){0,7}")
_SHA256: Final = Digests(("sha-256",), new)
_NOBODY: Final = AccessKey("a stand-in for a key that nobody has", "")


class Covered(NamedTuple):
    """A request's parts in the forms that its signature may cover.

    `missing` is a signed field that is not there; `loose` are the x-amz-* fields that are, and are not signed.
    """

    method: str
    paths: Sequence[bytes]
    queries: Sequence[bytes]
    values: Sequence[bytes]
    missing: bytes = b""
    loose: Sequence[bytes] = ()


def covered(request: Request, presented: PresentedCredentials, rules: PathRules) -> Covered:
    """The parts of `request` that these credentials cover; a field that is not there is empty.

    Raises:
        Rejected: TARGET_REFUSED.
    """
    path, query = covered_target(request)
    plan = presented.plan
    if presented.expires is None:
        some = queries(query)
    else:
        some = queries(without(query, SIGNATURE))
        if presented.token is not None:  # some services have it added after signing
            some = [*some, *queries(without(query, SIGNATURE, TOKEN))]
    values: list[Any] = [None] * len(plan.names)
    loose: list[bytes] = []
    position = plan.positions.get
    for name, value in request.headers:
        at = position(name)
        if at is not None:
            one = b" ".join(value.split())
            values[at] = one if values[at] is None else values[at] + b"," + one
        elif name[:6] == b"x-amz-":
            loose.append(name)
    if plan.host_at >= 0:
        values[plan.host_at] = request.authority.encode()
    missing = b""
    if None in values:
        missing = plan.names[values.index(None)]
        values = [value or b"" for value in values]
    return Covered(request.method, paths(path, rules), some, values, missing, loose)


def strings(
    presented: PresentedCredentials, parts: Covered, timestamp: bytes, payload: bytes
) -> Iterator[tuple[bytes, bytes]]:
    """Each canonical request that may have been signed, with its string to sign; likeliest first."""
    plan = presented.plan
    for path in parts.paths:
        for query in parts.queries:
            canonical = canonical_request(parts.method, path, query, plan.names, parts.values, payload)
            yield canonical, string_to_sign(plan.algorithm, timestamp, plan.scope, canonical)


def time_of(request: Request, presented: PresentedCredentials) -> tuple[int, bytes]:
    """When it was signed: seconds since the epoch, and the text that is signed.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    if presented.expires is not None:
        return epoch(presented.timestamp, "query X-Amz-Date")
    for name in (b"x-amz-date", b"date"):
        found = request.values(name)
        if found:
            if len(found) > 1:
                raise malformed("the field is there twice", name.decode())
            return epoch(found[0].strip(), name.decode())
    raise malformed("there is neither X-Amz-Date nor Date", "x-amz-date")


def payload_of(request: Request, presented: PresentedCredentials) -> bytes | None:
    """What the canonical request says of the body; None: its hash.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    said = request.values(CONTENT_FIELD)
    if len(said) > 1:
        raise malformed("the field is there twice", "x-amz-content-sha256")
    payload = said[0].strip() if said else presented.content
    if payload is None:
        implied = presented.expires is not None and presented.plan.service in S3_SERVICES
        return UNSIGNED if implied else None
    if payload == UNSIGNED or _HASH.fullmatch(payload):
        return payload
    form = STREAMING.get(payload)
    if form is None or presented.expires is not None or (form.signed and form.ecdsa is not presented.plan.ecdsa):
        raise malformed("not a SHA-256 in lower-case digits, nor a form of this algorithm", "x-amz-content-sha256")
    return payload


class SigV4Claim:
    """A signed request, not yet verified."""

    __slots__ = ("body", "form", "needs", "parts", "payload", "presented", "proven", "request", "settings", "signed_at", "timestamp")  # fmt: skip

    def __init__(
        self, presented: PresentedCredentials, request: Request, settings: Settings, proven: ProvenCredentials
    ) -> None:
        self.presented = presented
        self.request = request
        self.settings = settings
        self.proven = proven
        plan = presented.plan
        self.parts = parts = covered(request, presented, settings.paths or rules_of(plan.service))
        if presented.expires is None and plan.time_at >= 0 and not parts.missing:
            self.signed_at, self.timestamp = epoch(parts.values[plan.time_at], "x-amz-date", plan.date, plan.day)
        else:
            self.signed_at, self.timestamp = time_of(request, presented)
        plain = presented.expires is None and plan.content_at < 0 and not parts.loose
        self.payload = None if plain else payload_of(request, presented)
        self.form: Form | None = STREAMING.get(self.payload) if self.payload is not None else None
        self.body: BodyNeed | Digests = _SHA256
        if self.form is not None:
            self.body = STREAM
        elif self.payload == UNSIGNED and (settings.allow_unsigned_payload or request.values(b"expect")):
            self.body = UNUSED  # who waits to be asked for a body has one, which is not asked for to be refused
        self.needs: Sequence[Ref[Any]] = (Ref(AccessKey, (plan.access_key_id,)),)

    def __repr__(self) -> str:
        return f"SigV4Claim(access_key_id={self.presented.plan.access_key_id!r})"

    def slow(self, found: Found) -> bool:
        """Never: a few hashes, or one ECDSA verification."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision:
        """Coverage, signature, then what is said of a genuine request: key, scope, time, body.

        Raises:
            Rejected: NOT_COVERED, MISSING_COMPONENT, UNKNOWN_KEY, WRONG_SIGNATURE, WRONG_SECRET, WRONG_AUDIENCE,
                EXPIRED, NOT_YET_VALID, WRONG_BODY, MALFORMED_CREDENTIALS.
        """
        plan = self.presented.plan
        self.check_coverage()
        known = found.get(Ref(AccessKey, (plan.access_key_id,)))
        record = _NOBODY if known is None else known
        signing, new = self.proven.keys.get(plan.access_key_id, record.secret, plan.scope, plan.ecdsa)
        string = self.signed_string(signing, self.hash_of(body))
        if string is None or known is None:
            self.spend(record, new)
        if known is None:
            raise Rejected(Reason.UNKNOWN_KEY, "no such access key", where="authorization Credential")
        if string is None:
            raise Rejected(Reason.WRONG_SIGNATURE, "it is of another request or another key", where="signature")
        self.check_genuine(record, now)
        self.check_body(body)
        identity = Identity(
            record.subject, "sigv4", plan.access_key_id, frozenset(record.scopes), rotated=record.rotated
        )
        writes = (self.once(string),) if self.settings.single_use else ()
        stream = None if self.form is None else self.stream(signing, self.form)
        new = new or self.presented.around is not None
        learn = partial(self.proven.keep, self.presented, record, signing) if new else None
        return Decision(identity, writes, stream=stream, learn=learn)

    def spend(self, record: AccessKey, new: bool) -> None:
        """Makes a refusal cost what one of an unknown key does, whatever was kept."""
        plan = self.presented.plan
        if not new:
            self.proven.keys.derive(plan.access_key_id, record.secret, plan.scope, plan.ecdsa)
        if self.presented.expires is None and self.presented.around is None:
            read_field(self.request.values(b"authorization")[0])

    # ---- what decide is made of ---------------------------------------------------------------------------------------

    def check_coverage(self) -> None:
        """Checks that every required header is in SignedHeaders, and that every header in SignedHeaders is present.

        Raises:
            Rejected: NOT_COVERED, MISSING_COMPONENT.
        """
        plan, parts = self.presented.plan, self.parts
        if plan.host_at < 0:
            raise Rejected(Reason.NOT_COVERED, "SignedHeaders lacks host", where="host")
        if parts.missing:
            detail = "SignedHeaders names a field that is not there"
            raise Rejected(Reason.MISSING_COMPONENT, detail, where=parts.missing.decode())
        if parts.loose or self.settings.require:
            self._check_loose()
        if self.presented.expires is None and plan.time_at < 0 and b"date" not in plan.positions:
            raise Rejected(Reason.NOT_COVERED, "the time is not in SignedHeaders", where="date")
        if self.payload is not None:
            self._check_payload_form()

    def _check_loose(self) -> None:
        signed, required = self.presented.plan.positions, self.settings.require
        for name, _ in self.request.headers:
            if name in signed or name in OTHERWISE_PROVEN:
                continue
            if name in required or name[:6] == b"x-amz-":
                detail = "the field is there, but not in SignedHeaders"
                raise Rejected(Reason.NOT_COVERED, detail, where=name.decode("latin-1"))

    def _check_payload_form(self) -> None:
        if self.settings.allow_unsigned_payload:
            return
        if self.form is not None and not self.form.signed:
            raise Rejected(Reason.NOT_COVERED, "the body is unsigned: only its checksum would be checked", where="body")
        if self.payload == UNSIGNED and self.body is UNUSED:
            raise Rejected(Reason.NOT_COVERED, "the body is unsigned", where="body")

    def hash_of(self, body: Body) -> bytes:
        """The canonical request's last line."""
        return self.payload if self.payload is not None else body.digest("sha-256").hex().encode()

    def signed_string(self, signing: Signing, payload: bytes) -> bytes | None:
        """The string to sign that the signature fits; None if it fits none."""
        signature, parts = self.presented.signature, self.parts
        plan, timestamp = self.presented.plan, self.timestamp
        for path in parts.paths:
            for query in parts.queries:
                canonical = canonical_request(parts.method, path, query, plan.names, parts.values, payload)
                string = string_to_sign(plan.algorithm, timestamp, plan.scope, canonical)
                if signing.fits(string, signature):
                    return string
        return None

    def check_genuine(self, record: AccessKey, now: float) -> None:
        """Session token, the key's end, scope, age.

        Raises:
            Rejected: `genuine`.
        """
        self.check_token(record)
        record.check_current(now, "authorization Credential")
        self.check_scope()
        self.check_time(now)

    def check_token(self, record: AccessKey) -> None:
        """That temporary credentials come with their session token, and no others with one."""
        presented = self.presented
        unsent = presented.token is None and presented.plan.token_at < 0 and not self.parts.loose
        if unsent and record.session_token is None:
            return
        sent = self.request.values(TOKEN_FIELD) if self.presented.token is None else [self.presented.token]
        if record.session_token is None:
            if sent:
                raise Rejected(Reason.WRONG_SECRET, "the access key has no session token", where=TOKEN_FIELD.decode(), genuine=True)  # fmt: skip
            return
        if not sent:
            raise Rejected(Reason.MISSING_COMPONENT, "the access key needs its session token", where=TOKEN_FIELD.decode(), genuine=True)  # fmt: skip
        if len(sent) > 1 or not compare(sent[0].strip(), record.session_token.encode()):
            raise Rejected(Reason.WRONG_SECRET, "it is not the access key's", where=TOKEN_FIELD.decode(), genuine=True)

    def check_scope(self) -> None:
        """That it is for this service in this region."""
        plan, settings = self.presented.plan, self.settings
        if settings.service is not None and plan.service != settings.service:
            raise Rejected(Reason.WRONG_AUDIENCE, f"signed for the service {plan.service.decode()!r}", where="service", genuine=True)  # fmt: skip
        mine = settings.region
        if mine is None or mine == plan.region:
            return
        if not any(matches(region, mine) for region in self.regions()):
            raise Rejected(Reason.WRONG_AUDIENCE, "signed for another region", where="region", genuine=True)

    def regions(self) -> Sequence[bytes]:
        """The regions that it is signed for; under SigV4A patterns with "*"."""
        if not self.presented.plan.ecdsa:
            return (self.presented.plan.region,)
        if self.presented.expires is None:
            said = b",".join(self.request.values(b"x-amz-region-set"))
        else:
            said = self.presented.region_set or b""
        regions = [region.strip() for region in said.split(b",", MAX_REGIONS)]
        if len(regions) > MAX_REGIONS or not all(_REGION.fullmatch(region) for region in regions):
            raise malformed(f"not 1 to {MAX_REGIONS} regions", "x-amz-region-set")
        return regions

    def check_time(self, now: float) -> None:
        """That it was signed on the day of its scope, and is neither too old nor from the future."""
        day = self.signed_at - self.presented.plan.day
        if not 0 <= day < 86400:
            reason = Reason.EXPIRED if day >= 86400 else Reason.NOT_YET_VALID
            raise Rejected(reason, "the scope is of another day than the time", where="authorization Credential", genuine=True)  # fmt: skip
        self.freshness.check(self.signed_at, now, self.time_field)

    @property
    def time_field(self) -> str:
        """Where the time is said."""
        return "x-amz-date" if self.presented.expires is None else "query X-Amz-Date"

    @property
    def freshness(self) -> Freshness:
        """For how long it is good; a URL says so itself (X-Amz-Expires)."""
        expires, settings = self.presented.expires, self.settings
        if expires is None:
            return settings.freshness
        return Freshness(min(expires, settings.max_expires), settings.freshness.skew)

    def check_body(self, body: Body) -> None:
        """That the body is the one whose hash is signed.

        Raises:
            Rejected: WRONG_BODY.
        """
        if self.body is STREAM or self.body is UNUSED:
            return
        actual = body.digest("sha-256").hex().encode()
        if self.payload == UNSIGNED:
            if actual != EMPTY:
                raise Rejected(Reason.NOT_COVERED, "the body is unsigned", where="body", genuine=True)
        elif self.payload is not None and not compare(actual, self.payload):
            raise Rejected(Reason.WRONG_BODY, "the body is not the one that was signed", where="body")

    def stream(self, signing: Signing, form: Form) -> ChunkedBody:
        """The check of the body's chunks.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, the fields that announce it are missing.
        """
        lengths = self.request.values(b"x-amz-decoded-content-length")
        if len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0].strip()):
            raise malformed("not one number of octets", "x-amz-decoded-content-length")
        said = b",".join(self.request.values(b"x-amz-trailer"))
        if said and not _NAMES.fullmatch(said.strip()):
            raise malformed("not 1 to 8 names", "x-amz-trailer")
        names = frozenset(name.strip().lower() for name in said.split(b",")) if said else frozenset()
        if form.trailer is not bool(names):
            raise malformed("there exactly if x-amz-content-sha256 ends with -TRAILER", "x-amz-trailer")
        known = {PREFIX + name.encode() for name in ALGORITHMS}
        if not form.signed and names.isdisjoint(known):
            raise malformed(f"no checksum that is known here: {', '.join(ALGORITHMS)}", "x-amz-trailer")
        plan = self.presented.plan
        seed = Seed(plan.algorithm, self.timestamp, plan.scope, self.presented.signature, signing)
        return ChunkedBody(form, seed, int(lengths[0]), names, self.settings.max_chunk)

    def once(self, string: bytes) -> Once:
        """What was signed, for as long as it is good: an ECDSA signature has two spellings, what it signs has one."""
        key = ("sigv4", self.presented.plan.access_key_id, hex_digest("sha-256", string).decode())
        # A laxer verifier of the same store may accept a presigned URL for as long as it says.
        return Once(key, self.signed_at + max(self.freshness.retention, self.presented.expires or 0, MAX_SKEW))


def matches(pattern: bytes, region: bytes) -> bool:
    """Whether a region of x-amz-region-set, in which "*" stands for anything, is `region`.

    >>> matches(b"us-*", b"us-east-1"), matches(b"us-*", b"eu-west-1"), matches(b"*", b"eu-west-1")
    (True, False, True)
    """
    first, *rest = pattern.split(b"*")
    if not rest:
        return pattern == region
    if not region.startswith(first) or len(first) + len(rest[-1]) > len(region) or not region.endswith(rest[-1]):
        return False
    at, end = len(first), len(region) - len(rest[-1])
    for part in rest[:-1]:
        at = region.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
