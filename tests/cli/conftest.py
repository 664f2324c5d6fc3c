"""The command line as a shell sees it: in this process, which is fifty times as quick, or in one of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from watchword.cli import main


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Shell = Callable[..., Done]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and no colours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("WATCHWORD_STORE", raising=False)
    monkeypatch.delenv("WATCHWORD_SECRETS", raising=False)
    return tmp_path


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """`watchword` with these arguments, called as its entry point calls it."""

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        capsys.readouterr()
        with io.TextIOWrapper(io.BytesIO(stdin)) as given, monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["watchword", *arguments])
            patch.setattr(sys, "stdin", given)
            with pytest.raises(SystemExit) as ended:
                main()
        shown = capsys.readouterr()
        return Done(int(ended.value.code or 0), shown.out, shown.err)

    return run


@pytest.fixture
def process() -> Shell:
    """`python -m watchword` with these arguments."""

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        command = [sys.executable, "-m", "watchword", *arguments]
        done = subprocess.run(command, capture_output=True, input=stdin, env=os.environ, check=False)
        assert b"Traceback" not in done.stderr
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
