"""JWT verification: iss, aud and exp are checked, by everybody. The limit is the barest correct composition of primitives.

Signing, key sets and the token cache are in `bench.jwt_more`.
"""

from __future__ import annotations

import hmac
import json
import time
from binascii import a2b_base64
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bench.harness import Interleaved, Unfit
from watchword import JWTVerifier, Key
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_encode

ISSUER, AUDIENCE = "https://id.example", "orders"
Verify = Callable[[str], object]


class Material(NamedTuple):
    """One key in the spellings that the contenders read."""

    algorithm: str
    secret: bytes
    private: Any
    private_pem: bytes
    public_pem: bytes

    @property
    def key(self) -> Key:
        if self.secret:
            return Key.from_secret(self.secret, algorithm=self.algorithm, key_id="2026-11")
        return Key.from_pem(self.private_pem, algorithm=self.algorithm, key_id="2026-11")

    @property
    def public(self) -> Key:
        if self.secret:
            return self.key
        return Key.from_pem(self.public_pem, algorithm=self.algorithm, key_id="2026-11")


def material(algorithm: str) -> Material:
    """A new key."""
    if algorithm == "HS256":
        return Material(algorithm, bytes(range(1, 33)), None, b"", b"")
    private: Any = {
        "RS256": lambda: rsa.generate_private_key(65537, 2048),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
    }[algorithm]()
    pem = serialization.Encoding.PEM
    return Material(
        algorithm, b"", private,
        private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
    )  # fmt: skip


def claims(**changes: object) -> dict[str, object]:
    """About 300 octets, as access tokens have."""
    now = int(time.time())
    return {
        "iss": ISSUER, "sub": "248289761001", "aud": AUDIENCE, "exp": now + 3600, "iat": now, "nbf": now,
        "jti": "5d3f1c2e-8f0a-4a55-9d6e-6f1f7a0c2b11", "client_id": "s6BhdRkqt3", "scope": "orders:read orders:write",
        "name": "Jane Doe", "email": "jane.doe@example.com", "tenant": "example-gmbh-eu-1", **changes,
    }  # fmt: skip


# ---- the limit -------------------------------------------------------------------------------------------------------

_URL = bytes.maketrans(b"-_", b"+/")
_PAD = (b"", b"", b"==", b"=")


def segment(text: bytes) -> bytes:
    return a2b_base64(text.translate(_URL) + _PAD[len(text) & 3], strict_mode=True)


def limit(given: Material) -> Verify:
    """Decode, compare the algorithm, verify, decode, compare three claims. No API, no reasons, no other check."""
    decode, algorithm, prove = msgspec.json.Decoder().decode, given.algorithm, verification_primitive(given)

    def verify(token: str) -> object:
        signing_input, _, signature = token.encode().rpartition(b".")
        header, _, payload = signing_input.partition(b".")
        if decode(segment(header))["alg"] != algorithm:
            raise ValueError("algorithm")
        prove(signing_input, segment(signature))
        found = decode(segment(payload))
        if found["iss"] != ISSUER or found["aud"] != AUDIENCE or found["exp"] <= time.time():
            raise ValueError("claims")
        return found

    return verify


def verification_primitive(given: Material) -> Callable[[bytes, bytes], None]:
    if given.algorithm == "HS256":
        secret = given.secret

        def check_hmac(data: bytes, signature: bytes) -> None:
            if not hmac.compare_digest(hmac.digest(secret, data, "sha256"), signature):
                raise ValueError("signature")

        return check_hmac
    public = given.private.public_key()
    sha256, pkcs, ecdsa = hashes.SHA256(), padding.PKCS1v15(), ec.ECDSA(hashes.SHA256())
    if given.algorithm == "RS256":
        return lambda data, signature: public.verify(signature, data, pkcs, sha256)
    if given.algorithm == "EdDSA":
        return lambda data, signature: public.verify(signature, data)

    def check_ecdsa(data: bytes, signature: bytes) -> None:
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        public.verify(encode_dss_signature(r, s), data, ecdsa)

    return check_ecdsa


# ---- ours, and the peers: keys are loaded once, wherever the library allows it -----------------------------------------


def ours(given: Material) -> Verify:
    return JWTVerifier(given.public, issuer=ISSUER, audience=AUDIENCE).verify


def dropin(given: Material) -> Verify:
    from watchword.dropin import jwt

    key = given.secret or given.public_pem
    return lambda token: jwt.decode(token, key, algorithms=[given.algorithm], audience=AUDIENCE, issuer=ISSUER)


def pyjwt(given: Material) -> Verify:
    import jwt

    key: Any = given.secret or given.private.public_key()
    return lambda token: jwt.decode(token, key, algorithms=[given.algorithm], issuer=ISSUER, audience=AUDIENCE)


