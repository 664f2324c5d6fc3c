"""The hashes of Django, Werkzeug, passlib and PHP: verified, made anew so that they still accept them, bounded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from passlib.hash import bcrypt_sha256, pbkdf2_sha256, pbkdf2_sha512, scrypt
from werkzeug.security import check_password_hash, generate_password_hash

from tests.patience import PATIENCE
from watchword import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.crypto import passwords
from watchword.crypto.password_formats import FORMATS, Unusable, recognise
from watchword.crypto.passwords import fault_of, hash_password, is_outdated, verify_password

VECTORS = Path(__file__).parents[1] / "vectors" / "passwords" / "frameworks.json"


class Case(NamedTuple):
    by: str
    how: str
    password: str
    encoded: str


CASES = [Case(**case) for case in json.loads(VECTORS.read_text("utf-8"))["cases"]]
CHEAP = [case for case in CASES if "default" not in case.how.lower()]
SHORT = [case for case in CHEAP if case.password == "pässwörd"]
"""One of each format and kind."""
NEVER_MADE = {"argon2i", "Django argon2i", "Django MD5", "bcrypt-sha256 of old"}


def name_of(case: Case) -> str:
    return f"{case.by.split()[0]} {case.how} {case.password[:2]}"


def form_of(encoded: str) -> str:
    known = recognise(encoded)
    assert not isinstance(known, Unusable), known.fault
    return known[0].name


def refusal(encoded: str, secret: str | bytes) -> str:
    with pytest.raises(Rejected) as caught:
        verify_password(encoded, secret)
    assert caught.value.reason is Reason.WRONG_SECRET
    return caught.value.rejection.detail


# ---- what they made --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_hash_that_the_framework_made_verifies(case: Case) -> None:
    verify_password(case.encoded, case.password)


@pytest.mark.parametrize("case", CHEAP, ids=name_of)
def test_no_other_password_fits(case: Case) -> None:
    right = case.password.encode()
    for wrong in (b"", right[:-1], right + b"x", right + b"\0", right + b"\0" + right, b"\0" + right, right.upper()):
        assert refusal(case.encoded, wrong).partition(" octets")[0] in {"", "more than the 72"}


@pytest.mark.parametrize("case", CHEAP, ids=name_of)
def test_a_text_is_in_one_format_only(case: Case) -> None:
    assert len([form for form in FORMATS if form.pattern.fullmatch(case.encoded)]) == 1


@pytest.mark.parametrize("case", SHORT, ids=name_of)
def test_one_that_is_cut_off_is_in_no_format(case: Case) -> None:
    for length in range(len(case.encoded)):
        fault = fault_of(case.encoded[:length])
        if fault is None:  # the tag of a PHC string may have any length from 16 octets on
            assert case.encoded.startswith(("$argon2", "argon2$", "$scrypt$"))
            assert case.encoded.startswith("$scrypt$") or refusal(case.encoded[:length], case.password) == ""


@pytest.mark.parametrize("case", SHORT, ids=name_of)
def test_what_is_written_in_another_case_is_another_text(case: Case) -> None:
    for place, letter in enumerate(case.encoded):
        if letter.isalpha():
            other = case.encoded[:place] + letter.swapcase() + case.encoded[place + 1 :]
            assert fault_of(other) is not None or refusal(other, case.password) == ""


@pytest.mark.parametrize("case", SHORT, ids=name_of)
def test_what_stands_around_it_belongs_to_no_format(case: Case) -> None:
    families = ("$", " ", "\n", "\0", "argon2", "bcrypt$", "bcrypt_sha256$", "{SSHA}", "$wp", "!")
    for other in [each + case.encoded for each in families] + [
        case.encoded + end for end in ("$", " ", "\n", "\0", "=")
    ]:
        if form_of(case.encoded) in {"bcrypt", "argon2id", "argon2i"} and fault_of(other) is None:
            assert form_of(other).startswith("Django")  # which wraps these; what it computes is its own affair
        else:
            assert fault_of(other) is not None, other


def test_the_same_bcrypt_under_two_names_is_two_computations() -> None:
    encoded = hash_password("s3cret", like="bcrypt$$2b$04$abcdefghijklmnopqrstuu5Lo/g67CiD3M4RpN1BmBb4Crp5w7dbK")
    verify_password(encoded, "s3cret")
    verify_password(encoded.removeprefix("bcrypt$"), "s3cret")
    assert refusal(encoded.replace("bcrypt$", "bcrypt_sha256$", 1), "s3cret") == ""


# ---- made anew -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SHORT, ids=name_of)
def test_a_new_hash_has_the_format_and_the_parameters_of_the_old_one(case: Case) -> None:
    if form_of(case.encoded) in NEVER_MADE:
        with pytest.raises(ConfigurationError, match="no new"):
            hash_password("another", like=case.encoded)
        return
    made = hash_password("anöther", like=case.encoded)
    verify_password(made, "anöther")
    assert refusal(made, "another") == ""
    assert made != hash_password("anöther", like=case.encoded), "each has a salt of its own"
    assert made == hash_password("anöther", like=made, random=bytes) or made != case.encoded
    assert not is_outdated(made, like=case.encoded) and not is_outdated(case.encoded, like=made)
    assert form_of(made) == form_of(case.encoded)


@pytest.mark.real_cost
@pytest.mark.parametrize("case", SHORT, ids=name_of)
def test_every_hash_is_outdated_where_another_format_is_asked_for(case: Case) -> None:
    assert is_outdated(case.encoded)
    for other in SHORT:
        same = form_of(other.encoded) == form_of(case.encoded)
        assert same or is_outdated(case.encoded, like=other.encoded)


@pytest.mark.parametrize(
    ("encoded", "dearer"),
    [
        ("pbkdf2_sha256$3$", "pbkdf2_sha256$4$"),
        ("pbkdf2:sha256:3$", "pbkdf2:sha256:4$"),
        ("scrypt$4$", "scrypt$8$"),
        ("scrypt:16:8:2", "scrypt:32:8:2"),
        ("scrypt:16:8:2", "scrypt:16:8:3"),
        ("$$2b$04$", "$$2b$05$"),
        ("$2y$04$", "$2y$05$"),
        ("v=2,t=2b,r=4$", "v=2,t=2b,r=5$"),
        ("$m=64,t=1,", "$m=64,t=2,"),
    ],
)
def test_a_cheaper_hash_is_outdated_and_a_dearer_one_is_not(encoded: str, dearer: str) -> None:
    for case in (case for case in SHORT if encoded in case.encoded):
        more = case.encoded.replace(encoded, dearer)
        assert is_outdated(case.encoded, like=more) and not is_outdated(more, like=case.encoded)


def test_nothing_is_made_like_what_cannot_be_used() -> None:
    for like in ("", "!", "sha1$abc$" + "0" * 40, "scrypt:1048576:64:1$salt$" + "0" * 128):
        with pytest.raises(ConfigurationError, match="like= can't be followed"):
            hash_password("s3cret", like=like)
        with pytest.raises(ConfigurationError, match="like= can't be followed"):
            is_outdated("s3cret", like=like)


@pytest.mark.parametrize("case", [case for case in SHORT if form_of(case.encoded) not in NEVER_MADE], ids=name_of)
def test_what_a_format_would_take_for_another_password_is_not_hashed_in_it(case: Case) -> None:
    name = form_of(case.encoded)
    if "sha256" in name or "argon2" in name:
        for secret in (b"s3cret\0", b"s3\0cret", b"x" * 100):
            made = hash_password(secret, like=case.encoded)
            verify_password(made, secret)
            refusal(made, secret.replace(b"\0", b"")) if b"\0" in secret else refusal(made, secret[:72])
        return
    with pytest.raises(ConfigurationError, match="NUL"):
        hash_password(b"s3cret\0", like=case.encoded)
    if "bcrypt" in name:
        with pytest.raises(ConfigurationError, match="72 octets"):
            hash_password("x" * 73, like=case.encoded)


def test_a_salt_of_letters_and_digits_has_the_bits_that_django_asks_for() -> None:
    like = next(case.encoded for case in SHORT if case.how == "salt of 1")
    seen = [hash_password("x", like=like).split("$")[1] for _ in range(50)]
    assert len(set(seen)) == 50
    assert all(len(salt) == 22 and salt.isalnum() and salt.isascii() for salt in seen)
    assert len(set("".join(seen))) > 55, "of all 62"


# ---- the frameworks accept it ----------------------------------------------------------------------------------------

DJANGO = """
import json, sys
from django.conf import settings

