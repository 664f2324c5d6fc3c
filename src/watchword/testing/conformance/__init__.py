"""The promises that a scheme and a store have to keep, as tests that pytest collects: subclass, say what is yours, run.

| class | whose promises |
|---|---|
| `SchemeConformance` | a scheme of your own: `case` is its `SchemeCase` |
| `StoreConformance` | a store of your own: `make` makes an empty one |

The schemes and stores of watchword are tested by these classes. They need the extra `testing`, pytest and Hypothesis.
"""

from __future__ import annotations

from watchword.core.rejection import not_installed

try:
    import hypothesis  # noqa: F401 -- both are asked for here, so that the error says what to install
    import pytest  # noqa: F401
except ImportError:
    raise not_installed("testing") from None

from watchword.testing.conformance.schemes import SchemeConformance
from watchword.testing.conformance.stores import StoreConformance

__all__ = ["SchemeConformance", "StoreConformance"]
