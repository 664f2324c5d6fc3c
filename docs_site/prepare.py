"""Prepares the sources of the site: the pages of `docs/`, README and CHANGELOG as they are, and the reference of names.

`python -m docs_site.prepare FOLDER`; the folder is made anew.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from docs_site.reference import MODULES, page_of

ROOT: Final = Path(__file__).parents[1]
SECTIONS: Final = {
    "Learn": "tutorial", "Do": "how-to", "Look up": "reference", "Understand": "explanation", "Decide": "decisions",
}  # fmt: skip
ALONE: Final = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")

WORDS: Final = {
    "how-to/protect-a-fastapi-app": ("fastapi",),
    "how-to/protect-a-flask-app": ("flask",),
    "how-to/protect-a-django-app": ("django",),
    "how-to/cors": ("cors",),
    "how-to/issuers": ("cognito", "entra"),
    "how-to/logs-and-metrics": ("prometheus",),
    "how-to/deployment": ("docker", "rotate"),
    "how-to/what-401-means": ("401", "clock skew"),
    "how-to/receive-webhooks": ("webhook raw body",),
}
"""What people search for, and the page that they should find first. The search of the site ranks a main entry (!) of the index above
all else; it finds a number only there."""


def prepare(folder: Path) -> None:
    """Writes all sources below `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder / "docs")
    for name in ALONE:
        shutil.copy(ROOT / name, folder)
    shutil.copy(ROOT / "LICENSE", folder)
    shutil.copytree(ROOT / "examples" / "hmac_clients", folder / "examples" / "hmac_clients")
    for page, words in WORDS.items():
        path = folder / "docs" / f"{page}.md"
        path.write_text(found_by(words, path.read_text("utf-8")), "utf-8")
    own = folder / "docs" / "index.md"  # README leads to it; here the first page has its place
    own.write_text(f"---\norphan: true\n---\n\n{own.read_text('utf-8')}", "utf-8")
    (folder / "names").mkdir()
    for module in MODULES:
        (folder / "names" / f"{module}.rst").write_text(page_of(module), "utf-8")
    (folder / "index.md").write_text(index(), "utf-8")


def found_by(words: tuple[str, ...], text: str) -> str:
    """The page with a main entry of the index for each of the words, below its title."""
    title, _, rest = text.partition("\n")
    entries = "".join(f"```{{index}} ! single: {word}\n```\n" for word in words)
    return f"{title}\n\n{entries}{rest}"


def index() -> str:
    """The first page: what the docs' own index says, and every page in the navigation, none further than two steps away."""
    text = (ROOT / "docs" / "index.md").read_text("utf-8").replace("](../", "](").replace("](", "](docs/")
    for name in (*ALONE, "http"):
        text = text.replace(f"](docs/{name}", f"]({name}")
    lines = [text, ""]
    for caption, section in SECTIONS.items():
        pages = sorted(path.stem for path in (ROOT / "docs" / section).glob("*.md"))
        lines += _toctree(caption, [f"docs/{section}/{page}" for page in pages])
    lines += _toctree("Names", [f"names/{module}" for module in MODULES])
    lines += _toctree(
        "More",
        [
            "README",
            "docs/supported",
            "docs/limitations",
            "examples/hmac_clients/README",
            "CHANGELOG",
            "CONTRIBUTING",
            "SECURITY",
        ],
    )
    return "\n".join(lines) + "\n"


def _toctree(caption: str, pages: list[str]) -> list[str]:
    return ["```{toctree}", ":hidden:", ":maxdepth: 1", f":caption: {caption}", "", *pages, "```", ""]


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
