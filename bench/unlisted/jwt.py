"""Mistakes of those who make and send JSON Web Tokens (RFC 7515, 7519, 6750)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import urllib.parse
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bench.unlisted import axes
from bench.unlisted.cases import (
    ALGORITHM, B64, BLANK, CASE, CUT, DOUBLED, EMPTY, FALSE_CLOCK, FALSE_KEY, HEX, LF, MILLI, MISSING, NOW, OFF, PERCENT, PLACEHOLDER, QUOTE,
    Case, Kind, Steps, host, path, token, word, world,
)  # fmt: skip
from watchword import Guard, JWTVerifier, Key, KeySet, Policy, Request

S = "jwt"
KEY = r"\bkeys?\b|secret|\bkid\b"
SIGNED = r"signature|signing|\bkey\b|secret|algorithm|\balg\b|hash|payload|text|header|part"
TOKEN = r"token|credential|authori|format|part|segment|scheme|word|header|payload|base64|jwt|signature"
PLACE = r"place|field|header|cookie|query|authori[sz]ation|proxy|body|\burl|credential"
FALSE = (FALSE_CLOCK, FALSE_KEY)
ISSUER = "https://id.example/"


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def ec_key(r: random.Random, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(r.randrange(2**200, 2**250), curve or ec.SECP256R1())


def pem(key: Any) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: Any) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


_RSA: list[rsa.RSAPrivateKey] = []


def rsa_key() -> rsa.RSAPrivateKey:
    """One for a whole run: they take long to make, and nothing is drawn of them."""
    if not _RSA:
        _RSA.append(rsa.generate_private_key(65537, 2048))
    return _RSA[0]


def raw_ecdsa(key: ec.EllipticCurvePrivateKey, text: bytes, hashed: hashes.HashAlgorithm | None = None) -> bytes:
    size = (key.curve.key_size + 7) // 8
    one, two = decode_dss_signature(key.sign(text, ec.ECDSA(hashed or hashes.SHA256())))
    return one.to_bytes(size, "big") + two.to_bytes(size, "big")


def draw(r: random.Random, kind: str = "HS256") -> Any:
    w = world(
        r=r, kind=kind, secret=token(r, 40 + r.randrange(9)), kid=f"{r.randrange(2020, 2027)}-{word(r, 2)}", other=token(r, 44), issuer=ISSUER + word(r),
        audience=f"{word(r)}-api", subject=word(r), host=host(r), target=path(r), now=int(NOW), jti=token(r, 16),
    )  # fmt: skip
    w.private = {"ES256": lambda: ec_key(r), "RS256": rsa_key}.get(kind, lambda: None)()
    return w


def sign(w: Any, key: bytes, text: bytes) -> bytes:
    if w.kind == "ES256":
        return raw_ecdsa(w.private, text)
    if w.kind == "RS256":
        return w.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
    return hmac.digest(key, text, "sha256")


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    header = step("header", {"alg": w.kind, "typ": "JWT", "kid": w.kid})
    claims = step("claims", {
        "iss": w.issuer, "sub": w.subject, "aud": w.audience, "iat": w.now - 60, "nbf": w.now - 60, "exp": w.now + 600, "jti": w.jti,
        "name": "Zo\u00eb <admin>", "scope": "read write",
    })  # fmt: skip
    first = step("header json", json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode())
    second = step(
        "claims json",
        claims if isinstance(claims, bytes) else json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode(),
    )
    one, two = step.run("header written", b64, first), step.run("claims written", b64, second)
    text = step("text", f"{one}.{two}".encode())
    signature = step.run("sign", lambda k, t: sign(w, k, t), step("key", w.secret.encode()), text)
    made = step("token", f"{one}.{two}.{step.run('spell', b64, signature)}")
    headers = step("headers", [("Accept", "*/*"), ("Authorization", step("field", f"Bearer {made}"))])
    return Request("GET", "https", w.host, step("target", w.target), headers), step("body", b""), made


def case(
    r: random.Random,
    table: dict[str, Callable],
    kind: str = "HS256",
    drawn: Any = None,
    replay: bool = False,
    keys: Any = None,
    **options: Any,
) -> Case:
    w = drawn or draw(r, kind)
    genuine, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    if kind == "HS256":
        key = Key.from_secret(w.secret.encode(), algorithm="HS256", key_id=w.kid)
    else:
        key = Key.from_pem(public_pem(w.private), algorithm=kind, key_id=w.kid)
    other = Key.from_secret(w.other.encode(), algorithm="HS256", key_id=w.kid + "-old")
    known = KeySet(keys(w, key)) if keys else KeySet([key, other])
    verifier = JWTVerifier(known, issuer=w.issuer, audience=w.audience, **{"required": ["exp"], **options})
    store = axes_store() if replay or options.get("single_use") else None
    guard = Guard([verifier], store, policy=Policy(clock=lambda: NOW))
    before = [(genuine, b"")] if replay else []
    secrets = [w.secret.encode(), w.other.encode()]
    return Case(
        request, guard, body, NOW, secrets, [proof.encode(), proof.rpartition(".")[2].encode()], before, step.pairs
    )


def axes_store() -> Any:
    from watchword.stores import MemoryStore

    return MemoryStore(clock=lambda: NOW)


def row(
    name: str, part: str, what: str, table: Any, tail: bool = False, never: tuple[str, ...] = FALSE, **more: Any
) -> Kind:
    undecidable = more.pop("undecidable", "")

    def make(r: random.Random) -> Case | None:
        return case(r, table(r) if callable(table) else table, **more)

    return Kind(S, name, tail, part, what, make, never, undecidable)


def _c(**claims: Any) -> dict[str, Callable]:
    return {
        "claims": lambda v, w: {
            k: x
            for k, x in {**v, **{n: (c(w) if callable(c) else c) for n, c in claims.items()}}.items()
            if x is not ...
        }
    }


def _h(**members: Any) -> dict[str, Callable]:
    return {
        "header": lambda v, w: {
            k: x
            for k, x in {**v, **{n: (c(w) if callable(c) else c) for n, c in members.items()}}.items()
            if x is not ...
        }
    }


def _renamed(old: str, new: str) -> dict[str, Callable]:
    return {"claims": lambda v, w: {new if k == old else k: x for k, x in v.items()}}


def _f(change: Callable) -> dict[str, Callable]:
    return {"field": lambda v, w: change(v)}


def _t(change: Callable) -> dict[str, Callable]:
    return {"token": lambda v, w: change(v)}


def _placed(name: str, change: Callable = lambda value: value) -> dict[str, Callable]:
    return {"headers": lambda headers, w: [(n, v) if n != "Authorization" else (name, change(v)) for n, v in headers]}


def _parts(change: Callable) -> dict[str, Callable]:
    return {"token": lambda v, w: ".".join(change(*v.split(".")))}


def _der(w: Any) -> Callable:
    return lambda k, t: w.private.sign(t, ec.ECDSA(hashes.SHA256()))


def _with_private(make: Callable, kind: str) -> Callable:
    """A table whose signing step needs the private key of the drawn world."""

    def table(r: random.Random, options: Any = None) -> Case:
        w = draw(r, kind)
        return case(r, {"sign": lambda k, t: make(w, t)}, kind, w)

    return table


def _signed(
    name: str, part: str, what: str, make: Callable, kind: str, tail: bool = False, undecidable: str = ""
) -> Kind:
    return Kind(S, name, tail, part, what, _with_private(make, kind), (FALSE_CLOCK,), undecidable)


def _std(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


MS = lambda n: lambda w: w.now * 1000 + n  # noqa: E731 -- read in the rows of a table, as their other functions are
COMMON = [
    row("exp in milliseconds in the past of its unit", r"exp", OFF + "|" + MILLI, _c(exp=lambda w: (w.now - 90) // 1000)),
    row("exp over", r"exp", OFF, lambda r: _c(exp=lambda w, d=r.randrange(5, 90000): w.now - d)),
    row("nbf in milliseconds", r"nbf", MILLI, _c(nbf=MS(0))),
    row("iat in milliseconds", r"iat", MILLI, _c(iat=MS(12))),
    row("nbf ahead", r"nbf", OFF, lambda r: _c(nbf=lambda w, d=r.randrange(30, 5000): w.now + d)),
    row("iat ahead", r"iat", OFF, lambda r: _c(iat=lambda w, d=r.randrange(30, 5000): w.now + d), max_age=500),
    row("exp as a text", r"exp", r"text|string|number|type|quot", _c(exp=lambda w: str(w.now + 600))),
    row("exp as ISO 8601", r"exp", r"text|string|number|type|iso|date", _c(exp="2031-01-01T00:00:00Z")),
    row("exp missing", r"exp", MISSING, _c(exp=...)),
    row("exp called expires", r"exp", r"expires|name|" + MISSING, _renamed("exp", "expires")),
    row("exp called expires_in", r"exp", r"expires_in|name|" + MISSING, _renamed("exp", "expires_in")),
    row("aud missing", r"aud", MISSING, _c(aud=...)),
    row("aud of another API", r"aud", r"audience|aud", lambda r: _c(aud=f"{word(r)}-api"), never=FALSE),
    row("aud called audience", r"aud", r"audience|name|" + MISSING, _renamed("aud", "audience")),
    row("aud in other case", r"aud", CASE, _c(aud=lambda w: w.audience.upper())),
    row("aud as a URL", r"aud", r"url|https|audience", _c(aud=lambda w: f"https://{w.host}/{w.audience}")),
    row("aud is the client id", r"aud", r"audience|aud", lambda r: _c(aud=token(r, 20))),
    row("iss without its last slash", r"iss", r"slash|issuer|iss", _c(iss=lambda w: w.issuer + "/")),
    row("iss with http", r"iss", r"http\b|https|scheme|issuer", _c(iss=lambda w: w.issuer.replace("https", "http"))),
    row("iss missing", r"iss", MISSING, _c(iss=...)),
    row("iss called issuer", r"iss", r"issuer|name|" + MISSING, _renamed("iss", "issuer")),
    row("sub missing", r"\bsub", MISSING, _c(sub=...)),
    row("sub is a number", r"\bsub", r"number|text|string|type", lambda r: _c(sub=r.randrange(10**6))),
    row("sub called user_id", r"\bsub", r"user_id|name|" + MISSING, _renamed("sub", "user_id")),
    row("sub empty", r"\bsub", EMPTY, _c(sub="")),
    row("typ at+jwt", r"typ", r"at\+jwt|type", _h(typ="at+jwt")),
    row("typ Bearer", r"typ", r"Bearer|type", _h(typ="Bearer")),
    row("alg none", r"alg", r"none|algorithm|unsigned", {"header": lambda v, w: {**v, "alg": "none"}, "sign": lambda k, t: b""}),
    row("alg HS512 said and used", r"alg", r"HS512|algorithm", {"header": lambda v, w: {**v, "alg": "HS512"}, "sign": axes.mac("sha512")}),
    row("alg in small letters", r"alg", r"hs256|case|algorithm", _h(alg="hs256")),
    row("alg RS256 said, a secret used", r"alg", r"RS256|algorithm", _h(alg="RS256")),
    row("alg by its long name", r"alg", r"HmacSHA256|algorithm|name", _h(alg="HmacSHA256")),
    row("alg missing", r"alg", MISSING, _h(alg=...)),
    row("kid unknown", KEY, r"unknown|key id|not known", lambda r: _h(kid=token(r, 12))),
    row("kid in capitals", KEY, CASE + "|names another key id", _h(kid=lambda w: w.kid.upper())),
    row("kid of the other key", KEY, r"key id|kid|another|other", _h(kid=lambda w: w.kid + "-old")),
    row("signed with the other key", KEY, r"another|other|key id|kid", {"key": lambda k, w: w.other.encode()}, never=(FALSE_CLOCK,)),
    row("token without its signature", TOKEN, r"signature|two parts|three|parts|segment|missing|" + CUT, _parts(lambda a, b, c: (a, b))),
    row("token cut", TOKEN, CUT, lambda r: _t(lambda v, n=r.randrange(3, 30): v[:-n])),
    row("Bearer missing", TOKEN, r"scheme|word|Bearer|missing", _f(lambda v: v[7:])),
    row("Bearer twice", TOKEN, DOUBLED + "|Bearer Bearer", _f(lambda v: "Bearer " + v)),
    row("Bearer with a colon", TOKEN, r"colon|scheme|word", _f(lambda v: v.replace("Bearer ", "Bearer: "))),
    row("word JWT for Bearer", TOKEN, r"JWT|scheme|word|Bearer", _f(lambda v: v.replace("Bearer", "JWT"))),
    row("word Token for Bearer", TOKEN, r"Token|scheme|word|Bearer", _f(lambda v: v.replace("Bearer", "Token"))),
    row("word Basic for Bearer", TOKEN, r"Basic|scheme|word|Bearer", _f(lambda v: v.replace("Bearer", "Basic"))),
    row("token in quotes", TOKEN, QUOTE, _f(lambda v: f'Bearer "{v[7:]}"')),
    row("field in quotes", TOKEN, QUOTE, _f(lambda v: f'"{v}"')),
    row("token is undefined", TOKEN, PLACEHOLDER, _t(lambda v: "undefined")),
    row("token is null", TOKEN, PLACEHOLDER + r"|\bnull\b", _t(lambda v: "null")),
    row("token is a variable", TOKEN, PLACEHOLDER, _t(lambda v: "${ACCESS_TOKEN}")),
    row("token is [object Object]", TOKEN, PLACEHOLDER + "|object", _t(lambda v: "[object Object]")),
    row("the whole answer for the token", TOKEN, r"json|answer|response|access_token|member|brace", _t(lambda v: json.dumps({"access_token": v, "token_type": "bearer"}))),
    row("token with a line break inside", TOKEN, LF, _t(lambda v: v[:60] + "\\n" + v[60:])),
    row("in X-Access-Token", PLACE, r"x-access-token", _placed("X-Access-Token")),
    row("in X-Auth-Token without its word", PLACE, r"x-auth-token", _placed("X-Auth-Token", lambda v: v[7:])),
    row("in Token", PLACE, r"\btoken\b", _placed("Token", lambda v: v[7:])),
    row("in Proxy-Authorization", PLACE, r"proxy-authorization", _placed("Proxy-Authorization")),
    row("in a cookie", PLACE, r"cookie", _placed("Cookie", lambda v: f"a=b; access_token={v[7:]}")),
    row("in the query as access_token", PLACE, r"query|access_token", {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"{t}?access_token={compute(w, Steps(w, {}))[2]}"}),
    row("in the body as a form", PLACE, r"body|form", {"headers": lambda hs, w: [("Content-Type", "application/x-www-form-urlencoded")], "body": lambda b, w: f"access_token={compute(w, Steps(w, {}))[2]}".encode()}),
    row("payload changed after signing", SIGNED, r"payload|changed|after|claim|no usual", {"token": lambda v, w: v.split(".")[0] + "." + b64(base64.urlsafe_b64decode(v.split(".")[1] + "==").replace(b"read write", b"read admin")) + "." + v.split(".")[2]}, undecidable="what the claim was before is not in the request: a change of the payload and an unknown key look alike"),
    row("used twice", r"jti|replay|token|nonce|used", r"replay|used|before|once|twice", {}, replay=True, single_use=True),
    _signed("ES256 in DER", SIGNED, r"DER|ASN", lambda w, t: w.private.sign(t, ec.ECDSA(hashes.SHA256())), "ES256"),
    _signed("ES256 with SHA-512", SIGNED, ALGORITHM, lambda w, t: raw_ecdsa(w.private, t, hashes.SHA512()), "ES256"),
    _signed("RS256 with PSS", SIGNED, r"PSS|PS256|padding", lambda w, t: w.private.sign(t, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()), "RS256"),
    _signed("RS256 with SHA-1", SIGNED, ALGORITHM, lambda w, t: w.private.sign(t, padding.PKCS1v15(), hashes.SHA1()), "RS256"),
    _signed("RS256 with SHA-512", SIGNED, ALGORITHM, lambda w, t: w.private.sign(t, padding.PKCS1v15(), hashes.SHA512()), "RS256"),
    _signed("HMAC under the RSA public key", SIGNED, r"public key|HMAC|HS256|secret", lambda w, t: hmac.digest(public_pem(w.private), t, "sha256"), "RS256"),
]  # fmt: skip


def _resigned(write: Callable, where: str = "claims") -> dict[str, Callable]:
    """Signed over another writing than was sent."""

    def text(value: bytes, w: Any) -> bytes:
        one, two = value.decode().split(".")
        parts = {"header": one, "claims": two}
        octets = base64.urlsafe_b64decode(parts[where] + "==")
        parts[where] = b64(write(octets))
        return f"{parts['header']}.{parts['claims']}".encode()

    return {"text": text}


TAIL = [
    row("exp in microseconds since another epoch", r"exp", OFF + "|2001|apple|epoch", _c(exp=lambda w: w.now + 600 - 978_307_200), True),
    row("nbf in microseconds", r"nbf", MILLI, _c(nbf=lambda w: w.now * 10**6), True),
    row("nbf in .NET ticks", r"nbf", MILLI + "|tick|future|ahead", _c(nbf=lambda w: (w.now + 62_135_596_800) * 10**7), True),
    row("exp in days", r"exp", r"day|unit|" + OFF, _c(exp=lambda w: (w.now + 86400) // 86400), True),
    row("exp in minutes", r"exp", r"minute|unit|" + OFF, _c(exp=lambda w: (w.now + 600) // 60), True),
    row("exp is the lifetime", r"exp", r"lifetime|duration|unit|relative|" + OFF, _c(exp=3600), True),
    row("exp is null", r"exp", r"null|type|number", _c(exp=None), True),
    row("exp is true", r"exp", r"true|bool|type|number", _c(exp=True), True),
    row("exp is NaN", r"exp|claim|payload|json", r"NaN|json|number", {"claims json": lambda b, w: b.replace(str(w.now + 600).encode(), b"NaN")}, True),
    row("exp as a list", r"exp", r"list|array|type|number", _c(exp=lambda w: [w.now + 600]), True),
    row("exp as a date object", r"exp", r"object|type|number", _c(exp=lambda w: {"$date": w.now + 600}), True),
    row("exp negative", r"exp", r"negative|past|expired", _c(exp=-1), True),
    row("exp as an HTTP date", r"exp", r"text|string|number|type|date", _c(exp="Mon, 01 Jan 2031 00:00:00 GMT"), True),
    row("nbf is in the local zone", r"nbf", OFF, lambda r: _c(nbf=lambda w, h=r.randrange(1, 12): w.now + 3600 * h), True),
    row("iat as a text", r"iat", r"text|string|number|type", _c(iat=lambda w: str(w.now)), True),
    row("iat older than max_age", r"iat", OFF + "|age", _c(iat=lambda w: w.now - 5000), True, max_age=500),
    row("iat missing under max_age", r"iat", MISSING, _c(iat=...), True, max_age=500),
    row("exp with a capital", r"exp", CASE + "|name|" + MISSING, _renamed("exp", "Exp"), True),
    row("aud with a blank", r"aud", BLANK, _c(aud=lambda w: w.audience + " "), True),
    row("aud as a joined list", r"aud", r"comma|list|joined|array|text", _c(aud=lambda w: f"{w.audience},other-api"), True),
    row("aud as a list in a text", r"aud", r"list|json|array|bracket|\[", _c(aud=lambda w: json.dumps([w.audience])), True),
    row("aud is an empty list", r"aud", EMPTY, _c(aud=[]), True),
    row("aud is null", r"aud", r"null|type", _c(aud=None), True),
    row("aud as an object", r"aud", r"object|type|text", _c(aud=lambda w: {"id": w.audience}), True),
    row("aud is a number", r"aud", r"number|type|text", _c(aud=7), True),
    row("aud and iss exchanged", r"aud|iss", r"exchang|swap|audience|issuer", {"claims": lambda v, w: {**v, "iss": w.audience, "aud": w.issuer}}, True),
    row("aud with the slash of a URL", r"aud", r"slash", _c(aud=lambda w: w.audience + "/"), True),
    row("iss without its scheme", r"iss", r"scheme|https|issuer", _c(iss=lambda w: w.issuer.partition("//")[2]), True),
    row("iss in capitals", r"iss", CASE, _c(iss=lambda w: w.issuer.upper()), True),
    row("iss with a port", r"iss", r"port|443|issuer", _c(iss=lambda w: w.issuer.replace(".example", ".example:443")), True),
    row("iss of the well-known document", r"iss", r"well-known|issuer|path", _c(iss=lambda w: w.issuer + "/.well-known/openid-configuration"), True),
    row("iss of staging", r"iss", r"issuer|iss", _c(iss=lambda w: w.issuer.replace("id.", "staging-id.")), True),
    row("iss is a list", r"iss", r"list|array|type|text", _c(iss=lambda w: [w.issuer]), True),
    row("sub is an object", r"\bsub", r"object|type|text", _c(sub=lambda w: {"id": w.subject}), True),
    row("sub is null", r"\bsub", r"null|type", _c(sub=None), True),
    row("sub called username", r"\bsub", r"username|name|" + MISSING, _renamed("sub", "username"), True),
    row("claims by Microsoft's long names", r"\bsub|claim", r"nameidentifier|name|" + MISSING, _renamed("sub", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"), True),
    row("claims in a data member", r"claim|\bsub|exp|iss|aud|payload", r"data|nested|wrapp|member|" + MISSING, {"claims": lambda v, w: {"data": v}}, True),
    row("claims in a list", r"claim|payload", r"list|array|object", {"claims": lambda v, w: json.dumps([v]).encode()}, True),
    row("claims as a text in JSON", r"claim|payload", r"text|string|object|quot|twice", {"claims": lambda v, w: json.dumps(json.dumps(v)).encode()}, True),
    row("claims as Python prints them", r"claim|payload|json", r"json|quot|python", {"claims": lambda v, w: str(v).encode()}, True),
    row("claims with a trailing comma", r"claim|payload|json", r"json|comma", {"claims": lambda v, w: json.dumps(v)[:-1].encode() + b",}"}, True),
    row("claims with a byte order mark", r"claim|payload|json", r"byte order|BOM|json", {"claims json": lambda v, w: b"\xef\xbb\xbf" + v}, True),
    row("claims in Latin-1", r"claim|payload|json|utf|sub", r"utf|latin|8859|charset|encod", {"claims json": lambda v, w: v.decode().encode("latin-1")}, True),
    row("claims in UTF-16", r"claim|payload|json|utf", r"utf|16|json", {"claims json": lambda v, w: v.decode().encode("utf-16-le")}, True),
    row("a claim twice", r"claim|payload|member|sub", DOUBLED + "|more than once|two members", {"claims json": lambda v, w: v[:-1] + b',"sub":"root"}'}, True),
    row("claims empty", r"claim|payload|sub|exp", EMPTY, {"claims": lambda v, w: {}}, True),
    row("payload as a form", r"claim|payload|json", r"json|form|object", {"claims": lambda v, w: urllib.parse.urlencode(v).encode()}, True),
    row("header with crit", r"crit", r"crit|extension", _h(crit=["b64"], b64=False), True),
    row("header's kid a number", KEY, r"number|text|string|type", _h(kid=7), True),
    row("header's kid missing", KEY, MISSING, _h(kid=...), True, undecidable="a token without kid is judged with each key; if it's accepted it's no mistake, and this kind is dropped"),
    row("kid with its set's URL in front", KEY, r"url|https|unknown|kid|key id", _h(kid=lambda w: f"https://id.example/keys/{w.kid}"), True),
    row("kid in quotes", KEY, QUOTE + "|names another key id", _h(kid=lambda w: f'"{w.kid}"'), True),
    row("kid with a blank", KEY, BLANK + "|names another key id", _h(kid=lambda w: w.kid + " "), True),
    row("kid in base64", KEY, B64 + "|names another key id", _h(kid=lambda w: b64(w.kid.encode())), True),
    row("kid in the claims", KEY, r"claim|payload|header|" + MISSING, {"header": lambda v, w: {**v, "kid": "default"}, "claims": lambda v, w: {**v, "kid": w.kid}}, True),
    row("typ JWS", r"typ", r"JWS|type", _h(typ="JWS"), True),
    row("typ dpop+jwt", r"typ", r"dpop|type", _h(typ="dpop+jwt"), True),
    row("typ is a number", r"typ", r"number|type|text", _h(typ=1), True),
    row("typ called type", r"typ|alg|header|token", r"type|typ", _h(typ="ID", type="JWT"), True),
    row("alg of an EC key", r"alg", r"ES256|algorithm", _h(alg="ES256"), True),
    row("alg with a hyphen", r"alg", r"HS-256|algorithm", _h(alg="HS-256"), True),
    row("alg in an OID", r"alg", r"1\.2\.840|algorithm", _h(alg="1.2.840.113549.2.9"), True),
    row("alg is none with a signature", r"alg", r"none|algorithm", _h(alg="none"), True),
    row("alg None", r"alg", r"None|algorithm", _h(alg="None"), True),
    row("enc of a JWE in the header", r"alg|enc|header|token", r"enc|JWE|alg", _h(alg="dir", enc="A256GCM"), True),
    row("header without braces", TOKEN, r"json|header|object", {"header json": lambda v, w: v[1:-1]}, True),
    row("header in base64 twice", TOKEN, DOUBLED + "|json|base64", {"header written": lambda b: b64(b64(b).encode())}, True),
    row("parts with padding", TOKEN, r"padd|base64", {"claims written": lambda b: base64.urlsafe_b64encode(b + b" " * (1 - len(b) % 3 % 2)).decode() if len(b) % 3 else base64.urlsafe_b64encode(b + b" ").decode()}, True),
    row("parts in standard base64", TOKEN, B64 + "|alphabet|padd", {"claims written": lambda b: base64.b64encode(b.replace(b"Zo", b"Z?~o")).decode(), "claims": lambda v, w: {**v, "q": "\u00ff\u00fe??>>~~" * 3}}, True),
    row("parts in hex", TOKEN, HEX + "|base64|json", {"header written": lambda b: b.hex(), "claims written": lambda b: b.hex()}, True),
    row("parts not encoded", TOKEN, r"base64|encod|json|brace", {"header written": lambda b: b.decode(), "claims written": lambda b: b.decode()}, True),
    row("text joined by nothing", SIGNED, r"dot|join|separat|without", {"text": lambda t, w: t.replace(b".", b"")}, True),
    row("text with a dot at the end", SIGNED, r"dot|end|trailing|signing input", {"text": lambda t, w: t + b"."}, True),
    row("text of the payload only", SIGNED, r"payload|only|alone|header", {"text": lambda t, w: t.partition(b".")[2]}, True),
    row("text of the header only", SIGNED, r"header|only|alone|payload", {"text": lambda t, w: t.partition(b".")[0]}, True),
    row("text not encoded", SIGNED, r"json|decoded|not encoded|plain|raw", {"text": lambda t, w: b".".join(base64.urlsafe_b64decode(p + b"==") for p in t.split(b"."))}, True),
    row("text in standard base64", SIGNED, B64 + "|alphabet|padd", {"text": lambda t, w: b".".join(base64.b64encode(base64.urlsafe_b64decode(p + b"==")) for p in t.split(b"."))}, True),
    row("text with padding", SIGNED, r"padd", {"text": lambda t, w: b".".join(base64.urlsafe_b64encode(base64.urlsafe_b64decode(p + b"==")) for p in t.split(b"."))}, True),
    row("text of the parts exchanged", SIGNED, r"exchang|swap|order|revers", {"text": lambda t, w: b".".join(t.split(b".")[::-1])}, True),
    row("text of the claims with blanks", SIGNED, r"json|blank|space|written|anew", _resigned(lambda b: json.dumps(json.loads(b), ensure_ascii=False).encode()), True),
    row("text of the claims sorted", SIGNED, r"json|order|sort|written|anew", _resigned(lambda b: json.dumps(json.loads(b), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()), True),
    row("text of the claims with escapes", SIGNED, r"json|escap|written|anew|ascii", _resigned(lambda b: json.dumps(json.loads(b), separators=(",", ":")).encode()), True),
    row("text of the claims with PHP's slashes", SIGNED, r"json|slash|escap|written", _resigned(lambda b: b.replace(b"/", b"\\/")), True),
    row("text of the claims with Go's escapes", SIGNED, r"json|escap|html|written", _resigned(lambda b: b.replace(b"<", b"\\u003c").replace(b">", b"\\u003e")), True),
    row("text with a header of another order", SIGNED, r"json|order|header|written", _resigned(lambda b: json.dumps(dict(sorted(json.loads(b).items(), reverse=True)), separators=(",", ":")).encode(), "header"), True),
    row("text with a header without its kid", SIGNED, r"kid|header|member", _resigned(lambda b: json.dumps({k: v for k, v in json.loads(b).items() if k != "kid"}, separators=(",", ":")).encode(), "header"), True),
    row("text with a byte order mark", SIGNED, r"byte order|BOM", {"text": lambda t, w: b"\xef\xbb\xbf" + t}, True),
    row("text percent-encoded", SIGNED, PERCENT, {"text": lambda t, w: t.replace(b".", b"%2E")}, True),
    row("token percent-encoded", TOKEN, PERCENT, _t(lambda v: v.replace(".", "%2E")), True),
    row("token with blanks for dots", TOKEN, r"dot|blank|space|part", _t(lambda v: v.replace(".", " ")), True),
    row("token with colons for dots", TOKEN, r"dot|colon|part", _t(lambda v: v.replace(".", ":")), True),
    row("token with a fourth part", TOKEN, r"four|parts|three|dot|segment", _t(lambda v: v + ".e30"), True),
    row("token twice", TOKEN, DOUBLED + "|parts|segment", _t(lambda v: v + v), True),
    row("token with a comma behind", TOKEN, r"comma|trailing|alphabet|punctuation", _t(lambda v: v + ","), True),
    row("token with a semicolon behind", TOKEN, r"semicolon|trailing|alphabet|punctuation", _t(lambda v: v + ";"), True),
    row("token with its name in front", TOKEN, r"name|access_token=|front|prefix", _t(lambda v: f"access_token={v}"), True),
    row("token in angle brackets", TOKEN, r"bracket|angle", _t(lambda v: f"<{v}>"), True),
    row("token in braces", TOKEN, r"brace|\{", _t(lambda v: f"{{{v}}}"), True),
    row("token in base64", TOKEN, B64 + "|" + DOUBLED, _t(lambda v: base64.b64encode(v.encode()).decode()), True),
    row("token in hex", TOKEN, HEX, _t(lambda v: v.encode().hex()), True),
    row("token as Python writes bytes", TOKEN, r"b'|python|repr|quot|bytes", _t(lambda v: repr(v.encode())), True),
    row("token in small letters", TOKEN, CASE + "|json|base64", _t(str.lower), True),
    row("token masked by a log", TOKEN, r"mask|asterisk|\*|redact|placeholder|part", _t(lambda v: v[:10] + "***"), True),
    row("token of an expression", TOKEN, PLACEHOLDER + r"|\{\{", _t(lambda v: "{{ steps.login.outputs.token }}"), True),
    row("a refresh token for the token", TOKEN, r"opaque|parts|three|dot|not a JWT|format|segment|jws", lambda r: _t(lambda v, n=token(r, 43): n), True),
    row("a JWE for the token", TOKEN, r"five|JWE|encrypt|parts|segment", _t(lambda v: "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.BBBB.CCCC"), True),
    row("token flattened as JSON", TOKEN, r"json|flatten|compact|brace|object", {"token": lambda v, w: json.dumps(dict(zip(("protected", "payload", "signature"), v.split("."), strict=True)))}, True),
    row("word bearer_token", TOKEN, r"bearer_token|scheme|word", _f(lambda v: v.replace("Bearer", "bearer_token")), True),
    row("word OAuth", TOKEN, r"OAuth|scheme|word|Bearer", _f(lambda v: v.replace("Bearer", "OAuth")), True),
    row("word Bearer with =", TOKEN, r"equal|scheme|word", _f(lambda v: v.replace("Bearer ", "Bearer=")), True),
    row("word Bearer glued", TOKEN, r"blank|space|scheme|word", _f(lambda v: v.replace("Bearer ", "Bearer")), True),
    row("word Bearer with a no-break space", TOKEN, BLANK + "|scheme|word", _f(lambda v: v.replace("Bearer ", "Bearer\u00a0")), True),
    row("field's name in the value", TOKEN, r"name|Authorization|front|prefix", _f(lambda v: "Authorization: " + v), True),
    row("as a parameter token=", TOKEN, r"name|token=", _f(lambda v: f'Bearer token="{v[7:]}"'), True),
    row("a comma and a second token", TOKEN, r"comma|two|second|several|list", _f(lambda v: f"{v}, {v}"), True),
    row("in Sec-WebSocket-Protocol", PLACE, r"sec-websocket-protocol", _placed("Sec-WebSocket-Protocol", lambda v: "bearer, " + v[7:]), True),
    row("in X-Amzn-Oidc-Data of a balancer", PLACE, r"x-amzn-oidc-data", _placed("X-Amzn-Oidc-Data", lambda v: v[7:]), True),
    row("in Cf-Access-Jwt-Assertion of a CDN", PLACE, r"cf-access-jwt-assertion", _placed("Cf-Access-Jwt-Assertion", lambda v: v[7:]), True),
    row("in X-Goog-Iap-Jwt-Assertion", PLACE, r"x-goog-iap-jwt-assertion", _placed("X-Goog-Iap-Jwt-Assertion", lambda v: v[7:]), True),
    row("in X-Forwarded-Access-Token of a proxy", PLACE, r"x-forwarded-access-token", _placed("X-Forwarded-Access-Token", lambda v: v[7:]), True),
    row("in X-Jwt-Payload of a mesh", PLACE, r"x-jwt-payload", _placed("X-Jwt-Payload", lambda v: v[7:]), True),
    row("in the query as jwt", PLACE, r"query|jwt", {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"{t}?jwt={compute(w, Steps(w, {}))[2]}"}, True),
    row("in the fragment's text of the path", PLACE, r"path|target|\burl", {"headers": lambda hs, w: hs[:1], "target": lambda t, w: f"{t}/{compute(w, Steps(w, {}))[2]}"}, True),
    row("in the body as JSON", PLACE, r"body|json|member", {"headers": lambda hs, w: [("Content-Type", "application/json")], "body": lambda b, w: json.dumps({"token": compute(w, Steps(w, {}))[2]}).encode()}, True),
    _signed("ES256 over SHA-256 hashed before", SIGNED, r"hash|twice|digest", lambda w, t: raw_ecdsa(w.private, hashlib.sha256(t).digest()), "ES256", True),
    _signed("ES256 with r and s exchanged", SIGNED, r"exchang|swap|order|\br\b", lambda w, t: (lambda s: s[32:] + s[:32])(raw_ecdsa(w.private, t)), "ES256", True),
    _signed("ES256 in little endian", SIGNED, r"endian|revers|order", lambda w, t: (lambda s: s[31::-1] + s[:31:-1])(raw_ecdsa(w.private, t)), "ES256", True),
    _signed("ES256 in hex of DER", SIGNED, r"hex|DER", lambda w, t: w.private.sign(t, ec.ECDSA(hashes.SHA256())).hex().encode(), "ES256", True),
    _signed("ES256 on P-384", SIGNED, r"384|curve|length|octets", lambda w, t: raw_ecdsa(ec_key(random.Random(5), ec.SECP384R1()), t, hashes.SHA384()), "ES256", True),
    _signed("ES256 of the payload alone", SIGNED, r"payload|alone|only|header", lambda w, t: raw_ecdsa(w.private, t.partition(b".")[2]), "ES256", True),
    _signed("ES256 with a line break", SIGNED, LF, lambda w, t: raw_ecdsa(w.private, t + b"\n"), "ES256", True),
    _signed("ES256 with padded r and s of 33 octets", SIGNED, r"33|66|zero|length|octets|sign", lambda w, t: (lambda s: b"\0" + s[:32] + b"\0" + s[32:])(raw_ecdsa(w.private, t)), "ES256", True),
    _signed("RS256 over the hex hash", SIGNED, r"hash|hex", lambda w, t: w.private.sign(hashlib.sha256(t).hexdigest().encode(), padding.PKCS1v15(), hashes.SHA256()), "RS256", True),
    _signed("RS256 hashed before", SIGNED, r"hash|twice", lambda w, t: w.private.sign(hashlib.sha256(t).digest(), padding.PKCS1v15(), hashes.SHA256()), "RS256", True),
    _signed("RS256 reversed by CryptoAPI", SIGNED, r"revers|endian|order", lambda w, t: w.private.sign(t, padding.PKCS1v15(), hashes.SHA256())[::-1], "RS256", True),
    _signed("RS256 with a line break", SIGNED, LF, lambda w, t: w.private.sign(t + b"\n", padding.PKCS1v15(), hashes.SHA256()), "RS256", True),
    _signed("RS256 with MD5", SIGNED, ALGORITHM, lambda w, t: w.private.sign(t, padding.PKCS1v15(), hashes.MD5()), "RS256", True),
    _signed("HMAC under the EC public key", SIGNED, r"public key|HMAC|HS256|secret", lambda w, t: hmac.digest(public_pem(w.private), t, "sha256"), "ES256", True),
    _signed("HMAC under the stripped public key", SIGNED, r"public key|HMAC|HS256|secret", lambda w, t: hmac.digest(public_pem(w.private).strip(), t, "sha256"), "RS256", True),
    row("two mistakes: secret in base64 and SHA-512", KEY + "|alg|hash", B64 + "|sha|512", {"key": lambda k, w: base64.b64encode(k), "sign": axes.mac("sha512")}, True),
    row("two mistakes: Bearer twice and quotes", TOKEN, DOUBLED + "|" + QUOTE, _f(lambda v: f'Bearer "{v}"'), True),
    row("two mistakes: exp over and iss of staging", r"exp|iss", OFF + "|issuer", _c(exp=lambda w: w.now - 100, iss="https://staging.example"), True),
    row("two mistakes: cookie and quotes", PLACE, r"cookie", _placed("Cookie", lambda v: f'token="{v}"'), True),
]  # fmt: skip

KINDS = [
    *COMMON, *TAIL,
    *axes.kinds(S, axes.SECRETS, KEY, lambda r, f: _secret(r, f), (FALSE_CLOCK,)),
    *axes.kinds(S, axes.HASHES, SIGNED, lambda r, f: case(r, {"sign": f}), FALSE),
    *axes.kinds(S, axes.proofs(b64), SIGNED + "|" + TOKEN, lambda r, f: case(r, {"spell": f}), FALSE),
    row("another secret that nobody knows", KEY, r"key|secret", lambda r: {"key": lambda k, w, n=token(r, 40): n.encode()}, undecidable="the secret is known to nobody here"),
]  # fmt: skip


def _secret(r: random.Random, f: Callable) -> Case | None:
    w = draw(r)
    if f is axes.UNHEX:
        w.secret = r.randbytes(40).hex()
    key = f(w.secret)
    return None if key is None or key == w.secret.encode() else case(r, {"key": lambda k, _: key}, drawn=w)
