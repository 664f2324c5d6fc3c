"""A WSGI application whose requests are judged where one of its parts asks for that, from the inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import msgspec

from watchword.core.admission import Admission
from watchword.core.answer import Refusal
from watchword.core.guard import Guard
from watchword.core.rejection import ConfigurationError
from watchword.servers.judgement import admitted, JUDGEMENTS, Judgement, refused
from watchword.servers.wsgi.answer import answer_problem, text_of
from watchword.servers.wsgi.body import Body
from watchword.servers.wsgi.exchange import Answer
from watchword.servers.wsgi.failing import failing
from watchword.servers.wsgi.judging import check_guard, judged
from watchword.servers.wsgi.request import App, Environ, request_of
from watchword.servers.wsgi.started import Started
from watchword.servers.wsgi.taking_back import Chunks, TakingBack

__all__ = ["Judge", "on_demand"]


def on_demand(app: App, guard: Guard) -> App:
    """`app`, with a `Judge` kept for each request. A request that nobody asks it about is let through.

    Raises:
        ConfigurationError: `guard` is not a `Guard`.
    """
    check_guard(guard)
    plan = guard.plan

    def judged_inside(environ: Environ, start_response: Any) -> Iterable[bytes]:
        judgements = environ.setdefault(JUDGEMENTS, {})
        if plan in judgements:  # an app that another one mounts, or init_app was called twice
            return app(environ, start_response)
        judgements[plan] = judge = Judge(guard, environ, start_response)
        return judge.run(app)

    return judged_inside if guard.plan.seal is None else failing(judged_inside, guard)


class Judge(msgspec.Struct, eq=False):
    """Judges one request, once; its answer gets all that the verdict says.

    `judgement` is what the guard said, None if nobody has asked. `environ` may be replaced by a copy made inside;
    if `taken`, its body may have been read from.
    """

    _guard: Guard
    environ: Environ
    _start_response: Any
    judgement: Judgement | None = None
    taken: bool = False
    _answer: Answer | None = None  # where the verdict adds to the answer, or checks the body as it passes
    _lines: Sequence[tuple[str, str]] = ()
    _begun: bool = False
    _taking_back: TakingBack | None = None

    def __repr__(self) -> str:
        return f"Judge({'' if self.judgement is None else 'judged'})"  # the environ holds the credentials

    def demand(self, scopes: Sequence[str] = (), *, optional: bool = False) -> Admission | Refusal:
        """The admission; or the answer to a request that the guard refuses, or that lacks one of `scopes`.

        The fields of that go out with whatever the application answers then. Where the first call is with `optional`, a request without
        credentials is admitted without an identity. Who demands one afterwards finds none.

        Raises:
            ConfigurationError: the answer has begun, so it is too late to ask; or the guard needs a body that was read before.
        """
        judgement = self.judgement
        if judgement is None:
            if self._begun:
                raise ConfigurationError("the answer has begun: ask who made the request before that")
            judgement = self.judgement = self._judge(optional)
        if judgement.admission is None:
            return judgement.refusal or Refusal(503)
        rejected = judgement.admission.missing_scopes(scopes, optional=optional)
        if rejected is None:
            return judgement.admission
        # It is an answer of the application's, and sealed where those are.
        refusal = self._guard.refuse(rejected)._replace(sealing=None)
        self._lines = text_of(refusal.fields())
        return refusal

    def run(self, app: App) -> Iterable[bytes]:
        """The answer of `app`, which may ask as it runs."""
        try:
            made: Iterable[bytes] = ()
            try:
                made = app(self.environ, self._start)
            except Exception:
                # Else it comes of the body, whatever was made of that.
                if self._answer is None or self._answer.failed is None:
                    raise
            chunks = made if self._answer is None else Started(self._answer.run(lambda: made))
        except BaseException:
            if self._taking_back is not None:
                self._taking_back.fail()
            raise
        return chunks if self._taking_back is None else Chunks(chunks, self._taking_back)

    def _judge(self, optional: bool) -> Judgement:
        environ, guard = self.environ, self._guard
        outer = admitted(environ, guard.plan, environ["REQUEST_METHOD"])
        if outer is not None:  # `protect` is round the application, and does the rest
            return Judgement(outer, outer)
        body, request = Body(environ, taken=self.taken), request_of(environ)
        verdict = judged(guard, environ, request, body, optional)
        if isinstance(verdict, Admission):
            judgement = Judgement(verdict, verdict)
            if verdict.provisional:
                self._taking_back = TakingBack(guard, verdict, self._start_response)
        else:
            judgement = refused(guard.plan, request, verdict)
            self._lines = text_of((judgement.refusal or Refusal(503)).fields())
        additions = judgement.additions
        if additions.present:
            self._answer = Answer(guard, self._begin, additions, environ, body, partial(answer_problem, environ))
            if (failed := self._answer.failed) is not None:
                return Judgement(additions, refusal=guard.refuse(additions.attributed(failed)))
        return judgement

    def _start(self, status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        """start_response for the application."""
        if self._lines and status >= "4":  # an error: a refusal that somebody has got over is none
            headers = [*headers, *self._lines]
        start = self._begin if self._answer is None else self._answer.start
        return start(status, headers, *exc_info)

    def _begin(self, *args: Any) -> Any:
        # Too late to judge, and the environ leads here: what leads in a circle is freed late, and slows every request down.
        self._begun, self.environ = True, {}
        start = self._start_response if self._taking_back is None else self._taking_back.start
        return start(*args)
