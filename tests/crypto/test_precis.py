"""Usernames and passwords have one form, or none."""

from __future__ import annotations

import subprocess
import sys
import traceback
from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.patience import PATIENCE
from watchword import Reason, Rejected
from watchword.crypto import precis

# RFC 8265 §3.6, table 1 and 2, as far as they hold for UsernameCasePreserved; §4.3, table 5 and 6, for OpaqueString.
USERNAMES = {
    "juliet@example.com": "juliet@example.com", "fussball": "fussball", "fu\u00dfball": "fu\u00dfball", "\u03c0": "\u03c0",
    "\u03a3": "\u03a3", "\u03c3": "\u03c3", "\u03c2": "\u03c2",
    "foo bar": "foo bar", "foo  bar": "foo  bar", "": "", "Alice": "Alice", "x" * 256: "x" * 256, "é" * 256: "é" * 256,
    "Jose\u0301": "Jos\u00e9", "\uff41lice": "alice", "Jose\u0301 \uff41": "Jos\u00e9 a", "мария": "мария",
}  # fmt: skip
NO_USERNAMES = [
    "foo bar ", " foo", " ", "a:b", "\uff41\uff1ab", "henry\u2163", "\u265a", "a\u200bb", "a\u202eb", "a\u0000", "a\x7f",
    "a\u0085", "\ud800", "a\u0378", "\u00b2", "\u3000a", "\u05d0a", "é" * 257, "x" * 257,
]  # fmt: skip
PASSWORDS = {
    "correct horse battery staple": "correct horse battery staple", "Correct Horse": "Correct Horse",
    "\u03c0\u00df\u00e5": "\u03c0\u00df\u00e5", "Jack of \u2666s": "Jack of \u2666s", "foo\u1680bar": "foo bar",
    "foo\u3000bar": "foo bar", "Jose\u0301": "Jos\u00e9", " a ": " a ", "": "", "\uff41": "\uff41", "🐎🔋": "🐎🔋",
    "x" * 512: "x" * 512, "é" * 512: "é" * 512,
}  # fmt: skip
NO_PASSWORDS = [
    "é" * 513,
    "x" * 513,
    "\U0001d160" * 171,
    "my cat is a \tby",
    "a\x00",
    "a\x7f",
    "é\x00",
    "\ud800",
    "a\u0378",
    "a\u200bb",
]


@pytest.mark.parametrize(("text", "normal"), USERNAMES.items())
def test_a_username_has_one_form_and_it_is_its_own(text: str, normal: str) -> None:
    assert precis.username(text) == normal == precis.username(normal)


@pytest.mark.parametrize(("text", "normal"), PASSWORDS.items())
def test_a_password_has_one_form_and_it_is_its_own(text: str, normal: str) -> None:
    assert precis.password(text) == normal == precis.password(normal)


@pytest.mark.parametrize(
    ("form", "text"), [(precis.username, t) for t in NO_USERNAMES] + [(precis.password, t) for t in NO_PASSWORDS]
)
def test_what_has_no_form_is_malformed_and_not_quoted(form, text) -> None:
    with pytest.raises(Rejected) as caught:
        form(text)
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS
    assert caught.value.__context__ is None, "the library's error holds the text"
    shown = "".join(traceback.format_exception(caught.value, limit=-1))
    assert ascii(text)[1:-1] not in shown or text == " "


@given(st.text(max_size=12))
@example("e\u0301")
@example("\uff61")
def test_any_text_has_a_form_that_lasts_or_is_rejected(text: str) -> None:
    for form in (precis.username, precis.password):
        try:
            normal = form(text)
        except Rejected:
            continue
        assert form(normal) == normal == normalize("NFC", normal)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12))
def test_for_ascii_the_library_would_say_the_same(text: str) -> None:
    """It is not asked then."""
    profile = precis._profile("UsernameCasePreserved")
    words = text.strip(" ").replace(":", "").split(" ")
    assert precis.username(" ".join(words)) == " ".join(word and profile.enforce(word) for word in words)
    assert precis.password(text) == (text and precis._profile("OpaqueString").enforce(text))


def test_ascii_loads_no_library() -> None:
    code = "import sys; from watchword.crypto.precis import *; username('a'), password('b'); sys.exit('precis_i18n' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=PATIENCE).returncode == 0


class Counted:
    """In the place of a profile: how many characters it was given."""

    def __init__(self) -> None:
        self.characters = 0

    def enforce(self, text: str) -> str:
        self.characters += len(text)
        return text


@pytest.mark.parametrize(("form", "most"), [(precis.username, 256), (precis.password, 512)])
def test_no_more_characters_are_normalised_than_may_come(form, most, monkeypatch) -> None:
    counted = Counted()
    monkeypatch.setattr(precis, "_profile", lambda name: counted)
    for size in (most // 2, most):
        counted.characters = 0
        form("é" * size)
        assert counted.characters == size
    counted.characters = 0
    for text in ("é" * (most + 1), "é " * most, "é" * 10_000_000, "e\u0301" * most):
        with pytest.raises(Rejected, match=f"more than {most} characters"):
            form(text)
    assert counted.characters == 0


@given(st.text(max_size=30))
@example("\u2000\u2001e\u0301\U0001d160\u1100\u1161\u0958")
def test_a_password_that_is_composed_before_has_the_same_form(text: str) -> None:
    try:
        whole = precis._profile("OpaqueString").enforce(text)
    except ValueError:
        whole = None
    if text.isascii():
        return
    try:
        assert precis.password(text) == whole
    except Rejected:
        assert whole is None


def test_a_guard_may_read_longer_passwords_or_only_shorter_ones() -> None:
    assert precis.password("é" * 2000, 2000) == "é" * 2000
    for text in ("é" * 11, "x" * 11):
        with pytest.raises(Rejected, match="more than 10 characters"):
            precis.password(text, 10)
