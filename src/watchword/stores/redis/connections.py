"""Connections to the server, each for one verb at a time and with its deadline. Nothing is ever sent a second time.

The client's connections, not its `Redis` object: that one repeats commands by itself. When an answer is lost, a command that
was sent may have been carried out; sent again, it would meet its own marks.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from threading import Semaphore
from typing import Any, Final, TypeVar

import redis.connection
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from watchword.core.rejection import StoreUnavailable
from watchword.stores.redis.commands import packed
from watchword.stores.redis.server import Answering, Server

__all__ = ["Connections", "no_room"]

T = TypeVar("T")
Greeting = Callable[[], Generator[Any, Any, None]]

_KEPT: Final = 16


class Connections:
    """A process's connections: opened as needed, a few kept for the next verb.

    Args:
        server: where they lead.
        greeting: the conversation that each begins with.
        most: that many at one time.
    """

    def __init__(self, server: Server, greeting: Greeting, most: int) -> None:
        self._server = server
        self._greeting = greeting
        self._kind = _timed(server.kind(redis.connection))
        self._seats = Semaphore(most)
        self._idle: deque[Any] = deque()
        self._closed = False

    def ask(self, conversation: Generator[Any, Any, T]) -> T:
        """Has a conversation over one connection, and returns its result.

        Raises:
            StoreUnavailable: no answer in time. What had been sent may have been carried out.
        """
        ends = time.monotonic() + self._server.timeout
        if not self._seats.acquire(timeout=self._server.timeout):
            raise no_room()
        try:
            with _ANSWERING:
                connection = self._take(ends)
                try:
                    return _converse(connection, conversation)
                finally:
                    self._give_back(connection)
        finally:
            self._seats.release()

    def _take(self, ends: float) -> Any:
        while self._idle:
            with suppress(IndexError):  # another thread was faster
                connection = self._idle.pop()
                connection.ends = ends
                if not _is_dead(connection):
                    return connection
                connection.disconnect()
        connection = self._kind(
            **self._server.options,
            socket_timeout=self._server.timeout,
            socket_connect_timeout=self._server.timeout,
            retry=Retry(NoBackoff(), 0),
        )
        connection.ends = ends
        try:
            connection.connect()
            _converse(connection, self._greeting())
        except BaseException:
            connection.disconnect()
            raise
        return connection

    def _give_back(self, connection: Any) -> None:
        if self._closed or not connection.is_connected or len(self._idle) >= _KEPT:
            connection.disconnect()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Closes them, those in use when they are given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().disconnect()


def no_room() -> StoreUnavailable:
    """What a verb raises that found no connection in time."""
    return StoreUnavailable("all connections to the server are in use (max_connections)")


def _is_dead(connection: Any) -> bool:
    """Whether the server has closed it, or said something that nobody asked for."""
    try:
        return bool(connection.can_read())
    except (RedisError, OSError):
        return True


def _converse(connection: Any, conversation: Generator[Any, Any, T]) -> T:
    answer: Any = None
    while True:
        try:
            command = conversation.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        try:
            connection.send_packed_command(packed(command), check_health=False)
            try:
                answer = connection.read_response(disable_decoding=True)
            except ResponseError as error:
                answer = error
        except BaseException:
            connection.disconnect()  # an answer that comes late would be taken for that to the next command
            raise


class _Socket:
    """A socket on which no wait goes past the `ends` of its connection, however slowly the octets come."""

    __slots__ = ("_connection", "_socket", "_waits")

    def __init__(self, socket: Any, connection: Any) -> None:
        self._socket = socket
        self._connection = connection
        self._waits = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def settimeout(self, seconds: float | None) -> None:
        self._waits = seconds != 0
        if not self._waits:
            self._socket.settimeout(0)

    def recv(self, most: int) -> Any:
        self._set()
        return self._socket.recv(most)

    def recv_into(self, buffer: Any) -> Any:
        self._set()
        return self._socket.recv_into(buffer)

    def sendall(self, octets: bytes) -> None:
        self._set()
        self._socket.sendall(octets)

    def _set(self) -> None:
        if self._waits:
            left = self._connection.ends - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)


def _timed(kind: Any) -> Any:
    """The client's class of connections, with a deadline for all that is said over one."""

    class Timed(kind):  # type: ignore[misc]
        ends = 0.0

        def _connect(self) -> Any:
            return _Socket(super()._connect(), self)

    return Timed


_ANSWERING = Answering()
