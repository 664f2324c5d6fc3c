"""Attacks by fields of a proxy, from a peer that is none."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import flask
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.testing.attacks.tried import BEARER, app_that, has_token, is_hole, outcome
from watchword.testing.attacks import Credentials
from watchword.testing.attacks.believed import addresses_in, header_names_in
from watchword.testing.attacks.outcome import NotTried

ALICE = Credentials(BEARER)
PROXY = "10.0.0.2"
THROUGH_A_PROXY = Credentials({"X-Forwarded-User": "alice"}, peer=PROXY)


def user_from(field, *, trusted=()):
    def checks(request):
        return has_token(request) or (request.headers.get(field) and (not trusted or request.client.host in trusted))

    return app_that(checks)


@pytest.mark.parametrize(
    "field",
    [
        "X-Forwarded-User",
        "Remote-User",
        "X-Auth-Request-Email",
        "X-User-Id",
        "X-SSL-Client-S-DN",
        "X-MS-CLIENT-PRINCIPAL",
    ],
)
def test_a_user_that_a_field_names_is_found_to_be_believed_from_any_peer(field):
    found = outcome("believed_identity", user_from(field), ALICE)
    assert is_hole(found)
    assert field.lower() in found.sent.lower()
    assert outcome("believed_identity", user_from(field, trusted=[PROXY]), ALICE) is None


def test_a_finding_names_the_one_field_that_was_believed():
    found = outcome("believed_identity", user_from("X-Consumer-Username"), ALICE)
    assert found.tried.startswith("x-consumer-username: ")


def test_a_field_that_only_this_app_knows_is_found_in_its_source():
    source = 'request.headers.get("X-Gateway-Account")'
    assert is_hole(outcome("believed_identity", user_from("X-Gateway-Account"), ALICE, source=source))
    assert outcome("believed_identity", user_from("X-Gateway-Account", trusted=[PROXY]), ALICE, source=source) is None


def test_names_of_fields_are_read_off_strings_environ_keys_and_parameters():
    source = """headers["x-internal-role"]; environ.get('HTTP_X_TENANT'); def f(x_shop_user: str = Header()): ..."""
    assert header_names_in(source) == ["x-internal-role", "x-tenant", "x-shop-user"]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1"])
@pytest.mark.parametrize("field", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
def test_an_address_that_a_field_names_is_found_to_be_believed_from_any_peer(field, address):
    def checks(mended):
        def check(request):
            claimed = "" if mended else request.headers.get(field, "")
            return has_token(request) or address in claimed or request.client.host == address

        return check

    assert is_hole(outcome("believed_addresses", app_that(checks(mended=False)), ALICE))
    assert outcome("believed_addresses", app_that(checks(mended=True)), ALICE) is None


def test_credentials_that_are_good_from_one_address_are_found_to_be_taken_from_another_that_claims_to_be_it():
    def checks(mended):
        def check(request):
            address = request.client.host if mended else request.headers.get("x-forwarded-for", request.client.host)
            return has_token(request) and address == PROXY

        return check

    here = Credentials(BEARER, peer=PROXY)
    assert is_hole(outcome("believed_addresses", app_that(checks(mended=False)), here))
    assert outcome("believed_addresses", app_that(checks(mended=True)), here) is None


def test_an_app_that_knows_its_users_by_the_proxys_field_alone_is_attacked_too():
    def checks(mended):
        def check(request):
            return request.headers.get("x-forwarded-user") and (not mended or request.client.host == PROXY)

        return check

    assert is_hole(outcome("believed_identity", app_that(checks(mended=False)), THROUGH_A_PROXY))
    assert outcome("believed_identity", app_that(checks(mended=True)), THROUGH_A_PROXY) is None


def rewriting(mended):
    app = flask.Flask(__name__)

    @app.before_request
    def authenticate():
        path = flask.request.path if mended else flask.request.headers.get("X-Original-URL", flask.request.path)
        if path != "/health" and flask.request.headers.get("Authorization") != BEARER["Authorization"]:
            flask.abort(401)

    @app.get("/health")
    def health():
        return "well"

    @app.get("/orders")
    def orders():
        return {"orders": []}

    return app


def test_a_path_that_a_field_names_is_found_to_be_believed():
    credentials = Credentials(BEARER, public=["/health"])
    assert is_hole(outcome("believed_urls", rewriting(mended=False), credentials))
    assert outcome("believed_urls", rewriting(mended=True), credentials) is None


def test_another_user_than_the_credentials_name_is_found_in_the_answer():
    def answers(mended):
        def answer(request):
            return {"of": "alice" if mended else request.headers.get("x-user-id", "alice")}

        return app_that(has_token, answer=answer)

    found = outcome("another_identity", answers(mended=False), ALICE)
    assert is_hole(found)
    assert found.tried.startswith("x-user-id")
    assert outcome("another_identity", answers(mended=True), ALICE) is None


def test_a_route_that_gives_back_all_fields_says_nothing_of_who_asks():
    app = app_that(has_token, answer=lambda request: dict(request.headers))
    assert isinstance(outcome("another_identity", app, ALICE), NotTried)


def test_a_path_in_a_field_that_leads_to_the_guarded_handler_is_found():
    async def orders(request):
        return JSONResponse({"orders": []})

    class Rewrites:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            fields = dict(scope.get("headers", ()))
            known = fields.get(b"authorization") == BEARER["Authorization"].encode()
            if scope["type"] == "http" and b"x-rewrite-url" not in fields and not known:
                await JSONResponse({}, 401)(scope, receive, send)
                return
            path = fields.get(b"x-rewrite-url", scope.get("path", "").encode()).decode()
            await self.app({**scope, "path": path}, receive, send)

    app = Starlette(routes=[Route("/orders", orders)])
    assert is_hole(outcome("believed_urls", Rewrites(app), ALICE))


MENTIONED = {
    "X-Edge-Client": 'request.headers.get("X-Edge-Client") == "127.0.0.1"',
    "X-Edge-Origin-IP": 'environ.get("HTTP_X_EDGE_ORIGIN_IP")',
    "X-Edge-Peer": 'FIELD = "X-Edge-Peer"',
    "X-User-Address": "def f(x_user_address: str = Header()): ...",
    "X-Forwarded-User": 'get("X-Forwarded-User")',
}


@pytest.mark.parametrize("field", MENTIONED)
def test_an_address_is_tried_in_fields_that_the_source_mentions(field):
    def checks(mended):
        def check(request):
            address = request.client.host if mended else request.headers.get(field)
            return has_token(request) or address == "127.0.0.1"

        return app_that(check)

    found = outcome("believed_addresses", checks(mended=False), ALICE, source=MENTIONED[field])
    assert is_hole(found)
    assert found.tried == f"{field.lower()}: 127.0.0.1"
    assert outcome("believed_addresses", checks(mended=True), ALICE, source=MENTIONED[field]) is None


@pytest.mark.parametrize(
    "network", ["172.18.0.0/16", "10.20.30.0/28", "192.0.2.17/32", "192.0.2.18", "fd00:7::/64", "2001:db8::5"]
)
def test_an_address_of_each_network_that_the_source_mentions_is_tried(network):
    def checks(mended):
        def check(request):
            claimed = request.client.host if mended else request.headers.get("x-real-ip", request.client.host)
            return has_token(request) or ip_address(claimed) in ip_network(network)

        return app_that(check)

    source = f'NETS = ["{network}"]'
    assert is_hole(outcome("believed_addresses", checks(mended=False), ALICE, source=source))
    assert outcome("believed_addresses", checks(mended=True), ALICE, source=source) is None


def test_credentials_that_are_good_from_a_mentioned_fields_address_are_found():
    def checks(mended):
        def check(request):
            address = request.client.host if mended else request.headers.get("x-edge-peer", request.client.host)
            return has_token(request) and address == PROXY

        return app_that(check)

    here, source = Credentials(BEARER, peer=PROXY), MENTIONED["X-Edge-Peer"]
    assert is_hole(outcome("believed_addresses", checks(mended=False), here, source=source))
    assert outcome("believed_addresses", checks(mended=True), here, source=source) is None


def test_only_addresses_are_read_off_the_source():
    source = """VERSION = "1.2.3"; OID = "1.3.6.1.4.1"; ANY = "0.0.0.0/0"; HOST = "0.0.0.0"; TIME = "12:30"; BAD = "300.1.1.1"; STEP = 'a[::2]'
NETS = "10.20.30.0/28,172.18.0.0/16"  # and 10.20.30.5/28"""
    assert addresses_in(source) == ["10.20.30.1", "172.18.0.1"]
