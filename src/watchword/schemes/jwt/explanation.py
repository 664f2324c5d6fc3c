"""Why a JWT was refused: every check in order, the ones after the first failure included."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.records import NOTHING_FOUND, Found
from watchword.core.rejection import Reason, Rejected, StoreUnavailable
from watchword.core.scheme import Body, Check, Proof
from watchword.crypto import jose
from watchword.crypto.keys import Key
from watchword.schemes.jwt.checks import bound_to_nothing, read_claims
from watchword.schemes.explaining.typed_text import retyped
from watchword.schemes.jwt.claim_mistakes import claim_mistake, converted
from watchword.schemes.jwt.signing_mistakes import signing_mistakes
from watchword.schemes.jwt.claim import NO_PROOFS, JWTClaim, Rules, confirm, looked_up
from watchword.schemes.revocation import mark_of

__all__ = ["EXPLAINERS", "explain_jwt"]

SHOWN = 48
_CAME: Final = "the key id came"

MENDS = {
    Reason.WRONG_ALGORITHM: "sign with the algorithm of the verifier's key, or give the verifier a key for this one",
    Reason.UNKNOWN_KEY: "add the key to the verifier's KeySet, or send the key id that it has there",
    Reason.WRONG_SIGNATURE: "check that both sides have the same key, and that a secret is not decoded on one side only",
    Reason.WRONG_TYPE: "have the issuer set typ, or change which are accepted: JWTVerifier(…, typ=…); where typ= is left out, a token needs none",
    Reason.WRONG_AUDIENCE: "ask the issuer for a token for this API, or name its audience: JWTVerifier(…, audience=…)",
    Reason.UNKNOWN_ISSUER: "ask the right issuer, or name this one: JWTVerifier(…, issuer=…)",
    Reason.EXPIRED: "get a new token; if it is new, check both clocks or allow some leeway=",
    Reason.NOT_YET_VALID: "check both clocks, or allow some leeway=",
    Reason.BINDING_MISSING: "the token is bound to a key (cnf): its proof has to be verified with it",
    Reason.REVOKED: "get a new token; what was taken back is seen with the Revocations of the verifier",
    Reason.HEADER_TOO_LARGE: "have the issuer write less, or allow more: JWTVerifier(…, max_token=…)",
    Reason.MISSING_CLAIM: "have the issuer put it in",
}
OF_ANOTHER_KIND = "send an access token for this API: the issuer's other tokens are told from it by this claim"


def explain_jwt(
    verifier: Rules,
    token: bytes,
    now: float,
    proofs: Sequence[Proof] = NO_PROOFS,
    found: Found = NOTHING_FOUND,
) -> tuple[str, Sequence[Check]]:
    """The start of what is signed, and all checks."""
    steps = _Steps(verifier, token, now, proofs, found)
    steps.run()
    return steps.canonical, steps.checks


class _Steps:
    """The checks of one token; each notes itself, what can't be tried has `passed` None."""

    def __init__(self, verifier: Rules, token: bytes, now: float, proofs: Sequence[Proof], found: Found) -> None:
        self.proofs = proofs
        self.found = found
        self.verifier = verifier
        self.token = token
        self.now = now
        self.canonical = ""
        self.key_id: str | None = None
        self.checks: list[Check] = []

    def run(self) -> None:
        """All of them, in the order in which `verify` has them."""
        verifier = self.verifier
        parts = self.step(
            "format",
            "token",
            "three segments of base64url",
            _segments(self.token),
            lambda: jose.split(self.token, verifier.jws.max_token),
        )
        head, payload, tail, signing_input = parts or (None, None, None, b"")
        self.canonical = _short(signing_input.decode("ascii", "replace"))
        header: dict[str, Any] | None = self.step(
            "header", "header", "a JSON object, nothing critical", _short((head or b"").decode("ascii", "replace")),
            None if head is None else lambda: jose.check_header(jose.read_header(head)),
        )  # fmt: skip
        keys = self._keys(header)
        made_by: Key | None = self.step(
            "signature", "signature", "made by that key", "" if tail is None else f"{len(tail)} characters",
            None if keys is None or tail is None else lambda: jose.prove(keys, signing_input, jose.decode(tail, "signature")),
        )  # fmt: skip
        if made_by is None and header is not None and head is not None and payload is not None and tail is not None:
            self._look_closer(header, (head, payload, tail))
        self.key_id = None if made_by is None else made_by.key_id
        expected = " or ".join(sorted(verifier.types)) if verifier.types else "absent or JWT"
        self.step(
            "typ", "header typ", expected, _value(header, "typ"),
            None if header is None else lambda: verifier.check_type(header),
        )  # fmt: skip
        claims: dict[str, Any] | None = self.step(
            "payload", "payload", "a JSON object, no name twice", "" if payload is None else f"{len(payload)} characters",
            None if payload is None else lambda: read_claims(jose.decode(payload, "payload")),
        )  # fmt: skip
        self._claims(claims, payload)

    def run_without_keys(self) -> None:
        """What the token says of itself, whoever made it."""
        parts = self.step(
            "format", "token", "three segments of base64url", _segments(self.token),
            lambda: jose.split(self.token, self.verifier.jws.max_token),
        )  # fmt: skip
        payload = None if parts is None else parts[1]
        claims: dict[str, Any] | None = self.step(
            "payload", "payload", "a JSON object, no name twice", "",
            None if payload is None else lambda: read_claims(jose.decode(payload, "payload")),
        )  # fmt: skip
        self._claims(claims, payload)

    def _look_closer(self, header: Mapping[str, Any], parts: tuple[bytes, bytes, bytes]) -> None:
        """Puts in the place of the last check what would have made the signature fit, if that is a key or mistake that is known."""
        passed = self.checks.pop().passed
        causes = signing_mistakes(self.verifier.jws.keys.keys, header["alg"], header.get("kid"), parts)
        self.checks += [check._replace(passed=passed) for check in causes]
        self._name_the_key(causes[0].component, causes[0].mend)

    def _name_the_key(self, component: str, found: str) -> None:
        """Says in the check of the key id, if that failed, which key it was."""
        at = next(at for at, check in enumerate(self.checks) if check.name == "key id")
        if component == "header kid" and self.checks[at].passed is False:
            before = self.checks[at].mend
            found = f"{before}; {found}" if before.startswith(_CAME) else found
            self.checks[at] = self.checks[at]._replace(mend=found)

    def _keys(self, header: dict[str, Any] | None) -> tuple[Key, ...] | None:
        source = self.verifier.source
        try:
            if source is not None and source.keys is None:  # nobody was asked: the token is no good, whoever made it
                raise StoreUnavailable
            held = self.verifier.use_current_keys().keys
        except StoreUnavailable:
            mend = "nobody was asked for the keys: the token is no good, whoever made it"
            self.checks += [
                Check("algorithm", None, "header alg", "", _value(header, "alg"), mend),
                Check("key id", None, "header kid", "", _value(header, "kid"), mend),
            ]
            return None
        algorithms = " or ".join(sorted({key.algorithm for key in held.keys}))
        names = [key.key_id for key in held.keys if key.key_id is not None]
        try:
            found = None if header is None else held.candidates(header["alg"], header.get("kid"))
            fault: Rejected | None = None
        except Rejected as rejected:
            found, fault = None, rejected
        reason = None if fault is None else fault.reason
        wrong, unknown = reason is Reason.WRONG_ALGORITHM, reason is Reason.UNKNOWN_KEY
        known = header is not None
        self.note("algorithm", not wrong if known else None, "header alg", algorithms, _value(header, "alg"), fault)
        passed = None if wrong or not known else not unknown
        shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "") if names else "any"
        self.note("key id", passed, "header kid", shown, _value(header, "kid"), fault)
        if unknown and header is not None:
            meant = _respelled(str(header.get("kid", ""))[:256], names)
            if meant:
                self.checks[-1] = self.checks[-1]._replace(mend=f"{_CAME} {meant}: send it as it is registered")
        if wrong and header is not None:
            for what, other in converted(header["alg"]):
                if other in {key.algorithm for key in held.keys}:
                    self.checks[-2] = self.checks[-2]._replace(
                        mend=f"the algorithm's name came {what}: write {other!r}"
                    )
        return found

    def _claims(self, claims: dict[str, Any] | None, payload: bytes | None) -> None:
        verifier, now = self.verifier, self.now
        for each in verifier.checks:
            claim, expected, check = each
            attempt = None if claims is None else partial(check, claims, now)
            if each is bound_to_nothing and self.proofs:
                expected = "the key that is proven"
                attempt = None if claims is None else partial(confirm, claims, self.proofs, self.token)
            self.step(claim, f"claim {claim}", expected, _value(claims, claim), attempt)
            if claims is not None and self.checks[-1].passed is False:
                meant = claim_mistake(claim, claims, partial(_checked, check, now))
                if meant:
                    self.checks[-1] = self.checks[-1]._replace(mend=f"{self.checks[-1].mend}; {meant}")
        for name, chosen in (("scope", verifier.scopes), ("sub", verifier.subject)):
            read = None if claims is None else partial(chosen.read, claims)
            self.step(name, f"claim {chosen.claim}".strip(), chosen.expected, _value(claims, chosen.claim), read)
        if verifier.revocations is not None:
            self.step("revoked", "token", "not taken back", "a token that may be", self._revocation(claims))
        if verifier.struct is not None:
            self.step(
                "claims", "payload", "of the type that claims= demands", f"an object of {len(claims or ())} members",
                None if claims is None or payload is None else lambda: verifier.typed(jose.decode(payload, "payload")),
            )  # fmt: skip

    def _revocation(self, claims: dict[str, Any] | None) -> Callable[[], None] | None:
        """What looks whether the token was taken back; None if that was not looked up, as for a token that isn't genuine."""
        try:
            mark = None if claims is None else mark_of(claims, self.verifier.subject.read(claims), self.key_id)
        except Rejected:
            return None
        return None if mark is None or not looked_up(mark, self.found) else lambda: mark.check(self.found)

    def step(self, name: str, component: str, expected: str, received: str, attempt: Callable[[], Any] | None) -> Any:
        """Tries one check and notes how it went; gives what it gave, None if it failed."""
        if attempt is None:
            self.note(name, None, component, expected, received, None)
            return None
        try:
            result = attempt()
        except Rejected as rejected:
            self.note(name, False, component, expected, received, rejected)
            return None
        except ValueError as error:
            self.note(name, False, component, expected, f"{received}: {error}" if received else str(error), None)
            return None
        self.note(name, True, component, expected, received, None)
        return result

    def note(
        self, name: str, passed: bool | None, component: str, expected: str, received: str, fault: Rejected | None
    ) -> None:
        """One more check."""
        mend = ""
        if passed is False and fault is not None:
            detail = fault.rejection.detail
            if component == "header" and fault.rejection.where not in ("", "header"):
                component = f"header {fault.rejection.where}"  # which of its members
            of_another_kind = fault.reason is Reason.WRONG_TYPE and component.startswith("claim ")
            advice = OF_ANOTHER_KIND if of_another_kind else MENDS.get(fault.reason)
            mend = detail if advice is None else f"{detail}: {advice}"
        self.checks.append(Check(name, passed, component, expected, received, mend))


