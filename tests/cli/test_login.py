"""`watchword login` and `watchword token`, as a shell sees them, with an issuer over sockets and a browser that a test moves."""

from __future__ import annotations

import http.client
import json
import stat
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.conftest import Done
from tests.oauth_world import browse
from watchword.cli.loopback import Loopback
from watchword.testing import Clock, LoopbackIssuer, Misbehaviour

Run = Callable[..., Done]
DESK = ("--client-id", "desk", "--scope", "openid", "--scope", "read")


@pytest.fixture
def issuer() -> Iterator[LoopbackIssuer]:
    with LoopbackIssuer(clock=Clock(time.time())) as made:
        made.add_client("desk", redirect_uris=["http://127.0.0.1/callback"])
        yield made


@pytest.fixture
def run(shell: Run, monkeypatch: pytest.MonkeyPatch, place: Path) -> Run:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place / "settings"))
    monkeypatch.delenv("WATCHWORD_TOKENS", raising=False)

    def checked(*arguments: str, status: int = 0) -> Done:
        done = shell(*arguments)
        assert done.returncode == status, done.stderr
        return done

    return checked


@pytest.fixture
def visited(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """A browser that goes where it is sent; the answers of the last place, as status and text."""
    answers: list[tuple[int, str]] = []

    def go(url: str) -> bool:
        def visit() -> None:
            answers.append(fetched(browse(url)))

        threading.Thread(target=visit).start()
        return True

    monkeypatch.setattr(webbrowser, "open", go)
    return answers


def fetched(url: str, host: str | None = None) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers={} if host is None else {"Host": host})
        answer = connection.getresponse()
        assert answer.getheader("Cache-Control") == "no-store"
        assert answer.getheader("Content-Type") == "text/plain; charset=utf-8"
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.usefixtures("visited")
def test_a_person_logs_in_and_the_token_is_there_for_the_next_command(
    run: Run, issuer: LoopbackIssuer, place: Path
) -> None:
    done = run("login", issuer.url, *DESK)
    assert done.stdout == ""
    assert f"logged in as alice at {issuer.url}" in done.stderr
    token = run("token", "get").stdout.strip()
    assert token.count(".") == 2
    assert token not in done.stderr
    file = place / "settings" / "watchword" / "tokens.json"
    assert [stat.S_IMODE(each.stat().st_mode) for each in (file, file.parent)] == [0o600, 0o700]
    assert run("token", "get", issuer.url, "--client-id", "desk").stdout.strip() == token


def test_the_browser_is_told_to_close_and_its_port_is_another_each_time(
    run: Run, issuer: LoopbackIssuer, visited: list[tuple[int, str]]
) -> None:
    ports = set()
    for _ in range(2):
        shown = run("login", issuer.url, *DESK).stderr
        query = parse_qs(urlsplit(shown.split("open ")[1].split("\n")[0]).query)
        ports.add(urlsplit(query["redirect_uri"][0]).port)
    assert len(ports) == 2
    assert visited == [(200, "You can close this window and go back to the terminal.\n")] * 2


@pytest.mark.usefixtures("visited")
def test_a_token_that_ends_is_refreshed_once(run: Run, issuer: LoopbackIssuer) -> None:
    issuer.settings.lifetime = 0.0
    run("login", issuer.url, *DESK)
    assert json.loads(run("token", "list", "--json").stdout)[0]["state"] == "to be refreshed"
    issuer.settings.lifetime = 300.0
    first, second = (run("token", "get").stdout for _ in range(2))
    assert first == second
    assert issuer.grants.refreshed == ["desk"]


@pytest.mark.usefixtures("visited")
def test_what_there_is_is_shown_without_a_token(run: Run, issuer: LoopbackIssuer) -> None:
    run("login", issuer.url, *DESK, "--owner", "me", "--resource", "https://api.example/")
    token = run("token", "get").stdout.strip()
    (row,) = json.loads(run("token", "list", "--json").stdout)
    assert row["expires"].endswith("Z")
    assert {**row, "expires": ""} == {
        "issuer": issuer.url, "client": "desk", "owner": "me", "scopes": ["openid", "read"],
        "target": ["resource=https://api.example/"], "subject": "alice", "expires": "", "state": "good",
    }  # fmt: skip
    assert json.loads(run("token", "inspect", "--json").stdout) == row
    shown = run("token", "inspect").stdout + run("token", "list").stdout
    assert "scopes: openid read" in shown
    assert token not in shown


