"""The errors and the closed list of reasons.

Three faults, three types: `Rejected` is the request's, `ConfigurationError` the developer's, `StoreUnavailable` a
dependency's. Words for the operator (`Reason`, `detail`, `where`) never reach the client, who gets a `Refusal` made of
the RFC's words only.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from watchword.core.answer import Random, Refusal, Seal
from watchword.core.records import Found, Write

__all__ = [
    "ConfigurationError", "CredentialsUnavailable", "Reason", "Refuser", "Rejected", "Rejection", "StoreUnavailable",
    "WatchwordError", "bounded", "not_installed", "too_busy",
]  # fmt: skip


class Reason(Enum):
    """Why a request was refused. Closed: `docs/reference/reasons.md` documents every member and a test reaches it.

    Each member carries the HTTP status that a refusal for this reason has unless the scheme's RFC names another.

    >>> Reason.REPLAYED.status
    401
    >>> Reason("replayed") is Reason.REPLAYED
    True
    """

    status: int

    def __new__(cls, word: str, status: int) -> Reason:
        member = object.__new__(cls)
        member._value_ = word
        member.status = status
        return member

    # Nothing was presented, or it can't be told what.
    NO_CREDENTIALS = ("no_credentials", 401)
    UNSUPPORTED_SCHEME = ("unsupported_scheme", 401)
    AMBIGUOUS = ("ambiguous", 400)
    # The request itself can't be judged.
    MALFORMED_REQUEST = ("malformed_request", 400)
    HEADER_TOO_LARGE = ("header_too_large", 431)
    BODY_TOO_LARGE = ("body_too_large", 413)
    TARGET_TOO_LONG = ("target_too_long", 414)
    TOO_MANY_PARAMETERS = ("too_many_parameters", 400)
    TARGET_REFUSED = ("target_refused", 400)
    TARGET_NOT_EXACT = ("target_not_exact", 400)
    EARLY_DATA = ("early_data", 425)
    TOO_MANY_ATTEMPTS = ("too_many_attempts", 429)
    TOO_BUSY = ("too_busy", 503)
    # Credentials that don't follow the grammar, or name what isn't known.
    MALFORMED_CREDENTIALS = ("malformed_credentials", 401)
    UNKNOWN_SUBJECT = ("unknown_subject", 401)
    UNKNOWN_KEY = ("unknown_key", 401)
    UNKNOWN_ISSUER = ("unknown_issuer", 401)
    UNKNOWN_NONCE = ("unknown_nonce", 401)
    UNKNOWN_CRITICAL = ("unknown_critical", 401)
    # Credentials that don't prove what they claim.
    WRONG_ALGORITHM = ("wrong_algorithm", 401)
    WRONG_SECRET = ("wrong_secret", 401)
    WRONG_SIGNATURE = ("wrong_signature", 401)
    WRONG_REALM = ("wrong_realm", 401)
    WRONG_TARGET = ("wrong_target", 400)
    WRONG_BODY = ("wrong_body", 401)
    WRONG_TYPE = ("wrong_type", 401)
    WRONG_AUDIENCE = ("wrong_audience", 401)
    WRONG_CLAIM = ("wrong_claim", 401)
    MISSING_CLAIM = ("missing_claim", 401)
    MISSING_COMPONENT = ("missing_component", 401)
    NOT_COVERED = ("not_covered", 401)
    # Genuine once, but not now.
    EXPIRED = ("expired", 401)
    REVOKED = ("revoked", 401)
    DISABLED = ("disabled", 401)
    NOT_YET_VALID = ("not_yet_valid", 401)
    STALE_NONCE = ("stale_nonce", 401)
    REPLAYED = ("replayed", 401)
    # Proofs that don't belong together, and rights that are missing.
    BINDING_MISSING = ("binding_missing", 401)
    BINDING_MISMATCH = ("binding_mismatch", 401)
    INSUFFICIENT_SCOPE = ("insufficient_scope", 403)
    # Credentials that browsers send by themselves, for a page that isn't ours.
    ORIGIN_REFUSED = ("origin_refused", 403)


MAX_DETAIL = 512
MAX_NAME = 128
"""Characters of a sentence, and of the name of a part: both may quote the request, and logs keep them."""


def bounded(text: str, most: int) -> str:
    """`text`, or its beginning and an ellipsis.

    >>> bounded("x" * 7, 8), bounded("x" * 9, 8)
    ('xxxxxxx', 'xxxxxxx…')
    """
    return text if len(text) <= most else text[: most - 1] + "…"


class Rejection:
    """Why, for the operator: `reason`, a sentence (`detail`), the part that is at fault (`where`).

    `scopes` are the scopes that the resource demands, set for INSUFFICIENT_SCOPE only (RFC 6750 §3 sends them).
    `genuine` says that the secret was proven although the request is refused (a stale nonce, a replay).
    `retry_after` is in seconds, set for TOO_MANY_ATTEMPTS and TOO_BUSY only.
    """

    __slots__ = ("detail", "genuine", "reason", "retry_after", "scopes", "where")

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        where: str = "",
        scopes: Sequence[str] = (),
        genuine: bool = False,
        retry_after: float | None = None,
    ) -> None:
        self.reason = reason
        self.detail = bounded(detail, MAX_DETAIL)
        self.where = bounded(where, MAX_NAME)
        self.scopes = tuple(scopes)
        self.genuine = genuine
        self.retry_after = retry_after

    def __repr__(self) -> str:
        return f"Rejection({self.reason.value}, {self.detail!r}, where={self.where!r})"


class Refuser(Protocol):
    """The part of a verifier that words a refusal."""

    @property
    def scheme(self) -> str: ...

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """The client's answer in the RFC's words. The guard puts the realm first into each challenge that has none.

        Called for the verifier's own rejections, and with NO_CREDENTIALS for its fresh challenge.
        """
        ...


class WatchwordError(Exception):
    """The ancestor of every error that watchword raises on purpose."""


class ConfigurationError(WatchwordError, ValueError):
    """The developer's fault, raised at construction; the message says what to change."""


