"""What the SQL stores say to forget what has ended, a little at a time. Nothing is run here."""

from __future__ import annotations

from typing import Final

from watchword.core.records import COMMITTED, Outcome
from watchword.stores.counting import KEPT, share_of_a_rank
from watchword.stores.sql.dialects import Dialect, Say
from watchword.stores.sql.statements import COMMIT, Conversation, beginning
from watchword.stores.writes import GRACE

__all__ = ["forgets", "forgetting"]

_EVERY, _MOST = 128, 256
_MOST_MARKS = 1024
_MOST_COUNTERS = 2048  # a guess makes eight counters at most

# ---- SQLite: whoever forgets is alone meanwhile ----

# Marks are looked through in the order of their keys, some at a time, from where the last sweep of any process ended: the
# facts 'swept from' (excluded) and 'swept to' (included; '' is the end).
_SWEEP: Final = (
    (
        "INSERT OR REPLACE INTO watchword_facts (name, value) "
        "SELECT 'swept from', coalesce((SELECT value FROM watchword_facts WHERE name = 'swept to'), '')"
    ),
    (
        "INSERT OR REPLACE INTO watchword_facts (name, value) "
        "SELECT 'swept to', coalesce((SELECT key FROM watchword_spent WHERE key > "
        "(SELECT value FROM watchword_facts WHERE name = 'swept from') ORDER BY key LIMIT 1 OFFSET :most - 1), '')"
    ),
    (
        "DELETE FROM watchword_spent WHERE until < :past "
        "AND key > (SELECT value FROM watchword_facts WHERE name = 'swept from') "
        "AND key <= coalesce((SELECT nullif(value, '') FROM watchword_facts WHERE name = 'swept to'), x'')"
    ),
)  # a blob comes after every text
_FORGET_COUNTERS: Final = (
    "DELETE FROM watchword_counters WHERE key IN (SELECT key FROM watchword_counters WHERE until < :past LIMIT :most)"
)
_ENDED: Final = "SELECT kind, key FROM watchword_ends WHERE until < :past ORDER BY until, kind, key LIMIT :most"
# The records first: both statements find the same ends, for they are of one transaction.
_FORGET_RECORDS, _FORGET_ENDS = (
    f"DELETE FROM {table} WHERE (kind, key) IN ({_ENDED})" for table in ("watchword_records", "watchword_ends")
)

# ---- both ----

_LEAST: Final = (
    "SELECT key FROM watchword_counters WHERE rank = :rank ORDER BY since LIMIT {greatest}(0, {least}(:most, "
    "CAST((SELECT coalesce(sum(counters), 0) FROM watchword_sizes) AS BIGINT) - :room, "
    "CAST((SELECT coalesce(sum(counters), 0) FROM watchword_sizes WHERE rank = :rank) AS BIGINT) - :share))"
)

# ---- PostgreSQL: nobody waits for whoever forgets, nor is waited for ----

# By the database's clock, unless the store has one of its own.
_PAST: Final = "coalesce(CAST(:past AS DOUBLE PRECISION), CAST(extract(epoch FROM now()) AS DOUBLE PRECISION) - :grace)"
_EACH: Final = "FOR UPDATE SKIP LOCKED"
# ARRAY(…): looked for once, however the planner joins.
_THOSE: Final = "DELETE FROM {table} WHERE key = ANY(ARRAY({found} FOR UPDATE SKIP LOCKED))"
_FORGET_ENDED: Final = (
    f"WITH ended AS MATERIALIZED (SELECT kind, key FROM watchword_ends WHERE until < {_PAST} ORDER BY until LIMIT :most {_EACH}), "
    "gone AS (DELETE FROM watchword_records AS t USING ended WHERE t.kind = ended.kind AND t.key = ended.key) "
    "DELETE FROM watchword_ends AS t USING ended WHERE t.kind = ended.kind AND t.key = ended.key"
)
_FOLD: Final = (
    "WITH gone AS (DELETE FROM watchword_sizes WHERE ctid = ANY(ARRAY("
    f"SELECT ctid FROM watchword_sizes LIMIT 4096 {_EACH})) RETURNING rank, counters) "
    "INSERT INTO watchword_sizes SELECT rank, sum(counters) FROM gone GROUP BY rank"
)


def forgets(commits: int) -> bool:
    """Whether `forgetting` is due before the `commits`-th commit."""
    return commits % _EVERY == 1


def forgetting(now: float | None, room: int, dialect: Dialect, patience: float) -> Conversation[Outcome]:
    """Forgets some of the marks, counters and records that ended more than `GRACE` seconds before `now`.

    The least valuable counters go as well while there are more than `room`. Of each twice as many as may come in until
    the next time; of the marks eight times as many are looked at, so that few that ended are still there. All that is
    no part of a commit, since a commit may be refused.

    Args:
        now: seconds since the epoch; None: by PostgreSQL's own clock.
        room: for how many counters there is.
        dialect: the database's.
        patience: seconds for which others wait for it at most.
    """
    past = None if now is None else now - GRACE
    least = {"most": _MOST_COUNTERS, "room": room, "share": share_of_a_rank(room)}
    seek = _LEAST.format(least=dialect.least, greatest=dialect.greatest)
    if dialect.takes_turns:
        drop = f"DELETE FROM watchword_counters WHERE key IN ({seek})"
        before: list[Say] = [
            *((sweep, {"past": past, "most": _MOST_MARKS}) for sweep in _SWEEP),
            (_FORGET_COUNTERS, {"past": past, "most": _MOST_COUNTERS}),
        ]
        after: list[Say] = [(say, {"past": past, "most": _MOST}) for say in (_FORGET_RECORDS, _FORGET_ENDS)]
    else:
        drop = _THOSE.format(table="watchword_counters", found=seek)
        ended = {"past": past, "grace": GRACE}
        before = [
            (_forget("watchword_spent"), {**ended, "most": _MOST_MARKS}),
            (_forget("watchword_counters"), {**ended, "most": _MOST_COUNTERS}),
        ]
        after = [(_FORGET_ENDED, {**ended, "most": _MOST}), (_FOLD, {})]
    drops: list[Say] = [(drop, {**least, "rank": rank}) for rank in range(KEPT)]
    yield [*beginning(dialect, patience), *before, *drops, *after, COMMIT]
    return COMMITTED


def _forget(table: str) -> str:
    return _THOSE.format(table=table, found=f"SELECT key FROM {table} WHERE until < {_PAST} ORDER BY until LIMIT :most")
