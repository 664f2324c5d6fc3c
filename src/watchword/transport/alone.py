"""A flow that belongs to no request of the caller's, driven over connections of its own.

Its requests go to the very addresses that were judged, within a time that holds for the whole of each, and never twice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, Protocol, TypeVar

from watchword.core.message import Request, Response
from watchword.effects import Ask, Context, Received, Send, SendTerms
from watchword.core.rejection import CredentialsUnavailable
from watchword.transport.flow import AsyncDrive, ClientContext, Drive
from watchword.transport.get import Answer, Exchange, Fault, FetchFailed, Resolve, Terms, reaching, target_of
from watchword.transport.never_sent import Refused
from watchword.transport.whereto import may_be_private

__all__ = ["Alone", "Settings", "drive_alone", "drive_alone_async"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

_BEFORE = frozenset({Fault.REFUSED_URL, Fault.PRIVATE_ADDRESS, Fault.UNRESOLVED, Fault.UNREACHABLE, Fault.TLS})
"""Faults that came before anything was sent."""
_NOBODYS = Request("GET", "https", "", "/")


class Alone(Protocol[T_co]):
    """A flow whose result is a `T`, and not the answer to a request."""

    def flow(self, request: Request, context: Context, /) -> Generator[Any, Any, T_co]: ...


class Settings(NamedTuple):
    """How its requests are sent: `timeout` in seconds for the whole of each, and what checks certificates."""

    timeout: float
    ca_file: str | None
    ssl_context: Any


class _Drive(Drive):
    result: Any = None

    def _ended(self, result: object) -> None:
        self.result = result


class _AsyncDrive(AsyncDrive):
    result: Any = None

    def _ended(self, result: object) -> None:
        self.result = result


def drive_alone(flow: Alone[T], settings: Settings, ask: Callable[[Ask], str] | None) -> T:
    """Its result.

    Raises:
        CredentialsUnavailable: what the flow says, or a server that can't be reached.
        ConfigurationError: the flow asks a person, and `ask` is None.
    """
    drive: Any = _Drive(_as_auth(flow), _NOBODYS, ClientContext(bytes), ask=ask)
    try:
        send = drive.advance()
        while send is not None:
            send = drive.advance(_sent(send, settings))
    finally:
        drive.close()
    result: T = drive.result
    return result


async def drive_alone_async(flow: Alone[T], settings: Settings, ask: Callable[[Ask], str] | None) -> T:
    """`drive_alone`, awaited; requests are sent in a thread."""
    import asyncio  # noqa: PLC0415 -- `import watchword` must not load asyncio

    drive: Any = _AsyncDrive(_as_auth(flow), _NOBODYS, ClientContext(bytes), ask=ask)
    try:
        send = await drive.advance()
        while send is not None:
            send = await drive.advance(await asyncio.to_thread(_sent, send, settings))
    finally:
        drive.close()
    result: T = drive.result
    return result


def _as_auth(flow: Any) -> Any:
    """A driver runs its effects like those of an Auth; only its end is another."""
    return flow


def _sent(send: Send, settings: Settings) -> Received:
    from watchword.transport import wire  # noqa: PLC0415 -- needs an extra, and loads ssl

    own = send.terms or SendTerms()
    terms = Terms(
        min(settings.timeout, own.timeout), own.max_size, allow_cleartext=True, allow_private=may_be_private(own),
        ca_file=settings.ca_file, ssl_context=settings.ssl_context,
    )  # fmt: skip
    try:
        answer = wire.carry_out(_steps(send, terms), terms)
    except FetchFailed as failed:
        raise (Refused if failed.fault in _BEFORE else CredentialsUnavailable)(str(failed)) from None
    return Received(Response(answer.status, answer.headers), answer.body)


def _steps(send: Send, terms: Terms) -> Generator[Resolve | Exchange, Any, Answer]:
    request = send.request
    target = target_of(
        f"{request.scheme}://{request.authority}{request.target.decode('latin-1')}", allow_cleartext=True
    )
    fields = {"host": target.authority, "accept-encoding": "identity", "user-agent": "watchword", "connection": "close"}
    fields |= {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
    exchange = Exchange(target, "", tuple(fields.items()), terms.max_size, request.method, send.body or b"", whole=True)
    return (yield from reaching(exchange, terms))
