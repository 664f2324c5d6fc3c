"""Finds out what a signature covers: signs the same request twice with clock and randomness stopped, and then changed ones."""

from __future__ import annotations

import time

from watchword.core.message import Request
from watchword.schemes import SCHEMES, Scheme
from watchword.testing.attacks.credentials import COVERS, Sign, is_client_half
from watchword.testing.attacks.held import held
from watchword.testing.attacks.signing import SENDS, Signed, SigningFailed, sign
from watchword.testing.tampering import is_covered

__all__ = ["Nature", "nature_of"]

BODY = b'{"watchword":1}'


class Nature:
    """What kind of credentials these are.

    Args:
        bearer: the same for each request: whoever sees them can use them for another one.
        covers: the parts of the request that they depend on; None if that can't be found out.
        single_use: whether each is good once, as far as the scheme says; None if it doesn't.
        challenged: whether the time in them is the server's, not the client's.
    """

    def __init__(
        self, *, bearer: bool, covers: frozenset[str] | None, single_use: bool | None = None, challenged: bool = False
    ) -> None:
        self.challenged = challenged
        self.bearer = bearer
        self.covers = covers
        self.single_use = single_use


def nature_of(way: Sign, signed: Signed, send: SENDS) -> Nature:
    """The nature of the credentials that made `signed`."""
    row = _row(way)
    if row is not None:
        bearer = not row.covers
        covers = {part for part in COVERS if is_covered(part, row.covers)}
        return Nature(
            bearer=bearer, covers=frozenset(covers), single_use=row.single_use, challenged=row.name == "digest"
        )
    if not callable(way) and not is_client_half(way):
        return Nature(bearer=True, covers=frozenset())
    proof = b"dpop" in signed.fields
    if signed.token is not None and not proof:
        return Nature(bearer=True, covers=frozenset())
    return _by_trial(way, signed, send)


def _row(way: Sign) -> Scheme | None:
    if not is_client_half(way):
        return None
    names = {kind.__name__ for kind in type(way).__mro__}
    return next((row for row in SCHEMES if row.auth in names), None)


def _by_trial(way: Sign, signed: Signed, send: SENDS) -> Nature:
    now = float(int(time.time()))

    def standing(request: Request, body: bytes) -> object | None:
        with held(way, now, lambda count: bytes(index % 251 for index in range(count))):
            return _credentials(way, request, body, send)

    first, again = (standing(signed.plain, signed.plain_body) for _ in range(2))
    changed = {part: standing(*_change(signed, part)) for part in COVERS}
    if first is None or first != again:
        return Nature(bearer=False, covers=None)
    covers = frozenset(part for part, value in changed.items() if value is not None and value != first)
    return Nature(bearer=not covers and not _moves_on(way, signed, send, first), covers=covers)


def _moves_on(way: Sign, signed: Signed, send: SENDS, stopped: object) -> bool:
    """Whether the credentials depend on time or chance at least, as a signature over a timestamp does."""
    return _credentials(way, signed.plain, signed.plain_body, send) != stopped


def _credentials(way: Sign, request: Request, body: bytes, send: SENDS) -> object | None:
    try:
        signed = sign(way, request, body, send)
    except SigningFailed:
        return None
    return tuple((name, tuple(signed.request.values(name))) for name in signed.fields)


def _change(signed: Signed, part: str) -> tuple[Request, bytes]:
    request, body = signed.plain, signed.plain_body
    path, mark, query = request.target.partition(b"?")
    authority, target, method = request.authority, request.target, request.method
    if part == "method":
        method = "PUT" if method != "PUT" else "POST"
    elif part == "path":
        target = path + b"-" + mark + query
    elif part == "query":
        target = path + b"?" + (query + b"&" if query else b"") + b"watchword=1"
    elif part == "host":
        authority = "other." + authority
    else:
        body = BODY if body != BODY else b"{}"
    return Request.raw(method, request.scheme, authority, target, request.headers, request.peer, True), body
