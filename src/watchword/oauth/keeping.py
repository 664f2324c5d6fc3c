"""Tokens are fetched once: one flow gets or refreshes a token and saves it, and all others wait and take what it has saved.

A refresh token may be good for one use, and one that is used twice may end the whole log-in (RFC 9700 §4.14.2). So before
it is sent, the intent is saved. Who finds an unfinished intent can't know whether the issuer has seen the token. It is sent
once more only where the issuer is known to permit that; else somebody has to log in again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

from watchword.core.records import Put, Ref
from watchword.core.rejection import CredentialsUnavailable
from watchword.effects import Call, Context, Hold, Load, NotSent, Release, Save, Sleep
from watchword.crypto.digests import hex_digest
from watchword.oauth.token_response import AccessToken, TokenRefused
from watchword.oauth.tokens import Intent, Lease, Record, TokenKey, TokenStore

__all__ = ["Keeper", "OnToken", "Source"]

LEASE: Final = 60.0
"""Seconds for which others wait for the flow that refreshes."""
WITH_A_PERSON: Final = 900.0
"""The same where somebody is asked to log in."""
POLL: Final = 0.05
"""Seconds between two looks at whether another process has finished, or was killed."""

T = TypeVar("T")
OnToken = Callable[[AccessToken, "AccessToken | None"], Any]


class Source(Protocol):
    """Where tokens come from."""

    def begin(self, context: Context) -> Generator[Any, Any, AccessToken]:
        """The effects that get a token without one before."""
        ...

    def refresh(self, context: Context, token: AccessToken) -> Generator[Any, Any, AccessToken]:
        """The effects that get one by the refresh token of another."""
        ...

    def can_begin(self, context: Context) -> bool:
        """Whether a token can be had without one before: the client has credentials, or there is somebody to ask."""
        ...

    def asks_somebody(self, context: Context) -> bool:
        """Whether a person is asked for that, who takes minutes."""
        ...


class Keeper:
    """Keeps the tokens of one client.

    Args:
        store: where.
        refresh_retry: the issuer takes a refresh token once more whose answer was lost.
        on_token: told of each new token, and of the one before.
    """

    def __init__(self, store: TokenStore, *, refresh_retry: bool, on_token: OnToken | None) -> None:
        self.store = store
        self._refresh_retry, self._on_token = refresh_retry, on_token

    def obtain(
        self, context: Context, key: TokenKey, source: Source, refused: AccessToken | None
    ) -> Generator[Any, Any, AccessToken]:
        """The effects that give a token other than `refused`.

        Raises:
            CredentialsUnavailable: there is none to be had, or another process took too long.
        """
        lease = WITH_A_PERSON if source.asks_somebody(context) else LEASE
        return (yield from self._alone(key, lease, lambda: self._current(context, key, source, refused)))

    def put(self, key: TokenKey, token: AccessToken | None) -> Generator[Any, Any, AccessToken | None]:
        """The effects that keep a token, or none from now on; the one that was there before."""

        def steps() -> Generator[Any, Any, AccessToken | None]:
            record = yield from self._did(lambda: self.store.load(key))
            if record.token is not None or token is not None:
                yield from self._keep(key, Record(token, None, record.version + 1))
                yield from self._tell(token, record.token)
            before: AccessToken | None = record.token
            return before

        return (yield from self._alone(key, LEASE, steps))

    def _alone(
        self, key: TokenKey, seconds: float, steps: Callable[[], Generator[Any, Any, T]]
    ) -> Generator[Any, Any, T]:
        """The effects of `steps` while nobody else, in whichever process, is at this key."""
        yield Hold(key.text, seconds, of=self.store)
        lease = self.store.lease(key)
        try:
            yield from self._taken(lease, seconds)
            result = yield from steps()
        finally:
            lease.close()
        # If anything above fails, the driver lets the lock go.
        yield Release(key.text)
        return result

    def _taken(self, lease: Lease, seconds: float) -> Generator[Any, Any, None]:
        for _ in range(int(seconds / POLL)):
            if (yield from self._did(lease.take)):
                return
            yield Sleep(POLL)
        raise CredentialsUnavailable(f"another process has been getting this token for {seconds:g} s")

    def _current(
        self, context: Context, key: TokenKey, source: Source, refused: AccessToken | None
    ) -> Generator[Any, Any, AccessToken]:
        record: Record = yield from self._did(lambda: self.store.load(key))
        token = record.token
        if token is None and context.stored:
            token = (yield Load((_ref(key),))).get(_ref(key))
        if token is not None and (refused is None or token.value != refused.value) and token.is_fresh(context.now()):
            return token
        new: AccessToken | None = None
        if token is not None and token.refresh is not None and record.token is not None:
            new, record = yield from self._refreshed(context, key, record, token, source)
        if new is None:
            new = yield from source.begin(context)
        yield from self._keep(key, Record(new, None, record.version + 1))
        if context.stored:
            yield Save((Put(_ref(key), replace(new, refresh=None)),))
        yield from self._tell(new, token)
        return new

    def _refreshed(
        self, context: Context, key: TokenKey, record: Record, token: AccessToken, source: Source
    ) -> Generator[Any, Any, tuple[AccessToken | None, Record]]:
        """A token by the refresh token, None if somebody has to log in and can; and the record on which the next one follows."""
        attempt = self._attempt(record, token)
        if attempt is None:
            if source.can_begin(context):
                return None, record
            raise CredentialsUnavailable(
                "log in again: the refresh token was sent before, and nobody knows whether the issuer has used it up "
                "(refresh_retry=True if this issuer takes one twice)"
            )
        before, intent = record.intent, Intent(_hash_of(token), attempt, context.now())
        record = yield from self._keep(key, Record(token, intent, record.version + 1))
        try:
            new = yield from source.refresh(context, token)
        except NotSent:
            # The driver is ending the flow, so that nothing can be yielded.
            self.store.save(key, Record(token, before, record.version + 1))
            raise
        except TokenRefused as refused:
            if refused.status >= 500:  # nobody knows what a server has done that failed
                raise
            gone = refused.error == "invalid_grant"
            left = (
                Record(replace(token, refresh=None), None, record.version + 1)
                if gone
                else Record(token, before, record.version + 1)
            )
            record = yield from self._keep(key, left)
            if gone and source.can_begin(context):
                return None, record
            if gone:
                raise CredentialsUnavailable(f"log in again: {refused}") from None
            raise
        return replace(new, refresh=new.refresh or token.refresh), record

    def _attempt(self, record: Record, token: AccessToken) -> int | None:
        """Which attempt with this refresh token it would be; None: it may not be sent any more."""
        intent = record.intent
        if intent is None or intent.token_hash != _hash_of(token):
            return 1
        return 2 if self._refresh_retry and intent.attempt == 1 else None

    def _keep(self, key: TokenKey, record: Record) -> Generator[Any, Any, Record]:
        if not (yield from self._did(lambda: self.store.save(key, record))):
            raise CredentialsUnavailable(
                "another flow has changed this token meanwhile, since this one took too long: try again"
            )
        return record

    def _tell(self, new: AccessToken | None, old: AccessToken | None) -> Generator[Any, Any, None]:
        hook = self._on_token
        if hook is not None and new is not None:
            told = yield Call(lambda: hook(new, old))
            if isinstance(told, Exception):
                raise told

    def _did(self, verb: Callable[[], T]) -> Generator[Any, Any, T]:
        """The answer of a store's verb, for which an event loop need not stand still."""
        if not self.store.blocking:
            return verb()
        answer = yield Call(verb)
        if isinstance(answer, Exception):
            raise answer
        result: T = answer
        return result


def _hash_of(token: AccessToken) -> str:
    return hex_digest("sha-256", (token.refresh or "").encode()).decode()


def _ref(key: TokenKey) -> Ref[AccessToken]:
    return Ref(AccessToken, (key.issuer, key.client, " ".join(key.scopes), *key.target, key.owner))
