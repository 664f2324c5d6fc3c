"""Attacks with a request that somebody has seen pass."""

from __future__ import annotations

import base64
import calendar
import datetime as dt
import hashlib
import hmac
import os
import random
import secrets
import time
from datetime import UTC, datetime
from itertools import count
from time import time as time_by_itself

import flask
import pytest

from tests.testing.attacks.tried import BEARER, app_that, has_token, is_hole, outcome
from watchword import (
    APIKeyAuth, APIKeyVerifier, BasicAuth, BasicVerifier, DigestAuth, DigestVerifier, Guard, HMACAuth, HMACVerifier, Key, OAuth1Auth,
    OAuth1Verifier, ReplayableBodyHMACAuth, ReplayableBodyHMACVerifier, SignatureAuth, SignatureVerifier, SigV4Auth, SigV4Verifier,
    WebhookAuth, WebhookVerifier,
)  # fmt: skip
from watchword.servers.wsgi import identity, protect
from watchword.stores import MemoryStore
from watchword.testing.attacks import Credentials
from watchword.testing.attacks.captured import respelled
from watchword.testing.attacks.held import held
from watchword.testing.attacks.outcome import NotTried, Weakness

KEY = b"a key that both sides know"
PARTS = ("method", "target", "body", "time", "nonce")


def signature(parts, method, target, body, at, nonce):
    values = {
        "method": method.encode(),
        "target": target.encode(),
        "body": body,
        "time": at.encode(),
        "nonce": nonce.encode(),
    }
    return hmac.new(KEY, b"\n".join(values[part] for part in parts), hashlib.sha256).hexdigest()


def signing(parts=PARTS):
    def sign(request):
        at, nonce = str(int(time.time())), secrets.token_hex(8)
        request.headers["X-Timestamp"] = at
        request.headers["X-Nonce"] = nonce
        request.headers["X-Signature"] = signature(parts, request.method, request.target, request.body, at, nonce)

    return sign


def shop(parts=PARTS, *, remembers=True, methods=("POST",), uncompared=None):
    """A hand-written guard over a signature; each flaw is an argument."""
    app, seen = flask.Flask(__name__), set()

    def verify():
        request = flask.request
        at, nonce = request.headers.get("X-Timestamp", ""), request.headers.get("X-Nonce", "")
        target = request.path if uncompared == "query" else request.full_path.removesuffix("?")
        method = "POST" if uncompared == "method" else request.method
        body = b"{}" if uncompared == "body" else request.get_data()
        good = signature(parts, method, target, body, at, nonce)
        if not hmac.compare_digest(good.encode(), request.headers.get("X-Signature", "").encode("utf-8", "replace")):
            flask.abort(401)
        if not at.isdigit() or abs(time.time() - int(at)) > 300:
            flask.abort(401)
        if remembers:
            if nonce in seen:
                flask.abort(401)
            seen.add(nonce)

    @app.route("/orders", methods=list(methods))
    def orders():
        verify()
        return {"orders": []}

    @app.post("/refunds")
    def refunds():
        verify()
        return {"refunds": []}

    return app


def test_a_signature_that_is_taken_twice_is_found():
    found = outcome("replay", shop(remembers=False), Credentials(signing()), "POST /orders")
    assert is_hole(found)
    assert found.tried == "the same request again"
    assert outcome("replay", shop(), Credentials(signing()), "POST /orders") is None


@pytest.mark.parametrize("unsigned", ["nonce", "time"])
def test_a_nonce_that_is_not_under_the_signature_is_found(unsigned):
    parts = tuple(part for part in PARTS if part != unsigned)
    found = outcome("replay", shop(parts), Credentials(signing(parts)), "POST /orders")
    assert is_hole(found) is (unsigned == "nonce")


def test_an_app_that_answers_a_second_sending_as_one_that_it_knows_already_passes():
    app = flask.Flask(__name__)
    seen = set()

    @app.post("/orders")
    def orders():
        request = flask.request
        at, nonce = request.headers.get("X-Timestamp", ""), request.headers.get("X-Nonce", "")
        good = signature(PARTS, "POST", request.path, request.get_data(), at, nonce)
        if not hmac.compare_digest(good.encode(), request.headers.get("X-Signature", "").encode("utf-8", "replace")):
            flask.abort(401)
        if nonce in seen:
            return {"status": "already processed"}
        seen.add(nonce)
        return {"status": "processed"}

    assert outcome("replay", app, Credentials(signing()), "POST /orders") is None


