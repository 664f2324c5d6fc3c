"""The first tables. They stay what they are: SQLite files of every version before revisions were counted become these."""

from __future__ import annotations

from alembic import op

from watchword.stores.sql.database import statements_for
from watchword.stores.sql.dialects import POSTGRESQL
from watchword.stores.sql.tables import tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes what is not there."""
    bind = op.get_bind()
    sqlite = bind.dialect.name == "sqlite"
    made = statements_for(bind.connection.driver_connection) if sqlite else tables(POSTGRESQL)  # type: ignore[arg-type]
    for statement in made:
        bind.exec_driver_sql(statement)
