"""Mistakes of clients that send an API key."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

from bench.unlisted.cases import (
    BLANK, CUT, DOUBLED, EMPTY, KEY, NOW, PLACEHOLDER, Case, Steps, host, token, word, world,
)  # fmt: skip
from bench.unlisted.third.axes import LOOKALIKE, SECRETS
from bench.unlisted.third.base import Maker, words
from watchword import APIKeyVerifier, Guard, Policy, Request
from watchword.stores import MemoryStore

VALUE = words(KEY, r"x-api-key|value|credential|field")
PLACE = r"place|field|header|cookie|query|body|authori|name|x-"


def draw(r: random.Random) -> Any:
    store = MemoryStore(clock=lambda: NOW)
    return world(
        store=store, secret=store.add_api_key(word(r)), other=store.add_api_key("other"), host=host(r), r=r,
        target=f"/v1/{word(r)}s?limit={r.randrange(9, 99)}", app=token(r, 12),
    )  # fmt: skip


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    value = step("key", w.secret)
    headers = step("headers", [("Accept", "*/*"), ("X-API-Key", value)])
    return (
        Request(step("method", "GET"), "https", w.host, step("target", w.target), headers),
        step("body", b""),
        w.secret,
    )


def build(r: random.Random, table: dict[str, Any]) -> Case | None:
    w = draw(r)
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    guard = Guard([APIKeyVerifier()], w.store, policy=Policy(clock=lambda: NOW))
    return Case(request, guard, body, NOW, [w.secret[16:].encode(), w.other[16:].encode()])


# fmt: off
m = Maker("api_key", build, never=(r"clocks? (is|differ)", r"password"))
KINDS = m.kinds
m.axis("key", "key", VALUE, SECRETS, "0 2 3 4 5 6 7 8 9 10 11 12 14 15 16 17 18 19 20 21 22 23 27 28 29 31 32 34 35 36 37 38 41 43 44 45 46 47 49 50 51 52 53 54 55 59")  # fmt: skip


def k(change: Any) -> dict[str, Any]:
    return {"key": lambda v, w: change(v)}


def h(name: str, change: Any = lambda v: v) -> dict[str, Any]:
    return {"headers": lambda v, w: [v[0], (name, change(v[1][1]))]}


FIELD = words("field|place|header|name|x-|misspel|call")
m.add("one character mistyped", VALUE, words("mistyp|character|checksum|typo"), k(lambda v: v[:20] + ("a" if v[20] != "a" else "b") + v[21:]))
m.add("two neighbours exchanged", VALUE, words("mistyp|character|checksum|exchang|swap|typo|transpos"), k(lambda v: v[:22] + v[23] + v[22] + v[24:] if v[22] != v[23] else v[:30] + v[31] + v[30] + v[32:]))  # fmt: skip
m.add("without its prefix", VALUE, words(CUT, "prefix|ww_"), k(lambda v: v.removeprefix("ww_")))
m.add("the secret without its id", VALUE, words(CUT, "id\\b|prefix|part"), k(lambda v: v.split("_")[2]))
m.add("the id alone", VALUE, words(CUT, "id\\b|secret|part"), k(lambda v: "_".join(v.split("_")[:2])))
m.add("dashes for underscores", VALUE, words("-|dash|hyphen|underscore|_|separat"), k(lambda v: v.replace("_", "-")))
m.add("a zero typed for another character", VALUE, words("mistyp|character|checksum|alike|0|O"), {"key": lambda v, w: v[:18] + "0" + v[19:] if v[18] != "0" else v[:18] + "O" + v[19:]})  # fmt: skip
m.add("an ellipsis of the console", VALUE, words(CUT, r"ellipsis|\.\.\.|mask"), k(lambda v: v[:24] + "..."))
m.add("masked by the console", VALUE, words(r"mask|\*|redact|star|placeholder"), k(lambda v: v[:16] + "*" * 38))
m.add("after the word ApiKey", VALUE, words("word|scheme|ApiKey|prefix|before"), k(lambda v: "ApiKey " + v))
m.add("after the word Bearer", VALUE, words("word|scheme|Bearer|prefix|before"), k(lambda v: "Bearer " + v))
m.add("after the word Basic, in base64", words(VALUE), words("word|scheme|Basic|base64"), k(lambda v: "Basic " + base64.b64encode(v.encode()).decode()))  # fmt: skip
m.add("after the word Token", VALUE, words("word|scheme|Token|prefix|before"), k(lambda v: "Token " + v))
m.add("with the name of the field", VALUE, words("name|field|before|prefix|twice"), k(lambda v: "X-API-Key: " + v))
m.add("twice with a comma, as a proxy joins lines", VALUE, words(DOUBLED, "more than one|,|comma|two|joined|several|list"), k(lambda v: f"{v}, {v}"))
m.add("two keys with a comma", VALUE, words(DOUBLED, "more than one|,|comma|two|joined|several|list"), {"key": lambda v, w: f"{v},{w.other}"})
m.add("a blank in the middle, from a mail's line", VALUE, words(BLANK, "middle|inside|within"), k(lambda v: v[:30] + " " + v[30:]))
m.add("in X-Api-Token", PLACE, FIELD, h("X-Api-Token"))
m.add("in Api-Key", PLACE, FIELD, h("Api-Key"))
m.add("in X-APIKey", PLACE, FIELD, h("X-APIKey"))
m.add("in X_API_KEY", PLACE, FIELD, h("X_API_KEY"))
m.add("in apikey", PLACE, FIELD, h("apikey"))
m.add("in X-Auth-Token", PLACE, FIELD, h("X-Auth-Token"))
m.add("in Authorization, bare", PLACE, FIELD, h("Authorization"))
m.add("in Authorization after Bearer", PLACE, words(FIELD, "Bearer"), h("Authorization", lambda v: "Bearer " + v))
m.add("in Authorization after ApiKey", PLACE, words(FIELD, "ApiKey"), h("Authorization", lambda v: "ApiKey " + v))
m.add("in Authorization as the user of Basic", PLACE, words(FIELD, "Basic|user"), h("Authorization", lambda v: "Basic " + base64.b64encode(f"{v}:".encode()).decode()))  # fmt: skip
m.add("in Authorization as the password of Basic", PLACE, words(FIELD, "Basic|password"), h("Authorization", lambda v: "Basic " + base64.b64encode(f"api:{v}".encode()).decode()))  # fmt: skip
m.add("in Ocp-Apim-Subscription-Key", PLACE, FIELD, h("Ocp-Apim-Subscription-Key"))
m.add("in the query as api_key", PLACE, words("query|place|parameter"), {"headers": lambda v, w: v[:1], "target": lambda v, w: v + "&api_key=" + w.secret})
m.add("in the query as key", PLACE, words("query|place|parameter"), {"headers": lambda v, w: v[:1], "target": lambda v, w: v + "&key=" + w.secret})
m.add("in the query as X-API-Key", PLACE, words("query|place|parameter"), {"headers": lambda v, w: v[:1], "target": lambda v, w: v + "&X-API-Key=" + w.secret})
m.add("in a cookie", PLACE, words("cookie|place"), h("Cookie", lambda v: "api_key=" + v))
m.add("in the body as JSON", words(PLACE), words("body|place|member|JSON"), {"method": lambda v, w: "POST", "headers": lambda v, w: [v[0], ("Content-Type", "application/json")], "body": lambda v, w: json.dumps({"api_key": w.secret}).encode()})  # fmt: skip
m.add("in the body as a form", words(PLACE), words("body|place|member|form|parameter"), {"method": lambda v, w: "POST", "headers": lambda v, w: [v[0], ("Content-Type", "application/x-www-form-urlencoded")], "body": lambda v, w: b"api_key=" + w.secret.encode()})  # fmt: skip
m.add("the field sent twice", words(PLACE, VALUE), words(DOUBLED, "more than one|two|lines|several|more than"), {"headers": lambda v, w: [*v, v[1]]})
m.far("in the path", words(PLACE, "path"), words("path|place|target|URL"), {"headers": lambda v, w: v[:1], "target": lambda v, w: f"/v1/{w.secret}/orders"})
m.far("in Proxy-Authorization", PLACE, words("proxy|place"), h("Proxy-Authorization", lambda v: "ApiKey " + v))
m.far("in the field of Kong's consumer", PLACE, FIELD, h("X-Consumer-Key"))
m.far("in X-Functions-Key", PLACE, FIELD, h("X-Functions-Key"))
m.far("in X-Goog-Api-Key", PLACE, FIELD, h("X-Goog-Api-Key"))
m.far("in a field with a dash too many", PLACE, FIELD, h("X--API-Key"))
m.far("in a field with a Cyrillic name, transcribed", PLACE, FIELD, h("X-API-Kei"))
m.far("in the subprotocol of a WebSocket", PLACE, words(FIELD, "protocol"), h("Sec-WebSocket-Protocol", lambda v: "apikey, " + v))
m.far("as a matrix parameter", words(PLACE, "path|target"), words("path|;|place|parameter|target|query"), {"headers": lambda v, w: v[:1], "target": lambda v, w: "/v1/orders;api_key=" + w.secret})  # fmt: skip
m.far("a Cyrillic letter in the prefix", VALUE, LOOKALIKE, k(lambda v: v.replace("w", "\u0461", 1)))
m.far("full width letters of an input method", VALUE, words(LOOKALIKE, "width"), k(lambda v: "".join(chr(ord(c) + 0xFEE0) for c in v)))
m.far("a soft hyphen in it, from a web page", VALUE, words(BLANK, LOOKALIKE, "hyphen|invisible"), k(lambda v: v[:16] + "\u00ad" + v[16:]))
m.far("a link of Markdown", VALUE, words(r"\[|bracket|mark|link|around"), k(lambda v: f"[{v}]({v})"))
m.far("the path of a secret store", VALUE, words(PLACEHOLDER, "Vault|path|reference|not resolved"), k(lambda v: "vault:secret/data/api#key"))
m.far("the name of a file", VALUE, words(PLACEHOLDER, "file|path"), k(lambda v: "/run/secrets/api_key"))
m.far("an unfilled template of Helm", VALUE, PLACEHOLDER, k(lambda v: "{{ .Values.apiKey }}"))
m.far("two lines from a file with a comment", VALUE, words("line|LF|newline|control|prefix before"), k(lambda v: "# production\n" + v))
m.far("percent escapes of every octet", VALUE, words("percent|escap|encod"), k(lambda v: "".join(f"%{ord(c):02X}" for c in v)))
m.far("emptied by a proxy", words(VALUE, PLACE), words(EMPTY, "value"), k(lambda v: ""))
m.far("the checksum cut by a column of 50 characters", VALUE, words(CUT, "checksum"), k(lambda v: v[:50]))
m.far("a check mark after it", VALUE, words("after|character|trailing|U\\+|unicode|around"), k(lambda v: v + "\u2713"))
m.far("with the id of another key", VALUE, words("another|other|checksum|id\\b|mistyp|mixed"), {"key": lambda v, w: w.other[:16] + v[16:]})
