"""Why an OAuth 1 request was refused: tries what usually goes wrong until the signature fits, and so names the component.

In order: the request on its way, the base string as clients get it wrong, the secrets in another spelling, another method,
another client. Each takes some thousand signatures at most.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Final

from watchword.schemes.explaining.program import ClaimExplainers
from watchword.core.message import Request
from watchword.core.records import Found
from watchword.core.rejection import Rejected
from watchword.core.scheme import Body, Check
from watchword.crypto.digests import compare, digest
from watchword.schemes.diagnosis import (
    affordable, causes, clock_check, damaged, near, request_guesses, search, secret_guesses, time_guesses,
)  # fmt: skip
from watchword.schemes.oauth1 import likely_errors
from watchword.schemes.oauth1.claim import OAuth1Claim, hash_of, references
from watchword.schemes.oauth1.credentials import (
    METHODS, Method, OAuth1Client, OAuth1Token, PresentedCredentials, load_rsa, signing_key, without_signature,
)  # fmt: skip
from watchword.schemes.oauth1.encoding import Pairs, base_string, base_uri, escape, form_pairs, is_form, octets_text

__all__ = ["EXPLAINERS", "explain_oauth1"]

PARTS = ("@method", "@scheme", "@authority", "@path", "@query")
MAX_OTHERS = 64
"""Other clients that are tried, of those that were found."""

Fits = Callable[[bytes], bool]
Cause = tuple[str, str, str, str]  # component, expected, received, mend
_COMPARE = (
    "none of the usual changes explains it: compare the base string with the client's (OAuth1Auth.canonical), piece by "
    "piece, and then the secrets"
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

    def base_of(self, request: Request, body: bytes) -> bytes:
        """The base string of another request with these credentials.

        Raises:
            Rejected: it has none.
        """
        pairs = [*self.claim.own] if self.claim.place == "header" else []
        pairs += form_pairs(request.query or b"", "query")
        if self.claim.form and is_form(request):
            pairs += form_pairs(body, "body")
        return base_string(request.method, base_uri(request), without_signature(pairs))

    def by(self, client: OAuth1Client, token_secret: str, method: Method | None = None) -> Fits:
        """Whether the presented signature is this client's, of some base string."""
        method = method or self.presented.method
        if method.kind == "rsa":
            return self._by_rsa(method, client.public_key)
        return self.by_key(signing_key(client.secret, token_secret), method)

    def by_key(self, key: bytes, method: Method) -> Fits:
        signature, mac = self.presented.signature.encode("latin-1"), method.mac
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
        checks.append(_current(case.token, now))
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
            return Check("client", False, where, key, name, f"the client {key!r} made the signature: send that key")
        if case.by(other, case.token_secret)(case.base(_replaced(case.pairs(), where, key))):
            return Check("client", False, where, key, name, f"the key was changed on the way: it was signed as {key!r}")
    meant = near(name, [key for key, _ in case.others])
    mend = f"did the client mean {meant!r}? If not, " if meant else ""
    mend += "register the client with store.add_oauth1_client, or send the key that was registered"
    return Check("client", False, where, meant or "a registered client", name, mend)


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
        meant = near(presented.token, [name for name, _ in case.tokens])
        mend = f"did the client mean {meant!r}? If not, " if meant else ""
        mend += "the token was removed, or is another server's: have the owner authorize the client anew"
        yield Check("token", False, where, meant or expected, presented.token, mend)
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
    if case.presented.method.kind != "plaintext":
        guess = search(
            case.claim.request, case.body, lambda request, body: _fits(case, fits, request, body),
            headers=(b"content-type",), parts=(*PARTS, "body") if case.claim.form else PARTS,
        )  # fmt: skip
        if guess is not None:
            return causes("signature", guess)
    ways = (_on_the_way(case, fits), _of_base(case, fits), _of_secrets(case), _of_others(case), _moved(case, fits))
    cause = next(chain(*ways), None)
    if cause is not None:
        return [Check("signature", False, *cause)]
    return [Check("signature", False, where, "the signature of this request", received, _damage(case))]


def _damage(case: _Case) -> str:
    method, client = case.presented.method, case.client
    if method.kind == "hmac" and client is not None:
        key = signing_key(client.secret, case.token_secret)
        genuine = b2a_base64(method.mac(key, case.claim.canonical(case.body)), newline=False).decode()
        if damage := damaged(genuine, case.presented.signature):
            return f"{damage}: send it as it was made"
    return "check both secrets" if method.kind == "plaintext" else _COMPARE


def _fits(case: _Case, fits: Fits, request: Request, body: bytes) -> bool:
    try:
        return fits(case.base_of(request, body))
    except Rejected:
        return False


def _on_the_way(case: _Case, fits: Fits) -> Iterator[Cause]:
    """A protocol parameter that was changed, added or lost."""
    pairs, presented = case.pairs(), case.presented
    for name, method in METHODS.items():
        if method.kind == presented.method.kind and name != presented.method.name and case.client is not None:
            changed = case.base(_replaced(pairs, "oauth_signature_method", name))
            if case.by(case.client, case.token_secret, method)(changed):
                mend = f"the method was changed on the way: it was signed with {name}"
                yield "oauth_signature_method", name, presented.method.name, mend
    for name, value in pairs:
        if name[:6] == "oauth_" and fits(case.base([pair for pair in pairs if pair[0] != name])):
            yield name, "nothing", value, f"{name} was added after signing: sign all parameters that are sent"
    for name, value in (
        ("oauth_version", "1.0"),
        ("oauth_token", ""),
        ("oauth_verifier", ""),
        ("oauth_callback", "oob"),
    ):
        if all(name != other for other, _ in pairs) and fits(case.base([*pairs, (name, value)])):
            yield name, value or "an empty value", "nothing", f"{name} was signed: send it too"
    if presented.body_hash:
        actual = escape(b2a_base64(digest(hash_of(case.claim.verifier, presented), case.body), newline=False).decode())
        if fits(case.base(_replaced(pairs, "oauth_body_hash", actual))):
            mend = "the hash was changed on the way: the body is as it was signed"
            yield "oauth_body_hash", actual, presented.body_hash, mend


