"""The tables, as statements that are harmless where they are already; generic, so a new kind of record needs no new one.

A kind is stored under its class's `__name__`, so that name must be unique and stay as it is. A key is stored as a JSON
array in ASCII, which no two keys share.
"""

from __future__ import annotations

from typing import Final

from watchword.stores.sql.dialects import Dialect

__all__ = ["ADDED", "OLDER", "REVISION", "VERSION_TABLE", "tables"]

REVISION: Final = "0001"
"""The revision of the tables that this version works on (`stores.sql.migrations`)."""

VERSION_TABLE: Final = "watchword_version"
"""Where alembic keeps the revision of a database."""

OLDER: tuple[tuple[str, str], ...] = (("watchword_counters", "since"),)
"""SQLite: tables that are made anew where they lack that column: what is in them is of use for a day at most."""

ADDED: tuple[tuple[str, str, str], ...] = (("watchword_spent", "owner", "TEXT"),)
"""SQLite: columns that tables of earlier versions lack, with their types. Whoever runs such a version on the same file leaves
them out."""

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS watchword_facts (name {text} NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    (
        "CREATE TABLE IF NOT EXISTS watchword_records (kind {text} NOT NULL, key {text} NOT NULL, version INTEGER NOT NULL, "
        "data {octets} NOT NULL, sealed INTEGER NOT NULL, PRIMARY KEY (kind, key)){table}"
    ),
    (
        "CREATE TABLE IF NOT EXISTS watchword_ends (kind {text} NOT NULL, key {text} NOT NULL, until {time} NOT NULL, "
        "PRIMARY KEY (kind, key)){table}"
    ),
    "CREATE INDEX IF NOT EXISTS ix_watchword_ends_until ON watchword_ends (until)",
    "CREATE TABLE IF NOT EXISTS watchword_spent (key {text} NOT NULL PRIMARY KEY, until {time} NOT NULL, owner TEXT){table}",
    (
        "CREATE TABLE IF NOT EXISTS watchword_counters (key {octets} NOT NULL PRIMARY KEY, value BIGINT NOT NULL, "
        "until {time} NOT NULL, rank INTEGER NOT NULL, since {time} NOT NULL){table}"
    ),
    "CREATE INDEX IF NOT EXISTS ix_watchword_counters_until ON watchword_counters (until)",
    "CREATE INDEX IF NOT EXISTS ix_watchword_counters_rank_since ON watchword_counters (rank, since)",
)

# How many counters of each rank there are (`stores.counting`); triggers see to that.
_SIZES_OF_SQLITE: Final = (
    "CREATE TABLE IF NOT EXISTS watchword_sizes (rank INTEGER NOT NULL PRIMARY KEY, counters INTEGER NOT NULL)",
    (
        "WITH r(rank) AS (VALUES (0), (1), (2), (3), (4)) INSERT OR IGNORE INTO watchword_sizes "
        "SELECT rank, (SELECT count(*) FROM watchword_counters AS t WHERE t.rank = r.rank) FROM r "
        "WHERE NOT EXISTS (SELECT 1 FROM watchword_sizes)"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS watchword_counter_made AFTER INSERT ON watchword_counters "
        "BEGIN UPDATE watchword_sizes SET counters = counters + 1 WHERE rank = new.rank; END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS watchword_counter_gone AFTER DELETE ON watchword_counters "
        "BEGIN UPDATE watchword_sizes SET counters = counters - 1 WHERE rank = old.rank; END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS watchword_counter_ranked AFTER UPDATE OF rank ON watchword_counters "
        "WHEN old.rank <> new.rank BEGIN "
        "UPDATE watchword_sizes SET counters = counters - 1 WHERE rank = old.rank; "
        "UPDATE watchword_sizes SET counters = counters + 1 WHERE rank = new.rank; END"
    ),
)

# In PostgreSQL many write at once. A row for each rank would be locked by each of them until it commits, so each adds a row that
# says what it changed, and whoever sweeps makes one of many (`statements._FOLD`). The size of a rank is the sum of its rows.
_SIZES_OF_POSTGRESQL: Final = (
    "CREATE TABLE IF NOT EXISTS watchword_sizes (rank INTEGER NOT NULL, counters BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ix_watchword_sizes_rank ON watchword_sizes (rank)",
    (
        "CREATE OR REPLACE FUNCTION watchword_note_sizes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF tg_op = 'INSERT' THEN INSERT INTO watchword_sizes SELECT rank, count(*) FROM made GROUP BY rank; "
        "ELSIF tg_op = 'DELETE' THEN INSERT INTO watchword_sizes SELECT rank, -count(*) FROM gone GROUP BY rank; "
        "ELSE INSERT INTO watchword_sizes SELECT rank, sum(n) FROM (SELECT rank, 1 AS n FROM made UNION ALL "
        "SELECT rank, -1 FROM gone) AS moved GROUP BY rank HAVING sum(n) <> 0; END IF; RETURN NULL; END $$"
    ),
    (
        "CREATE OR REPLACE TRIGGER watchword_counter_made AFTER INSERT ON watchword_counters "
        "REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION watchword_note_sizes()"
    ),
    (
        "CREATE OR REPLACE TRIGGER watchword_counter_gone AFTER DELETE ON watchword_counters "
        "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION watchword_note_sizes()"
    ),
    (
        "CREATE OR REPLACE TRIGGER watchword_counter_ranked AFTER UPDATE ON watchword_counters "
        "REFERENCING OLD TABLE AS gone NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION watchword_note_sizes()"
    ),
)


def tables(dialect: Dialect) -> list[str]:
    """The statements that make the tables."""
    if dialect.takes_turns:
        types = {"text": "TEXT", "octets": "BLOB", "time": "FLOAT", "table": " WITHOUT ROWID"}
        # An index by which old marks are found would double what a mark costs in SQLite.
        more: tuple[str, ...] = (*_SIZES_OF_SQLITE, "DROP INDEX IF EXISTS ix_watchword_spent_until")
    else:
        types = {"text": 'TEXT COLLATE "C"', "octets": "BYTEA", "time": "DOUBLE PRECISION", "table": ""}
        more = (*_SIZES_OF_POSTGRESQL, "CREATE INDEX IF NOT EXISTS ix_watchword_spent_until ON watchword_spent (until)")
    return [*(statement.format(**types) for statement in _TABLES), *more]
