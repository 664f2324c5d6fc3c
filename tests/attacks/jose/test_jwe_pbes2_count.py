"""A token that orders a billion iterations (CVE-2022-36083 in jose, CVE-2023-6681 in jwcrypto): refused at once."""

from __future__ import annotations


import pytest

from tests.attacks.jose.sealed import header_of, refusal, with_header
from tests.counting import calls
from watchword import Key, KeySet, Reason
from watchword.crypto import jose

KEY = Key.from_secret("correct horse battery staple", algorithm="PBES2-HS256+A128KW")
TOKEN = jose.encrypt(b"hello", KEY, iterations=1000)


def with_count(count):
    return with_header(TOKEN, {**header_of(TOKEN), "p2c": count})


@pytest.mark.parametrize(
    "count", [10**9, 2**31, 2**63, 2**64, 10**30, 100_001, 999, 1, 0, -1, True, 4096.0, "4096", None, [4096], {}]
)
def test_a_count_out_of_bounds_costs_nothing(count):
    token, seen = with_count(count), []
    work = calls(lambda: seen.append(refusal(token, KEY)[:2]))
    assert seen == [(Reason.MALFORMED_CREDENTIALS, "p2c")]
    assert "pbkdf2_hmac" not in work
    assert work.total() < 1000


def test_a_derivation_would_have_been_seen():
    assert calls(lambda: jose.decrypt(TOKEN, KEY))["pbkdf2_hmac"] == 1


def test_a_missing_count_or_salt_is_refused():
    for name in ("p2c", "p2s"):
        header = {key: value for key, value in header_of(TOKEN).items() if key != name}
        assert refusal(with_header(TOKEN, header), KEY)[:2] == (Reason.MALFORMED_CREDENTIALS, name)


@pytest.mark.parametrize("salt", ["", "AAAA", "AAAAAAAAAA==", "!", 7, None, "é" * 12])
def test_a_salt_of_less_than_eight_octets_is_refused(salt):
    header = {**header_of(TOKEN), "p2s": salt}
    assert refusal(with_header(TOKEN, header), KEY)[:2] == (Reason.MALFORMED_CREDENTIALS, "p2s")


def test_the_ceiling_is_the_operators():
    token = jose.encrypt(b"hello", KEY, iterations=2000)
    assert refusal(token, KEY, jose.DecryptionPolicy(max_iterations=1999))[1] == "p2c"
    assert jose.decrypt(token, KEY, policy=jose.DecryptionPolicy(max_iterations=2000)).plaintext == b"hello"


def test_the_ceiling_holds_for_all_keys_and_recipients_together():
    keys = [Key.generate("PBES2-HS256+A128KW") for _ in range(4)]
    token = jose.encrypt(b"hello", keys[0], iterations=1000)
    policy = jose.DecryptionPolicy(max_iterations=3999)
    assert refusal(token, KeySet(keys), policy)[:2] == (Reason.UNKNOWN_KEY, "kid")
    sealed = jose.encrypt_json(b"hello", [keys[0]] * 4, iterations=1000)
    assert refusal(sealed, keys[0], policy)[:2] == (Reason.UNKNOWN_KEY, "kid")


def test_a_short_password_is_refused():
    with pytest.raises(ValueError, match="at least 16"):
        Key.from_secret("hunter2", algorithm="PBES2-HS256+A128KW")
