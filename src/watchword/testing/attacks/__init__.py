"""The attack list: `pytest --watchword-app=module:app` tries on an app what has been done to others.

The fixture `watchword_credentials` returns `Credentials`. Everything else is found out, or asked for in the summary.
"""

from __future__ import annotations

from watchword.testing.attacks.answer import Answer
from watchword.testing.attacks.credentials import Credentials
from watchword.testing.attacks.outgoing import Outgoing

__all__ = ["Answer", "Credentials", "Outgoing"]
