"""Hashes by their registered names, HMAC-SHA-256, and the comparison that takes the same time whatever differs.

Names are those of the HTTP Digest Algorithm Values registry (RFC 7616 §6.1 and RFC 9530 §7.2), in any case.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from watchword.core.rejection import ConfigurationError, Reason, Rejected

if TYPE_CHECKING:
    from watchword.core.scheme import Hasher

__all__ = [
    "Hashed",
    "at_once",
    "compare",
    "digest",
    "hex_digest",
    "hmac_digest",
    "hmac_sha256",
    "hmac_sha512",
    "keyed_digest",
    "keyed_digester",
    "keyed_hmac",
    "keyed_state",
    "new",
    "subject_key",
]


def _sha512_256() -> Hasher:
    return hashlib.new("sha512_256")


# SHA-512/256 is written SHA-512-256 by RFC 7616 §3.2. MD5 and SHA-1 are there because deployed peers still speak them;
# which scheme accepts them is that scheme's policy.
_HASHES: dict[str, Callable[[], Hasher]] = {
    "sha-256": hashlib.sha256,
    "sha-384": hashlib.sha384,
    "sha-512": hashlib.sha512,
    "sha-512-256": _sha512_256,
    "sha-1": hashlib.sha1,
    "md5": hashlib.md5,
}


_AT_ONCE: dict[str, Callable[[bytes], Any]] = {
    "sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512,
    "sha-512-256": partial(hashlib.new, "sha512_256"), "md5": hashlib.md5,
}  # fmt: skip


def new(name: str) -> Hasher:
    """An empty hasher.

    MD5 is asked for as what it is, a use for security, so a FIPS host refuses it; saying `usedforsecurity=False` to get
    round that would be untrue of Digest authentication.

    Args:
        name: "sha-256", "sha-384", "sha-512", "sha-512-256", "sha-1" or "md5", in any case.

    Raises:
        ConfigurationError: the name is unknown, or this host does not offer the hash.

    >>> hasher = new("SHA-256")
    >>> hasher.update(b"abc")
    >>> hasher.digest().hex()[:16]
    'ba7816bf8f01cfea'
    """
    maker = _HASHES.get(name) or _HASHES.get(name.lower())
    if maker is None:
        raise ConfigurationError(f"no hash is called {name[:32]!r}: use one of {', '.join(_HASHES)}")
    try:
        return maker()
    except ValueError:  # what OpenSSL says of a hash that its policy or build leaves out
        raise ConfigurationError(
            f"this host refuses {name.lower()} (FIPS mode, or an OpenSSL built without it): choose sha-256"
        ) from None


def digest(name: str, data: bytes) -> bytes:
    """The hash of `data`.

    Raises:
        ConfigurationError: as `new`.

    >>> digest("md5", b"").hex()
    'd41d8cd98f00b204e9800998ecf8427e'
    """
    hasher = new(name)
    hasher.update(data)
    return hasher.digest()


class Hashed(Protocol):
    """What a hash of hashlib is once it has taken its text in."""

    def digest(self) -> bytes: ...
    def hexdigest(self) -> str: ...


def at_once(name: str) -> Callable[[bytes], Hashed]:
    """What hashes a text when it is called with it; for who hashes so often that looking up the name counts.

    Args:
        name: as `new`; it has been asked for before, so this host knows it.

    >>> at_once("sha-256")(b"abc").hexdigest()[:16]
    'ba7816bf8f01cfea'
    """
    return _AT_ONCE[name]


def hex_digest(name: str, data: bytes) -> bytes:
    """The hash of `data` as lower-case hexadecimal digits; the fastest way to many small ones.

    Raises:
        ConfigurationError: as `new`.

    >>> hex_digest("md5", b"")
    b'd41d8cd98f00b204e9800998ecf8427e'
    """
    maker = _AT_ONCE.get(name)
    if maker is None:
        return digest(name, data).hex().encode()
    try:
        return str(maker(data).hexdigest()).encode()
    except ValueError:
        return digest(name, data).hex().encode()  # which says what this host refuses


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104, FIPS 180-4).

    >>> hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex()[:16]  # RFC 4231 §4.3
    '5bdcc146bf60754e'
    """
    return hmac.digest(key, data, "sha256")


