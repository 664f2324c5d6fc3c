"""Files that Apache's own programs write, in every format that they offer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.interop.conftest import program
from watchword import Reason, Rejected
from watchword.core.records import Ref
from watchword.crypto.passwords import Password, verify_password
from watchword.schemes.digest import DigestSecret, ha1
from watchword.stores import HtdigestStore, HtpasswdStore

SECRET = "pä:ss"
# The options of htpasswd 2.4.
VERIFIED = {"apr1": ["-m"], "bcrypt": ["-B"], "bcrypt of cost 8": ["-B", "-C", "8"], "SHA": ["-s"]}
VERIFIED |= {"SHA-256": ["-2"], "SHA-512": ["-5"], "SHA-512 of 10,000 rounds": ["-5", "-r", "10000"]}
REFUSED = {"DES": (["-d"], "DES crypt"), "plain text": (["-p"], "no format that is known")}


def stored(path: Path, *options: str) -> str:
    """What a store finds after `htpasswd` has added alice."""
    path.write_text("# staff\n")
    store = HtpasswdStore(path)
    command = [program("htpasswd"), "-b", *options, str(path), "alice", SECRET]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    record = store.fetch([ref := Ref(Password, ("alice",))]).get(ref)
    assert record is not None
    return record.encoded


@pytest.mark.parametrize("name", VERIFIED)
def test_what_htpasswd_writes_is_verified(tmp_path: Path, name: str) -> None:
    encoded = stored(tmp_path / "users", *VERIFIED[name])
    verify_password(encoded, SECRET)
    with pytest.raises(Rejected):
        verify_password(encoded, SECRET + "!")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_protection_is_refused_and_said(tmp_path: Path, name: str) -> None:
    options, why = REFUSED[name]
    with pytest.raises(Rejected) as caught:
        verify_password(stored(tmp_path / "users", *options), SECRET)
    assert caught.value.reason is Reason.WRONG_SECRET
    assert why in caught.value.rejection.detail


def test_what_htdigest_writes_is_the_digest_secret(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("")
    store = HtdigestStore(path)
    # It asks twice, at a terminal or, without one, on its input.
    subprocess.run(
        ["setsid", program("htdigest"), str(path), "a realm", "alice"],
        input=f"{SECRET}\n{SECRET}\n", text=True, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    record = store.fetch([ref := Ref(DigestSecret, ("MD5", "a realm", "alice"))]).get(ref)
    assert record is not None
    assert record.ha1 == ha1("MD5", "alice", "a realm", SECRET)
