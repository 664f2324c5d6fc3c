"""JWT: signing, key sets of 1, 10 and 1,000 keys, typed claims, and the cache of verified tokens."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import version
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bench.harness import Interleaved, Unfit
from bench.jwt import (
    AUDIENCE, ISSUER, Material, Verify, claims, limit, material, prove, segment, sign, verification_primitive,
)  # fmt: skip
from watchword import JWTVerifier, Key, KeySet, TokenCache
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_encode

Make = Callable[[], str]
KID = "2026-11"


def rows() -> Iterable[Interleaved]:
    """Every row of this module."""
    for algorithm in ("HS256", "RS256", "ES256", "EdDSA"):
        yield signing(algorithm)
    for algorithm in ("HS256", "ES256"):
        for size in (1, 10, 1000):
            yield among(algorithm, size)
    for algorithm in ("HS256", "ES256"):
        yield typed(algorithm)
    yield cache_hit()


# ---- signing ---------------------------------------------------------------------------------------------------------


def signing(algorithm: str) -> Interleaved:
    """Everybody signs the same claims."""
    given = material(algorithm)
    members = claims()
    contenders: dict[str, Make] = {"limit": limit_sign(given, members), "watchword": ours_sign(given, members)}
    missing: dict[str, str] = {}
    for name, module, make in PEERS:
        try:
            import_module(module)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                contenders[f"{name} {version(name)}"] = make(given, members)
        except ImportError as error:
            missing[name] = str(error)
    title = f"JWT sign {algorithm}: {len(json.dumps(members))} characters of claims"
    return Interleaved(title, contenders, lambda: prove_signers(given, members, contenders), missing)


def prove_signers(given: Material, members: dict[str, object], contenders: dict[str, Make]) -> None:
    """Each one's token is genuine and says what was asked for.

    Raises:
        Unfit: it isn't, or doesn't.
    """
    verifier = JWTVerifier(given.public, issuer=ISSUER, audience=AUDIENCE)
    for name, make in contenders.items():
        try:
            said = verifier.verify(make()).claims
        except Exception as error:
            raise Unfit(f"{name} makes a token that is not genuine") from error
        if said != members:
            raise Unfit(f"{name} signs other claims")


def limit_sign(given: Material, members: dict[str, object]) -> Make:
    """Encode, sign, encode. No API, no check."""
    encode, make = msgspec.json.Encoder().encode, signing_primitive(given)

    def mint() -> str:
        header = b64url_encode(encode({"alg": given.algorithm, "kid": KID, "typ": "JWT"}))
        signing_input = header + b"." + b64url_encode(encode(members))
        return (signing_input + b"." + b64url_encode(make(signing_input))).decode()

    return mint


def signing_primitive(given: Material) -> Callable[[bytes], bytes]:
    import hmac

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding

    private, sha256, pkcs, ecdsa = given.private, hashes.SHA256(), padding.PKCS1v15(), ec.ECDSA(hashes.SHA256())
    if given.secret:
        return lambda data: hmac.digest(given.secret, data, "sha256")
    if given.algorithm == "RS256":
        return lambda data: bytes(private.sign(data, pkcs, sha256))
    if given.algorithm == "EdDSA":
        return lambda data: bytes(private.sign(data))

    def sign_ecdsa(data: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(data, ecdsa))
        return r.to_bytes(32) + s.to_bytes(32)

    return sign_ecdsa


def ours_sign(given: Material, members: dict[str, object]) -> Make:
    key, header = given.key, {"typ": "JWT"}
    return lambda: jose.sign(msgspec.json.encode(members), key, header=header)


def pyjwt(given: Material, members: dict[str, object]) -> Make:
    import jwt

    key: Any = given.secret or given.private
    return lambda: jwt.encode(members, key, algorithm=given.algorithm, headers={"kid": KID})


def joserfc(given: Material, members: dict[str, object]) -> Make:
    from joserfc import jwk, jwt

    kind = {"HS256": "oct", "RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}[given.algorithm]
    key: Any = jwk.import_key(given.secret or given.private_pem, kind)
    header = {"alg": given.algorithm, "kid": KID, "typ": "JWT"}
    return lambda: jwt.encode(header, members, key, algorithms=[given.algorithm])


def authlib(given: Material, members: dict[str, object]) -> Make:
    from authlib.jose import JsonWebKey, JsonWebToken

    kind = {"HS256": "oct", "RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}[given.algorithm]
    key = JsonWebKey.import_key(given.secret or given.private_pem, {"kty": kind})
    jwt, header = JsonWebToken([given.algorithm]), {"alg": given.algorithm, "kid": KID, "typ": "JWT"}
    return lambda: jwt.encode(header, members, key).decode()


def python_jose(given: Material, members: dict[str, object]) -> Make:
    from jose import jwk, jwt

    if given.algorithm == "EdDSA":
        raise ImportError("it has no EdDSA")
    key = jwk.construct(given.secret or given.private_pem.decode(), given.algorithm)
    return lambda: jwt.encode(members, key, algorithm=given.algorithm, headers={"kid": KID})


def jwcrypto(given: Material, members: dict[str, object]) -> Make:
    from jwcrypto import jwk, jwt

    key = jwk.JWK.from_pem(given.private_pem) if given.private_pem else jwk.JWK(
        kty="oct", k=b64url_encode(given.secret).decode()
    )  # fmt: skip
    header = {"alg": given.algorithm, "kid": KID, "typ": "JWT"}

    def mint() -> str:
        token = jwt.JWT(header=header, claims=members, algs=[given.algorithm])
        token.make_signed_token(key)
        return str(token.serialize())

    return mint


PEERS: tuple[tuple[str, str, Callable[[Material, dict[str, object]], Make]], ...] = (
    ("PyJWT", "jwt", pyjwt),
    ("joserfc", "joserfc", joserfc),
    ("Authlib", "authlib", authlib),
    ("python-jose", "jose", python_jose),
    ("jwcrypto", "jwcrypto", jwcrypto),
)


# ---- key sets, typed claims, the cache -------------------------------------------------------------------------------


def among(algorithm: str, size: int) -> Interleaved:
    """The last key of a set; the limit has that key at hand."""
    given = material(algorithm)
    others = [Key.generate(algorithm, key_id=f"other-{number}") for number in range(size - 1)]
    ours = JWTVerifier(KeySet([*others, given.public]), issuer=ISSUER, audience=AUDIENCE)
    contenders: dict[str, Verify] = {
        "limit, the key at hand": limit(given),
        "watchword": ours.verify,
        f"joserfc {version('joserfc')}": _joserfc_set(given, others),
        f"PyJWT {version('PyJWT')}": _pyjwt_set(given, others),
    }
    token = sign(given, claims())
    calls = {name: (lambda verify=verify: verify(token)) for name, verify in contenders.items()}
    return Interleaved(f"JWT verify {algorithm} among {size:,} keys", calls, lambda: prove(given, contenders))


def _jwks(given: Material, others: list[Key]) -> dict[str, list[dict[str, Any]]]:
    return {"keys": [key.to_jwk(private=bool(given.secret)) for key in (*others, given.public)]}


def _joserfc_set(given: Material, others: list[Key]) -> Verify:
    from joserfc import jwk, jwt

    keys: Any = jwk.KeySet.import_key_set(_jwks(given, others))
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}, exp={"essential": True}
    )

    def verify(token: str) -> object:
        found = jwt.decode(token, keys, algorithms=[given.algorithm])
        registry.validate(found.claims)
        return found

    return verify


def _pyjwt_set(given: Material, others: list[Key]) -> Verify:
    import jwt

    keys = jwt.PyJWKSet.from_dict(_jwks(given, others))

    def verify(token: str) -> object:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        return jwt.decode(token, key, algorithms=[given.algorithm], issuer=ISSUER, audience=AUDIENCE)

    return verify


class Order(msgspec.Struct):
    """What an application may want of the claims."""

    sub: str
    tenant: str
    scope: str
    email: str


class Whole(Order):
    """The same, with the claims that everybody checks."""

    iss: str
    aud: str
    exp: int


def typed(algorithm: str) -> Interleaved:
    """Claims as a mapping, and as a type of one's own; the limit decodes into the type too."""
    given = material(algorithm)
    prove_signature, decode_header = verification_primitive(given), msgspec.json.Decoder().decode
    decode = msgspec.json.Decoder(Whole).decode

    def typed_limit(token: str) -> object:
        signing_input, _, signature = token.encode().rpartition(b".")
        header, _, payload = signing_input.partition(b".")
        if decode_header(segment(header))["alg"] != algorithm:
            raise ValueError("algorithm")
        prove_signature(signing_input, segment(signature))
        found = decode(segment(payload))
        if found.iss != ISSUER or found.aud != AUDIENCE or found.exp <= time.time():
            raise ValueError("claims")
        return found

    contenders: dict[str, Verify] = {
        "limit, a Struct": typed_limit,
        "watchword, a mapping": JWTVerifier(given.public, issuer=ISSUER, audience=AUDIENCE).verify,
        "watchword, a Struct": JWTVerifier(given.public, issuer=ISSUER, audience=AUDIENCE, claims=Order).verify,
    }
    token = sign(given, claims())
    calls = {name: (lambda verify=verify: verify(token)) for name, verify in contenders.items()}
    return Interleaved(f"JWT verify {algorithm}, typed claims", calls, lambda: prove(given, contenders))


def cache_hit() -> Interleaved:
    """A token that was verified before, in octets that were read anew: their hash is not known yet."""
    given = material("HS256")
    token = sign(given, claims()).encode()
    known = {token: time.time() + 60}
    verify = JWTVerifier(given.public, issuer=ISSUER, audience=AUDIENCE, cache=TokenCache()).verify
    field = b"Bearer " + token

    def look_up() -> object:
        return known[field[7:]] > time.time()

    def hit() -> object:
        return verify(field[7:])

    def check() -> None:
        if not look_up() or hit() is not hit():
            raise Unfit("the cache does not know the token")

    return Interleaved(
        "verified-token cache, hit", {"limit: dict look-up and clock read": look_up, "watchword": hit}, check
    )
