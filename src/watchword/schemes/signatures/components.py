"""What a signature covers and says of itself (RFC 9421 §2): component identifiers and signature parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.fields.structured import (
    InnerList,
    Item,
    Member,
    StructuredFieldError,
    parse_item,
    serialize_bare_item,
)

__all__ = [
    "DERIVED",
    "FIELD_TYPES",
    "PARAMETERS",
    "Component",
    "SignatureInput",
    "components_of",
    "covered_text",
    "is_field_name",
    "params_text",
    "types_with",
]

DERIVED: Final = frozenset(
    ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "@query-param", "@status"]
)
"""The derived components (§2.2); `@signature-params` is always the last line and never listed (§2.3)."""

PARAMETERS: Final[Mapping[str, type]] = {
    "created": int, "expires": int, "nonce": str, "alg": str, "keyid": str, "tag": str,
}  # fmt: skip
"""The signature parameters (§2.3) and the types of their values."""

FIELD_TYPES: Final[Mapping[str, str]] = {
    # RFC 9421 §4.1, §4.2, §5.1
    "signature": "dictionary", "signature-input": "dictionary", "accept-signature": "dictionary",
    # RFC 9530 §2 to §4
    "content-digest": "dictionary", "repr-digest": "dictionary", "want-content-digest": "dictionary",
    "want-repr-digest": "dictionary",
    # RFC 9211 §2, RFC 9209 §2, RFC 9213 §3.1, RFC 9218 §5, RFC 9297 §3.4, RFC 9440 §2
    "cache-status": "list", "proxy-status": "list", "cdn-cache-control": "dictionary", "priority": "dictionary",
    "capsule-protocol": "item", "client-cert": "item", "client-cert-chain": "list",
    # RFC 8942 §3.1, RFC 9745 §2, RFC 9729 §3.6, RFC 9842 §2
    "accept-ch": "list", "deprecation": "item", "concealed-auth-export": "item", "use-as-dictionary": "dictionary",
    "available-dictionary": "item", "dictionary-id": "item",
    # HTML §7.1, §7.2; Permissions Policy §5.2; Reporting §3.2
    "cross-origin-embedder-policy": "item", "cross-origin-embedder-policy-report-only": "item",
    "cross-origin-opener-policy": "item", "cross-origin-opener-policy-report-only": "item",
    "origin-agent-cluster": "item", "permissions-policy": "dictionary", "reporting-endpoints": "dictionary",
    # Fetch Metadata §2, UA Client Hints §3
    "sec-fetch-dest": "item", "sec-fetch-mode": "item", "sec-fetch-site": "item", "sec-fetch-user": "item",
    "sec-ch-ua": "list", "sec-ch-ua-mobile": "item", "sec-ch-ua-platform": "item", "sec-gpc": "item",
}  # fmt: skip
"""The structured type of the fields that are registered with one: what `;sf` (§2.1.1) needs to know."""


def types_with(types: Mapping[str, str] | None) -> Mapping[str, str]:
    """The registered types, and those of further fields.

    Raises:
        ConfigurationError: a name with capitals, or a type that there isn't.

    >>> types_with({"x-cart": "dictionary"})["x-cart"]
    'dictionary'
    """
    for name, kind in (types or {}).items():
        if kind not in ("item", "list", "dictionary") or name != name.lower():
            raise ConfigurationError(
                f'types maps field names in lower case to "item", "list" or "dictionary": {name!r}'
            )
    return {**FIELD_TYPES, **types} if types else FIELD_TYPES


_FIELD_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")  # RFC 9110 §5.1 in lower case
_KEY: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*")  # RFC 9651 §3.1.2
_FLAGS: Final = frozenset({"sf", "bs", "tr", "req"})
_OF_FIELDS: Final = _FLAGS | {"key"}


class Component(NamedTuple):
    """A component identifier (§2): a name in lower case and its parameters, in order.

    >>> Component.parse('@query-param;name="Pet"')
    Component(name='@query-param', params=(('name', 'Pet'),))
    >>> str(Component("content-digest", (("req", True),)))
    '"content-digest";req'
    """

    name: str
    params: tuple[tuple[str, str | bool], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Component:
        """An identifier as developers write it: as on the wire, or with the quotes of its name left out.

        Raises:
            ConfigurationError: it is none that can be covered.
        """
        if not text.startswith('"'):
            name, semicolon, rest = text.partition(";")
            text = f'"{name.lower()}"{semicolon}{rest}'
        try:
            return cls.of(parse_item(text))
        except StructuredFieldError as error:
            raise ConfigurationError(f"{text[:80]!r} is no component identifier: {error}") from None
        except Rejected as rejected:
            raise ConfigurationError(f"{text[:80]!r} can't be covered: {rejected.rejection.detail}") from None

    @classmethod
    def of(cls, item: Item) -> Component:
        """The identifier that is this item of the wire, checked.

        Raises:
            Rejected: MALFORMED_CREDENTIALS: unknown, or a parameter that it can't have.
        """
        name = item.value
        if type(name) is not str:
            raise _malformed("a component identifier is no string")
        params = tuple(item.params.items())
        _check(name, dict(params))
        return cls(name, params)  # type: ignore[arg-type] # checked

    @property
    def identity(self) -> tuple[str, frozenset[tuple[str, str | bool]]]:
        """What two spellings of one component have in common: the order of parameters says nothing (§2)."""
        return self.name, frozenset(self.params)

    def has(self, flag: str) -> bool:
        """Whether it has this parameter."""
        return any(name == flag for name, _ in self.params)

    def param(self, name: str) -> str | None:
        """The text of this parameter; None if it has none."""
        for key, value in self.params:
            if key == name and isinstance(value, str):
                return value
        return None

    def __str__(self) -> str:
        """As the signature base and Signature-Input have it (§2.5): a serialised Item."""
        return serialize_bare_item(self.name) + "".join(
            f";{name}" if value is True else f";{name}={serialize_bare_item(value)}" for name, value in self.params
        )


def _check(name: str, params: Mapping[str, object]) -> None:
    if name.startswith("@"):
        allowed = _check_derived(name, params)
    else:
        if _FIELD_NAME.fullmatch(name) is None:
            raise _malformed("a covered field's name is no field name in lower case")
        allowed = _OF_FIELDS
    for param, value in params.items():
        if param not in allowed:
            raise _malformed(f"{name} has a parameter that it can't have")
        if param in _FLAGS and value is not True:
            raise _malformed(f"the parameter {param} of {name} has a value")
    if "bs" in params and ("sf" in params or "key" in params):
        raise _malformed(f"{name} has bs beside sf or key (RFC 9421 §2.1)")
    key = params.get("key", "a")
    if type(key) is not str or _KEY.fullmatch(key) is None:
        raise _malformed(f"the parameter key of {name} is no dictionary key")


def _check_derived(name: str, params: Mapping[str, object]) -> frozenset[str]:
    if name not in DERIVED:
        raise _malformed(
            "@signature-params is covered always and never listed"
            if name == "@signature-params"
            else "a derived component that is not known"
        )
    if name == "@query-param":
        if type(params.get("name")) is not str:
            raise _malformed("@query-param has no name")
        return frozenset({"name", "req"})
    return frozenset() if name == "@status" else frozenset({"req"})


def components_of(texts: Iterable[str]) -> tuple[Component, ...]:
    """What developers list as covered components.

    Raises:
        ConfigurationError: one that can't be covered, or twice the same.

    >>> [str(component) for component in components_of(("@method", "Content-Type"))]
    ['"@method"', '"content-type"']
    """
    if isinstance(texts, str):
        raise ConfigurationError(f"components is a sequence of identifiers: components=({texts!r},)")
    components = tuple(Component.parse(text) for text in texts)
    if len({component.identity for component in components}) < len(components):
        raise ConfigurationError("components names the same component twice (RFC 9421 §2)")
    return components


def covered_text(components: Sequence[Component]) -> str:
    """The inner list of covered components, serialised (§2.3)."""
    return f"({' '.join(map(str, components))})"


def params_text(params: Mapping[str, int | str]) -> str:
    """Signature parameters, serialised in the order that they have (§2.3).

    Raises:
        ConfigurationError: a text that no String holds, or a number of more than 15 digits.

    >>> params_text({"created": 1618884473, "keyid": "test"})
    ';created=1618884473;keyid="test"'
    """
    try:
        return "".join(f";{name}={serialize_bare_item(value)}" for name, value in params.items())
    except StructuredFieldError as error:
        raise ConfigurationError(f"a signature parameter can't be sent: {error}") from None


def is_field_name(name: bytes) -> bool:
    """Whether a field of this name can be covered: it is in lower case, and such a name (RFC 9110 §5.1).

    >>> is_field_name(b"x-tenant"), is_field_name(b"X-Tenant"), is_field_name(b"a b")
    (True, False, False)
    """
    return name.isascii() and _FIELD_NAME.fullmatch(name.decode("ascii")) is not None


class SignatureInput(NamedTuple):
    """One member of Signature-Input (§4.1): the covered components and the signature parameters, in order.

    >>> covered = SignatureInput((Component("@method"),), {"created": 1618884473})
    >>> str(covered)
    '("@method");created=1618884473'
    """

    components: tuple[Component, ...]
    params: Mapping[str, int | str]

    @classmethod
    def of(cls, member: Member, limit: int) -> SignatureInput:
        """The member of the wire, checked.

        Args:
            member: a member of the dictionary.
            limit: how many components it may cover.

        Raises:
            Rejected: MALFORMED_CREDENTIALS: no inner list of known components, one of them twice, more than `limit`, or a
                parameter that is not known or of another type.
        """
        if not isinstance(member, InnerList):
            raise _malformed("a member is no list of covered components")
        if len(member.items) > limit:
            raise _malformed(f"{len(member.items)} components are covered where at most {limit} are read")
        components = tuple(Component.of(item) for item in member.items)
        if len({component.identity for component in components}) < len(components):
            raise _malformed("a component is covered twice")
        for name, value in member.params.items():
            if name not in PARAMETERS:
                raise _malformed("a signature parameter that is not known")
            if type(value) is not PARAMETERS[name]:
                raise _malformed(f"the parameter {name} is of another type")
        return cls(components, member.params)  # type: ignore[arg-type] # checked

    @property
    def created(self) -> int | None:
        """Seconds since the epoch."""
        return self.params.get("created")  # type: ignore[return-value] # checked

    @property
    def expires(self) -> int | None:
        """Seconds since the epoch."""
        return self.params.get("expires")  # type: ignore[return-value] # checked

    def text_param(self, name: str) -> str | None:
        """nonce, alg, keyid or tag."""
        return self.params.get(name)  # type: ignore[return-value] # checked

    def __str__(self) -> str:
        """The value of `@signature-params` (§2.3)."""
        return covered_text(self.components) + params_text(self.params)


def _malformed(detail: str) -> Rejected:
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where="signature-input")
