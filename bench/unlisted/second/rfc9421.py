"""Mistakes with HTTP Message Signatures that come up when somebody writes a client, or moves one from the older drafts."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import random
import urllib.parse
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from bench.unlisted.cases import (
    ALGORITHM, B64, BODY, CASE, CUT, DOUBLED, EMPTY, FALSE_CLOCK, FALSE_KEY, HASHED, HEX, HOST, KEY, LF, METHOD, MILLI, MISSING,
    ORDER, PLACEHOLDER, PROOF, QUOTE, TARGET, TEXT, TIME, UNICODE, Case, Kind, token,
)  # fmt: skip
from bench.unlisted.jwt import raw_ecdsa
from bench.unlisted.rfc9421 import BASE, DIGEST, INPUT, NEVER, PLACE, SIGNATURE, b64, case, draw, row
from bench.unlisted.second import writers
from bench.unlisted.second.writers import OBJECT, PERCENT, REPR, SEPARATOR, WRITTEN, ZONE, as_

P256, P384, ED = "ecdsa-p256-sha256", "ecdsa-p384-sha384", "ed25519"
SHARED = {"algorithm": "hmac-sha256"}
GONE = "what was signed is nowhere in the request, and no guess"
ANOTHER = r"another|other|differ|wrong|unknown|not (one|the|known)|no such|exchang|mismatch"
GRAMMAR = INPUT + "|" + SIGNATURE
COVERED = r"cover|component|param|" + MISSING
URI = ["@method", "@target-uri", "content-type", "content-digest", "x-trace"]


def base(change: Callable) -> dict[str, Any]:
    return {"base": as_(change)}


def lines(change: Callable) -> dict[str, Any]:
    return {"lines": as_(change)}


def value(name: str, change: Callable) -> dict[str, Any]:
    return {"values": lambda v, w: {**v, name: change(v.get(name, ""), w)}}


def uncovered(*names: str) -> dict[str, Any]:
    return {"names": lambda v, w: [name for name in v if name not in names]}


def more(name: str, content: str, *headers: tuple[str, str]) -> dict[str, Any]:
    """A component more, its value in the base, and what is sent of it."""
    return {
        "names": lambda v, w: [*v, name],
        "values": lambda v, w: {**v, name: content},
        "headers": lambda hs, w: [*headers, *hs],
    }


def covering(names: list[str], values: Callable) -> dict[str, Any]:
    return {"names": lambda v, w: names, "values": lambda v, w: {**v, **values(w)}}


def params(change: Callable) -> dict[str, Any]:
    return {"signature params": as_(change)}


def param(name: str, change: Callable) -> dict[str, Any]:
    return params(lambda p: {n: change(v) if n == name else v for n, v in p.items()})


def unparam(name: str) -> dict[str, Any]:
    return params(lambda p: {n: v for n, v in p.items() if n != name})


def input_(change: Callable) -> dict[str, Any]:
    return {"input field": as_(change)}


def signature(change: Callable) -> dict[str, Any]:
    return {"signature field": as_(change)}


def field(name: str, change: Callable) -> dict[str, Any]:
    return {"headers": lambda hs, w: [(n, change(v) if n == name else v) for n, v in hs]}


def renamed(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"headers": lambda hs, w: [(dict(pairs).get(n, n), v) for n, v in hs]}


def unsent(*names: str) -> dict[str, Any]:
    return {"headers": lambda hs, w: [h for h in hs if h[0] not in names]}


def key(change: Callable) -> dict[str, Any]:
    return {"key": lambda v, w: change(w)}


def body(change: Callable) -> dict[str, Any]:
    return {"body signed": as_(change)}


def came(change: Callable) -> dict[str, Any]:
    return {"body sent": as_(change)}


def digest(change: Callable) -> dict[str, Any]:
    return {"content digest": as_(change)}


def arrived(change: Callable) -> dict[str, Any]:
    return {"target sent": as_(change)}


def target(change: Callable) -> dict[str, Any]:
    return {"target signed": as_(change)}


def at(path: str) -> Callable:
    def drawn(r: random.Random) -> Any:
        w = draw(r)
        w.target = path
        return w

    return drawn


def kept(**fields: Any) -> Callable:
    def drawn(r: random.Random) -> Any:
        w = draw(r, "hmac-sha256" if "secret" in fields else "")
        for name, content in fields.items():
            setattr(w, name, content(r, w))
        return w

    return drawn


plain = kept(body=lambda r, w: writers.js(w.body))
mixed = kept(keyid=lambda r, w: "Robot-7")


def signing(name: str, part: str, what: str, make: Callable, algorithm: str, undecidable: str = "") -> Kind:
    """A mistake in how the base is signed, by a key pair."""

    def made(r: random.Random) -> Case:
        w = draw(r, algorithm)
        return case(r, {"sign": lambda k, t: make(w, t)}, drawn=w)

    return Kind("rfc9421", f"{algorithm}: {name}", False, part, what, made, (FALSE_CLOCK,), undecidable)


def url_safe(r: random.Random) -> Case:
    """A signature in base64url that has one of the two characters that make the difference."""
    while True:
        w = draw(r, ED)
        found = case(r, {"spell": lambda s: base64.urlsafe_b64encode(s).decode().rstrip("=")}, drawn=w)
        if any(
            name.lower() == b"signature" and (b"-" in value or b"_" in value) for name, value in found.request.headers
        ):
            return found


def sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


def backwards(raw: bytes) -> bytes:
    half = len(raw) // 2
    return raw[:half][::-1] + raw[half:][::-1]


STRING = [
    row("the base ends with a line end", BASE, LF, base(lambda t: t + "\n")),
    row("StringBuilder.AppendLine writes CRLF on Windows", BASE, r"CR ?LF|\\r|carriage|line[- ]?(end|break)|windows", base(lambda t: t.replace("\n", "\r\n"))),
    row("the base is built with \\n in single quotes", BASE, LF + "|backslash|literal|escap", base(lambda t: t.replace("\n", "\\n"))),
    row("@signature-params isn't in the base", BASE, MISSING + "|signature-params", base(lambda t: t.rpartition("\n")[0])),
    row("@signature-params is the base's first line", BASE, ORDER + "|first|last|signature-params", base(lambda t: t.rpartition("\n")[2] + "\n" + t.rpartition("\n")[0])),
    row("@signature-params without its quotes", BASE, QUOTE, {"last line": lambda v, w: v.replace('"@signature-params"', "@signature-params")}),
    row("the label stands before the list in @signature-params", BASE, r"label|sig1|signature-params", {"params in base": lambda v, w: "sig1=" + v}),
    row("@signature-params has the parameters without the list", BASE, MISSING + r"|list|component|signature-params", {"params in base": lambda v, w: v[v.index(";") :]}),
    row("@signature-params has the list without the parameters", BASE, MISSING + r"|param|signature-params", {"params in base": lambda v, w: v[: v.index(")") + 1]}),
    row("names in the base aren't quoted, as in the drafts by Cavage", BASE, QUOTE + "|cavage|draft", lines(lambda v: [each.replace('"', "", 2) for each in v])),
    row("no blank behind the colons of the base", BASE, r"blank|space|colon|separat", lines(lambda v: [each.replace('": ', '":', 1) for each in v])),
    row("equals signs for the colons of the base", BASE, r"equals|colon|separat", lines(lambda v: [each.replace('": ', '"=', 1) for each in v])),
    row("the base's lines are sorted, the list isn't", BASE, ORDER, lines(sorted)),
    row("a set forgets the order of the lines", BASE, ORDER, lines(lambda v: [*v[2:], *v[:2]])),
    row("parameters are sorted in the base alone", BASE, ORDER + "|signature-params", {"params in base": lambda v, w: ";".join([v.split(";")[0], *sorted(v.split(";")[1:])])}),
    row("a blank behind each semicolon of the base's parameters", BASE, r"blank|space|semicolon|serial|signature-params", {"params in base": lambda v, w: v.replace(";", "; ")}),
    row("commas between the names in the base's list", BASE, SEPARATOR, {"params in base": lambda v, w: v.replace('" "', '", "')}),
    row("created isn't signed, the field has it", BASE + "|" + TIME, MISSING + "|created", {"params in base": lambda v, w: v.replace(f";created={w.created}", "")}),
    row("alg isn't signed, the field has it", BASE + "|alg", MISSING + r"|\balg", {"params in base": lambda v, w: v[: v.index(";alg=")]}),
    row("the field names keep their capitals in the base", BASE, CASE, lines(lambda v: [each.replace('"content-type"', '"Content-Type"').replace('"content-digest"', '"Content-Digest"').replace('"x-trace"', '"X-Trace"') for each in v])),
    row("all of the base is in small letters", BASE + "|" + METHOD, CASE, base(str.lower)),
    row("the base is hashed, and its hex is signed", BASE, HASHED, {"text": lambda v, w: hashlib.sha256(v).hexdigest().encode()}),
    row("the base is signed in base64", BASE, B64, {"text": lambda v, w: base64.b64encode(v)}),
    row("the body follows the base", BASE + "|" + BODY, r"body|added|more|append|extra", {"text": lambda v, w: v + b"\n" + w.body}),
    row("the body is signed in place of the base", BASE + "|" + BODY, r"body|base|only|alone", {"text": lambda v, w: w.body}),
]  # fmt: skip
COMPONENTS = [
    row("@method as axios writes it, in small letters", METHOD, CASE, value("@method", lambda v, w: v.lower())),
    row("@method is the GET of a default", METHOD, r"\bGET\b|" + ANOTHER, value("@method", lambda v, w: "GET")),
    row("@authority with :443 of Java's URI", HOST, r"port|443", value("@authority", lambda v, w: v + ":443")),
    row("@authority has the scheme in front", HOST, r"scheme|https://|origin", value("@authority", lambda v, w: "https://" + v)),
    row("@authority with capitals of the configuration", HOST, CASE, value("@authority", lambda v, w: v.title())),
    row("@authority is the inner name behind the load balancer", HOST, ANOTHER + "|host", {"host sent": lambda v, w: "web-7c9.default.svc:8080"}, undecidable=GONE),
    row("@authority is empty since fetch shows no Host", HOST, EMPTY, value("@authority", lambda v, w: "")),
    row("@path with the query behind it", TARGET, r"query", value("@path", lambda v, w: w.target)),
    row("@path is the whole URL", TARGET, r"host|scheme|absolute|whole|full|origin", value("@path", lambda v, w: f"https://{w.host}{v}")),
    row("@path is decoded by the framework", TARGET, PERCENT, value("@path", lambda v, w: urllib.parse.unquote(v)), drawn=at("/v1/files/a%20b%2Bc?page=2&x=%20")),
    row("@path is the router's pattern", TARGET, PLACEHOLDER + r"|pattern|route|:id|path", value("@path", lambda v, w: "/".join([*v.split("/")[:-1], ":id"])), undecidable="the pattern is a guess"),
    row("@path without the mount point of the Express router", TARGET, r"prefix|front|segment|mount|base|missing|cut", value("@path", lambda v, w: "/" + v.split("/", 2)[2])),
    row("@path ends with a slash that isn't sent", TARGET, r"slash", value("@path", lambda v, w: v + "/")),
    row("@query without its question mark", TARGET, r"question|mark", value("@query", lambda v, w: v[1:])),
    row("@query is empty where it is a question mark", TARGET, EMPTY + r"|question", value("@query", lambda v, w: ""), drawn=at("/v1/orders/17")),
    row("@query is decoded before it is signed", TARGET, PERCENT, value("@query", lambda v, w: urllib.parse.unquote(v))),
    row("@query from URLSearchParams has + for %20", TARGET, r"plus|space|blank|encod", value("@query", lambda v, w: v.replace("%20", "+"))),
    row("@query's parameters are sorted", TARGET, ORDER, value("@query", lambda v, w: "?" + "&".join(sorted(v[1:].split("&")))), drawn=at("/v1/orders?state=open&limit=20&after=9")),
    row("@query is encoded once more", TARGET, DOUBLED + "|" + PERCENT, value("@query", lambda v, w: v.replace("%", "%25"))),
    row("@target-uri is the path alone", TARGET, r"host|scheme|absolute|authority|origin", covering(URI, lambda w: {"@target-uri": w.target})),
    row("@target-uri without the query", TARGET, r"query", covering(URI, lambda w: {"@target-uri": f"https://{w.host}{w.target.partition('?')[0]}"})),
    row("@target-uri says http behind the TLS proxy", TARGET + "|scheme", r"scheme|http\b|TLS|proxy", covering(URI, lambda w: {"@target-uri": f"http://{w.host}{w.target}"})),
    row("@target-uri has :443", TARGET + "|" + HOST, r"port|443", covering(URI, lambda w: {"@target-uri": f"https://{w.host}:443{w.target}"})),
    row("@request-target has the method in front as the drafts had", TARGET + "|" + METHOD, r"method|post|put|cavage|draft|front", covering(["@method", "@authority", "@request-target", "content-digest"], lambda w: {"@request-target": f"{w.method.lower()} {w.target}"})),
    row("@scheme with :// behind it", "scheme|" + TARGET, r"://|colon|slash|scheme", more("@scheme", "https://")),
    row("@scheme is http where TLS ended before", "scheme", r"http\b|TLS|proxy|scheme", {**more("@scheme", "https"), "scheme sent": lambda v, w: "http"}),
    row("(request-target) is a name in the list", INPUT, r"request-target|unknown|component|name", more("(request-target)", "post /")),
    row("@query-param has name and value in the base", TARGET + "|param", r"query-param|value", more('@query-param";name="limit', "limit=20"), drawn=at("/v1/orders?state=open&limit=20")),
    row("@query-param of a value that is decoded", TARGET + "|param", PERCENT + "|query-param|space|blank", more('@query-param";name="q', "a b"), drawn=at("/v1/orders?q=a%20b&limit=20")),
    row("Content-Type gets its charset from the framework", r"content-type|field|header", r"charset|utf|param|content-type", field("Content-Type", lambda v: v + "; charset=utf-8")),
    row("Content-Type is signed with a charset that isn't sent", r"content-type|field|header|" + BASE, r"charset|utf|param|content-type", value("content-type", lambda v, w: v + "; charset=UTF-8")),
    row("Content-Type is empty in the base, set by the client later", r"content-type|field|header|" + BASE, EMPTY + "|content-type", value("content-type", lambda v, w: "")),
    row("white space around a field's value is signed", r"x-trace|field|header|" + BASE, r"blank|space|white|trim|strip|around", value("x-trace", lambda v, w: f" {v}  ")),
    row("two lines of a field are joined without a blank", r"x-trace|field|header|" + BASE, r"blank|space|comma|join|separat|line", {**value("x-trace", lambda v, w: v.replace(", ", ",")), "headers": lambda hs, w: [h for n, v in hs for h in ([(n, each.strip()) for each in v.split(",")] if n == "X-Trace" else [(n, v)])]}),
    row("the first line of a field is signed alone", r"x-trace|field|header|" + BASE, r"first|line|" + MISSING + "|only|alone|join|several", {**value("x-trace", lambda v, w: v.split(",")[0]), "headers": lambda hs, w: [h for n, v in hs for h in ([(n, each.strip()) for each in v.split(",")] if n == "X-Trace" else [(n, v)])]}),
    row("a field's list is signed as the array prints itself", r"x-trace|field|header|" + BASE, r"array|list|json|quot", value("x-trace", lambda v, w: "[" + ", ".join(f"'{each}'" for each in v.split(", ")) + "]")),
    row("the proxy writes its own User-Agent", r"user-agent|field|header", r"user-agent|chang|" + ANOTHER, more("user-agent", "node-fetch/3", ("User-Agent", "edge-proxy/1")), undecidable=GONE),
    row("Content-Length is covered, and chunks are sent", r"content-length|component|field|header", MISSING + "|content-length", more("content-length", "187")),
    row("Date is covered, and the browser may not set it", r"\bdate|component|field|header", MISSING + r"|\bdate", more("date", "Sun, 17 Mar 2030 17:46:40 GMT")),
    row("Authorization is covered, and the redirect drops it", r"authorization|component|field|header", MISSING + "|authorization", more("authorization", "Bearer abcdef")),
    row("the covered field is called x_trace on the wire", r"x.trace|component|field|header", MISSING + r"|underscore|x_trace|\bname", renamed(("X-Trace", "X_Trace"))),
    row("the stage of the gateway is in front of the path", TARGET, r"stage|prefix|front|segment", arrived(lambda t: "/prod" + t)),
    row("a router redirects to the path with a slash", TARGET, r"slash", arrived(lambda t: t.replace("?", "/?", 1))),
    row("jQuery adds its parameter against caches", TARGET, r"added|more|append|extra|addition|last", arrived(lambda t: t + "&_=1899999999555")),
    row("the gateway takes a prefix off the path", TARGET, r"prefix|front|segment|missing", arrived(lambda t: "/" + t.split("/", 2)[2]), undecidable=GONE),
]  # fmt: skip
COVERAGE = [
    row("content-digest isn't among the components", DIGEST + "|cover", COVERED + "|digest", uncovered("content-digest")),
    row("@query isn't among the components", TARGET + "|cover", COVERED + "|query", uncovered("@query")),
    row("@method isn't among the components", METHOD + "|cover", COVERED + "|method", uncovered("@method")),
    row("@authority isn't among the components", HOST + "|cover", COVERED + "|authority", uncovered("@authority")),
    row("only the date and the digest as in the drafts", TARGET + "|cover|" + METHOD, COVERED + "|@", {"names": lambda v, w: ["content-type", "content-digest"]}),
    row("host in place of @authority", HOST + "|cover", COVERED + "|authority|host", {"names": lambda v, w: ["host" if n == "@authority" else n for n in v], "values": lambda v, w: {**v, "host": w.host}}),
    row("created isn't among the parameters", TIME + "|param|cover", COVERED + "|created", unparam("created")),
    row("nonce isn't among the parameters", "nonce|param|cover", COVERED + "|nonce", unparam("nonce")),
    row("keyid isn't among the parameters", KEY + "|param|cover", COVERED + "|key ?id|unknown", unparam("keyid")),
    row("the list is empty", INPUT + "|cover", EMPTY + "|cover", {"names": lambda v, w: []}),
    row("a tag of Web Bot Auth is sent to an API", r"\btag|param", r"\btag|web-bot|" + ANOTHER, params(lambda p: {**p, "tag": '"web-bot-auth"'})),
]  # fmt: skip
PARAMS = [
    row("created in milliseconds by Date.now()", TIME, MILLI, param("created", lambda v: v + "714")),
    row("created with a fraction by time.time()", TIME, r"fraction|decimal|digit|integer|point|\.\d|number", param("created", lambda v: v + ".25")),
    row("created as a text of ISO 8601", TIME + "|" + INPUT, r"iso|8601|3339|text|string|date|format|integer|number|seconds", param("created", lambda v: '"2030-03-17T17:46:40Z"')),
    row("created as a date after an at sign", TIME, r"\bdate|integer|type|number", param("created", lambda v: "@" + v)),
    row("created is local time", TIME, ZONE, {"time": lambda v, w: str(int(v) + 7200)}),
    row("created is of the process's start", TIME, ZONE, {"time": lambda v, w: str(int(v) - 5000)}),
    row("expires is a duration, not a time", TIME, r"expire|duration|300|past|1970|seconds|\bold\b", params(lambda p: {**p, "expires": "300"})),
    row("expires is over when a slow queue delivers", TIME, ZONE + "|expire", params(lambda p: {**p, "expires": str(int(p["created"]) + 1)})),
    row("keyid in capitals of an environment's name", KEY, CASE + "|unknown", {"keyid": lambda v, w: v.upper()}, never=(FALSE_CLOCK,)),
    row("keyid is the actor's URL with #main-key", KEY, r"unknown|known|url|#main-key|no such", {"keyid": lambda v, w: f"https://{w.host}/users/{w.subject}#main-key"}, never=(FALSE_CLOCK,)),
    row("keyid is test-key-ed25519 of the RFC's example", KEY, r"unknown|known|test-key|placeholder|no such", {"keyid": lambda v, w: "test-key-ed25519"}, never=(FALSE_CLOCK,)),
    row("keyid is another key's, which is for HMAC", KEY + "|" + ALGORITHM, ANOTHER + "|alg", {"keyid": lambda v, w: v + "-old"}, drawn=lambda r: draw(r, ED), never=(FALSE_CLOCK,)),
    row("keyid is signed as it is and sent in capitals", KEY, CASE + "|unknown", {"input field": lambda v, w: v.replace(w.keyid, w.keyid.upper())}, drawn=mixed, never=(FALSE_CLOCK,)),
    row("alg is hs2019 of the drafts", ALGORITHM + r"|\balg", r"hs2019|\balg|algorithm|draft|unknown", {"alg": lambda v, w: "hs2019"}),
    row("alg has the JWT's name HS256", ALGORITHM + r"|\balg", r"HS256|\balg|algorithm|jw|jose|unknown|name", {"alg": lambda v, w: "HS256"}, **SHARED),
    row("alg has capitals, Ed25519", ALGORITHM + r"|\balg", CASE + "|Ed25519|algorithm|unknown", {"alg": lambda v, w: "Ed25519"}, drawn=lambda r: draw(r, ED)),
    row("alg is rsa-pss-sha512 of the example", ALGORITHM + r"|\balg", r"rsa-pss|\balg|algorithm|" + ANOTHER, {"alg": lambda v, w: "rsa-pss-sha512"}),
    row("alg with an underscore, hmac_sha256", ALGORITHM + r"|\balg", r"underscore|hmac_sha256|\balg|algorithm", {"alg": lambda v, w: "hmac_sha256"}, **SHARED),
    row("alg is ES256 of JOSE", ALGORITHM + r"|\balg", r"ES256|\balg|algorithm|jw|jose|name", {"alg": lambda v, w: "ES256"}, drawn=lambda r: draw(r, P256)),
    row("the retry sends the same signature", "nonce|signature|request", r"again|replay|used|twice|second|before|once", {}, replay=True),
    row("the nonce is the constant of the example", "nonce", r"again|replay|used|twice|second|before|once", {"target signed": lambda v, w: v + "&page=2", "target sent": lambda v, w: v + "&page=2"}, replay=True),
]  # fmt: skip
FIELDS = [
    row("commas between the names in the list", INPUT, SEPARATOR, {"listed": lambda v, w: v.replace('" "', '", "')}),
    row("names in the list aren't quoted", INPUT, QUOTE + "|token|string", {"listed": lambda v, w: v.replace('"', "")}),
    row("one string holds all the names", INPUT, QUOTE + "|component|name|unknown|string|separat", {"listed": lambda v, w: v.replace('" "', " ")}),
    row("names in the list have capitals", INPUT, CASE, {"listed": lambda v, w: v.replace("content-type", "Content-Type").replace("x-trace", "X-Trace")}),
    row("commas between the parameters", INPUT, SEPARATOR, input_(lambda v: v.replace(";", ","))),
    row("brackets of JSON for the list", INPUT, r"bracket|paren|json", {"listed": lambda v, w: v.replace("(", "[").replace(")", "]")}),
    row("the label is left out of Signature-Input", INPUT, r"label|sig1|" + MISSING, input_(lambda v: v.removeprefix("sig1="))),
    row("the label is left out of Signature", SIGNATURE, r"label|sig1|" + MISSING, signature(lambda v: v.removeprefix("sig1="))),
    row("the labels are sig and sig1", INPUT + "|" + SIGNATURE, r"label|sig1|" + ANOTHER + "|" + MISSING, signature(lambda v: v.replace("sig1", "sig"))),
    row("a label with capitals, Sig1", INPUT + "|" + SIGNATURE, CASE + "|label|key", {"input field": lambda v, w: v.replace("sig1", "Sig1"), "signature field": lambda v, w: v.replace("sig1", "Sig1")}),
    row("all of Signature-Input is in quotes", INPUT, QUOTE, input_(lambda v: f'"{v}"')),
    row("quotes of Signature-Input are escaped by a shell", INPUT, QUOTE + r"|escap|backslash", input_(lambda v: v.replace('"', '\\"'))),
    row("Signature has quotes for the colons", SIGNATURE, QUOTE + "|colon", signature(lambda v: v.replace("=:", '="', 1)[:-1] + '"')),
    row("Signature has no colons around the base64", SIGNATURE, r"colon|byte sequence|" + MISSING, signature(lambda v: v.replace("=:", "=", 1)[:-1])),
    row("the last colon of Signature is missing", SIGNATURE, r"colon|" + MISSING + "|end|cut", signature(lambda v: v[:-1])),
    row("Signature of the drafts with keyId, headers and signature", SIGNATURE + "|" + INPUT, r"signature-input|draft|cavage|label|keyId|" + MISSING, {"headers": lambda hs, w: [(n, f'keyId="{w.keyid}",algorithm="hs2019",headers="(request-target) host date",signature="{v[6:-1]}"' if n == "Signature" else v) for n, v in hs if n != "Signature-Input"]}),
    row("Authorization: Signature of the drafts", PLACE, r"authorization|signature-input|draft|scheme|" + MISSING, {"headers": lambda hs, w: [("Authorization", f'Signature keyId="{w.keyid}",algorithm="hs2019",signature="{v[6:-1]}"') if n == "Signature" else (n, v) for n, v in hs if n != "Signature-Input"]}),
    row("Signature-Input is dropped by the gateway's allow list", INPUT + "|" + PLACE, MISSING + "|signature-input", unsent("Signature-Input")),
    row("Signature is dropped by the gateway's allow list", SIGNATURE + "|" + PLACE, MISSING, unsent("Signature")),
    row("X-Signature and X-Signature-Input", PLACE, MISSING + r"|x-signature|\bname", renamed(("Signature", "X-Signature"), ("Signature-Input", "X-Signature-Input"))),
    row("Signature_Input with an underscore", PLACE, MISSING + r"|underscore|\bname", renamed(("Signature-Input", "Signature_Input"))),
    row("a middleware adds Signature-Input a second time", INPUT, DOUBLED + "|two|label|several|more than", {"headers": lambda hs, w: [*hs, *[h for h in hs if h[0] == "Signature-Input"]]}),
]  # fmt: skip
PROOFS = [
    row("hex between the colons", SIGNATURE, HEX + "|length", {"spell": bytes.hex}),
    Kind("rfc9421", "ed25519: base64url between the colons", False, SIGNATURE, B64 + "|alphabet|pad", lambda r: url_safe(r), NEVER),
    row("base64 of the hex text", SIGNATURE, HEX + "|" + B64 + "|length|" + DOUBLED, {"spell": lambda s: b64(s.hex().encode())}),
    row("base64 twice", SIGNATURE, B64 + "|length|" + DOUBLED, {"spell": lambda s: b64(b64(s).encode())}),
    row("bytes of Python print their b''", SIGNATURE, REPR + "|base64|alphabet", {"spell": lambda s: f"b'{b64(s)}'"}),
    row("a Promise is written out", SIGNATURE, PLACEHOLDER + "|promise|object|base64|alphabet", {"spell": lambda s: "[object Promise]"}),
    row("nothing stands between the colons", SIGNATURE, EMPTY + "|length", {"spell": lambda s: ""}),
    row("the signature's octets pass through a text of UTF-8", SIGNATURE, UNICODE + "|length|replac", {"spell": lambda s: b64(s.decode("utf-8", "replace").encode())}),
    row("the signature is cut at 40 characters", SIGNATURE, CUT + "|40|30", {"spell": lambda s: b64(s)[:40]}),
    row("the MAC is by SHA-512", PROOF + "|" + ALGORITHM, ALGORITHM + "|length", {"sign": lambda k, t: hmac.digest(k, t, "sha512")}, **SHARED),
    row("the MAC is by SHA-1", PROOF + "|" + ALGORITHM, ALGORITHM + "|length", {"sign": lambda k, t: hmac.digest(k, t, "sha1")}, **SHARED),
    row("secret and base are exchanged at createHmac", PROOF + "|" + KEY + "|" + TEXT, r"exchang|swap|role|revers|key.*(text|message|string|base)|order", {"sign": lambda k, t: hmac.digest(t, k, "sha256")}, **SHARED),
    row("SHA-256 of secret and base", PROOF + "|" + KEY + "|hmac", ALGORITHM, {"sign": lambda k, t: sha256(k + t)}, **SHARED),
    row("SHA-256 of the base, no key at all", PROOF + "|" + KEY + "|hmac", ALGORITHM + r"|without|no key|unkeyed", {"sign": lambda k, t: sha256(t)}, **SHARED),
    signing("OpenSSL's DER for the 64 octets", SIGNATURE, r"\bDER\b|asn|raw|r and s|length|64|ieee|p1363|encoding", lambda w, t: w.private.sign(t, ec.ECDSA(hashes.SHA256())), P256),
    signing("Java's SHA384withECDSA gives DER", SIGNATURE, r"\bDER\b|asn|raw|r and s|length|96|ieee|p1363|encoding", lambda w, t: w.private.sign(t, ec.ECDSA(hashes.SHA384())), P384),
    signing("SHA-512 under P-256", PROOF + "|" + ALGORITHM, ALGORITHM, lambda w, t: raw_ecdsa(w.private, t, hashes.SHA512()), P256),
    signing("SHA-256 under P-384", PROOF + "|" + ALGORITHM, ALGORITHM, lambda w, t: raw_ecdsa(w.private, t, hashes.SHA256()), P384),
    signing("the base is hashed before sign() hashes it again", PROOF + "|" + TEXT, HASHED + "|" + DOUBLED, lambda w, t: raw_ecdsa(w.private, sha256(t)), P256),
    signing("the base is hashed to hex before sign() hashes it again", PROOF + "|" + TEXT, HASHED + "|" + DOUBLED, lambda w, t: raw_ecdsa(w.private, hashlib.sha256(t).hexdigest().encode()), P256),
    signing("s stands before r", PROOF, ORDER + r"|\bs\b|\br\b|halves", lambda w, t: (lambda s: s[32:] + s[:32])(raw_ecdsa(w.private, t)), P256),
    signing("BigInteger.ToByteArray of .NET is little-endian", PROOF, r"revers|endian|backward|order", lambda w, t: backwards(raw_ecdsa(w.private, t)), P256),
    signing("the SHA-256 of the base is signed", PROOF + "|" + TEXT, HASHED, lambda w, t: w.private.sign(sha256(t)), ED),
    signing("the SHA-512 of the base is signed, as Ed25519ph was meant", PROOF + "|" + TEXT, HASHED + "|ph", lambda w, t: w.private.sign(hashlib.sha512(t).digest()), ED),
    signing("the base is signed in base64", PROOF + "|" + TEXT, B64, lambda w, t: w.private.sign(base64.b64encode(t)), ED),
    signing("the base is signed with a line end", PROOF + "|" + TEXT, LF, lambda w, t: w.private.sign(t + b"\n"), ED),
    signing("NaCl's crypto_sign gives signature and message in one", SIGNATURE, r"message|length|64|behind|before|first|base", lambda w, t: w.private.sign(t) + t, ED),
    signing("a pair made anew at each start", PROOF + "|" + KEY, ANOTHER, lambda w, t: ed25519.Ed25519PrivateKey.from_private_bytes(w.r.randbytes(32)).sign(t), ED, "the public key is known to nobody"),
]  # fmt: skip
KEYS = [
    row("the secret is decoded from base64, as the RFC's test key is", KEY, B64, key(lambda w: writers.lenient(w.secret)), **SHARED),
    row("the secret is encoded in base64 by kubectl", KEY, B64, key(lambda w: base64.b64encode(w.secret.encode())), **SHARED),
    row("the hex secret becomes octets", KEY, HEX, key(lambda w: bytes.fromhex(w.secret)), drawn=kept(secret=lambda r, w: r.randbytes(32).hex())),
    row("the secret has the file's line end", KEY, LF, key(lambda w: w.secret.encode() + b"\n"), **SHARED),
    row("the secret has the quotes of .env", KEY, QUOTE, key(lambda w: f"'{w.secret}'".encode()), **SHARED),
    row("the secret is empty as the variable isn't there", KEY, EMPTY + "|unset|variable", key(lambda w: b""), **SHARED),
    row("the secret is the word undefined", KEY, PLACEHOLDER, key(lambda w: b"undefined"), **SHARED),
    row("the secret is hashed first to have 32 octets", KEY, HASHED, key(lambda w: sha256(w.secret.encode())), **SHARED),
    row("the keyid signs for the secret", KEY, r"key ?id|exchang|swap|name", key(lambda w: w.keyid.encode()), **SHARED),
    row("the old key's secret signs under the new keyid", KEY, ANOTHER, key(lambda w: w.other.encode()), never=(FALSE_CLOCK,), **SHARED),
    row("the secret is cut at the hash sign of .env", KEY, CUT + "|comment|hash sign", key(lambda w: w.secret.partition("#")[0].encode()), drawn=kept(secret=lambda r, w: token(r, 20) + "#" + token(r, 20))),
    row("the secret's plus is a blank after a form", KEY, r"plus|blank|space|form|url", key(lambda w: w.secret.replace("+", " ").encode()), drawn=kept(secret=lambda r, w: token(r, 20) + "+" + token(r, 20))),
    row("the public key's PEM signs as a secret", KEY, r"pem|public|another|other|differ", key(lambda w: b"-----BEGIN PUBLIC KEY-----\nMCow" + w.other.encode()), never=(FALSE_KEY,), undecidable="whose PEM it was is known to nobody", **SHARED),
]  # fmt: skip
DIGESTS = [
    row("Digest of the older RFC is sent and covered", DIGEST, r"content-digest|\bdigest|older|3230|" + COVERED, {"names": lambda v, w: ["digest" if n == "content-digest" else n for n in v], "values": lambda v, w: {**v, "digest": "SHA-256=" + v["content-digest"][9:-1]}, "headers": lambda hs, w: [("Digest", "SHA-256=" + v[9:-1]) if n == "Content-Digest" else (n, v) for n, v in hs]}),
    row("SHA-256 in capitals in Content-Digest", DIGEST, CASE + "|key|grammar", digest(lambda v: v.replace("sha-256", "SHA-256"))),
    row("sha256 without its hyphen in Content-Digest", DIGEST, r"hyphen|sha256|unknown|algorithm|name", digest(lambda v: v.replace("sha-256", "sha256"))),
    row("Content-Digest has hex between its colons", DIGEST, HEX + "|length", {"content digest": lambda v, w: f"sha-256=:{hashlib.sha256(w.body).hexdigest()}:"}),
    row("Content-Digest is base64 of the hex", DIGEST, HEX + "|length|" + DOUBLED, {"digest with": lambda b: hashlib.sha256(b).hexdigest().encode()}),
    row("Content-Digest says sha-256 of a SHA-512", DIGEST, HASHED + "|length|64", {"digest with": lambda b: hashlib.sha512(b).digest()}),
    row("md5 is the only digest", DIGEST, r"md5|algorithm|unknown|weak|known", {"content digest": lambda v, w: f"md5=:{b64(hashlib.md5(w.body).digest())}:"}),
    row("Content-MD5 in place of Content-Digest", DIGEST, r"md5|content-digest|" + COVERED, {"names": lambda v, w: ["content-md5" if n == "content-digest" else n for n in v], "values": lambda v, w: {**v, "content-md5": b64(hashlib.md5(w.body).digest())}, "headers": lambda hs, w: [("Content-MD5", b64(hashlib.md5(w.body).digest())) if n == "Content-Digest" else (n, v) for n, v in hs]}),
    row("Content-Digest is covered and never sent", DIGEST, MISSING + "|content-digest", unsent("Content-Digest")),
    row("Content-Digest is signed without colons, sent with them", DIGEST + "|" + BASE, r"colon", {"digest in base": lambda v, w: v.replace("=:", "=", 1)[:-1]}),
    row("the bare base64 of the digest is in the base", DIGEST + "|" + BASE, r"sha-256|prefix|bare|alone|colon|name|" + MISSING, {"digest in base": lambda v, w: v[9:-1]}),
    row("the client writes JSON anew after the digest", BODY, WRITTEN + "|space|blank|escap", came(writers.python), drawn=plain),
    row("JSON.stringify of the parsed object is digested", BODY, WRITTEN, body(writers.js)),
    row("PHP digests json_encode's text with escaped slashes", BODY, WRITTEN + "|slash|escap", body(writers.php)),
    row("Go digests the map that Marshal sorted", BODY, WRITTEN + "|sort|order|escap", body(writers.go)),
    row("the pretty print of the log is digested", BODY, WRITTEN + "|indent|space|blank|" + LF, body(writers.indented), drawn=plain),
    row("the stream is read to its end before it is digested", BODY, EMPTY, body(lambda b: b"")),
    row("the body is lost on the way through the signer", BODY, EMPTY, came(lambda b: b"")),
    row("[object Object] is digested", BODY, OBJECT, body(lambda b: b"[object Object]")),
    row("the CDN compresses the body", BODY, r"gzip|compress|encoding", {"body sent": lambda b, w: gzip.compress(b, mtime=0), "headers": lambda hs, w: [*hs, ("Content-Encoding", "gzip")]}),
    row("the digest is of the body before gzip", BODY, r"gzip|compress|encoding", {"body sent": lambda b, w: gzip.compress(b, mtime=0)}),
    row("the editor's line end is sent, not digested", BODY, LF, came(lambda b: b + b"\n")),
    row("a byte order mark comes before the body", BODY, r"byte order|\bBOM\b|FEFF|mark", came(lambda b: b"\xef\xbb\xbf" + b)),
    row("Latin-1 is digested", BODY, UNICODE, body(writers.latin)),
    row("base64 of Lambda's event is digested", BODY, B64, body(lambda b: base64.b64encode(b))),
    row("the proxy cuts the body at a count of characters", BODY, CUT, came(writers.short)),
]  # fmt: skip
KINDS = [*STRING, *COMPONENTS, *COVERAGE, *PARAMS, *FIELDS, *PROOFS, *KEYS, *DIGESTS]
