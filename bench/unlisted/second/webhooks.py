"""Mistakes with webhooks that come up again and again: senders, relays, and settings in front of the receiver."""

from __future__ import annotations

import hashlib
import random
import urllib.parse
from typing import Any

from bench.unlisted import axes
from bench.unlisted.cases import (
    ALGORITHM, B64, BODY, CUT, DOUBLED, EMPTY, HASHED, HEX, HOST, KEY, LF, MILLI, MISSING, ORDER, PLACEHOLDER,
    PROOF, QUOTE, TARGET, TEXT, TIME, UNICODE, token,
)  # fmt: skip
from bench.unlisted.second import writers
from bench.unlisted.second.writers import OBJECT, PARTLY, PERCENT, REPR, SEPARATOR, WRITTEN, ZONE, as_
from bench.unlisted.webhooks import BASE64, FIELDED, HEXED, ID, JSON, PLACE, TIMED, URLS, draw, row

NOT_THERE = "the secret that signed is nowhere in the request or the store, and no guess"
VALUE = PROOF + "|" + PLACE + "|hmac|octets|grammar"


def signed(change: Any) -> dict[str, Any]:
    return {"body signed": as_(change)}


def sent(change: Any) -> dict[str, Any]:
    return {"body sent": as_(change)}


def key(change: Any) -> dict[str, Any]:
    return {"key": lambda v, w: change(w)}


def field(change: Any) -> dict[str, Any]:
    return {"field": as_(change)}


def spell(change: Any) -> dict[str, Any]:
    return {"spell": change}


def named(name: str) -> dict[str, Any]:
    return {"field name": lambda v, w: name}


def content(text: str) -> dict[str, Any]:
    return {"template": lambda v, w: text}


def moved(change: Any) -> dict[str, Any]:
    """The headers, changed by a function of (name, value) of the signature's."""
    return {"headers": lambda hs, w: [pair for n, v in hs for pair in (change(n, v) if "ignature" in n or "Hmac" in n or "zm-sig" in n else [(n, v)])]}  # fmt: skip


def with_secret(change: Any, profile: str) -> Any:
    def drawn(r: random.Random) -> Any:
        w = draw(r, profile)
        w.secret = w.shown = change(r)
        return w

    return drawn


def mixed_case(r: random.Random) -> Any:
    w = draw(r, "twilio")
    w.pairs = [*w.pairs, ("apiVersion", "2010-04-01"), ("To", "+15005550006"), ("Zone", token(r, 4))]
    w.body = urllib.parse.urlencode(w.pairs).encode()
    return w


def listed(r: random.Random) -> Any:
    w = draw(r, "twilio")
    w.target += "&page=2&agent=7"
    return w


def plain(profile: str) -> Any:
    """A body that every writer of JSON gives back as it is, but for blanks and escapes."""

    def drawn(r: random.Random) -> Any:
        w = draw(r, profile)
        w.body = writers.js(w.body)
        return w

    return drawn


def pretty(profile: str) -> Any:
    def drawn(r: random.Random) -> Any:
        w = draw(r, profile)
        w.body = writers.indented(w.body)
        return w

    return drawn


def doubled(n: str, v: str) -> list[tuple[str, str]]:
    return [(n, v), (n, v)]


