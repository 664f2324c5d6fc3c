"""The URL that the public sees, where proxies stand before the server: `PublicURL`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from copy import copy
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from watchword.core.limits import Limits
from watchword.core.message import Peer, Request
from watchword.core.rejection import ConfigurationError
from watchword.fields.forwarded import HOST, Hop, Node, XForwarded, parse_forwarded
from watchword.fields.target import HTTP_SCHEMES, check_target, default_port, is_plain, refused
from watchword.structures.bounded import Bounded

__all__ = ["PublicURL"]

# What a proxy that rewrites a path may have resolved, merged, decoded or cut.
_AMBIGUOUS = re.compile(rb"//|;|%2[eEfF]|%5[cC]|/\.\.?(?:/|\Z)")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9\-._~%!$&'()*+=:@]++)++")
_WS: Final = {"http": "ws", "https": "wss"}
MAX_KNOWN: Final = 1024
"""Clients, as proxies name them, that a `PublicURL` knows again."""
MAX_TEXT: Final = 512
"""Octets of the proxies' fields that are worth remembering."""

_Lines = tuple[bytes | tuple[bytes, ...] | None, ...]
"""The lines of each of the proxies' fields that are believed: the one, several, or None."""
_Seen = tuple[str, str, str, _Lines]
"""The peer's address, the scheme and the authority as the server saw them, and those lines."""


class Public(NamedTuple):
    """The client's side. `peer` is None if it is the connection's own; `good` if the authority is host or host:port."""

    scheme: str
    authority: str
    peer: Peer | None
    prefix: str
    good: bool


