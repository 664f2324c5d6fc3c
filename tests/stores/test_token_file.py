"""`TokenFile`: one refresh among all processes, nothing lost to a kill, and nobody else reads it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oauth_world import World
from tests.patience import PATIENCE
from watchword import ConfigurationError, StoreUnavailable, TokenFile
from watchword.oauth.token_response import AccessToken
from watchword.oauth.tokens import NO_RECORD, Intent, Record, TokenKey
from watchword.testing import Clock, LoopbackIssuer

PROGRAM = Path(__file__).parents[1] / "oauth" / "processes.py"
KEY = TokenKey("https://id.example", "shop", ("resource=https://api.example/",), ("read",), "alice")
TOKEN = AccessToken("the-access-token", 1000.0, 970.0, ("read",), 700.0, "the-refresh-token", "alice")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


@pytest.fixture
def issuer() -> Iterator[LoopbackIssuer]:
    with LoopbackIssuer(clock=Clock(time.time())) as made:
        made.add_client("shop", "a long random secret", redirect_uris=["http://127.0.0.1:1/callback"])
        yield made


def program(*arguments: object) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# ---- among processes ---------------------------------------------------------------------------------------------------------


def test_8_processes_with_32_threads_and_200_tasks_make_one_refresh(issuer: LoopbackIssuer, path: Path) -> None:
    issuer.settings.lifetime = 0.0
    program("killed", issuer.url, path, "", "", 0)  # logs in, and nobody is killed
    issuer.settings.lifetime = 300.0
    program("together", issuer.url, path)
    assert issuer.grants.refreshed == ["shop"]
    assert issuer.grants.ended == []
    assert sorted(each.name for each in path.parent.iterdir()) == ["tokens.json", "tokens.json.lock"]


@pytest.mark.parametrize("rounds", [4, pytest.param(50, marks=pytest.mark.sweep)])
@pytest.mark.parametrize("grace", [False, True], ids=["without grace", "with grace"])
@pytest.mark.parametrize("place", ["before sending", "before the answer", "before saving"])
def test_a_program_that_is_killed_ends_nobodys_log_in(
    issuer: LoopbackIssuer, path: Path, place: str, grace: bool, rounds: int
) -> None:
    issuer.settings.grace, issuer.settings.lifetime = grace, 0.0
    again = program("killed", issuer.url, path, place, "retry" if grace else "no retry", rounds)
    assert issuer.grants.ended == []
    assert int(again) == (
        0 if grace else rounds
    )  # nobody can know, so somebody logs in; with grace it is sent once more


# ---- the file ------------------------------------------------------------------------------------------------------------------


def test_what_is_kept_is_there_for_the_next_program(path: Path) -> None:
    record = Record(TOKEN, Intent("hash", 1, 900.0), 1)
    assert TokenFile(path).save(KEY, record)
    assert TokenFile(path).load(KEY) == record
    assert TokenFile(path).kept() == [KEY]
    assert TokenFile(path).load(KEY._replace(owner="bob")) == NO_RECORD


def test_a_record_follows_on_the_one_that_is_there(path: Path) -> None:
    tokens = TokenFile(path)
    assert not tokens.save(KEY, Record(TOKEN, None, 2))
    assert tokens.save(KEY, Record(TOKEN, None, 1))
    assert not tokens.save(KEY, Record(None, None, 1))
    assert tokens.save(KEY, Record(None, None, 2))
    assert tokens.kept() == []


def test_nobody_else_may_read_it_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        tokens = TokenFile(path)
        tokens.save(KEY, Record(TOKEN, None, 1))
        lease = tokens.lease(KEY)
        assert lease.take()
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        lease.close()
    finally:
        os.umask(before)
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_one_that_others_may_read_or_write_is_refused(path: Path, mode: int) -> None:
    tokens = TokenFile(path)
    tokens.save(KEY, Record(TOKEN, None, 1))
    path.chmod(mode)
    for verb in (lambda: tokens.load(KEY), lambda: tokens.save(KEY, Record(None, None, 2)), tokens.kept):
        with pytest.raises(ConfigurationError, match="chmod 600"):
            verb()


@pytest.mark.parametrize(
    "octets",
    [b"", b"{}", b"[]", b'{"form":2,"tokens":{}}', b"\xff", b'{"form":1,"tokens":{"a":{"token":"the-refresh-token"}}}'],
)
def test_what_is_no_file_of_ours_is_left_alone_and_shows_nothing(path: Path, octets: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(octets)
    tokens = TokenFile(path)
    for verb in (lambda: tokens.load(KEY), lambda: tokens.save(KEY, Record(None, None, 1))):
        with pytest.raises(StoreUnavailable, match="no file of tokens") as caught:
            verb()
        assert "the-refresh-token" not in str(caught.value) + repr(caught.value.__context__)
    assert path.read_bytes() == octets


def test_a_link_is_not_followed(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere.json")
    with pytest.raises(StoreUnavailable, match="can't be read"):
        TokenFile(path).load(KEY)


def test_without_a_folder_it_says_so(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder"):
        TokenFile(path.parent / "nowhere" / "tokens.json")


def test_a_home_is_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(path.parent))
    TokenFile("~/tokens.json").save(KEY, Record(TOKEN, None, 1))
    assert path.is_file()


def test_it_shows_its_place_and_no_token(path: Path) -> None:
    tokens = TokenFile(path)
    tokens.save(KEY, Record(TOKEN, None, 1))
    shown = repr(tokens) + repr(tokens.load(KEY)) + repr(tokens.load(KEY).token)
    assert str(path) in shown
    assert "the-access-token" not in shown and "the-refresh-token" not in shown


# ---- the lease ----------------------------------------------------------------------------------------------------------------


def test_one_has_the_lease_and_the_next_one_after_it(path: Path) -> None:
    first, second = TokenFile(path).lease(KEY), TokenFile(path).lease(KEY)
    other = TokenFile(path).lease(KEY._replace(owner="bob"))
    assert first.take() and other.take()
    assert not second.take()
    first.close()
    assert second.take()
    second.close()
    other.close()
    assert list(path.parent.iterdir()) == []


def test_who_has_given_up_takes_nothing(path: Path) -> None:
    """A thread may still be at it that nobody waits for, since the task was cancelled."""
    lease = TokenFile(path).lease(KEY)
    lease.close()
    assert not lease.take()
    assert TokenFile(path).lease(KEY).take()


def test_a_lock_file_that_was_removed_meanwhile_is_not_the_lock(path: Path) -> None:
    first = TokenFile(path).lease(KEY)
    assert first.take()
    (lock,) = path.parent.iterdir()
    lock.unlink()
    second = TokenFile(path).lease(KEY)
    assert second.take()
    first.close()
    second.close()


def test_a_flow_that_ends_in_the_middle_leaves_the_lease(path: Path) -> None:
    world = World()
    auth = world.auth(tokens=TokenFile(path))
    world.log_in(auth)
    world.clock.advance(299)
    world.issuer.reply = lambda request, body=b"": (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        world.perform(auth.log_in())
    assert TokenFile(path).lease(auth._key).take()
