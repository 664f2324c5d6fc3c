"""What a signer did whose JWT fits no key: the computation (`description`), varied until it gives the signature that came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchword.core.message import Request
from watchword.core.scheme import Check
from watchword.crypto.keys import Key
from watchword.crypto.wrong_spellings import near_cause, another_length
from watchword.schemes.explaining.computation import FORMS
from watchword.schemes.explaining.deviation import hashed_first
from watchword.schemes.explaining.search import MAX_STEPS, Asked, Outcome, look_for, unexplained
from watchword.schemes.explaining.received import Received
from watchword.schemes.diagnosis.text_axes import base64_octets
from watchword.schemes.explaining.verified import price_of, verified_by, verifies, written_otherwise
from watchword.schemes.jwt.description import FORM, HASHES, described

__all__ = ["signing_mistakes"]

MAX_KEYS: Final = 64
"""Keys that are tried as they are."""
MAX_VARIED: Final = 4
"""Keys of which the computation is varied, the one that the header names first."""
_NO_REQUEST: Final = Request("GET", "https", "", "/")  # nothing of a request is in a JWT
_ADVICE: Final = "sign as RFC 7515 §5.1 says"
_COMPARE: Final = "check that both sides have the same key, and that nothing changed the token after signing"


def signing_mistakes(
    keys: Sequence[Key], algorithm: str, key_id: object, parts: tuple[bytes, bytes, bytes], *, steps: int = MAX_STEPS
) -> Sequence[Check]:
    """The mistakes under which the signature fits one of `keys`; else that none does, and whether the search was cut.

    Args:
        keys: the verifier's.
        algorithm: that of the header.
        key_id: that of the header; None: it has none.
        parts: the three segments of the token.
        steps: how far to search.

    >>> key = Key.from_secret(bytes(32), algorithm="HS256", key_id="k")
    >>> parts = b"eyJhbGciOiJIUzI1NiJ9", b"e30", b"PODGiDD0uEMcmGzoXNYPn-fGJ2UlPMAp3zuXhHLFWCU"
    >>> signing_mistakes([key], "HS256", None, parts)[0].received
    'the signature, 43 characters, by no key that is known here'
    """
    head, payload, tail = parts
    octets = base64_octets(tail) or b""
    as_written = FORMS[FORM](octets) == tail  # else a key that fits says nothing: the octets were written otherwise
    component, found = near_cause(keys[:MAX_KEYS], algorithm, head + b"." + payload, octets) if as_written else ("", "")
    if found:
        return [
            Check("signature", False, component, "made by that key", f"the signature, {len(tail)} characters", found)
        ]
    outcome = _looked_for(keys[:MAX_KEYS], algorithm, key_id, parts, steps)
    if outcome.causes:
        return list(map(_of_signer, outcome.causes))
    mend = another_length(algorithm, octets) or unexplained(outcome, _COMPARE)
    shown = f"the signature, {len(tail)} characters, by no key that is known here"
    return [Check("signature", False, "signature", "made by that key", shown, mend)]


def _of_signer(check: Check) -> Check:
    """Who signs a token need not be who sends it."""
    return check._replace(
        **{name: getattr(check, name).replace("the client ", "the signer ", 1) for name in ("received", "mend")}
    )


def _looked_for(
    keys: Sequence[Key], algorithm: str, key_id: object, parts: tuple[bytes, bytes, bytes], steps: int
) -> Outcome:
    head, payload, tail = parts
    tree = described(head, payload, [key.key_id for key in keys if key.key_id is not None])
    named_first = sorted((key for key in keys if key.use == "sig"), key=lambda key: key.key_id != key_id)
    shared = [key for key in named_first if key.is_secret] if algorithm in HASHES else []
    public = [key for key in named_first if not key.is_secret][: 0 if shared else MAX_VARIED]
    for what, octets in written_otherwise(tail):
        if any(verifies(key, head + b"." + payload, octets) for key in public):
            mend = f"the signer writes the signature {what}: write its octets in {FORM} (RFC 7515 §5.1)"
            return Outcome([Check("signature", False, "signature", FORM, what, mend)], False)
    fits = Received(tail, FORM)
    asked = [
        Asked("signature", tree.signature(algorithm, key, [other for other in shared if other is not key]), fits, _NO_REQUEST, parts=(), advice=_ADVICE, more=tree.more)
        for key in shared[:MAX_VARIED]
    ]  # fmt: skip
    if public:
        fit, price = verified_by(public, base64_octets(tail) or b""), price_of(public)
        asked = [Asked("signature", tree.signing_input, fit, _NO_REQUEST, parts=(), advice=_ADVICE, price=price, more=[*hashed_first(tree.signing_input), *tree.more])]  # fmt: skip
    return look_for(*asked, steps=steps) if asked else Outcome((), False)
