"""What a signer with a private key did otherwise: another text, or another writing of the signature (RFC 7515 §5.1).

Nothing can be compared, each try costs a verification: so one step is varied at a time, and few tries are made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from watchword.core.rejection import ConfigurationError, Rejected
from watchword.core.scheme import Check
from watchword.crypto.keys import Key
from watchword.schemes.explaining.typed_text import base64_octets

__all__ = ["MAX_VERIFICATIONS", "public_key_mistake"]

MAX_VERIFICATIONS: Final = 128
"""Verifications about one token."""
_SIGN: Final = "sign the header's and the payload's base64url with a dot between them, as they are sent (RFC 7515 §5.1)"
_WRITE: Final = "write the octets of the signature in base64url, once and whole (RFC 7515 §5.1)"


def public_key_mistake(keys: Sequence[Key], head: bytes, payload: bytes, tail: bytes) -> Sequence[Check]:
    """The one thing done otherwise under which the signature fits one of `keys`; nothing if none is found.

    >>> key = Key.generate("ES256")
    >>> tail = key.sign(b"e30.e30").hex().encode()
    >>> public_key_mistake([key], b"e30", b"e30", tail)[0].received
    'in hexadecimal digits'
    """
    signature = base64_octets(tail) or b""
    right = head + b"." + payload
    tries = [(what, _SIGN, text, signature) for what, text in _texts(head, payload)]
    tries += [(what, _WRITE, right, octets) for what, octets in _written(tail, signature)]
    public = [key for key in keys if not key.is_secret and key.use == "sig"]
    pairs = ((key, each) for key in public for each in tries)
    for key, (what, mend, text, octets) in islice(pairs, MAX_VERIFICATIONS):
        if octets and _fits(key, text, octets):
            return [Check("signature", False, "signature", "the signature of header and payload", what, mend)]
    if len(public) * len(tries) > MAX_VERIFICATIONS:
        mend = f"the search was cut after {MAX_VERIFICATIONS} verifications"
        return [Check("signature", False, "signature", "made by that key", f"{len(tail)} characters", mend)]
    return ()


def _texts(head: bytes, payload: bytes) -> Iterator[tuple[str, bytes]]:
    yield "of the payload alone", payload
    yield "of header and payload without the dot", head + payload
    opened = base64_octets(head), base64_octets(payload)
    if opened[0] is not None and opened[1] is not None:
        yield "of the JSON texts instead of their base64url", opened[0] + b"." + opened[1]
        yield "of the payload's JSON text alone", opened[1]
    yield "with padding after both", b".".join(segment + b"=" * (-len(segment) % 4) for segment in (head, payload))
    yield "with a line end after them", head + b"." + payload + b"\n"


def _written(tail: bytes, signature: bytes) -> Iterator[tuple[str, bytes]]:
    for what, text in (("in hexadecimal digits", tail), ("in hexadecimal digits, and those in base64url", signature)):
        try:
            yield what, bytes.fromhex(text.decode("ascii"))
        except ValueError:
            continue
    yield "in base64 twice", base64_octets(signature) or b""
    half = len(signature) // 2
    yield "with its halves, r and s, exchanged", signature[half:] + signature[:half]


def _fits(key: Key, text: bytes, signature: bytes) -> bool:
    try:
        key.verify(text, signature)
    except (Rejected, ConfigurationError):
        return False
    return True