@pytest.mark.parametrize("parts", [("body", "time"), ("body",)])
def test_a_second_sending_is_told_from_a_second_signing_in_the_same_second(parts):
    """An app that remembers signatures may answer 200 to both sendings, and says of one that it was processed already."""

    def sign(request):
        at = str(int(time.time()))
        made = signature(parts, request.method, request.target, request.body, at, "")
        return {"X-Timestamp": at, "X-Signature": made}

    def app(mended):
        made, seen = flask.Flask(__name__), set()

        @made.post("/orders")
        def orders():
            request = flask.request
            good = signature(parts, "POST", "/orders", request.get_data(), request.headers.get("X-Timestamp", ""), "")
            if good != request.headers.get("X-Signature"):
                flask.abort(401)
            if mended and good in seen:
                return {"status": "duplicate"}
            seen.add(good)
            return {"status": "processed"}

        return made

    assert outcome("replay", app(mended=True), Credentials(sign), "POST /orders") is None
    assert is_hole(outcome("replay", app(mended=False), Credentials(sign), "POST /orders"))


def test_a_replayed_signature_shows_no_secret():
    found = outcome("replay", shop(remembers=False), Credentials(signing()), "POST /orders")
    assert "x-signature: … (64 characters)" in found.sent


@pytest.mark.parametrize(("uncompared", "tried"), [("body", "body"), ("query", "query"), ("method", "method")])
def test_a_part_that_is_signed_and_not_compared_is_found(uncompared, tried):
    app = shop(methods=("POST", "PUT"), uncompared=uncompared)
    found = outcome("tampered", app, Credentials(signing()), "POST /orders")
    assert is_hole(found)
    assert tried in found.tried
    assert outcome("tampered", shop(methods=("POST", "PUT")), Credentials(signing()), "POST /orders") is None


def test_what_a_signature_does_not_cover_is_named_not_blamed():
    parts = ("body", "time", "nonce")
    assert outcome("tampered", shop(parts), Credentials(signing(parts)), "POST /orders") is None
    nothing = ("time", "nonce")
    found = outcome("tampered", shop(nothing), Credentials(signing(nothing)), "POST /orders")
    assert isinstance(found, NotTried)
    assert "covers nothing" in str(found)


def test_what_is_covered_can_be_said_where_it_cannot_be_found_out():
    numbers = count()

    def sign(request):
        signing()(request)
        request.headers["X-Trace"] = f"{next(numbers)}"

    found = outcome("tampered", shop(), Credentials(sign), "POST /orders")
    assert isinstance(found, NotTried)
    assert "covers=" in str(found)
    assert outcome("tampered", shop(), Credentials(sign, covers=["body", "path"]), "POST /orders") is None


def test_a_request_that_is_sent_to_another_route_is_found():
    parts = ("method", "body", "time", "nonce")
    said = Credentials(signing(parts), covers=["path"])
    assert "sent to /refunds" in outcome("tampered", shop(parts), said, "POST /orders").tried


def test_a_host_that_a_field_names_is_found_to_be_believed():
    def sign(request):
        request.headers["X-Signature"] = hmac.new(
            KEY, f"{request.host}{request.target}".encode(), hashlib.sha256
        ).hexdigest()

    def checks(mended):
        def check(request):
            host = (
                request.headers["host"] if mended else request.headers.get("x-forwarded-host", request.headers["host"])
            )
            query = f"?{request.url.query}" if request.url.query else ""
            good = hmac.new(KEY, f"{host}{request.scope['path']}{query}".encode(), hashlib.sha256).hexdigest()
            return request.headers.get("x-signature") == good

        return app_that(check)

    found = outcome("tampered", checks(mended=False), Credentials(sign))
    assert is_hole(found)
    assert "x-forwarded-host" in found.tried
    assert outcome("tampered", checks(mended=True), Credentials(sign)) is None


# ---- the client halves and guards of watchword ------------------------------------------------------------------------

