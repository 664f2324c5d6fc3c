"""Mistakes of clients with an opaque token (RFC 6750), which the server keeps the SHA-256 of."""

from __future__ import annotations

import base64
import json
import random
from hashlib import sha256
from typing import Any

from bench.unlisted.cases import (
    BLANK, DOUBLED, EMPTY, LF, MISSING, NOW, PLACEHOLDER, QUOTE, Case, Steps, host, token, word, world,
)  # fmt: skip
from bench.unlisted.third.axes import SECRETS
from bench.unlisted.third.base import Maker, words
from watchword import Guard, Policy, RegisteredToken, Request, TokenVerifier

VALUE = r"token|bearer|credential|authori|value|secret|key"
FORM = words(VALUE, "word|scheme|field|format|grammar")
PLACE = r"place|field|header|cookie|query|body|authori|name|x-"


def draw(r: random.Random) -> Any:
    return world(
        secret=f"tk_{token(r, 20)}-{token(r, 12)}_{token(r, 8)}~Qz", other=f"tk_{token(r, 44)}", refresh=f"rt_{token(r, 44)}", host=host(r),
        target=f"/v1/{word(r)}s?limit={r.randrange(9, 99)}", r=r,
    )  # fmt: skip


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    value = step("field", "Bearer " + step("token", w.secret))
    headers = step("headers", [("Accept", "*/*"), ("Authorization", value)])
    return (
        Request(step("method", "GET"), "https", w.host, step("target", w.target), headers),
        step("body", b""),
        w.secret,
    )


def build(r: random.Random, table: dict[str, Any]) -> Case | None:
    w = draw(r)
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    rows = {
        sha256(w.secret.encode()).hexdigest(): RegisteredToken("robot"),
        sha256(w.other.encode()).hexdigest(): RegisteredToken("old", expires=NOW - 7200),
        sha256(w.refresh.encode()).hexdigest(): RegisteredToken("off", disabled=True),
    }
    guard = Guard([TokenVerifier(rows.get)], policy=Policy(clock=lambda: NOW))
    return Case(request, guard, body, NOW, [w.secret.encode()])


# fmt: off
m = Maker("token", build, never=(r"clocks? (is|differ)", r"password (is|differs)"))
KINDS = m.kinds
m.axis("token", "token", VALUE, SECRETS, "0 1 2 3 5 6 7 8 9 10 11 18 19 20 21 22 23 27 28 29 31 32 34 35 36 37 41 43 46 47 49 50 52 53 54 55 56 59")


def t(change: Any) -> dict[str, Any]:
    return {"token": lambda v, w: change(v)}


def f(change: Any) -> dict[str, Any]:
    return {"field": lambda v, w: change(v)}


def h(name: str, change: Any = lambda v: v) -> dict[str, Any]:
    return {"headers": lambda v, w: [v[0], (name, change(v[1][1]))]}


