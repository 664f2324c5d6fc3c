"""Attacks of somebody who has nothing: no credentials, made-up ones, other methods, other spellings of the path, another Host."""

from __future__ import annotations

import base64
import re

from watchword.testing.attacks.discovery import GUARDING
from watchword.testing.attacks.outcome import NotTried
from watchword.testing.attacks.trial import PAST, Trial

__all__ = [
    "decorator_in_vain",
    "garbage",
    "genuine_request",
    "host_field",
    "methods",
    "no_credentials",
    "path_spellings",
    "public_routes",
]

GUARD = "Put the guard round this route, or round the whole app, so that no route can be forgotten; if it is meant for everybody, name it in public=."
VALUES = (
    b"", b" ", b"Bearer", b"Bearer ", b"Bearer null", b"Bearer undefined", b"Bearer None", b"Bearer x.y.z", b"Bearer ..", b"Bearer {}",
    b"Basic", b"Basic Og==", b"Basic %%%", b"Basic YWRtaW46", b"Basic YWRtaW46YWRtaW4=", b"Basic bnVsbDpudWxs", b'Digest username=""',
    b'Digest username="admin", response=""', b"Negotiate", b"None", b"null", b"undefined", b"Token", b"Token x", b"ApiKey", b"\xff\xfe\x00"[:2],
    b"HMAC", b"Signature", b"AWS4-HMAC-SHA256", b"OAuth", b"Bearer " + b"A" * 5000, b",,,", b"Bearer x, Basic eA==",
)  # fmt: skip
"""Values of Authorization that prove nothing."""
ANYTHING = (b"", b"null", b"undefined", b"0", b"true", b"x", b"\xff", b"A" * 5000, b"' OR '1'='1", b"[]", b"{}")
"""Values of any other field that carries credentials."""


def no_credentials(trial: Trial) -> None:
    """The request without any credentials, from an address that nobody knows.

    A route outside the guard, a decorator that never runs, a WebSocket that the middleware doesn't see.
    """
    early = trial.send(*trial.plain(stranger=True))  # before a genuine request can use up what the route is about
    trial.baseline()
    request, body = trial.plain(stranger=True)
    why = "Nobody said who they are, and the route served them."
    write = GUARD
    if trial.route.is_websocket:
        why = "The WebSocket was opened for somebody who had said nothing of who they are."
        write = (
            "Guard the handshake too: middleware for HTTP alone, such as Starlette's BaseHTTPMiddleware, doesn't see WebSockets. "
            "If it is meant for everybody, name it in public=."
        )
    if trial.route.wrapped:
        why += f" {trial.route.wrapped} stands above the decorator that makes the route, so the route never calls it."
        write = f"Put {trial.route.wrapped} below the route's decorator, next to the function."
    if trial.serves(early):
        raise trial.hole("no credentials", request, body, early, why=why, write=write)
    late = trial.attempt("no credentials", request, body, why=why, write=write)
    if late.reached and late.status in PAST and trial.unknown:
        raise trial.hole("no credentials", request, body, late, weak=True, why="A stranger came as far as the route's handler, which answered "
                         f"{late.status}: it looks the thing up before it asks who it is, or it never asks.",
                         write="Ask who it is first. Give parameters= or bodies= that exist, and it can be told which of both it is.")  # fmt: skip
    again = trial.anew()
    warmed = again.as_stranger()
    if again.serves(warmed):
        raise trial.hole("no credentials, after a genuine request", request, body, warmed,
                         why="Nobody said who they are, and they were given what had been answered to somebody else: a cache stands before the guard.",
                         write="Put the guard outside the cache: its decorator above, its middleware before. Or keep the answers of each user apart.")  # fmt: skip


def genuine_request(trial: Trial) -> None:
    """The route's own request, with and without credentials: one of both must come to the point where it is let in or refused, or nothing is tried."""
    request, body = trial.plain(stranger=True)
    answer = trial.as_stranger()
    trial.tried += 1
    reason = trial.silent(answer)
    if reason is not None and not trial.serves(answer):
        raise trial.hole("nothing could be tried on this route", request, body, answer, why=f"It may be open to anybody, and no attack would see it: {reason}.",
                         write="Give Credentials what the route needs: credentials, bodies=, queries=, parameters=, headers= or base_url=. "
                         f"Or say untried=[{trial.route.id!r}], and the route is left out.")  # fmt: skip


