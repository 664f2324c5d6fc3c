"""The plugin as a user runs it: pytest in a process of its own, in a folder with an app and a conftest."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.patience import PATIENCE
from tests.test_house import PYPROJECT

APP = """
import os
from flask import Flask, abort, request

app = Flask(__name__)


@app.before_request
def guard():
    holed = os.environ.get("HOLED") and request.path == "/report"
    if request.path != "/health" and not holed and request.headers.get("Authorization") != "Bearer alice-has-a-long-token":
        abort(401)


@app.get("/orders")
def orders():
    return {"orders": []}


@app.get("/report")
def report():
    return {"report": []}


@app.get("/health")
def health():
    return "well"
"""
CONFTEST = """
import pytest
from watchword import BearerAuth
from watchword.testing.attacks import Credentials


@pytest.fixture(scope="session")
def watchword_credentials():
    return Credentials(BearerAuth("alice-has-a-long-token"), public=["/health"])
"""


@pytest.fixture
def shop(tmp_path):
    """A project with an app and a conftest, where watchword is installed as its wheel says."""
    said = tmp_path / f"watchword-{PYPROJECT['project']['version']}.dist-info"
    said.mkdir()
    version = PYPROJECT["project"]["version"]
    (said / "METADATA").write_text(f"Metadata-Version: 2.1\nName: watchword\nVersion: {version}\n", "utf-8")
    ((name, module),) = PYPROJECT["project"]["entry-points"]["pytest11"].items()
    (said / "entry_points.txt").write_text(f"[pytest11]\n{name} = {module}\n", "utf-8")
    (tmp_path / "shop.py").write_text(APP, "utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", "utf-8")
    return tmp_path


def run(folder, *arguments, **environment):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "PYTEST_ADDOPTS": "", **environment},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.sweep)], ids=["alone", "xdist"])
def test_a_hole_fails_and_is_told_and_the_mended_app_passes(shop, workers):
    some = ("-k", "no_credentials or replay", *workers)
    code, output = run(shop, "--watchword-app=shop:app", *some, HOLED="1")
    assert code == 1
    assert "no_credentials on GET /report: no credentials" in output
    assert "see    CVE-2025-3248" in output
    assert ": 1 holes" in output
    code, output = run(shop, "--watchword-app=shop:app", *some)
    assert code == 0, output
    assert ": 0 holes" in output
    assert "not tried: replay: the credentials sign nothing of the request" in output


@pytest.mark.sweep
def test_each_attack_is_a_test_with_a_name_that_can_be_chosen(shop):
    code, output = run(shop, "--watchword-app=shop:app", "--collect-only", "-q")
    assert code == 0
    assert "::watchword::host_field[GET /orders]" in output
    code, output = run(shop, "--watchword-app=shop:app", "-k", "no_credentials and orders", "-q")
    assert code == 0
    assert "1 passed" in output


def test_the_docstring_of_each_names_the_advisory_that_it_replays():
    from watchword.testing.attacks.listed import ATTACKS, PUBLIC

    for attack in (*ATTACKS, *PUBLIC):
        assert (attack.run.__doc__ or "").strip(), attack.name
        assert any(word in attack.advisory for word in ("CVE-", "GHSA-", "RFC ", "CWE-")), attack.name


def test_nothing_tried_is_a_failure(shop):
    (shop / "shop.py").write_text(APP.replace("abort(401)", "abort(404)"), "utf-8")
    (shop / "conftest.py").write_text("", "utf-8")
    code, output = run(shop, "--watchword-app=shop:app", "-k", "unsigned_token")
    assert code == 1
    assert "nothing was tried: that is a failure" in output


@pytest.mark.sweep
def test_without_the_fixture_what_needs_no_credentials_is_tried(shop):
    (shop / "conftest.py").unlink()
    code, output = run(shop, "--watchword-app=shop:app", "-k", "no_credentials or unsigned_token")
    assert code == 1
    assert "no_credentials[GET /health]" in output
    assert "not tried: unsigned_token: the fixture watchword_credentials gives no credentials for this route" in output


@pytest.mark.sweep
@pytest.mark.parametrize("place", ["tests/conftest.py", "tests/test_attacks.py"])
def test_the_fixture_is_found_wherever_it_is(shop, place):
    (shop / "conftest.py").unlink()
    (shop / "tests").mkdir()
    (shop / place).write_text(CONFTEST + "\n\ndef test_nothing():\n    pass\n", "utf-8")
    (shop / "tests" / "test_more.py").write_text("def test_more():\n    pass\n", "utf-8")
    code, output = run(shop, "--watchword-app=shop:app", "-k", "no_credentials or replay or nothing or more")
    assert code == 0, output
    assert "gives no credentials" not in output


@pytest.mark.sweep
def test_two_fixtures_in_two_places_are_told(shop):
    for name in ("one", "two"):
        (shop / name).mkdir()
        (shop / name / "conftest.py").write_text(CONFTEST, "utf-8")
        (shop / name / f"test_{name}.py").write_text("def test_it():\n    pass\n", "utf-8")
    (shop / "conftest.py").unlink()
    code, output = run(shop, "--watchword-app=shop:app")
    assert code == 4
    assert "several fixtures watchword_credentials" in output
    code, output = run(shop, "one", "--watchword-app=shop:app", "-k", "no_credentials")
    assert code == 0, output


@pytest.mark.parametrize(
    ("app", "text"),
    [
        ("shop", "write module:app"),
        ("shop:nothing", "has no 'nothing'"),
        ("nowhere:app", "no module 'nowhere'"),
        ("shop:CODE", "no ASGI"),
    ],
)
def test_a_mistake_in_the_option_is_told_in_one_line(shop, app, text):
    (shop / "shop.py").write_text(APP + "\nCODE = 7\n", "utf-8")
    code, output = run(shop, f"--watchword-app={app}")
    assert code == 4
    assert text in output
    assert "Traceback" not in output


@pytest.mark.sweep
def test_routes_that_cannot_be_listed_are_asked_for_and_taken(shop):
    (shop / "raw.py").write_text(
        """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise RuntimeError("no lifespan here")
    known = dict(scope["headers"]).get(b"authorization") == b"Bearer alice-has-a-long-token" or scope["path"] == "/open"
    await send({"type": "http.response.start", "status": 200 if known else 401, "headers": []})
    await send({"type": "http.response.body", "body": b"orders" if known else b""})
