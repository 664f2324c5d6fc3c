"""How an entry of the third set is made: a scheme's client with one of its steps replaced."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench.unlisted.cases import CASE, EMPTY, PLACEHOLDER, Case, Kind

__all__ = ["Change", "Maker", "b64", "b64u", "sha256", "words"]

SIGNING = ("jwt", "hmac", "sigv4", "oauth1", "rfc9421", "webhooks")
HIDING = {
    (scheme, step) for scheme in SIGNING for step in ("key", "secret", "token secret", "host signed", "path signed")
}
"""Steps of which the request shows no more than what a MAC makes of them."""
Build = Callable[[random.Random, dict[str, Any]], "Case | None"]


FALSE = (  # what is false of a mistake whose own words have none of these
    (r"case is lost", (CASE,)),
    (r"without a scheme word", ("word", "scheme", PLACEHOLDER)),
    (r"a variable is not set|template not filled", (PLACEHOLDER, EMPTY)),
    (r"in the field content-type", ()),
    (r"in the field (accept|host)\b", ()),
)


@dataclass(frozen=True)
class Change:
    """One change of a value: words that tell of it, what it does, and whether few do it."""

    name: str
    what: str
    make: Callable[[Any], Any]
    tail: bool = False
    lost: bool = False
    """It can't be undone: of what was sent so, nobody could tell what it had been."""
    hidden: bool = False
    """It is made with something of which the request says nothing: nobody could tell it of what was signed so."""


def words(*some: str) -> str:
    """Any of the words."""
    return "|".join(some)


def alternatives(pattern: str) -> list[str]:
    """What stands between the bars of a pattern that are in no group and no set."""
    parts, depth = [""], 0
    for piece in re.findall(r"\\.|.", pattern):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(piece, 0)
        if piece == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def strict(pattern: str) -> str:
    """A pattern in which a single character counts only where it is named: in quotes, or with what became of it."""
    parts = []
    for part in alternatives(pattern):
        bare = re.fullmatch(r"\\?[^A-Za-z]|[A-Z0-9]|\[\W+\]", part)
        parts.append(
            rf"[\"'`]{part}[\"'`]|(a|an|the|with|its) {part} (for|in|after|before|between|at)\b" if bare else part
        )
    return "|".join(parts)


class Maker:
    """Collects the entries of one scheme."""

    def __init__(self, scheme: str, build: Build, never: tuple[str, ...] = ()) -> None:
        self.scheme, self.build, self.never = scheme, build, never
        self.kinds: list[Kind] = []

    def add(
        self,
        name: str,
        part: str,
        what: str,
        table: dict[str, Any],
        *,
        tail: bool = False,
        never: tuple[str, ...] = (),
    ) -> None:
        def make(r: random.Random) -> Case | None:
            return self.build(r, table)

        what = strict(what)
        always = tuple(false for false, unless in FALSE if not any(word in what for word in unless))
        self.kinds.append(Kind(self.scheme, name, tail, part, what, make, (*self.never, *never), always=always))

    def far(self, name: str, part: str, what: str, table: dict[str, Any], never: tuple[str, ...] = ()) -> None:
        self.add(name, part, what, table, tail=True, never=never)

    def axis(
        self,
        prefix: str,
        step: str,
        part: str,
        changes: Iterable[Change],
        only: str = "",
        never: tuple[str, ...] = (),
    ) -> None:
        """One entry for each change of one step; `only` names those that are wanted, by their numbers."""
        listed = list(changes)
        chosen = [listed[int(number)] for number in only.split()] if only else listed
        for change in chosen:
            if (change.lost and step.endswith(" sent")) or (change.hidden and (self.scheme, step) in HIDING):
                continue
            table = {step: _hook(change.make)}
            if step == "host sent":
                table["headers"] = lambda value, world: [*value, ("X-Forwarded-Host", world.host)]
            self.add(f"{prefix}: {change.name}", part, change.what, table, tail=change.tail, never=never)


def _hook(make: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, world: make(value)


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def b64u(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()
