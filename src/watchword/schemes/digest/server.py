"""The server half of Digest (RFC 7616): `DigestVerifier` judges, and proves in the answer that it knows the password."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from watchword.core.identity import Identity
from watchword.structures.in_process import InProcess
from watchword.core.message import Headers, Request, Response
from watchword.core.records import Found, Once, Put, Ref, Spent, Write
from watchword.core.rejection import Reason, Rejected, Rejection
from watchword.core.scheme import (
    UNUSED, Address, Body, BodyNeed, Decision, Digests, More, Random, Refusal, Seal, malformed,
)  # fmt: skip
from watchword.crypto.digests import compare, new, subject_key
from watchword.fields.auth_params import parse_credentials
from watchword.fields.target import check_target
from watchword.schemes.digest.assurance import Proof, authentication_info
from watchword.schemes.digest.computation import (
    Algorithm, DigestSecret, UserHash, algorithm_named, checked_algorithms, hash_a1, hash_a2, legacy_response, normal, octets_hash,
    response, session_key,
)  # fmt: skip
from watchword.schemes.digest.credentials import (
    PresentedCredentials, Terms, check_uri, checked_domain, checked_qop, quotable_octets, quoted, read_credentials, written,
)  # fmt: skip
from watchword.schemes.digest.nonces import (
    NONCE_KEY, SKEW, FirstCnonce, NonceKey, NonceState, Reading, make_nonce, mark_owner, read_nonce,
)  # fmt: skip
from watchword.schemes.digest.request_memory import KnownClaim, RequestMemory
from watchword.schemes.freshness import Freshness

__all__ = ["DigestClaim", "DigestVerifier", "Proof"]

_ONLY_THE_NONCE: Final = frozenset({Reason.STALE_NONCE, Reason.REPLAYED, Reason.UNKNOWN_NONCE})


class DigestVerifier(InProcess):
    """Verifies Digest credentials against `DigestSecret` records (`store.add_user(…, realm=…, digest_algorithms=…)`).

    Each (nonce, nc) is accepted once of each user, in any order, by any worker that shares the store; some clients begin to count at 0,
    which is one count like any other. What is malformed gets 401 and
    a fresh challenge (RFC 7616 §3.4 asks for some 4xx); a `uri` that isn't the request's gets 400 (§3.4.6). Every
    answer to genuine credentials has Authentication-Info (§3.5): `rspauth`, which only who knows the password can make,
    and, in the last quarter of a nonce's life, `nextnonce`, so that a busy client is never challenged again.

    `stale=true` tells the client to try again without asking its user. It is said if and only if the digest was right
    for the nonce that was sent (§3.3): the nonce has expired, was used with this nc before, or isn't ours, as after the
    key was lost with a `MemoryStore`. Of a nonce that somebody made up, that tells them no more than a nonce of ours
    would: whether a digest is right.

    With a "-sess" algorithm the secret takes in the first client nonce, which is kept as a record for the nonce's life;
    clients that take in the current one instead, against §3.4.2, are accepted as well. No `nextnonce` is given then.

    Args:
        realm: what the user is asked to log in to; no control characters.
        algorithms: among "SHA-512-256", "SHA-256", "MD5" and their "-sess" variants; each is offered in a challenge of
            its own, the strongest first. Some clients break off at a first challenge with SHA-512-256 (httpx, httpx2)
            or compute it wrongly (curl of 2023 and before).
        qop: "auth", "auth-int" (the body is covered, so it is read before the application sees it, and the answer is
            held back until its body is complete) or both; the client chooses.
        nonce_lifetime: seconds for which a nonce is good.
        userhash: clients may send a hash instead of the username (§3.4.4), which hides it from who reads along;
            `add_user` writes the record by which it is found.
        domain: URIs for which the client may use the same credentials (§3.3): paths, or absolute for other origins.
            By default all of this origin.
        opaque: given to the client, who gives it back; no digest covers it.
        allow_legacy_rfc2069: accept responses without qop, as clients of before 1999 send: they cover neither a count
            nor a client nonce. Each is accepted once per nonce; a repeated request is challenged anew.

    Raises:
        ConfigurationError: one of these is something else, or this host can't compute an algorithm (MD5 under FIPS).

    >>> DigestVerifier(realm="orders", algorithms=["MD5", "SHA-256"])
    DigestVerifier(realm='orders', algorithms=['SHA-256', 'MD5'])
    """

    scheme: str = "digest"
    described: str = "HTTP Digest (RFC 7616). Swagger UI can't compute it; a browser asks for the password by itself."
    single_use: bool = True
    ambient: bool = True
    rank: int = 20
    addresses: Sequence[Address] = (Address(word="digest"),)
    always_needed: Sequence[Ref[Any]] = (NONCE_KEY,)
    guessable: bool = True
    unnamed: str = "MD5"

    __slots__ = (
        "algorithms",
        "allow_legacy_rfc2069",
        "committed_together",
        "freshness",
        "kinds",
        "memory",
        "nonce_lifetime",
        "realm",
        "realm_octets",
        "terms",
    )

    def __init__(
        self,
        *,
        realm: str,
        algorithms: Sequence[str] = ("SHA-256",),
        qop: Sequence[str] = ("auth",),
        nonce_lifetime: float = 300,
        userhash: bool = False,
        domain: Sequence[str] = (),
        opaque: str | None = None,
        allow_legacy_rfc2069: bool = False,
    ) -> None:
        self.freshness = Freshness(nonce_lifetime, SKEW, "nonce_lifetime")
        self.realm_octets = quotable_octets("a realm", realm)
        self.realm = realm
        self.algorithms = {row.name: row for row in checked_algorithms(algorithms)}
        self.nonce_lifetime = nonce_lifetime
        self.allow_legacy_rfc2069 = allow_legacy_rfc2069
        if opaque is not None:
            quotable_octets("opaque", opaque)
        self.terms = Terms(realm, checked_qop(qop), checked_domain(domain), opaque, userhash)
        self.memory = RequestMemory(self)
        sessions = (FirstCnonce,) if any(row.session for row in self.algorithms.values()) else ()
        self.kinds: Sequence[type] = (DigestSecret, NonceKey, Spent, *((UserHash,) if userhash else ()), *sessions)
        self.committed_together: Sequence[type] = (Spent, *sessions)

    def __repr__(self) -> str:
        return f"DigestVerifier(realm={self.realm!r}, algorithms={list(self.algorithms)!r})"

    def read(self, request: Request) -> DigestClaim | KnownClaim:
        """The parameters, checked against the grammar (RFC 7616 §3.4).

        Raises:
            Rejected: MALFORMED_CREDENTIALS, TARGET_REFUSED.
        """
        return self.memory.read_known(request.lines[b"authorization"], request) or self.read_in_full(request)

    def read_in_full(self, request: Request) -> DigestClaim:
        """As `read`, whatever is remembered."""
        presented = read_credentials(parse_credentials(request.values(b"authorization")[0]).params, self.unnamed)
        if presented.hashed and not self.terms.userhash:
            raise malformed("a hashed username, which was not offered", "authorization userhash")
        check_target(request)
        return DigestClaim(presented, request, self)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """A fresh challenge for each algorithm, with `stale=true` where only the nonce was at fault."""
        status = rejection.reason.status
        if status != 401:
            return Refusal(status)
        key = found.get(NONCE_KEY)
        writes: list[Put] = []
        if key is None:  # the first worker of all; if another one is faster, the guard asks again with that one's key
            key = NonceKey(random(32))
            writes.append(Put(NONCE_KEY, key, if_version=0))
        stale = rejection.genuine and rejection.reason in _ONLY_THE_NONCE
        challenges = [
            written(self.terms, row, self.make_nonce(key, row, now, random), stale) for row in self.algorithms.values()
        ]
        return Refusal(status, challenges, (), writes)

    def make_nonce(self, key: NonceKey, algorithm: Algorithm, now: float, random: Random) -> str:
        """A nonce for one challenge. A subclass may spell it otherwise, if its `read_nonce` reads that."""
        return make_nonce(key, self.realm, algorithm.name, now, random(12))

    def read_nonce(self, key: NonceKey | None, algorithm: Algorithm, nonce: bytes, now: float) -> Reading:
        """What a nonce is that was sent."""
        return read_nonce(key, self.realm, algorithm.name, nonce, now, self.freshness)


class DigestClaim:
    """Digest credentials, not yet verified."""

    __slots__ = ("algorithm", "body", "needs", "owner", "presented", "request", "start", "verifier")

    flight: None = None

    def __init__(self, presented: PresentedCredentials, request: Request, verifier: DigestVerifier) -> None:
        self.presented = presented
        self.request = request
        self.verifier = verifier
        row = algorithm_named(presented.algorithm)
        self.algorithm = algorithm = None if row is None else verifier.algorithms.get(row.name)
        self.body: BodyNeed | Digests = UNUSED
        self.start: Ref[FirstCnonce] | None = None
        self.needs: Sequence[Ref[Any]] = ()
        if algorithm is None:
            return
        self.owner: Ref[Any] = self.alias() if presented.hashed else self.ref(presented.username)
        if algorithm.session:
            self.start = Ref(FirstCnonce, (presented.nonce.decode("latin-1"),))
            self.needs = (self.owner, self.start)
        else:
            self.needs = (self.owner,)
        if presented.qop == "auth-int" and "auth-int" in verifier.terms.qop:
            self.body = Digests((algorithm.hash,), new)

    def __repr__(self) -> str:
        return f"DigestClaim(username={self.presented.username!r})"

    @property
    def guesses(self) -> str:
        """Whom it asks for, known or not."""
        return subject_key(self.presented.username)

    @property
    def claimed(self) -> str | None:
        """The username that was sent; None if only its hash was (RFC 7616 §3.4.4)."""
        return None if self.presented.hashed else self.presented.username

    def ref(self, username: str) -> Ref[DigestSecret]:
        """Where the secret is. The realm is ours, never the client's."""
        assert self.algorithm is not None
        return Ref(DigestSecret, (self.algorithm.base, self.verifier.realm, username))

    def alias(self) -> Ref[UserHash]:
        """Where the name is of which the hash was sent."""
        assert self.algorithm is not None
        return Ref(UserHash, (self.algorithm.base, self.verifier.realm, self.presented.username))

    def username(self, found: Found) -> str:
        """The name itself; of an unknown hash, the hash."""
        if not self.presented.hashed:
            return self.presented.username
        alias = found.get(self.alias())
        return self.presented.username if alias is None else alias.username

    def slow(self, found: Found) -> bool:
        """Never: a few hashes."""
        return False

    def misplaced_secrets(self, found: Found) -> list[bytes]:
        """The username, if it is the password of one of the users that were found: name and password are exchanged. For `explain`."""
        name, algorithm = self.presented.username, self.algorithm
        if algorithm is None or self.presented.hashed:
            return []
        realm, password = self.verifier.realm, normal(name).encode("utf-8", "surrogatepass")
        for key, record in found.of(DigestSecret):
            a1 = hash_a1(algorithm, key[2].encode("utf-8", "surrogatepass"), realm.encode(), password)
            if key[:2] == (algorithm.base, realm) and compare(a1, record.ha1.encode()):
                return [password]
        return []

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        """Whose challenge and which request it is about, then the proof, then the nonce's age.

        Raises:
            Rejected: as its parts; `genuine` if the digest was right for the nonce that was sent.
        """
        presented, verifier = self.presented, self.verifier
        algorithm = self._checked()
        username, ref = presented.username, self.owner
        if presented.hashed:
            username = self.username(found)
            ref = self.ref(username)
            if not found.sought(ref):
                return More((ref,))  # an unknown hash costs the same second look
        record: DigestSecret | None = found.get(ref)
        nonce = verifier.read_nonce(found.get(NONCE_KEY), algorithm, presented.nonce, now)
        # An unknown user costs the same hashes and the same comparison.
        proof = self.prove(_NOBODY if record is None else record.ha1.encode(), found, self.body_hash(body))
        self._judge(record, proof, nonce, now)
        assert record is not None, "else _judge has raised"
        assert proof is not None, "likewise"
        until = nonce.made + verifier.nonce_lifetime
        key = found.get(NONCE_KEY)
        assert key is not None, "else the nonce would be foreign"
        subject = username if record.subject is None else record.subject
        return Decision(
            Identity(subject, "digest", scopes=frozenset(record.scopes)),
            self._writes(found, nonce.made, until, mark_owner(key.key, record.ha1.encode())),
            seal=self._seal(proof, found, until),
            learn=partial(verifier.memory.learn, self, key.key, nonce.made, until),
        )

    def _seal(self, proof: Proof, found: Found, until: float) -> Seal | None:
        """RFC 2069 has no form for a server's proof."""
        qop = self.presented.qop
        return Seal(qop == "auth-int", partial(self._authentication_info, proof, found, until)) if qop else None

    def _authentication_info(
        self, proof: Proof, found: Found, until: float, answer: Response, body: bytes | None, now: float, random: Random
    ) -> Headers:
        """Authentication-Info: the server's own proof, made when the answer goes out."""
        presented, verifier, algorithm = self.presented, self.verifier, self.algorithm
        assert algorithm is not None
        body_hash = octets_hash(algorithm, body or b"") if presented.qop == "auth-int" else None
        rspauth = self.expected(proof.ha1, hash_a2(algorithm, b"", presented.uri, body_hash))
        said = b"cnonce=%b, nc=%b, qop=%b" % (quoted(presented.cnonce), presented.nc.encode(), presented.qop.encode())
        return authentication_info(verifier, algorithm, rspauth, said, found, until, now, random)

    def _checked(self) -> Algorithm:
        """The algorithm, where the credentials answer a challenge of ours for this request."""
        presented, verifier, algorithm = self.presented, self.verifier, self.algorithm
        if presented.realm != verifier.realm_octets:
            raise Rejected(Reason.WRONG_REALM, "credentials for another realm", where="authorization realm")
        if algorithm is None:
            raise Rejected(Reason.WRONG_ALGORITHM, "an algorithm that is not offered", where="authorization algorithm")
        if presented.qop not in verifier.terms.qop and (presented.qop or not self.is_legacy()):
            # Without qop (RFC 2069) a response covers neither nc nor cnonce; RFC 7616 §3.3 has it used by all.
            detail = f"qop={' or '.join(verifier.terms.qop)} is demanded"
            raise Rejected(Reason.MALFORMED_CREDENTIALS, detail, where="authorization qop")
        if verifier.terms.opaque is not None and presented.opaque not in (None, verifier.terms.opaque):
            raise Rejected(Reason.MALFORMED_CREDENTIALS, "not what the challenge said", where="authorization opaque")
        check_uri(presented.uri, self.request)
        return algorithm

    def is_legacy(self) -> bool:
        """Whether RFC 2069's form would be accepted: it knows no "-sess", and one without a body's hash only."""
        return (
            self.verifier.allow_legacy_rfc2069
            and "auth" in self.verifier.terms.qop
            and self.algorithm is not None
            and not self.algorithm.session
        )

    def body_hash(self, body: Body) -> bytes | None:
        """The body's hash, hexadecimal, if the response has to cover it."""
        return body.digest(self.body.algorithms[0]).hex().encode() if isinstance(self.body, Digests) else None

    def prove(self, ha1: bytes, found: Found, body_hash: bytes | None) -> Proof | None:
        """How whoever knows `ha1` made the response; None if it was made otherwise.

        With "-sess" the first client nonce counts (RFC 7616 §3.4.2), and the current one for clients that err.
        """
        presented, algorithm = self.presented, self.algorithm
        assert algorithm is not None
        a2 = hash_a2(algorithm, self.request.method.encode("utf-8", "replace"), presented.uri, body_hash)
        given = presented.response.encode()
        if self.start is None:
            return Proof(ha1, True) if compare(self.expected(ha1, a2), given) else None
        start = found.get(self.start)
        by_rfc = None if start is None else start.cnonce.encode("latin-1")
        for cnonce in dict.fromkeys((by_rfc, presented.cnonce)):
            if cnonce is not None:
                key = session_key(algorithm, ha1, presented.nonce, cnonce)
                if compare(self.expected(key, a2), given):
                    return Proof(key, cnonce == by_rfc or by_rfc is None)
        return None

    def expected(self, ha1: bytes, a2: bytes) -> bytes:
        """The response for these hashes and the parameters that were sent."""
        presented, algorithm = self.presented, self.algorithm
        assert algorithm is not None
        if not presented.qop:
            return legacy_response(algorithm, ha1, presented.nonce, a2)
        return response(
            algorithm, ha1, presented.nonce, presented.nc.encode(), presented.cnonce, presented.qop.encode(), a2
        )

    def _judge(self, record: DigestSecret | None, proof: Proof | None, nonce: Reading, now: float) -> None:
        # Of a disabled user nothing is proven: stale=true, or an attempt given back, would tell that the digest fits.
        proven = proof is not None and record is not None and not record.disabled
        if nonce.state is NonceState.FOREIGN:
            detail = "a nonce that this server did not make for this realm and algorithm"
            raise Rejected(Reason.UNKNOWN_NONCE, detail, where="authorization nonce", genuine=proven)
        if record is None:
            raise Rejected(Reason.UNKNOWN_SUBJECT, "no such user", where="authorization username")
        if proof is not None and not proven:
            raise Rejected(Reason.DISABLED, "the user is disabled", where="authorization username")
        if not proven:
            covered = "method, uri or body" if isinstance(self.body, Digests) else "method or uri"
            detail = f"the response is of another password, {covered}"
            raise Rejected(Reason.WRONG_SECRET, detail, where="authorization response")
        if nonce.state is NonceState.EXPIRED:
            detail = f"made {now - nonce.made:.0f} s ago"
            raise Rejected(Reason.STALE_NONCE, detail, where="authorization nonce", genuine=True)

    def _writes(self, found: Found, made: float, until: float, owner: str) -> Sequence[Write]:
        """Each count is used up; without one (RFC 2069), the response itself is."""
        presented = self.presented
        mark = ("digest", presented.nonce.decode(), presented.nc.lower() or presented.response)
        once = Once(mark, made + self.verifier.freshness.retention, owner)
        if self.start is None or found.get(self.start) is not None:
            return (once,)
        first = FirstCnonce(presented.cnonce.decode("latin-1"))
        # Twice as long as the nonce lives: later, stale=true has to be told from a wrong password.
        return (once, Put(self.start, first, if_version=0, until=until + self.verifier.nonce_lifetime))


_NOBODY: Final = b"0" * 64
"""A hash that no password has been found for; as long as a real one."""
