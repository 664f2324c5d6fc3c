"""One Flask application behind a guard and behind Flask-HTTPAuth: granian (WSGI), wrk, whole requests over loopback."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench.harness import Figure, Unfit
from bench.served import CONNECTIONS, ROUNDS, figures, free_port, wait_for

USER, PASSWORD, REALM = "alice", "open sesame", "orders"
SECONDS = 5  # 32 password hashes at once take more than two
CREDENTIALS = 50_000
"""Requests of one run at most: Digest needs a count of its own for each."""

# Each request takes the next line of a file as its Authorization.
SCRIPT = """
local lines, cookie, next = {}, "%s", 0
for line in io.lines("%s") do lines[#lines + 1] = line end
function request()
  next = next + 1
  return wrk.format("GET", "/", {["Authorization"] = lines[(next - 1) %% #lines + 1], ["Cookie"] = cookie})
end
"""


class Served:
    """Requests per second of each application, in rounds of shuffled order; the first one is the limit."""

    def __init__(self, title: str, scheme: str, contenders: Mapping[str, str]) -> None:
        self.title = title
        self._scheme = scheme
        self._contenders = contenders

    def measure(self, rounds: int) -> list[Figure]:
        """The figures, the bare application first; at most ROUNDS rounds, since each takes seconds."""
        if shutil.which("wrk") is None:
            return [Figure("all", 0, "", 0, 0, 0, "wrk is not installed (apt install wrk)")]
        rates: dict[str, list[float]] = {name: [] for name in self._contenders}
        with tempfile.TemporaryDirectory() as folder, serving(self._contenders) as ports:
            for name, port in ports.items():
                self._prove(name, port)
            order = list(ports)
            for _ in range(min(rounds, ROUNDS)):
                random.shuffle(order)
                for name in order:
                    rates[name].append(self._rate(Path(folder), ports[name]))
        return figures(rates)

    def _prove(self, name: str, port: int) -> None:
        """It answers 200 to genuine credentials and, unless it is the bare one, 401 to wrong ones."""
        for password, expected in ((PASSWORD, 200), ("wrong", 401)):
            lines, cookie = self._credentials(port, password, 1)
            answer = ask(port, {"Authorization": lines[0], "Cookie": cookie})[0]
            if answer != expected and not (answer == 200 and next(iter(self._contenders)) == name):
                raise Unfit(f"{name} answers {answer} to the password {password!r}")

    def _credentials(self, port: int, password: str, count: int) -> tuple[list[str], str]:
        """Values of Authorization, and the Cookie that goes with them."""
        if self._scheme == "basic":
            return ["Basic " + b64encode(f"{USER}:{password}".encode()).decode()], ""
        status, challenge, cookie = ask(port, {})
        if status == 200:  # the bare application; it gets headers of the same length
            challenge = f'Digest realm="{REALM}", nonce="{"n" * 48}", opaque="{"o" * 32}"'
        return list(digests(challenge, password, count)), cookie

    def _rate(self, folder: Path, port: int) -> float:
        """Requests per second, by wrk."""
        lines, cookie = self._credentials(port, PASSWORD, CREDENTIALS)
        values, script = folder / "values", folder / "script.lua"
        values.write_text("\n".join(lines))
        script.write_text(SCRIPT % (cookie, values))
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), f"http://127.0.0.1:{port}/"]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found = re.search(r"Requests/sec:\s+([0-9.]+)", output)
        if found is None or "Non-2xx" in output:
            raise Unfit("wrk got other answers than 200")
        return float(found[1])


def digests(challenge: str, password: str, count: int) -> Iterator[str]:
    """`count` answers to one challenge, by MD5 with qop=auth, counted from 1."""
    given = dict(re.findall(r'(nonce|opaque)="([^"]*)"', challenge))
    first = md5(f"{USER}:{REALM}:{password}".encode()).hexdigest()
    second = md5(b"GET:/").hexdigest()
    opaque = f', opaque="{given["opaque"]}"' if "opaque" in given else ""
    head = f'Digest username="{USER}", realm="{REALM}", nonce="{given["nonce"]}", uri="/", algorithm=MD5{opaque}'
    for number in range(1, count + 1):
        proof = md5(f"{first}:{given['nonce']}:{number:08x}:MDEyMzQ1Njc4:auth:{second}".encode()).hexdigest()
        yield f'{head}, qop=auth, nc={number:08x}, cnonce="MDEyMzQ1Njc4", response="{proof}"'


def ask(port: int, headers: Mapping[str, str]) -> tuple[int, str, str]:
    """Status, challenge and cookie of one answer."""
    try:
        with urlopen(Request(f"http://127.0.0.1:{port}/", headers=dict(headers)), timeout=10) as answer:
            return int(answer.status), "", ""
    except HTTPError as error:
        with error:
            cookie = (error.headers.get("Set-Cookie") or "").partition(";")[0]
            return error.code, error.headers.get("WWW-Authenticate") or "", cookie


@contextmanager
def serving(contenders: Mapping[str, str]) -> Iterator[dict[str, int]]:
    """One server process each, all up: their ports."""
    started: list[subprocess.Popen[bytes]] = []
    ports = {}
    try:
        for name, app in contenders.items():
            ports[name] = port = free_port()
            command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
                       "--log-level", "error", f"bench.served_wsgi_apps:{app}"]  # fmt: skip
            started.append(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}))
            wait_for(port)
        yield ports
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(timeout=20)


def rows() -> Iterable[Served]:
    """The rows of this module."""
    server = "guarded Flask application, granian (WSGI), one worker, wrk with 32 connections"
    contenders: Sequence[tuple[str, str, dict[str, str]]] = (
        ("Basic", "basic", {
            "watchword": "basic",
            "watchword, PasswordCache(strict=True)": "strict",
            "Flask-HTTPAuth, password in the clear": "peer_basic_in_clear",
            "Flask-HTTPAuth, password hashed": "peer_basic_hashed",
        }),
        ("Digest (MD5)", "digest", {"watchword": "digest", "Flask-HTTPAuth, no count checked": "peer_digest"}),
    )  # fmt: skip
    for shown, scheme, guarded in contenders:
        yield Served(f"{server}; {shown}", scheme, {"bare application": "bare", **guarded})
