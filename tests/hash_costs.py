"""What a password hash costs in tests: as good as nothing, but for those marked `real_cost`.

Hashing is slow on purpose, and most tests ask who gets in, not what a guess costs. `cheap` puts the lowest costs that the
formats allow into the one table that chooses them, `watchword.crypto.passwords.PROFILES`, and into `DUMMY`, the hash of
nobody, which must cost as much as the others. Formats, ceilings and primitives stay as they are, so a hash that another
process made, or a published one, is verified at its own cost.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any

_SALT = b"dummy-salt-16-by"


@cache
def _costs() -> tuple[tuple[Mapping[str, Any], str], tuple[Mapping[str, Any], str]]:
    """The real ones and the cheap ones. Not loaded before the first test: some count what an import loads."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    from watchword.crypto import passwords

    table = MappingProxyType(
        {
            "rfc9106-low-memory": passwords._argon2id(8, 1, 1),
            "rfc9106-high-memory": passwords._argon2id(16, 1, 1),
            "bcrypt": passwords._bcrypt(4),
            "scrypt": passwords._scrypt(1),
            "pbkdf2-sha256": passwords._pbkdf2(1),
        }
    )
    assert table.keys() == passwords.PROFILES.keys(), "every profile has its cheap twin"
    nobody = Argon2id(salt=_SALT, length=32, iterations=1, lanes=1, memory_cost=8).derive_phc_encoded(b"nobody's")
    return (passwords.PROFILES, passwords.DUMMY), (table, nobody)


def _exchange(old: tuple[Mapping[str, Any], str], new: tuple[Mapping[str, Any], str]) -> None:
    """In every module of ours that has imported one of them, since a name that was imported is a name of its own."""
    for name, module in list(sys.modules.items()):
        if name.startswith("watchword."):
            held = vars(module)
            for constant, was, becomes in zip(("PROFILES", "DUMMY"), old, new, strict=True):
                if held.get(constant) is was:
                    held[constant] = becomes


@contextmanager
def cheap() -> Iterator[None]:
    """Within it, a hash that watchword makes or computes for nobody has the lowest cost there is."""
    real, low = _costs()
    _exchange(real, low)
    try:
        yield
    finally:
        _exchange(low, real)


def cheap_password(secret: str, **options: Any) -> Any:
    """`Password.hash` for a module's constant, which is made before any test runs."""
    from watchword.crypto.passwords import Password

    with cheap():
        return Password.hash(secret, **options)
