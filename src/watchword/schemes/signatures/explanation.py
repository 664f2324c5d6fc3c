"""Why signed requests are refused: tries what usually goes wrong until the signature fits, and so names the component."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.message import Request
from watchword.core.records import Found
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import Body, Check, More
from watchword.crypto.digests import compare, digest, hmac_digest
from watchword.crypto.keys import Key, RegisteredKey, RegisteredPublicKey
from watchword.fields.content_digest import ACTIVE, digest_field
from watchword.schemes.diagnosis import (
    MAX_GUESSES,
    PARTS,
    affordable,
    causes,
    clock_check,
    damaged,
    near,
    request_guesses,
    search,
    secret_guesses,
)  # fmt: skip
from watchword.schemes.diagnosis.change import with_field
from watchword.schemes.signatures.base import BasePlan
from watchword.schemes.signatures.bots import AgentClaim
from watchword.schemes.signatures.claim import SignatureClaim
from watchword.schemes.signatures.components import Component, SignatureInput, params_text
from watchword.schemes.signatures.key_owners import KeyOwner
from watchword.schemes.signatures.message import Message
from watchword.schemes.signatures.likely_errors import MAX_SLOW, inputs
from watchword.schemes.signatures.reading import PresentedCredentials

__all__ = ["EXPLAINERS", "explain_signature"]

MAX_KEYS: Final = 64
"""Other keys that are tried, of those that are known."""
HASHES: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}

_COMPARE: Final = (
    "none of the usual changes explains it: compare the canonical string with the client's (SignatureAuth.canonical), line "
    "by line, and then the keys"
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
    fields = [component.name.encode("ascii") for component in one.plan.base.components if component.name[0] != "@"]
    parts = {_COVERED_PARTS[component] for component in one.plan.covered if component in _COVERED_PARTS}
    if any(component.name == "@query-param" for component in one.plan.base.components):
        parts.add("@query")
    guess = search(
        claim.request,
        b"",
        lambda request, _: _fits(claim, one, key_owner.key, request),
        headers=fields,
        parts=parts & PARTS,
        most=MAX_GUESSES if key_owner.key.is_secret else MAX_SLOW,
    )
    if guess is not None:
        return causes("signature", guess)
    cause = next(chain(_digest(claim, one, key_owner, body), _other(claim, one, key_owner, found)), None)
    if cause is not None:
        return [Check("signature", False, *cause)]
    damage = ""
    if key_owner.key.is_secret:
        damage = damaged(key_owner.key.sign(base).hex(), one.signature.hex())
    mend = f"{damage}: send it as it was made" if damage else _COMPARE
    return [Check("signature", False, "signature", "the signature of this request by that key", received, mend)]


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
            covered = SignatureInput(one.plan.base.components, {**_params(one), "keyid": key_id})
            params = params_text(covered.params).encode("ascii")
        return _verifies(key, one.plan.base.base(message, params), one.signature)
    except (Rejected, ConfigurationError):
        return False


Cause = tuple[str, str, str, str]


def _digest(claim: SignatureClaim, one: PresentedCredentials, key_owner: KeyOwner, body: Body) -> Iterator[Cause]:
    """A digest field that was changed, while the body is as it was signed."""
    try:
        expected = claim.expected(one)
    except Rejected as rejected:  # changed so that nobody can read it
        expected = ()
        name = rejected.rejection.where.encode("ascii")
        for algorithm in ACTIVE:
            made = digest_field({algorithm: digest(algorithm, body.data)})
            if _fits(claim, one, key_owner.key, with_field(claim.request, name, [made])):
                mend = "the field was changed on the way: the body is as it was signed"
                yield f"header {name.decode()}", made.decode(), _text(claim.request.values(name)), mend
    for field, algorithm, value in expected:
        name = field.encode("ascii")
        said, actual = (b64encode(octets) for octets in (value, digest(algorithm, body.data)))
        request = with_field(claim.request, name, [line.replace(said, actual) for line in claim.request.values(name)])
        if said != actual and _fits(claim, one, key_owner.key, request):
            mend = "the field was changed on the way: the body is as it was signed"
            yield f"header {field}", actual.decode(), said.decode(), mend


def _text(values: Sequence[bytes]) -> str:
    return b", ".join(values).decode("utf-8", "backslashreplace")


def _other(claim: SignatureClaim, one: PresentedCredentials, key_owner: KeyOwner, found: Found) -> Iterator[Cause]:
    """Another key, the secret in another spelling, another list or other parameters than were signed."""
    for name, key in _keys(claim, found):
        if name != one.key_id and _fits(claim, one, key):
            mend = f"the client signs with the key {name!r}: have it name that, or sign with {one.key_id!r}"
            yield "key", f"the key {one.key_id!r}", f"the key {name!r}", mend
        if name and name != one.key_id and _fits(claim, one, key, key_id=name):
            mend = f"the key id was changed on the way: it was signed as {name!r}"
            yield "keyid", name, one.key_id or "none", mend
    if key_owner.key.is_secret:
        for what, secret in secret_guesses(key_owner.key.secret_bytes()):
            try:
                spelt = Key.from_secret(secret, algorithm=key_owner.key.algorithm)
            except ConfigurationError:
                continue
            if _fits(claim, one, spelt):
                mend = f"the client signs with the secret {what}: have both sides read it alike"
                yield "key", "the registered secret", f"the secret {what}", mend
        base, wanted = claim.base(one), key_owner.key.algorithm
        for algorithm, hashed in HASHES.items():
            if algorithm != wanted and compare(hmac_digest(hashed, key_owner.key.secret_bytes(), base), one.signature):
                mend = f"the client signs with {algorithm}: sign with {wanted}, or register a key for {algorithm}"
                yield "alg", key_owner.alias or wanted, algorithm, mend
    components = one.plan.base.components
    message = Message(claim.request, types=claim.settings.policy.types, fields=claim.fields)
    names = [component.name.encode("ascii") for component in components]
    most = affordable(claim.request, b"", names)
    for what, expected, shown, covered in islice(
        inputs(components, _params(one), key_owner, claim.settings.policy.components), most
    ):
        try:
            base = BasePlan(covered.components).base(message, params_text(covered.params).encode("ascii"))
        except (Rejected, ConfigurationError):
            continue
        if _verifies(key_owner.key, base, one.signature):
            mend = "Signature-Input was changed after signing: it goes along exactly as it was signed"
            yield what, expected, shown, mend


def _params(one: PresentedCredentials) -> Mapping[str, int | str]:
    values = {
        "created": one.created, "expires": one.expires, "nonce": one.nonce, "alg": one.alg, "keyid": one.key_id,
        "tag": one.tag,
    }  # fmt: skip
    text = one.params.decode("ascii")
    given = {name: value for name, value in values.items() if value is not None}
    return dict(sorted(given.items(), key=lambda pair: text.find(f";{pair[0]}=")))


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
        for guess in request_guesses(claim.request, body.data, parts=("body",)):
            if compare(digest(algorithm, guess.body), value):
                yield Check("body", False, "body", guess.expected, guess.received, guess.mend)
                break
        else:
            mend = "the body changed after it was signed: sign exactly the octets that are sent"
            if damage := damaged(actual.hex(), value.hex()):
                mend = f"{field} is not of this body, though nearly ({damage}): send it as it was made"
            yield Check("body", False, "body", f"{algorithm} {value.hex()}", shown, mend)
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
