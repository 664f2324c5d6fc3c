"""JSON Web Tokens as bearer tokens (RFC 7519, RFC 8725, RFC 6750): `JWTAuth` and `JWTVerifier`.

Checked in this order: size and format, algorithm, key, signature, type, then the claims. Nothing that a token says of
itself is believed before its signature has been verified with a key that was there before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from watchword.core.flow import refuse_cleartext
from watchword.core.identity import Identity
from watchword.core.message import Request
from watchword.core.records import Add, Found, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import UNUSED, Body, BodyNeed, Check, Context, Decision, Flow, More, Random, Send
from watchword.crypto import jose
from watchword.crypto.encoding import b64url_decode, parse_object
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.bearer import BearerVerifier, bearer_field, read_token
from watchword.schemes.claims import (
    ClaimCheck, audience_is, bound_to_nothing, issued_by, issued_since, present, scopes_of, seconds, subject_of, texts,
    together, valid_from, valid_until,
)  # fmt: skip
from watchword.schemes.key_source import NO_KEYS, KeySource, PublishedKeys

__all__ = ["JWTAuth", "JWTClaim", "JWTVerifier", "peek_issuer"]

USUAL_TYPES = frozenset({"jwt", "at+jwt"})
"""What `typ` may say unless the verifier names its own; other kinds of token, as logout+jwt, are not for access."""

RESERVED = frozenset({"exp", "iat", "nbf"})


class JWTVerifier(BearerVerifier):
    """Verifies JSON Web Tokens; a `Verifier` for a guard, and the plain `verify(token)` for everybody else.

    Args:
        keys: who may sign; each key carries its own algorithm, a token's header chooses none. Keys that the issuer
            publishes are a `watchword.stores.RemoteKeySet`: a guard asks it for keys that aren't known yet, the plain
            `verify` goes by those that are.
        issuer: who must have issued it (`iss`), one or several; None: that of the remote keys, if they name one, or else
            not checked.
        audience: for whom it must be meant (`aud`), one or several; None: a token that names an audience is refused.
        algorithms: use only the keys for these; remote keys are told themselves.
        typ: the type that the header must have, one or several; None: absent, "JWT" or "at+jwt".
        required: claims that must be there. `sub` must always be; `exp` is honoured where it is, so add "exp" here
            unless the issuer can be trusted to limit each token's life.
        leeway: seconds by which clocks may differ; for `exp`, `nbf`, `iat` and `max_age`.
        max_age: seconds since `iat` after which no token is good.
        claims: a `msgspec.Struct` type, into which the claims are decoded; `Identity.claims` is then one of these.
        cache: None; there is no cache of verified tokens yet.
        clock: seconds since the epoch.

    Raises:
        ConfigurationError: an argument of the wrong kind; no key left.

    >>> key = Key.generate("HS256")
    >>> verifier = JWTVerifier(key, issuer="https://id.example", audience="orders", clock=lambda: 1000)
    >>> claims = b'{"iss":"https://id.example","aud":"orders","sub":"alice","exp":1300}'
    >>> verifier.verify(jose.sign(claims, key))
    Identity(subject='alice', scheme='jwt', key_id=None, scopes=[])
    """

    scheme: ClassVar[str] = "jwt"

    def __init__(
        self,
        keys: Key | KeySet | KeySource,
        *,
        issuer: str | Sequence[str] | None = None,
        audience: str | Sequence[str] | None = None,
        algorithms: Sequence[str] | None = None,
        typ: str | Sequence[str] | None = None,
        required: Sequence[str] = (),
        leeway: float = 0,
        max_age: float | None = None,
        claims: type[msgspec.Struct] | None = None,
        cache: None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if cache is not None:
            raise ConfigurationError("there is no cache of verified tokens yet: leave cache= out")
        self.source = keys if isinstance(keys, KeySource) else None
        self.jws = jose.Compact(_key_set(keys, algorithms))
        issuers = issuers_of(self.source, None if issuer is None else texts(issuer, "issuer"))
        self.routes: Collection[str] | None = issuers
        self.types = None if typ is None else frozenset(_bare_type(name) for name in texts(typ, "typ"))
        self._plain_types = frozenset({None, "JWT", *USUAL_TYPES}) if self.types is None else self.types
        leeway = seconds(leeway, "leeway")
        max_age = None if max_age is None else seconds(max_age, "max_age")
        audiences = None if audience is None else texts(audience, "audience")
        demanded = (present(sorted(texts(required, "required"))),) if required else ()
        common = (
            *((issued_by(issuers),) if issuers else ()), audience_is(audiences), valid_until(leeway),
            valid_from(leeway), issued_since(leeway, max_age), bound_to_nothing,
        )  # fmt: skip
        self.checks: tuple[ClaimCheck, ...] = (*demanded, *common)
        if issuers and audiences and max_age is None:
            self._check_calls = (*(each.check for each in demanded), together(common, issuers, audiences, leeway))
        else:
            self._check_calls = tuple(each.check for each in self.checks)
        self.struct = None if claims is None else _struct_decoder(claims)
        self._clock = clock

    def verify(self, token: str | bytes) -> Identity:
        """Who the token is about, if it is genuine and good now.

        Raises:
            Rejected: why not.
            StoreUnavailable: remote keys aren't there yet, or too old: call their `refresh()` first.
        """
        if self.source is None:
            return self.verify_at(token, self._clock())
        try:
            return self.verify_at(token, self._clock())
        except (Rejected, StoreUnavailable) as error:
            if (key_id := self.lacking(token, error)) is not None:
                self.source.missed(key_id)
            raise

    def verify_at(self, token: str | bytes, now: float) -> Identity:
        """`verify` at a given time, in seconds since the epoch; pure for given keys.

        Raises:
            Rejected: why not.
            StoreUnavailable: as `verify`.
        """
        source = self.source
        if source is not None and not (source.since <= now < source.due and source.keys is self.jws.keys):
            self.follow()
        header, payload, key = self.jws.open(token)
        if header.get("typ") not in self._plain_types:
            self.check_type(header)
        try:
            claims = parse_object(payload)
        except ValueError as error:
            raise Rejected(Reason.MALFORMED_CREDENTIALS, str(error), where="payload") from None
        for check in self._check_calls:
            check(claims, now)
        scopes = scopes_of(claims)
        return Identity(
            subject_of(claims), self.scheme, key.key_id, scopes, claims if self.struct is None else self.typed(payload)
        )

    def follow(self) -> jose.Compact:
        """What verifies with the keys that are known now.

        Raises:
            StoreUnavailable: there are none.
        """
        if self.source is not None:
            keys = self.source.snapshot()
            if keys is not self.jws.keys:
                self.jws = jose.Compact(keys)
        return self.jws

    def lacking(self, token: str | bytes, error: Rejected | StoreUnavailable) -> str | None:
        """The key id for which the source should be asked, "" if the token names none; None if that can't help."""
        if isinstance(error, Rejected) and error.reason not in (Reason.UNKNOWN_KEY, Reason.WRONG_ALGORITHM):
            return None
        try:
            key_id: str = jose.check_header(jose.read_header(jose.split(token)[0])).get("kid", "")
        except Rejected:
            return None
        return None if isinstance(error, Rejected) and self.jws.keys.holds(key_id) else key_id

    def check_type(self, header: Mapping[str, Any]) -> None:
        """The header's `typ` is one that is expected; case and a leading "application/" don't matter (RFC 7515 §4.1.9).

        Raises:
            Rejected: WRONG_TYPE.
        """
        typ = header.get("typ")
        if typ is None:
            if self.types is not None:
                raise Rejected(Reason.WRONG_TYPE, "the header names no type", where="typ")
        elif _bare_type(typ) not in (self.types or USUAL_TYPES):
            raise Rejected(Reason.WRONG_TYPE, f"a token of type {typ[:64]!r}", where="typ")

    def typed(self, payload: bytes) -> Any:
        """The claims as the caller's own type.

        Raises:
            Rejected: WRONG_CLAIM.
        """
        assert self.struct is not None
        try:
            return self.struct.decode(payload)
        except ValueError as error:  # its text ends with the place, "… - at `$.tenant`"; the rest may quote a value
            place = str(error).rpartition("`$")[2].strip("`.") if "`$" in str(error) else "claims"
            raise Rejected(Reason.WRONG_CLAIM, "not of the type that claims= demands", where=place) from None

    def read(self, request: Request) -> JWTClaim | None:
        token = read_token(request)
        return None if token is None else JWTClaim(self, token)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.jws.keys!r})"


