"""Signed responses, the server's half (RFC 9421 §2.4, RFC 9530): `SignatureSeal`, for `Guard(…, seal=…)`."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Sequence
from typing import Final

from watchword.structures.bounded import Bounded
from watchword.structures.in_process import InProcess
from watchword.core.message import Headers, Request, Response
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.core.scheme import Random, Seal
from watchword.core.seal import has_content
from watchword.crypto.digests import digest as digest_of
from watchword.crypto.keys import Key
from watchword.fields.content_digest import ACTIVE, digest_field, read_digests, read_preferences
from watchword.schemes.signatures.accept import Wanted, read_accept_signature
from watchword.schemes.signatures.base import BasePlan, Message, component_value
from watchword.schemes.signatures.components import Component, components_of, params_text
from watchword.schemes.signatures.key_owners import alias_of
from watchword.schemes.signatures.wire import LABEL, MAX_SIGNATURES, labelled_dictionary

__all__ = ["OF_ANSWER", "OF_REQUEST", "SignatureSeal"]

OF_ANSWER: Final = (
    "@status", "content-type", "content-encoding", "content-digest", "repr-digest", "location", "www-authenticate",
)  # fmt: skip
"""What is covered of an answer, as far as it has it: what it is, where it sends the client, how it wants to be asked."""
OF_REQUEST: Final = ("@method", "@authority", "@path", "@query", "content-digest")
"""What is covered of the request that is answered, as far as it has it, and besides it every signature of it."""
_PLANS: Final = 64
_LONGEST: Final = 1024
_NONCE: Final = re.compile(rb';nonce="([A-Za-z0-9+/=_-]{1,128})"(?=[;,]|$)')


class SignatureSeal(InProcess):
    """Signs every answer of a guard, and binds it to the request: `Guard(…, seal=SignatureSeal(key))`.

    An answer gets a Content-Digest of its content (RFC 9530 §2; a Repr-Digest too, where Want-Repr-Digest asks for it), and
    a signature over that, its status, some of its fields, and what was asked, with `;req` (RFC 9421 §2.4). A client that
    says by Accept-Signature (§5) which label, nonce or further components it wants gets them as far as the answer has them;
    it never gets less than is covered anyway.

    To digest the content, the server holds the answer back until all of it is known, up to `Limits.body` octets; a longer
    one becomes a 500. `digest=None` lets answers stream, and their content unproven.

    Args:
        key: what signs; with a key id, if clients know several.
        components: covered of the answer, where it has them.
        request_components: covered of the request, where it has them.
        tag: the application's own mark (§2.3); clients have to expect the same.
        lifetime: seconds after which the signature has expired; None: it doesn't say.
        digest: "sha-256" or "sha-512", unless the client wants the other; None: the content is not covered.
        label: of the signature, where the client doesn't choose it.

    Raises:
        ConfigurationError: a key that can't sign, or components that no answer or request has.

    >>> SignatureSeal(Key.generate("HS256", key_id="api-2026"), tag="orders")
    SignatureSeal(key_id='api-2026', tag='orders')
    """

    __slots__ = (
        "_always", "_answer", "_asked", "_fixed", "_fixed_with_alg", "_key", "_known", "_label", "_looked_for", "_name",
        "_plans", "_request", "digest", "lifetime", "tag",
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
        self._answer = components_of(components)
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
        self._looked_for = tuple(
            (None if one.name[:1] == "@" else one.name.encode("ascii"), one.has("req")) for one in self._always
        )
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

        def headers(response: Response, body: bytes | None, now: float, random: Random) -> Headers:
            digests = self._digests(request, response, body)
            answer = response.with_more(digests)
            return (*digests, *self._signed(Message(request, answer), answer, now))

        return Seal(self.digest is not None and request.method != "HEAD", headers)

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

    def _signed(self, message: Message, answer: Response, now: float) -> Headers:
        request = message.request
        assert request is not None
        taken = _labels(answer.values(b"signature-input"))
        more = _signatures_of(request)
        lines: list[tuple[bytes, bytes]] = []
        for wanted in self._wanted(request):
            if wanted.label not in taken:
                lines += self._one(wanted.label, self._besides(more, wanted.components), message, wanted, now)
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

    def _besides(self, more: tuple[Component, ...], wanted: Sequence[Component]) -> tuple[Component, ...]:
        """What is covered besides what always is: the request's signatures, and what the client wants too."""
        known = self._known if not more else self._known.union(one.identity for one in more)
        return (*more, *(one for one in wanted if one.identity not in known and not one.has("tr")))

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
        except Rejected:  # a target without a path, or a value that can't be in a base: it isn't covered
            plan = BasePlan([one for one in (*self._always, *more) if _has(one, message)])
            return plan, plan.base(message, params)

    def _present(self, message: Message) -> int:
        """Which components to expect, as bits; fields by their names."""
        request, response = message.request, message.response
        assert request is not None
        assert response is not None
        names = {name for name, _ in response.headers}
        asked = {name for name, _ in request.headers}
        present, bit = 0, 1
        for name, of_request in self._looked_for:
            if name is None or name in (asked if of_request else names):
                present |= bit
            bit <<= 1
        return present


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
