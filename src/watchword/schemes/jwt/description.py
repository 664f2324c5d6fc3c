"""What is signed of a JWT by a shared key, step by step (RFC 7515 §5.1): for `explain`, which varies it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchword.core.message import Request
from watchword.core.rejection import Rejected
from watchword.core.scheme import Check
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import Key
from watchword.schemes.explaining.computation import Encoding, Join, Leaf, Mac, Node
from watchword.schemes.explaining.search import Asked, Received, look_for

__all__ = ["likely_mistake", "signature_of"]

HASHES: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
FORM: Final = "base64url without padding"
MAX_KEYS: Final = 8
"""Shared keys under which the computation is varied."""
_NOBODY: Final = Request("GET", "https", "issuer.invalid", "/")


def signature_of(key: Key, algorithm: str, head: bytes, payload: bytes, varied: str = "payload") -> Encoding:
    """The signature of the segments `head` and `payload`, one of which, "header" or "payload", is `varied` as JSON."""
    segments = [_segment(name, text, name == varied) for name, text in (("header", head), ("payload", payload))]
    secret = Leaf(f"the secret of the key {key.key_id!r}", key.secret_bytes(), "key", "key")
    mac = Mac(
        "the signature", HASHES[algorithm], secret, Join("the signing input", segments, b"."), "signature", "header alg"
    )
    return Encoding("the signature", FORM, mac, "signature")


def _segment(component: str, segment: bytes, varied: bool) -> Node:
    name, text = f"the {component}", _text(segment)
    if b64url_encode(text) != segment:
        return Leaf(name, segment, "body", component)
    return Encoding(
        name, FORM, Leaf(name, text, "body", component, (lambda _, body: body) if varied else None), component
    )


def _text(segment: bytes) -> bytes:
    try:
        return jose.decode(segment, "token")
    except Rejected:
        return b""


def likely_mistake(
    keys: Sequence[Key], algorithm: str, head: bytes, payload: bytes, signature: bytes
) -> Sequence[Check]:
    """What the signer did otherwise, if that gives the segment `signature`; nothing if nothing does, or no key is shared."""
    shared = [key for key in keys if key.is_secret and key.use == "sig" and algorithm in HASHES][:MAX_KEYS]
    fits, advice = Received(signature, FORM), "sign as RFC 7515 §5.1 says"
    for varied, segment in (("payload", payload), ("header", head)):
        roots = [signature_of(key, algorithm, head, payload, varied) for key in shared]
        asked = [
            Asked("signature", root, fits, _NOBODY, _text(segment), parts=("body",), advice=advice) for root in roots
        ]
        causes = look_for(*asked).causes if asked else ()
        if causes:
            return [check._replace(component=varied) if check.component == "body" else check for check in causes]
    return ()