class JWTClaim:
    """A token as presented."""

    __slots__ = ("token", "verifier")

    needs: ClassVar[Sequence[Ref[Any]]] = ()
    reserve: ClassVar[Sequence[Add]] = ()
    body: ClassVar[BodyNeed] = UNUSED

    def __init__(self, verifier: JWTVerifier, token: bytes) -> None:
        self.verifier = verifier
        self.token = token

    def slow(self, found: Found) -> bool:
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        if self.verifier.source is None:
            return Decision(self.verifier.verify_at(self.token, now))
        return self._decide_by(self.verifier.source, found, now)

    def _decide_by(self, source: KeySource, found: Found, now: float) -> Decision | More:
        """Asks the source once, if it may know better: its keys are old, or have none of the token's name."""
        error: Rejected | StoreUnavailable = StoreUnavailable("the keys are too old to go by")
        if now < source.good_until:
            try:
                return Decision(self.verifier.verify_at(self.token, now))
            except (Rejected, StoreUnavailable) as raised:
                error = raised
        key_id = self.verifier.lacking(self.token, error)
        ref = None if key_id is None else Ref(PublishedKeys, (source.name, key_id))
        if ref is None or found.get(ref) is not None:
            return Decision(self.verifier.verify_at(self.token, now))
        return More(asks=((source, (ref,)),))

    def explain(self, found: Found, body: Body, now: float) -> tuple[str, Sequence[Check]]:
        from watchword.schemes.jwt_explain import explain_jwt  # noqa: PLC0415 -- only when asked

        return explain_jwt(self.verifier, self.token, now)

    def __repr__(self) -> str:
        return "JWTClaim(token=***)"