def decorator_in_vain(trial: Trial) -> None:
    """A decorator that guards, above the decorator that makes the route: the route was given the bare function, and never calls it."""
    above = trial.route.wrapped
    if trial.route.handler is None:
        raise NotTried("the function of this route could not be found")
    trial.closed()
    trial.tried += 1
    if above:
        raise trial.found(f"{above} never runs", "What it demands is demanded of nobody: the framework was given the function below it.",
                          f"Put {above} below the route's decorator, next to the function.",
                          weak=GUARDING.search(above) is None)  # fmt: skip


def garbage(trial: Trial) -> None:
    """Credentials that prove nothing: empty, malformed, of another scheme, twice, of an enormous size, a known user without password."""
    trial.closed()
    why = "What was sent proves nothing, and the route served it."
    write = "Refuse whatever isn't proven: catch no error of the verification, and compare with no default such as None or ''."
    for value in VALUES:
        request, body = trial.plain(stranger=True)
        shown = value[:40].decode("latin-1")
        trial.attempt(f"Authorization: {shown}", request.with_headers([(b"authorization", value)]), body,
                      attack=(b"authorization",), why=why, write=write)  # fmt: skip
    request, body = trial.plain(stranger=True)
    twice = [(b"authorization", b"Basic Og=="), (b"authorization", b"Bearer x")]
    trial.attempt(
        "two Authorization lines", request.with_headers(twice), body, attack=(b"authorization",), why=why, write=write
    )
    for name, value in _fields(trial):
        request, body = trial.plain(stranger=True)
        label = name.decode("latin-1")
        trial.attempt(
            f"{label} that proves nothing",
            request.with_headers([(name, value)]),
            body,
            attack=(name,),
            why=why,
            write=write,
        )


def _fields(trial: Trial) -> list[tuple[bytes, bytes]]:
    """For each field of the genuine request's credentials, values that prove nothing."""
    found: list[tuple[bytes, bytes]] = []
    try:
        genuine = list(trial.each_genuine())
    except NotTried:
        return found
    for _, signed, _ in genuine:
        for name in signed.fields:
            value = signed.request.values(name)[0]
            if name == b"cookie":
                found += [(name, re.sub(rb"=[^;]*", b"=" + one, value)) for one in ANYTHING if b"\xff" not in one]
            elif name == b"authorization":
                found += [(name, one) for one in _without_proof(value)]
            else:
                found += [(name, one) for one in ANYTHING]
    return found


def _without_proof(value: bytes) -> list[bytes]:
    """A genuine Authorization whose word or name stays and whose proof is gone."""
    word, _, rest = value.partition(b" ")
    found = [word, word + b" ", word + b" null", word + b" " + b"A" * len(rest)]
    if word.lower() == b"basic":
        try:
            name = base64.b64decode(rest).partition(b":")[0]
        except ValueError:
            return found
        found += [b"Basic " + base64.b64encode(name + guess) for guess in (b"", b":", b":\x00", b":password", b"::")]
    return found


def methods(trial: Trial) -> None:
    """HEAD, OPTIONS, TRACE, methods in lower case or made up, and fields that override the method, all without credentials.

    A guard that lists the methods it guards leaves out the others.
    """
    if trial.route.is_websocket:
        raise NotTried("a WebSocket has no method")
    trial.closed()
    why = "The route's handler served a method that the guard doesn't look at."
    write = "Guard the route whatever the method is; let the framework answer preflights itself (CORS middleware outside the guard)."
    own = trial.route.method
    others = ["HEAD", "OPTIONS", "TRACE", "GET", "POST", own.lower(), own.capitalize(), "FOO", "PROPFIND", f"{own} "]
    for method in dict.fromkeys(other for other in others if other != own):
        request, body = trial.plain(stranger=True)
        request.method = method
        if method in ("GET", "POST") and _has_route(trial, method):
            continue  # it is attacked by itself
        trial.attempt(f"method {method!r}", request, body, elsewhere=True, why=why, write=write)
    for name in (b"x-http-method-override", b"x-method-override", b"x-http-method"):
        for outer in ("GET", "POST", "HEAD", "OPTIONS"):
            if outer == own:
                continue
            request, body = trial.plain(stranger=True)
            request.method = outer
            overridden = request.with_headers([(name, own.encode())])
            trial.attempt(f"{outer} with {name.decode()}: {own}", overridden, body, attack=(name,), elsewhere=True,
                          why=why, write=write)  # fmt: skip


