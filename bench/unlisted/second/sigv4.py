"""Mistakes behind SignatureDoesNotMatch: signers written by hand, SDKs told the wrong thing, and proxies."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import random
import urllib.parse
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bench.unlisted import axes
from bench.unlisted.cases import (
    ALGORITHM, B64, BODY, CASE, CUT, DOUBLED, EMPTY, FALSE_CLOCK, HASHED, HEX, HOST, KEY, LF, METHOD, MISSING, ORDER,
    PLACEHOLDER, PROOF, QUOTE, TARGET, TEXT, TIME, UNICODE, token,
)  # fmt: skip
from bench.unlisted.second import writers
from bench.unlisted.second.writers import OBJECT, PERCENT, REPR, SEPARATOR, WRITTEN, ZONE, as_
from bench.unlisted.sigv4 import DERIVED, FIELDS, GRAMMAR, PLACE, PRE, SCOPE, canonical_path, draw, row

GONE = "what was signed is nowhere in the request, and no guess"
ANOTHER = r"another|other|differ|wrong|unknown|not (one|the|known)|no such|exchang|mismatch"
S3 = {"s3": True}


def part(index: int, change: Callable) -> dict[str, Any]:
    """A part of the canonical request: method, path, query, fields, names, hash."""
    return {"parts": lambda v, w: [*v[:index], change(v[index]), *v[index + 1 :]]}


def to_sign(index: int, change: Callable) -> dict[str, Any]:
    """A line of the string to sign: algorithm, time, scope, hash."""
    return {"text parts": lambda v, w: [*v[:index], change(v[index]), *v[index + 1 :]]}


def canonical(change: Callable) -> dict[str, Any]:
    return {"canonical": as_(change)}


def lines(change: Callable) -> dict[str, Any]:
    return {"field lines": as_(change)}


def line(name: str, change: Callable) -> dict[str, Any]:
    return lines(lambda v: [change(each) if each.startswith(name + ":") else each for each in v])


def names(change: Callable) -> dict[str, Any]:
    return {"names": as_(change)}


def signed(name: str, value: str) -> dict[str, Any]:
    """A field that is signed and never sent."""
    return {"names": lambda v, w: sorted([*v, name]), "fields signed": lambda v, w: {**v, name: value}}


def derived(change: Callable) -> dict[str, Any]:
    return {"derive": lambda s, c, w: change(s, c)}


def chained(key: bytes, parts: list[str], step: Callable = hmac.digest) -> bytes:
    for each in parts:
        key = step(key, each.encode(), "sha256")
    return key


def hexed(key: bytes, text: bytes, algorithm: str) -> bytes:
    return hmac.digest(key, text, algorithm).hex().encode()


def swapped(key: bytes, text: bytes, algorithm: str) -> bytes:
    return hmac.digest(text, key, algorithm)


def prefixed(secret: bytes) -> bytes:
    return b"AWS4" + secret


def secret(change: Callable) -> dict[str, Any]:
    return {"key": lambda v, w: change(w)}


def body(change: Callable) -> dict[str, Any]:
    return {"body signed": as_(change)}


def came(change: Callable) -> dict[str, Any]:
    return {"body sent": as_(change)}


def field(change: Callable) -> dict[str, Any]:
    return {"field": as_(change)}


def headers(change: Callable) -> dict[str, Any]:
    return {"headers": as_(change)}


def header(name: str, change: Callable) -> dict[str, Any]:
    return headers(lambda hs: [(n, change(v) if n == name else v) for n, v in hs])


def arrived(change: Callable) -> dict[str, Any]:
    return {"target sent": as_(change)}


def query(change: Callable) -> dict[str, Any]:
    return {"query signed": as_(change)}


def of(path: str = "", search: str = "") -> Callable:
    return lambda r: draw(r, path, search)


def kept(**parts: Any) -> Callable:
    def drawn(r: random.Random) -> Any:
        w = draw(r)
        for name, value in parts.items():
            setattr(w, name, value(r, w) if callable(value) else value)
        return w

    return drawn


plain = kept(body=lambda r, w: writers.js(w.body))
frankfurt = kept(region="eu-central-1")
PLUS = kept(secret=lambda r, w: token(r, 18) + "+" + token(r, 10) + "+" + token(r, 10))
HASH = kept(secret=lambda r, w: token(r, 22) + "#" + token(r, 17))


def shifted(seconds: float) -> dict[str, Any]:
    def moment(w: Any) -> Any:
        return w.when + timedelta(seconds=seconds)

    return {"time": lambda v, w: moment(w).strftime("%Y%m%dT%H%M%SZ"), "day": lambda v, w: moment(w).strftime("%Y%m%d")}


REQUEST = [
    row("the query keeps the order in which it is sent", TARGET, ORDER, {"query signed": lambda v, w: w.query}),
    row("localeCompare sorts the query without regard to case", TARGET, ORDER + "|case", query(lambda q: "&".join(sorted(q.split("&"), key=str.lower))), drawn=of(search="b=1&B=2&a=3&C=4")),
    row("the query's values are decoded and not encoded again", TARGET, PERCENT, query(urllib.parse.unquote)),
    row("URLSearchParams writes + where %20 is sent", TARGET, r"plus|space|blank|encod", query(lambda q: q.replace("%20", "+"))),
    row("the query is left in the path for the SDK", TARGET, "query", {"path signed": lambda v, w: v + "%3F" + urllib.parse.quote(w.query, safe=""), "query signed": lambda v, w: ""}),
    row("the query isn't handed to the signer", TARGET, r"query|" + EMPTY, query(lambda q: "")),
    row("the query has its question mark", TARGET, r"question|mark", query(lambda q: "?" + q)),
    row("a parameter without value gets no equals sign", TARGET, r"equals|value|empty|param", query(lambda q: q.replace("acl=", "acl")), drawn=of(search="acl&prefix=a&z=1")),
    row("encodeURIComponent leaves parentheses as they are", TARGET, PERCENT + r"|paren", query(lambda q: q.replace("%28", "(").replace("%29", ")").replace("%21", "!")), drawn=of(search="note=a%28b%29%21&z=1")),
    row("the query is encoded once more", TARGET, DOUBLED + "|" + PERCENT, query(lambda q: q.replace("%", "%25"))),
    row("quote() keeps the slash of a value", TARGET, PERCENT + "|slash", query(lambda q: q.replace("%2F", "/"))),
    row("repeated parameters keep one value, in a map", TARGET, r"query|param|twice|repeat|" + MISSING + "|one", query(lambda q: "&".join(f"{n}={v}" for n, v in dict(p.split("=") for p in q.split("&")).items())), drawn=of(search="tag=a&tag=b&z=1")),
    row("the path is encoded once where it has to be twice", TARGET, PERCENT + "|" + DOUBLED + "|once", {"path signed": lambda v, w: w.path}),
    row("the path is encoded twice for S3", TARGET, PERCENT + "|" + DOUBLED, {"path signed": lambda v, w: canonical_path(w.path)}, **S3),
    row("the path is decoded, request.path of the framework", TARGET, PERCENT, {"path signed": lambda v, w: urllib.parse.unquote(w.path)}),
    row("the path's slashes are encoded by encodeURIComponent", TARGET, PERCENT + "|slash", {"path signed": lambda v, w: urllib.parse.quote(w.path, safe="")}),
    row("a slash stands for the whole path", TARGET, r"\bslash|empty|root|whole", {"path signed": lambda v, w: "/"}),
    row("the whole URL stands for the path", TARGET, r"host|scheme|absolute|whole|full|origin", {"path signed": lambda v, w: f"https://{w.host}{v}"}),
    row("the path ends with a slash that isn't sent", TARGET, r"slash", {"path signed": lambda v, w: v + "/"}),
    row("the path has no slash in front", TARGET, r"slash", {"path signed": lambda v, w: v[1:]}),
    row("the stage of execute-api isn't in the signed path", TARGET, r"stage|prefix|front|segment", arrived(lambda t: "/prod" + t)),
    row("a custom domain's mapping takes the first segment off", TARGET, r"prefix|front|segment|missing", arrived(lambda t: "/" + t.split("/", 2)[2]), undecidable=GONE),
    row("two slashes of an S3 key are made one before signing", TARGET, r"slash|//|normal", {"path signed": lambda v, w: v.replace("//", "/")}, drawn=of("/bucket//a/b.txt"), **S3),
    row("spaces of an S3 key are signed as +", TARGET, r"plus|space|blank|encod", {"path signed": lambda v, w: v.replace("%20", "+")}, **S3),
    row("escapes of the S3 key have small hex digits", TARGET, CASE + "|" + PERCENT, {"path signed": lambda v, w: v.replace("%C3%AB", "%c3%ab")}, drawn=of("/bucket/Zo%C3%AB.txt"), **S3),
    row("the bucket is left out of a path-style path", TARGET, r"bucket|segment|prefix|front|" + MISSING, {"path signed": lambda v, w: "/" + v.split("/", 2)[2]}, **S3),
    row("a cache buster is added behind the signer", TARGET, r"added|more|append|extra|addition", arrived(lambda t: t + "&_=1899999999777")),
    row("the method in small letters of axios", METHOD, CASE, part(0, str.lower)),
    row("GET is the signer's default method", METHOD, r"\bGET\b|" + ANOTHER, part(0, lambda v: "GET")),
    row("the line of the query is left out of the canonical request", TARGET + "|" + TEXT, r"line|" + MISSING, {"parts": lambda v, w: [*v[:2], *v[3:]]}),
    row("the empty line behind the fields is missing", TEXT + "|" + FIELDS, LF + r"|empty|blank|" + MISSING, part(3, lambda v: v.rstrip("\n"))),
    row("one empty line too many behind the fields", TEXT + "|" + FIELDS, LF + r"|empty|blank|more|too many|extra|second|additional", part(3, lambda v: v + "\n")),
    row("the names of the signed fields aren't a line of the request", TEXT + "|" + FIELDS, r"signed ?headers|names|" + MISSING, {"parts": lambda v, w: [*v[:4], *v[5:]]}),
    row("the body's hash isn't a line of the request", TEXT + "|" + BODY, r"hash|body|payload|" + MISSING, {"parts": lambda v, w: v[:5]}),
    row("the body itself is the last line of the request", TEXT + "|" + BODY, r"hash|body|payload|raw|itself", {"parts": lambda v, w: [*v[:5], w.body.decode()]}),
    row("the canonical request has CRLF", TEXT, r"CR ?LF|\\r|carriage|line[- ]?(end|break)|windows", canonical(lambda t: t.replace("\n", "\r\n"))),
    row("the canonical request ends with a line end", TEXT, LF, canonical(lambda t: t + "\n")),
    row("the heredoc indents the canonical request", TEXT, r"indent|blank|space|white|leading", canonical(lambda t: t.replace("\n", "\n  "))),
    row("PHP's single quotes keep \\n in the canonical request", TEXT, LF + "|backslash|literal|escap", canonical(lambda t: t.replace("\n", "\\n"))),
    row("blanks join the canonical request's parts", TEXT, SEPARATOR, {"canonical": lambda v, w: v.replace("\n", " ")}),
]  # fmt: skip
HEADERS = [
    row("names of fields keep their capitals in the lines", FIELDS, CASE, lines(lambda v: [each.split(":", 1)[0].title() + ":" + each.split(":", 1)[1] for each in v])),
    row("lines of fields aren't sorted", FIELDS, ORDER, lines(lambda v: [*v[1:], v[0]])),
    row("a blank behind the colon of each field's line", FIELDS, r"blank|space|colon|white", lines(lambda v: [each.replace(":", ": ", 1) for each in v])),
    row("blanks within a value aren't made one", FIELDS, r"blank|space|white|collaps|two|doubl|trim", {"field lines": lambda v, w: [f"x-amz-meta-note:{w.meta}" if each.startswith("x-amz-meta") else each for each in v]}),
    row("white space around a value is signed", FIELDS, r"blank|space|white|trim|around", line("content-type", lambda v: v + " ")),
    row("the host is signed with :443", HOST, r"port|443", line("host", lambda v: v + ":443")),
    row("the host is signed with https://", HOST, r"scheme|https://|origin", line("host", lambda v: v.replace("host:", "host:https://"))),
    row("the host is signed in capitals of the console", HOST, CASE, line("host", lambda v: "host:" + v[5:].title())),
    row("localhost of the proxy is signed for the host", HOST, r"localhost|host", line("host", lambda v: "host:localhost:8080"), undecidable=GONE),
    row("the proxy sends its upstream's name for the host", HOST, r"host|proxy", {"host sent": lambda v, w: "search-internal.example:9200"}, undecidable=GONE),
    row("host isn't among the signed fields", FIELDS + "|cover", MISSING + "|host|cover", names(lambda v: [n for n in v if n != "host"])),
    row("x-amz-date isn't among the signed fields", FIELDS + "|cover", MISSING + "|x-amz-date|cover", names(lambda v: [n for n in v if n != "x-amz-date"])),
    row("a field x-amz-meta-trace is set behind the signer", FIELDS + "|cover", MISSING + "|x-amz-meta|cover|unsigned|not signed", headers(lambda hs: [*hs, ("X-Amz-Meta-Trace", "a1")])),
    row("x-amz-acl is set in the browser, not in the signer", FIELDS + "|cover", MISSING + "|x-amz-acl|cover|unsigned|not signed", headers(lambda hs: [*hs, ("X-Amz-Acl", "public-read")])),
    row("Content-Type gets its charset from axios", FIELDS + "|content-type", r"charset|utf|param|content-type", header("Content-Type", lambda v: v + "; charset=utf-8")),
    row("Content-Type is replaced by the form's default", FIELDS + "|content-type", r"content-type|form|x-www|chang|json|" + ANOTHER, header("Content-Type", lambda v: "application/x-www-form-urlencoded"), undecidable="which type was signed is nowhere in the request"),
    row("Content-Type is signed and taken off by the client", FIELDS + "|content-type", MISSING + "|content-type", headers(lambda hs: [h for h in hs if h[0] != "Content-Type"])),
    row("Connection is signed, and the proxy takes it off", FIELDS + "|connection", MISSING + "|connection", signed("connection", "keep-alive")),
    row("Content-Length is signed, and chunks are sent", FIELDS + "|content-length", MISSING + "|content-length", signed("content-length", "211")),
    row("Accept-Encoding is signed, and the CDN takes it off", FIELDS + "|accept-encoding", MISSING + "|accept-encoding", signed("accept-encoding", "gzip")),
    row("X-Forwarded-For is signed and gets another hop", FIELDS + "|forwarded", r"forwarded|added|chang|hop|comma|list|append|" + ANOTHER, {**signed("x-forwarded-for", "192.0.2.7"), "headers": lambda hs, w: [*hs, ("X-Forwarded-For", "192.0.2.7, 10.0.0.4")]}),
    row("User-Agent is signed and written anew by the browser", FIELDS + "|user-agent", r"user-agent|chang|" + ANOTHER, {**signed("user-agent", "aws-sdk-js"), "headers": lambda hs, w: [*hs, ("User-Agent", "Mozilla/5.0")]}, undecidable=GONE),
    row("names of the signed fields aren't sorted", FIELDS, ORDER, names(lambda v: [*v[1:], v[0]])),
    row("names of the signed fields have capitals", FIELDS, CASE, {"signed headers": lambda v, w: v.title()}),
    row("commas between the names of the signed fields", FIELDS, SEPARATOR, {"signed headers": lambda v, w: v.replace(";", ",")}),
    row("a semicolon behind the last name", FIELDS, SEPARATOR + "|empty|last|end|trailing", {"signed headers": lambda v, w: v + ";"}),
    row("host is named twice by the caller and the signer", FIELDS, DOUBLED + "|host", names(lambda v: sorted([*v, "host"]))),
    row("the session token isn't sent", FIELDS + "|token|session", MISSING + "|token|session", {}, session="FQoGZXIvYXdzEXAMPLE"),
    row("the session token of the last role is sent", FIELDS + "|token|session", ANOTHER + "|token|session", {"names": lambda v, w: sorted([*v, "x-amz-security-token"]), "fields signed": lambda v, w: {**v, "x-amz-security-token": "IQoJb3JpZ2luOLD"}, "headers": lambda hs, w: [*hs, ("X-Amz-Security-Token", "IQoJb3JpZ2luOLD")]}, session="FQoGZXIvYXdzEXAMPLE"),
    row("a session token is sent with keys that never end", FIELDS + "|token|session", ANOTHER + "|token|session|needless|no session", {"names": lambda v, w: sorted([*v, "x-amz-security-token"]), "fields signed": lambda v, w: {**v, "x-amz-security-token": "IQoJb3JpZ2luNEW"}, "headers": lambda hs, w: [*hs, ("X-Amz-Security-Token", "IQoJb3JpZ2luNEW")]}),
]  # fmt: skip
PAYLOAD = [
    row("the hash of the empty text is signed with a body", BODY, EMPTY, body(lambda b: b"")),
    row("http-proxy sends the body again as JSON", BODY, WRITTEN + "|space|blank|escap", came(writers.python), drawn=plain),
    row("JSON.stringify's text is hashed, the original is sent", BODY, WRITTEN, body(writers.js)),
    row("PHP hashes json_encode with escaped slashes", BODY, WRITTEN + "|slash|escap", body(writers.php)),
    row("Go hashes the map that Marshal sorted", BODY, WRITTEN + "|sort|order|escap", body(writers.go)),
    row("Postman's beautify comes after the hash", BODY, WRITTEN + "|indent|space|blank|" + LF, came(writers.indented), drawn=plain),
    row("[object Object] is hashed by String(body)", BODY, OBJECT, body(lambda b: b"[object Object]")),
    row("the body parser has eaten the body of the proxy", BODY, EMPTY, came(lambda b: b"")),
    row("the body is gzipped behind the signer", BODY, r"gzip|compress|encoding", {"body sent": lambda b, w: gzip.compress(b, mtime=0), "headers": lambda hs, w: [*hs, ("Content-Encoding", "gzip")]}),
    row("curl --data takes the line ends out of the file", BODY, LF + "|" + WRITTEN + "|indent", {"body sent": lambda b, w: b.replace(b"\n", b"")}, drawn=kept(body=lambda r, w: writers.indented(w.body))),
    row("sha256sum hashes echo's line end", BODY, LF, body(lambda b: b + b"\n")),
    row("Content-Length counts characters and cuts", BODY, CUT, came(writers.short)),
    row("Encoding.Default hashes Latin-1", BODY, UNICODE, body(writers.latin)),
    row("isBase64Encoded isn't looked at by the Lambda", BODY, B64, came(lambda b: base64.b64encode(b))),
    row("a byte order mark goes before the body of a CSV tool", BODY, r"byte order|\bBOM\b|FEFF|mark", came(lambda b: b"\xef\xbb\xbf" + b)),
    row("the payload's hash is in base64", BODY + "|" + FIELDS, B64 + "|hex|64", {"payload hash": lambda v, w: writers.b64(bytes.fromhex(v))}),
    row("the payload's hash is in capitals", BODY + "|" + FIELDS, CASE + "|hex", {"payload hash": lambda v, w: v.upper()}),
    row("the payload's hash is an MD5", BODY + "|" + FIELDS, HASHED + "|32|length", {"payload hash": lambda v, w: hashlib.md5(w.body).hexdigest()}),
    row("the payload is hashed twice", BODY, HASHED + "|" + DOUBLED, {"payload hash": lambda v, w: hashlib.sha256(v.encode()).hexdigest()}),
    row("UNSIGNED-PAYLOAD for a service that isn't S3", BODY + "|" + FIELDS, r"unsigned|cover", {"payload hash": lambda v, w: "UNSIGNED-PAYLOAD"}),
    row("UNSIGNED-PAYLOAD is in the canonical request alone", BODY + "|" + TEXT, r"unsigned", part(5, lambda v: "UNSIGNED-PAYLOAD")),
    row("x-amz-content-sha256 says UNSIGNED-PAYLOAD, the hash is signed", BODY + "|" + FIELDS, r"unsigned|x-amz-content-sha256|cover", {"headers": lambda hs, w: [(n, "UNSIGNED-PAYLOAD" if n == "X-Amz-Content-Sha256" else v) for n, v in hs], "field lines": lambda v, w: ["x-amz-content-sha256:UNSIGNED-PAYLOAD" if each.startswith("x-amz-content") else each for each in v]}),
    row("the hash of nothing is in the canonical request alone", BODY + "|" + TEXT, EMPTY, part(5, lambda v: hashlib.sha256(b"").hexdigest())),
]  # fmt: skip
SIGNING = [
    row("the string to sign has no line of the algorithm", TEXT, MISSING + "|algorithm|AWS4-HMAC", {"text parts": lambda v, w: v[1:]}),
    row("AWS4-HMAC-SHA1 in the string to sign", TEXT + "|" + ALGORITHM, ALGORITHM, to_sign(0, lambda v: "AWS4-HMAC-SHA1")),
    row("HMAC-SHA256 without AWS4 in the string to sign", TEXT + "|" + ALGORITHM, r"AWS4|prefix|algorithm|" + MISSING, to_sign(0, lambda v: "HMAC-SHA256")),
    row("the day stands for the time in the string to sign", TEXT + "|" + TIME, r"\bday\b|date|time|short|cut", to_sign(1, lambda v: v[:8])),
    row("hyphens and colons in the time of the string to sign", TEXT + "|" + TIME, r"hyphen|colon|iso|8601|format|extended|basic", to_sign(1, lambda v: f"{v[:4]}-{v[4:6]}-{v[6:11]}:{v[11:13]}:{v[13:]}")),
    row("the string to sign is a second later than x-amz-date", TEXT + "|" + TIME, ANOTHER + r"|\b(1|one|a) second\b|later", {"time in text": lambda v, w: (w.when + timedelta(seconds=1)).strftime("%Y%m%dT%H%M%SZ")}),
    row("the credential with its key id is the scope that is signed", TEXT + "|scope", r"access|key|credential|prefix|scope|front", {"scope in text": lambda v, w: f"{w.access}/{v}"}),
    row("aws4_request isn't in the scope that is signed", TEXT + "|scope", r"aws4_request|" + MISSING, to_sign(2, lambda v: v.rpartition("/")[0])),
    row("service before region in the scope that is signed", TEXT + "|scope", ORDER + "|service|region", to_sign(2, lambda v: "/".join([v.split("/")[0], v.split("/")[2], v.split("/")[1], v.split("/")[3]]))),
    row("the hash of the canonical request in capitals", TEXT, CASE + "|hex", to_sign(3, str.upper)),
    row("the hash of the canonical request in base64", TEXT, B64, to_sign(3, lambda v: writers.b64(bytes.fromhex(v)))),
    row("the canonical request isn't hashed", TEXT, HASHED + "|itself|raw|canonical", {"canonical": lambda v, w: setattr(w, "kept", v) or v, "canonical hash": lambda v, w: w.kept}),
    row("the canonical request is hashed by MD5", TEXT, HASHED, {"canonical": lambda v, w: setattr(w, "kept", v) or v, "canonical hash": lambda v, w: hashlib.md5(w.kept.encode()).hexdigest()}),
    row("the string to sign ends with a line end", TEXT, LF, {"text": lambda v, w: v + b"\n"}),
    row("the string to sign has CRLF", TEXT, r"CR ?LF|\\r|carriage|line[- ]?(end|break)|windows", {"text": lambda v, w: v.replace(b"\n", b"\r\n")}),
    row("the canonical request is signed without a string to sign", TEXT, r"canonical|string to sign|itself", {"canonical": lambda v, w: setattr(w, "kept", v) or v, "text": lambda v, w: w.kept.encode()}),
    row("AWS4 isn't put before the secret", DERIVED, r"AWS4|prefix|" + MISSING, derived(lambda s, c: chained(s, c))),
    row("AWS_ is put before the secret", DERIVED, r"AWS4|AWS_|prefix", derived(lambda s, c: chained(b"AWS_" + s, c)), undecidable="a misspelt prefix is a guess"),
    row("the secret itself signs", DERIVED, r"derive|itself|signing key|without|plain|secret", derived(lambda s, c: s)),
    row("AWS4 and the secret sign, nothing is derived", DERIVED, r"derive|itself|signing key|without|plain|AWS4", derived(lambda s, c: prefixed(s))),
    row("each step of the key is written in hex", DERIVED, HEX, derived(lambda s, c: chained(prefixed(s), c, hexed))),
    row("openssl's -hmac takes the last key in hex", DERIVED, HEX, derived(lambda s, c: chained(prefixed(s), c).hex().encode())),
    row("key and data are exchanged in each step", DERIVED, r"exchang|swap|role|revers|order", derived(lambda s, c: chained(prefixed(s), c, swapped))),
    row("region before date in the key", DERIVED, ORDER + "|region|date", derived(lambda s, c: chained(prefixed(s), [c[1], c[0], c[2], c[3]]))),
    row("service before region in the key", DERIVED, ORDER + "|service|region", derived(lambda s, c: chained(prefixed(s), [c[0], c[2], c[1], c[3]]))),
    row("aws4_request isn't in the key", DERIVED, r"aws4_request|" + MISSING + "|step", derived(lambda s, c: chained(prefixed(s), c[:3]))),
    row("the scope is the data of one step of the key", DERIVED, r"scope|step|one|single", derived(lambda s, c: chained(prefixed(s), ["/".join(c)]))),
    row("the time is in the key where the day should be", DERIVED + "|" + TIME, r"\bday\b|date|time", {"derive": lambda s, c, w: chained(prefixed(s), [w.amzdate, *c[1:]])}),
    row("yesterday's key is kept in a cache", DERIVED + "|" + TIME, r"\bday\b|date|yesterday|cache|\bold\b", {"derive": lambda s, c, w: chained(prefixed(s), [(w.when - timedelta(days=1)).strftime("%Y%m%d"), *c[1:]])}),
    row("the key is derived for us-east-1 in any case", DERIVED + "|region", r"region|us-east-1", derived(lambda s, c: chained(prefixed(s), [c[0], "us-east-1", *c[2:]])), drawn=frankfurt),
    row("the signature is in base64", PROOF, B64, {"spell": writers.b64}),
    row("the signature is in capitals", PROOF, CASE + "|hex", {"spell": lambda b: b.hex().upper()}),
    row("the signature has (stdin)= of openssl", PROOF + "|" + GRAMMAR, r"stdin|openssl|hex|digits|blank", {"spell": lambda b: f"(stdin)= {b.hex()}"}),
    row("the signature is Python's b''", PROOF + "|" + GRAMMAR, REPR + "|hex", {"spell": lambda b: f"b'{b.hex()}'"}),
    row("the signature is the word undefined", PROOF + "|" + GRAMMAR, PLACEHOLDER + "|hex|digits", {"spell": lambda b: "undefined"}),
    row("HMAC-SHA1 of signature version 2", PROOF + "|" + ALGORITHM, ALGORITHM + "|length|digits", {"mac": axes.mac("sha1")}),
    row("SHA-256 of key and string", PROOF + "|" + KEY + "|hmac", ALGORITHM, {"mac": lambda k, t: hashlib.sha256(k + t).digest()}),
]  # fmt: skip
CREDENTIALS = [
    row("the secret has the line end of the file", KEY, LF, secret(lambda w: w.secret.encode() + b"\n")),
    row("the secret has the quotes of ~/.aws/credentials", KEY, QUOTE, secret(lambda w: f'"{w.secret}"'.encode())),
    row("the secret has a blank of the CSV in front", KEY, r"blank|space|white|leading|front", secret(lambda w: f" {w.secret}".encode())),
    row("the plus of the secret became a blank", KEY, r"plus|blank|space|form|url", secret(lambda w: w.secret.replace("+", " ").encode()), drawn=PLUS),
    row("the secret is percent-encoded for a URL", KEY, PERCENT, secret(lambda w: urllib.parse.quote(w.secret, safe="").encode()), drawn=PLUS),
    row("the secret ends at a hash sign of .env", KEY, CUT + "|comment|hash sign", secret(lambda w: w.secret.partition("#")[0].encode()), drawn=HASH),
    row("the secret is decoded from base64", KEY, B64, secret(lambda w: writers.lenient(w.secret))),
    row("the secret is in base64 of Kubernetes", KEY, B64, secret(lambda w: base64.b64encode(w.secret.encode()))),
    row("the secret is empty, the variable isn't exported", KEY, EMPTY + "|unset|variable", secret(lambda w: b"")),
    row("the secret is the word None", KEY, PLACEHOLDER + r"|\bNone\b", secret(lambda w: b"None")),
    row("the secret lost its last character in a double click", KEY, CUT + "|last|character", secret(lambda w: w.secret[:-1].encode())),
    row("the access key's id signs for the secret", KEY, r"access|key id|exchang|swap|\bid\b", secret(lambda w: w.access.encode())),
    row("the other profile's secret signs", KEY, ANOTHER, secret(lambda w: w.other.encode()), never=(FALSE_CLOCK,)),
    row("the other profile's access key stands in the credential", KEY, ANOTHER, {"access": lambda v, w: w.other_access}, never=(FALSE_CLOCK,)),
    row("the access key was deleted", KEY, r"unknown|known|no such|deleted|access", {"access": lambda v, w: "AKIA" + v[:3:-1]}, never=(FALSE_CLOCK,)),
    row("the access key in small letters", KEY, CASE + "|unknown|known", {"access": lambda v, w: v.lower()}, never=(FALSE_CLOCK,)),
    row("YOUR_ACCESS_KEY of the example", KEY, PLACEHOLDER + "|YOUR_|unknown|known", {"access": lambda v, w: "YOUR_ACCESS_KEY"}, never=(FALSE_CLOCK,)),
    row("the access key is the word undefined", KEY, PLACEHOLDER + "|unknown|known", {"access": lambda v, w: "undefined"}, never=(FALSE_CLOCK,)),
    row("a typo for the secret that was never this key's", KEY, ANOTHER, secret(lambda w: w.other[::-1].encode()), never=(), undecidable="the secret that signed is unknown to the store"),
    row("the region is us-east-1 by default", SCOPE, r"region|us-east-1", {"region": lambda v, w: "us-east-1"}, drawn=frankfurt),
    row("the region is an availability zone", SCOPE, r"region|zone|letter", {"region": lambda v, w: v + "a"}),
    row("the region is the console's name", SCOPE, r"region|frankfurt", {"region": lambda v, w: "Frankfurt"}, drawn=frankfurt),
    row("the region has capitals", SCOPE, CASE + "|region", {"region": lambda v, w: v.upper()}),
    row("the region is empty as AWS_REGION isn't there", SCOPE, EMPTY + "|region", {"region": lambda v, w: ""}),
    row("the service is execute-api by the example", SCOPE, r"service|execute-api", {"service": lambda v, w: "execute-api"}),
    row("the service has a capital", SCOPE, CASE + "|service", {"service": lambda v, w: v.title()}),
    row("the service is the host's first label", SCOPE + "|" + HOST, r"service|host|label", {"service": lambda v, w: w.host.split(".")[0]}),
    row("service and region are exchanged", SCOPE, ORDER + "|service|region", {"region": lambda v, w: w.service, "service": lambda v, w: w.region}),
    row("the credential's day is of local time", SCOPE + "|" + TIME, r"\bday\b|date|zone", {"day": lambda v, w: (w.when + timedelta(days=1)).strftime("%Y%m%d")}),
    row("the credential's day has hyphens", SCOPE + "|" + TIME, r"hyphen|\bday\b|date|format", {"day": lambda v, w: w.when.strftime("%Y-%m-%d")}),
    row("the credential's date is the whole time", SCOPE + "|" + TIME, r"\bday\b|date|time", {"day": lambda v, w: w.amzdate}),
    row("aws4-request with a hyphen", SCOPE, r"aws4.request|hyphen|underscore|end", {"end": lambda v, w: "aws4-request"}),
    row("the credential ends after the service", SCOPE + "|" + GRAMMAR, r"aws4_request|" + MISSING + "|parts|credential", {"field": lambda v, w: v.replace("/aws4_request", "")}),
    row("the credential is the access key alone", SCOPE + "|" + GRAMMAR, r"scope|" + MISSING + "|parts|credential|date|region", {"field": lambda v, w: v.replace(v[v.index("Credential=") + 11 : v.index(", SignedHeaders")], w.access)}),
]  # fmt: skip
WRITING = [
    row("AWS of version 2 in the field", GRAMMAR, r"version 2|AWS4|scheme|word|AWS", {"field": lambda v, w: f"AWS {w.access}:{writers.b64(bytes.fromhex(v[-64:]))}"}),
    row("the algorithm's word is missing in the field", GRAMMAR, r"AWS4|scheme|word|algorithm|" + MISSING, field(lambda v: v.partition(" ")[2])),
    row("Bearer is put before it by the gateway's tester", GRAMMAR, r"bearer|scheme|word", field(lambda v: "Bearer " + v)),
    row("semicolons between the parameters of the field", GRAMMAR, SEPARATOR, field(lambda v: v.replace(", ", "; "))),
    row("quotes around the field's values", GRAMMAR, QUOTE, field(lambda v: ", ".join(p.replace("=", '="', 1) + '"' for p in v.split(", ")))),
    row("small letters for Credential and Signature", GRAMMAR, CASE, field(lambda v: v.replace("Credential", "credential").replace("SignedHeaders", "signedheaders").replace("Signature", "signature"))),
    row("SignedHeaders isn't in the field", GRAMMAR, r"signed ?headers|" + MISSING, field(lambda v: ", ".join(p for p in v.split(", ") if not p.startswith("Signed")))),
    row("Signature isn't in the field", GRAMMAR + "|" + PROOF, MISSING, field(lambda v: v.rpartition(", ")[0])),
    row("Credential isn't in the field", GRAMMAR, r"credential|" + MISSING, field(lambda v: "AWS4-HMAC-SHA256 " + v.partition(", ")[2])),
    row("AWS4-HMAC-SHA512 is the field's word", GRAMMAR + "|" + ALGORITHM, ALGORITHM + "|word|scheme", field(lambda v: v.replace("SHA256", "SHA512", 1))),
    row("X-Amz-Authorization carries the field", PLACE, r"authorization|" + MISSING, headers(lambda hs: [("X-Amz-Authorization" if n == "Authorization" else n, v) for n, v in hs])),
    row("the field is dropped on a redirect to the region's host", PLACE, r"authorization|redirect|" + MISSING, headers(lambda hs: [h for h in hs if h[0] != "Authorization"])),
    row("two fields Authorization, of Cognito and of SigV4", PLACE, r"bearer|two|twice|more than one|several|second|" + DOUBLED, headers(lambda hs: [*hs, ("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")])),
    row("X-Amz-Date is dropped by the proxy", TIME + "|" + FIELDS, MISSING + "|x-amz-date|time", headers(lambda hs: [h for h in hs if h[0] != "X-Amz-Date"])),
    row("X-Amz-Date in the format of HTTP dates", TIME, r"date|format|iso|8601|http|time", {"time": lambda v, w: w.when.strftime("%a, %d %b %Y %H:%M:%S GMT")}),
    row("X-Amz-Date with hyphens and colons", TIME, r"hyphen|colon|iso|8601|format|extended|basic", {"time": lambda v, w: w.when.strftime("%Y-%m-%dT%H:%M:%SZ")}),
    row("X-Amz-Date in seconds since 1970", TIME, r"seconds|epoch|1970|unix|format|iso|8601|date", {"time": lambda v, w: str(int(w.when.timestamp()))}),
    row("X-Amz-Date with milliseconds of toISOString", TIME, r"milli|fraction|format|iso|8601|digits", {"time": lambda v, w: w.when.strftime("%Y%m%dT%H%M%S.418Z")}),
    row("the Z of X-Amz-Date is forgotten", TIME, r"\bZ\b|zone|format|iso|8601|utc", {"time": lambda v, w: v.rstrip("Z")}),
    row("local time with the Z of UTC", TIME, ZONE, shifted(7200)),
    row("the container's time stood still in sleep", TIME, ZONE, shifted(-4000)),
    row("a signed request waits an hour in the queue", TIME, ZONE, shifted(-3600)),
    row("the same upload is sent twice to a guard that lets each in once", r"signature|request|credential|again|replay", r"again|replay|used|twice|second|before|once", {}, replay=True, single_use=True),
]  # fmt: skip
PRESIGNED = [
    row("the link of the mail is older than X-Amz-Expires", TIME, ZONE + "|expire", {**shifted(-7200), "expires": lambda v, w: "3600"}, **PRE),
    row("X-Amz-Expires of thirty days", TIME, r"expire|seven|7 days|604.?800|long|most|limit|maximum", {"expires": lambda v, w: "2592000"}, **PRE),
    row("X-Amz-Expires is a moment in seconds since 1970", TIME, r"expire|seven|7 days|604.?800|1970|moment|long|most|limit|maximum", {"expires": lambda v, w: "1900003600"}, **PRE),
    row("X-Amz-Expires with a fraction", TIME, r"expire|fraction|digit|integer|number|decimal", {"expires": lambda v, w: "900.0"}, **PRE),
    row("a URL made for GET is used for PUT", METHOD, r"\bGET\b|\bPUT\b|method", {"method sent": lambda v, w: "PUT"}, **PRE),
    row("HEAD goes to a URL made for GET", METHOD, r"\bGET\b|\bHEAD\b|method", {"method sent": lambda v, w: "HEAD"}, **PRE),
    row("the URL's host is replaced by the CDN's", HOST, r"host|cdn|" + ANOTHER, {"host sent": lambda v, w: "cdn.shop.example"}, **PRE, undecidable=GONE),
    row("the template escapes & to &amp; in the URL", TARGET, r"&amp|html|entit|escap", arrived(lambda t: t.replace("&", "&amp;")), **PRE),
    row("the analytics add utm_source to the URL", TARGET, r"added|more|utm|append|extra|addition|cover|unsigned", arrived(lambda t: t + "&utm_source=mail"), **PRE),
    row("the mail's line end cuts the URL in its signature", PROOF, CUT + "|digits|64", arrived(lambda t: t[:-14]), **PRE),
    row("a shortener encodes the URL once more", TARGET, DOUBLED + "|" + PERCENT, arrived(lambda t: t.partition("?")[0] + "?" + t.partition("?")[2].replace("%", "%25")), **PRE),
    row("names of the parameters in small letters", GRAMMAR + "|" + TARGET, CASE + "|x-amz", arrived(lambda t: t.replace("X-Amz-", "x-amz-")), **PRE),
    row("a filter takes X-Amz-SignedHeaders away", GRAMMAR + "|" + TARGET, r"signed ?headers|" + MISSING, arrived(lambda t: "&".join(p for p in t.split("&") if not p.startswith("X-Amz-SignedHeaders"))), **PRE),
    row("a filter takes X-Amz-Date away", GRAMMAR + "|" + TIME, r"x-amz-date|" + MISSING, arrived(lambda t: "&".join(p for p in t.split("&") if not p.startswith("X-Amz-Date"))), **PRE),
    row("the shell ends the URL at its first ampersand", GRAMMAR + "|" + TARGET + "|" + PLACE, MISSING + "|cut|ampersand", arrived(lambda t: t.partition("&")[0]), **PRE),
    row("the client's interceptor adds Authorization: Bearer to the URL", PLACE, r"bearer|two|both|twice|several|ambig|" + DOUBLED, headers(lambda hs: [*hs, ("Authorization", "Bearer abc.def.ghi")]), **PRE),
    row("X-Amz-Signature is part of what is signed", TARGET + "|" + TEXT, r"x-amz-signature|signature", {"query raw": lambda v, w: v + "&X-Amz-Signature=" + "0" * 64}, **PRE, undecidable="what stood there is a guess"),
    row("X-Amz-Expires is added after the URL was signed", TARGET + "|" + TIME, r"x-amz-expires|expire|" + MISSING, {"query raw": lambda v, w: "&".join(p for p in v.split("&") if not p.startswith("X-Amz-Expires"))}, **PRE),
    row("UNSIGNED-PAYLOAD as of S3 for another service", BODY + "|" + TEXT, r"unsigned", part(5, lambda v: "UNSIGNED-PAYLOAD"), **PRE),
    row("the slashes of the credential aren't encoded in what is signed", TARGET + "|" + TEXT, PERCENT + "|slash", {"query signed": lambda v, w: v.replace("%2F", "/")}, **PRE),
    row("a body is uploaded to a URL that covers none", BODY, r"body|payload|cover|empty|hash", {"body sent": lambda v, w: w.body}, **PRE),
    row("the path's %20 is a plus in the browser's link", TARGET, r"plus|space|blank|encod", arrived(lambda t: t.partition("?")[0].replace("%20", "+") + "?" + t.partition("?")[2]), **PRE),
    row("JSON writes & as \\u0026 in the URL", TARGET + "|" + GRAMMAR + "|" + PLACE, r"u0026|escap|json|" + MISSING + r"|backslash", arrived(lambda t: t.replace("&", "\\u0026")), **PRE),
]  # fmt: skip
KINDS = [*REQUEST, *HEADERS, *PAYLOAD, *SIGNING, *CREDENTIALS, *WRITING, *PRESIGNED]
