"""The record of an access key, and the keys that are derived from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Final

from watchword.structures.bounded import Bounded
from watchword.crypto.digests import compare, hmac_sha256, keyed_hmac
from watchword.crypto.keys import Replaceable
from watchword.crypto.public_spellings import refuse_key_files

__all__ = ["AccessKey", "Signing", "SigningKeys", "day_key"]

TERMINATOR: Final = b"aws4_request"


@dataclass(frozen=True, slots=True)
class AccessKey(Replaceable):
    """A client's access key, at `Ref(AccessKey, (access_key_id,))`.

    Args:
        secret: the secret access key.
        subject: who signs with it.
        scopes: what its holder may do.
        session_token: of temporary credentials; every request has to bring it along. None: they aren't.
        expires: from then on it is refused, in seconds since the epoch; None: never.
        superseded_by: the access key id of the one that replaces it: its holder is `rotated`.

    Raises:
        ConfigurationError: the secret is a public or private key, in any spelling.

    >>> AccessKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "alice", ("read",))
    AccessKey(subject='alice', scopes=('read',), expires=None, superseded_by=None)
    """

    sensitive: ClassVar[bool] = True

    secret: str = field(repr=False)
    subject: str
    scopes: tuple[str, ...] = ()
    session_token: str | None = field(default=None, repr=False)
    expires: float | None = None
    superseded_by: str | None = None

    def __post_init__(self) -> None:
        refuse_key_files(self.secret.encode("utf-8", "surrogatepass"))


class Signing:
    """One key, ready: `sign(string)` gives a signature as hexadecimal digits, `fits(string, signature)` checks one."""

    __slots__ = ("fits", "sign")

    def __init__(self, sign: Callable[[bytes], bytes], fits: Callable[[bytes, bytes], bool]) -> None:
        self.sign = sign
        self.fits = fits


def day_key(secret: str, date: bytes, region: bytes, service: bytes) -> bytes:
    """The signing key of one day, region and service.

    >>> day_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", b"20150830", b"us-east-1", b"iam").hex()[:16]
    'c4afb1cc5771d871'
    """
    key = hmac_sha256(b"AWS4" + secret.encode(), date)
    for part in (region, service, TERMINATOR):
        key = hmac_sha256(key, part)
    return key


def hmac_signing(secret: str, scope: bytes) -> Signing:
    """The key of the scope "date/region/service/aws4_request"."""
    date, region, service, _ = scope.split(b"/")
    make = keyed_hmac("sha256", day_key(secret, date, region, service))[0]

    def sign(string: bytes) -> bytes:
        return make(string).hex().encode()

    def fits(string: bytes, signature: bytes) -> bool:
        return compare(make(string).hex().encode(), signature)

    return Signing(sign, fits)


def ecdsa_signing(access_key_id: str, secret: str) -> Signing:
    """The key pair of SigV4A, the same for every scope."""
    from watchword.crypto.sigv4a import derive  # noqa: PLC0415 -- it loads OpenSSL's asymmetric half

    pair = derive(access_key_id, secret)

    def sign(string: bytes) -> bytes:
        return pair.sign(string).hex().encode()

    def fits(string: bytes, signature: bytes) -> bool:
        return pair.fits(string, bytes.fromhex(signature.decode("ascii")))

    return Signing(sign, fits)


class SigningKeys:
    """Derived keys, kept once they have proven good, `size` of them.

    They are found by the secret itself: one that was changed in the store is another one.
    """

    __slots__ = ("_kept",)

    def __init__(self, size: int) -> None:
        self._kept: Bounded[tuple[str, str, bytes], Signing] = Bounded(size)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, access_key_id: str, secret: str, scope: bytes, ecdsa: bool) -> tuple[Signing, bool]:
        """The key, and whether it is new: derived because it is not kept."""
        kept = self._kept.get((access_key_id, secret, b"" if ecdsa else scope))
        if kept is not None:
            return kept, False
        return self.derive(access_key_id, secret, scope, ecdsa), True

    def derive(self, access_key_id: str, secret: str, scope: bytes, ecdsa: bool) -> Signing:
        """The key, derived anew."""
        return ecdsa_signing(access_key_id, secret) if ecdsa else hmac_signing(secret, scope)

    def keep(self, access_key_id: str, secret: str, scope: bytes, ecdsa: bool, signing: Signing) -> None:
        """For a key that made a good signature; no other is worth the room."""
        self._kept.put((access_key_id, secret, b"" if ecdsa else scope), signing)
