"""Parts in a row as clients join them wrongly: other separators and ends, parts left out, doubled, exchanged, from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations, permutations, zip_longest
from typing import Final

from watchword.schemes.diagnosis.text_axes import SPELLINGS
from watchword.schemes.explaining.computation import ENCODINGS, Encoding, Hash, Join, Leaf, Node, Of, joined, under
from watchword.schemes.explaining.deviation import MAX_PARTS, MAX_SPELT, Deviation, Make, value_in, words

__all__ = ["SEPARATORS", "WHOLE", "of_join"]

SEPARATORS: Final = (
    b"", b"\n", b"\r\n", b".", b":", b"&", b",", b"|", b" ", b";", b"-", b"_", b", ", b"; ", b"\\n", b"\t", b"/", b"+", b"\0",
)  # fmt: skip


MAX_PERMUTED: Final = 6
"""Parts of which every order is tried."""
MAX_INSERTED: Final = 8
"""Parts between which another is put."""
HEAD: Final = 200
"""Characters of the names of parts that are told."""


def of_join(node: Join, value: bytes, pool: Sequence[Leaf]) -> Iterator[Deviation]:
    """What is between the parts and behind them, which parts, in which order, and the whole spelt otherwise."""
    yield from _ends(node)
    if len(node.parts) > 1:
        yield from _separators(node)
        yield from _orders(node)
        yield from _merged(node)
        yield from _labelled(node)
        yield from _each(node)
    yield from _some(node)
    if len(value) <= MAX_SPELT:
        for cost, what, change in WHOLE:
            yield Deviation(cost, node, f"signs {node.name} {what}", _spelt(node, change))
    yield from _elsewhere(node, pool)


def _picked(node: Join, pick: Callable[[list[bytes]], list[bytes]]) -> Make:
    return lambda of: joined(node, pick([of(part) for part in node.parts]))


def _spelt(node: Join, change: Callable[[bytes], bytes]) -> Make:
    return lambda of: change(joined(node, map(of, node.parts)))


# ---- what is between the parts, and behind them -------------------------------------------------------------------------


def _ends(node: Join) -> Iterator[Deviation]:
    cost = 1 if node.end else 1.4  # where nothing ends it, a line end is likelier that of the last part, a body mostly
    for end in dict.fromkeys((b"", b"\n", b"\r\n", node.separator, b" ", b"\0", node.separator * 2)):
        if end != node.end:
            did = f"ends {node.name} with {words(end)}"
            did = did if end else f"leaves {words(node.end)} out at the end of {node.name}"
            shown = f"{words(node.end)} at the end", f"{words(end)} at the end"
            yield Deviation(cost, node, did, _rejoined(node, node.separator, end), *shown)
    for start in dict.fromkeys((node.separator, b"\n")) if node.separator.strip(b" ") else ():
        for end in (node.end, b"") if node.end else (b"", start):
            did = f"begins {node.name} with {words(start)}, before the first part"
            did += "" if end == node.end else f", and ends it with {words(end)}"
            yield Deviation(1.7, node, did, _rejoined(node, node.separator, end, start))


def _separators(node: Join) -> Iterator[Deviation]:
    yield from _indented(node)
    around = (
        (node.separator + b" ", b" " + node.separator + b" ", node.separator * 2, b" " + node.separator)
        if node.separator
        else ()
    )
    if node.separator == b"\n" and any(isinstance(part, Join) for part in node.parts):
        for mark in SEPARATORS:
            did = f"joins the lines of {node.name}, and those within its parts, by {words(mark)}"
            yield Deviation(1.7, node, did, _spelt(node, partial(_with_marks, mark)))
            yield Deviation(1.75, node, did, _spelt(node, partial(_with_marks, mark, once=True)))
    for place, mark in enumerate(dict.fromkeys((*SEPARATORS, *around))):
        if mark != node.separator:
            shown = f"{words(node.separator)} between the parts", f"{words(mark)} between the parts"
            did = f"joins the parts of {node.name} by {words(mark)}"
            end = mark if node.end and node.end == node.separator else node.end
            yield Deviation(1.3 + place / 40, node, did, _rejoined(node, mark, end), *shown)
            if node.end:
                did += f", without {words(node.end)} at the end"
                yield Deviation(1.4 + place / 40, node, did, _rejoined(node, mark, b""), *shown)
            if node.end not in (b"", end):
                did = f"joins the parts of {node.name} by {words(mark)}, and ends it with {words(node.end)}"
                yield Deviation(1.5 + place / 40, node, did, _rejoined(node, mark, node.end), *shown)


def _with_marks(mark: bytes, text: bytes, once: bool = False) -> bytes:
    return mark.join([line for line in text.split(b"\n") if line or not once])


def _indented(node: Join) -> Iterator[Deviation]:
    """Lines as source code has them between its quotes."""
    for blank in (b" " * 2, b" " * 4, b" " * 8, b"\t", b" " * 6, b" " * 12) if node.separator == b"\n" else ():
        did = f"indents the lines of {node.name} by {len(blank)} {'tab' if blank == bytes([9]) else 'blanks (white space)'}"
        inner = b"\n" + blank
        for start in (b"", blank, inner):
            for end in dict.fromkeys((node.end, b"", b"\n", inner, inner[: -len(blank) // 2], b"\n" + blank[:-2])):
                yield Deviation(1.9, node, did, _rejoined(node, inner, end, start))


def _rejoined(node: Join, separator: bytes, end: bytes, start: bytes = b"") -> Make:
    return lambda of: start + joined(node, [of(part) for part in node.parts], separator, end)


# ---- which parts, in which order ----------------------------------------------------------------------------------------


def _some(node: Join) -> Iterator[Deviation]:
    name = node.name
    for inner in dict.fromkeys(each for part in node.parts[:MAX_PARTS] for each in _deeper(part)):
        yield Deviation(1.8, node, f"signs {inner.name} alone, not {name}", _alone(inner))
    for at, part in enumerate(node.parts[:MAX_PARTS]):
        where = part.component or part.name.removeprefix("the ")
        ways: list[tuple[float, str, Callable[[int, list[bytes]], list[bytes]], str]] = [
            (2, f"has {part.name} twice in {name}", lambda at, values: [*values[: at + 1], *values[at:]], "that twice"),
        ]
        if len(node.parts) > 1:
            rest = ", ".join(each.name for each in node.parts if each is not part)[:HEAD]
            if not (isinstance(part, Leaf) and part.kind == "literal"):
                yield Deviation(1.5, node, f"signs {part.name} alone, not {name}: it leaves out {rest}", _alone(part))
            ways += [
                (1, f"leaves {part.name} out of {name}", lambda at, values: values[:at] + values[at + 1 :], "nothing"),
                (1.6, f"leaves {part.name} empty in {name}", lambda at, values: [*values[:at], b"", *values[at + 1 :]], "an empty value"),
                (2, f"ends {name} before {part.name}, the rest left out", lambda at, values: values[:at], "nothing from there on"),
                (2, f"begins {name} with {part.name}, what is before it left out", lambda at, values: values[at:], "nothing before it"),
            ]  # fmt: skip
        for cost, did, pick, received in ways:
            yield Deviation(cost, node, did, _picked(node, partial(pick, at)), "", received, where, part=part)


def _merged(node: Join) -> Iterator[Deviation]:
    """Two neighbours as one part, the other one left empty or not there."""
    for at in range(min(len(node.parts), MAX_PARTS) - 1):
        one, two = node.parts[at : at + 2]
        for mark in (b"", b"?", b"&", b" ", b":", b"/", b"=", b"\n"):
            for rest in ((), (b"",)) if mark != node.separator else ():
                did = f"signs {one.name} and {two.name} as one part of {node.name}, with {words(mark)} between them"
                make = _picked(node, partial(_as_one, at, mark, rest))
                yield Deviation(1.9, node, did, make, component=one.component or two.component)


def _as_one(at: int, mark: bytes, rest: tuple[bytes, ...], values: list[bytes]) -> list[bytes]:
    return [*values[:at], values[at] + mark + values[at + 1], *rest, *values[at + 2 :]]


def _labelled(node: Join) -> Iterator[Deviation]:
    """One part, or each, with its name before it, as fields and parameters are written."""
    labels = [_labels(part) for part in node.parts[:MAX_PARTS]]
    for mark in (b": ", b":", b"="):
        for write in (0, 1):
            names = [each[write] + mark if each else b"" for each in labels]
            if sum(map(bool, names)) > 1:
                did = f"writes each part of {node.name} as its name, {words(mark)} and its value"
                yield Deviation(1.8, node, did, _picked(node, partial(_named_parts, names)))
        for at, each in enumerate(labels):
            for name in dict.fromkeys(each):
                part = node.parts[at]
                did = f"signs {part.name} with {(name + mark).decode()!r} before it"
                only = [name + mark if place == at else b"" for place in range(len(labels))]
                make = _picked(node, partial(_named_parts, only))
                yield Deviation(
                    1.9, node, did, make, component=part.component, part=part, received=f"{(name + mark).decode()}…"
                )


def _labels(part: Node) -> tuple[bytes, ...]:
    """How a part may be called where it is signed with its name: in small letters and with capitals; a hash by its algorithm too."""
    if isinstance(part, Join) or (isinstance(part, Leaf) and part.kind in ("literal", "key")):
        return ()
    name = (part.component or part.name.removeprefix("the ")).split(" ")[-1].removeprefix("@").encode()
    if isinstance(part, Leaf) and part.kind == "time":
        return b"t", b"ts", b"timestamp", b"Timestamp", name.lower()
    if isinstance(part, Encoding) and isinstance(part.of, Hash):
        algorithm = part.of.algorithm.encode()
        dashed = algorithm.replace(b"sha", b"sha-")
        return name.lower(), name.title(), algorithm, dashed, algorithm.upper(), dashed.upper()
    return name.lower(), name.title()


def _named_parts(names: Sequence[bytes], values: list[bytes]) -> list[bytes]:
    return [name + value for name, value in zip_longest(names, values, fillvalue=b"")]


def _each(node: Join) -> Iterator[Deviation]:
    """All parts of one shape, each changed in the same way: lines of a name and a value, or encoded parts."""
    encoded = [part for part in node.parts if isinstance(part, Encoding) and part.form in ENCODINGS]
    if len(encoded) == len(node.parts):
        encode = ENCODINGS[encoded[0].form]
        plain = [part.of for part in encoded]
        did = f"signs the parts of {node.name} as they are, not {encoded[0].form}"
        yield Deviation(1.4, node, did, lambda of: joined(node, map(of, plain)))
        did = f"joins the parts of {node.name} first, and has the whole {encoded[0].form}"
        yield Deviation(1.6, node, did, lambda of: encode(joined(node, map(of, plain))))
    inner = [part for part in node.parts if isinstance(part, Join) and len(part.parts) == 2]
    if len(inner) < 2 or len(inner) < len(node.parts):
        return
    for separator in dict.fromkeys((inner[0].separator, b"", b":", b": ", b"=", b" ", b"\t", b" : ")):
        joins = f"joins name and value by {words(separator)} in {node.name}"
        for kept, more in ((0, ""), (1, ", but for the last")):
            yield Deviation(1.4 + kept / 10, node, joins + more, _pairwise(node, inner, separator, bytes, bytes, kept))
            for what, change in _NAMES:
                did = f"writes the names in {node.name} {what}{more}"
                same = separator == inner[0].separator
                make = _pairwise(node, inner, separator, change, bytes, kept)
                yield Deviation(1.5 + kept / 5 + (not same) / 2, node, did if same else f"{did}, and {joins}", make)
    for what, change in SPELLINGS:
        for kept, more in ((0, ""), (1, ", but for the last")):
            did = f"signs each value in {node.name} {what}{more}"
            yield Deviation(2, node, did, _pairwise(node, inner, inner[0].separator, bytes, change, kept))
    yield Deviation(2, node, f"signs {node.name} as a JSON object", _as_object(inner))


def _as_object(inner: Sequence[Join]) -> Make:
    def make(of: Of) -> bytes:
        pairs = [[of(part).decode("utf-8", "replace") for part in each.parts] for each in inner]
        return json.dumps({name.strip('"'): value for name, value in pairs}).encode()

    return make


_NAMES: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("with capitals at the words' beginnings", bytes.title), ("in capitals", bytes.upper), ("in lower case", bytes.lower),
    ("with capitals in the names of fields", lambda name: name if b"@" in name else name.title()),
    ("in quotes", lambda name: b'"%b"' % name), ("in single quotes", lambda name: b"'%b'" % name.strip(b'"')),
    ("without quotes, those of derived components in parentheses, as the drafts had", lambda name: re.sub(rb"^@(.*)", rb"(\1)", name.replace(b'"', b""))),
    ("without quotes", lambda name: name.replace(b'"', b"")), ("left empty", lambda _: b""),
    ("without their parameters", lambda name: name.partition(b";")[0]), ("without quotes and @", lambda name: name.replace(b'"', b"").removeprefix(b"@")),
    ("in title case, without quotes", lambda name: name.replace(b'"', b"").title()),
)  # fmt: skip


def _pairwise(
    node: Join,
    inner: Sequence[Join],
    separator: bytes,
    name: Callable[[bytes], bytes],
    value: Callable[[bytes], bytes],
    kept: int = 0,
) -> Make:
    """The last `kept` lines stay as they are."""
    changed = len(inner) - kept

    def make(of: Of) -> bytes:
        lines = [name(of(each.parts[0])) + separator + value(of(each.parts[1])) for each in inner[:changed]]
        return joined(node, [*lines, *map(of, inner[changed:])])

    return make


def _deeper(part: Node) -> Iterator[Node]:
    """What is under a part, but leaves."""
    for each in under(part):
        if not isinstance(each, Leaf):
            yield each
            yield from _deeper(each)


def _alone(part: Node) -> Make:
    return lambda of: of(part)


def _orders(node: Join) -> Iterator[Deviation]:
    name, parts = node.name, node.parts
    for one, two in combinations(range(min(len(parts), MAX_PARTS)), 2):
        cost = 1.2 if two == one + 1 else 1.7
        did = f"exchanges {parts[one].name} and {parts[two].name} in {name}"
        yield Deviation(cost, node, did, _picked(node, partial(_exchanged, one, two)))
        if two > one + 1:
            did = f"moves {parts[two].name} before {parts[one].name} in {name}"
            yield Deviation(2, node, did, _picked(node, partial(_moved, one, two)))
            did = f"moves {parts[one].name} behind {parts[two].name} in {name}"
            yield Deviation(2, node, did, _picked(node, partial(_moved_back, one, two)))
    ways: tuple[tuple[float, str, Callable[[list[bytes]], list[bytes]]], ...] = (
        (1.5, f"leaves out of {name} what is empty", lambda values: [each for each in values if each]),
        (1.5, f"writes {name} from its end to its beginning", lambda values: values[::-1]),
        (1.5, f"sorts the parts of {name}", sorted),
        (1.6, f"sorts the parts of {name} but for the last", lambda values: [*sorted(values[:-1]), *values[-1:]]),
        (2, f"ends each part of {name} with a space", lambda values: [each + b" " for each in values]),
        (2, f"takes the white space off the parts of {name}", lambda values: [each.strip() for each in values]),
    )
    for cost, did, pick in ways:
        yield Deviation(cost, node, did, _picked(node, pick))
    for less in (0, 1) if 3 < len(parts) <= MAX_PERMUTED + 1 else ():
        for order in permutations(range(len(parts) - less)) if len(parts) - less <= MAX_PERMUTED else ():
            did = f"puts the parts of {name} in another order, {', '.join(parts[at].name for at in order)[:HEAD]}"
            yield Deviation(2.4, node, did, _picked(node, partial(_in_order, order)))
    yield Deviation(
        2, node, f"signs the parts of {name} as a JSON list", lambda of: _listed([of(part) for part in parts])
    )


def _in_order(order: Sequence[int], values: list[bytes]) -> list[bytes]:
    return [*(values[at] for at in order), *values[len(order) :]]


def _exchanged(one: int, two: int, values: list[bytes]) -> list[bytes]:
    values[one], values[two] = values[two], values[one]
    return values


def _moved(one: int, two: int, values: list[bytes]) -> list[bytes]:
    return [*values[:one], values[two], *values[one:two], *values[two + 1 :]]


def _moved_back(one: int, two: int, values: list[bytes]) -> list[bytes]:
    return [*values[:one], *values[one + 1 : two + 1], values[one], *values[two + 1 :]]


def _listed(values: list[bytes]) -> bytes:
    return json.dumps([each.decode("utf-8", "replace") for each in values], separators=(",", ":")).encode()


# ---- the whole in another spelling --------------------------------------------------------------------------------------


WHOLE: Final[Sequence[tuple[float, str, Callable[[bytes], bytes]]]] = tuple(
    (1.6 + place / 20, what, change) for place, (what, change) in enumerate(SPELLINGS)
)
"""What may be done to a text as a whole: cost, words, the change."""


# ---- from elsewhere -----------------------------------------------------------------------------------------------------


def _elsewhere(node: Join, pool: Sequence[Leaf]) -> Iterator[Deviation]:
    """A part that another part, or what is not signed at all, stands in for or is added to."""
    name, own = node.name, set(node.parts)
    for leaf in pool:
        for at, part in enumerate(node.parts[:MAX_PARTS]):
            if leaf.kind != "key" and part is not leaf and not isinstance(part, Join) and not _made_of(part, leaf):
                did = f"puts {leaf.name} into {name} where {part.name} belongs"
                shown = part.name, leaf.name, part.component or part.name.removeprefix("the ")
                yield Deviation(2.2, node, did, _replaced(node, at, leaf), *shown)
        last = len(node.parts)
        places = range(last + 1) if last <= MAX_INSERTED else (0, last)
        for at in places if leaf not in own and leaf.kind != "key" else ():
            did, line = f"has {leaf.name} as one more part of {name}", f"{name} with {leaf.name}"
            yield Deviation(2 if at in (0, last) else 2.3, node, did, _inserted(node, leaf, at), name, line)
        for before, separator in _places(node) if leaf not in own else ():
            place = "before" if before else "behind"
            did, shown_as = f"adds {leaf.name} {place} {name}", f"{name} with {leaf.name} {place} it"
            cost = 2 if separator == node.separator else 2.5
            cost -= 0.5 if leaf.kind == "body" and not before else 0
            yield Deviation(cost, node, did, _added(node, leaf, separator, before), name, shown_as)


def _places(node: Join) -> Iterator[tuple[bool, bytes]]:
    for separator in dict.fromkeys(
        (node.separator, b"", b"\n", b"&", *(() if node.separator else (b".", b":", b"|", b" ")))
    ):
        yield False, separator
        yield True, separator


def _made_of(part: Node, leaf: Leaf) -> bool:
    return isinstance(part, (Hash, Encoding)) and (part.of is leaf or _made_of(part.of, leaf))


def _replaced(node: Join, at: int, leaf: Leaf) -> Make:
    def make(of: Of) -> bytes:
        values = [of(part) for part in node.parts]
        values[at] = value_in(of, leaf)
        return joined(node, values)

    return make


def _inserted(node: Join, leaf: Leaf, place: int) -> Make:
    def make(of: Of) -> bytes:
        values = [of(part) for part in node.parts]
        return joined(node, [*values[:place], value_in(of, leaf), *values[place:]])

    return make


def _added(node: Join, leaf: Leaf, separator: bytes, before: bool) -> Make:
    def make(of: Of) -> bytes:
        text, more = joined(node, map(of, node.parts)), value_in(of, leaf)
        return more + separator + text if before else text + separator + more

    return make
