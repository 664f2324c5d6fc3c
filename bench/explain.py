"""How often the first cause that `explain` names is the true one: `python -m bench explain [--seed N] [--cases N]`.

Genuine requests of every scheme are signed, broken in one of the ways of `explain_mutations` and `explain_worlds`, and given
to the guard and to `explain`. What is true is what was done, by the tables there. Four things are counted:

- named: the first cause is the component that was changed;
- said so: what was signed can't be found again (the row says so), and the first cause is the signature as such, not an
  innocent component. Nobody could do better, so this counts as right, and is shown apart;
- wrong: anything else;
- contradictions (an explanation says "accepted" where the guard refuses, or the other way round), and secrets in the text or
  the JSON, in any usual spelling. There must be none of either.

A mutation that a scheme's canonical form takes out again (RFC 9421 trims fields, SigV4 sorts the query) is accepted, rightly;
it is no case of the comparison.
"""

from __future__ import annotations

import random
import re
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from time import perf_counter
from typing import NamedTuple
from urllib.parse import quote

from bench.explain_more import MORE_KINDS, MORE_WORLDS
from bench.explain_mutations import KINDS, Draft, Kind, both, draft
from bench.explain_bearers import BEARERS
from bench.explain_signed import SIGNED
from bench.explain_worlds import OWN, Fault, World
from watchword import Rejected, Request, explain
from watchword.schemes.explaining.program import Explanation
from watchword.schemes.webhooks import PROFILES

__all__ = ["Outcome", "Tally", "doubles", "leaks", "report", "run", "sample"]

CASES = 2600
SEED = 20_260_101

ALIASES = {
    "time": ("claim exp", "claim nbf", "header x-amz-date", "x-amz-date", "created", "expires", "oauth_timestamp", "authorization timestamp", "header signature-input created"),
    "key id": ("authorization keyid", "keyid", "oauth_consumer_key", "header kid", "authorization Credential"),
    "key": ("secret", "client secret", "token secret"),
    "token": ("oauth_token",),
    "user": ("authorization username", "username"),
    "password": ("authorization password", "authorization response"),
    "realm": ("authorization realm",), "qop": ("authorization qop",), "nc": ("authorization nc",),
    "target": ("authorization uri",), "cnonce": ("authorization cnonce",),
    "audience": ("claim aud",), "issuer": ("claim iss",), "subject": ("claim sub",), "typ": ("header typ",),
    "region": ("authorization Credential region",), "service": ("authorization Credential service",),
    "date": ("authorization Credential date",),
    "algorithm": ("alg", "header alg", "authorization algorithm", "oauth_signature_method"),
    "nonce": ("authorization nonce", "oauth_nonce"),
    "input": ("header signature-input", "header signature-input alg"),
    "body": ("authorization digest", "oauth_body_hash"),
    "credentials": ("authorization", "token", "x-hmac", "signature", "signature-input", "oauth_signature", *(row.signature for row in PROFILES.values())),
    "signature": ("authorization mac", "authorization Signature", "mac", "x-hmac", "signature", "oauth_signature", "authorization response", *(f"header {row.signature}" for row in PROFILES.values())),
    "@path": ("authorization uri", "target", "@target", "@target-uri"),
    "@query": ("authorization uri", "target", "@target", "@target-uri"),
}  # fmt: skip
"""Words of the tables, and what components are called by the schemes; a name may stand for two things."""


class Outcome(NamedTuple):
    """What became of one case."""

    scheme: str
    kind: str
    truth: str
    named: str
    verdict: str
    contradiction: bool
    leak: bool
    seconds: float


class Tally(NamedTuple):
    """All cases."""

    seed: int
    outcomes: list[Outcome]

    def of(self, *verdicts: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.verdict in verdicts]

    @property
    def share(self) -> float:
        """Right ones of those that were refused, in percent."""
        return _share(self.outcomes)


def _share(outcomes: Iterable[Outcome]) -> float:
    counts = Counter(outcome.verdict for outcome in outcomes)
    right, all_ = counts["named"] + counts["said so"], counts["named"] + counts["said so"] + counts["wrong"]
    return 100 * right / all_ if all_ else 100.0


