"""Why Digest credentials were refused: every parameter against what a genuine client would have sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from watchword.core.records import Found
from watchword.core.rejection import Rejected
from watchword.core.scheme import Check
from watchword.crypto.digests import compare
from watchword.schemes.digest.credentials import check_uri
from watchword.schemes.digest.nonces import NONCE_KEY, NonceState, read_nonce

if TYPE_CHECKING:
    from watchword.schemes.digest.scheme import DigestClaim

__all__ = ["explain_digest"]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT")


def explain_digest(claim: DigestClaim, found: Found, now: float) -> tuple[str, Sequence[Check]]:
    """The masked A1 and the A2 that this request has, and every check in the order in which they decide."""
    return _canonical(claim), list(_checks(claim, found, now))


def _checks(claim: DigestClaim, found: Found, now: float) -> Iterator[Check]:
    presented, verifier = claim.presented, claim.verifier
    yield Check("format", True, "authorization", "parameters by RFC 7616 §3.4", "as expected")
    realm = presented.realm.decode("utf-8", "backslashreplace")
    yield _same("realm", verifier.realm, realm, "answer a challenge of this server: realms belong to servers")
    offered = ", ".join(verifier.algorithms)
    yield Check(
        "algorithm", claim.algorithm is not None, "authorization algorithm", offered, presented.algorithm,
        "" if claim.algorithm else "answer one of the challenges, or offer this one: DigestVerifier(algorithms=[…])",
    )  # fmt: skip
    qop = presented.qop
    yield _same("qop", "auth", qop or "none", "send qop=auth with nc and cnonce; RFC 2069's form is not accepted")
    yield _uri(claim)
    yield _nonce(claim, found, now)
    yield Check("nc", bool(presented.nc), "authorization nc", "8 hexadecimal digits", presented.nc or "none",
                "" if presented.nc else "count the requests made with this nonce")  # fmt: skip
    yield from _proof(claim, found)


def _same(name: str, expected: str, received: str, mend: str) -> Check:
    passed = expected == received
    return Check(name, passed, f"authorization {name}", expected, received, "" if passed else mend)


def _uri(claim: DigestClaim) -> Check:
    expected = claim.request.target.decode("utf-8", "backslashreplace")
    received = claim.presented.uri.decode("utf-8", "backslashreplace")
    try:
        check_uri(claim.presented.uri, claim.request)
    except Rejected as rejected:
        mend = (
            f"{rejected.rejection.detail}: sign the target exactly as it is sent, and look for a proxy that rewrites it"
        )
        return Check("uri", False, "authorization uri", expected, received, mend)
    return Check("uri", True, "authorization uri", expected, received)


def _nonce(claim: DigestClaim, found: Found, now: float) -> Check:
    verifier, where = claim.verifier, "authorization nonce"
    expected = f"made by this server at most {verifier.nonce_lifetime:g} s ago"
    if claim.algorithm is None:
        return Check("nonce", None, where, expected, mend="nonces belong to an algorithm, and this one is not offered")
    reading = read_nonce(
        found.get(NONCE_KEY), verifier.realm, claim.algorithm.name, claim.presented.nonce, now, verifier.nonce_lifetime
    )
    if reading.state is NonceState.FOREIGN:
        return Check("nonce", False, where, expected, "not signed by this server for this realm and algorithm",
                     "answer a fresh challenge; workers share nonces if they share a store")  # fmt: skip
    age = f"made {now - reading.made:.0f} s ago"
    if reading.state is NonceState.EXPIRED:
        return Check("nonce", False, where, expected, age, "answer the challenge that says stale=true")
    return Check("nonce", True, where, expected, age)


def _proof(claim: DigestClaim, found: Found) -> Iterator[Check]:
    record = found.get(claim.ref)
    name = repr(claim.presented.username)
    place = f"{claim.ref.key[0]} in the realm {claim.verifier.realm!r}"
    yield Check(
        "user", record is not None if claim.algorithm else None, "authorization username", f"a user with {place}", name,
        "" if record else "add the user with store.add_user(…, realm=…, digest_algorithms=[…])",
    )  # fmt: skip
    received = f"{claim.presented.response[:6]}…"
    if record is None:
        yield Check("response", None, "authorization response", "", received, "there is no secret to compare with")
        return
    ha1 = record.ha1.encode()
    expected = claim.expected(ha1)
    shown = f"{expected.decode()[:6]}…"
    if compare(expected, claim.presented.response.encode()):
        yield Check("response", True, "authorization response", shown, received)
        if record.disabled:
            mend = "enable the user with `watchword user enable`"
            yield Check("enabled", False, "authorization username", "an enabled user", "a disabled one", mend)
        return
    for method in METHODS:
        if compare(claim.expected(ha1, method), claim.presented.response.encode()):
            mend = "something changed the method on the way"
            yield Check("response", False, "@method", method, claim.request.method, mend)
            return
    yield Check(
        "response", False, "authorization response", shown, received,
        "the password differs, or the stored hash was made of another password, username or realm",
    )  # fmt: skip


def _canonical(claim: DigestClaim) -> str:
    presented = claim.presented
    uri = presented.uri.decode("utf-8", "backslashreplace")
    return f"A1: {presented.username}:{claim.verifier.realm}:(password)\nA2: {claim.request.method}:{uri}"
