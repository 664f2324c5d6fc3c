"""The fixture that runs a test against every kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.faces import KINDS, Called, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Called]:
    called = Called(KINDS[request.param](tmp_path, clock))
    yield called
    called.close()
