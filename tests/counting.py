"""How much a call does, counted and not timed: the same on every machine, however busy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from watchword import Rejected


def steps(call: Callable[[], object]) -> int:
    """The instructions of Python's that `call` takes, those of the libraries that it calls included; a refusal is an answer.

    A call that is written in C counts as one, whatever it does.
    """
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except Rejected:
        pass
    finally:
        sys.settrace(before)
    return count
