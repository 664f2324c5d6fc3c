"""Why an API key was refused: form, key id, secret, revocation, time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.records import Found
from watchword.core.scheme import Body, Check
from watchword.schemes.api_key import APIKeyClaim

__all__ = ["EXPLAINERS", "explain_api_key"]


def explain_api_key(claim: APIKeyClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """The secret is not shown, nor how much of it is right."""
    where = claim.verifier.where
    record = found.get(claim.ref)
    current, former = claim.matches(record)
    ours = claim.verifier.name is None
    checks = [Check("format", True, where, "a key and its checksum" if ours else "a key", "as expected")]
    mend = "make a key with `watchword key add`, and send that one"
    if not ours:
        mend = "send a key as it was issued, and look whether the look-up goes by what by= says (the default is the key's SHA-256)"
    known, wanted = record is not None, "a key of the store" if ours else "a key that the look-up knows"
    shown = claim.key_id or ("the key" if known else "another key")
    checks.append(Check("key id", known, where, wanted, shown, "" if known else mend))
    if record is None:
        untried = "there is no key to compare with"
        return "", (*checks, *(Check(name, None, where, mend=untried) for name in ("secret", "revoked", "time")))
    over = former and not current and now >= record.former_until
    proven = current or (former and not over)
    mend = "" if proven else "send the key as it was issued, or rotate it: `watchword key rotate`"
    shown = "the key" if current else "the key before it" if former else "another"
    if over:
        mend = f"the key was rotated, and the one before it was good until {record.former_until:.0f}: send the new one"
    checks.append(Check("secret", proven, where, "the key, or the one before it", shown, mend))
    revoked = record.revoked is not None
    mend = "make another key: a revoked one stays so" if revoked else ""
    checks.append(Check("revoked", not revoked, where, "not revoked", "revoked" if revoked else "not revoked", mend))
    end = record.former_until if former and not current and not over else record.expires
    ended = end is not None and now >= end
    mend = "make another key, or rotate this one and send the new one" if ended else ""
    until = "no end" if end is None else f"good until {end:.0f}"
    checks.append(Check("time", not ended, where, until, f"judged at {now:.0f}", mend))
    return "", checks


EXPLAINERS: Final[ClaimExplainers] = {APIKeyClaim: explain_api_key}
