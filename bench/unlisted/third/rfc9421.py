"""Mistakes of clients of HTTP Message Signatures (RFC 9421, RFC 9530)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.unlisted.cases import (
    B64, BODY, CASE, DOUBLED, EMPTY, HEX, HOST, KEY, LF, METHOD, MILLI, MISSING, NOW, OFF, ORDER, OTHER,
    PERCENT, PLACEHOLDER, PROOF, QUOTE, TARGET, TEXT, TIME, Case, Steps, host, token, word, world,
)  # fmt: skip
from bench.unlisted.third.axes import ADDED, CLICKS, HOSTS, PATHS, QUERIES, SECRETS
from bench.unlisted.third.base import Maker, b64, words
from bench.unlisted.third.bodies import BODIES, HMACS, WRITTEN, json_body
from watchword import Guard, Key, Policy, Request, SignatureVerifier
from watchword.stores import MemoryStore

BASE = words(TEXT, "base|component|line|@signature-params")
FIELD = r"signature|field|parameter|grammar|format|malformed|dictionary|structured|item|label"
Lines = list[tuple[str, str]]


@cache
def pair() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def draw(r: random.Random) -> Any:
    return world(
        keyid=f"{word(r)}-{r.randrange(1, 9)}", secret=f"{token(r, 18)}$Q{token(r, 9)}#{token(r, 8)}+{token(r, 5)}/{token(r, 3)}=", r=r,
        host=host(r), path=f"/v1/{word(r).title()}s/Zo%C3%AB%20{word(r)}", nonce=token(r, 20), body=json_body(r), other=token(r, 48),
        query=f"{word(r)}={word(r)}%3A{word(r)}%20x&{word(r)}A={token(r, 4)}&limit=17",
    )  # fmt: skip


def digest(body: bytes) -> str:
    return f"sha-256=:{b64(hashlib.sha256(body).digest())}:"


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    body, query = step("body signed", w.body), step("query signed", w.query)
    cover = step.run("digest", digest, body)
    lines = [
        ("@method", step("method signed", "POST")), ("@authority", step("host signed", w.host)), ("@path", step("path signed", w.path)),
        ("@query", "?" + query if query else "?"), ("content-digest", step("digest signed", cover)), ("content-type", step("type signed", "application/json")),
    ]  # fmt: skip
    lines = step("components", lines)
    created = step("created", str(int(NOW)))
    names = " ".join(f'"{name}"' for name, _ in step("names", lines))
    given = step(
        "parameters", [("created", created), ("keyid", f'"{step("keyid", w.keyid)}"'), ("nonce", f'"{w.nonce}"')]
    )
    params = step("params", f"({names})" + "".join(f";{a}={b}" for a, b in given))
    written = step.run("lines", lambda some: [f'"{name}": {value}' for name, value in some], lines)
    text = step.run(
        "join", "\n".join, [*written, *step("last", [f'"@signature-params": {step("params signed", params)}'])]
    )
    key = step.run("key octets", lambda s: s.encode("utf-8", "surrogatepass"), step("key", w.secret))
    made = step.run(
        "written",
        b64,
        step.run("mac", lambda k, t: hmac.digest(k, t, "sha256"), key, text.encode("utf-8", "surrogatepass")),
    )
    fields = [
        ("Content-Type", step("type sent", "application/json")), ("Content-Digest", step("digest sent", cover)),
        ("Signature-Input", step("input", f"sig1={params}")), ("Signature", step("signature", f"sig1=:{made}:")),
    ]  # fmt: skip
    headers = step("headers", fields)
    target = step("path sent", w.path) + "?" + step("query sent", w.query)
    return (
        Request(step("method sent", "POST"), "https", step("host sent", w.host), target, headers),
        step("body sent", w.body),
        made,
    )


def build(r: random.Random, table: dict[str, Any]) -> Case | None:
    w = draw(r)
    _, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    store = MemoryStore(clock=lambda: NOW)
    store.add_key("robot", Key.from_secret(w.secret, algorithm="hmac-sha256", key_id=w.keyid))
    store.add_key("other", Key.from_secret(w.other, algorithm="hmac-sha256", key_id="edge-other"))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = pair().public_key().public_bytes(serialization.Encoding.PEM, form)
    store.add_key("pair", Key.from_pem(public, algorithm="ed25519", key_id="pair-1"))
    guard = Guard([SignatureVerifier()], store, policy=Policy(clock=lambda: NOW))
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
m = Maker("rfc9421", build, never=(r"password (differs|is wrong)",))
KINDS = m.kinds
m.axis("secret", "key", KEY, SECRETS, "0 2 4 5 6 8 10 11 13 14 15 16 18 19 20 22 24 26 27 29 30 31 33 36 37 40 41 43 45 47 49 54 57")
m.axis("body sent", "body sent", BODY, BODIES, "0 1 3 4 5 7 8 9 11 13 16 17 19 21 23 25 27 30 32 34 36 39 42")
m.axis("body signed", "body signed", BODY, BODIES, "0 2 6 10 11 12 15 18 22 26 28 31 33 45")
m.axis("host signed", "host signed", HOST, HOSTS, "0 1 2 3 4 5 7 8 9 10 12 14 16")
m.axis("host sent", "host sent", HOST, HOSTS, "1 2 3 6 13")
m.axis("path signed", "path signed", TARGET, PATHS, "0 1 2 3 4 5 7 8 9 10 12 14 15 17 19")
m.axis("path sent", "path sent", TARGET, PATHS, "0 1 2 4 7 8 12 14 16")
m.axis("query signed", "query signed", TARGET, QUERIES, "0 1 2 3 4 5 7 8 9 11 13 15 16")
m.axis("query sent", "query sent", TARGET, [*QUERIES, *CLICKS], "2 4 6 9 12 14 18 19 20")
for name, what, mac, tail in HMACS:
    m.add(f"mac: {name}", words(PROOF, BASE, KEY), what, {"mac": mac}, tail=tail)
for name, what, form, tail in WRITTEN:
    if name != "in base64 of MIME":
        m.add(f"signature written {name}", words(PROOF, FIELD), what, {"written": form}, tail=tail)


def s(**some: Any) -> dict[str, Any]:
    return {k.replace("_", " "): (lambda v, w, f=f: f(v) if callable(f) else f) for k, f in some.items()}


def given(**some: Any) -> dict[str, Any]:
    """Other parameters; None takes one away, one that isn't there is added."""

    def change(v: Lines, w: Any) -> Lines:
        new = {**dict(v), **{k: x(dict(v).get(k)) if callable(x) else x for k, x in some.items()}}
        return [(k, x) for k, x in new.items() if x is not None]

    return {"parameters": change}


