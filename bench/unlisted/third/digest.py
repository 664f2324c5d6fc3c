"""Mistakes of clients of Digest (RFC 7616)."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Callable
from typing import Any

from bench.unlisted.cases import (
    ALGORITHM, B64, BLANK, CASE, CUT, DOUBLED, EMPTY, HEX, LF, METHOD, MISSING, NOW, ORDER, OTHER, PERCENT, PLACEHOLDER,
    PROOF, QUOTE, TARGET, TEXT, UNICODE, Case, Steps, host, token, word, world,
)  # fmt: skip
from bench.unlisted.third.axes import ADDED, CLICKS, PATHS, QUERIES
from bench.unlisted.third.base import Maker, words
from watchword import DigestVerifier, Guard, Policy, Rejected, Request
from watchword.stores import MemoryStore

FIELD = r"authori|field|parameter|credential|grammar|format|scheme|quot|malformed|word"
PASS = r"password|secret|HA1|A1\b"
COMPUTED = words(PROOF, TEXT, "A1|A2|hash|colon")


def draw(r: random.Random) -> Any:
    return world(
        user=f"{word(r).title()}.{word(r, 2)}", realm=f"orders of {word(r)}", host=host(r), cnonce=token(r, 16), r=r,
        path=f"/v1/{word(r).title()}s/Zo%C3%AB%20{word(r)}", query=f"{word(r)}={word(r)}%3A{word(r)}%20x&{word(r)}A={token(r, 4)}&limit=17",
        password=f"{token(r, 8)}$Q{token(r, 5)}+#{token(r, 4)}Zo\u00eb", other=token(r, 20), nonce="", colleague=word(r),
    )  # fmt: skip


def h(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    hashed: Callable[[str], str] = step("hash", h)
    query = step("query signed", w.query)
    uri = step("uri signed", step("path signed", w.path) + ("?" + query if query else ""))
    user, realm = step("user", w.user), step("realm", w.realm)
    one = hashed(
        step.run(
            "a1",
            lambda u, q, p: f"{u}:{q}:{p}",
            step("user signed", user),
            step("realm signed", realm),
            step("password", w.password),
        )
    )
    one = step("ha1", one)
    two = step("ha2", hashed(step.run("a2", lambda a, b: f"{a}:{b}", step("method signed", "POST"), uri)))
    count, cnonce, qop, nonce = (
        step("nc", "00000001"),
        step("cnonce", w.cnonce),
        step("qop", "auth"),
        step("nonce", w.nonce),
    )
    middle = [nonce, step("nc signed", count), step("cnonce signed", cnonce), step("qop signed", qop)]
    text = step.run("join", ":".join, step("parts", [one, *middle, two]))
    response = step("response", hashed(text))
    items = [
        ("username", user), ("realm", realm), ("nonce", nonce), ("uri", step("uri sent", uri)), ("algorithm", step("algorithm", "SHA-256")),
        ("response", response), ("qop", qop), ("nc", count), ("cnonce", cnonce),
    ]  # fmt: skip
    value = step("field", "Digest " + step.run("fields", fields, step("items", items)))
    headers = step("headers", [("Accept", "*/*"), ("Authorization", value)])
    target = step("target sent", step("path sent", w.path) + "?" + step("query sent", w.query))
    return Request(step("method seen", "POST"), "https", w.host, target, headers), b"", response


def fields(items: list[tuple[str, str]]) -> str:
    return ", ".join(f"{k}={v}" if k in ("qop", "nc", "algorithm") else f'{k}="{v}"' for k, v in items)


def build(r: random.Random, table: dict[str, Any]) -> Case | None:
    w = draw(r)
    store = MemoryStore(clock=lambda: NOW)
    store.add_user(w.user, w.password, realm=w.realm)
    store.add_user(w.colleague, w.other, realm=w.realm)
    guard = Guard([DigestVerifier(realm=w.realm)], store, policy=Policy(clock=lambda: NOW))
    try:
        guard.verify(Request("GET", "https", w.host, "/"))
    except Rejected as refused:
        headers = refused.refusal.response().headers if refused.refusal else ()
        challenge = dict(headers)[b"www-authenticate"].decode()
        w.nonce = re.findall(r'nonce="([^"]+)"', challenge)[0]
    _, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    secrets = [w.password.encode(), h(f"{w.user}:{w.realm}:{w.password}").encode()]
    return Case(request, guard, body, NOW, secrets, [proof.encode()], pairs=step.pairs, sent=step.sent)


# fmt: off
m = Maker("digest", build, never=(r"clocks? (is|differ)",))
KINDS = m.kinds
# The server keeps H(user:realm:password), never the password: what a password became can't be told, so only what stands beside it is asked for.
m.axis("path signed", "path signed", TARGET, PATHS, "0 1 2 3 4 5 7 8 9 10 12 13 14 16 17 18 19")
m.axis("path sent", "path sent", TARGET, PATHS, "0 1 2 4 5 7 8 9 12 13 14 15 16 17 18")
m.axis("query signed", "query signed", TARGET, QUERIES, "0 1 2 3 4 5 6 7 8 9 11 13 15 16")
m.axis("query sent", "query sent", TARGET, [*QUERIES, *CLICKS], "0 2 4 5 7 11 12 14 18 19 20")


def i(**some: Any) -> dict[str, Any]:
    """Other parameters in the field; None takes one away."""

    def change(v: list[tuple[str, str]], w: Any) -> list[tuple[str, str]]:
        changed = [(k, (some[k](x) if callable(some[k]) else some[k]) if k in some else x) for k, x in v]
        return [(k, x) for k, x in changed if x is not None]

    return {"items": change}


def s(**some: Any) -> dict[str, Any]:
    return {k.replace("_", " "): (lambda v, w, f=f: f(v) if callable(f) else f) for k, f in some.items()}


def f(change: Any) -> dict[str, Any]:
    return {"field": lambda v, w: change(v)}


def hashing(name: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(name, text.encode()).hexdigest()


def the(name: str) -> dict[str, Any]:
    return {"hash": lambda v, w: hashing(name)}


m.add("MD5 computed, SHA-256 named", words(COMPUTED, "algorithm"), words("MD5", ALGORITHM), the("md5"))
m.add("MD5 computed and named", "algorithm", words("MD5|SHA-256"), {**the("md5"), "algorithm": lambda v, w: "MD5"})
m.add("SHA-1 computed", words(COMPUTED, "algorithm"), ALGORITHM, the("sha1"))
m.add("SHA-512 computed", words(COMPUTED, "algorithm"), ALGORITHM, the("sha512"))
m.add("SHA-512-256 named and computed", "algorithm", words("SHA-512|SHA-256"), {**the("sha512_256"), "algorithm": lambda v, w: "SHA-512-256"})
m.add("algorithm left out", "algorithm", words(MISSING, "MD5"), i(algorithm=None))
m.add("algorithm SHA256", "algorithm", words("SHA256|SHA-256|spell|name"), s(algorithm="SHA256"))
m.add("algorithm SHA-256-sess named, plain computed", "algorithm", words("sess"), s(algorithm="SHA-256-sess"))
m.add("sess computed, plain named", words(COMPUTED, "algorithm"), words("sess"), {"ha1": lambda v, w: h(f"{v}:{w.nonce}:{w.cnonce}")})
m.add("response in capitals", PROOF, words(CASE), s(response=str.upper))
m.add("response in base64", PROOF, words(B64), s(response=lambda v: base64.b64encode(bytes.fromhex(v)).decode()))
m.add("response cut to 32 digits", PROOF, words(CUT, "32|half"), s(response=lambda v: v[:32]))
m.add("response empty", PROOF, words(EMPTY), s(response=""))
m.far("response with 0x", PROOF, words("0x|prefix", HEX), s(response=lambda v: "0x" + v))
m.far("response with dashes, as BitConverter writes it", PROOF, words("-|dash|separat"), s(response=lambda v: "-".join(v[n : n + 2] for n in range(0, 64, 2))))
m.far("response in base64 of its hexadecimal", PROOF, words(B64, HEX), s(response=lambda v: base64.b64encode(v.encode()).decode()))
m.far("response without leading zeros of octets", PROOF, words("zero", HEX, CUT), s(response=lambda v: "".join(f"{x:x}" for x in bytes.fromhex(v))))
m.add("HA1 in capitals in the text", words(COMPUTED), CASE, s(ha1=str.upper))
m.add("HA2 in capitals in the text", words(COMPUTED), CASE, s(ha2=str.upper))
m.add("both in capitals in the text", words(COMPUTED), CASE, s(ha1=str.upper, ha2=str.upper))
m.far("HA1 in base64", words(COMPUTED), B64, s(ha1=lambda v: base64.b64encode(bytes.fromhex(v)).decode()))
m.add("HA1 hashed again", words(COMPUTED), words(DOUBLED, "hash"), s(ha1=h))
m.add("the text without HA2", words(COMPUTED), MISSING, s(parts=lambda v: v[:-1]))
m.add("the text as RFC 2069 has it", words(COMPUTED, "qop"), words("2069|qop|nc|cnonce|left out|without"), s(parts=lambda v: [v[0], v[1], v[-1]]))
m.add("the text without nc", words(COMPUTED, r"\bnc\b"), MISSING, s(parts=lambda v: [*v[:2], *v[3:]]))
m.add("the text without cnonce", words(COMPUTED, "cnonce"), MISSING, s(parts=lambda v: [*v[:3], *v[4:]]))
m.add("the text without qop", words(COMPUTED, "qop"), MISSING, s(parts=lambda v: [*v[:4], *v[5:]]))
m.add("nonce and cnonce exchanged", words(COMPUTED, "nonce"), ORDER, s(parts=lambda v: [v[0], v[3], v[2], v[1], *v[4:]]))
m.add("HA2 before HA1", words(COMPUTED), ORDER, s(parts=lambda v: [v[-1], *v[1:-1], v[0]]))
m.add("nc and cnonce exchanged", words(COMPUTED, r"\bnc\b|cnonce"), ORDER, s(parts=lambda v: [v[0], v[1], v[3], v[2], *v[4:]]))
m.add("the text joined with nothing", COMPUTED, words("colon|:|join|separat|nothing"), {"join": "".join})
m.far("the text joined with commas", COMPUTED, words(",|comma|join|separat"), {"join": ",".join})
m.far("the text joined with bars", COMPUTED, words(r"\||bar|join|separat"), {"join": "|".join})
m.far("a line end after the text", COMPUTED, LF, {"join": lambda p: ":".join(p) + "\n"})
m.far("a colon after the text", COMPUTED, words("colon|:|trailing|after|end"), {"join": lambda p: ":".join(p) + ":"})
m.far("quotes around nonce in the text", words(COMPUTED, "nonce"), QUOTE, s(parts=lambda v: [v[0], f'"{v[1]}"', *v[2:]]))
m.add("quotes around qop in the text", words(COMPUTED, "qop"), QUOTE, s(qop_signed='"auth"'))
m.add("method in small letters", words(METHOD, COMPUTED), CASE, s(method_signed="post"))
m.add("GET in the text, POST sent", METHOD, words("GET|POST", OTHER), s(method_signed="GET"))
m.add("GET sent after a redirect", METHOD, words("GET|POST", OTHER), s(method_seen="GET"))
m.far("HEAD of a monitor for GET", METHOD, words("HEAD|GET"), s(method_seen="HEAD", method_signed="GET"))
m.far("PATCH tunnelled in POST", METHOD, words("PATCH|POST|overrid", OTHER), s(method_signed="PATCH"))
m.add("A2 without method", words(COMPUTED, METHOD), MISSING, {"a2": lambda a, b: b})
m.add("A2 the other way round", words(COMPUTED, METHOD), ORDER, {"a2": lambda a, b: f"{b}:{a}"})
m.add("A2 with a blank for the colon", words(COMPUTED, METHOD), words("blank|colon|separat|join|:"), {"a2": lambda a, b: f"{a} {b}"})
m.add("A2 with the body's hash, as auth-int has it", words(COMPUTED, "qop|body"), words("auth-int|body|qop"), {"a2": lambda a, b: f"{a}:{b}:{h('')}"})
m.far("A2 with the version of HTTP", words(COMPUTED, METHOD, TARGET), words("HTTP|version", ADDED), {"a2": lambda a, b: f"{a}:{b}:HTTP/1.1"})
m.add("the absolute URL as URI, sent and signed", TARGET, words("URL|absolute|host|https|scheme"), {"uri signed": lambda v, w: f"https://{w.host}{v}"})
m.add("the absolute URL signed, the path sent", TARGET, words("URL|absolute|host|https|scheme"), {"uri signed": lambda v, w: f"https://{w.host}{v}", "uri sent": lambda v, w: f"{w.path}?{w.query}"})  # fmt: skip
m.add("the URI without query in the field, the whole in the text", TARGET, words("query", MISSING), {"uri sent": lambda v, w: w.path})
m.add("a fragment in the URI", TARGET, words("fragment|#"), {"uri signed": lambda v, w: v + "#top"})
m.far("the URI of another request", TARGET, OTHER, {"uri signed": lambda v, w: "/favicon.ico"})
m.add("another realm", "realm", words(OTHER, "realm"), s(realm="default"))
m.add("realm empty", "realm", words(EMPTY, OTHER), s(realm=""))
m.add("realm cut at its first blank", "realm", words(CUT, OTHER, "blank"), s(realm=lambda v: v.split(" ")[0]))
m.add("realm in capitals", "realm", words(CASE), s(realm=str.upper))
m.add("realm with a blank after it", "realm", words(BLANK), s(realm=lambda v: v + " "))
m.far("realm percent-encoded", "realm", words(PERCENT), s(realm=lambda v: v.replace(" ", "%20")))
m.far("realm with a no-break space", "realm", words(BLANK, UNICODE), s(realm=lambda v: v.replace(" ", "\u00a0")))
USER = r"user|name"
m.add("user in capitals", USER, CASE, s(user=str.upper))
m.add("user in small letters", USER, CASE, s(user=str.lower))
m.add("user with a blank after it", USER, BLANK, s(user=lambda v: v + " "))
m.add("user percent-encoded", USER, PERCENT, s(user=lambda v: v.replace(".", "%2E")))
m.add("user empty", USER, words(EMPTY, r"\| '' \|"), s(user=""))
m.add("user undefined", USER, PLACEHOLDER, s(user="undefined"))
m.add("user with the realm before it", USER, words("realm|prefix|domain|\\\\|before"), {"user": lambda v, w: f"{w.realm}\\\\{v}"})
m.add("user a mail address", USER, words("mail|@|domain|after"), s(user=lambda v: v + "@example.com"))
m.far("user hashed without asking", USER, words("hash|userhash"), {"user": lambda v, w: h(f"{v}:{w.realm}"), "user signed": lambda v, w: w.user})
m.add("nonce of another server", "nonce", words("unknown|not (made|issued)|another|server|did not"), s(nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"))
m.add("nonce empty", "nonce", words(EMPTY), s(nonce=""))
m.add("nonce cut", "nonce", words(CUT, "unknown|not signed by|made by this"), s(nonce=lambda v: v[:-4]))
m.add("nonce in small letters", "nonce", words(CASE, "unknown|not signed by|made by this"), s(nonce=str.lower))
m.add("nonce with a blank", "nonce", words(BLANK), s(nonce=lambda v: v + " "))
m.far("nonce decoded from base64url", "nonce", words(HEX, B64, "decoded"), s(nonce=lambda v: base64.urlsafe_b64decode(v + "==").hex()))
m.far("nonce with its dashes made plus, for MIME", "nonce", words(B64, "alphabet"), s(nonce=lambda v: v.replace("-", "+").replace("_", "/") if "-" in v or "_" in v else v[:-4]))
m.add("nc of four digits", r"\bnc\b", words("eight|digits|8|length|grammar|short"), s(nc="0001"))
m.add("nc 1", r"\bnc\b", words("eight|digits|8|length|grammar|short"), s(nc="1"))
m.add("nc zero", r"\bnc\b", words("zero|0|one|1|replay|count"), s(nc="00000000"))
m.add("nc in the text without zeros", words(r"\bnc\b", COMPUTED), words("zero|digits|eight|1\\b"), s(nc_signed="1"))
m.far("nc with 0x", r"\bnc\b", words("0x|digits|hex|grammar"), s(nc="0x000001"))
m.far("nc sent anew but not computed", words(r"\bnc\b", COMPUTED), words("nc", OTHER), {"nc signed": lambda v, w: "00000002"})
m.add("qop left out of the field", "qop", MISSING, i(qop=None))
m.add("qop auth-int", "qop", words("auth-int|offered|other"), s(qop="auth-int"))
m.add("qop the whole list", "qop", words("list|,|auth-int|several|offered"), {"items": lambda v, w: [(k, '"auth,auth-int"') if k == "qop" else (k, x) for k, x in v], "qop signed": lambda v, w: "auth,auth-int"})
m.add("cnonce left out of the field", "cnonce", MISSING, i(cnonce=None))
m.add("nc left out of the field", r"\bnc\b", MISSING, i(nc=None))
m.add("response left out of the field", PROOF, MISSING, i(response=None))
m.add("uri left out of the field", TARGET, MISSING, i(uri=None))
m.add("nonce left out of the field", "nonce", MISSING, i(nonce=None))
m.add("realm left out of the field", "realm", MISSING, i(realm=None))
m.add("cnonce made anew for the field", words("cnonce", COMPUTED), words("cnonce", OTHER), {"cnonce signed": lambda v, w: ""})
m.far("cnonce in base64 in the text", words("cnonce", COMPUTED), B64, {"cnonce signed": lambda v, w: base64.b64encode(v.encode()).decode()})
m.add("no scheme word", FIELD, words("word|scheme", MISSING), f(lambda v: v[7:]))
m.add("Basic for Digest", FIELD, words("word|scheme|Basic"), f(lambda v: "Basic" + v[6:]))
m.add("a colon after the word", FIELD, words("colon|:|word|scheme"), f(lambda v: v.replace("Digest ", "Digest: ")))
m.add("no commas", FIELD, words(",|comma|separat"), f(lambda v: v.replace(",", "")))
m.add("semicolons for commas", FIELD, words(";|comma|separat|semicolon"), f(lambda v: v.replace(",", ";")))
m.add("single quotes", FIELD, QUOTE, f(lambda v: v.replace('"', "'")))
m.add("colons for equals signs", FIELD, words(":|colon|=|equal"), f(lambda v: v.replace('="', ':"')))
m.add("in Proxy-Authorization", words("proxy|place|field|header"), words("proxy|place"), {"headers": lambda v, w: [v[0], ("Proxy-Authorization", v[1][1])]})
m.add("the field twice", words(FIELD), words(DOUBLED, "more than one|two|lines|several"), {"headers": lambda v, w: [*v, v[1]]})
m.far("line ends in the field", FIELD, words(LF, "fold|control"), f(lambda v: v.replace(", ", ",\r\n ")))
m.far("the quotes escaped for a shell", FIELD, words(r"escap|backslash|\\|quot"), f(lambda v: v.replace('"', '\\"')))
m.far("HTML's quotes", FIELD, words("&quot|HTML|escap|quot"), f(lambda v: v.replace('"', "&quot;")))
m.far("names in capitals, values exchanged by no one", FIELD, CASE, f(lambda v: v.upper()))
m.far("username* and username both", words(USER, FIELD), words("username|both|two|twice|repeated"), {"items": lambda v, w: [*v, ("username", w.user)]})
