"""OAuth 2.0: JWT access tokens (RFC 9068) as an API verifies them. Whoever calls the API has `watchword.oauth`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from watchword.core.rejection import ConfigurationError
from watchword.crypto.jose import MAX_TOKEN
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.jwt import JWTVerifier
from watchword.schemes.key_source import KeySource
from watchword.schemes.revocation import Revocations
from watchword.schemes.token_places import TokenPlace
from watchword.schemes.token_cache import TokenCache

__all__ = ["OAuth2Verifier"]


class OAuth2Verifier(JWTVerifier):
    """Verifies JWT access tokens by the profile of RFC 9068: typ `at+jwt` and all the claims of its §2.2 are demanded.

    Bearer tokens, that is: one that is bound to a key (`cnf`) is refused. `DPoPVerifier` around this verifier takes those that are
    bound by `jkt` (RFC 9449), and `Guard([tokens, DPoPVerifier(tokens)], store)` takes both kinds.

    Args:
        keys: the authorization server's key or keys, or a `watchword.stores.RemoteKeySet` of them.
        issuer: the authorization server (`iss`).
        audience: this API (`aud`).
        algorithms: which of the keys' algorithms are accepted; None: those of `keys`.
        leeway: seconds by which clocks may differ.
        scope_lists: take `scope` as a list of texts too, as some authorization servers write it; RFC 9068 §2.2.3 has a
            text.
        revocations, cache, max_token, place: as `JWTVerifier` has them.
        clock: seconds since the epoch, for the plain `verify`.

    >>> OAuth2Verifier(Key.generate("HS256"), issuer="https://id.example", audience="orders").scheme
    'oauth'
    """

    scheme: str = "oauth"

    def __init__(
        self,
        keys: Key | KeySet | KeySource,
        *,
        issuer: str,
        audience: str,
        algorithms: Sequence[str] | None = None,
        leeway: float = 0,
        scope_lists: bool = False,
        revocations: Revocations | None = None,
        cache: TokenCache | None = None,
        max_token: int = MAX_TOKEN,
        place: TokenPlace | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if type(scope_lists) is not bool:
            raise ConfigurationError("scope_lists= is True or False")
        self.scope_lists = scope_lists
        super().__init__(
            keys,
            issuer=issuer,
            audience=audience,
            algorithms=algorithms,
            typ="at+jwt",
            required=("iss", "exp", "aud", "sub", "client_id", "iat", "jti"),
            leeway=leeway,
            revocations=revocations,
            cache=cache,
            max_token=max_token,
            place=place,
            clock=clock,
        )
