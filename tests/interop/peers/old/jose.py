"""An old python-jose, asked for its opinion: one JSON object on standard input, one on standard output."""

import json
import sys

sys.path.pop(0)  # this folder, where this file has the library's name

import jose
from jose import jwe, jwt


def main(asked):
    if asked.get("do") == "decrypt":
        return {"octets": len(jwe.decrypt(asked["token"], bytes.fromhex(asked["key"])))}
    return jwt.decode(asked["token"], asked["key"], algorithms=asked["algorithms"])


try:
    answer = {"version": jose.__version__, "accepted": main(json.load(sys.stdin))}
except Exception as error:
    answer = {"version": jose.__version__, "refused": f"{type(error).__name__}: {error}"}
print(json.dumps(answer))
