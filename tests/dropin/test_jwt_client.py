"""`PyJWKClient` over loopback: what it keeps, when it fetches, and where it never goes."""

from __future__ import annotations

import json
import ssl
import threading

import pytest

from tests.stores.issuer import Issuer, jwks, new_key
from tests.transport.origin import Origin, certificate, response
from watchword import Key
from watchword.dropin import jwt
from watchword.dropin.jwt import jwk_set_cache, jwks_client
from watchword.transport.get import Answer, Fault, FetchFailed

OLD, NEW = new_key("old"), new_key("new")
CLAIMS = {"sub": "alice"}


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    for module in (jwks_client, jwk_set_cache):
        monkeypatch.setattr(module, "time", found)
    return found


@pytest.fixture
def issuer():
    with Issuer(OLD) as found:
        yield found


def client(issuer, **options):
    return jwt.PyJWKClient(issuer.url(), **{"allow_cleartext": True, "allow_private": True, "timeout": 5, **options})


def test_the_usual_program_works(issuer):
    keys, token = client(issuer), jwt.encode(CLAIMS, OLD, headers={"kid": "old"})
    found = keys.get_signing_key_from_jwt(token)
    assert jwt.decode(token, found, algorithms=["ES256"]) == CLAIMS
    assert jwt.decode(token, found.key, algorithms=["ES256"]) == CLAIMS
    assert [key.key_id for key in keys.get_signing_keys()] == ["old"]
    assert keys.get_jwk_set() is keys.get_jwk_set()
    assert issuer.fetches == 1


def test_a_set_is_kept_for_its_lifespan(issuer, clock):
    keys = client(issuer, lifespan=60)
    for elapsed, fetches in ((0, 1), (60, 1), (61, 2)):
        clock.now = 1000.0 + elapsed
        keys.get_jwk_set()
        assert issuer.fetches == fetches
    keys.get_jwk_set(refresh=True)
    assert issuer.fetches == 3


def test_without_a_cache_each_look_up_fetches(issuer):
    keys = client(issuer, cache_jwk_set=False)
    keys.get_signing_key("old")
    keys.get_signing_key("old")
    assert (keys.jwk_set_cache, issuer.fetches) == (None, 2)


def test_unknown_key_ids_cost_one_fetch_per_cool_down(issuer, clock):
    keys = client(issuer, cooldown_duration=30)
    keys.get_signing_key("old")
    issuer.keys = (OLD, NEW)
    for _ in range(50):
        with pytest.raises(jwt.PyJWKClientError, match="new"):
            keys.get_signing_key("new")
    assert issuer.fetches == 1
    clock.now += 30
    assert keys.get_signing_key("new").key_id == "new"
    for name in ("", "other", None, "x" * 1000):
        with pytest.raises(jwt.PyJWKClientError) as caught:
            keys.get_signing_key(name)
        assert len(str(caught.value)) < 300
    assert issuer.fetches == 2


def test_a_token_without_a_key_id_finds_none(issuer):
    with pytest.raises(jwt.PyJWKClientError):
        client(issuer).get_signing_key_from_jwt(jwt.encode(CLAIMS, Key.generate("ES256")))


@pytest.mark.parametrize("token", ["", "a.b", None, "eyJhbGciOiJFUzI1NiJ9.x.", "eyJraWQiOjd9.e30."])
def test_what_is_no_token_is_not_fetched_for(token, issuer):
    with pytest.raises(jwt.InvalidTokenError):
        client(issuer).get_signing_key_from_jwt(token)
    assert issuer.fetches == 0


def test_a_failing_issuer_costs_one_fetch_per_cool_down_and_keeps_what_was_known(issuer, clock):
    keys = client(issuer, lifespan=60)
    keys.get_jwk_set()
    issuer.status = 500
    with pytest.raises(jwt.PyJWKClientConnectionError, match="500"):
        keys.get_jwk_set(refresh=True)
    assert keys.get_signing_key("old").key_id == "old"
    assert issuer.fetches == 2
    clock.now += 61
    for _ in range(20):
        with pytest.raises(jwt.PyJWKClientConnectionError, match="500"):
            keys.get_signing_key("old")
    assert issuer.fetches == 3
    clock.now += 30
    issuer.status = 200
    assert keys.get_signing_key("old").key_id == "old"
    assert issuer.fetches == 4


