"""Which addresses are on the public internet: the only ones to which a fetch goes unasked.

A URL that came from outside (`jwks_uri`, a redirect) must not reach what only this host can reach: its own services,
its neighbours, the metadata service of its cloud.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

__all__ = ["is_public"]

# The registry of RFC 6890 §2.2.2 (IPv4), as IANA keeps it: everything that is not globally reachable, and multicast.
_SPECIAL4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3",
    )
)  # fmt: skip
# Global unicast is 2000::/3 (RFC 4291 §2.4), but for: Teredo and other protocol assignments (RFC 2928), documentation
# (RFC 3849, RFC 9637), and 6to4 (RFC 3056), which leads to any IPv4 address.
_GLOBAL6 = IPv6Network("2000::/3")
_SPECIAL6 = tuple(IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1


def is_public(address: str) -> bool:
    """Whether `address`, an IP address as text, is one of the public internet.

    IPv4-mapped, 6to4 and Teredo addresses never are. A NAT64 address (RFC 6052) is as public as the IPv4 address in it,
    since a host that has no other way to reach IPv4 sees every name so.

    >>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:93.184.215.14")
    (True, False, False)
    """
    try:
        parsed = ip_address(address)
    except ValueError:  # a zone ("fe80::1%eth0") is a link's, so not public
        return False
    if isinstance(parsed, IPv6Address):
        return _is_public6(parsed)
    return not any(parsed in block for block in _SPECIAL4)


def _is_public6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        embedded = IPv4Address(int(address) & 0xFFFF_FFFF)
        return not any(embedded in block for block in _SPECIAL4)
    return address in _GLOBAL6 and not any(address in block for block in _SPECIAL6)
