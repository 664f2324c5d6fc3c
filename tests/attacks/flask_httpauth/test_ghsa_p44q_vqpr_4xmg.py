"""GHSA-p44q-vqpr-4xmg (CVE-2026-34531, Flask-HTTPAuth): no token at all is handed to the application as the token ""."""

from __future__ import annotations

import pytest

from tests.attacks.flask_httpauth.programs import WITHOUT_A_TOKEN, app_of, come_without_a_token
from watchword.dropin import flask_httpauth as dropin


def test_nobody_with_an_empty_token_is_found() -> None:
    assert not come_without_a_token(dropin)


@pytest.mark.parametrize("header", [None, "Authorization", "X-API-Key"])
@pytest.mark.parametrize("optional", [False, True])
def test_the_callback_is_not_even_asked(header: str | None, optional: bool) -> None:
    asked: list[str] = []
    auth = dropin.HTTPTokenAuth(header=header)

    @auth.verify_token
    def verify(token: str) -> str:
        asked.append(token)
        return "bob"

    client = app_of(auth, optional=optional).test_client()
    many = app_of(dropin.MultiAuth(dropin.HTTPBasicAuth(), auth), optional=optional).test_client()
    for fields in WITHOUT_A_TOKEN:
        for answer in (client.get("/", headers=fields), many.get("/", headers=fields)):
            assert answer.status_code == (200 if optional else 401)
            assert "bob" not in answer.text
    assert asked == []


def test_a_class_that_finds_its_tokens_elsewhere_hands_over_no_empty_one() -> None:
    class InTheQuery(dropin.HTTPTokenAuth):
        def get_auth(self):
            from flask import request
            from werkzeug.datastructures import Authorization

            return Authorization("Bearer", None, request.args.get("token", ""))

    auth = InTheQuery()
    auth.verify_token({"": "bob", "t0ken": "alice"}.get)
    client = app_of(auth).test_client()
    assert [client.get(path).status_code for path in ("/", "/?token=", "/?token=t0ken")] == [401, 401, 200]
