"""What was presented, and the verdict on it (RFC 5849 §3.2)."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Sequence
from typing import Any, Final, Protocol

from watchword.core.identity import Identity
from watchword.core.message import Request
from watchword.core.records import Found, Once, Ref
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import UNUSED, WHOLE, Body, BodyNeed, Decision, Digests, More, Random, malformed
from watchword.crypto.digests import compare, new
from watchword.schemes.freshness import Freshness, check_end
from watchword.schemes.oauth1.credentials import (
    Method, OAuth1Client, OAuth1Token, PresentedCredentials, read_presented, signing_key, without_signature,
)  # fmt: skip
from watchword.schemes.oauth1.encoding import Pairs, base_string, form_pairs

__all__ = ["OAuth1Claim", "Policy", "fault_of", "hash_of", "refuse_second_place"]

QUICK: Final = 16 * 1024
"""Octets of a form that take less than a millisecond to normalise."""


class Policy(Protocol):
    """What a claim asks its verifier, `OAuth1Verifier`."""

    methods: frozenset[str]
    freshness: Freshness
    allow_unsigned_body: bool
    allow_sha1_body_hash: bool

    def proven(self, request: Request, uri: str) -> None: ...
    def check_rsa(self, method: Method, pem: str, data: bytes, signature: bytes) -> None: ...


def refuse_second_place(pairs: Pairs, where: str) -> None:
    """Refuses protocol parameters where there are others already: they go into one place only (§3.5).

    Raises:
        Rejected: AMBIGUOUS.
    """
    for name, _ in pairs:
        if name[:6] == "oauth_":
            raise Rejected(Reason.AMBIGUOUS, f"{name} in a second place", where=where)


class OAuth1Claim:
    """A signed request, not yet verified."""

    __slots__ = ("body", "covered", "form", "needs", "own", "place", "presented", "query", "request", "uri", "verifier")

    def __init__(
        self, verifier: Policy, request: Request, uri: str, query: Pairs, own: Pairs, place: str, form: bool,
        presented: PresentedCredentials | None,
    ) -> None:  # fmt: skip
        self.verifier = verifier
        self.request = request
        self.uri = uri
        self.query = query
        self.own = own
        self.place = place
        self.form = form
        self.presented = presented
        self.needs: Sequence[Ref[Any]] = ()
        self.body: BodyNeed | Digests = WHOLE
        self.covered = own + query if place == "header" else query
        if presented is not None:
            if form or presented.method.kind == "plaintext":
                check_admissible(presented, self)
            self.needs = references(presented)
            self.body = self._body_need(presented)

    @property
    def tentative(self) -> bool:
        """Whether credentials were only looked for: a form may be one without them."""
        return self.place == "form"

    def slow(self, found: Found) -> bool:
        """A long form takes its time to normalise; everything else is quick."""
        if not self.form:
            return False
        length = next((value for name, value in self.request.headers if name == b"content-length"), b"")
        return not (length.isdigit() and len(length) < 10 and int(length) <= QUICK)

    def _body_need(self, presented: PresentedCredentials) -> BodyNeed | Digests:
        if self.form:
            return WHOLE
        if presented.method.kind == "plaintext":
            return UNUSED
        if presented.body_hash:
            return Digests((hash_of(self.verifier, presented),), new)
        return UNUSED if self.verifier.allow_unsigned_body else WHOLE

    # ---- what is signed ----

    def pairs(self, body: bytes) -> Pairs:
        """All parameters that the signature covers (§3.4.1.3.1).

        Raises:
            Rejected: AMBIGUOUS, protocol parameters in the form as well; MALFORMED_REQUEST, too many parameters.
        """
        if not self.form:
            return self.covered
        form = form_pairs(body, "body")
        if self.place == "form":
            return self.covered + without_signature(form)
        refuse_second_place(form, "body")
        return self.covered + form

    def canonical(self, body: bytes) -> bytes:
        """The base string of this request."""
        return base_string(self.request.method, self.uri, self.pairs(body))

    def presented_in(self, body: bytes) -> PresentedCredentials:
        """The protocol parameters, which may be in the form.

        Raises:
            Rejected: NO_CREDENTIALS for a form without them; as `read_presented`, `check_admissible`.
        """
        if self.presented is not None:
            return self.presented
        pairs = form_pairs(body, "body")
        if all(name != "oauth_signature" for name, _ in pairs):
            raise Rejected(Reason.NO_CREDENTIALS, "a form without an oauth_signature", where="body")
        presented = read_presented(pairs, self.verifier.methods)
        check_admissible(presented, self)
        return presented

    # ---- the verdict ----

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        """Signature, then body, then time: what is said about a time or a body is said of a genuine request."""
        presented = self.presented or self.presented_in(body.data)
        refs = self.needs
        if self.presented is None:
            refs = references(presented)
            if not any(map(found.sought, refs)):
                return More(refs)
        client = found.get(refs[0])
        token = found.get(refs[1]) if len(refs) > 1 else None
        self.check_signature(presented, client, token, body.data)
        assert client is not None
        self.verifier.proven(self.request, self.uri)
        self._check_body(presented, body)
        if presented.timestamp:
            self.verifier.freshness.check(presented.timestamp, now, "oauth_timestamp")
        if token is not None and token.expires is not None:
            check_end(token.expires, now, "oauth_token")
        return Decision(_identity(presented, client, token), self._once(presented))

    def check_signature(
        self, presented: PresentedCredentials, client: OAuth1Client | None, token: OAuth1Token | None, body: bytes
    ) -> None:
        """That the client, and the token's secret, signed this request. Whoever isn't known costs the same.

        Raises:
            Rejected: UNKNOWN_KEY, WRONG_ALGORITHM, WRONG_SIGNATURE.
        """
        method = presented.method
        fault = fault_of(presented, client, token)
        who = NOBODY if client is None or fault is not None else client
        try:
            if method.kind == "rsa":
                data = self.canonical(body)
                self.verifier.check_rsa(method, who.public_key, data, presented.octets)
            else:
                key = signing_key(who.secret, "" if token is None else token.secret)
                expected = key
                if method.kind == "hmac":
                    expected = b2a_base64(method.mac(key, self.canonical(body)), newline=False)
                else:
                    self.pairs(body)  # what is in two places, is refused here too
                if not compare(expected, presented.signature.encode("latin-1")):
                    detail = "it is of another request or another secret"
                    raise Rejected(Reason.WRONG_SIGNATURE, detail, where="oauth_signature")
        except Rejected:
            if fault is not None:
                raise fault from None
            raise
        if fault is not None:
            raise fault

    def _check_body(self, presented: PresentedCredentials, body: Body) -> None:
        if self.form or presented.method.kind == "plaintext":
            return
        if presented.body_hash:
            actual = b2a_base64(body.digest(hash_of(self.verifier, presented)), newline=False)
            if not compare(actual, presented.body_hash.encode("latin-1")):
                raise Rejected(Reason.WRONG_BODY, "the body is not the one that was signed", where="body")
        elif body.data:  # not read where it need not be covered
            raise Rejected(
                Reason.NOT_COVERED, "a body that is no form, and no oauth_body_hash covers it", where="oauth_body_hash"
            )

    def _once(self, presented: PresentedCredentials) -> Sequence[Once]:
        """Once per client, token and timestamp (§3.3), for as long as any verifier of the store may accept it."""
        if not presented.timestamp:
            return ()
        key = ("oauth1", presented.client_key, presented.token, str(presented.timestamp), presented.nonce)
        return (Once(key, presented.timestamp + self.verifier.freshness.retention),)


def references(presented: PresentedCredentials) -> Sequence[Ref[Any]]:
    """The records that a verdict needs."""
    client = Ref(OAuth1Client, (presented.client_key,))
    return (client, Ref(OAuth1Token, (presented.token,))) if presented.token else (client,)


def hash_of(verifier: Policy, presented: PresentedCredentials) -> str:
    """The hash of the body: that of the signature method, or SHA-1 where it is allowed and its length says so."""
    if verifier.allow_sha1_body_hash and len(presented.body_hash) == 28:
        return "sha-1"
    return presented.method.hash


def check_admissible(presented: PresentedCredentials, claim: OAuth1Claim) -> None:
    """That these parameters go with this request.

    Raises:
        Rejected: MALFORMED_CREDENTIALS, WRONG_ALGORITHM.
    """
    if claim.form and presented.body_hash:
        raise malformed("a form is covered by the signature and has no body hash", "oauth_body_hash")
    if presented.method.kind == "plaintext" and claim.request.scheme not in ("https", "wss"):
        raise Rejected(Reason.WRONG_ALGORITHM, "PLAINTEXT over cleartext (§3.4.4)", where="oauth_signature_method")


def fault_of(
    presented: PresentedCredentials, client: OAuth1Client | None, token: OAuth1Token | None
) -> Rejected | None:
    """Why these records can't prove the request, whatever its signature."""
    method = presented.method
    if client is None:
        return Rejected(Reason.UNKNOWN_KEY, "no such client", where="oauth_consumer_key")
    if presented.token and (token is None or token.client_key != presented.client_key):
        return Rejected(Reason.UNKNOWN_KEY, "no such token of this client", where="oauth_token")
    secret = client.public_key if method.kind == "rsa" else client.secret
    if not secret or (client.methods and method.name not in client.methods):
        return Rejected(Reason.WRONG_ALGORITHM, "not a method of this client", where="oauth_signature_method")
    if token is not None and not token.secret and method.kind != "rsa":
        return Rejected(Reason.WRONG_ALGORITHM, "a token without a secret is for RSA", where="oauth_token")
    return None


