"""Every cause that an explanation can name has its part of `docs/reference/causes.md`, with an example that gives it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import watchword
from watchword.core.rejection import Reason
from watchword.core.scheme import Check
from watchword.schemes.explaining.program import Explanation
from watchword.schemes.explaining.remedies import CAUSES, page_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/causes.md").read_text("utf-8")
SECTION = re.compile(r"^### ([^\n]+)\n\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(PAGE))
MAKERS = {"Check", "ClaimCheck", "Asked", "causes", "_tried", "_same", "current", "step", "note"}
"""What makes a check, or has one made: its first argument is the name."""
NEVER_FAIL = {"account", "agent", "canonical string", "other records", "session"}
"""Checks that say what is not known, or that something is so; and what `compare` gives, which is no cause."""


def names_in(source: str) -> Iterator[str]:
    """The first arguments of what makes checks; and the texts of which one is chosen as a name for it."""
    nodes = [*ast.walk(ast.parse(source))]
    calls = [node for node in nodes if isinstance(node, ast.Call) and node.args]
    firsts = [call.args[0] for call in calls if getattr(call.func, "id", getattr(call.func, "attr", "")) in MAKERS]
    named = any(isinstance(first, ast.Name) and first.id == "name" for first in firsts)
    assigned = [node for node in nodes if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "name"]
    firsts += [node.value for node in assigned if named]
    for first in firsts:
        yield from texts_of(first)


def texts_of(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from texts_of(node.body)
        yield from texts_of(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value


PACKAGE = Path(watchword.__file__).parent
SOURCES = [*(PACKAGE / "schemes").rglob("*.py"), PACKAGE / "core/attempts.py"]


def test_every_cause_that_the_code_can_name_is_known() -> None:
    named = {name for path in SOURCES for name in names_in(path.read_text("utf-8"))}
    assert named - NEVER_FAIL <= CAUSES
    assert len(named & CAUSES) > 40


def test_nothing_is_known_that_the_code_can_not_name() -> None:
    texts = {
        node.value
        for path in SOURCES
        if path.name != "remedies.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
    }
    assert texts >= CAUSES


def test_every_known_cause_has_its_part_of_the_page_and_no_other_has() -> None:
    assert set(SECTIONS) == CAUSES


@pytest.mark.parametrize("name", sorted(CAUSES))
def test_every_part_says_what_to_do_and_has_an_example_that_gives_the_cause(name: str) -> None:
    """That the example runs, `tests/test_docs.py` proves with all blocks of all pages."""
    text, _, code = SECTIONS[name].partition("```python\n")
    assert len(text.split()) > 8
    assert re.search(rf'^assert (causes\(.*\)\[0\] == "{name}"|"{name}" in causes\(.*\))$', code, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(CAUSES))
def test_the_text_of_an_explanation_leads_to_its_part(name: str) -> None:
    told = Explanation(False, Reason.WRONG_SIGNATURE, checks=[Check(name, False, "here", "a", "b", "mend it")])
    page, _, anchor = told.page.partition("#")
    assert f"\nmore: {told.page}\n" in str(told)
    assert (ROOT / page).is_file()
    assert anchor in {heading.lower().replace(" ", "-") for heading in SECTIONS}


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_that_is_a_cause_by_itself_leads_to_its_row(reason: Reason) -> None:
    page, _, anchor = page_of("", reason).partition("#")
    assert f'<a id="{anchor}"></a>' in (ROOT / page).read_text("utf-8")


def test_what_is_accepted_leads_nowhere() -> None:
    assert Explanation(True).page == ""
    assert "more:" not in str(Explanation(True))
