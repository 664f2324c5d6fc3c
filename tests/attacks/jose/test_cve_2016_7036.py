"""CVE-2016-7036 (python-jose before 1.3.2): MACs compared octet by octet, so that the time tells how many are right."""

from __future__ import annotations

import pytest

from tests.attacks.jose.forge import SECRET, forge
from tests.counting import calls
from watchword.dropin.jose import jwk, jws, jwt
from watchword.dropin.jose.exceptions import JWTError

TOKEN = forge({"alg": "HS256"}, {"sub": "admin"})
SIGNING_INPUT, _, SIGNATURE = TOKEN.rpartition(".")


def changed_at(index):
    other = "B" if SIGNATURE[index] == "A" else "A"
    return f"{SIGNING_INPUT}.{SIGNATURE[:index]}{other}{SIGNATURE[index + 1 :]}"


@pytest.mark.parametrize("index", [1, 20, 41])
def test_a_wrong_mac_is_as_much_work_wherever_it_is_wrong(index):
    def work(token):
        with pytest.raises(JWTError, match="Signature verification failed"):
            jwt.decode(token, SECRET, ["HS256"])

    work(changed_at(0))  # which prepares the key
    first, other = calls(lambda: work(changed_at(0))), calls(lambda: work(changed_at(index)))
    assert other == first
    assert first["compare_digest"] == 1


def test_keys_as_objects_compare_so_too():
    key = jwk.construct(SECRET, "HS256")
    found = calls(lambda: key.verify(SIGNING_INPUT, jws._load(TOKEN)[3]))
    assert found["compare_digest"] == 1
    assert key.verify(SIGNING_INPUT, jws._load(TOKEN)[3])
