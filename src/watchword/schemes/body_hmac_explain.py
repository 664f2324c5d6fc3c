"""Why an X-HMAC was refused: its computation, varied until it gives what was received (`explaining.search`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchword.core.records import Found
from watchword.core.scheme import Body, Check
from watchword.crypto.digests import compare
from watchword.schemes.body_hmac import BodyHMACClaim, canonical
from watchword.schemes.explaining.computation import Encoding, Join, Leaf, Mac
from watchword.schemes.explaining.program import ClaimExplainers
from watchword.schemes.explaining.accounts import fields_at_hand, signature_check
from watchword.schemes.explaining.search import Asked
from watchword.schemes.explaining.received import Received

__all__ = ["EXPLAINERS", "explain_body_hmac", "mac_of"]

FORM: Final = "hex digits"
_COMPARE: Final = "sign exactly the octets of the body, and compare the secrets"


def mac_of(claim: BodyHMACClaim, body: bytes) -> Encoding:
    """HMAC-SHA256 of the body, in hex digits."""
    key = Leaf("the secret", claim.verifier.key.secret_bytes(), "key", "key")
    signed = Leaf("the body", body, "body", "body", lambda _, signed: signed)
    mac = Mac("the MAC", "sha256", key, Join("the message", (signed,), b"", component="body"), "x-hmac")
    return Encoding("the MAC", FORM, mac, "x-hmac")


def explain_body_hmac(claim: BodyHMACClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """What is covered, and the one check that there is."""
    return canonical(body.data), _mac(claim, body.data)


def _mac(claim: BodyHMACClaim, body: bytes) -> Sequence[Check]:
    received, sent = f"{claim.mac.hex()[:6]}…", claim.mac.hex().encode()
    if compare(claim.verifier.key.sign(body), claim.mac):
        return [Check("mac", True, "x-hmac", "the MAC of this body", received)]
    pool = (
        *(
            Leaf(f"the {name}", value)
            for name, value in (("target", claim.request.target), ("path", claim.request.path))
        ),
        *fields_at_hand(claim.request),
        Leaf("the method", claim.request.method.encode("utf-8", "replace")),
    )
    advice = "send the HMAC-SHA256 of the body, in hex digits"
    root, fits = mac_of(claim, body), Received(sent, FORM)
    asked = Asked("mac", root, fits, claim.request, body, parts=("body",), pool=pool, advice=advice)
    return signature_check("mac", "x-hmac", "the MAC of this body by that key", received, [asked], _COMPARE)


EXPLAINERS: Final[ClaimExplainers] = {BodyHMACClaim: explain_body_hmac}
