"""What client halves with an access token have in common: it goes along, and once more with another one after a 401."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from watchword.core.message import Request
from watchword.effects import Context, Effect, Flow, Received, Send
from watchword.oauth.token_response import AccessToken
from watchword.schemes.bearer import bearer_field
from watchword.schemes.client_half import ClientHalf
from watchword.schemes.sending import refuse_cleartext

__all__ = ["Fetching", "RenewingAuth"]

Fetching = Generator[Effect, Any, AccessToken]


class RenewingAuth(ClientHalf):
    """A client half whose token can be got anew.

    Whoever derives from this says which token is in use, and how another one is got.

    Args:
        allow_cleartext: also send it over plain http to other hosts than this one.
    """

    __slots__ = ("__weakref__", "_allow_cleartext")

    def __init__(self, *, allow_cleartext: bool) -> None:
        self._allow_cleartext = allow_cleartext

    @property
    def token(self) -> AccessToken | None:
        """The token in use, None before the first request."""
        raise NotImplementedError

    @property
    def renewable(self) -> bool:
        """Whether another token can be got where the API refuses this one."""
        return True

    def obtain(self, context: Context, refused: AccessToken | None) -> Fetching:
        """The effects that get a token other than `refused`; one flow gets it, the others wait for it."""
        raise NotImplementedError

    def sending(self, request: Request, token: AccessToken, context: Context) -> Send:
        """The request with the token."""
        return Send(request.with_headers((bearer_field(token.value),)))

    def flow(self, request: Request, context: Context) -> Flow:
        """The request with the token; once more with a new one if the answer is 401."""
        refuse_cleartext(request, self._allow_cleartext)
        token = self.token
        if token is None or not token.is_fresh(context.now()):
            token = yield from self.obtain(context, None)
        received: Received = yield self.sending(request, token, context)
        if received.response.status == 401 and self.renewable:
            renewed = yield from self.obtain(context, token)
            yield self.sending(request, renewed, context)
