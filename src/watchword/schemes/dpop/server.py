"""The server half: `DPoPVerifier`, for access tokens that are bound to a key (RFC 9449 §7).

The token is judged first, by the verifier that knows its issuer. Only where it is genuine, and bound to the key that the proof
carries, is the proof's signature looked at: nobody can have signatures checked by a key of his own making.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from watchword.core.address import Address
from watchword.core.answer import Challenge
from watchword.core.identity import Identity
from watchword.core.message import Headers, Request
from watchword.core.records import Found, Once, Put, Ref, Spent
from watchword.core.rejection import ConfigurationError, Reason, Rejected, Rejection
from watchword.core.scheme import UNUSED, Body, BodyNeed, Decision, More, Random, Refusal
from watchword.crypto.digests import compare, digest
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import Key
from watchword.fields.target import check_target
from watchword.schemes.bearer import peek_issuer
from watchword.schemes.digest.nonces import NonceKey, Reading, make_nonce, read_nonce
from watchword.schemes.dpop.checks import Facts, checks_of
from watchword.schemes.dpop.proof import (
    PROOF_ALGORITHMS, PresentedProof, key_in, read_proof,
)  # fmt: skip
from watchword.schemes.freshness import Freshness
from watchword.schemes.jwt import JWTClaim, JWTVerifier
from watchword.schemes.mark_owners import owner_of_key
from watchword.schemes.token_places import InAuthorization
from watchword.structures.bounded import Bounded
from watchword.structures.in_process import InProcess

__all__ = ["DPoPClaim", "DPoPVerifier"]

PLACE: Final = InAuthorization("DPoP")
FIELD: Final = b"dpop"
NONCE_KEY: Final = Ref(NonceKey, ("dpop",))
NONCES: Final = "DPoP"
"""The name under which these nonces are made, beside the algorithms of Digest."""
MAX_HEAD: Final = 2048
"""Octets of the longest header that is remembered; one with an RSA key of 4096 bits has about 1,000."""
MAX_KEYS: Final = 1024
"""How many clients' keys are remembered, so that they are not parsed anew; the oldest goes first."""
RENEWAL: Final = 0.25
"""The last part of a nonce's life, in which each answer brings the next one (RFC 9449 §8.2)."""
_OF_THE_NONCE: Final = frozenset({Reason.UNKNOWN_NONCE, Reason.STALE_NONCE})


class Prover(NamedTuple):
    """The holder of a key: the key, its thumbprint as a token names it, and whose marks its proofs leave."""

    key: Key
    thumbprint: str
    owner: str


