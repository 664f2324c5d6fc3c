"""Signatures by private keys: nothing can be compared with them, and each try is a verification, so few are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from watchword.core.rejection import ConfigurationError, Rejected
from watchword.crypto.keys import Key
from watchword.schemes.explaining.search import DEAR, Fit
from watchword.schemes.explaining.received import layers

__all__ = ["price_of", "verified_by", "verifies", "written_otherwise"]

_PRICES: Final = {
    "ES384": 4 * DEAR,
    "ES512": 4 * DEAR,
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), DEAR // 2),
}
"""Where it is another one."""


def price_of(keys: Sequence[Key]) -> int:
    """Steps that it takes to verify a signature with each of them."""
    return sum(_PRICES.get(key.algorithm, DEAR) for key in keys)


def verifies(key: Key, text: bytes, signature: bytes) -> bool:
    """Whether the signature is by this key."""
    try:
        key.verify(text, signature)
    except (Rejected, ConfigurationError):  # a key for encryption verifies nothing
        return False
    return True


def verified_by(keys: Sequence[Key], signature: bytes) -> Fit:
    """Whether a text is what the signature is of, by one of the keys."""
    return lambda text: "" if any(verifies(key, text, signature) for key in keys) else None


def written_otherwise(sent: bytes) -> Iterator[tuple[str, bytes]]:
    """What the octets of a signature may be that was sent as `sent`, with words that complete "it is written …".

    >>> next(what for what, octets in written_otherwise(b"eHl6Yw==") if octets == b"zcxy")
    'in base64, its halves (r and s) exchanged'
    """
    for what, octets in layers(sent):
        half = len(octets) // 2
        yield what, octets
        yield f"{what}, its halves (r and s) exchanged", octets[half:] + octets[:half]
