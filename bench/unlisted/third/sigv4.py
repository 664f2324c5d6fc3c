"""Mistakes of clients of AWS Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
import random
import urllib.parse
from typing import Any

from bench.unlisted.cases import (
    ALGORITHM, BODY, CASE, DOUBLED, EMPTY, HEX, HOST, KEY, LF, METHOD, MISSING, NOW, OFF, ORDER, OTHER, PERCENT,
    PLACEHOLDER, PROOF, TARGET, TEXT, TIME, Case, Steps, host, token, word, world,
)  # fmt: skip
from bench.unlisted.third.axes import ADDED, CLICKS, FORMAT, HOSTS, PATHS, QUERIES, SECRETS
from bench.unlisted.third.base import Maker, b64, words
from bench.unlisted.third.bodies import BODIES, HMACS, WRITTEN, json_body
from watchword import Guard, Policy, Request, SigV4Verifier
from watchword.stores import MemoryStore

FIELD = r"authori|field|parameter|credential|grammar|format|scheme|malformed|word|signed ?headers"
STAMP, DAY = "20300317T174640Z", "20300317"
LINES = words(TEXT, "line|canonical|string")
SAFE = "-._~"


def draw(r: random.Random) -> Any:
    return world(
        id="AKIA" + token(r, 16).upper(), secret=f"{token(r, 18)}$Q{token(r, 8)}#{token(r, 6)}+{token(r, 3)}/x=", other=token(r, 40), r=r,
        host=host(r), path=f"/v1/{word(r).title()}s/Zo%C3%AB%20{word(r)}", body=json_body(r), region="eu-central-1", service="execute-api",
        query=f"{word(r)}={word(r)}%3A{word(r)}%20x&{word(r)}A={token(r, 4)}&limit=17",
    )  # fmt: skip


def hexed(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def mac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def canonical_query(query: str) -> str:
    return "&".join(sorted(part if "=" in part else part + "=" for part in query.split("&") if part))


def derived(secret: str, date: str, region: str, service: str, end: str) -> bytes:
    key = ("AWS4" + secret).encode("utf-8", "surrogatepass")
    for part in (date, region, service, end):
        key = mac(key, part.encode())
    return key


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    stamp, day = step("time", STAMP), step("day", DAY)
    region, service = step("region", w.region), step("service", w.service)
    payload = step.run("payload", hexed, step("body signed", w.body))
    signed = [
        ("content-type", "application/json"),
        ("host", step("host signed", w.host)),
        ("x-amz-content-sha256", payload),
        ("x-amz-date", step("time signed", stamp)),
    ]
    signed = step("fields signed", signed)
    names = step("names signed", ";".join(name for name, _ in signed))
    path = step.run("path signed", lambda p: urllib.parse.quote(p, safe="/" + SAFE), w.path)
    query = step.run("canonical query", canonical_query, step("query signed", w.query))
    block = step.run("block", lambda some: "".join(f"{a}:{b}\n" for a, b in some), signed)
    lines = step("lines", [step("method signed", "POST"), path, query, block, names, payload])
    canonical = step.run("join", "\n".join, lines)
    scope = step("scope signed", f"{day}/{region}/{service}/aws4_request")
    hashed = step.run("canonical hash", hexed, canonical.encode("utf-8", "surrogatepass"))
    four = step("four", [step("algorithm signed", "AWS4-HMAC-SHA256"), stamp, scope, hashed])
    text = step.run("join four", "\n".join, four)
    key = step.run(
        "derived",
        derived,
        step("key", w.secret),
        step("key day", day),
        step("key region", region),
        step("key service", service),
        "aws4_request",
    )
    made = step.run("written", bytes.hex, step.run("mac", mac, key, text.encode()))
    credential = step("credential", f"{step('id', w.id)}/{day}/{region}/{service}/aws4_request")
    items = step(
        "items", [("Credential", credential), ("SignedHeaders", step("names sent", names)), ("Signature", made)]
    )
    value = step(
        "field",
        step("word", "AWS4-HMAC-SHA256")
        + " "
        + step.run("fields", lambda v: ", ".join(f"{a}={b}" for a, b in v), items),
    )
    headers = [
        ("Content-Type", "application/json"),
        ("X-Amz-Content-Sha256", step("payload sent", payload)),
        ("X-Amz-Date", step("time sent", stamp)),
    ]
    headers = step("headers", [*headers, ("Authorization", value)])
    target = step("path sent", w.path) + "?" + step("query sent", w.query)
    request = Request(step("method sent", "POST"), "https", step("host sent", w.host), target, headers)
    return request, step("body sent", w.body), made


def build(r: random.Random, table: dict[str, Any]) -> Case | None:
    w = draw(r)
    _, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    store = MemoryStore(clock=lambda: NOW)
    store.add_access_key("robot", w.id, w.secret)
    store.add_access_key("other", "AKIAOTHEROTHEROTHER0", w.other)
    guard = Guard([SigV4Verifier(region=w.region, service=w.service)], store, policy=Policy(clock=lambda: NOW))
    return Case(
        request,
        guard,
        body,
        NOW,
        [w.secret.encode(), w.other.encode()],
        [proof.encode()],
        pairs=step.pairs,
        sent=step.sent,
    )


# fmt: off
m = Maker("sigv4", build, never=(r"password (differs|is wrong)",))
KINDS = m.kinds
m.axis("secret", "key", KEY, SECRETS, "0 1 2 3 4 5 6 7 10 13 14 15 16 18 19 20 22 23 24 25 26 27 28 29 30 33 35 36 39 43 45 47 49 52 56 58")
m.axis("body sent", "body sent", BODY, BODIES, "0 2 3 4 5 7 8 10 11 13 16 18 20 22 24 26 28 30 33 34 36 40 44")
m.axis("body signed", "body signed", BODY, BODIES, "1 3 4 6 9 11 12 15 17 19 25 27 31 42")
m.axis("host signed", "host signed", HOST, HOSTS, "0 1 2 4 5 7 8 9 10 11 14 16")
m.axis("host sent", "host sent", HOST, HOSTS, "0 1 2 3 6 12 13")
m.axis("path sent", "path sent", TARGET, PATHS, "0 1 2 7 8 9 14 15 16")
m.axis("query signed", "query signed", TARGET, QUERIES, "0 2 3 4 7 8 9 10 12 13 14")
m.axis("query sent", "query sent", TARGET, [*QUERIES, *CLICKS], "4 9 13 18 19 20")
for name, what, made, tail in HMACS:
    m.add(f"mac: {name}", words(PROOF, LINES, KEY), what, {"mac": made}, tail=tail)
for name, what, form, tail in WRITTEN:
    if name != "in hexadecimal":
        m.add(f"signature written {name}", words(PROOF, FIELD), what, {"written": form}, tail=tail)


def s(**some: Any) -> dict[str, Any]:
    return {k.replace("_", " "): (lambda v, w, f=f: f(v) if callable(f) else f) for k, f in some.items()}


def f(change: Any) -> dict[str, Any]:
    return {"field": lambda v, w: change(v)}


PATHY = words(TARGET, "canonical")
m.add("the path sent as it is, not encoded again", PATHY, words(PERCENT, "once|twice|again|S3"), {"path signed": lambda p: p})
m.add("the path decoded in the text", PATHY, words(PERCENT), {"path signed": urllib.parse.unquote})
m.add("the path encoded three times", PATHY, words(PERCENT, DOUBLED, "three"), {"path signed": lambda p: urllib.parse.quote(urllib.parse.quote(p, safe="/"), safe="/")})
m.add("slashes of the path encoded", PATHY, words(PERCENT, "slash|%2F"), {"path signed": lambda p: urllib.parse.quote(p, safe="")})
m.add("the path without its stage", PATHY, words(MISSING, "prefix|strip|v1|cut"), {"path signed": lambda p: urllib.parse.quote(p.removeprefix("/v1"))})
m.add("a stage before the path", PATHY, words("prefix|prod|stage", ADDED), {"path signed": lambda p: "/prod" + urllib.parse.quote(p)})
m.add("a slash after the path", PATHY, words("slash|/|trailing"), {"path signed": lambda p: urllib.parse.quote(p) + "/"})
m.add("no first slash", PATHY, words("slash|/|leading", MISSING), {"path signed": lambda p: urllib.parse.quote(p[1:])})
m.add("the query left in the path", PATHY, words(r"query|\?|target"), {"lines": lambda v, w: [v[0], v[1] + "?" + w.query, *v[2:]]})
m.add("the whole URL for the path", PATHY, words("URL|absolute|https|host|scheme"), {"lines": lambda v, w: [v[0], f"https://{w.host}{v[1]}", *v[2:]]})
m.far("blanks of the path as plus", PATHY, words(PERCENT, r"\+|plus|blank"), {"path signed": lambda p: urllib.parse.quote(p.replace("%20", "+"))})
m.far("the path in small letters", PATHY, CASE, {"path signed": lambda p: urllib.parse.quote(p).lower()})
m.add("the query not sorted", PATHY, words(ORDER), {"canonical query": lambda q: "&".join(sorted(q.split("&"), reverse=True))})
m.add("the query in the order it is sent", PATHY, words(ORDER), {"canonical query": lambda q: q})
m.add("the query encoded again", PATHY, words(PERCENT, DOUBLED), {"canonical query": lambda q: canonical_query(q.replace("%", "%25"))})
m.add("equals signs of the query encoded", PATHY, words(PERCENT, "=|%3D|equal"), {"canonical query": lambda q: canonical_query(q).replace("=", "%3D")})
m.add("a question mark before the query", PATHY, words(r"\?|question|leading|prefix"), {"canonical query": lambda q: "?" + canonical_query(q)})
m.far("the query sorted by value", PATHY, words(ORDER), {"canonical query": lambda q: "&".join(sorted(q.split("&"), key=lambda p: p.split("=")[1]))})
m.far("the query sorted without regard to case", PATHY, words(ORDER, CASE), {"canonical query": lambda q: "&".join(sorted(q.split("&"), key=str.lower, reverse=True))})
m.add("method in small letters", METHOD, CASE, s(method_signed="post"))
m.add("GET for POST in the text", METHOD, words("GET|POST", OTHER), s(method_signed="GET"))
m.far("PUT that came for POST", METHOD, words("PUT|POST", OTHER), s(method_sent="PUT"))
m.add("no empty line after the fields", LINES, words(LF, MISSING, "empty line|blank line"), {"block": lambda v: "\n".join(f"{a}:{b}" for a, b in v)})
m.add("blanks after the colons of fields", words(LINES, "field|header"), words("blank|space|white|colon"), {"block": lambda v: "".join(f"{a}: {b}\n" for a, b in v)})
m.add("fields with capitals in the text", words(LINES, "field|header|name"), CASE, {"block": lambda v: "".join(f"{a.title()}:{b}\n" for a, b in v)})
m.add("fields not sorted in the text", words(LINES, "field|header|name"), ORDER, {"block": lambda v: "".join(f"{a}:{b}\n" for a, b in v[::-1])})
m.add("fields in one line", words(LINES, "field|header"), words(LF, ",|;|join|separat"), {"block": lambda v: ";".join(f"{a}:{b}" for a, b in v) + "\n"})
m.add("names of fields with capitals", words(FIELD, LINES, "name"), CASE, s(names_signed=lambda v: v.title()))
m.add("names of fields not sorted", words(FIELD, LINES, "name"), ORDER, s(names_signed=lambda v: ";".join(v.split(";")[::-1])))
m.add("names of fields with commas", words(FIELD, LINES, "name"), words(",|comma|;|semicolon|separat"), s(names_signed=lambda v: v.replace(";", ",")))
m.add("a semicolon after the names", words(FIELD, LINES, "name"), words(";|semicolon|trailing|empty|grammar"), s(names_signed=lambda v: v + ";"))
m.add("names with commas in the text alone", words(LINES, "name|signed ?headers"), words(",|comma|;|semicolon|separat"), {"lines": lambda v, w: [*v[:4], v[4].replace(";", ","), v[5]]})
m.add("the line of names left out", words(LINES, "name|signed ?headers"), MISSING, {"lines": lambda v, w: [*v[:4], v[5]]})
m.add("the host not signed", words(HOST, FIELD), words("not (signed|covered)|host", MISSING), {"fields signed": lambda v, w: [x for x in v if x[0] != "host"]})
m.add("the date not signed", words(TIME, FIELD, "x-amz"), words("not (signed|covered)|x-amz-date", MISSING), {"fields signed": lambda v, w: [x for x in v if x[0] != "x-amz-date"]})
m.add("an x-amz field not signed", words(FIELD, "x-amz"), words("not (signed|covered)|x-amz", MISSING), {"headers": lambda v, w: [*v, ("X-Amz-Target", "Orders.List")]})
m.add("a signed field that was taken away", words(FIELD, "content-type"), words(MISSING, "content-type"), {"headers": lambda v, w: v[1:]})
m.add("charset added to the content type", words("content-type|field"), words("charset|content-type", ADDED), {"headers": lambda v, w: [("Content-Type", "application/json; charset=utf-8"), *v[1:]]})
m.add("another content type came", words("content-type|field"), words("content-type", OTHER), {"headers": lambda v, w: [("Content-Type", "text/plain"), *v[1:]]})
m.far("connection signed, which a proxy takes away", words("connection|field"), words("connection", MISSING), {"fields signed": lambda v, w: [("connection", "keep-alive"), *v]})
m.far("a trace id signed, which a balancer rewrites", words("trace|field"), words("trace", OTHER), {"fields signed": lambda v, w: [*v, ("x-amzn-trace-id", "Root=1-1")], "headers": lambda v, w: [*v, ("X-Amzn-Trace-Id", "Self=1-2;Root=1-1")]})
m.add("the payload's hash left out of the text", words(LINES, BODY), MISSING, {"lines": lambda v, w: v[:-1]})
m.add("the payload itself in the text", words(LINES, BODY), words("itself|raw|hash|not hashed|body"), {"lines": lambda v, w: [*v[:-1], w.body.decode()]})
m.add("the hash of nothing in text and field", BODY, words(EMPTY, "no (octets|body)"), {"payload": lambda b: hexed(b"")})
m.add("the hash in capitals", words(BODY, "sha256"), CASE, {"payload": lambda b: hexed(b).upper()})
m.add("the hash in base64", words(BODY, "sha256"), words("base64|hex|encoding|grammar"), {"payload": lambda b: b64(hashlib.sha256(b).digest())})
m.add("MD5 of the payload", words(BODY, "sha256"), words("MD5|hash|grammar|length|SHA", ALGORITHM), {"payload": lambda b: hashlib.md5(b).hexdigest()})
m.add("UNSIGNED-PAYLOAD in the text alone", words(BODY, LINES), words("UNSIGNED"), {"lines": lambda v, w: [*v[:-1], "UNSIGNED-PAYLOAD"]})
m.add("UNSIGNED-PAYLOAD with a body", BODY, words("UNSIGNED|not covered|cover"), {"payload": lambda b: "UNSIGNED-PAYLOAD"})
m.far("the word of chunks without chunks", BODY, words("STREAMING|chunk"), {"payload": lambda b: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"})
m.add("the text's lines ended as Windows does", LINES, LF, {"join": "\r\n".join})
m.add("a line end after the canonical request", LINES, words(LF), {"join": lambda v: "\n".join(v) + "\n"})
m.add("a line end after the string to sign", LINES, words(LF), {"join four": lambda v: "\n".join(v) + "\n"})
m.add("the string to sign ended as Windows does", LINES, LF, {"join four": "\r\n".join})
m.add("backslash n for line ends in the string to sign", LINES, words(LF, "escap|backslash"), {"join four": "\\n".join})
m.far("the string to sign joined with nothing", LINES, words(LF, "join|separat|nothing"), {"join four": "".join})
m.far("the canonical request joined with bars", LINES, words(r"\||bar|join|separat"), {"join": "|".join})
m.add("the canonical request not hashed", LINES, words("hash|itself|raw|canonical"), {"canonical hash": lambda b: b.decode()})
m.add("the canonical request's hash in capitals", LINES, words(CASE), {"canonical hash": lambda b: hexed(b).upper()})
m.add("the canonical request's hash by SHA-1", LINES, words(ALGORITHM), {"canonical hash": lambda b: hashlib.sha1(b).hexdigest()})
m.add("the canonical request signed at once", LINES, words("string to sign|canonical|four|left out|without|itself|alone"), {"join four": lambda v: v[-1], "canonical hash": lambda b: b.decode()})
m.far("the canonical request's hash in base64", LINES, words("base64|encoding"), {"canonical hash": lambda b: b64(hashlib.sha256(b).digest())})
m.add("the algorithm left out of the string to sign", LINES, words(MISSING, "algorithm"), {"four": lambda v, w: v[1:]})
m.add("the scope left out of the string to sign", words(LINES, "scope"), MISSING, {"four": lambda v, w: [v[0], v[1], v[3]]})
m.add("the time left out of the string to sign", words(LINES, TIME), MISSING, {"four": lambda v, w: [v[0], v[2], v[3]]})
m.add("time and scope exchanged", words(LINES, "scope|time"), ORDER, {"four": lambda v, w: [v[0], v[2], v[1], v[3]]})
m.add("the key id in the scope of the string to sign", words(LINES, "scope"), words("key|credential|id\\b|scope"), {"scope signed": lambda v, w: f"{w.id}/{v}"})
m.far("AWS4-HMAC-SHA512 in the text", words(LINES, "algorithm"), words("SHA512|algorithm"), s(algorithm_signed="AWS4-HMAC-SHA512"))
KEYS = words(KEY, "deriv")
m.add("AWS4 forgotten before the secret", KEYS, words("AWS4", MISSING), {"derived": lambda k, d, r, v, e: _chain(k.encode(), d, r, v, e)})
m.add("the secret itself for the derived key", KEYS, words("deriv|itself|secret|raw|directly"), {"derived": lambda k, d, r, v, e: k.encode()})
m.add("AWS4 and secret, not derived", KEYS, words("deriv|itself|AWS4|directly"), {"derived": lambda k, d, r, v, e: ("AWS4" + k).encode()})
m.add("the key derived without its last step", KEYS, words("aws4_request|last|step", MISSING), {"derived": lambda k, d, r, v, e: _chain(("AWS4" + k).encode(), d, r, v)})
m.add("the key derived from hexadecimal steps", KEYS, HEX, {"derived": lambda k, d, r, v, e: _hex_chain(("AWS4" + k).encode(), d, r, v, e)})
m.add("the key derived service before region", KEYS, words(ORDER, "region|service"), {"derived": lambda k, d, r, v, e: derived(k, d, v, r, e)})
m.add("the key derived with the whole time", KEYS, words("date|time|day|deriv"), s(key_day=STAMP))
m.add("the key derived with the day before", KEYS, words("date|time|day|deriv"), s(key_day="20300316"))
m.add("the key derived for us-east-1", KEYS, words("region|us-east-1|deriv"), s(key_region="us-east-1"))
m.add("the key derived for s3", KEYS, words("service|s3|deriv"), s(key_service="s3"))
m.far("the key derived with text and key exchanged", KEYS, words(ORDER, "deriv|argument"), {"derived": lambda k, d, r, v, e: _swapped(("AWS4" + k).encode(), d, r, v, e)})
m.far("the derived key in hexadecimal", KEYS, HEX, {"derived": lambda *a: derived(*a).hex().encode()})
m.far("the end of the scope in capitals for the key", KEYS, words(CASE, "aws4_request|deriv"), {"derived": lambda k, d, r, v, e: derived(k, d, r, v, e.upper())})
m.add("signed for us-east-1", "region", words("us-east-1|region"), s(region="us-east-1"))
m.add("signed for the service s3", "service", words("s3|service"), s(service="s3"))
m.add("region in capitals", "region", words(CASE, "region"), s(region=str.upper))
m.add("region with its zone", "region", words("region|eu-central-1a|zone"), s(region="eu-central-1a"))
m.add("region empty", "region", words(EMPTY, "region"), s(region=""))
m.add("service and region exchanged", words("region|service"), words(ORDER, "region|service"), {"region": lambda v, w: w.service, "service": lambda v, w: w.region})
m.far("the service's whole name", "service", words("service|amazonaws"), s(service="execute-api.amazonaws.com"))
m.add("access key id in small letters", words(KEY, "id\\b"), words(CASE, "unknown"), s(id=str.lower))
m.add("access key id of somebody else", words(KEY, "id\\b"), words("unknown|no key|not known|other"), s(id="AKIAIOSFODNN7EXAMPLE"))
m.add("access key id not set", words(KEY, "id\\b"), words(PLACEHOLDER, "unknown"), s(id="None"))
m.add("the neighbour's secret", KEY, words("another|other|known"), {"key": lambda v, w: w.other})
m.add("the neighbour's id", KEY, words("another|other|known|id\\b"), {"id": lambda v, w: "AKIAOTHEROTHEROTHER0"})
TIMED = words(TIME, "x-amz-date")
m.add("a time with dashes and colons", TIMED, words(FORMAT, "dash|colon|basic|grammar"), s(time="2030-03-17T17:46:40Z"))
m.add("a time of HTTP", TIMED, words(FORMAT, "HTTP|grammar"), s(time="Sun, 17 Mar 2030 17:46:40 GMT"))
m.add("seconds for the time", TIMED, words(FORMAT, "seconds|grammar|epoch"), s(time=str(int(NOW))))
m.add("local time called UTC", TIMED, OFF, s(time="20300317T184640Z"))
m.add("twenty minutes slow", TIMED, OFF, s(time="20300317T172640Z"))
m.add("a time without Z", TIMED, words(FORMAT, "Z", MISSING, "grammar"), s(time="20300317T174640"))
m.add("the day of the scope from another time zone", words(TIMED, "scope|day"), words("day|date|scope", OTHER), s(day="20300318"))
m.add("the time sent made anew", TIMED, words("differ|x-amz-date|changed|after", OTHER), s(time_sent="20300317T174641Z"))
m.far("a time with milliseconds", TIMED, words(FORMAT, "milli|fraction|grammar"), s(time="20300317T174640.123Z"))
m.far("the year of Buddhism", TIMED, words(OFF, FORMAT, "year|calendar"), s(time="25730317T174640Z", day="25730317"))
m.far("the year of the week before", TIMED, words(OFF, "year"), s(time="20290317T174640Z", day="20290317"))
m.add("AWS4 for the algorithm", FIELD, words("word|algorithm|scheme|AWS4"), s(word="AWS4"))
m.add("AWS4-HMAC-SHA1 for the algorithm", FIELD, words("word|algorithm|scheme|SHA1"), s(word="AWS4-HMAC-SHA1"))
m.add("AWS of version 2", FIELD, words("word|algorithm|scheme|AWS\\b|version"), s(word="AWS"))
m.add("the word Bearer before it", FIELD, words("word|scheme|Bearer"), f(lambda v: "Bearer " + v))
m.add("values in quotes", FIELD, words("quot"), {"fields": lambda v: ", ".join(f'{a}="{b}"' for a, b in v)})
m.add("semicolons between parameters", FIELD, words(";|semicolon|comma|,|separat"), {"fields": lambda v: "; ".join(f"{a}={b}" for a, b in v)})
m.add("blanks between parameters", FIELD, words("blank|comma|,|separat"), {"fields": lambda v: " ".join(f"{a}={b}" for a, b in v)})
m.add("Headers for SignedHeaders", FIELD, words("name|SignedHeaders|missing"), {"items": lambda v, w: [("Headers" if a == "SignedHeaders" else a, b) for a, b in v]})
m.add("no SignedHeaders", FIELD, words(MISSING, "SignedHeaders"), {"items": lambda v, w: [x for x in v if x[0] != "SignedHeaders"]})
m.add("no signature in the field", words(FIELD, PROOF), words(MISSING, "Signature"), {"items": lambda v, w: v[:2]})
m.add("the credential without its scope", words(FIELD, "scope"), words("scope|credential|grammar|parts", MISSING), {"credential": lambda v, w: v.split("/")[0]})
m.add("the credential without aws4_request", words(FIELD, "scope"), words("aws4_request|scope|grammar", MISSING), {"credential": lambda v, w: v.rpartition("/")[0]})
m.add("the credential percent-encoded", words(FIELD, "scope"), PERCENT, {"credential": lambda v, w: v.replace("/", "%2F")})
m.far("colons for equals signs", FIELD, words(":|colon|=|equal"), {"fields": lambda v: ", ".join(f"{a}:{b}" for a, b in v)})
m.far("names of parameters in small letters", FIELD, words(CASE, "name"), {"items": lambda v, w: [(a.lower(), b) for a, b in v]})
m.far("the field in Proxy-Authorization", words(FIELD, "proxy|place"), words("proxy|place"), {"headers": lambda v, w: [*v[:-1], ("Proxy-Authorization", v[-1][1])]})


def _chain(key: bytes, *parts: str) -> bytes:
    for part in parts:
        key = mac(key, part.encode())
    return key


def _hex_chain(key: bytes, *parts: str) -> bytes:
    for part in parts:
        key = mac(key, part.encode()).hex().encode()
    return key


def _swapped(key: bytes, *parts: str) -> bytes:
    for part in parts:
        key = mac(part.encode(), key)
    return key
