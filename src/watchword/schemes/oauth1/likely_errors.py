"""Base strings and keys as clients get them wrong; for `explain`, which tries them out and accepts nothing by them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from watchword.core.rejection import Rejected
from watchword.schemes.oauth1.claim import OAuth1Claim
from watchword.schemes.oauth1.credentials import without_signature
from watchword.schemes.oauth1.encoding import (
    Pairs, base_string, escape, form_pairs, normalized, octets_text, unescape,
)  # fmt: skip

__all__ = ["Mistake", "base_strings", "keys"]


class Mistake(NamedTuple):
    """A base string that is wrong in one way."""

    component: str
    expected: str
    received: str
    mend: str
    base: bytes


def base_strings(claim: OAuth1Claim, body: bytes) -> Iterator[Mistake]:
    """What clients are known to sign instead of the base string (RFC 5849 §3.4.1)."""
    pairs = claim.pairs(body)
    yield from _of_parameters(claim, pairs, body)
    yield from _of_encoding(claim, pairs)
    yield from _of_uri(claim, pairs)


def _of_parameters(claim: OAuth1Claim, pairs: Pairs, body: bytes) -> Iterator[Mistake]:
    method, uri = claim.request.method, claim.uri
    header = without_signature(claim.own) if claim.place == "header" else []
    if claim.form and body:
        less = [*header, *claim.query]
        yield Mistake("body", "the form's parameters among those signed", "without them",
                      "sign the parameters of the form too (§3.4.1.3.1), and send its Content-Type",
                      base_string(method, uri, without_signature(less)))  # fmt: skip
    elif body and b"=" in body:
        try:
            more = [*pairs, *form_pairs(body, "body")]
        except Rejected:
            more = pairs
        yield Mistake("header content-type", "application/x-www-form-urlencoded", "another type, or none",
                      "the body was signed as a form: send its Content-Type", base_string(method, uri, more))  # fmt: skip
    if claim.query and claim.place == "header":
        less = [pair for pair in pairs if pair not in claim.query]
        yield Mistake("@query", "the query's parameters among those signed", "without them",
                      "sign the parameters of the query too (§3.4.1.3.1)", base_string(method, uri, less))  # fmt: skip
    named = [value for name, value in _realms(claim) if name == "realm"]
    for realm in named[:1]:
        yield Mistake("realm", "no realm among the parameters signed", "with the realm",
                      "leave the realm out of the base string (§3.4.1.3.1)",
                      base_string(method, uri, [*pairs, ("realm", realm)]))  # fmt: skip
    unsorted = "&".join([f"{name}={value}" for name, value in pairs])
    yield Mistake("parameters", "sorted by their encoded names", "in the order in which they are sent",
                  "sort the parameters once they are encoded (§3.4.1.3.2)", _joined(method, uri, unsorted))  # fmt: skip
    by_case = sorted(pairs, key=lambda pair: (pair[0].lower(), pair[1].lower()))
    yield Mistake("parameters", "sorted by their octets", "sorted without regard to case",
                  "sort by the octets of the encoded names: capitals come first (§3.4.1.3.2)",
                  _joined(method, uri, "&".join([f"{name}={value}" for name, value in by_case])))  # fmt: skip


def _realms(claim: OAuth1Claim) -> Iterator[tuple[str, str]]:
    value = next((value for name, value in claim.request.headers if name == b"authorization"), b"").decode("latin-1")
    _, found, rest = value.partition('realm="')
    if found:
        yield "realm", escape(rest.partition('"')[0])


def _of_encoding(claim: OAuth1Claim, pairs: Pairs) -> Iterator[Mistake]:
    method, uri = claim.request.method, claim.uri
    decoded = [(unescape(name), unescape(value)) for name, value in pairs]
    once = "&".join(f"{name}={value}" for name, value in sorted(decoded))
    yield Mistake("parameters", "encoded, and the whole encoded again", "encoded once",
                  "encode names and values, join them, and encode the whole (§3.4.1.1)", _joined(method, uri, once))  # fmt: skip
    ways = (
        ("with + for a space", lambda text: text.replace("%20", "+")),
        ("with lower-case hexadecimal", _lower),
        ("with ~ encoded", lambda text: text.replace("~", "%7E")),
        ("with * left as it is", lambda text: text.replace("%2A", "*")),
        ("with !*'() left as they are", _as_javascript),
        ("with / left as it is", lambda text: text.replace("%2F", "/")),
        ("encoded once more", lambda text: text.replace("%", "%25")),
        ("with non-ASCII characters as ISO 8859-1", _as_latin1),
    )
    for what, change in ways:
        other = normalized([(change(name), change(value)) for name, value in pairs])
        if other == normalized(pairs):
            continue
        bases = {_joined(method, uri, other), change(_joined(method, uri, other).decode("latin-1")).encode("latin-1")}
        for base in bases:
            yield Mistake("parameters", "all but letters, digits and -._~ percent-encoded", what,
                          "encode as RFC 5849 §3.6 says", base)  # fmt: skip


def _lower(text: str) -> str:
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def _as_javascript(text: str) -> str:
    for octet, left in (("%21", "!"), ("%2A", "*"), ("%27", "'"), ("%28", "("), ("%29", ")")):
        text = text.replace(octet, left)
    return text


def _as_latin1(text: str) -> str:
    try:
        return escape(unquote(text, errors="strict").encode("latin-1").decode("latin-1"))
    except ValueError:
        return text


def _of_uri(claim: OAuth1Claim, pairs: Pairs) -> Iterator[Mistake]:
    request, uri = claim.request, claim.uri
    scheme, _, rest = uri.partition("://")
    authority, _, path = rest.partition("/")
    port = {"http": 80, "https": 443}.get(scheme)
    query = (request.query or b"").decode("latin-1")
    others = [
        ("with the query", f"{uri}?{query}"),
        ("with the port", f"{scheme}://{authority}:{port}/{path}"),
        ("with the Host as it was sent", f"{scheme}://{request.authority}/{path}"),
        ("with the path in lower case", f"{scheme}://{authority}/{path.lower()}"),
        ("without scheme and host", f"/{path}"),
        ("without the path", f"{scheme}://{authority}"),
        ("with a decoded path", f"{scheme}://{authority}/{unescape(path)}"),
    ]
    for what, other in others:
        if other != uri:
            yield Mistake("base string URI", uri, what, "sign scheme, host and path as RFC 5849 §3.4.1.2 says",
                          base_string(request.method, other, pairs))  # fmt: skip
            yield Mistake("base string URI", uri, f"{what}, not encoded", "sign the URI as RFC 5849 §3.4.1 says",
                          f"{request.method}&{other}&{escape(normalized(pairs))}".encode("latin-1"))  # fmt: skip
    yield Mistake("base string URI", "encoded", "as it is", "encode the URI (§3.4.1.1)",
                  f"{request.method}&{uri}&{escape(normalized(pairs))}".encode("latin-1"))  # fmt: skip
    yield Mistake("@method", request.method.upper(), request.method.lower(), "sign the method in capitals (§3.4.1.1)",
                  request.method.lower().encode() + base_string("", uri, pairs))  # fmt: skip


def _joined(method: str, uri: str, parameters: str) -> bytes:
    return f"{escape(method.upper())}&{escape(uri)}&{escape(parameters)}".encode("latin-1")


def keys(client_secret: str, token_secret: str) -> Iterator[tuple[str, bytes]]:
    """Keys that clients make of the right secrets, each with words for it; the octets are for trying out only."""
    client, token = octets_text(client_secret), octets_text(token_secret)
    ways = (
        ("the client secret alone, without &", escape(client)),
        ("the client secret alone", f"{escape(client)}&"),
        ("the token secret alone", f"&{escape(token)}"),
        ("the secrets in the wrong order", f"{escape(token)}&{escape(client)}"),
        ("the secrets without percent-encoding", f"{client}&{token}"),
        ("the secrets without & between them", f"{escape(client)}{escape(token)}"),
        ("the secrets encoded together", escape(f"{client}&{token}")),
        ("the client secret twice", f"{escape(client)}&{escape(client)}"),
    )
    for what, key in ways:
        yield what, key.encode("latin-1")
