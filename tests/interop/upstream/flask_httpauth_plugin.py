"""A pytest plugin: `import flask_httpauth` is the drop-in, as `watchword.dropin.install` makes it."""

from __future__ import annotations

import pytest

from watchword.dropin import install


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before anything of the suite is imported."""
    install("flask_httpauth")
