"""What a row of the table makes."""

from __future__ import annotations

from typing import Any, NamedTuple


class Broken(Exception):
    """What a handler raises."""


class Made(NamedTuple):
    """The app, as WSGI servers would call it, and the names of the handlers that ran."""

    app: Any
    ran: list[str]