def not_installed(extra: str) -> ConfigurationError:
    """The error of importing a module of ours whose library is not there; extras are called like their library."""
    return ConfigurationError(f"{extra} is not installed: pip install 'watchword[{extra}]'")


class CredentialsUnavailable(WatchwordError):
    """The client half could not get what it needs to authenticate: a token endpoint refused or does not answer."""


class Rejected(WatchwordError):
    """The request's fault: the one exception that an adapter catches for a bad request.

    Args:
        reason: why, from the closed list.
        detail: a sentence for the operator; it never holds a secret and never leaves the process.
        where: the header, parameter, claim or component that is at fault.
        scopes: the scopes demanded (INSUFFICIENT_SCOPE).
        genuine: the secret was proven, the request is refused all the same.
        retry_after: seconds after which it may be tried again (TOO_MANY_ATTEMPTS, TOO_BUSY).
        writes: changes that are committed although the request is refused.

    `refusal` is what the client gets and `verifier` who rejected; the guard sets them before the exception leaves.
    `seal` is the guard's for the answer, where it has one.

    >>> str(Rejected(Reason.EXPIRED, "12 s past its expiry", where="exp"))
    'expired at exp: 12 s past its expiry'
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        where: str = "",
        scopes: Sequence[str] = (),
        genuine: bool = False,
        retry_after: float | None = None,
        writes: Sequence[Write] = (),
    ) -> None:
        self.rejection = Rejection(reason, detail, where, scopes, genuine, retry_after)
        super().__init__(reason, self.rejection.detail, self.rejection.where)
        self.writes = tuple(writes)
        self.refusal: Refusal | None = None
        self.verifier: Refuser | None = None
        self.seal: Seal | None = None

    @property
    def reason(self) -> Reason:
        """The reason, for short."""
        return self.rejection.reason

    def __str__(self) -> str:
        rejection = self.rejection
        place = f" at {rejection.where}" if rejection.where else ""
        return f"{rejection.reason.value}{place}" + (f": {rejection.detail}" if rejection.detail else "")


def too_busy(detail: str, *, retry_after: float = 1) -> Rejected:
    """The rejection of a request that can't be judged now: 503, to be tried again after `retry_after` seconds."""
    return Rejected(Reason.TOO_BUSY, detail, retry_after=retry_after)


class StoreUnavailable(WatchwordError):
    """A dependency's fault: nothing is accepted, the client gets 503.

    `refusal` is what the client gets; the guard sets it before the exception leaves.
    """

    def __init__(self, detail: str = "the store does not answer") -> None:
        super().__init__(detail)
        self.refusal: Refusal | None = None
