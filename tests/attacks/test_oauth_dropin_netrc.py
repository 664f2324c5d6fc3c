"""CVE-2024-47081 (requests before 2.32.4): a URL such as http://trusted.example:@evil.example/ got the password of ~/.netrc for another host.

requests reads that file for every request without `auth`. No request of the drop-in's sessions is one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.origin import Seen, origin
from watchword.dropin.requests_oauthlib import OAuth1Session, OAuth2Session

TOKEN = {"access_token": "t", "token_type": "Bearer"}


def answer(seen: Seen) -> tuple[int, list[tuple[str, str]], bytes]:
    return 200, [], b'{"access_token": "t", "oauth_token": "t"}'


@pytest.fixture(autouse=True)
def passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login alice password n3trc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.mark.parametrize("userinfo", ["", "localhost:@"])
def test_no_request_has_a_password_of_the_user_s(userinfo: str) -> None:
    with origin(answer) as server:
        url = server.url.replace("//", f"//{userinfo}") + "/"
        with OAuth2Session("robot", token=TOKEN) as two:
            two.get(url)
            two.request("GET", url, withhold_token=True)
            if not userinfo:  # else it is no URL of a token endpoint
                two.fetch_token(url, client_secret="s", include_client_id=True)
        with OAuth1Session("printer", "s") as one:
            one.fetch_request_token(server.url)
            one.get(server.url, auth=one.auth)
        sent = [seen.field("authorization") or "" for seen in server.seen]
        assert len(sent) == (5 if not userinfo else 4)
        assert not [field for field in sent if field.startswith("Basic")]
