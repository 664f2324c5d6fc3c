"""Signed responses, the client's half (RFC 9421 §2.4, §3.2): whether an answer proves what it has to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from watchword.core.message import Request, Response
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.seal import has_content
from watchword.crypto.digests import compare, digest
from watchword.crypto.keys import Key, KeySet
from watchword.fields.content_digest import read_digests
from watchword.schemes.freshness import check_end
from watchword.schemes.key_source import KeySource
from watchword.schemes.key_source import no_keys
from watchword.schemes.signatures.accept import Wanted
from watchword.schemes.signatures.base import Message, signature_base
from watchword.schemes.signatures.components import Component
from watchword.schemes.signatures.consequential import check_covered
from watchword.schemes.signatures.credentials_digest import check_credentials, check_digest_covered
from watchword.schemes.signatures.key_owners import alias_of
from watchword.schemes.signatures.response_policy import ResponsePolicy
from watchword.schemes.signatures.wire import (
    MAX_OF_ANSWER, MAX_SIGNATURES, Labelled, labelled_dictionary, read_signatures,
)  # fmt: skip

__all__ = ["ResponsePolicy", "ResponseVerifier"]

_MAX_KEYS: Final = 8


class ResponseVerifier:
    """Verifies signed responses; it needs the request as it was sent.

    Args:
        keys: the server's: a `Key`, a `KeySet`, several keys, or what keeps a set up to date (`RemoteKeySet`).
        policy: what an answer has to prove.
        signatures: how many signatures of an answer are read.

    Raises:
        ConfigurationError: no key for signatures.

    >>> ResponseVerifier(Key.generate("HS256", key_id="api-2026"))
    ResponseVerifier(keys=['api-2026'])
    """

    __slots__ = ("_keys", "_limit", "_source", "policy")

    def __init__(
        self,
        keys: Key | KeySet | Sequence[Key] | KeySource,
        policy: ResponsePolicy | None = None,
        *,
        signatures: int = MAX_SIGNATURES,
    ) -> None:
        self._limit = signatures
        self._source: KeySource | None = None
        self._keys: tuple[Key, ...] = ()
        if isinstance(keys, KeySource):
            self._source = keys
        else:
            if not isinstance(keys, (Key, KeySet, list, tuple)) or not all(
                isinstance(key, Key) for key in (keys if isinstance(keys, (list, tuple)) else ())
            ):
                raise no_keys(keys)
            self._keys = _usable([keys] if isinstance(keys, Key) else keys.keys if isinstance(keys, KeySet) else keys)
            if not self._keys:
                raise ConfigurationError(
                    "no key here is for signatures: ResponseVerifier(Key.from_pem(…, algorithm='ed25519'))"
                )
        self.policy = ResponsePolicy() if policy is None else policy

    def __repr__(self) -> str:
        known = [key.key_id for key in self._keys]
        return f"ResponseVerifier(keys={known if self._source is None else self._source.name!r})"

    def wanted(self, method: str, nonce: str, fields: Sequence[bytes] = ()) -> Wanted:
        """What to ask for with Accept-Signature; `fields` of the request are to be covered too."""
        return self.policy.wanted(method, nonce, self._keys, fields)

    def canonical(self, request: Request, response: Response) -> str:
        """The signature base of an answer as this client builds it, to compare with the server's; of the first signature
        that has the tag.

        Raises:
            Rejected: there is none, or the answer lacks what it covers.
        """
        for one in read_signatures(response.headers, signatures=self._limit, components=MAX_OF_ANSWER):
            if one.covered.text_param("tag") == self.policy.tag:
                return signature_base(one.covered, Message(request, response)).decode("ascii")
        raise Rejected(Reason.NO_CREDENTIALS, "the answer is not signed", where="signature")

    def verify(
        self, request: Request, response: Response, body: bytes, *, now: float, nonce: str | None = None
    ) -> Labelled:
        """The signature by which `response` is proven to be the answer to `request`.

        Args:
            request: as it was sent, with its credentials.
            response: as it was received.
            body: its content, before any content coding is undone; b"" where the policy doesn't ask for it.
            now: seconds since the epoch.
            nonce: that of the Accept-Signature.

        Raises:
            Rejected: why it is not proven.
        """
        signature = self.verify_head(request, response, now=now, nonce=nonce)
        self.verify_content(signature, request, response, body)
        return signature

    def verify_head(
        self,
        request: Request,
        response: Response,
        *,
        now: float,
        nonce: str | None = None,
        fields: Collection[bytes] = (),
    ) -> Labelled:
        """The signature by which all of `response` but its content is proven, and by which that can be: it needn't be read yet.

        Args:
            request: as for `verify`.
            response: as for `verify`.
            now: as for `verify`.
            nonce: as for `verify`.
            fields: further fields of the request that the answer was asked to cover.

        Raises:
            Rejected: why it is not proven.
        """
        signatures = read_signatures(response.headers, signatures=self._limit, components=MAX_OF_ANSWER)
        if not signatures:
            raise Rejected(Reason.NO_CREDENTIALS, "the answer is not signed", where="signature")
        mine = [one for one in signatures if one.covered.text_param("tag") == self.policy.tag]
        if not mine:
            raise Rejected(Reason.NOT_COVERED, "no signature has the tag that is expected", where="signature-input tag")
        first: Rejected | None = None
        for signature in mine:
            try:
                self._check(signature, Message(request, response), fields, now, nonce)
            except Rejected as rejected:
                first = first or rejected
            else:
                return signature
        assert first is not None
        raise first

    def verify_content(self, signature: Labelled, request: Request, response: Response, body: bytes) -> None:
        """Nothing, if the content is the one that was signed, or the policy doesn't ask for that.

        Args:
            signature: what `verify_head` gave.
            request: as for `verify`.
            response: as for `verify`.
            body: as for `verify`.

        Raises:
            Rejected: WRONG_BODY.
        """
        if not self.policy.content:
            return
        # No library reads content after HEAD; after 204 and 304 those do that have it in frames (RFC 9113 §8.1).
        if body and request.method != "HEAD" and not has_content(request.method, response.status):
            raise Rejected(Reason.WRONG_BODY, "such an answer has no content, and this one does", where="content")
        for name, value in _expected(signature.covered.components, Message(request, response)).items():
            if not compare(digest(name, body), value):
                raise Rejected(Reason.WRONG_BODY, "the content is not the one that was signed", where="content-digest")

    def _check(
        self, signature: Labelled, message: Message, fields: Collection[bytes], now: float, nonce: str | None
    ) -> None:
        """Key, algorithm, signature; then whose answer it is, what it covers, and its time."""
        covered = signature.covered
        keys = self._candidates(covered.text_param("keyid"), covered.text_param("alg"))
        _check_signature(keys, signature_base(covered, message), signature.signature)
        if self.policy.nonce and (nonce is None or covered.text_param("nonce") != nonce):
            raise Rejected(Reason.BINDING_MISMATCH, "the answer to another request", where="signature-input nonce")
        self._check_coverage(covered.components, message, fields)
        if self.policy.content:
            _expected(covered.components, message)
        self._check_time(covered.created, covered.expires, now)

    def _candidates(self, key_id: str | None, algorithm: str | None) -> Sequence[Key]:
        keys = self._known()
        named = [key for key in keys if key_id is None or key.key_id in (None, key_id)]
        if not named:
            raise Rejected(Reason.UNKNOWN_KEY, "no key here has this id", where="signature-input keyid")
        found = [key for key in named if algorithm is None or alias_of(key) == algorithm]
        if not found:
            raise Rejected(Reason.WRONG_ALGORITHM, "the key is for another algorithm", where="signature-input alg")
        if len(found) > _MAX_KEYS:
            raise Rejected(
                Reason.UNKNOWN_KEY, f"{len(found)} keys may fit and no id says which", where="signature-input keyid"
            )
        return found

    def _known(self) -> Sequence[Key]:
        if self._source is None:
            return self._keys
        try:
            return _usable(self._source.snapshot().keys)
        except StoreUnavailable:
            raise Rejected(Reason.UNKNOWN_KEY, "the server's keys are not known yet: call refresh()") from None

    def _check_coverage(self, components: Sequence[Component], message: Message, fields: Collection[bytes]) -> None:
        request, response = message.request, message.response
        assert request is not None
        assert response is not None
        covered = {component.identity for component in components}
        for component in self.policy.components:
            if component.identity not in covered:
                raise Rejected(Reason.NOT_COVERED, "the signature has to cover it", where=str(component))
        if self.policy.request_proofs:
            _check_request_proofs(components, request)
        proven: Collection[bytes] = ()
        if self.policy.credentials:
            proven = check_credentials(request.headers, response.headers)
            check_digest_covered(components, request.headers, response.headers)
        if self.policy.fields:
            check_covered(components, request.headers, response.headers, set(fields).difference(proven))

    def _check_time(self, created: int | None, expires: int | None, now: float) -> None:
        if created is None:
            raise Rejected(
                Reason.NOT_COVERED, "the signature has to say when it was made", where="signature-input created"
            )
        self.policy.freshness.check(created, now, "signature-input created")
        if expires is None and self.policy.expires:
            raise Rejected(Reason.NOT_COVERED, "the signature has to say when it ends", where="signature-input expires")
        if expires is not None:
            check_end(expires, now, "signature-input expires")


def _usable(keys: Sequence[Key]) -> tuple[Key, ...]:
    return tuple(key for key in keys if key.use == "sig")


def _check_signature(keys: Sequence[Key], base: bytes, signature: bytes) -> None:
    for key in keys:
        try:
            return key.verifier(base, signature)
        except Rejected:
            continue
    raise Rejected(Reason.WRONG_SIGNATURE, "the signature is of another answer, or by another key", where="signature")


def _check_request_proofs(components: Sequence[Component], request: Request) -> None:
    """Whether the request that is answered is one with the digest and the signatures that this one has."""
    carried = {name for name, _ in request.headers}
    proofs: list[tuple[str, str | None]] = [("content-digest", None)] if b"content-digest" in carried else []
    if b"signature" in carried:
        proofs += [("signature", label) for label in labelled_dictionary(request.values(b"signature"), "signature")]
    if not proofs:
        return
    covered = {(one.name, one.param("key")) for one in components if one.has("req")}
    for name, label in proofs:
        if (name, None) not in covered and (name, label) not in covered:
            raise Rejected(
                Reason.NOT_COVERED, "the request has it, and the answer may be to one without", where=f"{name};req"
            )


def _expected(components: Sequence[Component], message: Message) -> Mapping[str, bytes]:
    """The covered digests of the content (RFC 9530 §2), by algorithm; none where an answer has no content.

    Raises:
        Rejected: NOT_COVERED: there are none. WRONG_BODY: it is encoded, so that libraries would give out something else.
    """
    request, response = message.request, message.response
    assert request is not None
    assert response is not None
    if not has_content(request.method, response.status):
        return {}
    expected = _covered_digests(components, response, "content-digest")
    if not expected and request.method == "GET" and response.status == 200:
        # The content is then the whole representation (RFC 9110 §15.3.1).
        expected = _covered_digests(components, response, "repr-digest")
    if not expected:
        raise Rejected(Reason.NOT_COVERED, "no digest of the content is covered", where="content-digest")
    if response.values(b"content-encoding") not in ([], [b"identity"]):
        raise Rejected(
            Reason.WRONG_BODY, "the content is encoded, though that was not asked for", where="content-encoding"
        )
    return expected


def _covered_digests(components: Sequence[Component], response: Response, field: str) -> Mapping[str, bytes]:
    keys = [one.param("key") for one in components if one.name == field and not one.has("req")]
    digests = read_digests(response.values(field.encode("ascii")), field) if keys else {}
    return {name: value for name, value in digests.items() if None in keys or name in keys}
