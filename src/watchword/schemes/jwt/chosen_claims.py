"""Which claims give the subject and the scopes, where an issuer has put them elsewhere: `JWTVerifier(…, subject=…, scopes=…)`.

What is named takes the place of the default and adds nothing to it. Nothing is read from roles, permissions or groups unless it is
named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

from watchword.core.identity import NO_SCOPES
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.encoding import has_lone_surrogate
from watchword.schemes.jwt.checks import Claims, ClaimCheck, scopes_of, subject_of

__all__ = ["Chosen", "ScopesFrom", "SubjectFrom", "checks_from", "scopes_from", "subject_from"]

T = TypeVar("T")

ScopesFrom = str | Callable[[Mapping[str, Any]], Collection[str]]
"""The name of a claim, or a function of all claims."""
SubjectFrom = str | tuple[str, type[int]] | Callable[[Mapping[str, Any]], str]
"""The name of a claim that is a text, ("sub", int) for one that is a whole number, or a function of all claims."""

MAX_NUMBER: Final = 2**63
"""No id is as large as that; a longer number takes long to be written."""


class Chosen(NamedTuple, Generic[T]):
    """How something is read from the claims.

    Args:
        claim: which claim, for `explain`; "" for none.
        expected: what a genuine token has there.
        read: gives it; raises `Rejected`.
    """

    claim: str
    expected: str
    read: Callable[[Claims], T]


def scopes_from(scopes: ScopesFrom | None, lists: bool) -> Chosen[frozenset[str]]:
    """The scopes.

    Args:
        scopes: which claim; None: `scope` and `scp`.
        lists: whether `scope` may be a list, by default.

    Raises:
        ConfigurationError: neither the name of a claim nor a function.
    """
    if scopes is None:
        return Chosen("scope", "texts" if lists else "a text", partial(scopes_of, lists=lists))
    if isinstance(scopes, str) and scopes:
        return Chosen(scopes, "a text, or a list of texts", partial(_named_scopes, scopes))
    if callable(scopes):
        return Chosen("scopes=", "texts", partial(_called_scopes, scopes))
    raise ConfigurationError('scopes= is the name of a claim, or a function of the claims: scopes="permissions"')


def subject_from(subject: object) -> Chosen[str]:
    """The subject; None: the identity has none.

    Raises:
        ConfigurationError: neither the name of a claim, nor one with int, nor a function.
    """
    if subject is None:
        return Chosen("", "none", _no_subject)
    if subject == "sub":
        return Chosen("sub", "a text", subject_of)
    if isinstance(subject, str) and subject:
        return Chosen(subject, "a text", partial(_named_subject, subject))
    if isinstance(subject, tuple) and len(subject) == 2 and isinstance(subject[0], str) and subject[1] is int:
        return Chosen(subject[0], "a whole number", partial(_numbered_subject, subject[0]))
    if callable(subject):
        found_by: Any = subject
        return Chosen("subject=", "a text", partial(_called_subject, found_by))
    raise ConfigurationError(
        'subject= is the name of a claim, ("sub", int) for a whole number, a function of the claims, or None for no subject'
    )


def checks_from(checks: Any) -> tuple[ClaimCheck, ...]:
    """Checks of the caller's own, none of which raises anything but `Rejected`.

    Raises:
        ConfigurationError: something else than checks.
    """
    listed: list[object] = [None]
    if isinstance(checks, Collection) and not isinstance(checks, ClaimCheck):
        listed = [*checks]
    given = [each for each in listed if isinstance(each, ClaimCheck)]
    if len(given) < len(listed):
        raise ConfigurationError("checks= is a sequence of ClaimCheck(claim, expected, check)")
    return tuple(each._replace(check=partial(_checked, each)) for each in given)


def _checked(check: ClaimCheck, claims: Claims, now: float) -> None:
    _called(f"the check of {check.claim}", lambda given: check.check(given, now), claims, check.claim)


def _named_scopes(name: str, claims: Claims) -> frozenset[str]:
    """A text is split where a scope's text is (RFC 8693 §4.2), and is one scope anywhere else; an element of a list is one scope."""
    value = claims.get(name)
    if value is None:
        return NO_SCOPES
    if name in ("scope", "scp"):
        return scopes_of({name: value})
    if type(value) is str:
        value = [value]
    if type(value) is not list or not all(type(each) is str for each in value):
        raise Rejected(Reason.WRONG_CLAIM, "scopes are a text or a list of texts", where=name)
    return _whole(value, name)


def _whole(scopes: Collection[str], where: str) -> frozenset[str]:
    if "" in scopes:
        raise Rejected(Reason.WRONG_CLAIM, "one of the scopes is an empty text", where=where)
    if not all(map(_is_unicode, scopes)):
        raise Rejected(Reason.WRONG_CLAIM, "it holds half of a surrogate pair (RFC 8259 §8.2)", where=where)
    return frozenset(scopes)


def _called_scopes(scopes: Callable[[Mapping[str, Any]], Collection[str]], claims: Claims) -> frozenset[str]:
    found: Any = _called("scopes=", scopes, claims, "scopes=")
    if isinstance(found, str) or not isinstance(found, Collection) or not all(isinstance(each, str) for each in found):
        raise ConfigurationError(
            'scopes= returned something else than texts: return a list of texts, ["read", "write"]'
        )
    return _whole(found, "scopes=")


def _named_subject(name: str, claims: Claims) -> str:
    if name not in claims:
        raise Rejected(Reason.MISSING_CLAIM, "the token does not say whom it is about", where=name)
    value = claims[name]
    if type(value) is not str or not value or not _is_unicode(value):
        raise Rejected(Reason.WRONG_CLAIM, "a subject is a text, and not an empty one", where=name)
    return value


def _numbered_subject(name: str, claims: Claims) -> str:
    if name not in claims:
        raise Rejected(Reason.MISSING_CLAIM, "the token does not say whom it is about", where=name)
    value = claims[name]
    if type(value) is not int or not -MAX_NUMBER <= value < MAX_NUMBER:
        raise Rejected(Reason.WRONG_CLAIM, "the subject is a whole number here, of 64 bits at most", where=name)
    return str(value)


def _called_subject(subject: Callable[[Mapping[str, Any]], str], claims: Claims) -> str:
    found: Any = _called("subject=", subject, claims, "subject=")
    if found is None or found == "":
        raise Rejected(Reason.WRONG_CLAIM, "subject= found no subject", where="subject=")
    if not isinstance(found, str):
        raise ConfigurationError(f"subject= returned {type(found).__name__}: return a text")
    if not _is_unicode(found):
        raise Rejected(Reason.WRONG_CLAIM, "it holds half of a surrogate pair (RFC 8259 §8.2)", where="subject=")
    return found


def _no_subject(claims: Claims) -> str:
    return ""


def _called(what: str, call: Callable[[Mapping[str, Any]], T], claims: Claims, where: str) -> T:
    """What the caller's function says of these claims, which an issuer has written: what it can't read is a wrong claim."""
    try:
        return call(claims)
    except (Rejected, ConfigurationError):
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it is, the claims aren't as they have to be
        raise Rejected(Reason.WRONG_CLAIM, f"{what} raised {type(error).__name__}", where=where) from None


def _is_unicode(text: str) -> bool:
    return text.isascii() or not has_lone_surrogate(text)
