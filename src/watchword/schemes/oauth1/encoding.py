"""Percent-encoding, parameters and the signature base string (RFC 5849 §3.4.1, §3.6). Everything here is pure text.

Text is octets as ISO 8859-1 wherever it has not been encoded yet, so that no octet is lost and none is guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

from watchword.structures.bounded import Bounded
from watchword.core.message import Request
from watchword.core.rejection import Reason, Rejected
from watchword.core.scheme import malformed
from watchword.fields.auth_params import END, MAX_PARAMS, QUOTED, TOKEN, unescaped
from watchword.fields.percent import percent_decoded
from watchword.fields.target import check_target, normal_authority, split_target

__all__ = [
    "FORM", "MAX_PARAMETERS", "Origins", "Pairs", "base_string", "base_uri", "escape", "form_pairs", "header_pairs", "header_value",
    "is_form", "normalized", "octets_text", "plain_header", "unescape", "unescaped_text",
]  # fmt: skip

Pairs = list[tuple[str, str]]
"""Names and values, each percent-encoded as §3.6 says."""

FORM: Final = b"application/x-www-form-urlencoded"
MAX_PARAMETERS: Final = 1000
"""Parameters of a query, or of a form, that are sorted; PHP and Django stop at as many."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9\-._~]*+")
_PLAIN_URI: Final = re.compile(r"[A-Za-z0-9\-._~:/%]*+")
_PLAIN_LIST: Final = re.compile(r"[A-Za-z0-9\-._~&=]*+")
# For `str.translate`, which does without a call for each octet.
_ESCAPES: Final = {octet: f"%{octet:02X}" for octet in range(256) if _PLAIN.fullmatch(chr(octet)) is None}
# One parameter of an Authorization field with the comma that follows it; what is none ends up in the last group.
_PARAMETER: Final = re.compile(rf"({TOKEN})[ \t]*+=[ \t]*+(?:{QUOTED}|({TOKEN})){END}|(.++)", re.DOTALL)
_METHOD: Final = re.compile(TOKEN)
_UNRESERVED_OR_ESCAPE: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%"
# What is left of a field of n parameters without these: the space, and then each `=""` with a comma and a space between.
_SHAPES: Final = {b' =""' + b', =""' * (count - 1): count for count in range(1, 25)}
_USUAL: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Origin-form, and nothing that `check_target` refuses.
_PLAIN_TARGET: Final = re.compile(rb"/[A-Za-z0-9\-._~%!$&'()*+,;=:@/]*+(?:\?[A-Za-z0-9\-._~%!$&'()*+,;=:@/?]*+)?+")
_WORD: Final = re.compile(r"[Oo][Aa][Uu][Tt][Hh](?: ++|\Z)")


def escape(octets: str) -> str:
    """Percent-encoding as §3.6 has it: all but letters, digits, "-", ".", "_" and "~", in upper-case hexadecimal.

    Args:
        octets: octets as ISO 8859-1; for any other text see `octets_text`.

    >>> escape("Ladies + Gentlemen"), escape("~a%")
    ('Ladies%20%2B%20Gentlemen', '~a%25')
    """
    return octets if _PLAIN.fullmatch(octets) else octets.translate(_ESCAPES)


def unescape(text: str) -> str:
    """The octets that `text` encodes, both as ISO 8859-1; a "%" that begins no escape stands for itself, as in a WHATWG URL.

    >>> unescape("a%2Bb%zz")
    'a+b%zz'
    """
    return percent_decoded(text.encode("latin-1")).decode("latin-1") if "%" in text else text


def octets_text(text: str) -> str:
    """Any text as its octets in UTF-8 (§3.6), which is what `escape` takes.

    >>> escape(octets_text("é"))
    '%C3%A9'
    """
    return text if text.isascii() else text.encode().decode("latin-1")


def unescaped_text(encoded: str) -> str:
    """The text whose octets in UTF-8 `encoded` is.

    Raises:
        ValueError: they are not UTF-8.
    """
    octets = unescape(encoded)
    return octets if octets.isascii() else octets.encode("latin-1").decode()


def _recoded(raw: str) -> str:
    return raw if _PLAIN.fullmatch(raw) else escape(unescape(raw.replace("+", " ")))


# ---- where parameters come from (§3.4.1.3.1) ---------------------------------------------------------------------------


