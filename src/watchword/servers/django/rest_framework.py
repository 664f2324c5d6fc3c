"""Django REST framework: an authentication class, permission classes, and problem details for its exceptions.

The middleware `watchword.servers.django.Authenticate` is needed as well: it sends what the verdict adds to the answer.
"""

from __future__ import annotations

from typing import Any

from watchword.core.answer import Refusal
from watchword.core.identity import Identity
from watchword.core.rejection import not_installed
from watchword.servers.decorated import check_scopes
from watchword.servers.django.csrf import is_forged
from watchword.servers.django.judge import Judge
from watchword.servers.django.users import IdentityUser
from watchword.servers.problem import content_of, problem_body, title_of

try:
    from rest_framework.authentication import BaseAuthentication, SessionAuthentication
except ImportError:
    raise not_installed("djangorestframework") from None
from django.http import HttpResponse
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission

__all__ = ["GuardAuthentication", "Refused", "exception_handler", "required"]


class Refused(APIException):
    """A refusal of the guard, for the project's exception handler: its status, and no more.

    Args:
        status: the status of the answer.
    """

    def __init__(self, status: int) -> None:
        super().__init__(title_of(status), code="refused")
        self.status_code = status


class GuardAuthentication(BaseAuthentication):
    """Authenticates by the guard of the setting `WATCHWORD`; `request.auth` is the `Identity`.

    `request.user` is the user of Django's, if that setting says how users are found, else an `IdentityUser`. A request
    without credentials is nobody's, and what the permissions say of it. For credentials that browsers send by themselves
    the CSRF check is made, as for sessions.
    """

    def authenticate(self, request: Any) -> tuple[Any, Identity[Any]] | None:
        """The user and the identity; None without credentials.

        Raises:
            Refused: the guard refuses the request.
            PermissionDenied: the CSRF check fails.
        """
        judge = Judge.of(request)
        admission = judge.admission()
        if admission is None:
            raise Refused(judge.refused_with)
        identity = admission.identity
        if identity is None:
            return None
        if getattr(admission.verifier, "ambient", True):
            SessionAuthentication().enforce_csrf(request)
        return judge.user or IdentityUser(identity), identity

    def authenticate_header(self, request: Any) -> str:
        """All challenges in one line; without one, Django REST framework would answer 403."""
        judge = Judge.of(request)
        judge.demand()
        fields = () if judge.refusal is None else judge.refusal.fields()
        return ", ".join(value.decode("latin-1") for name, value in fields if name.endswith(b"-authenticate"))


def required(*scopes: str) -> type[BasePermission]:
    """A permission class: requests that the guard admits, and that may do all of `scopes`.

    Raises:
        ConfigurationError: what it was given is no scope.

    >>> permission_classes = [required("orders:write")]
    """
    demanded = check_scopes(scopes, "required")

    class Required(BasePermission):
        scopes = demanded  # which documents name

        def has_permission(self, request: Any, view: Any) -> bool:
            judge = Judge.of(request)
            if judge.demand(demanded) is not None:
                return False
            # Whichever classes authenticate: for sessions alone would REST framework look.
            return not is_forged(request._request, judge.admission())  # noqa: SLF001 -- documented under this name

    return Required


def exception_handler(exception: Exception, context: Any) -> Any:
    """Django REST framework's, with problem details (RFC 9457) for what the guard refuses, or its account for developers.

    In the settings: `REST_FRAMEWORK = {"EXCEPTION_HANDLER": "watchword.servers.django.rest_framework.exception_handler"}`.
    """
    from rest_framework.views import exception_handler as theirs  # noqa: PLC0415 -- it can't be imported without settings

    answer = theirs(exception, context)
    judge = Judge.of(context["request"])
    if answer is None or not (
        isinstance(exception, Refused | NotAuthenticated | AuthenticationFailed)
        or judge.refused_with == answer.status_code
    ):
        return answer
    unknown = judge.refused_with not in (answer.status_code, 407)  # for which REST framework has a 401
    refusal = Refusal(answer.status_code) if judge.refusal is None or unknown else judge.refusal
    media_type, content = content_of(refusal, problem_body)
    said = HttpResponse(content, media_type.decode("latin-1"), refusal.status)
    for name, value in answer.headers.items():
        if name != "Content-Type":
            said[name] = value
    return said
