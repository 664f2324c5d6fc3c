"""Signed responses, the server's half (RFC 9421 §2.4, RFC 9530): `SignatureSeal`, for `Guard(…, seal=…)`."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Collection, Sequence
from typing import Final

from watchword.structures.bounded import Bounded
from watchword.structures.in_process import InProcess
from watchword.core.message import Headers, Request, Response
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.core.answer import ResponseSealer
from watchword.core.scheme import Random, Seal
from watchword.core.seal import has_content
from watchword.crypto.digests import digest as digest_of
from watchword.crypto.keys import Key
from watchword.fields.content_digest import ACTIVE, digest_field, read_digests, read_preferences
from watchword.schemes.signatures.accept import Wanted, read_accept_signature
from watchword.schemes.signatures.base import BasePlan, Message, component_value
from watchword.schemes.signatures.components import Component, components_of, params_text
from watchword.schemes.signatures.consequential import CREDENTIALS, OF_ANSWER, OF_REQUEST, WRAPPED, field_component
from watchword.schemes.signatures.content import ContentCheck
from watchword.schemes.signatures.credentials_digest import ANSWER as CREDENTIALS_DIGEST
from watchword.schemes.signatures.credentials_digest import credentials_digest
from watchword.schemes.signatures.key_owners import alias_of
from watchword.schemes.signatures.wire import LABEL, MAX_SIGNATURES, labelled_dictionary

__all__ = ["OF_ANSWER", "OF_REQUEST", "SignatureSeal"]

_SIGNATURES: Final = frozenset({b"signature", b"signature-input"})
_NEVER_BARE: Final = CREDENTIALS | {b"proxy-authorization"}
_PLANS: Final = 64
_LONGEST: Final = 1024
_NONCE: Final = re.compile(rb';nonce="([A-Za-z0-9+/=_-]{1,128})"(?=[;,]|$)')


class SignatureSeal(InProcess):
    """Signs every answer of a guard, and binds it to the request: `Guard(…, seal=SignatureSeal(key))`.

    An answer gets a Content-Digest of its content (RFC 9530 §2; a Repr-Digest too, where Want-Repr-Digest asks for it), and
    a signature over that, its status, the fields on which a client's conduct depends (`OF_ANSWER`), and what was asked, with
    `;req` (RFC 9421 §2.4): `OF_REQUEST`, and the request's signatures. Each of these that is there is covered, with `bs`
    (§2.1.3) where its value isn't ASCII, so a field that somebody adds or takes away on the way shows. A client that says by
    Accept-Signature (§5) which label, nonce or further components it wants gets them as far as the answer has them;
    it never gets less than is covered anyway.

    Credentials are never covered bare, since a password could be guessed by means of the answer. A client that asks by
    Want-Credentials-Digest gets a digest of them under a key of its own (`credentials_digest`). The Content-Digest of a
    request is covered only once its body was compared with it; if it has another one, the request is refused.

    To digest the content, the server holds the answer back until all of it is known, up to `Limits.body` octets; a longer
    one becomes a 500. `digest=None` lets answers stream, and their content unproven.

    Args:
        key: what signs; with a key id, if clients know several.
        components: covered of the answer, where it has them.
        request_components: covered of the request, where it has them. Clients of ours refuse answers that leave out any of
            the defaults.
        tag: the application's own mark (§2.3); clients have to expect the same.
        lifetime: seconds after which the signature has expired; None: it doesn't say.
        digest: "sha-256" or "sha-512", unless the client wants the other; None: the content is not covered.
        label: of the signature, where the client doesn't choose it.

    Raises:
        ConfigurationError: a key that can't sign, components that no answer or request has, or credentials among them.

    >>> SignatureSeal(Key.generate("HS256", key_id="api-2026"), tag="orders")
    SignatureSeal(key_id='api-2026', tag='orders')
    """

    __slots__ = (
        "_always", "_answer", "_answer_bits", "_asked", "_derived", "_fixed", "_fixed_with_alg", "_key", "_known", "_label",
        "_name", "_plans", "_request", "_request_bits", "digest", "lifetime", "tag",
    )  # fmt: skip

    def __init__(
        self,
        key: Key,
        *,
        components: Sequence[str] = OF_ANSWER,
        request_components: Sequence[str] = OF_REQUEST,
        tag: str | None = None,
        lifetime: float | None = 300,
        digest: str | None = "sha-256",
        label: str = "seal",
    ) -> None:
        self._name = _checked_key(key)
        self._key = key
        self._answer = tuple(_wrapped(one) for one in components_of(components))
        self._request = tuple(_of_request(one) for one in components_of(request_components))
        self._check_components(digest)
        if lifetime is not None and not 1 <= lifetime < 2**31:
            raise ConfigurationError("lifetime is a number of seconds: lifetime=300, or None")
        if LABEL.fullmatch(label) is None:
            raise ConfigurationError(f"{label!r} is no label: lower-case letters, digits, - and _ (RFC 9651 §3.1.2)")
        named = {} if key.key_id is None else {"keyid": key.key_id}
        tagged = {} if tag is None else {"tag": tag}
        self._fixed = params_text({**named, **tagged})
        self._fixed_with_alg = params_text({**named, "alg": self._name, **tagged})
        self.tag = tag
        self.lifetime = lifetime
        self.digest = digest
        self._label = label
        self._always = (*self._answer, *self._request)
        self._known = frozenset(one.identity for one in self._always)
        self._derived, self._answer_bits, self._request_bits = _bits(self._always)
        self._plans: Bounded[tuple[int, tuple[Component, ...]], BasePlan] = Bounded(_PLANS)
        self._asked: dict[bytes, Wanted] = {}

    def _check_components(self, digest: str | None) -> None:
        if digest is not None and digest not in ACTIVE:
            raise ConfigurationError(f"digest is one of {', '.join(ACTIVE)}, or None; not {digest!r}")
        if any(
            one.has("req") or one.has("tr") or (one.name[:1] == "@" and one.name != "@status") for one in self._answer
        ):
            raise ConfigurationError("components are of the answer: what is the request's goes into request_components")
        names = [one.name for one in self._answer]
        if "@status" not in names or (digest is not None and "content-digest" not in names):
            raise ConfigurationError("an answer is sealed with its @status and content-digest: list both in components")

    def __repr__(self) -> str:
        return f"SignatureSeal(key_id={self._key.key_id!r}, tag={self.tag!r})"

    def seal(self, request: Request) -> Seal:
        """The seal for the answer to `request`."""
        return self.seal_with(request, CREDENTIALS)

    def covering(self, fields: Collection[bytes]) -> ResponseSealer:
        """This seal for a guard whose verifiers read these fields: the digest of credentials is of them as well."""
        return _Covering(self, CREDENTIALS.union(fields) - _SIGNATURES)

    def seal_with(self, request: Request, credentials: frozenset[bytes]) -> Seal:
        """The seal for the answer to `request`, whose credentials are in these fields."""
        checks: list[ContentCheck] = []

        def check() -> ContentCheck:
            checks.append(ContentCheck(request.headers))
            return checks[0]

        def headers(response: Response, body: bytes | None, now: float, random: Random) -> Headers:
            # Nobody has compared the body with its digest: then nothing is said of it.
            seen = _without_digest(request) if checks and not checks[0].settled else request
            more = self._digests(request, response, body)
            value = credentials_digest(request.headers, credentials)
            if value is not None:
                more = (*more, (CREDENTIALS_DIGEST, value))
            answer = response.with_more(more)
            return (*more, *self._signed(Message(seen, answer), answer, now, credentials))

        covers = b"content-digest" in self._request_bits and bool(request.values(b"content-digest"))
        return Seal(self.digest is not None and request.method != "HEAD", headers, check if covers else None)

    # ---- what is digested ---------------------------------------------------------------------------------------------

    def _digests(self, request: Request, response: Response, body: bytes | None) -> Headers:
        if self.digest is None or body is None or not has_content(request.method, response.status):
            return ()
        algorithm = _preferred(request, b"want-content-digest") or self.digest
        found = {algorithm: digest_of(algorithm, body)}
        lines = [] if _sent(response, b"content-digest") == found else [(b"content-digest", digest_field(found))]
        wanted = _preferred(request, b"want-repr-digest")
        # The content of a 200 is the whole representation (RFC 9110 §15.3.1).
        if wanted and response.status == 200 and not response.values(b"repr-digest"):
            lines.append((b"repr-digest", digest_field({wanted: digest_of(wanted, body)})))
        return tuple(lines)

    # ---- what is signed -----------------------------------------------------------------------------------------------

    def _signed(self, message: Message, answer: Response, now: float, credentials: frozenset[bytes]) -> Headers:
        request = message.request
        assert request is not None
        taken = _labels(answer.values(b"signature-input"))
        more = _signatures_of(request)
        lines: list[tuple[bytes, bytes]] = []
        for wanted in self._wanted(request):
            if wanted.label not in taken:
                besides = self._besides(more, wanted.components, credentials)
                lines += self._one(wanted.label, besides, message, wanted, now)
        if lines:
            return tuple(lines)
        label = next(one for one in (self._label, *(f"{self._label}{n}" for n in range(1, 99))) if one not in taken)
        return self._one(label, more, message, None, now)

    def _wanted(self, request: Request) -> list[Wanted]:
        """What the client wants and this key can give. A tag is never taken over: it says what a signature is for."""
        values = request.values(b"accept-signature")
        if not values:
            return []
        text, nonces = b"", 0
        if len(values) == 1 and len(values[0]) <= _LONGEST:
            # Clients ask in the same words each time, but for the nonce.
            text, nonces = _NONCE.subn(b"", values[0])
            known = self._asked.get(text) if nonces == 1 else None
            if known is not None:
                nonce = _NONCE.search(values[0])
                assert nonce is not None
                return [known._replace(params={**known.params, "nonce": nonce[1].decode("ascii")})]
        try:
            wanted = [one for one in read_accept_signature(values) if self._can_give(one)]
        except Rejected:  # as if it hadn't asked; whether the seal is enough is its own to say
            return []
        if nonces == len(wanted) == 1:
            if len(self._asked) >= _PLANS:
                self._asked = {}
            self._asked[text] = wanted[0]
        return wanted[:2]

    def _can_give(self, wanted: Wanted) -> bool:
        return (
            wanted.text("keyid") in (None, self._key.key_id)
            and wanted.text("alg") in (None, self._name)
            and wanted.text("tag") == self.tag
            and all(one.name == "@status" or one.name[:1] != "@" or one.has("req") for one in wanted.components)
        )

    def _besides(
        self, more: tuple[Component, ...], wanted: Sequence[Component], credentials: frozenset[bytes]
    ) -> tuple[Component, ...]:
        """What is covered besides what always is: the request's signatures, and what the client wants too."""
        known = self._known if not more else self._known.union(one.identity for one in more)
        return (
            *more,
            *(
                one
                for one in wanted
                if one.identity not in known and not one.has("tr")
                and not (one.has("req") and one.name.encode("ascii") in _NEVER_BARE | credentials)
            ),
        )  # fmt: skip

    def _one(
        self, label: str, more: tuple[Component, ...], message: Message, wanted: Wanted | None, now: float
    ) -> Headers:
        params = self._params(wanted, now).encode("ascii")
        plan, base = self._base(more, message, params)
        signature = b2a_base64(self._key.signer(base), newline=False)
        name = label.encode("ascii") + b"="
        covered = plan.covered.encode("ascii")
        return (b"signature-input", name + covered + params), (b"signature", name + b":" + signature + b":")

    def _params(self, wanted: Wanted | None, now: float) -> str:
        params = f";created={int(now)}"
        if self.lifetime is not None:
            params += f";expires={int(now + self.lifetime)}"
        if wanted is not None and (nonce := wanted.text("nonce")) is not None:
            params += params_text({"nonce": nonce})
        named = wanted is not None and wanted.text("alg") is not None
        return params + (self._fixed_with_alg if named else self._fixed)

    def _base(self, more: tuple[Component, ...], message: Message, params: bytes) -> tuple[BasePlan, bytes]:
        """The signature base over the default components that this answer has, and over those of `more` that it has."""
        present = self._present(message)
        more = tuple(one for one in more if _may_have(one, message)) if more else more
        plan = self._plans.get((present, more))
        try:
            if plan is None:
                plan = BasePlan((*(one for bit, one in enumerate(self._always) if present >> bit & 1), *more))
                self._plans.put((present, more), plan)
            return plan, plan.base(message, params)
        except Rejected:  # a target without a path, which isn't covered; or a value that is no ASCII, which is with bs
            fitting = [_fitting(one, message) for one in (*self._always, *more)]
            plan = BasePlan(tuple({one.identity: one for one in fitting if one is not None}.values()))
            return plan, plan.base(message, params)

    def _present(self, message: Message) -> int:
        """Which components to expect, as bits; fields by their names."""
        request, response = message.request, message.response
        assert request is not None
        assert response is not None
        present = self._derived
        for name, _ in response.headers:
            present |= self._answer_bits.get(name, 0)
        for name, _ in request.headers:
            present |= self._request_bits.get(name, 0)
        return present


