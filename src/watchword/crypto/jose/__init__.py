"""JSON Web Signature and JSON Web Encryption (RFC 7515, RFC 7516, RFC 7518): `sign`, `verify`, `encrypt`, `decrypt`.

The key decides the algorithm; the header must agree. Nothing that a header carries is trusted: `jwk`, `jku`, `x5u` and
`x5c` are never looked at, an unknown `crit` is refused (RFC 7515 §4.1.11, RFC 8725 §3).
"""

from watchword.crypto.encoding import b64url_encode
from watchword.crypto.jose.compact import (
    JWS, MAX_TOKEN, Compact, Segments, check_header, decode, prove, read_header, sign, split,
)  # fmt: skip
from watchword.crypto.jose.decryption import JWE, DecryptionPolicy, decrypt, decrypt_nested
from watchword.crypto.jose.encryption import CONTENT_ENCRYPTIONS, ITERATIONS, Recipient, encrypt, encrypt_json
from watchword.crypto.jose.signatures import Require, Signature, SignedJSON, Signer, sign_json, verify, verify_json

__all__ = [
    "CONTENT_ENCRYPTIONS", "ITERATIONS", "JWE", "JWS", "MAX_TOKEN", "Compact", "DecryptionPolicy", "Recipient", "Require",
    "Segments",
    "Signature", "SignedJSON", "Signer", "b64url_encode", "check_header", "decode", "decrypt", "decrypt_nested",
    "encrypt", "encrypt_json", "prove", "read_header", "sign", "sign_json", "split", "verify", "verify_json",
]  # fmt: skip
