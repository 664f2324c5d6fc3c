"""HTTP Message Signatures on requests (RFC 9421): `SignatureAuth` signs, `SignatureVerifier` verifies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from watchword.core.answer import Challenge
from watchword.structures.bounded import Bounded
from watchword.structures.in_process import InProcess
from watchword.core.message import Request
from watchword.core.records import Found, Ref, Spent
from watchword.core.rejection import ConfigurationError, Reason, Rejection
from watchword.core.scheme import Address, Random, Refusal
from watchword.effects import Context, Flow, Received, Send
from watchword.schemes.client_half import ClientHalf
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import Key, KeySet, RegisteredKey, RegisteredPublicKey
from watchword.fields.target import check_exact, check_target
from watchword.schemes.freshness import Freshness
from watchword.schemes.key_source import NO_KEYS, KeySource
from watchword.schemes.key_source import no_keys
from watchword.schemes.signatures.accept import Wanted, accept_signature
from watchword.schemes.signatures.claim import SignatureClaim
from watchword.schemes.signatures.components import components_of
from watchword.schemes.signatures.key_owners import Signers, alias_of
from watchword.schemes.signatures.message import Fields
from watchword.schemes.signatures.policy import DEFAULT_COMPONENTS, SignaturePolicy
from watchword.schemes.signatures.reading import PresentedCredentials, Reader
from watchword.schemes.signatures.settings import Settings
from watchword.schemes.signatures.signing import Demands, Signer, demands_of, own_base

__all__ = ["SignatureAuth", "SignatureVerifier"]

MAX_ORIGINS: Final = 64
"""Origins whose demands are remembered."""
_DEFAULT: Final = SignaturePolicy()
_NO_LABEL: Final = re.compile(r"[^a-z0-9.*-]")  # RFC 9651 §3.1.2
_WANT_DIGEST: Final = (b"want-content-digest", b"sha-256=10, sha-512=10")
# Refusals after which a signature of another kind may do; elsewhere nothing that is asked for would help.
_ANSWERABLE: Final = frozenset({Reason.NO_CREDENTIALS, Reason.NOT_COVERED})


class SignatureAuth(ClientHalf):
    """Signs every request anew, and once more if the server asks for more with Accept-Signature (RFC 9421 §5.2).

    Signatures that the request has already stay; one of the same key and tag is replaced. A Content-Digest that the
    request has is signed as it is, and the body is not read for it.

    Args:
        key: a secret or private key for signatures.
        components: what is covered, exactly; None: method, authority, path, query, and the Content-Digest of a body. A
            digest field among them is made where the request has none.
        tag: what the signature is for (§2.3), None: nothing in particular.
        lifetime: seconds for which it says to be good (`expires`); None: it doesn't say.
        label: the signature's name in the message; None: the first of sig1, sig2, … that is free.
        alg: name the algorithm too. The key implies it, so verifiers need it where a key id names several keys only.
        nonce: add one, so that servers can refuse a replay.
        digest: the digest algorithm, "sha-256" or "sha-512", where the server doesn't want another.
        answer: sign again what an Accept-Signature asks for, and sign so at once from then on. Where that can't be done, since the
            request lacks what is asked for, the refusal is the caller's answer.
        types: structured types ("item", "list", "dictionary") of fields that aren't registered with one, for `;sf`.

    Raises:
        ConfigurationError: a key that can't sign, or an argument that can't be meant.

    >>> SignatureAuth(Key.generate("ed25519", key_id="robot-1"), tag="orders")
    SignatureAuth(key_id='robot-1', algorithm='ed25519', tag='orders')
    """

    def __init__(
        self,
        key: Key,
        *,
        components: Sequence[str] | None = None,
        tag: str | None = None,
        lifetime: float | None = 300,
        label: str | None = None,
        alg: bool = False,
        nonce: bool = True,
        digest: str = "sha-256",
        answer: bool = True,
        types: Mapping[str, str] | None = None,
    ) -> None:
        covered = components_of(DEFAULT_COMPONENTS if components is None else components)
        self._signer = Signer(key, covered, components is None, tag, lifetime, label, alg, nonce, digest, types)
        self._answer = answer
        self._learnt: Bounded[tuple[str, str], Demands] = Bounded(MAX_ORIGINS)

    def __repr__(self) -> str:
        key = self._signer.key
        return f"SignatureAuth(key_id={key.key_id!r}, algorithm={alias_of(key) or key.algorithm!r}, tag={self._signer.tag!r})"

    def flow(self, request: Request, context: Context, /) -> Flow:
        """One Send, signed; a second one if the answer asks for another signature.

        Raises:
            ConfigurationError: the request lacks what is to be covered, or its body can't be read for a digest.
        """
        check_target(request)
        origin = (request.scheme, request.authority)
        learnt = self._learnt.get(origin) if self._learnt else None
        signed = (None if learnt is None else self._answered(request, context, learnt)) or self._signer.sign(
            request, context, None
        )
        received: Received = yield Send(signed)
        if not self._answer or received.response.status != 401:
            return
        demands = demands_of(received.response, self._signer, signed, learnt)
        if demands is None:
            return
        try:
            context.check_repeatable()
        except ConfigurationError:
            return  # the refusal is the caller's answer: the body is gone
        better = self._answered(request, context, demands)
        if better is None:
            return
        answered: Received = yield Send(better)
        if answered.response.status != 401:
            self._learnt.put(origin, demands.lasting())

    def _answered(self, request: Request, context: Context, demands: Demands) -> Request | None:
        """The request signed as the server asks for it; None where it can't be, since a component is not there."""
        try:
            return self._signer.sign(request, context, demands)
        except ConfigurationError:
            return None

    def canonical(self, request: Request, body: bytes = b"") -> str:
        """The signature base of a request as it was sent, as this client builds it: to compare with the server's.

        Args:
            request: with its signature in it.
            body: not looked at: of the body a signature covers the digest field.

        Raises:
            ConfigurationError: the request has no signature of this key and tag.
        """
        return own_base(request, self._signer).decode("ascii")


