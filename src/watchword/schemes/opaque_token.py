"""Opaque tokens: `TokenVerifier`, for tokens that an application has issued itself and keeps. The client half is `BearerAuth`.

What a token stands for only its issuer knows, so it is looked up. A look-up by the token's hash gives nothing away to whoever
reads the table or times the look-up.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from typing import Any, Final

from watchword.core.identity import Identity
from watchword.core.message import Request
from watchword.core.records import Found, Ref
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import UNUSED, Body, BodyNeed, Decision, More, Random
from watchword.crypto.digests import compare
from watchword.schemes.bearer import BearerAuth, VerifierOfTokens, peek_issuer
from watchword.schemes.lookups import By, Lookup, looked_up_by, naming, sha256_of
from watchword.schemes.registered_token import RegisteredToken
from watchword.schemes.token_places import TokenPlace

__all__ = ["BearerAuth", "TokenClaim", "TokenVerifier"]

OPAQUE: Final[Collection[Hashable]] = (None,)
"""What `route` gives for a token that is no JWT."""
_NOBODY: Final = "0" * 64
"""A digest that no token has been found for."""


class TokenVerifier(VerifierOfTokens):
    """Verifies opaque tokens (`Authorization: Bearer <token>`) by a look-up of the application's own.

    Beside a `JWTVerifier` in one guard it gets what is no JWT. A JWT of an issuer that no verifier names is refused there, and
    never looked up.

    Args:
        lookup: `lookup(name) -> RegisteredToken | None`, a plain function, or a coroutine function for an `AsyncGuard`. What it
            raises is a 503. None: the guard's store has the records (`from_callables(token=…)`).
        by: what `name` is. "sha256": the token's SHA-256, in lower-case hexadecimal digits. "plain": the token itself. A
            function: what it finds in the token, an id; the record must then hold the `secret` or the `digest`.
        word: the word before the token: "Token", as Django REST framework and Flask-HTTPAuth have it.
        place: where else than in Authorization tokens are.
        guessable: tokens are short enough to be guessed (less than 128 random bits), so failed attempts are counted where
            the guard's store can count.

    Raises:
        ConfigurationError: an argument of the wrong kind.

    >>> from watchword import Guard
    >>> tokens = {sha256_of("mF_9.B5f-4.1JqM"): RegisteredToken("alice", scopes=("read",))}
    >>> guard = Guard([TokenVerifier(tokens.get)])
    >>> guard.verify(Request("GET", "https", "api.example", "/", {"Authorization": "Bearer mF_9.B5f-4.1JqM"}))
    Identity(subject='alice', scheme='token', key_id=None, scopes=['read'])
    """

    scheme: str = "token"
    rank: int = 11
    routes: Collection[Hashable] | None = OPAQUE

    def __init__(
        self,
        lookup: Callable[[str], RegisteredToken | None]
        | Callable[[str], Awaitable[RegisteredToken | None]]
        | None = None,
        *,
        by: By = "sha256",
        word: str = "Bearer",
        place: TokenPlace | None = None,
        guessable: bool = False,
    ) -> None:
        self.take_from(place, word)
        self.name = naming(by)
        self.by_id = callable(by)
        self.lookup = None if lookup is None else Lookup(lookup, RegisteredToken, type(self).__name__)
        self.kinds: Sequence[type] = (RegisteredToken,) if lookup is None else ()
        if type(guessable) is not bool:
            raise ConfigurationError("guessable= is True or False")
        self.guessable = guessable

    @property
    def awaited(self) -> bool:
        """Whether only an `AsyncGuard` can use it."""
        return self.lookup is not None and self.lookup.awaited

    def read(self, request: Request) -> TokenClaim | None:
        """The token, if there is one where this verifier's are.

        Raises:
            Rejected: MALFORMED_REQUEST: what is there is no token; MALFORMED_CREDENTIALS: `by` finds nothing in it.
        """
        token = self.place.read(request)
        if token is None:
            return None
        text = token.decode("ascii")
        return TokenClaim(self, text, looked_up_by(self.name, text, self.place.where))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.place.where!r})"


class TokenClaim:
    """An opaque token as presented, and the name by which it is looked up."""

    __slots__ = ("_token", "name", "needs", "ref", "verifier")

    body: BodyNeed = UNUSED
    formless: bool = True
    """Nearly any text could be one: for `explain`, which looks for tokens everywhere."""

    def __init__(self, verifier: TokenVerifier, token: str, name: str) -> None:
        self.verifier = verifier
        self._token = token
        self.name = name
        self.ref = Ref(RegisteredToken, (name,))
        self.needs: Sequence[Ref[Any]] = (self.ref,) if verifier.lookup is None else ()

    def __repr__(self) -> str:
        return "TokenClaim(token=***)"

    @property
    def guesses(self) -> str | None:
        """Each token is a name of its own: what counts against a guesser is the address."""
        return sha256_of(self._token) if self.verifier.guessable else None

    @property
    def flight(self) -> bytes | None:
        """Nothing takes long here."""
        return None

    def slow(self, found: Found) -> bool:
        """Never: a hash and a comparison."""
        return False

    def decide(self, found: Found, body: Body, now: float, random: Random) -> Decision | More:
        """The record, its secret if it holds one, and what became of the token.

        Raises:
            Rejected: UNKNOWN_KEY, WRONG_SECRET, DISABLED, EXPIRED; to the client they are the same.
        """
        verifier, where = self.verifier, self.verifier.place.where
        if verifier.lookup is not None and not found.sought(self.ref):
            return More(asks=((verifier.lookup, (self.ref,)),))
        record = found.get(self.ref)
        proven = self.matches(record)
        if record is None:
            raise Rejected(Reason.UNKNOWN_KEY, "no such token", where=where)
        if not proven:
            raise Rejected(Reason.WRONG_SECRET, "its id is known, the token is another", where=where)
        if record.disabled:
            raise Rejected(Reason.DISABLED, "the token is disabled", where=where, genuine=True)
        if record.expires is not None and now >= record.expires:
            raise Rejected(Reason.EXPIRED, f"{now - record.expires:.0f} s past its expiry", where=where, genuine=True)
        key_id = self.name if verifier.by_id else None
        scopes, claims = frozenset(record.scopes), dict(record.claims)
        return Decision(Identity(record.subject, verifier.scheme, key_id, scopes, claims))

    def matches(self, record: RegisteredToken | None) -> bool:
        """Whether this is the record's token; the same work where there is none.

        Raises:
            ConfigurationError: it was looked up by an id, and the record holds nothing to compare with.
        """
        if record is not None and self.verifier.by_id and record.secret is None and record.digest is None:
            raise ConfigurationError(
                "an id proves nothing: RegisteredToken(…, digest=…) or (…, secret=…), where by= is a function"
            )
        secret, digest = (None, None) if record is None else (record.secret, record.digest)
        by_secret = compare((secret or "").encode("utf-8", "replace"), self._token.encode())
        by_digest = compare((digest or _NOBODY).lower().encode("utf-8", "replace"), sha256_of(self._token).encode())
        return record is not None and (secret is None or by_secret) and (digest is None or by_digest)

    def described(self) -> str:
        """The token without a word of it."""
        return f"{len(self._token)} characters"

    def looks_hashed(self) -> bool:
        """Whether the token has the form of its own hash, as a table of tokens may hold it."""
        return re.fullmatch(r"[0-9A-Fa-f]{64}", self._token) is not None

    def looks_like_a_jwt(self) -> bool:
        """Whether it is one by its form."""
        return peek_issuer(self._token.encode()) is not None

    def name_is_the_token(self) -> bool:
        """Whether it is looked up by itself."""
        return self.name == self._token
