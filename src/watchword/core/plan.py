"""`Plan`: all that a guard settles once, when it is made: its verifiers, realm, limits, and sources of time and randomness."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from importlib import import_module
from typing import Any, Final, Literal, NamedTuple, Protocol

from watchword.core.address import SUBPROTOCOL
from watchword.core.answer import Random, Refusal, ResponseSealer
from watchword.core.attempts import AttemptPolicy, limiter_for
from watchword.core.dispatch import Case, Dispatch
from watchword.core.io import IO
from watchword.core.limits import Limits, with_limits
from watchword.structures.line import WaitingLine
from watchword.core.message import Request
from watchword.core.records import Ref
from watchword.core.rejection import ConfigurationError, Rejected
from watchword.core.scheme import Verifier
from watchword.core.together import check_store_of, committed_together
from watchword.core.verdict import Verdict

__all__ = ["DEVELOPMENT", "Plan", "Policy", "Refused", "Telling", "checked_verifiers"]

DEFAULT_REALM = "protected"


class Policy(NamedTuple):
    """The assumptions of a guard about its surroundings.

    Args:
        public_url: turns the request as the server saw it into the request as the client sent it (`PublicURL`).
        limits: the sizes beyond which a request is refused unread.
        clock: seconds since the epoch.
        random: n unpredictable bytes.
        attempts: how many failed attempts to guess a secret are allowed, where the store can count; None: any number.
        challenges: their order in a 401. "digest first": Digest, strongest first, then the others, and Basic last, since many
            clients of Digest and Basic read the first line only. "as listed": that of the guard's verifiers.
        explain: "development": the body of a 401 or 400 tells what the guard saw and why it refused, if the request comes from
            this machine, without any proxy, and the environment has WATCHWORD_ENV=development; never with a `public_url`.
        explanations: keeps the explanations of refusals, by request id: an `ExplanationLog`.
    """

    public_url: Callable[[Request], Request] | None = None
    limits: Limits = Limits()
    clock: Callable[[], float] = time.time
    random: Random = os.urandom
    attempts: AttemptPolicy | None = AttemptPolicy()
    challenges: Literal["digest first", "as listed"] = "digest first"
    explain: Literal["development"] | None = None
    explanations: Telling | None = None


class Refused(NamedTuple):
    """A request that was refused, with what is needed to say more of that.

    Args:
        plan: the guard's.
        io: its way to the store and to the body.
        receive: gives the body's chunks.
        request: as the server saw it.
        case: its claim, if one was read.
        rejected: why.
    """

    plan: Plan
    io: IO[Any, Any]
    receive: Any
    request: Request
    case: Case | None
    rejected: Rejected


class Telling(Protocol):
    """Lets refusals say more than the RFCs' words: `ExplanationLog`, and the account of `Policy.explain`."""

    async def told(self, refused: Refused, refusal: Refusal, /) -> Refusal:
        """The refusal with what it says besides. Called for every refusal, so it is cheap. It never raises."""
        ...


DEVELOPMENT: Final = "watchword.schemes.explaining.development"
"""Whose `Development` gives the account. It is loaded by its name, where a guard asks for it: the core imports no explanation."""


class Plan:
    """A guard's construction, checked; shared by `Guard` and `AsyncGuard`. Immutable.

    `dispatch` finds a request's claim, `explaining` does so without what verifiers remember, and in `line` slow work waits.
    `subprotocols` are how WebSocket subprotocols begin that hold credentials: an application sees none, and none is sent back.
    `challengers` are the verifiers in the order of their challenges, which is final if `as_listed`.
    """

    __slots__ = (
        "always_needed",
        "as_listed",
        "attempts",
        "challengers",
        "clock",
        "dispatch",
        "explaining",
        "limits",
        "line",
        "observe",
        "proxy",
        "public_url",
        "random",
        "realm",
        "seal",
        "store",
        "subprotocols",
        "tellings",
        "verifiers",
    )  # fmt: skip

    def __init__(
        self,
        verifiers: Sequence[Verifier],
        store: Any,
        policy: Policy,
        observe: Callable[[Verdict], None] | None,
        proxy: bool,
        seal: ResponseSealer | None = None,
    ) -> None:
        verifiers = checked_verifiers(verifiers, "Guard")
        if isinstance(store, type):
            raise ConfigurationError(f"the store is the class {store.__name__}: make one, {store.__name__}(…)")
        if not verifiers:
            raise ConfigurationError("a Guard needs at least one verifier, for example Guard([BasicVerifier(realm=…)])")
        self.verifiers = tuple(sorted(verifiers, key=lambda verifier: verifier.rank))
        self.store = store
        self.observe = observe
        self.proxy = proxy
        self.seal = _told_of(self.verifiers, proxy, _checked_seal(seal))
        self.public_url, self.limits, self.clock, self.random, attempts, challenges, explain, log = policy
        if challenges not in ("digest first", "as listed"):
            raise ConfigurationError(f'challenges is "digest first" or "as listed", not {challenges!r}')
        self.as_listed = challenges == "as listed"
        self.challengers = tuple(verifiers) if self.as_listed else self.verifiers
        if self.public_url is not None:
            self.public_url = with_limits(self.public_url, self.limits)
        self.attempts = limiter_for(attempts, store)
        self.tellings = _tellings(log, explain, alone=self.public_url is None and not proxy)
        addresses = [address for verifier in self.verifiers for address in verifier.addresses]
        self.subprotocols = tuple(address.member.decode() for address in addresses if address.field == SUBPROTOCOL)
        self.realm = _one_realm(self.verifiers)
        self.always_needed: tuple[Ref[Any], ...] = tuple({ref: None for v in self.verifiers for ref in v.always_needed})
        for verifier in self.verifiers:
            _check_store(verifier, store)
            counts = self.attempts is not None and getattr(verifier, "guessable", False)
            check_store_of(verifier, committed_together(verifier), store, counts=counts)
        changes = getattr(store, "changes", None)
        self.dispatch, self.explaining = (
            Dispatch(self.verifiers, self.limits, self.public_url, proxy, changes, remembering=remembering)
            for remembering in (True, False)
        )
        self.line = WaitingLine()


