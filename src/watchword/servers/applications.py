"""Whether a callable is an application, and not a handler that a framework calls by itself."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import Parameter, signature

from watchword.core.rejection import ConfigurationError

__all__ = ["check_application"]

POSITIONAL = {Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD}


def check_application(app: object, parameters: Sequence[str]) -> None:
    """Takes what is called with `parameters`, by these names.

    Above a route's decorator `requires` would get the handler that the framework has registered already, and wrap it in vain:
    everybody would pass. Numbers of parameters tell nothing there, names do.

    Raises:
        ConfigurationError: `app` is a handler, a class, or a callable that does not show its parameters.
    """
    found = _parameters_of(app)
    if isinstance(app, type) or found != tuple(parameters):
        name = getattr(app, "__qualname__", None) or type(app).__name__
        raise ConfigurationError(
            f"requires() wraps an application, which takes ({', '.join(parameters)}), and {name} "
            f"{'is a class' if isinstance(app, type) else f'takes {_shown(found)}'}. Wrap the application that the "
            "handler is part of. In a handler compare identity_or_none(request) and its scopes yourself. If it is an "
            "application all the same, write requires(…, application=True)"
        )


def _parameters_of(app: object) -> tuple[str, ...] | None:
    """The names of its positional parameters; None if it can't be called, hides them, or takes others as well."""
    if not callable(app):
        return None
    try:
        # Not those of what a decorator has wrapped: the decorator may hand them on otherwise.
        taken = signature(app, follow_wrapped=False).parameters.values()
    except (TypeError, ValueError):
        return None
    return tuple(it.name for it in taken) if all(it.kind in POSITIONAL for it in taken) else None


def _shown(found: Sequence[str] | None) -> str:
    return "parameters without these names" if found is None else f"({', '.join(found)})"
