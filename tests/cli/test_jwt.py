"""`watchword jwt`: exit status and output, as a shell sees them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Done
from tests.crypto.test_key_texts import KEYS, certificate, private, ssh_line
from watchword import JWTVerifier, Key, KeySet
from watchword.crypto import jose

Run = Callable[..., "Done"]
SECRET = "a secret that no output may show, 32+"


@pytest.fixture
def run(shell: Callable[..., Done]) -> Run:
    def run(*arguments: str, stdin: str = "") -> Done:
        done = shell("jwt", *arguments, stdin=stdin.encode())
        assert SECRET not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def key(tmp_path: Path) -> Key:
    made = Key.generate("ES256", key_id="k1")
    (tmp_path / "private.json").write_text(json.dumps(made.to_jwk(private=True)))
    (tmp_path / "public.json").write_text(json.dumps(made.to_jwk()))
    (tmp_path / "set.json").write_text(json.dumps(KeySet([made, Key.generate("EdDSA", key_id="k2")]).to_jwks()))
    return made


def token(key: Key, **claims: Any) -> str:
    return jose.sign(json.dumps({"sub": "alice", "aud": "orders", **claims}).encode(), key, header={"typ": "JWT"})


def test_it_is_a_command_of_the_shell(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "watchword", "jwt", "inspect", "-"]
    done = subprocess.run(command, cwd=tmp_path, input=b"a.b.c", capture_output=True, env=os.environ, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith(b"NOT VERIFIED, and refused: ")
    assert done.stderr == b""


# ---- inspect ---------------------------------------------------------------------------------------------------------


def test_without_a_key_nothing_is_proven_and_the_status_says_so(run: Run, key: Key) -> None:
    done = run("inspect", token(key))
    assert done.returncode == 3
    assert done.stdout.startswith("NOT VERIFIED: no key was given")
    assert "claims (unverified):" in done.stdout
    assert "\nverified" not in done.stdout


@pytest.mark.parametrize("option", [("--key", "public.json"), ("--key", "private.json"), ("--jwks", "set.json")])
def test_with_the_right_key_it_is_verified(run: Run, key: Key, option: tuple[str, str]) -> None:
    done = run("inspect", token(key), *option)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("verified: ")
    assert 'sub: "alice"' in done.stdout


def test_a_token_from_standard_input_with_the_word_bearer(run: Run, key: Key) -> None:
    assert run("inspect", "-", "--key", "public.json", stdin=f"Bearer {token(key)}\n").returncode == 0


def test_a_forged_token_is_never_shown_as_verified(run: Run, key: Key) -> None:
    forged = token(Key.generate("ES256", key_id="k1"))
    done = run("inspect", forged, "--key", "public.json")
    assert done.returncode == 1
    assert done.stdout.startswith("NOT VERIFIED, and refused: signature")
    shown = json.loads(run("inspect", forged, "--key", "public.json", "--json").stdout)
    assert shown["signature_verified"] is False
    assert shown["wrong"] == ["signature"]
    assert "claims" not in shown
    assert shown["unverified_claims"]["sub"] == "alice"


def test_json_of_a_genuine_token_and_of_one_that_nobody_judged(run: Run, key: Key) -> None:
    shown = json.loads(run("inspect", token(key), "--key", "public.json", "--json").stdout)
    assert (shown["signature_verified"], shown["wrong"], shown["claims"]["sub"]) == (True, [], "alice")
    shown = json.loads(run("inspect", token(key), "--json").stdout)
    assert (shown["signature_verified"], shown["wrong"]) == (False, [])
    assert "claims" not in shown
    assert "header" not in shown


@pytest.mark.parametrize("keyed", [True, False])
def test_an_expired_token_says_by_how_much(run: Run, key: Key, keyed: bool) -> None:
    expired = token(key, exp=int(time.time()) - 100)
    done = run("inspect", expired, *(("--key", "public.json") if keyed else ()))
    assert done.returncode == 1
    assert ("verified, but refused: exp" if keyed else "NOT VERIFIED, and refused: exp") in done.stdout
    assert "expired 10" in done.stdout


def test_issuer_and_audience_are_judged_only_if_they_are_given(run: Run, key: Key) -> None:
    good = token(key, iss="https://id.example")
    assert (
        run(
            "inspect", good, "--key", "public.json", "--audience", "orders", "--issuer", "https://id.example"
        ).returncode
        == 0
    )
    assert run("inspect", good, "--key", "public.json", "--audience", "accounts").returncode == 1
    assert run("inspect", good, "--key", "public.json", "--issuer", "https://other.example").returncode == 1


def test_what_depends_on_the_verifier_is_shown_but_no_fault(run: Run, key: Key) -> None:
    odd = jose.sign(b'{"cnf":{"jkt":"x"}}', key, header={"typ": "logout+jwt"})
    done = run("inspect", odd, "--key", "public.json")
    assert done.returncode == 0
    assert "---- typ" in done.stdout
    assert "---- cnf" in done.stdout


def test_a_mistake_is_named(run: Run, key: Key) -> None:
    other = Key.generate("ES256", key_id="other")
    keys = KeySet([key, other]).to_jwks()
    forged = jose.sign(b'{"sub":"a"}', Key.from_jwk({**other.to_jwk(private=True), "kid": "k1"}))
    done = run("inspect", forged, "--jwks", "-", stdin=json.dumps(keys))
    assert done.returncode == 1
    assert "the key 'other' made it" in done.stdout


@pytest.mark.parametrize("text", ["", "abc", "a.b", "a.b.c", "....", "e30.e30.e30", "é.é.é", "x" * 20_000])
def test_what_is_no_token_is_refused_and_not_a_crash(run: Run, key: Key, text: str) -> None:
    for option in ((), ("--key", "public.json")):
        assert run("inspect", "-", *option, stdin=text).returncode == 1


def test_control_characters_of_a_token_do_not_reach_the_terminal(run: Run, key: Key) -> None:
    nasty = jose.sign(
        json.dumps({"sub": "\x1b[2J\r\u202e", "\x1b[1m": 1, "iss": "\x1b]0;x\x07", "aud": "\x1b"}).encode(), key
    )
    for more in ((), ("--audience", "x"), ("--issuer", "y")):
        done = run("inspect", nasty, "--key", "public.json", *more)
        assert not {"\x1b", "\r", "\x07", "\u202e"}.intersection(done.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "x", "--key", "absent.json"),
        ("inspect", "x", "--key", "public.json", "--jwks", "set.json"),
        ("inspect", "-", "--key", "-"),
        ("inspect", "x", "--key", "secret.txt"),
        ("inspect", "x", "--key", "public.json", "--alg", "HS256"),
        ("inspect", "x", "--key", "short.txt", "--alg", "HS256"),
        ("inspect", "x", "--jwks", "broken.json"),
        ("mint", "--key", "public.json"),
        ("mint", "--key", "private.json", "--claims", "broken.json"),
        ("mint", "--key", "private.json", "--claims", "dated.json"),
        ("mint", "--key", "private.json", "--lifetime", "0"),
        ("mint", "--key", "private.json", "--lifetime", "soon"),
        ("mint", "--key", "-", "--claims", "-"),
        ("keygen", "private.json"),
        ("keygen", "new.json", "--alg", "none"),
        ("keygen", "absent/new.json"),
        ("jwks", "private.json", "public.json"),
        ("inspect",),
        ("nonsense",),
    ],
)
def test_unusable_input_exits_2(run: Run, key: Key, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "short.txt").write_text("short")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "dated.json").write_text('{"exp": 1}')
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert done.stdout == ""


# ---- mint ------------------------------------------------------------------------------------------------------------


def test_a_minted_token_is_genuine_and_has_what_was_asked_for(run: Run, key: Key) -> None:
    done = run("mint", "--key", "private.json", "--sub", "alice", "--iss", "https://id.example", "--aud", "orders",
               "--scope", "read", "--scope", "write", "--lifetime", "1h", "--typ", "at+jwt", "--claims", "-",
               stdin='{"tenant": "t1"}')  # fmt: skip
    assert done.returncode == 0, done.stderr
    verifier = JWTVerifier(key, issuer="https://id.example", audience="orders", typ="at+jwt", required=("exp", "iat"))
    identity = verifier.verify(done.stdout.strip())
    assert (identity.subject, identity.scopes) == ("alice", {"read", "write"})
    claims: Any = identity.claims
    assert claims["tenant"] == "t1"
    assert claims["exp"] - claims["iat"] == 3600


def test_several_audiences_are_a_list(run: Run, key: Key) -> None:
    done = run("mint", "--key", "private.json", "--sub", "a", "--aud", "one", "--aud", "two")
    assert JWTVerifier(key, audience="two").verify(done.stdout.strip()).subject == "a"


def test_a_secret_comes_from_a_file_or_standard_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(SECRET + "\n")
    verifier = JWTVerifier(Key.from_secret(SECRET, algorithm="HS256"))
    for source, stdin in (("secret.txt", ""), ("-", SECRET + "\n")):
        done = run("mint", "--key", source, "--alg", "HS256", "--sub", "alice", stdin=stdin)
        assert verifier.verify(done.stdout.strip()).subject == "alice"
    assert run("inspect", done.stdout.strip(), "--key", "secret.txt", "--alg", "HS256").returncode == 0


def test_a_pem_needs_to_be_told_its_algorithm(run: Run, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Key.generate("EdDSA")
    pem = key.openssl_pair()[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    assert run("mint", "--key", "key.pem", "--sub", "a").returncode == 2
    done = run("mint", "--key", "key.pem", "--alg", "EdDSA", "--sub", "a")
    assert JWTVerifier(key).verify(done.stdout.strip()).subject == "a"


# ---- keygen and jwks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "HS256", "RS256"])
def test_a_new_key_is_its_owners_only_and_only_its_public_part_is_printed(
    run: Run, tmp_path: Path, algorithm: str
) -> None:
    done = run("keygen", "new.json", "--alg", algorithm, "--kid", "2026")
    assert done.returncode == 0, done.stderr
    made = tmp_path / "new.json"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    members = json.loads(made.read_text())
    key = Key.from_jwk(members)
    assert key.can_sign
    assert key.key_id == "2026"
    for name in ("d", "k", "p"):
        assert name not in members or members[name] not in done.stdout + done.stderr
    if algorithm == "HS256":
        assert done.stdout == ""
    else:
        key_set = KeySet([Key.from_jwk(json.loads(done.stdout))])
        JWTVerifier(key_set).verify(jose.sign(b'{"sub":"a"}', key))


def test_a_key_is_named_by_its_thumbprint_unless_told(run: Run, tmp_path: Path) -> None:
    run("keygen", "new.json")
    key = Key.from_jwk(json.loads((tmp_path / "new.json").read_text()))
    assert key.key_id == key.thumbprint()


def test_no_key_is_written_over_another(run: Run, key: Key, tmp_path: Path) -> None:
    before = (tmp_path / "private.json").read_bytes()
    assert run("keygen", "private.json").returncode == 2
    assert (tmp_path / "private.json").read_bytes() == before


def test_the_key_set_to_publish_holds_no_secret(run: Run, key: Key, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(Key.generate("HS256", key_id="s").to_jwk(private=True)))
    done = run("jwks", "private.json", "secret.json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"keys": [key.to_jwk()]}
    assert "left out: 1 shared secret" in done.stderr


def test_a_file_of_a_key_and_its_certificate_and_a_key_of_openssh_are_read(run: Run, tmp_path: Path) -> None:
    signing = KEYS["ES256"]
    (tmp_path / "both.pem").write_bytes(private(signing) + certificate(signing))
    (tmp_path / "key.pub").write_bytes(ssh_line(signing) + b" alice@laptop\n")
    minted = run("mint", "--key", "both.pem", "--alg", "ES256", "--sub", "alice").stdout.strip()
    for file in ("both.pem", "key.pub"):
        shown = run("inspect", minted, "--key", file, "--alg", "ES256")
        assert shown.returncode == 0, shown.stderr
