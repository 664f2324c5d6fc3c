"""Why an OAuth 1 request was refused: its computation (`description`), varied until it gives the signature that came."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.records import Found
from watchword.core.rejection import Rejected
from watchword.core.scheme import Body, Check
from watchword.crypto.digests import compare, digest
from watchword.schemes.diagnosis import clock_check
from watchword.schemes.explaining.accounts import aside, body_check, body_digest, current, signature_check, unknown
from watchword.schemes.explaining.computation import Leaf
from watchword.schemes.explaining.search import DEAR, Asked, Fit
from watchword.schemes.explaining.received import Received
from watchword.schemes.oauth1.claim import OAuth1Claim, hash_of, references
from watchword.schemes.oauth1.credentials import (
    METHODS, Method, OAuth1Client, OAuth1Token, PresentedCredentials, load_rsa, signing_key,
)  # fmt: skip
from watchword.schemes.oauth1.description import HASHES, described
from watchword.schemes.oauth1.encoding import Pairs, base_string, escape, octets_text

__all__ = ["EXPLAINERS", "explain_oauth1"]

PARTS = ("@method", "@scheme", "@authority", "@path", "@query")
MAX_OTHERS = 64
"""Other clients that are tried, of those that were found."""


Fits = Callable[[bytes], bool]
_ADVICE: Final = "sign as RFC 5849 §3.4 says"
_COMPARE: Final = (
    "compare the base string with the client's (OAuth1Auth.canonical), piece by piece, and then the secrets"
)


class _Case:
    """A claim with the records that it names."""

    def __init__(self, claim: OAuth1Claim, presented: PresentedCredentials, found: Found, body: bytes) -> None:
        self.claim = claim
        self.presented = presented
        self.body = body
        refs = references(presented)
        self.client: OAuth1Client | None = found.get(refs[0])
        self.token: OAuth1Token | None = found.get(refs[1]) if len(refs) > 1 else None
        name = presented.client_key
        self.others = [(key[0], other) for key, other in found.of(OAuth1Client) if key[0] != name][:MAX_OTHERS]
        self.tokens = [(key[0], other) for key, other in found.of(OAuth1Token) if key[0] != presented.token]

    @property
    def token_secret(self) -> str:
        return "" if self.token is None else self.token.secret

    def pairs(self) -> Pairs:
        """All that the signature covers, in this request."""
        return self.claim.pairs(self.body)

    def base(self, pairs: Pairs) -> bytes:
        """The base string with other parameters."""
        return base_string(self.claim.request.method, self.claim.uri, pairs)

    def by(self, client: OAuth1Client, token_secret: str, method: Method | None = None) -> Fits:
        """Whether the presented signature is this client's, of some base string."""
        method = method or self.presented.method
        if method.kind == "rsa":
            return self._by_rsa(method, client.public_key)
        key, signature, mac = (
            signing_key(client.secret, token_secret),
            self.presented.signature.encode("latin-1"),
            method.mac,
        )
        if method.kind == "plaintext":
            return lambda _: compare(key, signature)
        return lambda data: compare(b2a_base64(mac(key, data), newline=False), signature)

    def _by_rsa(self, method: Method, pem: str) -> Fits:
        try:
            verify, signature = load_rsa(method, pem).verifier, self.presented.octets
        except ValueError:  # no key, or one for another method
            return lambda _: False

        def fits(data: bytes) -> bool:
            try:
                verify(data, signature)
            except Rejected:
                return False
            return True

        return fits


