"""What a JSON Web Encryption is made of, in its compact and JSON forms (RFC 7516 §7), nothing decrypted.

And what both halves of JOSE have in common there: members, and headers that must not overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.encoding import b64url_encode, parse_object
from watchword.crypto.jose.compact import decode, read_header

__all__ = [
    "MAX_RECIPIENTS", "Envelope", "Member", "check_disjoint", "disjoint", "document", "member_object", "member_text",
    "merged", "read_envelope", "text",
]  # fmt: skip

MAX_RECIPIENTS = 16
"""How many recipients or signatures of one document are looked at."""


class Member(NamedTuple):
    """One recipient: its header, and the key as it was encrypted for it."""

    header: Mapping[str, Any]
    encrypted_key: bytes


class Envelope(NamedTuple):
    """The parts of a JWE, decoded (RFC 7516 §5.2, steps 1 to 4)."""

    protected: Mapping[str, Any]
    unprotected: Mapping[str, Any]
    recipients: Sequence[Member]
    iv: bytes
    ciphertext: bytes
    tag: bytes
    aad: bytes | None
    covered: bytes
    """What the tag covers besides: the protected header and `aad` as they are encoded."""


def document(token: str | bytes | Mapping[str, Any], limit: int) -> Mapping[str, Any] | bytes:
    """The object of a JSON serialization, or the octets of a compact one.

    Raises:
        Rejected: HEADER_TOO_LARGE or MALFORMED_CREDENTIALS.
    """
    if isinstance(token, Mapping):
        return token
    if len(token) > limit:
        raise Rejected(Reason.HEADER_TOO_LARGE, f"more than {limit} octets", where="token")
    try:
        octets = token.encode() if isinstance(token, str) else bytes(token)
        # No compact form starts so: "{" is not base64url (RFC 7516 §9).
        return parse_object(octets) if octets.lstrip(b" \t\r\n").startswith(b"{") else octets
    except UnicodeEncodeError:  # its text would show the token
        raise _malformed("token", "a lone surrogate") from None
    except ValueError as error:
        raise _malformed("token", str(error)) from None


def read_envelope(found: Mapping[str, Any] | bytes) -> Envelope:
    """The parts of a JWE.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    if isinstance(found, bytes):
        parts = found.split(b".", 5)
        if len(parts) != 5:
            raise _malformed("token", "not five segments of base64url (RFC 7516 §7.1)")
        names = ("encrypted_key", "iv", "ciphertext", "tag")
        key, iv, ciphertext, tag = (decode(part, name) for part, name in zip(parts[1:], names, strict=True))
        return Envelope(read_header(parts[0]), {}, (Member({}, key),), iv, ciphertext, tag, None, parts[0])
    head = member_text(found, "protected", b"")
    if "protected" in found and not head:
        raise _malformed("protected", "an empty header is left out (RFC 7516 §7.2.1)")
    covered = head
    aad = None
    if "aad" in found:
        aad = decode(member_text(found, "aad"), "aad")
        covered += b"." + member_text(found, "aad")
    envelope = Envelope(
        read_header(head) if head else {},
        member_object(found, "unprotected"),
        _recipients(found),
        decode(member_text(found, "iv", b""), "iv"),
        decode(member_text(found, "ciphertext"), "ciphertext"),
        decode(member_text(found, "tag", b""), "tag"),
        aad,
        covered,
    )
    for recipient in envelope.recipients:
        disjoint(envelope.protected, envelope.unprotected, recipient.header)
    return envelope


def _recipients(found: Mapping[str, Any]) -> Sequence[Member]:
    members = found.get("recipients", [found])
    if "recipients" in found and ("header" in found or "encrypted_key" in found):
        raise _malformed("recipients", "flattened and general form at once (RFC 7516 §7.2.2)")
    if not isinstance(members, (list, tuple)) or not 1 <= len(members) <= MAX_RECIPIENTS:
        raise _malformed("recipients", f"not a list of 1 to {MAX_RECIPIENTS}")
    if not all(isinstance(member, Mapping) for member in members):
        raise _malformed("recipients", "not a list of objects")
    return [
        Member(member_object(member, "header"), decode(member_text(member, "encrypted_key", b""), "encrypted_key"))
        for member in members
    ]


def member_text(found: Mapping[str, Any], name: str, default: bytes | None = None) -> bytes:
    """The octets of a member that has to be a text.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    if name not in found and default is not None:
        return default
    value = found.get(name)
    if not isinstance(value, str):
        raise _malformed(name, "this member has to be a text")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise _malformed(name, "a lone surrogate") from None


def member_object(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A member that has to be an object, or an empty one for none.

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    value = found.get(name, {})
    if not isinstance(value, Mapping):
        raise _malformed(name, "this member has to be an object")
    return value


def disjoint(*headers: Mapping[str, Any]) -> None:
    """Nothing, if no member name is in two of these headers (RFC 7515 §7.2.1, RFC 7516 §7.2.1).

    Raises:
        Rejected: MALFORMED_CREDENTIALS.
    """
    if len({name for header in headers for name in header}) != sum(map(len, headers)):
        raise _malformed("header", "a member stands in two headers: which of them counts is anybody's guess")


def merged(members: Mapping[str, object], more: Mapping[str, object]) -> dict[str, object]:
    """`members` and `more` for a header to be written.

    Raises:
        ConfigurationError: `more` contradicts `members`, or demands an extension.
    """
    result = dict(members)
    for name, value in more.items():
        if name == "crit" or result.setdefault(name, value) != value:
            raise ConfigurationError(f"the header member {name!r} is the key's to say, or not supported: leave it out")
    return result


def check_disjoint(*headers: Mapping[str, object]) -> None:
    """`disjoint` for headers to be written.

    Raises:
        ConfigurationError: a member stands in two.
    """
    try:
        disjoint(*headers)
    except Rejected as error:
        raise ConfigurationError(error.rejection.detail) from None


def text(octets: bytes) -> str:
    """base64url, as JSON holds it."""
    return b64url_encode(octets).decode()


def _malformed(where: str, detail: str) -> Rejected:
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=where)
