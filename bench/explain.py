"""How often the first cause that `explain` names is the true one: `python -m bench explain [--seed N] [--cases N]`.

Genuine requests of every scheme are broken in the ways of the grammar that `explain` itself goes by, each the other way round:

- computed otherwise: a deviation of a node of the scheme's description makes the proof that is sent, or two do;
- changed on the way: a change of the request that is guessed at is undone before it is signed;
- presented otherwise: another place, another scheme word, another spelling of the field;
- typed otherwise: what may be meant by a password is the one that is stored.

So this says whether the grammar is searched and told as it is meant. How much of what clients really do is in the grammar, it
can't say: beside it stands the figure of `bench.unlisted`, whose mistakes were written without sight of it. Those of half a
were seen while `explain` was mended, those of half b are held out.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote

from bench.explain_worlds import UNSIGNED, WORLDS, Draft, Maker, World, cheaply_hashed, draft, leaks
from bench.unlisted import figures
from watchword import ConfigurationError, Password, Rejected, Request, explain
from watchword.core.records import Put, Ref
from watchword.core.scheme import Body
from watchword.crypto.digests import digest
from watchword.schemes.body_hmac import BodyHMACClaim
from watchword.schemes.body_hmac_explain import mac_of as body_mac_of
from watchword.schemes.diagnosis import Guess, request_guesses
from watchword.schemes.diagnosis.text_axes import SPELLINGS
from watchword.schemes.digest.description import described as described_digest
from watchword.schemes.digest.server import DigestClaim
from watchword.schemes.explaining.computation import Computation, Join, Leaf, Node
from watchword.schemes.explaining.deviations import Deviation, deviations
from watchword.schemes.explaining.typed_text import retyped
from watchword.schemes.hmac_explain import mac_of
from watchword.schemes.hmac_header import HMACClaim
from watchword.schemes.oauth1.claim import OAuth1Claim, references
from watchword.schemes.oauth1.description import described as described_oauth1
from watchword.schemes.signatures.claim import SignatureClaim
from watchword.schemes.signatures.description import described as described_signature
from watchword.schemes.sigv4.claim import SigV4Claim
from watchword.schemes.sigv4.description import described as described_sigv4
from watchword.schemes.webhooks.explanation import signature_of
from watchword.schemes.webhooks.scheme import WebhookClaim

__all__ = [
    "AXES", "DESCRIBED", "Broken", "Described", "Outcome", "broken", "component", "described", "described_in", "every", "leaks", "on_the_way", "report", "run",
]  # fmt: skip

CASES = 2000
SEED = 20_260_101
_UNDESCRIBED = {"ed25519_webhook_world", "public_signature_world"}  # a signature by a private key is no value
DESCRIBED = [
    make for make in WORLDS if make.__name__ not in _UNDESCRIBED and (make not in UNSIGNED or "digest" in make.__name__)
]


# ---- the descriptions ------------------------------------------------------------------------------------------------


class Described(NamedTuple):
    """What was sent, and the computations that the server's description makes of it."""

    name: str
    request: Request
    body: bytes
    received: list[bytes]
    roots: list[Node]


def described(make: Maker, seed: int, count: int = 1) -> Iterator[Described]:
    """Requests of a world with their descriptions; none if the world's scheme has none."""
    rng = random.Random(seed)
    world = make(rng)
    for _ in range(count):
        unsigned = draft(rng)
        found = described_in(world, world.sign(unsigned, rng), unsigned.body)
        if found is not None:
            yield found


def described_in(world: World, request: Request, body: bytes) -> Described | None:
    """What a request sent, with the computations; None if its scheme describes none."""
    case = world.guard.plan.explaining.locate(request)
    assert case is not None
    try:
        found = _of(case.claim, world, body)
    except Rejected:  # there is no computation over this body
        return None
    return None if found is None else Described(world.name, case.request, body, *found)


