"""What a verifier demands of a signature (RFC 9421 §1.4, §3.2.1): which components, which parameters, which tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.schemes.signatures.components import types_with, Component, components_of
from watchword.schemes.signatures.wire import LABEL, MAX_COMPONENTS, MAX_SIGNATURES

__all__ = ["DEFAULT_COMPONENTS", "DIGEST_FIELDS", "SignaturePolicy", "coverage"]

DEFAULT_COMPONENTS: Final = ("@method", "@authority", "@path", "@query")
DIGEST_FIELDS: Final = ("content-digest", "repr-digest")

_METHOD, _AUTHORITY, _SCHEME = Component("@method"), Component("@authority"), Component("@scheme")
_PATH, _QUERY = Component("@path"), Component("@query")
_TARGET_URI, _REQUEST_TARGET = Component("@target-uri"), Component("@request-target")
# What is covered with a component besides itself (RFC 9421 §2.2.2, §2.2.5).
_IMPLIED: Final = {
    _TARGET_URI: (_SCHEME, _AUTHORITY, _PATH, _QUERY),
    _REQUEST_TARGET: (_PATH, _QUERY),
}


class SignaturePolicy:
    """What a signature must cover and say. The defaults leave nothing of a request's purpose open.

    `@target-uri` counts as scheme, authority, path and query, `@request-target` as path and query; these together count
    as `@target-uri`. A field counts if all of it is covered, with `sf` or `bs` or plainly. Where a target has neither path
    nor query (`OPTIONS *`, CONNECT), `@request-target` or `@target-uri` has to be covered in their place.

    Args:
        components: what every signature covers.
        methods: what those of requests with these methods cover besides: `{"POST": ("content-type",)}`.
        body: a body, if there is one, is covered by its Content-Digest or Repr-Digest. False: it may go uncovered.
        created: `created` is there, so that the signature ages.
        nonce: `nonce` is there and good once. False: a signed request can be sent again while it is good.
        expires: `expires` is there; it is always honoured where it is.
        tags: signatures with these tags are judged, None being those without one; others are not for this verifier.
        label: only the signature with this label is judged.
        types: structured types ("item", "list", "dictionary") of fields that aren't registered with one, for `;sf`.
        max_signatures: how many signatures a request may have, those for others included.
        max_components: how many components each may cover.

    Raises:
        ConfigurationError: an unknown component, or a demand that can't be met.

    >>> SignaturePolicy(components=("@method", "@target-uri", "date"), tags=("orders",))
    SignaturePolicy(components=('"@method"', '"@target-uri"', '"date"'), body=True, tags=('orders',))
    """

    __slots__ = (
        "_always", "_by_method", "body", "components", "created", "expires", "label", "max_components",
        "max_signatures", "methods", "nonce", "tags", "types",
    )  # fmt: skip

    def __init__(
        self,
        *,
        components: Sequence[str] = DEFAULT_COMPONENTS,
        methods: Mapping[str, Sequence[str]] | None = None,
        body: bool = True,
        created: bool = True,
        nonce: bool = True,
        expires: bool = False,
        tags: Sequence[str | None] = (None,),
        label: str | None = None,
        types: Mapping[str, str] | None = None,
        max_signatures: int = MAX_SIGNATURES,
        max_components: int = MAX_COMPONENTS,
    ) -> None:
        self.components = components_of(components)
        self.methods = {method: components_of(more) for method, more in (methods or {}).items()}
        for component in (*self.components, *(each for more in self.methods.values() for each in more)):
            if component.name == "@status" or component.has("req") or component.has("tr"):
                raise ConfigurationError(f"{component} is no part of a request that can be demanded")
        if isinstance(tags, str) or not tags:
            raise ConfigurationError('tags is a sequence of tags, None for signatures without one: tags=("orders",)')
        if label is not None and LABEL.fullmatch(label) is None:
            raise ConfigurationError(f"a label is lower-case letters, digits and _-.*: {label!r}")
        if nonce and not created and not expires:
            raise ConfigurationError("a nonce is remembered while the signature is good: demand created or expires too")
        if max_signatures < 1 or max_components < 1:
            raise ConfigurationError("max_signatures and max_components are 1 or more")
        self.body, self.created, self.nonce, self.expires = body, created, nonce, expires
        self.tags = tuple(tags)
        self.label = label
        self.types = types_with(types)
        self.max_signatures, self.max_components = max_signatures, max_components
        self._always = frozenset(self.components)
        self._by_method = {method: self._always.union(more) for method, more in self.methods.items()}

    def __repr__(self) -> str:
        components = tuple(map(str, self.components))
        return f"SignaturePolicy(components={components!r}, body={self.body}, tags={self.tags!r})"

    def check_coverage(self, covered: frozenset[Component], request: Request) -> None:
        """That a signature covers what it must of `request`, apart from the body.

        Args:
            covered: what it covers, as `coverage` has it.
            request: the request.

        Raises:
            Rejected: NOT_COVERED, naming the first component that is missing.
        """
        needed = self._by_method.get(request.method, self._always) if self._by_method else self._always
        if request.target[:1] == b"/" and needed <= covered:
            return
        self._check_closely(covered, request, needed)

    def always_covered_by(self, covered: frozenset[Component]) -> bool:
        """Whether this is enough for any request in origin-form, whatever its method."""
        return not self._by_method and self._always <= covered

    def _check_closely(self, covered: frozenset[Component], request: Request, needed: frozenset[Component]) -> None:
        pathless = request.target[:1] != b"/" and b"://" not in request.target
        for component in (*self.components, *self.methods.get(request.method, ())):
            if component in covered or component not in needed:
                continue
            if component.name == "@query-param" and _QUERY in covered:
                continue
            if pathless and component in (_PATH, _QUERY):
                component = _REQUEST_TARGET  # noqa: PLW2901 -- it stands for them
                if component in covered or _TARGET_URI in covered:
                    continue
            raise Rejected(Reason.NOT_COVERED, "the signature does not cover it", where=str(component))

    def demands(self, method: str | None = None) -> tuple[Component, ...]:
        """What has to be covered, the digest of a body included, in the order to ask for it."""
        more = self.methods.get(method, ()) if method is not None else ()
        wanted = dict.fromkeys((*self.components, *more))
        if self.body and not any(component.name in DIGEST_FIELDS for component in wanted):
            wanted[Component("content-digest")] = None
        return tuple(wanted)


def coverage(components: Iterable[Component]) -> frozenset[Component]:
    """The components that are covered of a request with these, what they imply included."""
    covered: set[Component] = set()
    for component in components:
        if component.has("req") or component.has("tr"):
            continue
        covered.add(component)
        if component.name.startswith("@"):
            covered.update(_IMPLIED.get(component, ()))
        elif not component.has("key"):
            covered.add(Component(component.name))
    if covered.issuperset(_IMPLIED[_TARGET_URI]):
        covered.add(_TARGET_URI)
    return frozenset(covered)
