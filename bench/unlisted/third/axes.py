"""What happens to a secret, a host, a path, a query and a time, whatever the scheme."""

from __future__ import annotations

import base64
import codecs
import datetime as dt
import hashlib
import json
import urllib.parse
from typing import Any

from bench.unlisted.cases import (
    B64, BLANK, CASE, CUT, DOUBLED, EMPTY, HASHED, HEX, LF, MILLI, MISSING, OFF, ORDER, PERCENT, PLACEHOLDER, QUOTE,
    UNICODE,
)  # fmt: skip
from bench.unlisted.third.base import Change, words

C = Change
COMMA = r"comma|semicolon|punctuat|[,;]|trailing|at (its|the) end|surround|pasted|around"
REPR = r"b'|b\"|repr|bytes|literal|python|quot|prefix|notation"
PREFIXED = (
    r"after (another|a|more than one) word|prefix|before it|in front|name|variable|assign|=|pasted|begins|leading"
)
ADDED = r"added|appended|additional|extra|more than|surplus|not signed|one more|inserted|\| nothing|goes without|took"
FORMAT = r"date|ISO|RFC|format|text|zone|decimal|number|digits|written|unit|clock"
LOOKALIKE = r"look|alike|unicode|character|cyrillic|homoglyph|letter|ASCII|U\+"
SPECIAL = r"dollar|\$|shell|expan|interpol|variable|substitut"


def _hash(name: str, secret: str) -> str:
    return hashlib.new(name, secret.encode()).hexdigest()


