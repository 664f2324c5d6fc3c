"""CVE-2026-118669 (oauthlib before 4.0.0): a server authenticated one client and gave it the rights of the one that the form named.

The drop-in for requests-oauthlib makes no such request, and our token endpoint answers none.
"""

from __future__ import annotations

import pytest
import requests
from requests.auth import HTTPBasicAuth

from tests.clients.origin import ok, origin
from watchword import ConfigurationError
from watchword.dropin.requests_oauthlib import BackendApplicationClient, OAuth2Session
from watchword.testing import LoopbackIssuer


@pytest.mark.parametrize("auth", [("low", "s"), HTTPBasicAuth("low", "s"), HTTPBasicAuth(b"low", b"s")])
def test_the_session_names_one_client(auth) -> None:
    with origin(ok) as server, OAuth2Session(client=BackendApplicationClient("high")) as session:
        with pytest.raises(ConfigurationError, match="two clients"):
            session.fetch_token(server.url, auth=auth, include_client_id=True)
        assert not server.seen


def test_a_server_of_ours_believes_no_request_that_names_two() -> None:
    with LoopbackIssuer() as issuer:
        issuer.add_client("low", "secret of low", scopes=["read"])
        issuer.add_client("high", "secret of high", scopes=["read", "admin"])
        for name, scope, status in (("high", "admin", 400), ("high", "read", 400), ("low", "read", 200)):
            form = {"grant_type": "client_credentials", "client_id": name, "scope": scope}
            answer = requests.post(issuer.token_url, data=form, auth=("low", "secret of low"), timeout=30)
            assert (answer.status_code, "access_token" in answer.json()) == (status, status == 200), answer.text