class _Covering:
    """A seal that knows in which fields credentials come."""

    __slots__ = ("_credentials", "_seal")

    def __init__(self, seal: SignatureSeal, credentials: frozenset[bytes]) -> None:
        self._seal = seal
        self._credentials = credentials

    def seal(self, request: Request) -> Seal:
        """The seal for the answer to `request`."""
        return self._seal.seal_with(request, self._credentials)


def _bits(components: Sequence[Component]) -> tuple[int, dict[bytes, int], dict[bytes, int]]:
    """The bits of derived components, and those of the fields of the answer and of the request, by name."""
    derived = 0
    fields: tuple[dict[bytes, int], dict[bytes, int]] = {}, {}
    for number, one in enumerate(components):
        bit, name = 1 << number, one.name.encode("ascii")
        if one.name[:1] == "@":
            derived |= bit
        else:
            mine = fields[one.has("req")]
            mine[name] = mine.get(name, 0) | bit
    return derived, *fields


def _without_digest(request: Request) -> Request:
    headers = tuple(line for line in request.headers if line[0] != b"content-digest")
    return Request.raw(
        request.method, request.scheme, request.authority, request.target, headers, request.peer, request.exact
    )


def _wrapped(component: Component) -> Component:
    return Component(component.name, (("bs", True),)) if component.name in WRAPPED else component


