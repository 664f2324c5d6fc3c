"""python-jose's names: replace `from jose import jwt` by `from watchword.dropin.jose import jwt`; correct programs go on working.

What is refused on purpose is listed in docs/how-to/replace-python-jose.md, each with what to do: `decode` without `algorithms=`,
public keys as secrets in any spelling, extensions that nobody understands (`crit`), tokens that are bound to a key (`cnf`) and more.

>>> from watchword.dropin.jose import jwt
>>> secret = "at least thirty-two octets of secret"
>>> jwt.decode(jwt.encode({"sub": "alice"}, secret), secret, algorithms=["HS256"])
{'sub': 'alice'}
"""

from watchword.dropin.jose.exceptions import ExpiredSignatureError, JOSEError, JWSError, JWTError

__version__ = "3.5.0"
"""The python-jose whose names these are."""

__all__ = ["ExpiredSignatureError", "JOSEError", "JWSError", "JWTError"]
