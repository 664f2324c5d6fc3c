"""Reading JSON Web Encryption (RFC 7516 §5.2): `decrypt` and `decrypt_nested`.

Policy is judged before a secret is used, and whatever goes wrong after that is one and the same refusal: whoever sends
tokens learns nothing from which of them fail, or how.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.crypto.algorithms import ENCRYPTION_ALGORITHMS, Algorithm, algorithm_named
from watchword.crypto.jose.compact import JWS, MAX_TOKEN, Compact
from watchword.crypto.jose.encryption import CONTENT_ENCRYPTIONS, DIRECT_FAMILIES, ITERATIONS
from watchword.crypto.jose.envelope import Envelope, document, read_envelope
from watchword.crypto.keys import Key, KeySet

__all__ = ["JWE", "DecryptionPolicy", "decrypt", "decrypt_nested", "unseal"]

Random = Callable[[int], bytes]

_MOST_ITERATIONS: Final = 10_000_000
# What `alg` can be, besides "dir".
_KEY_MANAGEMENT: Final = frozenset(row.name for row in ENCRYPTION_ALGORITHMS if row.family not in DIRECT_FAMILIES)


class JWE(NamedTuple):
    """What was decrypted, and the key that did it.

    `header` holds the protected members, on which the sender's words can be taken; `unprotected` those that anybody on
    the way may have changed. `aad` is the additional data that was authenticated, if there was any.
    """

    header: Mapping[str, Any]
    plaintext: bytes
    key: Key
    unprotected: Mapping[str, Any] = {}
    aad: bytes | None = None

    @property
    def is_nested(self) -> bool:
        """Whether the plaintext is a JWT of its own (RFC 7519 §5.2)."""
        kind = self.header.get("cty")
        return isinstance(kind, str) and kind.upper() == "JWT"


@dataclass(frozen=True, slots=True)
class DecryptionPolicy:
    """What is decrypted at all; judged before any secret is used.

    Args:
        encryptions: the content encryptions that are accepted (`enc`).
        max_iterations: the most that PBES2 may cost (`p2c`); without a ceiling one token occupies a core for hours.
        max_inflated: the most octets that compressed content may become; None: compressed content is refused.
        allow_rsa1_5: decrypt with RSA1_5, which RFC 8017 §7.2 advises against. Wrong padding shows as nothing but a wrong
            tag, if OpenSSL is 3.2 or newer.
        allow_unprotected: let `enc` stand in a header that nothing protects (RFC 7520 §5.12).
        max_token: octets of the longest token that is looked at.

    Raises:
        ConfigurationError: a name or number that can't be.
    """

    encryptions: Collection[str] = CONTENT_ENCRYPTIONS
    max_iterations: int = ITERATIONS
    max_inflated: int | None = None
    allow_rsa1_5: bool = False
    allow_unprotected: bool = False
    max_token: int = MAX_TOKEN

    def __post_init__(self) -> None:
        if (
            isinstance(self.encryptions, str)
            or not self.encryptions
            or set(self.encryptions) - set(CONTENT_ENCRYPTIONS)
        ):
            raise ConfigurationError(f"encryptions= holds some of {', '.join(CONTENT_ENCRYPTIONS)}")
        if not 0 < self.max_iterations <= _MOST_ITERATIONS:
            raise ConfigurationError(f"max_iterations= is from 1 to {_MOST_ITERATIONS}")
        if self.max_token < 1 or (self.max_inflated is not None and self.max_inflated < 1):
            raise ConfigurationError("max_token= and max_inflated= are numbers of octets, 1 or more")


_POLICY: Final = DecryptionPolicy()


def decrypt(
    token: str | bytes | Mapping[str, Any],
    keys: Key | KeySet,
    *,
    policy: DecryptionPolicy = _POLICY,
    random: Random = os.urandom,
) -> JWE:
    """What a JWE says: compact, or JSON as text or as the object that was parsed from it.

    Of several recipients it is enough that one is ours; content is only ever returned when its tag is right.

    Args:
        token: the JWE.
        keys: private, or shared; each decrypts what is encrypted by its own algorithm alone.
        policy: what is decrypted at all.
        random: n unpredictable octets, for the key that takes the place of one that can't be had.

    Raises:
        Rejected: HEADER_TOO_LARGE, MALFORMED_CREDENTIALS, UNKNOWN_CRITICAL, WRONG_ALGORITHM or UNKNOWN_KEY, before a
            secret is used; WRONG_SIGNATURE for everything that goes wrong with one. After that, with the content
            authentic, HEADER_TOO_LARGE or MALFORMED_CREDENTIALS at "zip".
    """
    from watchword.crypto.jose import content  # noqa: PLC0415 -- loads OpenSSL's ciphers

    opened = unseal(token, keys, policy=policy, random=random)
    if policy.max_inflated is None or "zip" not in opened.header:
        return opened
    return opened._replace(plaintext=content.inflate(opened.plaintext, policy.max_inflated))


def unseal(
    token: str | bytes | Mapping[str, Any], keys: Key | KeySet, *, policy: DecryptionPolicy, random: Random = os.urandom
) -> JWE:
    """`decrypt`, but what was compressed (`zip`) stays so.

    Raises:
        Rejected: as `decrypt`.
    """
    from watchword.crypto.jose import content, key_management  # noqa: PLC0415 -- load OpenSSL's ciphers

    envelope = read_envelope(document(token, policy.max_token))
    row = _check_content(envelope, policy)
    held = keys if isinstance(keys, KeySet) else KeySet([keys])
    for attempt in _attempts(envelope, held, row, policy):
        cek = key_management.recover(attempt.way, attempt.key, row, attempt.header, attempt.encrypted_key, random)
        try:
            plaintext = content.open_sealed(row, cek, envelope.iv, envelope.ciphertext, envelope.tag, envelope.covered)
        except Rejected:
            continue
        unprotected = {name: value for name, value in attempt.header.items() if name not in envelope.protected}
        return JWE(envelope.protected, plaintext, attempt.key, unprotected, envelope.aad)
    raise content.undecipherable()


def decrypt_nested(
    token: str | bytes, keys: Key | KeySet, signed_by: Key | KeySet, *, policy: DecryptionPolicy = _POLICY
) -> JWS:
    """The signed token inside an encrypted one (RFC 7519 §11.2: signed, then encrypted).

    Raises:
        Rejected: as `decrypt` and `Compact.open`; WRONG_TYPE if it doesn't say `"cty": "JWT"`.
    """
    outer = decrypt(token, keys, policy=policy)
    if not outer.is_nested:
        raise Rejected(Reason.WRONG_TYPE, "what was encrypted is not said to be a JWT (RFC 7519 §5.2)", where="cty")
    return JWS(*Compact(signed_by if isinstance(signed_by, KeySet) else KeySet([signed_by])).open(outer.plaintext))


class _Attempt(NamedTuple):
    way: Algorithm
    key: Key
    header: Mapping[str, Any]
    encrypted_key: bytes


def _check_content(envelope: Envelope, policy: DecryptionPolicy) -> Algorithm:
    """The row of the content encryption, if it and what goes with it are permitted."""
    from watchword.crypto.jose import content  # noqa: PLC0415 -- loads OpenSSL's ciphers

    everywhere = {**envelope.unprotected, **envelope.protected}
    if any("crit" in header for header in (everywhere, *(each.header for each in envelope.recipients))):
        raise Rejected(Reason.UNKNOWN_CRITICAL, "the header demands an extension that is not supported", where="crit")
    name = (everywhere if policy.allow_unprotected else envelope.protected).get("enc")
    if not isinstance(name, str):
        raise _malformed("enc", "the protected header names no content encryption")
    if name not in policy.encryptions or name not in CONTENT_ENCRYPTIONS:
        raise Rejected(Reason.WRONG_ALGORITHM, "this content encryption is not accepted", where="enc")
    if any("zip" in header for header in (envelope.unprotected, *(each.header for each in envelope.recipients))):
        raise _malformed("zip", "zip has to be protected (RFC 7516 §4.1.3)")
    if "zip" in envelope.protected and (policy.max_inflated is None or envelope.protected["zip"] != "DEF"):
        raise Rejected(Reason.WRONG_ALGORITHM, "compressed content is not accepted", where="zip")
    row = algorithm_named(name)
    for part, size, where in (
        (envelope.iv, content.iv_size(row), "iv"),
        (envelope.tag, content.tag_size(row), "tag"),
    ):
        if len(part) != size:
            raise _malformed(where, f"{len(part)} octets where {name} has {size}")
    return row


def _attempts(envelope: Envelope, keys: KeySet, row: Algorithm, policy: DecryptionPolicy) -> list[_Attempt]:
    """Which keys are tried on which recipients; never more work than one token may cost."""
    found: list[_Attempt] = []
    refusal: Rejected | None = None
    for recipient in envelope.recipients:
        header = {**envelope.protected, **envelope.unprotected, **recipient.header}
        try:
            for way, key in _candidates(header, keys, row, policy):
                _check_recipient(way, row, header, recipient.encrypted_key, policy, len(envelope.recipients))
                found.append(_Attempt(way, key, header, recipient.encrypted_key))
        except Rejected as error:
            if len(envelope.recipients) == 1 or error.reason is Reason.MALFORMED_CREDENTIALS:
                raise
            refusal = refusal or error  # another recipient's
    if not found:
        raise refusal or Rejected(Reason.UNKNOWN_KEY, "no key here may decrypt", where="kid")
    counts = [each.header["p2c"] for each in found if each.way.family == "PBES2"]
    if len(found) > KeySet.MAX_TRIES or sum(counts) > policy.max_iterations:
        raise Rejected(Reason.UNKNOWN_KEY, f"{len(found)} keys may fit and no key id says which", where="kid")
    return found


def _candidates(
    header: Mapping[str, Any], keys: KeySet, row: Algorithm, policy: DecryptionPolicy
) -> list[tuple[Algorithm, Key]]:
    for member in ("alg", "kid", "typ", "cty"):
        if member in header and not isinstance(header[member], str):
            raise _malformed(member, "this header member has to be a text")
    name = header.get("alg")
    if name is None:
        raise _malformed("alg", "the header names no algorithm")
    if name != "dir" and name not in _KEY_MANAGEMENT:
        raise Rejected(Reason.WRONG_ALGORITHM, "no algorithm of key management (RFC 7518 §4.1)", where="alg")
    if name == "RSA1_5" and not policy.allow_rsa1_5:
        raise Rejected(Reason.WRONG_ALGORITHM, "RSA1_5 is not accepted", where="alg")
    way = row if name == "dir" else algorithm_named(name)
    fitting = [key for key in keys.candidates(way.name, header.get("kid")) if "decrypt" in key.operations]
    if not fitting:
        raise Rejected(Reason.UNKNOWN_KEY, "the key may encrypt, not decrypt", where="kid")
    return [(way, key) for key in fitting]


def _check_recipient(
    way: Algorithm,
    row: Algorithm,
    header: Mapping[str, Any],
    encrypted_key: bytes,
    policy: DecryptionPolicy,
    recipients: int,
) -> None:
    from watchword.crypto.jose import key_management  # noqa: PLC0415 -- loads OpenSSL's ciphers

    if recipients > 1 and not encrypted_key:  # RFC 7516 §7.2.1: they all have one content key
        raise _malformed("recipients", "a key that is used directly, and several recipients")
    key_management.check(way, row, header, encrypted_key, policy.max_iterations)


def _malformed(where: str, detail: str) -> Rejected:
    return Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=where)
