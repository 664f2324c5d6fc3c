"""Django's CSRF check, for credentials that browsers send by themselves, where nobody else makes it.

Django REST framework exempts its views from the check of the middleware, and makes its own for sessions only.
"""

from __future__ import annotations

from typing import Any

from watchword.core.rejection import not_installed

try:
    from django.middleware.csrf import CsrfViewMiddleware
except ImportError:
    raise not_installed("django") from None

__all__ = ["is_forged", "is_rest_view"]


class _Check(CsrfViewMiddleware):
    def _reject(self, request: Any, reason: str) -> Any:
        return True


def is_forged(request: Any, admission: Any) -> bool:
    """Whether another site's page may have had the request made: its credentials are ambient, and the check fails.

    Args:
        request: Django's.
        admission: the guard's.
    """
    if admission.identity is None or not getattr(admission.verifier, "ambient", True):
        return False
    check = _Check(lambda _: None)  # type: ignore[arg-type] # it is asked for nothing but its check
    check.process_request(request)
    return check.process_view(request, None, (), {}) is not None  # type: ignore[arg-type] # no view, so none that is exempt


def is_rest_view(view: Any) -> bool:
    """Whether it is a view of Django REST framework's, none of which the middleware checks."""
    return hasattr(view, "cls") and bool(getattr(view, "csrf_exempt", False))
