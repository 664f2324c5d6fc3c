"""Sphinx's settings: furo and MyST, no page of anybody else's, search that works from a folder."""

from __future__ import annotations

from watchword import __version__

project = "watchword"
release = version = __version__
copyright = "the maintainers of watchword"  # noqa: A001 -- sphinx's name for it
language = "en"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
master_doc = "index"
exclude_patterns: list[str] = []
default_role = "code"
nitpicky = True

myst_heading_anchors = 4
myst_enable_extensions = ["smartquotes"]
myst_disable_syntax = ["dollarmath"]

html_theme = "furo"
html_title = f"watchword {release}"
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_permalinks = True
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
pygments_style = "tango"
pygments_dark_style = "native"
