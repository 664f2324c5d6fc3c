"""Making JSON Web Encryption (RFC 7516 §5.1): `encrypt` and `encrypt_json`. Written over OpenSSL's primitives, see decision 14."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec.json

from watchword.core.rejection import ConfigurationError
from watchword.crypto.algorithms import ENCRYPTION_ALGORITHMS, Algorithm, algorithm_named
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.jose.envelope import check_disjoint, merged, text
from watchword.crypto.keys import Key, check_key

__all__ = ["CONTENT_ENCRYPTIONS", "DIRECT_FAMILIES", "ITERATIONS", "Recipient", "encrypt", "encrypt_json"]

CONTENT_ENCRYPTIONS: Final = tuple(
    row.name for row in ENCRYPTION_ALGORITHMS if row.family in {"AES-GCM", "AES-CBC-HMAC"}
)
"""What `enc` can be (RFC 7518 §5.1)."""

ITERATIONS: Final = 100_000
"""How many iterations PBES2 makes, and by default the most that a token may ask for: about 30 ms."""

DIRECT_FAMILIES: Final = frozenset({"AES-GCM", "AES-CBC-HMAC"})

Random = Callable[[int], bytes]


class Recipient(NamedTuple):
    """One for whom something is encrypted.

    Args:
        key: public, or shared.
        header: further members of its own header, which nothing protects.
        ephemeral: the sender's pair for ECDH-ES; None: a new one, as it should be. For test vectors.
    """

    key: Key
    header: Mapping[str, object] = {}
    ephemeral: Key | None = None


def encrypt(
    plaintext: bytes,
    key: Key,
    *,
    encryption: str | None = None,
    header: Mapping[str, object] | None = None,
    compress: bool = False,
    iterations: int = ITERATIONS,
    ephemeral: Key | None = None,
    random: Random = os.urandom,
) -> str:
    """A compact JWE of `plaintext` (RFC 7516 §7.1).

    Args:
        plaintext: any octets.
        key: the recipient's, public or shared; it gives `alg` and `kid`.
        encryption: the content encryption (`enc`); None: "A256GCM", or that of a key which is used directly.
        header: further protected members, `{"cty": "JWT"}` for example.
        compress: deflate first; what an attacker can mix into the plaintext then shows in its length (RFC 8725 §3.6).
        iterations: of PBES2.
        ephemeral: the sender's pair for ECDH-ES; None: a new one, as it should be. For test vectors.
        random: n unpredictable octets; asked for the content key, then what wraps it, then the initialization vector.

    Raises:
        ConfigurationError: a key that may not encrypt, or a header that contradicts it.

    >>> from watchword.crypto import jose
    >>> key = Key.generate("A256KW")
    >>> jose.decrypt(jose.encrypt(b"hello", key), key).plaintext
    b'hello'
    """
    made = encrypt_json(
        plaintext, [Recipient(key, {}, ephemeral)], encryption=encryption, header=header, flattened=True,
        compress=compress, iterations=iterations, random=random,
    )  # fmt: skip
    return ".".join([made.get(name, "") for name in ("protected", "encrypted_key", "iv", "ciphertext", "tag")])


def encrypt_json(
    plaintext: bytes,
    recipients: Sequence[Recipient | Key],
    *,
    encryption: str | None = None,
    header: Mapping[str, object] | None = None,
    unprotected: Mapping[str, object] | None = None,
    protect: Collection[str] | None = None,
    aad: bytes | None = None,
    flattened: bool = False,
    compress: bool = False,
    iterations: int = ITERATIONS,
    random: Random = os.urandom,
) -> dict[str, Any]:
    """A JWE in its general or flattened JSON form (RFC 7516 §7.2).

    Args:
        plaintext: any octets.
        recipients: for whom; with several, `alg` and the like are in their own headers, which nothing protects.
        encryption: as in `encrypt`.
        header: further protected members.
        unprotected: further members that nothing protects.
        protect: which of the members are protected, by name; None: all that can be.
        aad: further octets that are authenticated.
        flattened: the flattened form, for one recipient.
        compress: as in `encrypt`.
        iterations: as in `encrypt`.
        random: as in `encrypt`.

    Raises:
        ConfigurationError: as `encrypt`, or the recipients can't share a content key.
    """
    from watchword.crypto.jose import content, key_management  # noqa: PLC0415 -- load OpenSSL's ciphers

    to = [each if isinstance(each, Recipient) else Recipient(each) for each in recipients]
    if not to or (flattened and len(to) > 1):
        raise ConfigurationError("recipients= holds at least one, and just one for the flattened form")
    named = [_named(one.key) for one in to]
    row = _content_row(encryption, to[0].key)
    cek = None if len(to) == 1 else random(row.minimum)
    extra = {**(header or {}), **(unprotected or {})}
    provided = [
        key_management.provide(
            one.key, row, cek, {**extra, **one.header}, iterations=iterations, ephemeral=one.ephemeral, random=random
        )
        for one in to
    ]
    made = [{**name, **own.members} for name, own in zip(named, provided, strict=True)]
    shared = merged(made[0] if len(to) == 1 else {}, header or {})
    shared = merged(shared, {"enc": row.name, **({"zip": "DEF"} if compress else {})})
    protected = {name: value for name, value in shared.items() if protect is None or name in protect}
    if compress and "zip" not in protected:
        raise ConfigurationError("zip has to be protected (RFC 7516 §4.1.3)")
    rest = merged({name: value for name, value in shared.items() if name not in protected}, unprotected or {})
    own_headers = [merged({} if len(to) == 1 else mine, one.header) for mine, one in zip(made, to, strict=True)]
    for own_header in own_headers:
        check_disjoint(protected, rest, own_header)
    head = b64url_encode(msgspec.json.encode(protected)) if protected else b""
    iv = random(content.iv_size(row))
    covered = head if aad is None else head + b"." + b64url_encode(aad)
    plain = content.deflate(plaintext) if compress else plaintext
    ciphertext, tag = content.seal(row, provided[0].cek, iv, plain, covered)
    each = [
        _present(header=own_header, encrypted_key=text(own.encrypted_key))
        for own_header, own in zip(own_headers, provided, strict=True)
    ]
    return {
        **_present(protected=head.decode(), unprotected=rest),
        **(each[0] if flattened else {"recipients": each}),
        **({} if aad is None else {"aad": text(aad)}),
        "iv": text(iv),
        "ciphertext": text(ciphertext),
        "tag": text(tag),
    }


def _content_row(encryption: str | None, key: Key) -> Algorithm:
    own = algorithm_named(key.algorithm)
    if encryption is None:
        return own if own.family in DIRECT_FAMILIES else algorithm_named("A256GCM")
    if encryption not in CONTENT_ENCRYPTIONS:
        raise ConfigurationError(f"encryption= is one of {', '.join(CONTENT_ENCRYPTIONS)}")
    return algorithm_named(encryption)


def _named(key: Key) -> dict[str, object]:
    """`alg` and `kid` for a key."""
    check_key(key)
    if "encrypt" not in key.operations:
        raise ConfigurationError(f"{key!r} may not encrypt: it is for signatures, or for decrypting only")
    direct = algorithm_named(key.algorithm).family in DIRECT_FAMILIES
    return {"alg": "dir" if direct else key.algorithm, **({} if key.key_id is None else {"kid": key.key_id})}


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
