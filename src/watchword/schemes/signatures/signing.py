"""Making signatures (RFC 9421 §3.1), and making them as a server asks for them (§5.2)."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Final, NamedTuple

from watchword.core.message import Headers, Request, Response
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.effects import Context
from watchword.crypto.digests import digest as digest_of
from watchword.crypto.keys import Key
from watchword.fields.content_digest import ACTIVE, digest_field, read_preferences
from watchword.schemes.signatures.accept import Wanted, read_accept_signature
from watchword.schemes.signatures.base import BasePlan
from watchword.schemes.signatures.components import Component, SignatureInput, params_text, types_with
from watchword.schemes.signatures.key_owners import alias_of
from watchword.schemes.signatures.message import Message
from watchword.schemes.signatures.policy import DIGEST_FIELDS
from watchword.schemes.signatures.wire import LABEL, Labelled, read_signatures, with_signature

__all__ = ["Demands", "Signer", "demands_of", "own_base"]

_CONTENT_DIGEST: Final = Component("content-digest")
_PATHS: Final = (Component("@path"), Component("@query"))


class Demands(NamedTuple):
    """What a server wants of a signature besides what is signed anyway."""

    components: tuple[Component, ...] = ()
    nonce: str | None = None
    tag: str | None = None
    label: str | None = None
    digest: str | None = None
    alg: bool = False

    def lasting(self) -> Demands:
        """What goes for later requests too: a nonce is for one."""
        return self._replace(nonce=None)


_NO_DEMANDS: Final = Demands()


class Signer:
    """Makes one kind of signature; what can be prepared is.

    Raises:
        ConfigurationError: a key that can't sign, or an argument that can't be meant.
    """

    __slots__ = (
        "_bare", "_digest_start", "_digests", "_life", "_params", "_start", "_whole", "alg", "components", "defaults", "digest", "key",
        "label", "nonce", "tag", "types",
    )  # fmt: skip

    def __init__(
        self,
        key: Key,
        components: tuple[Component, ...],
        defaults: bool,
        tag: str | None,
        lifetime: float | None,
        label: str | None,
        alg: bool,
        nonce: bool,
        digest: str,
        types: Mapping[str, str] | None = None,
    ) -> None:
        check_can_sign(key)
        if alg and not alias_of(key):
            raise ConfigurationError(f"{key.algorithm} has no name in HTTP message signatures: leave alg= out")
        if lifetime is not None and not (lifetime >= 1 and isfinite(lifetime)):
            raise ConfigurationError("lifetime is a number of seconds, 1 or more, or None")
        if label is not None and LABEL.fullmatch(label) is None:
            raise ConfigurationError(f"a label is lower-case letters, digits and _-.*: {label!r}")
        if digest not in ACTIVE:
            raise ConfigurationError(f'digest is "sha-256" or "sha-512", not {digest!r}')
        if any(component.name == "@status" or component.has("req") for component in components):
            raise ConfigurationError("components has one that only responses have")
        self.key, self.components, self.defaults = key, components, defaults
        self.tag, self.label = tag, label
        self.alg, self.nonce, self.digest = alg, nonce, digest
        self.types = types_with(types)
        self._life = None if lifetime is None else int(lifetime)
        self._digests = any(component.name in DIGEST_FIELDS for component in components)
        self._bare = BasePlan(components)
        self._whole = BasePlan((*components, _CONTENT_DIGEST)) if defaults else self._bare
        self._digest_start = f"{digest}=:".encode("ascii")
        self._start = f"{label or 'sig1'}=".encode("ascii")
        fixed = {} if key.key_id is None else {"keyid": key.key_id}
        if alg:
            fixed["alg"] = alias_of(key)
        if tag is not None:
            fixed["tag"] = tag
        self._params = params_text(fixed)

    def sign(self, request: Request, context: Context, demands: Demands | None) -> Request:
        """The request with a signature.

        Raises:
            ConfigurationError: it lacks what is to be covered.
        """
        single = dict(request.headers)
        signed = b"signature-input" in single or b"signature" in single
        if demands is None and not signed and not self._digests and request.target[:1] == b"/":
            return self._sign_plainly(request, single, context)
        request, plan, nonce, fixed, label = self._on_demand(request, context, demands or _NO_DEMANDS)
        now = int(context.now())
        given: dict[str, int | str] = {"created": now}
        if self._life is not None:
            given["expires"] = now + self._life
        if nonce is not None or self.nonce:
            made = b2a_base64(context.random(18), newline=False).decode("ascii")  # of 18 octets it has no padding
            given["nonce"] = made if nonce is None else nonce
        params = f"{params_text(given)}{fixed}".encode("ascii")
        try:
            base = plan.base(Message(request, types=self.types), params)
        except Rejected as rejected:
            raise _unsignable(rejected) from None
        return self._placed(request, label, plan.listed + params, self.key.signer(base))

    def _sign_plainly(self, request: Request, single: dict[bytes, bytes], context: Context) -> Request:
        """Where nothing is asked for and nothing is there yet: the same in less time."""
        more: Headers = ()
        plan, alone = self._bare, len(single) == len(request.headers)
        if self.defaults:
            if b"content-digest" in single:
                plan = self._whole
            elif body := context.body():
                value = b"%b%b:" % (self._digest_start, b2a_base64(digest_of(self.digest, body), newline=False))
                more = ((b"content-digest", value),)
                single[b"content-digest"] = value
                plan = self._whole
        now = int(context.now())
        params = f";created={now}" if self._life is None else f";created={now};expires={now + self._life}"
        if self.nonce:
            params = f'{params};nonce="{b2a_base64(context.random(18), newline=False).decode("ascii")}"'
        octets = f"{params}{self._params}".encode("ascii")
        try:
            if alone:
                base = plan.of_request(request, single, octets, self.types)
            else:
                base = plan.base(Message(request.with_headers(more), types=self.types), octets)
        except Rejected as rejected:
            raise _unsignable(rejected) from None
        start = self._start
        headers = (
            *request.headers, *more, (b"signature-input", b"%b%b%b" % (start, plan.listed, octets)),
            (b"signature", b"%b:%b:" % (start, b2a_base64(self.key.signer(base), newline=False))),
        )  # fmt: skip
        return Request.raw(
            request.method, request.scheme, request.authority, request.target, headers, request.peer, request.exact
        )

    def _digested(
        self, request: Request, context: Context, components: Sequence[Component], algorithm: str, optional: bool
    ) -> tuple[Request, bool]:
        """The request with the digest fields that are covered, and whether its body is covered (or would be)."""
        wanted = [name for name in DIGEST_FIELDS if any(component.name == name for component in components)]
        if optional and not wanted:
            if request.values(b"content-digest"):
                return request, True
            body = context.body()
            if not body:
                return request, False
            wanted = ["content-digest"]
        missing = [name for name in wanted if not request.values(name.encode("ascii"))]
        if missing:
            value = digest_field({algorithm: digest_of(algorithm, context.body())})
            request = request.with_headers([(name.encode("ascii"), value) for name in missing])
        return request, bool(wanted)

    def _on_demand(
        self, request: Request, context: Context, demands: Demands
    ) -> tuple[Request, BasePlan, str | None, str, str | None]:
        components = tuple(dict.fromkeys((*self.components, *demands.components)))
        if self.defaults and request.target[:1] != b"/" and b"://" not in request.target:
            # "*" and the authority-form have neither path nor query (RFC 9112 §3.2).
            kept = [component for component in components if component not in _PATHS]
            components = tuple(dict.fromkeys((*kept, Component("@request-target"))))
        request, with_digest = self._digested(
            request, context, components, demands.digest or self.digest, self.defaults
        )
        if with_digest and self.defaults and not any(component.name in DIGEST_FIELDS for component in components):
            components = (*components, _CONTENT_DIGEST)
        fixed = self._params
        if demands.alg and not self.alg:
            fixed += params_text({"alg": alias_of(self.key)})
        if demands.tag is not None and self.tag is None:
            fixed += params_text({"tag": demands.tag})
        return request, BasePlan(components), demands.nonce, fixed, self.label or demands.label

    def _placed(self, request: Request, label: str | None, covered: bytes, signature: bytes) -> Request:
        kept: Headers = ()
        taken: set[str] = set()
        if any(name == b"signature-input" for name, _ in request.headers):
            others = self.others(request.headers)
            taken = {one.label for one in others}
            for one in others:
                kept = with_signature(kept, one.label, str(one.covered).encode("ascii"), one.signature)
        if label is None or (label in taken and self.label is None):
            number = 1
            while f"sig{number}" in taken:
                number += 1
            label = f"sig{number}"
        elif label in taken:
            raise ConfigurationError(f"the request has a signature {label!r} of somebody else: choose another label=")
        return request.with_headers(with_signature(kept, label, covered, signature))

    def others(self, headers: Headers) -> list[Labelled]:
        """The signatures of others; one of this key and tag would be of an earlier sending.

        Raises:
            ConfigurationError: the signature fields are malformed.
        """
        try:
            return [one for one in read_signatures(headers) if not self.made(one)]
        except Rejected as rejected:
            raise ConfigurationError(
                f"the request has signature fields that can't be added to: {rejected.rejection.detail}"
            ) from None

    def made(self, one: Labelled) -> bool:
        """Whether a signature says to be of this key and for the same."""
        return one.covered.text_param("keyid") == self.key.key_id and (
            self.tag is None or one.covered.text_param("tag") == self.tag
        )


def _unsignable(rejected: Rejected) -> ConfigurationError:
    found = rejected.rejection
    return ConfigurationError(f"the request can't be signed: {found.where}: {found.detail}")


def check_can_sign(key: object) -> None:
    """Raises: ConfigurationError: not a key that signs."""
    if not isinstance(key, Key) or not key.can_sign or key.use != "sig":
        raise ConfigurationError("SignatureAuth needs a secret or private key for signatures: Key.from_pem(…)")


def own_base(request: Request, signer: Signer) -> bytes:
    """The signature base of the signature that `signer` made of the request.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        mine = [one for one in read_signatures(request.headers) if signer.made(one)]
        if not mine:
            raise ConfigurationError("the request has no signature of this key and tag")
        covered: SignatureInput = mine[-1].covered
        message = Message(request, types=signer.types)
        return BasePlan(covered.components).base(message, params_text(covered.params).encode("ascii"))
    except Rejected as rejected:
        raise ConfigurationError(f"the request has no such signature: {rejected}") from None


