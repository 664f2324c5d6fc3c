"""Which database a URL names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from watchword.core.rejection import ConfigurationError
from watchword.stores.sql.database import Database

if TYPE_CHECKING:
    from watchword.stores.sql.server import Server

__all__ = ["TIMEOUT", "database_at"]

TIMEOUT: Final = 5.0
"""Seconds after which a verb is given up, unless the store was told otherwise."""

_EXAMPLES: Final = "SQLStore('sqlite:///users.db') or SQLStore('postgresql+psycopg://app@db.example/app')"


def database_at(url: str, sqlite_driver: str, timeout: float = TIMEOUT) -> Database | Server:
    """The database that `url` names; it is not asked anything yet.

    Args:
        url: of SQLite or PostgreSQL, in SQLAlchemy's form.
        sqlite_driver: the driver of SQLite that a URL may name.
        timeout: seconds, above nothing.

    Raises:
        ConfigurationError: the URL is none of these, or the extra is missing. The message holds nothing of the URL but the
            name of its database system.
    """
    try:
        from sqlalchemy.engine import make_url  # noqa: PLC0415 -- an extra
        from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 -- an extra
    except ImportError:
        raise ConfigurationError("SQL stores need an extra: pip install 'watchword[sql]'") from None
    if not timeout > 0:
        raise ConfigurationError(f"timeout={timeout}: seconds, above nothing")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # its words would repeat a password in the URL
        raise ConfigurationError(f"this is no database URL; for example {_EXAMPLES}") from None
    if parsed.drivername in ("sqlite", f"sqlite+{sqlite_driver}"):
        return Database(parsed, sqlite_driver, timeout)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        from watchword.stores.sql.server import Server  # noqa: PLC0415 -- only where it is asked for

        return Server(parsed, timeout)
    raise ConfigurationError(
        f"{parsed.drivername[:32]!r} is not spoken, only SQLite and PostgreSQL (by psycopg): {_EXAMPLES}"
    )
