"""`watchword explain`: exit status and output, as a shell sees them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from watchword import BasicVerifier, Guard, Policy, Rejected, Request
from watchword.cli.raw_request import UnusableRequest, parse_request
from watchword.stores import ExplanationLog, MemoryStore

SECRET = "a secret that no output may show, 32+"
MODULE = f"""
from watchword import AsyncGuard, Guard, HMACVerifier, JWTVerifier, Key, Policy, PublicURL
from watchword.stores import MemoryStore
key = Key.from_secret({SECRET!r}, algorithm="HS256", key_id="robot-1")
store = MemoryStore()
store.add_key("robot", key)
guard = Guard([HMACVerifier()], store)
aguard = AsyncGuard([HMACVerifier()], store)
url = PublicURL(forwarded="X-Forwarded", trusted=("10.0.0.0/8",), believe=("for", "proto", "host"))
behind = Guard([HMACVerifier()], store, policy=Policy(public_url=url))
number = 1
"""
FIELD = (
    'HMAC version=1, keyid="robot-1", timestamp=1700000000, nonce="AAECAwQFBgcICQoLDA0ODw", '
    'digest="47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", mac="{mac}"'
)


def mac(method: str, target: str) -> str:
    import hashlib
    import hmac
    from base64 import urlsafe_b64encode

    text = f"HMAC 1\nrobot-1\n1700000000\nAAECAwQFBgcICQoLDA0ODw\n{method}\napi.example\n{target}\n"
    text += "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\n"
    return urlsafe_b64encode(hmac.digest(SECRET.encode(), text.encode(), hashlib.sha256)).decode().rstrip("=")


@pytest.fixture
def run(tmp_path: Path):  # type: ignore[no-untyped-def]
    (tmp_path / "app.py").write_text(MODULE)

    def run(request: str, *options: str, guard: str = "app:guard") -> subprocess.CompletedProcess[str]:
        (tmp_path / "req.http").write_text(request)
        command = [sys.executable, "-m", "watchword", "explain", "req.http", "--guard", guard, *options]
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)

    return run


def request(target: str = "/orders", signed: str = "/orders") -> str:
    return f"GET {target} HTTP/1.1\nHost: api.example\nAuthorization: {FIELD.format(mac=mac('GET', signed))}\n\n"


@pytest.mark.parametrize("guard", ["app:guard", "app:aguard"])
def test_a_genuine_request_exits_0(run, guard: str) -> None:  # type: ignore[no-untyped-def]
    done = run(request(), "--at", "1700000010", guard=guard)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("accepted by hmac: robot\n")
    assert "  | HMAC 1\n" in done.stdout


def test_a_refused_request_exits_1_and_names_the_first_difference(run) -> None:  # type: ignore[no-untyped-def]
    done = run(request("/orders/"), "--at", "2023-11-14T22:13:30Z")
    assert done.returncode == 1
    assert done.stdout.startswith("refused by hmac: wrong_signature: @path: expected /orders, received /orders/: ")
    assert "expected /orders, received /orders/" in done.stdout
    assert SECRET not in done.stdout


def test_without_at_it_judges_now(run) -> None:  # type: ignore[no-untyped-def]
    done = run(request(), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["reason"] == "expired"


@pytest.mark.parametrize(
    ("text", "options", "guard", "said"),
    [
        ("hello", (), "app:guard", "line 1"),
        (request(), ("--at", "soon"), "app:guard", "--at"),
        (request(), (), "app", "module:attribute"),
        (request(), (), "app:nobody", "nobody"),
        (request(), (), "nowhere:guard", "nowhere"),
        (request(), (), "app:number", "not a Guard"),
        (request(), ("--scheme", "gopher"), "app:guard", "--scheme"),
    ],
)
def test_unusable_input_exits_2_and_says_why(run, text: str, options: tuple[str, ...], guard: str, said: str) -> None:  # type: ignore[no-untyped-def]
    done = run(text, *options, guard=guard)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_har_file_is_explained_as_the_server_saw_it(run) -> None:  # type: ignore[no-untyped-def]
    fields = [{"name": "Authorization", "value": FIELD.format(mac=mac("GET", "/orders"))}]
    sent = {"method": "GET", "url": "https://api.example/orders", "headers": fields}
    text = json.dumps({"log": {"version": "1.2", "entries": [{"request": sent}]}})
    seen = ("--at", "1700000010", "--peer", "10.0.0.2", "--no-tls", "--proxied-as", "http://app:8000/orders")
    believed = ("--field", "X-Forwarded-For: 192.0.2.7", "--field", "X-Forwarded-Proto: https")
    assert run(text, *seen, *believed, "--field", "X-Forwarded-Host: api.example", guard="app:behind").returncode == 0
    done = run(text, *seen, *believed, guard="app:behind")
    assert done.returncode == 1
    assert "  | app:8000\n" in done.stdout
    assert run(text, "--at", "1700000010", "--body", "absent").returncode == 2
    assert "opposite" in run(text, "--tls", "--scheme", "http").stderr
    assert "--format" in run(text, "--format", "pcap").stderr


def test_what_was_kept_is_printed_by_its_request_id(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    log = ExplanationLog(tmp_path / "log")
    guard = Guard([BasicVerifier(realm="orders")], MemoryStore(), policy=Policy(explanations=log))
    with pytest.raises(Rejected):
        guard.verify(Request("GET", "https", "api.example", "/orders", {"X-Request-ID": "seven"}))
    log.flush()
    printed = kept("--id", "seven", "--log", "log", cwd=tmp_path)
    assert (printed.returncode, printed.stderr) == (1, "")
    assert " GET /orders: no_credentials\nrefused: no_credentials: " in printed.stdout
    by_environment = kept("--id", "seven", "--json", cwd=tmp_path, WATCHWORD_EXPLANATIONS="log")
    assert json.loads(by_environment.stdout)["request_id"] == "seven"
    for options, said in (
        (("--id", "eight", "--log", "log"), "no explanation of that request"),
        (("--id", "seven", "--log", "absent"), "No such file"),
        (("--id", "seven"), "--log"),
        (("req.http", "--id", "seven", "--log", "log"), "without FILE"),
        ((), "FILE and --guard"),
    ):
        done = kept(*options, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr


def kept(*options: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "watchword", "explain", *options]
    more = {**os.environ, **environment}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=more, check=False)


def test_a_missing_file_exits_2(run) -> None:  # type: ignore[no-untyped-def]
    done = subprocess.run(
        [sys.executable, "-m", "watchword", "explain", "/nonexistent", "--guard", "a:b"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1"),
        (b"GET / HTTP/1.1\nHost: a\nHost: b\n\n", "2 Host"),
        (b"GET / HTTP/1.1\n\n", "0 Host"),
        (b"GET / HTTP/1.1\nHost: a\n folded\n\n", "line 3"),
        (b"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n", "transfer coding"),
        (b"POST / HTTP/1.1\nHost: a\nContent-Length: 9\n\nhi", "2 octets"),
        (b"POST / HTTP/1.1\nHost: a\nContent-Length: x\n\nhi", "one number"),
        (b"POST / HTTP/1.1\nHost: a\nContent-Length: 1\nContent-Length: 2\n\nhi", "one number"),
    ],
)
def test_what_is_not_one_request_is_named(data: bytes, said: str) -> None:
    with pytest.raises(UnusableRequest, match=said):
        parse_request(data, "https")


def test_a_body_without_length_is_all_the_rest_and_crlf_is_read() -> None:
    request, body = parse_request(b"POST /a%20b?x HTTP/1.1\r\nHost: a\r\nX: \t y \r\n\r\nhi\r\n", "http")
    assert (request.target, request.values(b"x"), body) == (b"/a%20b?x", [b"y"], b"hi\r\n")


def canonical(target: str) -> str:
    body = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    return f"HMAC 1\nrobot-1\n1700000000\nAAECAwQFBgcICQoLDA0ODw\nGET\napi.example\n{target}\n{body}\n"


def test_the_clients_canonical_string_is_compared_to_the_octet(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "client.txt").write_text(canonical("/%6Frders"))
    done = run(request("/orders", "/%6Frders"), "--at", "1700000010", "--client", "client.txt")
    assert done.returncode == 1
    assert (
        "the client's canonical string differs at line 7, octet 2:\n  server: /orders\n  client: /%6Frders"
        in done.stdout
    )
    done = run(request("/orders", "/%6Frders"), "--at", "1700000010", "--client", "client.txt", "--json")
    assert json.loads(done.stdout)["client"]["component"] == "line 7, octet 2"
    (tmp_path / "client.txt").write_text(canonical("/orders") + "\n\n")
    done = run(request(), "--at", "1700000010", "--client", "client.txt")
    assert "the client's canonical string is the same" in done.stdout
    done = run(request(), "--client", "absent.txt")
    assert done.returncode == 2
