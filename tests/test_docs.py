"""The documentation is true: its Python runs, its commands exist, its links lead somewhere."""

from __future__ import annotations

import os
import pkgutil
import re
import shlex
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from sybil.document import Document
from sybil.parsers.markdown import PythonCodeBlockParser

import watchword
from tests.patience import PATIENCE
from watchword import BasicVerifier, DigestVerifier, Guard
from watchword.core.io import IO
from watchword.schemes import SCHEMES
from watchword.servers.wsgi import identity, protect
from watchword.stores import MemoryStore

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(r"^```(\w*)$(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
# Blocks in these languages are shown, not run: configuration of other programs, messages, output, pictures.
SHOWN = {"text", "json", "http", "nginx", "apache", "javascript", "toml"}
# Commands are not run either (they would run this test, or install into it), but each must be of one of these kinds.
COMMANDS = [
    re.compile(r"make (?P<targets>[a-z]+( [a-z]+)*)$"),
    re.compile(r"make PYTHON=\S+ (?P<targets>[a-z]+)$"),
    re.compile(r"make conformance WATCHWORD_VECTORS=\S+$"),
    re.compile(r"pip install '?watchword(\[(?P<extras>[a-z0-9,]+)\])?'?$"),
    re.compile(r"\.venv/bin/python -m (?P<module>examples\.[a-z_.]+)( .*)?$"),
    re.compile(r"pytest --watchword-app=\S+$"),
    re.compile(r"watchword (?P<verb>[a-z]+)( .*)?$"),
    re.compile(r"granian --interface asginl app:app$"),
    re.compile(r"(git clone|cd|curl) .*$"),
]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]


def page_id(path: Path) -> str:
    return str(path.relative_to(ROOT))


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    """The address that every page may use: a server that knows alice, by Digest and Basic, and says who asks."""
    store = MemoryStore()
    store.add_user("alice", "open sesame", realm="docs", scopes=("read",))

    def hello(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"hello {identity(environ).subject}".encode()]

    app = protect(hello, Guard([DigestVerifier(realm="docs"), BasicVerifier(realm="docs")], store))
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


ALONE = [ROOT / "docs" / "how-to" / "protect-a-django-app.md"]  # a process has one project of Django's
FILES = ROOT / "docs" / "tutorial" / "first-ten-minutes.md"  # its blocks are the files that it says to save
TOGETHER = [
    page for page in PAGES[1:] if page not in [*ALONE, FILES]
]  # README's blocks run alone, in tests/test_readme.py


