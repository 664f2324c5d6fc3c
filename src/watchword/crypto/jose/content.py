"""Content encryption: AES-GCM and AES-CBC with HMAC (RFC 7518 §5), and the compression that may come before it.

Imported when something is encrypted or decrypted, never before: it loads OpenSSL's ciphers.
"""

from __future__ import annotations

import hmac
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7

from watchword.core.rejection import Reason, Rejected
from watchword.crypto.algorithms import Algorithm

__all__ = ["deflate", "inflate", "iv_size", "open_sealed", "seal", "tag_size", "undecipherable"]

_BLOCK = 128


def iv_size(row: Algorithm) -> int:
    """Octets of the initialization vector: 96 bits for GCM (RFC 7518 §5.3), a block for CBC (§5.2.2.1)."""
    return 12 if row.family == "AES-GCM" else 16


def tag_size(row: Algorithm) -> int:
    """Octets of the authentication tag: 128 bits for GCM, half of the hash with CBC (RFC 7518 §5.2.2.1, §5.3)."""
    return 16 if row.family == "AES-GCM" else row.minimum // 2


def undecipherable() -> Rejected:
    """The one refusal for whatever went wrong after the first secret was used: wrong key, wrong padding, wrong tag.

    Telling them apart is what the attacks of Bleichenbacher, Manger and Vaudenay need (RFC 7516 §11.5).
    """
    return Rejected(Reason.WRONG_SIGNATURE, "it can't be decrypted: another key, or it was changed", where="ciphertext")


def seal(row: Algorithm, key: bytes, iv: bytes, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
    """The ciphertext and its authentication tag."""
    if row.family == "AES-GCM":
        sealed = AESGCM(key).encrypt(iv, plaintext, aad)
        return sealed[:-16], sealed[-16:]
    half = row.minimum // 2
    padder = PKCS7(_BLOCK).padder()
    cipher = Cipher(algorithms.AES(key[half:]), modes.CBC(iv)).encryptor()
    ciphertext = cipher.update(padder.update(plaintext) + padder.finalize()) + cipher.finalize()
    return ciphertext, _tag(row, key[:half], iv, ciphertext, aad)


def open_sealed(row: Algorithm, key: bytes, iv: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes:
    """The plaintext; `key`, `iv` and `tag` have the lengths that `row` demands.

    Raises:
        Rejected: `undecipherable`, after the same steps whatever is wrong.
    """
    if row.family == "AES-GCM":
        try:
            return AESGCM(key).decrypt(iv, ciphertext + tag, aad)
        except InvalidTag:
            raise undecipherable() from None
    half = row.minimum // 2
    # The tag is judged before a block is decrypted: padding that isn't authentic is never looked at (RFC 7518 §5.2.2.2).
    if not hmac.compare_digest(_tag(row, key[:half], iv, ciphertext, aad), tag):
        raise undecipherable()
    try:
        cipher = Cipher(algorithms.AES(key[half:]), modes.CBC(iv)).decryptor()
        unpadder = PKCS7(_BLOCK).unpadder()
        return unpadder.update(cipher.update(ciphertext) + cipher.finalize()) + unpadder.finalize()
    except ValueError:
        raise undecipherable() from None


def _tag(row: Algorithm, key: bytes, iv: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    """RFC 7518 §5.2.2.1: the left half of the HMAC, which also covers how many bits the associated data has."""
    covered = aad + iv + ciphertext + (len(aad) * 8).to_bytes(8)
    return hmac.digest(key, covered, row.hash)[: tag_size(row)]


def deflate(plaintext: bytes, *, zlib_header: bool = False) -> bytes:
    """`plaintext` compressed as "zip": "DEF" says, without any header (RFC 7516 §4.1.3, RFC 1951); or with one, as in `inflate`."""
    compressor = zlib.compressobj(wbits=zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)
    return compressor.compress(plaintext) + compressor.flush()


def inflate(data: bytes, limit: int, *, zlib_header: bool = False) -> bytes:
    """What `data`, deflated, was; never more than `limit` octets are made.

    Args:
        data: the octets.
        limit: the most that they may become.
        zlib_header: they are in zlib's format (RFC 1950), which is not what "DEF" says, but what python-jose writes.

    Raises:
        Rejected: HEADER_TOO_LARGE or MALFORMED_CREDENTIALS.
    """
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)
    try:
        plaintext = inflater.decompress(data, limit + 1)
    except zlib.error:
        raise Rejected(Reason.MALFORMED_CREDENTIALS, "not DEFLATE (RFC 1951)", where="zip") from None
    if len(plaintext) > limit:
        raise Rejected(Reason.HEADER_TOO_LARGE, f"it inflates to more than {limit} octets", where="zip")
    if not inflater.eof or inflater.unused_data:
        raise Rejected(Reason.MALFORMED_CREDENTIALS, "not one whole DEFLATE stream (RFC 1951)", where="zip")
    return plaintext
