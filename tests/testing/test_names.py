"""The public names of the kit: each has a home and a row in the documentation, and none is loaded before it is asked for."""

from __future__ import annotations

import re

import pytest

import watchword.testing
from tests.test_house import ROOT, modules_after


def test_the_public_names_are_those_that_have_a_home_and_those_that_are_documented() -> None:
    assert watchword.testing.__all__ == sorted(watchword.testing.__all__)
    assert set(watchword.testing.__all__) == set(watchword.testing._HOMES)
    _, _, section = (ROOT / "docs" / "reference" / "names.md").read_text("utf-8").partition("\n## For tests\n")
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| [")]
    assert sorted(name for cell in cells for name in re.findall(r"`(\w+)`", cell)) == watchword.testing.__all__


@pytest.mark.parametrize("name", watchword.testing.__all__)
def test_every_public_name_comes_from_its_home(name: str) -> None:
    assert getattr(watchword.testing, name).__module__ == f"watchword.testing.{watchword.testing._HOMES[name]}"
    assert name in dir(watchword.testing)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Clocks'"):
        _ = watchword.testing.Clocks  # type: ignore[attr-defined]


def test_the_kit_loads_nothing_of_watchword_before_a_name_is_asked_for() -> None:
    loaded = modules_after("import watchword.testing")
    assert {name for name in loaded if name.startswith("watchword")} == {"watchword", "watchword.testing"}
