"""The URLs of the small Django project that a pair asks: every path is guarded."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from watchword.servers.django import required

__all__ = ["urlpatterns", "whoever"]


@required()
def whoever(request: HttpRequest) -> HttpResponse:
    """Says who asks, once it has read the body."""
    size = len(request.body)
    return HttpResponse(f"{request.identity.subject} {size}")  # type: ignore[attr-defined]


urlpatterns = [re_path(r"", whoever)]
