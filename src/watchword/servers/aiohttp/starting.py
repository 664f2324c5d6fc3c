"""aiohttp apps whose handlers ask in vain: refused when they start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchword.core.rejection import ConfigurationError, not_installed
from watchword.servers.decorated import Bare, wrapped

try:
    from aiohttp import hdrs, web
except ImportError:
    raise not_installed("aiohttp") from None

__all__ = ["check_start", "note"]

ASKED = "watchword_asked"


def note(asking: Any, auth: object) -> None:
    """Notes at a decorated handler that it asks `auth`; decorators that use `functools.wraps` hand it on."""
    asking.__dict__[ASKED] = (*asking.__dict__.get(ASKED, ()), auth)


async def check_start(bare: Bare, app: web.Application) -> None:
    """Takes an app all of whose handlers ask guards that some app has, those of what is mounted in it too.

    An app that no guard is installed in has nothing of ours that could look.

    Args:
        bare: what the decorators noted.
        app: which starts.

    Raises:
        ConfigurationError: one asks a guard that is nowhere installed; or as `Bare.check_hidden`.
    """
    registered = [*_registered(app)]
    bare.check_hidden(registered)
    for handler in registered:
        if not all(auth.installed for auth in getattr(handler, ASKED, ())):
            raise ConfigurationError(f"{handler.__qualname__} asks a guard that no app knows: write auth.install(app)")


def _registered(app: web.Application) -> Iterator[Any]:
    for route in app.router.routes():
        yield from wrapped(route.handler)
        if isinstance(route.handler, type):
            for method in hdrs.METH_ALL:
                yield from wrapped(getattr(route.handler, method.lower(), None))
