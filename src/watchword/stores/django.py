"""The users of a Django project as a store: `DjangoStore`, and `AsyncDjangoStore` for event loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any, Final

from watchword.core.records import Found, Outcome, Ref, Write
from watchword.core.rejection import ConfigurationError, not_installed
from watchword.crypto.passwords import Password, check_can_be_followed, fault_of
from watchword.stores.table import PasswordTable

try:
    from asgiref.sync import sync_to_async
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import get_hasher, make_password
except ImportError:
    raise not_installed("django") from None

__all__ = ["AsyncDjangoStore", "DjangoStore"]

Scopes = Callable[[Any], Iterable[str]]

_ALIKE: Final = 10  # rows that a database takes for one name, looked through at most


class DjangoStore(PasswordTable):
    """The users of Django's `AUTH_USER_MODEL`, for `BasicVerifier`.

    The user of a name is the one with exactly that `USERNAME_FIELD`, also where the database knows no difference between
    "Alice" and "alice". Inactive users and those without a usable password never log in, and cost what a wrong password costs
    under the first of `PASSWORD_HASHERS`. So do names that nobody has.

    A hash that Django would make anew at a log-in is made anew here too, in the format and with the parameters of the first of
    `PASSWORD_HASHERS`; as in Django, the user's sessions end by it. Where that hasher is one that nobody should use (MD5, in
    tests), hashes are left alone. Nothing else is ever written.

    Args:
        scopes: what a user may do, as `scopes(user)` says it, such as `lambda user: user.get_all_permissions()`. None:
            nothing.
        rehash: False: hashes are left as they are.

    Raises:
        ConfigurationError: while a request is judged, if the first of `PASSWORD_HASHERS` makes hashes that are not verified.
    """

    of_django = True

    def __init__(self, *, scopes: Scopes | None = None, rehash: bool = True) -> None:
        super().__init__(self._password_of, "", self._write)
        self._scopes = scopes
        self._rehash = rehash
        self._known: tuple[Any, str] | None = None
        self._making = Lock()

    def __repr__(self) -> str:
        return "DjangoStore()"

    def _pattern(self) -> str:
        hasher = get_hasher()  # another object once the setting is another, as in tests
        with self._making:
            if self._known is None or self._known[0] is not hasher:
                like = make_password("any")
                if (fault := fault_of(like)) is not None:
                    raise ConfigurationError(
                        f"the hashes of {type(hasher).__name__} are not verified ({fault}): put a hasher of "
                        "django.contrib.auth.hashers first in PASSWORD_HASHERS"
                    )
                self._known = hasher, like
            return self._known[1]

    def _is_written(self) -> bool:
        if not self._rehash:
            return False
        try:
            check_can_be_followed(self._pattern(), made=True)
        except ConfigurationError:
            return False
        return True

    def _password_of(self, username: str) -> Password | None:
        model: Any = get_user_model()
        named = {str(model.USERNAME_FIELD): username}
        for user in model._default_manager.filter(**named)[:_ALIKE]:  # noqa: SLF001 -- documented under this name
            if user.get_username() == username:
                return Password(user.password, self._scopes_of(user), disabled=not user.is_active)
        return None

    def _scopes_of(self, user: Any) -> tuple[str, ...]:
        given = () if self._scopes is None else self._scopes(user)
        if isinstance(given, str):
            raise ConfigurationError(f"scopes(user) returned one text: return a list, {given.split()!r}")
        return tuple(sorted(given))

    def _write(self, username: str, old: str, new: str) -> int:
        model: Any = get_user_model()
        named = {str(model.USERNAME_FIELD): username, "password": old}
        return int(model._default_manager.filter(**named).update(password=new))  # noqa: SLF001 -- as above


class AsyncDjangoStore:
    """`DjangoStore`, awaited: Django's database is asked in the thread that asgiref keeps for it.

    Args:
        scopes: as `DjangoStore`.
        rehash: as `DjangoStore`.
    """

    of_django = True
    kinds: frozenset[type] | None = DjangoStore.kinds

    def __init__(self, *, scopes: Scopes | None = None, rehash: bool = True) -> None:
        store = DjangoStore(scopes=scopes, rehash=rehash)
        self._fetch = sync_to_async(store.fetch, thread_sensitive=True)
        self._commit = sync_to_async(store.commit, thread_sensitive=True)

    def __repr__(self) -> str:
        return "AsyncDjangoStore()"

    async def fetch(self, refs: Sequence[Ref[Any]], /) -> Found:
        return await self._fetch(refs)

    async def commit(self, writes: Sequence[Write], /) -> Outcome:
        return await self._commit(writes)
