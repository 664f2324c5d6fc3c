"""python-jose's exceptions."""

from __future__ import annotations

from watchword.core.rejection import ConfigurationError
from watchword.dropin._keys import InsecureKeyLengthWarning

__all__ = [
    "ExpiredSignatureError", "InsecureKeyLengthWarning", "JOSEError", "JWEAlgorithmUnsupportedError", "JWEError",
    "JWEInvalidAuth", "JWEKeyError", "JWEParseError", "JWKError", "JWSAlgorithmError", "JWSError", "JWSKeyError",
    "JWSSignatureError", "JWTClaimsError", "JWTError", "JWTKeyError",
]  # fmt: skip


class JOSEError(Exception):
    """The ancestor of all errors here."""


class JWSError(JOSEError):
    """A signed text is refused, or can't be made."""


class JWSSignatureError(JWSError):
    """The signature is none of these keys'."""


class JWSAlgorithmError(JWSError):
    """The header names an algorithm that is not permitted, or the program one that does not exist."""


class JWTError(JOSEError):
    """The token is refused."""


class JWTClaimsError(JWTError):
    """A claim is malformed, or not what is asked for."""


class ExpiredSignatureError(JWTError):
    """`exp` has passed."""


class JWKError(JOSEError, ConfigurationError):
    """The key is not for this algorithm, or no key; the message says what to do."""


class JWSKeyError(JWSError, JWKError):
    """No key can be used with the algorithm that is named. python-jose says so by `JWKError`, past `except JWSError`."""


class JWTKeyError(JWTError, JWKError):
    """As `JWSKeyError`, of a token: a program that catches `JWTError` answers 401, where it failed with python-jose."""


class JWEError(JOSEError):
    """What is encrypted is refused, or can't be made."""


class JWEParseError(JWEError):
    """It can't be read."""


class JWEInvalidAuth(JWEError):
    """It can't be decrypted: another key, or it was changed. Nothing else is ever said of it."""


class JWEAlgorithmUnsupportedError(JWEError):
    """Its algorithm is not known here, or not accepted."""


class JWEKeyError(JWEError, JWKError):
    """The key can't be used with the algorithm that is named."""
