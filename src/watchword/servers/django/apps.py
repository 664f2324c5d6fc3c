"""The app of Django's, for `INSTALLED_APPS`: its checks are those of `manage.py check`."""

from __future__ import annotations

from typing import Any

from watchword.core.rejection import ConfigurationError, not_installed
from watchword.servers.django.configuration import configured
from watchword.servers.django.middleware import PATH, check_place
from watchword.servers.django.spectacular import register

try:
    from django.apps import AppConfig, apps
except ImportError:
    raise not_installed("django") from None
from django import conf
from django.core import checks

__all__ = ["WatchwordConfig", "check_settings"]


class WatchwordConfig(AppConfig):
    """`INSTALLED_APPS = [..., "watchword.servers.django"]`."""

    name = "watchword.servers.django"
    label = "watchword"
    verbose_name = "watchword"

    def ready(self) -> None:
        """Registers the check, and what drf-spectacular has to know if it is installed."""
        checks.register(check_settings, checks.Tags.security)
        if apps.is_installed("drf_spectacular"):
            register()


def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """What is wrong with the settings, and what to write."""
    try:
        configuration = configured()
        check_place(configuration.guard, conf.settings.MIDDLEWARE)
    except ConfigurationError as error:
        return [checks.Error(str(error), id="watchword.E001")]
    if PATH not in conf.settings.MIDDLEWARE:
        hint = f"MIDDLEWARE = [{PATH!r}, …]"
        return [checks.Warning("no middleware judges requests", hint=hint, id="watchword.W001")]
    return []
