"""The article's five programs run, as a reader would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
PROGRAMS = ("basic_auth", "digest_auth", "oauth2", "json_web_token", "hmac_signature")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_runs_and_shows_a_refused_forgery(name: str) -> None:
    command = [sys.executable, "-W", "error", f"examples/article/{name}.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "200 " in done.stdout
    assert "refused" in done.stdout


@pytest.mark.parametrize("name", ["json_web_token", "hmac_signature"])
def test_the_articles_short_key_is_refused_with_its_mend(name: str) -> None:
    command = [sys.executable, "-m", f"examples.article.{name}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    line = next(line for line in done.stdout.splitlines() if line.startswith("the article's key:"))
    assert "15" in line
    assert "32" in line
    assert "Key.generate" in line
