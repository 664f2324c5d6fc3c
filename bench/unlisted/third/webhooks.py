"""Mistakes of senders of webhooks, and of what stands between them and who receives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import urllib.parse
from functools import partial
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bench.unlisted.cases import (
    ALGORITHM, B64, BODY, CASE, CUT, DOUBLED, EMPTY, HEX, HOST, KEY, LF, METHOD, MILLI, MISSING, NOW, OFF, ORDER, OTHER,
    PERCENT, PROOF, QUOTE, TARGET, TEXT, TIME, Kind,
)  # fmt: skip
from bench.unlisted.third.axes import ADDED, CLICKS, HOSTS, PATHS, PREFIXED, QUERIES, SECRETS, TIMES
from bench.unlisted.third.base import Maker, b64, b64u, words
from bench.unlisted.third.bodies import BODIES, HMACS, WRITTEN
from bench.unlisted.third.senders import SENDERS, build, discord_key, sendgrid_key

TEXTS = words(TEXT, "sign|cover")
FIELD = r"signature|field|header|grammar|format|malformed|prefix|v0|v1|h1|sha256="
NEVER = (r"password (differs|is wrong)",)
M = {name: Maker("webhooks", partial(build, name), NEVER) for name in SENDERS}


def s(**some: Any) -> dict[str, Any]:
    return {k.replace("_", " "): (lambda v, w, f=f: f(v) if callable(f) else f) for k, f in some.items()}


def f(change: Any) -> dict[str, Any]:
    return {"field": lambda v, w: change(v)}


# fmt: off
for name, secrets, bodies, signed in (
    ("standard", "0 2 5 11 14 18 19 21 27 32 37 53", "0 1 3 5 7 9 12 25 32 43", "0 11"),
    ("svix", "3 6 8 15 20 23 24 44 52", "2 4 6 10 15 17 21 34 37", "18"),
    ("github", "0 1 2 5 9 10 11 12 14 17 19 25 26 28 30 33 36 47", "0 2 5 8 11 13 16 21 26 29 35 46", "1 23"),
    ("stripe", "2 4 5 7 10 12 15 16 18 20 23 27 32 35 38 57", "0 1 3 6 7 9 14 22 27 31 39 41", "11 28"),
    ("slack", "0 3 6 8 11 13 17 19 22 24 25 34 37 41 48 59", "4 9 11 15 19 24 33 38 42", "2"),
    ("zoom", "1 5 7 10 14 21 26 29 46 50", "0 1 3 8 12 18 30 44", "4"),
    ("shopify", "0 2 6 12 16 18 23 28 31 39 43 56", "1 3 5 6 10 11 16 20 25 36 47", "7"),
    ("paddle", "0 4 9 13 15 20 24 27 33 40 45 51", "0 2 7 9 17 22 28 40", "3"),
    ("hubspot", "2 5 14 17 19 22 30 36", "0 4 11 13 23 32", "8"),
    ("linear", "0 2 5 11 18 27 32 55", "1 3 5 9 26", "2"),
    ("line", "1 3 6 10 15 19 25 42 58", "0 6 8 12 37 45", "4"),
    ("square", "0 5 12 14 20 30 38", "1 5 9 24 34", "3"),
    ("adyen", "0 2 5 14 17 18 19 43", "0 3 7 11 33", "6"),
    ("twilio", "0 2 5 10 14 19 23 35", "", ""),
):
    m = M[name]
    m.axis(f"{name}, secret", "key", KEY, SECRETS, secrets)
    if bodies:
        m.axis(f"{name}, body sent", "body sent", BODY, BODIES, bodies)
        m.axis(f"{name}, body signed", "body signed", BODY, BODIES, signed)
for name, start in (("standard", 0), ("github", 1), ("stripe", 2), ("slack", 3), ("shopify", 4), ("paddle", 0), ("line", 2)):
    for title, what, mac, tail in HMACS[start::5]:
        M[name].add(f"{name}, mac: {title}", words(PROOF, TEXTS, KEY), what, {"mac": mac}, tail=tail)
for name, start, usual in (("github", 1, "hexadecimal"), ("stripe", 2, "hexadecimal"), ("shopify", 0, "MIME"), ("slack", 3, "hexadecimal"), ("standard", 4, "MIME"), ("line", 1, "MIME")):
    for title, what, form, tail in WRITTEN[start::4]:
        if not title.endswith(usual):
            M[name].add(f"{name}, signature written {title}", words(PROOF, FIELD), what, {"written": form}, tail=tail)
for name, times in (("standard", "0 1 5 8 13"), ("svix", "2 6 16"), ("stripe", "0 1 7 11 15"), ("slack", "0 2 5 9 14"), ("zoom", "1 10 19"), ("paddle", "0 3 12 17"), ("discord", "0 2 8")):
    M[name].axis(f"{name}, time", "time", TIME, TIMES, times)
for name, hosts, paths, queries in (("hubspot", "0 1 2 6", "0 1 4 8 16", "0 1 3 9"), ("square", "1 3 5 7 10", "0 2 7 17", "0 4 6"), ("twilio", "0 1 2 4 5 13", "0 1 4 12 15", "0 2 7 11")):
    M[name].axis(f"{name}, host signed", "host signed", HOST, HOSTS, hosts)
    M[name].axis(f"{name}, path signed", "path signed", TARGET, PATHS, paths)
    M[name].axis(f"{name}, query signed", "query signed", TARGET, QUERIES, queries)
    M[name].axis(f"{name}, query sent", "query sent", TARGET, CLICKS)
    M[name].axis(f"{name}, host sent", "host sent", HOST, HOSTS, "2 3 12")
    M[name].axis(f"{name}, path sent", "path sent", TARGET, PATHS, "0 2 14")
    M[name].add(f"{name}, http for the URL's scheme", words(TARGET, "scheme"), words("http\\b|http:|scheme"), s(url_signed=lambda v: v.replace("https", "http")))
    M[name].add(f"{name}, the URL without its scheme", words(TARGET, "scheme"), words("scheme|https", MISSING), s(url_signed=lambda v: v.removeprefix("https://")))
    M[name].add(f"{name}, the path for the URL", words(TARGET, HOST), words("host|scheme|origin|path", MISSING), s(url_signed=lambda v: "/" + v.split("/", 3)[3]))
    M[name].add(f"{name}, no URL signed", words(TARGET, TEXTS), words(MISSING, "body alone"), s(url_signed=""))

for name in ("standard", "svix"):
    m = M[name]
    m.add(f"{name}, v1 before the secret, as the console shows it", KEY, words(PREFIXED, "v1"), s(key=lambda v: "v1," + v))
    m.add(f"{name}, the secret as text, prefix and all", KEY, words("whsec|prefix|base64|decod|text"), {"key octets": lambda x: x.encode()})
    m.add(f"{name}, the secret as text, without its prefix", KEY, words("base64|decod|text"), {"key octets": lambda x: x[6:].encode()})
    m.add(f"{name}, colons for dots", TEXTS, words(":|colon|dot|separat|join"), {"text": lambda t: t.replace(".", ":")})
    m.add(f"{name}, no separators", TEXTS, words("dot|separat|join|nothing"), {"text": lambda t: t.replace(".", "")})
    m.add(f"{name}, no id in the text", words(TEXTS, "id\\b"), MISSING, {"text": lambda t: "{time}.{body}"})
    m.add(f"{name}, no time in the text", words(TEXTS, TIME), MISSING, {"text": lambda t: "{id}.{body}"})
    m.add(f"{name}, the body alone", words(TEXTS, BODY), words(MISSING, "alone|only"), {"text": lambda t: "{body}"})
    m.add(f"{name}, time before id", TEXTS, ORDER, {"text": lambda t: "{time}.{id}.{body}"})
    m.add(f"{name}, v1= for v1,", words(FIELD, PROOF), words("v1|=|,|comma|prefix|version|grammar"), f(lambda v: v.replace(",", "=", 1)))
    m.add(f"{name}, no v1", words(FIELD, PROOF), words("v1|prefix|version", MISSING), f(lambda v: v[3:]))
    m.far(f"{name}, v2 of nobody", words(FIELD, PROOF), words("v2|v1|version|prefix"), f(lambda v: v.replace("v1", "v2")))
    m.far(f"{name}, a dot after the text", TEXTS, words("dot|trailing|after"), {"text": lambda t: t + "."})
    m.far(f"{name}, a line end after the text", words(TEXTS, BODY), LF, s(octets=lambda v: v + b"\n"))
    m.far(f"{name}, the key in hexadecimal", KEY, HEX, {"key octets": lambda x: base64.b64decode(x[6:]).hex().encode()})
    for missing in ("id", "timestamp", "signature"):
        m.add(f"{name}, no field {missing}", missing, MISSING, {"headers": lambda v, w, e=missing: [x for x in v if not x[0].endswith(e)]})
M["standard"].far("standard, fields in names of X", words(FIELD, "webhook-"), words("x-|name|place", MISSING), {"headers": lambda v, w: [(f"X-{a}" if a.startswith("webhook") else a, b) for a, b in v]})
M["svix"].far("svix, fields with underscores, as a proxy writes", words(FIELD, "svix"), words("_|name|underscore", MISSING), {"headers": lambda v, w: [(a.replace("-", "_") if a.startswith("svix") else a, b) for a, b in v]})

g = M["github"]
g.add("github, SHA-1 of the old field in the new", words(PROOF, FIELD), words("SHA-?1", ALGORITHM), {"mac": lambda k, t: hmac.digest(k, t, "sha1")})
g.add("github, only the old field X-Hub-Signature", FIELD, words("sha1|X-Hub-Signature|old|place", MISSING), {"headers": lambda v, w: [*v[:-1], ("X-Hub-Signature", "sha1=" + hmac.digest(w.secret.encode(), w.body, "sha1").hex())]})
g.add("github, no sha256= before it", FIELD, words("sha256=|prefix", MISSING), f(lambda v: v[7:]))
g.add("github, sha1= before a SHA-256", FIELD, words("sha1|sha256|prefix"), f(lambda v: v.replace("sha256", "sha1")))
g.add("github, a colon after sha256", FIELD, words(":|colon|=|prefix"), f(lambda v: v.replace("=", ":")))
g.add("github, the field in quotes", FIELD, QUOTE, f(lambda v: f'"{v}"'))
g.add("github, SHA256 in capitals before it", FIELD, words(CASE, "prefix|sha256="), f(lambda v: v.replace("sha256", "SHA256")))
g.add("github, the payload member of a form", BODY, words("form|payload|urlencod|percent"), {"body sent": lambda v, w: b"payload=" + urllib.parse.quote_plus(v).encode()})
g.add("github, the delivery's id signed with the body", TEXTS, words("id\\b|delivery|before"), {"text": lambda t: "{id}.{body}"})
g.far("github, two digests with a comma", FIELD, words(DOUBLED, "more than one|,|two|comma|several"), f(lambda v: f"{v}, {v}"))
g.far("github, Gitea's bare hexadecimal in its own field", FIELD, words("prefix|name|Gitea|place|field", MISSING), {"headers": lambda v, w: [*v[:-1], ("X-Gitea-Signature", v[-1][1][7:])]})

t = M["stripe"]
t.add("stripe, whsec_ cut from the secret", KEY, words("whsec|prefix", CUT), s(key=lambda v: v[6:]))
t.add("stripe, the secret decoded from base64", KEY, words(B64, "decod"), {"key octets": lambda x: base64.b64decode(x[6:])})
t.add("stripe, the body alone signed", TEXTS, words(MISSING, "time|alone"), {"text": lambda x: "{body}"})
t.add("stripe, a colon for the dot", TEXTS, words(":|colon|dot|separat|join"), {"text": lambda x: x.replace(".", ":")})
t.add("stripe, no dot", TEXTS, words("dot|separat|join|nothing"), {"text": lambda x: x.replace(".", "")})
t.add("stripe, body before time", TEXTS, ORDER, {"text": lambda x: "{body}.{time}"})
t.add("stripe, a blank after the dot", TEXTS, words("blank|space|dot|separat|join"), {"text": lambda x: "{time}. {body}"})
t.add("stripe, t= signed as well", TEXTS, words("t=|prefix|name|before"), {"text": lambda x: "t=" + x})
t.add("stripe, v0 only", FIELD, words("v0|v1|test|version"), f(lambda v: v.replace("v1", "v0")))
t.add("stripe, the signature alone in the field", FIELD, words("t=|v1|time|grammar", MISSING), f(lambda v: v.partition("v1=")[2]))
t.add("stripe, semicolons in the field", FIELD, words(";|,|comma|semicolon|separat"), f(lambda v: v.replace(",", ";")))
t.add("stripe, no time in the field", words(FIELD, TIME), words("t=|time", MISSING), f(lambda v: v.partition(",")[2]))
t.add("stripe, another time sent", TIME, words("time", OTHER), {"time signed": lambda v, w: str(int(NOW) - 1)})
t.far("stripe, names in capitals", FIELD, words(CASE, "T=|V1"), f(lambda v: v.replace("t=", "T=").replace("v1=", "V1=")))
t.far("stripe, a body with the time in milliseconds signed", words(TEXTS, TIME), MILLI, s(time_signed=lambda v: v + "000"))

for name in ("slack", "zoom"):
    m = M[name]
    m.add(f"{name}, no v0: in the text", TEXTS, words("v0|version", MISSING), {"text": lambda x: x[3:]})
    m.add(f"{name}, dots for colons", TEXTS, words("dot|colon|:|separat|join"), {"text": lambda x: x.replace(":", ".")})
    m.add(f"{name}, v1 for v0 in the text", TEXTS, words("v1|v0|version"), {"text": lambda x: x.replace("v0", "v1")})
    m.add(f"{name}, v0= in the text", TEXTS, words("=|colon|:|separat|v0"), {"text": lambda x: x.replace("v0:", "v0=")})
    m.add(f"{name}, body before time", TEXTS, ORDER, {"text": lambda x: "v0:{body}:{time}"})
    m.add(f"{name}, no v0= in the field", FIELD, words("v0|prefix", MISSING), f(lambda v: v[3:]))
    m.add(f"{name}, a colon after v0 in the field", FIELD, words(":|colon|=|prefix|v0"), f(lambda v: v.replace("=", ":")))
    m.add(f"{name}, no time in the fields", words(TIME, FIELD), MISSING, {"headers": lambda v, w: [x for x in v if "imestamp" not in x[0]]})
    m.far(f"{name}, the body alone", TEXTS, words(MISSING, "alone|time"), {"text": lambda x: "{body}"})
    m.far(f"{name}, a line end after the text", words(TEXTS, BODY), LF, s(octets=lambda v: v + b"\n"))
    m.far(f"{name}, hexadecimal capitals in the field", words(PROOF, FIELD), CASE, {"written": lambda o: o.hex().upper()})

p = M["paddle"]
p.add("paddle, a dot for the colon", TEXTS, words("dot|colon|:|separat|join"), {"text": lambda x: x.replace(":", ".")})
p.add("paddle, a comma for the semicolon in the field", FIELD, words(",|;|comma|semicolon|separat"), f(lambda v: v.replace(";", ",")))
p.add("paddle, h1 forgotten", FIELD, words("h1|prefix", MISSING), f(lambda v: v.replace("h1=", "")))
p.add("paddle, v1 for h1", FIELD, words("h1|v1|prefix"), f(lambda v: v.replace("h1", "v1")))
p.add("paddle, t for ts", words(FIELD, TIME), words("ts|t=|time|prefix"), f(lambda v: v.replace("ts=", "t=")))
p.far("paddle, in hexadecimal capitals", words(PROOF, FIELD), CASE, {"written": lambda o: o.hex().upper()})
p.far("paddle, body before time", TEXTS, ORDER, {"text": lambda x: "{body}:{time}"})

sh = M["shopify"]
sh.add("shopify, hexadecimal for base64", words(PROOF, FIELD), HEX, {"written": lambda o: o.hex()})
sh.add("shopify, sha256= before it", FIELD, words("sha256=|prefix"), f(lambda v: "sha256=" + v))
sh.add("shopify, in base64url", words(PROOF, FIELD), words(B64, "alphabet"), {"written": lambda o: base64.urlsafe_b64encode(o).decode().rstrip("=")})
sh.far("shopify, the field X-Shopify-Hmac-SHA-256", FIELD, words("name|place|field|SHA-256", MISSING), {"headers": lambda v, w: [*v[:-1], ("X-Shopify-Hmac-SHA-256", v[-1][1])]})

hs = M["hubspot"]
hs.add("hubspot, seconds for milliseconds", TIME, words(MILLI, "seconds", OFF), s(time=lambda v: v[:-3]))
hs.add("hubspot, no method in the text", words(METHOD, TEXTS), MISSING, {"text": lambda x: "{url}{body}{time}"})
hs.add("hubspot, the time first", TEXTS, ORDER, {"text": lambda x: "{time}{method}{url}{body}"})
hs.add("hubspot, dots between", TEXTS, words("dot|separat|join"), {"text": lambda x: "{method}.{url}.{body}.{time}"})
hs.add("hubspot, GET for POST", METHOD, words("GET|POST", OTHER), s(method_signed="GET"))
hs.add("hubspot, method in small letters", METHOD, CASE, s(method_signed="post"))
hs.add("hubspot, hexadecimal, as version 2", words(PROOF, FIELD), HEX, {"written": lambda o: o.hex()})
hs.far("hubspot, version 1, secret and body hashed", words(PROOF, KEY, TEXTS), words("hash|HMAC|version|plain"), {"mac": lambda k, x: hashlib.sha256(k + x).digest()})

sq = M["square"]
sq.add("square, body before URL", TEXTS, ORDER, {"text": lambda x: "{body}{url}"})
sq.add("square, the body alone", words(TEXTS, TARGET), words(MISSING, "URL|alone"), {"text": lambda x: "{body}"})
sq.add("square, SHA-1 as before 2022", words(PROOF, FIELD), ALGORITHM, {"mac": lambda k, x: hmac.digest(k, x, "sha1")})
sq.far("square, a dot between URL and body", TEXTS, words("dot|separat|join|between"), {"text": lambda x: "{url}.{body}"})

ad = M["adyen"]
ad.add("adyen, the key as text", KEY, words("hex|decod|text"), {"key octets": lambda x: x.encode()})
ad.add("adyen, hexadecimal for base64", words(PROOF, FIELD), HEX, {"written": lambda o: o.hex()})
ad.far("adyen, the key as text in small letters", KEY, words("hex|decod|text|case"), {"key octets": lambda x: x.lower().encode()})
ad.far("adyen, the key's digits turned around in pairs", KEY, words(ORDER, "endian"), {"key octets": lambda x: bytes.fromhex(x)[::-1]})

li = M["line"]
li.add("line, hexadecimal for base64", words(PROOF, FIELD), HEX, {"written": lambda o: o.hex()})
li.far("line, base64 without padding", words(PROOF, FIELD), words("padd|=|base64"), {"written": lambda o: b64(o).rstrip("=")})

ln = M["linear"]
ln.add("linear, base64 for hexadecimal", words(PROOF, FIELD), B64, {"written": b64})
ln.add("linear, sha256= before it", FIELD, words("sha256=|prefix"), f(lambda v: "sha256=" + v))
ln.add("linear, a time in seconds in the body", TIME, words(MILLI, "seconds", OFF), {"body signed": lambda v, w: v.replace(b"1900000000000", b"1900000000"), "body sent": lambda v, w: v.replace(b"1900000000000", b"1900000000")})
ln.add("linear, an hour behind in the body", TIME, OFF, {"body signed": lambda v, w: v.replace(b"1900000000000", b"1899996400000"), "body sent": lambda v, w: v.replace(b"1900000000000", b"1899996400000")})
ln.far("linear, no time in the body", TIME, MISSING, {"body signed": lambda v, w: v.replace(b',"webhookTimestamp":1900000000000', b""), "body sent": lambda v, w: v.replace(b',"webhookTimestamp":1900000000000', b"")})

tw = M["twilio"]
tw.add("twilio, SHA-256 for SHA-1", words(PROOF, FIELD), ALGORITHM, {"mac": lambda k, x: hmac.digest(k, x, "sha256")})
tw.add("twilio, the parameters not sorted", words(TEXTS, "form|parameter|body"), ORDER, {"form": lambda b: "".join(x + y for x, y in sorted(urllib.parse.parse_qsl(b.decode()), reverse=True))})
tw.add("twilio, the parameters left out", words(TEXTS, "form|parameter|body"), words(MISSING, EMPTY), {"form": lambda b: ""})
tw.add("twilio, equals signs between names and values", words(TEXTS, "form|parameter|body"), words("=|equal|separat|join|between"), {"form": lambda b: "".join(f"{x}={y}" for x, y in sorted(urllib.parse.parse_qsl(b.decode())))})
tw.add("twilio, ampersands between parameters", words(TEXTS, "form|parameter|body"), words("&|ampersand|separat|join|between"), {"form": lambda b: "&".join(x + y for x, y in sorted(urllib.parse.parse_qsl(b.decode())))})
tw.add("twilio, the form as it is sent", words(TEXTS, "form|parameter|body"), words("form|raw|encoded|as (it is )?sent|body|sort"), {"form": lambda b: b.decode()})
tw.add("twilio, the values still encoded", words(TEXTS, "form|parameter|body"), words(PERCENT, r"form was written anew \(order, encoding"), {"form": lambda b: "".join(sorted(b.decode().replace("=", "").split("&")))})
tw.add("twilio, hexadecimal for base64", words(PROOF, FIELD), HEX, {"written": lambda o: o.hex()})
tw.far("twilio, values alone", words(TEXTS, "form|parameter|body"), words(MISSING, "name|value|alone|only"), {"form": lambda b: "".join(y for _, y in sorted(urllib.parse.parse_qsl(b.decode())))})
tw.far("twilio, the form as JSON", words(TEXTS, "form|parameter|body"), words("JSON"), {"form": lambda b: json.dumps(dict(urllib.parse.parse_qsl(b.decode())))})
tw.far("twilio, plus left in the values", words(TEXTS, "form|parameter|body"), words(r"\+|plus|blank", PERCENT), {"form": lambda b: "".join(x + y for x, y in sorted(urllib.parse.parse_qsl(b.decode().replace("+", "%2B"))))})
tw.far("twilio, a parameter added by a proxy", words(TEXTS, "form|parameter|body"), words(ADDED, "parameter"), {"body sent": lambda v, w: v + b"&ip=10.0.0.1"})

d = M["discord"]
d.add("discord, base64 for hexadecimal", words(PROOF, FIELD), B64, {"written": b64})
d.add("discord, a dot between time and body", TEXTS, words("dot|separat|join|between"), {"text": lambda x: "{time}.{body}"})
d.add("discord, a colon between time and body", TEXTS, words("colon|:|separat|join|between"), {"text": lambda x: "{time}:{body}"})
d.add("discord, body before time", TEXTS, ORDER, {"text": lambda x: "{body}{time}"})
d.add("discord, the body alone", TEXTS, words(MISSING, "time|alone"), {"text": lambda x: "{body}"})
d.add("discord, a hash of the text signed", words(PROOF, TEXTS), words("hash|SHA|twice"), {"mac": lambda k, x: discord_key().sign(hashlib.sha256(x).digest())})
d.axis("discord, body sent", "body sent", BODY, BODIES, "0 1 3 4 5 9 11 15 29")
d.add("discord, no time field", TIME, MISSING, {"headers": lambda v, w: [v[0], v[2]]})
d.add("discord, no signature field", FIELD, MISSING, {"headers": lambda v, w: v[:2]})
d.far("discord, the signature in capitals", words(PROOF, FIELD), CASE, {"written": lambda o: o.hex().upper()})
d.far("discord, the signature with 0x", words(PROOF, FIELD), words("0x|prefix", HEX), {"written": lambda o: "0x" + o.hex()})
d.far("discord, the halves exchanged", PROOF, words(ORDER, "half|halves"), {"mac": lambda k, x: (lambda y: y[32:] + y[:32])(discord_key().sign(x))})
d.far("discord, the public key signed as well", PROOF, words(ADDED, "length|message|longer|attached|64"), {"mac": lambda k, x: discord_key().sign(x) + x[:32]})

sg = M["sendgrid"]


def grid(x: bytes, digest: Any = None) -> bytes:
    return sendgrid_key().sign(x, ec.ECDSA(digest or hashes.SHA256()))


def halves(made: bytes) -> bytes:
    left, right = decode_dss_signature(made)
    return left.to_bytes(32, "big") + right.to_bytes(32, "big")


sg.add("sendgrid, the halves for DER", words(PROOF, FIELD), words("DER|P1363|raw|half|halves|form|r and s|concat"), {"mac": lambda k, x: halves(grid(x))})
sg.add("sendgrid, hexadecimal for base64", words(PROOF, FIELD), HEX, {"written": lambda o: o.hex()})
sg.add("sendgrid, SHA-512 for SHA-256", words(PROOF, "hash|algorithm"), ALGORITHM, {"mac": lambda k, x: grid(x, hashes.SHA512())})
sg.add("sendgrid, body before time", TEXTS, ORDER, {"text": lambda x: "{body}{time}"})
sg.add("sendgrid, a dot between time and body", TEXTS, words("dot|separat|join|between"), {"text": lambda x: "{time}.{body}"})
sg.add("sendgrid, the body alone", TEXTS, words(MISSING, "time|alone"), {"text": lambda x: "{body}"})
sg.axis("sendgrid, body sent", "body sent", BODY, BODIES, "0 1 3 4 9 10 11 17")
sg.axis("sendgrid, body signed", "body signed", BODY, BODIES, "9 11")
sg.add("sendgrid, no time field", TIME, MISSING, {"headers": lambda v, w: [v[0], v[2]]})
sg.far("sendgrid, in base64url", words(PROOF, FIELD), words(B64, "alphabet|padd"), {"written": b64u})
sg.far("sendgrid, signed twice hashed", words(PROOF, TEXTS), words("hash|twice"), {"mac": lambda k, x: grid(hashlib.sha256(x).digest())})

gl = M["gitlab-unsigned-token"]
gl.axis("gitlab, token", "token", words(KEY, "token"), SECRETS, "0 1 2 4 5 6 7 9 10 11 12 14 16 18 19 20 21 23 24 27 28 32 35 37 41 46 53 55 58")
gl.add("gitlab, the token in Private-Token", words(FIELD, "token"), words("name|place|field|Private", MISSING), {"headers": lambda v, w: [v[0], ("Private-Token", v[1][1])]})
gl.add("gitlab, the token in X-GitLab-Webhook-Token", words(FIELD, "token"), words("name|place|field", MISSING), {"headers": lambda v, w: [v[0], ("X-GitLab-Webhook-Token", v[1][1])]})
gl.add("gitlab, the token in the query", words(FIELD, "token|query"), words("query|place", MISSING), {"headers": lambda v, w: v[:1], "query sent": lambda v, w: v + "&token=" + urllib.parse.quote(w.secret, safe="")})
gl.add("gitlab, an HMAC for the token", words(FIELD, "token"), words("HMAC|hash|signature|digest"), {"field": lambda v, w: hmac.digest(w.secret.encode(), w.body, "sha256").hex()})
gl.far("gitlab, the field twice", words(FIELD, "token"), words(DOUBLED, "more than one|two|more than"), {"headers": lambda v, w: [*v, v[1]]})

KINDS: list[Kind] = [kind for each in M.values() for kind in each.kinds]
