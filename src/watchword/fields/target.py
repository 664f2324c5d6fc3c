"""The request target (RFC 9112 §3.2): what is always refused, and how two are compared.

Schemes that cover the target call `check_target` in `read`, whether or not the guard has a `PublicURL`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from watchword.core.message import Request
from watchword.core.rejection import Reason, Rejected
from watchword.fields.forwarded import HOST
from watchword.fields.percent import percent_decoded

__all__ = [
    "HTTP_SCHEMES",
    "Target",
    "check_exact",
    "check_target",
    "default_port",
    "is_plain",
    "normal_authority",
    "refused",
    "split_target",
]

# Not in any URI (RFC 3986 §2): controls, space, "#", "\\" and non-ASCII octets. Programs disagree on what these mean: a
# path may end at "#", a backslash may separate segments, an octet above 0x7f may be Latin-1 or UTF-8.
_NEVER = re.compile(rb"[^\x21\x22\x24-\x5b\x5d-\x7e]")
is_plain: Final = re.compile(rb"/[\x21\x22\x24-\x5b\x5d-\x7e]*+").fullmatch
"""Whether a target is a path in which `check_target` finds nothing wrong, as nearly all are."""
_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+\-.]*+)://([^/?]*+)(.*+)", re.DOTALL)


_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
# A WebSocket handshake is an HTTP request (RFC 6455 §4.1).
HTTP_SCHEMES: Final = {"ws": "http", "wss": "https"}


class Target(NamedTuple):
    """A target in the one form in which two can be compared: `==` says whether they name the same resource.

    Args:
        scheme: "http" or "https"; another absolute-form's scheme in lower case.
        authority: the host in lower case, and the port unless it is the scheme's default.
        path: the rest as sent, query included; "*" or the authority-form where that was sent.
    """

    scheme: str
    authority: str
    path: bytes


def default_port(scheme: str) -> int | None:
    """The port that `scheme` uses where none is given (RFC 9110 §4.2); None for a scheme that isn't HTTP's.

    >>> default_port("https"), default_port("ws"), default_port("ftp")
    (443, 80, None)
    """
    return _PORTS.get(scheme)


def normal_authority(scheme: str, authority: str) -> str:
    """`authority` with its host in lower case and without the scheme's default port (RFC 9110 §4.2.3).

    Raises:
        Rejected: TARGET_REFUSED, where it isn't host or host:port; userinfo is always refused (RFC 9110 §4.2.4).

    >>> normal_authority("https", "API.Example:443"), normal_authority("https", "[2001:DB8::1]:8443")
    ('api.example', '[2001:db8::1]:8443')
    """
    if not authority:
        return ""
    match = HOST.fullmatch(authority)
    if match is None:
        raise refused("the authority is not host or host:port", "authority")
    host, port = match[1].lower(), match[2]
    if not port or int(port) == _PORTS.get(scheme):
        return host
    if int(port) > 65535:
        raise refused("the port is above 65535", "authority")
    return f"{host}:{int(port)}"


def split_target(target: bytes, scheme: str, authority: str) -> Target:
    """`target` as the resource that it names, to compare a `uri` that credentials give with the request's own target.

    Path and query are kept exactly as sent: RFC 3986 §6.2.2 would call more targets equal, but servers do not agree on them.

    Args:
        target: any of the four forms of RFC 9112 §3.2.
        scheme: that of the request; used where the target isn't absolute.
        authority: that of the request; likewise.

    Raises:
        Rejected: TARGET_REFUSED, where the authority, or the one in the target, isn't host or host:port.

    >>> split_target(b"/a?b", "https", "h:443") == split_target(b"HTTPS://H/a?b", "https", "h")
    True
    """
    absolute = _ABSOLUTE.fullmatch(target) if target[:1] != b"/" else None
    if absolute is None:
        return Target(HTTP_SCHEMES.get(scheme, scheme), normal_authority(scheme, authority), target)
    scheme = absolute[1].decode("ascii").lower()
    path = absolute[3]
    return Target(
        HTTP_SCHEMES.get(scheme, scheme),
        normal_authority(scheme, absolute[2].decode("latin-1")),
        path if path[:1] == b"/" else b"/" + path,  # an empty path is "/" (RFC 9110 §4.2.3)
    )


def check_target(request: Request, known: str | None = None) -> None:
    r"""Refuses what no covered target may have, whatever the guard's policy. Path and query are not judged further.

    Args:
        request: whose target it is.
        known: an authority that was found good before, which is not looked at again.

    Raises:
        Rejected: TARGET_REFUSED for a raw backslash, "#", control, space or non-ASCII octet; for an authority that is not
            host or host:port (userinfo above all); for an absolute-form that names another scheme or authority than
            the request's; for "*" without OPTIONS and an authority-form without CONNECT (RFC 9112 §3.2).

    >>> check_target(Request("GET", "https", "api.example", "/a/../b?c=%2e"))
    >>> check_target(Request("GET", "https", "api.example", r"/a\b"))
    Traceback (most recent call last):
    watchword.core.rejection.Rejected: target_refused at target: octet 2 is b'\\'
    """
    plain = is_plain(request.target)
    if plain is None and (bad := _NEVER.search(request.target)) is not None:
        raise refused(f"octet {bad.start()} is {bad[0]!r}")
    authority = request.authority
    if authority and authority != known and HOST.fullmatch(authority) is None:
        raise refused("the authority is not host or host:port", "authority")
    if plain is None:
        _check_form(request)


def check_exact(request: Request, signed: bytes | None = None, where: str = "@target") -> None:
    """Refuses a target that the server rebuilt, where it may have been another: the client's escapes are lost.

    Every scheme that covers the target calls this. A plain WSGI server hands over the decoded path only; of a path that
    still has an escape after it was encoded again, nobody can tell how the client wrote it.

    Args:
        request: whose target it is.
        signed: the target that the credentials name, where they name one. It must not differ in the escapes of its path
            alone, for then nobody can tell either.
        where: the part of the request that is at fault.

    Raises:
        Rejected: TARGET_NOT_EXACT.

    >>> check_exact(Request("GET", "https", "api.example", "/a%2Fb"))
    >>> check_exact(Request("GET", "https", "api.example", "/a%2Fb", exact=False))
    Traceback (most recent call last):
    watchword.core.rejection.Rejected: target_not_exact at @target: the server rebuilt a target with encoded octets, so they are a guess
    """
    if request.exact:
        return
    lost = signed is not None and signed != request.target and _decoded(signed) == _decoded(request.target)
    if lost or b"%" in request.path:
        detail = "the server rebuilt a target with encoded octets, so they are a guess"
        raise Rejected(Reason.TARGET_NOT_EXACT, detail, where=where)


def _decoded(target: bytes) -> bytes:
    path, mark, query = target.partition(b"?")
    return percent_decoded(path) + mark + query


def _check_form(request: Request) -> None:
    """The forms other than origin-form. CONNECT with a path is RFC 8441's, so it is one."""
    target, method = request.target, request.method
    if target == b"*":
        if method != "OPTIONS":
            raise refused("* is for OPTIONS only")
        return
    if method == "CONNECT":
        named = HOST.fullmatch(target.decode("ascii"))
        if named is None or not named[2]:
            raise refused("CONNECT takes host:port")
        if request.authority and target.decode("ascii").lower() != request.authority.lower():
            raise refused("the target is another authority than the request's")
        return
    if _ABSOLUTE.fullmatch(target) is None:
        raise refused("it is neither a path nor an absolute URI")
    named_by_target = split_target(target, request.scheme, request.authority)
    if named_by_target.scheme != HTTP_SCHEMES.get(request.scheme, request.scheme):
        raise refused("it names another scheme than the request's")
    if not named_by_target.authority:
        raise refused("it has no authority")
    if request.authority and named_by_target.authority != normal_authority(request.scheme, request.authority):
        raise refused("it names another authority than the request's")


def refused(detail: str, where: str = "target") -> Rejected:
    """The refusal of a target, or of a field that tells it."""
    return Rejected(Reason.TARGET_REFUSED, detail, where=where)
