"""htpasswd and htdigest files: what is read of them, and what becomes of them while they are read."""

from __future__ import annotations

import os
import threading
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

from tests.examples_of import examples
from tests.schemes.digest_world import GUARDS, PASSWORD, USER, World
from watchword import (
    BasicVerifier, ConfigurationError, DigestAuth, Guard, Password, Policy, Reason, Rejected, Request, StoreUnavailable,
)  # fmt: skip
from watchword.core.records import COMMITTED, Put, Ref
from watchword.crypto.passwords import Decoy
from watchword.schemes.digest import DigestSecret, ha1
from watchword.stores import HtdigestStore, HtpasswdStore, MemoryStore, combine, files

SHA = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # of "secret"
BCRYPT = "$2y$05$wHi4O0PUgDuWzXg87zwGeOVrrG.h2Q3X/mNAQlQWMiWCpkC1gtPuC"  # of "pä:ss", by htpasswd
HA1 = "939e7578ed9e3c518a452acee763bce9"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def written(path: Path, content: str | bytes) -> Path:
    """The file with this content, in place as htpasswd does, with a time stamp that is not young."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    written.count += 1
    os.utime(path, ns=(written.count * 10**9, written.count * 10**9))
    return path


written.count = 1_000_000_000


def users(store: HtpasswdStore, *names: str) -> list[str | None]:
    refs = [Ref(Password, (name,)) for name in names]
    found = store.fetch(refs)
    return [record.encoded if (record := found.get(ref)) else None for ref in refs]


def digests(store: HtdigestStore, *places: tuple[str, str]) -> list[str | None]:
    refs = [Ref(DigestSecret, ("MD5", *place)) for place in places]
    found = store.fetch(refs)
    return [record.ha1 if (record := found.get(ref)) else None for ref in refs]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "users", f"alice:{SHA}\n")


def basic(username: str, password: str) -> Request:
    field = "Basic " + b64encode(f"{username}:{password}".encode()).decode()
    return Request("GET", "https", "api.example", "/", {"Authorization": field})


# ---- what is read ----------------------------------------------------------------------------------------------------


def test_lines_are_read_as_apache_reads_them(path: Path) -> None:
    lines = [
        b"\xef\xbb\xbfalice:" + SHA.encode(), b"", b"  # staff", b"#bob:x", b"\t carol:" + SHA.encode() + b" \r",
        b"dave:" + BCRYPT.encode() + b":Dave the Great:more", b"alice:second", b"nothing", b"empty:", b"\xff\xfe:hash",
        "josé:hash".encode(), "josé2:hash".encode("latin-1"), b"a b:hash", b":nameless", b"last:hash",
    ]  # fmt: skip
    store = HtpasswdStore(written(path, b"\n".join(lines)))
    names = ["alice", "carol", "dave", "josé", "a b", "", "last"]
    assert users(store, *names) == [SHA, SHA, BCRYPT, "hash", "hash", "nameless", "hash"]
    assert users(store, "bob", "#bob", "nothing", "empty", "josé2", "jos\u00e92", "\ufeffalice", "ALICE") == [None] * 8


def test_a_name_is_found_as_it_is_written_and_in_its_one_form(path: Path) -> None:
    store = HtpasswdStore(written(path, "Jose\u0301:nfd\n\uff41lice:wide\nalice:narrow\n²:never\n"))
    assert users(store, "Jose\u0301", "José", "\uff41lice", "alice", "²") == ["nfd", "nfd", "wide", "narrow", "never"]


def test_htdigest_lines_are_read_as_apache_reads_them(path: Path) -> None:
    lines = [
        f"alice:staff:{HA1.upper()}\r", f"alice:guests:{HA1}:more", f"alice:staff:{'0' * 32}", "bob:staff:short", "carol:staff",
        f"dave:a realm, too:{HA1}", f"#erin:staff:{HA1}", f"frank:staff:{HA1}0",
    ]  # fmt: skip
    store = HtdigestStore(written(path, "\n".join(lines)))
    places = [("staff", "alice"), ("guests", "alice"), ("a realm, too", "dave")]
    assert digests(store, *places) == [HA1] * 3
    assert digests(store, *(("staff", name) for name in ("bob", "carol", "erin", "#erin", "frank"))) == [None] * 5


def test_the_stores_say_which_kinds_they_hold_and_that_they_block(path: Path) -> None:
    assert Password in (HtpasswdStore(path).kinds or ())
    assert HtdigestStore(path).kinds == {DigestSecret}
    assert HtpasswdStore(path).blocking
    assert HtpasswdStore(path).fetch([]).get(Ref(Password, ("alice",))) is None
    assert repr(HtpasswdStore(path)) == f"HtpasswdStore({str(path)!r})"


def test_records_of_a_file_have_version_0_and_a_commit_is_refused(path: Path) -> None:
    """So that nobody makes a better hash at each log-in which then can't be kept."""
    ref = Ref(Password, ("alice",))
    for store in (HtpasswdStore(path), combine(HtpasswdStore(path), MemoryStore())):
        found = store.fetch([ref])
        assert (found.version(ref), found.get(ref) is not None) == (0, True)
        assert store.commit([]) == COMMITTED
        with pytest.raises(StoreUnavailable, match="only read: change it with htpasswd"):
            store.commit([Put(ref, found.get(ref))])


