"""Mistakes of clients of AWS's Signature Version 4, in the header and in presigned URLs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.unlisted import axes
from bench.unlisted.cases import (
    B64, BLANK, BODY, CASE, CUT, DOUBLED, EMPTY, FALSE_CLOCK, FALSE_KEY, HASHED, HEX, HOST, KEY, LF, METHOD, MISSING, NOW, OFF, ORDER,
    PERCENT, PLACEHOLDER, PROOF, QUOTE, TARGET, TEXT, TIME, Case, Kind, Steps, host, json_body, token, word, world,
)  # fmt: skip
from watchword import Guard, Policy, Request, SigV4Verifier
from watchword.stores import MemoryStore

S = "sigv4"
NEVER = (FALSE_KEY, FALSE_CLOCK)
SCOPE = r"scope|credential|region|service|date"
DERIVED = r"\bkey\b|signing key|secret|derive|scope|region|service|date|aws4"
FIELDS = r"signed ?headers|header|field|canonical|host|x-amz"
PLACE = r"place|field|header|cookie|query|authori[sz]ation|proxy|body|credential"
GRAMMAR = r"param|authori|credential|grammar|field|scheme|word|signed ?headers|signature|algorithm"


def quote(text: str, safe: str = "-_.~") -> str:
    return urllib.parse.quote(text, safe=safe)


def draw(r: random.Random, target_path: str = "", target_query: str = "") -> Any:
    now = datetime.fromtimestamp(NOW - r.randrange(5, 200), UTC)
    plain = f"/{word(r)}/{word(r, 2)} {word(r, 2)}/{r.randrange(10, 999)}"
    return world(
        r=r, access="AKIA" + token(r, 16).upper(), secret=token(r, 36) + "+/x=" [: r.randrange(2, 5)], other=token(r, 40), other_access="AKIA" + token(r, 16).upper(),
        subject=word(r), region=r.choice(["eu-central-1", "us-east-1", "ap-south-1"]), service=word(r), when=now, amzdate=now.strftime("%Y%m%dT%H%M%SZ"),
        day=now.strftime("%Y%m%d"), host=host(r), method=r.choice(["POST", "PUT"]), path=target_path or quote(plain, "/-_.~"),
        query=target_query or f"{word(r, 2)}b=x%20{word(r)}&A{word(r, 2)}={r.randrange(99)}&{word(r, 2)}a=%2F{word(r)}", body=json_body(r), meta=f"{word(r)}  {word(r)}",
        expires=str(r.randrange(60, 900) * 10),
    )  # fmt: skip


def canonical_path(path: str) -> str:
    return quote(path, "/-_.~")


def canonical_query(query: str) -> str:
    pairs = [tuple(part.partition("=")[::2]) for part in query.split("&") if part]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _chain(secret: bytes, day: str, region: str, service: str, end: str, prefix: bytes = b"AWS4") -> bytes:
    key = prefix + secret
    for part in (day, region, service, end):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def compute(w: Any, step: Steps, presigned: bool = False) -> tuple[Request, bytes, str]:
    hashed = (
        "UNSIGNED-PAYLOAD"
        if presigned and w.service == "s3"
        else hashlib.sha256(step("body signed", b"" if presigned else w.body)).hexdigest()
    )
    payload = step("payload hash", hashed)
    amzdate, day = step("time", w.amzdate), step("day", w.day)
    fields = {"host": step("host signed", w.host)}
    if not presigned:
        fields |= {
            "content-type": "application/json",
            "x-amz-date": step("time signed", amzdate),
            "x-amz-content-sha256": payload,
            "x-amz-meta-note": w.meta,
        }
    names = step("names", sorted(fields))
    fields = step("fields signed", fields)
    written = step("signed headers", ";".join(names))
    lines = step("field lines", [f"{name}:{' '.join(fields.get(name, '').split())}" for name in names])
    scope = step(
        "scope", f"{day}/{step('region', w.region)}/{step('service', w.service)}/{step('end', 'aws4_request')}"
    )
    query = w.query
    if presigned:
        params = step("params", {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{step('access', w.access)}/{scope}", "X-Amz-Date": amzdate,
            "X-Amz-Expires": step("expires", w.expires), "X-Amz-SignedHeaders": written,
        })  # fmt: skip
        query += "".join(f"&{name}={step('param written', quote(value))}" for name, value in params.items())
    method = "GET" if presigned else w.method
    parts = [
        step("method signed", method), step("path signed", w.path if w.service == "s3" else canonical_path(w.path)),
        step("query signed", canonical_query(step("query raw", query))), step("fields text", "\n".join(lines) + "\n"), step("names signed", written), payload,
    ]  # fmt: skip
    request_text = step("canonical", "\n".join(step("parts", parts)))
    text = "\n".join(step("text parts", [
        step("algorithm signed", "AWS4-HMAC-SHA256"), step("time in text", amzdate), step("scope in text", scope),
        step("canonical hash", hashlib.sha256(request_text.encode("utf-8", "surrogateescape")).hexdigest()),
    ]))  # fmt: skip
    octets = step("text", text.encode())
    secret = step("key", w.secret.encode())
    chain = scope.split("/")
    key = step.run("derive", lambda s, c, w: _chain(s, *c[:4]), secret, chain + [""] * (4 - len(chain)), w)
    signature = step.run("spell", bytes.hex, step.run("mac", axes.mac("sha256"), key, octets))
    if presigned:
        query = step("query made", f"{query}&X-Amz-Signature={signature}")
        headers = step("headers", [("Accept", "*/*")])
    else:
        query = step("query made", query)
        value = step(
            "field",
            f"AWS4-HMAC-SHA256 Credential={step('access', w.access)}/{scope}, SignedHeaders={written}, Signature={signature}",
        )
        headers = step("headers", [
            ("Content-Type", "application/json"), ("X-Amz-Date", amzdate), ("X-Amz-Content-Sha256", payload), ("X-Amz-Meta-Note", w.meta), ("Authorization", value),
        ])  # fmt: skip
    target = step("target sent", f"{w.path}?{query}")
    request = Request(step("method sent", method), "https", step("host sent", w.host), target, headers)
    return request, step("body sent", b"" if presigned else w.body), signature


def case(
    r: random.Random,
    table: dict[str, Callable],
    presigned: bool = False,
    drawn: Any = None,
    replay: bool = False,
    **options: Any,
) -> Case:
    w = drawn or draw(r)
    if options.pop("s3", False):
        w.service = "s3"
    session = options.pop("session", None)
    genuine, body, proof = compute(w, Steps(w, {}), presigned)
    step = Steps(w, table)
    request, sent, _ = compute(w, step, presigned)
    store = MemoryStore(clock=lambda: NOW)
    store.add_access_key(w.subject, w.access, w.secret, session_token=session)
    store.add_access_key("other", w.other_access, w.other)
    guard = Guard(
        [SigV4Verifier(region=w.region, service=w.service, **options)], store, policy=Policy(clock=lambda: NOW)
    )
    secrets = [
        w.secret.encode(),
        w.other.encode(),
        _chain(w.secret.encode(), w.day, w.region, w.service, "aws4_request"),
    ]
    secrets += [session.encode()] if session else []
    return Case(
        request, guard, sent, NOW, secrets, [proof.encode()], [(genuine, body)] if replay else [], step.pairs, step.sent
    )


def row(
    name: str, part: str, what: str, table: Any, tail: bool = False, never: tuple[str, ...] = NEVER, **more: Any
) -> Kind:
    undecidable, drawn = more.pop("undecidable", ""), more.pop("drawn", None)
    prefix = "presigned: " if more.get("presigned") else ""

    def make(r: random.Random) -> Case | None:
        return case(r, table(r) if callable(table) else table, drawn=drawn(r) if drawn else None, **dict(more))

    return Kind(S, prefix + name, tail, part, what, make, never, undecidable)


def _f(change: Callable) -> dict[str, Callable]:
    return {"field": lambda v, w: change(v)}


def _at(index: int, change: Callable) -> dict[str, Callable]:
    return {"parts": lambda v, w: [*v[:index], change(v[index]), *v[index + 1 :]]}


def _text(index: int, change: Callable) -> dict[str, Callable]:
    return {"text parts": lambda v, w: [*v[:index], change(v[index]), *v[index + 1 :]]}


def _without(index: int, name: str = "parts") -> dict[str, Callable]:
    return {name: lambda v, w: [*v[:index], *v[index + 1 :]]}


def _derive(change: Callable) -> dict[str, Callable]:
    return {"derive": lambda s, c, w: change(s, c)}


def _signed_lines(change: Callable) -> dict[str, Callable]:
    return {"field lines": lambda v, w: change(v)}


def _placed(name: str, change: Callable = lambda value: value) -> dict[str, Callable]:
    return {"headers": lambda headers, w: [(n, v) if n != "Authorization" else (name, change(v)) for n, v in headers]}


def _shifted(w: Any, seconds: float) -> datetime:
    return w.when + timedelta(seconds=seconds)


def _off(seconds: float) -> dict[str, Callable]:
    return {
        "time": lambda v, w: _shifted(w, seconds).strftime("%Y%m%dT%H%M%SZ"),
        "day": lambda v, w: _shifted(w, seconds).strftime("%Y%m%d"),
    }


def _query_pairs(change: Callable) -> Callable:
    return lambda v, w: "&".join(
        f"{change(n)}={change(x)}" for n, x in sorted(p.partition("=")[::2] for p in v.split("&"))
    )


PRE = {"presigned": True}
COMMON = [
    row("path not encoded a second time", TARGET, r"encod|%25|percent|once|twice|double", {"path signed": lambda v, w: w.path}),
    row("path decoded", TARGET, PERCENT + "|decod", {"path signed": lambda v, w: urllib.parse.unquote(w.path)}),
    row("path encoded with its slashes", TARGET, r"slash|%2F|encod", {"path signed": lambda v, w: quote(w.path, "-_.~")}),
    row("path without its slash", TARGET, r"slash", {"path signed": lambda v, w: v[1:]}),
    row("path with a slash at its end", TARGET, r"slash", {"path signed": lambda v, w: v + "/"}),
    row("path with + for the blank", TARGET, r"plus|\+|%20|blank|space", {"path signed": lambda v, w: v.replace("%2520", "+")}),
    row("path with the query", TARGET, r"query", {"path signed": lambda v, w: f"{v}?{w.query}"}),
    row("path with the host", TARGET + "|host", r"host|url|authority", {"path signed": lambda v, w: f"https://{w.host}{v}"}),
    row("query not sorted", r"query", ORDER, {"query signed": lambda v, w: w.query}),
    row("query sorted without regard to case", r"query", ORDER + "|case", {"query signed": lambda v, w: "&".join(sorted(w.query.split("&"), key=str.lower))}),
    row("query left out", r"query", MISSING + "|empty|query", {"query signed": lambda v, w: ""}),
    row("query with its question mark", r"query", r"\?|question|mark", {"query signed": lambda v, w: "?" + v}),
    row("query decoded", r"query", PERCENT + "|decod", {"query signed": lambda v, w: urllib.parse.unquote(v)}),
    row("query encoded twice", r"query", DOUBLED + "|%25|encod", {"query signed": lambda v, w: v.replace("%", "%25")}),
    row("query with + for %20", r"query", r"plus|\+|%20|blank|space", {"query signed": lambda v, w: v.replace("%20", "+")}),
    row("query with small hex digits", r"query", CASE + r"|hex|%2f|percent", {"query signed": lambda v, w: v.replace("%2F", "%2f")}),
    row("query with its slash as it is", r"query", r"slash|%2F|encod", {"query signed": lambda v, w: v.replace("%2F", "/")}),
    row("host with the port", HOST, r"port|443", {"host signed": lambda v, w: f"{v}:443"}),
    row("host of the region's endpoint", HOST, r"host|amazonaws", {"host signed": lambda v, w: f"{w.service}.{w.region}.amazonaws.com"}),
    row("host in capitals", HOST, CASE, {"host signed": lambda v, w: v.upper()}),
    row("internal host on the way", HOST, r"host|authority|PublicURL|proxy|internal", {"host sent": lambda v, w: "10.0.0.7:8080"}, undecidable="the host that was signed is nowhere in the request"),
    row("body hash of another body", BODY, r"body|hash|" + EMPTY, {"body signed": lambda v, w: b""}),
    row("body hash in capitals", BODY + "|hash", CASE + "|hash|lower", {"payload hash": lambda v, w: v.upper()}),
    row("body hash in base64", BODY + "|hash", B64 + "|hex", {"payload hash": lambda v, w: base64.b64encode(bytes.fromhex(v)).decode()}),
    row("body itself for its hash", BODY, r"hash|itself", {"parts": lambda v, w: [*v[:5], w.body.decode()]}),
    row("UNSIGNED-PAYLOAD with a body", BODY, r"UNSIGNED-PAYLOAD|unsigned", {"payload hash": lambda v, w: "UNSIGNED-PAYLOAD"}),
    row("UNSIGNED-PAYLOAD in the text only", BODY, r"UNSIGNED-PAYLOAD|unsigned", _at(5, lambda v: "UNSIGNED-PAYLOAD")),
    row("body hash left out of the text", BODY + "|" + TEXT, MISSING, _without(5)),
    row("body changed on the way", BODY, r"body|hash|line", {"body sent": lambda v, w: v + b"\n"}),
    row("no line break after the fields", FIELDS + "|" + TEXT, LF + "|empty line|blank line", {"fields text": lambda v, w: v[:-1]}),
    row("fields with a blank after the colon", FIELDS, BLANK, _signed_lines(lambda ls: [x.replace(":", ": ", 1) for x in ls])),
    row("fields with capital names", FIELDS, CASE, _signed_lines(lambda ls: [x.partition(":")[0].title() + ":" + x.partition(":")[2] for x in ls])),
    row("fields not sorted", FIELDS, ORDER, _signed_lines(lambda ls: ls[::-1])),
    row("field values not joined at their blanks", FIELDS, BLANK, {"field lines": lambda v, w: [x if "meta" not in x else f"x-amz-meta-note:{w.meta}" for x in v]}),
    row("SignedHeaders not sorted", r"signed ?headers", ORDER, {"names": lambda v, w: v[::-1]}),
    row("SignedHeaders in capitals", r"signed ?headers", CASE, {"signed headers": lambda v, w: v.title()}),
    row("SignedHeaders with commas", r"signed ?headers|" + GRAMMAR, r"comma|semicolon|separat", {"signed headers": lambda v, w: v.replace(";", ",")}),
    row("SignedHeaders without host", r"host|signed ?headers", r"host", {"names": lambda v, w: [n for n in v if n != "host"]}),
    row("SignedHeaders without x-amz-date", r"x-amz-date|date|signed ?headers", r"x-amz-date", {"names": lambda v, w: [n for n in v if n != "x-amz-date"]}),
    row("SignedHeaders names what isn't sent", r"signed ?headers|x-amz-target|field", r"x-amz-target", {"names": lambda v, w: sorted([*v, "x-amz-target"]), "fields signed": lambda v, w: {**v, "x-amz-target": "A.B"}}),
    row("names left out of the text", r"signed ?headers|" + TEXT, MISSING, _without(4)),
    row("content type changed on the way", r"content-type", r"charset|content-type", {"headers": lambda hs, w: [(n, v + "; charset=utf-8" if n == "Content-Type" else v) for n, v in hs]}),
    row("a field taken away on the way", r"content-type|field", r"content-type", {"headers": lambda hs, w: [h for h in hs if h[0] != "Content-Type"]}),
    row("region of another place", r"region|scope", r"region", {"region": lambda v, w: "sa-east-1"}),
    row("service in capitals", r"service|scope", r"service", {"service": lambda v, w: v.upper()}),
    row("service execute-api", r"service|scope", r"service|execute-api", {"service": lambda v, w: "execute-api"}),
    row("scope's end aws4", r"scope|aws4|credential", r"aws4_request|end|scope", {"end": lambda v, w: "aws4"}),
    row("scope's day with dashes", SCOPE, r"day|date|dash|hyphen", {"day": lambda v, w: f"{v[:4]}-{v[4:6]}-{v[6:]}"}),
    row("scope's day is the whole time", SCOPE, r"day|date", {"day": lambda v, w: w.amzdate}),
    row("scope's day of the local zone", SCOPE, r"day|date", {"day": lambda v, w: _shifted(w, 86400).strftime("%Y%m%d")}),
    row("time an HTTP date", TIME, r"format|date|ISO|YYYY|\d{8}T", {"time": lambda v, w: w.when.strftime("%a, %d %b %Y %H:%M:%S GMT")}),
    row("time with dashes", TIME, r"format|date|ISO|YYYY|dash|\d{8}T", {"time": lambda v, w: w.when.strftime("%Y-%m-%dT%H:%M:%SZ")}),
    row("time in seconds", TIME, r"format|date|ISO|YYYY|epoch|seconds|\d{8}T", {"time": lambda v, w: str(int(w.when.timestamp()))}),
    row("clock behind", TIME, OFF, lambda r: _off(-r.randrange(1200, 9000))),
    row("clock ahead", TIME, OFF, lambda r: _off(r.randrange(1200, 9000))),
    row("another time in the text than in the field", TIME, r"time|seconds|date", lambda r: {"time in text": lambda v, w, d=r.randrange(1, 5): _shifted(w, d).strftime("%Y%m%dT%H%M%SZ")}),
    row("access key unknown", KEY, r"unknown|access key|not known|no key", lambda r: {"access": lambda v, w, n=token(r, 16).upper(): "AKIA" + n}, never=()),
    row("access key of another", KEY, r"another|other|belongs|access key", {"access": lambda v, w: w.other_access}, never=()),
    row("key and secret exchanged", KEY, r"exchang|swap|unknown|secret", {"access": lambda v, w: w.secret, "key": lambda v, w: w.access.encode()}, never=(), drawn=lambda r: _plain_secret(r)),
    row("secret of another key", KEY, r"another|other|belongs|the secret of '", {"key": lambda v, w: w.other.encode()}, never=()),
    row("AWS4 left out of the key", DERIVED, r"AWS4|prefix|" + MISSING, _derive(lambda s, c: _chain(s, *c[:4], b""))),
    row("secret as the key, nothing derived", DERIVED, r"deriv|secret|raw|scope", _derive(lambda s, c: s)),
    row("key derived of region and service exchanged", DERIVED, r"exchang|swap|order|region|service", _derive(lambda s, c: _chain(s, c[0], c[2], c[1], c[3]))),
    row("key derived of the hex of each step", DERIVED, HEX, _derive(lambda s, c: _hexed(s, c))),
    row("scheme word AWS4-HMAC-SHA1", GRAMMAR, r"AWS4-HMAC-SHA1|scheme|word|algorithm|AWS4-HMAC-SHA256", _f(lambda v: v.replace("SHA256", "SHA1", 1))),
    row("scheme word AWS", GRAMMAR, r"AWS|scheme|word|version 2", _f(lambda v: v.replace("AWS4-HMAC-SHA256", "AWS", 1))),
    row("field without commas", GRAMMAR, r"comma|separat", _f(lambda v: v.replace(",", ""))),
    row("field's values in quotes", GRAMMAR, QUOTE, _f(lambda v: v.replace("Credential=", 'Credential="').replace(", Signed", '", Signed'))),
    row("Signature left out", r"signature", MISSING, _f(lambda v: v.partition(", Signature")[0])),
    row("Credential left out", r"credential", MISSING, _f(lambda v: "AWS4-HMAC-SHA256 " + v.partition(", ")[2])),
    row("X-Amz-Date not sent", TIME, MISSING, {"headers": lambda hs, w: [h for h in hs if h[0] != "X-Amz-Date"]}),
    row("in X-Amz-Authorization", PLACE, r"x-amz-authorization", _placed("X-Amz-Authorization")),
    row("in Proxy-Authorization", PLACE, r"proxy-authorization", _placed("Proxy-Authorization")),
    row("session token not sent", r"token|session", r"token", {}, session="IQoJb3JpZ2luX2VjEXAMPLEtoken0123456789"),
    row("method in small letters", METHOD, CASE, {"method signed": lambda v, w: v.lower()}),
    row("method changed by a redirect", METHOD, r"GET|method|redirect", {"method sent": lambda v, w: "GET"}),
    row("prefix taken off on the way", TARGET, r"prefix|path|strip|PublicURL", {"target sent": lambda v, w: "/" + v.split("/", 2)[2]}, undecidable="the segment that was signed is nowhere in the request"),
    row("parameter added on the way", TARGET, r"query|add|append|utm", {"target sent": lambda v, w: v + "&utm_id=7"}),
    row("expired", TIME + "|expires", OFF, {"time": lambda v, w: _shifted(w, -90000).strftime("%Y%m%dT%H%M%SZ"), "day": lambda v, w: _shifted(w, -90000).strftime("%Y%m%d"), "expires": lambda v, w: "600"}, **PRE),
    row("X-Amz-Expires above a week", r"expires", r"604,?800|week|long|seven", {"expires": lambda v, w: "2592000"}, **PRE),
    row("X-Amz-Expires in milliseconds", r"expires", r"milli|604,?800|week|long|seven|unit", {"expires": lambda v, w: v + "000"}, **PRE),
    row("X-Amz-Expires is a time", r"expires", r"604,?800|week|long|seven|epoch|time|lifetime", {"expires": lambda v, w: str(int(NOW) + 600)}, **PRE),
    row("fetched with another method", METHOD, r"GET|HEAD|PUT|method", {"method sent": lambda v, w: "PUT"}, **PRE),
    row("ampersands of HTML", TARGET, r"amp|html|entit", {"target sent": lambda v, w: v.replace("&", "&amp;")}, **PRE),
    row("credential not encoded when signed", r"query|credential", r"slash|%2F|encod", {"query signed": lambda v, w: v.replace(f"{w.access}%2F", f"{w.access}/")}, **PRE),
    row("signature among what is signed", r"signature|query", r"signature", {"query signed": lambda v, w: v + "&X-Amz-Signature="}, **PRE),
    row("URL cut at its end", PROOF + "|query", CUT + "|64|digits", lambda r: {"target sent": lambda v, w, n=r.randrange(2, 20): v[:-n]}, **PRE),
    row("URL encoded in whole by a mailer", TARGET, DOUBLED + "|%25|encod|percent", {"target sent": lambda v, w: v.replace("%2F", "%252F")}, **PRE),
    row("host of a CDN", HOST, r"host|authority|cdn|PublicURL|proxy", {"host sent": lambda v, w: f"cdn.{v}"}, **PRE),
    row("parameter appended after signing", TARGET, r"query|add|append|download", {"target sent": lambda v, w: v + "&download=1"}, **PRE),
]  # fmt: skip


def _plain_secret(r: random.Random) -> Any:
    w = draw(r)
    w.secret = token(r, 40)
    return w


def _hexed(secret: bytes, chain: list[str]) -> bytes:
    key = b"AWS4" + secret
    for part in chain[:4]:
        key = hmac.digest(key, part.encode(), "sha256").hex().encode()
    return key


TAIL = [
    row("canonical request joined by CRLF", TEXT, r"CR ?LF|\\r|carriage|line", {"canonical": lambda v, w: v.replace("\n", "\r\n")}, True),
    row("canonical request with a line break at its end", TEXT, LF, {"canonical": lambda v, w: v + "\n"}, True),
    row("canonical request in small letters", TEXT + "|case|method", CASE, {"canonical": lambda v, w: v.lower()}, True),
    row("canonical request with a blank line too many", TEXT + "|" + FIELDS, LF + "|empty|blank|" + DOUBLED, {"fields text": lambda v, w: v + "\n"}, True),
    row("canonical request joined by literal backslash n", TEXT, r"backslash|literal|\\n", {"canonical": lambda v, w: v.replace("\n", "\\n")}, True),
    row("method and path exchanged", TEXT + "|method|path", r"exchang|swap|order|moves", {"parts": lambda v, w: [v[1], v[0], *v[2:]]}, True),
    row("names before the fields", TEXT + "|signed ?headers|header", r"exchang|swap|order|moves", {"parts": lambda v, w: [*v[:3], v[4], v[3], v[5]]}, True),
    row("method left out", METHOD + "|" + TEXT, MISSING, _without(0), True),
    row("query's line left out", r"query|" + TEXT, MISSING, _without(2), True),
    row("fields left out", FIELDS + "|" + TEXT, MISSING, _without(3), True),
    row("path left out", TARGET + "|" + TEXT, MISSING, _without(1), True),
    row("string to sign without its algorithm", r"algorithm|" + TEXT, MISSING, _without(0, "text parts"), True),
    row("string to sign without its time", TIME + "|" + TEXT, MISSING, _without(1, "text parts"), True),
    row("string to sign without its scope", r"scope|" + TEXT, MISSING, _without(2, "text parts"), True),
    row("string to sign with time and scope exchanged", r"scope|time|date|" + TEXT, r"exchang|swap|order|moves", {"text parts": lambda v, w: [v[0], v[2], v[1], v[3]]}, True),
    row("string to sign with a line break at its end", TEXT, LF, {"text": lambda v, w: v + b"\n"}, True),
    row("string to sign joined by CRLF", TEXT, r"CR ?LF|\\r|carriage|line", {"text": lambda v, w: v.replace(b"\n", b"\r\n")}, True),
    row("string to sign joined by blanks", TEXT, BLANK + "|join|separat", {"text": lambda v, w: v.replace(b"\n", b" ")}, True),
    row("string to sign hashed before its HMAC", TEXT + "|hash", HASHED, {"text": lambda v, w: hashlib.sha256(v).hexdigest().encode()}, True),
    row("canonical hash in capitals", TEXT + "|hash", CASE, {"canonical hash": lambda v, w: v.upper()}, True),
    row("canonical hash in base64", TEXT + "|hash", B64, {"canonical hash": lambda v, w: base64.b64encode(bytes.fromhex(v)).decode()}, True),
    row("canonical hash hashed again", TEXT + "|hash", DOUBLED + "|hash", {"canonical hash": lambda v, w: hashlib.sha256(v.encode()).hexdigest()}, True),
    row("canonical hash by SHA-1", TEXT + "|hash|algorithm", HASHED, {"canonical": lambda v, w: (setattr(w, "kept", v), v)[1], "canonical hash": lambda v, w: hashlib.sha1(w.kept.encode()).hexdigest()}, True),
    row("canonical request for its hash", TEXT + "|hash", r"hash|canonical request", {"canonical": lambda v, w: (setattr(w, "kept", v), v)[1], "canonical hash": lambda v, w: w.kept}, True),
    row("algorithm's name in the text by SHA1", r"algorithm|" + TEXT, r"algorithm|AWS4-HMAC", {"algorithm signed": lambda v, w: "AWS4-HMAC-SHA1"}, True),
    row("algorithm's name HMAC-SHA256", r"algorithm|" + TEXT, r"algorithm|HMAC-SHA256", {"algorithm signed": lambda v, w: "HMAC-SHA256"}, True),
    row("time in the text with dashes", TIME, r"format|dash|hyphen|iso|date", {"time in text": lambda v, w: w.when.strftime("%Y-%m-%dT%H:%M:%SZ")}, True),
    row("time in the text as an HTTP date", TIME, r"format|http|date", {"time in text": lambda v, w: w.when.strftime("%a, %d %b %Y %H:%M:%S GMT")}, True),
    row("time in the text is the day", TIME, r"day|date|format", {"time in text": lambda v, w: w.day}, True),
    row("time in the text in seconds", TIME, r"seconds|epoch|unix|format|1970", {"time in text": lambda v, w: str(int(w.when.timestamp()))}, True),
    row("time in the text of the local zone", TIME, OFF, lambda r: {"time in text": lambda v, w, h=r.randrange(1, 11): _shifted(w, 3600 * h).strftime("%Y%m%dT%H%M%SZ")}, True),
    row("time with milliseconds", TIME, r"milli|fraction|format|YYYY|\d{8}T|\.000", {"time": lambda v, w: v[:-1] + ".000Z"}, True),
    row("time without Z", TIME, r"Z|zone|format|YYYY", {"time": lambda v, w: v[:-1]}, True),
    row("time with an offset", TIME, r"Z|zone|offset|format|YYYY|\+", {"time": lambda v, w: v[:-1] + "+0000"}, True),
    row("time of twelve hours by a wrong pattern", TIME, OFF, lambda r: {"time": lambda v, w: v[:9] + "01" + v[11:]}, True),
    row("year of ISO weeks", TIME + "|scope|day", OFF + "|year|day|date", {"time": lambda v, w: "2031" + v[4:], "day": lambda v, w: "2031" + v[4:]}, True),
    row("scope in the text with another region", r"region|scope", r"region", {"scope in text": lambda v, w: v.replace(w.region, "us-west-2")}, True),
    row("scope in the text without its day", r"scope|date|day", MISSING + "|day|date|scope", {"scope in text": lambda v, w: v.partition("/")[2]}, True),
    row("scope in the text with the access key", r"scope|access|credential", r"access key|credential|AKIA", {"scope in text": lambda v, w: f"{w.access}/{v}"}, True),
    row("scope in the text without its end", r"scope|aws4_request", MISSING + "|aws4_request|end", {"scope in text": lambda v, w: v.rpartition("/")[0]}, True),
    row("scope's region and service exchanged", SCOPE, r"exchang|swap|region|service", {"scope": lambda v, w: "/".join([v.split("/")[i] for i in (0, 2, 1, 3)])}, True),
    row("scope's region is a zone", r"region|scope", r"region|zone", {"region": lambda v, w: v + "a"}, True),
    row("scope's region empty", r"region|scope", EMPTY + "|region", {"region": lambda v, w: ""}, True),
    row("scope's region undefined", r"region|scope", PLACEHOLDER + "|region", {"region": lambda v, w: "undefined"}, True),
    row("scope's region with a blank", r"region|scope|credential", BLANK + "|region", {"region": lambda v, w: v + " "}, True),
    row("scope's region in capitals", r"region|scope", CASE + "|region", {"region": lambda v, w: v.upper()}, True),
    row("scope's service with its domain", r"service|scope", r"service|domain", {"service": lambda v, w: f"{v}.amazonaws.com"}, True),
    row("scope's end aws4_requests", r"scope|end|aws4", r"aws4_request|end", {"end": lambda v, w: "aws4_requests"}, True),
    row("scope of five parts", r"scope|credential", r"part|five|scope|slash", {"scope": lambda v, w: v.replace(w.service, f"{w.service}/v4")}, True),
    row("scope joined by colons", r"scope|credential", r"slash|colon|part|scope", {"scope": lambda v, w: v.replace("/", ":")}, True),
    row("key derived without the day", DERIVED, MISSING + "|day|date|step", _derive(lambda s, c: hmac.digest(hmac.digest(hmac.digest(b"AWS4" + s, c[1].encode(), "sha256"), c[2].encode(), "sha256"), c[3].encode(), "sha256")), True),
    row("key derived without its end", DERIVED, MISSING + "|aws4_request|end|step", _derive(lambda s, c: hmac.digest(hmac.digest(hmac.digest(b"AWS4" + s, c[0].encode(), "sha256"), c[1].encode(), "sha256"), c[2].encode(), "sha256")), True),
    row("key derived of another region", DERIVED, r"region", _derive(lambda s, c: _chain(s, c[0], "us-west-2", c[2], c[3])), True),
    row("key derived of the whole time", DERIVED, r"day|date|time", {"derive": lambda s, c, w: _chain(s, w.amzdate, *c[1:4])}, True),
    row("key derived of another day", DERIVED, r"day|date", {"derive": lambda s, c, w: _chain(s, _shifted(w, -86400).strftime("%Y%m%d"), *c[1:4])}, True),
    row("key derived of small letters aws4", DERIVED, CASE + "|AWS4|prefix", _derive(lambda s, c: _chain(s, *c[:4], b"aws4")), True),
    row("key derived with AWS4 behind", DERIVED, r"AWS4|prefix|behind|suffix|order", _derive(lambda s, c: _chain(s + b"AWS4", *c[:4], b"")), True),
    row("key derived with text and key exchanged", DERIVED, r"exchang|swap|role", _derive(lambda s, c: _swapped(s, c)), True),
    row("key derived by SHA-1", DERIVED, HASHED, _derive(lambda s, c: _sha1(s, c)), True),
    row("key derived in reverse", DERIVED, r"revers|order", _derive(lambda s, c: _chain(s, *c[3::-1])), True),
    row("key in hex at the end", DERIVED, HEX, _derive(lambda s, c: _chain(s, *c[:4]).hex().encode()), True),
    row("fields with a trailing blank", FIELDS, BLANK, _signed_lines(lambda ls: [x + " " for x in ls]), True),
    row("fields joined by commas", FIELDS, r"comma|join|separat", {"fields text": lambda v, w: v.replace("\n", ",")}, True),
    row("fields with = for the colon", FIELDS, r"colon|equal", _signed_lines(lambda ls: [x.replace(":", "=", 1) for x in ls]), True),
    row("fields with small values", FIELDS, CASE, _signed_lines(lambda ls: [x.lower() for x in ls]), True),
    row("fields without x-amz-date's line", FIELDS + "|date", MISSING + "|x-amz-date", _signed_lines(lambda ls: [x for x in ls if "x-amz-date" not in x]), True),
    row("fields with a user agent not named", FIELDS, r"user-agent", _signed_lines(lambda ls: sorted([*ls, "user-agent:sdk/1"])), True, undecidable="the value was made up: no User-Agent is in the request"),
    row("fields in quotes", FIELDS, QUOTE, _signed_lines(lambda ls: [x.replace(":", ':"', 1) + '"' for x in ls]), True),
    row("names with a semicolon at the end", r"signed ?headers|names", r"semicolon|trailing|end", {"signed headers": lambda v, w: v + ";"}, True),
    row("names in the text with blanks", r"signed ?headers|names|" + TEXT, BLANK + "|separat|semicolon", {"names signed": lambda v, w: v.replace(";", "; ")}, True),
    row("names in the text with commas", r"signed ?headers|names|" + TEXT, r"comma|semicolon|separat|join", {"names signed": lambda v, w: v.replace(";", ",")}, True),
    row("names in the text in capitals", r"signed ?headers|names|" + TEXT, CASE, {"names signed": lambda v, w: v.title()}, True),
    row("names in the text hosts only", r"signed ?headers|names|" + TEXT, r"host|names|signed ?headers", {"names signed": lambda v, w: "host"}, True),
    row("names twice the host", r"signed ?headers|host", DOUBLED + "|sorted|once", {"signed headers": lambda v, w: v + ";host"}, True),
    row("names empty", r"signed ?headers", EMPTY + "|host", {"signed headers": lambda v, w: ""}, True),
    row("Content-Length signed and rewritten", r"content-length|field", r"content-length", {"names": lambda v, w: sorted([*v, "content-length"]), "fields signed": lambda v, w: {**v, "content-length": str(len(w.body))}, "headers": lambda hs, w: [*hs, ("Content-Length", str(len(w.body) + 2))]}, True),
    row("Accept-Encoding signed and rewritten by a CDN", r"accept-encoding|field", r"accept-encoding|gzip", {"names": lambda v, w: sorted([*v, "accept-encoding"]), "fields signed": lambda v, w: {**v, "accept-encoding": "gzip, br"}, "headers": lambda hs, w: [*hs, ("Accept-Encoding", "gzip")]}, True, undecidable="the value that was signed is nowhere in the request"),
    row("User-Agent signed and rewritten by a mesh", r"user-agent|field", r"user-agent", {"names": lambda v, w: sorted([*v, "user-agent"]), "fields signed": lambda v, w: {**v, "user-agent": "sdk/1"}, "headers": lambda hs, w: [*hs, ("User-Agent", "sdk/1 envoy")]}, True),
    row("an x-amz field added on the way and not signed", r"x-amz-trace|field|signed ?headers|cover", r"x-amz-trace-id|x-amz-tracing", {"headers": lambda hs, w: [*hs, ("X-Amz-Tracing", "Root=1-67891233")]}, True),
    row("meta field's blanks folded on the way", r"x-amz-meta-note|field", r"x-amz-meta-note|blank", {"headers": lambda hs, w: [(n, "other" if n == "X-Amz-Meta-Note" else v) for n, v in hs]}, True, undecidable="the value that was signed is nowhere in the request"),
    row("path normalised by the client with two slashes", TARGET, r"slash|normal", {"path signed": lambda v, w: v.replace("/", "//", 1)}, True),
    row("path in capitals' escapes lost", TARGET, CASE + "|percent", {"path signed": lambda v, w: v.lower()}, True),
    row("path with a stage of API Gateway", TARGET, r"prefix|/prod|stage|path", {"path signed": lambda v, w: "/prod" + v}, True),
    row("path of the bucket's host left out", TARGET, r"prefix|path|first|segment", {"path signed": lambda v, w: "/" + v.split("/", 2)[2]}, True),
    row("path thrice encoded", TARGET, r"encod|%25|percent|twice|times", {"path signed": lambda v, w: quote(v, "/-_.~")}, True),
    row("path always a slash", TARGET, r"\bpath\b|slash|root", {"path signed": lambda v, w: "/"}, True),
    row("path empty", TARGET, EMPTY, {"path signed": lambda v, w: ""}, True),
    row("tilde encoded", TARGET, r"tilde|~|%7E|encod", {"path signed": lambda v, w: v.replace("~", "%257E")}, True, drawn=lambda r: draw(r, f"/~{word(r)}/{word(r)}")),
    row("query's tilde encoded by an old library", r"query", r"tilde|~|%7E|encod", {"query signed": lambda v, w: v.replace("~", "%7E")}, True, drawn=lambda r: draw(r, "", f"a=~{word(r)}&b=1")),
    row("query's empty value without =", r"query", r"equal|empty|value", {"query signed": lambda v, w: v.replace("acl=", "acl")}, True, drawn=lambda r: draw(r, "", f"acl&b={word(r)}")),
    row("query's values joined by commas", r"query", r"comma|list|join|repeat|twice", {"query signed": lambda v, w: "a=1,2"}, True, drawn=lambda r: draw(r, "", "a=1&a=2")),
    row("query's values of one name not sorted", r"query", ORDER, {"query signed": lambda v, w: "a=2&a=1"}, True, drawn=lambda r: draw(r, "", "a=2&a=1")),
    row("query with brackets as they are", r"query", r"bracket|\[|%5B|encod", {"query signed": lambda v, w: urllib.parse.unquote(v)}, True, drawn=lambda r: draw(r, "", f"f%5Ba%5D={word(r)}")),
    row("query sorted by whole pairs decoded", r"query", ORDER, {"query signed": lambda v, w: "a-b=1&a=2"}, True, drawn=lambda r: draw(r, "", "a=2&a-b=1")),
    row("query joined by semicolons", r"query", r"semicolon|&|separat|join", {"query signed": lambda v, w: v.replace("&", ";")}, True),
    row("query joined by line breaks", r"query", r"line|&|separat|join", {"query signed": lambda v, w: v.replace("&", "\n")}, True),
    row("query in capitals", r"query", CASE, {"query signed": lambda v, w: v.upper()}, True),
    row("query without its first parameter", r"query", MISSING + "|query", {"query signed": lambda v, w: v.partition("&")[2]}, True),
    row("body hash by MD5", BODY + "|hash", HASHED + "|64|hex", {"payload hash": lambda v, w: hashlib.md5(w.body).hexdigest()}, True),
    row("body hash of the hash", BODY + "|hash", DOUBLED + "|hash", {"payload hash": lambda v, w: hashlib.sha256(v.encode()).hexdigest()}, True),
    row("body hash in capitals in the text only", BODY + "|hash", CASE, _at(5, str.upper), True),
    row("body hash in base64 in the text only", BODY + "|hash", B64, _at(5, lambda v: base64.b64encode(bytes.fromhex(v)).decode()), True),
    row("body hash keyed", BODY + "|hash", r"hmac|key", {"payload hash": lambda v, w: hmac.digest(w.secret.encode(), w.body, "sha256").hex()}, True),
    row("body hash empty in the text", BODY + "|hash", EMPTY, _at(5, lambda v: ""), True),
    row("body hash of {}", BODY, r"\{\}|body|hash", {"body signed": lambda v, w: b"{}"}, True),
    row("STREAMING said without chunks", BODY + "|chunk", r"STREAMING|chunk|frame", {"payload hash": lambda v, w: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}, True),
    row("x-amz-content-sha256 a literal required", BODY + "|x-amz-content-sha256", r"required|hash|hex|sha", {"payload hash": lambda v, w: "required"}, True),
    row("access key with a blank", KEY + "|credential", BLANK + "|unknown", {"access": lambda v, w: " " + v}, True),
    row("access key in small letters", KEY, CASE + "|unknown", {"access": lambda v, w: v.lower()}, True, never=()),
    row("access key is the subject", KEY, r"subject|owner|user|unknown", {"access": lambda v, w: w.subject}, True, never=()),
    row("access key a variable", KEY, PLACEHOLDER, {"access": lambda v, w: "${AWS_ACCESS_KEY_ID}"}, True, never=()),
    row("access key with its profile's name", KEY + "|credential", r"unknown|name|prefix|aws_access", {"access": lambda v, w: f"aws_access_key_id={v}"}, True, never=()),
    row("Credential encoded", GRAMMAR, PERCENT, _f(lambda v: v.replace("/", "%2F")), True),
    row("parameters joined by semicolons", GRAMMAR, r"semicolon|comma|separat|is \";\"", _f(lambda v: v.replace(", ", "; ")), True),
    row("parameters with colons", GRAMMAR, r"colon|equal", _f(lambda v: v.replace("=", ": ")), True),
    row("parameters in small letters", GRAMMAR, CASE + "|name|unknown|missing", _f(lambda v: v.replace("Credential=", "credential=").replace("Signature=", "signature=")), True),
    row("Signature called Sig", GRAMMAR, r"Sig\b|name|signature|missing", _f(lambda v: v.replace("Signature=", "Sig=")), True),
    row("parameters as JSON", GRAMMAR, r"json|brace|\{", _f(lambda v: "AWS4-HMAC-SHA256 " + json.dumps(dict(p.split("=", 1) for p in v[17:].split(", ")))), True),
    row("scheme word doubled", GRAMMAR, DOUBLED + "|word", _f(lambda v: "AWS4-HMAC-SHA256 " + v), True),
    row("scheme word Bearer", GRAMMAR, r"Bearer|scheme|word", _f(lambda v: "Bearer " + v), True),
    row("scheme word with a comma", GRAMMAR, r"comma|scheme|word", _f(lambda v: v.replace("SHA256 ", "SHA256, ", 1)), True),
    row("field in quotes", GRAMMAR, QUOTE, _f(lambda v: f'"{v}"'), True),
    row("field's name in the value", GRAMMAR, r"name|Authorization|front|prefix", _f(lambda v: "Authorization: " + v), True),
    row("in X-Forwarded-Authorization of a mesh", PLACE, r"x-forwarded-authorization", _placed("X-Forwarded-Authorization"), True),
    row("in a cookie", PLACE, r"cookie", _placed("Cookie", lambda v: "auth=" + urllib.parse.quote(v, safe="")), True),
    row("session token another", r"token|session", r"token", {"headers": lambda hs, w: [*hs, ("X-Amz-Security-Token", "FwoGZXIvYXdzEAnotherToken")]}, True, session="IQoJb3JpZ2luX2VjEXAMPLEtoken0123456789"),
    row("session token for a key that has none", r"token|session", r"token", {"headers": lambda hs, w: [*hs, ("X-Amz-Security-Token", "FwoGZXIvYXdzEAnotherToken")]}, True),
    row("used twice", r"replay|signature|used|once|single", r"replay|used|before|once|twice", {}, True, replay=True, single_use=True),
    row("S3's path rule for another service", TARGET, r"encod|%25|once|twice|double|path", {"path signed": lambda v, w: w.path, "service": lambda v, w: v}, True),
    row("S3: path encoded twice", TARGET, r"encod|%25|once|twice|double", {"path signed": lambda v, w: canonical_path(w.path)}, True, s3=True),
    row("unsigned fields: content type not signed under require", r"content-type|field|cover|signed ?headers", r"content-type", {"names": lambda v, w: [n for n in v if n != "content-type"]}, True, require=["content-type"]),
    row("algorithm left out", r"algorithm", MISSING + "|algorithm", {"params": lambda p, w: {k: v for k, v in p.items() if k != "X-Amz-Algorithm"}}, True, **PRE),
    row("parameters in small letters", r"x-amz|credential|query", CASE + "|name|no cred|missing", {"params": lambda p, w: {k.lower(): v for k, v in p.items()}}, True, **PRE),
    row("X-Amz-Date left out", TIME, MISSING, {"params": lambda p, w: {k: v for k, v in p.items() if k != "X-Amz-Date"}}, True, **PRE),
    row("X-Amz-SignedHeaders left out", r"signed ?headers", MISSING, {"params": lambda p, w: {k: v for k, v in p.items() if k != "X-Amz-SignedHeaders"}}, True, **PRE),
    row("X-Amz-Expires a text", r"expires", r"number|digit|decimal|1h|seconds|format", {"expires": lambda v, w: "1h"}, True, **PRE),
    row("X-Amz-Expires negative", r"expires", r"negative|number|digit|decimal", {"expires": lambda v, w: "-5"}, True, **PRE),
    row("X-Amz-Expires zero", r"expires|time", r"zero|0|positive|expired|over", {"expires": lambda v, w: "0"}, True, **PRE),
    row("X-Amz-Expires changed after signing", r"expires", r"expires|changed", {"query made": lambda v, w: v.replace(f"X-Amz-Expires={w.expires}", f"X-Amz-Expires={int(w.expires) + 3600}")}, True, **PRE),
    row("X-Amz-Date changed after signing", TIME, r"date|time|changed|seconds", {"query made": lambda v, w: v.replace(w.amzdate, _shifted(w, 30).strftime("%Y%m%dT%H%M%SZ"))}, True, **PRE),
    row("Signature before the other parameters and signed", r"signature|query|order", r"signature|order", {"query signed": lambda v, w: "X-Amz-Signature=&" + v}, True, **PRE),
    row("body hash of nothing for UNSIGNED-PAYLOAD", BODY + "|hash", r"UNSIGNED-PAYLOAD|empty|hash", {"payload hash": lambda v, w: hashlib.sha256(b"").hexdigest()}, True, presigned=True, s3=True),
    row("UNSIGNED-PAYLOAD outside S3", BODY + "|hash", r"UNSIGNED-PAYLOAD|unsigned", {"payload hash": lambda v, w: "UNSIGNED-PAYLOAD"}, True, **PRE),
    row("host without its port in the text", HOST, r"port", {"host sent": lambda v, w: f"{v}:8443"}, True, **PRE),
    row("URL in small letters by a mail server", TARGET + "|param|credential|x-amz", CASE, {"target sent": lambda v, w: v.lower()}, True, **PRE),
    row("URL with + decoded", TARGET, r"plus|\+|%20|blank|space", {"target sent": lambda v, w: v.replace("%20", "+")}, True, **PRE),
    row("URL with quotes at its end", PROOF + "|query", QUOTE + "|%22|hex|digit", {"target sent": lambda v, w: v + "%22"}, True, **PRE),
    row("URL with a line break's escape", PROOF + "|query", r"%0A|line|\\n|hex|digit", {"target sent": lambda v, w: v + "%0A"}, True, **PRE),
    row("URL with its query sorted by a CDN", TARGET, r"no usual|order|query", {"target sent": lambda v, w: v.partition("?")[0] + "?" + "&".join(sorted(v.partition("?")[2].split("&")))}, True, **PRE),
    row("URL with a range field not signed", FIELDS, r"range", {"names": lambda v, w: ["host", "range"], "fields signed": lambda v, w: {**v, "range": "bytes=0-9"}}, True, **PRE),
    row("URL's day wrong", SCOPE, r"day|date", {"day": lambda v, w: _shifted(w, -86400).strftime("%Y%m%d")}, True, **PRE),
    row("URL's path escaped once more by a proxy", TARGET, DOUBLED + "|%25|encod", {"target sent": lambda v, w: v.replace("%20", "%2520", 1)}, True, **PRE),
    row("two mistakes: query unsorted and path once encoded", TARGET + "|query", r"order|sort|encod", {"query signed": lambda v, w: w.query, "path signed": lambda v, w: w.path}, True),
    row("two mistakes: no line after the fields, capital hash", TEXT + "|" + FIELDS + "|" + BODY, LF + "|" + CASE, {"fields text": lambda v, w: v[:-1], **_at(5, str.upper)}, True),
    row("two mistakes: hex key steps and a blank behind", DERIVED + "|signature", HEX + "|" + BLANK, {**_derive(lambda s, c: _hexed(s, c)), "spell": lambda b: b.hex() + " "}, True),
    row("two mistakes: clock ahead and region", TIME + "|region|scope", OFF + "|region", lambda r: {**_off(3000), "region": lambda v, w: "sa-east-1"}, True),
]  # fmt: skip


def _swapped(secret: bytes, chain: list[str]) -> bytes:
    key = b"AWS4" + secret
    for part in chain[:4]:
        key = hmac.digest(part.encode(), key, "sha256")
    return key


def _sha1(secret: bytes, chain: list[str]) -> bytes:
    key = b"AWS4" + secret
    for part in chain[:4]:
        key = hmac.digest(key, part.encode(), "sha1")
    return key


def _secret(r: random.Random, f: Callable) -> Case | None:
    w = draw(r)
    if f is axes.UNHEX:
        w.secret = r.randbytes(20).hex()
    key = f(w.secret)
    return None if key is None or key == w.secret.encode() else case(r, {"key": lambda k, _: key}, drawn=w)


KINDS = [
    *COMMON, *TAIL,
    *axes.kinds(S, axes.SECRETS, KEY, _secret, (FALSE_CLOCK,)),
    *axes.kinds(S, axes.HASHES, PROOF + "|" + KEY + "|" + TEXT + "|algorithm|hash", lambda r, f: case(r, {"mac": f}), NEVER),
    *axes.kinds(S, [each for each in axes.proofs(bytes.hex) if each[1] != "signature in hex"], PROOF, lambda r, f: case(r, {"spell": f}), NEVER),
    *axes.kinds(S, axes.BODIES, BODY, lambda r, f: case(r, {"body signed": lambda b, w: f(b)}), NEVER, "signed "),
    row("another secret that nobody knows", KEY, r"key|secret", lambda r: {"key": lambda k, w, n=token(r, 40): n.encode()}, undecidable="the secret is known to nobody here"),
]  # fmt: skip
