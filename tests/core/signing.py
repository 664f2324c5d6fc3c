"""Requests as a client half signs them, without a network."""

from __future__ import annotations

import os
from collections.abc import Callable

from watchword.transport.flow import ClientContext, run
from watchword.core.message import Request, Response
from watchword.effects import Auth, Received, Send

__all__ = ["signed_by"]


def signed_by(
    auth: Auth,
    request: Request,
    body: bytes = b"",
    *,
    now: Callable[[], float] | None = None,
    random: Callable[[int], bytes] = os.urandom,
) -> Request:
    """The request as `auth` sends it first."""
    sent: list[Request] = []

    def send(effect: Send) -> Received:
        sent.append(effect.request)
        return Received(Response(200))

    clock = {} if now is None else {"now": now}
    run(auth, request, send, ClientContext(lambda: body, random=random, **clock))
    return sent[0]
