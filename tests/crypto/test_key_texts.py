"""Keys as files and environments hold them: read, or named for what they are."""

from __future__ import annotations

import datetime as dt
import json
from base64 import b64encode
from itertools import combinations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat, SSHCertificateBuilder, SSHCertificateType,
)  # fmt: skip
from cryptography.x509.oid import NameOID

from watchword import ConfigurationError, Key, KeySet
from watchword.crypto import key_texts
from watchword.crypto.encoding import b64url_encode
from watchword.dropin import jwt as pyjwt

PEM, DER = Encoding.PEM, Encoding.DER
SPKI, PKCS8, OLD, SSH = (
    PublicFormat.SubjectPublicKeyInfo, PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH,
)  # fmt: skip
PASSWORD = "correct horse"
KEYS = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
OTHER = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def certificate(key, issuer=None):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.example")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + dt.timedelta(days=1))
    signer = issuer or key
    return builder.sign(
        signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    ).public_bytes(PEM)


def private(key, form=PKCS8, password=None):
    how = NoEncryption() if password is None else BestAvailableEncryption(password.encode())
    return key.private_bytes(PEM, form, how)


def public(key):
    return key.public_key().public_bytes(PEM, SPKI)


def ssh_line(key):
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


def mend(function, *arguments, **options):
    with pytest.raises(ConfigurationError) as caught:
        function(*arguments, **options)
    return str(caught.value)


def same(key, found):
    """Whether `found` is `key`: each verifies what the other signs."""
    known = Key.from_openssl(key, algorithm=found.algorithm)
    found.verify(b"data", known.sign(b"data"))
    if found.can_sign:
        known.verify(b"data", found.sign(b"data"))


WRITTEN = {
    "as it is": lambda pem: pem,
    "literal \\n": lambda pem: pem.replace(b"\n", b"\\n"),
    "literal \\r\\n": lambda pem: pem.replace(b"\n", b"\\r\\n"),
    "double quotes": lambda pem: b'"' + pem.replace(b"\n", b"\\n") + b'"',
    "single quotes and a line end": lambda pem: b"'" + pem.strip() + b"'\n",
    "spaces for line ends": lambda pem: pem.replace(b"\n", b" "),
    "CR LF": lambda pem: pem.replace(b"\n", b"\r\n"),
    "CR": lambda pem: pem.replace(b"\n", b"\r"),
    "indented": lambda pem: b"\n".join(b"    " + line for line in pem.splitlines()),
    "no line ends in the body": lambda pem: (
        pem.replace(b"-----\n", b"-----\r").replace(b"\n", b"").replace(b"\r", b"\n")
    ),
    "a byte order mark": lambda pem: b"\xef\xbb\xbf" + pem,
    "text around it": lambda pem: b"Bag Attributes\n    friendlyName: api\n" + pem + b"\nthe end\n",
}


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("written", WRITTEN)
def test_a_pem_is_read_whatever_became_of_its_lines(algorithm, written):
    key, write = KEYS[algorithm], WRITTEN[written]
    forms = [PKCS8, SSH] if algorithm == "EdDSA" else [PKCS8, SSH, OLD]
    for pem in (public(key), *(private(key, form) for form in forms)):
        found = Key.from_pem(write(pem), algorithm=algorithm, key_id="k1")
        same(key, found)
        assert found.can_sign == (b"PRIVATE" in pem)
        same(key, Key.from_pem(write(pem).decode(), algorithm=algorithm))
    same(key, Key.from_certificate(write(certificate(key)), algorithm=algorithm))


