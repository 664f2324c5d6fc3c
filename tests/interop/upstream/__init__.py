"""Test suites of other projects, run from their released archives against the drop-ins."""