def _checked_key(key: Key) -> str:
    if not getattr(key, "can_sign", False):
        raise ConfigurationError("a seal needs a key that signs: SignatureSeal(Key.from_pem(…, algorithm='ed25519'))")
    return alias_of(key)


def _preferred(request: Request, field: bytes) -> str | None:
    """The algorithm that the client prefers (RFC 9530 §4); None if it doesn't say, or nobody can read what."""
    values = request.values(field)
    try:
        wanted = read_preferences(values, field.decode()) if values else []
    except Rejected:
        return None
    return wanted[0] if wanted else None


def _sent(response: Response, field: bytes) -> dict[str, bytes]:
    """The digests that the application sent itself."""
    values = response.values(field)
    try:
        return read_digests(values, field.decode()) if values else {}
    except Rejected:
        return {}


def _of_request(component: Component) -> Component:
    if component.name.encode("ascii") in _NEVER_BARE:
        raise ConfigurationError(
            f"{component.name} is never covered bare: a password could be guessed with each answer. Clients that ask by "
            "Want-Credentials-Digest get a digest of it"
        )
    if component.name == "@status" or component.has("tr"):
        raise ConfigurationError(f"{component} can't be covered of a request that is answered")
    return component if component.has("req") else Component(component.name, (*component.params, ("req", True)))


