"""The one exit of an explanation: every text of it passes here, and leaves without what could admit a request.

A value is hidden by what it can do: it is a secret of the store or of a verifier, or the request presents it as credentials
(in a field, a cookie, the query, the body or the authority). It is found in each usual encoding, and a part of three quarters counts.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from html import escape
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote_to_bytes

from watchword.core.message import Request
from watchword.core.records import NOTHING_FOUND, Found
from watchword.schemes.explaining.typed_text import is_unset

__all__ = ["MASK", "Mask", "body_members", "hidden", "is_secret_of", "secrets_in", "secrets_of", "sent_by_name"]

MASK: Final = re.compile(r"…\((\d+) octets, masked\)")
MAX_BODY: Final = 64 * 1024
"""Octets of a body whose members are looked through."""
MAX_VALUES: Final = 2048
"""Values of a request that are looked for; where it presents more, nothing of it is shown."""
LONG: Final = 8
"""Characters from which on a part of a value is as good as all of it. A shorter one is hidden only beside its name."""

_SECRET: Final = re.compile(
    rb"(?<![a-z])auth(?!or\b|ors\b)|token|secret|passw|pwd|api.?key|access.?key$|^key$|sig$|signature|hmac|^mac$|^response$"
    rb"|credentials|cookie|session|jwt|assertion|dpop|bearer",
    re.IGNORECASE,
)
# Names of keys and tokens, and what is said about a signature: no one gets in with them alone.
_PUBLIC: Final = re.compile(
    rb"^(?:oauth_(?:token|signature_method)|signature-input|authority|.*token_?type|x-amz-signedheaders|signature-agent"
    rb"|accept-signature|signedheaders)$",
    re.IGNORECASE,
)
_PARAMETER: Final = re.compile(rb'(?<![\w-])([A-Za-z][\w-]*+)[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.)*+)"|([^\s",;&]++))')
_ALWAYS: Final = re.compile(
    r"(?<=_[0-9A-Za-z]{12}_)[0-9A-Za-z]{16,}"  # of an API key all but its id
    r"|(?:(?<![\w-])|(?<=%20))eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*+"  # a JSON Web Token
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END|\Z)",
    re.DOTALL,
)
_KEY: Final = re.compile(rb"[\w+/-]{16,}+=*+")
LONG_WORD: Final = 24
"""Letters in a row from which on they are no word, but may be a key."""
HEAD: Final = 4
"""Characters by which a form is sought first; the middle half of the shortest one has as many."""
_PAIR: Final = re.compile(r"(?<![\w.-])([\w.-]++)[\"']?+\s*+[:=]\s*+[\"']?+([^\s\"',;&]++)")
_QUOTED: Final = re.compile(r"([\"'])((?:(?!\1).)+)\1")
_BETWEEN: Final = re.compile(rb"[\s,;=.:]+")
_LOWER: Final = {code: code + 32 for code in range(65, 91)}
_WORD: Final = re.compile(rb"[A-Za-z]{1,12}")
_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")


def hidden(length: int) -> str:
    """What stands in the place of so many octets."""
    return f"…({length} octets, masked)"


class Mask:
    """Takes out of texts what a request presents and what a server keeps.

    Args:
        request: as it came.
        body: its body.
        secrets: octets that the server keeps.
        by_shape: that not all of those are known, so that whatever in the request looks like a key may be one.

    >>> mask = Mask(Request("GET", "https", "h", "/?sig=0123456789abcdef", {"Cookie": "a=long-session-id"}), b"", [b"pa55-word"])
    >>> mask.text("0123456789abc and a=long-session-id and cGE1NS13b3Jk")
    '…(13 octets, masked) and …(17 octets, masked) and …(12 octets, masked)'
    """

    __slots__ = ("_forms", "_named", "_quoted", "_whole")

    def __init__(self, request: Request, body: bytes, secrets: Iterable[bytes], *, by_shape: bool = False) -> None:
        forms: dict[str, None] = {}
        self._named: set[tuple[str, str]] = set()
        self._quoted: set[str] = set()
        presented = list(dict.fromkeys((*_presented(request, body), *(_alike(request, body) if by_shape else ()))))
        self._whole = len(presented) > MAX_VALUES
        # A placeholder that was sent is shown; a secret of the server that looks like one would still admit.
        sent = [pair for pair in presented[:MAX_VALUES] if not is_unset(pair[1].decode("utf-8", "replace"))]
        for name, value in (*((b"", secret) for secret in secrets), *sent):
            if not value:
                continue
            if len(value) >= LONG and not _WORD.fullmatch(value):
                forms.update(dict.fromkeys(_forms(value)))
            elif name:  # our own sentences have such words, so it is hidden only beside its name or in quotes
                self._named.update((name.decode("latin-1").lower(), form) for form in _forms(value))
            else:
                self._quoted.update(_forms(value))
        self._forms = [form for form in sorted(forms, key=len, reverse=True) if len(form) >= LONG]

    def text(self, text: str) -> str:
        """The text without them."""
        if not text:
            return text
        text = _ALWAYS.sub(lambda match: hidden(len(match[0])), text)
        lower = text.translate(_LOWER)
        heads = {lower[at : at + HEAD] for at in range(len(lower) - HEAD + 1)}
        spans: list[tuple[int, int]] = []
        for form in self._forms:
            size = len(form)
            if form[size - -(-size * 3 // 4) :][:HEAD] in heads:
                spans += _found(form, lower)
        if self._named:
            spans += [match.span(2) for match in _PAIR.finditer(lower) if match.groups() in self._named]
        if self._quoted:
            spans += [match.span(2) for match in _QUOTED.finditer(lower) if match[2] in self._quoted]
        return _without(text, spans) if spans else text

    def value(self, text: str) -> str:
        """A text that is taken from the request, without them; all of it where there are too many to look for."""
        return hidden(len(text)) if self._whole and len(text) > HEAD else self.text(text)


def _found(form: str, text: str) -> Iterator[tuple[int, int]]:
    """Where `text` has `form`, or three quarters of it in one piece: any such piece has its middle."""
    size = len(form)
    least = -(-size * 3 // 4)
    core = form[size - least : least]
    at = text.find(core)
    while at >= 0:
        start, end, left, right = at, at + len(core), size - least, least
        while start and left and text[start - 1] == form[left - 1]:
            start, left = start - 1, left - 1
        while end < len(text) and right < size and text[end] == form[right]:
            end, right = end + 1, right + 1
        fits = right - left >= least
        if fits:
            yield start, end
        at = text.find(core, end if fits else at + 1)


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with each of the spans, overlapping ones as one, hidden. What is hidden already stays so."""
    masks = [match.span() for match in MASK.finditer(text)]
    pieces, done = [], 0
    for start, end in _joined(spans):
        if any(start < last and first < end for first, last in masks):
            continue
        pieces += [text[done:start], hidden(end - start)]
        done = end
    return "".join([*pieces, text[done:]])