def lines(change: Any) -> dict[str, Any]:
    return {"lines": lambda some: [change(a, b) for a, b in some]}


def without(name: str) -> Any:
    return lambda v, w: [x for x in v if x[0] != name]


m.add("no quotes around component names in the base", BASE, QUOTE, lines(lambda a, b: f"{a}: {b}"))
m.add("no blank after the colon", BASE, words("blank|space|colon|white"), lines(lambda a, b: f'"{a}":{b}'))
m.add("two blanks after the colon", BASE, words("blank|space|colon|white"), lines(lambda a, b: f'"{a}":  {b}'))
m.add("equals signs for colons", BASE, words("=|colon|:|equal"), lines(lambda a, b: f'"{a}"={b}'))
m.add("component names with capitals", BASE, CASE, lines(lambda a, b: f'"{a.title()}": {b}'))
m.add("values in quotes", BASE, QUOTE, lines(lambda a, b: f'"{a}": "{b}"'))
m.add("values alone", BASE, words("name|component|value", MISSING), lines(lambda a, b: b))
m.add("parentheses around derived names, as the draft had", BASE, words(r"\(|request-target|draft|name|@"), lines(lambda a, b: f"({a.strip('@')}): {b}" if a[0] == "@" else f"{a}: {b}"))
m.far("values in small letters", BASE, CASE, lines(lambda a, b: f'"{a}": {b.lower()}'))
m.far("single quotes around names", BASE, QUOTE, lines(lambda a, b: f"'{a}': {b}"))
m.far("tabs after the colons", BASE, words("tab|blank|white"), lines(lambda a, b: f'"{a}":\t{b}'))
m.add("no @signature-params line", BASE, words("signature-params|last", MISSING), {"last": lambda v, w: []})
m.add("signature-params without its @", BASE, words("signature-params|@|name"), {"last": lambda v, w: [v[0].replace("@", "")]})
m.add("the label before the parameters in the base", BASE, words("label|sig1|prefix|signature-params"), {"params signed": lambda v, w: "sig1=" + v})
m.add("the parameters in quotes in the base", BASE, QUOTE, {"params signed": lambda v, w: f'"{v}"'})
m.add("the parameters sent in another order than signed", BASE, ORDER, {"params signed": lambda v, w: v.partition(";")[0] + ";" + ";".join(v.partition(";")[2].split(";")[::-1])})
m.add("the parameters signed without nonce", BASE, words("nonce", MISSING), {"params signed": lambda v, w: v.replace(f';nonce="{w.nonce}"', "")})
m.add("the parameters signed without keyid", BASE, words("keyid|key id", MISSING), {"params signed": lambda v, w: v.replace(f';keyid="{w.keyid}"', "")})
m.add("the parameters signed with blanks after semicolons", BASE, words("blank|space|white|;|semicolon"), {"params signed": lambda v, w: v.replace(";", "; ")})
m.add("the parameters signed, keyid without quotes", BASE, QUOTE, {"params signed": lambda v, w: v.replace(f'"{w.keyid}"', w.keyid)})
m.add("created signed anew", words(TIME, BASE), words("created", OTHER), {"params signed": lambda v, w: v.replace(str(int(NOW)), str(int(NOW) - 1))})
m.add("the parameters signed without alg", words(BASE, "alg"), words("alg", MISSING), {**given(alg='"hmac-sha256"'), "params signed": lambda v, w: v.replace(';alg="hmac-sha256"', "")})
m.far("@signature-params first", BASE, ORDER, {"join": lambda v: "\n".join([v[-1], *v[:-1]])})
m.add("lines in another order than named", BASE, ORDER, {"names": lambda v, w: v, "lines": lambda some: [f'"{a}": {b}' for a, b in some[::-1]]})
m.add("lines sorted by name", BASE, ORDER, {"lines": lambda some: [f'"{a}": {b}' for a, b in sorted(some, key=lambda x: x[1])]})
m.add("lines ended as Windows does", BASE, LF, {"join": "\r\n".join})
m.add("a line end after the base", BASE, LF, {"join": lambda v: "\n".join(v) + "\n"})
m.add("lines joined with blanks", BASE, words(LF, "blank|join|separat"), {"join": " ".join})
m.add("backslash n for line ends", BASE, words(LF, "escap|backslash"), {"join": "\\n".join})
m.add("lines joined with commas", BASE, words(LF, ",|comma|join|separat"), {"join": ", ".join})
m.far("lines joined with nothing", BASE, words(LF, "nothing|join|separat"), {"join": "".join})
m.far("an empty line before the parameters", BASE, words(LF, "empty line|blank line|extra"), {"join": lambda v: "\n".join([*v[:-1], "", v[-1]])})
for name, part in (("@method", METHOD), ("@authority", HOST), ("@path", TARGET), ("@query", TARGET), ("content-digest", BODY)):
    m.add(f"{name} not covered", words(part, "component"), words("not cover|cover|demand|missing", MISSING), {"components": without(name)})
    m.add(f"{name} named, but left out of the base", words(part, BASE), words(MISSING), {"lines": lambda some, name=name: [f'"{a}": {b}' for a, b in some if a != name]})
