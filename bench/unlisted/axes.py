"""What people do to a secret, a hash, a proof, a body, a time, a target and a host, whatever the scheme.

Rows of (tail, name, function, what it looks like in words). A secret's function takes the text of the secret and gives the octets
that the client took for the key.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import html
import json
import random
import re
import struct
import urllib.parse
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from bench.unlisted.cases import (
    ALGORITHM, B64, BLANK, BODY, CASE, CUT, DOUBLED, EMPTY, HASHED, HEX, LF, MILLI, MISSING, OFF, ORDER, PERCENT,
    PLACEHOLDER, QUOTE, UNICODE, Kind,
)  # fmt: skip

Row = tuple[bool, str, Callable, str]


def _unhex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def unbase64(text: str) -> bytes:
    text = re.sub(r"[^A-Za-z0-9+/]", "", text.replace("-", "+").replace("_", "/"))
    return base64.b64decode(text[: len(text) // 4 * 4])


UNHEX = _unhex
SECRETS: list[Row] = [
    (False, "secret with the line break of its file", lambda s: f"{s}\n".encode(), LF),
    (False, "secret with CRLF of a Windows editor", lambda s: f"{s}\r\n".encode(), LF),
    (False, "secret copied with a blank in front", lambda s: f" {s}".encode(), BLANK),
    (False, "secret copied with a blank behind", lambda s: f"{s} ".encode(), BLANK),
    (False, "secret in the double quotes of the dotenv file", lambda s: f'"{s}"'.encode(), QUOTE),
    (False, "secret decoded from base64 first", unbase64, B64),
    (False, "secret encoded in base64 first", lambda s: base64.b64encode(s.encode()), B64),
    (False, "secret written in hex", lambda s: s.encode().hex().encode(), HEX),
    (False, "secret in capitals", lambda s: s.upper().encode(), CASE),
    (False, "secret without its last character", lambda s: s[:-1].encode(), CUT + "|padding"),
    (False, "empty secret because the variable was not there", lambda s: b"", EMPTY + "|unset|variable"),
    (True, "secret in single quotes", lambda s: f"'{s}'".encode(), QUOTE),
    (True, "secret in typographic quotes of a chat", lambda s: f"\u201c{s}\u201d".encode(), QUOTE),
    (True, "secret after a byte order mark", lambda s: b"\xef\xbb\xbf" + s.encode(), r"byte order|BOM|U\+FEFF|feff"),
    (True, "secret before a no-break space of a web page", lambda s: f"{s}\u00a0".encode(), BLANK),
    (
        True,
        "secret with a zero-width space",
        lambda s: f"{s}\u200b".encode(),
        r"zero.?width|invisible|U\+200B|200b|blank|space",
    ),
    (True, "secret with a tab of a spreadsheet", lambda s: f"{s}\t".encode(), r"\btab|white|blank|\\t"),
    (True, "secret with the NUL of a C string", lambda s: s.encode() + b"\0", r"\bNUL|zero octet|\\x00|\\0"),
    (True, "secret as UTF-16LE by PowerShell", lambda s: s.encode("utf-16-le"), "UTF-?16|unicode"),
    (True, "secret as UTF-16 with its mark by C#", lambda s: s.encode("utf-16"), "UTF-?16|unicode"),
    (True, "secret percent-encoded", lambda s: urllib.parse.quote(s + "", safe="").encode(), PERCENT),
    (True, "secret with HTML entities", lambda s: html.escape(s).encode(), r"html|entit|escap"),
    (True, "secret as a JSON text with its quotes", lambda s: json.dumps(s).encode(), QUOTE + "|json"),
    (True, "secret as Python writes bytes", lambda s: repr(s.encode()).encode(), r"b'|repr|python|quot|bytes"),
    (True, "secret hashed with SHA-256 to raw octets", lambda s: hashlib.sha256(s.encode()).digest(), HASHED),
    (True, "secret hashed with SHA-256 to hex", lambda s: hashlib.sha256(s.encode()).hexdigest().encode(), HASHED),
    (True, "secret hashed with MD5 to hex by PHP", lambda s: hashlib.md5(s.encode()).hexdigest().encode(), HASHED),
    (
        True,
        "secret with its variable's name in front",
        lambda s: f"SECRET={s}".encode(),
        r"name|SECRET=|prefix|variable|front",
    ),
    (
        True,
        "secret with a semicolon of source code",
        lambda s: f"{s};".encode(),
        r"semicolon|trailing|at (its|the) end|one character",
    ),
    (
        True,
        "secret with a comma of a list",
        lambda s: f"{s},".encode(),
        r"comma|trailing|at (its|the) end|one character",
    ),
    (True, "secret pasted twice", lambda s: (s + s).encode(), DOUBLED),
    (True, "secret without its first character", lambda s: s[1:].encode(), CUT),
    (True, "secret in small letters", lambda s: s.lower().encode(), CASE),
    (True, "secret decoded from hex", _unhex, HEX),
    (True, "secret in URL-safe base64", lambda s: base64.urlsafe_b64encode(s.encode()).rstrip(b"="), B64),
    (True, "secret in base64 of a Kubernetes echo", lambda s: base64.b64encode(s.encode() + b"\n"), B64),
    (True, "secret twice in base64", lambda s: base64.b64encode(base64.b64encode(s.encode())), B64),
    (True, "secret is the text undefined", lambda s: b"undefined", PLACEHOLDER),
    (True, "secret is the text None", lambda s: b"None", PLACEHOLDER + r"|\bNone\b"),
    (True, "secret filled with blanks to 64", lambda s: s.ljust(64).encode(), BLANK + "|fill|pad"),
    (True, "secret reversed by an endian conversion", lambda s: s.encode()[::-1], r"revers|backward|endian|order"),
    (True, "secret cut at 16 octets", lambda s: s.encode()[:16], CUT + "|16"),
    (True, "secret with the backslash of a shell", lambda s: f"{s}\\".encode(), r"backslash|escap"),
    (True, "secret with a literal backslash and n", lambda s: f"{s}\\n".encode(), r"backslash|\\n|escap|line"),
    (True, "secret in angle brackets of the manual", lambda s: f"<{s}>".encode(), r"bracket|angle|placeholder"),
    (True, "secret's base64 padding taken off", lambda s: s.rstrip("=").encode(), r"padd|base64"),
]


def mac(algorithm: str) -> Callable[[bytes, bytes], bytes]:
    return lambda key, text: hmac.digest(key, text, algorithm)


def _sandwich(key: bytes, text: bytes) -> bytes:
    return hashlib.sha256(key + text + key).digest()


HASHES: list[Row] = [
    (False, "HMAC with SHA-1", mac("sha1"), ALGORITHM),
    (False, "HMAC with SHA-512", mac("sha512"), ALGORITHM),
    (False, "HMAC with MD5", mac("md5"), ALGORITHM),
    (False, "no HMAC but SHA-256 of key and text", lambda k, t: hashlib.sha256(k + t).digest(), ALGORITHM),
    (False, "no HMAC but SHA-256 of text and key", lambda k, t: hashlib.sha256(t + k).digest(), ALGORITHM),
    (False, "key and text exchanged", lambda k, t: hmac.digest(t, k, "sha256"), r"exchang|swap|role|key.*(text|message|string)"),
    (False, "plain SHA-256 without the key", lambda k, t: hashlib.sha256(t).digest(), r"without (a|the|any) key|no key|plain|unkeyed|hash"),
    (True, "HMAC with SHA-384", mac("sha384"), ALGORITHM),
    (True, "HMAC with SHA-224", mac("sha224"), ALGORITHM),
    (True, "HMAC with SHA3-256", mac("sha3_256"), ALGORITHM),
    (True, "HMAC with SHA-512/256", mac("sha512_256"), ALGORITHM),
    (True, "HMAC of the text's hash", lambda k, t: hmac.digest(k, hashlib.sha256(t).digest(), "sha256"), HASHED),
    (True, "HMAC of the text's hex hash", lambda k, t: hmac.digest(k, hashlib.sha256(t).hexdigest().encode(), "sha256"), HASHED),
    (True, "the HMAC hashed once more", lambda k, t: hashlib.sha256(hmac.digest(k, t, "sha256")).digest(), HASHED + "|" + DOUBLED),
    (True, "HMAC of the HMAC", lambda k, t: hmac.digest(k, hmac.digest(k, t, "sha256"), "sha256"), DOUBLED + "|hmac of"),
    (True, "SHA-256 with the key on both sides", _sandwich, ALGORITHM),
    (True, "SHA-256 of key, colon and text", lambda k, t: hashlib.sha256(k + b":" + t).digest(), ALGORITHM),
    (True, "HMAC cut to 16 octets", lambda k, t: hmac.digest(k, t, "sha256")[:16], CUT + "|16|octets"),
    (True, "HMAC of the text in base64", lambda k, t: hmac.digest(k, base64.b64encode(t), "sha256"), B64),
    (True, "HMAC of the text as UTF-16LE", lambda k, t: hmac.digest(k, t.decode("latin-1").encode("utf-16-le"), "sha256"), "UTF-?16"),
    (True, "HMAC of the text in hex", lambda k, t: hmac.digest(k, t.hex().encode(), "sha256"), HEX),
    (True, "keyed BLAKE2b of 32 octets", lambda k, t: hashlib.blake2b(t, key=k[:64], digest_size=32).digest(), r"blake|hash|algorithm"),
    (True, "CRC-32 for a MAC", lambda k, t: struct.pack(">I", zlib.crc32(k + t)), r"length|octets|short|crc|32|characters"),
    (True, "HMAC of the text and a line break", lambda k, t: hmac.digest(k, t + b"\n", "sha256"), LF),
    (True, "HMAC of the text in small letters", lambda k, t: hmac.digest(k, t.lower(), "sha256"), CASE),
    (True, "HMAC of the stripped text", lambda k, t: hmac.digest(k, t.strip(), "sha256"), LF + "|" + BLANK),
    (True, "HMAC of the text with CRLF for each line break", lambda k, t: hmac.digest(k, t.replace(b"\n", b"\r\n"), "sha256"), r"CR ?LF|\\r|carriage|line"),
    (True, "HMAC of the text with a byte order mark", lambda k, t: hmac.digest(k, b"\xef\xbb\xbf" + t, "sha256"), r"byte order|BOM|FEFF"),
    (True, "HMAC of the text with its NUL", lambda k, t: hmac.digest(k, t + b"\0", "sha256"), r"\bNUL|zero|\\x00"),
    (True, "HMAC of the text read as Latin-1 and written as UTF-8", lambda k, t: hmac.digest(k, t.decode("latin-1").encode(), "sha256"), UNICODE + "|twice"),
]  # fmt: skip


def proofs(spell: Callable[[bytes], str]) -> list[Row]:
    """What is done to the octets of a signature; `spell` is how the scheme writes them."""
    return [
        (False, "signature in hex", lambda b: b.hex(), HEX),
        (False, "signature in capital hex", lambda b: b.hex().upper(), HEX + "|" + CASE),
        (False, "signature in standard base64", lambda b: base64.b64encode(b).decode(), B64 + "|alphabet|pad"),
        (False, "signature in URL-safe base64 without padding", lambda b: base64.urlsafe_b64encode(b).decode().rstrip("="), B64 + "|alphabet|pad"),
        (False, "signature in base64 of the hex text", lambda b: base64.b64encode(b.hex().encode()).decode(), HEX + "|" + B64 + "|" + DOUBLED),
        (False, "signature cut at its end", lambda b: spell(b)[:-3], CUT),
        (False, "signature with a blank behind it", lambda b: spell(b) + " ", BLANK),
        (True, "signature twice encoded", lambda b: base64.b64encode(spell(b).encode()).decode(), DOUBLED + "|" + B64),
        (True, "signature percent-encoded", lambda b: urllib.parse.quote(spell(b), safe="").replace("-", "%2D"), PERCENT),
        (True, "signature with its octets in reverse", lambda b: spell(b[::-1]), r"revers|backward|endian|order"),
        (True, "signature in the quotes of JSON", lambda b: f'\\"{spell(b)}\\"', QUOTE + r"|escap|\\\\"),
        (True, "signature with 0x in front", lambda b: f"0x{b.hex()}", HEX + "|0x"),
        (True, "signature with dashes of BitConverter", lambda b: b.hex("-").upper(), HEX + "|dash|hyphen|separator|with - in it"),
        (True, "signature with colons as fingerprints have", lambda b: b.hex(":"), HEX + "|colon|with : in it"),
        (True, "signature as Java prints a byte array", lambda b: str([o - 256 if o > 127 else o for o in b]), r"list|array|decimal|bracket|malformed|alphabet"),
        (True, "signature as Python writes bytes", lambda b: repr(spell(b).encode()), r"b'|repr|python|quot"),
        (True, "signature in base32", lambda b: base64.b32encode(b).decode(), r"base ?-?32"),
        (True, "signature as a decimal number", lambda b: str(int.from_bytes(b, "big")), r"decimal|number|integer"),
        (True, "signature after an algorithm's name", lambda b: f"sha256:{spell(b)}", r"sha256|prefix|name|front"),
        (True, "signature with octets read as Latin-1 text", lambda b: base64.b64encode(b.decode("latin-1").encode()).decode(), UNICODE),
        (True, "signature with octets that UTF-8 could not read", lambda b: base64.b64encode(b.decode(errors="replace").encode()).decode(), UNICODE + "|replace|FFFD"),
        (True, "signature half of it", lambda b: spell(b[: len(b) // 2]), CUT + "|half"),
        (True, "signature written twice", lambda b: spell(b) * 2, DOUBLED),
        (True, "signature in reversed case", lambda b: spell(b).swapcase(), CASE),
        (True, "signature in asterisks of Markdown", lambda b: f"**{spell(b)}**", r"asterisk|\*|markdown|around|surround"),
        (True, "signature in Ascii85", lambda b: base64.a85encode(b).decode().replace('"', "'").replace("\\", "/"), r"85|alphabet|malformed|base"),
    ]  # fmt: skip


def _loads(body: bytes) -> object:
    return json.loads(body)


def _compact(body: bytes, **options: object) -> bytes:
    return json.dumps(_loads(body), separators=(",", ":"), ensure_ascii=False, **options).encode()


def _map(value: object, change: Callable) -> object:
    if isinstance(value, dict):
        return change({k: _map(v, change) for k, v in value.items()})
    return [_map(v, change) for v in value] if isinstance(value, list) else change(value)


_JSON = BODY + "|member|number|space|serial"
BODIES: list[Row] = [
    (False, "body written anew with blanks by json.dumps", lambda b: json.dumps(_loads(b)).encode(), r"json|space|blank|escape|number"),
    (False, "body written anew with sorted members", lambda b: _compact(b, sort_keys=True), r"json|order|sort|number"),
    (False, "body written anew compact by JSON.stringify", _compact, r"json|number"),
    (False, "body with non-ASCII characters escaped", lambda b: json.dumps(_loads(b), separators=(",", ":")).encode(), r"json|escap"),
    (False, "body with a line break at its end", lambda b: b + b"\n", LF),
    (False, "body printed with indentation", lambda b: json.dumps(_loads(b), indent=2, ensure_ascii=False).encode(), r"json|indent|space|pretty"),
    (False, "no body at all", lambda b: b"", EMPTY),
    (False, "body in base64", base64.b64encode, B64),
    (True, "body written anew with escaped slashes by PHP", lambda b: json.dumps(_loads(b), separators=(",", ":")).replace("/", "\\/").encode(), r"json|slash|escap"),
    (True, "body with escaped angle brackets by Go", lambda b: _compact(b).replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026"), r"json|escap|html"),
    (True, "body as Python prints the object", lambda b: str(_loads(b)).encode(), r"python|repr|quot|json|dict"),
    (True, "body is [object Object]", lambda b: b"[object Object]", r"object|javascript|string"),
    (True, "body in UTF-16LE", lambda b: b.decode().encode("utf-16-le"), r"utf-?16|character"),
    (True, "body in Latin-1", lambda b: b.decode().encode("latin-1"), r"latin|8859|character|charset"),
    (True, "body read as Latin-1 and written as UTF-8", lambda b: b.decode("latin-1").encode(), r"latin|8859|utf|mojibake|character"),
    (True, "body with a byte order mark", lambda b: b"\xef\xbb\xbf" + b, r"byte order|BOM"),
    (True, "body gzipped", lambda b: gzip.compress(b, mtime=0), r"gzip|content[- ]coding|compress|encoding"),
    (True, "body deflated", lambda b: zlib.compress(b), r"deflate|zlib|content[- ]coding|compress"),
    (True, "body without the members that are null", lambda b: _compact(json.dumps(_map(_loads(b), lambda v: {k: x for k, x in v.items() if x is not None} if isinstance(v, dict) else v)).encode()), r"null|member|json"),
    (True, "body as a JSON text in JSON", lambda b: json.dumps(b.decode()).encode(), r"json|quot|twice|text|string"),
    (True, "body with HTML entities", lambda b: html.escape(b.decode()).encode(), r"html|entit|escap"),
    (True, "body in hex", lambda b: b.hex().encode(), HEX),
    (True, "body's hash in hex for the body", lambda b: hashlib.sha256(b).hexdigest().encode(), HASHED),
    (True, "body with CRLF at its end", lambda b: b + b"\r\n", LF),
    (True, "body with its NUL", lambda b: b + b"\0", r"\bNUL|zero|\\x00"),
    (True, "body percent-encoded", lambda b: urllib.parse.quote(b).encode(), PERCENT),
    (True, "body without any blank", lambda b: b.replace(b" ", b""), r"blank|space|white"),
    (True, "body in single quotes of curl -d", lambda b: b"'" + b + b"'", QUOTE),
    (True, "body with its characters decomposed", lambda b: b.replace("\u00eb".encode(), "e\u0308".encode()), r"unicode|NF|compos|normal|accent"),
    (True, "body's first kilobyte read into a buffer of NULs", lambda b: b.ljust(1024, b"\0")[:1024], r"NUL|zero|pad|fill"),
    (True, "body as a form of its members", lambda b: urllib.parse.urlencode(_loads(b)).encode(), r"form|url"),
    (True, "body wrapped in a data member", lambda b: b'{"data":' + b + b"}", r"wrap|data|member|json"),
    (True, "body as a list of itself", lambda b: b"[" + b + b"]", r"wrap|list|array|json"),
    (True, "body empty object for none", lambda b: b"{}", r"\{\}|empty"),
    (True, "body is null", lambda b: b"null", r"null|empty"),
    (True, "body with single quotes for double ones", lambda b: b.replace(b'"', b"'"), QUOTE),
    (True, "body cut at 64 octets", lambda b: b[:64], CUT + "|64|begin|prefix|first"),
]  # fmt: skip


def stamp(seconds: float, pattern: str, zone: timezone = UTC) -> str:
    return datetime.fromtimestamp(seconds, zone).strftime(pattern)


# of the seconds since 1970, the text that was written for them
STAMPS: list[Row] = [
    (False, "time in milliseconds", lambda s: str(s * 1000 + 417), MILLI),
    (False, "time as ISO 8601", lambda s: stamp(s, "%Y-%m-%dT%H:%M:%SZ"), r"iso|8601|3339|text|date|decimal|digit|format|number|seconds"),
    (False, "time with a fraction", lambda s: f"{s}.482913", r"fraction|decimal|digit|integer|point|\.\d"),
    (False, "time as an HTTP date", lambda s: stamp(s, "%a, %d %b %Y %H:%M:%S GMT"), r"date|text|decimal|digit|format|number|seconds"),
    (False, "time is a placeholder", lambda s: "{{$timestamp}}", PLACEHOLDER + r"|\{\{|digit|decimal|number"),
    (True, "time in microseconds", lambda s: str(s * 1_000_000 + 8), MILLI),
    (True, "time in nanoseconds by Go", lambda s: str(s * 10**9 + 31), MILLI),
    (True, "time in .NET ticks", lambda s: str((s + 62_135_596_800) * 10**7), r"tick|unit|\.net|year 1|0001|1601|digits|number|future"),
    (True, "time in Windows file time", lambda s: str((s + 11_644_473_600) * 10**7), r"file ?time|1601|windows|unit|digits|number|future"),
    (True, "time since 2001 by Apple", lambda s: str(s - 978_307_200), r"2001|apple|epoch|reference|1970"),
    (True, "time in minutes", lambda s: str(s // 60), r"minute|unit"),
    (True, "time in hex", lambda s: hex(s), HEX + r"|0x|digit|decimal|number"),
    (True, "time in thousands with separators", lambda s: f"{s:,}", r"separator|comma|digit|decimal|number"),
    (True, "time with a plus sign", lambda s: f"+{s}", r"sign|plus|\+|digit|decimal"),
    (True, "time with leading zeros", lambda s: f"{s:012d}", r"zero"),
    (True, "time in scientific notation by awk", lambda s: f"{s:e}", r"exponent|scientific|digit|decimal|number|e\+"),
    (True, "time is NaN", lambda s: "NaN", r"NaN|number|digit|decimal"),
    (True, "time as ISO 8601 without zone", lambda s: stamp(s, "%Y-%m-%d %H:%M:%S"), r"iso|8601|text|date|decimal|digit|format|number"),
    (True, "time in days of Excel", lambda s: str(25569 + s // 86400), r"day|excel|1900|unit|old|expired|past"),
]  # fmt: skip


def clocks(r: random.Random) -> list[tuple[bool, str, int, str]]:
    """By how many seconds the client's clock was off."""
    return [
        (False, "clock some minutes behind", -r.randrange(1000, 2400), OFF),
        (False, "clock some minutes ahead", r.randrange(1000, 2400), OFF),
        (False, "clock in a zone east", 3600 * r.randrange(1, 12), OFF),
        (False, "clock in a zone west", -3600 * r.randrange(1, 10), OFF),
        (True, "clock reset to 1970", -int(1.9e9) + r.randrange(10**6), OFF + "|1970"),
        (True, "clock a day behind", -86400 - r.randrange(60), OFF + "|day"),
        (True, "clock a year ahead", 365 * 86400, OFF + "|year|day"),
        (True, "clock in a zone of half an hour", 5 * 3600 + 1800, OFF),
    ]


