"""What the body of a refusal may say to whoever develops on this machine: what the guard saw, and why it refused.

A proxy that nobody declared may stand on the same machine and hide behind its address. So the account is made as if strangers
read it. It is worded without any record of the store: nothing is fetched for it, and each scheme's own account is asked as if no
key and no user were known. Refusals that come of what the store or a verifier keeps secret are told in one sentence, the same
for all of them. So it says nothing of a name, a key, a password or a signature that the bare answer doesn't say. No password is
tried, no variant is looked for, and all of it passes the mask of explanations.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Final

from watchword.core.answer import Refusal
from watchword.core.body import BodyReader, check_declared
from watchword.core.dispatch import Case
from watchword.core.message import Request
from watchword.core.plan import Plan, Refused
from watchword.core.records import NOTHING_FOUND, Spent
from watchword.core.rejection import Rejected
from watchword.core.scheme import NO_BODY, Check, Claim, Verifier
from watchword.schemes import SCHEMES
from watchword.schemes.all_of import AllClaims, AllOf
from watchword.schemes.explaining import explainer_of
from watchword.schemes.explaining.masking import Mask, secrets_of
from watchword.schemes.explaining.program import ClaimExplainers, Explainer
from watchword.schemes.explaining.remedies import REMEDIES, page_of
from watchword.schemes.explaining.this_machine import is_of_this_machine

__all__ = ["Development", "account"]

_STATUSES: Final = (400, 401)
MAX_CANONICAL: Final = 16 * 1024
"""Characters of the string that the credentials cover."""
MAX_FIELDS: Final = 64
OPEN_CHECKS: Final = frozenset(
    {
        "format", "grammar", "parameters", "time", "token time", "expires", "scope date", "exp", "nbf", "iat", "aud", "iss",
        "coverage", "body", "uri", "qop", "proof",
    }
)  # fmt: skip
"""Checks of what the request says of itself, by the clock and the guard's settings; no secret and no record decides them."""
TIMES: Final = frozenset({"time", "token time", "expires", "scope date", "exp", "nbf", "iat"})
"""Those that are told with both values: the clock is no secret, and the other one was sent."""

_HEAD: Final = (
    "This text is here because this process runs with WATCHWORD_ENV=development and the request came from this machine.\n"
    "Anybody else gets the status and the challenges, and no text."
)
_HELD: Final = (
    "the credentials could be read, and this server does not take them: it does not know the name or key id; or the secret or the "
    "signature is not the one that belongs to it; or they were disabled, revoked, replaced, used before, or their time is over. "
    "Which of these it is, no answer says"
)
_ON_THE_SERVER: Final = "on the server `watchword explain` says which of these it is, and what would have fitted"


class Development:
    """Gives refusals of requests from this machine an account (`core.plan.Telling`)."""

    __slots__ = ()

    async def told(self, refused: Refused, refusal: Refusal, /) -> Refusal:
        """The refusal, with an account in its body if the client is a program on this machine."""
        if refusal.status not in _STATUSES or not is_of_this_machine(refused.request):
            return refusal
        return refusal._replace(account=await refused.io.work(partial(_account, refused, refusal)))


def _account(refused: Refused, refusal: Refusal) -> bytes:
    request_id = next((value.decode() for name, value in refusal.headers if name == b"x-request-id"), "")
    try:
        return account(refused.plan, refused.request, refused.case, refused.rejected, request_id)
    except Exception as error:  # noqa: BLE001 -- the refusal is what it is, whatever can be said of it
        return f"no account could be given: {type(error).__name__}\n".encode()


def account(plan: Plan, request: Request, case: Case | None, rejected: Rejected, request_id: str) -> bytes:
    """The text for the body of the refusal.

    Args:
        plan: the guard's.
        request: as the server saw it.
        case: its claim, if one was read.
        rejected: why it is refused.
        request_id: under which an explanation is kept; "" where none is.
    """
    data = b"" if case is None else case.body.data
    lines = [_HEAD, "", *_why(case, rejected, request_id), "", "the server saw:", *_seen(request, case)]
    if case is not None:
        lines += _by_itself(plan, request, data, whole=case.body is not NO_BODY or _has_no_body(request))
    mask = Mask(request, data, secrets_of(NOTHING_FOUND, plan.verifiers))
    shown = (mask.value(line) if line.startswith("  ") else mask.text(line) for line in lines)
    return "".join(f"{_printable(line)}\n" for text in shown for line in text.split("\n")).encode("utf-8", "replace")


