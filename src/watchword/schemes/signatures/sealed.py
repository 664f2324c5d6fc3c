"""A client whose answers have to be signed: `SealedAuth`, round any other `Auth` or by itself."""

from __future__ import annotations

import warnings
from binascii import b2a_base64
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, NamedTuple

from watchword.core.message import Headers, Request
from watchword.core.rejection import CredentialsUnavailable, Rejected, Rejection
from watchword.core.scheme import ORIGINAL, Auth, Context, Effect, Flow, Received, Send
from watchword.schemes.client_half import ClientHalf
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.key_source import KeySource
from watchword.schemes.signatures.accept import accept_signature
from watchword.schemes.signatures.responses import ResponsePolicy, ResponseVerifier

__all__ = ["ResponseUnproven", "SealedAuth", "UnprovenResponse", "UnprovenResponseWarning"]

_ACCEPT: Final = b"accept-signature"
_WANT_DIGEST: Final = b"sha-256=10, sha-512=5"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class UnprovenResponse(NamedTuple):
    """An answer that did not prove what it had to.

    Args:
        origin: whose it would be: "https://api.example".
        status: what it says.
        rejection: why it is not to be believed.
    """

    origin: str
    status: int
    rejection: Rejection


class ResponseUnproven(CredentialsUnavailable):
    """An answer is not signed as it has to be, so it is not to be believed; `unproven` says why."""

    def __init__(self, unproven: UnprovenResponse) -> None:
        self.unproven = unproven
        rejection = unproven.rejection
        super().__init__(
            f"the answer of {unproven.origin} (status {unproven.status}) is not proven: {rejection.reason.value} at "
            f"{rejection.where}: {rejection.detail}"
        )


class UnprovenResponseWarning(UserWarning):
    """An answer was not proven, `require=False`, and nobody asked to be told (`on_unproven`)."""


class SealedAuth(ClientHalf):
    """Accepts only answers that the server signed for the very request: refusals, redirects and failures like any other.

    Each request, and each further try of one, asks for it by Accept-Signature with a fresh nonce (RFC 9421 §5), for a digest of the content by
    Want-Content-Digest (RFC 9530 §4), and for content that is not encoded. The content is read, and compared with its
    digest, before the caller gets the answer: don't stream answers that may be longer than memory, or take
    `ResponsePolicy(content=False)`.

    A redirect is an answer too; but what a library brings from where it points can't be checked any more. So it is refused,
    unless `allow_redirects` says that the library does not follow it, or that it doesn't matter.

    Args:
        keys: the server's: a `Key`, a `KeySet`, several keys, or what keeps a set up to date (`RemoteKeySet`).
        auth: how the request is authenticated; None: not at all.
        policy: what an answer has to prove.
        require: raise `ResponseUnproven` instead of giving the caller an answer that is not proven.
        on_unproven: called with each `UnprovenResponse`; without it, and without `require`, there is a warning.
        allow_redirects: pass answers that redirect, once they are proven.

    Raises:
        ConfigurationError: no key for signatures.

    >>> from watchword import BasicAuth
    >>> SealedAuth(Key.generate("HS256", key_id="api-2026"), BasicAuth("alice", "open sesame"))
    SealedAuth(keys=['api-2026'], BasicAuth(username='alice'))
    """

    __slots__ = ("__weakref__", "_allow_redirects", "_auth", "_on_unproven", "_require", "verifier")

    def __init__(
        self,
        keys: Key | KeySet | Sequence[Key] | KeySource,
        auth: Auth | None = None,
        *,
        policy: ResponsePolicy | None = None,
        require: bool = True,
        on_unproven: Callable[[UnprovenResponse], object] | None = None,
        allow_redirects: bool = False,
    ) -> None:
        self.verifier = ResponseVerifier(keys, policy)
        self._auth = auth
        self._require = require
        self._on_unproven = on_unproven
        self._allow_redirects = allow_redirects

    def __repr__(self) -> str:
        keys = repr(self.verifier).removeprefix("ResponseVerifier(").removesuffix(")")
        return f"SealedAuth({keys}, {self._auth!r})"

    @property
    def every_answer(self) -> bool:
        """Whether no answer may reach the caller but through a flow: a library may send one request twice."""
        return self._require

    def flow(self, request: Request, context: Context) -> Flow:
        """The flow of the inner `Auth`, every answer to the caller's request checked before that sees it."""
        nonce, again = _nonce(context), False
        asking = request.with_headers(self._asking(request, nonce))
        inner: Generator[Effect, Any, None] = _plain(asking) if self._auth is None else self._auth.flow(asking, context)
        try:
            effect = next(inner, None)
            while effect is not None:
                if isinstance(effect, Send) and effect.body is ORIGINAL:
                    if again and not _is_signed(effect.request):
                        # The answer to the last one, a refusal above all, is not that to this one.
                        nonce = _nonce(context)
                        effect = effect._replace(request=effect.request.with_headers([self._wanting(request, nonce)]))
                    again = True
                    received: Received = yield effect._replace(want=effect.want or self.verifier.policy.content)
                    self._judge(effect.request, received, nonce, context.now())
                    answer: Any = received if effect.want else received._replace(body=None)
                else:
                    answer = yield effect
                effect = _sent(inner, answer)
        finally:
            inner.close()

    def _wanting(self, request: Request, nonce: str) -> tuple[bytes, bytes]:
        return _ACCEPT, accept_signature([self.verifier.wanted(request.method, nonce)])

    def _asking(self, request: Request, nonce: str) -> Headers:
        lines = [self._wanting(request, nonce)]
        if self.verifier.policy.content:
            lines.append((b"accept-encoding", b"identity"))
            if not request.values(b"want-content-digest"):
                lines.append((b"want-content-digest", _WANT_DIGEST))
        return lines

    def _judge(self, request: Request, received: Received, nonce: str, now: float) -> None:
        response = received.response
        origin = f"{request.scheme}://{request.authority}"
        try:
            self.verifier.verify(request, response, received.body or b"", now=now, nonce=nonce)
        except Rejected as rejected:
            unproven = UnprovenResponse(origin, response.status, rejected.rejection)
        else:
            if response.status in _REDIRECTS and response.values(b"location") and not self._allow_redirects:
                raise CredentialsUnavailable(
                    f"{origin} redirects, and what comes from there would not be checked: ask the place that Location "
                    "names, or say allow_redirects=True if the library doesn't follow redirects"
                )
            return
        if self._on_unproven is not None:
            self._on_unproven(unproven)
        elif not self._require:
            warnings.warn(str(ResponseUnproven(unproven)), UnprovenResponseWarning, stacklevel=2)
        if self._require:
            raise ResponseUnproven(unproven)


def _nonce(context: Context) -> str:
    return b2a_base64(context.random(18), newline=False).decode()


def _is_signed(request: Request) -> bool:
    """Whether credentials may cover the field by which an answer is asked for: it can't be changed any more then."""
    return any(_ACCEPT in value.lower() for name, value in request.headers if name != _ACCEPT)


def _plain(request: Request) -> Flow:
    yield Send(request)


def _sent(flow: Generator[Effect, Any, None], answer: object) -> Effect | None:
    try:
        return flow.send(answer)
    except StopIteration:
        return None
