"""What goes wrong with signed requests: the kinds of mutation that `bench.explain` tries, and what each one's truth is.

One table, which knows nothing of how `explain` works: each row says how a draft is prepared before it is signed, what happens
to it afterwards, and which component that changes. A row that is not `recoverable` destroys what was signed (an arbitrary
value is replaced by another): then nobody can say which covered component it was, and the best that an explanation can say is
that no usual change explains the signature. Schemes that have a digest of their own of what was changed can do better.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes

from watchword import Request

__all__ = ["KINDS", "Draft", "Kind", "both", "draft"]


class Draft:
    """A request that can be changed."""

    def __init__(self, request: Request, body: bytes) -> None:
        self.method = request.method
        self.scheme = request.scheme
        self.authority = request.authority
        self.path, mark, query = request.target.partition(b"?")
        self.query: bytes | None = query if mark else None
        self.headers = list(request.headers)
        self.body = body

    def request(self) -> Request:
        target = self.path if self.query is None else self.path + b"?" + self.query
        return Request(self.method, self.scheme, self.authority, target, self.headers)

    def field(self, name: bytes, *values: bytes) -> None:
        """The field has these lines now, where the first one was; without values it is gone."""
        at = next((place for place, pair in enumerate(self.headers) if pair[0] == name), len(self.headers))
        kept = [pair for pair in self.headers if pair[0] != name]
        self.headers = [*kept[:at], *((name, value) for value in values), *kept[at:]]

    def values(self, name: bytes) -> list[bytes]:
        return [value for field, value in self.headers if field == name]

    def host(self, authority: str) -> None:
        self.authority = authority
        self.field(b"host", authority.encode())


Step = Callable[[Draft, random.Random], None]


def nothing(_: Draft, __: random.Random) -> None:
    """As it is."""


class Kind(NamedTuple):
    """One kind of mutation.

    Args:
        name: "path: slash added".
        truth: the component that it changes; "header …" for a field; two with "|" between them.
        before: prepares the draft, before it is signed.
        after: what goes wrong.
        recoverable: what was signed can be found again.
    """

    name: str
    truth: str
    before: Step
    after: Step
    recoverable: bool = True


WORDS = ("orders", "items", "users", "reports", "files", "accounts", "carts", "events", "jobs", "media")


def draft(rng: random.Random) -> Draft:
    """An ordinary request."""
    method = rng.choice(("GET", "GET", "POST", "PUT", "DELETE"))
    path = "/" + "/".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3))) + f"/{rng.randint(1, 9999)}"
    query = "&".join(f"{rng.choice('abcdefgh')}{at}={rng.randint(0, 99)}" for at in range(rng.randint(0, 4)))
    headers = {
        "Host": "api.example", "Accept": "application/json", "X-Request-Tags": f"red, green, blue-{rng.randint(1, 99)}",
        "X-Trace": f"t-{rng.getrandbits(48):x}",
    }  # fmt: skip
    body = b""
    if method in ("POST", "PUT"):
        headers["Content-Type"] = "application/json"
        body = json.dumps({"id": rng.randint(1, 999), "name": rng.choice(WORDS), "on": rng.random() < 0.5}).encode()
    return Draft(Request(method, "https", "api.example", path + (f"?{query}" if query else ""), headers), body)


# ---- small steps -----------------------------------------------------------------------------------------------------


def segment(part: bytes) -> Step:
    """Puts a segment into the path, somewhere but at its beginning."""

    def step(draft: Draft, rng: random.Random) -> None:
        parts = draft.path.split(b"/")
        parts.insert(rng.randint(2, len(parts)), part)
        draft.path = b"/".join(parts)

    return step


def path(change: Callable[[bytes], bytes]) -> Step:
    def step(draft: Draft, _: random.Random) -> None:
        draft.path = change(draft.path)

    return step


def query(change: Callable[[bytes], bytes | None]) -> Step:
    def step(draft: Draft, _: random.Random) -> None:
        draft.query = change(draft.query or b"")

    return step


def params(*pairs: bytes) -> Step:
    """The query has these parameters and up to two others, in any order."""

    def step(draft: Draft, rng: random.Random) -> None:
        more = [
            b"%b%d=%d" % (rng.choice(b"uvw").to_bytes(1), at, rng.randint(0, 99)) for at in range(rng.randint(0, 2))
        ]
        draft.query = b"&".join(rng.sample([*pairs, *more], len(pairs) + len(more)))

    return step


def authority(text: str) -> Step:
    return lambda draft, _: draft.host(text)


def field(name: str, *values: str) -> Step:
    return lambda draft, _: draft.field(name.encode(), *(value.encode("latin-1") for value in values))


def refield(name: str, change: Callable[[bytes], bytes]) -> Step:
    return lambda draft, _: draft.field(name.encode(), *map(change, draft.values(name.encode())))


def posted(data: bytes, media: str = "application/json") -> Step:
    """A POST with this body; no query."""

    def step(draft: Draft, _: random.Random) -> None:
        draft.method, draft.body, draft.query = "POST", data, None
        draft.field(b"content-type", media.encode())

    return step


def body(change: Callable[[bytes], bytes]) -> Step:
    def step(draft: Draft, _: random.Random) -> None:
        draft.body = change(draft.body)

    return step


def both(*steps: Step) -> Step:
    def step(draft: Draft, rng: random.Random) -> None:
        for each in steps:
            each(draft, rng)

    return step


def method(name: str) -> Step:
    def step(draft: Draft, _: random.Random) -> None:
        draft.method = name

    return step


def scheme(name: str) -> Step:
    def step(draft: Draft, _: random.Random) -> None:
        draft.scheme = name

    return step


def shuffled(draft: Draft, rng: random.Random) -> None:
    old = (draft.query or b"").split(b"&")
    while (new := rng.sample(old, len(old))) == old:
        pass
    draft.query = b"&".join(new)


def anew(**options: object) -> Step:
    """Parsed and written again."""
    return body(lambda data: json.dumps(json.loads(data), **options).encode())


def to_front_controller(draft: Draft, _: random.Random) -> None:
    draft.headers.append((b"x-original-uri", draft.request().target))
    draft.path = b"/index.php"


def renamed(draft: Draft, _: random.Random) -> None:
    draft.headers.append((b"x-amzn-remapped-" + TAGS.encode(), draft.values(TAGS.encode())[0]))
    draft.field(TAGS.encode())


def hop(draft: Draft, _: random.Random) -> None:
    draft.headers.append((TAGS.encode(), b"edge"))


def small_letters(draft: Draft, _: random.Random) -> None:
    draft.method = draft.method.lower()


def flipped(draft: Draft, rng: random.Random) -> None:
    at = rng.randrange(len(draft.body))
    draft.body = draft.body[:at] + bytes([draft.body[at] ^ 1 << rng.randrange(7)]) + draft.body[at + 1 :]


PYTHON: dict[str, object] = {}
JAVASCRIPT: dict[str, object] = {"separators": (",", ":"), "ensure_ascii": False}
COMPACT: dict[str, object] = {"separators": (",", ":")}
RAW: dict[str, object] = {"ensure_ascii": False}


def document(rng: random.Random, few: int, many: int, texts: tuple[str, ...]) -> dict[str, object]:
    """An object with so many members, one of them an object of two or a list; each of `texts` is in it."""
    names = rng.sample([f"{word}{end}" for word in WORDS for end in ("", "_id", "Name")], rng.randint(few, many))
    values: list[object] = [rng.randint(-9, 9999), rng.random() < 0.5, None, rng.randint(1, 99) / 2, rng.choice(WORDS)]
    value: dict[str, object] = {name: rng.choice(values) for name in names}
    value[names[0]] = rng.choice(({"z": rng.randint(1, 9), "b": "x"}, [1, 2, 3], ["x", {"k": 1, "a": 2}]))
    return {**value, **dict(zip(reversed(names), texts, strict=False))}


def posting(style: dict[str, object] = PYTHON, *texts: str, few: int = 2, many: int = 6, end: bytes = b"") -> Step:
    """A POST with a JSON object that is written so."""

    def step(draft: Draft, rng: random.Random) -> None:
        text = json.dumps(document(rng, few, many, texts), **style)
        posted(text.encode() + end)(draft, rng)

    return step


JSON = posting(RAW, "Zoë & Ünal", "a/b")
ASCII = posting(PYTHON)
PLAIN = b'{"b": 2, "a": "x y", "c": [true, false]}'
FORM = (b"name=Jo%20Ann&note=a%20b%7E&city=K%C3%B6ln&n=1", "application/x-www-form-urlencoded")
LINES = (b"first line\nsecond line\n", "text/plain")
SEGMENT = b"a%20b~c,d:e"
QUERY = (b"name=x%20y", b"tag=%C3%A9", b"id=7", b"list=a,b")
TAGS = "x-request-tags"

# ---- the table -------------------------------------------------------------------------------------------------------

KINDS: tuple[Kind, ...] = (
    # method
    Kind("method: HEAD taken for GET", "@method", method("HEAD"), method("GET")),
    Kind("method: POST became GET at a redirect", "@method", posted(b""), method("GET")),
    Kind("method: overridden", "@method", posted(b""), method("PATCH")),
    Kind("method: written in small letters", "@method", nothing, small_letters),
    # scheme
    Kind("scheme: TLS ends before the server", "@scheme", nothing, scheme("http")),
    Kind("scheme: and X-Forwarded-Proto says so", "@scheme", nothing, both(scheme("http"), field("x-forwarded-proto", "https"))),
    # authority
    Kind("host: rewritten, X-Forwarded-Host", "@authority", nothing, both(authority("app:8000"), field("x-forwarded-host", "api.example"))),
    Kind("host: rewritten, Forwarded", "@authority", nothing, both(authority("10.1.2.3:8080"), field("forwarded", "for=192.0.2.7;host=api.example;proto=https"))),
    Kind("host: rewritten, X-Original-Host", "@authority", nothing, both(authority("backend.internal"), field("x-original-host", "api.example"))),
    Kind("host: rewritten, two proxies", "@authority", nothing, both(authority("app"), field("x-forwarded-host", "api.example, edge.internal"))),
    Kind("host: rewritten, only Origin tells", "@authority", nothing, both(authority("app:8000"), field("origin", "https://api.example"))),
    Kind("host: called by localhost", "@authority", authority("localhost:8000"), authority("api.example")),
    Kind("host: called by address", "@authority", authority("127.0.0.1:5000"), authority("api.example")),
    Kind("port: a foreign one added", "@authority", nothing, authority("api.example:8000")),
    Kind("port: dropped", "@authority", authority("api.example:8443"), authority("api.example")),
    Kind("port: rewritten", "@authority", authority("api.example:8443"), authority("api.example:8000")),
    Kind("host: www added", "@authority", nothing, authority("www.api.example")),
    Kind("host: www dropped", "@authority", authority("www.api.example"), authority("api.example")),
    Kind("host: last dot added", "@authority", nothing, authority("api.example.")),
    Kind("host: replaced, nothing says by what", "@authority", nothing, authority("node-17.cluster.internal"), False),
    Kind("proxy: host, scheme and prefix, announced", "@authority", path(lambda p: b"/shop" + p), both(
        path(lambda p: p.removeprefix(b"/shop")), scheme("http"), authority("app:8000"), field("x-forwarded-host", "api.example"),
        field("x-forwarded-proto", "https"), field("x-forwarded-prefix", "/shop"))),
    # path
    Kind("path: last slash added", "@path", nothing, path(lambda p: p + b"/")),
    Kind("path: last slash lost", "@path", path(lambda p: p + b"/"), path(lambda p: p.rstrip(b"/"))),
    Kind("path: decoded", "@path", segment(SEGMENT), path(unquote_to_bytes)),
    Kind("path: unreserved decoded", "@path", segment(b"a%7Eb%2Dc"), path(lambda p: p.replace(b"%7E", b"~").replace(b"%2D", b"-"))),
    Kind("path: unreserved encoded", "@path", segment(b"~user"), path(lambda p: p.replace(b"~", b"%7E"))),
    Kind("path: hex digits raised", "@path", segment(b"a%2fb%c3%a9"), path(lambda p: re.sub(rb"%..", lambda m: m[0].upper(), p))),
    Kind("path: hex digits lowered", "@path", segment(b"a%2Fb%C3%A9"), path(lambda p: re.sub(rb"%..", lambda m: m[0].lower(), p))),
    Kind("path: comma and colon encoded", "@path", segment(SEGMENT), path(lambda p: p.replace(b",", b"%2C").replace(b":", b"%3A"))),
    Kind("path: comma decoded", "@path", segment(b"a%2Cb"), path(lambda p: p.replace(b"%2C", b","))),
    Kind("path: slash decoded", "@path", segment(b"a%2Fb"), path(lambda p: p.replace(b"%2F", b"/"))),
    Kind("path: encoded twice", "@path", segment(b"a%20b"), path(lambda p: p.replace(b"%", b"%25"))),
    Kind("path: plus for a space", "@path", segment(b"a%20b"), path(lambda p: p.replace(b"%20", b"+"))),
    Kind("path: re-encoded by a library", "@path", segment(b"a+b(c)!"), path(lambda p: quote(unquote_to_bytes(p), safe="/").encode())),
    Kind("path: usual prefix stripped", "@path", path(lambda p: b"/api/v1" + p), path(lambda p: p.removeprefix(b"/api/v1"))),
    Kind("path: prefix stripped, announced", "@path", path(lambda p: b"/tenant-42" + p), both(
        path(lambda p: p.removeprefix(b"/tenant-42")), field("x-forwarded-prefix", "/tenant-42"))),
    Kind("path: prefix stripped, not announced", "@path", path(lambda p: b"/tenant-42" + p), path(lambda p: p.removeprefix(b"/tenant-42")), False),
    Kind("path: prefix added", "@path", nothing, path(lambda p: b"/gateway/internal" + p)),
    Kind("path: rewritten, X-Original-URI", "@path", nothing, to_front_controller),
    Kind("path: double slash merged", "@path", path(lambda p: b"/" + p), path(lambda p: p[1:])),
    Kind("path: double slash inside merged", "@path", path(lambda p: p[0:1] + p[1:].replace(b"/", b"//", 1)), path(lambda p: p.replace(b"//", b"/"))),
    Kind("path: slash doubled", "@path", nothing, path(lambda p: b"/" + p)),
    Kind("path: dot segment resolved", "@path", segment(b"."), path(lambda p: p.replace(b"/.", b""))),
    Kind("path: dot segments not resolved", "@path", nothing, path(lambda p: b"/x/.." + p)),
    Kind("path: session id appended", "@path", nothing, path(lambda p: p + b";jsessionid=1A2B")),
    Kind("path: index file appended", "@path", path(lambda p: p + b"/"), path(lambda p: p + b"index.html")),
    Kind("path: case changed", "@path", nothing, path(bytes.title)),
    Kind("path: Unicode decomposed", "@path", segment(b"caf%C3%A9"), path(lambda p: quote(normalize("NFD", unquote_to_bytes(p).decode())).encode())),
    Kind("path: a segment inserted", "@path", nothing, segment(b"elsewhere"), False),
    Kind("path: another id", "@path", nothing, path(lambda p: p[: p.rindex(b"/")] + b"/77777"), False),
    # query
    Kind("query: re-ordered", "@query", params(*QUERY), shuffled),
    Kind("query: sorted", "@query", query(lambda _: b"z=1&b=2&a=3&y=4&c=5&x=6"), query(lambda q: b"&".join(sorted(q.split(b"&"))))),
    Kind("query: sorted, many", "@query", query(lambda _: b"z=1&b=2&a=3&y=4&c=5&x=6&d=7&w=8&e=9"), query(lambda q: b"&".join(sorted(q.split(b"&")))), False),
    Kind("query: %20 became plus", "@query", params(*QUERY), query(lambda q: q.replace(b"%20", b"+"))),
    Kind("query: plus became %20", "@query", params(b"name=x+y", b"id=7"), query(lambda q: q.replace(b"+", b"%20"))),
    Kind("query: hex digits lowered", "@query", params(*QUERY), query(lambda q: q.replace(b"%C3%A9", b"%c3%a9"))),
    Kind("query: comma encoded", "@query", params(*QUERY), query(lambda q: q.replace(b",", b"%2C"))),
    Kind("query: tilde encoded", "@query", params(b"q=a~b", b"id=7"), query(lambda q: q.replace(b"~", b"%7E"))),
    Kind("query: brackets encoded", "@query", params(b"id[]=1", b"id[]=2"), query(lambda q: q.replace(b"[", b"%5B").replace(b"]", b"%5D"))),
    Kind("query: brackets decoded", "@query", params(b"id%5B%5D=1", b"n=2"), query(lambda q: q.replace(b"%5B", b"[").replace(b"%5D", b"]"))),
    Kind("query: decoded", "@query", params(b"q=a%2Cb%3Ac", b"id=7"), query(unquote_to_bytes)),
    Kind("query: encoded twice", "@query", params(*QUERY), query(lambda q: q.replace(b"%", b"%25"))),
    Kind("query: tracking parameters appended", "@query", params(*QUERY), query(lambda q: q + b"&utm_source=mail&utm_medium=x&fbclid=Iw")),
    Kind("query: a parameter appended", "@query", params(*QUERY), query(lambda q: q + b"&debug=1")),
    Kind("query: a parameter put first", "@query", params(*QUERY), query(lambda q: b"tenant=9&" + q)),
    Kind("query: added where there was none", "@query", query(lambda _: None), query(lambda _: b"debug=1")),
    Kind("query: a parameter dropped", "@query", params(*QUERY), query(lambda q: q.partition(b"&")[2]), False),
    Kind("query: dropped", "@query", params(*QUERY), query(lambda _: None), False),
    Kind("query: a value changed", "@query", params(*QUERY), query(lambda q: q.replace(b"id=7", b"id=70")), False),
    Kind("query: empty one dropped", "@query", query(lambda _: b""), query(lambda _: None)),
    Kind("query: empty one added", "@query", query(lambda _: None), query(lambda _: b"")),
    Kind("query: = added to a bare name", "@query", params(b"flag", b"id=7"), query(lambda q: q.replace(b"flag", b"flag="))),
    Kind("query: = dropped from a bare name", "@query", params(b"flag=", b"id=7"), query(lambda q: q.replace(b"flag=", b"flag"))),
    Kind("query: & at its end", "@query", params(*QUERY), query(lambda q: q + b"&")),
    Kind("query: a double removed", "@query", params(b"id=7", b"id=7", b"n=1"), query(lambda q: b"&".join(dict.fromkeys(q.split(b"&"))))),
    # fields
    Kind("field: spaces after commas taken out", f"header {TAGS}", nothing, refield(TAGS, lambda v: v.replace(b", ", b","))),
    Kind("field: spaces doubled", f"header {TAGS}", nothing, refield(TAGS, lambda v: v.replace(b" ", b"  "))),
    Kind("field: folded", f"header {TAGS}", nothing, refield(TAGS, lambda v: v.replace(b", ", b",\r\n ", 1))),
    Kind("field: lines re-ordered", f"header {TAGS}", field(TAGS, "one", "two", "three"), field(TAGS, "three", "one", "two")),
    Kind("field: members re-ordered", f"header {TAGS}", field(TAGS, "one, two, three"), field(TAGS, "two, three, one")),
    Kind("field: a line added", f"header {TAGS}", nothing, hop),
    Kind("field: a member appended by a hop", f"header {TAGS}", nothing, refield(TAGS, lambda v: v + b", 10.0.0.9")),
    Kind("field: comma at its end", f"header {TAGS}", nothing, refield(TAGS, lambda v: v + b",")),
    Kind("field: case changed", f"header {TAGS}", nothing, refield(TAGS, bytes.upper)),
    Kind("field: quoted", f"header {TAGS}", nothing, refield(TAGS, lambda v: b'"%b"' % v)),
    Kind("field: taken away", f"header {TAGS}", nothing, field(TAGS)),
    Kind("field: moved to another name", f"header {TAGS}", nothing, renamed),
    Kind("field: another value", f"header {TAGS}", nothing, field(TAGS, "purple-haze"), False),
    Kind("field: charset appended", "header content-type", JSON, refield("content-type", lambda v: v + b"; charset=utf-8")),
    Kind("field: media type replaced", "header content-type", JSON, field("content-type", "text/plain")),
    # body
    Kind("body: JSON sorted", "body", posting(PYTHON, many=3), anew(sort_keys=True)),
    Kind("body: JSON of many members sorted", "body", posting(RAW, few=7, many=9), anew(sort_keys=True, ensure_ascii=False), False),
    Kind("body: JavaScript's JSON written by Python", "body", posting(JAVASCRIPT, "Zoë"), anew()),
    Kind("body: Python's JSON written by JavaScript", "body", posting(PYTHON, "Zoë"), anew(**JAVASCRIPT)),
    Kind("body: JSON compacted", "body", ASCII, anew(**COMPACT)),
    Kind("body: JSON indented by two", "body", ASCII, anew(indent=2)),
    Kind("body: JSON indented by four", "body", posting(COMPACT), anew(indent=4)),
    Kind("body: JSON unindented", "body", posting({"indent": 2}), anew(**COMPACT)),
    Kind("body: JSON escapes added", "body", posting(RAW, "Zoë"), anew()),
    Kind("body: JSON escapes taken out", "body", posting(PYTHON, "Zoë"), anew(ensure_ascii=False)),
    Kind("body: JSON slashes unescaped", "body", posted(b'{"url":"https:\\/\\/a.example\\/b"}'), anew(**COMPACT)),
    Kind("body: JSON sorted and compacted", "body", posting(PYTHON, many=3), anew(sort_keys=True, separators=(",", ":"))),
    Kind("body: line break added", "body", JSON, body(lambda b: b + b"\n")),
    Kind("body: line break lost", "body", posting(RAW, "Zoë", end=b"\n"), body(lambda b: b.rstrip())),
    Kind("body: LF became CRLF", "body", posted(*LINES), body(lambda b: b.replace(b"\n", b"\r\n"))),
    Kind("body: CRLF became LF", "body", posted(LINES[0].replace(b"\n", b"\r\n"), LINES[1]), body(lambda b: b.replace(b"\r\n", b"\n"))),
    Kind("body: byte order mark added", "body", JSON, body(lambda b: b"\xef\xbb\xbf" + b)),
    Kind("body: UTF-8 became Latin-1", "body", JSON, body(lambda b: b.decode().encode("latin-1"))),
    Kind("body: Latin-1 became UTF-8", "body", posted("Köln".encode("latin-1"), "text/plain"), body(lambda b: b.decode("latin-1").encode())),
    Kind("body: unpacked", "body", posted(gzip.compress(PLAIN, mtime=0)), body(gzip.decompress)),
    Kind("body: packed", "body", ASCII, body(lambda b: gzip.compress(b, mtime=0))),
    Kind("body: form re-encoded", "body", posted(*FORM), body(lambda b: b.replace(b"%20", b"+").replace(b"%7E", b"~"))),
    Kind("body: form re-ordered", "body", posted(*FORM), body(lambda b: b"&".join(sorted(b.split(b"&"))))),
    Kind("body: a form parameter appended", "body", posted(*FORM), body(lambda b: b + b"&csrf=x")),
    Kind("body: wrapped", "body", ASCII, body(lambda b: b'{"data":%b}' % b)),
    Kind("body: written as a JSON text", "body", ASCII, body(lambda b: json.dumps(b.decode()).encode())),
    Kind("body: left out of the signature", "body", posted(b""), body(lambda _: PLAIN)),
    Kind("body: lost", "body", JSON, body(lambda _: b""), False),
    Kind("body: cut", "body", JSON, body(lambda b: b[: len(b) // 2]), False),
    Kind("body: a bit flipped", "body", JSON, flipped, False),
    Kind("body: another", "body", JSON, body(lambda _: b'{"pay": "mallory"}'), False),
    # two at once
    Kind("two: HEAD taken for GET, port added", "@method|@authority", method("HEAD"), both(method("GET"), authority("api.example:8000"))),
    Kind("two: host rewritten and last slash added", "@authority|@path", nothing, both(
        authority("localhost:8000"), field("x-forwarded-host", "api.example"), path(lambda p: p + b"/"))),
    Kind("two: prefix stripped and query re-ordered", "@path|@query", both(path(lambda p: b"/api" + p), params(*QUERY)), both(
        path(lambda p: p.removeprefix(b"/api")), query(lambda q: b"&".join(q.split(b"&")[::-1])))),
)  # fmt: skip
