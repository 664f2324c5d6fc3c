"""Django: the middleware `Authenticate`, decorators and a mixin for views.

In settings: `MIDDLEWARE = ["watchword.servers.django.Authenticate", …]` and `WATCHWORD = {"guard": "shop.auth.guard"}`. Views that
ask are judged, once, before their body is read and before the CSRF check. Views that don't ask are public.
"""

from watchword.servers.django.asking import (
    RequiredMixin, demand, identity, identity_or_none, optional, required,
)  # fmt: skip
from watchword.servers.django.middleware import Authenticate
from watchword.servers.django.users import IdentityUser

__all__ = [
    "Authenticate", "IdentityUser", "RequiredMixin", "demand", "identity", "identity_or_none", "optional", "required",
]  # fmt: skip
