"""Signatures with SHA-1, for protocols whose peers speak nothing better: OAuth 1 (RFC 5849 §3.4.2, §3.4.3).

SHA-1 collides (RFC 6194): whoever has two texts of his own choice signed as one can swap them. As a MAC it still holds, as a
signature it does not last. Nothing here is in the table of algorithms, so no JWT, JWS or message signature can name it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

from watchword.structures.in_process import InProcess
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.foreign_keys import check_rsa

__all__ = ["MINIMUM_BITS", "WeakRSAKey", "weak_hmac_sha1"]

MINIMUM_BITS: Final = 1024
"""Of the modulus of keys for RSA-SHA1; those in use are of its time."""


def weak_hmac_sha1(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-1 (RFC 2104).

    >>> weak_hmac_sha1(b"Jefe", b"what do ya want for nothing?").hex()[:16]  # RFC 2202 §3
    'effcdf6ae5eb2fa2'
    """
    return hmac.digest(key, data, "sha1")


class WeakRSAKey(InProcess):
    """An RSA key for RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8017 §8.2). `signer` is None for a public key.

    Args:
        pem: the key, public or private (RFC 7468).

    Raises:
        ConfigurationError: no such key, or one of fewer than `MINIMUM_BITS`. The message holds nothing of it.
    """

    __slots__ = ("signer", "verifier")

    signer: Callable[[bytes], bytes] | None
    verifier: Callable[[bytes, bytes], None]

    def __init__(self, pem: bytes) -> None:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 -- only where used
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 -- as above
        from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415 -- as above

        from watchword.crypto.key_texts import read_pem  # noqa: PLC0415 -- as above

        public, private = read_pem(pem)
        if not isinstance(public, rsa.RSAPublicKey) or public.key_size < MINIMUM_BITS:
            raise ConfigurationError(f"RSA-SHA1 needs an RSA key of at least {MINIMUM_BITS} bits")
        numbers = public.public_numbers()
        check_rsa(numbers.n, numbers.e)
        scheme, hashed = padding.PKCS1v15(), hashes.SHA1()  # noqa: S303 -- it is what this module is for

        def verify(data: bytes, signature: bytes) -> None:
            try:
                public.verify(signature, data, scheme, hashed)
            except InvalidSignature:
                raise Rejected(Reason.WRONG_SIGNATURE, "the signature does not fit", where="signature") from None

        def sign(data: bytes) -> bytes:
            signature: bytes = private.sign(data, scheme, hashed)
            return signature

        self.verifier = verify
        self.signer = None if private is None else sign
