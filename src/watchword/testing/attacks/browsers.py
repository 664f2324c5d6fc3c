"""Attacks by way of a user's browser, which sends cookies by itself, whoever's page asked it to."""

from __future__ import annotations

from watchword.core.message import SAFE
from watchword.testing.attacks.outcome import Apart, NotTried
from watchword.testing.attacks.signing import Signed
from watchword.testing.attacks.trial import Trial

__all__ = ["cross_site_request", "foreign_websocket"]

FOREIGN = b"https://attacker.example"
RULE = (
    "Refuse an unsafe method unless Sec-Fetch-Site says same-origin or none, or Origin is your own, or a token of the page's comes along: "
    "JWTVerifier(place=InCookie(…)) has that rule, and so has your framework's CSRF middleware."
)
KEPT = (b"cookie", b"user-agent", b"accept")
"""The fields that a form on another site can have a browser send, with a content type of its own choice among three."""


def _with_cookie(trial: Trial) -> list[Signed]:
    """Genuine requests whose credentials a browser would send by itself.

    Raises:
        NotTried: there are none.
    """
    if trial.credentials.same_site:
        raise NotTried("browsers don't send the cookie from other sites (same_site=True)")
    found = [trial.signed(way) for way, signed, _ in trial.each_genuine() if signed.ambient]
    if not found:
        raise NotTried("the credentials are no cookie: a browser sends none of them by itself")
    return found


def cross_site_request(trial: Trial) -> None:
    """A form on another site that has the user's browser send the cookie along (CSRF).

    The request has what a browser sends then: a foreign Origin, Sec-Fetch-Site: cross-site, a content type that needs no preflight, and no
    field of the app's own.
    """
    if trial.route.is_websocket:
        raise NotTried("a WebSocket is attacked by its Origin")
    if trial.route.method in SAFE:
        raise NotTried("a safe method changes nothing (RFC 9110 §9.2.1)")
    for genuine in _with_cookie(trial):
        for origin, referer in _pages(trial.credentials.authority.encode()):
            own = [content for name, content in genuine.request.headers if name == b"content-type"]
            for kind in dict.fromkeys(
                [b"text/plain", b"application/x-www-form-urlencoded", *(kind for kind in own if _simple(kind))]
            ):
                lines = [(name, value) for name, value in genuine.request.headers if name in KEPT]
                lines += [
                    (b"origin", origin),
                    (b"sec-fetch-site", b"cross-site"),
                    (b"sec-fetch-mode", b"no-cors"),
                ]
                if referer:
                    lines.append((b"referer", referer))
                if genuine.body:
                    lines.append((b"content-type", kind))
                sent = genuine.changed(headers=tuple(lines), peer=trial.stranger())
                page = (referer if referer.startswith(origin) else origin).decode()
                trial.attempt(f"from a page of {page}, as {kind.decode()}", sent.request, sent.body,
                              attack=(b"origin", b"referer", b"sec-fetch-site", b"sec-fetch-mode"), write=RULE,
                              why="Any page that the user opens can have this done in the user's name.")  # fmt: skip


def _pages(own: bytes) -> list[tuple[bytes, bytes]]:
    """Origin and Referer of pages elsewhere, of which some only look like the app's own to whoever compares parts of texts.

    A page may have the browser send its whole address in Referer, or none (Referrer Policy §3); Origin is null then, or for a sandbox.
    """
    alike = (b"https://" + own + b".evil.example", b"https://evil-" + own)
    queries = (b"https://evil.example/?" + own, b"https://evil.example/?https://" + own + b"/")
    return [
        (FOREIGN, FOREIGN + b"/"),
        (b"null", b"null"),
        (b"null", b""),
        *((origin, origin + b"/") for origin in alike),
        *((b"https://evil.example", referer) for referer in queries),
    ]


def _simple(kind: bytes) -> bool:
    """Whether a form can have this content type (Fetch §2.2.2: no preflight)."""
    return kind.partition(b";")[0].strip().lower() in (
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
    )


def foreign_websocket(trial: Trial) -> None:
    """A WebSocket that a page on another site opens: the browser sends the cookie, and no preflight asks before (RFC 6455 §10.2)."""
    if not trial.route.is_websocket:
        raise Apart("it is no WebSocket")
    for genuine in _with_cookie(trial):
        own = trial.credentials.authority.encode()
        for origin in dict.fromkeys((FOREIGN + b"." + own, *(origin for origin, _ in _pages(own)))):
            lines = [(name, value) for name, value in genuine.request.headers if name in KEPT]
            sent = genuine.changed(headers=(*lines, (b"origin", origin)), peer=trial.stranger())
            trial.attempt(f"opened from a page of {origin.decode()}", sent.request, attack=(b"origin",),
                          why="Any page that the user opens can open this WebSocket in the user's name, and read it.",
                          write="Refuse a handshake whose Origin isn't yours: JWTVerifier(place=InCookie(…)) does.")  # fmt: skip
