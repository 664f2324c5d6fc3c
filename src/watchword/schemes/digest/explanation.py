"""Why Digest credentials were refused: every parameter against what a genuine client would have sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.schemes.explaining.accounts import fields_at_hand, unknown
from watchword.schemes.explaining.search import Asked, look_for, unexplained
from watchword.schemes.explaining.received import Received
from watchword.schemes.explaining.value_spellings import respelled
from watchword.core.records import Found
from watchword.core.rejection import Rejected
from watchword.core.scheme import Body, Check
from watchword.schemes.digest.computation import ALGORITHMS, DigestSecret
from watchword.schemes.digest.credentials import check_uri
from watchword.schemes.digest.description import described
from watchword.schemes.digest.nonces import NONCE_KEY, NonceState
from watchword.schemes.digest.server import DigestClaim
from watchword.schemes.digest.request_memory import KnownClaim

__all__ = ["EXPLAINERS", "explain_digest"]

_PASSWORD = (
    "no usual mistake of the computation explains it: compare what A1 (username, realm and password) and A2 are made of with the client's; "
    "the stored hash may be of another one of them"
)


def explain_digest(claim: DigestClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """The masked A1 and the A2 that this request has, and every check in the order in which they decide."""
    return _canonical(claim, found, body), list(_checks(claim, found, body, now))


def _checks(claim: DigestClaim, found: Found, body: Body, now: float) -> Iterator[Check]:
    presented, verifier = claim.presented, claim.verifier
    yield Check("format", True, "authorization", "parameters by RFC 7616 §3.4", "as expected")
    realm = presented.realm.decode("utf-8", "backslashreplace")
    yield _same("realm", verifier.realm, realm, "answer a challenge of this server: realms belong to servers")
    offered = ", ".join(verifier.algorithms)
    yield Check(
        "algorithm", claim.algorithm is not None, "authorization algorithm", offered, presented.algorithm,
        "" if claim.algorithm else "answer one of the challenges, or offer this one: DigestVerifier(algorithms=[…])",
    )  # fmt: skip
    yield _qop(claim)
    opaque = verifier.terms.opaque
    if opaque is not None and presented.opaque is not None:  # to leave it out is not held against a client
        yield _same("opaque", opaque, presented.opaque, "give back what the challenge said")
    yield _uri(claim, found, body)
    yield _nonce(claim, found, now)
    counted = bool(presented.nc) or claim.is_legacy()
    yield Check("nc", counted, "authorization nc", "8 hexadecimal digits", presented.nc or "none",
                "" if counted else "count the requests made with this nonce")  # fmt: skip
    yield from _proof(claim, found, body)


def _same(name: str, expected: str, received: str, mend: str) -> Check:
    passed = expected == received
    return Check(name, passed, f"authorization {name}", expected, received, "" if passed else mend)


def _qop(claim: DigestClaim) -> Check:
    qop, offered = claim.presented.qop, claim.verifier.terms.qop
    passed = qop in offered or (not qop and claim.is_legacy())
    mend = f"send qop={' or '.join(offered)} with nc and cnonce" + ("" if qop else "; RFC 2069's form is not accepted")
    return Check("qop", passed, "authorization qop", " or ".join(offered), qop or "none", "" if passed else mend)


def _uri(claim: DigestClaim, found: Found, body: Body) -> Check:
    expected = claim.request.target.decode("utf-8", "backslashreplace")
    received = claim.presented.uri.decode("utf-8", "backslashreplace")
    try:
        check_uri(claim.presented.uri, claim.request)
    except Rejected as rejected:
        record = (
            None if claim.algorithm is None or received == expected else found.get(claim.ref(claim.username(found)))
        )
        if record is not None and claim.prove(record.ha1.encode(), found, claim.body_hash(body)) is not None:
            # The client did sign this uri, so the target is what was changed.
            part = "@query" if claim.presented.uri.partition(b"?")[0] == claim.request.path else "@path"
            mend = (
                f"{rejected.rejection.detail}: something rewrote the target on the way, have it pass on as it is sent"
            )
            return Check("uri", False, part, received, expected, mend)
        mend = (
            f"{rejected.rejection.detail}: sign the target exactly as it is sent, and look for a proxy that rewrites it"
        )
        return Check("uri", False, "authorization uri", expected, received, mend)
    return Check("uri", True, "authorization uri", expected, received)


def _nonce(claim: DigestClaim, found: Found, now: float) -> Check:
    verifier, where = claim.verifier, "authorization nonce"
    expected = f"made by this server less than {verifier.nonce_lifetime:g} s ago"
    if claim.algorithm is None:
        return Check("nonce", None, where, expected, mend="nonces belong to an algorithm, and this one is not offered")
    reading = verifier.read_nonce(found.get(NONCE_KEY), claim.algorithm, claim.presented.nonce, now)
    if reading.state is NonceState.FOREIGN:
        mend = "answer a fresh challenge; workers share nonces if they share a store"
        for what, other in respelled(claim.presented.nonce):
            if verifier.read_nonce(found.get(NONCE_KEY), claim.algorithm, other, now).state is not NonceState.FOREIGN:
                mend = f"it came {what}: give it back exactly as the challenge has it"
                break
        return Check("nonce", False, where, expected, "not signed by this server for this realm and algorithm", mend)
    age = f"made {now - reading.made:.0f} s ago"
    if reading.state is NonceState.EXPIRED:
        return Check("nonce", False, where, expected, age, "answer the challenge that says stale=true")
    return Check("nonce", True, where, expected, age)


def _proof(claim: DigestClaim, found: Found, body: Body) -> Iterator[Check]:
    presented, algorithm = claim.presented, claim.algorithm
    received = f"{presented.response[:6]}…"
    if algorithm is None:
        yield Check("user", None, "authorization username", "", repr(presented.username))
        yield Check("response", None, "authorization response", "", received, "there is no secret to compare with")
        return
    username = claim.username(found)
    ref = claim.ref(username)
    record = found.get(ref)
    shown = f"{username!r}, hashed" if presented.hashed else repr(username)
    where, expected = "authorization username", f"a user with {ref.key[0]} in the realm {claim.verifier.realm!r}"
    if record is not None:
        yield Check("user", True, where, expected, shown)
    else:
        known = [key[-1] for key, _ in found.of(DigestSecret) if key[:-1] == ref.key[:-1]]
        add = "add the user with store.add_user(…, realm=…, digest_algorithms=[…])"
        yield unknown("user", where, expected, username, known, add)
        yield Check("response", None, "authorization response", "", received, "there is no secret to compare with")
        return
    yield from _response(claim, found, body, record)


def _response(claim: DigestClaim, found: Found, body: Body, record: DigestSecret) -> Iterator[Check]:
    where, received, expected = "authorization response", f"{claim.presented.response[:6]}…", "the response by H(A1)"
    proof = claim.prove(record.ha1.encode(), found, claim.body_hash(body))
    if proof is None:
        trees = list(described(claim, record, found, body))
        fits = Received(claim.presented.response.encode(), "hex digits")
        advice = "hash what RFC 7616 §3.4 says"
        searched = look_for(
            *(
                Asked(
                    "response",
                    root,
                    fits,
                    claim.request,
                    body.data,
                    (),
                    ("body",),
                    fields_at_hand(claim.request),
                    advice,
                    0,
                    more,
                )
                for root, more in trees
            )
        )
        mend = (
            unexplained(searched, "compare A1 and A2 with the client's, and then the passwords")
            if searched.cut
            else _PASSWORD
        )
        size, sent = claim.algorithm.size if claim.algorithm else 0, len(claim.presented.response)
        if not searched.causes and sent != size:
            names = " or ".join(row.name for row in ALGORITHMS if row.size == sent and not row.session)
            mend = f"compute it with {claim.presented.algorithm or 'MD5'}, as algorithm= says{f'; {names} gives so many' if names else ''}"
            yield Check("response", False, where, f"{size} hexadecimal digits", f"{sent} of them", mend)
            return
        yield from searched.causes or [Check("response", False, where, expected, received, mend)]
        return
    yield Check("response", True, "authorization response", expected, received)
    if claim.start is not None:
        used = "nonce and cnonce of the first request (RFC 7616 §3.4.2)" if proof.by_rfc else "this request's cnonce"
        yield Check(
            "session", True, "authorization cnonce", "A1 with that of the first request, or the current one", used
        )
    if record.disabled:
        mend = "enable the user with `watchword user enable`"
        yield Check("enabled", False, "authorization username", "an enabled user", "a disabled one", mend)


def _canonical(claim: DigestClaim, found: Found, body: Body) -> str:
    presented = claim.presented
    uri = presented.uri.decode("utf-8", "backslashreplace")
    body_hash = claim.body_hash(body)
    username = presented.username if claim.algorithm is None else claim.username(found)
    a1 = f"{username}:{claim.verifier.realm}:(password)"
    if claim.start is not None:
        start = found.get(claim.start)
        cnonce = presented.cnonce.decode("latin-1") if start is None else start.cnonce
        a1 = f"H({a1}):{presented.nonce.decode('latin-1')}:{cnonce}"
    a2 = f"{claim.request.method}:{uri}" + ("" if body_hash is None else f":{body_hash.decode()}")
    return f"A1: {a1}\nA2: {a2}"


def _explain_known(claim: KnownClaim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """As of any other credentials."""
    full = claim.in_full()
    assert isinstance(full, DigestClaim)
    return explain_digest(full, found, body, now)


EXPLAINERS: Final[ClaimExplainers] = {DigestClaim: explain_digest, KnownClaim: _explain_known}
