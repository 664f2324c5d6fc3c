"""Why Basic credentials were refused: format, user, password, and the kind of change by which a wrong one would have been right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from watchword.schemes.explaining.typed_text import near
from watchword.schemes.explaining.program import ClaimExplainers
from watchword.schemes.explaining.typed_text import hash_form, placeholder, retyped
from watchword.schemes.explaining.masking import body_members
from watchword.schemes.explaining.places import pair_of
from watchword.core.records import Found, Ref
from watchword.core.rejection import Rejected, StoreUnavailable
from watchword.core.scheme import Body, Check
from watchword.crypto import precis
from watchword.crypto.passwords import Password
from watchword.schemes.basic import BasicClaim

__all__ = ["EXPLAINERS", "MAX_HASHES", "WITHOUT_TRIES", "explain_basic"]

MAX_HASHES: Final = 24
"""Hashes that are computed about one request, whatever was sent."""
_WHERE: Final = "authorization password"


def explain_basic(
    claim: BasicClaim, found: Found, body: Body, now: float, *, hashes: int = MAX_HASHES
) -> tuple[str, Sequence[Check]]:
    """Format, user, password; neither the password nor the right one is shown, nor how much of it is right."""
    return "", list(_checks(claim, found, hashes))


def _checks(claim: BasicClaim, found: Found, hashes: int) -> Iterator[Check]:
    yield Check("format", True, "authorization", "base64 of username:password in UTF-8", "as expected")
    record = found.get(Ref(Password, (claim.username,)))
    if record is None:
        yield from _nobody(claim, found, hashes)
        return
    yield Check("user", True, "authorization username", "a user of the store", repr(claim.username))
    yield from _password(claim, record, hashes)
    if record.disabled:
        mend = "enable the user with `watchword user enable`"
        yield Check("enabled", False, "authorization username", "an enabled user", "a disabled one", mend)


def _nobody(claim: BasicClaim, found: Found, hashes: int) -> Iterator[Check]:
    """A name that nobody has: another spelling of one, or the password in its place."""
    where, shown = "authorization username", repr(claim.username)
    other = found.get(claim.exchanged)
    if other is not None:
        fits = "" if hashes < 2 or _fault(claim, other, claim.username) else ", and they fit so"
        mend = f"username and password are exchanged{fits}: send username:password"
        yield Check("user", False, where, "the username before the colon", "the password, masked", mend)
    else:
        name, what = _meant(claim.username, found)
        if not claim.username:
            shown = "nothing"
        mend = f"it came {what}: send {name!r}" if name else "add the user with store.add_user, or send the name of one"
        if not claim.username:
            mend = "nothing stands before the colon: is the variable with the username set?"
        elif unset := "" if name else placeholder(claim.username):
            mend = unset
        elif list(pair_of([*body_members(f"{claim.username}:{claim.presented_password()}".encode())])):
            shown = "an object of JSON"
            mend = "the base64 holds JSON, not text: encode username, a colon and the password (RFC 7617 §2)"
        yield Check("user", False, where, repr(name) if name else "a user of the store", shown, mend)
    yield Check("password", None, _WHERE, mend="there is nobody to compare with")


def _meant(name: str, found: Found) -> tuple[str, str]:
    """The user that may have been meant, and how the name came; "" for nobody."""
    known = {key[-1] for key, _ in found.of(Password)}
    for what, other in retyped(name):
        meant = other.strip() if isinstance(other, str) else ""
        if meant in known:
            return meant, what
    folded = {each.casefold(): each for each in known}
    for bare, what in (
        (name, "in another case"), (name.partition("@")[0], "with a domain after it"), (name.rpartition("\\")[2], "with a domain before it"),
    ):  # fmt: skip
        if bare.casefold() in folded:
            return folded[bare.casefold()], what
    for each in known:
        if each.partition("@")[0].casefold() == name.casefold():
            return each, "without its domain"
    return near(name, known), "in nearly this spelling"


def _password(claim: BasicClaim, record: Password, hashes: int) -> Iterator[Check]:
    fault = _fault(claim, record)
    if not fault:
        yield Check("password", True, _WHERE, "the stored one", "the stored one")
        return
    sent = claim.presented_password()
    if mend := placeholder(sent):
        shown = repr(sent) if sent else "nothing"
        yield Check("password", False, _WHERE, "the user's password", shown, mend)
        return
    if fault != _DIFFERS:
        yield Check("password", False, _WHERE, "a stored hash that can be used", "one that can't", fault)
        return
    spellings = list(retyped(sent))
    for what, other in spellings[: hashes - 1]:
        if not _fault(claim, record, other):
            mend = f"the password came {what}: send it, or set it, without that change"
            yield Check("password", False, _WHERE, "the stored one", f"the stored one, {what}", mend)
            return
    tried = min(len(spellings), hashes - 1)
    form = hash_form(sent)
    odd = f"; it has {form}: send the password itself" if form else _REPLACED if "\ufffd" in sent else ""
    cut = "" if tried == len(spellings) else f", the search was cut there: {len(spellings)} are usual"
    told = (
        f"{tried} usual spellings of what was sent don't fit either{cut}"
        if tried
        else "no other spelling of it was tried"
    )
    mend = f"{told}{odd}; {_DIFFERS}"
    yield Check("password", False, _WHERE, "the stored one", "another one", mend)


_REPLACED: Final = "; it holds U+FFFD, which stands for octets that were read in the wrong character set"
_DIFFERS: Final = "send the user's password, or set it again with store.add_user"


def _fault(claim: BasicClaim, record: Password, password: str | bytes | None = None) -> str:
    """What is wrong with a password, that of the claim by default; "" if it is right."""
    try:
        one = precis.password(password) if isinstance(password, str) else password
        claim.check_password(record, one)
    except Rejected as rejected:
        return rejected.rejection.detail or _DIFFERS
    except StoreUnavailable as error:  # it can't be verified on this host
        return str(error)
    return ""


EXPLAINERS: Final[ClaimExplainers] = {BasicClaim: explain_basic}
WITHOUT_TRIES: Final[ClaimExplainers] = {BasicClaim: partial(explain_basic, hashes=1)}
"""The same, with no password hashed but the one that was sent."""
