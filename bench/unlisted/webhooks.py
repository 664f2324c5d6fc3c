"""Mistakes of those who send webhooks, and of what stands between, in the forms of eleven senders."""

from __future__ import annotations

import base64
import json
import random
import urllib.parse
from collections.abc import Callable
from typing import Any

from bench.unlisted import axes
from bench.unlisted.cases import (
    BLANK, BODY, CASE, DOUBLED, EMPTY, FALSE_CLOCK, FALSE_KEY, HEX, HOST, KEY, LF, MISSING, NOW, OFF, ORDER, PERCENT, PROOF, QUOTE,
    TARGET, TEXT, TIME, Case, Kind, Steps, host, json_body, token, word, world,
)  # fmt: skip
from watchword import Guard, Policy, Request, WebhookVerifier
from watchword.stores import MemoryStore

S = "webhooks"
NEVER = (FALSE_KEY, FALSE_CLOCK)
PLACE = r"place|field|header|cookie|query|authori[sz]ation|body|credential|signature"
SIGNATURE = r"signature|hmac|field|header|proof"
ID = r"\bid\b|message|delivery|webhook-id|svix-id"
FORM = "application/x-www-form-urlencoded"
# profile: field of the signature, before each signature, what is signed, its time's field
PROFILES = {
    "standard": ("Webhook-Signature", "v1,", "{id}.{time}.{body}", "Webhook-Timestamp"),
    "svix": ("Svix-Signature", "v1,", "{id}.{time}.{body}", "Svix-Timestamp"),
    "stripe": ("Stripe-Signature", "v1=", "{time}.{body}", ""),
    "slack": ("X-Slack-Signature", "v0=", "v0:{time}:{body}", "X-Slack-Request-Timestamp"),
    "zoom": ("x-zm-signature", "v0=", "v0:{time}:{body}", "x-zm-request-timestamp"),
    "github": ("X-Hub-Signature-256", "sha256=", "{body}", ""),
    "shopify": ("X-Shopify-Hmac-Sha256", "", "{body}", ""),
    "line": ("X-Line-Signature", "", "{body}", ""),
    "paddle": ("Paddle-Signature", "h1=", "{time}:{body}", ""),
    "square": ("X-Square-HmacSha256-Signature", "", "{url}{body}", ""),
    "twilio": ("X-Twilio-Signature", "", "{url}{form}", ""),
}
TIMED = ("standard", "svix", "stripe", "slack", "zoom", "paddle")
FIELDED = ("standard", "svix", "slack", "zoom")
BASE64 = ("standard", "svix", "shopify", "line", "square", "twilio")
HEXED = ("stripe", "slack", "zoom", "github", "paddle")
ALL = tuple(PROFILES)
JSON = tuple(name for name in ALL if name != "twilio")
URLS = ("square", "twilio")
WITH_ID = ("standard", "svix")


def draw(r: random.Random, profile: str) -> Any:
    secret = base64.b64encode(r.randbytes(r.choice([24, 32]))).decode() if profile in WITH_ID else token(r, 32)
    shown = {"standard": "whsec_" + secret, "svix": "whsec_" + secret}.get(profile, secret)
    pairs = [
        ("From", f"+1555{r.randrange(10**6, 10**7)}"),
        ("Body", f"{word(r)} {word(r)} & Zo\u00eb!"),
        ("AccountSid", "AC" + token(r, 20)),
        ("Empty", ""),
    ]
    return world(
        r=r, profile=profile, secret=secret, shown=shown, second=base64.b64encode(r.randbytes(24)).decode(), id=f"msg_{token(r, 20)}", at=int(NOW) - r.randrange(1, 60),
        host=host(r), target=f"/hooks/{word(r)}?shop={word(r)}%20x", pairs=pairs, body=urllib.parse.urlencode(pairs).encode() if profile == "twilio" else json_body(r),
    )  # fmt: skip


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    field, prefix, content, time_field = PROFILES[w.profile]
    time = step("time", str(w.at))
    url = step(
        "url", f"{step('scheme signed', 'https')}://{step('host signed', w.host)}{step('target signed', w.target)}"
    )
    form = step("form", "".join(n + v for n, v in step("pairs", sorted(w.pairs))))
    values = {
        "{id}": step("id signed", w.id), "{time}": step("time signed", time), "{url}": url, "{form}": form, "{body}": step("body signed", w.body),
    }  # fmt: skip
    octets = step("template", content).encode()
    for name, value in values.items():
        octets = octets.replace(
            name.encode(), value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape"), 1
        )
    key = step("key", base64.b64decode(w.secret) if w.profile in WITH_ID else w.secret.encode())
    raw = step.run("mac", axes.mac("sha1" if w.profile == "twilio" else "sha256"), key, step("text", octets))
    spelt = step.run("spell", (lambda b: base64.b64encode(b).decode()) if w.profile in BASE64 else bytes.hex, raw)
    value = step("prefix", prefix) + spelt
    timed = {"stripe": "t={},", "paddle": "ts={};"}.get(w.profile, "")
    value = step("field", timed.format(step("time item", time)) + value)
    headers = [
        ("Content-Type", FORM if w.profile == "twilio" else "application/json"),
        (step("field name", field), value),
    ]
    headers += [(time_field, step("time sent", time))] if time_field else []
    headers += [(time_field.replace("Timestamp", "Id"), step("id sent", w.id))] if w.profile in WITH_ID else []
    headers += [("X-GitHub-Delivery", w.id)] if w.profile == "github" else []
    request = Request(
        "POST",
        step("scheme sent", "https"),
        step("host sent", w.host),
        step("target sent", w.target),
        step("headers", headers),
    )
    return request, step("body sent", w.body), spelt