def _of(claim: object, world: World, body: bytes) -> tuple[list[bytes], list[Node]] | None:
    if isinstance(claim, HMACClaim):
        record = world.store.fetch(claim.needs).get(claim.needs[0])
        return [claim.params.mac.encode()], [mac_of(claim, record, body=body)[0]]
    if isinstance(claim, BodyHMACClaim):
        return [claim.mac.hex().encode()], [body_mac_of(claim, body)]
    if isinstance(claim, WebhookClaim) and claim.delivery.macs:
        secrets = [secret for secret in claim.verifier.engine.secrets if secret.mac is not None]
        contents = list(enumerate(claim.contents(body)))
        roots = [signature_of(claim, each, content, body, number) for each in secrets for number, content in contents]
        return list(claim.delivery.macs), list(roots)
    if isinstance(claim, SigV4Claim) and not claim.presented.plan.ecdsa:
        record = world.store.fetch(claim.needs).get(claim.needs[0])
        return [claim.presented.signature], [each.signature for each in described_sigv4(claim, record, body)]
    if isinstance(claim, OAuth1Claim):
        presented = claim.presented_in(body)
        refs = references(presented)
        found = world.store.fetch(refs)
        client, token = found.get(refs[0]), found.get(refs[1]) if len(refs) > 1 else None
        tree = described_oauth1(claim, presented, body, (client.secret, token.secret if token else ""))
        return None if tree.signature is None else ([presented.signature.encode()], [tree.signature])
    if isinstance(claim, DigestClaim):
        found = world.store.fetch(claim.needs)
        record = found.get(claim.ref(claim.username(found)))
        data = Body(body, {name: digest(name, body) for name in ("sha-256", "md5", "sha-512-256")})
        return [claim.presented.response.encode()], [root for root, _ in described_digest(claim, record, found, data)]
    if isinstance(claim, SignatureClaim):
        ((one, key_owner),) = claim.judged(world.store.fetch(claim.needs), Body(body), world.now)
        root = described_signature(claim, one, key_owner.key, (), body).signature
        return None if root is None else ([b64encode(one.signature)], [root])
    return None


def every(root: Node) -> list[Deviation]:
    """All deviations of all nodes of a computation."""
    graph = Computation(root)
    pool = [node for node in graph.nodes if isinstance(node, Leaf) and node.kind != "literal"]
    return [each for node in graph.nodes for each in deviations(node, graph.value(node), pool)]


def component(each: Deviation) -> str:
    """What a cause calls it."""
    return each.component or each.node.component or each.node.name.removeprefix("the ")


def on_the_way(root: Node) -> set[str]:
    """What a change on the way may be called that gives the same."""
    nodes = Computation(root).nodes
    covered = {node.component for node in nodes if isinstance(node, Leaf) and node.source is not None}
    whole = any(isinstance(node, Join) and node.source is not None for node in nodes)
    return covered | ({"@path", "@query", "@scheme", "@authority", "body"} if whole or "@path" in covered else set())


# ---- how requests are broken -----------------------------------------------------------------------------------------


class Broken(NamedTuple):
    """A request that was broken, how, and what a first cause may be called that is true of it."""

    world: World
    axis: str
    what: str
    request: Request
    body: bytes
    truth: frozenset[str]
    names: frozenset[str] = frozenset()
    """Of the check, where that says what was wrong."""


PROOFS = {"authorization Signature", "authorization mac", "authorization response", "oauth_signature", "x-hmac"}
"""Where one of another length is refused unread."""


def computed_otherwise(world: World, rng: random.Random, most: int) -> Iterator[Broken]:
    """Proofs that a client makes who gets one step of the computation wrong."""
    signed, body, root = _computed(world, rng)
    made: dict[bytes, list[Deviation]] = {}
    for each in every(root) if root is not None else ():
        value = _deviant(root, each)
        if value is not None:
            made.setdefault(value, []).append(each)
    for value in rng.sample(sorted(made), min(most, len(made))):
        truth = {component(each) for each in made[value]} | on_the_way(root)
        truth |= PROOFS if len(value) != len(Computation(root).value(root)) else set()
        yield Broken(
            world, "computed otherwise", made[value][0].did, _proven(signed, root, value), body, frozenset(truth)
        )


def computed_otherwise_twice(world: World, rng: random.Random, most: int) -> Iterator[Broken]:
    """Proofs that a client makes who gets two steps wrong, each as most clients do that get it wrong at all."""
    signed, body, root = _computed(world, rng)
    likely = [each for each in every(root) if each.cost <= 1] if root is not None else []
    for _ in range(most if len(likely) > 1 else 0):
        one, two = rng.sample(likely, 2)
        if one.node is two.node:
            continue
        value = _deviant(root, one, two)
        if value is not None and value not in (_deviant(root, one), _deviant(root, two)):
            truth = frozenset({component(one), component(two)} | on_the_way(root))
            yield Broken(
                world, "computed otherwise twice", f"{one.did}; {two.did}", _proven(signed, root, value), body, truth
            )


