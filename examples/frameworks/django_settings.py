"""The settings of the Django project in `django_app`."""

from __future__ import annotations

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "watchword.servers.django"]
MIDDLEWARE = ["watchword.servers.django.Authenticate", "django.middleware.csrf.CsrfViewMiddleware"]
WATCHWORD = {"guard": "examples.frameworks.django_app.guard"}
REST_FRAMEWORK = {"EXCEPTION_HANDLER": "watchword.servers.django.rest_framework.exception_handler"}
ROOT_URLCONF = "examples.frameworks.django_app"
SECRET_KEY = "a secret of the examples alone"
USE_TZ = True
