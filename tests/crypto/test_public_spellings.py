"""Keys and certificates given as a secret: every kind, in every structure and wrapping, at every entrance."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
from base64 import b32encode, b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from watchword import (
    ConfigurationError, Key, KeySet, OAuth1Auth, SigV4Auth, WebhookAuth, WebhookVerifier,
)  # fmt: skip
from watchword.crypto.encoding import b64url_encode
from watchword.crypto.keys import RegisteredKey
from watchword.crypto.public_spellings import looks_like_a_key_file
from watchword.crypto.sealing import Sealer
from watchword.dropin import jwt as pyjwt
from watchword.schemes.oauth1.credentials import OAuth1Client, OAuth1Token
from watchword.schemes.sigv4.access_key import AccessKey
from watchword.stores.memory import MemoryStore

PEM, DER, X962 = serialization.Encoding.PEM, serialization.Encoding.DER, serialization.Encoding.X962
PKCS8, NONE = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
EC_CURVES = (
    ec.SECP224R1, ec.SECP256R1, ec.SECP384R1, ec.SECP521R1, ec.SECP256K1, ec.BrainpoolP256R1, ec.BrainpoolP384R1, ec.BrainpoolP512R1,
)  # fmt: skip
OKP = (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey, x25519.X25519PrivateKey, x448.X448PrivateKey)
PRIVATE = {
    "RSA": rsa.generate_private_key(65537, 2048),
    "DSA": dsa.generate_private_key(1024),
    **{curve.name: ec.generate_private_key(curve()) for curve in EC_CURVES},
    **{kind.__name__.removesuffix("PrivateKey"): kind.generate() for kind in OKP},
}
# FIPS 204 §4 and FIPS 203 §8: the sizes of public keys. RFC 9881 §2 and RFC 9935 §2: their object identifiers.
LATTICES = {
    **{f"ML-DSA-{name}": (bytes((0x11 + place,)), 3, size) for place, (name, size) in enumerate(((44, 1312), (65, 1952), (87, 2592)))},
    **{f"ML-KEM-{name}": (bytes((0x01 + place,)), 4, size) for place, (name, size) in enumerate(((512, 800), (768, 1184), (1024, 1568)))},
}  # fmt: skip


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8 or 1)
    return bytes((tag,)) + (bytes((size,)) if size < 0x80 else bytes((0x80 + len(octets),)) + octets) + content


def lattice_spki(last: bytes, arc: int, size: int) -> bytes:
    identifier = der(0x06, bytes.fromhex("60864801650304") + bytes((arc,)) + last)
    return der(0x30, der(0x30, identifier), der(0x03, b"\0", os.urandom(size)))


def spki(key) -> bytes:
    return key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def first_version(public: bytes, name: bytes = b"a") -> bytes:
    """A certificate of version 1 (RFC 5280 §4.1.2.1: its TBS begins with the serial number), by a made-up signature."""
    signed_by = der(0x30, der(0x06, bytes.fromhex("2b6570")))
    named = der(0x30, der(0x31, der(0x30, der(0x06, bytes.fromhex("550403")), der(0x0C, name))))
    dates = der(0x30, der(0x17, b"260101000000Z"), der(0x17, b"270101000000Z"))
    tbs = der(0x30, der(0x02, b"\x01"), signed_by, named, dates, named, public)
    return der(0x30, tbs, signed_by, der(0x03, b"\0", os.urandom(64)))


def armoured(label: str, octets: bytes) -> bytes:
    lines = b64encode(octets).decode()
    body = "\n".join(lines[start : start + 64] for start in range(0, len(lines), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def packets(*bodies: tuple[int, bytes]) -> bytes:
    """Packets of OpenPGP (RFC 9580 §4.2), their lengths in five octets."""
    return b"".join(bytes((0xC0 | kind, 0xFF)) + len(body).to_bytes(4) + body for kind, body in bodies)


def openpgp(name: str) -> bytes:
    date = bytes(4)
    if name == "RSA":
        n = PRIVATE["RSA"].public_key().public_numbers().n
        body = b"\x04" + date + b"\x01" + (2048).to_bytes(2) + n.to_bytes(256) + b"\0\x11\x01\0\x01"
    elif name == "EdDSA":  # the form of before RFC 9580
        body = b"\x04" + date + b"\x16\x09" + bytes.fromhex("2b06010401da470f01") + b"\x01\x07\x40" + os.urandom(32)
    else:
        body = b"\x06" + date + b"\x1b" + (32).to_bytes(4) + os.urandom(32)
    return packets((6, body), (13, b"alice@example.org"))


def structures() -> dict[str, bytes]:
    """What holds a key, each in its own spelling."""
    found: dict[str, bytes] = {}
    for name, key in PRIVATE.items():
        public = key.public_key()
        found[f"{name} SPKI"] = spki(key)
        found[f"{name} PEM"] = public.public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        found[f"{name} PKCS #8"] = key.private_bytes(DER, PKCS8, NONE)
        found[f"{name} PKCS #8, encrypted"] = key.private_bytes(DER, PKCS8, serialization.BestAvailableEncryption(b"x"))
        found[f"{name} v1 certificate"] = first_version(spki(key))
        if not isinstance(key, OKP):
            found[f"{name} traditional"] = key.private_bytes(DER, serialization.PrivateFormat.TraditionalOpenSSL, NONE)
        if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size >= 256:
            point = public.public_bytes(X962, serialization.PublicFormat.UncompressedPoint)
            found[f"{name} point"] = point
            found[f"{name} point in a string"] = der(0x04, point)
        if isinstance(key, (x25519.X25519PrivateKey, x448.X448PrivateKey)):
            continue
        found |= {f"{name} {what}": octets for what, octets in signed(key)}
        if isinstance(key, (rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey)) or name in (
            "secp256r1",
            "secp384r1",
            "secp521r1",
        ):
            line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
            found[f"{name} SSH"] = line
            found[f"{name} known_hosts"] = b"host.example " + line
            found[f"{name} authorized_keys"] = b'command="/bin/true",no-pty ' + line + b" alice@laptop"
            found[f"{name} SSH private"] = key.private_bytes(PEM, serialization.PrivateFormat.OpenSSH, NONE)
            found[f"{name} SSH certificate"] = ssh_certificate(key)
    rsa_key = PRIVATE["RSA"]
    found["RSA PKCS #1"] = rsa_key.public_key().public_bytes(DER, serialization.PublicFormat.PKCS1)
    found["RSA PKCS #1 of 512 bits"] = der(0x30, der(0x02, b"\0\xc1" + os.urandom(63)), der(0x02, b"\x03"))
    found |= {f"{name} SPKI": lattice_spki(*row) for name, row in LATTICES.items()}
    found |= {f"{name} v1 certificate": first_version(lattice_spki(*row)) for name, row in LATTICES.items()}
    found |= {f"OpenPGP {name}": openpgp(name) for name in ("RSA", "EdDSA", "Ed25519")}
    found["OpenPGP armoured"] = armoured("PGP PUBLIC KEY BLOCK", openpgp("RSA"))
    for name in ("RS256", "ES256", "EdDSA", "ECDH-ES"):
        jwk = Key.generate(name, key_id="k1").to_jwk()
        found[f"{name} JWK"] = json.dumps(jwk).encode()
        found[f"{name} JWK, as Python shows it"] = repr(jwk).encode()
        found[f"{name} JWK set"] = json.dumps({"keys": [jwk]}, indent=1).encode()
    found["ML-DSA JWK"] = json.dumps(
        {"alg": "ML-DSA-44", "kty": "AKP", "pub": b64url_encode(bytes(1312)).decode()}
    ).encode()
    found["a key and its certificate"] = found["RSA PEM"] + armoured("CERTIFICATE", found["RSA v1 certificate"])
    found["two certificates in DER"] = found["Ed25519 v1 certificate"] + found["secp256r1 v1 certificate"]
    found["a bundle of unknown length"] = (
        bytes.fromhex("308006092a864886f70d010702a080") + found["RSA v1 certificate"] + bytes(4)
    )
    return found


def signed(key):
    """Certificates, requests, lists and bundles."""
    hashed = None if isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)) else hashes.SHA256()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    end = start + dt.timedelta(days=1)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, start, end).sign(key, hashed)
    yield "certificate", certificate.public_bytes(DER)
    yield "request", x509.CertificateSigningRequestBuilder(name).sign(key, hashed).public_bytes(DER)
    yield "revocations", x509.CertificateRevocationListBuilder(name, start, end).sign(key, hashed).public_bytes(DER)
    yield "PKCS #7", pkcs7.serialize_certificates([certificate], DER)
    yield "PKCS #12", pkcs12.serialize_key_and_certificates(b"a", None, certificate, None, NONE)


def ssh_certificate(key) -> bytes:
    builder = serialization.SSHCertificateBuilder().public_key(key.public_key()).serial(1).key_id(b"a")
    builder = (
        builder.type(serialization.SSHCertificateType.USER)
        .valid_principals([b"alice"])
        .valid_before(2**32)
        .valid_after(0)
    )
    return builder.sign(ed25519.Ed25519PrivateKey.generate()).public_bytes()


WRAPPINGS = {
    "base64": b64encode,
    "base64url": lambda octets: urlsafe_b64encode(octets).rstrip(b"="),
    "lines": lambda octets: b"\n".join(b64encode(octets)[at : at + 64] for at in range(0, len(b64encode(octets)), 64)),
    "a title": lambda octets: b"the key:\r\n" + b64encode(octets),
    "base32": b32encode,
    "base32, without padding, in lower case": lambda octets: b32encode(octets).rstrip(b"=").lower(),
    "hex": lambda octets: octets.hex().encode(),
    "HEX with colons": lambda octets: octets.hex(":").upper().encode(),
    "an array of C": lambda octets: ", ".join(f"0x{octet:02x}" for octet in octets).encode(),
    "escapes of C": lambda octets: "".join(f"\\x{octet:02x}" for octet in octets).encode(),
    "quotes": lambda octets: b'"' + b64encode(octets) + b'"',
    "JSON": lambda octets: json.dumps({"public_key": b64encode(octets).decode()}).encode(),
    "x5c": lambda octets: json.dumps({"x5c": [b64encode(octets).decode()]}).encode(),
    "a data: URL": lambda octets: b"data:application/octet-stream;base64," + b64encode(octets),
    "a percent-encoded data: URL": lambda octets: b"data:," + quote(octets).encode(),
    "percent-encoded base64": lambda octets: quote(b64encode(octets), safe="").encode(),
    "XML": lambda octets: b"<Key>\n  " + b64encode(octets) + b"\n</Key>",
    "UTF-16": lambda octets: b64encode(octets).decode().encode("utf-16"),
    "white space": lambda octets: b"\xef\xbb\xbf \n\t" + b64encode(octets) + b" \r\n",
}
TEXT = {
    "as it is": lambda octets: octets,
    "white space": lambda octets: b" \n\t" + octets + b"\r\n",
    "quotes": lambda octets: b"'" + octets + b"'",
    "a comment": lambda octets: "Schlüssel\n".encode() + octets,
    "literal line ends": lambda octets: octets.replace(b"\n", b"\\n"),
    "a JSON string": lambda octets: json.dumps(octets.decode()).encode(),
    "a JSON string in a JSON string": lambda octets: json.dumps(json.dumps(octets.decode())).encode(),
    "UTF-16": lambda octets: octets.decode().encode("utf-16"),
    "CR LF": lambda octets: octets.replace(b"\n", b"\r\n"),
}
STRUCTURES = structures()
TEXTS = {name: octets for name, octets in STRUCTURES.items() if octets.isascii()}


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_key_is_no_secret_in_any_wrapping(name):
    octets = STRUCTURES[name]
    assert looks_like_a_key_file(octets)
    assert looks_like_a_key_file(octets + b"\n")
    passed = [wrapping for wrapping, wrap in WRAPPINGS.items() if not looks_like_a_key_file(wrap(octets))]
    assert not passed


@pytest.mark.parametrize("name", TEXTS)
def test_a_key_that_is_text_is_no_secret_in_any_wrapping_of_texts(name):
    passed = [wrapping for wrapping, wrap in TEXT.items() if not looks_like_a_key_file(wrap(TEXTS[name]))]
    assert not passed


@given(st.sampled_from(sorted(STRUCTURES)), st.sampled_from(sorted(WRAPPINGS)), st.sampled_from(sorted(WRAPPINGS)))
def test_a_key_is_no_secret_in_two_wrappings(name, inner, outer):
    assert looks_like_a_key_file(WRAPPINGS[outer](WRAPPINGS[inner](STRUCTURES[name])))


@given(st.integers(0, 400), st.binary(min_size=1, max_size=40))
def test_a_certificate_of_version_1_is_none_however_long_its_names_are(size, serial):
    """The lengths decide how many octets say them: 127, 128, 255 and 256 are where these change."""
    assert looks_like_a_key_file(first_version(STRUCTURES["Ed25519 SPKI"], bytes(size)))
    assert looks_like_a_key_file(first_version(STRUCTURES["secp256r1 SPKI"], serial * 5))


@given(st.integers(32, 256), st.integers(0, 2**64))
def test_random_secrets_are_secrets(size, seed):
    """They are drawn by a seed: Hypothesis by itself would try texts of the module, such as the armour of PEM."""
    secret = random.Random(seed).randbytes(size)
    assert not looks_like_a_key_file(secret)
    for spelt in (b64encode(secret), urlsafe_b64encode(secret), secret.hex().encode(), secret.hex(":").encode()):
        assert not looks_like_a_key_file(spelt)


@given(st.sampled_from((b"\x30\x1e", b"\x30\x81\x80", b"\x04", b"\x04\x41", b"\xc6\x20\x04", b"\x99\x00\x20", b"\0\0\0\x0b")),
       st.integers(32, 256))  # fmt: skip
def test_secrets_that_begin_like_keys_are_secrets(start, size):
    """One random secret in 65,536 begins with a SEQUENCE of just its length."""
    assert not looks_like_a_key_file((start + os.urandom(size))[:size])
    assert not looks_like_a_key_file(b"\x30" + bytes((min(size, 129) - 2,)) + os.urandom(min(size, 129) - 2))


@pytest.mark.parametrize(
    "secret",
    [
        "correct horse battery staple, and some more words", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "sk_live_51H8xQ2eZvKYlo2C0x9y8z7w6v5u4t3s2r1q0p", "{'user': 'alice', 'n': 12}",
        "ssh is what I use to log in, with a key of mine", "kty: none of your business, this is a secret", "-----" * 8,
        "%41%42%43" * 6, "\\n\\x41\\u0041" * 5, "0x" + "ab" * 32, "MIIB" * 12, "AAAA" * 12, "/" * 64, "=" * 64, "\0" * 64,
    ],
)  # fmt: skip
def test_texts_that_are_no_keys_are_secrets(secret):
    assert not looks_like_a_key_file(secret.encode())


# ---- entrances ---------------------------------------------------------------------------------------------------------

STORE = MemoryStore()
ENTRANCES = {
    "Key.from_secret": lambda text: Key.from_secret(text, algorithm="HS256"),
    "Key.from_secret, octets": lambda text: Key.from_secret(text.encode(), algorithm="HS512"),
    "PBES2": lambda text: Key.from_secret(text, algorithm="PBES2-HS256+A128KW"),
    "an oct JWK": lambda text: Key.from_jwk({"kty": "oct", "alg": "HS256", "k": b64url_encode(text.encode()).decode()}),
    "a JWK set": lambda text: KeySet.from_jwks(
        {"keys": [{"kty": "oct", "alg": "HS256", "k": b64url_encode(text.encode()).decode()}]}
    ),
    "a registered key": lambda text: RegisteredKey("alice", "HS256", text.encode()),
    "an access key": lambda text: AccessKey(text, "alice"),
    "add_access_key": lambda text: STORE.add_access_key("alice", "AKID", text),
    "SigV4Auth": lambda text: SigV4Auth("AKID", text, region="eu-central-1", service="s3"),
    "SigV4A": lambda text: SigV4Auth("AKID", text, region="*", service="s3", algorithm="AWS4-ECDSA-P256-SHA256"),
    "a client of OAuth 1": lambda text: OAuth1Client("alice", text),
    "a token of OAuth 1": lambda text: OAuth1Token("client", "alice", text),
    "add_oauth1_client": lambda text: STORE.add_oauth1_client("client", secret=text),
    "add_oauth1_token": lambda text: STORE.add_oauth1_token("token", text, client_key="client", subject="alice"),
    "OAuth1Auth": lambda text: OAuth1Auth("client", text),
    "OAuth1Auth's token": lambda text: OAuth1Auth("client", "secret", token="token", token_secret=text),
    "a webhook's secret": lambda text: WebhookVerifier(text, "github", subject="github"),
    "a webhook's secret, octets": lambda text: WebhookVerifier(text.encode(), subject="sender"),
    "a webhook's secret after whsec_": lambda text: WebhookVerifier("whsec_" + b64encode(text.encode()).decode(), subject="x"),
    "WebhookAuth": lambda text: WebhookAuth(text.encode()),
    "the key of a store": lambda text: Sealer(text.encode()),
    "add_client": lambda text: STORE.add_client("robot", text),
}  # fmt: skip
GIVEN = ("Ed25519 PEM", "secp256r1 SSH", "EdDSA JWK", "Ed25519 v1 certificate")


@pytest.mark.parametrize("spelling", GIVEN)
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_no_entrance_takes_a_public_key_for_a_secret(entrance, spelling):
    octets = STRUCTURES[spelling]
    text = (octets if octets.isascii() else b64encode(octets)).decode().strip()
    with pytest.raises(ConfigurationError, match="no secret") as caught:
        ENTRANCES[entrance](text)
    assert text[40:60] not in str(caught.value)


@pytest.mark.parametrize("spelling", GIVEN)
def test_the_drop_in_takes_no_public_key_for_a_secret(spelling):
    with pytest.raises(pyjwt.InvalidKeyError, match="no secret"):
        pyjwt.encode({"sub": "alice"}, STRUCTURES[spelling], algorithm="HS256")
    with pytest.raises(pyjwt.InvalidKeyError, match="no secret"):
        pyjwt.decode(pyjwt.encode({}, "x" * 32), STRUCTURES[spelling], algorithms=["HS256"])
    with pytest.raises(pyjwt.InvalidKeyError, match="no secret"):
        pyjwt.get_algorithm_by_name("HS256").prepare_key(STRUCTURES[spelling])


def test_a_public_key_of_standard_webhooks_is_no_shared_secret():
    public = b"whpk_" + b64encode(PRIVATE["Ed25519"].public_key().public_bytes_raw())
    for secret, profile in ((public, "standard"), (public.decode(), "github"), (public, "github")):
        with pytest.raises(ConfigurationError, match="no shared secret"):
            WebhookVerifier(secret, profile, subject="sender")
