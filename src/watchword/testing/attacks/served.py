"""Reads off what a handler returned whether it served the request or refused it by itself."""

from __future__ import annotations

from typing import Any

__all__ = ["alike", "is_served"]


def _status_of(value: Any) -> int | None:
    """The status that a handler's return value carries: Response objects, and Flask's tuples."""
    for name in ("status_code", "status"):
        status = getattr(value, name, None)
        if isinstance(status, int):
            return status
        if isinstance(status, str) and status[:3].isdigit():
            return int(status[:3])
    if isinstance(value, tuple):
        return next((int(part) for part in value[1:] if isinstance(part, int)), None)
    return None


def is_served(value: Any) -> bool:
    """Whether what a handler returned is an answer to the request, rather than a refusal."""
    status = _status_of(value)
    return value is not None if status is None else status < 400


def alike(value: Any, other: Any) -> bool:
    """Whether two return values have one form: an error page in a handler's own words has another."""
    if type(value) is not type(other):
        return False
    if isinstance(value, dict):
        return bool(value.keys() == other.keys())
    if _status_of(value) is not None:
        return _status_of(value) == _status_of(other)
    return not isinstance(value, (str, bytes, list, tuple)) or bool(value == other)
