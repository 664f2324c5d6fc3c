"""The settings of the two sites of Django, made where this is imported: before what needs them."""

from __future__ import annotations

import django
from django.conf import settings

from tests.interop.matrix.sites.answers import guard

__all__ = ["settings"]

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "watchword.servers.django"],
    MIDDLEWARE=["watchword.servers.django.Authenticate"],
    WATCHWORD={"guard": guard()},
    REST_FRAMEWORK={"EXCEPTION_HANDLER": "watchword.servers.django.rest_framework.exception_handler"},
    LOGGING_CONFIG=None,
    ROOT_URLCONF=None,  # the site's own
    SECRET_KEY="a secret of the matrix alone",
    USE_TZ=True,
)
django.setup()
