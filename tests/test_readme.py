"""The README holds what it promises to somebody who has nothing else: each block alone, with what its pip line installs."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
[EXTRAS] = [line.split(",") for line in re.findall(r"^\$ pip install 'watchword\[(.+)\]'$", TEXT, re.MULTILINE)]
[SERVE] = re.findall(r"^\$ (.+ app:app)$", TEXT, re.MULTILINE)
SERVED_AT = "127.0.0.1:8000"  # where the server of that line listens if it isn't told otherwise
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
# A block runs as a program of its own that can't import what the pip line does not install.
ALONE = """
import runpy, sys
block, *absent = sys.argv[1:]
sys.modules.update(dict.fromkeys(absent))
runpy.run_path(block, run_name="__main__")
"""


def installed_by(extras):
    """The names of all distributions that `pip install watchword[extras]` brings, beside watchword."""
    wanted = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    found = {}
    while wanted:
        requirement = Requirement(wanted.pop())
        name = canonicalize_name(requirement.name)
        asked = {"", *requirement.extras}
        if asked <= found.get(name, set()):
            continue
        found.setdefault(name, set()).update(asked)
        for line in importlib.metadata.requires(name) or ():
            marker = Requirement(line).marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in asked):
                wanted.append(line.partition(";")[0])
    return set(found)


EVERYTHING = installed_by(set(PROJECT["optional-dependencies"]) - {"all"})
INSTALLED = installed_by(EXTRAS)
ABSENT = [
    module
    for module, names in importlib.metadata.packages_distributions().items()
    if {canonicalize_name(name) for name in names} <= EVERYTHING - INSTALLED
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The line that serves the app, run beside the block above it; only the port is another one."""
    folder = tmp_path_factory.mktemp("served")
    [app] = [block for block in BLOCKS if "protect(app, guard)" in block]
    (folder / "app.py").write_text(app, "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", *shlex.split(SERVE), "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, **quiet) as server:
        try:
            while not answers(port):
                assert server.poll() is None, f"{SERVE} ended with {server.returncode}"
                time.sleep(0.05)
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(PATIENCE)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_each_block_runs_alone_with_what_the_pip_line_installs(number, address, tmp_path):
    (tmp_path / "block.py").write_text(BLOCKS[number].replace(SERVED_AT, address), "utf-8")
    command = [sys.executable, "-W", "error", "-c", ALONE, "block.py", *ABSENT]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_a_block_asks_the_server_that_the_readme_starts():
    assert any(SERVED_AT in block and "assert" in block for block in BLOCKS)


def test_the_pip_line_brings_the_server_and_few_other_packages():
    assert SERVE.split()[0] in INSTALLED
    assert {"sqlalchemy", "typer", "bcrypt"} <= EVERYTHING - INSTALLED
    assert len(INSTALLED) <= 25  # "some twenty packages"; what they depend on may grow a little
