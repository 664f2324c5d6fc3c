"""Method, scheme and authority, as they may have been before a proxy, a balancer or a framework touched them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from watchword.core.message import Request
from watchword.core.rejection import Rejected
from watchword.fields.forwarded import HOST, Hop, parse_forwarded
from watchword.fields.target import default_port
from watchword.schemes.diagnosis.change import Change, in_turn, show, varied, with_parts, with_target

__all__ = ["METHODS", "authorities", "forwarded", "methods", "said_hosts", "said_schemes", "schemes", "split_port"]

MAX_NAMES: Final = 4
"""Entries of each forwarding field that are tried: whoever sent them chose how many there are."""
MAX_NAME: Final = 255
"""Characters of a name that is tried."""

METHODS: Final = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
_METHOD_FIELDS: Final = (b"x-http-method-override", b"x-original-method", b"x-forwarded-method", b"x-method-override")
_HOST_FIELDS: Final = (
    b"x-forwarded-host", b"x-original-host", b"x-host", b"x-forwarded-server", b"x-envoy-original-host",
)  # fmt: skip
_SCHEME_FIELDS: Final = (b"x-forwarded-proto", b"x-forwarded-scheme", b"x-scheme", b"x-forwarded-protocol")
_SCHEMES: Final = {
    "http": ("https",),
    "https": ("http",),
    "ws": ("wss", "http", "https"),
    "wss": ("ws", "https", "http"),
}
_INTERNAL: Final = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "host.docker.internal")  # noqa: S104 -- names, not bound to
_PORTS: Final = (80, 443, 8000, 8080, 8443, 3000, 5000, 8888)

_PROXY: Final = "a proxy rewrote Host: have it pass Host on as it came, or tell the guard the public origin (PublicURL)"
_ADDED: Final = (
    "a port was added to Host on the way: have the proxy pass Host on, or tell the guard the origin (PublicURL)"
)
_DROPPED: Final = "the default port was dropped from Host: sign and send the same spelling of it"
_PORT: Final = (
    "Host names another port than was signed: have the proxy pass Host on, or tell the guard the origin (PublicURL)"
)
_INSIDE: Final = "the client called the server by an internal name: sign the name that the server is told, or PublicURL"
_SPELLED: Final = (
    "the spelling of Host was changed (case, trailing dot, www.): sign what is sent, and have proxies pass it on"
)
_ALL: Final = "a proxy rewrote it, and says so in its forwarding fields: have the guard believe them (PublicURL)"


def methods(request: Request) -> Iterator[Change]:
    """The usual methods, and those that override fields name."""
    received = request.method
    named = [
        value.decode("latin-1")[:MAX_NAME] for name in _METHOD_FIELDS for value in request.values(name)[:MAX_NAMES]
    ]
    found = [
        (method, _mend_of(method, received))
        for method in (*named, *METHODS, received.upper(), received.lower())
        if method
    ]
    return varied("@method", received, found, lambda method, seen, body: (with_parts(seen, method=method), body))


def _mend_of(method: str, received: str) -> str:
    if method.lower() == received.lower():
        return "the method's case was changed: methods are case-sensitive, sign and send the same"
    if {method, received} == {"GET", "HEAD"}:
        return "something turned HEAD into GET or back: verify before the framework answers HEAD by GET"
    return "something changed the method on the way (a redirect, a method override): sign what is sent"


def schemes(request: Request) -> Iterator[Change]:
    """http for https, and so on."""
    others = dict.fromkeys((*said_schemes(request), *_SCHEMES.get(request.scheme, ("https", "http"))))
    mend = "TLS ends before the server, or begins there: tell the guard the public origin, for example PublicURL('{0}://…') or PublicURL(forwarded=…)"
    found = [(scheme, mend.format(scheme)) for scheme in others]
    return varied("@scheme", request.scheme, found, lambda scheme, seen, body: (with_parts(seen, scheme=scheme), body))


def authorities(request: Request) -> Iterator[Change]:
    """What proxies say it was, default ports added or dropped, spelling, other ports, internal names."""
    found = (pair for pair in _authorities(request) if pair[0] and len(pair[0]) <= MAX_NAME)
    return varied(
        "@authority", request.authority, found, lambda host, seen, body: (with_parts(seen, authority=host), body)
    )


def split_port(authority: str) -> tuple[str, str]:
    """The name, and the port with its colon."""
    name, colon, port = authority.rpartition(":")
    return (name, colon + port) if colon and port.isdigit() else (authority, "")


def _authorities(request: Request) -> Iterator[tuple[str, str]]:
    name, port = split_port(request.authority)
    said = _names(request, (b"x-forwarded-port",))
    usual = [] if port else dict.fromkeys((default_port(request.scheme), 443, 80))
    forms = (
        name.lower(),
        name.rstrip("."),
        name + ".",
        name.upper(),
        name.removeprefix("www."),
        "www." + name,
        name.title(),
    )
    return in_turn(
        ((host, _PROXY) for host in _said(request)),
        [(name, _ADDED)] if port else [],
        [(each + end, _INSIDE) for end in dict.fromkeys(("", port)) for each in _INTERNAL]
        + [(f"{each}:{number}", _INSIDE) for number in _PORTS for each in _INTERNAL],
        ((form + port, _SPELLED) for form in forms),
        [(f"{name}:{number}", _PROXY) for number in said if number.isdigit()]
        + [(f"{name}:{number}", _DROPPED) for number in usual if number is not None]
        + [(f"{name}:{number}", _PORT) for number in _PORTS],
    )


def _said(request: Request) -> Iterator[str]:
    hosts = said_hosts(request)
    for port in _names(request, (b"x-forwarded-port",))[:1]:
        if port.isdigit() and len(port) <= 5:
            yield from (f"{host}:{port}" for host in hosts if ":" not in host)
    yield from hosts
    for value in _names(request, (b"origin", b"referer")):
        yield value.partition("://")[2].partition("/")[0].rpartition("@")[2]


def forwarded(request: Request) -> Iterator[Change]:
    """Everything that the forwarding fields say at once, where that is more than one change."""
    host = next(iter(said_hosts(request)), request.authority)
    scheme = next(iter(said_schemes(request)), request.scheme)
    port, prefix = ("".join(_names(request, (field,))[:1]) for field in (b"x-forwarded-port", b"x-forwarded-prefix"))
    if ":" not in host and port.isdigit() and len(port) <= 5 and int(port) != default_port(scheme):
        host = f"{host}:{port}"
    prefix = prefix.rstrip("/")
    for put_back in (prefix, "") if prefix[:1] == "/" and len(prefix) <= MAX_NAME else ("",):
        pairs = (("@authority", host, request.authority), ("@scheme", scheme, request.scheme), ("@path", put_back, ""))
        parts = [(name, one, other) for name, one, other in pairs if one != other]
        if len(parts) > 1:
            texts = [" ".join(f"{part[0]} {part[at]}" for part in parts) for at in (1, 2)]
            undo = partial(_all_at_once, host, scheme, put_back.encode())
            yield Change(parts[0][0], *show(texts[0], texts[1]), _ALL, undo)


def _all_at_once(host: str, scheme: str, prefix: bytes, request: Request, body: bytes) -> tuple[Request, bytes]:
    request = with_parts(request, authority=host, scheme=scheme)
    return with_target(request, path=prefix + request.path), body


def said_hosts(request: Request) -> list[str]:
    """The hosts that forwarding fields name, the nearest to the client first; Host itself, where it is not the authority."""
    hops = [hop.host for hop in _hops(request) if hop.host]
    named = dict.fromkeys((*_names(request, _HOST_FIELDS), *hops, *_names(request, (b"host",))))
    return [host for host in named if len(host) <= MAX_NAME and HOST.fullmatch(host)]


def said_schemes(request: Request) -> list[str]:
    """The schemes that forwarding fields name."""
    named = dict.fromkeys((*_names(request, _SCHEME_FIELDS), *(hop.proto for hop in _hops(request))))
    return [scheme for scheme in named if scheme in _SCHEMES]


def _hops(request: Request) -> list[Hop]:
    try:
        return list(parse_forwarded(request.values(b"forwarded")[:MAX_NAMES])[:MAX_NAMES])
    except Rejected:
        return []


def _names(request: Request, fields: tuple[bytes, ...]) -> list[str]:
    """The first members of these fields' lists."""
    values = [value for field in fields for value in request.values(field)[:MAX_NAMES]]
    lists = [value[: MAX_NAME * MAX_NAMES].decode("latin-1").split(",")[:MAX_NAMES] for value in values]
    return [member.strip(" \t") for members in lists for member in members]
