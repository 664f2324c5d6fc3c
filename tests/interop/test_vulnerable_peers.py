"""Public advisories, tried on the very release that has the hole and on us: the attack succeeds there and fails here.

Each release lives in an environment of its own, which `make interop` makes.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import zlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchword import ConfigurationError, JWTVerifier, Key, KeySet, Rejected
from watchword.crypto import digests, jose
from watchword.crypto.encoding import b64url_encode
from watchword.dropin import jwt

from tests.interop.conftest import PEERS, ROOT, program

OLD = PEERS / "old"
ENVIRONMENTS = ROOT / ".venv" / "peers"
SECRET = "at least thirty-two octets of secret"
CLAIMS = {"sub": "admin", "exp": 4_000_000_000}
FAMILIES = ["HS256", "RS256", "ES256", "EdDSA"]
PEM, SPKI = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo


def peer(name, script, **asked):
    """What the release says: its claims if it accepts, else why not. Fails if it isn't there."""
    python = ENVIRONMENTS / name / "bin" / "python"
    if not python.exists():
        pytest.fail(f"{name} is not installed: run `make interop`, which installs it")
    return _answer([str(python), str(OLD / script)], name, asked)


def fast_jwt(version, **asked):
    """The same for fast-jwt."""
    name = f"fast-jwt-{version}"
    if not (PEERS.parent / "node_modules" / name).is_dir():
        pytest.fail(f"{name} is not installed: run `make interop`, which installs it from npm")
    return _answer([program("node"), str(OLD / "fast_jwt.mjs"), name], name, asked)


def _answer(command, name, asked):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, input=json.dumps(asked), check=True, capture_output=True, text=True, env=environment, timeout=300
    )
    answer = json.loads(done.stdout)
    assert answer.pop("version") == name.rpartition("-")[2]
    return answer


def segment(value):
    return b64url_encode(json.dumps(value).encode())


def forged(secret, header=None, claims=CLAIMS):
    """Whoever knows these octets can write this."""
    signing_input = segment({"alg": "HS256", "typ": "JWT", **(header or {})}) + b"." + segment(claims)
    octets = secret.encode() if isinstance(secret, str) else secret
    return (signing_input + b"." + b64url_encode(digests.hmac_sha256(octets, signing_input))).decode()


def assert_no_public_key_is_a_secret_here(token, public):
    """The stand-in refuses it though it is told every family, and no `Key` can be made of it."""
    with pytest.raises((jwt.InvalidKeyError, jwt.InvalidTokenError)):
        jwt.decode(token, public, algorithms=FAMILIES)
    with pytest.raises(ConfigurationError):
        Key.from_secret(public, algorithm="HS256")


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def pkcs1(key):
    return key.public_key().public_bytes(PEM, serialization.PublicFormat.PKCS1).decode()


def openssh(key):
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(encoding, form).decode()


def test_cve_2017_11424_pyjwt_takes_a_pkcs1_public_key_for_a_secret(rsa_key):
    public = pkcs1(rsa_key)
    token = forged(public)
    assert peer("pyjwt-1.5.0", "pyjwt.py", token=token, key=public, algorithms=FAMILIES[:3]) == {"accepted": CLAIMS}
    assert_no_public_key_is_a_secret_here(token, public)
    with pytest.raises(Rejected):
        JWTVerifier(Key.from_pem(public, algorithm="RS256")).verify(token)


def test_cve_2022_29217_pyjwt_takes_an_openssh_public_key_for_a_secret():
    key = ed25519.Ed25519PrivateKey.generate()
    public = openssh(key)
    token = forged(public)
    assert peer("pyjwt-2.3.0", "pyjwt.py", token=token, key=public, algorithms=FAMILIES) == {"accepted": CLAIMS}
    assert_no_public_key_is_a_secret_here(token, public)
    genuine = jwt.encode(CLAIMS, key, algorithm="EdDSA")
    assert jwt.decode(genuine, public, algorithms=FAMILIES) == CLAIMS


def test_cve_2024_53861_pyjwt_searches_the_issuer_in_a_text():
    claims = {**CLAIMS, "iss": "example"}
    token, issuer = forged(SECRET, claims=claims), "https://id.example"
    asked = {"token": token, "key": SECRET, "algorithms": ["HS256"], "issuer": issuer}
    assert peer("pyjwt-2.10.0", "pyjwt.py", **asked) == {"accepted": claims}
    with pytest.raises(jwt.InvalidIssuerError):
        jwt.decode(token, SECRET, algorithms=["HS256"], issuer=issuer)
    with pytest.raises(Rejected):
        JWTVerifier(Key.from_secret(SECRET, algorithm="HS256"), issuer=issuer).verify(token)


