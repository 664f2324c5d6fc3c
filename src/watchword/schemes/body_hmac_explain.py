"""Why an X-HMAC was refused: tries what usually goes wrong with bodies and secrets until the MAC fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.records import Found
from watchword.core.scheme import Body, Check
from watchword.crypto.digests import compare, hmac_sha256
from watchword.schemes.body_hmac import BodyHMACClaim, canonical
from watchword.schemes.diagnosis import causes, damaged, search, secret_guesses

__all__ = ["EXPLAINERS", "explain_body_hmac"]

_COMPARE = "none of the usual changes explains it: sign exactly the octets of the body, and compare the secrets"


def explain_body_hmac(claim: BodyHMACClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """What is covered, and the one check that there is."""
    return canonical(body.data), _mac(claim, body.data)


def _mac(claim: BodyHMACClaim, body: bytes) -> Sequence[Check]:
    key, received = claim.verifier.key, f"{claim.mac.hex()[:6]}…"
    genuine = key.sign(body)
    if compare(genuine, claim.mac):
        return [Check("mac", True, "x-hmac", "the MAC of this body", received)]
    guess = search(claim.request, body, lambda _, signed: compare(key.sign(signed), claim.mac), parts=("body",))
    if guess is not None:
        return causes("mac", guess)
    for what, secret in secret_guesses(key.secret_bytes()):
        if compare(hmac_sha256(secret, body), claim.mac):
            mend = f"the client signs with the secret {what}: have both sides read it alike"
            return [Check("mac", False, "key", "the shared secret", f"the secret {what}", mend)]
    damage = damaged(genuine.hex(), claim.mac.hex())
    mend = f"{damage}: send it as it was made" if damage else _COMPARE
    return [Check("mac", False, "x-hmac", "the MAC of this body by that key", received, mend)]


EXPLAINERS: Final[ClaimExplainers] = {BodyHMACClaim: explain_body_hmac}
