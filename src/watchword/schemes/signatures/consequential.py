"""The fields on which a request's meaning, or a client's conduct, depends: what a seal covers and a client demands.

A signature can't cover a field that isn't there (RFC 9421 §2.1). So absence is told by the list of what is covered: the
server covers each of these fields that the message has, and the client refuses an answer that has one which is not covered.
A field that was taken out on the way is then covered and missing; one that was put in is there and not covered. Of the request
the server covers what it saw, and the client demands what it sent: what somebody added is covered, and the client,
which never sent it, can't build the signature base.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from watchword.core.message import Headers
from watchword.core.rejection import Reason, Rejected
from watchword.schemes.signatures.components import Component, is_field_name

__all__ = ["CREDENTIALS", "OF_ANSWER", "OF_REQUEST", "WRAPPED", "check_covered", "demanded", "field_component"]

OF_ANSWER: Final = (
    "@status", "content-type", "content-encoding", "content-language", "content-location", "content-range",
    "content-disposition", "content-digest", "repr-digest", "etag", "last-modified", "cache-control", "expires", "vary",
    "accept-ranges", "allow", "location", "refresh", "link", "retry-after", "set-cookie", "www-authenticate",
    "authentication-info", "proxy-authenticate", "proxy-authentication-info", "dpop-nonce", "accept-signature",
    "want-content-digest", "want-repr-digest", "preference-applied", "credentials-digest",
)  # fmt: skip
"""What is covered of an answer, as far as it has it: what it is, how long it is good, where it sends the client, what it
has it keep or do. Not: fields that servers and intermediaries add by themselves (Date, Age, Via, Server, Content-Length)."""
OF_REQUEST: Final = (
    "@method", "@authority", "@path", "@query", "content-type", "content-encoding", "content-language",
    "content-location", "content-range", "content-profile", "content-digest", "repr-digest", "range", "if", "if-match",
    "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "accept", "accept-charset", "accept-datetime",
    "accept-encoding", "accept-language", "accept-profile", "accept-version", "prefer", "depth", "destination", "overwrite",
    "lock-token", "timeout", "a-im", "api-version", "idempotency-key", "last-event-id", "origin", "slug", "soapaction", "x-api-version",
    "x-http-method", "x-http-method-override", "x-method-override", "x-original-method", "x-original-url", "x-requested-with",
    "x-rewrite-url",
    "want-content-digest", "want-repr-digest", "want-credentials-digest",
)  # fmt: skip
"""What is covered of the request that is answered, as far as it has it, and besides it every signature of it. Its
credentials are covered by a keyed digest, `credentials_digest`."""

WRAPPED: Final = frozenset({"set-cookie"})
"""Fields whose lines can't be combined (RFC 9110 §5.3), so that they are covered with `bs` (RFC 9421 §2.1.3)."""

CREDENTIALS: Final = frozenset({b"authorization", b"cookie"})
"""Fields with credentials; a guard's verifiers may read others."""

_ANSWER_FIELDS: Final = frozenset(name.encode() for name in OF_ANSWER if name[0] != "@")
_REQUEST_FIELDS: Final = frozenset(name.encode() for name in OF_REQUEST if name[0] != "@")
_CONTENT: Final = "content-digest"
"""Covered by a member as well: the check of the content uses no other."""
_NOT_DEMANDED: Final = CREDENTIALS | frozenset(
    (
        # of the connection (RFC 9110 §7.6.1), or the framing
        b"connection", b"content-length", b"expect", b"host", b"http2-settings", b"keep-alive", b"proxy-authorization",
        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
        # what intermediaries add or change
        b"baggage", b"cdn-loop", b"date", b"early-data", b"forwarded", b"max-forwards", b"priority", b"tracestate",
        b"traceparent", b"user-agent", b"via", b"x-real-ip", b"x-request-id",
        # covered by members, which is a demand of its own, or bound by the nonce
        b"accept-signature", b"content-digest", b"signature", b"signature-input",
    )
)  # fmt: skip
_NOT_DEMANDED_BEGINNINGS: Final = (b"x-forwarded-", b"x-amzn-", b"x-b3-", b":")


def demanded(sent: Headers) -> list[bytes]:
    """The fields of a request that its answer has to cover: all but credentials, signatures, and those of the way."""
    return [
        name
        for name in dict.fromkeys(name for name, _ in sent)
        if name not in _NOT_DEMANDED and not name.startswith(_NOT_DEMANDED_BEGINNINGS) and is_field_name(name)
    ]


def field_component(name: bytes, of_request: bool = False, wrapped: bool = False) -> Component:
    """The component of a whole field.

    >>> str(field_component(b"range", of_request=True, wrapped=True))
    '"range";req;bs'
    """
    params = (("req", True),) if of_request else ()
    return Component(name.decode("ascii"), (*params, ("bs", True)) if wrapped else params)


def check_covered(components: Sequence[Component], sent: Headers, came: Headers, also: Collection[bytes]) -> None:
    """Whether an answer's signature covers each of the fields above that was sent, and each that came.

    Args:
        components: what it covers.
        sent: the fields of the request.
        came: those of the answer.
        also: further fields of the request that it was asked to cover.

    Raises:
        Rejected: NOT_COVERED.
    """
    whole = set(_whole(components))
    for name in {name for name, _ in sent}:
        if name != b"content-digest" and (name in _REQUEST_FIELDS or name in also) and (name, True) not in whole:
            detail = "the answer may be to a request with another value, or without it"
            raise Rejected(Reason.NOT_COVERED, detail, where=str(field_component(name, of_request=True)))
    for name in {name for name, _ in came}:
        if name in _ANSWER_FIELDS and (name, False) not in whole:
            raise Rejected(Reason.NOT_COVERED, "somebody else may have added it", where=str(field_component(name)))


def _whole(components: Sequence[Component]) -> Iterator[tuple[bytes, bool]]:
    """The fields of which all is covered, however it is written, and whether the request's."""
    for one in components:
        if one.name[:1] != "@" and not one.has("tr") and (one.param("key") is None or one.name == _CONTENT):
            yield one.name.encode("ascii"), one.has("req")
