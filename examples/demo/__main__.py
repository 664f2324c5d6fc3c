"""`make demo`: starts the API and tries every attack on every scheme from every client; exit status 1 if one verdict is wrong."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from examples.api.settings import VARIABLE, Settings
from examples.demo.attacks import ATTACKS, NAMES, NOT_COVERED, PATHS, ROWS, Attack
from examples.demo.http_clients import Answer, Client, present


class Result(NamedTuple):
    """One cell of the table."""

    scheme: str
    attack: str
    client: str
    right: bool
    words: str


def main() -> int:
    """Runs the demo; 0 if every verdict is right."""
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument(
        "--store", help="a database's URL, whose secrets WATCHWORD_SECRETS seals; default: an SQLite file"
    )
    database: str | None = parser.parse_args().store
    started = time.monotonic()
    console = Console(width=None if sys.stdout.isatty() else 140)
    with tempfile.TemporaryDirectory(prefix="watchword-demo-") as folder:
        server, settings = start(Path(folder), database)
        try:
            results = try_all(settings, console)
        finally:
            server.terminate()
            server.wait(timeout=20)
    for names in (NAMES[:5], NAMES[5:]):
        console.print(table(results, names))
    wrong = [result for result in results if not result.right]
    for result in wrong:
        console.print(f"WRONG: {result.scheme}, {result.attack}, {result.client}: {result.words}", style="bold red")
    took = time.monotonic() - started
    console.print(
        f"{len(results)} verdicts, {len(wrong)} wrong, {took:.0f} s; "
        f"{'an SQLite file' if database is None else 'a database of its own'}, a real server, real sockets"
    )
    return 1 if wrong else 0


def start(folder: Path, database: str | None = None) -> tuple[subprocess.Popen[str], Settings]:
    """The API in a process of its own, once it answers."""
    command = [sys.executable, "-m", "examples.api", "--port", "0", "--json", "--folder", str(folder)]
    if database is not None:
        command += ["--store", database]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    if not server.stdout.readline():
        raise SystemExit("the API did not start")
    os.environ[VARIABLE] = str(folder / "settings.json")
    return server, Settings.load()


def try_all(settings: Settings, console: Console) -> list[Result]:
    """Every scheme × attack × client."""
    clients = present()
    results = []
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("requests", total=len(NAMES) * len(ATTACKS) * len(clients))
        for name in NAMES:
            for attack in ATTACKS:
                for client in clients:
                    results.append(judge(name, attack, client, settings))
                    progress.update(bar, advance=1, description=f"{name}: {attack.name}, {client.name}")
    return results


def judge(name: str, attack: Attack, client: Client, settings: Settings) -> Result:
    """One case: what the API answered, against what the scheme's row promises."""
    url = settings.base_url + PATHS[name]
    answer = attack.run(client, name, settings, url)
    reason = last_reason(settings)
    must_refuse = attack.promise(ROWS[name])
    if must_refuse:
        right = answer.status in (400, 401) and reason is not None
        words = f"{answer.status} {reason}"
    else:
        right = answer.status == 200 and says_who(answer, name)
        words = "accepted" if attack.name == "genuine" else NOT_COVERED
        words = words if right else f"{answer.status} {reason}"
    return Result(name, attack.name, client.name, right, words)


def says_who(answer: Answer, name: str) -> bool:
    """The API knew the scheme."""
    return bool(json.loads(answer.body)["scheme"] == name)


def last_reason(settings: Settings) -> str | None:
    """What the API told its operator about the last request."""
    assert settings.verdicts is not None
    line = Path(settings.verdicts).read_text().splitlines()[-1]
    reason: str | None = json.loads(line)["reason"]
    return reason


def table(results: list[Result], names: Sequence[str]) -> Table:
    """Attacks down, schemes across; one line where all clients agree."""
    shown = Table(title="every client × scheme × attack; the reason is the operator's, the client sees the status")
    shown.add_column("")
    for name in names:
        shown.add_column(name)
    for attack in ATTACKS:
        cells = []
        for name in names:
            mine = [result for result in results if (result.scheme, result.attack) == (name, attack.name)]
            said = {result.words for result in mine}
            if len(said) == 1:
                cells.append(f"{said.pop()} ({len(mine)} clients)")
            else:
                cells.append("; ".join(f"{result.client}: {result.words}" for result in mine))
        shown.add_row(attack.name, *cells)
    return shown


if __name__ == "__main__":
    sys.exit(main())
