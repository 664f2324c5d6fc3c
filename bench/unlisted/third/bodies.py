"""What becomes of a body between the octets that were signed and those that were sent; and of a proof when it is written."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import random
import unicodedata
import urllib.parse
from collections.abc import Callable
from typing import Any

from bench.unlisted.cases import (
    ALGORITHM, B64, BODY, CASE, CUT, DOUBLED, EMPTY, HEX, LF, ORDER, PERCENT, QUOTE, UNICODE, token, word,
)  # fmt: skip
from bench.unlisted.third.base import Change, b64, words

C = Change
PARTS = words(BODY, "digest|JSON|content")
JSON = r"JSON|white ?space|blank|serial|anew|format|written|indent|spaces|pretty"
ESCAPE = r"escap|JSON|\\u|\\/|slash|serial|anew|written"
WRAPPED = r"wrap|member|inside|within|envelope|JSON|quot|text|string"


def json_body(r: random.Random) -> bytes:
    """JSON in which every way of writing it anew shows, and can be undone."""
    return (
        f'{{"id":{r.randrange(10**4, 10**6)},"amount":{r.randrange(10, 99)}.25,"customer":"Zo\u00eb {word(r).title()}",'
        f'"link":"https://{word(r)}.example/a/b?c=d","note":"{word(r)} <b> & {word(r)}","gone":null,'
        f'"lines":[{{"sku":"{token(r, 6)}","n":{r.randrange(1, 9)}}}]}}'
    ).encode()


def _load(body: bytes) -> Any:
    return json.loads(body)


def _compact(value: Any, **more: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, **more)


def _escaped(body: bytes, table: dict[str, str]) -> bytes:
    text = body.decode()
    for character, spelled in table.items():
        text = text.replace(character, spelled)
    return text.encode()


# fmt: off
BODIES = [
    C("parsed, and dumped by Python's json", JSON, lambda b: json.dumps(_load(b)).encode()),
    C("pretty, two blanks deep", JSON, lambda b: json.dumps(_load(b), indent=2, ensure_ascii=False).encode()),
    C("pretty, four blanks deep", JSON, lambda b: json.dumps(_load(b), indent=4, ensure_ascii=False).encode()),
    C("members sorted", words(ORDER, JSON), lambda b: _compact(_load(b), sort_keys=True).encode(), lost=True),
    C("Unicode escaped", words(ESCAPE, UNICODE), lambda b: json.dumps(_load(b), separators=(",", ":")).encode()),
    C("slashes escaped, as PHP does", words(ESCAPE), lambda b: b.replace(b"/", b"\\/")),  # 5
    C("angle brackets escaped, as Go does", words(ESCAPE, "HTML"), lambda b: _escaped(b, {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})),
    C("whole numbers as floats", words(JSON, "number|decimal|zero|float|point"), lambda b: _compact({k: float(v) if isinstance(v, int) else v for k, v in _load(b).items()}).encode()),
    C("null members left out", words("null", JSON), lambda b: _compact({k: v for k, v in _load(b).items() if v is not None}).encode(), lost=True),
    C("a line end after it", LF, lambda b: b + b"\n"),
    C("a Windows line end after it", LF, lambda b: b + b"\r\n"),  # 10
    C("empty, since a parser had read it", words(EMPTY, r"no (octets|body)|stream|consumed"), lambda b: b""),
    C("empty braces", r"\{\}|empty|placeholder|no body|braces", lambda b: b"{}", lost=True),
    C("the dict as Python prints it", words(QUOTE, "repr|python|dict|'"), lambda b: repr(_load(b)).encode()),
    C("the object as JavaScript prints it", r"object|placeholder|text|string", lambda b: b"[object Object]"),
    C("JSON in JSON", words(WRAPPED, DOUBLED), lambda b: json.dumps(b.decode()).encode()),  # 15
    C("in base64", B64, lambda b: base64.b64encode(b)),
    C("compressed", r"gzip|compress|content.(en)?coding|deflate", lambda b: gzip.compress(b, mtime=0)),
    C("in Latin-1", UNICODE, lambda b: b.decode().encode("latin-1", "replace")),
    C("question marks for what isn't ASCII", words(UNICODE, r"\?|ASCII|replac"), lambda b: b.decode().encode("ascii", "replace"), lost=True),
    C("its first line alone", words(CUT, "line"), lambda b: b[:32]),  # 20
    C("with the escapes of Gson", words(ESCAPE, "HTML"), lambda b: _escaped(b, {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "=": "\\u003d", "'": "\\u0027"})),
    C("wrapped in data", WRAPPED, lambda b: _compact({"data": _load(b)}).encode()),
    C("null for no body", r"null|placeholder|empty|no body", lambda b: b"null", lost=True),
    C("blanks after colons only", JSON, lambda b: json.dumps(_load(b), separators=(",", ": "), ensure_ascii=False).encode()),
    C("read as Latin-1 and written as UTF-8", words(UNICODE, DOUBLED), lambda b: b.decode("latin-1").encode()),  # 25
    C("with a byte order mark", words(UNICODE, "BOM|byte order mark"), lambda b: b"\xef\xbb\xbf" + b),
    C("Unicode taken apart", UNICODE, lambda b: unicodedata.normalize("NFD", b.decode()).encode(), True),
    C("in UTF-16", UNICODE, lambda b: b.decode().encode("utf-16"), True),
    C("in a buffer that ends in NULs", r"NUL|zero|buffer|padd|\\x00|\\0", lambda b: b + bytes(128), True),
    C("in hexadecimal", HEX, lambda b: b.hex().encode(), True),  # 30
    C("cut at 64 octets", CUT, lambda b: b[:64], True),
    C("members turned around", words(ORDER, JSON), lambda b: _compact(dict(reversed(_load(b).items()))).encode(), True),
    C("indented by tabs", words(JSON, "tab"), lambda b: json.dumps(_load(b), indent="\t", ensure_ascii=False).encode(), True),
    C("escapes of .NET in capitals", ESCAPE, lambda b: _escaped(b, {"<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "\u00eb": "\\u00EB"}), True),
    C("with the frames of chunks", r"chunk|frame|transfer", lambda b: f"{len(b):x}\r\n".encode() + b + b"\r\n0\r\n\r\n", True),  # 35
    C("percent-encoded", PERCENT, lambda b: urllib.parse.quote(b, safe="").encode(), True),
    C("HTML's entities in it", r"HTML|entit|escap|&amp|&lt", lambda b: _escaped(b, {"&": "&amp;", "<": "&lt;", ">": "&gt;"}), True),
    C("all of it small", CASE, lambda b: b.decode().lower().encode(), True, lost=True),
    C("in Windows-1252", UNICODE, lambda b: b.decode().encode("cp1252", "replace"), True),
    C("without any white space", words(JSON, BODY), lambda b: b.replace(b" ", b""), True, lost=True),  # 40
    C("numbers as texts", r"number|quot|text|string|JSON", lambda b: _compact({k: str(v) if isinstance(v, int) else v for k, v in _load(b).items()}).encode(), True),
    C("twice", DOUBLED, lambda b: b + b, True),
    C("in a list", words(WRAPPED, r"list|array|\["), lambda b: b"[" + b + b"]", True),
    C("single quotes", words(QUOTE, "JSON"), lambda b: b.replace(b'"', b"'"), True),
    C("the surrogates of CESU-8 for a replaced letter", UNICODE, lambda b: b.decode().replace("\u00eb", "\ufffd").encode(), True, lost=True),
    C("quotes escaped for a shell", r"escap|backslash|quot", lambda b: b.replace(b'"', b'\\"'), True),  # 46
    C("pretty as Ruby prints it", words(JSON, r"=>|Ruby|quot"), lambda b: b.replace(b'":', b'"=>').replace(b"null", b"nil"), True),
]  # fmt: skip

Mac = Callable[[bytes, bytes], bytes]


def other_hash(name: str) -> Mac:
    return lambda key, message: hmac.digest(key, message, name)


def plain(name: str, shape: str) -> Mac:
    """A hash where an HMAC belongs: of key and message, of message and key, of the message alone."""
    return lambda key, message: hashlib.new(
        name, {"km": key + message, "mk": message + key, "m": message, "kmk": key + message + key}[shape]
    ).digest()


HMACS: list[tuple[str, str, Mac, bool]] = [
    ("SHA-1 in the HMAC", ALGORITHM, other_hash("sha1"), False),
    ("SHA-512 in the HMAC", ALGORITHM, other_hash("sha512"), False),
    ("MD5 in the HMAC", ALGORITHM, other_hash("md5"), False),
    ("SHA-384 in the HMAC", ALGORITHM, other_hash("sha384"), False),
    ("a hash of secret and text, no HMAC", words("hash|sha|hmac|plain"), plain("sha256", "km"), False),
    ("a hash of text and secret, no HMAC", words("hash|sha|hmac|plain"), plain("sha256", "mk"), False),
    ("a hash of the text alone", words("hash|sha|hmac|without|no (key|secret)"), plain("sha256", "m"), False),
    ("key and message exchanged", r"exchang|swap|interchang|argument|place of|key|other way", lambda k, m: hmac.digest(m, k, "sha256"), False),
    ("the HMAC of the text's hash", words("hash|twice|digest|already"), lambda k, m: hmac.digest(k, hashlib.sha256(m).digest(), "sha256"), False),
    ("the HMAC of the hash in hex", words("hash|twice|digest|hex"), lambda k, m: hmac.digest(k, hashlib.sha256(m).hexdigest().encode(), "sha256"), False),
    ("the HMAC made twice", words(DOUBLED, "hash|hmac"), lambda k, m: hmac.digest(k, hmac.digest(k, m, "sha256"), "sha256"), True),
    ("SHA3-256 in the HMAC", ALGORITHM, other_hash("sha3_256"), True),
    ("BLAKE2s with a key", ALGORITHM, lambda k, m: hashlib.blake2s(m, key=k[:32]).digest(), True),
    ("SHA-224 in the HMAC", ALGORITHM, other_hash("sha224"), True),
    ("the key hashed first", words("hash|sha|key"), lambda k, m: hmac.digest(hashlib.sha256(k).digest(), m, "sha256"), True),
    ("secret on both sides of the text, no HMAC", words("hash|sha|hmac|both|plain"), plain("sha256", "kmk"), True),
    ("SHA-512/256 in the HMAC", ALGORITHM, other_hash("sha512_256"), True),
    ("an HMAC of the text in hex", words(HEX, "text|message"), lambda k, m: hmac.digest(k, m.hex().encode(), "sha256"), True),
    ("an HMAC of the text in base64", words(B64, "text|message"), lambda k, m: hmac.digest(k, base64.b64encode(m), "sha256"), True),
    ("an HMAC of the text in UTF-16", UNICODE, lambda k, m: hmac.digest(k, m.decode("utf-8", "replace").encode("utf-16-le"), "sha256"), True),
]  # fmt: skip

WRITTEN: list[tuple[str, str, Callable[[bytes], str], bool]] = [
    ("in hexadecimal", HEX, lambda o: o.hex(), False),
    ("in hexadecimal capitals", words(HEX, CASE), lambda o: o.hex().upper(), False),
    ("in base64 of MIME", words(B64, r"alphabet|padding|[+/=]"), lambda o: base64.b64encode(o).decode(), False),
    ("in base64url without padding", words(B64, "alphabet|padding"), lambda o: base64.urlsafe_b64encode(o).decode().rstrip("="), False),
    ("in base64 of its hexadecimal", words(HEX, B64), lambda o: b64(o.hex().encode()), False),
    ("without its last two characters", words(CUT, B64), lambda o: b64(o)[:-3], False),
    ("empty", words(EMPTY), lambda o: "", False),
    ("percent-encoded base64", words(PERCENT, B64), lambda o: urllib.parse.quote(b64(o), safe=""), False),
    ("base64 of base64", words(B64, DOUBLED), lambda o: b64(b64(o).encode()), True),
    ("the first half of the octets", words(CUT, "half", B64), lambda o: b64(o[:16]), True),
    ("in base32", words("base ?32|another encoding"), lambda o: base64.b32encode(o).decode(), True),
    ("in Ascii85", words("85|another encoding|alphabet"), lambda o: base64.b85encode(o).decode(), True),
    ("octets turned around", words(ORDER, "endian|revers"), lambda o: b64(o[::-1]), True),
    ("hexadecimal with 0x", words(HEX, "0x|prefix"), lambda o: "0x" + o.hex(), True),
    ("hexadecimal with dashes, as BitConverter writes it", words(HEX, "dash|-|separat"), lambda o: "-".join(f"{x:02X}" for x in o), True),
    ("as a decimal number", words("decimal|number|integer|another encoding"), lambda o: str(int.from_bytes(o, "big")), True),
    ("hexadecimal without leading zeros", words(HEX, "zero"), lambda o: "".join(f"{x:x}" for x in o), True),
    ("signed octets of Java", words("number|decimal|list"), lambda o: ",".join(str(x - 256 if x > 127 else x) for x in o), True),
]  # fmt: skip
