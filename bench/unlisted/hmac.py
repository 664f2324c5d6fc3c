"""Mistakes of clients of the HMAC scheme, by the page that describes it."""

from __future__ import annotations

import base64
import hashlib
import random
import struct
from collections.abc import Callable
from typing import Any

from bench.unlisted import axes
from bench.unlisted.cases import (
    B64, BODY, CASE, CUT, DOUBLED, EMPTY, FALSE_CLOCK, FALSE_KEY, HASHED, HEX, HOST, KEY, LF, METHOD, MISSING, NOW, OFF, ORDER,
    OTHER, PROOF, QUOTE, TARGET, TEXT, TIME, Case, Kind, Steps, host, json_body, path, query, token, word, world,
)  # fmt: skip
from watchword import Guard, HMACVerifier, Key, Policy, Request
from watchword.stores import MemoryStore

S = "hmac"
ALGORITHMS = {"sha256": ("HS256", 32), "sha384": ("HS384", 48), "sha512": ("HS512", 64)}


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def draw(r: random.Random, algorithm: str = "sha256", body: bytes | None = None, target: str = "") -> Any:
    name, size = ALGORITHMS[algorithm]
    return world(
        r=r, algorithm=algorithm, name=name, secret=token(r, size + r.randrange(0, 6)) + "=" * r.randrange(2), keyid=f"{word(r)}-{r.randrange(1, 9)}",
        other=token(r, size), subject=word(r), at=int(NOW), nonce=b64(r.randbytes(16)), method=r.choice(["POST", "PUT"]),
        host=host(r), target=target or f"{path(r)}?{query(r)}", body=json_body(r) if body is None else body,
    )  # fmt: skip


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    body = step("body signed", w.body)
    digest = step("digest", b64(step.run("digest hash", lambda b: hashlib.sha256(b).digest(), body)))
    fields = [
        "HMAC 1", step("keyid signed", w.keyid), step("time signed", str(w.at)), step("nonce signed", w.nonce), step("method signed", w.method),
        step("host signed", w.host), step("target signed", w.target), step("digest signed", digest),
    ]  # fmt: skip
    fields = step("lines", fields)
    text = step("text", "".join(f"{line}\n" for line in fields).encode("utf-8", "surrogateescape"))
    key = step("key", w.secret.encode())
    raw = step.run("mac", axes.mac(w.algorithm), key, text)
    written = step.run("spell", b64, raw)
    params = step("params", {
        "version": "1", "keyid": f'"{step("keyid sent", w.keyid)}"', "timestamp": step("time sent", str(w.at)),
        "nonce": f'"{step("nonce sent", w.nonce)}"', "digest": f'"{step("digest sent", digest)}"', "mac": f'"{written}"',
    })  # fmt: skip
    value = step("field", "HMAC " + ", ".join(f"{name}={value}" for name, value in params.items()))
    headers = step("headers", [("Content-Type", "application/json"), ("Authorization", value)])
    request = Request(
        step("method sent", w.method), "https", step("host sent", w.host), step("target sent", w.target), headers
    )
    return request, step("body sent", w.body), written


def case(r: random.Random, table: dict[str, Callable], drawn: Any = None, replay: bool = False) -> Case:
    w = drawn or draw(r)
    genuine, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    at = step("server's clock", NOW)
    store = MemoryStore(clock=lambda: at)
    store.add_key(w.subject, Key.from_secret(w.secret.encode(), algorithm=w.name, key_id=w.keyid))
    store.add_key("other", Key.from_secret(w.other.encode(), algorithm=w.name, key_id=f"{w.keyid}-other"))
    guard = Guard([HMACVerifier()], store, policy=Policy(clock=lambda: at))
    before = [(genuine, w.body)] if replay else []
    return Case(
        request, guard, body, at, [w.secret.encode(), w.other.encode()], [proof.encode()], before, step.pairs, step.sent
    )


