"""Mistakes of clients of Basic (RFC 7617): a user, a cheap stored hash, and what became of name and password."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import random
import unicodedata
import urllib.parse
from collections.abc import Callable
from typing import Any

from bench.unlisted.cases import (
    B64, BLANK, CASE, CUT, DOUBLED, EMPTY, FALSE_CLOCK, HASHED, HEX, LF, MISSING, NOW, PERCENT, PLACEHOLDER, QUOTE, UNICODE,
    Case, Kind, Steps, host, path, token, word, world,
)  # fmt: skip
from watchword import BasicVerifier, Guard, Password, Policy, Request
from watchword.core.records import Put, Ref
from watchword.stores import MemoryStore

S = "basic"
USER = r"user|name"
PASSWORD = r"password|pass\b"
FORM = r"authori|credential|format|grammar|base64|scheme|word|encod"
PLACE = r"place|field|header|cookie|query|authori[sz]ation|proxy|body|\burl|userinfo"
FALSE = (r"no (such )?user|unknown user", FALSE_CLOCK)
PLAIN_SYMBOLS = "!#$*+-_.~"


def draw(r: random.Random, username: str = "", password: str = "") -> Any:
    return world(
        r=r, username=username or f"{word(r)}{r.choice(['.', '_', ''])}{word(r, 2)}", host=host(r), target=path(r),
        password=password or f"{word(r).title()}{r.choice(PLAIN_SYMBOLS)}{token(r, r.randrange(4, 7))}{r.choice(PLAIN_SYMBOLS)}{word(r, 2)}",
        other=f"{word(r)}{token(r, 6)}", colleague=word(r),
    )  # fmt: skip


def _hash(password: str) -> str:
    salt = b"0123456789abcdef"
    made = hashlib.pbkdf2_hmac("sha256", unicodedata.normalize("NFC", password).encode(), salt, 1000)
    salted, tag = (base64.b64encode(part).decode().rstrip("=").replace("+", ".") for part in (salt, made))
    return f"$pbkdf2-sha256$1000${salted}${tag}"


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    pair = step("pair", f"{step('username', w.username)}:{step('password', w.password)}")
    octets = step("octets", pair.encode("utf-8", "surrogateescape"))
    written = step("written", base64.b64encode(octets).decode())
    value = step("field", f"Basic {written}")
    headers = step("headers", [("Accept", "*/*"), ("Authorization", value)])
    return Request("GET", "https", w.host, step("target", w.target), headers), step("body", b""), written


def case(r: random.Random, table: dict[str, Callable], drawn: Any = None) -> Case:
    w = drawn or draw(r)
    _, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    store = MemoryStore(clock=lambda: NOW)
    for name, password in ((w.username, w.password), (w.colleague, w.other)):
        store.commit([Put(Ref(Password, (name,)), Password(_hash(password)))])
    guard = Guard([BasicVerifier(realm="orders", rehash=None)], store, policy=Policy(clock=lambda: NOW))
    return Case(request, guard, body, NOW, [w.password.encode(), w.other.encode()], [proof.encode()])


def row(
    name: str, part: str, what: str, table: Any, tail: bool = False, never: tuple[str, ...] = FALSE, **more: Any
) -> Kind:
    if PASSWORD not in part:
        never = (*never, r"the stored one \| another one", r"password[^|]*(differs|is wrong)")
    undecidable, drawn = more.pop("undecidable", ""), more.pop("drawn", None)

    def make(r: random.Random) -> Case | None:
        return case(r, table(r) if callable(table) else table, drawn(r) if drawn else None)

    return Kind(S, name, tail, part, what, make, never, undecidable)


def _u(change: Callable) -> dict[str, Callable]:
    return {"username": lambda v, w: change(v)}


def _p(change: Callable) -> dict[str, Callable]:
    return {"password": lambda v, w: change(v)}


def _f(change: Callable) -> dict[str, Callable]:
    return {"field": lambda v, w: change(v)}


def _o(change: Callable) -> dict[str, Callable]:
    return {"octets": lambda v, w: change(v)}


def _w(change: Callable) -> dict[str, Callable]:
    return {"written": lambda v, w: change(v)}


def _placed(name: str, change: Callable = lambda value: value) -> dict[str, Callable]:
    return {"headers": lambda headers, w: [(n, v) if n != "Authorization" else (name, change(v)) for n, v in headers]}


ACCENTED = ("Gr\u00fc\u00dfe", "Caf\u00e9", "Ni\u00f1o", "\u00c5ngstr\u00f6m")
ACCENTED_NAMES = ("jos\u00e9", "ren\u00e9e", "zo\u00eb", "s\u00f8ren")


def _accents(r: random.Random) -> Any:
    return draw(r, password=f"{r.choice(ACCENTED)}-{token(r, 6)}-{word(r, 2)}")


def _accent_name(r: random.Random) -> Any:
    return draw(r, username=r.choice(ACCENTED_NAMES) + word(r, 2))


def _symbols(r: random.Random) -> Any:
    return draw(r, password=f"{word(r)}{r.choice('&<%+/')}{token(r, 5)}&{word(r, 2)}{r.choice('@ #?')}{token(r, 3)}")


def _swapcase_typo(r: random.Random, text: str) -> str:
    at = r.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _keyboard(one: str, two: str) -> Callable:
    return lambda text: text.translate(str.maketrans(one + one.upper(), two + two.upper()))


KEYBOARD = r"keyboard|layout"
COMMON = [
    row("not encoded at all", FORM, r"base64|not encoded|plain|encod", _w(lambda v: base64.b64decode(v).decode())),
    row("encoded twice", FORM, DOUBLED, _w(lambda v: base64.b64encode(v.encode()).decode())),
    row("line break in what was encoded by echo", PASSWORD + "|line", LF, _o(lambda b: b + b"\n")),
    row("CRLF in what was encoded", PASSWORD + "|line", LF, _o(lambda b: b + b"\r\n")),
    row("URL-safe alphabet", FORM, r"alphabet|base64", _w(lambda v: v.replace("+", "-").replace("/", "_").rstrip("=")), drawn=lambda r: draw(r, password="??>>" + token(r, 9) + "~~")),
    row("padding taken off", FORM, r"padd|base64", _w(lambda v: v.rstrip("="))),
    row("in hex", FORM, HEX, _w(lambda v: base64.b64decode(v).hex())),
    row("scheme word missing", FORM, r"scheme|word|missing|without|Basic", _f(lambda v: v[6:])),
    row("scheme word Bearer", FORM, r"Bearer|scheme|word", _f(lambda v: "Bearer " + v[6:])),
    row("scheme word doubled", FORM, DOUBLED + "|scheme word", _f(lambda v: "Basic " + v)),
    row("scheme word with a colon", FORM, r"colon|scheme|word", _f(lambda v: "Basic: " + v[6:])),
    row("scheme word without a blank", FORM, r"blank|space|scheme|word", _f(lambda v: "Basic" + v[6:])),
    row("scheme word misspelled", FORM, r"misspell|spell|scheme|word|Baisc", _f(lambda v: "Baisc " + v[6:])),
    row("field in quotes", FORM, QUOTE, _f(lambda v: f'"{v}"')),
    row("credentials in quotes", FORM, QUOTE, _f(lambda v: f'Basic "{v[6:]}"')),
    row("password only", FORM + "|" + USER + "|colon", r"colon|user|name", {"pair": lambda v, w: w.password}),
    row("username only", FORM + "|" + PASSWORD + "|colon", r"colon|password", {"pair": lambda v, w: w.username}),
    row("empty password", PASSWORD, EMPTY, _p(lambda v: "")),
    row("empty username", USER, EMPTY, _u(lambda v: "")),
    row("username and password exchanged", USER + "|" + PASSWORD, r"exchang|swap|revers", {"pair": lambda v, w: f"{w.password}:{w.username}"}),
    row("a blank behind the colon", PASSWORD, BLANK, {"pair": lambda v, w: v.replace(":", ": ", 1)}),
    row("a blank behind the password", PASSWORD, BLANK, _p(lambda v: v + " ")),
    row("a blank behind the username", USER, BLANK, _u(lambda v: v + " ")),
    row("semicolon for the colon", FORM + "|colon|separat|" + USER, r"colon|separat|than :", {"pair": lambda v, w: v.replace(":", ";", 1)}),
    row("username in capitals", USER, CASE, _u(str.upper)),
    row("username with a capital", USER, CASE, _u(str.title)),
    row("password typed with caps lock", PASSWORD, CASE + "|caps", _p(str.swapcase)),
    row("password in capitals", PASSWORD, CASE, _p(str.upper), undecidable="which letters were capitals is known to the hash alone, and there are more ways than the bound on hashes allows"),
    row("password's first letter in small", PASSWORD, CASE, _p(lambda v: v[0].lower() + v[1:])),
    row("password in quotes", PASSWORD, QUOTE, _p(lambda v: f'"{v}"')),
    row("password in single quotes", PASSWORD, QUOTE, _p(lambda v: f"'{v}'")),
    row("password percent-encoded", PASSWORD, PERCENT, _p(lambda v: urllib.parse.quote(v, safe="")), drawn=_symbols),
    row("password in Latin-1", PASSWORD + "|charset|encod|octets|utf", UNICODE, {"octets": lambda b, w: b.decode().encode("latin-1")}, drawn=_accents),
    row("password decomposed by a Mac", PASSWORD, UNICODE, lambda r: {"octets": lambda b, w: unicodedata.normalize("NFKD", b.decode()).encode("latin-1", "ignore")}, drawn=_accents, undecidable="the accents were dropped, and this is one of any number of spellings"),
    row("unknown user", USER, r"unknown|no (such )?user|not (in|a|known)|user of the store", lambda r: _u(lambda v, n=word(r): n), never=()),
    row("password of another user", PASSWORD, r"another|other|different|stored|differs|user", {"password": lambda v, w: w.other}, never=()),
    row("password arbitrary", PASSWORD, r"another|differs|wrong|stored", lambda r: _p(lambda v, n=token(r, 11): n), never=()),
    row("password without its last character", PASSWORD, CUT + "|one character|last character", _p(lambda v: v[:-1]), undecidable="the lost character is one of a hundred, more than the bound on hashes allows"),
    row("password with a character too many", PASSWORD, r"one character|too many|additional|extra|longer|more", lambda r: _p(lambda v, n=token(r, 1): v + n)),
    row("a variable for the credentials", FORM, PLACEHOLDER + r"|\$|variable", _w(lambda v: "${BASIC_AUTH}")),
    row("username is a variable", USER, PLACEHOLDER, _u(lambda v: "${API_USER}")),
    row("password is a variable", PASSWORD, PLACEHOLDER, _p(lambda v: "$API_PASSWORD")),
    row("password is undefined", PASSWORD, PLACEHOLDER, _p(lambda v: "undefined")),
    row("in X-Authorization", PLACE, r"x-authorization", _placed("X-Authorization")),
    row("in Proxy-Authorization", PLACE, r"proxy-authorization", _placed("Proxy-Authorization")),
    row("in Authentication", PLACE, r"authentication", _placed("Authentication")),
    row("in a cookie", PLACE, r"cookie", _placed("Cookie", lambda v: "theme=dark; auth=" + v[6:])),
    row("in the query", PLACE, r"query", {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"{t}?auth={compute(w, Steps(w, {}))[2]}"}),
    row("no credentials at all", r"credential|authori", r"no cred|carries no|" + MISSING, {"headers": lambda hs, w: hs[:1]}),
    row("two Authorization lines", r"authori|line|field", r"two|twice|2|several|more than one|repeated|lines", {"headers": lambda hs, w: [*hs, hs[1]]}),
    row("username with the realm's domain in front", USER, r"domain|\\\\|prefix|unknown|front|backslash", lambda r: _u(lambda v, d=word(r).upper(): f"{d}\\{v}"), never=()),
    row("username as a mail address", USER, r"@|mail|domain|suffix", lambda r: _u(lambda v, d=word(r): f"{v}@{d}.example"), never=()),
]  # fmt: skip

TAIL = [
    row("password with a byte order mark", PASSWORD + "|" + USER, r"byte order|BOM|FEFF|invisible", _p(lambda v: "\ufeff" + v), True),
    row("username with a byte order mark", USER + "|byte order", r"byte order|BOM|FEFF|invisible", {"octets": lambda b, w: b"\xef\xbb\xbf" + b}, True),
    row("password with a no-break space", PASSWORD, BLANK, _p(lambda v: v + "\u00a0"), True),
    row("password with a zero-width space", PASSWORD, r"zero.?width|invisible|200b|blank|control|character", _p(lambda v: v + "\u200b"), True),
    row("password with a soft hyphen", PASSWORD, r"soft hyphen|invisible|00ad|\\xad|character|control", _p(lambda v: v[:3] + "\u00ad" + v[3:]), True),
    row("password in typographic quotes", PASSWORD, QUOTE, _p(lambda v: f"\u201c{v}\u201d"), True),
    row("password with a tab", PASSWORD, r"\btab|white|blank|control|\\t", _p(lambda v: v + "\t"), True),
    row("password with a NUL", PASSWORD, r"\bNUL|zero|control|\\x00|\\0", _p(lambda v: v + "\0"), True),
    row("pair in UTF-16LE by PowerShell", FORM + "|utf|" + PASSWORD, r"utf-?16", {"octets": lambda b, w: b.decode().encode("utf-16-le")}, True),
    row("pair in UTF-16 with its mark", FORM + "|utf|" + PASSWORD, r"utf-?16", {"octets": lambda b, w: b.decode().encode("utf-16")}, True),
    row("pair in CP1252", FORM + "|charset|utf|" + PASSWORD, UNICODE + "|1252", {"octets": lambda b, w: b.decode().encode("cp1252")}, True, drawn=_accents),
    row("pair in Mac Roman", FORM + "|charset|utf|" + PASSWORD, UNICODE + "|roman", {"octets": lambda b, w: b.decode().encode("mac-roman")}, True, drawn=_accents),
    row("pair in code page 850", FORM + "|charset|utf|" + PASSWORD, UNICODE + "|850|437", {"octets": lambda b, w: b.decode().encode("cp850")}, True, drawn=_accents),
    row("username in Latin-1", FORM + "|charset|utf|" + USER, UNICODE, {"octets": lambda b, w: b.decode().encode("latin-1")}, True, drawn=_accent_name),
    row("pair UTF-8 read as Latin-1 and written as UTF-8", FORM + "|charset|utf|" + PASSWORD, UNICODE, {"octets": lambda b, w: b.decode("latin-1").encode()}, True, drawn=_accents),
    row("accents replaced by question marks", PASSWORD, UNICODE + r"|question|\?", {"octets": lambda b, w: b.decode().encode("ascii", "replace")}, True, drawn=_accents, undecidable="which characters stood there is known to the hash alone; no usual spelling leads from ? to them"),
    row("password with HTML entities", PASSWORD, r"html|entit|escap|amp", _p(html.escape), True, drawn=_symbols),
    row("password with + for the blank", PASSWORD, r"plus|blank|space|form|percent|encod", _p(lambda v: v.replace(" ", "+")), True, drawn=lambda r: draw(r, password=f"{word(r)} {token(r, 5)} {word(r)}")),
    row("password as a JSON text", PASSWORD, QUOTE + "|json|escap", _p(json.dumps), True),
    row("password escaped by JSON", PASSWORD, r"escap|json|backslash", _p(lambda v: json.dumps(v)[1:-1]), True, drawn=lambda r: draw(r, password=f'{word(r)}"{token(r, 6)}\\{word(r)}')),
    row("password with shell backslashes", PASSWORD, r"escap|backslash|shell", _p(lambda v: v.replace("$", "\\$").replace("!", "\\!")), True, drawn=lambda r: draw(r, password=f"{word(r)}${token(r, 5)}!{word(r)}")),
    row("password ended at the shell's dollar", PASSWORD, r"cut|shell|dollar|\$|short|variable|expan", _p(lambda v: v.partition("$")[0]), True, drawn=lambda r: draw(r, password=f"{word(r)}{token(r, 3)}${token(r, 7)}"), undecidable="what followed the dollar is known to the hash alone"),
    row("password already hashed with SHA-256", PASSWORD, HASHED, _p(lambda v: hashlib.sha256(v.encode()).hexdigest()), True),
    row("password hashed with MD5", PASSWORD, HASHED, _p(lambda v: hashlib.md5(v.encode()).hexdigest()), True, undecidable="a digest can't be taken back, so only its look tells; a password may look so as well"),
    row("password in base64", PASSWORD, B64, _p(lambda v: base64.b64encode(v.encode()).decode()), True),
    row("password in hex", PASSWORD, HEX, _p(lambda v: v.encode().hex()), True),
    row("password pasted twice", PASSWORD, DOUBLED, _p(lambda v: v + v), True),
    row("password reversed", PASSWORD, r"revers|backward", _p(lambda v: v[::-1]), True),
    row("password with two characters exchanged", PASSWORD, r"exchang|transpos|swap|neighbour|adjacent|typ", lambda r: {"password": lambda v, w, r=r: _swapcase_typo(r, v)}, True),
    row("password typed on a German keyboard", PASSWORD, KEYBOARD, _p(_keyboard("yz", "zy")), True, drawn=lambda r: draw(r, password=f"{word(r)}yz{token(r, 5)}Zy{word(r, 2)}")),
    row("password typed on a French keyboard", PASSWORD, KEYBOARD, _p(_keyboard("aqzwm", "qawz,")), True, drawn=lambda r: draw(r, password=f"aqua{word(r)}{token(r, 4)}wz")),
    row("password typed on a Dvorak keyboard", PASSWORD, KEYBOARD, _p(_keyboard("qwertyuiopasdfghjklzxcvbnm", "',.pyfgcrlaoeuidhtn;qjkxbm")), True, drawn=lambda r: draw(r, password=f"{word(r)}{word(r)}")),
    row("password typed on a Russian keyboard", PASSWORD, KEYBOARD, _p(_keyboard("qwertyuiopasdfghjklzxcvbnm", "\u0439\u0446\u0443\u043a\u0435\u043d\u0433\u0448\u0449\u0437\u0444\u044b\u0432\u0430\u043f\u0440\u043e\u043b\u0434\u044f\u0447\u0441\u043c\u0438\u0442\u044c")), True, drawn=lambda r: draw(r, password=f"{word(r)}{word(r)}{r.randrange(100, 999)}")),
    row("password in fullwidth letters", PASSWORD, r"full ?-?width|wide|unicode|form", _p(lambda v: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in v)), True),
    row("password with a Cyrillic letter", PASSWORD, r"cyrillic|homoglyph|look.?alike|alphabet|script", _p(lambda v: v.replace("a", "\u0430", 1)), True, drawn=lambda r: draw(r, password=f"a{word(r)}a{token(r, 6)}")),
    row("password with a long dash", PASSWORD, r"dash|hyphen|typograph", _p(lambda v: v.replace("-", "\u2013")), True, drawn=lambda r: draw(r, password=f"{word(r)}-{token(r, 6)}-{word(r, 2)}")),
    row("password with a typographic apostrophe", PASSWORD, r"apostroph|quot|typograph", _p(lambda v: v.replace("'", "\u2019")), True, drawn=lambda r: draw(r, password=f"{word(r)}'s {token(r, 6)}")),
    row("password with letter O for zero", PASSWORD, r"zero|look.?alike|letter|one character|mistyp|typo", _p(lambda v: v.replace("0", "O", 1)), True, drawn=lambda r: draw(r, password=f"{word(r)}0{token(r, 6)}")),
    row("password cut at 8 characters", PASSWORD, CUT + "|8", _p(lambda v: v[:8]), True, undecidable="what followed is known to the hash alone"),
    row("password without its first character", PASSWORD, CUT + "|first", _p(lambda v: v[1:]), True, undecidable="the lost character is one of a hundred, more than the bound on hashes allows"),
    row("a masked password was copied", PASSWORD, r"mask|dots|asterisk|bullet|placeholder|\*", _p(lambda v: "\u2022" * len(v)), True),
    row("asterisks of a log were copied", PASSWORD, r"mask|dots|asterisk|bullet|placeholder|\*", _p(lambda v: "*" * 8), True),
    row("password is [object Object]", PASSWORD, PLACEHOLDER + "|object", _p(lambda v: "[object Object]"), True),
    row("password is None", PASSWORD, PLACEHOLDER + r"|\bNone\b", _p(lambda v: "None"), True),
    row("password is null", PASSWORD, PLACEHOLDER + r"|\bnull\b", _p(lambda v: "null"), True),
    row("password is a Helm value", PASSWORD, PLACEHOLDER + r"|\{\{", _p(lambda v: "{{ .Values.password }}"), True),
    row("password is changeme", PASSWORD, PLACEHOLDER + r"|changeme|default|example", _p(lambda v: "changeme"), True),
    row("password with its name in front", PASSWORD, r"name|prefix|PASSWORD=|front|variable", _p(lambda v: f"PASSWORD={v}"), True),
    row("password with a semicolon behind", PASSWORD, r"semicolon|trailing|one character|too many|end", _p(lambda v: v + ";"), True),
    row("password with a comma behind", PASSWORD, r"comma|trailing|one character|too many|end", _p(lambda v: v + ","), True),
    row("password with the @ of a URL", PASSWORD, r"@|\bat\b|trailing|one character|too many|end", _p(lambda v: v + "@"), True),
    row("username percent-encoded", USER, PERCENT, _u(lambda v: v.replace("@", "%40")), True, drawn=lambda r: draw(r, username=f"{word(r)}@{word(r)}.example")),
    row("username without the mail's domain", USER, r"domain|@|mail|suffix", _u(lambda v: v.partition("@")[0]), True, drawn=lambda r: draw(r, username=f"{word(r)}@{word(r)}.example")),
    row("username with a dot for the underscore", USER, r"dot|underscore|punctuation|similar|alike|near|close|one character|meant", _u(lambda v: v.replace("_", ".")), True, drawn=lambda r: draw(r, username=f"{word(r)}_{word(r)}"), never=()),
    row("username with a typing error", USER, r"similar|near|close|mistyp|one character|meant|like", lambda r: _u(lambda v: v[:2] + v[3] + v[2] + v[4:]), True, never=()),
    row("username in quotes", USER, QUOTE, _u(lambda v: f'"{v}"'), True),
    row("username with a tab in front", USER, r"\btab|white|blank|control", _u(lambda v: "\t" + v), True),
    row("username in fullwidth letters with capitals", USER, CASE + "|width", _u(lambda v: "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in v.upper())), True, undecidable="it is put into the one form by the scheme; what is left is the case"),
    row("username as a DN of LDAP", USER, r"LDAP|\bDN\b|uid=|cn=|unknown|name", _u(lambda v: f"uid={v},ou=people"), True, never=()),
    row("mail's colon in the username", USER, r"colon", _u(lambda v: f"mailto:{v}"), True, never=()),
    row("pair as JSON", FORM + "|" + USER, r"json|colon|brace|\{", {"pair": lambda v, w: json.dumps({"username": w.username, "password": w.password})}, True),
    row("pair as a form", FORM + "|" + USER, r"form|colon|&|parameters", {"pair": lambda v, w: f"username={w.username}&password={w.password}"}, True),
    row("pair with two colons", PASSWORD, r"colon", {"pair": lambda v, w: v.replace(":", "::", 1)}, True),
    row("pair with a fullwidth colon", FORM + "|colon|" + USER, r"colon|width|than :", {"pair": lambda v, w: v.replace(":", "\uff1a", 1)}, True),
    row("pair with a bar", FORM + "|colon|" + USER, r"colon|bar|separat|\||than :", {"pair": lambda v, w: v.replace(":", "|", 1)}, True),
    row("pair with a blank", FORM + "|colon|" + USER, r"colon|blank|space|separat|than :", {"pair": lambda v, w: v.replace(":", " ", 1)}, True),
    row("pair in quotes", FORM + "|" + USER + "|" + PASSWORD, QUOTE, {"pair": lambda v, w: f'"{v}"'}, True),
    row("pair with the scheme inside", FORM + "|" + USER, r"Basic|scheme|word|prefix", {"pair": lambda v, w: f"Basic {v}"}, True),
    row("pair with the URL's @host", FORM + "|" + PASSWORD, r"@|host|suffix|url", {"pair": lambda v, w: f"{v}@{w.host}"}, True),
    row("password encoded, name not", FORM, r"base64|name|user|part|colon", {"written": lambda v, w: f"{w.username}:{base64.b64encode(w.password.encode()).decode()}"}, True),
    row("both encoded apart", FORM, r"base64|apart|each|separate|part|colon", {"written": lambda v, w: ":".join(base64.b64encode(x.encode()).decode() for x in (w.username, w.password))}, True),
    row("base64 folded at 20 characters", FORM, r"line|fold|blank|space|wrap|white", _w(lambda v: " ".join(v[at : at + 20] for at in range(0, len(v), 20))), True),
    row("base64 with a literal backslash n", FORM, r"backslash|line|\\n|escap", _w(lambda v: v + "\\n"), True),
    row("base64 percent-encoded", FORM, PERCENT, _w(lambda v: urllib.parse.quote(v, safe="")), True, drawn=lambda r: draw(r, username=word(r), password=token(r, 11) + "~")),
    row("base64 cut at its end", FORM + "|" + PASSWORD, CUT + "|padd", _w(lambda v: v[:-5]), True, undecidable="what was cut is known to the hash alone, and base64 without its padding looks the same"),
    row("base64 as Python writes bytes", FORM, r"b'|repr|python|quot", _w(lambda v: repr(v.encode())), True),
    row("base64 in small letters", FORM + "|" + USER, CASE, _w(str.lower), True),
    row("base64 with ==== padding", FORM, r"padd", _w(lambda v: v.rstrip("=") + "===="), True),
    row("base32 for base64", FORM, r"base ?-?32", {"written": lambda v, w: base64.b32encode(base64.b64decode(v)).decode()}, True),
    row("scheme word Digest", FORM, r"Digest|scheme|word", _f(lambda v: "Digest " + v[6:]), True),
    row("scheme word Token", FORM, r"Token|scheme|word", _f(lambda v: "Token " + v[6:]), True),
    row("scheme word BasicAuth", FORM, r"BasicAuth|scheme|word", _f(lambda v: "BasicAuth " + v[6:]), True),
    row("scheme word with =", FORM, r"equals|scheme|word", _f(lambda v: "Basic=" + v[6:]), True),
    row("scheme word with an underscore", FORM, r"_|underscore|scheme|word", _f(lambda v: "Basic_" + v[6:]), True),
    row("a no-break space after the scheme word", FORM, BLANK + "|scheme|word", _f(lambda v: "Basic\u00a0" + v[6:]), True),
    row("the field's name in the value", FORM, r"Authorization|name|front|prefix", _f(lambda v: "Authorization: " + v), True),
    row("a comma and a second scheme", FORM, r"comma|two|second|several|list|Bearer", _f(lambda v: v + ", Bearer abc"), True),
    row("a charset parameter behind", FORM, r"charset|comma|behind", _f(lambda v: v + ', charset="UTF-8"'), True),
    row("in angle brackets", FORM, r"bracket|angle", _f(lambda v: f"Basic <{v[6:]}>"), True),
    row("in a template's braces", FORM, r"brace|\{|placeholder|template", _f(lambda v: "Basic {" + v[6:] + "}"), True),
    row("as a parameter", FORM, r"name|credentials=", _f(lambda v: f'Basic credentials="{v[6:]}"'), True),
    row("as JSON", FORM, r"json|\{|brace|quot", _f(lambda v: json.dumps({"Authorization": v})), True),
    row("field of two lines folded", FORM, r"fold|line|blank|space|white|break", _f(lambda v: v.replace(" ", "\r\n ")), True),
    row("in X-Auth", PLACE, r"x-auth", _placed("X-Auth"), True),
    row("in Authorisation", PLACE, r"authorisation", _placed("Authorisation"), True),
    row("in WWW-Authenticate", PLACE, r"www-authenticate", _placed("WWW-Authenticate"), True),
    row("in X-Forwarded-Authorization of a mesh", PLACE, r"x-forwarded-authorization", _placed("X-Forwarded-Authorization"), True),
    row("in X-Original-Authorization of a CDN", PLACE, r"x-original-authorization", _placed("X-Original-Authorization"), True),
    row("in the body as JSON", PLACE, r"body|json|member", {"headers": lambda hs, w: [("Content-Type", "application/json")], "body": lambda b, w: json.dumps({"authorization": "Basic " + compute(w, Steps(w, {}))[2]}).encode()}, True),
    row("in the URL before the host", PLACE, r"\burl|userinfo|@|user information|absolute|target", {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"https://{w.username}:{w.password}@{w.host}{t}"}, True),
    row("in the query as user and password", PLACE, r"query", {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"{t}?username={w.username}&password={urllib.parse.quote(w.password)}"}, True),
    row("in a form as user and password", PLACE, r"body|form", {"headers": lambda hs, w: [("Content-Type", "application/x-www-form-urlencoded")], "body": lambda b, w: f"username={w.username}&password={urllib.parse.quote(w.password)}".encode()}, True),
    row("two mistakes: quotes and a line break", PASSWORD + "|" + USER, QUOTE + "|" + LF, {"pair": lambda v, w: f"{w.username}:'{w.password}'\n"}, True),
    row("two mistakes: no word, URL-safe", FORM, r"scheme|word|alphabet|padd", _f(lambda v: v[6:].rstrip("=").replace("+", "-")), True),
    row("two mistakes: cookie and percent", PLACE, r"cookie", _placed("Cookie", lambda v: "Authorization=" + urllib.parse.quote(v, safe="")), True),
    row("two mistakes: twice encoded and a line break", FORM, DOUBLED, {"octets": lambda b, w: b + b"\n", "written": lambda v, w: base64.b64encode(v.encode() + b"\n").decode()}, True),
    row("two mistakes: capital username and blank", USER, CASE + "|" + BLANK, _u(lambda v: v.title() + " "), True),
]  # fmt: skip

KINDS = [*COMMON, *TAIL]
