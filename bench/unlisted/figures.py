"""Which kinds a run draws from, and the figures of what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module

from bench.unlisted.cases import Kind, Outcome, judged, wilson

__all__ = ["SCHEMES", "SETS", "kinds", "run", "table"]

FIRST = ("basic", "api_key", "jwt", "digest", "hmac", "sigv4", "oauth1", "rfc9421", "webhooks")
SCHEMES = (*FIRST[:2], "token", *FIRST[2:])
SETS = {
    "first": ("bench.unlisted", FIRST),
    "second": ("bench.unlisted.second", ("hmac", "sigv4", "oauth1", "rfc9421", "webhooks")),
    "third": ("bench.unlisted.third", SCHEMES),
}


def kinds(scheme: str = "", half: str = "", tail: bool | None = None, chosen: str = "first") -> list[Kind]:
    """The kinds that a run draws from; `chosen` is the set's name."""
    found: list[Kind] = []
    package, schemes = SETS[chosen]
    for name in schemes:
        if scheme in ("", name):
            found += import_module(f"{package}.{name}").KINDS
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