def form_pairs(octets: bytes, where: str) -> Pairs:
    """The parameters of a query or of a form (§3.4.1.3.1), encoded anew, in the order in which they were sent.

    Args:
        octets: the query without its "?", or the body.
        where: what it is, for the error.

    Raises:
        Rejected: MALFORMED_REQUEST, more than `MAX_PARAMETERS`.

    >>> form_pairs(b"b5=%3D%253D&a3=2+q&c%40=&c2", "query")
    [('b5', '%3D%253D'), ('a3', '2%20q'), ('c%40', ''), ('c2', '')]
    """
    if octets.count(b"&") >= MAX_PARAMETERS:
        raise Rejected(Reason.MALFORMED_REQUEST, f"more than {MAX_PARAMETERS} parameters", where=where)
    text = octets.decode("latin-1")
    split = [part.partition("=") for part in text.split("&") if part]
    if _PLAIN_LIST.fullmatch(text):
        return [(name, value.replace("=", "%3D") if "=" in value else value) for name, _, value in split]
    return [(_recoded(name), _recoded(value)) for name, _, value in split]


def header_pairs(value: bytes) -> Pairs:
    """The parameters of an Authorization field (§3.5.1) but the realm, encoded anew, in the order in which they were sent.

    Raises:
        Rejected: MALFORMED_CREDENTIALS, off the grammar, or a second realm.

    >>> header_pairs(b'OAuth realm="a, b", oauth_nonce="7d8f%2f", oauth_version="1.0"')
    [('oauth_nonce', '7d8f%2F'), ('oauth_version', '1.0')]
    """
    text = value.decode("latin-1")
    word = _WORD.match(text)
    if word is None:
        raise malformed("it does not begin with OAuth and a space")
    found = [match.groups("") for match in islice(_PARAMETER.finditer(text, word.end()), MAX_PARAMS + 1)]
    if len(found) > MAX_PARAMS:
        raise malformed(f"more than {MAX_PARAMS} parameters")
    if found and found[-1][3]:
        raise malformed(f"member {len(found)} is not a parameter that a comma or the end follows")
    pairs: Pairs = []
    realms = 0
    for name, quoted, token, _ in found:
        text = quoted or token
        if name.lower() == "realm":
            realms += 1
        elif _PLAIN.fullmatch(text) and _PLAIN.fullmatch(name):
            pairs.append((name, text))
        else:
            pairs.append((escape(unescape(name)), escape(unescape(unescaped(text)))))
    if realms > 1:
        raise malformed("a second realm")
    return pairs


def plain_header(value: bytes) -> dict[str, str] | None:
    """The parameters but the realm of a field as nearly everybody writes it: only the signature is percent-encoded.

    None: `header_pairs` knows. What it gives has no name twice; the names may be anybody's.

    >>> plain_header(b'OAuth oauth_nonce="7d8f", oauth_signature="a%3D"')
    {'oauth_nonce': '7d8f', 'oauth_signature': 'a%3D'}
    """
    if value[:13] == b'OAuth realm="':  # most put it first, and it may hold anything
        realm, _, rest = value[13:].partition(b'", ')
        if b'"' in realm or b"\\" in realm:
            return None
        value = b"OAuth " + rest
    count = _SHAPES.get(value.translate(None, _UNRESERVED_OR_ESCAPE))
    if count is None or value[:6] != b"OAuth " or value[-1:] != b'"':
        return None
    try:
        given: dict[str, str] = dict([part.split('="') for part in value[6:-1].decode().split('", ')])
    except ValueError:  # some part is not a name and a value
        return None
    escapes = given.get("oauth_signature", "").count("%")
    return given if len(given) == count and value.count(b"%") == escapes and "realm" not in given else None


def header_value(realm: str | None, parameters: Iterable[tuple[str, str]]) -> bytes:
    """An Authorization field (§3.5.1) with parameters that are encoded already.

    >>> header_value("Photos", [("oauth_nonce", "a%2Bb")])
    b'OAuth realm="Photos", oauth_nonce="a%2Bb"'
    """
    members = ", ".join([f'{name}="{value}"' for name, value in parameters])
    if realm is None:
        return f"OAuth {members}".encode()
    quoted = realm.replace("\\", "\\\\").replace('"', '\\"')
    return f'OAuth realm="{quoted}", {members}'.encode()


