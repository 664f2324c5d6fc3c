"""bcrypt reads 72 octets, so a longer password would be as good as its beginning, and one with NUL as what precedes it.

CVE-2025-22228 and the access to accounts with long usernames that Okta disclosed in 2024 are of this kind.
"""

from __future__ import annotations

from base64 import b64encode

import bcrypt
import pytest

from watchword import BasicVerifier, ConfigurationError, Guard, Password, Reason, Rejected, Request
from watchword.core.records import Put, Ref
from watchword.crypto import password_formats
from watchword.crypto.passwords import hash_password, verify_password
from watchword.stores import MemoryStore

LONG = "x" * 72
HASH = bcrypt.hashpw(LONG.encode(), bcrypt.gensalt(4)).decode()
WIDE = "é" * 36  # 72 octets
WIDE_HASH = bcrypt.hashpw(WIDE.encode(), bcrypt.gensalt(4)).decode()


def refused(encoded: str, secret: str | bytes) -> str:
    with pytest.raises(Rejected) as caught:
        verify_password(encoded, secret)
    assert caught.value.reason is Reason.WRONG_SECRET
    return caught.value.rejection.detail


@pytest.mark.parametrize(("encoded", "whole"), [(HASH, LONG), (WIDE_HASH, WIDE)], ids=["ASCII", "wide"])
@pytest.mark.parametrize("rest", ["x", "é", "anything else", "x" * 4000])
def test_no_longer_password_is_taken_for_its_first_72_octets(encoded: str, whole: str, rest: str) -> None:
    verify_password(encoded, whole)
    assert "more than the 72 octets that bcrypt reads" in refused(encoded, whole + rest)


def test_the_longest_password_is_read_to_its_end() -> None:
    assert refused(HASH, LONG[:-1] + "y") == ""
    assert refused(HASH, LONG[:-1]) == ""


def test_no_bcrypt_hash_is_made_of_a_part_of_a_password() -> None:
    with pytest.raises(ConfigurationError, match="72 octets"):
        hash_password(LONG + "x", profile="bcrypt")


@pytest.mark.parametrize("secret", [b"secret\0", b"secret\0more", b"secret\0secret", b"\0"])
def test_what_stands_behind_nul_is_not_left_out(secret: bytes) -> None:
    """bcrypt repeats a secret and one NUL until the key is full: "secret", NUL, "secret" fills it like "secret" alone."""
    encoded = bcrypt.hashpw(secret.partition(b"\0")[0], bcrypt.gensalt(4)).decode()
    refused(encoded, secret)
    with pytest.raises(ConfigurationError, match="NUL"):
        hash_password(secret, profile="bcrypt")


@pytest.mark.parametrize("cost", [17, 24, 31])
def test_a_stored_cost_that_would_take_minutes_or_days_is_refused_unread(
    cost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_formats, "_bcrypt_matches", None)
    monkeypatch.setattr(bcrypt, "checkpw", None)  # calling it would be a TypeError
    assert f"bcrypt of cost {cost} takes longer" in refused(HASH.replace("$04$", f"${cost}$"), LONG)


def test_the_client_is_told_no_more_than_of_any_wrong_password() -> None:
    store = MemoryStore()
    store.commit([Put(Ref(Password, ("alice",)), Password(HASH))])
    guard = Guard([BasicVerifier(realm="x")], store)
    answers = []
    for password in (LONG + "x", "guess"):
        value = "Basic " + b64encode(f"alice:{password}".encode()).decode()
        with pytest.raises(Rejected) as caught:
            guard.verify(Request("GET", "https", "api.example", "/", {"Authorization": value}))
        assert caught.value.refusal is not None
        answers.append(caught.value.refusal.response())
    assert (answers[0].status, answers[0].headers) == (answers[1].status, answers[1].headers)
