"""A signing scheme's computation as data: a graph of leaves, joins, hashes, MACs and encodings. For `explain`, which varies it.

Each scheme says once, in such nodes, what is signed and how. The nodes know nothing of any scheme: `deviations` says how
clients get a node of each kind wrong, `search` looks for the deviation under which the computation gives what was received.
A node that is used in two places is one node; whoever gets it wrong gets it wrong in both.
"""

from __future__ import annotations

import re
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import chain
from operator import itemgetter
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import quote, quote_plus, unquote_to_bytes

from watchword.core.message import Request
from watchword.schemes.diagnosis.text_axes import javascript_escaped
from watchword.crypto.digests import hmac_digest
from watchword.crypto.usual_hashes import hashed

__all__ = [
    "ENCODINGS", "FORMS", "ORDERS", "Computation", "Encoding", "Hash", "Join", "Leaf", "Mac", "Node", "Of", "Parameters", "Style",
    "all_under", "joined", "made", "parameters_text", "under",
]  # fmt: skip

STEP: Final = 1024
"""Octets that one node works on in one step; each begun kibioctet more is another."""

Source: TypeAlias = Callable[[Request, bytes], bytes]
"""What a request and a body say of a leaf. It raises `Rejected` where they say nothing."""

FORMS: Final[Mapping[str, Callable[[bytes], bytes]]] = MappingProxyType(
    {
        "hex digits": lambda octets: octets.hex().encode(),
        "base64": b64encode,
        "base64url without padding": lambda octets: urlsafe_b64encode(octets).rstrip(b"="),
        "hex digits in capitals": lambda octets: octets.hex().upper().encode(),
        "base64 without padding": lambda octets: b64encode(octets).rstrip(b"="),
        "base64url": urlsafe_b64encode,
        "base32": b32encode,
        "raw octets": lambda octets: octets,
    }
)
"""How octets are written as text, by the words for it."""


@dataclass(frozen=True, eq=False, slots=True)
class Leaf:
    """A part that nothing computes: of the request, a parameter, a key.

    Args:
        name: what the scheme's documentation calls it, with its article: "the timestamp".
        value: its octets in this request.
        kind: which mistakes are usual: "text", "method", "authority", "target", "path", "query", "time", "body", "key",
            "literal", "number", "secret" (never shown, no key); "fixed": none.
        component: what a cause calls it; "": by its name.
        source: for what the request says: what another request would say.
        others: what clients put there instead, each with words that complete "the client signs …".
    """

    name: str
    value: bytes = field(repr=False)
    kind: str = "text"
    component: str = ""
    source: Source | None = field(default=None, repr=False)
    others: Sequence[tuple[str, bytes]] = field(default=(), repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Join:
    """Parts in a row.

    Args:
        name: what the documentation calls the result.
        parts: in order.
        separator: what stands between them.
        end: what stands behind the last one.
        component: what a cause calls it; "": by its name.
        source: what another request would have here, where that is not put together of parts.
    """

    name: str
    parts: Sequence[Node]
    separator: bytes = b"\n"
    end: bytes = b""
    component: str = ""
    source: Source | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False, slots=True)
class Hash:
    """The hash of something, raw, by hashlib's name of it; `chosen` is where that is said."""

    name: str
    algorithm: str
    of: Node
    component: str = ""
    chosen: str = "algorithm"


@dataclass(frozen=True, eq=False, slots=True)
class Mac:
    """HMAC (RFC 2104), raw, with hashlib's name of a hash; `chosen` is where that is said."""

    name: str
    algorithm: str
    key: Node
    of: Node
    component: str = ""
    chosen: str = "algorithm"


@dataclass(frozen=True, eq=False, slots=True)
class Encoding:
    """Octets written in one of `FORMS`, or one of `ENCODINGS`."""

    name: str
    form: str
    of: Node
    component: str = ""


class Style(NamedTuple):
    """How parameters are written in a row.

    Args:
        encode: how names and values are, of `ENCODINGS`.
        order: which, of `ORDERS`.
        equals: what stands between a name and its value.
        separator: what stands between parameters.
        unique: what comes twice counts once.
    """

    encode: str = "percent-encoded"
    order: str = "sorted by name, then by value"
    equals: bytes = b"="
    separator: bytes = b"&"
    unique: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Parameters:
    """Names and values, of a query, a form or a header, in the order in which they are sent; `style` says how they are signed."""

    name: str
    pairs: Sequence[tuple[bytes, Leaf]]
    style: Style
    component: str = ""
    source: Source | None = field(default=None, repr=False)


def _javascript(octets: bytes) -> bytes:
    return quote(octets, safe="-._~!*'()").encode()


def _unicode_escaped(octets: bytes) -> bytes:
    return "".join(quote(c, safe="-._~") if c.isascii() else f"%u{ord(c):04X}" for c in octets.decode()).encode()


