"""Why an opaque token was refused: whether it is known, its secret, whether it is disabled, its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchword.core.records import Found
from watchword.core.rejection import ConfigurationError
from watchword.core.scheme import Body, Check
from watchword.schemes.explaining.program import ClaimExplainers
from watchword.schemes.opaque_token import TokenClaim

__all__ = ["EXPLAINERS", "explain_token"]


def explain_token(claim: TokenClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """Neither the token nor what it is looked up by is shown."""
    where = claim.verifier.place.where
    record = found.get(claim.ref)
    looked_up = claim.verifier.lookup is None or found.sought(claim.ref)
    known = record is not None if looked_up else None
    token = Check(
        "token", known, where, "a token that the look-up knows", claim.described(), "" if known else _mend(claim)
    )
    if record is None:
        untried = "there is no record to compare with"
        return "", (token, *(Check(name, None, where, mend=untried) for name in ("secret", "disabled", "time")))
    try:
        proven: bool | None = claim.matches(record)
        fault = "" if proven else "send the token as it was issued"
    except ConfigurationError as error:
        proven, fault = None, str(error)
    secret = Check("secret", proven, where, "the token of this record", "the token" if proven else "another", fault)
    mend = "enable it, or issue another" if record.disabled else ""
    disabled = "disabled" if record.disabled else "not disabled"
    ended = record.expires is not None and now >= record.expires
    end = "no end" if record.expires is None else f"good until {record.expires:.0f}"
    return "", (
        token, secret, Check("disabled", not record.disabled, where, "not disabled", disabled, mend),
        Check("time", not ended, where, end, f"judged at {now:.0f}", "issue another" if ended else ""),
    )  # fmt: skip


def _mend(claim: TokenClaim) -> str:
    """What to do about a token that nobody knows."""
    if claim.looks_like_a_jwt():
        return "it is a JWT, and no opaque token: give the guard a JWTVerifier for its issuer"
    if claim.looks_hashed():
        return "it has the form of a hash, 64 hex digits, as SHA-256 gives: if it was taken from the table, send the token itself"
    looked_up = (
        "an id in it" if claim.verifier.by_id else "the token itself" if claim.name_is_the_token() else "its SHA-256"
    )
    return f"send a token as it was issued, and look whether the look-up goes by what it is asked for: {looked_up}"


EXPLAINERS: Final[ClaimExplainers] = {TokenClaim: explain_token}
