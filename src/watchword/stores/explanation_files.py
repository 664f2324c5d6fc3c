"""Explanations that were made when a request was refused, as files in a directory: so many, and none too large."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from watchword.core.rejection import Reason
from watchword.core.scheme import Check
from watchword.schemes.explaining.program import Explanation

__all__ = ["MAX_SIZE", "REQUEST_ID", "ExplanationFiles", "KeptExplanation"]

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""A request id that is taken as it came: it becomes a part of a file's name."""
MAX_SIZE: Final = 64 * 1024
"""Octets of a file."""
MAX_TEXT: Final = 1024
"""Characters of a value that is kept; of the canonical string eight times as many."""
MAX_CHECKS: Final = 24

_NAME: Final = re.compile(rf"[0-9]{{20}}-(?:{REQUEST_ID.pattern})\.json")
_REASONS: Final = {reason.value: reason for reason in Reason}


class KeptExplanation(NamedTuple):
    """Why a request was refused, as it was explained then.

    Args:
        request_id: of the request.
        at: seconds since the epoch at which it was refused.
        reason: why.
        address: the client's, as far as the guard knew it.
        method: of the request.
        path: of the request, without the query; masked where it holds what could admit one.
        explanation: what `explain` said; no password was tried.
        note: what limits it; "" for nothing.
    """

    request_id: str
    at: float
    reason: Reason
    address: str
    method: str
    path: str
    explanation: Explanation
    note: str = ""

    def __str__(self) -> str:
        when = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        client = f" from {self.address}" if self.address else ""
        lines = [f"{when} {self.method} {self.path}{client}: {self.reason.value}"]
        lines += [self.note] if self.note else []
        shown = "".join(char if char.isprintable() or char == "\n" else "�" for char in "\n".join(lines))
        return f"{shown}\n{self.explanation}"

    def to_json(self) -> str:
        """The same as one JSON object."""
        return json.dumps(
            {**self._asdict(), "reason": self.reason.value, "explanation": json.loads(self.explanation.to_json())}
        )


class ExplanationFiles:
    """The newest explanations in a directory, a file for each, for their owner's eyes.

    Args:
        directory: made at the first explanation, if it is not there.
        keep: how many; the oldest give way.
    """

    def __init__(self, directory: Path, keep: int) -> None:
        self._directory = directory
        self._keep = keep

    def write(self, kept: KeptExplanation) -> None:
        """Keeps one.

        Raises:
            OSError: it can't be written.
        """
        octets = _bounded(kept).to_json().encode()
        if len(octets) > MAX_SIZE:
            octets = _bounded(kept, checks=1, text=MAX_TEXT // 4).to_json().encode()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{max(0, int(kept.at * 1e9)):020d}-{kept.request_id}.json"
        part = self._directory / f".{name}.{os.getpid()}"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(octets)
        part.replace(self._directory / name)
        for old in self._names()[: -self._keep]:
            (self._directory / old).unlink(missing_ok=True)

    def read(self, request_id: str) -> list[KeptExplanation]:
        """Those of a request id, the oldest first. An id may come several times: it is the client's, or a proxy's.

        Raises:
            OSError: there is no such directory, or it can't be read.
        """
        found = []
        for name in self._names():
            if name.partition("-")[2] == f"{request_id}.json":
                with suppress(OSError, ValueError, KeyError, TypeError), (self._directory / name).open("rb") as opened:
                    found.append(_kept(json.loads(opened.read(MAX_SIZE + 1))))
        return found

    def _names(self) -> list[str]:
        return sorted(path.name for path in self._directory.iterdir() if _NAME.fullmatch(path.name))


def _bounded(kept: KeptExplanation, *, checks: int = MAX_CHECKS, text: int = MAX_TEXT) -> KeptExplanation:
    """The same with shorter texts; the first of the failed checks, which is the cause, stays."""
    told = kept.explanation

    def cut(value: str, most: int = text) -> str:
        return value if len(value) <= most else f"{value[:most]}…"

    failed_first = sorted(range(len(told.checks)), key=lambda at: told.checks[at].passed is not False)
    shown = [told.checks[at] for at in sorted(failed_first[:checks])]
    made = Explanation(
        told.accepted, told.reason, cut(told.detail), cut(told.where), told.scheme, None, cut(told.canonical, 8 * text),
        tuple(Check(cut(check.name, 64), check.passed, *(cut(part) for part in check[2:])) for check in shown),
    )  # fmt: skip
    return kept._replace(path=cut(kept.path, 256), method=cut(kept.method, 32), explanation=made)


def _kept(members: Mapping[str, Any]) -> KeptExplanation:
    told = members["explanation"]
    explanation = Explanation(
        told["accepted"], None if told["reason"] is None else _REASONS[told["reason"]], told["detail"], told["where"], told["scheme"],
        None, told["canonical"], tuple(Check(**check) for check in told["checks"]),
    )  # fmt: skip
    return KeptExplanation(**{**members, "reason": _REASONS[members["reason"]], "explanation": explanation})
