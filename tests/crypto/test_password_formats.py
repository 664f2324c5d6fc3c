"""The formats that user tables hold: verified, refused in the open, made anew."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.examples_of import examples
from tests.hash_costs import cheap_password
from watchword import ConfigurationError, Password, Reason, Rejected, StoreUnavailable
from watchword.crypto import password_formats
from watchword.crypto.passwords import (
    DUMMY, PROFILES, Decoy, decoy_for, fault_of, hash_password, is_outdated, verify_password,
)  # fmt: skip


def made() -> dict[str, str]:
    """Made by the libraries themselves, so that nobody has to believe a constant."""
    import bcrypt
    from passlib.hash import (
        apr_md5_crypt, ldap_salted_sha1, ldap_sha1, md5_crypt, pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt,
        sha256_crypt, sha512_crypt,
    )  # fmt: skip

    two_b = bcrypt.hashpw(b"s3cret", bcrypt.gensalt(4)).decode()
    return {
        "argon2id": cheap_password("s3cret").encoded,
        "bcrypt": two_b,
        "bcrypt of htpasswd": two_b.replace("$2b$", "$2y$"),
        "bcrypt of old": two_b.replace("$2b$", "$2a$"),
        "scrypt": scrypt.using(rounds=4).hash("s3cret"),
        "pbkdf2 sha1": pbkdf2_sha1.using(rounds=10).hash("s3cret"),
        "pbkdf2 sha256": pbkdf2_sha256.using(rounds=10).hash("s3cret"),
        "pbkdf2 sha512": pbkdf2_sha512.using(rounds=10).hash("s3cret"),
        "sha256-crypt": sha256_crypt.using(rounds=1000).hash("s3cret"),
        "sha512-crypt": sha512_crypt.using(rounds=5000).hash("s3cret"),
        "apr1": apr_md5_crypt.hash("s3cret"),
        "md5-crypt": md5_crypt.hash("s3cret"),
        "sha": ldap_sha1.hash("s3cret"),
        "ssha": ldap_salted_sha1.hash("s3cret"),
    }


HASHES = made()


def reason_of(encoded: str, secret: str | bytes) -> Rejected:
    with pytest.raises(Rejected) as caught:
        verify_password(encoded, secret)
    assert caught.value.reason is Reason.WRONG_SECRET
    return caught.value


@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("wrong", ["", "S3cret", "s3cre", "s3cret ", "s3cret\0", b"s3cret\0x", b"\xff\x00", "x" * 72])
def test_a_hash_of_every_format_verifies_its_own_secret_only(name: str, wrong: str | bytes) -> None:
    verify_password(HASHES[name], "s3cret")
    verify_password(HASHES[name], b"s3cret")
    assert reason_of(HASHES[name], wrong).rejection.detail == ""


@pytest.mark.parametrize("name", HASHES)
def test_a_changed_hash_never_verifies(name: str) -> None:
    encoded = HASHES[name]
    start = encoded.rfind("$") + 1 if "$" in encoded else encoded.find("}") + 1
    for place in range(start, min(start + 8, len(encoded))):
        other = "A" if encoded[place] != "A" else "B"
        reason_of(encoded[:place] + other + encoded[place + 1 :], "s3cret")


@pytest.mark.real_cost
@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_profile_makes_verifies_and_is_not_outdated(profile: str) -> None:
    if profile == "rfc9106-high-memory":
        assert "$m=2097152,t=1,p=4$" in PROFILES[profile]  # 2 GiB: asserted, not spent
        return
    encoded = hash_password("pässwörd", profile=profile, random=bytes)
    verify_password(encoded, "pässwörd")
    reason_of(encoded, "password")
    assert not is_outdated(encoded, profile)
    assert is_outdated(HASHES["apr1"], profile)
    assert (
        encoded
        == hash_password("pässwörd", profile=profile, random=bytes)
        != hash_password("pässwörd", profile=profile)
    )


@pytest.mark.real_cost
def test_the_high_memory_profile_is_rfc_9106s_first_option(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(password_formats, "hash_argon2id", lambda *parameters: asked.append(parameters) or "made")
    assert hash_password("x", profile="rfc9106-high-memory", random=bytes) == "made"
    assert asked == [(b"x", bytes(16), 2**21, 1, 4)]


@pytest.mark.parametrize("profile", ["scrypt", "pbkdf2-sha256"])
def test_what_ends_with_nul_is_not_hashed_where_it_would_match_without(profile: str) -> None:
    with pytest.raises(ConfigurationError, match="NUL"):
        hash_password(b"s3cret\0", profile=profile)


def test_bcrypt_refuses_a_password_of_which_it_would_read_a_part() -> None:
    with pytest.raises(ConfigurationError, match="72 octets"):
        hash_password("x" * 73, profile="bcrypt")


def test_an_unknown_profile_is_a_configuration_error_that_names_the_others() -> None:
    with pytest.raises(ConfigurationError, match="rfc9106-low-memory"):
        hash_password("x", profile="md5")


@pytest.mark.real_cost
def test_parameters_below_the_profiles_are_outdated_and_those_above_are_not() -> None:
    weaker, stronger = DUMMY.replace("t=3", "t=2"), DUMMY.replace("m=65536", "m=131072")
    assert is_outdated(weaker) and is_outdated(DUMMY.replace("m=65536,t=3", "m=32768,t=6"))
    assert not is_outdated(stronger) and not is_outdated(DUMMY.replace("m=65536,t=3", "m=2097152,t=1"))
    assert is_outdated("nothing that is known")


def test_the_decoy_of_a_table_has_the_format_and_cost_of_most_of_its_hashes() -> None:
    table = [
        HASHES["sha"],
        HASHES["bcrypt"],
        HASHES["bcrypt of old"],
        "rl0uE3wdbBFyU",
        "rl0uE3wdbBFyU",
        "rl0uE3wdbBFyU",
    ]
    assert decoy_for(table) == Decoy(HASHES["bcrypt"])
    assert decoy_for(["rl0uE3wdbBFyU"]) is None and decoy_for([]) is None
    assert HASHES["bcrypt"] not in repr(decoy_for(table))


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (("bcrypt", "bcrypt"), ("passlib.handlers.md5_crypt", "apr1")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(StoreUnavailable, match=r"watchword\[passwords\]"):
            verify_password(HASHES[name], "s3cret")
    with pytest.raises(ConfigurationError, match=r"watchword\[passwords\]"):
        hash_password("x", profile="bcrypt")


def test_a_host_without_md5_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from passlib.handlers import md5_crypt

    def refused(*_: object) -> bool:
        raise ValueError("disabled for FIPS")

    monkeypatch.setattr(md5_crypt, "apr_md5_crypt", type("Off", (), {"verify": staticmethod(refused)}))
    with pytest.raises(StoreUnavailable, match="can't verify"):
        verify_password(HASHES["apr1"], "s3cret")


@examples(300)
@given(
    st.one_of(*(st.from_regex(form.pattern, fullmatch=True) for form in password_formats.FORMATS[1:])),
    st.binary(max_size=80),
)
@example("$6$$" + "a" * 86, b"")
@example("$1$$" + "a" * 22, b"\0")
def test_whatever_has_the_look_of_a_hash_is_verified_or_rejected(encoded: str, secret: bytes) -> None:
    """Only what is cheap is verified; what is dear or faulty is recognised."""
    known = password_formats.recognise(encoded)
    if isinstance(known, password_formats.Unusable):
        assert fault_of(encoded) == known.fault
        return
    form, fields = known
    if max(form.cost(fields)) > (5 if "bcrypt" in form.name else 5000):
        return
    reason_of(encoded, secret)


def test_the_record_puts_a_password_into_its_one_form_before_it_is_hashed() -> None:
    record = Password.hash("Jose\u0301\u3000x", profile="pbkdf2-sha256")
    verify_password(record.encoded, "Jos\u00e9 x")
    verify_password(Password.hash("Jose\u0301".encode(), profile="pbkdf2-sha256").encoded, "Jose\u0301")
    with pytest.raises(ConfigurationError, match="control character"):
        Password.hash("tab\t")
    assert replace(record, disabled=True).encoded == record.encoded