def _checked(check: Callable[[Mapping[str, Any], float], None], now: float, claims: Mapping[str, Any]) -> None:
    check(claims, now)


def _respelled(key_id: str, names: Sequence[str]) -> str:
    """What happened to one of the names; "" if it is none of them in any spelling."""
    return next((what for what, name in retyped(key_id) if name in names), "")


def _segments(token: bytes) -> str:
    parts = token.split(b".")
    return f"{len(parts)} of {' and '.join(str(len(part)) for part in parts[:6])} characters"


def _value(members: Mapping[str, Any] | None, name: str) -> str:
    if members is None:
        return ""
    # A claim that nothing reads may hold half of a surrogate pair, which can't be printed.
    if name not in members:
        return "absent"
    text = "null" if members[name] is None else str(members[name])
    return _short(text).encode("utf-8", "backslashreplace").decode()


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _explain_claim(claim: JWTClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    return explain_jwt(claim.verifier, claim.token, now, claim.proofs, found)


def _without_keys(claim: JWTClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    steps = _Steps(claim.verifier, claim.token, now, claim.proofs, found)
    steps.run_without_keys()
    return "", steps.checks


EXPLAINERS: Final[ClaimExplainers] = {JWTClaim: _explain_claim}
WITHOUT_KEYS: Final[ClaimExplainers] = {JWTClaim: _without_keys}
"""What a token says of itself, where no key may be used."""
