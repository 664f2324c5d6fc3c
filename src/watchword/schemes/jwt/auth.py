"""The client half: `JWTAuth` mints tokens and sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from watchword.schemes.sending import refuse_cleartext
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError
from watchword.effects import Context, Flow, Send
from watchword.schemes.client_half import ClientHalf
from watchword.crypto import jose
from watchword.crypto.encoding import parse_object
from watchword.crypto.keys import Key
from watchword.schemes.bearer import bearer_field
from watchword.schemes.jwt.checks import check_mintable
from watchword.schemes.jwt.settings import seconds

__all__ = ["JWTAuth"]

RESERVED: Final = frozenset({"exp", "iat", "nbf"})
"""The dates, which follow from the lifetime."""


class JWTAuth(ClientHalf):
    """Mints short-lived tokens with its own key and sends them as bearer tokens.

    One token serves all requests until a fifth of its life is left; then the next request mints another.

    Args:
        key: a secret or private key.
        claims: what the tokens say; `iat` and `exp` are added.
        lifetime: seconds for which each token is good.
        backdate: seconds by which `iat` lies back, and `nbf` with it, for servers whose clocks are behind and that take
            no leeway (RFC 7519 §4.1.5). None is written for `nbf` without it. Some servers bound `exp` - `iat`, which is
            then `lifetime` + `backdate`.
        allow_cleartext: also send it over plain http to other hosts than this one.

    Raises:
        ConfigurationError: a public key, claims that can't be JSON or that fix the dates, no lifetime.

    >>> JWTAuth(Key.generate("HS256"), claims={"sub": "alice", "aud": "orders"})
    JWTAuth(key=Key(HS256, key_id=None, secret), lifetime=300)
    """

    def __init__(
        self,
        key: Key,
        *,
        claims: Mapping[str, object],
        lifetime: float = 300,
        backdate: float = 0,
        allow_cleartext: bool = False,
    ) -> None:
        self._key = signing_key(key)
        if fixed := RESERVED.intersection(claims):
            raise ConfigurationError(
                f"leave {', '.join(sorted(fixed))} out of claims=: the dates follow from lifetime="
            )
        if not seconds(lifetime, "lifetime") >= 1:
            raise ConfigurationError("lifetime= is at least one second")
        try:
            self._claims: dict[str, Any] = parse_object(msgspec.json.encode({**claims}))
        except (TypeError, ValueError, OverflowError):
            raise ConfigurationError("claims= is a mapping of texts to what JSON can say") from None
        if self._claims.keys() != claims.keys():  # JSON has no names but texts
            raise ConfigurationError("claims= is a mapping of texts to what JSON can say")
        check_mintable(self._claims)
        self._lifetime = lifetime
        self._backdate = seconds(backdate, "backdate")
        self._allow_cleartext = allow_cleartext
        self._current: tuple[float, float, str] = (0.0, 0.0, "")

    def mint(self, now: float) -> str:
        """A new token, issued at `now` (seconds since the epoch), or `backdate` before."""
        issued = int(now - self._backdate)
        claims = {**self._claims, "iat": issued, "exp": int(now + self._lifetime)}
        if self._backdate:
            claims["nbf"] = issued
        return jose.sign(msgspec.json.encode(claims), self._key, header={"typ": "JWT"})

    def flow(self, request: Request, context: Context, /) -> Flow:
        """One request, with a token that is good for a while yet.

        Raises:
            ConfigurationError: the request would show the token to the network.
        """
        refuse_cleartext(request, self._allow_cleartext)
        now = context.now()
        issued, renew, token = self._current
        if not issued <= now < renew:  # two threads may both mint here; both tokens are good
            token = self.mint(now)
            self._current = (now, now + 0.8 * self._lifetime, token)
        yield Send(request.with_headers((bearer_field(token),)))

    def __repr__(self) -> str:
        return f"JWTAuth(key={self._key!r}, lifetime={self._lifetime:g})"


def signing_key(key: object) -> Key:
    """The key, if it can sign.

    Raises:
        ConfigurationError: it can't.
    """
    if isinstance(key, Key) and key.can_sign:
        return key
    raise ConfigurationError("JWTAuth needs a Key that can sign: a secret or a private key")
