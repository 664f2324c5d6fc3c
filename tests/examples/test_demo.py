"""The demo judges rightly: it passes on the API as it is, and its judge sees a wrong verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.api.settings import new_settings
from examples.demo.__main__ import judge
from examples.demo.attacks import ATTACKS, NOT_COVERED, Attack
from examples.demo.http_clients import Answer, HttpClient
from tests import valkey
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.mark.sweep
def test_the_demo_passes_and_shows_reasons() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout
    for word in ("replayed", "stale_nonce", "wrong_body", "wrong_target", "not covered"):
        assert word in done.stdout


@pytest.mark.sweep
def test_the_demo_gives_the_same_verdicts_on_valkey() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--store", f"{valkey.shared().tcp_url}/1"], cwd=ROOT, capture_output=True, text=True,
        timeout=PATIENCE, check=False, env={**os.environ, "WATCHWORD_SECRETS": "x" * 32},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout


@pytest.mark.parametrize(
    ("attack", "status", "reason", "body", "right"),
    [
        ("genuine", 200, "null", b'{"scheme": "hmac"}', True),
        ("genuine", 200, "null", b'{"scheme": "basic"}', False),
        ("genuine", 401, '"expired"', b"", False),
        ("replayed", 401, '"replayed"', b"", True),
        ("replayed", 200, "null", b'{"scheme": "hmac"}', False),
        ("replayed", 500, "null", b"", False),
        ("other header", 200, "null", b'{"scheme": "hmac"}', True),
        ("other header", 401, '"wrong_signature"', b"", False),
    ],
)
def test_a_verdict_that_the_scheme_does_not_promise_is_wrong(
    tmp_path: Path, attack: str, status: int, reason: str, body: bytes, right: bool
) -> None:
    log = tmp_path / "verdicts.jsonl"
    log.write_text(f'{{"reason": {reason}}}\n')
    settings = new_settings("http://127.0.0.1:1", "sqlite://", str(log))
    promise = next(known.promise for known in ATTACKS if known.name == attack)
    fake = Attack(attack, promise, lambda client, name, settings, url: Answer(status, (), body))
    result = judge("hmac", fake, HttpClient(), settings)
    assert result.right is right
    if attack == "other header" and right:
        assert result.words == NOT_COVERED
