"""The HMAC scheme's clients in JavaScript and shell: every vector, and requests over a socket to a real guard."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import PEERS, ROOT, program
from watchword import Guard, HMACVerifier, Key
from watchword.servers.http_server import identity, protect
from watchword.stores import MemoryStore

CASES = json.loads((ROOT / "tests" / "vectors" / "hmac" / "algorithms.json").read_text("utf-8"))["cases"]
SHELL = ROOT / "examples" / "hmac_clients" / "hmac.sh"
KEYS = {
    "HS256": Key.generate("HS256", key_id="robot-256"),
    "HS384": Key.generate("HS384", key_id="robot-384"),
    "HS512": Key.generate("HS512", key_id="robot-512"),
}
TARGETS = ["/", "/whoami?verbose=1", "/a?b=2&a=%20+&&c=%C3%A9", "/?", "/a//b;c=1/%2F"]
BODIES = [b'{"n": 1}\n', b"\n\n", bytes(range(256)), b"x" * 100_000]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = json.dumps([identity(self).subject, identity(self).key_id, self.path, len(body), sum(body)]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module", params=[False, True], ids=["body first", "stream"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    store = MemoryStore()
    for name, key in KEYS.items():
        store.add_key(name, key)
    handler = protect(Handler, Guard([HMACVerifier(stream=request.param)], store))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def credentials(algorithm: str) -> dict[str, str]:
    key = KEYS[algorithm]
    return {"key_id": str(key.key_id), "secret_hex": key.secret_bytes().hex(), "algorithm": algorithm}


def node(asked: dict[str, Any]) -> dict[str, Any]:
    command = [program("node"), PEERS / "hmac_client.mjs"]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def shell(case: dict[str, Any], *arguments: str, **more: str) -> str:
    program("openssl")
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "KEY_ID": case["key_id"], "SECRET_HEX": case["secret_hex"], "HASH": case["algorithm"].replace("HS", "sha"), **more,
    }  # fmt: skip
    done = subprocess.run(
        [SHELL, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_javascript_client_makes_every_vector() -> None:
    assert node({"vectors": CASES})["fields"] == [case["authorization"] for case in CASES]


def test_the_javascript_client_refuses_what_it_can_not_sign() -> None:
    assert node({})["refused"] == ["TypeError"] * 3


def test_the_javascript_client_is_admitted_with_every_algorithm(url: str) -> None:
    asked = [
        {**credentials(algorithm), "method": "GET", "url": url + target} for algorithm in KEYS for target in TARGETS
    ] + [
        {**credentials(algorithm), "method": "POST", "url": url + "/orders", "body_hex": body.hex()}
        for algorithm in KEYS
        for body in BODIES
    ]
    for request, (status, text) in zip(asked, node({"requests": asked})["answers"], strict=True):
        assert status == 200, (request, text)
        body = bytes.fromhex(request.get("body_hex", ""))
        path = request["url"].removeprefix(url)
        expected = [request["algorithm"], request["key_id"], path, len(body), sum(body)]
        # A URL object forgets an empty query, and so does not send it.
        assert json.loads(text) == [*expected[:2], path.removesuffix("?"), *expected[3:]]


def test_the_javascript_client_is_refused_with_another_secret(url: str) -> None:
    wrong = {**credentials("HS256"), "secret_hex": bytes(32).hex()}
    assert node({"requests": [{**wrong, "method": "GET", "url": url + "/"}]})["answers"] == [[401, ""]]


# The shell client derives authority and target from a URL, which has no "*".
SHELL_CASES = [case for case in CASES if case["target"] != "*"]


@pytest.mark.parametrize("case", SHELL_CASES, ids=lambda case: case["name"])
def test_the_shell_client_makes_every_vector(case: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(bytes.fromhex(case["body_hex"]))
    url = f"https://{case['authority']}{case['target']}"
    made = shell(case, case["method"], url, str(file), PRINT="1", TIMESTAMP=str(case["timestamp"]), NONCE=case["nonce"])
    assert made == case["authorization"] + "\n"


@pytest.mark.parametrize("algorithm", KEYS)
def test_the_shell_client_is_admitted_with_every_algorithm(url: str, algorithm: str, tmp_path: Path) -> None:
    for target in TARGETS:
        answer = json.loads(shell(credentials(algorithm), "GET", url + target))
        assert answer == [algorithm, KEYS[algorithm].key_id, target, 0, 0]
    for body in BODIES:
        (tmp_path / "body").write_bytes(body)
        answer = json.loads(shell(credentials(algorithm), "POST", url + "/orders", str(tmp_path / "body")))
        assert answer == [algorithm, KEYS[algorithm].key_id, "/orders", len(body), sum(body)]


def test_the_shell_client_is_refused_with_another_secret(url: str) -> None:
    wrong = {**credentials("HS256"), "secret_hex": bytes(32).hex()}
    assert shell(wrong, "GET", url + "/", "-", "--output", "/dev/null", "--write-out", "%{http_code}") == "401"


def test_the_shell_client_sends_each_request_with_a_nonce_of_its_own() -> None:
    case = credentials("HS256")
    made = {shell(case, "GET", "https://api.example/", PRINT="1", TIMESTAMP="1") for _ in range(3)}
    assert len(made) == 3
