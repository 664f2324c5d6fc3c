"""Whether a failure proves that a request never left: nobody was connected to, so that it may be sent again.

HTTP libraries wrap the error of the socket, each in its own way; it is found among the causes.
"""

from __future__ import annotations

import socket
from typing import Final

from watchword.core.rejection import CredentialsUnavailable

__all__ = ["Refused", "never_sent"]

_BEFORE: Final = (ConnectionRefusedError, socket.gaierror)
"""Errors of connecting and of looking up a name, which no connection has once it is made."""
_DEEPEST: Final = 32
"""Causes that are looked at."""


class Refused(CredentialsUnavailable):
    """A request of a flow's own was not sent, for it may not go there, or nobody is there."""


def never_sent(error: BaseException | None, handled: BaseException | None = None) -> bool:
    """Whether `error`, or what caused it, comes from before anything was sent.

    Args:
        error: by which sending failed.
        handled: what was being handled when the request was handed over, which becomes the context of any error after it.

    >>> never_sent(ConnectionRefusedError()), never_sent(ConnectionResetError())
    (True, False)
    """
    found, seen = [error], 0
    while found and seen < _DEEPEST:
        each, seen = found.pop(), seen + 1
        if each is handled:
            continue
        if isinstance(each, (*_BEFORE, Refused)):
            return True
        if isinstance(each, BaseException):
            wrapped = (getattr(each, "reason", None), *each.args)  # urllib3's MaxRetryError, urllib's URLError
            found += [each.__cause__, each.__context__, *(one for one in wrapped if isinstance(one, BaseException))]
    return False
