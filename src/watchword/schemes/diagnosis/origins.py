"""Method, scheme and authority, as they may have been before a proxy, a balancer or a framework touched them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from watchword.core.message import Request
from watchword.core.rejection import Rejected
from watchword.fields.forwarded import HOST, parse_forwarded
from watchword.fields.target import default_port
from watchword.schemes.diagnosis.change import Change, Undo, in_turn, show, with_parts, with_target

__all__ = ["authorities", "forwarded", "methods", "said_hosts", "said_schemes", "schemes"]

MAX_NAMES: Final = 4
"""Entries of each forwarding field that are tried: whoever sent them chose how many there are."""
MAX_NAME: Final = 255
"""Characters of a name that is tried."""

METHODS: Final = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
_METHOD_FIELDS: Final = (b"x-http-method-override", b"x-original-method", b"x-forwarded-method", b"x-method-override")
_HOST_FIELDS: Final = (
    b"x-forwarded-host", b"x-original-host", b"x-host", b"x-forwarded-server", b"x-envoy-original-host",
)  # fmt: skip
_URL_FIELDS: Final = (b"origin", b"referer")
_INTERNAL: Final = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "host.docker.internal")  # noqa: S104 -- names, not bound to
_PORTS: Final = (80, 443, 8000, 8080, 8443, 3000, 5000, 8888)

_PROXY = "a proxy rewrote Host: have it pass Host on as it came, or tell the guard the public origin (PublicURL)"


def methods(request: Request) -> Iterator[Change]:
    """The usual methods, and those that override fields name."""
    received = request.method
    named = [
        value.decode("latin-1")[:MAX_NAME] for name in _METHOD_FIELDS for value in request.values(name)[:MAX_NAMES]
    ]
    for method in dict.fromkeys((*named, *METHODS, received.upper(), received.lower())):
        if method and method != received:
            if method.lower() == received.lower():
                mend = "the method's case was changed: methods are case-sensitive, sign and send the same"
            elif {method, received} == {"GET", "HEAD"}:
                mend = "something turned HEAD into GET or back: verify before the framework answers HEAD by GET"
            else:
                mend = "something changed the method on the way (a redirect, a method override): sign what is sent"
            yield Change("@method", method, received, mend, _undo(method=method))


def schemes(request: Request) -> Iterator[Change]:
    """http for https, and so on."""
    received = request.scheme
    pairs = {"http": ("https",), "https": ("http",), "ws": ("wss", "http", "https"), "wss": ("ws", "https", "http")}
    for scheme in dict.fromkeys((*said_schemes(request), *pairs.get(received, ("https", "http")))):
        if scheme != received:
            mend = (
                "TLS ends before the server, or begins there: tell the guard the public origin, for example "
                f"PublicURL('{scheme}://…') or PublicURL(forwarded=…)"
            )
            yield Change("@scheme", scheme, received, mend, _undo(scheme=scheme))


def authorities(request: Request) -> Iterator[Change]:
    """What proxies say it was, default ports added or dropped, spelling, other ports, internal names."""
    received = request.authority
    for authority, mend in _authorities(request):
        if authority and authority != received and len(authority) <= MAX_NAME:
            expected, shown = show(authority, received)
            yield Change("@authority", expected, shown, mend, _undo(authority=authority))


def forwarded(request: Request) -> Iterator[Change]:
    """Everything that the forwarding fields say at once, where that is more than one change."""
    host = next(iter(said_hosts(request)), request.authority)
    scheme = next(iter(said_schemes(request)), request.scheme)
    port = _first(request, b"x-forwarded-port")
    prefix = _first(request, b"x-forwarded-prefix").rstrip("/")
    if ":" not in host and port.isdigit() and len(port) <= 5 and int(port) != default_port(scheme):
        host = f"{host}:{port}"
    prefixes = [prefix] if prefix[:1] == "/" and len(prefix) <= MAX_NAME else []
    for put_back in (*prefixes, ""):
        parts = [
            (name, one, other)
            for name, one, other in (
                ("@authority", host, request.authority), ("@scheme", scheme, request.scheme), ("@path", put_back, ""),
            )
            if one != other
        ]  # fmt: skip
        if len(parts) > 1:
            expected, received = show(
                " ".join(f"{name} {one}" for name, one, _ in parts),
                " ".join(f"{name} {other}" for name, _, other in parts),
            )
            mend = "a proxy rewrote it, and says so in its forwarding fields: have the guard believe them (PublicURL)"
            yield Change(parts[0][0], expected, received, mend, partial(_all_at_once, host, scheme, put_back.encode()))


def _all_at_once(host: str, scheme: str, prefix: bytes, request: Request, body: bytes) -> tuple[Request, bytes]:
    request = with_parts(request, authority=host, scheme=scheme)
    return with_target(request, path=prefix + request.path), body


def _authorities(request: Request) -> Iterator[tuple[str, str]]:
    received = request.authority
    name, colon, port = received.rpartition(":")
    if not colon or not port.isdigit():
        name, port = received, ""
    return in_turn(
        ((host, _PROXY) for host in _said(request)),
        _without_port(name, port),
        _internal(port),
        _spelled(received),
        _with_port(request, name, port),
    )


def _said(request: Request) -> Iterator[str]:
    hosts = said_hosts(request)
    for port in _names(request, (b"x-forwarded-port",))[:1]:
        if port.isdigit() and len(port) <= 5:
            yield from (f"{host}:{port}" for host in hosts if ":" not in host)
    yield from hosts
    for value in _names(request, _URL_FIELDS):
        yield value.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _without_port(name: str, port: str) -> Iterator[tuple[str, str]]:
    if port:
        yield (
            name,
            "a port was added to Host on the way: have the proxy pass Host on, or tell the guard the origin (PublicURL)",
        )


def _with_port(request: Request, name: str, port: str) -> Iterator[tuple[str, str]]:
    for value in _names(request, (b"x-forwarded-port",)):
        if value.isdigit():
            yield f"{name}:{value}", _PROXY
    for each in dict.fromkeys((default_port(request.scheme), 443, 80)):
        if each is not None and not port:
            yield f"{name}:{each}", "the default port was dropped from Host: sign and send the same spelling of it"
    mend = (
        "Host names another port than was signed: have the proxy pass Host on, or tell the guard the origin (PublicURL)"
    )
    for number in _PORTS:
        yield f"{name}:{number}", mend


def _internal(port: str) -> Iterator[tuple[str, str]]:
    mend = "the client called the server by an internal name: sign the name that the server is told, or PublicURL"
    for name in _INTERNAL:
        yield name, mend
        if port:
            yield f"{name}:{port}", mend
    for number in _PORTS:
        for name in _INTERNAL:
            yield f"{name}:{number}", mend


def _spelled(received: str) -> Iterator[tuple[str, str]]:
    mend = "the spelling of Host was changed (case, trailing dot, www.): sign what is sent, and have proxies pass it on"
    name, colon, port = received.rpartition(":")
    if not colon or not port.isdigit():
        name, colon, port = received, "", ""
    for spelling in (
        name.lower(), name.rstrip("."), name + ".", name.upper(), name.removeprefix("www."), "www." + name, name.title(),
    ):  # fmt: skip
        yield spelling + colon + port, mend


def said_hosts(request: Request) -> list[str]:
    """The hosts that forwarding fields name, the nearest to the client first; Host itself, where it is not the authority."""
    named = _names(request, _HOST_FIELDS)
    try:
        named += [hop.host for hop in parse_forwarded(request.values(b"forwarded")[:MAX_NAMES])[:MAX_NAMES] if hop.host]
    except Rejected:
        pass
    named += _names(request, (b"host",))
    return [host for host in dict.fromkeys(named) if len(host) <= MAX_NAME and HOST.fullmatch(host)]


def said_schemes(request: Request) -> list[str]:
    """The schemes that forwarding fields name."""
    named = _names(request, (b"x-forwarded-proto", b"x-forwarded-scheme", b"x-scheme", b"x-forwarded-protocol"))
    try:
        hops = parse_forwarded(request.values(b"forwarded")[:MAX_NAMES])[:MAX_NAMES]
        named += [hop.proto for hop in hops if hop.proto]
    except Rejected:
        pass
    return [scheme for scheme in dict.fromkeys(named) if scheme in ("http", "https", "ws", "wss")]


def _names(request: Request, fields: tuple[bytes, ...]) -> list[str]:
    """The first members of these fields' lists."""
    found: list[str] = []
    for field in fields:
        for value in request.values(field)[:MAX_NAMES]:
            members = value[: MAX_NAME * MAX_NAMES].decode("latin-1").split(",")[:MAX_NAMES]
            found += [member.strip(" \t") for member in members]
    return found


def _first(request: Request, field: bytes) -> str:
    return next(iter(_names(request, (field,))), "")


def _undo(**parts: str) -> Undo:
    return partial(_replace, parts)


def _replace(parts: dict[str, str], request: Request, body: bytes) -> tuple[Request, bytes]:
    return with_parts(
        request, method=parts.get("method"), scheme=parts.get("scheme"), authority=parts.get("authority")
    ), body
