"""What proxies say of the request that they received: `Forwarded` (RFC 7239) and the older `X-Forwarded-*`.

    Forwarded         = 1#forwarded-element                                          RFC 7239 §4
    forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
    forwarded-pair    = token "=" ( token / quoted-string )
    node              = nodename [ ":" node-port ]                                   RFC 7239 §6
    nodename          = IPv4address / "[" IPv6address "]" / "unknown" / obfnode
    obfnode, obfport  = "_" 1*( ALPHA / DIGIT / "." / "_" / "-" )
    node-port         = 1*5DIGIT / obfport
    Host              = uri-host [ ":" port ]                                        RFC 9110 §7.2

Parsing only: which of it may be believed is for `target.PublicURL` to say. No space stands beside ";" or "=", a value
that holds ":" or "[" is a quoted string, and no parameter occurs twice in an element (RFC 7239 §4). `X-Forwarded-*` has no
specification: each is read as a comma-separated list, one member a hop, the nearest proxy's last. Every function raises
`Rejected` with MALFORMED_REQUEST for anything else.

A client can write these fields too, and a trusted proxy appends to them. So each is counted before it is parsed: octets by
`Limits.field`, members by `Limits.hops`. A comma inside a quoted string counts as if it ended a member.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

from watchword.core.limits import Limits
from watchword.core.rejection import Reason, Rejected
from watchword.fields.auth_params import QUOTED, TOKEN, unescaped

__all__ = [
    "HOST", "Hop", "Node", "XForwarded", "parse_forwarded", "parse_node", "parse_x_for", "parse_x_host",
    "parse_x_port", "parse_x_prefix", "parse_x_proto",
]  # fmt: skip

HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]++\]|[A-Za-z0-9\-._~%!$&'()*+;=]++)(?::([0-9]{0,5}))?")
"""uri-host [ ":" port ], except that a comma (a sub-delim) is refused: it would be two Host lines joined into one."""

DEFAULT: Final = Limits()

MAX_PAIRS: Final = 8
"""Parameters of an element, on average over `Limits.hops` elements; four are registered (RFC 7239 §5)."""

SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*+")

# An element's pairs, and what follows each: ";", a list's comma, or the end.
_PAIR = re.compile(rf"({TOKEN})=(?:({TOKEN})|{QUOTED})")
_NEXT = re.compile(r"(;)|[ \t]*+,[ \t,]*+|[ \t]*+\Z")
_BLANK = re.compile(r"[ \t,]*+")
_NODE = re.compile(
    r"(?:\[([0-9A-Fa-f:.]++)\]|([0-9.]++)|((?i:unknown)|_[A-Za-z0-9._\-]++))(?::([0-9]{1,5}|_[A-Za-z0-9._\-]++))?"
)
_PREFIX = re.compile(r"/|(?:/[A-Za-z0-9\-._~%!$&'()*+;=:@]++)++/?+")

T = TypeVar("T")


class Node(NamedTuple):
    """One end of a hop (RFC 7239 §6).

    Args:
        name: the IP address in its shortest form (an IPv4-mapped one as IPv4), "unknown", or an obfuscated name that begins with "_".
        port: as sent: a number, or an obfuscated name that begins with "_"; None if there is none.

    >>> parse_node('[2001:DB8::1]:4711')
    Node(name='2001:db8::1', port='4711')
    """

    name: str
    port: str | None = None

    @property
    def address(self) -> str:
        """The IP address as text, "" where the name isn't one."""
        return "" if self.name == "unknown" or self.name.startswith("_") else self.name


class Hop(NamedTuple):
    """What one proxy says of the request that it received; None where it doesn't say.

    Args:
        for_: who sent it the request.
        by: the proxy's own interface.
        host: the Host that it received, as sent.
        proto: the scheme by which it was asked, in lower case.
        port: the port at which it was asked (X-Forwarded-Port).
        prefix: what it took off the path (X-Forwarded-Prefix).
        extensions: further parameters (RFC 7239 §5.5).
    """

    for_: Node | None = None
    by: Node | None = None
    host: str | None = None
    proto: str | None = None
    port: int | None = None
    prefix: str | None = None
    extensions: Mapping[str, str] = MappingProxyType({})


