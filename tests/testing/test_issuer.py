"""The issuer that tests have, in the process and over a socket: right when it is right, wrong as it is told to be."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.patience import PATIENCE
from watchword import (
    BearerAuth, ConfigurationError, CredentialsUnavailable, Guard, JWTVerifier, Key, KeySet, OAuth2Auth, Policy, Reason, Request,
)  # fmt: skip
from watchword.clients.requests import adapt
from watchword.testing import Clock, FakeIssuer, LoopbackIssuer, Misbehaviour, assert_accepted, assert_refused, signed
from watchword.transport.get import Fault, FetchFailed

KINDS = {
    "in process": FakeIssuer,
    "in process, with a path": lambda **options: FakeIssuer("https://id.example/tenants/7", **options),
    "over a socket": LoopbackIssuer,
}


@pytest.fixture(params=KINDS)
def issuer(request: pytest.FixtureRequest) -> Iterator[FakeIssuer]:
    with KINDS[request.param](clock=Clock()) as made:  # type: ignore[operator]
        yield made


def guarded(issuer: FakeIssuer, **options: Any) -> Guard:
    source = issuer.key_source(timeout=PATIENCE, **options)
    verifier = JWTVerifier(source, issuer=issuer.url, audience=issuer.audience, typ="at+jwt")
    return Guard([verifier], policy=Policy(clock=issuer.clock))


# ---- an issuer as it should be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["ES256", "ed25519", "PS256"])
def test_its_tokens_are_accepted_by_the_keys_that_it_publishes(algorithm: str) -> None:
    with FakeIssuer(algorithm=algorithm) as issuer:
        guard = Guard([issuer.verifier()], policy=Policy(clock=issuer.clock))
        token = issuer.token("bob", scopes=["read", "write"], claims={"tenant": "blue"})
        who = assert_accepted(guard, *signed(BearerAuth(token)), subject="bob", scheme="oauth")
        assert (who.scopes, who.claims["tenant"], who.claims["client_id"]) == ({"read", "write"}, "blue", "a-client")


def test_a_source_finds_its_keys_by_metadata_or_by_their_url(issuer: FakeIssuer) -> None:
    for options in ({}, {"url": issuer.jwks_url}):
        issuer.asked.clear()
        assert_accepted(guarded(issuer, **options), *signed(BearerAuth(issuer.token())))
        assert len(issuer.asked) == 2 - len(options)
        assert issuer.asked[-1].endswith("/jwks")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"lifetime": -1}, Reason.EXPIRED),
        ({"audience": "another"}, Reason.WRONG_AUDIENCE),
        ({"claims": {"iss": "https://other.example"}}, Reason.UNKNOWN_ISSUER),
        ({"claims": {"jti": None}}, Reason.MISSING_CLAIM),
        ({"header": {"typ": "JWT"}}, Reason.WRONG_TYPE),
        ({"key": Key.generate("ES256", key_id="key-1")}, Reason.WRONG_SIGNATURE),
        ({"key": Key.generate("ES256", key_id="key-9")}, Reason.UNKNOWN_KEY),
    ],
)
def test_a_token_is_as_wrong_as_it_was_asked_for(wrong: dict[str, Any], reason: Reason) -> None:
    with FakeIssuer() as issuer:
        guard = Guard([issuer.verifier()], policy=Policy(clock=issuer.clock))
        assert_refused(guard, *signed(BearerAuth(issuer.token(**wrong))), reason=reason)


def test_it_publishes_no_private_part_and_all_that_discovery_requires(issuer: FakeIssuer) -> None:
    source = issuer.key_source(timeout=PATIENCE)
    source.refresh()
    assert source.keys is not None
    assert all(not key.is_private for key in source.keys.keys)
    assert isinstance(issuer.keys, KeySet)
    [place] = {path for path in issuer.asked if path.endswith("openid-configuration")}
    metadata = json.loads(issuer.reply(Request("GET", "https", "id.example", place)).body)
    required = {  # OpenID Connect Discovery 1.0 §3, RFC 8414 §2
        "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported", "subject_types_supported",
        "id_token_signing_alg_values_supported",
    }  # fmt: skip
    assert required <= set(metadata)
    assert metadata["issuer"] == issuer.url


def test_a_new_key_is_found_once_the_cool_down_is_over_and_an_old_one_is_good_until_it_is_gone(
    issuer: FakeIssuer,
) -> None:
    guard = guarded(issuer)
    old = BearerAuth(issuer.token())
    assert_accepted(guard, *signed(old))
    issuer.rotate()
    issuer.clock.advance(31)
    assert_accepted(guard, *signed(BearerAuth(issuer.token("bob"))), subject="bob")
    assert_accepted(guard, *signed(old))
    issuer.rotate(keep=False)
    issuer.clock.advance(31)
    assert_accepted(guard, *signed(BearerAuth(issuer.token("carol"))), subject="carol")
    assert_refused(guard, *signed(old), reason=Reason.UNKNOWN_KEY)


def test_clients_get_tokens_for_their_secret(issuer: FakeIssuer) -> None:
    issuer.add_client("robot", "open sesame", scopes=["read"])
    guard = guarded(issuer)
    auth = OAuth2Auth(issuer.token_url, "robot", "open sesame")
    assert assert_accepted(guard, *signed(auth, guard=guard, elsewhere=issuer.answer), subject="robot").scopes == {
        "read"
    }
    issuer.rotate()
    issuer.clock.advance(600)
    assert_accepted(guard, *signed(auth, guard=guard, elsewhere=issuer.answer))
    with pytest.raises(CredentialsUnavailable):
        signed(OAuth2Auth(issuer.token_url, "robot", "a guess"), elsewhere=issuer.answer, clock=issuer.clock)
    with pytest.raises(ConnectionError, match="is not"):
        signed(OAuth2Auth("https://other.example/token", "robot", "open sesame"), elsewhere=issuer.answer)


def test_nothing_else_is_there(issuer: FakeIssuer) -> None:
    origin = issuer.url.partition("://")[2].partition("/")[0]
    assert issuer.reply(Request("GET", "https", origin, "/")).status == 404
    place = issuer.jwks_url.partition(origin)[2]
    assert issuer.reply(Request("POST", "https", origin, place)).status == 405


def test_shared_secrets_are_published_by_nobody() -> None:
    with pytest.raises(ConfigurationError, match="shared secrets"):
        FakeIssuer(algorithm="HS256")


def test_it_shows_and_pickles_no_key(issuer: FakeIssuer) -> None:
    assert repr(issuer) == f"{type(issuer).__name__}({issuer.url!r})"
    with pytest.raises(TypeError, match="not pickled"):
        issuer.__reduce_ex__(4)


# ---- an issuer that misbehaves -----------------------------------------------------------------------------------------

FAULTS = {
    Misbehaviour.HUGE: Fault.TOO_LARGE,
    Misbehaviour.REDIRECTING: Fault.REDIRECTED,
    Misbehaviour.WRONG_ISSUER: Fault.UNUSABLE,
    Misbehaviour.DROPPED: Fault.BROKEN,
    Misbehaviour.GARBAGE: Fault.UNUSABLE,
    Misbehaviour.FAILING: Fault.STATUS,
}


def test_every_misbehaviour_is_tried() -> None:
    elsewhere = {Misbehaviour.SLOW, Misbehaviour.UNNAMED, Misbehaviour.CREATED}
    assert set(FAULTS) | elsewhere == set(Misbehaviour)


@pytest.mark.parametrize("part", ["metadata", "jwks"])
@pytest.mark.parametrize("how", FAULTS)
def test_a_source_gets_no_keys_from_it_and_goes_on_with_those_that_it_has(
    issuer: FakeIssuer, how: Misbehaviour, part: str
) -> None:
    if (how, part) == (Misbehaviour.WRONG_ISSUER, "jwks"):
        part = "metadata"  # a key set names no issuer
    fresh, known = issuer.key_source(timeout=PATIENCE), issuer.key_source(timeout=PATIENCE, least=1, most=300)
    known.refresh()
    keys = known.keys
    issuer.clock.advance(301)
    with issuer.misbehaving(how, part):
        for source in (fresh, known):
            with pytest.raises(FetchFailed) as caught:
                source.refresh()
            assert caught.value.fault is FAULTS[how]
        assert fresh.keys is None
        assert known.keys is keys
    fresh.refresh()
    assert fresh.keys is not None


def test_where_a_redirect_points_there_are_keys_for_who_follows(issuer: FakeIssuer) -> None:
    place = issuer.jwks_url
    with issuer.misbehaving(Misbehaviour.REDIRECTING):
        scheme, _, rest = place.partition("://")
        authority, slash, path = rest.partition("/")
        away = dict(issuer.reply(Request("GET", scheme, authority, slash + path)).headers)[b"location"].decode()
        assert away.startswith(f"{scheme}://{authority}/")
        followed = issuer.reply(Request("GET", scheme, authority, away.partition(authority)[2]))
    assert (followed.status, followed.body) == (200, issuer.reply(Request("GET", scheme, authority, slash + path)).body)


def test_a_slow_answer_is_held_until_it_is_let_go(issuer: FakeIssuer) -> None:
    source = issuer.key_source(timeout=PATIENCE)
    with issuer.misbehaving(Misbehaviour.SLOW, "jwks"):
        thread = threading.Thread(target=source.refresh)
        thread.start()
        assert issuer.wait_until_held(PATIENCE)
        assert source.state == "refreshing"
        issuer.release()
        thread.join()
    assert source.state == "fresh"


def test_nobody_waits_for_an_issuer_that_has_ended() -> None:
    issuer = FakeIssuer()
    source = issuer.key_source(timeout=PATIENCE)
    with issuer.misbehaving(Misbehaviour.SLOW):
        thread = threading.Thread(target=source.refresh)
        thread.start()
        assert issuer.wait_until_held(PATIENCE)
        issuer.close()
        thread.join()


@pytest.mark.parametrize("how", [how for how in FAULTS if how is not Misbehaviour.WRONG_ISSUER])
def test_a_client_gets_no_token_from_it(issuer: FakeIssuer, how: Misbehaviour) -> None:
    issuer.add_client("robot", "open sesame")
    with issuer.misbehaving(how, "token"), pytest.raises((CredentialsUnavailable, ConnectionError)):
        auth = OAuth2Auth(issuer.token_url, "robot", "open sesame")
        signed(auth, elsewhere=issuer.answer, clock=issuer.clock)


@pytest.mark.parametrize("how", [how for how in FAULTS if how is not Misbehaviour.WRONG_ISSUER])
def test_a_client_gets_no_token_from_it_over_a_socket(how: Misbehaviour) -> None:
    with LoopbackIssuer() as issuer, requests.Session() as session:
        session.trust_env = False
        issuer.add_client("robot", "open sesame")
        auth = adapt(OAuth2Auth(issuer.token_url, "robot", "open sesame"))
        with issuer.misbehaving(how, "token"), pytest.raises((CredentialsUnavailable, requests.RequestException)):
            session.get("https://api.invalid/", auth=auth, timeout=PATIENCE)
        assert issuer.asked == ["/token"]


def test_its_tokens_name_another_issuer_while_it_does(issuer: FakeIssuer) -> None:
    issuer.add_client("robot", "open sesame")
    guard = guarded(issuer)
    auth = OAuth2Auth(issuer.token_url, "robot", "open sesame")
    with issuer.misbehaving(Misbehaviour.WRONG_ISSUER, "token"):
        request = signed(auth, elsewhere=issuer.answer, clock=issuer.clock)
    assert_refused(guard, *request, reason=Reason.UNKNOWN_ISSUER)


def test_misbehaviours_of_several_parts_nest_and_end(issuer: FakeIssuer) -> None:
    source = issuer.key_source(timeout=PATIENCE)
    with (
        issuer.misbehaving(Misbehaviour.FAILING),
        issuer.misbehaving(Misbehaviour.GARBAGE, "metadata"),
        pytest.raises(FetchFailed, match="not a JSON object"),
    ):
        source.refresh()
    source.refresh()


def test_an_issuer_has_six_parts() -> None:
    with pytest.raises(
        ConfigurationError, match="no 'userinfo': use one of metadata, jwks, token, authorize, device, revoke"
    ):
        FakeIssuer().misbehaving(Misbehaviour.SLOW, "userinfo").__enter__()