def _signatures_of(request: Request) -> tuple[Component, ...]:
    """The signatures of the request with what they cover: without that, a signature says little (RFC 9421 §7.3.7)."""
    labels = list(_labels(request.values(b"signature")))[:MAX_SIGNATURES]
    return tuple(
        Component(field, (("req", True), ("key", label)))
        for label in labels
        for field in ("signature", "signature-input")
    )


def _labels(values: Sequence[bytes]) -> dict[str, object]:
    if not values:
        return {}
    try:
        return dict(labelled_dictionary(values, "signature"))
    except Rejected:
        return {}


def _may_have(component: Component, message: Message) -> bool:
    """Whether to expect it; quick."""
    if component.name[:1] == "@":
        return component.name != "@query-param" or _has(component, message)
    section = message.section(component)
    return section is not None and section.combined(component.name.encode("ascii")) is not None


def _has(component: Component, message: Message) -> bool:
    try:
        value = component_value(component, message)
    except Rejected:
        return False
    return value.isascii() and b"\n" not in value


def _fitting(component: Component, message: Message) -> Component | None:
    """The component as the base can have it: a field that can't be in it as it is has its octets wrapped (§2.1.3)."""
    if _has(component, message):
        return component
    if component.name[:1] == "@" or component.has("bs"):
        return None
    wrapped = field_component(component.name.encode("ascii"), component.has("req"), wrapped=True)
    return wrapped if _has(wrapped, message) else None
