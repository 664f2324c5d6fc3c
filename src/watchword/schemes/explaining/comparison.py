"""Records beside those that a claim asks for: of other names, and of other spellings of its own, to say which would have fitted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from inspect import iscoroutinefunction
from itertools import islice
from typing import Any, Final

from watchword.core.io import IO, done
from watchword.core.message import Request
from watchword.core.plan import Plan
from watchword.core.records import NOTHING_FOUND, Found, Ref
from watchword.core.rejection import Reason
from watchword.core.scheme import Claim
from watchword.schemes.explaining.masking import is_secret_of
from watchword.schemes.explaining.typed_text import retyped

__all__ = ["OF_NAMES", "compared", "named_in"]

MAX_OTHERS: Final = 64
"""Other records of the store that a claim is given for comparison, those first whose name is nearest."""
MAX_NAMES: Final = 24
"""Spellings of a name that nobody has, which are looked up."""
MAX_DISTANCE: Final = 1 << 20
OF_NAMES: Final = frozenset({Reason.UNKNOWN_KEY, Reason.UNKNOWN_SUBJECT})
"""A name that nobody has."""


async def compared(plan: Plan, io: IO[Any, Any], claim: Claim, reason: Reason) -> Found:
    """Other records: those that can be listed, and those that other spellings of an unknown name have."""
    listed: Found = await io.work(partial(_others, plan.store, claim.needs, reason is Reason.WRONG_SECRET))
    exchanged: Ref[Any] | None = getattr(claim, "exchanged", None)
    refs = [] if exchanged is None else [exchanged]
    if reason in OF_NAMES:
        for ref in claim.needs:
            spellings = (other for _, other in retyped(ref.key[-1]) if isinstance(other, str))
            refs += [Ref(ref.kind, (*ref.key[:-1], other)) for other in islice(spellings, MAX_NAMES)]
    return listed.merged(await done(io.fetch(refs))) if refs else listed


async def named_in(plan: Plan, io: IO[Any, Any], request: Request) -> Found:
    """The records whose names are in a request that could not be read: their secrets may be there as well, and are masked."""
    text = b"\n".join((request.target, *(value for _, value in request.headers))).decode("latin-1")
    return await io.work(partial(_named_in, plan, text))


def _named_in(plan: Plan, text: str) -> Found:
    listing = getattr(plan.store, "records", None)
    if listing is None or iscoroutinefunction(listing):
        return NOTHING_FOUND
    held = getattr(plan.store, "kinds", None)
    kinds = dict.fromkeys(kind for verifier in plan.verifiers for kind in verifier.kinds)
    records: dict[Ref[Any], tuple[Any, int]] = {}
    for kind in kinds:
        if getattr(kind, "sensitive", False) and (held is None or kind in held):
            named = (entry for entry in listing(kind) if any(part and part in text for part in entry[0]))
            records.update({Ref(kind, key): (record, 1) for key, record in islice(named, MAX_OTHERS)})
    return Found(records)


def _others(store: Any, needs: Sequence[Ref[Any]], guessed: bool) -> Found:
    """Records of the kinds that were looked up, under other names: to say which of them would have fitted."""
    listing = getattr(store, "records", None)
    if listing is None or iscoroutinefunction(listing):
        return NOTHING_FOUND
    records: dict[Ref[Any], tuple[Any, int]] = {}
    for kind in dict.fromkeys(ref.kind for ref in needs):
        held = getattr(store, "kinds", None)
        if (held is not None and kind not in held) or (guessed and not getattr(kind, "sensitive", False)):
            continue  # one hash of a password compares with no other
        sought = next(" ".join(ref.key) for ref in needs if ref.kind is kind)
        names = [part for ref in needs if ref.kind is kind for part in ref.key]
        entries = sorted(listing(kind), key=partial(_distance, sought, names))
        records.update({Ref(kind, key): (record, 1) for key, record in entries[:MAX_OTHERS]})
    return Found(records)


def _distance(sought: str, names: Sequence[str], entry: tuple[tuple[str, ...], Any]) -> int:
    """How far a record is from what was sought; the nearest is one whose secret was sent in the place of a name."""
    key, record = entry
    return -MAX_DISTANCE if any(is_secret_of(record, name) for name in names) else -_likeness(" ".join(key), sought)


def _likeness(name: str, sought: str) -> int:
    """How many characters they share at both ends, without case."""
    one, other = name.lower(), sought.lower()[:256]
    ends = 0
    for pairs in (zip(one, other, strict=False), zip(reversed(one), reversed(other), strict=False)):
        for left, right in pairs:
            if left != right:
                break
            ends += 1
    return ends - abs(len(one) - len(other))