def hmac_sha512(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-512 (RFC 2104, FIPS 180-4).

    >>> hmac_sha512(b"Jefe", b"what do ya want for nothing?").hex()[:16]  # RFC 4231 §4.3
    '164b7a7bfcf819e2'
    """
    return hmac.digest(key, data, "sha512")


def hmac_digest(name: str, key: bytes, data: bytes) -> bytes:
    """HMAC (RFC 2104) with hashlib's `name`, at once: where the next one is under another key.

    >>> hmac_digest("sha384", b"Jefe", b"what do ya want for nothing?").hex()[:16]  # RFC 4231 §4.3
    'af45d2e376484031'
    """
    return hmac.digest(key, data, name)


def keyed_hmac(name: str, secret: bytes) -> tuple[Callable[[bytes], bytes], Callable[[bytes, bytes], None]]:
    """Signing and checking by HMAC (RFC 2104) with hashlib's `name`, from a keyed state that is copied, never fed.

    Half of the work is done once, here. The check raises `Rejected`, WRONG_SIGNATURE.
    """
    keyed = hmac.new(secret, digestmod=name)
    # hmac.HMAC wraps OpenSSL's object in three Python methods; where there is one, it is used itself.
    copy: Callable[[], Any] = (getattr(keyed, "_hmac", None) or keyed).copy
    equal = hmac.compare_digest

    def sign(data: bytes) -> bytes:
        mac = copy()
        mac.update(data)
        result: bytes = mac.digest()
        return result

    def check(data: bytes, signature: bytes) -> None:
        mac = copy()
        mac.update(data)
        if not equal(mac.digest(), signature):
            raise Rejected(Reason.WRONG_SIGNATURE, "the signature does not fit", where="signature")

    return sign, check


compare: Final[Callable[[bytes, bytes], bool]] = hmac.compare_digest
"""Whether two secrets are equal; the time it takes tells nothing but their lengths."""


def keyed_digest(key: bytes, data: bytes) -> bytes:
    """16 octets of keyed BLAKE2b (RFC 7693 §2.9): to recognise `data` again without keeping it.

    >>> len(keyed_digest(bytes(32), b"data"))
    16
    """
    return hashlib.blake2b(data, key=key, digest_size=16).digest()


def keyed_digester(key: bytes) -> Callable[[bytes], bytes]:
    """`keyed_digest` under one key, faster: the key is taken in once.

    >>> keyed_digester(bytes(32))(b"data") == keyed_digest(bytes(32), b"data")
    True
    """
    copy = keyed_state(key)

    def digest_of(data: bytes) -> bytes:
        state = copy()
        state.update(data)
        return state.digest()

    return digest_of


def keyed_state(key: bytes) -> Callable[[], Hasher]:
    """What gives hashers for `keyed_digest` under one key, for who feeds them in parts.

    >>> hasher = keyed_state(bytes(32))()
    >>> hasher.update(b"da")
    >>> hasher.update(b"ta")
    >>> hasher.digest() == keyed_digest(bytes(32), b"data")
    True
    """
    return hashlib.blake2b(key=key, digest_size=16).copy


def subject_key(subject: str) -> str:
    """One spelling of bounded length for all that the most lenient look-up may take for one name: whatever the case, the
    form, the accents, what can't be seen, and spaces around it. For counting, never for look-up.

    >>> subject_key("Alice") == subject_key("alice") == subject_key("\uff21lice"), len(subject_key("a" * 9999))
    (True, 32)
    """
    folded = subject.lower() if subject.isascii() else _folded(subject)
    return hashlib.sha256(folded.strip().encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _folded(name: str) -> str:
    from unicodedata import category, normalize  # noqa: PLC0415 -- only where there are such names

    letters = normalize("NFKD", normalize("NFKC", name).casefold())
    return "".join(letter for letter in letters if category(letter) not in ("Mn", "Me", "Cf")).casefold()
