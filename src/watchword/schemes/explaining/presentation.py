"""Credentials that no verifier reads as they came: where else they are in the request, and what was done to them.

Before a signature or a password can be compared, the request has to present one: in a place, after a scheme word, by a grammar,
in an encoding. `ways` varies each of the four, for all schemes alike; whether a varied request is read, only the guard says.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from watchword.core.address import Address
from watchword.core.message import Request
from watchword.core.scheme import Check
from watchword.schemes.explaining.api_keys import whole_keys
from watchword.schemes.explaining.masking import body_members, hidden
from watchword.schemes.explaining.places import Source, pair_of, resembles, sources, with_fields, written_at
from watchword.schemes.diagnosis.text_axes import base64_octets, undone
from watchword.schemes.explaining.unread import PARAMETER, WORDS, form_of, is_word
from watchword.schemes.explaining.value_spellings import AMPERSANDS, part_that_differs, respelled

__all__ = ["Way", "respellings", "ways"]

MAX_SOURCES: Final = 64
"""Fields, cookies, parameters and members that are looked at, the likeliest first."""
MAX_TEXTS: Final = 160
"""Forms of one of them that are tried."""
DEPTH: Final = 3
"""Changes that are taken back one after the other."""
AROUND: Final = 10
"""Characters that are shown on both sides of the first difference in a list of parameters."""
MAX_PARAMETERS: Final = 24
"""Parameters of a field that are spelled otherwise one by one."""

_WORD: Final = re.compile(rb"([A-Za-z][\w-]{1,30})(?:[ \t]*[:=,][ \t]*|[ \t]+|%20|\+)(?=\S)")
_RELATED: Final = re.compile(rb"^x-amz-|timestamp|date$|nonce|digest$|signature|-id$")
_OTHER: Final = "another word"
_WORDLESS: Final = "without a scheme word"
_PLAIN: Final = "as plain text, not in base64"
_MENDS: Final = {
    "in quotes": "take the quotes off",
    "as a bytes literal, b'…'": "make text of the bytes with .decode(), not with str()",
    "as the whole answer, in JSON": "take the one member out of the answer that holds the token",
    "with blanks or a line end around it": "strip the line end, which echo and files add",
    "in more than one field line": "send the field once",
    "in base64": "encode once, not twice",
    "in hex": "write it in the encoding that is expected, not in hex",
    "in UTF-16": "encode the text as UTF-8 before base64 (RFC 7617 §2.1)",
    "in Latin-1": "encode the text as UTF-8 before base64 (RFC 7617 §2.1)",
    _PLAIN: "send the base64 of username:password (RFC 7617 §2)",
    "in another alphabet or padding of base64": "use base64 with + and /, and with its padding (RFC 4648 §4)",
    "without : and a password": "put username, a colon and the password into the base64 (RFC 7617 §2)",
    "with its name before it": "send the value alone",
}
"""What to do about a change, where that is more than to leave it."""
_ENCODED: Final = frozenset({"in base64", "in hex", "in Ascii85", "in base85"})
_PAIR: Final = re.compile(
    rb"\s*+user(?:name)?+\s*+[=:]\s*+\"?+([^\s\",;&]++)\"?+\s*+[,;&]?+\s*+pass(?:word)?+\s*+[=:]\s*+\"?+([^\s\"]++)\"?+\s*+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Way:
    """A request as it might have been meant, and what it takes to get there.

    Args:
        request: the mended request.
        component: the field where credentials belong.
        place: where they were instead; "" where they belong.
        word: what stood in the place of the scheme word, None if that was right; `right_word` is the one that was meant.
        done: what was done to them.
        expected: their form, without a secret.
        received: what came, with what may be shown of it.
        likely: whether they came in a place with a name of credentials.
        weak: whether any text could be taken for it, so that only a known name or secret speaks for it.
        spelled: whether a value was spelled otherwise, which may make other credentials of good ones.
    """

    request: Request
    component: str
    place: str
    word: str | None
    right_word: str
    done: tuple[str, ...]
    expected: str
    received: str
    likely: bool
    weak: bool = False
    spelled: bool = False

    @property
    def cost(self) -> float:
        """The less, the likelier."""
        return len(self.done) + (self.word is not None) + 1.5 * bool(self.place) + 3 * (not self.likely)

    def check(self) -> Check:
        """What was wrong, and what to do."""
        said, mends = [], []
        if self.place:
            said.append(f"in {self.place}")
            mends.append(
                f"send them in the {'' if ' ' in self.component else 'field '}{self.component}, which is read here"
            )
        if self.word is not None and not (self.place and self.word == _WORDLESS):
            said.append(self.word)
            mends.append(
                f"write {self.right_word}, one space, and the credentials"
                if self.right_word
                else "send the value alone"
            )
        if self.done:
            usual = (
                "write the value as it is expected"
                if self.spelled
                else "send it as it was issued, with nothing added or encoded"
            )
            said.append(" and ".join(self.done))
            mends += dict.fromkeys(_MENDS.get(what, usual) for what in self.done)
        name = "place" if self.place else "scheme word" if self.word is not None else "grammar"
        return Check(
            name, False, self.component, self.expected, f"{self.received} ({'; '.join(said)})", "; ".join(mends)
        )


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that may hold credentials, after what was taken off it."""

    octets: bytes
    done: tuple[str, ...] = ()
    word: str | None = None
    words: tuple[bytes, ...] = ()


