"""Whether the client at the other end of a connection is still there."""

from __future__ import annotations

import select
import socket
from typing import Any

__all__ = ["has_left"]


def has_left(connection: Any) -> bool:
    """Whether the client has closed `connection`, for writing at least; False where that can't be told.

    Linux says so whatever the client sent before. Elsewhere unread octets hide it.
    """
    try:
        if hasattr(select, "POLLRDHUP"):
            poll = select.poll()
            poll.register(connection, select.POLLRDHUP)
            return bool(poll.poll(0))
        return _is_at_its_end(connection)
    except (OSError, ValueError, TypeError):  # closed on our side, or no socket
        return False


def _is_at_its_end(connection: socket.socket) -> bool:
    if not select.select([connection], [], [], 0)[0]:
        return False
    try:
        # Not the method of a TLS connection, which peeks at nothing: the records come to an end as well.
        return not socket.socket.recv(connection, 1, socket.MSG_PEEK)
    except ConnectionResetError:
        return True
