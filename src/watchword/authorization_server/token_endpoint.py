"""The token endpoint (RFC 6749 §3.2) for the client credentials grant (§4.4), issuing JWT access tokens (RFC 9068)."""

from __future__ import annotations

import os
import time
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from watchword.authorization_server.client import Client
from watchword.core.attempts import Attempt, AttemptPolicy, KnownPair, Limiter, giving_back, reserve
from watchword.core.io import IO, done
from watchword.core.limits import Limits
from watchword.structures.line import WaitingLine
from watchword.core.answer import Challenge
from watchword.structures.in_process import InProcess
from watchword.core.message import Headers, Request, Response
from watchword.core.records import Add, Counter, Found, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import WHOLE, Random
from watchword.core.slow_work import Applicant, take_turn
from watchword.crypto import jose
from watchword.crypto.digests import subject_key
from watchword.crypto.keys import Key
from watchword.crypto.passwords import DUMMY, verify_password
from watchword.crypto.precis import MAX_PASSWORD, MAX_USERNAME
from watchword.fields.percent import percent_decoded

__all__ = ["Answer", "TokenEndpoint", "TokenVerdict"]

R = TypeVar("R")
G = TypeVar("G")

FORM: Final = "application/x-www-form-urlencoded"
MAX_FORM: Final = 16 * 1024
_LATER: Final = frozenset({Reason.TOO_MANY_ATTEMPTS, Reason.TOO_BUSY})
MAX_FIELD: Final = Limits().field
MAX_PARAMETERS: Final = 32


class Answer(NamedTuple):
    """A response and its body."""

    response: Response
    body: bytes

    def __repr__(self) -> str:
        # The body may be a token.
        return f"Answer({self.response!r}, body: {len(self.body)} octets)"


class TokenVerdict(NamedTuple):
    """One decision of the endpoint, for `observe`. `error` is RFC 6749's code, None if a token was issued."""

    error: str | None
    client_id: str | None
    detail: str


