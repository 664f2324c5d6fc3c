"""Mistakes behind "invalid signature" of OAuth 1: clients of shops, of social networks and of ERPs, by language."""

from __future__ import annotations

import base64
import hashlib
import random
import urllib.parse
from collections.abc import Callable
from typing import Any

from bench.unlisted import axes
from bench.unlisted.cases import (
    ALGORITHM, B64, BLANK, BODY, CASE, CUT, DOUBLED, EMPTY, FALSE_CLOCK, HASHED, HEX, HOST, KEY, LF, METHOD, MILLI, MISSING,
    ORDER, PLACEHOLDER, PROOF, QUOTE, TARGET, TEXT, TIME, UNICODE, Case, Kind, token,
)  # fmt: skip
from bench.unlisted.oauth1 import BASE, FORM, GRAMMAR, NEVER, PARAMS, PLACE, SIGNING, case, draw, quote, row
from bench.unlisted.second import writers
from bench.unlisted.second.writers import OBJECT, PERCENT, REPR, SEPARATOR, WRITTEN, ZONE, as_

GONE = "what was signed is nowhere in the request, and no guess"
ANOTHER = r"another|other|differ|wrong|unknown|not (one|the|known)|no such|exchang|mismatch"
AS_JSON = {"kind": "json"}
NO_BODY = {"kind": "none"}
SHA1 = {"method": "HMAC-SHA1"}
URI = TARGET + "|" + HOST + "|" + BASE


def pairs(change: Callable) -> dict[str, Any]:
    return {"pairs": as_(change)}


def values(change: Callable) -> dict[str, Any]:
    return {"encode value": as_(change)}


def encoded(change: Callable) -> dict[str, Any]:
    """Of names and values alike."""
    return {"encode name": as_(change), "encode value": as_(change)}


def normalized(change: Callable) -> dict[str, Any]:
    return {"normalized": as_(change)}


def uri(change: Callable) -> dict[str, Any]:
    return {"uri": lambda v, w: change(v, w)}


def parts(change: Callable) -> dict[str, Any]:
    return {"parts": as_(change)}


def text(change: Callable) -> dict[str, Any]:
    return {"text": as_(change)}


def signing(change: Callable) -> dict[str, Any]:
    return {"signing key": lambda v, w: change(w)}


def keys(change: Callable) -> dict[str, Any]:
    """The client's secret, changed before it is encoded."""
    return {"key": lambda v, w: quote(change(w.secret)).encode()}


def unsigned(*names: str) -> dict[str, Any]:
    return {"protocol signed": lambda v, w: {n: x for n, x in v.items() if n not in names}}


def signed(name: str, change: Callable) -> dict[str, Any]:
    return {"protocol signed": lambda v, w: {**v, name: change(v.get(name, ""), w)}}


def unsent(*names: str) -> dict[str, Any]:
    return {"params": lambda v, w: {n: x for n, x in v.items() if n not in names}}


def renamed(old: str, new: str) -> dict[str, Any]:
    return {"params": lambda v, w: {new if n == old else n: x for n, x in v.items()}}


def field(change: Callable) -> dict[str, Any]:
    return {"field": as_(change)}


def placed(name: str) -> dict[str, Any]:
    return {"headers": lambda hs, w: [(name if n == "Authorization" else n, v) for n, v in hs]}