def ways(request: Request, body: bytes, addresses: Iterable[Address], field: bytes) -> Iterator[Way]:
    """The requests that may have been meant, for every address of a guard's verifiers; about the likeliest first.

    Args:
        request: as it came.
        body: its body.
        addresses: where the verifiers look.
        field: what they call Authorization: at a proxy's guard it is Proxy-Authorization.
    """
    listed = list(dict.fromkeys(addresses))
    words = [address.word for address in listed if address.word]
    yield from _renamed(request, [each.field for each in listed if not (each.word or each.query or each.member)])
    for source in islice(sources(request, body, field, listed), MAX_SOURCES):
        texts = list(islice(_texts(source, words), MAX_TEXTS if source.likely else 8))
        for address in listed:
            if not address.query and not (address.member and source.name.encode() == address.field):
                yield from _presented(source, texts, address, field)
    yield from _respelled(request, listed, field)


# ---- what may have been done to them -------------------------------------------------------------------------------------


def _texts(source: Source, words: Sequence[str]) -> Iterator[_Text]:
    """What the text may have been: first as it is, then without one change, then without two."""
    first = _Text(source.octets)
    level = [first]
    seen: set[tuple[bytes, str | None]] = {(first.octets, None)}
    yield first
    for depth in range(DEPTH if source.likely else 1):
        following: list[_Text] = []
        for text in level:
            for changed in (*_unworded(text, words), *_undone(text)):
                if (changed.octets, changed.word) not in seen:
                    seen.add((changed.octets, changed.word))
                    following.append(changed)
                    yield changed
        level = following[: 40 // (depth + 1)]


def _unworded(text: _Text, words: Sequence[str]) -> Iterator[_Text]:
    """Without the scheme word, or what stands in its place."""
    match = _WORD.match(text.octets)
    if match is not None and len(text.words) < 3:
        size = len(match[1])
        blank = text.octets[size : size + 1] == b" "
        for end in dict.fromkeys((*((size + 1,) if blank else ()), match.end())):
            octets, word = text.octets[end:].lstrip(), _name_of(match[1], words)
            yield replace(text, octets=octets, words=(*text.words, text.octets[:end]), word=word)
        return
    for each in words:  # written in one piece
        size = len(each)
        if text.octets[:size].lower() == each.encode() and len(text.octets) > size + 8:
            yield replace(
                text,
                octets=text.octets[size:].lstrip(b"-_.:;,/|\"' \t"),
                words=(*text.words, text.octets[:size]),
                word=each,
            )


def _name_of(word: bytes, words: Sequence[str]) -> str:
    """The word, if it is one: who forgets it sends the secret in its place."""
    text = word.decode()
    return text if is_word(text, words) else _OTHER


def _undone(text: _Text) -> Iterator[_Text]:
    for what, octets in undone(text.octets):
        if what == "with white space within it" and text.done[-1:] == ("with + for spaces",):
            continue  # the two together would take each + away, which is part of base64
        yield replace(text, octets=octets, done=(*text.done, what))
    bare = text.octets
    for what, octets in whole_keys(bare):
        yield replace(text, octets=octets, done=(*text.done, what))


# ---- as a verifier reads them --------------------------------------------------------------------------------------------


def _presented(source: Source, texts: Sequence[_Text], address: Address, field: bytes) -> Iterator[Way]:
    name = field if address.word else address.field
    own = source.kind == "own" and source.name.encode() == name and not address.member
    own = own or (source.kind == "cookie" and address == Address(b"cookie", member=source.name.encode() + b"="))
    word = WORDS.get(address.word, address.word.upper())
    begins = bool(address.word) and source.octets[: len(word) + 1].lower() == f"{address.word} ".encode()
    for text in texts:
        if begins and not text.words:
            continue  # the word is there: it is no part of the credentials
        shapes = [(text.octets, "")] if address.word != "basic" else list(_pairs_of(text.octets))
        for octets, what in shapes:
            value, member = written_at(address, octets, word)
            wrong = _wrong_word(text, address.word)
            done = (*text.done, what) if what else text.done
            if own and source.repeated:
                done = ("in more than one field line", *done)
            if own and (not done and wrong is None):
                continue
            if what == _PLAIN and _ENCODED.intersection(
                text.done
            ):  # it was encoded, and base64 is what belongs there once
                done = tuple(
                    each
                    for at, each in enumerate(text.done)
                    if each != "in base64" or at != text.done.index("in base64")
                )
                if not done:
                    continue
            part = part_that_differs(source.octets, value) if own and wrong is None else ""
            yield Way(
                source.rest.with_headers(((name, value),)), f"{member or name.decode()} {part}".strip(),
                "" if own else source.place, wrong, word,
                done, form_of(word, address.word), _outline(source.octets, text), source.likely,
                what.startswith("with") or (what == _PLAIN and not source.likely),  # Host has a colon too
            )  # fmt: skip


def _pairs_of(octets: bytes) -> Iterator[tuple[bytes, str]]:
    """Basic's token, and what may be meant by a text that is none (RFC 7617 §2)."""
    yield octets, ""
    decoded = base64_octets(octets)
    if decoded is not None and b64encode(decoded) != octets:
        yield b64encode(decoded), "in another alphabet or padding of base64"
    for what, pair in _two(octets):
        yield b64encode(pair), what
    if decoded is None and len(octets) % 4:
        start = base64_octets(octets[: len(octets) // 4 * 4])
        if start is not None and b":" in start:
            yield b64encode(start), "with its end cut off"
    if b":" in octets:
        yield b64encode(octets), _PLAIN
    elif octets and len(octets) < 512:
        for separator in (b"|", b";", b",", b"/", b"\t", b" ", "：".encode(), b"="):
            if octets.count(separator) == 1:
                yield (
                    b64encode(octets.replace(separator, b":")),
                    "with another character than : between name and password",
                )
        yield b64encode(octets + b":"), "without : and a password"


def _two(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and password as two values: parameters, members of an object, a pair as a program shows it."""
    pair = _PAIR.fullmatch(octets)
    if pair is not None:
        yield "as two parameters", pair[1] + b":" + pair[2]
    shown = re.fullmatch(rb"\s*[(\[]?\s*(['\"])(.+?)\1\s*[,:]\s*(['\"])(.+)\3\s*[)\]]?\s*", octets)
    if shown is not None:
        yield "as two texts in quotes", shown[2] + b":" + shown[4]
    if octets.lstrip()[:1] == b"{":
        yield from (("as two members in JSON", pair) for pair in pair_of(list(body_members(octets))))


def _wrong_word(text: _Text, word: str) -> str | None:
    """What is wrong with the words before the credentials; None if it is the one that belongs there."""
    if not word:
        return (
            None if not text.words else "after another word" if text.word == _OTHER else f"after the word {text.word!r}"
        )
    if not text.words:
        return _WORDLESS
    first, *more = text.words
    if more:
        return "after more than one word"
    if first.lower().rstrip() == word.encode() and first.endswith(b" "):
        return None
    if text.word == _OTHER:
        return "after another word"
    if text.word is not None and text.word.lower() == word:
        return f"after the word {text.word!r} without one space"
    return f"after the word {text.word!r}"


def _outline(octets: bytes, text: _Text) -> str:
    """What came, with the credentials hidden and what stands around them shown, if it is short."""
    at = octets.find(text.octets)
    if at < 0 or not text.octets:
        return hidden(len(octets))
    before, after = octets[:at], octets[at + len(text.octets) :]
    if text.word == _OTHER or len(before) > 40 or len(after) > 8:
        return hidden(len(octets))
    return (
        before.decode("utf-8", "backslashreplace")
        + hidden(len(text.octets))
        + after.decode("utf-8", "backslashreplace")
    )


def _renamed(request: Request, fields: Sequence[bytes]) -> Iterator[Way]:
    """Fields of a verifier's own that came under a name much like theirs, all at once: a prefix, `_`, another case."""
    missing = [name for name in fields if name not in request.lines]
    present = [name for name in request.lines if name not in fields]
    names: dict[bytes, bytes] = {}
    for wanted in missing:
        alike = [name for name in present if resembles(name, wanted)]
        if alike:
            names[alike[0]] = wanted
    for old, new in names.items():
        for chosen in ({old: new}, names):
            headers = [(chosen.get(name, name), value) for name, value in request.headers]
            place = " and ".join(f"the field {name.decode('latin-1')}" for name in chosen)
            shown = ", ".join(name.decode() for name in chosen.values())
            said = f"a field {shown}", f"{place}, and no {shown}: it is missing under that name"
            yield Way(with_fields(request, headers), new.decode(), place, None, "", (), *said, True)


def respellings(request: Request, addresses: Sequence[Address], field: bytes) -> Iterator[Way]:
    """What could be read, spelled otherwise: a token before something was done to it, then one value at a time."""
    for address in addresses:
        name = field if address.word else address.field
        for value in request.values(name)[:1] if not (address.query or address.member) else ():
            yield from _token(request, name, value, address.word)
    yield from _respelled(request, addresses, field)


def _respelled(request: Request, addresses: Sequence[Address], field: bytes) -> Iterator[Way]:
    """One value at a time: of a parameter of Authorization or the query, or all of a field of a scheme's own."""
    own = [
        field if address.word else address.field for address in addresses if not address.query and not address.member
    ]
    related = [name for name in request.lines if _RELATED.search(name)]
    for name in dict.fromkeys((*own, *related)):
        for value in request.values(name):
            yield from _values(request, name, value)
    query = request.query
    if query and any(address.query for address in addresses):
        yield from _rejoined(request, query)
        for match in islice(
            re.finditer(rb"(?:^|&)((?:x-amz|oauth)[^=&]*)()=([^&]*)", query, re.IGNORECASE), MAX_PARAMETERS
        ):
            for what, other in respelled(match[3]):
                target = request.path + b"?" + query[: match.start(3)] + other + query[match.end(3) :]
                changed = Request.raw(
                    request.method,
                    request.scheme,
                    request.authority,
                    target,
                    request.headers,
                    request.peer,
                    request.exact,
                )
                yield _way_of_value(changed, f"query {match[1].decode('latin-1')}", match[3], other, what)


def _rejoined(request: Request, query: bytes) -> Iterator[Way]:
    """A query whose ampersands became something else, where a URL was pasted out of a page or a file."""
    for what, written in AMPERSANDS:
        if written in query:
            target = request.path + b"?" + query.replace(written, b"&")
            changed = Request.raw(
                request.method, request.scheme, request.authority, target, request.headers, request.peer, request.exact
            )
            yield _way_of_value(changed, "query", written, b"&", what)


def _token(request: Request, name: bytes, value: bytes, word: str) -> Iterator[Way]:
    """The one text behind the scheme word, or that is all of the value, before something was done to it."""
    found = re.fullmatch(rb"(%b )([^\s,]+)" % re.escape(word.encode()) if word else rb"()(\S+)", value, re.IGNORECASE)
    form = form_of(WORDS.get(word, word.upper()), word)
    if found is None:
        return
    for what, octets in undone(found[2]):
        changed, shown = request.with_headers(((name, found[1] + octets),)), hidden(len(found[2]))
        yield Way(changed, name.decode(), "", None, "", (what,), form, f"{found[1].decode()}{shown}", True)


def _values(request: Request, name: bytes, value: bytes) -> Iterator[Way]:
    for what, other in respelled(value):
        part = part_that_differs(value, other)
        yield _way_of_value(
            request.with_headers(((name, other),)), f"{name.decode()} {part}".strip(), value, other, what
        )
    for match in islice(PARAMETER.finditer(value), MAX_PARAMETERS):
        for what, other in respelled(match[3]):
            changed = value[: match.start(3)] + other + value[match.end(3) :]
            part = f"{name.decode()} {match[1].decode()}"
            yield _way_of_value(request.with_headers(((name, changed),)), part, match[3], other, what)


def _way_of_value(request: Request, component: str, value: bytes, other: bytes, what: str) -> Way:
    """Both are shown, and masked like everything where they are credentials; of a list of parameters what is about the difference."""
    shown, right = (text.decode("utf-8", "backslashreplace") for text in (value, other))
    if len(PARAMETER.findall(value)) > 1:
        at = next(
            (place for place, pair in enumerate(zip(shown, right, strict=False)) if pair[0] != pair[1]),
            min(len(shown), len(right)),
        )
        shown, right = (f"octet {at + 1}: …{text[max(0, at - AROUND) : at + AROUND]}…" for text in (shown, right))
    return Way(request, component, "", None, "", (what,), right, shown, True, spelled=True)
