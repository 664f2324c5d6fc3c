"""The cells of the matrix. WATCHWORD_MATRIX=all runs every one of them; else those run that hold every pair."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
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
def served(
    request: pytest.FixtureRequest, elsewhere: Elsewhere, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """One server at a time, in a process of its own."""
    server: Server = request.param
    folder = tmp_path_factory.mktemp("server")
    verdicts = folder / "verdicts"
    verdicts.touch()
    path = os.pathsep.join([str(ROOT), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, VERDICTS: str(verdicts), ELSEWHERE: elsewhere.url}
    with listening(server.command, folder / "log", cwd=ROOT, env=environment) as port:
        yield Served(port, Verdicts(verdicts))


CELLS = every() if os.environ.get("WATCHWORD_MATRIX") == "all" else covering(every())


@pytest.mark.parametrize(
    ("served", "cell"),
    [
        pytest.param(cell.server, cell, marks=pytest.mark.xdist_group(cell.server.name), id=", ".join(cell.names))
        for cell in CELLS
    ],
    indirect=["served"],
)
def test_a_cell(
    served: Served, cell: Cell, elsewhere: Elsewhere, token_url: str, file: Path, record_property: Callable[..., None]
) -> None:
    """All checks are run, whatever the others say: the table names those that failed."""
    bench = Bench(*cell, served.port, served.verdicts, elsewhere, token_url, file)
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