def is_form(request: Request) -> bool:
    """Whether the body's parameters are part of the base string (§3.4.1.3.1).

    Raises:
        Rejected: MALFORMED_REQUEST, several Content-Type lines, of which another reader may take another one.

    >>> is_form(Request("POST", "https", "h", "/", {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"}))
    True
    """
    kinds = [value for name, value in request.headers if name == b"content-type"]
    if not kinds:
        return False
    if len(kinds) > 1:
        raise Rejected(Reason.MALFORMED_REQUEST, "more than one Content-Type line", where="content-type")
    kind = kinds[0]
    return kind == FORM or kind.partition(b";")[0].strip(b" \t").lower() == FORM


# ---- the base string (§3.4.1) ------------------------------------------------------------------------------------------


def base_uri(request: Request) -> str:
    """The base string URI (§3.4.1.2): scheme, host in lower case, port unless it is the scheme's own, path as sent.

    Raises:
        Rejected: TARGET_REFUSED, where there is no such URI: no host, or a target that is no path; MALFORMED_REQUEST, where the
            method is no token (RFC 9110 §9.1) and so has no upper case to be signed in.

    >>> base_uri(Request("GET", "http", "EXAMPLE.COM:80", "/r%20v/X?id=123"))
    'http://example.com/r%20v/X'
    """
    check_target(request)
    if not _METHOD.fullmatch(request.method):
        raise Rejected(Reason.MALFORMED_REQUEST, "the method is not a token", where="@method")
    target = request.target
    if target[:1] == b"/":
        scheme = {"ws": "http", "wss": "https"}.get(request.scheme, request.scheme)
        authority = normal_authority(request.scheme, request.authority)
    else:
        scheme, authority, target = split_target(target, request.scheme, request.authority)
    if not authority or target[:1] != b"/":
        raise Rejected(
            Reason.TARGET_REFUSED, "OAuth 1 signs a URL: a host and a path (RFC 5849 §3.4.1.2)", where="target"
        )
    return f"{scheme}://{authority}{target.partition(b'?')[0].decode('latin-1')}"


class Origins:
    """Base string URIs by origins that are known: `base_uri` in half of the time, for the same answer.

    Args:
        most: origins that are kept.
    """

    __slots__ = ("_known",)

    def __init__(self, most: int) -> None:
        self._known: Bounded[tuple[str, str], str] = Bounded(most)

    def uri(self, request: Request) -> str:
        """`base_uri`.

        Raises:
            Rejected: likewise.
        """
        origin = self._known.get((request.scheme, request.authority))
        if origin is None or request.method not in _USUAL or not _PLAIN_TARGET.fullmatch(request.target):
            return base_uri(request)
        return origin + request.target.partition(b"?")[0].decode()

    def learn(self, request: Request, uri: str) -> None:
        """Keeps the origin of `request`, whose base string URI is `uri`."""
        key = request.scheme, request.authority
        if key not in self._known and request.target[:1] == b"/":
            self._known.put(key, uri[: len(uri) - len(request.path)])


def normalized(pairs: Iterable[tuple[str, str]]) -> str:
    """Request parameters in their one order (§3.4.1.3.2): by name, then by value, both encoded.

    >>> normalized([("x%21y", "a"), ("x", "a")])
    'x=a&x%21y=a'
    """
    return "&".join([f"{name}={value}" for name, value in sorted(pairs)])


def base_string(method: str, uri: str, pairs: Iterable[tuple[str, str]]) -> bytes:
    """The octets that a signature covers (§3.4.1.1).

    Args:
        method: in any case.
        uri: the base string URI.
        pairs: all parameters but `realm` and `oauth_signature`, encoded.

    >>> base_string("get", "http://example.com/", [("n", "v")])
    b'GET&http%3A%2F%2Fexample.com%2F&n%3Dv'
    """
    # What is encoded has but these three characters to encode again.
    parameters = normalized(pairs).replace("%", "%25").replace("=", "%3D").replace("&", "%26")
    plain = _PLAIN_URI.fullmatch(uri) is not None
    uri = uri.replace("%", "%25").replace(":", "%3A").replace("/", "%2F") if plain else escape(uri)
    return f"{escape(method.upper())}&{uri}&{parameters}".encode()
