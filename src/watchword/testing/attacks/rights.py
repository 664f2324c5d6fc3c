"""Attacks of a user who is genuine and may do less."""

from __future__ import annotations

from watchword.testing.attacks.believed import IDENTITY, RIGHTS
from watchword.testing.attacks.outcome import NotTried
from watchword.testing.attacks.trial import Trial

__all__ = ["another_place", "missing_scope"]


def missing_scope(trial: Trial) -> None:
    """Genuine credentials of somebody without the scope or role that the route demands, also with fields that claim it.

    A decorator in the wrong order never runs, or runs before it is known who asks.
    """
    way = trial.credentials.forbidden(trial.route)
    if way is None:
        raise NotTried("nobody is named who must be refused here: give forbidden= to Credentials")
    trial.baseline()
    why = "The user is known, and has no right to this; the route served them all the same."
    write = "Demand the scope at this route, inside what finds out who asks: @auth.required('orders:write'), Security(auth, scopes=[…])."
    if trial.route.wrapped:
        why += f" {trial.route.wrapped} stands above the decorator that makes the route, so the route never calls it."
        write = f"Put {trial.route.wrapped} below the route's decorator, next to the function."
    signed = trial.signed(way)
    trial.attempt("credentials without the right", signed.request, signed.body, why=why, write=write)
    for names, value in ((RIGHTS, "admin"), (RIGHTS, "true"), ((*IDENTITY, *RIGHTS), "admin")):
        signed = trial.signed(way)
        own = set(signed.fields)
        fields = [(name.encode(), value.encode()) for name in names if name.encode() not in own]
        trial.attempt(f"with fields that say {value!r}", signed.request.with_headers(fields), signed.body,
                      attack=tuple(name for name, _ in fields), why=why, write=write)  # fmt: skip
    for method in _other_methods(trial):
        if not trial.route.is_websocket and method != trial.route.method:
            changed = trial.signed(way).changed(method=method)
            trial.attempt(
                f"without the right, method {method!r}",
                changed.request,
                changed.body,
                elsewhere=True,
                why=why,
                write=write,
            )


def _other_methods(trial: Trial) -> list[str]:
    """Methods that the handler might serve without asking for the right. HEAD is what GET is (RFC 9110 §9.3.2), and may be the user's where GET is."""
    reading = trial.route._replace(method="GET")
    head = ["HEAD"] if trial.credentials.forbidden(reading) is not None else []
    return [*head, "OPTIONS", trial.route.method.lower()]


def another_place(trial: Trial) -> None:
    """The genuine token or key in the query, where logs, histories and Referer fields keep it (RFC 6750 §5.3, RFC 9700 §4.3.2)."""
    if trial.route.is_websocket:
        raise NotTried("a browser's WebSocket has hardly another place for a token than its address")
    why = "Addresses are kept in logs and histories, and sent on in Referer; a credential in them is shown to all who read those."
    write = "Read credentials from their field alone."
    trial.closed()
    for way, signed, _ in trial.each_genuine():
        if signed.in_target or not trial.nature(way, signed).bearer:
            continue
        for name in signed.fields:
            value = signed.request.values(name)[0].decode("latin-1")
            secret = value.rpartition(" ")[2].rpartition("=")[2] if name == b"cookie" else value.rpartition(" ")[2]
            for place in (
                "access_token",
                "token",
                "api_key",
                "apikey",
                "key",
                "auth",
                "authorization",
                "jwt",
                name.decode(),
            ):
                request, body = trial.plain()
                mark = b"&" if b"?" in request.target else b"?"
                request.target += mark + f"{place}={secret}".encode("latin-1")
                trial.attempt(f"in the query as {place}", request, body, why=why, write=write, weak=True)
    if trial.tried == 0:
        raise NotTried("the credentials are in the query already, or sign the request")