class TokenError(Exception):
    """A refusal in the words of RFC 6749 §5.2: `code` goes to the client, `detail` to the operator."""

    def __init__(self, code: str, detail: str, status: int = 400, retry_after: float | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.retry_after = retry_after


class TokenRequest(NamedTuple):
    """What the client asks for. `secrets` are the readings of its secret, any of which may be right."""

    client_id: str
    secrets: tuple[str, ...]
    scope: str | None
    resources: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"TokenRequest(client_id={self.client_id!r}, scope={self.scope!r})"


class TokenEndpoint(InProcess):
    """Issues access tokens to clients that prove their secret, by Basic or in the form (RFC 6749 §2.3.1).

    A program like the guard's pipeline: host it with `watchword.servers.endpoint`.

    Args:
        key: signs the tokens; `OAuth2Verifier` verifies with it or its public half.
        issuer: the `iss` of the tokens.
        audience: the `aud` of the tokens: the API that they are for. A client that asks for another `resource` (RFC 8707 §2) gets
            the error `invalid_target`.
        lifetime: seconds for which a token is good.
        attempts: how many failed attempts to guess a client's secret are allowed, where the store can count; above it
            the answer is 429 with Retry-After (RFC 6749 §2.3.1 demands the protection, RFC 6585 §4 has the status). None:
            any number.
        observe: called with one `TokenVerdict` per decision.
        clock: seconds since the epoch.
        random: n unpredictable bytes.

    Raises:
        ConfigurationError: a key that can't sign, a lifetime that isn't positive, or a window that can't be kept.

    >>> TokenEndpoint(Key.generate("HS256"), issuer="https://id.example", audience="orders")
    TokenEndpoint(issuer='https://id.example', audience='orders')
    """

    def __init__(
        self,
        key: Key,
        *,
        issuer: str,
        audience: str,
        lifetime: int = 300,
        attempts: AttemptPolicy | None = AttemptPolicy(),  # noqa: B008 -- an immutable tuple
        observe: Callable[[TokenVerdict], None] | None = None,
        clock: Callable[[], float] = time.time,
        random: Random = os.urandom,
    ) -> None:
        if not key.can_sign:
            raise ConfigurationError("the token endpoint needs a key that can sign, not a public key")
        if lifetime <= 0:
            raise ConfigurationError("lifetime is a positive number of seconds")
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime
        self._limiter = None if attempts is None else Limiter(attempts)
        self.committed_together: Sequence[type] = () if attempts is None else (Counter, KnownPair)
        self._line = WaitingLine()
        self._observe = observe
        self._clock = clock
        self._random = random

    def __repr__(self) -> str:
        return f"TokenEndpoint(issuer={self._issuer!r}, audience={self._audience!r})"

    async def respond(self, request: Request, io: IO[R, G], receive: R, gone: G | None = None) -> Answer:
        """read > fetch > decide for one request.

        Args:
            request: the request.
            io: where the clients are.
            receive: gives the chunks of the body.
            gone: tells whether the client has left, so that no secret is hashed for nobody; as `Guard.admit` has it.

        Raises:
            ClientGone: as `gone` says.
        """
        asked: TokenRequest | None = None
        try:
            head = read_head(request)
            body = await io.read(receive, WHOLE, MAX_FORM)
            asked = read_form(head, body.data)
            client = await self._authenticated(asked, request, io, gone)
            answer = self._issue(asked, client)
        except TokenError as error:
            self._report(error.code, asked, error.detail)
            return refuse(error)
        except Rejected as rejected:
            # RFC 6749 §5.2 has no word for too many attempts; this one says, as in §4.1.2.1, to come again later.
            code = "temporarily_unavailable" if rejected.reason in _LATER else "invalid_request"
            self._report(code, asked, rejected.rejection.detail)
            return refuse(TokenError(code, "", rejected.reason.status, rejected.rejection.retry_after))
        except StoreUnavailable as unavailable:
            self._report("temporarily_unavailable", asked, str(unavailable))
            return refuse(TokenError("temporarily_unavailable", "", 503))
        self._report(None, asked, "")
        return answer

    async def _authenticated(self, asked: TokenRequest, request: Request, io: IO[Any, G], gone: G | None) -> Client:
        """The client; one secret is hashed after the other, and counted as an attempt until it proves right."""
        ref = Ref(Client, (asked.client_id,))
        address = request.peer.address
        attempt: Attempt | None = None
        if self._limiter is not None:
            attempt = self._limiter.attempt(subject_key(asked.client_id), address)
        refs: list[Ref[Any]] = [ref, *(() if attempt is None else attempt.refs)]
        found = await done(io.fetch(refs))
        if attempt is not None:
            attempt.check(found, self._clock())

        async def count() -> Sequence[Add]:
            return () if attempt is None else await _reserved(io, attempt, found, self._clock())

        async def look_again() -> bool:
            nonlocal found  # the client may be gone, or have a new secret
            found = await done(io.fetch(refs))
            return True

        known = attempt is not None and attempt.is_known(found, self._clock())
        turn = await take_turn(io, self._line, Applicant(known, address), count, look_again, gone)
        try:
            client: Client = await turn.work(io, partial(authenticate, asked, found.get(ref)))
            if attempt is not None and turn.held:
                await done(io.commit([*giving_back(turn.held), *attempt.remembering(found, self._clock())]))
            return client
        finally:
            turn.end()

    def _issue(self, asked: TokenRequest, client: Client) -> Answer:
        scope = granted(asked.scope, client.scopes)
        if any(resource != self._audience for resource in asked.resources):
            raise TokenError(
                "invalid_target", "tokens are issued for the audience alone, not for the resource asked for"
            )
        now = int(self._clock())
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": client.subject,
            "client_id": asked.client_id,
            "iat": now,
            "exp": now + self._lifetime,
            "jti": self._random(16).hex(),
        }
        if scope:
            claims["scope"] = scope
        token = jose.sign(msgspec.json.encode(claims), self._key, header={"typ": "at+jwt"})
        return _answer(
            200,
            {"access_token": token, "token_type": "Bearer", "expires_in": self._lifetime, "scope": scope},
        )

    def _report(self, error: str | None, asked: TokenRequest | None, detail: str) -> None:
        if self._observe is not None:
            self._observe(TokenVerdict(error, None if asked is None else asked.client_id, detail))


async def _reserved(io: IO[Any, Any], attempt: Attempt, found: Found, now: float) -> Sequence[Add]:
    """The attempt, counted; nothing, where the store only looks up and says so."""
    adds = attempt.adds(found, now)
    try:
        await reserve(io, adds, now)
    except ConfigurationError:
        return ()
    return adds


def read_head(request: Request) -> tuple[str, str] | None:
    """The (client id, secret) of the Authorization field as sent, None without one.

    Raises:
        TokenError: another method, another type of content, or credentials that can't be read.
    """
    if request.method != "POST":
        raise TokenError("invalid_request", "the method is not POST", 405)
    types = request.values(b"content-type")
    if len(types) != 1 or types[0].decode("latin-1").partition(";")[0].strip().lower() != FORM:
        raise TokenError("invalid_request", f"the content is not {FORM}")
    values = request.values(b"authorization")
    if not values:
        return None
    if len(values) > 1:
        raise TokenError("invalid_request", "more than one Authorization line")
    if len(values[0]) > MAX_FIELD:
        raise TokenError("invalid_request", f"more than {MAX_FIELD} octets of Authorization")
    word, _, encoded = values[0].partition(b" ")
    if word.lower() != b"basic":
        raise TokenError("invalid_client", "clients authenticate by Basic or in the form", 401)
    try:
        text = a2b_base64(encoded.strip(b" "), strict_mode=True).decode()
    except (Base64Error, ValueError):
        raise TokenError("invalid_client", "the Basic credentials can't be decoded", 401) from None
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise TokenError("invalid_client", "the Basic credentials have no colon", 401)
    return client_id, secret


