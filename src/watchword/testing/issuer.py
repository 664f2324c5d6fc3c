"""An issuer of tokens in the process: discovery, published keys, a token endpoint, and whatever an issuer may do wrong."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.core.io import Direct, drive, once
from watchword.core.message import Request, Response
from watchword.core.rejection import ConfigurationError
from watchword.effects import Received
from watchword.crypto import jose
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.oauth2 import OAuth2Verifier
from watchword.stores import MemoryStore, RemoteKeySet
from watchword.structures.in_process import InProcess
from watchword.testing.clock import Clock
from watchword.testing.issuer_grants import IssuerGrants, Settings, check_client, form_of
from watchword.testing.misbehaviour import Gate, Misbehaviour, Reply
from watchword.testing.seeded import SeededRandom
from watchword.transport.get import Answer, Exchange, Fault, FetchFailed, Get, Resolve, Terms, getting

__all__ = ["FakeIssuer"]

_PARTS: Final = ("metadata", "jwks", "token", "authorize", "device", "revoke")
_ELSEWHERE: Final = "/elsewhere"
_ADDRESS: Final = "192.0.2.1"  # of nobody (RFC 5737): nothing is connected to
_JSON: Final = (b"content-type", b"application/json")


class FakeIssuer(InProcess):
    """An issuer of tokens that opens no socket: `Guard([issuer.verifier()])` accepts what `issuer.token("alice")` makes.

    It publishes metadata (OpenID Connect Discovery 1.0 §3, RFC 8414 §2) and keys (RFC 7517 §5), issues access tokens (RFC 9068),
    and has a token endpoint for client credentials (RFC 6749 §4.4), codes with PKCE (§4.1, RFC 7636), devices (RFC 8628) and
    refresh tokens (§6). Whoever is sent to its authorization endpoint is sent back at once, logged in as `issuer.settings.person`.
    `LoopbackIssuer` is the same over a socket.

    Args:
        url: the issuer's name, and where it is.
        audience: the API that its tokens are for.
        algorithm: of its keys.
        clock: its time; None: a clock of its own, `issuer.clock`.
        random: its random octets.

    Raises:
        ConfigurationError: an algorithm of shared secrets, which nobody can publish.

    >>> from watchword import BearerAuth, Guard, Policy
    >>> from watchword.testing import assert_accepted, signed
    >>> with FakeIssuer() as issuer:
    ...     guard = Guard([issuer.verifier()], policy=Policy(clock=issuer.clock))
    ...     assert_accepted(guard, *signed(BearerAuth(issuer.token("alice", scopes=["read"]))))
    ...     issuer.rotate()
    ...     issuer.clock.advance(60)
    ...     assert_accepted(guard, *signed(BearerAuth(issuer.token("bob"))))
    Identity(subject='alice', scheme='oauth', key_id='key-1', scopes=['read'])
    Identity(subject='bob', scheme='oauth', key_id='key-2', scopes=[])
    """

    def __init__(
        self,
        url: str = "https://issuer.example",
        *,
        audience: str = "orders",
        algorithm: str = "ES256",
        clock: Clock | None = None,
        random: Callable[[int], bytes] | None = None,
    ) -> None:
        self.url = url
        self.audience = audience
        self.clock = Clock() if clock is None else clock
        self.asked: list[str] = []
        """The paths that were asked for, in order."""
        self.claimed: dict[str, object] = {}
        """Members of its metadata instead of the usual ones; None as a value is JSON's null."""
        self._algorithm = algorithm
        self._random = SeededRandom() if random is None else random
        self._made = 0
        self._keys: list[Key] = []
        self.rotate()
        if self._keys[0].is_secret:
            raise ConfigurationError(
                f"{algorithm} has shared secrets, which nobody publishes: use ES256, RS256 or ed25519"
            )
        self._clients = MemoryStore(clock=self.clock)
        self.grants = IssuerGrants(self, self._random)
        """What became of codes and refresh tokens: `refreshed`, `ended`, `revoked`."""
        self._wrong: dict[str, Misbehaviour] = {}
        self._gate = Gate()
        self._sources: list[RemoteKeySet] = []

    # ---- keys and tokens ---------------------------------------------------------------------------------------------

    @property
    def signing_key(self) -> Key:
        """The key that signs its tokens now."""
        return self._keys[0]

    @property
    def keys(self) -> KeySet:
        """The public halves of the keys that it publishes now."""
        return KeySet.from_jwks(self._jwks())

    def rotate(self, *, keep: bool = True) -> None:
        """Signs with a new key from now on, and publishes it.

        Args:
            keep: go on publishing the older ones; False: they are gone, as after a theft.
        """
        self._made += 1
        older = self._keys if keep else []
        self._keys = [Key.generate(self._algorithm, key_id=f"key-{self._made}"), *older]

    def token(
        self,
        subject: str = "alice",
        *,
        scopes: Sequence[str] = (),
        audience: str | None = None,
        client_id: str = "a-client",
        lifetime: float = 300,
        claims: Mapping[str, object] | None = None,
        header: Mapping[str, object] | None = None,
        key: Key | None = None,
    ) -> str:
        """An access token (RFC 9068 §2).

        Args:
            subject: whose it is.
            scopes: what it is good for.
            audience: the API that it is for; None: the issuer's own.
            client_id: the client that got it.
            lifetime: seconds for which it is good; below 0: it has expired.
            claims: claims instead of these, and more; None as a value leaves the claim out.
            header: members of the header instead of `{"typ": "at+jwt"}`.
            key: signs it in place of the issuer's own key: a forgery.
        """
        now = self.clock()
        body: dict[str, object] = {
            "iss": self.url, "aud": self.audience if audience is None else audience, "sub": subject, "client_id": client_id,
            "iat": int(now), "exp": int(now + lifetime), "jti": self._random(16).hex(),
            **({"scope": " ".join(scopes)} if scopes else {}), **(claims or {}),
        }  # fmt: skip
        kept = {name: value for name, value in body.items() if value is not None}
        return jose.sign(
            msgspec.json.encode(kept),
            self.signing_key if key is None else key,
            header={"typ": "at+jwt"} if header is None else header,
        )

    def add_client(
        self,
        client_id: str,
        secret: str | None = None,
        scopes: Sequence[str] = (),
        *,
        key: Key | None = None,
        redirect_uris: Sequence[str] = (),
    ) -> None:
        """A client that may get tokens at the token endpoint: `OAuth2Auth(issuer.token_url, client_id, secret)`.

        Args:
            client_id: its name, which is the subject of its tokens.
            secret: its secret; None: it has none, or a key.
            scopes: what it may ask for by client credentials.
            key: the public half of its key pair.
            redirect_uris: where browsers may be sent back to.

        Raises:
            ConfigurationError: a secret and a key.
        """
        check_client(secret, key)
        if secret:
            self._clients.add_client(client_id, secret, scopes=scopes)
        self.grants.add_client(client_id, secret, key, tuple(redirect_uris))

    @property
    def settings(self) -> Settings:
        """How it treats those who log in."""
        return self.grants.settings

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return f"{self.url}/token"

    @property
    def jwks_url(self) -> str:
        """Where its keys are."""
        return f"{self.url}/jwks"

    # ---- who verifies --------------------------------------------------------------------------------------------------

    def key_source(self, **options: Any) -> RemoteKeySet:
        """Its keys as a verifier takes them, found by its metadata and fetched without a socket; ends with the issuer.

        Args:
            options: those of `RemoteKeySet`, in place of the usual ones here.
        """
        source = RemoteKeySet(**self._fetching(options), clock=self.clock)
        self._sources.append(source)
        return source

    def _fetching(self, options: dict[str, Any]) -> dict[str, Any]:
        place = {} if "url" in options else {"issuer": self.url}
        return {"fetch": self.fetch, **place, **options}

    def verifier(self, **options: Any) -> OAuth2Verifier:
        """A verifier of its access tokens.

        Args:
            options: those of `OAuth2Verifier`.
        """
        return OAuth2Verifier(self.key_source(), **{"issuer": self.url, "audience": self.audience, **options})

    # ---- misbehaviour --------------------------------------------------------------------------------------------------

    @contextmanager
    def misbehaving(self, how: Misbehaviour, *parts: str) -> Iterator[None]:
        """Within it, the issuer misbehaves so.

        Args:
            how: in which way.
            parts: where: "metadata", "jwks", "token", "authorize", "device", "revoke"; none: everywhere.

        Raises:
            ConfigurationError: no part of an issuer.
        """
        for part in parts:
            if part not in _PARTS:
                raise ConfigurationError(f"an issuer has no {part!r}: use one of {', '.join(_PARTS)}")
        before = self._wrong
        self._wrong = before | dict.fromkeys(parts or _PARTS, how)
        if how is Misbehaviour.SLOW:
            self._gate.shut()
        try:
            yield
        finally:
            self._wrong = before
            self._gate.release()

    def release(self) -> None:
        """Lets all go whose answers are held (`Misbehaviour.SLOW`)."""
        self._gate.release()

    def wait_until_held(self, timeout: float | None = None) -> bool:
        """Waits until one more answer is held; False: none was in `timeout` seconds."""
        return self._gate.arrived(timeout)

    # ---- answers ---------------------------------------------------------------------------------------------------------

    def answer(self, request: Request, body: bytes = b"") -> Received:
        """Answers a client half's own request: `signed(OAuth2Auth(issuer.token_url, …), elsewhere=issuer.answer)`.

        Raises:
            ConnectionError: the answer was dropped, or the request is for somebody else.
        """
        if f"{request.scheme}://{request.authority}" != self._origin:
            raise ConnectionError(f"{request.authority} is not {self.url}")
        reply = self.reply(request, body)
        if reply.cut:
            raise ConnectionError("the connection ended in the middle of the answer")
        return Received(Response(reply.status, reply.headers), reply.body)

    def fetch(self, get: Get, terms: Terms) -> Answer:
        """Fetches from this issuer, under `terms`, as urllib3 would: `RemoteKeySet(…, fetch=issuer.fetch)`.

        Raises:
            FetchFailed: why not.
        """
        # No address is connected to, so none can be private.
        steps: Generator[Any, Any, Answer] = getting(get, terms._replace(allow_private=True))
        given: Any = None
        failure: FetchFailed | None = None
        while True:
            try:
                step = steps.send(given) if failure is None else steps.throw(failure)
            except StopIteration as stop:
                answer: Answer = stop.value
                return answer
            given = failure = None
            try:
                given = (_ADDRESS,) if isinstance(step, Resolve) else self._exchanged(step)
            except FetchFailed as failed:
                failure = failed

    def _exchanged(self, step: Exchange) -> Answer:
        request = Request("GET", step.target.scheme, step.target.authority, step.target.path, step.headers)
        if f"{request.scheme}://{request.authority}" != self._origin:
            raise FetchFailed(Fault.UNREACHABLE, f"{step.target.host} is not this issuer")
        reply = self.reply(request)
        if reply.cut:
            raise FetchFailed(Fault.BROKEN, f"{step.target.host}: the connection broke")
        if len(reply.body) > step.max_size:
            raise FetchFailed(Fault.TOO_LARGE, f"{step.target.host} sends more than {step.max_size} octets")
        return Answer(reply.status, reply.headers, reply.body)

    def reply(self, request: Request, body: bytes = b"") -> Reply:
        """The answer to any request to it, however it is transported; a program that hosts it sends that.

        Args:
            request: the request.
            body: its body.
        """
        path = request.path.decode("latin-1")
        self.asked.append(path)
        base = urlsplit(self.url).path.rstrip("/")
        below = path.removeprefix(base)
        genuine = below.removeprefix(_ELSEWHERE)
        part = self._part(request.scheme, path if genuine is below else base + genuine)
        how = self._wrong.get(part)
        if how is Misbehaviour.SLOW:
            self._gate.passed()
        name = "https://another-issuer.example" if how is Misbehaviour.WRONG_ISSUER else self.url
        reply = self._right(part, name, request, body)
        if how is None or (how is Misbehaviour.REDIRECTING and genuine != below):
            return reply
        return reply.misbehaving(how, f"{self._origin}{base}{_ELSEWHERE}{below}", self._random)

    @property
    def _origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def _part(self, scheme: str, path: str) -> str:
        base = urlsplit(self.url).path.rstrip("/")
        if path in (f"{base}/.well-known/openid-configuration", f"/.well-known/oauth-authorization-server{base}"):
            return "metadata"
        below = path.removeprefix(base).removeprefix("/")
        return below if path.startswith(base) and below in _PARTS[1:] else ""

    def _right(self, part: str, name: str, request: Request, body: bytes) -> Reply:
        form = form_of(request, body)
        if part == "authorize":
            unnamed = self._wrong.get(part) is Misbehaviour.UNNAMED
            return self.grants.authorize(request, None if unnamed else name)
        if part in ("device", "revoke"):
            return self.grants.device(request, form) if part == "device" else self.grants.revoke(request, form)
        if part == "token" and form and self.grants.takes(form):
            return self.grants.token(request, form, name)
        if part == "token":
            endpoint = TokenEndpoint(
                self.signing_key, issuer=name, audience=self.audience, clock=self.clock, random=self._random
            )
            given = drive(endpoint.respond(request, Direct(self._clients), once(body)))
            return Reply(given.response.status, given.response.headers, given.body)
        if part not in ("metadata", "jwks"):
            return Reply(404, (_JSON,), b"{}")
        if request.method not in ("GET", "HEAD"):
            return Reply(405, ((b"allow", b"GET, HEAD"),), b"")
        if part == "jwks":
            return Reply(200, (_JSON, (b"cache-control", b"max-age=300")), self._jwks())
        return Reply(200, (_JSON, (b"cache-control", b"max-age=300")), msgspec.json.encode(self._metadata(name)))

    def _jwks(self) -> bytes:
        return msgspec.json.encode(KeySet(self._keys).to_jwks())

    def _metadata(self, name: str) -> dict[str, object]:
        return {
            "issuer": name,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": self.token_url,
            "jwks_uri": self.jwks_url,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.signing_key.algorithm],
            "device_authorization_endpoint": f"{self.url}/device",
            "revocation_endpoint": f"{self.url}/revoke",
            "grant_types_supported": [
                "client_credentials", "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
            ],
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none",
            ],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.claimed,
        }  # fmt: skip

    # ---- its end ---------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Lets all go whose answers are held, and closes the key sources that it has given."""
        self._gate.release()
        for source in self._sources:
            source.close()

    def __enter__(self) -> FakeIssuer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"
