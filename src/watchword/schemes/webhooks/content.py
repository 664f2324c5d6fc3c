"""What is signed: the content of a delivery, as its profile has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

from watchword.core.message import Request
from watchword.core.rejection import ConfigurationError, Reason, Rejected
from watchword.core.scheme import malformed
from watchword.crypto.digests import compare, digest
from watchword.crypto.encoding import parse_leniently
from watchword.fields.percent import percent_decoded
from watchword.fields.target import default_port
from watchword.schemes.webhooks.credentials import PresentedCredentials, octets_of
from watchword.schemes.webhooks.profiles import PARTS, WebhookProfile
from watchword.schemes.webhooks.times import TIME_FORMATS

__all__ = ["Contents", "TimeInBody", "url_of"]

MAX_PARAMETERS: Final = 1000
FORM: Final = b"application/x-www-form-urlencoded"


class Contents:
    """Makes what a delivery's signature covers; more than one candidate where the URL may have been written in two ways."""

    __slots__ = ("_decoded", "_digest", "_form", "_outer", "_pick", "_ports", "_template", "_usual", "url")

    def __init__(self, profile: WebhookProfile) -> None:
        literals = [literal.encode().replace(b"%", b"%%") for literal in profile.literals]
        self._template = b"%b".join(literals)
        indices = [PARTS.index(part) for part in profile.parts]
        self._usual = indices == [0, 1, 2]
        self._pick: Callable[[tuple[bytes, ...]], Any] = itemgetter(*indices) if indices else lambda _: ()
        self._form = "form" in profile.parts
        self._digest = profile.body_digest.encode()
        self._ports = profile.ports
        self._decoded = _escapes(profile.url_decoded) if profile.url_decoded else None
        self.url = "url" in profile.parts or self._form
        self._outer = self.url or "method" in profile.parts

    def of(
        self, delivery: PresentedCredentials, body: bytes, url: str | None = None, method: str = "POST"
    ) -> list[bytes]:
        """The content, or the candidates for it, the one that a sender signs first.

        Raises:
            ConfigurationError: the profile covers the URL, and there is none.
            Rejected: MALFORMED_CREDENTIALS, a form of too many parameters; NOT_COVERED, a body that the signature says
                nothing about; WRONG_BODY.
        """
        if self._usual:
            return [self._template % (delivery.message_id, delivery.timestamp, body)]
        named, timed = delivery.message_id, delivery.timestamp
        if not self._outer:
            return [self._template % self._pick((named, timed, body))]
        if not self.url:
            return [self._template % self._pick((named, timed, body, b"", b"", octets_of(method)))]
        if not isinstance(url, str) or "://" not in url:
            raise ConfigurationError("this profile covers the URL: pass url=, the whole one as the sender has it")
        form = self._covered(delivery, body, url) if self._form else b""
        return [
            self._template % self._pick((named, timed, body, octets_of(text), form, octets_of(method)))
            for text in self._spellings(url)
        ]

    def _spellings(self, url: str) -> Sequence[str]:
        """The URL as the sender may have signed it."""
        if self._ports:
            return _with_and_without_port(url)
        if self._decoded is None or "%" not in url:
            return (url,)
        decoded = self._decoded.sub(lambda found: chr(int(found[1], 16)), url)
        return (url,) if decoded == url else (decoded, url)

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


class TimeInBody:
    """Reads the time that the JSON object in a body says, of a delivery whose signature fitted."""

    __slots__ = ("_format", "_looks_so", "_member")

    def __init__(self, profile: WebhookProfile) -> None:
        self._member = profile.timestamp_member
        self._format = TIME_FORMATS[profile.time_format]
        self._looks_so = re.compile(self._format.pattern).fullmatch

    def of(self, body: bytes) -> float:
        """Seconds since the epoch.

        Raises:
            Rejected: MALFORMED_CREDENTIALS, the body is no JSON object, or its member is no such time.
        """
        try:
            # A sender that cuts somebody's text may leave half of a surrogate pair, of which nothing is read here.
            said = parse_leniently(body).get(self._member)
        except ValueError:
            raise malformed("no JSON object that could say when it was sent", "body") from None
        text = str(said).encode() if isinstance(said, (int, str)) and str(said).isascii() else b""
        try:
            if self._looks_so(text):
                return self._format.read(text)
        except ValueError:
            pass
        raise malformed(f"{self._member} is not {self._format.words}", "body")


def url_of(request: Request) -> str:
    """The URL of a request, as its sender has it."""
    target = request.target.decode("latin-1")
    absolute = target[:1] != "/" and "://" in target
    return target if absolute else f"{request.scheme}://{request.authority}{target}"


def _escapes(characters: str) -> re.Pattern[str]:
    """What finds these characters where they are percent-encoded."""
    codes = "|".join(f"{ord(character):02X}" for character in characters)
    return re.compile(f"%({codes})", re.IGNORECASE)


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
