"""Mistakes of clients of the HMAC scheme, version 1."""

from __future__ import annotations

import hmac
import json
import random
from typing import Any

from bench.unlisted.cases import (
    BODY, CASE, CUT, DOUBLED, EMPTY, HOST, KEY, LF, METHOD, MISSING, NOW, ORDER, OTHER, PLACEHOLDER, PROOF, QUOTE,
    TARGET, TEXT, TIME, UNICODE, Case, Steps, host, token, word, world,
)  # fmt: skip
from bench.unlisted.third.axes import ADDED, CLICKS, HOSTS, PATHS, PREFIXED, QUERIES, SECRETS, TIMES
from bench.unlisted.third.base import Maker, b64, b64u, sha256, words
from bench.unlisted.third.bodies import BODIES, HMACS, WRITTEN, json_body
from watchword import Guard, HMACVerifier, Key, Policy, Request
from watchword.stores import MemoryStore

FIELD = r"authori|field|parameter|credential|grammar|format|scheme|quot|malformed|word"


def draw(r: random.Random) -> Any:
    return world(
        keyid=f"{word(r)}-{r.randrange(1, 9)}", host=host(r), path=f"/v1/{word(r).title()}s/Zo%C3%AB%20{word(r)}",
        secret=f"{token(r, 18)}$Q{token(r, 9)}#{token(r, 8)}+{token(r, 5)}/{token(r, 3)}=", nonce=token(r, 22),
        query=f"{word(r)}={word(r)}%3A{word(r)}%20x&{word(r)}A={token(r, 4)}&limit={r.randrange(9, 99)}",
        body=json_body(r), other=token(r, 48), r=r,
    )  # fmt: skip


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    sent = {
        "method": step("method sent", "POST"),
        "host": step("host sent", w.host),
        "target": step("path sent", w.path) + "?" + step("query sent", w.query),
    }
    stamp = step("time", str(int(NOW)))
    query = step("query signed", w.query)
    lines = [
        step("version", "HMAC 1"),
        step("keyid signed", w.keyid),
        step("time signed", stamp),
        step("nonce signed", w.nonce),
        step("method signed", "POST"),
        step("host signed", w.host),
        step("target signed", step("path signed", w.path) + ("?" + query if query else "")),
        step.run("digest", lambda b: b64u(sha256(b)), step("body signed", w.body)),
    ]
    text = step.run("join", lambda some: "".join(line + "\n" for line in some), step("lines", lines))
    octets = step.run("octets", lambda t: t.encode("utf-8", "surrogatepass"), text)
    secret = step.run("key octets", lambda s: s.encode("utf-8", "surrogatepass"), step("key", w.secret))
    mac = step.run("written", b64u, step.run("mac", lambda k, m: hmac.digest(k, m, "sha256"), secret, octets))
    items = [
        ("version", "1"), ("keyid", step("keyid sent", w.keyid)), ("timestamp", step("time sent", stamp)),
        ("nonce", step("nonce sent", w.nonce)), ("digest", step("digest sent", lines[-1])), ("mac", mac),
    ]  # fmt: skip
    value = step("field", "HMAC " + step.run("fields", _fields, step("items", items)))
    headers = step("headers", [("Content-Type", "application/json"), ("Authorization", value)])
    request = Request(sent["method"], "https", sent["host"], sent["target"], headers)
    return request, step("body sent", w.body), mac


def _fields(items: list[tuple[str, str]]) -> str:
    return ", ".join(f'{k}="{v}"' if k not in ("version", "timestamp") else f"{k}={v}" for k, v in items)


def build(r: random.Random, table: dict[str, Any]) -> Case | None:
    w = draw(r)
    _, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    store = MemoryStore(clock=lambda: NOW)
    store.add_key("robot", Key.from_secret(w.secret, algorithm="HS256", key_id=w.keyid))
    store.add_key("other", Key.from_secret(w.other, algorithm="HS256", key_id="edge-other"))
    guard = Guard([HMACVerifier()], store, policy=Policy(clock=lambda: NOW))
    secrets = [w.secret.encode(), w.other.encode()]
    return Case(request, guard, body, NOW, secrets, [proof.encode()], pairs=step.pairs, sent=step.sent)


