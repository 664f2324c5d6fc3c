"""Signed requests of every scheme whose computation is described, with the description: for the tests of the grammar."""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bench.explain_bearers import BEARERS
from bench.explain_mutations import draft
from bench.explain_more import MORE_WORLDS
from bench.explain_signed import SIGNED
from bench.explain_worlds import OWN, World
from watchword.core.message import Request
from watchword.core.scheme import Body
from watchword.crypto.digests import digest
from watchword.schemes.body_hmac import BodyHMACClaim
from watchword.schemes.body_hmac_explain import mac_of as body_mac_of
from watchword.schemes.digest.description import described as described_digest
from watchword.schemes.digest.server import DigestClaim
from watchword.schemes.explaining.computation import Node
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

__all__ = ["MAKERS", "Described", "described"]

_UNDESCRIBED = {"ed25519_webhook_world", "public_signature_world"}  # a signature by a public key is no value
MAKERS = [make for make in (*OWN, *SIGNED, *MORE_WORLDS, BEARERS[0]) if make.__name__ not in _UNDESCRIBED]


class Described(NamedTuple):
    """What was sent, and the computations that the server's description makes of it."""

    name: str
    request: Request
    body: bytes
    received: list[bytes]
    roots: list[Node]


def described(make: Callable[[random.Random], World], seed: int, count: int = 1) -> Iterator[Described]:
    """Requests of a world with their descriptions; none if the world's scheme has none."""
    rng = random.Random(seed)
    world = make(rng)
    for _ in range(count):
        unsigned = draft(rng)
        request = world.sign(unsigned, rng)
        case = world.guard.plan.explaining.locate(request)
        assert case is not None
        found = _of(case.claim, world, case.request, unsigned.body)
        if found is not None:
            yield Described(world.name, case.request, unsigned.body, *found)


def _of(claim: object, world: World, request: Request, body: bytes) -> tuple[list[bytes], list[Node]] | None:
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
