"""CVE-2025-61920 (Authlib): segments of megabytes; CVE-2025-65015 (joserfc): which then stand in the exception and the log."""

from __future__ import annotations

import time

import pytest

from tests.attacks.jose.forge import SECRET, VERIFIER, forge
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
    begin = time.thread_time()
    with pytest.raises(Rejected) as caught:
        VERIFIER.verify(token)
    with pytest.raises(jwt.DecodeError) as dropin:
        jwt.decode(token, SECRET, algorithms=["HS256"])
    with pytest.raises(jwt.DecodeError) as unverified:
        jwt.get_unverified_header(token)
    assert time.thread_time() - begin < 0.05  # decoding one of them takes longer
    assert caught.value.rejection.reason is Reason.HEADER_TOO_LARGE
    assert max(len(str(error.value)) for error in (caught, dropin, unverified)) < 300