def case(r: random.Random, table: Any, profile: str, replay: bool = False, drawn: Any = None, **options: Any) -> Case:
    w = drawn or draw(r, profile)
    table = table(w) if callable(table) else table
    genuine, body, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, sent, _ = compute(w, step)
    verifier = WebhookVerifier([w.shown], profile, **options)
    guard = Guard([verifier], MemoryStore(clock=lambda: NOW), policy=Policy(clock=lambda: NOW))
    secrets = [w.secret.encode(), w.second.encode()] + ([base64.b64decode(w.secret)] if profile in WITH_ID else [])
    return Case(
        request, guard, sent, NOW, secrets, [proof.encode()], [(genuine, body)] if replay else [], step.pairs, step.sent
    )


def row(
    name: str,
    part: str,
    what: str,
    table: Any,
    profiles: Any = ALL,
    tail: bool = False,
    never: tuple[str, ...] = NEVER,
    **more: Any,
) -> Kind:
    undecidable, drawn = more.pop("undecidable", ""), more.pop("drawn", None)
    choice = (profiles,) if isinstance(profiles, str) else profiles

    def make(r: random.Random) -> Case | None:
        profile = r.choice(choice)
        return case(
            r,
            table(r) if more.get("by_random") else table,
            profile,
            drawn=drawn(r) if drawn else None,
            **{k: v for k, v in more.items() if k != "by_random"},
        )

    return Kind(S, f"{choice[0]}: {name}" if len(choice) == 1 else name, tail, part, what, make, never, undecidable)


def _k(change: Callable) -> dict[str, Callable]:
    return {"key": lambda v, w: change(v)}


def _f(change: Callable) -> dict[str, Callable]:
    return {"field": lambda v, w: change(v)}


def _template(text: str) -> dict[str, Callable]:
    return {"template": lambda v, w: text}


def _without(name: str) -> dict[str, Callable]:
    return {"headers": lambda hs, w: [h for h in hs if name not in h[0].lower()]}


def _b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _off(seconds: int) -> dict[str, Callable]:
    return {"time": lambda v, w: str(int(v) + seconds)}