@pytest.mark.parametrize("page", ALONE, ids=page_id)
def test_every_python_block_of_a_page_runs_in_a_process_of_its_own(page, tmp_path):
    program = "\n".join(block for language, block in FENCE.findall(page.read_text("utf-8")) if language == "python")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_files_of_the_first_ten_minutes_run_beside_their_server(tmp_path):
    text = FILES.read_text("utf-8")
    names = re.findall(r"^Save this as `(\w+\.py)`|\bSave this as `(\w+\.py)` and run", text, re.MULTILINE)
    blocks = [block for language, block in FENCE.findall(text) if language == "python"]
    [serve] = re.findall(r"^\$ (granian .+)$", text, re.MULTILINE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name, block in zip((one or other for one, other in names), blocks, strict=True):
        (tmp_path / name).write_text(block.replace("127.0.0.1:8000", f"127.0.0.1:{port}"), "utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", *shlex.split(serve), "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **quiet) as server:
        try:
            while not listens(port):
                assert server.poll() is None, f"{serve} ended with {server.returncode}"
                time.sleep(0.05)
            for program in ("client.py", "why.py"):
                done = subprocess.run(
                    [sys.executable, "-W", "error", program],
                    cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
                )  # fmt: skip
                assert done.returncode == 0, done.stderr
        finally:
            server.terminate()
            server.wait(PATIENCE)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("page", TOGETHER, ids=page_id)
def test_every_python_block_of_a_page_runs(page, url, tmp_path, monkeypatch):
    """The blocks of a page are one program, run from top to bottom in an empty folder."""
    monkeypatch.chdir(tmp_path)
    document = Document.parse(str(page), PythonCodeBlockParser())
    document.namespace |= {"url": url, "__name__": "__main__"}
    try:
        for example in document.examples():
            example.evaluate()
    finally:
        for value in document.namespace.values():
            if type(value).__module__.startswith("watchword.stores") and hasattr(value, "close"):
                value.close()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_block_of_a_page_is_python_or_a_known_command_or_shown_only(page):
    text = page.read_text("utf-8")
    assert text.count("\n```") % 2 == 0, "a fence is not closed"
    for language, block in FENCE.findall(text):
        assert language in {"python", "console", *SHOWN}, f"a block is in {language or 'no language'}"
        if language == "console":
            check_commands(block)


def check_commands(block):
    commands = [line[2:].split(" #")[0].strip() for line in block.splitlines() if line.startswith("$ ")]
    assert commands, f"a console block without a command: {block}"
    for command in commands:
        found = next((kind.match(command) for kind in COMMANDS if kind.match(command)), None)
        assert found, f"not a known kind of command: {command}"
        named = found.groupdict()
        makefile = (ROOT / "Makefile").read_text("utf-8")
        for target in (named.get("targets") or "").split():
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make has no target {target}"
        assert set(filter(None, (named.get("extras") or "").split(","))) <= set(EXTRAS)
        if module := named.get("module"):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"there is no {module}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_inside_the_documentation_leads_somewhere(page):
    for target in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.partition("#")[0]).exists(), f"{target} does not exist"


# Decisions say what was decided when; the older ones may name modules that have moved since.
SINCE = "0026"
TO_COME = re.compile(r"/(test_)?x(_explain)?(\.py)?$")  # of the scheme that CONTRIBUTING.md tells how to add
PACKAGE = Path(watchword.__file__).parent  # of the wheel, where that is tested
ROOMS = "|".join(sorted(room.name for room in PACKAGE.iterdir() if room.is_dir()))
PATH = re.compile(r"\b(?:src/watchword|tests|examples|bench|scripts)/[\w./-]*\w")
MODULE = re.compile(r"(?<![\w.-])watchword(?:\.[A-Za-z_]\w*)+(?![\w/-])")
IN_A_ROOM = re.compile(rf"`((?:{ROOMS})(?:\.[A-Za-z_]\w*)+|(?:{ROOMS})(?:/\w+)+(?:/|\.py))`")


CURRENT = [page for page in PAGES if page.name >= SINCE or page.parent.name != "decisions"]
CURRENT.remove(ROOT / "CHANGELOG.md")  # it tells of modules that are gone


@pytest.mark.parametrize("page", CURRENT, ids=page_id)
def test_every_path_and_module_that_a_page_names_exists(page):
    text = page.read_text("utf-8")
    for path in PATH.findall(text):
        ours = path.removeprefix("src/watchword")
        place = ROOT / path if ours == path else PACKAGE / ours.lstrip("/")
        assert place.exists() or TO_COME.search(path), f"there is no {path}"
    for name in IN_A_ROOM.findall(text):
        assert in_the_house(name), f"there is no {name}"
    for name in set(MODULE.findall(text)) - {"watchword.identity"}:  # a key of ASGI's scope and of WSGI's environ
        assert exists(name), f"there is no {name}"


def test_every_module_that_a_docstring_or_comment_names_by_its_room_exists():
    for path in PACKAGE.rglob("*.py"):
        for name in IN_A_ROOM.findall(path.read_text("utf-8")):
            assert in_the_house(name), f"{path.name}: there is no {name}"


def test_a_module_that_has_moved_is_missed():
    assert exists("watchword.core.records.Store")
    assert not exists("watchword.core.public_url")
    assert not exists("watchword.core.admission.Admission.lacking")


def in_the_house(name):
    """As `exists`, for a module or a file without `watchword` before it."""
    return (PACKAGE / name).exists() if "/" in name else exists(f"watchword.{name}")


def exists(name):
    """Whether a dotted name is a module, or something in one."""
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def test_every_page_can_be_reached_from_the_index():
    seen, to_read = set(), [ROOT / "docs" / "index.md"]
    while to_read:
        page = to_read.pop().resolve()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        targets = [target.partition("#")[0] for target in LINK.findall(page.read_text("utf-8")) if "://" not in target]
        to_read += [page.parent / target for target in targets if target]
    assert {page.resolve() for page in (ROOT / "docs").rglob("*.md")} <= seen


def test_the_rooms_of_the_house_are_those_that_lint_holds():
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0][
        "layers"
    ]
    page = (ROOT / "docs" / "explanation" / "how-a-request-is-judged.md").read_text("utf-8")
    shown = next(line for line in page.splitlines() if line.startswith("structures  <"))
    rooms = [set(layer.split(" | ")) for layer in reversed(layers) if layer != "__main__"]
    assert [set(room.split(" | ")) for room in shown.split("  <  ")] == rooms


def test_the_verbs_of_the_guard_are_those_that_the_page_names():
    page = (ROOT / "docs" / "explanation" / "how-a-request-is-judged.md").read_text("utf-8")
    sentence = re.search(r"by eight verbs only: (.+?)\.", page, re.DOTALL)[1]
    named = re.sub(r"\s\([^)]*\)", "", sentence)
    verbs = [name.replace("_", " ") for name in vars(IO) if not name.startswith("_")]
    assert [" ".join(verb.split()) for verb in named.split(",")] == verbs
    assert len(verbs) == 8


def test_the_page_of_thirty_terms_has_thirty_in_order():
    text = (ROOT / "docs" / "explanation" / "concepts.md").read_text("utf-8")
    numbers = [int(number) for number in re.findall(r"^### (\d+)\. \w", text, re.MULTILINE)]
    assert numbers == list(range(1, 31))


@pytest.mark.parametrize("row", SCHEMES, ids=lambda row: row.name)
def test_the_readme_shows_every_scheme_and_what_its_row_promises(row):
    lines = [line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if f"`{row.verifier}`" in line]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert len(cells) == 1, f"README has a table row for {row.verifier}"
    _, halves, covers, single_use, expires, *_ = cells[0]
    assert f"`{row.auth}`" in halves
    assert {part.strip() for part in covers.partition(", and")[0].split(",")} == (set(row.covers) or {"nothing"})
    assert row.single_use == (single_use == "yes")
    assert row.expires == (expires == "yes")
