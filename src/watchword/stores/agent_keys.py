"""The keys of one automated client, and the directory that they come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from watchword.core.message import Request, Response
from watchword.core.records import Source
from watchword.core.rejection import ConfigurationError, Rejected, StoreUnavailable
from watchword.crypto.keys import NO_KEYS, Key, KeySet
from watchword.schemes.signatures.agents import Agent
from watchword.schemes.signatures.directory import MEDIA_TYPE, Listed, check_proofs, read_directory
from watchword.stores.fetching import Fetches
from watchword.stores.jwks import RemoteKeySet
from watchword.stores.publisher import Publisher
from watchword.structures.seats import Seats
from watchword.transport.get import Answer, target_of

__all__ = ["ALGORITHMS", "AgentKeys"]

ALGORITHMS: Final = frozenset({"EdDSA", "ES256", "ES384", "PS512", "RS256"})
"""Those that keys of a directory are for (`read_directory`)."""
TASKS: Final = 16
"""Requests that wait for one directory in tasks. In threads one does."""


class AgentKeys(RemoteKeySet):
    """The keys of one agent, as `RemoteKeySet` keeps them: single flight, cool-down, stale while the directory is down.

    A directory that can't be had is a matter between the client and whoever runs it: there are then no keys, and the
    request is refused as one of an unknown key.

    Args:
        agent: whose they are.
        fetches: the room for all fetches.
        ask: gives the source to ask because of a request from an address.
        met: is told when the agent has shown keys.
        settings: those of `AgentDirectories`, and of `RemoteKeySet`.
    """

    def __init__(
        self,
        agent: Agent,
        fetches: Fetches,
        ask: Callable[[Agent, str], Source],
        met: Callable[[Agent], object],
        *,
        require_proof: bool,
        allow_test_keys: bool,
        **settings: Any,
    ) -> None:
        self._agent = agent
        self._fetches = fetches
        self._ask = ask
        self._met = met
        self._address = ""
        self._proof = require_proof
        self._test_keys = allow_test_keys
        self._good = NO_KEYS
        super().__init__(agent.url, **settings)
        self.algorithms = ALGORITHMS

    def _publisher_of(self, *arguments: Any) -> Publisher:
        self._directory = _Directory(self._agent, self._proof, self._test_keys, *arguments)
        return self._directory

    def _seats(self) -> tuple[Seats, Seats]:
        return Seats(1), Seats(TASKS)

    def _permit(self) -> Callable[[], None] | None:
        return self._fetches.begin(self._address, self.keys is not None)

    def _ended(self) -> None:
        if self.keys is not None:
            self._met(self._agent)

    def asked_from(self, address: str, /) -> Source:
        """The source to ask because of a request from `address`."""
        return self._ask(self._agent, address)

    def begin(self, address: str) -> None:
        """Fetches the keys for the first time, or again after it was in vain, because of a request from `address`."""
        self._address = address
        self._depart("due", self._clock())

    def snapshot(self) -> KeySet:
        """The keys that are known now and good now; none, if there are none."""
        if self.keys is None:  # whether they are fetched is for `begin`
            return NO_KEYS
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
    def is_new(self) -> bool:
        """Whether its next use fetches a directory that was never there."""
        return self.keys is None and self._alive() is None and not self._cooling(self._clock())


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