def _has_route(trial: Trial, method: str) -> bool:
    return any(other.method == method and other.path == trial.route.path for other in trial.target.routes)


def path_spellings(trial: Trial) -> None:
    """The path spelled otherwise: slashes doubled and added, dots, percent-encoding, parameters, another case, without credentials.

    A guard that compares texts sees another path than the router.
    """
    trial.closed()
    why = "The router took this spelling for the guarded route, and the guard did not."
    write = "Guard the route itself, not a pattern of paths; where paths are compared, compare the one that the router uses."
    for spelled in _spellings(trial.path):
        request, body = trial.plain(stranger=True)
        _, mark, query = request.target.partition(b"?")
        request.target = spelled.encode("latin-1") + mark + query
        trial.attempt(f"path {spelled}", request, body, elsewhere=True, why=why, write=write)


def _spellings(path: str) -> list[str]:
    head, _, last = path.rpartition("/")
    first = path[1:2]
    encoded = f"%{ord(first):02x}" if first and first.isascii() else first
    found = [
        f"{path}/", f"{path}//", f"/{path}", f"//{path}", f"/.{path}", f"/x/..{path}", f"{path}/.", f"{path}/x/..", f"/%2e{path}",
        f"/x/%2e%2e{path}", f"/{encoded}{path[2:]}", f"/%25{encoded[1:]}{path[2:]}", f"{head}%2f{last}", f"/%2f{path[1:]}",
        f"{path}%2f", f"{path};x=1", f"{head};x=1/{last}", f"{path}%00", f"{path}%20", f"{path}.json", f"{path}.html", f"{path}%23",
        path.upper(), path.capitalize(), f"{path}?", f"{path}%3f", f"/\\{path[1:]}", f"{path}\\", f"/static/..{path}", f"/public/..{path}",
        f"/health/..{path}", f"/docs/..{path}", f"{path}/health", f"{path}%0a", f"{path}..;/", f"http://testserver{path}",
    ]  # fmt: skip
    return [spelled for spelled in dict.fromkeys(found) if spelled != path]


def host_field(trial: Trial) -> None:
    """A Host field with a path in it, or another name, without credentials.

    Where a guard reads the path off a URL that was put together with Host, the attacker chooses that path.
    """
    trial.closed()
    why = "The guard judged another host or path than the router served: it believes the Host field."
    write = "Compare scope['path'] (or the framework's resolved route), never the path of a URL that was put together with Host."
    paths = [
        route.example(trial.credentials.parameters)
        for route in trial.target.routes
        if trial.credentials.is_public(route)
    ]
    paths += ["/health", "/docs", "/openapi.json", "/login", "/static/x", "/"]
    own = trial.credentials.authority
    hosts = [f"{own}{path}{mark}" for path in dict.fromkeys(paths) for mark in ("?", "?x=", "#")]
    hosts += ["localhost", "127.0.0.1", "localhost:8000", "internal", f"{own}, localhost", ""]
    for host in hosts:
        request, body = trial.plain(stranger=True)
        changed = request.with_headers([(b"host", host.encode("latin-1"))])
        trial.attempt(f"Host: {host}", changed, body, attack=(b"host",), why=why, write=write)


def public_routes(trial: Trial) -> None:
    """A route that is for everybody serves everybody, also those whose credentials are wrong or of another app, and doesn't fail on them."""
    request, body = trial.plain(stranger=True)
    answer = trial.send(request, body)
    trial.tried += 1
    if answer.status in (401, 403) and trial.route.method in ("GET", "WEBSOCKET"):
        raise NotTried(f"it is named in public=, and answers {answer.status} to a request without credentials")
    write = "Read credentials where they are needed only, and answer a malformed Authorization with 401, never with an exception."
    for value in VALUES:
        changed = request.with_headers([(b"authorization", value)])
        broken = trial.send(changed, body)
        if broken.status >= 500 > answer.status:
            raise trial.hole("a malformed Authorization", changed, body, broken, attack=(b"authorization",), write=write,
                             why="Anybody can make this route fail by an Authorization field.")  # fmt: skip
