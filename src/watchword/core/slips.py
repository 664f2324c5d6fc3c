"""Slips that everybody makes when putting parts together, each answered by a sentence that mends it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Never, NoReturn

from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.structures.in_process import InProcess

__all__ = ["ClientHalf", "checked_verifiers", "made", "need_text", "unsendable"]


class ClientHalf(InProcess):
    """What our client halves have in common: who hands one to a library as it is, is told of the adapter.

    Libraries call what they are given as `auth=`; type checkers see that nothing can be passed to it.
    """

    __slots__ = ()

    def __call__(self, request: Never, /) -> NoReturn:
        name = type(self).__name__
        raise ConfigurationError(
            f"{name} is for any library, so it needs the adapter of this one: from watchword.clients.requests "
            f"(or .httpx, .httpx2) import adapt, then auth=adapt({name}(…))"
        )


def need_text(what: str, value: object) -> None:
    """Nothing, if it is a text.

    Raises:
        ConfigurationError: it isn't; the message holds nothing of it.

    >>> need_text("the username", b"alice")
    Traceback (most recent call last):
        ...
    watchword.core.rejection.ConfigurationError: the username is octets: decode it, .decode()
    """
    if isinstance(value, str):
        return
    if value is None:
        raise ConfigurationError(f"{what} is None: is the environment variable or setting that holds it there?")
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise ConfigurationError(f"{what} is octets: decode it, .decode()")
    raise ConfigurationError(f"{what} is a text, not {type(value).__name__}")


def made(auth: Any) -> Any:
    """`auth`, if it is a client half that was made of its credentials.

    Raises:
        ConfigurationError: it is something else.
    """
    if isinstance(auth, type):
        raise ConfigurationError(f"adapt takes an Auth with its credentials, adapt({auth.__name__}(…)), not the class")
    if not callable(getattr(auth, "flow", None)):
        kind = type(auth).__name__
        mend = (
            "clients take the other half, XAuth"
            if hasattr(auth, "refuse")
            else "for example BasicAuth('alice', password)"
        )
        raise ConfigurationError(f"adapt takes an Auth, not {kind}: {mend}")
    return auth


def checked_verifiers(verifiers: object, name: str) -> Sequence[Any]:
    """What a guard was given, if it is a list of verifiers; `name` is the guard's.

    Raises:
        ConfigurationError: it isn't.
    """
    if isinstance(verifiers, type) or hasattr(verifiers, "refuse"):
        kind = verifiers if isinstance(verifiers, type) else type(verifiers)
        raise ConfigurationError(f"{name} takes a list of verifiers: {name}([{kind.__name__}(…)])")
    if verifiers is not None and (isinstance(verifiers, (str, bytes)) or not isinstance(verifiers, Iterable)):
        raise ConfigurationError(f"{name} takes a list of verifiers, not {type(verifiers).__name__}")
    listed = tuple(verifiers or ())
    for one in listed:
        if isinstance(one, type):
            raise ConfigurationError(
                f"{name} takes verifiers, not their classes: {one.__name__}(…) instead of {one.__name__}"
            )
        if not all(hasattr(one, part) for part in ("read", "refuse", "addresses")):
            other = type(one).__name__
            mend = f": {other} is the client's half" if callable(getattr(one, "flow", None)) else ""
            raise ConfigurationError(f"{name} takes verifiers, such as BasicVerifier(realm=…), not {other}{mend}")
    return listed


def unsendable(rejected: Rejected) -> ConfigurationError:
    """The error of a client for a request that every server would refuse."""
    found = rejected.rejection
    mend = (
        "; percent-encode what a URI doesn't have, as %5C for a backslash"
        if found.reason is Reason.TARGET_REFUSED
        else ""
    )
    return ConfigurationError(f"this request can't be sent with credentials: {found.where}: {found.detail}{mend}")