def test_the_decoy_is_a_hash_of_the_format_and_cost_that_most_lines_have(path: Path) -> None:
    def decoy() -> str | None:
        record = HtpasswdStore(path).fetch([ref := Ref(Decoy, ("password",))]).get(ref)
        return record.encoded if record else None

    assert decoy() == SHA
    dearer = BCRYPT.replace("$05$", "$06$")
    written(path, f"a:plain\nb:plain\nc:plain\nd:{SHA}\ne:{dearer}\nf:{BCRYPT}\ng:{BCRYPT}\n")
    assert decoy() == BCRYPT
    written(path, "a:plain\n")
    assert decoy() is None


@pytest.mark.parametrize("make", [HtpasswdStore, HtdigestStore])
def test_a_file_that_cant_be_read_is_a_configuration_error_that_says_how_to_make_one(make, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    cases = [
        (tmp_path / "none", "No such file"),
        (tmp_path, "a directory"),
        (fifo, "not a file"),
        ("a\0b", "ValueError"),
    ]
    for path, why in cases:
        with pytest.raises(ConfigurationError, match=f"{why}.*; make the file with ht(passwd|digest)"):
            make(path)


@examples(300, suppress=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text("aé:$#{}\r\n \0", max_size=80).map(str.encode), st.text(max_size=5))
@example(b"a:" + BCRYPT.replace("05", "31").encode(), "a")
def test_whatever_the_file_holds_it_is_read_and_read_again(path: Path, data: bytes, name: str) -> None:
    clock = Clock()
    stores = HtpasswdStore(path, clock=clock), HtdigestStore(path, clock=clock)
    written(path, data)
    refs = [Ref(Password, (name,)), Ref(DigestSecret, ("MD5", name, name)), Ref(Decoy, ("password",))]
    for _ in range(2):
        for store in (*stores, HtpasswdStore(path), HtdigestStore(path)):
            store.fetch(refs)
        clock.now += files.PATIENCE
    fresh, settled = HtpasswdStore(path), stores[0]
    assert fresh._content.records == settled._content.records


# ---- while it changes ------------------------------------------------------------------------------------------------


def test_a_change_is_seen_by_the_next_fetch_however_it_was_made(path: Path) -> None:
    store = HtpasswdStore(path)
    assert users(store, "alice", "bob") == [SHA, None]
    written(path, f"bob:{SHA}\n")  # in place
    assert users(store, "alice", "bob") == [None, SHA]
    other = written(path.with_name("new"), f"carol:{SHA}\n")
    status = path.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)  # another file of the same time
    assert users(store, "bob", "carol") == [None, SHA]


