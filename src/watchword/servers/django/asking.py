"""Views that ask who makes the request: decorators, a mixin, and what both leave for the middleware to find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar, NamedTuple, TypeVar

from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError, not_installed
from watchword.servers.decorated import check_handler, check_scopes
from watchword.servers.django.judge import Judge

try:
    from asgiref.sync import iscoroutinefunction
except ImportError:
    raise not_installed("django") from None
from django.http import HttpRequest
from django.http.response import HttpResponseBase

__all__ = ["Asked", "RequiredMixin", "asked_by", "demand", "identity", "identity_or_none", "optional", "required"]

ASKED = "watchword_asked"
View = TypeVar("View", bound=Callable[..., Any])


class Asked(NamedTuple):
    """What a view asks for."""

    scopes: tuple[str, ...] = ()
    optional: bool = False


def required(*scopes: str) -> Callable[[View], View]:
    """A decorator for views, and with `method_decorator` for methods of view classes: for requests that the guard admits.

    Args:
        scopes: all of them are demanded; without one of them the client gets 403.

    Raises:
        ConfigurationError: the parentheses are missing, or it stands above a class.

    >>> @required("orders:write")
    ... def order(request): ...
    """
    return _asking(Asked(check_scopes(scopes, "@required")))


def optional(view: View) -> View:
    """A decorator for views that answer requests without credentials too, whose `request.identity` is None."""
    return _asking(Asked(optional=True))(view)


def demand(request: HttpRequest, *scopes: str) -> HttpResponseBase | None:
    """What `required` does, for a view that finds out as it runs which scopes to demand.

    Returns:
        The answer to give; None if the request may do that.
    """
    return Judge.of(request).demand(scopes)


def identity(request: Any) -> Identity[Any]:
    """Who makes the request, which is `request.identity` too; of a request of Django's or of Django REST framework's.

    Raises:
        ConfigurationError: nobody asked, or the request is anonymous.
    """
    judgement = Judge.of(request).judgement
    if judgement is None or judgement.admission is None:
        raise ConfigurationError("nobody asked who makes this request: write @required() above the view")
    return judgement.admission.known()


def identity_or_none(request: Any) -> Identity[Any] | None:
    """`identity`; None for a request without credentials, and where nobody asked."""
    judgement = Judge.of(request).judgement
    return None if judgement is None or judgement.admission is None else judgement.admission.identity


def asked_by(view: Any, method: str) -> Sequence[Asked]:
    """What a view asks for, by its decorators, by its class, and by the method of that for this request."""
    asked: list[Asked] = list(getattr(view, ASKED, ()))
    view_class = getattr(view, "view_class", None) or getattr(view, "cls", None)  # REST framework's view sets have this
    if view_class is not None:
        if issubclass(view_class, RequiredMixin):
            asked.append(view_class.asked(getattr(view, "view_initkwargs", None) or getattr(view, "initkwargs", {})))
        actions = getattr(view, "actions", None) or {}
        asked += getattr(getattr(view_class, actions.get(method.lower(), method.lower()), None), ASKED, ())
    return asked


def _asking(asked: Asked) -> Callable[[View], View]:
    def above(view: View) -> View:
        check_handler(view, ": a view class takes RequiredMixin, or method_decorator(required(), name='dispatch')")

        @wraps(view)
        async def awaited(request: Any, *args: Any, **kwargs: Any) -> Any:
            refused = await Judge.of(request).ademand(asked.scopes, optional=asked.optional)
            return await view(request, *args, **kwargs) if refused is None else refused

        @wraps(view)
        def called(request: Any, *args: Any, **kwargs: Any) -> Any:
            refused = Judge.of(request).demand(asked.scopes, optional=asked.optional)
            return view(request, *args, **kwargs) if refused is None else refused

        asking = awaited if iscoroutinefunction(view) else called
        setattr(asking, ASKED, (asked, *getattr(view, ASKED, ())))
        return asking  # type: ignore[return-value] # what it takes and gives is what the view takes and gives

    return above


class RequiredMixin:
    """For view classes, as their first base: requests that the guard admits, and that may do all of `required_scopes`.

    >>> from django.views import View
    >>> class Orders(RequiredMixin, View):
    ...     required_scopes = ("orders:read",)
    """

    required_scopes: ClassVar[Sequence[str]] = ()
    optional_identity: ClassVar[bool] = False

    @classmethod
    def asked(cls, given: Mapping[str, Any]) -> Asked:
        """What this class asks for, where `as_view` was given this.

        Raises:
            ConfigurationError: `required_scopes` is one text.
        """
        scopes = given.get("required_scopes", cls.required_scopes)
        if isinstance(scopes, str):
            raise ConfigurationError(f"{cls.__name__}.required_scopes is a list of scopes: ({scopes!r},)")
        return Asked(tuple(scopes), given.get("optional_identity", cls.optional_identity))

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Asks, and lets the view answer."""
        asked, judge = self.asked(vars(self)), Judge.of(request)
        inside: Any = super()
        if not getattr(self, "view_is_async", False):
            refused = judge.demand(asked.scopes, optional=asked.optional)
            return inside.dispatch(request, *args, **kwargs) if refused is None else refused

        async def awaited() -> Any:
            refused = await judge.ademand(asked.scopes, optional=asked.optional)
            return await inside.dispatch(request, *args, **kwargs) if refused is None else refused

        return awaited()
