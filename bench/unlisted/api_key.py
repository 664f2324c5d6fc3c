"""Mistakes of clients that send an API key: the form of keys is that of the page on API keys."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import random
import urllib.parse
from binascii import crc32
from collections.abc import Callable
from typing import Any

from bench.unlisted.cases import (
    B64, BLANK, CASE, CUT, DOUBLED, FALSE_CLOCK, HASHED, HEX, LF, MISSING, NOW, PERCENT, PLACEHOLDER, QUOTE, Case, Kind, Steps, host,
    path, token, word, world,
)  # fmt: skip
from watchword import APIKeyVerifier, Guard, Policy, Request
from watchword.core.records import Put, Ref
from watchword.schemes.api_key_text import APIKey
from watchword.stores import MemoryStore

S = "api_key"
KEY = r"api.?key|\bkey\b|credential|x-api-key|authori|field"
PLACE = r"place|field|header|cookie|query|authori[sz]ation|proxy|body|\burl|credential"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FALSE = (FALSE_CLOCK, r"revoked|expired")


def summed(text: str) -> str:
    number, digits = crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return text + digits


def draw(r: random.Random) -> Any:
    ids = [token(r, 12) for _ in range(3)]
    one, two, three = (summed(f"ww_{name}_{token(r, 32)}") for name in ids)
    return world(
        r=r,
        key=one,
        other=two,
        spare=three,
        renewed=summed(f"ww_{ids[0]}_{token(r, 32)}"),
        subject=word(r),
        host=host(r),
        target=path(r),
    )


def compute(w: Any, step: Steps) -> tuple[Request, bytes]:
    value = step("value", w.key)
    headers = step("headers", [("Accept", "*/*"), (w.header, w.word + value)])
    return Request("GET", "https", w.host, step("target", w.target), headers), step("body", b"")


def case(r: random.Random, table: dict[str, Callable], header: str = "X-API-Key", **record: Any) -> Case:
    w = draw(r)
    w.header, w.word = header, "ApiKey " if header == "Authorization" else ""
    step = Steps(w, table)
    request, body = compute(w, step)
    store = MemoryStore(clock=lambda: NOW)
    for key, more in ((w.key, record), (w.other, {})):
        digest = hashlib.sha256(key.encode()).hexdigest()
        store.commit([Put(Ref(APIKey, (key[3:15],)), APIKey(digest, w.subject, (), NOW - 9e6, **more))])
    guard = Guard([APIKeyVerifier(header=header)], store, policy=Policy(clock=lambda: NOW))
    keys = (w.key, w.other, w.renewed)
    return Case(request, guard, body, NOW, [text.encode() for key in keys for text in (key, key[16:48])])


def row(
    name: str, part: str, what: str, table: Any, tail: bool = False, never: tuple[str, ...] = FALSE, **more: Any
) -> Kind:
    undecidable = more.pop("undecidable", "")

    def make(r: random.Random) -> Case | None:
        return case(
            r, table(r) if callable(table) else table, **{k: v(r) if callable(v) else v for k, v in more.items()}
        )

    return Kind(S, name, tail, part, what, make, never, undecidable)


def _v(change: Callable) -> dict[str, Callable]:
    return {"value": lambda v, w: change(v)}


def _placed(name: str, change: Callable = lambda value: value) -> dict[str, Callable]:
    return {"headers": lambda headers, w: [(n, v) if n != w.header else (name, change(v)) for n, v in headers]}


def _query(name: str) -> dict[str, Callable]:
    return {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"{t}?page=2&{name}={w.key}"}


def _body(kind: str, write: Callable) -> dict[str, Callable]:
    return {"headers": lambda hs, w: [("Content-Type", kind)], "body": lambda b, w: write(w.key)}


def _typo(r: random.Random, where: tuple[int, int]) -> Callable:
    at = r.randrange(*where)
    return lambda v: v[:at] + r.choice([c for c in DIGITS if c != v[at]]) + v[at + 1 :]


def _exchanged(r: random.Random, where: tuple[int, int]) -> Callable:
    at = r.randrange(*where)
    return lambda v: v[:at] + v[at + 1] + v[at] + v[at + 2 :]


TYPO = r"one character|mistyp|typ|checksum|character"
FORM = "application/x-www-form-urlencoded"
AUTH = {"header": "Authorization"}
COMMON = [
    row("in Authorization after Bearer", PLACE, r"authorization", _placed("Authorization", lambda v: "Bearer " + v)),
    row("in Authorization after ApiKey", PLACE, r"authorization", _placed("Authorization", lambda v: "ApiKey " + v)),
    row("in Authorization alone", PLACE, r"authorization", _placed("Authorization")),
    row("in X-Auth-Token", PLACE, r"x-auth-token", _placed("X-Auth-Token")),
    row("in API-Key", PLACE, r"api-key", _placed("API-Key")),
    row("in Api_Key with underscores", PLACE, r"x_api_key|underscore", _placed("X_API_Key")),
    row("in X-ApiKey", PLACE, r"x-apikey", _placed("X-ApiKey")),
    row("in apikey", PLACE, r"apikey", _placed("apikey")),
    row("in X-Access-Token", PLACE, r"x-access-token", _placed("X-Access-Token")),
    row("in the query as api_key", PLACE, r"query|api_key", _query("api_key")),
    row("in the query as key", PLACE, r"query", _query("key")),
    row("in the query as access_token", PLACE, r"query|access_token", _query("access_token")),
    row("in a cookie", PLACE, r"cookie", _placed("Cookie", lambda v: f"theme=dark; api_key={v}")),
    row("in the body as JSON", PLACE, r"body|json|member", _body("application/json", lambda k: json.dumps({"api_key": k}).encode())),
    row("in the body as a form", PLACE, r"body|form", _body(FORM, lambda k: f"api_key={k}&x=1".encode())),
    row("as the username of Basic", PLACE, r"basic|authorization|username", _placed("Authorization", lambda v: "Basic " + base64.b64encode(f"{v}:".encode()).decode())),
    row("as the password of Basic", PLACE, r"basic|authorization|password", _placed("Authorization", lambda v: "Basic " + base64.b64encode(f"api:{v}".encode()).decode())),
    row("with Bearer in front", KEY, r"bearer|scheme|word|prefix|front|after another word", _v(lambda v: "Bearer " + v)),
    row("with ApiKey in front", KEY, r"apikey|scheme|word|prefix|front|after another word", _v(lambda v: "ApiKey " + v)),
    row("in double quotes", KEY, QUOTE, _v(lambda v: f'"{v}"')),
    row("in single quotes", KEY, QUOTE, _v(lambda v: f"'{v}'")),
    row("with a blank inside", KEY, BLANK, _v(lambda v: v[:16] + " " + v[16:])),
    row("with a literal line break", KEY, LF + "|backslash", _v(lambda v: v + "\\n")),
    row("cut at its end", KEY, CUT, lambda r: _v(lambda v, n=r.randrange(1, 9): v[:-n])),
    row("cut at its begin", KEY, CUT + "|begin|first|ww_|prefix", lambda r: _v(lambda v, n=r.randrange(1, 3): v[n:])),
    row("without its prefix", KEY, r"ww_|prefix|begin|front|" + CUT, _v(lambda v: v[3:])),
    row("in capitals", KEY, CASE, _v(str.upper)),
    row("in small letters", KEY, CASE, _v(str.lower)),
    row("in base64", KEY, B64, _v(lambda v: base64.b64encode(v.encode()).decode())),
    row("in hex", KEY, HEX, _v(lambda v: v.encode().hex())),
    row("only its id", KEY, r"\bid\b|secret|" + CUT, _v(lambda v: v[:15])),
    row("only its secret", KEY, r"secret|\bid\b|prefix|begin|" + CUT, _v(lambda v: v[16:])),
    row("empty", KEY, r"empty|" + MISSING, _v(lambda v: "")),
    row("a shell variable", KEY, PLACEHOLDER, _v(lambda v: "$API_KEY")),
    row("a template's variable", KEY, PLACEHOLDER + r"|\{\{", _v(lambda v: "{{api_key}}")),
    row("undefined", KEY, PLACEHOLDER, _v(lambda v: "undefined")),
    row("None", KEY, PLACEHOLDER + r"|\bNone\b", _v(lambda v: "None")),
    row("YOUR_API_KEY", KEY, PLACEHOLDER + "|example|YOUR", _v(lambda v: "YOUR_API_KEY")),
    row("one character of the secret mistyped", KEY, TYPO, lambda r: _v(_typo(r, (16, 48)))),
    row("one character of the checksum mistyped", KEY, TYPO, lambda r: _v(_typo(r, (48, 54)))),
    row("one character of the id mistyped", KEY, TYPO, lambda r: _v(_typo(r, (3, 15)))),
    row("two characters exchanged", KEY, r"exchang|swap|transpos|" + TYPO, lambda r: _v(_exchanged(r, (16, 46)))),
    row("pasted twice", KEY, DOUBLED, _v(lambda v: v + v)),
    row("a key of another store", KEY, r"unknown|no key|not known|id|store", {"value": lambda v, w: w.spare}),
    row("the key before or after a rotation", KEY, r"secret|rotat|another|other|differs|digest|old|hash", {"value": lambda v, w: w.renewed}),
    row("revoked", KEY, r"revoked", {}, never=(), revoked=NOW - 500),
    row("expired", KEY, r"expired|over|end", {}, never=(), expires=NOW - 500),
    row("not sent", KEY, r"no cred|carries no|" + MISSING, {"headers": lambda hs, w: hs[:1]}),
    row("two lines of the field", KEY, r"two|twice|2|several|more than one|repeated|lines", {"headers": lambda hs, w: [*hs, hs[1]]}),
    row("wrong word in Authorization", KEY, r"bearer|word|scheme", _placed("Authorization", lambda v: v.replace("ApiKey", "Bearer")), **AUTH),
    row("no word in Authorization", KEY, r"word|scheme|ApiKey", _placed("Authorization", lambda v: v[7:]), **AUTH),
    row("in X-API-Key where Authorization is read", PLACE, r"x-api-key", _placed("X-API-Key", lambda v: v[7:]), **AUTH),
]  # fmt: skip

TAIL = [
    row("with a byte order mark", KEY, r"byte order|BOM|FEFF|invisible", _v(lambda v: "\ufeff" + v), True),
    row("with a no-break space", KEY, BLANK, _v(lambda v: v + "\u00a0"), True),
    row("with a zero-width space", KEY, r"zero.?width|invisible|200b|blank|space", _v(lambda v: v + "\u200b"), True),
    row("in typographic quotes", KEY, QUOTE, _v(lambda v: f"\u201c{v}\u201d"), True),
    row("with typographic dashes for the underscores", KEY, r"dash|hyphen|underscore", _v(lambda v: v.replace("_", "\u2013")), True),
    row("with hyphens for the underscores", KEY, r"hyphen|underscore|dash|- for _", _v(lambda v: v.replace("_", "-")), True),
    row("with the underscores lost by Markdown", KEY, r"underscore|_|separat", _v(lambda v: v.replace("_", "")), True),
    row("with backslashes of Markdown", KEY, r"backslash|escap", _v(lambda v: v.replace("_", "\\_")), True),
    row("percent-encoded", KEY, PERCENT, _v(lambda v: v.replace("_", "%5F")), True),
    row("with HTML entities", KEY, r"html|entit|escap", _v(lambda v: v.replace("_", "&#95;")), True),
    row("as Python writes bytes", KEY, r"b'|repr|python|quot|bytes", _v(lambda v: repr(v.encode())), True),
    row("as a JSON object", KEY, r"json|brace|\{|member", _v(lambda v: json.dumps({"key": v})), True),
    row("as the whole JSON answer", KEY, r"json|brace|\{|member", _v(lambda v: json.dumps({"subject": "x", "api_key": v, "scopes": []})), True),
    row("as a JSON list", KEY, r"json|bracket|list|\[", _v(lambda v: json.dumps([v])), True),
    row("in angle brackets", KEY, r"bracket|angle", _v(lambda v: f"<{v}>"), True),
    row("in braces", KEY, r"brace|\{", _v(lambda v: f"{{{v}}}"), True),
    row("in backticks", KEY, r"backtick|grave|`", _v(lambda v: f"`{v}`"), True),
    row("in asterisks", KEY, r"asterisk|\*|markdown", _v(lambda v: f"**{v}**"), True),
    row("with a semicolon", KEY, r"semicolon|trailing|one character|at (its|the) end|behind|punctuation", _v(lambda v: v + ";"), True),
    row("with a comma", KEY, r"comma|trailing|one character|at (its|the) end|behind|punctuation", _v(lambda v: v + ","), True),
    row("with a full stop", KEY, r"full stop|\bdot\b|period|trailing|one character|at (its|the) end|behind|punctuation", _v(lambda v: v + "."), True),
    row("with the field's name in front", KEY, r"name|X-API-Key:|front|prefix|after another word", _v(lambda v: f"X-API-Key: {v}"), True),
    row("with a variable's name in front", KEY, r"name|API_KEY=|front|prefix|after another word", _v(lambda v: f"API_KEY={v}"), True),
    row("with export of a shell in front", KEY, r"name|API_KEY=|front|prefix|export|after another word", _v(lambda v: f"export API_KEY={v}"), True),
    row("with key= in front", KEY, r"name|key=|front|prefix|after another word", _v(lambda v: f"key={v}"), True),
    row("with Token in front", KEY, r"token|scheme|word|prefix|front|after another word", _v(lambda v: f"Token {v}"), True),
    row("with Basic in front", KEY, r"basic|scheme|word|prefix|front|after another word", _v(lambda v: f"Basic {v}"), True),
    row("base64 with a line break inside", KEY, B64, _v(lambda v: base64.b64encode(v.encode() + b"\n").decode()), True),
    row("base64 without padding", KEY, B64, _v(lambda v: base64.urlsafe_b64encode(v.encode()).decode().rstrip("=")), True),
    row("twice in base64", KEY, B64 + "|" + DOUBLED, _v(lambda v: base64.b64encode(base64.b64encode(v.encode())).decode()), True),
    row("its SHA-256 from the table", KEY, HASHED, _v(lambda v: hashlib.sha256(v.encode()).hexdigest()), True),
    row("its MD5", KEY, HASHED + "|form|ww_", _v(lambda v: hashlib.md5(v.encode()).hexdigest()), True),
    row("masked by a log", KEY, r"mask|asterisk|\*|placeholder|redact", _v(lambda v: v[:6] + "*" * 20), True),
    row("shortened by a page", KEY, r"\.\.\.|ellipsis|mask|short|cut|\u2026|placeholder", _v(lambda v: v[:10] + "\u2026" + v[-4:]), True),
    row("null", KEY, PLACEHOLDER + r"|\bnull\b", _v(lambda v: "null"), True),
    row("[object Object]", KEY, PLACEHOLDER + "|object", _v(lambda v: "[object Object]"), True),
    row("a Windows variable", KEY, PLACEHOLDER + "|%", _v(lambda v: "%API_KEY%"), True),
    row("a PowerShell variable", KEY, PLACEHOLDER, _v(lambda v: "$env:API_KEY"), True),
    row("a Vault path", KEY, PLACEHOLDER + "|vault|path|reference", _v(lambda v: "vault:secret/data/api#key"), True),
    row("a GitHub Actions expression", KEY, PLACEHOLDER + r"|\{\{", _v(lambda v: "${{ secrets.API_KEY }}"), True),
    row("an Ansible vault text", KEY, r"vault|placeholder|variable|form|ww_", _v(lambda v: "!vault |"), True),
    row("a sealed reference of 1Password", KEY, PLACEHOLDER + "|op://|reference", _v(lambda v: "op://prod/api/key"), True),
    row("a key of Stripe", KEY, r"ww_|another|other|form|prefix|begin", lambda r: _v(lambda v, n=token(r, 24): f"sk_live_{n}"), True),
    row("a UUID", KEY, r"ww_|another|other|form|uuid|begin", _v(lambda v: "3f2504e0-4f89-41d3-9a0c-0305e82c3301"), True),
    row("a JWT", KEY, r"ww_|jwt|token|form|begin", _v(lambda v: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"), True),
    row("letter O for zero", KEY, r"zero|alike|letter|" + TYPO, lambda r: {"value": lambda v, w: v[:16] + v[16:].replace("0", "O", 1)}, True),
    row("letter l for I", KEY, r"alike|letter|" + TYPO, lambda r: {"value": lambda v, w: v[:16] + v[16:].replace("I", "l", 1)}, True),
    row("a Cyrillic letter", KEY, r"cyrillic|alike|ascii|unicode|letter|" + TYPO, lambda r: {"value": lambda v, w: v.replace("a", "\u0430", 1).replace("e", "\u0435", 1)}, True),
    row("in fullwidth letters", KEY, r"width|unicode|ascii|form of", _v(lambda v: "".join(chr(ord(c) + 0xFEE0) for c in v)), True),
    row("reversed", KEY, r"revers|backward", _v(lambda v: v[::-1]), True),
    row("in reversed case", KEY, CASE, _v(str.swapcase), True),
    row("a character inserted", KEY, r"one character|too many|long|insert|addition", lambda r: _v(lambda v, n=r.randrange(18, 46), c=token(r, 1): v[:n] + c + v[n:]), True),
    row("a character left out", KEY, r"one character|character lost|missing|left out|short|cut", lambda r: _v(lambda v, n=r.randrange(18, 46): v[:n] + v[n + 1 :]), True),
    row("checksum left out", KEY, r"checksum|" + CUT, _v(lambda v: v[:-6]), True),
    row("checksum of an older computation", KEY, r"checksum", _v(lambda v: v[:-6] + "000000"), True),
    row("prefix in capitals", KEY, CASE + "|prefix|ww_", _v(lambda v: "WW_" + v[3:]), True),
    row("prefix of another service", KEY, r"prefix|ww_|begin", _v(lambda v: "pk_" + v[3:]), True),
    row("id of one key, secret of another", KEY, r"checksum|another|two keys|mixed|typ", {"value": lambda v, w: v[:16] + w.other[16:]}, True),
    row("with its id said twice", KEY, r"\bid\b|twice|form|doubl|repeat", _v(lambda v: v[:15] + v[2:]), True),
    row("in X-Api-Token", PLACE, r"x-api-token", _placed("X-Api-Token"), True),
    row("in Ocp-Apim-Subscription-Key", PLACE, r"ocp-apim-subscription-key", _placed("Ocp-Apim-Subscription-Key"), True),
    row("in X-RapidAPI-Key", PLACE, r"x-rapidapi-key", _placed("X-RapidAPI-Key"), True),
    row("in X-Goog-Api-Key", PLACE, r"x-goog-api-key", _placed("X-Goog-Api-Key"), True),
    row("in X-Functions-Key", PLACE, r"x-functions-key", _placed("X-Functions-Key"), True),
    row("in X-API-Keys", PLACE, r"x-api-keys", _placed("X-API-Keys"), True),
    row("in X-PI-Key", PLACE, r"x-pi-key", _placed("X-PI-Key"), True),
    row("in X-Forwarded-Api-Key of a mesh", PLACE, r"x-forwarded-api-key", _placed("X-Forwarded-Api-Key"), True),
    row("in HTTP_X_API_KEY of CGI", PLACE, r"http_x_api_key|underscore", _placed("HTTP_X_API_KEY"), True),
    row("in Proxy-Authorization", PLACE, r"proxy-authorization", _placed("Proxy-Authorization", lambda v: "ApiKey " + v), True),
    row("in X-Amz-Security-Token", PLACE, r"x-amz-security-token", _placed("X-Amz-Security-Token"), True),
    row("in From", PLACE, r"\bfrom\b", _placed("From"), True),
    row("in User-Agent", PLACE, r"user-agent", _placed("User-Agent", lambda v: f"client/1.0 ({v})"), True),
    row("in the query as apikey", PLACE, r"query|apikey", _query("apikey"), True),
    row("in the query as token", PLACE, r"query|token", _query("token"), True),
    row("in the query as X-API-Key", PLACE, r"query|x-api-key", _query("X-API-Key"), True),
    row("in the query as subscription-key", PLACE, r"query|subscription-key", _query("subscription-key"), True),
    row("in the query as a bare word", PLACE, r"query|target", {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"{t}?{w.key}"}, True),
    row("in the path", PLACE, r"path|target|\burl", {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"/{w.key}{t}"}, True),
    row("in a matrix parameter", PLACE, r"path|target|\burl", {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"{t};key={w.key}"}, True),
    row("in a cookie called X-API-Key", PLACE, r"cookie", _placed("Cookie", lambda v: f"X-API-Key={v}"), True),
    row("in the body as XML", PLACE, r"body|xml", _body("application/xml", lambda k: f"<apiKey>{k}</apiKey>".encode()), True),
    row("in the body nested in JSON", PLACE, r"body|json|member", _body("application/json", lambda k: json.dumps({"auth": {"apiKey": k}}).encode()), True),
    row("in the body of GraphQL's variables", PLACE, r"body|json|member", _body("application/json", lambda k: json.dumps({"query": "{a}", "variables": {"key": k}}).encode()), True),
    row("in the body as multipart", PLACE, r"body|multipart|form", _body("multipart/form-data; boundary=x", lambda k: f'--x\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n{k}\r\n--x--\r\n'.encode()), True),
    row("word with a colon in Authorization", KEY, r"colon|word|scheme", _placed("Authorization", lambda v: v.replace(" ", ": ")), True, **AUTH),
    row("word with = in Authorization", KEY, r"equal|word|scheme", _placed("Authorization", lambda v: v.replace(" ", "=")), True, **AUTH),
    row("word Api-Key in Authorization", KEY, r"api-key|word|scheme", _placed("Authorization", lambda v: v.replace("ApiKey", "Api-Key")), True, **AUTH),
    row("word twice in Authorization", KEY, DOUBLED + "|word", _placed("Authorization", lambda v: "ApiKey " + v), True, **AUTH),
    row("as a parameter in Authorization", KEY, r"name|key=", _placed("Authorization", lambda v: f'ApiKey key="{v[7:]}"'), True, **AUTH),
    row("two mistakes: Bearer and quotes", KEY, r"bearer|quot", _v(lambda v: f'Bearer "{v}"'), True),
    row("two mistakes: another field and base64", PLACE, r"x-auth-token|base64", _placed("X-Auth-Token", lambda v: base64.b64encode(v.encode()).decode()), True),
    row("two mistakes: query and quotes", PLACE, r"query|quot", {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"{t}?api_key=%22{w.key}%22"}, True),
    row("two mistakes: cookie and percent", PLACE, r"cookie", _placed("Cookie", lambda v: "api_key=" + urllib.parse.quote(v).replace("_", "%5F")), True),
    row("two mistakes: HTML quotes and blank", KEY, r"html|quot|entit", _v(lambda v: " " + html.escape(f'"{v}"')), True),
]  # fmt: skip
KINDS = [*COMMON, *TAIL]
