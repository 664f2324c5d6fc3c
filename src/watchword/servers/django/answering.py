"""What the answer to a judged request gets: challenges, fields, a seal; or another answer in its place."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncIterator, Iterator
from typing import Any

from watchword.core.admission import Admission
from watchword.core.guard import AsyncGuard, Guard
from watchword.core.io import done
from watchword.core.message import Headers, Response
from watchword.core.rejection import not_installed
from watchword.servers.django.judge import Judge

try:
    from asgiref.sync import async_to_sync
except ImportError:
    raise not_installed("django") from None
from django.http import HttpResponse

__all__ = ["answered"]


async def answered(judge: Judge, guard: Any, response: Any) -> Any:
    """The answer that goes out for the view's `response`.

    Args:
        judge: the request's.
        guard: its guard, of the colour that is driven.
        response: Django's.
    """
    judgement = judge.judgement
    if judgement is None:
        return response
    additions, admission, plan = judgement.additions, judgement.admission, guard.plan
    if judge.checked is not None:
        failed = judge.checked.judge(plan.limits.body, error=response.status_code >= 400)
        if failed is not None:
            refusal = await done(guard.refuse(additions.attributed(failed)))
            judge.drain()
            response = _in_place_of(response, judge.problem(refusal))
    if judge.refused_with == 407 and response.status_code == 401:  # REST framework knows no proxies
        response.status_code = 407
    if judge.refusal is not None and response.status_code >= 400:
        if judge.refused_with == 407:
            del response["WWW-Authenticate"]
        _put(response, judge.refusal.fields())
    if judge.finishes and additions.present:
        content: bytes | None = None
        if additions.holds_back:
            content = await _content(response, plan.limits.body)
            if content is None:
                failure = additions.oversized(plan)
                response = _in_place_of(response, HttpResponse(status=failure.status))
                _put(response, failure.headers)
                return response
            if response.streaming:
                response = _in_place_of(response, _whole(response, content))
        _put(response, additions.answer_headers(plan, Response(response.status_code, _lines(response)), content))
    if admission is not None and admission.provisional and judge.finishes:
        if response.status_code >= 500:
            await done(guard.take_back(admission))
        elif response.streaming:
            response.streaming_content = _watched(guard, admission, response)
    return response


def _lines(response: Any) -> Headers:
    cookies = [("set-cookie", cookie.output(header="").strip()) for cookie in response.cookies.values()]
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in [*response.items(), *cookies]]


def _put(response: Any, lines: Headers) -> None:
    """Adds field lines; Django has one line for each name, so several are one list (RFC 9110 §5.3)."""
    texts: dict[str, list[str]] = {}
    for name, value in lines:
        texts.setdefault(name.decode("latin-1").title(), []).append(value.decode("latin-1"))
    for key, values in texts.items():
        text, given = ", ".join(values), response.get(key)
        # What REST framework has asked for is there already.
        response[key] = text if given in (None, text) or key == "Content-Length" else f"{given}, {text}"


def _in_place_of(response: Any, other: Any) -> Any:
    """`other`, which closes what `response` would have closed."""
    other._resource_closers.extend(response._resource_closers)  # noqa: SLF001 -- close() would end the request as well
    other._handler_class = response._handler_class  # noqa: SLF001 -- the sender of that signal
    return other


async def _content(response: Any, limit: int) -> bytes | None:
    """All of the content; None if it is longer than `limit`."""
    if not response.streaming:
        return response.content if len(response.content) <= limit else None
    body = bytearray()
    if response.is_async:
        async for chunk in response:
            body += chunk
            if len(body) > limit:
                return None
    else:
        for chunk in response:
            body += chunk
            if len(body) > limit:
                return None
    return bytes(body)


def _whole(response: Any, content: bytes) -> HttpResponse:
    whole = HttpResponse(
        content, status=response.status_code, reason=response.reason_phrase, headers=dict(response.items())
    )
    whole.cookies = response.cookies
    return whole


def _watched(guard: Guard | AsyncGuard, admission: Admission, response: Any) -> Iterator[bytes] | AsyncIterator[bytes]:
    """The chunks of an answer that may fail on the way."""
    made = response.streaming_content

    async def awaited() -> AsyncIterator[bytes]:
        try:
            async for chunk in made:
                yield chunk
        except (Exception, CancelledError):
            await done(guard.take_back(admission))
            raise

    def called() -> Iterator[bytes]:
        try:
            yield from made
        except Exception:
            if isinstance(guard, Guard):
                guard.take_back(admission)
            else:
                async_to_sync(guard.take_back)(admission)
            raise

    return awaited() if response.is_async else called()
