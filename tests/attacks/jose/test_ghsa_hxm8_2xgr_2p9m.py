"""GHSA-hxm8-2xgr-2p9m (PyJWT): one token in many spellings, which pass a block list that goes by the text (RFC 7515 §2)."""

from __future__ import annotations

import pytest

from tests.attacks.jose.forge import SECRET, VERIFIER, forge
from watchword import Reason, Rejected
from watchword.dropin import jwt

TOKEN = forge({"alg": "HS256", "kid": "k1"})
HEAD, PAYLOAD, SIGNATURE = TOKEN.split(".")


def other_last(segment):
    """The same octets, with stray bits after the last one."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return segment[:-1] + alphabet[alphabet.index(segment[-1]) ^ 1]


SPELLINGS = [
    f"{TOKEN}==", f"{TOKEN}!!!!", f"{TOKEN}\n", f" {TOKEN}", f"{HEAD}.{PAYLOAD}.{SIGNATURE[:9]} {SIGNATURE[9:]}",
    f"{HEAD}.{PAYLOAD}.{SIGNATURE[:9]}!{SIGNATURE[9:]}", f"{HEAD}.{PAYLOAD}.{other_last(SIGNATURE)}", f"{TOKEN}.",
    f"{HEAD}=.{PAYLOAD}.{SIGNATURE}", f"{HEAD}..{PAYLOAD}.{SIGNATURE}", TOKEN.replace(".", "．"), f"{TOKEN}\0",
]  # fmt: skip


def test_padding_that_is_whole_is_taken_by_the_drop_in_alone():
    """As PyJWT takes it, for AWS's load balancers. Whoever keeps a list of tokens there keeps one of their `jti`."""
    with pytest.raises(Rejected):
        VERIFIER.verify(f"{TOKEN}=")
    assert jwt.decode(f"{TOKEN}=", SECRET, algorithms=["HS256"], options={"verify_exp": False})["sub"] == "admin"


@pytest.mark.parametrize("spelling", SPELLINGS, ids=range(len(SPELLINGS)))
def test_a_token_has_one_spelling(spelling):
    assert VERIFIER.verify(TOKEN).subject == "admin"
    with pytest.raises(Rejected) as caught:
        VERIFIER.verify(spelling)
    assert caught.value.rejection.reason is Reason.MALFORMED_CREDENTIALS
    with pytest.raises(jwt.DecodeError):
        jwt.decode(spelling, SECRET, algorithms=["HS256"], options={"verify_exp": False})
