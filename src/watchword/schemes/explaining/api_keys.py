"""What became of an API key that isn't whole: its checksum tells which change makes it so, its length what part of one it is."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_letters, digits
from typing import Final

from watchword.schemes.api_key_text import KEY, has_checksum
from watchword.schemes.explaining.typed_text import hash_form

__all__ = ["part_of_a_key", "whole_keys"]

MIN_KEY: Final = 48
MAX_KEY: Final = 80
"""Characters of a text that may be a key with something lost or added."""
_LETTERS: Final = ascii_letters + digits


def whole_keys(text: bytes) -> Iterator[tuple[str, bytes]]:
    """What only the checksum of an API key tells: one that isn't made good by a change is no key."""
    key = text.decode("latin-1")
    if not MIN_KEY <= len(key) <= MAX_KEY:
        return
    for what, other in (
        ("without its prefix", "ww_" + key), ("in the other case", key.swapcase()), ("with more after it", key[:54]),
        ("with another first letter", key[:1].lower() + key[1:]), ("with - for _", key.replace("-", "_")),
        ("with a prefix before it", key[-54:]), *_mistyped(key),
    ):  # fmt: skip
        if other != key and KEY.fullmatch(other) and has_checksum(other):
            yield what, other.encode()


def _mistyped(key: str) -> Iterator[tuple[str, str]]:
    """One character changed, lost, added or exchanged with the next: some thousands of checksums."""
    if not key.startswith("ww_") or not 53 <= len(key) <= 55:
        return
    for at in range(3, len(key)):
        if len(key) == 55:
            yield "with a character too many", key[:at] + key[at + 1 :]
            continue
        if len(key) == 54:
            yield "with two characters exchanged", key[:at] + key[at + 1 : at + 2] + key[at] + key[at + 2 :]
        for other in _LETTERS:
            yield (
                ("with a character mistyped", key[:at] + other + key[at + 1 :])
                if len(key) == 54
                else ("with a character lost", key[:at] + other + key[at:])
            )


def part_of_a_key(value: str) -> str:
    """What of an API key a text may be that is none, by its length and its beginning; "" if nothing speaks for any."""
    for text, told in (
        ("*", "characters of it were starred out"),
        ("...", "it was shortened with dots"),
        ("…", "it was shortened with dots"),
    ):
        if text in value:
            return f"; {told}: it was copied from where it is not shown whole"
    if form := hash_form(value):
        return f"; it has {form}: send the key itself"
    size, whole = len(value), value.startswith("ww_")
    if whole and size < 54:
        return f"; it begins like a key and has {size} of its 54 characters: it was cut"
    if whole and size > 54:
        return f"; it begins like a key and has {size - 54} characters too many"
    return {12: "; so long is a key id alone", 38: "; so long are a key's secret and checksum alone"}.get(size, "")
