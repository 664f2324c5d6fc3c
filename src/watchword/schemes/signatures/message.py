"""Requests and responses as signatures see them (RFC 9421 §2.1, §2.4): field lines, trailers, the parts of the target."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote_from_bytes

from watchword.core.message import Headers, Request, Response
from watchword.core.rejection import Reason, Rejected
from watchword.fields.percent import percent_decoded
from watchword.fields.structured import Member, parse_dictionary
from watchword.schemes.signatures.components import FIELD_TYPES, Component

__all__ = ["AROUND", "Fields", "Message", "path_and_query"]

# RFC 9112 §5.2. The run of white space is entered at its beginning only, so that a long one is read once.
_OBS_FOLD: Final = re.compile(rb"(?<![ \t])[ \t]*+\r?\n[ \t]++")
AROUND: Final = b" \t\r\n"
"""What is not part of a line's value."""
_NONE: Final[Mapping[bytes, list[bytes]]] = {}


class Fields:
    """The field lines of one section, by name; read once.

    `single` has the value of every field, as sent; of those with several lines the last. `several` has all lines of these.
    """

    __slots__ = ("_dictionaries", "several", "single")

    def __init__(self, headers: Headers) -> None:
        # Mostly no field has two lines: then a dictionary of them all is made in one go.
        self.single: dict[bytes, bytes] = dict(headers)
        self.several: Mapping[bytes, list[bytes]] = _NONE
        self._dictionaries: dict[bytes, Mapping[str, Member]] | None = None
        if len(self.single) < len(headers):
            lines: dict[bytes, list[bytes]] = {}
            for name, value in headers:
                lines.setdefault(name, []).append(value)
            self.several = {name: values for name, values in lines.items() if len(values) > 1}

    def combined(self, name: bytes) -> bytes | None:
        """The combined value (§2.1); None if there is no such field."""
        if name in self.several:
            return b", ".join([_clean(line) for line in self.several[name]])
        value = self.single.get(name)
        return None if value is None else _clean(value)

    def lines(self, name: bytes) -> list[bytes]:
        """The value of each line; none if there is no such field."""
        if name in self.several:
            return [_clean(line) for line in self.several[name]]
        value = self.single.get(name)
        return [] if value is None else [_clean(value)]

    def dictionary(self, name: bytes) -> Mapping[str, Member] | None:
        """The field as a dictionary, parsed once; None if there is no such field."""
        if self._dictionaries is None:
            self._dictionaries = {}
        parsed = self._dictionaries.get(name)
        if parsed is None:
            value = self.combined(name)
            if value is None:
                return None
            parsed = self._dictionaries[name] = parse_dictionary(value)
        return parsed


def _clean(line: bytes) -> bytes:
    """One line's value without white space around it, and an obsolete line folding as one space (§2.1)."""
    line = line.strip(AROUND)
    return _OBS_FOLD.sub(b" ", line) if b"\n" in line else line


class Message:
    """A request, or a response with the request that it answers, as signatures see it.

    Args:
        request: the request; None where a response's request is not known.
        response: the response; None: the message is the request.
        trailers: the trailer fields of the message (§2.1.4); None: none were received, or none yet.
        request_trailers: those of the request that `response` answers.
        types: the structured types ("item", "list", "dictionary") of further fields, by name in lower case, for `;sf`.
        fields: the message's own header fields, where they were read before.
    """

    __slots__ = (
        "_fields", "_query", "_request_fields", "_trailers", "request", "request_trailers", "response", "trailers",
        "types",
    )  # fmt: skip

    def __init__(
        self,
        request: Request | None,
        response: Response | None = None,
        trailers: Headers | None = None,
        request_trailers: Headers | None = None,
        types: Mapping[str, str] = FIELD_TYPES,
        fields: Fields | None = None,
    ) -> None:
        self.request = request
        self.response = response
        self.trailers = trailers
        self.request_trailers = request_trailers
        self.types = types
        self._fields = fields
        self._request_fields: Fields | None = None
        self._trailers: dict[bool, Fields] = {}
        self._query: dict[str, str | None] | None = None

    def fields(self) -> Fields:
        """The header fields of the message itself."""
        fields = self._fields
        if fields is None:
            own = self.request if self.response is None else self.response
            fields = self._fields = Fields(() if own is None else own.headers)
        return fields

    def section(self, component: Component) -> Fields | None:
        """The section where a field with these parameters is looked for; None if there is none."""
        of_request = component.has("req")
        if of_request and self.response is None:
            detail = "req is for responses (RFC 9421 §2.4)"
            raise Rejected(Reason.MALFORMED_CREDENTIALS, detail, where=str(component))
        if component.has("tr"):
            trailers = self.request_trailers if of_request else self.trailers
            if trailers is not None and of_request not in self._trailers:
                self._trailers[of_request] = Fields(trailers)
            return self._trailers.get(of_request)
        if not of_request:
            return self.fields()
        if self._request_fields is None and self.request is not None:
            self._request_fields = Fields(self.request.headers)
        return self._request_fields

    def query_params(self, request: Request) -> Mapping[str, str | None]:
        """The parameters of the query by encoded name; None for a name that occurs more than once (§2.2.8)."""
        if self._query is None:
            self._query = _query_params(path_and_query(request)[1])
        return self._query


def path_and_query(request: Request) -> tuple[bytes, bytes | None]:
    """Path and query, in origin-form and in absolute-form.

    Raises:
        Rejected: MISSING_COMPONENT for "*" and the authority-form, which have neither.
    """
    target = request.target
    if target[:1] != b"/":
        scheme, separator, rest = target.partition(b"://")
        if not separator or b"/" in scheme or b"?" in scheme:
            detail = "a target in this form has neither path nor query: cover @request-target"
            raise Rejected(Reason.MISSING_COMPONENT, detail, where='"@path"')
        end = min((at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0), default=len(rest))
        target = rest[end:]
    path, mark, query = target.partition(b"?")
    return path or b"/", query if mark else None


def _query_params(query: bytes | None) -> dict[str, str | None]:
    params: dict[str, str | None] = {}
    for pair in (query or b"").split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            encoded = _form_encoded(name)
            params[encoded] = None if encoded in params else _form_encoded(value)
    return params


def _form_encoded(text: bytes) -> str:
    """Decoded, and encoded again in one way: WHATWG URL's form set, but a space as %20 (§2.2.8).

    Octets that are no UTF-8 keep what they are; the URL standard would make them all the same character.
    """
    return quote_from_bytes(percent_decoded(text.replace(b"+", b" ")), safe="*").replace("~", "%7E")
