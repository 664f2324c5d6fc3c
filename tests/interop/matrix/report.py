"""Writes what a run of all cells has shown into docs/supported.md: `python -m tests.interop.matrix.report RESULTS.xml …`."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from tests.interop.matrix.cells import Missing, checks_of, every
from tests.interop.matrix.clients import CLIENTS
from tests.interop.matrix.schemes import SCHEMES
from tests.interop.matrix.servers import SERVERS

__all__ = ["BEGIN", "END", "PAGE", "Results", "between", "read", "replaced", "row_of", "written"]

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = ROOT / "docs" / "supported.md"
BEGIN, END = "<!-- what make matrix writes -->", "<!-- up to here -->"

Names = tuple[str, str, str]
Results = Mapping[Names, tuple[str, ...]]
"""Of each cell that was run, by its names, the checks that failed."""


def read(path: Path) -> Results:
    """The results in a file of pytest's. A cell without its properties has not come to its end."""
    results = {}
    for case in ET.parse(path).iter("testcase"):
        told = {each.get("name"): each.get("value", "") for each in case.iter("property")}
        if "failed" in told:
            names = (told["scheme"], told["client"], told["server"])
            results[names] = tuple(name for name in told["failed"].split(", ") if name)
    return results


def written(results: Results, date: str, commit: str) -> str:
    """The part of the page that a run has shown.

    Raises:
        ValueError: a cell was not run, or there is none of that name.
    """
    cells = every()
    if odd := {cell.names for cell in cells} ^ results.keys():
        raise ValueError(f"{len(odd)} cells were not run to their end, or are unknown: {min(odd)}")
    green = sum(not failed for failed in results.values())
    tried = sum(len(checks_of(cell.client)) for cell in cells)
    names = [[each.name for each in entries] for entries in (SCHEMES, CLIENTS, SERVERS)]
    failures = Counter((check, names[1]) for names, failed in results.items() for check in failed)
    return "\n\n".join(
        [
            f"{date}, `src` of commit {commit}: {green} of {len(cells)} cells are green, by {tried} checks.",
            *(f"- {check}, by {client}: {count} cells are not" for (check, client), count in sorted(failures.items())),
            "Servers by scheme and client:",
            table(results, (0, names[0]), (1, names[1])),
            "Clients by server and scheme:",
            table(results, (2, names[2]), (0, names[0])),
            "Schemes by server and client:",
            table(results, (2, names[2]), (1, names[1])),
        ]
    )


def table(results: Results, rows: tuple[int, Sequence[str]], columns: tuple[int, Sequence[str]]) -> str:
    """How many cells are green, for each pair of names; the number in front of each list says which name of a cell it is."""
    lines = [["", *columns[1]]]
    for row in rows[1]:
        line = [row]
        for column in columns[1]:
            among = [
                failed for names, failed in results.items() if (names[rows[0]], names[columns[0]]) == (row, column)
            ]
            green = sum(not failed for failed in among)
            line.append("" if not among else str(green) if green == len(among) else f"{green} of {len(among)}")
        lines.append(line)
    head, *shown = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([head, "|---" * len(lines[0]) + "|", *shown])


def row_of(lacking: Missing) -> str:
    """Its row on the page of limitations."""
    return f"| {lacking.client} | {', '.join(lacking.what)} | {lacking.why} |"


def between(page: str) -> str:
    """The part of the page that is written here."""
    return page.partition(BEGIN)[2].partition(END)[0].strip()


def replaced(page: str, part: str) -> str:
    """The page with that part in it."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{part}\n\n{END}{rest.partition(END)[2]}"


def git(*words: str) -> str:
    """What git says."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def main(*paths: str) -> None:
    """Writes the page, of a run or of its parts. Date and commit are those of the last change of the package, so that a second run writes the same."""
    date, commit = git("log", "-1", "--format=%cs %h", "--", "src").split()
    if git("status", "--porcelain", "--", "src"):
        commit += ", changed"
    try:
        part = written({names: failed for path in paths for names, failed in read(Path(path)).items()}, date, commit)
    except ValueError as error:
        sys.exit(f"make matrix writes nothing: {error}")
    PAGE.write_text(replaced(PAGE.read_text("utf-8"), part), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
