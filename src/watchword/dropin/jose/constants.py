"""python-jose's names of algorithms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from watchword.crypto.digests import Hashed, at_once

__all__ = ["ALGORITHMS", "JWE_SIZE_LIMIT", "ZIPS", "Algorithms", "Zips"]


class Algorithms:
    """The names, and sets of them. `NONE` and what is in `ALL` alone are names of what is refused."""

    NONE = "none"
    HS256, HS384, HS512 = "HS256", "HS384", "HS512"
    RS256, RS384, RS512 = "RS256", "RS384", "RS512"
    ES256, ES384, ES512 = "ES256", "ES384", "ES512"

    A128CBC_HS256, A192CBC_HS384, A256CBC_HS512 = "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"
    A128GCM, A192GCM, A256GCM = "A128GCM", "A192GCM", "A256GCM"
    A128CBC, A192CBC, A256CBC = "A128CBC", "A192CBC", "A256CBC"

    DIR = "dir"
    RSA1_5, RSA_OAEP, RSA_OAEP_256 = "RSA1_5", "RSA-OAEP", "RSA-OAEP-256"
    A128KW, A192KW, A256KW = "A128KW", "A192KW", "A256KW"
    ECDH_ES = "ECDH-ES"
    ECDH_ES_A128KW, ECDH_ES_A192KW, ECDH_ES_A256KW = "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"
    A128GCMKW, A192GCMKW, A256GCMKW = "A128GCMKW", "A192GCMKW", "A256GCMKW"
    PBES2_HS256_A128KW, PBES2_HS384_A192KW = "PBES2-HS256+A128KW", "PBES2-HS384+A192KW"
    PBES2_HS512_A256KW = "PBES2-HS512+A256KW"

    DEF = "DEF"

    HMAC: Final = {HS256, HS384, HS512}
    RSA_DS: Final = {RS256, RS384, RS512}
    RSA_KW: Final = {RSA1_5, RSA_OAEP, RSA_OAEP_256}
    RSA: Final = RSA_DS | RSA_KW
    EC_DS: Final = {ES256, ES384, ES512}
    EC_KW: Final = {ECDH_ES, ECDH_ES_A128KW, ECDH_ES_A192KW, ECDH_ES_A256KW}
    EC: Final = EC_DS | EC_KW
    HMAC_AUTH_TAG: Final = {A128CBC_HS256, A192CBC_HS384, A256CBC_HS512}
    GCM: Final = {A128GCM, A192GCM, A256GCM}
    AES_PSEUDO: Final = {A128CBC, A192CBC, A256CBC} | GCM
    AES_JWE_ENC: Final = HMAC_AUTH_TAG | GCM
    AES_ENC: Final = AES_JWE_ENC | AES_PSEUDO
    AES_KW: Final = {A128KW, A192KW, A256KW}
    AEC_GCM_KW: Final = {A128GCMKW, A192GCMKW, A256GCMKW}
    AES: Final = AES_ENC | AES_KW
    PBES2_KW: Final = {PBES2_HS256_A128KW, PBES2_HS384_A192KW, PBES2_HS512_A256KW}

    HASHES: Final[dict[str, Callable[[bytes], Hashed]]] = {
        name: at_once("sha-" + name[2:])
        for name in ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
    }

    def __init__(self) -> None:
        self.SUPPORTED: set[str] = (
            self.HMAC | self.RSA_DS | self.EC_DS | {self.DIR} | self.AES_JWE_ENC | self.RSA_KW | self.AES_KW
        )
        """What signs, verifies, encrypts and decrypts; `jwk.register_key` adds to it."""
        self.ALL: set[str] = self.SUPPORTED | {self.NONE} | self.AEC_GCM_KW | self.EC_KW | self.PBES2_KW
        self.KEYS: dict[str, type[Any]] = {}
        """The classes of one's own keys, by algorithm."""


ALGORITHMS: Final = Algorithms()


class Zips:
    """What a JWE may be compressed by."""

    DEF = "DEF"
    NONE = None
    SUPPORTED: Final = {DEF, NONE}


ZIPS: Final = Zips()

JWE_SIZE_LIMIT = 250 * 1024
"""Octets of the longest JWE that is read, and the most that a compressed one may become."""
