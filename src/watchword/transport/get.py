"""A guarded GET as steps: where it may go, what it may bring back. Pure: `wire` resolves names and moves bytes.

The name is resolved once, every address that it has is judged, and the connection goes to the very address that passed,
so that a name which changes its mind in between (DNS rebinding) gains nothing. Redirects are new targets: judged alike.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from watchword.core.message import Headers
from watchword.core.rejection import StoreUnavailable
from watchword.transport.addresses import is_public

__all__ = [
    "Answer",
    "Exchange",
    "Fault",
    "FetchFailed",
    "Get",
    "Resolve",
    "Target",
    "Terms",
    "getting",
    "reaching",
    "target_of",
]

MAX_ADDRESSES: Final = 4
"""How many addresses of one name are tried, where connecting fails."""

# A registered name or an address; RFC 3986 §3.2.2 without percent-encoding: such names resolve nowhere.
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
# What may stand in a URL (RFC 3986 §2.2, §2.3), less "#", which is never sent.
_URL: Final = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class Fault(Enum):
    """What went wrong with a fetch. Closed."""

    REFUSED_URL = "refused_url"
    """Not https, or no URL to fetch from."""
    PRIVATE_ADDRESS = "private_address"
    """The name leads to an address that is not public."""
    UNRESOLVED = "unresolved"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    """No trusted certificate for this name."""
    TIMEOUT = "timeout"
    BROKEN = "broken"
    """What came is not HTTP, or ended early."""
    TOO_LARGE = "too_large"
    REDIRECTED = "redirected"
    """More redirects than are allowed, or one that leads nowhere."""
    STATUS = "status"
    """An answer with another status than 200 or 304."""
    BUSY = "busy"
    """It was not made: as many fetches as may were under way, or the host has no thread left."""
    UNUSABLE = "unusable"
    """The answer is not what was asked for: no metadata of this issuer, no key set, no usable key."""


class FetchFailed(StoreUnavailable):
    """A fetch failed, and why: `fault`. The message holds nothing of what came.

    >>> str(FetchFailed(Fault.TIMEOUT, "keys.example did not answer within 5 s"))
    'timeout: keys.example did not answer within 5 s'
    """

    def __init__(self, fault: Fault, detail: str, status: int = 0) -> None:
        super().__init__(f"{fault.value}: {detail}")
        self.fault = fault
        self.detail = detail
        self.status = status

    def again(self) -> FetchFailed:
        """The same, for another caller to raise."""
        return FetchFailed(self.fault, self.detail, self.status)


class Terms(NamedTuple):
    """Under which a fetch is made.

    Args:
        timeout: seconds for all of it, redirects included.
        max_size: octets of an answer, as sent and inflated.
        redirects: how many are followed.
        allow_cleartext: also fetch by plain http.
        allow_private: also connect to addresses that are not public.
        ca_file: a PEM file of the certificate authorities to trust; None: the system's.
        ssl_context: an `ssl.SSLContext` in place of all that; it has to check certificates and names.
    """

    timeout: float = 5.0
    max_size: int = 512 * 1024
    redirects: int = 0
    allow_cleartext: bool = False
    allow_private: bool = False
    ca_file: str | None = None
    ssl_context: Any = None


class Get(NamedTuple):
    """What to fetch. `etag` makes it conditional (RFC 9110 §13.1.2): the answer may be 304.

    `fields` are sent too, in place of our own of the same name; those of the connection itself are ours to say.
    """

    url: str
    accept: str = "application/json"
    etag: str | None = None
    fields: tuple[tuple[str, str], ...] = ()


class Answer(NamedTuple):
    """What came: `status` is 200 or 304; `url` is where it came from in the end. Field names are in lower case."""

    status: int
    headers: Headers
    body: bytes
    url: str = ""

    def field(self, name: bytes) -> str | None:
        """The value of the first field line called `name`."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)


