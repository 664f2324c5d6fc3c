"""Mistakes that clients of the HMAC scheme make over and over, by language and by what stands between."""

from __future__ import annotations

import gzip
import hashlib
import random
import urllib.parse
from collections.abc import Callable
from typing import Any

from bench.unlisted import axes
from bench.unlisted.cases import (
    ALGORITHM, B64, BODY, CASE, CUT, DOUBLED, EMPTY, FALSE_CLOCK, HASHED, HEX, HOST, KEY, LF, METHOD, MILLI, MISSING, ORDER,
    PLACEHOLDER, PROOF, QUOTE, TARGET, TEXT, TIME, UNICODE, token,
)  # fmt: skip
from bench.unlisted.hmac import b64, draw, row
from bench.unlisted.second import writers
from bench.unlisted.second.writers import OBJECT, PERCENT, REPR, SEPARATOR, WRITTEN, ZONE, as_

NAMES = ["HMAC", "keyid", "timestamp", "nonce", "method", "host", "target", "digest"]
GRAMMAR = r"param|authori|credential|grammar|field|scheme|word|quot|octet"
WHERE = r"place|field|header|cookie|query|authori[sz]ation|proxy|body|credential"
GONE = "what was signed is nowhere in the request, and no guess"
ANOTHER = r"another|other|differ|wrong|unknown|not (one|the|known)|no such|exchang"


def lines(change: Callable) -> dict[str, Any]:
    return {"lines": as_(change)}


def text(change: Callable) -> dict[str, Any]:
    return {"text": as_(change)}


def order(*indices: int) -> dict[str, Any]:
    return lines(lambda v: [v[index] for index in indices])


def joined(by: str) -> dict[str, Any]:
    return text(lambda t: t.rstrip(b"\n").replace(b"\n", by.encode()))


def key(change: Callable) -> dict[str, Any]:
    return {"key": lambda v, w: change(w)}


def body(change: Callable) -> dict[str, Any]:
    return {"body signed": as_(change)}


def came(change: Callable) -> dict[str, Any]:
    return {"body sent": as_(change)}


def both(name: str, change: Callable) -> dict[str, Any]:
    return {f"{name} signed": change, f"{name} sent": change}


def target(change: Callable) -> dict[str, Any]:
    return {"target signed": as_(change)}


def arrived(change: Callable) -> dict[str, Any]:
    return {"target sent": as_(change)}


def params(change: Callable) -> dict[str, Any]:
    return {"params": as_(change)}


def renamed(old: str, new: str) -> dict[str, Any]:
    return params(lambda p: {new if name == old else name: value for name, value in p.items()})


def without(name: str) -> dict[str, Any]:
    return params(lambda p: {n: v for n, v in p.items() if n != name})


def field(change: Callable) -> dict[str, Any]:
    return {"field": as_(change)}


def placed(name: str) -> dict[str, Any]:
    return {"headers": lambda hs, w: [(name if n == "Authorization" else n, v) for n, v in hs]}


def bare(r: random.Random) -> Any:
    return draw(r, body=b"")


def plain(r: random.Random) -> Any:
    w = draw(r)
    w.body = writers.js(w.body)
    return w


def kept(secret: Callable) -> Callable:
    def drawn(r: random.Random) -> Any:
        w = draw(r)
        w.secret = secret(r)
        return w

    return drawn


def at(path: str) -> Callable:
    return lambda r: draw(r, target=path)


def long(r: random.Random) -> Any:
    return draw(r, "sha512")