@pytest.mark.parametrize("algorithm", KEYS)
def test_both_forms_of_openssh_are_read(algorithm):
    key = KEYS[algorithm]
    for line in (
        ssh_line(key),
        ssh_line(key) + b" alice@laptop\n",
        b"\n  " + ssh_line(key),
        b'"' + ssh_line(key) + b'"',
    ):
        found = Key.from_pem(line, algorithm=algorithm)
        same(key, found)
        assert not found.can_sign
    assert Key.from_pem(private(key, SSH), algorithm=algorithm).can_sign
    builder = SSHCertificateBuilder().public_key(key.public_key()).serial(1).key_id(b"a").valid_principals([b"alice"])
    signed = (
        builder.type(SSHCertificateType.USER).valid_before(2**32).valid_after(0).sign(OTHER["EdDSA"]).public_bytes()
    )
    assert "certificate of OpenSSH" in mend(Key.from_pem, signed, algorithm=algorithm)
    assert "that can be read" in mend(Key.from_pem, ssh_line(key)[:60], algorithm=algorithm)


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_with_its_certificates_is_read(algorithm):
    key, other = KEYS[algorithm], OTHER[algorithm]
    chain = certificate(key, other) + certificate(other)
    for text in (private(key) + chain, chain + private(key), public(key) + chain, private(key) + public(key) + chain):
        found = Key.from_pem(text, algorithm=algorithm)
        same(key, found)
        assert found.can_sign == (b"PRIVATE" in text)
        same(key, Key.from_pem(text.replace(b"\n", b"\\n"), algorithm=algorithm))


def test_a_key_beside_a_stranger_s_certificate_or_another_key_is_refused():
    key, other = KEYS["ES256"], OTHER["ES256"]
    assert "belong to another" in mend(Key.from_pem, private(key) + certificate(other), algorithm="ES256")
    for one, two in combinations((private(key), public(other), private(other, OLD)), 2):
        if one != public(other):
            assert "2 keys" in mend(Key.from_pem, one + two, algorithm="ES256")
    parameters = (
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"  # as `openssl ecparam` writes
    )
    same(key, Key.from_pem(parameters + private(key, OLD), algorithm="ES256"))


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("form", [PKCS8, OLD, SSH], ids=["PKCS #8", "traditional", "OpenSSH"])
def test_an_encrypted_key_opens_with_its_password_alone(algorithm, form):
    if form is OLD and algorithm == "EdDSA":
        return
    key = KEYS[algorithm]
    pem = private(key, form, PASSWORD)
    same(key, Key.from_pem(pem, algorithm=algorithm, password=PASSWORD))
    same(key, Key.from_pem(pem.replace(b"\n", b"\\n"), algorithm=algorithm, password=PASSWORD.encode()))
    same(key, Key.from_pem(pem + certificate(key), algorithm=algorithm, password=PASSWORD))
    assert "give its password=" in mend(Key.from_pem, pem, algorithm=algorithm)
    said = mend(Key.from_pem, pem, algorithm=algorithm, password="a wrong one")
    assert "does not open" in said
    assert "wrong one" not in said
    plain = private(key, form)
    assert "not encrypted" in mend(Key.from_pem, plain, algorithm=algorithm, password=PASSWORD)
    assert "not encrypted" in mend(Key.from_pem, public(key), algorithm=algorithm, password=PASSWORD)


@pytest.mark.parametrize("algorithm", KEYS)
def test_an_encrypted_der_opens_with_its_password_alone(algorithm):
    key = KEYS[algorithm]
    sealed = key.private_bytes(DER, PKCS8, BestAvailableEncryption(PASSWORD.encode()))
    same(key, Key.from_der(sealed, algorithm=algorithm, password=PASSWORD))
    assert "give its password=" in mend(Key.from_der, sealed, algorithm=algorithm)
    assert "does not open" in mend(Key.from_der, sealed, algorithm=algorithm, password="a wrong one")
    assert "not encrypted" in mend(
        Key.from_der, key.private_bytes(DER, PKCS8, NoEncryption()), algorithm=algorithm, password=PASSWORD
    )
    plain = key.public_key().public_bytes(DER, SPKI)
    assert "not encrypted" in mend(Key.from_der, plain, algorithm=algorithm, password=PASSWORD)


