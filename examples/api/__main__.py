"""`python -m examples.api`: starts the API with granian on an SQLite file and says how to reach it."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

from examples.api.settings import VARIABLE, credentials, new_settings, register


def main() -> None:
    """Serves until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m examples.api", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--workers", type=int, default=1, help="processes, on one database")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--database", type=Path, help="the SQLite file; default: a temporary one")
    where.add_argument(
        "--store",
        help="the URL of another database: postgresql://… or redis://…, whose secrets WATCHWORD_SECRETS seals",
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON once the server answers")
    parser.add_argument("--folder", type=Path, help="where settings and verdicts go; default: a temporary one")
    arguments = parser.parse_args()
    if arguments.folder:
        serve(arguments, arguments.folder)
        return
    with tempfile.TemporaryDirectory(prefix="watchword-") as folder:
        serve(arguments, Path(folder))


def serve(arguments: argparse.Namespace, folder: Path) -> None:
    """Registers a user, a key and a client, and runs the server."""
    port = arguments.port or free_port()
    database = arguments.store or f"sqlite:///{(arguments.database or folder / 'api.db').resolve()}"
    settings = new_settings(f"http://127.0.0.1:{port}", database, str(folder / "verdicts.jsonl"))
    register(settings)
    settings.save(folder / "settings.json")
    os.environ[VARIABLE] = str(folder / "settings.json")
    announcement = credentials(settings)
    threading.Thread(target=announce, args=(port, announcement, arguments.json), daemon=True).start()
    server = Granian(
        "examples.api.serve:app",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        workers=arguments.workers,
        log_enabled=False,
        websockets=False,
    )
    server.serve()


def announce(port: int, announcement: dict[str, object], as_json: bool) -> None:
    """Prints the credentials once the port answers."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.02)
    print(json.dumps(announcement, indent=None if as_json else 2), flush=True)
    if not as_json:
        print("serving; interrupt to stop", file=sys.stderr, flush=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
