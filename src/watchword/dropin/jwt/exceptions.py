"""PyJWT's exceptions, one per cause."""

from __future__ import annotations

from watchword.core.rejection import ConfigurationError

__all__ = [
    "DecodeError", "ExpiredSignatureError", "ImmatureSignatureError", "InvalidAlgorithmError", "InvalidAudienceError",
    "InvalidIssuedAtError", "InvalidIssuerError", "InvalidJTIError", "InvalidKeyError", "InvalidSignatureError",
    "InvalidSubjectError", "InvalidTokenError", "MissingCryptographyError", "MissingRequiredClaimError",
    "PyJWKClientConnectionError", "PyJWKClientError", "PyJWKError", "PyJWKSetError", "PyJWTError",
]  # fmt: skip


class PyJWTError(Exception):
    """The ancestor of all errors here."""


class InvalidTokenError(PyJWTError):
    """The token is refused."""


class DecodeError(InvalidTokenError):
    """It can't be read."""


class InvalidSignatureError(DecodeError):
    """The signature is not this key's."""


class ExpiredSignatureError(InvalidTokenError):
    """`exp` has passed."""


class ImmatureSignatureError(InvalidTokenError):
    """`nbf` or `iat` lies in the future."""


class InvalidAudienceError(InvalidTokenError):
    """`aud` names somebody else."""


class InvalidIssuerError(InvalidTokenError):
    """`iss` names somebody else."""


class InvalidIssuedAtError(InvalidTokenError):
    """`iat` is no date."""


class InvalidSubjectError(InvalidTokenError):
    """`sub` is no text, or not the one that is asked for."""


class InvalidJTIError(InvalidTokenError):
    """`jti` is no text."""


class InvalidAlgorithmError(InvalidTokenError):
    """The header names an algorithm that is not permitted, or the program one that does not exist."""


class MissingRequiredClaimError(InvalidTokenError):
    """A claim that has to be there is not; `claim` is its name."""

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim

    def __str__(self) -> str:
        return f'Token is missing the "{self.claim}" claim'


class InvalidKeyError(PyJWTError, ConfigurationError):
    """The key is not for this algorithm, or too short where that is enforced; the message says what to do."""


class PyJWKError(PyJWTError):
    """A JWK for no algorithm that there is."""


class MissingCryptographyError(PyJWKError):
    """Never raised: `cryptography` is always installed with watchword. Here for `except` clauses."""


class PyJWKSetError(PyJWTError):
    """A key set without a key that can be used."""


class PyJWKClientError(PyJWTError):
    """A key set can't be had, or has no such key."""


class PyJWKClientConnectionError(PyJWKClientError):
    """A key set could not be fetched."""
