"""What curl says of a request: `curl -v`, `curl --trace-ascii` and `curl --trace`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from watchword.cli.raw_request import Capture, Line, UnusableRequest, length_of, parse_head

__all__ = ["parse_trace", "parse_verbose"]

_SECURE: Final = re.compile(
    rb"(?:\*|== Info:) +(?:SSL connection using|TLSv1|(?:\[HTTP/[23]\]|h2h3|h[23]) .*\[:scheme: https\])"
)
_CONNECTED: Final = re.compile(rb"(?:\*|== Info:) +Connected to ")
_BRACKETS: Final = re.compile(rb"\* (?:\[HTTP/[23]\] \[[0-9]+\]|h2h3|h[23]) \[(:?[^:\]]+): (.*)\]", re.DOTALL)
_SENT: Final = re.compile(rb"\} \[([0-9]{1,12}) bytes data\]")
_BLOCK: Final = re.compile(rb"=> Send (header|data), ([0-9]{1,12}) bytes \(0x[0-9a-f]+\)")
_DUMP: Final = re.compile(rb"([0-9a-f]{4,12}): ?(.*)", re.DOTALL)
_HEX: Final = re.compile(rb"((?:[0-9a-f]{2} ){1,16}) *.{0,16}", re.DOTALL)
_METER: Final = re.compile(rb"[\r0-9kMGTP .:-]{60,}+(?=[*<>{}] )")
_FIRST: Final = re.compile(rb"\S+ \S+ HTTP/[0-9.]+\r\n")


class _Sent(NamedTuple):
    """One request of several: the lines of its head, and what is known of its body: its parts (None: not exactly), their sizes."""

    lines: list[Line]
    bodies: list[bytes | None]
    sizes: list[int]


def parse_verbose(data: bytes, entry: int | None) -> Capture:
    r"""The request in what `curl -v` says on standard error; of several the last, with which curl gave up.

    The lines that begin with ">" are the request. Where there are none, those in brackets are, which curl has for HTTP/2 and 3:
    `[HTTP/2] [1] [:method: GET]`, or `h2h3 [:method: GET]` before curl 8.2. The body is not in it, only its size.

    Raises:
        UnusableRequest: naming line and column.

    >>> text = b"* SSL connection using TLSv1.3\n> GET /a HTTP/2\n> Host: api.example\n>\n< HTTP/2 401\n"
    >>> capture = parse_verbose(text, None)
    >>> capture.scheme, capture.target, capture.headers, capture.body
    ('https', b'/a', [(b'host', b'api.example')], b'')
    """
    plain, bracketed, inside = list[_Sent](), list[_Sent](), False
    for number, before, line in _lines(data):
        if line[:2] in (b"> ", b">"):
            if not inside:
                plain.append(_Sent([], [], []))
            inside = len(line) > len(b"> ")
            if inside:
                plain[-1].lines.append(Line(number, before + len(b"> "), line[2:]))
            continue
        if match := _BRACKETS.fullmatch(line):
            if match[1] == b":method" or not bracketed:
                bracketed.append(_Sent([], [], []))
            bracketed[-1].lines.append(Line(number, before + match.start(1), match[1] + b": " + match[2]))
        elif (match := _SENT.fullmatch(line)) and (plain or bracketed):
            (plain or bracketed)[-1].sizes.append(int(match[1]))
    chosen, note = _chosen(plain or bracketed, entry)
    method, target, headers = parse_head(chosen.lines if plain else _from_pseudo(chosen.lines))
    size = sum(chosen.sizes) or length_of(headers) or 0
    return Capture(method, target, headers, None if size else b"", _scheme(data), size or None, note)


def _from_pseudo(lines: Sequence[Line]) -> list[Line]:
    """The head as HTTP/1.1 writes it, from the pseudo fields of RFC 9113 §8.3.1 and the fields."""
    pseudo = {line.octets.partition(b": ")[0]: line for line in lines if line.octets[:1] == b":"}
    if b":method" not in pseudo or b":path" not in pseudo:
        raise UnusableRequest("this request in brackets has no :method or no :path", lines[0].number)
    method, path = (pseudo[name].octets.partition(b": ")[2] for name in (b":method", b":path"))
    head = [pseudo[b":path"]._replace(octets=method + b" " + path + b" HTTP/2")]
    if b":authority" in pseudo:
        head.append(pseudo[b":authority"]._replace(octets=b"host" + pseudo[b":authority"].octets[len(b":authority") :]))
    return [*head, *(line for line in lines if line.octets[:1] != b":")]


def parse_trace(data: bytes, entry: int | None) -> Capture:
    r"""The request in what `curl --trace-ascii` or `curl --trace` writes; of several the last.

    `--trace` has every octet of the body. `--trace-ascii` shows a dot for an octet that it can't show, so a body that has a dot is
    not known.

    Raises:
        UnusableRequest: naming line and column.

    >>> text = b"=> Send header, 36 bytes (0x24)\n0000: GET /a HTTP/1.1\n0011: Host: a.example\n0022: \n"
    >>> capture = parse_trace(text, None)
    >>> capture.target, capture.headers
    (b'/a', [(b'host', b'a.example')])
    """
    requests = list[_Sent]()
    for number, kind, size, lines in _blocks(data):
        octets, is_exact = _octets(lines, size, number)
        if kind == b"header":
            if _FIRST.match(octets) or not requests:
                requests.append(_Sent([], [], []))
            head = octets.replace(b"\r\n", b"\n").rstrip(b"\n")
            requests[-1].lines.extend(Line(number, 0, line) for line in head.split(b"\n"))
        elif requests:
            requests[-1].bodies.append(octets if is_exact else None)
            requests[-1].sizes.append(size)
    chosen, note = _chosen(requests, entry)
    method, target, headers = parse_head(chosen.lines)
    size = sum(chosen.sizes) or length_of(headers) or 0
    parts = [part for part in chosen.bodies if part is not None]
    known = len(parts) == len(chosen.sizes) and sum(chosen.sizes) == size
    if any(name == b"transfer-encoding" for name, _ in headers):
        known, size = not size, 0  # what was sent has its lengths between the octets
    return Capture(method, target, headers, b"".join(parts) if known else None, _scheme(data), size or None, note)


def _blocks(data: bytes) -> Iterator[tuple[int, bytes, int, list[tuple[int, bytes]]]]:
    """The blocks that were sent: line, kind, size, and the lines of the dump with their numbers."""
    block: tuple[int, bytes, int, list[tuple[int, bytes]]] | None = None
    for number, _, line in _lines(data):
        if line[:3] in (b"== ", b"=> ", b"<= "):
            if block is not None:
                yield block
            match = _BLOCK.fullmatch(line)
            block = None if match is None else (number, match[1], int(match[2]), [])
        elif block is not None and line:
            block[3].append((number, line))
    if block is not None:
        yield block


def _octets(lines: Sequence[tuple[int, bytes]], size: int, begin: int) -> tuple[bytes, bool]:
    """The octets that a dump shows, and whether it shows each: as hexadecimal digits does, as text where it has no dot."""
    dumped = []
    for number, line in lines:
        match = _DUMP.fullmatch(line)
        if match is None:
            raise UnusableRequest("this is not a line of a trace: 0000: octets", number, 1)
        dumped.append((number, int(match[1], 16), match[2]))
    digits = [_HEX.fullmatch(shown) for _, _, shown in dumped]
    pairs = b"".join(match[1] for match in digits if match is not None)
    if all(digits) and len(pairs) == 3 * size:
        return bytes.fromhex(pairs.decode()), True
    octets = bytearray()
    for number, offset, shown in dumped:
        if offset - len(octets) == len(b"\r\n"):  # which ended the line before
            octets += b"\r\n"
        if offset != len(octets):
            raise UnusableRequest("the offset does not follow from the lines before it", number, 1)
        octets += shown
    if size - len(octets) == len(b"\r\n"):
        octets += b"\r\n"
    if len(octets) != size:
        raise UnusableRequest(f"{size} octets were sent, and the lines below show {len(octets)}", begin)
    return bytes(octets), b"." not in octets


def _chosen(requests: Sequence[_Sent], entry: int | None) -> tuple[_Sent, str]:
    requests = [one for one in requests if one.lines]
    if not requests:
        raise UnusableRequest("there is no request in it")
    if entry is None:
        more = (
            f"the last of {len(requests)} requests is explained; --entry chooses another" if len(requests) > 1 else ""
        )
        return requests[-1], more
    if not 1 <= entry <= len(requests):
        raise UnusableRequest(f"--entry {entry}: there are {len(requests)} requests, counted from 1")
    return requests[entry - 1], ""


def _scheme(data: bytes) -> str:
    secure = connected = False
    for _, _, line in _lines(data):
        secure = secure or _SECURE.match(line) is not None
        connected = connected or _CONNECTED.match(line) is not None
    return "https" if secure else "http" if connected else ""


def _lines(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The lines with their numbers, without the progress meter that curl writes before some of them, and how long that is."""
    for number, line in enumerate(data.split(b"\n"), 1):
        meter = _METER.match(line)
        before = meter.end() if meter else 0
        yield number, before, line[before:].removesuffix(b"\r")
