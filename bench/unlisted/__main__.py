"""Draws, judges and counts: `python -m bench.unlisted --seed N`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

from bench.unlisted.cases import Kind, Outcome, judged, wilson

SCHEMES = ("basic", "api_key", "jwt", "digest", "hmac", "sigv4", "oauth1", "rfc9421", "webhooks")


def kinds(scheme: str = "", half: str = "", tail: bool | None = None) -> list[Kind]:
    """The kinds that a run draws from."""
    found: list[Kind] = []
    for name in SCHEMES:
        if scheme in ("", name):
            found += import_module(f"bench.unlisted.{name}").KINDS
    names = [(kind.scheme, kind.name) for kind in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SystemExit(f"two kinds of one name: {sorted(twice)}")
    return [kind for kind in found if half in ("", kind.half) and tail in (None, kind.tail)]


def run(chosen: Iterable[Kind], seed: int) -> list[Outcome]:
    """One outcome for each kind that makes a mistake at this seed."""
    return [outcome for kind in chosen if (outcome := judged(kind, seed)) is not None]


def row(name: str, outcomes: Sequence[Outcome]) -> str:
    decidable = [each for each in outcomes if not each.kind.undecidable]
    hits, parts = (sum(getattr(each, what) for each in decidable) for what in ("true", "right_part"))
    count = len(decidable) or 1
    bad = [sum(bool(getattr(each, what)) for each in outcomes) for what in ("false", "leaks", "error", "contradiction")]
    return (
        f"{name:18} {len(decidable):5} {hits / count:7.1%} {wilson(hits, len(decidable)):7.1%} {parts / count:7.1%}"
        f" {bad[0]:6} {bad[1]:6} {bad[2]:6} {bad[3]:6} {len(outcomes) - len(decidable):6}"
    )


HEAD = f"{'':18} {'cases':>5} {'true':>7} {'≥ (95%)':>7} {'part':>7} {'false':>6} {'leaks':>6} {'errors':>6} {'contra':>6} {'undec.':>6}"


def table(outcomes: Sequence[Outcome]) -> str:
    """Figures per scheme, of common mistakes, of the far tail, and of all."""
    lines = []
    for title, share in (
        ("common", [each for each in outcomes if not each.kind.tail]),
        ("far tail", [each for each in outcomes if each.kind.tail]),
    ):
        if not share:
            continue
        lines += [f"{title}", HEAD]
        for scheme in SCHEMES:
            own = [each for each in share if each.kind.scheme == scheme]
            lines += [row(scheme, own)] if own else []
        lines += [row("all", share), ""]
    return "\n".join(lines)


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
    parser.add_argument("--tail", action="store_true")
    parser.add_argument("--common", action="store_true")
    parser.add_argument("--half", choices=("a", "b"), default="")
    parser.add_argument("--misses", type=Path)
    parser.add_argument("--all", type=Path)
    parser.add_argument("--limit", type=int)
    asked = parser.parse_args()
    tail = None if asked.tail == asked.common else asked.tail
    outcomes = run(kinds(asked.scheme, asked.half, tail)[: asked.limit], asked.seed)
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
