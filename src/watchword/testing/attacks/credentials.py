"""`Credentials`: what the fixture `watchword_credentials` tells the attacks about an app."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from watchword.core.rejection import ConfigurationError
from watchword.effects import Auth
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
        headers: fields that every request carries, such as the version of the API; or a mapping of routes, with such fields for each.
        base_url: scheme and host under which the app believes to run.
        peer: the address from which genuine requests come; say it if the app knows a proxy by its address.
        single_use: whether the same signed request is good once; None finds out what can be found out.
        covers: the parts that a signature covers, of "method", "path", "query", "body" and "host"; None finds out.
        same_site: the cookie is marked SameSite, and browsers don't send it from other sites.
        accepted: tells whether an answer let somebody in, where the status doesn't.

    Raises:
        ConfigurationError: an argument has another form than it is described here; the text says what to write.

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
        headers: Mapping[str, str] | Mapping[str, Mapping[str, str]] | None = None,
        base_url: str = "https://testserver",
        peer: str = "198.51.100.10",
        single_use: bool | None = None,
        covers: Collection[str] | None = None,
        same_site: bool = False,
        accepted: Callable[[Answer], bool] | None = None,
    ) -> None:
        given = dict(locals())
        for name, (fits, form) in FORMS.items():
            if given[name] is not None and not fits(given[name]):
                raise ConfigurationError(f"{name}= is {form}")
        parts = urlsplit(base_url)
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
        self._headers: Mapping[str, Any] = dict(headers or {})
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
        if isinstance(found, Mapping) and _are_routes(found):
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
        if isinstance(found, Mapping) and _are_routes(found):
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

    def fields(self, route: Route) -> dict[str, str]:
        """The fields that a request to this route carries, names in lower case."""
        found = _first(self._headers, route) if _are_routes(self._headers) else self._headers
        return {str(name).lower(): str(value) for name, value in (found or {}).items()}

    def __repr__(self) -> str:
        return f"Credentials(public={self.public!r})"


def is_client_half(way: object) -> TypeGuard[Auth]:
    """Whether this is the client half of a scheme, rather than fields or a function."""
    return hasattr(way, "flow")


def _first(mapping: Mapping[str, Any], route: Route) -> Any:
    """The value of the pattern that fits best: the longest."""
    fitting = [pattern for pattern in mapping if matches(pattern, route)]
    return mapping[max(fitting, key=lambda pattern: len(pattern.replace("*", "")))] if fitting else None


def _are_routes(given: object) -> TypeGuard[Mapping[str, Any]]:
    """Names of header fields have neither a slash nor an asterisk at the end."""
    return isinstance(given, Mapping) and all(map(_is_route, given))


def _is_route(key: object) -> bool:
    return isinstance(key, str) and ("/" in key or key.rstrip().endswith("*"))


def _are_fields(given: object) -> bool:
    return isinstance(given, Mapping) and all(
        isinstance(name, str) and not _is_route(name) and isinstance(value, (str, bytes))
        for name, value in given.items()
    )


def _are_parameters(given: object) -> bool:
    return isinstance(given, Mapping) and not any(_is_route(name) for name in given)


def _is_list_of_routes(given: object) -> bool:
    return isinstance(given, Collection) and not isinstance(given, (str, bytes)) and all(map(_is_route, given))


def _is_way(given: object) -> bool:
    return not inspect.isclass(given) and (callable(given) or is_client_half(given) or _are_fields(given))


def _are_ways(given: object) -> bool:
    return _is_way(given) or (isinstance(given, (list, tuple)) and all(map(_is_way, given)))


def _names_a_host(given: object) -> bool:
    parts = urlsplit(given) if isinstance(given, str) else None
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.netloc)


def _is_address(given: object) -> bool:
    try:
        return isinstance(given, str) and bool(ip_address(given))
    except ValueError:
        return False


def _for_all_or_each(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda given: fits(given) or (_are_routes(given) and all(map(fits, given.values())))


WAY = "a client half such as BasicAuth(…), fields such as {'X-API-Key': '…'}, or a function that signs"
EACH = "; or a mapping of routes with these: {'POST /orders': …, '*': …}"
LIST = "a list of routes: ['/health', 'GET /docs']"
FORMS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "sign": (_for_all_or_each(_are_ways), f"{WAY}, or a list of these{EACH}"),
    "forbidden": (_for_all_or_each(_is_way), WAY + EACH),
    "public": (_is_list_of_routes, LIST),
    "untried": (_is_list_of_routes, LIST),
    "key": (lambda given: isinstance(given, (str, bytes, Key)), "a secret, a private key as PEM, or a Key"),
    "mint": (callable, "a function that makes a token of claims: mint=lambda claims: …"),
    "public_key": (lambda given: isinstance(given, (str, bytes)), "a public key as PEM"),
    "bodies": (_are_routes, "a mapping of routes: {'POST /orders': {'item': 'tea'}}"),
    "parameters": (_are_parameters, "a mapping of names, the same for all routes: {'order_id': 7}"),
    "queries": (_are_routes, "a mapping of routes: {'/search': 'q=tea'}"),
    "headers": (
        _for_all_or_each(_are_fields),
        "fields, {'X-Version': '2'}, or a mapping of routes: {'/orders/*': {'X-Version': '2'}}",
    ),
    "base_url": (_names_a_host, "a scheme and a host: https://testserver"),
    "peer": (_is_address, "an address: 198.51.100.10"),
    "single_use": (lambda given: isinstance(given, bool), "True, False or None"),
    "covers": (
        lambda given: (
            not isinstance(given, str) and isinstance(given, Collection) and all(part in COVERS for part in given)
        ),
        f"a list of some of {', '.join(map(repr, COVERS))}",
    ),
    "same_site": (lambda given: isinstance(given, bool), "True or False"),
    "accepted": (callable, "a function of an Answer: accepted=lambda answer: answer.status == 200"),
}
"""For each argument whether a value has its form, and what to write."""
