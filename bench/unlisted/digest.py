"""Mistakes of clients of Digest (RFC 7616)."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import unicodedata
import urllib.parse
from collections.abc import Callable
from typing import Any

from bench.unlisted import axes
from bench.unlisted.cases import (
    ALGORITHM, B64, BLANK, BODY, CASE, CUT, DOUBLED, EMPTY, FALSE_CLOCK, HEX, LF, METHOD, MISSING, NOW, PERCENT, PLACEHOLDER,
    QUOTE, TARGET, UNICODE, Case, Kind, Steps, host, json_body, path, query, token, word, world,
)  # fmt: skip
from watchword import DigestVerifier, Guard, Policy, Rejected, Request
from watchword.core.records import Put, Ref
from watchword.schemes.digest.computation import DigestSecret
from watchword.stores import MemoryStore

S = "digest"
USER = r"user|name"
PASSWORD = r"password|H\(A1\)|secret"
A2 = r"A2|method|uri|response|body|entity"
RESPONSE = r"response|text|hash|join|order|digest|H\("
PLACE = r"place|field|header|cookie|query|authori[sz]ation|proxy|body|credential"
GRAMMAR = r"param|authori|credential|grammar|field|digest|format|quot|scheme|word"
HASHERS = {
    "SHA-256": lambda b: hashlib.sha256(b).hexdigest(),
    "MD5": lambda b: hashlib.md5(b).hexdigest(),
    "SHA-512-256": lambda b: hashlib.new("sha512_256", b).hexdigest(),
}
# the password is right in every kind that doesn't say otherwise
FALSE_PASSWORD = (
    r"password (differs|is wrong|is another)|another password|the (user's|stored) password[^|]*\| (another|a different)"
)
FALSE = (FALSE_PASSWORD, FALSE_CLOCK)


def draw(
    r: random.Random, algorithm: str = "SHA-256", qop: str = "auth", username: str = "", password: str = ""
) -> Any:
    return world(
        r=r, algorithm=algorithm, qop=qop, realm=f"{word(r)} {r.choice(['orders', 'staff', 'vault'])}", username=username or f"{word(r)}.{word(r, 2)}",
        password=password or f"{word(r).title()}-{token(r, 6)}-{word(r, 2)}", other=f"{word(r)}{token(r, 8)}", colleague=word(r), host=host(r),
        target=f"{path(r)}?{query(r)}", method=r.choice(["GET", "PUT", "DELETE"]) if qop == "auth" else "POST", nc="00000001", cnonce=token(r, 16),
        body=b"" if qop == "auth" else json_body(r), hash=HASHERS[algorithm],
    )  # fmt: skip


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    h = step("hash", w.hash)
    a1 = step("a1", f"{step('username', w.username)}:{step('realm', w.realm)}:{step('password', w.password)}")
    ha1 = step("ha1", h(step("a1 octets", unicodedata.normalize("NFC", a1).encode())))
    method, uri = step("method signed", w.method), step("uri signed", w.target)
    a2 = f"{method}:{uri}"
    if w.qop == "auth-int":
        a2 += ":" + step("body hash", h(step("body signed", w.body)))
    ha2 = step("ha2", h(step("a2", a2).encode()))
    fields = [
        ha1, step("nonce signed", w.nonce), step("nc signed", w.nc), step("cnonce signed", w.cnonce), step("qop signed", w.qop), ha2
    ]  # fmt: skip
    response = step("response", h(step("text", ":".join(step("fields", fields))).encode("utf-8", "surrogateescape")))
    q = lambda value: f'"{value}"'  # noqa: E731 -- read in the rows of a table, as their other functions are
    params = step("params", {
        "username": q(step("username sent", w.username)), "realm": q(step("realm sent", w.realm)), "nonce": q(step("nonce sent", w.nonce)),
        "uri": q(step("uri sent", w.target)), "response": q(response), "algorithm": step("algorithm sent", w.algorithm),
        "cnonce": q(step("cnonce sent", w.cnonce)), "qop": step("qop sent", w.qop), "nc": step("nc sent", w.nc),
    })  # fmt: skip
    value = step("field", "Digest " + ", ".join(f"{name}={value}" for name, value in params.items()))
    headers = step("headers", [("Accept", "*/*"), ("Authorization", value)])
    request = Request(step("method sent", w.method), "https", w.host, step("target sent", w.target), headers)
    return request, step("body sent", w.body), response


def case(
    r: random.Random,
    table: dict[str, Callable],
    algorithm: str = "SHA-256",
    qop: str = "auth",
    drawn: Any = None,
    replay: bool = False,
    late: float = 0,
    **options: Any,
) -> Case | None:
    w = drawn or draw(r, algorithm, qop)
    clock = [NOW - late]
    store = MemoryStore(clock=lambda: clock[0])
    for name, password in ((w.username, w.password), (w.colleague, w.other)):
        for each in HASHERS if options.pop("all", False) else (w.algorithm.removesuffix("-sess"),):
            secret = HASHERS[each](unicodedata.normalize("NFC", f"{name}:{w.realm}:{password}").encode())
            store.commit([Put(Ref(DigestSecret, (each, w.realm, name)), DigestSecret(secret))])
    verifier = DigestVerifier(realm=w.realm, algorithms=[w.algorithm], qop=options.pop("offered", [w.qop]), **options)
    guard = Guard([verifier], store, policy=Policy(clock=lambda: clock[0], random=r.randbytes))
    try:
        guard.verify(Request("GET", "https", w.host, w.target))
    except Rejected as rejected:
        challenge = dict(rejected.refusal.response().headers)[b"www-authenticate"].decode()
    found = re.search(r'nonce="([^"]*)"', challenge)
    assert found is not None
    w.nonce = found[1]
    clock[0] = NOW
    genuine, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    ha1 = HASHERS[w.algorithm](unicodedata.normalize("NFC", f"{w.username}:{w.realm}:{w.password}").encode())
    secrets = [w.password.encode(), w.other.encode(), ha1.encode()]
    return Case(
        request,
        guard,
        body,
        NOW,
        secrets,
        [proof.encode()],
        [(genuine, w.body)] if replay else [],
        step.pairs,
        step.sent,
    )


def row(
    name: str, part: str, what: str, table: Any, tail: bool = False, never: tuple[str, ...] = FALSE, **more: Any
) -> Kind:
    undecidable, drawn = more.pop("undecidable", ""), more.pop("drawn", None)

    def make(r: random.Random) -> Case | None:
        return case(r, table(r) if callable(table) else table, drawn=drawn(r) if drawn else None, **dict(more))

    return Kind(S, name, tail, part, what, make, never, undecidable)


def _param(name: str, value: Callable | None) -> dict[str, Callable]:
    def changed(params: dict[str, str], w: Any) -> dict[str, str]:
        params = dict(params)
        if value is None:
            del params[name]
        else:
            params[name] = value(params[name])
        return params

    return {"params": changed}


def _f(change: Callable) -> dict[str, Callable]:
    return {"field": lambda v, w: change(v)}


def _placed(name: str, change: Callable = lambda value: value) -> dict[str, Callable]:
    return {"headers": lambda headers, w: [(n, v) if n != "Authorization" else (name, change(v)) for n, v in headers]}


def _p(change: Callable) -> dict[str, Callable]:
    return {"password": lambda v, w: change(v)}


def _order(*order: int) -> dict[str, Callable]:
    return {"fields": lambda v, w: [v[at] for at in order]}


INT = {"qop": "auth-int"}
COMMON = [
    row("password arbitrary", PASSWORD, r"another|differs|wrong|other", lambda r: _p(lambda v, n=token(r, 12): n), never=()),
    row("password of another user", PASSWORD, r"another|differs|wrong|other", {"password": lambda v, w: w.other}, never=()),
    row("password with a line break", PASSWORD, LF, _p(lambda v: v + "\n"), undecidable="the server holds H(A1) only: another password can't be told from a spelling of the right one"),
    row("username in capitals", USER, CASE + "|unknown|no user|a user with", {k: lambda v, w: v.upper() for k in ("username", "username sent")}, never=()),
    row("unknown user", USER, r"unknown|no (such )?user|not (in|a|known)|of the store|a user with|add the user", lambda r: {k: lambda v, w, n=word(r): n for k in ("username", "username sent")}, never=()),
    row("realm empty", "realm", EMPTY + "|realm", {k: lambda v, w: "" for k in ("realm", "realm sent")}),
    row("realm of another service", "realm", r"realm", lambda r: {k: lambda v, w, n=word(r): n for k in ("realm", "realm sent")}),
    row("realm in other case", "realm", CASE, {k: lambda v, w: v.upper() for k in ("realm", "realm sent")}),
    row("nonce of another server", "nonce", r"not (made|ours|of this)|unknown|another|did not|other|nonce", lambda r: {k: lambda v, w, n=token(r, 48): n for k in ("nonce signed", "nonce sent")}),
    row("nonce too old", "nonce", r"\bold\b|stale|expired|over|lifetime|seconds", {}, late=900.0),
    row("sent twice with the same nc", r"\bnc\b|nonce|count", r"replay|used|before|once|twice|count", {}, replay=True),
    row("nc without its zeros", r"\bnc\b|count", r"8|eight|digit|zero|hex", {k: lambda v, w: "1" for k in ("nc signed", "nc sent")}),
    row("nc in quotes", r"\bnc\b|count", QUOTE, {"nc sent": lambda v, w: f'"{v}"', "nc signed": lambda v, w: f'"{v}"'}),
    row("nc decimal in the text only", r"\bnc\b|count", r"\b1\b|zero|digit|decimal", {"nc signed": lambda v, w: "1"}),
    row("nc left out of the text", r"\bnc\b|count|" + RESPONSE, MISSING, _order(0, 1, 3, 4, 5)),
    row("nc left out of the field", r"\bnc\b|count", MISSING, _param("nc", None)),
    row("cnonce left out of the field", "cnonce", MISSING, _param("cnonce", None)),
    row("cnonce left out of the text", "cnonce|" + RESPONSE, MISSING, _order(0, 1, 2, 4, 5)),
    row("another cnonce in the text", "cnonce", r"cnonce", lambda r: {"cnonce signed": lambda v, w, n=token(r, 16): n}, undecidable="the other value was drawn at random and is nowhere in the request"),
    row("cnonce in quotes in the text", "cnonce", QUOTE, {"cnonce signed": lambda v, w: f'"{v}"'}),
    row("nonce in quotes in the text", "nonce", QUOTE, {"nonce signed": lambda v, w: f'"{v}"'}),
    row("realm in quotes in A1", "realm", QUOTE, {"realm": lambda v, w: f'"{v}"'}),
    row("qop left out of the field", "qop", MISSING, _param("qop", None)),
    row("qop as offered in the text", "qop", r"auth,auth-int|offered|list|qop", {"qop signed": lambda v, w: "auth,auth-int"}),
    row("qop auth-int said, auth offered", "qop", r"auth-int|offered|qop", {k: lambda v, w: "auth-int" for k in ("qop signed", "qop sent")}),
    row("computed as RFC 2069", RESPONSE + "|qop", r"2069|qop|nc|cnonce|legacy|without", _order(0, 1, 5)),
    row("RFC 2069 in text and field", "qop|cnonce|nc", MISSING + "|2069|legacy", {**_order(0, 1, 5), "params": lambda p, w: {k: v for k, v in p.items() if k not in ("qop", "nc", "cnonce")}}),
    row("MD5 computed under SHA-256", RESPONSE + "|algorithm", r"MD5|algorithm", {"hash": lambda h, w: HASHERS["MD5"]}),
    row("MD5 said and computed", "algorithm|response", r"MD5|algorithm", {"hash": lambda h, w: HASHERS["MD5"], "algorithm sent": lambda v, w: "MD5"}),
    row("algorithm left out", "algorithm|response", MISSING + "|MD5", _param("algorithm", None)),
    row("algorithm SHA256 without its hyphen", "algorithm", r"SHA256|hyphen|algorithm", {"algorithm sent": lambda v, w: "SHA256"}),
    row("SHA-256-sess computed, SHA-256 said", r"sess|A1|algorithm|session", r"sess", {"ha1": lambda v, w: w.hash(f"{v}:{w.nonce}:{w.cnonce}".encode())}),
    row("uri without its query", r"uri|query|target", r"query", {k: lambda v, w: v.partition("?")[0] for k in ("uri signed", "uri sent")}),
    row("uri as a whole URL of another scheme", r"uri|target", r"url|absolute|https?|scheme|host", {k: lambda v, w: f"http://{w.host}:8080{v}" for k in ("uri signed", "uri sent")}),
    row("uri decoded", r"uri|target", PERCENT + "|blank|space", {k: lambda v, w: urllib.parse.unquote(v) for k in ("uri signed", "uri sent")}),
    row("uri of the first request", r"uri|target", r"uri|target|other|another|path", {k: lambda v, w: "/" for k in ("uri signed", "uri sent")}),
    row("uri signed without its query", r"uri|query|target|A2", r"query", {"uri signed": lambda v, w: v.partition("?")[0]}),
    row("uri signed as a whole URL", r"uri|target|A2", r"url|absolute|https|scheme|host", {"uri signed": lambda v, w: f"https://{w.host}{v}"}),
    row("prefix taken off on the way", TARGET, r"prefix|path|strip|PublicURL|uri", {"target sent": lambda t, w: "/" + t.split("/", 2)[2]}),
    row("method in small letters in A2", METHOD, CASE, {"method signed": lambda v, w: v.lower()}),
    row("method GET for all", METHOD, r"GET|method", {"method signed": lambda v, w: "GET" if v != "GET" else "POST"}),
    row("method changed by a redirect", METHOD, r"GET|redirect|method", {"method signed": lambda v, w: "POST", "method sent": lambda m, w: "GET"}),
    row("method left out of A2", METHOD + "|A2", MISSING, {"a2": lambda v, w: v.partition(":")[2]}),
    row("uri left out of A2", r"uri|A2|target", MISSING, {"a2": lambda v, w: v.partition(":")[0]}),
    row("HA1 in capitals", RESPONSE + "|A1", CASE + "|capital", {"ha1": lambda v, w: v.upper()}),
    row("response in capitals", "response", CASE, {"response": lambda v, w: v.upper()}),
    row("response cut", "response", CUT + "|64|digits", lambda r: {"response": lambda v, w, n=r.randrange(1, 9): v[:-n]}),
    row("response in base64", "response", B64 + "|hex|digits", {"response": lambda v, w: base64.b64encode(bytes.fromhex(v)).decode()}),
    row("response left out", "response", MISSING, _param("response", None)),
    row("HA2 as A2", RESPONSE + "|A2", r"A2|hash", {"ha2": lambda v, w: f"{w.method}:{w.target}"}),
    row("HA1 left out of the text", RESPONSE + "|A1", MISSING + "|A1", _order(1, 2, 3, 4, 5)),
    row("HA1 and HA2 exchanged", RESPONSE, r"exchang|swap|order|moves", _order(5, 1, 2, 3, 4, 0)),
    row("A1 without the realm", r"A1|realm", MISSING + "|realm", {"a1": lambda v, w: f"{w.username}:{w.password}"}, undecidable="the server holds H(user:realm:password) only: no other A1 can be recomputed from it"),
    row("scheme word missing", GRAMMAR, r"scheme|word|missing|Digest", _f(lambda v: v[7:])),
    row("scheme word Basic", GRAMMAR, r"Basic|scheme|word", _f(lambda v: "Basic " + v[7:])),
    row("parameters without quotes", GRAMMAR + "|username|realm|nonce|uri|response", QUOTE, _f(lambda v: v.replace('"', ""))),
    row("parameters in single quotes", GRAMMAR + "|username|realm|nonce|uri|response", QUOTE, _f(lambda v: v.replace('"', "'"))),
    row("parameters joined by semicolons", GRAMMAR, r"semicolon|comma|separat", _f(lambda v: v.replace(", ", "; "))),
    row("parameters joined by blanks", GRAMMAR, r"comma|blank|space|separat", _f(lambda v: v.replace(", ", " "))),
    row("username left out", USER, MISSING, _param("username", None)),
    row("realm left out", "realm", MISSING, _param("realm", None)),
    row("nonce left out", "nonce", MISSING, _param("nonce", None)),
    row("uri left out", r"uri", MISSING, _param("uri", None)),
    row("in X-Authorization", PLACE, r"x-authorization", _placed("X-Authorization")),
    row("in Proxy-Authorization", PLACE, r"proxy-authorization", _placed("Proxy-Authorization")),
    row("auth-int: body left out", BODY, MISSING + "|empty|body", {"a2": lambda v, w: v.rpartition(":")[0]}, **INT),
    row("auth-int: hash of the empty body", BODY, EMPTY, {"body signed": lambda v, w: b""}, **INT),
    row("auth-int: body written anew", BODY, r"json|blank|space", {"body signed": lambda v, w: json.dumps(json.loads(v), ensure_ascii=False).encode()}, **INT),
    row("auth-int: body in A2 without its hash", BODY, r"hash", {"body hash": lambda v, w: w.body.decode()}, **INT),
    row("auth-int: body changed on the way", BODY, r"line|body", {"body sent": lambda v, w: v + b"\n"}, **INT),
]  # fmt: skip


def _md5(name: str, part: str, what: str, table: Any, tail: bool = True) -> Kind:
    return row("MD5: " + name, part, what, table, tail, algorithm="MD5")


def _accents(r: random.Random) -> Any:
    return draw(r, username="jos\u00e9" + word(r), password="Gr\u00fc\u00dfe" + token(r, 7))


TAIL = [
    row("a1 with a blank after the colons", r"A1|user|realm|password|H\(A1\)", BLANK, {"a1": lambda v, w: v.replace(":", ": ")}, True, undecidable="the server holds H(A1) only"),
    row("HA1 of the password only", r"A1|password", r"A1|password", {"a1": lambda v, w: w.password}, True, undecidable="the server holds H(A1) only"),
    row("HA1 decoded to octets", RESPONSE + "|A1", r"octets|binary|raw|decoded|hex|latin", {"text": lambda v, w: "".join(chr(0xDC00 + b) if b > 127 else chr(b) for b in bytes.fromhex(v.partition(":")[0])) + ":" + v.partition(":")[2]}, True),
    row("HA1 hashed once more", RESPONSE + "|A1", DOUBLED + "|hash", {"ha1": lambda v, w: w.hash(v.encode())}, True),
    row("HA2 in capitals", RESPONSE + "|A2", CASE, {"ha2": lambda v, w: v.upper()}, True),
    row("HA2 hashed once more", RESPONSE + "|A2", DOUBLED + "|hash", {"ha2": lambda v, w: w.hash(v.encode())}, True),
    row("HA2 by MD5", RESPONSE + "|A2|algorithm", r"MD5|algorithm|hash", {"ha2": lambda v, w: HASHERS["MD5"](f"{w.method}:{w.target}".encode())}, True),
    row("the response hashed by SHA-512/256", RESPONSE + "|algorithm", ALGORITHM, {"text": lambda v, w: v, "response": lambda v, w: HASHERS["SHA-512-256"](":".join([w.hash(f"{w.username}:{w.realm}:{w.password}".encode()), w.nonce, w.nc, w.cnonce, w.qop, w.hash(f"{w.method}:{w.target}".encode())]).encode())}, True),
    row("all by SHA-512/256", "algorithm|" + RESPONSE, ALGORITHM, {"hash": lambda h, w: HASHERS["SHA-512-256"]}, True),
    row("all by SHA-1", "algorithm|" + RESPONSE, ALGORITHM + "|length|digits|64", {"hash": lambda h, w: lambda b: hashlib.sha1(b).hexdigest()}, True),
    row("all by SHA-512", "algorithm|" + RESPONSE, ALGORITHM + "|length|digits|64", {"hash": lambda h, w: lambda b: hashlib.sha512(b).hexdigest()}, True),
    row("all by SHA-512 cut to 64 digits", "algorithm|" + RESPONSE, ALGORITHM + "|cut|truncat", {"hash": lambda h, w: lambda b: hashlib.sha512(b).hexdigest()[:64]}, True),
    row("HMAC instead of the hash", RESPONSE, r"hmac|key", {"response": lambda v, w: axes.mac("sha256")(w.hash(f"{w.username}:{w.realm}:{w.password}".encode()).encode(), f"{w.nonce}:{w.nc}:{w.cnonce}:{w.qop}:{w.hash(f'{w.method}:{w.target}'.encode())}".encode()).hex()}, True),
    row("colons doubled in the text", RESPONSE, r"colon|join|separat|" + DOUBLED, {"text": lambda v, w: v.replace(":", "::")}, True),
    row("no colons in the text", RESPONSE, r"colon|join|separat|nothing", {"text": lambda v, w: v.replace(":", "")}, True),
    row("bars in the text", RESPONSE, r"colon|bar|join|separat|\|", {"text": lambda v, w: v.replace(":", "|")}, True),
    row("commas in the text", RESPONSE, r"colon|comma|join|separat", {"text": lambda v, w: v.replace(":", ",")}, True),
    row("a colon at the text's end", RESPONSE, r"colon|trailing|end|join|separat", {"text": lambda v, w: v + ":"}, True),
    row("a line break at the text's end", RESPONSE, LF, {"text": lambda v, w: v + "\n"}, True),
    row("a blank after each colon of the text", RESPONSE, BLANK + "|join|separat", {"text": lambda v, w: v.replace(":", ": ")}, True),
    row("the text in small letters", RESPONSE + "|nonce|case", CASE, {"text": lambda v, w: v.lower()}, True),
    row("a line break at A2's end", r"A2|" + A2, LF, {"a2": lambda v, w: v + "\n"}, True),
    row("A2 with a blank", r"A2|" + A2, BLANK + "|join|separat|colon", {"a2": lambda v, w: v.replace(":", " ", 1)}, True),
    row("A2 exchanged", r"A2|" + A2, r"exchang|swap|order|moves", {"a2": lambda v, w: f"{w.target}:{w.method}"}, True),
    row("A2 with the host", r"A2|uri|host", r"host|authority|url", {"a2": lambda v, w: f"{w.method}:{w.host}{w.target}"}, True),
    row("A2 with auth-int's part under auth", r"A2|body|auth-int|qop", r"auth-int|body|empty", {"a2": lambda v, w: f"{v}:{w.hash(b'')}"}, True),
    row("A2 empty", r"A2|method|uri", EMPTY, {"a2": lambda v, w: ""}, True),
    row("A2 without a method but its colon, as for rspauth", METHOD + "|A2|rspauth", MISSING + "|empty|rspauth|response", {"method signed": lambda v, w: ""}, True),
    row("uri signed in small letters", r"uri|target|A2", CASE, {"uri signed": lambda v, w: v.lower()}, True),
    row("uri signed decoded", r"uri|target|A2", PERCENT, {"uri signed": lambda v, w: urllib.parse.unquote(v)}, True),
    row("uri signed encoded twice", r"uri|target|A2", DOUBLED + "|" + PERCENT, {"uri signed": lambda v, w: v.replace("%", "%25")}, True),
    row("uri signed with a slash", r"uri|target|A2", r"slash", {"uri signed": lambda v, w: v.replace("?", "/?")}, True),
    row("uri signed without its slash", r"uri|target|A2", r"slash", {"uri signed": lambda v, w: v[1:]}, True),
    row("uri signed in quotes", r"uri|target|A2", QUOTE, {"uri signed": lambda v, w: f'"{v}"'}, True),
    row("uri signed with a fragment", r"uri|target|A2", r"fragment|#", {"uri signed": lambda v, w: v + "#a"}, True),
    row("uri signed is the domain of the challenge", r"uri|target|A2", r"path|target", {"uri signed": lambda v, w: "/"}, True),
    row("uri encoded in whole", r"uri|target", PERCENT, {k: lambda v, w: urllib.parse.quote(v, safe="") for k in ("uri signed", "uri sent")}, True),
    row("uri with HTML's &amp;", r"uri|target", r"amp|html|entit", {k: lambda v, w: v.replace("&", "&amp;") for k in ("uri signed", "uri sent")}, True),
    row("uri without its slash", r"uri|target", r"slash", {k: lambda v, w: v[1:] for k in ("uri signed", "uri sent")}, True),
    row("uri empty", r"uri", EMPTY, {k: lambda v, w: "" for k in ("uri signed", "uri sent")}, True),
    row("uri a star", r"uri|target", r"\*|star|asterisk", {k: lambda v, w: "*" for k in ("uri signed", "uri sent")}, True),
    row("uri with + for %20", r"uri|target|query", r"plus|\+|%20|blank|space", {k: lambda v, w: v.replace("%20", "+") for k in ("uri signed", "uri sent")}, True),
    row("query re-ordered on the way", TARGET, r"order|query", {"target sent": lambda t, w: t.partition("?")[0] + "?" + "&".join(t.partition("?")[2].split("&")[::-1])}, True),
    row("tracking parameter added on the way", TARGET, r"utm|query|add", {"target sent": lambda t, w: t + "&utm_source=x"}, True),
    row("HEAD for GET on the way", METHOD, r"HEAD|GET", {"method signed": lambda m, w: "HEAD", "method sent": lambda m, w: "GET"}, True),
    row("method as an enum", METHOD, r"HttpMethod|method", {"method signed": lambda v, w: f"HttpMethod.{v}"}, True),
    row("method with a capital only", METHOD, CASE, {"method signed": lambda v, w: v.title()}, True),
    row("nonce signed without its last character", "nonce", CUT, {"nonce signed": lambda v, w: v[:-1]}, True),
    row("nonce signed decoded from base64", "nonce", B64 + "|decod|hex", {"nonce signed": lambda v, w: base64.urlsafe_b64decode(v + "==").hex()}, True),
    row("nonce in small letters", "nonce", CASE, {k: lambda v, w: v.lower() for k in ("nonce signed", "nonce sent")}, True, undecidable="which letters were capitals is nowhere in the request"),
    row("nonce with a blank", "nonce", BLANK, {k: lambda v, w: v + " " for k in ("nonce signed", "nonce sent")}, True),
    row("nonce percent-encoded", "nonce", PERCENT, {k: lambda v, w: "%" + f"{ord(v[0]):02X}" + v[1:] for k in ("nonce signed", "nonce sent")}, True),
    row("nonce is a placeholder", "nonce", PLACEHOLDER + "|nonce", {k: lambda v, w: "{{nonce}}" for k in ("nonce signed", "nonce sent")}, True),
    row("nonce and cnonce exchanged in the text", "nonce", r"exchang|swap|order|moves", _order(0, 3, 2, 1, 4, 5), True),
    row("nc and cnonce exchanged in the text", r"nc|cnonce", r"exchang|swap|order|moves", _order(0, 1, 3, 2, 4, 5), True),
    row("qop before nc in the text", r"qop|nc|order", r"order|exchang|swap|moves", _order(0, 1, 4, 2, 3, 5), True),
    row("qop left out of the text", "qop|" + RESPONSE, MISSING, _order(0, 1, 2, 3, 5), True),
    row("HA2 left out of the text", RESPONSE + "|A2", MISSING + "|A2", _order(0, 1, 2, 3, 4), True),
    row("realm as a part of the text", RESPONSE + "|realm", r"realm", {"fields": lambda v, w: [v[0], w.realm, *v[1:]]}, True),
    row("opaque as a part of the text", RESPONSE + "|opaque", r"opaque|add|more|part", {"fields": lambda v, w: [*v, "opaque"]}, True, undecidable="no opaque was given, the client made it up"),
    row("cnonce empty", "cnonce", EMPTY, {k: lambda v, w: "" for k in ("cnonce signed", "cnonce sent")}, True),
    row("cnonce signed in hex", "cnonce", HEX, {"cnonce signed": lambda v, w: v.encode().hex()}, True),
    row("cnonce signed in base64", "cnonce", B64, {"cnonce signed": lambda v, w: base64.b64encode(v.encode()).decode()}, True),
    row("cnonce signed in small letters", "cnonce", CASE, {"cnonce signed": lambda v, w: v.lower()}, True),
    row("cnonce sent without quotes and with +", "cnonce|" + GRAMMAR, QUOTE + r"|\+|token|character", _param("cnonce", lambda v: v.strip('"') + "=="), True),
    row("nc with a prefix", r"\bnc\b|count", r"6:|hex|digit|8", {"nc sent": lambda v, w: f"6:{v}"}, True),
    row("nc with 0x", r"\bnc\b|count", r"0x|hex|digit|8", {k: lambda v, w: "0x000001" for k in ("nc signed", "nc sent")}, True),
    row("nc of nine digits", r"\bnc\b|count", r"9|nine|digit|8|eight|hex|long", {k: lambda v, w: "000000001" for k in ("nc signed", "nc sent")}, True),
    row("nc is a time", r"\bnc\b|count", r"digit|8|eight|hex|long", {k: lambda v, w: str(int(NOW)) for k in ("nc signed", "nc sent")}, True),
    row("nc sent one ahead of the text", r"\bnc\b|count", r"\bnc\b|count", {"nc signed": lambda v, w: "00000001", "nc sent": lambda v, w: "00000002"}, True),
    row("nc empty", r"\bnc\b|count", EMPTY, {"nc sent": lambda v, w: '""'}, True),
    row("qop in quotes with a list", "qop", r"list|offered|auth-int|qop", {"qop sent": lambda v, w: '"auth,auth-int"'}, True),
    row("qop a bare list", "qop|" + GRAMMAR, r"list|offered|auth-int|qop|comma", {"qop sent": lambda v, w: "auth, auth-int"}, True),
    row("qop in capitals", "qop", CASE + "|qop", {k: lambda v, w: "AUTH" for k in ("qop signed", "qop sent")}, True),
    row("qop Auth signed", "qop", CASE, {"qop signed": lambda v, w: "Auth"}, True),
    row("qop none", "qop", r"none|qop", {k: lambda v, w: "none" for k in ("qop signed", "qop sent")}, True),
    row("qop in quotes signed", "qop", QUOTE, {"qop signed": lambda v, w: '"auth"'}, True),
    row("algorithm SHA-512", "algorithm", r"SHA-512|algorithm", {"algorithm sent": lambda v, w: "SHA-512"}, True),
    row("algorithm sha256 by its OpenSSL name", "algorithm", r"sha256|algorithm", {"algorithm sent": lambda v, w: "sha256"}, True),
    row("algorithm -sess said only", "algorithm|sess", r"sess", {"algorithm sent": lambda v, w: "SHA-256-sess"}, True),
    row("algorithm a list", "algorithm", r"list|algorithm|MD5", {"algorithm sent": lambda v, w: '"SHA-256,MD5"'}, True),
    row("algorithm empty", "algorithm", EMPTY + "|algorithm", {"algorithm sent": lambda v, w: '""'}, True),
    row("username with its realm", USER, r"realm '|@|domain|unknown", {k: lambda v, w: f"{v}@corp" for k in ("username", "username sent")}, True, never=()),
    row("username with Windows's domain", USER, r"domain|backslash|unknown|a user with", {k: lambda v, w: f"CORP\\{v}" for k in ("username", "username sent")}, True, never=()),
    row("username with a blank", USER, BLANK, {k: lambda v, w: f"{v} " for k in ("username", "username sent")}, True),
    row("username as userhash without saying so", USER, r"hash|unknown", {"username sent": lambda v, w: w.hash(f"{w.username}:{w.realm}".encode())}, True),
    row("username* without its encoding", USER, r"username\*|5987|8187|encod|ext", {"params": lambda p, w: {("username*" if k == "username" else k): v for k, v in p.items()}}, True),
    row("username and username*", USER, r"both|two|username\*|twice", {"params": lambda p, w: {**p, "username*": "UTF-8''" + w.username}}, True),
    row("username in Latin-1", USER + "|" + GRAMMAR, UNICODE, {"headers": lambda hs, w: [(n, v.encode("latin-1", "replace")) for n, v in hs]}, True, drawn=_accents),
    row("A1 in Latin-1", r"A1|password|user|charset", UNICODE, {"a1 octets": lambda v, w: v.decode().encode("latin-1")}, True, drawn=_accents, undecidable="the server holds H(A1) in UTF-8 only"),
    row("realm with the quotes' escapes", "realm", r"escap|backslash|realm", {"realm sent": lambda v, w: v.replace(" ", '\\"'), "realm": lambda v, w: v}, True),
    row("realm percent-encoded", "realm", PERCENT, {k: lambda v, w: v.replace(" ", "%20") for k in ("realm", "realm sent")}, True),
    row("realm cut at its blank", "realm", CUT + "|blank|space|realm", {k: lambda v, w: v.partition(" ")[0] for k in ("realm", "realm sent")}, True),
    row("realm sent right, other in A1", "realm", r"realm", lambda r: {"realm": lambda v, w, n=word(r): n}, True, undecidable="the server holds H(A1) only"),
    row("response twice", "response|param", DOUBLED + "|more than once|once", _f(lambda v: v + f", response={re.search('response=([^,]*)', v)[1]}"), True),
    row("response without quotes and capitals", "response", CASE + "|quot", _param("response", lambda v: v.strip('"').upper()), True),
    row("response with 0x", "response", r"0x|hex|digit|66", {"response": lambda v, w: "0x" + v}, True),
    row("response with blanks", "response", BLANK + "|hex|digit", {"response": lambda v, w: " ".join(v[i : i + 8] for i in range(0, 64, 8))}, True),
    row("response reversed", "response", r"revers|backward|order|endian", {"response": lambda v, w: v[::-1]}, True),
    row("response reversed by octets", "response", r"revers|backward|order|endian", {"response": lambda v, w: bytes.fromhex(v)[::-1].hex()}, True),
    row("response of MD5's length", "response|algorithm", CUT + "|MD5|32|digits", {"response": lambda v, w: v[:32]}, True),
    row("response called digest", "response", r"digest|name|" + MISSING, _f(lambda v: v.replace(" response=", " digest=")), True),
    row("cnonce called client_nonce", "cnonce", r"client_nonce|name|" + MISSING, _f(lambda v: v.replace(" cnonce=", " client_nonce=")), True),
    row("uri called digest-uri", r"uri", r"digest-uri|name|" + MISSING, _f(lambda v: v.replace(" uri=", " digest-uri=")), True),
    row("parameters with colons", GRAMMAR, r"colon|equal", _f(lambda v: v.replace("=", ":")), True),
    row("parameters as JSON", GRAMMAR, r"json|brace|\{", _f(lambda v: "Digest " + json.dumps(dict(re.findall(r'(\w+)="?([^",]*)', v[7:])))), True),
    row("parameters in base64", GRAMMAR, B64, _f(lambda v: "Digest " + base64.b64encode(v[7:].encode()).decode()), True),
    row("user and password as Basic has them", GRAMMAR, r"Basic|base64", {"field": lambda v, w: "Digest " + base64.b64encode(f"{w.username}:{w.password}".encode()).decode()}, True),
    row("parameters with HTML quotes", GRAMMAR, r"html|entit|quot", _f(lambda v: v.replace('"', "&quot;")), True),
    row("parameters with typographic quotes", GRAMMAR + "|username", QUOTE, _f(lambda v: v.replace('"', "\u201d")), True),
    row("parameters with backslashed quotes", GRAMMAR + "|username", QUOTE + "|backslash|escap", _f(lambda v: v.replace('"', '\\"')), True),
    row("the challenge sent back", GRAMMAR + "|username|response|uri", MISSING + "|challenge|username", {"params": lambda p, w: {k: v for k, v in p.items() if k in ("realm", "nonce", "qop", "algorithm")}}, True),
    row("scheme word doubled", GRAMMAR, DOUBLED + "|word", _f(lambda v: "Digest " + v), True),
    row("scheme word with a colon", GRAMMAR, r"colon|word|scheme", _f(lambda v: v.replace("Digest ", "Digest: ", 1)), True),
    row("field in quotes", GRAMMAR, QUOTE, _f(lambda v: "'" + v + "'"), True),
    row("field's name in the value", GRAMMAR, r"name|Authorization|front|prefix", _f(lambda v: "Authorization: " + v), True),
    row("in WWW-Authenticate", PLACE, r"www-authenticate", _placed("WWW-Authenticate"), True),
    row("in Authentication-Info", PLACE, r"authentication-info", _placed("Authentication-Info"), True),
    row("in X-Original-Authorization of a CDN", PLACE, r"x-original-authorization", _placed("X-Original-Authorization"), True),
    row("in a cookie", PLACE, r"cookie", _placed("Cookie", lambda v: "auth=" + urllib.parse.quote(v, safe="")), True),
    *(row("auth-int: signed " + name, BODY, what, {"body signed": lambda b, w, f=f: f(b)}, True, **INT) for _, name, f, what in axes.BODIES[8:30]),
    row("auth-int: body hash in capitals", BODY + "|hash|A2", CASE, {"body hash": lambda v, w: v.upper()}, True, **INT),
    row("auth-int: body hash by MD5", BODY + "|hash|A2|algorithm", ALGORITHM, {"body hash": lambda v, w: hashlib.md5(w.body).hexdigest()}, True, **INT),
    row("auth-int: body hash in base64", BODY + "|hash|A2", B64, {"body hash": lambda v, w: base64.b64encode(bytes.fromhex(v)).decode()}, True, **INT),
    row("auth-int: qop auth in the text", "qop", r"auth\b|qop", {"qop signed": lambda v, w: "auth"}, True, **INT),
    row("auth-int: body gzipped after signing", BODY, r"gzip|compress|content[- ]coding", {"body sent": lambda b, w: axes.gzip.compress(b, mtime=0)}, True, **INT),
    _md5("computed by SHA-256", "algorithm|" + RESPONSE, r"SHA-256|algorithm|length|64|32", {"hash": lambda h, w: HASHERS["SHA-256"]}),
    _md5("-sess computed", r"sess|A1|algorithm|session", r"sess", {"ha1": lambda v, w: w.hash(f"{v}:{w.nonce}:{w.cnonce}".encode())}),
    _md5("RFC 2069 computed", RESPONSE + "|qop", r"2069|qop|nc|cnonce|legacy|without", _order(0, 1, 5)),
    _md5("response in base64", "response", B64 + "|hex|digits", {"response": lambda v, w: base64.b64encode(bytes.fromhex(v)).decode()}),
    _md5("nc decimal in the text", r"\bnc\b|count", r"\b1\b|zero|digit|decimal", {"nc signed": lambda v, w: "1"}),
    _md5("HA1 as the raw octets in base64", RESPONSE + "|A1", B64, {"ha1": lambda v, w: base64.b64encode(bytes.fromhex(v)).decode()}),
    _md5("response without leading zeros", "response", r"zero|digit|32|short|cut", {"response": lambda v, w: v[1:]}),
    row("two mistakes: small method and decoded uri", METHOD + "|uri", CASE + "|" + PERCENT, {"method signed": lambda v, w: v.lower(), "uri signed": lambda v, w: urllib.parse.unquote(v)}, True),
    row("two mistakes: nc 1 and quoted qop in the text", r"\bnc\b|qop", r"zero|digit|quot|decimal", {"nc signed": lambda v, w: "1", "qop signed": lambda v, w: '"auth"'}, True),
    row("two mistakes: capital HA1 and HA2", RESPONSE + "|A1|A2", CASE, {"ha1": lambda v, w: v.upper(), "ha2": lambda v, w: v.upper()}, True),
    row("two mistakes: prefix off and method changed", METHOD + "|" + TARGET, r"prefix|path|GET|method|uri", {"target sent": lambda t, w: "/" + t.split("/", 2)[2], "method signed": lambda v, w: "POST", "method sent": lambda v, w: "GET"}, True),
]  # fmt: skip
KINDS = [*COMMON, *TAIL]
