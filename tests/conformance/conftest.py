"""Where the published suites are: the folder that WATCHWORD_VECTORS names. A missing suite is a failure, never a skip."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "WATCHWORD_VECTORS"
HELP = "tests/conformance/README.md says where each suite can be had and how the folder is laid out"


def vectors(*parts: str) -> Path:
    """The path of a suite, or of a file in it: `vectors("www-authenticate", "chromium_tokenizer.json")`.

    Callable while tests are collected (to parametrise) and while they run.

    Raises:
        pytest.UsageError: the variable isn't set, or there is nothing at that path.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise pytest.UsageError(f"the conformance tests need {VARIABLE}=<folder of the published suites>; {HELP}")
    path = Path(folder, *parts).resolve()
    if not path.exists():
        raise pytest.UsageError(f"{VARIABLE} names no folder with {'/'.join(parts) or 'anything in it'}; {HELP}")
    return path


def load(*parts: str) -> Any:
    """The JSON file at `vectors(*parts)`."""
    return json.loads(vectors(*parts).read_text(encoding="utf-8"))
