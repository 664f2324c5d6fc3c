"""The house itself: the public surface, what an import costs, and the rules that every module keeps."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.patience import PATIENCE
import watchword
from watchword.core.rejection import Reason
from watchword.schemes import SCHEMES

ROOT = Path(__file__).parents[1]
PACKAGE = Path(watchword.__file__).parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WALK = pkgutil.walk_packages([str(PACKAGE)], "watchword.")
MODULES = ["watchword", *(module.name for module in WALK if not module.name.endswith("__main__"))]  # those run
# What an extra installs; none of it may be loaded before it is asked for.
EXTRAS = {"requests", "httpx", "httpx2", "sqlalchemy", "aiosqlite", "sqlite3", "redis", "typer", "rich", "granian"}
EXTRAS |= {"psycopg", "alembic"}
EXTRAS |= {"fastapi", "starlette", "litestar", "aiohttp", "urllib3"}
EXTRAS |= {"bcrypt", "passlib", "precis_i18n"}  # the last one is the core's, for what is not ASCII


def table_rows(page: str) -> list[list[str]]:
    """The cells of every table row of a page whose first cell is a name in backquotes."""
    lines = (ROOT / page).read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return [[row[0].strip("`"), *row[1:]] for row in rows]


def modules_after(program: str) -> set[str]:
    """What a fresh interpreter has loaded after running `program`."""
    program += "\nimport sys\nfor name in sorted(sys.modules): print(name)"
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT)
    return set(answer.stdout.split())


# ---- the public surface ----------------------------------------------------------------------------------------------


def test_the_public_names_are_those_that_have_a_home_and_those_that_are_documented():
    assert watchword.__all__ == sorted(watchword.__all__)
    assert set(watchword.__all__) == set(watchword._HOMES)
    assert sorted(row[0] for row in table_rows("docs/reference/names.md")) == watchword.__all__


@pytest.mark.parametrize("name", watchword.__all__)
def test_every_public_name_comes_from_its_home(name):
    assert getattr(watchword, name).__module__.startswith(f"watchword.{watchword._HOMES[name]}")
    assert name in dir(watchword)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'BasicAut'"):
        _ = watchword.BasicAut


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_every_row_of_schemes_names_the_module_that_explains_its_claims(scheme):
    explanation = importlib.import_module(f"watchword.schemes.{scheme.explanation}")
    assert explanation.EXPLAINERS
    for claim, account in explanation.EXPLAINERS.items():
        assert {"needs", "body", "slow", "decide"} <= set(dir(claim))
        assert account.__module__ == explanation.__name__


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_every_row_of_schemes_names_two_real_halves(scheme):
    module = importlib.import_module(f"watchword.schemes.{scheme.module}")
    assert inspect.isclass(getattr(watchword, scheme.auth))
    assert getattr(module, scheme.verifier).scheme == scheme.name


def test_the_version_is_the_distributions_and_the_changelogs():
    assert watchword.__version__ == PYPROJECT["project"]["version"]
    newest = re.search(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == watchword.__version__


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()


# ---- what an import costs --------------------------------------------------------------------------------------------


def test_importing_watchword_loads_nothing_heavy():
    loaded = modules_after("import watchword")
    assert not loaded & {*EXTRAS, "asyncio", "cryptography", "msgspec", "ssl", "socket"}
    assert {name for name in loaded if name.startswith("watchword")} == {"watchword"}


def test_the_guard_and_its_errors_load_no_asyncio_and_no_extra():
    loaded = modules_after("from watchword import Guard, Identity, Policy, Reason, Rejected, Request, StoreUnavailable")
    assert not loaded & {*EXTRAS, "asyncio", "cryptography", "ssl", "socket"}


def test_every_public_name_together_loads_no_extra_no_asyncio_and_no_asymmetric_cryptography():
    loaded = modules_after("import watchword\nfor name in watchword.__all__: getattr(watchword, name)")
    assert not loaded & {*EXTRAS, "asyncio"}
    assert not {name for name in loaded if name.startswith("cryptography.hazmat.primitives.asymmetric")}


def test_no_scheme_loads_its_explanation():
    loaded = modules_after("import watchword\nfor name in watchword.__all__: getattr(watchword, name)")
    assert not loaded & {f"watchword.schemes.{scheme.explanation}" for scheme in SCHEMES}


def test_a_shared_secret_needs_no_asymmetric_cryptography():
    loaded = modules_after(
        "from watchword import Key, JWTVerifier, Rejected\n"
        "key = Key.from_secret(b'k' * 32, algorithm='HS256')\n"
        "key.verify(b'data', key.sign(b'data'))\n"
        "JWTVerifier(key)\n"
    )
    assert not {name for name in loaded if name.startswith("cryptography.hazmat.primitives.asymmetric")}


def test_a_store_in_memory_loads_no_half_of_a_scheme_no_password_hash_and_no_asymmetric_cryptography():
    loaded = modules_after("from watchword.stores import MemoryStore\nMemoryStore().add_api_key('billing')")
    assert not loaded & {*EXTRAS, "asyncio", "ssl", "socket", "cryptography"}
    assert not loaded & {f"watchword.schemes.{scheme.module}" for scheme in SCHEMES}


def test_importing_watchword_costs_a_quarter_of_its_primitives_at_most():
    """Counted in calls, by fresh interpreters: a clock would show the noise of the machine."""

    def cost(module):
        program = f"from tests.counting import steps\nprint(steps(lambda: __import__({module!r}, fromlist=[''])))"
        command = [sys.executable, "-c", program]
        return int(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)

    ours = cost("watchword")
    primitives = cost("cryptography.hazmat.primitives.hmac") + cost("msgspec")
    assert 4 * ours < primitives


# ---- the reasons -----------------------------------------------------------------------------------------------------


def test_every_reason_is_documented_with_its_status_and_nothing_else_is():
    documented = {row[0]: row[1] for row in table_rows("docs/reference/reasons.md")}
    assert documented == {reason.value: str(reason.status) for reason in Reason}


def test_every_documented_reason_says_what_it_means_and_what_to_do():
    for name, _, meaning, mend in table_rows("docs/reference/reasons.md"):
        assert meaning, name
        assert mend, name


# ---- the rules that every module keeps -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_and_documents_what_it_offers(name):
    if name == "watchword.cli.__main__":
        return
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(), f"{name} has no docstring"
    for public, value in vars(module).items():
        ours = getattr(value, "__module__", None) == name and (inspect.isclass(value) or inspect.isfunction(value))
        if ours and not public.startswith("_"):
            assert (value.__doc__ or "").strip(), f"{name}.{public} has no docstring"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_adapter_is_short_and_no_module_shadows_another(path):
    lines = len(path.read_text("utf-8").splitlines())
    room = path.relative_to(PACKAGE).parts[0]
    if room in ("clients", "servers"):
        assert lines < 150, f"{lines} lines; adapters know no scheme, so they are short"
    assert path.stem not in {"hmac", "http", "token", "secrets", "ssl", "socket"}
    assert path.stem != "utils" or room == "dropin"  # where the names are those of the libraries it stands in for
    assert path.parent.name != "http"


# ---- the walls -------------------------------------------------------------------------------------------------------

CIRCULAR: set[str] = set()
"""Packages whose circles are still to be opened."""


def imported_by(source: str, known: set[str]) -> set[str]:
    """The modules among `known` that a module imports anywhere: at its top, under TYPE_CHECKING, inside functions."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None and node.level == 0, "imports are absolute"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            named |= inner
            if not inner <= known:  # a name of the module itself
                named.add(node.module)
    return named & known


