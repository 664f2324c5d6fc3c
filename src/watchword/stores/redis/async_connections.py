"""`Connections` for an event loop: the same rules, awaited."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Generator
from typing import Any, Final, TypeVar

import redis.asyncio.connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from watchword.core.rejection import StoreUnavailable
from watchword.stores.redis.commands import packed
from watchword.stores.redis.connections import Greeting, no_room
from watchword.stores.redis.server import Answering, Server

__all__ = ["AsyncConnections"]

T = TypeVar("T")

_KEPT: Final = 16


class AsyncConnections:
    """The connections of one event loop. The arguments are those of `Connections`."""

    def __init__(self, server: Server, greeting: Greeting, most: int) -> None:
        self._server = server
        self._greeting = greeting
        self._kind = server.kind(redis.asyncio.connection)
        self._seats = asyncio.Semaphore(most)
        self._idle: deque[Any] = deque()
        self._closed = False

    async def ask(self, conversation: Generator[Any, Any, T]) -> T:
        """Has a conversation over one connection, and returns its result.

        Raises:
            StoreUnavailable: no answer in time. What had been sent may have been carried out.
        """
        seated = False
        try:
            with _ANSWERING:
                async with asyncio.timeout(self._server.timeout):
                    await self._seats.acquire()
                    seated = True
                    return await self._ask(conversation)
        except StoreUnavailable:
            if not seated:
                raise no_room() from None
            raise
        finally:
            if seated:
                self._seats.release()

    async def _ask(self, conversation: Generator[Any, Any, T]) -> T:
        connection = await self._take()
        try:
            return await _converse(connection, conversation)
        finally:
            if self._closed or not connection.is_connected or len(self._idle) >= _KEPT:
                await connection.disconnect(nowait=True)
            else:
                self._idle.append(connection)

    async def _take(self) -> Any:
        while self._idle:
            connection = self._idle.pop()
            if not await _is_dead(connection):
                return connection
            await connection.disconnect(nowait=True)
        # Waits end with the verb's own deadline.
        connection = self._kind(
            **self._server.options, socket_timeout=None, socket_connect_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        try:
            await connection.connect()
            await _converse(connection, self._greeting())
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    async def close(self) -> None:
        """Closes them, those in use when they are given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().disconnect()


async def _is_dead(connection: Any) -> bool:
    """Whether the server has closed it, or said something that nobody asked for."""
    try:
        return bool(await connection.can_read())
    except (RedisError, OSError):
        return True


async def _converse(connection: Any, conversation: Generator[Any, Any, T]) -> T:
    answer: Any = None
    while True:
        try:
            command = conversation.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        try:
            await connection.send_packed_command(packed(command), check_health=False)
            try:
                answer = await connection.read_response(disable_decoding=True)
            except ResponseError as error:
                answer = error
        except BaseException:
            await connection.disconnect(
                nowait=True
            )  # an answer that comes late would be taken for that to the next command
            raise


_ANSWERING = Answering()