SECRET = "an old oak by the quiet river bends"
MAC = Key.from_secret(SECRET.encode(), algorithm="HS256", key_id="robot-1")
PAIR = Key.generate("ed25519", key_id="robot-2")
SCHEMES = {
    "hmac": (lambda: HMACAuth(MAC), HMACVerifier),
    "signature": (lambda: SignatureAuth(PAIR), SignatureVerifier),
    "oauth1": (lambda: OAuth1Auth("an-app", SECRET), OAuth1Verifier),
    "sigv4": (
        lambda: SigV4Auth("AKIDEXAMPLE", SECRET, region="eu-1", service="orders"),
        lambda: SigV4Verifier(region="eu-1", service="orders"),
    ),
    "webhook": (lambda: WebhookAuth(WEBHOOK), lambda: WebhookVerifier(WEBHOOK, subject="shop")),
    "body": (lambda: ReplayableBodyHMACAuth(MAC), lambda: ReplayableBodyHMACVerifier(MAC, subject="shop")),
    "digest": (lambda: DigestAuth("alice", "open sesame"), lambda: DigestVerifier(realm="orders")),
    "basic": (lambda: BasicAuth("alice", "open sesame"), lambda: BasicVerifier(realm="orders")),
    "api_key": (lambda: APIKeyAuth(API_KEY), APIKeyVerifier),
}
WEBHOOK = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" * 2
STORE = MemoryStore()
API_KEY = STORE.add_api_key("billing")


def guarded(scheme):
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm="orders")
    store.add_key("robot", MAC)
    store.add_key("robot", PAIR)
    store.add_oauth1_client("an-app", secret=SECRET)
    store.add_access_key("robot", "AKIDEXAMPLE", SECRET)
    app = flask.Flask(__name__)

    @app.post("/orders")
    def orders():
        return {"for": identity(flask.request.environ).subject}

    return protect(app, Guard([SCHEMES[scheme][1]()], STORE if scheme == "api_key" else store))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("attack", ["replay", "stale", "tampered"])
def test_no_guard_of_ours_takes_a_captured_request(scheme, attack):
    weak = {"replay": {"sigv4", "body"}, "stale": set(), "tampered": set()}  # these aren't single-use by themselves
    found = outcome(attack, guarded(scheme), Credentials(SCHEMES[scheme][0]()), "POST /orders")
    assert isinstance(found, Weakness) is (scheme in weak[attack])
    assert found is None or isinstance(found, NotTried) or scheme in weak[attack]
    tried = {
        "replay": {"hmac", "signature", "oauth1", "webhook", "digest"},
        "stale": {"hmac", "signature", "oauth1", "webhook", "sigv4"},
        "tampered": {"hmac", "signature", "oauth1", "webhook", "sigv4", "digest", "body"},
    }
    assert (found is None) is (scheme in tried[attack]), found


def test_replaying_a_scheme_that_is_not_single_use_is_left_to_the_user():
    found = outcome("replay", guarded("sigv4"), Credentials(SCHEMES["sigv4"][0](), single_use=True), "POST /orders")
    assert is_hole(found)
    assert isinstance(
        outcome("replay", shop(remembers=False), Credentials(signing(), single_use=False), "POST /orders"), NotTried
    )


def test_bearer_credentials_are_neither_replayed_nor_tampered_with():
    for attack in ("replay", "stale", "tampered"):
        found = outcome(attack, app_that(has_token), Credentials(BEARER))
        assert isinstance(found, NotTried)
        assert "sign nothing" in str(found)


def test_an_old_signature_is_found_to_be_taken():
    store = MemoryStore()
    store.add_key("robot", MAC)
    app = flask.Flask(__name__)

    @app.post("/orders")
    def orders():
        return {"for": identity(flask.request.environ).subject}

    guard = Guard([HMACVerifier(max_age=10**6, skew=10**6)], store)
    assert is_hole(outcome("stale", protect(app, guard), Credentials(HMACAuth(MAC)), "POST /orders"))


def decoded(text):
    """Octets of base64 in either alphabet, padded or not, as lenient servers read it."""
    plain = text.translate(str.maketrans("-_", "+/")).rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4))


