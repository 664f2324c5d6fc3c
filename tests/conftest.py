"""What every test has: hashes that cost nothing, and Hypothesis without a stopwatch.

`HYPOTHESIS_PROFILE` says how many examples a property is tried with: `dev` (the default) a fifth, `ci` (`.ci/run`) what the
test names or a hundred, `deep` twenty times that. A test that wants another number than its neighbours says it by
`tests.examples_of.examples`.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests import examples_of, hash_costs

examples_of.load_profile()
pytest.register_assert_rewrite("watchword.testing.conformance")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Around the fixtures too, whatever their scope, so that what hashes and what verifies have one cost."""
    if isinstance(item, pytest.DoctestItem) or item.get_closest_marker("real_cost"):
        return (yield)
    with hash_costs.cheap():
        return (yield)
