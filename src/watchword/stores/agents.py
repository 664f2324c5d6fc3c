"""The key directories of automated clients (draft-ietf-webbotauth-httpsig-protocol-00), fetched for `WebBotVerifier`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from watchword.structures.bounded import Bounded
from watchword.core.message import Request, Response
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.crypto.keys import NO_KEYS, Key, KeySet
from watchword.schemes.signatures.agents import Agent
from watchword.schemes.signatures.directory import MEDIA_TYPE, Listed, check_proofs, read_directory
from watchword.stores.jwks import RemoteKeySet
from watchword.stores.publisher import Fetch, Publisher
from watchword.transport.get import Answer, target_of

__all__ = ["AgentDirectories", "AgentKeys"]

_MAX_SIZE: Final = 64 * 1024
_MAX_AGENTS: Final = 1024


class AgentKeys(RemoteKeySet):
    """The keys of one agent, as `RemoteKeySet` keeps them: single flight, cool-down, stale while the directory is down.

    A directory that can't be had is a matter between the client and whoever runs it: there are then no keys, and the
    request is refused as one of an unknown key.
    """

    def __init__(self, agent: Agent, *, require_proof: bool, allow_test_keys: bool, **settings: Any) -> None:
        self._agent = agent
        self._proof = require_proof
        self._test_keys = allow_test_keys
        self._good = NO_KEYS
        super().__init__(agent.url, **settings)

    def _publisher_of(self, *arguments: Any) -> Publisher:
        self._directory = _Directory(self._agent, self._proof, self._test_keys, *arguments)
        return self._directory

    def snapshot(self) -> KeySet:
        """The keys that are known now and good now; none, if there are none."""
        try:
            keys = super().snapshot()
        except StoreUnavailable:
            return NO_KEYS
        good = self._directory.good_of(keys, self._clock())
        if len(good) == len(keys.keys):
            return keys
        if self._good.keys != good:  # the same object as long as they are the same: what is prepared of them is kept
            self._good = KeySet(good) if good else NO_KEYS
        return self._good

    @property
    def asks_again(self) -> bool:
        """Whether its next use waits once more for a directory that was never there."""
        tried = self.keys is None and self._attempt >= 0
        return tried and self._alive() is None and not self._cooling(self._clock())


class _Directory(Publisher):
    """A key directory, or another key set with keys of an agent."""

    accept = MEDIA_TYPE

    def __init__(self, agent: Agent, require_proof: bool, allow_test_keys: bool, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._is_directory = agent.kind == "directory"
        self._proof = require_proof
        self._test_keys = allow_test_keys
        self._listed: dict[str | None, Listed] = {}
        if not self._is_directory:
            self.accept = "application/jwk-set+json, application/json"

    def keys_of(self, answer: Answer, url: str, now: float) -> KeySet:
        """The keys, each under its thumbprint, and proven to be published where they are."""
        media = (answer.field(b"content-type") or "").partition(";")[0].strip().lower()
        if self._is_directory and media != MEDIA_TYPE:
            raise ConfigurationError(f"not of the media type {MEDIA_TYPE}")
        listed = read_directory(answer.body, labelled=self._is_directory, allow_test_keys=self._test_keys)
        keys = [one.key for one in listed]
        if self._is_directory:
            target = target_of(url, allow_cleartext=True)
            asked = Request("GET", target.scheme, target.authority, target.path)
            try:
                response = Response(200, answer.headers)
                keys = check_proofs(keys, asked, response, answer.body, now, required=self._proof)
            except Rejected as rejected:
                raise ConfigurationError(f"the directory's signature is not good: {rejected}") from None
        if not keys:
            raise ConfigurationError("no key of this directory is proven by a signature of its own")
        self._listed = {one.key.key_id: one for one in listed}
        return KeySet(keys)

    def good_of(self, keys: KeySet, now: float) -> tuple[Key, ...]:
        """Those of `keys` that are good now, by what the directory says of them."""
        listed = self._listed
        return tuple(key for key in keys.keys if (one := listed.get(key.key_id)) is not None and one.is_good(now))


class AgentDirectories:
    """Which automated clients may sign, and their keys, fetched when the first request of each comes.

    Directories are fetched through the guarded transport: https, no redirects, no private addresses, 64 KiB at most, one
    fetch at a time for each, and none again before `cool_down` has passed. What they say of their lifetime is heeded between
    `least` and `most`; while one is down, its keys are good for `stale` more seconds.

    Args:
        allow: the agents that may sign: origins with a key directory, "https://bot.example", or URLs of other key sets,
            "https://bot.example/keys.json". None with `any_agent`.
        any_agent: whoever publishes a directory may sign. It is then named, but not vetted: what an agent may do is for
            the application to say, by `Identity.subject`. Of key sets that are no directories only those whose URL has no
            query, and none with `require_proof`: nothing in them is signed.
        new_per_minute: how many agents that were not met before, or were asked in vain, are asked in a minute, with
            `any_agent`; others are refused.
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
        self._settings: dict[str, Any] = {
            "require_proof": require_proof, "allow_test_keys": allow_test_keys, "fetch": fetch, "clock": clock,
            "max_size": _MAX_SIZE, **settings,
        }  # fmt: skip
        self._allowed = {agent.identifier: agent for agent in agents}
        self._any = any_agent
        self._rate = new_per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._met: Bounded[str, AgentKeys] = Bounded(_MAX_AGENTS)
        self._begun = 0.0
        self._new = 0
        self._made(agents[0] if agents else Agent.of("https://bot.example")).close()  # says now what is wrong

    def __repr__(self) -> str:
        return f"AgentDirectories({'any' if self._any else len(self._allowed)} allowed, {len(self._met)} met)"

    def source(self, agent: Agent, /) -> AgentKeys | None:
        """What keeps the keys of `agent` up to date; None: it may not sign, or too many strangers came at once."""
        chosen = self._chosen(agent)
        if chosen is None:
            return None
        with self._lock:
            known = self._met.pop(agent.identifier)
            if known is not None:
                self._met.put(agent.identifier, known)  # what is in use is not the first to be forgotten
                if known.asks_again and not self._has_room():
                    return None
            elif self._has_room():
                known = self._made(chosen)
                self._met.put(agent.identifier, known)
            return known

    def close(self) -> None:
        """Fetches no more."""
        with self._lock:
            for keys in self._met.values():
                keys.close()

    def _chosen(self, agent: Agent) -> Agent | None:
        if not self._any:
            return self._allowed.get(agent.identifier)
        if agent.url != agent.identifier:  # by the query whoever asks would choose among the keys of others
            return None
        return agent if agent.kind == "directory" or not self._settings["require_proof"] else None

    def _made(self, agent: Agent) -> AgentKeys:
        return AgentKeys(agent, **self._settings)

    def _has_room(self) -> bool:
        if not self._any:
            return True
        now = self._clock()
        if not 0 <= now - self._begun < 60:
            self._begun, self._new = now, 0
        self._new += 1
        return self._new <= self._rate


def _agent(url: str) -> Agent:
    """An origin is where a directory is; whatever has a path is a key set."""
    path = url.partition("://")[2].partition("/")[2]
    return Agent.of(url, "jwks_uri" if path else "directory")
