"""Work counted instead of timed: the calls or instructions that a piece of work makes, the same on every machine and under every load.

What a call costs inside C is not seen; `instructions` sees what it costs inside Python. Where C matters, a test names the
function that may not be called at all, or counts what it is called with.
"""

from __future__ import annotations

import cProfile
import gc
import re
import sys
from collections import Counter
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

_BUILT_IN = re.compile(r"<(?:built-in )?method '?(?:[\w.<>-]*\.)?(\w+)'?(?: of .*)?>")


def calls(work: Callable[[], object]) -> Counter[str]:
    """How often `work` calls each function in this thread, Python's and C's, by its name without module and class.

    The next value of a generator is a call of the generator.
    """
    profile = cProfile.Profile()
    collecting = gc.isenabled()
    gc.disable()  # what earlier tests left behind is not this one's work
    profile.enable()
    try:
        work()
    finally:
        profile.disable()
        if collecting:
            gc.enable()
    names: Counter[str] = Counter()
    for entry in profile.getstats():
        names[_name(entry.code)] += entry.callcount
    names["disable"] -= 1  # the profiler's own
    return +names


def _name(code: str | CodeType) -> str:
    if isinstance(code, str):
        match = _BUILT_IN.fullmatch(code)
        return code if match is None else match[1]
    return code.co_name


def steps(work: Callable[[], object]) -> int:
    """How many calls `work` makes in all."""
    return calls(work).total()


def instructions(work: Callable[[], object]) -> int:
    """The instructions of Python's that `work` takes, those of the libraries that it calls included; a refusal is an answer.

    Slower than `steps`, and finer: a loop that calls nothing is seen. A call that is written in C counts as one.
    """
    from watchword import Rejected  # some count what importing it costs

    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    collecting = gc.isenabled()
    gc.disable()  # what earlier tests left behind is not this one's work
    sys.settrace(trace)
    try:
        work()
    except Rejected:
        pass
    finally:
        sys.settrace(before)
        if collecting:
            gc.enable()
    return count
