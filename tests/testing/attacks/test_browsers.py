"""Attacks by way of a browser, which sends cookies by itself."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute

from tests.testing.attacks.tried import BEARER, app_that, has_token, is_hole, outcome
from watchword.testing.attacks import Credentials
from watchword.testing.attacks.outcome import NotTried

COOKIE = Credentials({"Cookie": "session=a-long-session-of-alice"})
POST = "POST /orders"


def logged_in(request):
    return request.cookies.get("session") == "a-long-session-of-alice"


def by_origin(request):
    return logged_in(request) and request.headers.get("origin") in (None, "https://testserver")


def by_site(request):
    return logged_in(request) and request.headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def by_field(request):
    return logged_in(request) and "x-csrf-token" in request.headers


def by_type(request):
    return logged_in(request) and request.headers.get("content-type", "").startswith("application/json")


def test_a_cookie_without_its_rule_is_found():
    found = outcome("cross_site_request", app_that(logged_in, method="POST"), COOKIE, POST)
    assert is_hole(found)
    assert "origin: https://attacker.example" in found.sent
    assert "session=" not in found.sent


@pytest.mark.parametrize("rule", [by_origin, by_site, by_type])
def test_a_cookie_with_a_rule_passes(rule):
    assert outcome("cross_site_request", app_that(rule, method="POST"), COOKIE, POST) is None


def test_a_field_that_no_form_can_set_is_a_rule_too():
    credentials = Credentials({"Cookie": "session=a-long-session-of-alice", "X-CSRF-Token": "of the page"})
    assert outcome("cross_site_request", app_that(by_field, method="POST"), credentials, POST) is None
    assert is_hole(outcome("cross_site_request", app_that(logged_in, method="POST"), credentials, POST))


def test_a_rule_that_demands_an_origin_knows_the_apps_own():
    def own(request):
        return logged_in(request) and request.headers.get("origin") == "https://shop.example"

    credentials = Credentials({"Cookie": "session=a-long-session-of-alice"}, base_url="https://shop.example")
    assert outcome("cross_site_request", app_that(own, method="POST"), credentials, POST) is None


def test_what_no_browser_sends_by_itself_is_not_tried():
    assert isinstance(
        outcome("cross_site_request", app_that(has_token, method="POST"), Credentials(BEARER), POST), NotTried
    )
    kept = Credentials({"Cookie": "session=a-long-session-of-alice"}, same_site=True)
    assert isinstance(outcome("cross_site_request", app_that(logged_in, method="POST"), kept, POST), NotTried)


def test_credentials_may_be_several_ways_of_which_one_is_a_cookie():
    def either(request):
        return has_token(request) or logged_in(request)

    both = Credentials([BEARER, {"Cookie": "session=a-long-session-of-alice"}])
    assert is_hole(outcome("cross_site_request", app_that(either, method="POST"), both, POST))


def feed(mended):
    async def socket(websocket):
        foreign = websocket.headers.get("origin") not in (None, "https://testserver")
        if websocket.cookies.get("session") != "a-long-session-of-alice" or (mended and foreign):
            await websocket.close(1008)
            return
        await websocket.accept()
        await websocket.send_json({"orders": []})
        await websocket.receive()

    async def orders(request):
        return JSONResponse({"orders": []})

    return Starlette(routes=[WebSocketRoute("/feed", socket), Route("/orders", orders)])


def test_a_websocket_that_any_page_can_open_is_found():
    assert is_hole(outcome("foreign_websocket", feed(mended=False), COOKIE, "WEBSOCKET /feed"))
    assert outcome("foreign_websocket", feed(mended=True), COOKIE, "WEBSOCKET /feed") is None
    assert outcome("no_credentials", feed(mended=False), COOKIE, "WEBSOCKET /feed") is None


RULES = {
    "a prefix of Origin": lambda fields: fields.get("origin", "").startswith("https://testserver"),
    "the end of Origin": lambda fields: fields.get("origin", "").endswith("testserver"),
    "a prefix of Referer": lambda fields: fields.get("referer", "").startswith("https://testserver"),
    "the host somewhere in Referer": lambda fields: "testserver" in fields.get("referer", ""),
    "the origin somewhere in Referer": lambda fields: "https://testserver/" in fields.get("referer", ""),
    "Referer, where there is one": lambda fields: fields.get("referer", "https://testserver/") == "https://testserver/",
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_compares_parts_of_texts_is_found(rule):
    def holed(request):
        return logged_in(request) and (
            RULES[rule](request.headers) or request.headers.get("origin") == "https://testserver"
        )

    assert is_hole(outcome("cross_site_request", app_that(holed, method="POST"), COOKIE, POST))
    assert outcome("cross_site_request", app_that(by_origin, method="POST"), COOKIE, POST) is None


@pytest.mark.parametrize("compare", [str.startswith, str.endswith])
def test_a_websocket_that_compares_a_part_of_origin_is_found(compare):
    async def socket(websocket):
        own = "https://testserver" if compare is str.startswith else "testserver"
        if not logged_in(websocket) or not compare(websocket.headers.get("origin", ""), own):
            await websocket.close(1008)
            return
        await websocket.accept()
        await websocket.send_json({"orders": []})
        await websocket.receive()

    app = Starlette(routes=[WebSocketRoute("/feed", socket)])
    assert is_hole(outcome("foreign_websocket", app, COOKIE, "WEBSOCKET /feed"))
    assert outcome("foreign_websocket", feed(mended=True), COOKIE, "WEBSOCKET /feed") is None
