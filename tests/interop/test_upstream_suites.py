"""The test suites of the libraries that drop-ins stand for, and of packages built on them, from their released archives."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
import tarfile
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.conftest import ROOT

HERE = Path(__file__).parent / "upstream"
DIFFERENCES: Mapping[str, Mapping[str, str]] = json.loads((HERE / "differences.json").read_text())
GRANTS: Mapping[str, Mapping[str, str]] = json.loads((HERE / "grants.json").read_text())
"""Tests of a suite that need a grant which the drop-in refuses, or does not do yet: by name, with the grant."""
MOST = 0.05
"""The part of a suite that may differ."""
REASONS = ("refused as unsafe", "a private name")
OUTCOME = re.compile(
    r"^(PASSED|FAILED|ERROR|SUBFAILED\S*) (?:\[[^\]]*\] )?(tests/[^\s\[]+(?:\[.*?\](?= - |$))?)", re.MULTILINE
)


class Workshop(NamedTuple):
    """Where archives are unpacked, and the Python that has what their tests need beside what is installed here."""

    folder: Path
    python: Path

    def unpacked(self, requirement: str) -> Path:
        """The released source archive of a project."""
        into = self.folder / requirement.partition("==")[0]
        command = [
            self.python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", into, requirement,
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (archive,) = into.glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(into, filter="data")
        (root,) = (found for found in into.iterdir() if found.is_dir())
        return root

    def tests_of(self, requirement: str) -> Path:
        """A folder with the tests of a project, away from the package that they test."""
        root = self.unpacked(requirement)
        alone = self.folder / f"{root.name}-tests"
        alone.mkdir()
        (root / "tests").rename(alone / "tests")
        return alone

    def outcomes(self, folder: Path, *options: str, **environment: str) -> dict[str, str]:
        """Of each test of `folder`, run there."""
        command = [
            self.python,
            "-m",
            "pytest",
            "-q",
            "-rA",
            "-o",
            "addopts=",
            "-p",
            "no:cacheprovider",
            *options,
            "tests",
        ]
        found = subprocess.run(
            command,
            cwd=folder,
            text=True,
            capture_output=True,
            check=False,
            env={**os.environ, "COLUMNS": "300", **environment},
        )
        assert found.returncode in (0, 1), found.stdout[-3000:] + found.stderr[-3000:]
        return {name: outcome for outcome, name in OUTCOME.findall(found.stdout)}


def bad(outcomes: Mapping[str, str]) -> set[str]:
    return {name for name, outcome in outcomes.items() if outcome != "PASSED"}


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder = tmp_path_factory.mktemp("upstream")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    (site,) = (folder / "venv/lib").glob("python*/site-packages")
    (site / "parent.pth").write_text(sysconfig.get_paths()["purelib"])
    needed = ["pytest-django>=4.9", "freezegun>=1.5", "python-dateutil>=2.9", "python-jose>=3.4", "requests-mock>=1.12"]
    subprocess.run([python, "-m", "pip", "install", "-q", *needed], check=True, stdout=subprocess.DEVNULL)
    return Workshop(folder, python)


ON_PYJWT = {"PYTHONPATH": str(ROOT / "src")}  # the plugin of `watchword.testing` is found there, and does nothing
ON_THE_DROPIN = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(HERE)])}


def test_each_difference_is_a_refusal_of_something_unsafe_or_a_private_name() -> None:
    for suite in DIFFERENCES.values():
        for reason in suite.values():
            assert reason.startswith(REASONS)


def test_pyjwts_own_suite_passes_but_for_what_is_named(workshop: Workshop) -> None:
    alone = workshop.tests_of("pyjwt==2.15.1")
    found = workshop.outcomes(alone, "-p", "jwt_plugin", **ON_THE_DROPIN)
    assert len(found) > 400
    assert bad(found) == set(DIFFERENCES["pyjwt"])
    assert len(bad(found)) <= MOST * len(found)


def test_python_joses_own_suite_passes_but_for_what_is_named(workshop: Workshop) -> None:
    alone = workshop.tests_of("python-jose==3.5.0")
    broken = bad(workshop.outcomes(alone, **ON_PYJWT))  # by what cryptography has changed since
    shipped = workshop.outcomes(alone, "-p", "jose_plugin", **ON_THE_DROPIN)
    named = workshop.outcomes(alone, "-p", "jose_plugin", WATCHWORD_NAME_ALGORITHMS="1", **ON_THE_DROPIN)
    assert len(named) > 450
    assert shipped.keys() == named.keys()
    assert len(broken) <= 1
    assert bad(named) - broken == set(DIFFERENCES["python-jose"])
    assert len(bad(named) - broken) <= MOST * len(named)
    unnamed = set(DIFFERENCES["python-jose without algorithms="])
    assert bad(shipped) - broken == set(DIFFERENCES["python-jose"]) | unnamed


@pytest.mark.parametrize("requirement", ["flask-jwt-extended==4.7.4", "djangorestframework-simplejwt==5.5.1"])
def test_packages_on_pyjwt_fail_no_test_on_the_drop_in_that_they_pass_on_pyjwt(
    requirement: str, workshop: Workshop
) -> None:
    root = workshop.unpacked(requirement)
    on_pyjwt = workshop.outcomes(root, **ON_PYJWT)
    on_ours = workshop.outcomes(root, "-p", "jwt_plugin", **ON_THE_DROPIN)
    assert len(on_pyjwt) > 150
    assert on_ours.keys() >= on_pyjwt.keys()
    assert bad(on_ours) <= bad(on_pyjwt)


def test_flask_httpauths_own_suite_passes_but_for_what_is_named(workshop: Workshop) -> None:
    root = workshop.unpacked("flask-httpauth==4.8.1")
    alone = workshop.folder / "flask-httpauth-tests"
    alone.mkdir()
    (root / "tests").rename(alone / "tests")
    found = workshop.outcomes(alone, "-p", "flask_httpauth_plugin", **ON_THE_DROPIN)
    assert len(found) > 100
    assert bad(found) == set(DIFFERENCES["flask-httpauth"])
    assert len(bad(found)) <= MOST * len(found)


def test_apiflask_fails_no_test_on_the_drop_in_that_it_passes_on_flask_httpauth(workshop: Workshop) -> None:
    needed = ["apiflask==3.1.2", "flask-httpauth==4.8.1", "openapi-spec-validator>=0.7"]
    subprocess.run([workshop.python, "-m", "pip", "install", "-q", *needed], check=True, stdout=subprocess.DEVNULL)
    root = workshop.unpacked("apiflask==3.1.2")
    on_theirs = workshop.outcomes(root, **ON_PYJWT)
    on_ours = workshop.outcomes(root, "-p", "flask_httpauth_plugin", **ON_THE_DROPIN)
    assert len(on_theirs) > 350
    assert on_ours.keys() >= on_theirs.keys()
    assert bad(on_ours) <= bad(on_theirs)


def test_requests_oauthlibs_own_suite_passes_but_for_what_is_named_and_for_other_grants(workshop: Workshop) -> None:
    root = workshop.unpacked("requests-oauthlib==2.0.0")
    alone = workshop.folder / "requests-oauthlib-tests"
    alone.mkdir()
    (root / "tests").rename(alone / "tests")
    # The one test in `examples` drives a browser to an account at an identity provider.
    found = workshop.outcomes(alone, "-p", "requests_oauthlib_plugin", "--ignore=tests/examples", **ON_THE_DROPIN)
    beyond = set(GRANTS["requests-oauthlib"])
    assert beyond <= bad(found)
    here = {name: outcome for name, outcome in found.items() if name not in beyond}
    page = (ROOT / "docs/how-to/replace-requests-oauthlib.md").read_text("utf-8")
    assert f"but for one of {len(here)}, " in page
    assert f"The other {len(beyond)} need" in page
    assert bad(here) == set(DIFFERENCES["requests-oauthlib"])
    assert len(bad(here)) <= MOST * len(here)
