"""The stores' conformance kit on PostgreSQL: called and awaited, with pgbouncer and without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.interop.postgresql.cluster import Cluster
from tests.interop.postgresql.conftest import empty
from watchword.stores import AsyncSQLStore, SQLStore
from watchword.testing import Clock
from watchword.testing.conformance import StoreConformance
from watchword.testing.conformance.store_model import Make

SECRETS = bytes(range(32))
KINDS = [(kind, way) for kind in (SQLStore, AsyncSQLStore) for way in ("direct", "pgbouncer")]


class TestPostgreSQL(StoreConformance):
    grace = 60.0

    @pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0].__name__}-{kind[1]}")
    def make_store(self, request: pytest.FixtureRequest, server: Cluster, database: str) -> Make:
        kind, way = request.param
        url = server.url(database, server.bouncer if way == "pgbouncer" else None)

        def make(folder: Path, clock: Clock) -> Any:
            empty(server, database)
            return kind(url, clock=clock, secrets=SECRETS, timeout=60.0)

        return make