class DPoPVerifier(InProcess):
    """Verifies DPoP-bound access tokens: `Authorization: DPoP <token>`, and a proof of the key in the field `DPoP`.

    A proof is accepted once. It covers the method and the URL without its query, nothing of fields or body. A token that is
    bound to a key is refused where it comes as a bearer token, by every verifier of ours (RFC 9449 §7.2).

    Args:
        tokens: judges the access token as such: `OAuth2Verifier(keys, issuer=…, audience=…)` for RFC 9068, or a `JWTVerifier`.
            The same one may stand in the guard by itself, for tokens that are not bound.
        algorithms: with which clients may sign proofs; None: all asymmetric ones.
        max_age: seconds for which a proof is good after it was made.
        skew: seconds by which a client's clock may be ahead.
        nonces: demand a nonce of this server's in each proof (RFC 9449 §9), so that none is made in advance; `max_age` is then
            the life of a nonce, and the clock of the client doesn't count.

    Raises:
        ConfigurationError: an argument of the wrong kind.

    >>> from watchword import Guard, Key, OAuth2Verifier
    >>> from watchword.stores import MemoryStore
    >>> tokens = OAuth2Verifier(Key.generate("ES256"), issuer="https://id.example", audience="orders")
    >>> guard = Guard([tokens, DPoPVerifier(tokens)], MemoryStore())
    """

    scheme: str = "dpop"
    rank: int = 9
    single_use: bool = True
    ambient: bool = False
    addresses: Sequence[Address] = (PLACE.address,)
    realm: str | None = None

    def __init__(
        self,
        tokens: JWTVerifier[Any],
        *,
        algorithms: Sequence[str] | None = None,
        max_age: float = 60,
        skew: float = 5,
        nonces: bool = False,
    ) -> None:
        if not isinstance(tokens, JWTVerifier):
            raise ConfigurationError(
                "DPoPVerifier(tokens) takes what verifies the access tokens: OAuth2Verifier(keys, issuer=…, audience=…)"
            )
        if isinstance(algorithms, str) or not set(algorithms or PROOF_ALGORITHMS) <= set(PROOF_ALGORITHMS):
            raise ConfigurationError(f"algorithms= is a list of some of {', '.join(PROOF_ALGORITHMS)}")
        if type(nonces) is not bool:
            raise ConfigurationError("nonces= is True or False")
        self.tokens = tokens
        self.algorithms: Sequence[str] = tuple(algorithms or PROOF_ALGORITHMS)
        self.freshness = Freshness(max_age, skew)
        self.nonces = nonces
        kinds = (Spent, *tokens.kinds, *((NonceKey,) if nonces else ()))
        self.kinds: Sequence[type] = tuple(dict.fromkeys(kinds))
        self.always_needed: Sequence[Ref[Any]] = (NONCE_KEY,) if nonces else ()
        self.routes: Collection[str] | None = tokens.routes
        self._provers: Bounded[bytes, Prover] = Bounded(MAX_KEYS)

    def read(self, request: Request) -> DPoPClaim | None:
        """The token and its proof.

        Raises:
            Rejected: MALFORMED_REQUEST: no token by its grammar. BINDING_MISSING: no proof. As `check_target` and `read_proof`.
        """
        token = PLACE.read(request)
        if token is None:
            return None
        check_target(request)  # a proof covers the URL
        proofs = request.values(FIELD)
        if len(proofs) > 1:
            raise Rejected(Reason.MALFORMED_CREDENTIALS, "more than one proof (RFC 9449 §4.3)", where="dpop")
        if not proofs:
            raise Rejected(Reason.BINDING_MISSING, "the token comes without a proof of its key", where="dpop")
        return DPoPClaim(self, token, read_proof(proofs[0]), request)

    def route(self, request: Request) -> str | None:
        """The issuer that the token names, unverified, for routing only."""
        token = PLACE.read(request)
        return None if token is None else peek_issuer(token)

    def prover_of(self, proof: PresentedProof) -> Prover:
        """Whose key a proof carries; read once for each client that was admitted.

        Raises:
            Rejected: as `key_in`.
        """
        known = self._provers.get(proof.head)
        if known is not None:
            return known
        key = key_in(proof.header, self.algorithms)
        return Prover(key, key.thumbprint(), owner_of_key(key))

    def remember(self, proof: PresentedProof, prover: Prover) -> None:
        """Keeps the key of an admitted request, unless its header is as long as no key of ours makes it."""
        if len(proof.head) <= MAX_HEAD:
            self._provers.put(proof.head, prover)

    def reading(self, proof: PresentedProof, found: Found, now: float) -> Reading:
        """What the nonce of a proof is to this server."""
        return read_nonce(found.get(NONCE_KEY), "", NONCES, proof.text("nonce").encode(), now, self.freshness)

    def renewed(self, made: float, found: Found, now: float) -> Headers:
        """The next nonce, for the answer to a request whose own ends soon."""
        key, life = found.get(NONCE_KEY), self.freshness.max_age
        assert life is not None
        if key is None or now < made + (1 - RENEWAL) * life:
            return ()
        return ((b"dpop-nonce", _nonce_at(key, now).encode()),)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """The challenge of RFC 9449 §7.1, with the algorithms for proofs; and a nonce, where this server demands them (§9)."""
        reason, of_the_proof = rejection.reason, rejection.where.startswith("dpop")
        algorithms = ("algs", " ".join(self.algorithms))
        headers: Headers = ()
        writes: list[Put] = []
        status = 401 if of_the_proof and reason.status == 400 else reason.status
        if self.nonces and status == 401:
            key = found.get(NONCE_KEY)
            if key is None:  # if another worker is faster, the guard asks again with that one's key
                key = NonceKey(random(32))
                writes.append(Put(NONCE_KEY, key, if_version=0))
            headers = ((b"dpop-nonce", _nonce_at(key, now).encode()),)
        if reason in (Reason.NO_CREDENTIALS, Reason.UNSUPPORTED_SCHEME):
            return Refusal(401, (Challenge("DPoP", (algorithms,)),), headers, writes)
        if reason is Reason.INSUFFICIENT_SCOPE:
            scopes = (("scope", " ".join(rejection.scopes)),) if rejection.scopes else ()
            return Refusal(403, (Challenge("DPoP", (("error", "insufficient_scope"), *scopes, algorithms)),))
        if reason in _OF_THE_NONCE:
            error: str | None = "use_dpop_nonce"
        elif of_the_proof or reason is Reason.REPLAYED:
            error = "invalid_dpop_proof" if status == 401 else None
        else:
            error = {400: "invalid_request", 401: "invalid_token"}.get(status)
        challenges = () if error is None else (Challenge("DPoP", (("error", error), algorithms)),)
        return Refusal(status, challenges, headers, writes)

    def __repr__(self) -> str:
        return f"DPoPVerifier({self.tokens!r})"


