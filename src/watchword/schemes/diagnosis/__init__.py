"""What a request may have looked like when it was signed: tried out for `explain`, never to accept anything.

A scheme supplies `fits(request, body)`: does the presented signature verify over the canonical string of THIS request and
body, with the presented parameters? `search` gives the first guess for which it does. Modules, inner ones first: change <
origins, targets, queries, fields, bodies < engine; and apart from them: text_axes, clocks.

Hostile requests choose what is guessed, so everything is bounded: `MAX_GUESSES` attempts in all, `MAX_BODY` octets of a
body that is re-serialised, `MAX_FIELDS` fields, and as many changes of each part as its module says. The order is fixed, so
the same request has the same answer.
"""

from __future__ import annotations

from watchword.schemes.diagnosis.bodies import MAX_BODY
from watchword.schemes.diagnosis.change import Guess, show
from watchword.schemes.diagnosis.clocks import clock_check, time_guesses
from watchword.schemes.diagnosis.engine import MAX_GUESSES, PARTS, affordable, causes, request_guesses, search
from watchword.schemes.diagnosis.fields import MAX_FIELDS

__all__ = [
    "MAX_BODY", "MAX_FIELDS", "MAX_GUESSES", "PARTS", "Guess", "affordable", "causes", "clock_check", "request_guesses",
    "search", "show", "time_guesses",
]  # fmt: skip