def row(
    name: str,
    part: str,
    what: str,
    table: Any,
    tail: bool = False,
    never: tuple[str, ...] = (FALSE_KEY, FALSE_CLOCK),
    **more: Any,
) -> Kind:
    undecidable = more.pop("undecidable", "")

    def make(r: random.Random) -> Case:
        return case(
            r, table(r) if callable(table) else table, **{k: v(r) if callable(v) else v for k, v in more.items()}
        )

    return Kind(S, name, tail, part, what, make, never, undecidable)


def _swap(one: int, two: int) -> Callable:
    def swapped(lines: list[str], w: Any) -> list[str]:
        lines = list(lines)
        lines[one], lines[two] = lines[two], lines[one]
        return lines

    return swapped


def _without(index: int) -> Callable:
    return lambda lines, w: [line for at, line in enumerate(lines) if at != index]


def _param(name: str, value: Callable | None) -> dict[str, Callable]:
    def changed(params: dict[str, str], w: Any) -> dict[str, str]:
        params = dict(params)
        if value is None:
            del params[name]
        else:
            params[name] = value(params[name])
        return params

    return {"params": changed}


def _field(change: Callable) -> dict[str, Callable]:
    return {"field": lambda value, w: change(value)}


def _placed(name: str, change: Callable = lambda value: value) -> dict[str, Callable]:
    return {"headers": lambda headers, w: [(n, v) if n != "Authorization" else (name, change(v)) for n, v in headers]}


LINE = ["scheme", "key", "time", "nonce", "method", "host", "target", "digest"]
PARTS = [TEXT, KEY, TIME, "nonce", METHOD, HOST, TARGET, BODY]
PLACE = r"place|field|header|cookie|query|authori[sz]ation|proxy|body"