# fmt: off
SECRETS = [
    C("a blank after it", words(BLANK, "pasted"), lambda s: s + " "),  # 0
    C("a blank before it", words(BLANK, "pasted"), lambda s: " " + s),
    C("the line end of echo", LF, lambda s: s + "\n"),
    C("the line end of a Windows editor", LF, lambda s: s + "\r\n"),
    C("a tab after it, from a spreadsheet", words(BLANK, r"\btab\b"), lambda s: s + "\t"),
    C("the double quotes of a .env file", QUOTE, lambda s: f'"{s}"'),  # 5
    C("the single quotes of a shell", QUOTE, lambda s: f"'{s}'"),
    C("the comma of a JSON line", COMMA, lambda s: s + ","),
    C("quotes and comma of a JSON line", words(QUOTE, COMMA), lambda s: f'"{s}",'),
    C("the semicolon of a line of code", COMMA, lambda s: s + ";"),
    C("in base64", B64, lambda s: base64.b64encode(s.encode()).decode()),  # 10
    C("in hexadecimal", HEX, lambda s: s.encode().hex()),
    C("as the hex of its SHA-256", HASHED, lambda s: _hash("sha256", s)),
    C("as the hex of its MD5", HASHED, lambda s: _hash("md5", s)),
    C("without its last character", words(CUT, "padd"), lambda s: s[:-1]),
    C("without its first character", CUT, lambda s: s[1:]),  # 15
    C("in capitals", CASE, lambda s: s.upper()),
    C("in small letters", CASE, lambda s: s.lower()),
    C("pasted twice", DOUBLED, lambda s: s + s),
    C("empty", EMPTY, lambda s: ""),
    C("None of Python", words(PLACEHOLDER, EMPTY, "none"), lambda s: "None"),  # 20
    C("undefined of JavaScript", PLACEHOLDER, lambda s: "undefined"),
    C("null of Java", words(PLACEHOLDER, "null"), lambda s: "null"),
    C("a variable that nobody expanded", PLACEHOLDER, lambda s: "${API_SECRET}", hidden=True),
    C("percent-encoded", PERCENT, lambda s: urllib.parse.quote(s, safe="")),
    C("what a shell left after the dollar", words(SPECIAL, CUT), lambda s: s.split("$")[0]),  # 25
    C("cut at the number sign, as a comment", words(CUT, r"#|comment"), lambda s: s.split("#")[0]),
    C("with the name of its variable", PREFIXED, lambda s: "API_SECRET=" + s, hidden=True),
    C("as bytes that were printed", REPR, lambda s: repr(s.encode())),
    C("the text of the documentation", words(PLACEHOLDER, "example|sample"), lambda s: "<your-secret>", hidden=True),
    C("plus read as blank", words(PERCENT, BLANK, r"\+"), lambda s: s.replace("+", " ")),  # 30
    C("base64 with the line end of the tool", words(B64, LF), lambda s: base64.encodebytes(s.encode()).decode()),
    C("upside down", words(ORDER, "revers|backward"), lambda s: s[::-1], True),
    C("in UTF-16 as Windows has it", UNICODE, lambda s: s.encode("utf-16-le").decode("latin-1"), True),
    C("with a byte order mark", words(UNICODE, "BOM|byte order mark|invisible"), lambda s: "\ufeff" + s, True),
    C("a no-break space after it", words(BLANK, "invisible"), lambda s: s + "\u00a0", True),  # 35
    C("a zero width space after it", words(BLANK, "invisible|zero"), lambda s: s + "\u200b", True),
    C("in typographic quotes", words(QUOTE, "typograph|curly"), lambda s: f"\u201c{s}\u201d", True),
    C("in base32", words("base ?32", "another encoding"), lambda s: base64.b32encode(s.encode()).decode(), True),
    C("as the hex of its SHA-1", HASHED, lambda s: _hash("sha1", s), True),
    C("as the hex of its SHA-512", HASHED, lambda s: _hash("sha512", s), True),  # 40
    C("in base64url without padding", B64, lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="), True),
    C("in hexadecimal capitals", HEX, lambda s: s.encode().hex().upper(), True),
    C("base64 twice", words(B64, DOUBLED), lambda s: base64.b64encode(base64.b64encode(s.encode())).decode(), True),
    C("the first sixteen characters", words(CUT, "16"), lambda s: s[:16], True),
    C("letters turned by thirteen", words("rot|turned|shift|alphabet|cipher"), lambda s: codecs.encode(s, "rot13"), True),
    C("capitals and small letters exchanged", CASE, lambda s: s.swapcase(), True),  # 46
    C("the two characters backslash n after it", words(LF, "escape|backslash"), lambda s: s + "\\n", True),
    C("percent-encoded twice", words(PERCENT, DOUBLED), lambda s: urllib.parse.quote(urllib.parse.quote(s, safe="")), True),
    C("the octets as numbers", "number|decimal|list|array", lambda s: ",".join(map(str, s.encode())), True),
    C("hexadecimal with colons", words(HEX, "colon"), lambda s: ":".join(f"{o:02x}" for o in s.encode()), True),  # 50
    C("the object of JavaScript", PLACEHOLDER, lambda s: "[object Object]", True),
    C("a mustache that nobody filled", PLACEHOLDER, lambda s: "{{ api_secret }}", True, hidden=True),
    C("the variable of Windows", PLACEHOLDER, lambda s: "%API_SECRET%", True, hidden=True),
    C("as a JSON member", words(QUOTE, PREFIXED, "JSON"), lambda s: json.dumps({"secret": s}), True, hidden=True),
    C("in angle brackets", r"bracket|<|angle|around|surround", lambda s: f"<{s}>", True),  # 55
    C("the quotes of YAML, escaped", words(QUOTE, "escape|backslash"), lambda s: f'\\"{s}\\"', True),
    C("the first 32 characters", words(CUT, "32"), lambda s: s[:32], True),
    C("with the word Bearer", words(PREFIXED, "Bearer|word"), lambda s: "Bearer " + s, True),
    C("in backticks of Markdown", words(QUOTE, "backtick|`|grave"), lambda s: f"`{s}`", True),
]

HOSTS = [
    C("the port 443 behind it", r"\bport\b|443", lambda h: h + ":443"),
    C("a port of development", r"\bport\b|8080", lambda h: h + ":8080"),
    C("localhost of a tunnel", r"localhost|host|internal|authority", lambda h: "localhost:3000", hidden=True),
    C("the service's name in Kubernetes", r"internal|host|authority", lambda h: "orders.default.svc.cluster.local", hidden=True),
    C("in capitals", CASE, lambda h: h.upper()),
    C("with www", r"www|host|authority|prefix", lambda h: "www." + h),  # 5
    C("the address of the container", r"address|host|authority|internal|IP", lambda h: "172.17.0.2:8000", hidden=True),
    C("the scheme before it", r"https?:|scheme|URL|origin", lambda h: "https://" + h),
    C("without its first label", r"label|host|authority|domain|cut|sub", lambda h: h.partition(".")[2]),
    C("a slash after it", r"slash|/|trailing", lambda h: h + "/"),
    C("a dot after it", r"\bdot\b|root|trailing|full stop", lambda h: h + ".", True),  # 10
    C("the port 80 behind it", r"\bport\b|:80", lambda h: h + ":80", True),
    C("the names of an ingress", r"internal|host|authority|upstream", lambda h: "upstream_orders", True, hidden=True),
    C("a mesh's address on the loopback", r"127|loopback|host|authority|internal", lambda h: "127.0.0.1:15001", True, hidden=True),
    C("empty", words(EMPTY, MISSING), lambda h: "", True),
    C("user information before it", r"user|@|host|authority", lambda h: "robot@" + h, True, hidden=True),
    C("the bare address of IPv6", r"IPv6|address|host|authority", lambda h: "[::1]:8000", True, hidden=True),
]

PATHS = [
    C("a slash at its end", "slash|/|trailing", lambda p: p + "/"),
    C("without the prefix that a gateway takes off", words(MISSING, "prefix|strip|PublicURL"), lambda p: "/" + p[1:].partition("/")[2]),
    C("with a prefix that a gateway takes off", words("prefix|strip|PublicURL", ADDED), lambda p: "/gateway" + p, hidden=True),
    C("without its first slash", words(MISSING, "slash|leading"), lambda p: p[1:]),
    C("two slashes from joining base and path", words(DOUBLED, "slash|//"), lambda p: "/" + p),
    C("in small letters", CASE, lambda p: p.lower()),  # 5
    C("in capitals", CASE, lambda p: p.upper()),
    C("decoded", PERCENT, lambda p: urllib.parse.unquote(p)),
    C("encoded once more", words(PERCENT, DOUBLED), lambda p: p.replace("%", "%25")),
    C("slashes encoded", words(PERCENT, "slash|%2F"), lambda p: "/" + urllib.parse.quote(p[1:], safe="%")),
    C("only the root", r"root|path|cut|missing|left out", lambda p: "/"),  # 10
    C("the last segment cut off", words(CUT, MISSING, "segment"), lambda p: p.rpartition("/")[0]),
    C("percent escapes in small letters", words(CASE, PERCENT), lambda p: _small(p), True),
    C("a dot segment", r"dot|\./|segment|normal", lambda p: "/." + p, True),
    C("index.php before it", r"index|prefix|path", lambda p: "/index.php" + p, True),
    C("the session id of a servlet", r"session|;|parameter|path", lambda p: p + ";jsessionid=0A1B2C3D", True, hidden=True),  # 15
    C("the stage of a gateway", r"prefix|stage|PublicURL|path", lambda p: "/prod" + p, True),
    C("two slashes in the middle", words(DOUBLED, "slash|//"), lambda p: p[0] + p[1:].replace("/", "//", 1), True),
    C("backslashes of Windows", r"backslash|\\|separator|slash", lambda p: p.replace("/", "\\"), True),
    C("blanks as plus", words(PERCENT, r"\+|plus|blank"), lambda p: p.replace("%20", "+"), True),
]


def _small(text: str) -> str:
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def _pairs(query: str) -> list[str]:
    return query.split("&")


QUERIES = [
    C("left out", words(MISSING, EMPTY, "query"), lambda q: ""),
    C("sorted by name", ORDER, lambda q: "&".join(sorted(_pairs(q)))),
    C("plus for blank", words(PERCENT, r"\+|plus|blank"), lambda q: q.replace("%20", "+")),
    C("decoded", words(PERCENT, "decod"), lambda q: urllib.parse.unquote(q)),
    C("encoded once more", words(PERCENT, DOUBLED), lambda q: q.replace("%", "%25")),
    C("an ampersand at its end", r"&|separator|ampersand|trailing|empty", lambda q: q + "&"),  # 5
    C("turned around", ORDER, lambda q: "&".join(_pairs(q)[::-1])),
    C("without its last parameter", words(MISSING, CUT), lambda q: "&".join(_pairs(q)[:-1])),
    C("only names", words(MISSING, EMPTY, "value"), lambda q: "&".join(p.partition("=")[0] for p in _pairs(q))),
    C("HTML's ampersands", r"&amp|HTML|escap|entit", lambda q: q.replace("&", "&amp;")),
    C("in small letters", CASE, lambda q: q.lower()),  # 10
    C("the colon sent bare", words(PERCENT, ":|colon|reserved"), lambda q: q.replace("%3A", ":"), True),
    C("percent escapes in small letters", words(CASE, PERCENT), lambda q: _small(q), True),
    C("semicolons between", r";|separat|semicolon", lambda q: q.replace("&", ";"), True),
    C("each parameter twice", DOUBLED, lambda q: q + "&" + q, True),
    C("as JSON", r"JSON|query|form", lambda q: json.dumps(dict(p.split("=") for p in _pairs(q))), True),  # 15
    C("commas between", r",|separat|comma", lambda q: q.replace("&", ","), True),
    C("joined with nothing", r"separat|nothing|join|between|&", lambda q: q.replace("&", ""), True),
]
CLICKS = [
    C("a campaign's parameters appended", ADDED, lambda q: q + "&utm_source=mail"),
    C("a click id appended", ADDED, lambda q: q + "&fbclid=IwAR0x1", True),
    C("a cache buster appended", ADDED, lambda q: q + "&_=1899999999123"),
]


def _utc(seconds: str) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)