def test_changes_within_one_tick_of_the_clock_are_seen_too(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text(f"user0:{SHA}\n")
    store = HtpasswdStore(path)
    for number in range(1, 10):
        path.write_text(f"user{number}:{SHA}\n")  # of the same size
        assert users(store, f"user{number}", f"user{number - 1}") == [SHA, None]


def test_an_unchanged_file_is_not_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = HtpasswdStore(path)
    monkeypatch.setattr(store, "_read", None)  # calling it would be a TypeError
    assert users(store, "alice") == [SHA]


HALF = {
    "empty": lambda path: written(path, ""),
    "cut in a hash": lambda path: written(path, f"bob:{SHA}\nalice:{SHA[:20]}"),
    "cut in a name": lambda path: written(path, f"bob:{SHA}\nali"),
    "gone": lambda path: path.unlink(),
    "unreadable": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("state", HALF)
def test_while_a_file_is_half_written_what_it_held_before_holds_and_then_the_new(path: Path, state: str) -> None:
    clock = Clock()
    store = HtpasswdStore(path, clock=clock)
    HALF[state](path)
    assert users(store, "alice", "bob") == [SHA, None]
    clock.now += files.PATIENCE * 0.9
    assert users(store, "alice", "bob") == [SHA, None]
    if path.is_dir():
        path.rmdir()
    written(path, f"bob:{SHA}\n")
    assert users(store, "alice", "bob") == [None, SHA]


@pytest.mark.parametrize("state", ["gone", "unreadable"])
def test_a_file_that_stays_away_fails_closed_and_its_return_is_seen_at_once(path: Path, state: str) -> None:
    clock = Clock()
    store = HtpasswdStore(path, clock=clock)
    HALF[state](path)
    assert users(store, "alice") == [SHA]
    clock.now += files.PATIENCE
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="No such file|not a file|Is a directory"):
            users(store, "alice")
    if path.is_dir():
        path.rmdir()
    written(path, f"bob:{SHA}\n")
    assert users(store, "alice", "bob") == [None, SHA]


@pytest.mark.parametrize(
    ("state", "then"), [("empty", [None, None]), ("cut in a hash", [SHA[:20], SHA]), ("cut in a name", [None, SHA])]
)
def test_a_file_that_stays_as_it_is_is_believed(path: Path, state: str, then: list[str | None]) -> None:
    clock = Clock()
    store = HtpasswdStore(path, clock=clock)
    HALF[state](path)
    assert users(store, "alice") == [SHA]
    clock.now += files.PATIENCE
    assert users(store, "alice", "bob") == then
    written(path, "")  # doubt begins anew, as long as there was somebody
    assert users(store, "alice", "bob") == then


def test_a_last_line_that_is_whole_needs_no_line_end(path: Path) -> None:
    store = HtpasswdStore(path)
    written(path, f"bob:{SHA}\n# the end")
    assert users(store, "alice", "bob") == [None, SHA]
    written(path, f"carol:{SHA}")
    assert users(store, "bob", "carol") == [None, SHA]
    digest = HtdigestStore(path)
    written(path, f"a:r:{HA1}")
    assert digests(digest, ("r", "a")) == [HA1]


def test_a_file_that_is_never_done_changing_fails_closed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    store = HtpasswdStore(path, clock=clock)
    real, sizes = files._stamp, iter(range(1000))
    monkeypatch.setattr(files, "_stamp", lambda status: (*real(status), next(sizes)))
    assert users(store, "alice") == [SHA]
    clock.now += files.PATIENCE
    with pytest.raises(StoreUnavailable, match="it changed while it was read"):
        users(store, "alice")


def test_a_file_that_is_too_large_is_as_good_as_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE", 100)
    clock = Clock()
    store = HtpasswdStore(path, clock=clock)
    written(path, f"bob:{SHA}\n" * 10)
    assert users(store, "alice", "bob") == [SHA, None]
    clock.now += files.PATIENCE
    with pytest.raises(StoreUnavailable, match="larger than 100 octets"):
        users(store, "alice")


def test_readers_never_miss_a_user_while_another_thread_rewrites_the_file_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "users"
    whole = f"first:{SHA}\n" + "".join(f"user{number}:{SHA}\n" for number in range(200)) + f"last:{SHA}"
    path.write_text(whole)
    store = HtpasswdStore(path, clock=Clock())  # it stands still: a slow machine must not end the patience
    missed: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                if users(store, "first") != [SHA]:
                    missed.append(users(store, "first"))
            except Exception as error:
                missed.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for _ in range(60):
        with path.open("w") as file:
            for start in range(0, len(whole), 1000):
                file.write(whole[start : start + 1000])
                file.flush()
    done.set()
    for reader in readers:
        reader.join()
    assert missed == []
    assert users(store, "last") == [SHA]


def test_a_forked_child_reads_although_a_thread_held_the_lock(path: Path) -> None:
    store = HtpasswdStore(path)
    with store._lock:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                written(path, f"bob:{SHA}\n")
                code = 7 if users(store, "bob") == [SHA] else 2
            finally:
                os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


# ---- through a guard -------------------------------------------------------------------------------------------------


def test_a_guard_admits_the_users_of_an_htpasswd_file_and_nobody_else(path: Path) -> None:
    written(path, f"alice:{SHA}\nbob:{BCRYPT}\nplain:secret\n")
    guard = Guard([BasicVerifier(realm="staff")], combine(HtpasswdStore(path), MemoryStore()))
    assert guard.verify(basic("alice", "secret")).subject == "alice"
    assert guard.verify(basic("bob", "pä:ss")).subject == "bob"
    for name, password, reason in [
        ("alice", "pä:ss", Reason.WRONG_SECRET), ("plain", "secret", Reason.WRONG_SECRET),
        ("mallory", "secret", Reason.UNKNOWN_SUBJECT),
    ]:  # fmt: skip
        with pytest.raises(Rejected) as caught:
            guard.verify(basic(name, password))
        assert caught.value.reason is reason


@pytest.mark.parametrize("guard", GUARDS)
def test_a_digest_guard_takes_an_htdigest_file_together_with_a_memory(path: Path, guard: str) -> None:
    written(path, f"alice:staff:{ha1('MD5', 'alice', 'staff', 'secret')}\n")
    world = World(guard, realm="staff", algorithms=["MD5"])
    world.guard = type(world.guard)(
        [world.verifier], combine(HtdigestStore(path), world.store), policy=Policy(clock=lambda: world.now)
    )
    assert [world.get(DigestAuth("alice", password)) for password in ("secret", "guess")] == [200, 401]
    assert world.get(DigestAuth(USER, PASSWORD)) == 401, "the memory is not asked for users"