TARGETS: list[Row] = [
    (False, "target without its query", lambda t: t.partition("?")[0], r"query"),
    (False, "target decoded before signing", urllib.parse.unquote, PERCENT),
    (False, "target with + for %20", lambda t: t.replace("%20", "+"), r"plus|%20|space|blank|encod"),
    (False, "target with a slash at the end of its path", lambda t: t.replace("?", "/?", 1), r"slash"),
    (False, "target without the slash at its begin", lambda t: t[1:], r"slash"),
    (False, "target encoded twice", lambda t: t.replace("%", "%25"), DOUBLED + "|" + PERCENT),
    (False, "query in another order", lambda t: t.partition("?")[0] + "?" + "&".join(sorted(t.partition("?")[2].split("&"))), ORDER),
    (False, "target without the version in front", lambda t: "/" + t.split("/", 2)[2], r"prefix|path|/v|/api"),
    (True, "target in small letters", lambda t: t.lower(), CASE),
    (True, "target with a fragment", lambda t: t + "#top", r"fragment|#"),
    (True, "target with a doubled slash by a joiner", lambda t: "/" + t, r"slash"),
    (True, "target without the question mark", lambda t: t.replace("?", "", 1), r"\?|question|query|mark"),
    (True, "target of an index file", lambda t: t.replace("?", "/index.php?", 1), r"index"),
    (True, "target with an empty query at the end", lambda t: t + "&", r"ampersand|empty|separator|trailing"),
    (True, "target with semicolons for ampersands", lambda t: t.replace("&", ";"), r"semicolon|separator"),
    (True, "target with HTML's &amp;", lambda t: t.replace("&", "&amp;"), r"amp|html|entit|escap"),
    (True, "target fully percent-encoded", lambda t: urllib.parse.quote(t, safe=""), PERCENT),
    (True, "target with a cache buster", lambda t: t + "&_=1899999999", r"query|parameter|added|append|&_"),
    (True, "target in a stage of a gateway", lambda t: "/prod" + t, r"prefix|/prod|path"),
    (True, "target without the query's last parameter", lambda t: t.rpartition("&")[0], r"query|parameter"),
    (True, "target with small hex digits", lambda t: t.replace("%20", "%2f%20").replace("%2f", ""), PERCENT),
    (True, "query sorted backwards", lambda t: t.partition("?")[0] + "?" + "&".join(sorted(t.partition("?")[2].split("&"))[::-1]), ORDER),
]  # fmt: skip

