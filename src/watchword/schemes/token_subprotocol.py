"""A bearer token in a WebSocket subprotocol: `InSubprotocol`. Pages can set no field of a handshake, but they name subprotocols."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from watchword.core.address import SUBPROTOCOL, Address
from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.schemes.token_places import is_handshake, the_token

__all__ = ["InSubprotocol"]

_PREFIX: Final = re.compile(r"[!#$%&'*+.^`|~0-9A-Za-z_-]{1,64}")  # a subprotocol is a token (RFC 6455 §4.1)


class InSubprotocol:
    """A subprotocol that is a prefix and the token: `new WebSocket(url, ["orders.v1", "bearer." + token])`.

    The page offers another one besides, which the server accepts: browsers close a connection that accepts none of what they offered,
    and the one with the token would show it. `servers.asgi.protect` hides it from the application, and never sends it back.

    Args:
        prefix: how the subprotocol begins that holds the token; no other one may begin so.

    Raises:
        ConfigurationError: no subprotocol can begin so.

    >>> InSubprotocol("bearer.").told
    (('subprotocol', 'bearer.'),)
    """

    __slots__ = ("_other", "_tokens", "address", "told")

    word: str = "Bearer"
    where: str = "sec-websocket-protocol"
    ambient: bool = False

    def __init__(self, prefix: str = "bearer.") -> None:
        octets = _beginning(prefix)
        begin = rb"(?:^|,)[ \t]*+"
        self._tokens = re.compile(begin + re.escape(octets) + rb"([^,]*+)").findall
        self._other = re.compile(begin + rb"(?!" + re.escape(octets) + rb")[^, \t]").search
        self.told: Sequence[tuple[str, str]] = (("subprotocol", prefix),)
        self.address = Address(SUBPROTOCOL, member=octets)

    def read(self, request: Request) -> bytes | None:
        """The token of the handshake; None if it offers no such subprotocol, or is no handshake.

        Raises:
            Rejected: AMBIGUOUS: two such subprotocols; MALFORMED_REQUEST: no token, or no other subprotocol to accept.
        """
        lines = request.values(SUBPROTOCOL)
        if not lines or not is_handshake(request):
            return None
        offered = b",".join(lines)
        tokens = self._tokens(offered)
        if not tokens:
            return None
        if len(tokens) > 1:
            raise Rejected(Reason.AMBIGUOUS, "two subprotocols with a token", where=self.where)
        if self._other(offered) is None:
            detail = (
                "no subprotocol is offered besides the one with the token, and browsers demand that one is accepted"
            )
            raise Rejected(Reason.MALFORMED_REQUEST, detail, where=self.where)
        return the_token(tokens[0].strip(b" \t"), self.where)

    def __repr__(self) -> str:
        return f"InSubprotocol({self.told[0][1]!r})"


def _beginning(prefix: object) -> bytes:
    if isinstance(prefix, str) and _PREFIX.fullmatch(prefix):
        return prefix.encode()
    raise ConfigurationError('prefix= is how the subprotocol with the token begins: InSubprotocol("bearer.")')
