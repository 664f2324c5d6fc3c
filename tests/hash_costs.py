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
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

_SALT = b"dummy-salt-16-by"


@cache
def _costs() -> tuple[tuple[Mapping[str, Any], str], tuple[Mapping[str, Any], str]]:
    """The real ones and the cheap ones. Not loaded before the first test: some count what an import loads."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    from watchword.crypto import passwords

    low = {
        "rfc9106-low-memory": ("m=65536,t=3,p=4", "m=8,t=1,p=1"),
        "rfc9106-high-memory": ("m=2097152,t=1,p=4", "m=16,t=1,p=1"),
        "bcrypt": ("$12$", "$04$"),
        "scrypt": ("ln=17,r=8", "ln=1,r=8"),
        "pbkdf2-sha256": ("$600000$", "$1$"),
    }
    table = MappingProxyType({name: passwords.PROFILES[name].replace(*costs) for name, costs in low.items()})
    assert not set(table.values()) & set(passwords.PROFILES.values()), "each is cheaper"
    assert table.keys() == passwords.PROFILES.keys(), "every profile has its cheap twin"
    nobody = Argon2id(salt=_SALT, length=32, iterations=1, lanes=1, memory_cost=8).derive_phc_encoded(b"nobody's")
    return (passwords.PROFILES, passwords.DUMMY), (table, nobody)


@lru_cache(maxsize=1)
def _holders(loaded: int) -> list[tuple[dict[str, Any], str, int]]:
    """Every name of ours for one of them, since a name that was imported is a name of its own. Sought when more is loaded."""
    real, low = _costs()
    return [
        (vars(module), name, at)
        for known, module in sys.modules.items()
        if known.startswith("watchword.")
        for at, name in enumerate(("PROFILES", "DUMMY"))
        if any(vars(module).get(name) is constants[at] for constants in (real, low))
    ]


def _choose(constants: tuple[Mapping[str, Any], str]) -> None:
    for held, name, at in _holders(len(sys.modules)):
        held[name] = constants[at]


@contextmanager
def cheap() -> Iterator[None]:
    """Within it, a hash that watchword makes or computes for nobody has the lowest cost there is."""
    from watchword.crypto import passwords

    real, low = _costs()
    earlier = low if passwords.PROFILES is low[0] else real
    _choose(low)
    try:
        yield
    finally:
        _choose(earlier)


def cheap_password(secret: str, **options: Any) -> Any:
    """`Password.hash` for a module's constant, which is made before any test runs."""
    from watchword.crypto.passwords import Password

    with cheap():
        return Password.hash(secret, **options)
