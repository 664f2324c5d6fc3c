"""Why Basic credentials were refused: format, user, password."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.records import Found, Ref
from watchword.core.rejection import Rejected, StoreUnavailable
from watchword.core.scheme import Body, Check
from watchword.crypto.passwords import Password
from watchword.schemes.basic import BasicClaim

__all__ = ["EXPLAINERS", "explain_basic"]


def explain_basic(claim: BasicClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """Format, user, password; the password is not shown, nor how much of it is right."""
    checks = [Check("format", True, "authorization", "base64 of username:password in UTF-8", "as expected")]
    record = found.get(Ref(Password, (claim.username,)))
    known = record is not None
    checks.append(
        Check(
            "user", known, "authorization username", "a user of the store", repr(claim.username),
            "" if known else "add the user with store.add_user, or send the name of one",
        )
    )  # fmt: skip
    if record is None:
        untried = Check("password", None, "authorization password", mend="there is nobody to compare with")
        return "", (*checks, untried)
    detail = ""
    try:
        claim.check_password(record)
    except Rejected as rejected:
        detail = rejected.rejection.detail or "send the user's password, or set it again with store.add_user"
    except StoreUnavailable as error:  # it can't be verified on this host
        detail = str(error)
    shown = "another one" if detail else "the stored one"
    checks.append(Check("password", not detail, "authorization password", "the stored one", shown, detail))
    if record.disabled:
        mend = "enable the user with `watchword user enable`"
        checks.append(Check("enabled", False, "authorization username", "an enabled user", "a disabled one", mend))
    return "", checks


EXPLAINERS: Final[ClaimExplainers] = {BasicClaim: explain_basic}
