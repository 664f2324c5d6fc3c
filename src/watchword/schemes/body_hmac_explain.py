"""Why an X-HMAC was refused: tries what usually goes wrong with bodies and secrets until the MAC fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from watchword.core.scheme import Check
from watchword.crypto.digests import compare, digest, hmac_sha256
from watchword.schemes.diagnosis import causes, damaged, search, secret_guesses

if TYPE_CHECKING:
    from watchword.schemes.body_hmac import BodyHMACClaim

__all__ = ["canonical", "explain_body_hmac"]

_COMPARE = "none of the usual changes explains it: sign exactly the octets of the body, and compare the secrets"


def canonical(body: bytes) -> str:
    """The body, by its length and hash: it may hold what nobody wants in a log.

    >>> canonical(b"")
    'the body, 0 octets, SHA-256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    return f"the body, {len(body)} octets, SHA-256 {digest('sha-256', body).hex()}"


def explain_body_hmac(claim: BodyHMACClaim, body: bytes) -> tuple[str, Sequence[Check]]:
    """What is covered, and the one check that there is."""
    return canonical(body), _mac(claim, body)


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
