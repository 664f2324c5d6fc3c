"""Mistakes of clients of Basic (RFC 7617)."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import unicodedata
import urllib.parse
from typing import Any

from bench.unlisted.cases import (
    B64, BLANK, CASE, DOUBLED, EMPTY, HASHED, HEX, LF, MISSING, NOW, ORDER, PERCENT, PLACEHOLDER, QUOTE, UNICODE,
    Case, Steps, host, token, word, world,
)  # fmt: skip
from bench.unlisted.third.axes import ADDED, LOOKALIKE, SECRETS
from bench.unlisted.third.base import Maker, words
from watchword import BasicVerifier, Guard, Password, Policy, Request
from watchword.core.records import Put, Ref
from watchword.stores import MemoryStore

USER = r"user|name"
PASS = r"password|pass\b"
FORM = r"authori|credential|format|grammar|base64|scheme|word|encod|field"
PLACE = r"place|field|header|cookie|query|proxy|body|\burl|userinfo|authori"


def stored(password: str) -> str:
    salt = b"fedcba9876543210"
    made = hashlib.pbkdf2_hmac("sha256", unicodedata.normalize("NFC", password).encode(), salt, 1000)
    salted, tag = (base64.b64encode(part).decode().rstrip("=").replace("+", ".") for part in (salt, made))
    return f"$pbkdf2-sha256$1000${salted}${tag}"


def draw(r: random.Random) -> Any:
    return world(
        username=f"{word(r).title()}.{word(r, 2)}", host=host(r), target=f"/v1/{word(r)}s?limit=9", colleague=word(r), r=r,
        password=f"{word(r).title()}{r.choice('!*-_')}{token(r, 3)}$a{r.randrange(10, 99)}+#{word(r, 2)}Zo\u00eb", other=token(r, 20),
    )  # fmt: skip


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    pair = step.run("join", lambda u, p: f"{u}:{p}", step("user", w.username), step("password", w.password))
    octets = step.run("octets", lambda t: t.encode("utf-8", "surrogatepass"), pair)
    written = step.run("written", lambda o: base64.b64encode(o).decode(), octets)
    value = step("field", f"Basic {written}")
    headers = step("headers", [("Accept", "*/*"), ("Authorization", value)])
    return Request("GET", "https", w.host, step("target", w.target), headers), b"", written


def build(r: random.Random, table: dict[str, Any]) -> Case | None:
    w = draw(r)
    _, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    store = MemoryStore(clock=lambda: NOW)
    for name, password in ((w.username, w.password), (w.colleague, w.other)):
        store.commit([Put(Ref(Password, (name,)), Password(stored(password)))])
    guard = Guard([BasicVerifier(realm="orders", rehash=None)], store, policy=Policy(clock=lambda: NOW))
    return Case(request, guard, body, NOW, [w.password.encode(), w.other.encode()], [proof.encode()])


# fmt: off
m = Maker("basic", build, never=(r"clocks? (is|differ)",))
KINDS = m.kinds

m.axis("password", "password", PASS, SECRETS, "0 1 2 3 4 5 6 7 8 9 10 11 18 19 20 21 23 24 27 28 30 32 33 34 35 36 37 41 46 47 52 56 59")  # fmt: skip


def u(change: Any) -> dict[str, Any]:
    return {"user": lambda v, w: change(v)}


def p(change: Any) -> dict[str, Any]:
    return {"password": lambda v, w: change(v)}


def f(change: Any) -> dict[str, Any]:
    return {"field": lambda v, w: change(v)}


UNKNOWN = r"no (such )?user|unknown user|nobody"
m.add("user in small letters", USER, CASE, u(str.lower))
m.add("user in capitals", USER, CASE, u(str.upper))
m.add("user with a blank after it", USER, BLANK, u(lambda v: v + " "))
m.add("user with a blank before it", USER, BLANK, u(lambda v: " " + v))
m.add("user in quotes", USER, QUOTE, u(lambda v: f'"{v}"'))
m.add("user percent-encoded", USER, words(PERCENT), {"user": lambda v, w: v.replace(".", "%2E")})
m.add("user with a line end", USER, LF, u(lambda v: v + "\n"))
m.add("mail address for the user", USER, words("mail|@|domain", ADDED), u(lambda v: v + "@example.com"))
m.far("user with the domain of Windows", USER, words(r"domain|\\|prefix|backslash", ADDED), u(lambda v: "CORP\\" + v))
m.far("user with a Cyrillic letter", USER, LOOKALIKE, u(lambda v: v.replace("a", "\u0430", 1) if "a" in v else v.replace("o", "\u043e", 1)))
m.add("user and password exchanged", words(USER, PASS), "exchang|swap|interchang|order|place of", {"user": lambda v, w: w.password, "password": lambda v, w: w.username})  # fmt: skip
m.add("user left out", USER, words(EMPTY, MISSING), u(lambda v: ""))
m.add("user null", USER, words(PLACEHOLDER, "null"), u(lambda v: "null"))
m.add("user as an unset variable", USER, PLACEHOLDER, u(lambda v: "$API_USER"))
m.add("the password for both", words(USER), words(PASS, "same|twice|place"), {"user": lambda v, w: w.password})
m.add("the user for both", words(PASS), words(USER, "same|twice|place"), {"password": lambda v, w: w.username})
m.add("the colleague's password", PASS, words("another|other|colleague|of user|belongs|differ|wrong"), {"password": lambda v, w: w.other})
m.add("caps lock", PASS, words(CASE, "caps"), p(str.swapcase))
m.add("first letter made a capital by a phone", USER, words(CASE, "capital"), u(lambda v: v[0].swapcase() + v[1:]))
m.add("first letter of the password made small", PASS, words(CASE), p(lambda v: v[0].lower() + v[1:]))
m.add("the password read aloud: last character doubled", PASS, words(DOUBLED, "too many|extra|one (more|too)|character"), p(lambda v: v + v[-1]))
m.add("password with a full stop after it, from a mail", PASS, words(r"full stop|\.|punctuat|trailing|pasted|character|extra"), p(lambda v: v + "."))
m.add("password in HTML's escapes", PASS, words("HTML|escap|entit"), p(lambda v: v.replace("\u00eb", "&euml;").replace("+", "&#43;")))
m.add("password in JSON's escapes", PASS, words(r"escap|JSON|\\u|unicode"), p(lambda v: json.dumps(v)[1:-1]))
m.add("password sent in Latin-1", words(PASS, FORM), UNICODE, {"octets": lambda t: t.encode("latin-1")})
m.add("password encoded in UTF-8 twice", PASS, words(UNICODE, DOUBLED), {"octets": lambda t: t.encode().decode("latin-1").encode()})
m.far("pair in UTF-16, as PowerShell encodes", words(FORM, PASS), words(UNICODE, "PowerShell"), {"octets": lambda t: t.encode("utf-16-le")})
m.far("pair in UTF-16 with a mark", words(FORM, PASS), words(UNICODE, "mark"), {"octets": lambda t: t.encode("utf-16")})
m.far("a byte order mark before the pair", words(FORM, USER, PASS), words(UNICODE, "mark|BOM|U\\+FEFF|invisible"), {"octets": lambda t: b"\xef\xbb\xbf" + t.encode()})  # fmt: skip
m.far("typed on a German keyboard", PASS, words("keyboard|layout|exchang|y and z"), p(lambda v: v.translate(str.maketrans("yzYZ", "zyZY"))))
m.far("typed on a French keyboard", PASS, words("keyboard|layout|AZERTY"), p(lambda v: v.translate(str.maketrans("aqzwAQZW", "qawzQAWZ"))))
m.far("the zero for the letter O", PASS, words("look|alike|0|zero|typed|character"), p(lambda v: v.replace("o", "0", 1)))
m.add("the line end of echo after the pair", words(PASS, FORM), LF, {"octets": lambda t: t.encode() + b"\n"})
m.add("the line end of Windows after the pair", words(PASS, FORM), LF, {"octets": lambda t: t.encode() + b"\r\n"})
m.add("a blank after the colon", words(PASS, FORM), BLANK, {"join": lambda a, b: f"{a}: {b}"})
m.add("blanks around the colon", words(USER, PASS, FORM), BLANK, {"join": lambda a, b: f"{a} : {b}"})
m.add("a comma for the colon", words(FORM, USER), words("colon|:|,|comma|separat"), {"join": lambda a, b: f"{a},{b}"})
m.add("a blank for the colon", words(FORM, USER), words("colon|:|blank|separat"), {"join": lambda a, b: f"{a} {b}"})
m.add("a bar for the colon", words(FORM, USER), words(r"colon|:|\||separat"), {"join": lambda a, b: f"{a}|{b}"})
m.add("no colon", words(FORM, USER), words("colon|:|separat"), {"join": lambda a, b: a + b})
m.add("two colons", words(PASS, FORM, "colon"), words(DOUBLED, "punctuation", "colon|:"), {"join": lambda a, b: f"{a}::{b}"})
m.far("an ampersand for the colon", words(FORM, USER), words("colon|:|&|separat"), {"join": lambda a, b: f"{a}&{b}"})
m.far("user and password as JSON", FORM, words("JSON|colon|:|separat|object"), {"join": lambda a, b: json.dumps({"username": a, "password": b})})
m.far("user and password as a form", FORM, words("form|colon|:|separat|="), {"join": lambda a, b: f"username={a}&password={b}"})
m.far("the pair in quotes", words(USER, PASS, FORM), QUOTE, {"join": lambda a, b: f'"{a}:{b}"'})
m.far("password before user", words(USER, PASS), words(ORDER, "place of"), {"join": lambda a, b: f"{b}:{a}"})
m.far("realm before the pair", words(USER, FORM), words("realm|prefix", ADDED), {"join": lambda a, b: f"orders:{a}:{b}"})
m.add("not encoded", FORM, words("not encoded|base64|bare|plain|encod"), {"written": lambda o: o.decode()})
m.add("in base64url", FORM, words(B64, "alphabet|url"), {"written": lambda o: base64.urlsafe_b64encode(o).decode().rstrip("=")})
m.add("without padding", FORM, words("padd|="), {"written": lambda o: base64.b64encode(o).decode().rstrip("=")})
m.add("encoded twice", FORM, words(DOUBLED, B64), {"written": lambda o: base64.b64encode(base64.b64encode(o)).decode()})
m.add("in hexadecimal", FORM, HEX, {"written": lambda o: o.hex()})
m.add("percent-encoded base64", FORM, PERCENT, {"written": lambda o: urllib.parse.quote(base64.b64encode(o), safe="")})
m.add("base64 wrapped by the tool", FORM, words(LF, "wrap|fold"), {"written": lambda o: base64.b64encode(o).decode()[:24] + "\n" + base64.b64encode(o).decode()[24:]})  # fmt: skip
m.add("base64 as Python's bytes", FORM, words(r"b'|bytes|repr|quot|python|literal"), {"written": lambda o: str(base64.b64encode(o))})
m.far("in base32", FORM, words("base ?32|encod"), {"written": lambda o: base64.b32encode(o).decode()})
m.far("in Ascii85", FORM, words("85|encod|base64|alphabet"), {"written": lambda o: base64.a85encode(o).decode()})
m.far("in binary digits", FORM, words("binary|base64|encod|grammar"), {"written": lambda o: "".join(f"{x:08b}" for x in o)})
m.far("a hash of the pair", FORM, words(HASHED, "base64|grammar|colon"), {"written": lambda o: hashlib.sha256(o).hexdigest()})
m.far("the alphabet of bcrypt", FORM, words("alphabet|base64|base 64|character"), {"written": lambda o: base64.b64encode(o).decode().rstrip("=").translate(str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"))})  # fmt: skip
m.add("no scheme word", FORM, words("word|scheme|Basic", MISSING), f(lambda v: v[6:]))
m.add("the scheme word twice", FORM, words(DOUBLED, "more than one|word|scheme"), f(lambda v: "Basic " + v))
m.add("a colon after the scheme word", FORM, words("colon|:|word|scheme"), f(lambda v: v.replace("Basic ", "Basic: ")))
m.add("no blank after the scheme word", FORM, words("blank|space|glued|word|scheme|nothing"), f(lambda v: v.replace(" ", "")))
m.add("Bearer for Basic", FORM, words("Bearer|word|scheme"), f(lambda v: v.replace("Basic", "Bearer")))
m.add("the word misspelled", FORM, words("word|scheme|Basic|misspel|Baisc"), f(lambda v: v.replace("Basic", "Baisc")))
m.add("an underscore after the word", FORM, words("_|word|scheme|underscore"), f(lambda v: v.replace("Basic ", "Basic_")))
m.add("the value in quotes", FORM, QUOTE, f(lambda v: v.replace(" ", ' "') + '"'))
m.add("the whole field in quotes", FORM, QUOTE, f(lambda v: f'"{v}"'))
m.add("the name of the field in its value", FORM, words("name|Authorization|twice|before|prefix"), f(lambda v: "Authorization: " + v))
m.far("the word in another language", FORM, words("word|scheme|Basic"), f(lambda v: v.replace("Basic", "Basique")))
m.far("angle brackets of the documentation", FORM, words("<|bracket|around|angle"), f(lambda v: v.replace(" ", " <") + ">"))
m.far("two credentials with a comma", FORM, words(",|comma|two|several|more than|list|twice|DOUBLED"), f(lambda v: v + ", " + v))
m.far("a no-break space after the word", FORM, words(BLANK, "word|scheme"), f(lambda v: v.replace(" ", "\u00a0")))
m.far("a tab after the word", FORM, words(BLANK, "tab|word|scheme"), f(lambda v: v.replace(" ", "\t")))
m.far("a template that nobody filled", FORM, PLACEHOLDER, f(lambda v: "Basic {{ credentials }}"))
m.far("charset after the value", FORM, words("charset|parameter|after|,|;", ADDED), f(lambda v: v + "; charset=UTF-8"))
m.add("in X-Authorization", PLACE, words("field|place|header|x-"), {"headers": lambda v, w: [v[0], ("X-Authorization", v[1][1])]})
m.add("in Proxy-Authorization", PLACE, words("proxy|place"), {"headers": lambda v, w: [v[0], ("Proxy-Authorization", v[1][1])]})
m.add("in Authentication", PLACE, words("field|place|header|name|misspel"), {"headers": lambda v, w: [v[0], ("Authentication", v[1][1])]})
m.add("in Authorisation", PLACE, words("field|place|header|name|misspel"), {"headers": lambda v, w: [v[0], ("Authorisation", v[1][1])]})
m.add("in the query", PLACE, words("query|place|parameter"), {"headers": lambda v, w: v[:1], "target": lambda v, w: v + "&authorization=" + urllib.parse.quote("Basic " + base64.b64encode(f"{w.username}:{w.password}".encode()).decode(), safe="")})  # fmt: skip
m.add("in a cookie", PLACE, words("cookie|place"), {"headers": lambda v, w: [v[0], ("Cookie", "authorization=" + v[1][1].replace(" ", "%20"))]})
m.add("in the field twice", PLACE, words(DOUBLED, "more than one|two|more than|lines|several"), {"headers": lambda v, w: [*v, v[1]]})
m.far("behind CGI's name", PLACE, words("field|place|header|name"), {"headers": lambda v, w: [v[0], ("HTTP-Authorization", v[1][1])]})
m.far("in the field of IIS", PLACE, words("field|place|header|name"), {"headers": lambda v, w: [v[0], ("X-Original-Authorization", v[1][1])]})
m.far("user and password in fields of their own", words(PLACE, USER), words("field|place|header|x-"), {"headers": lambda v, w: [v[0], ("X-Username", w.username), ("X-Password", urllib.parse.quote(w.password))]})  # fmt: skip
m.far("emptied by a proxy", PLACE, words(EMPTY, "value|proxy"), {"headers": lambda v, w: [v[0], ("Authorization", "")]})
m.far("masked by a log that was replayed", FORM, words(r"mask|\*|redact|placeholder"), f(lambda v: "Basic ********"))