def circle_in(sources: dict[str, str]) -> list[str]:
    """One circle among modules, as the way through it; empty if there is none."""
    graph = {name: imported_by(source, set(sources)) - {name} for name, source in sources.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def module_name(path: Path) -> str:
    """The dotted name of a file of the package."""
    parts = ("watchword", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_import_circle_typing_and_function_level_imports_included():
    paths = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in CIRCULAR]
    sources = {module_name(path): path.read_text("utf-8") for path in paths}
    assert len(sources) > 150
    assert circle_in(sources) == []


@pytest.mark.parametrize(
    "back",
    [
        "from watchword.a import A",
        "import watchword.a",
        "from watchword import a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from watchword.a import A",
        "def f():\n    from watchword.a import A  # noqa: PLC0415",
        "from watchword import B, a",
    ],
)
def test_the_search_for_circles_sees_every_form_of_an_import(back):
    sources = {"watchword": "", "watchword.a": "from watchword.b import B", "watchword.b": back}
    assert set(circle_in(sources)) == {"watchword.a", "watchword.b"}
    assert circle_in({**sources, "watchword.b": "from watchword import B"}) == []


# ---- types and tests -------------------------------------------------------------------------------------------------


@pytest.mark.sweep
def test_the_typed_examples_type_check():
    """tests/typing holds programs that must type-check; a `type: ignore` in them that is not needed is an error."""
    answer = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--cache-dir", "/dev/null", "tests/typing"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_make_test_forgets_no_folder_of_tests():
    apart = {"interop", "conformance", "typing", "vectors"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("test_*.py"))}
    named = PYPROJECT["tool"]["pytest"]["ini_options"]["testpaths"]
    assert {f"tests/{name}" for name in folders - apart} <= set(named)
    assert not {f"tests/{name}" for name in apart} & set(named)


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r"\btime\.(monotonic|perf_counter|process_time|thread_time)", "count calls (tests.counting)"),
        (r"(?m)^[A-Z_]+ = .*(Password\.hash|hash_password)\(", "a module's hash is a tests.hash_costs.cheap_password"),
    ],
)
def test_no_test_is_slow_or_depends_on_the_machines_speed(pattern, instead):
    for path in (ROOT / "tests").rglob("*.py"):
        if "interop" not in path.parts and path != Path(__file__):
            assert not re.search(pattern, path.read_text("utf-8")), f"{path.relative_to(ROOT)}: {instead}"


# Where a distribution's module has another name.
IMPORTED_AS = {"libpass": "passlib", "precis-i18n": "precis_i18n"}


def test_every_extra_installs_something_that_a_module_uses():
    used = json.dumps(
        [path.read_text("utf-8") for path in [*PACKAGE.rglob("*.py"), *(ROOT / "examples").rglob("*.py")]]
    )
    for extra, requirements in PYPROJECT["project"]["optional-dependencies"].items():
        for requirement in requirements:
            if extra != "all":
                package = re.split(r"[<>=[]", requirement)[0]
                package = IMPORTED_AS.get(package, package)
                assert re.search(rf"\b{package}\b", used), f"nothing uses {package}, which the extra {extra} installs"
