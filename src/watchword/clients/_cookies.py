"""Cookies that come with a refusal, for the next try, in libraries that have no cookies of their own, or a jar of the user's."""

from __future__ import annotations

from collections.abc import Iterable
from email.message import Message
from http.cookiejar import CookieJar
from urllib.request import Request

__all__ = ["fresh_cookies"]


class _Answer:
    """An answer as a jar reads it."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._message = Message()
        for line in lines:
            self._message["Set-Cookie"] = line

    def info(self) -> Message:
        return self._message


def fresh_cookies(url: str, lines: Iterable[str]) -> str:
    """The Cookie field for another request to `url` of whose answer these are the Set-Cookie lines (RFC 6265 §5.4); or "".

    >>> fresh_cookies("https://api.example/a", ["session=2; Path=/", "far=1; Path=/far", "theirs=1; Domain=evil.example"])
    'session=2'
    """
    request = Request(url)  # noqa: S310 -- is not opened
    jar = CookieJar()
    jar.extract_cookies(_Answer(lines), request)  # type: ignore[arg-type] # info() is all that it asks for
    jar.add_cookie_header(request)
    return request.get_header("Cookie") or ""
