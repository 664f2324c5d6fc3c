"""One form for each username and password: PRECIS (RFC 8264), the profiles of RFC 8265.

What a person sees as one text may be several strings of code points. Whoever stores a name or a password and whoever
verifies it must take the same string for it, on every host: so there is one rule, and what it can't settle is refused.

RFC 7617 §2.1 names the profiles for Basic: UsernameCasePreserved for the username (RFC 8265 §3.4), OpaqueString for the
password (§4.2). Case is kept: "Alice" and "alice" are two users, since mapping them to one would join accounts that a
user table keeps apart.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

from watchword.core.limits import Limits
from watchword.core.rejection import Reason, Rejected

if TYPE_CHECKING:
    from precis_i18n.profile import Profile

__all__ = ["MAX_PASSWORD", "MAX_USERNAME", "password", "username"]

MAX_USERNAME: Final = 256
"""Characters of a username, as they come: before they are put into their one form, which takes microseconds for each."""
MAX_PASSWORD: Final = Limits().password
"""Characters of a password, likewise, where it is set; where it is presented the guard's limits say how many."""


def username(text: str) -> str:
    r"""The one form of a username: words of the UsernameCasePreserved profile, spaces between them (RFC 8265 §3.5).

    Fullwidth and halfwidth letters become the usual ones, accents are composed (NFC); case stays. Empty stays empty: Basic
    allows it (RFC 7617 §2).

    Raises:
        Rejected: MALFORMED_CREDENTIALS: a character that no username may hold (a symbol, a control character, one that
            this Python's Unicode does not know), a colon, mixed directions, a space at either end; or more than 256 characters.

    >>> username("Jose\u0301"), username("ａlice"), username("Alice")
    ('José', 'alice', 'Alice')
    >>> username("²")
    Traceback (most recent call last):
    watchword.core.rejection.Rejected: malformed_credentials at username: it holds what no username may (RFC 8265 §3.4)
    """
    if len(text) > MAX_USERNAME:
        raise _refused(f"it has more than {MAX_USERNAME} characters", "username")
    if text.isascii():
        if not text.isprintable():
            raise _refused("it holds a control character (RFC 7617 §2)", "username")
        normal, good = text, True
    else:
        profile = _profile("UsernameCasePreserved")
        try:
            normal, good = " ".join(word and profile.enforce(word) for word in text.split(" ")), True
        except ValueError:  # of the library; it holds the text
            normal, good = "", False
    # A fullwidth colon becomes one that would end the username on the wire (RFC 7617 §2).
    if not good or ":" in normal:
        raise _refused("it holds what no username may (RFC 8265 §3.4)", "username")
    if normal[:1] == " " or normal[-1:] == " ":
        raise _refused("it starts or ends with a space (RFC 8265 §3.5)", "username")
    return normal


def password(text: str, longest: int = MAX_PASSWORD) -> str:
    r"""The one form of a password: the OpaqueString profile (RFC 8265 §4.2).

    Every kind of space becomes the ASCII one and accents are composed (NFC); nothing else changes. Empty stays empty.

    Args:
        text: the password.
        longest: how many characters it may have, as it comes and when its accents are composed.

    Raises:
        Rejected: MALFORMED_CREDENTIALS: a control character, or one that this Python's Unicode does not know; or more than
            `longest` characters.

    >>> password("a\u3000b\u0308") == "a b̈", password("Jose\u0301") == "José"
    (True, True)
    """
    if len(text) > longest:
        raise _refused(f"it has more than {longest} characters", "password")
    if text.isascii():
        if text.isprintable():
            return text
        raise _refused("it holds a control character (RFC 7617 §2)", "password")
    composed = normalize("NFC", text)
    if len(composed) > longest:  # a few characters are several when composed
        raise _refused(f"it has more than {longest} characters", "password")
    try:
        return _profile("OpaqueString").enforce(composed)
    except ValueError:  # as above
        pass
    raise _refused("it holds what no password may (RFC 8265 §4.2)", "password")


def _refused(detail: str, where: str) -> Rejected:
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=where)


@cache
def _profile(name: str) -> Profile:
    from precis_i18n import get_profile  # noqa: PLC0415 -- ASCII does without

    return get_profile(name)
