"""Why signed requests are refused: the signature base (`description`), varied until the signature fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.message import Request
from watchword.core.records import Found
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import Body, Check, More
from watchword.crypto.digests import compare, digest
from watchword.crypto.keys import Key, RegisteredKey, RegisteredPublicKey
from watchword.crypto.wrong_spellings import near_cause
from watchword.schemes.diagnosis import PARTS, clock_check, damaged, near
from watchword.schemes.explaining.computation import Hash, Leaf, Node
from watchword.schemes.explaining.search import MAX_STEPS, Asked, Fit, Outcome, by_octets, look_for, unexplained
from watchword.schemes.signatures.bots import AgentClaim
from watchword.schemes.signatures.claim import SignatureClaim
from watchword.schemes.signatures.components import Component, SignatureInput, params_text
from watchword.schemes.signatures.description import base_of, mac_of, more_of, params_of
from watchword.schemes.signatures.key_owners import KeyOwner
from watchword.schemes.signatures.message import Message
from watchword.schemes.signatures.reading import PresentedCredentials

__all__ = ["EXPLAINERS", "explain_signature"]

MAX_KEYS: Final = 64
"""Other keys that are tried, of those that are known."""
DEAR: Final = MAX_STEPS // 4096
"""Steps that a signature by a public key takes."""
_ADVICE: Final = "make the signature base as RFC 9421 §2.5 says"
_COMPARE: Final = (
    "compare the canonical string with the client's (SignatureAuth.canonical), line by line, and then the keys"
)
_COVERED_PARTS: Final = {
    Component("@method"): "@method", Component("@scheme"): "@scheme", Component("@authority"): "@authority",
    Component("@path"): "@path", Component("@query"): "@query",
}  # fmt: skip


def explain_signature(claim: SignatureClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """The signature base of this request, and every check, of each signature that is judged."""
    asked = True
    try:
        judged = claim.judged(found, body, now)
    except Rejected as rejected:
        judged, asked = [], claim.signers.source is None or rejected.reason is Reason.UNKNOWN_KEY
    except StoreUnavailable:
        judged = []
    if isinstance(judged, More) or not judged:
        one = claim.presented[0]
        checks = [
            _unknown(claim, one, found) if asked else _not_asked(one),
            Check("signature", None, "signature", "", _shown(one.signature), "the key is unknown"),
        ]
        checks += _rest(claim, one, None, body, now)
        return _base(claim, one), checks
    checks = []
    for one, key_owner in judged:
        checks += [
            Check("key id", True, "keyid", "a known key", one.key_id or "the only key"),
            _algorithm(one, key_owner),
        ]
        checks += _signature(claim, one, key_owner, found, body)
        checks += _rest(claim, one, key_owner, body, now)
    subjects = sorted({key_owner.subject for _, key_owner in judged})
    if len(subjects) > 1:
        mend = "name the label or the tags that count in the SignaturePolicy"
        checks.append(Check("subject", False, "keyid", "one subject", f"{len(subjects)} subjects", mend))
    return _base(claim, judged[0][0]), checks


def _base(claim: SignatureClaim, one: PresentedCredentials) -> str:
    try:
        return claim.base(one).decode("ascii")
    except Rejected:
        return ""


def _shown(signature: bytes) -> str:
    return f"{signature.hex()[:8]}… ({len(signature)} octets)"


# ---- keys -------------------------------------------------------------------------------------------------------------


def _unknown(claim: SignatureClaim, one: PresentedCredentials, found: Found) -> Check:
    others = list(_keys(claim, found))
    key_id = one.key_id or ""
    for name, key in others:
        if _fits(claim, one, key):
            mend = f"the key {name!r} made the signature: send that key id"
            return Check("key id", False, "keyid", name, key_id, mend)
    meant = near(key_id, [name for name, _ in others])
    mend = f"did the client mean {meant!r}? If not, " if meant else ""
    mend += "register the key with store.add_key, or send the key id that was registered"
    if one.key_id is None:
        mend = "the signature names no key: send keyid"
    return Check("key id", False, "keyid", meant or "a known key", key_id, mend)


def _not_asked(one: PresentedCredentials) -> Check:
    mend = "nobody was asked for the key: the signature is no good, whoever made it"
    return Check("key id", None, "keyid", "a known key", one.key_id or "", mend)


def _keys(claim: SignatureClaim, found: Found) -> Iterator[tuple[str, Key]]:
    """The keys that are known here, with their key ids."""
    known = [(key.key_id or "", key) for key in claim.signers.keys.keys if key.use == "sig"]
    for name, shared in found.of(RegisteredKey):
        try:
            known.append((name[0], Key.from_secret(shared.secret, algorithm=shared.algorithm, key_id=name[0])))
        except ConfigurationError:
            continue
    for name, public in found.of(RegisteredPublicKey):
        try:
            known.append((name[0], public.key(name[0])))
        except ConfigurationError:
            continue
    yield from known[:MAX_KEYS]


def _algorithm(one: PresentedCredentials, key_owner: KeyOwner) -> Check:
    wanted, said = key_owner.alias or key_owner.key.algorithm, one.alg
    passed = said is None or said == key_owner.alias
    mend = "" if passed else f"the key is for {wanted}: sign with that, or register the key for {said}"
    return Check("algorithm", passed, "alg", wanted, said or "not named, so the key's", mend)


# ---- the signature ----------------------------------------------------------------------------------------------------


def _signature(
    claim: SignatureClaim, one: PresentedCredentials, key_owner: KeyOwner, found: Found, body: Body
) -> Sequence[Check]:
    received = _shown(one.signature)
    try:
        base = claim.base(one)
    except Rejected as rejected:
        found_ = rejected.rejection
        missing = found_.reason is Reason.MISSING_COMPONENT
        mend = "something took it off on the way, or the client did not send it" if missing else found_.detail
        where = re.sub(r'^"([^"@]+)".*', r"header \1", found_.where)
        return [Check("signature", False, where, "covered, so it has to be there", found_.detail, mend)]
    if _verifies(key_owner.key, base, one.signature):
        return [Check("signature", True, "signature", "the signature of this request", received)]
    key = key_owner.key
    for name, other in _keys(claim, found):
        if name != one.key_id and _fits(claim, one, other):
            mend = f"the client signs with the key {name!r}: have it name that, or sign with {one.key_id!r}"
            return [Check("signature", False, "key", f"the key {one.key_id!r}", f"the key {name!r}", mend)]
        if name and name != one.key_id and _fits(claim, one, other, key_id=name):
            mend = f"the key id was changed on the way: it was signed as {name!r}"
            return [Check("signature", False, "keyid", name, one.key_id or "none", mend)]
    outcome = _searched(claim, one, key_owner, body)
    if outcome.causes:
        return outcome.causes
    component, mend = "signature", unexplained(outcome, _COMPARE)
    if not key.is_secret:
        where, near_mend = near_cause([key], key.algorithm, base, one.signature)
        component, mend = where or component, near_mend or mend
    elif damage := damaged(key.sign(base).hex(), one.signature.hex()):
        mend = f"{damage}: send it as it was made"
    return [Check("signature", False, component, "the signature of this request by that key", received, mend)]


def _searched(claim: SignatureClaim, one: PresentedCredentials, key_owner: KeyOwner, body: Body) -> Outcome:
    fields = [component.name.encode("ascii") for component in one.plan.base.components if component.name[0] != "@"]
    parts = {_COVERED_PARTS[component] for component in one.plan.covered if component in _COVERED_PARTS}
    if any(component.name == "@query-param" for component in one.plan.base.components):
        parts.add("@query")
    key, base = key_owner.key, base_of(claim, one, body)
    root: Node = mac_of(base, key_owner, ()) if key.is_secret else base
    fits: Fit = by_octets(one.signature)
    if not key.is_secret:
        fits = lambda text: "" if _verifies(key, text, one.signature) else None  # noqa: E731 -- of two kinds
    request = claim.request
    pool = (
        Leaf("the body", body.data, "body"), Leaf("the target", request.target), Leaf("the scheme", request.scheme.encode()),
        Leaf("the label", one.label.encode("ascii") + b"="),
    )  # fmt: skip
    price = 0 if key.is_secret else DEAR
    more = list(more_of(claim, one, base, key_owner))
    return look_for(Asked("signature", root, fits, request, b"", fields, parts & PARTS, pool, _ADVICE, price, more))


def _verifies(key: Key, base: bytes, signature: bytes) -> bool:
    try:
        key.verify(base, signature)
    except Rejected:
        return False
    return True


def _fits(
    claim: SignatureClaim,
    one: PresentedCredentials,
    key: Key,
    request: Request | None = None,
    key_id: str | None = None,
) -> bool:
    message = Message(request or claim.request, types=claim.settings.policy.types)
    try:
        params = one.params
        if key_id is not None:
            covered = SignatureInput(one.plan.base.components, {**params_of(one), "keyid": key_id})
            params = params_text(covered.params).encode("ascii")
        return _verifies(key, one.plan.base.base(message, params), one.signature)
    except (Rejected, ConfigurationError):
        return False


def _text(values: Sequence[bytes]) -> str:
    return b", ".join(values).decode("utf-8", "backslashreplace")


# ---- body, time, coverage ---------------------------------------------------------------------------------------------


def _rest(
    claim: SignatureClaim, one: PresentedCredentials, key_owner: KeyOwner | None, body: Body, now: float
) -> list[Check]:
    checks = [*_body(claim, one, body), *_times(claim, one, now)]
    if key_owner is not None and key_owner.record is not None:
        checks.append(_current(key_owner, now))
    return [*checks, _coverage(claim, one)]


def _body(claim: SignatureClaim, one: PresentedCredentials, body: Body) -> Iterator[Check]:
    try:
        expected = claim.expected(one)
    except Rejected as rejected:
        where = rejected.rejection.where
        sent = _text(claim.request.values(where.encode("ascii")))
        mend = f"send the digest as RFC 9530 has it: {rejected.rejection.detail}"
        yield Check("body", False, f"header {where}", "sha-256=:…:", sent, mend)
        return
    for field, algorithm, value in expected:
        actual = digest(algorithm, body.data)
        shown = f"{algorithm} {actual.hex()} of {len(body.data)} octets"
        if compare(actual, value):
            yield Check("body", True, "body", f"{algorithm} {value.hex()}", shown)
            continue
        source = Leaf("the body", body.data, "body", "body", lambda _, data: data)
        root = Hash("the digest", algorithm.replace("-", ""), source, "body")
        asked = Asked(
            "body", root, by_octets(value), claim.request, body.data, parts=("body",), advice="as RFC 9530 says"
        )
        mend = "the body changed after it was signed: sign exactly the octets that are sent"
        if damage := damaged(actual.hex(), value.hex()):
            mend = f"{field} is not of this body, though nearly ({damage}): send it as it was made"
        yield from look_for(asked).causes or [Check("body", False, "body", f"{algorithm} {value.hex()}", shown, mend)]
    if not expected and body.data and claim.settings.policy.body:
        mend = 'cover "content-digest", and send that field (RFC 9530)'
        yield Check("body", False, "content-digest", "a digest that is covered", "none", mend)


def _times(claim: SignatureClaim, one: PresentedCredentials, now: float) -> Iterator[Check]:
    if one.created is not None:
        yield clock_check("created", one.created, now, claim.settings.freshness)
    if one.expires is not None:
        ended = now >= one.expires
        mend = "sign anew for every request, or with a longer lifetime=" if ended else ""
        yield Check("expires", not ended, "expires", f"after {now:.0f}", str(one.expires), mend)


def _current(key_owner: KeyOwner, now: float) -> Check:
    record = key_owner.record
    if record is None or record.expires is None:
        return Check("key time", True, "keyid", "a key without an end", "as expected")
    ended = now >= record.expires
    mend = "" if not ended else "register another key with store.add_key, and give it to the client"
    if ended and record.superseded_by is not None:
        mend = f"the key was replaced by {record.superseded_by!r}: sign with that one"
    return Check("key time", not ended, "keyid", f"good until {record.expires:.0f}", f"judged at {now:.0f}", mend)


def _coverage(claim: SignatureClaim, one: PresentedCredentials) -> Check:
    listed = " ".join(map(str, one.plan.base.components))
    demanded = " ".join(map(str, claim.settings.policy.components))
    try:
        claim.check_coverage(one)
    except Rejected as rejected:
        where = rejected.rejection.where
        mend = f"have the client cover {where}, or demand less: SignaturePolicy(components=…)"
        if where in ("created", "nonce", "expires"):
            mend = f"have the client send the parameter {where}, or demand less: SignaturePolicy({where}=False)"
        return Check("coverage", False, where, demanded, listed, mend)
    return Check("coverage", True, "signature-input", demanded, listed)


def _explain_agent(claim: AgentClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """As of its signatures, after the agent."""
    canonical, checks = explain_signature(claim.signatures, found, body, now)
    return canonical, [Check("agent", True, "header Signature-Agent", "", claim.agent.identifier), *checks]


EXPLAINERS: Final[ClaimExplainers] = {SignatureClaim: explain_signature, AgentClaim: _explain_agent}
