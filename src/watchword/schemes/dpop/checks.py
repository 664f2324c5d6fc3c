"""The checks of a DPoP proof (RFC 9449 §4.3), one text for the verdict and for its explanation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
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

__all__ = ["ProofCheck", "Rules", "checks_of"]

MAX_JTI: Final = 256
"""Characters of the longest `jti`; RFC 9449 §4.2 wants 96 random bits or a UUID."""


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


class ProofCheck(NamedTuple):
    """One check of a proof, with the words by which `explain` tells of it.

    Args:
        name: the part of the proof.
        expected: what a right one has there.
        received: what this one has.
        check: raises `Rejected`, at "dpop" and the name.
        mend: what to do if it fails.
    """

    name: str
    expected: str
    received: str
    check: Callable[[], None]
    mend: str


def checks_of(claim: Presented, found: Found, now: float) -> Sequence[ProofCheck]:
    """The checks of RFC 9449 §4.3 that are left once the proof was read; what needs no cryptography comes first."""
    proof, request, rules, token = claim.proof, claim.request, claim.rules, claim.access_token
    header, said = proof.header, proof.claims
    checks = [
        ProofCheck("jwk", "a public key for the algorithm in alg", _key_said(header), partial(_key, claim),
                   "write the public key into the proof's header, and never the private one"),
        ProofCheck("typ", TYPE, _said(header, "typ"), partial(_type, proof), f"write typ {TYPE} into the proof's header"),
        ProofCheck("htm", request.method, _said(said, "htm"), partial(_method, proof, request),
                   "make a proof for each request, with its own method"),
        ProofCheck("htu", url_of(request), _said(said, "htu"), partial(_url, proof, request),
                   "write the URL as the client calls it, without query and fragment; behind a proxy give the guard a PublicURL"),
        ProofCheck("jti", "a text that no other proof has", _said(said, "jti"), partial(_id, proof),
                   "make a random one for each proof"),
        ProofCheck("ath", ath_of(token), _said(said, "ath"), partial(_token_hash, proof, token),
                   "write the base64url of SHA-256 over the access token as it is sent, without padding"),
        ProofCheck("iat", _expected_time(rules, now), _said(said, "iat"), partial(_time, proof, rules, now),
                   "make the proof when the request is sent, in seconds since 1970, and check both clocks"),
    ]  # fmt: skip
    if rules.nonces:
        checks.append(
            ProofCheck("nonce", "what the last answer said in DPoP-Nonce", _said(said, "nonce"),
                       partial(_nonce, proof, rules, found, now), "make a new proof, with the nonce of the last answer")
        )  # fmt: skip
    signature = f"{len(proof.signature)} octets"
    checks.append(
        ProofCheck("signature", "made by the key in the proof's header", signature, partial(_signature, claim),
                   "sign with the key whose public half is in jwk, by the algorithm in alg; ECDSA gives r and s, no DER")
    )  # fmt: skip
    return checks


def _key(claim: Presented) -> None:
    _ = claim.key


def _type(proof: PresentedProof) -> None:
    if proof.header.get("typ") != TYPE:
        raise Rejected(Reason.WRONG_TYPE, f"a proof is of type {TYPE}", where="dpop typ")


def _method(proof: PresentedProof, request: Request) -> None:
    if proof.text("htm") != request.method:
        raise Rejected(Reason.WRONG_CLAIM, "the proof is for another method", where="dpop htm")


def _url(proof: PresentedProof, request: Request) -> None:
    check_exact(request, where="dpop htu")
    url = proof.text("htu").encode("utf-8", "replace")
    try:
        meant = resource_of(url, "", "")
    except Rejected as rejected:
        raise Rejected(Reason.WRONG_TARGET, rejected.rejection.detail, where="dpop htu") from None
    if meant != resource_of(request.target, request.scheme, request.authority):
        raise Rejected(Reason.WRONG_TARGET, "the proof is for another URL", where="dpop htu")


def _id(proof: PresentedProof) -> None:
    if len(proof.text("jti")) > MAX_JTI:
        raise Rejected(Reason.WRONG_CLAIM, f"longer than {MAX_JTI} characters", where="dpop jti")


def _token_hash(proof: PresentedProof, token: bytes) -> None:
    if not compare(proof.text("ath").encode("utf-8", "replace"), ath_of(token).encode()):
        raise Rejected(Reason.WRONG_CLAIM, "the proof is for another access token", where="dpop ath")


def _time(proof: PresentedProof, rules: Rules, now: float) -> None:
    made = proof.made()
    if not rules.nonces:  # else the nonce tells, whatever the client's clock says
        rules.freshness.check(made, now, "dpop iat", genuine=False)


def _nonce(proof: PresentedProof, rules: Rules, found: Found, now: float) -> None:
    if "nonce" not in proof.claims:
        raise Rejected(Reason.UNKNOWN_NONCE, "a nonce of this server is demanded", where="dpop nonce")
    state = rules.reading(proof, found, now).state
    if state is not NonceState.CURRENT:
        reason = Reason.STALE_NONCE if state is NonceState.EXPIRED else Reason.UNKNOWN_NONCE
        raise Rejected(reason, "not a nonce that this server has given lately", where="dpop nonce")


def _signature(claim: Presented) -> None:
    try:
        claim.key.verifier(claim.proof.signing_input, claim.proof.signature)
    except Rejected as rejected:
        fault = rejected.rejection
        where = fault.where if fault.where.startswith("dpop") else "dpop signature"
        raise Rejected(fault.reason, fault.detail, where=where) from None


def _expected_time(rules: Rules, now: float) -> str:
    max_age = rules.freshness.max_age
    if rules.nonces or max_age is None:
        return "a time; the nonce tells whether it is recent"
    return f"from {now - max_age:.0f} to {now + rules.freshness.skew:.0f}"


def _key_said(header: Mapping[str, Any]) -> str:
    """Which kind of key it is: its members may be private ones, sent by mistake."""
    jwk = header.get("jwk")
    of = [str(jwk[name])[:16] for name in ("kty", "crv") if name in jwk] if isinstance(jwk, dict) else []
    return " ".join(["a key" if isinstance(jwk, dict) else "no key", *of, "for", str(header.get("alg"))[:16]])


def _said(members: Mapping[str, Any], name: str) -> str:
    return str(members[name])[:128].encode("utf-8", "backslashreplace").decode() if name in members else "absent"