def _identity(presented: PresentedCredentials, client: OAuth1Client, token: OAuth1Token | None) -> Identity[Any]:
    if token is None:
        return Identity(client.subject, "oauth1", presented.client_key, frozenset(client.scopes))
    claims = {"oauth_token": presented.token}
    return Identity(token.subject, "oauth1", presented.client_key, frozenset(token.scopes), claims)


# Secrets that nobody has: the secret is no client's, and of the key pair nobody kept the private half.
NOBODY: Final = OAuth1Client(
    "",
    "a stand-in for a secret that nobody has",
    """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvqpuofBLHGSnlbIObBAj
s6SlmGwfF0mwAD37UxB9D/QhD4tlrdpU8JaiLNJOt8uBkxyDNQmaKoNVa2EfPv9V
0TVAMFSdFzEvug02SollEgR3Ght61gT8EWdfoSgBWDFaVlJz5eN442/hbwWn8WGy
7v+ahcrV/oRJFpNdQmA7UVt27QHrBPRgIFNZjR579eyVggTUBXyiLMsHZql0w6Q/
gJqph+8EIT3jjiS6F20qx6z4XuY0kgjp+aLsh3UNXJ/lOzrIdU+KWBQd39ccrHr7
fnvbeKmlFT9DvuAxJ4oluqfb7S0rhK+Kl18DK40hD7qd+TuCraEH69m4k2qSavdC
6QIDAQAB
-----END PUBLIC KEY-----
""",
)