FORMS = {
    "hex": (bytes.hex, bytes.fromhex),
    "HEX": (lambda octets: octets.hex().upper(), bytes.fromhex),
    "base64": (lambda octets: base64.b64encode(octets).decode(), decoded),
    "base64url": (lambda octets: base64.urlsafe_b64encode(octets).decode().rstrip("="), decoded),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("before", ["", "v1="])
def test_a_server_that_remembers_signatures_as_texts_is_found(form, before):
    write, read = FORMS[form]

    def made(body, nonce):
        return hmac.digest(KEY, body + nonce.encode(), "sha256")

    def sign(request):
        nonce = secrets.token_hex(8)
        return {"X-Nonce": nonce, "X-Signature": before + write(made(request.body, nonce))}

    def app(mended):
        server, seen = flask.Flask(__name__), set()

        @server.post("/orders")
        def orders():
            sent = flask.request.headers.get("X-Signature", "").removeprefix(before)
            try:
                octets = read(sent)
            except ValueError:
                flask.abort(401)
            if octets != made(flask.request.get_data(), flask.request.headers.get("X-Nonce", "")):
                flask.abort(401)
            if (octets if mended else sent) in seen:
                flask.abort(401)
            seen.add(octets if mended else sent)
            return {"orders": []}

        return server

    found = outcome("replay", app(mended=False), Credentials(sign), "POST /orders")
    assert is_hole(found)
    assert "again with x-signature" in found.tried
    assert outcome("replay", app(mended=True), Credentials(sign), "POST /orders") is None


def test_each_other_spelling_is_read_as_the_same_octets():
    for size in (31, 32, 33):
        octets = secrets.token_bytes(size - 1) + bytes([255])
        for write, read in FORMS.values():
            for _, other in respelled(write(octets).encode()):
                assert other != write(octets).encode()
                assert read(other.decode()) == octets
    assert respelled(b"Bearer of alice") == []


@pytest.mark.parametrize("attack", ["stale", "replay", "tampered"])
def test_a_function_that_signs_is_judged_like_a_client_half(attack):
    assert outcome(attack, shop(), Credentials(signing()), "POST /orders") is None


CLOCKS = {
    "time.time": lambda: int(time.time()),
    "time.time_ns": lambda: time.time_ns() // 10**9,
    "time.gmtime": lambda: calendar.timegm(time.gmtime()),
    "datetime.now": lambda: int(datetime.now(UTC).timestamp()),
    "datetime.datetime.now": lambda: int(dt.datetime.now(UTC).timestamp()),
    "from time import time": lambda: int(time_by_itself()),
}


def by_clock(clock):
    """A function that signs with the time of a clock, in an app that compares it or doesn't."""

    def sign(request):
        at, nonce = str(clock()), secrets.token_hex(8)
        made = signature(PARTS, request.method, request.target, request.body, at, nonce)
        return {"X-Timestamp": at, "X-Nonce": nonce, "X-Signature": made}

    return Credentials(sign)


def timeless(*, mended):
    app = flask.Flask(__name__)

    @app.post("/orders")
    def orders():
        fields = flask.request.headers
        at, nonce = fields.get("X-Timestamp", ""), fields.get("X-Nonce", "")
        good = signature(PARTS, "POST", "/orders", flask.request.get_data(), at, nonce)
        if good != fields.get("X-Signature") or (mended and abs(time.time() - int(at)) > 300):
            flask.abort(401)
        return {"orders": []}

    return app


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_function_signs_in_the_past_too(clock):
    credentials = by_clock(CLOCKS[clock])
    assert is_hole(outcome("stale", timeless(mended=False), credentials, "POST /orders"))
    assert outcome("stale", timeless(mended=True), credentials, "POST /orders") is None


def test_a_clock_that_cannot_be_set_back_is_told():
    numbers = count(10**9)
    for clock in (
        lambda own=time.time: int(own()),
        lambda own=time.time_ns: own(),
        lambda: 10**9,
        lambda: next(numbers),
    ):
        found = outcome("stale", timeless(mended=False), by_clock(clock), "POST /orders")
        assert isinstance(found, NotTried)
        assert "can't be set back" in str(found)


def test_clock_and_chance_are_let_go_of_afterwards():
    before = (time.time, time.time_ns, time.gmtime, dt.datetime, os.urandom, random.getstate(), dict(globals()))
    with held(by_clock, 7.0, bytes):
        assert time.time() == datetime.now(UTC).timestamp() == 7.0
        assert secrets.token_bytes(3) == bytes(3)
        for local in (dt.datetime.today(), dt.datetime.now(), dt.datetime.utcnow()):  # noqa: DTZ002, DTZ003, DTZ005 -- users have them
            assert local.second == 7
    assert before == (time.time, time.time_ns, time.gmtime, dt.datetime, os.urandom, random.getstate(), dict(globals()))