def _joined(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    first, last = -1, -1
    for start, end in sorted(spans):
        if start > last:
            if last > first:
                yield first, last
            first, last = start, end
        else:
            last = max(last, end)
    if last > first:
        yield first, last


def _forms(value: bytes) -> Iterator[str]:
    """How `value` may stand in a text, in lower case."""
    yield from (form.translate(_LOWER) for form in _spelled(value))
    if len(value) < 2 * LONG:
        return
    for decode in (unhexlify, _from_base64, unquote_to_bytes):
        try:
            octets = decode(value)
        except ValueError:
            continue
        if len(octets) >= LONG and octets != value:
            yield from (form.translate(_LOWER) for form in _spelled(octets))


def _from_base64(text: bytes) -> bytes:
    return b64decode(text.translate(_ALPHABET).rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4), validate=True)


def _spelled(value: bytes) -> Iterator[str]:
    for text in dict.fromkeys((value.decode("utf-8", "backslashreplace"), value.decode("latin-1"))):
        yield text
        yield repr(text)[1:-1]
        yield json.dumps(text)[1:-1]
        yield escape(text)
        yield "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    yield repr(value)[2:-1]
    for safe in ("", "/", "~", "/:@!$&'()*+,;=~"):
        yield quote(value, safe=safe)
    yield quote_plus(value)
    yield value.hex()
    if len(value) < LONG - 2:
        return
    for before in range(3):  # it may stand anywhere within other octets
        encoded = b64encode(b"\0" * before + value).decode().rstrip("=")
        whole = encoded[(0, 2, 3)[before] : len(encoded) - bool((before + len(value)) % 3)]
        yield whole
        yield whole.replace("+", "-").replace("/", "_")


