"""Kinds of mistakes, the cases that they make, and what is asked of the explanation of one.

Nothing here, and nothing in the modules of the schemes, was written with sight of what `explain` tries or says: a kind
brings its own predicate, in words that a person would look for.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import random
import re
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from watchword import Guard, Rejected, Request, explain

NOW = 1_900_000_000.0
Hook = Callable[[Any, Any], Any]

# Words for parts and deviations. A predicate is one pattern for the part, and one for what happened to it.
KEY = r"\bkeys?\b|secret"
BODY = r"body|digest|payload|content|form\b|json"
TIME = r"time|date|created|clock|expires|\bexp\b|seconds"
TARGET = r"target|path|query|\burl|\buri"
HOST = r"host|authority|origin|\bport\b|domain"
METHOD = r"method"
PROOF = r"\bmac\b|signature|response|\btag\b|proof"
TEXT = r"\bline|canonical|base\b|string|text|message|order|join|separat|delimit|content"

LF = r"CR ?LF|line feed|line[- ]?(break|end|feed)|newline|new line|\bLF\b|\\n|\\r|trailing (white|line)|line-end|white ?space"
BLANK = r"joins name and value by|blank|space|white|\bNBSP\b|U\+00A0|\\xa0|trailing|leading|surround|around"
QUOTE = r"with ' for|quot|\bmarks\b"
HEX = r"another encoding|\bhex|base ?16"
B64 = r"another encoding|base ?-?64"
PERCENT = r"percent|escap|url-?encod|encoded|decoded|unquoted|%[0-9A-F]{2}"
CASE = r"caps lock|\bcase\b|capital|upper|lower"
CUT = r"\bcut\b|truncat|short|missing|incomplete|too few|left out|length|ends early|lost|characters? of"
EMPTY = r"empty|\| nothing( \||$)|nothing stands|leaves .* out|\bno (body|octets|key|secret|value|password)|without|left out|missing|not (there|set)|absent"
PLACEHOLDER = r"placeholder|variable|unset|not set|template|undefined|literal|interpolat|substitut"
UNICODE = r"unicode|utf|charset|character set|encoding|latin|mojibake|NFD|NFC|compos"
OFF = r"clock|seconds|hour|ahead|behind|zone|future|past|\bold\b|expired|\blate\b|early|not yet"
MILLI = r"milli|\bms\b|unit|thousand|1000|micro|nano"
HASHED = r"\b[HREP]S\d{3}|hash|sha|md5|digest"
ALGORITHM = r"\b[HREP]S\d{3}|hash|sha|md5|algorithm|hmac|blake"
DOUBLED = r"twice|doubl|repeated|two times|second time|duplicat"
ORDER = r"order|from its end to its beginning|moves|sort|permut|swapped|exchang|sequence"
MISSING = r"missing|names no|left out|leaves .* out|\| nothing( \||$)|without|absent|omit|lack|not there|isn't there|dropped|removed|taken away|\bno (field|parameter|claim|line|octets|value)|\blost|not sent|skipped|\bnone\b"
OTHER = r"other|another|different|wrong|not the|unknown|instead"

FALSE_KEY = (
    r"password (differs|is (wrong|another))|(another|other|different) (password|secret|key) (signed|was used|made)"
)
GAVE_UP = re.compile(r"no usual|none of the usual|search was cut|usual spellings of what was sent don't fit")
ALWAYS_FALSE = {  # what is false of every kind whose name doesn't match
    r"case is lost": r"capital|small|case|title",
    r"without a scheme word": r"word|Bearer|glued|quotes|as JSON|in the value|scheme|alone|JSON",
    r"a variable is not set|template not filled": r"variable|undefined|null|None|placeholder|template's variable|empty|expression|object|reference|Vault|Helm|YOUR|changeme|ended|username",
    r"in the field content-type": r"content-type",
}
FALSE_CLOCK = r"clock (is|was|runs|of the client)[^;,.]*(off|ahead|behind|slow|fast)|clocks differ"


@dataclass(frozen=True)
class Case:
    """A request that a guard shall refuse, and what must not be seen of it."""

    request: Request
    guard: Guard
    body: bytes = b""
    at: float = NOW
    secrets: Sequence[bytes] = ()
    admits: Sequence[bytes] = ()
    before: Sequence[tuple[Request, bytes]] = ()
    pairs: Sequence[tuple[str, str]] = ()
    sent: Sequence[tuple[str, str]] = ()
    """Changed on the way: the genuine one, and the one that came. Told the other way round it is false."""


@dataclass(frozen=True)
class Kind:
    """One mistake. `part` and `what` are looked for in the first cause; `never` is what would be false of it."""

    scheme: str
    name: str
    tail: bool
    part: str
    what: str
    make: Callable[[random.Random], Case | None]
    never: tuple[str, ...] = ()
    undecidable: str = ""
    always: tuple[str, ...] | None = None
    """What would be false whatever else is said; None for what is so of every kind."""

    @property
    def half(self) -> str:
        return "ab"[hashlib.sha256(f"{self.scheme}/{self.name}".encode()).digest()[0] & 1]


@dataclass
class Outcome:
    kind: Kind
    seed: int
    true: bool = False
    right_part: bool = False
    false: str = ""
    leaks: list[str] = field(default_factory=list)
    error: str = ""
    contradiction: str = ""
    first: str = ""
    text: str = ""
    reason: str = ""


class Steps:
    """The steps of a client's computation, some of them replaced by a mistake."""

    def __init__(self, world: Any, table: dict[str, Hook]) -> None:
        self.world, self.table = world, table
        self.pairs: list[tuple[str, str]] = []
        self.sent: list[tuple[str, str]] = []
        self.used: set[str] = set()

    def __call__(self, name: str, value: Any) -> Any:
        hook = self.table.get(name)
        if hook is None:
            return value
        self.used.add(name)
        changed = hook(value, self.world)
        if isinstance(value, (str, bytes)) and isinstance(changed, (str, bytes)) and "key" not in name:
            self._note(value, changed)
            if name.endswith(" sent") and name.replace(" sent", " signed") not in self.table:
                self.sent.append(self.pairs[-1])
        return changed

    def run(self, name: str, usual: Callable[..., Any], *args: Any) -> Any:
        """A step that is a computation: the mistake has another one."""
        hook = self.table.get(name)
        if hook is None:
            return usual(*args)
        self.used.add(name)
        result = hook(*args)
        if isinstance(result, str):
            self._note(usual(*args), result)
        return result

    def _note(self, before: str | bytes, after: str | bytes) -> None:
        self.pairs.append((_plain(before), _plain(after)))


