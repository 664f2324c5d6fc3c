"""Log-in in FastAPI's /docs: Swagger UI, from npm, in headless Chromium, against what a guard says of itself in OpenAPI."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.conftest import PEERS, ROOT, free_port, running
from tests.interop.devtools import Page, browsing

DIST = Path(__file__).parent / "node_modules" / "swagger-ui-dist"
TYPED = "Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, dict[str, str]]]:
    """The address, and the credentials that it printed."""
    assert DIST.is_dir(), "swagger-ui-dist is not installed: run `make interop`, which installs it"
    port = free_port()
    command = [sys.executable, str(PEERS / "fastapi_docs.py"), str(port), str(DIST)]
    with running(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{port}", json.loads(server.stdout.readline())


@pytest.fixture
def page(served, tmp_path) -> Iterator[Page]:
    with browsing(tmp_path / "profile") as opened:
        opened.call("Page.enable")
        for _ in range(100):  # until the server listens
            if "errorText" not in opened.call("Page.navigate", url=f"{served[0]}/docs"):
                break
        opened.until("document.querySelector('.btn.authorize')")
        yield opened


def ask(page: Page) -> str:
    """What Swagger UI shows of the answer to GET /orders."""
    page.until("document.querySelector('#operations-default-orders_orders_get')")
    page.run("document.querySelector('#operations-default-orders_orders_get .opblock-summary-control').click()")
    page.until("document.querySelector('.try-out__btn')")
    page.run("document.querySelector('.try-out__btn').click()")
    page.until("document.querySelector('.btn.execute')")
    page.run("document.querySelector('.btn.execute').click()")
    shown = "document.querySelector('.live-responses-table')?.innerText"
    told: str = page.until(f"{shown}?.includes('Response headers') && {shown}")
    return told


def log_in(page: Page, scheme: str, *values: str) -> None:
    """Types credentials into the dialog of "Authorize", for one scheme."""
    page.run("document.querySelector('.btn.authorize').click()")
    container = f"[...document.querySelectorAll('.auth-container')].find(it => it.querySelector('h4').innerText.startsWith('{scheme}'))"
    page.until(container)
    for place, value in enumerate(values):
        page.run(
            f"(() => {{ const field = {container}.querySelectorAll('input')[{place}];"
            f"{TYPED}.call(field, {json.dumps(value)}); field.dispatchEvent(new Event('input', {{bubbles: true}})) }})()"
        )
    page.run(f"{container}.querySelector('button.authorize').click()")
    page.until(f"{container}.innerText.includes('Authorized')")


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "X-API-Key"])
def test_who_logs_in_in_docs_is_admitted(page, served, scheme, tmp_path):
    given = {"Bearer": [served[1]["token"]], "Basic": ["bob", "open sesame"], "X-API-Key": [served[1]["api_key"]]}
    who = {"Bearer": "alice", "Basic": "bob", "X-API-Key": "carol"}
    log_in(page, scheme, *given[scheme])
    page.screenshot(Path(os.environ.get("WATCHWORD_SCREENSHOTS", tmp_path)) / f"docs-{scheme}.png")
    page.run("document.querySelector('.btn-done').click()")
    told = ask(page)
    assert re.search(r"^200\b", told, re.MULTILINE)
    assert f'"orders of {who[scheme]}"' in told
    page.screenshot(Path(os.environ.get("WATCHWORD_SCREENSHOTS", tmp_path)) / f"orders-{scheme}.png")


def test_what_swagger_ui_cannot_do_is_said_there(page):
    page.run("document.querySelector('.btn.authorize').click()")
    said = page.until("document.querySelector('.dialog-ux .modal-ux-content')?.innerText")
    assert "hmac" in said
    assert "each request" in said