def sent_by_name(request: Request, body: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Everything in a request that has a name, as (kind of place, name, value): fields, cookies, parameters, members of the body."""
    for name, value in request.headers:
        yield b"field", name, value
        if name == b"cookie":
            for pair in value.split(b";"):
                cookie, _, content = pair.strip().partition(b"=")
                yield b"cookie", cookie, content
    for pair in (request.query or b"").split(b"&"):
        name, _, value = pair.partition(b"=")
        if name:
            yield b"query", unquote_to_bytes(name), unquote_to_bytes(value)
    for name, value in body_members(body):
        yield b"body", name, value


def body_members(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The texts of a JSON object or a form, of either type, with their names."""
    if not body or len(body) > MAX_BODY:
        return
    if body.lstrip()[:1] == b"{":
        try:
            members = json.loads(body)
        except (ValueError, RecursionError):
            return
        yield from _texts(members, 4)
    elif body.startswith(b"--"):  # multipart/form-data (RFC 7578)
        for part in body.split(body.partition(b"\n")[0].rstrip(b"\r"))[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            named = re.search(rb'name="([^"]*)"', head)
            if named is not None:
                yield named[1], content.removesuffix(b"\r\n")
    elif b"=" in body:
        for pair in body.split(b"&"):
            name, _, value = pair.replace(b"+", b" ").partition(b"=")
            yield unquote_to_bytes(name), unquote_to_bytes(value)


def _texts(members: Mapping[str, Any], depth: int) -> Iterator[tuple[bytes, bytes]]:
    for name, value in members.items():
        if isinstance(value, str):
            yield name.encode("utf-8", "surrogatepass"), value.encode("utf-8", "surrogatepass")
        elif isinstance(value, dict) and depth:
            yield from _texts(value, depth - 1)


def _alike(request: Request, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Everything in a request that has the shape of a random key, written as keys are."""
    for text in (request.target, body[:MAX_BODY], *(value for _, value in request.headers)):
        for octets in (text, unquote_to_bytes(text)):
            yield from (
                (b"", found) for found in _KEY.findall(octets) if not found.isalpha() or len(found) >= LONG_WORD
            )


def _presented(request: Request, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What may be credentials, with its name where it has one; the longest of a field first."""
    for authority in (
        request.authority.encode("utf-8", "surrogatepass"),
        request.target.partition(b"://")[2].partition(b"/")[0],
    ):
        user, at, _ = authority.rpartition(b"@")
        if at:
            yield from ((b"", part) for part in (user, user.partition(b":")[2]))
    for kind, name, value in sent_by_name(request, body):
        if _PUBLIC.search(name) or not (kind == b"cookie" or _SECRET.search(name)):
            continue
        if is_unset(value.partition(b" ")[2].decode("utf-8", "replace") or value.decode("utf-8", "replace")):
            continue
        yield name, value
        if kind == b"field" and name != b"cookie":
            yield from _in_field(value)


def _in_field(value: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What stands in a field of credentials: what follows the scheme word, a password, the parameters that prove something."""
    word, space, rest = value.partition(b" ")
    if not space:
        rest = value
    params = [(name, quoted or bare) for name, quoted, bare in _PARAMETER.findall(rest)]
    told = [(name, each) for name, each in params if _SECRET.search(name) and not _PUBLIC.search(name)]
    yield from told
    if told:
        return
    yield b"", rest.strip()
    yield from ((b"", piece) for piece in _BETWEEN.split(rest) if len(piece) >= 2 * LONG)
    for part in rest.split():
        yield b"", part
        try:
            pair = _from_base64(part)
        except ValueError:
            pair = part
        yield b"", pair.partition(b":")[2]
    if not space:
        return
    yield b"", word if len(word) > 20 else b""  # the secret itself, where the word is missing


def is_secret_of(record: object, text: str) -> bool:
    """Whether `text` is a secret that the record holds, in a usual spelling: somebody sends it in the place of a name.

    >>> from watchword.core.records import Spent
    >>> is_secret_of(Spent(7.0), "7.0")
    False
    """
    given = text.encode("utf-8", "surrogatepass")
    for secret in _hidden_of(record):
        spelled = (secret, secret.hex().encode(), b64encode(secret), urlsafe_b64encode(secret))
        if any(given.rstrip(b"=") == each.rstrip(b"=") for each in spelled) or given == secret.hex().upper().encode():
            return True
    return False


def _hidden_of(record: object) -> Iterator[bytes]:
    if not is_dataclass(record):
        return
    for each in fields(record):
        value = None if each.repr or each.name == "public_key" else getattr(record, each.name)
        if isinstance(value, (str, bytes)) and value:
            yield value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def secrets_of(found: Found, verifiers: Iterable[object]) -> Iterator[bytes]:
    """What the records and the verifiers hold that nobody may see: of records the fields that no `repr` shows."""
    for record in found.records():
        yield from _hidden_of(record)
    for verifier in verifiers:
        yield from getattr(verifier, "secrets", tuple)()
        yield from secrets_of(NOTHING_FOUND, getattr(verifier, "parts", ()))


def secrets_in(request: Request, verifiers: Iterable[object]) -> Iterator[bytes]:
    """What the request presents where verifiers look for secrets that are sent as they are: tokens and keys, in fields of any name."""
    for verifier in verifiers:
        find: Callable[[Request], list[bytes]] | None = getattr(verifier, "secrets_in", None)
        sent = () if find is None else find(request)
        yield from (value for value in sent if not is_unset(value.decode("utf-8", "replace")))
        yield from secrets_in(request, getattr(verifier, "parts", ()))
