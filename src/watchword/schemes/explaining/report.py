"""An explanation as a person reads it and as a program does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from watchword.core.identity import Identity
from watchword.core.rejection import Reason
from watchword.core.scheme import Check
from watchword.schemes.explaining.masking import MASK
from watchword.schemes.explaining.remedies import page_of

__all__ = ["Explanation", "compare"]

MAX_CANONICAL: Final = 64 * 1024
"""Characters of a canonical string in the text and the JSON; `Explanation.canonical` is all of it."""
HEADLINE: Final = 120
"""Characters of each of two values in the headline."""
SHOWN: Final = 160
"""Characters of each of them below it, `BEFORE` of these before the first that differs."""
BEFORE: Final = 48


@dataclass(frozen=True, slots=True)
class Explanation:
    """The findings of `explain`. `str()` is the text for a person, `to_json()` the same for a program.

    Args:
        accepted: whether the guard would let the request pass.
        reason: why not, None if accepted.
        detail: the operator's sentence.
        where: the part at fault.
        scheme: the scheme that was addressed, None if none was.
        identity: who it is, if accepted.
        canonical: the string that the scheme's signature covers, as the server builds it; "" where there is none.
        checks: every check in order.
    """

    accepted: bool
    reason: Reason | None = None
    detail: str = ""
    where: str = ""
    scheme: str | None = None
    identity: Identity | None = None
    canonical: str = ""
    checks: Sequence[Check] = field(default=())

    @property
    def causes(self) -> list[Check]:
        """The checks that failed: first the one from which the others follow. A refusal has at least one."""
        return [check for check in self.checks if check.passed is False]

    @property
    def headline(self) -> str:
        """In one line: what is wrong, where, and what to do."""
        by = f" by {self.scheme}" if self.scheme else ""
        if self.identity is not None:
            return _printable(f"accepted{by}: {self.identity.subject}")
        reason = self.reason.value if self.reason else ""
        first = self.causes[0] if self.causes else Check("", False, self.where)
        differs = f": expected {_short(first.expected)}, received {_short(first.received)}" if first.expected else ""
        mend = f": {first.mend}" if first.mend else ""
        return _printable(f"refused{by}: {reason}: {first.component or first.name}{differs}{mend}")

    @property
    def page(self) -> str:
        """Where the documentation says what the first cause means, and what to do; "" if accepted."""
        return "" if self.reason is None else page_of(self.causes[0].name if self.causes else "", self.reason)

    def compare(self, client: str) -> Check | None:
        """The first octet in which the client's canonical string differs from the server's; None if they are the same.

        Args:
            client: the string that `auth.canonical(request, body)` gave, or that a client elsewhere says it signed.
        """
        return compare(client, self.canonical)

    def __str__(self) -> str:
        lines = [self.headline, *([f"more: {self.page}"] if self.page else [])]
        for check in self.checks:
            lines += _lines(check)
        if self.canonical:
            lines.append("canonical string:")
            lines += [f"  | {line}" for line in _bounded(self.canonical).split("\n")]
        return "\n".join(map(_printable, lines))

    def to_json(self) -> str:
        """The same as one JSON object."""
        return json.dumps(
            {
                "accepted": self.accepted,
                "headline": self.headline,
                "page": self.page,
                "reason": self.reason.value if self.reason else None,
                "detail": self.detail,
                "where": self.where,
                "scheme": self.scheme,
                "subject": self.identity.subject if self.identity else None,
                "first_difference": (self.causes[0].component or self.causes[0].name) if self.causes else None,
                "causes": [check._asdict() for check in self.causes],
                "canonical": _bounded(self.canonical),
                "checks": [check._asdict() for check in self.checks],
            }
        )


def compare(client: str, server: str) -> Check | None:
    r"""The first octet in which two canonical strings differ: a check whose component names line and octet, from 1.

    >>> compare("GET\n/a%20b\n", "GET\n/a b\n").component
    'line 2, octet 3'
    >>> compare("GET\n", "GET\n") is None
    True
    """
    ours, theirs = server.split("\n"), client.split("\n")
    for number in range(max(len(ours), len(theirs))):
        one = ours[number] if number < len(ours) else None
        other = theirs[number] if number < len(theirs) else None
        if one == other or (one is not None and other is not None and _same_but_masked(one, other)):
            continue
        if one is None or other is None:
            place = f"line {number + 1}"
        else:
            shorter = min(len(one), len(other))
            at = next((place for place in range(shorter) if one[place] != other[place]), shorter)
            place = f"line {number + 1}, octet {len(one[:at].encode('utf-8', 'surrogatepass')) + 1}"
        shown = ["no such line" if line is None else repr(line)[1:-1] for line in (one, other)]
        mend = "the two sides build this line from different things: one of them was changed on the way, or is built wrongly"
        return Check("canonical string", False, place, shown[0], shown[1], mend)
    return None


def _same_but_masked(server: str, client: str) -> bool:
    pieces = MASK.split(server)  # text, number of octets, text, …
    if len(pieces) == 1:
        return False
    pattern = "".join(f".{{{piece}}}" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))
    return re.fullmatch(pattern, client, re.DOTALL) is not None


def _bounded(canonical: str) -> str:
    """The part of it that is shown: a body may be in it."""
    return (
        canonical
        if len(canonical) <= MAX_CANONICAL
        else f"{canonical[:MAX_CANONICAL]}… ({len(canonical) - MAX_CANONICAL} characters more)"
    )


def _printable(line: str) -> str:
    """The line as a terminal may have it: line ends and controls of a request are shown, never obeyed."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


def _short(text: str) -> str:
    return text if len(text) <= HEADLINE else text[:HEADLINE] + "…"


def _lines(check: Check) -> Iterator[str]:
    """The check, and below one that failed both values, with a caret under the first octet that differs."""
    mark = {True: "ok  ", False: "FAIL", None: "----"}[check.passed]
    text = f"  {mark} {check.name}"
    if check.passed is False:
        text += f": {check.component}" if check.component else ""
    if check.passed is not True and check.mend:
        text += f" ({check.mend})"
    yield text
    if check.passed is False:
        expected, received = _printable(check.expected), _printable(check.received)
        start = next(
            (at for at, pair in enumerate(zip(expected, received, strict=False)) if pair[0] != pair[1]),
            min(len(expected), len(received)),
        )
        cut = max(0, start - BEFORE)
        for name, value in (("expected", expected), ("received", received)):
            window = value[cut : cut + SHOWN]
            yield f"         {name}: {'…' * bool(cut)}{window}{'…' * (len(value) > cut + SHOWN)}"
        if _are_alike(expected, received, start):
            yield " " * (len("         expected: ") + start - cut + bool(cut)) + "^"


def _are_alike(expected: str, received: str, start: int) -> bool:
    """Whether a caret shows something: two values, or two sentences that have half in common."""
    shorter = min(len(expected), len(received))
    if not shorter or received in ("absent", "none", "nothing"):
        return False
    same = start
    while same - start < shorter - start and expected[-1 - (same - start)] == received[-1 - (same - start)]:
        same += 1
    return 2 * same >= shorter or " " not in expected + received
