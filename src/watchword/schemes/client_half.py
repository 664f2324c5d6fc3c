"""What the client halves of the schemes have in common: slips that everybody makes are answered by a sentence that says what to do."""

from __future__ import annotations

from typing import Never, NoReturn

from watchword.core.rejection import ConfigurationError
from watchword.structures.in_process import InProcess

__all__ = ["ClientHalf", "need_text"]


class ClientHalf(InProcess):
    """What our client halves have in common: who hands one to a library as it is, is told of the adapter.

    Libraries call what they are given, as `auth=` or otherwise; type checkers see that nothing can be passed to it.
    """

    __slots__ = ()

    def __call__(self, request: Never, /, *_: Never) -> NoReturn:
        name = type(self).__name__
        raise ConfigurationError(
            f"{name} is for any library, so it needs the adapter of this one: from watchword.clients.requests (or .httpx, "
            f".httpx2, .aiohttp, .urllib3, .urllib_request) import adapt, and pass adapt({name}(…))"
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
