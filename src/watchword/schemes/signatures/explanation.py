"""Why signed requests are refused: tries what usually goes wrong until the signature fits, and so names the component."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.records import Found
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import Body, Check, More
from watchword.crypto.algorithms import algorithm_named
from watchword.crypto.keys import Key, RegisteredKey, RegisteredPublicKey
from watchword.crypto.wrong_spellings import near_cause
from watchword.schemes.diagnosis import clock_check
from watchword.schemes.explaining.accounts import aside, body_check, body_digest, current, signature_check, unknown
from watchword.schemes.explaining.computation import Node
from watchword.schemes.explaining.places import resembles
from watchword.schemes.explaining.search import Asked, Fit, empty
from watchword.schemes.explaining.unread import shape_of
from watchword.schemes.explaining.received import Received
from watchword.schemes.explaining.verified import price_of, verified_by, verifies, written_otherwise
from watchword.schemes.signatures.bots import AgentClaim
from watchword.schemes.signatures.claim import SignatureClaim
from watchword.schemes.signatures.components import params_text
from watchword.schemes.signatures.description import described, params_of
from watchword.schemes.signatures.key_owners import KeyOwner
from watchword.schemes.signatures.message import Message
from watchword.schemes.signatures.reading import PresentedCredentials

__all__ = ["EXPLAINERS", "explain_signature"]

MAX_KEYS: Final = 64
"""Other keys that are tried, of those that are known."""
_ADVICE: Final = "make base and signature as RFC 9421 §2.5 and §3.1 say"
_DIGEST: Final = "make it as RFC 9530 §2 says, of the octets that are sent"
_RENEW: Final = "register another key with store.add_key, and give it to the client"
_COMPARE: Final = (
    "compare the canonical string with the client's (SignatureAuth.canonical), line by line, and then the keys"
)
_TARGET: Final = ("@path", "@query")
_COVERED_PARTS: Final = {
    "@method": ("@method",), "@scheme": ("@scheme",), "@authority": ("@authority",), "@path": ("@path",), "@query": ("@query",),
    "@query-param": ("@query",), "@request-target": _TARGET, "@target-uri": ("@scheme", "@authority", *_TARGET),
}  # fmt: skip
_SAID: Final = {"header alg": "alg", "signature": "signature"}
"""What `near_cause` says of one key alone, and what a cause calls it."""


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
            mend = f"the key {name!r} made the signature{aside(name, key_id)}: send that key id"
            return Check("key id", False, "keyid", name, key_id, mend)
    register = "register the key with store.add_key, or send the key id that was registered"
    register = "the signature names no key: send keyid" if one.key_id is None else register
    return unknown("key id", "keyid", "a known key", key_id, [name for name, _ in others], register)


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
        name = found_.where.partition('"')[2].partition('"')[0].encode()
        like = next((each.decode("latin-1") for each in claim.request.lines if name and resembles(each, name)), "")
        lost = f"it is missing{' under that name, and there is ' + like if like else ''}: something took it off on the way, or the client did not send it"
        mend = lost if missing else found_.detail
        where = re.sub(r'^"([^"@]+)".*', r"header \1", found_.where)
        return [Check("signature", False, where, "covered, so it has to be there", found_.detail, mend)]
    key = key_owner.key
    if not one.signature:
        return [empty("signature", "signature", "the signature of this request")]
    if verifies(key, base, one.signature):
        return [Check("signature", True, "signature", "the signature of this request", received)]
    others = [(name, other) for name, other in _keys(claim, found) if name != one.key_id]
    cause = next(chain(_by_another(claim, one, base, others), _otherwise(key, base, one.signature)), None)
    if cause is not None:
        return [Check("signature", False, *cause)]
    tree = described(claim, one, key, others, body.data)
    root: Node = tree.signature or tree.base
    fits: Fit = Received(b64encode(one.signature), "base64") if tree.signature else verified_by([key], one.signature)
    price = 0 if tree.signature else price_of([key])
    asked = Asked(
        "signature",
        root,
        fits,
        claim.request,
        b"",
        _fields(one),
        _parts(one),
        advice=_ADVICE,
        price=price,
        more=tree.more,
    )
    expected = "the signature of this request by that key"
    return signature_check("signature", "signature", expected, received, [asked], _COMPARE)


def _fields(one: PresentedCredentials) -> list[bytes]:
    return [component.name.encode("ascii") for component in one.plan.base.components if component.name[0] != "@"]


def _parts(one: PresentedCredentials) -> set[str]:
    """What of the request is covered."""
    return {part for component in one.plan.base.components for part in _COVERED_PARTS.get(component.name, ())}


def _fits(claim: SignatureClaim, one: PresentedCredentials, key: Key, key_id: str | None = None) -> bool:
    message = Message(claim.request, types=claim.settings.policy.types)
    try:
        params = one.params
        if key_id is not None:
            params = params_text({**params_of(one), "keyid": key_id}).encode("ascii")
        return verifies(key, one.plan.base.base(message, params), one.signature)
    except (Rejected, ConfigurationError):
        return False


Cause = tuple[str, str, str, str]


def _by_another(
    claim: SignatureClaim, one: PresentedCredentials, base: bytes, others: Sequence[tuple[str, Key]]
) -> Iterator[Cause]:
    """Another key that is known made it, under the key id that is sent or under its own."""
    for name, key in others:
        if verifies(key, base, one.signature):
            mend = f"the client signs with another key, {name!r}: have it name that, or sign with {one.key_id!r}"
            yield "key", f"the key {one.key_id!r}", f"the key {name!r}", mend
        if name and _fits(claim, one, key, name):
            mend = f"the key id was changed on the way: it was signed as {name!r}"
            yield "keyid", name, one.key_id or "none", mend


def _otherwise(key: Key, base: bytes, signature: bytes) -> Iterator[Cause]:
    """A signature by a private key in another form, or by another algorithm of that key."""
    if key.is_secret:
        return
    component, found = near_cause([key], key.algorithm, base, signature)
    if component in _SAID:
        yield (
            _SAID[component],
            f"as {key.algorithm} gives it",
            _shown(signature),
            found.replace("RFC 7518 §3.4", "RFC 9421 §3.3.4"),
        )
    size = algorithm_named(key.algorithm).size
    if len(signature) < size:
        mend = f"it was cut, lost its leading zeros, or is of another kind of key: {key.algorithm} gives {size} octets, and these are {len(signature)}"
        yield "signature", f"{size} octets", _shown(signature), mend
    for what, octets in written_otherwise(b64encode(signature)):
        if verifies(key, base, octets):
            mend = f"the client writes the signature {what}: write its octets in base64, once (RFC 9421 §4.2)"
            yield "signature", "its octets in base64", what, mend


# ---- body, time, coverage ---------------------------------------------------------------------------------------------


def _rest(
    claim: SignatureClaim, one: PresentedCredentials, key_owner: KeyOwner | None, body: Body, now: float
) -> list[Check]:
    checks = [*_body(claim, one, body), *_times(claim, one, now)]
    record = None if key_owner is None else key_owner.record
    if record is not None:
        checks.append(current("key time", "keyid", record.expires, now, _RENEW, record.superseded_by))
    return [*checks, _coverage(claim, one)]


def _body(claim: SignatureClaim, one: PresentedCredentials, body: Body) -> Iterator[Check]:
    try:
        expected = claim.expected(one)
    except Rejected as rejected:
        where = rejected.rejection.where
        sent = b", ".join(claim.request.values(where.encode("ascii"))).decode("utf-8", "backslashreplace")
        mend = f"send the digest as RFC 9530 has it: {'; '.join((rejected.rejection.detail, *map(shape_of, re.findall(r'=:?([^:,]+)', sent))))}"
        yield Check("body", False, f"header {where}", "sha-256=:…:", sent, mend)
        return
    for field, algorithm, value in expected:
        root = body_digest(field, algorithm.replace("-", ""), "base64", body.data)
        yield body_check(claim.request, body.data, b64encode(value), root, algorithm, _DIGEST)
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


def _without_keys(claim: SignatureClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    one = claim.presented[0]
    return _base(claim, one), _rest(claim, one, None, body, now)


def _agent_without_keys(claim: AgentClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    return _without_keys(claim.signatures, found, body, now)


EXPLAINERS: Final[ClaimExplainers] = {SignatureClaim: explain_signature, AgentClaim: _explain_agent}
WITHOUT_KEYS: Final[ClaimExplainers] = {SignatureClaim: _without_keys, AgentClaim: _agent_without_keys}
"""What signatures say of themselves, where no key may be used."""
