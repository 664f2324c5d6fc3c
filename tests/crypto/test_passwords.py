"""argon2id PHC strings: made, verified, refused."""

from __future__ import annotations

import subprocess
import sys
import traceback

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import example, given
from hypothesis import strategies as st

from tests.examples_of import examples
from tests.patience import PATIENCE
from watchword import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.crypto import password_formats, passwords
from watchword.crypto.passwords import DUMMY, MAX_SECRET, Password, hash_password, verify_password

PHC = password_formats.FORMATS[0].pattern
CHEAP = Argon2id(salt=b"0123456789abcdef", length=32, iterations=1, lanes=1, memory_cost=8).derive_phc_encoded(
    b"s3cret"
)


def reason_of(encoded: str, secret: str | bytes) -> Rejected:
    with pytest.raises(Rejected) as caught:
        verify_password(encoded, secret)
    assert caught.value.reason is Reason.WRONG_SECRET
    return caught.value


@pytest.mark.real_cost
def test_a_hash_verifies_its_own_secret_only_and_names_rfc_9106s_second_recommended_parameters() -> None:
    encoded = hash_password("pässwörd")
    assert encoded.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    verify_password(encoded, "pässwörd")
    verify_password(encoded, "pässwörd".encode())
    reason_of(encoded, "password")


def test_the_salt_is_the_randomness_that_was_handed_in_and_differs_by_default() -> None:
    assert hash_password("a", random=bytes) == hash_password("a", random=bytes)
    assert hash_password("a") != hash_password("a")


def test_the_record_keeps_scopes_and_subject_and_never_shows_the_hash() -> None:
    record = Password.hash("s3cret", scopes=["read", "write"], subject="user:1")
    assert (record.scopes, record.subject) == (("read", "write"), "user:1")
    verify_password(record.encoded, "s3cret")
    assert "argon2id" not in repr(record)
    assert "s3cret" not in repr(record)


def test_scopes_given_as_one_string_are_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"scopes=\['read'\]"):
        Password.hash("s3cret", scopes="read")


