"""Signature bases as clients get them wrong in ways that only RFC 9421 has: the same mistake in every line, or in list and lines alike.

What goes wrong in one place alone is known to `explaining.deviations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from watchword.crypto.keys import Key
from watchword.crypto.usual_hashes import hashed
from watchword.schemes.explaining.computation import FORMS, Join, Leaf, Node, Of, joined
from watchword.schemes.explaining.deviation import MAX_PARTS, Deviation, Make, constant, words
from watchword.schemes.signatures.components import Component
from watchword.schemes.signatures.key_owners import alias_of

__all__ = ["INPUT", "Line", "Lines", "wrong_bases"]

INPUT: Final = "header signature-input"
_CHANGED: Final = "Signature-Input was changed after signing, or the client sends another than it signs: it goes along exactly as it was signed"

Addable = Iterable[tuple[Component, bytes]]


class Line(NamedTuple):
    """The line of a component: its identifier, which the list has too, its value, and the two of them."""

    component: Component
    identifier: Leaf
    value: Node
    node: Join


class Lines(NamedTuple):
    """The nodes of a signature base.

    Args:
        base: all of it.
        listed: the identifiers in a row.
        said: the list with the parameters behind it.
        last: the line of `@signature-params`.
        lines: those before it.
        params: the values of the parameters.
    """

    base: Join
    listed: Join
    said: Join
    last: Join
    lines: Sequence[Line]
    params: Mapping[str, Leaf]


def wrong_bases(parts: Lines, addable: Addable, label: str, key: Key, body: bytes) -> Iterator[Deviation]:
    """Those of one base.

    Args:
        parts: its nodes.
        addable: components that may have been covered, with their values.
        label: the signature's.
        key: that it should be made with.
        body: the request's.
    """
    yield from _other_lists(parts, list(addable))
    yield from _other_params(parts, label, alias_of(key))
    yield from _styles(parts)
    base = parts.base
    yield Deviation(1.5, base, "signs the body, not the signature base", constant(body), "the signature base", "the body")  # fmt: skip
    if not key.is_secret:
        yield from _hashed(base)


# ---- another list than was signed ---------------------------------------------------------------------------------------

_Row = tuple[str, Node | bytes, Node | bytes]
"""A component as it may have been covered: in words, its identifier, its line."""


def _other_lists(parts: Lines, addable: Sequence[tuple[Component, bytes]]) -> Iterator[Deviation]:
    """Signature-Input was changed after signing, or the client sends another than it signs: list and lines differ alike."""
    rows: list[_Row] = [(str(line.component), line.identifier, line.node) for line in parts.lines]
    for at, (name, _, _) in enumerate(rows[:MAX_PARTS]):
        yield _listed(parts, 1, [*rows[:at], *rows[at + 1 :]], f"without {name}", f"with {name}")
    for component, value in addable:
        name = str(component)
        row = name, name.encode("ascii"), name.encode("ascii") + b": " + value
        for place in range(len(rows) + 1):
            cost = 1.1 if place in (0, len(rows)) else 1.3
            yield _listed(parts, cost, [*rows[:place], row, *rows[place:]], f"with {name}", f"without {name}")
            for other, _, _ in rows[place : place + 1]:
                yield _listed(parts, 1.5, [*rows[:place], row, *rows[place + 1 :]], f"{name} for {other}", other)
    for cost, arranged in _arranged(rows):
        yield _listed(parts, cost, arranged, f"the order {_words(arranged)}", _words(rows))


def _words(rows: Sequence[_Row]) -> str:
    return " ".join(name for name, _, _ in rows)


def _arranged(rows: list[_Row]) -> Iterator[tuple[float, list[_Row]]]:
    """Other orders."""
    yield 1.2, sorted(rows, key=lambda row: row[0])
    yield 1.2, rows[::-1]
    for one, two in combinations(range(min(len(rows), MAX_PARTS)), 2):
        swapped = list(rows)
        swapped[one], swapped[two] = rows[two], rows[one]
        yield 1.2 if two == one + 1 else 1.4, swapped
        if two > one + 1:
            yield 1.4, [*rows[:one], rows[two], *rows[one:two], *rows[two + 1 :]]
            yield 1.4, [*rows[:one], *rows[one + 1 : two + 1], rows[one], *rows[two + 1 :]]


def _listed(parts: Lines, cost: float, rows: list[_Row], expected: str, received: str) -> Deviation:
    def base(of: Of) -> bytes:
        return joined(parts.base, [*(_octets(of, line) for _, _, line in rows), of(parts.last)])

    def listed(of: Of) -> bytes:
        return joined(parts.listed, [_octets(of, identifier) for _, identifier, _ in rows])

    return Deviation(cost, parts.base, "", base, expected, received, INPUT, {parts.listed: listed}, _CHANGED)


def _octets(of: Of, node: Node | bytes) -> bytes:
    return node if isinstance(node, bytes) else of(node)


# ---- other parameters than were signed ----------------------------------------------------------------------------------


def _other_params(parts: Lines, label: str, alias: str) -> Iterator[Deviation]:
    said, named = parts.said, f'alg="{alias}"'.encode("ascii")
    for place in range(1, len(said.parts) + 1) if alias and "alg" not in parts.params else ():
        yield Deviation(
            1, said, "", _with(said, place, named), alias, "no such parameter", f"{INPUT} alg", mend=_CHANGED
        )
    ways: tuple[tuple[float, str, Callable[[Sequence[bytes]], bytes]], ...] = (
        (1.1, "signs the list of components without the parameters behind it", lambda texts: texts[0]),
        (1.2, "writes a space behind each ; of the signature parameters", b"; ".join),
        (1.2, "signs the signature parameters with their label before them", lambda texts: label.encode("ascii") + b"=" + b";".join(texts)),
        (1.2, "signs the signature parameters without their quotes", lambda texts: b";".join([texts[0], *(each.replace(b'"', b"") for each in texts[1:])])),
        (1.2, "signs the list of components without its quotes", lambda texts: b";".join([texts[0].replace(b'"', b""), *texts[1:]])),
        (1.3, "signs list and parameters without quotes", lambda texts: b";".join(texts).replace(b'"', b"")),
        (1.3, "writes commas between the components of the list", lambda texts: b";".join([texts[0].replace(b' "', b', "'), *texts[1:]])),
        (1.3, "writes commas without spaces between the components of the list", lambda texts: b";".join([texts[0].replace(b' "', b',"'), *texts[1:]])),
        (1.3, "signs the parameters sorted by their names", lambda texts: b";".join([texts[0], *sorted(texts[1:])])),
        (1.3, "signs the parameters backwards", lambda texts: b";".join([texts[0], *texts[:0:-1]])),
        (1.4, "signs the parameters before the list", lambda texts: b";".join([*texts[1:], texts[0]])),
        (1.4, "signs the parameters without the list", lambda texts: b";".join(texts[1:])),
        (1.4, "signs the parameters without the list, but with the ; before them", lambda texts: b"".join([b";" + text for text in texts[1:]])),
    )  # fmt: skip
    for cost, did, write in ways:
        yield Deviation(cost, said, did, _written(said, write))
    right = '"@signature-params"'
    for wrong in ("@signature-params", '"@signature-input"', '"signature-params"', '"signature-input"', "Signature-Input"):  # fmt: skip
        did = f"calls the last line {wrong}"
        yield Deviation(1.4, parts.last.parts[0], did, constant(wrong.encode("ascii")), right, wrong)


def _with(node: Join, place: int, text: bytes) -> Make:
    def make(of: Of) -> bytes:
        values = [of(part) for part in node.parts]
        return joined(node, [*values[:place], text, *values[place:]])

    return make


def _written(node: Join, write: Callable[[Sequence[bytes]], bytes]) -> Make:
    return lambda of: write([of(part) for part in node.parts])


# ---- every line in another style ----------------------------------------------------------------------------------------


def _plain(identifier: bytes) -> bytes:
    return identifier.replace(b'"', b"")


_NAMES: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("without quotes", _plain), ("without their parameters", lambda name: name.partition(b";")[0]),
    ("without quotes and @", lambda name: _plain(name).removeprefix(b"@")), ("in title case, without quotes", lambda name: _plain(name).title()),
)  # fmt: skip


def _styles(parts: Lines) -> Iterator[Deviation]:
    """The components' names otherwise, the last line as it is, or left out; other changes of all lines are the engine's."""
    base = parts.base
    yield Deviation(
        1.3,
        base,
        f"signs {parts.last.name} without its name",
        _styled(parts, bytes, b": ", lambda line: [line.partition(b": ")[2]]),
    )
    for what, write in _NAMES if parts.lines else ():
        for mark in (b": ", b":", b"="):
            did = f"writes the components' names {what}, and {words(mark)} behind them"
            yield Deviation(1.1, base, did, _styled(parts, write, mark, lambda line: [line]))
            did += f", and leaves {parts.last.name} out"
            yield Deviation(1.5, base, did, _styled(parts, write, mark, lambda _: []))


def _styled(
    parts: Lines, write: Callable[[bytes], bytes], mark: bytes, end: Callable[[bytes], Sequence[bytes]]
) -> Make:
    def make(of: Of) -> bytes:
        lines = [write(of(line.identifier)) + mark + of(line.value) for line in parts.lines]
        return joined(parts.base, [*lines, *end(of(parts.last))])

    return make


# ---- hashed before it is signed -----------------------------------------------------------------------------------------


def _hashed(base: Join) -> Iterator[Deviation]:
    """For public keys, whose algorithms hash what they sign themselves."""
    for algorithm in ("sha256", "sha512"):
        for form in ("raw octets", "hex digits", "base64"):
            did = f"signs the {algorithm} hash of the signature base, as {form}: the algorithm hashes it itself"
            yield Deviation(1.1, base, did, _hash(base, algorithm, form), "the signature base itself", f"its {algorithm} hash as {form}")  # fmt: skip


def _hash(base: Join, algorithm: str, form: str) -> Make:
    return lambda of: FORMS[form](hashed(algorithm, joined(base, map(of, base.parts))))
