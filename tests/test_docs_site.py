"""The site: its reference names everything that is public, and its text is no markup by accident."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

import watchword
from docs_site.prepare import SECTIONS, WORDS, found_by, index, prepare
from docs_site.reference import MODULES, names_of, page_of

ROOT = Path(__file__).parents[1]
ROOMS_OF_MODULES = ("clients", "servers")
"""What people import from there are its modules, each for one library."""
INNER = {
    "applications", "checked_body", "connections", "decorated", "endpoint_sealing", "judgement", "openapi", "endpoint",
}  # fmt: skip
"""Modules of `servers` that only adapters import, or that a page of `docs/` tells of."""


def test_every_library_that_has_an_adapter_has_a_page():
    for room in ROOMS_OF_MODULES:
        package = import_module(f"watchword.{room}")
        adapters = {module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")}
        assert {f"watchword.{room}.{name}" for name in adapters - INNER} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_of_a_module_is_on_its_page_with_what_it_does(module: str):
    page = page_of(module)
    assert names_of(module)
    for name in names_of(module):
        assert f".. _{module}.{name}:" in page
    assert "0x" not in re.sub(r"0x[0-9a-f]{1,4}\b", "", page), "an address of this process"


def test_the_names_of_the_package_itself_are_all_there():
    assert names_of("watchword") == sorted(watchword.__all__, key=str.lower)


def test_every_page_is_one_step_from_the_first(tmp_path: Path):
    prepare(tmp_path / "source")
    text = index()
    for section in SECTIONS.values():
        for path in (ROOT / "docs" / section).glob("*.md"):
            assert f"\ndocs/{section}/{path.stem}\n" in text
    for listed in re.findall(r"^(?:docs|names|examples)/\S+$|^[A-Z]+$", text, re.MULTILINE):
        assert any((tmp_path / "source" / f"{listed}{ending}").is_file() for ending in (".md", ".rst")), listed
    assert {path.name for path in (ROOT / "docs").iterdir() if path.is_dir()} == set(SECTIONS.values())


def test_what_people_search_for_is_an_entry_of_the_index_on_one_page(tmp_path: Path):
    prepare(tmp_path / "source")
    entry = re.compile(r"^```\{index\} ! single: (.+)$", re.MULTILINE)
    for page, words in WORDS.items():
        own = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
        made = (tmp_path / "source" / "docs" / f"{page}.md").read_text("utf-8")
        assert tuple(entry.findall(made)) == words
        assert made == found_by(words, own)
        assert made.startswith(own.partition("\n")[0] + "\n\n```{index}")
    every = [word for words in WORDS.values() for word in words]
    assert len(every) == len(set(every))


def test_markup_in_a_docstring_is_shown_as_it_is_written(monkeypatch: pytest.MonkeyPatch):
    module = import_module("watchword.effects")
    monkeypatch.setattr(
        module.Sleep, "__doc__", "Waits *long*, by `sleep`s_ or |bars|.\n\nArgs:\n    seconds: how <many>."
    )
    page = page_of("watchword.effects")
    assert r"Waits \*long\*, by ``sleep``\ s\_ or \|bars\|." in page
    assert r"- ``seconds``: how \<many\>." in page