def _why(case: Case | None, rejected: Rejected, request_id: str) -> Iterator[str]:
    rejection = rejected.rejection
    by = "" if case is None else f" by {case.addressee.verifier.scheme}"
    if case is not None:
        yield f"refused{by}: {_HELD}"
        more = f": watchword explain --id {request_id}" if request_id else ""
        yield f"what to do: compare what is below with what the client meant to send; {_ON_THE_SERVER}{more}"
        return
    where = f" at {rejection.where}" if rejection.where else ""
    yield f"refused{by}: {rejection.reason.value}{where}: {rejection.detail}"
    yield f"what to do: {REMEDIES[rejection.reason]}"
    yield f"more: {page_of('', rejection.reason)}"


def _seen(request: Request, case: Case | None) -> Iterator[str]:
    """The request without any value: names, and how many octets they have."""
    path, _, query = request.target.partition(b"?")
    asked = f"?…({len(query)} octets)" if query else ""
    path_text = path[:MAX_CANONICAL].decode("latin-1")
    yield f"  {request.method} {request.scheme}://{request.authority}{path_text}{asked}"
    for name, value in request.headers[:MAX_FIELDS]:
        yield f"  {name.decode('latin-1')}: {len(value)} octets"
    if len(request.headers) > MAX_FIELDS:
        yield f"  … {len(request.headers) - MAX_FIELDS} fields more"
    if case is not None and case.body is not NO_BODY:
        yield f"  a body of {len(case.body.data)} octets"
    elif not _has_no_body(request):
        yield "  a body that the guard did not read"


def _has_no_body(request: Request) -> bool:
    try:
        check_declared(request, 0)
    except Rejected:
        return False
    return not request.values(b"transfer-encoding")


def _by_itself(plan: Plan, request: Request, data: bytes, *, whole: bool) -> Iterator[str]:
    """The checks that need no secret, and the string that the credentials cover, if the schemes give one without any record."""
    case = plan.explaining.locate(request)
    assert case is not None
    reader = BodyReader(case.claim.body, max(len(data), 1))
    reader.feed(data)
    body = reader.body()
    canonical: list[str] = []
    checks: list[Check] = []
    for verifier, claim in _parts(case.addressee.verifier, case.claim):
        explainer = _without_keys(verifier, claim)
        if explainer is None:
            continue
        text, made = explainer(NOTHING_FOUND, body, plan.clock())
        canonical.append(text)
        checks += (check for check in made if check.name in OPEN_CHECKS and check.passed is not None)
    if told := [check for check in checks if whole or check.name != "body"]:
        yield "what can be told without any secret:"
        for check in told:
            values = f": expected {check.expected}, received {check.received}" if check.name in TIMES else ""
            yield f"  {'ok  ' if check.passed else 'FAIL'} {check.name}: {check.component}{'' if check.passed else values}"
    if text := "\n".join(filter(None, canonical)):
        cut = f"… ({len(text) - MAX_CANONICAL} characters more)" if len(text) > MAX_CANONICAL else ""
        yield "the string that the credentials cover, as the server builds it:"
        yield "\n".join(f"  | {line}" for line in f"{text[:MAX_CANONICAL]}{cut}".split("\n"))


def _without_keys(verifier: Verifier, claim: Claim) -> Explainer | None:
    """The account of a claim by a scheme that has one without keys; or where all keys are in the store, and none is given to it.

    A verifier that holds its keys itself would compare variants with them, and how that ends may show.
    """
    for module in dict.fromkeys(row.explanation for row in SCHEMES):
        alone: ClaimExplainers = getattr(import_module(f"watchword.schemes.{module}"), "WITHOUT_KEYS", {})
        if type(claim) in alone:
            return partial(alone[type(claim)], claim)
    return explainer_of(verifier, claim, try_passwords=False) if {*verifier.kinds} - {Spent} else None


def _parts(verifier: Verifier, claim: Claim) -> list[tuple[Verifier, Claim]]:
    if isinstance(verifier, AllOf) and isinstance(claim, AllClaims):
        pairs = zip(verifier.parts, claim.claims, strict=True)
        return [pair for part, each in pairs for pair in _parts(part, each)]
    return [(verifier, claim)]


def _printable(line: str) -> str:
    """The line as a terminal may have it."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