@pytest.mark.parametrize("secret", ["", b"", "x" * (MAX_SECRET + 1), "é" * (MAX_SECRET // 2 + 1), "\ud800"])
def test_a_secret_that_cannot_be_kept_is_a_configuration_error(secret: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match="the password is"):
        hash_password(secret)


@pytest.mark.parametrize("secret", ["x" * (MAX_SECRET + 1), "é" * (MAX_SECRET // 2 + 1), b"x" * 10_000_000, "a\udc80b"])
def test_an_oversized_or_undecodable_secret_is_refused_before_any_work(
    secret: str | bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_matches", None)  # calling it would be a TypeError
    assert "4096 octets" in str(reason_of(CHEAP, secret))


def test_the_longest_secret_is_hashed_whole() -> None:
    encoded = hash_password("x" * MAX_SECRET)
    verify_password(encoded, "x" * MAX_SECRET)
    reason_of(encoded, "x" * (MAX_SECRET - 1) + "y")


@pytest.mark.real_cost
def test_the_dummy_has_the_cost_of_a_new_hash_and_matches_nothing() -> None:
    fresh = hash_password("a")
    assert DUMMY.split("$")[:4] == fresh.split("$")[:4]
    assert [len(part) for part in DUMMY.split("$")] == [len(part) for part in fresh.split("$")]
    for guess in ("", "dummy", DUMMY):
        assert reason_of(DUMMY, guess).rejection.detail == ""


def phc(memory: int, passes: int, lanes: int) -> str:
    return f"$argon2id$v=19$m={memory},t={passes},p={lanes}$" + CHEAP.split("$", 4)[4]


UNUSABLE = [
    "",
    "s3cret",
    "rl0uE3wdbBFyU",  # DES crypt
    "_J9..CCCCXBrJUJV154M",
    "{PLAIN}s3cret",
    "{SHA}5en6G6MezRroT3XKqkdPOmY/BfR=",
    "{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
    "$2x$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    "$2b$17$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    "$2b$31$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMU",
    "$2b$12$R9h/cIPz0gi.URNNX3kh2PPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",  # bits behind the salt
    "$6$rounds=1000001$saltstring$" + "a" * 86,
    "$6$rounds=999$saltstring$" + "a" * 86,
    "$5$rounds=999999999$saltstring$" + "a" * 43,
    "$pbkdf2-sha256$10000001$c2FsdA$" + "a" * 42 + "A",
    "$scrypt$ln=24,r=8,p=1$c2FsdA$" + "a" * 42 + "A",
    "$scrypt$ln=99,r=8,p=1$c2FsdA$" + "a" * 42 + "A",
    "$scrypt$ln=14,r=8,p=9999$c2FsdA$" + "a" * 42 + "A",
    "$scrypt$ln=14,r=8,p=1$c2FsdB$" + "a" * 42 + "A",
    "$apr1$e/liMnO6$/.X3OqC.h3TDD/rMVr9J",
    CHEAP.replace("argon2id", "argon2d"),
    CHEAP.replace("v=19", "v=16"),
    CHEAP + "\n",
    CHEAP + "=",
    CHEAP.replace("$MDEy", "$MD*y"),
    CHEAP.rpartition("$")[0] + "$" + "A" * 41,
    CHEAP.rpartition("$")[0] + "$" + "A" * 42 + "B",  # the last two bits are not zero
    CHEAP.rpartition("$")[0] + "$AAAA",
    CHEAP.replace("m=8,t=1,p=1", "t=1,m=8,p=1"),
    CHEAP.replace("m=8", "m=٨"),
    phc(2**21 + 1, 1, 4),
    phc(2**20, 5, 4),
    phc(2**16, 99999, 4),
    phc(2**16, 1, 17),
    phc(7, 1, 1),
    phc(31, 1, 4),
    phc(0, 1, 1),
    "$" * 100_000,
]


@pytest.mark.real_cost
@pytest.mark.parametrize("encoded", UNUSABLE)
def test_an_unusable_stored_hash_costs_one_dummy_verification_and_is_refused_with_a_mend(
    encoded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(passwords, "_matches", lambda encoded, octets: tried.append(encoded) or True)
    rejected = reason_of(encoded, "s3cret")
    assert tried == [DUMMY]
    assert "set this password again" in str(rejected)
    assert "MDEy" not in str(rejected) and "s3cret" not in str(rejected)


@examples(300)
@given(st.text(max_size=120) | st.from_regex(PHC, fullmatch=True), st.text(max_size=20) | st.binary(max_size=20))
@example(CHEAP, "s3cret")
@example(phc(2**21, 2, 4), "")
def test_whatever_is_stored_or_presented_verification_returns_or_rejects(encoded: str, secret: str | bytes) -> None:
    # The primitive itself is left out so that parameters at the ceiling cost nothing here.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_matches", lambda encoded, octets, known=None: encoded == CHEAP)
        if encoded == CHEAP and passwords._octets(secret) is not None:
            verify_password(encoded, secret)
        else:
            reason_of(encoded, secret)


@pytest.mark.parametrize("encoded", [CHEAP, phc(8, 1, 1), phc(64, 2, 8)])
def test_what_passes_the_ceilings_is_understood_by_the_primitive(encoded: str) -> None:
    assert passwords.fault_of(encoded) is None
    if encoded == CHEAP:
        verify_password(encoded, "s3cret")
    assert reason_of(encoded, "wrong").rejection.detail == ""


def test_rfc_9106s_first_recommended_option_is_below_the_ceilings() -> None:
    assert passwords.fault_of(phc(2**21, 1, 4)) is None


def test_running_out_of_memory_is_the_stores_fault_not_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    class Starved:
        @staticmethod
        def verify_phc_encoded(octets: bytes, encoded: str) -> None:
            raise MemoryError

    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.argon2.Argon2id", Starved)
    with pytest.raises(StoreUnavailable, match="no memory"):
        verify_password(CHEAP, "s3cret")


def test_a_host_without_argon2id_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm

    class Missing:
        def __init__(self, **_: object) -> None:
            raise UnsupportedAlgorithm("no")

        @staticmethod
        def verify_phc_encoded(octets: bytes, encoded: str) -> None:
            raise UnsupportedAlgorithm("no")

    monkeypatch.setattr("cryptography.hazmat.primitives.kdf.argon2.Argon2id", Missing)
    with pytest.raises(ConfigurationError, match=r"OpenSSL 3\.2"):
        hash_password("s3cret")
    with pytest.raises(StoreUnavailable, match=r"OpenSSL 3\.2"):
        verify_password(CHEAP, "s3cret")


def test_no_traceback_shows_the_secret() -> None:
    for secret in ("hunter2-wrong", "hunter2\ud800"):
        rejected = reason_of(CHEAP, secret)
        shown = "".join(traceback.format_exception(rejected, limit=-1)) + repr(rejected) + repr(rejected.rejection)
        assert "hunter2" not in shown
        assert rejected.__suppress_context__ or rejected.__context__ is None


def test_importing_the_module_does_not_load_cryptography() -> None:
    code = "import sys, watchword.crypto.passwords; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=PATIENCE).returncode == 0


THREADS = """
import os, sys
from threading import Thread
from watchword.crypto.passwords import hash_password, verify_password

encoded = hash_password("open sesame")
done = []

def work(number):
    for _ in range(3):
        verify_password(encoded, "open sesame") if number % 2 else hash_password("open sesame")
    done.append(number)

threads = [Thread(target=work, args=(number,)) for number in range(6)]
for thread in threads:
    thread.start()
child = os.fork()
if child == 0:
    verify_password(encoded, "open sesame")
    os._exit(7)
for thread in threads:
    thread.join()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print(len(done))
"""


def test_many_threads_and_a_forked_child_hash_without_waiting_for_each_other_for_ever() -> None:
    """In a process of its own, which can be ended: OpenSSL's threads, handed out to two hashes at once, never come back."""
    answer = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert answer.stdout == "6\n"
