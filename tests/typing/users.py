"""Programs as users write them: they are never run, they must type-check. An `ignore` that hides no error is itself one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_type

import msgspec

from watchword import (
    AllOf,
    APIKey,
    APIKeyVerifier,
    AsyncGuard,
    BasicAuth,
    BasicVerifier,
    BearerAuth,
    ClaimCheck,
    ConfigurationError,
    DigestAuth,
    DigestVerifier,
    Guard,
    HMACAuth,
    HMACVerifier,
    Identity,
    InCookie,
    InField,
    InSubprotocol,
    JWTVerifier,
    Key,
    KeySet,
    Limits,
    OAuth2Auth,
    Password,
    Policy,
    Reason,
    RegisteredToken,
    Rejected,
    Request,
    Revocations,
    StoreUnavailable,
    TokenCache,
    TokenVerifier,
    Verdict,
    WatchwordError,
    explain,
    explain_async,
)
from watchword.schemes.explaining.program import Explanation
from watchword.core.records import NOTHING_FOUND, Ref
from watchword.core.scheme import Refusal, Verifier
from watchword.effects import Auth
from watchword.issuers import keycloak
from watchword.stores import (
    AsyncSQLStore,
    ExplanationLog,
    MemoryStore,
    SQLStore,
    combine,
    from_callables,
    password_table,
)


def judge(request: Request, verdicts: list[Verdict]) -> str:
    key = Key.generate("HS256")
    guard = Guard(
        [JWTVerifier(KeySet([key]), issuer="i", audience="a"), DigestVerifier(realm="r"), BasicVerifier(realm="r")],
        SQLStore("sqlite:///users.db"),
        policy=Policy(limits=Limits(body=10), explain="development", explanations=ExplanationLog("explanations")),
        observe=verdicts.append,
    )
    try:
        identity = guard.verify(request, b"body")
    except Rejected as rejected:
        assert_type(rejected.reason, Reason)
        assert_type(rejected.refusal, Refusal | None)
        word: str = rejected.reason.value
        return word
    except StoreUnavailable:
        return "later"
    assert_type(identity, Identity[Any])
    assert_type(identity.scopes, frozenset[str])
    return identity.subject


async def judge_async(request: Request) -> Identity:
    guard = AsyncGuard([HMACVerifier(max_age=60)], AsyncSQLStore("sqlite+aiosqlite:///users.db"))
    explanation = await explain_async(request, guard)
    assert_type(explanation, Explanation)
    return await guard.verify(request)


def without_a_guard(token: str) -> Identity:
    return JWTVerifier(Key.from_secret(b"k" * 32, algorithm="HS256")).verify(token)


class Order(msgspec.Struct):
    """Claims of a type of one's own."""

    tenant: str


def typed_claims(token: str) -> str:
    key = Key.from_secret(b"k" * 32, algorithm="HS256")
    store = MemoryStore()
    plain = JWTVerifier(key, cache=TokenCache(size=100, ttl=30)).verify(token)
    assert_type(plain, Identity[Mapping[str, object]])
    typed = JWTVerifier(key, claims=Order, revocations=Revocations(store)).verify(token)
    assert_type(typed, Identity[Order])
    return typed.claims.tenant


def halves() -> tuple[Sequence[Auth], Sequence[Verifier]]:
    """Each half fits its protocol."""
    auths: list[Auth] = [
        BasicAuth("alice", "open sesame"),
        DigestAuth("alice", "open sesame"),
        BearerAuth("token"),
        HMACAuth(Key.generate("HS256", key_id="k")),
        OAuth2Auth("https://id.example/token", "robot", "secret", scope=["read"]),
    ]
    verifiers: list[Verifier] = [
        BasicVerifier(realm="r"),
        DigestVerifier(realm="r"),
        HMACVerifier(),
        AllOf(BasicVerifier(realm="r"), HMACVerifier()),
    ]
    return auths, verifiers


def stores(store: MemoryStore) -> Guard:
    store.add_user("alice", "open sesame", scopes=("read",))
    store.add_key("robot", Key.generate("HS256", key_id="robot-1"))
    both = combine(from_callables(password=lambda name: Password(encoded="…") if name == "alice" else None), store)
    table = password_table(lambda name: None, like="…", save=lambda username, old, new: username != old + new)
    assert_type(combine(table, store).blocking, bool)
    return Guard([BasicVerifier(realm="r")], both)


