"""OAuth 1.0a: signing and verifying. The limits are the barest correct compositions, and make oauthlib's octets."""

from __future__ import annotations

import hmac
import os
import re
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from authlib.oauth1 import ClientAuth
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from oauthlib.common import Request as TheirRequest
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import signature as theirs

from bench.harness import Interleaved, Unfit
from watchword import Guard, OAuth1Auth, OAuth1Verifier, Policy, Rejected, Request
from watchword.transport.flow import ClientContext
from watchword.core.records import Committed, Once, Ref
from watchword.core.scheme import NO_BODY
from watchword.schemes.oauth1 import OAuth1Client, OAuth1Token
from watchword.stores import MemoryStore

KEY, SECRET = "dpf43f3p2l4k3l03", "kd94hf93k423kf44"
TOKEN, TOKEN_SECRET = "nnch734d00sl2jdk", "pfkkdhi9sl3r4s00"
URL = "https://photos.example.net/photos?file=vacation.jpg&size=original"
LINES = (("host", "photos.example.net"), ("accept", "*/*"))
MACS: dict[str, Any] = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}
RSA = rsa.generate_private_key(65537, 2048)
PRIVATE = RSA.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = (
    RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)
Work = Callable[[], Any]
Judge = Callable[[Request], object]


def rows() -> Iterable[Interleaved]:
    """Signing by two methods; verifying by two, with and without the guard; and by RSA."""
    yield signing("HMAC-SHA1")
    yield signing("HMAC-SHA256")
    yield deciding("HMAC-SHA1")
    yield deciding("HMAC-SHA256")
    yield deciding("RSA-SHA256")
    yield guarding()


def bare() -> Request:
    """The request before it is signed."""
    parts = urlsplit(URL)
    return Request("GET", parts.scheme, parts.netloc, f"{parts.path}?{parts.query}", LINES)


# ---- signing ---------------------------------------------------------------------------------------------------------

PLAIN = re.compile(r"[A-Za-z0-9\-._~&=]*")


def escaped(text: str) -> str:
    """Percent-encoding (RFC 5849 §3.6)."""
    return quote(text, safe="~")


def query_pairs(query: str) -> list[tuple[str, str]]:
    """The query's parameters, encoded; most are so already."""
    if PLAIN.fullmatch(query):
        return [(name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part)]
    return [(escaped(name), escaped(value)) for name, value in parse_qsl(query, keep_blank_values=True)]


def base_of(method: str, request: Request, pairs: list[tuple[str, str]]) -> bytes:
    """The base string (RFC 5849 §3.4.1); what is encoded has three characters to encode again."""
    path = request.target.partition(b"?")[0].decode()
    authority = request.authority.lower().removesuffix(":443")
    uri = quote(f"{request.scheme}://{authority}{path}", safe="~")
    text = "&".join([f"{name}={value}" for name, value in sorted(pairs)])
    return f"{method}&{uri}&{text.replace('%', '%25').replace('=', '%3D').replace('&', '%26')}".encode()


