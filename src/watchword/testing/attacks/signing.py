"""Signs requests with whatever the user gave, and reads off the result where the credentials are."""

from __future__ import annotations

import asyncio
import inspect
import random
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, NamedTuple

from watchword.core.message import Peer, Request, Response
from watchword.core.rejection import ConfigurationError
from watchword.effects import Auth, Received, Send
from watchword.testing.attacks.answer import Answer
from watchword.testing.attacks.credentials import Sign, is_client_half
from watchword.testing.attacks.held import held
from watchword.testing.attacks.outgoing import Fields, Outgoing
from watchword.transport.flow import ClientContext, Drive

__all__ = ["Signed", "SigningFailed", "sign"]

JWT = re.compile(rb"eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
SENDS = Callable[[Request, bytes], Answer]
HERE = Peer("127.0.0.1")
"""Whom the client half is connected to: the app is in this process, so that nothing travels in the clear."""
FLOW = 8
"""So many requests of its own may a flow send: a token request, a challenge, and both anew."""


class SigningFailed(Exception):
    """The user's credentials could not sign a request; the text says why, and holds no secret."""


class Signed(NamedTuple):
    """A request with its credentials, and the same request without them."""

    request: Request
    body: bytes
    plain: Request
    plain_body: bytes

    @property
    def fields(self) -> list[bytes]:
        """The names of the fields in which the credentials are."""
        return sorted({name for name, value in self.request.headers if (name, value) not in set(self.plain.headers)})

    @property
    def in_target(self) -> bool:
        """Whether they are in the query."""
        return self.request.target != self.plain.target

    @property
    def in_body(self) -> bool:
        """Whether they are in the content."""
        return self.body != self.plain_body

    @property
    def nowhere(self) -> bool:
        """Whether there are none."""
        return not (self.fields or self.in_target or self.in_body)

    @property
    def ambient(self) -> bool:
        """Whether a browser sends them by itself: a cookie without a token beside it."""
        return b"cookie" in self.fields

    @property
    def token(self) -> bytes | None:
        """The JWT among them, if it is one that says who asks; a proof for one request says which request (RFC 9449 §4.2)."""
        for name in sorted(self.fields, key=lambda name: name not in (b"authorization", b"cookie")):
            if name != b"dpop":
                for value in self.request.values(name):
                    if (found := JWT.search(value)) is not None:
                        return found[0]
        return None

    def with_token(self, token: bytes) -> Signed:
        """The same with another JWT in the place of its own."""
        old = self.token or b""
        lines = tuple((name, value.replace(old, token)) for name, value in self.request.headers)
        return self.changed(headers=lines)

    def changed(self, *, body: bytes | None = None, **parts: Any) -> Signed:
        """The same credentials on another request: what isn't named stays."""
        known = ("method", "scheme", "authority", "target", "headers", "peer", "exact")
        request = Request.raw(**{name: parts.get(name, getattr(self.request, name)) for name in known})
        return self._replace(request=request, body=self.body if body is None else body)

    def with_field(self, name: bytes, value: bytes) -> Signed:
        """The same with one field set to another value."""
        return self.changed(headers=self.request.with_headers([(name, value)]).headers)

    def secrets(self) -> list[str]:
        """The texts in the credentials that must not be shown."""
        found = []
        for name in self.fields:
            for value in self.request.values(name):
                text = value.decode("latin-1")
                found += [text, *re.split(r"[ =,;:\"]+", text)[name == b"authorization" :]]
        return [text for text in found if len(text) >= 8]


def sign(way: Sign, request: Request, body: bytes, send: SENDS, at: tuple[float, int] | None = None) -> Signed:
    """The request with its credentials, unsent. What a flow asks before, a challenge or a token, it asks of the app.

    Args:
        way: what signs.
        request: the request without credentials.
        body: its content.
        send: sends to the app.
        at: the time that its clock shows, and the seed of its randomness.

    Raises:
        SigningFailed: the credentials can't sign this request.
    """
    try:
        if isinstance(way, Mapping):
            signed, content = request.with_headers(_lines(way)), body
        elif is_client_half(way):
            signed, content = _by_flow(way, request, body, send, at)
        else:
            assert callable(way)
            with nullcontext() if at is None else held(way, at[0], random.Random(at[1]).randbytes):  # noqa: S311 -- as in `_by_flow`
                signed, content = _by_function(way, request, body)
    except (SigningFailed, ConfigurationError) as failure:
        raise SigningFailed(str(failure)) from None
    except Exception as failure:  # noqa: BLE001 -- it is the user's function
        raise SigningFailed(f"{type(failure).__name__} in {_where(failure)}") from None
    return Signed(signed, content, request, body)


def _where(failure: BaseException) -> str:
    """The function in which it was raised; not its text, which may hold a secret."""
    trace = failure.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}"


