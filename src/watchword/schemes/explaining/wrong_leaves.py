"""A part of what is signed, or the key, as clients get it wrong: by its kind, and in other spellings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from watchword.core.message import Request
from watchword.crypto.usual_hashes import hashed, usual_hashes
from watchword.schemes.diagnosis.encodings import recoded
from watchword.schemes.diagnosis.origins import METHODS, split_port
from watchword.schemes.diagnosis.text_axes import SPELLINGS, spellings
from watchword.schemes.explaining.typed_text import secret_guesses
from watchword.schemes.explaining.computation import FORMS, Leaf
from watchword.schemes.explaining.deviation import MAX_SPELT, Deviation, constant, words
from watchword.schemes.explaining.wrong_joins import SEPARATORS
from watchword.schemes.explaining.times import written_times

__all__ = ["of_leaf", "with_origin"]

_UNSET: Final = (b"undefined", b"null", b"None", b"NaN", b"nil", b"0", b"[object Object]", b"%s", b"{}")
"""What programs write for a variable that has no value."""


_OCTETS: Final = re.compile(r"\bhex|\bbase\d\d|decimal|padding")
"""Words for spellings of octets: of a text they are less likely."""


def of_leaf(leaf: Leaf) -> Iterator[Deviation]:
    """Its other spellings, and what else of its kind clients put there."""
    verb = "signs with" if leaf.kind == "key" else "signs"
    seen = {leaf.value}
    for cost, did, value in _leaf_values(leaf, verb):
        if value not in seen:
            seen.add(value)
            yield Deviation(cost, leaf, did, constant(value), *_key_words(leaf, did), component=_component(leaf, value))


def _component(leaf: Leaf, value: bytes) -> str:
    """Of a target the half that differs."""
    if leaf.kind != "target":
        return ""
    return "@query" if value.partition(b"?")[0] == leaf.value.partition(b"?")[0] else "@path"


def _key_words(leaf: Leaf, did: str) -> tuple[str, str]:
    """A key is described, never shown."""
    return (leaf.name, did.removeprefix("signs with ")) if leaf.kind == "key" else ("", "")


def _leaf_values(leaf: Leaf, verb: str) -> Iterator[tuple[float, str, bytes]]:
    value, name = leaf.value, leaf.name
    if leaf.kind == "fixed":
        return
    for what, other in leaf.others:
        yield 1, f"{verb} {what}", other
    if leaf.kind == "key":
        for place, (what, other) in enumerate(secret_guesses(value)):
            yield 1 + place / 90, f"{verb} {name} {what}", other
        return
    for cost, what, other in _of_kind(leaf):
        yield cost, f"{verb} {name} {what}", other
    if leaf.kind not in ("body", "literal", "number", "secret"):
        for text in _UNSET:
            yield 2.3, f"{verb} {text.decode()} where {name} belongs: it was not set", text
    if len(value) <= MAX_SPELT and leaf.kind != "body":  # a body's spellings are those of diagnosis
        likeliest_first = sorted(spellings(value), key=lambda pair: _OCTETS.search(pair[0]) is not None)
        for place, (what, other) in enumerate(likeliest_first):
            yield 1.5 + place / 20 + (leaf.kind == "literal") / 2, f"{verb} {name} {what}", other
    elif len(value) <= MAX_SPELT:
        for place, (what, other) in enumerate(_of_body(value)):
            yield 1.5 + place / 20, f"{verb} {name} {what}", other


def _of_kind(leaf: Leaf) -> Iterator[tuple[float, str, bytes]]:
    value = leaf.value
    if leaf.kind == "method":
        yield 1, "in lower case", value.lower()
        for method in METHODS:
            yield 1.5, f"as {method}, or it was changed on the way", method.encode()
        for before in (b"HttpMethod.", b"Method.", b"HTTPMethod.", b"RequestMethod."):
            yield 1.8, f"as an enum prints itself, {before.decode()}…", before + value
    elif leaf.kind == "authority":
        yield from _of_authority(value)
    elif leaf.kind in ("target", "path", "query"):
        yield from _of_target(value)
    elif leaf.kind == "time":
        yield from written_times(value)
    elif leaf.kind == "literal":
        yield from _of_literal(value)
    elif leaf.kind == "number":
        yield from _of_number(value)


def _of_authority(value: bytes) -> Iterator[tuple[float, str, bytes]]:
    name, port = (part.encode("latin-1") for part in split_port(value.decode("latin-1")))
    yield 1, "without the port", name
    yield 1.2, "in upper case", value.upper()
    for number in (b"443", b"80", b"8080", b"8443", b"8000", b"3000", b"5000"):
        yield 1.5, f"with the port {number.decode()}", name + b":" + number
    for scheme in (b"https://", b"http://"):
        yield 1.5, f"with {scheme.decode()} before it", scheme + value
        yield 2, f"with {scheme.decode()} before it and / behind it", scheme + value + b"/"
    yield 2, "with a dot at its end", name + b"." + port
    yield 2, "with a slash, /, behind it", value + b"/"
    labels = name.split(b".")
    if len(labels) > 2:
        yield 2, "without its first label", b".".join(labels[1:]) + port
        yield 2, "as its domain, the last two labels, alone", b".".join(labels[-2:]) + port
    yield 2, "without www.", value.removeprefix(b"www.")
    yield 2, "with www. before it", b"www." + value
    for place in (b"localhost", b"127.0.0.1", b"0.0.0.0", b"[::1]"):
        yield 2, f"as {place.decode()}", place + port
        yield 2, f"as {place.decode()}, without a port", place


def _of_target(value: bytes) -> Iterator[tuple[float, str, bytes]]:
    path, mark, query = value.partition(b"?")
    if mark:
        yield 1, "without the query", path
        yield 1.2, "without the ? before the query", path + query
        yield 1.5, "without the path", query
        yield 1.5, "without the path, but with the ?", mark + query
        pairs = query.split(b"&")
        yield 1.2, "with the query sorted", path + mark + b"&".join(sorted(pairs))
        yield 2, "with the query's names alone", path + mark + b"&".join(pair.partition(b"=")[0] for pair in pairs)
        for other in SEPARATORS if len(pairs) > 1 else ():
            yield 1.6, f"with {words(other)} between the parameters of the query", path + mark + other.join(pairs)
        yield 1.8, "with each parameter of the query twice", value + b"&" + query
        for place in range(min(len(pairs), 12)):
            rest = b"&".join(pairs[:place] + pairs[place + 1 :])
            yield 2, "without one parameter of the query", path + mark + rest if rest else path
    else:
        yield 1.2, "with an empty query, ?", value + b"?"
        yield 1.5, "with a ? before it", b"?" + value
    yield 1.5, "without its first /", value.removeprefix(b"/")
    yield 1.5, "with a / before it", b"/" + value
    yield 1.5, "without the / at its end", path.rstrip(b"/") + value[len(path) :]
    yield 1.5, "with a / at its end", path + b"/" + value[len(path) :]
    for other in (b"\n", b"&", b" ", b"|", b";") if query else ():
        yield 1.6, "with something else in place of the ?", path + other + query
    for place, (what, change) in enumerate(SPELLINGS):  # of the whole they are those of any text
        for part, other in (
            (("path", _tried(change, path, mark + query)), ("query", _tried(change, query, b"", path + mark)))
            if query
            else ()
        ):
            yield 1.7 + place / 20, f"with its {part} {what}", other
    for each in recoded(value, keep=b"/?&="):
        yield 1.7, "percent-encoded otherwise", each
    segments = path.split(b"/")
    yield 2, "by its last segment alone", segments[-1]
    yield 2, "without its last segment", b"/".join(segments[:-1])
    yield 2.5, "as / alone, the root", b"/"
    for slash in (b"%2F", b"%2f", b"%252F"):
        rest = mark + query
        yield 1.7, f"with its slashes percent-encoded, {slash.decode()}", path.replace(b"/", slash) + rest
        if path.startswith(b"/"):
            inner = path[1:].replace(b"/", slash)
            yield 1.8, f"with its slashes but the first percent-encoded, {slash.decode()}", b"/" + inner + rest
    yield 2.5, "with a fragment, # alone, behind it", value + b"#"
    for file in (b"index.html", b"index.php", b"index.htm"):
        yield 2.5, f"with the index file {file.decode()}", path.rstrip(b"/") + b"/" + file + value[len(path) :]
        yield 2.5, f"with a prefix, /{file.decode()}, before it", b"/" + file + value


def with_origin(leaf: Leaf, request: Request) -> Iterator[Deviation]:
    """A path or target with what stands before it in the URL."""
    if leaf.kind not in ("path", "target"):
        return
    host, where = request.authority.encode("utf-8", "replace"), "@path" if leaf.kind == "target" else ""
    schemes = dict.fromkeys((request.scheme.encode("utf-8", "replace"), b"https", b"http"))
    for before in (b"", *(scheme + mark for scheme in schemes for mark in (b"://", b"%3A//", b"%3A%2F%2F"))):
        did = f"signs {leaf.name} with {before.decode('utf-8', 'replace')} and the host before it, a URL"
        did = did if before else f"signs {leaf.name} with the host before it"
        yield Deviation(1.5, leaf, did, constant(before + host + leaf.value), component=where)


def _tried(change: Callable[[bytes], bytes], part: bytes, after: bytes, before: bytes = b"") -> bytes:
    try:
        return before + change(part) + after
    except ValueError:  # it has no such spelling
        return before + part + after


def _of_literal(value: bytes) -> Iterator[tuple[float, str, bytes]]:
    """A word that the scheme demands: its pieces, otherwise joined."""
    pieces = re.findall(rb"[A-Za-z]+|[0-9]+", value)
    for mark in (b"", b"-", b"_", b"/", b" ", b".", b":", b"=") if len(pieces) > 1 else ():
        text = mark.join(pieces)
        yield 1.5, f"as {text.decode()}", text
        yield 2, f"as {text.lower().decode()}", text.lower()
    for piece in pieces:
        yield 1.6, f"as {piece.decode()}", piece
        yield 2.5, f"as v{piece.decode()}", b"v" + piece
    for at in range(len(pieces)):
        if pieces[at].isdigit():
            for other in (b"0", b"1", b"2", b"4", b"256", b"512"):
                text = value.replace(pieces[at], other, 1)
                yield 2, f"as {text.decode('latin-1')}", text


def _of_number(value: bytes) -> Iterator[tuple[float, str, bytes]]:
    try:
        number = int(value, 16)
    except ValueError:
        return
    yield 1, "as a decimal number", b"%d" % number
    yield 1, "without its zeros", b"%x" % number
    yield 1.2, "as a number of 8 decimal digits", b"%08d" % number
    yield 1.5, "in capitals", b"%08X" % number
    for away in (-1, 1, -2, 2):
        if number + away >= 0:
            yield 1.2, f"as the number {'before' if away < 0 else 'after'} it", b"%08x" % (number + away)
    yield 1.5, "as 00000001", b"00000001"
    yield 2, "as 1", b"1"


def _of_body(value: bytes) -> Iterator[tuple[str, bytes]]:
    for name in usual_hashes()[:5]:
        octets = hashed(name, value)
        yield f"by its {name} hash in hex digits", octets.hex().encode()
        yield f"by its {name} hash, raw", octets
        yield f"by its {name} hash in base64", FORMS["base64"](octets)
    yield from spellings(value)
    for prefix in (b"sha256=", b"v1=", b"v0=", b"v1,", b"sha1="):
        yield f"with the prefix {prefix.decode()} in front", prefix + value
    yield "as a Python text of it, escapes and all", repr(value)[2:-1].encode()
