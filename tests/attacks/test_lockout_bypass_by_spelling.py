"""A locked name stays locked however it is spelled: case, Unicode form, width, accents, spaces, invisible characters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.attempts_world import world
from watchword.crypto.digests import subject_key

SPELLINGS = {
    "alice": [
        "ALICE", "Alice", "aLiCe", "\uff21\uff4c\uff49\uff43\uff45", "alice ", " alice", "al\u00adice", "alice\u200b",
        "\u24d0lice", "\U0001d41elice".replace("\U0001d41e", "\U0001d41a"), "ali\u0301ce",
    ],
    "j\u00f6rg": ["J\u00d6RG", "jo\u0308rg", "JO\u0308RG", "jorg"],
    "stra\u00dfe": ["strasse", "STRASSE", "STRA\u1e9eE"],
    "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2": ["\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "other"), [(name, other) for name, others in SPELLINGS.items() for other in others])
def test_every_spelling_that_a_lenient_lookup_takes_for_the_name_counts_as_the_name(name: str, other: str) -> None:
    assert subject_key(name) == subject_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("alice", "alicia"), ("a", "b"), ("user1", "user2"), ("a b", "ab"), ("", "a")]
)
def test_different_names_count_apart(one: str, other: str) -> None:
    assert subject_key(one) != subject_key(other)


def test_a_key_is_short_and_shows_nothing() -> None:
    """People type their password where the name belongs."""
    assert {len(subject_key(name)) for name in ("", "alice", "x" * 8000, "\udcff")} == {32}
    assert "alice" not in subject_key("alice")


@pytest.mark.parametrize("kind", ["memory", "sql async"])
def test_the_spellings_share_their_attempts(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(kind, tmp_path, monkeypatch) as guarded:
        names = ["alice", "ALICE", "\uff21lice", "Alice", "aLICE"]
        assert [guarded.ask(name).status for name in names] == [401, 401, 401, 429, 429]
