"""The claims of a JWT (RFC 7519 §4.1), one check each; `JWTVerifier` and the drop-in compose them.

A check is `(claims, now) -> None` and raises `Rejected`. What it depends on is settled when it is made, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

from watchword.core.identity import NO_SCOPES
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.encoding import has_lone_surrogate, parse_leniently

__all__ = [
    "YEAR_10000", "ClaimCheck", "Claims", "audience_is", "bound_to_nothing", "can_be_used_up", "check_mintable", "issued_by", "issued_since",
    "named_or_absent", "numeric_date", "present", "read_claims", "scopes_of", "subject_of", "valid_from", "valid_until",
]  # fmt: skip

Claims = Mapping[str, Any]

YEAR_10000: Final = 253_402_300_800
"""No date is this late: a number above is a mistake, such as milliseconds, or an attempt to overflow."""

READ: Final = ("sub", "iss", "aud", "jti", "scope", "scp", "cnf")
"""The claims whose texts are compared, looked up or handed on."""

_ABSENT: Final = object()
# scope-token = 1*( %x21 / %x23-5B / %x5D-7E )                                                        (RFC 6749 §3.3)
_is_scope: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+").fullmatch


class ClaimCheck(NamedTuple):
    """A check of one claim, with the words that `explain` uses.

    Args:
        claim: the claim's name.
        expected: what a genuine token has there.
        check: `check(claims, now)` raises `Rejected` if the claim is not as it has to be; `now` is in seconds since the epoch.

    >>> def of_ours(claims, now):
    ...     if claims.get("tenant") != "blue":
    ...         raise Rejected(Reason.WRONG_CLAIM, "another tenant", where="tenant")
    >>> ClaimCheck("tenant", "blue", of_ours).claim
    'tenant'
    """

    claim: str
    expected: str
    check: Callable[[Claims, float], None]


def read_claims(payload: bytes) -> dict[str, Any]:
    """The claims that a payload spells; a lone surrogate is taken where nothing reads it, and refused in `READ`.

    Raises:
        Rejected: MALFORMED_CREDENTIALS, or WRONG_CLAIM for half of a surrogate pair in a claim that is read.
    """
    try:
        claims = parse_leniently(payload)
    except ValueError as error:
        raise Rejected(Reason.MALFORMED_CREDENTIALS, str(error), where="payload") from None
    refuse_lone_surrogates(claims, READ)
    return claims


def refuse_lone_surrogates(claims: Claims, names: Collection[str]) -> None:
    """None of these claims holds half of a surrogate pair, which no UTF-8 has (RFC 8259 §8.2).

    Raises:
        Rejected: WRONG_CLAIM.
    """
    for name in names:
        if name in claims and has_lone_surrogate(claims[name]):
            raise Rejected(Reason.WRONG_CLAIM, f"{name} holds half of a surrogate pair (RFC 8259 §8.2)", where=name)


def named_or_absent(name: str) -> ClaimCheck:
    """A claim that nothing demands, such as `jti`: it may be absent, and null is not absence."""

    def check(claims: Claims, now: float) -> None:
        if claims.get(name, "") is None:
            raise Rejected(Reason.WRONG_CLAIM, f"{name} is null: leave it out, or give it a value", where=name)

    return ClaimCheck(name, "absent, or not null", check)


def present(names: Collection[str]) -> ClaimCheck:
    """Each of these claims is there."""

    def check(claims: Claims, now: float) -> None:
        for name in names:
            if name not in claims:
                raise Rejected(Reason.MISSING_CLAIM, f"the token has no {name}", where=name)

    return ClaimCheck(", ".join(names), "present", check)


def issued_by(issuers: frozenset[str]) -> ClaimCheck:
    """`iss` is one of these (RFC 7519 §4.1.1)."""

    def check(claims: Claims, now: float) -> None:
        issuer = claims.get("iss", _ABSENT)
        if type(issuer) is str and issuer in issuers:
            return
        if issuer is _ABSENT:
            raise Rejected(Reason.MISSING_CLAIM, "the token names no issuer", where="iss")
        if type(issuer) is not str:
            raise Rejected(Reason.WRONG_CLAIM, "an issuer is a text", where="iss")
        raise Rejected(Reason.UNKNOWN_ISSUER, f"issued by {issuer[:128]!r}", where="iss")

    return ClaimCheck("iss", " or ".join(sorted(issuers)), check)


def audience_is(audiences: frozenset[str] | None) -> ClaimCheck:
    """`aud` names one of these (RFC 7519 §4.1.3). None: the token must name no audience, for it would be another's."""

    def check(claims: Claims, now: float) -> None:
        audience = claims.get("aud", _ABSENT)
        if audiences is None:
            if audience == []:
                raise _no_audience()
            if audience is not _ABSENT:
                raise Rejected(Reason.WRONG_AUDIENCE, "meant for an audience, and none is configured", where="aud")
        elif type(audience) is str and audience in audiences:
            return
        elif audience is _ABSENT:
            raise Rejected(Reason.MISSING_CLAIM, "the token names no audience", where="aud")
        else:
            _one_of(audience, audiences)

    expected = "absent: no audience= is configured" if audiences is None else " or ".join(sorted(audiences))
    return ClaimCheck("aud", expected, check)


