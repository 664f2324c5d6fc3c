"""Why a DPoP-bound token was refused: every check of the token, of its binding and of the proof."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchword.core.records import Found
from watchword.core.rejection import Rejected
from watchword.core.scheme import Body, Check
from watchword.schemes.dpop.checks import Facts, ProofCheck, checks_of
from watchword.schemes.dpop.server import DPoPClaim
from watchword.schemes.explaining.program import ClaimExplainers
from watchword.schemes.jwt import JWTClaim
from watchword.schemes.jwt.explanation import WITHOUT_KEYS as OF_TOKENS
from watchword.schemes.jwt.explanation import explain_jwt

__all__ = ["EXPLAINERS", "explain_dpop"]


def explain_dpop(claim: DPoPClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """All checks: of the key that the proof carries, then of the token and its binding to that key, then of the proof."""
    token = claim.token
    _, of_the_token = explain_jwt(token.verifier, token.token, now, token.proofs, found)
    facts = Facts(claim, found, now)
    key, *rest = (_tried(each, facts) for each in checks_of(claim.rules))
    return "", [key, *of_the_token, *rest]


def _without_keys(claim: DPoPClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """What the token says of itself, and the proof, whose key is the client's own; whose the nonce is takes a key of ours."""
    _, of_the_token = OF_TOKENS[JWTClaim](claim.token, found, body, now)
    facts = Facts(claim, found, now)
    proof = [_tried(each, facts) for each in checks_of(claim.rules) if each.name != "nonce"]
    return "", [*of_the_token, *proof]


def _tried(each: ProofCheck, facts: Facts) -> Check:
    component, expected, received = f"dpop {each.name}", each.expected(facts), each.received(facts)
    try:
        each.check(facts)
    except Rejected as rejected:
        fault = rejected.rejection
        return Check("proof", False, fault.where or component, expected, received, f"{fault.detail}: {each.mend}")
    return Check("proof", True, component, expected, received)


EXPLAINERS: Final[ClaimExplainers] = {DPoPClaim: explain_dpop}
WITHOUT_KEYS: Final[ClaimExplainers] = {DPoPClaim: _without_keys}
"""What can be told where no key may be used."""
