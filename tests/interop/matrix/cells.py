"""Which cells there are, which are missing and why, and the few that hold every pair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from tests.interop.matrix.checks import CHECKS
from tests.interop.matrix.clients import CLIENTS, Client
from tests.interop.matrix.schemes import SCHEMES, Scheme
from tests.interop.matrix.servers import SERVERS, Server

__all__ = ["Cell", "Missing", "checks_of", "covering", "every", "missing", "pairs"]


class Cell(NamedTuple):
    """One scheme, by one client, on one server."""

    scheme: Scheme
    client: Client
    server: Server

    @property
    def names(self) -> tuple[str, str, str]:
        """Of the three."""
        return self.scheme.name, self.client.name, self.server.name


Pair = tuple[tuple[int, str], tuple[int, str]]
"""Two names, each with the number of its table."""


class Missing(NamedTuple):
    """Cells that there are not, or what cells don't try."""

    client: str
    what: tuple[str, ...]
    why: str


def every() -> list[Cell]:
    """All cells that there are, those of a server together."""
    return [
        Cell(scheme, client, server)
        for server in SERVERS
        for client in CLIENTS
        for scheme in SCHEMES
        if client.schemes is None or scheme.name in client.schemes
    ]


def missing() -> list[Missing]:
    """What the matrix lacks, and why."""
    lacking = []
    for client in CLIENTS:
        others = tuple(
            scheme.name for scheme in SCHEMES if client.schemes is not None and scheme.name not in client.schemes
        )
        tried = checks_of(client)
        untried = tuple(name for name in CHECKS if name not in tried)
        lacking += [
            Missing(client.name, what, client.reasons[kind])
            for kind, what in (("schemes", others), ("checks", untried))
            if what
        ]
    return lacking


def checks_of(client: Client) -> list[str]:
    """The names of the checks that its cells go through."""
    return [name for name in CHECKS if client.redirects or not name.endswith("redirect")]


def pairs(cells: Iterable[Cell]) -> set[Pair]:
    """The pairs that these cells hold: scheme and client, scheme and server, client and server."""
    return {pair for cell in cells for pair in combinations(enumerate(cell.names), 2)}


def covering(cells: Sequence[Cell]) -> list[Cell]:
    """Few of `cells` that hold every pair of all: each time the first of those that hold the most new ones."""
    held = {id(cell): pairs([cell]) for cell in cells}
    left = pairs(cells)
    chosen: set[int] = set()
    while left:
        best = max(cells, key=lambda cell: len(held[id(cell)] & left))
        chosen.add(id(best))
        left -= held[id(best)]
    return [cell for cell in cells if id(cell) in chosen]
