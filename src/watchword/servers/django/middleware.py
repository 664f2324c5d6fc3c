"""The middleware."""

from __future__ import annotations

from asyncio import ensure_future, shield
from collections.abc import Callable, Sequence
from typing import Any

from watchword.core.answer import Refusal
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.io import drive
from watchword.core.rejection import ConfigurationError, Rejected, not_installed
from watchword.servers.django.answering import answered
from watchword.servers.django.asking import asked_by
from watchword.servers.django.configuration import configured
from watchword.servers.django.csrf import is_forged, is_rest_view
from watchword.servers.django.judge import Judge

try:
    from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction, sync_to_async
except ImportError:
    raise not_installed("django") from None
from django import conf
from django.http import HttpRequest

__all__ = ["Authenticate", "check_place"]

PATH = "watchword.servers.django.Authenticate"
READERS = ("django.middleware.csrf.CsrfViewMiddleware",)


class Authenticate:
    """Judges the requests of views that ask, by the guard that the setting `WATCHWORD` names.

    It stands before `CsrfViewMiddleware`, which reads the body; and first of all if the guard seals answers, since whatever
    changes an answer afterwards breaks its seal.

    Raises:
        ConfigurationError: a setting is wrong; the message says what to write.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._configuration = configured()
        check_place(self._configuration.guard, conf.settings.MIDDLEWARE)
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
            self.process_view = self._aprocess_view  # type: ignore[method-assign]

    def __call__(self, request: Any) -> Any:
        """The answer; awaitable where the handlers inside are."""
        if iscoroutinefunction(self):
            return self._acall(request)
        judge = self._begin(request)
        response = self._get_response(request)
        if isinstance(judge.guard, AsyncGuard):
            return async_to_sync(answered)(judge, judge.guard, response)
        return drive(answered(judge, judge.guard, response))

    async def _acall(self, request: Any) -> Any:
        judge = self._begin(request)
        guard = AsyncGuard.of(judge.guard)
        try:
            response = await self._get_response(request)
        except BaseException:  # cancelled: whatever has cancelled it may do so again
            if judge.judgement is not None and judge.judgement.admission is not None:
                await shield(ensure_future(guard.take_back(judge.judgement.admission)))
            raise
        return await answered(judge, guard, response)

    def process_view(self, request: Any, view: Any, _args: Any, _kwargs: Any) -> Any:
        """The answer to a request that the view must not see."""
        for asked in asked_by(view, request.method):
            if (refused := Judge.of(request).demand(asked.scopes, optional=asked.optional)) is not None:
                return refused
        return self._forged(request, view)

    async def _aprocess_view(self, request: Any, view: Any, _args: Any, _kwargs: Any) -> Any:
        for asked in asked_by(view, request.method):
            if (refused := await Judge.of(request).ademand(asked.scopes, optional=asked.optional)) is not None:
                return refused
        return await sync_to_async(self._forged)(request, view) if is_rest_view(view) else None

    def _forged(self, request: Any, view: Any) -> Any:
        judge = Judge.of(request)
        admission = None if judge.judgement is None else judge.judgement.admission
        if admission is not None and is_rest_view(view) and is_forged(request, admission):
            return judge.problem(Refusal(403))
        return None

    def process_exception(self, request: Any, exception: Exception) -> Any:
        """The answer where a body fails as the view reads it, or where the view refuses by raising `Rejected`."""
        if not isinstance(exception, Rejected):
            return None
        return Judge.of(request).problem(exception.refusal or Refusal(exception.reason.status))

    def _begin(self, request: Any) -> Judge:
        request.watchword = judge = Judge(self._configuration, request)
        request.identity = None
        return judge


def check_place(guard: Guard | AsyncGuard, middleware: Sequence[str]) -> None:
    """Takes a place before all that would read the body first, or change a sealed answer afterwards.

    Raises:
        ConfigurationError: it is behind one of them.
    """
    if PATH not in middleware:  # a subclass, wherever that is
        return
    before = middleware[: list(middleware).index(PATH)]
    if before and guard.plan.seal is not None:
        raise ConfigurationError(f"{before[0]} would change answers that are sealed: put {PATH!r} first in MIDDLEWARE")
    for reader in READERS:
        if reader in before:
            raise ConfigurationError(f"{reader} would read the body first: put {PATH!r} before it in MIDDLEWARE")
