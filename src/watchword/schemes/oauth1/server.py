"""The server half: which requests are OAuth 1's, and what is settled once for all of them (RFC 5849 §3.2, §3.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from watchword.core.address import Address
from watchword.core.answer import Challenge
from watchword.structures.bounded import Bounded
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Ref, Spent
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import Random, Refusal, malformed
from watchword.fields.target import check_exact
from watchword.schemes.freshness import Freshness
from watchword.schemes.oauth1.claim import OAuth1Claim, refuse_second_place
from watchword.schemes.oauth1.credentials import (
    STRONG, Method, OAuth1Client, OAuth1Token, PresentedCredentials, checked_methods, load_rsa, plainly_presented, read_presented,
    without_signature,
)  # fmt: skip
from watchword.schemes.oauth1.encoding import Origins, Pairs, form_pairs, header_pairs, is_form, plain_header

__all__ = ["OAuth1Verifier"]

MAX_PREPARED: Final = 256
"""RSA keys that are kept prepared."""
MAX_ORIGINS: Final = 64
"""Scheme and authority in their normal form, of requests that were genuine."""
_QUESTION_MARK: Final = 0x3F  # as a number: looking for one octet as text takes ten times as long
PLACEMENTS: Final = ("header", "query", "form")


class OAuth1Verifier(InProcess):
    """Verifies requests signed by OAuth 1.0a (RFC 5849), with a token or by the client alone.

    Clients and tokens are records of the store (`store.add_oauth1_client`, `store.add_oauth1_token`). The signature covers
    method, URL and form; any other body is covered by `oauth_body_hash`, and refused without it. Each nonce of a client,
    token and timestamp is accepted once, by any verifier that shares the store.

    Args:
        methods: the signature methods to accept; what the request says never widens them. By default those with SHA-256
            and SHA-512; name "HMAC-SHA1" or "RSA-SHA1" for peers that speak nothing better. A client's own record may
            narrow them.
        placements: where credentials may be (§3.5): "header", and if named too, "query" (they end up in logs) and "form".
        max_age: seconds for which a signed request is good.
        skew: seconds by which the client's clock may be ahead.
        allow_plaintext: accept PLAINTEXT too, over TLS only. It covers nothing of the request, and without a nonce it can be
            replayed.
        allow_unsigned_body: accept bodies that nothing covers: not forms, and without a body hash. Anyone on the way can
            change them.
        allow_sha1_body_hash: accept a SHA-1 body hash under a better method; oauthlib sends no other.

    Raises:
        ConfigurationError: unknown methods or placements, or a lifetime that isn't positive.

    >>> OAuth1Verifier(methods=("HMAC-SHA256", "HMAC-SHA1"))
    OAuth1Verifier(methods=['HMAC-SHA1', 'HMAC-SHA256'], placements=['header'])
    """

    scheme: str = "oauth1"
    described: str = (
        "OAuth 1.0a (RFC 5849): a signature over the request. Made anew for each request, which Swagger UI can't do."
    )
    single_use: bool = True
    ambient: bool = False
    rank: int = 16
    kinds: Sequence[type] = (OAuth1Client, OAuth1Token, Spent)
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None

    def __init__(
        self,
        *,
        methods: Sequence[str] = STRONG,
        placements: Sequence[str] = ("header",),
        max_age: float = 300,
        skew: float = 30,
        allow_plaintext: bool = False,
        allow_unsigned_body: bool = False,
        allow_sha1_body_hash: bool = False,
    ) -> None:
        self.methods = checked_methods(methods, allow_plaintext=allow_plaintext)
        self.placements = _checked_placements(placements)
        self.freshness = Freshness(max_age, skew)
        self.allow_unsigned_body = allow_unsigned_body
        self.allow_sha1_body_hash = allow_sha1_body_hash
        self.single_use = not allow_plaintext
        self.addresses: Sequence[Address] = _addresses(self.placements)
        self._in_header, self._in_query, self._in_form = (name in self.placements for name in PLACEMENTS)
        self._prepared: Bounded[tuple[str, str], Callable[[bytes, bytes], None]] = Bounded(MAX_PREPARED)
        self._origins = Origins(MAX_ORIGINS)

    def __repr__(self) -> str:
        return f"OAuth1Verifier(methods={sorted(self.methods)}, placements={list(self.placements)})"

    def read(self, request: Request) -> OAuth1Claim | None:
        """The protocol parameters, checked; None where the request is not addressed to OAuth 1.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, AMBIGUOUS for credentials in two places (§3.5), WRONG_ALGORITHM for a method that
                isn't accepted, MALFORMED_REQUEST, TARGET_REFUSED, TARGET_NOT_EXACT.
        """
        authorization = kind = None
        for name, value in request.headers:
            if name == b"authorization":
                authorization = value
            elif name == b"content-type":
                kind = value
        form = kind is not None and is_form(request)
        query = form_pairs(request.target.partition(b"?")[2], "query") if _QUESTION_MARK in request.target else []
        presented = None
        if authorization is not None and self._in_header and authorization[:5].lower() == b"oauth":
            own, place = [], "header"
            given = plain_header(authorization)
            if given is not None:
                presented = plainly_presented(given, self.methods)
                own = list(given.items())
            if presented is None:
                own, presented = self._presented(header_pairs(authorization), field=True)
            refuse_second_place(query, "query")
        elif self._in_query and any(name == "oauth_signature" for name, _ in query):
            own, place = [], "query"
            query, presented = self._presented(query, field=False)
        elif authorization is None and form and self._in_form:
            own, place = [], "form"
            refuse_second_place(query, "query")
        else:
            return None
        uri = self._origins.uri(request)
        if not request.exact:
            check_exact(request)
        return OAuth1Claim(self, request, uri, query, own, place, form, presented)

    def _presented(self, pairs: Pairs, *, field: bool) -> tuple[Pairs, PresentedCredentials]:
        """What of `pairs` is signed, and the protocol parameters among them."""
        if field:
            _refuse_foreign(pairs)
        return without_signature(pairs), read_presented(pairs, self.methods)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """`OAuth` and the realm, no more; 400 for what is malformed, 401 for the rest (§3.2)."""
        reason = rejection.reason
        status = 400 if reason is Reason.MALFORMED_CREDENTIALS else reason.status
        return Refusal(status, [Challenge("OAuth")])

    # ---- for claims ----

    def proven(self, request: Request, uri: str) -> None:
        """Remembers the origin of a request that proved genuine, so that it need not be normalised again."""
        self._origins.learn(request, uri)

    def check_rsa(self, method: Method, pem: str, data: bytes, signature: bytes) -> None:
        """Verifies with the key in `pem`, which is kept prepared once it has verified something.

        What is refused costs the same whether the key was kept or not, so the clock tells nobody who has signed before.

        Raises:
            Rejected: WRONG_SIGNATURE; WRONG_ALGORITHM where the key is too short for the method, or is none.
        """
        kept = self._prepared.get((method.algorithm, pem))
        if kept is not None:
            try:
                return kept(data, signature)
            except Rejected:
                load_rsa(method, pem)
                raise
        try:
            verify = load_rsa(method, pem).verifier
        except ConfigurationError:  # it was registered for another method, or comes from a table of the application's
            raise Rejected(
                Reason.WRONG_ALGORITHM, "the client's public key is not for this", where="oauth_signature_method"
            ) from None
        verify(data, signature)
        self._prepared.put((method.algorithm, pem), verify)
        return None


def _refuse_foreign(pairs: Pairs) -> None:
    """Refuses other parameters than the protocol's in the field. They would be signed like those of the query (§3.4.1.3.1), so
    that whoever moves one there takes it away from the application. "xoauth_" begins those of its old extensions.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    for name, _ in pairs:
        if name[:6] != "oauth_" and name[:7] != "xoauth_":
            raise malformed("a parameter that is not the protocol's")


def _checked_placements(placements: Sequence[str]) -> tuple[str, ...]:
    if isinstance(placements, str) or not placements or not set(placements) <= set(PLACEMENTS):
        raise ConfigurationError(f"placements is a list of some of {', '.join(PLACEMENTS)}: placements=('header',)")
    return tuple(name for name in PLACEMENTS if name in placements)


def _addresses(placements: Sequence[str]) -> Sequence[Address]:
    places = {
        "header": Address(word="oauth"),
        "query": Address.in_query(b"oauth_signature"),
        "form": Address(b"content-type"),
    }
    return tuple(places[name] for name in placements)
