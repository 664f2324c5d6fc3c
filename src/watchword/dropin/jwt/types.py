"""The types of PyJWT's arguments."""

from __future__ import annotations

from typing import Any, TypedDict

__all__ = ["FullOptions", "JWKDict", "Options", "SigOptions"]

JWKDict = dict[str, Any]


class SigOptions(TypedDict, total=False):
    """Options that concern the signature."""

    verify_signature: bool
    enforce_minimum_key_length: bool


class Options(SigOptions, total=False):
    """Options of `decode`; see there."""

    require: list[str]
    strict_aud: bool
    verify_aud: bool
    verify_cnf: bool
    verify_exp: bool
    verify_iat: bool
    verify_iss: bool
    verify_jti: bool
    verify_nbf: bool
    verify_sub: bool


class FullOptions(TypedDict):
    """Options, each of them there."""

    verify_signature: bool
    enforce_minimum_key_length: bool
    require: list[str]
    strict_aud: bool
    verify_aud: bool
    verify_cnf: bool
    verify_exp: bool
    verify_iat: bool
    verify_iss: bool
    verify_jti: bool
    verify_nbf: bool
    verify_sub: bool