def demands_of(response: Response, signer: Signer, signed: Request, learnt: Demands | None) -> Demands | None:
    """What the answer asks for that the request did not have and that this signer can give; None: nothing.

    Nothing is given up for it: what was covered stays covered. A member that wants another key, algorithm or tag is for
    others.
    """
    values = response.values(b"accept-signature")
    if not values:
        return None
    try:
        wanted = read_accept_signature(values)
        preferred = read_preferences(response.values(b"want-content-digest"))
    except Rejected:
        return None
    for one in wanted:
        if _is_for(one, signer):
            demands = Demands(
                tuple(component for component in one.components if component not in signer.components),
                one.text("nonce"),
                one.text("tag"),
                one.label,
                preferred[0] if preferred and signer.digest not in preferred else None,
                "alg" in one.params,
            )
            return demands if _asks_for_more(demands, signer, signed, learnt) else None
    return None


def _is_for(one: Wanted, signer: Signer) -> bool:
    if any(component.name == "@status" or component.has("req") or component.has("tr") for component in one.components):
        return False
    mine = {"keyid": signer.key.key_id, "alg": alias_of(signer.key), "tag": signer.tag}
    for name, own in mine.items():
        asked = one.text(name)
        if asked is not None and asked != own and not (name == "tag" and own is None):
            return False
    return not (one.text("tag") is None and signer.tag is not None)


def _asks_for_more(demands: Demands, signer: Signer, signed: Request, learnt: Demands | None) -> bool:
    """Whether signing so would give anything that the refused request did not have."""
    made = [one.covered for one in read_signatures(signed.headers) if signer.made(one)][-1]
    if demands.nonce is not None and demands.nonce != made.text_param("nonce"):
        return True
    if demands.tag != made.text_param("tag") and demands.tag is not None:
        return True
    if demands.alg and made.text_param("alg") is None:
        return True
    if demands.digest is not None and (learnt is None or learnt.digest != demands.digest):
        return True
    asked = set(demands.components)
    if signer.defaults and not signed.values(b"content-digest"):
        asked.discard(_CONTENT_DIGEST)  # there is no body, which is what it would say
    return not asked.issubset(made.components)