def _nonce_at(key: NonceKey, now: float) -> str:
    """The nonce of this millisecond. Verifiers of several issuers in one guard give the same, so that an answer has one."""
    return make_nonce(key, "", NONCES, now, bytes(12))


class DPoPClaim:
    """A bound token and a proof, as presented. For the token it is the proof of a key (`core.scheme.Proof`)."""

    __slots__ = ("_prover", "proof", "request", "token", "verifier")

    methods: Collection[str] = frozenset({"jkt"})
    body: BodyNeed = UNUSED

    def __init__(self, verifier: DPoPVerifier, token: bytes, proof: PresentedProof, request: Request) -> None:
        self.verifier = verifier
        self.proof = proof
        self.request = request
        self.token = JWTClaim(verifier.tokens, token, (self,))
        self._prover: Prover | None = None

    def __repr__(self) -> str:
        return "DPoPClaim(token=***)"

    @property
    def needs(self) -> Sequence[Ref[Any]]:
        """Those of the token."""
        return self.token.needs

    @property
    def rules(self) -> DPoPVerifier:
        """The verifier, by which the proof is checked."""
        return self.verifier

    @property
    def access_token(self) -> bytes:
        """The token's octets."""
        return self.token.token

    @property
    def key(self) -> Key:
        """The key that the proof carries.

        Raises:
            Rejected: as `key_in`.
        """
        return self.prover.key

    @property
    def prover(self) -> Prover:
        """Whose key that is.

        Raises:
            Rejected: as `key_in`.
        """
        if self._prover is None:
            self._prover = self.verifier.prover_of(self.proof)
        return self._prover

    def slow(self, found: Found) -> bool:
        """Never: two signatures."""
        return False

    def confirm(self, cnf: Mapping[str, object], token: bytes) -> None:
        """The token is bound to the key that the proof carries (RFC 9449 §6.1).

        Raises:
            Rejected: BINDING_MISMATCH; or as `key_in`.
        """
        bound_to = cnf.get("jkt")
        if not isinstance(bound_to, str) or not compare(
            bound_to.encode("utf-8", "replace"), self.prover.thumbprint.encode()
        ):
            raise Rejected(
                Reason.BINDING_MISMATCH, "the token is bound to another key than the proof's", where="cnf jkt"
            )

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        """The token and its binding, then the proof: all steps of RFC 9449 §4.3.

        Raises:
            Rejected: what the token's verifier says, or the first step that fails.
        """
        judged = self.token.decide(found, body, now, random)
        if isinstance(judged, More):
            return judged
        facts = Facts(self, found, now)
        for each in checks_of(self.verifier):
            each.check(facts)
        proof, verifier, who = self.proof, self.verifier, judged.identity
        made = verifier.reading(proof, found, now).made if verifier.nonces else proof.made()
        name = b64url_encode(digest("sha-256", proof.text("jti").encode())[:16]).decode()
        mark = Once(("dpop", name), made + verifier.freshness.retention, self.prover.owner)
        return Decision(
            Identity(who.subject, verifier.scheme, who.key_id, who.scopes, who.claims, who.rotated),
            (*judged.writes, mark),
            verifier.renewed(made, found, now) if verifier.nonces else (),
            notes=judged.notes,
            learn=partial(verifier.remember, proof, self.prover),
        )