def parse_forwarded(values: Sequence[bytes], limits: Limits = DEFAULT) -> list[Hop]:
    """Reads all Forwarded lines of a request: one hop an element, in order, so the nearest proxy's is the last.

    Raises:
        Rejected: MALFORMED_REQUEST, HEADER_TOO_LARGE.

    >>> [hop.for_.name for hop in parse_forwarded([b'for=192.0.2.43;proto=https, for="[2001:db8::1]:80"', b"for=_b"])]
    ['192.0.2.43', '2001:db8::1', '_b']
    """
    _check_size(values, "forwarded", limits)
    if sum(value.count(b";") for value in values) >= limits.hops * MAX_PAIRS:
        raise _malformed("forwarded", f"more than {limits.hops * MAX_PAIRS} parameters")
    hops: list[Hop] = []
    for value in values:
        text = value.decode("latin-1")
        blank = _BLANK.match(text)
        position = blank.end() if blank else 0
        while position < len(text):
            pairs, position = _element(text, position)
            hops.append(_hop(pairs))
    return hops


def _element(text: str, position: int) -> tuple[dict[str, str], int]:
    """The pairs of the element at `position`, and where the next element begins."""
    pairs: dict[str, str] = {}
    while True:
        pair = _PAIR.match(text, position)
        if pair:
            name, token, quoted = pair.groups()
            if name.lower() in pairs:
                raise _malformed("forwarded", "a parameter occurs twice in one element")
            pairs[name.lower()] = token or unescaped(quoted)
            position = pair.end()
        following = _NEXT.match(text, position)
        if following is None:
            raise _malformed("forwarded", "an element is not a list of name=value")
        position = following.end()
        if following[1] is None:
            return pairs, position


def _hop(pairs: dict[str, str]) -> Hop:
    for_, by, host, proto = (pairs.pop(name, None) for name in ("for", "by", "host", "proto"))
    return Hop(
        None if for_ is None else parse_node(for_),
        None if by is None else parse_node(by),
        None if host is None else _host(host, "forwarded"),
        None if proto is None else _proto(proto, "forwarded"),
        extensions=pairs,
    )


def parse_node(text: str, where: str = "forwarded") -> Node:
    """Reads a node (RFC 7239 §6).

    Raises:
        Rejected: MALFORMED_REQUEST.
    """
    match = _NODE.fullmatch(text)
    if match is None:
        raise _malformed(where, "a node is no address, unknown or _name")
    ipv6, ipv4, other, port = match.groups()
    if port is not None and port[0] != "_" and int(port) > 65535:
        raise _malformed(where, "a port is above 65535")
    if other is not None:
        return Node(other.lower() if other[0] != "_" else other, port)
    try:
        address = IPv4Address(ipv4) if ipv6 is None else IPv6Address(ipv6)
    except ValueError:
        raise _malformed(where, "a node is no address") from None
    return Node(str(getattr(address, "ipv4_mapped", None) or address), port)


def parse_x_for(values: Sequence[bytes], limits: Limits = DEFAULT) -> list[Node]:
    """Reads X-Forwarded-For: addresses, IPv6 with or without brackets, a port only after IPv4 or a bracket.

    Raises:
        Rejected: MALFORMED_REQUEST, HEADER_TOO_LARGE.

    >>> [node.address for node in parse_x_for([b"2001:db8::1, 192.0.2.1:5000"])]
    ['2001:db8::1', '192.0.2.1']
    """

    def member(text: str) -> Node:
        # Two colons or more without brackets: a bare IPv6 address.
        return parse_node(f"[{text}]" if text.count(":") > 1 and text[0] != "[" else text, "x-forwarded-for")

    return _members(values, "x-forwarded-for", limits, member)


def parse_x_proto(values: Sequence[bytes], limits: Limits = DEFAULT) -> list[str]:
    """Reads X-Forwarded-Proto: scheme words, in lower case.

    Raises:
        Rejected: MALFORMED_REQUEST, HEADER_TOO_LARGE.
    """
    return _members(values, "x-forwarded-proto", limits, lambda text: _proto(text, "x-forwarded-proto"))


def parse_x_host(values: Sequence[bytes], limits: Limits = DEFAULT) -> list[str]:
    """Reads X-Forwarded-Host: hosts with or without a port, as sent.

    Raises:
        Rejected: MALFORMED_REQUEST, HEADER_TOO_LARGE.
    """
    return _members(values, "x-forwarded-host", limits, lambda text: _host(text, "x-forwarded-host"))


