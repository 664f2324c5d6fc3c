"""Brings the tables of a database to the revision that this version works on, by alembic.

A later revision is a file in `versions`. An SQLite file that is not there yet, or that an earlier version made, gets revision 0001
when a store opens it; everything else is done here, when somebody asks for it.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from watchword.core.rejection import ConfigurationError
from watchword.stores.sql.database import Answering, Database
from watchword.stores.sql.tables import VERSION_TABLE
from watchword.stores.sql.urls import database_at

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["upgrade"]

_LOCK: Final = "SELECT pg_advisory_xact_lock(7453010398115427941)"  # whoever comes second finds nothing to do


def upgrade(url: str) -> str:
    """Makes or changes the tables of the database at `url`; all of it or nothing. Its records, marks and counters stay.

    Returns:
        The revision that they have now.

    Raises:
        ConfigurationError: the URL can't be used, an extra is missing, or the tables are a later version's.
        StoreUnavailable: the database does not answer, or does not let this user make tables.
    """
    database = database_at(url, "pysqlite")
    try:
        for part in ("alembic.config", "alembic.runtime.environment", "alembic.script", "alembic.util.exc"):
            import_module(part)
    except ImportError:
        raise ConfigurationError("changing tables needs an extra: pip install 'watchword[sql]'") from None
    database.make()
    engine = _engine(database)
    try:
        with Answering(), engine.begin() as connection:
            return _upgraded(connection, repr(database))
    finally:
        engine.dispose()


def _engine(database: Any) -> Engine:
    from sqlalchemy import create_engine  # noqa: PLC0415 -- an extra
    from sqlalchemy.pool import NullPool  # noqa: PLC0415 -- as above

    if isinstance(database, Database):
        return create_engine(database.engine_url(), poolclass=NullPool, hide_parameters=True)
    # Nothing prepared in the server, for it may be behind a pooler.
    return create_engine(
        database.url.set(drivername="postgresql+psycopg"), poolclass=NullPool, hide_parameters=True,
        connect_args={"prepare_threshold": None},
    )  # fmt: skip


def _upgraded(connection: Connection, name: str) -> str:
    from alembic.config import Config  # noqa: PLC0415 -- an extra
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415 -- as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 -- as above
    from alembic.util.exc import CommandError  # noqa: PLC0415 -- as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK)

    def steps(revision: Any, _: Any) -> Any:
        return script._upgrade_revs("head", revision)  # noqa: SLF001 -- as alembic's manual of EnvironmentContext has it

    with EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE, fn=steps)
        try:
            environment.run_migrations()
        except CommandError:
            raise ConfigurationError(f"{name} was made by a later version of watchword: upgrade watchword") from None
    return str(script.get_current_head())
