"""Public keys that somebody else chose: those that cost too much, or prove nothing, are refused wherever they come in.

Whoever publishes a key decides what each signature under it costs us: an exponent of 3071 bits takes 180 times as long as the
usual one (NIST SP 800-56B §6.2 and FIPS 186-5 §A.1.1 allow none above 256 bits).
"""

from __future__ import annotations

from typing import Any, Final

from watchword.core.rejection import ConfigurationError

__all__ = ["LARGEST_MODULUS", "check_order", "check_rsa"]

LARGEST_MODULUS: Final = 8192
"""Bits; a signature under such a key takes 14 times as long as under one of 2048."""
_LARGEST_EXPONENT: Final = 2**33


def check_rsa(modulus: int, exponent: int) -> None:
    """Nothing, if a signature under this RSA key (RFC 8017 §3.1) is checked in little time.

    Raises:
        ConfigurationError: the modulus is longer than `LARGEST_MODULUS`, or the exponent is even, 1, or 2**33 or more.
    """
    if modulus.bit_length() > LARGEST_MODULUS:
        raise ConfigurationError(
            f"this RSA key has {modulus.bit_length()} bits, more than {LARGEST_MODULUS}: each signature would take too long"
        )
    if not (3 <= exponent < _LARGEST_EXPONENT and exponent % 2):
        raise ConfigurationError(
            "the public exponent of this RSA key is even, below 3, or 2**33 or more: the usual one is 65537 (RFC 8017 §3.1)"
        )


# The y of the points of small order, and the fields' primes (RFC 8032 §5.1, §5.2): four of order 8 have two y between them.
_P25519: Final = 2**255 - 19
_P448: Final = 2**448 - 2**224 - 1
_Y8: Final = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_SMALL_ORDER: Final = {
    "Ed25519": (_P25519, 255, frozenset((0, 1, _P25519 - 1, _Y8, _P25519 - _Y8))),
    "Ed448": (_P448, 448, frozenset((0, 1, _P448 - 1))),
}


def check_order(curve: str, public: Any) -> None:
    """Nothing, if a public key on Ed25519, Ed448, X25519 or X448 is no point of small order.

    Under such a key a signature fits many messages or all (RFC 8032 §8.9), and an agreement gives what everybody knows
    (RFC 7748 §6.1).

    Raises:
        ConfigurationError: it is one.
    """
    if curve in _SMALL_ORDER:
        prime, bits, points = _SMALL_ORDER[curve]
        y = int.from_bytes(public.public_bytes_raw(), "little") % 2**bits  # without the sign of x
        small = y % prime in points
    else:
        small = _agrees_on_nothing(curve, public)
    if small:
        raise ConfigurationError(
            f"this {curve} key is a point of small order, which proves nothing (RFC 8032 §8.9, RFC 7748 §6.1)"
        )


def _agrees_on_nothing(curve: str, public: Any) -> bool:
    from cryptography.hazmat.primitives.asymmetric import x448, x25519  # noqa: PLC0415 -- loads OpenSSL's asymmetric half

    # Every scalar of these is a multiple of the cofactor, so any of them takes a point of small order to zero.
    any_key: Any = (
        x25519.X25519PrivateKey.from_private_bytes(bytes(32))
        if curve == "X25519"
        else x448.X448PrivateKey.from_private_bytes(bytes(56))
    )
    try:
        any_key.exchange(public)
    except ValueError:
        return True
    return False
