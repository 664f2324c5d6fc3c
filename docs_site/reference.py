"""The reference of names: a page for each public module, made of its docstrings.

Docstrings here are plain text with Markdown's code in backticks, sections called "Args:" and "Raises:", and doctests. They are
written out as reStructuredText; nothing else in them is markup.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Final

__all__ = ["MODULES", "names_of", "page_of"]

MODULES: Final = (
    "watchword", "watchword.effects", "watchword.stores", "watchword.issuers", "watchword.testing", "watchword.authorization_server.token_endpoint",
    "watchword.clients.requests", "watchword.clients.httpx", "watchword.clients.httpx2", "watchword.clients.aiohttp",
    "watchword.clients.urllib3", "watchword.clients.urllib_request", "watchword.clients.direct", "watchword.oauth.authorization_code",
    "watchword.oauth.token_response", "watchword.servers.asgi", "watchword.servers.wsgi",
    "watchword.servers.http_server", "watchword.servers.problem", "watchword.servers.fastapi", "watchword.servers.starlette",
    "watchword.servers.flask", "watchword.servers.django", "watchword.servers.aiohttp", "watchword.servers.litestar", "watchword.crypto.jose",
    "watchword.dropin", "watchword.core.records", "watchword.core.scheme",
)  # fmt: skip
"""What people import from, in the order of the reference."""

LONG: Final = 80
"""Characters of the longest signature that stands on one line."""

_SECTION: Final = re.compile(r"(Args|Raises|Returns|Yields):")
_ITEM: Final = re.compile(r"(\*{0,2}[\w., ]+?): (.*)", re.DOTALL)
_CODE: Final = re.compile(r"(`+)(.+?)\1")
_MARKUP: Final = re.compile(r"([\\*_|`<>\[\]])")


def names_of(module: str) -> list[str]:
    """The public names of a module."""
    found = import_module(module)
    return sorted(getattr(found, "__all__", ()), key=str.lower)


def page_of(module: str) -> str:
    """The page of a module: what it is, then each name with its signature, its docstring and its public methods."""
    found = import_module(module)
    lines = [f".. _module-{module}:", "", module, "=" * len(module), "", *_text(inspect.getdoc(found) or ""), ""]
    for name in names_of(module):
        lines += _entry(module, name, getattr(found, name))
    return "\n".join(lines) + "\n"


def _entry(module: str, name: str, value: Any) -> Iterator[str]:
    yield from ("", f".. _{module}.{name}:", "", name, "-" * len(name), "")
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        yield from (f"A value of type `{type(value).__name__}`.", "")
        return
    yield from ("::", "", f"    {name}{_signature(value)}", "")
    yield from _text(inspect.getdoc(value) or "")
    home = getattr(value, "__module__", module)
    if home != module and home.startswith("watchword."):
        yield from ("", f"It is defined in `{home}`.", "")
    if inspect.isclass(value):
        for member, method in _members(value):
            yield from ("", "::", "", f"    {name}.{member}{_signature(method)}", "")
            yield from (f"    {line}" if line else "" for line in _text(inspect.getdoc(method) or ""))


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """The methods and properties that a class of ours documents itself."""
    for name, member in vars(kind).items():
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        documented = plain.fget if isinstance(plain, property) else plain
        if not name.startswith("_") and inspect.isroutine(documented) and inspect.getdoc(documented):
            yield name, plain


def _signature(value: Any) -> str:
    if isinstance(value, property):
        return ""
    try:
        signature = inspect.signature(value)
    except (ValueError, TypeError):
        return "(…)"
    text = _plain(str(signature))
    if len(text) <= LONG:
        return text
    begin, _, end = _plain(str(signature.replace(parameters=()))).partition(")")
    each, keyword = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword:
            each.append("*")
            keyword = True
        each.append(_plain(str(parameter)))
    return begin + "".join(f"\n        {one}," for one in each) + f"\n    ){end}"


def _plain(text: str) -> str:
    """A signature without the quotes of annotations, and without addresses of this process."""
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)
    return re.sub(r"<(?:function )?([\w.]+)(?: object)? at 0x[0-9a-f]+>", r"\1", text)


def _text(docstring: str) -> Iterator[str]:
    """A docstring as reStructuredText."""
    for block in re.split(r"\n\s*\n", textwrap.dedent(docstring)):
        first, _, rest = block.partition("\n")
        if first.startswith(">>> "):
            yield from ("::", "", *(f"    {line}" for line in block.splitlines()), "")
        elif _SECTION.fullmatch(first):
            yield from (f"**{first}**", "", *_items(textwrap.dedent(rest)), "")
        elif first.startswith("|"):
            yield from _table(block.splitlines())
        elif first.startswith(" "):
            yield from (f"- {_inline(' '.join(textwrap.dedent(block).split()))}", "")
        else:
            yield from (_inline(" ".join(block.split())), "")


def _table(lines: Sequence[str]) -> Iterator[str]:
    """A table of Markdown's, whose second line says where its head ends."""
    yield from (".. list-table::", "   :header-rows: 1", "")
    for line in (lines[0], *lines[2:]):
        for number, cell in enumerate(line.strip("| ").split("|")):
            yield f"   {'* -' if number == 0 else '  -'} {_inline(cell.strip())}"
    yield ""


def _items(block: str) -> Iterator[str]:
    for item in re.split(r"\n(?=\S)", block):
        found = _ITEM.fullmatch(item)
        if found is None:
            yield f"- {_inline(' '.join(item.split()))}"
        else:
            yield f"- ``{found[1]}``: {_inline(' '.join(found[2].split()))}"


def _inline(text: str) -> str:
    """Text with code in backticks, where nothing else is markup."""
    done, at = [], 0
    for code in _CODE.finditer(text):
        done += [_MARKUP.sub(r"\\\1", text[at : code.start()]), f"``{code[2]}``"]
        # Inline markup has to stand apart from letters around it.
        done.append("" if not text[code.end() : code.end() + 1].isalnum() else "\\ ")
        at = code.end()
    return "".join(done) + _MARKUP.sub(r"\\\1", text[at:])