def dropped(hs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [h for h in hs if h[0] != "Authorization"]


def spell(change: Callable) -> dict[str, Any]:
    return {"spell": change}


def arrived(change: Callable) -> dict[str, Any]:
    return {"target sent": as_(change)}


def form(text: str, method: str = "HMAC-SHA256") -> Callable:
    return lambda r: draw(r, method, "form", text)


def searched(text: str, kind: str = "none") -> Callable:
    def drawn(r: random.Random) -> Any:
        w = draw(r, "HMAC-SHA256", kind)
        w.query = text
        return w

    return drawn


def kept(**fields: Callable) -> Callable:
    def drawn(r: random.Random) -> Any:
        w = draw(r)
        for name, value in fields.items():
            setattr(w, name, value(r))
        return w

    return drawn


def with_plus(r: random.Random) -> Case:
    """A signature with a plus, which a form made a blank."""
    while True:
        found = case(r, {"spell": lambda b: writers.b64(b).replace("+", " ")})
        if b"+" in found.admits[0]:
            return found


def multipart(w: Any) -> bytes:
    parts = urllib.parse.parse_qsl(w.form)
    return (
        "".join(f'--x1\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in parts).encode()
        + b"--x1--\r\n"
    )


def plain(r: random.Random) -> Any:
    w = draw(r, "HMAC-SHA256", "json")
    w.json = writers.js(w.json)
    return w


ODD = kept(secret=lambda r: token(r, 12) + "+/" + token(r, 10) + "=", token_secret=lambda r: token(r, 18) + "&!")
PROTOCOL = "oauth_"


def protocol_first(v: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [p for p in v if p[0].startswith(PROTOCOL)] + [p for p in v if not p[0].startswith(PROTOCOL)]


URIS = [
    row("the URL's query stands in the signed URL", URI, r"query", uri(lambda v, w: f"{v}?{w.query}")),
    row("the path is signed without scheme and host", URI, r"scheme|host|absolute|origin", uri(lambda v, w: w.path)),
    row("the URL is signed without its scheme", URI, r"scheme|" + MISSING, uri(lambda v, w: v.removeprefix("https://"))),
    row("http is signed, https is called", URI + "|scheme", r"scheme|http\b", uri(lambda v, w: v.replace("https", "http"))),
    row("WordPress sees http behind its TLS proxy", URI + "|scheme", r"scheme|http\b|TLS|proxy", {"scheme sent": lambda v, w: "http"}),
    row("Java's URL has :443", URI, r"port|443", {"host signed": lambda v, w: v + ":443"}),
    row("the host is signed in the capitals of NetSuite's account", URI, CASE, {"host signed": lambda v, w: v.upper()}),
    row("the path has a slash at its end in the signed URL", URI, r"slash", {"path signed": lambda v, w: v + "/"}),
    row("Django redirects to the path with a slash", URI, r"slash", arrived(lambda t: t.replace("?", "/?", 1))),
    row("the base URL's slash is doubled before the path", URI, r"slash|//|doubl", {"path signed": lambda v, w: "/" + v}),
    row("index.php is in the signed URL alone", URI, r"index|segment|another|other|differ", {"path signed": lambda v, w: "/index.php" + v}),
    row("/wp-json isn't in the signed URL", URI, r"prefix|front|segment", arrived(lambda t: "/wp-json" + t)),
    row("the gateway takes its own prefix off the path", URI, r"prefix|front|segment|missing", {"path signed": lambda v, w: "/internal-gw" + v}, undecidable=GONE),
    row("the docker name of the shop is the host that arrives", HOST + "|" + URI, r"host|proxy", {"host sent": lambda v, w: "woocommerce:8080"}, undecidable=GONE),
    row("localhost is signed, the tunnel's name is called", HOST + "|" + URI, r"localhost|host", {"host signed": lambda v, w: "localhost"}, undecidable=GONE),
    row("the URL isn't percent-encoded in the base string", URI, PERCENT, {"uri encoded": lambda v, w: urllib.parse.unquote(v)}),
    row("encodeURI leaves the URL's slashes in the base string", URI, PERCENT + "|slash", {"uri encoded": lambda v, w: urllib.parse.quote(urllib.parse.unquote(v), safe="/:")}),
    row("the URL is encoded twice in the base string", URI, DOUBLED + "|" + PERCENT, {"uri encoded": lambda v, w: quote(v)}),
    row("the fragment of the page is part of the signed URL", URI, r"fragment", uri(lambda v, w: v + "#orders")),
    row("method in small letters in the base string", METHOD + "|" + BASE, CASE, {"method signed": lambda v, w: v.lower()}),
    row("GET is the helper's default method", METHOD + "|" + BASE, r"\bGET\b|" + ANOTHER, {"method signed": lambda v, w: "GET"}),
    row("_method=PUT is signed for the POST", METHOD + "|" + BASE, r"\bPUT\b|override|" + ANOTHER, {"method signed": lambda v, w: "PUT"}),
    row("the method isn't in the base string", METHOD + "|" + BASE, MISSING + "|method", parts(lambda v: v[1:])),
    row("a 301 turns POST into GET", METHOD + "|" + BASE + "|" + BODY, r"\bGET\b|method|redirect", {"method sent": lambda v, w: "GET"}),
    row("line ends join the base string's parts", BASE, SEPARATOR + "|" + LF, text(lambda t: t.replace(b"&", b"\n"))),
    row("nothing joins the base string's parts", BASE, SEPARATOR + "|ampersand|nothing|without", text(lambda t: t.replace(b"&", b""))),
    row("the base string's ampersands are encoded too", BASE, PERCENT + "|ampersand", text(lambda t: t.replace(b"&", b"%26"))),
    row("the base string ends with a line end of echo", BASE, LF, text(lambda t: t + b"\n")),
    row("the parameters come before the URL", BASE, ORDER, parts(lambda v: [v[0], v[2], v[1]])),
    row("the base string is in small letters", BASE, CASE, text(bytes.lower)),
    row("the base string has &amp; of a template", BASE, r"&amp|html|entit|escap", text(lambda t: t.replace(b"&", b"&amp;"))),
]  # fmt: skip
PARAMETERS = [
    row("the query isn't among the signed parameters", PARAMS, r"query|" + MISSING, {"query params": lambda v, w: []}),
    row("Insomnia doesn't sign the form", PARAMS, r"form|body|" + MISSING, {"form params": lambda v, w: []}),
    row("only the oauth_ parameters are signed", PARAMS, r"query|form|body|only|" + MISSING, {"query params": lambda v, w: [], "form params": lambda v, w: []}),
    row("members of the JSON body are signed as parameters", PARAMS + "|json", r"json|body|member|param|more|added|extra", {"pairs": lambda v, w: [*v, *[(n, str(x)) for n, x in writers.loads(w.json).items() if n in ("id", "customer", "link")]]}, undecidable="which members it took is a guess", **AS_JSON),
    row("the JSON text is signed as a parameter's name", PARAMS + "|json", r"json|body|param|more|added|extra", {"pairs": lambda v, w: [*v, (w.json.decode(), "")]}, **AS_JSON),
    row("parameters keep the order of the code", PARAMS, ORDER, {"encoded": lambda v, w: [(quote(n), quote(x)) for n, x in protocol_first([(urllib.parse.unquote(n), urllib.parse.unquote(x)) for n, x in v])]}),
    row("parameters are sorted before they are encoded", PARAMS, ORDER, {"encoded": lambda v, w: [(quote(n), quote(x)) for n, x in sorted((urllib.parse.unquote(n), urllib.parse.unquote(x)) for n, x in v)]}, drawn=form("aB=1&a%5B0%5D=2&aC=3")),
    row("parameters are sorted without regard to case", PARAMS, ORDER + "|case", {"encoded": lambda v, w: sorted(v, key=lambda p: p[0].lower())}, drawn=form("Zone=3&alpha=1&Beta=2")),
    row("values of one name stay in the order of the form", PARAMS, ORDER, {"encoded": lambda v, w: sorted(sorted(v, reverse=True), key=lambda p: p[0])}, drawn=form("tag=a&tag=b&tag=c")),
    row("krsort in place of ksort", PARAMS, ORDER + "|revers|descend", {"encoded": lambda v, w: v[::-1]}),
    row("http_build_query writes + for a space of the form", PARAMS, r"plus|space|blank|encod", values(lambda v: v.replace("%20", "+"))),
    row("the plus of the query is signed as a plus", PARAMS, r"plus|%2B|space|blank|decod", {"query params": lambda v, w: [(n, x.replace(" ", "+")) for n, x in v]}, drawn=searched("q=red+shoes&page=2")),
    row("encodeURIComponent leaves ! ' ( ) * as they are", PARAMS, PERCENT + r"|paren|character", values(lambda v: v.replace("%21", "!").replace("%28", "(").replace("%29", ")").replace("%27", "'").replace("%2A", "*")), drawn=form("note=it%27s+%28new%29%21&n=1")),
    row("PHP 5.2's rawurlencode encodes the tilde", PARAMS, r"tilde|%7E|" + PERCENT, values(lambda v: v.replace("~", "%7E")), drawn=form("home=%7Eann&n=1")),
    row("HttpUtility.UrlEncode has small hex digits", PARAMS, CASE + "|" + PERCENT, encoded(lambda v: "".join(c.lower() if (i and v[i - 1] == "%") or (i > 1 and v[i - 2] == "%") else c for i, c in enumerate(v)))),
    row("values aren't encoded before they are joined", PARAMS, PERCENT, encoded(urllib.parse.unquote)),
    row("values are encoded once too often", PARAMS, DOUBLED + "|" + PERCENT, values(quote)),
    row("names with brackets aren't encoded", PARAMS, PERCENT + r"|bracket", {"encode name": lambda v, w: urllib.parse.unquote(v)}, drawn=searched("searchCriteria%5BpageSize%5D=20&fields=items")),
    row("Magento's whole query is one parameter", PARAMS, r"query|param|one|split", {"query params": lambda v, w: [(urllib.parse.unquote(w.query), "")]}, drawn=searched("searchCriteria%5BpageSize%5D=20&fields=items")),
    row("the parameters aren't encoded again for the base string", PARAMS, PERCENT, {"params encoded": lambda v, w: urllib.parse.unquote(v)}),
    row("the parameters are encoded twice for the base string", PARAMS, DOUBLED + "|" + PERCENT, {"params encoded": lambda v, w: quote(v)}),
    row("Latin-1 is what the old shop encodes", PARAMS, UNICODE, {"form params": lambda v, w: [(n, x) for n, x in v], "encode value": lambda v, w: v.replace("%C3%AB", "%EB")}),
    row("UTF-8 is encoded as UTF-8 once more", PARAMS, UNICODE + "|twice", values(lambda v: v.replace("%C3%AB", "%C3%83%C2%AB"))),
    row("escape() writes %u for letters beyond ASCII", PARAMS, UNICODE + "|%u|escap|" + PERCENT, values(lambda v: v.replace("%C4%8D", "%u010D")), drawn=form("name=%C4%8Dapek&n=1")),
    row("a map keeps one of two values", PARAMS, r"twice|repeat|one|" + MISSING + "|duplic|several", pairs(lambda v: list(dict(v).items())), drawn=form("tag=a&tag=b&n=1")),
    row("array_filter takes empty parameters away", PARAMS, EMPTY, pairs(lambda v: [p for p in v if p[1]]), drawn=form("first=&last=Ng")),
    row("array_filter takes the zero away", PARAMS, MISSING + "|zero|empty", pairs(lambda v: [p for p in v if p[1] != "0"]), drawn=form("stock=0&sku=A7")),
    row("null of JavaScript is left out that the form sends", PARAMS, MISSING + "|null", pairs(lambda v: [p for p in v if p[1] != "null"]), drawn=form("gift=null&sku=A7")),
    row("PHP counts the brackets: tags[0] for tags[]", PARAMS, r"bracket|index|count|number|name", {"form params": lambda v, w: [(n.replace("[]", f"[{i}]"), x) for i, (n, x) in enumerate(v)]}, drawn=form("tags%5B%5D=a&tags%5B%5D=b")),
    row("PHP turns the name's dot into an underscore", PARAMS, r"underscore|dot|name", {"form params": lambda v, w: [(n.replace(".", "_"), x) for n, x in v]}, drawn=form("user.name=ann&n=1")),
    row("true and false are written True and False", PARAMS, CASE + "|true|false|bool", {"form params": lambda v, w: [(n, x.title() if x in ("true", "false") else x) for n, x in v]}, drawn=form("draft=true&trim=false")),
    row("Laravel trims the value's blank", PARAMS, BLANK + "|trim|strip", {"form params": lambda v, w: [(n, x.strip()) for n, x in v]}, drawn=form("name=Ann+&n=1")),
    row("blanks at commas of a list are lost", PARAMS, BLANK, {"query params": lambda v, w: [(n, x.replace(", ", ",")) for n, x in v]}, drawn=searched("ids=1,%202,%203&page=2")),
    row("WooCommerce's rewrite adds q to what is signed", PARAMS, r"\bq\b|param|query|more|added|extra|addition", {"pairs": lambda v, w: [*v, ("q", w.path)]}, undecidable="a parameter that isn't there could be any"),
    row("jQuery's _ is added after the signature", PARAMS + "|" + TARGET, r"added|more|append|extra|addition", arrived(lambda t: t + "&_=1899999999321")),
    row("the CDN takes fbclid away", PARAMS + "|" + TARGET, r"query|param|missing", arrived(lambda t: t.rpartition("&")[0]), undecidable=GONE),
    row("oauth_signature is signed itself, empty", PARAMS, "oauth_signature", {"protocol signed": lambda v, w: {**v, "oauth_signature": ""}}),
    row("the realm is signed", PARAMS + "|realm", r"realm", {"protocol signed": lambda v, w: {"realm": "123456_SB1", **v}, "params": lambda v, w: {"realm": "123456_SB1", **v}}),
    row("oauth_version is sent, not signed", PARAMS, r"version|" + MISSING, unsigned("oauth_version")),
    row("oauth_version is signed, not sent", PARAMS, r"version|" + MISSING, unsent("oauth_version")),
    row("oauth_token isn't signed", PARAMS, r"oauth_token|" + MISSING, unsigned("oauth_token")),
    row("oauth_nonce isn't signed", PARAMS, r"nonce|" + MISSING, unsigned("oauth_nonce")),
    row("oauth_timestamp isn't signed", PARAMS, r"timestamp|" + MISSING, unsigned("oauth_timestamp")),
    row("oauth_signature_method isn't signed", PARAMS, r"signature_method|" + MISSING, unsigned("oauth_signature_method")),
    row("oauth_consumer_key isn't signed", PARAMS, r"consumer_key|" + MISSING, unsigned("oauth_consumer_key")),
    row("oauth_body_hash is sent, not signed", PARAMS + "|" + BODY, r"body_hash|" + MISSING, unsigned("oauth_body_hash"), **AS_JSON),
    row("quotes of the field are signed with the values", PARAMS, QUOTE, {"protocol signed": lambda v, w: {n: f'"{x}"' for n, x in v.items()}}),
    row("commas join the parameters in the base string", PARAMS, SEPARATOR, normalized(lambda v: v.replace("&", ","))),
    row("colons stand for the equals signs in the base string", PARAMS, SEPARATOR + "|equals", normalized(lambda v: v.replace("=", ":"))),
    row("an ampersand is left behind the last parameter", PARAMS, r"ampersand|trailing|last|end|empty", normalized(lambda v: v + "&")),
]  # fmt: skip
KEYS = [
    row("secrets are joined without an ampersand", SIGNING, r"ampersand|join|separat", signing(lambda w: (w.secret + w.token_secret).encode())),
    row("the consumer secret signs without an ampersand", SIGNING, r"ampersand|token|alone|only|" + MISSING, signing(lambda w: w.secret.encode())),
    row("the token's secret is left out behind the ampersand", SIGNING, r"token|" + MISSING + "|empty", signing(lambda w: f"{w.secret}&".encode())),
    row("the consumer's secret is left out before the ampersand", SIGNING, r"client|consumer|" + MISSING + "|empty", signing(lambda w: f"&{w.token_secret}".encode())),
    row("token secret before consumer secret", SIGNING, ORDER + "|exchang|first", signing(lambda w: f"{w.token_secret}&{w.secret}".encode())),
    row("the token signs for the token's secret", SIGNING, r"token|exchang|itself", signing(lambda w: f"{w.secret}&{w.token}".encode())),
    row("the consumer key signs for the consumer's secret", SIGNING, r"client|consumer|exchang|\bkey\b", signing(lambda w: f"{w.client}&{w.token_secret}".encode())),
    row("the consumer's secret is on both sides of the ampersand", SIGNING, r"both|twice|same|token|client|consumer|" + DOUBLED, signing(lambda w: f"{w.secret}&{w.secret}".encode())),
    row("a plus joins the secrets", SIGNING, r"plus|ampersand|join|separat", signing(lambda w: f"{w.secret}+{w.token_secret}".encode())),
    row("the ampersand between the secrets is encoded", SIGNING, PERCENT + "|ampersand", signing(lambda w: f"{w.secret}%26{w.token_secret}".encode())),
    row("&amp; of a template joins the secrets", SIGNING, r"&amp|html|entit|escap", signing(lambda w: f"{w.secret}&amp;{w.token_secret}".encode())),
    row("secrets aren't percent-encoded in the key", SIGNING, PERCENT, signing(lambda w: f"{w.secret}&{w.token_secret}".encode()), drawn=ODD),
    row("secrets are percent-encoded twice in the key", SIGNING, PERCENT + "|" + DOUBLED, signing(lambda w: f"{quote(quote(w.secret))}&{quote(quote(w.token_secret))}".encode()), drawn=ODD),
    row("secrets are encoded with small hex digits", SIGNING, CASE + "|" + PERCENT, {"signing key": lambda v, w: v.replace(b"%2B", b"%2b").replace(b"%2F", b"%2f").replace(b"%3D", b"%3d")}, drawn=ODD),
    row("the consumer's secret has the file's line end", KEY, LF, keys(lambda s: s + "\n")),
    row("the consumer's secret has a blank from the mail", KEY, BLANK, keys(lambda s: s + " ")),
    row("the consumer's secret is in quotes of .env", KEY, QUOTE, keys(lambda s: f'"{s}"')),
    row("the consumer's secret is base64 of Kubernetes", KEY, B64, keys(lambda s: base64.b64encode(s.encode()).decode())),
    row("the consumer's secret is the word undefined", KEY, PLACEHOLDER, keys(lambda s: "undefined")),
    row("the consumer's secret is null in Java's concatenation", KEY, PLACEHOLDER + "|null", keys(lambda s: "null")),
    row("the token's secret is the word undefined", KEY + "|token", PLACEHOLDER, {"token key": lambda v, w: b"undefined"}),
    row("the token's secret is None of a dictionary", KEY + "|token", PLACEHOLDER + r"|\bNone\b", {"token key": lambda v, w: b"None"}),
    row("the token's secret has a line end", KEY + "|token", LF, {"token key": lambda v, w: v + b"\n"}),
    row("the consumer's secret in capitals", KEY, CASE, keys(str.upper)),
    row("the consumer's secret is cut at a hash sign", KEY, CUT + "|comment|hash sign", keys(lambda s: s.partition("#")[0]), drawn=kept(secret=lambda r: token(r, 12) + "#" + token(r, 11))),
    row("the secret of the app's older consumer signs", KEY, ANOTHER, {"key": lambda v, w: w.other_secret.encode()}, never=(FALSE_CLOCK,)),
    row("the secret of another token signs", KEY + "|token", ANOTHER, {"token key": lambda v, w: w.other_token_secret.encode()}, never=(FALSE_CLOCK,)),
    row("the secret of the request token signs for the access token", KEY + "|token", ANOTHER, {"token key": lambda v, w: w.other_token_secret[::-1].encode()}, never=(), undecidable="the secret that signed is unknown to the store"),
    row("the API was given a new secret in the console", KEY, ANOTHER, {"key": lambda v, w: w.other_secret[::-1].encode()}, never=(), undecidable="the secret that signed is unknown to the store"),
]  # fmt: skip
MACS = [
    row("HMAC-SHA1 signs under the name HMAC-SHA256", PROOF + "|" + ALGORITHM, ALGORITHM, {"mac": axes.mac("sha1")}),
    row("HMAC-SHA256 signs under the name HMAC-SHA1", PROOF + "|" + ALGORITHM, ALGORITHM, {"mac": axes.mac("sha256")}, **SHA1),
    row("HMAC-SHA512 is named and not allowed", ALGORITHM + "|method", r"SHA-?512|not (allowed|accepted)|method|algorithm", {"signature method": lambda v, w: "HMAC-SHA512", "mac": axes.mac("sha512")}),
    row("HMAC_SHA1 with an underscore is the method's name", ALGORITHM + "|method", r"underscore|HMAC_SHA1|name|unknown|method", {"signature method": lambda v, w: "HMAC_SHA1"}, **SHA1),
    row("HMAC-SHA-256 is the method's name", ALGORITHM + "|method", r"hyphen|HMAC-SHA-256|name|unknown|method", {"signature method": lambda v, w: "HMAC-SHA-256"}),
    row("hmac-sha1 in small letters is the method's name", ALGORITHM + "|method", CASE, {"signature method": lambda v, w: "hmac-sha1"}, **SHA1),
    row("HS256 is the method's name", ALGORITHM + "|method", r"HS256|name|unknown|method|jw", {"signature method": lambda v, w: "HS256"}),
    row("RSA-SHA1 is named by a client that has a secret", ALGORITHM + "|method", r"RSA|" + ANOTHER, {"signature method": lambda v, w: "RSA-SHA1"}, **SHA1),
    row("PLAINTEXT with both secrets is sent", ALGORITHM + "|method", r"plaintext|method", {"signature method": lambda v, w: "PLAINTEXT", "spell": lambda b: "secret&other"}),
    row("hash_hmac without true gives base64 of hex", PROOF, HEX + "|" + B64 + "|length|" + DOUBLED, spell(lambda b: writers.b64(b.hex().encode()))),
    row("hexdigest is the signature", PROOF, HEX + "|length|digits", spell(bytes.hex)),
    row("urlsafe_b64encode without padding is the signature", PROOF, B64 + "|alphabet|pad", spell(lambda b: base64.urlsafe_b64encode(b).decode().rstrip("="))),
    row("Ruby's Base64.encode64 leaves its line end", PROOF, LF + "|%0A", spell(lambda b: writers.b64(b) + "\n")),
    row("the signature is percent-encoded twice", PROOF, PERCENT + "|" + DOUBLED, spell(lambda b: quote(writers.b64(b)))),
    Kind("oauth1", "the signature's plus signs came as blanks", False, PROOF, r"plus|blank|space|form|url", lambda r: with_plus(r), NEVER),
    row("Python's b'' is part of the signature", PROOF, REPR + "|base64", spell(lambda b: f"b'{writers.b64(b)}'")),
    row("WordArray's toString is hex in capitals", PROOF, HEX + "|" + CASE + "|length", spell(lambda b: b.hex().upper())),
    row("a Promise is the signature", PROOF, PLACEHOLDER + "|promise|object|base64", spell(lambda b: "[object Promise]")),
    row("the signature is the word undefined", PROOF, PLACEHOLDER + "|base64|length", spell(lambda b: "undefined")),
    row("the signature is empty", PROOF, EMPTY + "|length", spell(lambda b: "")),
    row("sha1 of key and base string", PROOF + "|" + KEY + "|hmac", ALGORITHM, {"mac": lambda k, t: hashlib.sha1(k + t).digest()}, **SHA1),
    row("sha256 of the base string alone", PROOF + "|" + KEY + "|hmac", ALGORITHM + "|without|no key|unkeyed", {"mac": lambda k, t: hashlib.sha256(t).digest()}),
    row("key and base string exchanged at createHmac", PROOF + "|" + KEY + "|" + TEXT, r"exchang|swap|role|revers|key.*(text|message|string|base)|order", {"mac": lambda k, t: axes.mac("sha256")(t, k)}),
    row("the base string is hashed before HMAC", PROOF + "|" + TEXT, HASHED, {"mac": lambda k, t: axes.mac("sha256")(k, hashlib.sha256(t).hexdigest().encode())}),
    row("the signature ends after 20 characters", PROOF, CUT + "|20", spell(lambda b: writers.b64(b)[:20])),
]  # fmt: skip
TIMES = [
    row("oauth_timestamp in milliseconds", TIME, MILLI, {"time": lambda v, w: v + "127"}),
    row("oauth_timestamp in milliseconds is signed, seconds are sent", TIME, MILLI, signed("oauth_timestamp", lambda v, w: v + "000")),
    row("oauth_timestamp with a fraction", TIME, r"fraction|decimal|digit|integer|point|\.\d|number", {"time": lambda v, w: v + ".7"}),
    row("oauth_timestamp by toISOString", TIME, r"iso|8601|3339|text|date|decimal|digit|format|number|seconds", {"time": lambda v, w: axes.stamp(int(v), "%Y-%m-%dT%H:%M:%S.218Z")}),
    row("oauth_timestamp is local time", TIME, ZONE, {"time": lambda v, w: str(int(v) + 10800)}),
    row("oauth_timestamp is of yesterday's saved request in Postman", TIME, ZONE + "|day", {"time": lambda v, w: str(int(v) - 86400)}),
    row("oauth_timestamp is one second older in the base string", TIME, ANOTHER + r"|\b(1|one|a) second\b|later|earlier", signed("oauth_timestamp", lambda v, w: str(int(v) - 1))),
    row("oauth_timestamp is the word undefined", TIME, PLACEHOLDER + "|digit|decimal|number", {"time": lambda v, w: "undefined"}),
    row("oauth_timestamp is {{timestamp}} of a template", TIME, PLACEHOLDER + r"|\{\{|digit|decimal|number", {"time": lambda v, w: "{{timestamp}}"}),
    row("a retry sends nonce and timestamp again", "nonce|request|credential", r"again|replay|used|twice|second|before|once", {}, replay=True),
    row("the nonce is the timestamp, and two requests share it", "nonce|request|credential", r"again|replay|used|twice|second|before|once|same", {"query params": lambda v, w: [*v, ("page", "2")], "target sent": lambda v, w: v + "&page=2"}, replay=True),
    row("the nonce is made anew for the field", "nonce", ANOTHER + "|nonce", signed("oauth_nonce", lambda v, w: w.other_secret), undecidable=GONE),
    row("the nonce is empty", "nonce", EMPTY, {"nonce": lambda v, w: ""}),
    row("the nonce in small letters in the base string", "nonce", CASE, signed("oauth_nonce", lambda v, w: v.lower())),
]  # fmt: skip
WHO = [
    row("the consumer key is unknown, of the sandbox", KEY + "|client|consumer", r"unknown|known|no such|sandbox|" + ANOTHER, {"client": lambda v, w: "sandbox-" + v}, never=(FALSE_CLOCK,)),
    row("the consumer key is in capitals", KEY + "|client|consumer", CASE + "|unknown|known", {"client": lambda v, w: v.upper()}, never=(FALSE_CLOCK,)),
    row("the consumer key is the word undefined", KEY + "|client|consumer", PLACEHOLDER + "|unknown|known", {"client": lambda v, w: "undefined"}, never=(FALSE_CLOCK,)),
    row("the consumer key has a blank behind it", KEY + "|client|consumer", BLANK + "|unknown|known", {"client": lambda v, w: v + " "}, never=(FALSE_CLOCK,)),
    row("the older consumer's key with the new token", KEY + "|client|consumer|token", ANOTHER, {"client": lambda v, w: v + "-old"}, never=(FALSE_CLOCK,)),
    row("consumer key and token are exchanged", KEY + "|client|consumer|token", r"exchang|swap|unknown|known", {"client": lambda v, w: w.token, "token": lambda v, w: w.client}, never=(FALSE_CLOCK,)),
    row("the token was revoked", "token", r"unknown|known|revoked|no such|expired|removed", {"token": lambda v, w: "R" + v[1:] + "x"}, never=(FALSE_CLOCK,)),
    row("the token in small letters", "token", CASE + "|unknown|known", {"token": lambda v, w: v.lower()}, never=(FALSE_CLOCK,)),
    row("the token is the word null", "token", PLACEHOLDER + "|null|unknown|known", {"token": lambda v, w: "null"}, never=(FALSE_CLOCK,)),
    row("oauth_token is empty as for one leg", "token", EMPTY, {"token": lambda v, w: ""}, never=(FALSE_CLOCK,)),
    row("oauth_version is 1.0a", "version", r"version|1\.0", {"protocol": lambda v, w: {**v, "oauth_version": "1.0a"}}),
    row("oauth_version is 2.0", "version", r"version|2\.0|1\.0", {"protocol": lambda v, w: {**v, "oauth_version": "2.0"}}),
]  # fmt: skip
FIELDS = [
    row("the scheme's word is missing", GRAMMAR, r"OAuth|scheme|word|" + MISSING, field(lambda v: v.removeprefix("OAuth "))),
    row("Bearer stands before the parameters", GRAMMAR, r"bearer|scheme|word", field(lambda v: v.replace("OAuth", "Bearer", 1))),
    row("OAuth1 is the scheme's word", GRAMMAR, r"OAuth1|scheme|word", field(lambda v: v.replace("OAuth", "OAuth1", 1))),
    row("a comma behind OAuth", GRAMMAR, r"comma|scheme|word|empty", field(lambda v: v.replace("OAuth ", "OAuth, ", 1))),
    row("ampersands join the field's parameters", GRAMMAR, SEPARATOR + "|ampersand", field(lambda v: v.replace(", ", "&"))),
    row("semicolons join the field's parameters", GRAMMAR, SEPARATOR, field(lambda v: v.replace(", ", "; "))),
    row("blanks join the field's parameters", GRAMMAR, SEPARATOR, field(lambda v: v.replace(", ", " "))),
    row("single quotes around the field's values", GRAMMAR, QUOTE, field(lambda v: v.replace('"', "'"))),
    row("backslashes before the field's quotes", GRAMMAR, QUOTE + r"|escap|backslash", field(lambda v: v.replace('"', '\\"'))),
    row("a quote is missing at the end of the field", GRAMMAR, QUOTE + "|end|" + MISSING, field(lambda v: v[:-1])),
    row("colons for the field's equals signs", GRAMMAR, r"colon|equals|separat", field(lambda v: v.replace("=", ":"))),
    row("the parameters are JSON behind OAuth", GRAMMAR, r"json|grammar|param", {"field": lambda v, w: "OAuth {" + ", ".join('"' + p.replace("=", '": ', 1) for p in v[6:].split(", ")) + "}"}),
    row("consumer_key without oauth_", GRAMMAR, r"consumer_key|oauth_|unknown|" + MISSING, renamed("oauth_consumer_key", "consumer_key")),
    row("oauth_consumerKey in camel case", GRAMMAR, r"consumer_key|consumerKey|unknown|case|" + MISSING, renamed("oauth_consumer_key", "oauth_consumerKey")),
    row("oauth_access_token for oauth_token", PARAMS + "|token", r"access_token|oauth_token|unknown|" + MISSING, renamed("oauth_token", "oauth_access_token")),
    row("oauth_signature isn't sent", GRAMMAR + "|" + PROOF, MISSING, unsent("oauth_signature")),
    row("oauth_signature_method isn't sent", GRAMMAR, r"signature_method|" + MISSING, unsent("oauth_signature_method")),
    row("oauth_consumer_key isn't sent", GRAMMAR, r"consumer_key|" + MISSING, unsent("oauth_consumer_key")),
    row("oauth_nonce isn't sent", GRAMMAR + "|nonce", r"nonce|" + MISSING, unsent("oauth_nonce")),
    row("oauth_timestamp isn't sent", GRAMMAR + "|" + TIME, r"timestamp|" + MISSING, unsent("oauth_timestamp")),
    row("oauth_token isn't sent", PARAMS + "|token", r"oauth_token|token|" + MISSING, unsent("oauth_token"), undecidable="which token signed is nowhere in the request"),
    row("oauth_signature is sent twice", GRAMMAR + "|" + PROOF, DOUBLED + "|two|several", field(lambda v: v + ", " + v.rpartition(", ")[2])),
    row("the parameters stand in the query, as for WooCommerce over HTTP", PLACE, r"query|place|" + MISSING, {"headers": lambda hs, w: dropped(hs), "params": lambda v, w: setattr(w, "kept", v) or v, "target sent": lambda v, w: v + "&" + urllib.parse.urlencode(w.kept)}),
    row("the parameters stand in the form", PLACE, r"form|body|place|" + MISSING, {"headers": lambda hs, w: dropped(hs), "params": lambda v, w: setattr(w, "kept", v) or v, "body sent": lambda v, w: v + b"&" + urllib.parse.urlencode(w.kept).encode()}),
    row("X-Authorization as Apache drops the other", PLACE, r"authorization|" + MISSING, placed("X-Authorization")),
    row("PHP under CGI sees no Authorization", PLACE, r"authorization|" + MISSING, {"headers": lambda hs, w: dropped(hs)}),
    row("Basic of the staging site comes beside OAuth", PLACE, r"basic|two|twice|more than one|several|scheme|second|" + DOUBLED, {"headers": lambda hs, w: [*hs, ("Authorization", "Basic c3RhZ2luZzpzaXRl")]}),
    row("Basic with consumer key and secret in place of OAuth", PLACE + "|" + GRAMMAR, r"basic|scheme|word", {"headers": lambda hs, w: [*dropped(hs), ("Authorization", "Basic Y2tfMTpjc18y")]}),
    row("the whole field is percent-encoded", GRAMMAR, PERCENT, field(lambda v: urllib.parse.quote(v, safe=" "))),
]  # fmt: skip
BODIES = [
    row("JSON is sent without oauth_body_hash", BODY + "|oauth_body_hash", MISSING + "|body_hash|cover", {"protocol": lambda v, w: {n: x for n, x in v.items() if n != "oauth_body_hash"}}, **AS_JSON),
    row("oauth_body_hash is in hex", BODY + "|oauth_body_hash", HEX + "|length", {"body hash": lambda v, w: hashlib.sha256(w.json).hexdigest()}, **AS_JSON),
    row("oauthlib's SHA-1 under HMAC-SHA256", BODY + "|oauth_body_hash", HASHED + "|20|length", {"body hash with": lambda b: hashlib.sha1(b).digest()}, **AS_JSON),
    row("oauth_body_hash is of the empty text", BODY + "|oauth_body_hash", EMPTY, {"body signed": lambda v, w: b""}, **AS_JSON),
    row("oauth_body_hash is of [object Object]", BODY + "|oauth_body_hash", OBJECT, {"body signed": lambda v, w: b"[object Object]"}, **AS_JSON),
    row("oauth_body_hash is of what JSON.stringify wrote", BODY + "|oauth_body_hash", WRITTEN, {"body signed": as_(writers.js)}, **AS_JSON),
    row("oauth_body_hash is of json_encode's escaped slashes", BODY + "|oauth_body_hash", WRITTEN + "|slash|escap", {"body signed": as_(writers.php)}, **AS_JSON),
    row("the client writes the JSON anew with blanks", BODY + "|oauth_body_hash", WRITTEN + "|space|blank|escap", {"body sent": as_(writers.python)}, drawn=plain),
    row("the body is lost behind the signer", BODY + "|oauth_body_hash", EMPTY, {"body sent": lambda v, w: b""}, **AS_JSON),
    row("a line end follows the JSON", BODY + "|oauth_body_hash", LF, {"body sent": lambda v, w: v + b"\n"}, **AS_JSON),
    row("oauth_body_hash is of Latin-1", BODY + "|oauth_body_hash", UNICODE, {"body signed": as_(writers.latin)}, **AS_JSON),
    row("oauth_body_hash is base64url", BODY + "|oauth_body_hash", B64 + "|alphabet|pad", {"body hash": lambda v, w: v.replace("+", "-").replace("/", "_").rstrip("=")}, **AS_JSON),
    row("the form is sent as JSON, its parameters were signed", BODY + "|" + PARAMS + "|content-type", r"json|form|content-type|type|body_hash", {"body sent": lambda v, w: writers.js(writers.form_to_json(v)), "headers": lambda hs, w: [(n, x.replace(FORM, "application/json")) for n, x in hs]}),
    row("the Content-Type of a form is lost", BODY + "|" + PARAMS + "|content-type", r"content-type|type|form|" + MISSING, {"headers": lambda hs, w: [h for h in hs if h[0] != "Content-Type"]}),
    row("the form goes as multipart, signed as a form", BODY + "|" + PARAMS + "|content-type", r"multipart|content-type|type|form", {"headers": lambda hs, w: [(n, "multipart/form-data; boundary=x1" if n == "Content-Type" else x) for n, x in hs], "body sent": lambda v, w: multipart(w)}),
    row("a firewall masks a value of the form", BODY + "|" + PARAMS, r"form|chang|value|" + ANOTHER, {"body sent": lambda v, w: v.replace(b"status=", b"status=XX")}, undecidable=GONE),
    row("the form's last value is cut by Content-Length in characters", BODY + "|" + PARAMS, CUT, {"body sent": lambda v, w: v[:-1]}, undecidable="the octet that is gone could be any"),
]  # fmt: skip
KINDS = [*URIS, *PARAMETERS, *KEYS, *MACS, *TIMES, *WHO, *FIELDS, *BODIES]
