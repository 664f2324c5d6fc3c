"""The signature base (RFC 9421 §2.5): what is signed, from a message and the list of what is covered. Pure.

It serves both sides and both kinds of message:

>>> from watchword.core.message import Request
>>> request = Request("POST", "https", "example.com", "/foo?a=b", {"Content-Type": "text/plain"})
>>> covered = SignatureInput((Component("@method"), Component("content-type")), {"created": 1618884473})
>>> print(signature_base(covered, Message(request)).decode())
"@method": POST
"content-type": text/plain
"@signature-params": ("@method" "content-type");created=1618884473
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Final

from watchword.core.message import Request
from watchword.core.rejection import Reason, Rejected
from watchword.fields.structured import (
    Item,
    StructuredFieldError,
    parse_dictionary,
    parse_item,
    parse_list,
    serialize_bare_item,
    serialize_dictionary,
    serialize_item,
    serialize_list,
)
from watchword.fields.target import normal_authority
from watchword.schemes.signatures.components import (
    Component,
    SignatureInput,
    covered_text,
    params_text,
)
from watchword.schemes.signatures.message import AROUND, Fields, Message, path_and_query

__all__ = ["BasePlan", "Message", "component_value", "signature_base"]

_USUAL: Final = ("@method", "@authority", "@path", "@query")
_METHODS: Final = {name: name.encode() for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
_LF: Final = 0x0A  # as a number: looking for one octet as text takes ten times as long
_HTTP: Final = {"ws": "http", "wss": "https"}  # a WebSocket handshake is an HTTP request (RFC 6455 §4.1)


Extractor = Callable[[Message], bytes]


class BasePlan:
    """The prepared way from messages to signature bases, for one list of covered components.

    `components` is that list, `covered` and `listed` the same serialised.
    """

    __slots__ = ("_extractors", "_host", "_own", "_pick", "_template", "components", "covered", "listed")

    def __init__(self, components: Sequence[Component]) -> None:
        self.components = tuple(components)
        self.covered = covered_text(components)
        self.listed = self.covered.encode("ascii")
        self._extractors = tuple(_extractor(component) for component in components)
        lines = "".join(f"{component}: ".replace("%", "%%") + "%b\n" for component in components)
        last = f'"@signature-params": {self.covered}'.replace("%", "%%")
        self._template = f"{lines}{last}%b".encode("ascii")
        self._host = ("", b"")  # the authority that came last, if it is normal as it is, and its octets
        self._own: tuple[bytes, ...] | None = None
        self._pick: Callable[[Sequence[bytes]], Sequence[bytes]] | None = None
        if len(components) > 1:  # of one, itemgetter makes no tuple
            self._prepare()

    def _prepare(self) -> None:
        """The short way, where only fields and the usual derived components are covered, and none with parameters."""
        if any(each.params or (each.name[0] == "@" and each.name not in _USUAL) for each in self.components):
            return
        names = [each.name for each in self.components if each.name[0] != "@"]
        at = {name: number for number, name in enumerate((*_USUAL, *names))}
        order = [at[each.name] for each in self.components]
        self._pick = None if order == list(range(len(at))) else itemgetter(*order)
        self._own = tuple(name.encode("ascii") for name in names)

    def base(self, message: Message, params: bytes) -> bytes:
        """The signature base (§2.5).

        Args:
            message: what is signed.
            params: the signature parameters, serialised.

        Raises:
            Rejected: MISSING_COMPONENT, where the message lacks something that is covered; MALFORMED_CREDENTIALS, where a
                covered value can't be in a base: it isn't ASCII, has a line break, or isn't of its structured type.
        """
        values = [extract(message) for extract in self._extractors]
        base = self._template % (*values, params)
        if base.count(b"\n") != len(values) or not base.isascii():
            raise self._unfit(values)
        return base

    def of_request(
        self, request: Request, single: Mapping[bytes, bytes] | None, params: bytes, types: Mapping[str, str]
    ) -> bytes:
        """`base` of a request: the same in less time, if nothing that is covered is special.

        Args:
            request: what is signed.
            single: its fields by name, if none has two lines; None: some have.
            params: the signature parameters, serialised.
            types: as of `Message`.

        Raises:
            Rejected: as `base`.
        """
        own = self._own
        target = request.target
        if own is None or single is None or target[:1] != b"/":
            return self.base(Message(request, types=types), params)
        authority = request.authority
        kept, host = self._host
        path, _, query = target.partition(b"?")
        try:
            if kept != authority:
                host = self._octets_of_host(request)
            values = [_METHODS[request.method], host, path, b"?" + query]
            for name in own:
                values.append(single[name].strip(AROUND))  # noqa: PERF401 -- faster than a comprehension before Python 3.12
        except (KeyError, Rejected):
            return self.base(Message(request, types=types), params)
        covered = values if self._pick is None else self._pick(values)
        base = self._template % (*covered, params)
        if host and _LF not in b"".join(values) and _LF not in params and base.isascii():
            return base
        return self.base(Message(request, types=types), params)

    def _octets_of_host(self, request: Request) -> bytes:
        """The value of @authority; kept, if it is what the request has."""
        authority = request.authority
        normal = ":" not in authority and authority.islower()
        if not normal:
            authority = normal_authority(request.scheme, authority)
        host = authority.encode("utf-8", "surrogatepass")
        if normal:
            self._host = authority, host
        return host

    def _unfit(self, values: Sequence[bytes]) -> Rejected:
        for component, value in zip(self.components, values, strict=True):
            if b"\n" in value or not value.isascii():
                detail = "its value has a line break, or octets that are not ASCII: cover it with bs (RFC 9421 §2.1.3)"
                return _refused(component, detail, Reason.MALFORMED_CREDENTIALS)
        return Rejected(Reason.MALFORMED_CREDENTIALS, "the parameters are not ASCII", where="signature-input")


def signature_base(covered: SignatureInput, message: Message) -> bytes:
    """The signature base of `message` (§2.5).

    Raises:
        Rejected: as `BasePlan.base`.
    """
    return BasePlan(covered.components).base(message, params_text(covered.params).encode("ascii"))


def component_value(component: Component, message: Message) -> bytes:
    """The value of one component, as its line of the base has it.

    Raises:
        Rejected: MISSING_COMPONENT or MALFORMED_CREDENTIALS, as `BasePlan.base`.

    >>> component_value(Component.parse('@query-param;name="b c"'), Message(Request("GET", "https", "h", "/?b+c=%7e")))
    Traceback (most recent call last):
    watchword.core.rejection.Rejected: missing_component at "@query-param";name="b c": the query has no such parameter
    >>> component_value(Component.parse('@query-param;name="b%20c"'), Message(Request("GET", "https", "h", "/?b+c=%7e")))
    b'%7E'
    """
    return _extractor(component)(message)


def _extractor(component: Component) -> Extractor:
    if component.name.startswith("@"):
        return _derived(component)
    if component.params:
        return _field(component)
    name = component.name.encode("ascii")

    def plain(message: Message) -> bytes:
        value = message.fields().combined(name)
        if value is None:
            raise _missing(component)
        return value

    return plain


# ---- fields (§2.1) ----------------------------------------------------------------------------------------------------


def _field(component: Component) -> Extractor:
    name, key = component.name.encode("ascii"), component.param("key")

    def extract(message: Message) -> bytes:
        section = message.section(component)
        try:
            if section is None:
                value = None
            elif component.has("bs"):
                value = _wrapped(section.lines(name))
            elif key is not None:
                value = _member(section, component, key, message.types)
            else:
                value = section.combined(name)
                if value is not None and component.has("sf"):
                    value = _strict(component, value, message.types)
        except StructuredFieldError as error:
            raise _refused(component, f"not of its structured type: {error}", Reason.MALFORMED_CREDENTIALS) from None
        if value is None:
            raise _missing(component)
        return value

    return extract


def _wrapped(lines: Sequence[bytes]) -> bytes | None:
    """Each line as a byte sequence (§2.1.3)."""
    return ", ".join(map(serialize_bare_item, lines)).encode("ascii") or None


def _strict(component: Component, value: bytes, types: Mapping[str, str]) -> bytes:
    """The value in the one serialisation of its structured type (§2.1.1)."""
    kind = types.get(component.name)
    if kind == "dictionary":
        return serialize_dictionary(parse_dictionary(value)).encode("ascii")
    if kind == "list":
        return serialize_list(parse_list(value)).encode("ascii")
    if kind == "item":
        return serialize_item(parse_item(value)).encode("ascii")
    raise _refused(component, "the structured type of this field is not known", Reason.MALFORMED_CREDENTIALS)


def _member(section: Fields, component: Component, key: str, types: Mapping[str, str]) -> bytes | None:
    """One member of a dictionary (§2.1.2). A field of no known type is what the signer says that it is."""
    if types.get(component.name, "dictionary") != "dictionary":
        raise _refused(component, "the field is no dictionary", Reason.MALFORMED_CREDENTIALS)
    members = section.dictionary(component.name.encode("ascii"))
    if members is None:
        return None
    member = members.get(key)
    if member is None:
        raise _refused(component, "the dictionary has no such member", Reason.MISSING_COMPONENT)
    return (serialize_item(member) if isinstance(member, Item) else serialize_list([member])).encode("ascii")


# ---- derived components (§2.2) ----------------------------------------------------------------------------------------


def _derived(component: Component) -> Extractor:
    if component.name == "@status":
        return _status
    of_request, value_of = component.has("req"), _OF_REQUEST.get(component.name)
    encoded = component.param("name")

    def extract(message: Message) -> bytes:
        request = message.request
        if (message.response is not None) is not of_request:
            detail = "req is for responses" if of_request else "a response has it of its request only: with req"
            raise _refused(component, f"{detail} (RFC 9421 §2.4)", Reason.MALFORMED_CREDENTIALS)
        if request is None:
            raise _refused(component, "the request is not known", Reason.MISSING_COMPONENT)
        if value_of is not None:
            return value_of(request)
        return _query_param(component, message.query_params(request), encoded or "")

    return extract


def _status(message: Message) -> bytes:
    if message.response is None:
        raise _refused(Component("@status"), "a request has no status", Reason.MALFORMED_CREDENTIALS)
    return b"%03d" % message.response.status


def _method(request: Request) -> bytes:
    return request.method.encode("utf-8", "surrogatepass")  # what isn't ASCII is refused with the base


def _authority(request: Request) -> bytes:
    authority = request.authority
    if ":" in authority or not authority.islower():
        authority = normal_authority(request.scheme, authority)
    if not authority:
        raise Rejected(Reason.MISSING_COMPONENT, "the request names no authority", where='"@authority"')
    return authority.encode("utf-8", "surrogatepass")


def _scheme(request: Request) -> bytes:
    scheme = request.scheme.lower()
    return _HTTP.get(scheme, scheme).encode("utf-8", "surrogatepass")


def _request_target(request: Request) -> bytes:
    return request.target


def _target_uri(request: Request) -> bytes:
    if not request.authority:
        raise Rejected(Reason.MISSING_COMPONENT, "the request names no authority", where='"@target-uri"')
    target = request.target
    origin = _scheme(request) + b"://" + request.authority.encode("utf-8", "surrogatepass")
    if target[:1] == b"/":
        return origin + target
    if target == b"*" or b"://" not in target:
        return origin  # the path and the query are then empty (RFC 9110 §7.1)
    path, query = path_and_query(request)
    return origin + path + (b"" if query is None else b"?" + query)


def _path(request: Request) -> bytes:
    target = request.target
    return target.partition(b"?")[0] if target[:1] == b"/" else path_and_query(request)[0]


def _query(request: Request) -> bytes:
    target = request.target
    if target[:1] == b"/":
        return b"?" + target.partition(b"?")[2]
    return b"?" + (path_and_query(request)[1] or b"")


_OF_REQUEST: Final[Mapping[str, Callable[[Request], bytes]]] = {
    "@method": _method,
    "@authority": _authority,
    "@scheme": _scheme,
    "@target-uri": _target_uri,
    "@request-target": _request_target,
    "@path": _path,
    "@query": _query,
}


def _query_param(component: Component, params: Mapping[str, str | None], encoded: str) -> bytes:
    if encoded not in params:
        raise _refused(component, "the query has no such parameter", Reason.MISSING_COMPONENT)
    value = params[encoded]
    if value is None:
        detail = "the query has this parameter more than once, so no one value is it (RFC 9421 §2.2.8)"
        raise _refused(component, detail, Reason.MISSING_COMPONENT)
    return value.encode("ascii")


def _missing(component: Component) -> Rejected:
    return _refused(component, "the message has no such field", Reason.MISSING_COMPONENT)


def _refused(component: Component, detail: str, reason: Reason) -> Rejected:
    return Rejected(reason, detail, where=str(component))
