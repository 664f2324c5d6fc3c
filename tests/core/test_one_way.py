"""There is one way through the guard: one function makes admissions, whatever the scheme and the configuration."""

from __future__ import annotations

import ast
from pathlib import Path

import watchword

SOURCES = sorted(Path(watchword.__file__).parent.rglob("*.py"))


def makers(source: str, name: str) -> list[str]:
    """The functions of `source` that call `name`, by that name or as an attribute, and those that call its constructors."""
    found = []

    def look(node: ast.AST, path: tuple[str, ...]) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            path = (*path, node.name)
        if isinstance(node, ast.Call) and name in (_name(node.func), *(_name(one) for one in _owners(node.func))):
            found.append(".".join(path))
        for child in ast.iter_child_nodes(node):
            look(child, path)

    look(ast.parse(source), ())
    return found


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _owners(node: ast.AST) -> list[ast.AST]:
    """`Admission` in `Admission.of(…)`, `structs.replace(…)` has none."""
    return [node.value] if isinstance(node, ast.Attribute) else []


def test_one_function_makes_admissions() -> None:
    made_by = {(path.name, maker) for path in SOURCES for maker in makers(path.read_text("utf-8"), "Admission")}
    assert len(made_by) == 1, f"admissions are made by {sorted(made_by)}"


def test_the_search_sees_every_form_of_making_one() -> None:
    source = """
class A:
    def one(self): return Admission(None)
async def two(): return core.Admission(None)
def three(): return Admission.of(1)
def none(): return isinstance(1, Admission)
"""
    assert makers(source, "Admission") == ["A.one", "two", "three"]
