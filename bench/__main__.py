"""`python -m bench [--rounds N] [--seed N] [--cases N] [module …]`: prints every row's ratios to its limit.

A module of rows has `rows() -> Iterable[Row]`; it is put into MODULES by name, so that what it needs is imported only
when it runs. A module that measures something else than time has `report(seed, cases) -> Iterable[str]` instead.
"""

from __future__ import annotations

import argparse
import platform
import sys
from importlib import import_module

from bench.harness import table

MODULES = (
    "jwt",
    "jwt_more",
    "jwt_shapes",
    "digest",
    "basic",
    "hmac_header",
    "webhooks",
    "sigv4",
    "signatures",
    "oauth1",
    "dpop",
    "production",
    "redis",
    "memory",
    "frameworks",
    "frameworks_wsgi",
    "served",
    "served_wsgi",
    "clients",
    "postgresql",
    "explain",
)


def main(arguments: list[str] | None = None) -> int:
    """Runs the rows that are asked for, all of them by default."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Ratios to the limit and to peers, in one run."
    )
    parser.add_argument("modules", nargs="*", metavar="module", help=f"of {', '.join(MODULES)}; all by default")
    parser.add_argument("--rounds", type=int, default=21, help="how often each contender takes its turn")
    parser.add_argument("--seed", type=int, help="of what is random (explain)")
    parser.add_argument("--cases", type=int, help="how many cases at least (explain)")
    options = parser.parse_args(arguments)
    if unknown := set(options.modules) - set(MODULES):
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    print(f"Python {platform.python_version()}, {platform.machine()}; {options.rounds} rounds")
    print("columns: median amount; median ratio to the limit; least and greatest ratio over the rounds\n")
    for module in options.modules or MODULES:
        rows = import_module(f"bench.{module}")
        if hasattr(rows, "report"):
            print(*rows.report(options.seed, options.cases), sep="\n", end="\n\n", flush=True)
            continue
        for row in rows.rows():
            print(table(row.title, row.measure(options.rounds)), end="\n\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
