"""Mistakes of clients of OAuth 1.0a (RFC 5849)."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import urllib.parse
from collections.abc import Callable
from typing import Any

from bench.unlisted import axes
from bench.unlisted.cases import (
    B64, BLANK, BODY, CASE, DOUBLED, EMPTY, FALSE_CLOCK, FALSE_KEY, HASHED, HEX, HOST, KEY, LF, METHOD, MISSING, NOW,
    ORDER, PERCENT, PLACEHOLDER, PROOF, QUOTE, TARGET, TEXT, TIME, Case, Kind, Steps, host, json_body, token, word, world,
)  # fmt: skip
from watchword import Guard, OAuth1Verifier, Policy, Request
from watchword.stores import MemoryStore

S = "oauth1"
NEVER = (FALSE_KEY, FALSE_CLOCK)
PARAMS = r"param|query|form|body|base|oauth_|string|encod"
BASE = r"base|string|param|text|method|uri|url|join|order"
SIGNING = r"\bkey\b|secret|&|ampersand"
PLACE = r"place|field|header|cookie|query|authori[sz]ation|proxy|body|credential|form"
GRAMMAR = r"param|authori|credential|grammar|field|scheme|word|quot|oauth"
FORM = "application/x-www-form-urlencoded"


def quote(text: str) -> str:
    return urllib.parse.quote(text, safe="-_.~")


def draw(r: random.Random, method: str = "HMAC-SHA256", kind: str = "form", form: str = "") -> Any:
    return world(
        r=r, client=f"{word(r)}-{r.randrange(9)}", secret=token(r, 24), token=token(r, 18), token_secret=token(r, 22), other_secret=token(r, 24), other_token_secret=token(r, 20),
        subject=word(r), signature_method=method, host=host(r), path=f"/{word(r)}/{word(r, 2)}", query=f"{word(r, 2)}b=x%20{word(r)}&{word(r, 2)}a=%2F{r.randrange(99)}&size={r.randrange(9)}",
        method="POST", kind=kind, form=form or f"status={word(r)}+{word(r)}%21&a{word(r, 2)}={r.randrange(99)}&name=Zo%C3%AB", at=int(NOW) - r.randrange(1, 60), nonce=token(r, 20),
        hash={"HMAC-SHA256": "sha256", "HMAC-SHA1": "sha1", "HMAC-SHA512": "sha512"}.get(method, "sha1"), json=json_body(r),
    )  # fmt: skip


def decoded(text: str) -> list[tuple[str, str]]:
    return [tuple(map(urllib.parse.unquote_plus, part.partition("=")[::2])) for part in text.split("&") if part]


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    body = {"form": w.form.encode(), "json": w.json, "none": b""}[w.kind]
    content_type = {"form": FORM, "json": "application/json", "none": ""}[w.kind]
    protocol = {
        "oauth_consumer_key": step("client", w.client), "oauth_nonce": step("nonce", w.nonce), "oauth_signature_method": step("signature method", w.signature_method),
        "oauth_timestamp": step("time", str(w.at)), "oauth_token": step("token", w.token), "oauth_version": "1.0",
    }  # fmt: skip
    if w.kind == "json":
        protocol["oauth_body_hash"] = step(
            "body hash",
            base64.b64encode(
                step.run("body hash with", lambda b: hashlib.new(w.hash, b).digest(), step("body signed", body))
            ).decode(),
        )
    protocol = step("protocol", protocol)
    protocol_signed = step("protocol signed", dict(protocol))
    pairs = [
        *step("query params", decoded(w.query)),
        *(step("form params", decoded(w.form)) if w.kind == "form" else []),
        *protocol_signed.items(),
    ]
    encoded = step(
        "encoded",
        sorted((step("encode name", quote(n)), step("encode value", quote(v))) for n, v in step("pairs", pairs)),
    )
    normalized = step("normalized", "&".join(f"{n}={v}" for n, v in encoded))
    parts = step("parts", [
        step("method signed", w.method), step("uri encoded", quote(step("uri", f"https://{step('host signed', w.host)}{step('path signed', w.path)}"))),
        step("params encoded", quote(normalized)),
    ])  # fmt: skip
    text = step("text", "&".join(parts).encode("utf-8", "surrogateescape"))
    key = step(
        "signing key",
        b"&".join([step("key", quote(w.secret).encode()), step("token key", quote(w.token_secret).encode())]),
    )
    signature = step.run("spell", lambda b: base64.b64encode(b).decode(), step.run("mac", axes.mac(w.hash), key, text))
    params = step("params", {**protocol, "oauth_signature": signature})
    value = step("field", "OAuth " + ", ".join(f'{n}="{step("param written", quote(v))}"' for n, v in params.items()))
    headers = step("headers", [*([("Content-Type", content_type)] if content_type else []), ("Authorization", value)])
    request = Request(
        step("method sent", w.method),
        step("scheme sent", "https"),
        step("host sent", w.host),
        step("target sent", f"{w.path}?{w.query}"),
        headers,
    )
    return request, step("body sent", body), signature


def case(
    r: random.Random,
    table: dict[str, Callable],
    method: str = "HMAC-SHA256",
    kind: str = "form",
    drawn: Any = None,
    replay: bool = False,
    **options: Any,
) -> Case:
    w = drawn or draw(r, method, kind)
    genuine, body, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, sent, _ = compute(w, step)
    store = MemoryStore(clock=lambda: NOW)
    store.add_oauth1_client(w.client, secret=w.secret)
    store.add_oauth1_client(w.client + "-old", secret=w.other_secret)
    store.add_oauth1_token(w.token, w.token_secret, client_key=w.client, subject=w.subject)
    store.add_oauth1_token(w.token[::-1], w.other_token_secret, client_key=w.client, subject="other")
    verifier = OAuth1Verifier(methods=("HMAC-SHA1", "HMAC-SHA256"), **options)
    guard = Guard([verifier], store, policy=Policy(clock=lambda: NOW))
    secrets = [x.encode() for x in (w.secret, w.token_secret, w.other_secret, w.other_token_secret)]
    return Case(
        request, guard, sent, NOW, secrets, [proof.encode()], [(genuine, body)] if replay else [], step.pairs, step.sent
    )


def row(
    name: str, part: str, what: str, table: Any, tail: bool = False, never: tuple[str, ...] = NEVER, **more: Any
) -> Kind:
    undecidable, drawn = more.pop("undecidable", ""), more.pop("drawn", None)

    def make(r: random.Random) -> Case | None:
        return case(r, table(r) if callable(table) else table, drawn=drawn(r) if drawn else None, **dict(more))

    return Kind(S, name, tail, part, what, make, never, undecidable)


def _f(change: Callable) -> dict[str, Callable]:
    return {"field": lambda v, w: change(v)}


def _enc(change: Callable) -> dict[str, Callable]:
    return {k: lambda v, w: change(v) for k in ("encode name", "encode value")}


def _n(change: Callable) -> dict[str, Callable]:
    return {"normalized": lambda v, w: change(v)}


def _t(change: Callable) -> dict[str, Callable]:
    return {"text": lambda v, w: change(v)}


def _k(change: Callable) -> dict[str, Callable]:
    return {"signing key": lambda v, w: change(v)}


def _placed(name: str, change: Callable = lambda value: value) -> dict[str, Callable]:
    return {"headers": lambda headers, w: [(n, v) if n != "Authorization" else (name, change(v)) for n, v in headers]}


def _sent(name: str, value: Callable | None) -> dict[str, Callable]:
    def changed(params: dict[str, str], w: Any) -> dict[str, str]:
        params = dict(params)
        if value is None:
            del params[name]
        else:
            params[name] = value(params[name])
        return params

    return {"params": changed}


def _unprotocol(name: str) -> dict[str, Callable]:
    return {"protocol signed": lambda v, w: {k: x for k, x in v.items() if k != name}}


def _protocol(name: str, change: Callable) -> dict[str, Callable]:
    return {"protocol signed": lambda v, w: {**v, name: change(v[name])}}


JSON = {"kind": "json"}
SHA1 = {"method": "HMAC-SHA1"}
COMMON = [
    row("query left out", r"query", r"query|" + MISSING, {"query params": lambda v, w: []}),
    row("form left out", r"form|body", r"form|body|" + MISSING, {"form params": lambda v, w: []}),
    row("query in the URL and among the parameters", r"uri|url|query", r"query", {"path signed": lambda v, w: f"{v}?{w.query}"}),
    row("parameters in the order of the request", PARAMS, ORDER, {"encoded": lambda v, w: [(quote(n), quote(x)) for n, x in [*decoded(w.query), *decoded(w.form), ("oauth_consumer_key", w.client), ("oauth_nonce", w.nonce), ("oauth_signature_method", w.signature_method), ("oauth_timestamp", str(w.at)), ("oauth_token", w.token), ("oauth_version", "1.0")]]}),
    row("only the protocol's parameters sorted, the others behind", PARAMS, ORDER, {"encoded": lambda v, w: [x for x in v if x[0].startswith("oauth")] + [x for x in v if not x[0].startswith("oauth")]}),
    row("+ for the blank in the parameters", PARAMS, r"plus|\+|%20|blank|space", _enc(lambda v: v.replace("%20", "+"))),
    row("small hex digits", PARAMS, CASE + r"|hex|percent|%2f|lower", _enc(lambda v: v.replace("%2F", "%2f").replace("%C3%AB", "%c3%ab"))),
    row("slash left as it is", PARAMS, r"slash|%2F|encod", _enc(lambda v: v.replace("%2F", "/"))),
    row("exclamation mark left as it is by encodeURIComponent", PARAMS, r"!|%21|exclam|encod|escap", _enc(lambda v: v.replace("%21", "!"))),
    row("parameters not encoded", PARAMS, r"encod|escap|percent|once|decod", _enc(lambda v: urllib.parse.unquote(v))),
    row("parameters encoded twice", PARAMS, DOUBLED + "|%25", _enc(lambda v: v.replace("%", "%25"))),
    row("the normalized string not encoded", BASE + "|encod", r"encod|escap|percent|once", {"params encoded": lambda v, w: urllib.parse.unquote(v)}),
    row("the normalized string encoded twice", BASE + "|encod", DOUBLED + "|%25|times", {"params encoded": lambda v, w: quote(v)}),
    row("URL not encoded", r"uri|url|" + BASE, r"encod|escap|percent", {"uri encoded": lambda v, w: urllib.parse.unquote(v)}),
    row("= and & left alone in the base string", BASE + "|encod", r"encod|escap|percent|&", {"params encoded": lambda v, w: v.replace("%3D", "=").replace("%26", "&")}),
    row("method in small letters", METHOD, CASE, {"method signed": lambda v, w: v.lower()}),
    row("method GET for all", METHOD, r"GET|method", {"method signed": lambda v, w: "GET"}),
    row("method left out", METHOD, MISSING, {"parts": lambda v, w: v[1:]}),
    row("URL with http", r"scheme|url|uri|http", r"http\b|https|scheme", {"uri": lambda v, w: v.replace("https", "http")}),
    row("URL with the port", HOST + "|url|uri", r"port|443", {"host signed": lambda v, w: v + ":443"}),
    row("URL with the host in capitals", HOST + "|url|uri", CASE, {"host signed": lambda v, w: v.upper()}),
    row("URL with a slash at its end", TARGET, r"slash", {"path signed": lambda v, w: v + "/"}),
    row("URL without its scheme", r"scheme|url|uri|http", r"scheme|https?|" + MISSING, {"uri": lambda v, w: v.partition("://")[2]}),
    row("path alone for the URL", r"url|uri|host|scheme", r"path|host|scheme|" + MISSING, {"uri": lambda v, w: w.path}),
    row("TLS ended by a proxy", r"scheme|http|url", r"http\b|TLS|proxy|PublicURL|scheme", {"scheme sent": lambda v, w: "http"}),
    row("internal host on the way", HOST, r"host|authority|PublicURL|proxy", {"host sent": lambda v, w: "app.internal:8080"}, undecidable="the host that was signed is nowhere in the request"),
    row("prefix taken off on the way", TARGET, r"prefix|path|strip|PublicURL", {"path signed": lambda v, w: "/api" + v}),
    row("key without its ampersand", SIGNING, r"ampersand|&|join|separat", _k(lambda v: v.replace(b"&", b""))),
    row("key is the client's secret alone", SIGNING, r"token|ampersand|&|alone|" + MISSING, _k(lambda v: v.partition(b"&")[0])),
    row("key without the token's secret", SIGNING + "|token", r"token|" + MISSING, _k(lambda v: v.partition(b"&")[0] + b"&")),
    row("secrets exchanged in the key", SIGNING, r"exchang|swap|order|moves", _k(lambda v: b"&".join(v.split(b"&")[::-1]))),
    row("key encoded in whole", SIGNING, PERCENT + "|%26", _k(lambda v: quote(v.decode()).encode())),
    row("token for its secret in the key", SIGNING + "|token", r"token", {"token key": lambda v, w: w.token.encode()}),
    row("client key for its secret", SIGNING, r"client|consumer|key|id", {"key": lambda v, w: w.client.encode()}),
    row("secret of another client", SIGNING, r"another|other|belongs|client", {"key": lambda v, w: w.other_secret.encode()}, never=(FALSE_CLOCK,)),
    row("secret of another token", SIGNING + "|token", r"another|other|belongs|token", {"token key": lambda v, w: w.other_token_secret.encode()}, never=(FALSE_CLOCK,)),
    row("HMAC-SHA1 computed, SHA256 said", PROOF + "|hash|algorithm|method", HASHED, {"mac": axes.mac("sha1")}),
    row("HMAC-SHA512 said and not offered", r"method|algorithm", r"HMAC-SHA512|method", {"signature method": lambda v, w: "HMAC-SHA512", "mac": axes.mac("sha512")}),
    row("method HMAC-SHA256 in small letters", r"method|algorithm", CASE + "|hmac-sha256", {"signature method": lambda v, w: v.lower()}),
    row("PLAINTEXT said", r"method|algorithm|plaintext", r"PLAINTEXT", {"signature method": lambda v, w: "PLAINTEXT"}),
    row("signature not encoded in the field", PROOF + "|" + GRAMMAR, r"encod|escap|percent|\+|%2B", {"field": lambda v, w: v.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")}, drawn=lambda r: _with_plus(r)),
    row("signature encoded twice", PROOF, DOUBLED + "|%25|encod|percent", _f(lambda v: v.replace("%3D", "%253D").replace("%2B", "%252B").replace("%2F", "%252F"))),
    row("signature of hex in base64", PROOF, HEX, {"spell": lambda b: base64.b64encode(b.hex().encode()).decode()}),
    row("timestamp in milliseconds", TIME, r"milli|unit|1000|future|ahead", {"time": lambda v, w: v + "000"}),
    row("clock behind", TIME, r"old|expired|clock|seconds|behind", lambda r: {"time": lambda v, w, d=r.randrange(900, 9000): str(int(v) - d)}),
    row("clock ahead", TIME, r"ahead|future|clock|seconds|not yet", lambda r: {"time": lambda v, w, d=r.randrange(900, 9000): str(int(v) + d)}),
    row("used twice", r"nonce|replay|used", r"replay|used|before|once|twice", {}, replay=True),
    row("nonce left out", r"nonce", MISSING, {"protocol": lambda v, w: {k: x for k, x in v.items() if k != "oauth_nonce"}}),
    row("timestamp left out", r"timestamp", MISSING, {"protocol": lambda v, w: {k: x for k, x in v.items() if k != "oauth_timestamp"}}),
    row("signature left out", r"signature", MISSING, _sent("oauth_signature", None)),
    row("signature method left out", r"method", MISSING, {"protocol": lambda v, w: {k: x for k, x in v.items() if k != "oauth_signature_method"}}),
    row("consumer key left out", r"consumer|client", MISSING, {"protocol": lambda v, w: {k: x for k, x in v.items() if k != "oauth_consumer_key"}}),
    row("consumer key unknown", r"consumer|client|key", r"unknown|not known|no (such )?client", lambda r: {"client": lambda v, w, n=word(r): n}, never=()),
    row("token unknown", r"token", r"unknown|not known|no (such )?token", lambda r: {"token": lambda v, w, n=token(r, 16): n}, never=()),
    row("consumer key and secret exchanged", r"consumer|client|key", r"exchang|swap|secret|unknown", {"client": lambda v, w: w.secret, "key": lambda v, w: w.client.encode()}, never=()),
    row("version 2.0", r"version", r"2\.0|1\.0|version", {"protocol": lambda v, w: {**v, "oauth_version": "2.0"}}),
    row("oauth_token sent and not signed", r"oauth_token|token", MISSING + "|sign|token", _unprotocol("oauth_token")),
    row("oauth_version sent and not signed", r"oauth_version|version", MISSING + "|sign|version", _unprotocol("oauth_version")),
    row("oauth_signature signed as well", r"oauth_signature|signature", r"oauth_signature", {"protocol signed": lambda v, w: {**v, "oauth_signature": ""}}),
    row("realm signed as well", r"realm", r"realm", {"protocol signed": lambda v, w: {**v, "realm": "photos"}, "field": lambda v, w: v.replace("OAuth ", 'OAuth realm="photos", ')}),
    row("JSON body without its hash", r"body|oauth_body_hash", MISSING + "|cover", {"protocol": lambda v, w: {k: x for k, x in v.items() if k != "oauth_body_hash"}}, **JSON),
    row("JSON body hashed by SHA-1", r"body", HASHED, {"body hash with": lambda b: hashlib.sha1(b).digest()}, **JSON),
    row("JSON body hash in hex", r"body", HEX + "|base64", {"body hash": lambda v, w: hashlib.sha256(w.json).hexdigest()}, **JSON),
    row("JSON body of a form's members", r"body|form", r"json|form|member", {"pairs": lambda v, w: [*v, *((k, str(x)) for k, x in json.loads(w.json).items())]}, **JSON),
    row("JSON body changed on the way", r"body", r"body|hash|line", {"body sent": lambda v, w: v + b"\n"}, **JSON),
    row("form sent as JSON", r"body|form|content", r"json|form|content-type|body", {"headers": lambda hs, w: [("Content-Type", "application/json"), *hs[1:]], "body sent": lambda v, w: json.dumps(dict(decoded(w.form))).encode()}),
    row("form sent with another content type", r"body|form|content", r"content-type|form|text/plain", {"headers": lambda hs, w: [("Content-Type", "text/plain"), *hs[1:]]}),
    row("parameters without quotes", GRAMMAR, QUOTE, _f(lambda v: v.replace('"', ""))),
    row("parameters joined by &", GRAMMAR, r"comma|&|ampersand|separat", _f(lambda v: v.replace(", ", "&"))),
    row("scheme word OAuth1", GRAMMAR, r"OAuth1|scheme|word", _f(lambda v: v.replace("OAuth ", "OAuth1 ", 1))),
    row("scheme word missing", GRAMMAR, r"scheme|word|missing|OAuth", _f(lambda v: v[6:])),
    row("scheme word Bearer", GRAMMAR, r"Bearer|scheme|word", _f(lambda v: v.replace("OAuth ", "Bearer ", 1))),
    row("in the query, where the field is read", PLACE, r"query", {"headers": lambda hs, w: hs[:1], "target sent": lambda v, w: v + "&" + "&".join(p.replace('"', "") for p in compute(w, Steps(w, {}))[0].lines[b"authorization"].decode()[6:].split(", "))}),
    row("in the form, where the field is read", PLACE, r"form|body", {"headers": lambda hs, w: hs[:1], "body sent": lambda v, w: v + b"&" + "&".join(p.replace('"', "") for p in compute(w, Steps(w, {}))[0].lines[b"authorization"].decode()[6:].split(", ")).encode()}),
    row("in Proxy-Authorization", PLACE, r"proxy-authorization", _placed("Proxy-Authorization")),
    row("in X-Authorization", PLACE, r"x-authorization", _placed("X-Authorization")),
    row("tracking parameter added on the way", TARGET + "|param", r"utm|query|add", {"target sent": lambda v, w: v + "&utm_id=1"}),
    row("SHA1: form's + not decoded", PARAMS, r"plus|\+|%2B|blank|space|decod|encod", {"form params": lambda v, w: [tuple(map(urllib.parse.unquote, p.partition("=")[::2])) for p in w.form.split("&")]}, **SHA1),
    row("SHA1: signature in hex", PROOF, HEX, {"spell": bytes.hex}, **SHA1),
    row("SHA1: SHA-256 computed", PROOF + "|hash|algorithm|method", HASHED, {"mac": axes.mac("sha256")}, **SHA1),
]  # fmt: skip


def _with_plus(r: random.Random) -> Any:
    """A world whose genuine signature holds a plus, which a field decodes to a blank, or an equals sign."""
    w = draw(r)
    while "+" not in compute(w, Steps(w, {}))[2]:
        w.nonce = token(r, 20)
    return w


TAIL = [
    row("base string without its ampersands", BASE, r"ampersand|&|join|separat", {"text": lambda v, w: v.replace(b"&", b"")}, True),
    row("base string joined by line breaks", BASE, LF + "|join|separat", _t(lambda v: v.replace(b"&", b"\n")), True),
    row("base string joined by blanks", BASE, BLANK + "|join|separat", _t(lambda v: v.replace(b"&", b" ")), True),
    row("base string joined by %26", BASE, r"%26|ampersand|&|encod|join", _t(lambda v: v.replace(b"&", b"%26")), True),
    row("base string with a line break at its end", BASE, LF, _t(lambda v: v + b"\n"), True),
    row("base string with an ampersand at its end", BASE, r"ampersand|&|trailing|end", _t(lambda v: v + b"&"), True),
    row("base string in small letters", BASE + "|case", CASE, _t(bytes.lower), True),
    row("base string's URL before its method", BASE, ORDER, {"parts": lambda v, w: [v[1], v[0], v[2]]}, True),
    row("base string's parameters before its URL", BASE, ORDER, {"parts": lambda v, w: [v[0], v[2], v[1]]}, True),
    row("base string without its URL", BASE, MISSING, {"parts": lambda v, w: [v[0], v[2]]}, True),
    row("base string without its parameters", BASE, MISSING, {"parts": lambda v, w: v[:2]}, True),
    row("base string encoded in whole", BASE, PERCENT, _t(lambda v: quote(v.decode()).encode()), True),
    row("base string with small hex digits outside", BASE + "|case", CASE + "|hex|%3d", _t(lambda v: v.replace(b"%3D", b"%3d").replace(b"%26", b"%26")), True),
    row("base string with the body's text behind", BASE + "|body", r"body", {"parts": lambda v, w: [*v, quote(w.form)]}, True),
    row("names not encoded, values are", PARAMS, r"name|encod", {"encode name": lambda v, w: urllib.parse.unquote(v)}, True, drawn=lambda r: draw(r, form=f"a%5Bb%5D={word(r)}&c=1")),
    row("values encoded twice, names once", PARAMS, r"value|" + DOUBLED + "|%25", {"encode value": lambda v, w: v.replace("%", "%25")}, True),
    row("tilde encoded", PARAMS, r"tilde|~|%7E|encod", _enc(lambda v: v.replace("~", "%7E")), True, drawn=lambda r: draw(r, form=f"a=~{word(r)}&b=1")),
    row("asterisk left as it is by URLEncoder", PARAMS, r"asterisk|\*|%2A|encod", _enc(lambda v: v.replace("%2A", "*")), True, drawn=lambda r: draw(r, form=f"a=%2A{word(r)}&b=1")),
    row("parentheses left as they are", PARAMS, r"parenthes|bracket|\(|%28|encod", _enc(lambda v: v.replace("%28", "(").replace("%29", ")")), True, drawn=lambda r: draw(r, form=f"a=%28{word(r)}%29&b=1")),
    row("apostrophe left as it is", PARAMS, r"apostroph|'|%27|quot|encod", _enc(lambda v: v.replace("%27", "'")), True, drawn=lambda r: draw(r, form=f"a={word(r)}%27s&b=1")),
    row("colon left as it is", PARAMS, r"colon|%3A|encod", _enc(lambda v: v.replace("%3A", ":")), True, drawn=lambda r: draw(r, form=f"a={word(r)}%3A7&b=1")),
    row("at sign left as it is", PARAMS, r"@|%40|\bat\b|encod", _enc(lambda v: v.replace("%40", "@")), True, drawn=lambda r: draw(r, form=f"a={word(r)}%40b.example&b=1")),
    row("comma left as it is", PARAMS, r"comma|%2C|encod", _enc(lambda v: v.replace("%2C", ",")), True, drawn=lambda r: draw(r, form=f"a={word(r)}%2C7&b=1")),
    row("non-ASCII in Latin-1", PARAMS, r"latin|8859|utf|charset|character|encod", _enc(lambda v: v.replace("%C3%AB", "%EB")), True),
    row("non-ASCII as %uXXXX of escape()", PARAMS, r"%u|escap|encod|unicode|character", _enc(lambda v: v.replace("%C3%AB", "%u00EB")), True),
    row("non-ASCII left out", PARAMS, r"ascii|character|drop|" + MISSING + "|latin|encod", _enc(lambda v: v.replace("%C3%AB", "")), True),
    row("non-ASCII encoded of characters decomposed", PARAMS, r"unicode|NF|compos|accent|character|encod", _enc(lambda v: v.replace("%C3%AB", "e%CC%88")), True),
    row("sorted before they are encoded", PARAMS, ORDER, {"encoded": lambda v, w: [(quote(n), quote(x)) for n, x in sorted((urllib.parse.unquote(n), urllib.parse.unquote(x)) for n, x in v)]}, True, drawn=lambda r: draw(r, form="a=b%21&a=b+c&a=b.d")),
    row("sorted by name only", PARAMS, ORDER, {"encoded": lambda v, w: sorted(v, key=lambda p: (p[0], [-ord(c) for c in p[1]]))}, True, drawn=lambda r: draw(r, form=f"k=1{word(r)}&k=2&b=1")),
    row("sorted without regard to case", PARAMS, ORDER + "|case", {"encoded": lambda v, w: sorted(v, key=lambda p: p[0].lower())}, True, drawn=lambda r: draw(r, form=f"Zed={word(r)}&b=1")),
    row("sorted backwards", PARAMS, ORDER + "|revers", {"encoded": lambda v, w: v[::-1]}, True),
    row("a repeated parameter signed once", PARAMS, r"repeat|twice|duplicat|once|again|added|" + MISSING, {"pairs": lambda v, w: list(dict(v).items())}, True, drawn=lambda r: draw(r, form=f"k=1{word(r)}&k=2&b=1")),
    row("an empty value left out", PARAMS, EMPTY, {"pairs": lambda v, w: [p for p in v if p[1]]}, True, drawn=lambda r: draw(r, form=f"k=&b={word(r)}")),
    row("an empty value without =", PARAMS, EMPTY + "|=|equal", _n(lambda v: v.replace("k=&", "k&")), True, drawn=lambda r: draw(r, form=f"k=&b={word(r)}")),
    row("parameters joined by commas", PARAMS, r"comma|&|join|separat|between", _n(lambda v: v.replace("&", ",")), True),
    row("parameters joined by ;", PARAMS, r"semicolon|&|join|separat|between", _n(lambda v: v.replace("&", ";")), True),
    row("parameters with values in quotes", PARAMS, QUOTE, _n(lambda v: "&".join(p.replace("=", '="', 1) + '"' for p in v.split("&"))), True),
    row("parameters with an ampersand at the end", PARAMS, r"ampersand|&|trailing|end", _n(lambda v: v + "&"), True),
    row("parameters with an ampersand at the begin", PARAMS, r"ampersand|&|leading|begin|front", _n(lambda v: "&" + v), True),
    row("parameters with a question mark", PARAMS, r"\?|question|mark", _n(lambda v: "?" + v), True),
    row("protocol's parameters without oauth_", PARAMS, r"oauth_|prefix|name", {"protocol signed": lambda v, w: {k[6:]: x for k, x in v.items()}}, True),
    row("oauth_nonce not signed", r"nonce", MISSING + "|nonce", _unprotocol("oauth_nonce"), True),
    row("oauth_timestamp not signed", TIME, MISSING + "|timestamp", _unprotocol("oauth_timestamp"), True),
    row("oauth_signature_method not signed", r"method", MISSING + "|method", _unprotocol("oauth_signature_method"), True),
    row("oauth_consumer_key not signed", r"consumer|client", MISSING + "|consumer", _unprotocol("oauth_consumer_key"), True),
    row("oauth_callback signed and not sent", r"callback", r"callback", {"protocol signed": lambda v, w: {**v, "oauth_callback": "oob"}}, True),
    row("oauth_verifier signed empty and not sent", r"verifier", r"verifier", {"protocol signed": lambda v, w: {**v, "oauth_verifier": ""}}, True),
    row("oauth_token signed empty", r"token", EMPTY, _protocol("oauth_token", lambda v: ""), True),
    row("oauth_version signed 1.0a", r"version", r"1\.0a|version", _protocol("oauth_version", lambda v: "1.0a"), True),
    row("oauth_timestamp signed with a fraction", TIME, r"fraction|decimal|\.0|point", _protocol("oauth_timestamp", lambda v: v + ".0"), True),
    row("oauth_timestamp signed a second later", TIME, r"time|second", _protocol("oauth_timestamp", lambda v: str(int(v) + 1)), True),
    row("oauth_nonce signed in small letters", r"nonce", CASE, _protocol("oauth_nonce", str.lower), True),
    row("oauth_signature_method signed in small letters", r"method", CASE, _protocol("oauth_signature_method", str.lower), True),
    row("oauth_signature_method signed as HMAC-SHA1", r"method", r"HMAC-SHA1|method", _protocol("oauth_signature_method", lambda v: "HMAC-SHA1"), True),
    row("oauth_consumer_key signed in capitals", r"consumer|client", CASE, _protocol("oauth_consumer_key", str.upper), True),
    row("URL with a fragment", TARGET, r"fragment|#", {"uri": lambda v, w: v + "#top"}, True),
    row("URL with the path in small letters", TARGET, CASE, {"path signed": lambda v, w: v.title()}, True),
    row("URL without its last part", TARGET, r"path|segment|" + MISSING, {"path signed": lambda v, w: v.rpartition("/")[0]}, True),
    row("URL of the service's old version", TARGET, r"prefix|path|/1\.0", {"path signed": lambda v, w: "/1.0" + v}, True),
    row("URL with www", HOST + "|url|uri", r"www", {"host signed": lambda v, w: "www." + v}, True),
    row("URL with a doubled slash", TARGET, r"slash", {"path signed": lambda v, w: "/" + v}, True),
    row("URL with port 8080", HOST + "|url|uri", r"port|8080", {"host signed": lambda v, w: v + ":8080"}, True),
    row("URL encoded twice", r"url|uri|" + BASE, DOUBLED + "|%25", {"uri encoded": lambda v, w: quote(v)}, True),
    row("URL's slashes left alone", r"url|uri|" + BASE, r"slash|encod|%2F", {"uri encoded": lambda v, w: v.replace("%2F", "/")}, True),
    row("URL with a question mark at its end", TARGET + "|url|uri", r"\?|question|mark|empty", {"uri": lambda v, w: v + "?"}, True),
    row("URL's scheme in capitals", r"scheme|url|uri", CASE, {"uri": lambda v, w: v.replace("https", "HTTPS")}, True),
    row("URL with user information", HOST + "|url|uri", r"user", {"host signed": lambda v, w: "me@" + v}, True),
    row("host of localhost", HOST + "|url|uri", r"localhost|host", {"host signed": lambda v, w: "localhost"}, True),
    row("query's order changed by a CDN with a change of case", TARGET + "|param", CASE + "|query|param", {"target sent": lambda v, w: v.partition("?")[0] + "?" + v.partition("?")[2].upper().replace("%2F", "%2F")}, True),
    row("query dropped on the way", TARGET + "|param|query", r"query|" + MISSING, {"target sent": lambda v, w: v.partition("?")[0]}, True, undecidable="the dropped values are nowhere in the request"),
    row("query sent twice on the way", TARGET + "|param|query", DOUBLED + "|query|repeat", {"target sent": lambda v, w: v + "&" + w.query}, True),
    row("form with a line break on the way", r"form|body", LF, {"body sent": lambda v, w: v + b"\r\n"}, True),
    row("form with + for %2B on the way", r"form|body", r"plus|\+|%2B|blank|space|encod", {"body sent": lambda v, w: v.replace(b"%2B", b"+")}, True, drawn=lambda r: draw(r, form=f"a=1%2B1{word(r)}&b=2")),
    row("form dropped by a redirect", r"form|body|method", EMPTY + "|GET|method|redirect", {"method sent": lambda v, w: "GET", "body sent": lambda v, w: b"", "headers": lambda hs, w: hs[1:]}, True, undecidable="the dropped values are nowhere in the request"),
    row("method changed by a redirect", METHOD, r"PUT|POST|method", {"method sent": lambda v, w: "PUT"}, True),
    row("method override", METHOD, r"override|PATCH|POST", {"method signed": lambda v, w: "PATCH", "headers": lambda hs, w: [*hs, ("X-HTTP-Method-Override", "PATCH")]}, True),
    row("method as an enum", METHOD, r"HttpMethod|method", {"method signed": lambda v, w: "HttpMethod.POST"}, True),
    row("method with a capital only", METHOD, CASE, {"method signed": lambda v, w: "Post"}, True),
    row("key with %26 for its ampersand", SIGNING, r"%26|ampersand|&|encod", _k(lambda v: v.replace(b"&", b"%26")), True),
    row("key with +", SIGNING, r"plus|\+|ampersand|&|join|separat", _k(lambda v: v.replace(b"&", b"+")), True),
    row("key with a colon", SIGNING, r"colon|ampersand|&|join|separat", _k(lambda v: v.replace(b"&", b":")), True),
    row("key with an ampersand in front", SIGNING, r"ampersand|&", _k(lambda v: b"&" + v), True),
    row("key with an ampersand behind", SIGNING, r"ampersand|&|trailing|end", _k(lambda v: v + b"&"), True),
    row("key is the token's secret alone", SIGNING, r"token|client|alone|" + MISSING, _k(lambda v: v.partition(b"&")[2]), True),
    row("key is an ampersand and the token's secret", SIGNING, r"client|consumer|token|alone|" + MISSING, _k(lambda v: b"&" + v.partition(b"&")[2]), True),
    row("key with the client's secret twice", SIGNING, DOUBLED + "|token|client", _k(lambda v: v.partition(b"&")[0] + b"&" + v.partition(b"&")[0]), True),
    row("key in base64", SIGNING, B64, _k(base64.b64encode), True),
    row("key hashed", SIGNING, HASHED, _k(lambda v: hashlib.sha256(v).digest()), True),
    row("key with a line break", SIGNING, LF, _k(lambda v: v + b"\n"), True),
    row("key in small letters", SIGNING, CASE, _k(bytes.lower), True),
    row("key with the secrets' encoding left out", SIGNING, PERCENT, {"key": lambda v, w: w.secret.encode()}, True, drawn=lambda r: _odd_secret(r)),
    row("key with the client key in front", SIGNING, r"client|consumer|key|front|prefix", {"signing key": lambda v, w: w.client.encode() + b"&" + v}, True),
    row("token's secret with a line break", SIGNING + "|token", LF, {"token key": lambda v, w: v + b"%0A"}, True),
    row("token's secret with a raw line break", SIGNING + "|token", LF, {"token key": lambda v, w: v + b"\n"}, True),
    row("token's secret is undefined", SIGNING + "|token", PLACEHOLDER, {"token key": lambda v, w: b"undefined"}, True),
    row("token's secret is null", SIGNING + "|token", PLACEHOLDER + "|null", {"token key": lambda v, w: b"null"}, True),
    row("token's secret in quotes", SIGNING + "|token", QUOTE, {"token key": lambda v, w: b"%22" + v + b"%22"}, True),
    row("token and its secret exchanged", r"token", r"exchang|swap|secret|unknown", {"token": lambda v, w: w.token_secret, "token key": lambda v, w: w.token.encode()}, True, never=()),
    row("token in small letters", r"token", CASE + "|unknown", {"token": lambda v, w: v.lower()}, True, never=()),
    row("token with a blank", r"token", BLANK + "|unknown", {"token": lambda v, w: v + " "}, True, never=()),
    row("token and consumer key exchanged", r"token|consumer|client", r"exchang|swap|unknown|token", {"token": lambda v, w: w.client, "client": lambda v, w: w.token}, True, never=()),
    row("consumer key in capitals", r"consumer|client", CASE + "|unknown", {"client": lambda v, w: v.upper()}, True, never=()),
    row("consumer key with a blank", r"consumer|client", BLANK + "|unknown", {"client": lambda v, w: v + " "}, True, never=()),
    row("consumer key a variable", r"consumer|client", PLACEHOLDER, {"client": lambda v, w: "{{consumer_key}}"}, True, never=()),
    row("token of the request's first leg", r"token", r"unknown|temporary|token", lambda r: {"token": lambda v, w, n=token(r, 27): n}, True, never=()),
    row("parameters with colons", GRAMMAR, r"colon|equal", _f(lambda v: v.replace("=", ":")), True),
    row("parameters in single quotes", GRAMMAR, QUOTE, _f(lambda v: v.replace('"', "'")), True),
    row("parameters joined by semicolons", GRAMMAR, r"semicolon|comma|separat", _f(lambda v: v.replace(", ", "; ")), True),
    row("parameters joined by blanks", GRAMMAR, r"comma|blank|space|separat", _f(lambda v: v.replace(", ", " ")), True),
    row("parameters as JSON", GRAMMAR, r"json|brace|\{", _f(lambda v: "OAuth " + json.dumps(dict(p.split("=", 1) for p in v[6:].replace('"', "").split(", ")))), True),
    row("parameters with HTML quotes", GRAMMAR, r"html|entit|quot", _f(lambda v: v.replace('"', "&quot;")), True),
    row("parameters with typographic quotes", GRAMMAR, QUOTE, _f(lambda v: v.replace('"', "\u201d")), True),
    row("a parameter twice", GRAMMAR + "|nonce", DOUBLED + "|more than once|once", {"field": lambda v, w: v + f', oauth_nonce="{w.nonce}"'}, True),
    row("parameters in capitals", GRAMMAR, CASE + "|missing|name|unknown", _f(lambda v: v.replace("oauth_", "OAUTH_")), True),
    row("parameters called without oauth_", GRAMMAR, r"oauth_|missing|name|unknown", _f(lambda v: v.replace("oauth_", "")), True),
    row("a comma at the end", GRAMMAR, r"comma|trailing|end|empty", _f(lambda v: v + ",,"), True),
    row("field percent-encoded", GRAMMAR, PERCENT, _f(lambda v: "OAuth " + quote(v[6:])), True),
    row("scheme word doubled", GRAMMAR, DOUBLED + "|word", _f(lambda v: "OAuth " + v), True),
    row("scheme word with a colon", GRAMMAR, r"colon|word|scheme", _f(lambda v: v.replace("OAuth ", "OAuth: ", 1)), True),
    row("field in quotes", GRAMMAR, QUOTE, _f(lambda v: "'" + v + "'"), True),
    row("field's name in the value", GRAMMAR, r"name|Authorization|front|prefix", _f(lambda v: "Authorization: " + v), True),
    row("in X-OAuth", PLACE, r"x-oauth", _placed("X-OAuth"), True),
    row("in a cookie", PLACE, r"cookie", _placed("Cookie", lambda v: "auth=" + quote(v)), True),
    row("in X-Original-Authorization of a CDN", PLACE, r"x-original-authorization", _placed("X-Original-Authorization"), True),
    row("nonce empty", r"nonce", EMPTY, {"nonce": lambda v, w: ""}, True),
    row("nonce the same as the time and used twice", r"nonce|replay|used", r"replay|used|before|once|twice", {}, True, replay=True, method="HMAC-SHA1"),
    row("timestamp negative", TIME, r"negative|digit|decimal|number|positive", {"time": lambda v, w: "-5"}, True),
    row("timestamp empty", TIME, EMPTY + "|digit|number", {"time": lambda v, w: ""}, True),
    row("body hash by MD5", r"body", HASHED + "|length", {"body hash with": lambda b: hashlib.md5(b).digest()}, True, **JSON),
    row("body hash URL-safe", r"body", B64 + "|alphabet", {"body hash": lambda v, w: v.replace("+", "-").replace("/", "_").rstrip("=")}, True, **JSON),
    row("body hash of hex in base64", r"body", HEX, {"body hash": lambda v, w: base64.b64encode(hashlib.sha256(w.json).hexdigest().encode()).decode()}, True, **JSON),
    row("body hash sent and not signed", r"body", MISSING + "|body_hash|sign", _unprotocol("oauth_body_hash"), True, **JSON),
    row("body hash empty", r"body", EMPTY, {"body hash": lambda v, w: ""}, True, **JSON),
    row("body hash said without a body", r"body", r"body|hash|empty", {"body sent": lambda v, w: b""}, True, **JSON),
    *(row("JSON " + name, BODY, what, {"body signed": lambda b, w, f=f: f(b)}, tail, **JSON) for tail, name, f, what in axes.BODIES),
    row("RSA-SHA1 said", r"method|algorithm|RSA", r"RSA", {"signature method": lambda v, w: "RSA-SHA1"}, True),
    row("method HMACSHA256", r"method|algorithm", r"HMACSHA256|hyphen|method", {"signature method": lambda v, w: "HMACSHA256"}, True),
    row("two mistakes: query left out and small method", r"query|" + METHOD, r"query|case|" + MISSING, {"query params": lambda v, w: [], "method signed": lambda v, w: v.lower()}, True),
    row("two mistakes: + for blank and key without &", PARAMS + "|" + SIGNING, r"plus|\+|%20|blank|ampersand|&", {**_enc(lambda v: v.replace("%20", "+")), **_k(lambda v: v.replace(b"&", b""))}, True),
    row("two mistakes: http and port", r"scheme|http|port|url|uri", r"http\b|port|443|scheme", {"uri": lambda v, w: f"http://{w.host}:443{w.path}"}, True),
    row("two mistakes: hex signature and milliseconds", TIME + "|" + PROOF, r"milli|unit|hex|future|ahead", {"spell": bytes.hex, "time": lambda v, w: v + "000"}, True),
]  # fmt: skip


def _odd_secret(r: random.Random) -> Any:
    w = draw(r)
    w.secret = w.secret[:10] + "+/=" + w.secret[10:]
    return w


def _secret(r: random.Random, f: Callable) -> Case | None:
    w = draw(r)
    if f is axes.UNHEX:
        w.secret = r.randbytes(20).hex()
    key = f(w.secret)
    if key is None or key == w.secret.encode():
        return None
    return case(r, {"key": lambda k, _: urllib.parse.quote(key, safe="-_.~").encode()}, drawn=w)


_SPELL = [
    row for row in axes.proofs(lambda b: base64.b64encode(b).decode()) if row[1] != "signature in standard base64"
]
KINDS = [
    *COMMON, *TAIL,
    *axes.kinds(S, axes.SECRETS, KEY, _secret, (FALSE_CLOCK,)),
    *axes.kinds(S, axes.HASHES, PROOF + "|" + KEY + "|" + TEXT + "|algorithm|hash", lambda r, f: case(r, {"mac": f}), NEVER),
    *axes.kinds(S, _SPELL, PROOF, lambda r, f: case(r, {"spell": f}), NEVER),
    *axes.kinds(S, axes.STAMPS, TIME, lambda r, f: case(r, {"time": lambda t, w: f(int(t))}), (FALSE_KEY,)),
    row("another secret that nobody knows", KEY, r"key|secret", lambda r: {"key": lambda k, w, n=token(r, 40): n.encode()}, undecidable="the secret is known to nobody here"),
]  # fmt: skip
