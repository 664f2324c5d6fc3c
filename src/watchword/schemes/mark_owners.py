"""Whose a mark of use is (`Once`): one rule for all schemes.

Two owners in one store never use up each other's marks, and one owner's mark holds however the owner is spelled. So a mark
names its owner by what can't be chosen freely:

- Where credentials name a record of the guard's store, that name is in the mark's key: the key id of HMAC, the access
  key id of SigV4, client and token of OAuth 1. A name is given once in a store.
- Where a verifier is given its keys or secrets, their names say nothing: two verifiers of one store may have different ones of
  one name. The owner is what the key is made of, as this module tells it: JWT, HTTP message signatures, webhooks.
- Digest's nonces belong to nobody, so its owner is the user's secret, under the key of the nonces (`digest.nonces`).
- Where a JWT's issuer is checked, that issuer is an owner too, whichever of its keys has signed.

A store has these owners in the clear. They are hashes, so whoever reads them learns no key; a secret that can be guessed can
be guessed by them, as by anything that was signed with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from watchword.crypto.algorithms import algorithm_named
from watchword.crypto.digests import digest, hmac_digest
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import Key

__all__ = ["owner_by_mac", "owner_of_key"]

_LABEL: Final = b"watchword owner of marks\0"


def owner_of_key(key: Key) -> str:
    """The same for a key, its public half, and every name, format and use that it is given with.

    >>> key = Key.generate("EdDSA", key_id="k1")
    >>> owner_of_key(key) == owner_of_key(Key.from_jwk({**key.to_jwk(), "kid": "k2"}))
    True
    """
    if key.is_secret:
        hash_name = algorithm_named(key.algorithm).hash
        return _named(hmac_digest(hash_name, key.secret_bytes(), _LABEL))
    return _named(key.thumbprint().encode())


def owner_by_mac(mac: Callable[[bytes], bytes]) -> str:
    """Of a secret, by the MACs that are made with it: secrets that make the same ones are one, such as `k` and `k` with a NUL
    after it (RFC 2104 §2).
    """
    return _named(mac(_LABEL))


def _named(octets: bytes) -> str:
    # Hashed, since a MAC by itself might be somebody's signature.
    return b64url_encode(digest("sha-256", _LABEL + octets)[:16]).decode()
