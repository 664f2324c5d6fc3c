"""Why an HMAC request was refused: the MAC's computation, varied until it gives what was received (`explaining.search`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.message import Request
from watchword.core.records import Found, Ref
from watchword.core.scheme import Body, Check
from watchword.crypto.digests import compare, hmac_digest
from watchword.crypto.keys import RegisteredKey
from watchword.schemes import hmac_header as scheme
from watchword.schemes.diagnosis import clock_check
from watchword.schemes.explaining.computation import Computation, Encoding, Join, Leaf, Mac, Node
from watchword.schemes.explaining.deviations import Deviation, constant
from watchword.schemes.explaining.accounts import (
    aside,
    body_check,
    body_digest,
    current,
    fields_at_hand,
    signature_check,
    unknown,
)
from watchword.schemes.explaining.search import Asked
from watchword.schemes.explaining.received import Received
from watchword.schemes.hmac_header import HMACClaim

__all__ = ["EXPLAINERS", "explain_hmac"]

COVERED = ("@method", "@authority", "@path", "@query", "body")
HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
MAX_KEYS = 64
"""Other keys that are tried, of those that were found."""

Others = Sequence[tuple[str, RegisteredKey]]
FORM: Final = "base64url without padding"

_ADVICE: Final = "make it as docs/reference/hmac.md says"
_RENEW: Final = "register another key with store.add_key, and give it to the client"
_COMPARE: Final = (
    "compare the canonical string with the client's (HMACAuth.canonical), line by line, and then the secrets"
)


def mac_of(
    claim: HMACClaim, record: RegisteredKey, others: Others = (), body: bytes = b""
) -> tuple[Encoding, Sequence[Deviation]]:
    """The MAC of `docs/reference/hmac.md`, step by step; and what it would be for other keys under their own ids."""
    params, request = claim.params, claim.request
    parts = (
        Leaf("the version line", b"HMAC " + scheme.VERSION.encode(), "literal"),
        Leaf("the key id", params.key_id.encode(), component="authorization keyid", others=[("the subject, the owner of the key, for the key id", record.subject.encode())]),
        Leaf("the timestamp", params.timestamp.encode(), "time", "authorization timestamp"),
        Leaf("the nonce", params.nonce.encode(), component="authorization nonce"),
        Leaf("the method", request.method.encode("utf-8", "replace"), "method", "@method", lambda seen, _: seen.method.encode()),
        Leaf("the authority", _authority(request, body), "authority", "@authority", _authority),
        Leaf("the target", request.target, "target", "@path", lambda seen, _: seen.target),
        _digest(params.digest.encode(), body),
    )  # fmt: skip
    secrets = [(f"the secret of another key, {name!r}", other.secret) for name, other in others]
    key = Leaf("the registered secret", record.secret, "key", "key", others=secrets)
    mac = Mac("the MAC", HASHES[record.algorithm], key, Join("the canonical string", parts, b"\n", b"\n"), "mac")
    renamed = [
        Deviation(
            1, parts[1], "", constant(name.encode()), name, params.key_id, also={key: constant(other.secret)},
            mend=f"the key id was changed on the way: it was signed as {name!r}",
        )
        for name, other in others
    ]  # fmt: skip
    return Encoding("the MAC", FORM, mac, "mac"), renamed


def _digest(said: bytes, body: bytes) -> Node:
    """The digest of the header: that of this body, or what became of it."""
    made = body_digest("the digest", "sha256", FORM, body)
    actual = Computation(made).value(made)
    changed = [("the digest of this body, which was changed on the way", actual)]
    return made if said == actual else Leaf("the digest", said, component="authorization digest", others=changed)


def _authority(request: Request, body: bytes) -> bytes:
    return request.authority.lower().encode("utf-8", "replace")


def explain_hmac(claim: HMACClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """The canonical string that this request has, and every check."""
    params, verifier = claim.params, claim.verifier
    record = found.get(Ref(RegisteredKey, (params.key_id,)))
    known = [(key[0], other) for key, other in found.of(RegisteredKey) if other.algorithm in HASHES]
    others = [(name, other) for name, other in known if name != params.key_id][:MAX_KEYS]
    timely = clock_check("authorization timestamp", int(params.timestamp), now, verifier.freshness)
    root = body_digest("the digest", "sha256", FORM, body.data)
    digest = body_check(claim.request, body.data, params.digest.encode(), root, "SHA-256", _ADVICE)
    checks = [_known(claim, record, others), *_mac(claim, record, others, body), digest, timely]
    if record is not None:
        checks.append(current("key time", "authorization keyid", record.expires, now, _RENEW, record.superseded_by))
    return scheme.text_of(claim.canonical()), checks


def _known(claim: HMACClaim, record: RegisteredKey | None, others: Others) -> Check:
    key_id, where = claim.params.key_id, "authorization keyid"
    if record is not None:
        return Check("key id", True, where, "a registered key id", key_id)
    for name, other in others:
        if _fits(claim, other) or _fits(claim, other, name):
            mend = f"the key {name!r} made the MAC{aside(name, key_id, other.subject)}: send that key id"
            return Check("key id", False, where, name, key_id, mend)
    register = "register the key with store.add_key, or send the key id that was registered"
    return unknown(
        "key id",
        where,
        "a registered key id",
        key_id,
        [name for name, _ in others],
        register,
        [other for _, other in others],
    )


def _fits(claim: HMACClaim, record: RegisteredKey, key_id: str = "") -> bool:
    """Whether the MAC is by this key, under its own name or that of the header."""
    params = claim.params._replace(key_id=key_id or claim.params.key_id)
    covered = scheme.canonical(params, claim.request.method, claim.request.authority, claim.request.target)
    mac = hmac_digest(HASHES[record.algorithm], record.secret, covered)
    return compare(scheme.base64url(mac).encode(), claim.params.mac.encode())


def _mac(claim: HMACClaim, record: RegisteredKey | None, others: Others, body: Body) -> Sequence[Check]:
    received = f"{claim.params.mac[:6]}…"
    if record is None:
        return [Check("mac", None, "mac", "", received, "the key is unknown")]
    if record.algorithm not in HASHES:
        mend = "send the id of a key for HMAC, or register one: store.add_key"
        return [Check("algorithm", False, "authorization keyid", "a key for HMAC", record.algorithm, mend)]
    if _fits(claim, record):
        return [Check("mac", True, "mac", "the MAC of this request", received)]
    (root, renamed), sent = mac_of(claim, record, others, body.data), claim.params.mac.encode()
    pool = (
        Leaf("the body", body.data, "body"),
        Leaf("the scheme", claim.request.scheme.encode()),
        *fields_at_hand(claim.request),
    )
    fits, data = Received(sent, FORM), body.data
    asked = Asked("mac", root, fits, claim.request, data, parts=COVERED, pool=pool, advice=_ADVICE, more=renamed)
    return signature_check("mac", "mac", "the MAC of this request by that key", received, [asked], _COMPARE)


EXPLAINERS: Final[ClaimExplainers] = {HMACClaim: explain_hmac}