BODIES = [
    row("Express parses the body and JSON.stringify of it is signed", BODY, WRITTEN, signed(writers.js), JSON),
    row("Django signs json.dumps of the event and sends it by httpx's json=", BODY, WRITTEN + "|space|blank|ascii|escap", signed(writers.python), JSON),
    row("PHP signs json_encode with its escaped slashes", BODY, WRITTEN + "|slash|escap", signed(writers.php), JSON),
    row("Go unmarshals into a map and signs what Marshal gives", BODY, WRITTEN + "|sort|order|escap", signed(writers.go), JSON),
    row("Rails' to_json escapes the angle brackets", BODY, WRITTEN + "|escap|html|003", signed(writers.rails), JSON),
    row("Jackson sorts the members before it signs", BODY, WRITTEN + "|sort|order", signed(writers.ordered), JSON),
    row("Newtonsoft indents with CRLF before it signs", BODY, WRITTEN + "|indent|space|blank|" + LF, signed(lambda b: writers.indented(b, ends="\r\n")), JSON),
    row("Gson leaves null members out of what it signs", BODY, WRITTEN + r"|null|missing|left out", signed(writers.without_nulls), JSON),
    row("Prettier indents the fixture that was signed in a compact form", BODY, WRITTEN + "|indent|space|blank|" + LF, sent(writers.indented), "stripe", drawn=plain("stripe")),
    row("Zapier writes the body anew with blanks behind the colons", BODY, WRITTEN + "|space|blank|escap", sent(writers.python), "github", drawn=plain("github")),
    row("echo pipes the body with its line end into openssl", BODY + "|" + TEXT, LF, signed(lambda b: b + b"\n"), JSON),
    row("curl -d takes the line ends out of the signed file", BODY, WRITTEN + "|indent|" + LF, sent(lambda b: b.replace(b"\n", b"")), "github", drawn=pretty("github")),
    row("curl --data-binary sends the file's last line end, the script signed without", BODY, LF, sent(lambda b: b + b"\n"), JSON),
    row("a template literal signs [object Object] for the body", BODY, OBJECT, signed(lambda b: b"[object Object]"), JSON),
    row("req.body isn't there without a parser, so an empty text is signed", BODY, EMPTY + "|undefined", signed(lambda b: b""), JSON),
    row("express.json hands over an empty object, which is signed", BODY, r"\{\}|empty|object", signed(lambda b: b"{}"), JSON),
    row("PHP reads php://input a second time and signs nothing of the body", BODY + "|" + TEXT, EMPTY, signed(lambda b: b""), ("stripe", "slack", "standard", "paddle")),
    row("Python signs str of the parsed dictionary", BODY, WRITTEN + "|" + QUOTE + "|python|repr|dict|None", signed(lambda b: str(writers.loads(b)).encode()), JSON),
    row("Lambda signs the base64 text that API Gateway hands over", BODY, B64, signed(lambda b: writers.b64(b).encode()), JSON),
    row("Lambda passes the base64 text on as the body", BODY, B64, sent(lambda b: writers.b64(b).encode()), JSON),
    row("Node reads the body as 'binary' and update() takes UTF-8", BODY, UNICODE + "|twice", signed(writers.mojibake), JSON),
    row("Node signs Buffer.from(body, 'latin1')", BODY, UNICODE, signed(writers.latin), JSON),
    row("C# signs Encoding.ASCII's question marks", BODY, UNICODE + r"|ascii|question", signed(writers.ascii_only), JSON),
    row("C#'s StreamWriter puts a byte order mark before the body", BODY, r"byte order|\bBOM\b|FEFF|mark", sent(lambda b: b"\xef\xbb\xbf" + b), JSON),
    row("Content-Length of string.length cuts the body", BODY, CUT, sent(writers.short), JSON),
    row("JSON is signed and sent as payload= of a form", BODY, r"form|payload=|url-?enc|percent", sent(writers.form), "github"),
    row("the relay posts event.lines alone, all of it was signed", BODY, PARTLY + "|" + WRITTEN, sent(writers.lines), JSON, undecidable="most of what was signed is not in the request"),
    row("event.lines alone is signed, all of it is sent", BODY, PARTLY + "|" + WRITTEN, signed(writers.lines), JSON),
    row("the SHA-256 of the body is signed in hex", BODY + "|" + TEXT, HASHED, signed(lambda b: hashlib.sha256(b).hexdigest().encode()), JSON),
    row("PHP signs the body after htmlspecialchars", BODY, r"html|entit|escap|&amp|quot", signed(lambda b: b.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;").replace(b'"', b"&quot;")), JSON),
    row("Postman's script signs the raw body with {{customer}} in it", BODY, PLACEHOLDER + r"|\{\{", signed(lambda b: b[:40] + b"{{customer}}" + b[52:]), JSON, undecidable="which text stood for the variable is not in the request"),
]  # fmt: skip
KEYS = [
    row("whsec_ is part of the text that signs", KEY, r"whsec|prefix|base64|decod|as (the )?text|as it is", key(lambda w: w.shown.encode()), "standard"),
    row("whsec_ is cut off but the rest isn't decoded", KEY, r"base64|decod|as (the )?text|as it is", key(lambda w: w.secret.encode()), "standard"),
    row("Node decodes the secret with whsec_ in front", KEY, r"whsec|prefix|decod|base64", key(lambda w: writers.lenient(w.shown)), "svix"),
    row("Supabase's v1,whsec_ is decoded with all that stands in front", KEY, r"whsec|prefix|decod|base64", key(lambda w: writers.lenient("v1," + w.shown)), "standard"),
    row("the octets of the decoded secret are written in hex before they sign", KEY, HEX, key(lambda w: writers.lenient(w.secret).hex().encode()), "standard"),
    row("Ruby packs the hex secret to octets", KEY, HEX + r"|decod", key(lambda w: bytes.fromhex(w.secret)), "github", drawn=with_secret(lambda r: r.randbytes(32).hex(), "github")),
    row("the secret in .env is cut at its hash sign", KEY, CUT + r"|comment|hash sign|first|begin", key(lambda w: w.secret.partition("#")[0].encode()), "slack", drawn=with_secret(lambda r: token(r, 20) + "#" + token(r, 11), "slack")),
    row("Docker Compose interpolates the variable after the dollar in the secret", KEY, PLACEHOLDER + r"|dollar|\$|expan|cut|missing|short", key(lambda w: w.secret.partition("$")[0].encode()), "shopify", drawn=with_secret(lambda r: token(r, 19) + "$" + token(r, 9), "shopify")),
    row("the secret's plus signs became blanks in a query", KEY, r"plus|blank|space|form|url", key(lambda w: w.secret.replace("+", " ").encode()), "line", drawn=with_secret(lambda r: token(r, 9) + "+" + token(r, 9) + "+" + token(r, 6) + "=", "line")),
    row("the table keeps the secret's SHA-256 and that signs", KEY, HASHED, key(lambda w: hashlib.sha256(w.secret.encode()).hexdigest().encode()), HEXED),
    row("Python formats the secret's bytes into b''", KEY, REPR, key(lambda w: f"b'{w.secret}'".encode()), HEXED),
    row("the Kubernetes secret is still base64", KEY, B64, key(lambda w: writers.b64(w.secret.encode()).encode()), HEXED),
    row("the file of the secret ends with a line end that nobody trims", KEY, LF, key(lambda w: w.secret.encode() + b"\n"), ("github", "stripe", "shopify", "zoom")),
    row("process.env is read as the text undefined for the secret", KEY, PLACEHOLDER, key(lambda w: b"undefined"), ("github", "stripe", "slack", "shopify", "line")),
    row("PHP's getenv gives false, so the secret is empty", KEY, EMPTY + "|unset|false", key(lambda w: b""), ("github", "stripe", "shopify", "paddle")),
    row("the secret of stripe listen on the laptop signs", KEY, r"another|other|differ|secret", key(lambda w: w.second.encode()), "stripe", never=(), undecidable=NOT_THERE),
    row("the test mode's secret signs in live mode", KEY, r"another|other|differ|secret", key(lambda w: w.second[::-1].encode()), "paddle", never=(), undecidable=NOT_THERE),
    row("a personal access token signs", KEY, r"another|other|differ|secret", key(lambda w: b"ghp_" + w.second.encode()), "github", never=(), undecidable=NOT_THERE),
    row("Secrets Manager's JSON with its name is taken for the secret", KEY, r"json|name|quot|another", key(lambda w: f'{{"SIGNING_KEY_7":"{w.secret}"}}'.encode()), "slack", never=(), undecidable="the name in the JSON is a guess"),
]  # fmt: skip
MACS = [
    row("PHP's hash_hmac gets key and data in the wrong places", TEXT + "|" + KEY, r"exchang|swap|role|revers|key.*(text|message|string|body|content)|order", {"mac": lambda k, t: axes.mac("sha256")(t, k)}, HEXED),
    row("hash('sha256', secret . body) for an HMAC", PROOF + "|hmac|" + KEY, ALGORITHM, {"mac": lambda k, t: hashlib.sha256(k + t).digest()}, HEXED),
    row("createHash in place of createHmac", PROOF + "|hmac|" + KEY, ALGORITHM + "|without|unkeyed|plain", {"mac": lambda k, t: hashlib.sha256(t).digest()}, HEXED),
    row("HMAC-SHA-1 after sha256=", PROOF + "|hmac|" + VALUE, ALGORITHM + "|length|digits", {"mac": axes.mac("sha1")}, "github"),
    row("the old X-Hub-Signature with SHA-1 is all there is", VALUE, MISSING + r"|x-hub-signature|sha-?1|other name|\bname", {"field name": lambda v, w: "X-Hub-Signature", "prefix": lambda v, w: "sha1=", "mac": axes.mac("sha1")}, "github"),
    row("SHA-256 as everywhere else", PROOF + "|hmac|" + VALUE, ALGORITHM + "|length", {"mac": axes.mac("sha256")}, "twilio"),
    row("SHA-512 because it is stronger", PROOF + "|hmac|" + VALUE, ALGORITHM + "|length", {"mac": axes.mac("sha512")}, ("stripe", "shopify", "line", "zoom")),
    row("digest('hex') for base64", VALUE, HEX + "|base64", spell(bytes.hex), ("shopify", "line", "square")),
    row("digest('base64') for hex", VALUE, B64 + "|hex", spell(writers.b64), HEXED),
    row("PHP's base64_encode around hash_hmac's hex", VALUE, HEX + "|" + B64 + "|" + DOUBLED, spell(lambda b: writers.b64(b.hex().encode())), BASE64),
    row("C#'s BitConverter leaves its dashes", VALUE, HEX + r"|dash|hyphen", spell(writers.dashed), HEXED),
    row("Java's Integer.toHexString of signed bytes", VALUE, HEX + r"|f{4,}|length|digits|long|characters", spell(writers.java_hex), HEXED),
    row("a Uint8Array is written with its commas", VALUE, HEX + r"|comma|decimal|array|list|digits", spell(writers.comma_separated), ("github", "slack", "zoom", "shopify")),
    row("openssl dgst's SHA2-256(stdin)= is taken over", VALUE, HEX + r"|stdin|openssl|digits|prefix|blank", spell(lambda b: f"SHA2-256(stdin)= {b.hex()}"), ("github", "slack", "zoom")),
    row("Python's base64 stays bytes in an f-string", VALUE, REPR + "|" + B64, spell(lambda b: f"b'{writers.b64(b)}'"), BASE64),
    row("await is missing before subtle.sign", VALUE, PLACEHOLDER + r"|promise|object|" + HEX + "|digits|" + B64, spell(lambda b: "[object Promise]"), ("github", "shopify", "slack", "standard")),
    row("the signature is the text undefined", VALUE, PLACEHOLDER + "|" + HEX + "|digits|" + B64, spell(lambda b: "undefined"), ("github", "shopify", "slack", "standard")),
    row("the column of the signature ends after 40 characters", VALUE, CUT + "|40|digits", spell(lambda b: b.hex()[:40]), HEXED),
    row("withoutPadding by Java's Encoder", VALUE, B64 + "|alphabet|pad", spell(lambda b: writers.b64(b).rstrip("=").replace("+", "-").replace("/", "_")), ("shopify", "line", "square", "standard")),
    row("fmt.Sprintf(%x) of the base64 text", VALUE, HEX + "|" + B64 + "|" + DOUBLED, spell(lambda b: writers.b64(b).encode().hex()), BASE64),
]  # fmt: skip
WRITING = [
    row("no sha256= before the hex", VALUE, MISSING + "|sha256|prefix", {"prefix": lambda v, w: ""}, "github"),
    row("sha256= written by the library and by hand", VALUE, DOUBLED + "|sha256", {"prefix": lambda v, w: v + v}, "github"),
    row("a colon after sha256", VALUE, r"colon|sha256|prefix", {"prefix": lambda v, w: "sha256:"}, "github"),
    row("v1= as of Stripe", VALUE, r"version|prefix", {"prefix": lambda v, w: "v1="}, "slack"),
    row("v0= of Stripe's test mode alone", VALUE, r"version|prefix|scheme|missing", {"prefix": lambda v, w: "v0="}, "stripe"),
    row("an equals sign after v1", VALUE, r"comma|prefix|version", {"prefix": lambda v, w: "v1="}, "standard"),
    row("no v1, before the base64", VALUE, MISSING + "|prefix|version", {"prefix": lambda v, w: ""}, ("standard", "svix")),
    row("two signatures joined by a comma without a blank", VALUE, SEPARATOR + "|two|several", field(lambda v: f"{v},{v}"), "standard"),
    row("the hex alone in Stripe-Signature", VALUE + "|" + TIME, MISSING + r"|t=|time", field(lambda v: v.partition("v1=")[2]), "stripe"),
    row("a semicolon between t and v1", VALUE + "|" + TIME, SEPARATOR + r"|t=", field(lambda v: v.replace(",", ";")), "stripe"),
    row("a comma between ts and h1", VALUE + "|" + TIME, SEPARATOR, field(lambda v: v.replace(";", ",")), "paddle"),
    row("JSON.stringify puts marks around the signature", VALUE, QUOTE, field(lambda v: f'"{v}"'), ("github", "shopify", "slack", "line")),
    row("try and except leave the signature empty", VALUE, EMPTY, {"spell": lambda b: ""}, ("github", "slack", "zoom")),
    row("a middleware and the application both add the field", VALUE, DOUBLED + r"|two|several|more than one", moved(doubled), ("github", "shopify", "slack", "stripe")),
    row("the load balancer joins both lines of the signature", VALUE, DOUBLED + r"|two|several|comma|more than one|separat", field(lambda v: f"{v}, {v}"), ("github", "shopify", "line")),
    row("Webhook-Signature with X- in front", VALUE, MISSING + r"|x-|\bname", named("X-Webhook-Signature"), "standard"),
    row("underscores in the field's name", VALUE, MISSING + r"|underscore|\bname", {"field name": lambda v, w: v.replace("-", "_")}, ("github", "shopify", "slack", "square", "line")),
    row("the signature stands in Authorization", PLACE + "|" + VALUE, r"authorization|place|field|" + MISSING, named("Authorization"), ("github", "shopify", "slack", "line")),
    row("the signature goes into the query", PLACE + "|" + VALUE + "|" + TARGET, r"query|parameter|place|" + MISSING, {"headers": lambda hs, w: [h for h in hs if "ignature" not in h[0] and "Hmac" not in h[0]], "target sent": lambda v, w: v + "&signature=" + hashlib.sha256(w.body).hexdigest()}, ("github", "shopify", "line")),
    row("Shopify's field ends in -SHA1", VALUE, MISSING + r"|sha1|\bname|hmac", named("X-Shopify-Hmac-Sha1"), "shopify"),
    row("the proxy's allow list drops the field of the time", TIME + "|" + VALUE, MISSING + "|timestamp", {"headers": lambda hs, w: [h for h in hs if "imestamp" not in h[0]]}, FIELDED),
    row("Webhook-Id is called X-Request-Id", ID + "|" + VALUE, MISSING + r"|\bname|webhook-id", {"headers": lambda hs, w: [("X-Request-Id" if n == "Webhook-Id" else n, v) for n, v in hs]}, "standard"),
]  # fmt: skip
CONTENT = [
    row("the event's number in the body is signed for the id", ID + "|" + TEXT, r"body|member|another|other|differ|json|\bid\b", {"id signed": lambda v, w: str(writers.loads(w.body)["id"])}, "standard"),
    row("each attempt gets a new id, the signature is of the first", ID, r"another|other|differ|\bid\b|chang", {"id signed": lambda v, w: "msg_" + w.second[:20]}, "svix", undecidable="the id that was signed is not in the request"),
    row("msg_ is left off the id that is signed", ID + "|" + TEXT, MISSING + r"|msg_|prefix|cut", {"id signed": lambda v, w: v.removeprefix("msg_")}, "standard"),
    row("Date.now is called once more for the field", TIME, r"another|other|differ|\b(1|one|a) second\b|chang|later|earlier", {"time signed": lambda v, w: str(int(v) - 1)}, ("stripe", "slack", "paddle", "zoom")),
    row("milliseconds are signed and seconds sent", TIME, MILLI, {"time signed": lambda v, w: v + "000"}, ("stripe", "slack", "paddle")),
    row("Date.now without division by 1000", TIME, MILLI, {"time": lambda v, w: v + "591"}, TIMED),
    row("time.time keeps its fraction", TIME, r"fraction|decimal|digit|integer|point|\.\d|number|format", {"time": lambda v, w: v + ".8263421"}, TIMED),
    row("toISOString for the time", TIME, r"iso|8601|3339|text|date|decimal|digit|format|number|seconds", {"time": lambda v, w: axes.stamp(int(v), "%Y-%m-%dT%H:%M:%S.512Z")}, FIELDED),
    row("strtotime reads local time for UTC", TIME, ZONE, {"time": lambda v, w: str(int(v) + 7200)}, TIMED),
    row("a queue delivers what was signed twenty minutes before", TIME, ZONE, {"time": lambda v, w: str(int(v) - 1200)}, TIMED),
    row("a dot as of Stripe joins time and body", TEXT + "|" + TIME, SEPARATOR, content("{time}.{body}"), "paddle"),
    row("v0 isn't signed", TEXT, MISSING + "|v0|version", content("{time}:{body}"), "slack"),
    row("dots for the colons of v0:time:body", TEXT, SEPARATOR, content("v0.{time}.{body}"), ("slack", "zoom")),
    row("a colon for the dot", TEXT + "|" + TIME, SEPARATOR, content("{time}:{body}"), "stripe"),
    row("line ends join id, time and body", TEXT + "|" + TIME + "|" + ID, SEPARATOR + "|" + LF, content("{id}\n{time}\n{body}"), "standard"),
    row("the body is left out", BODY + "|" + TEXT, EMPTY + "|body", content("v0:{time}:"), ("slack", "zoom")),
    row("the body is signed twice in a retried update()", BODY + "|" + TEXT, DOUBLED, signed(lambda b: b + b), JSON),
]  # fmt: skip
URL = [
    row("ASP.NET builds the URL with http behind the load balancer", TARGET + "|scheme|http|" + HOST, r"scheme|http\b|TLS|proxy|public", {"scheme sent": lambda v, w: "http"}, "twilio"),
    row("the notification URL was registered with a slash at its end", TARGET, r"slash", {"target signed": lambda v, w: v.replace("?", "/?", 1)}, "square"),
    row("the query is left off the URL", TARGET, r"query|" + MISSING, {"target signed": lambda v, w: v.partition("?")[0]}, URLS),
    row("the path alone is signed for the URL", TARGET + "|" + HOST, r"scheme|host|origin|absolute|authority|" + MISSING, {"url": lambda v, w: w.target}, URLS),
    row("ngrok's name is what Square has", HOST + "|" + TARGET, r"another|other|host|ngrok", {"host signed": lambda v, w: "3f9a1c.ngrok.example"}, "square", undecidable="the host that was signed is nowhere in the request"),
    row("the body alone, without the URL", TEXT + "|" + TARGET, MISSING + "|url", content("{body}"), "square"),
    row("a dot joins URL and body", TEXT + "|" + TARGET, SEPARATOR, content("{url}.{body}"), "square"),
    row("the URL is decoded before it is signed", TARGET, PERCENT, {"url": as_(urllib.parse.unquote)}, URLS),
    row("URLSearchParams writes + for the URL's %20", TARGET, r"plus|space|blank|encod", {"url": lambda v, w: v.replace("%20", "+")}, URLS),
    row("the URL's parameters are sorted as the form's", TARGET, ORDER + "|query", {"target signed": lambda v, w: v.partition("?")[0] + "?" + "&".join(sorted(v.partition("?")[2].split("&")))}, "twilio", drawn=listed),
    row("parameters in the order of the form", r"form|param|body|pairs|" + TEXT, ORDER, {"pairs": lambda v, w: w.pairs}, "twilio"),
    row("sorted in small letters", r"form|param|body|pairs|" + TEXT, ORDER + "|case", {"pairs": lambda v, w: sorted(w.pairs, key=lambda p: p[0].lower())}, "twilio", drawn=mixed_case),
    row("http_build_query for the form", r"form|param|body|pairs|" + TEXT, r"join|separat|form|encod|between", {"form": lambda v, w: urllib.parse.urlencode(sorted(w.pairs))}, "twilio"),
    row("the form's values are signed as they were encoded", r"form|param|body|value|" + TEXT, PERCENT, {"pairs": lambda v, w: [(n, urllib.parse.quote(x)) for n, x in v]}, "twilio"),
    row("empty parameters are passed over", r"form|param|body|value|" + TEXT, EMPTY, {"pairs": lambda v, w: [(n, x) for n, x in v if x]}, "twilio"),
    row("plus signs of the form aren't decoded", r"form|param|body|value|" + TEXT, r"plus|space|blank|decod|encod", {"pairs": lambda v, w: [(n, x.replace(" ", "+") if n == "Body" else x) for n, x in v]}, "twilio"),
    row("the URL alone, as for a JSON body", r"form|param|body|" + TEXT, EMPTY + "|url|only|alone", {"form": lambda v, w: ""}, "twilio"),
    row("the raw form behind the URL", r"form|param|body|" + TEXT, r"raw|join|separat|form|encod|body|as (it|they)|sort", {"form": lambda v, w: w.body}, "twilio"),
    row("Laravel's TrimStrings takes the blank off a value", r"form|param|body|value|" + TEXT, r"blank|space|trim|strip|white|trailing|around", {"pairs": lambda v, w: [(n, x.strip()) for n, x in v]}, "twilio", drawn=lambda r: blank(draw(r, "twilio"))),
]  # fmt: skip


def blank(w: Any) -> Any:
    w.pairs = [(n, x + " " if n == "Body" else x) for n, x in w.pairs]
    w.body = urllib.parse.urlencode(w.pairs).encode()
    return w


KINDS = [*BODIES, *KEYS, *MACS, *WRITING, *CONTENT, *URL]