WORD = words("word|scheme|Bearer", MISSING)
FIELD = words("field|place|header|name|x-|misspel|call")
m.add("no scheme word", FORM, WORD, f(lambda v: v[7:]))
m.add("Token for Bearer", FORM, WORD, f(lambda v: v.replace("Bearer", "Token")))
m.add("JWT for Bearer", FORM, WORD, f(lambda v: v.replace("Bearer", "JWT")))
m.add("Basic for Bearer", FORM, WORD, f(lambda v: v.replace("Bearer", "Basic")))
m.add("token of GitHub's old word", FORM, WORD, f(lambda v: v.replace("Bearer", "token")))
m.add("OAuth for Bearer", FORM, WORD, f(lambda v: v.replace("Bearer", "OAuth")))
m.add("Bearer twice", FORM, words(DOUBLED, "more than one|word"), f(lambda v: "Bearer " + v))
m.add("a colon after Bearer", FORM, words("colon|:", WORD), f(lambda v: v.replace(" ", ": ")))
m.add("an equals sign after Bearer", FORM, words("=|equal", WORD), f(lambda v: v.replace(" ", "=")))
m.add("no blank after Bearer", FORM, words("blank|space|glued|nothing", WORD), f(lambda v: v.replace(" ", "")))
m.add("Bearer misspelled", FORM, WORD, f(lambda v: v.replace("Bearer", "Bearar")))
m.add("Beaer of a tired copier", FORM, WORD, f(lambda v: v.replace("Bearer", "Beaer")))
m.add("a comma after Bearer", FORM, words(",|comma", WORD), f(lambda v: v.replace(" ", ", ")))
m.add("the value in quotes", FORM, QUOTE, f(lambda v: v.replace(" ", ' "') + '"'))
m.add("the whole field in quotes", FORM, QUOTE, f(lambda v: f'"{v}"'))
m.add("the name of the field in its value", FORM, words("name|Authorization|prefix|before"), f(lambda v: "Authorization: " + v))
m.add("token= before it", FORM, words("name|token=|parameter|prefix|before"), t(lambda v: "token=" + v))
m.add('token="..." after Bearer', FORM, words("name|token=|parameter|prefix|before|quot"), t(lambda v: f'token="{v}"'))
m.add("access_token: before it", FORM, words("name|access_token|prefix|before"), t(lambda v: "access_token:" + v))
m.add("the whole answer of the token endpoint", FORM, words("JSON|answer|member|whole|object"), {"token": lambda v, w: json.dumps({"access_token": v, "token_type": "bearer", "expires_in": 3600})})  # fmt: skip
m.add("in X-Auth-Token", PLACE, FIELD, h("X-Auth-Token", lambda v: v[7:]))
m.add("in X-Access-Token", PLACE, FIELD, h("X-Access-Token", lambda v: v[7:]))
m.add("in a field called Token", PLACE, FIELD, h("Token", lambda v: v[7:]))
m.add("in a field called Bearer", PLACE, FIELD, h("Bearer", lambda v: v[7:]))
m.add("in Authentication", PLACE, FIELD, h("Authentication"))
m.add("in Autorization", PLACE, FIELD, h("Autorization"))
m.add("in Authorization-Token", PLACE, FIELD, h("Authorization-Token"))
m.add("in X-Forwarded-Authorization, by a gateway", PLACE, FIELD, h("X-Forwarded-Authorization"))
m.add("in X-API-Key", PLACE, FIELD, h("X-API-Key", lambda v: v[7:]))
m.add("in the query as access_token", PLACE, words("query|place|parameter"), {"headers": lambda v, w: v[:1], "target": lambda v, w: v + "&access_token=" + w.secret})
m.add("in the query as token", PLACE, words("query|place|parameter"), {"headers": lambda v, w: v[:1], "target": lambda v, w: v + "&token=" + w.secret})
m.add("in a cookie", PLACE, words("cookie|place"), h("Cookie", lambda v: "theme=dark; access_token=" + v[7:]))
m.add("in the body as JSON", PLACE, words("body|place|member|JSON"), {"method": lambda v, w: "POST", "headers": lambda v, w: [v[0], ("Content-Type", "application/json")], "body": lambda v, w: json.dumps({"access_token": w.secret}).encode()})  # fmt: skip
m.add("the field twice", words(PLACE, VALUE), words(DOUBLED, "more than one|two|lines|several|more than"), {"headers": lambda v, w: [*v, v[1]]})
m.add("a token that has expired", VALUE, words("expired|ended|old|past|over|until"), {"token": lambda v, w: w.other})
m.add("a token that was switched off", VALUE, words("disabl|revok|switched off|blocked|turned off"), {"token": lambda v, w: w.refresh})
m.add("its SHA-256, from the table", VALUE, r"the (SHA-256|hash|digest)|hashed|SHA-256 (of|itself|was|where|instead)|table|stored", t(lambda v: sha256(v.encode()).hexdigest()))
m.add("a line break in it, from a terminal", VALUE, words(LF, BLANK), t(lambda v: v[:30] + "\n" + v[30:]))
m.add("a blank in it, from a PDF", VALUE, words(BLANK, "middle|inside|within"), t(lambda v: v[:30] + " " + v[30:]))
m.far("in Proxy-Authorization", PLACE, words("proxy|place"), h("Proxy-Authorization"))
m.far("in the field of Cloudflare's Access", PLACE, FIELD, h("Cf-Access-Token", lambda v: v[7:]))
m.far("in the field of the load balancer", PLACE, FIELD, h("X-Amzn-Oidc-Accesstoken", lambda v: v[7:]))
m.far("in the subprotocol of a WebSocket", PLACE, words(FIELD, "protocol"), h("Sec-WebSocket-Protocol", lambda v: "bearer, " + v[7:]))
m.far("as the user of Basic", words(FORM, PLACE), words("Basic|user|place"), f(lambda v: "Basic " + base64.b64encode(f"{v[7:]}:x-oauth-basic".encode()).decode()))
m.far("as the password of Basic", words(FORM, PLACE), words("Basic|password|place"), f(lambda v: "Basic " + base64.b64encode(f"oauth2:{v[7:]}".encode()).decode()))  # fmt: skip
m.far("in angle brackets of the documentation", FORM, words("<|bracket|angle|around"), t(lambda v: f"<{v}>"))
m.far("a no-break space after Bearer", FORM, words(BLANK, WORD), f(lambda v: v.replace(" ", "\u00a0")))
m.far("an en dash for the hyphen, from a word processor", VALUE, words("dash|hyphen|alike|unicode|U\\+|character"), t(lambda v: v.replace("-", "\u2013")))
m.far("a Cyrillic letter in the word", FORM, words("alike|unicode|U\\+|character", WORD), f(lambda v: v.replace("e", "\u0435", 1)))
m.far("the tilde in percent escapes", VALUE, words("percent|escap|encod|%7E"), t(lambda v: v.replace("~", "%7E")))
m.far("underscores escaped, by Markdown", VALUE, words(r"escap|backslash|\\|Markdown"), t(lambda v: v.replace("_", "\\_")))
m.far("all of it in one word of MIME", FORM, words("encod|base64|MIME|grammar|="), t(lambda v: f"=?utf-8?B?{base64.b64encode(v.encode()).decode()}?="))
m.far("two tokens with a comma", FORM, words(",|comma|two|several|list", DOUBLED), {"field": lambda v, w: f"{v}, Bearer {w.other}"})
m.far("the promise of JavaScript", VALUE, words(PLACEHOLDER, "promise|object"), t(lambda v: "[object Promise]"))
m.far("the function of JavaScript that was not called", VALUE, words(PLACEHOLDER, "function"), t(lambda v: "() => getToken()"))
m.far("an optional of Swift", VALUE, words("Optional|wrap|around|bracket|quot"), t(lambda v: f'Optional("{v}")'))
m.far("a Some of Rust", VALUE, words("Some|wrap|around|bracket|quot"), t(lambda v: f'Some("{v}")'))
m.far("a string of C++ with its NUL", VALUE, words(r"NUL|\\x00|\\0|control|zero|octet"), t(lambda v: v + "\x00"))
m.far("emptied by a proxy", words(FORM), words(EMPTY, MISSING), f(lambda v: "Bearer "))