class Target(NamedTuple):
    """A URL taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As the Host field has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS: Final = {"http": 80, "https": 443}


class Resolve(NamedTuple):
    """Answered by the addresses of `host`, as texts, best first."""

    host: str
    port: int


class Exchange(NamedTuple):
    """One request to one address; answered by an `Answer` of any status, its body at most `max_size` octets as sent.

    TLS is made with, and the certificate checked against, the target's host, whatever the address. With `whole` the body of
    an answer of any status is read, else of 200 alone.
    """

    target: Target
    address: str
    headers: Sequence[tuple[str, str]]
    max_size: int
    method: str = "GET"
    body: bytes = b""
    whole: bool = False


Steps = Generator[Resolve | Exchange, Any, Answer]


def getting(get: Get, terms: Terms) -> Steps:
    """Fetches `get.url`; the answer, with its content coding undone.

    Raises:
        FetchFailed: what a step raised, or a step's answer is refused.
    """
    url, status = get.url, 0
    for _ in range(terms.redirects + 1):
        target = target_of(url, allow_cleartext=terms.allow_cleartext)
        answer = yield from _ask(target, get, terms)
        status = answer.status
        if answer.status == 200 or (answer.status == 304 and get.etag is not None):
            return Answer(answer.status, answer.headers, _decoded(answer, terms.max_size), url)
        if answer.status not in _REDIRECTS:
            raise FetchFailed(Fault.STATUS, f"{target.host} answered {answer.status}", answer.status)
        location = answer.field(b"location")
        if location is None:
            raise FetchFailed(Fault.REDIRECTED, f"{target.host} redirects without a Location", answer.status)
        try:
            url = urljoin(url, location).partition("#")[0]
        except ValueError:
            raise FetchFailed(Fault.REDIRECTED, f"{target.host} redirects to what is no URL", answer.status) from None
        if target.scheme == "https" and not url.lower().startswith("https:"):
            raise FetchFailed(Fault.REDIRECTED, f"{target.host} redirects out of https", answer.status)
    raise FetchFailed(Fault.REDIRECTED, f"more than {terms.redirects} redirects", status)


def target_of(url: str, *, allow_cleartext: bool = False) -> Target:
    """The parts of a URL that may be fetched.

    Raises:
        FetchFailed: REFUSED_URL.

    >>> target_of("https://id.example/jwks?v=2").authority
    'id.example'
    """
    where = "this URL"
    try:
        if not _URL.fullmatch(url):
            raise ValueError("it has characters that no URL has")
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").removesuffix(".")
        where = host if _HOST.fullmatch(host) else where
    except ValueError:
        raise FetchFailed(Fault.REFUSED_URL, "not a URL (RFC 3986); write other letters in the host as xn--…") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and allow_cleartext):
        raise FetchFailed(Fault.REFUSED_URL, f"{where} is not https: allow_cleartext=True if the network is trusted")
    if "@" in parts.netloc:
        raise FetchFailed(Fault.REFUSED_URL, "a URL with a username or password in it")
    if not _HOST.fullmatch(host) or ("[" in parts.netloc) != (":" in host) or port == 0:
        raise FetchFailed(Fault.REFUSED_URL, "a URL without a host and port to connect to")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path)


def _ask(target: Target, get: Get, terms: Terms) -> Generator[Resolve | Exchange, Any, Answer]:
    """One request, to the first address that can be reached, if all of them may be."""
    fields = [("host", target.authority), ("accept", get.accept), ("accept-encoding", "identity")]
    fields += [("user-agent", "watchword"), ("connection", "close")]
    fields += [("if-none-match", get.etag)] if get.etag is not None else []
    if get.fields:
        fields = _with(fields, get.fields)
    return (yield from reaching(Exchange(target, "", tuple(fields), terms.max_size), terms))


def reaching(exchange: Exchange, terms: Terms) -> Generator[Resolve | Exchange, Any, Answer]:
    """The answer to `exchange`, at the first of its target's addresses that can be connected to; it names none itself.

    Raises:
        FetchFailed: not all of them may be, or none can.
    """
    target = exchange.target
    addresses: Sequence[str] = yield Resolve(target.host, target.port)
    if not terms.allow_private and not all(is_public(address) for address in addresses):
        # One private address among public ones is no accident worth working round.
        raise FetchFailed(
            Fault.PRIVATE_ADDRESS, f"{target.host} is not on the public internet: allow_private=True if that is meant"
        )
    failure = FetchFailed(Fault.UNRESOLVED, f"{target.host} has no address")
    for address in addresses[:MAX_ADDRESSES]:
        try:
            answer: Answer = yield exchange._replace(address=address)
        except FetchFailed as failed:
            if failed.fault is not Fault.UNREACHABLE:
                raise
            failure = failed
        else:
            return answer
    raise failure


# RFC 9110 §5.6.2 and §5.5; these fields frame the request, or say who is asked.
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?|")
_OURS: Final = frozenset({"host", "connection", "accept-encoding", "content-length", "transfer-encoding", "te"})


def _with(fields: list[tuple[str, str]], more: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    merged = dict(fields)
    for name, value in more:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or name.lower() in _OURS:
            raise FetchFailed(Fault.REFUSED_URL, "a header field that can't be sent, or is not the caller's to say")
        merged[name.lower()] = value
    return list(merged.items())


def _decoded(answer: Answer, limit: int) -> bytes:
    """The body without its content coding (RFC 9110 §8.4): servers send gzip although identity was asked for."""
    coding = (answer.field(b"content-encoding") or "identity").strip().lower()
    if coding == "identity" or not answer.body:
        return answer.body
    if coding not in {"gzip", "x-gzip"}:
        raise FetchFailed(Fault.BROKEN, "the answer has a content coding that was not asked for")
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(answer.body, limit + 1)
    except zlib.error:
        raise FetchFailed(Fault.BROKEN, "the answer is no gzip, though it says so") from None
    if len(body) > limit:
        raise FetchFailed(Fault.TOO_LARGE, f"more than {limit} octets, inflated")
    if not inflater.eof or inflater.unused_data:
        raise FetchFailed(Fault.BROKEN, "the answer's gzip has no end, or something after it")
    return body
