"""CVE-2025-61920 (Authlib): segments of megabytes; CVE-2025-65015 (joserfc): which then stand in the exception and the log."""

from __future__ import annotations


import pytest

from tests.attacks.jose.forge import SECRET, VERIFIER, assert_unread, forge
from tests.counting import calls
from watchword import Reason, Rejected
from watchword.dropin import jwt

HUGE = "A" * 5_000_000
HEAD, PAYLOAD, SIGNATURE = forge({"alg": "HS256", "kid": "k1"}).split(".")
TOKENS = {
    "header": f"{HUGE}.{PAYLOAD}.{SIGNATURE}",
    "payload": f"{HEAD}.{HUGE}.{SIGNATURE}",
    "signature": f"{HEAD}.{PAYLOAD}.{HUGE}",
    "dots": "." * 5_000_000,
    "no dot": HUGE,
}


@pytest.mark.parametrize("name", TOKENS)
def test_it_is_refused_unread_and_unrepeated(name):
    token = TOKENS[name]

    def verify():
        with pytest.raises(Rejected) as caught:
            VERIFIER.verify(token)
        with pytest.raises(jwt.DecodeError) as dropin:
            jwt.decode(token, SECRET, algorithms=["HS256"])
        with pytest.raises(jwt.DecodeError) as unverified:
            jwt.get_unverified_header(token)
        assert caught.value.rejection.reason is Reason.HEADER_TOO_LARGE
        assert max(len(str(error.value)) for error in (caught, dropin, unverified)) < 300

    verify()
    assert_unread(calls(verify))