def signing_limit(method: str, nonce: Callable[[], str], clock: Callable[[], float]) -> Callable[[Request], Any]:
    """Nonce and time, parameters, base string, HMAC, one field line."""
    key, name = f"{SECRET}&{TOKEN_SECRET}".encode(), MACS[method]
    fixed = [
        ("oauth_consumer_key", KEY), ("oauth_token", TOKEN), ("oauth_signature_method", method), ("oauth_version", "1.0"),
    ]  # fmt: skip

    def sign(request: Request) -> tuple[bytes, bytes]:
        own = [*fixed, ("oauth_timestamp", str(int(clock()))), ("oauth_nonce", nonce())]
        query = request.target.partition(b"?")[2].decode()
        base = base_of(request.method.upper(), request, own + query_pairs(query) if query else own)
        mac = b2a_base64(hmac.digest(key, base, name), newline=False).decode()
        own.append(("oauth_signature", mac.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")))
        return b"authorization", ("OAuth " + ", ".join([f'{n}="{v}"' for n, v in own])).encode()

    return sign


def signing(method: str) -> Interleaved:
    """One request with its field; ours through the whole flow, the peers' by what their sessions call."""
    request, context = bare(), ClientContext(bytes)
    auth = OAuth1Auth(KEY, SECRET, token=TOKEN, token_secret=TOKEN_SECRET, signature_method=method)
    limit = signing_limit(method, lambda: os.urandom(16).hex(), time.time)
    client: Any = Client(
        KEY, SECRET, resource_owner_key=TOKEN, resource_owner_secret=TOKEN_SECRET, signature_method=method
    )
    other: Any = ClientAuth(KEY, SECRET, token=TOKEN, token_secret=TOKEN_SECRET, signature_method=method)

    def ours() -> bytes:
        flow = auth.flow(request, context)
        signed: Request = next(flow).request
        flow.close()
        return signed.headers[-1][1]

    def by_oauthlib() -> bytes:
        value: str = client.sign(URL)[1]["Authorization"]
        return value.encode()

    def by_authlib() -> bytes:
        value: str = other.prepare("GET", URL, {}, b"")[1]["Authorization"]
        return value.encode()

    contenders: dict[str, Work] = {"limit": lambda: limit(request)[1], "watchword, the whole flow": ours}
    contenders["oauthlib"] = by_oauthlib
    missing = {}
    if method == "HMAC-SHA1":
        contenders["Authlib"] = by_authlib
    else:
        missing["Authlib"] = "it has HMAC-SHA1 only"

    def prove() -> None:
        fixed: Any = Client(
            KEY, SECRET, resource_owner_key=TOKEN, resource_owner_secret=TOKEN_SECRET, signature_method=method,
            nonce="abc", timestamp="1700000000",
        )  # fmt: skip
        wanted = signature_in(fixed.sign(URL)[1]["Authorization"].encode())
        if signature_in(signing_limit(method, lambda: "abc", lambda: 1.7e9)(request)[1]) != wanted:
            raise Unfit("the limit makes other octets than oauthlib")
        for name, contender in contenders.items():
            check(name, method, request, contender())

    return Interleaved(f"OAuth 1 sign, {method}", contenders, prove, missing)


def signature_in(value: bytes) -> str:
    """The signature in a field."""
    return unquote(value.decode().partition('oauth_signature="')[2].partition('"')[0])


def check(name: str, method: str, request: Request, value: bytes) -> None:
    """Whether a field is signed rightly, as oauthlib has it."""
    pairs = theirs.collect_parameters(urlsplit(URL).query, headers={"Authorization": value.decode()})
    base = theirs.signature_base_string("GET", theirs.base_string_uri(URL), theirs.normalize_parameters(pairs))
    mac = hmac.digest(f"{SECRET}&{TOKEN_SECRET}".encode(), base.encode(), MACS[method])
    if a2b_base64(signature_in(value)) != mac or not request.target:
        raise Unfit(f"{name} computes something else")


# ---- verifying -------------------------------------------------------------------------------------------------------

PARAM = re.compile(r'([\w.%-]+)="([^"]*)"')


def signed_requests(method: str) -> Callable[[], Request]:
    """Genuine requests, each with a nonce of its own; made as cheaply as can be, for making them may be timed as well."""
    if method.startswith("RSA"):
        auth = OAuth1Auth(KEY, token=TOKEN, signature_method=method, rsa_key=PRIVATE)
        return lambda: auth.sign(bare(), ClientContext(bytes)).request
    numbers, start = count(1), os.urandom(6).hex()
    limit = signing_limit(method, lambda: f"{start}{next(numbers):08x}", time.time)
    plain = bare()
    lines = tuple(plain.headers)

    def make() -> Request:
        return Request.raw("GET", plain.scheme, plain.authority, plain.target, (*lines, limit(plain)), plain.peer, True)

    return make


def verifying_limit(method: str) -> Callable[[Request], Once]:
    """Parse, look the secrets up in two dicts, base string, HMAC or RSA, compare, time."""
    clients, tokens = {KEY: SECRET}, {TOKEN: (KEY, TOKEN_SECRET)}
    name, equal, clock = MACS.get(method), hmac.compare_digest, time.time
    public, scheme, hashed = RSA.public_key(), padding.PKCS1v15(), hashes.SHA256()

    def judge(request: Request) -> Once:
        (value,) = [value for name, value in request.headers if name == b"authorization"]
        pairs = PARAM.findall(value.decode())
        given = dict(pairs)
        if len(given) < len(pairs) or given["oauth_signature_method"] != method:
            raise ValueError("method")
        signature = unquote(given.pop("oauth_signature"))
        own = [(n, escaped(unquote(v)) if "%" in v else v) for n, v in given.items() if n != "realm"]
        query = request.target.partition(b"?")[2].decode()
        base = base_of(request.method.upper(), request, own + query_pairs(query) if query else own)
        client, (owner, secret) = clients[given["oauth_consumer_key"]], tokens[given["oauth_token"]]
        if owner != given["oauth_consumer_key"] or given.get("oauth_version", "1.0") != "1.0":
            raise ValueError("token")
        if name is None:
            try:
                public.verify(a2b_base64(signature), base, scheme, hashed)
            except InvalidSignature:
                raise ValueError("signature") from None
        else:
            mac = hmac.digest(f"{escaped(client)}&{escaped(secret)}".encode(), base, name)
            if not equal(b2a_base64(mac, newline=False), signature.encode()):
                raise ValueError("signature")
        made = int(given["oauth_timestamp"])
        if not -30 <= clock() - made < 300:
            raise ValueError("time")
        return Once(("limit", owner, given["oauth_token"], given["oauth_timestamp"], given["oauth_nonce"]), made + 300)

    return judge


def filled() -> MemoryStore:
    """A store with the client and the token."""
    store = MemoryStore(capacity=50_000_000)
    store.add_oauth1_client(KEY, secret=SECRET, public_key=PUBLIC)
    store.add_oauth1_token(TOKEN, TOKEN_SECRET, client_key=KEY, subject="jane")
    return store


REFS: tuple[Ref[Any], ...] = (Ref(OAuth1Client, (KEY,)), Ref(OAuth1Token, (TOKEN,)))


def by_oauthlib(method: str) -> Judge:
    """Their own parsing and verifying; they check neither time nor nonce by themselves."""
    endpoint_parameters: Any = theirs

    def judge(request: Request) -> object:
        value = request.headers[-1][1].decode()
        asked: Any = TheirRequest(URL, "GET", "", {"Authorization": value})
        pairs = endpoint_parameters.collect_parameters(urlsplit(URL).query, headers=asked.headers, with_realm=False)
        given = dict(endpoint_parameters.collect_parameters("", headers=asked.headers, exclude_oauth_signature=False))
        asked.uri = f"{request.scheme}://{request.authority}{request.target.decode()}"
        asked.params, asked.signature = pairs, given["oauth_signature"]
        if method == "HMAC-SHA1":
            good = endpoint_parameters.verify_hmac_sha1(asked, SECRET, TOKEN_SECRET)
        elif method == "HMAC-SHA256":
            good = endpoint_parameters.verify_hmac_sha256(asked, SECRET, TOKEN_SECRET)
        else:
            good = endpoint_parameters.verify_rsa_sha256(asked, PUBLIC)
        if not good:
            raise ValueError("signature")
        return given

    return judge


def deciding(method: str) -> Interleaved:
    """The verifier by itself, on records that were fetched before."""
    verifier = OAuth1Verifier(methods=("HMAC-SHA1", "HMAC-SHA256", "RSA-SHA256"))
    found = filled().fetch(REFS)
    barest, one = verifying_limit(method), signed_requests(method)()
    theirs_too = by_oauthlib(method)

    def ours(request: Request) -> object:
        claim = verifier.read(request)
        assert claim is not None
        return claim.decide(found, NO_BODY, time.time(), os.urandom)

    contenders: dict[str, Work] = {"limit": lambda: barest(one), "watchword": lambda: ours(one)}
    contenders["oauthlib, signature only"] = lambda: theirs_too(one)

    def prove() -> None:
        refuse_others(method, barest, ours, theirs_too)

    return Interleaved(f"OAuth 1 verify, {method}, read and decide", contenders, prove)


def guarding() -> Interleaved:
    """The whole guard with its replay memory."""
    store, method = filled(), "HMAC-SHA256"
    verify = Guard([OAuth1Verifier()], store, policy=Policy(attempts=None)).verify
    judge, make = verifying_limit(method), signed_requests(method)

    def barest(request: Request) -> object:
        mark = judge(request)
        if store.fetch(REFS).get(REFS[0]) is None or not isinstance(store.commit([mark]), Committed):
            raise ValueError("replay")
        return mark

    def prove() -> None:
        refuse_others(method, verify, barest)
        good = make()
        verify(good)
        try:
            verify(good)
        except Rejected:
            return
        raise Unfit("watchword accepts a request twice")

    return Interleaved(
        "OAuth 1 verify, HMAC-SHA256, the whole guard, MemoryStore (each request is signed by the limit)",
        {"limit, fetch and commit": lambda: barest(make()), "watchword": lambda: verify(make())},
        prove,
    )


def refuse_others(method: str, *judges: Judge) -> None:
    """Raises `Unfit` if one of these refuses a genuine request, or accepts its credentials for another target."""
    make = signed_requests(method)
    for judge in judges:
        good = make()
        judge(good)
        other = Request("GET", "https", good.authority, "/other?file=vacation.jpg", make().headers)
        try:
            judge(other)
        except (Rejected, ValueError):
            continue
        raise Unfit(f"{judge} accepts what it must refuse")
