"""A compact JWS (RFC 7515 §7.1) taken apart for the drop-ins, nothing verified; PyJWT and python-jose have the same texts."""

from __future__ import annotations

from typing import Any

from watchword.crypto.encoding import parse_object
from watchword.crypto.jose import MAX_TOKEN
from watchword.dropin._octets import from_base64url

__all__ = ["Unreadable", "read_header", "read_object", "segment", "split"]


class Unreadable(ValueError):
    """It is no such token; the text is the one that programs know."""


def split(token: str | bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Header, payload and signature as they are encoded, and what was signed.

    Raises:
        Unreadable: not text, too long, or not three segments.
    """
    if not isinstance(token, (str, bytes)):
        raise Unreadable(f"Invalid token type. Token must be a {bytes}")
    if len(token) > MAX_TOKEN:
        raise Unreadable(f"Token too long: more than {MAX_TOKEN} octets")
    octets = token if isinstance(token, bytes) else token.encode(errors="replace")  # "?" is in no segment
    signing_input, _, tail = octets.rpartition(b".")
    head, dot, body = signing_input.partition(b".")
    if not dot:
        raise Unreadable("Not enough segments")
    return head, body, tail, signing_input


def segment(encoded: bytes, name: str) -> bytes:
    """What a segment encodes; `name` is for the text of the error.

    Raises:
        Unreadable: not base64url.
    """
    try:
        return from_base64url(encoded)
    except ValueError:
        raise Unreadable(f"Invalid {name} padding") from None


def read_header(head: bytes) -> dict[str, Any]:
    """The members of a header, unchecked.

    Raises:
        Unreadable: not base64url, or not one sound JSON object.
    """
    return read_object(segment(head, "header"), "header")


def read_object(octets: bytes, name: str) -> dict[str, Any]:
    """The members of a JSON object; `name` is for the text of the error.

    Raises:
        Unreadable: it is none, or not a sound one.
    """
    try:
        return parse_object(octets)
    except ValueError as error:
        why = "must be a json object" if str(error) == "not a JSON object" else str(error)
        raise Unreadable(f"Invalid {name} string: {why}") from None