def _one_of(audience: object, audiences: frozenset[str]) -> None:
    named = _named(audience)
    if not named:
        raise _no_audience()
    if audiences.isdisjoint(named):
        raise Rejected(Reason.WRONG_AUDIENCE, f"meant for {', '.join(named)[:128]!r}", where="aud")


def _no_audience() -> Rejected:
    return Rejected(Reason.WRONG_AUDIENCE, "the token names no audience: its list is empty", where="aud")


def _named(audience: object) -> list[str]:
    named = [audience] if type(audience) is str else audience
    if type(named) is not list or not all(type(name) is str for name in named):
        raise Rejected(Reason.WRONG_CLAIM, "an audience is a text or a list of texts", where="aud")
    return named


def numeric_date(name: str, value: object) -> float:
    """`value` if it is a NumericDate: seconds since the epoch, with or without a fraction (RFC 7519 §2).

    Raises:
        Rejected: WRONG_CLAIM; JSON's true is no number, and nothing lies beyond the year 9999.
    """
    if type(value) not in (int, float) or not -YEAR_10000 < value < YEAR_10000:  # type: ignore[operator]
        raise Rejected(Reason.WRONG_CLAIM, "a date is a number of seconds since 1970", where=name)
    return value  # type: ignore[return-value]


def valid_until(leeway: float) -> ClaimCheck:
    """`exp`, where there is one, lies in the future: at that very second the token has expired (RFC 7519 §4.1.4)."""

    def check(claims: Claims, now: float) -> None:
        expiry = claims.get("exp", _ABSENT)
        if type(expiry) is int and now - leeway < expiry < YEAR_10000:
            return
        if expiry is not _ABSENT and now - leeway >= numeric_date("exp", expiry):
            raise Rejected(Reason.EXPIRED, f"expired {now - expiry:.0f} s ago", where="exp")

    return ClaimCheck("exp", f"later than {leeway:g} s ago" if leeway else "in the future", check)


def valid_from(leeway: float) -> ClaimCheck:
    """`nbf`, where there is one, is not in the future (RFC 7519 §4.1.5)."""

    def check(claims: Claims, now: float) -> None:
        start = claims.get("nbf", _ABSENT)
        if start is _ABSENT or (type(start) is int and -YEAR_10000 < start <= now + leeway):
            return
        if numeric_date("nbf", start) > now + leeway:
            raise Rejected(Reason.NOT_YET_VALID, f"valid in {start - now:.0f} s", where="nbf")

    return ClaimCheck("nbf", f"at most {leeway:g} s in the future" if leeway else "not in the future", check)


def issued_since(leeway: float, max_age: float | None = None) -> ClaimCheck:
    """`iat`, where there is one, is not in the future; with `max_age` there is one, less than so many seconds ago."""

    def check(claims: Claims, now: float) -> None:
        issued = claims.get("iat", _ABSENT)
        if issued is _ABSENT:
            if max_age is not None:
                raise Rejected(Reason.MISSING_CLAIM, "the token does not say when it was issued", where="iat")
            return
        if type(issued) is not int or not -YEAR_10000 < issued < YEAR_10000:
            numeric_date("iat", issued)
        if issued > now + leeway:
            raise Rejected(Reason.NOT_YET_VALID, f"issued {issued - now:.0f} s in the future", where="iat")
        if max_age is not None and now - leeway >= issued + max_age:
            raise Rejected(Reason.EXPIRED, f"issued {now - issued:.0f} s ago", where="iat")

    expected = "not in the future" if max_age is None else f"at most {max_age:g} s ago"
    return ClaimCheck("iat", expected, check)


