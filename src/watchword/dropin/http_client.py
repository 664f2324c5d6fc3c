"""`http.client` with `set_credentials`: change the import, and the connection answers the server's challenges itself."""

from __future__ import annotations

import http.client
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from watchword.clients._cookies import fresh_cookies
from watchword.clients._exchange import LIMIT, Replacements, changes, field_lines, merged_cookies, octets
from watchword.clients._repeats import may_repeat, position, unreplayable
from watchword.transport.flow import ClientContext, Drive
from watchword.core.message import Peer, Request, Response
from watchword.core.rejection import ConfigurationError
from watchword.effects import Context, Flow, Received, Send
from watchword.fields.auth_params import parse_challenges
from watchword.schemes.basic import BasicAuth
from watchword.schemes.digest import DigestAuth

__all__ = ["HTTPConnection", "HTTPSConnection"]


class ChallengedAuth:
    """Answers what it is asked for: Digest, or Basic of a server that has never offered Digest.

    A server that offered Digest once gets no password in the clear later: the offer may have been taken out on the way.
    Below the path that Basic was asked for it goes out unasked (RFC 7617 §2.2).
    """

    def __init__(self, basic: BasicAuth, digest: DigestAuth, preemptive: bool) -> None:
        self._basic = basic
        self._digest = digest
        self._preemptive = preemptive
        self._basic_below: bytes | None = None
        self._digest_offered = False

    def flow(self, request: Request, context: Context) -> Flow:
        """The request, and again in answer to challenges."""
        below = self._basic_below
        known = below is not None and request.path.startswith(below) and b"/.." not in request.path
        if self._preemptive or known:
            answer: Received = yield from self._with_basic(request, context)
            if answer.response.status == 401:
                self._basic_below = None
            return
        digest = self._digest.flow(request, context)
        effect = next(digest)
        last: Response | None = None
        offered: Collection[str] = ()
        try:
            while True:
                result = yield effect
                if isinstance(result, Received):
                    last, offered = result.response, _offered(result.response)
                    self._digest_offered |= "digest" in offered
                effect = digest.send(result)
        except StopIteration:
            pass
        finally:
            digest.close()
        if last is not None and last.status == 401 and "basic" in offered and not self._digest_offered:
            answer = yield from self._with_basic(request, context)
            if answer.response.status != 401:
                self._basic_below = request.path[: request.path.rfind(b"/") + 1] or b"/"

    def _with_basic(self, request: Request, context: Context) -> Any:
        basic = self._basic.flow(request, context)
        answer = yield next(basic)
        basic.close()
        return answer


class _Sent:
    """A request as it was put together, so that it can be sent again."""

    def __init__(self, method: str, url: str) -> None:
        self.method = method
        self.url = url
        self.lines: list[tuple[bytes, tuple[Any, ...]]] = []
        self.body: Any = None
        self.encode_chunked = False
        self.pieces: list[Any] = []  # what the caller sent after endheaders
        self.early = False  # the server answered, or was gone, before it had the whole request
        self.cut_off = False  # and the caller has more to send, which is not here
        self.drive: Drive
        self.bare: Request
        self._start: int | None = None
        self._size = 0

    def set_body(self, body: Any, encode_chunked: bool) -> None:
        self.body = body
        self.encode_chunked = encode_chunked
        self._start = position(body)

    def add(self, piece: Any) -> None:
        self._size += len(piece) if isinstance(piece, (bytes, bytearray, str)) else LIMIT + 1
        if self._size > LIMIT:
            self.pieces.clear()  # it would keep all of a long upload in memory
        else:
            self.pieces.append(bytes(piece) if isinstance(piece, bytearray) else piece)

    def content(self) -> bytes:
        """The body, which stays ready to be sent.

        Raises:
            ConfigurationError: it can be read only once, isn't here yet, or has the caller's own framing in it.
        """
        self.rewind()
        names = [name for name, _ in self.lines]
        if b"transfer-encoding" in names and not self.encode_chunked and (self.pieces or self.body):
            raise ConfigurationError(
                "this server's Digest covers the body: let request() frame it, not your own chunks"
            )
        if self.body is None and not self.pieces and self._announced():
            raise ConfigurationError("this server's Digest covers the body: pass it to request() or endheaders()")
        body = self.body
        read = getattr(body, "read", None)
        if read is not None:
            body = read()
            self.rewind()
        return b"".join(map(octets, (*_chunks(body), *self.pieces)))

    def _announced(self) -> bool:
        """Whether a body is to come: the fields say so."""
        told = dict(self.field_lines())
        return "transfer-encoding" in told or told.get("content-length", b"0").strip() != b"0"

    def can_go_again(self) -> bool:
        """Whether the whole request is at hand."""
        try:
            self.rewind()
        except ConfigurationError:
            return False
        return not self.cut_off

    def rewind(self) -> None:
        """Makes the body ready to be sent once more."""
        need = "the server wants the request with its body once more"
        if self._size > LIMIT:
            raise unreplayable(need)
        body = self.body
        if self._start is not None:
            body.seek(self._start)
        elif hasattr(body, "read") or hasattr(body, "__next__"):
            raise unreplayable(need)

    def field_lines(self) -> Iterable[tuple[str, bytes]]:
        for name, values in self.lines:
            yield name.decode("latin-1"), b", ".join(octets(str(v) if isinstance(v, int) else v) for v in values)


