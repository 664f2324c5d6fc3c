"""The server half: `JWTVerifier`.

Checked in this order: size and format, algorithm, key, signature, type, then the claims. Nothing that a token says of
itself is believed before its signature has been verified with a key that was there before. Where the key would have to be
fetched, type and claims are looked at first: a token may be refused for them, and never accepted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from math import inf
from typing import Any, Generic

from watchword.structures.bounded import Bounded
from watchword.core.identity import C_co, Identity
from watchword.core.message import Request
from watchword.core.records import Spent
from watchword.core.rejection import ConfigurationError, Reason, Rejected, StoreUnavailable
from watchword.core.scheme import Proof
from watchword.crypto import jose
from watchword.crypto.encoding import parse_again, parse_object
from watchword.crypto.keys import Key, KeySet
from watchword.schemes.bearer import VerifierOfTokens
from watchword.schemes.jwt.checks import (
    YEAR_10000, ClaimCheck, audience_is, bound_to_nothing, can_be_used_up, issued_by, issued_since, named_or_absent,
    present, read_claims, valid_from, valid_until,
)  # fmt: skip
from watchword.schemes.jwt.chosen_claims import ScopesFrom, SubjectFrom, checks_from, scopes_from, subject_from
from watchword.schemes.jwt.claim import NO_PROOFS, Judged, JWTClaim, confirm
from watchword.schemes.jwt.settings import (
    bare_type, check_memory, issuers_of, key_set, octets, seconds, struct_decoder, texts,
)  # fmt: skip
from watchword.schemes.jwt.typed import decoded
from watchword.schemes.key_source import KeySource, check_form
from watchword.schemes.mark_owners import owner_of_key
from watchword.schemes.revocation import Mark, Revocations
from watchword.schemes.token_places import TokenPlace
from watchword.schemes.token_cache import Entry, Generation, TokenCache

__all__ = ["JWTVerifier"]

USUAL_TYPES = frozenset({"jwt"})
"""What `typ` may say unless the verifier names its own: who types tokens explicitly (RFC 8725 §3.11) means one kind alone."""

MAX_KNOWN = 256
"""How many texts of scopes are remembered, and how long they may be."""


class JWTVerifier(VerifierOfTokens, Generic[C_co]):
    """Verifies JSON Web Tokens; a `Verifier` for a guard, and the plain `verify(token)` for everybody else.

    Args:
        keys: who may sign; each key carries its own algorithm, a token's header chooses none. Keys that the issuer
            publishes are a `watchword.stores.RemoteKeySet`: a guard asks it for keys that aren't known yet, the plain
            `verify` goes by those that are.
        issuer: who must have issued it (`iss`), one or several; None: that of the remote keys, if they name one, or else
            not checked.
        audience: for whom it must be meant (`aud`), one or several; None: a token that names an audience is refused.
        algorithms: use only the keys for these; remote keys are told themselves.
        typ: the type that the header must have, one or several; None: absent or "JWT".
        required: claims that must be there. `sub` must always be; `exp` is honoured where it is, so add "exp" here
            unless the issuer can be trusted to limit each token's life.
        leeway: seconds by which clocks may differ; for `exp`, `nbf`, `iat` and `max_age`.
        max_age: seconds since `iat` after which no token is good.
        subject: which claim is `Identity.subject`, a text: "user_id"; ("user_id", int) for a whole number, whose decimal text it is; a
            function of the claims. None: the identity has none (""), and nothing that goes by subjects takes it.
        scopes: which claim gives the scopes, in place of `scope` and `scp`: "permissions", or a function of the claims that
            gives texts. An element of a list is one scope, spaces and all; a text is split in `scope` and `scp` only.
        checks: further checks of the claims, after all others.
        claims: a `msgspec.Struct` type, into which the claims are decoded; `Identity.claims` is then one of these.
        single_use: accept each token once; it must have `jti` and `exp`, and the guard a store. A `jti` is used up for the
            key that signed the token, whatever its name, and for the issuer if that is checked.
        revocations: refuse what was taken back; a guard asks them for each token.
        cache: remembers verified tokens; what that costs in freshness is said at `TokenCache`.
        max_token: octets of the longest token that is looked at. A guard also limits the field that carries it:
            `Policy(limits=Limits(field=…))`.
        place: where tokens are, if not in Authorization: `InField(…)`, `InCookie(…)` or `InSubprotocol(…)`.
        clock: seconds since the epoch, for the plain `verify`.

    Raises:
        ConfigurationError: an argument of the wrong kind; no key left; `revocations` without a subject.

    >>> key = Key.generate("HS256")
    >>> verifier = JWTVerifier(key, issuer="https://id.example", audience="orders", clock=lambda: 1000)
    >>> claims = b'{"iss":"https://id.example","aud":"orders","sub":"alice","exp":1300}'
    >>> verifier.verify(jose.sign(claims, key))
    Identity(subject='alice', scheme='jwt', key_id=None, scopes=[])
    """

    scheme: str = "jwt"
    bearer_format: str = "JWT"  # as OpenAPI calls it
    scope_lists: bool = True

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
        subject: SubjectFrom | None = "sub",
        scopes: ScopesFrom | None = None,
        checks: Sequence[ClaimCheck] = (),
        claims: type[C_co] | None = None,
        single_use: bool = False,
        revocations: Revocations | None = None,
        cache: TokenCache | None = None,
        max_token: int = jose.MAX_TOKEN,
        place: TokenPlace | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.take_from(place)
        self.source = keys if isinstance(keys, KeySource) else None
        self.jws = jose.Compact(key_set(keys, algorithms), octets(max_token, "max_token"))
        issuers = issuers_of(self.source, None if issuer is None else texts(issuer, "issuer"))
        self.routes: Collection[str] | None = issuers  # pyright: ignore[reportIncompatibleVariableOverride] -- set here alone
        self.types = None if typ is None else frozenset(bare_type(name) for name in texts(typ, "typ"))
        self._plain_types = frozenset({None, "JWT", *USUAL_TYPES}) if self.types is None else self.types
        leeway = seconds(leeway, "leeway")
        max_age = None if max_age is None else seconds(max_age, "max_age")
        audiences = None if audience is None else texts(audience, "audience")
        demanded = (
            *((present(sorted(texts(required, "required"))),) if required else ()), *((can_be_used_up,) if single_use else ()),
        )  # fmt: skip
        common = (
            issued_by(issuers) if issuers else named_or_absent("iss"), audience_is(audiences), valid_until(leeway),
            valid_from(leeway), issued_since(leeway, max_age), *(() if single_use else (named_or_absent("jti"),)),
            bound_to_nothing,
        )  # fmt: skip
        own = checks_from(checks)
        self.checks: tuple[ClaimCheck, ...] = (*demanded, *common, *own)
        self._check_calls = tuple(each.check for each in self.checks)
        # Most tokens name one issuer and one audience, have whole dates and no cnf: one look tells that all checks pass.
        self._demanded = tuple(each.check for each in demanded)
        self._own = tuple(each.check for each in own)
        self._usual = (issuers, audiences) if issuers and audiences and max_age is None else None
        self._leeway, self._max_age = leeway, max_age
        self.struct = None if claims is None else struct_decoder(claims)
        self.subject, self.scopes = subject_from(subject), scopes_from(scopes, self.scope_lists)
        self._by_sub = subject == "sub"
        self._usual_scopes = scopes is None
        if subject is None and revocations is not None:
            raise ConfigurationError("revocations= takes back by subject, and subject=None leaves none: name a claim")
        self._clock = clock
        check_memory(single_use, revocations, cache)
        self.single_use = single_use
        self.kinds = (Spent,) if single_use else ()
        self._owners: Bounded[Key, str] = Bounded(MAX_KNOWN)
        self.revocations = revocations
        self._known_scopes: Bounded[str, frozenset[str]] = Bounded(MAX_KNOWN)
        self.cache = cache
        self.strict = cache is not None and cache.strict
        self._guard_only = single_use or revocations is not None
        self.alone = self.source is None and cache is None and not self._guard_only

    def verify(self, token: str | bytes) -> Identity[C_co]:
        """Who the token is about, if it is genuine and good now.

        Raises:
            Rejected: why not.
            StoreUnavailable: remote keys aren't there yet, or too old: call their `refresh()` first.
            ConfigurationError: `single_use` or `revocations` is given: only a guard can remember and look up.
        """
        now = self._clock()
        if self.alone:
            return self.judge(token, now)[0]
        cache = self.cache
        if cache is None or self._guard_only:
            return self._verify_by_source(token, now)[0]
        entry = self.known(token, now)
        if entry is not None:
            return self.anew(entry)
        generation = cache.current
        judged = self._verify_by_source(token, now)
        self.remember(generation, token, judged, now, None)
        return judged[0]

    def _verify_by_source(self, token: str | bytes, now: float) -> Judged:
        if self._guard_only:
            raise ConfigurationError(
                "only a guard can look up what was taken back, or remember what was used: Guard([JWTVerifier(…)], store)"
            )
        try:
            return self.judge(token, now)
        except (Rejected, StoreUnavailable) as error:
            if self.source is not None and (key_id := self.key_to_ask_for(token, error)) is not None:
                self.check_without_key(token, now)
                self.source.missed(key_id)
            raise

    def verify_at(self, token: str | bytes, now: float) -> Identity[C_co]:
        """`verify` at a given time, in seconds since the epoch, without the cache; pure for given keys.

        Raises:
            Rejected: why not.
            StoreUnavailable, ConfigurationError: as `verify`.
        """
        return self._verify_by_source(token, now)[0] if self._guard_only else self.judge(token, now)[0]

    def judge(self, token: str | bytes, now: float, proofs: Sequence[Proof] = NO_PROOFS) -> Judged:
        """The identity, the claims, the keys among which the token's was, its payload, and that key; `JWTClaim` does the rest.

        Raises:
            Rejected: why not.
            StoreUnavailable: remote keys aren't there yet, or too old.
        """
        source = self.source
        if source is not None and not (source.since <= now < source.due and source.keys is self.jws.keys):
            if source.keys is None:  # looking for them begins to fetch them
                self.check_without_key(token, now, proofs)
            self.use_current_keys()
        jws = self.jws
        header, payload, key = jws.open(token)
        if header.get("typ") not in self._plain_types:
            self.check_type(header)
        try:
            claims = parse_object(payload)
        except ValueError:  # or there is half of a surrogate pair
            claims = read_claims(payload)
        get = claims.get
        subject, scope = get("sub") if self._by_sub else None, get("scope")
        if proofs:
            self.check(claims, now, proofs, token)
        elif self._usual is None:
            for check in self._check_calls:
                check(claims, now)
        else:
            for check in self._demanded:
                check(claims, now)
            # In one piece: just after a signature every call costs twice its time.
            (issuers, audiences), leeway = self._usual, self._leeway
            issuer, audience, expiry, issued = get("iss"), get("aud"), get("exp"), get("iat", 0)
            if not (
                type(issuer) is str and issuer in issuers
                and type(audience) is str and audience in audiences
                and type(expiry) is int and now - leeway < expiry < YEAR_10000
                and type(issued) is int and 0 <= issued <= now + leeway
                and ("nbf" not in claims or (type(start := claims["nbf"]) is int and 0 <= start <= now + leeway))
                and ("jti" not in claims or claims["jti"] is not None)
                and "cnf" not in claims
            ):  # fmt: skip
                for check in self._check_calls:
                    check(claims, now)
            elif self._own:
                for check in self._own:
                    check(claims, now)
        known = self._known_scopes.get(scope) if type(scope) is str and "scp" not in claims else None
        scopes = self._scopes(claims) if known is None else known
        own = claims if self.struct is None else self.typed(payload)
        if type(subject) is not str or not subject:
            subject = self.subject.read(claims)
        return Identity(subject, self.scheme, key.key_id, scopes, own), claims, jws.keys, payload, key

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """What the claims allow; that of genuine tokens is remembered by its text, since few texts are common."""
        scopes = self.scopes.read(claims)
        scope = claims.get("scope")
        if self._usual_scopes and type(scope) is str and "scp" not in claims and len(scope) <= MAX_KNOWN:
            self._known_scopes.put(scope, scopes)
        return scopes

    def check(self, claims: Mapping[str, Any], now: float, proofs: Sequence[Proof], token: str | bytes) -> None:
        """The claims by themselves; with `proofs`, the token is bound to what they prove.

        Raises:
            Rejected: why not.
        """
        for each in self.checks:
            if each is bound_to_nothing and proofs:
                confirm(claims, proofs, token)
            else:
                each.check(claims, now)

    def ends(self, claims: Mapping[str, Any]) -> float:
        """When a token with these claims, which were checked, stops being good."""
        expiry: float = claims.get("exp", inf)
        age = inf if self._max_age is None else claims["iat"] + self._max_age
        return min(expiry, age) + self._leeway

    def owner_of(self, key: Key) -> str:
        """Whose the marks are of tokens that this key has signed."""
        owner = self._owners.get(key)
        if owner is None:
            owner = owner_of_key(key)
            self._owners.put(key, owner)
        return owner

    def known(self, token: str | bytes, now: float) -> Entry | None:
        """What the cache knows of the token and what may still be relied upon."""
        cache = self.cache
        assert cache is not None
        entry = cache.current.get(token) or cache.again(token)
        if entry is None or not entry[0] <= now < entry[1] or entry[3] is not self.jws.keys:
            return None
        source = self.source
        return entry if source is None or (source.since <= now < source.due and source.keys is entry[3]) else None

    def anew(self, entry: Entry) -> Identity[Any]:
        """The identity of a token that the cache knows, its claims decoded once more: no request shares them with another."""
        _, _, identity, _, _, payload = entry
        claims = parse_again(payload) if self.struct is None else self.typed(payload)
        return Identity(identity.subject, identity.scheme, identity.key_id, identity.scopes, claims)

    def remember(
        self, generation: Generation, token: str | bytes, judged: Judged, now: float, mark: Mark | None
    ) -> None:
        """Puts a token that was verified at `now` into the cache."""
        identity, claims, keys, payload, _ = judged
        assert self.cache is not None
        bare: Identity[Any] = Identity(identity.subject, identity.scheme, identity.key_id, identity.scopes)
        self.cache.keep(
            generation, token, (now, min(now + self.cache.ttl, self.ends(claims)), bare, keys, mark, payload)
        )

    def use_current_keys(self) -> jose.Compact:
        """What verifies with the keys that are known now.

        Raises:
            StoreUnavailable: there are none.
        """
        if self.source is not None:
            keys = self.source.snapshot()
            if keys is not self.jws.keys:
                self.jws = jose.Compact(keys, self.jws.max_token)
        return self.jws

    def key_to_ask_for(self, token: str | bytes, error: Rejected | StoreUnavailable) -> str | None:
        """The key id for which the source should be asked, "" if the token names none; None if that can't help.

        Raises:
            Rejected: nobody knows the keys, and none could verify this token: it is malformed.
        """
        if isinstance(error, Rejected) and error.reason not in (Reason.UNKNOWN_KEY, Reason.WRONG_ALGORITHM):
            return None
        try:
            key_id: str = jose.check_header(jose.read_header(jose.split(token, self.jws.max_token)[0])).get("kid", "")
        except Rejected:
            if isinstance(error, StoreUnavailable):
                raise
            return None
        return None if isinstance(error, Rejected) and self.jws.keys.holds(key_id) else key_id

    def check_without_key(self, token: str | bytes, now: float, proofs: Sequence[Proof] = NO_PROOFS) -> None:
        """All that can be judged before the key is there, so that nobody is asked for what proves nothing.

        Raises:
            Rejected: why the token is no good, whoever made it.
        """
        head, body, tail, _ = jose.split(token, self.jws.max_token)
        header = jose.check_header(jose.read_header(head))
        check_form(self.source, len(jose.decode(tail, "signature")), header["alg"])
        self.check_type(header)
        payload = jose.decode(body, "payload")
        claims = read_claims(payload)
        self.check(claims, now, proofs, token)
        self.scopes.read(claims)
        if self.struct is not None:
            self.typed(payload)
        self.subject.read(claims)

    def check_type(self, header: Mapping[str, Any]) -> None:
        """The header's `typ` is one that is expected; case and a leading "application/" don't matter (RFC 7515 §4.1.9).

        Raises:
            Rejected: WRONG_TYPE.
        """
        typ = header.get("typ")
        if typ is None:
            if self.types is not None:
                raise Rejected(Reason.WRONG_TYPE, "the header names no type, and typ= demands one", where="typ")
        elif bare_type(typ) not in (self.types or USUAL_TYPES):
            raise Rejected(Reason.WRONG_TYPE, f"a token of type {typ[:64]!r}, which typ= does not name", where="typ")

    def typed(self, payload: bytes) -> Any:
        """The claims as the caller's own type.

        Raises:
            Rejected: WRONG_CLAIM.
        """
        assert self.struct is not None
        return decoded(self.struct, payload)

    def read(self, request: Request) -> JWTClaim | None:
        token = self.place.read(request)
        if token is None:
            return None
        return JWTClaim(self, token) if self.cache is None else JWTClaim(self, token, generation=self.cache.current)

    def secrets(self) -> list[bytes]:
        """What no explanation may show."""
        return [key.secret_bytes() for key in self.jws.keys.keys if key.is_secret]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.jws.keys!r})"
