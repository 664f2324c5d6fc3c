"""The server half: verifying SigV4 and SigV4A requests, by field and by query."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from watchword.core.address import Address
from watchword.core.answer import Challenge
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Ref, Spent
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import Random, Refusal
from watchword.fields.target import check_exact
from watchword.schemes.freshness import Freshness
from watchword.schemes.sigv4.access_key import AccessKey
from watchword.schemes.sigv4.canonical import PathRules
from watchword.schemes.sigv4.chunks import MAX_CHUNK
from watchword.schemes.sigv4.claim import SigV4Claim
from watchword.schemes.sigv4.credentials import (
    MAX_EXPIRES, SIGNATURE, PresentedCredentials, cut, is_presigned, is_signature, read_field, read_query,
)  # fmt: skip
from watchword.schemes.sigv4.settings import MAX_SKEW, ProvenCredentials, Settings

__all__ = ["SigV4Verifier"]

_USUAL: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §9.1, a token


class SigV4Verifier(InProcess):
    """Verifies requests that are signed as AWS has it: SigV4 and SigV4A, in Authorization or in a presigned URL.

    Keys are `AccessKey` records (`store.add_access_key`). The signature covers method, path, query, the fields that it
    names (host and every x-amz-* field have to be among them), and the body; a body in chunks is checked as it passes.

    Args:
        region: the region that requests have to be signed for; None: any.
        service: the service likewise.
        skew: seconds that a request's time may be off, either way; 900 at most.
        max_expires: seconds for which a presigned URL is good at most; 604,800 at most.
        allow_unsigned_payload: accept bodies that nothing but TLS protects: UNSIGNED-PAYLOAD, and
            STREAMING-UNSIGNED-PAYLOAD-TRAILER, of which the checksum is still checked. Without, UNSIGNED-PAYLOAD is accepted
            where there is no body, as many clients send it with every request over TLS.
        single_use: accept each signed string once (presigned URLs too), through the store. Without, a request can be
            replayed while its time is good: that is SigV4's nature.
        require: further fields that have to be signed if they are there, such as "content-type".
        paths: the rules by which paths are made canonical; None: those of the scope's service.
        max_chunk: octets of one signed chunk.

    Raises:
        ConfigurationError: a number out of its range.

    >>> SigV4Verifier(region="eu-central-1", service="orders")
    SigV4Verifier(region='eu-central-1', service='orders')
    """

    scheme: str = "sigv4"
    described: str = (
        "AWS Signature Version 4, in Authorization or a presigned URL. Made anew for each request, "
        "which Swagger UI can't do."
    )
    rank: int = 16
    addresses: Sequence[Address] = (
        Address(word="aws4-hmac-sha256"), Address(word="aws4-ecdsa-p256-sha256"), Address.in_query(SIGNATURE),
    )  # fmt: skip
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None
    single_use: bool = False
    ambient: bool = False

    def __init__(
        self,
        *,
        region: str | None = None,
        service: str | None = None,
        skew: float = MAX_SKEW,
        max_expires: float = MAX_EXPIRES,
        allow_unsigned_payload: bool = False,
        single_use: bool = False,
        require: Collection[str] = (),
        paths: PathRules | None = None,
        max_chunk: int = MAX_CHUNK,
    ) -> None:
        _check_number("skew", skew, MAX_SKEW)
        _check_number("max_expires", max_expires, MAX_EXPIRES)
        if max_chunk < 1:
            raise ConfigurationError("max_chunk is a number of octets, 1 or more")
        if isinstance(require, str):
            raise ConfigurationError(f"require is a collection of field names: require=({require!r},)")
        self.settings = Settings(
            region=None if region is None else region.encode(),
            service=None if service is None else service.encode(),
            freshness=Freshness(skew, skew),
            max_expires=max_expires,
            allow_unsigned_payload=allow_unsigned_payload,
            single_use=single_use,
            require=frozenset(name.lower().encode() for name in require),
            paths=paths,
            max_chunk=max_chunk,
        )
        self.single_use = single_use
        self.kinds: Sequence[type] = (AccessKey, Spent) if single_use else (AccessKey,)
        self.proven = ProvenCredentials()

    def __repr__(self) -> str:
        settings = self.settings
        region = None if settings.region is None else settings.region.decode()
        service = None if settings.service is None else settings.service.decode()
        return f"SigV4Verifier(region={region!r}, service={service!r})"

    def read(self, request: Request) -> SigV4Claim:
        """The credentials, checked for their grammar.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, AMBIGUOUS, MALFORMED_REQUEST, TARGET_REFUSED, TARGET_NOT_EXACT.
        """
        field = request.values(b"authorization")
        presigned = request.target.find(b"X-Amz-") >= 0 and is_presigned(request)
        if field and presigned and field[0][:5].lower() == b"aws4-":
            raise Rejected(Reason.AMBIGUOUS, "credentials in Authorization and in the query", where="authorization")
        presented = read_query(request.query or b"") if presigned else self._of_field(field[0])
        if request.method not in _USUAL and not _METHOD.fullmatch(request.method):
            raise Rejected(Reason.MALFORMED_REQUEST, "the method is not a token", where="@method")
        if not request.authority.isascii():
            raise Rejected(Reason.TARGET_REFUSED, "the authority is not host or host:port", where="authority")
        if not request.exact:
            check_exact(request)
        return SigV4Claim(presented, request, self.settings, self.proven)

    def _of_field(self, value: bytes) -> PresentedCredentials:
        signature, around = cut(value)
        plan = self.proven.plans.get(around)
        if plan is None or not is_signature(signature, plan):
            return read_field(value)
        return PresentedCredentials(plan, signature)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """`AWS4-HMAC-SHA256` and no more: what differs is nobody's business but the operator's."""
        return Refusal(rejection.reason.status, [Challenge("AWS4-HMAC-SHA256")])


def _check_number(name: str, value: float, most: int) -> None:
    if not (math.isfinite(value) and 0 < value <= most):
        raise ConfigurationError(f"{name} is a number of seconds above 0, and {most} at most: {name}={most}")