def joserfc(given: Material) -> Verify:
    from joserfc import jwk, jwt

    kind = {"HS256": "oct", "RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}[given.algorithm]
    key: Any = jwk.import_key(given.secret or given.public_pem, kind)
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}, exp={"essential": True}
    )

    def verify(token: str) -> object:
        found = jwt.decode(token, key, algorithms=[given.algorithm])
        registry.validate(found.claims)
        return found

    return verify


def authlib(given: Material) -> Verify:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # authlib.jose is deprecated in favour of joserfc, and still what most use
        from authlib.jose import JsonWebKey, JsonWebToken

    kind = {"HS256": "oct", "RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}[given.algorithm]
    key = JsonWebKey.import_key(given.secret or given.public_pem, {"kty": kind})
    jwt = JsonWebToken([given.algorithm])
    options = {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": AUDIENCE},
               "exp": {"essential": True}}  # fmt: skip

    def verify(token: str) -> object:
        found = jwt.decode(token, key, claims_options=options)
        found.validate()
        return found

    return verify


def python_jose(given: Material) -> Verify:
    from jose import jwk, jwt

    if given.algorithm == "EdDSA":
        raise ImportError("it has no EdDSA")
    key = jwk.construct(given.secret or given.public_pem.decode(), given.algorithm)
    return lambda token: jwt.decode(token, key, algorithms=[given.algorithm], issuer=ISSUER, audience=AUDIENCE)


def jwcrypto(given: Material) -> Verify:
    from jwcrypto import jwk, jwt

    key = jwk.JWK.from_pem(given.public_pem) if given.public_pem else jwk.JWK(
        kty="oct", k=b64url_encode(given.secret).decode()
    )  # fmt: skip
    checks = {"iss": ISSUER, "aud": AUDIENCE, "exp": None}

    def verify(token: str) -> object:
        return json.loads(jwt.JWT(jwt=token, key=key, algs=[given.algorithm], check_claims=checks).claims)

    return verify


PEERS: tuple[tuple[str, str, Callable[[Material], Verify]], ...] = (
    ("PyJWT", "jwt", pyjwt),
    ("joserfc", "joserfc", joserfc),
    ("Authlib", "authlib", authlib),
    ("python-jose", "jose", python_jose),
    ("jwcrypto", "jwcrypto", jwcrypto),
)


def rows() -> Iterable[Interleaved]:
    """One row per algorithm."""
    for algorithm in ("HS256", "RS256", "ES256", "EdDSA"):
        yield verification(algorithm)


def verification(algorithm: str) -> Interleaved:
    """Everybody verifies the same token."""
    given = material(algorithm)
    contenders: dict[str, Verify] = {
        "limit": limit(given),
        "watchword": ours(given),
        "watchword.dropin.jwt": dropin(given),
    }
    missing: dict[str, str] = {}
    for name, module, make in PEERS:
        try:
            import_module(module)
            contenders[f"{name} {version(name)}"] = make(given)
        except ImportError as error:
            missing[name] = str(error)
    token = sign(given, claims())
    calls = {name: (lambda verify=verify: verify(token)) for name, verify in contenders.items()}
    title = (
        f"JWT verify {algorithm}: {len(token)} characters, {len(json.dumps(claims()))} of claims; iss, aud, exp checked"
    )
    return Interleaved(title, calls, lambda: prove(given, contenders), missing)


def sign(given: Material, members: dict[str, object]) -> str:
    """A token of these claims."""
    return jose.sign(msgspec.json.encode(members), given.key, header={"typ": "JWT"})


def prove(given: Material, contenders: dict[str, Verify]) -> None:
    """Everybody accepts the genuine token and refuses each forgery.

    Raises:
        Unfit: somebody doesn't.
    """
    genuine = sign(given, claims())
    other = material(given.algorithm)._replace(secret=bytes(range(2, 34)) if given.secret else b"")
    forgeries = {
        "another key": sign(other, claims()),
        "other claims": ".".join((sign(given, claims(sub="eve")).rpartition(".")[0], genuine.rpartition(".")[2])),
        "another issuer": sign(given, claims(iss="https://evil.example")),
        "another audience": sign(given, claims(aud="accounts")),
        "expired": sign(given, claims(exp=int(time.time()) - 60)),
    }
    for name, verify in contenders.items():
        try:
            verify(genuine)
        except Exception as error:
            raise Unfit(f"{name} refuses the genuine token") from error
        for kind, forged in forgeries.items():
            try:
                verify(forged)
            except Exception:  # noqa: BLE001 -- each library has refusals of its own
                continue
            raise Unfit(f"{name} accepts a token with {kind}")
