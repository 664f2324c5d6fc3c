"""Which requests a client may send with credentials: bare secrets to nobody but TLS or loopback, and no malformed target."""

from __future__ import annotations

from watchword.core.message import SOCKS, Request
from watchword.core.rejection import ConfigurationError, Reason, Rejected

__all__ = ["host_of", "refuse_cleartext", "unsendable"]


def host_of(authority: str) -> str:
    """The host of an authority, lower case, without port and brackets.

    >>> host_of("[::1]:8000"), host_of("API.example:443")
    ('::1', 'api.example')
    """
    authority = authority.rpartition("@")[2].lower()
    if not authority.startswith("["):
        return authority.partition(":")[0]
    host, _, rest = authority[1:].partition("]")
    return host if rest[:1] in ("", ":") else authority


def refuse_cleartext(request: Request, allow_cleartext: bool) -> None:
    """Bare secrets travel over TLS or loopback only. Where to is said by the peer, if it is known: Host may say otherwise.

    Through a proxy they travel on, even if proxy and host are both called loopback.

    Raises:
        ConfigurationError: the request would show the secret to the network.
    """
    if allow_cleartext or request.scheme in ("https", "wss"):
        return
    host = request.peer.relay or request.peer.address or host_of(request.authority)
    if not request.peer.relay and _is_loopback(host):
        return
    raise ConfigurationError(
        f"the secret would travel in the clear to {host}: use https, or allow_cleartext=True if the network is trusted"
    )


def refuse_cleartext_to_proxy(request: Request, allow_cleartext: bool) -> None:
    """`refuse_cleartext` for the secret that is a proxy's: what counts is the way to the proxy.

    Raises:
        ConfigurationError: the request would show the secret to the network.
    """
    peer = request.peer
    host = peer.relay_host or peer.relay or peer.address or host_of(request.authority)
    secure = request.scheme == "https" and request.method == "CONNECT"
    if not (allow_cleartext or secure or _is_loopback(host)):
        raise ConfigurationError(
            f"the proxy's password would travel in the clear to {host}: pass allow_cleartext=True if the network is trusted"
        )


def reaches_proxy(request: Request) -> bool:
    """Whether a proxy reads the request: neither what goes through its tunnel, nor what goes past it (RFC 9110 §11.7).

    Whoever drives a flow by hand says of no peer, and means a proxy.
    """
    if request.method == "CONNECT":
        return True
    peer = request.peer
    read = peer.relay not in ("", SOCKS) or not peer.address
    return read and request.scheme not in ("https", "wss")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 §6.3
        return True
    from ipaddress import ip_address  # noqa: PLC0415 -- only where a request is in the clear

    try:
        # Only a whole address counts: "127.0.0.1.evil.example" is somebody's name.
        return ip_address(host).is_loopback
    except ValueError:
        return False


def unsendable(rejected: Rejected) -> ConfigurationError:
    """The error of a client for a request that every server would refuse."""
    found = rejected.rejection
    mend = (
        "; percent-encode what a URI doesn't have, as %5C for a backslash"
        if found.reason is Reason.TARGET_REFUSED
        else ""
    )
    return ConfigurationError(f"this request can't be sent with credentials: {found.where}: {found.detail}{mend}")