STRING = [
    row("'\\n'.join leaves the last line end out", TEXT, LF, text(lambda t: t[:-1])),
    row("a here-string of PowerShell has CRLF", TEXT, r"CR ?LF|\\r|carriage|line[- ]?(end|break)|windows", text(lambda t: t.replace(b"\n", b"\r\n"))),
    row("PHP's single quotes keep \\n as two characters", TEXT, LF + "|backslash|literal|escap", text(lambda t: t.replace(b"\n", b"\\n"))),
    row("a text block of Java begins with an empty line", TEXT, LF + "|empty|begin|first", text(lambda t: b"\n" + t)),
    row("template literal indents the lines", TEXT, r"indent|blank|space|white|leading", text(lambda t: t.rstrip(b"\n").replace(b"\n", b"\n    ") + b"\n")),
    row("console.log's array is joined by commas", TEXT, SEPARATOR, joined(",")),
    row("lines are joined by colons as in Azure", TEXT, SEPARATOR, joined(":")),
    row("lines are joined by ampersands like a form", TEXT, SEPARATOR + "|ampersand", joined("&")),
    row("lines are joined by nothing", TEXT, SEPARATOR + "|nothing|without", joined("")),
    row("lines are joined by pipes", TEXT, SEPARATOR + r"|pipe", joined("|")),
    row("nonce before timestamp", TEXT + "|nonce|" + TIME, ORDER, order(0, 1, 3, 2, 4, 5, 6, 7)),
    row("target before host", TEXT + "|" + HOST + "|" + TARGET, ORDER, order(0, 1, 2, 3, 4, 6, 5, 7)),
    row("host before method", TEXT + "|" + HOST + "|" + METHOD, ORDER, order(0, 1, 2, 3, 5, 4, 6, 7)),
    row("timestamp before key id", TEXT + "|" + TIME + "|" + KEY, ORDER, order(0, 2, 1, 3, 4, 5, 6, 7)),
    row("digest before the target", TEXT + "|digest|" + TARGET, ORDER, order(0, 1, 2, 3, 4, 5, 7, 6)),
    row("method and target first, as AWS has them", TEXT, ORDER + "|first|begin", order(0, 4, 6, 1, 2, 3, 5, 7)),
    row("the line HMAC 1 isn't there", TEXT, MISSING + "|HMAC 1|first|version", lines(lambda v: v[1:])),
    row("HMAC without its version in the first line", TEXT, MISSING + "|HMAC 1|first|version", lines(lambda v: ["HMAC", *v[1:]])),
    row("HMAC-SHA256 for the first line", TEXT, r"HMAC 1|HMAC-SHA|first|version|algorithm|scheme", lines(lambda v: ["HMAC-SHA256", *v[1:]])),
    row("HMAC1 in one word", TEXT, r"HMAC ?1|first|version|blank|space|scheme", lines(lambda v: ["HMAC1", *v[1:]])),
    row("the key id isn't signed", TEXT + "|" + KEY, MISSING + "|key ?id", lines(lambda v: [*v[:1], *v[2:]])),
    row("the nonce isn't signed", TEXT + "|nonce", MISSING + "|nonce", lines(lambda v: [*v[:3], *v[4:]])),
    row("the host isn't signed", TEXT + "|" + HOST, MISSING + "|host|authority", lines(lambda v: [*v[:5], *v[6:]])),
    row("the digest isn't signed", TEXT + "|digest", MISSING + "|digest|empty", lines(lambda v: v[:7])),
    row("the timestamp isn't signed", TEXT + "|" + TIME, MISSING + "|time", lines(lambda v: [*v[:2], *v[3:]])),
    row("the body stands where the digest should", TEXT + "|" + BODY, r"body|raw|hash|digest", {"digest signed": lambda v, w: w.body.decode()}),
    row("quotes around key id and nonce are signed too", TEXT + "|" + KEY + "|nonce", QUOTE, {"keyid signed": lambda v, w: f'"{v}"', "nonce signed": lambda v, w: f'"{v}"'}),
    row("all of it in small letters, as toLowerCase for the host", TEXT + "|" + METHOD + "|" + TARGET, CASE, text(bytes.lower)),
    row("Content-Type is a line more", TEXT, r"content-type|more|too many|added|extra|addition|another|line", lines(lambda v: [*v[:7], "application/json", v[7]])),
]  # fmt: skip
DIGESTS = [
    row("digest in hex in the string, in base64url in the field", TEXT + "|digest", HEX, {"digest signed": lambda v, w: hashlib.sha256(w.body).hexdigest()}),
    row("digest in hex in both", r"digest|" + GRAMMAR, HEX + r"|43|64|length|characters", {"digest": lambda v, w: hashlib.sha256(w.body).hexdigest()}),
    row("digest with the padding of btoa", r"digest|" + GRAMMAR, B64 + r"|alphabet|pad", {"digest": lambda v, w: v + "="}),
    row("digest in the alphabet of standard base64", r"digest|" + GRAMMAR, B64 + r"|alphabet|pad", {"digest": lambda v, w: writers.b64(hashlib.sha256(w.body).digest())}),
    row("padding of the digest is in the string alone", TEXT + "|digest", B64 + r"|alphabet|pad", {"digest signed": lambda v, w: v + "="}),
    row("Content-MD5 for the digest", r"digest|" + BODY + "|" + GRAMMAR, HASHED + "|length|characters", {"digest hash": lambda b: hashlib.md5(b).digest()}),
    row("digest by SHA-512 because the key is HS512", r"digest|" + BODY + "|" + GRAMMAR, HASHED + "|length|characters", {"digest hash": lambda b: hashlib.sha512(b).digest()}, drawn=long),
    row("sha-256=:…: as Content-Digest has it", r"digest|" + GRAMMAR, r"sha-256|prefix|content-digest|structured|alphabet|base64", {"digest": lambda v, w: f"sha-256=:{v}=:"}),
    row("no digest for no body", TEXT + "|digest|" + BODY, EMPTY, {"digest signed": lambda v, w: ""}, drawn=bare),
    row("JSON.stringify(null) is hashed for no body", r"digest|" + BODY, r"null|empty|\bno body|nothing", body(lambda b: b"null"), drawn=bare),
    row("an empty object is hashed for no body", r"digest|" + BODY, r"\{\}|empty|object|nothing", body(lambda b: b"{}"), drawn=bare),
    row("UNSIGNED-PAYLOAD for the digest", r"digest|" + BODY + "|" + GRAMMAR, r"unsigned|length|characters|43|payload|placeholder|literal", {"digest": lambda v, w: "UNSIGNED-PAYLOAD"}),
    row("the digest is hashed as a text of hex once more", r"digest|" + BODY, HASHED + "|" + DOUBLED + "|" + HEX, {"digest hash": lambda b: hashlib.sha256(hashlib.sha256(b).hexdigest().encode()).digest()}),
    row("base64url of the hex text for the digest", r"digest|" + GRAMMAR, HEX + "|" + B64 + "|length|characters|" + DOUBLED, {"digest": lambda v, w: b64(hashlib.sha256(w.body).hexdigest().encode())}),
    row("the HMAC of the body stands for its digest", r"digest|" + BODY, ALGORITHM + "|key", {"digest": lambda v, w: b64(axes.mac("sha256")(w.secret.encode(), w.body))}),
]  # fmt: skip
BODIES = [
    row("axios serialises the object again after json.dumps was hashed", BODY, WRITTEN + "|space|blank|escap", body(writers.python)),
    row("requests' json= writes what was hashed compact", BODY, WRITTEN + "|space|blank|escap", came(writers.python), drawn=plain),
    row("Symfony hashes json_encode's escaped slashes", BODY, WRITTEN + "|slash|escap", body(writers.php)),
    row("Go hashes Marshal of the map", BODY, WRITTEN + "|sort|order|escap", body(writers.go)),
    row("Jackson's pretty printer is on for the hash alone", BODY, WRITTEN + "|indent|space|blank|" + LF, body(writers.indented), drawn=plain),
    row("Gson drops nulls from what is hashed", BODY, WRITTEN + "|null|missing|left out", body(writers.without_nulls), drawn=plain),
    row("Go's io.ReadAll has emptied the body before it is sent", BODY, EMPTY, came(lambda b: b"")),
    row("the stream was at its end when it was hashed", BODY, EMPTY, body(lambda b: b"")),
    row("[object Object] is hashed", BODY, OBJECT, body(lambda b: b"[object Object]")),
    row("gzip by the client's transport comes after the signer", BODY, r"gzip|compress|encoding", {"body sent": lambda b, w: gzip.compress(b, mtime=0), "headers": lambda hs, w: [*hs, ("Content-Encoding", "gzip")]}),
    row("the file's line end isn't in what was hashed", BODY, LF, came(lambda b: b + b"\n")),
    row("echo adds a line end to what is hashed", BODY, LF, body(lambda b: b + b"\n")),
    row("UTF8Encoding(true) writes a byte order mark", BODY, r"byte order|\bBOM\b|FEFF|mark", came(lambda b: b"\xef\xbb\xbf" + b)),
    row("getBytes without a charset hashes Latin-1", BODY, UNICODE, body(writers.latin)),
    row("Python 2's text is encoded twice", BODY, UNICODE + "|twice", body(writers.mojibake)),
    row("API Gateway hands the body over in base64", BODY, B64, came(lambda b: writers.b64(b).encode())),
    row("Content-Length in characters cuts the body's end", BODY, CUT, came(writers.short)),
    row("form values are sent, JSON was hashed", BODY, r"form|url-?enc|json", came(lambda b: urllib.parse.urlencode({n: str(v) for n, v in writers.loads(b).items()}).encode()), undecidable="the JSON that was hashed can't be told from the form"),
    row("a WAF masks the card number in the body", BODY, r"chang|mask|another|differ|other", came(lambda b: b.replace(b'"amount"', b'"******"')), undecidable="the octets that were hashed are nowhere in the request"),
]  # fmt: skip
MACS = [
    row("hexdigest for the mac", PROOF + "|" + GRAMMAR, HEX + "|length|characters", {"spell": bytes.hex}),
    row("Convert.ToBase64String for the mac", PROOF + "|" + GRAMMAR, B64 + r"|alphabet|pad", {"spell": writers.b64}),
    row("btoa of CryptoJS's hex", PROOF + "|" + GRAMMAR, HEX + "|" + B64 + "|length|characters|" + DOUBLED, {"spell": lambda m: writers.b64(m.hex().encode()).rstrip("=")}),
    row("Buffer.toString('ascii') before base64url", PROOF + "|" + GRAMMAR, UNICODE + "|ascii|base64|length|characters", {"spell": lambda m: b64(bytes(o & 127 for o in m))}),
    row("new String(bytes, UTF_8) before base64url in Java", PROOF + "|" + GRAMMAR, UNICODE + "|replac|base64|length|characters", {"spell": lambda m: b64(m.decode("utf-8", "replace").encode())}),
    row("BitConverter.ToString for the mac", PROOF + "|" + GRAMMAR, HEX + "|dash|hyphen|length|characters", {"spell": writers.dashed}),
    row("openssl's (stdin)= is part of the mac", PROOF + "|" + GRAMMAR, HEX + r"|stdin|openssl|blank|length|characters|prefix", {"spell": lambda m: f"(stdin)= {m.hex()}"}),
    row("Python's b'' around the mac", PROOF + "|" + GRAMMAR, REPR + r"|alphabet", {"spell": lambda m: f"b'{b64(m)}'"}),
    row("await forgotten at crypto.subtle.sign", PROOF + "|" + GRAMMAR, PLACEHOLDER + r"|promise|object|alphabet|blank|length|characters", {"spell": lambda m: "[object Promise]"}),
    row("SHA-512 with the key of HS256", PROOF + "|" + ALGORITHM, ALGORITHM + "|length|characters", {"mac": axes.mac("sha512")}),
    row("SHA-256 with the key of HS512", PROOF + "|" + ALGORITHM, ALGORITHM + "|length|characters", {"mac": axes.mac("sha256")}, drawn=long),
    row("SHA-1 as the old API had", PROOF + "|" + ALGORITHM, ALGORITHM + "|length|characters", {"mac": axes.mac("sha1")}),
    row("CryptoJS.HmacSHA256(secret, text)", PROOF + "|" + KEY + "|" + TEXT, r"exchang|swap|role|revers|key.*(text|message|string)|order", {"mac": lambda k, t: axes.mac("sha256")(t, k)}),
    row("CryptoJS.SHA256 of secret + text", PROOF + "|" + KEY + "|hmac", ALGORITHM, {"mac": lambda k, t: hashlib.sha256(k + t).digest()}),
    row("CryptoJS.SHA256 of text + secret", PROOF + "|" + KEY + "|hmac", ALGORITHM, {"mac": lambda k, t: hashlib.sha256(t + k).digest()}),
    row("the string is hashed before HMAC as with AWS", PROOF + "|" + TEXT, HASHED, {"mac": lambda k, t: axes.mac("sha256")(k, hashlib.sha256(t).hexdigest().encode())}),
    row("the mac ends after 22 characters", PROOF + "|" + GRAMMAR, CUT + "|43|22|characters", {"spell": lambda m: b64(m)[:22]}),
]  # fmt: skip
KEYS = [
    row("Buffer.from(secret, 'base64')", KEY, B64, key(lambda w: writers.lenient(w.secret))),
    row("the secret's hex digits are packed", KEY, HEX, key(lambda w: bytes.fromhex(w.secret)), drawn=kept(lambda r: r.randbytes(32).hex())),
    row("the secret's octets are written in hex", KEY, HEX, key(lambda w: w.secret.encode().hex().encode())),
    row("cat secret.txt with its line end", KEY, LF, key(lambda w: w.secret.encode() + b"\n")),
    row("quotes of docker run -e belong to the secret", KEY, QUOTE, key(lambda w: f'"{w.secret}"'.encode())),
    row("kubectl get secret shows base64", KEY, B64, key(lambda w: writers.b64(w.secret.encode()).encode())),
    row("an unset variable leaves the secret empty", KEY, EMPTY + "|unset|variable", key(lambda w: b"")),
    row("the secret is the text None of os.environ.get", KEY, PLACEHOLDER + r"|\bNone\b", key(lambda w: b"None")),
    row("String(process.env.SECRET) is undefined", KEY, PLACEHOLDER, key(lambda w: b"undefined")),
    row("key id and secret are exchanged in the HMAC", KEY, r"key ?id|exchang|swap|name", key(lambda w: w.keyid.encode())),
    row("the hash of the secret signs, as stored", KEY, HASHED, key(lambda w: hashlib.sha256(w.secret.encode()).digest())),
    row("the staging secret signs in production", KEY, ANOTHER, key(lambda w: w.other.encode()), never=(FALSE_CLOCK,)),
    row("dotenv cuts the secret at its hash sign", KEY, CUT + r"|comment|hash sign", key(lambda w: w.secret.partition("#")[0].encode()), drawn=kept(lambda r: token(r, 20) + "#" + token(r, 20))),
    row("the shell expands what stands behind the secret's dollar", KEY, PLACEHOLDER + r"|dollar|\$|expan|cut|missing|short", key(lambda w: w.secret.partition("$")[0].encode()), drawn=kept(lambda r: token(r, 18) + "$" + token(r, 20))),
    row("a query turns the plus of the secret into a blank", KEY, r"plus|blank|space|form|url", key(lambda w: w.secret.replace("+", " ").encode()), drawn=kept(lambda r: token(r, 20) + "+" + token(r, 20))),
    row("the padding of the secret was taken off as in a JWK", KEY, r"pad|cut|base64|short|missing", key(lambda w: w.secret.rstrip("=").encode()), drawn=kept(lambda r: token(r, 42) + "==")),
    row("the key ring's secret of last year", KEY, ANOTHER, key(lambda w: w.other[::-1].encode()), never=(), undecidable="the secret that signed is unknown to the store"),
]  # fmt: skip
IDS = [
    row("the key id has another key's name", KEY, ANOTHER, both("keyid", lambda v, w: v + "-other"), never=(FALSE_CLOCK,)),
    row("the key id in capitals by an enum", KEY, CASE + "|unknown", both("keyid", lambda v, w: v.upper()), never=(FALSE_CLOCK,)),
    row("YOUR_KEY_ID of the example is still there", KEY, PLACEHOLDER + "|YOUR_|unknown|known", both("keyid", lambda v, w: "YOUR_KEY_ID"), never=(FALSE_CLOCK,)),
    row("the key id is left empty by the variable", KEY + "|" + GRAMMAR, EMPTY, both("keyid", lambda v, w: ""), never=(FALSE_CLOCK,)),
    row("{{keyId}} of Postman isn't replaced, a template variable", KEY, PLACEHOLDER + r"|\{\{|unknown|known", both("keyid", lambda v, w: "{{keyId}}"), never=(FALSE_CLOCK,)),
    row("the user's name for the key id", KEY, r"unknown|known|no such|subject|name|owner", both("keyid", lambda v, w: w.subject), never=(FALSE_CLOCK,)),
    row("the key id's number is lost by a split at the hyphen", KEY, r"unknown|known|no such|cut|missing|part", both("keyid", lambda v, w: v.partition("-")[0]), never=(FALSE_CLOCK,)),
    row("a blank before the key id of a CSV file", KEY + "|" + GRAMMAR, r"blank|space|white|unknown|character", both("keyid", lambda v, w: " " + v), never=(FALSE_CLOCK,)),
    row("the key id is signed in small letters, sent as it is", KEY, CASE, {"keyid signed": lambda v, w: v.lower(), "keyid sent": lambda v, w: v}, drawn=lambda r: named(draw(r), "Robot-7")),
]  # fmt: skip
TIMES = [
    row("System.currentTimeMillis() for the time", TIME, MILLI, both("time", lambda v, w: v + "338")),
    row("seconds are sent, seconds times 1000 are signed", TIME, MILLI, {"time signed": lambda v, w: v + "000"}),
    row("datetime.isoformat() for the time", TIME, r"iso|8601|3339|text|date|decimal|digit|format|number|seconds", both("time", lambda v, w: axes.stamp(int(v), "%Y-%m-%dT%H:%M:%S+00:00"))),
    row("microtime(true) for the time", TIME, r"fraction|decimal|digit|integer|point|\.\d|number", both("time", lambda v, w: v + ".4821")),
    row("DateTime.Now has no zone and is an hour ahead", TIME, ZONE, both("time", lambda v, w: str(int(v) + 3600))),
    row("mktime of gmtime is five hours behind", TIME, ZONE, both("time", lambda v, w: str(int(v) - 18000))),
    row("the signer is a singleton and keeps the time of its start", TIME, ZONE, both("time", lambda v, w: str(int(v) - 4321))),
    row("time() is asked for twice, and a second passes", TIME, ANOTHER + r"|\b(1|one|a) second\b|later|earlier", {"time signed": lambda v, w: str(int(v) - 1)}),
    row("the timestamp is the text undefined", TIME + "|" + GRAMMAR, PLACEHOLDER + "|digit|decimal|number", both("time", lambda v, w: "undefined")),
    row("a Date header's value for the timestamp", TIME + "|" + GRAMMAR, r"date|decimal|digit|number|format|comma|seconds|text", both("time", lambda v, w: axes.stamp(int(v), "%a, %d %b %Y %H:%M:%S GMT"))),
]  # fmt: skip
NONCES = [
    row("Math.random() times a million for the nonce", "nonce|" + GRAMMAR, r"short|length|16|character", both("nonce", lambda v, w: str(w.r.randrange(10**5, 10**6)))),
    row("Guid.ToString('B') has its braces", "nonce|" + GRAMMAR, r"brace|character|alphabet|grammar", both("nonce", lambda v, w: "{" + v[:8] + "-" + v[8:] + "}")),
    row("base64.b64encode of the nonce", "nonce|" + GRAMMAR, B64 + r"|pad|character|alphabet", both("nonce", lambda v, w: v + "==")),
    row("the nonce is the text undefined", "nonce|" + GRAMMAR, PLACEHOLDER + "|short|length|character|16", both("nonce", lambda v, w: "undefined")),
    row("urllib3's retry sends the same field again", "nonce|credential|request", r"again|replay|used|twice|second|before|once", {}, replay=True),
    row("the nonce is a constant of the configuration", "nonce", r"again|replay|used|twice|second|before|once|constant", both("target", lambda v, w: v + "&page=2"), replay=True),
    row("a new nonce for the field, after the string was signed", "nonce", ANOTHER + "|nonce", {"nonce signed": lambda v, w: w.other[:22]}, undecidable=GONE),
    row("nonce is signed in small letters", "nonce", CASE, {"nonce signed": lambda v, w: v.lower()}),
    row("quotes of the nonce hold a timestamp and a colon in front", "nonce|" + GRAMMAR, r"colon|character|alphabet|grammar", both("nonce", lambda v, w: f"{w.at}:{v}")),
]  # fmt: skip
TARGETS = [
    row("method in small letters as fetch was given it", METHOD, CASE, {"method signed": lambda v, w: v.lower()}),
    row("method signed as GET by default", METHOD, r"\bGET\b|another|other|differ|method", {"method signed": lambda v, w: "GET"}),
    row("a 302 turns the request into GET without body", METHOD + "|" + BODY, r"GET|empty|redirect|body|method|" + MISSING, {"method sent": lambda v, w: "GET", "body sent": lambda v, w: b""}),
    row("X-HTTP-Method-Override: the signature is of PATCH", METHOD, r"PATCH|override|another|other|differ|method", {"method signed": lambda v, w: "PATCH", "headers": lambda hs, w: [*hs, ("X-HTTP-Method-Override", "PATCH")]}),
    row("url.host with :443", HOST, r"port|443", {"host signed": lambda v, w: v + ":443"}),
    row("the host isn't put into small letters", HOST, CASE, {"host signed": lambda v, w: v.title()}),
    row("url.origin for the host", HOST, r"scheme|https://|origin", {"host signed": lambda v, w: "https://" + v}),
    row("req.get('host') is undefined in the signer", HOST, PLACEHOLDER + "|" + EMPTY, {"host signed": lambda v, w: "undefined"}),
    row("localhost:3000 of the development server was signed", HOST, r"localhost|host|authority", {"host signed": lambda v, w: "localhost:3000"}, undecidable=GONE),
    row("changeOrigin of the development proxy sends an inner host", HOST, r"host|authority|proxy", {"host sent": lambda v, w: "backend.internal:8080"}, undecidable=GONE),
    row("url.pathname without url.search", TARGET, "query", target(lambda t: t.partition("?")[0])),
    row("url.href for the target", TARGET, r"host|scheme|absolute|whole|full|origin", {"target signed": lambda v, w: f"https://{w.host}{v}"}),
    row("request.path of Django is decoded", TARGET, PERCENT, target(urllib.parse.unquote)),
    row("http_build_query writes + where %20 is sent", TARGET, r"plus|space|blank|encod", target(lambda t: t.replace("%20", "+"))),
    row("the client sorts the query for the string", TARGET, ORDER, target(lambda t: t.partition("?")[0] + "?" + "&".join(sorted(t.partition("?")[2].split("&")))), drawn=at("/v1/orders?state=open&limit=20&after=9")),
    row("axios's baseURL isn't in config.url", TARGET, r"prefix|base|front|begin|segment|missing|cut", target(lambda t: "/" + t.split("/", 2)[2])),
    row("Django's APPEND_SLASH redirects", TARGET, r"slash", arrived(lambda t: t.replace("?", "/?", 1))),
    row("the stage of API Gateway isn't signed", TARGET, r"stage|prefix|front|begin|segment", arrived(lambda t: "/prod" + t)),
    row("nginx's proxy_pass takes the prefix off", TARGET, r"prefix|front|begin|segment|missing", arrived(lambda t: "/" + t.split("/", 2)[2]), undecidable=GONE),
    row("jQuery's cache: false adds a parameter", TARGET, r"added|more|append|extra|addition|last", arrived(lambda t: t + "&_=1899999999123")),
    row("an empty search still has its question mark in the string", TARGET, r"question|query|mark|empty", target(lambda t: t + "?"), drawn=at("/v1/orders/18")),
    row("encodeURI on what is encoded already", TARGET, DOUBLED + "|" + PERCENT, target(lambda t: t.replace("%", "%25"))),
    row("escapes in small hex digits by HttpUtility", TARGET, CASE + "|" + PERCENT, target(lambda t: t.replace("%2F", "%2f").replace("%C3%AB", "%c3%ab")), drawn=at("/v1/files/a%2Fb?name=Zo%C3%AB")),
    row("brackets are encoded by httpx after they were signed", TARGET, PERCENT + r"|bracket", target(lambda t: t.replace("%5B", "[").replace("%5D", "]")), drawn=at("/v1/orders?filter%5Bstate%5D=open&page%5Bsize%5D=5")),
    row("a tracking parameter is taken out by the CDN", TARGET, r"query|param|missing", arrived(lambda t: t.rpartition("&")[0]), undecidable=GONE),
    row("two slashes where base and path meet", TARGET, r"slash|//|doubl", target(lambda t: "/" + t)),
    row("no slash in front of the target", TARGET, r"slash", target(lambda t: t[1:])),
    row("HTML's &amp; in the URL of a page", TARGET, r"&amp|html|entit|escap", target(lambda t: t.replace("&", "&amp;"))),
]  # fmt: skip
FIELDS = [
    row("HMAC-SHA256 is the scheme's word", GRAMMAR, r"HMAC-SHA256|scheme|word", field(lambda v: "HMAC-SHA256" + v[4:])),
    row("Postman's Bearer tab writes Bearer before it", GRAMMAR, r"bearer|scheme|word", field(lambda v: "Bearer " + v)),
    row("the scheme's word is left out", GRAMMAR, r"scheme|word|HMAC|" + MISSING, field(lambda v: v[5:])),
    row("semicolons between the parameters", GRAMMAR, SEPARATOR, field(lambda v: v.replace(", ", "; "))),
    row("blanks between the parameters", GRAMMAR, SEPARATOR, field(lambda v: v.replace(", ", " "))),
    row("single quotes around the values", GRAMMAR, QUOTE, field(lambda v: v.replace('"', "'"))),
    row("typographic quotes of a wiki page", GRAMMAR, QUOTE + "|ascii|typograph", field(lambda v: v.replace('"', "\u201d"))),
    row("escaped quotes of a JSON file", GRAMMAR, QUOTE + r"|escap|backslash", field(lambda v: v.replace('"', '\\"'))),
    row("colons for equals signs", GRAMMAR, r"colon|equals|separat", field(lambda v: v.replace("=", ":"))),
    row("parameters as a JSON object", GRAMMAR, r"json|grammar|param", field(lambda v: 'HMAC {"version":1,' + ",".join(f'"{p.replace("=", chr(34) + ":", 1)}' for p in v[5:].split(", ")[1:]) + "}")),
    row("the parameter is called key_id", KEY + "|" + GRAMMAR, r"key_?id|unknown|" + MISSING, renamed("keyid", "key_id")),
    row("the parameter is called signature", PROOF + "|" + GRAMMAR, r"\bmac\b|unknown|" + MISSING, renamed("mac", "signature")),
    row("the parameter is called ts", TIME + "|" + GRAMMAR, r"timestamp|\bts\b|unknown|" + MISSING, renamed("timestamp", "ts")),
    row("version is left out", "version|" + GRAMMAR, r"version|" + MISSING, without("version")),
    row("nonce is left out", "nonce|" + GRAMMAR, r"nonce|" + MISSING, without("nonce")),
    row("digest is left out for a GET-like client", "digest|" + GRAMMAR, r"digest|" + MISSING, without("digest")),
    row("realm is among the parameters", "realm|" + GRAMMAR, r"realm|unknown", params(lambda p: {"realm": '"api"', **p})),
    row("algorithm is among the parameters", "algorithm|" + GRAMMAR, r"algorithm|unknown", params(lambda p: {**p, "algorithm": '"HS256"'})),
    row("version=2 after an update", "version|" + GRAMMAR, r"version", params(lambda p: {**p, "version": "2"})),
    row("X-Authorization is what the framework let through", WHERE, r"authorization|" + MISSING, placed("X-Authorization")),
    row("Proxy-Authorization is set by the proxy's option", WHERE, r"proxy|authorization|" + MISSING, placed("Proxy-Authorization")),
    row("fetch drops the field on a redirect to another origin", WHERE, r"authorization|redirect|" + MISSING, {"headers": lambda hs, w: [h for h in hs if h[0] != "Authorization"]}),
    row("requests adds Basic from .netrc beside it", WHERE, r"basic|two|twice|more than one|several|scheme|second|" + DOUBLED, {"headers": lambda hs, w: [*hs, ("Authorization", "Basic dXNlcjpwYXNz")]}),
    row("the field's value is percent-encoded", GRAMMAR, PERCENT, field(lambda v: urllib.parse.quote(v, safe=" "))),
]  # fmt: skip


def named(w: Any, keyid: str) -> Any:
    w.keyid = keyid
    return w


KINDS = [*STRING, *DIGESTS, *BODIES, *MACS, *KEYS, *IDS, *TIMES, *NONCES, *TARGETS, *FIELDS]
