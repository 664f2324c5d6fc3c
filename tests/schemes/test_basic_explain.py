"""Which kind of change would have made a wrong password right, and whom a wrong name was meant to be; never what is right."""

from __future__ import annotations

from base64 import b64encode
from unicodedata import normalize

import pytest

from bench.explain import leaks
from tests.hash_costs import cheap_password
from watchword import BasicVerifier, Guard, Password, Policy, Reason, Request, explain
from watchword.core.records import Put, Ref
from watchword.crypto import passwords
from watchword.schemes.basic_explain import MAX_HASHES
from watchword.schemes.explaining.report import Explanation
from watchword.stores import MemoryStore

PASSWORD = 'Pässwort & "Zylinder" 7%'
PLAIN = "Correct-horse7&battery"


def guard_of(*users: tuple[str, str | bytes]) -> Guard:
    store = MemoryStore()
    for name, password in users:
        store.commit([Put(Ref(Password, (name,)), cheap_password(password))])
    return Guard([BasicVerifier(realm="orders")], store, policy=Policy())


GUARD = guard_of(("alice", PLAIN), ("zoë", PASSWORD))


def told(user: str, password: str | bytes, guard: Guard = GUARD) -> Explanation:
    pair = user.encode() + b":" + (password.encode() if isinstance(password, str) else password)
    return explain(Request("GET", "https", "h", "/", {"Authorization": b"Basic " + b64encode(pair)}), guard)


SENT = {
    "with blanks or a line end around it": f" {PLAIN} ",
    "in quotes": f'"{PLAIN}"',
    "in quotes with a comma behind them, as a line of JSON": f'"{PLAIN}",',
    "in brackets or braces": f"<{PLAIN}>",
    "as a bytes literal, b'…'": f"b'{PLAIN}'",
    "percent-encoded": "Correct%2Dhorse7%26battery",
    "with HTML escapes": "Correct-horse7&amp;battery",
    "with backslash escapes": r"Correct\-horse7\&battery",
    "with its name before it": f"password={PLAIN}",
    "with caps lock on": PLAIN.swapcase(),
    "with its first letter in the other case": "c" + PLAIN[1:],
    "in base64": b64encode(PLAIN.encode()).decode(),
    "in hex": PLAIN.encode().hex(),
    "twice": PLAIN + PLAIN,
    "with punctuation around it": PLAIN + ".",
    "with typographic quotes or dashes": PLAIN.replace("-", "–"),
    "with invisible characters": PLAIN[:7] + "\N{SOFT HYPHEN}" + PLAIN[7:],
    "from a keyboard on which Y and Z have changed places": PLAIN.replace("y", "z"),
    "with one character too many at its end": PLAIN + "x",
    "with one character too many before it": "x" + PLAIN,
}


def test_octets_beyond_ascii_are_read_as_a_program_prints_them() -> None:
    first = told("zoë", str(PASSWORD.encode())).causes[0]
    assert "as a bytes literal" in first.mend


@pytest.mark.parametrize(
    ("user", "password", "said"),
    [("$API_USER", PLAIN, "not set"), ('{"username"', f'"alice","password":"{PLAIN}"}}', "JSON"), ("/run/secrets/user", PLAIN, "path of a file")],
)  # fmt: skip
def test_what_stands_for_a_name_is_told(user: str, password: str, said: str) -> None:
    explanation = told(user, password)
    assert said in explanation.causes[0].mend
    assert PLAIN not in str(explanation) + explanation.to_json()


@pytest.mark.parametrize("what", SENT)
def test_the_kind_of_change_is_named_that_would_have_made_it_right(what: str) -> None:
    found = told("alice", SENT[what])
    first = found.causes[0]
    if what == "with invisible characters":  # RFC 8265 lets no such character in
        assert found.reason is Reason.MALFORMED_CREDENTIALS
        return
    assert found.reason is Reason.WRONG_SECRET
    assert (first.name, first.component) == ("password", "authorization password")
    assert f"it came {what}".removeprefix("it ") in first.mend
    assert not leaks(found, [PLAIN.encode(), SENT[what].encode()])


@pytest.mark.parametrize(
    ("stored", "sent", "what"),
    [
        (b"open sesame\n", "open sesame", "without the line end that the stored one has"),
        ("open sesame ", "open sesame", "without the space at its end that the stored one has"),
        ('"open sesame"', "open sesame", "without the quotes that the stored one has"),
        ("p%40ss%2Fword", "p@ss/word", "not percent-encoded, as the stored one is"),
        ("p&amp;ssword", "p&ssword", "not HTML-escaped, as the stored one is"),
        ("pässwort".encode("latin-1"), "pässwort", "hashed in latin-1"),
        (normalize("NFD", "pässwort").encode(), "pässwort", "in another Unicode form (NFC)"),
        ("pässwort", "pässwort".encode().decode("latin-1").replace("\x84", "\x84"), "encoded as UTF-8 twice"),
        ("open-ses", "open-sesame", "longer than the 8 characters"),
        ("open sesame", "open+sesame", "with + for spaces"),
    ],
)
def test_a_stored_password_of_another_spelling_is_named(stored: str | bytes, sent: str, what: str) -> None:
    found = told("alice", sent, guard_of(("alice", stored)))
    assert what in found.causes[0].mend
    assert not leaks(found, [sent.encode()])