def run(seed: int = SEED, cases: int = CASES) -> Tally:
    """At least `cases` cases that are refused: every kind for every scheme that it is about, again and again."""
    everything = _worlds(seed)
    pairs = [(world, kind) for world in everything for kind in (*_kinds(world), *world.faults)]
    outcomes: list[Outcome] = []
    refused = 0
    for number in count():
        for world, kind in pairs:
            outcome = _tried(world, kind, random.Random(f"{seed} {number} {world.name} {kind.name}"))
            outcomes.append(outcome)
            refused += outcome.verdict != "accepted"
        if refused >= cases:
            return Tally(seed, outcomes)
    raise AssertionError("count() ends")


def doubles(seed: int = SEED, cases: int = 200) -> Tally:
    """Two kinds at once that change different components, both recoverable, chosen at random; true is either of them."""
    able = [world for world in _worlds(seed) if "@path" in world.covers]
    rng = random.Random(f"{seed} doubles")
    outcomes = []
    while len(outcomes) < cases:
        world = rng.choice(able)
        one, two = rng.sample([kind for kind in _kinds(world) if kind.recoverable and "|" not in kind.truth], 2)
        if one.truth == two.truth or "body" in (one.truth, two.truth) or "method" in one.name + two.name:
            continue  # a body has a digest of its own, so that it is no search for two; a body sets the method
        kind = Kind(
            f"{one.name}; {two.name}",
            f"{one.truth}|{two.truth}",
            both(one.before, two.before),
            both(one.after, two.after),
        )
        outcome = _tried(world, kind, rng)
        if outcome.verdict != "accepted":
            outcomes.append(outcome)
    return Tally(seed, outcomes)


def sample(seed: int = SEED) -> Tally:
    """Every kind for one or two of the schemes that it is about, and nearly every fault of every scheme."""
    everything = _worlds(seed)
    outcomes = []
    for kind in (*KINDS, *MORE_KINDS):
        rng = random.Random(f"{seed} {kind.name}")
        # A search in vain takes longest, by public keys far longer.
        able = [world for world in everything if kind in _kinds(world)]
        able = able if kind.recoverable else ([world for world in able if not world.slow] or able)
        times = 2 if kind.recoverable else 1
        outcomes += [_tried(world, kind, rng) for world in rng.sample(able, min(times, len(able)))]
    for world in everything:
        for fault in world.faults:
            if fault.recoverable or not world.slow:
                outcomes.append(_tried(world, fault, random.Random(f"{seed} {world.name} {fault.name}")))
    return Tally(seed, outcomes)


def _worlds(seed: int) -> list[World]:
    return [
        make(random.Random(f"{seed} {number}")) for number, make in enumerate((*OWN, *SIGNED, *BEARERS, *MORE_WORLDS))
    ]


def _kinds(world: World) -> Iterator[Kind]:
    for kind in (*KINDS, *MORE_KINDS):
        if {"fields" if part.startswith("header ") else part for part in kind.truth.split("|")} <= world.covers:
            yield kind


def _tried(world: World, kind: Kind | Fault, rng: random.Random) -> Outcome:
    world.now += 10_000 + rng.random()
    if isinstance(kind, Fault):
        request, body = kind.make(world, rng)
    else:
        request, body = _mutated(world, kind, rng)
    start = perf_counter()
    explanation = explain(request, world.guard, body)
    taken = perf_counter() - start
    again = explanation if taken > 0.1 else explain(request, world.guard, body)
    try:
        world.guard.verify(request, body)
        accepted = True
    except Rejected:
        accepted = False
    contradiction = (
        accepted != explanation.accepted
        or bool(explanation.causes) == accepted
        or again.to_json() != explanation.to_json()
    )
    named = _named(explanation)
    return Outcome(
        world.name, kind.name, kind.truth, named, _verdict(world, kind, accepted, named), contradiction,
        leaks(explanation, world.secrets), taken,
    )  # fmt: skip


