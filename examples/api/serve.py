"""What the server's processes load."""

from __future__ import annotations

from examples.api.app import build
from examples.api.settings import Settings

app = build(Settings.load())