JWK = Key.generate("ES256", key_id="k1").to_jwk()
REQUEST = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(KEYS["ES256"], hashes.SHA256()).public_bytes(PEM)
NAMED = {
    "a certificate": (certificate(KEYS["ES256"]), "Key.from_certificate"),
    "half a certificate": (certificate(KEYS["ES256"])[:100], "Key.from_certificate"),
    "a request": (REQUEST, "CERTIFICATE REQUEST"),
    "a JWK": (json.dumps(JWK).encode(), "Key.from_jwk"),
    "a JWK set": (json.dumps({"keys": [JWK]}).encode(), "KeySet.from_jwks"),
    "a key of PGP": (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----\n", "PGP PUBLIC KEY"),
    "SSH2": (b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n", "ssh-keygen -i"),
    "PuTTY": (b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", "puttygen"),
    "DER": (KEYS["ES256"].public_key().public_bytes(DER, SPKI), "Key.from_der"),
    "DER in base64": (b64encode(KEYS["ES256"].public_key().public_bytes(DER, SPKI)), "decoded first"),
    "PEM in base64": (b64encode(public(KEYS["ES256"])), "decoded first"),
    "half a key": (public(KEYS["ES256"])[:100], "no PEM"),
    "parameters": (b"-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----", "DH PARAMETERS"),
    "DSA": (public(dsa.generate_private_key(1024)), "one of DSA"),
    "nothing": (b"", "no PEM"),
    "text": (b"nonsense", "no PEM"),
}  # fmt: skip


@pytest.mark.parametrize("what", NAMED)
def test_what_is_no_key_in_pem_is_named_for_what_it_is(what):
    text, words = NAMED[what]
    said = mend(Key.from_pem, text, algorithm="ES256")
    assert words in said
    assert len(said) < 300
    with pytest.raises(pyjwt.InvalidKeyError):
        pyjwt.get_algorithm_by_name("ES256").prepare_key(text)


def test_other_constructors_name_what_they_are_given():
    pem, der = public(KEYS["ES256"]), KEYS["ES256"].public_key().public_bytes(DER, SPKI)
    certified = x509.load_pem_x509_certificate(certificate(KEYS["ES256"])).public_bytes(DER)
    assert "Key.from_certificate" in mend(Key.from_der, certified, algorithm="ES256")
    assert "Key.from_pem" in mend(Key.from_der, pem, algorithm="ES256")
    assert "from_pem or from_der" in mend(Key.from_certificate, der, algorithm="ES256")
    assert "KeySet.from_jwks" in mend(Key.from_jwk, {"keys": [JWK]})
    for one in (JWK, json.dumps(JWK), json.dumps(JWK).encode()):
        assert "KeySet([Key.from_jwk" in mend(KeySet.from_jwks, one)
    for text in (pem, pem.decode()):
        assert "Key.from_pem" in mend(KeySet.from_jwks, text)


NUMBERS = KEYS["RS256"].private_numbers()
RSA_MEMBERS = {"p": NUMBERS.p, "q": NUMBERS.q, "dp": NUMBERS.dmp1, "dq": NUMBERS.dmq1, "qi": NUMBERS.iqmp}


@pytest.mark.parametrize("with_d", [True, False])
@pytest.mark.parametrize("count", range(6))
def test_an_rsa_jwk_has_all_of_its_private_members_or_d_alone(count, with_d):
    """RFC 7518 §6.3.2: if one of p, q, dp, dq and qi is there, the others are."""
    numbers = NUMBERS

    def spelt(number):
        return b64url_encode(number.to_bytes((number.bit_length() + 7) // 8)).decode()

    jwk = {"kty": "RSA", "alg": "RS256", "n": spelt(numbers.public_numbers.n), "e": "AQAB"}
    if with_d:
        jwk["d"] = spelt(numbers.d)
    for names in combinations(RSA_MEMBERS, count):
        whole = {**jwk, **{name: spelt(RSA_MEMBERS[name]) for name in names}}
        if (count == 5 and with_d) or count == 0:
            assert Key.from_jwk(whole).can_sign == with_d
        else:
            assert "RFC 7518 §6.3.2" in mend(Key.from_jwk, whole)


@pytest.mark.parametrize("name", ["RS256", "ES256"])
def test_keys_are_written_as_openssl_writes_them(name):
    key = KEYS[name]
    assert key_texts.write_pem(key.public_key(), key) == private(key)
    assert key_texts.write_pem(key.public_key(), key, traditional=True) == private(key, OLD)
    assert key_texts.write_pem(key.public_key(), None) == public(key)
    for pem in (private(key), private(key, OLD), public(key)):
        assert key_texts.read_pem(pem)[0] == key.public_key()
    rsa_key = KEYS["RS256"].public_key()
    assert key_texts.write_pem(rsa_key, None, traditional=True) == rsa_key.public_bytes(PEM, PublicFormat.PKCS1)
