"""Draws, judges and counts: `python -m bench.unlisted --seed N`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.unlisted.cases import Outcome
from bench.unlisted.figures import SCHEMES, SETS, kinds, run, table


def written(outcome: Outcome) -> str:
    fields = {
        "scheme": outcome.kind.scheme,
        "kind": outcome.kind.name,
        "tail": outcome.kind.tail,
        "half": outcome.kind.half,
    }
    told = {
        name: getattr(outcome, name)
        for name in (
            "seed",
            "true",
            "right_part",
            "false",
            "leaks",
            "error",
            "contradiction",
            "reason",
            "first",
            "text",
        )
    }
    wanted = {
        "undecidable": outcome.kind.undecidable,
        "part_wanted": outcome.kind.part,
        "what_wanted": outcome.kind.what,
    }
    return json.dumps({**fields, **told, **wanted}, ensure_ascii=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--scheme", choices=SCHEMES, default="")
    parser.add_argument("--set", choices=tuple(SETS), default="first")
    parser.add_argument("--tail", action="store_true")
    parser.add_argument("--common", action="store_true")
    parser.add_argument("--half", choices=("a", "b"), default="")
    parser.add_argument("--misses", type=Path)
    parser.add_argument("--all", type=Path)
    parser.add_argument("--limit", type=int)
    asked = parser.parse_args()
    tail = None if asked.tail == asked.common else asked.tail
    outcomes = run(kinds(asked.scheme, asked.half, tail, asked.set)[: asked.limit], asked.seed)
    print(table(outcomes))
    misses = [
        each
        for each in outcomes
        if (not each.true and not each.kind.undecidable) or each.leaks or each.error or each.contradiction
    ]
    for file, some in ((asked.misses, misses), (asked.all, outcomes)):
        if file is not None:
            with file.open("a", encoding="utf-8") as lines:
                lines.writelines(written(each) + "\n" for each in some)
    return 0


if __name__ == "__main__":
    sys.exit(main())
