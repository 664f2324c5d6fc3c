"""A client whose answers have to be signed: `SealedAuth`, round any other `Auth` or by itself."""

from __future__ import annotations

import warnings
from binascii import b2a_base64
from collections.abc import Callable, Collection, Generator, Sequence
from typing import Any, Final, NamedTuple

from watchword.core.message import Request, Response
from watchword.core.rejection import CredentialsUnavailable, Reason, Rejected, Rejection
from watchword.effects import ORIGINAL, Auth, Context, Effect, Flow, Received, Send
from watchword.schemes.client_half import ClientHalf
from watchword.crypto.digests import digest as digest_of
from watchword.crypto.keys import Key, KeySet
from watchword.fields.content_digest import digest_field
from watchword.schemes.key_source import KeySource
from watchword.schemes.signatures.accept import accept_signature
from watchword.schemes.signatures.consequential import demanded
from watchword.schemes.signatures.credentials_digest import KEY_OCTETS, WANTED, wanting
from watchword.schemes.signatures.responses import ResponsePolicy, ResponseVerifier
from watchword.schemes.signatures.wire import Labelled

__all__ = ["ResponseUnproven", "SealedAuth", "UnprovenResponse", "UnprovenResponseWarning"]

_ACCEPT: Final = b"accept-signature"
_WANT_DIGEST: Final = b"sha-256=10, sha-512=5"
_DIGEST: Final = "sha-256"
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
    Want-Content-Digest (RFC 9530 §4), for one of its credentials by Want-Credentials-Digest, and for content that is not
    encoded. The request gets a Content-Digest (§2), without a body that of no octets, so that nobody gives it one. So a body
    has to be such that it can be read and sent as well; for others take `ResponsePolicy(request_content=False)`.

    The header section of an answer is judged first. Only if it is proven the content is read, up to `ResponsePolicy.max_content`
    octets, and compared with its digest before the caller gets the answer: don't stream answers that may be longer, or take
    `ResponsePolicy(content=False)`.

    The answer is for the request as it was sent. The server covers each field on which something depends that it saw of the
    request, and each that its answer has. This client refuses an answer that leaves out one of those that it sent or got: it
    was changed, or taken out. One that somebody added to the request, such as a Range or a method override, is covered
    too, and this client knows that it never sent it.

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

    __slots__ = ("__weakref__", "_allow_redirects", "_auth", "_credentials_key", "_on_unproven", "_require", "verifier")

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
        # One for all requests, so that an answer to the same request at another time is told from one of another key.
        self._credentials_key = b""
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
        key = self._credentials_key = self._credentials_key or context.random(KEY_OCTETS)
        asking = _Asking(self.verifier, request, context, key)
        inner: Generator[Effect, Any, None] = (
            _plain(asking.request) if self._auth is None else self._auth.flow(asking.request, context)
        )
        try:
            effect = next(inner, None)
            while effect is not None:
                if isinstance(effect, Send) and effect.body is ORIGINAL:
                    sent = asking.sent(effect)
                    trial = _Trial(self, sent, asking.nonce, asking.fields, effect.want, context)
                    wants = effect.want or self.verifier.policy.content
                    received: Received = yield sent._replace(want=wants, head=trial.head if wants else None)
                    trial.judge(received)
                    answer: Any = received if effect.want else received._replace(body=None)
                else:
                    answer = yield effect
                effect = _sent(inner, answer)
        finally:
            inner.close()

    def tell(self, unproven: UnprovenResponse) -> None:
        """Tells `on_unproven` of an answer that is not proven; raises `ResponseUnproven` if it had to be."""
        if self._on_unproven is not None:
            self._on_unproven(unproven)
        elif not self._require:
            warnings.warn(str(ResponseUnproven(unproven)), UnprovenResponseWarning, stacklevel=3)
        if self._require:
            raise ResponseUnproven(unproven)

    def check_redirect(self, origin: str, response: Response) -> None:
        """Nothing, unless a library would follow an answer to where nothing is checked.

        Raises:
            CredentialsUnavailable: it would.
        """
        if response.status in _REDIRECTS and response.values(b"location") and not self._allow_redirects:
            raise CredentialsUnavailable(
                f"{origin} redirects, and what comes from there would not be checked: ask the place that Location "
                "names, or say allow_redirects=True if the library doesn't follow redirects"
            )


