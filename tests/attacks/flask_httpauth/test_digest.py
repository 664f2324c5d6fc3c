"""Flask-HTTPAuth's Digest: the nonce is in a cookie, and neither target, count, realm nor qop are looked at (issue 27 there)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.attacks.flask_httpauth import programs
from tests.attacks.flask_httpauth.programs import USER, app_of, challenge_of, credentials, digest_of, hashed
from watchword import Policy
from watchword.dropin import flask_httpauth as dropin
from watchword.stores import MemoryStore


@pytest.mark.parametrize("attack", programs.DIGEST, ids=lambda attack: attack.__name__)
def test_it_gets_nobody_in(attack: Any) -> None:
    assert not attack(dropin)


def test_a_replay_is_told_that_only_the_nonce_was_at_fault_and_the_view_does_not_run() -> None:
    app, fields = programs.captured(dropin, "/orders")
    again = app.test_client().get("/orders", headers=fields)
    assert challenge_of(again)["stale"] == "true"
    assert "hello" not in again.text


def test_a_nonce_ends() -> None:
    now = [1_000_000.0]
    policy = Policy(clock=lambda: now[0], attempts=None)
    client = app_of(digest_of(dropin, store=MemoryStore(clock=lambda: now[0]), policy=policy)).test_client()
    told = challenge_of(client.get("/"))
    now[0] += 301
    late = client.get("/", headers=credentials(told))
    assert challenge_of(late)["stale"] == "true"


def test_a_replay_at_another_worker_is_refused_where_they_share_a_store() -> None:
    store = MemoryStore()
    one, other = (app_of(digest_of(dropin, store=store)).test_client() for _ in range(2))
    fields = credentials(challenge_of(one.get("/")))
    assert [client.get("/", headers=fields).status_code for client in (one, other)] == [200, 401]


def test_a_nonce_of_the_applications_own_is_no_longer_good_when_its_use_is_forgotten() -> None:
    now = [1_000_000.0]
    policy = Policy(clock=lambda: now[0], attempts=None)
    auth = digest_of(dropin, store=MemoryStore(clock=lambda: now[0]), policy=policy)
    auth.generate_nonce(lambda: "always the same")
    auth.verify_nonce(lambda nonce: True)
    client = app_of(auth).test_client()
    fields = credentials(challenge_of(client.get("/")))
    assert client.get("/", headers=fields).status_code == 200
    for hours in (1, 12, 23):
        now[0] = 1_000_000.0 + hours * 3600
        assert client.get("/", headers=fields).status_code == 401


def test_a_nonce_that_the_application_takes_back_is_refused_though_it_was_good_before() -> None:
    good = ["n1"]
    auth = digest_of(dropin)
    auth.generate_nonce(lambda: "n1")
    auth.verify_nonce(lambda nonce: nonce in good)
    client = app_of(auth).test_client()
    told = challenge_of(client.get("/"))
    assert client.get("/", headers=credentials(told)).status_code == 200
    good.clear()
    assert client.get("/", headers=credentials(told, nc="00000002")).status_code == 401


@pytest.mark.parametrize("nonce", ["", "0" * 72, "f" * 72, "not hex", "a" * 4096, "\xff" * 8, "00" * 36 + " "])
def test_a_made_up_nonce_is_refused(nonce: str) -> None:
    client = app_of(digest_of(dropin)).test_client()
    told = challenge_of(client.get("/")) | {"nonce": nonce}
    assert client.get("/", headers=credentials(told)).status_code == 401


def test_a_nonce_in_another_spelling_is_no_nonce_of_ours() -> None:
    client = app_of(digest_of(dropin)).test_client()
    told = challenge_of(client.get("/"))
    for nonce in (told["nonce"].upper(), f" {told['nonce']}", f"{told['nonce'][:2]} {told['nonce'][2:]}"):
        assert client.get("/", headers=credentials(told | {"nonce": nonce})).status_code == 401


def test_the_name_that_the_view_sees_is_the_one_that_was_proven() -> None:
    """A second parser would take another one of two usernames, or the octets of one for other letters."""
    auth = dropin.HTTPDigestAuth()
    auth.get_password({"garçon": "x", USER: "y"}.get)
    client = app_of(auth).test_client()
    told = challenge_of(client.get("/"))
    fields = credentials(told, user="garçon", password="x")
    named = fields["Authorization"].replace('username="garçon"', "username*=UTF-8''gar%C3%A7on")
    assert client.get("/", headers={"Authorization": named}).text == "hello garçon"
    twice = fields["Authorization"].replace('username="garçon"', f"username*=UTF-8''gar%C3%A7on, username=\"{USER}\"")
    assert client.get("/", headers={"Authorization": twice}).status_code == 401


@pytest.mark.parametrize("stored", [None, "", 0])
def test_a_user_without_a_password_has_none_that_could_be_known(stored: Any) -> None:
    auth = dropin.HTTPDigestAuth()
    auth.get_password(lambda username: stored)
    client = app_of(auth).test_client()
    for password in ("", "None", "0"):
        fields = credentials(challenge_of(client.get("/")), password=password)
        assert client.get("/", headers=fields).status_code == 401


def test_a_stolen_hash_of_another_algorithm_is_no_secret() -> None:
    auth = digest_of(dropin, algorithm="SHA-256")
    client = app_of(auth).test_client()
    told = challenge_of(client.get("/"))
    assert told["algorithm"] == "SHA-256"
    fields = credentials(told, algorithm="MD5", ha1=hashed(f"{USER}:{told['realm']}:{programs.PASSWORD}"))
    assert client.get("/", headers=fields).status_code == 401