def _lower_case(octets: bytes) -> bytes:
    first, *rest = quote(octets, safe="-._~").encode().split(b"%")
    return b"%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


# For `str.translate`, which does without a call for each octet.
_ESCAPES: Final = {octet: f"%{octet:02X}" for octet in range(256) if not re.match(r"[A-Za-z0-9\-._~]", chr(octet))}

ENCODINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = MappingProxyType(
    {
        "percent-encoded": lambda octets: octets.decode("latin-1").translate(_ESCAPES).encode(),
        "as they are": lambda octets: octets,
        "percent-encoded with + for a space": lambda octets: quote_plus(octets, safe="-._~").encode(),
        "percent-encoded with lower-case digits": _lower_case,
        "percent-encoded, ~ too": lambda octets: quote(octets, safe="-._").encode().replace(b"~", b"%7E"),
        "percent-encoded but for !*'()": _javascript,
        "percent-encoded but for /": lambda octets: quote(octets, safe="/-._~").encode(),
        "percent-encoded but for *": lambda octets: quote(octets, safe="*-._~").encode(),
        "percent-encoded as forms are, * left and ~ encoded": lambda octets: quote_plus(octets, safe="*-._").encode().replace(b"~", b"%7E"),
        "percent-encoded but for :": lambda octets: quote(octets, safe="-._~:").encode(),
        "percent-encoded but for :/?@$,;": lambda octets: quote(octets, safe="-._~:/?@$,;").encode(),
        "percent-encoded twice": lambda octets: quote(quote(octets, safe="-._~"), safe="-._~").encode(),
        "percent-decoded": unquote_to_bytes,
        "percent-encoded in ISO 8859-1": lambda octets: quote(octets.decode().encode("latin-1"), safe="-._~").encode(),
        "with non-ASCII characters as %uXXXX, of JavaScript's escape()": javascript_escaped,
        "percent-encoded, all beyond ASCII as %uXXXX, of .NET's UrlEncodeUnicode": _unicode_escaped,
        "with HTML escapes": lambda octets: escape(octets.decode()).encode(),
    }
)  # fmt: skip
"""How a name or a value is written, by the words for it; one that can't be written so is a ValueError."""

_Pairs: TypeAlias = Sequence[tuple[bytes, bytes]]
ORDERS: Final[Mapping[str, Callable[[_Pairs], _Pairs]]] = MappingProxyType(
    {
        "sorted by name, then by value": sorted,
        "in the order in which they are sent": lambda pairs: pairs,
        "sorted by name alone": lambda pairs: sorted(pairs, key=itemgetter(0)),
        "sorted by name and value together": lambda pairs: sorted(pairs, key=b"=".join),
        "sorted without regard to case": lambda pairs: sorted(pairs, key=lambda pair: (pair[0].lower(), pair[1].lower())),
        "sorted by value, then by name": lambda pairs: sorted(pairs, key=itemgetter(1, 0)),
        "sorted backwards": lambda pairs: sorted(pairs, reverse=True),
        "sorted before they are encoded": lambda pairs: sorted(pairs, key=lambda pair: tuple(map(unquote_to_bytes, pair))),
        "with the last one first": lambda pairs: pairs[::-1],
    }
)  # fmt: skip
"""In which order parameters are, by the words for it."""


def parameters_text(pairs: _Pairs, style: Style) -> bytes:
    """Parameters, not encoded, written in a style.

    >>> parameters_text([(b"b", b"x y"), (b"a", b"")], Style())
    b'a=&b=x%20y'
    """
    encode = ENCODINGS[style.encode]
    written = [(encode(name), encode(value)) for name, value in (dict.fromkeys(pairs) if style.unique else pairs)]
    return style.separator.join([name + style.equals + value for name, value in ORDERS[style.order](written)])


Node: TypeAlias = Leaf | Join | Hash | Mac | Encoding | Parameters
Of: TypeAlias = Callable[[Node], bytes]
"""The value of a node, as the client may have had it."""


def joined(node: Join, values: Iterable[bytes], separator: bytes | None = None, end: bytes | None = None) -> bytes:
    """The values as `node` joins them, or by another separator or with another end."""
    return (node.separator if separator is None else separator).join(values) + (node.end if end is None else end)


_Values: TypeAlias = dict[Node, bytes]


def _maker(node: Node) -> Callable[[_Values], bytes]:
    """What makes the value of `node` from those of the nodes under it."""
    if isinstance(node, Leaf):
        leaf = node.value
        return lambda _: leaf
    if isinstance(node, Join):
        parts, separator, end = tuple(node.parts), node.separator, node.end
        return lambda values: separator.join([values[part] for part in parts]) + end
    if isinstance(node, Parameters):
        return _parameters_maker(node)
    if isinstance(node, Hash):
        algorithm, inner = node.algorithm, node.of
        return lambda values: hashed(algorithm, values[inner])
    if isinstance(node, Mac):
        key, text, name = node.key, node.of, node.algorithm
        return lambda values: hmac_digest(name, values[key], values[text])
    write, written = FORMS.get(node.form) or ENCODINGS[node.form], node.of
    return lambda values: write(values[written])


