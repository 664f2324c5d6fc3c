"""What the fixes have in common: a token in the query of a URL."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

__all__ = ["in_query", "with_parameter"]


def in_query(url: str, name: str) -> bool:
    """Whether the URL has this parameter already, and a value for it.

    >>> in_query("https://api.example/?token=t", "token"), in_query("https://api.example/", "token")
    (True, False)
    """
    return bool(parse_qs(urlsplit(url).query).get(name))


def with_parameter(url: str, name: str, value: str) -> str:
    """The URL with one parameter more.

    >>> with_parameter("https://api.example/a?b=c#d", "token", "t")
    'https://api.example/a?b=c&token=t#d'
    """
    parts = urlsplit(url)
    pair = urlencode({name: value})
    return parts._replace(query=f"{parts.query}&{pair}" if parts.query else pair).geturl()
