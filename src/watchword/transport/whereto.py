"""Where a request of a flow's own may go, if its URL was learnt from somebody's answer (`SendTerms.learnt_from`).

An issuer on the internet must not have this host ask what only this host can reach. The name is resolved once more by the
library that sends. A name that changes its mind in between gains nothing: what is learnt from an https URL is https,
and no server of this network has a certificate for a stranger's name.
"""

from __future__ import annotations

import socket

from watchword.core.message import Request
from watchword.effects import SendTerms
from watchword.schemes.sending import host_of
from watchword.transport.addresses import is_public
from watchword.transport.never_sent import Refused

__all__ = ["check_address", "may_be_private"]


def check_address(request: Request, terms: SendTerms) -> None:
    """Nothing, if the request may go where it is to go. What a proxy sends on is the proxy's to look up.

    Raises:
        Refused: a URL that was learnt leads to an address that is not on the public internet.
    """
    host = host_of(request.authority)
    if request.peer.relay or all(is_public(address) for address in _addresses(host)):
        return
    if not may_be_private(terms):
        raise Refused(
            f"{host}, which {terms.learnt_from} names in its answer, is not on the public internet, and {terms.learnt_from} is"
        )


def may_be_private(terms: SendTerms) -> bool:
    """Whether it may go to an address that is not on the public internet: the caller's own URL does so, or is this one."""
    found = _addresses(terms.learnt_from) if terms.learnt_from else []
    return not terms.learnt_from or (bool(found) and not any(is_public(address) for address in found))


def _addresses(host: str) -> list[str]:
    """None for a name that leads nowhere: whoever sends will say so."""
    try:
        return [str(row[4][0]) for row in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []
