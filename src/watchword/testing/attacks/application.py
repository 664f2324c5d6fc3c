"""Finds the app that `--watchword-app=module:app` names, the way to drive it, and the framework's own object inside it."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections import deque
from typing import Any, Protocol

from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError
from watchword.testing.attacks.aiohttp_driver import AiohttpDriver
from watchword.testing.attacks.answer import Answer
from watchword.testing.attacks.asgi_driver import ASGIDriver
from watchword.testing.attacks.wsgi_driver import WSGIDriver

__all__ = ["Driver", "driver_for", "framework_of", "load"]

FRAMEWORKS = {
    "starlette.applications": "Starlette",
    "starlette.routing": "Router",
    "litestar.app": "Litestar",
    "flask.app": "Flask",
    "quart.app": "Quart",
    "aiohttp.web": "Application",
    "falcon": "App",
    "django.core.handlers.base": "BaseHandler",
}
"""The classes whose routes can be listed, by their modules."""

DEEPEST = 6
"""So many wrappers round a framework's app are looked through."""


class Driver(Protocol):
    """Sends what an attacker writes to an app in this process."""

    def start(self) -> None: ...
    def close(self) -> None: ...
    def send(self, request: Request, body: bytes) -> Answer: ...
    def connect(self, request: Request) -> Answer: ...


def load(name: str) -> Any:
    """The app that `module:attribute` names. A function without required arguments, and `module:make_app()`, makes it.

    Raises:
        ConfigurationError: there is no such module or attribute.
    """
    module_name, colon, path = name.partition(":")
    if not module_name or not colon or not path:
        raise ConfigurationError(f"--watchword-app={name}: write module:app, for example shop.api:app")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        if missing.name is None or not f"{module_name}.".startswith(f"{missing.name}."):
            raise
        raise ConfigurationError(
            f"--watchword-app={name}: there is no module {module_name!r}; it is looked for where pytest was started"
        ) from None
    for attribute in path.removesuffix("()").split("."):
        if not hasattr(found, attribute):
            raise ConfigurationError(f"--watchword-app={name}: {module_name} has no {attribute!r}")
        found = getattr(found, attribute)
    return found() if path.endswith("()") or _is_factory(found) else found


def _is_factory(found: object) -> bool:
    if not inspect.isfunction(found):
        return False
    empty, many = inspect.Parameter.empty, (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(
        parameter.default is not empty or parameter.kind in many
        for parameter in inspect.signature(found).parameters.values()
    )


def driver_for(app: Any) -> Driver:
    """How this app is driven: aiohttp by its own protocol, coroutine functions as ASGI, the rest by its arguments.

    Raises:
        ConfigurationError: it is no app.
    """
    if _is_a(app, "aiohttp.web", "Application"):
        return AiohttpDriver(app)
    if not callable(app):
        raise ConfigurationError(f"--watchword-app: {type(app).__name__} is no ASGI, WSGI or aiohttp application")
    call: Any = app if inspect.isroutine(app) else type(app).__call__
    made: Any = app
    if inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(inspect.unwrap(call)):
        return ASGIDriver(made)
    return ASGIDriver(made) if len(_positional(made)) == 3 else WSGIDriver(made)


def _positional(app: Any) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [parameter for parameter in inspect.signature(app).parameters.values() if parameter.kind in kinds]


def framework_of(app: Any) -> tuple[str, Any] | None:
    """The framework's own app in `app`, looked for through what wraps it: attributes and closures of middleware.

    Returns:
        the name of its class in `FRAMEWORKS`, and the object; None where there is none that is known.
    """
    waiting, seen = deque([(app, 0)]), {id(app)}
    while waiting:
        candidate, depth = waiting.popleft()
        for module, name in FRAMEWORKS.items():
            if _is_a(candidate, module, name):
                return name, candidate
        for inner in _held_by(candidate) if depth < DEEPEST else ():
            if id(inner) not in seen:
                seen.add(id(inner))
                waiting.append((inner, depth + 1))
    return None


def _is_a(candidate: object, module: str, name: str) -> bool:
    loaded = getattr(sys.modules.get(module), name, None)  # an app whose framework isn't loaded is none of its apps
    return inspect.isclass(loaded) and isinstance(candidate, loaded)


def _held_by(candidate: object) -> list[object]:
    """What may be the app inside: callables in the attributes, the closure or the bound object of a wrapper."""
    held: list[object] = []
    if inspect.ismethod(candidate):
        held.append(candidate.__self__)
    for cell in getattr(candidate, "__closure__", None) or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # not bound yet
            continue
    held += list(getattr(candidate, "__dict__", {}).values())
    for kind in type(candidate).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        held += [getattr(candidate, slot, None) for slot in ([slots] if isinstance(slots, str) else slots)]
    return [inner for inner in held if callable(inner) and not inspect.isclass(inner)]