def read_form(head: tuple[str, str] | None, body: bytes) -> TokenRequest:
    """The token request (RFC 6749 §4.4.2).

    Raises:
        TokenError: what it lacks or repeats.
    """
    every = _pairs(body)
    resources = tuple(
        value for name, value in every if name == "resource"
    )  # the one that may be repeated (RFC 8707 §2)
    pairs = [pair for pair in every if pair[0] != "resource"]
    form = dict(pairs)
    if len(form) < len(pairs):
        raise TokenError("invalid_request", "a parameter is repeated")
    if "grant_type" not in form:
        raise TokenError("invalid_request", "grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise TokenError("unsupported_grant_type", "only client_credentials is served")
    client_id, secrets = _client_of(head, form)
    if not (client_id.isascii() and client_id.isprintable()):  # RFC 6749 §A.1; what it may break is behind the look-up
        raise TokenError("invalid_client", "the client id is not visible ASCII", 401)
    if len(client_id) > MAX_USERNAME or min(map(len, secrets)) > MAX_PASSWORD:  # `add_client` takes none such
        raise TokenError("invalid_client", "the client id or the secret is too long", 401)
    readings = tuple(secret for secret in secrets if len(secret) <= MAX_PASSWORD)
    return TokenRequest(client_id, readings, form.get("scope") or None, resources)


def _pairs(body: bytes) -> list[tuple[str, str]]:
    """Names and values of a form.

    Raises:
        TokenError: it is none, or has too many.
    """
    if body.count(b"&") >= MAX_PARAMETERS:
        raise TokenError("invalid_request", f"more than {MAX_PARAMETERS} parameters")
    split = [pair.partition(b"=") for pair in body.split(b"&")] if body else []
    try:
        if not all(mark for _, mark, _ in split):
            raise ValueError
        return [(_form_decoded(name).decode(), _form_decoded(value).decode()) for name, _, value in split]
    except ValueError:
        raise TokenError("invalid_request", "the form can't be decoded") from None


def _form_decoded(octets: bytes) -> bytes:
    return percent_decoded(octets.replace(b"+", b" "))


def _client_of(head: tuple[str, str] | None, form: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    if head is None:
        if "client_id" not in form or "client_secret" not in form:
            raise TokenError("invalid_client", "no client credentials", 401)
        return form["client_id"], (form["client_secret"],)
    if "client_secret" in form:
        raise TokenError("invalid_request", "client credentials in two places")
    # Both halves are form-encoded inside Basic (RFC 6749 §2.3.1), which many clients forget.
    client_id, secret = (_form_decoded(text.encode()).decode("utf-8", "replace") for text in head)
    if form.get("client_id", client_id) != client_id:
        raise TokenError("invalid_request", "two different client ids")
    return client_id, tuple(dict.fromkeys((secret, head[1])))


def authenticate(asked: TokenRequest, client: Client | None) -> Client:
    """The client, once its secret is proven; an unknown one costs the same.

    Raises:
        TokenError: invalid_client.
    """
    encoded = DUMMY if client is None else client.secret
    for secret in asked.secrets:
        try:
            verify_password(encoded, secret)
        except Rejected:
            continue
        if client is not None:
            return client
    raise TokenError("invalid_client", "wrong secret" if client else "unknown client", 401)


def granted(asked: str | None, allowed: tuple[str, ...]) -> str:
    """The scope to grant: what was asked for, or all that the client may have (RFC 6749 §3.3).

    Raises:
        TokenError: invalid_scope.
    """
    if asked is None:
        return " ".join(allowed)
    names = asked.split(" ")
    if not set(names) <= set(allowed):
        raise TokenError("invalid_scope", "the client may not have all of these scopes")
    return " ".join(dict.fromkeys(names))


def refuse(error: TokenError) -> Answer:
    """The error response of RFC 6749 §5.2."""
    more = () if error.retry_after is None else ((b"retry-after", str(round(error.retry_after)).encode()),)
    return _answer(error.status, {"error": error.code}, more)


def _answer(status: int, content: Mapping[str, object], more: Headers = ()) -> Answer:
    body = msgspec.json.encode(content)
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"pragma", b"no-cache"),
        (b"content-length", str(len(body)).encode()),
        *more,
    ]
    if status == 401:
        headers.append((b"www-authenticate", Challenge("Basic", (("realm", "token endpoint"),)).encode()))
    if status == 405:
        headers.append((b"allow", b"POST"))
    return Answer(Response(status, headers), body)
