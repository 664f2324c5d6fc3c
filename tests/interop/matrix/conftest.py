"""The programs in `sites` are for the processes that run them: looking for doctests would start them here."""

import pytest

collect_ignore = ["sites"]
pytest.register_assert_rewrite("tests.interop.matrix.checks")  # so that a failed cell says what was found instead
