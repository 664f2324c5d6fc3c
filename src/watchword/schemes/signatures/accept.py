"""Accept-Signature (RFC 9421 §5): what one side wants the other to sign, read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from watchword.core.rejection import Reason, Rejected
from watchword.fields.structured import InnerList, Item, StructuredFieldError, parse_dictionary, serialize_dictionary
from watchword.schemes.signatures.components import Component
from watchword.schemes.signatures.wire import MAX_OF_ANSWER, MAX_SIGNATURES

__all__ = ["Wanted", "accept_signature", "read_accept_signature"]

_FLAGS: Final = frozenset({"created", "expires"})
_TEXTS: Final = frozenset({"nonce", "alg", "keyid", "tag"})
_LONGEST: Final = 512
"""Characters of one text: it comes back in the signature."""
_MAX_PARTS: Final = MAX_SIGNATURES * (2 * MAX_OF_ANSWER + 14)


class Wanted(NamedTuple):
    """One signature that is asked for (§5.1).

    Args:
        label: under which it is to be sent.
        components: what it has to cover at least.
        params: the parameters that it has to have; created and expires are True where they are wanted.
    """

    label: str
    components: tuple[Component, ...]
    params: Mapping[str, str | bool]

    def text(self, name: str) -> str | None:
        """nonce, alg, keyid or tag; None where it doesn't matter."""
        value = self.params.get(name)
        return value if isinstance(value, str) else None


def accept_signature(wanted: Sequence[Wanted]) -> bytes:
    """The value of the field.

    >>> accept_signature([Wanted("sig1", (Component("@status"),), {"created": True, "tag": "app"})])
    b'sig1=("@status");created;tag="app"'
    """
    members = {
        one.label: InnerList([Item(it.name, dict(it.params)) for it in one.components], one.params) for one in wanted
    }
    return serialize_dictionary(members).encode()


def read_accept_signature(values: Sequence[bytes]) -> list[Wanted]:
    """The signatures that a field asks for, in order.

    Args:
        values: its lines.

    Raises:
        Rejected: MALFORMED_REQUEST: no dictionary of lists of components, more than may be, or a parameter that nobody knows.

    >>> read_accept_signature([b'sig1=("@status" "content-digest");created;nonce="n"'])[0].params
    {'created': True, 'nonce': 'n'}
    """
    try:
        members = parse_dictionary(b", ".join(values), most=_MAX_PARTS)
    except StructuredFieldError as error:
        raise _malformed(str(error)) from None
    if len(members) > MAX_SIGNATURES:
        raise _malformed(f"{len(members)} signatures where at most {MAX_SIGNATURES} are read")
    wanted = []
    for label, member in members.items():
        if not isinstance(member, InnerList) or len(member.items) > MAX_OF_ANSWER:
            raise _malformed(f"a member is no list of at most {MAX_OF_ANSWER} components")
        try:
            components = tuple(Component.of(item) for item in member.items)
        except Rejected as rejected:
            raise _malformed(rejected.rejection.detail) from None
        wanted.append(Wanted(label, components, _params(member)))
    return wanted


def _params(member: InnerList) -> dict[str, str | bool]:
    params: dict[str, str | bool] = {}
    for name, value in member.params.items():
        if name in _FLAGS and value is True:
            params[name] = True
        elif name in _TEXTS and type(value) is str and len(value) <= _LONGEST:
            params[name] = value
        else:
            raise _malformed("a parameter that is not known, is too long, or is of another type")
    return params


def _malformed(detail: str) -> Rejected:
    return Rejected(Reason.MALFORMED_REQUEST, detail, where="accept-signature")