def parse_x_port(values: Sequence[bytes], limits: Limits = DEFAULT) -> list[int]:
    """Reads X-Forwarded-Port: numbers from 1 to 65535.

    Raises:
        Rejected: MALFORMED_REQUEST, HEADER_TOO_LARGE.
    """

    def member(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65535):
            raise _malformed("x-forwarded-port", "a member is no port")
        return int(text)

    return _members(values, "x-forwarded-port", limits, member)


def parse_x_prefix(values: Sequence[bytes], limits: Limits = DEFAULT) -> list[str]:
    """Reads X-Forwarded-Prefix: absolute paths without empty segments.

    Raises:
        Rejected: MALFORMED_REQUEST, HEADER_TOO_LARGE.
    """

    def member(text: str) -> str:
        if not _PREFIX.fullmatch(text):
            raise _malformed("x-forwarded-prefix", "a member is no absolute path")
        return text

    return _members(values, "x-forwarded-prefix", limits, member)


class XForwarded(NamedTuple):
    """A request's X-Forwarded-* lists, each with the nearest proxy's member last."""

    nodes: Sequence[Node] = ()
    protos: Sequence[str] = ()
    hosts: Sequence[str] = ()
    ports: Sequence[int] = ()
    prefixes: Sequence[str] = ()

    @classmethod
    def of(cls, fields: Mapping[str, Sequence[bytes]], limits: Limits = DEFAULT) -> XForwarded:
        """Of the lines of the fields "for", "proto", "host", "port" and "prefix".

        Raises:
            Rejected: MALFORMED_REQUEST, HEADER_TOO_LARGE.
        """
        return cls(
            parse_x_for(fields.get("for", ()), limits),
            parse_x_proto(fields.get("proto", ()), limits),
            parse_x_host(fields.get("host", ()), limits),
            parse_x_port(fields.get("port", ()), limits),
            parse_x_prefix(fields.get("prefix", ()), limits),
        )

    def hop(self, count: int) -> Hop:
        """What the `count`th proxy from the right said, 1 being the nearest.

        A list of one member speaks for every proxy, since proxies overwrite or keep all but X-Forwarded-For.

        Raises:
            Rejected: MALFORMED_REQUEST, where a list has several members but not so many.
        """

        def member(members: Sequence[T], name: str) -> T | None:
            if 1 < len(members) < count:
                raise _malformed(f"x-forwarded-{name}", f"{len(members)} members for {count} proxies")
            return members[-count] if len(members) > 1 else members[0] if members else None

        return Hop(
            self.nodes[-count] if self.nodes else None,
            None,
            member(self.hosts, "host"),
            member(self.protos, "proto"),
            member(self.ports, "port"),
            member(self.prefixes, "prefix"),
        )


def _members(values: Sequence[bytes], where: str, limits: Limits, read: Callable[[str], T]) -> list[T]:
    """Each member of the lines' lists; an empty line has none, an empty member beside a comma is read as any other."""
    _check_size(values, where, limits)
    found: list[T] = []
    for value in values:
        text = value.decode("latin-1").strip(" \t")
        found += [read(member.strip(" \t")) for member in text.split(",")] if text else []
    return found


def _check_size(values: Sequence[bytes], where: str, limits: Limits) -> None:
    """Refuses a field, all its lines together, that is too long or may have too many members; nothing is parsed."""
    size = sum(map(len, values))
    if size > limits.field:
        detail = f"{size} octets where at most {limits.field} are read"
        raise Rejected(Reason.HEADER_TOO_LARGE, detail, where=where)
    if len(values) + sum(value.count(b",") for value in values) > limits.hops:
        raise _malformed(where, f"more than {limits.hops} members: Limits(hops=…)")


def _host(text: str, where: str) -> str:
    if not HOST.fullmatch(text):
        raise _malformed(where, "a host is not host or host:port")
    return text


def _proto(text: str, where: str) -> str:
    if not SCHEME.fullmatch(text):
        raise _malformed(where, "a proto is no URI scheme")
    return text.lower()


def _malformed(where: str, detail: str) -> Rejected:
    return Rejected(Reason.MALFORMED_REQUEST, detail, where=where)
