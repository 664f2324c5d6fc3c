"""A Django project with users, and hashers of Django's at the lowest cost."""

from __future__ import annotations

from django.contrib.auth import hashers

import tests.servers.frameworks.django_project  # noqa: F401 -- one process has one project: that of the adapter's tests


class PBKDF2(hashers.PBKDF2PasswordHasher):
    iterations = 4


class PBKDF2SHA1(hashers.PBKDF2SHA1PasswordHasher):
    iterations = 4


class BCryptSHA256(hashers.BCryptSHA256PasswordHasher):
    rounds = 4


class BCrypt(hashers.BCryptPasswordHasher):
    rounds = 4


class Scrypt(hashers.ScryptPasswordHasher):
    work_factor = 16


class MD5(hashers.MD5PasswordHasher):
    pass


class Unsupported(hashers.PBKDF2PasswordHasher):
    algorithm = "of_our_own"
    iterations = 4


HASHERS = [f"{__name__}.{kind.__name__}" for kind in (PBKDF2, PBKDF2SHA1, BCryptSHA256, BCrypt, Scrypt, MD5)]


def first(name: str) -> list[str]:
    """The setting PASSWORD_HASHERS with that one first."""
    return sorted(
        [*HASHERS, *([] if f"{__name__}.{name}" in HASHERS else [f"{__name__}.{name}"])],
        key=lambda path: not path.endswith(f".{name}"),
    )
