"""drf-spectacular: what its documents say of `GuardAuthentication`. `watchword.servers.django` in `INSTALLED_APPS` registers it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from watchword.servers.django.configuration import configured
from watchword.servers.openapi import Demanded, documentation, requirements

__all__ = ["register", "scopes_of"]

GUARDED = "watchword.servers.django.rest_framework.GuardAuthentication"


def register() -> None:
    """Tells drf-spectacular of `GuardAuthentication`; called once, when the apps are there."""
    # Neither can be imported before the settings are there.
    from drf_spectacular.extensions import OpenApiAuthenticationExtension  # noqa: PLC0415
    from drf_spectacular.settings import spectacular_settings  # noqa: PLC0415

    class GuardScheme(OpenApiAuthenticationExtension):
        """The security schemes of the guard that the settings name, and what each operation demands of it."""

        target_class = GUARDED
        match_subclasses = True

        def __init__(self, target: Any) -> None:
            super().__init__(target)  # type: ignore[no-untyped-call] # drf-spectacular's
            configuration = configured()
            self._told = documentation(configuration.guard.plan, login=configuration.login)
            self.name = list(self._told.schemes)

        def get_security_definition(self, auto_schema: Any) -> Any:
            return [dict(scheme) for scheme in self._told.schemes.values()]

        def get_security_requirement(self, auto_schema: Any) -> Any:
            demanded = Demanded(self._told, tuple(scopes_of(auto_schema.view.get_permissions())), optional=False)
            return requirements([demanded], roles=spectacular_settings.OAS_VERSION.startswith("3.1"))


def scopes_of(permissions: Iterable[Any]) -> Iterator[str]:
    """The scopes that all of `permissions` demand: of `required`, alone or joined by `&`."""
    for permission in permissions:
        yield from getattr(permission, "scopes", ())
        if type(permission).__name__ == "AND":
            yield from scopes_of((permission.op1, permission.op2))
