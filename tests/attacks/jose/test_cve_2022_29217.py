"""CVE-2022-29217 (PyJWT), CVE-2024-33663 (python-jose): a public key of OpenSSH as an HMAC secret."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.attacks.jose.forge import RSA, forge
from watchword import ConfigurationError, Key
from watchword.dropin import jwt

OPENSSH = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
LINES = {
    name: key.public_key().public_bytes(*OPENSSH)
    for name, key in {
        "RS256": RSA, "EdDSA": ed25519.Ed25519PrivateKey.generate(), "ES256": ec.generate_private_key(ec.SECP256R1()),
        "ES384": ec.generate_private_key(ec.SECP384R1()), "ES512": ec.generate_private_key(ec.SECP521R1()),
    }.items()
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("shape", [b"%b", b"%b alice@example\n", b"  %b", b"\n%b", b"\xef\xbb\xbf%b"])
def test_a_line_of_openssh_is_no_secret(name, shape):
    public = shape % LINES[name]
    forged = forge({"alg": "HS256"}, secret=public)
    with pytest.raises(jwt.InvalidKeyError, match="no secret"):
        jwt.decode(forged, public, algorithms=["HS256", name])
    with pytest.raises(ConfigurationError, match="no secret"):
        Key.from_secret(public, algorithm="HS256")


@pytest.mark.parametrize("name", LINES)
def test_the_base64_of_the_line_alone_is_none_either(name):
    blob = LINES[name].split(b" ")[1]
    with pytest.raises(ConfigurationError, match="no secret"):
        Key.from_secret(blob, algorithm="HS256")