COMMON = [
    row("last line without its line break", TEXT, LF, {"text": lambda t, w: t[:-1]}),
    row("lines joined by CRLF", TEXT, r"CR ?LF|\\r|carriage|line end|line break", {"text": lambda t, w: t.replace(b"\n", b"\r\n")}),
    row("lines joined by a literal backslash n", TEXT, r"backslash|literal|\\n|line", {"text": lambda t, w: t.replace(b"\n", b"\\n")}),
    row("lines joined by blanks", TEXT, r"blank|space|join|separat", {"text": lambda t, w: t.replace(b"\n", b" ")}),
    row("lines joined by nothing", TEXT, r"nothing|join|separat|without|line", {"text": lambda t, w: t.replace(b"\n", b"")}),
    row("first line is the scheme's name only", TEXT, r"HMAC 1|first line|version|scheme", {"lines": lambda ls, w: ["HMAC", *ls[1:]]}),
    row("first line left out", TEXT, r"HMAC 1|first line|version|scheme|" + MISSING, {"lines": _without(0)}),
    *(row(f"the line of the {LINE[i]} left out", PARTS[i], MISSING, {"lines": _without(i)}) for i in (1, 3, 5, 7)),
    row("nonce and timestamp exchanged", r"nonce|time|" + ORDER, ORDER, {"lines": _swap(2, 3)}),
    row("method after the target", r"method|target|host|" + ORDER, ORDER, {"lines": lambda ls, w: [*ls[:4], *ls[5:7], ls[4], ls[7]]}),
    row("digest of the body in hex in the text only", BODY, HEX, {"digest signed": lambda d, w: hashlib.sha256(w.body).hexdigest()}),
    row("digest in hex in text and field", BODY, HEX, {"digest": lambda d, w: hashlib.sha256(w.body).hexdigest()}),
    row("digest with its padding", BODY, "pad|=|base64", {"digest": lambda d, w: d + "="}),
    row("digest in standard base64", BODY, "base64|alphabet|pad", {"digest": lambda d, w: base64.b64encode(hashlib.sha256(w.body).digest()).decode()}),
    row("body itself in the place of its digest", BODY, r"body|hash|digest", {"digest signed": lambda d, w: w.body.decode()}),
    row("digest by MD5", BODY, HASHED, {"digest hash": lambda b: hashlib.md5(b).digest()}),
    row("digest by SHA-512", BODY, HASHED + "|length|char", {"digest hash": lambda b: hashlib.sha512(b).digest()}),
    row("another time signed than sent", TIME, r"time|seconds|changed|sign|" + OTHER, lambda r: {"time signed": lambda t, w, d=r.randrange(1, 4): str(int(t) - d)}),
    row("another nonce signed than sent", "nonce", r"nonce",
        {"nonce signed": lambda n, w: b64(bytes(16))}, undecidable="the signed nonce was drawn at random and is nowhere in the request; only that none of the known parts explains it can be said"),
    row("nonce too short", "nonce", r"short|16|characters|length", lambda r: {"nonce signed": lambda n, w: n[:8], "nonce sent": lambda n, w: n[:8]}),
    row("nonce a UUID in braces", "nonce", r"brace|\{|character|alphabet|A-Z", {k: lambda n, w: "{3f2504e0-4f89-41d3-9a0c-0305e82c3301}" for k in ("nonce signed", "nonce sent")}),
    row("nonce with + and / of base64", "nonce", r"character|alphabet|base64|\+|A-Z", {k: lambda n, w: n[:10] + "+/" + n[12:] for k in ("nonce signed", "nonce sent")}),
    row("request sent twice", "nonce|replay", r"replay|used|before|once|twice", {}, replay=True),
    row("key id in capitals", KEY, CASE, {"keyid signed": lambda k, w: k.upper(), "keyid sent": lambda k, w: k.upper()}),
    row("key id of nobody", KEY, r"unknown|not known|no key|a registered key id", lambda r: {k: lambda v, w, n=word(r): n for k in ("keyid signed", "keyid sent")}),
    row("the secret for the key id", KEY, r"secret|exchang|swap|masked|unknown", {"keyid signed": lambda v, w: w.secret[:32].rstrip("="), "keyid sent": lambda v, w: w.secret[:32].rstrip("=")}),
    row("subject for the key id", KEY, r"subject|unknown|known|name|owner", {"keyid signed": lambda v, w: w.subject, "keyid sent": lambda v, w: w.subject}),
    row("signed with the secret of another key", KEY, r"another|other|key id|belongs", {"key": lambda k, w: w.other.encode()}, never=(FALSE_CLOCK,)),
    row("scheme word HMAC-SHA256", r"scheme|authorization|word", r"HMAC|scheme|word", _field(lambda v: v.replace("HMAC ", "HMAC-SHA256 ", 1))),
    row("scheme word Bearer", r"scheme|authorization|word", r"Bearer|scheme|word", _field(lambda v: v.replace("HMAC ", "Bearer ", 1))),
    row("scheme word missing", r"scheme|authorization|word", r"missing|without|no scheme|scheme word|word", _field(lambda v: v.replace("HMAC ", "", 1))),
    row("parameters without quotes", r"field|authori|credential|nonce|keyid|digest|mac", QUOTE, _field(lambda v: v.replace('"', ""))),
    row("parameters in single quotes", r"field|authori|credential|nonce|keyid|digest|mac", QUOTE, _field(lambda v: v.replace('"', "'"))),
    row("parameters joined by semicolons", r"field|authori|credential", r"semicolon|comma|separat", _field(lambda v: v.replace(", ", "; "))),
    row("parameters with colons", r"field|authori|credential", r"colon|equals", _field(lambda v: v.replace("=", ":"))),
    row("mac left out", r"\bmac\b", MISSING, _param("mac", None)),
    row("nonce left out", "nonce", MISSING, _param("nonce", None)),
    row("version left out", "version", MISSING, _param("version", None)),
    row("version 2", "version", r"2|version", _param("version", lambda v: "2")),
    row("keyid called keyId", r"keyid", r"keyid|unknown|name|case|spell", _field(lambda v: v.replace("keyid=", "keyId="))),
    row("an algorithm parameter besides", r"algorithm", r"unknown|unexpected|known|algorithm", _field(lambda v: v + ', algorithm="hmac-sha256"')),
    row("in X-Authorization", PLACE, r"x-authorization", _placed("X-Authorization")),
    row("in Proxy-Authorization", PLACE, r"proxy-authorization", _placed("Proxy-Authorization")),
    row("in a cookie", PLACE, r"cookie", _placed("Cookie", lambda v: "auth=" + v.replace(" ", "%20").replace('"', "%22").replace(",", "%2C"))),
    row("host not signed but the internal name sent", HOST, r"host|authority|proxy|internal|PublicURL", lambda r: {"host sent": lambda h, w, n=word(r): f"{n}.internal:8080"}, undecidable="the host that was signed is nowhere in the request"),
    row("prefix taken off on the way", TARGET, r"prefix|path|strip|PublicURL", {"target sent": lambda t, w: "/" + t.split("/", 2)[2]}),
    row("method changed by a redirect", METHOD, r"GET|redirect|method", {"method sent": lambda m, w: "GET"}),
    row("body lost by a redirect", BODY, EMPTY, {"body sent": lambda b, w: b""}),
]  # fmt: skip

