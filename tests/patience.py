"""How long a test waits for what should come at once: only so long that what never comes does not hang for ever.

A machine may be ten times slower than usual, or busy; a test that waits less than this would fail for that alone.
"""

from __future__ import annotations

from typing import Final

PATIENCE: Final = 300.0
