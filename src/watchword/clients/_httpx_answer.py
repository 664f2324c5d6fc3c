"""What a flow gets of an answer of httpx or httpx2: its header section, and as much of its body as it wants."""

from __future__ import annotations

from typing import Any

from watchword.clients._exchange import Head, as_sent
from watchword.clients._httpx_parts import Kit
from watchword.effects import Received, Send

__all__ = ["TooLong", "head_of"]


class TooLong(Exception):
    """An answer's body is longer than the flow wants to have read."""


def head_of(kit: Kit, send: Send, answer: Any) -> tuple[Received, bool]:
    """The answer without its body, and whether that is to be read; who reads more than may be gets `TooLong`."""
    received = Received(Head(answer.status_code, answer.headers.raw))
    if send.head is None or not send.want:
        return received, send.want
    received = received._replace(sent=as_sent(send, answer.request.headers.raw))
    limit = send.head(received)
    if limit is not None and not answer.is_stream_consumed:
        answer.stream = kit.answer(answer.stream, limit, TooLong)
    return received, limit is not None