def world(**parts: Any) -> Any:
    return SimpleNamespace(**parts)


def drawn(kind: Kind, seed: int) -> Case | None:
    """The case of one kind at one seed; None if there is none."""
    return kind.make(random.Random(f"{seed}/{kind.scheme}/{kind.name}"))


def judged(kind: Kind, seed: int) -> Outcome | None:
    """The outcome of one kind at one seed; None if it made no mistake there."""
    case = drawn(kind, seed)
    if case is None:
        return None
    outcome = Outcome(kind, seed)
    for request, body in case.before:
        case.guard.verify(request, body)
    explanation = None
    try:
        explanation = explain(case.request, case.guard, case.body, at=case.at)
    except Exception as error:  # noqa: BLE001 -- any exception that leaves explain is a finding
        outcome.error = f"{type(error).__name__}: {error}"[:300]
    reason = None
    try:
        case.guard.verify(case.request, case.body)
    except Rejected as rejected:
        reason = rejected.reason
    except Exception as error:  # noqa: BLE001 -- as above
        outcome.error = outcome.error or f"verify: {type(error).__name__}: {error}"[:300]
    if reason is None and not outcome.error:
        if explanation is not None and not explanation.accepted:
            outcome.contradiction = f"accepted by the guard, refused by explain ({explanation.reason})"
            return outcome
        return None
    outcome.reason = "" if reason is None else reason.value
    if explanation is None:
        return outcome
    if explanation.accepted or explanation.reason is not reason:
        outcome.contradiction = f"guard {reason}, explain {explanation.reason}"
    _judge(outcome, case, explanation)
    return outcome


def _judge(outcome: Outcome, case: Case, explanation: Any) -> None:
    outcome.text = str(explanation)
    dumped = explanation.to_json()
    loud = json.loads(dumped)
    texts = [outcome.text, dumped, repr(explanation), explanation.canonical, *_strings(loud)]
    outcome.leaks = leaks(texts, case)
    if not explanation.causes:
        return
    first = explanation.causes[0]
    outcome.first = f"{first.name} | {first.component} | {first.expected} | {first.received} | {first.mend}"
    plain = outcome.first
    kind = outcome.kind
    outcome.right_part = bool(re.search(kind.part, plain, re.IGNORECASE))
    shown = any(_shows(plain, before) and _shows(plain, after) and before != after for before, after in case.pairs)
    if kind.always is not None:  # where one is a part of the other, both have to be shown
        shown = any(_apart(plain, *sorted(pair, key=len)) for pair in case.pairs if pair[0] != pair[1])
    fits = bool(re.search(kind.what, plain, re.IGNORECASE)) or shown or _alien(plain, case.pairs)
    if kind.never and GAVE_UP.search(plain):
        fits = False  # what it lists besides is no cause
    outcome.true = outcome.right_part and fits
    always = [pattern for pattern, unless in ALWAYS_FALSE.items() if not re.search(unless, kind.name, re.IGNORECASE)]
    always = always if kind.always is None else list(kind.always)
    for pattern in (*kind.never, *always):
        found = re.search(pattern, plain, re.IGNORECASE)
        if found and (pattern in always or not outcome.true):
            outcome.true, outcome.false = False, found.group()
            break
    for genuine, came in case.sent:
        if (
            genuine != came
            and genuine not in came
            and came not in genuine
            and _shows(first.expected, came)
            and _shows(first.received, genuine)
        ):
            outcome.true, outcome.false = False, "expected and received exchanged"