TAIL = [
    row("signed text after a byte order mark", TEXT, r"byte order|BOM|FEFF", {"text": lambda t, w: b"\xef\xbb\xbf" + t}, True),
    row("signed text joined by commas", TEXT, r"comma|join|separat", {"text": lambda t, w: t.replace(b"\n", b",")}, True),
    row("signed text joined by |", TEXT, r"\||pipe|bar|join|separat", {"text": lambda t, w: t.replace(b"\n", b"|")[:-1]}, True),
    row("signed text as a JSON list", TEXT, r"json|list|join|separat", {"text": lambda t, w: str(t.decode().split("\n")[:-1]).replace("'", '"').encode()}, True),
    row("signed text joined by NUL", TEXT, r"\bNUL|\\x00|zero|join|separat", {"text": lambda t, w: t.replace(b"\n", b"\0")}, True),
    row("signed text with labels", TEXT, r"label|name|prefix", {"lines": lambda ls, w: [f"{n}: {v}" for n, v in zip(LINE, ls, strict=True)]}, True),
    row("signed lines sorted", TEXT, ORDER, {"lines": lambda ls, w: sorted(ls)}, True),
    row("signed lines in reverse", TEXT, ORDER + "|revers", {"lines": lambda ls, w: ls[::-1]}, True),
    row("two line breaks at the end", TEXT, r"line|\\n|" + DOUBLED, {"text": lambda t, w: t + b"\n"}, True),
    row("a line break before the text", TEXT, LF, {"text": lambda t, w: b"\n" + t}, True),
    row("the body as a ninth line", BODY + "|line", r"body|ninth|line|add", {"lines": lambda ls, w: [*ls, w.body.decode()]}, True),
    row("content type as a ninth line", r"content-type|line|field", r"content-type|application/json", {"lines": lambda ls, w: [*ls, "application/json"]}, True),
    row("scheme and host as a URL in the host's line", HOST + "|" + TARGET, r"https://|url|scheme", {"host signed": lambda h, w: f"https://{h}"}, True),
    row("whole URL in the target's line", TARGET, r"https://|url|absolute", {"target signed": lambda t, w: f"https://{w.host}{t}"}, True),
    row("path and query in two lines", TARGET, r"query|two lines|line|\?", {"lines": lambda ls, w: [*ls[:6], *ls[6].split("?"), ls[7]]}, True),
    row("lines stripped and in small letters", TEXT + "|case", CASE, {"text": lambda t, w: t.lower()}, True),
    row("version line HMAC-1", TEXT, r"HMAC 1|first line|version|scheme", {"lines": lambda ls, w: ["HMAC-1", *ls[1:]]}, True),
    row("version line hmac 1", TEXT, r"HMAC 1|first line|version|scheme|case", {"lines": lambda ls, w: ["hmac 1", *ls[1:]]}, True),
    row("version line HMAC 2", TEXT, r"HMAC 1|first line|version|scheme", {"lines": lambda ls, w: ["HMAC 2", *ls[1:]]}, True),
    row("digest of the empty body for all", BODY, EMPTY, {"body signed": lambda b, w: b""}, True),
    row("digest signed in capitals of hex", BODY, HEX, {"digest signed": lambda d, w: hashlib.sha256(w.body).hexdigest().upper()}, True),
    row("digest signed with its algorithm", BODY, r"sha-?256|prefix|algorithm|name", {"digest signed": lambda d, w: f"sha-256={d}"}, True),
    row("digest signed twice hashed", BODY, HASHED + "|" + DOUBLED, {"digest hash": lambda b: hashlib.sha256(hashlib.sha256(b).digest()).digest()}, True),
    row("digest of the hex hash", BODY, HASHED + "|" + HEX, {"digest hash": lambda b: hashlib.sha256(hashlib.sha256(b).hexdigest().encode()).digest()}, True),
    row("digest keyed", BODY, r"hmac|key", {"digest signed": lambda d, w: b64(axes.mac("sha256")(w.secret.encode(), w.body))}, True),
    row("digest by SHA-1 of an old library", BODY, HASHED + "|length|char", {"digest hash": lambda b: hashlib.sha1(b).digest()}, True),
    row("digest is the body's length", BODY, r"length|digest|char|base64", {"digest": lambda d, w: str(len(w.body))}, True),
    row("keyid signed in quotes", KEY, QUOTE, {"keyid signed": lambda v, w: f'"{v}"'}, True),
    row("keyid signed in capitals", KEY, CASE, {"keyid signed": lambda v, w: v.upper()}, True),
    row("keyid signed is the subject", KEY, r"subject|owner|name|keyid|key id", {"keyid signed": lambda v, w: w.subject}, True),
    row("nonce signed in quotes", "nonce", QUOTE, {"nonce signed": lambda v, w: f'"{v}"'}, True),
    row("nonce signed decoded to hex", "nonce", HEX, {"nonce signed": lambda v, w: base64.urlsafe_b64decode(v + "==").hex()}, True),
    row("nonce signed with padding", "nonce", "pad|=|base64", {"nonce signed": lambda v, w: v + "=="}, True),
    row("nonce sent percent-encoded", "nonce", r"percent|%|character|alphabet|A-Z", {"nonce sent": lambda v, w: v[:-1] + "%2D"}, True),
    row("nonce of 200 characters", "nonce", r"long|128|characters|length", {k: lambda v, w: v * 9 for k in ("nonce signed", "nonce sent")}, True),
    row("timestamp in quotes", TIME, QUOTE, _param("timestamp", lambda v: f'"{v}"'), True),
    row("the parameter sig for mac", r"\bmac\b|sig", r"unknown|mac|name|does not have|" + MISSING, _field(lambda v: v.replace(" mac=", " sig=")), True),
    row("the parameter ts for timestamp", r"time|\bts\b", r"unknown|ts|name|does not have|" + MISSING, _field(lambda v: v.replace("timestamp=", "ts=")), True),
    row("the parameter key_id", r"key", r"unknown|key_id|name|does not have|" + MISSING, _field(lambda v: v.replace("keyid=", "key_id=")), True),
    row("every parameter's name in capitals", r"name|version|key", CASE + "|unknown|name", {"params": lambda p, w: {k.upper(): v for k, v in p.items()}}, True),
    row("mac twice", r"\bmac\b", DOUBLED + "|more than once|once", _field(lambda v: v + ", " + v.rpartition(", ")[2]), True),
    row("a comma at the end", r"authori|credential|comma", r"comma|trailing|end|empty", _field(lambda v: v + ",,"), True),
    row("field percent-encoded", r"authori|credential|field", r"percent|%|encod|escap", _field(lambda v: "HMAC " + v[5:].replace('"', "%22").replace(",", "%2C").replace(" ", "%20")), True),
    row("field in base64 as Basic has it", r"authori|credential|field", B64, _field(lambda v: "HMAC " + base64.b64encode(v[5:].encode()).decode()), True),
    row("field with HTML quotes", r"authori|credential", r"html|entit|quot", _field(lambda v: v.replace('"', "&quot;")), True),
    row("field with typographic quotes", r"authori|credential|keyid|nonce", QUOTE, _field(lambda v: v.replace('"', "\u201d")), True),
    row("field as JSON", r"authori|credential", r"json|brace|\{|quot", {"params": lambda p, w: p, "field": lambda v, w: "HMAC {" + ", ".join(f'"{x.partition("=")[0]}": {x.partition("=")[2]}' for x in v[5:].split(", ")) + "}"}, True),
    row("scheme word doubled", r"scheme|word|authori", DOUBLED + "|scheme word", _field(lambda v: "HMAC " + v), True),
    row("scheme word with a colon", r"scheme|word|authori", r"colon|scheme word", _field(lambda v: v.replace("HMAC ", "HMAC: ", 1)), True),
    row("in X-Signature", PLACE, r"x-signature", _placed("X-Signature"), True),
    row("in Authentication", PLACE, r"authentication", _placed("Authentication"), True),
    row("field name in the value", PLACE, r"name|Authorization:|prefix|front", _field(lambda v: "Authorization: " + v), True),
    row("in the query as auth", PLACE + "|target", r"query|auth", {"headers": lambda hs, w: hs[:1], "target sent": lambda t, w: t + "&authorization=" + compute(w, Steps(w, {}))[0].lines[b"authorization"].decode().replace(" ", "%20").replace('"', "%22").replace(",", "%2C").replace("=", "%3D")}, True),
    row("HEAD sent for GET", METHOD, r"HEAD|GET", {"method signed": lambda m, w: "GET", "method sent": lambda m, w: "HEAD", "body signed": lambda b, w: b"", "body sent": lambda b, w: b""}, True),
    row("method override of a firewall", METHOD, r"override|PATCH|POST|PUT", {"method signed": lambda m, w: "PATCH", "headers": lambda hs, w: [*hs, ("X-HTTP-Method-Override", "PATCH")]}, True),
    row("tracking parameter added on the way", TARGET, r"utm|query|add|append", {"target sent": lambda t, w: t + "&utm_source=mail"}, True),
    row("stage of a gateway taken off on the way", TARGET, r"prefix|path|stage|strip", {"target signed": lambda t, w: "/prod" + t}, True),
    row("path decoded on the way", TARGET, r"decod|percent|escape|%", {"target signed": lambda t, w: t.replace("/", "/%7E", 2).replace("/%7E", "/", 1), "target sent": lambda t, w: t.replace("/", "/~", 2).replace("/~", "/", 1)}, True),
    row("body charset changed on the way", BODY, r"latin|8859|charset|character", {"body sent": lambda b, w: b.decode().encode("latin-1")}, True),
    row("body unzipped on the way", BODY, r"gzip|compress|content[- ]coding", {"body signed": lambda b, w: axes.gzip.compress(b, mtime=0)}, True),
    row("two mistakes: hex key and no last line break", KEY + "|" + TEXT, HEX + "|" + LF, {"key": lambda k, w: k.hex().encode(), "text": lambda t, w: t[:-1]}, True),
    row("two mistakes: decoded target and body with a line break", TARGET + "|" + BODY, r"query|decod|percent|line|\+", {"target signed": lambda t, w: t.replace("%20", " "), "body signed": lambda b, w: b + b"\n"}, True),
    row("two mistakes: clock ahead and mac in hex", TIME + "|" + PROOF, OFF + "|" + HEX, {"spell": lambda b: b.hex(), "time signed": lambda t, w: str(int(t) + 900), "time sent": lambda t, w: str(int(t) + 900)}, True),
    row("two mistakes: path prefix and internal host", TARGET + "|" + HOST, r"prefix|path|host|strip|PublicURL", {"target sent": lambda t, w: "/" + t.split("/", 2)[2], "host sent": lambda h, w: "app:8000"}, True, undecidable="the host that was signed is nowhere in the request"),
    row("mac over an int as four octets", TEXT + "|" + TIME, r"int|binary|octets|big", {"text": lambda t, w: t.replace(str(w.at).encode(), struct.pack(">I", w.at))}, True),
]  # fmt: skip