class HTTPConnection(http.client.HTTPConnection):
    """`http.client.HTTPConnection` that can authenticate itself.

    >>> connection = HTTPConnection("127.0.0.1", 8000)
    >>> connection.set_credentials("alice", "s3cret")
    """

    _auth: ChallengedAuth | None = None
    _sent: _Sent | None = None
    _sending = False

    def set_credentials(
        self, user: str, password: str, *, preemptive: bool = False, allow_cleartext: bool = False
    ) -> None:
        """From now on `getresponse()` answers the server's challenges: Digest, strongest algorithm first, else Basic.

        Nothing is sent before the server asks. To be sent again a body must be bytes, text, a seekable file or a list;
        what is sent by `send()` is kept for that up to 1 MiB. A request that has an Authorization field goes out as is.

        Args:
            user: the username.
            password: the password.
            preemptive: send Basic with every request, unasked.
            allow_cleartext: send Basic over http to hosts other than loopback.

        Raises:
            ConfigurationError: a name that can't be sent; when sending, Basic in the clear; from `getresponse()`, a body
                that can't be sent again.
        """
        self._auth = ChallengedAuth(
            BasicAuth(user, password, allow_cleartext=allow_cleartext), DigestAuth(user, password), preemptive
        )

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        """As in http.client."""
        before, self._sent = self._sent, _Sent(method, url or "/")
        try:
            super().putrequest(method, url, skip_host, skip_accept_encoding)
        except BaseException:
            self._sent = before
            raise

    def putheader(self, header: Any, *values: Any) -> None:
        """As in http.client."""
        super().putheader(header, *values)
        if self._sent is not None:
            self._sent.lines.append((octets(header).lower(), values))

    def endheaders(self, message_body: Any = None, *, encode_chunked: bool = False) -> None:
        """As in http.client."""
        sent = self._sent
        if sent is None or self._auth is None or any(name == b"authorization" for name, _ in sent.lines):
            self._sent = None
            super().endheaders(message_body, encode_chunked=encode_chunked)
            return
        sent.set_body(message_body, encode_chunked)
        try:
            sent.bare = Request(
                sent.method,
                *self._origin(),
                sent.url,
                field_lines(sent.field_lines()),
                Peer(relay=self._relay(sent.url)),
            )
            sent.drive = Drive(self._auth, sent.bare, ClientContext(sent.content))
            send = sent.drive.advance()
            assert send is not None  # a flow without a Send of the caller's request has raised
            self._put(changes(sent.bare, send.request))
            self._sending = True
            super().endheaders(message_body, encode_chunked=encode_chunked)
        except BaseException as error:
            # Where the connection breaks the server may have answered early, which `getresponse()` then finds.
            sent.early = isinstance(error, ConnectionError) and self.sock is not None
            if not sent.early:
                self._sent = None
                self.close()
                self._buffer: list[bytes] = []  # else what was put together would go out with the next request
            raise
        finally:
            self._sending = False

    def send(self, data: Any) -> None:
        """As in http.client."""
        if self._sent is not None and not self._sending:
            self._sent.add(data)
        try:
            super().send(data)
        except ConnectionError:
            if self._sent is not None and not self._sending:
                self._sent.early = self._sent.cut_off = True
            raise

    def getresponse(self) -> http.client.HTTPResponse:
        """As in http.client; the answer to the request with credentials, if the server asked for them."""
        response = super().getresponse()
        sent, self._sent = self._sent, None
        if sent is None:
            return response
        try:
            if sent.early and not sent.can_go_again():
                return response
            while (send := sent.drive.advance(_received(response))) is not None:
                response = self._again(sent, send, response)
        except BaseException:
            response.close()
            self.close()
            raise
        finally:
            sent.drive.close()
        return response

    def _again(self, sent: _Sent, send: Send, response: http.client.HTTPResponse) -> http.client.HTTPResponse:
        sent.rewind()
        replaced = changes(sent.bare, send.request)
        if cookies := self._cookies(sent, response):
            replaced[b"cookie"] = [octets(cookies)]
        with suppress(ConnectionError, http.client.HTTPException):  # of an early answer, the rest may be lost
            response.read(LIMIT)
        if sent.early or not response.isclosed():
            self.close()  # half a request went out on it, or there is more of the answer than is worth reading
        sent.early = False
        try:
            return self._resend(sent, replaced)
        except ConnectionError:
            # The server may have closed the connection after its 401. Who sees a request twice by this may do so.
            if not may_repeat(sent.method, sent.rewind):
                raise
        self.close()
        return self._resend(sent, replaced)

    def _resend(self, sent: _Sent, replaced: Replacements) -> http.client.HTTPResponse:
        super().putrequest(sent.method, sent.url, skip_host=True, skip_accept_encoding=True)
        for name, values in sent.lines:
            if name not in replaced:
                super().putheader(name, *values)
        self._put(replaced)
        try:
            super().endheaders(sent.body, encode_chunked=sent.encode_chunked)
            for piece in sent.pieces:
                super().send(piece)
        except ConnectionError:
            with suppress(ConnectionError, http.client.HTTPException):
                answer = super().getresponse()
                sent.early = True
                return answer
            raise
        return super().getresponse()

    def _put(self, replaced: Replacements) -> None:
        for name, lines in replaced.items():
            for line in lines:
                super().putheader(name.title(), line)

    def _origin(self) -> tuple[str, str]:
        """Where the secret really goes, whatever Host says."""
        host, port = self.host, self.port
        if getattr(self, "_tunnel_host", None):
            host, port = self._tunnel_host, self._tunnel_port  # type: ignore[attr-defined]
        authority = f"[{host}]" if ":" in host else host
        scheme = "https" if isinstance(self, http.client.HTTPSConnection) else "http"
        return scheme, authority if port == self.default_port else f"{authority}:{port}"

    def _relay(self, url: str) -> str:
        """The proxy that the request goes through: by a tunnel, or as a URL in whole (RFC 9112 §3.2.2)."""
        tunnelled = getattr(self, "_tunnel_host", None) and not isinstance(self, http.client.HTTPSConnection)
        return "a proxy" if tunnelled or "://" in url.partition("?")[0] else ""

    def _cookies(self, sent: _Sent, response: http.client.HTTPResponse) -> str:
        """The Cookie field of the retry: servers may keep their nonce in a cookie."""
        scheme, authority = self._origin()
        url = f"{scheme}://{authority}{sent.bare.path.decode()}"
        had = "; ".join(value.decode("latin-1") for value in sent.bare.values(b"cookie"))
        return merged_cookies(had, fresh_cookies(url, response.headers.get_all("Set-Cookie", [])))


class HTTPSConnection(HTTPConnection, http.client.HTTPSConnection):
    """`http.client.HTTPSConnection` that can authenticate itself.

    >>> HTTPSConnection("api.example").port
    443
    """


def _offered(response: Response) -> set[str]:
    return {challenge.scheme.lower() for challenge in parse_challenges(response.values(b"www-authenticate"))}


def _chunks(body: Any) -> Iterable[Any]:
    """A body as http.client takes it: nothing, text, what has a buffer, or an iterable of these."""
    if body is None:
        return ()
    if isinstance(body, str):
        return (body,)
    try:
        return (bytes(memoryview(body)),)
    except TypeError:
        return tuple(body)


def _received(response: http.client.HTTPResponse) -> Received:
    return Received(Response(response.status, field_lines(response.headers.items())))
