"""Another site's page has a browser make requests, which carries the victim's cookie along (cross-site request forgery).

A cookie's token is taken for a method that is not safe, and for any WebSocket (whose answers another site's page could read), only if
the browser says that a page of this origin had the request made.
"""

from __future__ import annotations

from itertools import product

import pytest

from watchword import Guard, InCookie, Reason, RegisteredToken, Rejected, Request, TokenVerifier

VERIFIER = TokenVerifier(lambda _: RegisteredToken("victim"), place=InCookie(origins=["https://orders.example"]))
GUARD = Guard([VERIFIER])

SITES = {
    None: None, "same-origin": True, "same-site": False, "cross-site": False, "none": False, "": False, "Same-Origin": False,
    "same-origin, same-origin": False,
}  # fmt: skip
ORIGINS = {
    None: False, "https://api.example": True, "https://orders.example": True, "null": False, "": False, "https://evil.example": False,
    "http://api.example": False, "https://api.example:8443": False, "https://api.example.evil.example": False,
    "https://API.example": False, "https://api.example/": False, "https://evil.example/https://api.example": False,
    "https://api.example https://evil.example": False, "api.example": False,
}  # fmt: skip
UNSAFE = ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "PROPFIND", "post", "get", "Get", "QUERY", ""]


def request(
    method: str, site: str | None, origin: str | None, scheme: str = "https", *more: tuple[str, str]
) -> Request:
    lines = [("Cookie", "__Host-token=abc"), *more]
    lines += [] if site is None else [("Sec-Fetch-Site", site)]
    lines += [] if origin is None else [("Origin", origin)]
    return Request(method, scheme, "api.example", "/transfer", lines)


def passes(what: Request) -> bool:
    try:
        GUARD.verify(what)
    except Rejected as rejected:
        assert rejected.reason is Reason.ORIGIN_REFUSED
        assert rejected.refusal is not None
        assert (rejected.refusal.status, list(rejected.refusal.challenges)) == (403, [])
        return False
    return True


@pytest.mark.parametrize("method", UNSAFE)
def test_an_unsafe_method_needs_a_page_of_this_origin(method: str) -> None:
    for (site, by_site), (origin, by_origin) in product(SITES.items(), ORIGINS.items()):
        expected = by_origin if by_site is None else by_site
        assert passes(request(method, site, origin)) is expected, (site, origin)


@pytest.mark.parametrize(
    ("scheme", "more"),
    [
        ("wss", []), ("ws", []), ("https", [("Upgrade", "websocket")]), ("https", [("Upgrade", "WebSocket, h2c")]),
        ("https", [("Sec-WebSocket-Key", "x")]), ("https", [("Sec-WebSocket-Version", "13")]),
    ],
)  # fmt: skip
def test_every_websocket_handshake_needs_one_too(scheme: str, more: list[tuple[str, str]]) -> None:
    for (site, by_site), (origin, by_origin) in product(SITES.items(), ORIGINS.items()):
        of_this = {"https://api.example": scheme != "ws", "http://api.example": scheme == "ws"}.get(
            origin or "", by_origin
        )
        expected = of_this if by_site is None else by_site
        assert passes(request("GET", site, origin, scheme, *more)) is expected, (site, origin)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_a_safe_method_needs_none(method: str) -> None:
    for site, origin in product(SITES, ORIGINS):
        assert passes(request(method, site, origin))


@pytest.mark.parametrize("field", ["Sec-Fetch-Site", "Origin"])
def test_a_field_that_comes_twice_says_nothing(field: str) -> None:
    value = {"Sec-Fetch-Site": "same-origin", "Origin": "https://api.example"}[field]
    assert passes(request("POST", None, None, "https", (field, value)))
    assert not passes(request("POST", None, None, "https", (field, value), (field, value)))
    assert not passes(request("POST", None, None, "https", (field, value), (field, "cross-site")))


def test_without_a_host_no_origin_is_the_public_one() -> None:
    assert not passes(Request("POST", "https", "", "/", [("Cookie", "__Host-token=abc"), ("Origin", "https://")]))
    odd = Request(
        "POST", "https", "a@api.example", "/", [("Cookie", "__Host-token=abc"), ("Origin", "https://api.example")]
    )
    assert not passes(odd)


def test_the_refusal_is_the_same_for_a_token_that_is_good_and_one_that_is_not() -> None:
    known = Guard([TokenVerifier({}.get, place=InCookie())])
    answers = []
    for guard in (GUARD, known):
        with pytest.raises(Rejected) as caught:
            guard.verify(request("POST", "cross-site", None))
        assert caught.value.refusal is not None
        answers.append(caught.value.refusal.response().headers)
    assert answers[0] == answers[1]
