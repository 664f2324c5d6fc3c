"""The checks of a DPoP proof (RFC 9449 §4.3), one text for the verdict and for its explanation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from watchword.core.message import Request
from watchword.core.records import Found
from watchword.core.rejection import Reason, Rejected
from watchword.crypto.digests import compare
from watchword.crypto.keys import Key
from watchword.fields.target import check_exact
from watchword.schemes.digest.nonces import NonceState, Reading
from watchword.schemes.dpop.proof import TYPE, PresentedProof, ath_of, resource_of, url_of
from watchword.schemes.freshness import Freshness
from watchword.schemes.jwt.checks import valid_from, valid_until

__all__ = ["Facts", "ProofCheck", "Rules", "checks_of"]

MAX_JTI: Final = 256
"""Characters of the longest `jti`; RFC 9449 §4.2 wants 96 random bits or a UUID."""
_SECRETS: Final = re.compile(r"(?<=//)[^/?#]*(?=@)|(?<=[?#]).+", re.DOTALL)


class Rules(Protocol):
    """What the checks ask of the verifier."""

    freshness: Freshness
    nonces: bool

    def reading(self, proof: PresentedProof, found: Found, now: float, /) -> Reading: ...


class Presented(Protocol):
    """What they ask of the claim: the proof, the request that it came with, the token beside it, and the key in it."""

    proof: PresentedProof
    request: Request

    @property
    def rules(self) -> Rules: ...
    @property
    def access_token(self) -> bytes: ...
    @property
    def key(self) -> Key: ...


class Facts(NamedTuple):
    """What a check goes by: the claim, the records that were found for it, and the time by which it is judged."""

    claim: Presented
    found: Found
    now: float


class ProofCheck(NamedTuple):
    """One check of a proof, with the words by which `explain` tells of it.

    Args:
        name: the part of the proof.
        check: raises `Rejected`, at "dpop" and the name.
        expected: what a right one has there.
        received: what this one has.
        mend: what to do if it fails.
    """

    name: str
    check: Callable[[Facts], None]
    expected: Callable[[Facts], str]
    received: Callable[[Facts], str]
    mend: str


def _key(facts: Facts) -> None:
    _ = facts.claim.key


def _type(facts: Facts) -> None:
    if facts.claim.proof.header.get("typ") != TYPE:
        raise Rejected(Reason.WRONG_TYPE, f"a proof is of type {TYPE}", where="dpop typ")


def _method(facts: Facts) -> None:
    if facts.claim.proof.text("htm") != facts.claim.request.method:
        raise Rejected(Reason.WRONG_CLAIM, "the proof is for another method", where="dpop htm")


def _url(facts: Facts) -> None:
    request, said = facts.claim.request, facts.claim.proof.text("htu")
    check_exact(request, where="target")  # the proof may well be right
    if request.authority and said == url_of(request):  # as nearly every client writes it
        return
    try:
        meant = resource_of(said.encode(), "", "")
    except Rejected as rejected:
        raise Rejected(Reason.WRONG_TARGET, rejected.rejection.detail, where="dpop htu") from None
    _, host, _ = own = resource_of(request.target, request.scheme, request.authority)
    if not host or meant != own:  # a URL without a host is nobody's
        raise Rejected(Reason.WRONG_TARGET, "the proof is for another URL", where="dpop htu")


def _id(facts: Facts) -> None:
    if len(facts.claim.proof.text("jti")) > MAX_JTI:
        raise Rejected(Reason.WRONG_CLAIM, f"longer than {MAX_JTI} characters", where="dpop jti")


def _token_hash(facts: Facts) -> None:
    if not compare(facts.claim.proof.text("ath").encode(), ath_of(facts.claim.access_token).encode()):
        raise Rejected(Reason.WRONG_CLAIM, "the proof is for another access token", where="dpop ath")


def _time(facts: Facts) -> None:
    made, rules = facts.claim.proof.made(), facts.claim.rules
    if not rules.nonces:  # else the nonce tells, whatever the client's clock says
        rules.freshness.check(made, facts.now, "dpop iat", genuine=False)


def _lifetime(facts: Facts) -> None:
    claims, skew = facts.claim.proof.claims, facts.claim.rules.freshness.skew
    try:
        valid_until(skew).check(claims, facts.now)
        valid_from(skew).check(claims, facts.now)
    except Rejected as rejected:
        fault = rejected.rejection
        raise Rejected(fault.reason, fault.detail, where=f"dpop {fault.where}") from None


def _nonce(facts: Facts) -> None:
    proof = facts.claim.proof
    if "nonce" not in proof.claims:
        raise Rejected(Reason.UNKNOWN_NONCE, "a nonce of this server is demanded", where="dpop nonce")
    state = facts.claim.rules.reading(proof, facts.found, facts.now).state
    if state is not NonceState.CURRENT:
        reason = Reason.STALE_NONCE if state is NonceState.EXPIRED else Reason.UNKNOWN_NONCE
        raise Rejected(reason, "not a nonce that this server has given lately", where="dpop nonce")


def _signature(facts: Facts) -> None:
    proof = facts.claim.proof
    try:
        facts.claim.key.verifier(proof.signing_input, proof.signature)
    except Rejected as rejected:
        fault = rejected.rejection
        where = fault.where if fault.where.startswith("dpop") else "dpop signature"
        raise Rejected(fault.reason, fault.detail, where=where) from None


def _expected_time(facts: Facts) -> str:
    rules, now = facts.claim.rules, facts.now
    max_age = rules.freshness.max_age
    if rules.nonces or max_age is None:
        return "a time; the nonce tells whether it is recent"
    return f"later than {math.floor(now - max_age)}, and at most {math.floor(now + rules.freshness.skew)}"


def _key_said(facts: Facts) -> str:
    """Which kind of key it is: its members may be private ones, sent by mistake."""
    header = facts.claim.proof.header
    jwk = header.get("jwk")
    of = [str(jwk[name])[:16] for name in ("kty", "crv") if name in jwk] if isinstance(jwk, dict) else []
    return " ".join(["a key" if isinstance(jwk, dict) else "no key", *of, "for", str(header.get("alg"))[:16]])


def _said(name: str) -> Callable[[Facts], str]:
    """What a proof says in one claim."""
    return lambda facts: _shown(facts.claim.proof.claims, name)


def _url_said(facts: Facts) -> str:
    """The URL that a proof says, without what may be a secret: a password before the host, and the query."""
    claims = facts.claim.proof.claims
    said = claims.get("htu")
    return _shown({"htu": _SECRETS.sub("***", said)} if isinstance(said, str) else claims, "htu")


def _lifetime_said(facts: Facts) -> str:
    claims = facts.claim.proof.claims
    return ", ".join(f"{name} {_shown(claims, name)}" for name in ("exp", "nbf"))


def _shown(members: Mapping[str, Any], name: str) -> str:
    return str(members[name])[:128].encode("utf-8", "backslashreplace").decode() if name in members else "absent"


def _always(text: str) -> Callable[[Facts], str]:
    return lambda _: text


_CHECKS: Final[Sequence[ProofCheck]] = (
    ProofCheck("jwk", _key, _always("a public key for the algorithm in alg"), _key_said,
               "write the public key into the proof's header, and never the private one"),
    ProofCheck("typ", _type, _always(TYPE), lambda facts: _shown(facts.claim.proof.header, "typ"),
               f"write typ {TYPE} into the proof's header"),
    ProofCheck("htm", _method, lambda facts: facts.claim.request.method, _said("htm"),
               "make a proof for each request, with its own method"),
    ProofCheck("htu", _url, lambda facts: url_of(facts.claim.request), _url_said,
               "write the URL as the client calls it, without query and fragment; behind a proxy give the guard a PublicURL"),
    ProofCheck("jti", _id, _always("a text that no other proof has"), _said("jti"), "make a random one for each proof"),
    ProofCheck("ath", _token_hash, lambda facts: ath_of(facts.claim.access_token), _said("ath"),
               "write the base64url of SHA-256 over the access token as it is sent, without padding"),
    ProofCheck("iat", _time, _expected_time, _said("iat"),
               "make the proof when the request is sent, in seconds since 1970, and check both clocks"),
    ProofCheck("exp", _lifetime, _always("exp absent or in the future, and nbf absent or past"), _lifetime_said,
               "leave both out, for iat says how old a proof is"),
)  # fmt: skip
_NONCE: Final = ProofCheck(
    "nonce", _nonce, _always("what the last answer said in DPoP-Nonce"), _said("nonce"),
    "make a new proof, with the nonce of the last answer",
)  # fmt: skip
_SIGNATURE: Final = ProofCheck(
    "signature", _signature, _always("made by the key in the proof's header"),
    lambda facts: f"{len(facts.claim.proof.signature)} octets",
    "sign with the key whose public half is in jwk, by the algorithm in alg; ECDSA gives r and s, no DER",
)  # fmt: skip
_WITHOUT_NONCE: Final = (*_CHECKS, _SIGNATURE)
_WITH_NONCE: Final = (*_CHECKS, _NONCE, _SIGNATURE)


def checks_of(rules: Rules) -> Sequence[ProofCheck]:
    """The checks of RFC 9449 §4.3 that are left once a proof was read; what needs no cryptography comes first."""
    return _WITH_NONCE if rules.nonces else _WITHOUT_NONCE