def _computed(world: World, rng: random.Random) -> tuple[Request, bytes, Node | None]:
    unsigned = draft(rng)
    signed = world.sign(unsigned, rng)
    found = described_in(world, signed, unsigned.body)
    roots = [root for root in found.roots if Computation(root).value(root) in found.received] if found else []
    return signed, unsigned.body, roots[0] if roots else None


def _deviant(root: Node, *wrong: Deviation) -> bytes | None:
    """The proof with these steps made otherwise; None for the same proof, and for what no field can hold."""
    graph, changes = Computation(root), {}
    for each in wrong:
        changes |= {each.node: each.make, **each.also}
    try:
        value = graph.changed(changes)
    except ValueError:
        return None
    held = 16 <= len(value) < 8192 and not {*value} & {*b'",\r\n\0\\ '}
    return value if held and value != graph.value(root) else None


def _proven(signed: Request, root: Node, value: bytes) -> Request:
    """The request with another proof, spelled as the genuine one is."""
    genuine = Computation(root).value(root)
    text = signed.target + b"".join(each for _, each in signed.headers)
    if genuine not in text:
        genuine, value = (quote(each, safe="").encode() for each in (genuine, value))
    headers = [(name, each.replace(genuine, value)) for name, each in signed.headers]
    target = signed.target.replace(genuine, value)
    return Request(signed.method, signed.scheme, signed.authority, target, headers)


def changed_on_the_way(world: World, rng: random.Random, most: int) -> Iterator[Broken]:
    """Credentials of the request that was sent, on the request as it came."""
    came = draft(rng)
    fields = [b"x-request-tags", b"content-type"] if "fields" in world.covers else []
    parts = world.covers - {"fields"}
    guesses = (
        list(islice(request_guesses(came.request(), came.body, headers=fields, parts=parts), 2000)) if parts else []
    )
    for guess in rng.sample(guesses, min(most, len(guesses))):
        try:
            signed = world.sign(Draft(guess.request, guess.body), rng)
        except Exception:  # noqa: BLE001 -- no client of ours would send it
            continue
        own = [pair for pair in signed.headers if pair not in guess.request.headers]
        request = came.request().with_headers(own)
        if signed.target != guess.request.target:  # credentials are in the query
            if not signed.target.startswith(guess.request.target):
                continue
            target = came.request().target
            more = (b"&" if b"?" in target else b"?") + signed.target[len(guess.request.target) + 1 :]
            request = Request(request.method, request.scheme, request.authority, target + more, request.headers)
        truth = {*_parts(guess)}
        if {"@path", "@query"} & truth:
            truth.add("authorization uri")  # what Digest calls it
        yield Broken(world, "changed on the way", guess.mend, request, came.body, frozenset(truth))


def _parts(guess: Guess) -> Iterator[str]:
    yield guess.component
    if guess.second is not None:
        yield from _parts(guess.second)


PLACES = (b"x-authorization", b"authentication", b"authorisation", b"proxy-authorization", b"x-auth")


def presented_otherwise(world: World, rng: random.Random, most: int) -> Iterator[Broken]:
    """Genuine credentials in another place, after another word, or in another spelling."""
    for _ in range(most):
        unsigned = draft(rng)
        signed = Draft(world.sign(unsigned, rng), unsigned.body)
        added = [pair for pair in signed.headers if pair[0] not in dict(unsigned.headers)]
        if not added:  # they are in the query
            return
        field, value = next((pair for pair in added if pair[0] == b"authorization"), added[-1])
        what, name, text = rng.choice([each for each in _presented(field, value) if each[1:] != (field, value)])
        names = {"place"} if name != field else {"scheme word"} if what == "another scheme word" else set()
        signed.field(field)
        signed.field(name, text)
        truth, request = frozenset({field.decode()}), signed.request()
        yield Broken(world, "presented otherwise", what, request, signed.body, truth, frozenset(names))


