"""Who exists is not told: an unknown user costs one password hash of the same price and gets the same octets."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from watchword import AsyncGuard, BasicVerifier, Guard, Password, Reason, Rejected, Request
from watchword.core.records import Put, Ref
from watchword.crypto import passwords
from watchword.crypto.passwords import Decoy, decoy_for
from watchword.stores import HtpasswdStore, MemoryStore, combine


@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
@pytest.mark.parametrize("password", ["guess", "", "x" * 512])
def test_both_cost_one_hash_of_the_same_price_and_get_the_same_octets(
    kind: Any, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: a clock would only show the noise of the machine."""
    store = MemoryStore()
    store.commit([Put(Ref(Password, ("known",)), Password.hash("secret"))])
    guard = kind([BasicVerifier(realm="orders")], store)
    work: list[tuple[str, int]] = []
    matches = passwords._matches

    def counted(encoded: str, octets: bytes, *known: Any) -> bool:
        work.append((encoded.rpartition("$")[0].rpartition("$")[0], len(octets)))
        return matches(encoded, octets, *known)

    monkeypatch.setattr(passwords, "_matches", counted)
    seen = []
    for name in ("known", "other"):
        work.clear()
        value = b"Basic " + b64encode(f"{name}:{password}".encode())
        asked = Request("GET", "https", "api.example", "/", [(b"authorization", value)])
        with pytest.raises(Rejected) as caught:
            guard.verify(asked) if kind is Guard else asyncio.run(guard.verify(asked))
        assert caught.value.refusal is not None
        response = caught.value.refusal.response()
        seen.append((list(work), response.status, response.headers))
        assert caught.value.reason is (Reason.WRONG_SECRET if name == "known" else Reason.UNKNOWN_SUBJECT)
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 1


def test_a_password_that_nobody_can_have_is_refused_before_anybody_is_looked_up() -> None:
    class Untouched:
        kinds = None
        blocking = False

        def fetch(self, refs: object) -> object:
            raise AssertionError("looked up")

        commit = fetch

    guard = Guard([BasicVerifier(realm="orders")], Untouched())  # type: ignore[arg-type]
    value = b"Basic " + b64encode(b"known:" + b"x" * 513)
    with pytest.raises(Rejected) as caught:
        guard.verify(Request("GET", "https", "api.example", "/", [(b"authorization", value)]))
    assert caught.value.reason is Reason.MALFORMED_CREDENTIALS


SHA = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # of "secret"
BCRYPT = "$2y$05$wHi4O0PUgDuWzXg87zwGeOVrrG.h2Q3X/mNAQlQWMiWCpkC1gtPuC"


def htpasswd(path: Path) -> Any:
    file = path / "users"
    file.write_text(f"known:{BCRYPT}\nbob:{BCRYPT}\nold:{SHA}\n")
    return combine(HtpasswdStore(file), MemoryStore())


def table(path: Path) -> Any:
    """An application that brought its hashes along, and says what they cost."""
    store = MemoryStore()
    decoy = decoy_for([BCRYPT])
    assert decoy
    store.commit([Put(Ref(Password, ("known",)), Password(BCRYPT)), Put(Ref(Decoy, ("password",)), decoy)])
    return store


@pytest.mark.parametrize("make", [htpasswd, table])
@pytest.mark.parametrize("kind", [Guard, AsyncGuard])
def test_where_most_hashes_are_bcrypt_an_unknown_user_costs_the_same_bcrypt(
    kind: Any, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work: list[str] = []
    matches = passwords._matches
    monkeypatch.setattr(
        passwords, "_matches", lambda encoded, *rest: work.append(encoded[:7]) or matches(encoded, *rest)
    )
    guard = kind([BasicVerifier(realm="orders")], make(tmp_path))
    for name, password in (("known", "guess"), ("other", "guess"), ("other", "pä:ss")):  # the last one is a known one's
        value = b"Basic " + b64encode(f"{name}:{password}".encode())
        asked = Request("GET", "https", "api.example", "/", [(b"authorization", value)])
        with pytest.raises(Rejected) as caught:
            guard.verify(asked) if kind is Guard else asyncio.run(guard.verify(asked))
        assert caught.value.reason is (Reason.WRONG_SECRET if name == "known" else Reason.UNKNOWN_SUBJECT)
    assert work == ["$2y$05$"] * 3
