"""The handlers of one request, run where each may ask its judge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from watchword.core.guard import AsyncGuard
from watchword.core.plan import Plan
from watchword.core.rejection import not_installed
from watchword.servers.aiohttp.judge import Judge
from watchword.servers.aiohttp.problem import problem_of
from watchword.servers.judgement import JUDGEMENTS

try:
    from aiohttp import web
except ImportError:
    raise not_installed("aiohttp") from None

__all__ = ["judge_or_none", "judged_inside"]

JUDGES = web.RequestKey(JUDGEMENTS, dict[Plan, Judge])


def judge_or_none(guard: AsyncGuard, request: Any) -> Judge | None:
    """The judge of a request, if the guard sees it."""
    judges = request.get(JUDGES)
    return None if judges is None else judges.get(guard.plan)


async def judged_inside(
    guard: AsyncGuard, request: Any, run: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The answer of `run`, which may ask as it runs; or the refusal of a body that was not the right one.

    Raises:
        Problem: that refusal.
    """
    if judge_or_none(guard, request) is not None:  # installed in a mounted application as well
        return await run()
    judge = Judge(guard, request)
    request.setdefault(JUDGES, {})[guard.plan] = judge
    try:
        response = await run()
    except web.HTTPException as error:
        response = error
    except Exception:
        if (
            judge.checked is None or judge.checked.failed is None
        ):  # else it comes of the body, whatever was made of that
            await judge.take_back()
            raise
        response = web.Response(status=500)
    except BaseException:
        await judge.take_back()
        raise
    if not response.prepared and (refusal := await judge.failed(response.status)) is not None:
        raise problem_of(refusal)
    if isinstance(response, web.HTTPException):
        raise response
    return response
