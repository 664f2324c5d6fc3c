"""What can be said of a database before anybody relies on it."""

from __future__ import annotations

from typing import NamedTuple

from watchword.stores.sql.database import Database
from watchword.stores.sql.server import APART, Server
from watchword.stores.sql.tables import REVISION

__all__ = ["Finding", "findings"]


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    found: str
    well: bool


def findings(database: Database | Server, *, standby: bool = False) -> list[Finding]:
    """What there is to say of the database: its tables, its clock, and when nothing is accepted twice.

    Args:
        database: that of `urls.database_at`, there already.
        standby: whether a synchronous standby is demanded.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    found = [_tables(database.revision())]
    if isinstance(database, Database):
        alone = "on one host, over the end of a process; a power failure may cost the last moments"
        return [*found, Finding("never twice", alone, not standby)]
    state = database.state()
    apart = abs(state.ahead)
    side = "ahead of" if state.ahead >= 0 else "behind"
    writable = not state.in_recovery and state.read_only == "off"
    lacks = state.why_a_failover_may_forget()
    promise = (
        "over a failover to a synchronous standby" if lacks is None else f"on one primary, not over a failover: {lacks}"
    )
    return [
        *found,
        Finding("clock", f"{apart:.1f} s {side} this host's", apart <= APART),
        Finding("writes", "accepted" if writable else "refused: this is a standby, or read-only", writable),
        Finding("never twice", promise, lacks is None or not standby),
    ]


def _tables(revision: str | None) -> Finding:
    if revision == REVISION:
        return Finding("tables", f"revision {revision}, this version's", well=True)
    said = "none that are counted" if revision is None else f"revision {revision[:32]}"
    return Finding("tables", f"{said}, and {REVISION} is this version's: run `watchword store upgrade`", well=False)
