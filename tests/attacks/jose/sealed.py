"""Encrypted tokens as attackers write them: any header, any encrypted key, sealed under any content key."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchword import Reason, Rejected
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_decode, b64url_encode

UNDECIPHERABLE = (Reason.WRONG_SIGNATURE, "ciphertext", "it can't be decrypted: another key, or it was changed")


def text(octets):
    return b64url_encode(octets).decode()


def seal(header, cek, encrypted_key=b"", plaintext=b"hello"):
    """A JWE whose content is genuinely sealed by A128GCM or A256GCM under `cek`."""
    head = text(header if isinstance(header, bytes) else json.dumps(header).encode())
    sealed = AESGCM(cek).encrypt(bytes(12), plaintext, head.encode())
    return ".".join([head, text(encrypted_key), text(bytes(12)), text(sealed[:-16]), text(sealed[-16:])])


def header_of(token):
    return json.loads(b64url_decode(token.split(".")[0].encode()))


def with_header(token, header):
    return text(json.dumps(header).encode()) + "." + token.split(".", 1)[1]


def refusal(token, keys, policy=None):
    """Reason, place and words of the refusal: all that an operator sees."""
    with pytest.raises(Rejected) as caught:
        jose.decrypt(token, keys, policy=policy or jose.DecryptionPolicy())
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    return error.reason, error.rejection.where, error.rejection.detail
