"""The key directories of automated clients (draft-ietf-webbotauth-httpsig-protocol-00), fetched for `WebBotVerifier`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Any, Final, NamedTuple, NoReturn

from watchword.structures.bounded import Bounded
from watchword.structures.room import LineFull, NetworkFull
from watchword.core.records import Found, Ref, Source
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable, too_busy
from watchword.crypto.keys import KeySet
from watchword.schemes.signatures.agents import Agent
from watchword.stores.agent_keys import ALGORITHMS, AgentKeys
from watchword.stores.fetching import Fetches
from watchword.stores.publisher import Fetch, usual_fetch

__all__ = ["AgentDirectories"]

_MAX_SIZE: Final = 64 * 1024
_MAX_MET: Final = 1024
"""Agents whose keys are remembered."""
_MAX_TRIED: Final = 256
"""Agents that were asked, and have shown no key."""


class AgentDirectories:
    """Which automated clients may sign, and their keys, fetched when the first request of each comes.

    Directories are fetched through the guarded transport: https, no redirects, no private addresses, 64 KiB at most, one
    fetch at a time for each, and none again before `cool_down` has passed. What they say of their lifetime is heeded between
    `least` and `most`; while one is down, its keys are good for `stale` more seconds.

    A directory is asked only for a signature that may be good whoever made it. One request of a `Guard` waits for it, or sixteen
    of an `AsyncGuard`; others that need it are refused (TOO_BUSY, 503) at once. So are those for which there is no room;
    where their own network has taken its part of it, the reason is TOO_MANY_ATTEMPTS (429).

    Args:
        allow: the agents that may sign: origins with a key directory, "https://bot.example", or URLs of other key sets,
            "https://bot.example/keys.json". None with `any_agent`.
        any_agent: whoever publishes a directory may sign. It is then named, but not vetted: what an agent may do is for
            the application to say, by `Identity.subject`. Of key sets that are no directories only those whose URL has no
            query, and none with `require_proof`: nothing in them is signed.
        new_per_minute: how many agents that were not met before, or were asked in vain, are asked in a minute, with
            `any_agent`; of one address (an IPv6 /64) a sixth of that, of an IPv6 /56 a third, of a /48 half.
        at_once: how many of them are asked at one time, each in a thread; of one address half of that, of an IPv6 /48 three
            quarters. Agents that were met before have as many threads, for renewing their keys.
        require_proof: accept only keys whose directory is signed by them; a signature that is there must be good always.
        allow_test_keys: also accept the keys of RFC 9421 appendix B.1, whose private parts are public.
        fetch: fetches in place of urllib3.
        clock: seconds since the epoch; the same as the guard's.
        settings: further arguments of `RemoteKeySet`: least, most, stale, cool_down, timeout, allow_private, ca_file.

    Raises:
        ConfigurationError: neither agents nor `any_agent`; or `pip install 'watchword[urllib3]'`.

    >>> AgentDirectories(["https://bot.example"])
    AgentDirectories(1 allowed, 0 met)
    """

    def __init__(
        self,
        allow: Iterable[str | Agent] = (),
        *,
        any_agent: bool = False,
        new_per_minute: int = 60,
        at_once: int = 4,
        require_proof: bool = False,
        allow_test_keys: bool = False,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.time,
        **settings: Any,
    ) -> None:
        if isinstance(allow, str):
            raise ConfigurationError(f"allow= is a sequence of origins, for example [{allow!r}]")
        agents = [one if isinstance(one, Agent) else _agent(one) for one in allow]
        if bool(agents) is any_agent:
            raise ConfigurationError("say which agents may sign, allow=['https://bot.example'], or any_agent=True")
        if not (new_per_minute >= 1 and at_once >= 1):
            raise ConfigurationError("new_per_minute and at_once are 1 or more")
        self._settings: dict[str, Any] = {
            "require_proof": require_proof, "allow_test_keys": allow_test_keys, "clock": clock, "max_size": _MAX_SIZE,
            "fetch": usual_fetch(settings.get("ca_file")) if fetch is None else fetch, **settings,
        }  # fmt: skip
        self._allowed = {agent.identifier: agent for agent in agents}
        self._any = any_agent
        self._clock = clock
        self._fetches = Fetches(at_once, new_per_minute if any_agent else None)
        self._lock = threading.Lock()
        self._closed = False
        self._met: Bounded[str, AgentKeys] = Bounded(_MAX_MET)
        self._tried: Bounded[str, AgentKeys] = Bounded(_MAX_TRIED)
        self._made(agents[0] if agents else Agent.of("https://bot.example")).close()  # says now what is wrong

    def __repr__(self) -> str:
        return f"AgentDirectories({'any' if self._any else len(self._allowed)} allowed, {len(self._met)} met)"

    def source(self, agent: Agent, /) -> AgentKeys | Unmet | None:
        """What keeps the keys of `agent` up to date; None: it may not sign. Nothing is fetched or counted by that."""
        chosen = self._chosen(agent)
        if chosen is None:
            return None
        with self._lock:
            return self._known(chosen) or Unmet(chosen.url, chosen, self._asking)

    def close(self) -> None:
        """Fetches no more."""
        with self._lock:
            self._closed = True
            known = [*self._met.values(), *self._tried.values()]
        for keys in known:
            keys.close()

    def _chosen(self, agent: Agent) -> Agent | None:
        if not self._any:
            return self._allowed.get(agent.identifier)
        if agent.url != agent.identifier:  # by the query whoever asks would choose among the keys of others
            return None
        return agent if agent.kind == "directory" or not self._settings["require_proof"] else None

    def _made(self, agent: Agent) -> AgentKeys:
        return AgentKeys(agent, self._fetches, self._asking, self._remember, **self._settings)

    def _known(self, agent: Agent) -> AgentKeys | None:
        """Its keys, if it was asked before; what is in use is not the first to be forgotten. Under the lock."""
        known = self._met.pop(agent.identifier)
        if known is None:
            known = self._tried.get(agent.identifier)
            if known is None or known.keys is None:
                return known
            self._tried.pop(agent.identifier)
        self._met.put(agent.identifier, known)
        return known

    def _remember(self, agent: Agent) -> None:
        with self._lock:
            self._known(agent)

    def _asking(self, agent: Agent, address: str) -> Source:
        return _Asking(self, agent, address)

    def admitted(self, agent: Agent, address: str) -> AgentKeys:
        """The keys of `agent`, being fetched if it is new and there is room for one more that `address` names.

        Raises:
            Rejected: TOO_BUSY or TOO_MANY_ATTEMPTS, there is none.
        """
        with self._lock:
            keys = self._known(agent)
            if keys is not None and not keys.is_new:
                return keys
            if self._closed:
                keys = self._made(agent)
                keys.close()
                return keys
            self._make_room(address, self._clock())
            if keys is None:
                keys = self._made(agent)
                self._tried.put(agent.identifier, keys)
            keys.begin(address)
            return keys

    def _make_room(self, address: str, now: float) -> None:
        try:
            self._fetches.admit(address, now)
        except NetworkFull as full:
            wait = self._fetches.ends_in(now)
            raise Rejected(Reason.TOO_MANY_ATTEMPTS, str(full), where="signature-agent", retry_after=wait) from None
        except LineFull as full:
            raise too_busy(str(full), retry_after=self._fetches.ends_in(now)) from None

    def waits(self, agent: Agent, refs: Sequence[Ref[Any]]) -> bool:
        """Whether asking for keys of `agent` would wait now."""
        with self._lock:
            keys = self._known(agent)
        return keys is None or keys.waits(refs)


class _Asking(NamedTuple):
    """The directory of an agent, as it is asked because of a request from `address`: a `Source`."""

    directories: AgentDirectories
    agent: Agent
    address: str

    def waits(self, refs: Sequence[Ref[Any]], /) -> bool:
        """Whether `fetch` would wait now."""
        return self.directories.waits(self.agent, refs)

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """As `RemoteKeySet.fetch`; raises as `AgentDirectories.admitted` too."""
        return self.directories.admitted(self.agent, self.address).fetch(refs)

    async def afetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """`fetch`, awaited."""
        return await self.directories.admitted(self.agent, self.address).afetch(refs)


class Unmet(NamedTuple):
    """Stands for the keys of an agent that was never asked: a `KeySource`. It is made for a request, and kept nowhere."""

    name: str
    agent: Agent
    ask: Callable[[Agent, str], Source]

    issuer: str | None = None
    keys: KeySet | None = None
    since: float = -inf
    due: float = -inf
    good_until: float = -inf
    algorithms: frozenset[str] = ALGORITHMS

    def asked_from(self, address: str, /) -> Source:
        """The source to ask because of a request from `address`."""
        return self.ask(self.agent, address)

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """As if the request came from everywhere."""
        return self.ask(self.agent, "").fetch(refs)

    async def afetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        """`fetch`, awaited."""
        return await self.ask(self.agent, "").afetch(refs)

    def snapshot(self) -> NoReturn:
        """There are none."""
        raise StoreUnavailable(f"the keys of {self.name} are not there yet")

    def missed(self, key_id: str, /) -> None:
        """Nothing: it is for a guard to ask."""


def _agent(url: str) -> Agent:
    """An origin is where a directory is; whatever has a path is a key set."""
    path = url.partition("://")[2].partition("/")[2]
    return Agent.of(url, "jwks_uri" if path else "directory")