class JWTAuth:
    """Mints short-lived tokens with its own key and sends them as bearer tokens.

    One token serves all requests until a fifth of its life is left; then the next request mints another.

    Args:
        key: a secret or private key.
        claims: what the tokens say; `iat` and `exp` are added.
        lifetime: seconds for which each token is good.
        allow_cleartext: also send it over plain http to other hosts than this one.

    Raises:
        ConfigurationError: a public key, claims that can't be JSON or that fix the dates, no lifetime.

    >>> JWTAuth(Key.generate("HS256"), claims={"sub": "alice", "aud": "orders"})
    JWTAuth(key=Key(HS256, key_id=None, secret), lifetime=300)
    """

    def __init__(
        self, key: Key, *, claims: Mapping[str, object], lifetime: float = 300, allow_cleartext: bool = False
    ) -> None:
        self._key = _signing_key(key)
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
        self._lifetime = lifetime
        self._allow_cleartext = allow_cleartext
        self._current: tuple[float, float, str] = (0.0, 0.0, "")

    def mint(self, now: float) -> str:
        """A new token, issued at `now` (seconds since the epoch)."""
        claims = {**self._claims, "iat": int(now), "exp": int(now + self._lifetime)}
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


def peek_issuer(token: bytes) -> str | None:
    """The issuer that a token names, unverified: for routing to a verifier, never to be believed.

    None for what is no JWT or names no issuer as a text.
    """
    try:
        issuer = parse_object(b64url_decode(jose.split(token)[1])).get("iss")
    except (Rejected, ValueError):
        return None
    return issuer if isinstance(issuer, str) else None


def issuers_of(source: KeySource | None, issuers: frozenset[str] | None) -> frozenset[str] | None:
    """Whose tokens are accepted: the issuer's that the source belongs to, if any; its keys prove nobody else's.

    Raises:
        ConfigurationError: `issuers` are others.
    """
    if source is None or source.issuer is None:
        return issuers
    if issuers is None or issuers == {source.issuer}:
        return frozenset((source.issuer,))
    raise ConfigurationError(
        f"these keys are those of {source.issuer} and prove no other issuer's tokens: leave issuer= out, and give every "
        "issuer a JWTVerifier of its own (RFC 8725 §3.8)"
    )


def _key_set(keys: object, algorithms: Sequence[str] | None) -> KeySet:
    if isinstance(keys, KeySource):
        if algorithms is not None:
            raise ConfigurationError("say where the keys are bound which are accepted: RemoteKeySet(…, algorithms=[…])")
        return NO_KEYS if keys.keys is None else keys.keys
    if not isinstance(keys, (Key, KeySet)):
        raise ConfigurationError("keys= is a Key or a KeySet: make one with Key.from_secret, from_pem or from_jwk")
    found = KeySet([keys]) if isinstance(keys, Key) else keys
    if algorithms is None:
        return found
    if isinstance(algorithms, str):
        raise ConfigurationError(f"algorithms= is a sequence, for example [{algorithms!r}]")
    return found.only(algorithms)


def _signing_key(key: object) -> Key:
    if isinstance(key, Key) and key.can_sign:
        return key
    raise ConfigurationError("JWTAuth needs a Key that can sign: a secret or a private key")


def _struct_decoder(claims: object) -> msgspec.json.Decoder[Any]:
    if isinstance(claims, type) and issubclass(claims, msgspec.Struct):
        return msgspec.json.Decoder(claims)
    raise ConfigurationError("claims= is a msgspec.Struct type, for example class Claims(msgspec.Struct): tenant: str")


def _bare_type(typ: str) -> str:
    return typ.lower().removeprefix("application/")
