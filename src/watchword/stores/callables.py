"""The user table that an application has already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, overload

from watchword.core.io import is_async
from watchword.core.records import COMMITTED, Found, Outcome, Ref, Write
from watchword.core.rejection import ConfigurationError, StoreUnavailable
from watchword.schemes.lookups import told

__all__ = ["from_callables"]

if TYPE_CHECKING:
    from watchword.authorization_server.client import Client
    from watchword.crypto.keys import RegisteredKey, RegisteredPublicKey
    from watchword.crypto.passwords import Password
    from watchword.schemes.digest import DigestSecret
    from watchword.schemes.api_key_text import APIKey
    from watchword.schemes.oauth1 import OAuth1Client, OAuth1Token
    from watchword.schemes.registered_token import RegisteredToken
    from watchword.schemes.sigv4 import AccessKey

UNWRITABLE: Final = 0
"""The version of what a store only reads: `Put` over it would be refused, so nobody makes a better hash in vain."""

Lookup = Callable[..., Any]
R = TypeVar("R")
One = Callable[[str], R | None]
Three = Callable[[str, str, str], R | None]
AsyncOne = Callable[[str], Awaitable[R | None]]
AsyncThree = Callable[[str, str, str], Awaitable[R | None]]


@overload
def from_callables(  # pyright: ignore[reportOverlappingOverload] -- without any callable it raises
    *,
    password: One[Password] | None = None,
    key: One[RegisteredKey | RegisteredPublicKey] | None = None,
    digest: Three[DigestSecret] | None = None,
    client: One[Client] | None = None,
    oauth1_client: One[OAuth1Client] | None = None,
    oauth1_token: One[OAuth1Token] | None = None,
    access_key: One[AccessKey] | None = None,
    token: One[RegisteredToken] | None = None,
    api_key: One[APIKey] | None = None,
) -> CallableStore: ...
@overload
def from_callables(
    *,
    password: AsyncOne[Password] | None = None,
    key: AsyncOne[RegisteredKey | RegisteredPublicKey] | None = None,
    digest: AsyncThree[DigestSecret] | None = None,
    client: AsyncOne[Client] | None = None,
    oauth1_client: AsyncOne[OAuth1Client] | None = None,
    oauth1_token: AsyncOne[OAuth1Token] | None = None,
    access_key: AsyncOne[AccessKey] | None = None,
    token: AsyncOne[RegisteredToken] | None = None,
    api_key: AsyncOne[APIKey] | None = None,
) -> AsyncCallableStore: ...
def from_callables(
    *,
    password: Lookup | None = None,
    key: Lookup | None = None,
    digest: Lookup | None = None,
    client: Lookup | None = None,
    oauth1_client: Lookup | None = None,
    oauth1_token: Lookup | None = None,
    access_key: Lookup | None = None,
    token: Lookup | None = None,
    api_key: Lookup | None = None,
) -> CallableStore | AsyncCallableStore:
    """A store that asks your own look-ups; each gives a record, or None if there is none.

    It keeps nothing. Schemes that remember something (Digest, HMAC) need a second store: `combine(…, MemoryStore())`.

    Args:
        password: `password(username) -> Password | None`.
        key: `key(key_id) -> RegisteredKey | RegisteredPublicKey | None`; where both kinds are good, it is asked for each.
        digest: `digest(algorithm, realm, username) -> DigestSecret | None`.
        client: `client(client_id) -> Client | None`.
        oauth1_client: `oauth1_client(client_key) -> OAuth1Client | None`.
        oauth1_token: `oauth1_token(token) -> OAuth1Token | None`.
        access_key: `access_key(access_key_id) -> AccessKey | None`.
        token: `token(name) -> RegisteredToken | None`; what `name` is, `TokenVerifier(by=…)` says: by default the token's SHA-256.
        api_key: `api_key(name) -> APIKey | None`; the key's id, or what `APIKeyVerifier(by=…)` says.

    Returns:
        A `Store`; if the look-ups are coroutine functions, an `AsyncStore`.

    Raises:
        ConfigurationError: no look-up, or some are coroutine functions and some are not.

    >>> from watchword import Password
    >>> rows = {"alice": "$argon2id$v=19$m=65536,t=3,p=4$…"}
    >>> def password(username):
    ...     return Password(rows[username], scopes=("read",)) if username in rows else None
    >>> store = from_callables(password=password)
    >>> store.fetch([Ref(Password, ("alice",))]).get(Ref(Password, ("alice",)))
    Password(scopes=('read',), subject=None, disabled=False)
    """
    given = {"password": password, "key": key, "digest": digest, "client": client}
    given |= {"oauth1_client": oauth1_client, "oauth1_token": oauth1_token, "access_key": access_key}
    given |= {"token": token, "api_key": api_key}
    lookups = {
        kind: _Question(name, lookup) for name, lookup in given.items() if lookup is not None for kind in _kinds(name)
    }
    if not lookups:
        raise ConfigurationError("from_callables needs a look-up: from_callables(password=lookup)")
    colours = {is_async(question.ask) for question in lookups.values()}
    if len(colours) > 1:
        raise ConfigurationError("from_callables takes coroutine functions or plain ones, not both")
    return AsyncCallableStore(lookups) if colours == {True} else CallableStore(lookups)


class _Question(NamedTuple):
    name: str
    ask: Lookup


class _Asking:
    """What both colours share."""

    def __init__(self, questions: dict[type, _Question]) -> None:
        self._questions = questions
        self.kinds: frozenset[type] | None = frozenset(questions)

    def __repr__(self) -> str:
        return f"from_callables({', '.join(dict.fromkeys(question.name for question in self._questions.values()))})"

    def _refuse(self, writes: Sequence[Write]) -> Outcome:
        if writes:
            raise ConfigurationError(f"{self!r} only looks up: write where your look-ups read, or combine(…) it")
        return COMMITTED


class CallableStore(_Asking):
    """What `from_callables` makes of plain functions."""

    blocking = True

    def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        found = {}
        for ref in refs:
            question = self._questions.get(ref.kind)
            if question is None:
                continue
            try:
                record = question.ask(*ref.key)
            except Exception as error:  # noqa: BLE001 -- whatever it is, nothing can be decided
                raise _failed(question.name, error) from _cause(question.name, error, ref)
            if _fits(record, ref.kind, question.name):
                found[ref] = (record, UNWRITABLE)
        return Found(found)

    def commit(self, writes: Sequence[Write], /) -> Outcome:
        return self._refuse(writes)


class AsyncCallableStore(_Asking):
    """What `from_callables` makes of coroutine functions."""

    async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        found = {}
        for ref in refs:
            question = self._questions.get(ref.kind)
            if question is None:
                continue
            try:
                record = await question.ask(*ref.key)
            except Exception as error:  # noqa: BLE001 -- whatever it is, nothing can be decided
                raise _failed(question.name, error) from _cause(question.name, error, ref)
            if _fits(record, ref.kind, question.name):
                found[ref] = (record, UNWRITABLE)
        return Found(found)

    async def commit(self, writes: Sequence[Write], /) -> Outcome:
        return self._refuse(writes)


def _kinds(name: str) -> tuple[type, ...]:
    """The record classes of a look-up; imported when it is asked for, so that one look-up does not load all schemes."""
    if name == "password":
        from watchword.crypto.passwords import Password  # noqa: PLC0415

        return (Password,)
    if name == "key":
        from watchword.crypto.keys import RegisteredKey, RegisteredPublicKey  # noqa: PLC0415

        return (RegisteredKey, RegisteredPublicKey)
    if name == "digest":
        from watchword.schemes.digest import DigestSecret  # noqa: PLC0415

        return (DigestSecret,)
    if name == "access_key":
        from watchword.schemes.sigv4 import AccessKey  # noqa: PLC0415

        return (AccessKey,)
    if name == "token":
        from watchword.schemes.registered_token import RegisteredToken  # noqa: PLC0415

        return (RegisteredToken,)
    if name == "api_key":
        from watchword.schemes.api_key_text import APIKey  # noqa: PLC0415

        return (APIKey,)
    if name in ("oauth1_client", "oauth1_token"):
        from watchword.schemes.oauth1 import OAuth1Client, OAuth1Token  # noqa: PLC0415

        return (OAuth1Client if name == "oauth1_client" else OAuth1Token,)
    from watchword.authorization_server.client import Client  # noqa: PLC0415

    return (Client,)


def _failed(name: str, error: Exception) -> StoreUnavailable:
    # Its words stay out, they may hold what was looked up; the log has them by the cause.
    return StoreUnavailable(f"the look-up of from_callables({name}=…) raised {type(error).__name__}")


def _cause(name: str, error: Exception, ref: Ref[Any]) -> BaseException | None:
    """What the log may hold: tokens and keys may be looked up as they are, and some databases repeat what they were asked for."""
    return told(error, ref.key) if name in ("token", "api_key") else error


def _fits(record: object, kind: type, name: str) -> bool:
    """Whether it is the record that was asked for; there is none, or one of the look-up's other kind, if it isn't."""
    if record is None or isinstance(record, kind):
        return record is not None
    if isinstance(record, _kinds(name)):
        return False
    raise ConfigurationError(
        f"the look-up of from_callables({name}=…) returned {type(record).__name__}: return {kind.__name__} or None"
    )