def _shows(text: str, value: str) -> bool:
    return 2 <= len(value) <= 200 and value in text


def _apart(text: str, shorter: str, longer: str) -> bool:
    return _shows(text, longer) and _shows(text.replace(longer, ""), shorter)


def _alien(text: str, pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether the octet is shown that the mistake brought in, where the grammar ends at it."""
    found = re.search(r"octet \d+ is \"(.)\"", text)
    return found is not None and any(found[1] in after and found[1] not in before for before, after in pairs)


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for each in value.values() for text in _strings(each)]
    return [text for each in value for text in _strings(each)] if isinstance(value, list) else []


def _plain(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")


# ---- what must not be seen -------------------------------------------------------------------------------------------


def spellings(secret: bytes) -> set[str]:
    """The usual encodings of one secret, as text."""
    standard = base64.b64encode(secret).decode()
    url = base64.urlsafe_b64encode(secret).decode()
    texts = {secret.hex(), secret.hex().upper(), standard, url, standard.rstrip("="), url.rstrip("=")}
    texts |= {base64.b32encode(secret).decode().rstrip("="), "".join(f"%{octet:02X}" for octet in secret)}
    try:
        raw = secret.decode()
    except UnicodeDecodeError:
        return texts
    texts |= {raw, raw[::-1], raw.swapcase(), raw.upper(), raw.lower(), urllib.parse.quote(raw, safe="")}
    texts |= {urllib.parse.quote_plus(raw), json.dumps(raw)[1:-1], repr(raw)[1:-1]}
    return texts


def leaks(texts: Sequence[str], case: Case) -> list[str]:
    found = []
    for what, values, share in (("secret", case.secrets, 1.0), ("proof", case.admits, 0.75)):
        for value in values:
            for spelling in spellings(value):
                if len(spelling) < 6:
                    continue
                size = max(6, math.ceil(len(spelling) * share))
                pieces = {spelling[at : at + size] for at in range(len(spelling) - size + 1)}
                for text in texts:
                    if any(piece in text for piece in pieces):
                        found.append(f"{what} ({len(value)} octets) in {next(p for p in pieces if p in text)[:12]}…")
                        break
    return sorted(set(found))


def wilson(hits: int, cases: int) -> float:
    """The lower bound of the 95 % interval."""
    if not cases:
        return 0.0
    z, share = 1.96, hits / cases
    middle = share + z * z / (2 * cases)
    return (middle - z * math.sqrt(share * (1 - share) / cases + z * z / (4 * cases * cases))) / (1 + z * z / cases)


# ---- what worlds are drawn from --------------------------------------------------------------------------------------

_SYLLABLES = ("ba", "co", "du", "fe", "gi", "hal", "jor", "kem", "lun", "mi", "nor", "pex", "qua", "ril", "sto", "tuv", "wen", "xi", "yan", "zor")  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def word(r: random.Random, syllables: int = 3) -> str:
    return "".join(r.choice(_SYLLABLES) for _ in range(syllables))


def token(r: random.Random, length: int) -> str:
    return "".join(r.choice(LETTERS) for _ in range(length))


def host(r: random.Random) -> str:
    return f"{r.choice(['api', 'hooks', 'edge', 'v2'])}.{word(r)}.example"


def path(r: random.Random) -> str:
    return f"/{r.choice(['v1', 'v2', 'api'])}/{word(r)}s/{r.randrange(100, 9999)}"


def query(r: random.Random) -> str:
    return f"{word(r, 2)}z={r.randrange(10, 99)}&{word(r, 2)}a={word(r)}%20{word(r)}&limit={r.randrange(5, 50)}"


def json_body(r: random.Random) -> bytes:
    """JSON in which every usual way of writing it anew changes something."""
    return (
        f'{{"id":{r.randrange(10**4, 10**6)},"amount":{r.randrange(10, 99)}.50,"customer":"Zo\u00eb {word(r).title()}",'
        f'"link":"https://{word(r)}.example/a/b","note":"{word(r)} <b> & {word(r)}","gone":null,'
        f'"lines":[{{"sku":"{token(r, 6)}","n":{r.randrange(1, 9)}}}]}}'
    ).encode()
