"""What a WSGI environ says of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import quote

from watchword.core.message import Headers, Peer, Request

__all__ = ["App", "Environ", "request_of"]

Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]

MAX_KNOWN: Final = 128
"""Names that are remembered, of as many characters at most as the next number says."""
MAX_NAME: Final = 64
UNQUOTED = "/:@!$&'()*+,;=~"  # RFC 3986 §3.3


def request_of(environ: Environ) -> Request:
    """The request; not exact where the server does not hand the request line out."""
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if sent is None:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        query = environ.get("QUERY_STRING", "")
        target = quote(_octets(path), safe=UNQUOTED).encode() + (b"?" + _octets(query) if query else b"")
    else:
        target = _octets(sent)
    return Request.raw(
        environ["REQUEST_METHOD"],
        environ.get("wsgi.url_scheme", "http"),
        environ.get("HTTP_HOST", ""),
        target,
        _headers(environ),
        Peer(environ.get("REMOTE_ADDR") or ""),
        sent is not None,
    )


def _headers(environ: Environ) -> Headers:
    names = filter(_FIELDS.__getitem__, environ)  # most of an environ is no field, and takes no step of a loop here
    try:
        lines = [(_FIELDS[name], environ[name].encode("latin-1")) for name in names]
    except UnicodeEncodeError:
        lines = [(_FIELDS[name], _octets(environ[name])) for name in environ if _FIELDS[name]]
    if environ.get("CONTENT_TYPE") and not _is_invented(environ):
        lines.append((b"content-type", _octets(environ["CONTENT_TYPE"])))
    if environ.get("CONTENT_LENGTH"):
        lines.append((b"content-length", _octets(environ["CONTENT_LENGTH"])))
    return lines


class _Fields(dict[str, bytes]):
    """The name of the field of which an environ tells under a name, b"" if of none; most requests have the same few.

    Few are remembered, and once they are too many none of those: whoever sends others makes nobody's request cost more than its
    names do.
    """

    def __missing__(self, name: str) -> bytes:
        field = _octets(name[5:].replace("_", "-").lower()) if name[:5] == "HTTP_" else b""
        if len(self) >= MAX_KNOWN:
            self.clear()
        if len(name) <= MAX_NAME:
            self[name] = field
        return field


_FIELDS: Final = _Fields()


def _is_invented(environ: Environ) -> bool:
    """Whether the Content-Type is that which wsgiref gives to requests without one.

    One that was sent can't be told from it, but a client that has it covered says so in another field: Signature-Input,
    Accept-Signature, or the list of a scheme of its own.
    """
    return (
        environ["CONTENT_TYPE"] == "text/plain"
        and environ.get("SERVER_SOFTWARE", "").startswith("WSGIServer/")
        and not any(name.startswith("HTTP_") and "content-type" in value.lower() for name, value in environ.items())
    )


def _octets(text: str) -> bytes:
    """PEP 3333's "bytes in a string"; UTF-8 where a server or a middleware put real text."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        pass
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair: octets that nothing takes for its own
        return text.encode("utf-8", "surrogatepass")
