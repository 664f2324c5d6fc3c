"""Why an HMAC request was refused: tries what usually goes wrong until the MAC fits, and so names the component.

In order, each in the time of some thousand MACs at most: the request on its way, the parameters of the header, the secret
in another spelling, another hash, another known key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.message import Request
from watchword.core.records import Found, Ref
from watchword.core.scheme import STREAM, Body, Check
from watchword.crypto.digests import compare, digest, keyed_hmac
from watchword.crypto.keys import RegisteredKey
from watchword.schemes import hmac_header as scheme
from watchword.schemes.diagnosis import (
    causes, clock_check, damaged, near, request_guesses, search, secret_guesses, time_guesses,
)  # fmt: skip
from watchword.schemes.hmac_header import HMACClaim, PresentedCredentials

__all__ = ["EXPLAINERS", "explain_hmac"]

COVERED = ("@method", "@authority", "@path", "@query")
HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
MAX_KEYS = 64
"""Other keys that are tried, of those that were found."""

Others = Sequence[tuple[str, RegisteredKey]]
Sign = Callable[[bytes], bytes]
Cause = tuple[str, str, str, str]  # component, expected, received, mend

_COMPARE = (
    "none of the usual changes explains it: compare the canonical string with the client's (HMACAuth.canonical), line by "
    "line, and then the secrets"
)


def explain_hmac(claim: HMACClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """The canonical string that this request has, and every check."""
    params, verifier = claim.params, claim.verifier
    if claim.body is STREAM:
        body = Body(body.data, {"sha-256": digest("sha-256", body.data)})
    record = found.get(Ref(RegisteredKey, (params.key_id,)))
    known = [(key[0], other) for key, other in found.of(RegisteredKey) if other.algorithm in HASHES]
    others = [(name, other) for name, other in known if name != params.key_id][:MAX_KEYS]
    timely = clock_check("authorization timestamp", int(params.timestamp), now, verifier.freshness)
    checks = [_known(claim, record, others), *_mac(claim, record, others, body), _body(claim, body), timely]
    if record is not None:
        checks.append(_current(record, now))
    return scheme.text_of(claim.canonical()), checks


def _known(claim: HMACClaim, record: RegisteredKey | None, others: Others) -> Check:
    key_id, where = claim.params.key_id, "authorization keyid"
    if record is not None:
        return Check("key id", True, where, "a registered key id", key_id)
    for name, other in others:
        sign = _signer(other.secret, other.algorithm)
        if _fits(claim, sign) or _fits(claim, sign, key_id=name):
            return Check("key id", False, where, name, key_id, f"the key {name!r} made the MAC: send that key id")
    meant = near(key_id, [name for name, _ in others])
    mend = f"did the client mean {meant!r}? If not, " if meant else ""
    mend += "register the key with store.add_key, or send the key id that was registered"
    return Check("key id", False, where, meant or "a registered key id", key_id, mend)


def _mac(claim: HMACClaim, record: RegisteredKey | None, others: Others, body: Body) -> Sequence[Check]:
    received = f"{claim.params.mac[:6]}…"
    if record is None:
        return [Check("mac", None, "mac", "", received, "the key is unknown")]
    if record.algorithm not in HASHES:
        mend = "send the id of a key for HMAC, or register one: store.add_key"
        return [Check("algorithm", False, "authorization keyid", "a key for HMAC", record.algorithm, mend)]
    sign = _signer(record.secret, record.algorithm)
    if _fits(claim, sign):
        return [Check("mac", True, "mac", "the MAC of this request", received)]
    guess = search(
        claim.request, b"", lambda request, _: _made(claim, sign, claim.params, request), parts=COVERED
    )  # fmt: skip
    if guess is not None:
        return causes("mac", guess)
    found = next(chain(_in_header(claim, sign, body), _of_key(claim, record, others), _moved(claim, sign)), None)
    if found is not None:
        return [Check("mac", False, *found)]
    damage = damaged(scheme.base64url(sign(claim.canonical())), claim.params.mac)
    mend = f"{damage}: send it as it was made" if damage else _COMPARE
    return [Check("mac", False, "mac", "the MAC of this request by that key", received, mend)]


def _in_header(claim: HMACClaim, sign: Sign, body: Body) -> Iterator[Cause]:
    actual = scheme.base64url(body.digest("sha-256"))
    if _fits(claim, sign, digest=actual):
        mend = "the digest was changed on the way: the body is as it was signed"
        yield "authorization digest", actual, claim.params.digest, mend


def _of_key(claim: HMACClaim, record: RegisteredKey, others: Others) -> Iterator[Cause]:
    """Another hash, the secret in another spelling, another known key."""
    key_id = claim.params.key_id
    for algorithm in HASHES:
        if algorithm != record.algorithm and _fits(claim, _signer(record.secret, algorithm)):
            mend = (
                f"the client signs with {algorithm}: sign with {record.algorithm}, or register the key for {algorithm}"
            )
            yield "algorithm", record.algorithm, algorithm, mend
    for what, secret in secret_guesses(record.secret):
        for algorithm in HASHES:
            if _fits(claim, _signer(secret, algorithm)):
                mend = f"the client signs with the secret {what}: have both sides read it alike"
                yield "key", "the registered secret", f"the secret {what}", mend
    for name, other in others:
        sign = _signer(other.secret, other.algorithm)
        if _fits(claim, sign):
            mend = f"the client signs with the secret of the key {name!r}: give it that of {key_id!r}"
            yield "key", f"the secret of {key_id!r}", f"the secret of {name!r}", mend
        if _fits(claim, sign, key_id=name):
            yield "authorization keyid", name, key_id, f"the key id was changed on the way: it was signed as {name!r}"


def _moved(claim: HMACClaim, sign: Sign) -> Iterator[Cause]:
    signed = claim.params.timestamp
    for time in map(str, time_guesses(int(signed))):
        if _fits(claim, sign, timestamp=time):
            mend = "the time was changed after signing: sign anew for every request"
            yield "authorization timestamp", time, signed, mend


def _body(claim: HMACClaim, body: Body) -> Check:
    signed, actual = claim.params.digest, scheme.base64url(body.digest("sha-256"))
    shown = f"SHA-256 {actual} of {len(body.data)} octets"
    if compare(actual.encode(), signed.encode()):
        return Check("body", True, "body", f"SHA-256 {signed}", shown)
    for guess in request_guesses(claim.request, body.data, parts=("body",)):
        if scheme.base64url(digest("sha-256", guess.body)) == signed:
            return Check("body", False, "body", guess.expected, guess.received, guess.mend)
    mend = "the body changed after it was signed: sign exactly the octets that are sent"
    if damage := damaged(actual, signed):
        mend = f"the digest in the header is not one of this body, though nearly ({damage}): send it as it was made"
    return Check("body", False, "body", f"SHA-256 {signed}", shown, mend)


def _current(record: RegisteredKey, now: float) -> Check:
    where = "authorization keyid"
    if record.expires is None:
        return Check("key time", True, where, "a key without an end", "as expected")
    ended = now >= record.expires
    mend = "" if not ended else "register another key with store.add_key, and give it to the client"
    if ended and record.superseded_by is not None:
        mend = f"the key was replaced by {record.superseded_by!r}: sign with that one"
    return Check("key time", not ended, where, f"good until {record.expires:.0f}", f"judged at {now:.0f}", mend)


def _signer(secret: bytes, algorithm: str) -> Sign:
    """Without the rules of `Key`: a client elsewhere may use a secret that is too short for its hash."""
    return keyed_hmac(HASHES[algorithm], secret)[0]


def _fits(claim: HMACClaim, sign: Sign, **changed: str) -> bool:
    return _made(claim, sign, claim.params._replace(**changed), claim.request)


def _made(claim: HMACClaim, sign: Sign, params: PresentedCredentials, request: Request) -> bool:
    covered = scheme.canonical(params, request.method, request.authority, request.target)
    return compare(scheme.base64url(sign(covered)).encode(), claim.params.mac.encode())


EXPLAINERS: Final[ClaimExplainers] = {HMACClaim: explain_hmac}
