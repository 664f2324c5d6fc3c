"""A pytest plugin: `import jose` is the drop-in, as `watchword.dropin.install` makes it.

python-jose's own tests of claims call `jwt.decode` without `algorithms=`, which the drop-in refuses. With WATCHWORD_NAME_ALGORITHMS
in the environment such calls name those that the tests sign with, so that what they try of claims is tried here as well; all else
is what users get.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from watchword.dropin import install
from watchword.dropin.jose import jwt

HMAC = ["HS256", "HS384", "HS512"]
refusing = jwt.decode


def naming(token: str, key: Any, algorithms: Any = None, **arguments: Any) -> dict[str, Any]:
    return refusing(token, key, HMAC if algorithms is None else algorithms, **arguments)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before anything of the suite is imported."""
    install("jose")
    if "WATCHWORD_NAME_ALGORITHMS" in os.environ:
        jwt.decode = naming
