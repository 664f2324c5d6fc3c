"""Whether a request comes from a program on this machine, as far as that can be told.

Who stands behind a connection can't be proven by what comes over it, so every sign has to say that nobody else does: both
addresses, no field of a proxy, no page of another site.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

from watchword.core.message import Request

__all__ = ["is_of_this_machine"]

_HOST: Final = re.compile(r"(localhost|[0-9.]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
_ORIGIN: Final = re.compile(r"https?://(.+)", re.IGNORECASE)
_OF_PROXIES: Final = re.compile(
    rb"forwarded|^via$|real-ip|client-ip|connecting-ip|^x-(?:original|envoy|amzn|proxy|scheme)|^cdn-|^cf-|^proxy-"
    rb"|^front-end-https$"
)


def is_of_this_machine(request: Request) -> bool:
    """Whether every sign says that the client is a program on this machine, and that nothing stands between.

    The peer is a loopback address, and Host is one by its digits, or `localhost`: a page that had its own name lead here
    names that. No field is there that proxies write, and no Origin of another place, which a page of another site would
    send. A target with a host of its own, a WebSocket, and HEAD, whose answer has no body, are none of it.

    >>> from watchword.core.message import Peer
    >>> is_of_this_machine(Request("GET", "http", "127.0.0.1:8000", "/", {"Host": "127.0.0.1:8000"}, Peer("127.0.0.1")))
    True
    >>> is_of_this_machine(Request("GET", "http", "attacker.example", "/", {"Host": "attacker.example"}, Peer("127.0.0.1")))
    False
    """
    return (
        request.method != "HEAD"
        and request.scheme in ("http", "https")
        and request.target[:1] == b"/"
        and _is_loopback(request.peer.address)
        and request.values(b"host") == [request.authority.encode("utf-8", "replace")]
        and _names_loopback(request.authority)
        and not any(_OF_PROXIES.search(name) for name, _ in request.headers)
        and all(_is_own(origin.decode("latin-1")) for origin in request.values(b"origin"))
    )


def _is_loopback(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _names_loopback(authority: str) -> bool:
    match = _HOST.fullmatch(authority)
    return match is not None and (match[1].lower() == "localhost" or _is_loopback(match[1].strip("[]")))


def _is_own(origin: str) -> bool:
    match = _ORIGIN.fullmatch(origin)
    return match is not None and _names_loopback(match[1])