settings.configure(PASSWORD_HASHERS=["django.contrib.auth.hashers." + name for name in (
    "PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "BCryptSHA256PasswordHasher", "BCryptPasswordHasher",
    "ScryptPasswordHasher", "MD5PasswordHasher",
)])
from django.contrib.auth.hashers import check_password, identify_hasher, must_update_salt

for password, encoded in json.load(sys.stdin):
    decoded = identify_hasher(encoded).decode(encoded)
    print(json.dumps([
        check_password(password, encoded), check_password(password + "x", encoded),
        "bcrypt" in encoded or must_update_salt(decoded["salt"], 128),
    ]))
"""


def test_django_accepts_what_is_made_in_its_formats_and_finds_their_salts_long_enough() -> None:
    cases = [
        case for case in SHORT if case.by.startswith("Django") and "argon2" not in case.how
    ]  # tests/interop has it
    made = [
        (case.password, hash_password(case.password, like=case.encoded))
        for case in cases
        if form_of(case.encoded) not in NEVER_MADE
    ]
    answer = subprocess.run(
        [sys.executable, "-c", DJANGO],
        input=json.dumps(made),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answers == [[True, False, "bcrypt" in encoded] for _, encoded in made]
    assert len(answers) == 6, "two of PBKDF2-SHA256, for its salts"


@pytest.mark.parametrize("case", [case for case in CHEAP if case.by.startswith("Werkzeug")], ids=name_of)
def test_werkzeug_accepts_what_is_made_in_its_formats(case: Case) -> None:
    made = hash_password(case.password, like=case.encoded)
    assert check_password_hash(made, case.password) and not check_password_hash(made, case.password + "x")


def test_what_werkzeug_makes_today_is_verified() -> None:
    verify_password(generate_password_hash("s3cret"), "s3cret")


@pytest.mark.parametrize(
    ("hasher", "cost"),
    [(bcrypt_sha256, 4), (pbkdf2_sha256, 3), (pbkdf2_sha512, 3), (scrypt, 4)],
    ids=str,
)
def test_passlib_accepts_what_is_made_in_its_formats(hasher: Any, cost: int) -> None:
    cheap = hasher.using(rounds=cost)
    made = hash_password("pässwörd", like=cheap.hash("another"))
    assert hasher.verify("pässwörd", made) and not hasher.verify("passwörd", made)
    assert not cheap.needs_update(made)


# ---- hostile rows ----------------------------------------------------------------------------------------------------

TAG64, HEX64 = "A" * 86 + "==", "0" * 128
HOSTILE = {
    "pbkdf2_sha256$10000001$salt$" + "A" * 43 + "=": "10000001 iterations are above the ceiling of 10000000",
    "pbkdf2_sha1$9999999999$salt$" + "A" * 27 + "=": "above the ceiling of 10000000",
    "pbkdf2:sha512:10000001$salt$" + HEX64: "above the ceiling of 10000000",
    "scrypt$2097152$salt$8$1$" + TAG64: f"more memory than the ceiling of {2**30} octets",
    "scrypt:2097152:8:1$salt$" + HEX64: f"more memory than the ceiling of {2**30} octets",
    "scrypt:16384:8:1000$salt$" + HEX64: f"above the ceiling of {2**24}",
    "scrypt:18446744073709551616:8:1$salt$" + HEX64: "more memory",
    "scrypt:16384:99999:99999$salt$" + HEX64: "more memory",
    "scrypt:3:8:1$salt$" + HEX64: "no power of two",
    "scrypt:1:8:1$salt$" + HEX64: "no power of two",
    "scrypt:65536:1:1$salt$" + HEX64: "no power of two between 2 and 2^(16 r)",
    "scrypt$65536$salt$1$1$" + TAG64: "no power of two between 2 and 2^(16 r)",
    "$scrypt$ln=17,r=1,p=1$c2FsdHNhbHQ$" + "A" * 43: "no power of two between 2 and 2^(16 r)",
    "argon2$argon2id$v=19$m=2097153,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43: "m=2097153 KiB of memory are above the ceiling",
    "argon2$argon2id$v=19$m=1048576,t=5,p=1$c2FsdHNhbHQ$" + "A" * 43: f"passes are above the ceiling of {2**22}",
    "argon2$argon2i$v=19$m=64,t=1,p=17$c2FsdHNhbHQ$" + "A" * 43: "p=17 lanes are above the ceiling of 16",
    "$argon2i$v=19$m=2097153,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43: "above the ceiling of 2097152",
    "$argon2id$v=19$m=8,t=1,p=2$c2FsdHNhbHQ$" + "A" * 43: "below 8 KiB",
    "bcrypt$$2b$17$" + "a" * 21 + "." + "a" * 31: "bcrypt of cost 17 takes longer than the ceiling of 16",
    "bcrypt_sha256$$2b$31$" + "a" * 21 + "." + "a" * 31: "ceiling of 16",
    "$bcrypt-sha256$v=2,t=2b,r=31$" + "a" * 21 + ".$" + "a" * 31: "ceiling of 16",
    "$bcrypt-sha256$v=2,t=2b,r=4$" + "a" * 22 + "$" + "a" * 31: "as passlib writes it",
    "$bcrypt-sha256$v=3,t=2b,r=4$" + "a" * 21 + ".$" + "a" * 31: "as passlib writes it",
    "pbkdf2_sha256$3$" + "s" * 129 + "$" + "A" * 43 + "=": "as Django writes it",
    "pbkdf2_sha256$3$$" + "A" * 43 + "=": "as Django writes it",
    "pbkdf2_sha256$03$salt$" + "A" * 43 + "=": "as Django writes it",
    "pbkdf2_sha256$-3$salt$" + "A" * 43 + "=": "as Django writes it",
    "pbkdf2_sha256$٣$salt$" + "A" * 43 + "=": "as Django writes it",
    "pbkdf2_sha256$3$salt$" + "A" * 42 + "B=": "its tag is not base64",
    "pbkdf2_sha256$3$salt$" + "A" * 27 + "=": "its tag has not the length of sha256",
    "pbkdf2_sha1$3$salt$" + "A" * 43 + "=": "its tag has not the length of sha1",
    "pbkdf2_sha512$3$salt$" + TAG64: "in no format that is known",
    "pbkdf2:sha256:3$salt$" + "0" * 128: "its tag has not the length of sha256",
    "pbkdf2:sha256:3$salt$" + "0" * 63: "its tag has not the length of sha256",
    "pbkdf2:sha256$salt$" + "0" * 64: "with all of its parameters",
    "pbkdf2:md5:3$salt$" + "0" * 32: "as Werkzeug writes it",
    "pbkdf2:sha256:3$salt$" + "A" * 64: "as Werkzeug writes it",
    "scrypt$salt$" + HEX64: "as Django writes it",
    "scrypt:$salt$" + HEX64: "as Werkzeug writes it",
    "md5$$" + "0" * 32: "as Django writes it",
    "sha1$salt$" + "0" * 40: "neither verifies it any more",
    "$argon2d$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43: "argon2d is not verified",
    "argon2$argon2d$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43: "argon2d is not verified",
    "argon2$argon2id$m=64,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43: "version 19",
    "!": "Django marks so who has no password",
    "!sUYHEd4i6lKyeufRvKtjDXsUYHEd4i6lKyeufRvK": "Django marks so who has no password",
}  # fmt: skip
TABLES = [case.encoded for case in SHORT]


@pytest.mark.parametrize("encoded", HOSTILE)
def test_a_hostile_row_is_refused_before_any_work_and_the_operator_is_told_the_limit(
    encoded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(passwords, "_matches", lambda encoded, octets: tried.append(encoded) or True)
    detail = refusal(encoded, "s3cret")
    assert HOSTILE[encoded] in detail and "set this password again" in detail
    assert encoded.rpartition("$")[2] not in detail or len(encoded) < 5, "the hash itself is not told"
    assert tried == [passwords.DUMMY]


@pytest.mark.parametrize("decoy", TABLES, ids=form_of)
def test_a_row_that_cannot_be_used_costs_what_the_others_of_its_table_cost(
    decoy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(passwords, "_matches", lambda encoded, octets: tried.append(encoded) or True)
    for row in ("!", "", "sha1$salt$" + "0" * 40):
        with pytest.raises(Rejected):
            verify_password(row, "s3cret", decoy=decoy)
    assert tried == [decoy] * 3
    for useless in HOSTILE:
        with pytest.raises(Rejected):
            verify_password("!", "s3cret", decoy=useless)
    assert tried[3:] == [passwords.DUMMY] * len(HOSTILE)


def test_the_empty_password_opens_its_own_hash_only_and_none_is_made_of_it() -> None:
    for case in CHEAP:
        assert refusal(case.encoded, "") == ""
        with pytest.raises(ConfigurationError, match="empty|no new"):
            hash_password("", like=case.encoded)
    assert refusal(generate_password_hash("", "pbkdf2:sha256:3"), "x") == ""


def test_a_host_without_argon2i_or_md5_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise ValueError("disabled for FIPS")

    monkeypatch.delattr("cryptography.hazmat.primitives.kdf.argon2.Argon2i")
    monkeypatch.setattr("hashlib.md5", refused)
    for case in SHORT:
        if form_of(case.encoded).endswith(("argon2i", "MD5")):
            with pytest.raises(StoreUnavailable, match="has no argon2i here|can't verify MD5"):
                verify_password(case.encoded, case.password)