# fmt: off
m = Maker("hmac", build, never=(r"password (differs|is wrong)",))
KINDS = m.kinds

m.axis("secret", "key", KEY, SECRETS, "0 2 5 7 11 12 17 21 24 25 27 30 34 38 44 48 53")
m.axis("body sent", "body sent", BODY, BODIES, "0 1 4 6 7 8 9 11 17 22 25 29 35 41 43")
m.axis("body signed", "body signed", BODY, BODIES, "0 11 12 18 21 33")
m.axis("host signed", "host signed", HOST, HOSTS, "0 1 4 7 10")
m.axis("host sent", "host sent", HOST, HOSTS, "1 3 13")
m.axis("path signed", "path signed", TARGET, PATHS, "0 1 3 7 8 17")
m.axis("path sent", "path sent", TARGET, PATHS, "0 2 4 7 16")
m.axis("query signed", "query signed", TARGET, QUERIES, "0 1 2 4 9 13")
m.axis("query sent", "query sent", TARGET, [*QUERIES, *CLICKS], "1 11 12 18")
m.axis("time", "time", TIME, TIMES, "0 1 3 5 6 13 15 19 22")
m.axis("time signed alone", "time signed", TIME, TIMES, "0 5 17")
for name, what, mac, tail in HMACS[::2]:
    part = words(PROOF, KEY, TEXT) if "secret" in name or "key" in name else words(PROOF, TEXT)
    m.add(f"mac: {name}", part, what, {"mac": mac}, tail=tail)
for name, what, form, tail in WRITTEN[::2]:
    if name != "in base64url without padding":
        m.add(f"mac written {name}", words(PROOF, FIELD), what, {"written": form}, tail=tail)