def _mutated(world: World, kind: Kind, rng: random.Random) -> tuple[Request, bytes]:
    unsigned = draft(rng)
    kind.before(unsigned, rng)
    signed = Draft(world.sign(unsigned, rng), unsigned.body)
    kind.after(signed, rng)
    if signed.values(b"content-length"):
        signed.field(b"content-length", b"%d" % len(signed.body))
    return signed.request(), signed.body


def _named(explanation: Explanation) -> str:
    if not explanation.causes:
        return ""
    first = explanation.causes[0]
    if first.name in ("single use", "time"):
        return "replay" if first.name == "single use" else "time"
    if first.component == "x-api-key":  # all that there is
        return {"key id": "key id", "secret": "key", "revoked": "revoked"}.get(first.name, "credentials")
    component = re.sub(r'^"([^"@]+)".*', r"header \1", first.component)  # RFC 9421's way to name a field
    return "|".join([word for word, names in ALIASES.items() if component in names] or [component])


def _verdict(world: World, kind: Kind | Fault, accepted: bool, named: str) -> str:
    if accepted:
        return "accepted"
    if set(kind.truth.split("|")) & set(named.split("|")):
        return "named"
    if not kind.recoverable and "signature" in named.split("|"):
        return "said so"
    return "wrong"


def leaks(explanation: Explanation, secrets: Iterable[bytes]) -> bool:
    """Whether a secret is in the text or the JSON: as it is, in hex, base64, base64url, percent-encoded or escaped."""
    shown = (str(explanation) + explanation.to_json() + repr(explanation)).lower()
    return any(form.lower() in shown for secret in secrets for form in _forms(secret))


def _forms(secret: bytes) -> Iterator[str]:
    yield secret.hex()
    yield b64encode(secret).decode().rstrip("=")
    yield urlsafe_b64encode(secret).decode().rstrip("=")
    yield quote(secret)
    yield repr(secret)[2:-1]
    yield secret.decode("latin-1")
    yield secret.decode("utf-8", "backslashreplace")


# ---- the report ------------------------------------------------------------------------------------------------------


def report(seed: int | None = None, cases: int | None = None) -> Iterator[str]:
    """The figures, line by line."""
    tally = run(SEED if seed is None else seed, CASES if cases is None else cases)
    refused = tally.of("named", "said so", "wrong")
    kinds = {outcome.kind for outcome in refused}
    yield f"explain names the cause: {len(refused)} refused requests, {len(kinds)} kinds of mutation, seed {tally.seed}"
    yield f"  {'scheme':<24}{'cases':>7}{'named':>8}{'said so':>9}{'wrong':>7}{'right':>9}"
    for scheme in dict.fromkeys(outcome.scheme for outcome in tally.outcomes):
        yield _line(scheme, [outcome for outcome in refused if outcome.scheme == scheme])
    yield _line("all", refused)
    yield f"  accepted, since the canonical form is the same: {len(tally.of('accepted'))}"
    yield f"  explanations that contradict the guard: {sum(outcome.contradiction for outcome in tally.outcomes)}"
    for outcome in tally.outcomes:
        if outcome.contradiction:
            yield f"    {outcome}"
    yield f"  explanations with a secret in them: {sum(outcome.leak for outcome in tally.outcomes)}"
    two = doubles(tally.seed, max(20, len(refused) // 12))
    unexplained = sum("signature" in outcome.named for outcome in two.of("wrong"))
    yield (
        f"  two at once, at random, of the recoverable kinds: {len(two.outcomes)} cases, {len(two.of('named'))} named, "
        f"{unexplained} not explained, {len(two.of('wrong')) - unexplained} wrong"
    )
    for (scheme, kind, truth, named), times in Counter(
        (outcome.scheme, outcome.kind, outcome.truth, outcome.named) for outcome in tally.of("wrong")
    ).most_common():
        yield f"  wrong, {times}: {scheme}: {kind}: {truth}, not {named or 'nothing'}"


def _line(name: str, outcomes: list[Outcome]) -> str:
    counts = Counter(outcome.verdict for outcome in outcomes)
    return f"  {name:<24}{len(outcomes):>7}{counts['named']:>8}{counts['said so']:>9}{counts['wrong']:>7}{_share(outcomes):>8.2f}%"
