"""Mistakes of clients of OAuth 1.0a (RFC 5849)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import urllib.parse
from typing import Any

from bench.unlisted.cases import (
    ALGORITHM, B64, BODY, CASE, DOUBLED, EMPTY, HOST, KEY, LF, METHOD, MISSING, NOW, ORDER, OTHER, PERCENT,
    PLACEHOLDER, PROOF, QUOTE, TARGET, TEXT, TIME, Case, Steps, host, token, word, world,
)  # fmt: skip
from bench.unlisted.third.axes import ADDED, CLICKS, HOSTS, PATHS, QUERIES, SECRETS, TIMES
from bench.unlisted.third.base import Maker, b64, words
from bench.unlisted.third.bodies import WRITTEN
from watchword import Guard, OAuth1Verifier, Policy, Request
from watchword.stores import MemoryStore

FIELD = r"authori|field|parameter|credential|grammar|format|scheme|malformed|word|oauth_"
BASE = words(TEXT, "base|parameter|sign")
Pairs = list[tuple[str, str]]


def q(text: str) -> str:
    return urllib.parse.quote(text, safe="-._~", errors="surrogatepass")


def draw(r: random.Random) -> Any:
    return world(
        consumer=f"{word(r)}{token(r, 6)}", secret=f"{token(r, 12)}$Q{token(r, 5)}#{token(r, 5)}+{token(r, 3)}/x=", r=r,
        token=f"tk{token(r, 10)}", token_secret=token(r, 24), host=host(r), path=f"/v1/{word(r).title()}s/Zo%C3%AB%20{word(r)}", nonce=token(r, 14),
        query=f"{word(r)}={word(r)}%3A{word(r)}%20x&{word(r)}A={token(r, 4)}&limit=17", form=f"status={word(r)}%21%20{word(r)}%2C%20{word(r)}&media=7&b={token(r, 3)}%2A",
        other=token(r, 30),
    )  # fmt: skip


def read(query: str) -> Pairs:
    return [
        (urllib.parse.unquote_plus(a), urllib.parse.unquote_plus(b))
        for a, _, b in (p.partition("=") for p in query.split("&") if p)
    ]


def normal(pairs: Pairs) -> str:
    return "&".join(f"{a}={b}" for a, b in sorted((q(a), q(b)) for a, b in pairs))


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    stamp = step("time", str(int(NOW)))
    method = step("method named", "HMAC-SHA256")
    protocol = [
        ("oauth_consumer_key", step("consumer", w.consumer)), ("oauth_nonce", w.nonce), ("oauth_signature_method", method),
        ("oauth_timestamp", stamp), ("oauth_token", step("token", w.token)), ("oauth_version", "1.0"),
    ]  # fmt: skip
    protocol = step("protocol", protocol)
    form = step("form signed", read(w.form))
    pairs = step(
        "pairs", [*step("query pairs", read(step("query signed", w.query))), *form, *step("protocol signed", protocol)]
    )
    parameters = step("parameters", step.run("normal", normal, pairs))
    url = step(
        "url signed", f"{step('scheme signed', 'https')}://{step('host signed', w.host)}{step('path signed', w.path)}"
    )
    parts = step("parts", [step("method signed", "POST"), url, parameters])
    text = step.run("join", lambda v: "&".join(q(part) for part in v), parts)
    secrets = [step("secret", w.secret), step("token secret", w.token_secret)]
    key = step.run("key", lambda v: "&".join(q(part) for part in v), secrets)
    octets = step.run("key octets", lambda k: k.encode("utf-8", "surrogatepass"), key)
    made = step.run(
        "written",
        b64,
        step.run("mac", lambda k, t: hmac.digest(k, t, "sha256"), octets, text.encode("utf-8", "surrogatepass")),
    )
    items = step("items", [*protocol, ("oauth_signature", made)])
    value = step("field", step.run("fields", fields, items))
    headers = step(
        "headers", [("Content-Type", step("type", "application/x-www-form-urlencoded")), ("Authorization", value)]
    )
    target = step("path sent", w.path) + "?" + step("query sent", w.query)
    request = Request(
        step("verb sent", "POST"), step("scheme sent", "https"), step("host sent", w.host), target, headers
    )
    return request, step("body sent", w.form.encode()), made


def fields(items: Pairs) -> str:
    return "OAuth " + ", ".join(f'{a}="{q(b)}"' for a, b in items)


def build(r: random.Random, table: dict[str, Any]) -> Case | None:
    w = draw(r)
    _, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    store = MemoryStore(clock=lambda: NOW)
    store.add_oauth1_client(w.consumer, secret=w.secret)
    store.add_oauth1_token(w.token, w.token_secret, client_key=w.consumer, subject="jane")
    store.add_oauth1_client("second", secret=w.other)
    guard = Guard([OAuth1Verifier()], store, policy=Policy(clock=lambda: NOW))
    secrets = [w.secret.encode(), w.token_secret.encode(), w.other.encode()]
    return Case(request, guard, body, NOW, secrets, [proof.encode()], pairs=step.pairs, sent=step.sent)


# fmt: off
m = Maker("oauth1", build, never=(r"password (differs|is wrong)",))
KINDS = m.kinds
m.axis("consumer secret", "secret", KEY, SECRETS, "0 2 3 5 6 9 10 11 14 15 16 18 19 20 23 25 26 28 31 33 37 39 44 46 51 58")
m.axis("token secret", "token secret", KEY, SECRETS, "0 1 2 4 5 7 10 12 17 19 21 22 24 27 32 34 36 38 41 47 50 53")
m.axis("host signed", "host signed", HOST, HOSTS, "0 1 2 3 5 7 10 11 13 14 16")
m.axis("host sent", "host sent", HOST, HOSTS, "1 2 3 5 6 12 13")
m.axis("path signed", "path signed", TARGET, PATHS, "0 1 2 3 4 5 7 8 10 11 14 15 17 19")
m.axis("path sent", "path sent", TARGET, PATHS, "0 1 2 4 8 14 16 18")
m.axis("query signed", "query signed", TARGET, QUERIES, "0 4 7 8 9 10 14")
m.axis("query sent", "query sent", TARGET, [*QUERIES, *CLICKS], "4 9 14 18 19 20")
m.axis("time", "time", TIME, TIMES, "0 1 2 4 5 6 8 9 10 11 12 14 16 18 19 21 23 25")
for name, what, form, tail in WRITTEN:
    if name != "in base64 of MIME":
        m.add(f"signature written {name}", words(PROOF, FIELD), what, {"written": form}, tail=tail)


def s(**some: Any) -> dict[str, Any]:
    return {k.replace("_", " "): (lambda v, w, f=f: f(v) if callable(f) else f) for k, f in some.items()}


def f(change: Any) -> dict[str, Any]:
    return {"field": lambda v, w: change(v)}


def hm(name: str) -> dict[str, Any]:
    return {"mac": lambda k, t: hmac.digest(k, t, name)}


ALG = words(PROOF, "method|algorithm|hash")
m.add("HMAC-SHA1 named and made", ALG, words("SHA-?1|method|accepted|offered"), {**hm("sha1"), **s(method_named="HMAC-SHA1")})
m.add("HMAC-SHA1 made, HMAC-SHA256 named", ALG, words(ALGORITHM), hm("sha1"))
m.add("HMAC-SHA512 made, HMAC-SHA256 named", ALG, words(ALGORITHM), hm("sha512"))
m.add("MD5 made", ALG, words(ALGORITHM), hm("md5"))
m.add("PLAINTEXT", ALG, words("PLAINTEXT|accepted|method"), {**s(method_named="PLAINTEXT"), "written": lambda o: "", "items": lambda v, w: [*v[:-1], ("oauth_signature", f"{q(w.secret)}&{q(w.token_secret)}")]})
m.add("the method written HMAC_SHA256", ALG, words("spell|HMAC_SHA256|HMAC-SHA256|unknown|name"), s(method_named="HMAC_SHA256"))
m.add("the method in small letters", ALG, words(CASE, "hmac-sha256"), s(method_named="hmac-sha256"))
m.add("RSA-SHA256 named, HMAC made", ALG, words("RSA|HMAC|public|method"), s(method_named="RSA-SHA256"))
m.add("a hash in place of the HMAC", ALG, words("hash|HMAC|plain"), {"mac": lambda k, t: hashlib.sha256(k + t).digest()})
m.add("key and text exchanged", words(ALG, KEY), words("exchang|swap|interchang|argument|other way|place of"), {"mac": lambda k, t: hmac.digest(t, k, "sha256")})
m.far("HMAC twice", ALG, words(DOUBLED, "HMAC"), {"mac": lambda k, t: hmac.digest(k, hmac.digest(k, t, "sha256"), "sha256")})
m.far("SHA3-256 in the HMAC", ALG, ALGORITHM, hm("sha3_256"))
m.far("a hash of the base string alone", ALG, words("hash|without|no key|alone"), {"mac": lambda k, t: hashlib.sha256(t).digest()})
m.far("the text's hash signed", words(ALG, BASE), words("hash|twice"), {"mac": lambda k, t: hmac.digest(k, hashlib.sha256(t).digest(), "sha256")})
m.add("no ampersand between the secrets", KEY, words("&|ampersand|join|separat"), {"key": lambda v: q(v[0]) + q(v[1])})
m.add("no ampersand, and no token secret", KEY, words("&|ampersand|token secret|alone|without", MISSING), {"key": lambda v: q(v[0])})
m.add("the token secret forgotten", KEY, words("token secret|token's secret|without|empty", MISSING), s(token_secret=""))
m.add("the secrets exchanged", KEY, words("exchang|swap|interchang|order|other way"), {"key": lambda v: f"{q(v[1])}&{q(v[0])}"})
m.add("the consumer secret twice", KEY, words(DOUBLED, "consumer|client"), {"key": lambda v: f"{q(v[0])}&{q(v[0])}"})
m.add("the secrets not encoded", KEY, words(PERCENT), {"key": lambda v: "&".join(v)})
m.add("the secrets encoded twice", KEY, words(PERCENT, DOUBLED), {"key": lambda v: "&".join(q(q(x)) for x in v)})
m.add("the ampersand encoded", KEY, words("&|%26|ampersand|separat", PERCENT), {"key": lambda v: "%26".join(q(x) for x in v)})
m.add("the consumer key for its secret", KEY, words("consumer key|client key|key id|identifier|oauth_consumer_key"), {"secret": lambda v, w: w.consumer})
m.add("the token for its secret", KEY, words("token"), {"token secret": lambda v, w: w.token})
m.add("key and secret exchanged", KEY, words("exchang|swap|unknown|place"), {"secret": lambda v, w: w.consumer, "consumer": lambda v, w: w.secret})
m.add("the secret of another client", KEY, words("another|other|known|second"), {"secret": lambda v, w: w.other})
m.far("a colon between the secrets", KEY, words(":|colon|separat|join|&"), {"key": lambda v: ":".join(q(x) for x in v)})
m.far("the key in base64", KEY, B64, {"key octets": lambda k: base64.b64encode(k.encode())})
m.far("the key hashed", KEY, words("hash|SHA"), {"key octets": lambda k: hashlib.sha256(k.encode()).digest()})
m.far("HTML's ampersand between the secrets", KEY, words("&|amp|HTML|separat"), {"key": lambda v: "&amp;".join(q(x) for x in v)})
m.add("consumer key unknown", words(KEY, "consumer|client"), words("unknown|not known|no client|other"), s(consumer="app-of-staging"))
m.add("consumer key in capitals", words(KEY, "consumer|client"), words(CASE, "unknown"), s(consumer=str.upper))
m.add("consumer key with a blank", words(KEY, "consumer|client"), words("blank|space|white|unknown"), s(consumer=lambda v: v + " "))
m.add("consumer key not set", words(KEY, "consumer|client"), words(PLACEHOLDER, "unknown"), s(consumer="undefined"))
m.add("token unknown", "token", words("unknown|not known|no token|other"), s(token="expired-token"))
m.add("token left out of field and text", "token", words(MISSING, "without"), {"protocol": lambda v, w: [x for x in v if x[0] != "oauth_token"]})
m.add("token empty", "token", words(EMPTY, "unknown"), s(token=""))
m.add("token and consumer key exchanged", words("token|consumer|client"), words("exchang|swap|unknown|place"), {"token": lambda v, w: w.consumer, "consumer": lambda v, w: w.token})
m.add("method in small letters", METHOD, CASE, s(method_signed="post"))
m.add("GET signed for POST", METHOD, words("GET|POST", OTHER), s(method_signed="GET"))
m.far("PUT came for POST", METHOD, words("PUT|POST", OTHER), s(verb_sent="PUT"))
m.add("http signed, https sent", words(TARGET, HOST, "scheme"), words("http\\b|http:|scheme"), s(scheme_signed="http"))
m.add("TLS ended at a proxy", words(TARGET, HOST, "scheme"), words("http\\b|http:|scheme|TLS"), s(scheme_sent="http"))
m.add("HTTPS in capitals", words(TARGET, "scheme"), CASE, s(scheme_signed="HTTPS"))
m.add("the URL with its query", words(TARGET, BASE), words("query"), {"url signed": lambda v, w: f"{v}?{w.query}"})
m.add("the URL without its host", words(TARGET, HOST), words("host|path|authority|scheme", MISSING), {"url signed": lambda v, w: w.path})
m.add("the URL without its scheme", words(TARGET, HOST, "scheme"), words("scheme", MISSING), {"url signed": lambda v, w: v.removeprefix("https://")})
m.far("the URL in capitals", words(TARGET, HOST), CASE, s(url_signed=str.upper))
m.far("the URL with three slashes", TARGET, words("slash|///|doubl"), s(url_signed=lambda v: v.replace("://", ":///")))
m.add("the form left out", words(BODY, BASE), words("form|body", MISSING), s(form_signed=[]))
m.add("query and form left out", words(BODY, BASE, TARGET), words("form|query|body|only", MISSING), {"form signed": lambda v, w: [], "query pairs": lambda v, w: []})
m.add("the parameters of the query left out", words(BASE, TARGET), words("query", MISSING), {"query pairs": lambda v, w: []})
m.add("JSON sent as a form is not signed", BODY, words("oauth_body_hash|body|not covered|form|JSON"), {"type": lambda v, w: "application/json", "body sent": lambda v, w: b'{"a":1}', "form signed": lambda v, w: []})
m.add("the form signed, and sent as JSON", BODY, words("JSON|form|type|body"), {"body sent": lambda v, w: b'{"status":"x"}', "type": lambda v, w: "application/json"})
m.add("the form without its content type", words(BODY, "type|form"), words("type|form|text/plain"), s(type="text/plain"))
m.add("a parameter of the form after signing", words(BODY, BASE), words("form|body|parameter", ADDED), {"body sent": lambda v, w: v + b"&display_coordinates=false"})
m.add("the form's plus signs read as plus", words(BODY, BASE), words(r"\+|plus|blank|space", PERCENT), {"form signed": lambda v, w: [(a, b.replace(" ", "+")) for a, b in v]})
m.add("the form still encoded", words(BODY, BASE), words(PERCENT, DOUBLED, r"form was written anew \(order, encoding"), {"form signed": lambda v, w: [(a, q(b)) for a, b in v]})
m.far("parameters as an object of JSON", words(BASE), words("JSON|join|separat|object"), {"normal": lambda p: json.dumps(dict(sorted(p)), separators=(",", ":"))})
for name, pick in (("oauth_token", "oauth_token"), ("oauth_version", "oauth_version"), ("oauth_nonce", "oauth_nonce"), ("oauth_timestamp", "oauth_timestamp"), ("oauth_signature_method", "oauth_signature_method")):
    m.add(f"{name} left out of the text", words(BASE), words(MISSING, pick), {"protocol signed": lambda v, w, pick=pick: [x for x in v if x[0] != pick]})
    m.add(f"{name} left out of the field", words(FIELD), words(MISSING, pick), {"items": lambda v, w, pick=pick: [x for x in v if x[0] != pick]})
m.add("oauth_consumer_key left out of the text", BASE, words(MISSING, "consumer"), {"protocol signed": lambda v, w: v[1:]})
m.add("the realm signed", BASE, words("realm"), {"protocol signed": lambda v, w: [*v, ("realm", "photos")], "items": lambda v, w: [("realm", "photos"), *v]})
m.add("an empty oauth_callback signed", BASE, words("callback|parameter", ADDED), {"protocol signed": lambda v, w: [*v, ("oauth_callback", "")]})
m.far("an empty oauth_signature signed", BASE, words("oauth_signature|parameter", ADDED), {"protocol signed": lambda v, w: [*v, ("oauth_signature", "")]})
m.far("oauth_version 1.0a", words("version", FIELD), words("1.0a|version|1.0"), {"protocol": lambda v, w: [*v[:-1], ("oauth_version", "1.0a")]})
m.add("parameters not sorted", BASE, ORDER, {"normal": lambda p: "&".join(f"{q(a)}={q(b)}" for a, b in p)})
m.add("parameters sorted after joining backwards", BASE, ORDER, {"normal": lambda p: "&".join(sorted((f"{q(a)}={q(b)}" for a, b in p), reverse=True))})
m.add("parameters not encoded", BASE, PERCENT, {"normal": lambda p: "&".join(f"{a}={b}" for a, b in sorted(p))})
m.add("parameters encoded by a form's rules", BASE, words(PERCENT, r"\+|plus|blank"), {"normal": lambda p: "&".join(f"{a}={b}" for a, b in sorted((urllib.parse.quote_plus(a), urllib.parse.quote_plus(b)) for a, b in p))})
m.add("parameters encoded as JavaScript does", BASE, words(PERCENT, r"!|\*|reserved"), {"normal": lambda p: "&".join(f"{a}={b}" for a, b in sorted((urllib.parse.quote(a, safe="-._~!*'()"), urllib.parse.quote(b, safe="-._~!*'()")) for a, b in p))})
m.add("escapes in small letters", BASE, words(CASE, PERCENT), {"normal": lambda p: _small(normal(p))})
m.add("parameters joined with nothing", BASE, words("&|join|separat|nothing"), {"normal": lambda p: normal(p).replace("&", "")})
m.add("commas between parameters", BASE, words(",|join|separat|&"), {"normal": lambda p: normal(p).replace("&", ",")})
m.far("quotes around values", BASE, words('quot|"'), {"normal": lambda p: "&".join(f'{a}="{b}"' for a, b in sorted((q(a), q(b)) for a, b in p))})
m.add("parts joined without encoding", BASE, PERCENT, {"join": lambda v: "&".join(v)})
m.add("the parameters alone not encoded", BASE, PERCENT, {"join": lambda v: f"{v[0]}&{q(v[1])}&{v[2]}"})
m.add("the URL alone not encoded", words(BASE, TARGET), PERCENT, {"join": lambda v: f"{v[0]}&{v[1]}&{q(v[2])}"})
m.add("all encoded as one", BASE, words(PERCENT, "&|%26"), {"join": lambda v: q("&".join(v))})
m.add("each parameter separately, the ampersands bare", BASE, words("&|%26|ampersand", PERCENT), {"join": lambda v: f"{v[0]}&{q(v[1])}&{q(v[2]).replace('%26', '&')}"})
m.add("parts joined with line ends", BASE, words(LF, "join|separat"), {"join": lambda v: "\n".join(q(x) for x in v)})
m.add("the base string encoded twice", BASE, words(PERCENT, DOUBLED), {"join": lambda v: "&".join(q(q(x)) for x in v)})
m.add("URL before method", BASE, ORDER, {"parts": lambda v, w: [v[1], v[0], v[2]]})
m.add("the method left out", words(BASE, METHOD), MISSING, {"parts": lambda v, w: v[1:]})
m.far("a line end after the base string", BASE, LF, {"join": lambda v: "&".join(q(x) for x in v) + "\n"})
m.far("an ampersand after the base string", BASE, words("&|ampersand|trailing|after"), {"join": lambda v: "&".join(q(x) for x in v) + "&"})
m.far("the base string in small letters", BASE, CASE, {"join": lambda v: "&".join(q(x) for x in v).lower()})
m.far("a question mark before the parameters", BASE, words(r"\?|question"), {"parts": lambda v, w: [v[0], v[1], "?" + v[2]]})
m.add("Bearer for OAuth", FIELD, words("word|scheme|Bearer"), f(lambda v: v.replace("OAuth", "Bearer", 1)))
m.add("OAuth1 for OAuth", FIELD, words("word|scheme|OAuth1"), f(lambda v: v.replace("OAuth ", "OAuth1 ", 1)))
m.add("no scheme word", FIELD, words("word|scheme", MISSING), f(lambda v: v[6:]))
m.add("ampersands for commas in the field", FIELD, words("&|,|comma|separat"), f(lambda v: v.replace(", ", "&")))
m.add("blanks for commas in the field", FIELD, words(",|comma|separat|blank"), f(lambda v: v.replace(", ", " ")))
m.add("values without quotes", FIELD, QUOTE, f(lambda v: v.replace('"', "")))
m.add("single quotes", FIELD, QUOTE, f(lambda v: v.replace('"', "'")))
m.add("the signature encoded twice in the field", words(FIELD, PROOF), words(PERCENT, DOUBLED), {"fields": lambda v: "OAuth " + ", ".join(f'{a}="{q(q(b))}"' for a, b in v)})
m.add("the signature left out", words(FIELD, PROOF), MISSING, {"items": lambda v, w: v[:-1]})
m.far("the field with a colon after OAuth", FIELD, words(":|colon|word|scheme"), f(lambda v: v.replace("OAuth ", "OAuth: ", 1)))
m.far("names of parameters in capitals", FIELD, CASE, {"items": lambda v, w: [(a.upper(), b) for a, b in v]})
m.far("names without oauth_", FIELD, words("oauth_|name|prefix|not the protocol's|unknown", MISSING), {"items": lambda v, w: [(a.removeprefix("oauth_"), b) for a, b in v]})
m.far("parameters of the field twice", FIELD, words(DOUBLED, "more than one|two|more than"), {"items": lambda v, w: [*v, v[1]]})
m.far("the field in Proxy-Authorization", words(FIELD, "proxy|place"), words("proxy|place"), {"headers": lambda v, w: [v[0], ("Proxy-Authorization", v[1][1])]})
m.far("the field as JSON", FIELD, words("JSON|brace|grammar|format"), {"fields": lambda v: "OAuth " + str(dict(v)).replace("'", '"')})


def _small(text: str) -> str:
    parts = text.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])