@pytest.mark.usefixtures("visited")
def test_a_token_is_given_back(run: Run, issuer: LoopbackIssuer) -> None:
    run("login", issuer.url, *DESK)
    run("token", "revoke")
    assert len(issuer.grants.revoked) == 1
    assert "there is no such token" in run("token", "get", status=1).stderr
    assert json.loads(run("token", "list", "--json").stdout) == []


@pytest.mark.usefixtures("visited")
def test_of_several_tokens_it_has_to_be_said_which(run: Run, issuer: LoopbackIssuer) -> None:
    for owner in ("alice", "bob"):
        issuer.settings.person = owner
        run("login", issuer.url, *DESK, "--owner", owner)
    assert "several tokens are meant" in run("token", "get", status=2).stderr
    assert run("token", "get", "--owner", "bob").stdout != run("token", "get", "--owner", "alice").stdout


def test_a_device_needs_no_browser_and_a_secret_comes_from_a_file(
    run: Run, issuer: LoopbackIssuer, place: Path
) -> None:
    issuer.settings.device_interval = 1
    issuer.add_client("tv", "a long random secret")
    (place / "secret").write_text("a long random secret\n")
    options = ("--client-id", "tv", "--client-secret-file", "secret", "--tokens", "tokens.json")
    done = run("login", issuer.url, "--device", *options)
    assert f"open {issuer.url}/enter?user_code=" in done.stderr
    assert run("token", "get", *options).stdout.strip()
    issuer.settings.lifetime = 0.0
    issuer.settings.denies = True
    assert "access_denied" in run("login", issuer.url, "--device", *options, status=1).stderr
    assert run("token", "get", *options).stdout.strip()  # what was there stays
    assert (
        "can't be read"
        in run("token", "get", "--client-secret-file", "nowhere", "--tokens", "tokens.json", status=2).stderr
    )


def test_who_says_no_is_told_so_and_who_does_not_come_back_is_not_waited_for(
    run: Run, issuer: LoopbackIssuer, visited: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.settings.denies = True
    assert "access_denied" in run("login", issuer.url, *DESK, status=1).stderr
    with issuer.misbehaving(Misbehaviour.WRONG_ISSUER, "authorize"):
        assert "RFC 9207" in run("login", issuer.url, *DESK, status=1).stderr
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    done = run("login", issuer.url, *DESK, "--timeout", "1s", status=1)
    assert "no browser could be opened" in done.stderr
    assert "the browser was not back within 1 s" in done.stderr
    assert "browser could" not in run("login", issuer.url, *DESK, "--timeout", "1s", "--no-browser", status=1).stderr
    assert "longer than nothing" in run("login", issuer.url, *DESK, "--timeout", "0", status=2).stderr


def test_what_cannot_be_used_says_so(run: Run) -> None:
    assert "issuer is an http(s) URL" in run("login", "id.example", "--client-id", "desk", status=2).stderr
    assert "in the clear" in run("login", "http://id.example", "--client-id", "desk", status=2).stderr
    assert "there is no folder" in run("token", "list", "--tokens", "nowhere/tokens.json", status=2).stderr


def test_only_the_answer_to_this_log_in_ends_the_waiting() -> None:
    with Loopback() as loopback:
        base, host = loopback.redirect_uri, urlsplit(loopback.redirect_uri).netloc
        assert fetched(f"{base}?state=early")[0] == 400
        got: list[str | None] = []
        loopback.expect("right")
        waiter = threading.Thread(target=lambda: got.append(loopback.wait(300)))
        waiter.start()
        for url, named, status in (
            (f"{base}?state=wrong&code=evil", host, 400),
            (f"{base}?code=evil", host, 400),
            (base.replace("/callback", "/favicon.ico") + "?state=right", host, 404),
            (f"{base}?state=right&code=evil", "rebound.example", 404),
        ):
            assert fetched(url, named)[0] == status
        assert got == []
        assert fetched(f"{base}?code=c0de&state=right")[0] == 200
        waiter.join()
        assert got == [f"{base}?code=c0de&state=right"]
