"""An old joserfc: how much of a token that it refuses stands in its exception."""

import json
import sys

sys.path.pop(0)  # this folder, where this file has the library's name

import joserfc
from joserfc import jwt
from joserfc.jwk import OctKey

asked = json.load(sys.stdin)
try:
    jwt.decode(asked["token"], OctKey.import_key(bytes.fromhex(asked["key"])), algorithms=asked["algorithms"])
    answer = {"version": joserfc.__version__, "accepted": {}}
except Exception as error:
    answer = {"version": joserfc.__version__, "refused": type(error).__name__, "text": len(str(error))}
print(json.dumps(answer))
