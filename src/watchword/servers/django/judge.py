"""The judgement on one request of Django's: made once, by whoever asks first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from watchword.core.admission import Admission
from watchword.core.answer import Refusal
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.io import done, drive
from watchword.core.rejection import ConfigurationError, Rejected, not_installed
from watchword.servers.checked_body import CheckedBody
from watchword.servers.django.configuration import Configuration
from watchword.servers.django.judging import judged
from watchword.servers.django.users import maps, settle
from watchword.servers.judgement import Judgement, admitted, check_method
from watchword.servers.problem import content_of, problem_body

try:
    from asgiref.sync import async_to_sync, sync_to_async
except ImportError:
    raise not_installed("django") from None
from django.http import HttpResponse
from django.http.response import HttpResponseBase

__all__ = ["Judge"]


class Judge:
    """Judges one request, for views of either colour, and keeps what its answer needs.

    `refusal` is the last answer that somebody was given to send, `checked` the body that is checked as it passes. `finishes` is
    False where somebody further out sees to the answer. `user` is Django's, whom the identity stands for, if anybody is.

    Args:
        configuration: the settings.
        request: Django's request.
    """

    def __init__(self, configuration: Configuration, request: Any) -> None:
        self._configuration = configuration
        self._request = request
        self.guard = configuration.guard
        self.judgement: Judgement | None = None
        self.refusal: Refusal | None = None
        self.checked: CheckedBody | None = None
        self.drain: Callable[[], None] = lambda: None
        self.finishes = True
        self.user: Any = None

    @staticmethod
    def of(request: Any) -> Judge:
        """That of a request of Django's, or of Django REST framework's.

        Raises:
            ConfigurationError: the middleware has not seen it.
        """
        judge = getattr(getattr(request, "_request", request), "watchword", None)
        if not isinstance(judge, Judge):
            raise ConfigurationError(
                'no guard saw this request: MIDDLEWARE = ["watchword.servers.django.Authenticate", …] in the settings'
            )
        return judge

    def demand(self, scopes: Sequence[str] = (), *, optional: bool = False) -> HttpResponseBase | None:
        """The answer to a request that the guard refuses, or that lacks one of `scopes`; None if it may pass."""
        if isinstance(self.guard, AsyncGuard):
            return async_to_sync(self.ademand)(scopes, optional=optional)
        return drive(self._demand(self.guard, scopes, optional, awaits=False))

    def admission(self) -> Admission | None:
        """The admission, without an identity if there are no credentials; None if the guard refuses the request."""
        self.demand(optional=True)
        return None if self.judgement is None else self.judgement.admission

    @property
    def refused_with(self) -> int:
        """The status of `refusal`; 0 if there is none."""
        return 0 if self.refusal is None else self.refusal.status

    async def ademand(self, scopes: Sequence[str] = (), *, optional: bool = False) -> HttpResponseBase | None:
        """As `demand`. What blocks runs where Django wants it: in the thread that has this request's connections."""
        if (
            self.judgement is None
            and isinstance(self.guard, Guard)
            and getattr(self.guard.plan.store, "blocking", False)
        ):
            return await sync_to_async(self.demand)(scopes, optional=optional)
        return await self._demand(AsyncGuard.of(self.guard), scopes, optional, awaits=True)

    async def _demand(self, guard: Any, scopes: Sequence[str], optional: bool, awaits: bool) -> HttpResponseBase | None:
        check_method(self._request.META.get("REQUEST_METHOD", ""), self._request.method)
        if self.judgement is None:
            self.judgement = await self._judge(guard, optional, awaits)
        if self.judgement.admission is not None and self.judgement.admission.identity is not None:
            # What Django's cache has, it gives to whoever comes, before any view is found that would ask. Each of its parts that
            # sees the request sets this anew, so whoever asks does.
            self._request._cache_update_cache = False  # noqa: SLF001 -- what UpdateCacheMiddleware looks at
        if self.judgement.admission is None:
            return self.problem(self.judgement.refusal or Refusal(503))
        rejected = self.judgement.admission.missing_scopes(scopes, optional=optional)
        return None if rejected is None else self.problem(await done(guard.refuse(rejected)))

    def problem(self, refusal: Refusal) -> HttpResponseBase:
        """The answer for a refusal, whose fields the middleware adds to whatever goes out."""
        self.refusal = refusal
        if self._configuration.problem is not None:
            answer: HttpResponseBase = self._configuration.problem(self._request, refusal.status)
            return answer
        media_type, content = content_of(refusal, problem_body)
        return HttpResponse(content, media_type.decode(), refusal.status)

    async def _judge(self, guard: Any, optional: bool, awaits: bool) -> Judgement:
        state = getattr(self._request, "scope", None) or self._request.META
        around = admitted(state, guard.plan, self._request.method)
        if around is not None:  # protect(…) has admitted it, and sees to the answer
            judgement, self.finishes = Judgement(around, around), False
        else:
            judgement, self.checked, self.drain = await judged(guard, self._request, optional, awaits)
        admission = judgement.admission
        if admission is None:
            return judgement
        try:
            if awaits and maps(self._configuration):
                self.user = await sync_to_async(settle)(self._configuration, admission, self._request)
            else:
                self.user = settle(self._configuration, admission, self._request)
        except Rejected as rejected:
            judgement = Judgement(admission, refusal=await done(guard.refuse(admission.attributed(rejected))))
        return judgement