class _Asking:
    """The requests of one flow, each of which asks for a sealed answer.

    `request` is the caller's, which does. `nonce` and `fields` are those by which the last one asked, the latter having to be
    covered of it.
    """

    __slots__ = ("_again", "_context", "_digest", "_verifier", "fields", "nonce", "request")

    def __init__(self, verifier: ResponseVerifier, request: Request, context: Context, key: bytes) -> None:
        self._verifier = verifier
        self._context = context
        self._again = False
        self._digest: bytes | None = None
        self.nonce = _nonce(context)
        lines: list[tuple[bytes, bytes]] = []
        if verifier.policy.content:
            lines.append((b"accept-encoding", b"identity"))
            if not request.values(b"want-content-digest"):
                lines.append((b"want-content-digest", _WANT_DIGEST))
        elif not request.values(b"accept-encoding"):
            lines.append((b"accept-encoding", b"identity"))  # else some libraries add one after this
        if verifier.policy.credentials:
            lines.append((WANTED, wanting(key)))
        request = request.with_headers(lines)
        self.fields = self._demanded(request)
        self.request = request.with_headers([self._wanting(request)])

    def sent(self, send: Send) -> Send:
        """What the inner flow sends, with the digest of its body, and asked for anew if it is another try."""
        request = send.request
        if self._verifier.policy.request_content and not request.values(b"content-digest"):
            # Of no body as well: else somebody could put one into the request.
            request = request.with_headers([(b"content-digest", self._digest_of(send.content))])
        fields = self._demanded(request)
        # The answer to the last try, a refusal above all, is not that to this one.
        if (self._again or fields != self.fields) and not _is_signed(request):
            self.nonce, self.fields = _nonce(self._context) if self._again else self.nonce, fields
            request = request.with_headers([self._wanting(request)])
        self._again = True
        return send._replace(request=request)

    def _demanded(self, request: Request) -> list[bytes]:
        return demanded(request.headers) if self._verifier.policy.fields else []

    def _wanting(self, request: Request) -> tuple[bytes, bytes]:
        return _ACCEPT, accept_signature([self._verifier.wanted(request.method, self.nonce, self.fields)])

    def _digest_of(self, content: bytes | None) -> bytes:
        """The Content-Digest of a body, be it empty. That of the caller's body is computed once."""
        if content is not None:
            return _digest_field(content)
        if self._digest is None:
            self._digest = _digest_field(self._context.body())
        return self._digest


class _Trial:
    """Judges one answer: its header section before the content is read, if the driver does so, and then the content."""

    __slots__ = ("_auth", "_fields", "_judged", "_nonce", "_now", "_request", "_signature", "_want")

    def __init__(
        self, auth: SealedAuth, send: Send, nonce: str, fields: Collection[bytes], want: bool, context: Context
    ) -> None:
        self._auth = auth
        self._request = send.request
        self._nonce = nonce
        self._fields = fields
        self._want = want
        self._now = context.now
        self._judged = False
        self._signature: Labelled | None = None

    def head(self, received: Received) -> int | None:
        """Judges the header section; how many octets of the content may be read: None where it is of no use."""
        self._judged = True
        if received.sent is not None:
            self._request = received.sent
        verifier, response = self._auth.verifier, received.response
        try:
            self._signature = verifier.verify_head(
                self._request, response, now=self._now(), nonce=self._nonce, fields=self._fields
            )
        except Rejected as rejected:
            self._tell(response, rejected.rejection)
            return verifier.policy.max_content if self._want else None
        self._auth.check_redirect(self._origin(), response)
        return verifier.policy.max_content

    def judge(self, received: Received) -> None:
        """Judges what is not judged yet.

        Raises:
            ResponseUnproven: it had to be proven, or was longer than may be read.
        """
        response, policy = received.response, self._auth.verifier.policy
        read = self._judged
        if not read:
            self.head(received)
        if self._signature is None or not policy.content:
            return
        if received.body is None and read:
            detail = f"more than {policy.max_content} octets: ResponsePolicy(max_content=…) lets more be read"
            # Its rest was not read, so there is no answer that could be given to anybody.
            raise ResponseUnproven(
                UnprovenResponse(self._origin(), response.status, Rejection(Reason.BODY_TOO_LARGE, detail, "content"))
            )
        try:
            self._auth.verifier.verify_content(self._signature, self._request, response, received.body or b"")
        except Rejected as rejected:
            self._tell(response, rejected.rejection)

    def _origin(self) -> str:
        return f"{self._request.scheme}://{self._request.authority}"

    def _tell(self, response: Response, rejection: Rejection) -> None:
        self._auth.tell(UnprovenResponse(self._origin(), response.status, rejection))


def _digest_field(body: bytes) -> bytes:
    return digest_field({_DIGEST: digest_of(_DIGEST, body)})


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
