"""What a refusal says beyond the RFCs' words, where the policy asks for it: an account in its body for whoever develops on this
machine (`Policy.explain`), and the id under which its explanation is kept (`Policy.explanations`).

Who stands behind a connection can't be proven by what comes over it, so an account is given only if every sign says that nobody
else does: both addresses, no field of a proxy, no page of another site. What it may say is for `schemes.explaining.development`.
"""

from __future__ import annotations

import re
from functools import partial
from ipaddress import ip_address
from typing import Any, Final

from watchword.core.answer import Random, Refusal
from watchword.core.dispatch import Case
from watchword.core.io import IO
from watchword.core.message import Request
from watchword.core.plan import Plan, Refused
from watchword.core.rejection import Rejected, StoreUnavailable
from watchword.core.scheme import NO_BODY, WHOLE
from watchword.structures.line import ClientGone

__all__ = ["REQUEST_ID", "is_of_this_machine", "told"]

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""A request id that is taken as it came: it becomes a part of a file's name."""
MAX_BODY: Final = 64 * 1024
"""Octets of a body that the guard had no need of, and that is read for the explanation."""

_HOST: Final = re.compile(r"(localhost|[0-9.]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
_ORIGIN: Final = re.compile(r"https?://(.+)", re.IGNORECASE)
_OF_PROXIES: Final = re.compile(
    rb"forwarded|^via$|real-ip|client-ip|connecting-ip|^x-(?:original|envoy|amzn|proxy|scheme)|^cdn-|^cf-|^proxy-"
    rb"|^front-end-https$"
)
_STATUSES: Final = (400, 401)


async def told(
    plan: Plan,
    io: IO[Any, Any],
    receive: Any,
    request: Request,
    case: Case | None,
    rejected: Rejected,
    refusal: Refusal,
) -> Refusal:
    """The refusal, with what the policy has it say besides; hands the request over to the log of explanations."""
    request_id = ""
    if plan.explanations is not None:
        request_id = _request_id(request, plan.random)
        refusal = refusal._replace(headers=(*refusal.headers, (b"x-request-id", request_id.encode())))
        now, address = plan.clock(), (request if case is None else case.request).peer.address
        if plan.explanations.has_room(address, rejected, now):
            body = await _body(plan, io, receive, request, case)
            plan.explanations.keep(Refused(plan, request, body, rejected, address, request_id, now))
    if plan.account is not None and refusal.status in _STATUSES and is_of_this_machine(request):
        account = await io.work(partial(_account, plan, request, case, rejected, request_id))
        refusal = refusal._replace(account=account)
    return refusal


def _account(plan: Plan, request: Request, case: Case | None, rejected: Rejected, request_id: str) -> bytes:
    assert plan.account is not None
    try:
        return plan.account(plan, request, case, rejected, request_id)
    except Exception as error:  # noqa: BLE001 -- the refusal is what it is, whatever can be said of it
        return f"no account could be given: {type(error).__name__}\n".encode()


def is_of_this_machine(request: Request) -> bool:
    """Whether every sign says that the client is a program on this machine, and that nothing stands between.

    The peer is a loopback address, and Host is one by its digits, or `localhost`: a page that had its own name lead here
    names that. No field is there that proxies write, and no Origin of another place, which a page of another site would
    send. A target with a host of its own, a WebSocket, and HEAD, whose answer has no body, are none of it.

    >>> from watchword.core.message import Peer
    >>> is_of_this_machine(Request("GET", "http", "127.0.0.1:8000", "/", {"Host": "127.0.0.1:8000"}, Peer("127.0.0.1")))
    True
    >>> is_of_this_machine(Request("GET", "http", "attacker.example", "/", {"Host": "attacker.example"}, Peer("127.0.0.1")))
    False
    """
    return (
        request.method != "HEAD"
        and request.scheme in ("http", "https")
        and request.target[:1] == b"/"
        and _is_loopback(request.peer.address)
        and request.values(b"host") == [request.authority.encode("utf-8", "replace")]
        and _names_loopback(request.authority)
        and not any(_OF_PROXIES.search(name) for name, _ in request.headers)
        and all(_is_own(origin.decode("latin-1")) for origin in request.values(b"origin"))
    )


def _is_loopback(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _names_loopback(authority: str) -> bool:
    match = _HOST.fullmatch(authority)
    return match is not None and (match[1].lower() == "localhost" or _is_loopback(match[1].strip("[]")))


def _is_own(origin: str) -> bool:
    match = _ORIGIN.fullmatch(origin)
    return match is not None and _names_loopback(match[1])


def _request_id(request: Request, random: Random) -> str:
    """X-Request-ID, if it is one that can be kept as it is; else one of our own."""
    given = [value.decode("latin-1") for value in request.values(b"x-request-id")]
    if len(given) == 1 and REQUEST_ID.fullmatch(given[0]):
        return given[0]
    return random(16).hex()


async def _body(plan: Plan, io: IO[Any, Any], receive: Any, request: Request, case: Case | None) -> bytes | None:
    """The request's body; None if it has one that is not known whole.

    One that the guard had no need of is read if it is short and on its way: adapters read it before they refuse in any case.
    """
    if case is not None and case.body is not NO_BODY:
        return case.body.data
    lengths = request.values(b"content-length")
    if not lengths and not request.values(b"transfer-encoding"):
        return b""
    short = len(lengths) == 1 and lengths[0].isdigit() and int(lengths[0][:8]) <= MAX_BODY
    if not short or request.values(b"transfer-encoding") or request.values(b"expect"):
        return None
    try:
        return (await io.read(receive, WHOLE, min(MAX_BODY, plan.limits.body))).data
    except (Rejected, StoreUnavailable, ClientGone):
        return None
