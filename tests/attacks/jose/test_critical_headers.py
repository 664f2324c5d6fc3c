"""`crit` that is not understood, empty or malformed, and b64=false (RFC 7515 §4.1.11, RFC 7797; CVE-2025-59420)."""

from __future__ import annotations

import pytest

from tests.attacks.jose.forge import VERIFIER, forge, refused
from watchword import Reason
from watchword.dropin import jwt


@pytest.mark.parametrize(
    "crit", [["bork"], ["b64"], ["exp"], ["alg"], [], "b64", None, True, {}, [7], ["b64", "b64"], ["cnf"], [""]]
)
def test_any_crit_is_refused(crit):
    token = forge({"alg": "HS256", "crit": crit, "bork": 1, "b64": True, "exp": 1, "cnf": {}})
    assert refused(token) is Reason.UNKNOWN_CRITICAL
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(token, bytes(range(32)), algorithms=["HS256"])


@pytest.mark.parametrize("b64", [False, 0, None, "false", "true", 1, []])
def test_an_unencoded_payload_is_refused_with_or_without_crit(b64):
    assert refused(forge({"alg": "HS256", "b64": b64})) is Reason.UNKNOWN_CRITICAL


def test_b64_true_changes_nothing():
    assert VERIFIER.verify(forge({"alg": "HS256", "b64": True})).subject == "admin"
