"""The plugin as a stranger's project has it: found by its entry point, in a process of its own, with warnings as errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.test_house import PYPROJECT, modules_after
from watchword.testing import plugin

ALONE = {"watchword", "watchword.testing", "watchword.testing.plugin"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder for a stranger's tests, and beside it what an installed watchword says of itself."""
    said = tmp_path / "installed" / f"watchword-{PYPROJECT['project']['version']}.dist-info"
    said.mkdir(parents=True)
    (said / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: watchword\nVersion: {PYPROJECT['project']['version']}\n"
    )
    points = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in named.items())
        for group, named in PYPROJECT["project"]["entry-points"].items()
    ]
    (said / "entry_points.txt").write_text("\n".join(points))
    (said / "RECORD").write_text("watchword/__init__.py,,\n")  # pytest rewrites the assertions of what is listed here
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pytest.ini").write_text(
        "[pytest]\nfilterwarnings = error\naddopts = -p no:cacheprovider -p no:randomly\n"
    )
    return folder


def run(project: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (project / "test_theirs.py").write_text(text)
    paths = [str(project.parent / "installed"), str(project), *sys.path]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV"))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", *options],
        cwd=project, env={**environment, "PYTHONPATH": os.pathsep.join(paths)}, capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip


INERT = f"""
import sys

def test_nothing_is_there_that_nobody_asked_for(request):
    assert {{name for name in sys.modules if name.startswith("watchword")}} == {ALONE!r}
    assert not [name for name in request.fixturenames if "watchword" in name]
    assert request.config.pluginmanager.get_plugin("watchword").__name__ == "watchword.testing.plugin"
"""

IN_USE = """
from watchword import BearerAuth, Guard, Policy, Reason
from watchword.testing import assert_accepted, assert_refused, signed

def test_their_guard(watchword_issuer, watchword_clock, watchword_random):
    guard = Guard([watchword_issuer.verifier()], policy=Policy(clock=watchword_clock, random=watchword_random))
    request = signed(BearerAuth(watchword_issuer.token("alice")))
    assert_accepted(guard, *request, subject="alice")
    watchword_clock.advance(301)
    assert_refused(guard, *request, reason=Reason.EXPIRED)

def test_every_test_has_an_issuer_of_its_own(watchword_issuer, watchword_clock):
    assert watchword_issuer.clock is watchword_clock
    assert (watchword_clock.now, watchword_issuer.asked) == (1_700_000_000.0, [])

def test_one_over_a_socket(watchword_loopback_issuer):
    guard = Guard([watchword_loopback_issuer.verifier()], policy=Policy(clock=watchword_loopback_issuer.clock))
    assert_accepted(guard, *signed(BearerAuth(watchword_loopback_issuer.token("alice"))))
"""


def test_the_plugin_alone_loads_nothing_else_of_watchword() -> None:
    loaded = modules_after("import watchword.testing.plugin")
    assert {name for name in loaded if name.startswith("watchword")} == ALONE
    assert not loaded & {"cryptography", "msgspec", "hypothesis"}


def test_the_plugin_is_inert_where_nobody_uses_it(project: Path) -> None:
    done = run(project, INERT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_fixtures_work_with_warnings_as_errors_and_plain_assertions(project: Path) -> None:
    done = run(project, IN_USE, "--assert=plain")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")])
@pytest.mark.sweep
def test_its_fixtures_work_under_xdist_and_the_coverage_of_their_package_misses_none_of_its_lines(
    project: Path, options: tuple[str, ...]
) -> None:
    (project / "theirs").mkdir()
    (project / "theirs" / "__init__.py").write_text("from watchword import Policy\n\nPOLICY = Policy()\n")
    text = f"from theirs import POLICY\n{IN_USE}"
    done = run(project, text, *options, "--cov=theirs", "--cov-report=term", "--cov-fail-under=100")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "100%" in done.stdout
    assert "watchword" not in done.stdout


def test_a_failure_shows_the_explanation_and_not_the_kit(project: Path) -> None:
    text = """
from watchword.testing import SchemeSetup, assert_accepted

def test_it():
    setup = SchemeSetup.of("hmac")
    assert_accepted(setup.guard, *setup.forged())
"""
    done = run(project, text)
    assert done.returncode == 1, done.stderr
    assert "AssertionError: refused: wrong_signature; the test expects it to be accepted" in done.stdout
    assert "FAIL mac" in done.stdout
    assert "asserting.py" not in done.stdout


def test_every_name_of_the_plugin_is_prefixed_and_documented(project: Path) -> None:
    done = run(project, "", "--fixtures")
    found = {line.split(" ")[0] for line in done.stdout.splitlines() if "watchword/testing/plugin.py" in line}
    assert found == set(plugin.__all__)
    assert all(name.startswith("watchword_") for name in found)
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "test-your-app.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in found)