def _of_base(case: _Case, fits: Fits) -> Iterator[Cause]:
    for mistake in likely_errors.base_strings(case.claim, case.body):
        if fits(mistake.base):
            yield mistake.component, mistake.expected, mistake.received, mistake.mend


def _of_secrets(case: _Case) -> Iterator[Cause]:
    """The secrets in another spelling, or another hash."""
    client, method, token_secret = case.client, case.presented.method, case.token_secret
    if client is None or method.kind == "rsa":
        return
    base = case.claim.canonical(case.body)
    for name, other in METHODS.items():
        if other.kind == "hmac" and name != method.name and case.by(client, token_secret, other)(base):
            mend = f"the client signs with {name}: have it sign with the method that it names"
            yield "oauth_signature_method", method.name, name, mend
    for what, key in likely_errors.keys(client.secret, token_secret):
        if case.by_key(key, method)(base):
            yield "key", "client secret & token secret", what, f"the client signs with {what}: see RFC 5849 §3.4.2"
    for whose, secret in (("client", client.secret), ("token", token_secret)):
        for what, octets in secret_guesses(octets_text(secret).encode("latin-1")) if secret else ():
            text = escape(octets.decode("latin-1"))
            fixed = escape(octets_text(token_secret if whose == "client" else client.secret))
            key = f"{text}&{fixed}".encode() if whose == "client" else f"{fixed}&{text}".encode()
            if case.by_key(key, method)(base):
                mend = f"the client signs with the {whose} secret {what}: have both sides read it alike"
                yield f"{whose} secret", "the registered secret", f"the secret {what}", mend


def _of_others(case: _Case) -> Iterator[Cause]:
    """The secret of another client or token, or its name."""
    client, name, base = case.client, case.presented.client_key, case.claim.canonical(case.body)
    if client is None:
        return
    for key, other in case.others:
        fits = case.by(other, case.token_secret)
        if fits(base):
            mend = f"the client signs with the secret of {key!r}: give it that of {name!r}"
            yield "client secret", f"the secret of {name!r}", f"the secret of {key!r}", mend
        if fits(case.base(_replaced(case.pairs(), "oauth_consumer_key", key))):
            yield "oauth_consumer_key", key, name, f"the key was changed on the way: it was signed as {key!r}"
    for token, record in case.tokens[:MAX_OTHERS]:
        fits = case.by(client, record.secret)
        if fits(base):
            mend = f"the client signs with the secret of the token {token!r}: secrets go with their tokens"
            yield "token secret", f"the secret of {case.presented.token!r}", f"the secret of {token!r}", mend
        if case.presented.token and fits(case.base(_replaced(case.pairs(), "oauth_token", token))):
            yield "oauth_token", token, case.presented.token, f"the token was changed: it was signed as {token!r}"


def _moved(case: _Case, fits: Fits) -> Iterator[Cause]:
    if case.presented.method.kind != "hmac":
        return
    signed, pairs = str(case.presented.timestamp), case.pairs()
    most = affordable(case.claim.request, case.body if case.claim.form else b"")
    for time in map(str, islice(time_guesses(case.presented.timestamp), most)):
        if fits(case.base(_replaced(pairs, "oauth_timestamp", time))):
            yield "oauth_timestamp", time, signed, "the time was changed after signing: sign anew for every request"


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
    actual = b2a_base64(body.digest(name), newline=False).decode()
    shown = f"{name} {actual} of {len(body.data)} octets"
    if compare(actual.encode(), signed.encode()):
        return Check("body", True, where, f"{name} {signed}", shown)
    for other in ("sha-1", "sha-256", "sha-512"):
        if other != name and b2a_base64(digest(other, body.data), newline=False).decode() == signed:
            mend = f"the hash is {other}: use that of the signature method"
            if other == "sha-1":
                mend += ", or accept it with allow_sha1_body_hash=True"
            return Check("body", False, "oauth_body_hash", f"a {name} hash", f"a {other} hash", mend)
    for guess in request_guesses(case.claim.request, body.data, parts=("body",)):
        if b2a_base64(digest(name, guess.body), newline=False).decode() == signed:
            return Check("body", False, where, guess.expected, guess.received, guess.mend)
    mend = "the body changed after it was signed: sign exactly the octets that are sent"
    return Check("body", False, where, f"{name} {signed}", shown, mend)


def _current(token: OAuth1Token, now: float) -> Check:
    if token.expires is None:
        return Check("token time", True, "oauth_token", "a token without an end", "as expected")
    ended = now >= token.expires
    mend = "have the owner authorize the client anew" if ended else ""
    return Check(
        "token time", not ended, "oauth_token", f"good until {token.expires:.0f}", f"judged at {now:.0f}", mend
    )


def _replaced(pairs: Pairs, name: str, text: str) -> Pairs:
    value = escape(octets_text(text)) if "%" not in text else text
    return [(each, value if each == name else old) for each, old in pairs]


EXPLAINERS: Final[ClaimExplainers] = {OAuth1Claim: explain_oauth1}
