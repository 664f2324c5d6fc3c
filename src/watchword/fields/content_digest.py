"""Content-Digest, Repr-Digest and what asks for them (RFC 9530): the fields; the hashing is `crypto.digests`'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from watchword.core.rejection import Reason, Rejected
from watchword.fields.structured import (
    Item,
    StructuredFieldError,
    parse_dictionary,
    serialize_dictionary,
)

__all__ = ["ACTIVE", "digest_field", "read_digests", "read_preferences"]

ACTIVE: Final = ("sha-512", "sha-256")
"""The algorithms whose status is "Active" (RFC 9530 §7.2), the stronger first; the others are not for security."""

_MAX_PARTS: Final = 128
"""Names and values: thirteen algorithms were ever registered."""


def digest_field(digests: Mapping[str, bytes]) -> bytes:
    """The value of Content-Digest or Repr-Digest (§2, §3).

    >>> digest_field({"sha-256": bytes(32)})
    b'sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:'
    """
    return serialize_dictionary({name: Item(value) for name, value in digests.items()}).encode()


def read_digests(values: Sequence[bytes], field: str = "content-digest") -> dict[str, bytes]:
    r"""The digests of a field, by algorithm; those of algorithms that nobody should rely on are left out.

    Args:
        values: the field's lines.
        field: its name, for the refusal.

    Raises:
        Rejected: MALFORMED_CREDENTIALS: not a dictionary of byte sequences, or a digest of the wrong length.

    >>> read_digests([b"sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:, md5=:AAAA:"])["sha-256"][:2]
    b'\x00\x00'
    """
    digests: dict[str, bytes] = {}
    for name, member in _dictionary(values, field).items():
        if not isinstance(member, Item) or not isinstance(member.value, bytes):
            raise Rejected(Reason.MALFORMED_CREDENTIALS, f"{name} is no byte sequence", where=field)
        if name not in ACTIVE:
            continue
        if len(member.value) * 8 != int(name.removeprefix("sha-")):
            raise Rejected(Reason.MALFORMED_CREDENTIALS, f"{name} has {len(member.value)} octets", where=field)
        digests[name] = member.value
    return digests


def read_preferences(values: Sequence[bytes], field: str = "want-content-digest") -> list[str]:
    """The algorithms of Want-Content-Digest or Want-Repr-Digest (§4) that we can make, most wanted first.

    Raises:
        Rejected: MALFORMED_REQUEST: not a dictionary of integers from 0 to 10.

    >>> read_preferences([b"sha-256=3, sha-512=10, unixsum=0"])
    ['sha-512', 'sha-256']
    """
    wanted: dict[str, int] = {}
    for name, member in _dictionary(values, field, Reason.MALFORMED_REQUEST).items():
        value = member.value if isinstance(member, Item) else None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10:
            raise Rejected(Reason.MALFORMED_REQUEST, f"{name} is no integer from 0 to 10", where=field)
        if name in ACTIVE and value > 0:
            wanted[name] = value
    return sorted(wanted, key=lambda name: (-wanted[name], ACTIVE.index(name)))


def _dictionary(
    values: Sequence[bytes], field: str, reason: Reason = Reason.MALFORMED_CREDENTIALS
) -> Mapping[str, object]:
    text = b", ".join(values)
    try:
        return parse_dictionary(text, most=_MAX_PARTS)
    except StructuredFieldError as error:
        raise Rejected(reason, str(error), where=field) from None
