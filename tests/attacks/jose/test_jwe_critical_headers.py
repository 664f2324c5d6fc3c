"""`crit`, members twice, and headers that nothing protects, in encrypted tokens (RFC 7516 §4.1.13, §7.2.1; CVE-2025-59420)."""

from __future__ import annotations

import pytest

from tests.attacks.jose.sealed import refusal, seal
from watchword import Key, Reason
from watchword.crypto import jose

KEY = Key.generate("A256GCM")
CEK = KEY.secret_bytes()
HEADER = {"alg": "dir", "enc": "A256GCM"}


@pytest.mark.parametrize("crit", [["x"], ["b64"], ["exp"], ["zip"], [], "x", None, True, {}, [7], [""]])
def test_any_crit_is_refused(crit):
    assert refusal(seal({**HEADER, "crit": crit, "x": 1, "exp": 1}, CEK), KEY)[:2] == (Reason.UNKNOWN_CRITICAL, "crit")


def test_crit_is_refused_wherever_it_stands():
    sealed = jose.encrypt_json(b"hello", [Key.generate("A256KW")])
    for member in (
        {"unprotected": {"crit": ["x"]}},
        {"recipients": [{**sealed["recipients"][0], "header": {"crit": []}}]},
    ):
        assert refusal({**sealed, **member}, KEY)[0] is Reason.UNKNOWN_CRITICAL


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"dir","enc":"A256GCM","alg":"dir"}',
        b'{"alg":"none","alg":"dir","enc":"A256GCM"}',
        b'{"alg":"dir","enc":"A256GCM","\\u0065nc":"A128GCM"}',
        b'{"alg":"dir","enc":"A256GCM","epk":{"kty":"EC","kty":"OKP"}}',
        b'\xef\xbb\xbf{"alg":"dir","enc":"A256GCM"}',
        b'{"alg":"dir","enc":"A256GCM"}{}',
    ],
)
def test_a_header_has_one_reading(header):
    assert refusal(seal(header, CEK), KEY)[:2] == (Reason.MALFORMED_CREDENTIALS, "header")


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c", "x5t"])
def test_a_key_in_the_header_is_never_used(member):
    mine = Key.generate("A256GCM")
    header = {**HEADER, member: mine.to_jwk(private=True) if member == "jwk" else "https://evil.example/"}
    assert refusal(seal(header, mine.secret_bytes()), KEY)[0] is Reason.WRONG_SIGNATURE
    assert jose.decrypt(seal(header, CEK), KEY).plaintext == b"hello"