m.add("@request-target signed in the draft's form", words(TARGET, METHOD, BASE), words("post|method|draft|request-target|target"), {"components": lambda v, w: [*v, ("@request-target", f"post {w.path}?{w.query}")]})
m.add("@target-uri without the query", TARGET, words("query|target-uri", MISSING), {"components": lambda v, w: [*v, ("@target-uri", f"https://{w.host}{w.path}")]})
m.add("@target-uri by http", words(TARGET, "scheme"), words("http\\b|http:|scheme"), {"components": lambda v, w: [*v, ("@target-uri", f"http://{w.host}{w.path}?{w.query}")]})
m.add("@scheme in capitals", words("scheme"), words(CASE, r"(?-i:\| HTTPS \|)"), {"components": lambda v, w: [*v, ("@scheme", "HTTPS")]})
m.add("@scheme http", words("scheme"), words("http\\b|TLS|scheme"), {"components": lambda v, w: [*v, ("@scheme", "http")]})
m.add("@path with the query", words(TARGET), words("query"), {"path signed": lambda v, w: f"{v}?{w.query}"})
m.add("@query without its question mark", words(TARGET), words(r"\?|question", MISSING), {"components": lambda v, w: [(a, b[1:] if a == "@query" else b) for a, b in v]})
m.add("a component with a name of no field", words(FIELD, "component"), words("x-request-id", MISSING), {"components": lambda v, w: [*v, ("x-request-id", "4711")]})
m.add("a derived component that nobody knows", words(FIELD, "component"), words("@host|unknown|grammar|derived"), {"components": lambda v, w: [*v, ("@host", w.host)]})
m.add("date covered, and rewritten by a proxy", words("date"), words("date", OTHER), {"components": lambda v, w: [*v, ("date", "Sun, 17 Mar 2030 17:46:40 GMT")], "headers": lambda v, w: [*v, ("Date", "Sun, 17 Mar 2030 17:46:43 GMT")]})
m.add("content-length covered, and dropped for chunks", words("content-length|length"), words("content-length", MISSING), {"components": lambda v, w: [*v, ("content-length", str(len(w.body)))]})
m.far("a component listed twice", words(FIELD, "component"), words(DOUBLED, "more than one|two"), {"components": lambda v, w: [*v, v[0]]})
m.far("cookie covered, and joined anew", "cookie", words("cookie|;|join|order", OTHER), {"components": lambda v, w: [*v, ("cookie", "a=1; b=2")], "headers": lambda v, w: [*v, ("Cookie", "b=2; a=1")]})
m.far("via covered, to which hops append", "via", words("via", ADDED), {"components": lambda v, w: [*v, ("via", "1.1 edge")], "headers": lambda v, w: [*v, ("Via", "1.1 edge, 1.1 mesh")]})
m.far("a field's lines in another order", "x-tag|accept", words(ORDER, "accept|line"), {"components": lambda v, w: [*v, ("accept", "text/html, application/json")], "headers": lambda v, w: [*v, ("Accept", "application/json"), ("Accept", "text/html")]})
m.add("the content type with charset after signing", "content-type", words("charset|content-type", ADDED), s(type_sent="application/json; charset=utf-8"))
m.add("the content type signed in capitals", "content-type", CASE, s(type_signed="Application/JSON"))
m.add("the content type of a form came", "content-type", words("content-type", OTHER), s(type_sent="application/x-www-form-urlencoded"))
m.add("method in small letters", METHOD, CASE, s(method_signed="post"))
m.add("GET signed for POST", METHOD, words("GET|POST", OTHER), s(method_signed="GET"))
m.far("PATCH came for POST", METHOD, words("PATCH|POST", OTHER), s(method_sent="PATCH"))
DIGEST = words("content-digest|digest", BODY)
m.add("the digest in hexadecimal", DIGEST, words(HEX, "grammar|length"), {"digest": lambda b: f"sha-256=:{hashlib.sha256(b).hexdigest()}:"})
m.add("the digest without colons", DIGEST, words("colon|:|grammar|structured|byte sequence"), {"digest": lambda b: f"sha-256={b64(hashlib.sha256(b).digest())}"})
m.add("the digest in quotes", DIGEST, words(QUOTE, "byte sequence|grammar|string"), {"digest": lambda b: f'sha-256="{b64(hashlib.sha256(b).digest())}"'})
m.add("SHA-256 as the old Digest field spells it", DIGEST, words(CASE, "SHA-256|grammar|old"), {"digest": lambda b: f"SHA-256=:{b64(hashlib.sha256(b).digest())}:"})
m.add("sha256 without its dash", DIGEST, words("is one of sha|sha256|sha-256|unknown|dash|spell|algorithm"), {"digest": lambda b: f"sha256=:{b64(hashlib.sha256(b).digest())}:"})
m.add("sha-512 named, sha-256 made", DIGEST, words("sha-?512|sha-?256|length"), {"digest": lambda b: f"sha-512=:{b64(hashlib.sha256(b).digest())}:"})
m.add("the digest of nothing", DIGEST, words(EMPTY, "no (octets|body)"), {"digest": lambda b: digest(b"")})
m.add("MD5 for the digest", DIGEST, words("MD5|algorithm|unknown|is one of sha"), {"digest": lambda b: f"md5=:{b64(hashlib.md5(b).digest())}:"})
m.add("the digest left out of the request", DIGEST, words(MISSING, "content-digest"), {"headers": lambda v, w: [v[0], *v[2:]]})
m.add("the digest of the digest's hexadecimal", DIGEST, words(HEX, DOUBLED, "text|hash"), {"digest": lambda b: f"sha-256=:{b64(hashlib.sha256(b).hexdigest().encode())}:"})
m.add("the field Digest in place of Content-Digest", DIGEST, words(MISSING, "name|Digest|called"), {"headers": lambda v, w: [v[0], ("Digest", v[1][1]), *v[2:]]})
m.far("the digest with a newline, as encode writes", DIGEST, words("newline|grammar|LF|line|padd|white|\\\\n"), {"digest": lambda b: f"sha-256=:{b64(hashlib.sha256(b).digest())}\\n:"})
m.far("crc32c for the digest", DIGEST, words("crc|algorithm|unknown|is one of sha"), {"digest": lambda b: "crc32c=:AAAAAA==:"})
m.add("created in milliseconds", TIME, words(MILLI), given(created=lambda v: v + "000"))
m.add("created an hour ahead", TIME, OFF, given(created=str(int(NOW) + 3600)))
m.add("created an hour behind", TIME, OFF, given(created=str(int(NOW) - 3600)))
m.add("created as a text", TIME, words("quot|text|string|integer|number|type"), given(created=lambda v: f'"{v}"'))
m.add("created as a date", TIME, words("quot|text|string|integer|number|date|grammar|ISO"), given(created='"2030-03-17T17:46:40Z"'))
m.add("created with a fraction", TIME, words("fraction|decimal|integer|number|grammar|point"), given(created=lambda v: v + ".123"))
m.add("created left out", TIME, words(MISSING, "demand|cover"), given(created=None))
m.add("expires in the past", TIME, words("expire", OFF), given(expires=str(int(NOW) - 10)))
m.add("expires is how long", TIME, words("expire|lifetime|relative", OFF), given(expires="300"))
m.far("created since 2001", TIME, words(OFF, "epoch|2001"), given(created=lambda v: str(int(v) - 978307200)))
m.far("created in hexadecimal", TIME, words(HEX, "integer|number|grammar|token"), given(created=lambda v: f"{int(v):x}"))
m.far("expires in milliseconds in the past of nobody", TIME, words(MILLI, OFF, "expire"), given(expires=lambda v: "1"))
m.add("nonce left out", "nonce", words(MISSING, "demand|cover"), given(nonce=None))
m.add("nonce without quotes", words("nonce", FIELD), words(QUOTE, "string|token|text|grammar|type"), given(nonce=lambda v: "a" + v.strip('"')))
m.add("keyid left out", words("keyid|key id", KEY), words(MISSING), given(keyid=None))
m.add("keyid unknown", words("keyid|key id", KEY), words("unknown|not known|no key|other"), s(keyid="key-of-staging"))
m.add("keyid in capitals", words("keyid|key id", KEY), words(CASE, "unknown"), s(keyid=str.upper))
m.add("keyid called keyId, as the draft had", words("keyid|key id", KEY), words("keyId|name|unknown|case|capital|missing|grammar"), {"parameters": lambda v, w: [("keyId" if a == "keyid" else a, b) for a, b in v]})
m.add("keyid without quotes", words("keyid|key id", KEY, FIELD), words(QUOTE, "string|token|text|grammar|type"), given(keyid=lambda v: v.strip('"')))
m.add("keyid not set", words("keyid|key id", KEY), words(PLACEHOLDER, "unknown"), s(keyid="null"))
m.add("alg of another key", words("alg"), words("rsa|hmac|alg|bound|other"), given(alg='"rsa-pss-sha512"'))
m.add("alg HS256 of tokens", words("alg"), words("HS256|hmac-sha256|alg"), given(alg='"HS256"'))
m.add("alg in capitals", words("alg"), words(CASE, "alg"), given(alg='"HMAC-SHA256"'))
m.add("alg hs2019 of the draft", words("alg"), words("hs2019|alg"), given(alg='"hs2019"'))
m.far("tag of another application", words("tag"), words("tag"), given(tag='"web-bot-auth"'))
m.far("a parameter that nobody knows", words(FIELD), words("unknown|parameter|headers", ADDED), given(headers='"date"'))
m.add("the neighbour's secret", KEY, words("another|other|known|edge"), {"key": lambda v, w: w.other})
m.add("the keyid for the secret", KEY, words("key ?id|id\\b"), {"key": lambda v, w: w.keyid})
m.add("secret decoded from base64", KEY, words(B64, "decod"), {"key octets": lambda k: base64.b64decode(k.replace("$", "").replace("#", "") + "==")})
m.add("labels differ", words(FIELD), words("label|sig1|sig"), {"signature": lambda v, w: v.replace("sig1", "sig")})
m.add("the signature without colons", words(FIELD, PROOF), words("colon|:|byte sequence|grammar|structured"), {"signature": lambda v, w: v.replace(":", "")})
m.add("the signature in quotes", words(FIELD, PROOF), words(QUOTE, "byte sequence|grammar"), {"signature": lambda v, w: v.replace(":", '"')})
m.add("the signature without its label", words(FIELD, PROOF), words("label|sig1|grammar|dictionary"), {"signature": lambda v, w: v.removeprefix("sig1=")})
m.add("Signature-Input without its label", words(FIELD), words("label|sig1|grammar|dictionary"), {"input": lambda v, w: v.removeprefix("sig1=")})
m.add("Signature-Input without parentheses", words(FIELD), words(r"\(|parenthes|list|grammar"), {"input": lambda v, w: v.replace("(", "").replace(")", "")})
m.add("commas between components", words(FIELD), words(",|comma|separat|grammar|blank"), {"input": lambda v, w: v.replace('" "', '", "')})
m.add("components without quotes", words(FIELD, "component"), words(QUOTE, "grammar|string"), {"input": lambda v, w: "sig1=(" + " ".join(x.strip('"') for x in v[6 : v.index(")")].split(" ")) + ")" + v.partition(")")[2]})
m.add("components sent with capitals", words(FIELD, "component"), words(CASE), {"input": lambda v, w: v.replace('"content-type"', '"Content-Type"')})
m.add("no Signature-Input", words(FIELD), words(MISSING, "Signature-Input"), {"headers": lambda v, w: [x for x in v if x[0] != "Signature-Input"]})
m.add("no Signature", words(FIELD), words(MISSING, "Signature\\b"), {"headers": lambda v, w: v[:-1]})
m.add("commas between parameters", words(FIELD), words(",|comma|;|semicolon|separat|grammar"), {"input": lambda v, w: v.replace(";", ", ")})
m.far("Signature-Input changed by a proxy that drops quotes", words(FIELD), words(QUOTE, "grammar"), {"input": lambda v, w: v.replace('"', "")})
m.far("both fields in X- names", words(FIELD), words("x-|name|place|field"), {"headers": lambda v, w: [(f"X-{a}" if a.startswith("Sig") else a, b) for a, b in v]})
m.far("the signature in Authorization, as the draft had", words(FIELD, "authori"), words("authori|place|draft|Signature"), {"headers": lambda v, w: [*v[:2], ("Authorization", f'Signature keyId="{w.keyid}",algorithm="hs2019",headers="date",signature="{v[3][1][6:-1]}"')]})
PAIR = {"keyid": lambda v, w: "pair-1"}
m.add("Ed25519 over a hash of the base", words(PROOF, BASE), words("hash|sha|prehash|twice"), {**PAIR, "mac": lambda k, t: pair().sign(hashlib.sha512(t).digest())})
m.add("Ed25519 in hexadecimal", words(PROOF, FIELD), HEX, {**PAIR, "mac": lambda k, t: pair().sign(t), "written": lambda o: o.hex()})
m.add("Ed25519 over a base with a line end", BASE, LF, {**PAIR, "mac": lambda k, t: pair().sign(t + b"\n")})
m.add("Ed25519 with lines of Windows", BASE, LF, {**PAIR, "mac": lambda k, t: pair().sign(t.replace(b"\n", b"\r\n"))})
m.add("HMAC under the name of the pair", words(PROOF, KEY, "alg"), words("HMAC|secret|another|other|shared"), {**PAIR, "mac": lambda k, t: hmac.digest(k, t, "sha256")})
m.add("Ed25519 over a base without quotes", BASE, QUOTE, {**PAIR, **lines(lambda a, b: f"{a}: {b}"), "mac": lambda k, t: pair().sign(t)})
m.add("Ed25519 over a host with its port", HOST, words("port|443"), {**PAIR, "host signed": lambda v, w: v + ":443", "mac": lambda k, t: pair().sign(t)})
m.add("Ed25519 over a decoded path", TARGET, PERCENT, {**PAIR, "path signed": lambda v, w: v.replace("%20", " "), "mac": lambda k, t: pair().sign(t)})
m.far("Ed25519 over the base in base64", words(BASE, PROOF), B64, {**PAIR, "mac": lambda k, t: pair().sign(base64.b64encode(t))})
m.far("Ed25519 turned around", PROOF, words(ORDER, "endian|revers"), {**PAIR, "mac": lambda k, t: pair().sign(t)[::-1]})
m.far("Ed25519 with its halves exchanged", PROOF, words(ORDER, "half|halves"), {**PAIR, "mac": lambda k, t: (lambda x: x[32:] + x[:32])(pair().sign(t))})
