"""Mistakes of issuers and clients of JSON Web Tokens (RFC 7519)."""

from __future__ import annotations

import base64
import hmac
import json
import random
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bench.unlisted.cases import (
    ALGORITHM, B64, BLANK, CASE, CUT, DOUBLED, EMPTY, HASHED, HEX, KEY, LF, MILLI, MISSING, NOW, OFF, ORDER, OTHER, PERCENT,
    PLACEHOLDER, PROOF, QUOTE, TEXT, UNICODE, Case, Steps, host, token, word, world,
)  # fmt: skip
from bench.unlisted.third.axes import SECRETS
from bench.unlisted.third.base import Maker, b64, b64u, sha256, words
from bench.unlisted.third.bodies import HMACS, WRITTEN
from watchword import Guard, JWTVerifier, Key, KeySet, Policy, Request

TOKEN = r"token|bearer|authori|credential|jwt|field|word|scheme|grammar|format"
PLACE = r"place|field|header|cookie|query|body|authori|name"


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def pem(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def draw(r: random.Random) -> Any:
    return world(
        secret=f"{token(r, 18)}$Q{token(r, 9)}#{token(r, 8)}+{token(r, 5)}/{token(r, 3)}=", other=token(r, 48), kid=f"{word(r)}-1",
        issuer=f"https://id.{word(r)}.example", audience=f"{word(r)}-api", subject=word(r), host=host(r), target=f"/v1/{word(r)}s?n=1", r=r,
        jti=token(r, 12),
    )  # fmt: skip


def es256(octets: bytes, *, der: bool = False) -> bytes:
    made = ec_key().sign(octets, ec.ECDSA(hashes.SHA256()))
    left, right = decode_dss_signature(made)
    return made if der else left.to_bytes(32, "big") + right.to_bytes(32, "big")


def rs(octets: bytes, pad: Any = None, digest: Any = None) -> bytes:
    return rsa_key().sign(octets, pad or padding.PKCS1v15(), digest or hashes.SHA256())


def compute(w: Any, step: Steps) -> tuple[Request, bytes, str]:
    header = step("header", {"alg": "HS256", "typ": "JWT", "kid": w.kid})
    now = int(NOW)
    usual = {
        "iss": w.issuer,
        "sub": w.subject,
        "aud": w.audience,
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 900,
        "jti": w.jti,
    }
    claims = step("claims", usual)
    parts = [
        step.run("part", lambda v: b64u(json.dumps(v, separators=(",", ":")).encode()), each)
        for each in (header, claims)
    ]
    text = step("text", ".".join(parts))
    key = step.run("key octets", lambda s: s.encode("utf-8", "surrogatepass"), step("key", w.secret))
    made = step.run("mac", lambda k, m: hmac.digest(k, m, "sha256"), key, text.encode())
    written = step.run("written", b64u, made)
    whole = step("token", ".".join([*step("parts sent", parts), written]))
    value = step("field", f"Bearer {whole}")
    headers = step("headers", [("Accept", "*/*"), ("Authorization", value)])
    return Request("GET", "https", w.host, step("target", w.target), headers), b"", whole


def build(r: random.Random, table: dict[str, Any]) -> Case | None:
    w = draw(r)
    _, _, proof = compute(w, Steps(w, {}))
    step = Steps(w, table)
    request, body, _ = compute(w, step)
    keys = [
        Key.from_secret(w.secret, algorithm="HS256", key_id=w.kid),
        Key.from_secret(w.other, algorithm="HS256", key_id="second"),
    ]
    keys += [
        Key.from_pem(pem(rsa_key()), algorithm="RS256", key_id="rsa-1"),
        Key.from_pem(pem(ec_key()), algorithm="ES256", key_id="ec-1"),
    ]
    verifier = JWTVerifier(
        KeySet(keys), issuer=w.issuer, audience=w.audience, typ="JWT", required=("sub", "exp"), clock=lambda: NOW
    )
    guard = Guard([verifier], policy=Policy(clock=lambda: NOW))
    return Case(
        request,
        guard,
        body,
        NOW,
        [w.secret.encode(), w.other.encode()],
        [proof.rpartition(".")[2].encode()],
        pairs=step.pairs,
    )


# fmt: off
m = Maker("jwt", build, never=(r"password (differs|is wrong)",))
KINDS = m.kinds
m.axis("secret", "key", KEY, SECRETS, "0 2 3 5 6 8 9 10 11 13 14 17 19 20 21 23 24 25 26 27 28 30 31 32 34 36 38 39 41 42 44 46 47 50 51 57")
for name, what, mac, tail in HMACS[1:]:
    m.add(f"mac: {name}", words(PROOF, TEXT, KEY, "algorithm|alg\\b"), what, {"mac": mac}, tail=tail)
for name, what, form, tail in WRITTEN:
    if name not in ("in base64url without padding", "without its last two characters"):
        m.add(f"signature written {name}", words(PROOF, "grammar"), what, {"written": form}, tail=tail)


def c(**some: Any) -> dict[str, Any]:
    """Other claims; a function gets the world's value, None takes the claim away."""

    def change(v: dict[str, Any], w: Any) -> dict[str, Any]:
        new = {**v, **{k: f(v.get(k)) if callable(f) else f for k, f in some.items()}}
        return {k: x for k, x in new.items() if x is not None}

    return {"claims": change}


def hd(**some: Any) -> dict[str, Any]:
    table = c(**some)
    return {"header": table["claims"]}


def f(change: Any) -> dict[str, Any]:
    return {"field": lambda v, w: change(v)}


def t(change: Any) -> dict[str, Any]:
    return {"token": lambda v, w: change(v)}


EXP, IAT, NBF, AUD, ISS = r"\bexp\b|expir", r"\biat\b|issued", r"\bnbf\b|not.before|not yet", r"\baud\b|audience", r"\biss\b|issuer"
VALUE = words(OTHER, "configured|wrong|issued by|meant for|ask the right")
m.add("exp in the past", EXP, words("past|expired|ended|over|ago|old"), c(exp=int(NOW) - 3600))
m.add("exp as a text", EXP, words("text|string|number|type|quot"), c(exp=str))
m.add("exp as a date", EXP, words("date|text|string|number|type|ISO"), c(exp="2030-03-17T18:46:40Z"))
m.add("exp left out", EXP, MISSING, c(exp=None))
m.add("exp is how long the token lives", EXP, words("lifetime|duration|how long|relative|seconds|past|expired|1970|epoch"), c(exp=3600))
m.add("exp null", EXP, words("null|number|type|missing"), {"claims": lambda v, w: {**v, "exp": None}})
m.add("exp called expires", EXP, words("name|called|expires|missing"), {"claims": lambda v, w: {("expires" if k == "exp" else k): x for k, x in v.items()}})
m.add("exp called expires_in", EXP, words("name|called|expires_in|missing"), {"claims": lambda v, w: {("expires_in" if k == "exp" else k): x for k, x in v.items()}})
m.add("nbf in milliseconds", NBF, words(MILLI), c(nbf=lambda v: v * 1000))
m.add("nbf an hour ahead, for a time zone", NBF, words(OFF), c(nbf=int(NOW) + 3600))
m.add("nbf a minute ahead, for a clock", NBF, words(OFF), c(nbf=int(NOW) + 60))
m.add("nbf as a text", NBF, words("text|string|number|type|quot"), c(nbf=str))
m.add("iat as a date", IAT, words("date|text|string|number|type|ISO"), c(iat="2030-03-17T17:46:40.000Z"))
m.add("iat as a text", IAT, words("text|string|number|type|quot"), c(iat=str))
m.far("exp in seconds since 2001", EXP, words(OFF, "epoch|2001"), c(exp=lambda v: v - 978307200))
m.far("exp in a list", EXP, words("list|array|number|type"), c(exp=lambda v: [v]))
m.far("exp true", EXP, words("true|bool|number|type"), c(exp=True))
m.far("exp negative", EXP, words("negative|past|expired|number|epoch|1970|before"), c(exp=-1))
m.add("aud of another service", AUD, VALUE, c(aud="billing"))
m.add("aud with a slash after it", AUD, words("slash|/", VALUE), c(aud=lambda v: v + "/"))
m.add("aud left out", AUD, MISSING, c(aud=None))
m.add("aud in capitals", AUD, words(CASE), c(aud=str.upper))
m.add("aud as URL", AUD, words("URL|https|scheme", VALUE), c(aud=lambda v: "https://" + v))
m.add("aud the client's id", AUD, VALUE, c(aud="5f0c-web-client"))
m.add("aud in one text with blanks", AUD, words("blank|list|space|several|array", VALUE), c(aud=lambda v: f"account {v}"))
m.add("aud in one text with commas", AUD, words(",|comma|list|several|array", VALUE), c(aud=lambda v: f"account,{v}"))
m.add("aud a list of others", AUD, VALUE, c(aud=["account", "billing"]))
m.add("aud empty", AUD, words(EMPTY, VALUE), c(aud=""))
m.add("aud called audience", AUD, words("name|called|missing", MISSING), {"claims": lambda v, w: {("audience" if k == "aud" else k): x for k, x in v.items()}})
m.far("aud as an object", AUD, words("object|type|text|list"), c(aud=lambda v: {"id": v}))
m.far("aud in a list in a list", AUD, words("list|array|type|text|nest"), c(aud=lambda v: [[v]]))
m.add("iss with a slash after it", ISS, words("slash|/", VALUE), c(iss=lambda v: v + "/"))
m.add("iss by http", ISS, words("http\\b|scheme", VALUE), c(iss=lambda v: v.replace("https", "http")))
m.add("iss without scheme", ISS, words("scheme|https", VALUE), c(iss=lambda v: v.removeprefix("https://")))
m.add("iss in capitals", ISS, CASE, c(iss=str.upper))
m.add("iss of the staging server", ISS, words("unknown", VALUE), c(iss="https://id.staging.example"))
m.add("iss of localhost", ISS, words("localhost|unknown", VALUE), c(iss="http://localhost:8080/realms/main"))
m.add("iss left out", ISS, MISSING, c(iss=None))
m.add("iss with the path of a realm", ISS, words("path|realm|unknown", VALUE), c(iss=lambda v: v + "/realms/main"))
m.add("iss the address of its metadata", ISS, words("well-known|path|metadata|unknown", VALUE), c(iss=lambda v: v + "/.well-known/openid-configuration"))
m.far("iss with the port 443", ISS, words("port|443", VALUE), c(iss=lambda v: v + ":443"))
m.far("iss as a list", ISS, words("list|type|text|unknown|array"), c(iss=lambda v: [v]))
m.far("iss empty", ISS, words(EMPTY, MISSING, "unknown"), c(iss=""))
m.add("sub a number", r"\bsub\b|subject", words("number|type|text|string"), c(sub=4711))
m.add("sub left out", r"\bsub\b|subject", MISSING, c(sub=None))
m.add("sub called user_id", r"\bsub\b|subject", words("name|called|user_id", MISSING), {"claims": lambda v, w: {("user_id" if k == "sub" else k): x for k, x in v.items()}})  # fmt: skip
m.add("sub empty", r"\bsub\b|subject", words(EMPTY, MISSING), c(sub=""))
m.far("sub as an object", r"\bsub\b|subject", words("object|type|text|string"), c(sub=lambda v: {"id": v}))
m.add("all claims in a member called data", words("claim|payload|exp|iss"), words("data|inside|within|member|nest", MISSING, "absent"), {"claims": lambda v, w: {"data": v}})
ALG = r"\balg\b|algorithm"
m.add("alg none", ALG, words("none|unsigned|algorithm"), {**hd(alg="none"), "written": lambda o: ""})
m.add("alg in small letters", ALG, words(CASE), hd(alg="hs256"))
m.add("alg as Java calls it", ALG, words("HmacSHA256|spell|HS256|name|unknown|other"), hd(alg="HmacSHA256"))
m.add("alg HS512 named, HS256 made", ALG, words("HS512|HS256"), hd(alg="HS512"))
m.add("alg left out", ALG, MISSING, hd(alg=None))
m.add("alg RS256 named with a secret", ALG, words("RS256|HS256|bound|key"), hd(alg="RS256"))
m.add("alg in lower case and dashes", ALG, words("spell|name|HS256|HS-256|unknown"), hd(alg="HS-256"))
m.add("HS512 named and made", words(ALG, KEY), words("HS512|HS256"), {**hd(alg="HS512"), "mac": lambda k, m: hmac.digest(k, m, "sha512")})
m.far("alg of the web's cryptography", ALG, words("name|object|type|text|HS256|string"), hd(alg={"name": "HMAC", "hash": "SHA-256"}))
m.far("alg as an address of XML signatures", ALG, words("http|XML|URI|HS256|name|unknown|algorithm"), hd(alg="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"))
m.add("kid of no key", r"\bkid\b|key ?id|key", words("unknown|no key|not known|" + OTHER), hd(kid="2019-rotated"))
m.add("kid with a blank", r"\bkid\b|key ?id|key", words(BLANK), hd(kid=lambda v: v + " "))
m.add("kid in capitals", r"\bkid\b|key ?id|key", CASE, hd(kid=str.upper))
m.add("kid of the other key", r"\bkid\b|key ?id|key", words("another|other|second|kid"), hd(kid="second"))
m.add("kid as a number", r"\bkid\b|key ?id|key", words("number|type|text|unknown|string"), hd(kid=1))
m.add("kid with .pem after it", r"\bkid\b|key ?id|key", words("unknown|pem|suffix|no key|other|file"), hd(kid=lambda v: v + ".pem"))
m.add("typ of an ID token", r"\btyp\b|type", words("id_token|ID token|kind|other|JWT"), hd(typ="id_token"))
m.add("typ at+jwt", r"\btyp\b|type", words("at\\+jwt|kind|other|JWT"), hd(typ="at+jwt"))
m.add("typ left out", r"\btyp\b|type", MISSING, hd(typ=None))
m.add("typ misspelled JTW", r"\btyp\b|type", words("JTW|JWT|kind|other|spell"), hd(typ="JTW"))
m.far("crit with an extension", r"\bcrit\b|critical|extension", words("crit|extension|b64|understood"), hd(crit=["exp2"], exp2=1))
m.far("typ called type", r"\btyp\b", words("name|called", MISSING), {"header": lambda v, w: {("type" if k == "typ" else k): x for k, x in v.items()}})
m.add("secret of the neighbour", KEY, words("another|other|second|known"), {"key": lambda v, w: w.other})
m.add("secret decoded from base64", KEY, words(B64, "decod"), {"key octets": lambda s: base64.b64decode(s.replace("$", "").replace("#", "") + "==")})
m.add("RSA's public key as the secret", words(KEY, ALG), words("public|RSA|PEM|another|rsa-1"), {"key": lambda v, w: pem(rsa_key())})
m.far("RSA's public key in one line as the secret", words(KEY, ALG), words("public|RSA|PEM|another|rsa-1"), {"key": lambda v, w: pem(rsa_key()).replace("\n", "")})
m.add("the key's id as the secret", KEY, words("kid|key ?id|id\\b"), {"key": lambda v, w: w.kid})
m.add("the audience as the secret", KEY, words("aud"), {"key": lambda v, w: w.audience})
m.far("the issuer as the secret", KEY, words("iss"), {"key": lambda v, w: w.issuer})
m.add("only the claims signed", words(TEXT, "sign|payload"), words("payload|claims|header|alone|only|without", MISSING), {"text": lambda v, w: v.split(".")[1]})
m.add("no dot between header and claims", words(TEXT, "dot"), words("dot|separat|join", MISSING), {"text": lambda v, w: v.replace(".", "")})
m.add("the JSON signed, not its base64", words(TEXT, "sign|JSON"), words("JSON|not encoded|raw|before|decoded|base64"), {"text": lambda v, w: ".".join(base64.urlsafe_b64decode(p + "==").decode() for p in v.split("."))})  # fmt: skip
m.add("a dot after the signed text", words(TEXT, "dot"), words("dot|trailing|extra|end|\\."), {"text": lambda v, w: v + "."})
m.add("claims before header", words(TEXT, "sign"), words(ORDER), {"text": lambda v, w: ".".join(v.split(".")[::-1])})
m.add("the text with padding signed", words(TEXT, "sign"), words("padd|=|base64"), {"text": lambda v, w: ".".join(b64(base64.urlsafe_b64decode(p + "==")).replace("+", "-").replace("/", "_") for p in v.split("."))})  # fmt: skip
m.far("a line end after the signed text", words(TEXT, "sign"), LF, {"text": lambda v, w: v + "\n"})
m.far("the text in small letters signed", words(TEXT, "sign"), CASE, {"text": lambda v, w: v.lower()})
m.far("the word Bearer signed as well", words(TEXT, "sign"), words("Bearer|word|prefix"), {"text": lambda v, w: "Bearer " + v})
m.far("the signed text in UTF-16", words(TEXT, "sign"), UNICODE, {"mac": lambda k, m: hmac.digest(k, m.decode().encode("utf-16-le"), "sha256")})
m.add("pretty JSON sent, compact JSON signed", words(TEXT, "JSON|payload"), words("JSON|white|blank|anew|written"), {"parts sent": lambda v, w: [b64u(json.dumps(json.loads(base64.urlsafe_b64decode(p + "=="))).encode()) for p in v]})  # fmt: skip
m.add("no signature", words(TOKEN, PROOF), words(EMPTY, MISSING, CUT), t(lambda v: v.rpartition(".")[0] + "."))
m.add("two parts only", words(TOKEN, PROOF), words(MISSING, CUT, "part|dot|two"), t(lambda v: v.rpartition(".")[0]))
m.add("cut at the end", words(TOKEN, PROOF), CUT, t(lambda v: v[:-6]))
m.add("cut by a column of 120 characters", TOKEN, words(CUT, "part|dot|segment"), t(lambda v: v[:120]))
m.add("a line break in the middle", TOKEN, words(LF, BLANK), t(lambda v: v[:70] + "\n" + v[70:]))
m.add("a blank in the middle", TOKEN, words(BLANK), t(lambda v: v[:70] + " " + v[70:]))
m.add("the token in base64 once more", TOKEN, words(B64, DOUBLED), t(lambda v: b64(v.encode())))
m.add("the token percent-encoded", TOKEN, PERCENT, t(lambda v: v.replace(".", "%2E")))
m.add("the token as Python's bytes", TOKEN, words(r"b'|repr|bytes|quot|literal|python"), t(lambda v: f"b'{v}'"))
m.add("the token in quotes", TOKEN, QUOTE, t(lambda v: f'"{v}"'))
m.add("the answer of the token endpoint", TOKEN, words("JSON|answer|member|object"), t(lambda v: json.dumps({"access_token": v})))
m.add("Bearer twice", TOKEN, words(DOUBLED, "more than one|word"), t(lambda v: "Bearer " + v))
m.add("JWT for Bearer", TOKEN, words("word|scheme|JWT"), f(lambda v: v.replace("Bearer", "JWT")))
m.add("no scheme word", TOKEN, words("word|scheme", MISSING), f(lambda v: v[7:]))
m.add("undefined for the token", TOKEN, PLACEHOLDER, t(lambda v: "undefined"))
m.add("null for the token", TOKEN, words(PLACEHOLDER, "null"), t(lambda v: "null"))
m.add("in X-Auth-Token", PLACE, words("field|place|header|name"), {"headers": lambda v, w: [v[0], ("X-Auth-Token", v[1][1][7:])]})
m.add("in the query", PLACE, words("query|place|parameter"), {"headers": lambda v, w: v[:1], "target": lambda v, w: v + "&token=" + compute(w, Steps(w, {}))[2]})
m.add("in a cookie", PLACE, words("cookie|place"), {"headers": lambda v, w: [v[0], ("Cookie", "jwt=" + v[1][1][7:])]})
m.far("in the field of Google's proxy", PLACE, words("field|place|header|name"), {"headers": lambda v, w: [v[0], ("X-Goog-Iap-Jwt-Assertion", v[1][1][7:])]})
m.far("in the field of Azure", PLACE, words("field|place|header|name"), {"headers": lambda v, w: [v[0], ("X-MS-TOKEN-AAD-ACCESS-TOKEN", v[1][1][7:])]})
m.far("commas for dots", TOKEN, words(r",|comma|dot|separat"), t(lambda v: v.replace(".", ",")))
m.far("dots escaped for an expression", TOKEN, words(r"escap|backslash|\\|dot"), t(lambda v: v.replace(".", "\\.")))
m.far("a part too many, as of encryption", TOKEN, words("segment|part|dot|five|encrypt|JWE|too many|extra"), t(lambda v: v + ".AAAA.BBBB"))
m.far("the first letter lost", TOKEN, words(CUT, "JSON|first|character|header|grammar|base64"), t(lambda v: v[1:]))
m.far("all capitals, by a form", TOKEN, words(CASE), t(str.upper))
RSA = {"header": lambda v, w: {**v, "alg": "RS256", "kid": "rsa-1"}}
EC = {"header": lambda v, w: {**v, "alg": "ES256", "kid": "ec-1"}}
m.add("ES256 in DER, as OpenSSL writes it", PROOF, words("DER|ASN|OpenSSL|form|encod"), {**EC, "mac": lambda k, m: es256(m, der=True)})
m.add("ES256 in hexadecimal", PROOF, HEX, {**EC, "mac": lambda k, m: es256(m), "written": lambda o: o.hex()})
m.add("RS256 named, RS512 made", words(PROOF, ALG), words(ALGORITHM), {**RSA, "mac": lambda k, m: rs(m, None, hashes.SHA512())})
m.add("RS256 named, PS256 made", words(PROOF, ALG), words("PS256|PSS|padding"), {**RSA, "mac": lambda k, m: rs(m, padding.PSS(padding.MGF1(hashes.SHA256()), 32))})
m.add("RS256 named, HS256 made with its public key", words(PROOF, ALG, KEY), words("HMAC|HS256|public"), {**RSA, "mac": lambda k, m: hmac.digest(pem(rsa_key()).encode(), m, "sha256")})
m.add("RS256 by HMAC with the other's secret", words(PROOF, ALG, KEY), words("HMAC|HS256|another|other"), {**RSA, "mac": lambda k, m: hmac.digest(k, m, "sha256")})
m.add("RS256 signed the claims alone", words(PROOF, TEXT), words("payload|claims|header|alone|only"), {**RSA, "text": lambda v, w: v.split(".")[1], "mac": lambda k, m: rs(m)})  # fmt: skip
m.add("RS256 written in hexadecimal", PROOF, HEX, {**RSA, "mac": lambda k, m: rs(m), "written": lambda o: o.hex()})
m.far("RS256 over a hash made before", words(PROOF, TEXT), words(HASHED, "twice|before"), {**RSA, "mac": lambda k, m: rs(sha256(m))})
m.far("ES256 with its halves exchanged", PROOF, words(ORDER, "half|halves"), {**EC, "mac": lambda k, m: (lambda s: s[32:] + s[:32])(es256(m))})
m.far("ES256 with each half turned around", PROOF, words(ORDER, "endian|half|revers"), {**EC, "mac": lambda k, m: (lambda s: s[31::-1] + s[:31:-1])(es256(m))})
m.far("RS256 turned around, as Windows has it", PROOF, words(ORDER, "endian|revers"), {**RSA, "mac": lambda k, m: rs(m)[::-1]})
m.far("RS256 over SHA-1", words(PROOF, ALG), words("SHA-?1|hash"), {**RSA, "mac": lambda k, m: rs(m, None, hashes.SHA1())})