TIMES: list[Change] = [
    C("in milliseconds", MILLI, lambda t: t + "000"),
    C("an hour ahead, for summer time", OFF, lambda t: str(int(t) + 3600)),
    C("two hours behind, local time taken for UTC", OFF, lambda t: str(int(t) - 7200)),
    C("ten minutes slow", OFF, lambda t: str(int(t) - 600)),
    C("a quarter of an hour fast", OFF, lambda t: str(int(t) + 1000)),
    C("as a date of ISO 8601", FORMAT, lambda t: _utc(t).strftime("%Y-%m-%dT%H:%M:%SZ")),  # 5
    C("with a fraction", words(FORMAT, r"fraction|decimal|point|\."), lambda t: t + ".123456"),
    C("a day behind", OFF, lambda t: str(int(t) - 86400)),
    C("made once when the program began", OFF, lambda t: str(int(t) - 5 * 86400 - 4711)),
    C("Pacific time taken for UTC", OFF, lambda t: str(int(t) - 8 * 3600)),
    C("in microseconds", MILLI, lambda t: t + "000000"),  # 10
    C("as a date of HTTP", FORMAT, lambda t: _utc(t).strftime("%a, %d %b %Y %H:%M:%S GMT")),
    C("the half hour of India", OFF, lambda t: str(int(t) + 19800), True),
    C("since 2001, as Apple counts", words(OFF, r"epoch|2001"), lambda t: str(int(t) - 978307200), True),
    C("since 1980, as GPS counts", words(OFF, r"epoch|1980|GPS"), lambda t: str(int(t) - 315964800), True),
    C("since 1900, as NTP counts", words(OFF, r"epoch|1900|NTP"), lambda t: str(int(t) + 2208988800), True),  # 15
    C("ticks of .NET", words(MILLI, r"tick|epoch|\.NET"), lambda t: str((int(t) + 62135596800) * 10**7), True),
    C("FILETIME of Windows", words(MILLI, r"FILETIME|epoch|1601|Windows"), lambda t: str((int(t) + 11644473600) * 10**7), True),
    C("in nanoseconds", MILLI, lambda t: t + "0" * 9, True),
    C("in hexadecimal", words(HEX, FORMAT), lambda t: f"{int(t):x}", True),
    C("in thousands with commas", words(FORMAT, ",|comma|group"), lambda t: f"{int(t):,}", True),  # 20
    C("as a float with an exponent", words(FORMAT, "exponent|scientific|float"), lambda t: f"{int(t):e}", True),
    C("in Arabic digits", words(FORMAT, UNICODE, "digit"), lambda t: "".join(chr(0x660 + int(d)) for d in t), True),
    C("zero", words(OFF, EMPTY, r"\b0\b|1970|epoch"), lambda t: "0", True),
    C("a leading zero", words(FORMAT, "zero"), lambda t: "0" + t, True),
    C("as a word", words(FORMAT, "now"), lambda t: "now", True),  # 25
    C("with a plus", words(FORMAT, r"\+|plus|sign"), lambda t: "+" + t, True),
    C("in quotes", words(QUOTE, FORMAT), lambda t: f"'{t}'", True),
    C("the Julian day number", words(OFF, FORMAT, "day|epoch"), lambda t: str(int(int(t) / 86400 + 2440587.5)), True),
]


def numbered(axis: list[Any]) -> str:
    """The names of an axis by their numbers."""
    return "\n".join(f"{number:3} {change.name}" for number, change in enumerate(axis))