def _hash(r: random.Random, f: Callable) -> Case:
    return case(r, {"mac": f})


NEVER = (FALSE_KEY, FALSE_CLOCK)
KINDS = [
    *COMMON, *TAIL,
    *axes.kinds(S, axes.SECRETS, KEY, lambda r, f: _secret(r, f), (FALSE_CLOCK,)),
    *axes.kinds(S, axes.HASHES, PROOF + "|" + KEY + "|" + TEXT + "|algorithm|hash", _hash, NEVER),
    *axes.kinds(S, axes.proofs(b64), PROOF, lambda r, f: case(r, {"spell": f}), NEVER),
    *axes.kinds(S, axes.BODIES, BODY, lambda r, f: case(r, {"body signed": lambda b, w: f(b)}), NEVER, "signed "),
    *axes.kinds(S, axes.STAMPS, TIME, lambda r, f: case(r, {k: lambda t, w: f(int(t)) for k in ("time signed", "time sent")}), (FALSE_KEY,)),
    *axes.kinds(S, axes.STAMPS, TIME, lambda r, f: case(r, {"time signed": lambda t, w: f(int(t))}), (FALSE_KEY,), "signed only: "),
    *(Kind(S, name, tail, TIME, what, lambda r, i=i: _clock(r, i), (FALSE_KEY,)) for i, (tail, name, _, what) in enumerate(axes.clocks(random.Random(0)))),
    *axes.kinds(S, axes.TARGETS, TARGET, lambda r, f: case(r, {"target signed": lambda t, w: f(t)}), NEVER, "signed "),
    *axes.kinds(S, axes.HOSTS, HOST, lambda r, f: case(r, {"host signed": lambda t, w: f(t)}), NEVER, "signed "),
    *axes.kinds(S, axes.METHODS, METHOD, lambda r, f: case(r, {"method signed": lambda t, w: f(t)}), NEVER, "signed "),
    row("another secret that nobody knows", KEY, r"key|secret", lambda r: {"key": lambda k, w, n=token(r, 40): n.encode()}, undecidable="the secret is known to nobody here"),
    row("signature cut and another secret", PROOF, CUT, lambda r: {"key": lambda k, w, n=token(r, 40): n.encode(), "spell": lambda b: b64(b)[:-3]}, True),
    row("key id and secret exchanged", KEY, r"exchang|swap|secret|unknown", {"key": lambda k, w: w.keyid.encode(), "keyid signed": lambda v, w: w.secret.rstrip("="), "keyid sent": lambda v, w: w.secret.rstrip("=")}, True),
    row("body of another request", BODY, r"body|digest|changed|" + OTHER, lambda r: {"body sent": lambda b, w, n=r.randrange(99): b.replace(b"gone", b"done%d" % n)}),
]  # fmt: skip


def _secret(r: random.Random, f: Callable) -> Case | None:
    w = draw(r)
    if f is axes.UNHEX:
        w.secret = r.randbytes(40).hex()
    key = f(w.secret)
    if key is None or key == w.secret.encode():
        return None
    return case(r, {"key": lambda k, _: key}, w)


def _clock(r: random.Random, index: int) -> Case:
    off = axes.clocks(r)[index][2]
    return case(r, {k: lambda t, w: str(int(t) + off) for k in ("time signed", "time sent")})
