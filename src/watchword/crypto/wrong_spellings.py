"""Why a signature does not fit: would another key, or a usual mistake, have made it fit? For `explain`, never to accept.

Nothing found here makes a token good. The number of attempts is bounded, and a secret is never shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm

from watchword.core.rejection import ConfigurationError, Rejected
from watchword.crypto.algorithms import ALGORITHMS
from watchword.crypto.digests import keyed_hmac
from watchword.crypto.keys import Key

__all__ = ["another_length", "near_cause"]

MAX_KEYS: Final = 64
"""How many of the verifier's keys are tried."""

_HASHES: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def near_cause(keys: Sequence[Key], algorithm: str, signing_input: bytes, signature: bytes) -> tuple[str, str]:
    """What would have made the signature fit, in a sentence, and before it the component at fault; "" if nothing would.

    Args:
        keys: all keys of the verifier, those that were tried included.
        algorithm: what the header names.
        signing_input: what is signed.
        signature: what does not fit.

    >>> one, two = Key.generate("HS256", key_id="one"), Key.generate("HS256", key_id="two")
    >>> near_cause([one, two], "HS256", b"data", two.sign(b"data"))
    ('header kid', "the key 'two' made it: the header names another key id")
    """
    tries: tuple[tuple[str, Callable[[Sequence[Key], str, bytes, bytes], str]], ...] = (
        ("header kid", _another_key), ("signature", _in_der), ("key", _public_key_as_secret), ("header alg", _another_algorithm),
    )  # fmt: skip
    for component, attempt in tries:
        if found := attempt(keys[:MAX_KEYS], algorithm, signing_input, signature):
            return component, found
    return "", ""


def _fits(key: Key, signing_input: bytes, signature: bytes) -> bool:
    try:
        key.verify(signing_input, signature)
    except (Rejected, ConfigurationError):  # a key for encryption verifies nothing
        return False
    return True


def _named(key: Key) -> str:
    return f"the key {key.key_id!r}" if key.key_id is not None else f"the {key.algorithm} key without an id"


def _another_key(keys: Sequence[Key], algorithm: str, signing_input: bytes, signature: bytes) -> str:
    for key in keys:
        if _fits(key, signing_input, signature):
            wrong = "key id" if key.algorithm == algorithm else "algorithm"
            return f"{_named(key)} made it: the header names another {wrong}"
    return ""


def _in_der(keys: Sequence[Key], algorithm: str, signing_input: bytes, signature: bytes) -> str:
    """RFC 7518 §3.4 wants r || s; OpenSSL and the JCA give DER unless asked otherwise."""
    if signature[:1] != b"\x30":
        return ""
    for key in keys:
        row = next((row for row in ALGORITHMS if row.name == key.algorithm and row.family == "ECDSA"), None)
        if row is None:
            continue
        raw = _raw(signature, row.size // 2)
        if raw is not None and _fits(key, signing_input, raw):
            return (
                f"{_named(key)} made it, but in DER: have the signer write r and s in {row.size} octets (RFC 7518 §3.4)"
            )
    return ""


def _raw(der: bytes, half: int) -> bytes | None:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: PLC0415 -- asymmetric

    try:
        r, s = decode_dss_signature(der)
        return r.to_bytes(half) + s.to_bytes(half)
    except (ValueError, OverflowError):
        return None


def _public_key_as_secret(keys: Sequence[Key], algorithm: str, signing_input: bytes, signature: bytes) -> str:
    """The forgery of RFC 8725 §2.1, and also what happens when a client's settings name the wrong algorithm."""
    by_length = {32: "HS256", 48: "HS384", 64: "HS512"}.get(len(signature), "")  # whatever the header names
    named = algorithm if algorithm in _HASHES else by_length
    for key in keys if named else ():
        for octets in public_key_spellings(key):
            if _signed_with(octets, named, signing_input, signature):
                return (
                    f"it was made with the public key {key.key_id!r} as a secret, which everybody can do: a forgery, or a "
                    f"signer that makes an HMAC, {named}, instead of {key.algorithm}"
                )
    return ""


def public_key_spellings(key: Key) -> Iterator[bytes]:
    """The public key as its files and settings have it; none of a secret."""
    try:
        public = key.openssl_pair()[0]
    except ConfigurationError:
        return
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 -- asymmetric

    for encoding, form in (
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), (Encoding.PEM, PublicFormat.PKCS1),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo), (Encoding.DER, PublicFormat.PKCS1),
        (Encoding.OpenSSH, PublicFormat.OpenSSH), (Encoding.Raw, PublicFormat.Raw),
    ):  # fmt: skip
        try:
            octets: bytes = public.public_bytes(encoding, form)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # not every kind of key has every form
            continue
        yield octets
        if octets.endswith(b"\n"):
            yield octets.rstrip(b"\n")
            yield octets.replace(b"\n", b"")
            yield octets.replace(b"\n", b"\\n")
            yield b"".join(octets.split(b"\n")[1:-2])
    members = key.to_jwk()
    yield json.dumps(members).encode()
    yield json.dumps(members, separators=(",", ":")).encode()