LINES = words(TEXT, "line")
m.add("no line end after the last line", LINES, words(LF, MISSING, "last|end"), {"join": lambda some: "\n".join(some)})
m.add("lines ended as Windows does", LINES, LF, {"join": lambda some: "".join(line + "\r\n" for line in some)})
m.add("lines joined with nothing", LINES, words(LF, "join|separat|nothing|delimit"), {"join": "".join})
m.add("lines joined with bars", LINES, words(r"\||bar|join|separat|delimit"), {"join": "|".join})
m.add("the two characters backslash n for a line end", LINES, words(LF, "escap|backslash"), {"join": lambda some: "".join(line + "\\n" for line in some)})  # fmt: skip
m.add("lines joined with colons", LINES, words(r":|colon|join|separat|delimit"), {"join": ":".join})
m.far("lines joined with NULs", LINES, words(r"NUL|\\x00|\\0|join|separat|delimit|zero"), {"join": lambda some: "\0".join(some) + "\0"})
m.far("two line ends after the last line", LINES, words(LF, DOUBLED, "empty line|extra"), {"join": lambda some: "\n".join(some) + "\n\n"})
m.far("the lines as a list of JSON", LINES, words("JSON|list|array|separat|join"), {"join": lambda some: json.dumps(some, separators=(",", ":"))})
m.add("method in small letters", METHOD, CASE, {"method signed": lambda v, w: "post"})
m.add("GET signed and POST sent", METHOD, words("GET|POST", OTHER), {"method signed": lambda v, w: "GET"})
m.far("PUT that a proxy made of POST", METHOD, words("PUT|POST", "overrid|changed"), {"method sent": lambda v, w: "PUT"})
m.far("HEAD sent for the GET that was signed", METHOD, words("HEAD|GET", OTHER), {"method sent": lambda v, w: "HEAD", "method signed": lambda v, w: "GET"})  # fmt: skip
m.add("host and target exchanged", LINES, words(ORDER, "host|target|authority"), {"lines": lambda v, w: [*v[:5], v[6], v[5], v[7]]})
m.add("time and nonce exchanged", LINES, words(ORDER, "nonce|time"), {"lines": lambda v, w: [*v[:2], v[3], v[2], *v[4:]]})
m.add("no version line", LINES, words(MISSING, "version|first line"), {"lines": lambda v, w: v[1:]})
m.add("version 2 in the text", LINES, words("version|2", OTHER), {"version": lambda v, w: "HMAC 2"})
m.add("the digest line left out", words(LINES, BODY), words(MISSING), {"lines": lambda v, w: v[:-1]})
m.add("the nonce left out of the text", words(LINES, "nonce"), words(MISSING), {"lines": lambda v, w: [*v[:3], *v[4:]]})
m.add("the body itself for its digest", words(BODY), words("itself|hash|sha|raw|instead|digest", BODY), {"lines": lambda v, w: [*v[:-1], w.body.decode()]})  # fmt: skip
m.add("the digest of the text in hexadecimal", words(BODY, LINES), words("hex|another encoding"), {"lines": lambda v, w: [*v[:-1], sha256(w.body).hex()]})  # fmt: skip
m.add("the digest sent in hexadecimal", words(BODY, FIELD), words("hex|encoding|character"), {"digest": lambda b: sha256(b).hex()})
m.add("the digest with padding", words(BODY, FIELD), words("padd|base64|=|alphabet|encoding"), {"digest": lambda b: b64(sha256(b))})
m.add("the digest of nothing with a body", BODY, words(EMPTY, "no (octets|body)|without"), {"digest": lambda b: b64u(sha256(b""))})
m.add("the path without query signed, and the query in lines of its own", LINES, words("query|line|separat|target|split"), {"lines": lambda v, w: [*v[:6], w.path, w.query, v[7]]})  # fmt: skip
m.add("the whole URL for the target", TARGET, words("URL|absolute|scheme|https|host|whole"), {"target signed": lambda v, w: f"https://{w.host}{v}"})
m.add("key id in capitals in the text", words("key ?id", LINES), CASE, {"keyid signed": lambda v, w: v.upper()})
m.add("key id in capitals", "key ?id", words(CASE, "unknown"), {"keyid sent": lambda v, w: v.upper(), "keyid signed": lambda v, w: v.upper()})
m.add("key id with a blank after it", "key ?id", words("blank|space|white|trailing|unknown"), {"keyid sent": lambda v, w: v + " ", "keyid signed": lambda v, w: v + " "})  # fmt: skip
m.add("key id and secret exchanged", words(KEY), words("exchang|swap|place|unknown|secret"), {"keyid sent": lambda v, w: w.secret, "keyid signed": lambda v, w: w.secret, "key": lambda v, w: w.keyid})  # fmt: skip
m.add("key id not set", "key ?id", words(PLACEHOLDER, "unknown"), {"keyid sent": lambda v, w: "undefined", "keyid signed": lambda v, w: "undefined"})
m.add("secret of the neighbour", KEY, words("other|another|known|edge"), {"key": lambda v, w: w.other})
m.add("key id for the secret", KEY, words("key ?id|id\\b|identifier"), {"key": lambda v, w: w.keyid})
m.add("secret decoded from base64", KEY, words("base ?-?64|decod"), {"key octets": lambda s: _decoded(s)})
m.far("secret in UTF-16", KEY, UNICODE, {"key octets": lambda s: s.encode("utf-16")})
m.far("secret followed by the time", KEY, words("time|deriv|append|joined|followed"), {"key": lambda v, w: v + str(int(NOW))})
m.far("key derived with the date, as AWS does", KEY, words("deriv|date|twice|time"), {"key octets": lambda s: hmac.digest(s.encode(), b"20300317", "sha256")})  # fmt: skip
m.far("key derived with the nonce", KEY, words("deriv|nonce"), {"key octets": lambda s: s.encode(), "key": lambda v, w: v + w.nonce})
m.add("another scheme word", FIELD, words("word|scheme|Bearer|HMAC"), {"field": lambda v, w: "Bearer" + v[4:]})
m.add("the scheme word with the hash", FIELD, words("word|scheme|HMAC"), {"field": lambda v, w: "HMAC-SHA256" + v[4:]})
m.add("the scheme word left out", FIELD, words("word|scheme", MISSING), {"field": lambda v, w: v[5:]})
m.add("a colon after the scheme word", FIELD, words("colon|:|word|scheme"), {"field": lambda v, w: v.replace("HMAC ", "HMAC: ", 1)})
m.add("blanks for commas between parameters", FIELD, words("comma|separat|,|blank"), {"field": lambda v, w: v.replace(",", "")})
m.add("semicolons between parameters", FIELD, words("semicolon|;|separat|comma"), {"field": lambda v, w: v.replace(",", ";")})
m.add("single quotes around values", FIELD, words(QUOTE), {"field": lambda v, w: v.replace('"', "'")})
m.add("colons for equals signs", FIELD, words(r":|colon|equal|="), {"field": lambda v, w: v.replace('="', ':"')})
m.add("the parameter mac called signature", words(FIELD, PROOF), words("name|signature|mac|unknown|missing"), {"items": lambda v, w: [*v[:-1], ("signature", v[-1][1])]})  # fmt: skip
m.add("the field in a header of its own", FIELD, words("field|place|header|x-"), {"headers": lambda v, w: [v[0], ("X-Authorization", v[1][1])]})
m.add("no nonce sent", "nonce", MISSING, {"items": lambda v, w: [item for item in v if item[0] != "nonce"]})
m.far("the timestamp called ts", words(TIME, r"\bts\b"), words("name|ts|unknown|missing|called"), {"items": lambda v, w: [("ts", b) if a == "timestamp" else (a, b) for a, b in v]})  # fmt: skip
m.far("parameter names in capitals, as a map of Java gave them", FIELD, words(CASE, "name|unknown"), {"items": lambda v, w: [(a.upper(), b) for a, b in v]})  # fmt: skip
m.far("the parameters as JSON", FIELD, words("JSON|brace|form"), {"fields": lambda v: json.dumps(dict(v))})
m.far("an unfolded field with a line end", FIELD, words("LF|line|fold|control|white"), {"field": lambda v, w: v.replace(", nonce", ",\n nonce")})
m.far("the parameter alg added", FIELD, words("alg|unknown", ADDED), {"items": lambda v, w: [*v, ("alg", "HS256")]})
m.far("the field percent-encoded", FIELD, words("percent|escap|encod"), {"field": lambda v, w: v[:5] + v[5:].replace('"', "%22").replace(" ", "%20")})
m.add("a nonce of four digits", "nonce", words(CUT, "short|length|16"), {"nonce sent": lambda v, w: "4711", "nonce signed": lambda v, w: "4711"})
m.far("a nonce in base64 of MIME", "nonce", words("base64|alphabet|character|[+/=]|octet"), {"nonce sent": lambda v, w: v[:20] + "+/==", "nonce signed": lambda v, w: v[:20] + "+/=="})  # fmt: skip
m.far("a nonce in braces, as a GUID is printed", "nonce", words("brace|GUID|character|{|octet|grammar"), {"nonce sent": lambda v, w: "{" + v + "}", "nonce signed": lambda v, w: "{" + v + "}"})  # fmt: skip
m.far("the text signed in Unicode of two octets", LINES, UNICODE, {"octets": lambda t: t.encode("utf-16-le")})
m.far("all of the text in small letters", LINES, CASE, {"join": lambda some: "".join(line + "\n" for line in some).lower()})
m.far("names before the lines", LINES, words(PREFIXED, "name"), {"join": lambda some: "".join(f"{a}: {b}\n" for a, b in zip(("version", "keyid", "timestamp", "nonce", "method", "authority", "target", "digest"), some, strict=False))})  # fmt: skip


def _decoded(secret: str) -> bytes:
    import base64

    return base64.b64decode(secret.replace("$", "").replace("#", "") + "==")