CRITICAL = {"crit": ["x-mfa"], "x-mfa": "required"}


def assert_crit_is_refused_here(token):
    with pytest.raises(jwt.InvalidTokenError, match="critical"):
        jwt.decode(token, SECRET, algorithms=["HS256"])
    with pytest.raises(Rejected):
        JWTVerifier(Key.from_secret(SECRET, algorithm="HS256")).verify(token)


def test_cve_2026_32597_pyjwt_overlooks_crit():
    token = forged(SECRET, CRITICAL)
    asked = {"token": token, "key": SECRET, "algorithms": ["HS256"]}
    assert peer("pyjwt-2.11.0", "pyjwt.py", **asked) == {"accepted": CLAIMS}
    assert_crit_is_refused_here(token)


def test_cve_2025_59420_authlib_overlooks_crit():
    token = forged(SECRET, CRITICAL)
    assert peer("authlib-1.6.3", "authlib.py", token=token, key=SECRET) == {"accepted": CLAIMS}
    assert_crit_is_refused_here(token)


def test_cve_2026_35042_fast_jwt_overlooks_crit():
    token = forged(SECRET, CRITICAL)
    assert fast_jwt("6.1.0", token=token, key=SECRET, algorithms=["HS256"]) == {"accepted": CLAIMS}
    assert_crit_is_refused_here(token)


def test_ghsa_xgmm_8j9v_c9wx_pyjwt_takes_a_jwk_for_a_secret():
    public = json.dumps(Key.generate("ES256").to_jwk())
    token = forged(public)
    assert peer("pyjwt-2.12.1", "pyjwt.py", token=token, key=public, algorithms=FAMILIES) == {"accepted": CLAIMS}
    assert_no_public_key_is_a_secret_here(token, public)


def test_ghsa_jq35_7prp_9v3f_pyjwt_lets_a_jwk_escape_from_the_permitted_algorithms(rsa_key):
    """The header says RS256, which is permitted; the key is for RS512, which is not, and decides."""
    jwk = {**Key.from_openssl(rsa_key.public_key(), algorithm="RS512").to_jwk()}
    signing_input = segment({"alg": "RS256"}) + b"." + segment(CLAIMS)
    signer = Key.from_openssl(rsa_key, algorithm="RS512")
    token = (signing_input + b"." + b64url_encode(signer.sign(signing_input))).decode()
    assert peer("pyjwt-2.12.1", "pyjwt.py", token=token, jwk=jwk, algorithms=["RS256"]) == {"accepted": CLAIMS}
    with pytest.raises(jwt.InvalidAlgorithmError):
        jwt.decode(token, jwt.PyJWK(jwk), algorithms=["RS256"])
    with pytest.raises(Rejected):
        JWTVerifier(KeySet.from_jwks({"keys": [jwk]})).verify(token)


def test_ghsa_993g_76c3_p5m4_pyjwt_reads_key_sets_from_files(tmp_path):
    """Whoever can write a file anywhere, and have its URL asked for, is the issuer."""
    key = Key.generate("ES256", key_id="mine")
    where = tmp_path / "keys.json"
    where.write_text(json.dumps(KeySet([key]).to_jwks()))
    token = jwt.encode(CLAIMS, key, headers={"kid": "mine"})
    asked = {"token": token, "jwks_uri": where.as_uri(), "algorithms": ["ES256"]}
    assert peer("pyjwt-2.12.1", "pyjwt.py", **asked) == {"accepted": CLAIMS}
    with pytest.raises(jwt.PyJWKClientError, match="scheme"):
        jwt.PyJWKClient(where.as_uri())


def test_cve_2024_33663_python_jose_takes_an_openssh_public_key_for_a_secret():
    public = openssh(ec.generate_private_key(ec.SECP256R1()))
    token = forged(public)
    asked = {"token": token, "key": public, "algorithms": ["HS256", "ES256"]}
    assert peer("python-jose-3.3.0", "jose.py", **asked) == {"accepted": CLAIMS}
    assert_no_public_key_is_a_secret_here(token, public)


def test_cve_2024_37568_authlib_takes_a_public_key_for_a_secret(rsa_key):
    public = rsa_key.public_key().public_bytes(PEM, SPKI).decode()
    token = forged(public)
    assert peer("authlib-1.3.0", "authlib.py", token=token, key=public) == {"accepted": CLAIMS}
    assert_no_public_key_is_a_secret_here(token, public)


