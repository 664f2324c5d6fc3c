"""A guarded ASGI application against the bare one: granian, wrk, whole requests over loopback."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench.harness import Figure, Unfit
from bench.served_apps import TOKEN

SECONDS = 2
CONNECTIONS = 32
ROUNDS = 5


class Contender(NamedTuple):
    """An application of `bench.served_apps`, on a port."""

    name: str
    app: str
    port: int


class Served:
    """Requests per second of each application, in rounds of shuffled order; the first one is the limit."""

    title = "guarded raw ASGI application, granian, one worker, wrk with 32 connections; JWT HS256"
    contenders = (("bare application", "bare"), ("limit: barest verify", "limit"), ("watchword", "guarded"),
                  ("watchword, TokenCache", "cached"))  # fmt: skip

    def measure(self, rounds: int) -> list[Figure]:
        """The figures, the bare application first; at most ROUNDS rounds, since each takes seconds."""
        if shutil.which("wrk") is None:
            return [Figure("all", 0, "", 0, 0, 0, "wrk is not installed (apt install wrk)")]
        rates: dict[str, list[float]] = {name: [] for name, _ in self.contenders}
        with serving(self.contenders) as running:
            for contender in running:
                prove(contender)
            order = list(running)
            for _ in range(min(rounds, ROUNDS)):
                random.shuffle(order)
                for contender in order:
                    rates[contender.name].append(rate(contender.port))
        return figures(rates)


def figures(rates: dict[str, list[float]]) -> list[Figure]:
    """Ratios inside each round, to the first contender."""
    bare = next(iter(rates.values()))
    shown = []
    for name, mine in rates.items():
        ratios = [own / limit for own, limit in zip(mine, bare, strict=True)]
        shown.append(Figure(name, median(mine), "requests/s", min(ratios), median(ratios), max(ratios)))
    return shown


@contextmanager
def serving(contenders: Sequence[tuple[str, str]]) -> Iterator[list[Contender]]:
    """One server process each, all up."""
    started: list[subprocess.Popen[bytes]] = []
    running = []
    try:
        for name, app in contenders:
            port = free_port()
            command = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port),
                       "--no-ws", "--log-level", "error", f"bench.served_apps:{app}"]  # fmt: skip
            started.append(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}))
            wait_for(port)
            running.append(Contender(name, app, port))
        yield running
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(timeout=20)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Until the server answers."""
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise Unfit("the server did not start")


def prove(contender: Contender) -> None:
    """It answers 200 to the genuine token and, unless it is the bare one, 401 to a forged one."""
    forged = TOKEN[:-2] + ("AA" if TOKEN[-2:] != "AA" else "BA")
    if status(contender.port, TOKEN) != 200:
        raise Unfit(f"{contender.name} refuses the genuine token")
    if contender.app != "bare" and status(contender.port, forged) != 401:
        raise Unfit(f"{contender.name} accepts a forged token")


def status(port: int, token: str) -> int:
    """What it answers."""
    request = Request(f"http://127.0.0.1:{port}/", headers={"Authorization": f"Bearer {token}"})
    try:
        with urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def rate(port: int) -> float:
    """Requests per second, by wrk."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"Authorization: Bearer {TOKEN}",
               f"http://127.0.0.1:{port}/"]  # fmt: skip
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    if found is None or "Non-2xx" in output:
        raise Unfit("wrk got other answers than 200")
    return float(found[1])


def rows() -> Sequence[Served]:
    """The rows of this module."""
    return [Served()]
