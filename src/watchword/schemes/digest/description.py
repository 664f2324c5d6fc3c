"""What Digest computes, step by step (RFC 7616 §3.4): for `explain`, which varies it. The server holds H(A1), never the password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from watchword.core.records import Found
from watchword.core.scheme import Body
from watchword.schemes.digest.computation import Algorithm, DigestSecret
from watchword.schemes.digest.server import DigestClaim
from watchword.schemes.explaining.computation import FORMS, Encoding, Hash, Join, Leaf, Node, Of, made
from watchword.schemes.explaining.deviation import Deviation, Make, constant

__all__ = ["described"]

HASHES: Final[Mapping[str, str]] = {"sha-512-256": "sha512_256", "sha-256": "sha256", "md5": "md5"}
_RULE: Final = b":"


def described(
    claim: DigestClaim, record: DigestSecret, found: Found, body: Body
) -> Iterator[tuple[Encoding, Sequence[Deviation]]]:
    """The response, and the deviations that only Digest has; with "-sess" by the first client nonce, and by the current one."""
    presented, algorithm = claim.presented, claim.algorithm
    assert algorithm is not None
    octets = bytes.fromhex(record.ha1)
    others = [
        (f"H(A1) written as {form}, not as hex digits", write(octets))
        for form, write in FORMS.items()
        if form != "hex digits"
    ]
    secret = Leaf("H(A1)", record.ha1.encode(), "key", "authorization response", others=others)
    whose = list(_others(claim, secret, found))
    cnonce = Leaf("the cnonce", presented.cnonce, component="authorization cnonce")
    nonce = Leaf("the nonce", presented.nonce, component="authorization nonce")
    if claim.start is None:
        yield _response(claim, algorithm, secret, secret, nonce, cnonce, body, whose)
        return
    start = found.get(claim.start)
    firsts = (presented.cnonce if start is None else start.cnonce.encode("latin-1"), presented.cnonce)
    for first in dict.fromkeys(firsts):
        of_session = (
            cnonce if first == presented.cnonce else Leaf("the first cnonce", first, component="authorization cnonce")
        )
        a1 = Join("A1 of the session", (secret, nonce, of_session), _RULE, component="authorization algorithm")
        yield _response(
            claim,
            algorithm,
            _hex("H(A1) of the session", algorithm, a1, "authorization algorithm"),
            secret,
            nonce,
            cnonce,
            body,
            whose,
        )


def _hex(name: str, algorithm: Algorithm, of: Node, component: str = "") -> Encoding:
    return Encoding(
        name, "hex digits", Hash(name, HASHES[algorithm.hash], of, component, "authorization algorithm"), component
    )


def _others(claim: DigestClaim, secret: Leaf, found: Found) -> Iterator[Deviation]:
    """H(A1) of other users, realms and algorithms."""
    mine = claim.ref(claim.username(found)).key
    for key, other in found.of(DigestSecret):
        ha1 = constant(other.ha1.encode())
        for name, was, is_ in zip(("algorithm", "realm", "username"), key, mine, strict=True):
            if was != is_:
                mend = f"the {name} {was!r} made the response: send that {name}"
                mend = mend if name != "username" else f"the user {was!r} made the response: send that name"
                yield Deviation(1, secret, "", ha1, was, repr(is_), f"authorization {name}", mend=mend)
                break


def _response(
    claim: DigestClaim,
    algorithm: Algorithm,
    key: Node,
    secret: Leaf,
    nonce: Leaf,
    cnonce: Leaf,
    body: Body,
    whose: Sequence[Deviation],
) -> tuple[Encoding, Sequence[Deviation]]:
    presented = claim.presented
    offered = claim.verifier.terms.qop
    lists = [("the qop of the challenge, all of it", separator.join(offered).encode()) for separator in (",", ", ")]
    lists += [("the qop of both kinds", both) for both in (b"auth,auth-int", b"auth-int,auth", b"auth, auth-int")]
    qop = Leaf("the qop", presented.qop.encode(), component="authorization qop", others=lists)
    whole = _hex("H(body)", algorithm, Leaf("the body", body.data, "body", "body", lambda _, signed: signed), "body")
    short, long = _a2(claim, None), _a2(claim, whole)
    own = long if claim.body_hash(body) is not None else short
    a2 = _hex("H(A2)", algorithm, own, "A2")
    nc = Leaf("nc", presented.nc.encode(), "number", "authorization nc")
    parts = (key, nonce, nc, cnonce, qop, a2) if presented.qop else (key, nonce, a2)
    joined = Join(
        "H(A1), the nonce and H(A2)" if not presented.qop else "H(A1), nonce, nc, cnonce, qop and H(A2)",
        parts,
        _RULE,
        component="authorization response",
    )
    where = "authorization response"
    return _hex("the response", algorithm, joined, where), [
        *whose,
        *_more(algorithm, joined, own, (short, long), key, secret, nonce, cnonce, qop),
    ]


def _a2(claim: DigestClaim, body_hash: Node | None) -> Join:
    request, presented = claim.request, claim.presented
    absolute = f"{request.scheme}://{request.authority}".encode("utf-8", "replace") + request.target
    uris = [
        ("the request's target", request.target),
        ("its path", request.path),
        ("the absolute URL", absolute),
        ("host and target", request.authority.encode("utf-8", "replace") + request.target),
    ]
    method = Leaf("the method", request.method.encode("utf-8", "replace"), "method", "@method")
    uri = Leaf("the uri", presented.uri, "path", "authorization uri", others=uris)
    return Join("A2", (method, uri) if body_hash is None else (method, uri, body_hash), _RULE, component="A2")


def _more(
    algorithm: Algorithm, joined: Join, own: Join, both: tuple[Join, Join], key: Node, secret: Leaf, nonce: Leaf, cnonce: Leaf, qop: Leaf
) -> Iterator[Deviation]:  # fmt: skip
    """Another qop, and A1 with a session or without."""
    where = "authorization qop"
    for other, text, word in ((both[0], b"auth", "auth"), (both[1], b"auth-int", "auth-int")):
        if qop.value != text and qop.value:
            mend = "hash the qop that is sent, and for auth-int the body with it"
            instead: dict[Node, Make] = {own: _value(other)}
            yield Deviation(1, qop, "", constant(text), qop.value.decode(), word, where, instead, mend)
            yield Deviation(1.1, own, "", instead[own], qop.value.decode(), f"A2 of {word}", where, mend=mend)
    if qop.value:
        mend = "hash nc, cnonce and qop too, as the qop that is sent demands (RFC 7616 §3.4.1)"
        yield Deviation(
            1,
            joined,
            "",
            lambda of: _RULE.join([of(key), of(nonce), of(joined.parts[-1])]),
            qop.value.decode(),
            "none",
            where,
            mend=mend,
        )
    where = "authorization algorithm"
    if algorithm.session:
        mend = "a -sess algorithm hashes nonce and cnonce into A1 (RFC 7616 §3.4.2)"
        yield Deviation(
            1, key, "", lambda of: of(secret), "A1 with a session", "A1 without a session", where, mend=mend
        )
    else:
        bound = _hex("H(A1) of the session", algorithm, Join("A1 of the session", (secret, nonce, cnonce), _RULE))
        mend = "only a -sess algorithm hashes nonce and cnonce into A1"
        yield Deviation(
            1, joined, "", _in_place(joined, bound), "A1 without a session", "A1 with a session", where, mend=mend
        )


def _value(node: Node) -> Make:
    """The value of a node that is no part of the computation, of parts that are."""

    def make(of: Of) -> bytes:
        return made(node, of)

    return make


def _in_place(joined: Join, key: Node) -> Make:
    return lambda of: _RULE.join([made(key, of), *map(of, joined.parts[1:])])
