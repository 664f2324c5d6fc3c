"""A JSON Web Token as a request presents it, and its verdict: what needs more than the token is here.

Keys that somebody publishes, revocations, single use, proofs of possession and the cache of verified tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

import msgspec

from watchword.core.identity import Identity
from watchword.core.records import Found, Once, Ref, Write
from watchword.core.rejection import Reason, Rejected, StoreUnavailable
from watchword.core.scheme import UNUSED, Body, BodyNeed, Decision, More, Proof, Random
from watchword.crypto import jose
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.jwt.checks import ClaimCheck
from watchword.schemes.jwt.chosen_claims import Chosen
from watchword.schemes.key_source import KeySource, PublishedKeys
from watchword.schemes.revocation import Mark, Revocations, mark_of
from watchword.schemes.token_cache import Entry, Generation, TokenCache

__all__ = ["JWTClaim", "Judged", "Rules", "confirm"]

NO_PROOFS: Final[Sequence[Proof]] = ()

Judged = tuple[Identity[Any], dict[str, Any], KeySet, bytes, Key]
"""The identity, the claims, the keys among which the token's was, its payload, and that key."""

THE_ISSUER: Final = "issuer"
"""The owner of the marks of tokens whose issuer was checked; its name is in their keys."""


class Rules(Protocol):
    """What a claim and its explanation ask of their verifier, `JWTVerifier`: its settings, and its checks of a token."""

    source: KeySource | None
    routes: Collection[str] | None
    jws: jose.Compact
    types: frozenset[str] | None
    checks: tuple[ClaimCheck, ...]
    struct: Any
    single_use: bool
    revocations: Revocations | None
    cache: TokenCache | None
    strict: bool
    alone: bool
    subject: Chosen[str]
    scopes: Chosen[frozenset[str]]

    def judge(self, token: str | bytes, now: float, proofs: Sequence[Proof] = ..., /) -> Judged: ...
    def check(self, claims: Mapping[str, Any], now: float, proofs: Sequence[Proof], token: str | bytes, /) -> None: ...
    def check_type(self, header: Mapping[str, Any], /) -> None: ...
    def check_without_key(self, token: str | bytes, now: float, proofs: Sequence[Proof], /) -> None: ...
    def typed(self, payload: bytes, /) -> Any: ...
    def ends(self, claims: Mapping[str, Any], /) -> float: ...
    def owner_of(self, key: Key, /) -> str: ...
    def known(self, token: str | bytes, now: float, /) -> Entry | None: ...
    def use_current_keys(self) -> jose.Compact: ...
    def key_to_ask_for(self, token: str | bytes, error: Rejected | StoreUnavailable, /) -> str | None: ...
    def anew(self, entry: Entry, /) -> Identity[Any]: ...
    def remember(
        self, generation: Generation, token: str | bytes, judged: Judged, now: float, mark: Mark | None, /
    ) -> None: ...


