"""Stored passwords as RFC 6070, RFC 7914, RFC 9106, jBCrypt, the SHA-crypt specification and Apache's htpasswd have them."""

from __future__ import annotations

from binascii import b2a_base64
from typing import Any

import pytest

from watchword import Reason, Rejected
from watchword.crypto.passwords import verify_password

from .conftest import load

CASES = load("passwords", "passwords.json")["cases"]

# Kind -> why it is not verified through our own functions.
ONLY_THE_PRIMITIVE = {
    "argon2id-raw": "it has a secret key and associated data, which PHC strings can't name and passwords don't have",
}


def unpadded(octets: bytes) -> str:
    return b2a_base64(octets, newline=False).rstrip(b"=").decode()


def stored(case: dict[str, Any]) -> str:
    """The case as a user table would hold it."""
    if case["kind"] == "htpasswd":
        return case["line"].partition(":")[2]
    if "hash" in case:
        return case["hash"]
    salt, tag = unpadded(case["salt"].encode()), unpadded(bytes.fromhex(case["hex"]))
    if case["kind"] == "scrypt":
        return f"$scrypt$ln={case['n'].bit_length() - 1},r={case['r']},p={case['p']}${salt}${tag}"
    name = case["kind"].removesuffix("-sha1")
    return f"${name}${case['iterations']}${salt}${tag}".replace("+", ".")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']} {case['source'][:24]}")
def test_the_published_hashes_verify_their_password_and_no_other(case: dict[str, Any]) -> None:
    if case["kind"] in ONLY_THE_PRIMITIVE:
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        salt, secret, data = (bytes.fromhex(case[name]) for name in ("salt_hex", "secret_hex", "ad_hex"))
        primitive = Argon2id(
            salt=salt, length=case["taglen"], iterations=case["t"], lanes=case["p"], memory_cost=case["m"],
            secret=secret, ad=data,
        )  # fmt: skip
        assert primitive.derive(bytes.fromhex(case["password_hex"])).hex() == case["hex"]
        return
    verify_password(stored(case), case["password"])
    for wrong in (case["password"] + "x", case["password"][:-1] or "x", case["password"].swapcase() + "!"):
        with pytest.raises(Rejected) as caught:
            verify_password(stored(case), wrong)
        assert caught.value.reason is Reason.WRONG_SECRET and caught.value.rejection.detail == ""


def test_the_table_holds_nothing_that_is_not_in_the_suite() -> None:
    assert ONLY_THE_PRIMITIVE.keys() <= {case["kind"] for case in CASES}
