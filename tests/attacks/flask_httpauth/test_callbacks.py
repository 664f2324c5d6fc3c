"""What a callback of the application gives is taken for a user, or shown to one, though it is none."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attacks.flask_httpauth import programs
from tests.attacks.flask_httpauth.programs import app_of, basic, digest_of
from watchword.dropin import flask_httpauth as dropin
from watchword.dropin.flask_httpauth import _basic


@pytest.mark.parametrize("attack", programs.CALLBACKS, ids=lambda attack: attack.__name__)
def test_it_gets_nobody_in(attack: Any) -> None:
    assert not attack(dropin)


def test_malformed_credentials_are_not_anonymous() -> None:
    asked = []
    auth = dropin.HTTPBasicAuth()

    @auth.verify_password
    def verify(username, password):
        asked.append(username)
        return username == "" or None

    client = app_of(auth).test_client()
    malformed = [b"\x00:x", b"alice", b"alice\n:x"]
    values = ["Basic", "Basic ", "Basic !", "Basic QQ", "Basic QR==", "Basic QTo= QTo=", "Basic " + "QTpB" * 4000]
    for value in [*values, *(f"Basic {b64encode(octets).decode()}" for octets in malformed)]:
        assert client.get("/", headers={"Authorization": value}).status_code == 401
    assert asked == []
    assert client.get("/").status_code == 200


def test_usernames_are_not_told_apart_by_the_work_that_a_password_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Since 3.3.0 Flask-HTTPAuth compares in constant time where there is a password, and not at all where there is none."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(_basic, "compare", compare)
    auth = dropin.HTTPBasicAuth()
    auth.get_password({"alice": "open sesame"}.get)
    client = app_of(auth).test_client()
    for user in ("alice", "nobody"):
        assert client.get("/", headers=basic(user, "open-sesame")).status_code == 401
    assert compared == [(11, 11), (11, 11)]


def clients() -> list[Any]:
    by_password, stored, by_token, in_a_field = (
        dropin.HTTPBasicAuth(), dropin.HTTPBasicAuth("xBasic"), dropin.HTTPTokenAuth(), dropin.HTTPTokenAuth(header="X-Key"),
    )  # fmt: skip
    by_password.verify_password(lambda username, password: None)
    stored.get_password({"é": "è"}.get)
    stored.hash_password(lambda password: password[::-1])
    by_token.verify_token(lambda token: None)
    in_a_field.verify_token(lambda token: None)
    all_of_them = dropin.MultiAuth(by_token, by_password, digest_of(dropin), in_a_field)
    singles = [by_password, stored, by_token, in_a_field, digest_of(dropin), digest_of(dropin, qop=None), all_of_them]
    return [app_of(auth).test_client() for auth in singles]


CLIENTS = clients()
WORDS = ["Basic ", "basic ", "Digest ", "Bearer ", "xBasic ", 'Digest username="a", realm="', "", " "]


@given(st.sampled_from(WORDS), st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n"), max_size=60))
def test_no_field_is_an_error_of_the_server_or_gets_anybody_in(word: str, rest: str) -> None:
    for client in CLIENTS:
        environ = {"HTTP_AUTHORIZATION": word + rest, "HTTP_X_KEY": rest}
        assert client.get("/", environ_overrides=environ).status_code == 401


@given(st.binary(max_size=40))
def test_no_basic_credentials_are_an_error_of_the_server(octets: bytes) -> None:
    for client in CLIENTS:
        value = {"Authorization": f"Basic {b64encode(octets).decode()}"}
        assert client.get("/", headers=value).status_code == 401
