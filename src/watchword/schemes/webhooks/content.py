"""What is signed: the content of a delivery, as its profile has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import malformed
from watchword.crypto.digests import compare, digest
from watchword.fields.percent import percent_decoded
from watchword.fields.target import default_port
from watchword.schemes.webhooks.credentials import PresentedCredentials, octets_of
from watchword.schemes.webhooks.profiles import PARTS, WebhookProfile

__all__ = ["Contents", "url_of"]

MAX_PARAMETERS: Final = 1000
FORM: Final = b"application/x-www-form-urlencoded"


class Contents:
    """Makes what a delivery's signature covers; more than one candidate where the URL may have been written in two ways."""

    __slots__ = ("_digest", "_form", "_pick", "_ports", "_template", "_usual", "url")

    def __init__(self, profile: WebhookProfile) -> None:
        literals = [literal.encode().replace(b"%", b"%%") for literal in profile.literals]
        self._template = b"%b".join(literals)
        indices = [PARTS.index(part) for part in profile.parts]
        self._usual = indices == [0, 1, 2]
        self._pick: Callable[[tuple[bytes, ...]], Any] = itemgetter(*indices)
        self._form = "form" in profile.parts
        self._digest = profile.body_digest.encode()
        self._ports = profile.ports
        self.url = "url" in profile.parts or self._form

    def of(self, delivery: PresentedCredentials, body: bytes, url: str | None = None) -> list[bytes]:
        """The content, or the candidates for it.

        Raises:
            ConfigurationError: the profile covers the URL, and there is none.
            Rejected: MALFORMED_CREDENTIALS, a form of too many parameters; NOT_COVERED, a body that the signature says
                nothing about; WRONG_BODY.
        """
        if self._usual:
            return [self._template % (delivery.message_id, delivery.timestamp, body)]
        if not self.url:
            return [self._template % self._pick((delivery.message_id, delivery.timestamp, body))]
        if not isinstance(url, str) or "://" not in url:
            raise ConfigurationError("this profile covers the URL: pass url=, the whole one as the sender has it")
        form = self._covered(delivery, body, url) if self._form else b""
        return [
            self._template % self._pick((delivery.message_id, delivery.timestamp, body, octets_of(text), form))
            for text in (_with_and_without_port(url) if self._ports else (url,))
        ]

    def _covered(self, delivery: PresentedCredentials, body: bytes, url: str) -> bytes:
        """The form as it is signed; nothing for another body, whose digest is then in the URL."""
        name = self._digest + b"="
        query = octets_of(url.partition("?")[2]).split(b"&", MAX_PARAMETERS)
        given = [part[len(name) :] for part in query if part.startswith(name)]
        if not given:  # else it covers every body: whoever changes Content-Type, or drops the body, must not escape it
            if not body:
                return b""
            if delivery.content_type.partition(b";")[0].strip().lower() == FORM:
                return _form(body)
        if len(given) != 1:
            raise Rejected(
                Reason.NOT_COVERED, f"the body is no form and {self._digest.decode()} is not in the URL", where="body"
            )
        if not compare(digest("sha-256", body).hex().encode(), given[0].lower()):
            raise Rejected(Reason.WRONG_BODY, "the body is not the one that was signed", where="body")
        return b""


def url_of(request: Request) -> str:
    """The URL of a request, as its sender has it."""
    target = request.target.decode("latin-1")
    absolute = target[:1] != "/" and "://" in target
    return target if absolute else f"{request.scheme}://{request.authority}{target}"


def _form(body: bytes) -> bytes:
    """Names and values, decoded and sorted; what comes twice counts once, as the sender's own libraries have it."""
    if body.count(b"&") >= MAX_PARAMETERS:
        raise malformed(f"a form of more than {MAX_PARAMETERS} parameters", "body")
    pairs = {
        (_decoded(name), _decoded(value))
        for name, _, value in (pair.partition(b"=") for pair in body.split(b"&") if pair)
    }
    return b"".join(name + value for name, value in sorted(pairs))


def _decoded(text: bytes) -> bytes:
    return percent_decoded(text.replace(b"+", b" "))


def _with_and_without_port(url: str) -> Sequence[str]:
    """The URL without a port and with one: the default one if it has none."""
    scheme, _, rest = url.partition("://")
    end = min((index for index in (rest.find(mark) for mark in "/?#") if index >= 0), default=len(rest))
    authority, tail = rest[:end], rest[end:]
    host, colon, port = authority.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.endswith("]")):
        return (url, f"{scheme}://{host}{tail}")
    default = default_port(scheme.lower())
    return (url,) if default is None else (url, f"{scheme}://{authority}:{default}{tail}")
