"""Programs of ten lines that type-check (tests/typing): good, wrong and insufficient credentials."""

from __future__ import annotations

from base64 import b64encode
from importlib import import_module

import pytest

from tests.servers.frameworks.made import Made


def basic(password):
    return {"authorization": f"Basic {b64encode(b'alice:' + password).decode()}"}


@pytest.mark.parametrize("name", ["fastapi_app", "starlette_app", "litestar_app"])
def test_a_program_lets_in_whom_it_shall(name):
    program = import_module(f"tests.typing.{name}")
    program.store.add_user("alice", "open sesame", scopes=("orders:read",))
    made = Made(program.app, [])
    good = basic(b"open sesame")
    assert made.ask("/orders", headers=good).content.strip(b'"') == b"alice"
    assert [made.ask("/orders", headers=headers).status for headers in ({}, basic(b"wrong"))] == [401, 401]
    assert made.ask("/orders", headers=good, method="POST").status == 403
    assert made.ask("/").content.strip(b'"') == b"stranger"
    assert made.ask("/", headers=basic(b"wrong")).status == 401
