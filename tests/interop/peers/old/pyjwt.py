"""An old PyJWT, asked for its opinion: one JSON object on standard input, one on standard output."""

import collections
import collections.abc
import json
import sys

sys.path.pop(0)  # this folder
collections.Mapping = collections.abc.Mapping  # where PyJWT 1 still looks for it
collections.Iterable = collections.abc.Iterable

import jwt  # noqa: E402 -- after the names that it needs


def main(asked):
    if "jwks_uri" in asked:
        key = jwt.PyJWKClient(asked["jwks_uri"]).get_signing_key_from_jwt(asked["token"])
        return jwt.decode(asked["token"], key.key, algorithms=asked["algorithms"])
    if "jwk" in asked:
        return jwt.decode(asked["token"], jwt.PyJWK.from_dict(asked["jwk"]), algorithms=asked["algorithms"])
    options = {name: asked[name] for name in ("issuer",) if name in asked}
    return jwt.decode(asked["token"], asked["key"], algorithms=asked["algorithms"], **options)


try:
    answer = {"version": jwt.__version__, "accepted": main(json.load(sys.stdin))}
except Exception as error:
    answer = {"version": jwt.__version__, "refused": f"{type(error).__name__}: {error}"}
print(json.dumps(answer))