class JWTClaim(msgspec.Struct, eq=False):
    """A token as presented.

    Args:
        verifier: the rules by which it is judged.
        token: its octets.
        proofs: what the same request proves possession of.
        room: where the cache may keep it, taken before anything is looked up. A revocation clears the cache, and then
            this is no part of it any more.
        judged: what it was found to say, so that its signature is checked once.
    """

    verifier: Rules
    token: bytes
    proofs: Sequence[Proof] = NO_PROOFS
    generation: Generation | None = None
    judged: Judged | None = None

    needs: Sequence[Ref[Any]] = ()
    body: BodyNeed = UNUSED

    def slow(self, found: Found) -> bool:
        return False

    def confirmed_by(self, proofs: Sequence[Proof]) -> JWTClaim:
        """The same claim, where the token has to be bound to what all of `proofs` prove."""
        return JWTClaim(self.verifier, self.token, proofs, self.generation)

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        verifier = self.verifier
        if verifier.alone and not self.proofs:
            return Decision(verifier.judge(self.token, now)[0])
        if verifier.cache is not None and not self.proofs:
            entry = verifier.known(self.token, now)
            if entry is not None:
                return self._again(entry, found)
        judged = self._judge(found, now)
        return judged if isinstance(judged, More) else self._conclude(judged, found, now)

    def _again(self, entry: Entry, found: Found) -> Decision | More:
        """For a token that the cache knows."""
        verifier, mark = self.verifier, entry[4]
        if verifier.revocations is not None and verifier.strict:
            assert mark is not None
            if not looked_up(mark, found):
                return More(asks=((verifier.revocations, mark.refs),))
            mark.check(found)
        return Decision(verifier.anew(entry))

    def _judge(self, found: Found, now: float) -> Judged | More:
        """What the token says, verified. The signature is checked once, however often `decide` is called."""
        verifier, judged = self.verifier, self.judged
        if judged is not None and judged[2] is verifier.jws.keys:
            verifier.check(judged[1], now, self.proofs, self.token)
            return judged
        if verifier.source is None:
            answer: Judged | More = verifier.judge(self.token, now, self.proofs)
        else:
            answer = self._judge_by(verifier.source, found, now)
        if not isinstance(answer, More):
            self.judged = answer
        return answer

    def _judge_by(self, source: KeySource, found: Found, now: float) -> Judged | More:
        """Asks the source once, if it may know better: its keys are old, or have none of the token's name.

        Nobody is asked because of a token that would be refused whatever its key.
        """
        error: Rejected | StoreUnavailable = StoreUnavailable("the keys are too old to go by")
        if now < source.good_until:
            try:
                return self.verifier.judge(self.token, now, self.proofs)
            except (Rejected, StoreUnavailable) as raised:
                error = raised
        key_id = self.verifier.key_to_ask_for(self.token, error)
        ref = None if key_id is None else Ref(PublishedKeys, (source.name, key_id))
        if ref is None or found.get(ref) is not None:
            return self.verifier.judge(self.token, now, self.proofs)
        self.verifier.check_without_key(self.token, now, self.proofs)
        return More(asks=((source, (ref,)),))

    def _conclude(self, judged: Judged, found: Found, now: float) -> Decision | More:
        verifier, (identity, claims, _, _, key) = self.verifier, judged
        mark: Mark | None = None
        if verifier.revocations is not None:
            mark = mark_of(claims, identity.subject, identity.key_id)
            if not looked_up(mark, found):
                return More(asks=((verifier.revocations, mark.refs),))
            mark.check(found)
        writes: Sequence[Write] = _used(verifier, claims, key) if verifier.single_use else ()
        if self.generation is None or self.proofs:
            return Decision(identity, writes)
        learn = partial(verifier.remember, self.generation, self.token, judged, now, mark)
        return Decision(identity, writes, learn=learn)

    def __repr__(self) -> str:
        return "JWTClaim(token=***)"


def looked_up(mark: Mark, found: Found) -> bool:
    """Whether the revocation records were asked for; an absent record then means that the token was not taken back."""
    return all(found.sought(ref) for ref in mark.refs)


def _used(verifier: Rules, claims: Mapping[str, Any], key: Key) -> tuple[Once, ...]:
    """The token's id, which is its key's: anybody may name any issuer, unless that is checked. Then it is the issuer's as well."""
    mark, until = ("jwt", claims.get("iss", ""), claims["jti"]), verifier.ends(claims)
    by_key = Once(mark, until, verifier.owner_of(key))
    return (by_key,) if verifier.routes is None else (by_key, Once(mark, until, THE_ISSUER))


def confirm(claims: Mapping[str, Any], proofs: Sequence[Proof], token: str | bytes) -> None:
    """The token is bound to what `proofs` prove: each member of its `cnf` is confirmed, by all of them (RFC 7800 §3.1).

    Raises:
        Rejected: BINDING_MISSING or WRONG_CLAIM, or what a proof says.
    """
    if "cnf" not in claims:
        raise Rejected(Reason.BINDING_MISSING, "a key was proven, but the token is bound to none", where="cnf")
    cnf = claims["cnf"]
    if type(cnf) is not dict or not cnf:
        raise Rejected(Reason.WRONG_CLAIM, "a confirmation is an object with a member (RFC 7800 §3.1)", where="cnf")
    for method in cnf:
        if not any(method in proof.methods for proof in proofs):
            raise Rejected(Reason.BINDING_MISSING, f"bound by {method[:32]!r}, which nothing here proves", where="cnf")
    for proof in proofs:
        if cnf.keys().isdisjoint(proof.methods):
            raise Rejected(Reason.BINDING_MISSING, "a key was proven that the token is not bound to", where="cnf")
        proof.confirm(cnf, token.encode() if isinstance(token, str) else token)
