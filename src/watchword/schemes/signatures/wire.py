"""The fields Signature-Input and Signature (RFC 9421 §4): labelled signatures, read and written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from watchword.core.message import Headers
from watchword.core.rejection import Reason, Rejected
from watchword.fields.structured import Item, Member, StructuredFieldError, parse_dictionary, serialize_bare_item
from watchword.schemes.signatures.components import SignatureInput

__all__ = [
    "LABEL",
    "MAX_COMPONENTS",
    "MAX_OF_ANSWER",
    "MAX_SIGNATURES",
    "Labelled",
    "labelled_dictionary",
    "read_signatures",
    "with_signature",
]

MAX_SIGNATURES: Final = 8
"""How many labelled signatures of a message are read."""
MAX_COMPONENTS: Final = 32
"""How many components one signature may cover."""

MAX_OF_ANSWER: Final = 128
"""How many a signature of an answer may cover, or be asked to: it covers the request's fields too."""

LABEL: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*")
"""A label is the key of a dictionary (RFC 9651 §3.1.2)."""


class Labelled(NamedTuple):
    """One signature of a message (§4): what it covers and says of itself, and the signature."""

    label: str
    covered: SignatureInput
    signature: bytes


def read_signatures(
    headers: Headers, *, signatures: int = MAX_SIGNATURES, components: int = MAX_COMPONENTS
) -> list[Labelled]:
    """The labelled signatures of a message, in their order in Signature-Input.

    Args:
        headers: the field lines of the message.
        signatures: how many of them are read.
        components: how many components each may cover.

    Raises:
        Rejected: MALFORMED_CREDENTIALS: not such dictionaries, more than may be, a label in one of the two only or twice.

    >>> fields = ((b"signature-input", b'sig1=("@method");created=1'), (b"signature", b"sig1=:YWJj:"))
    >>> [str(one.covered) for one in read_signatures(fields)]
    ['("@method");created=1']
    """
    inputs = labelled_dictionary(
        [value for name, value in headers if name == b"signature-input"], "signature-input", signatures, components
    )
    values = labelled_dictionary([value for name, value in headers if name == b"signature"], "signature", signatures)
    if inputs.keys() != values.keys():
        raise _malformed("Signature-Input and Signature do not have the same labels", "signature")
    if len(inputs) > signatures:
        raise _malformed(f"{len(inputs)} signatures where at most {signatures} are read", "signature-input")
    found = []
    for label, member in inputs.items():
        value = values[label]
        if not isinstance(value, Item) or not isinstance(value.value, bytes):
            raise _malformed("a signature is no byte sequence", "signature")
        found.append(Labelled(label, SignatureInput.of(member, components), value.value))
    return found


def labelled_dictionary(
    lines: Sequence[bytes], field: str, signatures: int = MAX_SIGNATURES, components: int = 0
) -> Mapping[str, Member]:
    """A dictionary each of whose labels is given once: parsers keep one of two, not all the same (§4.1).

    Args:
        lines: the lines of the field.
        field: its name, for the error.
        signatures: how many labels are read.
        components: how many components each may have; none in Signature.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    # A component and one parameter of it, on average; the label, the signature, and the six parameters with their values.
    most = signatures * (2 * components + 14)
    try:
        return parse_dictionary(b", ".join(lines), unique=True, most=most)
    except StructuredFieldError as error:
        raise _malformed(str(error), field) from None


def with_signature(headers: Headers, label: str, covered: bytes, signature: bytes) -> Headers:
    """The lines of Signature-Input and Signature with one more signature, to put in the place of those in `headers`.

    Args:
        headers: the field lines of the message, with the signatures that it has already.
        label: the new label; it must not be among theirs.
        covered: what it covers, serialised.
        signature: its octets.
    """
    encoded = serialize_bare_item(signature).encode("ascii")
    added = {b"signature-input": covered, b"signature": encoded}
    return tuple(
        (field, b", ".join([*(value for name, value in headers if name == field), label.encode("ascii") + b"=" + text]))
        for field, text in added.items()
    )


def _malformed(detail: str, where: str) -> Rejected:
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=where)