def _parameters_maker(node: Parameters) -> Callable[[_Values], bytes]:
    """`parameters_text`, which remembers how what is there is written."""
    pairs, style, encode = tuple(node.pairs), node.style, ENCODINGS[node.style.encode]
    known = {octets: encode(octets) for name, leaf in pairs for octets in (name, leaf.value)}
    order = ORDERS[style.order]

    def make(values: _Values) -> bytes:
        found = [(name, values[leaf]) for name, leaf in pairs]
        written = []
        for name, value in dict.fromkeys(found) if style.unique else found:
            encoded = known.get(value)
            written.append((known[name], encode(value) if encoded is None else encoded))
        return style.separator.join([name + style.equals + value for name, value in order(written)])

    return make


def under(node: Node) -> Sequence[Node]:
    """The nodes that a node is made of, one level down."""
    if isinstance(node, Leaf):
        return ()
    if isinstance(node, Join):
        return node.parts
    if isinstance(node, Parameters):
        return [value for _, value in node.pairs]
    return (node.key, node.of) if isinstance(node, Mac) else (node.of,)


def all_under(node: Node) -> Iterator[Node]:
    """The node, and all that it is made of."""
    return chain((node,), *map(all_under, under(node)))


def made(node: Node, of: Of) -> bytes:
    """The value of a node that is no part of a computation: of nodes that are, as `of` has them, and of others."""
    values: _Values = {}
    try:
        return of(node)
    except KeyError:
        for each in under(node):
            values[each] = made(each, of)
    return _maker(node)(values)


class Computation:
    """A graph with the value of each node; another value of a few nodes costs the nodes above them, no others.

    Args:
        root: what is compared with what was received.

    >>> key, text = Leaf("the key", b"Jefe", "key"), Leaf("the text", b"what do ya want for nothing?")
    >>> computation = Computation(Encoding("the MAC", "hex digits", Mac("the MAC", "sha256", key, text)))
    >>> computation.value(computation.root)[:16]  # RFC 4231 §4.3
    b'5bdcc146bf60754e'
    >>> computation.changed({text: lambda of: b"something else"}) == computation.value(computation.root)
    False
    >>> computation.steps
    4
    """

    def __init__(self, root: Node) -> None:
        self.root = root
        self.steps = 0
        self.nodes: list[Node] = []
        self._values: _Values = {}
        self._above: dict[Node, set[Node]] = {}
        self._makers: dict[Node, Callable[[_Values], bytes]] = {}
        self._shorter: dict[
            Node, Node
        ] = {}  # what a hash, a MAC or an encoding is of: that may be longer than its result
        self._visit(root, ())
        self._place = {node: place for place, node in enumerate(self.nodes)}
        self._orders: dict[frozenset[Node], list[Node]] = {}

    def _visit(self, node: Node, above: tuple[Node, ...]) -> None:
        for each in under(node):
            self._visit(each, (*above, node))
        if node not in self._values:
            self.nodes.append(node)  # inner ones first
            self._makers[node] = _maker(node)
            if isinstance(node, (Hash, Mac, Encoding)):
                self._shorter[node] = node.of
            self._values[node] = self._makers[node](self._values)
        self._above.setdefault(node, set()).update(above)

    def has(self, node: Node) -> bool:
        """Whether it is part of this computation."""
        return node in self._place

    def value(self, node: Node) -> bytes:
        """The value of a node in this request."""
        return self._values[node]

    def changed(self, changes: Mapping[Node, Callable[[Of], bytes]]) -> bytes:
        """The value of the root if these nodes are made otherwise. Counts in `steps`.

        Raises:
            ValueError: a change can't be made of what is under it.
        """
        order = self._orders.get(frozenset(changes))
        if order is None:
            order = self._orders[frozenset(changes)] = self._order(changes)
        values = self._values.copy()
        makers, shorter, steps = self._makers, self._shorter, 0
        for node in order:
            change = changes.get(node)
            value = makers[node](values) if change is None else change(values.__getitem__)
            values[node] = value
            steps += (1 if change is None else 2) + len(value) // STEP
            shortened = shorter.get(node)
            if isinstance(node, Parameters):
                steps += len(node.pairs) // 4
            elif shortened is not None:
                steps += len(values[shortened]) // STEP
        self.steps += steps
        return values[self.root]

    def _order(self, changes: Iterable[Node]) -> list[Node]:
        """These nodes, and those that depend on them, inner ones first."""
        stale = set(changes)
        stale.update(*[self._above[node] for node in changes])
        return sorted(stale, key=self._place.__getitem__)