def _by_flow(
    auth: Auth, request: Request, body: bytes, send: SENDS, at: tuple[float, int] | None
) -> tuple[Request, bytes]:
    from watchword.stores import MemoryStore  # noqa: PLC0415 -- stores are loaded where they are needed

    peer, request = request.peer, _toward(request, HERE)
    context = ClientContext(lambda: body)
    if at is not None:
        made = random.Random(at[1])  # noqa: S311 -- an attack whose requests differ in their time alone
        context = ClientContext(lambda: body, now=lambda: at[0], random=made.randbytes)
    drive = Drive(auth, request, context, store=MemoryStore())
    try:
        effect = drive.advance()
        for _ in range(FLOW):
            if effect is None:
                break
            carries = effect.request.headers != request.headers or effect.request.target != request.target
            if effect.body is None and (carries or effect.content is not None):
                return _toward(effect.request, peer), body if effect.content is None else effect.content
            effect = drive.advance(_received(effect._replace(request=_toward(effect.request, peer)), body, send))
    finally:
        drive.close()
    return _toward(request, peer), body


def _toward(request: Request, peer: Peer) -> Request:
    return request.seen_as(request.scheme, request.authority, request.target, peer)


def _received(effect: Send, body: bytes, send: SENDS) -> Received:
    answer = send(effect.request, body if effect.body is None else effect.body)
    received = Received(Response(answer.status, [*answer.headers]), answer.body)
    if effect.head is not None:
        effect.head(received._replace(body=None))
    return received


def _by_function(way: Callable[..., Any], request: Request, body: bytes) -> tuple[Request, bytes]:
    fields = Fields({name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers})
    url = f"{request.scheme}://{request.authority}{request.target.decode('latin-1')}"
    outgoing = Outgoing(request.method, url, fields, body)
    result = way(outgoing, body) if _takes_two(way) else way(outgoing)
    if inspect.isawaitable(result):
        result = asyncio.run(_awaited(result))
    if isinstance(result, Mapping):
        outgoing.headers.update(result)
    elif isinstance(result, (list, tuple)):
        outgoing.headers.update(dict(result))
    elif isinstance(result, Outgoing):
        outgoing = result
    elif result is not None:
        raise SigningFailed(f"sign(request) returned {type(result).__name__}: return the fields to set, or nothing")
    lines = _lines(outgoing.headers)
    target = outgoing.target.encode("latin-1", "surrogateescape")
    changed = Request(outgoing.method, request.scheme, request.authority, target, lines, request.peer)
    content: Any = outgoing.body  # whose type nobody checks in a function of the user's
    return changed, content.encode() if isinstance(content, str) else content


async def _awaited(result: Any) -> Any:
    return await result


def _takes_two(way: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(way).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in kinds and one.default is inspect.Parameter.empty for one in parameters) == 2


def _lines(fields: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode("latin-1"), value if isinstance(value, bytes) else str(value).encode("latin-1", "replace"))
        for name, value in fields.items()
    ]
