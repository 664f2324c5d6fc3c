"""The security schemes of guards in FastAPI's OpenAPI document.

FastAPI writes one requirement for each security dependency, as if any of them would do. So each guard writes a stand-in
first, which is replaced by what is true: alternatives, what is needed together, and that nothing is needed at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fastapi import FastAPI

from watchword.core.rejection import ConfigurationError
from watchword.servers.openapi import Demanded, Documentation, Requirement, requirements

__all__ = ["Documented", "document"]

KEPT = "watchword_documented"


class Documented(NamedTuple):
    """What is said of a dependency.

    Args:
        told: of its guard.
        optional: the dependency takes anonymous requests too.
    """

    told: Documentation
    optional: bool

    @property
    def stand_in(self) -> tuple[Any, str]:
        """The scheme that FastAPI writes, and its name; true as far as one can be where nothing replaces it."""
        label = self.told.label
        return dict(next(iter(self.told.schemes.values()))), f"{label}_or_nothing" if self.optional else label


def document(app: FastAPI, *documented: Documented) -> None:
    """Has `app.openapi()` say what is true of these dependencies; called for each guard of the app.

    Raises:
        ConfigurationError: another guard of the app has schemes of the same name, which are not the same.
    """
    kept: dict[str, Documented] | None = getattr(app, KEPT, None)
    if kept is None:
        kept = {}
        setattr(app, KEPT, kept)
        _replace_stand_ins(app, kept)
    for one in documented:
        for other in kept.values():
            for name, scheme in one.told.schemes.items():
                if other.told.schemes.get(name, scheme) != scheme:
                    raise ConfigurationError(
                        f"two guards of this app have a scheme {name}: tell them apart, Authenticate(guard, name='partners.')"
                    )
        kept[one.stand_in[1]] = one


def _replace_stand_ins(app: FastAPI, kept: Mapping[str, Documented]) -> None:
    generate = app.openapi
    last: dict[str, Any] | None = None

    def openapi() -> dict[str, Any]:
        nonlocal last
        made = generate()
        if made is not last:  # FastAPI keeps what it has made, and makes it anew when routes are added
            _rewrite(made, kept)
            last = made
        return made

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's documentation of "extending OpenAPI" does


def _rewrite(made: dict[str, Any], kept: Mapping[str, Documented]) -> None:
    schemes: dict[str, Any] = made.get("components", {}).get("securitySchemes", {})
    roles = not str(made.get("openapi", "")).startswith("3.0")
    used: dict[str, Documented] = {}
    for operation in _operations(made):
        others: list[Requirement] = []
        asked: dict[str, Sequence[str]] = {}
        for requirement in operation.get("security", ()):
            names = [name for name in requirement if name in kept]
            if names:
                asked.update({name: requirement[name] for name in names})
            else:
                others.append(requirement)
        if asked:
            used |= {name: kept[name] for name in asked}
            demands = [Demanded(kept[name].told, scopes, kept[name].optional) for name, scopes in asked.items()]
            operation["security"] = [*others, *requirements(demands, roles=roles)]
    for name in used:
        schemes.pop(name, None)
    for one in used.values():
        schemes |= {name: dict(scheme) for name, scheme in one.told.schemes.items()}


def _operations(made: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for paths in (made.get("paths", {}), made.get("webhooks", {})):
        for item in paths.values():
            for operation in item.values():
                if isinstance(operation, dict):
                    yield operation
                    for callback in operation.get("callbacks", {}).values():
                        yield from _operations({"paths": callback})