def _presented(field: bytes, value: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """How else a field may come: in which words, where, and with which value."""
    word, _, rest = value.partition(b" ") if field == b"authorization" else (b"", b"", value)
    for what, put in SPELLINGS:
        try:
            texts = (put(value), word + b" " + put(rest)) if word else (put(value),)
        except ValueError:
            continue
        yield from ((what, field, text) for text in texts if not {*text} & {*b"\r\n\0"})
    if word:
        yield from ((f"in {name.decode()}", name, value) for name in PLACES)
        yield "in a cookie", b"cookie", b"auth=" + quote(value).encode()
        for text in (rest, word + b" " + value, word + b": " + rest, word + b"=" + rest, b"Token " + rest, word + rest):
            yield "another scheme word", field, text


def typed_otherwise(world: World, rng: random.Random, most: int) -> Iterator[Broken]:
    """A password as somebody typed it who meant the one that is stored."""
    if world.name != "basic":
        return
    typed = rng.choice(
        ("oPEN SESAME 7", "Zoë's pass-word", "  sesame42", '"s3same+door"', "c2VzYW1lIDEyMw==", "sesame%20%26door")
    )
    meant = [(what, other) for what, other in retyped(typed)]
    for what, other in rng.sample(meant, min(most, len(meant))):
        try:
            stored = cheaply_hashed(other)
        except ConfigurationError:  # nobody may have such a password
            continue
        world.store.commit([Put(Ref(Password, ("alice",)), stored)])
        request = Request(
            "GET", "https", "api.example", "/", {"Authorization": b"Basic " + b64encode(f"alice:{typed}".encode())}
        )
        yield Broken(world, "typed otherwise", what, request, b"", frozenset({"authorization password"}))


AXES = (computed_otherwise, computed_otherwise_twice, changed_on_the_way, presented_otherwise, typed_otherwise)


def broken(world: World, rng: random.Random, most: int = 4) -> Iterator[Broken]:
    """So many requests of each axis, as far as the scheme has it."""
    for axis in AXES:
        yield from axis(world, rng, most)


# ---- the figures -----------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What became of one case."""

    case: Broken
    named: str
    true: bool
    contradiction: bool
    leak: bool


def judged(case: Broken) -> Outcome | None:
    """None for what is accepted: it was no mistake."""
    told = explain(case.request, case.world.guard, case.body)
    try:
        case.world.guard.verify(case.request, case.body)
        return None if told.accepted else Outcome(case, "", False, True, False)
    except Rejected as rejected:
        contradiction = told.reason is not rejected.reason
    name, named = (told.causes[0].name, told.causes[0].component) if told.causes else ("", "")
    plain = named.removeprefix("header ")
    true = any(named == each or plain.startswith(each.removeprefix("header ")) for each in case.truth)
    true = true and (not case.names or name in case.names)
    return Outcome(case, named, true, contradiction, leaks(told, case.world.secrets))


def run(seed: int = SEED, cases: int = CASES, makers: Iterable[Maker] = WORLDS, most: int = 4) -> list[Outcome]:
    """At least so many cases that are refused."""
    outcomes: list[Outcome] = []
    makers, number = list(makers), 0
    while len(outcomes) < cases:
        for at, make in enumerate(makers):
            rng = random.Random(f"{seed} {number} {at}")
            world = make(rng)
            for case in broken(world, rng, most):
                outcome = judged(case)
                world.now += 1
                outcomes += [outcome] if outcome is not None else []
        number += 1
    return outcomes


def report(seed: int | None = None, cases: int | None = None) -> Iterator[str]:
    """The figures, line by line."""
    seed = SEED if seed is None else seed
    outcomes = run(seed, CASES if cases is None else cases)
    yield f"explain names the cause of mistakes that its grammar generates: {len(outcomes)} refused requests, seed {seed}"
    for title, of in (("scheme", lambda each: each.case.world.name), ("axis", lambda each: each.case.axis)):
        yield f"  {title:<24}{'cases':>7}{'true':>9}"
        for name in dict.fromkeys(map(of, outcomes)):
            yield _line(name, [each for each in outcomes if of(each) == name])
    yield _line("all", outcomes)
    yield f"  contradictions of the guard: {sum(each.contradiction for each in outcomes)}; secrets shown: {sum(each.leak for each in outcomes)}"
    for half, what in (("a", "seen while explain was mended"), ("b", "held out")):
        yield f"and of mistakes that were written without sight of it ({what}), one draw of each kind:"
        share = None if cases is None else max(1, 1400 // max(1, cases))
        chosen = figures.kinds(half=half)[::share]
        yield from (f"  {line}" for line in figures.table(figures.run(chosen, seed)).splitlines())


def _line(name: str, outcomes: list[Outcome]) -> str:
    return f"  {name:<24}{len(outcomes):>7}{100 * sum(each.true for each in outcomes) / max(1, len(outcomes)):>8.2f}%"