def _bound_to_nothing(claims: Claims, now: float) -> None:
    if "cnf" in claims:
        raise Rejected(Reason.BINDING_MISSING, "bound to a key whose possession was not proven", where="cnf")


bound_to_nothing: Final = ClaimCheck("cnf", "absent: nothing here proves possession of a key", _bound_to_nothing)
"""No `cnf` (RFC 7800 §3.1): whoever holds such a token has to prove possession of a key, and here nothing did."""


def _can_be_used_up(claims: Claims, now: float) -> None:
    token_id = claims.get("jti", _ABSENT)
    if token_id is _ABSENT:
        raise Rejected(Reason.MISSING_CLAIM, "the token has no id, and each is good only once", where="jti")
    if type(token_id) is not str or not token_id:
        raise Rejected(Reason.WRONG_CLAIM, "a token id is a text, and not an empty one", where="jti")
    if "exp" not in claims:
        raise Rejected(
            Reason.MISSING_CLAIM, "the token never expires, and its use can't be remembered for ever", where="exp"
        )


can_be_used_up: Final = ClaimCheck("jti", "a text, and exp with it: each token is good only once", _can_be_used_up)
"""`jti`, by which a use is remembered (RFC 7519 §4.1.7), and `exp`, until when."""


def subject_of(claims: Claims) -> str:
    """`sub` (RFC 7519 §4.1.2).

    Raises:
        Rejected: MISSING_CLAIM or WRONG_CLAIM.
    """
    subject = claims.get("sub", _ABSENT)
    if type(subject) is str and subject:
        return subject
    if subject is _ABSENT:
        raise Rejected(Reason.MISSING_CLAIM, "the token does not say whom it is about", where="sub")
    raise Rejected(Reason.WRONG_CLAIM, "a subject is a text, and not an empty one", where="sub")


def scopes_of(claims: Claims, *, lists: bool = True) -> frozenset[str]:
    """What `scope` and `scp` allow: each a text (RFC 8693 §4.2), or a list of texts, as several issuers write it.

    A text is split at its spaces. An element of a list is one scope, and is never split. Null counts as absent.

    Args:
        claims: those of a token.
        lists: `scope` may be a list too; else it is a text, as RFC 9068 §2.2.3 has it.

    Raises:
        Rejected: WRONG_CLAIM.

    >>> sorted(scopes_of({"scope": "read write", "scp": ["admin"]}))
    ['admin', 'read', 'write']
    """
    scope, scp = claims.get("scope"), claims.get("scp")
    if scp is None:
        if type(scope) is str:
            return _parts(scope)
        if scope is None:
            return NO_SCOPES
    return _listed("scope", scope, lists) | _listed("scp", scp, True)


def _listed(name: str, value: object, lists: bool) -> frozenset[str]:
    """The scopes of one claim, in whatever form."""
    if value is None:
        return NO_SCOPES
    if type(value) is str:
        return _parts(value)
    if type(value) is not list:
        detail = "scopes are a text with spaces between them, or a list of texts"
    elif not lists:
        detail = "a list, where RFC 9068 has a text: scope_lists=True takes it"
    elif not all(type(each) is str for each in value):
        detail = "an element of the list is no text"
    elif "" in value:
        detail = "an element of the list is empty"
    elif not all(map(_is_scope, value)):
        detail = "an element of the list is not one scope (RFC 6749 §3.3)"
    else:
        return frozenset(value)
    raise Rejected(Reason.WRONG_CLAIM, detail, where=name)


def _parts(scope: str) -> frozenset[str]:
    """The scopes of a text: spaces alone separate them (RFC 6749 §3.3), no other white space does."""
    parts = frozenset(scope.split(" "))
    return parts - {""} if "" in parts else parts


def check_mintable(claims: Claims) -> None:
    """Nothing, if `JWTVerifier` reads the registered claims among these, whatever it is set to want of them.

    Raises:
        ConfigurationError: it would refuse them for what they are.
    """
    try:
        if "sub" in claims:
            subject_of(claims)
        scopes_of(claims)
        named = _named(claims.get("aud", "-"))
        if not named or not all(named):
            raise Rejected(Reason.WRONG_CLAIM, "it names no audience", where="aud")
        for name in ("iss", "jti"):
            value = claims.get(name, "-")
            if type(value) is not str or not value:
                raise Rejected(Reason.WRONG_CLAIM, f"{name} is a text, and not an empty one", where=name)
    except Rejected as rejected:
        found = rejected.rejection
        raise ConfigurationError(f"claims= has a {found.where} that verifiers refuse: {found.detail}") from None
