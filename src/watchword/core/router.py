"""Several verifiers of one wire scheme: routed by the unverified words of the credentials, which are good for routing only."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import Protocol, runtime_checkable

from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import Verifier

__all__ = ["Routable", "Router"]


@runtime_checkable
class Routable(Verifier, Protocol):
    """A verifier that can share its address with others of its wire scheme.

    `routes` are what it claims (an issuer); None: everything. `route(request)` reads, without verifying, what the
    credentials say of themselves; verifiers of one wire scheme agree on it. None: they say nothing that can be read.
    """

    @property
    def routes(self) -> Collection[Hashable] | None: ...
    def route(self, request: Request) -> Hashable: ...


class Router:
    """Verifiers of one wire scheme behind one address.

    Raises:
        ConfigurationError: two of them would claim the same credentials.
    """

    def __init__(self, verifiers: Sequence[Routable], name: str) -> None:
        self._verifiers = tuple(verifiers)
        self._by_route: dict[Hashable, Routable] = {}
        for verifier in verifiers:
            if verifier.routes is None:
                raise ConfigurationError(
                    f"two verifiers speak {name!r} and {type(verifier).__name__} does not say which credentials are "
                    "its own; give each JWTVerifier an issuer"
                )
            for route in verifier.routes:
                if route in self._by_route:
                    raise ConfigurationError(f"two verifiers would claim the {name!r} credentials of {route!r}")
                self._by_route[route] = verifier

    @property
    def first(self) -> Verifier:
        """Speaks for all of them where none can be chosen: they share one wire scheme."""
        return self._verifiers[0]

    def choose(self, request: Request) -> Verifier:
        """The verifier that these credentials are for.

        Raises:
            Rejected: UNKNOWN_ISSUER, none of them claims these.
        """
        route = self._verifiers[0].route(request)
        verifier = self._by_route.get(route)
        if verifier is None:
            raise Rejected(Reason.UNKNOWN_ISSUER, "no verifier claims what these credentials say they are", where="iss")
        return verifier