BY = {"by_random": True}
COMMON = [
    row("body alone signed", TEXT + "|" + TIME + "|" + ID, r"time|id\b|" + MISSING + "|alone|only", _template("{body}"), TIMED),
    row("id left out of what is signed", ID + "|" + TEXT, MISSING + "|id", _template("{time}.{body}"), WITH_ID),
    row("time left out of what is signed", TIME + "|" + TEXT, MISSING + "|time", _template("{id}.{body}"), WITH_ID),
    row("id and time exchanged", ID + "|" + TIME + "|" + TEXT, ORDER, _template("{time}.{id}.{body}"), WITH_ID),
    row("body before the time", TEXT + "|" + TIME, ORDER, _template("{body}.{time}"), "stripe"),
    row("parts joined by nothing", TEXT, r"join|separat|dot|nothing|without", _template("{time}{body}"), "stripe"),
    row("parts joined by nothing", TEXT, r"join|separat|dot|nothing|without", _template("{id}{time}{body}"), WITH_ID),
    row("parts joined by colons", TEXT, r"join|separat|dot|colon", _template("{id}:{time}:{body}"), WITH_ID),
    row("parts joined by line breaks", TEXT, r"join|separat|dot|line|\\n", _template("{time}\n{body}"), "stripe"),
    row("version left out of what is signed", TEXT + "|version", r"v0|version|" + MISSING, _template("{time}:{body}"), ("slack", "zoom")),
    row("version v1 in what is signed", TEXT + "|version", r"v0|v1|version", _template("v1:{time}:{body}"), ("slack", "zoom")),
    row("dots for colons in what is signed", TEXT, r"join|separat|dot|colon", _template("v0.{time}.{body}"), ("slack", "zoom")),
    row("secret with its whsec_", KEY, r"whsec|prefix|without decoding", {"key": lambda v, w: w.shown.encode()}, WITH_ID),
    row("secret not decoded from base64", KEY, r"base64|decod", {"key": lambda v, w: w.secret.encode()}, WITH_ID),
    row("secret decoded as URL-safe base64 of the whole text", KEY, r"base64|whsec|prefix|decod", {"key": lambda v, w: axes.unbase64(w.shown)}, WITH_ID),
    row("secret decoded from base64", KEY, r"base64|decod", {"key": lambda v, w: axes.unbase64(w.secret)}, JSON[2:]),
    row("signature in base64 for hex", PROOF, r"base64|hex", {"spell": _b64}, HEXED),
    row("signature in hex for base64", PROOF, r"hex|base64", {"spell": bytes.hex}, BASE64),
    row("prefix left out", SIGNATURE, r"prefix|v1|v0|h1|sha256|version|" + MISSING, {"prefix": lambda v, w: ""}, (*TIMED, "github")),
    row("prefix sha1= for sha256=", SIGNATURE, r"sha1|sha256|prefix", {"prefix": lambda v, w: "sha1="}, "github"),
    row("prefix v0", SIGNATURE, r"v0|v1|version|prefix", {"prefix": lambda v, w: v.replace("v1", "v0")}, ("stripe", *WITH_ID)),
    row("prefix v1=", SIGNATURE, r"v1=|v1,|comma|prefix", {"prefix": lambda v, w: "v1="}, WITH_ID),
    row("SHA-1 and its field's old name", SIGNATURE, r"x-hub-signature|sha-?1", {"field name": lambda v, w: "X-Hub-Signature", "mac": axes.mac("sha1"), "prefix": lambda v, w: "sha1="}, "github"),
    row("SHA-1 under sha256=", PROOF + "|hash|algorithm", r"sha-?1|length|40|64|hash", {"mac": axes.mac("sha1")}, "github"),
    row("SHA-256 for SHA-1", PROOF + "|hash|algorithm", r"sha-?256|sha-?1|hash|length", {"mac": axes.mac("sha256")}, "twilio"),
    row("time in milliseconds", TIME, r"milli|unit|1000|digit|future|ahead", {"time": lambda v, w: v + "000"}, TIMED, False, (FALSE_KEY, FALSE_CLOCK, r"\| nothing \|")),
    row("clock behind", TIME, OFF, lambda r: _off(-r.randrange(400, 9000)), TIMED, **BY),
    row("clock ahead", TIME, OFF, lambda r: _off(r.randrange(400, 9000)), TIMED, **BY),
    row("delivered late from a queue", TIME, OFF, lambda r: _off(-r.randrange(3600, 86400)), TIMED, **BY),
    row("another time sent than signed", TIME, r"time|second|changed", lambda r: {"time sent": lambda v, w, d=r.randrange(1, 9): str(int(v) + d), "time item": lambda v, w, d=r.randrange(1, 9): str(int(v) + d)}, TIMED, **BY),
    row("id made anew for the next attempt", ID, r"\bid\b|no usual", lambda r: {"id sent": lambda v, w, n=token(r, 20): f"msg_{n}"}, WITH_ID, undecidable="the signed id is nowhere in the request", **BY),
    row("time's field left out", TIME, MISSING, _without("timestamp"), FIELDED),
    row("id's field left out", ID, MISSING, _without("-id"), WITH_ID),
    row("time's item left out", TIME, MISSING + r"|t=", {"field": lambda v, w: v.replace(f"t={w.at},", "").replace(f"ts={w.at};", "")}, ("stripe", "paddle")),
    row("signature's field left out", SIGNATURE, MISSING + "|no cred|carries no", {"headers": lambda hs, w: [h for h in hs if h[0] != PROFILES[w.profile][0]]}, never=(r"in the field content-type",)),
    row("signature's field called X-Signature", PLACE, r"x-signature", {"field name": lambda v, w: "X-Signature"}),
    row("signature in Authorization", PLACE, r"authorization", {"field name": lambda v, w: "Authorization"}, undecidable="Authorization may be another scheme's: which field was meant is found for its value only"),
    row("signature's field with underscores", PLACE, r"_|underscore", {"field name": lambda v, w: v.replace("-", "_")}),
    row("field of another sender", PLACE, r"webhook-signature|svix", {"field name": lambda v, w: "X-Webhook-Signature"}, JSON),
    row("two lines of the signature", SIGNATURE, r"two|twice|2\b|several|more than one|repeated|lines", {"headers": lambda hs, w: [*hs, hs[1]]}),
    row("delivered twice", ID + "|replay|signature|message", r"replay|used|before|once|twice", {}, (*TIMED, "github"), replay=True),
    row("body parsed and written anew on the way", BODY, r"json|blank|space|number", {"body sent": lambda v, w: json.dumps(json.loads(v), ensure_ascii=False).encode()}, JSON),
    row("body compact on the way", BODY, r"json|number", {"body sent": lambda v, w: json.dumps(json.loads(v), ensure_ascii=False, separators=(",", ":")).encode()}, JSON),
    row("body sorted on the way", BODY, r"json|order|sort|number", {"body sent": lambda v, w: json.dumps(json.loads(v), ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()}, JSON),
    row("body with a line break on the way", BODY, LF, {"body sent": lambda v, w: v + b"\n"}),
    row("body without its last line break on the way", BODY, LF, {"body signed": lambda v, w: v + b"\n"}, JSON),
    row("body empty on the way", BODY, EMPTY, {"body sent": lambda v, w: b""}, JSON),
    row("body unzipped on the way", BODY, r"gzip|compress|content[- ]coding", {"body signed": lambda v, w: axes.gzip.compress(v, mtime=0)}, JSON),
    row("body's other member signed", BODY, r"data|member|json|body", {"body signed": lambda v, w: json.dumps(json.loads(v)["lines"], separators=(",", ":")).encode()}, JSON, undecidable="which member the client took is one of any number of cuts of the body"),
    row("http for https behind a proxy", r"url|scheme|http|origin", r"http\b|scheme|https|PublicURL|TLS", {"scheme sent": lambda v, w: "http"}, URLS),
    row("internal host behind a proxy", HOST + "|url", r"host|authority|PublicURL|proxy", {"host sent": lambda v, w: "10.1.2.3:8080"}, URLS, undecidable="the host that was signed is nowhere in the request"),
    row("prefix taken off behind a proxy", TARGET, r"prefix|path|strip|PublicURL", {"target signed": lambda v, w: "/api" + v}, URLS),
    row("port in the URL", HOST + "|url", r"port|443", {"host signed": lambda v, w: v + ":443"}, URLS),
    row("query left out of the URL", TARGET, r"query", {"target signed": lambda v, w: v.partition("?")[0]}, URLS),
    row("URL with a slash", TARGET, r"slash", {"target signed": lambda v, w: v.replace("?", "/?")}, URLS),
    row("URL left out", TARGET, MISSING + "|url", {"url": lambda v, w: ""}, URLS),
    row("URL of the tunnel", HOST + "|url", r"host|ngrok|authority", lambda r: {"host signed": lambda v, w, n=word(r): f"{n}.ngrok.io"}, URLS, undecidable="the tunnel's name was drawn at random", **BY),
    row("form's parameters not sorted", r"form|body|order", ORDER, {"pairs": lambda v, w: w.pairs}, "twilio"),
    row("form as it is, encoded", r"form|body|encod", r"encod|decod|form|raw", {"form": lambda v, w: w.body.decode()}, "twilio"),
    row("form joined by = and &", r"form|body|join", r"join|separat|&|name", {"form": lambda v, w: "&".join(f"{n}={x}" for n, x in sorted(w.pairs))}, "twilio"),
    row("form left out", r"form|body", MISSING + "|form|body", {"form": lambda v, w: ""}, "twilio"),
    row("form's empty values left out", r"form|body|empty", EMPTY + "|added", {"pairs": lambda v, w: [p for p in v if p[1]]}, "twilio"),
    row("form's values only", r"form|body|name", r"name|value|" + MISSING, {"form": lambda v, w: "".join(x for _, x in sorted(w.pairs))}, "twilio"),
    row("form sent as JSON", r"form|body|json|content|bodySHA256", r"json|form|content-type|bodySHA256", {"body sent": lambda v, w: json.dumps(dict(w.pairs)).encode(), "headers": lambda hs, w: [("Content-Type", "application/json"), *hs[1:]]}, "twilio"),
]  # fmt: skip

TAIL = [
    row("what is signed after a byte order mark", TEXT + "|body", r"byte order|BOM", {"text": lambda v, w: b"\xef\xbb\xbf" + v}, ALL, True),
    row("what is signed in base64", TEXT + "|body", r"base64", {"text": lambda v, w: base64.b64encode(v)}, ALL, True),
    row("what is signed in small letters", TEXT + "|body|case", CASE, {"text": lambda v, w: v.lower()}, ALL, True),
    row("what is signed with a dot at its end", TEXT, r"dot|trailing|end|join|separat", {"text": lambda v, w: v + b"."}, WITH_ID, True),
    row("what is signed with a dot in front", TEXT, r"dot|leading|front|join|separat|empty", {"text": lambda v, w: b"." + v}, WITH_ID, True),
    row("what is signed joined by blanks", TEXT, BLANK + "|join|separat", _template("{id} {time} {body}"), WITH_ID, True),
    row("what is signed joined by bars", TEXT, r"\||bar|pipe|join|separat", _template("{id}|{time}|{body}"), WITH_ID, True),
    row("what is signed joined by commas", TEXT, r"comma|join|separat", _template("{time},{body}"), ("stripe", "paddle"), True),
    row("what is signed with t=", TEXT + "|" + TIME, r"t=|name|label|prefix", _template("t={time}.{body}"), "stripe", True),
    row("what is signed with ts=", TEXT + "|" + TIME, r"ts=|name|label|prefix", _template("ts={time}:{body}"), "paddle", True),
    row("what is signed with v1 in front", TEXT + "|version", r"v1|version|prefix", _template("v1.{id}.{time}.{body}"), WITH_ID, True),
    row("what is signed with sha256= in front", TEXT + "|prefix", r"sha256=|prefix", _template("sha256={body}"), "github", True),
    row("a dot for Paddle's colon", TEXT, r"dot|colon|join|separat", _template("{time}.{body}"), "paddle", True),
    row("a colon for Stripe's dot", TEXT, r"dot|colon|join|separat", _template("{time}:{body}"), "stripe", True),
    row("URL signed with GitHub's body", TEXT + "|url", r"url", {"template": lambda v, w: "{url}{body}"}, ("github", "shopify", "line"), True),
    row("method signed with the body", TEXT + "|method", r"method|POST", _template("POST{body}"), ("github", "shopify", "line"), True),
    row("path signed with the body", TEXT + "|path|target|url", r"path|target|url", {"template": lambda v, w: "{url}{body}", "url": lambda v, w: w.target.partition("?")[0]}, ("github", "shopify", "line", "square"), True),
    row("URL behind Square's body", TEXT + "|url", ORDER, _template("{body}{url}"), "square", True),
    row("URL and body joined by a line break", TEXT + "|url", LF + "|join|separat", _template("{url}\n{body}"), "square", True),
    row("URL encoded", TARGET, PERCENT, {"url": lambda v, w: urllib.parse.quote(v, safe="")}, URLS, True),
    row("URL decoded", TARGET, PERCENT, {"url": lambda v, w: urllib.parse.unquote(v)}, URLS, True),
    row("URL with + for %20", TARGET, r"plus|\+|%20|blank|space", {"url": lambda v, w: v.replace("%20", "+")}, URLS, True),
    row("URL with the host in capitals", HOST + "|url", CASE, {"host signed": lambda v, w: v.upper()}, URLS, True),
    row("URL with www", HOST + "|url", r"www", {"host signed": lambda v, w: "www." + v}, URLS, True),
    row("URL without its scheme", r"url|scheme|http", r"scheme|https?|begins the URL|" + MISSING, {"url": lambda v, w: v.partition("//")[2]}, URLS, True),
    row("URL's path alone", r"url|path|host|scheme", r"path|host|scheme|" + MISSING, {"url": lambda v, w: w.target}, URLS, True),
    row("URL with a fragment", TARGET, r"fragment|#", {"url": lambda v, w: v + "#a"}, URLS, True),
    row("URL with port 8443", HOST + "|url", r"port|8443", {"host signed": lambda v, w: v + ":8443"}, URLS, True),
    row("URL with the user of Basic", HOST + "|url", r"user", {"host signed": lambda v, w: "hook:pw@" + v}, URLS, True),
    row("URL in quotes", TARGET, QUOTE, {"url": lambda v, w: f'"{v}"'}, URLS, True),
    row("URL with a blank behind", TARGET, BLANK, {"url": lambda v, w: v + " "}, URLS, True),
    row("URL in small letters", TARGET, CASE, {"url": lambda v, w: v.upper()}, URLS, True),
    row("query parameter added on the way", TARGET, r"utm|query|add", {"target sent": lambda v, w: v + "&utm_id=5"}, URLS, True),
    row("path's slash doubled on the way", TARGET, r"slash", {"target sent": lambda v, w: "/" + v}, URLS, True),
    row("form sorted backwards", r"form|body|order", ORDER + "|revers", {"pairs": lambda v, w: sorted(v)[::-1]}, "twilio", True),
    row("form sorted without regard to case", r"form|body|order|case", ORDER + "|case", {"pairs": lambda v, w: sorted([*w.pairs, ("body2", "x")], key=lambda p: p[0].lower()), "body sent": lambda v, w: v + b"&body2=x"}, "twilio", True),
    row("form's blanks as +", r"form|body", r"plus|\+|blank|space|encod|decod", {"form": lambda v, w: v.replace(" ", "+")}, "twilio", True),
    row("form in Latin-1", r"form|body|charset", r"latin|charset|character|utf", {"form": lambda v, w: v.encode("latin-1").decode("utf-8", "surrogateescape")}, "twilio", True),
    row("form's values stripped", r"form|body", BLANK + "|line", {"pairs": lambda v, w: [(n, x.strip()) for n, x in sorted([*w.pairs, ("Note", " a ")])], "body sent": lambda v, w: v + b"&Note=+a+"}, "twilio", True),
    row("form with a parameter added by a proxy", r"form|body", r"add|via", {"body sent": lambda v, w: v + b"&via=edge"}, "twilio", True),
    row("form's non-ASCII dropped", r"form|body|character", r"ascii|character|drop|" + MISSING, {"form": lambda v, w: v.encode("ascii", "ignore").decode()}, "twilio", True),
    row("form's ampersands as HTML", r"form|body", r"amp|html|entit|escap", {"form": lambda v, w: v.replace("&", "&amp;")}, "twilio", True),
    row("time with a fraction", TIME, r"fraction|decimal|digit|integer|\.", {"time": lambda v, w: v + ".25"}, TIMED, True, (FALSE_KEY, FALSE_CLOCK, r"\| nothing \|")),
    row("time as ISO 8601", TIME, r"iso|8601|text|date|digit|decimal|number|seconds", {"time": lambda v, w: axes.stamp(int(v), "%Y-%m-%dT%H:%M:%SZ")}, TIMED, True, (FALSE_KEY, FALSE_CLOCK, r"\| nothing \|")),
    row("time as an HTTP date", TIME, r"date|text|digit|decimal|number|seconds", {"time": lambda v, w: axes.stamp(int(v), "%a, %d %b %Y %H:%M:%S GMT")}, FIELDED, True),
    row("time in microseconds", TIME, r"micro|unit|digit|future|ahead", {"time": lambda v, w: v + "000000"}, TIMED, True, (FALSE_KEY, FALSE_CLOCK, r"\| nothing \|")),
    row("time in nanoseconds", TIME, r"nano|unit|digit|future|ahead", {"time": lambda v, w: v + "000000000"}, TIMED, True, (FALSE_KEY, FALSE_CLOCK, r"\| nothing \|")),
    row("time in minutes", TIME, r"minute|unit|" + OFF, {"time": lambda v, w: str(int(v) // 60)}, TIMED, True, (FALSE_KEY, FALSE_CLOCK, r"\| nothing \|")),
    row("time since 2001", TIME, OFF + "|2001|apple|epoch", {"time": lambda v, w: str(int(v) - 978_307_200)}, TIMED, True),
    row("time with a blank", TIME, BLANK + "|digit", {"time": lambda v, w: v + " "}, TIMED, True, (FALSE_KEY, FALSE_CLOCK, r"\| nothing \|")),
    row("time in quotes", TIME, QUOTE + "|digit", {"time": lambda v, w: f'"{v}"'}, TIMED, True, (FALSE_KEY, FALSE_CLOCK, r"\| nothing \|")),
    row("time with leading zeros", TIME, r"zero|digit", {"time": lambda v, w: "00" + v}, TIMED, True, (FALSE_KEY, FALSE_CLOCK, r"\| nothing \|")),
    row("time empty", TIME, EMPTY + "|digit", {"time": lambda v, w: ""}, TIMED, True),
    row("time undefined", TIME, r"undefined|placeholder|digit|number", {"time": lambda v, w: "undefined"}, TIMED, True),
    row("time signed in milliseconds, sent in seconds", TIME, r"milli|unit|1000", {"time signed": lambda v, w: v + "000"}, TIMED, True),
    row("time signed in seconds with a fraction", TIME, r"fraction|decimal|\.0", {"time signed": lambda v, w: v + ".0"}, TIMED, True),
    row("time signed as ISO 8601", TIME, r"iso|8601|date|format|3339", {"time signed": lambda v, w: axes.stamp(int(v), "%Y-%m-%dT%H:%M:%SZ")}, TIMED, True),
    row("time signed a second before", TIME, r"time|second", {"time signed": lambda v, w: str(int(v) - 1)}, TIMED, True),
    row("clock in a zone of its own", TIME, OFF, lambda r: _off(3600 * r.randrange(1, 12)), TIMED, True, **BY),
    row("id with its dots replaced", ID, r"\bid\b|dot|prefix|msg_", {"id signed": lambda v, w: v.replace("msg_", "")}, WITH_ID, True),
    row("id in capitals", ID, CASE, {"id signed": lambda v, w: v.upper()}, WITH_ID, True),
    row("id in quotes", ID, QUOTE, {"id signed": lambda v, w: f'"{v}"'}, WITH_ID, True),
    row("id undefined", ID, r"undefined|placeholder|\bid\b", {"id signed": lambda v, w: "undefined"}, WITH_ID, True),
    row("id empty", ID, EMPTY, {k: lambda v, w: "" for k in ("id signed", "id sent")}, WITH_ID, True),
    row("id with a dot", ID, r"dot|\.", {k: lambda v, w: v + ".1" for k in ("id signed", "id sent")}, WITH_ID, True),
    row("id's field of Svix beside Webhook's", ID + "|" + TIME + "|field", r"svix|webhook|mixed|" + MISSING, {"headers": lambda hs, w: [(n.replace("Webhook-Id", "Svix-Id"), v) for n, v in hs]}, "standard", True),
    row("signature with v1 twice", SIGNATURE, DOUBLED + "|v1|prefix", _f(lambda v: v.replace("v1,", "v1,v1,")), WITH_ID, True),
    row("signature joined by commas to another", SIGNATURE, r"comma|blank|space|separat|v1", _f(lambda v: v[:-4] + "AAA=," + v), WITH_ID, True),
    row("signature v1a for v1", SIGNATURE + "|algorithm", r"v1a|ed25519|algorithm", {"prefix": lambda v, w: "v1a,"}, WITH_ID, True),
    row("signature with a blank after its comma", SIGNATURE + "|" + PROOF, BLANK, _f(lambda v: v.replace(",", ", ")), (*WITH_ID,), True),
    row("items joined by semicolons", SIGNATURE, r"semicolon|comma|separat", _f(lambda v: v.replace(",", ";")), "stripe", True),
    row("items joined by commas", SIGNATURE, r"semicolon|comma|separat", _f(lambda v: v.replace(";", ",")), "paddle", True),
    row("items with colons", SIGNATURE, r"colon|equal|item|t=", _f(lambda v: v.replace("=", ":")), ("stripe", "paddle"), True),
    row("items in the wrong names", SIGNATURE + "|" + TIME, r"timestamp|t=|ts=|name|" + MISSING, _f(lambda v: v.replace("ts=", "timestamp=").replace("t=", "timestamp=")), ("stripe", "paddle"), True),
    row("items with blanks", SIGNATURE, BLANK + "|t=|item|=", _f(lambda v: v.replace("=", " = ")), ("stripe", "paddle"), True),
    row("prefix sha256: for sha256=", SIGNATURE, r"colon|prefix|sha256", {"prefix": lambda v, w: "sha256:"}, "github", True),
    row("prefix SHA256= in capitals", SIGNATURE, CASE + "|prefix|sha256", {"prefix": lambda v, w: "SHA256="}, "github", True),
    row("prefix sha-256=", SIGNATURE, r"hyphen|prefix|sha-?256", {"prefix": lambda v, w: "sha-256="}, "github", True),
    row("prefix sha256= where none is", SIGNATURE, r"prefix|sha256", {"prefix": lambda v, w: "sha256="}, ("shopify", "line", "square"), True),
    row("prefix v1= for v0=", SIGNATURE, r"v1|v0|prefix|version", {"prefix": lambda v, w: "v1="}, ("slack", "zoom"), True),
    row("signature in X-Forwarded-Signature of a mesh", PLACE, r"x-forwarded-signature", {"field name": lambda v, w: "X-Forwarded-Signature"}, ALL, True),
    row("signature in the query", PLACE, r"query|target", {"headers": lambda hs, w: [h for h in hs if h[0] != PROFILES[w.profile][0]], "target sent": lambda v, w: v + "&signature=" + urllib.parse.quote(PROFILES[w.profile][1] + compute(w, Steps(w, {}))[2], safe="")}, JSON, True),
    row("signature in a cookie", PLACE, r"cookie", {"headers": lambda hs, w: [(n, v) if n != PROFILES[w.profile][0] else ("Cookie", "sig=" + urllib.parse.quote(v, safe="")) for n, v in hs]}, ALL, True),
    row("field's name in the value", SIGNATURE, r"name|prefix|front|" + PLACE, {"field": lambda v, w: f"{PROFILES[w.profile][0]}: {v}"}, ALL, True),
    row("field in quotes", SIGNATURE, QUOTE, _f(lambda v: f'"{v}"'), ALL, True),
    row("field percent-encoded", SIGNATURE, PERCENT, _f(lambda v: urllib.parse.quote(v, safe="")), (*WITH_ID, *HEXED), True),
    row("field as JSON", SIGNATURE, r"json|quot|bracket|list", _f(lambda v: json.dumps([v])), ALL, True),
    row("field is undefined", SIGNATURE, r"undefined|placeholder|variable", _f(lambda v: "undefined"), ALL, True),
    row("field is a variable", SIGNATURE, r"variable|placeholder|\{\{|unset", _f(lambda v: "{{signature}}"), ALL, True),
    row("field is empty", SIGNATURE, EMPTY, _f(lambda v: ""), ALL, True),
    row("field is the secret itself", SIGNATURE + "|secret", r"secret|itself|" + KEY, {"field": lambda v, w: PROFILES[w.profile][1] + w.secret}, ("github", "shopify", "line"), True),
    row("secret of the test mode", KEY, r"key|secret", lambda r: _k(lambda v, n=token(r, 32): n.encode()), ALL, True, undecidable="the other secret is known to nobody here", **BY),
    row("secret with v1, in front", KEY, r"v1|prefix|base64|whsec", {"key": lambda v, w: f"v1,{w.shown}".encode()}, WITH_ID, True),
    row("secret in whsec_ in small letters", KEY, CASE + "|base64|whsec", {"key": lambda v, w: w.shown.lower().encode()}, WITH_ID, True),
    row("secret without whsec_ in hex", KEY, HEX, {"key": lambda v, w: v.hex().encode()}, WITH_ID, True),
    row("body of another delivery", BODY, r"body|no usual|changed|another", lambda r: {"body signed": lambda v, w, n=r.randrange(10**6): b'{"id":%d}' % n}, JSON, True, undecidable="the other body is nowhere in the request", **BY),
    row("two mistakes: secret with whsec_ and hex", KEY + "|" + PROOF, r"whsec|prefix|hex|base64", {"key": lambda v, w: w.shown.encode(), "spell": bytes.hex}, WITH_ID, True),
    row("two mistakes: body alone and no prefix", TEXT + "|" + SIGNATURE, r"prefix|alone|only|v1|v0|time|" + MISSING, {**_template("{body}"), "prefix": lambda v, w: ""}, TIMED, True),
    row("two mistakes: milliseconds and base64", TIME + "|" + PROOF, r"milli|unit|base64|hex|digit|future", {"time": lambda v, w: v + "000", "spell": _b64}, ("stripe", "slack", "zoom"), True),
    row("two mistakes: body with blanks and http", BODY + "|url|scheme", r"json|blank|space|http|scheme|number", {"body sent": lambda v, w: json.dumps(json.loads(v), ensure_ascii=False).encode(), "scheme sent": lambda v, w: "http"}, "square", True),
]  # fmt: skip


def _secret(r: random.Random, f: Callable) -> Case | None:
    profile = r.choice(ALL)
    w = draw(r, profile)
    if f is axes.UNHEX:
        if profile in WITH_ID:
            return None
        w.secret = w.shown = r.randbytes(20).hex()
    key = f(w.shown)
    if profile in WITH_ID and key is not None:
        # the octets behind whsec_: what was done to the text is undone by the client's decoder, where it can
        key = f(w.secret)
    return None if key is None or key == w.shown.encode() else case(r, {"key": lambda k, _: key}, profile, drawn=w)


def _spelled(r: random.Random, index: int) -> Case:
    profile = r.choice(ALL)
    spell = (lambda b: base64.b64encode(b).decode()) if profile in BASE64 else bytes.hex
    return case(r, {"spell": axes.proofs(spell)[index][2]}, profile)


def _bodies(r: random.Random, f: Callable) -> Case:
    return case(r, {"body signed": lambda b, w: f(b)}, r.choice(JSON))


_SPELL = [(i, each) for i, each in enumerate(axes.proofs(bytes.hex))]
KINDS = [
    *COMMON, *TAIL,
    *axes.kinds(S, axes.SECRETS, KEY, _secret, (FALSE_CLOCK,)),
    *axes.kinds(S, axes.HASHES, PROOF + "|" + KEY + "|" + TEXT + "|algorithm|hash", lambda r, f: case(r, {"mac": f}, r.choice(JSON)), NEVER),
    *(Kind(S, name, tail, PROOF, what, lambda r, i=i: _spelled(r, i), NEVER) for i, (tail, name, _, what) in _SPELL),
    *axes.kinds(S, axes.BODIES, BODY, _bodies, NEVER, "signed "),
]  # fmt: skip