class PublicURL:
    """The URL as the client saw it: turns a request as it reached the server into the request as it was sent.

    One per guard: `Guard(…, policy=Policy(public_url=PublicURL("https://api.example")))`. It settles scheme, authority
    (host in lower case; a port stays as it was said, comparisons drop a default one), path and peer address.

    Proxies' fields are believed only if `trusted` or `hops` says so, from the right-hand end, since every proxy appends
    on the right: the last entry counts if the connection's peer is trusted, the one before it if the address in the last
    is, and so on. What the outermost believed proxy says is the request; what it doesn't say stays as the server saw
    it. The fields of an untrusted peer are not looked at.

    Args:
        origin: "https://api.example", where it is always the same; proxies' words on scheme and host are then not used.
        prefix: "/api", where the proxy takes it off the path: it is put back.
        strip: "/internal", where the proxy puts it before the path: it is taken off, before `prefix` is put on.
        forwarded: "Forwarded" (RFC 7239) or "X-Forwarded": the fields that the proxies write.
        trusted: the proxies' networks, such as "10.0.0.0/8".
        hops: how many proxies there are, at most, if `trusted` is given too. Alone it means exactly so many, and that
            nobody can reach the server but through them; for balancers without fixed addresses and for Unix sockets.
        believe: which of "for", "proto", "host" and, for X-Forwarded only, "port" and "prefix" the proxies set. Name
            none that they pass on as the client sent it. By default all three of Forwarded, "for" and "proto" of X-Forwarded.

    Raises:
        ConfigurationError: at construction, what can't be meant.

    >>> url = PublicURL(forwarded="Forwarded", trusted=("10.0.0.0/8",))
    >>> seen = Request("GET", "http", "app:8000", "/", {"Forwarded": "for=192.0.2.7;proto=https;host=api.example"},
    ...                Peer("10.0.0.2"))
    >>> public = url(seen)
    >>> public.scheme, public.authority, public.peer.address
    ('https', 'api.example', '192.0.2.7')
    """

    __slots__ = (
        "_believe", "_fields", "_forwarded", "_hops", "_known", "_limits", "_networks", "_origin", "_prefix", "_strip",
    )  # fmt: skip

    def __init__(
        self,
        origin: str | None = None,
        *,
        prefix: str = "",
        strip: str = "",
        forwarded: str | None = None,
        trusted: Sequence[str] = (),
        hops: int | None = None,
        believe: Sequence[str] | None = None,
    ) -> None:
        if origin is None and not prefix and not strip and forwarded is None:
            raise ConfigurationError('PublicURL() changes nothing: give an origin, such as "https://api.example"')
        self._origin = None if origin is None else _origin(origin)
        self._prefix = _prefix("prefix", prefix)
        self._strip = _prefix("strip", strip)
        self._forwarded = forwarded
        self._networks = _networks(trusted)
        self._hops = hops
        self._believe = _believe(forwarded, believe)
        self._fields = _fields(forwarded, self._believe)
        self._limits = Limits()
        self._known: Bounded[_Seen, Public] = Bounded(MAX_KNOWN)
        if forwarded is not None and not self._networks and hops is None:
            raise ConfigurationError("anyone can write forwarding fields: say whose count, trusted=(…) or hops=1")
        if forwarded is None and (self._networks or hops is not None):
            raise ConfigurationError('trusted proxies of which no field is read: add forwarded="Forwarded"')
        if hops is not None and hops < 1:
            raise ConfigurationError("hops is the number of proxies: 1 or more")
        if self._prefix and "prefix" in self._believe:
            raise ConfigurationError('the prefix is either configured or believed: drop prefix= or "prefix"')

    def within(self, limits: Limits) -> PublicURL:
        """The same under other limits on the length and the members of the proxies' fields; a guard gives its own.

        Raises:
            ConfigurationError: the limits admit fewer members than there are proxies.
        """
        if self._hops is not None and self._hops > limits.hops:
            raise ConfigurationError(f"{self._hops} proxies, and Limits(hops={limits.hops}): raise the limit")
        same = copy(self)
        same._limits = limits  # noqa: SLF001 -- our own
        same._known = Bounded(MAX_KNOWN)  # noqa: SLF001 -- as above
        return same

    def __call__(self, request: Request) -> Request:
        """The request as the client sent it.

        Raises:
            Rejected: TARGET_REFUSED as `check_target`; also where a path that is rewritten has "//", ";", dot segments,
                "%2e", "%2f" or "%5c", which a proxy may have changed, or doesn't begin with `strip`.
                MALFORMED_REQUEST, where a trusted proxy's field is off its grammar or has more members than
                `Limits.hops`; HEADER_TOO_LARGE, where it is longer than `Limits.field`.
        """
        lines = request.lines
        if len(lines) == len(request.headers):
            values: _Lines = tuple(map(lines.get, self._fields))
        else:
            values = tuple([tuple(request.values(name)) or None for name in self._fields])
        seen = (request.peer.address, request.scheme, request.authority, values)
        public = self._known.get(seen)  # the same client comes again through the same proxy
        if public is None:
            public = self._read(*seen)
            if sum(len(line) for value in values for line in _lines(value)) <= MAX_TEXT:
                self._known.put(seen, public)
        target = request.target
        if public.prefix or self._strip:
            target = self._rewritten(target, public.prefix)
        # A certificate is the one of the connection, so the proxy's where a proxy is believed.
        peer = request.peer if public.peer is None else public.peer
        judged = Request.raw(
            request.method, public.scheme, public.authority, target, request.headers, peer, request.exact, lines
        )
        if not public.good or is_plain(target) is None:
            check_target(judged, public.authority if public.good else None)
        return judged

    def _read(self, address: str, scheme: str, authority: str, fields: _Lines) -> Public:
        """The client's side of what the server saw; pure."""
        said = self._said(address, fields)
        peer, prefix = None, self._prefix
        if said is not None:
            peer = Peer(address if said.for_ is None else said.for_.address)
            scheme = _scheme(said.proto, scheme)
            authority = _authority(said, scheme, authority)
            prefix = prefix or (said.prefix or "").rstrip("/")
        if self._origin is not None:
            scheme, authority = _scheme(self._origin[0], scheme), self._origin[1]
        authority = authority.lower()
        return Public(scheme, authority, peer, prefix, HOST.fullmatch(authority) is not None)

    def _rewritten(self, target: bytes, prefix: str) -> bytes:
        if target == b"*":
            return target
        path, mark, query = target.partition(b"?")
        if path[:1] != b"/":
            raise refused("only a path can be rewritten")
        if self._strip:
            strip = self._strip.encode()
            if path != strip and not path.startswith(strip + b"/"):
                raise refused("the path does not begin as the proxy's do")
            path = path[len(strip) :] or b"/"
        path = prefix.encode() + path
        if _AMBIGUOUS.search(path):
            raise refused("the path is rewritten and could have been another")
        return path + mark + query

    def _said(self, address: str, fields: _Lines) -> Hop | None:
        """The outermost believed proxy's words; None if no proxy is believed."""
        if self._forwarded is None or (self._networks and not self._is_trusted(address)):
            return None
        if self._forwarded == "Forwarded":
            hops = [self._only_believed(hop) for hop in parse_forwarded(_lines(fields[0]), self._limits)]
            count = self._count([hop.for_ for hop in hops])
            return hops[-count] if count else None
        said = XForwarded.of(dict(zip(self._believe, map(_lines, fields), strict=True)), self._limits)
        # Without addresses there is one entry to go by: the peer's.
        count = self._count(said.nodes or [None])
        return said.hop(count) if count else None

    def _only_believed(self, hop: Hop) -> Hop:
        believe = self._believe
        return Hop(
            hop.for_ if "for" in believe else None,
            host=hop.host if "host" in believe else None,
            proto=hop.proto if "proto" in believe else None,
        )

    def _count(self, nodes: Sequence[Node | None]) -> int:
        """How many of the entries are believed, from the right; the peer is trusted already."""
        if not self._networks:
            # Fewer entries than proxies: it came another way, and nobody knows by whom they were written.
            return self._hops if self._hops is not None and len(nodes) >= self._hops else 0
        count = 0
        for node in reversed(nodes):
            count += 1
            if count in (self._hops, len(nodes)) or node is None or not self._is_trusted(node.address):
                break
        return count

    def _is_trusted(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return any(ip in network for network in self._networks)


def _lines(value: bytes | tuple[bytes, ...] | None) -> tuple[bytes, ...]:
    return () if value is None else (value,) if isinstance(value, bytes) else value


def _fields(forwarded: str | None, believe: Collection[str]) -> tuple[bytes, ...]:
    """The fields to look at, in the order of `believe`."""
    if forwarded != "X-Forwarded":
        return () if forwarded is None else (b"forwarded",)
    return tuple(b"x-forwarded-" + name.encode() for name in believe)


def _scheme(proto: str | None, seen: str) -> str:
    """The public scheme; a WebSocket stays one."""
    if proto is None:
        return seen
    plain = HTTP_SCHEMES.get(proto, proto)
    if plain not in _WS:
        raise refused("the forwarded scheme is not HTTP's", "scheme")
    return _WS[plain] if seen in HTTP_SCHEMES else plain


def _authority(said: Hop, scheme: str, seen: str) -> str:
    authority = seen if said.host is None else said.host
    if said.port is None:
        return authority
    host = HOST.fullmatch(authority)
    if host is None:
        raise refused("the authority is not host or host:port", "authority")
    return str(host[1]) if said.port == default_port(scheme) else f"{host[1]}:{said.port}"


# ---- configuration ----------------------------------------------------------------------------------------------------

_DIALECTS: Final = {"Forwarded": ("for", "proto", "host"), "X-Forwarded": ("for", "proto", "host", "port", "prefix")}


def _origin(origin: str) -> tuple[str, str]:
    scheme, separator, authority = origin.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in _WS:
        raise ConfigurationError(
            f'an origin begins with https:// or http://, such as "https://api.example": {origin!r}'
        )
    if "/" in authority:
        raise ConfigurationError("an origin has no path; what the proxy takes off the path goes into prefix=")
    match = HOST.fullmatch(authority)
    if match is None or int(match[2] or 0) > 65535:
        raise ConfigurationError('an origin is scheme://host or scheme://host:port, such as "https://api.example"')
    return scheme, authority.lower()


def _prefix(name: str, prefix: str) -> str:
    if prefix and (not _PREFIX.fullmatch(prefix) or _AMBIGUOUS.search(prefix.encode())):
        raise ConfigurationError(f'{name} is a plain path without a "/" at its end, such as "/api": {prefix!r}')
    return prefix


def _networks(trusted: Sequence[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    if isinstance(trusted, str):
        raise ConfigurationError(f"trusted is a sequence of networks: trusted=({trusted!r},)")
    try:
        networks = tuple(ip_network(network) for network in trusted)
    except ValueError as error:
        raise ConfigurationError(f"trusted has a network that is none: {error}") from None
    if any(network.prefixlen == 0 for network in networks):
        raise ConfigurationError(
            "trusted has a network of everybody; if only proxies reach the server, say hops=1 instead"
        )
    return networks


def _believe(forwarded: str | None, believe: Sequence[str] | None) -> tuple[str, ...]:
    if forwarded is None:
        if believe is not None:
            raise ConfigurationError('believe names what is read of forwarding fields: add forwarded="X-Forwarded"')
        return ()
    if forwarded not in _DIALECTS:
        raise ConfigurationError(f'forwarded is "Forwarded" or "X-Forwarded", not {forwarded!r}')
    known = _DIALECTS[forwarded]
    if believe is None:
        return known if forwarded == "Forwarded" else ("for", "proto")
    unknown = [believe] if isinstance(believe, str) else sorted(set(believe) - set(known))
    if unknown or not believe:
        raise ConfigurationError(f"believe is a sequence of some of {known}, not {unknown}")
    return tuple(believe)