def explain_oauth1(claim: OAuth1Claim, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
    """The base string that this request has, and every check."""
    try:
        presented = claim.presented_in(body.data)
        case = _Case(claim, presented, found, body.data)
        canonical = claim.canonical(body.data).decode()
    except Rejected as rejected:
        return "", (_unreadable(rejected),)
    checks = [_client(case), _method(case), *_token(case), *_signature(case), _covered(case, body)]
    if presented.timestamp:
        verifier = claim.verifier
        checks.append(clock_check("oauth_timestamp", presented.timestamp, now, verifier.freshness))
    if case.token is not None:
        renew = "have the owner authorize the client anew"
        checks.append(current("token time", "oauth_token", case.token.expires, now, renew))
    return "" if presented.method.kind == "plaintext" else canonical, checks


def _unreadable(rejected: Rejected) -> Check:
    """The one check of what has no base string."""
    rejection = rejected.rejection
    mend = "send the protocol parameters once, in one place (RFC 5849 §3.2, §3.5)"
    return Check("parameters", False, rejection.where, "protocol parameters in one place", rejection.detail, mend)


def _client(case: _Case) -> Check:
    name, where = case.presented.client_key, "oauth_consumer_key"
    if case.client is not None:
        return Check("client", True, where, "a registered client", name)
    for key, other in case.others:
        if case.by(other, case.token_secret)(case.base(case.pairs())):
            mend = f"the client {key!r} made the signature{aside(key, name)}: send that key"
            return Check("client", False, where, key, name, mend)
        if case.by(other, case.token_secret)(case.base(_replaced(case.pairs(), where, key))):
            return Check("client", False, where, key, name, f"the key was changed on the way: it was signed as {key!r}")
    token = case.presented.token
    if name in [each for each, _ in case.tokens] or token in [key for key, _ in case.others]:
        mend = "oauth_consumer_key and oauth_token are exchanged, or one of them stands in both places: send each in its own"
        return Check("client", False, where, "a registered client", "a token" if token != name else name, mend)
    register = "register the client with store.add_oauth1_client, or send the key that was registered"
    return unknown(
        "client",
        where,
        "a registered client",
        name,
        [key for key, _ in case.others],
        register,
        [other for _, other in case.others],
    )


def _method(case: _Case) -> Check:
    client, method, where = case.client, case.presented.method, "oauth_signature_method"
    if client is None:
        return Check("method", None, where, "", method.name, "the client is unknown")
    possible = sorted(
        name
        for name in case.claim.verifier.methods
        if (client.public_key if METHODS[name].kind == "rsa" else client.secret)
        and (not client.methods or name in client.methods)
    )
    passed = method.name in possible
    mend = f"sign with one of these, or register the client for {method.name}"
    return Check("method", passed, where, ", ".join(possible) or "none", method.name, "" if passed else mend)


def _token(case: _Case) -> Iterator[Check]:
    presented, where = case.presented, "oauth_token"
    if not presented.token:
        return
    expected = f"a token of the client {presented.client_key!r}"
    if case.token is None:
        renew = "the token was removed, or is another server's: have the owner authorize the client anew"
        yield unknown(
            "token",
            where,
            expected,
            presented.token,
            [name for name, _ in case.tokens],
            renew,
            [other for _, other in case.tokens],
        )
    elif case.token.client_key != presented.client_key:
        mend = f"this token was issued to {case.token.client_key!r}, and nobody else may use it"
        yield Check("token", False, where, expected, f"one of {case.token.client_key!r}", mend)
    elif not case.token.secret and presented.method.kind != "rsa":
        yield Check("token", False, where, "a token with a secret", "one without", "issue the token with a secret")
    else:
        yield Check("token", True, where, expected, presented.token)


def _signature(case: _Case) -> Sequence[Check]:
    where, received = "oauth_signature", f"{case.presented.signature[:6]}…"
    if case.presented.method.kind == "plaintext":
        received = "the secrets"
    if case.client is None:
        return [Check("signature", None, where, "", received, "the client is unknown")]
    if case.presented.token and case.token is None:
        return [Check("signature", None, where, "", received, "the token is unknown")]
    fits = case.by(case.client, case.token_secret)
    if fits(case.claim.canonical(case.body)):
        return [Check("signature", True, where, "the signature of this request", received)]
    compare_what = "check both secrets" if case.presented.method.kind == "plaintext" else _COMPARE
    asked = _asked(case, case.client, fits)
    return signature_check("signature", where, "the signature of this request", received, [asked], compare_what)


def _asked(case: _Case, client: OAuth1Client, by_client: Fits) -> Asked:
    claim, presented, secrets = case.claim, case.presented, (client.secret, case.token_secret)
    tree = described(claim, presented, case.body, secrets, case.others, case.tokens[:MAX_OTHERS], _hash_text(case))
    signature = presented.signature.encode("latin-1")
    fits: Fit = Received(signature, "base64")
    root, price = tree.signature or tree.base, 0
    if presented.method.kind == "rsa":
        fits, price = (lambda base: "" if by_client(base) else None), DEAR
    elif presented.method.kind == "plaintext":
        root, fits = tree.key, Received(signature, "raw octets")
    query = claim.request.query
    pool = [
        Leaf("the body", case.body, "body"), Leaf("the query with its ?", b"?" + (query or b"")),
        Leaf("the target", claim.request.target), Leaf("the Authorization field's realm", b""),
    ]  # fmt: skip
    parts = (*PARTS, "body") if claim.form else PARTS
    pool = pool[: 3 if query else 1]
    return Asked(
        "signature", root, fits, claim.request, case.body, (b"content-type",), parts, pool, _ADVICE, price, tree.more
    )


def _hash_text(case: _Case) -> bytes:
    """The body's hash as oauth_body_hash has it."""
    if not case.presented.body_hash:
        return b""
    return b2a_base64(digest(hash_of(case.claim.verifier, case.presented), case.body), newline=False)


def _covered(case: _Case, body: Body) -> Check:
    presented, verifier, where = case.presented, case.claim.verifier, "body"
    if case.claim.form or presented.method.kind == "plaintext":
        return Check("body", True, where, "covered as a form" if case.claim.form else "not covered", "as expected")
    if not presented.body_hash:
        bare = not body.data
        mend = (
            ""
            if bare
            else "send oauth_body_hash (OAuth1Auth does), or accept such bodies with allow_unsigned_body=True"
        )
        received = "none" if bare else f"{len(body.data)} octets that nothing covers"
        return Check("body", bare, "oauth_body_hash", "a body hash for a body that is no form", received, mend)
    name, signed = hash_of(verifier, presented), presented.body_hash
    advice = "hash the body with the hash of the signature method, or accept SHA-1 with allow_sha1_body_hash=True"
    root = body_digest("the body hash", HASHES[name], "base64", body.data, where, "oauth_body_hash")
    return body_check(case.claim.request, body.data, signed.encode("latin-1"), root, name, advice)


def _replaced(pairs: Pairs, name: str, text: str) -> Pairs:
    value = escape(octets_text(text)) if "%" not in text else text
    return [(each, value if each == name else old) for each, old in pairs]


EXPLAINERS: Final[ClaimExplainers] = {OAuth1Claim: explain_oauth1}
