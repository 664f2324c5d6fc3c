"""The small apps of Flask, Django, REST framework and aiohttp answer good, wrong and insufficient credentials."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import encode_basic_auth
from aiohttp.test_utils import TestClient, TestServer

from examples.frameworks import aiohttp_app, flask_app
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
GOOD, WRONG = encode_basic_auth("alice", "open sesame"), encode_basic_auth("alice", "a guess")
ASKED = [("GET", GOOD, 200), ("GET", WRONG, 401), ("GET", "", 401), ("POST", GOOD, 403), ("POST", WRONG, 401)]


def fields(credentials: str) -> dict[str, str]:
    return {"Authorization": credentials} if credentials else {}


@pytest.mark.parametrize(("method", "credentials", "status"), ASKED)
def test_flask(method, credentials, status):
    answer = flask_app.app.test_client().open("/orders", method=method, headers=fields(credentials))
    assert answer.status_code == status
    assert answer.json == {"of": "alice"} or answer.json["status"] == status


@pytest.mark.parametrize(("method", "credentials", "status"), ASKED)
def test_aiohttp(method, credentials, status):
    async def ask():
        async with (
            TestClient(TestServer(aiohttp_app.make_app())) as client,
            client.request(method, "/orders", headers=fields(credentials)) as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    found, said = asyncio.run(ask())
    assert found == status
    assert said == {"of": "alice"} or said["status"] == status


# A process has one project of Django's, and this one's CSRF check stays: Basic credentials are ambient.
PROGRAM = """
import sys, django
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("check", fail_level="WARNING")
for path, method, credentials, status in eval(sys.argv[1]):
    headers = {"Authorization": credentials} if credentials else {}
    answer = getattr(Client(), method.lower())(path, headers=headers)
    assert answer.status_code == status, (path, method, credentials, answer.status_code)
    assert answer.json() == {"of": "alice"} or answer.json()["status"] == status, answer.json()
for path in ("/order", "/api/orders"):
    assert Client(enforce_csrf_checks=True).post(path, headers={"Authorization": sys.argv[2]}).status_code == 403
"""


def test_django_and_rest_framework():
    asked = [("/order" if method == "POST" else "/orders", method, *rest) for method, *rest in ASKED]
    asked += [("/api/orders", *each) for each in ASKED]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, repr(asked), GOOD],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={"DJANGO_SETTINGS_MODULE": "examples.frameworks.django_settings", "PYTHONPATH": ":".join([str(ROOT), *sys.path])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
