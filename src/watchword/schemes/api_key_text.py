r"""How an API key is spelled, and what a store keeps of it.

    ww_ 4fGh1ZpQ0sLd _ 7tq…32 letters and digits…Xk 0Yc2Qe
    |   key id         secret                       checksum

One regular expression finds such keys wherever they leaked to: `\bww_[0-9A-Za-z]{12}_[0-9A-Za-z]{38}\b`. The checksum
(CRC-32 of all before it) tells a key from what only looks like one, and a mistyped key from a wrong one, without asking
anybody; it proves nothing and is no secret.
"""

from __future__ import annotations

import re
from binascii import crc32
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from watchword.crypto.digests import digest

__all__ = ["KEY", "PREFIX", "APIKey", "APIKeyUse", "has_checksum", "hash_key", "key_id_of", "make_key"]

PREFIX: Final = "ww_"
KEY: Final = re.compile(r"ww_([0-9A-Za-z]{12})_[0-9A-Za-z]{38}")

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY_ID: Final = 12  # 71 bits: nobody ever gets the id of another
_SECRET: Final = 32  # 190 bits
_CHECKSUM: Final = 6  # 62**6 is more than 2**32


@dataclass(frozen=True, slots=True)
class APIKey:
    """What is kept of a key, at `Ref(APIKey, (key_id,))`. From 190 bits of chance a plain hash gives nothing away.

    Args:
        digest: `hash_key` of the key, lower-case hexadecimal digits.
        subject: whose requests it proves.
        scopes: what they may do.
        created: when it was made, in seconds since the epoch.
        expires: from then on it is refused; None: never.
        revoked: when it was revoked; None: it was not.
        former: the digest of the key before the last rotation.
        former_until: until then that one is good as well.

    >>> APIKey(hash_key("ww_000000000000_000000000000000000000000000000000AbCdE"), "billing", ("read",))
    APIKey(subject='billing', scopes=('read',), created=0.0, expires=None, revoked=None, former_until=0.0)
    """

    digest: str = field(repr=False)
    subject: str
    scopes: tuple[str, ...] = ()
    created: float = 0.0
    expires: float | None = None
    revoked: float | None = None
    former: str | None = field(default=None, repr=False)
    former_until: float = 0.0


@dataclass(frozen=True, slots=True)
class APIKeyUse:
    """When a key was last used, coarsely (seconds since the epoch); at `Ref(APIKeyUse, (key_id,))`."""

    at: float


def make_key(random: Callable[[int], bytes], key_id: str | None = None) -> str:
    """A new key; with `key_id`, another key of that id.

    Args:
        random: gives unpredictable octets.
        key_id: 12 letters and digits.

    >>> make_key(lambda n: bytes(n))
    'ww_000000000000_000000000000000000000000000000004a0jIj'
    """
    # 64 bits more than are needed: what is left over by the division shifts no letter's odds by more than 2**-64.
    name = key_id if key_id is not None else _base62(int.from_bytes(random(17)), _KEY_ID)
    text = f"{PREFIX}{name}_{_base62(int.from_bytes(random(32)), _SECRET)}"
    return text + _checksum(text)


def has_checksum(key: str) -> bool:
    """Whether `key`, which matches `KEY`, ends with its own checksum.

    >>> has_checksum("ww_000000000000_000000000000000000000000000000004a0jIj")
    True
    """
    return key[-_CHECKSUM:] == _checksum(key[:-_CHECKSUM])


def key_id_of(key: str) -> str | None:
    """The public id in a key of this form; None for any other text.

    >>> key_id_of("ww_000000000000_000000000000000000000000000000004a0jIj")
    '000000000000'
    """
    match = KEY.fullmatch(key)
    return None if match is None else match[1]


def hash_key(key: str) -> str:
    """What `APIKey.digest` holds: the SHA-256 of the whole key, in lower-case hexadecimal digits."""
    return digest("sha-256", key.encode()).hex()


def _checksum(text: str) -> str:
    return _base62(crc32(text.encode()), _CHECKSUM)


def _base62(number: int, length: int) -> str:
    """The last `length` digits of `number`, most significant first."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
