"""Mistakes of clients of HTTP Message Signatures (RFC 9421, RFC 9530), by one of four algorithms, as the seed draws it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from bench.unlisted import axes
from bench.unlisted.cases import (
    ALGORITHM, B64, BLANK, BODY, CASE, CUT, DOUBLED, EMPTY, FALSE_CLOCK, FALSE_KEY, HASHED, HEX, HOST, KEY, LF, METHOD, MILLI, MISSING,
    NOW, OFF, ORDER, PERCENT, PROOF, QUOTE, TARGET, TEXT, TIME, Case, Kind, Steps, host, json_body, path, query, token,
    word, world,
)  # fmt: skip
from bench.unlisted.jwt import ec_key, public_pem, raw_ecdsa
from watchword import Guard, Key, Policy, Request, SignaturePolicy, SignatureVerifier
from watchword.stores import MemoryStore

S = "rfc9421"
NEVER = (FALSE_KEY, FALSE_CLOCK)
ALGORITHMS = ("hmac-sha256", "ed25519", "ecdsa-p256-sha256", "ecdsa-p384-sha384")
BASE = r"base|string|line|component|param|text|join|order|signature"
INPUT = r"signature-input|param|component|grammar|credential|field|label|structured|dictionary|list"
SIGNATURE = r"signature|octets|base64|structured|dictionary|grammar|label"
PLACE = r"place|field|header|cookie|query|authori[sz]ation|proxy|body|credential|signature"
DIGEST = r"digest|body|content|hash"


def draw(r: random.Random, algorithm: str = "") -> Any:
    algorithm = algorithm or r.choice(ALGORITHMS)
    secret = token(r, 40)
    private: Any = {
        "ed25519": lambda: ed25519.Ed25519PrivateKey.from_private_bytes(r.randbytes(32)), "ecdsa-p256-sha256": lambda: ec_key(r),
        "ecdsa-p384-sha384": lambda: ec_key(r, ec.SECP384R1()), "hmac-sha256": lambda: None,
    }[algorithm]()  # fmt: skip
    return world(
        r=r, algorithm=algorithm, secret=secret, other=token(r, 40), private=private, keyid=f"{word(r)}-{r.randrange(9)}", subject=word(r), host=host(r), target=f"{path(r)}?{query(r)}",
        method=r.choice(["POST", "PUT"]), body=json_body(r), created=int(NOW) - r.randrange(2, 60), nonce=token(r, 22), trace=f"{word(r)}, {word(r)}",
    )  # fmt: skip


def sign(w: Any, key: bytes, text: bytes) -> bytes:
    if w.algorithm == "hmac-sha256":
        return hmac.digest(key, text, "sha256")
    if w.algorithm == "ed25519":
        return w.private.sign(text)
    if w.algorithm == "ecdsa-p256-sha256":
        return raw_ecdsa(w.private, text)
    return raw_ecdsa(w.private, text, hashes.SHA384())


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    octets = step.run("digest with", lambda b: hashlib.sha256(b).digest(), step("body signed", w.body))
    content_digest = step("content digest", f"sha-256=:{b64(octets)}:")
    target = step("target signed", w.target)
    plain, _, question = target.partition("?")
    values = step("values", {
        "@method": step("method signed", w.method), "@authority": step("host signed", w.host), "@path": step("path signed", plain),
        "@query": step("query signed", "?" + question), "content-type": "application/json", "content-digest": step("digest in base", content_digest), "x-trace": w.trace,
    })  # fmt: skip
    names = step("names", ["@method", "@authority", "@path", "@query", "content-type", "content-digest", "x-trace"])
    created = step("time", str(w.created))
    listed = step("listed", "(" + " ".join(step("written name", f'"{name}"') for name in names) + ")")
    params = step(
        "signature params",
        {
            "created": created,
            "keyid": f'"{step("keyid", w.keyid)}"',
            "nonce": f'"{step("nonce", w.nonce)}"',
            "alg": f'"{step("alg", w.algorithm)}"',
        },
    )
    written = step("input", listed + "".join(f";{name}={value}" for name, value in params.items()))
    in_base = step("params in base", written)
    lines = step("lines", [f'"{name}": {values.get(name, "")}' for name in names])
    base = step("base", "\n".join([*lines, step("last line", f'"@signature-params": {in_base}')]))
    signature = step.run(
        "sign",
        lambda k, t: sign(w, k, t),
        step("key", w.secret.encode()),
        step("text", base.encode("utf-8", "surrogateescape")),
    )
    spelt = step.run("spell", b64, signature)
    headers = step("headers", [
        ("Content-Type", "application/json"), ("X-Trace", f" {w.trace}  "), ("Content-Digest", step("digest sent", content_digest)),
        ("Signature-Input", step("input field", f"sig1={written}")), ("Signature", step("signature field", f"sig1=:{spelt}:")),
    ])  # fmt: skip
    request = Request(
        step("method sent", w.method),
        step("scheme sent", "https"),
        step("host sent", w.host),
        step("target sent", w.target),
        headers,
    )
    return request, step("body sent", w.body), spelt


def case(
    r: random.Random,
    table: dict[str, Callable],
    algorithm: str = "",
    drawn: Any = None,
    replay: bool = False,
    components: Any = None,
    **options: Any,
) -> Case:
    w = drawn or draw(r, algorithm)
    genuine, body, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, sent, _ = compute(w, step)
    store = MemoryStore(clock=lambda: NOW)
    if w.algorithm == "hmac-sha256":
        key = Key.from_secret(w.secret.encode(), algorithm=w.algorithm, key_id=w.keyid)
    else:
        key = Key.from_pem(public_pem(w.private), algorithm=w.algorithm, key_id=w.keyid)
    store.add_key(w.subject, key)
    store.add_key("other", Key.from_secret(w.other.encode(), algorithm="hmac-sha256", key_id=w.keyid + "-old"))
    policy = SignaturePolicy(**({"components": components} if components else {}), **options.pop("policy", {}))
    guard = Guard([SignatureVerifier(policy=policy, **options)], store, policy=Policy(clock=lambda: NOW))
    return Case(
        request,
        guard,
        sent,
        NOW,
        [w.secret.encode(), w.other.encode()],
        [proof.encode()],
        [(genuine, body)] if replay else [],
        step.pairs,
        step.sent,
    )


def row(
    name: str, part: str, what: str, table: Any, tail: bool = False, never: tuple[str, ...] = NEVER, **more: Any
) -> Kind:
    undecidable, drawn = more.pop("undecidable", ""), more.pop("drawn", None)

    def make(r: random.Random) -> Case | None:
        return case(r, table(r) if callable(table) else table, drawn=drawn(r) if drawn else None, **dict(more))

    return Kind(S, name, tail, part, what, make, never, undecidable)


def _b(change: Callable) -> dict[str, Callable]:
    return {"base": lambda v, w: change(v)}


def _lines(change: Callable) -> dict[str, Callable]:
    return {"lines": lambda v, w: change(v)}


def _value(name: str, change: Callable) -> dict[str, Callable]:
    return {"values": lambda v, w: {**v, name: change(v[name], w)}}


def _without(name: str) -> dict[str, Callable]:
    return {"names": lambda v, w: [n for n in v if n != name]}


def _i(change: Callable) -> dict[str, Callable]:
    return {"input field": lambda v, w: change(v)}


def _s(change: Callable) -> dict[str, Callable]:
    return {"signature field": lambda v, w: change(v)}


def _headers(change: Callable) -> dict[str, Callable]:
    return {"headers": lambda hs, w: change(hs)}


def _field(name: str, change: Callable) -> dict[str, Callable]:
    return _headers(lambda hs: [(n, change(v) if n == name else v) for n, v in hs])


def _unparam(name: str) -> dict[str, Callable]:
    return {"signature params": lambda v, w: {k: x for k, x in v.items() if k != name}}


def _param(name: str, change: Callable) -> dict[str, Callable]:
    return {"signature params": lambda v, w: {k: change(x) if k == name else x for k, x in v.items()}}


def _asymmetric(
    name: str, part: str, what: str, make: Callable, algorithm: str, tail: bool = False, undecidable: str = ""
) -> Kind:
    def made(r: random.Random) -> Case:
        w = draw(r, algorithm)
        return case(r, {"sign": lambda k, t: make(w, t)}, drawn=w)

    return Kind(S, f"{algorithm}: {name}", tail, part, what, made, (FALSE_CLOCK,), undecidable)


P256, P384, ED = "ecdsa-p256-sha256", "ecdsa-p384-sha384", "ed25519"
COMMON = [
    row("method in small letters", METHOD, CASE, {"method signed": lambda v, w: v.lower()}),
    row("method of another request", METHOD, r"GET|method", {"method signed": lambda v, w: "GET"}),
    row("path with the query", r"path|query|target", r"query", {"path signed": lambda v, w: w.target}),
    row("path decoded", r"path|target", PERCENT, {"path signed": lambda v, w: urllib.parse.unquote(v)}, drawn=lambda r: _path(r, f"/a%20{word(r)}/b?x=1")),
    row("path with a slash at its end", r"path|target", r"slash", {"path signed": lambda v, w: v + "/"}),
    row("query without its question mark", r"query", r"\?|question|mark", {"query signed": lambda v, w: v[1:]}),
    row("query decoded", r"query", PERCENT + "|blank|space", {"query signed": lambda v, w: urllib.parse.unquote(v)}),
    row("query with +", r"query", r"plus|\+|%20|blank|space", {"query signed": lambda v, w: v.replace("%20", "+")}),
    row("query sorted", r"query", ORDER, {"query signed": lambda v, w: "?" + "&".join(sorted(v[1:].split("&")))}),
    row("query empty", r"query", EMPTY + "|query", {"query signed": lambda v, w: "?"}),
    row("authority with the port", HOST, r"port|443", {"host signed": lambda v, w: v + ":443"}),
    row("authority in capitals", HOST, CASE, {"host signed": lambda v, w: v.upper()}),
    row("authority as a URL", HOST, r"https|url|scheme", {"host signed": lambda v, w: f"https://{v}"}),
    row("authority of localhost", HOST, r"localhost|host|authority", {"host signed": lambda v, w: "localhost:3000"}),
    row("internal host on the way", HOST, r"host|authority|PublicURL|proxy", {"host sent": lambda v, w: "app:8080"}, undecidable="the host that was signed is nowhere in the request"),
    row("prefix taken off on the way", TARGET, r"prefix|path|strip|PublicURL", {"target sent": lambda v, w: "/" + v.split("/", 2)[2]}),
    row("parameter added on the way", r"query|target", r"utm|query|add", {"target sent": lambda v, w: v + "&utm_id=3"}),
    row("method changed by a redirect", METHOD, r"GET|method|redirect", {"method sent": lambda v, w: "GET"}),
    row("a line break at the base's end", BASE, LF, _b(lambda v: v + "\n")),
    row("base joined by CRLF", BASE, r"CR ?LF|\\r|carriage|line", _b(lambda v: v.replace("\n", "\r\n"))),
    row("base without the blank after the colon", BASE, BLANK + "|joins", _b(lambda v: v.replace(": ", ":"))),
    row("names in the base without quotes", BASE, QUOTE, _lines(lambda v: [re.sub(r'^"([^"]*)"', r"\1", x) for x in v])),
    row("base without its last line", BASE, r"@signature-params|last line|" + MISSING, {"base": lambda v, w: v.rpartition("\n")[0]}),
    row("last line called signature-params", BASE, r"@signature-params|@", {"last line": lambda v, w: v.replace("@", "")}),
    row("last line's name without quotes", BASE, QUOTE, {"last line": lambda v, w: v.replace('"@signature-params"', "@signature-params")}),
    row("last line with the label", BASE, r"label|sig1", {"params in base": lambda v, w: f"sig1={v}"}),
    row("last line without the parameters", BASE, r"created|" + MISSING, {"params in base": lambda v, w: v.partition(";")[0]}),
    row("last line with created only", BASE, r"param|keyid|nonce|alg|" + MISSING, {"params in base": lambda v, w: re.sub(r";keyid.*", "", v)}),
    row("parameters in another order in the base", BASE, ORDER, {"params in base": lambda v, w: v.partition(";")[0] + ";" + ";".join(v.split(";")[:0:-1])}),
    row("created in quotes in the base", TIME + "|param", QUOTE, {"params in base": lambda v, w: v.replace(f"created={w.created}", f'created="{w.created}"')}),
    row("components in another order in the base", BASE, ORDER, _lines(lambda v: v[::-1])),
    row("a component left out of the base", r"content-type|" + BASE, MISSING + "|content-type", _lines(lambda v: [x for x in v if "content-type" not in x])),
    row("field names in capitals in the base", BASE + "|content-type|case", CASE, _lines(lambda v: [x.replace("content-type", "Content-Type") for x in v])),
    row("field names in capitals in input and base", INPUT + "|content-type", CASE + "|lower", {"names": lambda v, w: [n if n[0] == "@" else n.title() for n in v], "values": lambda v, w: {**v, **{n.title(): x for n, x in v.items()}}}),
    row("field value's blanks kept", r"x-trace|field", BLANK, _value("x-trace", lambda v, w: f" {w.trace}  ")),
    row("created in milliseconds", TIME, MILLI, {"time": lambda v, w: v + "000"}),
    row("created in quotes", TIME, QUOTE + "|integer|number|text|another type", {"time": lambda v, w: f'"{v}"'}),
    row("created with a fraction", TIME, r"fraction|decimal|integer|number|\.|another type", {"time": lambda v, w: v + ".5"}),
    row("created left out", TIME, MISSING + "|cover|demand", _unparam("created")),
    row("clock behind", TIME, OFF, lambda r: {"time": lambda v, w, d=r.randrange(700, 9000): str(int(v) - d)}),
    row("clock ahead", TIME, OFF, lambda r: {"time": lambda v, w, d=r.randrange(700, 9000): str(int(v) + d)}),
    row("expires over", r"expires", OFF, {"signature params": lambda v, w: {**v, "expires": str(int(NOW) - 1)}}),
    row("nonce left out", "nonce", MISSING + "|demand", _unparam("nonce")),
    row("used twice", r"nonce|replay|used", r"replay|used|before|once|twice", {}, replay=True),
    row("keyid left out", KEY, MISSING, _unparam("keyid")),
    row("keyid unknown", KEY, r"unknown|not known|no key|send that key id|made the signature|send that key id", lambda r: {"keyid": lambda v, w, n=word(r): n}, never=()),
    row("keyid without quotes", KEY + "|" + INPUT, QUOTE + "|token|text|string", _param("keyid", lambda v: v.strip('"'))),
    row("keyid called keyId", KEY + "|" + INPUT, CASE + "|keyId|lower|unknown", _i(lambda v: v.replace("keyid", "keyId"))),
    row("alg of JOSE", r"\balg|algorithm", r"ES256|HS256|EdDSA|alg", {"alg": lambda v, w: "EdDSA"}),
    row("alg rsa-pss-sha512", r"\balg|algorithm", r"rsa|alg", {"alg": lambda v, w: "rsa-pss-sha512"}),
    row("alg hs2019", r"\balg|algorithm", r"hs2019|alg", {"alg": lambda v, w: "hs2019"}),
    row("method not covered", METHOD, r"cover|" + MISSING, _without("@method")),
    row("query not covered", r"query", r"cover|" + MISSING, _without("@query")),
    row("path not covered", r"path", r"cover|" + MISSING, _without("@path")),
    row("content-digest not covered", DIGEST, r"cover|" + MISSING, _without("content-digest")),
    row("authority not covered, host is", HOST, r"cover|@authority|" + MISSING, {"names": lambda v, w: [n if n != "@authority" else "host" for n in v], "values": lambda v, w: {**v, "host": w.host}}),
    row("a field covered and not sent", r"x-trace|component|field", r"x-trace", _headers(lambda hs: [h for h in hs if h[0] != "X-Trace"])),
    row("Content-Digest not sent", DIGEST, MISSING + "|content-digest", _headers(lambda hs: [h for h in hs if h[0] != "Content-Digest"])),
    row("Content-Digest in hex", DIGEST, HEX + r"|base64|has \d+ octets", {"content digest": lambda v, w: f"sha-256=:{hashlib.sha256(w.body).hexdigest()}:"}),
    row("Content-Digest without its colons", DIGEST, r"colon|byte sequence", {"content digest": lambda v, w: v.replace(":", "")}),
    row("Content-Digest as the old Digest writes it", DIGEST, r"SHA-256|case|lower|colon|key", {"content digest": lambda v, w: f"SHA-256={b64(hashlib.sha256(w.body).digest())}"}),
    row("Content-Digest called sha256", DIGEST, r"sha256|algorithm|unknown|sha-256", {"content digest": lambda v, w: v.replace("sha-256", "sha256")}),
    row("Content-Digest by MD5", DIGEST, r"md5|algorithm|weak|sha", {"content digest": lambda v, w: f"md5=:{b64(hashlib.md5(w.body).digest())}:"}),
    row("Content-Digest of SHA-512 under sha-256", DIGEST, r"512|length|64|algorithm|hash", {"digest with": lambda b: hashlib.sha512(b).digest()}),
    row("Content-Digest in quotes", DIGEST, QUOTE + "|byte sequence|text|string", {"content digest": lambda v, w: v.replace(":", '"')}),
    row("Content-Digest of hex in base64", DIGEST, HEX + r"|has \d+ octets", {"content digest": lambda v, w: f"sha-256=:{b64(hashlib.sha256(w.body).hexdigest().encode())}:"}),
    row("another Content-Digest in the base", DIGEST, r"digest", {"digest in base": lambda v, w: f"sha-256=:{b64(hashlib.sha256(b'').digest())}:"}),
    row("body changed on the way", BODY, r"body|line|digest", {"body sent": lambda v, w: v + b"\n"}),
    row("body lost by a redirect", BODY, EMPTY, {"body sent": lambda v, w: b""}),
    row("Content-Type changed on the way", r"content-type", r"charset|content-type", _field("Content-Type", lambda v: v + ";charset=utf-8")),
    row("a field's line added on the way", r"x-trace|field", r"x-trace|add|append|line", _headers(lambda hs: [*hs, ("X-Trace", "edge-7")])),
    row("Signature without its colons", SIGNATURE, r"colon|byte sequence", _s(lambda v: v.replace(":", ""))),
    row("Signature in quotes", SIGNATURE, QUOTE + "|byte sequence|text|string", _s(lambda v: v.replace(":", '"'))),
    row("Signature without its label", SIGNATURE, r"label|dictionary|sig1", _s(lambda v: v.partition("=")[2])),
    row("Signature under another label", SIGNATURE, r"label|sig", _s(lambda v: v.replace("sig1", "sig2"))),
    row("Signature in URL-safe base64", SIGNATURE, B64 + "|alphabet|byte sequence", _s(lambda v: v.replace("+", "-").replace("/", "_"))),
    row("Signature in hex", SIGNATURE, HEX, {"spell": bytes.hex}),
    row("Signature cut", SIGNATURE, CUT, lambda r: _s(lambda v, n=r.randrange(5, 20): v[: -n - 1] + ":")),
    row("Signature not sent", SIGNATURE, MISSING + "|label|both", _headers(lambda hs: [h for h in hs if h[0] != "Signature"])),
    row("Signature-Input not sent", INPUT, MISSING + "|label|both", _headers(lambda hs: [h for h in hs if h[0] != "Signature-Input"])),
    row("Signature-Input without its label", INPUT, r"label|dictionary|sig1", _i(lambda v: v.partition("=")[2])),
    row("components without quotes", INPUT, QUOTE + "|string|text", {"written name": lambda v, w: v.strip('"')}),
    row("components with commas", INPUT, r"comma|blank|space|list", {"listed": lambda v, w: v.replace(" ", ", ")}),
    row("components in brackets", INPUT, r"bracket|parenthes|\[|list", {"listed": lambda v, w: v.replace("(", "[").replace(")", "]")}),
    row("(request-target) of Cavage", INPUT, r"request-target|unknown|component|parenthes|no field name", {"names": lambda v, w: ["(request-target)", *v]}),
    row("in Authorization as Cavage has it", PLACE, r"authorization|cavage|signature-input|draft", {"headers": lambda hs, w: [*hs[:3], ("Authorization", f'Signature keyId="{w.keyid}",algorithm="hs2019",headers="(request-target) host",signature="{hs[4][1].split(":")[1]}"')]}),
    row("in X-Signature and X-Signature-Input", PLACE, r"x-signature", _headers(lambda hs: [(("X-" + n) if n.startswith("Sig") else n, v) for n, v in hs])),
    _asymmetric("in DER", SIGNATURE, r"DER|ASN", lambda w, t: w.private.sign(t, ec.ECDSA(hashes.SHA256())), P256),
    _asymmetric("in DER", SIGNATURE, r"DER|ASN", lambda w, t: w.private.sign(t, ec.ECDSA(hashes.SHA384())), P384),
    _asymmetric("SHA-256 for SHA-384", SIGNATURE + "|hash|algorithm", ALGORITHM, lambda w, t: raw_ecdsa(w.private, t, hashes.SHA256()), P384),
    _asymmetric("SHA-384 for SHA-256", SIGNATURE + "|hash|algorithm", ALGORITHM, lambda w, t: raw_ecdsa(w.private, t, hashes.SHA384()), P256),
    _asymmetric("text hashed before", SIGNATURE + "|hash|base", HASHED, lambda w, t: w.private.sign(hashlib.sha256(t).digest()), ED),
    _asymmetric("text hashed before", SIGNATURE + "|hash|base", HASHED + "|twice", lambda w, t: raw_ecdsa(w.private, hashlib.sha256(t).digest()), P256),
]  # fmt: skip


def _path(r: random.Random, target: str) -> Any:
    w = draw(r)
    w.target = target
    return w


TAIL = [
    row("base joined by blanks", BASE, BLANK + "|join|separat|line", _b(lambda v: v.replace("\n", " ")), True),
    row("base joined by literal backslash n", BASE, r"backslash|literal|\\n|join", _b(lambda v: v.replace("\n", "\\n")), True),
    row("base joined by commas", BASE, r"comma|join|separat", _b(lambda v: v.replace("\n", ", ")), True),
    row("base with a blank line before the last", BASE, LF + "|blank line|empty line", {"last line": lambda v, w: "\n" + v}, True),
    row("base after a line break", BASE, LF, _b(lambda v: "\n" + v), True),
    row("base after a byte order mark", BASE, r"byte order|BOM|FEFF", _b(lambda v: "\ufeff" + v), True),
    row("base in small letters", BASE + "|case", CASE, _b(str.lower), True),
    row("base with = for the colon", BASE, r"colon|equal|separat", _lines(lambda v: [x.replace('": ', '"=', 1) for x in v]), True),
    row("base with two blanks after the colon", BASE, BLANK, _lines(lambda v: [x.replace(": ", ":  ", 1) for x in v]), True),
    row("base with a blank behind each line", BASE, BLANK, _lines(lambda v: [x + " " for x in v]), True),
    row("base with the values in quotes", BASE, QUOTE, _lines(lambda v: [x.replace(": ", ': "', 1) + '"' for x in v]), True),
    row("base with single quotes", BASE, QUOTE, _b(lambda v: v.replace('"', "'")), True),
    row("base sorted", BASE, ORDER, _lines(sorted), True),
    row("base with the last line first", BASE, ORDER + "|first|last", {"base": lambda v, w: "\n".join([v.rpartition("\n")[2], v.rpartition("\n")[0]])}, True),
    row("base as JSON", BASE, r"json|join|format", {"base": lambda v, w: json.dumps(v.split("\n"))}, True),
    row("base of the draft with its star", BASE, r"\*|signature-input|draft|@signature-params", {"last line": lambda v, w: v.replace("@signature-params", "@signature-input")}, True),
    row("base hashed before it is signed", BASE + "|hash", HASHED, {"text": lambda v, w: hashlib.sha256(v).digest()}, True),
    row("base's hex hash signed", BASE + "|hash", HASHED + "|" + HEX, {"text": lambda v, w: hashlib.sha256(v).hexdigest().encode()}, True),
    row("base in base64", BASE, B64, {"text": lambda v, w: base64.b64encode(v)}, True),
    row("base in UTF-16", BASE, r"utf-?16", {"text": lambda v, w: v.decode().encode("utf-16-le")}, True),
    row("base with an @ before each name", BASE, r"without (the |its )?@|@ (left|before|in front)|names", _lines(lambda v: [x if x.startswith('"@') else '"@' + x[1:] for x in v]), True),
    row("base without the @", BASE, r"without (the |its )?@|@ (left|before|in front)|names", _lines(lambda v: [x.replace('"@', '"', 1) for x in v]), True),
    row("base with the index of each line", BASE, r"number|index|line|prefix", _lines(lambda v: [f"{i}. {x}" for i, x in enumerate(v, 1)]), True),
    row("last line with blanks after the semicolons", BASE + "|param", BLANK, {"params in base": lambda v, w: v.replace(";", "; ")}, True),
    row("last line with commas between the components", BASE, r"comma|separat|blank", {"params in base": lambda v, w: v.replace('" "', '", "')}, True),
    row("last line without its parentheses", BASE, r"parenthes|bracket|\(", {"params in base": lambda v, w: v.replace("(", "").replace(")", "")}, True),
    row("last line without alg", BASE + "|alg", r"alg|" + MISSING, {"params in base": lambda v, w: re.sub(r";alg=\"[^\"]*\"", "", v)}, True),
    row("last line without nonce", BASE + "|nonce", r"nonce|" + MISSING, {"params in base": lambda v, w: re.sub(r";nonce=\"[^\"]*\"", "", v)}, True),
    row("last line with keyid unquoted", BASE + "|keyid", QUOTE, {"params in base": lambda v, w: v.replace(f'keyid="{w.keyid}"', f"keyid={w.keyid}")}, True),
    row("last line with expires that wasn't sent", BASE + "|expires", r"expires|added", {"params in base": lambda v, w: v + f";expires={w.created + 300}"}, True),
    row("last line with another created", TIME + "|param", r"created|time|second", lambda r: {"params in base": lambda v, w, d=r.randrange(1, 4): v.replace(str(w.created), str(w.created - d))}, True),
    row("last line with created in milliseconds", TIME + "|param", MILLI, {"params in base": lambda v, w: v.replace(str(w.created), f"{w.created}000")}, True),
    row("last line with a semicolon at the end", BASE + "|param", r"semicolon|trailing|end", {"params in base": lambda v, w: v + ";"}, True),
    row("last line's parameters sorted", BASE + "|param", ORDER, {"params in base": lambda v, w: ";".join([v.split(";")[0], *sorted(v.split(";")[1:])])}, True),
    row("path in small letters", r"path|target", CASE, {"path signed": lambda v, w: v.upper()}, True),
    row("path without its slash", r"path|target", r"slash", {"path signed": lambda v, w: v[1:]}, True),
    row("path with the host", r"path|target", r"host|url|https", {"path signed": lambda v, w: f"https://{w.host}{v}"}, True),
    row("path encoded in whole", r"path|target", PERCENT + "|%2F", {"path signed": lambda v, w: urllib.parse.quote(v, safe="")}, True),
    row("path with a stage", r"path|target", r"prefix|/prod|stage", {"path signed": lambda v, w: "/prod" + v}, True),
    row("path with two slashes", r"path|target", r"slash", {"path signed": lambda v, w: "/" + v}, True),
    row("path with a fragment", r"path|target", r"fragment|#", {"path signed": lambda v, w: v + "#a"}, True),
    row("path of the route's pattern", r"path|target", r"path|pattern|\{id\}|:id", {"path signed": lambda v, w: re.sub(r"/\d+$", "/{id}", v)}, True, undecidable="which pattern the route has is nowhere in the request; that the path's last part was replaced can't be recomputed"),
    row("query in small letters", r"query", CASE, {"query signed": lambda v, w: v.upper()}, True),
    row("query encoded twice", r"query", DOUBLED + "|%25|encod", {"query signed": lambda v, w: v.replace("%", "%25")}, True),
    row("query with HTML's &amp;", r"query", r"amp|html|entit", {"query signed": lambda v, w: v.replace("&", "&amp;")}, True),
    row("query with semicolons", r"query", r"semicolon|&|separat", {"query signed": lambda v, w: v.replace("&", ";")}, True),
    row("query without its last parameter", r"query", r"query|" + MISSING, {"query signed": lambda v, w: v.rpartition("&")[0]}, True),
    row("query with an ampersand at its end", r"query", r"ampersand|&|trailing|end", {"query signed": lambda v, w: v + "&"}, True),
    row("query with two question marks", r"query", r"\?|question|mark", {"query signed": lambda v, w: "?" + v}, True),
    row("query left an empty line", r"query", EMPTY + "|query", {"query signed": lambda v, w: ""}, True),
    row("method as an enum", METHOD, r"HttpMethod|method", {"method signed": lambda v, w: "HttpMethod." + v}, True),
    row("method with a capital only", METHOD, CASE, {"method signed": lambda v, w: v.title()}, True),
    row("method in quotes", METHOD, QUOTE, {"method signed": lambda v, w: f'"{v}"'}, True),
    row("method override", METHOD, r"override|PATCH", {"method signed": lambda v, w: "PATCH", "headers": lambda hs, w: [*hs, ("X-HTTP-Method-Override", "PATCH")]}, True),
    row("authority with a dot", HOST, r"dot", {"host signed": lambda v, w: v + "."}, True),
    row("authority with port 8443", HOST, r"port|8443", {"host signed": lambda v, w: v + ":8443"}, True),
    row("authority with www", HOST, r"www", {"host signed": lambda v, w: "www." + v}, True),
    row("authority of the mesh", HOST, r"svc|cluster|host|authority", {"host signed": lambda v, w: "orders.default.svc.cluster.local"}, True, undecidable="the host that was signed is nowhere in the request"),
    row("authority of the CDN sent, origin in X-Forwarded-Host", HOST, r"forwarded|host|authority|PublicURL", {"host sent": lambda v, w: "origin.cdn.example", "headers": lambda hs, w: [*hs, ("X-Forwarded-Host", w.host)]}, True),
    row("authority with user information", HOST, r"user", {"host signed": lambda v, w: "u@" + v}, True),
    row("@target-uri with http for https", r"target-uri|scheme|http", r"http\b|scheme|https", {"names": lambda v, w: ["@method", "@target-uri", *v[4:]], "values": lambda v, w: {**v, "@target-uri": f"http://{w.host}{w.target}"}}, True),
    row("@target-uri without its query", r"target-uri|query", r"query", {"names": lambda v, w: ["@method", "@target-uri", *v[4:]], "values": lambda v, w: {**v, "@target-uri": f"https://{w.host}{w.target.partition('?')[0]}"}}, True),
    row("@target-uri with the port", r"target-uri|port|authority", r"port|443", {"names": lambda v, w: ["@method", "@target-uri", *v[4:]], "values": lambda v, w: {**v, "@target-uri": f"https://{w.host}:443{w.target}"}}, True),
    row("@target-uri is the path", r"target-uri|path", r"path|scheme|host|https|absolute|url", {"names": lambda v, w: ["@method", "@target-uri", *v[4:]], "values": lambda v, w: {**v, "@target-uri": w.target}}, True),
    row("@request-target is a URL", r"request-target|path|target", r"https|url|absolute|scheme|host", {"names": lambda v, w: ["@method", "@authority", "@request-target", *v[4:]], "values": lambda v, w: {**v, "@request-target": f"https://{w.host}{w.target}"}}, True),
    row("@request-target with the method as Cavage", r"request-target", r"method|post|put|prefix|case", {"names": lambda v, w: ["@method", "@authority", "@request-target", *v[4:]], "values": lambda v, w: {**v, "@request-target": f"{w.method.lower()} {w.target}"}}, True),
    row("@query-param with its value decoded", r"query-param|limit", r"decod|encod|percent|blank|space", {"names": lambda v, w: [*v, '@query-param";name="x'], "values": lambda v, w: {**v, '@query-param";name="x': "a b"}}, True, drawn=lambda r: _path(r, f"/v1?x=a%20b&y={word(r)}")),
    row("@query-param of a parameter that isn't there", r"query-param", r"nope|query-param|missing|not there|" + MISSING, {"names": lambda v, w: [*v, '@query-param";name="nope'], "values": lambda v, w: {**v, '@query-param";name="nope': "1"}}, True),
    row("@url of another specification", INPUT, r"@url|unknown|component", {"names": lambda v, w: [*v, "@url"], "values": lambda v, w: {**v, "@url": "x"}}, True),
    row("@host for @authority", INPUT + "|authority", r"@host|unknown|component", {"names": lambda v, w: ["@host" if n == "@authority" else n for n in v], "values": lambda v, w: {**v, "@host": w.host}}, True),
    row("@status in a request", INPUT + "|status", r"@status|response|component", {"names": lambda v, w: [*v, "@status"], "values": lambda v, w: {**v, "@status": "200"}}, True),
    row("a component twice", INPUT, DOUBLED, {"names": lambda v, w: [*v, "content-type"]}, True),
    row("no components", INPUT + "|cover", EMPTY + "|cover", {"names": lambda v, w: []}, True),
    row("a component of an unknown parameter", INPUT, r"unknown|parameter|;xyz|component", {"input": lambda v, w: v.replace('"content-type"', '"content-type";xyz')}, True),
    row("content-length covered and changed on the way", r"content-length|field", r"content-length", {"names": lambda v, w: [*v, "content-length"], "values": lambda v, w: {**v, "content-length": str(len(w.body))}, "headers": lambda hs, w: [*hs, ("Content-Length", str(len(w.body) + 2))]}, True),
    row("content-length covered and dropped by a proxy", r"content-length|field", r"content-length", {"names": lambda v, w: [*v, "content-length"], "values": lambda v, w: {**v, "content-length": str(len(w.body))}}, True),
    row("date covered and rewritten", r"\bdate|field", r"date", {"names": lambda v, w: [*v, "date"], "values": lambda v, w: {**v, "date": "Tue, 20 Apr 2021 02:07:55 GMT"}, "headers": lambda hs, w: [*hs, ("Date", "Tue, 20 Apr 2021 02:07:56 GMT")]}, True),
    row("accept covered and rewritten by a CDN", r"accept|field", r"accept", {"names": lambda v, w: [*v, "accept"], "values": lambda v, w: {**v, "accept": "application/json"}, "headers": lambda hs, w: [*hs, ("Accept", "*/*")]}, True, undecidable="the value that was signed is nowhere in the request"),
    row("Content-Type in capitals on the way", r"content-type", CASE + "|content-type", _field("Content-Type", str.upper), True),
    row("Content-Type's value in quotes", r"content-type", QUOTE, _value("content-type", lambda v, w: f'"{v}"'), True),
    row("Content-Type with charset in the base", r"content-type", r"charset|content-type", _value("content-type", lambda v, w: v + "; charset=utf-8"), True),
    row("X-Trace joined without a blank", r"x-trace|field", BLANK + "|comma|join", _value("x-trace", lambda v, w: v.replace(", ", ",")), True),
    row("X-Trace only its first member", r"x-trace|field", r"first|member|line|" + MISSING, _value("x-trace", lambda v, w: v.partition(",")[0]), True),
    row("Content-Digest in the base without its name", DIGEST, r"sha-256=|name|label|algorithm|prefix", {"digest in base": lambda v, w: v.partition("=")[2]}, True),
    row("Content-Digest in the base without its colons", DIGEST, r"colon", {"digest in base": lambda v, w: v.replace(":", "")}, True),
    row("Content-Digest in the base in hex", DIGEST, HEX, {"digest in base": lambda v, w: f"sha-256=:{hashlib.sha256(w.body).hexdigest()}:"}, True),
    row("Content-Digest in the base in capitals", DIGEST, CASE, {"digest in base": lambda v, w: v.replace("sha-256", "SHA-256")}, True),
    row("Content-Digest in the base of SHA-512", DIGEST, r"512|algorithm|hash", {"digest in base": lambda v, w: f"sha-512=:{b64(hashlib.sha512(w.body).digest())}:"}, True),
    row("Content-Digest URL-safe", DIGEST, B64 + "|alphabet|byte sequence", {"content digest": lambda v, w: v.replace("+", "-").replace("/", "_")}, True),
    row("Content-Digest without padding", DIGEST, r"padd|base64", {"content digest": lambda v, w: v.replace("=:", ":", 1) if v.endswith("=:") else v}, True),
    row("Content-Digest of the keyed body", DIGEST, r"hmac|key", {"digest with": lambda b: hashlib.sha256(b"key" + b).digest()}, True, undecidable="the other input of the hash was made up"),
    row("Content-Digest twice hashed", DIGEST, DOUBLED + "|hash", {"digest with": lambda b: hashlib.sha256(hashlib.sha256(b).digest()).digest()}, True),
    row("Content-Digest by SHA-1 under sha-256", DIGEST, r"sha-?1|length|20|algorithm|hash", {"digest with": lambda b: hashlib.sha1(b).digest()}, True),
    row("Content-Digest by MD5 under sha-256", DIGEST, r"md5|length|16|algorithm|hash", {"digest with": lambda b: hashlib.md5(b).digest()}, True),
    row("Content-Digest empty", DIGEST, EMPTY, {"content digest": lambda v, w: ""}, True),
    row("Content-Digest undefined", DIGEST, r"undefined|placeholder|algorithm", {"content digest": lambda v, w: "undefined"}, True),
    row("Digest for Content-Digest", DIGEST, r"\bdigest\b|content-digest", {"headers": lambda hs, w: [("Digest" if n == "Content-Digest" else n, v) for n, v in hs]}, True),
    row("Content-MD5 besides", DIGEST, r"content-md5|cover|digest", {"names": lambda v, w: ["content-md5" if n == "content-digest" else n for n in v], "values": lambda v, w: {**v, "content-md5": b64(hashlib.md5(w.body).digest())}, "headers": lambda hs, w: [*hs, ("Content-MD5", b64(hashlib.md5(w.body).digest()))]}, True),
    row("Content-Digest with two algorithms, one wrong", DIGEST, r"512|digest", {"content digest": lambda v, w: v + f", sha-512=:{b64(hashlib.sha512(b'').digest())}:"}, True),
    row("created negative", TIME, r"negative|past|old|expired", {"time": lambda v, w: "-5"}, True),
    row("created as ISO 8601", TIME + "|" + INPUT, r"date|iso|integer|number|text", {"time": lambda v, w: "2030-01-01T00:00:00Z"}, True),
    row("created as an SF date", TIME + "|" + INPUT, r"date|@|integer|number|another type", {"time": lambda v, w: f"@{v}"}, True),
    row("created since 2001 by Apple", TIME, OFF + "|2001|apple|epoch", {"time": lambda v, w: str(int(v) - 978_307_200)}, True),
    row("created in microseconds", TIME + "|" + INPUT, MILLI + "|15 digits|digits", {"time": lambda v, w: v + "000000"}, True),
    row("created true", TIME + "|" + INPUT, r"true|boolean|integer|number|another type", _i(lambda v: re.sub(r"created=\d+", "created", v)), True),
    row("created in the local zone", TIME, OFF, lambda r: {"time": lambda v, w, h=r.randrange(1, 11): str(int(v) + 3600 * h)}, True),
    row("expires in milliseconds", r"expires", MILLI + "|digits|unit", {"signature params": lambda v, w: {**v, "expires": f"{w.created}000000"}}, True),
    row("expires is a lifetime", r"expires", OFF + "|lifetime|duration|relative", {"signature params": lambda v, w: {**v, "expires": "300"}}, True),
    row("expires before created", r"expires", OFF + r"|before|created|after \d+", {"signature params": lambda v, w: {**v, "expires": str(w.created - 10)}}, True),
    row("nonce without quotes", "nonce|" + INPUT, QUOTE + "|text|string|token", _param("nonce", lambda v: v.strip('"') + "/+="), True),
    row("nonce as octets", "nonce|" + INPUT, r"byte|octets|text|string", {"signature params": lambda v, w: {**v, "nonce": f":{b64(w.nonce.encode())}:"}}, True),
    row("nonce empty", "nonce", EMPTY, {"nonce": lambda v, w: ""}, True),
    row("keyid in capitals", KEY, CASE + "|unknown|send that key id", {"keyid": lambda v, w: v.upper()}, True, never=()),
    row("keyid as a URL", KEY, r"url|https|unknown|send that key id", {"keyid": lambda v, w: f"https://{w.host}/keys#{v}"}, True, never=()),
    row("keyid with a blank", KEY, BLANK + "|unknown|send that key id", {"keyid": lambda v, w: v + " "}, True, never=()),
    row("keyid is the subject", KEY, r"subject|owner|unknown|name|send that key id", {"keyid": lambda v, w: w.subject}, True, never=()),
    row("keyid a variable", KEY, r"variable|placeholder|unset|unknown|send that key id", {"keyid": lambda v, w: "${KEY_ID}"}, True, never=()),
    row("keyid in backslashed quotes", KEY + "|" + INPUT, QUOTE + "|backslash|escap", _param("keyid", lambda v: v.replace('"', '\\"')), True),
    row("keyid of another key", KEY + "|alg", r"another|other|old|alg", {"keyid": lambda v, w: v + "-old"}, True, never=()),
    row("alg in capitals", r"\balg|algorithm", CASE + "|alg", {"alg": lambda v, w: v.upper()}, True),
    row("alg with underscores", r"\balg|algorithm", r"_|underscore|alg", {"alg": lambda v, w: v.replace("-", "_") + "_x"}, True),
    row("alg without quotes", r"\balg|algorithm|" + INPUT, QUOTE + "|text|string|token|another type", _param("alg", lambda v: v.strip('"')), True),
    row("alg unset", r"\balg|algorithm", EMPTY + "|alg", {"alg": lambda v, w: ""}, True),
    row("tag that the policy doesn't name", r"tag|cred", r"tag", {"signature params": lambda v, w: {**v, "tag": '"web-bot-auth"'}}, True),
    row("a parameter twice", INPUT + "|created", DOUBLED + "|created|time", _i(lambda v: v + ";created=1"), True),
    row("parameters joined by commas", INPUT, r"comma|semicolon|separat|dictionary", _i(lambda v: v.replace(";", ",")), True),
    row("parameters with blanks about =", INPUT, BLANK + "|=", _i(lambda v: v.replace("created=", "created = ")), True),
    row("parameters with colons", INPUT, r"colon", _i(lambda v: v.replace("created=", "created:")), True),
    row("Signature-Input with single quotes", INPUT, QUOTE + "", _i(lambda v: v.replace('"', "'")), True),
    row("Signature-Input with typographic quotes", INPUT, QUOTE + "|ascii", _i(lambda v: v.replace('"', "\u201c")), True),
    row("Signature-Input with HTML quotes", INPUT, r"html|entit|quot", _i(lambda v: v.replace('"', "&quot;")), True),
    row("Signature-Input in quotes", INPUT, QUOTE + "", _i(lambda v: f'"{v}"'), True),
    row("Signature-Input as JSON", INPUT, r"json|brace|\{", {"input field": lambda v, w: json.dumps({"sig1": v})}, True),
    row("Signature-Input in base64", INPUT, B64 + "", {"input field": lambda v, w: base64.b64encode(v.encode()).decode()}, True),
    row("Signature-Input cut", INPUT, CUT + "|quot|end", _i(lambda v: v[:-4]), True),
    row("labels in capitals", INPUT + "|" + SIGNATURE, CASE + "|label|key", {"input field": lambda v, w: v.replace("sig1", "Sig1"), "signature field": lambda v, w: v.replace("sig1", "Sig1")}, True),
    row("labels apart", INPUT + "|" + SIGNATURE, r"label|sig", _i(lambda v: v.replace("sig1", "sig-b")), True),
    row("Signature in one colon", SIGNATURE, r"colon|byte sequence", _s(lambda v: v[:-1]), True),
    row("Signature with a line break's escape", SIGNATURE, LF + "|base64|byte", _s(lambda v: v[:30] + "\\n" + v[30:]), True),
    row("Signature twice encoded", SIGNATURE, DOUBLED + "|base64", {"spell": lambda b: b64(b64(b).encode())}, True),
    row("Signature of the hex text", SIGNATURE, HEX, {"spell": lambda b: b64(b.hex().encode())}, True),
    row("Signature reversed", SIGNATURE, r"revers|endian|order", {"spell": lambda b: b64(b[::-1])}, True),
    row("Signature half", SIGNATURE, CUT + r"|half|has \d+ octets", {"spell": lambda b: b64(b[: len(b) // 2])}, True),
    row("Signature doubled", SIGNATURE, DOUBLED + r"|has \d+ octets", {"spell": lambda b: b64(b + b)}, True),
    row("Signature's octets read as Latin-1", SIGNATURE, r"latin|utf|charset|mojibake|character|encod", {"spell": lambda b: b64(b.decode("latin-1").encode())}, True),
    row("Signature empty", SIGNATURE, EMPTY + r"|has \d+ octets", _s(lambda v: "sig1=::"), True),
    row("Signature percent-encoded", SIGNATURE, PERCENT + "|byte", _s(lambda v: v.replace("=:", "%3D:").replace("+", "%2B").replace("/", "%2F") if v.count("=") > 1 or "+" in v or "/" in v else v + "%"), True),
    row("Signature as a JWS", SIGNATURE, r"JWS|jwt|byte|dot|base64", _s(lambda v: "sig1=eyJhbGciOiJFUzI1NiJ9.." + v.split(":")[1].rstrip("=")), True),
    row("Signature with keyid beside it", SIGNATURE + "|keyid", r"keyid", _s(lambda v: v.replace("sig1=:", "keyid=x, sig1=:")), True),
    row("in one field of its own", PLACE, r"x-http-signature|signature", {"headers": lambda hs, w: [*hs[:3], ("X-HTTP-Signature", f"{hs[3][1]} {hs[4][1]}")]}, True),
    row("in Proxy-Authorization", PLACE, r"proxy-authorization|signature", {"headers": lambda hs, w: [*hs[:3], ("Proxy-Authorization", f"Signature {hs[4][1]}")]}, True),
    row("Signature_Input of CGI", PLACE, r"signature_input|underscore|signature-input", {"headers": lambda hs, w: [(n.replace("-", "_") if n == "Signature-Input" else n, v) for n, v in hs]}, True),
    row("body written anew on the way", BODY, r"json|blank|space|body|digest", {"body sent": lambda v, w: json.dumps(json.loads(v)).encode()}, True),
    row("body gzipped on the way", BODY, r"gzip|compress|content[- ]coding", {"body sent": lambda v, w: axes.gzip.compress(v, mtime=0)}, True),
    row("body's charset changed on the way", BODY, r"latin|charset|character|8859", {"body sent": lambda v, w: v.decode().encode("latin-1")}, True),
    row("query re-ordered on the way", r"query|target", ORDER, {"target sent": lambda v, w: v.partition("?")[0] + "?" + "&".join(sorted(v.partition("?")[2].split("&")))}, True),
    row("path decoded on the way", r"path|target", PERCENT, {"target sent": lambda v, w: v.replace("%7E", "~")}, True, drawn=lambda r: _path(r, f"/v1/%7E{word(r)}?x=1")),
    row("two slashes merged on the way", r"path|target", r"slash", {"target sent": lambda v, w: v.replace("//", "/")}, True, drawn=lambda r: _path(r, f"/v1//{word(r)}?x=1")),
    _asymmetric("r and s exchanged", SIGNATURE, r"exchang|swap|order", lambda w, t: (lambda s: s[32:] + s[:32])(raw_ecdsa(w.private, t)), P256, True),
    _asymmetric("r and s exchanged", SIGNATURE, r"exchang|swap|order", lambda w, t: (lambda s: s[48:] + s[:48])(raw_ecdsa(w.private, t)), P384, True),
    _asymmetric("little endian", SIGNATURE, r"endian|revers|order", lambda w, t: (lambda s: s[31::-1] + s[:31:-1])(raw_ecdsa(w.private, t)), P256, True),
    _asymmetric("padded to 66 octets", SIGNATURE, r"zero|has \d+ octets|sign", lambda w, t: (lambda s: b"\0" + s[:32] + b"\0" + s[32:])(raw_ecdsa(w.private, t)), P256, True),
    _asymmetric("only r", SIGNATURE, r"half|has \d+ octets|cut|short|missing", lambda w, t: raw_ecdsa(w.private, t)[:32], P256, True),
    _asymmetric("DER in hex", SIGNATURE, r"DER|hex", lambda w, t: w.private.sign(t, ec.ECDSA(hashes.SHA256())).hex().encode(), P256, True),
    _asymmetric("signed on P-256", SIGNATURE + "|curve", r"P-?256|curve|has \d+ octets|64|96", lambda w, t: raw_ecdsa(ec_key(random.Random(3)), t), P384, True),
    _asymmetric("SHA-512", SIGNATURE + "|hash|algorithm", ALGORITHM, lambda w, t: raw_ecdsa(w.private, t, hashes.SHA512()), P256, True),
    _asymmetric("SHA-1", SIGNATURE + "|hash|algorithm", ALGORITHM, lambda w, t: raw_ecdsa(w.private, t, hashes.SHA1()), P256, True),
    _asymmetric("SHA-512", SIGNATURE + "|hash|algorithm", ALGORITHM, lambda w, t: raw_ecdsa(w.private, t, hashes.SHA512()), P384, True),
    _asymmetric("the base's hex hash", SIGNATURE + "|hash|base", HASHED + "|hex", lambda w, t: raw_ecdsa(w.private, hashlib.sha384(t).hexdigest().encode(), hashes.SHA384()), P384, True),
    _asymmetric("the base's SHA-512, as ed25519ph would", SIGNATURE + "|hash|base", HASHED + "|ph|512", lambda w, t: w.private.sign(hashlib.sha512(t).digest()), ED, True),
    _asymmetric("the base's hex hash", SIGNATURE + "|hash|base", HASHED + "|hex", lambda w, t: w.private.sign(hashlib.sha256(t).hexdigest().encode()), ED, True),
    _asymmetric("signature and message together", SIGNATURE, r"message|appended|behind|has \d+ octets|long|NaCl", lambda w, t: w.private.sign(t) + t, ED, True),
    _asymmetric("R and S exchanged", SIGNATURE, r"exchang|swap|order", lambda w, t: (lambda s: s[32:] + s[:32])(w.private.sign(t)), ED, True),
    _asymmetric("reversed", SIGNATURE, r"revers|endian|order", lambda w, t: w.private.sign(t)[::-1], ED, True),
    _asymmetric("an HMAC under the public key", SIGNATURE + "|key|alg", r"hmac|public key|has \d+ octets|32", lambda w, t: hmac.digest(public_pem(w.private), t, "sha256"), ED, True),
    row("two mistakes: small method and no question mark", METHOD + "|query", CASE + r"|\?|question|mark", {"method signed": lambda v, w: v.lower(), "query signed": lambda v, w: v[1:]}, True),
    row("two mistakes: CRLF and no last line", BASE, r"CR ?LF|\\r|carriage|@signature-params|last line", {"base": lambda v, w: v.rpartition("\n")[0].replace("\n", "\r\n")}, True),
    row("two mistakes: label in the last line and a line break", BASE, r"label|sig1|line", {"params in base": lambda v, w: f"sig1={v}", "base": lambda v, w: v + "\n"}, True),
    row("two mistakes: port and clock", HOST + "|" + TIME, r"port|443|" + OFF, {"host signed": lambda v, w: v + ":443", "time": lambda v, w: str(int(v) - 4000)}, True),
]  # fmt: skip


def _hmac(r: random.Random, table: dict[str, Callable]) -> Case:
    return case(r, table, "hmac-sha256")


def _secret(r: random.Random, f: Callable) -> Case | None:
    w = draw(r, "hmac-sha256")
    if f is axes.UNHEX:
        w.secret = r.randbytes(20).hex()
    key = f(w.secret)
    return None if key is None or key == w.secret.encode() else case(r, {"key": lambda k, _: key}, drawn=w)


KINDS = [
    *COMMON, *TAIL,
    *axes.kinds(S, axes.SECRETS, KEY, _secret, (FALSE_CLOCK,)),
    *axes.kinds(S, axes.HASHES, PROOF + "|" + KEY + "|" + TEXT + "|algorithm|hash", lambda r, f: _hmac(r, {"sign": f}), NEVER),
    *axes.kinds(S, axes.BODIES, BODY, lambda r, f: case(r, {"body signed": lambda b, w: f(b)}), NEVER, "digest of "),
    row("another key that nobody knows", KEY, r"key|secret", lambda r: {"key": lambda k, w, n=token(r, 40): n.encode()}, undecidable="the secret is known to nobody here", algorithm="hmac-sha256"),
]  # fmt: skip
