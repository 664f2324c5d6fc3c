"""Checks of arguments that several acts take."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from watchword.core.rejection import ConfigurationError

__all__ = ["check_overlap", "check_time", "checked_scopes"]


def checked_scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    """The scopes; `ConfigurationError` for a text that is no list of them."""
    if isinstance(scopes, str):
        raise ConfigurationError(f"scopes is a list: scopes={scopes.split()!r}")
    return tuple(scopes)


def check_time(expires: float | None) -> None:
    """Raises: ConfigurationError: `expires` is no time, nor None."""
    if expires is not None and not isfinite(expires):
        raise ConfigurationError("expires is a time in seconds since the epoch")


def check_overlap(overlap: float) -> None:
    """Raises: ConfigurationError: `overlap` is not for how long an old key can stay good."""
    if not (isfinite(overlap) and overlap >= 0):
        raise ConfigurationError("overlap is a number of seconds, 0 to end the old key now")
