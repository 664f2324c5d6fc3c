"""Records beside those that a claim asks for: of other names, and of other spellings of its own, to say which would have fitted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from heapq import nsmallest
from inspect import iscoroutinefunction, signature
from itertools import islice
from typing import Any, Final, NamedTuple

from watchword.core.io import IO, done
from watchword.core.message import Request
from watchword.core.plan import Plan
from watchword.core.records import NOTHING_FOUND, Found, Ref
from watchword.core.rejection import Reason
from watchword.core.scheme import Claim
from watchword.schemes.explaining.masking import is_secret_of
from watchword.schemes.explaining.typed_text import retyped

__all__ = ["MAX_LISTED", "OF_NAMES", "Compared", "compared", "named_in", "records_of"]

MAX_OTHERS: Final = 64
"""Other records of the store that a claim is given for comparison, those first whose name is nearest."""
MAX_NAMES: Final = 24
"""Spellings of a name that nobody has, which are looked up."""
MAX_DISTANCE: Final = 1 << 20
MAX_LISTED: Final = 4096
"""Records of a kind that are listed for that; where a store has more, the explanation says so."""
MAX_WORDS: Final = 48
"""Words of a request that are looked up as names."""
MAX_TEXT: Final = 16 * 1024
_NAME: Final = re.compile(r"[\w.@+-]{2,64}")
OF_NAMES: Final = frozenset({Reason.UNKNOWN_KEY, Reason.UNKNOWN_SUBJECT})
"""A name that nobody has."""


async def records_of(io: IO[Any, Any], refs: Sequence[Ref[Any]]) -> Found:
    """The records that these name."""
    return (await done(io.fetch(refs))) if refs else NOTHING_FOUND


class Compared(NamedTuple):
    """Records beside those that were asked for, and whether the store has more of them than were looked at."""

    found: Found
    cut: bool = False


async def compared(plan: Plan, io: IO[Any, Any], claim: Claim, reason: Reason, request: Request) -> Compared:
    """Other records: those that can be listed, and those that other spellings of an unknown name have."""
    guessed = reason is Reason.WRONG_SECRET
    more = [kind for verifier in plan.verifiers for kind in verifier.kinds if getattr(kind, "sensitive", False)]
    listed: Compared = await io.work(partial(_others, plan.store, claim.needs, [] if guessed else more, guessed))
    exchanged: Ref[Any] | None = getattr(claim, "exchanged", None)
    refs = [] if exchanged is None else [exchanged]
    if reason in OF_NAMES:
        for ref in claim.needs:
            spellings = (other for _, other in retyped(ref.key[-1]) if isinstance(other, str))
            refs += [Ref(ref.kind, (*ref.key[:-1], other)) for other in islice(spellings, MAX_NAMES)]
        refs += _refs_in(request, [ref.kind for ref in claim.needs])
    return listed._replace(found=listed.found.merged(await records_of(io, refs)))


async def named_in(plan: Plan, io: IO[Any, Any], request: Request) -> tuple[Found, bool]:
    """The records whose names are in a request that could not be read: their secrets may be there as well, and are masked.

    The second is false where the store can't be listed to its end: then there may be secrets of records that no word of the
    request names.
    """
    kinds = dict.fromkeys(
        kind for verifier in plan.verifiers for kind in verifier.kinds if getattr(kind, "sensitive", False)
    )
    refs = _refs_in(request, kinds)
    named = await records_of(io, refs)
    listing = _listing(plan.store)
    if listing is None:
        return named, not kinds
    listed: Compared = await io.work(partial(_named_in, listing, plan.store, list(kinds), _text_of(request)))
    return named.merged(listed.found), not listed.cut


def _text_of(request: Request) -> str:
    return b"\n".join((request.target, *(value for _, value in request.headers))).decode("latin-1")


def _refs_in(request: Request, kinds: Iterable[type]) -> list[Ref[Any]]:
    """The words of a request as names of records."""
    words = list(islice(dict.fromkeys(match[0] for match in _NAME.finditer(_text_of(request)[:MAX_TEXT])), MAX_WORDS))
    return [Ref(kind, (word,)) for kind in dict.fromkeys(kinds) for word in words]


Listing = Callable[[type], Iterable[tuple[tuple[str, ...], Any]]]


def _listing(store: Any) -> Listing | None:
    """What lists a kind's records, at most one more than `MAX_LISTED`; None for a store that can't be listed."""
    listing = getattr(store, "records", None)
    if listing is None or iscoroutinefunction(listing):
        return None
    if "most" in signature(listing).parameters:
        return partial(listing, most=MAX_LISTED + 1)
    return lambda kind: islice(listing(kind), MAX_LISTED + 1)


def _held(store: Any, kind: type) -> bool:
    held = getattr(store, "kinds", None)
    return held is None or kind in held


def _named_in(listing: Listing, store: Any, kinds: Sequence[type], text: str) -> Compared:
    records: dict[Ref[Any], tuple[Any, int]] = {}
    cut = False
    for kind in kinds:
        entries = list(listing(kind)) if _held(store, kind) else []
        named = [entry for entry in entries if any(part and part in text for part in entry[0])]
        cut |= len(entries) > MAX_LISTED or len(named) > MAX_OTHERS
        records.update({Ref(kind, key): (record, 1) for key, record in named[:MAX_OTHERS]})
    return Compared(Found(records), cut)


def _others(store: Any, needs: Sequence[Ref[Any]], more: Sequence[type], guessed: bool) -> Compared:
    """Records of the kinds that were looked up, under other names: to say which of them would have fitted."""
    listing = _listing(store)
    records: dict[Ref[Any], tuple[Any, int]] = {}
    cut = False
    for kind in dict.fromkeys((*(ref.kind for ref in needs), *more)) if listing is not None else ():
        if listing is None or not _held(store, kind) or (guessed and not getattr(kind, "sensitive", False)):
            continue  # one hash of a password compares with no other
        sought = next((" ".join(ref.key) for ref in needs if ref.kind is kind), "")
        names = [part for ref in needs if ref.kind is kind for part in ref.key]
        entries = list(listing(kind))
        cut |= len(entries) > MAX_LISTED
        nearest = nsmallest(MAX_OTHERS, entries, key=partial(_distance, sought, names))
        records.update({Ref(kind, key): (record, 1) for key, record in nearest})
    return Compared(Found(records), cut)


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
