"""What was received as the result of a computation: read in every alphabet that it fits, and compared with the right one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchword.crypto.digests import compare
from watchword.schemes.diagnosis.text_axes import decoded

__all__ = ["LEAST", "Received", "by_octets", "damaged", "layers"]

LEAST: Final = 8
"""Octets that have to fit: of fewer, some deviation gives them by chance."""


class Received:
    """What was received, decoded in every alphabet that it fits: compared with a raw result in one look-up.

    Args:
        text: as it came.
        form: how it should have been written, of `computation.FORMS`.
    """

    __slots__ = ("_by_start", "text")

    def __init__(self, text: bytes, form: str) -> None:
        self.text = text
        self._by_start: dict[bytes, list[tuple[bytes, str]]] = {}
        genuine = _read(text, form)
        if genuine is not None:
            self._add(genuine, "")
            self._add(genuine[::-1], "with its octets in the opposite order")
        for what, octets in layers(text):
            self._add(octets, what)

    @property
    def shown(self) -> str:
        """Its beginning."""
        return f"{self.text[:6].decode('latin-1')}…"

    def _add(self, octets: bytes, what: str) -> None:
        if len(octets) >= LEAST:
            known = self._by_start.setdefault(octets[:LEAST], [])
            if all(octets != other for other, _ in known):
                known.append((octets, what))

    def __call__(self, value: bytes) -> str | None:
        for octets, what in self._by_start.get(value[:LEAST], ()):
            if compare(octets, value):
                return what
            if value.startswith(octets):
                return f"cut to {len(octets)} of its {len(value)} octets" + (f", {what}" if what else "")
        return None


def by_octets(octets: bytes) -> Received:
    """The same of what is compared as octets."""
    return Received(octets, "raw octets")


def _read(text: bytes, form: str) -> bytes | None:
    if form == "raw octets":
        return text
    words = "hex" if form.startswith("hex") else "base64url" if "url" in form else "base64"
    return next((octets for what, octets in decoded(text) if what == f"decoded from {words}"), None)


def layers(text: bytes) -> Iterator[tuple[str, bytes]]:
    """What the text encodes, and what that encodes: "as hex digits", "as base64 of its hex digits"."""
    yield "as it is, not encoded", text
    for what, octets in decoded(text):
        alphabet, loose, _ = what.removeprefix("decoded from ").partition(",")
        alphabet += " with other characters in it, quotes, backslashes or blanks" if loose else ""
        yield f"in {alphabet}", octets
        yield f"in {alphabet}, its octets in the opposite order", octets[::-1]
        for inner, raw in decoded(octets):
            yield f"in {alphabet} of its {inner.removeprefix('decoded from ').partition(',')[0]} text", raw


def damaged(genuine: str, received: str) -> str:
    """What happened to a proof (a MAC, a signature, a digest) that is nearly the genuine one; "" if it is another.

    It says how much and where, never what belongs there.

    >>> damaged("c2lnbmF0dXJlIG9mIGEgcmVxdWVzdA", "c2lnbmF0dXJlIG9mIGEgcmVxdWVzdX")
    'it was changed at 1 of its 30 characters, the first of them at 29'
    """
    if genuine == received or not genuine:
        return ""
    if genuine.lower() == received.lower():
        return "its case was changed"
    if len(received) >= 8 and genuine.startswith(received):
        return f"it was cut to {len(received)} of its {len(genuine)} characters"
    if received.rstrip("=") == genuine:
        return "its padding (=), as base64 has it, was added"
    if received.startswith(genuine):
        return f"{len(received) - len(genuine)} characters were added to it"
    if len(genuine) != len(received):
        return ""
    at = [place for place, (one, other) in enumerate(zip(genuine, received, strict=True)) if one != other]
    if len(at) > len(genuine) // 3:  # of two that have nothing to do with each other, more than nine tenths differ
        return ""
    return f"it was changed at {len(at)} of its {len(genuine)} characters, the first of them at {at[0]}"
