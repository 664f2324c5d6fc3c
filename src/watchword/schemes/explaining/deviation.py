"""A deviation: one step of a computation, made otherwise, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from watchword.crypto.usual_hashes import hashed
from watchword.schemes.explaining.computation import FORMS, Join, Leaf, Node, Of, joined

__all__ = ["MAX_PARTS", "MAX_SPELT", "Deviation", "Make", "constant", "hashed_first", "value_in", "words"]

MAX_SPELT: Final = 32 * 1024
"""Octets of a value that is spelt otherwise as a whole."""
MAX_PARTS: Final = 32
"""Parts of a join that are left out, doubled, exchanged."""

Make = Callable[[Of], bytes]
"""The value of a node, from those of the other nodes. It raises ValueError where it can't be made of them."""


class Deviation(NamedTuple):
    """One node, made otherwise.

    Args:
        cost: 1 for the likeliest; more is less likely.
        node: which one.
        did: what the client did, in words that complete "the client …".
        make: its value then.
        expected: what it should have done, if that is said better than by the values.
        received: what it did.
        component: of the cause; "": the node's.
        also: other nodes that are made otherwise with it.
        mend: the sentence, where it is not the client that did it.
        part: whose value was expected, where not the node's.
    """

    cost: float
    node: Node
    did: str
    make: Make
    expected: str = ""
    received: str = ""
    component: str = ""
    also: Mapping[Node, Make] = MappingProxyType({})
    mend: str = ""
    part: Node | None = None


def value_in(of: Of, leaf: Leaf) -> bytes:
    """The value of a leaf that may be at hand only, and no part of the computation."""
    try:
        return of(leaf)
    except KeyError:
        return leaf.value


def hashed_first(node: Join) -> Iterator[Deviation]:
    """For private keys, whose algorithms hash what they sign themselves."""
    for algorithm in ("sha256", "sha512", "sha384", "sha1"):
        for form in ("raw octets", "hex digits", "base64"):
            did = f"signs the {algorithm} hash of {node.name}, as {form}: the algorithm hashes it itself"
            yield Deviation(
                1.1, node, did, _hash(node, algorithm, form), f"{node.name} itself", f"its {algorithm} hash as {form}"
            )


def _hash(node: Join, algorithm: str, form: str) -> Make:
    return lambda of: FORMS[form](hashed(algorithm, joined(node, map(of, node.parts))))


def constant(value: bytes) -> Make:
    """Another value, whatever the rest is."""
    return lambda _: value


_MARKS: Final = {
    b"": "nothing", b"\n": "a line feed", b"\r\n": "CR LF", b" ": "a space", b"\t": "a tab", b"\\n": "\\n as two characters",
    b"\0": "NUL",
}  # fmt: skip


_NAMES: Final = {
    b":": "colon", b"=": "equals sign", b",": "comma", b";": "semicolon", b"&": "ampersand", b".": "dot", b"/": "slash", b"+": "plus", b"|": "bar",
    b"-": "hyphen",
}  # fmt: skip


def words(octets: bytes) -> str:
    """A separator, for a person."""
    shown = repr(octets.decode("latin-1"))
    called = _NAMES.get(octets.strip())
    return _MARKS.get(octets) or (f"a{'n' * (called[0] in 'ae')} {called}, {shown}," if called else shown)
