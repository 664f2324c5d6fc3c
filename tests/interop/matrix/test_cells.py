"""The cells of the matrix. WATCHWORD_MATRIX=all runs every one of them; else those run that hold every pair."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clients.origin import ok, origin
from tests.interop.conftest import ROOT, listening
from tests.interop.matrix.cells import Cell, checks_of, covering, every
from tests.interop.matrix.checks import CHECKS, UPLOAD, Bench, Elsewhere, Verdicts
from tests.interop.matrix.clients import CLIENTS
from tests.interop.matrix.schemes import ISSUER_OF_TOKENS, TOKENS, User
from tests.interop.matrix.servers import Server
from tests.interop.matrix.sites.answers import ELSEWHERE, VERDICTS
from tests.interop.matrix.sites.wsgi_server import serving
from watchword.authorization_server.token_endpoint import TokenEndpoint
from watchword.servers.endpoint import wsgi_endpoint
from watchword.stores import MemoryStore


class Served(NamedTuple):
    """A server as it runs."""

    port: int
    verdicts: Verdicts


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    with origin(ok) as foreign:
        yield Elsewhere(foreign)


@pytest.fixture(scope="session")
def token_url() -> Iterator[str]:
    """A token endpoint that knows the user of each client."""
    store = MemoryStore()
    for client in CLIENTS:
        store.add_client(client.user, User(client.user).secret("client"))
    endpoint = TokenEndpoint(TOKENS, issuer=ISSUER_OF_TOKENS, audience="orders")
    with serving(wsgi_endpoint(endpoint, store)) as port:
        yield f"http://127.0.0.1:{port}/token"


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("matrix") / "upload"
    path.write_bytes(bytes(range(256)) * (UPLOAD // 256))
    return path


@pytest.fixture(scope="session")
def served(elsewhere: Elsewhere, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Server], Served]]:
    """Starts a server in a process of its own, where it doesn't run already, and ends the one before."""
    last: list[tuple[Server, Served]] = []
    with ExitStack() as stack:

        def of(server: Server) -> Served:
            if not last or last[0][0] is not server:
                stack.close()
                last[:] = [(server, stack.enter_context(started(server, elsewhere, tmp_path_factory.mktemp("server"))))]
            return last[0][1]

        yield of


@contextmanager
def started(server: Server, elsewhere: Elsewhere, folder: Path) -> Iterator[Served]:
    """The server, until it is ended."""
    verdicts = folder / "verdicts"
    verdicts.touch()
    path = os.pathsep.join([str(ROOT), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, VERDICTS: str(verdicts), ELSEWHERE: elsewhere.url}
    with listening(server.command, folder / "log", cwd=ROOT, env=environment) as port:
        yield Served(port, Verdicts(verdicts))


CELLS = every() if os.environ.get("WATCHWORD_MATRIX") == "all" else covering(every())


@pytest.mark.parametrize(
    "cell",
    [pytest.param(cell, marks=pytest.mark.xdist_group(cell.server.name), id=", ".join(cell.names)) for cell in CELLS],
)
def test_a_cell(
    served: Callable[[Server], Served],
    cell: Cell,
    elsewhere: Elsewhere,
    token_url: str,
    file: Path,
    record_property: Callable[..., None],
) -> None:
    """All checks are run, whatever the others say: the table names those that failed."""
    port, verdicts = served(cell.server)
    bench = Bench(*cell, port, verdicts, elsewhere, token_url, file)
    failed = {}
    for name in checks_of(cell.client):
        try:
            CHECKS[name](bench)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    for what, value in zip(("scheme", "client", "server"), cell.names, strict=True):
        record_property(what, value)
    record_property("failed", ", ".join(failed))
    assert not failed, "\n".join(f"{name}: {why}" for name, why in failed.items())