def test_many_threads_share_one_fetch(issuer):
    keys, found = client(issuer), []
    issuer.gate.clear()
    threads = [threading.Thread(target=lambda: found.append(keys.get_signing_key("old"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    issuer.gate.set()
    for thread in threads:
        thread.join(10)
    assert (len(found), issuer.fetches) == (8, 1)


def test_published_secrets_and_private_keys_are_passed_over(issuer):
    secret, private = Key.generate("HS256", key_id="s").to_jwk(private=True), NEW.to_jwk(private=True)
    issuer.body = json.dumps({"keys": [secret, private, OLD.to_jwk()]}).encode()
    assert [key.key_id for key in client(issuer).get_signing_keys()] == ["old"]
    issuer.body = json.dumps({"keys": [secret]}).encode()
    with pytest.raises(jwt.PyJWKSetError):
        client(issuer).get_jwk_set()
    with pytest.raises(jwt.PyJWKClientError):
        client(issuer).get_signing_keys()


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"keys": [], "keys": []}', b"\xff", b'{"keys": 7}', b"{}"])
def test_what_is_no_key_set_is_said_to_be_none(body, issuer):
    issuer.body = body
    with pytest.raises((jwt.PyJWKClientError, jwt.PyJWKSetError)):
        client(issuer).get_jwk_set()


def test_keys_for_encryption_or_without_a_key_id_are_no_signing_keys(issuer):
    nameless = {name: value for name, value in OLD.to_jwk().items() if name != "kid"}
    for members in ({**OLD.to_jwk(), "use": "enc"}, nameless):
        issuer.body = json.dumps({"keys": [members]}).encode()
        with pytest.raises(jwt.PyJWKClientError, match="signing keys"):
            client(issuer).get_signing_keys()


def test_header_fields_are_sent(issuer):
    client(issuer, headers={"User-Agent": "mine", "X-Tenant": "7"}).get_jwk_set()
    _, fields = issuer.seen[-1]
    assert (fields["user-agent"], fields["x-tenant"]) == ("mine", "7")


@pytest.mark.parametrize("fields", [{"X": "a\r\nHost: b"}, {"Host": "b"}, {"a b": "c"}, {"Content-Length": "5"}])
def test_header_fields_that_change_the_request_are_refused(fields, issuer):
    with pytest.raises(jwt.PyJWKClientConnectionError, match="field"):
        client(issuer, headers=fields).get_jwk_set()
    assert issuer.seen == []


def test_cleartext_and_private_addresses_have_to_be_asked_for(issuer):
    for options, mend in (({}, "allow_cleartext=True"), ({"allow_cleartext": True}, "allow_private=True")):
        with pytest.raises(jwt.PyJWKClientConnectionError, match=mend):
            jwt.PyJWKClient(issuer.url(), **options).get_jwk_set()
    assert issuer.connections == 0


def test_redirects_lead_nowhere(issuer):
    with (
        Origin(lambda *_: response(status=302, location=issuer.url())) as origin,
        pytest.raises(jwt.PyJWKClientConnectionError, match="redirect"),
    ):
        client(origin).get_jwk_set()
    assert issuer.fetches == 0


@pytest.mark.parametrize(
    "uri", ["file:///etc/passwd", "ftp://x/", "data:,{}", "/etc/passwd", "", "jwks", "javascript:1"]
)
def test_only_http_is_asked(uri):
    with pytest.raises(jwt.PyJWKClientError, match="scheme"):
        jwt.PyJWKClient(uri)


@pytest.mark.parametrize(
    "options",
    [
        {"lifespan": 0}, {"lifespan": -1}, {"lifespan": float("nan")}, {"cooldown_duration": -1},
        {"cooldown_duration": float("inf")}, {"cooldown_duration": float("nan")},
    ],
)  # fmt: skip
def test_times_have_to_make_sense(options):
    with pytest.raises(jwt.PyJWKClientError):
        jwt.PyJWKClient("https://id.example/jwks", **options)


def test_a_context_that_checks_nothing_is_refused():
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname = False
    with pytest.raises(jwt.PyJWKClientError, match="ca_file"):
        jwt.PyJWKClient("https://id.example/jwks", ssl_context=careless)


def test_https_with_an_authority_of_ones_own(tmp_path):
    serving, trusted = certificate(tmp_path, "localhost")
    with Origin(lambda *_: response(jwks(OLD)), serving) as origin:
        url = origin.url(host="localhost")
        context = ssl.create_default_context(cafile=trusted)
        for options in ({"ssl_context": context}, {"ca_file": trusted}):
            found = jwt.PyJWKClient(url, allow_private=True, **options).get_signing_key("old")
            assert found.key_id == "old"
        with pytest.raises(jwt.PyJWKClientConnectionError, match="certificate"):
            jwt.PyJWKClient(url, allow_private=True).get_jwk_set()


def test_a_program_may_fetch_in_its_own_way():
    asked = []

    def fetch(get, terms):
        asked.append((get.url, terms.timeout))
        if len(asked) > 1:
            raise FetchFailed(Fault.TIMEOUT, "too slow")
        return Answer(200, (), jwks(OLD))

    keys = jwt.PyJWKClient("https://id.example/jwks", timeout=7, fetch=fetch)
    assert keys.get_signing_key("old").key_id == "old"
    with pytest.raises(jwt.PyJWKClientConnectionError, match="too slow"):
        keys.get_jwk_set(refresh=True)
    assert asked == [("https://id.example/jwks", 7)] * 2


def test_a_subclass_may_have_its_keys_from_elsewhere():
    class Mine(jwt.PyJWKClient):
        calls = 0

        def fetch_data(self):
            self.calls += 1
            return {"keys": [OLD.to_jwk()]}

    keys = Mine("https://id.example/jwks")
    keys.get_signing_key("old")
    with pytest.raises(jwt.PyJWKClientError):
        keys.get_signing_key("new")
    assert keys.calls == 1


def test_the_cache_alone():
    cache = jwk_set_cache.JWKSetCache(60)
    assert cache.get() is None
    cache.put({"keys": [OLD.to_jwk()]})
    assert [key.key_id for key in cache.get()] == ["old"]
    cache.put(None)
    assert (cache.get(), cache.is_expired()) == (None, False)
    for wrong in ("text", {"keys": []}):
        with pytest.raises(jwt.PyJWKSetError):
            cache.put(wrong)