def test_exchanged_name_and_password_are_named_and_neither_is_shown() -> None:
    found = told(PLAIN, "alice")
    assert found.reason in (Reason.UNKNOWN_SUBJECT, Reason.MALFORMED_CREDENTIALS)
    simple = guard_of(("alice", "correct-horse-battery"))
    found = told("correct-horse-battery", "alice", simple)
    assert found.causes[0].name == "user"
    assert "exchanged" in found.causes[0].mend
    assert not leaks(found, [b"correct-horse-battery"])


@pytest.mark.parametrize(
    "name", ["Alice", "ALICE", "alice@corp.example", "CORP\\alice", '"alice"', "alice%20", "user=alice", "YWxpY2U="]
)
def test_a_name_of_another_spelling_is_recognised(name: str) -> None:
    found = told(name, PLAIN)
    assert found.causes[0].component.startswith("authorization")
    if found.reason is Reason.UNKNOWN_SUBJECT:
        assert found.causes[0].expected == "'alice'"
        assert found.causes[0].mend.startswith("it came ")


@pytest.mark.parametrize("sent", ["", "undefined", "None", "${PASSWORD}", "<password>", "{{password}}", "changeme"])
def test_a_password_that_is_not_set_is_shown_and_nothing_is_tried(sent: str) -> None:
    found = told("alice", sent)
    assert "not set" in found.causes[0].mend
    assert (sent or "nothing") in found.causes[0].received


STORED = [
    "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "pbkdf2_sha256$1000$seasalt$hubwrI2vR8Ha1R3MIEZKnaiQvBRE84mXAijDM/L5bKc=",
    "argon2$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "bcrypt_sha256$$2b$04$W7nwKF844FovxBT9oP5W5OYB34drOu/eMSV3v2b1g4QSkLxHeOVs2",
    "scrypt$16384$salt$8$5$" + "Az" * 43 + "==",
    "scrypt:32768:8:1$salt$" + "0f" * 64,
    "pbkdf2:sha256:3$salt$" + "0f" * 32,
]


@pytest.mark.parametrize("sent", STORED)
def test_a_stored_hash_that_is_sent_as_the_password_is_called_one(sent: str) -> None:
    assert "send the password itself" in told("alice", sent).causes[0].mend


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The secrets of which a hash is computed: each passes one place."""
    secrets, matches = [], passwords._matches

    def counted(encoded: str, secret: bytes, *more: object) -> bool:
        secrets.append(secret)
        return matches(encoded, secret, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(passwords, "_matches", counted)
    return secrets


@pytest.mark.parametrize("how", [*SENT, "in no base64", "exchanged", "in another field"])
def test_no_password_but_the_one_sent_is_hashed_if_none_may_be_tried(how: str, hashed: list[bytes]) -> None:
    """Whoever explains requests as they come in tries no password, whatever came."""
    sent = SENT.get(how, PLAIN)
    pair = (f"{sent}:alice" if how == "exchanged" else f"alice:{sent}").encode()
    value = b"Basic " + (pair if how == "in no base64" else b64encode(pair))
    name = "X-Auth" if how == "in another field" else "Authorization"
    found = explain(Request("GET", "https", "h", "/", {name: value}), GUARD, try_passwords=False)
    assert not found.accepted
    assert set(hashed) <= {b"alice" if how == "exchanged" else sent.encode()}
    assert len(hashed) <= 2
    assert not leaks(found, [PLAIN.encode(), sent.encode()])
    if how in SENT and how != "with invisible characters":
        assert "no other spelling of it was tried" in found.causes[0].mend
    if how in ("in no base64", "in another field"):  # that is seen without a hash
        assert found.causes[0].name in ("grammar", "place")


def test_another_password_is_said_to_differ_only_after_so_many_hashes(hashed: list[bytes]) -> None:
    found = told("alice", '"b\'%C3%A4&amp;\\"somethíng" else altogether: yz;m+ \'')
    assert found.causes[0].received == "another one"
    assert "don't fit either" in found.causes[0].mend
    assert MAX_HASHES // 2 < len(hashed) <= MAX_HASHES + 1  # one is the guard's own
    assert "was cut" in found.causes[0].mend
