"""The requests that flows send for themselves: a form to an endpoint, a document to fetch. And which answers are of use."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

from watchword.core.message import Headers, Request
from watchword.core.rejection import ConfigurationError, CredentialsUnavailable
from watchword.effects import Context, Received, Send, SendTerms
from watchword.crypto.encoding import parse_leniently
from watchword.schemes.sending import host_of, refuse_cleartext

__all__ = ["Form", "Own", "get_object", "json_object", "object_of", "own_url", "post_form", "request_to", "taken_apart"]

Form = Sequence[tuple[str, str]]
Own = Generator[Any, Any, Received]

_JSON: Final = (b"accept", b"application/json")
_FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")
MAX_SIZE: Final = 512 * 1024
"""Octets of an answer that are read: metadata and key sets are a few thousand."""


def own_url(what: str, value: object) -> str:
    """A URL that a developer gives.

    Raises:
        ConfigurationError: none that can be asked; the message says what to change.
    """
    if not isinstance(value, str) or not value:
        raise ConfigurationError(
            f"{what} is an http(s) URL, and this is none: is the environment variable or setting that holds it set?"
        )
    parts = taken_apart(value)
    if parts is None or parts.scheme not in ("http", "https"):
        raise ConfigurationError(f"{what} is an http(s) URL without user information and fragment")
    return value


def taken_apart(value: object) -> SplitResult | None:
    """The parts of a URL that can be asked: in ASCII, with a host, without user information and fragment. None for any other."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or set(value) & set(" \\#"):
        return None
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return None
    return parts if usable else None


def request_to(method: str, url: str, headers: Headers) -> Request:
    """A request to a URL."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request(method, parts.scheme, parts.netloc, target, headers)


def post_form(context: Context, url: str, form: Form, headers: Headers, allow_cleartext: bool, own: str) -> Own:
    """The answer to a form that holds secrets, sent once at most.

    Args:
        context: the flow's.
        url: the endpoint.
        form: its parameters.
        headers: further fields.
        allow_cleartext: send it over http to other hosts than this one.
        own: the caller's own URL, from which `url` was learnt, if it isn't that itself.

    Raises:
        ConfigurationError: the network would see the secrets.
        CredentialsUnavailable: the endpoint redirects.
    """
    request = _seen(context, request_to("POST", url, (_JSON, _FORM, *headers)))
    refuse_cleartext(request, allow_cleartext)
    received: Received = yield Send(request, urlencode(form).encode(), want=True, terms=_terms(request, own))
    return _direct(received, request)


def get_object(context: Context, url: str, own: str) -> Own:
    """The answer to a GET, without credentials. Of https nobody can change it on its way; of http an issuer on this host is trusted.

    Raises:
        CredentialsUnavailable: the server redirects.
    """
    request = _seen(context, request_to("GET", url, (_JSON,)))
    terms = _terms(request, own)._replace(repeatable=True)
    received: Received = yield Send(request, b"", want=True, terms=terms)
    return _direct(received, request)


def object_of(received: Received, what: str) -> Mapping[str, Any]:
    """The JSON object of an answer.

    Raises:
        CredentialsUnavailable: it is none, or calls itself a page; the message repeats nothing of it.
    """
    status, body = received.response.status, received.body or b""
    kinds = received.response.values(b"content-type")
    if kinds and kinds[0].lower().lstrip().startswith(b"text/html"):
        raise CredentialsUnavailable(f"{what} answered {status} with a page, not with JSON: is its URL right?")
    if len(body) > MAX_SIZE:
        raise CredentialsUnavailable(f"{what} answered with more than {MAX_SIZE} octets")
    content = json_object(body)
    if content is None:
        raise CredentialsUnavailable(f"{what} answered {status} without a JSON object")
    return content


def json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object of an answer; None for what is none. An error of the decoder's own would carry the answer along."""
    try:
        return parse_leniently(body)
    except (ValueError, RecursionError):
        return None


def _seen(context: Context, request: Request) -> Request:
    """The request with the way that it takes."""
    return request.seen_as(request.scheme, request.authority, request.target, context.peer(request))


def _terms(request: Request, own: str) -> SendTerms:
    host = host_of(urlsplit(own).netloc)
    return SendTerms(max_size=MAX_SIZE, learnt_from="" if host == host_of(request.authority) else host)


def _direct(received: Received, request: Request) -> Received:
    status = received.response.status
    if 300 <= status < 400:
        raise CredentialsUnavailable(
            f"{host_of(request.authority)} answered {status}, a redirect, which no request with secrets follows: use the URL "
            "to which it leads, if you trust that"
        )
    return received