def administered(store: SQLStore) -> list[str]:
    store.add_user("alice", "open sesame", scopes=["read"], realm="orders", digest_algorithms=["MD5"], replace=False)
    store.disable_user("alice", disabled=False)
    store.add_client("billing", "a long random secret", subject="the accountants")
    store.add_oauth1_token("a-token", "its secret", client_key="printer", subject="alice", expires=4e9)
    assert_type(store.add_api_key("billing", scopes=("invoices",)), str)
    return [combine(store).rotate_api_key("a", overlap=60)]


async def administered_from_an_event_loop(store: AsyncSQLStore) -> None:
    await store.add_user("alice", "open sesame", scopes=["read"])
    assert_type(await store.add_api_key("billing"), str)
    await store.rotate_key("robot-1", Key.generate("ed25519", key_id="robot-2"), overlap=60)


def a_record_has_the_type_of_its_ref() -> None:
    assert_type(NOTHING_FOUND.get(Ref(Password, ("alice",))), Password | None)


def errors(error: WatchwordError) -> ValueError | None:
    return error if isinstance(error, ConfigurationError) else None


def asked(request: Request, guard: Guard) -> str:
    return str(explain(request, guard, b"", at=0.0))


def mistakes(request: Request) -> None:
    """What the types must catch."""
    BasicAuth("alice")  # type: ignore[call-arg]
    Guard(BasicVerifier(realm="r"))  # type: ignore[arg-type]
    Guard([BasicAuth("alice", "open sesame")])  # type: ignore[list-item]
    AllOf(BasicAuth("alice", "open sesame"), HMACVerifier())  # type: ignore[arg-type]
    Key.from_secret("k" * 32)  # type: ignore[call-arg]
    Guard([BasicVerifier(realm="r")]).verify(b"GET / HTTP/1.1")  # type: ignore[arg-type]
    JWTVerifier("a secret")  # type: ignore[arg-type]
    Guard([HMACVerifier()], AsyncSQLStore("sqlite+aiosqlite://"))  # type: ignore[arg-type]
    explain(request, AsyncGuard([BasicVerifier(realm="r")]))  # type: ignore[arg-type]
    SQLStore("sqlite://").add_user("alice")  # type: ignore[call-arg]
    SQLStore("sqlite://").add_user("alice", b"open sesame")  # type: ignore[arg-type]
    MemoryStore().add_key("robot", Key.generate("HS256"), scope=["read"])  # type: ignore[call-arg]
    AsyncSQLStore("sqlite://").disable_user("alice")  # type: ignore[unused-coroutine]


def tokens_of_ones_own(request: Request) -> Identity:
    def lookup(digest: str) -> RegisteredToken | None:
        return RegisteredToken("alice", ("read",)) if digest else None

    async def awaited(digest: str) -> RegisteredToken | None:
        return lookup(digest)

    def key(digest: str) -> APIKey | None:
        return APIKey(digest, "billing")

    async def awaited_key(key_id: str) -> APIKey | None:
        return key(key_id)

    store = from_callables(token=lookup, api_key=key)
    AsyncGuard(
        [TokenVerifier(awaited), APIKeyVerifier(awaited_key)], from_callables(token=awaited, api_key=awaited_key)
    )
    places: Sequence[Verifier] = [
        TokenVerifier(lookup, by="plain", word="Token"),
        TokenVerifier(by=lambda token: token.partition(".")[0], place=InCookie(origins=["https://a.example"])),
        TokenVerifier({"a": RegisteredToken("a")}.get, place=InField("X-Ticket", ambient=False)),
        APIKeyVerifier(key, by="sha256", guessable=True),
    ]
    ambient: bool = places[0].ambient
    guard = Guard([*places, TokenVerifier(lookup, place=InSubprotocol())], combine(store, MemoryStore()))
    return Identity("nobody", "none") if ambient else guard.verify(request)


def claims_of_ones_own(token: str) -> str:
    def of_ours(claims: Mapping[str, Any], now: float) -> None:
        if claims.get("tenant") != "blue":
            raise Rejected(Reason.WRONG_CLAIM, "another tenant", where="tenant")

    key = Key.generate("HS256")
    JWTVerifier(key, scopes="permissions", subject=("sub", int))
    JWTVerifier(key, scopes=lambda claims: claims["realm_access"]["roles"], subject=lambda claims: claims["oid"])
    recipe = keycloak("https://id.example", "acme", audience="orders")
    recipe.arguments["subject"] = "oid"
    recipe.arguments["place"] = InCookie()
    JWTVerifier(KeySet([key]), cache=TokenCache(), **recipe.arguments)
    return JWTVerifier(key, subject=None, checks=[ClaimCheck("tenant", "blue", of_ours)]).verify(token).subject
