"""`watchword store`: makes and changes the tables of a store's database, and says what they are good for."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from watchword.cli.administration import Json, StoreURL, located, note, unusable
from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.stores.sql.checking import Finding, findings
from watchword.stores.sql.migrations import upgrade

__all__ = ["store_commands"]

store_commands = typer.Typer(help="Make, change and check the tables of a store.", no_args_is_help=True)


@store_commands.command("upgrade")
def upgrade_store(store: StoreURL) -> None:
    """Make the tables, or change those of an earlier version; records, marks and counters stay."""
    database = located(store, create=True)
    try:
        revision = upgrade(store)
    except StoreUnavailable as error:
        note(f"watchword: {error}")
        raise typer.Exit(1) from None
    except ConfigurationError as error:
        unusable(str(error))
    note(f"{database!r} has the tables of revision {revision}")


@store_commands.command("check")
def check_store(
    store: StoreURL,
    standby: Annotated[
        bool, typer.Option("--synchronous-standby", help="fail unless commits are confirmed by a synchronous standby")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say whether the tables are this version's, how far the clocks are apart, and when nothing is accepted twice."""
    try:
        found = findings(located(store), standby=standby)
    except StoreUnavailable as error:
        note(f"watchword: {error}")
        raise typer.Exit(1) from None
    except ConfigurationError as error:
        unusable(str(error))
    if as_json:
        typer.echo(json.dumps([{"what": what, "found": words, "well": well} for what, words, well in found]))
    else:
        for finding in found:
            typer.echo(_line(finding))
    if not all(finding.well for finding in found):
        raise typer.Exit(1)


def _line(finding: Finding) -> str:
    return f"{'ok  ' if finding.well else 'FAIL'} {finding.what}: {finding.found}"