def test_cve_2026_27962_authlib_believes_the_key_that_a_token_brings():
    key = Key.generate("ES256")
    token = jose.sign(json.dumps(CLAIMS).encode(), key, header={"jwk": key.to_jwk()})
    assert peer("authlib-1.6.3", "authlib.py", do="jws", token=token, key=None) == {"accepted": CLAIMS}
    with pytest.raises(Rejected):
        JWTVerifier(Key.generate("ES256")).verify(token)
    with pytest.raises(TypeError):
        jwt.decode(token, None, algorithms=["ES256"])


def test_cve_2023_48223_fast_jwt_takes_a_pkcs1_public_key_for_a_secret(rsa_key):
    public = pkcs1(rsa_key)
    token = forged(public)
    assert fast_jwt("3.3.1", token=token, key=public) == {"accepted": CLAIMS}
    assert_no_public_key_is_a_secret_here(token, public)


def test_cve_2026_34950_fast_jwt_takes_a_public_key_behind_white_space_for_a_secret(rsa_key):
    public = "\n" + rsa_key.public_key().public_bytes(PEM, SPKI).decode()
    token = forged(public)
    assert fast_jwt("6.1.0", token=token, key=public) == {"accepted": CLAIMS}
    assert_no_public_key_is_a_secret_here(token, public)


def test_cve_2025_30144_fast_jwt_takes_any_of_several_issuers():
    claims = {**CLAIMS, "iss": ["https://evil.example", "https://id.example"]}
    token, issuer = forged(SECRET, claims=claims), "https://id.example"
    assert fast_jwt("5.0.5", token=token, key=SECRET, allowedIss=issuer) == {"accepted": claims}
    with pytest.raises(jwt.InvalidIssuerError):
        jwt.decode(token, SECRET, algorithms=["HS256"], issuer=issuer)
    with pytest.raises(Rejected):
        JWTVerifier(Key.from_secret(SECRET, algorithm="HS256"), issuer=issuer).verify(token)


BOMB = 20_000_000


def bomb(secret, window):
    """A JWE of some twenty kilobytes that is twenty megabytes of nothing (RFC 7516 §4.1.3)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    packed = packer.compress(bytes(BOMB)) + packer.flush()
    head = b64url_encode(json.dumps({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}).encode())
    sealed = AESGCM(secret).encrypt(bytes(12), packed, head)
    parts = [head, b"", b64url_encode(bytes(12)), b64url_encode(sealed[:-16]), b64url_encode(sealed[-16:])]
    return b".".join(parts).decode()


@pytest.mark.parametrize(
    ("name", "script", "window"),
    # python-jose writes and reads zlib (RFC 1950), where RFC 7516 §4.1.3 has bare DEFLATE (RFC 1951).
    [("python-jose-3.3.0", "jose.py", 15), ("authlib-1.6.3", "authlib.py", -15)],
    ids=["CVE-2024-33664 python-jose", "CVE-2025-62706 Authlib"],
)
def test_a_compressed_token_fills_the_memory(name, script, window):
    secret = bytes(range(32))
    token = bomb(secret, window)
    assert len(token) < BOMB // 500
    assert peer(name, script, do="decrypt", token=token, key=secret.hex()) == {"accepted": {"octets": BOMB}}
    key = Key.from_secret(secret, algorithm="A256GCM")
    with pytest.raises(Rejected):
        jose.decrypt(token, key)
    with pytest.raises(Rejected):
        jose.decrypt(token, key, policy=jose.DecryptionPolicy(max_inflated=100_000, max_token=BOMB))


def test_cve_2025_65015_joserfc_writes_a_huge_token_into_its_exception():
    """Which then goes into the log, once for each request of whoever sends it."""
    token = "eyJhbGciOiJIUzI1NiJ9." + base64.b64encode(bytes(3_000_000)).decode() + ".AA"
    answer = peer("joserfc-1.3.4", "joserfc.py", token=token, key=SECRET.encode().hex(), algorithms=["HS256"])
    assert answer["text"] > 1_000_000
    with pytest.raises(jwt.DecodeError) as dropin:
        jwt.decode(token, SECRET, algorithms=["HS256"])
    with pytest.raises(Rejected) as verifier:
        JWTVerifier(Key.from_secret(SECRET, algorithm="HS256")).verify(token)
    assert max(len(str(dropin.value)), len(str(verifier.value))) < 300