class SignatureVerifier(InProcess):
    """Verifies requests that `SignatureAuth`, or any client of RFC 9421, signed.

    Of the signatures that a request has those count whose tag (and label) the policy names; of these, those whose key is
    known. All of them have to be good and of one subject, and the request is that subject's. None with such a tag: the
    request is not for this verifier. None with a known key: UNKNOWN_KEY. A bad one is never passed over for another.

    The key chooses the algorithm; `alg` may only agree. Each nonce is accepted once for each key and key id, by any verifier that
    shares the store. Such verifiers may differ in a `max_age` of up to 300 seconds; a longer one has to be the same for all.

    Args:
        keys: who may sign; the key id is then the subject. Keys that somebody publishes are a
            `watchword.stores.RemoteKeySet`. None: the keys of the guard's store (`store.add_key`), which have a subject
            and scopes.
        policy: what a signature has to cover.
        max_age: seconds since `created` for which a signature is good; None: until it says to end itself.
        skew: seconds by which the client's clock may be ahead.
        stream: decide on the header, and check the body's digest while the application reads it: its last part comes only
            if all of it has the digest. For bodies above the guard's limit.

    Raises:
        ConfigurationError: no key for signatures, or a lifetime that isn't positive.

    >>> SignatureVerifier(max_age=60).scheme
    'signature'
    """

    scheme: str = "signature"
    described: str = (
        "HTTP Message Signatures (RFC 9421), in Signature-Input and Signature. Made anew for each "
        "request, which Swagger UI can't do."
    )
    single_use: bool = True
    ambient: bool = False
    rank: int = 12
    addresses: Sequence[Address] = (Address(b"signature-input"), Address(b"signature"))
    always_needed: Sequence[Ref[Any]] = ()
    realm: str | None = None

    def __init__(
        self,
        keys: Key | KeySet | KeySource | None = None,
        *,
        policy: SignaturePolicy = _DEFAULT,
        max_age: float | None = 300,
        skew: float = 30,
        stream: bool = False,
    ) -> None:
        self.settings = Settings(policy, Freshness(max_age, skew), stream)
        check_memory(policy, max_age)
        self.source = keys if isinstance(keys, KeySource) else None
        self._signers = Signers(keys_of(keys), self.source, stored=keys is None)
        self.signature_reader = Reader(policy)
        self._host = ""  # the authority that was found good last
        self.single_use = policy.nonce
        self.kinds: Sequence[type] = (
            *((RegisteredKey, RegisteredPublicKey) if keys is None else ()), *((Spent,) if policy.nonce else ()),
        )  # fmt: skip

    def __repr__(self) -> str:
        keys = "the store's" if self._signers.records is not None else repr(self._signers.keys)
        return f"SignatureVerifier(keys={keys}, policy={self.settings.policy!r}, max_age={self.settings.freshness.max_age})"

    @property
    def routes(self) -> Sequence[str | None]:
        """The tags by which a guard tells several verifiers of signatures apart."""
        return self.settings.policy.tags

    def route(self, request: Request) -> str | None:
        """The tag of the signatures, unverified."""
        return self.signature_reader.tag_of(request.headers)

    def read(self, request: Request) -> SignatureClaim | None:
        """The signatures that the policy's tags name; None, if the request has none of them.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, TARGET_REFUSED, TARGET_NOT_EXACT; WRONG_ALGORITHM for a covered digest.
        """
        headers = request.headers
        by_name = dict(headers)
        single = by_name if len(by_name) == len(headers) else None
        one = None if single is None else self.signature_reader.at_once(single)
        presented = self.signature_reader.read(Fields(headers)) if one is None else (one,)
        if not presented:
            return None
        check_target(request, self._host)
        self._host = request.authority
        if not request.exact:
            check_exact(request)
        return self.claim(request, presented, single)

    def claim(
        self, request: Request, presented: Sequence[PresentedCredentials], single: Mapping[bytes, bytes] | None = None
    ) -> SignatureClaim:
        """The claim that `presented` are good; `single` are the request's fields, where none is there twice."""
        return SignatureClaim(self.settings, self._signers, self.signature_reader, request, presented, single)

    def refuse(self, rejection: Rejection, found: Found, now: float, random: Random) -> Refusal:
        """What the policy demands, as Accept-Signature (RFC 9421 §5), with a nonce where a better signature would do."""
        if rejection.reason.status != 401:
            return Refusal(rejection.reason.status)
        challenge = Challenge("Signature")
        headers = [(b"accept-signature", self.accept(rejection.reason in _ANSWERABLE, random))]
        if self.settings.policy.body:
            headers.append(_WANT_DIGEST)
        return Refusal(401, [challenge], tuple(headers))

    def accept(self, fresh: bool, random: Random) -> bytes:
        """The value of Accept-Signature, one member for each tag; `fresh`: with a nonce."""
        policy, wanted = self.settings.policy, []
        for number, tag in enumerate(policy.tags, 1):
            params: dict[str, str | bool] = {}
            if policy.created or self.settings.freshness.max_age is not None:
                params["created"] = True
            if policy.expires:
                params["expires"] = True
            if policy.nonce and fresh:
                params["nonce"] = b64url_encode(random(16)).decode("ascii")
            if tag is not None:
                params["tag"] = tag
            # Other verifiers of this guard ask for other tags, in the same field.
            label = f"sig{number}" if tag is None else f"for-{_NO_LABEL.sub(lambda found: f'_{ord(found[0]):x}_', tag)}"
            wanted.append(Wanted(policy.label or label, policy.demands(), params))
        return accept_signature(wanted)


def check_memory(policy: SignaturePolicy, max_age: float | None) -> None:
    """That every nonce can be forgotten some day.

    Raises:
        ConfigurationError: it can't.
    """
    if policy.nonce and not policy.expires and (max_age is None or not policy.created):
        raise ConfigurationError(
            "a nonce is remembered while the signature is good: give max_age=300 and demand created, or demand expires"
        )


def keys_of(keys: object) -> KeySet:
    """The keys to begin with.

    Raises:
        ConfigurationError: not keys.
    """
    if keys is None or isinstance(keys, KeySource):
        return NO_KEYS
    if isinstance(keys, KeySet):
        return keys
    if isinstance(keys, Key):
        return KeySet([keys])
    raise no_keys(keys)