HOSTS: list[Row] = [
    (False, "host with the default port", lambda h: f"{h}:443", r"port|443"),
    (False, "host of localhost", lambda h: "localhost:8000", r"localhost|host|authority"),
    (False, "host in capitals", str.upper, CASE),
    (False, "host with the scheme in front", lambda h: f"https://{h}", r"https://|scheme|origin|url"),
    (True, "host with a dot at the end", lambda h: f"{h}.", r"dot"),
    (True, "host with www in front", lambda h: f"www.{h}", r"www"),
    (True, "host with port 8443", lambda h: f"{h}:8443", r"port|8443"),
    (True, "host of the address", lambda h: "10.0.3.17", r"10\.0\.3\.17|address"),
    (True, "host of a mesh", lambda h: "orders.default.svc.cluster.local", r"svc|cluster|internal|host"),
    (True, "host with the user in front", lambda h: f"user@{h}", r"user|@"),
    (True, "host without its first label", lambda h: h.partition(".")[2], r"label|host|authority|domain"),
    (True, "host is empty", lambda h: "", EMPTY),
    (True, "host with a slash behind", lambda h: f"{h}/", r"slash"),
]

METHODS: list[Row] = [
    (False, "method in small letters", str.lower, CASE),
    (False, "method GET for POST", lambda m: "GET" if m != "GET" else "POST", r"\bGET\b|\bPOST\b|method"),
    (True, "method with a capital only", str.title, CASE),
    (True, "method as an enum prints itself", lambda m: f"HttpMethod.{m}", r"HttpMethod|enum"),
    (True, "method left empty", lambda m: "", EMPTY),
    (True, "method with a blank behind", lambda m: m + " ", BLANK),
]


def ahead(seconds: float, hours: int) -> str:
    return stamp(seconds, "%Y%m%dT%H%M%SZ", timezone(timedelta(hours=hours)))


__all__ = [
    "BODIES",
    "HASHES",
    "HOSTS",
    "METHODS",
    "MISSING",
    "ORDER",
    "SECRETS",
    "STAMPS",
    "TARGETS",
    "clocks",
    "kinds",
    "mac",
    "proofs",
]


UNKNOWABLE = dict.fromkeys(
    ("host of the address", "host of a mesh", "target with a cache buster"),
    "what was signed is nowhere in the request, and no guess",
)


def kinds(
    scheme: str, axis: list[Row], part: str, make: Callable, never: tuple[str, ...] = (), prefix: str = ""
) -> list[Kind]:
    """The kinds of an axis in one scheme: `make(random, function)` makes the case."""
    return [
        Kind(scheme, prefix + name, tail, part, what, lambda r, f=f: make(r, f), never, UNKNOWABLE.get(name, ""))
        for tail, name, f, what in axis
    ]