def _tellings(log: Telling | None, explain: str | None, *, alone: bool) -> tuple[Telling, ...]:
    """The log comes first: the account names the id under which it keeps an explanation.

    No account is given behind a proxy (not `alone`), nor where the environment does not say that this is development.
    """
    if log is not None and not callable(getattr(log, "told", None)):
        other = type(log).__name__
        raise ConfigurationError(f"explanations is an ExplanationLog(directory), of watchword.stores, not {other}")
    if explain not in (None, "development"):
        raise ConfigurationError(f'explain is "development" or None, not {explain!r}')
    logs = () if log is None else (log,)
    if explain is None or not alone or os.environ.get("WATCHWORD_ENV") != "development":
        return logs
    return (*logs, import_module(DEVELOPMENT).Development())


def _one_realm(verifiers: Iterable[Verifier]) -> str:
    realms = {verifier.realm for verifier in verifiers if verifier.realm is not None}
    if len(realms) > 1:
        raise ConfigurationError(f"a guard has one realm, its verifiers name {sorted(realms)}; use one guard for each")
    return realms.pop() if realms else DEFAULT_REALM


def _checked_seal(seal: ResponseSealer | None) -> ResponseSealer | None:
    if seal is None or callable(getattr(seal, "seal", None)):
        return seal
    raise ConfigurationError(f"seal= is what seals answers, SignatureSeal(key), not {type(seal).__name__}")


def _told_of(verifiers: Sequence[Verifier], proxy: bool, seal: ResponseSealer | None) -> ResponseSealer | None:
    """The seal, told in which fields this guard's credentials come, if it has a method `covering` for that."""
    covering: Callable[[Collection[bytes]], ResponseSealer] | None = getattr(seal, "covering", None)
    if covering is None:
        return seal
    fields = {address.field for verifier in verifiers for address in verifier.addresses if address.field}
    if proxy and b"authorization" in fields:
        fields = {*fields, b"proxy-authorization"}
    return covering(fields)


def _check_store(verifier: Verifier, store: Any) -> None:
    if not verifier.kinds:
        return
    name = type(verifier).__name__
    if store is None:
        raise ConfigurationError(
            f"{name} needs a store: pass one to the guard, for example Guard([…], SQLStore('sqlite:///users.db'))"
        )
    held = getattr(store, "kinds", None)
    missing = [] if held is None else [kind.__name__ for kind in verifier.kinds if kind not in held]
    if missing:
        raise ConfigurationError(
            f"{name} needs {', '.join(missing)} records, which {type(store).__name__} does not hold; "
            "add a store that does with stores.combine(…, MemoryStore())"
        )


def checked_verifiers(verifiers: object, name: str) -> Sequence[Any]:
    """What a guard was given, if it is a list of verifiers; `name` is the guard's.

    Raises:
        ConfigurationError: it isn't.
    """
    if isinstance(verifiers, type) or hasattr(verifiers, "refuse"):
        kind = verifiers if isinstance(verifiers, type) else type(verifiers)
        raise ConfigurationError(f"{name} takes a list of verifiers: {name}([{kind.__name__}(…)])")
    if verifiers is not None and (isinstance(verifiers, (str, bytes)) or not isinstance(verifiers, Iterable)):
        raise ConfigurationError(f"{name} takes a list of verifiers, not {type(verifiers).__name__}")
    listed = tuple(verifiers or ())
    for one in listed:
        if isinstance(one, type):
            raise ConfigurationError(
                f"{name} takes verifiers, not their classes: {one.__name__}(…) instead of {one.__name__}"
            )
        if not all(hasattr(one, part) for part in ("read", "refuse", "addresses")):
            other = type(one).__name__
            mend = f": {other} is the client's half" if callable(getattr(one, "flow", None)) else ""
            raise ConfigurationError(f"{name} takes verifiers, such as BasicVerifier(realm=…), not {other}{mend}")
    return listed
