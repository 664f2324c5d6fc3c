"""An old Authlib, asked for its opinion: one JSON object on standard input, one on standard output."""

import json
import sys

sys.path.pop(0)  # this folder, where this file has the library's name

import authlib
from authlib.jose import JsonWebEncryption, JsonWebSignature, JsonWebToken, jwt


def main(asked):
    if asked.get("do") == "decrypt":
        opened = JsonWebEncryption().deserialize_compact(asked["token"], bytes.fromhex(asked["key"]))
        return {"octets": len(opened["payload"])}
    if asked.get("do") == "jws":
        return json.loads(JsonWebSignature().deserialize_compact(asked["token"], asked["key"])["payload"])
    if asked.get("algorithms"):
        return JsonWebToken(asked["algorithms"]).decode(asked["token"], asked["key"])
    return jwt.decode(asked["token"], asked["key"])


try:
    answer = {"version": authlib.__version__, "accepted": main(json.load(sys.stdin))}
except Exception as error:
    answer = {"version": authlib.__version__, "refused": f"{type(error).__name__}: {error}"}
print(json.dumps(answer))
