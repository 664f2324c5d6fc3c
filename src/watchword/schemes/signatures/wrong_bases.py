"""Signature bases as clients get them wrong in ways that only RFC 9421 has: the same mistake in every line, or in list and lines alike.

What goes wrong in one place alone is known to `explaining.deviations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from watchword.crypto.keys import Key
from watchword.schemes.explaining.computation import Join, Leaf, Node, Of, joined
from watchword.schemes.explaining.deviation import Deviation, Make, constant, hashed_first
from watchword.schemes.explaining.rows import Row, Rows, of_rows
from watchword.schemes.signatures.components import Component
from watchword.schemes.signatures.key_owners import alias_of

__all__ = ["INPUT", "Line", "Lines", "wrong_bases"]

INPUT: Final = "header signature-input"
_CHANGED: Final = "Signature-Input was changed after signing, or the client sends another than it signs: it goes along exactly as it was signed"


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


def wrong_bases(parts: Lines, addable: Sequence[Row], label: str, key: Key, body: bytes) -> Iterator[Deviation]:
    """Those of one base.

    Args:
        parts: its nodes.
        addable: components that may have been covered.
        label: the signature's.
        key: that it should be made with.
        body: the request's.
    """
    called = [str(line.component) for line in parts.lines]
    yield from of_rows(Rows(parts.base, parts.listed, called, addable, INPUT, _CHANGED))
    yield from _other_params(parts, label, alias_of(key))
    yield from _styles(parts)
    base = parts.base
    yield Deviation(1.5, base, "signs the body, not the signature base", constant(body), "the signature base", "the body")  # fmt: skip
    if not key.is_secret:
        yield from hashed_first(base)


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
        (1.3, "signs the parameters in the opposite order", lambda texts: b";".join([texts[0], *texts[:0:-1]])),
        (1.4, "signs the parameters before the list", lambda texts: b";".join([*texts[1:], texts[0]])),
        (1.4, "signs the parameters without the list", lambda texts: b";".join(texts[1:])),
        (1.4, "signs the parameters without the list, but with the ; before them", lambda texts: b"".join([b";" + text for text in texts[1:]])),
    )  # fmt: skip
    for cost, did, write in ways:
        yield Deviation(cost, said, did, _written(said, write))
    for place, name in enumerate(parts.params, 1) if len(parts.params) > 1 else ():
        did = f"signs the parameter {name} alone behind the list, the other parameters left out"
        yield Deviation(1.1 if name == "created" else 1.5, said, did, _written(said, partial(_one_alone, place)))
    right = '"@signature-params"'
    for wrong in ("@signature-params", '"@signature-input"', '"signature-params"', '"signature-input"', "Signature-Input"):  # fmt: skip
        did = f"calls the last line {wrong}" + ("" if wrong[0] == '"' else ", without quotes")
        yield Deviation(1.4, parts.last.parts[0], did, constant(wrong.encode("ascii")), right, wrong)


def _one_alone(place: int, texts: Sequence[bytes]) -> bytes:
    return texts[0] + b";" + texts[place]


def _with(node: Join, place: int, text: bytes) -> Make:
    def make(of: Of) -> bytes:
        values = [of(part) for part in node.parts]
        return joined(node, [*values[:place], text, *values[place:]])

    return make


def _written(node: Join, write: Callable[[Sequence[bytes]], bytes]) -> Make:
    return lambda of: write([of(part) for part in node.parts])


# ---- every name in another style ----------------------------------------------------------------------------------------


def _styles(parts: Lines) -> Iterator[Deviation]:
    """The names of fields in capitals, in the list as in the lines: HTTP's usual spelling, which RFC 9421 §2.1 forbids."""
    fields = [line.identifier for line in parts.lines if line.component.name[0] != "@"]
    for what, change in (("with capitals at the words' beginnings", bytes.title), ("in capitals", bytes.upper)):
        if fields:
            first, *rest = [(leaf, constant(change(leaf.value))) for leaf in fields]
            said = first[0].value.decode(), change(first[0].value).decode()
            did = f"writes the fields' names {what}"
            yield Deviation(1.1, first[0], did, first[1], *said, also=dict(rest))
