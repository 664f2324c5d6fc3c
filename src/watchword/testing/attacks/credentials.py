"""`Credentials`: what the fixture `watchword_credentials` tells the attacks about an app."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from watchword.core.rejection import ConfigurationError
from watchword.core.scheme import Auth
from watchword.crypto.keys import Key
from watchword.structures.in_process import InProcess
from watchword.testing.attacks.answer import Answer
from watchword.testing.attacks.routes import Route, matches

__all__ = ["COVERS", "Credentials", "Sign", "is_client_half"]

Sign = Auth | Mapping[str, str] | Callable[..., Any]
"""One way to prove who asks: a client half of ours, fixed header fields, or a function that signs."""

COVERS = ("method", "path", "query", "body", "host")
"""The parts of a request that a signature may cover."""


class Credentials(InProcess):
    """Genuine credentials for an app, and what somebody without them must not do.

    Args:
        sign: proves who asks. A client half such as `BasicAuth` or `HMACAuth`; header fields (`{"X-API-Key": "…"}`, `{"Cookie": "…"}`);
            or a function `sign(request)` that gets an `Outgoing` and sets or returns its fields. A list of these is several ways
            into the same routes; a mapping of routes (`{"/hooks/*": …, "*": …}`) has other credentials for each.
        public: the routes that are for everybody, as "/health", "GET /docs" or "/static/*".
        untried: the routes of which you know that nothing can be tried on them. Any other such route is a failure.
        forbidden: who must be refused although the credentials are genuine: somebody without the scope or role. For all routes that aren't
            public, or a mapping of routes.
        key: the key that JWTs are signed with: its secret, its private key as PEM, or a `Key`. The attacks mint tokens with it.
        mint: a function that makes a token of claims, in the place of `key`.
        public_key: the PEM of the public key, where there is no private one to be had.
        bodies: the content for routes that need one: octets, a text, or an object that is sent as JSON.
        parameters: values for parameters in paths: `{"order_id": 7}`.
        queries: the query of routes that need one: `{"/search": "q=tea"}`.
        headers: fields that every request carries, such as the version of the API.
        base_url: scheme and host under which the app believes to run.
        peer: the address from which genuine requests come; say it if the app knows a proxy by its address.
        single_use: whether the same signed request is good once; None finds out what can be found out.
        covers: the parts that a signature covers, of "method", "path", "query", "body" and "host"; None finds out.
        same_site: the cookie is marked SameSite, and browsers don't send it from other sites.
        accepted: tells whether an answer let somebody in, where the status doesn't.

    Raises:
        ConfigurationError: a `base_url` without host, a part in `covers` that there is not.

    >>> from watchword import BasicAuth
    >>> Credentials(BasicAuth("alice", "open sesame"), public=["/health"])
    Credentials(public=['/health'])
    """

    def __init__(
        self,
        sign: Sign | Sequence[Sign] | Mapping[str, Sign | Sequence[Sign]] | None = None,
        *,
        public: Collection[str] = (),
        untried: Collection[str] = (),
        forbidden: Sign | Mapping[str, Sign] | None = None,
        key: str | bytes | Key | None = None,
        mint: Callable[[dict[str, Any]], str] | None = None,
        public_key: str | bytes | None = None,
        bodies: Mapping[str, object] | None = None,
        parameters: Mapping[str, object] | None = None,
        queries: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        base_url: str = "https://testserver",
        peer: str = "198.51.100.10",
        single_use: bool | None = None,
        covers: Collection[str] | None = None,
        same_site: bool = False,
        accepted: Callable[[Answer], bool] | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigurationError(f"base_url={base_url!r} names no host: write https://testserver")
        for part in covers or ():
            if part not in COVERS:
                raise ConfigurationError(f"covers= has {part!r}; there are {', '.join(COVERS)}")
        for name, routes in (("public", public), ("untried", untried)):
            if isinstance(routes, str):
                raise ConfigurationError(f"{name}= is a list of routes: [{routes!r}]")
        self._sign = sign
        self._forbidden = forbidden
        self.public = list(public)
        self.untried = list(untried)
        self.key = key
        self.mint = mint
        self.public_key = public_key
        self.bodies = dict(bodies or {})
        self.parameters = dict(parameters or {})
        self.queries = dict(queries or {})
        self.headers = dict(headers or {})
        self.scheme = parts.scheme
        self.authority = parts.netloc
        self.peer = peer
        self.single_use = single_use
        self.covers = None if covers is None else frozenset(covers)
        self.same_site = same_site
        self.accepted = accepted

    def ways(self, route: Route) -> list[Sign]:
        """The ways to prove who asks at this route."""
        found = self._sign
        if isinstance(found, Mapping) and _has_routes(found):
            found = _first(found, route)
        if found is None:
            return []
        return list(found) if isinstance(found, (list, tuple)) else [found]  # type: ignore[list-item] # a Sign otherwise

    def is_public(self, route: Route) -> bool:
        """Whether the route is for everybody."""
        return any(matches(pattern, route) for pattern in self.public)

    def is_untried(self, route: Route) -> bool:
        """Whether the user knows that nothing can be tried on the route."""
        return any(matches(pattern, route) for pattern in self.untried)

    def forbidden(self, route: Route) -> Sign | None:
        """Genuine credentials that must be refused at this route."""
        found: Any = self._forbidden
        if isinstance(found, Mapping) and _has_routes(found):
            found = _first(found, route)
        chosen: Sign | None = found
        return chosen

    def body(self, route: Route) -> object | None:
        """The content that the user gave for this route."""
        given: object | None = _first(self.bodies, route)
        return given

    def query(self, route: Route) -> str:
        """The query that the user gave for this route."""
        return str(_first(self.queries, route) or "").lstrip("?")

    def __repr__(self) -> str:
        return f"Credentials(public={self.public!r})"


def is_client_half(way: object) -> TypeGuard[Auth]:
    """Whether this is the client half of a scheme, rather than fields or a function."""
    return hasattr(way, "flow")


def _has_routes(mapping: Mapping[str, Any]) -> bool:
    """Whether the keys are routes: names of header fields have neither a slash nor an asterisk alone."""
    return any("/" in key or key.strip() == "*" for key in mapping)


def _first(mapping: Mapping[str, Any], route: Route) -> Any:
    """The value of the pattern that fits best: the longest."""
    fitting = [pattern for pattern in mapping if matches(pattern, route)]
    return mapping[max(fitting, key=lambda pattern: len(pattern.replace("*", "")))] if fitting else None
