"""PyJWT's names: replace `import jwt` by `from watchword.dropin import jwt`; correct programs go on working.

What is refused on purpose is listed in docs/how-to/replace-pyjwt.md, each with what to do: `none`, public
keys as secrets, member names that occur twice, tokens that are bound to a key (`cnf`), key sets by http and more.

>>> key = PyJWK.from_dict({"kty": "oct", "alg": "HS256", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"})
>>> decode(encode({"sub": "alice"}, key), key)
{'sub': 'alice'}
"""

from watchword.dropin.jwt.api_jwk import PyJWK, PyJWKSet
from watchword.dropin.jwt.api_jws import (
    PyJWS, get_algorithm_by_name, get_unverified_header, register_algorithm, unregister_algorithm,
)  # fmt: skip
from watchword.dropin.jwt.api_jwt import PyJWT, decode, decode_complete, encode
from watchword.dropin.jwt.exceptions import (
    DecodeError, ExpiredSignatureError, ImmatureSignatureError, InvalidAlgorithmError, InvalidAudienceError,
    InvalidIssuedAtError, InvalidIssuerError, InvalidJTIError, InvalidKeyError, InvalidSignatureError,
    InvalidSubjectError, InvalidTokenError, MissingCryptographyError, MissingRequiredClaimError,
    PyJWKClientConnectionError, PyJWKClientError, PyJWKError, PyJWKSetError, PyJWTError,
)  # fmt: skip
from watchword.dropin.jwt.jwks_client import PyJWKClient
from watchword.dropin.jwt.warnings import InsecureKeyLengthWarning

__version__ = "2.15.1"
"""The PyJWT whose names these are."""

__all__ = [
    "DecodeError", "ExpiredSignatureError", "ImmatureSignatureError", "InsecureKeyLengthWarning",
    "InvalidAlgorithmError", "InvalidAudienceError", "InvalidIssuedAtError", "InvalidIssuerError", "InvalidJTIError",
    "InvalidKeyError", "InvalidSignatureError", "InvalidSubjectError", "InvalidTokenError", "MissingCryptographyError",
    "MissingRequiredClaimError", "PyJWK", "PyJWKClient", "PyJWKClientConnectionError", "PyJWKClientError", "PyJWKError",
    "PyJWKSet", "PyJWKSetError", "PyJWS", "PyJWT", "PyJWTError", "decode", "decode_complete", "encode",
    "get_algorithm_by_name", "get_unverified_header", "register_algorithm", "unregister_algorithm",
]  # fmt: skip