""",
        "utf-8",
    )
    code, output = run(shop, "--watchword-app=raw:app")
    assert code == 4
    assert "watchword_routes" in output
    code, output = run(shop, "--watchword-app=raw:app", "--watchword-route=GET /orders", "-k", "no_credentials")
    assert code == 0, output
    ini = "[pytest]\nwatchword_routes =\n    GET /orders\n    GET /open\n"
    (shop / "pytest.ini").write_text(ini, "utf-8")
    code, output = run(shop, "--watchword-app=raw:app", "-k", "no_credentials")
    assert code == 1
    assert "no_credentials on GET /open" in output


@pytest.mark.sweep
def test_weaknesses_are_told_and_fail_only_if_they_shall(shop):
    source = APP.replace(
        'request.headers.get("Authorization")',
        'request.headers.get("Authorization", f"Bearer {request.args.get(\'token\')}")',
    )
    (shop / "shop.py").write_text(source, "utf-8")
    code, output = run(shop, "--watchword-app=shop:app", "-k", "query")
    assert code == 0, output
    assert "weak: credentials_in_query[GET /orders]: in the query as token" in output
    code, output = run(shop, "--watchword-app=shop:app", "--watchword-strict", "-k", "query")
    assert code == 1


def test_the_plugin_does_nothing_unless_it_is_asked(shop):
    (shop / "conftest.py").write_text("", "utf-8")
    (shop / "test_it.py").write_text(
        "import sys\n\ndef test_it():\n    assert not [name for name in sys.modules if name.startswith('watchword.') and 'testing' not in name]\n"
        "    assert 'watchword.testing.attacks' not in sys.modules\n",
        "utf-8",
    )
    code, output = run(shop)
    assert code == 0, output
    assert "attacks on the app" not in output


@pytest.mark.sweep
def test_attacks_that_were_not_tried_for_one_reason_are_told_in_one_line(shop):
    code, output = run(shop, "--watchword-app=shop:app", "-k", "token or service or issuer or own_key or algorithm")
    assert code == 1
    (line,) = [line for line in output.splitlines() if line.startswith("not tried:")]
    tokens = "another_issuer, another_service, confused_algorithm, expired_token, own_key, token_without_end, unsigned_token, wrong_kind_of_token"
    assert line == f"not tried: {tokens}: the credentials are no JSON Web Token (GET /orders, GET /report)"


@pytest.mark.sweep
def test_a_route_that_an_attack_finds_open_fails_the_run_by_itself(shop):
    code, output = run(shop, "--watchword-app=shop:app", "-k", "host_field", HOLED="1")
    assert code == 1
    assert (
        "let in anybody at least once, although no_credentials didn't find it: that is a failure. GET /report" in output
    )
    code, output = run(shop, "--watchword-app=shop:app", "-k", "host_field")
    assert code == 0, output


NEEDY = """

@app.post("/refunds")
def refunds():
    return {"refunded": request.get_json()["amount"]}
"""


@pytest.mark.sweep
def test_a_route_on_which_nothing_can_be_tried_fails_unless_the_user_says_so(shop):
    (shop / "shop.py").write_text(
        APP.replace('"/health" and', '"/health" and request.path != "/refunds" and') + NEEDY, "utf-8"
    )
    some = ("-k", "(genuine_request or garbage) and (refunds or orders)")
    code, output = run(shop, "--watchword-app=shop:app", *some)
    assert code == 1
    assert "genuine_request on POST /refunds: nothing could be tried on this route" in output
    assert "the genuine request is answered 500" in output
    assert "untried=['POST /refunds']" in output
    assert ": 1 holes" in output
    conftest = CONFTEST.replace("public=", "untried=['POST /refunds'], public=")
    (shop / "conftest.py").write_text(conftest, "utf-8")
    code, output = run(shop, "--watchword-app=shop:app", *some)
    assert code == 0, output
    assert "it is named in untried= (POST /refunds)" in output
    given = CONFTEST.replace("public=", "bodies={'POST /refunds': {'amount': 7}}, public=")
    (shop / "conftest.py").write_text(given, "utf-8")
    code, output = run(shop, "--watchword-app=shop:app", "-k", "(genuine_request or no_credentials) and refunds")
    assert code == 1
    assert "no_credentials on POST /refunds: no credentials" in output
    assert ": 1 holes" in output