def _signed_with(secret: bytes, algorithm: str, signing_input: bytes, signature: bytes) -> bool:
    try:
        keyed_hmac(_HASHES[algorithm], secret)[1](signing_input, signature)
    except Rejected:
        return False
    return True


def _another_algorithm(keys: Sequence[Key], algorithm: str, signing_input: bytes, signature: bytes) -> str:
    """The same key, used with another hash, padding or name."""
    for key in keys:
        row = next((row for row in ALGORITHMS if row.name == key.algorithm), None)
        if row is None or row.key_type == "oct" or row.use != "sig":
            continue
        members = {name: value for name, value in key.to_jwk().items() if name not in ("alg", "key_ops")}
        for other in ALGORITHMS:
            if other.name == key.algorithm or (other.key_type, other.curve) != (row.key_type, row.curve):
                continue
            try:
                fits = _fits(Key.from_jwk(members, algorithm=other.name), signing_input, signature)
            except ConfigurationError:
                continue
            if fits:
                return f"{_named(key)} made it with {other.name}, while the key is for {key.algorithm}"
        if found := _another_hash(key, row.family, signing_input, signature):
            return f"{_named(key)} made it with the hash {found}, while the key is for {key.algorithm}"
    return ""


def _another_hash(key: Key, family: str, signing_input: bytes, signature: bytes) -> str:
    """The hash by which an algorithm that nobody registered made it: ECDSA on P-256 with SHA-512, RSA with SHA-1."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 -- asymmetric
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, padding  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature  # noqa: PLC0415

    public, half = key.openssl_pair()[0], len(signature) // 2
    for each in (hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):  # noqa: S303 -- to recognise it
        try:
            if family == "ECDSA":
                r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
                public.verify(encode_dss_signature(r, s), signing_input, ec.ECDSA(each))
            elif "PSS" in family:
                pss = padding.PSS(mgf=padding.MGF1(each), salt_length=padding.PSS.AUTO)
                public.verify(signature, signing_input, pss, each)
            elif family.startswith("RSA"):
                public.verify(signature, signing_input, padding.PKCS1v15(), each)
            else:
                return ""
        except (InvalidSignature, ValueError, UnsupportedAlgorithm):
            continue
        return each.name.upper()
    return ""


def another_length(algorithm: str, signature: bytes) -> str:
    """That a signature has not the length of its algorithm, and which other ones have that length; "" if it has.

    >>> another_length("ES256", bytes(96))
    'it has 96 octets, as ES384 on P-384 gives, where ES256 has 64'
    """
    row = next((row for row in ALGORITHMS if row.name == algorithm), None)
    if row is None or not row.size or len(signature) == row.size:
        return ""
    fitting = [other for other in ALGORITHMS if other.size == len(signature) and other.family == row.family]
    of = " or ".join(dict.fromkeys(f"{other.name}{f' on {other.curve}' if other.curve else ''}" for other in fitting))
    return f"it has {len(signature)} octets, {f'as {of} gives, ' if of else ''}where {algorithm} has {row.size}"
