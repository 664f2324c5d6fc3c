"""`http.server` with the method that it never had: `HTTPServer.set_digest_auth`."""

from __future__ import annotations

from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from watchword.core.guard import Guard
from watchword.core.identity import Identity
from watchword.core.rejection import ConfigurationError
from watchword.schemes.digest import DigestVerifier
from watchword.servers.http_server import protect
from watchword.stores.memory import MemoryStore

__all__ = ["HTTPServer", "WhoAmIHandler"]


class WhoAmIHandler(BaseHTTPRequestHandler):
    """Answers every GET and HEAD with who asked."""

    protocol_version = "HTTP/1.1"
    identity: Identity | None = None

    def do_GET(self) -> None:
        """Says who asked."""
        self.wfile.write(self._introduction())

    def do_HEAD(self) -> None:
        """The same without saying it."""
        self._introduction()

    def _introduction(self) -> bytes:
        who = "anonymous" if self.identity is None else f"{self.identity.subject}, by {self.identity.scheme}"
        text = f"You are {who}.\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        return text


class HTTPServer(ThreadingHTTPServer):
    """`http.server.ThreadingHTTPServer` that can demand Digest credentials (RFC 7616).

    Until `set_digest_auth` is called it serves everybody, as the standard library's does. Users and nonces live in this
    process: for more of it use `watchword.servers.http_server.protect` with a guard and a store of your own.

    Args:
        server_address: host and port; port 0 takes a free one.
        Handler: answers the requests; `self.identity` is who made it.
        bind_and_activate: as in `socketserver.TCPServer`.

    >>> with HTTPServer(("localhost", 0)) as server:
    ...     server.set_digest_auth("alice", "open sesame")
    ...     server.set_digest_auth("bob", "swordfish")
    """

    def __init__(
        self,
        server_address: tuple[str, int],
        Handler: type[BaseHTTPRequestHandler] = WhoAmIHandler,  # noqa: N803 -- as in the standard library's examples
        bind_and_activate: bool = True,
    ) -> None:
        self._store: MemoryStore | None = None
        self._offer: tuple[str, tuple[str, ...]] | None = None
        self._handler = Handler
        super().__init__(server_address, Handler, bind_and_activate)

    def set_digest_auth(
        self, user: str, password: str, *, realm: str = "protected", algorithms: Sequence[str] = ("SHA-256",)
    ) -> None:
        """From now on only users may ask; call it once for each of them. A second call for a user sets a new password.

        Args:
            user: the username.
            password: the password; only its H(A1) and a hash are kept.
            realm: what the user is asked to log in to; the same for all users.
            algorithms: "SHA-256", "SHA-512-256", and "MD5" for old clients; the same for all users.

        Raises:
            ConfigurationError: realm or algorithms differ from an earlier call, or are not usable.
        """
        offer = (realm, tuple(algorithms))
        if self._offer not in (None, offer):
            raise ConfigurationError(f"a server has one realm and one list of algorithms: {self._offer}")
        verifier = DigestVerifier(realm=realm, algorithms=algorithms)
        store = self._store or MemoryStore()
        store.add_user(user, password, realm=realm, digest_algorithms=algorithms)
        if self._store is None:
            self._store, self._offer = store, offer
            self.RequestHandlerClass = protect(self._handler, Guard([verifier], store))
