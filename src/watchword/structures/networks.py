"""One address as it is counted, and the networks around it: an owner of one IPv6 address has a /64, and may have a /48.

A household gets a /56 or a /64, a site a /48 (RFC 6177 §2), so limits by address alone would be limits on nobody.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

__all__ = ["is_anybodys", "network_of", "networks_of"]

_PREFIXES: Final = (48, 56, 64)
_TRANSLATED: Final = 0x64_FF9B << 64  # 64:ff9b::/96, in one /64 of which all of IPv4 arrives (RFC 6052 §2.1)
_LONGEST: Final = 64  # an address has 45 characters at most; what follows them is a zone, or is no address


def networks_of(address: str) -> tuple[str, ...]:
    """The networks that an address is in: the widest first, and last the one that counts as one address.

    IPv4 is by itself, also inside IPv6 (RFC 4291 §2.5.5.2, RFC 6052 §2.1), and so are loopback, an empty address and text
    that is no address; other IPv6 is in a /48, a /56 and a /64.

    >>> networks_of("192.0.2.7"), networks_of("::ffff:192.0.2.7"), networks_of("")
    (('192.0.2.7',), ('192.0.2.7',), ('',))
    >>> networks_of("2001:db8:1:203:4::5")
    ('2001:db8:1::/48', '2001:db8:1:200::/56', '2001:db8:1:203::/64')
    """
    return (address,) if ":" not in address and len(address) <= _LONGEST else _networks(address[:_LONGEST])


def network_of(address: str) -> str:
    """The network that counts as one address: the narrowest of its networks.

    >>> network_of("192.0.2.7"), network_of("2001:db8::1:2:3:4")
    ('192.0.2.7', '2001:db8::/64')
    """
    return address if ":" not in address and len(address) <= _LONGEST else networks_of(address)[-1]


def is_anybodys(network: str) -> bool:
    """Whether everybody may come from there: no address is known, or it is a proxy's on this host."""
    return not network or network == "::1" or network.startswith("127.")


@lru_cache(4096)
def _networks(address: str) -> tuple[str, ...]:
    if ":" not in address:
        return (address,)
    from ipaddress import IPv4Address, IPv6Address, IPv6Network  # noqa: PLC0415 -- only for IPv6

    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return (address,)
    if parsed.ipv4_mapped is not None:
        return (str(parsed.ipv4_mapped),)
    number = int(parsed)
    if number >> 32 == _TRANSLATED:
        return (str(IPv4Address(number & 0xFFFFFFFF)),)
    if number == 1:
        return ("::1",)
    return tuple(str(IPv6Network((number >> 128 - prefix << 128 - prefix, prefix))) for prefix in _PREFIXES)
